/* The power goes at every barrier of a scenario, in every way that the profile allows. */
#include "sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash/crash.h"
#include "crash/shrink.h"
#include "engine/error.h"

static int verify(void *context, const void *state, fault_disk *disk, unsigned depth, char *why)
{
    const scenario *what = context;
    (void)depth;
    return what->check(state, fault_disk_vfs(disk), why);
}

/* One run with the power cut at each barrier, or at the place to replay. */
static int run_once(const scenario *what, const world *master, const sweep_options *options,
    const char *replay, fault_crash_report *report)
{
    world w;
    fault_crash *crash;
    fault_crash_options how = {.verify = verify,
        .context = (void *)(uintptr_t)what,
        .state = &w,
        .state_size = sizeof w,
        .depth = options->depth,
        .budget = options->budget,
        .seed = options->seed,
        .shard = options->shard,
        .shards = options->shards,
        .replay = replay};
    int error = fault_crash_new(&how, &crash);
    if (error != 0) {
        return error;
    }
    error = world_again(&w, master);
    if (error == 0) {
        error = what->begin != NULL ? what->begin(&w) : 0;
        fault_crash_watch(crash, w.disk);
        int act_error = error == 0 ? what->act(&w) : 0;
        char words[SWEEP_WHY];
        snprintf(words, sizeof words, "%s", ref_error_text());
        int finish_error = fault_crash_finish(crash, w.disk);
        error = error == 0 ? finish_error : error;
        *report = *fault_crash_result(crash);
        if (act_error != 0 && report->violations++ == 0) {
            world_wrong(report->why, "fails without a fault: ", words);
        }
        world_free(&w);
    }
    fault_crash_free(crash);
    return error >= 0 ? error : EIO;
}

/* ---- the smallest place that still fails ---- */

typedef struct smaller {
    const scenario *what;
    const world *master;
    const sweep_options *options;
    const char *place;
    char trial[FAULT_PLACE];
} smaller;

/* The answers of a place are its digits behind a ':'; one that is left out becomes 0, "lost". */
static bool is_answer(const char *place, size_t at)
{
    size_t colon = at;
    while (colon > 0 && place[colon - 1] != ':' && place[colon - 1] != '/') {
        colon--;
    }
    return colon > 0 && place[colon - 1] == ':' && place[at] >= '1' && place[at] <= '9';
}

static bool still_fails(void *context, const bool *kept, size_t count)
{
    smaller *at = context;
    fault_crash_report report;
    size_t part = 0;
    (void)count;
    for (size_t i = 0; i <= strlen(at->place); i++) {
        at->trial[i] = at->place[i];
        if (at->place[i] != '\0' && is_answer(at->place, i) && !kept[part++]) {
            at->trial[i] = '0';
        }
    }
    return run_once(at->what, at->master, at->options, at->trial, &report) == 0 &&
           report.violations > 0;
}

static void shrink(const scenario *what, const world *master, const sweep_options *options,
    const char *place, char *smallest)
{
    smaller at = {.what = what, .master = master, .options = options, .place = place};
    bool kept[FAULT_PLACE];
    size_t parts = 0;
    snprintf(smallest, FAULT_PLACE, "%s", place);
    if (strchr(place, '(') != NULL) {
        return;
    }
    for (size_t i = 0; place[i] != '\0'; i++) {
        if (is_answer(place, i)) {
            kept[parts++] = true;
        }
    }
    if (parts > 0 && still_fails(&at, kept, parts)) {
        fault_shrink(parts, kept, 400, still_fails, &at);
        still_fails(&at, kept, parts);
        snprintf(smallest, FAULT_PLACE, "%s", at.trial);
    }
}

static void tell(const scenario *what, const world *master, const sweep_options *options,
    const fault_crash_report *report)
{
    char smallest[FAULT_PLACE] = "", how[FAULT_PLACE + 80];
    bool placed = report->first[0] != '\0';
    if (placed) {
        shrink(what, master, options, report->first, smallest);
    }
    snprintf(how, sizeof how, "--kind power --profile %s --depth %u%s%s",
        fault_profile_name(options->profile), options->depth, placed ? " --replay " : "", smallest);
    sweep_violation(what, how, report->why);
}

int sweep_power(const scenario *what, const sweep_options *options, sweep_result *result)
{
    world master;
    fault_crash_report report = {0};
    int error = sweep_prepare(what, options, &master);
    if (error == 0) {
        error = run_once(what, &master, options, options->replay, &report);
    }
    if (error == 0) {
        printf("%s, %s: ", what->name, fault_profile_name(options->profile));
        fault_crash_print(&report, stdout);
        if (report.violations > 0) {
            tell(what, &master, options, &report);
        }
    }
    result->points += report.points;
    result->runs += report.verified;
    result->violations += report.violations;
    world_free(&master);
    return error;
}
