/* Markdown: tables that keep their columns, fences that hold, text that stays text. */
#include "fixture.h"
#include "markdown_reader.h"
#include "report/markdown.h"
#include "testmain.h"

#include <string.h>

static void odd_text_breaks_neither_table_nor_fence(void **state)
{
    (void)state;
    markdown_parts p = markdown_of(fixture_odd_record(), hp_markdown_write);
    assert_non_null(strstr(p.fenced, FIXTURE_ODD_MESSAGE "\n"));
    assert_non_null(strstr(p.fenced, "hotproof check --case 'x <&>'\n"));
    assert_non_null(
        strstr(p.plain, "### FAIL e&lt;&amp;\">'\\#: odd &lt;&amp;\">'\\# TODO \\\\ \\`\\*\\_\\|"));
    assert_non_null(strstr(p.plain, "known \\# since \\\\ &lt;ever> \\| &amp; \\`so\\`"));
    assert_non_null(strstr(p.plain, "page \\| &lt;one> \\*&amp;\\*, section \\`\\#\\`"));
    markdown_free(&p);
}

static void every_surprise_departure_and_gap_is_there_once(void **state)
{
    (void)state;
    static const char *const headings[] = {"### FAIL ", "### XPASS ", "### CRASH ", "### TIMEOUT ",
        "### VACUOUS ", "### ERROR ", "### STALE ", "## Surprises\n", "## Known departures\n",
        "## Not asserted\n", "## The run\n"};
    markdown_parts p = markdown_of(fixture_odd_record(), hp_markdown_write);
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        const char *found = strstr(p.plain, headings[i]);
        assert_non_null(found);
        assert_null(strstr(found + 1, headings[i]));
    }
    assert_non_null(strstr(p.plain, "Not installed: other; apt install libother-dev."));
    markdown_free(&p);
}

static void a_record_without_surprises_has_no_such_heading(void **state)
{
    (void)state;
    markdown_parts p = markdown_of(HEADER RESULT("a", "PASS") FOOTER, hp_markdown_write);
    assert_null(strstr(p.plain, "## Surprises"));
    assert_null(strstr(p.plain, "## Known departures"));
    assert_null(strstr(p.plain, "cut short"));
    markdown_free(&p);
}

static void the_brief_table_has_held_of_total_per_page_and_level(void **state)
{
    (void)state;
    markdown_parts p =
        markdown_of(FIXTURE_HEADER("", FIXTURE_ENGINE("e", "1") "," FIXTURE_ENGINE("f", "2"))
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
    markdown_free(&p);
}

static void a_brief_table_of_half_a_run_says_so(void **state)
{
    (void)state;
    markdown_parts p = markdown_of(HEADER RESULT("a", "PASS"), hp_markdown_write_brief);
    assert_non_null(strstr(p.plain, "**The run was cut short**"));
    markdown_free(&p);
    p = markdown_of(fixture_odd_record(), hp_markdown_write_brief);
    assert_non_null(strstr(p.plain, "| page \\| &lt;one> \\*&amp;\\* |"));
    markdown_free(&p);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(odd_text_breaks_neither_table_nor_fence),
    cmocka_unit_test(every_surprise_departure_and_gap_is_there_once),
    cmocka_unit_test(a_record_without_surprises_has_no_such_heading),
    cmocka_unit_test(the_brief_table_has_held_of_total_per_page_and_level),
    cmocka_unit_test(a_brief_table_of_half_a_run_says_so),
};
TEST_MAIN(tests)
