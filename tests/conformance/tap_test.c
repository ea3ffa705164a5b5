/* TAP 14: what a strict reader finds in it, odd names and all. */
#include "fixture.h"
#include "report/tap.h"
#include "tap_reader.h"
#include "testmain.h"

#include <stdlib.h>
#include <string.h>

static tap_document document_of(const char *record)
{
    hp_model model = fixture_model(record);
    char *text = fixture_render(&model, hp_tap_write);
    tap_document document = tap_read(text);
    hp_model_free(&model);
    free(text);
    return document;
}

static bool passes(const char *record)
{
    tap_document document = document_of(record);
    bool passed = tap_passed(&document);
    tap_free(&document);
    return passed;
}

/* The point of the odd case whose name ends in `result`. */
static const tap_point *point_of(const tap_document *document, const char *result)
{
    char *title = hp_format("%s: %s%s", FIXTURE_ODD_ENGINE, FIXTURE_ODD_NAME, result);
    for (size_t i = 0; i < document->count; i++) {
        if (strcmp(document->points[i].description, title) == 0) {
            free(title);
            return &document->points[i];
        }
    }
    fail_msg("no point \"%s\"", title);
    return NULL;
}

static void point_is(
    const tap_document *document, const char *result, bool ok, const char *directive)
{
    const tap_point *point = point_of(document, result);
    assert_int_equal(point->ok, ok);
    assert_string_equal(point->directive, directive);
}

static void every_result_is_the_point_that_a_harness_judges_as_the_gate_does(void **state)
{
    (void)state;
    static const char *const failures[] = {"FAIL", "XPASS", "CRASH", "TIMEOUT", "VACUOUS", "ERROR"};
    tap_document document = document_of(fixture_odd_record());
    assert_int_equal(document.plan, 11);
    assert_int_equal(document.count, 11);
    point_is(&document, "PASS", true, "");
    point_is(&document, "XFAIL", false, "TODO");
    point_is(&document, "UNSUPPORTED", true, "SKIP");
    point_is(&document, "UNRESOLVED", true, "SKIP");
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        point_is(&document, failures[i], false, "");
    }
    assert_false(document.points[10].ok); /* the stale line */
    assert_string_equal(document.points[10].directive, "");
    assert_null(document.bail_out);
    tap_free(&document);
}

static void reasons_come_back_as_they_were(void **state)
{
    (void)state;
    tap_document document = document_of(fixture_odd_record());
    assert_string_equal(point_of(&document, "XFAIL")->reason, "known # since \\ <ever> | & `so`");
    assert_string_equal(point_of(&document, "UNSUPPORTED")->reason,
        "UNSUPPORTED: first <line> & \"more\" # SKIP \\   ---   ... not ok 1 - ``` ]]> |");
    tap_free(&document);
}

static void the_diagnostics_hold_message_place_promises_and_log(void **state)
{
    (void)state;
    tap_document document = document_of(fixture_odd_record());
    const json_t *about = point_of(&document, "FAIL")->diagnostics;
    assert_non_null(about);
    assert_string_equal(hp_json_get(about, "message"), FIXTURE_ODD_MESSAGE "\n");
    assert_string_equal(hp_json_get(about, "where"), "dir <&>/file.c:12");
    assert_string_equal(hp_json_get(about, "asserting"), "A");
    assert_string_equal(hp_json_get(about, "reproduce"), "hotproof check --case 'x <&>'");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(about, "clauses"), 0)), "A");
    /* What a terminal would obey is gone, what it says is not. */
    assert_string_equal(
        hp_json_get(about, "log"), "\n  an indented line\n\\xc2\\x9b31m and \\x01 ]]>\n\n```\n");
    assert_int_equal(json_integer_value(json_object_get(about, "duration_ms")), 250);
    assert_null(point_of(&document, "PASS")->diagnostics);
    assert_string_equal(hp_json_get(point_of(&document, "XFAIL")->diagnostics, "since"), "1.0 <&>");
    assert_non_null(
        strstr(hp_json_get(point_of(&document, "XPASS")->diagnostics, "message"), "known # since"));
    tap_free(&document);
}

static void a_harness_agrees_with_the_gate(void **state)
{
    (void)state;
    assert_true(passes(HEADER RESULT("a", "PASS") RESULT("b", "XFAIL") FOOTER));
    assert_true(passes(HEADER RESULT("a", "PASS") RESULT("b", "UNSUPPORTED") FOOTER));
    assert_false(passes(HEADER RESULT("a", "PASS") RESULT("b", "XPASS") FOOTER));
    assert_false(passes(HEADER RESULT("a", "PASS") RESULT("b", "VACUOUS") FOOTER));
    assert_false(passes(HEADER RESULT("a", "PASS") "{\"type\":\"stale\",\"engine\":\"e\",\"case\":"
                                                   "\"x\",\"file\":\"f\",\"line\":1}\n" FOOTER));
}

static void a_run_that_was_cut_short_keeps_its_plan_and_bails_out(void **state)
{
    (void)state;
    tap_document document =
        document_of(FIXTURE_HEADER("\"planned\":4,", FIXTURE_ENGINE("e", "1")) RESULT("a", "PASS"));
    assert_int_equal(document.plan, 4);
    assert_int_equal(document.count, 1);
    assert_non_null(document.bail_out);
    assert_false(tap_passed(&document));
    tap_free(&document);
    /* One that was ended by --fail-fast did not lose anything. */
    document = document_of(
        FIXTURE_HEADER("\"planned\":4,", FIXTURE_ENGINE("e", "1")) RESULT("a", "FAIL") FOOTER);
    assert_int_equal(document.plan, 1);
    assert_null(document.bail_out);
    tap_free(&document);
}

static void repetitions_are_told_apart(void **state)
{
    (void)state;
    tap_document document = document_of(HEADER RESULT("a",
        "PASS") "{\"type\":\"result\",\"engine\":\"e\",\"case\":\"a\",\"repetition\":2,\"result\":"
                "\"PASS\"}\n" FOOTER);
    assert_string_equal(document.points[0].description, "e: a");
    assert_string_equal(document.points[1].description, "e: a (repetition 2)");
    tap_free(&document);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_result_is_the_point_that_a_harness_judges_as_the_gate_does),
    cmocka_unit_test(reasons_come_back_as_they_were),
    cmocka_unit_test(the_diagnostics_hold_message_place_promises_and_log),
    cmocka_unit_test(a_harness_agrees_with_the_gate),
    cmocka_unit_test(a_run_that_was_cut_short_keeps_its_plan_and_bails_out),
    cmocka_unit_test(repetitions_are_told_apart),
};
TEST_MAIN(tests)
