/* What must hold after a disturbance, whichever it was. */
#include "sweep.h"

#include <errno.h>
#include <stdio.h>

#include "engine/error.h"

uint64_t sweep_first(const sweep_options *options)
{
    return options->shard > 0 ? options->shard : sweep_step(options);
}

uint64_t sweep_step(const sweep_options *options)
{
    return options->shards > 0 ? options->shards : 1;
}

int sweep_prepare(const scenario *what, const sweep_options *options, world *master)
{
    int error = world_new(master, options->profile, options->seed);
    if (error == 0) {
        error = what->prepare(master);
    }
    if (error != 0) {
        fprintf(stderr, "%s: preparing: %d: %s\n", what->name, error, ref_error_text());
        return error > 0 ? error : EIO;
    }
    fault_disk_settle(master->disk);
    return 0;
}

void sweep_violation(const scenario *what, const char *how, const char *why)
{
    printf("VIOLATION %s: %s\n    again: engine_sweep --scenario %s %s\n", what->name, why,
        what->name, how);
    fflush(stdout);
}

/* ---- a power cut now ---- */

static uint32_t lose(void *context, const fault_question *question)
{
    (void)context;
    (void)question;
    return 0;
}

static uint32_t keep(void *context, const fault_question *question)
{
    (void)context;
    return question->answers - 1;
}

static int after_power_cut(const scenario *what, world *w, fault_answer_fn answer, char *why)
{
    fault_disk *image;
    char words[SWEEP_WHY] = "";
    if (fault_disk_crash(w->disk, answer, NULL, &image) != 0) {
        return world_wrong(why, "no memory", "");
    }
    int error = what->check(w, fault_disk_vfs(image), words);
    fault_disk_free(image);
    return error == 0 ? 0
                      : world_wrong(why,
                            answer == lose ? "after a power cut that lost all: "
                                           : "after a power cut that lost nothing: ",
                            words);
}

/* ---- life goes on ---- */

/* A backup to a new place, which must be good. */
static int back_up(const world *w, const char *target, char *why)
{
    char words[SWEEP_WHY] = "";
    ref_backup_options options = {.target = target, .flags = REF_BACKUP_CREATE};
    if (ref_backup(w->env, &options) != 0) {
        return world_wrong(why, "afterwards no backup is to be had: ", ref_error_text());
    }
    int error = world_look(w, w->vfs, target, w->acked, w->acked, NULL, words);
    return error == 0 ? 0 : world_wrong(why, "the backup made afterwards: ", words);
}

static int go_on(world *w, char *why)
{
    if (w->env != NULL && ref_env_state(w->env) != 0) {
        world_close(w);
    }
    if (w->env == NULL) {
        int error = world_open(w);
        if (error != 0) {
            return error == SWEEP_WRONG
                       ? world_wrong(why, "acknowledged commits are gone", "")
                       : world_wrong(why, "does not open again: ", ref_error_text());
        }
    }
    w->large = false;
    if (world_commits(w, 2) != 0) {
        return world_wrong(why, "afterwards no commit is to be had: ", ref_error_text());
    }
    int error = back_up(w, "/after", why);
    if (error == 0 && world_close(w) != 0) {
        error = world_wrong(why, "does not close: ", ref_error_text());
    }
    return error;
}

int sweep_aftermath(const scenario *what, world *w, int error, char *why)
{
    if (error == SWEEP_WRONG) {
        return world_wrong(why, "acknowledged commits are gone", "");
    }
    int wrong = after_power_cut(what, w, lose, why);
    if (wrong == 0) {
        wrong = after_power_cut(what, w, keep, why);
    }
    if (wrong == 0) {
        wrong = go_on(w, why);
    }
    return wrong == 0 ? what->check(w, w->vfs, why) : wrong;
}
