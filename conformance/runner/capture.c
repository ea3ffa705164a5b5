/* Running a short program: see capture.h. */
#include "capture.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void become(const char *const *argv, int both, int output)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(both ? output : null, STDERR_FILENO);
    union {
        const char *const *constant;
        char *const *wanted;
    } arguments = {argv}; /* execvp() promises not to write */
    execvp(argv[0], arguments.wanted);
    _exit(127);
}

static long milliseconds_left(const struct timespec *end)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
}

/* Reads to the end of file. Returns 0, or -1 if the time is over. */
static int read_all(int fd, int seconds, char **text)
{
    struct timespec end;
    size_t used = 0, room = 4096;
    *text = hp_allocate(room, 1);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    for (;;) {
        long left = milliseconds_left(&end);
        struct pollfd input = {.fd = fd, .events = POLLIN};
        if (left <= 0 || (poll(&input, 1, (int)left) == 0)) {
            return -1;
        }
        ssize_t n = read(fd, *text + used, room - used - 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            (*text)[used] = '\0';
            return 0;
        }
        used += (size_t)n;
        if (used + 1 == room) {
            char *larger = hp_allocate(room * 2, 1);
            memcpy(larger, *text, used);
            free(*text);
            *text = larger;
            room *= 2;
        }
    }
}

char *hp_capture(const char *const *argv, int both, int seconds, int *status)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return NULL;
    }
    pid_t pid = fork();
    if (pid == 0) {
        become(argv, both, ends[1]);
    }
    close(ends[1]);
    char *text = NULL;
    if (pid > 0) {
        int late = read_all(ends[0], seconds, &text);
        if (late) {
            kill(pid, SIGKILL);
            free(text);
            text = NULL;
        }
        while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
        }
    }
    close(ends[0]);
    return text;
}
