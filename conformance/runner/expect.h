/*
 * Known departures of an engine: expect/NAME.expect. One line each,
 *
 *     case | result | since | reason | reference
 *
 * `result` is FAIL, CRASH or TIMEOUT; or `unstable` and several results separated by commas, PASS
 * among them if need be, for behaviour that is not the same each time. `since` says when the line
 * was written or from which version it holds. `reason` is for the reader of the report.
 * `reference`, an address or a document, may be left out with its bar. Empty lines and lines that
 * start with # say nothing. A case that is listed still runs.
 */
#ifndef HP_EXPECT_H
#define HP_EXPECT_H

#include "engine.h"
#include "result.h"

typedef struct hp_departure {
    char *name, *since, *reason, *reference;
    unsigned results; /* bit 1u << hp_result */
    bool unstable;
    int line;
} hp_departure;

typedef struct hp_expectations {
    char *file;
    hp_departure *items;
    size_t count;
} hp_expectations;

/* Reads `file`; a file that does not exist is one without lines. Returns 0, or -1 with a message
 * that begins with FILE:LINE. */
int hp_expectations_read(const char *file, hp_expectations *expectations, hp_error *error);
void hp_expectations_free(hp_expectations *expectations);

/* The line for a case, or NULL. */
const hp_departure *hp_expectations_find(const hp_expectations *expectations, const char *name);

/* What a raw result is in the light of a line (NULL: none). */
hp_result hp_expectations_apply(const hp_departure *departure, hp_result raw);

#endif
