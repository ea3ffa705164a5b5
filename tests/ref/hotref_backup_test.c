/*
 * hotref backup, recover and printlog: options, backup of an environment that another process has
 * open, signals, rates, manifests.
 */
#include "testmain.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cwd.h"
#include "hotref_support.h"

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void make_home(unsigned records)
{
    ref_env *env = home_open("home", NULL, 0);
    home_put(env, "a.db", 0, records, true);
    home_put(env, "b.db", 0, 100, false);
    assert_int_equal(ref_env_close(env), 0);
}

/* The records of a database, as dumped. malloc'd. */
static char *dumped(const char *home, const char *name)
{
    if (hotref("dump", "-p", "-h", home, name, NULL) != 0) {
        fail_msg("%s", hotref_said());
    }
    char *text = strdup(hotref_said());
    assert_non_null(text);
    return text;
}

/* ---- the command line ---- */

static void every_command_has_help(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "backup", "recover", "verify", "dump", "load", "printlog"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char usage[64];
        assert_int_equal(hotref(commands[i], "--help", NULL), 0);
        snprintf(usage, sizeof usage, "Usage: hotref %s ", commands[i]);
        hotref_must_say(usage);
        hotref_must_say("Exit status: 0 ");
        assert_int_equal(hotref(commands[i], "-V", NULL), 0);
        hotref_must_say("hotref ");
        assert_int_equal(hotref(commands[i], "--no-such-option", NULL), 2);
        assert_int_equal(hotref("--help", NULL), 0);
        hotref_must_say(commands[i]);
    }
    assert_int_equal(hotref("--version", NULL), 0);
}

static void wrong_usage_gives_2_and_a_reason(void **state)
{
    (void)state;
    make_home(10);
    assert_int_equal(hotref(NULL, NULL), 2);
    assert_int_equal(hotref("juggle", NULL), 2);
    hotref_must_say("no command is called \"juggle\"");
    assert_int_equal(hotref("backup", "-h", "home", NULL), 2);
    hotref_must_say("-b TARGET is missing");
    assert_int_equal(hotref("backup", "-b", "bk", NULL), 2);
    hotref_must_say("-h HOME is missing");
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", "-D", "-d", "x", NULL), 2);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", "-D", "-l", "x", NULL), 2);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", "-c", "-d", "x", NULL), 2);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", "--max-rate", "fast", NULL), 2);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", "--max-rate", "0", NULL), 2);
    assert_int_equal(hotref("verify", "-h", "home", "-b", "bk", NULL), 2);
    assert_int_equal(hotref("verify", "-h", "home", "--manifest", "m", NULL), 2);
    assert_int_equal(hotref("printlog", "-b", "1:2", NULL), 2);
    assert_int_equal(hotref("load", NULL), 2);
    assert_false(cwd_exists("bk"));
}

static void DB_HOME_names_the_home(void **state)
{
    (void)state;
    make_home(10);
    setenv("DB_HOME", "home", 1);
    assert_int_equal(hotref("verify", NULL), 0);
    assert_int_equal(hotref("backup", "-b", "bk", NULL), 0);
    unsetenv("DB_HOME");
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
}

/* ---- what a backup is ---- */

static void a_backup_replaces_what_was_there_and_is_recovered(void **state)
{
    (void)state;
    make_home(300);
    cwd_dir("bk");
    cwd_file("bk/stale.db", "x");
    cwd_file("home/notes.txt", "mine");
    assert_int_equal(hotref("backup", "-v", "-h", "home", "-b", "bk", NULL), 0);
    hotref_must_say("removing bk/stale.db");
    hotref_must_say("recovering bk");
    cwd_is("bk/notes.txt", "mine");
    assert_false(cwd_exists("bk/stale.db"));
    assert_true(cwd_exists("bk/__db.control"));
    char *source = dumped("home", "a.db"), *copy = dumped("bk", "a.db");
    assert_string_equal(source, copy);
    free(source);
    free(copy);
}

static void a_copy_can_be_left_as_it_was_copied(void **state)
{
    (void)state;
    make_home(300);
    assert_int_equal(hotref("backup", "--no-recover", "-h", "home", "-b", "bk", NULL), 0);
    assert_false(cwd_exists("bk/__db.control"));
    assert_int_equal(hotref("recover", "-v", "-h", "bk", NULL), 0);
    hotref_must_say("bk: a copy");
}

static void c_writes_a_checkpoint_and_removes_log(void **state)
{
    (void)state;
    make_home(600);
    assert_true(cwd_exists("home/log.0000000001"));
    assert_int_equal(hotref("backup", "-c", "-h", "home", "-b", "bk", NULL), 0);
    assert_false(cwd_exists("home/log.0000000001"));
    assert_int_equal(hotref("verify", "-h", "home", NULL), 0);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
}

static void a_damaged_page_is_named_and_the_older_backup_stays(void **state)
{
    (void)state;
    make_home(300);
    cwd_dir("bk");
    cwd_file("bk/older", "x");
    file_flip("home/a.db", 5 * 1024 + 100, 1);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", NULL), 1);
    hotref_must_say("/home/a.db: page 5: offset 5120: bad checksum");
    assert_string_equal(cwd_tree("bk"), "older\n");
}

static void a_target_that_is_the_source_is_refused(void **state)
{
    (void)state;
    make_home(300);
    uint64_t before = file_size("home/a.db");
    assert_int_equal(hotref("backup", "-h", "home", "-b", "home", NULL), 1);
    assert_int_equal(hotref("backup", "-h", "home", "-b", ".", NULL), 1);
    assert_true(file_size("home/a.db") == before);
    assert_int_equal(hotref("verify", "-h", "home", NULL), 0);
}

/* ---- the manifest ---- */

static void a_manifest_inside_the_backup_is_refused_before_anything_is_done(void **state)
{
    (void)state;
    make_home(10);
    static const char *const places[] = {"bk/m", "bk/../bk/m", "./bk/m", "link/m"};
    cwd_dir("bk");
    cwd_link("link", "bk");
    cwd_file("bk/older", "x");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        assert_int_equal(
            hotref("backup", "-h", "home", "-b", "bk", "--manifest", places[i], NULL), 1);
        hotref_must_say("outside of the backup");
    }
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", "--manifest", "no/m", NULL), 1);
    assert_string_equal(cwd_tree("bk"), "older\n");
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", "--manifest", "bk.m", NULL), 0);
}

static void a_manifest_holds_any_name(void **state)
{
    (void)state;
    make_home(10);
    cwd_file("home/ two words ", "1");
    cwd_file("home/new\nline", "2");
    cwd_file("home/back\\slash", "3");
    cwd_file("home/\xc3\xa4.txt", "4");
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", "--manifest", "m", NULL), 0);
    assert_int_equal(hotref("verify", "-b", "bk", "--manifest", "m", NULL), 0);
    hotref_must_not_say("note:");
    file_flip("bk/new\nline", 0, 1);
    assert_int_equal(hotref("verify", "-b", "bk", "--manifest", "m", NULL), 1);
    hotref_must_say("altered");
}

static void a_manifest_stays_right_when_the_copy_is_opened_for_reading(void **state)
{
    (void)state;
    make_home(10);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", "--manifest", "m", NULL), 0);
    free(dumped("bk", "a.db"));
    if (hotref("verify", "-b", "bk", "--manifest", "m", NULL) != 0) {
        fail_msg("%s", hotref_said());
    }
}

/* ---- from another process ---- */

/* A process that owns the home: each commit puts one number into two databases. */
static pid_t start_owner(void)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ref_db_options options = {.create = true, .page_size = 1024};
        ref_env *env = home_open("home", NULL, 0);
        ref_db *one, *two;
        if (ref_db_open(env, NULL, "one.db", &options, &one) != 0 ||
            ref_db_open(env, NULL, "two.db", &options, &two) != 0) {
            _exit(1);
        }
        for (unsigned i = 0;; i++) {
            char key[16];
            ref_txn *txn;
            snprintf(key, sizeof key, "%010u", i * 7919u % 5000u);
            ref_slice k = {key, 10}, v = {&i, sizeof i};
            if (ref_txn_begin(env, NULL, &txn) != 0 || ref_db_put(one, txn, k, v, false) != 0 ||
                ref_db_put(two, txn, k, v, false) != 0 || ref_txn_commit(txn) != 0) {
                _exit(1);
            }
            if (i % 500 == 0) {
                uint32_t *none = NULL;
                size_t count;
                ref_checkpoint(env, true);
                ref_log_archive(env, REF_ARCHIVE_REMOVE, &none, &count);
            }
            if (i == 500) {
                cwd_file("ready", "");
            }
        }
    }
    for (double from = now(); !cwd_exists("ready");) {
        assert_true(now() - from < 60);
        usleep(1000);
    }
    unlink("ready");
    return child;
}

static void end_owner(pid_t child)
{
    int status;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void backups_of_an_environment_in_use_are_consistent(void **state)
{
    (void)state;
    pid_t owner = start_owner();
    for (int i = 0; i < 8; i++) {
        const char *recover = i % 2 == 0 ? "-g" : "--no-recover";
        if (hotref("backup", "-h", "home", "-b", "bk", "--manifest", "m", recover, NULL) != 0 ||
            hotref("verify", "-b", "bk", "--manifest", "m", NULL) != 0) {
            end_owner(owner);
            fail_msg("%d: %s", i, hotref_said());
        }
        char *one = dumped("bk", "one.db"), *two = dumped("bk", "two.db");
        assert_string_equal(one, two);
        free(one);
        free(two);
    }
    end_owner(owner);
}

static void c_is_refused_where_another_process_is_the_owner(void **state)
{
    (void)state;
    pid_t owner = start_owner();
    int status = hotref("backup", "-c", "-h", "home", "-b", "bk", NULL);
    end_owner(owner);
    assert_int_equal(status, 1);
    assert_false(cwd_exists("bk"));
}

/* ---- signals and rates ---- */

static void a_signal_stops_a_backup_within_a_second_and_nothing_is_left(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM};
    make_home(3000);
    cwd_dir("bk");
    cwd_file("bk/older", "x");
    for (unsigned i = 0; i < 6; i++) {
        const char *target = i % 3 == 0 ? "new/er" : "bk";
        pid_t child = hotref_start(
            "backup", "-h", "home", "-b", target, "--max-rate", i % 3 == 2 ? "1K" : "40K", NULL);
        usleep(200000 + i * 50000);
        assert_int_equal(kill(child, signals[i % 2]), 0);
        double from = now();
        int status = hotref_wait(child);
        assert_true(now() - from < 1);
        assert_int_equal(status, 1);
        hotref_must_say("stopped by signal");
        assert_string_equal(cwd_tree("bk"), "older\n");
        assert_false(cwd_exists("new"));
    }
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", NULL), 0);
}

static void a_signal_at_any_time_leaves_the_older_backup_or_the_new_one(void **state)
{
    (void)state;
    make_home(3000);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", NULL), 0);
    unsigned whole = 0;
    for (unsigned i = 0; i < 40; i++) {
        pid_t child = hotref_start("backup", "-h", "home", "-b", "bk", NULL);
        usleep(i * 1500);
        (void)kill(child, SIGTERM);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        /* Before the handler is there, the signal ends it as usual. */
        whole += WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (hotref("verify", "-b", "bk", NULL) != 0) {
            fail_msg("%u: %s", i, hotref_said());
        }
    }
    assert_true(whole < 40);
}

static void a_stopped_backup_lets_the_log_go(void **state)
{
    (void)state;
    ref_env *env = home_open("home", NULL, 0);
    uint32_t *none = NULL;
    size_t count;
    home_put(env, "a.db", 0, 1000, true);
    pid_t child = hotref_start("backup", "-h", "home", "-b", "bk", "--max-rate", "10K", NULL);
    usleep(500000);
    home_put(env, "a.db", 1000, 1000, false);
    assert_int_equal(ref_checkpoint(env, true), 0);
    (void)ref_log_archive(env, REF_ARCHIVE_REMOVE, &none, &count);
    assert_true(cwd_exists("home/log.0000000001"));
    assert_int_equal(kill(child, SIGTERM), 0);
    assert_int_equal(hotref_wait(child), 1);
    assert_int_equal(ref_log_archive(env, REF_ARCHIVE_REMOVE, &none, &count), 0);
    assert_false(cwd_exists("home/log.0000000001"));
    assert_int_equal(ref_env_close(env), 0);
}

static void a_rate_is_kept_and_progress_is_shown(void **state)
{
    (void)state;
    make_home(3000);
    double bytes = (double)file_size("home/a.db"), from = now();
    assert_int_equal(
        hotref("backup", "-h", "home", "-b", "bk", "--max-rate", "200K", "--progress", NULL), 0);
    double took = now() - from;
    assert_true(took >= bytes / 204800.0 * 0.9);
    assert_true(took < bytes / 204800.0 * 2 + 3);
    hotref_must_say("copied ");
    hotref_must_say(" of about ");
}

static void a_limit_on_kept_log_ends_the_backup_and_not_the_owner(void **state)
{
    (void)state;
    ref_env *env = home_open("home", NULL, 0);
    home_put(env, "a.db", 0, 3000, true);
    assert_int_equal(ref_checkpoint(env, true), 0);
    pid_t child = hotref_start(
        "backup", "-h", "home", "-b", "bk", "--max-rate", "100K", "--max-log", "150K", NULL);
    for (unsigned i = 1; i < 30; i++) {
        usleep(20000);
        home_put(env, "a.db", 3000 + i * 200, 200, false);
    }
    assert_int_equal(hotref_wait(child), 1);
    hotref_must_say("No space left");
    assert_false(cwd_exists("bk"));
    home_put(env, "a.db", 0, 10, true);
    assert_int_equal(ref_env_close(env), 0);
}

/* ---- recover, printlog ---- */

static void recover_says_what_it_replays(void **state)
{
    (void)state;
    pid_t owner = start_owner();
    end_owner(owner);
    assert_int_equal(hotref("recover", "-v", "-h", "home", NULL), 0);
    hotref_must_say("home: an environment, log.");
    hotref_must_say("home: recovered to ");
    assert_int_equal(hotref("recover", "-c", "-h", "home", NULL), 0);
    assert_string_equal(hotref_said(), "");
    assert_int_equal(hotref("recover", "-h", "nowhere", NULL), 1);
    hotref_must_say("nowhere");
}

static void an_environment_that_is_open_is_not_recovered(void **state)
{
    (void)state;
    ref_env *env = home_open("home", NULL, 0);
    assert_int_equal(hotref("recover", "-h", "home", NULL), 1);
    hotref_must_say("another process has the environment open");
    assert_int_equal(ref_env_close(env), 0);
}

static void printlog_prints_each_kind_of_record(void **state)
{
    (void)state;
    ref_env *env = home_open("home", NULL, 0);
    home_put(env, "a.db", 0, 300, true);
    assert_int_equal(ref_db_rename(env, NULL, "a.db", "b.db"), 0);
    home_put(env, "b.db", 300, 1, true);
    assert_int_equal(ref_db_remove(env, NULL, "b.db"), 0);
    assert_int_equal(ref_checkpoint(env, true), 0);
    assert_int_equal(hotref("printlog", "-h", "home", NULL), 0);
    static const char *const parts[] = {"  create ", "  page ", "  rename ", "  remove ",
        "  commit ", "  checkpoint ", "  catalog ", "a.db  to b.db", "b.db  page ", "whole image",
        "\nend "};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        hotref_must_say(parts[i]);
    }
    assert_int_equal(hotref("printlog", "-h", "home", "-b", "1/128", "-e", "1/128", NULL), 0);
    hotref_must_say("1/128  catalog");
    hotref_must_not_say("  page ");
    assert_int_equal(ref_env_close(env), 0);
}

static void printlog_names_damage_by_file_and_offset(void **state)
{
    (void)state;
    char message[64];
    ref_env *env = home_open("home", NULL, 0);
    home_put(env, "a.db", 0, 10, true);
    assert_int_equal(ref_env_close(env), 0);
    uint64_t size = file_size("home/log.0000000001");
    file_append("home/log.0000000001", "torn", 4);
    assert_int_equal(hotref("printlog", "-h", "home", NULL), 1);
    snprintf(message, sizeof message, "log.0000000001: offset %llu: a torn tail of 4 bytes",
        (unsigned long long)size);
    hotref_must_say(message);
    file_flip("home/log.0000000001", 1000, 1);
    assert_int_equal(hotref("printlog", "-h", "home", NULL), 1);
    hotref_must_say("damaged log record");
    hotref_must_say("no sound record; the ");
    file_flip("home/log.0000000001", 20, 1);
    assert_int_equal(hotref("printlog", "-h", "home", NULL), 1);
    hotref_must_say("log.0000000001: offset 0: no sound segment header");
}

static int clean(void **state)
{
    (void)state;
    unsetenv("DB_HOME");
    return cwd_setup(state);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, clean, cwd_teardown)

static const struct CMUnitTest tests[] = {
    CASE(every_command_has_help),
    CASE(wrong_usage_gives_2_and_a_reason),
    CASE(DB_HOME_names_the_home),
    CASE(a_backup_replaces_what_was_there_and_is_recovered),
    CASE(a_copy_can_be_left_as_it_was_copied),
    CASE(c_writes_a_checkpoint_and_removes_log),
    CASE(a_damaged_page_is_named_and_the_older_backup_stays),
    CASE(a_target_that_is_the_source_is_refused),
    CASE(a_manifest_inside_the_backup_is_refused_before_anything_is_done),
    CASE(a_manifest_holds_any_name),
    CASE(a_manifest_stays_right_when_the_copy_is_opened_for_reading),
    CASE(backups_of_an_environment_in_use_are_consistent),
    CASE(c_is_refused_where_another_process_is_the_owner),
    CASE(a_signal_stops_a_backup_within_a_second_and_nothing_is_left),
    CASE(a_signal_at_any_time_leaves_the_older_backup_or_the_new_one),
    CASE(a_stopped_backup_lets_the_log_go),
    CASE(a_rate_is_kept_and_progress_is_shown),
    CASE(a_limit_on_kept_log_ends_the_backup_and_not_the_owner),
    CASE(recover_says_what_it_replays),
    CASE(an_environment_that_is_open_is_not_recovered),
    CASE(printlog_prints_each_kind_of_record),
    CASE(printlog_names_damage_by_file_and_offset),
};

TEST_MAIN(tests)
