/* Whether a directory may be the target of a backup, and whether a file may go to its place in it.
 */
#include "backup_target.h"

#include <errno.h>
#include <stdlib.h>

#include "tree.h"

/* ---- where a path lies ---- */

/* Cuts the last component off. False when there is none left to cut. */
static bool cut_component(char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    bool cut = path[length] != '\0' && strcmp(path, "/") != 0;
    path[length] = '\0';
    return cut;
}

int ref_path_lies_within(
    ref_vfs *vfs, const char *path, uint64_t device, uint64_t inode, bool *within)
{
    char at[REF_PATH_MAX];
    *within = false;
    int error = vfs->resolve(vfs, path, at, sizeof at);
    while (error == 0) {
        ref_stat stat;
        error = vfs->stat(vfs, at, &stat);
        if (error == 0 && stat.device == device && stat.inode == inode) {
            *within = true;
            return 0;
        }
        if (error == 0 && !cut_component(at)) {
            return 0;
        }
    }
    return ref_fail(error, "%s", path);
}

/* ---- the target against the sources ---- */

/*
 * Finds the nearest directory that is there: the target itself, or what is above it. `anchor` holds
 * REF_PATH_MAX bytes.
 */
static int find_anchor(ref_target *target, char *anchor)
{
    ref_vfs *vfs = target->vfs;
    size_t length = strlen(target->path);
    if (length >= REF_PATH_MAX) {
        return ref_fail(ENAMETOOLONG, "backup target of %zu bytes", length);
    }
    while (length > 1 && target->path[length - 1] == '/') {
        length--;
    }
    memcpy(anchor, target->path, length);
    anchor[length] = '\0';
    for (bool first = true;; first = false) {
        ref_stat stat;
        int error = vfs->stat(vfs, anchor, &stat);
        if (error == 0 && stat.kind != REF_KIND_DIRECTORY) {
            return ref_fail(ENOTDIR, "backup target %s: %s", target->path, anchor);
        }
        if (error == 0) {
            target->exists = first;
            target->device = stat.device;
            target->inode = stat.inode;
            return 0;
        }
        if (error != ENOENT) {
            return ref_fail(error, "backup target %s", target->path);
        }
        if (vfs->lstat(vfs, anchor, &stat) == 0) {
            return ref_fail(
                ELOOP, "backup target %s: %s is a link to nothing", target->path, anchor);
        }
        if (!(target->flags & REF_BACKUP_CREATE) || strcmp(anchor, ".") == 0) {
            return ref_fail(ENOENT, "backup target %s", target->path);
        }
        const char *last = strrchr(anchor, '/');
        if (strcmp(last != NULL ? last + 1 : anchor, "..") == 0) {
            return ref_fail(EINVAL, "backup target %s: \"..\" below a directory that is not there",
                target->path);
        }
        cut_component(anchor);
        if (anchor[0] == '\0') {
            strcpy(anchor, ".");
        }
    }
}

/* One directory of the environment against the target. `role` says what it is. */
static int check_against(const ref_env *env, const ref_target *target, const char *anchor,
    const char *source, const char *role)
{
    ref_vfs *vfs = target->vfs;
    ref_stat stat;
    bool within = false;
    int error = vfs->stat(vfs, source, &stat);
    if (error != 0) {
        return ref_fail(error, "%s %s", role, source);
    }
    if (target->exists) {
        error = ref_path_lies_within(vfs, source, target->device, target->inode, &within);
        if (error != 0) {
            return error;
        }
        if (within) {
            bool same = stat.device == target->device && stat.inode == target->inode;
            return ref_fail(EINVAL, "backup target %s is %s the %s %s", target->path,
                same ? "also" : "above", role, source);
        }
    }
    if (stat.device == env->home_device && stat.inode == env->home_inode) {
        return 0; /* inside the home there is room for a target */
    }
    error = ref_path_lies_within(vfs, anchor, stat.device, stat.inode, &within);
    if (error == 0 && within) {
        error =
            ref_fail(EINVAL, "backup target %s is inside the %s %s", target->path, role, source);
    }
    return error;
}

static int check_directories(const ref_env *env, const ref_target *target, const char *anchor)
{
    int error = check_against(env, target, anchor, env->home, "home");
    for (size_t i = 0; i < env->data_dir_count && error == 0; i++) {
        char *dir = ref_env_dir_path(env, env->data_dirs[i]);
        error = dir == NULL ? ref_fail(ENOMEM, "%s", env->home)
                            : check_against(env, target, anchor, dir, "data directory");
        free(dir);
    }
    if (error == 0) {
        error = check_against(env, target, anchor, env->log_path, "log directory");
    }
    return error;
}

int ref_target_check(const ref_env *env, const char *path, unsigned flags, ref_target *out)
{
    char anchor[REF_PATH_MAX];
    *out = (ref_target){.vfs = env->vfs, .path = path, .flags = flags};
    if (path == NULL || path[0] == '\0') {
        return ref_fail(EINVAL, "backup: no target");
    }
    int error = find_anchor(out, anchor);
    return error == 0 ? check_directories(env, out, anchor) : error;
}

int ref_target_check_source(const ref_target *target, const char *path)
{
    char dir[REF_PATH_MAX];
    bool within = false, linked_within = false;
    ref_stat stat;
    if (!target->exists) {
        return 0;
    }
    if (strlen(path) >= sizeof dir) {
        return ref_fail(ENAMETOOLONG, "%s", path);
    }
    strcpy(dir, path);
    cut_component(dir);
    int error = ref_path_lies_within(target->vfs, dir, target->device, target->inode, &within);
    if (error == 0 && !within && target->vfs->stat(target->vfs, path, &stat) == 0) {
        error =
            ref_path_lies_within(target->vfs, path, target->device, target->inode, &linked_within);
    }
    if (error == 0 && (within || linked_within)) {
        error = ref_fail(EINVAL, "backup target %s holds the source file %s", target->path, path);
    }
    return error;
}

/* ---- places in the target ---- */

/* What lies at the first `length` bytes of `name` below the target, without following a link.
 * ENOENT (no words) when there is nothing. */
static int look_at(const ref_target *target, const char *name, size_t length, ref_stat *stat)
{
    char below[REF_PATH_MAX];
    if (length >= sizeof below) {
        return ref_fail(ENAMETOOLONG, "%s", name);
    }
    memcpy(below, name, length);
    below[length] = '\0';
    char *path = ref_path_join(target->path, below);
    if (path == NULL) {
        return ref_fail(ENOMEM, "%s", name);
    }
    int error = target->vfs->lstat(target->vfs, path, stat);
    if (error != 0 && error != ENOENT) {
        ref_fail(error, "%s", path);
    }
    free(path);
    return error;
}

/* Checks the directories `name`[0 .. length), each component. *missing is set when one is not
 * there.
 */
static int check_dirs(const ref_target *target, const char *name, size_t length, bool *missing)
{
    *missing = !target->exists;
    for (size_t end = 0; end < length && !*missing; end++) {
        ref_stat stat;
        end += strcspn(name + end, "/");
        int error = look_at(target, name, end, &stat);
        if (error == ENOENT) {
            *missing = true;
            return 0;
        }
        if (error != 0) {
            return error;
        }
        if (stat.kind == REF_KIND_DIRECTORY) {
            continue;
        }
        if (target->flags & REF_BACKUP_CLEAN) {
            return 0; /* it will go, and a directory take its place */
        }
        return ref_fail(stat.kind == REF_KIND_SYMLINK ? ELOOP : ENOTDIR,
            "%s/%.*s: a directory of the backup would go here", target->path, (int)end, name);
    }
    return 0;
}

int ref_target_check_dir(const ref_target *target, const char *name)
{
    bool missing;
    return check_dirs(target, name, strlen(name), &missing);
}

int ref_target_check_file(const ref_target *target, const char *name)
{
    const char *slash = strrchr(name, '/');
    size_t dir_length = slash != NULL ? (size_t)(slash - name) : 0;
    bool missing;
    ref_stat stat;

    int error = check_dirs(target, name, dir_length, &missing);
    if (error != 0) {
        return error;
    }
    if (missing) {
        return target->flags & REF_BACKUP_CREATE ? 0
                                                 : ref_fail(ENOENT, "%s/%.*s: directory for %s",
                                                       target->path, (int)dir_length, name, name);
    }
    if (target->flags & REF_BACKUP_CLEAN) {
        return 0;
    }
    error = look_at(target, name, strlen(name), &stat);
    if (error != 0) {
        return error == ENOENT ? 0 : error;
    }
    if (target->flags & REF_BACKUP_EXCLUSIVE) {
        return ref_fail(EEXIST, "%s/%s", target->path, name);
    }
    if (stat.kind == REF_KIND_SYMLINK || stat.kind == REF_KIND_DIRECTORY) {
        return ref_fail(stat.kind == REF_KIND_SYMLINK ? ELOOP : EISDIR,
            "%s/%s: a file of the backup would go here", target->path, name);
    }
    return 0;
}

static int refuse_segments(const ref_target *target, const char *log_dir)
{
    ref_names names = {0};
    char *path = ref_path_join(target->path, log_dir);
    int error =
        path == NULL ? ref_fail(ENOMEM, "%s", log_dir) : ref_tree_list(target->vfs, path, &names);
    for (size_t i = 0; i < names.count && error == 0; i++) {
        if (ref_segment_of_name(names.names[i]) != 0) {
            error = ref_fail(EEXIST, "%s/%s: of another log", path, names.names[i]);
        }
    }
    ref_names_free(&names);
    free(path);
    return error;
}

int ref_target_check_home(const ref_target *target, const char *log_dir)
{
    ref_stat stat;
    bool missing;
    if (!target->exists || !(target->flags & REF_BACKUP_EXCLUSIVE) ||
        (target->flags & REF_BACKUP_CLEAN)) {
        return 0;
    }
    int error = look_at(target, REF_CONTROL_NAME, strlen(REF_CONTROL_NAME), &stat);
    if (error == 0) {
        return ref_fail(
            EEXIST, "%s/" REF_CONTROL_NAME ": the target is an environment", target->path);
    }
    if (error == ENOENT) {
        error = check_dirs(target, log_dir, strlen(log_dir), &missing);
        if (error == 0 && !missing) {
            error = refuse_segments(target, log_dir);
        }
    }
    return error;
}

bool ref_target_is_temporary(const char *name)
{
    size_t length = strlen(name), suffix = strlen(REF_TARGET_SUFFIX);
    return length > suffix && strcmp(name + length - suffix, REF_TARGET_SUFFIX) == 0;
}
