/* The directory sink: a backup's files in a directory, all of them or none. */
#include "label.h"
#include "sink_dir_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DIRECT_UNIT \
    4096u             /* what O_DIRECT may want offsets, sizes and addresses to be multiples of */
#define LONG_NAME 200 /* beyond it, name and suffix might not fit into a directory entry */
#define LOCK_TRIES 10

/* ---- small things ---- */

static const char *base_name(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash != NULL ? slash + 1 : name;
}

int ref_sink_no_memory(const char *what)
{
    return ref_fail(ENOMEM, "%s: backup", what);
}

/* Nothing that is in the target already may go. */
bool ref_sink_removes_nothing(const ref_dir_sink *sink)
{
    return (sink->target.flags & REF_BACKUP_EXCLUSIVE) && !(sink->target.flags & REF_BACKUP_CLEAN);
}

/* Whether a file that is there already keeps the new one of that name out. */
static bool is_exclusive(const ref_dir_sink *sink, const char *name)
{
    const ref_sink_update *update = sink->options.update;
    if (!(sink->target.flags & REF_BACKUP_EXCLUSIVE)) {
        return false;
    }
    return update == NULL || (strcmp(name, REF_LABEL_NAME) != 0 &&
                                 (update->extends == NULL || strcmp(name, update->extends) != 0));
}

void ref_sink_tell_removing(void *context, const char *path)
{
    const ref_dir_sink *sink = context;
    char line[REF_PATH_MAX + 16];
    if (sink->options.progress != NULL) {
        snprintf(line, sizeof line, "removing %s", path);
        sink->options.progress(sink->options.progress_context, line);
    }
}

static int make_dir(ref_dir_sink *sink, const char *path)
{
    int error = sink->vfs->mkdir(sink->vfs, path, REF_SINK_DIR_MODE);
    if (error != 0) {
        return ref_fail(error, "%s: make directory", path);
    }
    if (ref_names_add(&sink->made, path) != 0) {
        sink->vfs->rmdir(sink->vfs, path);
        return ref_sink_no_memory(path);
    }
    return 0;
}

/* ---- directories of the copy ---- */

ref_sink_place *ref_sink_find_place(const ref_dir_sink *sink, const char *name)
{
    ref_sink_place *at = sink->places;
    while (at != NULL && strcmp(at->name, name) != 0) {
        at = at->next;
    }
    return at;
}

static void free_place(ref_sink_place *dir)
{
    free(dir->name);
    free(dir->path);
    free(dir->final);
    free(dir);
}

/* What an interrupted backup has left in the directory. */
static int remove_leftovers(ref_dir_sink *sink, const ref_sink_place *dir)
{
    ref_names names = {0};
    int error = ref_tree_list(sink->vfs, dir->path, &names);
    for (size_t i = 0; i < names.count && error == 0; i++) {
        if (ref_target_is_temporary(names.names[i])) {
            char *path = ref_path_join(dir->path, names.names[i]);
            error = path == NULL ? ref_sink_no_memory(dir->path)
                                 : ref_tree_remove(
                                       sink->vfs, path, sink->device, ref_sink_tell_removing, sink);
            free(path);
        }
    }
    ref_names_free(&names);
    return error;
}

/* Has the directory at its place, or, where CLEAN will first have to make room, beside it. With
 * `make` false a directory that is not there gives ENOENT. */
static int have_dir(ref_dir_sink *sink, ref_sink_place *dir, bool make)
{
    ref_stat stat;
    if (dir->name[0] == '\0') {
        return remove_leftovers(sink, dir); /* the target may be a link to a directory */
    }
    int error = sink->vfs->lstat(sink->vfs, dir->path, &stat);
    if (error == 0 && stat.kind == REF_KIND_DIRECTORY) {
        return remove_leftovers(sink, dir);
    }
    if (error == ENOENT && !make) {
        return ENOENT;
    }
    if (error != 0 && error != ENOENT) {
        return ref_fail(error, "%s", dir->path);
    }
    if (error == 0) {
        if (!(sink->target.flags & REF_BACKUP_CLEAN)) {
            return ref_fail(stat.kind == REF_KIND_SYMLINK ? ELOOP : ENOTDIR,
                "%s: a directory of the backup would go here", dir->path);
        }
        size_t size = strlen(dir->path) + sizeof REF_TARGET_SUFFIX;
        char *beside = malloc(size);
        if (beside == NULL) {
            return ref_sink_no_memory(dir->path);
        }
        snprintf(beside, size, "%s" REF_TARGET_SUFFIX, dir->path);
        free(dir->path);
        dir->path = beside;
        dir->staged = true;
    }
    dir->made = true;
    return make_dir(sink, dir->path);
}

/* The place of the directory `name`, which is made when it is missing and `make`. *out is NULL on
 * failure; ENOENT without words when it is missing and not to be made. */
static int add_place(ref_dir_sink *sink, const char *name, bool make, ref_sink_place **out)
{
    ref_sink_place *above = NULL;
    *out = ref_sink_find_place(sink, name);
    if (*out != NULL) {
        return 0;
    }
    const char *slash = strrchr(name, '/');
    if (name[0] != '\0') {
        char *above_name = strndup(name, slash != NULL ? (size_t)(slash - name) : 0);
        int error = above_name == NULL ? ref_sink_no_memory(name)
                                       : add_place(sink, above_name, make, &above);
        free(above_name);
        if (error != 0) {
            return error;
        }
    }
    ref_sink_place *added = calloc(1, sizeof *added);
    if (added == NULL) {
        return ref_sink_no_memory(name);
    }
    added->name = strdup(name);
    added->path =
        above != NULL ? ref_path_join(above->path, base_name(name)) : strdup(sink->target.path);
    added->final = ref_path_join(sink->target.path, name);
    int error = added->name == NULL || added->path == NULL || added->final == NULL
                    ? ref_sink_no_memory(name)
                    : have_dir(sink, added, make);
    if (error != 0) {
        free_place(added);
        return error;
    }
    *sink->last_place = added;
    sink->last_place = &added->next;
    *out = added;
    return 0;
}

int ref_dir_sink_add_dir(ref_dir_sink *sink, const char *name)
{
    ref_sink_place *dir;
    int error = add_place(sink, name, (sink->target.flags & REF_BACKUP_CREATE) != 0, &dir);
    return error == ENOENT ? 0 : error;
}

/* ---- files: the sink's interface ---- */

static void free_file(ref_sink_file *file)
{
    free(file->base);
    free(file->temporary);
    free(file);
}

static char *temporary_name(const char *base)
{
    size_t size = strlen(base) + sizeof REF_TARGET_SUFFIX;
    char *name = malloc(size);
    if (name != NULL) {
        /* The hash keeps long names that begin alike apart. */
        if (strlen(base) > LONG_NAME) {
            snprintf(name, size, "%.*s.%08x" REF_TARGET_SUFFIX, LONG_NAME - 9, base,
                ref_crc32c(0, base, strlen(base)));
        } else {
            snprintf(name, size, "%s" REF_TARGET_SUFFIX, base);
        }
    }
    return name;
}

static void tell_cached(ref_dir_sink *sink)
{
    char line[REF_PATH_MAX + 100];
    if (sink->options.notice != NULL && !sink->told_cached) {
        snprintf(line, sizeof line,
            "%s: the file system takes no direct writes: writing through the page cache",
            sink->target.path);
        sink->options.notice(sink->options.progress_context, line);
    }
    sink->told_cached = true;
}

/* Opens the temporary file; `flags` besides the usual ones. */
static int open_temporary(ref_dir_sink *sink, ref_sink_file *file, unsigned flags)
{
    char *path = ref_path_join(file->dir->path, file->temporary);
    if (path == NULL) {
        return ref_sink_no_memory(file->temporary);
    }
    flags |= REF_O_WRITE | REF_O_NOFOLLOW | REF_O_SEQUENTIAL;
    file->direct = sink->options.direct && (flags & REF_O_CREATE);
    int error = EINVAL;
    if (file->direct) {
        error =
            sink->vfs->open(sink->vfs, path, flags | REF_O_DIRECT, REF_SINK_FILE_MODE, &file->file);
        if (error == EINVAL) {
            /* Linux refuses O_DIRECT after it has made the file. */
            sink->vfs->unlink(sink->vfs, path);
            file->direct = false;
            tell_cached(sink);
        }
    }
    if (!file->direct) {
        error = sink->vfs->open(sink->vfs, path, flags, REF_SINK_FILE_MODE, &file->file);
    }
    if (error != 0) {
        ref_fail(error, "%s: open for writing", path);
    }
    free(path);
    return error;
}

static int sink_open(void *context, const char *name, void **out)
{
    ref_dir_sink *sink = context;
    const char *slash = strrchr(name, '/');
    ref_sink_place *dir = NULL;
    ref_target target = sink->target;
    bool exclusive = is_exclusive(sink, name);

    *out = NULL;
    if (sink->options.update != NULL) {
        target.flags = exclusive ? REF_BACKUP_EXCLUSIVE : 0;
    }
    int error = ref_target_check_file(&target, name);
    if (error != 0) {
        return error;
    }
    char *dir_name = strndup(name, slash != NULL ? (size_t)(slash - name) : 0);
    error = dir_name == NULL ? ref_sink_no_memory(name) : add_place(sink, dir_name, true, &dir);
    free(dir_name);
    if (error != 0) {
        return error;
    }
    ref_sink_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return ref_sink_no_memory(name);
    }
    file->dir = dir;
    file->exclusive = exclusive;
    file->base = strdup(base_name(name));
    file->temporary = temporary_name(base_name(name));
    error = file->base == NULL || file->temporary == NULL
                ? ref_sink_no_memory(name)
                : open_temporary(sink, file, REF_O_CREATE | REF_O_EXCL);
    if (error != 0) {
        free_file(file);
        return error;
    }
    *sink->last_file = file;
    sink->last_file = &file->next;
    *out = file;
    return 0;
}

/* Goes on through the page cache: direct writes want whole units, and a file's end is none. */
static int end_direct(ref_dir_sink *sink, ref_sink_file *file)
{
    int error = sink->vfs->close(file->file);
    file->file = NULL;
    file->direct = false;
    if (error != 0) {
        return ref_fail(error, "%s/%s: close", file->dir->path, file->temporary);
    }
    return open_temporary(sink, file, 0);
}

static int sink_write(void *context, void *handle, uint64_t offset, const void *data, size_t size)
{
    ref_dir_sink *sink = context;
    ref_sink_file *file = handle;
    int error = 0;
    bool whole =
        offset % DIRECT_UNIT == 0 && size % DIRECT_UNIT == 0 && (uintptr_t)data % DIRECT_UNIT == 0;

    if (file->direct && !whole) {
        error = end_direct(sink, file);
    }
    if (error == 0) {
        error = ref_write_full(file->file, data, size, offset);
        if (error == EINVAL && file->direct) {
            tell_cached(sink);
            error = end_direct(sink, file);
            if (error == 0) {
                error = ref_write_full(file->file, data, size, offset);
            }
        }
        if (error != 0 && file->file != NULL) {
            ref_fail(error, "%s/%s: write at offset %llu", file->dir->path, file->temporary,
                (unsigned long long)offset);
        }
    }
    file->failed = file->failed || error != 0;
    return error;
}

static int sink_close(void *context, const char *name, void *handle)
{
    ref_dir_sink *sink = context;
    ref_sink_file *file = handle;
    (void)name;
    if (file->file == NULL) {
        return 0; /* changing over from direct writes failed, and the write said so */
    }
    int error = file->failed ? 0 : sink->vfs->fsync(file->file);
    int close_error = sink->vfs->close(file->file);
    file->file = NULL;
    if (error == 0) {
        error = close_error;
    }
    if (error != 0) {
        file->failed = true;
        ref_fail(error, "%s/%s: sync and close", file->dir->path, file->temporary);
    }
    return error;
}

const ref_sink *ref_dir_sink_interface(ref_dir_sink *sink)
{
    return &sink->interface;
}

/* ---- begin ---- */

/* Makes the target and what is missing above it. */
static int make_target(ref_dir_sink *sink)
{
    char path[REF_PATH_MAX];
    size_t length = strlen(sink->target.path);
    if (length >= sizeof path) {
        return ref_fail(ENAMETOOLONG, "%s", sink->target.path);
    }
    memcpy(path, sink->target.path, length + 1);
    for (size_t end = 1; end <= length; end++) {
        ref_stat stat;
        if (path[end] != '/' && path[end] != '\0') {
            continue;
        }
        path[end] = '\0';
        int error = sink->vfs->stat(sink->vfs, path, &stat);
        if (error == ENOENT) {
            error = make_dir(sink, path);
            error = error == EEXIST ? 0 : error; /* another backup was faster: the lock decides */
        } else if (error != 0) {
            ref_fail(error, "%s", path);
        }
        if (error != 0) {
            return error;
        }
        path[end] = sink->target.path[end];
    }
    sink->made_above = sink->made.count;
    return 0;
}

/* Locks the lock file that was just opened. *same is false when it was removed under our hands. */
static int lock_opened(ref_dir_sink *sink, const char *path, bool *same)
{
    ref_vfs *vfs = sink->vfs;
    ref_stat mine, there;
    int error = vfs->lock(sink->lock, 0, 1, REF_LOCK_EXCLUSIVE);
    if (error == EAGAIN) {
        return ref_fail(EBUSY, "%s: another backup is writing to it", sink->target.path);
    }
    if (error == 0) {
        error = vfs->fstat(sink->lock, &mine);
    }
    if (error != 0) {
        return ref_fail(error, "%s: lock", path);
    }
    *same = vfs->lstat(vfs, path, &there) == 0 && there.inode == mine.inode;
    return 0;
}

static int try_lock(ref_dir_sink *sink, const char *path, bool *same)
{
    ref_vfs *vfs = sink->vfs;
    unsigned flags = REF_O_WRITE | REF_O_CREATE | REF_O_NOFOLLOW;
    int error = vfs->open(vfs, path, flags | REF_O_EXCL, REF_SINK_FILE_MODE, &sink->lock);
    bool made = error == 0;
    if (error == EEXIST) {
        error = vfs->open(vfs, path, flags, REF_SINK_FILE_MODE, &sink->lock);
    }
    if (error != 0) {
        return ref_fail(error, "%s", path);
    }
    error = lock_opened(sink, path, same);
    if (error != 0 && error != EBUSY && made) {
        vfs->unlink(vfs, path);
    }
    if (error != 0 || !*same) {
        vfs->close(sink->lock);
        sink->lock = NULL;
    }
    return error;
}

static int lock_target(ref_dir_sink *sink)
{
    bool same = false;
    int error = 0;
    char *path = ref_path_join(sink->target.path, REF_TARGET_LOCK_NAME);
    if (path == NULL) {
        return ref_sink_no_memory(sink->target.path);
    }
    for (int i = 0; i < LOCK_TRIES && error == 0 && !same; i++) {
        error = try_lock(sink, path, &same);
    }
    if (error == 0 && !same) {
        error = ref_fail(EBUSY, "%s: other backups are writing to it", sink->target.path);
    }
    free(path);
    return error;
}

/* Nobody may have an environment in the target open, or open it, while its files are replaced. The
 * lock file is not made here, since it could not be removed safely. */
static int lock_owner(ref_dir_sink *sink)
{
    ref_vfs *vfs = sink->vfs;
    char *path = ref_path_join(sink->target.path, REF_LOCK_NAME);
    if (path == NULL) {
        return ref_sink_no_memory(sink->target.path);
    }
    int error = vfs->open(vfs, path, REF_O_WRITE | REF_O_NOFOLLOW, 0, &sink->owner_lock);
    if (error == ENOENT || error == ELOOP) {
        error = 0;
    } else if (error == 0) {
        error = vfs->lock(sink->owner_lock, 0, 1, REF_LOCK_EXCLUSIVE);
        if (error == EAGAIN) {
            error = EBUSY;
        }
    }
    if (error != 0) {
        ref_fail(error, "%s: the environment in the target", path);
    }
    free(path);
    return error;
}

int ref_dir_sink_begin(
    const ref_target *target, const ref_dir_sink_options *options, ref_dir_sink **out)
{
    ref_sink_place *top;
    ref_stat stat;
    ref_dir_sink *sink = calloc(1, sizeof *sink);
    *out = NULL;
    if (sink == NULL) {
        return ref_sink_no_memory(target->path);
    }
    sink->interface =
        (ref_sink){.context = sink, .open = sink_open, .write = sink_write, .close = sink_close};
    sink->vfs = target->vfs;
    sink->target = *target;
    sink->options = *options;
    sink->last_place = &sink->places;
    sink->last_file = &sink->files;

    int error = target->exists ? 0 : make_target(sink);
    if (error == 0) {
        error = sink->vfs->stat(sink->vfs, target->path, &stat);
        if (error != 0) {
            ref_fail(error, "%s", target->path);
        }
    }
    if (error == 0) {
        sink->device = stat.device;
        sink->target.exists = true;
        error = lock_target(sink);
    }
    if (error == 0 && options->log_dir != NULL) {
        error = lock_owner(sink);
    }
    if (error == 0 && options->update == NULL) {
        error = add_place(sink, "", false, &top);
    }
    if (error != 0) {
        ref_dir_sink_end(sink);
        return error;
    }
    *out = sink;
    return 0;
}

/* ---- end ---- */

static void unlink_in(ref_dir_sink *sink, const char *dir, const char *name)
{
    char *path = ref_path_join(dir, name);
    if (path != NULL) {
        sink->vfs->unlink(sink->vfs, path);
        free(path);
    }
}

/* No words from here: those of the failure stay. */
static void undo(ref_dir_sink *sink)
{
    for (const ref_sink_file *file = sink->files; file != NULL; file = file->next) {
        if (!file->moved) {
            unlink_in(sink, file->dir->path, file->temporary);
        } else if (ref_sink_removes_nothing(sink) && sink->options.update == NULL) {
            unlink_in(sink, file->dir->path, file->base);
        }
    }
    if (sink->marker_made && !sink->destroyed) {
        unlink_in(sink, sink->target.path, REF_MARKER_NAME);
    }
}

void ref_dir_sink_end(ref_dir_sink *sink)
{
    if (!sink->finished) {
        undo(sink);
    }
    if (sink->lock != NULL) {
        unlink_in(sink, sink->target.path, REF_TARGET_LOCK_NAME);
        sink->vfs->close(sink->lock);
    }
    if (sink->owner_lock != NULL) {
        sink->vfs->close(sink->owner_lock);
    }
    for (size_t i = sink->made.count; i > 0 && !sink->finished; i--) {
        sink->vfs->rmdir(sink->vfs, sink->made.names[i - 1]); /* fails where something stays */
    }
    while (sink->files != NULL) {
        ref_sink_file *file = sink->files;
        sink->files = file->next;
        free_file(file);
    }
    while (sink->places != NULL) {
        ref_sink_place *dir = sink->places;
        sink->places = dir->next;
        free_place(dir);
    }
    ref_names_free(&sink->made);
    free(sink);
}
