/*
 * What is measured. A case is one file and one row of the table in cases.c: it makes its sources,
 * has each peer back them up in rounds, and hands the measurements on.
 */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include "measure.h"
#include "options.h"

/* A run, as a case sees it. */
typedef struct bench_run {
    const bench_options *options;
    const bench_peers *peers;
    const char *work; /* an empty directory: leave it empty */
    int log;          /* descriptor for what engines print */
    bench_results results;
    /* Called with each measurement and verification when it is there; the other is NULL. */
    void (*record)(void *context, const bench_measurement *, const bench_verification *);
    void *context;
} bench_run;

/* Adds to the results, and tells the record. */
void bench_run_measured(bench_run *run, const bench_measurement *measurement);
void bench_run_verified(bench_run *run, const bench_verification *verification);

/* A line for who waits, on standard error. */
void bench_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether somebody has asked the run to stop. */
bool bench_interrupted(void);
void bench_interrupt(void); /* asks; may be called by a signal handler */

typedef struct bench_case {
    const char *name;
    const char *what;
    /* Bytes of disk that it needs at most. */
    uint64_t (*room)(const bench_run *run);
    /* Returns 0, also when backups failed; or -1 with a message when it could not measure. */
    int (*run)(bench_run *run, hp_error *error);
} bench_case;

/* Ends with NULL. */
extern const bench_case *const bench_cases[];

extern const bench_case bench_case_full;

#endif
