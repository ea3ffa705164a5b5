/* Verdicts from a record: states of clauses, two verdicts, records that were cut short or damaged. */
#include "report/model.h"
#include "testmain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER                                                                                     \
    "{\"type\":\"header\",\"clauses\":["                                                           \
    "{\"id\":\"A\",\"profile\":\"p\",\"level\":\"MUST\",\"source\":\"documented\",\"page\":"       \
    "\"one\"},"                                                                                    \
    "{\"id\":\"B\",\"profile\":\"p\",\"level\":\"MUST\",\"source\":\"inferred\",\"page\":\"two\"}" \
    ","                                                                                            \
    "{\"id\":\"C\",\"profile\":\"p\",\"level\":\"SHOULD\",\"source\":\"inferred\",\"page\":"       \
    "\"one\"},"                                                                                    \
    "{\"id\":\"X\",\"profile\":\"other\",\"level\":\"MUST\",\"source\":\"inferred\",\"page\":"     \
    "\"x\"}],"                                                                                     \
    "\"engines\":[{\"engine\":\"e\",\"profile\":\"p\",\"version\":\"1\",\"cases\":["               \
    "{\"name\":\"a\",\"clauses\":[\"A\"]},{\"name\":\"b\",\"clauses\":[\"B\"]},"                   \
    "{\"name\":\"ab\",\"clauses\":[\"A\",\"B\"]},{\"name\":\"c\",\"clauses\":[\"C\"]}]}]}\n"
#define RESULT(name, result) \
    "{\"type\":\"result\",\"engine\":\"e\",\"case\":\"" name "\",\"result\":\"" result "\"}\n"
#define FOOTER "{\"type\":\"footer\"}\n"

static int load(const char *text, hp_model *model, hp_error *error)
{
    char path[] = "/tmp/hotproof-record-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    int status = hp_model_load(path, model, error);
    unlink(path);
    return status;
}

static hp_model loaded(const char *text)
{
    hp_model model;
    hp_error error;
    if (load(text, &model, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return model;
}

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

static void verdict_is(const char *results, const char *verdict)
{
    hp_model model = loaded(results);
    assert_string_equal(hp_model_verdict(&model, &model.engines[0]), verdict);
    hp_model_free(&model);
}

static void a_clause_is_held_if_every_case_of_it_passed(void **state)
{
    (void)state;
    hp_model model =
        loaded(HEADER RESULT("a", "PASS") RESULT("b", "PASS") RESULT("ab", "PASS") FOOTER);
    assert_int_equal(state_of(&model, "A"), HP_STATE_HELD);
    assert_int_equal(state_of(&model, "B"), HP_STATE_HELD);
    assert_int_equal(state_of(&model, "C"), HP_STATE_NOT_RUN);
    assert_int_equal(state_of(&model, "X"), HP_STATE_FOREIGN);
    assert_int_equal(model.engines[0].tally[HP_MUST][HP_DOCUMENTED].total, 1);
    assert_int_equal(model.engines[0].tally[HP_MUST][HP_INFERRED].total, 1);
    assert_string_equal(hp_model_gate(&model.engines[0]), "gate passed");
    hp_model_free(&model);
}

static void the_worst_case_of_a_clause_counts(void **state)
{
    (void)state;
    hp_model model =
        loaded(HEADER RESULT("a", "PASS") RESULT("b", "XFAIL") RESULT("ab", "UNSUPPORTED"));
    assert_int_equal(state_of(&model, "A"), HP_STATE_NOT_RUN);
    assert_int_equal(state_of(&model, "B"), HP_STATE_DEPARTS);
    hp_model_free(&model);
    model = loaded(HEADER RESULT("a", "CRASH") RESULT("b", "XFAIL") RESULT("ab", "PASS"));
    assert_int_equal(state_of(&model, "A"), HP_STATE_BROKEN);
    assert_string_equal(hp_model_gate(&model.engines[0]), "gate failed: 1 surprise");
    hp_model_free(&model);
}

static void one_failed_repetition_is_enough(void **state)
{
    (void)state;
    hp_model model = loaded(HEADER RESULT("c", "PASS") RESULT("c", "FAIL") RESULT("c", "PASS"));
    assert_int_equal(state_of(&model, "C"), HP_STATE_BROKEN);
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
    hp_model model = loaded(HEADER);
    assert_string_equal(model.clauses[0].id, "A");
    assert_string_equal(model.clauses[1].id, "C");
    assert_string_equal(model.clauses[2].id, "B");
    hp_model_free(&model);
}

static void a_record_that_was_cut_short_has_no_footer(void **state)
{
    (void)state;
    hp_model model = loaded(HEADER RESULT("a", "PASS") "{\"type\":\"resu");
    assert_null(model.footer);
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
        assert_int_equal(load(damaged[i], &model, &error), -1);
        assert_non_null(strstr(error.text, ":2: not a line of a record"));
    }
    assert_int_equal(load("", &model, &error), -1);
    assert_non_null(strstr(error.text, "no header"));
    assert_int_equal(hp_model_load("/no/such/record", &model, &error), -1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_clause_is_held_if_every_case_of_it_passed),
    cmocka_unit_test(the_worst_case_of_a_clause_counts),
    cmocka_unit_test(one_failed_repetition_is_enough),
    cmocka_unit_test(the_verdict_tells_refusal_from_absence),
    cmocka_unit_test(clauses_of_a_page_stand_together),
    cmocka_unit_test(a_record_that_was_cut_short_has_no_footer),
    cmocka_unit_test(a_damaged_record_is_refused_with_the_line),
};
TEST_MAIN(tests)
