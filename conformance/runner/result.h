/*
 * What became of a case. The runner derives the raw result from the process's end and the case's
 * own reports; the expectation file then makes XFAIL or XPASS of it.
 */
#ifndef HP_RESULT_H
#define HP_RESULT_H

#include <stdbool.h>
#include <stddef.h>

/*   result      what it means                                                   surprise: fails the
 * gate */
#define HP_RESULT_MAP(X)                                                          \
    X(PASS, "every promise of the case was asserted and held", false)             \
    X(FAIL, "an assertion failed", true)                                          \
    X(XFAIL, "departs as the expectation file says", false)                       \
    X(XPASS, "passes, though the expectation file says it would not", true)       \
    X(UNSUPPORTED, "the engine lacks what the case is about", false)              \
    X(UNRESOLVED, "could not be brought to the point of asserting", false)        \
    X(CRASH, "the process died of a signal, or left before the case's end", true) \
    X(TIMEOUT, "did not end within its time limit", true)                         \
    X(VACUOUS, "ended well without asserting what it is listed for", true)        \
    X(ERROR, "the kit or the case itself is broken", true)

typedef enum hp_result {
#define X(name, meaning, surprise) HP_RESULT_##name,
    HP_RESULT_MAP(X)
#undef X
        HP_RESULT_COUNT
} hp_result;

const char *hp_result_name(hp_result result);
const char *hp_result_meaning(hp_result result);
bool hp_result_is_surprise(hp_result result);

/* The result called `name`, exactly; HP_RESULT_COUNT if there is none. */
hp_result hp_result_parse(const char *name, size_t length);

/* How the process of a case ended, with what it reported. */
typedef struct hp_ending {
    int wait_status;            /* of waitpid() */
    bool timed_out;             /* the runner ended it */
    const char *report;         /* all report lines, see hp_case.h */
    const char *log;            /* end of what it printed */
    const char *const *clauses; /* that the case is listed for */
    size_t clause_count;
} hp_ending;

/* The judgement. The strings are the caller's to free with hp_judgement_free(). */
typedef struct hp_judgement {
    hp_result raw;
    char *message; /* why, for the user; "" for a pass */
    char *where;   /* file:line of the assertion, or "" */
    char **marks;  /* promises reached, in order of first mark */
    size_t mark_count;
    const char *blame; /* the promise marked last before the end, or "" ; points into marks */
    int signal;        /* that ended the process, or 0 */
} hp_judgement;

void hp_judge(const hp_ending *ending, hp_judgement *judgement);
void hp_judgement_free(hp_judgement *judgement);

#endif
