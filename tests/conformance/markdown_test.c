/* Markdown: tables that keep their columns, fences that hold, text that stays text. */
#include "fixture.h"
#include "report/markdown.h"
#include "testmain.h"

#include <stdlib.h>
#include <string.h>

/* Columns of a table's row: bars that are not escaped, less one. 0: no row. */
static size_t columns(const char *line)
{
    size_t bars = 0;
    if (line[0] != '|') {
        return 0;
    }
    for (; *line != '\0'; line++) {
        if (line[0] == '\\' && line[1] != '\0') {
            line++;
        } else {
            bars += *line == '|';
        }
    }
    return bars - 1;
}

/* Length of the fence that begins the line, or 0. */
static size_t fence(const char *line)
{
    size_t length = strspn(line, "`");
    return length >= 3 ? length : 0;
}

/* Outside fences no text is taken for HTML, but for the line breaks that the report puts in. */
static void assert_no_html(const char *line)
{
    for (const char *at = line; (at = strchr(at, '<')) != NULL; at++) {
        if (strncmp(at, "<br>", 4) != 0) {
            fail_msg("HTML in: %s", line);
        }
    }
}

/* Reads the text as a whole. What stands in fences is appended to `fenced`, the rest to `plain`. */
static void read_markdown(const char *text, char *fenced, char *plain)
{
    size_t open = 0, width = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        assert_int_equal(text[length], '\n');
        char *line = hp_format("%.*s", (int)length, text);
        text += length + 1;
        if (open > 0 && fence(line) >= open && line[fence(line)] == '\0') {
            open = 0;
        } else if (open > 0) {
            strcat(strcat(fenced, line), "\n");
        } else if (fence(line) > 0) {
            open = fence(line);
        } else {
            size_t now = columns(line);
            assert_true(width == 0 || now == 0 || now == width);
            width = now;
            assert_no_html(line);
            strcat(strcat(plain, line), "\n");
        }
        free(line);
    }
    assert_int_equal(open, 0);
}

typedef struct parts {
    char *text, *fenced, *plain;
} parts;

static parts parts_of(
    const char *record, int (*write)(const hp_model *model, FILE *out, hp_error *error))
{
    hp_model model = fixture_model(record);
    parts p = {.text = fixture_render(&model, write)};
    p.fenced = hp_allocate(strlen(p.text) + 2, 1);
    p.plain = hp_allocate(strlen(p.text) + 2, 1);
    read_markdown(p.text, p.fenced, p.plain);
    hp_model_free(&model);
    return p;
}

static void free_parts(parts *p)
{
    free(p->text);
    free(p->fenced);
    free(p->plain);
}

static void odd_text_breaks_neither_table_nor_fence(void **state)
{
    (void)state;
    parts p = parts_of(fixture_odd_record(), hp_markdown_write);
    assert_non_null(strstr(p.fenced, FIXTURE_ODD_MESSAGE "\n"));
    assert_non_null(strstr(p.fenced, "hotproof check --case 'x <&>'\n"));
    assert_non_null(
        strstr(p.plain, "### FAIL e&lt;&amp;\">'\\#: odd &lt;&amp;\">'\\# TODO \\\\ \\`\\*\\_\\|"));
    assert_non_null(strstr(p.plain, "known \\# since \\\\ &lt;ever> \\| &amp; \\`so\\`"));
    assert_non_null(strstr(p.plain, "page \\| &lt;one> \\*&amp;\\*, section \\`\\#\\`"));
    free_parts(&p);
}

static void every_surprise_departure_and_gap_is_there_once(void **state)
{
    (void)state;
    static const char *const headings[] = {"### FAIL ", "### XPASS ", "### CRASH ", "### TIMEOUT ",
        "### VACUOUS ", "### ERROR ", "### STALE ", "## Surprises\n", "## Known departures\n",
        "## Not asserted\n", "## The run\n"};
    parts p = parts_of(fixture_odd_record(), hp_markdown_write);
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        const char *found = strstr(p.plain, headings[i]);
        assert_non_null(found);
        assert_null(strstr(found + 1, headings[i]));
    }
    assert_non_null(strstr(p.plain, "Not installed: other; apt install libother-dev."));
    free_parts(&p);
}

static void a_record_without_surprises_has_no_such_heading(void **state)
{
    (void)state;
    parts p = parts_of(HEADER RESULT("a", "PASS") FOOTER, hp_markdown_write);
    assert_null(strstr(p.plain, "## Surprises"));
    assert_null(strstr(p.plain, "## Known departures"));
    assert_null(strstr(p.plain, "cut short"));
    free_parts(&p);
}

static void the_brief_table_has_held_of_total_per_page_and_level(void **state)
{
    (void)state;
    parts p = parts_of(FIXTURE_HEADER("", FIXTURE_ENGINE("e", "1") "," FIXTURE_ENGINE("f", "2"))
                           RESULT("a", "PASS") RESULT("b", "XFAIL") RESULT("ab", "PASS")
                               RESULT("c", "PASS") RESULT_OF("f", "c", "FAIL") FOOTER,
        hp_markdown_write_brief);
    assert_string_equal(p.plain,
        "| Promises held: documented MUST · inferred MUST · SHOULD | e 1 | f 2 |\n"
        "|---|---|---|\n"
        "| one | 1/1 · – · 1/1 | 0/1 · – · 0/1 |\n"
        "| two | – · 0/1 · – | – · 0/1 · – |\n"
        "| **All** | 1/1 · 0/1 · 1/1 | 0/1 · 0/1 · 0/1 |\n"
        "| **Gate** | passed | failed: 1 surprise |\n"
        "| **Conformance** | not conformant | conformant except for what did not run |\n");
    free_parts(&p);
}

static void a_brief_table_of_half_a_run_says_so(void **state)
{
    (void)state;
    parts p = parts_of(HEADER RESULT("a", "PASS"), hp_markdown_write_brief);
    assert_non_null(strstr(p.plain, "**The run was cut short**"));
    free_parts(&p);
    p = parts_of(fixture_odd_record(), hp_markdown_write_brief);
    assert_non_null(strstr(p.plain, "| page \\| &lt;one> \\*&amp;\\* |"));
    free_parts(&p);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(odd_text_breaks_neither_table_nor_fence),
    cmocka_unit_test(every_surprise_departure_and_gap_is_there_once),
    cmocka_unit_test(a_record_without_surprises_has_no_such_heading),
    cmocka_unit_test(the_brief_table_has_held_of_total_per_page_and_level),
    cmocka_unit_test(a_brief_table_of_half_a_run_says_so),
};
TEST_MAIN(tests)
