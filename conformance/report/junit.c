/* The report as JUnit XML: see junit.h. */
#include "junit.h"

#include "xml.h"

#include <stdlib.h>
#include <string.h>

typedef struct counts {
    size_t tests, failures, errors, skipped;
    double time_s;
} counts;

/* What a result is to JUnit: the name of the element, or NULL for a pass. */
static const char *element_of(hp_result what)
{
    switch (what) {
    case HP_RESULT_PASS:
        return NULL;
    case HP_RESULT_XFAIL:
    case HP_RESULT_UNSUPPORTED:
    case HP_RESULT_UNRESOLVED:
        return "skipped";
    case HP_RESULT_ERROR:
        return "error";
    case HP_RESULT_FAIL:
    case HP_RESULT_XPASS:
    case HP_RESULT_CRASH:
    case HP_RESULT_TIMEOUT:
    case HP_RESULT_VACUOUS:
    case HP_RESULT_COUNT:
        break;
    }
    return "failure";
}

static void add(counts *sum, const counts *more)
{
    sum->tests += more->tests;
    sum->failures += more->failures;
    sum->errors += more->errors;
    sum->skipped += more->skipped;
    sum->time_s += more->time_s;
}

static counts count(const hp_model *model, const hp_engine_report *engine)
{
    counts sum = {.tests = engine->stale, .failures = engine->stale};
    size_t i;
    const json_t *result;
    json_array_foreach(model->results, i, result)
    {
        if (strcmp(hp_json_get(result, "engine"), engine->name) == 0) {
            const char *element = element_of(hp_model_result(result));
            sum.tests++;
            sum.skipped += element != NULL && strcmp(element, "skipped") == 0;
            sum.failures += element != NULL && strcmp(element, "failure") == 0;
            sum.errors += element != NULL && strcmp(element, "error") == 0;
            sum.time_s += json_number_value(json_object_get(result, "duration_s"));
        }
    }
    return sum;
}

static void attribute(xmlTextWriterPtr w, const char *name, const char *text)
{
    xmlTextWriterWriteAttribute(w, x(name), x(text));
}

static void write_counts(xmlTextWriterPtr w, const counts *sum)
{
    xmlTextWriterWriteFormatAttribute(w, x("tests"), "%zu", sum->tests);
    xmlTextWriterWriteFormatAttribute(w, x("failures"), "%zu", sum->failures);
    xmlTextWriterWriteFormatAttribute(w, x("errors"), "%zu", sum->errors);
    xmlTextWriterWriteFormatAttribute(w, x("skipped"), "%zu", sum->skipped);
    xmlTextWriterWriteFormatAttribute(w, x("time"), "%.3f", sum->time_s);
}

static void write_property(xmlTextWriterPtr w, const char *name, const char *value)
{
    xmlTextWriterStartElement(w, x("property"));
    attribute(w, "name", name);
    attribute(w, "value", value);
    xmlTextWriterEndElement(w);
}

static void write_member(xmlTextWriterPtr w, const json_t *object, const char *key)
{
    if (hp_json_get(object, key)[0] != '\0') {
        write_property(w, key, hp_json_get(object, key));
    }
}

static void write_case_properties(xmlTextWriterPtr w, const json_t *result)
{
    const json_t *departure = json_object_get(result, "departure");
    size_t i;
    const json_t *id;
    xmlTextWriterStartElement(w, x("properties"));
    json_array_foreach(json_object_get(result, "clauses"), i, id)
    {
        write_property(w, "clause", json_is_string(id) ? json_string_value(id) : "");
    }
    write_member(w, result, "result");
    write_member(w, result, "raw");
    write_member(w, departure, "since");
    write_member(w, departure, "reference");
    if (json_is_true(json_object_get(departure, "unstable"))) {
        write_property(w, "unstable", "true");
    }
    write_member(w, result, "reproduce");
    xmlTextWriterEndElement(w);
}

/* The element that says why the case did not pass. */
static void write_outcome(xmlTextWriterPtr w, const json_t *result)
{
    hp_result what = hp_model_result(result);
    const char *element = element_of(what);
    if (element == NULL) {
        return;
    }
    const char *expected = hp_json_get(json_object_get(result, "departure"), "reason");
    char *reason = hp_model_reason(result);
    const char *why = what == HP_RESULT_XFAIL ? expected : reason;
    char *message = hp_format("%s: %s", hp_result_name(what), why);
    xmlTextWriterStartElement(w, x(element));
    attribute(w, "message", strcmp(element, "skipped") == 0 ? message : why);
    if (strcmp(element, "skipped") != 0) {
        attribute(w, "type", hp_result_name(what));
        xmlTextWriterWriteString(w, x(reason));
        if (hp_json_get(result, "where")[0] != '\0') {
            char *where = hp_format("\nat %s", hp_json_get(result, "where"));
            xmlTextWriterWriteString(w, x(where));
            free(where);
        }
    }
    xmlTextWriterEndElement(w);
    free(reason);
    free(message);
}

static void write_case(xmlTextWriterPtr w, const hp_engine_report *engine, const json_t *result)
{
    json_int_t repetition = json_integer_value(json_object_get(result, "repetition"));
    const char *name = hp_json_get(result, "case");
    char *title = repetition > 1
                      ? hp_format("%s (repetition %" JSON_INTEGER_FORMAT ")", name, repetition)
                      : hp_format("%s", name);
    char *class = hp_format("%s.%s", engine->profile, engine->name);
    xmlTextWriterStartElement(w, x("testcase"));
    attribute(w, "name", title);
    attribute(w, "classname", class);
    xmlTextWriterWriteFormatAttribute(
        w, x("time"), "%.3f", json_number_value(json_object_get(result, "duration_s")));
    attribute(w, "file", hp_json_get(result, "source"));
    xmlTextWriterWriteFormatAttribute(w, x("line"), "%" JSON_INTEGER_FORMAT,
        json_integer_value(json_object_get(result, "source_line")));
    write_case_properties(w, result);
    write_outcome(w, result);
    if (hp_json_get(result, "log_tail")[0] != '\0') {
        xmlTextWriterWriteElement(w, x("system-out"), x(hp_json_get(result, "log_tail")));
    }
    xmlTextWriterEndElement(w);
    free(title);
    free(class);
}

/* A testcase that is no case: its one failure or error. */
static void write_remark(xmlTextWriterPtr w, const char *name, const char *class,
    const char *element, const char *type, const char *message)
{
    xmlTextWriterStartElement(w, x("testcase"));
    attribute(w, "name", name);
    attribute(w, "classname", class);
    attribute(w, "time", "0.000");
    xmlTextWriterStartElement(w, x(element));
    attribute(w, "message", message);
    attribute(w, "type", type);
    xmlTextWriterEndElement(w);
    xmlTextWriterEndElement(w);
}

static void write_stale(xmlTextWriterPtr w, const hp_engine_report *engine, const json_t *line)
{
    char *class = hp_format("%s.%s", engine->profile, engine->name);
    char *name = hp_format("expectation of %s", hp_json_get(line, "case"));
    char *message =
        hp_format("%s:%" JSON_INTEGER_FORMAT ": there is no case %s", hp_json_get(line, "file"),
            json_integer_value(json_object_get(line, "line")), hp_json_get(line, "case"));
    write_remark(w, name, class, "failure", "STALE", message);
    free(class);
    free(name);
    free(message);
}

static void write_suite(xmlTextWriterPtr w, const hp_model *model, const hp_engine_report *engine)
{
    counts sum = count(model, engine);
    size_t i;
    const json_t *line;
    xmlTextWriterStartElement(w, x("testsuite"));
    attribute(w, "name", engine->name);
    write_counts(w, &sum);
    attribute(w, "timestamp", hp_json_get(model->header, "started"));
    xmlTextWriterStartElement(w, x("properties"));
    write_property(w, "gate", hp_model_gate(engine));
    write_property(w, "conformance", hp_model_verdict(model, engine));
    write_member(w, engine->about, "profile");
    write_member(w, engine->about, "version");
    write_member(w, engine->about, "build");
    write_member(w, model->header, "hotproof");
    write_member(w, model->header, "revision");
    write_member(w, model->header, "isolation");
    char *seed =
        hp_format("%lld", (long long)json_integer_value(json_object_get(model->header, "seed")));
    write_property(w, "seed", seed);
    free(seed);
    xmlTextWriterEndElement(w);
    json_array_foreach(model->results, i, line)
    {
        if (strcmp(hp_json_get(line, "engine"), engine->name) == 0) {
            write_case(w, engine, line);
        }
    }
    json_array_foreach(model->stale, i, line)
    {
        if (strcmp(hp_json_get(line, "engine"), engine->name) == 0) {
            write_stale(w, engine, line);
        }
    }
    xmlTextWriterEndElement(w);
}

int hp_junit_write(const hp_model *model, FILE *out, hp_error *error)
{
    counts sum = {.tests = !model->complete, .errors = !model->complete};
    xmlTextWriterPtr w = hp_xml_open(out);
    xmlTextWriterSetIndent(w, 1);
    xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL);
    xmlTextWriterStartElement(w, x("testsuites"));
    attribute(w, "name", "hotproof");
    for (size_t e = 0; e < model->engine_count; e++) {
        counts one = count(model, &model->engines[e]);
        add(&sum, &one);
    }
    write_counts(w, &sum);
    for (size_t e = 0; e < model->engine_count; e++) {
        write_suite(w, model, &model->engines[e]);
    }
    if (!model->complete) {
        counts one = {.tests = 1, .errors = 1};
        xmlTextWriterStartElement(w, x("testsuite"));
        attribute(w, "name", "hotproof");
        write_counts(w, &one);
        write_remark(w, "the run came to its end", "hotproof", "error", "CUT_SHORT",
            "The run was cut short: what is missing here did not run.");
        xmlTextWriterEndElement(w);
    }
    return hp_xml_close(w, error);
}
