/* Verdicts from a record: states of clauses, two verdicts, records that were cut short or damaged. */
#include "fixture.h"
#include "report/model.h"
#include "testmain.h"

#include <stdlib.h>
#include <string.h>

static hp_clause_state state_of(const hp_model *model, const char *id)
{
    for (size_t i = 0; i < model->clause_count; i++) {
        if (strcmp(model->clauses[i].id, id) == 0) {
            return model->engines[0].states[i];
        }
    }
    fail_msg("no clause %s", id);
    return HP_STATE_COUNT;
}

static bool has_clause(const hp_model *model, const char *id)
{
    size_t i = 0;
    while (i < model->clause_count && strcmp(model->clauses[i].id, id) != 0) {
        i++;
    }
    return i < model->clause_count;
}

static void verdict_is(const char *results, const char *verdict)
{
    hp_model model = fixture_model(results);
    assert_string_equal(hp_model_verdict(&model, &model.engines[0]), verdict);
    hp_model_free(&model);
}

static void a_clause_is_held_if_every_case_of_it_passed(void **state)
{
    (void)state;
    hp_model model =
        fixture_model(HEADER RESULT("a", "PASS") RESULT("b", "PASS") RESULT("ab", "PASS") FOOTER);
    assert_int_equal(state_of(&model, "A"), HP_STATE_HELD);
    assert_int_equal(state_of(&model, "B"), HP_STATE_HELD);
    assert_int_equal(state_of(&model, "C"), HP_STATE_NOT_RUN);
    assert_false(has_clause(&model, "X")); /* of a profile that no engine here is judged by */
    assert_int_equal(model.engines[0].tally[HP_MUST][HP_DOCUMENTED].total, 1);
    assert_int_equal(model.engines[0].tally[HP_MUST][HP_INFERRED].total, 1);
    assert_string_equal(hp_model_gate(&model.engines[0]), "gate passed");
    hp_model_free(&model);
}

static void the_worst_case_of_a_clause_counts(void **state)
{
    (void)state;
    hp_model model =
        fixture_model(HEADER RESULT("a", "PASS") RESULT("b", "XFAIL") RESULT("ab", "UNSUPPORTED"));
    assert_int_equal(state_of(&model, "A"), HP_STATE_NOT_RUN);
    assert_int_equal(state_of(&model, "B"), HP_STATE_DEPARTS);
    hp_model_free(&model);
    model = fixture_model(HEADER RESULT("a", "CRASH") RESULT("b", "XFAIL") RESULT("ab", "PASS"));
    assert_int_equal(state_of(&model, "A"), HP_STATE_BROKEN);
    assert_string_equal(hp_model_gate(&model.engines[0]), "gate failed: 1 surprise");
    hp_model_free(&model);
}

static void one_failed_repetition_is_enough(void **state)
{
    (void)state;
    hp_model model =
        fixture_model(HEADER RESULT("c", "PASS") RESULT("c", "FAIL") RESULT("c", "PASS"));
    assert_int_equal(state_of(&model, "C"), HP_STATE_BROKEN);
    hp_model_free(&model);
}

static void a_surprise_counts_before_an_expected_failure(void **state)
{
    (void)state;
    hp_model model = fixture_model(HEADER RESULT("c", "XFAIL") RESULT("c", "TIMEOUT"));
    assert_int_equal(state_of(&model, "C"), HP_STATE_BROKEN);
    hp_model_free(&model);
    model = fixture_model(HEADER RESULT("c", "UNSUPPORTED") RESULT("c", "XFAIL"));
    assert_int_equal(state_of(&model, "C"), HP_STATE_DEPARTS);
    hp_model_free(&model);
}

static void strict_asks_for_every_SHOULD_too(void **state)
{
    (void)state;
    static const struct {
        const char *result, *verdict;
    } rows[] = {{"PASS", "strictly conformant"}, {"XFAIL", "not strictly conformant"},
        {"UNSUPPORTED", "strictly conformant except for what did not run"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *record = hp_format("%s%s%s%s{\"type\":\"result\",\"engine\":\"e\",\"case\":\"c\","
                                 "\"result\":\"%s\"}\n",
            HEADER, RESULT("a", "PASS"), RESULT("b", "PASS"), RESULT("ab", "PASS"), rows[i].result);
        hp_model model = fixture_model(record);
        assert_string_equal(hp_model_verdict(&model, &model.engines[0]), "conformant");
        assert_string_equal(hp_model_gate(&model.engines[0]), "gate passed");
        model.strict = true;
        assert_string_equal(hp_model_verdict(&model, &model.engines[0]), rows[i].verdict);
        assert_string_equal(hp_model_gate(&model.engines[0]), "gate passed");
        hp_model_free(&model);
        free(record);
    }
}

static void a_filter_counts_by_page_level_and_source(void **state)
{
    (void)state;
    hp_model model = fixture_model(HEADER RESULT("a", "PASS") RESULT("ab", "PASS"));
    const hp_filter all = {0}, page = {.page = "one"},
                    must = {.page = "one", .levels = 1u << HP_MUST},
                    inferred = {.sources = 1u << HP_INFERRED};
    assert_int_equal(hp_model_count(&model, &model.engines[0], &all).total, 3);
    assert_int_equal(hp_model_count(&model, &model.engines[0], &page).total, 2);
    assert_int_equal(hp_model_count(&model, &model.engines[0], &must).total, 1);
    assert_int_equal(hp_model_count(&model, &model.engines[0], &must).of[HP_STATE_HELD], 1);
    assert_int_equal(hp_model_count(&model, &model.engines[0], &inferred).of[HP_STATE_HELD], 0);
    char *held = hp_model_held(&model.engines[0]);
    assert_string_equal(held, "MUST held: 1/1 documented, 0/1 inferred; SHOULD 0/1");
    free(held);
    hp_model_free(&model);
}

static void a_record_from_outside_is_made_harmless(void **state)
{
    (void)state;
    hp_model model = fixture_model(HEADER
        "{\"type\":\"result\",\"engine\":\"e\",\"case\":\"a\",\"result\":\"FAIL\",\"message\":"
        "\"\\u001b[2J\\u009b2J\\u2028x\"}\n");
    assert_string_equal(hp_json_get(json_array_get(model.results, 0), "message"),
        "\\x1b[2J\\xc2\\x9b2J\\xe2\\x80\\xa8x");
    hp_model_free(&model);
}

static void the_verdict_tells_refusal_from_absence(void **state)
{
    (void)state;
    verdict_is(HEADER RESULT("a", "PASS") RESULT("b", "PASS") RESULT("ab", "PASS"), "conformant");
    verdict_is(
        HEADER RESULT("a", "PASS") RESULT("b", "PASS"), "conformant except for what did not run");
    verdict_is(
        HEADER RESULT("a", "XFAIL") RESULT("b", "PASS") RESULT("ab", "PASS"), "not conformant");
    verdict_is(
        HEADER RESULT("a", "PASS") RESULT("b", "VACUOUS") RESULT("ab", "PASS"), "not conformant");
    /* A SHOULD decides nothing. */
    verdict_is(HEADER RESULT("a", "PASS") RESULT("b", "PASS") RESULT("ab", "PASS")
                   RESULT("c", "XFAIL"),
        "conformant");
}

static void clauses_of_a_page_stand_together(void **state)
{
    (void)state;
    hp_model model = fixture_model(HEADER);
    assert_string_equal(model.clauses[0].id, "A");
    assert_string_equal(model.clauses[1].id, "C");
    assert_string_equal(model.clauses[2].id, "B");
    hp_model_free(&model);
}

static void a_record_that_was_cut_short_has_no_footer(void **state)
{
    (void)state;
    hp_model model = fixture_model(HEADER RESULT("a", "PASS") "{\"type\":\"resu");
    assert_null(model.runs[0].footer);
    assert_false(model.complete);
    assert_int_equal(json_array_size(model.results), 1);
    hp_model_free(&model);
}

static void a_damaged_record_is_refused_with_the_line(void **state)
{
    (void)state;
    static const char *const damaged[] = {
        HEADER "{\"type\":\"resu\n" FOOTER,
        HEADER "{\"type\":\"mystery\"}\n",
        HEADER RESULT("a", "GOOD"),
        HEADER HEADER,
    };
    hp_model model;
    hp_error error;
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        assert_int_equal(fixture_load(damaged[i], &model, &error), -1);
        assert_non_null(strstr(error.text, ":2: not a line of a record"));
    }
    assert_int_equal(fixture_load("", &model, &error), -1);
    assert_non_null(strstr(error.text, "no header"));
    assert_int_equal(hp_model_load("/no/such/record", &model, &error), -1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_clause_is_held_if_every_case_of_it_passed),
    cmocka_unit_test(the_worst_case_of_a_clause_counts),
    cmocka_unit_test(one_failed_repetition_is_enough),
    cmocka_unit_test(a_surprise_counts_before_an_expected_failure),
    cmocka_unit_test(strict_asks_for_every_SHOULD_too),
    cmocka_unit_test(a_filter_counts_by_page_level_and_source),
    cmocka_unit_test(a_record_from_outside_is_made_harmless),
    cmocka_unit_test(the_verdict_tells_refusal_from_absence),
    cmocka_unit_test(clauses_of_a_page_stand_together),
    cmocka_unit_test(a_record_that_was_cut_short_has_no_footer),
    cmocka_unit_test(a_damaged_record_is_refused_with_the_line),
};
TEST_MAIN(tests)
