/* How far a run has come, for who waits for it: a bar that redraws itself on a terminal, a line now
 * and then in a log. On standard error. */
#ifndef HP_PROGRESS_H
#define HP_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct hp_progress {
    bool terminal;
    double shown; /* when, by the monotonic clock; 0: not yet */
} hp_progress;

typedef struct hp_progress_state {
    size_t done, total, surprises;
    const char *engine, *name; /* of a case that is running; NULL: none */
} hp_progress_state;

/* Looks whether standard error is a terminal. */
hp_progress hp_progress_start(void);

/* Shows the state if it is time to: ten times a second on a terminal, else every ten seconds and
 * when all is done. */
void hp_progress_show(hp_progress *progress, const hp_progress_state *state);

/* Takes the bar away. */
void hp_progress_end(const hp_progress *progress);

/* The bar as text of fewer than `columns` characters, in `line` (size bytes); whole characters of
 * UTF-8, no controls. */
void hp_progress_line(const hp_progress_state *state, size_t columns, char *line, size_t size);

#endif
