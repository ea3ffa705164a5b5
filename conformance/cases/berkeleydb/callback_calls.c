/* What the backup callbacks are called with and in which order, and what the flags mean to them. */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <db.h>

#define GIB (UINT64_C(1) << 30)

/* A callback that serves several environments must know which one calls. */
static void each_callback_is_given_the_environment(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sink_sample();

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_CALLBACKS_ENVIRONMENT);
    assert_int_equal(ret, 0);
    assert_int_not_equal(bdb_sink_call_count(), 0);
    for (size_t i = 0; i < bdb_sink_call_count(); i++) {
        assert_ptr_equal(bdb_sink_call_at(i)->env, s->env);
    }
    bdb_sample_end(s);
}

/* The handle is the callbacks' own: it comes back as it was set, until the file is closed. */
static void the_handle_of_open_func_comes_back_until_the_close(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sink_sample();

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_CALLBACKS_HANDLE);
    assert_int_equal(ret, 0);
    bdb_sink_assert_protocol();
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, "*"), bdb_sink_count(BDB_SINK_CLOSE, "*"));
    bdb_sample_end(s);
}

/* A log that is handed over too early lacks what the files after it may need. */
static void ordinary_files_are_handed_over_before_logs(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sink_sample();
    bool log_seen = false;

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_CALLBACKS_ORDER);
    assert_int_equal(ret, 0);
    for (size_t i = 0; i < bdb_sink_call_count(); i++) {
        bool is_log = strstr(bdb_sink_call_at(i)->name, "log.") != NULL;

        assert_false(log_seen && !is_log);
        log_seen = log_seen || is_log;
    }
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, "notes.txt"), 1);
    assert_true(log_seen);
    bdb_sample_end(s);
}

/* What the writes of a large file said: that its bytes arrive is asserted elsewhere. */
typedef struct large_file {
    uint64_t next;
    bool in_order;
    bool bytes_below_a_gigabyte;
    bool closed;
} large_file;

static large_file large, others;

static int open_large(DB_ENV *env, const char *name, const char *target, void **handle)
{
    (void)env;
    (void)target;
    *handle = strcmp(name, "large.raw") == 0 ? &large : &others;
    return 0;
}

static int write_large(
    DB_ENV *env, uint32_t gbytes, uint32_t offset, uint32_t size, uint8_t *buf, void *handle)
{
    (void)env;
    (void)buf;
    large_file *file = handle;

    file->in_order = file->in_order && gbytes * GIB + offset == file->next;
    file->bytes_below_a_gigabyte = file->bytes_below_a_gigabyte && offset < GIB;
    file->next += size;
    return 0;
}

static int close_large(DB_ENV *env, const char *name, void *handle)
{
    (void)env;
    (void)name;
    ((large_file *)handle)->closed = true;
    return 0;
}

/* Beyond what 30 bits can say the offset has two parts. */
static void offsets_beyond_one_gigabyte_have_two_parts(void **state)
{
    (void)state;
    uint64_t size = GIB + (3U << 20) + 17;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_file("home/large.raw", "");
    if (truncate("home/large.raw", (off_t)size) != 0) {
        hp_unresolved("a sparse file of a gigabyte: %s", strerror(errno));
    }
    large = (large_file){.in_order = true, .bytes_below_a_gigabyte = true};
    assert_int_equal(s->env->set_backup_callbacks(s->env, open_large, write_large, close_large), 0);

    int ret = s->env->backup(s->env, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_CALLBACKS_LARGE_OFFSET);
    assert_int_equal(ret, 0);
    assert_true(large.closed);
    assert_true(large.in_order);
    assert_true(large.bytes_below_a_gigabyte);
    assert_int_equal(large.next, size);
    bdb_sample_end(s);
}

/* Before the environment is open is a time, too. */
static void callbacks_may_be_set_before_the_environment_is_open(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "sink/bk", false);
    bdb_sample_renew(s);

    bdb_sink_install(s->env, "sink");
    assert_int_equal(bdb_env_open(s->env, &s->layout), 0);

    hp_promise(HP_BDB_CALLBACKS_ANY_TIME);
    assert_int_equal(s->env->backup(s->env, "bk", 0), 0);
    bdb_sink_assert_protocol();
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* "bk" may be a bucket: no directory of that name is made. */
static void CREATE_makes_no_directory_when_there_are_callbacks(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sink_sample();

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_CALLBACKS_INSTEAD_OF_DISK);
    assert_int_equal(ret, 0);
    assert_false(bdb_exists("bk"));
    bdb_assert_only_changed(s, "sink");
    bdb_sample_end(s);
}

/* A directory that happens to have the target's name loses nothing. */
static void CLEAN_removes_no_file_when_there_are_callbacks(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sink_sample();
    bdb_make_dir("bk");
    bdb_write_file("bk/precious.txt", "nothing to do with it");

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_CALLBACKS_INSTEAD_OF_DISK);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds("bk/precious.txt", "nothing to do with it");
    bdb_assert_only_changed(s, "sink");
    bdb_sample_end(s);
}

/* There need not even be such a directory. */
static void CLEAN_of_a_target_that_callbacks_alone_know_works(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sink_sample();

    int ret = bdb_backup(s, "tape-7", DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_CALLBACKS_INSTEAD_OF_DISK);
    assert_int_equal(ret, 0);
    bdb_assert_only_changed(s, "sink");
    bdb_sample_end(s);
}

/* A file of that name on disk is not what the callbacks would write over. */
static void EXCL_asks_for_no_file_when_there_are_callbacks(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sink_sample();
    bdb_make_dir("bk");
    bdb_write_file("bk/a.db", "nothing to do with it");

    int ret = bdb_backup(s, "bk", DB_EXCL);

    hp_promise(HP_BDB_CALLBACKS_EXCL);
    assert_int_equal(ret, 0);
    bdb_assert_only_changed(s, "sink");
    bdb_sample_end(s);
}

/* To ask before anything was set is no mistake. */
static void callbacks_that_were_not_set_are_NULL(void **state)
{
    (void)state;
    int (*open_func)(DB_ENV *, const char *, const char *, void **) = open_large;
    int (*write_func)(DB_ENV *, uint32_t, uint32_t, uint32_t, uint8_t *, void *) = write_large;
    int (*close_func)(DB_ENV *, const char *, void *) = close_large;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = s->env->get_backup_callbacks(s->env, &open_func, &write_func, &close_func);

    hp_promise(HP_BDB_CALLBACKS_GET_NONE);
    assert_int_equal(ret, 0);
    assert_true(open_func == NULL && write_func == NULL && close_func == NULL);
    bdb_sample_end(s);
}

const hp_case bdb_callback_call_cases[] = {
    HP_CASE(each_callback_is_given_the_environment, HP_BDB_CALLBACKS_ENVIRONMENT),
    HP_CASE(the_handle_of_open_func_comes_back_until_the_close, HP_BDB_CALLBACKS_HANDLE),
    HP_CASE(ordinary_files_are_handed_over_before_logs, HP_BDB_CALLBACKS_ORDER),
    HP_SLOW_CASE(offsets_beyond_one_gigabyte_have_two_parts, 60, HP_BDB_CALLBACKS_LARGE_OFFSET),
    HP_CASE(callbacks_may_be_set_before_the_environment_is_open, HP_BDB_CALLBACKS_ANY_TIME),
    HP_CASE(CREATE_makes_no_directory_when_there_are_callbacks, HP_BDB_CALLBACKS_INSTEAD_OF_DISK),
    HP_CASE(CLEAN_removes_no_file_when_there_are_callbacks, HP_BDB_CALLBACKS_INSTEAD_OF_DISK),
    HP_CASE(CLEAN_of_a_target_that_callbacks_alone_know_works, HP_BDB_CALLBACKS_INSTEAD_OF_DISK),
    HP_CASE(EXCL_asks_for_no_file_when_there_are_callbacks, HP_BDB_CALLBACKS_EXCL),
    HP_CASE(callbacks_that_were_not_set_are_NULL, HP_BDB_CALLBACKS_GET_NONE),
    HP_CASE_END,
};
