/* Progress on standard error. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define SECOND 1000000000u
#define ON_TERMINAL_EVERY (SECOND / 5)
#define CLOCK_EVERY 64u /* records between two looks at the clock */

static tool_progress *shown;
static bool line_stands; /* a line without an end is on the terminal */

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

void tool_progress_clear(void)
{
    if (line_stands) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        line_stands = false;
    }
}

static void amount_text(const tool_progress *p, uint64_t amount, char out[static 32])
{
    if (p->unit == TOOL_BYTES) {
        tool_bytes_text(amount, out);
    } else {
        snprintf(out, 32, "%" PRIu64 " records", amount);
    }
}

static void show(const tool_progress *p, uint64_t at)
{
    char done[32], rate[32], total[64] = "";
    uint64_t elapsed = at - p->begun;

    amount_text(p, p->done, done);
    amount_text(p, (uint64_t)((double)p->done / ((double)elapsed / SECOND)), rate);
    if (p->total != 0) {
        char all[32];
        double part = p->done < p->total ? (double)p->done / (double)p->total : 1;
        amount_text(p, p->total, all);
        snprintf(total, sizeof total, " of about %s (%.0f %%)", all, 100 * part);
    }
    bool terminal = isatty(STDERR_FILENO) != 0;
    fprintf(stderr, "%s%s %s%s, %s/s, %" PRIu64 " s%s", terminal ? "\r\033[K" : "", p->what, done,
        total, rate, elapsed / SECOND, terminal ? "" : "\n");
    fflush(stderr);
    line_stands = terminal;
}

void tool_progress_begin(tool_progress *progress, const char *what, tool_unit unit, bool forced)
{
    *progress = (tool_progress){.what = what, .unit = unit};
    progress->begun = now();
    progress->next = progress->begun + SECOND;
    progress->visible = shown == NULL && (forced || isatty(STDERR_FILENO) != 0);
    if (progress->visible) {
        shown = progress;
    }
}

void tool_progress_add(tool_progress *progress, uint64_t amount)
{
    progress->done += amount;
    if (!progress->visible ||
        (progress->unit == TOOL_RECORDS && progress->done % CLOCK_EVERY != 0)) {
        return;
    }
    uint64_t at = now();
    if (at >= progress->next) {
        show(progress, at);
        progress->next = at + (isatty(STDERR_FILENO) != 0 ? ON_TERMINAL_EVERY : SECOND);
    }
}

void tool_progress_end(tool_progress *progress)
{
    if (!progress->visible) {
        return;
    }
    uint64_t at = now();
    if (at - progress->begun >= SECOND && isatty(STDERR_FILENO) == 0) {
        show(progress, at);
    }
    tool_progress_clear();
    progress->visible = false;
    shown = NULL;
}
