/* The report as one self-contained HTML file. */
#ifndef HP_HTML_H
#define HP_HTML_H

#include "model.h"

#include <stdio.h>

/* Writes it to `out`. Returns 0, or -1 with a message. */
int hp_html_write(const hp_model *model, FILE *out, hp_error *error);

#endif
