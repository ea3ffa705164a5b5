/* What the command lines of all commands share, on top of argp. A usage error ends the program with
 * status 2. */
#ifndef HP_ARGUMENTS_H
#define HP_ARGUMENTS_H

#include <argp.h>
#include <stddef.h>
#include <stdint.h>

/* Values of a repeatable option; the strings belong to whoever gave them. */
typedef struct hp_strings {
    char **items;
    size_t count;
} hp_strings;

void hp_strings_add(hp_strings *strings, char *value);
void hp_strings_free(hp_strings *strings);

/* `text` as a number from `least` to `most`; anything else is a usage error that names `what`. */
uint64_t hp_argument_number(
    struct argp_state *state, const char *what, const char *text, uint64_t least, uint64_t most);

/* Parses with `input` as the state's input. argv[0] is the command's name; messages and help call
 * it "hotproof NAME". */
void hp_arguments_parse(const struct argp *parser, int argc, char **argv, void *input);

/* How each command's help ends: the statuses that all have in common. */
#define HP_STATUS_HELP(expected) \
    "Exit status: 0 " expected   \
    "; 2 usage; 3 the kit itself failed (a record or a module is no good)."

#endif
