/* The report on the terminal. */
#ifndef HP_TERMINAL_H
#define HP_TERMINAL_H

#include "model.h"

#include <stdio.h>

/* Prints to `out`: which engine holds which promises, the known departures with their reasons, each
 * surprise with the command that reproduces it, two verdicts per engine, and where the records and
 * `html` (NULL: nowhere) lie. In the colours for `out`. */
void hp_terminal_print(const hp_model *model, FILE *out, const char *html);

#endif
