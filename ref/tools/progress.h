/*
 * Progress on standard error.
 *
 * Shown once work has lasted a second, and then a few times a second in one line that is written
 * over: on a terminal, or when it was asked for (on anything else each state is a line of its own,
 * one a second). One piece of work at a time is shown; the others are counted and stay silent.
 *
 * Threads: one.
 */
#ifndef TOOL_PROGRESS_H
#define TOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum tool_unit { TOOL_BYTES, TOOL_RECORDS } tool_unit;

typedef struct tool_progress {
    const char *what; /* "copying" */
    tool_unit unit;
    uint64_t done;
    uint64_t total; /* 0: not known */
    bool visible;
    uint64_t begun; /* nanoseconds of the monotonic clock */
    uint64_t next;  /* when to show it again */
} tool_progress;

/* `forced`: show it where there is no terminal, too. `what` is borrowed. */
void tool_progress_begin(tool_progress *progress, const char *what, tool_unit unit, bool forced);
void tool_progress_add(tool_progress *progress, uint64_t amount);
/* The last state is shown if any was; then the line is gone or, off a terminal, stays. */
void tool_progress_end(tool_progress *progress);

/* Makes room for a message: the line comes back by itself. */
void tool_progress_clear(void);

#endif
