/* Starting the process in which an engine does something: see process.h. */
#include "process.h"

#include "../conformance/runner/text.h"
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 8, REPORT_SIZE = 4096, LIMIT_MS = 600 * 1000 };

/* The program that the command runs in: this one, or its sibling without sanitizers. */
static char *host_program(bool plain)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    return hp_format("%s%s", self, plain ? "-child" : "");
}

static _Noreturn void become(const char *program, const char *const *arguments, int report, int log)
{
    const char *argv[MOST_ARGUMENTS + 3] = {program, BENCH_CHILD};
    for (size_t i = 0; i < MOST_ARGUMENTS && arguments[i] != NULL; i++) {
        argv[i + 2] = arguments[i];
    }
    int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    /* dup2() onto itself would leave close-on-exec set. */
    if (report == BENCH_REPORT_FD) {
        fcntl(report, F_SETFD, 0);
    } else {
        dup2(report, BENCH_REPORT_FD);
    }
    union {
        const char *const *constant;
        char *const *wanted;
    } vector = {argv}; /* execv() promises not to write */
    execv(program, vector.wanted);
    dprintf(BENCH_REPORT_FD, "error %s: %s\n", program, strerror(errno));
    _exit(BENCH_CHILD_BROKEN);
}

/* Reads the report to its end. False if it did not end in time. */
static bool read_report(int fd, char *report)
{
    size_t used = 0;
    for (;;) {
        struct pollfd input = {.fd = fd, .events = POLLIN};
        int ready = poll(&input, 1, LIMIT_MS);
        if (ready == 0) {
            return false;
        }
        ssize_t n = ready < 0 ? -1 : read(fd, report + used, REPORT_SIZE - 1 - used);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return true;
        }
        used += (size_t)n;
    }
}

/* How it ended. Its own words come first: they were written nearest to the cause. */
static void judge(bench_process *process, int status, bool late)
{
    const char *said = bench_report_text(process, "error");
    char *how = late                  ? hp_format("did not end within %d minutes", LIMIT_MS / 60000)
                : WIFSIGNALED(status) ? hp_format("died of signal %d", WTERMSIG(status))
                                      : hp_format("ended with status %d", WEXITSTATUS(status));
    if (!late && WIFEXITED(status) && WEXITSTATUS(status) == BENCH_CHILD_DONE) {
        process->outcome = BENCH_DONE;
    } else {
        process->outcome = !late && WIFEXITED(status) && WEXITSTATUS(status) == BENCH_CHILD_BROKEN
                               ? BENCH_BROKEN
                               : BENCH_FAILED;
        snprintf(process->words, sizeof process->words, "%s", said[0] != '\0' ? said : how);
    }
    free(how);
}

bench_process bench_process_run(bool plain, const char *const *arguments, int log)
{
    bench_process process = {.outcome = BENCH_BROKEN, .report = hp_allocate(REPORT_SIZE, 1)};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(process.words, sizeof process.words, "pipe: %s", strerror(errno));
        return process;
    }
    char *program = host_program(plain);
    pid_t pid = fork();
    if (pid == 0) {
        become(program, arguments, ends[1], log);
    }
    close(ends[1]);
    if (pid < 0) {
        snprintf(process.words, sizeof process.words, "fork: %s", strerror(errno));
    } else {
        struct rusage used;
        int status = 0;
        bool late = !read_report(ends[0], process.report);
        if (late) {
            kill(pid, SIGKILL);
        }
        while (wait4(pid, &status, 0, &used) < 0 && errno == EINTR) {
        }
        process.peak_kib = (uint64_t)used.ru_maxrss;
        judge(&process, status, late);
    }
    close(ends[0]);
    free(program);
    return process;
}

void bench_process_free(bench_process *process)
{
    free(process->report);
    process->report = NULL;
}

const char *bench_report_text(const bench_process *process, const char *name)
{
    static _Thread_local char value[REPORT_SIZE];
    size_t length = strlen(name);
    value[0] = '\0';
    for (const char *line = process->report; line != NULL && *line != '\0';) {
        if (strncmp(line, name, length) == 0 && line[length] == ' ') {
            snprintf(value, sizeof value, "%.*s", (int)strcspn(line + length + 1, "\n"),
                line + length + 1);
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return value;
}

uint64_t bench_report_number(const bench_process *process, const char *name)
{
    return strtoull(bench_report_text(process, name), NULL, 10);
}
