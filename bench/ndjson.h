/*
 * The record of a run: one JSON object per line, written as things happen.
 *
 *   {"type":"header", ...}        once: machine, build, peers with their versions, options, seed
 *   {"type":"absent", ...}        a peer that was asked for and is not here
 *   {"type":"measurement", ...}   one backup
 *   {"type":"verification", ...}  one copy, opened and compared
 *   {"type":"summary", ...}       a peer at a size, durable or not: medians and ratios
 *   {"type":"footer", ...}        once: the exit status; without it the run was cut short
 *
 * Each function gives a new object.
 */
#ifndef BENCH_NDJSON_H
#define BENCH_NDJSON_H

#include "options.h"
#include "summary.h"

#include <jansson.h>

/* Takes over `machine`. */
json_t *bench_json_header(const bench_options *options, const bench_peers *peers, json_t *machine);
json_t *bench_json_absent(const bench_peer *peer);
json_t *bench_json_measurement(const bench_measurement *measurement);
json_t *bench_json_verification(const bench_verification *verification);
json_t *bench_json_summary(const bench_results *results, const bench_peers *peers,
    const bench_selection *selection, const bench_peer *peer);
json_t *bench_json_footer(int exit_status);

#endif
