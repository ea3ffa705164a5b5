/*
 * The report as TAP 14, the Test Anything Protocol. One test point per result and per stale line.
 *
 *   PASS                       ok
 *   XFAIL                      not ok # TODO reason     a harness does not count it
 *   UNSUPPORTED, UNRESOLVED    ok # SKIP why
 *   all others, stale lines    not ok                   fails, as the gate does
 *
 * An XPASS is `not ok` without TODO: harnesses let `ok # TODO` pass. What did not pass carries a
 * YAML block. A run that was cut short keeps its plan and bails out.
 */
#ifndef HP_TAP_H
#define HP_TAP_H

#include "model.h"

#include <stdio.h>

/* Writes it to `out`. Returns 0; what could not be written shows in ferror(out). */
int hp_tap_write(const hp_model *model, FILE *out, hp_error *error);

#endif
