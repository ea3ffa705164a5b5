/* Runs the backup utility: see utility.h. */
#include "utility.h"
#include "hp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 16, WAIT_SECONDS = 15, TICKS_PER_SECOND = 100 };

static int program = -1;
static const char *db_home;

int bdb_utility_prepare(void)
{
    program = open(bdb_utility_here.path, O_RDONLY | O_CLOEXEC);
    return 0;
}

void bdb_utility_need(void)
{
    if (program < 0) {
        hp_unsupported("%s", bdb_utility_here.missing);
    }
}

void bdb_utility_set_db_home(const char *home)
{
    db_home = home;
}

/* DB_HOME is what the case says, not what the user's shell does. */
static int set_environment(void)
{
    return db_home == NULL ? unsetenv("DB_HOME") : setenv("DB_HOME", db_home, 1);
}

static size_t make_argv(const char *const *arguments, char **argv)
{
    size_t count = 0;

    for (size_t i = 0; i < BDB_UTILITY_WORDS && bdb_utility_here.words[i] != NULL; i++) {
        argv[count++] = (char *)(uintptr_t)bdb_utility_here.words[i];
    }
    for (; *arguments != NULL && count < ARGUMENTS_MAX; arguments++) {
        argv[count++] = (char *)(uintptr_t)*arguments;
    }
    argv[count] = NULL;
    return count;
}

/* In the child: nothing that allocates. */
static _Noreturn void become(char *const *argv, char *const *environment, int output)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    int input = open("/dev/null", O_RDONLY);
    if (input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(output, STDERR_FILENO) >= 0) {
        (void)fexecve(program, argv, environment);
    }
    static const char failed[] = "the utility could not be run\n";
    (void)!write(output, failed, sizeof failed - 1);
    _exit(127);
}

/* Returns the status of waitpid(), or -1 if the child had to be killed. */
static int wait_for(pid_t child)
{
    const struct timespec tick = {.tv_nsec = 1000000000 / TICKS_PER_SECOND};
    double ticks = WAIT_SECONDS * TICKS_PER_SECOND * hp_timeout_scale();
    int status = 0;

    for (; ticks > 0; ticks--) {
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child) {
            return status;
        }
        (void)nanosleep(&tick, NULL);
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    return -1;
}

static void read_output(int fd, char *text, size_t size)
{
    ssize_t length = pread(fd, text, size - 1, 0);

    text[length > 0 ? length : 0] = '\0';
}

const bdb_utility_run *bdb_utility_call(const char *const *arguments)
{
    static bdb_utility_run run;
    char *argv[ARGUMENTS_MAX + 1];
    /* In memory, so that the case's directory shows only what the utility itself has done. */
    int output = memfd_create("output", MFD_CLOEXEC);

    if (output < 0 || make_argv(arguments, argv) == ARGUMENTS_MAX || set_environment() != 0) {
        hp_unresolved("cannot prepare the utility's run: %s", strerror(errno));
    }
    pid_t child = fork();
    if (child < 0) {
        hp_unresolved("fork: %s", strerror(errno));
    }
    if (child == 0) {
        become(argv, environ, output);
    }
    int status = wait_for(child);
    read_output(output, run.output, sizeof run.output);
    (void)close(output);
    hp_log("%s", run.output);
    if (status == -1) {
        fail_msg("the utility did not end within %d seconds", WAIT_SECONDS);
    }
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (run.status == 127) {
        hp_unresolved("%s", run.output);
    }
    return &run;
}
