/* Backups of an environment in which transactions are open, or that removes its logs. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
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

static void need(int ret, const char *step)
{
    if (ret != 0) {
        hp_unresolved("%s: %s", step, db_strerror(ret));
    }
}

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
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
    need(bdb_put_rows(s->db[0], txn, &changed, 0, changed.rows), "overwrite the rows");

    int ret = bdb_backup(s, "bk", 0);
    need(txn->commit(txn, 0), "DB_TXN->commit");

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
    need(bdb_put_rows(s->db[0], txn, &changed, 0, changed.rows), "overwrite the rows");
    need(s->env->txn_checkpoint(s->env, 0, 0, DB_FORCE), "DB_ENV->txn_checkpoint");

    int ret = bdb_backup(s, "bk", 0);
    need(txn->abort(txn), "DB_TXN->abort");

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
    need(bdb_put_rows(s->db[0], txn, database, database->rows, 20), "DB->put");
    need(txn->commit(txn, DB_TXN_NOSYNC), "DB_TXN->commit");
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
    need(bdb_put_rows(s->db[0], txn, &s->layout.databases[0], 100, 500), "DB->put");

    hp_promise(HP_BDB_HOT_NO_WAIT);
    int ret = bdb_backup(s, "bk", 0);

    assert_int_equal(ret, 0);
    need(txn->abort(txn), "DB_TXN->abort");
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
    need(db_create(&db, s->env, 0), "db_create");
    need(db->open(db, txn, "new.db", NULL, DB_BTREE, DB_CREATE | DB_THREAD, 0600), "DB->open");

    hp_promise(HP_BDB_HOT_NO_WAIT);
    int ret = bdb_backup(s, "bk", 0);

    assert_int_equal(ret, 0);
    need(txn->commit(txn, 0), "DB_TXN->commit");
    need(db->close(db, 0), "DB->close");
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
        need(pthread_create(&threads[i], NULL, run_backup, &jobs[i]), "pthread_create");
    }
    for (size_t i = 0; i < 2; i++) {
        need(pthread_join(threads[i], NULL), "pthread_join");
    }

    hp_promise(HP_BDB_HOT_TWO_AT_ONCE);
    for (size_t i = 0; i < 2; i++) {
        bdb_layout copy = bdb_copy_at(&s->layout, jobs[i].target, false);

        assert_int_equal(jobs[i].ret, 0);
        bdb_assert_copy_holds(&copy);
    }
    bdb_sample_end(s);
}

/* Commits to both databases, takes checkpoints and removes the logs that are no longer needed,
 * until told to stop. */
typedef struct remover {
    bdb_sample *sample;
    _Atomic unsigned committed; /* rows, the same number in both databases */
    _Atomic unsigned rounds;
    _Atomic bool stop;
    int error;
    const char *step;
} remover;

enum { ROWS_A_ROUND = 5, ROUNDS_MAX = 2000 };

static int commit_to_both(remover *r)
{
    bdb_sample *s = r->sample;
    DB_TXN *txn = NULL;
    unsigned first = atomic_load(&r->committed);
    int ret = s->env->txn_begin(s->env, NULL, &txn, 0);

    for (size_t i = 0; ret == 0 && i < 2; i++) {
        ret = bdb_put_rows(s->db[i], txn, &s->layout.databases[i], first, ROWS_A_ROUND);
    }
    if (ret == 0) {
        ret = txn->commit(txn, 0);
    } else if (txn != NULL) {
        (void)txn->abort(txn);
    }
    if (ret == 0) {
        atomic_store(&r->committed, first + ROWS_A_ROUND);
    }
    return ret == DB_LOCK_DEADLOCK || ret == DB_LOCK_NOTGRANTED ? 0 : ret;
}

static void *write_and_remove_logs(void *argument)
{
    remover *r = argument;
    DB_ENV *env = r->sample->env;

    while (!atomic_load(&r->stop) && r->error == 0 && atomic_load(&r->rounds) < ROUNDS_MAX) {
        char **removed = NULL;

        r->step = "commit";
        r->error = commit_to_both(r);
        if (r->error == 0) {
            r->step = "DB_ENV->txn_checkpoint";
            r->error = env->txn_checkpoint(env, 0, 0, DB_FORCE);
        }
        if (r->error == 0) {
            r->step = "DB_ENV->log_archive";
            r->error = env->log_archive(env, &removed, DB_ARCH_REMOVE);
        }
        (void)atomic_fetch_add(&r->rounds, 1);
    }
    return NULL;
}

/* Wait until the remover has done a few more rounds, or says that it cannot. */
static void wait_for_rounds(remover *r, unsigned rounds)
{
    unsigned until = atomic_load(&r->rounds) + rounds;

    for (int i = 0; i < 1000 && atomic_load(&r->rounds) < until; i++) {
        pause_ms(5);
    }
}

/*
 * The logs that a backup needs are those from before its first page: if they go while it copies,
 * the copy does not recover. Either they are kept, or the backup fails.
 */
static void removing_logs_during_a_backup_loses_no_committed_row(void **state)
{
    (void)state;
    bdb_layout layout = {.home = "home",
        .log_max = 64 << 10,
        .databases = {{.file = "a.db", .rows = 1000}, {.file = "b.db", .rows = 1000}}};
    bdb_layout copy = bdb_copy_at(&layout, "bk", false);
    bdb_sample *s = bdb_sample_new(&layout);
    remover r = {.sample = s, .committed = 1000};
    pthread_t thread;
    need(s->env->set_backup_config(s->env, DB_BACKUP_SIZE, BDB_PAGE_SIZE), "DB_BACKUP_SIZE");
    need(s->env->set_backup_config(s->env, DB_BACKUP_READ_COUNT, 1), "DB_BACKUP_READ_COUNT");
    need(s->env->set_backup_config(s->env, DB_BACKUP_READ_SLEEP, 4000), "DB_BACKUP_READ_SLEEP");

    need(pthread_create(&thread, NULL, write_and_remove_logs, &r), "pthread_create");
    wait_for_rounds(&r, 3);
    unsigned before = atomic_load(&r.committed), rounds = atomic_load(&r.rounds);
    int ret = s->env->backup(s->env, "bk", DB_CREATE);
    unsigned during = atomic_load(&r.rounds) - rounds;
    atomic_store(&r.stop, true);
    need(pthread_join(thread, NULL), "pthread_join");

    hp_log("backup returns %d after %u rounds of commit, checkpoint and removal", ret, during);
    if (during < 5) {
        hp_unresolved("only %u rounds of removal during the backup", during);
    }
    hp_promise(HP_BDB_HOT_LOG_REMOVAL);
    if (r.error != 0) {
        fail_msg("%s during the backup: %s", r.step, db_strerror(r.error));
    }
    if (ret == 0) {
        DB_ENV *env = bdb_recover(&copy);
        unsigned rows = bdb_count_rows(env, &copy.databases[0]);

        assert_int_equal(rows, bdb_count_rows(env, &copy.databases[1]));
        assert_in_range(rows, before, atomic_load(&r.committed));
        bdb_env_end(env);
    }
    bdb_sample_end(s);
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
    HP_SLOW_CASE(removing_logs_during_a_backup_loses_no_committed_row, 40, HP_BDB_HOT_LOG_REMOVAL),
    HP_CASE_END,
};
