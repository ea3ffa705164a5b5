/* hotref backup -u: adding new log to an earlier backup. */
#include "testmain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cwd.h"
#include "hotref_support.h"

/* Adds records of one commit each: enough for some segments. */
static void put(unsigned from, unsigned count)
{
    ref_env *env = home_open("home", NULL, 0);
    home_put(env, "a.db", from, count, false);
    assert_int_equal(ref_env_close(env), 0);
}

/* The number of the oldest or the newest log segment. */
static unsigned segment_in_copy(bool newest)
{
    unsigned found = 0;
    for (unsigned number = 1; number < 1000 && (newest || found == 0); number++) {
        char name[32];
        snprintf(name, sizeof name, "bk/log.%010u", number);
        found = cwd_exists(name) ? number : found;
    }
    return found;
}

static void expect_same(const char *name)
{
    assert_int_equal(hotref("dump", "-p", "-h", "home", name, NULL), 0);
    char *source = strdup(hotref_said());
    assert_int_equal(hotref("dump", "-p", "-h", "bk", name, NULL), 0);
    assert_string_equal(source, hotref_said());
    free(source);
}

static void an_update_brings_the_copy_up_to_date(void **state)
{
    (void)state;
    put(0, 300);
    cwd_file("home/notes.txt", "one");
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", NULL), 0);
    cwd_file("home/notes.txt", "two");
    for (unsigned round = 1; round < 5; round++) {
        put(round * 300, 300);
        assert_int_equal(hotref("backup", "-u", "-v", "-h", "home", "-b", "bk", NULL), 0);
        hotref_must_say("to bk/log.");
        hotref_must_not_say("copying database");
        assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
        expect_same("a.db");
    }
    cwd_is("bk/notes.txt", "one");
    assert_true(segment_in_copy(false) > 1);
    assert_true(cwd_exists("home/log.0000000001"));
}

static void g_keeps_the_log_that_the_copy_could_do_without(void **state)
{
    (void)state;
    put(0, 300);
    assert_int_equal(hotref("backup", "-g", "-h", "home", "-b", "bk", NULL), 0);
    unsigned first = segment_in_copy(false);
    put(300, 300);
    assert_int_equal(hotref("backup", "-u", "-g", "-h", "home", "-b", "bk", NULL), 0);
    assert_int_equal(segment_in_copy(false), first);
    put(600, 300);
    assert_int_equal(hotref("backup", "-u", "-h", "home", "-b", "bk", NULL), 0);
    assert_true(segment_in_copy(false) > first);
    expect_same("a.db");
}

static void updates_may_wait_for_their_recovery(void **state)
{
    (void)state;
    put(0, 300);
    assert_int_equal(hotref("backup", "--no-recover", "-h", "home", "-b", "bk", NULL), 0);
    for (unsigned round = 1; round < 4; round++) {
        put(round * 300, 300);
        assert_int_equal(hotref("backup", "-u", "--no-recover", "-h", "home", "-b", "bk", NULL), 0);
        assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
    }
    expect_same("a.db");
}

static void an_update_leaves_all_log_in_the_home_even_with_c(void **state)
{
    (void)state;
    put(0, 300);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", NULL), 0);
    put(300, 300);
    assert_int_equal(hotref("backup", "-u", "-c", "-h", "home", "-b", "bk", NULL), 0);
    assert_true(cwd_exists("home/log.0000000001"));
    expect_same("a.db");
}

static void directories_stay_as_the_full_backup_had_them(void **state)
{
    (void)state;
    cwd_dir("home");
    cwd_dir("home/logs");
    cwd_file("home/DB_CONFIG", "set_lg_dir logs\nset_lg_max 16384\n");
    ref_env_options options = {
        .home = "home", .log_dir = "logs", .create = true, .segment_size = 16384};
    ref_env *env;
    assert_int_equal(ref_env_open(&options, &env), 0);
    home_put(env, "a.db", 0, 300, false);
    assert_int_equal(hotref("backup", "-D", "-h", "home", "-b", "bk", NULL), 0);
    home_put(env, "a.db", 300, 300, false);
    assert_int_equal(hotref("backup", "-u", "-h", "home", "-b", "bk", NULL), 1);
    hotref_must_say("there is no log in bk");
    assert_int_equal(hotref("backup", "-u", "-D", "-h", "home", "-b", "bk", NULL), 0);
    assert_int_equal(ref_env_close(env), 0);
    expect_same("a.db");
}

static void an_update_from_outside_of_the_owner_works(void **state)
{
    (void)state;
    ref_env *env = home_open("home", NULL, 0);
    home_put(env, "a.db", 0, 300, false);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", NULL), 0);
    home_put(env, "a.db", 300, 300, false);
    assert_int_equal(hotref("backup", "-u", "-h", "home", "-b", "bk", NULL), 0);
    assert_int_equal(ref_env_close(env), 0);
    expect_same("a.db");
}

static void refused(const char *words)
{
    char *before = cwd_exists("bk") ? strdup(cwd_tree("bk")) : NULL;
    assert_int_equal(hotref("backup", "-u", "-h", "home", "-b", "bk", NULL), 1);
    hotref_must_say(words);
    assert_int_equal(cwd_exists("bk"), before != NULL);
    assert_true(before == NULL || strcmp(cwd_tree("bk"), before) == 0);
    free(before);
}

static void without_a_base_nothing_is_touched(void **state)
{
    (void)state;
    put(0, 10);
    refused("bk");
    cwd_dir("bk");
    cwd_file("bk/mine", "x");
    refused("there is no log in bk");
}

static void a_copy_that_was_written_to_is_no_base(void **state)
{
    (void)state;
    put(0, 10);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", NULL), 0);
    ref_env *env = home_open("bk", NULL, 0);
    home_put(env, "a.db", 5000, 1, false);
    assert_int_equal(ref_env_close(env), 0);
    put(10, 10);
    refused("written to since");
}

static void verify_says_that_a_recovery_was_interrupted(void **state)
{
    (void)state;
    put(0, 300);
    assert_int_equal(hotref("backup", "-h", "home", "-b", "bk", NULL), 0);
    cwd_file("bk/__db.pages.__recovery", "");
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
    hotref_must_say("its recovery was interrupted");
    assert_int_equal(hotref("recover", "-h", "bk", NULL), 0);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
    hotref_must_not_say("interrupted");
}

static void an_update_that_was_lost_again_is_found(bool recovered)
{
    char last[32];
    put(0, 300);
    assert_int_equal(
        hotref("backup", "-h", "home", "-b", "bk", recovered ? NULL : "--no-recover", NULL), 0);
    put(300, 600);
    assert_int_equal(hotref("backup", "-u", "--no-recover", "-h", "home", "-b", "bk", NULL), 0);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 0);
    snprintf(last, sizeof last, "bk/log.%010u", segment_in_copy(true));
    assert_int_equal(remove(last), 0);
    assert_int_equal(hotref("verify", "-b", "bk", NULL), 1);
}

static void verify_finds_that_a_copys_update_was_lost(void **state)
{
    (void)state;
    an_update_that_was_lost_again_is_found(false);
}

static void verify_finds_that_a_recovered_copys_update_was_lost(void **state)
{
    (void)state;
    an_update_that_was_lost_again_is_found(true);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(an_update_brings_the_copy_up_to_date, cwd_setup, cwd_teardown),
    cmocka_unit_test_setup_teardown(
        g_keeps_the_log_that_the_copy_could_do_without, cwd_setup, cwd_teardown),
    cmocka_unit_test_setup_teardown(updates_may_wait_for_their_recovery, cwd_setup, cwd_teardown),
    cmocka_unit_test_setup_teardown(
        an_update_leaves_all_log_in_the_home_even_with_c, cwd_setup, cwd_teardown),
    cmocka_unit_test_setup_teardown(
        directories_stay_as_the_full_backup_had_them, cwd_setup, cwd_teardown),
    cmocka_unit_test_setup_teardown(
        an_update_from_outside_of_the_owner_works, cwd_setup, cwd_teardown),
    cmocka_unit_test_setup_teardown(without_a_base_nothing_is_touched, cwd_setup, cwd_teardown),
    cmocka_unit_test_setup_teardown(a_copy_that_was_written_to_is_no_base, cwd_setup, cwd_teardown),
    cmocka_unit_test_setup_teardown(
        verify_says_that_a_recovery_was_interrupted, cwd_setup, cwd_teardown),
    cmocka_unit_test_setup_teardown(
        verify_finds_that_a_copys_update_was_lost, cwd_setup, cwd_teardown),
    cmocka_unit_test_setup_teardown(
        verify_finds_that_a_recovered_copys_update_was_lost, cwd_setup, cwd_teardown),
};

TEST_MAIN(tests)
