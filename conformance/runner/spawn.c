/* The process of a case, from the outside: see spawn.h. */
#include "spawn.h"

#include "child.h"
#include "directory.h"
#include "isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the environment of every process of a case, so that an orphan can be told from another case's
 * child. */
#define MARK_VARIABLE "HOTPROOF_CASE"

enum { REPORT_FD = 3, MOST_REPORTS = 1 << 20 };

static char *mark_of(uint64_t number)
{
    return hp_format(MARK_VARIABLE "=%ld.%" PRIu64, (long)getpid(), number);
}

/* The program that a case runs in: this one, or its sibling without sanitizers. */
static char *host_program(int real_library)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    return hp_format("%s%s", self, real_library ? "-case" : "");
}

static char **case_environment(const hp_spawn_request *request, const char *directory)
{
    const char *counts = getenv(HP_COUNTS_VARIABLE);
    char **environment = hp_allocate(12, sizeof *environment);
    size_t i = 0;
    environment[i++] =
        hp_format("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    environment[i++] = hp_format("HOME=%s", directory);
    environment[i++] = hp_format("TMPDIR=%s", directory);
    environment[i++] = hp_format("LC_ALL=C");
    environment[i++] = hp_format("TZ=UTC");
    environment[i++] = mark_of(request->number);
    environment[i++] = hp_format("ASAN_OPTIONS=abort_on_error=1:detect_leaks=1");
    environment[i++] = hp_format("UBSAN_OPTIONS=abort_on_error=1:print_stacktrace=1");
    environment[i++] = hp_format("TSAN_OPTIONS=halt_on_error=0:exitcode=66");
    if (counts != NULL) {
        environment[i++] = hp_format(HP_COUNTS_VARIABLE "=%s", counts);
    }
    return environment;
}

static void free_strings(char **strings)
{
    for (size_t i = 0; strings[i] != NULL; i++) {
        free(strings[i]);
    }
    free(strings);
}

/* Between fork() and execve(): system calls only. */
static _Noreturn void become(const char *program, char **argv, char **environment, int report,
    int log, const char *directory, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    int null = open("/dev/null", O_RDONLY);
    int ready = getppid() == parent && chdir(directory) == 0 && dup2(null, STDIN_FILENO) >= 0 &&
                dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0;
    /* Not closed by execve(), unlike the original; the case's own children must not have it. */
    if (ready && report == REPORT_FD) {
        ready = fcntl(report, F_SETFD, 0) == 0;
    } else if (ready) {
        ready = dup2(report, REPORT_FD) >= 0;
    }
    if (ready) {
        sigprocmask(SIG_SETMASK, &none, NULL);
        execve(program, argv, environment);
    }
    dprintf(report, "error cannot start %s: %s\n", program, strerror(errno));
    _exit(1);
}

static int start(const hp_spawn_request *request, hp_process *process, int log)
{
    char *program = host_program(request->engine->real_library);
    char **environment = case_environment(request, process->directory);
    char **argv = hp_allocate(8, sizeof *argv);
    argv[0] = hp_format("%s", program);
    argv[1] = hp_format(HP_RUN_CASE);
    argv[2] = hp_format("%s", request->engine->module);
    argv[3] = hp_format("%s", request->one->name);
    argv[4] = hp_format("%d", REPORT_FD);
    argv[5] = hp_format("%" PRIu64, request->seed);
    argv[6] = hp_format("%g", request->timeout_scale);
    pid_t parent = getpid();
    process->pid = fork();
    if (process->pid == 0) {
        become(program, argv, environment, process->report_fd, log, process->directory, parent);
    }
    int error = errno;
    if (process->pid > 0) {
        /* In parent and child, so that neither can be too late. */
        setpgid(process->pid, process->pid);
    }
    free_strings(argv);
    free_strings(environment);
    free(program);
    errno = error;
    return process->pid > 0 ? 0 : -1;
}

static int make_directory(const char *directory)
{
    char *parent = hp_format("%s", directory);
    *strrchr(parent, '/') = '\0';
    int status = hp_directory_make(parent);
    free(parent);
    if (status == 0) {
        status = mkdir(directory, 0755);
    }
    if (status == 0 && hp_isolation_probe().user_drop) {
        status = chown(directory, HP_CASE_USER, HP_CASE_USER);
    }
    return status;
}

int hp_spawn(const hp_spawn_request *request, hp_process *process, hp_error *error)
{
    char *engine = hp_directory_component(request->engine->name);
    char *name = hp_directory_component(request->one->name);
    char *log_directory = hp_format("%s/%s", request->logs, engine);
    *process = (hp_process){.report_fd = -1, .number = request->number};
    process->directory = hp_format("%s/%s/%s.%u", request->work, engine, name, request->repetition);
    process->log = hp_format("%s/%s.%u.log", log_directory, name, request->repetition);
    free(engine);
    free(name);

    int log = -1, status = -1;
    if (make_directory(process->directory) != 0) {
        hp_fail(error, "%s: %s", process->directory, strerror(errno));
    } else if (hp_directory_make(log_directory) != 0 ||
               (log = open(process->log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644)) <
                   0) {
        hp_fail(error, "%s: %s", process->log, strerror(errno));
    } else if ((process->report_fd = memfd_create("hotproof-reports", MFD_CLOEXEC)) < 0 ||
               fcntl(process->report_fd, F_SETFL, O_APPEND) != 0 ||
               start(request, process, log) != 0) {
        hp_fail(error, "cannot start a case: %s", strerror(errno));
    } else {
        status = 0;
    }
    free(log_directory);
    if (log >= 0) {
        close(log);
    }
    if (status != 0) {
        hp_process_release(process, 0);
    }
    return status;
}

char *hp_process_reports(const hp_process *process)
{
    char *text = hp_allocate(MOST_REPORTS + 1, 1);
    size_t used = 0;
    while (used < MOST_REPORTS) {
        ssize_t n = pread(process->report_fd, text + used, MOST_REPORTS - used, (off_t)used);
        if (n <= 0) {
            break;
        }
        used += (size_t)n;
    }
    return text;
}

void hp_process_signal(const hp_process *process, int signal)
{
    kill(-process->pid, signal);
}

/* Whether an adopted process belongs to the case with this mark. One that is dying has no
 * environment any more and may yet hand on children: it is waited for as well, whosever it is. */
static int belongs(pid_t pid, const char *mark)
{
    char *path = hp_format("/proc/%ld/environ", (long)pid);
    char *text = hp_allocate(65536, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, 65535) : -1;
    int found = length <= 0;
    for (ssize_t i = 0; i < length && !found; i += (ssize_t)strlen(text + i) + 1) {
        found = strcmp(text + i, mark) == 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    free(text);
    free(path);
    return found;
}

static int is_leader(pid_t pid, const hp_process *running, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (running[i].pid == pid) {
            return 1;
        }
    }
    return 0;
}

/* A child of the runner that it adopted from the case with this mark, or 0. */
static pid_t find_stray(const char *mark, const hp_process *running, size_t count)
{
    char *path = hp_format("/proc/self/task/%ld/children", (long)getpid());
    FILE *children = fopen(path, "re");
    free(path);
    long pid = 0, found = 0;
    while (children != NULL && found == 0 && fscanf(children, "%ld", &pid) == 1) {
        if (!is_leader((pid_t)pid, running, count) && belongs((pid_t)pid, mark)) {
            found = pid;
        }
    }
    if (children != NULL) {
        fclose(children);
    }
    return (pid_t)found;
}

int hp_process_finish(
    const hp_process *process, const hp_process *running, size_t running_count, unsigned *strays)
{
    char *mark = mark_of(process->number);
    int status = 0;
    *strays = 0;
    kill(-process->pid, SIGKILL);
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) {
    }
    /* A dying process hands its children on to the runner before it can be reaped: a look at the
     * runner's children after the last reaping misses none. */
    for (pid_t stray; (stray = find_stray(mark, running, running_count)) > 0; ++*strays) {
        kill(stray, SIGKILL);
        while (waitpid(stray, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    free(mark);
    return status;
}

void hp_process_release(hp_process *process, int keep)
{
    if (!keep) {
        hp_directory_remove(process->directory);
    }
    if (process->report_fd >= 0) {
        close(process->report_fd);
    }
    free(process->directory);
    free(process->log);
    *process = (hp_process){.report_fd = -1};
}
