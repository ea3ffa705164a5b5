/*
 * A main() for unit test programs: one cmocka program per module, one CTest entry per test.
 *
 *     static const struct CMUnitTest tests[] = {
 *         cmocka_unit_test(a_torn_tail_is_cut),
 *     };
 *     TEST_MAIN(tests)
 *
 * PROGRAM runs all tests, PROGRAM NAME... those, PROGRAM --list prints their names. Exit status: 0
 * all passed, 1 not, 2 usage, 77 the one test that was asked for skipped itself.
 */
#ifndef TESTMAIN_H
#define TESTMAIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

int test_main(int argc, char **argv, const struct CMUnitTest *tests, size_t count);

#define TEST_MAIN(tests)                                                         \
    int main(int argc, char **argv)                                              \
    {                                                                            \
        return test_main(argc, argv, tests, sizeof(tests) / sizeof((tests)[0])); \
    }

#endif
