/* The record of a run: see ndjson.h. */
#include "ndjson.h"

#include "../conformance/runner/host.h"
#include "../conformance/runner/record.h"

#include <stdlib.h>
#include <string.h>

static json_t *object_of(const char *type)
{
    json_t *object = json_object();
    json_object_set_new(object, "type", hp_json_text(type));
    return object;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, hp_json_text(text));
}

static void set_number(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static json_t *peer_json(const bench_peer *peer)
{
    json_t *object = json_object();
    set_text(object, "name", peer->name);
    set_text(object, "what", peer->what);
    set_text(object, "version", peer->version);
    set_text(object, "build", peer->build);
    set_text(object, "module", peer->module != NULL ? peer->module : "");
    json_object_set_new(object, "syncs_by_itself", json_boolean(peer->syncs));
    return object;
}

json_t *bench_json_header(const bench_options *options, const bench_peers *peers, json_t *machine)
{
    json_t *header = object_of("header"), *sizes = json_array(), *all = json_array();
    char *revision = hp_host_revision();
    for (size_t i = 0; i < options->size_count; i++) {
        json_array_append_new(sizes, json_integer(options->sizes[i]));
    }
    for (size_t i = 0; i < peers->count; i++) {
        if (bench_peer_runs(&peers->items[i])) {
            json_array_append_new(all, peer_json(&peers->items[i]));
        }
    }
    set_number(header, "format", 1);
    set_text(header, "hotproof", HOTPROOF_VERSION);
    set_text(header, "revision", revision);
    set_text(header, "build", HOTPROOF_BUILD);
    json_object_set_new(header, "started", hp_record_now());
    set_text(header, "command", options->command_line);
    set_number(header, "seed", options->seed);
    set_number(header, "rounds", options->rounds);
    json_object_set_new(header, "sizes_mib", sizes);
    set_text(header, "directory", options->dir);
    json_object_set_new(header, "machine", machine);
    json_object_set_new(header, "peers", all);
    free(revision);
    return header;
}

json_t *bench_json_absent(const bench_peer *peer)
{
    json_t *object = object_of("absent");
    set_text(object, "peer", peer->name);
    set_text(object, "why", peer->absent);
    return object;
}

json_t *bench_json_measurement(const bench_measurement *m)
{
    json_t *object = object_of("measurement");
    set_text(object, "case", m->scenario);
    set_text(object, "peer", m->peer);
    set_number(object, "size_mib", m->size_mib);
    json_object_set_new(object, "durable", json_boolean(m->durable));
    set_number(object, "round", m->round);
    set_number(object, "position", m->position);
    if (m->failed) {
        set_text(object, "failure", m->words);
        return object;
    }
    set_number(object, "wall_ns", m->wall_ns);
    set_number(object, "cpu_ns", m->cpu_ns);
    set_number(object, "bytes", m->bytes);
    set_number(object, "files", m->files);
    set_number(object, "live_bytes", m->live_bytes);
    set_number(object, "idle_kib", m->idle_kib);
    set_number(object, "peak_kib", m->peak_kib);
    return object;
}

json_t *bench_json_verification(const bench_verification *v)
{
    json_t *object = object_of("verification");
    set_text(object, "case", v->scenario);
    set_text(object, "peer", v->peer);
    set_number(object, "size_mib", v->size_mib);
    json_object_set_new(object, "right", json_boolean(!v->failed));
    if (v->failed) {
        set_text(object, "wrong", v->words);
    }
    return object;
}

static json_t *spread_json(bench_spread spread)
{
    json_t *object = json_object();
    json_object_set_new(object, "median", json_real(spread.median));
    json_object_set_new(object, "least", json_real(spread.least));
    json_object_set_new(object, "most", json_real(spread.most));
    json_object_set_new(object, "count", json_integer((json_int_t)spread.count));
    return object;
}

static json_t *ratios_json(const bench_results *results, const bench_peers *peers,
    const bench_selection *selection, const bench_peer *peer)
{
    json_t *ratios = json_object();
    for (size_t i = 0; i < peers->count; i++) {
        const bench_peer *base = &peers->items[i];
        if (base != peer && bench_peer_runs(base)) {
            bench_spread spread = bench_compare(results, selection, peer->name, base->name);
            if (spread.count > 0) {
                json_object_set_new(ratios, base->name, spread_json(spread));
            }
        }
    }
    return ratios;
}

json_t *bench_json_summary(const bench_results *results, const bench_peers *peers,
    const bench_selection *selection, const bench_peer *peer)
{
    bench_row row = bench_summarise(results, selection, peer->name);
    json_t *object = object_of("summary");
    set_text(object, "case", selection->scenario);
    set_text(object, "peer", peer->name);
    set_number(object, "size_mib", selection->size_mib);
    json_object_set_new(object, "durable", json_boolean(selection->durable));
    set_text(object, "failure", row.failure != NULL ? row.failure : "");
    json_object_set_new(object, "verified",
        row.verdict == BENCH_NOT_VERIFIED ? json_null()
                                          : json_boolean(row.verdict == BENCH_VERIFIED));
    if (row.mib_per_s.count > 0) {
        json_object_set_new(object, "mib_per_s", spread_json(row.mib_per_s));
        json_object_set_new(object, "cpu_s_per_gib", spread_json(row.cpu_s_per_gib));
        json_object_set_new(object, "peak_mib", json_real(row.peak_mib));
        json_object_set_new(object, "above_idle_mib", json_real(row.above_idle_mib));
        set_number(object, "bytes", row.bytes);
        set_number(object, "files", row.files);
        set_number(object, "live_bytes", row.live_bytes);
    }
    json_object_set_new(object, "times_as_fast_as", ratios_json(results, peers, selection, peer));
    return object;
}

json_t *bench_json_footer(int exit_status)
{
    json_t *footer = object_of("footer");
    json_object_set_new(footer, "exit_status", json_integer(exit_status));
    json_object_set_new(footer, "ended", hp_record_now());
    return footer;
}
