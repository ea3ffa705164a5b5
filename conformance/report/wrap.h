/* Text for a page of limited width. */
#ifndef HP_WRAP_H
#define HP_WRAP_H

#include <stdio.h>

/* Prints `text` and a newline, keeping its line breaks and breaking at blanks what is longer than a
 * page. The cursor stands in column `indent`; each further line begins there. */
void hp_wrap(FILE *out, const char *text, int indent);

#endif
