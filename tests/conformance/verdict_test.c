/* The verdict on each way in which a case or a module can go wrong. */
#include "harness.h"
#include "testmain.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Runs one case; checks its result, the exit status, and that the message says `text`. */
static void expect(const char *name, const char *result, int status, const char *text)
{
    kit_run run = kit_check("behaviours", "--case", name, NULL);
    assert_int_equal(run.status, status);
    kit_assert_result(&run, name, result);
    assert_non_null(strstr(hp_json_get(kit_result(&run, name), "message"), text));
    kit_free(&run);
}

static void a_case_that_keeps_its_promise_is_PASS(void **state)
{
    (void)state;
    expect("keeps_its_promise", "PASS", 0, "");
}

static void a_case_that_asserts_nothing_is_VACUOUS(void **state)
{
    (void)state;
    expect("always_says_yes", "VACUOUS", 1, "BDB_BACKUP_DATA_DIRS");
}

static void a_case_that_forgets_a_promise_is_VACUOUS_and_names_it(void **state)
{
    (void)state;
    expect("forgets_one_of_two", "VACUOUS", 1, "BDB_BACKUP_LOG_DIR");
}

static void a_foreign_promise_is_ERROR(void **state)
{
    (void)state;
    expect("marks_a_foreign_clause", "ERROR", 3, "BDB_BACKUP_EXCL");
}

static void a_failed_assertion_is_FAIL_with_message_and_place(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--case", "fails", NULL);
    const json_t *result = kit_result(&run, "fails");
    assert_int_equal(run.status, 1);
    kit_assert_result(&run, "fails", "FAIL");
    assert_string_equal(hp_json_get(result, "message"), "\"one <&\"> thing\" != \"another\"");
    assert_non_null(strstr(hp_json_get(result, "where"), "behaviours.c:"));
    assert_string_equal(hp_json_get(result, "blame"), "BDB_BACKUP_EXCL");
    assert_non_null(strstr(hp_json_get(result, "log_tail"), "\\xff <&\"> \\x01"));
    assert_non_null(strstr(hp_json_get(result, "reproduce"), "--case fails --seed 4711"));
    kit_free(&run);
}

static void fail_msg_gives_the_message(void **state)
{
    (void)state;
    expect("fails_with_a_message", "FAIL", 1, "the file is gone");
}

static void a_signal_is_CRASH(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--case", "crashes", NULL);
    kit_assert_result(&run, "crashes", "CRASH");
    assert_int_equal(
        json_integer_value(json_object_get(kit_result(&run, "crashes"), "signal")), SIGSEGV);
    assert_int_equal(run.status, 1);
    kit_free(&run);
}

static void a_call_of_exit_is_CRASH(void **state)
{
    (void)state;
    expect("leaves_by_exit", "CRASH", 1, "status 0 before the case's end");
}

static void a_case_that_hangs_is_TIMEOUT_even_if_it_ignores_SIGTERM(void **state)
{
    (void)state;
    expect("hangs", "TIMEOUT", 1, "time limit");
}

static void hp_unsupported_is_UNSUPPORTED_with_the_reason(void **state)
{
    (void)state;
    expect("is_unsupported", "UNSUPPORTED", 4, "this engine has no wheels");
}

static void hp_unresolved_is_UNRESOLVED_with_the_reason(void **state)
{
    (void)state;
    expect("is_unresolved", "UNRESOLVED", 4, "no such file system");
}

static void a_skip_without_reason_is_ERROR(void **state)
{
    (void)state;
    expect("skips_silently", "ERROR", 3, "without giving a reason");
}

static void a_case_cannot_write_outside_its_directory(void **state)
{
    (void)state;
    struct stat status;
    expect("cannot_write_outside", "PASS", 0, "");
    assert_int_equal(lstat("/tmp/hotproof-intruder", &status), -1);
    assert_int_equal(kit_entries("work"), 0);
}

static void a_case_that_insists_on_writing_outside_fails(void **state)
{
    (void)state;
    expect("writes_outside", "FAIL", 1, "");
    assert_int_equal(kit_entries("work"), 1); /* the directory kept for the failure */
}

static void a_directory_that_the_case_cannot_reach_is_ERROR(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip(); /* only root has another user for its cases */
    }
    assert_int_equal(chmod(kit_path("work"), 0700), 0);
    expect("keeps_its_promise", "ERROR", 3, "choose another --work");
}

static void a_stray_process_is_ended(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--case", "leaves_a_stray", NULL);
    const json_t *result = kit_result(&run, "leaves_a_stray");
    kit_assert_result(&run, "leaves_a_stray", "PASS");
    assert_true(json_integer_value(json_object_get(result, "strays")) > 0);
    assert_false(kit_case_is_alive());
    kit_free(&run);
}

static void a_forked_copy_does_not_report_twice(void **state)
{
    (void)state;
    expect("a_forked_copy_comes_back", "PASS", 0, "");
}

static void a_case_has_directory_user_and_seed_of_its_own(void **state)
{
    (void)state;
    expect("has_a_directory_of_its_own", "PASS", 0, "");
    assert_int_equal(kit_entries("work"), 0); /* what it closed was opened again to be removed */
}

static void an_odd_name_survives_record_and_reports(void **state)
{
    (void)state;
    static const char name[] = "odd <&\"> 'name'/../\xe2\x82\xac";
    kit_run run = kit_check("behaviours", "--case", "odd*", "--keep", NULL);
    assert_int_equal(run.status, 0);
    kit_assert_result(&run, name, "PASS");
    assert_non_null(strstr(hp_json_get(kit_result(&run, name), "reproduce"),
        "--case 'odd <&\"> '\\''name'\\''/../\xe2\x82\xac'"));
    kit_free(&run);
}

/* A module that must be refused before any case runs. */
static void refuse(const char *module, const char *text)
{
    kit_run run = kit_check(module, NULL);
    assert_int_equal(run.status, 3);
    assert_non_null(strstr(run.output, text));
    assert_null(run.header);
    kit_free(&run);
}

static void another_librarys_functions_are_refused(void **state)
{
    (void)state;
    refuse("mislinked", "getenv comes from");
}

static void another_interface_version_is_refused(void **state)
{
    (void)state;
    refuse("old_version", "interface version 4711");
}

static void a_library_that_is_no_module_is_refused(void **state)
{
    (void)state;
    refuse("no_symbol", "not an engine module");
}

static void a_module_that_crashes_on_load_is_refused(void **state)
{
    (void)state;
    refuse("crash_on_load", "while loading");
}

static void a_case_without_clauses_is_refused(void **state)
{
    (void)state;
    refuse("no_clauses", "names no clause");
}

static void two_cases_of_one_name_are_refused(void **state)
{
    (void)state;
    refuse("twice", "a second case is called passes");
}

#define KIT_TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

static const struct CMUnitTest tests[] = {
    KIT_TEST(a_case_that_keeps_its_promise_is_PASS),
    KIT_TEST(a_case_that_asserts_nothing_is_VACUOUS),
    KIT_TEST(a_case_that_forgets_a_promise_is_VACUOUS_and_names_it),
    KIT_TEST(a_foreign_promise_is_ERROR),
    KIT_TEST(a_failed_assertion_is_FAIL_with_message_and_place),
    KIT_TEST(fail_msg_gives_the_message),
    KIT_TEST(a_signal_is_CRASH),
    KIT_TEST(a_call_of_exit_is_CRASH),
    KIT_TEST(a_case_that_hangs_is_TIMEOUT_even_if_it_ignores_SIGTERM),
    KIT_TEST(hp_unsupported_is_UNSUPPORTED_with_the_reason),
    KIT_TEST(hp_unresolved_is_UNRESOLVED_with_the_reason),
    KIT_TEST(a_skip_without_reason_is_ERROR),
    KIT_TEST(a_case_cannot_write_outside_its_directory),
    KIT_TEST(a_case_that_insists_on_writing_outside_fails),
    KIT_TEST(a_directory_that_the_case_cannot_reach_is_ERROR),
    KIT_TEST(a_stray_process_is_ended),
    KIT_TEST(a_forked_copy_does_not_report_twice),
    KIT_TEST(a_case_has_directory_user_and_seed_of_its_own),
    KIT_TEST(an_odd_name_survives_record_and_reports),
    KIT_TEST(another_librarys_functions_are_refused),
    KIT_TEST(another_interface_version_is_refused),
    KIT_TEST(a_library_that_is_no_module_is_refused),
    KIT_TEST(a_module_that_crashes_on_load_is_refused),
    KIT_TEST(a_case_without_clauses_is_refused),
    KIT_TEST(two_cases_of_one_name_are_refused),
};
TEST_MAIN(tests)
