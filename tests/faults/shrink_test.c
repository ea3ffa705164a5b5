/* Making a failure smaller. */
#include "testmain.h"

#include <string.h>

#include "crash/shrink.h"

/* Fails when all of these are there; or when enough of any are. */
typedef struct rule {
    const size_t *needed;
    size_t needed_count;
    size_t any;
    size_t calls;
} rule;

static bool fails(void *context, const bool *kept, size_t count)
{
    rule *what = context;
    size_t parts = 0;
    what->calls++;
    for (size_t i = 0; i < count; i++) {
        parts += kept[i];
    }
    for (size_t i = 0; i < what->needed_count; i++) {
        if (!kept[what->needed[i]]) {
            return false;
        }
    }
    return parts >= what->any;
}

static size_t shrunk(rule *what, bool *kept, size_t count, size_t tries)
{
    size_t parts = 0;
    for (size_t i = 0; i < count; i++) {
        kept[i] = true;
    }
    size_t calls = fault_shrink(count, kept, tries, fails, what);
    assert_int_equal(calls, what->calls);
    for (size_t i = 0; i < count; i++) {
        parts += kept[i];
    }
    assert_true(fails(what, kept, count)); /* whatever is left still fails */
    return parts;
}

static void only_what_is_needed_is_left(void **state)
{
    (void)state;
    static const size_t needed[] = {3, 17, 18, 99};
    rule what = {.needed = needed, .needed_count = 4};
    bool kept[100];
    assert_int_equal(shrunk(&what, kept, 100, 0), 4);
    assert_true(kept[3] && kept[17] && kept[18] && kept[99]);
}

static void nothing_is_left_when_nothing_is_needed(void **state)
{
    (void)state;
    rule what = {0};
    bool kept[9];
    assert_int_equal(shrunk(&what, kept, 9, 0), 0);
}

static void a_failure_that_needs_a_number_of_any_parts_keeps_that_many(void **state)
{
    (void)state;
    rule what = {.any = 5};
    bool kept[40];
    assert_int_equal(shrunk(&what, kept, 40, 0), 5);
}

static void it_stops_after_so_many_tries_with_what_still_fails(void **state)
{
    (void)state;
    static const size_t needed[] = {0, 63};
    rule what = {.needed = needed, .needed_count = 2};
    bool kept[64];
    assert_true(shrunk(&what, kept, 64, 5) > 2);
    assert_int_equal(what.calls, 6); /* and the one of this test */
}

static void no_parts_are_no_work(void **state)
{
    (void)state;
    rule what = {0};
    bool kept[1] = {true};
    assert_int_equal(fault_shrink(0, kept, 0, fails, &what), 0);
    assert_int_equal(what.calls, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(only_what_is_needed_is_left),
    cmocka_unit_test(nothing_is_left_when_nothing_is_needed),
    cmocka_unit_test(a_failure_that_needs_a_number_of_any_parts_keeps_that_many),
    cmocka_unit_test(it_stops_after_so_many_tries_with_what_still_fails),
    cmocka_unit_test(no_parts_are_no_work),
};

TEST_MAIN(tests)
