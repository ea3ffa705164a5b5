/*
 * The directory sink's last step: from temporaries to a copy, under the marker.
 *
 * The order is what makes it safe. The marker is durable before anything that was there goes, every
 * name of the copy is durable before the marker goes.
 */
#include "label.h"
#include "sink_dir_internal.h"

#include <errno.h>
#include <stdlib.h>

static int sync_dir(ref_dir_sink *sink, const char *path)
{
    int error = sink->vfs->fsync_dir(sink->vfs, path);
    return error == 0 ? 0 : ref_fail(error, "%s: sync directory", path);
}

static int make_marker(ref_dir_sink *sink)
{
    static const char words[] = "A backup into this directory has not been finished.\n";
    ref_vfs *vfs = sink->vfs;
    ref_stat stat;
    ref_file *file;
    char *path = ref_path_join(sink->target.path, REF_MARKER_NAME);
    if (path == NULL) {
        return ref_sink_no_memory(sink->target.path);
    }
    bool was_there = vfs->lstat(vfs, path, &stat) == 0;
    int error = vfs->open(vfs, path, REF_O_WRITE | REF_O_CREATE | REF_O_TRUNC | REF_O_NOFOLLOW,
        REF_SINK_FILE_MODE, &file);
    if (error == 0) {
        sink->marker_made = !was_there;
        error = ref_write_full(file, words, sizeof words - 1, 0);
        if (error == 0) {
            error = vfs->fsync(file);
        }
        int close_error = vfs->close(file);
        error = error != 0 ? error : close_error;
    }
    if (error != 0) {
        ref_fail(error, "%s", path);
    }
    free(path);
    return error == 0 ? sync_dir(sink, sink->target.path) : error;
}

static int remove_marker(ref_dir_sink *sink)
{
    char *path = ref_path_join(sink->target.path, REF_MARKER_NAME);
    if (path == NULL) {
        return ref_sink_no_memory(sink->target.path);
    }
    int error = sink->vfs->unlink(sink->vfs, path);
    if (error != 0) {
        ref_fail(error, "%s: remove", path);
    }
    free(path);
    if (error != 0) {
        return error;
    }
    /* From here on the copy is whole, whatever the last sync says: nothing is undone any more. */
    sink->finished = true;
    return sync_dir(sink, sink->target.path);
}

static bool is_own_name(const ref_sink_place *dir, const char *name)
{
    if (ref_target_is_temporary(name)) {
        return true;
    }
    return dir->name[0] == '\0' &&
           (strcmp(name, REF_MARKER_NAME) == 0 || strcmp(name, REF_TARGET_LOCK_NAME) == 0);
}

/* CLEAN, one directory: removes what is in it but not of this copy. Directories of the copy come by
 * themselves. */
static int clean_dir(ref_dir_sink *sink, const ref_sink_place *dir)
{
    ref_names names = {0};
    int error = ref_tree_list(sink->vfs, dir->path, &names);
    for (size_t i = 0; i < names.count && error == 0; i++) {
        if (is_own_name(dir, names.names[i])) {
            continue;
        }
        char *path = ref_path_join(dir->path, names.names[i]);
        char *name = ref_path_join(dir->name, names.names[i]);
        if (path == NULL || name == NULL) {
            error = ref_sink_no_memory(dir->path);
        } else {
            const ref_sink_place *below = ref_sink_find_place(sink, name);
            if (below == NULL || below->staged) {
                sink->destroyed = true;
                error =
                    ref_tree_remove(sink->vfs, path, sink->device, ref_sink_tell_removing, sink);
            }
        }
        free(path);
        free(name);
    }
    ref_names_free(&names);
    return error;
}

static int clean_target(ref_dir_sink *sink)
{
    for (const ref_sink_place *dir = sink->places; dir != NULL; dir = dir->next) {
        ref_stat stat;
        if (dir->made) {
            continue;
        }
        int error = sink->vfs->stat(sink->vfs, dir->path, &stat);
        if (error != 0) {
            return ref_fail(error, "%s", dir->path);
        }
        error = stat.device == sink->device ? clean_dir(sink, dir) : 0;
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int remove_stale_file(ref_dir_sink *sink, const ref_sink_place *dir, const char *name)
{
    ref_stat stat;
    char *path = ref_path_join(dir->path, name);
    if (path == NULL) {
        return ref_sink_no_memory(name);
    }
    int error = sink->vfs->lstat(sink->vfs, path, &stat);
    if (error == 0) {
        sink->destroyed = true;
        ref_sink_tell_removing(sink, path);
        error = sink->vfs->unlink(sink->vfs, path);
    }
    if (error != 0 && error != ENOENT) {
        ref_fail(error, "%s: remove", path);
    }
    free(path);
    return error == ENOENT ? 0 : error;
}

static bool is_of_copy(const ref_dir_sink *sink, const ref_sink_place *dir, const char *base)
{
    for (const ref_sink_file *file = sink->files; file != NULL; file = file->next) {
        if (file->dir == dir && strcmp(file->base, base) == 0) {
            return true;
        }
    }
    return false;
}

/* Log segments with a number below `before` that are not of this copy. */
static int remove_segments(ref_dir_sink *sink, const ref_sink_place *dir, uint64_t before)
{
    ref_names names = {0};
    int error = ref_tree_list(sink->vfs, dir->path, &names);
    for (size_t i = 0; i < names.count && error == 0; i++) {
        uint32_t number = ref_segment_of_name(names.names[i]);
        if (number != 0 && number < before && !is_of_copy(sink, dir, names.names[i])) {
            error = remove_stale_file(sink, dir, names.names[i]);
        }
    }
    ref_names_free(&names);
    return error;
}

/* The control file, label and log segments of an older copy. */
static int remove_stale(ref_dir_sink *sink)
{
    const ref_sink_place *dir = ref_sink_find_place(sink, sink->options.log_dir);
    int error = remove_stale_file(sink, sink->places, REF_CONTROL_NAME);
    if (error == 0 && !is_of_copy(sink, sink->places, REF_LABEL_NAME)) {
        error = remove_stale_file(sink, sink->places, REF_LABEL_NAME);
    }
    return error == 0 && dir != NULL ? remove_segments(sink, dir, UINT64_MAX) : error;
}

static int move_dirs(ref_dir_sink *sink)
{
    for (ref_sink_place *dir = sink->places; dir != NULL; dir = dir->next) {
        if (dir->staged) {
            int error = sink->vfs->rename(sink->vfs, dir->path, dir->final, true);
            if (error != 0) {
                return ref_fail(error, "%s: rename to %s", dir->path, dir->final);
            }
            dir->staged = false;
        }
        /* A directory in one that was staged is reached by its final path, too. */
        char *path = strdup(dir->final);
        if (path == NULL) {
            return ref_sink_no_memory(dir->final);
        }
        free(dir->path);
        dir->path = path;
    }
    return 0;
}

static int move_file(ref_dir_sink *sink, ref_sink_file *file)
{
    char *from = ref_path_join(file->dir->path, file->temporary);
    char *to = ref_path_join(file->dir->path, file->base);
    int error = ENOMEM;
    if (from != NULL && to != NULL) {
        sink->destroyed = sink->destroyed || !file->exclusive;
        error = sink->vfs->rename(sink->vfs, from, to, file->exclusive);
        file->moved = error == 0;
    }
    if (error != 0) {
        ref_fail(error, "%s/%s", file->dir->path, file->base);
    }
    free(from);
    free(to);
    return error;
}

static int move_files(ref_dir_sink *sink)
{
    int error = 0;
    for (ref_sink_file *file = sink->files; file != NULL && error == 0; file = file->next) {
        error = move_file(sink, file);
    }
    return error;
}

/* Makes every name of the copy durable, up to the first directory that was there before. */
static int sync_dirs(ref_dir_sink *sink)
{
    int error = 0;
    for (const ref_sink_place *dir = sink->places; dir != NULL && error == 0; dir = dir->next) {
        error = sync_dir(sink, dir->path);
    }
    for (size_t i = sink->made_above; i > 0 && error == 0; i--) {
        const char *made = sink->made.names[i - 1];
        const char *slash = strrchr(made, '/');
        char *above = slash == NULL ? strdup(".") : strndup(made, (size_t)(slash - made) + 1);
        error = above == NULL ? ref_sink_no_memory(made) : sync_dir(sink, above);
        free(above);
    }
    return error;
}

/* ---- an update ---- */

/* The segments that the copy's databases have in them already. */
static int clean_log(ref_dir_sink *sink)
{
    char *path = ref_path_join(sink->target.path, sink->options.log_dir);
    ref_sink_place dir = {.path = path};
    if (path == NULL) {
        return ref_sink_no_memory(sink->options.log_dir);
    }
    int error = remove_segments(sink, &dir, sink->options.update->needed_from);
    if (error == 0) {
        error = sync_dir(sink, path);
    }
    free(path);
    return error;
}

static int finish_update(ref_dir_sink *sink)
{
    int error = 0;
    for (ref_sink_file *file = sink->files; file != NULL && error == 0; file = file->next) {
        error = move_file(sink, file);
        if (error == 0) {
            error = sync_dir(sink, file->dir->path);
        }
    }
    if (error == 0 && (sink->target.flags & REF_BACKUP_CLEAN)) {
        error = clean_log(sink);
    }
    sink->finished = error == 0;
    return error;
}

/* ---- the order ---- */

int ref_dir_sink_finish(ref_dir_sink *sink)
{
    if (sink->options.update != NULL) {
        return finish_update(sink);
    }
    bool whole = sink->options.log_dir != NULL;
    int error = whole ? make_marker(sink) : 0;
    if (error == 0 && (sink->target.flags & REF_BACKUP_CLEAN)) {
        error = clean_target(sink);
    }
    if (error == 0 && whole && !ref_sink_removes_nothing(sink)) {
        error = remove_stale(sink);
    }
    if (error == 0) {
        error = move_dirs(sink);
    }
    if (error == 0) {
        error = move_files(sink);
    }
    if (error == 0) {
        error = sync_dirs(sink);
    }
    if (error == 0 && whole) {
        error = remove_marker(sink);
    }
    sink->finished = sink->finished || error == 0;
    return error;
}
