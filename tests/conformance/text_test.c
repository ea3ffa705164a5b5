/* Strings and directories of the runner. */
#include "runner/capture.h"
#include "runner/directory.h"
#include "runner/text.h"
#include "testmain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void json_is(const char *bytes, const char *wanted)
{
    json_t *text = hp_json_text(bytes);
    assert_string_equal(json_string_value(text), wanted);
    json_decref(text);
}

static void bytes_that_are_no_UTF8_become_escapes(void **state)
{
    (void)state;
    json_is("plain\ttext\n", "plain\ttext\n");
    json_is("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
    json_is("\xff\x01\x7f", "\\xff\\x01\\x7f");
    json_is("\xc3", "\\xc3");                            /* cut off */
    json_is("\xc0\xaf", "\\xc0\\xaf");                   /* overlong */
    json_is("\xe0\x80\xaf", "\\xe0\\x80\\xaf");          /* overlong */
    json_is("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* surrogate */
    json_is("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond the last character */
    json_is("\xef\xbf\xbf", "\\xef\\xbf\\xbf");          /* no character, and no XML */
}

static void what_a_terminal_or_a_reader_of_lines_obeys_becomes_escapes(void **state)
{
    (void)state;
    json_is("\r\x1b[2J", "\\x0d\\x1b[2J");
    json_is("\xc2\x9b"
            "2J \xc2\x85",
        "\\xc2\\x9b"
        "2J \\xc2\\x85");            /* controls of eight bits */
    json_is("\xc2\xa0", "\xc2\xa0"); /* a blank that does not break is none */
    json_is("a\xe2\x80\xa8"
            "b\xe2\x80\xa9",
        "a\\xe2\\x80\\xa8"
        "b\\xe2\\x80\\xa9");
    json_is("\xef\xbb\xbfx", "\\xef\\xbb\\xbfx"); /* a byte order mark */
}

static void JSON_from_outside_is_cleaned_at_every_depth(void **state)
{
    (void)state;
    json_t *value = json_loads("{\"a\":[\"\\u0007\",{\"b\":\"\\u0085\"}],\"c\":1}", 0, NULL);
    hp_json_clean(value);
    char *text = json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(text, "{\"a\":[\"\\\\x07\",{\"b\":\"\\\\xc2\\\\x85\"}],\"c\":1}");
    free(text);
    json_decref(value);
    hp_json_clean(NULL);
}

static void a_word_for_the_shell_is_that_word_to_the_shell(void **state)
{
    (void)state;
    static const char *const words[] = {
        "plain", "", "two words", "it's", "$HOME `x` \\ \"q\"", "a;b|c&d", "'", "*"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char *word = hp_shell_word(words[i]);
        char *command = hp_format("printf %%s %s", word);
        const char *const argv[] = {"sh", "-c", command, NULL};
        int status;
        char *output = hp_capture(argv, 0, 10, &status);
        assert_string_equal(output, words[i]);
        free(output);
        free(command);
        free(word);
    }
}

static void a_component_has_no_slash_and_no_leading_dot(void **state)
{
    (void)state;
    char *component = hp_directory_component("../a b/.c%");
    assert_string_equal(component, "%2E.%2Fa%20b%2F.c%25");
    free(component);
}

static void a_tree_is_removed_whatever_its_modes(void **state)
{
    (void)state;
    hp_error error;
    char name[4200];
    struct stat status;
    char *directory = hp_directory_temporary("/tmp", &error);
    assert_non_null(directory);
    snprintf(name, sizeof name, "%s/a/b/c", directory);
    assert_int_equal(hp_directory_make(name), 0);
    assert_int_equal(hp_directory_make(name), 0);
    snprintf(name, sizeof name, "%s/a/link", directory);
    assert_int_equal(symlink("/etc", name), 0);
    snprintf(name, sizeof name, "%s/a/b", directory);
    assert_int_equal(chmod(name, 0), 0);
    assert_int_equal(hp_directory_remove(directory), 0);
    assert_int_equal(lstat(directory, &status), -1);
    assert_int_equal(stat("/etc", &status), 0);
    assert_int_equal(hp_directory_remove(directory), 0);
    free(directory);
}

static void a_temporary_directory_needs_its_parent(void **state)
{
    (void)state;
    hp_error error;
    assert_null(hp_directory_temporary("/no/such/directory", &error));
    assert_non_null(strstr(error.text, "/no/such/directory"));
}

static void the_tail_of_a_file_is_its_end(void **state)
{
    (void)state;
    char path[] = "/tmp/hotproof-tail-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "abc\0defgh", 9), 9);
    close(fd);
    char *tail = hp_read_tail(path, 6);
    assert_string_equal(tail, " defgh");
    free(tail);
    unlink(path);
    assert_null(hp_read_tail(path, 6));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bytes_that_are_no_UTF8_become_escapes),
    cmocka_unit_test(what_a_terminal_or_a_reader_of_lines_obeys_becomes_escapes),
    cmocka_unit_test(JSON_from_outside_is_cleaned_at_every_depth),
    cmocka_unit_test(a_word_for_the_shell_is_that_word_to_the_shell),
    cmocka_unit_test(a_component_has_no_slash_and_no_leading_dot),
    cmocka_unit_test(a_tree_is_removed_whatever_its_modes),
    cmocka_unit_test(a_temporary_directory_needs_its_parent),
    cmocka_unit_test(the_tail_of_a_file_is_its_end),
};
TEST_MAIN(tests)
