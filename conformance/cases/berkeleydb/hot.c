/* Backups of an environment in which transactions are open, or that removes its logs. */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <db.h>

static DB_TXN *begin(bdb_sample *s)
{
    DB_TXN *txn = NULL;
    int ret = s->env->txn_begin(s->env, NULL, &txn, 0);

    if (ret != 0) {
        hp_unresolved("DB_ENV->txn_begin: %s", db_strerror(ret));
    }
    return txn;
}

/* What an open transaction wrote before the backup, and commits after it, is not in the copy. */
static void a_transaction_that_commits_after_the_backup_is_not_in_it(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", false);
    bdb_database changed = s->layout.databases[0];
    changed.dir = "another hand";
    bdb_make_dir("bk");
    DB_TXN *txn = begin(s);
    bdb_need(bdb_put_rows(s->db[0], txn, &changed, 0, changed.rows), "overwrite the rows");

    int ret = bdb_backup(s, "bk", 0);
    bdb_need(txn->commit(txn, 0), "DB_TXN->commit");

    hp_promise(HP_BDB_HOT_UNCOMMITTED);
    assert_int_equal(ret, 0);
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* Nor if pages of the open transaction were already written to the database's file, or tried to be.
 */
static void uncommitted_changes_are_not_in_a_backup_after_a_checkpoint(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", false);
    bdb_database changed = s->layout.databases[0];
    changed.dir = "another hand";
    bdb_make_dir("bk");
    DB_TXN *txn = begin(s);
    bdb_need(bdb_put_rows(s->db[0], txn, &changed, 0, changed.rows), "overwrite the rows");
    bdb_checkpoint(s);

    int ret = bdb_backup(s, "bk", 0);
    bdb_need(txn->abort(txn), "DB_TXN->abort");

    hp_promise(HP_BDB_HOT_UNCOMMITTED);
    assert_int_equal(ret, 0);
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* A commit without a sync is a commit: the backup writes out the log that it copies. */
static void a_commit_without_sync_before_the_backup_is_in_it(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", false);
    bdb_database *database = &copy.databases[0];
    bdb_make_dir("bk");
    DB_TXN *txn = begin(s);
    bdb_need(bdb_put_rows(s->db[0], txn, database, database->rows, 20), "DB->put");
    bdb_need(txn->commit(txn, DB_TXN_NOSYNC), "DB_TXN->commit");
    database->rows += 20;

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_BACKUP_RECOVERS);
    assert_int_equal(ret, 0);
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* Hot means that nobody has to finish first: this transaction never ends before the backup does. */
static void backup_does_not_wait_for_a_transaction_that_extended_a_file(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", false);
    bdb_make_dir("bk");
    DB_TXN *txn = begin(s);
    bdb_need(bdb_put_rows(s->db[0], txn, &s->layout.databases[0], 100, 500), "DB->put");

    hp_promise(HP_BDB_HOT_NO_WAIT);
    int ret = bdb_backup(s, "bk", 0);

    assert_int_equal(ret, 0);
    bdb_need(txn->abort(txn), "DB_TXN->abort");
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* Nor does it wait for the end of a transaction that made a database. */
static void backup_does_not_wait_for_a_transaction_that_created_a_database(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", false);
    DB *db = NULL;
    bdb_make_dir("bk");
    DB_TXN *txn = begin(s);
    bdb_need(db_create(&db, s->env, 0), "db_create");
    bdb_need(db->open(db, txn, "new.db", NULL, DB_BTREE, DB_CREATE | DB_THREAD, 0600), "DB->open");

    hp_promise(HP_BDB_HOT_NO_WAIT);
    int ret = bdb_backup(s, "bk", 0);

    assert_int_equal(ret, 0);
    bdb_need(txn->commit(txn, 0), "DB_TXN->commit");
    bdb_need(db->close(db, 0), "DB->close");
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

typedef struct backup_job {
    DB_ENV *env;
    const char *target;
    int ret;
} backup_job;

static void *run_backup(void *argument)
{
    backup_job *job = argument;

    job->ret = job->env->backup(job->env, job->target, DB_CREATE);
    return NULL;
}

/* Two threads take a backup each of the same environment. */
static void two_backups_at_once_each_recover(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_add_rows(s, 0, 1000);
    bdb_add_rows(s, 1, 1000);
    backup_job jobs[2] = {{.env = s->env, .target = "bk-1"}, {.env = s->env, .target = "bk-2"}};
    pthread_t threads[2];

    for (size_t i = 0; i < 2; i++) {
        bdb_need(pthread_create(&threads[i], NULL, run_backup, &jobs[i]), "pthread_create");
    }
    for (size_t i = 0; i < 2; i++) {
        bdb_need(pthread_join(threads[i], NULL), "pthread_join");
    }

    hp_promise(HP_BDB_HOT_TWO_AT_ONCE);
    for (size_t i = 0; i < 2; i++) {
        bdb_layout copy = bdb_copy_at(&s->layout, jobs[i].target, false);

        assert_int_equal(jobs[i].ret, 0);
        bdb_assert_copy_holds(&copy);
    }
    bdb_sample_end(s);
}

/* Changes a database whose file has been copied already, and removes the logs that only that copy
 * still needs. */
typedef struct remover {
    bdb_sample *sample;
    bool automatic; /* the environment removes logs itself, at each checkpoint */
    size_t copied;  /* the database */
    int error;
    const char *step;
} remover;

enum { REMOVAL_ROUNDS = 12, ROWS_A_ROUND = 200 };

static int change_and_remove_logs(void *argument)
{
    remover *r = argument;
    bdb_sample *s = r->sample;

    for (int round = 0; round < REMOVAL_ROUNDS && r->error == 0; round++) {
        char **removed = NULL;

        r->step = "commit";
        r->error = bdb_try_rows(s, r->copied, ROWS_A_ROUND, 0);
        s->layout.databases[r->copied].rows += ROWS_A_ROUND;
        if (r->error == 0) {
            r->step = "DB_ENV->txn_checkpoint";
            r->error = s->env->txn_checkpoint(s->env, 0, 0, DB_FORCE);
        }
        if (r->error == 0 && !r->automatic) {
            r->step = "DB_ENV->log_archive";
            r->error = s->env->log_archive(s->env, &removed, DB_ARCH_REMOVE);
        }
    }
    return 0;
}

/* At the first write to either database: when the other's turn comes, this one has been copied. */
static int wait_for_the_other(void *argument)
{
    remover *r = argument;
    bool first = strcmp(bdb_sink_call_at(bdb_sink_call_count() - 1)->name, "a.db") == 0;

    r->copied = first ? 0 : 1;
    bdb_sink_on_write(first ? "b.db" : "a.db", change_and_remove_logs, r);
    return 0;
}

/*
 * The logs that a backup needs are those from before its first page: if they go while it copies,
 * the copy does not recover. Either they are kept, or the backup fails.
 */
static void assert_log_removal_loses_nothing(bool automatic)
{
    char before[64], after[64];
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    remover r = {.sample = s, .automatic = automatic, .step = "nothing"};
    if (automatic) {
        bdb_need(s->env->log_set_config(s->env, DB_LOG_AUTO_REMOVE, 1), "DB_LOG_AUTO_REMOVE");
    }
    bdb_checkpoint(s);
    bdb_last_match("home", BDB_LOGS, 0, "", before, sizeof before);
    bdb_sink_install(s->env, "sink");
    bdb_sink_on_write("*.db", wait_for_the_other, &r);

    int ret = s->env->backup(s->env, "bk", 0);

    bdb_last_match("home", BDB_LOGS, 0, "", after, sizeof after);
    if (r.error == 0 && strcmp(before, after) == 0) {
        hp_unresolved("no log was begun during the backup");
    }
    hp_promise(HP_BDB_HOT_LOG_REMOVAL);
    hp_log("backup returns %d; the last log was %s and is %s", ret, before, after);
    if (r.error != 0) {
        fail_msg("%s during the backup: %s", r.step, db_strerror(r.error));
    }
    if (ret == 0) {
        bdb_layout copy = bdb_copy_at(&s->layout, "sink/bk", false);

        bdb_assert_copy_holds(&copy);
    }
    bdb_sample_end(s);
}

/* The application removes what it is told that nobody needs. */
static void removing_logs_during_a_backup_loses_no_committed_row(void **state)
{
    (void)state;
    assert_log_removal_loses_nothing(false);
}

/* The environment does, when it is asked to. */
static void automatic_log_removal_during_a_backup_loses_no_committed_row(void **state)
{
    (void)state;
    assert_log_removal_loses_nothing(true);
}

const hp_case bdb_hot_cases[] = {
    HP_CASE(a_transaction_that_commits_after_the_backup_is_not_in_it, HP_BDB_HOT_UNCOMMITTED),
    HP_CASE(uncommitted_changes_are_not_in_a_backup_after_a_checkpoint, HP_BDB_HOT_UNCOMMITTED),
    HP_CASE(a_commit_without_sync_before_the_backup_is_in_it, HP_BDB_BACKUP_RECOVERS),
    HP_SLOW_CASE(
        backup_does_not_wait_for_a_transaction_that_extended_a_file, 5, HP_BDB_HOT_NO_WAIT),
    HP_SLOW_CASE(
        backup_does_not_wait_for_a_transaction_that_created_a_database, 5, HP_BDB_HOT_NO_WAIT),
    HP_CASE(two_backups_at_once_each_recover, HP_BDB_HOT_TWO_AT_ONCE),
    HP_CASE(removing_logs_during_a_backup_loses_no_committed_row, HP_BDB_HOT_LOG_REMOVAL),
    HP_CASE(automatic_log_removal_during_a_backup_loses_no_committed_row, HP_BDB_HOT_LOG_REMOVAL),
    HP_CASE_END,
};
