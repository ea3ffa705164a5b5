/* The report on the terminal. */
#ifndef HP_TERMINAL_H
#define HP_TERMINAL_H

#include "model.h"

/* Prints to standard output: which engine holds which promises, the known departures with their
 * reasons, each surprise with the command that reproduces it, two verdicts per engine, and where
 * record and `html` lie. Colours only on a terminal. */
void hp_terminal_print(const hp_model *model, const char *html);

#endif
