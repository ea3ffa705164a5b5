/*
 * Cursors. In a transaction, and in a snapshot, a cursor of the engine's. Without either, the
 * manual promises that a cursor sees what others change meanwhile; the engine's cursor reads the
 * state of the moment it was opened, and so each call works on a fresh copy of it, which stands
 * at the same key. A copy is also what keeps a cursor where it was when what it found cannot be
 * handed out.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

static bool floats(const ref_bdb_cursor *cursor)
{
    return cursor->txn == NULL && !cursor->snapshot;
}

static int check_cursor(const ref_bdb_cursor *cursor, const char *method)
{
    if (cursor->engine == NULL) {
        return ref_bdb_refuse(
            cursor->db->env, EINVAL, method, "the cursor was closed with its transaction");
    }
    if (cursor->txn != NULL && cursor->txn->txn_timeout != 0) {
        ref_bdb_txn_arm(cursor->txn);
    }
    return 0;
}

static int check_writes(const ref_bdb_cursor *cursor, const char *method)
{
    int ret = check_cursor(cursor, method);

    if (ret == 0 && cursor->snapshot) {
        ret = ref_bdb_refuse(cursor->db->env, EINVAL, method,
            "%s: a DB_TXN_SNAPSHOT cursor without a transaction only reads", cursor->db->name);
    }
    return ret;
}

static void take(ref_bdb_cursor *cursor, ref_cursor *engine)
{
    (void)ref_cursor_close(cursor->engine);
    cursor->engine = engine;
}

/* ---- get ---- */

static bool move_of(u_int32_t operation, ref_move *out)
{
    static const struct {
        u_int32_t operation;
        ref_move move;
    } map[] = {{DB_FIRST, REF_MOVE_FIRST}, {DB_LAST, REF_MOVE_LAST}, {DB_NEXT, REF_MOVE_NEXT},
        {DB_PREV, REF_MOVE_PREV}, {DB_SET, REF_MOVE_EXACT}, {DB_SET_RANGE, REF_MOVE_AT_LEAST},
        {DB_CURRENT, REF_MOVE_CURRENT}};

    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (map[i].operation == operation) {
            *out = map[i].move;
            return true;
        }
    }
    return false;
}

static int check_get(ref_bdb_cursor *cursor, const char *method, const DBT *key, const DBT *data,
    u_int32_t flags, ref_move *move)
{
    u_int32_t operation;
    int ret = check_cursor(cursor, method);

    if (ret == 0) {
        ret = ref_bdb_check_operation(cursor->db, method, flags, REF_BDB_READ_FLAGS, &operation);
    }
    if (ret == 0 && !move_of(operation, move)) {
        ret = ref_bdb_refuse_operation(cursor->db, method, operation);
    }
    if (ret == 0) {
        ret = operation == DB_SET ? ref_bdb_check_input_key(cursor->db, method, key)
                                  : ref_bdb_check_output(cursor->db, method, "key", key);
    }
    if (ret == 0 && operation == DB_SET_RANGE && key->data == NULL && key->size != 0) {
        ret = ref_bdb_refuse(
            cursor->db->env, EINVAL, method, "%u bytes of the key at NULL", (unsigned)key->size);
    }
    return ret == 0 ? ref_bdb_check_output(cursor->db, method, "value", data) : ret;
}

/* Moves `engine`, and hands out what is there; the key too unless the program gave all of it. */
static int move_and_read(
    ref_bdb_cursor *cursor, ref_cursor *engine, ref_move move, bool lock, DBT *key, DBT *data)
{
    bool with_key = move != REF_MOVE_EXACT;
    bool by_key = move == REF_MOVE_EXACT || move == REF_MOVE_AT_LEAST;
    ref_slice at = by_key ? ref_bdb_slice(key) : (ref_slice){"", 0};
    ref_buffer moved_key = {0};
    int ret = 0;

    if (by_key && (ref_bdb_inside(key, &cursor->key) || ref_bdb_inside(key, &cursor->data))) {
        ret = ref_buffer_set(&moved_key, at.data, at.size);
        at = (ref_slice){moved_key.data, moved_key.size};
    }
    if (ret == 0) {
        ret = ref_cursor_get(engine, move, at, lock, with_key ? &cursor->key : NULL, &cursor->data);
    }
    if (ret == 0) {
        ret = ref_bdb_hand_out(with_key ? key : NULL, &cursor->key, data, &cursor->data);
    }
    ref_buffer_free(&moved_key);
    return ret;
}

static int cursor_get(DBC *handle, DBT *key, DBT *data, u_int32_t flags)
{
    static const char method[] = "DBcursor->get";
    ref_bdb_cursor *cursor = ref_bdb_cursor_of(handle);
    ref_move move = REF_MOVE_FIRST;
    int ret = check_get(cursor, method, key, data, flags, &move);

    if (ret != 0) {
        return ret;
    }
    bool lock = (flags & DB_RMW) != 0 && cursor->txn != NULL;
    if (floats(cursor) || !ref_bdb_dbt_is_default(data) ||
        (move != REF_MOVE_EXACT && !ref_bdb_dbt_is_default(key))) {
        ref_cursor *copy = NULL;

        ret = ref_cursor_copy(cursor->engine, &copy);
        if (ret == 0) {
            ret = move_and_read(cursor, copy, move, lock, key, data);
            if (ret == 0) {
                take(cursor, copy);
            } else {
                (void)ref_cursor_close(copy);
            }
        }
    } else {
        ret = move_and_read(cursor, cursor->engine, move, lock, key, data);
    }
    if (ret == REF_NOTFOUND && move == REF_MOVE_CURRENT) {
        return DB_KEYEMPTY;
    }
    return ref_bdb_result(cursor->db->env, method, ret);
}

/* ---- put ---- */

/* The value to store: the input, or what it makes of `old`. */
static int value_of(const DBT *data, const ref_buffer *old, ref_buffer *whole, ref_slice *out)
{
    if ((data->flags & DB_DBT_PARTIAL) == 0) {
        *out = ref_bdb_slice(data);
        return 0;
    }
    int ret = ref_bdb_apply_partial(old, data, whole);
    *out = (ref_slice){whole->data, whole->size};
    return ret;
}

/* In the cursor's transaction. key NULL: at the cursor. */
static int put_in_txn(ref_bdb_cursor *cursor, const DBT *key, const DBT *data)
{
    ref_db *db = cursor->db->engine;
    ref_buffer old = {0}, whole = {0};
    ref_slice none = {NULL, 0}, value = none;
    int ret = 0;

    if ((data->flags & DB_DBT_PARTIAL) != 0) {
        ret = key == NULL ? ref_cursor_get(cursor->engine, REF_MOVE_CURRENT, none, true, NULL, &old)
                          : ref_db_get(db, cursor->txn->engine, ref_bdb_slice(key), true, &old);
        ret = ret == REF_NOTFOUND && key != NULL ? 0 : ret;
    }
    if (ret == 0) {
        ret = value_of(data, &old, &whole, &value);
    }
    if (ret == 0) {
        ret = ref_cursor_put(cursor->engine, key == NULL ? none : ref_bdb_slice(key), value, false);
    }
    ref_buffer_free(&old);
    ref_buffer_free(&whole);
    return ret;
}

/* Reads and replaces in one transaction. must_exist: REF_NOTFOUND when there is no such record. */
static int replace(ref_bdb_cursor *cursor, ref_slice key, const DBT *data, bool must_exist)
{
    ref_db *db = cursor->db->engine;
    ref_buffer old = {0}, whole = {0};
    ref_slice value = {NULL, 0};
    ref_bdb_work work;
    int ret = ref_bdb_work_begin(cursor->db->env, ref_db_env(db), NULL, true, &work);

    if (ret == 0) {
        ret = ref_db_get(db, work.txn, key, true, &old);
        ret = ret == REF_NOTFOUND && !must_exist ? 0 : ret;
    }
    if (ret == 0) {
        ret = value_of(data, &old, &whole, &value);
    }
    if (ret == 0) {
        ret = ref_db_put(db, work.txn, key, value, false);
    }
    ret = ref_bdb_work_end(&work, ret);
    ref_buffer_free(&old);
    ref_buffer_free(&whole);
    return ret;
}

/* Without a transaction. The record may be gone again by now: then the cursor stays. */
static int put_partial_and_move(ref_bdb_cursor *cursor, const DBT *key, const DBT *data)
{
    ref_cursor *copy = NULL;
    int ret = replace(cursor, ref_bdb_slice(key), data, false);

    if (ret == 0) {
        ret = ref_cursor_copy(cursor->engine, &copy);
    }
    if (ret != 0) {
        return ret;
    }
    ret = ref_cursor_get(copy, REF_MOVE_EXACT, ref_bdb_slice(key), false, NULL, NULL);
    if (ret == 0) {
        take(cursor, copy);
    } else {
        (void)ref_cursor_close(copy);
    }
    return ret == REF_NOTFOUND ? 0 : ret;
}

static int put_here(ref_bdb_cursor *cursor, const DBT *data)
{
    ref_buffer here = {0};
    ref_cursor *copy = NULL;
    int ret = ref_cursor_copy(cursor->engine, &copy);

    if (ret != 0) {
        return ret;
    }
    ret = ref_cursor_get(copy, REF_MOVE_CURRENT, (ref_slice){"", 0}, false, &here, NULL);
    (void)ref_cursor_close(copy);
    if (ret == 0) {
        ret = replace(
            cursor, (ref_slice){here.size == 0 ? (uint8_t *)"" : here.data, here.size}, data, true);
    }
    ref_buffer_free(&here);
    return ret;
}

static int cursor_put(DBC *handle, DBT *key, DBT *data, u_int32_t flags)
{
    static const char method[] = "DBcursor->put";
    ref_bdb_cursor *cursor = ref_bdb_cursor_of(handle);
    u_int32_t operation = 0;
    int ret = check_writes(cursor, method);

    if (ret == 0) {
        ret = ref_bdb_check_operation(cursor->db, method, flags, 0, &operation);
    }
    if (ret == 0 && operation != DB_CURRENT && operation != DB_KEYFIRST &&
        operation != DB_KEYLAST) {
        ret = ref_bdb_refuse_operation(cursor->db, method, operation);
    }
    if (ret == 0 && operation != DB_CURRENT) {
        ret = ref_bdb_check_input_key(cursor->db, method, key);
    }
    if (ret == 0) {
        ret = ref_bdb_check_input_value(cursor->db, method, data);
    }
    if (ret != 0) {
        return ret;
    }
    if (cursor->txn != NULL) {
        ret = put_in_txn(cursor, operation == DB_CURRENT ? NULL : key, data);
    } else if (operation == DB_CURRENT) {
        ret = put_here(cursor, data);
    } else if ((data->flags & DB_DBT_PARTIAL) != 0) {
        ret = put_partial_and_move(cursor, key, data);
    } else {
        ret = ref_cursor_put(cursor->engine, ref_bdb_slice(key), ref_bdb_slice(data), false);
    }
    return ref_bdb_result(cursor->db->env, method, ret);
}

static int cursor_del(DBC *handle, u_int32_t flags)
{
    static const char method[] = "DBcursor->del";
    ref_bdb_cursor *cursor = ref_bdb_cursor_of(handle);
    u_int32_t operation = 0;
    int ret = check_writes(cursor, method);

    if (ret == 0) {
        ret = ref_bdb_check_operation(cursor->db, method, flags, 0, &operation);
    }
    if (ret == 0 && operation != 0) {
        ret = ref_bdb_refuse_operation(cursor->db, method, operation);
    }
    if (ret != 0) {
        return ret;
    }
    ret = ref_cursor_del(cursor->engine);
    return ret == REF_NOTFOUND ? DB_KEYEMPTY : ref_bdb_result(cursor->db->env, method, ret);
}

/* ---- open and close ---- */

/* Takes the cursor out of its transaction's list. Caller holds the environment handle's lock. */
static void leave_txn(ref_bdb_cursor *cursor)
{
    if (cursor->txn == NULL) {
        return;
    }
    ref_bdb_cursor **link = &cursor->txn->cursors;
    while (*link != cursor) {
        link = &(*link)->next_of_txn;
    }
    *link = cursor->next_of_txn;
    cursor->txn = NULL;
}

int ref_bdb_cursor_end(ref_bdb_cursor *cursor)
{
    int ret = cursor->engine == NULL ? 0 : ref_cursor_close(cursor->engine);

    cursor->engine = NULL;
    (void)pthread_mutex_lock(&cursor->db->env->lock);
    leave_txn(cursor);
    (void)pthread_mutex_unlock(&cursor->db->env->lock);
    return ret;
}

void ref_bdb_cursor_free(ref_bdb_cursor *cursor)
{
    (void)ref_bdb_cursor_end(cursor);
    (void)pthread_mutex_lock(&cursor->db->env->lock);
    ref_bdb_cursor **link = &cursor->db->cursors;
    while (*link != cursor) {
        link = &(*link)->next_of_db;
    }
    *link = cursor->next_of_db;
    (void)pthread_mutex_unlock(&cursor->db->env->lock);
    ref_buffer_free(&cursor->key);
    ref_buffer_free(&cursor->data);
    free(cursor);
}

static int cursor_close(DBC *handle)
{
    static const char method[] = "DBcursor->close";
    ref_bdb_cursor *cursor = ref_bdb_cursor_of(handle);
    ref_bdb_env *env = cursor->db->env;
    int ret = check_cursor(cursor, method);

    if (ret == 0) {
        ret = ref_bdb_result(env, method, ref_bdb_cursor_end(cursor));
    }
    ref_bdb_cursor_free(cursor);
    return ret;
}

static void install(DBC *handle)
{
    handle->get = handle->c_get = cursor_get;
    handle->put = handle->c_put = cursor_put;
    handle->del = handle->c_del = cursor_del;
    handle->close = handle->c_close = cursor_close;
}

static int db_cursor(DB *handle, DB_TXN *txn_handle, DBC **out, u_int32_t flags)
{
    static const char method[] = "DB->cursor";
    static const ref_bdb_name missing[] = {{DB_WRITECURSOR, "DB_WRITECURSOR"}, {0, NULL}};
    ref_bdb_db *db = ref_bdb_db_of(handle);
    ref_bdb_txn *txn;

    *out = NULL;
    int ret = ref_bdb_check_use(db, method, txn_handle, &txn);
    if (ret == 0) {
        ret = ref_bdb_check_flags(db->env, method, flags,
            DB_CURSOR_BULK | DB_READ_COMMITTED | DB_READ_UNCOMMITTED | DB_TXN_SNAPSHOT, missing);
    }
    if (ret != 0) {
        return ret;
    }
    ref_bdb_cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL) {
        return ref_bdb_refuse(db->env, ENOMEM, method, "no memory");
    }
    ret = ref_cursor_open(db->engine, txn == NULL ? NULL : txn->engine, &cursor->engine);
    if (ret != 0) {
        free(cursor);
        return ref_bdb_result(db->env, method, ret);
    }
    cursor->db = db;
    cursor->txn = txn;
    cursor->snapshot = txn == NULL && db->multiversion &&
                       ((flags | ref_bdb_env_flags(db->env)) & DB_TXN_SNAPSHOT) != 0;
    install(&cursor->handle);
    (void)pthread_mutex_lock(&db->env->lock);
    cursor->next_of_db = db->cursors;
    db->cursors = cursor;
    if (txn != NULL) {
        cursor->next_of_txn = txn->cursors;
        txn->cursors = cursor;
    }
    (void)pthread_mutex_unlock(&db->env->lock);
    *out = &cursor->handle;
    return 0;
}

void ref_bdb_install_db_cursor(DB *handle)
{
    handle->cursor = db_cursor;
}
