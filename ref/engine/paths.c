/* Where things lie: names, directories and paths of an environment. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

bool ref_path_is_absolute(const char *path)
{
    return path[0] == '/';
}

bool ref_path_climbs(const char *path)
{
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (length == 2 && path[0] == '.' && path[1] == '.') {
            return true;
        }
        path += length;
        path += strspn(path, "/");
    }
    return false;
}

char *ref_path_join(const char *a, const char *b)
{
    if (a[0] == '\0' || ref_path_is_absolute(b)) {
        return strdup(b);
    }
    if (b[0] == '\0') {
        return strdup(a);
    }
    size_t a_length = strlen(a), b_length = strlen(b);
    char *path = malloc(a_length + b_length + 2);
    if (path != NULL) {
        memcpy(path, a, a_length);
        path[a_length] = '/';
        memcpy(path + a_length + 1, b, b_length + 1);
    }
    return path;
}

char *ref_path_suffix(const char *path, const char *suffix)
{
    size_t path_length = strlen(path), suffix_length = strlen(suffix);
    char *joined = malloc(path_length + suffix_length + 1);
    if (joined != NULL) {
        memcpy(joined, path, path_length);
        memcpy(joined + path_length, suffix, suffix_length + 1);
    }
    return joined;
}

char *ref_path_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return strdup(".");
    }
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

char *ref_env_dir_path(const ref_env *env, const char *dir)
{
    return ref_path_join(env->home, dir);
}

char *ref_dbfile_path(const ref_dbfile *file)
{
    char *dir = ref_env_dir_path(file->env, file->dir);
    char *path = dir != NULL ? ref_path_join(dir, file->name) : NULL;
    free(dir);
    return path;
}

uint32_t ref_segment_of_name(const char *name)
{
    size_t prefix = strlen(REF_LOG_PREFIX);
    if (strncmp(name, REF_LOG_PREFIX, prefix) != 0 || strlen(name) != prefix + 10 ||
        strspn(name + prefix, "0123456789") != 10) {
        return 0;
    }
    uint64_t number = strtoull(name + prefix, NULL, 10);
    return number <= UINT32_MAX ? (uint32_t)number : 0;
}

char *ref_env_clean_name(const ref_env *env, const char *name)
{
    /* A name inside the home that was given as a whole path. */
    size_t home = strlen(env->home);
    if (home > 0 && strncmp(name, env->home, home) == 0 && name[home] == '/') {
        name += home + strspn(name + home, "/");
    }
    char *clean = malloc(strlen(name) + 2);
    if (clean == NULL) {
        return NULL;
    }
    char *out = clean;
    if (ref_path_is_absolute(name)) {
        *out++ = '/';
    }
    while (*name != '\0') {
        size_t length = strcspn(name, "/");
        if (length > 0 && !(length == 1 && name[0] == '.')) {
            memcpy(out, name, length);
            out += length;
            *out++ = '/';
        }
        name += length;
        name += strspn(name, "/");
    }
    if (out > clean + 1) {
        out--;
    }
    *out = '\0';
    return clean;
}

int ref_sync_parent(ref_vfs *vfs, const char *path)
{
    char *dir = ref_path_parent(path);
    if (dir == NULL) {
        return ref_fail(ENOMEM, "%s", path);
    }
    int error = vfs->fsync_dir(vfs, dir);
    if (error != 0) {
        ref_fail(error, "%s: sync of the directory", dir);
    }
    free(dir);
    return error;
}

int ref_sync_renamed(ref_vfs *vfs, const char *from, const char *to)
{
    char *left = ref_path_parent(from), *entered = ref_path_parent(to);
    bool same = left != NULL && entered != NULL && strcmp(left, entered) == 0;
    free(left);
    free(entered);
    int error = ref_sync_parent(vfs, to);
    return error != 0 || same ? error : ref_sync_parent(vfs, from);
}
