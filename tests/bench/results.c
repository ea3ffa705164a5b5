/* Made-up results: see results.h. */
#include "results.h"

#include <stdio.h>

static char cp[] = "cp", old[] = "old", new[] = "new", gone[] = "gone", what[] = "what it is",
            none[] = "", one[] = "1.0", file[] = "/lib/some.so",
            why[] = "not installed: apt install x";

static bench_peer peers[] = {
    {.name = cp, .what = what, .version = none, .build = none, .selected = true},
    {.name = old, .what = what, .version = one, .build = one, .module = file, .selected = true},
    {.name = new,
        .what = what,
        .version = one,
        .build = one,
        .module = file,
        .selected = true,
        .syncs = true},
    {.name = gone, .what = what, .version = none, .build = none, .absent = why, .selected = true},
};
const bench_peers test_peers = {.items = peers, .count = sizeof peers / sizeof peers[0]};

void add_measurement(
    bench_results *results, const char *peer, unsigned round, bool durable, unsigned milliseconds)
{
    const bench_measurement m = {
        .scenario = "full",
        .peer = peer,
        .size_mib = 64,
        .durable = durable,
        .round = round,
        .position = 1,
        .wall_ns = milliseconds * UINT64_C(1000000),
        .cpu_ns = milliseconds * UINT64_C(500000),
        .bytes = UINT64_C(64) << 20,
        .files = 3,
        .live_bytes = UINT64_C(32) << 20,
        .idle_kib = 2048,
        .peak_kib = 3072,
    };
    bench_results_add(results, &m);
}

void add_failure(bench_results *results, const char *peer, const char *words)
{
    bench_measurement m = {.scenario = "full",
        .peer = peer,
        .size_mib = 64,
        .durable = true,
        .round = 1,
        .position = 1,
        .failed = true};
    snprintf(m.words, sizeof m.words, "%s", words);
    bench_results_add(results, &m);
}

void add_verification(bench_results *results, const char *peer, const char *wrong)
{
    bench_verification v = {
        .scenario = "full", .peer = peer, .size_mib = 64, .failed = wrong != NULL};
    snprintf(v.words, sizeof v.words, "%s", wrong != NULL ? wrong : "");
    bench_results_add_verification(results, &v);
}

bench_results made_up_results(void)
{
    bench_results results = {0};
    static const struct {
        const char *peer;
        unsigned first, second;
    } durable[] = {{"cp", 100, 200}, {"old", 200, 300}, {"new", 50, 400}};
    for (size_t i = 0; i < sizeof durable / sizeof durable[0]; i++) {
        add_measurement(&results, durable[i].peer, 1, true, durable[i].first);
        add_measurement(&results, durable[i].peer, 1, false, 100);
        add_measurement(&results, durable[i].peer, 2, false, 100);
        add_measurement(&results, durable[i].peer, 2, true, durable[i].second);
    }
    add_verification(&results, "cp", NULL);
    add_verification(&results, "new", NULL);
    return results;
}
