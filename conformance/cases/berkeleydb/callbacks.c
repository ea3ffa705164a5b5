/* Backup callbacks: a destination of the application's own. */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <db.h>

typedef int (*open_func)(DB_ENV *, const char *, const char *, void **);
typedef int (*write_func)(DB_ENV *, uint32_t, uint32_t, uint32_t, uint8_t *, void *);
typedef int (*close_func)(DB_ENV *, const char *, void *);

static bdb_sample *sample_with_sink(const bdb_layout *layout)
{
    bdb_sample *s = bdb_sample_new(layout);

    bdb_sink_install(s->env, "sink");
    return s;
}

/* With callbacks the library opens, writes and closes through them alone. */
static void every_file_goes_through_the_callbacks(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_sink(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("home/notes.txt", "ordinary");

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_CALLBACKS_EVERY_FILE);
    assert_int_equal(ret, 0);
    bdb_sink_assert_protocol();
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, "a.db"), 1);
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, "b.db"), 1);
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, "notes.txt"), 1);
    assert_in_range(bdb_sink_count(BDB_SINK_OPEN, BDB_LOGS), 1, bdb_count("home", BDB_LOGS));
    bdb_assert_only_changed(s, "sink");
    bdb_sample_end(s);
}

/* What the callbacks were given, put together by the offsets, is a backup. */
static void the_writes_of_a_file_are_its_content(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_sink(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "sink/bk", false);
    bdb_add_rows(s, 0, 3000);
    assert_int_equal(s->env->txn_checkpoint(s->env, 0, 0, DB_FORCE), 0);
    bdb_write_noise("home/picture.raw", 3000001);
    assert_int_equal(s->env->set_backup_config(s->env, DB_BACKUP_SIZE, 65536), 0);

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_CALLBACKS_CONTENT);
    assert_int_equal(ret, 0);
    bdb_sink_assert_protocol();
    assert_true(bdb_sink_count(BDB_SINK_WRITE, "a.db") > 1);
    copy.databases[0].rows += 3000;
    bdb_assert_same_bytes("sink/bk/picture.raw", "home/picture.raw");
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* A log handed over before a database would not hold what was written to it meanwhile. */
static void databases_are_handed_over_before_logs(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_sink(&bdb_plain);
    bool log_seen = false;

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_CALLBACKS_ORDER);
    assert_int_equal(ret, 0);
    for (size_t i = 0; i < bdb_sink_call_count(); i++) {
        const bdb_sink_call *call = bdb_sink_call_at(i);
        bool is_log = strstr(call->name, "log.") != NULL;

        assert_false(log_seen && !is_log);
        log_seen = log_seen || is_log;
    }
    assert_true(log_seen);
    bdb_sample_end(s);
}

/* The target may be the name of a tape or a bucket: it is the callback's business. */
static void the_target_is_handed_to_open_func_and_need_not_exist(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_sink(&bdb_plain);

    int ret = bdb_backup(s, "tape-7", 0);

    hp_promise(HP_BDB_CALLBACKS_TARGET_PASSED);
    assert_int_equal(ret, 0);
    assert_int_not_equal(bdb_sink_call_count(), 0);
    for (size_t i = 0; i < bdb_sink_call_count(); i++) {
        if (bdb_sink_call_at(i)->op == BDB_SINK_OPEN) {
            assert_string_equal(bdb_sink_call_at(i)->target, "tape-7");
        }
    }
    bdb_assert_only_changed(s, "sink");
    bdb_sample_end(s);
}

/* With callbacks there need be no target at all. */
static void a_NULL_target_is_handed_to_open_func(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_sink(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "sink", false);

    int ret = bdb_backup(s, NULL, 0);

    hp_promise(HP_BDB_BACKUP_NULL_TARGET_CALLBACKS);
    assert_int_equal(ret, 0);
    for (size_t i = 0; i < bdb_sink_call_count(); i++) {
        assert_true(bdb_sink_call_at(i)->op != BDB_SINK_OPEN || bdb_sink_call_at(i)->null_target);
    }
    bdb_assert_only_changed(s, "sink");
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* Two files must not arrive under one name: the destination would keep the second alone. */
static void files_of_one_name_reach_open_func_under_different_names(void **state)
{
    (void)state;
    bdb_layout layout = {.home = "home",
        .data_dirs = {"d1", "d2"},
        .databases = {{.file = "one.db", .dir = "d1", .rows = 30},
            {.file = "two.db", .dir = "d2", .rows = 30}}};
    bdb_sample *s = sample_with_sink(&layout);
    bdb_write_file("home/d1/notes.txt", "of the first");
    bdb_write_file("home/d2/notes.txt", "of the second");

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_CALLBACKS_NAMES_APART);
    assert_int_equal(ret, 0);
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, "notes.txt"), 2);
    assert_int_equal(bdb_count("sink", "notes.txt"), 2);
    bdb_sample_end(s);
}

/* A destination that can be opened and not closed is none. */
static void a_set_with_a_callback_missing_returns_EINVAL(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_sink(&bdb_plain);
    open_func open;
    write_func write;
    close_func close;
    assert_int_equal(s->env->get_backup_callbacks(s->env, &open, &write, &close), 0);
    assert_int_equal(s->env->set_backup_callbacks(s->env, NULL, NULL, NULL), 0);

    for (unsigned given = 1; given < 7; given++) {
        int ret = s->env->set_backup_callbacks(s->env, (given & 1U) != 0 ? open : NULL,
            (given & 2U) != 0 ? write : NULL, (given & 4U) != 0 ? close : NULL);

        hp_promise(HP_BDB_CALLBACKS_ALL_THREE);
        assert_int_equal(ret, EINVAL);
    }
    assert_int_equal(bdb_backup(s, "bk", DB_CREATE), 0);
    assert_int_equal(bdb_sink_call_count(), 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* What was set can be asked for. */
static void the_callbacks_that_were_set_are_returned(void **state)
{
    (void)state;
    open_func open = NULL;
    write_func write = NULL;
    close_func close = NULL;
    bdb_sample *s = sample_with_sink(&bdb_plain);

    int ret = s->env->get_backup_callbacks(s->env, &open, &write, &close);

    hp_promise(HP_BDB_CALLBACKS_GET);
    assert_int_equal(ret, 0);
    assert_true(open != NULL && write != NULL && close != NULL);
    assert_int_equal(s->env->set_backup_callbacks(s->env, open, write, close), 0);
    assert_int_equal(bdb_backup(s, "bk", 0), 0);
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, "a.db"), 1);
    bdb_sample_end(s);
}

/* Another handle's backup goes where it is told. */
static void callbacks_belong_to_one_handle(void **state)
{
    (void)state;
    bdb_layout other_layout = bdb_plain;
    other_layout.home = "other-home";
    bdb_sample *s = sample_with_sink(&bdb_plain);
    bdb_sample *other = bdb_sample_new(&other_layout);
    bdb_make_dir("bk");

    int ret = bdb_backup(other, "bk", 0);

    hp_promise(HP_BDB_CALLBACKS_PER_HANDLE);
    assert_int_equal(ret, 0);
    assert_int_equal(bdb_sink_call_count(), 0);
    bdb_sample_end(s);
    bdb_assert_copy_holds(&(bdb_layout){
        .home = "bk", .databases = {other_layout.databases[0], other_layout.databases[1]}});
    bdb_sample_end(other);
}

/* Taking the callbacks away brings the directory back. */
static void three_NULLs_bring_the_default_back(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_sink(&bdb_plain);
    bdb_make_dir("bk");

    int ret = s->env->set_backup_callbacks(s->env, NULL, NULL, NULL);

    hp_promise(HP_BDB_CALLBACKS_NULL_RESTORES);
    assert_int_equal(ret, 0);
    assert_int_equal(bdb_backup(s, "bk", 0), 0);
    assert_int_equal(bdb_sink_call_count(), 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

static int commit_a_row(void *argument)
{
    bdb_sample *s = argument;
    DB_TXN *txn = NULL;
    int ret = s->env->txn_begin(s->env, NULL, &txn, 0);

    if (ret == 0) {
        ret = bdb_put_rows(s->db[1], txn, &s->layout.databases[1], s->layout.databases[1].rows, 1);
        s->layout.databases[1].rows++;
        ret = ret == 0 ? txn->commit(txn, 0) : ret;
    }
    return ret;
}

/* The application that takes the backup goes on working in it, in the very thread. */
static void a_callback_may_write_and_commit(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_sink(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "sink/bk", false);
    bdb_sink_on_write("a.db", commit_a_row, s);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_CALLBACKS_MAY_WRITE);
    assert_int_equal(ret, 0);
    assert_int_equal(s->layout.databases[1].rows, bdb_plain.databases[1].rows + 1);
    copy.databases[1].rows++; /* committed before the log was handed over */
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

static int write_and_checkpoint(void *argument)
{
    bdb_sample *s = argument;
    DB_TXN *txn = NULL;
    int ret = s->env->txn_begin(s->env, NULL, &txn, 0);

    if (ret == 0) {
        /* Pages of the very file that is being copied are dirty. */
        ret = bdb_put_rows(s->db[0], txn, &s->layout.databases[0], 0, s->layout.databases[0].rows);
        ret = ret == 0 ? txn->commit(txn, 0) : ret;
    }
    return ret == 0 ? s->env->txn_checkpoint(s->env, 0, 0, DB_FORCE) : ret;
}

/* No call waits for a lock that its own caller holds. */
static void a_callback_may_take_a_checkpoint(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_sink(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "sink/bk", false);
    bdb_sink_on_write("a.db", write_and_checkpoint, s);

    hp_promise(HP_BDB_CALLBACKS_MAY_CHECKPOINT);
    int ret = bdb_backup(s, "bk", 0);

    assert_int_equal(ret, 0);
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

const hp_case bdb_callback_cases[] = {
    HP_CASE(every_file_goes_through_the_callbacks, HP_BDB_CALLBACKS_EVERY_FILE),
    HP_CASE(the_writes_of_a_file_are_its_content, HP_BDB_CALLBACKS_CONTENT),
    HP_CASE(databases_are_handed_over_before_logs, HP_BDB_CALLBACKS_ORDER),
    HP_CASE(the_target_is_handed_to_open_func_and_need_not_exist, HP_BDB_CALLBACKS_TARGET_PASSED),
    HP_CASE(a_NULL_target_is_handed_to_open_func, HP_BDB_BACKUP_NULL_TARGET_CALLBACKS),
    HP_CASE(files_of_one_name_reach_open_func_under_different_names, HP_BDB_CALLBACKS_NAMES_APART),
    HP_CASE(a_set_with_a_callback_missing_returns_EINVAL, HP_BDB_CALLBACKS_ALL_THREE),
    HP_CASE(the_callbacks_that_were_set_are_returned, HP_BDB_CALLBACKS_GET),
    HP_CASE(callbacks_belong_to_one_handle, HP_BDB_CALLBACKS_PER_HANDLE),
    HP_CASE(three_NULLs_bring_the_default_back, HP_BDB_CALLBACKS_NULL_RESTORES),
    HP_CASE(a_callback_may_write_and_commit, HP_BDB_CALLBACKS_MAY_WRITE),
    HP_SLOW_CASE(a_callback_may_take_a_checkpoint, 5, HP_BDB_CALLBACKS_MAY_CHECKPOINT),
    HP_CASE_END,
};
