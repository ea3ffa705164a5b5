/* The lines of the record. */
#include "bench/ndjson.h"
#include "results.h"
#include "testmain.h"

#include <string.h>

static json_int_t number(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

static void the_header_says_what_was_measured_where(void **state)
{
    (void)state;
    unsigned sizes[] = {64, 256};
    char line[] = "hotbench --rounds 3";
    const bench_options options = {.rounds = 3,
        .sizes = sizes,
        .size_count = 2,
        .dir = "/tmp",
        .out = "out",
        .seed = 4711,
        .command_line = line};
    json_t *header = bench_json_header(&options, &test_peers, json_pack("{s:s}", "cpu", "fast"));
    assert_string_equal(hp_json_get(header, "type"), "header");
    assert_string_not_equal(hp_json_get(header, "hotproof"), "");
    assert_string_not_equal(hp_json_get(header, "revision"), "");
    assert_string_not_equal(hp_json_get(header, "build"), "");
    assert_int_equal(strlen(hp_json_get(header, "started")), strlen("2026-01-01T00:00:00Z"));
    assert_int_equal(number(header, "seed"), 4711);
    assert_int_equal(number(header, "rounds"), 3);
    assert_string_equal(hp_json_get(header, "command"), line);
    assert_string_equal(hp_json_get(json_object_get(header, "machine"), "cpu"), "fast");
    json_t *peers = json_object_get(header, "peers");
    assert_int_equal(json_array_size(peers), 3); /* "gone" was not measured */
    assert_string_equal(hp_json_get(json_array_get(peers, 1), "version"), "1.0");
    assert_true(json_is_true(json_object_get(json_array_get(peers, 2), "syncs_by_itself")));
    json_decref(header);
}

static void a_measurement_is_raw(void **state)
{
    (void)state;
    bench_results results = made_up_results();
    json_t *line = bench_json_measurement(&results.measurements[3]);
    assert_string_equal(hp_json_get(line, "type"), "measurement");
    assert_string_equal(hp_json_get(line, "case"), "full");
    assert_string_equal(hp_json_get(line, "peer"), "cp");
    assert_int_equal(number(line, "size_mib"), 64);
    assert_true(json_is_true(json_object_get(line, "durable")));
    assert_int_equal(number(line, "round"), 2);
    assert_int_equal(number(line, "wall_ns"), 200000000);
    assert_int_equal(number(line, "cpu_ns"), 100000000);
    assert_int_equal(number(line, "bytes"), 64 << 20);
    assert_int_equal(number(line, "live_bytes"), 32 << 20);
    assert_int_equal(number(line, "idle_kib"), 2048);
    assert_int_equal(number(line, "peak_kib"), 3072);
    json_decref(line);
    bench_results_free(&results);
}

static void a_failed_measurement_has_words_and_no_figures(void **state)
{
    (void)state;
    bench_results results = {0};
    add_failure(&results, "old", "no room");
    json_t *line = bench_json_measurement(&results.measurements[0]);
    assert_string_equal(hp_json_get(line, "failure"), "no room");
    assert_null(json_object_get(line, "wall_ns"));
    json_decref(line);
    bench_results_free(&results);
}

static void a_summary_has_medians_and_ratios_to_every_other_peer(void **state)
{
    (void)state;
    bench_results results = made_up_results();
    const bench_selection durable = {.scenario = "full", .size_mib = 64, .durable = true};
    json_t *line = bench_json_summary(&results, &test_peers, &durable, &test_peers.items[2]);
    assert_string_equal(hp_json_get(line, "type"), "summary");
    assert_true(json_is_true(json_object_get(line, "verified")));
    json_t *rate = json_object_get(line, "mib_per_s");
    assert_int_equal(number(rate, "count"), 2);
    assert_true(json_is_real(json_object_get(rate, "median")));
    json_t *ratios = json_object_get(line, "times_as_fast_as");
    assert_int_equal(json_object_size(ratios), 2);
    assert_float_equal(
        (float)json_real_value(json_object_get(json_object_get(ratios, "cp"), "most")), 2, 1e-4f);
    assert_non_null(json_object_get(ratios, "old"));
    json_decref(line);
    line = bench_json_summary(&results, &test_peers, &durable, &test_peers.items[1]);
    assert_true(json_is_null(json_object_get(line, "verified")));
    json_decref(line);
    bench_results_free(&results);
}

static void an_absent_peer_and_a_wrong_copy_are_lines(void **state)
{
    (void)state;
    bench_results results = {0};
    json_t *line = bench_json_absent(&test_peers.items[3]);
    assert_string_equal(hp_json_get(line, "type"), "absent");
    assert_string_equal(hp_json_get(line, "why"), "not installed: apt install x");
    json_decref(line);
    add_verification(&results, "old", "a record is missing");
    line = bench_json_verification(&results.verifications[0]);
    assert_string_equal(hp_json_get(line, "type"), "verification");
    assert_true(json_is_false(json_object_get(line, "right")));
    assert_string_equal(hp_json_get(line, "wrong"), "a record is missing");
    json_decref(line);
    bench_results_free(&results);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_header_says_what_was_measured_where),
    cmocka_unit_test(a_measurement_is_raw),
    cmocka_unit_test(a_failed_measurement_has_words_and_no_figures),
    cmocka_unit_test(a_summary_has_medians_and_ratios_to_every_other_peer),
    cmocka_unit_test(an_absent_peer_and_a_wrong_copy_are_lines),
};
TEST_MAIN(tests)
