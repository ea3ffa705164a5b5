/* Which files a backup holds: databases, logs, and the ordinary files beside them. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <db.h>

/* An application keeps more in its environment than databases. */
static void FILES_copies_ordinary_files_byte_for_byte(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("home/notes.txt", "ordinary");
    bdb_write_file("home/empty", "");
    bdb_write_noise("home/picture.raw", 300001);

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_FILES);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds("bk/notes.txt", "ordinary");
    bdb_assert_file_holds("bk/empty", "");
    bdb_assert_same_bytes("bk/picture.raw", "home/picture.raw");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* DB_CONFIG is an ordinary file: the copy needs it to find its directories. */
static void FILES_copies_DB_CONFIG(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("home/DB_CONFIG", "# nothing is set here\n");

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_FILES);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds("bk/DB_CONFIG", "# nothing is set here\n");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Only what has the name of a log file is one. */
static void FILES_copies_a_file_whose_name_begins_like_a_log(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("home/log.txt", "a ship's log");

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_FILES);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds("bk/log.txt", "a ship's log");
    bdb_sample_end(s);
}

/* Ordinary files of a data directory go with its databases. */
static void FILES_copies_ordinary_files_of_a_data_directory(void **state)
{
    (void)state;
    bdb_layout layout = bdb_plain;
    layout.data_dirs[0] = "data";
    bdb_sample *s = bdb_sample_new(&layout);
    bdb_write_file("home/data/notes.txt", "ordinary");

    int ret = bdb_backup(s, "bk", DB_CREATE | DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_FILES);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds("bk/data/notes.txt", "ordinary");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* The environment's subdirectories belong to it. */
static void FILES_copies_ordinary_files_of_subdirectories(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("home/sub");
    bdb_make_dir("home/sub/deep");
    bdb_write_file("home/sub/notes.txt", "ordinary");
    bdb_write_file("home/sub/deep/notes.txt", "deeper");

    int ret = bdb_backup(s, "bk", DB_CREATE | DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_FILES_SUBDIRECTORIES);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds("bk/sub/notes.txt", "ordinary");
    bdb_assert_file_holds("bk/sub/deep/notes.txt", "deeper");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A plain backup is of databases and logs. */
static void backup_without_FILES_leaves_ordinary_files_behind(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_make_dir("home/sub");
    bdb_write_file("home/notes.txt", "ordinary");
    bdb_write_file("home/sub/notes.txt", "ordinary");
    bdb_write_file("home/DB_CONFIG", "# nothing is set here\n");

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_BACKUP_WITHOUT_FILES);
    assert_int_equal(ret, 0);
    assert_int_equal(bdb_count("bk", "notes.txt"), 0);
    assert_int_equal(bdb_count("bk", "DB_CONFIG"), 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* In a single directory the directories that DB_CONFIG names do not exist. */
static void FILES_with_SINGLE_DIR_leaves_DB_CONFIG_behind(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("home/notes.txt", "ordinary");
    bdb_write_file("home/DB_CONFIG", "set_data_dir data\n");

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES | DB_BACKUP_SINGLE_DIR);

    hp_promise(HP_BDB_BACKUP_SINGLE_DIR_NO_CONFIG);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds("bk/notes.txt", "ordinary");
    assert_false(bdb_exists("bk/DB_CONFIG"));
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Databases alone; whoever has the logs elsewhere adds them and recovers. */
static void NO_LOGS_copies_no_log(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");

    int ret = bdb_backup(s, "bk", DB_BACKUP_NO_LOGS);

    hp_promise(HP_BDB_BACKUP_NO_LOGS);
    assert_int_equal(ret, 0);
    bdb_assert_only_changed(s, "bk");
    assert_int_equal(bdb_count("bk", BDB_LOGS), 0);
    bdb_copy_files("home", BDB_LOGS, "bk");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A name with a directory in it is a name under the file naming rules. */
static void backup_copies_a_database_in_a_subdirectory(void **state)
{
    (void)state;
    bdb_layout layout = {.home = "home",
        .databases = {{.file = "a.db", .rows = 40}, {.file = "sub/s.db", .rows = 40}}};
    bdb_make_dir("home");
    bdb_make_dir("home/sub");
    bdb_sample *s = bdb_sample_in_place(&layout);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_ALL_FILES);
    assert_int_equal(ret, 0);
    assert_true(bdb_exists("bk/sub/s.db"));
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A database belongs to the environment whether or not a handle is open on it. */
static void backup_copies_a_database_that_nobody_has_open(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", false);
    bdb_sample_reopen(s);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_BACKUP_ALL_FILES);
    assert_int_equal(ret, 0);
    bdb_assert_copy_holds(
        &copy); /* a library may log that it opened the database: no look at the source */
    bdb_sample_end(s);
}

/* A database of no particular name is a database. */
static void backup_copies_a_database_whatever_its_name(void **state)
{
    (void)state;
    bdb_layout layout = {.home = "home",
        .databases = {{.file = "ledger", .rows = 40}, {.file = ".hidden", .rows = 40},
            {.file = "with space.data", .rows = 40}}};
    bdb_sample *s = bdb_sample_new(&layout);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_ALL_FILES);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

const hp_case bdb_files_cases[] = {
    HP_CASE(FILES_copies_ordinary_files_byte_for_byte, HP_BDB_BACKUP_FILES),
    HP_CASE(FILES_copies_DB_CONFIG, HP_BDB_BACKUP_FILES),
    HP_CASE(FILES_copies_a_file_whose_name_begins_like_a_log, HP_BDB_BACKUP_FILES),
    HP_CASE(FILES_copies_ordinary_files_of_a_data_directory, HP_BDB_BACKUP_FILES),
    HP_CASE(FILES_copies_ordinary_files_of_subdirectories, HP_BDB_BACKUP_FILES_SUBDIRECTORIES),
    HP_CASE(backup_without_FILES_leaves_ordinary_files_behind, HP_BDB_BACKUP_WITHOUT_FILES),
    HP_CASE(FILES_with_SINGLE_DIR_leaves_DB_CONFIG_behind, HP_BDB_BACKUP_SINGLE_DIR_NO_CONFIG),
    HP_CASE(NO_LOGS_copies_no_log, HP_BDB_BACKUP_NO_LOGS),
    HP_CASE(backup_copies_a_database_in_a_subdirectory, HP_BDB_BACKUP_ALL_FILES),
    HP_CASE(backup_copies_a_database_that_nobody_has_open, HP_BDB_BACKUP_ALL_FILES),
    HP_CASE(backup_copies_a_database_whatever_its_name, HP_BDB_BACKUP_ALL_FILES),
    HP_CASE_END,
};
