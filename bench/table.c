/* The table that people read: see table.h. */
#include "table.h"

#include "../conformance/report/colour.h"

#include <inttypes.h>
#include <string.h>

typedef struct printing {
    FILE *out;
    hp_colours colours;
    const char *scenario;
    const bench_peers *peers;
    const bench_results *results;
} printing;

enum { NAME = 14, RATIO = 19, HALF = 6 + 2 + RATIO + 1 + 9 };

static void spread_text(bench_spread spread, char *text, size_t size)
{
    if (spread.count == 0) {
        snprintf(text, size, "-");
    } else {
        snprintf(text, size, "%.2f (%.2f..%.2f)", spread.median, spread.least, spread.most);
    }
}

/* The program that all are compared with, or NULL if it was not measured. */
static const char *base_of(const printing *p)
{
    for (size_t i = 0; i < p->peers->count; i++) {
        const bench_peer *peer = &p->peers->items[i];
        if (peer->module == NULL && bench_peer_runs(peer)) {
            return peer->name;
        }
    }
    return NULL;
}

static void print_heading(const printing *p, unsigned mib)
{
    char title[64], base[32];
    const char *name = base_of(p);
    snprintf(title, sizeof title, "%u MiB", mib);
    snprintf(base, sizeof base, "of %s", name != NULL ? name : "cp");
    fprintf(p->out, "\n%s%-*s   %-*s   %s%s\n", p->colours.bold, NAME, title, HALF, "durable",
        "not durable", p->colours.plain);
    fprintf(p->out, "%-*s", NAME, "");
    for (int i = 0; i < 2; i++) {
        fprintf(p->out, "   %6s  %-*s %9s", "MiB/s", RATIO, base, "CPU s/GiB");
    }
    fprintf(p->out, "   %8s %6s %8s %5s  %s\n", "peak MiB", "above", "copied", "live", "verified");
}

static void print_half(const printing *p, const bench_selection *selection, const char *peer)
{
    char ratio[64] = "";
    const char *base = base_of(p);
    bench_row row = bench_summarise(p->results, selection, peer);
    if (row.mib_per_s.count == 0) {
        fprintf(p->out, "   %6s  %-*s %9s", "-", RATIO, "-", "-");
        return;
    }
    if (base != NULL && strcmp(base, peer) == 0) {
        snprintf(ratio, sizeof ratio, "1");
    } else {
        spread_text(bench_compare(p->results, selection, peer, base != NULL ? base : ""), ratio,
            sizeof ratio);
    }
    fprintf(p->out, "   %6.0f  %-*s %9.2f", row.mib_per_s.median, RATIO, ratio,
        row.cpu_s_per_gib.median);
}

static void print_verdict(const printing *p, const bench_row *row)
{
    switch (row->verdict) {
    case BENCH_VERIFIED:
        fprintf(p->out, "%syes%s\n", p->colours.green, p->colours.plain);
        break;
    case BENCH_WRONG:
        fprintf(p->out, "%sWRONG: %s%s\n", p->colours.red, row->wrong, p->colours.plain);
        break;
    case BENCH_NOT_VERIFIED:
        fprintf(p->out, "no\n");
        break;
    }
}

static void print_peer(const printing *p, unsigned mib, const bench_peer *peer)
{
    char title[64];
    bench_selection durable = {.scenario = p->scenario, .size_mib = mib, .durable = true};
    bench_selection loose = {.scenario = p->scenario, .size_mib = mib};
    bench_row row = bench_summarise(p->results, &durable, peer->name);
    bench_row other = bench_summarise(p->results, &loose, peer->name);
    snprintf(title, sizeof title, "%s %s", peer->name, peer->version);
    fprintf(p->out, "%-*s", NAME, title);
    const char *failure = row.failure != NULL ? row.failure : other.failure;
    if (peer->absent != NULL) {
        fprintf(p->out, "   %s\n", peer->absent);
    } else if (failure != NULL) {
        fprintf(p->out, "   %sFAILED: %s%s\n", p->colours.red, failure, p->colours.plain);
    } else if (row.mib_per_s.count == 0 && other.mib_per_s.count == 0) {
        fprintf(p->out, "   not measured\n");
    } else {
        print_half(p, &durable, peer->name);
        print_half(p, &loose, peer->name);
        fprintf(p->out, "   %8.1f %6.1f %8.1f %4.0f%%  ", row.peak_mib, row.above_idle_mib,
            (double)row.bytes / 1048576.0,
            row.bytes > 0 ? 100 * (double)row.live_bytes / (double)row.bytes : 0);
        print_verdict(p, &row);
    }
}

static void print_pair(
    const printing *p, unsigned mib, const bench_peer *peer, const bench_peer *base)
{
    char title[64], durable[64], loose[64];
    bench_selection selection = {.scenario = p->scenario, .size_mib = mib, .durable = true};
    spread_text(
        bench_compare(p->results, &selection, peer->name, base->name), durable, sizeof durable);
    selection.durable = false;
    spread_text(bench_compare(p->results, &selection, peer->name, base->name), loose, sizeof loose);
    snprintf(title, sizeof title, "%s / %s", peer->name, base->name);
    fprintf(
        p->out, "%-*s   %6s  %-*s %9s   %6s  %s\n", NAME, title, "", RATIO, durable, "", "", loose);
}

/* How the engines compare with one another: each with those above it. */
static void print_pairs(const printing *p, unsigned mib)
{
    for (size_t i = 0; i < p->peers->count; i++) {
        for (size_t k = 0; k < i; k++) {
            const bench_peer *peer = &p->peers->items[i], *base = &p->peers->items[k];
            if (peer->module != NULL && base->module != NULL && bench_peer_runs(peer) &&
                bench_peer_runs(base)) {
                print_pair(p, mib, peer, base);
            }
        }
    }
}

static void print_legend(const printing *p)
{
    fprintf(p->out,
        "\n"
        "MiB/s      median; of the bytes really copied, which differ from engine to engine\n"
        "of X, X/Y  how many times as fast: median (least..most) of the pairs within a round\n"
        "durable    every file and directory of the copy is on the disk when the clock stops: ");
    const char *separator = "";
    bool any = false;
    for (size_t i = 0; i < p->peers->count; i++) {
        const bench_peer *peer = &p->peers->items[i];
        if (bench_peer_runs(peer) && peer->syncs) {
            fprintf(p->out, "%s%s", separator, peer->name);
            separator = ", ";
            any = true;
        }
    }
    fprintf(p->out, "%s\n", any ? " syncs by itself" : "hotbench");
    if (any) {
        fprintf(p->out,
            "           always, so it is durable in both columns; for the others hotbench "
            "syncs, within the time\n");
    }
    fprintf(p->out,
        "CPU        user and system time of the backup and of that sync\n"
        "peak       memory of the process that backs up; above: what it had before the call\n"
        "copied     MiB of the copy; live: the part of it that is keys and values\n"
        "verified   a copy was opened and every record compared with what was stored\n");
}

void bench_table_print(FILE *out, const char *scenario, const char *where,
    const bench_options *options, const bench_peers *peers, const bench_results *results)
{
    printing p = {.out = out,
        .colours = hp_colours_for(out),
        .scenario = scenario,
        .peers = peers,
        .results = results};
    fprintf(out, "%s\n", where);
    for (size_t i = 0; i < options->size_count; i++) {
        print_heading(&p, options->sizes[i]);
        for (size_t k = 0; k < peers->count; k++) {
            if (peers->items[k].selected) {
                print_peer(&p, options->sizes[i], &peers->items[k]);
            }
        }
        print_pairs(&p, options->sizes[i]);
    }
    print_legend(&p);
}
