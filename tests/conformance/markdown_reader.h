/* Reads Markdown as GitHub does, as far as tests of reports need it. */
#ifndef MARKDOWN_READER_H
#define MARKDOWN_READER_H

#include "report/model.h"

#include <stdio.h>

typedef struct markdown_parts {
    char *text;   /* all of it */
    char *fenced; /* what stands in fences */
    char *plain;  /* the rest */
} markdown_parts;

/* What a report's writer makes of `record`, a text. The test fails if a fence is left open, if the
 * rows of a table differ in width, or if text outside fences would be taken for HTML. To be
 * released with markdown_free(). */
markdown_parts markdown_of(
    const char *record, int (*write)(const hp_model *model, FILE *out, hp_error *error));
void markdown_free(markdown_parts *parts);

#endif
