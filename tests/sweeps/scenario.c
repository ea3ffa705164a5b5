/* The list, and the scenarios of the engine without a backup. */
#include "scenario.h"

#include <string.h>

#include "engine/capture.h"
#include "engine/error.h"

const scenario *const sweep_scenarios[] = {&sweep_commit, &sweep_checkpoint, &sweep_log_switch,
    &sweep_open, &sweep_recovery, &sweep_unsynced, &sweep_compact, &sweep_backup,
    &sweep_backup_again, &sweep_backup_clean, &sweep_update, &sweep_database, &sweep_callbacks,
    &sweep_restore, &sweep_capture, &sweep_apply, NULL};

const scenario *sweep_find(const char *name)
{
    for (size_t i = 0; sweep_scenarios[i] != NULL; i++) {
        if (strcmp(sweep_scenarios[i]->name, name) == 0) {
            return sweep_scenarios[i];
        }
    }
    return NULL;
}

/* An environment with a few commits, closed. */
static int prepare(world *w)
{
    int error = world_open(w);
    if (error == 0) {
        error = world_commits(w, 5);
    }
    return error == 0 ? world_close(w) : error;
}

static int prepare_large(world *w)
{
    w->large = true;
    return prepare(w);
}

static int commits(world *w)
{
    int error = world_commits(w, 3);
    return error == 0 ? world_close(w) : error;
}

const scenario sweep_commit = {.name = "commit",
    .about = "commits that write, make and remove databases",
    .prepare = prepare,
    .begin = world_open,
    .act = commits,
    .check = world_check_source};

static int checkpoints(world *w)
{
    int error = 0;
    for (int i = 0; i < 2 && error == 0; i++) {
        error = world_commits(w, 2);
        if (error == 0) {
            error = ref_checkpoint(w->env, false);
        }
    }
    if (error == 0) {
        error = world_commit(w);
    }
    return error == 0 ? world_close(w) : error;
}

const scenario sweep_checkpoint = {.name = "checkpoint",
    .about = "checkpoints between commits",
    .prepare = prepare,
    .begin = world_open,
    .act = checkpoints,
    .check = world_check_source};

/* Each commit takes most of a segment; what nothing needs is removed. */
static int log_switch(world *w)
{
    uint32_t *none;
    size_t count;
    int error = world_commits(w, 2);
    if (error == 0) {
        error = ref_checkpoint(w->env, true);
    }
    if (error == 0) {
        error = ref_log_archive(w->env, REF_ARCHIVE_REMOVE, &none, &count);
    }
    if (error == 0) {
        error = world_commit(w);
    }
    return error == 0 ? world_close(w) : error;
}

const scenario sweep_log_switch = {.name = "log-switch",
    .about = "commits that begin log segments, and removal of old ones",
    .prepare = prepare_large,
    .begin = world_open,
    .act = log_switch,
    .check = world_check_source};

static int open_and_close(world *w)
{
    int error = world_open(w);
    if (error == 0) {
        error = world_commit(w);
    }
    return error == 0 ? world_close(w) : error;
}

/* From nothing. What was never acknowledged may be half there: then it is made anew. */
static int check_new(const world *w, ref_vfs *vfs, char *why)
{
    world again = {.vfs = vfs, .tried = w->tried, .log_dir = w->log_dir};
    if (w->acked > 0) {
        return world_check_source(w, vfs, why);
    }
    if (world_open(&again) != 0) {
        return world_wrong(why, "cannot be made anew: ", ref_error_text());
    }
    return world_close(&again) == 0 ? 0 : world_wrong(why, "does not close: ", ref_error_text());
}

static int prepare_nothing(world *w)
{
    (void)w;
    return 0;
}

const scenario sweep_open = {.name = "open",
    .about = "making an environment and its databases",
    .prepare = prepare_nothing,
    .act = open_and_close,
    .check = check_new};

/* A process that was killed between two checkpoints. */
static int prepare_killed(world *w)
{
    int error = prepare(w);
    if (error == 0) {
        error = world_open(w);
    }
    if (error == 0) {
        error = world_commits(w, 2);
    }
    if (error == 0) {
        error = ref_checkpoint(w->env, false);
    }
    if (error == 0) {
        error = world_commits(w, 3);
    }
    if (error == 0) {
        world_kill(w);
    }
    return error;
}

const scenario sweep_recovery = {.name = "recovery",
    .about = "opening an environment whose owner was killed",
    .prepare = prepare_killed,
    .act = open_and_close,
    .check = world_check_source};

/* And one whose last commit was written and could not be synced: recovery finds it, and whatever
 * is built on it must not lose it. */
static int fail_to_sync(world *w)
{
    static const char text[] = "rule once on sync do failsync profile=keep err=EIO";
    fault_plan *plan;
    fault_run *run;
    fault_plan_error bad;
    int error = fault_plan_parse(text, sizeof text - 1, &plan, &bad);
    if (error != 0) {
        return error;
    }
    error = fault_run_new(plan, &run);
    if (error == 0) {
        error = world_open(w);
    }
    if (error == 0) {
        fault_disk_watch(w->disk, run, NULL);
        error = world_commit(w) == REF_RUNRECOVERY ? 0 : SWEEP_WRONG;
        fault_disk_watch(w->disk, NULL, NULL);
        world_close(w);
    }
    fault_run_free(run);
    fault_plan_free(plan);
    return error;
}

const scenario sweep_unsynced = {.name = "unsynced",
    .about = "opening an environment whose last commit was written and not synced",
    .prepare = prepare,
    .begin = fail_to_sync,
    .act = open_and_close,
    .check = world_check_source};

/* Large values that small ones have replaced leave pages that nobody needs. */
static int prepare_holes(world *w)
{
    w->large = true;
    int error = world_open(w);
    if (error == 0) {
        error = world_commits(w, 6);
    }
    w->large = false;
    if (error == 0) {
        error = world_commits(w, 6);
    }
    return error == 0 ? world_close(w) : error;
}

static int compact(world *w)
{
    int error = ref_db_compact(w->dbs[0], NULL, NULL, NULL);
    if (error == 0) {
        error = world_commit(w);
    }
    return error == 0 ? world_close(w) : error;
}

const scenario sweep_compact = {.name = "compact",
    .about = "moving pages down and cutting the file",
    .prepare = prepare_holes,
    .begin = world_open,
    .act = compact,
    .check = world_check_source};
