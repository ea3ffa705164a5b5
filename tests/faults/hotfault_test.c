/* The program hotfault: what it says and how it ends. */
#include "testmain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "faults/trace/trace.h"
#include "ref/cwd.h"

#ifndef TEST_PROGRAM
#error "TEST_PROGRAM is hotfault"
#endif

static char said[65536];

/* Runs it with the arguments in the test's directory; standard output and standard error come to
 * `said`. The result is its exit status. */
static int hotfault(const char *arguments)
{
    char command[4096];
    snprintf(command, sizeof command, "%s %s 2>&1", TEST_PROGRAM, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    said[fread(said, 1, sizeof said - 1, pipe)] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void must_say(const char *text)
{
    if (strstr(said, text) == NULL) {
        print_error("it says\n%s\nand not\n%s\n", said, text);
        fail();
    }
}

static void expect_exactly(const char *text)
{
    assert_string_equal(said, text);
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* A trace of `count` writes, of which the one with number `odd` (if there is) goes elsewhere. */
static void write_trace(const char *name, uint64_t seed, unsigned count, unsigned odd, int byte)
{
    char data[600];
    size_t size;
    fault_trace *trace;
    memset(data, byte, sizeof data);
    assert_int_equal(fault_trace_new("plan 1 seed=1\n", seed, true, &trace), 0);
    for (unsigned i = 0; i < count; i++) {
        fault_record record = {.op = {.op = FAULT_OP_WRITE,
                                   .path = "/home/\xff",
                                   .inode = 2,
                                   .offset = i == odd ? 77 : i * 600,
                                   .size = 600,
                                   .data = data},
            .result = i == 5 ? 5 : 0,
            .done = 600,
            .time = i};
        fault_trace_add(trace, &record);
    }
    uint8_t *bytes = fault_trace_bytes(trace, &size);
    write_file(name, bytes, size);
    fault_trace_free(trace);
    free(bytes);
}

/* ---- plans ---- */

static void a_plan_that_is_understood_is_passed_in_silence(void **state)
{
    (void)state;
    cwd_file("good", "# a comment\nrule r on write nth=3 do err=ENOSPC\n");
    assert_int_equal(hotfault("plan check good"), 0);
    expect_exactly("");
}

static void a_mistake_in_a_plan_is_told_with_line_and_column(void **state)
{
    (void)state;
    cwd_file("bad", "plan 1\n\nrule r on write do explode\n");
    assert_int_equal(hotfault("plan check bad"), 1);
    expect_exactly("bad:3:20: \"explode\" is no action\n");
    assert_int_equal(hotfault("plan format bad"), 1);
    expect_exactly("bad:3:20: \"explode\" is no action\n");
}

static void format_prints_the_canonical_form_which_is_its_own(void **state)
{
    (void)state;
    static const char form[] = "plan 1 seed=0\nrule r on read,write do err=EIO times=2\n";
    cwd_file("loose", "rule   r on write,read times=2 do err=EIO # why\n");
    cwd_file("form", form);
    assert_int_equal(hotfault("plan format loose"), 0);
    expect_exactly(form);
    assert_int_equal(hotfault("plan format form"), 0);
    expect_exactly(form);
}

/* ---- traces ---- */

static void dump_prints_a_line_for_each_operation(void **state)
{
    (void)state;
    write_trace("one", 7, 6, 99, 'x');
    assert_int_equal(hotfault("trace dump one"), 0);
    must_say("# seed 7\n# plan 1 seed=1\n0 t0 write ");
    must_say("\n5 t0 write \"/home/\xff\" inode=2 offset=3000 size=600 data=");
    must_say(" = EIO done=600 time=5\n");
}

static void dump_as_json_is_json_whatever_the_paths_are(void **state)
{
    (void)state;
    write_trace("one", UINT64_MAX, 2, 99, 'x');
    assert_int_equal(hotfault("trace dump --json one"), 0);
    must_say("{\"seed\": \"18446744073709551615\", \"plan\": \"plan 1 seed=1\\n\", "
             "\"cut_short\": false, \"records\": [\n{\"index\":0,\"thread\":0,\"op\":\"write\","
             "\"path\":\"/home/\\\\xff\",\"inode\":2,\"offset\":0,\"size\":600,\"data\":\"");
    must_say("\",\"result\":0,\"done\":600,\"time\":0,\"rule\":0,\"action\":\"nothing\"},\n");
    assert_string_equal(said + strlen(said) - strlen("}\n]}\n"), "}\n]}\n");
}

/* Renames, and what runs out of memory, by a small trace that says so. */
static void write_cut_trace(const char *name, const char *plan)
{
    enum { AT_FLAGS = 12, CUT_SHORT = 2 };
    size_t size;
    fault_trace *trace;
    fault_record record = {
        .op = {.op = FAULT_OP_RENAME, .path = "/a", .to = "/b"}, .result = ENOSPC, .rule = 1};
    assert_int_equal(fault_trace_new(plan, 0, false, &trace), 0);
    fault_trace_add(trace, &record);
    uint8_t *bytes = fault_trace_bytes(trace, &size);
    bytes[AT_FLAGS] |= CUT_SHORT;
    write_file(name, bytes, size);
    fault_trace_free(trace);
    free(bytes);
}

static void a_trace_that_was_cut_short_says_so_wherever_it_is_shown(void **state)
{
    (void)state;
    write_cut_trace("cut", "plan 1\x1b[2J");
    write_cut_trace("other", "plan 1");
    assert_int_equal(hotfault("trace dump cut"), 0);
    expect_exactly(
        "# seed 0\n# plan 1\\x1b[2J\n# cut short: memory ran out before the run was over\n"
        "0 t0 rename \"/a\" to \"/b\" = ENOSPC time=0 rule=1\n");
    assert_int_equal(hotfault("trace dump -j cut"), 0);
    must_say("\"cut_short\": true");
    must_say("\"path\":\"/a\",\"to\":\"/b\",");
    must_say("\"result\":28,\"error\":\"ENOSPC\",");
    assert_int_equal(hotfault("trace diff cut other"), 0);
    expect_exactly(
        "the plans differ\ncut was cut short\nother was cut short\nno difference; records: 1\n");
}

static void the_same_runs_have_no_difference(void **state)
{
    (void)state;
    write_trace("one", 7, 20, 99, 'x');
    write_trace("two", 7, 20, 99, 'x');
    assert_int_equal(hotfault("trace diff one two"), 0);
    expect_exactly("no difference; records: 20\n");
    write_trace("two", 8, 20, 99, 'x');
    assert_int_equal(hotfault("trace diff one two"), 0);
    expect_exactly("the seeds differ: 7 and 8\nno difference; records: 20\n");
}

static void the_first_difference_is_shown_with_what_is_around_it(void **state)
{
    (void)state;
    write_trace("one", 7, 20, 99, 'x');
    write_trace("two", 7, 20, 10, 'x');
    assert_int_equal(hotfault("trace diff one two"), 1);
    must_say("record 10 differs in offset\n  7 t0 write ");
    must_say("\n  9 t0 write ");
    must_say("\n- 10 t0 write \"/home/\xff\" inode=2 offset=6000 ");
    must_say("\n+ 10 t0 write \"/home/\xff\" inode=2 offset=77 ");
    must_say("\n  13 t0 write ");
    assert_null(strstr(said, "\n  6 "));
    assert_null(strstr(said, "\n  14 "));
}

static void what_was_written_is_a_difference(void **state)
{
    (void)state;
    write_trace("one", 7, 3, 99, 'x');
    write_trace("two", 7, 3, 99, 'y');
    assert_int_equal(hotfault("trace diff one two"), 1);
    must_say("record 0 differs in data\n- 0 t0 write ");
}

static void a_run_that_ended_earlier_is_a_difference(void **state)
{
    (void)state;
    write_trace("one", 7, 5, 99, 'x');
    write_trace("two", 7, 3, 99, 'x');
    assert_int_equal(hotfault("trace diff one two"), 1);
    must_say("two ends at record 3, the other goes on\n  0 t0 write ");
    must_say("\n- 3 t0 write ");
    must_say("\n- 4 t0 write ");
}

/* ---- files and usage ---- */

static void what_cannot_be_read_is_told_with_the_reason(void **state)
{
    (void)state;
    cwd_file("good", "");
    cwd_file("short", "HOTTRACE");
    write_trace("one", 7, 3, 99, 'x');
    static const struct {
        const char *arguments, *words;
    } runs[] = {
        {"plan check missing", "hotfault plan check: missing: No such file or directory\n"},
        {"plan format .", "hotfault plan format: .: Is a directory\n"},
        {"trace dump missing", "hotfault trace dump: missing: No such file or directory\n"},
        {"trace dump good", "hotfault trace dump: good: offset 0: the file ends in its header"},
        {"trace dump short", "hotfault trace dump: short: offset 8: the file ends in its header"},
        {"trace diff one short", "hotfault trace diff: short: offset 8: the file ends"},
        {"trace diff short one", "hotfault trace diff: short: offset 8: the file ends"},
        {"trace dump one >/dev/full", ""},
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        assert_int_equal(hotfault(runs[i].arguments), 3);
        must_say(runs[i].words);
    }
}

static void wrong_usage_is_told_and_help_has_the_exit_statuses(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "trace", "trace show one", "plan", "dump one",
        "plan check", "plan check a b", "trace diff a", "trace diff a b c", "plan check --json a"};
    static const char *const helps[] = {"--help", "plan check --help", "plan format --help",
        "trace dump --help", "trace diff --help"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(hotfault(wrong[i]), 2);
        must_say("hotfault");
    }
    for (size_t i = 0; i < sizeof helps / sizeof *helps; i++) {
        assert_int_equal(hotfault(helps[i]), 0);
        must_say("Exit status: 0 ");
    }
}

#define TOOL_TEST(name) cmocka_unit_test_setup_teardown(name, cwd_setup, cwd_teardown)

static const struct CMUnitTest tests[] = {
    TOOL_TEST(a_plan_that_is_understood_is_passed_in_silence),
    TOOL_TEST(a_mistake_in_a_plan_is_told_with_line_and_column),
    TOOL_TEST(format_prints_the_canonical_form_which_is_its_own),
    TOOL_TEST(dump_prints_a_line_for_each_operation),
    TOOL_TEST(dump_as_json_is_json_whatever_the_paths_are),
    TOOL_TEST(a_trace_that_was_cut_short_says_so_wherever_it_is_shown),
    TOOL_TEST(the_same_runs_have_no_difference),
    TOOL_TEST(the_first_difference_is_shown_with_what_is_around_it),
    TOOL_TEST(what_was_written_is_a_difference),
    TOOL_TEST(a_run_that_ended_earlier_is_a_difference),
    TOOL_TEST(what_cannot_be_read_is_told_with_the_reason),
    TOOL_TEST(wrong_usage_is_told_and_help_has_the_exit_statuses),
};

TEST_MAIN(tests)
