/* Choosing what runs again, in which order, and under the debugger. */
#include "fixture.h"
#include "harness.h"
#include "runner/select.h"
#include "testmain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CARDS = 100 };

/* The repetitions of the tasks, 1 to CARDS, as the seed shuffles them. */
static void shuffled(uint64_t seed, unsigned order[CARDS])
{
    hp_task tasks[CARDS] = {{0}};
    for (unsigned i = 0; i < CARDS; i++) {
        tasks[i].repetition = i + 1;
    }
    hp_select_shuffle(tasks, CARDS, seed);
    for (unsigned i = 0; i < CARDS; i++) {
        order[i] = tasks[i].repetition;
    }
}

static void a_seed_draws_one_order_and_loses_no_case(void **state)
{
    (void)state;
    unsigned one[CARDS], again[CARDS], other[CARDS], seen[CARDS + 1] = {0};
    shuffled(1, one);
    shuffled(1, again);
    shuffled(2, other);
    assert_memory_equal(one, again, sizeof one);
    assert_memory_not_equal(one, other, sizeof one);
    for (unsigned i = 0; i < CARDS; i++) {
        assert_int_equal(seen[one[i]]++, 0);
    }
    hp_select_shuffle(NULL, 0, 1);
}

static void the_order_of_a_seed_is_the_same_in_every_version(void **state)
{
    (void)state;
    static const unsigned first[] = {38, 11, 28, 1};
    unsigned order[CARDS];
    shuffled(4711, order);
    assert_memory_equal(order, first, sizeof first);
}

static void shuffle_runs_every_case_once_in_the_order_it_lists(void **state)
{
    (void)state;
    kit_run list = kit_check("many", "--shuffle=3", "--list", NULL);
    kit_run run = kit_check("many", "--shuffle=3", "--jobs=1", NULL);
    kit_run plain = kit_check("many", "--list", NULL);
    const char *at = list.output;
    size_t i;
    const json_t *result;
    assert_int_equal(json_array_size(run.results), 256);
    json_array_foreach(run.results, i, result)
    {
        char line[256];
        int length = snprintf(line, sizeof line, "many %s ", hp_json_get(result, "case"));
        assert_int_equal(strncmp(at, line, (size_t)length), 0);
        at = strchr(at, '\n') + 1;
    }
    assert_string_not_equal(plain.output, list.output);
    assert_int_equal(json_integer_value(json_object_get(run.header, "shuffle")), 3);
    kit_free(&list);
    kit_free(&run);
    kit_free(&plain);
}

static void rerun_failed_runs_the_surprises_with_the_same_seed(void **state)
{
    (void)state;
    char rerun[4200];
    kit_expect("behaviours", "crashes | CRASH | 1.0 | known\n"
                             "keeps_its_promise | FAIL | 1.0 | once\n");
    kit_run run = kit_check("behaviours", "--case=fails", "--case=crashes", "--case=keeps_*",
        "--case=is_unsupported", "--case=odd*", NULL);
    assert_int_equal(run.status, 1);
    snprintf(rerun, sizeof rerun, "--rerun-failed=%s", kit_record());
    /* No --engine: the record knows the module. */
    char out[4200], work[4200], expect[4200];
    snprintf(out, sizeof out, "--out=%s", kit_path("out"));
    snprintf(work, sizeof work, "--work=%s", kit_path("work"));
    snprintf(expect, sizeof expect, "--expect=%s", kit_path("expect"));
    kit_run again = kit_command("check", rerun, out, work, expect, NULL);
    assert_int_equal(again.status, 1);
    assert_int_equal(json_array_size(again.results), 2);
    kit_assert_result(&again, "fails", "FAIL");
    kit_assert_result(&again, "keeps_its_promise", "XPASS");
    assert_int_equal(json_integer_value(json_object_get(again.header, "seed")), 4711);
    kit_free(&run);
    kit_free(&again);
}

static void rerun_failed_selects_among_what_else_is_selected(void **state)
{
    (void)state;
    char rerun[4200];
    kit_run run = kit_check("behaviours", "--case=fails*", NULL);
    snprintf(rerun, sizeof rerun, "--rerun-failed=%s", kit_record());
    kit_run again = kit_check("behaviours", rerun, "--case=*message", NULL);
    assert_int_equal(json_array_size(again.results), 1);
    kit_assert_result(&again, "fails_with_a_message", "FAIL");
    kit_free(&run);
    kit_free(&again);
}

static void rerun_failed_names_cases_that_are_no_more(void **state)
{
    (void)state;
    char *record = fixture_file(FIXTURE_HEADER("\"seed\":1,", FIXTURE_ENGINE("behaviours", "1.0"))
            RESULT_OF("behaviours", "gone", "FAIL") RESULT_OF("behaviours", "fails", "CRASH"));
    char *rerun = hp_format("--rerun-failed=%s", record);
    kit_run run = kit_check("behaviours", rerun, NULL);
    assert_int_equal(json_array_size(run.results), 1);
    kit_assert_result(&run, "fails", "FAIL");
    assert_non_null(strstr(run.output, "engine behaviours no longer has the case gone\n"));
    kit_free(&run);
    unlink(record);
    free(record);
    free(rerun);
}

static void rerun_failed_of_a_good_record_runs_nothing(void **state)
{
    (void)state;
    char rerun[4200];
    kit_run run = kit_check("behaviours", "--case=keeps_*", NULL);
    snprintf(rerun, sizeof rerun, "--rerun-failed=%s", kit_record());
    kit_run again = kit_check("behaviours", rerun, NULL);
    assert_int_equal(again.status, 4);
    assert_non_null(strstr(again.output, "no case is a surprise"));
    kit_run missing = kit_check("behaviours", "--rerun-failed=/no/such/record", NULL);
    assert_int_equal(missing.status, 3);
    kit_free(&run);
    kit_free(&again);
    kit_free(&missing);
}

/* A program called gdb, first on the path; returns the path as it was, for restore_path(). */
static char *fake_gdb(const char *script)
{
    char *before = hp_format("%s", getenv("PATH"));
    assert_int_equal(mkdir(kit_path("bin"), 0755), 0);
    FILE *file = fopen(kit_path("bin/gdb"), "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s", script);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(kit_path("bin/gdb"), 0755), 0);
    char *path = hp_format("%s:%s", kit_path("bin"), before);
    setenv("PATH", path, 1);
    free(path);
    return before;
}

static void restore_path(char *before)
{
    setenv("PATH", before, 1);
    free(before);
}

static void gdb_gets_the_case_as_a_run_would_start_it(void **state)
{
    (void)state;
    char *before = fake_gdb("printf '%s\\n' \"$@\"; pwd\n"
                            "while [ \"$1\" != --args ]; do shift; done; shift; exec \"$@\"\n");
    kit_run run = kit_check("behaviours", "--gdb=keeps_its_promise", NULL);
    restore_path(before);
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.output, "\nset exec-wrapper env -i PATH="));
    assert_non_null(strstr(run.output, "HOME="));
    assert_non_null(strstr(run.output, "detect_leaks=0\n"));
    assert_non_null(strstr(run.output, "\nbreak keeps_its_promise\n"));
    assert_non_null(strstr(run.output, "\nkeeps_its_promise\n3\n4711\n1\n"));
    assert_non_null(strstr(run.output, "/behaviours/keeps_its_promise.1\n")); /* pwd */
    assert_non_null(strstr(run.output, "promise BDB_BACKUP_RECOVERS\n"));
    assert_non_null(strstr(run.output, "end pass\n"));
    assert_null(run.header); /* nothing is recorded */
    assert_int_equal(kit_entries("work"), 1);
    kit_free(&run);
}

static void gdb_breaks_nowhere_in_a_case_whose_name_is_no_function(void **state)
{
    (void)state;
    char *before = fake_gdb("printf '%s\\n' \"$@\"\n");
    kit_run run = kit_check("behaviours", "--gdb=odd <&\"> 'name'/../\xe2\x82\xac", NULL);
    restore_path(before);
    assert_int_equal(run.status, 0);
    assert_null(strstr(run.output, "\nbreak "));
    assert_non_null(strstr(run.output, "\n--args\n"));
    kit_free(&run);
}

static void gdb_of_an_unknown_case_or_without_gdb_is_an_error(void **state)
{
    (void)state;
    kit_run unknown = kit_check("behaviours", "--gdb=keeps_*", NULL);
    assert_int_equal(unknown.status, 4);
    char *before = hp_format("%s", getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    kit_run without = kit_check("behaviours", "--gdb=keeps_its_promise", NULL);
    restore_path(before);
    assert_int_equal(without.status, 3);
    assert_non_null(strstr(without.output, "apt install gdb"));
    kit_free(&unknown);
    kit_free(&without);
}

static void the_real_gdb_stops_where_the_case_begins(void **state)
{
    (void)state;
    if (system("gdb -batch -ex 'break main' -ex run -ex 'info frame' --args /bin/true 2>&1 |"
               " grep -q 'exited normally\\|frame at'") != 0) {
        skip(); /* not installed, or this system lets no process be traced */
    }
    kit_input("backtrace 1\ncontinue\nquit\n");
    kit_run run = kit_check("behaviours", "--gdb=keeps_its_promise", NULL);
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.output, "#0  keeps_its_promise (state="));
    assert_non_null(strstr(run.output, "end pass\n"));
    kit_free(&run);
}

#define KIT_TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_seed_draws_one_order_and_loses_no_case),
    cmocka_unit_test(the_order_of_a_seed_is_the_same_in_every_version),
    KIT_TEST(shuffle_runs_every_case_once_in_the_order_it_lists),
    KIT_TEST(rerun_failed_runs_the_surprises_with_the_same_seed),
    KIT_TEST(rerun_failed_selects_among_what_else_is_selected),
    KIT_TEST(rerun_failed_names_cases_that_are_no_more),
    KIT_TEST(rerun_failed_of_a_good_record_runs_nothing),
    KIT_TEST(gdb_gets_the_case_as_a_run_would_start_it),
    KIT_TEST(gdb_breaks_nowhere_in_a_case_whose_name_is_no_function),
    KIT_TEST(gdb_of_an_unknown_case_or_without_gdb_is_an_error),
    KIT_TEST(the_real_gdb_stops_where_the_case_begins),
};
TEST_MAIN(tests)
