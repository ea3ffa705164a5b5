/* The command of a case: what is executed, with which environment, in which directory. The same for
 * the runner and for the debugger. */
#ifndef HP_COMMAND_H
#define HP_COMMAND_H

#include "spawn.h"

/* The descriptor on which the case's process reports. */
enum { HP_REPORT_FD = 3 };

typedef struct hp_case_command {
    char *directory; /* WORK/ENGINE/CASE.REPETITION, made and given to the case's user */
    char *program;
    char **argv, **environment; /* end with NULL */
} hp_case_command;

/* Makes the directory and the rest. Returns 0, or -1 with a message: there is nothing to free then. */
int hp_case_command_make(
    const hp_spawn_request *request, hp_case_command *command, hp_error *error);
void hp_case_command_free(hp_case_command *command);

/* "NAME=VALUE", in the environment of every process of a case, so that an orphan can be told from
 * another case's child. The caller frees it. */
char *hp_case_mark(uint64_t number);

/* Frees strings and their array, which ends with NULL. */
void hp_strings_list_free(char **strings);

#endif
