/*
 * Every legal state in which a power cut may leave a disk, and a verifier for each.
 *
 * A run is watched at each of its barriers: there the pending changes are most, and every state
 * that was legal since the last barrier is legal there. The disk is cloned there and the run goes
 * on; at its end each clone is crashed, and the verifier opens what is left. Whatever it looks at is decided then; so the states fall into
 * classes, one for each way in which a verification can go, and one verification stands for all
 * states of its class. That is exact as long as the verifier is deterministic, which is checked.
 *
 * A point with more classes than the budget allows is covered by families instead: nothing lost,
 * everything lost, what was done before each change, one lost, one kept, then by chance from the
 * seed. The report counts such points apart: only what was exhausted is called so.
 *
 * Crashes of the verification itself are tried to the depth that the options say: at each of its
 * own barriers, on the disk as it then is.
 */
#ifndef FAULT_CRASH_H
#define FAULT_CRASH_H

#include <stdio.h>

#include "../disk/disk.h"

/*
 * Verifies what a crash has left, by opening it as its owner would. `state` is the run's as it was
 * at that barrier: what had been acknowledged. `depth` is 1 for a crash of the run, 2 for one of a
 * verification. 0: it holds. Anything else is a violation; words into `why` (FAULT_WHY bytes).
 */
#define FAULT_WHY 400
typedef int (*fault_verify_fn)(
    void *context, const void *state, fault_disk *disk, unsigned depth, char *why);

typedef struct fault_crash_options {
    fault_verify_fn verify;
    void *context;
    const void *state; /* of the run, copied at each barrier; borrowed; may be NULL */
    size_t state_size; /* bytes */
    unsigned depth;    /* crashes one after the other; 0, 1: verifications are not interrupted */
    uint64_t budget;   /* verifications per point before families take over; 0: 4,096 */
    uint64_t seed;     /* of the families' random members */
    uint32_t shard, shards; /* points are dealt out: this one takes those with number % shards ==
                               shard; shards 0: all */
    const char *replay; /* only this: what a report gave as `first`; NULL: everything. Borrowed */
} fault_crash_options;

/* A violation's place: points and answers, "17:0110" or, of a crash of a verification,
 * "17:0110/3:01". */
#define FAULT_PLACE 1000

typedef struct fault_crash_report {
    uint64_t points;      /* at which the power was cut, those in verifications too */
    uint64_t exhausted;   /* of them: every class of states was verified */
    uint64_t verified;    /* verifications */
    uint64_t nested;      /* of them: of a crash of a verification */
    double states;        /* legal states that they stand for (may be beyond 2^64) */
    double left;          /* legal states at points that were not exhausted */
    uint64_t nanoseconds; /* taken by verifications */
    uint64_t violations;
    char first[FAULT_PLACE]; /* where the first one was */
    char why[FAULT_WHY];     /* and its words */
} fault_crash_report;

typedef struct fault_crash fault_crash;

/* 0, ENOMEM, or EINVAL for a `replay` that is none. *out is NULL on failure. */
int fault_crash_new(const fault_crash_options *options, fault_crash **out);
void fault_crash_free(fault_crash *crash);

/* Keeps the disk as it is at each of its barriers from now on. */
void fault_crash_watch(fault_crash *crash, fault_disk *disk);
/* Keeps it once more as it is now, lets go of it, and verifies all that was kept. ENOMEM if memory
 * did not suffice for a point, which was then not tried. */
int fault_crash_finish(fault_crash *crash, fault_disk *disk);

const fault_crash_report *fault_crash_result(const fault_crash *crash);
/* "37 points, 36 of them exhausted: ..."; one line. */
void fault_crash_print(const fault_crash_report *report, FILE *to);

#endif
