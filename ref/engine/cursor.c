/*
 * Cursors. A cursor remembers the key at which it stands, not a page: every step is a search, and a
 * change to the tree, its own or another's in the same transaction, cannot leave it pointing at
 * nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "db.h"

struct ref_cursor {
    ref_db *db;
    ref_txn *txn;          /* NULL: its own snapshot */
    ref_snapshot snapshot; /* without a transaction */
    bool set;              /* stands somewhere */
    ref_buffer key;
    ref_buffer found; /* where the next key is put before the cursor moves there */
};

int ref_cursor_open(ref_db *db, ref_txn *txn, ref_cursor **out)
{
    *out = NULL;
    ref_error_clear();
    int error = ref_db_check(db, txn);
    if (error != 0) {
        return error;
    }
    ref_cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL) {
        return ref_fail(ENOMEM, "%s: cursor", db->name);
    }
    cursor->db = db;
    cursor->txn = txn;
    error = txn == NULL ? ref_snapshot_open(db->env, &cursor->snapshot) : 0;
    if (error != 0) {
        free(cursor);
        return error;
    }
    *out = cursor;
    return 0;
}

int ref_cursor_close(ref_cursor *cursor)
{
    if (cursor->txn == NULL) {
        ref_snapshot_close(cursor->db->env, &cursor->snapshot);
    }
    ref_buffer_free(&cursor->key);
    ref_buffer_free(&cursor->found);
    free(cursor);
    return 0;
}

int ref_cursor_copy(const ref_cursor *cursor, ref_cursor **out)
{
    int error = ref_cursor_open(cursor->db, cursor->txn, out);
    if (error == 0 && cursor->set) {
        error = ref_buffer_set(&(*out)->key, cursor->key.data, cursor->key.size);
        (*out)->set = error == 0;
    }
    if (error != 0 && *out != NULL) {
        ref_cursor_close(*out);
        *out = NULL;
    }
    return error;
}

static ref_slice standing(const ref_cursor *cursor)
{
    return (ref_slice){cursor->key.data, cursor->key.size};
}

/* Which search a move is. */
static int plan(const ref_cursor *cursor, ref_move move, ref_slice *key, ref_seek *how)
{
    switch (move) {
    case REF_MOVE_FIRST:
        *how = REF_SEEK_FIRST;
        return 0;
    case REF_MOVE_LAST:
        *how = REF_SEEK_LAST;
        return 0;
    case REF_MOVE_NEXT:
        *how = cursor->set ? REF_SEEK_GT : REF_SEEK_FIRST;
        *key = standing(cursor);
        return 0;
    case REF_MOVE_PREV:
        *how = cursor->set ? REF_SEEK_LT : REF_SEEK_LAST;
        *key = standing(cursor);
        return 0;
    case REF_MOVE_EXACT:
        *how = REF_SEEK_EQ;
        return 0;
    case REF_MOVE_AT_LEAST:
        *how = REF_SEEK_GE;
        return 0;
    case REF_MOVE_CURRENT:
        *how = REF_SEEK_EQ;
        *key = standing(cursor);
        return cursor->set ? 0 : ref_fail(EINVAL, "%s: the cursor is not set", cursor->db->name);
    }
    return ref_fail(EINVAL, "%s: move %d", cursor->db->name, (int)move);
}

/* Makes the key that was found the cursor's place. */
static void step(ref_cursor *cursor)
{
    ref_buffer old = cursor->key;
    cursor->key = cursor->found;
    cursor->found = old;
    cursor->set = true;
}

int ref_cursor_get(ref_cursor *cursor, ref_move move, ref_slice key, bool lock,
    ref_buffer *found_key, ref_buffer *value)
{
    ref_seek how = REF_SEEK_FIRST;

    ref_error_clear();
    int error = plan(cursor, move, &key, &how);
    if (error == 0) {
        error = ref_db_check(cursor->db, cursor->txn);
    }
    if (error == 0 && cursor->txn != NULL) {
        error = lock ? ref_txn_write(cursor->txn) : ref_txn_read(cursor->txn);
    } else if (error == 0) {
        error = ref_env_state(cursor->db->env);
    }
    if (error != 0) {
        return error;
    }
    ref_view view = {
        .file = cursor->db->file, .txn = cursor->txn, .snapshot = cursor->snapshot.commit};
    error = ref_btree_seek(&view, cursor->db->root, how, key, &cursor->found, value);
    ref_view_close(&view);
    if (error == 0 && found_key != NULL) {
        error = ref_buffer_set(found_key, cursor->found.data, cursor->found.size);
    }
    if (error == 0) {
        step(cursor);
    }
    return error;
}

/* Goes on from the state after its own write. */
static int renew(ref_cursor *cursor, int error)
{
    if (error == 0 && cursor->txn == NULL) {
        ref_snapshot_renew(cursor->db->env, &cursor->snapshot);
    }
    return error;
}

int ref_cursor_put(ref_cursor *cursor, ref_slice key, ref_slice value, bool no_overwrite)
{
    bool here = key.data == NULL;

    ref_error_clear();
    if (here && !cursor->set) {
        return ref_fail(EINVAL, "%s: the cursor is not set", cursor->db->name);
    }
    if (here) {
        /* The record at the cursor must still be there: a replacement never brings one back. */
        int gone = ref_db_get(cursor->db, cursor->txn, standing(cursor), cursor->txn != NULL, NULL);
        if (gone != 0) {
            return gone;
        }
        key = standing(cursor);
    }
    int error = ref_buffer_set(&cursor->found, key.data, key.size);
    if (error == 0) {
        error = ref_db_put(cursor->db, cursor->txn, key, value, no_overwrite);
    }
    if (error == 0) {
        step(cursor);
    }
    return renew(cursor, error);
}

int ref_cursor_del(ref_cursor *cursor)
{
    ref_error_clear();
    if (!cursor->set) {
        return ref_fail(EINVAL, "%s: the cursor is not set", cursor->db->name);
    }
    return renew(cursor, ref_db_del(cursor->db, cursor->txn, standing(cursor)));
}
