/*
 * The half of the kit that lives inside a module: runs one case under cmocka and reports what it
 * does.
 *
 * Reports are lines on a file descriptor that the runner reads when the process is gone:
 *   begin                   the case is about to be called
 *   promise CLAUSE          hp_promise()
 *   unsupported WHY         hp_unsupported()
 *   unresolved WHY          hp_unresolved()
 *   end pass|fail|skip      cmocka's verdict
 *   error WHY               the kit could not run the case
 * A crash keeps the lines before it.
 */
#ifndef HP_CASE_H
#define HP_CASE_H

#include "hp.h"

typedef struct hp_case_run {
    int report_fd;
    uint64_t seed;
    double timeout_scale;
} hp_case_run;

/* Runs `one` in this process. Returns 0 if cmocka counted no failure, else 1: hand it to exit(),
 * which writes gcov's counts and lets the leak checker speak. Once per process, main thread only.
 */
int hp_case_run_one(const hp_case *one, const hp_case_run *run);

/* Appends a report line; newlines in the text become spaces. Any thread. */
void hp_case_report(int fd, const char *word, const char *text);

/* The name of a clause as the tables write it, or "?" for a number that is no clause. */
const char *hp_clause_name(hp_clause_id clause);

#endif
