/* Colours for people, never for files. */
#ifndef HP_COLOUR_H
#define HP_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

/* What to print to change to a colour and back; all "" where there are to be none. */
typedef struct hp_colours {
    const char *plain, *bold, *red, *yellow, *green;
} hp_colours;

/* Whether `out` is a terminal that can move its cursor: not a file, not TERM=dumb. */
bool hp_is_terminal(FILE *out);

/* The colours for `out`: none unless it is such a terminal, none if NO_COLOR is set to anything but
 * "", and none if CLICOLOR is 0. */
hp_colours hp_colours_for(FILE *out);

#endif
