/* Environments of several directories: the copy has the same shape, file by file. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <db.h>

static const bdb_layout two_data_dirs = {
    .home = "home",
    .data_dirs = {"d1", "d2"},
    .databases = {{.file = "one.db", .dir = "d1", .rows = 50},
        {.file = "two.db", .dir = "d2", .rows = 50}},
};

static const bdb_layout with_log_dir = {
    .home = "home",
    .log_dir = "logs",
    .databases = {{.file = "a.db", .rows = 50}},
};

/* The copy can be opened with the configuration of the source. */
static void data_directories_stand_at_the_same_place_in_the_target(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&two_data_dirs);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_DATA_DIRS);
    assert_int_equal(ret, 0);
    assert_true(bdb_exists("bk/d1/one.db"));
    assert_true(bdb_exists("bk/d2/two.db"));
    assert_int_equal(bdb_count("bk", "*.db"), 2);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A relative name of several parts is a place below the target like any other. */
static void a_deep_data_directory_stands_at_the_same_place_in_the_target(void **state)
{
    (void)state;
    bdb_layout layout = {.home = "home",
        .data_dirs = {"far/down/below"},
        .databases = {{.file = "a.db", .rows = 50}}};
    bdb_make_dir("home");
    bdb_make_dir("home/far");
    bdb_make_dir("home/far/down");
    bdb_make_dir("home/far/down/below");
    bdb_sample *s = bdb_sample_in_place(&layout);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_DATA_DIRS);
    hp_promise(HP_BDB_BACKUP_CREATE_SUBDIRECTORIES);
    assert_int_equal(ret, 0);
    assert_true(bdb_exists("bk/far/down/below/a.db"));
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Subdirectories that are there need no DB_CREATE. */
static void data_directories_that_the_target_has_are_filled_without_CREATE(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&two_data_dirs);
    bdb_make_dir("bk");
    bdb_make_dir("bk/d1");
    bdb_make_dir("bk/d2");

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_BACKUP_DATA_DIRS);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Without DB_CREATE a data directory is not made, and its databases are not silently left out. */
static void a_data_directory_missing_in_the_target_returns_ENOENT(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&two_data_dirs);
    bdb_make_dir("bk");
    bdb_make_dir("bk/d1");

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_BACKUP_ENOENT_SUBDIRECTORY);
    assert_int_equal(ret, ENOENT);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* The copy's logs lie where its configuration looks for them. */
static void the_log_directory_stands_at_the_same_place_in_the_target(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&with_log_dir);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_LOG_DIR);
    assert_int_equal(ret, 0);
    assert_int_not_equal(bdb_count("bk/logs", BDB_LOGS), 0);
    assert_int_equal(bdb_count("bk", BDB_LOGS), bdb_count("bk/logs", BDB_LOGS));
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A log directory that is there needs no DB_CREATE. */
static void a_log_directory_that_the_target_has_is_filled_without_CREATE(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&with_log_dir);
    bdb_make_dir("bk");
    bdb_make_dir("bk/logs");

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_BACKUP_LOG_DIR);
    assert_int_equal(ret, 0);
    assert_int_not_equal(bdb_count("bk/logs", BDB_LOGS), 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Without DB_CREATE the log directory is not made. */
static void a_log_directory_missing_in_the_target_returns_ENOENT(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&with_log_dir);
    bdb_make_dir("bk");

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_BACKUP_ENOENT_SUBDIRECTORY);
    assert_int_equal(ret, ENOENT);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* What is configured belongs to the environment: a backup without it is not the whole. */
static void a_data_directory_missing_in_the_source_is_an_error(void **state)
{
    (void)state;
    bdb_layout layout = {
        .home = "home", .data_dirs = {"d1", "d2"}, .databases = {{.file = "one.db", .rows = 50}}};
    bdb_sample *s = bdb_sample_new(&layout);
    if (rmdir("home/d2") != 0) {
        hp_unresolved("rmdir: %s", strerror(errno));
    }

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_FAILURE_IS_NONZERO);
    assert_int_not_equal(ret, 0);
    bdb_make_dir("home/d2");
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* Two data directories may each have an "x.db"; neither may become a copy of the other. */
static void databases_of_one_name_in_two_data_directories_are_kept_apart(void **state)
{
    (void)state;
    bdb_layout layout = {
        .home = "home", .data_dirs = {"d1", "d2"}, .databases = {{.file = "x.db", .rows = 30}}};
    bdb_database second = {.file = "x.db", .dir = "d2", .rows = 70};
    bdb_sample *s = bdb_sample_new(&layout);
    bdb_make_standalone("home/d2/x.db", &second);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_SAME_NAMES_APART);
    assert_int_equal(ret, 0);
    bdb_assert_same_bytes("bk/d2/x.db", "home/d2/x.db");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* A database of a data directory must not stand in for one of the home. */
static void a_database_in_the_home_is_not_replaced_by_one_of_a_data_directory(void **state)
{
    (void)state;
    bdb_layout layout = {
        .home = "home", .data_dirs = {"d1"}, .databases = {{.file = "x.db", .rows = 30}}};
    bdb_database at_home = {.file = "x.db", .dir = "the home", .rows = 70};
    bdb_sample *s = bdb_sample_new(&layout);
    bdb_make_standalone("home/x.db", &at_home);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_SAME_NAMES_APART);
    assert_int_equal(ret, 0);
    bdb_assert_same_bytes("bk/x.db", "home/x.db");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* The home under the name "." is no second directory, so that DB_EXCL does not find the backup's
 * own file. */
static void a_data_directory_that_is_the_home_is_copied_once(void **state)
{
    (void)state;
    bdb_layout layout = bdb_plain;
    layout.data_dirs[0] = ".";
    bdb_sample *s = bdb_sample_new(&layout);

    int ret = bdb_backup(s, "bk", DB_CREATE | DB_EXCL);

    hp_promise(HP_BDB_BACKUP_DATA_DIR_DOT);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

static bdb_sample *sample_with_absolute_data_dir(void)
{
    char dir[PATH_MAX];
    bdb_layout layout = {.home = "home", .databases = {{.file = "a.db", .rows = 50}}};

    layout.data_dirs[0] = bdb_absolute("far-away", dir, sizeof dir);
    bdb_sample *s = bdb_sample_new(&layout);
    s->layout.data_dirs[0] =
        "/far-away"; /* the buffer goes; what is left is that it was absolute */
    return s;
}

/* An absolute directory has no place below the target: DB_BACKUP_SINGLE_DIR is for that. */
static void an_absolute_data_directory_without_SINGLE_DIR_returns_EINVAL(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_absolute_data_dir();
    bdb_make_dir("bk");

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_BACKUP_ABSOLUTE_DATA_DIR);
    assert_int_equal(ret, EINVAL);
    bdb_assert_only_changed(s, "bk");
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* The directories are known before the first file is copied. */
static void an_absolute_data_directory_is_refused_before_the_target_is_changed(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_absolute_data_dir();

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_REFUSED_UNTOUCHED);
    assert_int_equal(ret, EINVAL);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* What holds for a data directory holds for the log directory. */
static void an_absolute_log_directory_without_SINGLE_DIR_returns_EINVAL(void **state)
{
    (void)state;
    char dir[PATH_MAX];
    bdb_layout layout = bdb_plain;
    layout.log_dir = bdb_absolute("far-away", dir, sizeof dir);
    bdb_sample *s = bdb_sample_new(&layout);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_ABSOLUTE_LOG_DIR);
    assert_int_equal(ret, EINVAL);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

const hp_case bdb_layout_cases[] = {
    HP_CASE(data_directories_stand_at_the_same_place_in_the_target, HP_BDB_BACKUP_DATA_DIRS),
    HP_CASE(a_deep_data_directory_stands_at_the_same_place_in_the_target, HP_BDB_BACKUP_DATA_DIRS,
        HP_BDB_BACKUP_CREATE_SUBDIRECTORIES),
    HP_CASE(
        data_directories_that_the_target_has_are_filled_without_CREATE, HP_BDB_BACKUP_DATA_DIRS),
    HP_CASE(
        a_data_directory_missing_in_the_target_returns_ENOENT, HP_BDB_BACKUP_ENOENT_SUBDIRECTORY),
    HP_CASE(the_log_directory_stands_at_the_same_place_in_the_target, HP_BDB_BACKUP_LOG_DIR),
    HP_CASE(a_log_directory_that_the_target_has_is_filled_without_CREATE, HP_BDB_BACKUP_LOG_DIR),
    HP_CASE(
        a_log_directory_missing_in_the_target_returns_ENOENT, HP_BDB_BACKUP_ENOENT_SUBDIRECTORY),
    HP_CASE(a_data_directory_missing_in_the_source_is_an_error, HP_BDB_BACKUP_FAILURE_IS_NONZERO),
    HP_CASE(databases_of_one_name_in_two_data_directories_are_kept_apart,
        HP_BDB_BACKUP_SAME_NAMES_APART),
    HP_CASE(a_database_in_the_home_is_not_replaced_by_one_of_a_data_directory,
        HP_BDB_BACKUP_SAME_NAMES_APART),
    HP_CASE(a_data_directory_that_is_the_home_is_copied_once, HP_BDB_BACKUP_DATA_DIR_DOT),
    HP_CASE(an_absolute_data_directory_without_SINGLE_DIR_returns_EINVAL,
        HP_BDB_BACKUP_ABSOLUTE_DATA_DIR),
    HP_CASE(an_absolute_data_directory_is_refused_before_the_target_is_changed,
        HP_BDB_BACKUP_REFUSED_UNTOUCHED),
    HP_CASE(an_absolute_log_directory_without_SINGLE_DIR_returns_EINVAL,
        HP_BDB_BACKUP_ABSOLUTE_LOG_DIR),
    HP_CASE_END,
};
