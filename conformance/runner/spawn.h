/* Starting, ending and cleaning up after the process of one case. */
#ifndef HP_SPAWN_H
#define HP_SPAWN_H

#include "engine.h"

#include <stdint.h>
#include <sys/types.h>

typedef struct hp_spawn_request {
    const hp_engine_info *engine;
    const hp_known_case *one;
    unsigned repetition; /* from 1 */
    uint64_t number;     /* of the case in this run: its mark on every process it starts */
    uint64_t seed;
    double timeout_scale;
    const char *work; /* the run's directory for cases */
    const char *logs; /* the run's directory for logs */
} hp_spawn_request;

typedef struct hp_process {
    pid_t pid;     /* leader of its own process group */
    int report_fd; /* a file in memory that collects the case's reports */
    uint64_t number;
    char *directory; /* WORK/ENGINE/CASE.REPETITION */
    char *log;       /* LOGS/ENGINE/CASE.REPETITION.log */
} hp_process;

/* Makes directory and log and starts the process. Returns 0, or -1 with a message; nothing is left
 * behind then. */
int hp_spawn(const hp_spawn_request *request, hp_process *process, hp_error *error);

/* The reports so far; the caller frees them. */
char *hp_process_reports(const hp_process *process);

/* Sends a signal to the case's whole process group. */
void hp_process_signal(const hp_process *process, int signal);

/* Ends every process that the case left behind: its group and, since the runner adopts orphans,
 * those that left the group. Called when the leader has ended, or is to be ended, and is not yet
 * reaped. Reaps the leader; returns its wait status, and in *strays the number of adopted processes
 * that had to be ended. `running` are all processes of cases, this one among them. */
int hp_process_finish(
    const hp_process *process, const hp_process *running, size_t running_count, unsigned *strays);

/* Removes the directory unless `keep`; closes and frees. */
void hp_process_release(hp_process *process, int keep);

#endif
