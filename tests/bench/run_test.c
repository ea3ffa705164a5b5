/* hotbench, whole: on a toy engine that misbehaves as it is told, and on the real ones. Nothing here
 * depends on how fast anything is. */
#include "bench/options.h"
#include "conformance/runner/capture.h"
#include "conformance/runner/directory.h"
#include "testmain.h"

#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *directory, *work_option, *out_option;

static int setup(void **state)
{
    (void)state;
    hp_error error;
    directory = hp_directory_temporary("/tmp", &error);
    assert_non_null(directory);
    char *work = hp_format("%s/work", directory);
    assert_int_equal(mkdir(work, 0755), 0);
    work_option = hp_format("--dir=%s", work);
    out_option = hp_format("--out=%s/out", directory);
    free(work);
    unsetenv("HOTBENCH_TOY");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hp_directory_remove(directory);
    free(directory);
    free(work_option);
    free(out_option);
    return 0;
}

/* Runs hotbench with up to three arguments; its exit status. *output is to be freed. */
static int run(char **output, const char *one, const char *two, const char *three)
{
    const char *const arguments[] = {TEST_HOTBENCH, work_option, out_option, one, two, three, NULL};
    int status = 0;
    *output = hp_capture(arguments, 1, 100, &status);
    assert_non_null(*output);
    print_message("%s", *output);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_run(
    int exit_status, const char *words, const char *one, const char *two, const char *three)
{
    char *output;
    assert_int_equal(run(&output, one, two, three), exit_status);
    assert_non_null(strstr(output, words));
    free(output);
}

/* The lines of the last run's record; to be released. */
static json_t *record(void)
{
    json_t *lines = json_array();
    char *path = hp_format("%s/out/latest/record.ndjson", directory), *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (getline(&line, &room, file) >= 0) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        json_array_append_new(lines, object);
    }
    fclose(file);
    free(line);
    free(path);
    return lines;
}

static size_t count_of(const json_t *lines, const char *type)
{
    size_t i, count = 0;
    json_t *line;
    json_array_foreach(lines, i, line)
    {
        count += strcmp(hp_json_get(line, "type"), type) == 0;
    }
    return count;
}

static void assert_nothing_is_left_in_the_working_directory(void)
{
    size_t entries = 0;
    DIR *stream = opendir(work_option + strlen("--dir="));
    assert_non_null(stream);
    while (readdir(stream) != NULL) {
        entries++;
    }
    closedir(stream);
    assert_int_equal(entries, 2); /* . and .. */
}

static void every_peer_is_measured_verified_and_recorded(void **state)
{
    (void)state;
    char *output;
    assert_int_equal(run(&output, "--size=1", "--rounds=2", "--seed=7"), 0);
    json_t *lines = record();
    json_t *header = json_array_get(lines, 0);
    size_t peers = json_array_size(json_object_get(header, "peers"));
    assert_string_equal(hp_json_get(header, "type"), "header");
    assert_string_not_equal(hp_json_get(json_object_get(header, "machine"), "cpu"), "");
    assert_string_not_equal(hp_json_get(json_object_get(header, "machine"), "kernel"), "");
    assert_true(peers >= 2); /* cp and the reference engine always */
    assert_int_equal(count_of(lines, "measurement"), peers * 2 * 2);
    assert_int_equal(count_of(lines, "verification"), peers);
    assert_int_equal(count_of(lines, "summary"), peers * 2);
    assert_int_equal(count_of(lines, "absent"), 3 - peers);
    json_t *footer = json_array_get(lines, json_array_size(lines) - 1);
    assert_string_equal(hp_json_get(footer, "type"), "footer");
    assert_int_equal(json_integer_value(json_object_get(footer, "exit_status")), 0);
    assert_non_null(strstr(output, "\nref 0"));
    assert_non_null(strstr(output, "Record: "));
    json_decref(lines);
    free(output);
    assert_nothing_is_left_in_the_working_directory();
}

static void rounds_alternate_their_order(void **state)
{
    (void)state;
    char *output;
    assert_int_equal(run(&output, "--size=1", "--rounds=2", "--seed=7"), 0);
    json_t *lines = record(), *line;
    size_t i;
    json_array_foreach(lines, i, line)
    {
        if (strcmp(hp_json_get(line, "type"), "measurement") == 0 &&
            strcmp(hp_json_get(line, "peer"), "cp") == 0) {
            json_int_t round = json_integer_value(json_object_get(line, "round"));
            json_int_t position = json_integer_value(json_object_get(line, "position"));
            assert_true(round == 1 ? position == 1 : position > 1);
        }
    }
    json_decref(lines);
    free(output);
}

static void an_engine_named_by_its_file_is_measured(void **state)
{
    (void)state;
    assert_run(0, "\ntoy 1.0", "--peer=" TEST_TOY, "--size=1", "--rounds=1");
}

static void a_backup_that_fails_is_exit_1_with_its_words(void **state)
{
    (void)state;
    setenv("HOTBENCH_TOY", "fails", 1);
    assert_run(1, "FAILED: the toy broke", "--peer=" TEST_TOY, "--size=1", "--rounds=2");
    json_t *lines = record();
    assert_int_equal(count_of(lines, "measurement"), 1); /* not tried again */
    json_decref(lines);
    assert_nothing_is_left_in_the_working_directory();
}

static void an_engine_that_dies_is_exit_1(void **state)
{
    (void)state;
    setenv("HOTBENCH_TOY", "dies", 1);
    assert_run(1, "FAILED: died of signal", "--peer=" TEST_TOY, "--size=1", "--rounds=1");
}

static void a_copy_without_a_record_is_exit_1(void **state)
{
    (void)state;
    setenv("HOTBENCH_TOY", "loses", 1);
    assert_run(1, "WRONG: the copy has ", "--peer=" TEST_TOY, "--size=1", "--rounds=1");
}

/* Waits until the run in the background has recorded something; false after a minute. */
static bool has_begun(void)
{
    char *path = hp_format("%s/out/latest/record.ndjson", directory);
    bool begun = false;
    for (int i = 0; i < 600 && !begun; i++) {
        char *text = hp_read_tail(path, 1 << 16);
        begun = text != NULL && strstr(text, "\"measurement\"") != NULL;
        free(text);
        usleep(100000);
    }
    free(path);
    return begun;
}

static void an_interrupted_run_leaves_its_record_and_nothing_else(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execl(TEST_HOTBENCH, TEST_HOTBENCH, work_option, out_option, "--peer=" TEST_TOY, "--size=1",
            "--rounds=1000", (char *)NULL);
        _exit(127);
    }
    bool begun = has_begun();
    kill(pid, SIGINT);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(begun);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    json_t *lines = record();
    assert_int_equal(count_of(lines, "footer"), 1);
    json_decref(lines);
    assert_nothing_is_left_in_the_working_directory();
}

static void usage_errors_are_exit_2(void **state)
{
    (void)state;
    assert_run(2, "--rounds: '0' is not a number", "--rounds=0", NULL, NULL);
    assert_run(2, "--size: 'big' is not a number", "--size=big", NULL, NULL);
    assert_run(2, "--seed: '-1' is not a number", "--seed=-1", NULL, NULL);
    assert_run(2, "unexpected argument 'ref'", "ref", NULL, NULL);
    assert_run(2, "unrecognized option", "--fast", NULL, NULL);
    assert_run(2, "no peer is called nosuch", "--peer=nosuch", NULL, NULL);
    assert_run(2, "no such module", "--peer=./nosuch.so", NULL, NULL);
}

static void what_cannot_be_measured_with_is_exit_3(void **state)
{
    (void)state;
    assert_run(3, "not an engine module", "--peer=/lib/x86_64-linux-gnu/libc.so.6", NULL, NULL);
    assert_run(3, "No such file or directory", "--dir=/nowhere/at/all", "--size=1", "--rounds=1");
    assert_run(3, "MiB are free, the case full needs", "--size=1000000", NULL, NULL);
}

static void nothing_to_measure_is_exit_4(void **state)
{
    (void)state;
    assert_run(4, "nothing to measure", "--peer=" TEST_NO_OPERATIONS, NULL, NULL);
}

static void help_and_list_measure_nothing(void **state)
{
    (void)state;
    assert_run(0, "Exit status: 0 measured; 1", "--help", NULL, NULL);
    assert_run(0, "  full ", "--list", NULL, NULL);
    assert_run(0, "  libdb ", "--list", NULL, NULL);
}

#define RUN_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
    RUN_TEST(every_peer_is_measured_verified_and_recorded),
    RUN_TEST(rounds_alternate_their_order),
    RUN_TEST(an_engine_named_by_its_file_is_measured),
    RUN_TEST(a_backup_that_fails_is_exit_1_with_its_words),
    RUN_TEST(an_engine_that_dies_is_exit_1),
    RUN_TEST(a_copy_without_a_record_is_exit_1),
    RUN_TEST(an_interrupted_run_leaves_its_record_and_nothing_else),
    RUN_TEST(usage_errors_are_exit_2),
    RUN_TEST(what_cannot_be_measured_with_is_exit_3),
    RUN_TEST(nothing_to_measure_is_exit_4),
    RUN_TEST(help_and_list_measure_nothing),
};
TEST_MAIN(tests)
