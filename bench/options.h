/* The command line of hotbench. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "../conformance/runner/arguments.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct bench_options {
    unsigned rounds;
    unsigned *sizes; /* MiB */
    size_t size_count;
    hp_strings peers; /* empty: all */
    const char *dir, *out;
    uint64_t seed;
    bool list;
    char *command_line;
} bench_options;

/* Parses; a usage error or --help ends the program. Strings of argv are borrowed. */
void bench_options_parse(int argc, char **argv, bench_options *options);
void bench_options_free(bench_options *options);

enum {
    BENCH_EXIT_MEASURED = 0,
    BENCH_EXIT_FAILED = 1,
    BENCH_EXIT_USAGE = 2,
    BENCH_EXIT_BROKEN = 3,
    BENCH_EXIT_NOTHING = 4
};

#endif
