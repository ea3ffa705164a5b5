/*
 * Open files: one of each, however many handles a database has. Each has the environment of its
 * data directory open; the engine knows when the last one lets go, and then everything is in the
 * files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "provoke.h"

static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;
static ref_dom_file *files;

/* Caller holds files_lock. */
static ref_dom_file *find(const char *path)
{
    ref_dom_file *file = files;

    while (file != NULL && strcmp(file->path, path) != 0) {
        file = file->next;
    }
    return file;
}

bool ref_dom_file_is_open(const char *path)
{
    ref_vfs *vfs = ref_default_vfs();
    ref_stat asked, info;
    bool open = false;

    if (vfs->stat(vfs, path, &asked) != 0) {
        return false;
    }
    (void)pthread_mutex_lock(&files_lock);
    for (const ref_dom_file *file = files; file != NULL && !open; file = file->next) {
        open = vfs->stat(vfs, file->path, &info) == 0 && info.device == asked.device &&
               info.inode == asked.inode;
    }
    (void)pthread_mutex_unlock(&files_lock);
    return open;
}

static STATUS open_env(const char *directory, ref_env **out)
{
    ref_env_options options = {.home = directory, .create = true, .log_auto_remove = true};
    int error = ref_env_open(&options, out);

    /* A directory that is an unfinished backup is not what ERR_RM_OPEN_BACKUP is about. */
    return error == REF_INCOMPLETE ? ref_dom_error_as(ERR_RM_FIXUP_DB) : ref_dom_error(error);
}

/* The code for a database that does not open. */
static STATUS open_error(const char *path, int error)
{
    ref_copy_state state;
    STATUS status = ref_dom_error(error);

    if (error == REF_CORRUPT && ref_copy_state_of(ref_default_vfs(), path, &state) == 0 &&
        state == REF_COPY_RAW) {
        status = ERR_RM_OPEN_BACKUP;
    }
    return status;
}

static STATUS open_engine(const ref_dom_place *place, ref_dom_file *file)
{
    static const ref_db_options options = {0};

    if (place->directory == NULL) {
        return open_error(place->path,
            ref_db_open_alone(ref_default_vfs(), place->path, &options, &file->engine));
    }
    STATUS status = open_env(place->directory, &file->env);
    if (status == NOERROR) {
        int error = ref_db_open(file->env, NULL, place->name, &options, &file->engine);

        if (error != 0) {
            status = open_error(place->path, error);
            (void)ref_env_close(file->env);
        }
    }
    return status;
}

/* Caller holds files_lock. */
static STATUS make(const ref_dom_place *place, ref_dom_file **out)
{
    ref_dom_file *file = calloc(1, sizeof *file);

    if (file == NULL) {
        return ERR_MEMORY;
    }
    memcpy(file->path, place->path, sizeof file->path);
    STATUS status = open_engine(place, file);
    if (status != NOERROR) {
        free(file);
        return status;
    }
    (void)pthread_mutex_init(&file->backup_lock, NULL);
    file->next = files;
    files = file;
    *out = file;
    return NOERROR;
}

STATUS ref_dom_file_open(const ref_dom_place *place, ref_dom_file **out)
{
    STATUS status = NOERROR;

    (void)pthread_mutex_lock(&files_lock);
    *out = find(place->path);
    if (*out == NULL) {
        status = make(place, out);
    }
    if (*out != NULL) {
        (*out)->opens++;
    }
    (void)pthread_mutex_unlock(&files_lock);
    return status;
}

STATUS ref_dom_file_close(ref_dom_file *file)
{
    int error = 0;

    (void)pthread_mutex_lock(&files_lock);
    if (--file->opens == 0) {
        ref_dom_file **link = &files;
        while (*link != file) {
            link = &(*link)->next;
        }
        *link = file->next;
        ref_dom_backup_end_all(file, NULLHANDLE);
        error = ref_db_close(file->engine);
        if (file->env != NULL) {
            int end = ref_env_close(file->env);
            error = error == 0 ? end : error;
        }
        (void)pthread_mutex_destroy(&file->backup_lock);
        free(file);
    }
    STATUS status = ref_dom_error(error);
    (void)pthread_mutex_unlock(&files_lock);
    return status;
}

/* ---- making and deleting ---- */

/* Removes a database file that no data directory knows: 0, ENOENT, or EINVAL when it is none. */
static int unlink_database(const char *path)
{
    ref_vfs *vfs = ref_default_vfs();
    ref_copy_state state;
    ref_stat info;

    int error = vfs->stat(vfs, path, &info);
    if (error != 0) {
        return ref_fail(error, "%s", path);
    }
    if (info.kind != REF_KIND_FILE) {
        return ref_fail(info.kind == REF_KIND_DIRECTORY ? EISDIR : EINVAL, "%s", path);
    }
    error = ref_copy_state_of(vfs, path, &state);
    if (error != 0 && error != REF_CORRUPT && error != REF_VERSION) {
        return error;
    }
    error = vfs->unlink(vfs, path);
    return error == 0 ? 0 : ref_fail(error, "%s: unlink", path);
}

/* In one transaction, so that after a crash one of the two is there. */
static int replace_in(ref_env *env, const ref_dom_place *place)
{
    static const ref_db_options options = {.create = true, .exclusive = true};
    ref_txn *txn;
    ref_db *db = NULL;

    int error = ref_txn_begin(env, NULL, &txn);
    if (error != 0) {
        return error;
    }
    error = ref_db_remove(env, txn, place->name);
    if (error == ENOENT) {
        error = unlink_database(place->path);
        error = error == ENOENT ? 0 : error;
    }
    if (error == 0) {
        error = ref_db_open(env, txn, place->name, &options, &db);
    }
    if (error != 0) {
        (void)ref_txn_abort(txn);
        return error;
    }
    error = ref_txn_commit(txn);
    int end = ref_db_close(db);
    return error == 0 ? end : error;
}

static int create_in(ref_env *env, const ref_dom_place *place, bool replace)
{
    static const ref_db_options options = {.create = true, .exclusive = true};
    ref_db *db;

    if (replace) {
        return replace_in(env, place);
    }
    int error = ref_db_open(env, NULL, place->name, &options, &db);
    return error == 0 ? ref_db_close(db) : error;
}

static int create_alone(const ref_dom_place *place, bool replace)
{
    static const ref_db_options options = {.create = true, .exclusive = true};
    ref_db *db;
    int error = 0;

    if (replace) {
        error = unlink_database(place->path);
        error = error == ENOENT ? 0 : error;
    }
    if (error == 0) {
        error = ref_db_open_alone(ref_default_vfs(), place->path, &options, &db);
    }
    return error == 0 ? ref_db_close(db) : error;
}

/* Caller holds files_lock. */
static STATUS create(const ref_dom_place *place, bool replace)
{
    ref_env *env;

    if (find(place->path) != NULL) {
        return replace ? ERR_LOCK : ERR_EXISTS;
    }
    if (place->directory == NULL) {
        return ref_dom_error(create_alone(place, replace));
    }
    STATUS status = open_env(place->directory, &env);
    if (status == NOERROR) {
        int error = create_in(env, place, replace);
        int end = ref_env_close(env);

        status = ref_dom_error(error == 0 ? end : error);
    }
    return status;
}

STATUS ref_dom_file_create(const ref_dom_place *place, bool replace)
{
    (void)pthread_mutex_lock(&files_lock);
    STATUS status = create(place, replace);
    (void)pthread_mutex_unlock(&files_lock);
    return status;
}

/* Caller holds files_lock. */
static STATUS delete_file(const ref_dom_place *place)
{
    ref_env *env;

    if (find(place->path) != NULL) {
        return ERR_LOCK;
    }
    if (place->directory == NULL) {
        return ref_dom_error(unlink_database(place->path));
    }
    STATUS status = open_env(place->directory, &env);
    if (status == NOERROR) {
        int error = ref_db_remove(env, NULL, place->name);

        if (error == ENOENT) {
            error = unlink_database(place->path);
        }
        int end = ref_env_close(env);
        status = ref_dom_error(error == 0 ? end : error);
    }
    return status;
}

STATUS ref_dom_file_delete(const ref_dom_place *place)
{
    (void)pthread_mutex_lock(&files_lock);
    STATUS status = delete_file(place);
    (void)pthread_mutex_unlock(&files_lock);
    return status;
}

/* ---- for tests ---- */

unsigned short ref_dom_provoke_flush(const char *path)
{
    ref_dom_place place;
    ref_dom_file *file;
    STATUS status = ref_dom_place_of(path, &place);

    if (status == NOERROR) {
        status = ref_dom_file_open(&place, &file);
    }
    if (status == NOERROR) {
        status = ref_dom_error(ref_db_sync(file->engine));
        STATUS end = ref_dom_file_close(file);
        status = status == NOERROR ? end : status;
    }
    return status;
}
