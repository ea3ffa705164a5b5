/* Made-up results: two engines and cp, two rounds at 64 MiB, one of them not verified. */
#ifndef RESULTS_H
#define RESULTS_H

#include "bench/summary.h"

/* cp, "old" and "new" are here; "gone" is not; "ours" and the like are free for tests. */
extern const bench_peers test_peers;

/* Adds a backup of 64 MiB that took so many milliseconds. */
void add_measurement(
    bench_results *results, const char *peer, unsigned round, bool durable, unsigned milliseconds);
void add_failure(bench_results *results, const char *peer, const char *words);
void add_verification(bench_results *results, const char *peer, const char *wrong);

/* cp 100 and 200 ms, old 200 and 300 ms, new 50 and 400 ms, durable; all 100 ms, not durable; cp and
 * new verified. */
bench_results made_up_results(void);

#endif
