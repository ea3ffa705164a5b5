/* The command `hotproof report`: formats, files, several records, exit statuses. */
#include "harness.h"
#include "tap_reader.h"
#include "testmain.h"

#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last run's record in `format`, and that the command succeeds. */
static kit_run rendered(const char *format)
{
    char option[64];
    snprintf(option, sizeof option, "--format=%s", format);
    kit_run run = kit_command("report", kit_record(), option, NULL);
    assert_int_equal(run.status, 0);
    return run;
}

static void every_format_renders_a_run_of_every_result(void **state)
{
    (void)state;
    kit_expect("behaviours", "crashes | CRASH | 1.0 | it # does <&>\n"
                             "keeps_its_promise | FAIL | 1.0 | it once did not\n"
                             "gone | FAIL | 1.0 | no such case\n");
    kit_run run = kit_check("behaviours", NULL);
    assert_int_equal(run.status, 3);
    kit_run tap = rendered("tap"), junit = rendered("junit"), markdown = rendered("markdown"),
            html = rendered("html"), terminal = rendered("terminal");
    tap_document document = tap_read(tap.output);
    assert_int_equal(document.count, json_array_size(run.results) + 1);
    assert_false(tap_passed(&document));
    xmlDocPtr xml =
        xmlReadMemory(junit.output, (int)strlen(junit.output), "r.xml", NULL, XML_PARSE_NONET);
    assert_non_null(xml);
    assert_non_null(strstr(markdown.output, "### XPASS behaviours: keeps_its_promise\n"));
    assert_non_null(strstr(html.output, "</html>"));
    assert_non_null(strstr(terminal.output, "XPASS behaviours keeps_its_promise\n"));
    xmlFreeDoc(xml);
    tap_free(&document);
    kit_free(&run);
    kit_free(&tap);
    kit_free(&junit);
    kit_free(&markdown);
    kit_free(&html);
    kit_free(&terminal);
}

static void a_harness_passes_exactly_what_the_gate_passes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *line;
        int status;
    } rows[] = {
        {"keeps_its_promise", "", 0},
        {"fails", "", 1},
        {"fails", "fails | FAIL | 1.0 | known\n", 0},
        {"crashes", "crashes | FAIL | 1.0 | known\n", 1},
        {"keeps_its_promise", "keeps_its_promise | FAIL | 1.0 | known\n", 1},
        {"odd*", "gone | FAIL | 1.0 | known\n", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kit_expect("behaviours", rows[i].line);
        kit_run run = kit_check("behaviours", "--case", rows[i].name, NULL);
        kit_run tap = rendered("tap");
        tap_document document = tap_read(tap.output);
        assert_int_equal(run.status, rows[i].status);
        assert_int_equal(tap_passed(&document), rows[i].status == 0);
        tap_free(&document);
        kit_free(&run);
        kit_free(&tap);
    }
}

static void a_report_can_go_to_a_file_and_a_record_be_named_by_its_directory(void **state)
{
    (void)state;
    char output[4200], directory[4200];
    kit_run run = kit_check("behaviours", "--case=odd*", NULL);
    snprintf(directory, sizeof directory, "%s", kit_path("out/latest"));
    snprintf(output, sizeof output, "--output=%s", kit_path("report.html"));
    kit_run html = kit_command("report", directory, "--format=html", output, NULL);
    assert_int_equal(html.status, 0);
    assert_string_equal(html.output, "");
    /* The same bytes as the run's own, but for the record's name. */
    char *own = hp_read_tail(kit_path("out/latest/report.html"), 1 << 22);
    char *other = hp_read_tail(kit_path("report.html"), 1 << 22);
    const char *own_end = strstr(own, "<h2>The run</h2>");
    const char *other_end = strstr(other, "<h2>The run</h2>");
    assert_non_null(own_end);
    assert_int_equal(own_end - own, other_end - other);
    assert_memory_equal(own, other, (size_t)(own_end - own));
    free(own);
    free(other);
    kit_free(&run);
    kit_free(&html);
}

static void shards_of_a_run_are_merged_and_an_overlap_is_refused(void **state)
{
    (void)state;
    char one[4200], two[4200];
    kit_run first = kit_check("behaviours", "--case=keeps_*", NULL);
    char *real = realpath(kit_path("out/latest"), NULL);
    snprintf(one, sizeof one, "%s", real);
    free(real);
    kit_run second = kit_check("behaviours", "--case=fails", NULL);
    snprintf(two, sizeof two, "%s", kit_record());
    kit_run both = kit_command("report", one, two, "--format=tap", NULL);
    tap_document document = tap_read(both.output);
    assert_int_equal(both.status, 0);
    assert_int_equal(document.count, 2);
    kit_run twice = kit_command("report", one, two, one, NULL);
    assert_int_equal(twice.status, 3);
    assert_non_null(strstr(twice.output, "overlap: engine behaviours, case keeps_its_promise"));
    tap_free(&document);
    kit_free(&first);
    kit_free(&second);
    kit_free(&both);
    kit_free(&twice);
}

static void records_of_other_seeds_are_refused(void **state)
{
    (void)state;
    kit_run first = kit_check("behaviours", "--case=keeps_*", NULL);
    char *one = realpath(kit_path("out/latest"), NULL);
    kit_run second = kit_check("behaviours", "--case=fails", "--seed=5", NULL);
    kit_run both = kit_command("report", one, kit_record(), NULL);
    assert_int_equal(both.status, 3);
    assert_non_null(strstr(both.output, "seed is 4711 in the first and 5 in the second"));
    free(one);
    kit_free(&first);
    kit_free(&second);
    kit_free(&both);
}

static void brief_prints_the_table_of_a_front_page(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--case=keeps_*", NULL);
    kit_run brief = kit_command("report", kit_record(), "--format=markdown", "--brief", NULL);
    assert_int_equal(brief.status, 0);
    assert_int_equal(strncmp(brief.output, "| Promises held", 15), 0);
    assert_non_null(strstr(brief.output, "| DB_ENV->backup | "));
    assert_non_null(strstr(brief.output, "| **Gate** | passed |"));
    kit_free(&run);
    kit_free(&brief);
}

static void departures_of_an_engine_need_its_name_and_markdown(void **state)
{
    (void)state;
    kit_expect("behaviours", "fails | FAIL | 1.0 | known\n");
    kit_run run = kit_check("behaviours", "--case=fails", NULL);
    char output[4200];
    snprintf(output, sizeof output, "--output=%s", kit_path("input"));
    kit_run table =
        kit_command("report", kit_record(), "--format=markdown", "--departures=behaviours", NULL);
    assert_int_equal(table.status, 0);
    assert_non_null(
        strstr(table.output, "| MUST, documented | known | `conformance/run --engine "));
    assert_non_null(strstr(table.output, "behaviours.so --case fails` |\n"));
    kit_input("as it was");
    kit_run unknown = kit_command(
        "report", kit_record(), "--format=markdown", "--departures=libdbb", output, NULL);
    assert_int_equal(unknown.status, 2);
    assert_non_null(
        strstr(unknown.output, "no engine is called libdbb; its engines: behaviours\n"));
    char *kept = hp_read_tail(kit_path("input"), 64);
    assert_string_equal(kept, "as it was");
    kit_run html = kit_command("report", kit_record(), "--departures=behaviours", NULL);
    assert_int_equal(html.status, 2);
    kit_run brief = kit_command(
        "report", kit_record(), "--format=markdown", "--brief", "--departures=behaviours", NULL);
    assert_int_equal(brief.status, 2);
    free(kept);
    kit_free(&run);
    kit_free(&table);
    kit_free(&unknown);
    kit_free(&html);
    kit_free(&brief);
}

static void strict_can_be_asked_of_the_run_or_of_the_report(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--case=keeps_*", NULL);
    assert_null(strstr(run.output, "strictly"));
    assert_true(json_is_false(json_object_get(run.header, "strict")));
    kit_run later = kit_command("report", kit_record(), "--strict", NULL);
    assert_non_null(strstr(later.output, "strictly conformant except for what did not run"));
    kit_run strict = kit_check("behaviours", "--case=keeps_*", "--strict", NULL);
    assert_int_equal(strict.status, 0);
    assert_non_null(strstr(strict.output, "strictly conformant except for what did not run"));
    assert_true(json_is_true(json_object_get(strict.header, "strict")));
    kit_free(&run);
    kit_free(&later);
    kit_free(&strict);
}

static void wrong_uses_end_with_status_2(void **state)
{
    (void)state;
    static const char *const wrong[] = {"--format=pdf", "--brief", "--bogus"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        kit_run run = kit_command("report", "record.ndjson", wrong[i], NULL);
        assert_int_equal(run.status, 2);
        kit_free(&run);
    }
    kit_run none = kit_command("report", NULL);
    assert_int_equal(none.status, 2);
    kit_free(&none);
}

static void what_cannot_be_read_or_written_ends_with_status_3(void **state)
{
    (void)state;
    kit_run missing = kit_command("report", "/no/such/record", NULL);
    assert_int_equal(missing.status, 3);
    assert_non_null(strstr(missing.output, "/no/such/record: No such file"));
    kit_run run = kit_check("behaviours", "--case=keeps_*", NULL);
    static const char *const formats[] = {"--format=terminal", "--format=html", "--format=tap",
        "--format=junit", "--format=markdown"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        kit_run full = kit_command("report", kit_record(), formats[i], "--output=/dev/full", NULL);
        assert_int_equal(full.status, 3);
        kit_free(&full);
    }
    kit_run nowhere = kit_command("report", kit_record(), "--output=/no/such/file", NULL);
    assert_int_equal(nowhere.status, 3);
    kit_free(&missing);
    kit_free(&run);
    kit_free(&nowhere);
}

#define KIT_TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

static const struct CMUnitTest tests[] = {
    KIT_TEST(every_format_renders_a_run_of_every_result),
    KIT_TEST(a_harness_passes_exactly_what_the_gate_passes),
    KIT_TEST(a_report_can_go_to_a_file_and_a_record_be_named_by_its_directory),
    KIT_TEST(shards_of_a_run_are_merged_and_an_overlap_is_refused),
    KIT_TEST(records_of_other_seeds_are_refused),
    KIT_TEST(brief_prints_the_table_of_a_front_page),
    KIT_TEST(departures_of_an_engine_need_its_name_and_markdown),
    KIT_TEST(strict_can_be_asked_of_the_run_or_of_the_report),
    KIT_TEST(wrong_uses_end_with_status_2),
    KIT_TEST(what_cannot_be_read_or_written_ends_with_status_3),
};
TEST_MAIN(tests)
