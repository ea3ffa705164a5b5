/* The table of an engine's departures: what is in it, in which order, and that nothing is lost. */
#include "fixture.h"
#include "markdown_reader.h"
#include "report/departures.h"
#include "testmain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CASE_OF(engine, name, clause, result, more)                                             \
    "{\"type\":\"result\",\"engine\":\"" engine "\",\"case\":\"" name "\",\"result\":\"" result \
    "\",\"clauses\":[\"" clause "\"],\"blame\":\"" clause                                       \
    "\",\"reproduce\":\"x/hotproof check --engine " engine " --case " name                      \
    " --seed 4711 --timeout-scale 2 --keep\"" more "}\n"
#define CASE(name, clause, result, more) CASE_OF("e", name, clause, result, more)
#define BECAUSE(reason) ",\"departure\":{\"reason\":\"" reason "\",\"since\":\"1\",\"line\":3}"
#define UNSTABLE(reason) ",\"departure\":{\"reason\":\"" reason "\",\"unstable\":true}"
#define TABLE_HEAD "| Promise | Level | What it does instead | Reproduce |\n|---|---|---|---|\n"

static int write_e(const hp_model *model, FILE *out, hp_error *error)
{
    const hp_engine_report *engine = hp_model_engine(model, "e");
    assert_non_null(engine);
    return hp_departures_write(model, engine, out, error);
}

static int write_odd(const hp_model *model, FILE *out, hp_error *error)
{
    return hp_departures_write(model, hp_model_engine(model, FIXTURE_ODD_ENGINE), out, error);
}

static void expect_text(const char *record, const char *text)
{
    markdown_parts p = markdown_of(record, write_e);
    assert_string_equal(p.text, text);
    markdown_free(&p);
}

static void an_engine_without_departures_has_a_line_and_no_table(void **state)
{
    (void)state;
    expect_text(HEADER CASE("a", "A", "PASS", "") CASE("b", "B", "PASS", "")
                    CASE("ab", "A", "PASS", "") CASE("c", "C", "PASS", "") FOOTER,
        "**e 1**: no known departures in 4 cases; not held: 0 of 3 promises.\n");
}

static void a_departure_is_promise_level_reason_and_command(void **state)
{
    (void)state;
    expect_text(HEADER CASE("a", "A", "PASS", "") CASE("b", "B", "XFAIL", BECAUSE("does not"))
                    CASE("ab", "A", "PASS", "") CASE("c", "C", "PASS", "") FOOTER,
        "**e 1**: 1 known departure (1 stable, 0 unstable) in 4 cases; "
        "not held: 1 of 3 promises.\n"
        "\n### two: 1\n\n" TABLE_HEAD
        "| B holds. | MUST, inferred | does not | `conformance/run --engine e --case b` |\n");
}

static void the_order_is_that_of_promises_and_cases_not_that_of_the_run(void **state)
{
    (void)state;
    expect_text(HEADER CASE("c", "C", "XFAIL", BECAUSE("not c")) CASE("ab", "A", "XFAIL",
                    BECAUSE("neither")) CASE("b", "B", "XFAIL", BECAUSE("not b"))
                    CASE("a", "A", "XFAIL", BECAUSE("not a")) FOOTER,
        "**e 1**: 4 known departures (4 stable, 0 unstable) in 4 cases; "
        "not held: 3 of 3 promises.\n"
        "\n### one: 3\n\n" TABLE_HEAD
        "| A holds. | MUST, documented | not a | `conformance/run --engine e --case a` |\n"
        "| A holds. | MUST, documented | neither | `conformance/run --engine e --case ab` |\n"
        "| C holds. | SHOULD, inferred | not c | `conformance/run --engine e --case c` |\n"
        "\n### two: 1\n\n" TABLE_HEAD
        "| B holds. | MUST, inferred | not b | `conformance/run --engine e --case b` |\n");
}

/* Whether it failed this time or passed: the table is the same. */
static void an_unstable_departure_is_marked_and_counted_apart(void **state)
{
    (void)state;
    static const char expected[] =
        "**e 1**: 2 known departures (1 stable, 1 unstable) in 2 of 4 cases; "
        "not held: 2 of 3 promises.\n"
        "\n### one: 1\n\n" TABLE_HEAD "| A holds. | MUST, documented | **unstable:** may crash | "
        "`conformance/run --engine e --case a` |\n"
        "\n### two: 1\n\n" TABLE_HEAD
        "| B holds. | MUST, inferred | does not | `conformance/run --engine e --case b` |\n";
    expect_text(HEADER CASE("a", "A", "PASS", UNSTABLE("may crash"))
                    CASE("b", "B", "XFAIL", BECAUSE("does not")) FOOTER,
        expected);
    expect_text(HEADER CASE("b", "B", "XFAIL", BECAUSE("does not"))
                    CASE("a", "A", "XFAIL", UNSTABLE("may crash")) FOOTER,
        expected);
}

static void a_case_that_ran_several_times_has_one_row(void **state)
{
    (void)state;
    expect_text(HEADER CASE("b", "B", "XFAIL", BECAUSE("does not"))
                    CASE("b", "B", "XFAIL", BECAUSE("does not")) FOOTER,
        "**e 1**: 1 known departure (1 stable, 0 unstable) in 1 of 4 cases; "
        "not held: 1 of 3 promises.\n"
        "\n### two: 1\n\n" TABLE_HEAD
        "| B holds. | MUST, inferred | does not | `conformance/run --engine e --case b` |\n");
}

static void surprises_come_first_and_are_called_so(void **state)
{
    (void)state;
    expect_text(
        FIXTURE_HEADER("", FIXTURE_ENGINE("e", "1") "," FIXTURE_ENGINE("f", "2")) CASE("a", "A",
            "FAIL", ",\"message\":\"1 is not 2\"") CASE("b", "B", "XPASS", BECAUSE("did not"))
            CASE("c", "C", "XFAIL", BECAUSE("not c")) CASE_OF("f", "a", "A", "FAIL",
                "") "{\"type\":\"stale\",\"engine\":\"e\",\"case\":\"gone\",\"file\":\"x.expect\","
                    "\"line\":7}\n" FOOTER,
        "**e 1**: 1 known departure (1 stable, 0 unstable) in 3 of 4 cases; "
        "not held: 2 of 3 promises. **Gate failed: 3 surprises.**\n"
        "\n### Surprises\n\n"
        "| Promise | Result | Why | Reproduce |\n|---|---|---|---|\n"
        "| A holds. | FAIL | 1 is not 2 | `conformance/run --engine e --case a` |\n"
        "| B holds. | XPASS | passes, though the expectation file says it would not (since 1: "
        "did not) | `conformance/run --engine e --case b` |\n"
        "| – | STALE | x.expect:7 names gone, which is no case | – |\n"
        "\n### one: 1\n\n" TABLE_HEAD
        "| C holds. | SHOULD, inferred | not c | `conformance/run --engine e --case c` |\n");
}

static void a_departure_that_was_not_asserted_is_named(void **state)
{
    (void)state;
    expect_text(HEADER CASE("a", "A", "UNSUPPORTED", BECAUSE("does not")) CASE("b", "B",
                    "UNRESOLVED", UNSTABLE("may not")) CASE("c", "C", "UNSUPPORTED", "") FOOTER,
        "**e 1**: no known departures in 3 of 4 cases; not held: 1 of 3 promises.\n"
        "\nListed as departures, but not asserted in this run: a; b.\n");
}

static void half_a_run_says_so(void **state)
{
    (void)state;
    markdown_parts p = markdown_of(HEADER CASE("b", "B", "XFAIL", BECAUSE("not")), write_e);
    assert_non_null(strstr(p.text, "**The run was cut short**"));
    markdown_free(&p);
}

static void odd_text_stays_in_its_cell(void **state)
{
    (void)state;
    markdown_parts p = markdown_of(fixture_odd_record(), write_odd);
    assert_non_null(strstr(p.plain, "\n### page \\| &lt;one> \\*&amp;\\*: 1\n"));
    assert_non_null(
        strstr(p.plain, "| Holds. | MUST, documented | known \\# since \\\\ &lt;ever> \\| &amp; "
                        "\\`so\\` | `hotproof check --case 'x <&>'` |\n"));
    assert_non_null(strstr(p.plain, "| FAIL | first &lt;line> &amp; \"more\" \\# SKIP \\\\<br>"));
    for (size_t i = 0; i < 6; i++) {
        static const char *const surprises[] = {
            "| FAIL |", "| XPASS |", "| CRASH |", "| TIMEOUT |", "| VACUOUS |", "| ERROR |"};
        const char *found = strstr(p.plain, surprises[i]);
        assert_non_null(found);
        assert_null(strstr(found + 1, surprises[i]));
    }
    assert_non_null(strstr(p.plain, "| STALE |"));
    markdown_free(&p);
}

static void the_command_has_the_engine_and_case_of_the_record_and_no_seed(void **state)
{
    (void)state;
    markdown_parts p = markdown_of(HEADER
        "{\"type\":\"result\",\"engine\":\"e\",\"case\":\"a\",\"result\":\"XFAIL\",\"departure\":{"
        "\"reason\":\"not\"},\"reproduce\":\"conformance/run --engine '/x --seed y/e.so' --case a "
        "--seed 1 --keep\"}\n" FOOTER,
        write_e);
    assert_non_null(strstr(p.text, "`conformance/run --engine '/x --seed y/e.so' --case a`"));
    markdown_free(&p);
}

/* One shard has the one departure, the other the other. */
static void several_records_are_one_table(void **state)
{
    (void)state;
    char *paths[] = {fixture_file(HEADER CASE("a", "A", "XFAIL", BECAUSE("not a")) FOOTER),
        fixture_file(HEADER CASE("b", "B", "XFAIL", UNSTABLE("not b")) FOOTER)};
    hp_model model;
    hp_error error;
    assert_int_equal(hp_model_load_all(paths, 2, &model, &error), 0);
    char *text = fixture_render(&model, write_e);
    assert_ptr_equal(
        text, strstr(text, "**e 1**: 2 known departures (1 stable, 1 unstable) in 2 of 4 cases; "));
    assert_non_null(strstr(text, "| not a |"));
    assert_non_null(strstr(text, "| **unstable:** not b |"));
    hp_model_free(&model);
    free(text);
    for (size_t i = 0; i < 2; i++) {
        unlink(paths[i]);
        free(paths[i]);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_engine_without_departures_has_a_line_and_no_table),
    cmocka_unit_test(a_departure_is_promise_level_reason_and_command),
    cmocka_unit_test(the_order_is_that_of_promises_and_cases_not_that_of_the_run),
    cmocka_unit_test(an_unstable_departure_is_marked_and_counted_apart),
    cmocka_unit_test(a_case_that_ran_several_times_has_one_row),
    cmocka_unit_test(surprises_come_first_and_are_called_so),
    cmocka_unit_test(a_departure_that_was_not_asserted_is_named),
    cmocka_unit_test(half_a_run_says_so),
    cmocka_unit_test(odd_text_stays_in_its_cell),
    cmocka_unit_test(the_command_has_the_engine_and_case_of_the_record_and_no_seed),
    cmocka_unit_test(several_records_are_one_table),
};
TEST_MAIN(tests)
