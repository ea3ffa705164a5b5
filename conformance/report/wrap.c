/* Text for a page of limited width: see wrap.h. */
#include "wrap.h"

#include <stdbool.h>
#include <string.h>

enum { PAGE_WIDTH = 110 };

void hp_wrap(FILE *out, const char *text, int indent)
{
    int column = indent;
    while (*text != '\0') {
        int length = (int)strcspn(text, " \n");
        bool first = column == indent;
        if (!first && column + 1 + length > PAGE_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (!first && length > 0) {
            putc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", length, text);
        column += length;
        text += length;
        if (*text == '\n' && text[1] != '\0') {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        text += *text != '\0';
    }
    putc('\n', out);
}
