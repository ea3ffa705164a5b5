/* The process of a case, from the outside: see spawn.h. */
#include "spawn.h"

#include "command.h"
#include "directory.h"

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

enum { MOST_REPORTS = 1 << 20 };

/* Between fork() and execve(): system calls only. */
static _Noreturn void become(const hp_case_command *command, int report, int log, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    int null = open("/dev/null", O_RDONLY);
    int ready = getppid() == parent && chdir(command->directory) == 0 &&
                dup2(null, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
                dup2(log, STDERR_FILENO) >= 0;
    /* Not closed by execve(), unlike the original; the case's own children must not have it. */
    if (ready && report == HP_REPORT_FD) {
        ready = fcntl(report, F_SETFD, 0) == 0;
    } else if (ready) {
        ready = dup2(report, HP_REPORT_FD) >= 0;
    }
    if (ready) {
        sigprocmask(SIG_SETMASK, &none, NULL);
        execve(command->program, command->argv, command->environment);
    }
    dprintf(report, "error cannot start %s: %s\n", command->program, strerror(errno));
    _exit(1);
}

static int start(const hp_case_command *command, hp_process *process, int log)
{
    pid_t parent = getpid();
    process->pid = fork();
    if (process->pid == 0) {
        become(command, process->report_fd, log, parent);
    }
    if (process->pid > 0) {
        /* In parent and child, so that neither can be too late. */
        setpgid(process->pid, process->pid);
    }
    return process->pid > 0 ? 0 : -1;
}

/* Opens log and reports and starts the command. */
static int open_and_start(const hp_spawn_request *request, const hp_case_command *command,
    hp_process *process, hp_error *error)
{
    char *engine = hp_directory_component(request->engine->name);
    char *name = hp_directory_component(request->one->name);
    char *log_directory = hp_format("%s/%s", request->logs, engine);
    process->log = hp_format("%s/%s.%u.log", log_directory, name, request->repetition);
    free(engine);
    free(name);
    int log = -1, status = -1;
    if (hp_directory_make(log_directory) != 0 ||
        (log = open(process->log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644)) < 0) {
        hp_fail(error, "%s: %s", process->log, strerror(errno));
    } else if ((process->report_fd = memfd_create("hotproof-reports", MFD_CLOEXEC)) < 0 ||
               fcntl(process->report_fd, F_SETFL, O_APPEND) != 0 ||
               start(command, process, log) != 0) {
        hp_fail(error, "cannot start a case: %s", strerror(errno));
    } else {
        status = 0;
    }
    free(log_directory);
    if (log >= 0) {
        close(log);
    }
    return status;
}

int hp_spawn(const hp_spawn_request *request, hp_process *process, hp_error *error)
{
    hp_case_command command;
    *process = (hp_process){.report_fd = -1, .number = request->number};
    if (hp_case_command_make(request, &command, error) != 0) {
        return -1;
    }
    process->directory = hp_format("%s", command.directory);
    int status = open_and_start(request, &command, process, error);
    if (status != 0) {
        hp_process_release(process, 0);
    }
    hp_case_command_free(&command);
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
    char *mark = hp_case_mark(process->number);
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
