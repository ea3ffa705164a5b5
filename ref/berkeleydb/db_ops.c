/* Records: DB->put, get, exists, del, truncate, sync. */
#include "internal.h"

#include <errno.h>
#include <string.h>

/* ---- what every operation asks first ---- */

int ref_bdb_check_use(ref_bdb_db *db, const char *method, DB_TXN *handle, ref_bdb_txn **out)
{
    ref_bdb_txn *txn = handle == NULL ? NULL : ref_bdb_txn_of(handle);

    *out = NULL;
    if (db->engine == NULL) {
        return ref_bdb_refuse(db->env, EINVAL, method, "only after DB->open");
    }
    if (txn != NULL && txn->env != db->env) {
        return ref_bdb_refuse(db->env, EINVAL, method,
            "%s: the transaction is one of another "
            "environment handle",
            db->name);
    }
    if (txn != NULL && !db->transactional) {
        return ref_bdb_refuse(db->env, EINVAL, method,
            "%s: a transaction, but the database was opened without one and without "
            "DB_AUTO_COMMIT",
            db->name);
    }
    *out = txn;
    return 0;
}

int ref_bdb_check_operation(
    ref_bdb_db *db, const char *method, u_int32_t flags, u_int32_t allowed, u_int32_t *operation)
{
    static const ref_bdb_name missing[] = {
        {DB_MULTIPLE, "DB_MULTIPLE"}, {DB_MULTIPLE_KEY, "DB_MULTIPLE_KEY"}, {0, NULL}};

    *operation = flags & DB_OPFLAGS_MASK;
    return ref_bdb_check_flags(db->env, method, flags & ~*operation, allowed, missing);
}

int ref_bdb_refuse_operation(ref_bdb_db *db, const char *method, u_int32_t operation)
{
    static const ref_bdb_name known[] = {{DB_CURRENT, "DB_CURRENT"}, {DB_FIRST, "DB_FIRST"},
        {DB_KEYFIRST, "DB_KEYFIRST"}, {DB_KEYLAST, "DB_KEYLAST"}, {DB_LAST, "DB_LAST"},
        {DB_NEXT, "DB_NEXT"}, {DB_NOOVERWRITE, "DB_NOOVERWRITE"}, {DB_PREV, "DB_PREV"},
        {DB_SET, "DB_SET"}, {DB_SET_RANGE, "DB_SET_RANGE"}, {0, NULL}};
    static const ref_bdb_name missing[] = {{DB_AFTER, "DB_AFTER"}, {DB_APPEND, "DB_APPEND"},
        {DB_BEFORE, "DB_BEFORE"}, {DB_CONSUME, "DB_CONSUME"}, {DB_CONSUME_WAIT, "DB_CONSUME_WAIT"},
        {DB_GET_BOTH, "DB_GET_BOTH"}, {DB_GET_BOTH_RANGE, "DB_GET_BOTH_RANGE"},
        {DB_GET_RECNO, "DB_GET_RECNO"}, {DB_JOIN_ITEM, "DB_JOIN_ITEM"},
        {DB_NEXT_DUP, "DB_NEXT_DUP"}, {DB_NEXT_NODUP, "DB_NEXT_NODUP"},
        {DB_NODUPDATA, "DB_NODUPDATA"}, {DB_OVERWRITE_DUP, "DB_OVERWRITE_DUP"},
        {DB_POSITION, "DB_POSITION"}, {DB_PREV_DUP, "DB_PREV_DUP"},
        {DB_PREV_NODUP, "DB_PREV_NODUP"}, {DB_SET_RECNO, "DB_SET_RECNO"}, {0, NULL}};

    for (const ref_bdb_name *name = missing; name->value != 0; name++) {
        if (name->value == operation) {
            return ref_bdb_refuse(db->env, EINVAL, method, "%s is not in this version", name->name);
        }
    }
    for (const ref_bdb_name *name = known; name->value != 0; name++) {
        if (name->value == operation) {
            return ref_bdb_refuse(
                db->env, EINVAL, method, "%s is no operation of this method", name->name);
        }
    }
    return ref_bdb_refuse(db->env, EINVAL, method, "unknown operation %u", (unsigned)operation);
}

/* ---- writing ---- */

/* The partial input on top of what the record holds now, stored. */
static int put_partial(
    ref_bdb_db *db, ref_txn *txn, ref_slice key, const DBT *data, bool no_overwrite)
{
    ref_buffer old = {0}, whole = {0};
    int ret = ref_db_get(db->engine, txn, key, true, &old);

    if (ret == REF_NOTFOUND) {
        ret = 0;
    } else if (ret == 0 && no_overwrite) {
        ret = REF_KEYEXIST;
    }
    if (ret == 0) {
        ret = ref_bdb_apply_partial(&old, data, &whole);
    }
    if (ret == 0) {
        ret = ref_db_put(db->engine, txn, key, (ref_slice){whole.data, whole.size}, no_overwrite);
    }
    ref_buffer_free(&old);
    ref_buffer_free(&whole);
    return ret;
}

static int db_put(DB *handle, DB_TXN *txn_handle, DBT *key, DBT *data, u_int32_t flags)
{
    static const char method[] = "DB->put";
    ref_bdb_db *db = ref_bdb_db_of(handle);
    ref_bdb_txn *txn;
    ref_bdb_work work;
    u_int32_t operation;
    int ret = ref_bdb_check_use(db, method, txn_handle, &txn);

    if (ret == 0) {
        ret = ref_bdb_check_operation(db, method, flags, 0, &operation);
    }
    if (ret == 0 && operation != 0 && operation != DB_NOOVERWRITE) {
        ret = ref_bdb_refuse_operation(db, method, operation);
    }
    if (ret == 0) {
        ret = ref_bdb_check_input_key(db, method, key);
    }
    if (ret == 0) {
        ret = ref_bdb_check_input_value(db, method, data);
    }
    if (ret != 0) {
        return ret;
    }
    bool partial = (data->flags & DB_DBT_PARTIAL) != 0;
    ret = ref_bdb_work_begin(db->env, ref_db_env(db->engine), txn, partial, &work);
    if (ret == 0 && partial) {
        ret = put_partial(db, work.txn, ref_bdb_slice(key), data, operation == DB_NOOVERWRITE);
    } else if (ret == 0) {
        ret = ref_db_put(db->engine, work.txn, ref_bdb_slice(key), ref_bdb_slice(data),
            operation == DB_NOOVERWRITE);
    }
    return ref_bdb_result(db->env, method, ref_bdb_work_end(&work, ret));
}

static int db_del(DB *handle, DB_TXN *txn_handle, DBT *key, u_int32_t flags)
{
    static const char method[] = "DB->del";
    ref_bdb_db *db = ref_bdb_db_of(handle);
    ref_bdb_txn *txn;
    ref_bdb_work work;
    u_int32_t operation;
    int ret = ref_bdb_check_use(db, method, txn_handle, &txn);

    if (ret == 0) {
        ret = ref_bdb_check_operation(db, method, flags, 0, &operation);
    }
    if (ret == 0 && operation != 0) {
        ret = ref_bdb_refuse_operation(db, method, operation);
    }
    if (ret == 0) {
        ret = ref_bdb_check_input_key(db, method, key);
    }
    if (ret != 0) {
        return ret;
    }
    ret = ref_bdb_work_begin(db->env, ref_db_env(db->engine), txn, false, &work);
    if (ret == 0) {
        ret = ref_db_del(db->engine, work.txn, ref_bdb_slice(key));
    }
    return ref_bdb_result(db->env, method, ref_bdb_work_end(&work, ret));
}

/* Whether a cursor is open on this database, through whichever handle of the environment handle. */
static bool has_cursors(ref_bdb_db *db)
{
    bool found = false;

    (void)pthread_mutex_lock(&db->env->lock);
    for (const ref_bdb_db *other = db->env->dbs; other != NULL && !found; other = other->next) {
        bool same = other->name != NULL && strcmp(other->name, db->name) == 0;

        for (const ref_bdb_cursor *cursor = same ? other->cursors : NULL; cursor != NULL && !found;
             cursor = cursor->next_of_db) {
            found = cursor->engine != NULL;
        }
    }
    (void)pthread_mutex_unlock(&db->env->lock);
    return found;
}

static int db_truncate(DB *handle, DB_TXN *txn_handle, u_int32_t *count, u_int32_t flags)
{
    static const char method[] = "DB->truncate";
    ref_bdb_db *db = ref_bdb_db_of(handle);
    ref_bdb_txn *txn;
    ref_bdb_work work;
    uint32_t removed = 0;

    if (count != NULL) {
        *count = 0;
    }
    int ret = ref_bdb_check_use(db, method, txn_handle, &txn);
    if (ret == 0) {
        ret = ref_bdb_check_flags(db->env, method, flags, 0, NULL);
    }
    if (ret == 0 && has_cursors(db)) {
        ret = ref_bdb_refuse(
            db->env, EINVAL, method, "%s: a cursor is open on the database", db->name);
    }
    if (ret != 0) {
        return ret;
    }
    ret = ref_bdb_work_begin(db->env, ref_db_env(db->engine), txn, false, &work);
    if (ret == 0) {
        ret = ref_db_truncate(db->engine, work.txn, &removed);
    }
    ret = ref_bdb_work_end(&work, ret);
    if (ret == 0 && count != NULL) {
        *count = removed;
    }
    return ref_bdb_result(db->env, method, ret);
}

static int db_sync(DB *handle, u_int32_t flags)
{
    static const char method[] = "DB->sync";
    ref_bdb_db *db = ref_bdb_db_of(handle);
    ref_bdb_txn *none;
    int ret = ref_bdb_check_use(db, method, NULL, &none);

    if (ret == 0) {
        ret = ref_bdb_check_flags(db->env, method, flags, 0, NULL);
    }
    return ret == 0 ? ref_bdb_result(db->env, method, ref_db_sync(db->engine)) : ret;
}

/* ---- reading ---- */

/* The checks of get and exists. *lock: DB_RMW has something to lock for. */
static int check_read(ref_bdb_db *db, const char *method, DB_TXN *txn_handle, const DBT *key,
    u_int32_t flags, ref_txn **txn, bool *lock)
{
    ref_bdb_txn *ours;
    u_int32_t operation;
    int ret = ref_bdb_check_use(db, method, txn_handle, &ours);

    *txn = NULL;
    *lock = false;
    if (ret == 0) {
        ret = ref_bdb_check_operation(db, method, flags, REF_BDB_READ_FLAGS, &operation);
    }
    if (ret == 0 && operation != 0) {
        ret = ref_bdb_refuse_operation(db, method, operation);
    }
    if (ret == 0) {
        ret = ref_bdb_check_input_key(db, method, key);
    }
    if (ret == 0 && ours != NULL) {
        *txn = ours->engine;
        *lock = (flags & DB_RMW) != 0;
        if (ours->txn_timeout != 0) {
            ref_bdb_txn_arm(ours);
        }
    }
    return ret;
}

static int db_get(DB *handle, DB_TXN *txn_handle, DBT *key, DBT *data, u_int32_t flags)
{
    static const char method[] = "DB->get";
    ref_bdb_db *db = ref_bdb_db_of(handle);
    ref_buffer local = {0}, moved_key = {0};
    ref_txn *txn;
    bool lock;
    int ret = check_read(db, method, txn_handle, key, flags, &txn, &lock);

    if (ret == 0) {
        ret = ref_bdb_check_output(db, method, "value", data);
    }
    if (ret == 0 && db->threaded && ref_bdb_dbt_is_default(data)) {
        ret = ref_bdb_refuse(db->env, EINVAL, method,
            "%s: with DB_THREAD the value's DBT needs DB_DBT_MALLOC, DB_DBT_REALLOC or "
            "DB_DBT_USERMEM",
            db->name);
    }
    if (ret != 0) {
        return ret;
    }
    /* Threads share the handle's buffer only where they may not. */
    ref_buffer *bytes = ref_bdb_dbt_is_default(data) ? &db->returned : &local;
    ref_slice at = ref_bdb_slice(key);
    if (bytes == &db->returned && ref_bdb_inside(key, bytes)) {
        ret = ref_buffer_set(&moved_key, at.data, at.size);
        at = (ref_slice){moved_key.data, moved_key.size};
    }
    if (ret == 0) {
        ret = ref_db_get(db->engine, txn, at, lock, bytes);
    }
    if (ret == 0) {
        ret = ref_bdb_hand_out(NULL, NULL, data, bytes);
    }
    ref_buffer_free(&local);
    ref_buffer_free(&moved_key);
    return ref_bdb_result(db->env, method, ret);
}

static int db_exists(DB *handle, DB_TXN *txn_handle, DBT *key, u_int32_t flags)
{
    static const char method[] = "DB->exists";
    ref_bdb_db *db = ref_bdb_db_of(handle);
    ref_txn *txn;
    bool lock;
    int ret = check_read(db, method, txn_handle, key, flags, &txn, &lock);

    if (ret != 0) {
        return ret;
    }
    return ref_bdb_result(
        db->env, method, ref_db_get(db->engine, txn, ref_bdb_slice(key), lock, NULL));
}

void ref_bdb_install_db_ops(DB *handle)
{
    handle->put = db_put;
    handle->get = db_get;
    handle->exists = db_exists;
    handle->del = db_del;
    handle->truncate = db_truncate;
    handle->sync = db_sync;
}
