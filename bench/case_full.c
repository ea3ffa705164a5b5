/*
 * The full hot backup of an idle environment whose files are in the page cache: durable and not,
 * every peer in every round, the order reversed from round to round so that a slow minute and the
 * neighbourhood of another peer fall on all alike.
 */
#include "cases.h"

#include "../conformance/runner/directory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One size under measurement. */
typedef struct sized {
    bench_run *run;
    unsigned mib;
    bench_source *sources; /* one per peer, in their order; no home: none */
    bool *out;             /* one per peer: not measured here, or failed */
    char *target;
} sized;

static bool makes_source(const bench_run *run, const bench_peer *peer)
{
    bool for_programs = false;
    for (size_t i = 0; i < run->peers->count; i++) {
        const bench_peer *other = &run->peers->items[i];
        for_programs = for_programs || (other->module == NULL && bench_peer_runs(other));
    }
    return peer->module != NULL &&
           (bench_peer_runs(peer) || (for_programs && peer == bench_peers_source(run->peers)));
}

/* The environment that the peer backs up: its own or, for a program, another's. */
static const bench_source *source_of(const sized *s, const bench_peer *peer)
{
    const bench_peer *maker = peer->module != NULL ? peer : bench_peers_source(s->run->peers);
    return &s->sources[maker - s->run->peers->items];
}

static uint64_t room(const bench_run *run)
{
    uint64_t largest = 0, sources = 0;
    for (size_t i = 0; i < run->options->size_count; i++) {
        largest = run->options->sizes[i] > largest ? run->options->sizes[i] : largest;
    }
    for (size_t i = 0; i < run->peers->count; i++) {
        sources += makes_source(run, &run->peers->items[i]);
    }
    /* A database and its log while it is being filled; one copy at a time. */
    return ((largest * 3 / 2 + 64) * (sources + 1)) << 20;
}

static int make_sources(sized *s, hp_error *error)
{
    const bench_run *run = s->run;
    for (size_t i = 0; i < run->peers->count; i++) {
        const bench_peer *peer = &run->peers->items[i];
        s->out[i] = !bench_peer_runs(peer);
        if (!makes_source(run, peer) || bench_interrupted()) {
            continue;
        }
        char *name = hp_directory_component(peer->name);
        char *home = hp_format("%s/%s", run->work, name);
        int status = bench_source_make(
            peer, home, s->mib, run->options->seed, run->log, &s->sources[i], error);
        free(name);
        free(home);
        if (status != 0) {
            return -1;
        }
        bench_progress("%u MiB: %s: %" PRIu64 " records, %.1f MiB in %" PRIu64 " files", s->mib,
            peer->name, s->sources[i].records, (double)s->sources[i].bytes / 1048576.0,
            s->sources[i].files);
    }
    return 0;
}

static int measure_one(sized *s, size_t index, bench_measurement *m, hp_error *error)
{
    bench_run *run = s->run;
    const bench_peer *peer = &run->peers->items[index];
    const bench_source *source = source_of(s, peer);
    int status = bench_measure(peer, source, s->target, run->log, m, error);
    if (status == 0 && !bench_interrupted()) {
        bench_run_measured(run, m);
        if (m->failed) {
            s->out[index] = true;
            bench_progress("%u MiB: %s: the backup failed: %s", s->mib, peer->name, m->words);
        } else if (m->round == 1 && m->durable) {
            bench_verification v = {
                .scenario = m->scenario, .peer = m->peer, .size_mib = m->size_mib};
            status = bench_verify(source, s->target, run->options->seed, run->log, &v, error);
            if (status == 0 && !bench_interrupted()) {
                bench_run_verified(run, &v);
            }
            if (status == 0 && v.failed) {
                bench_progress("%u MiB: %s: the copy is wrong: %s", s->mib, peer->name, v.words);
            }
        }
    }
    if (hp_directory_remove(s->target) != 0 && status == 0) {
        status = hp_fail(error, "%s: %s", s->target, strerror(errno));
    }
    return status;
}

static int measure_round(sized *s, unsigned round, bool durable, hp_error *error)
{
    size_t count = s->run->peers->count;
    unsigned position = 0;
    for (size_t i = 0; i < count && !bench_interrupted(); i++) {
        size_t index = round % 2 == 1 ? i : count - 1 - i;
        if (s->out[index]) {
            continue;
        }
        bench_measurement m = {
            .scenario = bench_case_full.name,
            .peer = s->run->peers->items[index].name,
            .size_mib = s->mib,
            .durable = durable,
            .round = round,
            .position = ++position,
        };
        if (measure_one(s, index, &m, error) != 0) {
            return -1;
        }
    }
    return 0;
}

static int measure_size(sized *s, hp_error *error)
{
    int status = make_sources(s, error);
    for (unsigned round = 1; round <= s->run->options->rounds && status == 0; round++) {
        if (bench_interrupted()) {
            break;
        }
        bench_progress("%u MiB: round %u of %u", s->mib, round, s->run->options->rounds);
        status = measure_round(s, round, true, error);
        status = status == 0 ? measure_round(s, round, false, error) : status;
    }
    return status;
}

static int run_sizes(bench_run *run, hp_error *error)
{
    int status = 0;
    for (size_t i = 0; i < run->options->size_count && status == 0; i++) {
        size_t count = run->peers->count;
        sized s = {
            .run = run,
            .mib = run->options->sizes[i],
            .sources = hp_allocate(count, sizeof *s.sources),
            .out = hp_allocate(count, sizeof *s.out),
            .target = hp_format("%s/copy", run->work),
        };
        status = measure_size(&s, error);
        for (size_t k = 0; k < count; k++) {
            if (s.sources[k].home != NULL) {
                hp_directory_remove(s.sources[k].home);
                bench_source_free(&s.sources[k]);
            }
        }
        free(s.sources);
        free(s.out);
        free(s.target);
    }
    return status;
}

const bench_case bench_case_full = {
    .name = "full",
    .what = "full hot backup of an idle environment in the page cache, durable and not",
    .room = room,
    .run = run_sizes,
};
