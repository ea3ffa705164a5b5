/* Runs one case under cmocka and reports to the runner: see hp_case.h. */
#include "hp_case.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka turns these into a failed test. A crash must stay a crash. */
static const int caught_by_cmocka[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS};
#define CAUGHT (sizeof caught_by_cmocka / sizeof caught_by_cmocka[0])

static struct {
    const hp_case *one;
    hp_case_run run;
    pid_t pid;
    int passed;
    struct sigaction before[CAUGHT];
} current;

static const char *const clause_names[] = {
#define HP_CLAUSE(id, level, source, page, section, sentence) #id,
#include "clauses/berkeleydb.def"
#include "clauses/domino.def"
#undef HP_CLAUSE
};

const char *hp_clause_name(hp_clause_id clause)
{
    size_t index = (size_t)clause;
    return index < HP_CLAUSE_COUNT ? clause_names[index] : "?";
}

void hp_case_report(int fd, const char *word, const char *text)
{
    char line[1024];
    int length = snprintf(line, sizeof line - 1, "%s %s", word, text);
    size_t used = length < 0 ? 0 : (size_t)length;
    if (used > sizeof line - 2) {
        used = sizeof line - 2;
    }
    for (size_t i = 0; i < used; i++) {
        if (line[i] == '\n' || line[i] == '\r') {
            line[i] = ' ';
        }
    }
    line[used++] = '\n';
    for (size_t done = 0; done < used;) {
        ssize_t n = write(fd, line + done, used - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return; /* nobody can be told; the missing "end" line says it */
        }
        done += (size_t)n;
    }
}

void hp_promise(hp_clause_id clause)
{
    hp_case_report(current.run.report_fd, "promise", hp_clause_name(clause));
}

static _Noreturn void leave(const char *word, const char *why, va_list arguments)
{
    char text[900];
    vsnprintf(text, sizeof text, why, arguments);
    hp_case_report(current.run.report_fd, word, text);
    skip();
    abort(); /* skip() leaves by longjmp */
}

void hp_unsupported(const char *why, ...)
{
    va_list arguments;
    va_start(arguments, why);
    leave("unsupported", why, arguments);
}

void hp_unresolved(const char *why, ...)
{
    va_list arguments;
    va_start(arguments, why);
    leave("unresolved", why, arguments);
}

void hp_log(const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s\n", text);
}

uint64_t hp_seed(void)
{
    return current.run.seed;
}

double hp_timeout_scale(void)
{
    return current.run.timeout_scale;
}

static void call(void **state)
{
    for (size_t i = 0; i < CAUGHT; i++) {
        sigaction(caught_by_cmocka[i], &current.before[i], NULL);
    }
    hp_case_report(current.run.report_fd, "begin", current.one->name);
    current.one->run(state);
    if (getpid() != current.pid) {
        /* A process that the case forked returned from it: it must not report in the case's name.
         */
        _exit(1);
    }
    current.passed = 1;
}

int hp_case_run_one(const hp_case *one, const hp_case_run *run)
{
    current.one = one;
    current.run = *run;
    current.pid = getpid();
    for (size_t i = 0; i < CAUGHT; i++) {
        sigaction(caught_by_cmocka[i], NULL, &current.before[i]);
    }
    /* One log in the order of events, whether or not the process lives to flush it. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    const struct CMUnitTest test[] = {{one->name, call, NULL, NULL, NULL}};
    int failures = cmocka_run_group_tests_name(one->name, test, NULL, NULL);
    if (getpid() != current.pid) {
        _exit(1);
    }
    hp_case_report(run->report_fd, "end",
        failures != 0    ? "fail"
        : current.passed ? "pass"
                         : "skip");
    return failures != 0 ? 1 : 0;
}
