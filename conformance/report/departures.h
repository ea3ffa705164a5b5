/* The departures of one engine as tables in Markdown, for a page about that engine. */
#ifndef HP_DEPARTURES_H
#define HP_DEPARTURES_H

#include "model.h"

#include <stdio.h>

/*
 * Writes to `out`: a line with the engine, its version and what was counted; its surprises, if
 * there are any; then for each page of the manual a table with a row per known departure: promise,
 * level, what the engine does instead, a command that shows it. The same for each run of the same
 * kit and library: in the order of the promises and cases, and an unstable departure is there
 * whether or not it showed. A case that did not get as far as asserting is only named. `engine` is
 * one of the model's. Returns 0; what could not be written shows in ferror(out).
 */
int hp_departures_write(
    const hp_model *model, const hp_engine_report *engine, FILE *out, hp_error *error);

#endif
