/* Text of any kind on one line: see quote.h. */
#include "quote.h"

void fault_print_escaped(const char *text, FILE *to)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            fprintf(to, "\\x%02x", (unsigned char)*text);
        } else {
            fprintf(to, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
        }
    }
}

void fault_print_quoted(const char *text, FILE *to)
{
    fputc('"', to);
    fault_print_escaped(text, to);
    fputc('"', to);
}
