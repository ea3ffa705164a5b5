/* What the measurements of a run come to: see summary.h. */
#include "summary.h"

#include <stdlib.h>
#include <string.h>

#define MIB 1048576.0
#define GIB 1073741824.0
#define SECOND 1e9

static bool is_of(const bench_measurement *m, const bench_selection *selection, const char *peer)
{
    return strcmp(m->scenario, selection->scenario) == 0 && strcmp(m->peer, peer) == 0 &&
           m->size_mib == selection->size_mib && m->durable == selection->durable;
}

static double rate(const bench_measurement *m)
{
    return m->failed || m->wall_ns == 0 ? 0 : (double)m->bytes / MIB * SECOND / (double)m->wall_ns;
}

static void set_verdict(bench_row *row, const bench_results *results,
    const bench_selection *selection, const char *peer)
{
    for (size_t i = 0; i < results->verification_count; i++) {
        const bench_verification *v = &results->verifications[i];
        if (strcmp(v->scenario, selection->scenario) == 0 && strcmp(v->peer, peer) == 0 &&
            v->size_mib == selection->size_mib) {
            row->verdict = v->failed ? BENCH_WRONG : BENCH_VERIFIED;
            row->wrong = v->failed ? v->words : NULL;
        }
    }
}

bench_row bench_summarise(
    const bench_results *results, const bench_selection *selection, const char *peer)
{
    enum { RATE, CPU, PEAK, ABOVE, COLUMNS };
    size_t count = results->measurement_count, found = 0;
    double *values = hp_allocate(count * COLUMNS, sizeof *values);
    double *columns[COLUMNS];
    bench_row row = {0};
    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i] = values + i * count;
    }
    for (size_t i = 0; i < count; i++) {
        const bench_measurement *m = &results->measurements[i];
        if (!is_of(m, selection, peer)) {
            continue;
        }
        if (m->failed) {
            row.failure = m->words;
            continue;
        }
        row.bytes = m->bytes;
        row.files = m->files;
        row.live_bytes = m->live_bytes;
        columns[RATE][found] = rate(m);
        columns[CPU][found] =
            m->bytes > 0 ? (double)m->cpu_ns / SECOND / ((double)m->bytes / GIB) : 0;
        columns[PEAK][found] = (double)m->peak_kib / 1024;
        columns[ABOVE][found++] =
            m->peak_kib > m->idle_kib ? (double)(m->peak_kib - m->idle_kib) / 1024 : 0;
    }
    row.mib_per_s = bench_spread_of(columns[RATE], found);
    row.cpu_s_per_gib = bench_spread_of(columns[CPU], found);
    row.peak_mib = bench_spread_of(columns[PEAK], found).median;
    row.above_idle_mib = bench_spread_of(columns[ABOVE], found).median;
    free(values);
    set_verdict(&row, results, selection, peer);
    return row;
}

bench_spread bench_compare(const bench_results *results, const bench_selection *selection,
    const char *peer, const char *base)
{
    unsigned rounds = 0;
    for (size_t i = 0; i < results->measurement_count; i++) {
        unsigned round = results->measurements[i].round;
        rounds = round > rounds ? round : rounds;
    }
    double *values = hp_allocate(rounds, sizeof *values);
    double *bases = hp_allocate(rounds, sizeof *bases);
    for (size_t i = 0; i < results->measurement_count; i++) {
        const bench_measurement *m = &results->measurements[i];
        if (is_of(m, selection, peer)) {
            values[m->round - 1] = rate(m);
        }
        if (is_of(m, selection, base)) {
            bases[m->round - 1] = rate(m);
        }
    }
    bench_spread spread = bench_ratios_of(values, bases, rounds);
    free(values);
    free(bases);
    return spread;
}

bool bench_any_failed(const bench_results *results)
{
    bool failed = false;
    for (size_t i = 0; i < results->measurement_count; i++) {
        failed = failed || results->measurements[i].failed;
    }
    for (size_t i = 0; i < results->verification_count; i++) {
        failed = failed || results->verifications[i].failed;
    }
    return failed;
}
