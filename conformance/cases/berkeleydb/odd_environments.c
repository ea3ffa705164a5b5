/* Environments that are not the usual ones: ended, without a home, a log on disk, or transactions. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <db.h>

/* Ends the environment by the flag for it or, where there is none, by a log that cannot be written.
 * Returns what a commit says then. */
static int end_environment(bdb_sample *s)
{
    enum { COMMITS_MAX = 200, ROWS = 50 };
    bool by_flag = s->env->set_flags(s->env, DB_PANIC_ENVIRONMENT, 1) == 0;
    int ret = by_flag ? 0 : bdb_provoke_write_error(EIO, 0, "home/log.");

    if (ret == ENOTSUP) {
        hp_unsupported("no way to make this library's writes fail");
    }
    for (int i = 0; i < COMMITS_MAX && ret != DB_RUNRECOVERY; i++) {
        ret = bdb_try_rows(s, 0, ROWS, 0);
        s->layout.databases[0].rows += ROWS;
    }
    if (!by_flag) {
        assert_int_equal(bdb_provoke_clear(), 0);
    }
    return ret;
}

/* What is in memory is worth nothing then, and must not be taken for a source. */
static void backup_of_an_environment_that_has_ended_returns_DB_RUNRECOVERY(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("bk/earlier.db", "an earlier backup");
    int ended = end_environment(s);
    if (ended != DB_RUNRECOVERY) {
        hp_unresolved("the environment lives on: %s", db_strerror(ended));
    }

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_BACKUP_ENDED_ENVIRONMENT);
    assert_int_equal(ret, DB_RUNRECOVERY);
    bdb_assert_nothing_changed(s);
    bdb_sample_abandon(s);
}

static void enter(const char *dir)
{
    if (chdir(dir) != 0) {
        hp_unresolved("chdir %s: %s", dir, strerror(errno));
    }
}

/* No home is the current directory. */
static void backup_of_an_environment_without_a_home_works(void **state)
{
    (void)state;
    static const bdb_layout nowhere = {.home = NULL};
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", false);
    bdb_sample_renew(s);
    enter("home");
    bdb_need(bdb_env_open(s->env, &nowhere), "DB_ENV->open without a home");

    hp_promise(HP_BDB_BACKUP_NULL_HOME);
    int ret = s->env->backup(s->env, "../bk", DB_CREATE);

    assert_int_equal(ret, 0);
    bdb_sample_end(s);
    enter("..");
    bdb_assert_copy_holds(&copy);
}

/* Such an environment has neither log nor recovery, but it has databases. */
static void backup_of_an_environment_without_transactions_copies_or_fails(void **state)
{
    (void)state;
    static const bdb_database database = {.file = "a.db", .rows = 50};
    DB *db = NULL;
    bdb_make_dir("home");
    DB_ENV *env = bdb_env_new(&bdb_plain);
    int ret = env->open(env, "home", DB_CREATE | DB_INIT_MPOOL, 0600);
    if (ret == EINVAL) {
        (void)env->close(env, 0);
        hp_unsupported("environments without transactions");
    }
    ret = ret == 0 ? db_create(&db, env, 0) : ret;
    ret = ret == 0 ? db->open(db, NULL, "a.db", NULL, DB_BTREE, DB_CREATE, 0600) : ret;
    ret = ret == 0 ? bdb_put_rows(db, NULL, &database, 0, database.rows) : ret;
    ret = ret == 0 ? db->sync(db, 0) : ret;
    bdb_need(ret, "an environment without transactions");

    hp_promise(HP_BDB_BACKUP_NO_TRANSACTIONS);
    ret = env->backup(env, "bk", DB_CREATE);

    if (ret == 0) {
        bdb_assert_same_bytes("bk/a.db", "home/a.db");
    }
    assert_int_equal(db->close(db, 0), 0);
    bdb_env_end(env);
}

/* The rows are in the cache and in a log that no file holds. */
static void backup_of_an_environment_with_its_log_in_memory_loses_nothing(void **state)
{
    (void)state;
    bdb_layout layout = {.home = "home", .databases = {{.file = "a.db", .rows = 100}}};
    bdb_layout copy = bdb_copy_at(&layout, "bk", false);
    bdb_sample s = {.layout = layout};
    bdb_make_dirs(&layout);
    s.env = bdb_env_new(&layout);
    if (s.env->log_set_config(s.env, DB_LOG_IN_MEMORY, 1) != 0) {
        (void)s.env->close(s.env, 0);
        hp_unsupported("logs in memory");
    }
    int ret = bdb_env_open(s.env, &layout);
    ret = ret == 0 ? bdb_db_open(s.env, &layout.databases[0], &s.db[0]) : ret;
    s.layout.databases[0].rows = 0;
    ret = ret == 0 ? bdb_try_rows(&s, 0, layout.databases[0].rows, 0) : ret;
    bdb_need(ret, "an environment with its log in memory");

    ret = s.env->backup(s.env, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_IN_MEMORY_LOG);
    hp_log("the backup returns %d", ret);
    if (ret == 0) {
        bdb_assert_copy_holds(&copy);
    }
    bdb_close_databases(&s);
    bdb_env_end(s.env);
}

const hp_case bdb_odd_environment_cases[] = {
    HP_CASE(backup_of_an_environment_that_has_ended_returns_DB_RUNRECOVERY,
        HP_BDB_BACKUP_ENDED_ENVIRONMENT),
    HP_CASE(backup_of_an_environment_without_a_home_works, HP_BDB_BACKUP_NULL_HOME),
    HP_CASE(backup_of_an_environment_without_transactions_copies_or_fails,
        HP_BDB_BACKUP_NO_TRANSACTIONS),
    HP_CASE(
        backup_of_an_environment_with_its_log_in_memory_loses_nothing, HP_BDB_BACKUP_IN_MEMORY_LOG),
    HP_CASE_END,
};
