/* Hot backup: what the engine's backup needs to know, and the program's callbacks as its sink. */
#include "internal.h"

#include <errno.h>

#define GIB (UINT64_C(1) << 30)
#define NS_PER_US UINT64_C(1000)

/* ---- the program's callbacks as a sink ---- */

typedef struct callback_sink {
    ref_bdb_env *env;
    const char *target;
    ref_bdb_backup_settings settings;
    int error;            /* the first that a callback gave: may be any value, ours included */
    const char *function; /* which one gave it */
} callback_sink;

static int record(callback_sink *sink, const char *function, int value)
{
    if (value != 0 && sink->error == 0) {
        sink->error = value;
        sink->function = function;
    }
    return value;
}

static int sink_open(void *context, const char *name, void **file)
{
    callback_sink *sink = context;

    *file = NULL;
    return record(
        sink, "open_func", sink->settings.open(&sink->env->handle, name, sink->target, file));
}

static int sink_write(void *context, void *file, uint64_t offset, const void *data, size_t size)
{
    callback_sink *sink = context;

    return record(sink, "write_func",
        sink->settings.write(&sink->env->handle, (u_int32_t)(offset / GIB),
            (u_int32_t)(offset % GIB), (u_int32_t)size, (u_int8_t *)data, file));
}

static int sink_close(void *context, const char *name, void *file)
{
    callback_sink *sink = context;

    return record(sink, "close_func", sink->settings.close(&sink->env->handle, name, file));
}

/* ---- both methods ---- */

static void message(void *context, const char *line)
{
    ref_bdb_message(context, line);
}

static int check_target(
    ref_bdb_env *env, const char *method, const char *target, bool has_callbacks)
{
    if (target == NULL && !has_callbacks) {
        return ref_bdb_refuse(
            env, EINVAL, method, "the target is NULL and no backup callbacks are set");
    }
    if (target != NULL && target[0] == '\0' && !has_callbacks) {
        return ref_bdb_refuse(env, EINVAL, method, "the target's name \"\" is empty");
    }
    return 0;
}

static ref_backup_options plan(ref_bdb_env *env, const char *target, unsigned flags,
    const ref_bdb_backup_settings *settings, const ref_sink *sink)
{
    return (ref_backup_options){
        .target = target,
        .flags = flags,
        .sink = settings->open == NULL ? NULL : sink,
        .buffer_size = settings->size,
        .pause_pages = settings->read_count,
        .pause_nanoseconds = settings->read_sleep * NS_PER_US,
        .direct = settings->write_direct != 0,
        .progress = ref_bdb_verbose(env, DB_VERB_BACKUP) ? message : NULL,
        .notice = message,
        .progress_context = env,
    };
}

/* What the method returns: a callback's value as it is, the engine's translated. */
static int result_of(ref_bdb_env *env, const char *method, const callback_sink *sink, int ret)
{
    if (ret != 0 && ret == sink->error) {
        return ref_bdb_refuse(
            env, ret, method, "the backup callback %s returned %d", sink->function, ret);
    }
    if (ret == REF_CORRUPT) {
        /* The source's disk is at fault; the environment has not ended. */
        return ref_bdb_result_as(env, method, EIO);
    }
    return ref_bdb_result(env, method, ret);
}

static unsigned engine_flags(u_int32_t flags)
{
    static const struct {
        u_int32_t ours;
        unsigned engine;
    } map[] = {{DB_CREATE, REF_BACKUP_CREATE}, {DB_EXCL, REF_BACKUP_EXCLUSIVE},
        {DB_BACKUP_CLEAN, REF_BACKUP_CLEAN}, {DB_BACKUP_FILES, REF_BACKUP_FILES},
        {DB_BACKUP_NO_LOGS, REF_BACKUP_NO_LOGS}, {DB_BACKUP_SINGLE_DIR, REF_BACKUP_SINGLE_DIR},
        {DB_BACKUP_UPDATE, REF_BACKUP_UPDATE}};
    unsigned result = 0;

    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if ((flags & map[i].ours) != 0) {
            result |= map[i].engine;
        }
    }
    return result;
}

static int check_backup(ref_bdb_env *env, const char *target, u_int32_t flags, bool has_callbacks)
{
    static const char method[] = "DB_ENV->backup";
    static const u_int32_t known = DB_CREATE | DB_EXCL | DB_BACKUP_CLEAN | DB_BACKUP_FILES |
                                   DB_BACKUP_NO_LOGS | DB_BACKUP_SINGLE_DIR | DB_BACKUP_UPDATE;
    int ret = ref_bdb_check_flags(env, method, flags, known, NULL);

    if (ret == 0) {
        ret = ref_bdb_check_open(env, method);
    }
    return ret == 0 ? check_target(env, method, target, has_callbacks) : ret;
}

static int env_backup(DB_ENV *handle, const char *target, u_int32_t flags)
{
    static const char method[] = "DB_ENV->backup";
    ref_bdb_env *env = ref_bdb_env_of(handle);
    callback_sink calls = {.env = env, .target = target, .settings = ref_bdb_backup_config(env)};
    const ref_sink sink = {
        .context = &calls, .open = sink_open, .write = sink_write, .close = sink_close};
    int ret = check_backup(env, target, flags, calls.settings.open != NULL);

    if (ret != 0) {
        return ret;
    }
    ref_backup_options options = plan(env, target, engine_flags(flags), &calls.settings, &sink);
    ref_bdb_hot_backup_begin(env->shared);
    ret = ref_backup(env->engine, &options);
    (void)ref_bdb_hot_backup_end(env->shared);
    return result_of(env, method, &calls, ret);
}

static int env_dbbackup(DB_ENV *handle, const char *dbfile, const char *target, u_int32_t flags)
{
    static const char method[] = "DB_ENV->dbbackup";
    ref_bdb_env *env = ref_bdb_env_of(handle);
    callback_sink calls = {.env = env, .target = target, .settings = ref_bdb_backup_config(env)};
    const ref_sink sink = {
        .context = &calls, .open = sink_open, .write = sink_write, .close = sink_close};
    int ret = ref_bdb_check_flags(env, method, flags, DB_EXCL, NULL);

    if (ret == 0) {
        ret = ref_bdb_check_open(env, method);
    }
    if (ret == 0) {
        ret = check_target(env, method, target, calls.settings.open != NULL);
    }
    if (ret == 0 && (dbfile == NULL || dbfile[0] == '\0')) {
        ret = ref_bdb_refuse(
            env, ENOENT, method, "the database's name is %s", dbfile == NULL ? "NULL" : "empty");
    }
    if (ret != 0) {
        return ret;
    }
    ref_backup_options options = plan(env, target, engine_flags(flags), &calls.settings, &sink);
    return result_of(env, method, &calls, ref_backup_database(env->engine, dbfile, &options));
}

void ref_bdb_install_backup(DB_ENV *handle)
{
    handle->backup = env_backup;
    handle->dbbackup = env_dbbackup;
}
