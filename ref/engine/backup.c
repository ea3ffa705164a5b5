/*
 * Hot backup: what is done in which order.
 *
 * The order is the whole secret. First the log is pinned, so that from the redo point on nothing
 * of it can go. Then it is decided what there is to copy, and everything that may be refused is
 * refused. Database files are copied while they change; whatever such a copy lacks, or has torn
 * or mixed, was logged after the redo point. So the log is copied last, up to its end as it
 * stands after the last page: replaying it over the copy gives every page of every file a state
 * that is at least as new as the newest that was copied. Then the sink puts everything into its
 * place, and only then the log is let go.
 *
 * Without logs there is nothing to replay. Then the databases are copied as one commit left
 * them, the last before the copying began.
 *
 * An update is the other half alone: the log, from where the copy's ends. Whether the two belong
 * together is what base.c finds out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "backup_copy.h"
#include "backup_plan.h"
#include "base.h"
#include "label.h"
#include "sink_dir.h"
#include "tree.h"

#define KNOWN_FLAGS                                                                   \
    (REF_BACKUP_CREATE | REF_BACKUP_EXCLUSIVE | REF_BACKUP_CLEAN | REF_BACKUP_FILES | \
        REF_BACKUP_NO_LOGS | REF_BACKUP_SINGLE_DIR | REF_BACKUP_UPDATE)

/* One backup, from its checks to its end. */
typedef struct backup {
    ref_env *env;
    const ref_backup_options *options;
    bool to_directory; /* not to a caller's sink */
    bool with_logs;
    bool one_database;
    ref_target target;        /* of the directory */
    const ref_target *around; /* of a stage: where it is made */
    ref_plan plan;
    ref_pin pin;
    bool pinned;
    ref_snapshot still; /* without logs */
    bool is_still;
    ref_env *staged; /* see stage() */
    char *stage_path;
    ref_base base; /* of an update */
    ref_sink_update extension;
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
    if ((options->flags & REF_BACKUP_UPDATE) && !b->with_logs) {
        return ref_fail(EINVAL, "backup: an update is log, and none is to be copied");
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
    } else if (b->env->guest) {
        error = refuse_unstaged(b);
        error = error == 0 ? ref_guest_refresh(b->env) : error;
    } else {
        error = begin_still(b, b->env);
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

/* What an interrupted backup has left of the next thing. Nobody else makes one here now: the
 * target is locked. */
static int remove_stage(const backup *b)
{
    ref_vfs *vfs = b->env->vfs;
    ref_stat stat;
    int error = vfs->lstat(vfs, b->stage_path, &stat);
    if (error == 0) {
        return ref_tree_remove(vfs, b->stage_path, stat.device, NULL, NULL);
    }
    return error == ENOENT ? 0 : ref_fail(error, "%s", b->stage_path);
}

static int back_up_around(
    ref_env *env, const ref_backup_options *options, const ref_target *around);

/* A database alone does not care where the others and the log lie. */
static int fill_stage(backup *b, unsigned *single)
{
    ref_backup_options whole = {.target = b->stage_path,
        .flags = REF_BACKUP_CREATE | *single,
        .buffer_size = b->options->buffer_size,
        .pause_pages = b->options->pause_pages,
        .pause_nanoseconds = b->options->pause_nanoseconds,
        .log_limit = b->options->log_limit};
    int error = back_up_around(b->env, &whole, &b->target);
    if (error == EINVAL && b->one_database) {
        *single = REF_BACKUP_SINGLE_DIR;
        whole.flags |= *single;
        error = back_up_around(b->env, &whole, &b->target);
    }
    return error;
}

/*
 * Without logs the copy must be whole by itself, and only the owner has the pages of one commit.
 * So a guest makes a whole copy beside, inside the target, recovers that, and copies from it,
 * what databases there are included.
 */
static int stage(backup *b)
{
    unsigned single = b->options->flags & REF_BACKUP_SINGLE_DIR;
    int error = fill_stage(b, &single);
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
    if (error == 0) {
        error = begin_still(b, b->staged);
    }
    return error == 0 && !b->one_database
               ? ref_plan_renew_databases(b->staged, b->options->flags, &b->plan)
               : error;
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
        remove_stage(b);
        free(b->stage_path);
        b->stage_path = NULL;
    }
}

static int open_directory(backup *b, const char *log_dir, const ref_sink_update *update)
{
    ref_dir_sink_options options = {.log_dir = log_dir,
        .update = update,
        .direct = b->options->direct,
        .progress = b->options->progress,
        .notice = b->options->notice,
        .progress_context = b->options->progress_context};
    int error = ref_dir_sink_begin(&b->target, &options, &b->directory);
    if (error != 0 || update != NULL) {
        return error;
    }
    b->stage_path = ref_path_join(b->target.path, REF_TARGET_OWN_PREFIX "stage");
    error = b->stage_path == NULL ? ref_fail(ENOMEM, "backup into %s", b->target.path)
                                  : remove_stage(b);
    for (size_t i = 0; i < b->plan.dirs.count && error == 0; i++) {
        error = ref_dir_sink_add_dir(b->directory, b->plan.dirs.names[i]);
    }
    return error;
}

static int open_output(backup *b, const char *log_dir)
{
    int error = b->to_directory ? open_directory(b, log_dir, NULL) : 0;
    if (error == 0 && b->env->guest && !b->with_logs) {
        error = stage(b);
    }
    if (error != 0) {
        return error;
    }
    ref_env *from = b->staged != NULL ? b->staged : b->env;
    const ref_sink *sink = b->to_directory ? ref_dir_sink_interface(b->directory) : NULL;
    const ref_snapshot *still = b->is_still ? &b->still : NULL;
    return ref_copier_init(&b->copier, from, b->options, sink, still, b->pin.redo);
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

/* What tells a copy whose log is whole from one that has lost an end of it. Callbacks get no
 * label: to them a file is a file. */
static int write_label(backup *b, uint64_t redo, uint64_t end)
{
    uint8_t bytes[REF_LABEL_SIZE];
    ref_label label = {.environment = b->env->id, .redo = redo, .end = end};
    const ref_sink *sink = ref_dir_sink_interface(b->directory);
    void *file;

    ref_label_write(bytes, &label);
    int error = sink->open(sink->context, REF_LABEL_NAME, &file);
    if (error != 0) {
        return error;
    }
    error = sink->write(sink->context, file, 0, bytes, sizeof bytes);
    int close_error = sink->close(sink->context, REF_LABEL_NAME, file);
    return error != 0 ? error : close_error;
}

static int copy_segments(backup *b, uint64_t first, uint64_t end)
{
    uint64_t last = REF_LSN_SEGMENT(end);
    int error = 0;
    for (uint64_t segment = first; segment <= last && error == 0; segment++) {
        uint64_t limit = segment == last ? REF_LSN_OFFSET(end) : UINT64_MAX;
        char *name = ref_plan_segment_name(&b->plan, (uint32_t)segment);
        error = name == NULL ? ref_fail(ENOMEM, "backup: log")
                             : ref_copy_segment(&b->copier, (uint32_t)segment, limit, name);
        free(name);
    }
    return error;
}

static int copy_log(backup *b)
{
    uint64_t end;
    int error = ref_log_copy_end(b->env, REF_LSN_SEGMENT(b->pin.redo), &end);
    if (error == 0) {
        error = copy_segments(b, REF_LSN_SEGMENT(b->pin.redo), end);
    }
    return error == 0 && b->to_directory ? write_label(b, b->pin.redo, end) : error;
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
    ref_base_free(&b->base);
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
        error = ref_plan_items(b->env, flags, b->around != NULL ? b->around : target, &b->plan);
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

/* ---- an update ---- */

/* Where the caller's sink keeps its copy, and what it has, only the caller knows: it gets all. */
static int find_all(backup *b, uint32_t *first, uint64_t *end)
{
    uint32_t newest;
    ref_pin_keep(b->env, &b->pin, 0);
    int error = ref_log_segments(b->env->vfs, b->env->log_path, first, &newest);
    return error == 0 ? ref_log_copy_end(b->env, *first, end) : error;
}

/* Reads the base, which is locked, and finds what it lacks. */
static int find_missing(backup *b, uint32_t *first, uint64_t *end)
{
    int error = ref_base_read(b->env->vfs, b->target.path, b->plan.log_dir, &b->base);
    if (error != 0) {
        return error;
    }
    uint32_t last = REF_LSN_SEGMENT(b->base.log.end), oldest, newest;
    ref_pin_keep(b->env, &b->pin, b->base.first);
    error = ref_log_segments(b->env->vfs, b->env->log_path, &oldest, &newest);
    if (error == 0) {
        error = ref_log_copy_end(b->env, last > oldest ? last : oldest, end);
    }
    if (error == 0) {
        error = ref_base_follow(b->env, &b->base, oldest, *end, first);
    }
    b->extension.needed_from = b->base.recovered ? REF_LSN_SEGMENT(b->base.replayed) : 0;
    return error;
}

/* A segment that the base lacks may not be there, if EXCLUSIVE, and no directory or link anyway. */
static int check_places(const backup *b, uint64_t first, uint64_t end)
{
    ref_target target = b->target;
    int error = 0;
    for (uint64_t segment = first; segment <= REF_LSN_SEGMENT(end) && error == 0; segment++) {
        bool extends = segment == REF_LSN_SEGMENT(b->base.log.end);
        char *name = ref_plan_segment_name(&b->plan, (uint32_t)segment);
        target.flags = extends ? 0 : b->target.flags & REF_BACKUP_EXCLUSIVE;
        error =
            name == NULL ? ref_fail(ENOMEM, "backup: log") : ref_target_check_file(&target, name);
        free(name);
    }
    return error;
}

static int copy_update(backup *b, uint32_t first, uint64_t end)
{
    const ref_sink *sink = b->to_directory ? ref_dir_sink_interface(b->directory) : NULL;
    int error = ref_copier_init(&b->copier, b->env, b->options, sink, NULL, b->pin.redo);
    if (error == 0) {
        error = copy_segments(b, first, end);
    }
    bool labels = b->to_directory && (b->base.labelled || b->base.recovered);
    return error == 0 && labels ? write_label(b, b->base.replayed, end) : error;
}

static int begin_update(backup *b)
{
    int error = ref_plan_directories(b->env, b->options->flags, &b->plan);
    if (error == 0 && b->to_directory && !b->target.exists) {
        error = ref_fail(EINVAL, "%s: no base for an update: it is not there", b->target.path);
    }
    if (error == 0) {
        error = claim(b);
    }
    return error == 0 && b->to_directory ? open_directory(b, b->plan.log_dir, &b->extension)
                                         : error;
}

static int update(backup *b)
{
    uint32_t first = 0;
    uint64_t end = 0;
    char *extends = NULL;
    int error = begin_update(b);
    if (error == 0) {
        error = b->to_directory ? find_missing(b, &first, &end) : find_all(b, &first, &end);
    }
    if (error == 0 && b->to_directory) {
        extends = ref_plan_segment_name(&b->plan, REF_LSN_SEGMENT(b->base.log.end));
        b->extension.extends = extends;
        error = extends == NULL ? ref_fail(ENOMEM, "backup: log") : 0;
    }
    if (error == 0 && b->to_directory && first != 0) {
        error = check_places(b, first, end);
    }
    if (error == 0 && first != 0) {
        error = copy_update(b, first, end);
    }
    error = error == 0 ? finish(b) : error;
    b->extension.extends = NULL;
    free(extends);
    return error;
}

/* ---- the calls ---- */

static int back_up_around(ref_env *env, const ref_backup_options *options, const ref_target *around)
{
    backup b;
    int error = begin(&b, env, options, KNOWN_FLAGS);
    b.around = around;
    if (error == 0) {
        error = options->flags & REF_BACKUP_UPDATE ? update(&b) : run(&b);
    }
    return end(&b, error);
}

int ref_backup(ref_env *env, const ref_backup_options *options)
{
    return back_up_around(env, options, NULL);
}

static int run_database(backup *b, const char *name)
{
    bool gone = false;
    int error = claim(b);
    if (error == 0) {
        error = ref_plan_database(b->env, name, &b->plan);
    }
    if (error == 0) {
        error = check(b);
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
    b.one_database = true;
    return end(&b, error == 0 ? run_database(&b, name) : error);
}
