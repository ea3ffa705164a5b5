/* DB_BACKUP_UPDATE: what an incremental backup copies, and what a full backup and its updates
 * restore. */
#include "bdb_cases.h"
#include "bdb_chain.h"

#include <stdio.h>
#include <string.h>
#include <db.h>

enum { STEPS = 4, LONG_TRANSACTION = 1000 /* rows: more than a log */ };

/* When the copy is recovered: the manual allows it after each update and does not ask for it. */
typedef enum recovery { AT_THE_END, EACH_TIME, NOW_AND_THEN } recovery;

static bool recovers_after(recovery when, int step)
{
    return when == EACH_TIME || (when == NOW_AND_THEN && step % 2 == 1);
}

/* A full backup and updates. A checkpoint follows each update, and the source loses the logs that it
 * no longer needs, unless the layout keeps them. */
static void assert_chain_restores(
    const bdb_layout *layout, recovery when, uint32_t flags, hp_clause_id clause)
{
    bdb_sample *s = bdb_chain_new(layout, 0);

    hp_promise(clause);
    if (when == EACH_TIME) {
        bdb_chain_recover(s);
    }
    for (int step = 0; step < STEPS; step++) {
        bdb_chain_grow(s);

        int ret = bdb_chain_update(s, flags);

        hp_log("update %d returns %d", step, ret);
        assert_int_equal(ret, 0);
        if (recovers_after(when, step)) {
            bdb_chain_recover(s);
        }
        if (layout->keep_logs) {
            bdb_checkpoint(s);
        } else {
            bdb_remove_logs(s);
        }
    }
    bdb_layout copy = bdb_chain_copy(s);
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

static void updates_recovered_once_at_the_end_restore_every_row(void **state)
{
    (void)state;
    assert_chain_restores(&bdb_plain, AT_THE_END, 0, HP_BDB_UPDATE_RESTORES);
}

/* The plainest of all: nobody removes a log, neither in the source nor in the copy. */
static void updates_from_a_source_that_keeps_every_log_restore_every_row(void **state)
{
    (void)state;
    assert_chain_restores(&bdb_whole_log, AT_THE_END, 0, HP_BDB_UPDATE_RESTORES);
}

static void updates_recovered_each_time_restore_every_row(void **state)
{
    (void)state;
    assert_chain_restores(&bdb_plain, EACH_TIME, 0, HP_BDB_UPDATE_RECOVERED_BETWEEN);
}

static void updates_recovered_now_and_then_restore_every_row(void **state)
{
    (void)state;
    assert_chain_restores(&bdb_plain, NOW_AND_THEN, 0, HP_BDB_UPDATE_RECOVERED_BETWEEN);
}

/* Cleaning must not take what the recovery still has to replay. */
static void updates_with_CLEAN_recovered_once_at_the_end_restore_every_row(void **state)
{
    (void)state;
    assert_chain_restores(&bdb_plain, AT_THE_END, DB_BACKUP_CLEAN, HP_BDB_UPDATE_CLEAN_KEEPS);
}

static void updates_with_CLEAN_recovered_each_time_restore_every_row(void **state)
{
    (void)state;
    assert_chain_restores(&bdb_plain, EACH_TIME, DB_BACKUP_CLEAN, HP_BDB_UPDATE_RECOVERED_BETWEEN);
}

static void updates_with_CLEAN_recovered_now_and_then_restore_every_row(void **state)
{
    (void)state;
    assert_chain_restores(&bdb_plain, NOW_AND_THEN, DB_BACKUP_CLEAN, HP_BDB_UPDATE_CLEAN_KEEPS);
}

/* Neither databases nor, whatever DB_BACKUP_FILES says, ordinary files. */
static void an_update_copies_log_files_only(void **state)
{
    (void)state;
    char log[64];
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);
    bdb_make_dir("earlier");
    bdb_copy_files(BDB_CHAIN, "*.db", "earlier");
    bdb_chain_grow(s);
    bdb_checkpoint(s);
    bdb_write_file("home/notes.txt", "ordinary");

    int ret = bdb_chain_update(s, DB_BACKUP_FILES);

    hp_promise(HP_BDB_UPDATE_ONLY_LOGS);
    assert_int_equal(ret, 0);
    assert_true(bdb_exists(bdb_last_match("home", BDB_LOGS, 0, BDB_CHAIN "/", log, sizeof log)));
    bdb_assert_same_bytes(BDB_CHAIN "/a.db", "earlier/a.db");
    bdb_assert_same_bytes(BDB_CHAIN "/b.db", "earlier/b.db");
    assert_false(bdb_exists(BDB_CHAIN "/notes.txt"));
    bdb_sample_end(s);
}

/* Copied is not moved: the source may need its logs to recover from a crash, or for a second
 * target. */
static void an_update_leaves_the_source_its_logs(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);
    bdb_chain_grow(s);
    bdb_checkpoint(s);

    int ret = bdb_chain_update(s, 0);

    hp_promise(HP_BDB_UPDATE_KEEPS_SOURCE);
    bdb_assert_only_changed(s, BDB_CHAIN);
    assert_int_equal(ret, 0);
    bdb_sample_end(s);
}

/* The job that runs every hour also runs when nothing happened. */
static void an_update_with_nothing_new_returns_0(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);
    bdb_chain_grow(s);
    assert_int_equal(bdb_chain_update(s, 0), 0);

    int ret = bdb_chain_update(s, 0);

    hp_promise(HP_BDB_UPDATE_NOTHING_NEW);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, BDB_CHAIN);
    bdb_sample_end(s);
}

/* Nor does it disturb a copy that has replayed it all. */
static void an_update_with_nothing_new_of_a_recovered_copy_returns_0(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);
    bdb_chain_recover(s);

    int ret = bdb_chain_update(s, 0);

    hp_promise(HP_BDB_UPDATE_NOTHING_NEW);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, BDB_CHAIN);
    bdb_sample_end(s);
}

/* Looking into the copy, to see whether it is any good, does not end the chain. */
static void a_copy_that_was_read_can_be_updated(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);
    bdb_layout copy = bdb_chain_copy(s);
    bdb_assert_copy_holds(&copy);
    bdb_chain_grow(s);

    int ret = bdb_chain_update(s, 0);

    hp_promise(HP_BDB_UPDATE_RECOVERED_BETWEEN);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, BDB_CHAIN);
    bdb_sample_end(s);
}

/* A transaction that has not committed yet is undone in the copy, and is there when it has. */
static void a_transaction_open_during_an_update_comes_with_the_next_one(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&bdb_plain, 0);
    bdb_layout copy = bdb_chain_copy(s);
    bdb_database *database = &copy.databases[0];
    DB_TXN *txn = NULL;
    bdb_need(s->env->txn_begin(s->env, NULL, &txn, 0), "DB_ENV->txn_begin");
    bdb_need(bdb_put_rows(s->db[0], txn, database, database->rows, LONG_TRANSACTION), "DB->put");
    bdb_chain_recover(s);

    hp_promise(HP_BDB_UPDATE_RECOVERED_BETWEEN);
    assert_int_equal(bdb_chain_update(s, DB_BACKUP_CLEAN), 0);
    bdb_assert_copy_holds(&copy);
    bdb_need(txn->commit(txn, 0), "DB_TXN->commit");
    database->rows += LONG_TRANSACTION;
    assert_int_equal(bdb_chain_update(s, DB_BACKUP_CLEAN), 0);
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* What happened to the databases themselves is in the log, too: once for a copy that was recovered
 * before, once for one that was not. */
static void assert_change_arrives(
    void (*change)(bdb_sample *s), void (*check)(DB_ENV *env, const bdb_layout *copy))
{
    for (int recovered = 0; recovered < 2; recovered++) {
        bdb_layout layout = bdb_whole_log;
        layout.home = recovered ? "home-2" : "home-1";
        bdb_sample *s = bdb_sample_new(&layout);
        const char *target = recovered ? "bk-2" : "bk-1";
        bdb_layout copy = bdb_copy_at(&layout, target, false);
        bdb_need(bdb_backup(s, target, DB_CREATE), "the full backup");
        if (recovered) {
            bdb_env_end(bdb_recover(&copy));
        }
        bdb_close_databases(s);
        change(s);

        int ret = bdb_backup(s, target, DB_BACKUP_UPDATE);

        hp_promise(HP_BDB_UPDATE_NEW_FILES);
        assert_int_equal(ret, 0);
        DB_ENV *env = bdb_recover(&copy);
        bdb_assert_rows(env, &copy.databases[0]);
        check(env, &copy);
        bdb_env_end(env);
        bdb_sample_end(s);
    }
}

static const bdb_database new_database = {.file = "new.db", .rows = 40};
static const bdb_database renamed_database = {.file = "renamed.db", .rows = 60, .was = "b.db"};

static void create_database(bdb_sample *s)
{
    DB *db = NULL;

    bdb_need(bdb_db_open(s->env, &new_database, &db), "create new.db");
    bdb_need(bdb_put_rows(db, NULL, &new_database, 0, new_database.rows), "DB->put");
    bdb_need(db->close(db, 0), "DB->close");
}

static void check_created(DB_ENV *env, const bdb_layout *copy)
{
    bdb_assert_rows(env, &copy->databases[1]);
    bdb_assert_rows(env, &new_database);
}

static void a_database_created_since_comes_with_an_update(void **state)
{
    (void)state;
    assert_change_arrives(create_database, check_created);
}

static void remove_database(bdb_sample *s)
{
    bdb_need(s->env->dbremove(s->env, NULL, "b.db", NULL, DB_AUTO_COMMIT), "DB_ENV->dbremove");
}

static void check_removed(DB_ENV *env, const bdb_layout *copy)
{
    char path[64];

    (void)env;
    (void)snprintf(path, sizeof path, "%s/b.db", copy->home);
    assert_false(bdb_exists(path));
}

static void a_database_removed_since_goes_with_an_update(void **state)
{
    (void)state;
    assert_change_arrives(remove_database, check_removed);
}

static void rename_database(bdb_sample *s)
{
    bdb_need(s->env->dbrename(s->env, NULL, "b.db", NULL, renamed_database.file, DB_AUTO_COMMIT),
        "DB_ENV->dbrename");
}

static void check_renamed(DB_ENV *env, const bdb_layout *copy)
{
    check_removed(env, copy);
    bdb_assert_rows(env, &renamed_database);
}

static void a_database_renamed_since_is_renamed_by_an_update(void **state)
{
    (void)state;
    assert_change_arrives(rename_database, check_renamed);
}

static const bdb_layout with_dirs = {
    .home = "home",
    .data_dirs = {"data"},
    .log_dir = "logs",
    .keep_logs = true,
    .databases = {{.file = "a.db", .dir = "data", .rows = 60}},
};

/* The logs go where the full backup has put them. */
static void an_update_goes_to_the_log_directory_of_the_copy(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&with_dirs, 0);
    bdb_chain_grow(s);

    int ret = bdb_chain_update(s, 0);

    hp_promise(HP_BDB_BACKUP_LOG_DIR);
    assert_int_equal(ret, 0);
    assert_int_equal(bdb_count(BDB_CHAIN "/logs", BDB_LOGS), bdb_count(BDB_CHAIN, BDB_LOGS));
    bdb_assert_backup_holds(s, BDB_CHAIN);
    bdb_sample_end(s);
}

static void an_update_with_SINGLE_DIR_goes_to_the_target_itself(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&with_dirs, DB_BACKUP_SINGLE_DIR);
    bdb_chain_grow(s);

    int ret = bdb_chain_update(s, DB_BACKUP_SINGLE_DIR);

    hp_promise(HP_BDB_BACKUP_SINGLE_DIR);
    assert_int_equal(ret, 0);
    assert_false(bdb_exists(BDB_CHAIN "/logs"));
    bdb_assert_flat_backup_holds(s, BDB_CHAIN);
    bdb_sample_end(s);
}

/* With the logs goes no database and no file of anybody else. */
static void an_update_with_CLEAN_leaves_databases_and_ordinary_files(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_file("home/notes.txt", "ordinary");
    bdb_need(bdb_backup(s, BDB_CHAIN, DB_CREATE | DB_BACKUP_FILES), "the full backup");
    bdb_chain_recover(s);
    bdb_chain_grow(s);

    int ret = bdb_chain_update(s, DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_UPDATE_CLEAN_KEEPS);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds(BDB_CHAIN "/notes.txt", "ordinary");
    assert_true(bdb_exists(BDB_CHAIN "/a.db"));
    assert_true(bdb_exists(BDB_CHAIN "/b.db"));
    bdb_sample_end(s);
}

/* A copy that is recovered each time need not grow for ever. */
static void an_update_with_CLEAN_removes_logs_that_the_copy_has_replayed(void **state)
{
    (void)state;
    char oldest[64];
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_chain_grow(s);
    bdb_need(bdb_backup(s, BDB_CHAIN, DB_CREATE), "the full backup");
    bdb_chain_recover(s);
    (void)bdb_last_match(BDB_CHAIN, BDB_LOGS, bdb_count(BDB_CHAIN, BDB_LOGS) - 1, BDB_CHAIN "/",
        oldest, sizeof oldest);
    bdb_remove_logs(s);
    bdb_chain_grow(s);

    int ret = bdb_chain_update(s, DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_UPDATE_CLEAN_REMOVES);
    assert_int_equal(ret, 0);
    assert_false(bdb_exists(oldest));
    bdb_layout copy = bdb_chain_copy(s);
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* The files of an update that the target has already, it has rightly. */
static void an_update_with_EXCL_extends_the_logs_of_the_copy(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);
    bdb_chain_grow(s);

    int ret = bdb_chain_update(s, DB_EXCL);

    hp_promise(HP_BDB_UPDATE_EXCL);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, BDB_CHAIN);
    bdb_sample_end(s);
}

/* Someone who watches an update sees each log go by. */
static void a_verbose_update_names_the_logs_that_it_copies(void **state)
{
    (void)state;
    char log[64];
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);
    bdb_chain_grow(s);
    assert_int_equal(s->env->set_verbose(s->env, DB_VERB_BACKUP, 1), 0);

    int ret = bdb_chain_update(s, 0);

    hp_promise(HP_BDB_BACKUP_VERBOSE);
    assert_int_equal(ret, 0);
    assert_non_null(
        strstr(bdb_messages(), bdb_last_match("home", BDB_LOGS, 0, "", log, sizeof log)));
    assert_non_null(
        strstr(bdb_messages(), bdb_last_match("home", BDB_LOGS, 1, "", log, sizeof log)));
    bdb_sample_end(s);
}

/* The environment goes on, and so does the chain. */
static void the_environment_works_on_after_an_update(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);
    bdb_chain_grow(s);

    int ret = bdb_chain_update(s, 0);

    hp_promise(HP_BDB_UPDATE_ENV_USABLE);
    assert_int_equal(ret, 0);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

const hp_case bdb_update_cases[] = {
    HP_CASE(updates_recovered_once_at_the_end_restore_every_row, HP_BDB_UPDATE_RESTORES),
    HP_CASE(updates_from_a_source_that_keeps_every_log_restore_every_row, HP_BDB_UPDATE_RESTORES),
    HP_CASE(updates_recovered_each_time_restore_every_row, HP_BDB_UPDATE_RECOVERED_BETWEEN),
    HP_CASE(updates_recovered_now_and_then_restore_every_row, HP_BDB_UPDATE_RECOVERED_BETWEEN),
    HP_CASE(
        updates_with_CLEAN_recovered_once_at_the_end_restore_every_row, HP_BDB_UPDATE_CLEAN_KEEPS),
    HP_CASE(
        updates_with_CLEAN_recovered_each_time_restore_every_row, HP_BDB_UPDATE_RECOVERED_BETWEEN),
    HP_CASE(updates_with_CLEAN_recovered_now_and_then_restore_every_row, HP_BDB_UPDATE_CLEAN_KEEPS),
    HP_CASE(an_update_copies_log_files_only, HP_BDB_UPDATE_ONLY_LOGS),
    HP_CASE(an_update_leaves_the_source_its_logs, HP_BDB_UPDATE_KEEPS_SOURCE),
    HP_CASE(an_update_with_nothing_new_returns_0, HP_BDB_UPDATE_NOTHING_NEW),
    HP_CASE(an_update_with_nothing_new_of_a_recovered_copy_returns_0, HP_BDB_UPDATE_NOTHING_NEW),
    HP_CASE(a_copy_that_was_read_can_be_updated, HP_BDB_UPDATE_RECOVERED_BETWEEN),
    HP_CASE(a_transaction_open_during_an_update_comes_with_the_next_one,
        HP_BDB_UPDATE_RECOVERED_BETWEEN),
    HP_CASE(a_database_created_since_comes_with_an_update, HP_BDB_UPDATE_NEW_FILES),
    HP_CASE(a_database_removed_since_goes_with_an_update, HP_BDB_UPDATE_NEW_FILES),
    HP_CASE(a_database_renamed_since_is_renamed_by_an_update, HP_BDB_UPDATE_NEW_FILES),
    HP_CASE(an_update_goes_to_the_log_directory_of_the_copy, HP_BDB_BACKUP_LOG_DIR),
    HP_CASE(an_update_with_SINGLE_DIR_goes_to_the_target_itself, HP_BDB_BACKUP_SINGLE_DIR),
    HP_CASE(an_update_with_CLEAN_leaves_databases_and_ordinary_files, HP_BDB_UPDATE_CLEAN_KEEPS),
    HP_CASE(
        an_update_with_CLEAN_removes_logs_that_the_copy_has_replayed, HP_BDB_UPDATE_CLEAN_REMOVES),
    HP_CASE(an_update_with_EXCL_extends_the_logs_of_the_copy, HP_BDB_UPDATE_EXCL),
    HP_CASE(a_verbose_update_names_the_logs_that_it_copies, HP_BDB_BACKUP_VERBOSE),
    HP_CASE(the_environment_works_on_after_an_update, HP_BDB_UPDATE_ENV_USABLE),
    HP_CASE_END,
};
