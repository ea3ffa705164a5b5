/* Command lines, by argp. A usage error ends the program with status 2. */
#ifndef HP_OPTIONS_H
#define HP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values of a repeatable option; the strings belong to argv. */
typedef struct hp_strings {
    char **items;
    size_t count;
} hp_strings;

typedef struct hp_check_options {
    hp_strings engines, profiles, cases, clauses;
    unsigned jobs, repeat;
    const char *work;   /* directory below which the cases run; NULL: a temporary one */
    const char *out;    /* directory for records, logs and reports */
    const char *expect; /* directory of the expectation files */
    bool keep, fail_fast, list;
    double timeout_scale;
    uint64_t seed;
    char *command_line; /* for the record */
} hp_check_options;

/* argv[0] is the command's name. */
void hp_check_options_parse(int argc, char **argv, hp_check_options *options);
void hp_check_options_free(hp_check_options *options);

/* Of `hotproof clauses` and `hotproof errors`. */
typedef struct hp_clauses_options {
    hp_strings engines, clauses;
    bool check;
    const char *record; /* errors: the record whose results are shown; NULL: none */
} hp_clauses_options;

void hp_clauses_options_parse(int argc, char **argv, hp_clauses_options *options);
void hp_errors_options_parse(int argc, char **argv, hp_clauses_options *options);
void hp_clauses_options_free(hp_clauses_options *options);

#endif
