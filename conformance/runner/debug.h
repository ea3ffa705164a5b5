/* One case under the debugger. */
#ifndef HP_DEBUG_H
#define HP_DEBUG_H

#include "spawn.h"

/*
 * Runs gdb (found by PATH) on the terminal, with the process of the case as it would be in a run:
 * its directory, environment, fences, seed; no time limit, no leak check. It is started and stopped
 * where the case begins, if the case is called like its function. The case's reports come to
 * standard error. Returns 0 when gdb has ended, whatever became of the case, or -1 with a message.
 * `directory` is the case's, for the caller to free; NULL if it was not made.
 */
int hp_debug_case(const hp_spawn_request *request, char **directory, hp_error *error);

#endif
