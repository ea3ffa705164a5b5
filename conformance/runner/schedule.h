/* Running the selected cases, several at a time. */
#ifndef HP_SCHEDULE_H
#define HP_SCHEDULE_H

#include "record.h"

/* One case to run. */
typedef struct hp_task {
    const hp_engine_info *engine;
    const hp_known_case *one;
    const hp_departure *departure;
    unsigned repetition;
} hp_task;

typedef struct hp_schedule {
    const hp_task *tasks;
    size_t task_count;
    const hp_check_options *options;
    hp_record *record;
    const char *work;
    /* Filled by hp_schedule_run(). */
    size_t counts[HP_RESULT_COUNT];
    size_t kept; /* directories of cases that were not removed */
    int signal;  /* that interrupted the run, or 0 */
} hp_schedule;

/*
 * Runs all tasks and records each as it ends. SIGINT, SIGTERM and SIGHUP end the run early: the
 * running cases are killed and not recorded. Returns 0, or -1 with a message if a process could not
 * be started; no case is left running in either case. Main thread only; the process adopts orphans
 * from now on.
 */
int hp_schedule_run(hp_schedule *schedule, hp_error *error);

#endif
