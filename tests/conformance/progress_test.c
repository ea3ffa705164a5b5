/* The progress bar, as text and on a terminal; colour on a terminal and nowhere else. */
#include "harness.h"
#include "runner/progress.h"
#include "testmain.h"

#include <stdlib.h>
#include <string.h>

static void line_is(const hp_progress_state *state, size_t columns, const char *wanted)
{
    char line[256];
    hp_progress_line(state, columns, line, sizeof line);
    assert_string_equal(line, wanted);
}

static void the_bar_shows_what_is_done(void **state)
{
    (void)state;
    hp_progress_state now = {.done = 0, .total = 6};
    line_is(&now, 80, "[..............................] 0/6, 0 surprises");
    now = (hp_progress_state){.done = 2, .total = 6, .surprises = 1, .engine = "ref", .name = "x"};
    line_is(&now, 80, "[##########....................] 2/6, 1 surprise  ref x");
    now = (hp_progress_state){.done = 6, .total = 6};
    line_is(&now, 80, "[##############################] 6/6, 0 surprises");
}

static void a_narrow_terminal_gets_a_short_line(void **state)
{
    (void)state;
    hp_progress_state now = {.done = 2, .total = 6, .engine = "ref", .name = "a_long_name"};
    line_is(&now, 24, "2/6, 0 surprises  ref a");
    line_is(&now, 4, "2/6");
    line_is(&now, 1, "");
    line_is(&now, 0, "");
    now = (hp_progress_state){0};
    line_is(&now, 40, "0/0, 0 surprises");
}

static void a_name_is_cut_between_characters(void **state)
{
    (void)state;
    char line[24];
    hp_progress_state now = {
        .done = 2, .total = 6, .engine = "e", .name = "\xe2\x82\xac\xe2\x82\xac\ttab"};
    line_is(&now, 23, "2/6, 0 surprises  e \xe2\x82\xac\xe2\x82\xac");
    line_is(&now, 40, "2/6, 0 surprises  e \xe2\x82\xac\xe2\x82\xac tab");
    hp_progress_line(&now, 80, line, sizeof line); /* no room for the second in the buffer */
    now.name = "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
    hp_progress_line(&now, 40, line, 23);
    assert_string_equal(line, "2/6, 0 surprises  e ");
}

static void a_terminal_gets_a_bar_and_colours(void **state)
{
    (void)state;
    kit_run run = kit_check_on_terminal("behaviours", "--case=fails", NULL);
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.output, "\r[####"));
    assert_non_null(strstr(run.output, "] 1/1, 1 surprise"));
    assert_non_null(strstr(run.output, "\r\033[K")); /* taken away at the end */
    assert_non_null(strstr(run.output, "\033[31mFAIL\033[0m"));
    kit_free(&run);
}

static void a_file_gets_neither_bar_nor_colour(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--case=fails", NULL);
    assert_null(strchr(run.output, '\r'));
    assert_null(strchr(run.output, '\033'));
    assert_non_null(strstr(run.output, "1 of 1 cases, 1 surprise\n"));
    kit_free(&run);
}

/* Whether a run on a terminal prints colours with this variable set. */
static bool colours_with(const char *name, const char *value)
{
    setenv(name, value, 1);
    kit_run run = kit_check_on_terminal("behaviours", "--case=fails", NULL);
    unsetenv(name);
    bool colours = strstr(run.output, "\033[31m") != NULL;
    assert_non_null(strstr(run.output, "FAIL"));
    kit_free(&run);
    return colours;
}

static void NO_COLOR_and_CLICOLOR_are_respected(void **state)
{
    (void)state;
    assert_false(colours_with("NO_COLOR", "1"));
    assert_true(colours_with("NO_COLOR", "")); /* as if it were not set */
    assert_false(colours_with("CLICOLOR", "0"));
    assert_true(colours_with("CLICOLOR", "1"));
}

static void a_dumb_terminal_gets_plain_text(void **state)
{
    (void)state;
    setenv("TERM", "dumb", 1);
    kit_run run = kit_check_on_terminal("behaviours", "--case=fails", NULL);
    setenv("TERM", "xterm", 1);
    assert_null(strchr(run.output, '\033'));
    kit_free(&run);
}

/* Colours must not depend on how the tests are run. */
static int setup(void **state)
{
    unsetenv("NO_COLOR");
    unsetenv("CLICOLOR");
    setenv("TERM", "xterm", 1);
    return kit_setup(state);
}

#define KIT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, kit_teardown)

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_bar_shows_what_is_done),
    cmocka_unit_test(a_narrow_terminal_gets_a_short_line),
    cmocka_unit_test(a_name_is_cut_between_characters),
    KIT_TEST(a_terminal_gets_a_bar_and_colours),
    KIT_TEST(a_file_gets_neither_bar_nor_colour),
    KIT_TEST(NO_COLOR_and_CLICOLOR_are_respected),
    KIT_TEST(a_dumb_terminal_gets_plain_text),
};
TEST_MAIN(tests)
