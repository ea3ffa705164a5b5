/* Colours for people: see colour.h. */
#include "colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool hp_is_terminal(FILE *out)
{
    const char *type = getenv("TERM");
    return isatty(fileno(out)) == 1 && (type == NULL || strcmp(type, "dumb") != 0);
}

hp_colours hp_colours_for(FILE *out)
{
    const char *refused = getenv("NO_COLOR");
    const char *wanted = getenv("CLICOLOR");
    bool off = (refused != NULL && refused[0] != '\0') ||
               (wanted != NULL && strcmp(wanted, "0") == 0) || !hp_is_terminal(out);
    return off ? (hp_colours){"", "", "", "", ""}
               : (hp_colours){"\033[0m", "\033[1m", "\033[31m", "\033[33m", "\033[32m"};
}
