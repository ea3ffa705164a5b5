/* The report as Markdown, as GitHub reads it: tables, and code fences around what cases printed. */
#ifndef HP_MARKDOWN_H
#define HP_MARKDOWN_H

#include "model.h"

#include <stdio.h>

/* Writes it to `out`: verdicts, promises per chapter, surprises, known departures, what was not
 * asserted, and where the runs were. Returns 0; what could not be written shows in ferror(out). */
int hp_markdown_write(const hp_model *model, FILE *out, hp_error *error);

/* One table for a front page: a row per page of the manual, a column per engine, each with
 * held/total of documented MUST, inferred MUST and SHOULD; then the two verdicts. */
int hp_markdown_write_brief(const hp_model *model, FILE *out, hp_error *error);

#endif
