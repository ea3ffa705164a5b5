/* Records written by hand, for tests of what is made from them. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "report/model.h"

#include <stdio.h>

/* Profile "p": A (MUST documented, page one), B (MUST inferred, page two), C (SHOULD inferred, page
 * one); X is of another profile. Engine "e" version 1 has cases a: A, b: B, ab: A and B, c: C. */
#define FIXTURE_CLAUSE(id, profile, level, source, page)                                          \
    "{\"id\":\"" id "\",\"profile\":\"" profile "\",\"level\":\"" level "\",\"source\":\"" source \
    "\",\"page\":\"" page "\",\"sentence\":\"" id " holds.\"}"
#define FIXTURE_CLAUSES                                                                         \
    "\"clauses\":[" FIXTURE_CLAUSE("A", "p", "MUST", "documented", "one") "," FIXTURE_CLAUSE(   \
        "B", "p", "MUST", "inferred", "two") "," FIXTURE_CLAUSE("C", "p", "SHOULD", "inferred", \
        "one") "," FIXTURE_CLAUSE("X", "other", "MUST", "inferred", "x") "]"
#define FIXTURE_ENGINE(name, version)                                                    \
    "{\"engine\":\"" name "\",\"profile\":\"p\",\"version\":\"" version "\",\"cases\":[" \
    "{\"name\":\"a\",\"clauses\":[\"A\"]},{\"name\":\"b\",\"clauses\":[\"B\"]},"         \
    "{\"name\":\"ab\",\"clauses\":[\"A\",\"B\"]},{\"name\":\"c\",\"clauses\":[\"C\"]}]}"
/* A header with further members and one engine. */
#define FIXTURE_HEADER(members, engine) \
    "{\"type\":\"header\"," members FIXTURE_CLAUSES ",\"engines\":[" engine "]}\n"
#define HEADER FIXTURE_HEADER("", FIXTURE_ENGINE("e", "1"))
#define RESULT_OF(engine, name, result)                                                         \
    "{\"type\":\"result\",\"engine\":\"" engine "\",\"case\":\"" name "\",\"result\":\"" result \
    "\"}\n"
#define RESULT(name, result) RESULT_OF("e", name, result)
#define FOOTER "{\"type\":\"footer\"}\n"

/*
 * A record with one case per result, all of whose names, messages and reasons are odd: markup,
 * quotes, hashes, backslashes, backquotes, bars, several lines. The names of the cases are
 * FIXTURE_ODD_NAME followed by the name of the result. Valid until the next call.
 */
const char *fixture_odd_record(void);
#define FIXTURE_ODD_ENGINE "e<&\">'#"
#define FIXTURE_ODD_NAME "odd <&\">'# TODO \\ `*_|]]> "
#define FIXTURE_ODD_MESSAGE "first <line> & \"more\" # SKIP \\\n  ---\n  ...\nnot ok 1 - ```\n]]> |"

/* Writes `text` as a record to a file of its own below /tmp and gives its name, which the caller
 * frees after unlink(). */
char *fixture_file(const char *text);

/* Loads `text` as a record. Returns what hp_model_load() returns. */
int fixture_load(const char *text, hp_model *model, hp_error *error);

/* The same; the test fails if the record is no good. */
hp_model fixture_model(const char *text);

/* What a report's writer makes of the model; the caller frees it. */
char *fixture_render(
    const hp_model *model, int (*write)(const hp_model *model, FILE *out, hp_error *error));

#endif
