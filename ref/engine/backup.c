/*
 * Hot backup: what is done in which order.
 *
 * The order is the whole secret. First the log is pinned, so that from the redo point on nothing of
 * it can go. Then it is decided what there is to copy, and everything that may be refused is
 * refused. Database files are copied while they change; whatever such a copy lacks, or has torn or
 * mixed, was logged after the redo point. So the log is copied last, up to its end as it stands after
 * the last page: replaying it over the copy gives every page of every file a state that is at least
 * as new as the newest that was copied. Then the sink puts everything into its place, and only then
 * the log is let go.
 *
 * Without logs there is nothing to replay. Then the databases are copied as one commit left them, the
 * last before the copying began.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "backup_copy.h"
#include "backup_plan.h"
#include "sink_dir.h"
#include "tree.h"

#define KNOWN_FLAGS                                                                   \
    (REF_BACKUP_CREATE | REF_BACKUP_EXCLUSIVE | REF_BACKUP_CLEAN | REF_BACKUP_FILES | \
        REF_BACKUP_NO_LOGS | REF_BACKUP_SINGLE_DIR)

/* One backup, from its checks to its end. */
typedef struct backup {
    ref_env *env;
    const ref_backup_options *options;
    bool to_directory; /* not to a caller's sink */
    bool with_logs;
    ref_target target; /* of the directory */
    ref_plan plan;
    ref_pin pin;
    bool pinned;
    ref_snapshot still; /* without logs */
    bool is_still;
    ref_env *staged; /* see stage() */
    char *stage_path;
    ref_dir_sink *directory;
    ref_copier copier;
} backup;

static int begin(backup *b, ref_env *env, const ref_backup_options *options, unsigned known_flags)
{
    *b = (backup){.env = env,
        .options = options,
        .to_directory = options->sink == NULL,
        .with_logs = !(options->flags & REF_BACKUP_NO_LOGS)};
    ref_error_clear();
    if (options->flags & ~known_flags) {
        return ref_fail(EINVAL, "backup: unknown flags %x", options->flags & ~known_flags);
    }
    if (env->alone) {
        return ref_fail(EINVAL, "backup: this database has no environment");
    }
    int error = ref_env_state(env);
    if (error == 0 && b->to_directory) {
        error = ref_target_check(env, options->target, options->flags, &b->target);
    }
    return error;
}

static int begin_still(backup *b, ref_env *env)
{
    int error = ref_still_begin(env, &b->still);
    b->is_still = error == 0;
    return error;
}

static int refuse_unstaged(const backup *b)
{
    return b->to_directory
               ? 0
               : ref_fail(EOPNOTSUPP,
                     "backup without logs of an environment that another process owns: it needs a "
                     "directory, not callbacks");
}

/* Makes sure that what is copied can be made whole: see the top. */
static int claim(backup *b)
{
    int error;
    if (b->with_logs) {
        error = ref_pin_take(b->env, &b->pin);
        b->pinned = error == 0;
    } else {
        error = b->env->guest ? refuse_unstaged(b) : begin_still(b, b->env);
    }
    return error;
}

/* What is left is refused here, before anything is written. */
static int check(backup *b)
{
    if (!b->to_directory) {
        return 0;
    }
    uint32_t first = b->with_logs ? REF_LSN_SEGMENT(b->pin.redo) : 0;
    uint64_t end = 0;
    int error = b->with_logs ? ref_log_copy_end(b->env, first, &end) : 0;
    return error == 0 ? ref_plan_check(&b->plan, &b->target, first, REF_LSN_SEGMENT(end)) : error;
}

/*
 * Without logs the copy must be whole by itself, and only the owner has the pages of one commit. So a guest makes a whole copy
 * beside, inside the target, recovers that, and copies from it.
 */
static int stage(backup *b)
{
    unsigned single = b->options->flags & REF_BACKUP_SINGLE_DIR;
    ref_backup_options whole = {.flags = REF_BACKUP_CREATE | REF_BACKUP_CLEAN | single,
        .buffer_size = b->options->buffer_size,
        .log_limit = b->options->log_limit};

    b->stage_path = ref_path_join(b->target.path, REF_TARGET_OWN_PREFIX "stage");
    if (b->stage_path == NULL) {
        return ref_fail(ENOMEM, "backup into %s", b->target.path);
    }
    whole.target = b->stage_path;
    int error = ref_backup(b->env, &whole);
    if (error != 0) {
        return error;
    }
    ref_env_options options = {.vfs = b->env->vfs, .home = b->stage_path};
    if (single == 0) {
        options.data_dirs = (const char *const *)b->env->data_dirs;
        options.data_dir_count = b->env->data_dir_count;
        options.log_dir = b->env->log_dir;
    }
    error = ref_env_open(&options, &b->staged);
    return error == 0 ? begin_still(b, b->staged) : error;
}

static void unstage(backup *b)
{
    if (b->staged != NULL) {
        if (b->is_still) {
            ref_still_end(b->staged, &b->still);
            b->is_still = false;
        }
        ref_env_close(b->staged);
        b->staged = NULL;
    }
    if (b->stage_path != NULL) {
        ref_stat stat;
        if (b->env->vfs->lstat(b->env->vfs, b->stage_path, &stat) == 0) {
            ref_tree_remove(b->env->vfs, b->stage_path, stat.device, NULL, NULL);
        }
        free(b->stage_path);
        b->stage_path = NULL;
    }
}

static int open_output(backup *b, const char *log_dir)
{
    const ref_sink *sink = NULL;
    int error = 0;
    if (b->to_directory) {
        ref_dir_sink_options options = {.log_dir = log_dir,
            .direct = b->options->direct,
            .progress = b->options->progress,
            .progress_context = b->options->progress_context};
        error = ref_dir_sink_begin(&b->target, &options, &b->directory);
        if (error != 0) {
            return error;
        }
        sink = ref_dir_sink_interface(b->directory);
    }
    for (size_t i = 0; i < b->plan.dirs.count && error == 0 && b->to_directory; i++) {
        error = ref_dir_sink_add_dir(b->directory, b->plan.dirs.names[i]);
    }
    if (error == 0 && b->env->guest && !b->with_logs) {
        error = stage(b);
    }
    ref_env *from = b->staged != NULL ? b->staged : b->env;
    const ref_snapshot *still = b->is_still ? &b->still : NULL;
    return error == 0 ? ref_copier_init(&b->copier, from, b->options, sink, still, b->pin.redo)
                      : error;
}

static int copy_items(backup *b)
{
    for (size_t i = 0; i < b->plan.count; i++) {
        bool gone;
        int error = ref_copy_item(&b->copier, &b->plan.items[i], &gone);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int copy_log(backup *b)
{
    uint64_t end;
    int error = ref_log_copy_end(b->env, REF_LSN_SEGMENT(b->pin.redo), &end);
    uint64_t first = REF_LSN_SEGMENT(b->pin.redo), last = REF_LSN_SEGMENT(end);

    for (uint64_t segment = first; segment <= last && error == 0; segment++) {
        uint64_t limit = segment == last ? REF_LSN_OFFSET(end) : UINT64_MAX;
        char *name = ref_plan_segment_name(&b->plan, (uint32_t)segment);
        error = name == NULL ? ref_fail(ENOMEM, "backup: log")
                             : ref_copy_segment(&b->copier, (uint32_t)segment, limit, name);
        free(name);
    }
    return error;
}

static int finish(backup *b)
{
    unstage(b);
    return b->to_directory ? ref_dir_sink_finish(b->directory) : 0;
}

/* Lets go of everything. The words of a failure stay, those of attempts that came to nothing go. */
static int end(backup *b, int error)
{
    char words[1024];
    snprintf(words, sizeof words, "%s", ref_error_text());
    unstage(b);
    if (error != 0) {
        ref_fail(-1, "%s", words); /* negative: the words have errno's text already */
    }
    if (b->directory != NULL) {
        ref_dir_sink_end(b->directory);
    }
    if (b->pinned) {
        ref_pin_drop(b->env, &b->pin);
    }
    if (b->is_still) {
        ref_still_end(b->env, &b->still);
    }
    ref_copier_clear(&b->copier);
    ref_plan_free(&b->plan);
    if (error == 0) {
        ref_error_clear();
    }
    return error;
}

static int run(backup *b)
{
    const ref_target *target = b->to_directory ? &b->target : NULL;
    unsigned flags = b->options->flags;

    int error = ref_plan_directories(b->env, flags, &b->plan);
    if (error == 0) {
        error = claim(b);
    }
    if (error == 0) {
        error = ref_plan_items(b->env, flags, target, &b->plan);
    }
    if (error == 0) {
        error = check(b);
    }
    if (error == 0 && b->to_directory) {
        error = ref_target_check_home(&b->target, b->plan.log_dir);
    }
    if (error == 0) {
        error = open_output(b, b->plan.log_dir);
    }
    if (error == 0) {
        error = copy_items(b);
    }
    if (error == 0 && b->with_logs) {
        error = copy_log(b);
    }
    return error == 0 ? finish(b) : error;
}

int ref_backup(ref_env *env, const ref_backup_options *options)
{
    backup b;
    int error = begin(&b, env, options, KNOWN_FLAGS);
    return end(&b, error == 0 ? run(&b) : error);
}

static int run_database(backup *b, const char *name)
{
    bool gone = false;
    int error = ref_plan_database(b->env, name, &b->plan);
    if (error == 0) {
        error = check(b);
    }
    if (error == 0) {
        error = claim(b);
    }
    if (error == 0) {
        error = open_output(b, NULL);
    }
    if (error == 0) {
        error = ref_copy_item(&b->copier, &b->plan.items[0], &gone);
    }
    if (error == 0 && gone) {
        error = ref_fail(ENOENT, "%s: removed before it could be copied", name);
    }
    return error == 0 ? finish(b) : error;
}

int ref_backup_database(ref_env *env, const char *name, const ref_backup_options *options)
{
    backup b;
    int error = begin(&b, env, options, REF_BACKUP_EXCLUSIVE);
    b.with_logs = false;
    return end(&b, error == 0 ? run_database(&b, name) : error);
}
