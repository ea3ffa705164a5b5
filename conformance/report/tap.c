/* The report as TAP 14: see tap.h. */
#include "tap.h"

#include <stdlib.h>
#include <string.h>

/* Text of a test line: in one line, with # and \ escaped so that it is no directive. */
static void put_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '#' || *text == '\\') {
            putc('\\', out);
        }
        putc(*text == '\n' || *text == '\t' ? ' ' : *text, out);
    }
}

static void put_point(FILE *out, bool ok, size_t number, const char *description)
{
    fprintf(out, "%s %zu - ", ok ? "ok" : "not ok", number);
    put_text(out, description);
}

static void put_directive(FILE *out, const char *word, const char *reason)
{
    fprintf(out, " # %s ", word);
    put_text(out, reason);
}

/* A YAML string in double quotes: JSON's are, as long as nothing is beyond what JSON texts of the
 * record hold. */
static void put_quoted(FILE *out, const char *text)
{
    json_t *value = json_string(text);
    json_dumpf(value, out, JSON_ENCODE_ANY);
    json_decref(value);
}

/* A literal block, which people can read; trailing line breaks are dropped. Blank lines are padded,
 * for parsers that take a lesser indentation for the end. */
static void put_block(FILE *out, const char *text)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n') {
        length--;
    }
    fputs("|\n    ", out);
    for (size_t i = 0; i < length; i++) {
        putc(text[i], out);
        if (text[i] == '\n') {
            fputs("    ", out);
        }
    }
    putc('\n', out);
}

static void put_string(FILE *out, const char *key, const char *text)
{
    if (text[0] == '\0') {
        return;
    }
    fprintf(out, "  %s: ", key);
    /* The first line of a block sets its indentation, so it may not begin with a blank. */
    if (strchr(text, '\n') != NULL && strchr(" \t\n", text[0]) == NULL) {
        put_block(out, text);
    } else {
        put_quoted(out, text);
        putc('\n', out);
    }
}

static void put_member(FILE *out, const json_t *object, const char *key)
{
    put_string(out, key, hp_json_get(object, key));
}

static void put_clauses(FILE *out, const json_t *clauses)
{
    size_t i;
    const json_t *id;
    if (json_array_size(clauses) > 0) {
        fputs("  clauses:\n", out);
    }
    json_array_foreach(clauses, i, id)
    {
        fputs("    - ", out);
        put_quoted(out, json_is_string(id) ? json_string_value(id) : "");
        putc('\n', out);
    }
}

static void put_diagnostics(FILE *out, const json_t *result)
{
    const json_t *departure = json_object_get(result, "departure");
    char *reason = hp_model_reason(result);
    fputs("  ---\n", out);
    put_string(out, "message", reason);
    put_member(out, result, "result");
    put_member(out, result, "raw");
    put_member(out, result, "engine");
    put_member(out, result, "case");
    fprintf(out, "  repetition: %" JSON_INTEGER_FORMAT "\n",
        json_integer_value(json_object_get(result, "repetition")));
    fprintf(out, "  duration_ms: %.0f\n",
        json_number_value(json_object_get(result, "duration_s")) * 1000);
    put_member(out, result, "where");
    put_clauses(out, json_object_get(result, "clauses"));
    put_string(out, "asserting", hp_json_get(result, "blame"));
    put_member(out, departure, "since");
    put_member(out, departure, "reference");
    put_member(out, result, "reproduce");
    put_string(out, "log_file", hp_json_get(result, "log"));
    put_string(out, "log", hp_json_get(result, "log_tail"));
    fputs("  ...\n", out);
    free(reason);
}

static char *title_of(const json_t *result)
{
    json_int_t repetition = json_integer_value(json_object_get(result, "repetition"));
    char *title = hp_format("%s: %s", hp_json_get(result, "engine"), hp_json_get(result, "case"));
    if (repetition > 1) {
        char *longer = hp_format("%s (repetition %" JSON_INTEGER_FORMAT ")", title, repetition);
        free(title);
        title = longer;
    }
    return title;
}

static void put_result(FILE *out, size_t number, const json_t *result)
{
    hp_result what = hp_model_result(result);
    bool skipped = what == HP_RESULT_UNSUPPORTED || what == HP_RESULT_UNRESOLVED;
    char *title = title_of(result);
    char *reason = hp_model_reason(result);
    put_point(out, what == HP_RESULT_PASS || skipped, number, title);
    if (what == HP_RESULT_XFAIL) {
        put_directive(out, "TODO", hp_json_get(json_object_get(result, "departure"), "reason"));
    } else if (skipped) {
        fprintf(out, " # SKIP %s: ", hp_result_name(what));
        put_text(out, reason);
    }
    putc('\n', out);
    if (what != HP_RESULT_PASS) {
        put_diagnostics(out, result);
    }
    free(title);
    free(reason);
}

static void put_stale(FILE *out, size_t number, const json_t *line)
{
    char *title =
        hp_format("%s: the expectations name no case that is gone", hp_json_get(line, "engine"));
    char *message =
        hp_format("%s:%" JSON_INTEGER_FORMAT ": there is no case %s", hp_json_get(line, "file"),
            json_integer_value(json_object_get(line, "line")), hp_json_get(line, "case"));
    put_point(out, false, number, title);
    fputs("\n  ---\n", out);
    put_string(out, "message", message);
    put_string(out, "result", "STALE");
    fputs("  ...\n", out);
    free(title);
    free(message);
}

/* Points to expect: what was planned when the run began, or more if the record has more. */
static size_t plan_of(const hp_model *model)
{
    json_int_t planned = json_integer_value(json_object_get(model->header, "planned"));
    size_t results = json_array_size(model->results);
    size_t most = planned > (json_int_t)results ? (size_t)planned : results;
    /* A run may end early by choice (--fail-fast); one that was cut short leaves its plan open. */
    return (model->complete ? results : most) + json_array_size(model->stale);
}

int hp_tap_write(const hp_model *model, FILE *out, hp_error *error)
{
    (void)error;
    size_t plan = plan_of(model), number = 0, i;
    const json_t *line;
    fprintf(out, "TAP version 14\n1..%zu%s\n", plan, plan == 0 ? " # SKIP nothing ran" : "");
    for (size_t e = 0; e < model->engine_count; e++) {
        const hp_engine_report *engine = &model->engines[e];
        char *held = hp_model_held(engine);
        char *verdict = hp_format("%s %s: %s; %s; %s", engine->name, engine->version,
            hp_model_gate(engine), hp_model_verdict(model, engine), held);
        fputs("# ", out);
        put_text(out, verdict);
        putc('\n', out);
        free(held);
        free(verdict);
    }
    json_array_foreach(model->results, i, line)
    {
        put_result(out, ++number, line);
    }
    json_array_foreach(model->stale, i, line)
    {
        put_stale(out, ++number, line);
    }
    if (!model->complete) {
        fputs("Bail out! The run was cut short: what is missing did not run.\n", out);
    }
    return 0;
}
