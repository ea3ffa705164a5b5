/* One record or several, read back and counted: what all reports are made from. */
#ifndef HP_MODEL_H
#define HP_MODEL_H

#include "../hp.h"
#include "../runner/result.h"
#include "../runner/text.h"
#include "merge.h"

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
    hp_run *runs; /* one per record */
    size_t run_count;
    char *path;              /* of the records, with commas between them */
    json_t *header;          /* of all runs in one: hp_merge_headers() */
    json_t *results, *stale; /* arrays, in the order of the records */
    bool complete;           /* no run was cut short, interrupted or failed */
    bool strict;             /* a SHOULD counts for the verdict */
    hp_engine_report *engines;
    size_t engine_count;
    hp_clause_entry *clauses; /* grouped by page and section */
    size_t clause_count;
} hp_model;

/* Reads the records in `paths` (files, or directories of runs) as one. Returns 0, or -1 with a
 * message: a file cannot be read, a line is none of a record, two records do not belong together
 * (merge.h). An unfinished last line is what a cut leaves and is passed over. `strict` is what the
 * runs were; it may be set afterwards. */
int hp_model_load_all(char *const *paths, size_t count, hp_model *model, hp_error *error);
int hp_model_load(const char *path, hp_model *model, hp_error *error);
void hp_model_free(hp_model *model);

/* The engine called `name`, or NULL. */
const hp_engine_report *hp_model_engine(const hp_model *model, const char *name);

/* The result of a case, the worst if it ran several times (a surprise before what was expected,
 * that before what was not asserted, and a pass last); NULL if it did not run. */
const json_t *hp_model_find(const hp_model *model, const char *engine, const char *name);

/* The result as enumerator. */
hp_result hp_model_result(const json_t *result);

/* The promise that a result is about: the one that was not held, else the first that the case is
 * listed for; NULL if the record knows neither. */
const hp_clause_entry *hp_model_clause(const hp_model *model, const json_t *result);

/* The clauses to count: those of a page and a section (NULL: of all), of these levels and sources
 * (bits 1u << level, 1u << source; 0: of all). */
typedef struct hp_filter {
    const char *page, *section;
    unsigned levels, sources;
} hp_filter;
hp_tally hp_model_count(
    const hp_model *model, const hp_engine_report *engine, const hp_filter *filter);

/* A clause of the engine that the verdict asks for (a MUST; if strict, a SHOULD too) and that is in
 * one of these states (bits 1u << state); `from` is where the search starts. Returns clause_count
 * if there is none. */
size_t hp_model_next_required(
    const hp_model *model, const hp_engine_report *engine, unsigned states, size_t from);

/* "conformant", "conformant except for what did not run", "not conformant"; the same with
 * "strictly" if strict. */
const char *hp_model_verdict(const hp_model *model, const hp_engine_report *engine);

/* "gate passed" or why not; valid until the next call. */
const char *hp_model_gate(const hp_engine_report *engine);

/* "MUST held: 5/6 documented, 3/3 inferred; SHOULD 1/2", and the number of unstable results if
 * there are any. The caller frees it. */
char *hp_model_held(const hp_engine_report *engine);

/* "held", "not run", "known departure", "not held", "-". */
const char *hp_model_state_name(hp_clause_state state);

/* Why a result is what it is: its message; for a pass that was not expected, what was. The caller
 * frees it. */
char *hp_model_reason(const json_t *result);

#endif
