/* Opening, creating, removing and renaming databases. */
#include <errno.h>
#include <stdlib.h>

#include "db.h"
#include "slot.h"

/* ---- handles ---- */

static int make_handle(ref_env *env, const char *name, const ref_db_options *options, ref_db **out)
{
    ref_db *db = calloc(1, sizeof *db);
    char *copy = db != NULL ? strdup(name) : NULL;
    *out = NULL;
    if (copy == NULL) {
        free(db);
        return ref_fail(ENOMEM, "%s", name);
    }
    db->env = env;
    db->name = copy;
    db->read_only = options->read_only;
    *out = db;
    return 0;
}

static void free_handle(ref_db *db)
{
    free(db->name);
    free(db);
}

/* Binds the handle to a file that the transaction can see. */
static int attach(ref_db *db, ref_txn *txn, ref_dbfile *file)
{
    const uint8_t *meta;
    ref_look look;

    db->file = file;
    /* Whatever the transaction has read so far: a database that others have made since is there. */
    pthread_mutex_lock(&db->env->mutex);
    bool own = file->owner != NULL && file->owner == txn;
    pthread_mutex_unlock(&db->env->mutex);
    int error = ref_slot_admit(file, db->read_only);
    if (error != 0) {
        return error;
    }
    error = ref_look_begin(db, own ? txn : NULL, false, &look);
    if (error == 0) {
        error = ref_view_read(&look.view, 0, &meta);
    }
    if (error == 0) {
        db->root = ref_get32(meta + REF_META_AT_ROOT);
        if (ref_get32(meta + REF_META_AT_TYPE) != REF_META_BTREE) {
            error = ref_fail(REF_VERSION, "%s: offset %d: access method %u", file->name,
                REF_META_AT_TYPE, ref_get32(meta + REF_META_AT_TYPE));
        }
    }
    ref_look_end(&look);
    return error;
}

static void count_open(ref_dbfile *file, int by)
{
    pthread_mutex_lock(&file->env->mutex);
    file->opens += (unsigned)by;
    pthread_mutex_unlock(&file->env->mutex);
}

int ref_db_close(ref_db *db)
{
    int error = 0;
    ref_error_clear();
    count_open(db->file, -1);
    if (db->env->alone) {
        error = ref_env_close(db->env);
    }
    free_handle(db);
    return error;
}

/* ---- a file that is not in the catalog ---- */

/* What lies at a path: 0 and *found when it is a database file; 0 and not *found when there is
 * nothing (or an empty file, which counts as nothing); EINVAL with words when it is something else.
 */
static int look_at_file(ref_vfs *vfs, const char *path, ref_meta *meta, bool *found)
{
    uint8_t head[REF_PAGE_SIZE_MIN];
    size_t done = 0;
    ref_file *file;

    *found = false;
    int error = vfs->open(vfs, path, 0, 0, &file);
    if (error == ENOENT) {
        return 0;
    }
    if (error != 0) {
        return ref_fail(error, "%s: open", path);
    }
    error = ref_read_full(file, head, sizeof head, 0, &done);
    vfs->close(file);
    if (error != 0) {
        return ref_fail(error, "%s: read", path);
    }
    if (done == 0) {
        return 0;
    }
    error = ref_meta_read(head, done, path, meta);
    if (error == ENOENT) {
        return ref_fail(EINVAL, "%s: offset %d: this is no database file", path, REF_META_AT_MAGIC);
    }
    *found = error == 0;
    return error;
}

/* Whether the catalog has a database of this name, whatever a transaction is doing to it. */
static bool in_catalog(ref_env *env, const char *dir, const char *name)
{
    pthread_mutex_lock(&env->mutex);
    bool known = ref_catalog_find_in(env, NULL, dir, name) != NULL;
    pthread_mutex_unlock(&env->mutex);
    return known;
}

/* The data directory in which the name exists as a file that is not in the catalog; *dir is NULL
 * when there is none. */
static int search_disk(
    ref_env *env, const char *only, const char *name, const char **dir, ref_meta *meta)
{
    *dir = NULL;
    for (size_t i = 0; i <= env->data_dir_count; i++) {
        const char *at = i < env->data_dir_count ? env->data_dirs[i] : "";
        if (only != NULL && strcmp(at, only) != 0) {
            continue;
        }
        ref_dbfile where = {
            .env = env, .dir = (char *)(uintptr_t)at, .name = (char *)(uintptr_t)name};
        bool found;
        if (in_catalog(env, at, name)) {
            continue; /* its name is free for the transaction that has removed or renamed it */
        }
        char *path = ref_dbfile_path(&where);
        if (path == NULL) {
            return ref_fail(ENOMEM, "%s", name);
        }
        int error = look_at_file(env->vfs, path, meta, &found);
        free(path);
        if (error != 0) {
            return error;
        }
        if (found) {
            *dir = at;
            return 0;
        }
    }
    return 0;
}

/* Commit refuses it too; here it saves the work. */
static int refuse_while_copied(ref_env *env, const char *path)
{
    pthread_mutex_lock(&env->checkpoint_lock);
    int error = ref_pin_block(env, path);
    if (error == 0) {
        ref_pin_unblock(env);
    }
    pthread_mutex_unlock(&env->checkpoint_lock);
    return error;
}

/* Puts a new entry into the catalog, as the transaction's until it commits. Caller holds the write
 * lock. */
static int enter(
    ref_txn *txn, const ref_file_record *record, ref_record_type kind, ref_dbfile **out)
{
    ref_env *env = txn->env;
    pthread_mutex_lock(&env->mutex);
    ref_dbfile *file = ref_catalog_add(env, record);
    if (file != NULL) {
        file->owner = txn;
        file->owner_created = true;
    }
    pthread_mutex_unlock(&env->mutex);
    if (file == NULL) {
        return ref_fail(ENOMEM, "%s", record->name);
    }
    *out = file;
    return ref_txn_add_op(txn, kind, file);
}

/* Brings a file that was put into a directory of the environment into its catalog and log. Holds
 * the write lock. */
static int adopt(ref_env *env, ref_txn *txn, const char *dir, const char *name, ref_dbfile **out)
{
    ref_dbfile where = {.env = env, .dir = (char *)(uintptr_t)dir, .name = (char *)(uintptr_t)name};
    ref_file_record record;
    char *path = ref_dbfile_path(&where);

    *out = NULL;
    if (path == NULL) {
        return ref_fail(ENOMEM, "%s", name);
    }
    int error = refuse_while_copied(env, path);
    if (error == 0) {
        error = ref_slot_check(env->vfs, path, false);
    }
    if (error == 0) {
        error = ref_adopt(env, path, &record);
    }
    free(path);
    if (error != 0) {
        return error;
    }
    record.dir = dir;
    record.name = name;
    return enter(txn, &record, REF_RECORD_ADOPT, out);
}

/* ---- creating ---- */

static int fill_new_file(ref_txn *txn, ref_dbfile *file)
{
    ref_view view = {.file = file, .txn = txn, .writable = true};
    ref_id none = {{0}};
    uint8_t *meta;
    uint32_t root;

    int error = ref_view_add_meta(&view, &meta);
    if (error == 0) {
        ref_meta_init(meta, file->page_size, &file->id, file->env->alone ? &none : &file->env->id);
        error = ref_btree_create(&view, &root);
    }
    if (error == 0) {
        ref_put32(meta + REF_META_AT_ROOT, root);
    }
    ref_view_close(&view);
    return error;
}

static int create(
    ref_env *env, ref_txn *txn, const char *name, const ref_db_options *options, ref_dbfile **out)
{
    ref_file_record record = {
        .page_size = options->page_size != 0 ? options->page_size : REF_PAGE_SIZE_DEFAULT,
        .mode = options->file_mode != 0 ? options->file_mode : env->file_mode,
        .name = name};

    *out = NULL;
    if (!ref_page_size_valid(record.page_size)) {
        return ref_fail(EINVAL, "%s: page size %u: a power of two from %u to %u", name,
            record.page_size, REF_PAGE_SIZE_MIN, REF_PAGE_SIZE_MAX);
    }
    int error = ref_catalog_create_dir(env, options->create_dir, &record.dir);
    if (error == 0) {
        error = env->vfs->random(env->vfs, &record.id, sizeof record.id);
    }
    if (error != 0) {
        return error;
    }
    error = enter(txn, &record, REF_RECORD_CREATE, out);
    return error == 0 ? fill_new_file(txn, *out) : error;
}

/* ---- opening ---- */

static int refuse_existing(const char *name, const ref_db_options *options)
{
    return options->create && options->exclusive ? ref_fail(EEXIST, "%s", name) : 0;
}

/* The database in the catalog; in one directory only where the caller named one. Caller holds
 * env->mutex. */
static ref_dbfile *known_file(
    ref_env *env, const ref_txn *txn, const char *name, const ref_db_options *options)
{
    return options->create_dir != NULL ? ref_catalog_find_in(env, txn, options->create_dir, name)
                                       : ref_catalog_find(env, txn, name);
}

/* Finds the database, or makes or adopts it in `txn`, which holds the write lock. */
static int find_or_make(
    ref_env *env, ref_txn *txn, const char *name, const ref_db_options *options, ref_dbfile **out)
{
    const char *dir;
    ref_meta meta;

    pthread_mutex_lock(&env->mutex);
    *out = known_file(env, txn, name, options);
    pthread_mutex_unlock(&env->mutex);
    if (*out != NULL) {
        return refuse_existing(name, options);
    }
    int error = search_disk(env, options->create_dir, name, &dir, &meta);
    if (error == 0 && dir != NULL) {
        error = refuse_existing(name, options);
        return error == 0 ? adopt(env, txn, dir, name, out) : error;
    }
    if (error == 0 && !options->create) {
        error = ref_fail(ENOENT, "%s: no such database in %s", name, env->home);
    }
    return error == 0 ? create(env, txn, name, options, out) : error;
}

/* The same with a transaction of its own where the caller has none. */
static int make_in_txn(
    ref_env *env, ref_txn *txn, const char *name, const ref_db_options *options, ref_dbfile **out)
{
    ref_txn *use = txn;
    int error = txn == NULL ? ref_txn_begin(env, NULL, &use) : 0;

    *out = NULL;
    if (error != 0) {
        return error;
    }
    error = ref_txn_write(use);
    if (error == 0) {
        error = find_or_make(env, use, name, options, out);
        if (error != 0 && *out != NULL && txn != NULL) {
            ref_txn_fail(txn, error);
        }
    }
    if (txn == NULL) {
        int end = error == 0 ? ref_txn_commit(use) : ref_txn_abort(use);
        error = error == 0 ? end : error;
    }
    return error;
}

/* Without a database of this name on the disk, nobody needs the write lock to say so. */
static int refuse_missing(ref_env *env, const char *only, const char *name)
{
    const char *dir;
    ref_meta meta;
    int error = search_disk(env, only, name, &dir, &meta);
    return error == 0 && dir == NULL
               ? ref_fail(ENOENT, "%s: no such database in %s", name, env->home)
               : error;
}

static int open_named(
    ref_env *env, ref_txn *txn, const char *name, const ref_db_options *options, ref_db *db)
{
    pthread_mutex_lock(&env->mutex);
    int error = ref_env_check(env);
    ref_dbfile *file = known_file(env, txn, name, options);
    pthread_mutex_unlock(&env->mutex);
    if (error == 0 && file != NULL) {
        error = refuse_existing(name, options);
    } else if (error == 0) {
        error = options->create ? 0 : refuse_missing(env, options->create_dir, name);
        error = error == 0 ? make_in_txn(env, txn, name, options, &file) : error;
    }
    if (error == 0) {
        error = attach(db, txn, file);
    }
    if (error == 0) {
        count_open(file, 1);
    }
    return error;
}

static const ref_db_options no_options;

int ref_db_open(
    ref_env *env, ref_txn *txn, const char *name, const ref_db_options *options, ref_db **out)
{
    ref_db *db = NULL;
    options = options != NULL ? options : &no_options;
    char *clean = ref_env_clean_name(env, name);

    *out = NULL;
    ref_error_clear();
    if (clean == NULL) {
        return ref_fail(ENOMEM, "%s", name);
    }
    int error = clean[0] == '\0' ? ref_fail(EINVAL, "a database's name is empty") : 0;
    if (error == 0) {
        error = make_handle(env, name, options, &db);
    }
    if (error == 0) {
        error = open_named(env, txn, clean, options, db);
    }
    if (error == 0) {
        *out = db;
    } else if (db != NULL) {
        free_handle(db);
    }
    free(clean);
    return error;
}

/* Registers an existing file of its own. */
static int register_alone(ref_env *env, const char *path, const ref_meta *meta, ref_dbfile **out)
{
    ref_file_record record = {.id = meta->id,
        .page_size = meta->page_size,
        .mode = env->file_mode,
        .dir = "",
        .name = path};
    *out = ref_catalog_add(env, &record);
    if (*out == NULL) {
        return ref_fail(ENOMEM, "%s", path);
    }
    (*out)->slot_doubt = true;
    return 0;
}

int ref_db_open_alone(ref_vfs *vfs, const char *path, const ref_db_options *options, ref_db **out)
{
    ref_env *env;
    ref_db *db = NULL;
    ref_meta meta;
    bool found;
    ref_dbfile *file = NULL;

    options = options != NULL ? options : &no_options;
    *out = NULL;
    ref_error_clear();
    int error = ref_env_make_alone(vfs, options->file_mode, &env);
    if (error != 0) {
        return error;
    }
    error = look_at_file(env->vfs, path, &meta, &found);
    if (error == 0 && found) {
        error = refuse_existing(path, options);
        error = error == 0 ? register_alone(env, path, &meta, &file) : error;
    } else if (error == 0) {
        error = options->create ? make_in_txn(env, NULL, path, options, &file)
                                : ref_fail(ENOENT, "%s", path);
    }
    if (error == 0) {
        error = make_handle(env, path, options, &db);
    }
    if (error == 0) {
        error = attach(db, NULL, file);
    }
    if (error != 0) {
        if (db != NULL) {
            free_handle(db);
        }
        ref_env_close(env);
        return error;
    }
    count_open(file, 1);
    *out = db;
    return 0;
}

/* ---- removing and renaming ---- */

/* Whether the operating system will let a file take the name: what fails after the log has it
 * cannot be taken back. A file without content counts as nothing. */
static int check_place(ref_vfs *vfs, const char *path)
{
    ref_stat stat;
    char *aside = ref_path_suffix(path, REF_RECOVERY_SUFFIX), *parent = ref_path_parent(path);
    int error = aside == NULL || parent == NULL ? ENOMEM : vfs->stat(vfs, parent, &stat);
    if (error == 0 && stat.kind != REF_KIND_DIRECTORY) {
        error = ENOTDIR;
    }
    if (error == 0) {
        error = vfs->lstat(vfs, aside, &stat);
        error = error == ENOENT ? 0 : error;
    }
    if (error == 0) {
        error = vfs->lstat(vfs, path, &stat);
        if (error == 0) {
            error = stat.kind == REF_KIND_FILE && stat.size == 0 ? 0 : EEXIST;
        } else if (error == ENOENT) {
            error = 0;
        }
    }
    free(aside);
    free(parent);
    return error == 0 ? 0 : ref_fail(error, "%s: new name", path);
}

/* EEXIST, or why the database `name` cannot be called `new_name`. The catalog says nothing against
 * it: claim() asks it. */
static int check_new_name(ref_env *env, const ref_txn *txn, const char *name, const char *new_name)
{
    pthread_mutex_lock(&env->mutex);
    const ref_dbfile *file = ref_catalog_find(env, txn, name);
    pthread_mutex_unlock(&env->mutex);
    if (file == NULL || in_catalog(env, file->dir, new_name)) {
        return 0;
    }
    ref_dbfile where = {.env = env, .dir = file->dir, .name = (char *)(uintptr_t)new_name};
    char *path = ref_dbfile_path(&where);
    int error = path != NULL ? check_place(env->vfs, path) : ref_fail(ENOMEM, "%s", new_name);
    free(path);
    return error;
}

/* Marks the file as the transaction's. Caller holds the write lock, so nobody else has marked it.
 * *again: it had renamed the file before, and the last name counts. */
static int claim(ref_env *env, ref_txn *txn, const char *name, const char *new_name,
    ref_dbfile **out, bool *again)
{
    int error = 0;
    *again = false;
    pthread_mutex_lock(&env->mutex);
    ref_dbfile *file = ref_catalog_find(env, txn, name);
    if (file == NULL) {
        error = ref_fail(ENOENT, "%s: no such database in %s", name, env->home);
    } else if (file->opens > 0) {
        error = ref_fail(EBUSY, "%s: %u handles are open on it", name, file->opens);
    } else if (new_name != NULL && ref_catalog_find_in(env, txn, file->dir, new_name) != NULL) {
        error = ref_fail(EEXIST, "%s", new_name);
    } else if (new_name != NULL) {
        char *copy = strdup(new_name);
        if (copy == NULL) {
            error = ref_fail(ENOMEM, "%s", new_name);
        } else {
            *again = file->owner_name != NULL;
            free(file->owner_name);
            file->owner_name = copy;
        }
    } else {
        file->owner_removed = true;
    }
    if (error == 0) {
        file->owner = txn;
    }
    pthread_mutex_unlock(&env->mutex);
    *out = file;
    return error;
}

static int remove_or_rename(ref_env *env, ref_txn *txn, const char *name, const char *new_name)
{
    ref_txn *use = txn;
    ref_dbfile *file;
    bool again;

    int error = txn == NULL ? ref_txn_begin(env, NULL, &use) : 0;
    if (error != 0) {
        return error;
    }
    error = ref_txn_write(use);
    if (error == 0 && new_name != NULL) {
        error = check_new_name(env, use, name, new_name);
    }
    if (error == 0) {
        error = claim(env, use, name, new_name, &file, &again);
    }
    if (error == 0 && !again) {
        error = ref_txn_add_op(use, new_name != NULL ? REF_RECORD_RENAME : REF_RECORD_REMOVE, file);
    }
    if (txn == NULL) {
        int end = error == 0 ? ref_txn_commit(use) : ref_txn_abort(use);
        error = error == 0 ? end : error;
    }
    return error;
}

int ref_db_remove(ref_env *env, ref_txn *txn, const char *name)
{
    char *clean = ref_env_clean_name(env, name);
    ref_error_clear();
    int error =
        clean == NULL ? ref_fail(ENOMEM, "%s", name) : remove_or_rename(env, txn, clean, NULL);
    free(clean);
    return error;
}

int ref_db_rename(ref_env *env, ref_txn *txn, const char *name, const char *new_name)
{
    char *clean = ref_env_clean_name(env, name), *to = ref_env_clean_name(env, new_name);
    ref_error_clear();
    int error;
    if (clean == NULL || to == NULL) {
        error = ref_fail(ENOMEM, "%s", name);
    } else if (to[0] == '\0' || ref_path_is_absolute(to) || ref_path_climbs(to)) {
        error = ref_fail(EINVAL, "%s: the new name lies in the same directory", new_name);
    } else {
        error = remove_or_rename(env, txn, clean, to);
    }
    free(clean);
    free(to);
    return error;
}
