/*
 * Several records as one: shards of a run, or one engine each.
 *
 * Records belong together if the same kit made them (version, revision, record format), with the
 * same promises, seed and strictness, and if an engine that is in several is the same in each. The
 * machines may differ. No case of an engine may be in two of them: which result counted would be
 * chance, and a failure could hide behind a later pass.
 */
#ifndef HP_MERGE_H
#define HP_MERGE_H

#include "../runner/text.h"

/* One record, as read. */
typedef struct hp_run {
    char *path;
    json_t *header, *footer; /* footer NULL: the run was cut short */
    json_t *results, *stale; /* arrays, in the order of the record */
} hp_run;

void hp_run_free(hp_run *run);

/* Whether the runs belong together and do not overlap. Returns 0, or -1 with a message that names
 * two records and what is wrong. */
int hp_merge_check(const hp_run *runs, size_t count, hp_error *error);

/* A new header: the first one, with the engines of all, the sum of what was planned, and as not
 * installed only what no run had. */
json_t *hp_merge_headers(const hp_run *runs, size_t count);

/* New arrays of all results and of all stale lines. Each stale line once: every shard that reads an
 * expectation file meets it. */
json_t *hp_merge_results(const hp_run *runs, size_t count);
json_t *hp_merge_stale(const hp_run *runs, size_t count);

#endif
