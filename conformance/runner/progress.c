/* How far a run has come: see progress.h. */
#include "progress.h"

#include "../report/colour.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 30, NARROW = 60, DEFAULT_COLUMNS = 80 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Cuts `line` to `most` characters, each of which may be several bytes. */
static void cut(char *line, size_t most)
{
    size_t characters = 0;
    for (char *at = line; *at != '\0'; at++) {
        if (((unsigned char)*at & 0xC0) != 0x80 && characters++ == most) {
            *at = '\0';
            return;
        }
        if ((unsigned char)*at < 0x20) {
            *at = ' ';
        }
    }
}

void hp_progress_line(const hp_progress_state *state, size_t columns, char *line, size_t size)
{
    char bar[BAR + 1];
    size_t full = state->total > 0 ? state->done * BAR / state->total : 0;
    memset(bar, '.', BAR);
    memset(bar, '#', full < BAR ? full : BAR);
    bar[BAR] = '\0';
    int length = snprintf(line, size, "%s%s%s%zu/%zu, %zu surprise%s%s%s%s%s",
        columns >= NARROW ? "[" : "", columns >= NARROW ? bar : "", columns >= NARROW ? "] " : "",
        state->done, state->total, state->surprises, state->surprises == 1 ? "" : "s",
        state->name != NULL ? "  " : "", state->name != NULL ? state->engine : "",
        state->name != NULL ? " " : "", state->name != NULL ? state->name : "");
    /* snprintf() may have cut a character in two. */
    if (length >= 0 && (size_t)length >= size) {
        size_t end = size - 1;
        while (end > 0 && ((unsigned char)line[end - 1] & 0xC0) == 0x80) {
            end--;
        }
        if (end > 0 && (unsigned char)line[end - 1] >= 0xC0) {
            line[end - 1] = '\0';
        }
    }
    cut(line, columns > 0 ? columns - 1 : 0);
}

static size_t terminal_columns(void)
{
    struct winsize window;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
        return window.ws_col;
    }
    return DEFAULT_COLUMNS;
}

hp_progress hp_progress_start(void)
{
    hp_progress progress = {.terminal = hp_is_terminal(stderr)};
    progress.shown = progress.terminal ? 0 : now();
    return progress;
}

void hp_progress_show(hp_progress *progress, const hp_progress_state *state)
{
    double time = now();
    double pause = progress->terminal ? 0.1 : 10.0;
    if (time - progress->shown < pause && state->done < state->total) {
        return;
    }
    progress->shown = time;
    if (progress->terminal) {
        char line[1024];
        hp_progress_line(state, terminal_columns(), line, sizeof line);
        fprintf(stderr, "\r%s\033[K", line);
    } else {
        fprintf(stderr, "%zu of %zu cases, %zu surprise%s\n", state->done, state->total,
            state->surprises, state->surprises == 1 ? "" : "s");
    }
}

void hp_progress_end(const hp_progress *progress)
{
    if (progress->terminal) {
        fputs("\r\033[K", stderr);
    }
}
