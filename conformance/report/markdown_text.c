/* Text within Markdown: see markdown_text.h. */
#include "markdown_text.h"

#include "../runner/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void hp_markdown_text(FILE *out, const char *text)
{
    char before = ' ';
    for (; *text != '\0'; before = *text++) {
        bool in_word = isalnum((unsigned char)before) && isalnum((unsigned char)text[1]);
        if (*text == '\n') {
            fputs("<br>", out);
        } else if (*text == '<') {
            fputs("&lt;", out);
        } else if (*text == '&') {
            fputs("&amp;", out);
        } else if (strchr("\\`*[]|~#$!", *text) != NULL || (*text == '_' && !in_word)) {
            fprintf(out, "\\%c", *text);
        } else {
            putc(*text, out);
        }
    }
}

void hp_markdown_cell(FILE *out, const char *text)
{
    fputs(" ", out);
    hp_markdown_text(out, text);
    fputs(" |", out);
}

void hp_markdown_code_cell(FILE *out, const char *text)
{
    if (text[0] == '\0' || strpbrk(text, "`|\\\n") != NULL) {
        hp_markdown_cell(out, text);
    } else {
        fprintf(out, " `%s` |", text);
    }
}

void hp_markdown_fenced(FILE *out, const char *indent, const char *text)
{
    size_t longest = 2, run = 0;
    for (const char *at = text; *at != '\0'; at++) {
        run = *at == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    char *fence = hp_allocate(longest + 2, 1);
    memset(fence, '`', longest + 1);
    fprintf(out, "%s%s\n%s", indent, fence, indent);
    for (; *text != '\0'; text++) {
        putc(*text, out);
        if (*text == '\n' && text[1] != '\0') {
            fputs(indent, out);
        }
        if (text[1] == '\0' && *text != '\n') {
            putc('\n', out);
        }
    }
    fprintf(out, "%s%s\n", indent, fence);
    free(fence);
}
