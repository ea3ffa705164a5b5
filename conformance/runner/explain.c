/* The command `hotproof explain`: see clauses.h. */
#include "clauses.h"

#include "../report/colour.h"
#include "../report/model.h"
#include "../report/wrap.h"
#include "check.h"
#include "engine.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct options {
    hp_strings clauses, engines;
    const char *out, *record; /* record NULL: the newest below out */
} options;

enum { KEY_RECORD = 256 };

static error_t parse(int key, char *argument, struct argp_state *state)
{
    options *o = state->input;
    switch (key) {
    case 'e':
        hp_strings_add(&o->engines, argument);
        return 0;
    case 'o':
        o->out = argument;
        return 0;
    case KEY_RECORD:
        o->record = argument;
        return 0;
    case ARGP_KEY_ARG:
        hp_strings_add(&o->clauses, argument);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which clause? `hotproof clauses` lists them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option switches[] = {
    {"engine", 'e', "NAME|FILE", 0,
        "Take the cases from this engine's module. Repeatable. Default: all that are installed", 0},
    {"out", 'o', "DIR", 0,
        "Show the results of the newest record in this directory that ran a case of the clause "
        "(default: hotproof-out)",
        0},
    {"record", KEY_RECORD, "FILE", 0, "Show the results of this record instead", 0},
    {0},
};

static const char text[] =
    "Explains a promise: its sentence, how binding it is, where the documentation says it, the "
    "cases that assert it and what became of them the last time."
    "\v" HP_STATUS_HELP("explained") " An unknown clause is 2.";

/* Looks whether all clauses exist, and helps if one does not. Returns an exit status. */
static int check_names(const hp_strings *clauses)
{
    for (size_t i = 0; i < clauses->count; i++) {
        const char *id = clauses->items[i];
        if (hp_clause_find(id) != HP_CLAUSE_COUNT) {
            continue;
        }
        fprintf(stderr, "hotproof explain: no clause is called %s; `hotproof clauses` lists them\n",
            id);
        for (int k = 0; k < HP_CLAUSE_COUNT; k++) {
            const char *other = hp_clause_text((hp_clause_id)k)->id;
            if (id[0] != '\0' && strcasestr(other, id) != NULL) {
                fprintf(stderr, "    %s?\n", other);
            }
        }
        return HP_EXIT_USAGE;
    }
    return HP_EXIT_EXPECTED;
}

static bool ran_one_of(const hp_model *model, char *const *cases, size_t count)
{
    for (size_t e = 0; e < model->engine_count; e++) {
        for (size_t i = 0; i < count; i++) {
            if (hp_model_find(model, model->engines[e].name, cases[i]) != NULL) {
                return true;
            }
        }
    }
    return false;
}

/* The directory of a run has the time in its name; `latest` is another name for one of them. */
static int is_run(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strcmp(entry->d_name, "latest") != 0;
}

/* Loads the newest record below `out` that ran one of the cases. Returns whether there is one. */
static bool load_newest(const char *out, char *const *cases, size_t count, hp_model *model)
{
    struct dirent **entries;
    int found = scandir(out, &entries, is_run, versionsort);
    bool loaded = false;
    for (int i = found - 1; i >= 0; i--) {
        hp_error error;
        struct stat about;
        char *path = hp_format("%s/%s/record.ndjson", out, entries[i]->d_name);
        if (!loaded && stat(path, &about) == 0) {
            if (hp_model_load(path, model, &error) != 0) {
                fprintf(stderr, "hotproof explain: passed over: %s\n", error.text);
            } else if (!(loaded = ran_one_of(model, cases, count))) {
                hp_model_free(model);
            }
        }
        free(path);
        free(entries[i]);
    }
    if (found >= 0) {
        free(entries);
    }
    return loaded;
}

static const char *colour_of(const hp_colours *colours, hp_result what)
{
    return hp_result_is_surprise(what) ? colours->red
           : what == HP_RESULT_PASS    ? colours->green
                                       : colours->yellow;
}

static void print_result(const hp_engine_report *engine, const json_t *result)
{
    hp_colours colours = hp_colours_for(stdout);
    if (result == NULL) {
        printf("        %-10s did not run\n", engine->name);
        return;
    }
    hp_result what = hp_model_result(result);
    printf("        %-10s %s%s%s", engine->name, colour_of(&colours, what),
        hp_json_get(result, "result"), colours.plain);
    if (what == HP_RESULT_PASS) {
        printf("\n");
        return;
    }
    char *reason = hp_model_reason(result);
    const char *expected = hp_json_get(json_object_get(result, "departure"), "reason");
    printf("\n            ");
    hp_wrap(stdout, reason, 12);
    if (what == HP_RESULT_XFAIL) {
        printf("            expected: ");
        hp_wrap(stdout, expected, 12);
    }
    if (hp_json_get(result, "where")[0] != '\0') {
        printf("            at %s\n", hp_json_get(result, "where"));
    }
    printf("            reproduce: %s\n", hp_json_get(result, "reproduce"));
    free(reason);
}

static bool has_case(const hp_engine_report *engine, const char *name)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(engine->about, "cases"), i, one)
    {
        if (strcmp(hp_json_get(one, "name"), name) == 0) {
            return true;
        }
    }
    return false;
}

/* Where the case stands, from the first engine that has it; and its results. */
static void print_case(const hp_engine_list *engines, const char *name, const hp_model *model)
{
    const hp_known_case *one = NULL;
    for (size_t i = 0; one == NULL && i < engines->count; i++) {
        one = hp_engine_find(&engines->items[i], name);
    }
    printf("    %s\n        %s:%d\n", name, one->file, one->line);
    for (size_t e = 0; model != NULL && e < model->engine_count; e++) {
        const hp_engine_report *engine = &model->engines[e];
        if (has_case(engine, name)) {
            print_result(engine, hp_model_find(model, engine->name, name));
        }
    }
}

static void print_states(const hp_model *model, const char *id)
{
    for (size_t i = 0; i < model->clause_count; i++) {
        for (size_t e = 0; e < model->engine_count && strcmp(model->clauses[i].id, id) == 0; e++) {
            const hp_engine_report *engine = &model->engines[e];
            if (engine->states[i] != HP_STATE_FOREIGN) {
                printf("%s%s %s: %s", e == 0 ? "    " : "; ", engine->name, engine->version,
                    hp_model_state_name(engine->states[i]));
            }
        }
    }
    printf("\n    in %s, of %s\n", model->path, hp_json_get(model->header, "started"));
}

/* Returns an exit status. */
static int explain(const options *o, const hp_engine_list *engines, const char *id)
{
    hp_colours colours = hp_colours_for(stdout);
    const hp_clause_row *row = hp_clause_text(hp_clause_find(id));
    hp_model model;
    hp_error error;
    size_t count;
    char **cases = hp_cases_of_clause(engines, id, &count);
    bool have = false;
    if (o->record != NULL && hp_model_load(o->record, &model, &error) != 0) {
        fprintf(stderr, "hotproof explain: %s\n", error.text);
        hp_names_free(cases, count);
        return HP_EXIT_KIT_FAILED;
    }
    have = o->record != NULL || load_newest(o->out, cases, count, &model);
    printf("%s%s%s\n    ", colours.bold, row->id, colours.plain);
    hp_wrap(stdout, row->sentence, 4);
    printf("    %s, %s: %s, %s\n", hp_level_name(row->level), hp_source_name(row->source),
        row->page, row->section);
    printf("\n%sCases%s\n", colours.bold, colours.plain);
    for (size_t i = 0; i < count; i++) {
        print_case(engines, cases[i], have ? &model : NULL);
    }
    if (count == 0) {
        printf("    none in the engines that are installed\n");
    }
    printf("\n%sLast results%s\n", colours.bold, colours.plain);
    if (have) {
        print_states(&model, id);
        hp_model_free(&model);
    } else {
        printf("    none: no record in %s ran one of the cases\n", o->out);
    }
    hp_names_free(cases, count);
    return HP_EXIT_EXPECTED;
}

int hp_explain_command(int argc, char **argv)
{
    static const struct argp parser = {
        .options = switches, .parser = parse, .args_doc = "CLAUSE...", .doc = text};
    options o = {.out = "hotproof-out"};
    hp_engine_list engines;
    hp_error error;
    hp_arguments_parse(&parser, argc, argv, &o);
    int status = check_names(&o.clauses);
    if (status == HP_EXIT_EXPECTED) {
        int loaded = hp_engine_list_load(&o.engines, &engines, &error);
        if (loaded != 0) {
            fprintf(stderr, "hotproof explain: %s\n", error.text);
            status = loaded == HP_NO_SUCH_ENGINE ? HP_EXIT_USAGE : HP_EXIT_KIT_FAILED;
        }
        for (size_t i = 0; i < o.clauses.count && status == HP_EXIT_EXPECTED; i++) {
            printf("%s", i > 0 ? "\n" : "");
            status = explain(&o, &engines, o.clauses.items[i]);
        }
        hp_engine_list_free(&engines);
    }
    hp_strings_free(&o.clauses);
    hp_strings_free(&o.engines);
    return status;
}
