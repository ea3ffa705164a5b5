/* Several records as one: what is counted together, and what is refused. */
#include "fixture.h"
#include "report/model.h"
#include "testmain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEEDED(seed) \
    FIXTURE_HEADER("\"hotproof\":\"1\",\"seed\":" seed ",\"planned\":2,", FIXTURE_ENGINE("e", "1"))
#define STALE "{\"type\":\"stale\",\"engine\":\"e\",\"case\":\"gone\",\"file\":\"f\",\"line\":3}\n"

static int load_two(const char *one, const char *two, hp_model *model, hp_error *error)
{
    char *paths[] = {fixture_file(one), fixture_file(two)};
    int status = hp_model_load_all(paths, 2, model, error);
    for (size_t i = 0; i < 2; i++) {
        unlink(paths[i]);
        free(paths[i]);
    }
    return status;
}

static hp_model merged(const char *one, const char *two)
{
    hp_model model;
    hp_error error;
    if (load_two(one, two, &model, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return model;
}

static void refuse(const char *one, const char *two, const char *why)
{
    hp_model model;
    hp_error error;
    assert_int_equal(load_two(one, two, &model, &error), -1);
    print_message("%s\n", error.text);
    assert_non_null(strstr(error.text, why));
}

static void shards_of_a_run_are_one_run(void **state)
{
    (void)state;
    hp_model model = merged(SEEDED("7") RESULT("a", "PASS") RESULT("ab", "PASS") STALE FOOTER,
        SEEDED("7") RESULT("b", "PASS") RESULT("c", "XFAIL") STALE FOOTER);
    assert_int_equal(model.engine_count, 1);
    assert_int_equal(json_array_size(model.results), 4);
    assert_string_equal(hp_model_verdict(&model, &model.engines[0]), "conformant");
    assert_int_equal(model.engines[0].stale, 1); /* each shard met the same line */
    assert_int_equal(json_integer_value(json_object_get(model.header, "planned")), 4);
    assert_true(model.complete);
    assert_int_equal(model.run_count, 2);
    hp_model_free(&model);
}

static void records_of_one_engine_each_are_one_table(void **state)
{
    (void)state;
    hp_model model = merged(
        FIXTURE_HEADER("\"not_installed\":[{\"engine\":\"f\",\"package\":\"x\"},{\"engine\":\"g\","
                       "\"package\":\"y\"}],",
            FIXTURE_ENGINE("e", "1")) RESULT("a", "PASS") FOOTER,
        FIXTURE_HEADER("", FIXTURE_ENGINE("f", "2")) RESULT_OF("f", "a", "FAIL") FOOTER);
    assert_int_equal(model.engine_count, 2);
    assert_string_equal(model.engines[1].name, "f");
    assert_int_equal(model.engines[0].surprises, 0);
    assert_int_equal(model.engines[1].surprises, 1);
    const json_t *absent = json_object_get(model.header, "not_installed");
    assert_int_equal(json_array_size(absent), 1); /* f is there after all */
    assert_string_equal(hp_json_get(json_array_get(absent, 0), "engine"), "g");
    hp_model_free(&model);
}

static void half_a_run_among_several_is_not_complete(void **state)
{
    (void)state;
    hp_model model = merged(SEEDED("7") RESULT("a", "PASS"), SEEDED("7") FOOTER);
    assert_false(model.complete);
    hp_model_free(&model);
    model = merged(SEEDED("7") FOOTER, SEEDED("7") "{\"type\":\"footer\",\"interrupted\":true}\n");
    assert_false(model.complete);
    hp_model_free(&model);
    model =
        merged(SEEDED("7") FOOTER, SEEDED("7") "{\"type\":\"footer\",\"failure\":\"no disk\"}\n");
    assert_false(model.complete);
    hp_model_free(&model);
}

static void a_case_in_two_records_is_refused(void **state)
{
    (void)state;
    refuse(SEEDED("7") RESULT("a", "FAIL") FOOTER, SEEDED("7") RESULT("a", "PASS") FOOTER,
        "overlap: engine e, case a is in both");
    /* Not so several repetitions in one of them. */
    hp_model model = merged(SEEDED("7") RESULT("a", "FAIL") RESULT("a", "PASS") FOOTER,
        SEEDED("7") RESULT("b", "PASS") FOOTER);
    assert_int_equal(json_array_size(model.results), 3);
    hp_model_free(&model);
}

static void records_of_other_kits_seeds_or_promises_are_refused(void **state)
{
    (void)state;
    refuse(SEEDED("7"), SEEDED("8"), "seed is 7 in the first and 8 in the second");
    refuse(FIXTURE_HEADER("\"hotproof\":\"1\",", FIXTURE_ENGINE("e", "1")),
        FIXTURE_HEADER("\"hotproof\":\"2\",", FIXTURE_ENGINE("e", "1")), "hotproof is \"1\" in");
    refuse(FIXTURE_HEADER("\"revision\":\"x\",", FIXTURE_ENGINE("e", "1")), HEADER,
        "revision is \"x\" in the first and not there in the second");
    refuse(FIXTURE_HEADER("\"strict\":true,", FIXTURE_ENGINE("e", "1")),
        FIXTURE_HEADER("\"strict\":false,", FIXTURE_ENGINE("e", "1")), "strict is true");
    refuse(HEADER, "{\"type\":\"header\",\"clauses\":[],\"engines\":[]}\n", "other clauses");
}

static void another_version_of_an_engine_is_refused(void **state)
{
    (void)state;
    refuse(HEADER, FIXTURE_HEADER("", FIXTURE_ENGINE("e", "2")), "engine e with other version");
    refuse(HEADER,
        FIXTURE_HEADER("", "{\"engine\":\"e\",\"profile\":\"p\",\"version\":\"1\",\"cases\":[]}"),
        "engine e with other cases");
}

static void a_result_of_an_engine_without_header_is_refused(void **state)
{
    (void)state;
    hp_model model;
    hp_error error;
    assert_int_equal(fixture_load(HEADER RESULT_OF("x", "a", "PASS"), &model, &error), -1);
    assert_non_null(strstr(error.text, "engine x, which the header does not know"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(shards_of_a_run_are_one_run),
    cmocka_unit_test(records_of_one_engine_each_are_one_table),
    cmocka_unit_test(half_a_run_among_several_is_not_complete),
    cmocka_unit_test(a_case_in_two_records_is_refused),
    cmocka_unit_test(records_of_other_kits_seeds_or_promises_are_refused),
    cmocka_unit_test(another_version_of_an_engine_is_refused),
    cmocka_unit_test(a_result_of_an_engine_without_header_is_refused),
};
TEST_MAIN(tests)
