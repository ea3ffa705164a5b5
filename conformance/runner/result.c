/* Results and how they are derived: see result.h. */
#include "result.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const struct {
    const char *name;
    const char *meaning;
    bool surprise;
} results[] = {
#define X(name, meaning, surprise) {#name, meaning, surprise},
    HP_RESULT_MAP(X)
#undef X
};

const char *hp_result_name(hp_result result)
{
    return results[result].name;
}

const char *hp_result_meaning(hp_result result)
{
    return results[result].meaning;
}

bool hp_result_is_surprise(hp_result result)
{
    return results[result].surprise;
}

hp_result hp_result_parse(const char *name, size_t length)
{
    int i = 0;
    while (i < HP_RESULT_COUNT &&
           (strlen(results[i].name) != length || strncmp(results[i].name, name, length) != 0)) {
        i++;
    }
    return (hp_result)i;
}

/* What the report lines say, as far as a verdict needs it. The strings are copies. */
typedef struct reports {
    char *unsupported, *unresolved, *error, *end;
} reports;

static void keep_first(char **slot, const char *text)
{
    if (*slot == NULL) {
        *slot = hp_format("%s", text);
    }
}

static void mark(hp_judgement *judgement, const char *clause)
{
    size_t i = 0;
    while (i < judgement->mark_count && strcmp(judgement->marks[i], clause) != 0) {
        i++;
    }
    if (i == judgement->mark_count) {
        judgement->marks =
            realloc(judgement->marks, (judgement->mark_count + 1) * sizeof *judgement->marks);
        if (judgement->marks == NULL) {
            abort();
        }
        judgement->marks[judgement->mark_count++] = hp_format("%s", clause);
    }
    judgement->blame = judgement->marks[i];
}

static void read_reports(const char *report, reports *out, hp_judgement *judgement)
{
    while (*report != '\0') {
        size_t length = strcspn(report, "\n");
        char *line = hp_format("%.*s", (int)length, report);
        char *text = strchr(line, ' ');
        if (text != NULL) {
            *text++ = '\0';
            if (strcmp(line, "promise") == 0) {
                mark(judgement, text);
            } else if (strcmp(line, "unsupported") == 0) {
                keep_first(&out->unsupported, text);
            } else if (strcmp(line, "unresolved") == 0) {
                keep_first(&out->unresolved, text);
            } else if (strcmp(line, "error") == 0) {
                keep_first(&out->error, text);
            } else if (strcmp(line, "end") == 0) {
                keep_first(&out->end, text);
            }
        }
        free(line);
        report += length + (report[length] == '\n');
    }
}

static const char *last_occurrence(const char *text, size_t length, const char *what)
{
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, what)) != NULL && at < text + length; at++) {
        found = at;
    }
    return found;
}

/* cmocka prints "[  ERROR   ] --- MESSAGE\n[   LINE   ] --- FILE:LINE: error: Failure!"; fail_msg()
 * prints its text as "ERROR: TEXT" in the line before. */
static void find_assertion(const char *log, hp_judgement *judgement)
{
    static const char line_mark[] = "[   LINE   ] --- ", error_mark[] = "[  ERROR   ] --- ";
    const char *line = last_occurrence(log, strlen(log), line_mark);
    if (line == NULL) {
        return;
    }
    const char *where = line + sizeof line_mark - 1;
    const char *end = strstr(where, ": error:");
    free(judgement->where);
    judgement->where =
        hp_format("%.*s", (int)(end != NULL ? (size_t)(end - where) : strcspn(where, "\n")), where);
    const char *error = last_occurrence(log, (size_t)(line - log), error_mark);
    if (error == NULL) {
        return;
    }
    const char *text = error + sizeof error_mark - 1;
    const char *stop = line;
    if (text == line) {
        const char *said = last_occurrence(log, (size_t)(error - log), "ERROR: ");
        text = said != NULL ? said + strlen("ERROR: ") : line;
        stop = said != NULL ? error : line;
    }
    while (stop > text && stop[-1] == '\n') {
        stop--;
    }
    free(judgement->message);
    judgement->message = hp_format("%.*s", (int)(stop - text), text);
}

static bool listed(const char *clause, const hp_ending *ending)
{
    for (size_t i = 0; i < ending->clause_count; i++) {
        if (strcmp(clause, ending->clauses[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The first promise marked that the case is not listed for, or NULL. */
static const char *foreign_mark(const hp_ending *ending, const hp_judgement *judgement)
{
    for (size_t i = 0; i < judgement->mark_count; i++) {
        if (!listed(judgement->marks[i], ending)) {
            return judgement->marks[i];
        }
    }
    return NULL;
}

/* Names of the listed promises that were never marked, separated by ", "; NULL if all were. */
static char *missing_marks(const hp_ending *ending, const hp_judgement *judgement)
{
    char *missing = NULL;
    for (size_t i = 0; i < ending->clause_count; i++) {
        bool reached = false;
        for (size_t k = 0; k < judgement->mark_count && !reached; k++) {
            reached = strcmp(ending->clauses[i], judgement->marks[k]) == 0;
        }
        if (!reached) {
            char *longer = missing == NULL ? hp_format("%s", ending->clauses[i])
                                           : hp_format("%s, %s", missing, ending->clauses[i]);
            free(missing);
            missing = longer;
        }
    }
    return missing;
}

static void conclude(hp_judgement *judgement, hp_result raw, char *message)
{
    free(judgement->message);
    judgement->raw = raw;
    judgement->message = message;
}

/* The case came to its end by itself and says that it passed. */
static void judge_pass(const hp_ending *ending, hp_judgement *judgement)
{
    int status = WIFEXITED(ending->wait_status) ? WEXITSTATUS(ending->wait_status) : 0;
    char *missing = missing_marks(ending, judgement);
    if (status != 0) {
        conclude(judgement, HP_RESULT_FAIL,
            hp_format("the process left with status %d after the case had passed "
                      "(leak or sanitizer report: see the log)",
                status));
    } else if (missing != NULL) {
        conclude(judgement, HP_RESULT_VACUOUS, hp_format("never asserted: %s", missing));
    } else {
        conclude(judgement, HP_RESULT_PASS, hp_format("%s", ""));
    }
    free(missing);
}

void hp_judge(const hp_ending *ending, hp_judgement *judgement)
{
    reports said = {0};
    *judgement =
        (hp_judgement){.message = hp_format("%s", ""), .where = hp_format("%s", ""), .blame = ""};
    read_reports(ending->report, &said, judgement);
    const char *end = said.end != NULL ? said.end : "";
    const char *foreign = foreign_mark(ending, judgement);
    if (WIFSIGNALED(ending->wait_status)) {
        judgement->signal = WTERMSIG(ending->wait_status);
    }

    if (said.error != NULL) {
        conclude(judgement, HP_RESULT_ERROR, hp_format("%s", said.error));
    } else if (foreign != NULL) {
        conclude(judgement, HP_RESULT_ERROR,
            hp_format("asserts %s, which its HP_CASE line does not name", foreign));
    } else if (strcmp(end, "fail") == 0) {
        conclude(judgement, HP_RESULT_FAIL, hp_format("%s", "an assertion failed"));
        find_assertion(ending->log, judgement);
    } else if (ending->timed_out) {
        conclude(
            judgement, HP_RESULT_TIMEOUT, hp_format("%s", "did not end within its time limit"));
    } else if (judgement->signal != 0) {
        conclude(judgement, HP_RESULT_CRASH,
            hp_format("died of signal %d, %s", judgement->signal, strsignal(judgement->signal)));
    } else if (said.unsupported != NULL) {
        conclude(judgement, HP_RESULT_UNSUPPORTED, hp_format("%s", said.unsupported));
    } else if (said.unresolved != NULL) {
        conclude(judgement, HP_RESULT_UNRESOLVED, hp_format("%s", said.unresolved));
    } else if (strcmp(end, "skip") == 0) {
        conclude(judgement, HP_RESULT_ERROR, hp_format("%s", "skipped without giving a reason"));
    } else if (strcmp(end, "pass") == 0) {
        judge_pass(ending, judgement);
    } else {
        conclude(judgement, HP_RESULT_CRASH,
            hp_format("the process left with status %d before the case's end",
                WEXITSTATUS(ending->wait_status)));
    }
    free(said.unsupported);
    free(said.unresolved);
    free(said.error);
    free(said.end);
}

void hp_judgement_free(hp_judgement *judgement)
{
    for (size_t i = 0; i < judgement->mark_count; i++) {
        free(judgement->marks[i]);
    }
    free(judgement->marks);
    free(judgement->message);
    free(judgement->where);
    *judgement = (hp_judgement){.blame = ""};
}
