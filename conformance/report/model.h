/* A record, read back and counted: what all reports are made from. */
#ifndef HP_MODEL_H
#define HP_MODEL_H

#include "../hp.h"
#include "../runner/result.h"
#include "../runner/text.h"

/* How an engine stands to a clause, best first: the worst of the clause's cases counts. */
typedef enum hp_clause_state {
    HP_STATE_HELD,    /* every case passed */
    HP_STATE_NOT_RUN, /* a case was not selected, or is UNSUPPORTED or UNRESOLVED */
    HP_STATE_DEPARTS, /* not held, as the expectation file says */
    HP_STATE_BROKEN,  /* not held, and a surprise */
    HP_STATE_FOREIGN, /* of another profile than the engine's */
    HP_STATE_COUNT
} hp_clause_state;

typedef struct hp_tally {
    size_t of[HP_STATE_COUNT];
    size_t total; /* without HP_STATE_FOREIGN */
} hp_tally;

typedef struct hp_engine_report {
    const char *name, *version, *profile;
    const json_t *about;
    size_t counts[HP_RESULT_COUNT];
    size_t unstable; /* results of departures that are not the same each time; also in counts */
    size_t stale, surprises; /* surprises include stale lines */
    hp_clause_state *states; /* one per clause */
    hp_tally tally[HP_INFO + 1][HP_INFERRED + 1];
} hp_engine_report;

typedef struct hp_clause_entry {
    const char *id, *page, *section, *sentence, *profile;
    hp_level level;
    hp_source source;
} hp_clause_entry;

typedef struct hp_model {
    char *path;
    json_t *header, *footer; /* footer NULL: the run was cut short */
    json_t *results, *stale; /* arrays, in the order of the record */
    hp_engine_report *engines;
    size_t engine_count;
    hp_clause_entry *clauses; /* grouped by page and section */
    size_t clause_count;
} hp_model;

/* Reads the record in `path`. Returns 0, or -1 with a message that names the line. An unfinished
 * last line is what a cut leaves and is passed over. */
int hp_model_load(const char *path, hp_model *model, hp_error *error);
void hp_model_free(hp_model *model);

/* The result of a case, the worst if it ran several times; NULL if it did not run. */
const json_t *hp_model_find(const hp_model *model, const char *engine, const char *name);

/* The result as enumerator. */
hp_result hp_model_result(const json_t *result);

/* A MUST of the engine that is in one of these states (bits 1u << state); `from` is where the
 * search starts. Returns clause_count if there is none. */
size_t hp_model_next_must(
    const hp_model *model, const hp_engine_report *engine, unsigned states, size_t from);

/* "conformant", "conformant except for what did not run", "not conformant". */
const char *hp_model_verdict(const hp_model *model, const hp_engine_report *engine);

/* "gate passed" or why not; valid until the next call. */
const char *hp_model_gate(const hp_engine_report *engine);

#endif
