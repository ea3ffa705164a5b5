/* Database handles: open, records, DBTs, databases alone, verify, remove. */
#include "berkeleydb_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int try_open_as(
    DB_ENV *env, DB_TXN *txn, const char *file, const char *database, DBTYPE type, u_int32_t flags)
{
    DB *db = NULL;

    assert_int_equal(db_create(&db, env, 0), 0);
    if (env == NULL) {
        db->set_errfile(db, NULL);
    }
    int ret = db->open(db, txn, file, database, type, flags, 0);
    assert_int_equal(db->close(db, 0), 0);
    return ret;
}

static int try_open(DB_ENV *env, u_int32_t flags)
{
    return try_open_as(env, NULL, "a.db", NULL, DB_BTREE, flags);
}

/* ---- open ---- */

static void db_create_refuses_flags(void **state)
{
    DB_ENV *env = new_env();
    DB *db = NULL;

    (void)state;
    assert_refused(db_create(&db, env, DB_XA_CREATE), "DB_XA_CREATE");
    assert_null(db);
    assert_refused(db_create(&db, env, 0x100), "0x100");
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_null(db->app_private);
    close_all(db, env);
}

static void open_before_the_environment_is_open_is_refused(void **state)
{
    DB_ENV *env = new_env();

    (void)state;
    assert_refused(try_open(env, DB_CREATE), "only after DB_ENV->open");
    close_all(NULL, env);
}

static void a_missing_database_is_ENOENT_and_DB_EXCL_on_one_that_is_there_EEXIST(void **state)
{
    DB_ENV *env = open_env("home", 0);

    (void)state;
    assert_int_equal(try_open(env, 0), ENOENT);
    assert_int_equal(try_open(env, DB_CREATE | DB_EXCL), 0);
    assert_int_equal(try_open(env, DB_CREATE | DB_EXCL), EEXIST);
    assert_int_equal(try_open(env, DB_CREATE), 0);
    assert_int_equal(try_open(env, 0), 0);
    close_all(NULL, env);
}

static void flags_that_do_not_go_together_are_refused(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB_TXN *txn = begin(env, 0);

    (void)state;
    assert_refused(try_open(env, DB_EXCL), "DB_EXCL without DB_CREATE");
    assert_refused(try_open(env, DB_CREATE | DB_RDONLY), "DB_RDONLY");
    assert_refused(try_open(env, DB_CREATE | DB_TRUNCATE), "DB_TRUNCATE");
    assert_refused(try_open(env, DB_CREATE | DB_THREAD), "DB_THREAD");
    assert_refused(try_open(env, DB_CREATE | DB_MULTIVERSION), "DB_MULTIVERSION");
    assert_refused(try_open(env, DB_CREATE | DB_READ_UNCOMMITTED), "DB_READ_UNCOMMITTED");
    assert_refused(try_open(env, 0x80000000u), "0x80000000");
    assert_refused(try_open_as(env, txn, "a.db", NULL, DB_BTREE, DB_CREATE | DB_AUTO_COMMIT),
        "DB_AUTO_COMMIT");
    assert_int_equal(try_open_as(NULL, NULL, "a.db", NULL, DB_BTREE, DB_AUTO_COMMIT), EINVAL);
    assert_int_equal(txn->abort(txn), 0);
    close_all(NULL, env);
}

static void other_access_methods_and_kinds_of_databases_are_refused_by_name(void **state)
{
    DB_ENV *env = open_env("home", 0);

    (void)state;
    assert_refused(try_open_as(env, NULL, "a.db", NULL, DB_HASH, DB_CREATE), "DB_HASH");
    assert_refused(try_open_as(env, NULL, "a.db", NULL, DB_RECNO, DB_CREATE), "DB_RECNO");
    assert_refused(try_open_as(env, NULL, "a.db", NULL, DB_QUEUE, DB_CREATE), "DB_QUEUE");
    assert_refused(try_open_as(env, NULL, "a.db", NULL, DB_HEAP, DB_CREATE), "DB_HEAP");
    assert_refused(try_open_as(env, NULL, "a.db", NULL, (DBTYPE)77, DB_CREATE), "77");
    assert_refused(try_open_as(env, NULL, "a.db", NULL, DB_UNKNOWN, DB_CREATE), "DB_UNKNOWN");
    assert_refused(try_open_as(env, NULL, NULL, NULL, DB_BTREE, DB_CREATE), "in memory");
    assert_refused(try_open_as(env, NULL, "a.db", "sub", DB_BTREE, DB_CREATE), "\"sub\"");
    assert_refused(try_open_as(env, NULL, "", NULL, DB_BTREE, DB_CREATE), "empty");
    assert_false(exists("home/a.db"));
    close_all(NULL, env);
}

static void features_outside_the_subset_are_refused_by_set_flags(void **state)
{
    static const struct {
        u_int32_t flag;
        const char *name;
    } missing[] = {{DB_DUP, "DB_DUP"}, {DB_DUPSORT, "DB_DUPSORT"}, {DB_ENCRYPT, "DB_ENCRYPT"},
        {DB_RECNUM, "DB_RECNUM"}, {DB_TXN_NOT_DURABLE, "DB_TXN_NOT_DURABLE"},
        {DB_REVSPLITOFF, "DB_REVSPLITOFF"}};
    DB_ENV *env = open_env("home", 0);
    DB *db = NULL;

    (void)state;
    assert_int_equal(db_create(&db, env, 0), 0);
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        assert_refused(db->set_flags(db, missing[i].flag), missing[i].name);
    }
    assert_int_equal(db->set_flags(db, DB_CHKSUM), 0);
    assert_int_equal(db->open(db, NULL, "a.db", NULL, DB_BTREE, DB_CREATE, 0), 0);
    assert_refused(db->set_flags(db, DB_CHKSUM), "not after DB->open");
    close_all(db, env);
}

static void DB_UNKNOWN_opens_what_is_there(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    const char *file = NULL, *database = "";
    DBTYPE type = DB_HASH;

    (void)state;
    close_all(db, NULL);
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_refused(db->get_type(db, &type), "only after DB->open");
    assert_int_equal(type, DB_UNKNOWN);
    assert_refused(db->get_dbname(db, &file, &database), "only after DB->open");
    assert_int_equal(db->open(db, NULL, "a.db", NULL, DB_UNKNOWN, 0, 0), 0);
    assert_int_equal(db->get_type(db, &type), 0);
    assert_int_equal(type, DB_BTREE);
    assert_int_equal(db->get_dbname(db, &file, &database), 0);
    assert_string_equal(file, "a.db");
    assert_null(database);
    close_all(db, env);
}

static void the_page_size_is_a_power_of_two_and_stays(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = NULL;
    u_int32_t size = 7;

    (void)state;
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_int_equal(db->get_pagesize(db, &size), 0);
    assert_int_equal(size, 0);
    assert_refused(db->set_pagesize(db, 1000), "1000");
    assert_refused(db->set_pagesize(db, 256), "256");
    assert_refused(db->set_pagesize(db, 131072), "131072");
    assert_int_equal(db->set_pagesize(db, 512), 0);
    assert_int_equal(db->open(db, NULL, "a.db", NULL, DB_BTREE, DB_CREATE, 0), 0);
    assert_int_equal(db->get_pagesize(db, &size), 0);
    assert_int_equal(size, 512);
    assert_refused(db->set_pagesize(db, 4096), "not after DB->open");
    close_all(db, NULL);
    db = open_db(env, "a.db");
    assert_int_equal(db->get_pagesize(db, &size), 0);
    assert_int_equal(size, 512);
    close_all(db, env);
}

static void nothing_works_before_open_and_open_works_once(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = NULL;
    DBC *cursor = NULL;
    DBT k = text("k"), v = text("v");
    u_int32_t count = 7;

    (void)state;
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_refused(db->put(db, NULL, &k, &v, 0), "DB->put: only after DB->open");
    assert_refused(db->get(db, NULL, &k, &v, 0), "DB->get: only after");
    assert_refused(db->exists(db, NULL, &k, 0), "DB->exists: only after");
    assert_refused(db->del(db, NULL, &k, 0), "DB->del: only after");
    assert_refused(db->truncate(db, NULL, &count, 0), "DB->truncate: only after");
    assert_int_equal(count, 0);
    assert_refused(db->sync(db, 0), "DB->sync: only after");
    assert_refused(db->cursor(db, NULL, &cursor, 0), "DB->cursor: only after");
    assert_null(cursor);
    assert_int_equal(db->open(db, NULL, "a.db", NULL, DB_BTREE, DB_CREATE, 0), 0);
    assert_refused(db->open(db, NULL, "a.db", NULL, DB_BTREE, DB_CREATE, 0), "open already");
    close_all(db, env);
}

static void close_refuses_a_wrong_flag_and_closes(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");

    (void)state;
    assert_refused(db->close(db, 0x40), "0x40");
    db = open_db(env, "a.db");
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    assert_int_equal(db->close(db, DB_NOSYNC), 0);
    db = open_db(env, "a.db");
    assert_value(db, NULL, "k", "v");
    close_all(db, env);
}

/* ---- records ---- */

static void records_are_put_got_replaced_and_removed(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DBT k = text("k"), v = text("third");

    (void)state;
    assert_value(db, NULL, "k", NULL);
    assert_int_equal(db->exists(db, NULL, &k, 0), DB_NOTFOUND);
    assert_int_equal(put(db, NULL, "k", "first"), 0);
    assert_int_equal(put(db, NULL, "k", "second"), 0);
    assert_value(db, NULL, "k", "second");
    assert_int_equal(db->put(db, NULL, &k, &v, DB_NOOVERWRITE), DB_KEYEXIST);
    assert_value(db, NULL, "k", "second");
    assert_int_equal(db->exists(db, NULL, &k, 0), 0);
    assert_int_equal(del(db, NULL, "k"), 0);
    assert_int_equal(del(db, NULL, "k"), DB_NOTFOUND);
    assert_int_equal(db->put(db, NULL, &k, &v, DB_NOOVERWRITE), 0);
    assert_value(db, NULL, "k", "third");
    assert_string_equal(errors(), "");
    close_all(db, env);
}

static void empty_keys_and_values_are_records(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DBT none = dbt(NULL, 0), got = dbt(NULL, 0);

    (void)state;
    assert_int_equal(db->put(db, NULL, &none, &none, 0), 0);
    assert_int_equal(db->get(db, NULL, &none, &got, 0), 0);
    assert_int_equal(got.size, 0);
    assert_records(db, NULL, "=");
    close_all(db, env);
}

static void operations_and_modifiers_outside_the_subset_are_refused_by_name(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DBT k = text("k"), v = text("v");

    (void)state;
    assert_refused(db->put(db, NULL, &k, &v, DB_NODUPDATA), "DB_NODUPDATA");
    assert_refused(db->put(db, NULL, &k, &v, DB_APPEND), "DB_APPEND");
    assert_refused(db->put(db, NULL, &k, &v, DB_FIRST), "DB_FIRST is no operation");
    assert_refused(db->put(db, NULL, &k, &v, 200), "200");
    assert_refused(db->put(db, NULL, &k, &v, DB_MULTIPLE), "DB_MULTIPLE");
    assert_refused(db->get(db, NULL, &k, &v, DB_GET_BOTH), "DB_GET_BOTH");
    assert_refused(db->get(db, NULL, &k, &v, DB_CONSUME), "DB_CONSUME");
    assert_refused(db->del(db, NULL, &k, DB_CONSUME), "DB_CONSUME");
    assert_refused(db->exists(db, NULL, &k, DB_NEXT), "DB_NEXT");
    assert_refused(db->truncate(db, NULL, NULL, 1), "0x1");
    assert_refused(db->sync(db, 1), "0x1");
    assert_int_equal(db->get(db, NULL, &k, &v, DB_RMW | DB_READ_COMMITTED), DB_NOTFOUND);
    assert_int_equal(db->exists(db, NULL, &k, DB_IGNORE_LEASE), DB_NOTFOUND);
    close_all(db, env);
}

static void writes_to_a_read_only_database_are_EACCES(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");

    (void)state;
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    close_all(db, NULL);
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_int_equal(db->open(db, NULL, "a.db", NULL, DB_BTREE, DB_RDONLY, 0), 0);
    assert_value(db, NULL, "k", "v");
    assert_int_equal(put(db, NULL, "k", "w"), EACCES);
    assert_non_null(strstr(errors(), "a.db"));
    assert_int_equal(del(db, NULL, "k"), EACCES);
    assert_int_equal(db->truncate(db, NULL, NULL, 0), EACCES);
    assert_value(db, NULL, "k", "v");
    close_all(db, env);
}

static void truncate_counts_and_wants_no_cursor(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db"), *other = open_db(env, "a.db");
    DBC *cursor = NULL;
    u_int32_t count = 7;

    (void)state;
    assert_int_equal(put(db, NULL, "a", "1"), 0);
    assert_int_equal(put(db, NULL, "b", "2"), 0);
    assert_int_equal(other->cursor(other, NULL, &cursor, 0), 0);
    assert_refused(db->truncate(db, NULL, &count, 0), "a.db: a cursor is open");
    assert_int_equal(count, 0);
    assert_int_equal(cursor->close(cursor), 0);
    assert_int_equal(db->truncate(db, NULL, &count, 0), 0);
    assert_int_equal(count, 2);
    assert_records(other, NULL, "");
    assert_int_equal(db->truncate(db, NULL, NULL, 0), 0);
    close_all(other, NULL);
    close_all(db, env);
}

static void keys_and_values_that_are_too_long_are_refused(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    size_t size = (1u << 20) + 1;
    char *bytes = calloc(1, size);
    DBT k = text("k"), long_value = dbt(bytes, size), long_key = dbt(bytes, 4096), got = {0};

    (void)state;
    assert_refused(db->put(db, NULL, &k, &long_value, 0), "1048577");
    assert_refused(db->put(db, NULL, &long_key, &k, 0), "4096");
    long_value.size = 1u << 20;
    assert_int_equal(db->put(db, NULL, &k, &long_value, 0), 0);
    assert_int_equal(db->get(db, NULL, &k, &got, 0), 0);
    assert_int_equal(got.size, 1u << 20);
    assert_memory_equal(got.data, bytes, got.size);
    free(bytes);
    close_all(db, env);
}

/* ---- DBTs ---- */

static void memory_of_the_handle_is_good_until_its_next_use(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DBT k = text("a"), got = {0};

    (void)state;
    assert_int_equal(put(db, NULL, "a", "b"), 0);
    assert_int_equal(put(db, NULL, "b", "last"), 0);
    assert_int_equal(db->get(db, NULL, &k, &got, 0), 0);
    assert_memory_equal(got.data, "b", 1);
    /* what was returned may be the key of the next call */
    assert_int_equal(db->get(db, NULL, &got, &got, 0), 0);
    assert_int_equal(got.size, 4);
    assert_memory_equal(got.data, "last", 4);
    close_all(db, env);
}

static void malloc_realloc_and_user_memory_hold_the_value(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DBT k = text("k"), got = {.flags = DB_DBT_MALLOC};
    char room[8] = "";

    (void)state;
    assert_int_equal(put(db, NULL, "k", "value"), 0);
    assert_int_equal(db->get(db, NULL, &k, &got, 0), 0);
    assert_int_equal(got.size, 5);
    assert_memory_equal(got.data, "value", 5);
    free(got.data);

    got = (DBT){.flags = DB_DBT_REALLOC};
    assert_int_equal(db->get(db, NULL, &k, &got, 0), 0);
    assert_memory_equal(got.data, "value", 5);
    assert_int_equal(put(db, NULL, "k", "a longer value"), 0);
    assert_int_equal(db->get(db, NULL, &k, &got, 0), 0);
    assert_int_equal(got.size, 14);
    assert_memory_equal(got.data, "a longer value", 14);
    free(got.data);

    got = in_memory(room, sizeof room);
    assert_int_equal(db->get(db, NULL, &k, &got, 0), DB_BUFFER_SMALL);
    assert_int_equal(got.size, 14);
    assert_string_equal(room, "");
    got = in_memory(NULL, 0);
    assert_int_equal(db->get(db, NULL, &k, &got, 0), DB_BUFFER_SMALL);
    assert_int_equal(got.size, 14);
    assert_string_equal(errors(), "");
    close_all(db, env);
}

static void wrong_DBTs_are_refused(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DBT k = text("k"), v = text("v"), bad = {0};

    (void)state;
    assert_refused(db->put(db, NULL, NULL, &v, 0), "key is NULL");
    assert_refused(db->put(db, NULL, &k, NULL, 0), "value is NULL");
    assert_refused(db->get(db, NULL, &k, NULL, 0), "value is NULL");
    bad.size = 5;
    assert_refused(db->put(db, NULL, &bad, &v, 0), "5 bytes of the key at NULL");
    bad = (DBT){.flags = DB_DBT_MALLOC | DB_DBT_USERMEM};
    assert_refused(db->get(db, NULL, &k, &bad, 0), "exclude one another");
    bad = (DBT){.flags = DB_DBT_MULTIPLE};
    assert_refused(db->get(db, NULL, &k, &bad, 0), "0x20");
    bad = (DBT){.flags = DB_DBT_USERMEM, .ulen = 5};
    assert_refused(db->get(db, NULL, &k, &bad, 0), "5 bytes of the value at NULL");
    bad = text("k");
    bad.flags = DB_DBT_PARTIAL;
    assert_refused(db->put(db, NULL, &bad, &v, 0), "0x40 of the key");
    close_all(db, env);
}

static void a_DB_THREAD_handle_wants_a_memory_flag(void **state)
{
    DB_ENV *env = open_env("home", DB_THREAD);
    DB *db = open_db(env, "a.db");
    DBT k = text("k"), got = {0};

    (void)state;
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    assert_refused(db->get(db, NULL, &k, &got, 0), "DB_THREAD");
    assert_value(db, NULL, "k", "v");
    close_all(db, env);
}

static void a_partial_get_returns_what_there_is_of_the_part(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DBT k = text("k"), got = {.flags = DB_DBT_PARTIAL};
    static const struct {
        u_int32_t offset, length;
        const char *bytes;
    } parts[] = {{0, 3, "012"}, {4, 3, "456"}, {8, 20, "89"}, {10, 5, ""}, {500, 5, ""}, {3, 0, ""},
        {0, UINT32_MAX, "0123456789"}, {UINT32_MAX, UINT32_MAX, ""}};

    (void)state;
    assert_int_equal(put(db, NULL, "k", "0123456789"), 0);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        got.doff = parts[i].offset;
        got.dlen = parts[i].length;
        assert_int_equal(db->get(db, NULL, &k, &got, 0), 0);
        assert_int_equal(got.size, strlen(parts[i].bytes));
        assert_memory_equal(got.data, parts[i].bytes, got.size);
    }
    char room[2];
    got = in_memory(room, sizeof room);
    got.flags |= DB_DBT_PARTIAL;
    got.doff = 1;
    got.dlen = 2;
    assert_int_equal(db->get(db, NULL, &k, &got, 0), 0);
    assert_memory_equal(room, "12", 2);
    got.dlen = 3;
    assert_int_equal(db->get(db, NULL, &k, &got, 0), DB_BUFFER_SMALL);
    assert_int_equal(got.size, 3);
    close_all(db, env);
}

static int put_part(DB *db, DB_TXN *txn, u_int32_t offset, u_int32_t length, const char *bytes)
{
    DBT k = text("k"), part = text(bytes);

    part.flags = DB_DBT_PARTIAL;
    part.doff = offset;
    part.dlen = length;
    return db->put(db, txn, &k, &part, 0);
}

static void a_partial_put_replaces_grows_shrinks_and_fills(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DB_TXN *txn = begin(env, 0);
    DBT k = text("k"), got = {0};

    (void)state;
    assert_int_equal(put_part(db, NULL, 0, 0, "0123456789"), 0);
    assert_value(db, NULL, "k", "0123456789");
    assert_int_equal(put_part(db, NULL, 2, 3, "abc"), 0);
    assert_value(db, NULL, "k", "01abc56789");
    assert_int_equal(put_part(db, NULL, 2, 3, "ABCDE"), 0);
    assert_value(db, NULL, "k", "01ABCDE56789");
    assert_int_equal(put_part(db, txn, 2, 5, ""), 0);
    assert_value(db, txn, "k", "0156789");
    assert_int_equal(txn->commit(txn, 0), 0);
    assert_int_equal(put_part(db, NULL, 9, 100, "x"), 0);
    assert_int_equal(db->get(db, NULL, &k, &got, 0), 0);
    assert_int_equal(got.size, 10);
    assert_memory_equal(got.data, "0156789\0\0x", 10);
    assert_refused(put_part(db, NULL, UINT32_MAX, 0, "x"), "4294967296");
    close_all(db, env);
}

/* ---- threads ---- */

enum { THREADS = 4, ADDITIONS = 50 };

static void *add_many(void *argument)
{
    DB *db = argument;
    DBT k = text("sum");

    for (int i = 0; i < ADDITIONS; i++) {
        DBT part = text("+");
        char room[THREADS * ADDITIONS];
        DBT got = in_memory(room, sizeof room);

        part.flags =
            DB_DBT_PARTIAL; /* at the front, so that a lost update shows as a short value */
        if (db->put(db, NULL, &k, &part, 0) != 0 || db->get(db, NULL, &k, &got, 0) != 0) {
            return argument;
        }
    }
    return NULL;
}

static void partial_puts_of_several_threads_lose_nothing(void **state)
{
    (void)state;
    for (int alone = 0; alone < 2; alone++) {
        DB_ENV *env = alone != 0 ? NULL : open_env("home", DB_THREAD);
        DB *db = NULL;
        pthread_t thread[THREADS];
        char expected[THREADS * ADDITIONS + 1];

        assert_int_equal(db_create(&db, env, 0), 0);
        assert_int_equal(db->open(db, NULL, "sum.db", NULL, DB_BTREE, DB_CREATE | DB_THREAD, 0), 0);
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_create(&thread[i], NULL, add_many, db), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            void *failed;

            assert_int_equal(pthread_join(thread[i], &failed), 0);
            assert_null(failed);
        }
        memset(expected, '+', sizeof expected - 1);
        expected[sizeof expected - 1] = '\0';
        assert_value(db, NULL, "sum", expected);
        close_all(db, env);
    }
}

/* ---- alone ---- */

static void a_database_alone_keeps_its_records_in_its_file(void **state)
{
    DB *db = open_db(NULL, "alone.db");

    (void)state;
    assert_int_equal(put(db, NULL, "a", "1"), 0);
    assert_int_equal(put(db, NULL, "b", "2"), 0);
    assert_int_equal(db->sync(db, 0), 0);
    assert_int_equal(del(db, NULL, "a"), 0);
    close_all(db, NULL);
    db = open_db(NULL, "alone.db");
    assert_records(db, NULL, "b=2");
    close_all(db, NULL);
    assert_int_equal(db_create(&db, NULL, 0), 0);
    assert_int_equal(db->open(db, NULL, "alone.db", NULL, DB_BTREE, DB_CREATE | DB_TRUNCATE, 0), 0);
    assert_records(db, NULL, "");
    close_all(db, NULL);
}

/* ---- verify and remove ---- */

static int verify(DB_ENV *env, const char *file, u_int32_t flags)
{
    DB *db = NULL;

    assert_int_equal(db_create(&db, env, 0), 0);
    if (env == NULL) {
        db->set_errfile(db, NULL);
    }
    return db->verify(db, file, NULL, NULL, flags);
}

static void verify_finds_sound_what_is_and_ENOENT_what_is_not(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");

    (void)state;
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    assert_int_equal(verify(env, "a.db", 0), 0);
    assert_int_equal(verify(env, "a.db", DB_NOORDERCHK), 0);
    assert_int_equal(verify(env, "none.db", 0), ENOENT);
    assert_refused(verify(env, "a.db", DB_SALVAGE), "DB_SALVAGE");
    assert_refused(verify(env, NULL, 0), "in memory");
    assert_refused(db->verify(db, "a.db", NULL, NULL, 0), "not after DB->open");
    close_all(NULL, env);
}

static void verify_names_file_and_page_of_damage(void **state)
{
    DB_ENV *env;
    DB *db = open_db(NULL, "alone.db");

    (void)state;
    for (char key[] = "a"; key[0] <= 'z'; key[0]++) {
        assert_int_equal(put(db, NULL, key, "some value or other"), 0);
    }
    close_all(db, NULL);
    assert_int_equal(verify(NULL, "alone.db", 0), 0);
    damage_file("alone.db", 4096 + 2000);
    assert_int_equal(verify(NULL, "alone.db", 0), DB_VERIFY_BAD);
    write_file("text.db", "no database at all");
    assert_int_equal(verify(NULL, "text.db", 0), DB_VERIFY_BAD);

    env = open_env("home", 0);
    copy_file("alone.db", "home/alone.db");
    assert_int_equal(verify(env, "alone.db", 0), DB_VERIFY_BAD);
    assert_non_null(strstr(errors(), "alone.db"));
    close_all(NULL, env);
}

static void a_damaged_page_that_is_read_is_DB_RUNRECOVERY_and_named(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DBT k = text("k"), v = dbt(NULL, 0);

    (void)state;
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    close_all(db, env);
    damage_file("home/a.db", 4096 + 4000);
    env = open_env("home", 0);
    db = open_db(env, "a.db");
    assert_int_equal(db->get(db, NULL, &k, &v, 0), DB_RUNRECOVERY);
    assert_non_null(strstr(errors(), "a.db: page 1"));
    close_all(db, env);
}

static int remove_db(DB_ENV *env, const char *file)
{
    DB *db = NULL;

    assert_int_equal(db_create(&db, env, 0), 0);
    if (env == NULL) {
        db->set_errfile(db, NULL);
    }
    return db->remove(db, file, NULL, 0);
}

static void remove_takes_the_file_away(void **state)
{
    DB_ENV *env = open_env("home", 0);

    (void)state;
    close_all(open_db(env, "a.db"), NULL);
    close_all(open_db(NULL, "alone.db"), NULL);
    assert_int_equal(remove_db(env, "a.db"), 0);
    assert_false(exists("home/a.db"));
    assert_int_equal(remove_db(env, "a.db"), ENOENT);
    assert_int_equal(remove_db(NULL, "alone.db"), 0);
    assert_false(exists("alone.db"));
    assert_int_equal(remove_db(NULL, "alone.db"), ENOENT);
    assert_int_equal(remove_db(NULL, "home"), EISDIR);
    close_all(NULL, env);
}

static void dbremove_and_dbrename_work_alone_and_in_a_transaction(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB_TXN *txn;
    DB *db = open_db(env, "a.db");

    (void)state;
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    assert_int_equal(env->dbremove(env, NULL, "a.db", NULL, 0), EBUSY);
    close_all(db, NULL);
    assert_int_equal(env->dbrename(env, NULL, "a.db", NULL, "b.db", DB_AUTO_COMMIT), 0);
    txn = begin(env, 0);
    assert_int_equal(env->dbremove(env, txn, "b.db", NULL, 0), 0);
    assert_int_equal(txn->abort(txn), 0);
    db = open_db(env, "b.db");
    assert_value(db, NULL, "k", "v");
    close_all(db, NULL);
    txn = begin(env, 0);
    assert_int_equal(env->dbrename(env, txn, "b.db", NULL, "c.db", 0), 0);
    assert_int_equal(txn->commit(txn, 0), 0);
    assert_int_equal(env->dbremove(env, NULL, "c.db", NULL, DB_AUTO_COMMIT), 0);
    assert_false(exists("home/c.db"));
    assert_int_equal(env->dbremove(env, NULL, "c.db", NULL, 0), ENOENT);
    assert_refused(env->dbremove(env, NULL, "c.db", "sub", 0), "\"sub\"");
    assert_refused(env->dbremove(env, NULL, NULL, NULL, 0), "NULL");
    assert_refused(env->dbremove(env, NULL, "c.db", NULL, 0x40), "0x40");
    assert_refused(env->dbrename(env, NULL, "c.db", NULL, NULL, 0), "new name is NULL");
    close_all(NULL, env);
    env = new_env();
    assert_refused(env->dbremove(env, NULL, "c.db", NULL, 0), "only after DB_ENV->open");
    close_all(NULL, env);
}

static const struct CMUnitTest tests[] = {
    TEST(db_create_refuses_flags),
    TEST(open_before_the_environment_is_open_is_refused),
    TEST(a_missing_database_is_ENOENT_and_DB_EXCL_on_one_that_is_there_EEXIST),
    TEST(flags_that_do_not_go_together_are_refused),
    TEST(other_access_methods_and_kinds_of_databases_are_refused_by_name),
    TEST(features_outside_the_subset_are_refused_by_set_flags),
    TEST(DB_UNKNOWN_opens_what_is_there),
    TEST(the_page_size_is_a_power_of_two_and_stays),
    TEST(nothing_works_before_open_and_open_works_once),
    TEST(close_refuses_a_wrong_flag_and_closes),
    TEST(records_are_put_got_replaced_and_removed),
    TEST(empty_keys_and_values_are_records),
    TEST(operations_and_modifiers_outside_the_subset_are_refused_by_name),
    TEST(writes_to_a_read_only_database_are_EACCES),
    TEST(truncate_counts_and_wants_no_cursor),
    TEST(keys_and_values_that_are_too_long_are_refused),
    TEST(memory_of_the_handle_is_good_until_its_next_use),
    TEST(malloc_realloc_and_user_memory_hold_the_value),
    TEST(wrong_DBTs_are_refused),
    TEST(a_DB_THREAD_handle_wants_a_memory_flag),
    TEST(a_partial_get_returns_what_there_is_of_the_part),
    TEST(a_partial_put_replaces_grows_shrinks_and_fills),
    TEST(partial_puts_of_several_threads_lose_nothing),
    TEST(a_database_alone_keeps_its_records_in_its_file),
    TEST(verify_finds_sound_what_is_and_ENOENT_what_is_not),
    TEST(verify_names_file_and_page_of_damage),
    TEST(a_damaged_page_that_is_read_is_DB_RUNRECOVERY_and_named),
    TEST(remove_takes_the_file_away),
    TEST(dbremove_and_dbrename_work_alone_and_in_a_transaction),
};
TEST_MAIN(tests)
