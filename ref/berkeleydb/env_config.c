/* Where an environment keeps its files, and how large its log files and its cache are. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_MIN (20u << 10)
#define GIB (UINT64_C(1) << 30)

static int check_dir(ref_bdb_env *env, const char *method, const char *dir)
{
    if (dir == NULL || dir[0] == '\0') {
        return ref_bdb_refuse(
            env, EINVAL, method, "the directory name is %s", dir == NULL ? "NULL" : "empty");
    }
    return 0;
}

/* Caller holds env->lock. */
static bool known(const ref_bdb_env *env, const char *dir)
{
    for (size_t i = 0; i < env->data_dir_count; i++) {
        if (strcmp(env->data_dirs[i], dir) == 0) {
            return true;
        }
    }
    return false;
}

bool ref_bdb_has_data_dir(ref_bdb_env *env, const char *dir)
{
    (void)pthread_mutex_lock(&env->lock);
    bool found = known(env, dir);
    (void)pthread_mutex_unlock(&env->lock);
    return found;
}

int ref_bdb_add_data_dir(ref_bdb_env *env, const char *method, const char *dir)
{
    int ret = check_dir(env, method, dir);

    if (ret != 0) {
        return ret;
    }
    (void)pthread_mutex_lock(&env->lock);
    if (!known(env, dir)) {
        size_t count = env->data_dir_count;
        char *copy = strdup(dir);
        char **grown =
            copy == NULL ? NULL : realloc(env->data_dirs, (count + 2) * sizeof *env->data_dirs);

        if (grown == NULL) {
            free(copy);
            ret = ENOMEM;
        } else {
            grown[count] = copy;
            grown[count + 1] = NULL;
            env->data_dirs = grown;
            env->data_dir_count = count + 1;
        }
    }
    (void)pthread_mutex_unlock(&env->lock);
    return ret == 0 ? 0 : ref_bdb_refuse(env, ret, method, "no memory");
}

/* Replaces a setting that is a string. */
static int replace(ref_bdb_env *env, const char *method, char **setting, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL) {
        return ref_bdb_refuse(env, ENOMEM, method, "no memory");
    }
    (void)pthread_mutex_lock(&env->lock);
    free(*setting);
    *setting = copy;
    (void)pthread_mutex_unlock(&env->lock);
    return 0;
}

int ref_bdb_set_create_dir(ref_bdb_env *env, const char *method, const char *dir)
{
    int ret = check_dir(env, method, dir);

    if (ret == 0 && !ref_bdb_has_data_dir(env, dir)) {
        ret =
            ref_bdb_refuse(env, EINVAL, method, "%s: not a data directory of the environment", dir);
    }
    return ret == 0 ? replace(env, method, &env->create_dir, dir) : ret;
}

int ref_bdb_set_lg_dir(ref_bdb_env *env, const char *method, const char *dir)
{
    int ret = check_dir(env, method, dir);

    return ret == 0 ? replace(env, method, &env->log_dir, dir) : ret;
}

int ref_bdb_set_lg_max(ref_bdb_env *env, const char *method, u_int32_t bytes)
{
    if (bytes != 0 && bytes < REF_SEGMENT_SIZE_MIN) {
        return ref_bdb_refuse(env, EINVAL, method, "%u: a log file holds at least %u bytes",
            (unsigned)bytes, REF_SEGMENT_SIZE_MIN);
    }
    (void)pthread_mutex_lock(&env->lock);
    env->log_max = bytes;
    (void)pthread_mutex_unlock(&env->lock);
    return env->engine == NULL
               ? 0
               : ref_bdb_result(env, method, ref_env_set_segment_size(env->engine, bytes));
}

int ref_bdb_set_cachesize(ref_bdb_env *env, const char *method, u_int32_t gbytes, u_int32_t bytes)
{
    uint64_t size = gbytes * GIB + bytes;

    if (size != 0 && size < CACHE_MIN) {
        return ref_bdb_refuse(
            env, EINVAL, method, "%u: a cache has at least %u bytes", (unsigned)bytes, CACHE_MIN);
    }
    (void)pthread_mutex_lock(&env->lock);
    env->cache_size = size;
    (void)pthread_mutex_unlock(&env->lock);
    if (env->engine != NULL) {
        ref_env_set_cache_size(env->engine, size);
    }
    return 0;
}

/* ---- methods ---- */

static int add_data_dir(DB_ENV *handle, const char *dir)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);
    int ret = ref_bdb_check_not_open(env, "DB_ENV->add_data_dir");

    return ret == 0 ? ref_bdb_add_data_dir(env, "DB_ENV->add_data_dir", dir) : ret;
}

static int set_data_dir(DB_ENV *handle, const char *dir)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);
    int ret = ref_bdb_check_not_open(env, "DB_ENV->set_data_dir");

    return ret == 0 ? ref_bdb_add_data_dir(env, "DB_ENV->set_data_dir", dir) : ret;
}

static int get_data_dirs(DB_ENV *handle, const char ***dirs)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);

    (void)pthread_mutex_lock(&env->lock);
    *dirs = (const char **)env->data_dirs;
    (void)pthread_mutex_unlock(&env->lock);
    return 0;
}

static int set_create_dir(DB_ENV *handle, const char *dir)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);
    int ret = ref_bdb_check_not_open(env, "DB_ENV->set_create_dir");

    return ret == 0 ? ref_bdb_set_create_dir(env, "DB_ENV->set_create_dir", dir) : ret;
}

static int set_lg_dir(DB_ENV *handle, const char *dir)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);
    int ret = ref_bdb_check_not_open(env, "DB_ENV->set_lg_dir");

    return ret == 0 ? ref_bdb_set_lg_dir(env, "DB_ENV->set_lg_dir", dir) : ret;
}

static int get_lg_dir(DB_ENV *handle, const char **dir)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);

    (void)pthread_mutex_lock(&env->lock);
    *dir = env->log_dir;
    (void)pthread_mutex_unlock(&env->lock);
    return 0;
}

static int set_lg_max(DB_ENV *handle, u_int32_t bytes)
{
    return ref_bdb_set_lg_max(ref_bdb_env_of(handle), "DB_ENV->set_lg_max", bytes);
}

static int set_cachesize(DB_ENV *handle, u_int32_t gbytes, u_int32_t bytes, int ncache)
{
    (void)ncache;
    return ref_bdb_set_cachesize(ref_bdb_env_of(handle), "DB_ENV->set_cachesize", gbytes, bytes);
}

void ref_bdb_install_config(DB_ENV *handle)
{
    handle->add_data_dir = add_data_dir;
    handle->set_data_dir = set_data_dir;
    handle->get_data_dirs = get_data_dirs;
    handle->set_create_dir = set_create_dir;
    handle->set_lg_dir = set_lg_dir;
    handle->get_lg_dir = get_lg_dir;
    handle->set_lg_max = set_lg_max;
    handle->set_cachesize = set_cachesize;
}
