/*
 * Every allocation of the engine in a scenario fails, once and from then on. The engine is compiled
 * for this program with its allocations led here: allocations.h.
 */
#define SWEEP_ALLOCATES
#include "allocations.h"
#include "sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/error.h"

/* Of the sweep's thread: allocations fail from the nth on, once or always; 0: none do. */
static _Thread_local struct {
    uint64_t nth, seen;
    bool always, failed;
} rule;

static bool refuse(void)
{
    rule.seen++;
    bool now = rule.nth != 0 && (rule.seen == rule.nth || (rule.always && rule.seen > rule.nth));
    rule.failed = rule.failed || now;
    return now;
}

void *sweep_malloc(size_t size)
{
    return refuse() ? NULL : malloc(size);
}

void *sweep_calloc(size_t count, size_t size)
{
    return refuse() ? NULL : calloc(count, size);
}

void *sweep_realloc(void *old, size_t size)
{
    return refuse() ? NULL : realloc(old, size);
}

void *sweep_aligned_alloc(size_t alignment, size_t size)
{
    return refuse() ? NULL : aligned_alloc(alignment, size);
}

char *sweep_strdup(const char *text)
{
    return refuse() ? NULL : strdup(text);
}

char *sweep_strndup(const char *text, size_t size)
{
    return refuse() ? NULL : strndup(text, size);
}

/* ---- the sweep ---- */

static int run_once(
    const scenario *what, const world *master, uint64_t nth, bool always, bool *failed, char *why)
{
    world w;
    int error = world_again(&w, master);
    if (error == 0 && what->begin != NULL) {
        error = what->begin(&w);
    }
    if (error != 0) {
        return error > 0 ? error : EIO;
    }
    rule.nth = nth;
    rule.seen = 0;
    rule.always = always;
    rule.failed = false;
    int result = what->act(&w);
    rule.nth = 0;
    *failed = rule.failed;
    error = !*failed && result != 0 ? world_wrong(why, "fails without a fault: ", ref_error_text())
                                    : sweep_aftermath(what, &w, result, why);
    world_free(&w);
    return error;
}

static int run_and_report(const scenario *what, const world *master, uint64_t nth, bool always,
    bool *failed, sweep_result *result)
{
    char why[SWEEP_WHY] = "", how[80];
    int error = run_once(what, master, nth, always, failed, why);
    result->runs++;
    result->points += *failed;
    if (error != SWEEP_WRONG) {
        return error;
    }
    result->violations++;
    snprintf(how, sizeof how, "--kind memory --nth %llu", (unsigned long long)nth);
    sweep_violation(what, how, why);
    return 0;
}

int sweep_memory(const scenario *what, const sweep_options *options, sweep_result *result)
{
    world master;
    bool failed = true;
    int error = sweep_prepare(what, options, &master);
    uint64_t nth = options->nth != 0 ? options->nth : sweep_first(options);
    for (; error == 0 && failed; nth += sweep_step(options)) {
        error = run_and_report(what, &master, nth, false, &failed, result);
        if (error == 0 && failed) {
            error = run_and_report(what, &master, nth, true, &failed, result);
        }
        if (options->nth != 0) {
            break;
        }
    }
    world_free(&master);
    return error;
}
