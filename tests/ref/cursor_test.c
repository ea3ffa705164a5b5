/* Cursors: moves, writes at the cursor, and what removal around it does. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"

static const ref_slice none = {0};

/* Opens an environment with the keys "b", "d", "f", "h", whose values are their upper case. */
static ref_db *letters(fixture *fix)
{
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put(db, NULL, "b", "B"));
    assert_ok(put(db, NULL, "d", "D"));
    assert_ok(put(db, NULL, "f", "F"));
    assert_ok(put(db, NULL, "h", "H"));
    return db;
}

/* Moves and asserts where the cursor then stands: NULL for REF_NOTFOUND. */
static void go(ref_cursor *cursor, ref_move move, const char *key, const char *expected)
{
    ref_buffer found = {0}, value = {0};
    ref_slice at = key != NULL ? text(key) : none;
    int error = ref_cursor_get(cursor, move, at, false, &found, &value);
    if (expected == NULL) {
        assert_int_equal(error, REF_NOTFOUND);
    } else {
        assert_ok(error);
        assert_int_equal(found.size, strlen(expected));
        assert_memory_equal(found.data, expected, found.size);
        assert_true(value.size > 0);
    }
    ref_buffer_free(&found);
    ref_buffer_free(&value);
}

static void a_cursor_walks_in_both_directions(void **state)
{
    fixture *fix = *state;
    ref_cursor *cursor;
    ref_db *db = letters(fix);
    assert_ok(ref_cursor_open(db, NULL, &cursor));
    go(cursor, REF_MOVE_NEXT, NULL, "b"); /* unset: the first */
    go(cursor, REF_MOVE_NEXT, NULL, "d");
    go(cursor, REF_MOVE_NEXT, NULL, "f");
    go(cursor, REF_MOVE_NEXT, NULL, "h");
    go(cursor, REF_MOVE_NEXT, NULL, NULL);
    go(cursor, REF_MOVE_CURRENT, NULL, "h"); /* a failure leaves it where it was */
    go(cursor, REF_MOVE_PREV, NULL, "f");
    go(cursor, REF_MOVE_FIRST, NULL, "b");
    go(cursor, REF_MOVE_PREV, NULL, NULL);
    go(cursor, REF_MOVE_LAST, NULL, "h");
    assert_ok(ref_cursor_close(cursor));
    assert_ok(ref_cursor_open(db, NULL, &cursor));
    go(cursor, REF_MOVE_PREV, NULL, "h"); /* unset: the last */
    assert_ok(ref_cursor_close(cursor));
    assert_ok(ref_db_close(db));
}

static void a_cursor_finds_keys_and_the_places_between_them(void **state)
{
    fixture *fix = *state;
    ref_cursor *cursor;
    ref_db *db = letters(fix);
    assert_ok(ref_cursor_open(db, NULL, &cursor));
    go(cursor, REF_MOVE_EXACT, "d", "d");
    go(cursor, REF_MOVE_EXACT, "e", NULL);
    go(cursor, REF_MOVE_CURRENT, NULL, "d");
    go(cursor, REF_MOVE_AT_LEAST, "e", "f");
    go(cursor, REF_MOVE_AT_LEAST, "", "b");
    go(cursor, REF_MOVE_AT_LEAST, "i", NULL);
    go(cursor, REF_MOVE_CURRENT, NULL, "b");
    assert_ok(ref_cursor_close(cursor));
    assert_ok(ref_db_close(db));
}

static void an_unset_cursor_has_no_current_record(void **state)
{
    fixture *fix = *state;
    ref_cursor *cursor;
    ref_db *db = letters(fix);
    assert_ok(ref_cursor_open(db, NULL, &cursor));
    assert_fails(ref_cursor_get(cursor, REF_MOVE_CURRENT, none, false, NULL, NULL), EINVAL, "a.db");
    assert_fails(ref_cursor_put(cursor, none, text("x"), false), EINVAL, "a.db");
    assert_fails(ref_cursor_del(cursor), EINVAL, "a.db");
    assert_fails(ref_cursor_get(cursor, (ref_move)99, none, false, NULL, NULL), EINVAL, "a.db");
    assert_ok(ref_cursor_close(cursor));
    assert_ok(ref_db_close(db));
}

static void a_cursor_goes_on_from_the_gap_of_what_it_removed(void **state)
{
    fixture *fix = *state;
    ref_cursor *cursor;
    ref_db *db = letters(fix);
    for (int with_txn = 0; with_txn < 2; with_txn++) {
        ref_txn *txn = with_txn ? begin(fix->env, NULL) : NULL;
        assert_ok(put(db, txn, "d", "D"));
        assert_ok(ref_cursor_open(db, txn, &cursor));
        go(cursor, REF_MOVE_EXACT, "d", "d");
        assert_ok(ref_cursor_del(cursor));
        go(cursor, REF_MOVE_CURRENT, NULL, NULL);
        assert_int_equal(ref_cursor_del(cursor), REF_NOTFOUND);
        /* to replace what is gone does not bring it back */
        assert_int_equal(ref_cursor_put(cursor, none, text("x"), false), REF_NOTFOUND);
        go(cursor, REF_MOVE_NEXT, NULL, "f");
        go(cursor, REF_MOVE_PREV, NULL, "b");
        expect(db, txn, "d", NULL);
        assert_ok(ref_cursor_close(cursor));
        if (txn != NULL) {
            assert_ok(ref_txn_commit(txn));
        }
    }
    assert_ok(ref_db_close(db));
}

static void a_cursor_survives_the_removal_of_its_record_by_others(void **state)
{
    fixture *fix = *state;
    ref_cursor *cursor;
    ref_db *db = letters(fix);
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_cursor_open(db, txn, &cursor));
    go(cursor, REF_MOVE_EXACT, "d", "d");
    assert_ok(del(db, txn, "d"));
    go(cursor, REF_MOVE_CURRENT, NULL, NULL);
    assert_ok(put(db, txn, "e", "E"));
    go(cursor, REF_MOVE_NEXT, NULL, "e");
    assert_ok(ref_db_truncate(db, txn, NULL));
    go(cursor, REF_MOVE_NEXT, NULL, NULL);
    go(cursor, REF_MOVE_FIRST, NULL, NULL);
    assert_ok(put(db, txn, "z", "Z"));
    go(cursor, REF_MOVE_NEXT, NULL, "z");
    assert_ok(ref_cursor_close(cursor));
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_db_close(db));
}

static void a_cursor_writes_at_its_place_and_elsewhere(void **state)
{
    fixture *fix = *state;
    ref_cursor *cursor;
    ref_db *db = letters(fix);
    for (int with_txn = 0; with_txn < 2; with_txn++) {
        const char *value = with_txn ? "one" : "two";
        ref_txn *txn = with_txn ? begin(fix->env, NULL) : NULL;
        assert_ok(ref_cursor_open(db, txn, &cursor));
        go(cursor, REF_MOVE_EXACT, "d", "d");
        assert_ok(ref_cursor_put(cursor, none, text(value), false));
        expect(db, txn, "d", value);
        assert_int_equal(ref_cursor_put(cursor, text("f"), text("x"), true), REF_KEYEXIST);
        go(cursor, REF_MOVE_CURRENT, NULL, "d");
        assert_ok(ref_cursor_put(cursor, text("g"), text(value), false));
        go(cursor, REF_MOVE_CURRENT, NULL, "g"); /* it has moved there */
        go(cursor, REF_MOVE_NEXT, NULL, "h");
        assert_ok(ref_cursor_close(cursor));
        if (txn != NULL) {
            assert_ok(ref_txn_commit(txn));
        }
        expect(db, NULL, "g", value);
    }
    assert_ok(ref_db_close(db));
}

static void a_copied_cursor_stands_at_the_same_place_and_goes_its_own_way(void **state)
{
    fixture *fix = *state;
    ref_cursor *cursor, *copy;
    ref_db *db = letters(fix);
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_cursor_open(db, txn, &cursor));
    assert_ok(ref_cursor_copy(cursor, &copy));
    go(copy, REF_MOVE_NEXT, NULL, "b");
    assert_ok(ref_cursor_close(copy));
    go(cursor, REF_MOVE_EXACT, "d", "d");
    assert_ok(ref_cursor_copy(cursor, &copy));
    go(copy, REF_MOVE_NEXT, NULL, "f");
    go(cursor, REF_MOVE_CURRENT, NULL, "d");
    assert_ok(ref_cursor_close(cursor));
    go(copy, REF_MOVE_PREV, NULL, "d");
    assert_ok(ref_cursor_close(copy));
    assert_ok(ref_txn_abort(txn));
    /* without a transaction: the same place in what is committed by now */
    assert_ok(ref_cursor_open(db, NULL, &cursor));
    go(cursor, REF_MOVE_EXACT, "d", "d");
    assert_ok(put(db, NULL, "e", "E"));
    assert_ok(ref_cursor_copy(cursor, &copy));
    go(cursor, REF_MOVE_NEXT, NULL, "f");
    go(copy, REF_MOVE_NEXT, NULL, "e");
    assert_ok(ref_cursor_close(copy));
    assert_ok(ref_cursor_close(cursor));
    assert_ok(ref_db_close(db));
}

static void a_walk_that_removes_every_record_ends_with_an_empty_tree(void **state)
{
    fixture *fix = *state;
    ref_cursor *cursor;
    ref_buffer key = {0};
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    for (int forward = 0; forward < 2; forward++) {
        uint32_t removed = 0;
        ref_txn *txn = begin(fix->env, NULL);
        for (uint32_t i = 0; i < 500; i++) {
            assert_ok(put_number(db, txn, i, i, 4 + i % 200));
        }
        assert_ok(ref_txn_commit(txn));
        txn = begin(fix->env, NULL);
        assert_ok(ref_cursor_open(db, txn, &cursor));
        ref_move move = forward ? REF_MOVE_NEXT : REF_MOVE_PREV;
        while (ref_cursor_get(cursor, move, none, true, &key, NULL) == 0) {
            assert_ok(ref_cursor_del(cursor));
            removed++;
        }
        assert_int_equal(removed, 500);
        assert_ok(ref_cursor_close(cursor));
        assert_ok(ref_txn_commit(txn));
        assert_int_equal(db_verify(db), 0);
    }
    ref_buffer_free(&key);
    assert_ok(ref_db_close(db));
}

static void a_locking_move_takes_the_write_lock(void **state)
{
    fixture *fix = *state;
    ref_cursor *cursor;
    ref_db *db = letters(fix);
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_cursor_open(db, txn, &cursor));
    assert_ok(ref_cursor_get(cursor, REF_MOVE_FIRST, none, true, NULL, NULL));
    assert_int_equal(put(db, NULL, "x", "y"), REF_DEADLOCK);
    assert_ok(ref_cursor_close(cursor));
    assert_ok(ref_txn_abort(txn));
    assert_ok(put(db, NULL, "x", "y"));
    assert_ok(ref_db_close(db));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_cursor_walks_in_both_directions),
    SCRATCH_TEST(a_cursor_finds_keys_and_the_places_between_them),
    SCRATCH_TEST(an_unset_cursor_has_no_current_record),
    SCRATCH_TEST(a_cursor_goes_on_from_the_gap_of_what_it_removed),
    SCRATCH_TEST(a_cursor_survives_the_removal_of_its_record_by_others),
    SCRATCH_TEST(a_cursor_writes_at_its_place_and_elsewhere),
    SCRATCH_TEST(a_copied_cursor_stands_at_the_same_place_and_goes_its_own_way),
    SCRATCH_TEST(a_walk_that_removes_every_record_ends_with_an_empty_tree),
    SCRATCH_TEST(a_locking_move_takes_the_write_lock),
};

TEST_MAIN(tests)
