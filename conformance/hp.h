/*
 * What a conformance case may use.
 *
 * A case is a cmocka test function whose name is a sentence. It asserts with cmocka's macros and says which
 * documented promise it is asserting with hp_promise(); the runner does the rest: a process, a directory and a
 * time limit for each case, and the record. A case that never reached hp_promise() is VACUOUS, not green.
 *
 * Rules for a case:
 *   - Its current directory is its own, empty at the start, and the only place where it may write. It may change
 *     nothing outside and need not clean up.
 *   - It runs in a process of its own, in the main thread. Other threads hand their errors to the main thread,
 *     which asserts: cmocka's assertions leave by longjmp.
 *   - Setup and teardown use only what every engine must have. A setup step that fails is hp_unresolved(), not a
 *     failed promise.
 *   - It names no engine. What an engine may lack is asked with hp_unsupported().
 */
#ifndef HP_H
#define HP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* How binding a clause is. INFO clauses write down a decision where the documentation is silent. */
typedef enum hp_level { HP_MUST, HP_SHOULD, HP_MAY, HP_INFO } hp_level;

/* Where a clause comes from: said by the documentation, or inferred from it by us. */
typedef enum hp_source { HP_DOCUMENTED, HP_INFERRED } hp_source;

/*
 * Every clause of every profile, in the order of the tables:
 *   HP_CLAUSE(id, level, source, page, section, sentence)
 * A case names clauses by these enumerators, so a wrong id does not compile.
 */
typedef enum hp_clause_id {
#define HP_CLAUSE(id, level, source, page, section, sentence) HP_##id,
#include "clauses/berkeleydb.def"
#include "clauses/domino.def"
#undef HP_CLAUSE
    HP_CLAUSE_COUNT
} hp_clause_id;

/* Marks `clause` as being asserted from here on: a failure after this line is laid to its
 * charge. May be called several times, for several clauses or the same. The clause must be one
 * that the case's HP_CASE line names. Main thread only. */
void hp_promise(hp_clause_id clause);

/* Ends the case as UNSUPPORTED: the engine does not have what the case is about. `why` is shown
 * to the user. Main thread only. */
_Noreturn void hp_unsupported(const char *why, ...) __attribute__((format(printf, 1, 2)));

/* Ends the case as UNRESOLVED: it could not be brought to the point where the promise is
 * asserted (no root, no such file system, setup failed). Main thread only. */
_Noreturn void hp_unresolved(const char *why, ...) __attribute__((format(printf, 1, 2)));

/* A line for the case's log, shown with a failure. Any thread. */
void hp_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The seed of this run, for cases with random parts: the same seed gives the same choices. */
uint64_t hp_seed(void);

/* Factor by which the user stretched all time limits (1.0 = as written); multiply waits of your
 * own by it. */
double hp_timeout_scale(void);

/* One row of a file's case table. */
typedef struct hp_case {
    const char *name;            /* the sentence: the function's name */
    void (*run)(void **state);   /* cmocka test function */
    const hp_clause_id *clauses; /* the promises that it asserts */
    size_t clause_count;
    unsigned timeout_s; /* 0: the runner's default */
    const char *file;   /* source, for the report */
    int line;
} hp_case;

/* Rows of a case table: HP_CASE(function, clause, ...) and, with a time limit in seconds of its
 * own, HP_SLOW_CASE(function, seconds, clause, ...). A table ends with HP_CASE_END. */
#define HP_CASE(fn, ...) HP_SLOW_CASE(fn, 0, __VA_ARGS__)
#define HP_SLOW_CASE(fn, seconds, ...)                                                \
    {                                                                                 \
        .name = #fn, .run = (fn), .clauses = (const hp_clause_id[]){__VA_ARGS__},     \
        .clause_count = sizeof((hp_clause_id[]){__VA_ARGS__}) / sizeof(hp_clause_id), \
        .timeout_s = (seconds), .file = __FILE__, .line = __LINE__                    \
    }
#define HP_CASE_END  \
    {                \
        .name = NULL \
    }

#endif
