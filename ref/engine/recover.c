#include "recover.h"

#include <errno.h>
#include <stdlib.h>

#include "label.h"

/* A copy's log begins and ends where its label says, or it has lost something. One that was
 * recovered has no use for the beginning any more. */
static int check_label(const recovery *rec, const ref_control *control, const ref_label *label)
{
    const char *log_path = rec->env->log_path;
    if (label->redo == 0) {
        return 0; /* no label */
    }
    if (!ref_id_equal(&label->environment, &rec->scan.environment)) {
        return ref_fail(REF_CORRUPT, "%s: the log belongs to another environment than %s/%s",
            log_path, rec->env->home, REF_LABEL_NAME);
    }
    if (control == NULL && rec->scan.oldest > REF_LSN_SEGMENT(label->redo)) {
        return ref_fail(REF_CORRUPT, "%s/log.%010u: this log segment of the backup is missing",
            log_path, REF_LSN_SEGMENT(label->redo));
    }
    return 0;
}

static int read_log(recovery *rec, const ref_control *control)
{
    ref_env *env = rec->env;
    ref_label label = {0};
    uint32_t from = rec->fatal ? 0 : REF_LSN_SEGMENT(rec->redo);
    int error = rec->copy ? ref_label_read(env->vfs, env->home, &label) : 0;
    if (error != 0 && error != ENOENT) {
        return error;
    }
    uint64_t durable = label.end;
    if (control != NULL && control->durable > durable) {
        durable = control->durable;
    }
    error = ref_log_scan_segments(env->vfs, env->log_path, from, durable, &rec->scan);
    if (error == 0) {
        error = check_label(rec, control, &label);
    }
    if (error != 0) {
        return error;
    }
    if (rec->scan.newest == 0) {
        return ref_fail(REF_CORRUPT, "%s: no log segment is there, but the control file names %u",
            env->log_path, REF_LSN_SEGMENT(control->redo));
    }
    if (control != NULL && !ref_id_equal(&control->environment, &rec->scan.environment)) {
        return ref_fail(REF_CORRUPT, "%s: the log belongs to another environment than %s/%s",
            env->log_path, env->home, REF_CONTROL_NAME);
    }
    rec->from = from != 0 ? from : rec->scan.oldest;
    return 0;
}

/* Cuts off what is behind the last whole group and makes what is before it durable. */
static int settle_tail(recovery *rec)
{
    ref_env *env = rec->env;
    ref_vfs *vfs = env->vfs;
    ref_file *file;
    int error = 0;

    if (rec->scan.torn_segment) {
        char *path = ref_segment_path(env->log_path, rec->scan.newest);
        error = path != NULL ? vfs->unlink(vfs, path) : ENOMEM;
        free(path);
        if (error != 0) {
            return ref_fail(error, "log.%010u: remove a torn segment", rec->scan.newest);
        }
    }
    uint32_t number = REF_LSN_SEGMENT(rec->scan.end);
    char *path = ref_segment_path(env->log_path, number);
    if (path == NULL) {
        return ref_fail(ENOMEM, "log.%010u", number);
    }
    error = vfs->open(vfs, path, REF_O_WRITE, 0, &file);
    if (error == 0) {
        if (rec->scan.tail > 0) {
            error = vfs->truncate(file, REF_LSN_OFFSET(rec->scan.end));
        }
        if (error == 0) {
            error = vfs->fsync(file);
        }
        vfs->close(file);
    }
    if (error == 0) {
        error = vfs->fsync_dir(vfs, env->log_path);
    }
    if (error != 0) {
        ref_fail(error, "%s: cut off a torn tail and sync", path);
    }
    free(path);
    return error;
}

static int redo(recovery *rec)
{
    ref_env *env = rec->env;
    int error =
        ref_log_replay(env->vfs, env->log_path, rec->from, rec->scan.end, rec_files_note, rec);
    if (error == 0) {
        error = rec_files_locate(rec);
    }
    if (error == 0) {
        error =
            ref_log_replay(env->vfs, env->log_path, rec->from, rec->scan.end, rec_pages_redo, rec);
    }
    if (error == 0) {
        error = rec_pages_finish(rec);
    }
    if (error == 0) {
        error = rec_files_finish(rec);
    }
    return error;
}

/* The files are at the log's end: that is the redo point now. */
static int conclude(recovery *rec)
{
    ref_env *env = rec->env;
    ref_log_position position = {.end = rec->scan.end,
        .incarnation = rec->scan.incarnation,
        .next_incarnation = rec->scan.incarnation,
        .new_segment = rec->copy || rec->scan.tail > 0 || rec->scan.torn_segment};
    int error = 0;

    if (rec->copy) {
        /* Whatever is written from here on is another history than the source's. */
        error = env->vfs->random(
            env->vfs, &position.next_incarnation, sizeof position.next_incarnation);
        if (error != 0) {
            return ref_fail(error, "%s: random number", env->home);
        }
    }
    env->last_commit = env->visible_commit = rec->scan.commit;
    env->redo = env->redo_next = env->checkpoint_end = rec->scan.end;
    env->checkpoint_at = env->vfs->now(env->vfs);
    ref_control control = {.environment = env->id,
        .sequence = env->control.sequence,
        .redo = rec->scan.end,
        .durable = rec->scan.end,
        .commit = rec->scan.commit,
        .copy = rec->copy};
    error = ref_control_write(env->vfs, env->home, env->file_mode, &control);
    env->control = control;
    if (error == 0) {
        error = rec_double_remove(rec);
    }
    if (error == 0) {
        error = ref_label_remove(env->vfs, env->home);
    }
    return error == 0 ? ref_log_create(env, &position, &env->log) : error;
}

int ref_recover(ref_env *env, const ref_control *control, bool fatal)
{
    recovery rec = {.env = env,
        .copy = control == NULL || control->copy,
        .fatal = fatal || control == NULL,
        .redo = control != NULL && !fatal ? control->redo : 0};

    int error = read_log(&rec, control);
    if (error == 0) {
        env->id = rec.scan.environment;
        error = settle_tail(&rec);
    }
    if (error == 0) {
        /* The log of a copy that was recovered goes on in the middle of its source's. */
        error = rec_double_open(&rec, rec.copy && control != NULL);
    }
    if (error == 0) {
        error = redo(&rec);
    }
    if (error == 0) {
        error = conclude(&rec);
    }
    rec_double_free(&rec);
    rec_pages_free(&rec);
    rec_files_free(&rec);
    return error;
}
