/* Listing, removing and flushing the log. */
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The path as log_archive gives it: `path` is absolute; below the home, which is too, only the
 * rest, unless absolute ones are asked for. */
static const char *shown(const char *path, const char *home, bool absolute)
{
    size_t size = strlen(home);

    if (absolute || strncmp(path, home, size) != 0 || path[size] != '/') {
        return path;
    }
    return path + size + 1;
}

static void free_paths(char **paths, size_t count)
{
    for (size_t i = 0; paths != NULL && i < count; i++) {
        free(paths[i]);
    }
    free(paths);
}

/* *out: the absolute paths of the segments that the flags mean. */
static int segment_paths(ref_bdb_env *env, u_int32_t flags, char ***out, size_t *count)
{
    ref_archive what = (flags & DB_ARCH_REMOVE) != 0 ? REF_ARCHIVE_REMOVE
                       : (flags & DB_ARCH_LOG) != 0  ? REF_ARCHIVE_ALL
                                                     : REF_ARCHIVE_REMOVABLE;
    uint32_t *numbers = NULL;
    int ret = ref_log_archive(env->engine, what, &numbers, count);

    *out = ret == 0 ? calloc(*count == 0 ? 1 : *count, sizeof **out) : NULL;
    for (size_t i = 0; *out != NULL && i < *count; i++) {
        (*out)[i] = ref_log_path(env->engine, numbers[i]);
        if ((*out)[i] == NULL) {
            free_paths(*out, *count);
            *out = NULL;
        }
    }
    free(numbers);
    return ret == 0 && *out == NULL ? ENOMEM : ret;
}

/* *out: the databases' paths, relative to the home where they were so configured. */
static int database_paths(ref_bdb_env *env, bool absolute, char ***out, size_t *count)
{
    const char *home = ref_env_home(env->engine);
    int ret = ref_env_databases(env->engine, out, count);

    for (size_t i = 0; ret == 0 && absolute && i < *count; i++) {
        char *path = NULL;
        if ((*out)[i][0] != '/') {
            ret = asprintf(&path, "%s/%s", home, (*out)[i]) < 0 ? ENOMEM : 0;
            if (ret == 0) {
                free((*out)[i]);
                (*out)[i] = path;
            }
        }
    }
    if (ret != 0) {
        free_paths(*out, *count);
        *out = NULL;
    }
    return ret;
}

/* One block: the NULL-terminated array, then the strings. */
static char **pack(char **paths, size_t count, const char *home, bool absolute)
{
    size_t size = (count + 1) * sizeof(char *);

    for (size_t i = 0; i < count; i++) {
        size += strlen(shown(paths[i], home, absolute)) + 1;
    }
    char **list = malloc(size);
    if (list == NULL) {
        return NULL;
    }
    char *at = (char *)(list + count + 1);
    for (size_t i = 0; i < count; i++) {
        list[i] = at;
        at = stpcpy(at, shown(paths[i], home, absolute)) + 1;
    }
    list[count] = NULL;
    return list;
}

static int check_archive(ref_bdb_env *env, char ***list, u_int32_t flags)
{
    static const char method[] = "DB_ENV->log_archive";
    static const ref_bdb_name missing[] = {{0, NULL}};
    int ret = ref_bdb_check_open(env, method);

    if (ret == 0 && (flags & DB_ARCH_DATA) != 0 && (flags & DB_ARCH_LOG) != 0) {
        ret =
            ref_bdb_refuse(env, EINVAL, method, "DB_ARCH_DATA and DB_ARCH_LOG exclude each other");
    }
    if (ret == 0) {
        ret = ref_bdb_check_flags(
            env, method, flags, DB_ARCH_ABS | DB_ARCH_DATA | DB_ARCH_LOG | DB_ARCH_REMOVE, missing);
    }
    if (ret == 0 && (flags & DB_ARCH_REMOVE) != 0 && flags != DB_ARCH_REMOVE) {
        ret = ref_bdb_refuse(env, EINVAL, method, "DB_ARCH_REMOVE goes with no other flag");
    }
    if (ret == 0 && list == NULL && flags != DB_ARCH_REMOVE) {
        ret = ref_bdb_refuse(env, EINVAL, method, "the address for the list is NULL");
    }
    return ret;
}

static int log_archive(DB_ENV *handle, char **list[], u_int32_t flags)
{
    static const char method[] = "DB_ENV->log_archive";
    ref_bdb_env *env = ref_bdb_env_of(handle);
    bool absolute = (flags & DB_ARCH_ABS) != 0;
    size_t count = 0;
    char **paths = NULL;

    if (list != NULL) {
        *list = NULL;
    }
    int ret = check_archive(env, list, flags);
    if (ret != 0) {
        return ret;
    }
    ret = (flags & DB_ARCH_DATA) != 0 ? database_paths(env, absolute, &paths, &count)
                                      : segment_paths(env, flags, &paths, &count);
    if (ret != 0) {
        return ref_bdb_result(env, method, ret);
    }
    if (count != 0 && list != NULL) {
        *list = pack(paths, count, ref_env_home(env->engine), absolute);
        ret = *list == NULL ? ENOMEM : 0;
    }
    free_paths(paths, count);
    return ret == 0 ? 0 : ref_bdb_refuse(env, ret, method, "no memory");
}

static int log_flush(DB_ENV *handle, const DB_LSN *lsn)
{
    static const char method[] = "DB_ENV->log_flush";
    ref_bdb_env *env = ref_bdb_env_of(handle);
    int ret = ref_bdb_check_open(env, method);

    if (ret == 0 && lsn != NULL) {
        uint32_t *numbers = NULL;
        size_t count = 0;

        ret = ref_log_archive(env->engine, REF_ARCHIVE_ALL, &numbers, &count);
        if (ret != 0) {
            return ref_bdb_result(env, method, ret);
        }
        if (count == 0 || lsn->file > numbers[count - 1]) {
            ret = ref_bdb_refuse(env, EINVAL, method, "%u/%u lies beyond the end of the log",
                (unsigned)lsn->file, (unsigned)lsn->offset);
        }
        free(numbers);
    }
    return ret == 0 ? ref_bdb_result(env, method, ref_log_flush(env->engine)) : ret;
}

void ref_bdb_install_log(DB_ENV *handle)
{
    handle->log_archive = log_archive;
    handle->log_flush = log_flush;
}
