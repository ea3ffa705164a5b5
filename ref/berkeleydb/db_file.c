/* Whole database files: verify, remove, rename. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- methods of DB_ENV ---- */

static int check_env_file(ref_bdb_env *env, const char *method, DB_TXN *txn, const char *file,
    const char *database, u_int32_t flags)
{
    int ret = ref_bdb_check_open(env, method);

    if (ret == 0) {
        ret = ref_bdb_check_flags(env, method, flags, DB_AUTO_COMMIT, NULL);
    }
    if (ret == 0 && txn != NULL && flags != 0) {
        ret = ref_bdb_refuse(env, EINVAL, method, "DB_AUTO_COMMIT together with a transaction");
    }
    if (ret == 0 && txn != NULL && ref_bdb_txn_of(txn)->env != env) {
        ret = ref_bdb_refuse(
            env, EINVAL, method, "the transaction is one of another environment handle");
    }
    return ret == 0 ? ref_bdb_check_file(env, method, file, database) : ret;
}

/* new_name NULL: removes. */
static int change_file(
    ref_bdb_env *env, const char *method, DB_TXN *txn, const char *file, const char *new_name)
{
    ref_bdb_work work;
    int ret = ref_bdb_work_begin(
        env, env->engine, txn == NULL ? NULL : ref_bdb_txn_of(txn), false, &work);

    if (ret == 0) {
        ret = new_name == NULL ? ref_db_remove(env->engine, work.txn, file)
                               : ref_db_rename(env->engine, work.txn, file, new_name);
    }
    return ref_bdb_result(env, method, ref_bdb_work_end(&work, ret));
}

static int env_dbremove(
    DB_ENV *handle, DB_TXN *txn, const char *file, const char *database, u_int32_t flags)
{
    static const char method[] = "DB_ENV->dbremove";
    ref_bdb_env *env = ref_bdb_env_of(handle);
    int ret = check_env_file(env, method, txn, file, database, flags);

    return ret == 0 ? change_file(env, method, txn, file, NULL) : ret;
}

static int env_dbrename(DB_ENV *handle, DB_TXN *txn, const char *file, const char *database,
    const char *new_name, u_int32_t flags)
{
    static const char method[] = "DB_ENV->dbrename";
    ref_bdb_env *env = ref_bdb_env_of(handle);
    int ret = check_env_file(env, method, txn, file, database, flags);

    if (ret == 0 && (new_name == NULL || new_name[0] == '\0')) {
        ret = ref_bdb_refuse(env, EINVAL, method, "%s: the new name is %s", file,
            new_name == NULL ? "NULL" : "empty");
    }
    return ret == 0 ? change_file(env, method, txn, file, new_name) : ret;
}

void ref_bdb_install_files(DB_ENV *handle)
{
    handle->dbremove = env_dbremove;
    handle->dbrename = env_dbrename;
}

/* ---- methods of DB ---- */

/* Ends the handle of a method that replaces open; the result stays. */
static int finish(ref_bdb_db *db, int ret)
{
    ref_bdb_env *env = db->env;
    bool alone = db->alone;

    (void)ref_bdb_db_drop(db, true);
    if (alone) {
        ref_bdb_env_free(env);
    }
    return ret;
}

static int check_instead_of_open(ref_bdb_db *db, const char *method)
{
    if (db->engine != NULL) {
        return ref_bdb_refuse(db->env, EINVAL, method, "not after DB->open");
    }
    return db->alone ? 0 : ref_bdb_check_open(db->env, method);
}

static int verify_file(ref_bdb_db *db, const char *file)
{
    ref_db_options options = {.read_only = true, .create_dir = db->create_dir};
    ref_db *engine = NULL;
    int ret = db->alone ? ref_db_open_alone(ref_default_vfs(), file, &options, &engine)
                        : ref_db_open(db->env->engine, NULL, file, &options, &engine);

    if (ret == 0) {
        ret = ref_db_verify(engine, NULL);
    } else if (ret == EINVAL) {
        ret = REF_CORRUPT; /* what is no database is no sound one either */
    }
    ret = ref_bdb_result_as(
        db->env, "DB->verify", ret == REF_CORRUPT ? DB_VERIFY_BAD : ref_bdb_error(db->env, ret));
    if (engine != NULL) {
        (void)ref_db_close(engine);
    }
    return ret;
}

static int db_verify(
    DB *handle, const char *file, const char *database, FILE *outfile, u_int32_t flags)
{
    static const char method[] = "DB->verify";
    static const ref_bdb_name missing[] = {{DB_SALVAGE, "DB_SALVAGE"},
        {DB_AGGRESSIVE, "DB_AGGRESSIVE"}, {DB_PRINTABLE, "DB_PRINTABLE"},
        {DB_ORDERCHKONLY, "DB_ORDERCHKONLY"}, {0, NULL}};
    ref_bdb_db *db = ref_bdb_db_of(handle);
    int ret = check_instead_of_open(db, method);

    (void)outfile;
    if (ret == 0) {
        ret = ref_bdb_check_flags(db->env, method, flags, DB_NOORDERCHK, missing);
    }
    if (ret == 0) {
        ret = ref_bdb_check_file(db->env, method, file, database);
    }
    return finish(db, ret == 0 ? verify_file(db, file) : ret);
}

/* Unlinks a database that belongs to no environment, and makes that durable. */
static int remove_alone(const char *file)
{
    ref_vfs *vfs = ref_default_vfs();
    const char *slash = strrchr(file, '/');
    ref_stat info = {0};
    int ret = vfs->lstat(vfs, file, &info);

    if (ret == 0 && info.kind == REF_KIND_DIRECTORY) {
        ret = EISDIR;
    }
    if (ret == 0) {
        ret = vfs->unlink(vfs, file);
    }
    if (ret == 0) {
        char *dir = slash == NULL   ? strdup(".")
                    : slash == file ? strdup("/")
                                    : strndup(file, (size_t)(slash - file));

        ret = dir == NULL ? ENOMEM : vfs->fsync_dir(vfs, dir);
        free(dir);
    }
    return ret == 0 ? 0 : ref_fail(ret, "%s", file);
}

static int db_remove(DB *handle, const char *file, const char *database, u_int32_t flags)
{
    static const char method[] = "DB->remove";
    ref_bdb_db *db = ref_bdb_db_of(handle);
    int ret = check_instead_of_open(db, method);

    if (ret == 0) {
        ret = ref_bdb_check_flags(db->env, method, flags, 0, NULL);
    }
    if (ret == 0) {
        ret = ref_bdb_check_file(db->env, method, file, database);
    }
    if (ret == 0) {
        ret = db->alone ? ref_bdb_result(db->env, method, remove_alone(file))
                        : change_file(db->env, method, NULL, file, NULL);
    }
    return finish(db, ret);
}

void ref_bdb_install_db_files(DB *handle)
{
    handle->verify = db_verify;
    handle->remove = db_remove;
}
