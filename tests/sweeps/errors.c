/* Every operation of a scenario fails, in every way in which its call may. */
#include "sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/error.h"

/* A way to fail, as the end of a plan's rule. */
typedef struct manner {
    fault_op_class op;
    bool always; /* the nth and every further one */
    char words[64];
} manner;

enum { PLAN = 200, MOST = 100000 };

static void write_plan(char *plan, const manner *how, uint64_t nth)
{
    snprintf(plan, PLAN, "rule fault on %s nth=%llu times=%s do %s", fault_op_word(how->op),
        (unsigned long long)nth, how->always ? "inf" : "1", how->words);
}

/* The work's operations, for `hotfault trace dump`. 0 or an errno value. */
static int write_trace(const char *path, const fault_trace *trace)
{
    size_t size;
    uint8_t *bytes = fault_trace_bytes(trace, &size);
    FILE *file = bytes != NULL ? fopen(path, "wb") : NULL;
    bool written = file != NULL && fwrite(bytes, 1, size, file) == size;
    written = file != NULL && fclose(file) == 0 && written;
    free(bytes);
    return written ? 0 : EIO;
}

/* One run under the plan. *fired says whether anything failed. 0, SWEEP_WRONG with words, or errno. */
static int run_once(const scenario *what, const world *master, const fault_plan *plan,
    fault_trace *trace, bool *fired, char *why)
{
    world w;
    fault_run *run;
    int error = world_again(&w, master);
    if (error != 0) {
        return error;
    }
    error = what->begin != NULL ? what->begin(&w) : 0;
    if (error == 0) {
        error = fault_run_new(plan, &run);
    }
    if (error != 0) {
        world_free(&w);
        return error > 0 ? error : EIO;
    }
    fault_disk_watch(w.disk, run, trace);
    int result = what->act(&w);
    fault_disk_watch(w.disk, NULL, NULL);
    *fired = fault_plan_rules(plan) > 0 && fault_run_fired(run, 0) > 0;
    fault_run_free(run);
    if (!*fired && result != 0) {
        error = world_wrong(why, "fails without a fault: ", ref_error_text());
    } else {
        error = sweep_aftermath(what, &w, result, why);
    }
    world_free(&w);
    return error;
}

static int run_plan(const scenario *what, const world *master, const char *text,
    const sweep_options *options, bool *fired, char *why)
{
    fault_plan *plan;
    fault_plan_error bad;
    fault_trace *trace = NULL;
    int error = fault_plan_parse(text, strlen(text), &plan, &bad);
    if (error != 0) {
        fprintf(stderr, "plan: line %u, column %u: %s: %s\n", bad.line, bad.column, bad.text, text);
        return error;
    }
    if (options->trace != NULL) {
        error = fault_trace_new(text, options->seed, false, &trace);
    }
    if (error == 0) {
        error = run_once(what, master, plan, trace, fired, why);
    }
    if (trace != NULL) {
        int trace_error = write_trace(options->trace, trace);
        error = error == 0 ? trace_error : error;
        fault_trace_free(trace);
    }
    fault_plan_free(plan);
    return error;
}

static int report(
    const scenario *what, const char *plan, const char *why, int error, sweep_result *result)
{
    char how[PLAN + 40];
    result->runs++;
    if (error != SWEEP_WRONG) {
        return error;
    }
    result->violations++;
    snprintf(how, sizeof how, "--kind errors --plan '%s'", plan);
    sweep_violation(what, how, why);
    return 0;
}

/* The first operation of the class fails, then the second, until there are no more. */
static int sweep_manner(const scenario *what, const world *master, const manner *how,
    const sweep_options *options, sweep_result *result)
{
    bool fired = true;
    int error = 0;
    for (uint64_t nth = sweep_first(options); fired && error == 0 && nth < MOST;
         nth += sweep_step(options)) {
        char plan[PLAN], why[SWEEP_WHY] = "";
        write_plan(plan, how, nth);
        if (options->verbose) {
            fprintf(stderr, "%s: %s\n", what->name, plan);
        }
        error = run_plan(what, master, plan, options, &fired, why);
        error = report(what, plan, why, error, result);
        result->points += fired;
    }
    return error;
}

static int sweep_errnos(const scenario *what, const world *master, fault_op_class op,
    const sweep_options *options, sweep_result *result)
{
    size_t count;
    const int *errors = fault_op_errors(op, &count);
    int error = 0;
    if (options->few && count > 1) {
        count = 1;
    }
    for (size_t i = 0; i < count * 2 && error == 0; i++) {
        manner how = {.op = op, .always = i % 2 == 1};
        int number = options->few ? EIO : errors[i / 2];
        snprintf(how.words, sizeof how.words, "err=%s", fault_errno_name(number));
        error = sweep_manner(what, master, &how, options, result);
    }
    return error;
}

static int sweep_special(
    const scenario *what, const world *master, const sweep_options *options, sweep_result *result)
{
    static const manner special[] = {{FAULT_OP_READ, false, "short n=1"},
        {FAULT_OP_READ, true, "short n=100"}, {FAULT_OP_WRITE, false, "short n=1"},
        {FAULT_OP_WRITE, true, "short n=100"},
        {FAULT_OP_SYNC, false, "failsync profile=clean err=EIO"},
        {FAULT_OP_SYNC, false, "failsync profile=revert err=EIO"},
        {FAULT_OP_SYNC, false, "failsync profile=keep err=EIO"}};
    int error = 0;
    for (size_t i = 0; i < sizeof special / sizeof special[0] && error == 0; i++) {
        error = sweep_manner(what, master, &special[i], options, result);
    }
    return error;
}

static bool is_swept(fault_op_class op)
{
    size_t count;
    fault_op_errors(op, &count);
    return op != FAULT_OP_MEMORY && count > 0;
}

int sweep_errors(const scenario *what, const sweep_options *options, sweep_result *result)
{
    world master;
    char why[SWEEP_WHY] = "";
    bool fired;
    int error = sweep_prepare(what, options, &master);
    if (error == 0 && options->plan != NULL) {
        error = run_plan(what, &master, options->plan, options, &fired, why);
        error = report(what, options->plan, why, error, result);
    } else if (error == 0) {
        for (int op = 0; op < FAULT_OP_CLASSES && error == 0; op++) {
            error = is_swept((fault_op_class)op)
                        ? sweep_errnos(what, &master, (fault_op_class)op, options, result)
                        : 0;
        }
        error = error == 0 ? sweep_special(what, &master, options, result) : error;
    }
    world_free(&master);
    return error;
}
