/*
 * Measuring, apart from reporting: one measurement is one backup, whole. Cases (cases.h) make them;
 * summaries and reports are made from them alone.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "peers.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct bench_measurement {
    const char *scenario; /* the case's name; borrowed */
    const char *peer;     /* borrowed */
    unsigned size_mib;
    bool durable;
    unsigned round;    /* from 1 */
    unsigned position; /* in the round's order, from 1 */
    bool failed;
    char words[512]; /* of a failure */
    /* The rest means nothing if it failed. */
    uint64_t wall_ns, cpu_ns;
    uint64_t bytes, files;       /* of the copy */
    uint64_t live_bytes;         /* of the keys and values that the source holds */
    uint64_t idle_kib, peak_kib; /* memory before the call, and the most */
} bench_measurement;

/* Whether a copy recovered and had every record of the source. */
typedef struct bench_verification {
    const char *scenario, *peer;
    unsigned size_mib;
    bool failed;
    char words[512];
} bench_verification;

typedef struct bench_results {
    bench_measurement *measurements;
    size_t measurement_count;
    bench_verification *verifications;
    size_t verification_count;
} bench_results;

void bench_results_add(bench_results *results, const bench_measurement *measurement);
void bench_results_add_verification(bench_results *results, const bench_verification *verification);
void bench_results_free(bench_results *results);

/* An environment to back up, made by the peer's own engine. */
typedef struct bench_source {
    const bench_peer *peer;
    char *home;
    uint64_t records, bytes, files;
} bench_source;

/* Makes it in the directory `home`, which is made. Returns 0, or -1 with a message. Free in each
 * case; the files stay. */
int bench_source_make(const bench_peer *peer, const char *home, unsigned size_mib, uint64_t seed,
    int log, bench_source *source, hp_error *error);
void bench_source_free(bench_source *source);

/* Backs up the source into `target`, which is not there, as `peer` does it. `m` has the first
 * members filled in and gets the others. Returns 0, also when the backup failed; or -1 with a
 * message when it could not be tried. The copy stays. */
int bench_measure(const bench_peer *peer, const bench_source *source, const char *target, int log,
    bench_measurement *m, hp_error *error);

/* Opens the copy in `target`, which is changed by that, and checks every record. Result as that of
 * bench_measure(). */
int bench_verify(const bench_source *source, const char *target, uint64_t seed, int log,
    bench_verification *v, hp_error *error);

#endif
