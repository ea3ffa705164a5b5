/* For tests of the whole program: runs hotproof on a module for tests and reads its record. */
#ifndef HARNESS_H
#define HARNESS_H

#include "runner/text.h"

#include <stdbool.h>

typedef struct kit_run {
    int status;              /* exit status, or -1 if it died of a signal */
    char *output;            /* what it printed, standard error included */
    json_t *header, *footer; /* NULL: not in the record */
    json_t *results, *stale; /* arrays */
} kit_run;

/* A fresh directory for a test, with `work`, `out` and `expect` in it; removed by kit_teardown().
 * cmocka fixtures. */
int kit_setup(void **state);
int kit_teardown(void **state);

/* A path below the test's directory. Valid until the next call. */
const char *kit_path(const char *name);

/* Writes an expectation file for `engine`. */
void kit_expect(const char *engine, const char *lines);

/* Runs `hotproof check` on the module called `module`, with the arguments after it up to NULL. */
kit_run kit_check(const char *module, ...) __attribute__((sentinel));

/* The same on a terminal of its own, 80 columns wide; the output has its \r and escapes. */
kit_run kit_check_on_terminal(const char *module, ...) __attribute__((sentinel));

/* Starts the same without waiting; kit_finish() waits and reads the record. */
int kit_start(const char *module, ...) __attribute__((sentinel));
kit_run kit_finish(int pid);

/* What the next runs read from standard input. */
void kit_input(const char *text);

/* Runs hotproof with these arguments only. */
kit_run kit_command(const char *first, ...) __attribute__((sentinel));
void kit_free(kit_run *run);

/* The result of a case; the test fails if there is none. */
const json_t *kit_result(const kit_run *run, const char *name);
void kit_assert_result(const kit_run *run, const char *name, const char *result);

/* Whether a process of a case of this test is alive: its environment names its directory. */
bool kit_case_is_alive(void);

/* "--engine=FILE" of the module called `module`, and the record of the last run, for commands.
 * Valid until the next call of the same. */
const char *kit_engine(const char *module);
const char *kit_record(void);

/* Number of entries in a directory below the test's. */
size_t kit_entries(const char *name);

#endif
