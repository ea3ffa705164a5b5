/*
 * The records of the benchmarks: keys in random order, values that cannot be compressed, both told
 * by a seed and a number, so that every record of a copy can be checked without remembering any.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "../conformance/hp_engine.h"

#include <stddef.h>
#include <stdint.h>

enum { BENCH_KEY_SIZE = 16, BENCH_VALUE_SIZE = 1000, BENCH_PAGE_SIZE = 4096 };

/* Record `number` of the seed. */
void bench_record(
    uint64_t seed, uint64_t number, uint8_t key[BENCH_KEY_SIZE], uint8_t value[BENCH_VALUE_SIZE]);

/*
 * Makes an environment in the directory `home`, which is empty: records 0 to *records - 1, as many
 * as it takes for the table to have about `bytes` bytes after a checkpoint; then some of them are
 * stored once more, so that there is log behind the checkpoint. Closes it. Returns 0, or -1 with a
 * message in `why` (size bytes).
 */
int bench_load(const hp_engine *engine, const char *home, uint64_t bytes, uint64_t seed,
    uint64_t *records, char *why, size_t size);

/* Whether the copy recovers and has just these records. Returns 0, or -1 with what is wrong in
 * `why`. */
int bench_check(const hp_engine *engine, const char *copy, uint64_t records, uint64_t seed,
    char *why, size_t size);

#endif
