/*
 * The record of a run: append-only, one JSON object per line, written as things happen, so that a
 * run that was cut short leaves what it knew. Every report is made from the record alone.
 *
 *   {"type":"header", ...}   once: kit, engines with their cases, clauses, host, command line,
 * isolation
 *   {"type":"result", ...}   one per case and repetition
 *   {"type":"stale", ...}    a line of an expectation file whose case does not exist
 *   {"type":"footer", ...}   once: how the run ended; without it the run was cut short
 */
#ifndef HP_RECORD_H
#define HP_RECORD_H

#include "expect.h"
#include "options.h"
#include "result.h"

#include <stdio.h>

typedef struct hp_record {
    FILE *file;
    char *directory; /* OUT/START-PID: record.ndjson, report.html, log/ */
    char *path;
    char *logs;
    int failed; /* errno of the first write that failed */
} hp_record;

/* Makes the run's directory below `out`, points the link OUT/latest at it, opens the record.
 * Returns 0, or -1 with a message. */
int hp_record_open(const char *out, hp_record *record, hp_error *error);

/* Appends one object, which is released. */
void hp_record_write(hp_record *record, json_t *object);

/* Closes. Returns 0, or -1 with a message if any write failed. */
int hp_record_close(hp_record *record, hp_error *error);

/* The time of day as text, UTC. */
json_t *hp_record_now(void);

/* What is known before the first case: the header, and the stale lines. `selected` counts the cases
 * to run. */
typedef struct hp_record_start {
    const hp_check_options *options;
    const hp_engine_list *engines;
    const hp_expectations *expectations; /* one per engine */
    const char *work;
    size_t planned;
} hp_record_start;
void hp_record_header(hp_record *record, const hp_record_start *start);

/* One line per stale expectation of the engine; returns their number. */
size_t hp_record_stale(
    hp_record *record, const hp_engine_info *engine, const hp_expectations *expectations);

/* One finished case. */
typedef struct hp_record_result {
    const hp_engine_info *engine;
    const hp_known_case *one;
    const hp_departure *departure; /* NULL: none */
    const hp_judgement *judgement;
    hp_result result;
    unsigned repetition, strays;
    uint64_t seed;
    double duration_s, timeout_scale;
    const char *log;       /* its file */
    const char *log_tail;  /* its end, as text */
    const char *directory; /* NULL: removed */
} hp_record_result;
void hp_record_case(hp_record *record, const hp_record_result *result);

#endif
