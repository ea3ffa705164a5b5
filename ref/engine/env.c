/* An environment's life: options, the table of open homes, opening, ending, closing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"
#include "label.h"
#include "log.h"

/* Environments that this process has open. One home is one environment, however often it is opened.
 */
static pthread_mutex_t open_mutex = PTHREAD_MUTEX_INITIALIZER;
static ref_env *open_environments;

/* ---- building and freeing the struct ---- */

static void free_env(ref_env *env)
{
    for (size_t i = 0; i < env->data_dir_count; i++) {
        free(env->data_dirs[i]);
    }
    free(env->data_dirs);
    free(env->home);
    free(env->create_dir);
    free(env->log_dir);
    free(env->log_path);
    pthread_mutex_destroy(&env->mutex);
    pthread_mutex_destroy(&env->checkpoint_lock);
    pthread_cond_destroy(&env->write_free);
    pthread_cond_destroy(&env->visible_change);
    free(env);
}

static int copy_dirs(ref_env *env, const ref_env_options *options)
{
    env->data_dirs = calloc(options->data_dir_count + 1, sizeof *env->data_dirs);
    if (env->data_dirs == NULL) {
        return ENOMEM;
    }
    for (size_t i = 0; i < options->data_dir_count; i++) {
        env->data_dirs[i] = strdup(options->data_dirs[i]);
        if (env->data_dirs[i] == NULL) {
            return ENOMEM;
        }
        env->data_dir_count++;
    }
    const char *create_dir = options->create_dir;
    if (create_dir == NULL) {
        create_dir = env->data_dir_count > 0 ? env->data_dirs[0] : "";
    }
    env->create_dir = strdup(create_dir);
    env->log_dir = strdup(options->log_dir != NULL ? options->log_dir : "");
    return env->create_dir != NULL && env->log_dir != NULL ? 0 : ENOMEM;
}

/* *out has everything that needs no file; NULL on failure. */
static int make_env(const ref_env_options *options, const char *home, ref_env **out)
{
    pthread_condattr_t monotonic;
    ref_env *env = calloc(1, sizeof *env);

    *out = NULL;
    if (env == NULL) {
        return ref_fail(ENOMEM, "%s", home);
    }
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&env->mutex, NULL);
    pthread_mutex_init(&env->checkpoint_lock, NULL);
    pthread_cond_init(&env->write_free, &monotonic);
    pthread_cond_init(&env->visible_change, NULL);
    pthread_condattr_destroy(&monotonic);
    env->vfs = options->vfs != NULL ? options->vfs : ref_default_vfs();
    env->segment_size =
        options->segment_size != 0 ? options->segment_size : REF_SEGMENT_SIZE_DEFAULT;
    env->file_mode = options->file_mode != 0 ? options->file_mode : 0660;
    env->log_auto_remove = options->log_auto_remove;
    env->home = strdup(home);
    int error = env->home == NULL ? ENOMEM : copy_dirs(env, options);
    if (error == 0) {
        env->log_path = ref_env_dir_path(env, env->log_dir);
        error = env->log_path == NULL ? ENOMEM : 0;
    }
    if (error == 0) {
        uint64_t cache = options->cache_size != 0 ? options->cache_size : REF_CACHE_SIZE_DEFAULT;
        error = ref_cache_init(&env->cache, cache);
    }
    if (error != 0) {
        free_env(env);
        return ref_fail(error, "%s", home);
    }
    *out = env;
    return 0;
}

static int check_options(const ref_env_options *options)
{
    if (options->segment_size != 0 && options->segment_size < REF_SEGMENT_SIZE_MIN) {
        return ref_fail(EINVAL, "%s: log segments of %u bytes: at least %u", options->home,
            options->segment_size, REF_SEGMENT_SIZE_MIN);
    }
    if (options->create_dir == NULL) {
        return 0;
    }
    for (size_t i = 0; i < options->data_dir_count; i++) {
        if (strcmp(options->data_dirs[i], options->create_dir) == 0) {
            return 0;
        }
    }
    return ref_fail(EINVAL, "%s: the directory for new databases is not among the data directories",
        options->create_dir);
}

/* ---- ending ---- */

int ref_env_end(ref_env *env, int error)
{
    char why[sizeof env->ended_text];
    snprintf(why, sizeof why, "%s", ref_error_text());

    pthread_mutex_lock(&env->mutex);
    if (env->ended == 0) {
        env->ended = REF_RUNRECOVERY;
        snprintf(env->ended_text, sizeof env->ended_text, "%s",
            why[0] != '\0' ? why : ref_strerror(error));
        pthread_cond_broadcast(&env->write_free);
        pthread_cond_broadcast(&env->visible_change);
    }
    error = ref_env_check(env);
    pthread_mutex_unlock(&env->mutex);
    return error;
}

int ref_env_check(ref_env *env)
{
    if (env->ended == 0) {
        return 0;
    }
    return env->alone ? ref_fail(REF_RUNRECOVERY, "%s", env->ended_text)
                      : ref_fail(REF_RUNRECOVERY, "%s: the environment has ended: %s", env->home,
                            env->ended_text);
}

bool ref_env_is_guest(const ref_env *env)
{
    return env->guest;
}

int ref_env_refuse_guest(const ref_env *env, const char *what)
{
    return !env->guest ? 0
                       : ref_fail(EOPNOTSUPP,
                             "%s: another process owns the environment, here it is open for backup "
                             "only: %s",
                             env->home, what);
}

int ref_env_state(ref_env *env)
{
    pthread_mutex_lock(&env->mutex);
    int error = ref_env_check(env);
    pthread_mutex_unlock(&env->mutex);
    return error;
}

/* ---- opening ---- */

static int check_directory(ref_vfs *vfs, const char *path, const char *what)
{
    ref_stat stat;
    int error = vfs->stat(vfs, path, &stat);
    if (error == 0 && stat.kind != REF_KIND_DIRECTORY) {
        error = ENOTDIR;
    }
    return error == 0 ? 0 : ref_fail(error, "%s: %s", path, what);
}

static int check_directories(ref_env *env)
{
    int error = check_directory(env->vfs, env->log_path, "log directory");
    for (size_t i = 0; i < env->data_dir_count && error == 0; i++) {
        char *path = ref_env_dir_path(env, env->data_dirs[i]);
        error = path != NULL ? check_directory(env->vfs, path, "data directory")
                             : ref_fail(ENOMEM, "%s", env->home);
        free(path);
    }
    return error;
}

static int refuse_unfinished(ref_env *env)
{
    ref_stat stat;
    char *path = ref_path_join(env->home, REF_MARKER_NAME);
    if (path == NULL) {
        return ref_fail(ENOMEM, "%s", env->home);
    }
    int error = env->vfs->lstat(env->vfs, path, &stat);
    if (error == 0) {
        error = ref_fail(REF_INCOMPLETE,
            "%s: a backup into this directory was not finished; make it again", path);
    } else if (error == ENOENT) {
        error = 0;
    } else {
        ref_fail(error, "%s", path);
    }
    free(path);
    return error;
}

/* The lock is an open file's, so the kernel lets go of it when its owner dies. */
static int lock_home(ref_env *env)
{
    char *path = ref_path_join(env->home, REF_LOCK_NAME);
    if (path == NULL) {
        return ref_fail(ENOMEM, "%s", env->home);
    }
    int error =
        env->vfs->open(env->vfs, path, REF_O_WRITE | REF_O_CREATE, env->file_mode, &env->lock_file);
    if (error != 0) {
        ref_fail(error, "%s: open", path);
    } else {
        error = env->vfs->lock(env->lock_file, REF_LOCK_AT_OWNER, 1, REF_LOCK_EXCLUSIVE);
        if (error != 0) {
            ref_fail(error, "%s: another process has the environment open", path);
        }
    }
    free(path);
    return error;
}

static int random_u64(ref_vfs *vfs, uint64_t *out)
{
    int error = vfs->random(vfs, out, sizeof *out);
    return error == 0 ? 0 : ref_fail(error, "random number");
}

/* A home without control file and without log: a new environment begins with its identity. */
static int create_environment(ref_env *env)
{
    ref_log_position position = {.new_segment = true};
    int error = env->vfs->random(env->vfs, &env->id, sizeof env->id);
    if (error != 0) {
        return ref_fail(error, "%s: random identity", env->home);
    }
    error = random_u64(env->vfs, &position.next_incarnation);
    if (error == 0) {
        error = ref_log_create(env, &position, &env->log);
    }
    return error == 0 ? ref_checkpoint(env, true) : error;
}

/* A crash while an environment was created leaves a first segment to which nothing was written:
 * its first write, which fits a sector, is there as a whole or not at all. Anything else is
 * somebody's log. */
static bool is_blank(const ref_segment *segment)
{
    for (size_t i = 0; i < segment->size && segment->size >= REF_SEGMENT_HEADER; i++) {
        if (segment->bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static int forget_torn_creation(ref_env *env, uint32_t *newest)
{
    ref_segment segment;
    bool torn = false;
    if (*newest != 1) {
        return 0;
    }
    int error = ref_segment_load(env->vfs, env->log_path, 1, &segment, &torn);
    torn = torn && is_blank(&segment);
    if (torn) {
        error = env->vfs->unlink(env->vfs, segment.path);
        if (error != 0) {
            ref_fail(error, "%s: remove a torn segment", segment.path);
        }
        *newest = 0;
    }
    ref_segment_unload(&segment);
    return torn ? error : 0;
}

/* A label without a log is what is left of a copy. */
static int refuse_label(ref_env *env)
{
    ref_label label;
    int error = ref_label_read(env->vfs, env->home, &label);
    if (error == 0) {
        error = ref_fail(REF_CORRUPT, "%s/log.%010u: this log segment of the backup is missing",
            env->log_path, REF_LSN_SEGMENT(label.redo));
    }
    return error == ENOENT ? 0 : error;
}

static int open_storage(ref_env *env, const ref_env_options *options)
{
    uint32_t oldest, newest;
    int error = ref_control_read(env->vfs, env->home, &env->control);
    if (error == 0) {
        return ref_recover(env, &env->control, options->recover_fatal);
    }
    if (error != ENOENT) {
        return error;
    }
    error = ref_log_segments(env->vfs, env->log_path, &oldest, &newest);
    if (error == 0 && options->create) {
        error = forget_torn_creation(env, &newest);
    }
    if (error != 0) {
        return error;
    }
    if (newest != 0) {
        return ref_recover(env, NULL, true);
    }
    if (!options->create) {
        return ref_fail(ENOENT, "%s: there is no environment here", env->home);
    }
    error = refuse_label(env);
    return error == 0 ? create_environment(env) : error;
}

static void destroy_env(ref_env *env)
{
    ref_log_destroy(env->log);
    ref_cache_destroy(&env->cache);
    ref_catalog_destroy(env);
    if (env->lock_file != NULL) {
        env->vfs->close(env->lock_file);
    }
    free_env(env);
}

/* Without an environment in the home, nothing is made there unless it shall be created. */
static int refuse_missing(ref_env *env, bool create)
{
    ref_control control;
    uint32_t oldest, newest = 0;
    if (create) {
        return 0;
    }
    int error = ref_control_read(env->vfs, env->home, &control);
    if (error != ENOENT) {
        return error;
    }
    error = ref_log_segments(env->vfs, env->log_path, &oldest, &newest);
    if (error == 0 && newest == 0) {
        error = ref_fail(ENOENT, "%s: there is no environment here", env->home);
    }
    return error;
}

static int open_new(const ref_env_options *options, const char *home, ref_env **out)
{
    ref_env *env;
    int error = make_env(options, home, &env);
    if (error != 0) {
        return error;
    }
    error = check_directories(env);
    if (error == 0) {
        error = refuse_unfinished(env);
    }
    if (error == 0) {
        error = refuse_missing(env, options->create);
    }
    if (error == 0) {
        error = lock_home(env);
        env->guest =
            error == EAGAIN && options->guest && !options->create && !options->recover_fatal;
    }
    if (env->guest) {
        error = ref_guest_refresh(env);
    } else if (error == 0) {
        error = open_storage(env, options);
    }
    if (error != 0) {
        destroy_env(env);
        return error;
    }
    *out = env;
    return 0;
}

/* Is this open environment the one that the options ask for? Who wants to own it has no use for
 * a guest's. */
static bool is_same(
    const ref_env *env, const ref_env_options *options, const ref_vfs *vfs, const ref_stat *home)
{
    return env->vfs == vfs && env->home_device == home->device && env->home_inode == home->inode &&
           (!env->guest || options->guest);
}

int ref_env_open(const ref_env_options *options, ref_env **out)
{
    char home[REF_PATH_MAX];
    ref_stat stat;
    ref_vfs *vfs = options->vfs != NULL ? options->vfs : ref_default_vfs();

    *out = NULL;
    ref_error_clear();
    int error = check_options(options);
    if (error != 0) {
        return error;
    }
    error = vfs->resolve(vfs, options->home, home, sizeof home);
    if (error == 0) {
        error = vfs->stat(vfs, home, &stat);
    }
    if (error == 0 && stat.kind != REF_KIND_DIRECTORY) {
        error = ENOTDIR;
    }
    if (error != 0) {
        return ref_fail(error, "%s: home directory", options->home);
    }
    pthread_mutex_lock(&open_mutex);
    ref_env *env = open_environments;
    while (env != NULL && !is_same(env, options, vfs, &stat)) {
        env = env->next_open;
    }
    if (env == NULL) {
        error = open_new(options, home, &env);
        if (error == 0) {
            env->home_device = stat.device;
            env->home_inode = stat.inode;
            env->next_open = open_environments;
            open_environments = env;
        }
    } else {
        error = ref_env_state(env);
    }
    if (error == 0) {
        env->opens++;
        *out = env;
    }
    pthread_mutex_unlock(&open_mutex);
    return error;
}

int ref_env_make_alone(ref_vfs *vfs, uint32_t mode, ref_env **out)
{
    ref_env_options options = {.vfs = vfs, .file_mode = mode};
    int error = make_env(&options, "", out);
    if (error == 0) {
        (*out)->alone = true;
        (*out)->opens = 1;
    }
    return error;
}

/* ---- closing ---- */

static int close_last(ref_env *env)
{
    while (env->transactions != NULL) {
        ref_txn_abort(env->transactions);
    }
    int error = env->guest ? 0 : ref_env_state(env);
    ref_capture_close_env(env);
    if (error == 0 && !env->guest) {
        error = ref_checkpoint(env, false);
    }
    destroy_env(env);
    return error;
}

int ref_env_close(ref_env *env)
{
    int error = 0;
    if (env->alone) {
        return close_last(env);
    }
    pthread_mutex_lock(&open_mutex);
    env->opens--;
    if (env->opens == 0) {
        ref_env **at = &open_environments;
        while (*at != env) {
            at = &(*at)->next_open;
        }
        *at = env->next_open;
        error = close_last(env);
    }
    pthread_mutex_unlock(&open_mutex);
    return error;
}

int ref_env_remove(ref_vfs *vfs, const char *home)
{
    ref_env env = {.vfs = vfs != NULL ? vfs : ref_default_vfs(),
        .home = (char *)(uintptr_t)home,
        .file_mode = 0660};
    int error = check_directory(env.vfs, home, "home directory");
    if (error != 0) {
        return error;
    }
    error = lock_home(&env);
    if (error == 0) {
        error = env.vfs->lock(env.lock_file, REF_LOCK_AT_PIN, 1, REF_LOCK_EXCLUSIVE);
        if (error != 0) {
            ref_fail(error, "%s: another process backs the environment up", home);
        }
    }
    if (error == 0) {
        char *path = ref_path_join(home, REF_CONTROL_NAME);
        error = path != NULL ? env.vfs->unlink(env.vfs, path) : ENOMEM;
        error = error == ENOENT ? 0 : error;
        if (error != 0) {
            ref_fail(error, "%s/%s: remove", home, REF_CONTROL_NAME);
        }
        free(path);
    }
    if (env.lock_file != NULL) {
        env.vfs->close(env.lock_file);
    }
    return error;
}

/* ---- small questions ---- */

void ref_env_set_log_auto_remove(ref_env *env, bool on)
{
    pthread_mutex_lock(&env->mutex);
    env->log_auto_remove = on;
    pthread_mutex_unlock(&env->mutex);
}

bool ref_env_log_auto_remove(ref_env *env)
{
    pthread_mutex_lock(&env->mutex);
    bool on = env->log_auto_remove;
    pthread_mutex_unlock(&env->mutex);
    return on;
}

int ref_env_set_segment_size(ref_env *env, uint32_t bytes)
{
    ref_env_options options = {.home = env->home, .segment_size = bytes};
    int error = check_options(&options);
    if (error == 0) {
        pthread_mutex_lock(&env->mutex);
        env->segment_size = bytes != 0 ? bytes : REF_SEGMENT_SIZE_DEFAULT;
        pthread_mutex_unlock(&env->mutex);
    }
    return error;
}

void ref_env_set_cache_size(ref_env *env, uint64_t bytes)
{
    pthread_mutex_lock(&env->mutex);
    env->cache.limit = bytes != 0 ? bytes : REF_CACHE_SIZE_DEFAULT;
    pthread_mutex_unlock(&env->mutex);
}

const char *ref_env_home(const ref_env *env)
{
    return env->home;
}

uint32_t ref_env_segment_size(const ref_env *env)
{
    return env->segment_size;
}

void ref_env_identity(const ref_env *env, uint8_t *id)
{
    memcpy(id, &env->id, sizeof env->id);
}
