/* Medians and ratios, and the rows made of them. */
#include "bench/stats.h"
#include "results.h"
#include "testmain.h"

static void assert_near(double value, double wanted)
{
    assert_float_equal((float)value, (float)wanted, 1e-4f);
}

static void the_median_of_an_odd_number_is_the_one_in_the_middle(void **state)
{
    (void)state;
    double values[] = {9, 1, 5};
    bench_spread spread = bench_spread_of(values, 3);
    assert_int_equal(spread.count, 3);
    assert_near(spread.median, 5);
    assert_near(spread.least, 1);
    assert_near(spread.most, 9);
}

static void the_median_of_an_even_number_is_between_the_two_in_the_middle(void **state)
{
    (void)state;
    double values[] = {8, 1, 4, 2};
    assert_near(bench_spread_of(values, 4).median, 3);
}

static void nothing_has_no_median(void **state)
{
    (void)state;
    assert_int_equal(bench_spread_of(NULL, 0).count, 0);
    assert_int_equal(bench_ratios_of(NULL, NULL, 0).count, 0);
}

static void ratios_are_of_pairs_not_of_medians(void **state)
{
    (void)state;
    const double values[] = {1, 60, 300}, bases[] = {2, 10, 600};
    bench_spread spread = bench_ratios_of(values, bases, 3);
    assert_near(spread.median, 0.5); /* of 0.5, 6 and 0.5; the ratio of the medians is 6 */
    assert_near(spread.least, 0.5);
    assert_near(spread.most, 6);
}

static void a_pair_of_which_one_is_missing_is_left_out(void **state)
{
    (void)state;
    const double values[] = {1, 0, 3}, bases[] = {0, 1, 1};
    bench_spread spread = bench_ratios_of(values, bases, 3);
    assert_int_equal(spread.count, 1);
    assert_near(spread.median, 3);
}

static void a_row_has_the_medians_of_its_own_measurements(void **state)
{
    (void)state;
    bench_results results = made_up_results();
    const bench_selection durable = {.scenario = "full", .size_mib = 64, .durable = true};
    bench_row row = bench_summarise(&results, &durable, "cp");
    assert_int_equal(row.mib_per_s.count, 2);
    assert_near(row.mib_per_s.median, (640.0 + 320.0) / 2);
    assert_near(row.cpu_s_per_gib.median, (0.05 + 0.1) / 2 * 16);
    assert_near(row.peak_mib, 3);
    assert_near(row.above_idle_mib, 1);
    assert_int_equal(row.bytes, UINT64_C(64) << 20);
    assert_int_equal(row.verdict, BENCH_VERIFIED);
    assert_int_equal(bench_summarise(&results, &durable, "old").verdict, BENCH_NOT_VERIFIED);
    const bench_selection other = {.scenario = "full", .size_mib = 65, .durable = true};
    assert_int_equal(bench_summarise(&results, &other, "cp").mib_per_s.count, 0);
    bench_results_free(&results);
}

static void peers_are_compared_round_by_round(void **state)
{
    (void)state;
    bench_results results = made_up_results();
    const bench_selection durable = {.scenario = "full", .size_mib = 64, .durable = true};
    bench_spread spread = bench_compare(&results, &durable, "new", "cp");
    assert_int_equal(spread.count, 2);
    assert_near(spread.least, 0.5);
    assert_near(spread.most, 2);
    assert_int_equal(bench_compare(&results, &durable, "new", "gone").count, 0);
    bench_results_free(&results);
}

static void a_failure_or_a_wrong_copy_counts(void **state)
{
    (void)state;
    const bench_selection durable = {.scenario = "full", .size_mib = 64, .durable = true};
    bench_results results = made_up_results();
    assert_false(bench_any_failed(&results));
    add_failure(&results, "old", "no room");
    assert_true(bench_any_failed(&results));
    assert_string_equal(bench_summarise(&results, &durable, "old").failure, "no room");
    bench_results_free(&results);
    results = made_up_results();
    add_verification(&results, "old", "a record is missing");
    assert_true(bench_any_failed(&results));
    bench_row row = bench_summarise(&results, &durable, "old");
    assert_int_equal(row.verdict, BENCH_WRONG);
    assert_string_equal(row.wrong, "a record is missing");
    bench_results_free(&results);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_median_of_an_odd_number_is_the_one_in_the_middle),
    cmocka_unit_test(the_median_of_an_even_number_is_between_the_two_in_the_middle),
    cmocka_unit_test(nothing_has_no_median),
    cmocka_unit_test(ratios_are_of_pairs_not_of_medians),
    cmocka_unit_test(a_pair_of_which_one_is_missing_is_left_out),
    cmocka_unit_test(a_row_has_the_medians_of_its_own_measurements),
    cmocka_unit_test(peers_are_compared_round_by_round),
    cmocka_unit_test(a_failure_or_a_wrong_copy_counts),
};
TEST_MAIN(tests)
