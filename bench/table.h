/* The table that people read. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "options.h"
#include "summary.h"

#include <stdio.h>

/* Prints the results of the case `scenario`: a block per size, a row per selected peer, and what
 * the columns mean. `where` is a line about the machine. */
void bench_table_print(FILE *out, const char *scenario, const char *where,
    const bench_options *options, const bench_peers *peers, const bench_results *results);

#endif
