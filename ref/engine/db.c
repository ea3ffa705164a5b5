/* Operations on one database. */
#include "db.h"

#include <errno.h>
#include <stdlib.h>

int ref_db_check(const ref_db *db, const ref_txn *txn)
{
    ref_env *env = db->env;
    int error = 0;

    pthread_mutex_lock(&env->mutex);
    const ref_dbfile *file = db->file;
    if (file->removed) {
        error = ref_fail(EINVAL, "%s: the database was removed, or its creation aborted", db->name);
    } else if (file->owner_created && file->owner != txn) {
        error = ref_fail(EINVAL, "%s: the creation of the database is not committed", db->name);
    }
    pthread_mutex_unlock(&env->mutex);
    return error;
}

/* ---- looking ---- */

int ref_look_begin(ref_db *db, ref_txn *txn, bool lock, ref_look *look)
{
    *look = (ref_look){.env = db->env};
    int error = ref_db_check(db, txn);
    if (error != 0) {
        return error;
    }
    if (txn == NULL) {
        error = ref_snapshot_open(db->env, &look->snapshot);
        look->own = error == 0;
    } else {
        error = lock ? ref_txn_write(txn) : ref_txn_read(txn);
    }
    look->view = (ref_view){.file = db->file, .txn = txn, .snapshot = look->snapshot.commit};
    return error;
}

void ref_look_end(ref_look *look)
{
    if (look->view.file != NULL) {
        ref_view_close(&look->view);
    }
    if (look->own) {
        ref_snapshot_close(look->env, &look->snapshot);
    }
}

int ref_db_get(ref_db *db, ref_txn *txn, ref_slice key, bool lock, ref_buffer *value)
{
    ref_look look;
    ref_error_clear();
    int error = ref_look_begin(db, txn, lock, &look);
    if (error == 0) {
        error = ref_btree_get(&look.view, db->root, key, value);
    }
    ref_look_end(&look);
    return error;
}

int ref_db_verify(ref_db *db, uint64_t *records)
{
    ref_look look;
    ref_error_clear();
    int error = ref_look_begin(db, NULL, false, &look);
    if (error == 0) {
        error = ref_btree_verify(&look.view, db->root, records);
    }
    ref_look_end(&look);
    return error;
}

/* ---- changing ---- */

/* A database that is changed outside its environment no longer follows that environment's log. */
static int leave_environment(ref_change *change)
{
    const uint8_t *page;
    uint8_t *meta;
    ref_id none = {{0}};
    int error = ref_view_read(&change->view, 0, &page);
    if (error != 0 || memcmp(page + REF_META_AT_LOG_ID, &none, sizeof none) == 0) {
        return error;
    }
    error = ref_view_write(&change->view, 0, &meta);
    if (error == 0) {
        memcpy(meta + REF_META_AT_LOG_ID, &none, sizeof none);
    }
    return error;
}

int ref_change_begin(ref_db *db, ref_txn *txn, ref_change *change)
{
    *change = (ref_change){.txn = txn};
    if (db->read_only) {
        return ref_fail(EACCES, "%s: opened for reading only", db->name);
    }
    int error = ref_db_check(db, txn);
    if (error == 0 && txn != NULL && txn->failed != 0) {
        error =
            ref_fail(EINVAL, "transaction %x: an operation of it had failed: abort it", txn->id);
    }
    if (error == 0 && txn == NULL) {
        error = ref_txn_begin(db->env, NULL, &change->txn);
        change->own = error == 0;
    }
    if (error == 0) {
        error = ref_txn_write(change->txn);
    }
    if (error == 0) {
        change->view = (ref_view){.file = db->file, .txn = change->txn, .writable = true};
        if (db->env->alone) {
            error = leave_environment(change);
        }
    }
    if (error != 0 && change->own) {
        ref_txn_abort(change->txn);
        change->own = false;
    }
    return error;
}

/* After these an operation has changed nothing. */
static bool left_whole(int error)
{
    return error == 0 || error == REF_NOTFOUND || error == REF_KEYEXIST || error == EINVAL ||
           error == EACCES || error == REF_DEADLOCK || error == REF_NOTGRANTED;
}

int ref_change_end(ref_change *change, int error)
{
    if (change->view.file != NULL) {
        ref_view_close(&change->view);
    }
    if (!change->own) {
        if (change->txn != NULL && !left_whole(error)) {
            ref_txn_fail(change->txn, error);
        }
        return error;
    }
    if (error == 0) {
        return ref_txn_commit(change->txn);
    }
    ref_txn_abort(change->txn);
    return error;
}

int ref_db_put(ref_db *db, ref_txn *txn, ref_slice key, ref_slice value, bool no_overwrite)
{
    ref_change change;
    ref_error_clear();
    int error = ref_change_begin(db, txn, &change);
    if (error != 0) {
        return error;
    }
    return ref_change_end(&change, ref_btree_put(&change.view, db->root, key, value, no_overwrite));
}

int ref_db_del(ref_db *db, ref_txn *txn, ref_slice key)
{
    ref_change change;
    ref_error_clear();
    int error = ref_change_begin(db, txn, &change);
    if (error != 0) {
        return error;
    }
    return ref_change_end(&change, ref_btree_del(&change.view, db->root, key));
}

int ref_db_truncate(ref_db *db, ref_txn *txn, uint32_t *count)
{
    ref_change change;
    ref_error_clear();
    int error = ref_change_begin(db, txn, &change);
    if (error != 0) {
        return error;
    }
    return ref_change_end(&change, ref_btree_truncate(&change.view, db->root, count));
}

int ref_db_sync(ref_db *db)
{
    ref_error_clear();
    return ref_checkpoint(db->env, false);
}

/* ---- small questions ---- */

const char *ref_db_name(const ref_db *db)
{
    return db->name;
}

uint32_t ref_db_page_size(const ref_db *db)
{
    return db->file->page_size;
}

bool ref_db_read_only(const ref_db *db)
{
    return db->read_only;
}

ref_env *ref_db_env(const ref_db *db)
{
    return db->env;
}

void ref_db_identity(const ref_db *db, uint8_t *id)
{
    memcpy(id, &db->file->id, sizeof db->file->id);
}
