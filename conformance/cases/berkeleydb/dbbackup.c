/* DB_ENV->dbbackup: one database file. */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <errno.h>
#include <db.h>

/* Everything that the sample committed is in the database files. */
static bdb_sample *checkpointed_sample(void)
{
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_checkpoint(s);
    bdb_make_dir("bk");
    return s;
}

/* The one file, the whole file, and no other. */
static void dbbackup_copies_the_named_database_alone(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();

    int ret = bdb_dbbackup(s, "a.db", "bk", 0);

    hp_promise(HP_BDB_DBBACKUP_COPIES);
    assert_int_equal(ret, 0);
    assert_int_equal(bdb_count("bk", "*"), 1);
    bdb_assert_same_bytes("bk/a.db", "home/a.db");
    bdb_assert_only_changed(s, "bk");
    bdb_sample_end(s);
}

/* One by one, and the logs at last, is how the manual builds a hot backup by hand. */
static void databases_from_dbbackup_recover_with_the_logs_copied_after_them(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");

    assert_int_equal(bdb_dbbackup(s, "a.db", "bk", 0), 0);
    assert_int_equal(bdb_dbbackup(s, "b.db", "bk", 0), 0);
    bdb_copy_files("home", BDB_LOGS, "bk");

    hp_promise(HP_BDB_DBBACKUP_COPIES);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A name is looked up as DB->open does; the copy lies in the target. */
static void dbbackup_finds_a_database_in_a_data_directory(void **state)
{
    (void)state;
    bdb_layout layout = {.home = "home",
        .data_dirs = {"d1", "d2"},
        .databases = {{.file = "two.db", .dir = "d2", .rows = 50}}};
    bdb_sample *s = bdb_sample_new(&layout);
    bdb_make_dir("bk");
    bdb_close_databases(s);

    int ret = bdb_dbbackup(s, "two.db", "bk", 0);

    hp_promise(HP_BDB_DBBACKUP_COPIES);
    assert_int_equal(ret, 0);
    bdb_assert_same_bytes("bk/two.db", "home/d2/two.db");
    bdb_sample_end(s);
}

/* Without DB_EXCL an earlier copy is replaced. */
static void dbbackup_over_an_earlier_copy_replaces_it(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();
    bdb_write_noise("bk/a.db", 100000);

    int ret = bdb_dbbackup(s, "a.db", "bk", 0);

    hp_promise(HP_BDB_DBBACKUP_COPIES);
    assert_int_equal(ret, 0);
    bdb_assert_same_bytes("bk/a.db", "home/a.db");
    bdb_sample_end(s);
}

/* DB_EXCL protects what is there. */
static void dbbackup_with_EXCL_over_a_file_returns_EEXIST(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();
    bdb_write_file("bk/a.db", "the old one");

    int ret = bdb_dbbackup(s, "a.db", "bk", DB_EXCL);

    hp_promise(HP_BDB_DBBACKUP_EEXIST);
    assert_int_equal(ret, EEXIST);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* DB_EXCL minds the file of that name alone. */
static void dbbackup_with_EXCL_beside_another_file_works(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();
    bdb_write_file("bk/b.db", "the old one");

    int ret = bdb_dbbackup(s, "a.db", "bk", DB_EXCL);

    hp_promise(HP_BDB_DBBACKUP_EEXIST);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds("bk/b.db", "the old one");
    bdb_assert_same_bytes("bk/a.db", "home/a.db");
    bdb_sample_end(s);
}

/* dbbackup makes no directory. */
static void dbbackup_into_a_missing_directory_returns_ENOENT(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = bdb_dbbackup(s, "a.db", "bk", 0);

    hp_promise(HP_BDB_DBBACKUP_ENOENT_TARGET);
    assert_int_equal(ret, ENOENT);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* A database that is not there is not created, neither here nor there. */
static void dbbackup_of_a_missing_database_returns_ENOENT(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");

    int ret = bdb_dbbackup(s, "missing.db", "bk", 0);

    hp_promise(HP_BDB_DBBACKUP_ENOENT_DATABASE);
    assert_int_equal(ret, ENOENT);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* DB_EXCL is the only flag; those of DB_ENV->backup are none of its. */
static void dbbackup_with_any_flag_but_EXCL_returns_EINVAL(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");

    for (uint32_t flag = 1; flag != 0; flag <<= 1) {
        if (flag != DB_EXCL) {
            int ret = bdb_dbbackup(s, "a.db", "bk", flag);

            hp_promise(HP_BDB_DBBACKUP_EINVAL_FLAG);
            hp_log("flag 0x%08x returns %d", flag, ret);
            assert_int_equal(ret, EINVAL);
            bdb_assert_nothing_changed(s);
        }
    }
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* Only callbacks can do without a target. */
static void dbbackup_to_a_NULL_target_without_callbacks_returns_EINVAL(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    hp_promise(HP_BDB_DBBACKUP_NULL_TARGET);
    int ret = bdb_dbbackup(s, "a.db", NULL, 0);

    assert_int_equal(ret, EINVAL);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* The one file goes through the callbacks as a whole backup would, and the NULL with it. */
static void dbbackup_to_a_NULL_target_goes_through_the_callbacks(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();
    bdb_sink_install(s->env, "sink");

    int ret = bdb_dbbackup(s, "a.db", NULL, 0);

    hp_promise(HP_BDB_DBBACKUP_NULL_TARGET_CALLBACKS);
    assert_int_equal(ret, 0);
    bdb_sink_assert_protocol();
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, "*"), 1);
    assert_true(bdb_sink_call_at(0)->null_target);
    bdb_assert_same_bytes("sink/a.db", "home/a.db");
    bdb_assert_only_changed(s, "sink");
    bdb_sample_end(s);
}

/* There is no database without a name. */
static void dbbackup_without_a_name_is_an_error(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");

    hp_promise(HP_BDB_DBBACKUP_NULL_NAME);
    int ret = bdb_dbbackup(s, NULL, "bk", 0);

    assert_int_not_equal(ret, 0);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* The documentation allows the call on an open environment only. */
static void dbbackup_before_the_environment_is_open_is_an_error(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();
    bdb_sample_end(s);
    DB_ENV *env = bdb_env_new(&bdb_plain);

    hp_promise(HP_BDB_DBBACKUP_AFTER_OPEN);
    int ret = env->dbbackup(env, "a.db", "bk", 0);

    assert_int_not_equal(ret, 0);
    assert_int_equal(bdb_count("bk", "*"), 0);
    (void)env->close(env, 0);
}

static bdb_sample *sample_with_subdirectory(void)
{
    static const bdb_layout layout = {
        .home = "home", .databases = {{.file = "sub/s.db", .rows = 40}}};

    bdb_make_dir("home");
    bdb_make_dir("home/sub");
    bdb_sample *s = bdb_sample_in_place(&layout);
    bdb_checkpoint(s);
    bdb_make_dir("bk");
    return s;
}

/* The name says where the copy goes, below the target. */
static void dbbackup_of_a_database_in_a_subdirectory_keeps_the_subdirectory(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_subdirectory();
    bdb_make_dir("bk/sub");

    int ret = bdb_dbbackup(s, "sub/s.db", "bk", 0);

    hp_promise(HP_BDB_DBBACKUP_SUBDIRECTORY);
    assert_int_equal(ret, 0);
    bdb_assert_same_bytes("bk/sub/s.db", "home/sub/s.db");
    bdb_assert_only_changed(s, "bk");
    bdb_sample_end(s);
}

/* dbbackup makes no directory, below the target either. */
static void dbbackup_into_a_missing_subdirectory_returns_ENOENT(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_subdirectory();

    int ret = bdb_dbbackup(s, "sub/s.db", "bk", 0);

    hp_promise(HP_BDB_DBBACKUP_ENOENT_TARGET);
    assert_int_equal(ret, ENOENT);
    bdb_assert_nothing_changed(s);
    bdb_sample_end(s);
}

/* A file that is no database is not copied under a database's name. */
static void dbbackup_of_a_file_that_is_no_database_is_an_error(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_noise("home/notes.txt", 5000);

    int ret = bdb_dbbackup(s, "notes.txt", "bk", 0);

    hp_promise(HP_BDB_DBBACKUP_NOT_A_DATABASE);
    assert_int_not_equal(ret, 0);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* A target that is a file is refused, and the file is as it was. */
static void dbbackup_into_a_file_returns_ENOTDIR(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_file("bk", "a letter");

    int ret = bdb_dbbackup(s, "a.db", "bk", 0);

    hp_promise(HP_BDB_DBBACKUP_TARGET_IS_A_FILE);
    assert_int_equal(ret, ENOTDIR);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* A copy onto itself would truncate what it is about to read. */
static void dbbackup_into_the_home_is_refused(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = bdb_dbbackup(s, "a.db", "home", 0);

    hp_promise(HP_BDB_DBBACKUP_TARGET_IS_SOURCE);
    bdb_assert_nothing_changed(s);
    assert_int_not_equal(ret, 0);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* An empty name is no directory: not the root, which EACCES would mean. */
static void dbbackup_to_an_empty_target_name_is_refused(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = bdb_dbbackup(s, "a.db", "", 0);

    hp_promise(HP_BDB_DBBACKUP_EMPTY_TARGET);
    assert_true(ret == EINVAL || ret == ENOENT);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* With callbacks the target is their business, here as in a whole backup. */
static void dbbackup_hands_the_target_to_open_func(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();
    bdb_sink_install(s->env, "sink");

    int ret = bdb_dbbackup(s, "a.db", "tape-7", 0);

    hp_promise(HP_BDB_DBBACKUP_TARGET_PASSED);
    assert_int_equal(ret, 0);
    bdb_sink_assert_protocol();
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, "*"), 1);
    assert_string_equal(bdb_sink_call_at(0)->target, "tape-7");
    bdb_assert_same_bytes("sink/tape-7/a.db", "home/a.db");
    bdb_assert_only_changed(s, "sink");
    bdb_sample_end(s);
}

/* One file, one cause: what the callback said is what went wrong. */
static void dbbackup_returns_the_error_of_a_callback(void **state)
{
    (void)state;
    static const bdb_sink_op ops[] = {BDB_SINK_OPEN, BDB_SINK_WRITE, BDB_SINK_CLOSE};
    static const int values[] = {EIO, 12345, -7, EINVAL, ENOENT};
    bdb_sample *s = checkpointed_sample();
    bdb_sink_install(s->env, "sink");

    hp_promise(HP_BDB_DBBACKUP_CALLBACK_ERROR);
    for (size_t op = 0; op < sizeof ops / sizeof ops[0]; op++) {
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            bdb_sink_reset();
            bdb_sink_fail(ops[op], "a.db", values[i]);

            int ret = bdb_dbbackup(s, "a.db", "bk", 0);

            hp_log("callback %zu returns %d, dbbackup %d", op, values[i], ret);
            assert_int_equal(ret, values[i]);
        }
    }
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

const hp_case bdb_dbbackup_cases[] = {
    HP_CASE(dbbackup_copies_the_named_database_alone, HP_BDB_DBBACKUP_COPIES),
    HP_CASE(
        databases_from_dbbackup_recover_with_the_logs_copied_after_them, HP_BDB_DBBACKUP_COPIES),
    HP_CASE(dbbackup_finds_a_database_in_a_data_directory, HP_BDB_DBBACKUP_COPIES),
    HP_CASE(dbbackup_over_an_earlier_copy_replaces_it, HP_BDB_DBBACKUP_COPIES),
    HP_CASE(dbbackup_with_EXCL_over_a_file_returns_EEXIST, HP_BDB_DBBACKUP_EEXIST),
    HP_CASE(dbbackup_with_EXCL_beside_another_file_works, HP_BDB_DBBACKUP_EEXIST),
    HP_CASE(dbbackup_into_a_missing_directory_returns_ENOENT, HP_BDB_DBBACKUP_ENOENT_TARGET),
    HP_CASE(dbbackup_of_a_missing_database_returns_ENOENT, HP_BDB_DBBACKUP_ENOENT_DATABASE),
    HP_CASE(dbbackup_with_any_flag_but_EXCL_returns_EINVAL, HP_BDB_DBBACKUP_EINVAL_FLAG),
    HP_CASE(
        dbbackup_to_a_NULL_target_without_callbacks_returns_EINVAL, HP_BDB_DBBACKUP_NULL_TARGET),
    HP_CASE(dbbackup_to_a_NULL_target_goes_through_the_callbacks,
        HP_BDB_DBBACKUP_NULL_TARGET_CALLBACKS),
    HP_CASE(dbbackup_without_a_name_is_an_error, HP_BDB_DBBACKUP_NULL_NAME),
    HP_CASE(dbbackup_before_the_environment_is_open_is_an_error, HP_BDB_DBBACKUP_AFTER_OPEN),
    HP_CASE(dbbackup_of_a_database_in_a_subdirectory_keeps_the_subdirectory,
        HP_BDB_DBBACKUP_SUBDIRECTORY),
    HP_CASE(dbbackup_into_a_missing_subdirectory_returns_ENOENT, HP_BDB_DBBACKUP_ENOENT_TARGET),
    HP_CASE(dbbackup_of_a_file_that_is_no_database_is_an_error, HP_BDB_DBBACKUP_NOT_A_DATABASE),
    HP_CASE(dbbackup_into_a_file_returns_ENOTDIR, HP_BDB_DBBACKUP_TARGET_IS_A_FILE),
    HP_CASE(dbbackup_into_the_home_is_refused, HP_BDB_DBBACKUP_TARGET_IS_SOURCE),
    HP_CASE(dbbackup_to_an_empty_target_name_is_refused, HP_BDB_DBBACKUP_EMPTY_TARGET),
    HP_CASE(dbbackup_hands_the_target_to_open_func, HP_BDB_DBBACKUP_TARGET_PASSED),
    HP_CASE(dbbackup_returns_the_error_of_a_callback, HP_BDB_DBBACKUP_CALLBACK_ERROR),
    HP_CASE_END,
};
