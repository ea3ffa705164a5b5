/* The records, and how a wrong copy is told. An engine in memory stands in for a real one. */
#include "bench/workload.h"
#include "testmain.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What the stand-in's restore() and scan() give: records 0 to count - 1 by rising key, spoilt as
 * the test wants. */
static struct {
    uint64_t count;
    bool spoil_value, spoil_key, swap;
} copy;

enum { MOST = 8 };
typedef struct record {
    uint8_t key[BENCH_KEY_SIZE], value[BENCH_VALUE_SIZE];
} record;

static int restore(
    const char *path, const hp_engine_settings *settings, hp_environment **environment)
{
    (void)path;
    (void)settings;
    *environment = NULL;
    return 0;
}

static int close_it(hp_environment *environment)
{
    (void)environment;
    return 0;
}

static int compare(const void *left, const void *right)
{
    return memcmp(left, right, BENCH_KEY_SIZE);
}

static int scan(hp_environment *environment, unsigned table, hp_engine_record each, void *context)
{
    (void)environment;
    (void)table;
    record records[MOST];
    int result = 0;
    for (uint64_t i = 0; i < copy.count; i++) {
        bench_record(7, i, records[i].key, records[i].value);
    }
    qsort(records, copy.count, sizeof records[0], compare);
    records[0].value[999] ^= copy.spoil_value;
    records[0].key[0] ^= copy.spoil_key;
    if (copy.swap) {
        record first = records[0];
        records[0] = records[1];
        records[1] = first;
    }
    for (uint64_t i = 0; i < copy.count && result == 0; i++) {
        result = each(context, records[i].key, BENCH_KEY_SIZE, records[i].value, BENCH_VALUE_SIZE);
    }
    return result;
}

static const char *words(void)
{
    return "";
}

static const hp_engine stand_in = {
    .restore = restore, .close = close_it, .scan = scan, .words = words};

static int reset(void **state)
{
    (void)state;
    memset(&copy, 0, sizeof copy);
    copy.count = 5;
    return 0;
}

static void is_refused(const char *expected)
{
    char why[256];
    assert_int_equal(bench_check(&stand_in, "copy", 5, 7, why, sizeof why), -1);
    assert_non_null(strstr(why, expected));
}

static void a_record_depends_on_seed_and_number_alone(void **state)
{
    (void)state;
    record one, again, other;
    bench_record(7, 3, one.key, one.value);
    bench_record(7, 3, again.key, again.value);
    assert_memory_equal(&one, &again, sizeof one);
    bench_record(7, 4, other.key, other.value);
    assert_memory_not_equal(one.key, other.key, sizeof one.key);
    assert_memory_not_equal(one.value, other.value, sizeof one.value);
    bench_record(8, 3, other.key, other.value);
    assert_memory_not_equal(one.key, other.key, sizeof one.key);
}

static void a_whole_copy_is_right(void **state)
{
    (void)state;
    char why[256];
    assert_int_equal(bench_check(&stand_in, "copy", 5, 7, why, sizeof why), 0);
}

static void a_copy_that_lacks_a_record_is_wrong(void **state)
{
    (void)state;
    copy.count = 4;
    is_refused("has 4 records, the source 5");
}

static void a_copy_with_a_record_too_many_is_wrong(void **state)
{
    (void)state;
    copy.count = 6;
    is_refused("none of the source");
}

static void a_changed_value_is_wrong(void **state)
{
    (void)state;
    copy.spoil_value = true;
    is_refused("record 0 of the copy, by key, is none of the source");
}

static void a_changed_key_is_wrong(void **state)
{
    (void)state;
    copy.spoil_key = true;
    is_refused("record 0 of the copy, by key, is none of the source");
}

static void records_out_of_order_are_wrong(void **state)
{
    (void)state;
    copy.swap = true;
    is_refused("record 1 of the copy is out of order");
}

static void records_of_another_seed_are_wrong(void **state)
{
    (void)state;
    char why[256];
    assert_int_equal(bench_check(&stand_in, "copy", 5, 8, why, sizeof why), -1);
}

#define WORKLOAD_TEST(f) cmocka_unit_test_setup(f, reset)

static const struct CMUnitTest tests[] = {
    WORKLOAD_TEST(a_record_depends_on_seed_and_number_alone),
    WORKLOAD_TEST(a_whole_copy_is_right),
    WORKLOAD_TEST(a_copy_that_lacks_a_record_is_wrong),
    WORKLOAD_TEST(a_copy_with_a_record_too_many_is_wrong),
    WORKLOAD_TEST(a_changed_value_is_wrong),
    WORKLOAD_TEST(a_changed_key_is_wrong),
    WORKLOAD_TEST(records_out_of_order_are_wrong),
    WORKLOAD_TEST(records_of_another_seed_are_wrong),
};
TEST_MAIN(tests)
