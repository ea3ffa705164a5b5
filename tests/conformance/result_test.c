/* From the end of a process and its reports to a result. */
#include "runner/result.h"
#include "testmain.h"

#include <signal.h>
#include <string.h>

static const char *const clauses[] = {"A", "B"};

/* Status as waitpid() gives it. */
static int exited(int status)
{
    return status << 8;
}

static hp_judgement judge(int wait_status, bool timed_out, const char *report, const char *log)
{
    hp_ending ending = {wait_status, timed_out, report, log, clauses, 2};
    hp_judgement judgement;
    hp_judge(&ending, &judgement);
    return judgement;
}

static void expect(hp_judgement judgement, hp_result raw, const char *message)
{
    assert_string_equal(hp_result_name(judgement.raw), hp_result_name(raw));
    assert_non_null(strstr(judgement.message, message));
    hp_judgement_free(&judgement);
}

static void all_promises_and_a_good_end_pass(void **state)
{
    (void)state;
    expect(judge(exited(0), false, "begin x\npromise A\npromise B\npromise A\nend pass\n", ""),
        HP_RESULT_PASS, "");
}

static void a_bad_status_after_a_good_end_fails(void **state)
{
    (void)state;
    expect(judge(exited(23), false, "begin x\npromise A\npromise B\nend pass\n", ""),
        HP_RESULT_FAIL, "status 23");
}

static void a_signal_after_a_good_end_is_a_crash(void **state)
{
    (void)state;
    expect(
        judge(SIGABRT, false, "promise A\npromise B\nend pass\n", ""), HP_RESULT_CRASH, "signal 6");
}

static void a_crash_counts_before_what_was_not_asserted(void **state)
{
    (void)state;
    expect(judge(SIGSEGV, false, "begin x\n", ""), HP_RESULT_CRASH, "signal 11");
}

static void a_failure_counts_even_if_the_process_then_hangs(void **state)
{
    (void)state;
    expect(judge(SIGKILL, true, "promise A\nend fail\n", ""), HP_RESULT_FAIL, "assertion");
}

static void a_limit_that_was_reached_is_a_timeout_not_a_crash(void **state)
{
    (void)state;
    expect(judge(SIGTERM, true, "promise A\n", ""), HP_RESULT_TIMEOUT, "time limit");
}

static void nothing_reported_is_a_crash(void **state)
{
    (void)state;
    expect(judge(exited(0), false, "", ""), HP_RESULT_CRASH, "status 0");
}

static void an_error_of_the_kit_comes_first(void **state)
{
    (void)state;
    expect(judge(exited(1), true, "error no module\n", ""), HP_RESULT_ERROR, "no module");
}

static void a_line_that_was_cut_off_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    expect(judge(SIGSEGV, false, "begin x\npromise A\npromise", ""), HP_RESULT_CRASH, "signal");
    expect(judge(SIGSEGV, false, "\n\n \nnonsense here\n", ""), HP_RESULT_CRASH, "signal");
}

static void the_last_promise_before_a_failure_is_to_blame(void **state)
{
    (void)state;
    hp_judgement judgement =
        judge(exited(1), false, "promise A\npromise B\npromise A\nend fail\n", "");
    assert_string_equal(judgement.blame, "A");
    assert_int_equal(judgement.mark_count, 2);
    hp_judgement_free(&judgement);
}

static void the_assertion_is_found_in_the_log(void **state)
{
    (void)state;
    hp_judgement judgement = judge(exited(1), false, "promise A\nend fail\n",
        "noise\n[  ERROR   ] --- 0x1 != 0x2\n[   LINE   ] --- /a/b.c:7: error: Failure!\n[  FAILED "
        " ] x\n");
    assert_string_equal(judgement.message, "0x1 != 0x2");
    assert_string_equal(judgement.where, "/a/b.c:7");
    hp_judgement_free(&judgement);
    judgement = judge(exited(1), false, "promise A\nend fail\n",
        "ERROR: of\nthree lines\n[  ERROR   ] --- [   LINE   ] --- b.c:9: error: Failure!\n");
    assert_string_equal(judgement.message, "of\nthree lines");
    assert_string_equal(judgement.where, "b.c:9");
    hp_judgement_free(&judgement);
    judgement = judge(exited(1), false, "promise A\nend fail\n", "[   LINE   ] --- ");
    assert_string_equal(judgement.message, "an assertion failed");
    hp_judgement_free(&judgement);
}

static void names_are_parsed_exactly(void **state)
{
    (void)state;
    assert_int_equal(hp_result_parse("FAIL", 4), HP_RESULT_FAIL);
    assert_int_equal(hp_result_parse("FAILED", 6), HP_RESULT_COUNT);
    assert_int_equal(hp_result_parse("FAI", 3), HP_RESULT_COUNT);
    assert_int_equal(hp_result_parse("", 0), HP_RESULT_COUNT);
    for (int i = 0; i < HP_RESULT_COUNT; i++) {
        const char *name = hp_result_name((hp_result)i);
        assert_int_equal(hp_result_parse(name, strlen(name)), i);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(all_promises_and_a_good_end_pass),
    cmocka_unit_test(a_bad_status_after_a_good_end_fails),
    cmocka_unit_test(a_signal_after_a_good_end_is_a_crash),
    cmocka_unit_test(a_crash_counts_before_what_was_not_asserted),
    cmocka_unit_test(a_failure_counts_even_if_the_process_then_hangs),
    cmocka_unit_test(a_limit_that_was_reached_is_a_timeout_not_a_crash),
    cmocka_unit_test(nothing_reported_is_a_crash),
    cmocka_unit_test(an_error_of_the_kit_comes_first),
    cmocka_unit_test(a_line_that_was_cut_off_is_read_as_far_as_it_goes),
    cmocka_unit_test(the_last_promise_before_a_failure_is_to_blame),
    cmocka_unit_test(the_assertion_is_found_in_the_log),
    cmocka_unit_test(names_are_parsed_exactly),
};
TEST_MAIN(tests)
