/* DB_BACKUP_CLEAN: what it removes, and what it must not touch. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <limits.h>
#include <db.h>

static const bdb_layout with_dirs = {
    .home = "home",
    .data_dirs = {"data"},
    .log_dir = "logs",
    .databases = {{.file = "a.db", .dir = "data", .rows = 60}},
};

/* What an earlier occupant left in the target is gone, the new backup is there. */
static void CLEAN_removes_the_files_of_the_target(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("bk/stale.db", "old");
    bdb_write_file("bk/stale.txt", "old");
    bdb_write_file("bk/log.0000000099", "old");

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_BACKUP_CLEAN);
    assert_int_equal(ret, 0);
    assert_false(bdb_exists("bk/stale.db"));
    assert_false(bdb_exists("bk/stale.txt"));
    assert_false(bdb_exists("bk/log.0000000099"));
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A target that is made by the same call is clean. */
static void CLEAN_with_CREATE_makes_a_fresh_target(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN | DB_CREATE);

    hp_promise(HP_BDB_BACKUP_CLEAN);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* The target is cleaned as a tree. */
static void CLEAN_removes_files_below_the_target(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_make_dir("bk/sub");
    bdb_make_dir("bk/sub/deep");
    bdb_write_file("bk/sub/stale.db", "old");
    bdb_write_file("bk/sub/deep/stale.txt", "old");

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_BACKUP_CLEAN_TREE);
    assert_int_equal(ret, 0);
    assert_false(bdb_exists("bk/sub/stale.db"));
    assert_false(bdb_exists("bk/sub/deep/stale.txt"));
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A database that is no longer in the source would come back to life with the copy. */
static void CLEAN_removes_stale_databases_of_a_data_directory(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&with_dirs);
    bdb_make_dir("bk");
    bdb_make_dir("bk/data");
    bdb_write_file("bk/data/stale.db", "old");

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN | DB_CREATE);

    hp_promise(HP_BDB_BACKUP_CLEAN_TREE);
    assert_int_equal(ret, 0);
    assert_false(bdb_exists("bk/data/stale.db"));
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A log that is no longer in the source would be replayed with the copy. */
static void CLEAN_removes_stale_logs_of_the_log_directory(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&with_dirs);
    bdb_make_dir("bk");
    bdb_make_dir("bk/logs");
    bdb_write_file("bk/logs/log.0000000099", "old");

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN | DB_CREATE);

    hp_promise(HP_BDB_BACKUP_CLEAN_TREE);
    assert_int_equal(ret, 0);
    assert_false(bdb_exists("bk/logs/log.0000000099"));
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A link to a file goes, the file stays. */
static void CLEAN_removes_a_link_and_not_the_file_behind_it(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("precious.txt", "outside the target");
    bdb_make_link("../precious.txt", "bk/link");

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_BACKUP_CLEAN_STAYS_INSIDE);
    assert_int_equal(ret, 0);
    assert_false(bdb_exists("bk/link"));
    bdb_assert_file_holds("precious.txt", "outside the target");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Cleaning does not walk through a link to a directory. */
static void CLEAN_does_not_clean_behind_a_link_to_a_directory(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_make_dir("elsewhere");
    bdb_write_file("elsewhere/precious.db", "outside the target");
    bdb_make_link("../elsewhere", "bk/link");

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_BACKUP_CLEAN_STAYS_INSIDE);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds("elsewhere/precious.db", "outside the target");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A link that leads nowhere, or to a directory, is a file of the target tree like any other. */
static void CLEAN_removes_dangling_links_and_links_to_directories(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_make_dir("elsewhere");
    bdb_make_link("../elsewhere", "bk/to-directory");
    bdb_make_link("../not-there", "bk/dangling");

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_BACKUP_CLEAN_TREE);
    assert_int_equal(ret, 0);
    assert_false(bdb_exists("bk/to-directory"));
    assert_false(bdb_exists("bk/dangling"));
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Half-cleaned is not clean: the caller must know. */
static void CLEAN_of_a_file_that_cannot_be_removed_is_an_error(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("bk/stale.db", "old");
    bdb_change_mode("bk", 0500);

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_BACKUP_CLEAN_FAILURE);
    assert_int_not_equal(ret, 0);
    bdb_assert_unharmed(s);
    bdb_change_mode("bk", 0700);
    bdb_sample_end(s);
}

/* A call that can only fail must not first remove the backup that one still has. */
static void CLEAN_of_a_backup_that_is_refused_keeps_the_earlier_one(void **state)
{
    (void)state;
    char dir[PATH_MAX];
    bdb_layout layout = {.home = "home", .databases = {{.file = "a.db", .rows = 60}}};
    layout.data_dirs[0] = bdb_absolute("far-away", dir, sizeof dir);
    bdb_sample *s = bdb_sample_new(&layout);
    bdb_layout earlier = bdb_copy_at(&s->layout, "bk", true);
    assert_int_equal(bdb_backup(s, "bk", DB_CREATE | DB_BACKUP_SINGLE_DIR), 0);

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_BACKUP_REFUSED_UNTOUCHED);
    assert_int_equal(ret, EINVAL);
    bdb_assert_nothing_changed(s);
    bdb_assert_copy_holds(&earlier);
    bdb_sample_end(s);
}

const hp_case bdb_clean_cases[] = {
    HP_CASE(CLEAN_removes_the_files_of_the_target, HP_BDB_BACKUP_CLEAN),
    HP_CASE(CLEAN_with_CREATE_makes_a_fresh_target, HP_BDB_BACKUP_CLEAN),
    HP_CASE(CLEAN_removes_files_below_the_target, HP_BDB_BACKUP_CLEAN_TREE),
    HP_CASE(CLEAN_removes_stale_databases_of_a_data_directory, HP_BDB_BACKUP_CLEAN_TREE),
    HP_CASE(CLEAN_removes_stale_logs_of_the_log_directory, HP_BDB_BACKUP_CLEAN_TREE),
    HP_CASE(CLEAN_removes_a_link_and_not_the_file_behind_it, HP_BDB_BACKUP_CLEAN_STAYS_INSIDE),
    HP_CASE(CLEAN_does_not_clean_behind_a_link_to_a_directory, HP_BDB_BACKUP_CLEAN_STAYS_INSIDE),
    HP_CASE(CLEAN_removes_dangling_links_and_links_to_directories, HP_BDB_BACKUP_CLEAN_TREE),
    HP_CASE(CLEAN_of_a_file_that_cannot_be_removed_is_an_error, HP_BDB_BACKUP_CLEAN_FAILURE),
    HP_CASE(
        CLEAN_of_a_backup_that_is_refused_keeps_the_earlier_one, HP_BDB_BACKUP_REFUSED_UNTOUCHED),
    HP_CASE_END,
};
