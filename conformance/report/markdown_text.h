/* The pieces of Markdown, as GitHub reads it, that keep what cases and files say from being taken
 * for markup. */
#ifndef HP_MARKDOWN_TEXT_H
#define HP_MARKDOWN_TEXT_H

#include <stdio.h>

/* Text that is to be read as it is: what Markdown or HTML would take for more is escaped, line
 * breaks become <br>, so that it fits a cell of a table too. */
void hp_markdown_text(FILE *out, const char *text);

/* The same as a cell: a blank before it, a blank and a bar behind it. */
void hp_markdown_cell(FILE *out, const char *text);

/* A cell with a command in it. In the typeface of code, unless the text has something that code in
 * a cell cannot hold. */
void hp_markdown_code_cell(FILE *out, const char *text);

/* Text as it is, line by line, in a fence that is longer than any in the text. Each line begins
 * with `indent`. */
void hp_markdown_fenced(FILE *out, const char *indent, const char *text);

#endif
