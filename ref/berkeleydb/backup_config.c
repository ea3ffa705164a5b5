/* How backups of an environment handle are made: callbacks and tuning. */
#include "internal.h"

#include <errno.h>

static int set_backup_callbacks(DB_ENV *handle, ref_bdb_backup_open open_func,
    ref_bdb_backup_write write_func, ref_bdb_backup_close close_func)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);

    if ((open_func == NULL) != (write_func == NULL) ||
        (open_func == NULL) != (close_func == NULL)) {
        return ref_bdb_refuse(env, EINVAL, "DB_ENV->set_backup_callbacks",
            "open_func, write_func and close_func go together: %s is NULL",
            open_func == NULL    ? "open_func"
            : write_func == NULL ? "write_func"
                                 : "close_func");
    }
    (void)pthread_mutex_lock(&env->lock);
    env->backup.open = open_func;
    env->backup.write = write_func;
    env->backup.close = close_func;
    (void)pthread_mutex_unlock(&env->lock);
    return 0;
}

static int get_backup_callbacks(DB_ENV *handle, ref_bdb_backup_open *open_func,
    ref_bdb_backup_write *write_func, ref_bdb_backup_close *close_func)
{
    ref_bdb_backup_settings now = ref_bdb_backup_config(ref_bdb_env_of(handle));

    if (open_func != NULL) {
        *open_func = now.open;
    }
    if (write_func != NULL) {
        *write_func = now.write;
    }
    if (close_func != NULL) {
        *close_func = now.close;
    }
    return 0;
}

static u_int32_t *setting(ref_bdb_backup_settings *settings, DB_BACKUP_CONFIG option)
{
    switch (option) {
    case DB_BACKUP_READ_COUNT:
        return &settings->read_count;
    case DB_BACKUP_READ_SLEEP:
        return &settings->read_sleep;
    case DB_BACKUP_SIZE:
        return &settings->size;
    case DB_BACKUP_WRITE_DIRECT:
        return &settings->write_direct;
    }
    return NULL;
}

static int unknown(ref_bdb_env *env, const char *method, DB_BACKUP_CONFIG option)
{
    return ref_bdb_refuse(env, EINVAL, method, "unknown option %u", (unsigned)option);
}

static int set_backup_config(DB_ENV *handle, DB_BACKUP_CONFIG option, u_int32_t value)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);
    u_int32_t *to = setting(&env->backup, option);

    if (to == NULL) {
        return unknown(env, "DB_ENV->set_backup_config", option);
    }
    if (option == DB_BACKUP_WRITE_DIRECT) {
        value = value != 0;
    } else if (option == DB_BACKUP_SIZE && value == 0) {
        value = REF_BACKUP_BUFFER_DEFAULT;
    }
    (void)pthread_mutex_lock(&env->lock);
    *to = value;
    (void)pthread_mutex_unlock(&env->lock);
    return 0;
}

static int get_backup_config(DB_ENV *handle, DB_BACKUP_CONFIG option, u_int32_t *value)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);
    ref_bdb_backup_settings now = ref_bdb_backup_config(env);
    const u_int32_t *from = setting(&now, option);

    *value = from == NULL ? 0 : *from;
    return from == NULL ? unknown(env, "DB_ENV->get_backup_config", option) : 0;
}

ref_bdb_backup_settings ref_bdb_backup_config(ref_bdb_env *env)
{
    (void)pthread_mutex_lock(&env->lock);
    ref_bdb_backup_settings now = env->backup;
    (void)pthread_mutex_unlock(&env->lock);
    return now;
}

void ref_bdb_install_backup_config(DB_ENV *handle)
{
    handle->set_backup_callbacks = set_backup_callbacks;
    handle->get_backup_callbacks = get_backup_callbacks;
    handle->set_backup_config = set_backup_config;
    handle->get_backup_config = get_backup_config;
}
