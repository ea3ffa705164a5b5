/* Backups that the system does not let finish: a full disk, and files and directories that may not
 * be used. */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <db.h>

/* A name that no other path of a case contains. */
#define FULL_DISK "full-disk"

/* A sample of some size whose databases are all on disk. */
static bdb_sample *checkpointed_sample(void)
{
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    bdb_add_rows(s, 0, 500);
    bdb_add_rows(s, 1, 500);
    bdb_checkpoint(s);
    bdb_make_dir(FULL_DISK);
    return s;
}

/* Bytes of databases in a backup: where the logs begin, in the order in which a backup is written.
 */
static uint64_t database_bytes(void)
{
    return bdb_file_size("home/a.db") + bdb_file_size("home/b.db");
}

/* The disk is full after so many bytes. With room again the same target takes the backup. */
static void assert_full_disk_reported(bdb_sample *s, uint64_t bytes, hp_clause_id clause)
{
    bdb_fill_disk_after(bytes, FULL_DISK);

    int ret = bdb_backup(s, FULL_DISK, 0);

    hp_promise(clause);
    assert_int_equal(ret, ENOSPC);
    bdb_assert_only_changed(s, FULL_DISK);
    assert_int_equal(bdb_provoke_clear(), 0);
    assert_int_equal(bdb_backup(s, FULL_DISK, DB_BACKUP_CLEAN), 0);
    bdb_assert_backup_holds(s, FULL_DISK);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* The disk is full in the middle of a database. */
static void a_full_disk_while_a_database_is_written_returns_ENOSPC(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();

    assert_full_disk_reported(s, 3000, HP_BDB_FULL_DISK_DATABASE);
}

/* The databases fitted, the logs do not. */
static void a_full_disk_while_a_log_is_written_returns_ENOSPC(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();

    assert_full_disk_reported(s, database_bytes() + 100, HP_BDB_FULL_DISK_LOG);
}

/* A target that looks whole will be restored from one day. */
static void what_a_failed_backup_leaves_is_not_taken_for_a_backup(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();
    bdb_layout copy = bdb_copy_at(&s->layout, FULL_DISK, false);
    DB_ENV *env = NULL;
    bdb_fill_disk_after(3000, FULL_DISK);

    int ret = bdb_backup(s, FULL_DISK, 0);
    assert_int_equal(bdb_provoke_clear(), 0);
    if (ret == 0) {
        hp_unresolved("the backup did not fail");
    }

    hp_promise(HP_BDB_FAILED_NOT_MISTAKEN);
    if (bdb_count(FULL_DISK, "*") != 0 && bdb_try_recover(&copy, &env) == 0) {
        bdb_assert_rows(env, &copy.databases[0]);
        bdb_assert_rows(env, &copy.databases[1]);
        bdb_env_end(env);
    }
    bdb_sample_end(s);
}

/* Write permission is asked for before anything else goes wrong. */
static void a_read_only_target_returns_EACCES(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_change_mode("bk", 0500);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_READ_ONLY_TARGET);
    assert_int_equal(ret, EACCES);
    bdb_assert_unharmed(s);
    bdb_change_mode("bk", 0700);
    bdb_sample_end(s);
}

/* A target that cannot be made is reported as what it is, not as missing. */
static void DB_CREATE_below_a_read_only_directory_returns_EACCES(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("vault");
    bdb_change_mode("vault", 0500);

    int ret = bdb_backup(s, "vault/bk", DB_CREATE);

    hp_promise(HP_BDB_READ_ONLY_TARGET);
    assert_int_equal(ret, EACCES);
    bdb_assert_unharmed(s);
    bdb_change_mode("vault", 0700);
    bdb_sample_end(s);
}

/* A database that cannot be read is not left out. */
static void an_unreadable_database_returns_EACCES(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();
    bdb_sample_reopen(s);
    bdb_make_dir("bk");
    bdb_make_dir("before");
    bdb_copy_files("home", "*.db", "before");
    bdb_change_mode("home/a.db", 0);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_UNREADABLE_DATABASE);
    assert_int_equal(ret, EACCES);
    bdb_change_mode("home/a.db", 0600);
    bdb_assert_same_bytes("home/a.db", "before/a.db");
    bdb_assert_same_bytes("home/b.db", "before/b.db");
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* A sample with several logs since its checkpoint, one of which, not the last, may not be read. */
static bdb_sample *sample_with_unreadable_log(char *log, size_t size)
{
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    bdb_add_rows(s, 0, 1500);
    bdb_make_dir("bk");
    bdb_change_mode(bdb_last_match("home", BDB_LOGS, 1, "home/", log, size), 0);
    return s;
}

/* A log that cannot be read is an error of this backup, not the end of the environment. */
static void an_unreadable_log_returns_EACCES(void **state)
{
    (void)state;
    char log[64];
    bdb_sample *s = sample_with_unreadable_log(log, sizeof log);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_UNREADABLE_LOG);
    assert_int_equal(ret, EACCES);
    bdb_change_mode(log, 0600);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* Who reads the message must learn which file it is about. */
static void an_unreadable_database_is_named_in_the_error_message(void **state)
{
    (void)state;
    bdb_sample *s = checkpointed_sample();
    bdb_sample_reopen(s);
    bdb_make_dir("bk");
    bdb_change_mode("home/a.db", 0);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_ERROR_NAMES_PATH);
    assert_int_not_equal(ret, 0);
    bdb_assert_error_names("a.db");
    bdb_change_mode("home/a.db", 0600);
    bdb_sample_end(s);
}

/* The environment goes on after each kind of failure, one after the other. */
static void the_environment_works_on_after_failed_backups(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("bk/a.db", "in the way");
    bdb_write_file("file", "not a directory");

    hp_promise(HP_BDB_FAILED_ENV_USABLE);
    assert_int_not_equal(bdb_backup(s, "bk", DB_EXCL), 0);
    assert_int_not_equal(bdb_backup(s, "file", 0), 0);
    assert_int_not_equal(bdb_backup(s, "missing", DB_BACKUP_FILES), 0);
    assert_int_not_equal(bdb_dbbackup(s, "missing.db", "bk", 0), 0);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* A backup that fails every night for a year must not end the application. */
static void failed_backups_leave_no_descriptor_open(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_make_dir("bare");
    bdb_write_file("bk/a.db", "in the way");
    bdb_write_file("file", "not a directory");
    (void)bdb_backup(s, "bk", DB_EXCL); /* what is opened once and kept is not a leak */
    unsigned before = bdb_open_descriptors();

    for (int i = 0; i < 25; i++) {
        assert_int_not_equal(s->env->backup(s->env, "bk", DB_EXCL), 0);
        assert_int_not_equal(s->env->backup(s->env, "file", 0), 0);
        assert_int_not_equal(s->env->backup(s->env, "missing", DB_BACKUP_FILES), 0);
        assert_int_not_equal(s->env->dbbackup(s->env, "missing.db", "bk", 0), 0);
    }

    hp_promise(HP_BDB_FAILED_NO_LEAK);
    assert_int_equal(bdb_open_descriptors(), before);
    bdb_sample_end(s);
}

/* The databases fitted, an ordinary file does not. */
static void a_full_disk_while_an_ordinary_file_is_written_returns_ENOSPC(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_noise("home/picture.raw", 70001);
    bdb_make_dir("bk");
    bdb_fill_disk_after(0, "picture.raw");

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_FULL_DISK_ORDINARY);
    assert_int_equal(ret, ENOSPC);
    bdb_assert_only_changed(s, "bk");
    assert_int_equal(bdb_provoke_clear(), 0);
    assert_int_equal(bdb_backup(s, "bk", DB_BACKUP_FILES), 0);
    bdb_assert_same_bytes("bk/picture.raw", "home/picture.raw");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

static int remove_file(void *argument)
{
    return unlink(argument);
}

/* A log that the backup needs is taken away by hand while it copies databases: a copy with a hole in
 * its log is none. */
static void a_log_that_vanishes_is_an_error_that_names_it(void **state)
{
    (void)state;
    char log[64];
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_add_rows(s, 0, 1500);
    bdb_last_match("home", BDB_LOGS, 1, "home/", log, sizeof log);
    bdb_sink_install(s->env, "sink");
    bdb_sink_on_write("a.db", remove_file, log);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_BACKUP_FAILURE_IS_NONZERO);
    assert_false(bdb_exists(log));
    assert_int_not_equal(ret, 0);
    hp_promise(HP_BDB_ERROR_NAMES_PATH);
    bdb_assert_error_names(strrchr(log, '/') + 1);
    bdb_sample_abandon(s);
}

const hp_case bdb_fault_cases[] = {
    HP_CASE(a_full_disk_while_a_database_is_written_returns_ENOSPC, HP_BDB_FULL_DISK_DATABASE),
    HP_CASE(a_full_disk_while_a_log_is_written_returns_ENOSPC, HP_BDB_FULL_DISK_LOG),
    HP_CASE(what_a_failed_backup_leaves_is_not_taken_for_a_backup, HP_BDB_FAILED_NOT_MISTAKEN),
    HP_CASE(a_read_only_target_returns_EACCES, HP_BDB_READ_ONLY_TARGET),
    HP_CASE(DB_CREATE_below_a_read_only_directory_returns_EACCES, HP_BDB_READ_ONLY_TARGET),
    HP_CASE(an_unreadable_database_returns_EACCES, HP_BDB_UNREADABLE_DATABASE),
    HP_CASE(an_unreadable_log_returns_EACCES, HP_BDB_UNREADABLE_LOG),
    HP_CASE(an_unreadable_database_is_named_in_the_error_message, HP_BDB_ERROR_NAMES_PATH),
    HP_CASE(the_environment_works_on_after_failed_backups, HP_BDB_FAILED_ENV_USABLE),
    HP_CASE(failed_backups_leave_no_descriptor_open, HP_BDB_FAILED_NO_LEAK),
    HP_CASE(
        a_full_disk_while_an_ordinary_file_is_written_returns_ENOSPC, HP_BDB_FULL_DISK_ORDINARY),
    HP_CASE(a_log_that_vanishes_is_an_error_that_names_it, HP_BDB_BACKUP_FAILURE_IS_NONZERO,
        HP_BDB_ERROR_NAMES_PATH),
    HP_CASE_END,
};
