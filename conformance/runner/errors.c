/* The documented errors and the command that prints them: see clauses.h. */
#include "clauses.h"

#include "../report/model.h"
#include "engine.h"
#include "options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct error_row {
    const char *function, *error;
    hp_clause_id clause;
} error_row;

static const error_row rows[] = {
#define HP_ERROR(function, error, clause) {function, error, HP_##clause},
#include "../clauses/errors.def"
#undef HP_ERROR
};

/* Shown if no other record is named: what the last run from this directory left. */
static const char last_record[] = "hotproof-out/latest/record.ndjson";

static void print_results(const hp_model *model, const char *name)
{
    for (size_t e = 0; e < model->engine_count; e++) {
        const json_t *result = hp_model_find(model, model->engines[e].name, name);
        if (result != NULL) {
            printf("  %s %s", model->engines[e].name, hp_json_get(result, "result"));
        }
    }
}

static void print_row(const error_row *row, char *const *cases, size_t count, const hp_model *model)
{
    printf("%-30s %-18s %s\n", row->function, row->error, hp_clause_text(row->clause)->id);
    for (size_t i = 0; i < count; i++) {
        printf("    %s", cases[i]);
        if (model != NULL) {
            print_results(model, cases[i]);
        }
        printf("\n");
    }
}

static int visit_rows(
    const hp_clauses_options *options, const hp_engine_list *engines, const hp_model *model)
{
    int without = 0;
    size_t visited = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const hp_clause_row *clause = hp_clause_text(rows[i].clause);
        size_t count;
        if (!hp_matches(rows[i].function, options->clauses.items, options->clauses.count) ||
            !hp_matches(clause->profile, options->profiles.items, options->profiles.count)) {
            continue;
        }
        visited++;
        char **cases = hp_cases_of_clause(engines, clause->id, &count);
        if (!options->check) {
            print_row(&rows[i], cases, count, model);
        } else if (count == 0) {
            printf("%s %s: no case produces it\n", rows[i].function, rows[i].error);
            without++;
        }
        hp_names_free(cases, count);
    }
    if (options->check && without == 0) {
        printf("%zu documented errors, each with a case\n", visited);
    }
    return without;
}

int hp_errors_command(int argc, char **argv)
{
    hp_clauses_options options;
    hp_engine_list engines;
    hp_model model;
    hp_error error;
    int status = 3;
    hp_errors_options_parse(argc, argv, &options);
    if (options.record == NULL && !options.check && access(last_record, R_OK) == 0) {
        options.record = last_record;
    }
    if (hp_engine_list_load(&options.engines, &engines, &error) != 0) {
        fprintf(stderr, "hotproof errors: %s\n", error.text);
    } else if (options.check && engines.count == 0) {
        fprintf(
            stderr, "hotproof errors: no engine module is built, so there is no case to check\n");
    } else if (options.record == NULL) {
        status = visit_rows(&options, &engines, NULL) != 0 ? 1 : 0;
    } else if (hp_model_load(options.record, &model, &error) != 0) {
        fprintf(stderr, "hotproof errors: %s\n", error.text);
    } else {
        status = visit_rows(&options, &engines, &model) != 0 ? 1 : 0;
        hp_model_free(&model);
    }
    hp_engine_list_free(&engines);
    hp_clauses_options_free(&options);
    return status;
}
