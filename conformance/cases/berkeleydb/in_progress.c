/* DB_HOTBACKUP_IN_PROGRESS: the environment knows that it is being backed up, and how often. */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <errno.h>
#include <db.h>

enum { LOOK_FAILED = 2 };

/* 0 or 1; LOOK_FAILED if the flags could not be had. A callback may not assert. */
static int look(void *argument)
{
    DB_ENV *env = argument;
    uint32_t flags = 0;

    if (env->get_flags(env, &flags) != 0) {
        return LOOK_FAILED;
    }
    return (flags & DB_HOTBACKUP_IN_PROGRESS) != 0;
}

typedef struct watcher {
    DB_ENV *env;
    int seen;
} watcher;

static int look_from_callback(void *argument)
{
    watcher *w = argument;

    w->seen = look(w->env);
    return 0;
}

static void set_flag(bdb_sample *s, int onoff)
{
    bdb_need(
        s->env->set_flags(s->env, DB_HOTBACKUP_IN_PROGRESS, onoff), "DB_HOTBACKUP_IN_PROGRESS");
}

/* Who asks learns that a backup is running, while it is. */
static void the_flag_is_set_while_a_backup_runs(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    watcher w = {.env = s->env};
    bdb_sink_install(s->env, "sink");
    bdb_sink_on_write("a.db", look_from_callback, &w);
    int before = look(s->env);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_IN_PROGRESS);
    assert_int_equal(ret, 0);
    assert_int_equal(before, 0);
    assert_int_equal(w.seen, 1);
    assert_int_equal(look(s->env), 0);
    bdb_sample_end(s);
}

/* An environment that believes itself in backup for ever logs more than it must. */
static void the_flag_is_clear_after_a_backup_that_failed(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_file("file", "not a directory");
    bdb_make_dir("bk");
    bdb_write_file("bk/a.db", "in the way");

    hp_promise(HP_BDB_IN_PROGRESS_FAILED);
    assert_int_not_equal(bdb_backup(s, "file", 0), 0);
    assert_int_equal(look(s->env), 0);
    assert_int_not_equal(bdb_backup(s, "missing", DB_BACKUP_FILES), 0);
    assert_int_equal(look(s->env), 0);
    assert_int_not_equal(bdb_backup(s, "bk", DB_EXCL), 0);
    assert_int_equal(look(s->env), 0);
    bdb_sample_end(s);
}

/* A callback's failure is one, too, whichever file it strikes. */
static void the_flag_is_clear_after_a_callback_failed(void **state)
{
    (void)state;
    static const char *const files[] = {"a.db", BDB_LOGS};
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_sink_install(s->env, "sink");

    hp_promise(HP_BDB_IN_PROGRESS_FAILED);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        bdb_sink_reset();
        bdb_sink_fail(BDB_SINK_WRITE, files[i], EIO);
        assert_int_not_equal(bdb_backup(s, "bk", 0), 0);
        assert_int_equal(look(s->env), 0);
    }
    bdb_sample_end(s);
}

/* A copy by other means is announced with the flag; a backup in between does not take it back. */
static void the_flag_is_counted(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    set_flag(s, 1);
    set_flag(s, 1);
    hp_promise(HP_BDB_IN_PROGRESS_COUNTED);
    assert_int_equal(look(s->env), 1);
    assert_int_equal(bdb_backup(s, "bk", DB_CREATE), 0);
    assert_int_equal(look(s->env), 1);
    assert_int_equal(s->env->set_flags(s->env, DB_HOTBACKUP_IN_PROGRESS, 0), 0);
    assert_int_equal(look(s->env), 1);
    assert_int_equal(s->env->set_flags(s->env, DB_HOTBACKUP_IN_PROGRESS, 0), 0);
    assert_int_equal(look(s->env), 0);
    bdb_sample_end(s);
}

/* What was not set cannot be reset, and the attempt does not spoil the count. */
static void the_flag_reset_more_often_than_set_returns_EINVAL(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    hp_promise(HP_BDB_IN_PROGRESS_BELOW_ZERO);
    assert_int_equal(s->env->set_flags(s->env, DB_HOTBACKUP_IN_PROGRESS, 0), EINVAL);
    assert_int_equal(look(s->env), 0);
    set_flag(s, 1);
    assert_int_equal(look(s->env), 1);
    assert_int_equal(s->env->set_flags(s->env, DB_HOTBACKUP_IN_PROGRESS, 0), 0);
    assert_int_equal(look(s->env), 0);
    bdb_sample_end(s);
}

/* The flag is the environment's: every handle sees it. */
static void the_flag_is_seen_through_another_handle(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    DB_ENV *other = bdb_env_new(&bdb_plain);
    bdb_need(bdb_env_open(other, &bdb_plain), "a second handle");

    set_flag(s, 1);

    hp_promise(HP_BDB_IN_PROGRESS_COUNTED);
    assert_int_equal(look(other), 1);
    assert_int_equal(other->set_flags(other, DB_HOTBACKUP_IN_PROGRESS, 0), 0);
    assert_int_equal(look(s->env), 0);
    bdb_env_end(other);
    bdb_sample_end(s);
}

/* The manual's recipe for a backup by hand: flag, databases, logs, flag. */
static void a_copy_by_hand_under_the_flag_recovers(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    set_flag(s, 1);

    bdb_watch(s);
    bdb_copy_files("home", "*.db", "bk");
    bdb_copy_files("home", BDB_LOGS, "bk");
    set_flag(s, 0);

    hp_promise(HP_BDB_IN_PROGRESS_BY_HAND);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

const hp_case bdb_in_progress_cases[] = {
    HP_CASE(the_flag_is_set_while_a_backup_runs, HP_BDB_IN_PROGRESS),
    HP_CASE(the_flag_is_clear_after_a_backup_that_failed, HP_BDB_IN_PROGRESS_FAILED),
    HP_CASE(the_flag_is_clear_after_a_callback_failed, HP_BDB_IN_PROGRESS_FAILED),
    HP_CASE(the_flag_is_counted, HP_BDB_IN_PROGRESS_COUNTED),
    HP_CASE(the_flag_reset_more_often_than_set_returns_EINVAL, HP_BDB_IN_PROGRESS_BELOW_ZERO),
    HP_CASE(the_flag_is_seen_through_another_handle, HP_BDB_IN_PROGRESS_COUNTED),
    HP_CASE(a_copy_by_hand_under_the_flag_recovers, HP_BDB_IN_PROGRESS_BY_HAND),
    HP_CASE_END,
};
