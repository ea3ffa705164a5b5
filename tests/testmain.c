/* main() of the unit test programs: see testmain.h. */
#include "testmain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PASSED = 0, FAILED = 1, USAGE = 2, SKIPPED = 77 };

static CMUnitTestFunction wrapped;
static int ended;

/* A skipped test leaves by longjmp and is no failure for cmocka: only one that came to its end has
 * passed. */
static void call(void **state)
{
    ended = 0;
    wrapped(state);
    ended = 1;
}

/* One group of one test: cmocka's count of failures then fits any exit status, and names pick tests
 * exactly. */
static int run(const struct CMUnitTest *test)
{
    struct CMUnitTest one[1] = {*test};
    wrapped = test->test_func;
    one[0].test_func = call;
    if (cmocka_run_group_tests_name(test->name, one, NULL, NULL) != 0) {
        return FAILED;
    }
    return ended ? PASSED : SKIPPED;
}

static const struct CMUnitTest *find(const struct CMUnitTest *tests, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tests[i].name, name) == 0) {
            return &tests[i];
        }
    }
    return NULL;
}

int test_main(int argc, char **argv, const struct CMUnitTest *tests, size_t count)
{
    int status = PASSED;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < count; i++) {
            printf("%s\n", tests[i].name);
        }
        return PASSED;
    }
    for (int i = 1; i < argc; i++) {
        const struct CMUnitTest *test = find(tests, count, argv[i]);
        if (test == NULL) {
            fprintf(stderr, "%s: no test is called %s\n", argv[0], argv[i]);
            return USAGE;
        }
        int one = run(test);
        status = one == FAILED || argc == 2 ? one : status;
    }
    for (size_t i = 0; argc == 1 && i < count; i++) {
        status = run(&tests[i]) == FAILED ? FAILED : status;
    }
    return status;
}
