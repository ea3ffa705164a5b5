/* Command lines of the commands that know cases. A usage error ends the program with status 2. */
#ifndef HP_OPTIONS_H
#define HP_OPTIONS_H

#include "arguments.h"

#include <stdbool.h>

typedef struct hp_check_options {
    hp_strings engines, profiles, cases, clauses;
    unsigned jobs, repeat;
    const char *work;   /* directory below which the cases run; NULL: a temporary one */
    const char *out;    /* directory for records, logs and reports */
    const char *expect; /* directory of the expectation files */
    const char *rerun;  /* a record: only the cases that it calls surprises; NULL: all */
    const char *gdb;    /* the one case to run under the debugger; NULL: none */
    bool keep, fail_fast, list;
    bool strict; /* a SHOULD counts for the verdict as a MUST does */
    bool shuffle;
    uint64_t shuffle_seed;
    double timeout_scale;
    uint64_t seed;
    bool seed_given;
    char *command_line; /* for the record */
} hp_check_options;

/* argv[0] is the command's name. */
void hp_check_options_parse(int argc, char **argv, hp_check_options *options);
void hp_check_options_free(hp_check_options *options);

/* Of `hotproof clauses` and `hotproof errors`. */
typedef struct hp_clauses_options {
    hp_strings engines, profiles, clauses;
    bool check;
    const char *record; /* errors: the record whose results are shown; NULL: none */
} hp_clauses_options;

void hp_clauses_options_parse(int argc, char **argv, hp_clauses_options *options);
void hp_errors_options_parse(int argc, char **argv, hp_clauses_options *options);
void hp_clauses_options_free(hp_clauses_options *options);

#endif
