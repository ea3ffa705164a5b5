/*
 * Every legal state in which a power cut may leave a disk, and a verifier for each.
 *
 * A run is watched at each of its barriers: there the pending changes are most, and every state
 * that was legal since the last barrier is legal there. At such a point the disk is crashed, and
 * the verifier opens what is left. Whatever it looks at is decided then; so the states fall into
 * classes, one for each way in which a verification can go, and one verification stands for all
 * states of its class. That is exact as long as the verifier is deterministic, which is checked.
 *
 * A point with more classes than the budget allows is covered by families instead: nothing lost,
 * everything lost, all prefixes, one lost, one kept, then at random by the seed. The report counts
 * such points apart: `exhaustive` is only what was exhausted.
 *
 * Crashes of the verification itself are tried to the depth that the options say: at each of its
 * own barriers, on the disk as it then is.
 */
#ifndef FAULT_CRASH_H
#define FAULT_CRASH_H

#include "../disk/disk.h"

/*
 * Verifies what a crash has left, by opening it as its owner would. `depth` is 1 for a crash of the
 * run, 2 for one of a verification. 0: it holds. Anything else is a violation; words into `why`
 * (FAULT_WHY bytes).
 */
#define FAULT_WHY 400
typedef int (*fault_verify_fn)(void *context, fault_disk *disk, unsigned depth, char *why);

typedef struct fault_crash_options {
    fault_verify_fn verify;
    void *context;
    unsigned depth;  /* crashes one after the other; 1: verifications are not interrupted */
    uint64_t budget; /* verifications per point before families take over; 0: 4,096 */
    uint64_t seed;
    uint32_t shard, shards; /* points are dealt out: this one takes those with number % shards ==
                               shard; shards 0: all */
} fault_crash_options;

typedef struct fault_crash_report {
    uint64_t points;    /* at which the power was cut */
    uint64_t exhausted; /* of them: every class of states verified */
    uint64_t verified;  /* verifications */
    double states;      /* legal states that they stand for (may be beyond 2^64) */
    uint64_t nested;    /* verifications of crashes of verifications, among `verified` */
    uint64_t violations;
    uint64_t nanoseconds;
    uint64_t first_point;    /* of the first violation, from 1 */
    char first_choices[256]; /* its answers, in a form that fault_crash_replay() takes */
    char why[FAULT_WHY];
} fault_crash_report;

typedef struct fault_crash fault_crash;

int fault_crash_new(const fault_crash_options *options, fault_crash **out);
void fault_crash_free(fault_crash *crash);
/* Watches the disk's barriers from now on; and its end, which is a point of its own. */
void fault_crash_watch(fault_crash *crash, fault_disk *disk);
void fault_crash_finish(fault_crash *crash, fault_disk *disk);
const fault_crash_report *fault_crash_result(const fault_crash *crash);

#endif
