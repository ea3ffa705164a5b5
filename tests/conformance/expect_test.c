/* Expectation files: what is understood, and what is refused with file and line. */
#include "runner/expect.h"
#include "testmain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/hotproof-expect-XXXXXX";

static int read_text(const char *text, hp_expectations *expectations, hp_error *error)
{
    memcpy(strrchr(path, '-') + 1, "XXXXXX", 6);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    int status = hp_expectations_read(path, expectations, error);
    unlink(path);
    return status;
}

static void refuse(const char *text, int line, const char *why)
{
    hp_expectations expectations;
    hp_error error;
    char wanted[256];
    assert_int_equal(read_text(text, &expectations, &error), -1);
    snprintf(wanted, sizeof wanted, "%s:%d: ", path, line);
    assert_int_equal(strncmp(error.text, wanted, strlen(wanted)), 0);
    assert_non_null(strstr(error.text, why));
    hp_expectations_free(&expectations);
}

static void a_line_has_case_result_since_reason_and_reference(void **state)
{
    (void)state;
    hp_expectations expectations;
    hp_error error;
    assert_int_equal(
        read_text(
            "# comment\n\n one_case |CRASH | 5.3.28 | dies, always | https://example.org/1 \n",
            &expectations, &error),
        0);
    const hp_departure *line = hp_expectations_find(&expectations, "one_case");
    assert_non_null(line);
    assert_int_equal(line->line, 3);
    assert_int_equal(line->results, 1u << HP_RESULT_CRASH);
    assert_false(line->unstable);
    assert_string_equal(line->since, "5.3.28");
    assert_string_equal(line->reason, "dies, always");
    assert_string_equal(line->reference, "https://example.org/1");
    assert_null(hp_expectations_find(&expectations, "another"));
    hp_expectations_free(&expectations);
}

static void the_reference_may_be_missing(void **state)
{
    (void)state;
    hp_expectations expectations;
    hp_error error;
    assert_int_equal(read_text("c | FAIL | now | why not", &expectations, &error), 0);
    assert_string_equal(expectations.items[0].reference, "");
    hp_expectations_free(&expectations);
}

static void a_missing_file_has_no_lines(void **state)
{
    (void)state;
    hp_expectations expectations;
    hp_error error;
    assert_int_equal(hp_expectations_read("/tmp/hotproof-no-such-file", &expectations, &error), 0);
    assert_int_equal(expectations.count, 0);
    hp_expectations_free(&expectations);
}

static void a_directory_is_no_expectation_file(void **state)
{
    (void)state;
    hp_expectations expectations;
    hp_error error;
    assert_int_equal(hp_expectations_read("/dev/null/x", &expectations, &error), -1);
    assert_non_null(strstr(error.text, "/dev/null/x: "));
    hp_expectations_free(&expectations);
}

static void wrong_lines_are_refused_with_their_number(void **state)
{
    (void)state;
    refuse("c | FAIL | now |  \n", 1, "the reason is empty");
    refuse("c | FAIL | now | | a book\n", 1, "the reason is empty");
    refuse("\n | FAIL | now | why\n", 2, "the case is empty");
    refuse("c | FAIL | | why\n", 1, "the since is empty");
    refuse("c | FAIL | now\n", 1, "expected");
    refuse("c | FAIL | now | why | ref | more\n", 1, "expected");
    refuse("just words\n", 1, "expected");
    refuse("c | PASS | now | why\n", 1, "'PASS' is not FAIL");
    refuse("c | fail | now | why\n", 1, "'fail' is not FAIL");
    refuse("c | | now | why\n", 1, "'' is not FAIL");
    refuse("c | VACUOUS | now | why\n", 1, "'VACUOUS' is not FAIL");
    refuse("c | FAIL, CRASH | now | why\n", 1, "need the word unstable");
    refuse("c | unstable FAIL | now | why\n", 1, "two results or more");
    refuse("a | FAIL | now | why\nc | FAIL | now | why\n#\nc | CRASH | now | why\n", 4,
        "listed in line 2");
}

static void several_results_need_the_word_unstable(void **state)
{
    (void)state;
    hp_expectations expectations;
    hp_error error;
    assert_int_equal(
        read_text("c | unstable CRASH,TIMEOUT, PASS | now | why\n", &expectations, &error), 0);
    assert_true(expectations.items[0].unstable);
    assert_int_equal(expectations.items[0].results,
        1u << HP_RESULT_CRASH | 1u << HP_RESULT_TIMEOUT | 1u << HP_RESULT_PASS);
    hp_expectations_free(&expectations);
}

static void a_line_turns_only_what_it_names_into_XFAIL(void **state)
{
    (void)state;
    const hp_departure fails = {.results = 1u << HP_RESULT_FAIL};
    const hp_departure unstable = {
        .results = 1u << HP_RESULT_FAIL | 1u << HP_RESULT_PASS, .unstable = true};
    assert_int_equal(hp_expectations_apply(&fails, HP_RESULT_FAIL), HP_RESULT_XFAIL);
    assert_int_equal(hp_expectations_apply(&fails, HP_RESULT_CRASH), HP_RESULT_CRASH);
    assert_int_equal(hp_expectations_apply(&fails, HP_RESULT_PASS), HP_RESULT_XPASS);
    assert_int_equal(hp_expectations_apply(&fails, HP_RESULT_VACUOUS), HP_RESULT_VACUOUS);
    assert_int_equal(hp_expectations_apply(&fails, HP_RESULT_UNSUPPORTED), HP_RESULT_UNSUPPORTED);
    assert_int_equal(hp_expectations_apply(&unstable, HP_RESULT_PASS), HP_RESULT_PASS);
    assert_int_equal(hp_expectations_apply(NULL, HP_RESULT_FAIL), HP_RESULT_FAIL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_line_has_case_result_since_reason_and_reference),
    cmocka_unit_test(the_reference_may_be_missing),
    cmocka_unit_test(a_missing_file_has_no_lines),
    cmocka_unit_test(a_directory_is_no_expectation_file),
    cmocka_unit_test(wrong_lines_are_refused_with_their_number),
    cmocka_unit_test(several_results_need_the_word_unstable),
    cmocka_unit_test(a_line_turns_only_what_it_names_into_XFAIL),
};
TEST_MAIN(tests)
