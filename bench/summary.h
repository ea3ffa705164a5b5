/* What the measurements of a run come to: one row per peer, size and durability. Made of the
 * measurements alone. */
#ifndef BENCH_SUMMARY_H
#define BENCH_SUMMARY_H

#include "measure.h"
#include "stats.h"

typedef enum bench_verdict { BENCH_NOT_VERIFIED, BENCH_VERIFIED, BENCH_WRONG } bench_verdict;

/* Which measurements. */
typedef struct bench_selection {
    const char *scenario;
    unsigned size_mib;
    bool durable;
} bench_selection;

typedef struct bench_row {
    bench_spread mib_per_s; /* of bytes really copied; count is the number of rounds */
    bench_spread cpu_s_per_gib;
    double peak_mib, above_idle_mib; /* medians */
    uint64_t bytes, files;           /* of the last copy */
    uint64_t live_bytes;             /* of which keys and values */
    const char *failure;             /* words of the backup that failed; NULL: none did */
    bench_verdict verdict;
    const char *wrong; /* what is wrong with the copy; NULL: nothing */
} bench_row;

/* The row of the peer called `peer`. Its strings are those of `results`. */
bench_row bench_summarise(
    const bench_results *results, const bench_selection *selection, const char *peer);

/* How many times as fast as `base` the peer was, by pairs within a round. */
bench_spread bench_compare(const bench_results *results, const bench_selection *selection,
    const char *peer, const char *base);

/* Whether a backup failed or a copy was wrong. */
bool bench_any_failed(const bench_results *results);

#endif
