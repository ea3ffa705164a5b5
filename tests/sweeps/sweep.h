/*
 * The three sweeps of the reference engine, each over one scenario: every operation fails in every
 * way, every allocation fails, the power goes in every way.
 *
 * What must hold: commits that were acknowledged are there, of any other all or nothing; a failed
 * backup says so, and one that did not fail restores to a commit inside its window; a source is
 * never harmed; when the fault is over the same process goes on, or opens again where the
 * environment has ended, and the next backup is good.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "scenario.h"

typedef struct sweep_options {
    fault_profile profile;
    uint64_t seed;
    unsigned depth;  /* power: crashes one after the other */
    uint64_t budget; /* power: verifications per point; 0: the default */
    uint32_t shard, shards;
    const char *plan;   /* errors: only this one; NULL: all */
    const char *trace;  /* errors, with `plan`: the file that the work's trace goes to */
    const char *replay; /* power: only this place; NULL: all */
    uint64_t nth;       /* memory: only this allocation; 0: all */
    bool few;           /* errors: of each class of operation one errno instead of all */
    bool verbose;       /* a line for each run */
} sweep_options;

typedef struct sweep_result {
    uint64_t points; /* operations or allocations that were made to fail; barriers */
    uint64_t runs;
    uint64_t violations;
} sweep_result;

/* Each prints a line for each violation, with the command that shows it again, and adds to *result.
 * 0, or an errno value when the sweep itself failed. */
int sweep_errors(const scenario *what, const sweep_options *options, sweep_result *result);
int sweep_memory(const scenario *what, const sweep_options *options, sweep_result *result);
int sweep_power(const scenario *what, const sweep_options *options, sweep_result *result);

/* The first operation or allocation of the shard, and the distance to its next: a shard ends where
 * one of its own does not come up any more. */
uint64_t sweep_first(const sweep_options *options);
uint64_t sweep_step(const sweep_options *options);

/* The scenario's disk, prepared and durable. */
int sweep_prepare(const scenario *what, const sweep_options *options, world *master);

/*
 * Sees what a disturbed run has left, with the fault gone: what a power cut now would leave, all
 * lost and all kept; whether the process goes on, commits and backs up; what must hold after
 * closing. `error` is what the run gave. 0, or SWEEP_WRONG with words.
 */
int sweep_aftermath(const scenario *what, world *w, int error, char *why);

void sweep_violation(const scenario *what, const char *how, const char *why);

#endif
