/* The options of the backup utility, one by one: what the manual's page of db_hotbackup says. */
#include "bdb_cases.h"
#include "bdb_support.h"
#include "utility.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <db.h>

static const bdb_layout with_data_dirs = {
    .home = "home",
    .data_dirs = {"d1", "d2"},
    .databases = {{.file = "one.db", .dir = "d1", .rows = 40},
        {.file = "two.db", .dir = "d2", .rows = 40}},
};

static const bdb_layout with_log_dir = {
    .home = "home",
    .log_dir = "logs",
    .databases = {{.file = "a.db", .rows = 60}},
};

static const bdb_layout with_both = {
    .home = "home",
    .data_dirs = {"data"},
    .log_dir = "logs",
    .databases = {{.file = "a.db", .dir = "data", .rows = 60}},
};

static bdb_sample *new_sample(const bdb_layout *layout)
{
    bdb_utility_need();
    return bdb_sample_new(layout);
}

/* Has several logs, of which a recovered copy needs the last alone. */
static bdb_sample *sample_with_logs(void)
{
    bdb_sample *s = new_sample(&bdb_plain);

    for (int i = 0; i < 6; i++) {
        bdb_add_rows(s, 0, 500);
    }
    if (bdb_count("home", BDB_LOGS) < 3) {
        hp_unresolved("too few logs for one that is not needed");
    }
    bdb_watch(s);
    return s;
}

/* -c: the checkpoint makes old logs superfluous, and they go. At rest, since an environment's owner
 * may keep checkpoints to itself. */
static void the_utility_with_c_removes_logs_of_the_source(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_logs();
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", true);
    unsigned logs = bdb_count("home", BDB_LOGS);
    bdb_sample_renew(s);

    const bdb_utility_run *run = bdb_utility("-c", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_CHECKPOINT);
    assert_int_equal(run->status, 0);
    assert_in_range(bdb_count("home", BDB_LOGS), 1, logs - 1);
    bdb_assert_copy_holds(&copy);
    assert_int_equal(bdb_env_open(s->env, &s->layout), 0);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* -d: a directory that no DB_CONFIG names. */
static void the_utility_with_d_copies_the_databases_of_that_directory(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&with_data_dirs);

    const bdb_utility_run *run = bdb_utility("-d", "d1", "-d", "d2", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_DATA_DIR);
    assert_int_equal(run->status, 0);
    assert_true(bdb_exists("bk/one.db"));
    assert_true(bdb_exists("bk/two.db"));
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* -l: a relative directory is one below the home. */
static void the_utility_with_l_copies_the_logs_of_that_directory(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&with_log_dir);

    const bdb_utility_run *run = bdb_utility("-l", "logs", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_LOG_DIR);
    assert_int_equal(run->status, 0);
    assert_int_not_equal(bdb_count("bk", BDB_LOGS), 0);
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* -F: files that nobody writes to need no care. */
static void the_utility_with_F_copies_an_environment_at_rest(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", true);
    bdb_sample_end(s);

    const bdb_utility_run *run = bdb_utility("-F", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_FILE_SYSTEM);
    assert_int_equal(run->status, 0);
    bdb_assert_copy_holds(&copy);
}

/* -F is there for environments that cannot be joined: one whose regions are gone, for example. */
static void the_utility_with_F_copies_an_environment_without_regions(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", true);
    bdb_sample_end(s);
    for (int i = 1; i < 10; i++) {
        char region[64];

        (void)snprintf(region, sizeof region, "home/__db.%03d", i);
        (void)unlink(region);
    }

    const bdb_utility_run *run = bdb_utility("-F", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_FILE_SYSTEM);
    assert_int_equal(run->status, 0);
    bdb_assert_copy_holds(&copy);
}

/* -g: whoever looks for an error wants to see what recovery had. */
static void the_utility_with_g_keeps_the_logs_of_the_copy(void **state)
{
    (void)state;
    char oldest[64];
    bdb_sample *s = sample_with_logs();
    unsigned logs = bdb_count("home", BDB_LOGS);

    const bdb_utility_run *run = bdb_utility("-g", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_KEEPS_LOGS);
    assert_int_equal(run->status, 0);
    assert_true(
        bdb_exists(bdb_last_match("home", BDB_LOGS, logs - 1, "bk/", oldest, sizeof oldest)));
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

static bdb_sample *sample_with_config(const char *config)
{
    bdb_sample *s = new_sample(&with_both);

    bdb_write_file("home/DB_CONFIG", config);
    bdb_watch(s);
    return s;
}

/* -D: the copy is opened by its DB_CONFIG, and by nothing else. */
static void the_utility_with_D_copies_DB_CONFIG(void **state)
{
    (void)state;
    static const char config[] = "add_data_dir data\nset_lg_dir logs\n";
    bdb_layout by_config = bdb_copy_at(&with_both, "bk", true);
    bdb_sample *s = sample_with_config(config);

    const bdb_utility_run *run = bdb_utility("-D", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_CONFIG_COPIED);
    assert_int_equal(run->status, 0);
    bdb_assert_file_holds("bk/DB_CONFIG", config);
    bdb_assert_only_changed(s, "bk");
    DB_ENV *env = bdb_recover(&by_config);
    bdb_assert_rows(env, &with_both.databases[0]);
    bdb_env_end(env);
    bdb_sample_end(s);
}

/* -D: the log directory is one of DB_CONFIG's directories. */
static void the_utility_with_D_keeps_the_log_directory_of_DB_CONFIG(void **state)
{
    (void)state;
    bdb_sample *s = sample_with_config("add_data_dir data\nset_lg_dir logs\n");

    const bdb_utility_run *run = bdb_utility("-D", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_CONFIG_LOGS);
    assert_int_equal(run->status, 0);
    assert_int_not_equal(bdb_count("bk/logs", BDB_LOGS), 0);
    assert_int_equal(bdb_count("bk", BDB_LOGS), bdb_count("bk/logs", BDB_LOGS));
    hp_promise(HP_BDB_UTILITY_CREATES_TARGET);
    assert_int_equal(bdb_mode("bk/data"), 0700);
    assert_int_equal(bdb_mode("bk/logs"), 0700);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* -D: with such a DB_CONFIG the copy's recovery would work on the source's files. */
static void the_utility_with_D_refuses_an_absolute_data_directory(void **state)
{
    (void)state;
    char dir[PATH_MAX], config[PATH_MAX + 32];
    bdb_layout layout = {.home = "home", .databases = {{.file = "a.db", .rows = 40}}};
    layout.data_dirs[0] = bdb_absolute("far-away", dir, sizeof dir);
    (void)snprintf(config, sizeof config, "add_data_dir %s\n", dir);
    bdb_sample *s = new_sample(&layout);
    bdb_write_file("home/DB_CONFIG", config);
    bdb_watch(s);

    const bdb_utility_run *run = bdb_utility("-D", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_CONFIG_ABSOLUTE);
    assert_int_not_equal(run->status, 0);
    bdb_assert_only_changed(s, "bk");
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* -v: the logs are the larger part of some backups. */
static void the_utility_with_v_names_the_logs_that_it_copies(void **state)
{
    (void)state;
    char log[64];
    bdb_sample *s = new_sample(&bdb_plain);

    const bdb_utility_run *run = bdb_utility("-v", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_VERBOSE);
    assert_int_equal(run->status, 0);
    assert_non_null(strstr(run->output, bdb_last_match("home", BDB_LOGS, 0, "", log, sizeof log)));
    bdb_sample_end(s);
}

/* DB_HOME: as for every program of the library. */
static void the_utility_finds_the_home_in_DB_HOME(void **state)
{
    (void)state;
    bdb_sample *s = new_sample(&bdb_plain);
    bdb_utility_set_db_home("home");

    const bdb_utility_run *run = bdb_utility("-b", "bk");

    hp_promise(HP_BDB_UTILITY_DB_HOME);
    assert_int_equal(run->status, 0);
    bdb_assert_flat_backup_holds(s, "bk");
    bdb_sample_end(s);
}

static void assert_refused(hp_clause_id clause, const char *const *arguments)
{
    bdb_sample *s = new_sample(&with_both);
    bdb_make_dir("bk");
    bdb_write_file("bk/earlier.db", "an earlier backup");
    bdb_watch(s);

    const bdb_utility_run *run = bdb_utility_call(arguments);

    hp_promise(clause);
    assert_int_not_equal(run->status, 0);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

#define REFUSED(clause, ...) \
    assert_refused(clause, (const char *const[]){__VA_ARGS__, "-h", "home", "-b", "bk", NULL})

/* Logs would be removed that the data directories given by hand still need. */
static void the_utility_refuses_c_with_d(void **state)
{
    (void)state;
    REFUSED(HP_BDB_UTILITY_CONTRADICTION, "-c", "-d", "data");
}

/* Two sources for one thing are one too many. */
static void the_utility_refuses_D_with_d(void **state)
{
    (void)state;
    REFUSED(HP_BDB_UTILITY_CONTRADICTION, "-D", "-d", "data");
}

/* Two sources for one thing are one too many. */
static void the_utility_refuses_D_with_l(void **state)
{
    (void)state;
    REFUSED(HP_BDB_UTILITY_CONTRADICTION, "-D", "-l", "logs");
}

/* What is misspelled is not guessed. */
static void the_utility_refuses_an_option_that_does_not_exist(void **state)
{
    (void)state;
    REFUSED(HP_BDB_UTILITY_UNKNOWN_OPTION, "-z");
}

/* Nor is what is left over. */
static void the_utility_refuses_an_argument_too_many(void **state)
{
    (void)state;
    REFUSED(HP_BDB_UTILITY_UNKNOWN_OPTION, "-h", "home", "-b", "bk", "leftover");
}

/* -d: the manual warns that the second would overwrite the first; an error costs nobody a database.
 */
static void the_utility_with_d_does_not_lose_one_of_two_databases_of_one_name(void **state)
{
    (void)state;
    bdb_layout layout = {
        .home = "home", .data_dirs = {"d1", "d2"}, .databases = {{.file = "x.db", .rows = 30}}};
    bdb_database second = {.file = "x.db", .dir = "d2", .rows = 70};
    bdb_sample *s = new_sample(&layout);
    bdb_make_standalone("home/d2/x.db", &second);
    bdb_watch(s);

    const bdb_utility_run *run = bdb_utility("-d", "d1", "-d", "d2", "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_SAME_NAMES);
    assert_int_not_equal(run->status, 0);
    bdb_assert_nothing_changed(s);
    bdb_sample_end(s);
}

const hp_case bdb_utility_option_cases[] = {
    HP_CASE(the_utility_with_c_removes_logs_of_the_source, HP_BDB_UTILITY_CHECKPOINT),
    HP_CASE(the_utility_with_d_copies_the_databases_of_that_directory, HP_BDB_UTILITY_DATA_DIR),
    HP_CASE(the_utility_with_l_copies_the_logs_of_that_directory, HP_BDB_UTILITY_LOG_DIR),
    HP_CASE(the_utility_with_F_copies_an_environment_at_rest, HP_BDB_UTILITY_FILE_SYSTEM),
    HP_CASE(the_utility_with_F_copies_an_environment_without_regions, HP_BDB_UTILITY_FILE_SYSTEM),
    HP_CASE(the_utility_with_g_keeps_the_logs_of_the_copy, HP_BDB_UTILITY_KEEPS_LOGS),
    HP_CASE(the_utility_with_D_copies_DB_CONFIG, HP_BDB_UTILITY_CONFIG_COPIED),
    HP_CASE(the_utility_with_D_keeps_the_log_directory_of_DB_CONFIG, HP_BDB_UTILITY_CONFIG_LOGS,
        HP_BDB_UTILITY_CREATES_TARGET),
    HP_CASE(the_utility_with_D_refuses_an_absolute_data_directory, HP_BDB_UTILITY_CONFIG_ABSOLUTE),
    HP_CASE(the_utility_with_v_names_the_logs_that_it_copies, HP_BDB_UTILITY_VERBOSE),
    HP_CASE(the_utility_finds_the_home_in_DB_HOME, HP_BDB_UTILITY_DB_HOME),
    HP_CASE(the_utility_refuses_c_with_d, HP_BDB_UTILITY_CONTRADICTION),
    HP_CASE(the_utility_refuses_D_with_d, HP_BDB_UTILITY_CONTRADICTION),
    HP_CASE(the_utility_refuses_D_with_l, HP_BDB_UTILITY_CONTRADICTION),
    HP_CASE(the_utility_refuses_an_option_that_does_not_exist, HP_BDB_UTILITY_UNKNOWN_OPTION),
    HP_CASE(the_utility_refuses_an_argument_too_many, HP_BDB_UTILITY_UNKNOWN_OPTION),
    HP_CASE(the_utility_with_d_does_not_lose_one_of_two_databases_of_one_name,
        HP_BDB_UTILITY_SAME_NAMES),
    HP_CASE_END,
};
