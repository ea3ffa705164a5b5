/* Which databases the environment has. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

/* The name under which a transaction knows a file; NULL when it does not. */
static const char *name_for(const ref_dbfile *file, const ref_txn *txn)
{
    if (file->removed) {
        return NULL;
    }
    if (file->owner != NULL && file->owner == txn) {
        if (file->owner_removed) {
            return NULL;
        }
        return file->owner_name != NULL ? file->owner_name : file->name;
    }
    return file->owner_created ? NULL : file->name;
}

ref_dbfile *ref_catalog_find_in(ref_env *env, const ref_txn *txn, const char *dir, const char *name)
{
    for (ref_dbfile *file = env->files; file != NULL; file = file->next) {
        const char *known = name_for(file, txn);
        if (known != NULL && strcmp(known, name) == 0 && strcmp(file->dir, dir) == 0) {
            return file;
        }
    }
    return NULL;
}

ref_dbfile *ref_catalog_find(ref_env *env, const ref_txn *txn, const char *name)
{
    for (size_t i = 0; i < env->data_dir_count; i++) {
        ref_dbfile *file = ref_catalog_find_in(env, txn, env->data_dirs[i], name);
        if (file != NULL) {
            return file;
        }
    }
    return ref_catalog_find_in(env, txn, "", name);
}

ref_dbfile *ref_catalog_add(ref_env *env, const ref_file_record *record)
{
    ref_dbfile *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return NULL;
    }
    file->env = env;
    file->id = record->id;
    file->page_size = record->page_size;
    file->mode = record->mode;
    file->dir = strdup(record->dir);
    file->name = strdup(record->name);
    if (file->dir == NULL || file->name == NULL) {
        free(file->dir);
        free(file->name);
        free(file);
        return NULL;
    }
    /* At the end: a catalog keeps its order from run to run. */
    ref_dbfile **at = &env->files;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = file;
    return file;
}

void ref_catalog_destroy(ref_env *env)
{
    while (env->files != NULL) {
        ref_dbfile *file = env->files;
        env->files = file->next;
        if (file->handle != NULL) {
            env->vfs->close(file->handle);
        }
        free(file->dir);
        free(file->name);
        free(file->owner_name);
        free(file);
    }
}

int ref_catalog_create_dir(ref_env *env, const char *dir, const char **out)
{
    *out = env->create_dir;
    if (dir == NULL) {
        return 0;
    }
    for (size_t i = 0; i < env->data_dir_count; i++) {
        if (strcmp(env->data_dirs[i], dir) == 0) {
            *out = env->data_dirs[i];
            return 0;
        }
    }
    return ref_fail(EINVAL, "%s: not a data directory of %s", dir, env->home);
}

int ref_dbfile_open(ref_dbfile *file)
{
    ref_env *env = file->env;
    ref_file *handle = NULL;

    pthread_mutex_lock(&env->mutex);
    bool open = file->handle != NULL;
    char *path = open ? NULL : ref_dbfile_path(file);
    pthread_mutex_unlock(&env->mutex);
    if (open) {
        return 0;
    }
    if (path == NULL) {
        return ref_fail(ENOMEM, "%s", file->name);
    }
    int error = env->vfs->open(env->vfs, path, REF_O_WRITE, 0, &handle);
    if (error == EACCES || error == EROFS) {
        error = env->vfs->open(env->vfs, path, 0, 0, &handle);
    }
    pthread_mutex_lock(&env->mutex);
    if (error == 0 && file->handle == NULL) {
        file->handle = handle;
        handle = NULL;
    }
    pthread_mutex_unlock(&env->mutex);
    if (handle != NULL) {
        env->vfs->close(handle); /* another thread was faster */
    }
    if (error != 0) {
        ref_fail(error, "%s: open", path);
    }
    free(path);
    return error;
}

/* ---- for backups ---- */

void ref_catalog_entry_clear(ref_catalog_entry *entry)
{
    free(entry->dir);
    free(entry->name);
    free(entry->path);
    *entry = (ref_catalog_entry){0};
}

void ref_catalog_free(ref_catalog_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ref_catalog_entry_clear(&entries[i]);
    }
    free(entries);
}

static int describe(const ref_dbfile *file, ref_catalog_entry *out)
{
    *out = (ref_catalog_entry){.id = file->id,
        .page_size = file->page_size,
        .dir = strdup(file->dir),
        .name = strdup(file->name),
        .path = ref_dbfile_path(file)};
    if (out->dir == NULL || out->name == NULL || out->path == NULL) {
        ref_catalog_entry_clear(out);
        return ref_fail(ENOMEM, "%s", file->name);
    }
    return 0;
}

static bool committed(const ref_dbfile *file)
{
    return !file->removed && !file->owner_created;
}

int ref_catalog_list(ref_env *env, ref_catalog_entry **entries, size_t *count)
{
    size_t total = 0;
    int error = 0;

    *entries = NULL;
    *count = 0;
    pthread_mutex_lock(&env->mutex);
    for (const ref_dbfile *file = env->files; file != NULL; file = file->next) {
        total++;
    }
    ref_catalog_entry *list = calloc(total + 1, sizeof *list);
    size_t used = 0;
    if (list == NULL) {
        error = ref_fail(ENOMEM, "%s: list of databases", env->home);
    }
    for (const ref_dbfile *file = env->files; file != NULL && error == 0; file = file->next) {
        if (committed(file)) {
            error = describe(file, &list[used]);
            used += error == 0;
        }
    }
    pthread_mutex_unlock(&env->mutex);
    if (error != 0) {
        ref_catalog_free(list, used);
        return error;
    }
    *entries = list;
    *count = used;
    return 0;
}

int ref_catalog_entry_by_id(ref_env *env, const ref_id *id, ref_catalog_entry *entry)
{
    int error = ENOENT;
    *entry = (ref_catalog_entry){0};
    pthread_mutex_lock(&env->mutex);
    for (const ref_dbfile *file = env->files; file != NULL; file = file->next) {
        if (committed(file) && ref_id_equal(&file->id, id)) {
            error = describe(file, entry);
            break;
        }
    }
    pthread_mutex_unlock(&env->mutex);
    return error;
}

int ref_catalog_entry_by_name(ref_env *env, const char *name, ref_catalog_entry *entry)
{
    char *clean = ref_env_clean_name(env, name);

    *entry = (ref_catalog_entry){0};
    if (clean == NULL) {
        return ref_fail(ENOMEM, "%s", name);
    }
    pthread_mutex_lock(&env->mutex);
    ref_dbfile *file = ref_catalog_find(env, NULL, clean);
    int error = file != NULL ? describe(file, entry)
                             : ref_fail(ENOENT, "%s: no such database in %s", name, env->home);
    pthread_mutex_unlock(&env->mutex);
    free(clean);
    return error;
}

int ref_env_databases(ref_env *env, char ***names, size_t *count)
{
    ref_catalog_entry *entries;
    size_t total = 0;

    *names = NULL;
    *count = 0;
    int error = env->guest ? ref_guest_refresh(env) : ref_env_state(env);
    if (error == 0) {
        error = ref_catalog_list(env, &entries, &total);
    }
    if (error != 0) {
        return error;
    }
    if (total == 0) {
        ref_catalog_free(entries, 0);
        return 0;
    }
    char **list = calloc(total, sizeof *list);
    for (size_t i = 0; i < total && list != NULL && error == 0; i++) {
        list[i] = ref_path_join(entries[i].dir, entries[i].name);
        error = list[i] == NULL ? ENOMEM : 0;
    }
    ref_catalog_free(entries, total);
    if (list == NULL || error != 0) {
        for (size_t i = 0; i < total && list != NULL; i++) {
            free(list[i]);
        }
        free(list);
        return ref_fail(ENOMEM, "%s: list of databases", env->home);
    }
    *names = list;
    *count = total;
    return 0;
}

bool ref_dbfile_is_removed(ref_dbfile *file)
{
    pthread_mutex_lock(&file->env->mutex);
    bool removed = file->removed;
    pthread_mutex_unlock(&file->env->mutex);
    return removed;
}
