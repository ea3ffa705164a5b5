/*
 * The report as JUnit XML: one suite per engine, one testcase per result and per stale line.
 *
 *   PASS                          a testcase without more
 *   XFAIL                         skipped, with the reason as message: not a pass, not a failure
 *   UNSUPPORTED, UNRESOLVED       skipped, with why as message
 *   ERROR                         error
 *   all others, stale lines       failure of that type; XPASS among them
 *
 * The promises of a case are its properties "clause", its log is system-out. A run that was cut
 * short has an error of its own, so that nobody takes what is missing for green.
 */
#ifndef HP_JUNIT_H
#define HP_JUNIT_H

#include "model.h"

#include <stdio.h>

/* Writes it to `out`. Returns 0, or -1 with a message. */
int hp_junit_write(const hp_model *model, FILE *out, hp_error *error);

#endif
