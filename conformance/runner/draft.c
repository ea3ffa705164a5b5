/* The command `hotproof expect`: see draft.h. */
#include "draft.h"

#include "../report/model.h"
#include "arguments.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

static error_t parse(int key, char *argument, struct argp_state *state)
{
    const char **record = state->input;
    switch (key) {
    case 'd':
        *record = argument;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", argument);
        return 0;
    case ARGP_KEY_END:
        if (*record == NULL) {
            argp_error(state, "what? --draft RECORD");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option switches[] = {
    {"draft", 'd', "RECORD", 0,
        "Print a line for every surprise in this record (a file, or the directory of a run). The "
        "reasons are empty: a file with an empty reason is refused, so write them",
        0},
    {0},
};

static const char text[] = "Drafts lines for the expectation files, one group per engine."
                           "\v" HP_STATUS_HELP("printed, whether or not there are surprises");

/* Each line of `text` as a comment. */
static void print_comment(const char *comment)
{
    while (*comment != '\0') {
        int length = (int)strcspn(comment, "\n");
        printf("# %.*s\n", length, comment);
        comment += length + (comment[length] == '\n');
    }
}

/* The raw results of a case, over all its repetitions, as bits. */
static unsigned raw_results(const hp_model *model, const char *engine, const char *name)
{
    unsigned results = 0;
    size_t i;
    const json_t *result;
    json_array_foreach(model->results, i, result)
    {
        if (strcmp(hp_json_get(result, "engine"), engine) == 0 &&
            strcmp(hp_json_get(result, "case"), name) == 0) {
            const char *raw = hp_json_get(result, "raw");
            hp_result what = hp_result_parse(raw, strlen(raw));
            results |= what < HP_RESULT_COUNT ? 1u << what : 0;
        }
    }
    return results;
}

/* What an expectation file calls these results: "FAIL", or "unstable FAIL, PASS". The caller frees
 * it. */
static char *results_text(unsigned results)
{
    bool several = (results & (results - 1)) != 0;
    char *list = hp_format("%s", several ? "unstable " : "");
    for (int i = 0, shown = 0; i < HP_RESULT_COUNT; i++) {
        if ((results & 1u << i) != 0) {
            char *longer =
                hp_format("%s%s%s", list, shown++ > 0 ? ", " : "", hp_result_name((hp_result)i));
            free(list);
            list = longer;
        }
    }
    return list;
}

static void print_line(
    const hp_model *model, const hp_engine_report *engine, const json_t *result, unsigned results)
{
    const char *name = hp_json_get(result, "case");
    const json_t *departure = json_object_get(result, "departure");
    char *list = results_text(results);
    const hp_clause_entry *clause = hp_model_clause(model, result);
    if (departure != NULL) {
        printf("# In place of line %" JSON_INTEGER_FORMAT ", which says otherwise:\n",
            json_integer_value(json_object_get(departure, "line")));
    }
    /* What the file's format gives a meaning cannot be part of a name in it. */
    if (strpbrk(name, "|\n") != NULL || name[0] == '#' || name[0] == ' ' || name[0] == '\0') {
        print_comment("No line can name this case: rename it.");
    } else {
        printf("%s | %s | %s | | %s\n", name, list,
            engine->version[0] != '\0' ? engine->version : hp_json_get(model->header, "started"),
            clause != NULL ? clause->page : "");
    }
    free(list);
}

static void print_surprise(
    const hp_model *model, const hp_engine_report *engine, const json_t *result)
{
    unsigned coverable = 1u << HP_RESULT_FAIL | 1u << HP_RESULT_CRASH | 1u << HP_RESULT_TIMEOUT;
    const char *name = hp_json_get(result, "case"), *where = hp_json_get(result, "where");
    hp_result what = hp_model_result(result);
    unsigned results = raw_results(model, engine->name, name) & (coverable | 1u << HP_RESULT_PASS);
    char *reason = hp_model_reason(result);
    char *head = hp_format("%s %s: %s%s%s", hp_result_name(what), name, reason,
        where[0] != '\0' ? "\nat " : "", where);
    printf("\n");
    print_comment(head);
    if ((results & coverable) != 0) {
        print_line(model, engine, result, results);
    } else if (what == HP_RESULT_XPASS) {
        printf("# Strike line %" JSON_INTEGER_FORMAT ".\n",
            json_integer_value(json_object_get(json_object_get(result, "departure"), "line")));
    } else {
        print_comment("No line can cover this: the case or the kit has to be mended.");
    }
    free(head);
    free(reason);
}

static void print_engine(const hp_model *model, const hp_engine_report *engine)
{
    const char *file = hp_json_get(engine->about, "expect");
    size_t i;
    const json_t *line;
    if (engine->surprises == 0) {
        printf("# %s %s: no surprises\n", engine->name, engine->version);
        return;
    }
    printf("# %s %s: for %s%s\n", engine->name, engine->version,
        file[0] != '\0' ? file : "no file: the engine's module names none",
        file[0] != '\0' ? ".expect" : "");
    json_array_foreach(model->results, i, line)
    {
        const char *name = hp_json_get(line, "case");
        if (strcmp(hp_json_get(line, "engine"), engine->name) == 0 &&
            hp_result_is_surprise(hp_model_result(line)) &&
            hp_model_find(model, engine->name, name) == line) {
            print_surprise(model, engine, line);
        }
    }
    json_array_foreach(model->stale, i, line)
    {
        if (strcmp(hp_json_get(line, "engine"), engine->name) == 0) {
            char *advice =
                hp_format("Strike line %" JSON_INTEGER_FORMAT " of %s: no case is called %s",
                    json_integer_value(json_object_get(line, "line")), hp_json_get(line, "file"),
                    hp_json_get(line, "case"));
            printf("\n");
            print_comment(advice);
            free(advice);
        }
    }
}

int hp_expect_command(int argc, char **argv)
{
    static const struct argp parser = {.options = switches, .parser = parse, .doc = text};
    const char *record = NULL;
    hp_model model;
    hp_error error;
    hp_arguments_parse(&parser, argc, argv, &record);
    if (hp_model_load(record, &model, &error) != 0) {
        fprintf(stderr, "hotproof expect: %s\n", error.text);
        return HP_EXIT_KIT_FAILED;
    }
    for (size_t i = 0; i < model.engine_count; i++) {
        printf("%s", i > 0 ? "\n" : "");
        print_engine(&model, &model.engines[i]);
    }
    hp_model_free(&model);
    return HP_EXIT_EXPECTED;
}
