/* A database handle from creation to its end. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *type_name(DBTYPE type)
{
    switch (type) {
    case DB_BTREE:
        return "DB_BTREE";
    case DB_HASH:
        return "DB_HASH";
    case DB_RECNO:
        return "DB_RECNO";
    case DB_QUEUE:
        return "DB_QUEUE";
    case DB_UNKNOWN:
        return "DB_UNKNOWN";
    case DB_HEAP:
        return "DB_HEAP";
    }
    return NULL;
}

static int check_type(ref_bdb_db *db, const char *method, DBTYPE type, u_int32_t flags)
{
    const char *name = type_name(type);

    if (name == NULL) {
        return ref_bdb_refuse(db->env, EINVAL, method, "unknown access method %u", (unsigned)type);
    }
    if (type == DB_UNKNOWN && (flags & (DB_CREATE | DB_TRUNCATE)) != 0) {
        return ref_bdb_refuse(db->env, EINVAL, method, "DB_UNKNOWN with DB_CREATE or DB_TRUNCATE");
    }
    if (type != DB_BTREE && type != DB_UNKNOWN) {
        return ref_bdb_refuse(db->env, EINVAL, method,
            "the access method %s is not in this version, only DB_BTREE", name);
    }
    return 0;
}

/* Flags that need or exclude one another. */
static int check_flags(ref_bdb_db *db, const char *method, const DB_TXN *txn, u_int32_t flags)
{
    static const ref_bdb_name missing[] = {{DB_READ_UNCOMMITTED, "DB_READ_UNCOMMITTED"}, {0, NULL}};
    const char *wrong = NULL;
    int ret = ref_bdb_check_flags(db->env, method, flags,
        DB_AUTO_COMMIT | DB_CREATE | DB_EXCL | DB_MULTIVERSION | DB_NOMMAP | DB_RDONLY | DB_THREAD |
            DB_TRUNCATE,
        missing);

    if (ret != 0) {
        return ret;
    }
    if ((flags & DB_EXCL) != 0 && (flags & DB_CREATE) == 0) {
        wrong = "DB_EXCL without DB_CREATE";
    } else if ((flags & DB_RDONLY) != 0 && (flags & (DB_CREATE | DB_TRUNCATE)) != 0) {
        wrong = "DB_RDONLY with DB_CREATE or DB_TRUNCATE";
    } else if (db->alone && (txn != NULL || (flags & DB_AUTO_COMMIT) != 0)) {
        wrong = "a transaction or DB_AUTO_COMMIT without an environment";
    } else if (txn != NULL && (flags & DB_AUTO_COMMIT) != 0) {
        wrong = "DB_AUTO_COMMIT together with a transaction";
    } else if ((flags & DB_TRUNCATE) != 0 && !db->alone) {
        wrong = "DB_TRUNCATE in an environment with transactions";
    } else if (!db->alone && (flags & DB_THREAD) != 0 && (db->env->open_flags & DB_THREAD) == 0) {
        wrong = "DB_THREAD in an environment that was opened without it";
    } else if ((flags & DB_MULTIVERSION) != 0 && txn == NULL && (flags & DB_AUTO_COMMIT) == 0) {
        wrong = "DB_MULTIVERSION without a transaction and without DB_AUTO_COMMIT";
    }
    return wrong == NULL ? 0 : ref_bdb_refuse(db->env, EINVAL, method, "%s", wrong);
}

static int check_open_txn(ref_bdb_db *db, const char *method, DB_TXN *txn)
{
    if (txn != NULL && ref_bdb_txn_of(txn)->env != db->env) {
        return ref_bdb_refuse(
            db->env, EINVAL, method, "the transaction is one of another environment handle");
    }
    return 0;
}

static int open_engine(
    ref_bdb_db *db, ref_bdb_txn *txn, const char *file, u_int32_t flags, int mode)
{
    ref_db_options options = {
        .create = (flags & DB_CREATE) != 0,
        .exclusive = (flags & DB_EXCL) != 0,
        .read_only = (flags & DB_RDONLY) != 0,
        .page_size = db->page_size,
        .file_mode = (uint32_t)mode & 07777u,
        .create_dir = db->create_dir,
    };
    ref_bdb_work work;

    if (db->alone) {
        int ret = ref_db_open_alone(ref_default_vfs(), file, &options, &db->engine);

        if (ret == 0 && (flags & DB_TRUNCATE) != 0) {
            ret = ref_db_truncate(db->engine, NULL, NULL);
        }
        return ret;
    }
    /* Opening does not write, as a rule, and then needs no transaction of its own. */
    int ret = ref_bdb_work_begin(db->env, db->env->engine, txn, false, &work);
    if (ret == 0) {
        ret = ref_db_open(db->env->engine, work.txn, file, &options, &db->engine);
    }
    return ref_bdb_work_end(&work, ret);
}

static int db_open(DB *handle, DB_TXN *txn, const char *file, const char *database, DBTYPE type,
    u_int32_t flags, int mode)
{
    static const char method[] = "DB->open";
    ref_bdb_db *db = ref_bdb_db_of(handle);
    ref_bdb_env *env = db->env;
    u_int32_t defaults = db->alone || txn != NULL ? 0 : ref_bdb_env_flags(env) & DB_AUTO_COMMIT;

    if (!db->alone) {
        defaults |= ref_bdb_env_flags(env) & DB_MULTIVERSION;
    }
    if (db->engine != NULL) {
        return ref_bdb_refuse(env, EINVAL, method, "the handle is open already");
    }
    int ret = db->alone ? 0 : ref_bdb_check_open(env, method);
    if (ret == 0) {
        ret = check_flags(db, method, txn, flags | (defaults & DB_AUTO_COMMIT));
    }
    if (ret == 0) {
        ret = check_type(db, method, type, flags);
    }
    if (ret == 0) {
        ret = ref_bdb_check_file(env, method, file, database);
    }
    if (ret == 0) {
        ret = check_open_txn(db, method, txn);
    }
    if (ret != 0) {
        return ret;
    }
    flags |= defaults;
    db->name = strdup(file);
    ret = db->name == NULL
              ? ENOMEM
              : open_engine(db, txn == NULL ? NULL : ref_bdb_txn_of(txn), file, flags, mode);
    if (ret != 0) {
        if (db->engine != NULL) {
            (void)ref_db_close(db->engine);
            db->engine = NULL;
        }
        free(db->name);
        db->name = NULL;
        return ref_bdb_result(env, method, ret);
    }
    db->transactional = txn != NULL || (flags & DB_AUTO_COMMIT) != 0;
    db->multiversion = db->transactional && (flags & DB_MULTIVERSION) != 0;
    db->threaded = ((flags | env->open_flags) & DB_THREAD) != 0;
    return 0;
}

static void unlink_db(ref_bdb_db *db)
{
    (void)pthread_mutex_lock(&db->env->lock);
    ref_bdb_db **link = &db->env->dbs;
    while (*link != db) {
        link = &(*link)->next;
    }
    *link = db->next;
    (void)pthread_mutex_unlock(&db->env->lock);
}

int ref_bdb_db_drop(ref_bdb_db *db, bool sync)
{
    int ret = 0;

    while (db->cursors != NULL) {
        ref_bdb_cursor_free(db->cursors);
    }
    if (db->engine != NULL) {
        /* Documented: what is cached goes to the file. (A database alone always does so.) */
        if (sync && !db->alone && !ref_db_read_only(db->engine)) {
            ret = ref_db_sync(db->engine);
        }
        int one = ref_db_close(db->engine);
        ret = ret == 0 ? one : ret;
    }
    unlink_db(db);
    ref_buffer_free(&db->returned);
    free(db->create_dir);
    free(db->name);
    free(db);
    return ret;
}

static int db_close(DB *handle, u_int32_t flags)
{
    static const char method[] = "DB->close";
    ref_bdb_db *db = ref_bdb_db_of(handle);
    ref_bdb_env *env = db->env;
    bool alone = db->alone;
    int ret = ref_bdb_check_flags(env, method, flags, DB_NOSYNC, NULL);
    int one = ref_bdb_result(env, method, ref_bdb_db_drop(db, (flags & DB_NOSYNC) == 0));

    if (alone) {
        ref_bdb_env_free(env);
    }
    return ret == 0 ? one : ret;
}

int db_create(DB **dbp, DB_ENV *handle, u_int32_t flags)
{
    static const ref_bdb_name missing[] = {{DB_XA_CREATE, "DB_XA_CREATE"}, {0, NULL}};
    ref_bdb_env *env = handle == NULL ? NULL : ref_bdb_env_of(handle);

    *dbp = NULL;
    int ret = ref_bdb_check_flags(env, "db_create", flags, 0, missing);
    if (ret != 0) {
        return ret;
    }
    ref_bdb_db *db = calloc(1, sizeof *db);
    if (db == NULL) {
        return ENOMEM;
    }
    db->alone = env == NULL;
    db->env = env != NULL ? env : ref_bdb_env_new();
    if (db->env == NULL) {
        free(db);
        return ENOMEM;
    }
    db->handle.open = db_open;
    db->handle.close = db_close;
    ref_bdb_install_db_settings(&db->handle);
    ref_bdb_install_db_ops(&db->handle);
    ref_bdb_install_db_cursor(&db->handle);
    ref_bdb_install_db_files(&db->handle);
    (void)pthread_mutex_lock(&db->env->lock);
    db->next = db->env->dbs;
    db->env->dbs = db;
    (void)pthread_mutex_unlock(&db->env->lock);
    *dbp = &db->handle;
    return 0;
}
