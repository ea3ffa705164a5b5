/* The table that people read. */
#include "bench/table.h"
#include "results.h"
#include "testmain.h"

#include <stdlib.h>
#include <string.h>

/* The table of these results; to be freed. */
static char *table_of(const bench_results *results)
{
    unsigned sizes[] = {64};
    const bench_options options = {.rounds = 2, .sizes = sizes, .size_count = 1};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    bench_table_print(out, "full", "a fast machine", &options, &test_peers, results);
    assert_int_equal(fclose(out), 0);
    print_message("%s", text);
    return text;
}

/* The line of the table that begins with these words. */
static void assert_line(const char *text, const char *begin, const char *line)
{
    for (const char *at = text; at != NULL; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, begin, strlen(begin)) == 0) {
            char *found = strndup(at, strcspn(at, "\n"));
            assert_string_equal(found, line);
            free(found);
            return;
        }
    }
    fail_msg("no line begins with %s", begin);
}

static void every_peer_has_a_row_with_both_columns(void **state)
{
    (void)state;
    bench_results results = made_up_results();
    char *text = table_of(&results);
    assert_memory_equal(text, "a fast machine\n", strlen("a fast machine\n"));
    assert_line(
        text, "64 MiB", "64 MiB           durable                                 not durable");
    assert_line(text, "cp",
        "cp                  480  1                        1.20      640  1                        "
        "0.80        3.0    1.0     64.0   50%  yes");
    assert_line(text, "old 1.0",
        "old 1.0             267  0.58 (0.50..0.67)        2.00      640  1.00 (1.00..1.00)        "
        "0.80        3.0    1.0     64.0   50%  no");
    assert_line(text, "new 1.0",
        "new 1.0             720  1.25 (0.50..2.00)        1.80      640  1.00 (1.00..1.00)        "
        "0.80        3.0    1.0     64.0   50%  yes");
    assert_line(text, "gone", "gone             not installed: apt install x");
    free(text);
    bench_results_free(&results);
}

static void engines_are_compared_with_each_other(void **state)
{
    (void)state;
    bench_results results = made_up_results();
    char *text = table_of(&results);
    assert_line(text, "new / old",
        "new / old                2.38 (0.75..4.00)                       1.00 (1.00..1.00)");
    assert_null(strstr(text, "old / new"));
    assert_null(strstr(text, "new / cp"));
    free(text);
    bench_results_free(&results);
}

static void who_syncs_by_itself_is_said(void **state)
{
    (void)state;
    bench_results results = made_up_results();
    char *text = table_of(&results);
    assert_non_null(strstr(text, "new syncs by itself\n           always"));
    free(text);
    bench_results_free(&results);
}

static void a_failure_and_a_wrong_copy_stand_in_the_row(void **state)
{
    (void)state;
    bench_results results = made_up_results();
    add_failure(&results, "old", "no room");
    add_verification(&results, "new", "a record is missing");
    char *text = table_of(&results);
    assert_line(text, "old 1.0", "old 1.0          FAILED: no room");
    assert_non_null(strstr(text, "WRONG: a record is missing\n"));
    free(text);
    bench_results_free(&results);
}

static void a_run_that_was_cut_short_says_so(void **state)
{
    (void)state;
    const bench_results nothing = {0};
    char *text = table_of(&nothing);
    assert_line(text, "cp", "cp               not measured");
    free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_peer_has_a_row_with_both_columns),
    cmocka_unit_test(engines_are_compared_with_each_other),
    cmocka_unit_test(who_syncs_by_itself_is_said),
    cmocka_unit_test(a_failure_and_a_wrong_copy_stand_in_the_row),
    cmocka_unit_test(a_run_that_was_cut_short_says_so),
};
TEST_MAIN(tests)
