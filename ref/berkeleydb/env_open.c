/* An environment handle from creation to its end. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const u_int32_t subsystems = DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_MPOOL | DB_INIT_TXN;
static const u_int32_t naming = DB_USE_ENVIRON | DB_USE_ENVIRON_ROOT;

static const ref_bdb_name missing_open_flags[] = {{DB_FAILCHK, "DB_FAILCHK"},
    {DB_INIT_CDB, "DB_INIT_CDB (concurrent data store)"},
    {DB_INIT_REP, "DB_INIT_REP (replication)"}, {DB_LOCKDOWN, "DB_LOCKDOWN"},
    {DB_SYSTEM_MEM, "DB_SYSTEM_MEM"}, {0, NULL}};

static int check_open_flags(ref_bdb_env *env, u_int32_t flags)
{
    static const char method[] = "DB_ENV->open";
    static const u_int32_t recovery = DB_RECOVER | DB_RECOVER_FATAL;
    int ret = ref_bdb_check_flags(env, method, flags,
        subsystems | naming | recovery | DB_CREATE | DB_THREAD | DB_PRIVATE | DB_REGISTER,
        missing_open_flags);

    if (ret == 0) {
        ret = ref_bdb_check_one_of(env, method, flags, recovery);
    }
    if (ret != 0) {
        return ret;
    }
    if ((flags & recovery) != 0 && (flags & DB_CREATE) == 0) {
        return ref_bdb_refuse(
            env, EINVAL, method, "DB_RECOVER and DB_RECOVER_FATAL need DB_CREATE");
    }
    if ((flags & DB_CREATE) != 0 && (flags & DB_INIT_TXN) == 0) {
        return ref_bdb_refuse(env, EINVAL, method,
            "DB_CREATE needs DB_INIT_TXN: an environment without transactions is not in this "
            "version");
    }
    return 0;
}

/* *out: the home, malloc'd. NULL is spelled by DB_HOME, where the flags allow it, or is ".". */
static int find_home(
    ref_bdb_env *env, const char *method, const char *home, u_int32_t flags, char **out)
{
    *out = NULL;
    if (home == NULL &&
        ((flags & DB_USE_ENVIRON) != 0 || ((flags & DB_USE_ENVIRON_ROOT) != 0 && geteuid() == 0))) {
        home = getenv("DB_HOME");
        if (home != NULL && home[0] == '\0') {
            return ref_bdb_refuse(env, EINVAL, method, "the variable DB_HOME is set and empty");
        }
    }
    if (home == NULL) {
        home = ".";
    }
    if (home[0] == '\0') {
        return ref_bdb_refuse(env, EINVAL, method, "the name of the home is empty");
    }
    *out = strdup(home);
    return *out == NULL ? ref_bdb_refuse(env, ENOMEM, method, "no memory") : 0;
}

static int open_engine(ref_bdb_env *env, const char *home, u_int32_t flags, int mode)
{
    static const char method[] = "DB_ENV->open";
    ref_env_options options = {
        .vfs = env->vfs,
        .home = home,
        .data_dirs = (const char *const *)env->data_dirs,
        .data_dir_count = env->data_dir_count,
        .create_dir = env->create_dir,
        .log_dir = env->log_dir,
        .segment_size = env->log_max,
        .cache_size = env->cache_size,
        .file_mode = (uint32_t)mode & 07777u,
        .guest = (flags & (DB_CREATE | DB_RECOVER | DB_RECOVER_FATAL)) == 0,
        .create = (flags & DB_CREATE) != 0,
        .recover_fatal = (flags & DB_RECOVER_FATAL) != 0,
        .log_auto_remove = env->log_auto_remove,
    };
    int ret = ref_env_open(&options, &env->engine);

    if (ret != 0) {
        env->engine = NULL;
        return ref_bdb_result_as(
            env, method, ret == REF_VERSION ? DB_VERSION_MISMATCH : ref_bdb_error(env, ret));
    }
    env->shared = ref_bdb_shared_join(env);
    if (env->shared == NULL) {
        (void)ref_env_close(env->engine);
        env->engine = NULL;
        return ref_bdb_refuse(env, ENOMEM, method, "no memory");
    }
    return 0;
}

static int env_open(DB_ENV *handle, const char *home, u_int32_t flags, int mode)
{
    static const char method[] = "DB_ENV->open";
    ref_bdb_env *env = ref_bdb_env_of(handle);
    char *path = NULL;
    int ret = ref_bdb_check_not_open(env, method);

    if (ret == 0) {
        ret = check_open_flags(env, flags);
    }
    if (ret == 0) {
        ret = find_home(env, method, home, flags, &path);
    }
    if (ret != 0) {
        return ret;
    }
    env->vfs = ref_default_vfs();
    ret = ref_bdb_read_db_config(env, env->vfs, path, &flags);
    if (ret == 0) {
        ret = check_open_flags(env, flags);
    }
    if (ret == 0) {
        ret = open_engine(env, path, flags, mode);
    }
    if (ret != 0) {
        free(path);
        return ret;
    }
    env->home = path;
    env->open_flags = flags;
    return 0;
}

/* Ends whatever is still open in the environment; *unresolved counts transactions. */
static int end_handles(ref_bdb_env *env, bool sync, unsigned *unresolved)
{
    int ret = 0;

    *unresolved = 0;
    while (env->txns != NULL) {
        int one = ref_bdb_txn_drop(env->txns);

        ret = ret == 0 ? one : ret;
        ++*unresolved;
    }
    while (env->dbs != NULL) {
        int one = ref_bdb_db_drop(env->dbs, sync);

        ret = ret == 0 ? one : ret;
    }
    return ret;
}

static int env_close(DB_ENV *handle, u_int32_t flags)
{
    static const char method[] = "DB_ENV->close";
    ref_bdb_env *env = ref_bdb_env_of(handle);
    unsigned unresolved;
    int ret = ref_bdb_check_flags(env, method, flags, DB_FORCESYNC, NULL);
    int one = end_handles(env, (flags & DB_FORCESYNC) != 0, &unresolved);

    if (ret == 0) {
        ret = ref_bdb_result(env, method, one);
    }
    if (unresolved != 0) {
        one = ref_bdb_refuse(env, EINVAL, method,
            "%u transactions were not resolved and have been aborted", unresolved);
        ret = ret == 0 ? one : ret;
    }
    if (env->engine != NULL) {
        ref_bdb_shared_leave(env->shared);
        one = ref_bdb_result(env, method, ref_env_close(env->engine));
        ret = ret == 0 ? one : ret;
    }
    ref_bdb_env_free(env);
    return ret;
}

static int env_remove(DB_ENV *handle, const char *home, u_int32_t flags)
{
    static const char method[] = "DB_ENV->remove";
    ref_bdb_env *env = ref_bdb_env_of(handle);
    char *path = NULL;
    int ret = ref_bdb_check_not_open(env, method);

    if (ret != 0) {
        (void)env_close(handle, 0);
        return ret;
    }
    ret = ref_bdb_check_flags(env, method, flags, naming | DB_FORCE, NULL);
    if (ret == 0) {
        ret = find_home(env, method, home, flags, &path);
    }
    if (ret == 0) {
        ret = ref_env_remove(ref_default_vfs(), path);
        ret = ret == EAGAIN ? ref_bdb_result_as(env, method, EBUSY)
                            : ref_bdb_result(env, method, ret);
    }
    free(path);
    (void)env_close(handle, 0);
    return ret;
}

static int get_home(DB_ENV *handle, const char **home)
{
    *home = ref_bdb_env_of(handle)->home;
    return 0;
}

static int get_open_flags(DB_ENV *handle, u_int32_t *flags)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);

    *flags = env->open_flags;
    return ref_bdb_check_open(env, "DB_ENV->get_open_flags");
}

static void install(DB_ENV *handle)
{
    handle->open = env_open;
    handle->close = env_close;
    handle->remove = env_remove;
    handle->get_home = get_home;
    handle->get_open_flags = get_open_flags;
    ref_bdb_install_messages(handle);
    ref_bdb_install_config(handle);
    ref_bdb_install_flags(handle);
    ref_bdb_install_txn(handle);
    ref_bdb_install_log(handle);
    ref_bdb_install_files(handle);
    ref_bdb_install_backup(handle);
    ref_bdb_install_backup_config(handle);
}

ref_bdb_env *ref_bdb_env_new(void)
{
    ref_bdb_env *env = calloc(1, sizeof *env);

    if (env == NULL) {
        return NULL;
    }
    env->data_dirs = calloc(1, sizeof *env->data_dirs);
    if (env->data_dirs == NULL || pthread_mutex_init(&env->lock, NULL) != 0) {
        free(env->data_dirs);
        free(env);
        return NULL;
    }
    env->vfs = ref_default_vfs();
    env->backup.size = REF_BACKUP_BUFFER_DEFAULT;
    install(&env->handle);
    return env;
}

void ref_bdb_env_free(ref_bdb_env *env)
{
    for (size_t i = 0; i < env->data_dir_count; i++) {
        free(env->data_dirs[i]);
    }
    free(env->data_dirs);
    free(env->create_dir);
    free(env->log_dir);
    free(env->home);
    (void)pthread_mutex_destroy(&env->lock);
    free(env);
}

int db_env_create(DB_ENV **envp, u_int32_t flags)
{
    *envp = NULL;
    if (flags != 0) {
        return ref_bdb_refuse(NULL, EINVAL, "db_env_create", "unknown flag 0x%x", (unsigned)flags);
    }
    ref_bdb_env *env = ref_bdb_env_new();
    if (env == NULL) {
        return ENOMEM;
    }
    *envp = &env->handle;
    return 0;
}
