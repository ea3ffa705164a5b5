/* DB_BACKUP_SINGLE_DIR: all files in the target itself, whatever directories they come from. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <limits.h>
#include <db.h>

/* Neither data directories nor the log directory are made below the target. */
static void SINGLE_DIR_places_every_file_in_the_target_itself(void **state)
{
    (void)state;
    bdb_layout layout = {.home = "home",
        .data_dirs = {"d1", "d2"},
        .log_dir = "logs",
        .databases = {{.file = "one.db", .dir = "d1", .rows = 50},
            {.file = "two.db", .dir = "d2", .rows = 50}}};
    bdb_sample *s = bdb_sample_new(&layout);
    bdb_make_dir("bk");

    int ret = bdb_backup(s, "bk", DB_BACKUP_SINGLE_DIR);

    hp_promise(HP_BDB_BACKUP_SINGLE_DIR);
    assert_int_equal(ret, 0);
    assert_true(bdb_exists("bk/one.db"));
    assert_true(bdb_exists("bk/two.db"));
    assert_false(bdb_exists("bk/d1"));
    assert_false(bdb_exists("bk/d2"));
    assert_false(bdb_exists("bk/logs"));
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* DB_BACKUP_SINGLE_DIR is the documented way to back up absolute data directories. */
static void SINGLE_DIR_backs_up_an_absolute_data_directory(void **state)
{
    (void)state;
    char dir[PATH_MAX];
    bdb_layout layout = {.home = "home", .databases = {{.file = "a.db", .rows = 50}}};
    layout.data_dirs[0] = bdb_absolute("far-away", dir, sizeof dir);
    bdb_sample *s = bdb_sample_new(&layout);
    bdb_make_dir("bk");

    int ret = bdb_backup(s, "bk", DB_BACKUP_SINGLE_DIR);

    hp_promise(HP_BDB_BACKUP_SINGLE_DIR_ABSOLUTE);
    assert_int_equal(ret, 0);
    assert_true(bdb_exists("bk/a.db"));
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* DB_BACKUP_SINGLE_DIR is the documented way to back up an absolute log directory. */
static void SINGLE_DIR_backs_up_an_absolute_log_directory(void **state)
{
    (void)state;
    char dir[PATH_MAX];
    bdb_layout layout = bdb_plain;
    layout.log_dir = bdb_absolute("far-away", dir, sizeof dir);
    bdb_sample *s = bdb_sample_new(&layout);
    bdb_make_dir("bk");

    int ret = bdb_backup(s, "bk", DB_BACKUP_SINGLE_DIR);

    hp_promise(HP_BDB_BACKUP_SINGLE_DIR_ABSOLUTE);
    assert_int_equal(ret, 0);
    assert_int_not_equal(bdb_count("bk", BDB_LOGS), 0);
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

static bdb_sample *sample_of_same_names(void)
{
    bdb_layout layout = {
        .home = "home", .data_dirs = {"d1", "d2"}, .databases = {{.file = "x.db", .rows = 30}}};
    bdb_database second = {.file = "x.db", .dir = "d2", .rows = 70};
    bdb_sample *s = bdb_sample_new(&layout);

    bdb_make_standalone("home/d2/x.db", &second);
    bdb_make_dir("bk");
    return s;
}

/* The second of two databases of one name finds the first one in the target. */
static void SINGLE_DIR_with_EXCL_and_two_databases_of_one_name_returns_EEXIST(void **state)
{
    (void)state;
    bdb_sample *s = sample_of_same_names();

    int ret = bdb_backup(s, "bk", DB_BACKUP_SINGLE_DIR | DB_EXCL);

    hp_promise(HP_BDB_BACKUP_SINGLE_DIR_EXCL);
    assert_int_equal(ret, EEXIST);
    bdb_assert_only_changed(s, "bk");
    bdb_sample_end(s);
}

/* Without DB_EXCL one of the two would overwrite the other, and nobody would know before the
 * restore. */
static void SINGLE_DIR_does_not_lose_one_of_two_databases_of_one_name(void **state)
{
    (void)state;
    bdb_sample *s = sample_of_same_names();

    int ret = bdb_backup(s, "bk", DB_BACKUP_SINGLE_DIR);

    hp_promise(HP_BDB_BACKUP_SINGLE_DIR_COLLISION);
    assert_int_not_equal(ret, 0);
    bdb_assert_error_names("x.db");
    bdb_assert_nothing_changed(s);
    bdb_sample_end(s);
}

/* What holds for databases holds for ordinary files. */
static void SINGLE_DIR_does_not_lose_one_of_two_ordinary_files_of_one_name(void **state)
{
    (void)state;
    bdb_layout layout = bdb_plain;
    layout.data_dirs[0] = "d1";
    bdb_sample *s = bdb_sample_new(&layout);
    bdb_make_dir("bk");
    bdb_write_file("home/notes.txt", "of the home");
    bdb_write_file("home/d1/notes.txt", "of the data directory");

    int ret = bdb_backup(s, "bk", DB_BACKUP_SINGLE_DIR | DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_SINGLE_DIR_COLLISION);
    assert_int_not_equal(ret, 0);
    bdb_assert_error_names("notes.txt");
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* Which error it is the manual does not say; that it comes first is what makes it harmless. */
static void SINGLE_DIR_with_two_files_of_one_name_returns_EEXIST(void **state)
{
    (void)state;
    bdb_sample *s = sample_of_same_names();
    bdb_write_file("bk/earlier.db", "an earlier backup");

    int ret = bdb_backup(s, "bk", DB_BACKUP_SINGLE_DIR | DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_BACKUP_SINGLE_DIR_COLLISION_EEXIST);
    assert_int_equal(ret, EEXIST);
    bdb_assert_nothing_changed(s);
    bdb_sample_end(s);
}

const hp_case bdb_single_dir_cases[] = {
    HP_CASE(SINGLE_DIR_places_every_file_in_the_target_itself, HP_BDB_BACKUP_SINGLE_DIR),
    HP_CASE(SINGLE_DIR_backs_up_an_absolute_data_directory, HP_BDB_BACKUP_SINGLE_DIR_ABSOLUTE),
    HP_CASE(SINGLE_DIR_backs_up_an_absolute_log_directory, HP_BDB_BACKUP_SINGLE_DIR_ABSOLUTE),
    HP_CASE(SINGLE_DIR_with_EXCL_and_two_databases_of_one_name_returns_EEXIST,
        HP_BDB_BACKUP_SINGLE_DIR_EXCL),
    HP_CASE(SINGLE_DIR_does_not_lose_one_of_two_databases_of_one_name,
        HP_BDB_BACKUP_SINGLE_DIR_COLLISION),
    HP_CASE(SINGLE_DIR_does_not_lose_one_of_two_ordinary_files_of_one_name,
        HP_BDB_BACKUP_SINGLE_DIR_COLLISION),
    HP_CASE(SINGLE_DIR_with_two_files_of_one_name_returns_EEXIST,
        HP_BDB_BACKUP_SINGLE_DIR_COLLISION_EEXIST),
    HP_CASE_END,
};
