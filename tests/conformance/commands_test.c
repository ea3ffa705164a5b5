/* The commands `hotproof explain` and `hotproof expect`. */
#include "fixture.h"
#include "harness.h"
#include "runner/expect.h"
#include "testmain.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *out_option(void)
{
    static char text[4200];
    snprintf(text, sizeof text, "--out=%s", kit_path("out"));
    return text;
}

static kit_run explained(const char *clause)
{
    return kit_command("explain", clause, kit_engine("behaviours"), out_option(), NULL);
}

static void explain_says_what_is_promised_where_and_by_which_cases(void **state)
{
    (void)state;
    kit_run run = explained("BDB_BACKUP_EXCL");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.output, "MUST, documented: DB_ENV->backup, Parameters: flags"));
    assert_non_null(strstr(run.output, "With DB_EXCL an existing target file"));
    assert_non_null(strstr(run.output, "    crashes\n        "));
    assert_non_null(strstr(run.output, "behaviours.c:"));
    assert_non_null(strstr(run.output, "none: no record in "));
    kit_free(&run);
}

static void explain_shows_the_newest_record_that_ran_a_case(void **state)
{
    (void)state;
    kit_expect("behaviours", "crashes | CRASH | 1.0 | it always did\n");
    kit_run first = kit_check("behaviours", "--case=fails", "--case=crashes", NULL);
    kit_run other = kit_check("behaviours", "--case=keeps_*", NULL);
    kit_run run = explained("BDB_BACKUP_EXCL");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.output, "behaviours XFAIL\n"));
    assert_non_null(strstr(run.output, "expected: it always did\n"));
    assert_non_null(strstr(run.output, "behaviours FAIL\n"));
    assert_non_null(strstr(run.output, "reproduce: hotproof check --engine "));
    assert_non_null(strstr(run.output, "did not run")); /* hangs */
    assert_non_null(strstr(run.output, "behaviours 1.0: not held\n"));
    kit_free(&first);
    kit_free(&other);
    kit_free(&run);
}

static void explain_takes_a_record_by_name(void **state)
{
    (void)state;
    char record[4200];
    kit_run first = kit_check("behaviours", "--case=keeps_*", NULL);
    snprintf(record, sizeof record, "--record=%s", kit_record());
    kit_run run = kit_command("explain", "BDB_BACKUP_EXCL", kit_engine("behaviours"), record, NULL);
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.output, "behaviours 1.0: not run\n"));
    kit_run missing = kit_command(
        "explain", "BDB_BACKUP_EXCL", kit_engine("behaviours"), "--record=/no/record", NULL);
    assert_int_equal(missing.status, 3);
    kit_free(&first);
    kit_free(&run);
    kit_free(&missing);
}

static void explain_passes_over_a_record_that_is_damaged(void **state)
{
    (void)state;
    kit_run first = kit_check("behaviours", "--case=fails", NULL);
    assert_int_equal(mkdir(kit_path("out/99991231T235959Z-1"), 0755), 0);
    assert_int_equal(mkdir(kit_path("out/not_a_run"), 0755), 0);
    FILE *file = fopen(kit_path("out/99991231T235959Z-1/record.ndjson"), "w");
    assert_non_null(file);
    fputs("rubbish\n", file);
    fclose(file);
    kit_run run = kit_command("explain", "BDB_BACKUP_EXCL", "BDB_BACKUP_CLEAN",
        kit_engine("behaviours"), out_option(), NULL);
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.output, "passed over: "));
    assert_non_null(strstr(run.output, "behaviours FAIL\n"));
    assert_non_null(strstr(run.output, "none: no record in ")); /* of the second */
    kit_free(&first);
    kit_free(&run);
}

static void explain_helps_with_a_name_that_is_no_clause(void **state)
{
    (void)state;
    kit_run run = explained("excl");
    assert_int_equal(run.status, 2);
    assert_non_null(strstr(run.output, "no clause is called excl"));
    assert_non_null(strstr(run.output, "    BDB_BACKUP_EXCL?\n"));
    kit_run none = kit_command("explain", NULL);
    assert_int_equal(none.status, 2);
    kit_free(&run);
    kit_free(&none);
}

static kit_run drafted(const char *record)
{
    char option[4200];
    snprintf(option, sizeof option, "--draft=%s", record);
    kit_run run = kit_command("expect", option, NULL);
    assert_int_equal(run.status, 0);
    return run;
}

static void a_draft_has_a_line_per_surprise_and_is_refused_until_it_has_reasons(void **state)
{
    (void)state;
    kit_run run = kit_check(
        "behaviours", "--case=fails", "--case=crashes", "--case=keeps_*", "--case=is_un*", NULL);
    assert_int_equal(run.status, 1);
    kit_run draft = drafted(kit_record());
    assert_non_null(strstr(draft.output, "# behaviours 1.0: for behaviours.expect\n"));
    assert_non_null(strstr(draft.output, "\nfails | FAIL | 1.0 | | DB_ENV->backup\n"));
    assert_non_null(strstr(draft.output, "\ncrashes | CRASH | 1.0 | | DB_ENV->backup\n"));
    assert_null(strstr(draft.output, "keeps_its_promise"));
    assert_null(strstr(draft.output, "is_unsupported"));
    kit_expect("behaviours", draft.output);
    kit_run refused = kit_check("behaviours", "--case=fails", NULL);
    assert_int_equal(refused.status, 3);
    assert_non_null(strstr(refused.output, "the reason is empty"));
    /* With reasons it is what makes the next run pass. */
    for (char *at = draft.output; (at = strstr(at, " | | ")) != NULL;) {
        memcpy(at, " |x| ", 5);
    }
    kit_expect("behaviours", draft.output);
    kit_run passed = kit_check("behaviours", "--case=fails", "--case=crashes", NULL);
    assert_int_equal(passed.status, 0);
    kit_free(&run);
    kit_free(&draft);
    kit_free(&refused);
    kit_free(&passed);
}

static void what_no_line_can_cover_is_said_in_comments(void **state)
{
    (void)state;
    kit_expect("behaviours", "keeps_its_promise | FAIL | 1.0 | once\n"
                             "crashes | FAIL | 1.0 | otherwise\n"
                             "gone | FAIL | 1.0 | no such case\n");
    kit_run run = kit_check("behaviours", "--case=keeps_*", "--case=always_*", "--case=skips_*",
        "--case=crashes", NULL);
    kit_run draft = drafted(kit_record());
    assert_non_null(strstr(draft.output, "\n# XPASS keeps_its_promise: "));
    assert_non_null(strstr(draft.output, "\n# Strike line 1.\n"));
    assert_non_null(
        strstr(draft.output, "\n# In place of line 2, which says otherwise:\ncrashes | CRASH | "));
    assert_non_null(strstr(draft.output, "# Strike line 3 of "));
    assert_non_null(strstr(draft.output, "\n# VACUOUS always_says_yes: "));
    assert_non_null(strstr(draft.output, "\n# ERROR skips_silently: "));
    assert_non_null(strstr(draft.output, "\n# No line can cover this"));
    kit_free(&run);
    kit_free(&draft);
}

/* Several results of one case are one line, and every line of a message is a comment. */
static void odd_records_make_a_draft_that_parses(void **state)
{
    (void)state;
    char *record = fixture_file(FIXTURE_HEADER(
        "", FIXTURE_ENGINE(
                "e", "1")) "{\"type\":\"result\",\"engine\":\"e\",\"case\":\"a\",\"result\":"
                           "\"FAIL\",\"raw\":\"FAIL\","
                           "\"message\":\"one\\nb | FAIL | 1 | sneaked in\",\"clauses\":[\"A\"]}\n"
                           "{\"type\":\"result\",\"engine\":\"e\",\"case\":\"a\",\"result\":"
                           "\"PASS\",\"raw\":\"PASS\"}\n"
                           "{\"type\":\"result\",\"engine\":\"e\",\"case\":\"a\",\"result\":"
                           "\"CRASH\",\"raw\":\"CRASH\"}\n"
                           "{\"type\":\"result\",\"engine\":\"e\",\"case\":\"b|c\\n#d\",\"result\":"
                           "\"FAIL\",\"raw\":"
                           "\"FAIL\"}\n" FOOTER);
    kit_run draft = drafted(record);
    assert_non_null(strstr(draft.output, "\na | unstable PASS, FAIL, CRASH | 1 | | one\n"));
    assert_non_null(strstr(draft.output, "\n# b | FAIL | 1 | sneaked in\n"));
    assert_non_null(strstr(draft.output, "\n# No line can name this case"));
    char *with_reason = strstr(draft.output, " | | ");
    memcpy(with_reason, " |x| ", 5);
    kit_expect("e", draft.output);
    hp_expectations expectations;
    hp_error error;
    assert_int_equal(hp_expectations_read(kit_path("expect/e.expect"), &expectations, &error), 0);
    assert_int_equal(expectations.count, 1);
    assert_true(expectations.items[0].unstable);
    hp_expectations_free(&expectations);
    kit_free(&draft);
    unlink(record);
    free(record);
}

static void a_good_record_needs_no_lines(void **state)
{
    (void)state;
    kit_run run = kit_check("behaviours", "--case=keeps_*", NULL);
    kit_run draft = drafted(kit_record());
    assert_string_equal(draft.output, "# behaviours 1.0: no surprises\n");
    kit_run missing = kit_command("expect", "--draft=/no/such/record", NULL);
    assert_int_equal(missing.status, 3);
    kit_run nothing = kit_command("expect", NULL);
    assert_int_equal(nothing.status, 2);
    kit_free(&run);
    kit_free(&draft);
    kit_free(&missing);
    kit_free(&nothing);
}

#define KIT_TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

static const struct CMUnitTest tests[] = {
    KIT_TEST(explain_says_what_is_promised_where_and_by_which_cases),
    KIT_TEST(explain_shows_the_newest_record_that_ran_a_case),
    KIT_TEST(explain_takes_a_record_by_name),
    KIT_TEST(explain_passes_over_a_record_that_is_damaged),
    KIT_TEST(explain_helps_with_a_name_that_is_no_clause),
    KIT_TEST(a_draft_has_a_line_per_surprise_and_is_refused_until_it_has_reasons),
    KIT_TEST(what_no_line_can_cover_is_said_in_comments),
    KIT_TEST(odd_records_make_a_draft_that_parses),
    KIT_TEST(a_good_record_needs_no_lines),
};
TEST_MAIN(tests)
