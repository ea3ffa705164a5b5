/* Switches of an environment: flags, verbosity, deadlock policy, timeouts, log configuration. */
#include "internal.h"

#include <errno.h>

static const u_int32_t sync_flags = DB_TXN_NOSYNC | DB_TXN_WRITE_NOSYNC;
static const u_int32_t env_flags = DB_AUTO_COMMIT | DB_TXN_NOSYNC | DB_TXN_WRITE_NOSYNC |
                                   DB_TXN_NOWAIT | DB_TIME_NOTGRANTED | DB_MULTIVERSION |
                                   DB_TXN_SNAPSHOT | DB_NOMMAP | DB_HOTBACKUP_IN_PROGRESS;

static const ref_bdb_name missing_env_flags[] = {{DB_CDB_ALLDB, "DB_CDB_ALLDB"},
    {DB_DIRECT_DB, "DB_DIRECT_DB"}, {DB_DSYNC_DB, "DB_DSYNC_DB"}, {DB_NOLOCKING, "DB_NOLOCKING"},
    {DB_NOPANIC, "DB_NOPANIC"}, {DB_OVERWRITE, "DB_OVERWRITE"},
    {DB_PANIC_ENVIRONMENT, "DB_PANIC_ENVIRONMENT"}, {DB_REGION_INIT, "DB_REGION_INIT"},
    {DB_YIELDCPU, "DB_YIELDCPU"}, {0, NULL}};

static const u_int32_t verbose_kinds =
    DB_VERB_BACKUP | DB_VERB_DEADLOCK | DB_VERB_FILEOPS | DB_VERB_FILEOPS_ALL | DB_VERB_RECOVERY |
    DB_VERB_REGISTER | DB_VERB_REPLICATION | DB_VERB_REPMGR_CONNFAIL | DB_VERB_REPMGR_MISC |
    DB_VERB_REP_ELECT | DB_VERB_REP_LEASE | DB_VERB_REP_MISC | DB_VERB_REP_MSGS | DB_VERB_REP_SYNC |
    DB_VERB_REP_SYSTEM | DB_VERB_WAITSFOR;

static const ref_bdb_name missing_log_flags[] = {{DB_LOG_DIRECT, "DB_LOG_DIRECT"},
    {DB_LOG_DSYNC, "DB_LOG_DSYNC"}, {DB_LOG_IN_MEMORY, "DB_LOG_IN_MEMORY"},
    {DB_LOG_ZERO, "DB_LOG_ZERO"}, {0, NULL}};

static u_int32_t with(u_int32_t set, u_int32_t bits, int onoff)
{
    return onoff != 0 ? set | bits : set & ~bits;
}

/* What is missing is off: switching it off is no wish to refuse. */
static u_int32_t without_missing(u_int32_t flags, int onoff, const ref_bdb_name *missing)
{
    for (; onoff == 0 && missing->value != 0; missing++) {
        flags &= ~missing->value;
    }
    return flags;
}

static int count_hot_backup(ref_bdb_env *env, const char *method, u_int32_t flags, int onoff)
{
    if (flags != DB_HOTBACKUP_IN_PROGRESS) {
        return ref_bdb_refuse(
            env, EINVAL, method, "DB_HOTBACKUP_IN_PROGRESS goes with no other flag");
    }
    int ret = ref_bdb_check_open(env, method);
    if (ret == 0 && onoff != 0) {
        ref_bdb_hot_backup_begin(env->shared);
    } else if (ret == 0 && !ref_bdb_hot_backup_end(env->shared)) {
        ret = ref_bdb_refuse(env, EINVAL, method,
            "DB_HOTBACKUP_IN_PROGRESS is taken away more often than it was set");
    }
    return ret;
}

static int set_flags(DB_ENV *handle, u_int32_t flags, int onoff)
{
    static const char method[] = "DB_ENV->set_flags";
    ref_bdb_env *env = ref_bdb_env_of(handle);

    flags = without_missing(flags, onoff, missing_env_flags);
    int ret = ref_bdb_check_flags(env, method, flags, env_flags, missing_env_flags);
    if (ret != 0) {
        return ret;
    }
    if ((flags & DB_HOTBACKUP_IN_PROGRESS) != 0) {
        return count_hot_backup(env, method, flags, onoff);
    }
    if (onoff != 0) {
        ret = ref_bdb_check_one_of(env, method, flags, sync_flags);
        if (ret != 0) {
            return ret;
        }
    }
    (void)pthread_mutex_lock(&env->lock);
    if (onoff != 0 && (flags & sync_flags) != 0) {
        env->flags &= ~sync_flags;
    }
    env->flags = with(env->flags, flags, onoff);
    (void)pthread_mutex_unlock(&env->lock);
    return 0;
}

u_int32_t ref_bdb_env_flags(ref_bdb_env *env)
{
    (void)pthread_mutex_lock(&env->lock);
    u_int32_t flags = env->flags;
    (void)pthread_mutex_unlock(&env->lock);
    return flags;
}

static int get_flags(DB_ENV *handle, u_int32_t *flags)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);

    *flags = ref_bdb_env_flags(env);
    if (env->engine != NULL && ref_bdb_hot_backup_now(env->shared)) {
        *flags |= DB_HOTBACKUP_IN_PROGRESS;
    }
    return 0;
}

static int set_verbose(DB_ENV *handle, u_int32_t which, int onoff)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);

    if (which == 0 || (which & ~verbose_kinds) != 0) {
        return ref_bdb_refuse(
            env, EINVAL, "DB_ENV->set_verbose", "unknown kind of messages 0x%x", (unsigned)which);
    }
    (void)pthread_mutex_lock(&env->lock);
    env->verbose = with(env->verbose, which, onoff);
    (void)pthread_mutex_unlock(&env->lock);
    return 0;
}

bool ref_bdb_verbose(ref_bdb_env *env, u_int32_t which)
{
    (void)pthread_mutex_lock(&env->lock);
    bool on = (env->verbose & which) != 0;
    (void)pthread_mutex_unlock(&env->lock);
    return on;
}

static int check_policy(ref_bdb_env *env, const char *method, u_int32_t policy)
{
    if (policy >= DB_LOCK_DEFAULT && policy <= DB_LOCK_YOUNGEST) {
        return 0;
    }
    return ref_bdb_refuse(env, EINVAL, method, "unknown policy %u", (unsigned)policy);
}

static int set_lk_detect(DB_ENV *handle, u_int32_t policy)
{
    static const char method[] = "DB_ENV->set_lk_detect";
    ref_bdb_env *env = ref_bdb_env_of(handle);
    int ret = check_policy(env, method, policy);

    if (ret != 0) {
        return ret;
    }
    (void)pthread_mutex_lock(&env->lock);
    bool fixed = env->engine != NULL && env->lk_detect != 0 && env->lk_detect != policy;
    if (!fixed) {
        env->lk_detect = policy;
    }
    (void)pthread_mutex_unlock(&env->lock);
    return fixed ? ref_bdb_refuse(env, EINVAL, method, "another policy was set before") : 0;
}

static int lock_detect(DB_ENV *handle, u_int32_t flags, u_int32_t policy, int *rejected)
{
    static const char method[] = "DB_ENV->lock_detect";
    ref_bdb_env *env = ref_bdb_env_of(handle);

    if (rejected != NULL) {
        *rejected = 0;
    }
    int ret = ref_bdb_check_open(env, method);
    if (ret == 0) {
        ret = ref_bdb_check_flags(env, method, flags, 0, NULL);
    }
    if (ret == 0) {
        ret = check_policy(env, method, policy);
    }
    return ret == 0 ? ref_bdb_result(env, method, ref_env_state(env->engine)) : ret;
}

static int set_timeout(DB_ENV *handle, db_timeout_t microseconds, u_int32_t flags)
{
    static const char method[] = "DB_ENV->set_timeout";
    ref_bdb_env *env = ref_bdb_env_of(handle);

    if (flags != DB_SET_LOCK_TIMEOUT && flags != DB_SET_TXN_TIMEOUT &&
        flags != DB_SET_REG_TIMEOUT) {
        return ref_bdb_refuse(env, EINVAL, method, "unknown timeout 0x%x", (unsigned)flags);
    }
    ref_bdb_set_timeouts(env, flags, microseconds);
    return 0;
}

static int log_set_config(DB_ENV *handle, u_int32_t flags, int onoff)
{
    static const char method[] = "DB_ENV->log_set_config";
    ref_bdb_env *env = ref_bdb_env_of(handle);

    flags = without_missing(flags, onoff, missing_log_flags);
    int ret = ref_bdb_check_flags(env, method, flags, DB_LOG_AUTO_REMOVE, missing_log_flags);
    if (ret != 0 || flags == 0) {
        return ret;
    }
    (void)pthread_mutex_lock(&env->lock);
    env->log_auto_remove = onoff != 0;
    (void)pthread_mutex_unlock(&env->lock);
    if (env->engine != NULL) {
        ref_env_set_log_auto_remove(env->engine, onoff != 0);
    }
    return 0;
}

void ref_bdb_install_flags(DB_ENV *handle)
{
    handle->set_flags = set_flags;
    handle->get_flags = get_flags;
    handle->set_verbose = set_verbose;
    handle->set_lk_detect = set_lk_detect;
    handle->lock_detect = lock_detect;
    handle->set_timeout = set_timeout;
    handle->log_set_config = log_set_config;
}
