/*
 * The backup utility beside the functions: what the manual's page of db_hotbackup says of it. The
 * environment stays open in the process of the case, so that the utility finds it in use.
 */
#include "bdb_cases.h"
#include "bdb_support.h"
#include "utility.h"

#include <string.h>
#include <db.h>

static const bdb_layout with_data_dir = {
    .home = "home",
    .data_dirs = {"data"},
    .databases = {{.file = "a.db", .dir = "data", .rows = 60}},
};

static bdb_sample *new_sample(const bdb_layout *layout)
{
    bdb_utility_need();
    return bdb_sample_new(layout); /* which takes the snapshot that the assertions compare with */
}

/* The directory is told by the program that is open; the utility has DB_CONFIG to learn it from. */
static bdb_sample *new_sample_with_config(void)
{
    bdb_sample *s = new_sample(&with_data_dir);

    bdb_write_file("home/DB_CONFIG", "add_data_dir data\n");
    bdb_watch(s);
    return s;
}

/* What was committed before the run is in the copy, and the environment can go on. */
static void a_copy_by_the_utility_recovers_to_all_committed_rows(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);
    bdb_make_dir("bk");

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_RECOVERS);
    hp_promise(HP_BDB_UTILITY_EXIT);
    assert_int_equal(run->status, 0);
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* The target need not be there. */
static void the_utility_makes_a_missing_target_directory(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_CREATES_TARGET);
    assert_int_equal(run->status, 0);
    assert_int_equal(bdb_mode("bk"), 0700);
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Where to is not guessed. */
static void the_utility_without_a_target_fails_and_touches_nothing(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);

    const bdb_utility_run *run = bdb_utility("-h", "home");

    hp_promise(HP_BDB_UTILITY_EXIT);
    assert_int_not_equal(run->status, 0);
    hp_promise(HP_BDB_UTILITY_USAGE_UNTOUCHED);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* Where from is not guessed, either: neither option nor DB_HOME says it. */
static void the_utility_without_a_home_fails_and_touches_nothing(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);

    const bdb_utility_run *run = bdb_utility("-b", "bk");

    hp_promise(HP_BDB_UTILITY_EXIT);
    assert_int_not_equal(run->status, 0);
    hp_promise(HP_BDB_UTILITY_USAGE_UNTOUCHED);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* The utility removes what the target holds: of all targets its own source must not be one. */
static void the_utility_refuses_the_home_as_its_target(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "home");

    hp_promise(HP_BDB_UTILITY_TARGET_IS_SOURCE);
    bdb_assert_nothing_changed(s);
    assert_int_not_equal(run->status, 0);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* With -D the copy has the directories of DB_CONFIG, and DB_CONFIG to be opened by. */
static void the_utility_with_D_keeps_the_directories_of_DB_CONFIG(void **state)
{
    (void)state;
    bdb_sample *s = new_sample_with_config();

    const bdb_utility_run *run = bdb_utility("-D", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_CONFIG_DIRS);
    assert_int_equal(run->status, 0);
    assert_true(bdb_exists("bk/data/a.db"));
    assert_false(bdb_exists("bk/a.db"));
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Without -D there is one directory. */
static void the_utility_without_D_puts_all_files_into_the_target(void **state)
{
    (void)state;
    bdb_sample *s = new_sample_with_config();

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_ONE_DIRECTORY);
    assert_int_equal(run->status, 0);
    assert_true(bdb_exists("bk/a.db"));
    assert_false(bdb_exists("bk/data"));
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Recovery is the last that needs the old log. */
static void the_utility_removes_logs_that_the_copy_does_not_need(void **state)
{
    (void)state;
    char oldest[64];
    bdb_sample *s = new_sample(&bdb_plain);
    for (int i = 0; i < 6; i++) {
        bdb_add_rows(s, 0, 500);
    }
    bdb_watch(s);
    unsigned logs = bdb_count("home", BDB_LOGS);
    if (logs < 3) {
        hp_unresolved("there are %u logs, too few for one that is not needed", logs);
    }

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_REMOVES_LOGS);
    assert_int_equal(run->status, 0);
    assert_false(
        bdb_exists(bdb_last_match("home", BDB_LOGS, logs - 1, "bk/", oldest, sizeof oldest)));
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* One can see from the output that every database was copied. */
static void the_utility_with_v_names_the_databases_that_it_copies(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);

    const bdb_utility_run *run = bdb_utility("-v", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_VERBOSE);
    assert_int_equal(run->status, 0);
    assert_non_null(strstr(run->output, "a.db"));
    assert_non_null(strstr(run->output, "b.db"));
    bdb_sample_end(s);
}

/* Asked for its version it does nothing else, whatever else the command line says. */
static void the_utility_with_V_prints_a_version_and_exits_with_0(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);

    const bdb_utility_run *run = bdb_utility("-V", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_VERSION);
    assert_int_equal(run->status, 0);
    assert_non_null(strpbrk(run->output, "0123456789"));
    bdb_assert_nothing_changed(s);
    bdb_sample_end(s);
}

/* The target is for one backup: what it held of another is not part of it. */
static void the_utility_removes_what_the_target_held(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("bk/stale.db", "old");
    bdb_write_file("bk/stale.txt", "old");
    bdb_write_file("bk/log.0000000099", "old");
    bdb_watch(s);

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_CLEANS);
    assert_int_equal(run->status, 0);
    assert_false(bdb_exists("bk/stale.db"));
    assert_false(bdb_exists("bk/stale.txt"));
    assert_false(bdb_exists("bk/log.0000000099"));
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* An earlier backup may have had directories. */
static void the_utility_removes_files_in_subdirectories_of_the_target(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);
    bdb_make_dir("bk");
    bdb_make_dir("bk/sub");
    bdb_write_file("bk/sub/stale.db", "old");
    bdb_watch(s);

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_CLEANS_TREE);
    assert_int_equal(run->status, 0);
    assert_false(bdb_exists("bk/sub/stale.db"));
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

static unsigned count_records(DB *db)
{
    DBC *cursor = NULL;
    DBT key, data;
    unsigned count = 0;

    memset(&key, 0, sizeof key);
    memset(&data, 0, sizeof data);
    assert_int_equal(db->cursor(db, NULL, &cursor, 0), 0);
    while (cursor->get(cursor, &key, &data, DB_NEXT) == 0) {
        count++;
    }
    assert_int_equal(cursor->close(cursor), 0);
    return count;
}

/* Recovery has been done: the database alone, without environment and log, has every row. */
static void the_copy_is_recovered_when_the_utility_ends(void **state)
{
    (void)state;
    DB *db = NULL;
    bdb_sample *s = new_sample(&bdb_plain);

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_RECOVERED);
    assert_int_equal(run->status, 0);
    assert_int_equal(db_create(&db, NULL, 0), 0);
    assert_int_equal(db->open(db, NULL, "bk/a.db", NULL, DB_BTREE, DB_RDONLY, 0), 0);
    assert_int_equal(count_records(db), s->layout.databases[0].rows);
    assert_int_equal(db->close(db, 0), 0);
    bdb_sample_end(s);
}

/* What the application keeps beside its databases goes with them. */
static void the_utility_copies_ordinary_files(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);
    bdb_write_noise("home/picture.raw", 70001);
    bdb_watch(s);

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_FILES);
    assert_int_equal(run->status, 0);
    bdb_assert_same_bytes("bk/picture.raw", "home/picture.raw");
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* The environment is told that the backup is over. */
static void the_flag_is_clear_when_the_utility_has_ended(void **state)
{
    (void)state;
    uint32_t flags = 0;
    bdb_sample *s = new_sample(&bdb_plain);

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_FLAG_RESET);
    assert_int_equal(run->status, 0);
    assert_int_equal(s->env->get_flags(s->env, &flags), 0);
    assert_int_equal(flags & DB_HOTBACKUP_IN_PROGRESS, 0);
    bdb_sample_end(s);
}

/* An empty directory is backed up by mistake only. */
static void the_utility_refuses_a_home_without_an_environment(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);
    bdb_make_dir("empty");
    bdb_watch(s);

    const bdb_utility_run *run = bdb_utility("-h", "empty", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_NO_ENVIRONMENT);
    assert_int_not_equal(run->status, 0);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* Either the backup is there afterwards, or the status says that it is not. */
static void the_utility_does_not_forget_a_target_below_a_missing_directory(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "vault/monday/bk");

    hp_promise(HP_BDB_UTILITY_NESTED_TARGET);
    if (run->status == 0) {
        bdb_assert_flat_backup_holds(s, "vault/monday/bk");
    } else {
        bdb_assert_nothing_changed(s);
    }
    bdb_sample_end(s);
}

/* A target that is a file is an error, and the file is as it was. */
static void the_utility_fails_if_the_target_is_a_file(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);
    bdb_write_file("bk", "a letter");
    bdb_watch(s);

    const bdb_utility_run *run = bdb_utility("-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_EXIT);
    assert_int_not_equal(run->status, 0);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

const hp_case bdb_utility_cases[] = {
    HP_CASE(a_copy_by_the_utility_recovers_to_all_committed_rows, HP_BDB_UTILITY_RECOVERS,
        HP_BDB_UTILITY_EXIT),
    HP_CASE(the_utility_makes_a_missing_target_directory, HP_BDB_UTILITY_CREATES_TARGET),
    HP_CASE(the_utility_without_a_target_fails_and_touches_nothing, HP_BDB_UTILITY_EXIT,
        HP_BDB_UTILITY_USAGE_UNTOUCHED),
    HP_CASE(the_utility_without_a_home_fails_and_touches_nothing, HP_BDB_UTILITY_EXIT,
        HP_BDB_UTILITY_USAGE_UNTOUCHED),
    HP_CASE(the_utility_refuses_the_home_as_its_target, HP_BDB_UTILITY_TARGET_IS_SOURCE),
    HP_CASE(the_utility_with_D_keeps_the_directories_of_DB_CONFIG, HP_BDB_UTILITY_CONFIG_DIRS),
    HP_CASE(the_utility_without_D_puts_all_files_into_the_target, HP_BDB_UTILITY_ONE_DIRECTORY),
    HP_CASE(the_utility_removes_logs_that_the_copy_does_not_need, HP_BDB_UTILITY_REMOVES_LOGS),
    HP_CASE(the_utility_with_v_names_the_databases_that_it_copies, HP_BDB_UTILITY_VERBOSE),
    HP_CASE(the_utility_with_V_prints_a_version_and_exits_with_0, HP_BDB_UTILITY_VERSION),
    HP_CASE(the_utility_removes_what_the_target_held, HP_BDB_UTILITY_CLEANS),
    HP_CASE(the_utility_removes_files_in_subdirectories_of_the_target, HP_BDB_UTILITY_CLEANS_TREE),
    HP_CASE(the_copy_is_recovered_when_the_utility_ends, HP_BDB_UTILITY_RECOVERED),
    HP_CASE(the_utility_copies_ordinary_files, HP_BDB_UTILITY_FILES),
    HP_CASE(the_flag_is_clear_when_the_utility_has_ended, HP_BDB_UTILITY_FLAG_RESET),
    HP_CASE(the_utility_refuses_a_home_without_an_environment, HP_BDB_UTILITY_NO_ENVIRONMENT),
    HP_CASE(the_utility_does_not_forget_a_target_below_a_missing_directory,
        HP_BDB_UTILITY_NESTED_TARGET),
    HP_CASE(the_utility_fails_if_the_target_is_a_file, HP_BDB_UTILITY_EXIT),
    HP_CASE_END,
};
