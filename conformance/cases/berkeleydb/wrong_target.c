/* Targets that cannot hold a backup, above all those that would cost the source. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <string.h>
#include <db.h>

static const bdb_layout with_log_dir = {
    .home = "home",
    .data_dirs = {"data"},
    .log_dir = "logs",
    .databases = {{.file = "a.db", .dir = "data", .rows = 60}},
};

/* A backup that must be refused: any error, a message that names the target, and no harm done. */
static void assert_refused(const bdb_layout *layout, const char *target, uint32_t flags,
    hp_clause_id clause, const char *name)
{
    bdb_sample *s = bdb_sample_new(layout);

    int ret = bdb_backup(s, target, flags);

    hp_promise(clause);
    bdb_assert_nothing_changed(s);
    assert_int_not_equal(ret, 0);
    bdb_assert_error_names(name);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* A target that is a file is refused, and the file is as it was. */
static void backup_into_a_file_returns_ENOTDIR(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_file("bk", "a letter");

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_BACKUP_TARGET_IS_A_FILE);
    assert_int_equal(ret, ENOTDIR);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* Nor does DB_CREATE put a directory in the place of a file. */
static void backup_with_CREATE_into_a_file_returns_ENOTDIR(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_file("bk", "a letter");

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_TARGET_IS_A_FILE);
    assert_int_equal(ret, ENOTDIR);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* Only callbacks can do without a target. */
static void backup_to_a_NULL_target_without_callbacks_returns_EINVAL(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = bdb_backup(s, NULL, DB_CREATE);

    hp_promise(HP_BDB_BACKUP_NULL_TARGET);
    assert_int_equal(ret, EINVAL);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* An empty name is no directory: not the root, which EACCES would mean, and not the current one. */
static void assert_empty_name_refused(uint32_t flags)
{
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = bdb_backup(s, "", flags);

    hp_promise(HP_BDB_BACKUP_EMPTY_TARGET);
    assert_true(ret == EINVAL || ret == ENOENT);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* An empty target name must never be taken for the root directory. */
static void backup_to_an_empty_target_name_is_refused(void **state)
{
    (void)state;
    assert_empty_name_refused(0);
}

/* DB_CREATE cannot create a directory without a name. */
static void backup_with_CREATE_to_an_empty_target_name_is_refused(void **state)
{
    (void)state;
    assert_empty_name_refused(DB_CREATE);
}

/* A name that the file system cannot take is an error, not a backup somewhere else. */
static void backup_to_a_target_name_that_is_too_long_is_refused(void **state)
{
    (void)state;
    char target[3000];
    memset(target, 'x', sizeof target);
    target[sizeof target - 1] = '\0';
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = bdb_backup(s, target, DB_CREATE);

    hp_promise(HP_BDB_BACKUP_FAILURE_IS_NONZERO);
    assert_int_not_equal(ret, 0);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* A backup onto its own source would truncate what it is about to read. */
static void backup_into_its_own_home_is_refused(void **state)
{
    (void)state;
    assert_refused(&bdb_plain, "home", 0, HP_BDB_BACKUP_TARGET_IS_SOURCE, "home");
}

/* Cleaning the target would remove the source before the first byte is copied. */
static void backup_with_CLEAN_into_its_own_home_is_refused(void **state)
{
    (void)state;
    assert_refused(&bdb_plain, "home", DB_BACKUP_CLEAN, HP_BDB_BACKUP_TARGET_IS_SOURCE, "home");
}

/* The home is the home however it is written. */
static void backup_into_its_home_under_another_spelling_is_refused(void **state)
{
    (void)state;
    bdb_make_dir("aside");
    assert_refused(
        &bdb_plain, "./aside/../home/.", 0, HP_BDB_BACKUP_TARGET_IS_SOURCE, "aside/../home");
}

/* A link to the home is the home. */
static void backup_into_a_link_to_its_home_is_refused(void **state)
{
    (void)state;
    bdb_make_link("home", "elsewhere");
    assert_refused(&bdb_plain, "elsewhere", 0, HP_BDB_BACKUP_TARGET_IS_SOURCE, "elsewhere");
}

/* What holds for the home holds for a data directory. */
static void backup_into_its_data_directory_is_refused(void **state)
{
    (void)state;
    assert_refused(&with_log_dir, "home/data", DB_BACKUP_SINGLE_DIR, HP_BDB_BACKUP_TARGET_IS_SOURCE,
        "home/data");
}

/* What holds for the home holds for the log directory. */
static void backup_into_its_log_directory_is_refused(void **state)
{
    (void)state;
    assert_refused(&with_log_dir, "home/logs", DB_BACKUP_SINGLE_DIR, HP_BDB_BACKUP_TARGET_IS_SOURCE,
        "home/logs");
}

/* The log directory belongs to the logs: a copy below it is in the way of whoever archives them. */
static void backup_below_its_log_directory_is_refused(void **state)
{
    (void)state;
    assert_refused(
        &with_log_dir, "home/logs/bk", DB_CREATE, HP_BDB_BACKUP_TARGET_IN_LOG_DIR, "home/logs/bk");
}

/* A target that holds the source may be written over, or cleaned, with the source in it. */
static void backup_into_a_directory_above_its_source_is_refused(void **state)
{
    (void)state;
    bdb_layout layout = bdb_plain;
    layout.home = "outer/home";
    bdb_make_dir("outer");
    assert_refused(&layout, "outer", 0, HP_BDB_BACKUP_TARGET_ABOVE_SOURCE, "outer");
}

/* DB_BACKUP_CLEAN empties the tree below the target, and the source is in it. */
static void backup_with_CLEAN_into_a_directory_above_its_source_is_refused(void **state)
{
    (void)state;
    bdb_layout layout = bdb_plain;
    layout.home = "outer/home";
    bdb_make_dir("outer");
    bdb_write_file("outer/diary.txt", "not to be cleaned away");
    assert_refused(&layout, "outer", DB_BACKUP_CLEAN, HP_BDB_BACKUP_TARGET_ABOVE_SOURCE, "outer");
}

/* A directory of its own below the home is a place like another. */
static void backup_below_its_home_works(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = bdb_backup(s, "home/bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_TARGET_IN_HOME);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "home/bk");
    bdb_sample_end(s);
}

/* DB_BACKUP_FILES takes the home's subdirectories, but not the one that it is filling. */
static void backup_of_ordinary_files_below_its_home_does_not_copy_itself(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_file("home/notes.txt", "ordinary");

    assert_int_equal(bdb_backup(s, "home/bk", DB_CREATE | DB_BACKUP_FILES), 0);
    int ret = bdb_backup(s, "home/bk", DB_CREATE | DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_TARGET_IN_HOME);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds("home/bk/notes.txt", "ordinary");
    assert_int_equal(bdb_count("home", "bk"), 1);
    bdb_assert_backup_holds(s, "home/bk");
    bdb_sample_end(s);
}

/* Either the link is replaced or the backup is refused; what the link leads to is never written to.
 */
static void assert_link_is_no_way_out(bdb_sample *s, const char *target, uint32_t flags)
{
    int ret = bdb_backup(s, target, flags);

    hp_promise(HP_BDB_BACKUP_SYMLINK_IN_TARGET);
    bdb_assert_only_changed(s, target);
    if (ret == 0) {
        bdb_assert_backup_holds(s, target);
    } else {
        bdb_assert_error_names(target);
    }
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* A link where a database goes does not lead the write to another file. */
static void a_link_in_the_target_is_not_written_through(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("precious.txt", "outside the target");
    bdb_make_link("../precious.txt", "bk/a.db");

    assert_link_is_no_way_out(s, "bk", 0);
}

/* A link where a log goes does not lead the write to another file. */
static void a_link_in_the_place_of_a_log_is_not_written_through(void **state)
{
    (void)state;
    char log[64];
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("precious.txt", "outside the target");
    bdb_make_link("../precious.txt", bdb_last_match("home", BDB_LOGS, 0, "bk/", log, sizeof log));

    assert_link_is_no_way_out(s, "bk", 0);
}

/* A dangling link does not make the backup create what it names. */
static void a_dangling_link_in_the_target_is_not_written_through(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_make_link("../not-there", "bk/b.db");

    assert_link_is_no_way_out(s, "bk", 0);
}

/* A link where a data directory goes does not lead its databases out of the target. */
static void a_link_in_the_place_of_a_data_directory_is_not_written_through(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&with_log_dir);
    bdb_make_dir("bk");
    bdb_make_dir("elsewhere");
    bdb_make_link("../elsewhere", "bk/data");

    assert_link_is_no_way_out(s, "bk", DB_CREATE);
}

const hp_case bdb_wrong_target_cases[] = {
    HP_CASE(backup_into_a_file_returns_ENOTDIR, HP_BDB_BACKUP_TARGET_IS_A_FILE),
    HP_CASE(backup_with_CREATE_into_a_file_returns_ENOTDIR, HP_BDB_BACKUP_TARGET_IS_A_FILE),
    HP_CASE(backup_to_a_NULL_target_without_callbacks_returns_EINVAL, HP_BDB_BACKUP_NULL_TARGET),
    HP_CASE(backup_to_an_empty_target_name_is_refused, HP_BDB_BACKUP_EMPTY_TARGET),
    HP_CASE(backup_with_CREATE_to_an_empty_target_name_is_refused, HP_BDB_BACKUP_EMPTY_TARGET),
    HP_CASE(backup_to_a_target_name_that_is_too_long_is_refused, HP_BDB_BACKUP_FAILURE_IS_NONZERO),
    HP_CASE(backup_into_its_own_home_is_refused, HP_BDB_BACKUP_TARGET_IS_SOURCE),
    HP_CASE(backup_with_CLEAN_into_its_own_home_is_refused, HP_BDB_BACKUP_TARGET_IS_SOURCE),
    HP_CASE(backup_into_its_home_under_another_spelling_is_refused, HP_BDB_BACKUP_TARGET_IS_SOURCE),
    HP_CASE(backup_into_a_link_to_its_home_is_refused, HP_BDB_BACKUP_TARGET_IS_SOURCE),
    HP_CASE(backup_into_its_data_directory_is_refused, HP_BDB_BACKUP_TARGET_IS_SOURCE),
    HP_CASE(backup_into_its_log_directory_is_refused, HP_BDB_BACKUP_TARGET_IS_SOURCE),
    HP_CASE(backup_below_its_log_directory_is_refused, HP_BDB_BACKUP_TARGET_IN_LOG_DIR),
    HP_CASE(backup_into_a_directory_above_its_source_is_refused, HP_BDB_BACKUP_TARGET_ABOVE_SOURCE),
    HP_CASE(backup_with_CLEAN_into_a_directory_above_its_source_is_refused,
        HP_BDB_BACKUP_TARGET_ABOVE_SOURCE),
    HP_CASE(backup_below_its_home_works, HP_BDB_BACKUP_TARGET_IN_HOME),
    HP_CASE(
        backup_of_ordinary_files_below_its_home_does_not_copy_itself, HP_BDB_BACKUP_TARGET_IN_HOME),
    HP_CASE(a_link_in_the_target_is_not_written_through, HP_BDB_BACKUP_SYMLINK_IN_TARGET),
    HP_CASE(a_link_in_the_place_of_a_log_is_not_written_through, HP_BDB_BACKUP_SYMLINK_IN_TARGET),
    HP_CASE(a_dangling_link_in_the_target_is_not_written_through, HP_BDB_BACKUP_SYMLINK_IN_TARGET),
    HP_CASE(a_link_in_the_place_of_a_data_directory_is_not_written_through,
        HP_BDB_BACKUP_SYMLINK_IN_TARGET),
    HP_CASE_END,
};
