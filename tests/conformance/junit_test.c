/* JUnit XML, read back by libxml2. */
#include "fixture.h"
#include "report/junit.h"
#include "testmain.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

static xmlDocPtr document_of(const char *record)
{
    hp_model model = fixture_model(record);
    char *text = fixture_render(&model, hp_junit_write);
    xmlDocPtr document =
        xmlReadMemory(text, (int)strlen(text), "report.xml", NULL, XML_PARSE_NONET);
    assert_non_null(document);
    hp_model_free(&model);
    free(text);
    return document;
}

static bool is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static xmlNodePtr child(const xmlNode *parent, const char *name)
{
    for (xmlNodePtr node = parent->children; node != NULL; node = node->next) {
        if (is(node, name)) {
            return node;
        }
    }
    return NULL;
}

static void has(const xmlNode *node, const char *attribute, const char *value)
{
    xmlChar *text = xmlGetProp(node, (const xmlChar *)attribute);
    assert_non_null(text);
    assert_string_equal((const char *)text, value);
    xmlFree(text);
}

/* The testcase of the odd case whose name ends in `result`. */
static xmlNodePtr case_of(xmlDocPtr document, const char *result)
{
    char *name = hp_format("%s%s", FIXTURE_ODD_NAME, result);
    xmlNodePtr suite = child(xmlDocGetRootElement(document), "testsuite");
    xmlNodePtr found = NULL;
    for (xmlNodePtr node = suite->children; node != NULL; node = node->next) {
        xmlChar *text = xmlGetProp(node, (const xmlChar *)"name");
        if (is(node, "testcase") && strcmp((const char *)text, name) == 0) {
            found = node;
        }
        xmlFree(text);
    }
    assert_non_null(found);
    free(name);
    return found;
}

static void outcome_is(xmlDocPtr document, const char *result, const char *element)
{
    static const char *const all[] = {"skipped", "failure", "error"};
    xmlNodePtr node = case_of(document, result);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(child(node, all[i]) != NULL, strcmp(all[i], element) == 0);
    }
    if (strcmp(element, "failure") == 0 || strcmp(element, "error") == 0) {
        has(child(node, element), "type", result);
    }
}

static void an_expected_failure_is_skipped_and_an_unexpected_pass_fails(void **state)
{
    (void)state;
    xmlDocPtr document = document_of(fixture_odd_record());
    outcome_is(document, "PASS", "");
    outcome_is(document, "XFAIL", "skipped");
    outcome_is(document, "UNSUPPORTED", "skipped");
    outcome_is(document, "UNRESOLVED", "skipped");
    outcome_is(document, "FAIL", "failure");
    outcome_is(document, "XPASS", "failure");
    outcome_is(document, "CRASH", "failure");
    outcome_is(document, "TIMEOUT", "failure");
    outcome_is(document, "VACUOUS", "failure");
    outcome_is(document, "ERROR", "error");
    xmlFreeDoc(document);
}

static void the_counts_are_those_of_the_testcases(void **state)
{
    (void)state;
    xmlDocPtr document = document_of(fixture_odd_record());
    xmlNodePtr root = xmlDocGetRootElement(document);
    assert_true(is(root, "testsuites"));
    xmlNodePtr both[] = {root, child(root, "testsuite")};
    for (size_t i = 0; i < 2; i++) {
        has(both[i], "tests", "11");
        has(both[i], "failures", "6"); /* the stale line among them */
        has(both[i], "errors", "1");
        has(both[i], "skipped", "3");
        has(both[i], "time", "2.500");
    }
    has(both[1], "name", FIXTURE_ODD_ENGINE);
    has(both[1], "timestamp", "2024-01-02T03:04:05Z");
    xmlFreeDoc(document);
}

static void messages_come_back_as_they_were(void **state)
{
    (void)state;
    xmlDocPtr document = document_of(fixture_odd_record());
    has(child(case_of(document, "FAIL"), "failure"), "message", FIXTURE_ODD_MESSAGE);
    has(child(case_of(document, "XFAIL"), "skipped"), "message",
        "XFAIL: known # since \\ <ever> | & `so`");
    has(child(case_of(document, "UNSUPPORTED"), "skipped"), "message",
        "UNSUPPORTED: " FIXTURE_ODD_MESSAGE);
    xmlChar *text = xmlNodeGetContent(child(case_of(document, "FAIL"), "failure"));
    assert_string_equal((const char *)text, FIXTURE_ODD_MESSAGE "\nat dir <&>/file.c:12");
    xmlFree(text);
    xmlFreeDoc(document);
}

static void promises_are_properties_and_the_log_is_system_out(void **state)
{
    (void)state;
    xmlDocPtr document = document_of(fixture_odd_record());
    xmlNodePtr node = case_of(document, "XFAIL");
    xmlNodePtr clause = child(child(node, "properties"), "property");
    has(clause, "name", "clause");
    has(clause, "value", "A");
    has(node, "file", "dir <&>/file.c");
    has(node, "line", "10");
    has(node, "classname", "p." FIXTURE_ODD_ENGINE);
    has(node, "time", "0.250");
    xmlChar *log = xmlNodeGetContent(child(node, "system-out"));
    assert_string_equal(
        (const char *)log, "\n  an indented line\n\\xc2\\x9b31m and \\x01 ]]>\n\n```\n");
    xmlFree(log);
    xmlFreeDoc(document);
}

static void a_run_that_was_cut_short_is_an_error_of_its_own(void **state)
{
    (void)state;
    xmlDocPtr document = document_of(HEADER RESULT("a", "PASS"));
    xmlNodePtr root = xmlDocGetRootElement(document);
    has(root, "tests", "2");
    has(root, "errors", "1");
    xmlNodePtr last = root->last;
    while (!is(last, "testsuite")) {
        last = last->prev;
    }
    has(child(child(last, "testcase"), "error"), "type", "CUT_SHORT");
    xmlFreeDoc(document);
    document = document_of(HEADER RESULT("a", "PASS") FOOTER);
    has(xmlDocGetRootElement(document), "errors", "0");
    xmlFreeDoc(document);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_expected_failure_is_skipped_and_an_unexpected_pass_fails),
    cmocka_unit_test(the_counts_are_those_of_the_testcases),
    cmocka_unit_test(messages_come_back_as_they_were),
    cmocka_unit_test(promises_are_properties_and_the_log_is_system_out),
    cmocka_unit_test(a_run_that_was_cut_short_is_an_error_of_its_own),
};
TEST_MAIN(tests)
