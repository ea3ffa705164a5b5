/* What all command lines share: see arguments.h. */
#include "arguments.h"

#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void hp_strings_add(hp_strings *strings, char *value)
{
    char **longer = hp_allocate(strings->count + 1, sizeof *longer);
    if (strings->count > 0) {
        memcpy(longer, strings->items, strings->count * sizeof *longer);
    }
    free(strings->items);
    strings->items = longer;
    strings->items[strings->count++] = value;
}

void hp_strings_free(hp_strings *strings)
{
    free(strings->items);
    *strings = (hp_strings){0};
}

uint64_t hp_argument_number(
    struct argp_state *state, const char *what, const char *text, uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (errno != 0 || *end != '\0' || end == text || text[0] == '-' || value < least ||
        value > most) {
        argp_error(state, "%s: '%s' is not a number from %llu to %llu", what, text,
            (unsigned long long)least, (unsigned long long)most);
    }
    return value;
}

void hp_arguments_parse(const struct argp *parser, int argc, char **argv, void *input)
{
    char *own_name = argv[0];
    char *name = hp_format("hotproof %s", own_name);
    argv[0] = name;
    argp_parse(parser, argc, argv, 0, NULL, input);
    argv[0] = own_name;
    free(name);
}
