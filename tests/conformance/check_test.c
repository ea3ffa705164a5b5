/* The command `hotproof check` as a whole: selection, expectations, record, interruption, exit
 * statuses. */
#include "harness.h"
#include "testmain.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void status_0_if_all_is_as_expected(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--case", "keeps_*", NULL);
    assert_int_equal(run.status, 0);
    assert_int_equal(json_integer_value(json_object_get(run.footer, "exit_status")), 0);
    assert_int_equal(kit_entries("work"), 0);
    kit_free(&run);
}

static void status_2_for_a_wrong_option(void **state)
{
    (void)state;
    static const char *const wrong[] = {"--bogus", "--shuffle=", "--shuffle=-1", "--jobs=0",
        "--jobs=x", "--repeat=-1", "stray", "--timeout-scale=nan"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        kit_run run = kit_check("behaviours", wrong[i], NULL);
        assert_int_equal(run.status, 2);
        kit_free(&run);
    }
}

static void a_debugger_goes_with_one_case_only(void **state)
{
    (void)state;
    static const char *const others[] = {"--list", "--shuffle=1", "--repeat=2", "--case=*",
        "--clause=*", "--rerun-failed=record.ndjson"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        kit_run run = kit_check("behaviours", "--gdb=fails", others[i], NULL);
        assert_int_equal(run.status, 2);
        assert_non_null(strstr(run.output, "--gdb takes one case"));
        kit_free(&run);
    }
}

static void status_2_for_an_engine_that_does_not_exist(void **state)
{
    (void)state;
    kit_run run = kit_command("check", "--engine=nobody", NULL);
    assert_int_equal(run.status, 2);
    assert_non_null(strstr(run.output, "no engine is called nobody"));
    kit_free(&run);
}

static void status_2_without_or_with_an_unknown_command(void **state)
{
    (void)state;
    kit_run unknown = kit_command("dance", NULL);
    assert_int_equal(unknown.status, 2);
    kit_run none = kit_command("--nonsense", NULL);
    assert_int_equal(none.status, 2);
    kit_free(&unknown);
    kit_free(&none);
}

static void status_4_if_nothing_is_selected(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--case", "no_such_*", NULL);
    assert_int_equal(run.status, 4);
    kit_free(&run);
}

static void two_hundred_and_fifty_six_failures_are_not_success(void **state)
{
    (void)state;
    kit_run run = kit_check("many", NULL);
    assert_int_equal(json_array_size(run.results), 256);
    assert_int_equal(run.status, 1);
    kit_free(&run);
}

static void a_clause_glob_selects_its_cases(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--clause", "*_LOG_DIR", NULL);
    assert_int_equal(json_array_size(run.results), 1);
    kit_assert_result(&run, "forgets_one_of_two", "VACUOUS");
    kit_free(&run);
}

static void a_list_runs_nothing(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--list", NULL);
    assert_int_equal(run.status, 0);
    assert_null(run.header);
    assert_non_null(strstr(run.output, "behaviours fails BDB_BACKUP_EXCL\n"));
    kit_free(&run);
}

static void repeat_records_each_run(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--case=keeps_*", "--repeat=5", "--jobs=3", NULL);
    assert_int_equal(json_array_size(run.results), 5);
    kit_free(&run);
}

static void fail_fast_stops_after_the_first_surprise(void **state)
{
    (void)state;
    kit_run run = kit_check("many", "--fail-fast", "--jobs=1", NULL);
    assert_int_equal(json_array_size(run.results), 1);
    assert_int_equal(run.status, 1);
    kit_free(&run);
}

static void an_expected_failure_is_XFAIL_with_its_reason(void **state)
{
    (void)state;
    kit_expect("behaviours", "# known\nfails | FAIL | 2024-01-01 | it always did | a book\n");
    kit_run run = kit_check("behaviours", "--case", "fails", NULL);
    assert_int_equal(run.status, 0);
    kit_assert_result(&run, "fails", "XFAIL");
    assert_non_null(strstr(run.output, "it always did"));
    assert_non_null(strstr(run.output, "not conformant"));
    kit_free(&run);
}

static void another_failure_than_the_expected_is_a_surprise(void **state)
{
    (void)state;
    kit_expect("behaviours", "crashes | FAIL | 2024-01-01 | only fails, they said\n");
    kit_run run = kit_check("behaviours", "--case", "crashes", NULL);
    assert_int_equal(run.status, 1);
    kit_assert_result(&run, "crashes", "CRASH");
    kit_free(&run);
}

static void an_unexpected_pass_is_XPASS(void **state)
{
    (void)state;
    kit_expect("behaviours", "keeps_its_promise | FAIL | 2024-01-01 | it once did not\n");
    kit_run run = kit_check("behaviours", "--case", "keeps_*", NULL);
    assert_int_equal(run.status, 1);
    kit_assert_result(&run, "keeps_its_promise", "XPASS");
    kit_free(&run);
}

static void an_unstable_departure_may_pass_and_is_not_held(void **state)
{
    (void)state;
    kit_expect("behaviours", "keeps_its_promise | unstable CRASH, PASS | 2024-01-01 | a race\n");
    kit_run run = kit_check("behaviours", "--case", "keeps_*", NULL);
    assert_int_equal(run.status, 0);
    kit_assert_result(&run, "keeps_its_promise", "PASS");
    assert_non_null(strstr(run.output, "1 unstable"));
    kit_free(&run);
}

static void a_stale_line_fails_the_gate_and_is_named(void **state)
{
    (void)state;
    kit_expect("behaviours", "\ngone_long_ago | FAIL | 2024-01-01 | whatever\n");
    kit_run run = kit_check("behaviours", "--case", "keeps_*", NULL);
    assert_int_equal(run.status, 1);
    assert_int_equal(json_array_size(run.stale), 1);
    assert_non_null(
        strstr(run.output, "behaviours.expect:2: behaviours has no case gone_long_ago"));
    kit_free(&run);
}

static void a_wrong_line_ends_the_run_with_file_and_line(void **state)
{
    (void)state;
    kit_expect("behaviours", "# one\nfails | FAIL | 2024-01-01 |\n");
    kit_run run = kit_check("behaviours", NULL);
    assert_int_equal(run.status, 3);
    assert_non_null(strstr(run.output, "behaviours.expect:2: the reason is empty"));
    kit_free(&run);
}

static void the_header_says_where_and_on_what_the_run_was(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "hotproof", "revision", "build", "started", "command", "isolation", "work"};
    kit_run run = kit_check("behaviours", "--case", "keeps_*", NULL);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_string_not_equal(hp_json_get(run.header, texts[i]), "");
    }
    const json_t *host = json_object_get(run.header, "host");
    const json_t *engine = json_array_get(json_object_get(run.header, "engines"), 0);
    const json_t *origin = json_array_get(json_object_get(engine, "entry_points"), 0);
    assert_string_not_equal(hp_json_get(host, "kernel"), "");
    assert_string_not_equal(hp_json_get(json_object_get(host, "file_system"), "type"), "");
    assert_string_not_equal(hp_json_get(json_object_get(host, "file_system"), "options"), "");
    assert_string_equal(hp_json_get(engine, "version"), "1.0");
    assert_non_null(strstr(hp_json_get(origin, "file"), "behaviours.so"));
    assert_int_equal(json_integer_value(json_object_get(run.header, "seed")), 4711);
    kit_free(&run);
}

/* Waits until the run has started its case: its directory is there. */
static void wait_for_case(void)
{
    for (int i = 0; i < 1000; i++) {
        if (kit_entries("work") > 0) {
            usleep(200 * 1000);
            return;
        }
        usleep(10 * 1000);
    }
    fail_msg("no case was started");
}

static void interrupt_with(int signal)
{
    int pid = kit_start("behaviours", "--case", "hangs", "--timeout-scale", "100", NULL);
    wait_for_case();
    assert_int_equal(kill(pid, signal), 0);
    kit_run run = kit_finish(pid);
    assert_int_equal(run.status, 3);
    assert_non_null(run.footer);
    assert_true(json_is_true(json_object_get(run.footer, "interrupted")));
    assert_int_equal(kit_entries("work"), 0);
    kit_free(&run);
}

static void an_interrupted_run_writes_its_footer_and_leaves_no_litter(void **state)
{
    (void)state;
    interrupt_with(SIGINT);
    interrupt_with(SIGTERM);
}

/* A runner that is killed cannot clean up, but its cases die with it. */
static void cases_do_not_outlive_a_runner_that_is_killed(void **state)
{
    (void)state;
    int pid = kit_start("behaviours", "--case", "hangs", "--timeout-scale", "100", NULL);
    wait_for_case();
    assert_int_equal(kill(pid, SIGKILL), 0);
    kit_run run = kit_finish(pid);
    assert_null(run.footer);
    usleep(200 * 1000);
    assert_false(kit_case_is_alive());
    kit_free(&run);
}

static void keep_keeps_the_directories(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--case", "keeps_*", "--keep", NULL);
    struct stat status;
    const char *directory = hp_json_get(kit_result(&run, "keeps_its_promise"), "directory");
    assert_int_equal(stat(directory, &status), 0);
    kit_free(&run);
}

static void the_html_report_is_one_well_formed_file(void **state)
{
    (void)state;
    char command[4200];
    kit_run run = kit_check("behaviours", "--case", "fails", "--case", "odd*", NULL);
    /* Without external entities, HTML 5 as written here is XML. */
    snprintf(command, sizeof command, "xmllint --noout %s", kit_path("out/latest/report.html"));
    if (system("command -v xmllint >/dev/null") == 0) {
        assert_int_equal(system(command), 0);
    }
    char *html = hp_read_tail(kit_path("out/latest/report.html"), 1 << 22);
    assert_non_null(html);
    assert_non_null(strstr(html, "one &lt;&amp;"));
    assert_null(strstr(html, "src="));
    free(html);
    kit_free(&run);
}

static void every_command_explains_itself(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "check", "clauses", "errors", "engines", "explain", "expect", "report"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        kit_run run = kit_command(commands[i], "--help", NULL);
        assert_int_equal(run.status, 0);
        assert_non_null(strstr(run.output, "Usage: hotproof "));
        assert_non_null(strstr(run.output, "Exit status: 0 "));
        kit_free(&run);
    }
    kit_run run = kit_command("--help", NULL);
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.output, "Exit status"));
    kit_free(&run);
}

static void engines_lists_every_known_engine(void **state)
{
    (void)state;
    kit_run run = kit_command("engines", NULL);
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.output, "ref "));
    assert_non_null(strstr(run.output, "libdb "));
    assert_non_null(strstr(run.output, "libdb-prefix "));
    kit_free(&run);
}

static void clauses_and_errors_are_printed_with_their_cases(void **state)
{
    (void)state;
    char engine[4200];
    snprintf(engine, sizeof engine, "--engine=%s/behaviours.so", TEST_MODULES);
    kit_run clauses = kit_command("clauses", engine, "BDB_BACKUP_EXCL", NULL);
    assert_int_equal(clauses.status, 0);
    assert_non_null(strstr(clauses.output, "BDB_BACKUP_EXCL  MUST, documented"));
    assert_non_null(strstr(clauses.output, "case crashes"));
    kit_run errors = kit_command("errors", engine, NULL);
    assert_int_equal(errors.status, 0);
    assert_non_null(strstr(errors.output, "EEXIST"));
    assert_non_null(strstr(errors.output, "fails_with_a_message"));
    kit_run gaps = kit_command("clauses", engine, "--check", NULL);
    assert_int_equal(gaps.status, 1);
    kit_free(&clauses);
    kit_free(&errors);
    kit_free(&gaps);
}

static void errors_shows_what_a_record_says(void **state)
{
    (void)state;
    char engine[4200], record[4200];
    kit_run run = kit_check("behaviours", "--case", "fails", NULL);
    snprintf(engine, sizeof engine, "--engine=%s/behaviours.so", TEST_MODULES);
    snprintf(record, sizeof record, "--record=%s", kit_path("out/latest/record.ndjson"));
    kit_run errors = kit_command("errors", engine, record, NULL);
    assert_int_equal(errors.status, 0);
    assert_non_null(strstr(errors.output, "fails  behaviours FAIL"));
    kit_free(&run);
    kit_free(&errors);
}

#ifdef HOTPROOF_HAS_COUNTS
static void a_case_in_its_own_process_adds_to_the_coverage(void **state)
{
    (void)state;
    char command[4200];
    char *outer = getenv("HOTPROOF_CASE_COUNTS");
    char *kept = outer != NULL ? strdup(outer) : NULL;
    assert_int_equal(mkdir(kit_path("counts"), 0777), 0);
    assert_int_equal(chmod(kit_path("counts"), 0777), 0);
    setenv("HOTPROOF_CASE_COUNTS", kit_path("counts"), 1);
    kit_run run = kit_check("behaviours", "--case", "keeps_*", NULL);
    if (kept != NULL) {
        setenv("HOTPROOF_CASE_COUNTS", kept, 1);
    } else {
        unsetenv("HOTPROOF_CASE_COUNTS");
    }
    free(kept);
    assert_int_equal(run.status, 0);
    snprintf(command, sizeof command, "find %s -name 'behaviours.c.gcda' | grep -q .",
        kit_path("counts"));
    assert_int_equal(system(command), 0);
    kit_free(&run);
}
#endif

#define KIT_TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

static const struct CMUnitTest tests[] = {
    KIT_TEST(status_0_if_all_is_as_expected),
    KIT_TEST(status_2_for_a_wrong_option),
    KIT_TEST(a_debugger_goes_with_one_case_only),
    KIT_TEST(status_2_for_an_engine_that_does_not_exist),
    KIT_TEST(status_2_without_or_with_an_unknown_command),
    KIT_TEST(status_4_if_nothing_is_selected),
    KIT_TEST(two_hundred_and_fifty_six_failures_are_not_success),
    KIT_TEST(a_clause_glob_selects_its_cases),
    KIT_TEST(a_list_runs_nothing),
    KIT_TEST(repeat_records_each_run),
    KIT_TEST(fail_fast_stops_after_the_first_surprise),
    KIT_TEST(an_expected_failure_is_XFAIL_with_its_reason),
    KIT_TEST(another_failure_than_the_expected_is_a_surprise),
    KIT_TEST(an_unexpected_pass_is_XPASS),
    KIT_TEST(an_unstable_departure_may_pass_and_is_not_held),
    KIT_TEST(a_stale_line_fails_the_gate_and_is_named),
    KIT_TEST(a_wrong_line_ends_the_run_with_file_and_line),
    KIT_TEST(the_header_says_where_and_on_what_the_run_was),
    KIT_TEST(an_interrupted_run_writes_its_footer_and_leaves_no_litter),
    KIT_TEST(cases_do_not_outlive_a_runner_that_is_killed),
    KIT_TEST(keep_keeps_the_directories),
    KIT_TEST(the_html_report_is_one_well_formed_file),
    KIT_TEST(every_command_explains_itself),
    KIT_TEST(engines_lists_every_known_engine),
    KIT_TEST(clauses_and_errors_are_printed_with_their_cases),
    KIT_TEST(errors_shows_what_a_record_says),
#ifdef HOTPROOF_HAS_COUNTS
    KIT_TEST(a_case_in_its_own_process_adds_to_the_coverage),
#endif
};
TEST_MAIN(tests)
