/* Measuring: see measure.h. */
#include "measure.h"

#include "files.h"
#include "process.h"
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- results ---- */

/* An array of `count` items with room for one more. */
static void *longer(void *items, size_t count, size_t size)
{
    void *more = realloc(items, (count + 1) * size);
    if (more == NULL) {
        hp_out_of_memory();
    }
    return more;
}

void bench_results_add(bench_results *results, const bench_measurement *measurement)
{
    results->measurements =
        longer(results->measurements, results->measurement_count, sizeof *measurement);
    results->measurements[results->measurement_count++] = *measurement;
}

void bench_results_add_verification(bench_results *results, const bench_verification *verification)
{
    results->verifications =
        longer(results->verifications, results->verification_count, sizeof *verification);
    results->verifications[results->verification_count++] = *verification;
}

void bench_results_free(bench_results *results)
{
    free(results->measurements);
    free(results->verifications);
    *results = (bench_results){0};
}

/* ---- sources ---- */

int bench_source_make(const bench_peer *peer, const char *home, unsigned size_mib, uint64_t seed,
    int log, bench_source *source, hp_error *error)
{
    *source = (bench_source){.peer = peer, .home = hp_format("%s", home)};
    if (mkdir(home, 0755) != 0) {
        return hp_fail(error, "%s: %s", home, strerror(errno));
    }
    char *bytes = hp_format("%" PRIu64, (uint64_t)size_mib << 20);
    char *seed_text = hp_format("%" PRIu64, seed);
    const char *const arguments[] = {"load", peer->module, home, bytes, seed_text, NULL};
    bench_process process = bench_process_run(bench_peer_is_plain(peer), arguments, log);
    bench_tree tree = {0};
    int status = 0;
    if (process.outcome != BENCH_DONE) {
        status = hp_fail(error, "%s: %u MiB: %s", peer->name, size_mib, process.words);
    } else {
        int failed = bench_tree_measure(home, &tree);
        status = failed == 0 ? 0 : hp_fail(error, "%s: %s", home, strerror(failed));
    }
    source->records = bench_report_number(&process, "records");
    source->bytes = tree.bytes;
    source->files = tree.files;
    bench_process_free(&process);
    free(bytes);
    free(seed_text);
    return status;
}

void bench_source_free(bench_source *source)
{
    free(source->home);
    *source = (bench_source){0};
}

/* ---- one backup ---- */

int bench_measure(const bench_peer *peer, const bench_source *source, const char *target, int log,
    bench_measurement *m, hp_error *error)
{
    const char *sync = m->durable ? "1" : "0";
    const char *const backup[] = {"backup", peer->module, source->home, target, sync, NULL};
    const char *const copy[] = {"copy", source->home, target, sync, NULL};
    bench_process process =
        bench_process_run(bench_peer_is_plain(peer), peer->module != NULL ? backup : copy, log);
    bench_tree tree = {0};
    int status = 0;
    if (process.outcome == BENCH_BROKEN) {
        status = hp_fail(error, "%s: %u MiB: %s", peer->name, m->size_mib, process.words);
    } else if (process.outcome == BENCH_FAILED) {
        m->failed = true;
        snprintf(m->words, sizeof m->words, "%.500s", process.words);
    } else {
        int failed = bench_tree_measure(target, &tree);
        status = failed == 0 ? 0 : hp_fail(error, "%s: %s", target, strerror(failed));
        m->wall_ns = bench_report_number(&process, "wall_ns");
        m->cpu_ns = bench_report_number(&process, "cpu_ns");
        m->idle_kib = bench_report_number(&process, "idle_kib");
        m->peak_kib = process.peak_kib;
        m->bytes = tree.bytes;
        m->files = tree.files;
        m->live_bytes = source->records * (BENCH_KEY_SIZE + BENCH_VALUE_SIZE);
    }
    bench_process_free(&process);
    return status;
}

int bench_verify(const bench_source *source, const char *target, uint64_t seed, int log,
    bench_verification *v, hp_error *error)
{
    char *records = hp_format("%" PRIu64, source->records);
    char *seed_text = hp_format("%" PRIu64, seed);
    const char *const arguments[] = {
        "verify", source->peer->module, target, records, seed_text, NULL};
    bench_process process = bench_process_run(bench_peer_is_plain(source->peer), arguments, log);
    int status = 0;
    if (process.outcome == BENCH_BROKEN) {
        status = hp_fail(error, "%s: verifying: %s", v->peer, process.words);
    }
    v->failed = process.outcome == BENCH_FAILED;
    snprintf(v->words, sizeof v->words, "%.500s", process.words);
    bench_process_free(&process);
    free(records);
    free(seed_text);
    return status;
}
