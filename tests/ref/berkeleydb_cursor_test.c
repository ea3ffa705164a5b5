/* Cursors: moves, writes, what they see, what ends them. */
#include "berkeleydb_support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static DBC *cursor_on(DB *db, DB_TXN *txn)
{
    DBC *cursor = NULL;

    assert_int_equal(db->cursor(db, txn, &cursor, 0), 0);
    assert_non_null(cursor);
    return cursor;
}

/* Moves and wants "key=value". */
static void assert_move(DBC *cursor, u_int32_t how, const char *key, const char *expected)
{
    DBT k = text(key), v = dbt(NULL, 0);
    char found[64];
    int ret = cursor->get(cursor, &k, &v, how);

    if (expected == NULL) {
        assert_int_equal(ret, DB_NOTFOUND);
        return;
    }
    assert_int_equal(ret, 0);
    snprintf(
        found, sizeof found, "%.*s=%.*s", (int)k.size, (char *)k.data, (int)v.size, (char *)v.data);
    assert_string_equal(found, expected);
}

static int put_at(DBC *cursor, const char *key, const char *value, u_int32_t how)
{
    DBT k = text(key), v = text(value);

    return cursor->put(cursor, &k, &v, how);
}

static int get_at(DBC *cursor, u_int32_t how)
{
    DBT k = dbt(NULL, 0), v = dbt(NULL, 0);

    return cursor->get(cursor, &k, &v, how);
}

static DB *filled(DB_ENV *env)
{
    DB *db = open_db(env, "a.db");

    assert_int_equal(put(db, NULL, "b", "1"), 0);
    assert_int_equal(put(db, NULL, "d", "2"), 0);
    assert_int_equal(put(db, NULL, "f", "3"), 0);
    return db;
}

/* Each test runs with a cursor of a transaction and with one of none. */
static void each(void (*test)(DB *db, DB_TXN *txn))
{
    for (int with_txn = 0; with_txn < 2; with_txn++) {
        DB_ENV *env = open_env(with_txn != 0 ? "with" : "without", 0);
        DB *db = filled(env);
        DB_TXN *txn = with_txn != 0 ? begin(env, 0) : NULL;

        test(db, txn);
        if (txn != NULL) {
            assert_int_equal(txn->commit(txn, 0), 0);
        }
        close_all(db, env);
    }
}

/* ---- get ---- */

static void moves(DB *db, DB_TXN *txn)
{
    DBC *cursor = cursor_on(db, txn);

    assert_move(cursor, DB_NEXT, "", "b=1"); /* unset: as DB_FIRST */
    assert_move(cursor, DB_NEXT, "", "d=2");
    assert_move(cursor, DB_CURRENT, "", "d=2");
    assert_move(cursor, DB_NEXT, "", "f=3");
    assert_move(cursor, DB_NEXT, "", NULL);
    assert_move(cursor, DB_CURRENT, "", "f=3");
    assert_move(cursor, DB_PREV, "", "d=2");
    assert_move(cursor, DB_FIRST, "", "b=1");
    assert_move(cursor, DB_PREV, "", NULL);
    assert_move(cursor, DB_LAST, "", "f=3");
    assert_move(cursor, DB_SET, "d", "d=2");
    assert_move(cursor, DB_SET, "c", NULL);
    assert_move(cursor, DB_CURRENT, "", "d=2");
    assert_move(cursor, DB_SET_RANGE, "c", "d=2");
    assert_move(cursor, DB_SET_RANGE, "e", "f=3");
    assert_move(cursor, DB_SET_RANGE, "g", NULL);
    assert_move(cursor, DB_CURRENT, "", "f=3");
    assert_int_equal(cursor->close(cursor), 0);
    cursor = cursor_on(db, txn);
    assert_move(cursor, DB_PREV, "", "f=3"); /* unset: as DB_LAST */
    assert_int_equal(cursor->c_get == cursor->get && cursor->c_put == cursor->put, 1);
    assert_int_equal(cursor->c_del == cursor->del, 1);
    assert_int_equal(cursor->c_close(cursor), 0);
}

static void a_cursor_moves_as_it_is_told(void **state)
{
    (void)state;
    each(moves);
}

static void empty_ends(DB *db, DB_TXN *txn)
{
    assert_int_equal(db->truncate(db, txn, NULL, 0), 0);
    DBC *cursor = cursor_on(db, txn);
    assert_move(cursor, DB_FIRST, "", NULL);
    assert_move(cursor, DB_LAST, "", NULL);
    assert_move(cursor, DB_NEXT, "", NULL);
    assert_int_equal(cursor->close(cursor), 0);
}

static void an_empty_database_has_no_record_for_a_cursor(void **state)
{
    (void)state;
    each(empty_ends);
}

static void unset(DB *db, DB_TXN *txn)
{
    DBC *cursor = cursor_on(db, txn);

    assert_refused(get_at(cursor, DB_CURRENT), "not set");
    assert_refused(put_at(cursor, "k", "v", DB_CURRENT), "not set");
    assert_refused(cursor->del(cursor, 0), "not set");
    assert_int_equal(cursor->close(cursor), 0);
}

static void a_cursor_at_no_record_has_nothing_to_read_replace_or_remove(void **state)
{
    (void)state;
    each(unset);
}

static void user_memory(DB *db, DB_TXN *txn)
{
    DBC *cursor = cursor_on(db, txn);
    char key_room[1], value_room[2];
    DBT k = in_memory(key_room, 1), v = in_memory(value_room, 0);

    assert_int_equal(cursor->get(cursor, &k, &v, DB_FIRST), DB_BUFFER_SMALL);
    assert_int_equal(v.size, 1);
    assert_refused(get_at(cursor, DB_CURRENT), "not set"); /* it has not moved */
    v = in_memory(value_room, sizeof value_room);
    assert_int_equal(cursor->get(cursor, &k, &v, DB_FIRST), 0);
    assert_memory_equal(key_room, "b", 1);
    assert_memory_equal(value_room, "1", 1);
    k = in_memory(key_room, 0);
    assert_int_equal(cursor->get(cursor, &k, &v, DB_NEXT), DB_BUFFER_SMALL);
    assert_int_equal(k.size, 1);
    assert_move(cursor, DB_CURRENT, "", "b=1");
    k = (DBT){.flags = DB_DBT_MALLOC};
    v = (DBT){.flags = DB_DBT_REALLOC};
    assert_int_equal(cursor->get(cursor, &k, &v, DB_NEXT), 0);
    assert_memory_equal(k.data, "d", 1);
    assert_memory_equal(v.data, "2", 1);
    free(k.data);
    free(v.data);
    assert_int_equal(cursor->close(cursor), 0);
}

static void a_cursor_stays_where_it_was_when_the_memory_is_too_small(void **state)
{
    (void)state;
    each(user_memory);
}

static void returned_key(DB *db, DB_TXN *txn)
{
    DBC *cursor = cursor_on(db, txn);
    DBT k = dbt(NULL, 0), v = dbt(NULL, 0);

    /* key and value of the last call as the key of this one */
    assert_int_equal(put(db, txn, "a", "d"), 0);
    assert_int_equal(cursor->get(cursor, &k, &v, DB_FIRST), 0);
    assert_memory_equal(v.data, "d", 1);
    k = dbt(v.data, v.size);
    assert_int_equal(cursor->get(cursor, &k, &v, DB_SET), 0);
    assert_memory_equal(v.data, "2", 1);
    k = text("c");
    assert_int_equal(cursor->get(cursor, &k, &v, DB_SET_RANGE), 0);
    assert_int_equal(cursor->get(cursor, &k, &v, DB_SET_RANGE), 0);
    assert_memory_equal(v.data, "2", 1);
    assert_int_equal(cursor->close(cursor), 0);
}

static void what_a_cursor_returned_may_be_its_next_key(void **state)
{
    (void)state;
    each(returned_key);
}

static void partial_reads(DB *db, DB_TXN *txn)
{
    DBC *cursor = cursor_on(db, txn);
    DBT k = dbt(NULL, 0), v = {.flags = DB_DBT_PARTIAL, .doff = 1, .dlen = 2};

    assert_int_equal(put(db, txn, "a", "0123"), 0);
    assert_int_equal(cursor->get(cursor, &k, &v, DB_FIRST), 0);
    assert_int_equal(v.size, 2);
    assert_memory_equal(v.data, "12", 2);
    k.flags = DB_DBT_PARTIAL;
    assert_refused(cursor->get(cursor, &k, &v, DB_SET), "0x40 of the key");
    assert_int_equal(cursor->close(cursor), 0);
}

static void a_cursor_reads_parts(void **state)
{
    (void)state;
    each(partial_reads);
}

static void refusals(DB *db, DB_TXN *txn)
{
    DBC *cursor = cursor_on(db, txn);

    assert_refused(get_at(cursor, 0), "unknown operation 0");
    assert_refused(get_at(cursor, DB_NEXT_DUP), "DB_NEXT_DUP");
    assert_refused(get_at(cursor, DB_GET_BOTH), "DB_GET_BOTH");
    assert_refused(get_at(cursor, DB_KEYFIRST), "DB_KEYFIRST is no operation");
    assert_refused(get_at(cursor, DB_NEXT | DB_MULTIPLE), "DB_MULTIPLE");
    assert_refused(put_at(cursor, "k", "v", DB_AFTER), "DB_AFTER");
    assert_refused(put_at(cursor, "k", "v", DB_NODUPDATA), "DB_NODUPDATA");
    assert_refused(put_at(cursor, "k", "v", DB_NOOVERWRITE), "DB_NOOVERWRITE");
    assert_refused(put_at(cursor, "k", "v", 0), "unknown operation 0");
    assert_refused(cursor->del(cursor, DB_CONSUME), "DB_CONSUME");
    assert_int_equal(get_at(cursor, DB_FIRST | DB_RMW | DB_READ_COMMITTED), 0);
    assert_int_equal(cursor->close(cursor), 0);
    assert_refused(db->cursor(db, txn, &cursor, DB_WRITECURSOR), "DB_WRITECURSOR");
    assert_null(cursor);
}

static void operations_outside_the_subset_are_refused_by_name(void **state)
{
    (void)state;
    each(refusals);
}

/* ---- put and del ---- */

static void writes(DB *db, DB_TXN *txn)
{
    DBC *cursor = cursor_on(db, txn);

    assert_int_equal(put_at(cursor, "c", "new", DB_KEYFIRST), 0);
    assert_move(cursor, DB_CURRENT, "", "c=new");
    assert_move(cursor, DB_NEXT, "", "d=2");
    assert_int_equal(put_at(cursor, "ignored", "two", DB_CURRENT), 0);
    assert_move(cursor, DB_CURRENT, "", "d=two");
    assert_int_equal(put_at(cursor, "f", "three", DB_KEYLAST), 0);
    assert_move(cursor, DB_PREV, "", "d=two");
    assert_int_equal(cursor->close(cursor), 0);
    assert_records(db, txn, "b=1 c=new d=two f=three");
}

static void a_cursor_stores_and_stands_at_what_it_stored(void **state)
{
    (void)state;
    each(writes);
}

static void removal(DB *db, DB_TXN *txn)
{
    DBC *cursor = cursor_on(db, txn);

    assert_move(cursor, DB_SET, "d", "d=2");
    assert_int_equal(cursor->del(cursor, 0), 0);
    assert_int_equal(cursor->del(cursor, 0), DB_KEYEMPTY);
    assert_int_equal(get_at(cursor, DB_CURRENT), DB_KEYEMPTY);
    assert_int_equal(put_at(cursor, "", "back", DB_CURRENT), DB_NOTFOUND);
    assert_move(cursor, DB_NEXT, "", "f=3");
    assert_move(cursor, DB_PREV, "", "b=1");
    assert_move(cursor, DB_NEXT, "", "f=3");
    assert_int_equal(del(db, txn, "f"), 0);
    assert_int_equal(get_at(cursor, DB_CURRENT), DB_KEYEMPTY);
    assert_move(cursor, DB_NEXT, "", NULL);
    assert_move(cursor, DB_PREV, "", "b=1");
    assert_int_equal(cursor->close(cursor), 0);
    assert_records(db, txn, "b=1");
    assert_string_equal(errors(), "");
}

static void after_a_removal_a_cursor_stands_in_the_gap(void **state)
{
    (void)state;
    each(removal);
}

static void partial_writes(DB *db, DB_TXN *txn)
{
    DBC *cursor = cursor_on(db, txn);
    DBT k = text("n"), v = text("xyz");

    v.flags = DB_DBT_PARTIAL;
    v.doff = 1;
    assert_int_equal(cursor->put(cursor, &k, &v, DB_KEYFIRST), 0); /* no such record: empty */
    v = text("-");
    v.flags = DB_DBT_PARTIAL;
    v.dlen = 1;
    assert_int_equal(cursor->put(cursor, NULL, &v, DB_CURRENT), 0);
    assert_move(cursor, DB_CURRENT, "", "n=-xyz");
    assert_move(cursor, DB_FIRST, "", "b=1");
    v = text("!");
    v.flags = DB_DBT_PARTIAL;
    v.doff = 4;
    assert_int_equal(cursor->put(cursor, &k, &v, DB_KEYLAST), 0);
    assert_move(cursor, DB_CURRENT, "", "n=-xyz!");
    assert_int_equal(cursor->close(cursor), 0);
    assert_records(db, txn, "b=1 d=2 f=3 n=-xyz!");
}

static void a_cursor_stores_parts(void **state)
{
    (void)state;
    each(partial_writes);
}

static void a_read_only_database_refuses_a_cursors_writes(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = filled(env);

    (void)state;
    close_all(db, NULL);
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_int_equal(db->open(db, NULL, "a.db", NULL, DB_BTREE, DB_RDONLY, 0), 0);
    DBC *cursor = cursor_on(db, NULL);
    assert_move(cursor, DB_FIRST, "", "b=1");
    assert_int_equal(cursor->del(cursor, 0), EACCES);
    assert_int_equal(put_at(cursor, "k", "v", DB_KEYFIRST), EACCES);
    assert_int_equal(put_at(cursor, "", "v", DB_CURRENT), EACCES);
    assert_int_equal(cursor->close(cursor), 0);
    close_all(db, env);
}

/* ---- what a cursor sees ---- */

static void without_a_transaction_a_cursor_sees_what_is_committed_meanwhile(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = filled(env);
    DBC *cursor = cursor_on(db, NULL);
    DB_TXN *txn;

    (void)state;
    assert_move(cursor, DB_FIRST, "", "b=1");
    assert_int_equal(put(db, NULL, "c", "new"), 0);
    assert_int_equal(put(db, NULL, "a", "behind"), 0);
    txn = begin(env, 0);
    assert_int_equal(put(db, txn, "bb", "uncommitted"), 0);
    assert_move(cursor, DB_NEXT, "", "c=new");
    assert_int_equal(txn->commit(txn, 0), 0);
    assert_move(cursor, DB_PREV, "", "bb=uncommitted");
    assert_int_equal(del(db, NULL, "c"), 0);
    assert_move(cursor, DB_NEXT, "", "d=2");
    assert_int_equal(cursor->close(cursor), 0);
    close_all(db, env);
}

static void in_a_transaction_a_cursor_sees_its_snapshot_and_its_own_changes(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = filled(env);
    DB_TXN *txn = begin(env, 0);
    DBC *cursor = cursor_on(db, txn);

    (void)state;
    assert_move(cursor, DB_FIRST, "", "b=1");
    assert_int_equal(put(db, NULL, "c", "of others"), 0);
    assert_move(cursor, DB_NEXT, "", "d=2");
    assert_int_equal(cursor->close(cursor), 0);
    assert_int_equal(txn->abort(txn), 0);
    txn = begin(env, 0);
    cursor = cursor_on(db, txn);
    assert_move(cursor, DB_FIRST, "", "b=1");
    assert_int_equal(put(db, txn, "bb", "mine"), 0);
    assert_move(cursor, DB_NEXT, "", "bb=mine");
    assert_int_equal(txn->abort(txn), 0);
    assert_int_equal(cursor->close(cursor), EINVAL); /* the abort has closed it */
    close_all(db, env);
}

static void a_snapshot_cursor_sees_one_state_and_only_reads(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = filled(env);
    DBC *cursor = NULL;

    (void)state;
    close_all(db, NULL);
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_int_equal(
        db->open(db, NULL, "a.db", NULL, DB_BTREE, DB_MULTIVERSION | DB_AUTO_COMMIT, 0), 0);
    assert_int_equal(db->cursor(db, NULL, &cursor, DB_TXN_SNAPSHOT), 0);
    assert_int_equal(put(db, NULL, "c", "later"), 0);
    assert_move(cursor, DB_FIRST, "", "b=1");
    assert_move(cursor, DB_NEXT, "", "d=2");
    assert_refused(cursor->del(cursor, 0), "only reads");
    assert_refused(put_at(cursor, "k", "v", DB_KEYFIRST), "only reads");
    assert_int_equal(cursor->close(cursor), 0);
    close_all(db, env);
}

/* ---- the end of a cursor ---- */

static void the_end_of_a_transaction_closes_its_cursors(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = filled(env);
    DB_TXN *txn = begin(env, 0);
    DBC *first = cursor_on(db, txn), *second = cursor_on(db, txn), *third = cursor_on(db, txn);

    (void)state;
    assert_int_equal(put_at(first, "x", "y", DB_KEYFIRST), 0);
    assert_int_equal(second->close(second), 0);
    assert_int_equal(txn->commit(txn, 0), 0);
    assert_refused(get_at(first, DB_NEXT), "closed with its transaction");
    assert_refused(first->close(first), "closed with its transaction");
    (void)third; /* goes with the database */
    assert_value(db, NULL, "x", "y");
    close_all(db, env);
}

static void close_of_the_database_closes_its_cursors(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = filled(env);
    DB_TXN *txn = begin(env, 0);

    (void)state;
    (void)cursor_on(db, NULL);
    (void)cursor_on(db, txn);
    close_all(db, NULL);
    assert_int_equal(txn->commit(txn, 0), 0);
    close_all(NULL, env);
}

static const struct CMUnitTest tests[] = {
    TEST(a_cursor_moves_as_it_is_told),
    TEST(an_empty_database_has_no_record_for_a_cursor),
    TEST(a_cursor_at_no_record_has_nothing_to_read_replace_or_remove),
    TEST(a_cursor_stays_where_it_was_when_the_memory_is_too_small),
    TEST(what_a_cursor_returned_may_be_its_next_key),
    TEST(a_cursor_reads_parts),
    TEST(operations_outside_the_subset_are_refused_by_name),
    TEST(a_cursor_stores_and_stands_at_what_it_stored),
    TEST(after_a_removal_a_cursor_stands_in_the_gap),
    TEST(a_cursor_stores_parts),
    TEST(a_read_only_database_refuses_a_cursors_writes),
    TEST(without_a_transaction_a_cursor_sees_what_is_committed_meanwhile),
    TEST(in_a_transaction_a_cursor_sees_its_snapshot_and_its_own_changes),
    TEST(a_snapshot_cursor_sees_one_state_and_only_reads),
    TEST(the_end_of_a_transaction_closes_its_cursors),
    TEST(close_of_the_database_closes_its_cursors),
};
TEST_MAIN(tests)
