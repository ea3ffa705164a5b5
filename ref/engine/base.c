/* The copy that an update adds log to: what it has, and whether the environment's log follows. */
#include "base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "label.h"

#define FULL "take a full backup"

/* ---- what the copy has ---- */

/* The words of what was found wrong in the copy become the reason why it is no base. */
static int no_base(const char *target)
{
    char why[512];
    snprintf(why, sizeof why, "%s", ref_error_text());
    return ref_fail(EINVAL, "%s: no base for an update: %s; " FULL, target, why);
}

static int refuse_unfinished(ref_vfs *vfs, const char *target)
{
    ref_stat stat;
    char *path = ref_path_join(target, REF_MARKER_NAME);
    int error = path == NULL ? ENOMEM : vfs->lstat(vfs, path, &stat);
    free(path);
    if (error == 0) {
        return ref_fail(
            EINVAL, "%s: no base for an update: a backup into it was not finished; " FULL, target);
    }
    return error == ENOENT ? 0 : ref_fail(error, "%s/%s", target, REF_MARKER_NAME);
}

/* Where the copy's recovery begins, and how far its log is known to go. */
static int read_positions(ref_vfs *vfs, const char *target, ref_base *base, uint64_t *durable)
{
    ref_control control;
    ref_label label;
    int control_error = ref_control_read(vfs, target, &control);
    if (control_error != 0 && control_error != ENOENT) {
        return no_base(target);
    }
    base->recovered = control_error == 0;
    if (base->recovered && !control.copy) {
        return ref_fail(EINVAL,
            "%s: no base for an update: it has been written to since it was copied; " FULL, target);
    }
    int label_error = ref_label_read(vfs, target, &label);
    if (label_error != 0 && label_error != ENOENT) {
        return no_base(target);
    }
    base->labelled = label_error == 0;
    base->replayed = base->recovered ? control.redo : label.redo;
    *durable = base->recovered && control.durable > label.end ? control.durable : label.end;
    return 0;
}

static int read_log(ref_vfs *vfs, const char *target, uint64_t durable, ref_base *base)
{
    uint32_t oldest, newest = 0;
    ref_stat stat;
    int error = vfs->stat(vfs, base->log_path, &stat);
    if (error == 0) {
        error = ref_log_segments(vfs, base->log_path, &oldest, &newest);
    }
    if (error != 0 && error != ENOENT && error != ENOTDIR) {
        return ref_fail(error, "%s", base->log_path);
    }
    if (newest == 0) {
        return ref_fail(EINVAL, "%s: no base for an update: there is no log in %s; " FULL, target,
            base->log_path);
    }
    error = ref_log_scan_segments(
        vfs, base->log_path, REF_LSN_SEGMENT(base->replayed), durable, &base->log);
    if (error == REF_CORRUPT || error == REF_VERSION) {
        return no_base(target);
    }
    if (error == 0 && base->log.end == 0) {
        return ref_fail(EINVAL, "%s: no base for an update: its log holds nothing; " FULL, target);
    }
    return error;
}

int ref_base_read(ref_vfs *vfs, const char *target, const char *log_dir, ref_base *out)
{
    uint64_t durable = 0;
    *out = (ref_base){.log_path = ref_path_join(target, log_dir)};
    if (out->log_path == NULL) {
        return ref_fail(ENOMEM, "%s", target);
    }
    int error = refuse_unfinished(vfs, target);
    if (error == 0) {
        error = read_positions(vfs, target, out, &durable);
    }
    if (error == 0) {
        error = read_log(vfs, target, durable, out);
    }
    out->first = out->replayed != 0 ? REF_LSN_SEGMENT(out->replayed) : out->log.oldest;
    return error;
}

void ref_base_free(ref_base *base)
{
    free(base->log_path);
    *base = (ref_base){0};
}

/* ---- whether the environment's log follows ---- */

static int differ(const ref_base *base, uint32_t number, size_t offset)
{
    return ref_fail(EINVAL,
        "%s/log.%010u: offset %zu: not what the environment's log has there: no base for an "
        "update; " FULL,
        base->log_path, number, offset);
}

/* A segment that both have: equal, as far as the copy's is whole. */
static int compare_segment(ref_env *env, const ref_base *base, uint32_t number)
{
    ref_segment ours = {0}, copied = {0};
    int error = ref_segment_load(env->vfs, env->log_path, number, &ours, NULL);
    if (error == 0) {
        error = ref_segment_load(env->vfs, base->log_path, number, &copied, NULL);
    }
    if (error == 0) {
        bool last = number == REF_LSN_SEGMENT(base->log.end);
        size_t size = last ? REF_LSN_OFFSET(base->log.end) : copied.size, at = 0;
        while (at < size && at < ours.size && ours.bytes[at] == copied.bytes[at]) {
            at++;
        }
        if (at < size || (!last && ours.size != size)) {
            error = differ(base, number, at);
        }
    }
    ref_segment_unload(&ours);
    ref_segment_unload(&copied);
    return error;
}

/* The environment has only what follows: that says where the segment before it ended. */
static int check_joint(ref_env *env, const ref_base *base, uint32_t next)
{
    ref_segment ours;
    int error = ref_segment_load(env->vfs, env->log_path, next, &ours, NULL);
    if (error == 0 && (ours.header.previous_end != base->log.end ||
                          ours.header.previous_incarnation != base->log.incarnation)) {
        error = ref_fail(EINVAL,
            "%s: no base for an update: its log ends in segment %u at offset %u, and the "
            "environment no longer has what follows; " FULL,
            base->log_path, REF_LSN_SEGMENT(base->log.end), REF_LSN_OFFSET(base->log.end));
    }
    ref_segment_unload(&ours);
    return error;
}

/* An adopted database was rewritten where it lay: its pages are in no log. */
static int refuse_adopted(void *context, const ref_record *record)
{
    const ref_base *base = context;
    if (record->type != REF_RECORD_ADOPT || record->lsn < base->log.end) {
        return 0;
    }
    return ref_fail(EINVAL,
        "%s: no base for an update: a database was taken into the environment since (log segment "
        "%u, offset %u), and its pages are in no log; " FULL,
        base->log_path, REF_LSN_SEGMENT(record->lsn), REF_LSN_OFFSET(record->lsn));
}

/* The segment in which the base ends is copied again if anything of it is missing, or if behind
 * it lies what a later segment would make damage. */
static int first_to_copy(ref_env *env, const ref_base *base, uint64_t end, uint32_t *first)
{
    uint32_t last = REF_LSN_SEGMENT(base->log.end);
    ref_stat stat;
    char *path = ref_segment_path(env->log_path, last);
    int error = path == NULL ? ENOMEM : env->vfs->stat(env->vfs, path, &stat);
    free(path);
    if (error != 0 && error != ENOENT) {
        return ref_fail(error, "%s/log.%010u", env->log_path, last);
    }
    if (error == ENOENT && base->log.tail > 0) {
        return ref_fail(EINVAL,
            "%s: no base for an update: the environment no longer has segment %u, whose end is "
            "torn here; " FULL,
            base->log_path, last);
    }
    bool complete = error == ENOENT ||
                    (REF_LSN_SEGMENT(end) > last && stat.size == REF_LSN_OFFSET(base->log.end));
    *first = complete && base->log.tail == 0 ? last + 1 : last;
    return 0;
}

int ref_base_follow(
    ref_env *env, const ref_base *base, uint32_t oldest, uint64_t end, uint32_t *first)
{
    uint32_t from = base->first > oldest ? base->first : oldest;
    uint32_t last = REF_LSN_SEGMENT(base->log.end);

    *first = 0;
    if (!ref_id_equal(&base->log.environment, &env->id)) {
        return ref_fail(EINVAL, "%s: no base for an update: it is a copy of another environment",
            base->log_path);
    }
    if (end < base->log.end) {
        return ref_fail(EINVAL,
            "%s: no base for an update: its log goes beyond the environment's; " FULL,
            base->log_path);
    }
    int error = oldest > last ? check_joint(env, base, oldest) : 0;
    for (uint32_t number = from; number <= last && error == 0; number++) {
        error = compare_segment(env, base, number);
    }
    if (error == 0) {
        error = ref_log_replay(env->vfs, env->log_path, oldest > last ? oldest : last, end,
            refuse_adopted, (void *)base);
    }
    return error == 0 && end > base->log.end ? first_to_copy(env, base, end, first) : error;
}
