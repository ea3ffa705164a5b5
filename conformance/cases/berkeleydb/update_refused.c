/*
 * Incremental backups that cannot be: into a target that is no base for them, and under a full
 * disk. Logs that do not fit together do not recover, so whoever finds out at the restore has lost
 * both.
 */
#include "bdb_cases.h"
#include "bdb_chain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <db.h>

/* The update is refused with this error, neither target nor source is other than before, and the
 * environment works: it updates a target that is a base. Ends the sample. */
static void assert_update_refused(bdb_sample *s, uint32_t flags, int error, hp_clause_id clause)
{
    int ret = bdb_chain_update(s, flags);

    hp_promise(clause);
    hp_log("the update returns %d", ret);
    bdb_assert_nothing_changed(s);
    assert_int_equal(ret, error);
    bdb_assert_usable(s);
    assert_int_equal(bdb_backup(s, "backup-after", DB_BACKUP_UPDATE), 0);
    bdb_sample_end(s);
}

static void an_update_of_a_missing_target_returns_ENOENT(void **state)
{
    (void)state;
    assert_update_refused(
        bdb_sample_new(&bdb_whole_log), 0, ENOENT, HP_BDB_BACKUP_ENOENT_WITHOUT_CREATE);
}

/* Logs without databases restore nothing. */
static void an_update_of_an_empty_target_returns_EINVAL(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_whole_log);
    bdb_make_dir(BDB_CHAIN);

    assert_update_refused(s, 0, EINVAL, HP_BDB_UPDATE_NO_BASE);
}

/* DB_CREATE makes a directory, not a base. */
static void an_update_with_CREATE_of_a_missing_target_returns_EINVAL(void **state)
{
    (void)state;
    assert_update_refused(bdb_sample_new(&bdb_whole_log), DB_CREATE, EINVAL, HP_BDB_UPDATE_NO_BASE);
}

/* The databases alone do not say from where on they need the log. An implementation that copies
 * logs in spite of DB_BACKUP_NO_LOGS has them taken away again. */
static void an_update_of_databases_without_logs_returns_EINVAL(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, DB_BACKUP_NO_LOGS);
    bdb_remove_files(BDB_CHAIN, BDB_LOGS);
    bdb_chain_grow(s);

    assert_update_refused(s, 0, EINVAL, HP_BDB_UPDATE_NO_BASE);
}

/* The source has removed a log before it was copied. */
static bdb_sample *chain_with_a_gap(void)
{
    char log[64];
    bdb_sample *s = bdb_chain_new(&bdb_plain, 0);

    bdb_chain_grow(s);
    bdb_remove_logs(s);
    bdb_chain_grow(s);
    if (bdb_exists(bdb_last_match(BDB_CHAIN, BDB_LOGS, 0, "home/", log, sizeof log))) {
        hp_unresolved("%s is needed no longer and still there", log);
    }
    return s;
}

static void an_update_after_a_gap_returns_EINVAL(void **state)
{
    (void)state;
    assert_update_refused(chain_with_a_gap(), 0, EINVAL, HP_BDB_UPDATE_GAP);
}

/* Refused comes before cleaned. */
static void an_update_with_CLEAN_after_a_gap_returns_EINVAL(void **state)
{
    (void)state;
    assert_update_refused(chain_with_a_gap(), DB_BACKUP_CLEAN, EINVAL, HP_BDB_UPDATE_GAP);
}

/* The base stays what it was: it recovers to the day it was made. */
static void a_base_with_a_gap_after_it_is_still_a_backup(void **state)
{
    (void)state;
    bdb_sample *s = chain_with_a_gap();

    int ret = bdb_chain_update(s, DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_UPDATE_FAILED_BASE);
    assert_int_not_equal(ret, 0);
    bdb_layout base = bdb_copy_at(&bdb_plain, BDB_CHAIN, false);
    bdb_assert_copy_holds(&base);
    bdb_sample_end(s);
}

/* A backup of another environment, whose logs have the same names. */
static void an_update_of_another_environments_backup_returns_EINVAL(void **state)
{
    (void)state;
    bdb_layout other_layout = bdb_whole_log;
    other_layout.home = "other-home";
    bdb_sample *other = bdb_chain_new(&other_layout, 0);
    bdb_sample_end(other);
    bdb_sample *s = bdb_sample_new(&bdb_whole_log);
    bdb_chain_grow(s);

    assert_update_refused(s, 0, EINVAL, HP_BDB_UPDATE_FOREIGN);
}

/* A base that went to work in the source's place, and a source that went on. */
static bdb_sample *chain_that_parted(void)
{
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);

    bdb_chain_write_to_copy(s);
    bdb_chain_grow(s);
    return s;
}

static void an_update_of_a_copy_that_was_written_to_returns_EINVAL(void **state)
{
    (void)state;
    assert_update_refused(chain_that_parted(), 0, EINVAL, HP_BDB_UPDATE_PARTED);
}

static void an_update_with_CLEAN_of_a_copy_that_was_written_to_returns_EINVAL(void **state)
{
    (void)state;
    assert_update_refused(chain_that_parted(), DB_BACKUP_CLEAN, EINVAL, HP_BDB_UPDATE_PARTED);
}

/* It asks for the logs alone, and for no logs. */
static void an_update_with_NO_LOGS_returns_EINVAL(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);
    bdb_chain_grow(s);

    assert_update_refused(s, DB_BACKUP_NO_LOGS, EINVAL, HP_BDB_UPDATE_NO_LOGS);
}

/* Where the first log goes that the copy does not have in part already. */
static const char *place_of_next_log(char *path, size_t size)
{
    char last[64], name[64];

    path[0] = '\0';
    (void)bdb_last_match(BDB_CHAIN, BDB_LOGS, 0, "", last, sizeof last);
    for (unsigned back = 0;
         strcmp(bdb_last_match("home", BDB_LOGS, back, "", name, sizeof name), last) > 0; back++) {
        (void)snprintf(path, size, "%s/%s", BDB_CHAIN, name);
    }
    return path;
}

/* What stands where a log would be made anew was not put there by a backup. */
static void an_update_with_EXCL_over_a_file_of_others_returns_EEXIST(void **state)
{
    (void)state;
    char log[128];
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);
    bdb_chain_grow(s);
    bdb_write_file(place_of_next_log(log, sizeof log), "a letter");

    assert_update_refused(s, DB_EXCL, EEXIST, HP_BDB_UPDATE_EXCL);
}

/* An update is no safer for the source than a full backup. */
static void an_update_into_its_own_home_is_refused(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_whole_log);
    bdb_chain_grow(s);

    int ret = bdb_backup(s, "home", DB_BACKUP_UPDATE);

    hp_promise(HP_BDB_BACKUP_TARGET_IS_SOURCE);
    bdb_assert_nothing_changed(s);
    assert_int_not_equal(ret, 0);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* There may be many targets; the message says which is no good. */
static void an_update_that_is_refused_names_its_target(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_whole_log);
    bdb_make_dir("vault-7");

    int ret = bdb_backup(s, "vault-7", DB_BACKUP_UPDATE);

    hp_promise(HP_BDB_ERROR_NAMES_PATH);
    assert_int_not_equal(ret, 0);
    bdb_assert_error_names("vault-7");
    bdb_sample_end(s);
}

static bool hotbackup_in_progress(const bdb_sample *s)
{
    uint32_t flags = 0;

    bdb_need(s->env->get_flags(s->env, &flags), "DB_ENV->get_flags");
    return (flags & DB_HOTBACKUP_IN_PROGRESS) != 0;
}

/* A flag that stays behind makes every bulk transaction slow for ever. */
static void no_backup_is_in_progress_after_an_update(void **state)
{
    (void)state;
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);
    bdb_chain_grow(s);
    bdb_need(s->env->set_flags(s->env, DB_HOTBACKUP_IN_PROGRESS, 1), "DB_ENV->set_flags");
    if (!hotbackup_in_progress(s)) {
        hp_unresolved("DB_ENV->get_flags does not show the flag");
    }
    bdb_need(s->env->set_flags(s->env, DB_HOTBACKUP_IN_PROGRESS, 0), "DB_ENV->set_flags");

    hp_promise(HP_BDB_UPDATE_FLAG_RESET);
    assert_int_equal(bdb_chain_update(s, 0), 0);
    assert_false(hotbackup_in_progress(s));
    assert_int_not_equal(bdb_backup(s, "missing", DB_BACKUP_UPDATE), 0);
    assert_false(hotbackup_in_progress(s));
    bdb_sample_end(s);
}

/* A chain that has grown, and a disk that has room for a part of a log. */
static bdb_sample *chain_on_a_full_disk(void)
{
    bdb_sample *s = bdb_chain_new(&bdb_whole_log, 0);

    bdb_chain_grow(s);
    bdb_fill_disk_after(3000, BDB_CHAIN);
    return s;
}

static void a_full_disk_during_an_update_returns_ENOSPC(void **state)
{
    (void)state;
    bdb_sample *s = chain_on_a_full_disk();

    int ret = bdb_chain_update(s, 0);

    hp_promise(HP_BDB_FULL_DISK_LOG);
    assert_int_equal(ret, ENOSPC);
    bdb_assert_only_changed(s, BDB_CHAIN);
    assert_int_equal(bdb_provoke_clear(), 0);
    assert_int_equal(bdb_chain_update(s, 0), 0);
    bdb_assert_backup_holds(s, BDB_CHAIN);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* The update has failed, the backup of the day before has not. */
static void an_update_that_fails_leaves_the_base_as_good_as_it_was(void **state)
{
    (void)state;
    bdb_sample *s = chain_on_a_full_disk();

    int ret = bdb_chain_update(s, 0);

    hp_promise(HP_BDB_UPDATE_FAILED_BASE);
    assert_int_not_equal(ret, 0);
    assert_int_equal(bdb_provoke_clear(), 0);
    bdb_layout base = bdb_copy_at(&bdb_whole_log, BDB_CHAIN, false);
    DB_ENV *env = bdb_recover(&base);
    for (size_t i = 0; i < 2; i++) {
        assert_true(bdb_count_rows(env, &base.databases[i]) >= base.databases[i].rows);
    }
    bdb_env_end(env);
    bdb_sample_end(s);
}

const hp_case bdb_update_refused_cases[] = {
    HP_CASE(an_update_of_a_missing_target_returns_ENOENT, HP_BDB_BACKUP_ENOENT_WITHOUT_CREATE),
    HP_CASE(an_update_of_an_empty_target_returns_EINVAL, HP_BDB_UPDATE_NO_BASE),
    HP_CASE(an_update_with_CREATE_of_a_missing_target_returns_EINVAL, HP_BDB_UPDATE_NO_BASE),
    HP_CASE(an_update_of_databases_without_logs_returns_EINVAL, HP_BDB_UPDATE_NO_BASE),
    HP_CASE(an_update_after_a_gap_returns_EINVAL, HP_BDB_UPDATE_GAP),
    HP_CASE(an_update_with_CLEAN_after_a_gap_returns_EINVAL, HP_BDB_UPDATE_GAP),
    HP_CASE(a_base_with_a_gap_after_it_is_still_a_backup, HP_BDB_UPDATE_FAILED_BASE),
    HP_CASE(an_update_of_another_environments_backup_returns_EINVAL, HP_BDB_UPDATE_FOREIGN),
    HP_CASE(an_update_of_a_copy_that_was_written_to_returns_EINVAL, HP_BDB_UPDATE_PARTED),
    HP_CASE(
        an_update_with_CLEAN_of_a_copy_that_was_written_to_returns_EINVAL, HP_BDB_UPDATE_PARTED),
    HP_CASE(an_update_with_NO_LOGS_returns_EINVAL, HP_BDB_UPDATE_NO_LOGS),
    HP_CASE(an_update_with_EXCL_over_a_file_of_others_returns_EEXIST, HP_BDB_UPDATE_EXCL),
    HP_CASE(an_update_into_its_own_home_is_refused, HP_BDB_BACKUP_TARGET_IS_SOURCE),
    HP_CASE(an_update_that_is_refused_names_its_target, HP_BDB_ERROR_NAMES_PATH),
    HP_CASE(no_backup_is_in_progress_after_an_update, HP_BDB_UPDATE_FLAG_RESET),
    HP_CASE(a_full_disk_during_an_update_returns_ENOSPC, HP_BDB_FULL_DISK_LOG),
    HP_CASE(an_update_that_fails_leaves_the_base_as_good_as_it_was, HP_BDB_UPDATE_FAILED_BASE),
    HP_CASE_END,
};
