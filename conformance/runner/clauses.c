/* The tables of promises and the command that prints them: see clauses.h. */
#include "clauses.h"

#include "engine.h"
#include "options.h"
#include "text.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const hp_clause_row rows[] = {
#define HP_CLAUSE(id, level, source, page, section, sentence) \
    {#id, PROFILE, page, section, sentence, level, source},
#define PROFILE "berkeleydb"
#include "../clauses/berkeleydb.def"
#undef PROFILE
#define PROFILE "domino"
#include "../clauses/domino.def"
#undef PROFILE
#undef HP_CLAUSE
};

const hp_clause_row *hp_clause_text(hp_clause_id clause)
{
    return &rows[clause];
}

const char *hp_level_name(hp_level level)
{
    static const char *const names[] = {"MUST", "SHOULD", "MAY", "INFO"};
    return names[level];
}

const char *hp_source_name(hp_source source)
{
    return source == HP_DOCUMENTED ? "documented" : "inferred";
}

hp_clause_id hp_clause_find(const char *id)
{
    int i = 0;
    while (i < HP_CLAUSE_COUNT && strcmp(rows[i].id, id) != 0) {
        i++;
    }
    return (hp_clause_id)i;
}

json_t *hp_clauses_json(void)
{
    json_t *all = json_array();
    for (size_t i = 0; i < HP_CLAUSE_COUNT; i++) {
        json_t *row = json_object();
        json_object_set_new(row, "id", json_string(rows[i].id));
        json_object_set_new(row, "profile", json_string(rows[i].profile));
        json_object_set_new(row, "level", json_string(hp_level_name(rows[i].level)));
        json_object_set_new(row, "source", json_string(hp_source_name(rows[i].source)));
        json_object_set_new(row, "page", json_string(rows[i].page));
        json_object_set_new(row, "section", json_string(rows[i].section));
        json_object_set_new(row, "sentence", json_string(rows[i].sentence));
        json_array_append_new(all, row);
    }
    return all;
}

static bool names_clause(const hp_known_case *one, const char *clause)
{
    for (size_t i = 0; i < one->clause_count; i++) {
        if (strcmp(one->clauses[i], clause) == 0) {
            return true;
        }
    }
    return false;
}

char **hp_cases_of_clause(const hp_engine_list *engines, const char *clause, size_t *count)
{
    char **names = NULL;
    *count = 0;
    for (size_t e = 0; e < engines->count; e++) {
        for (size_t i = 0; i < engines->items[e].case_count; i++) {
            const hp_known_case *one = &engines->items[e].cases[i];
            size_t k = 0;
            while (k < *count && strcmp(names[k], one->name) != 0) {
                k++;
            }
            if (k == *count && names_clause(one, clause)) {
                char **longer = hp_allocate(*count + 1, sizeof *names);
                if (names != NULL) {
                    memcpy(longer, names, *count * sizeof *names);
                }
                free(names);
                names = longer;
                names[(*count)++] = hp_format("%s", one->name);
            }
        }
    }
    return names;
}

void hp_names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

static void print_row(const hp_clause_row *row, char *const *cases, size_t count)
{
    printf("%s  %s, %s\n    %s, %s\n    %s\n", row->id, hp_level_name(row->level),
        hp_source_name(row->source), row->page, row->section, row->sentence);
    for (size_t i = 0; i < count; i++) {
        printf("    case %s\n", cases[i]);
    }
}

static int visit_rows(const hp_clauses_options *options, const hp_engine_list *engines)
{
    int uncovered = 0, visited = 0;
    for (size_t i = 0; i < HP_CLAUSE_COUNT; i++) {
        size_t count;
        if (!hp_matches(rows[i].id, options->clauses.items, options->clauses.count) ||
            !hp_matches(rows[i].profile, options->profiles.items, options->profiles.count)) {
            continue;
        }
        visited++;
        char **cases = hp_cases_of_clause(engines, rows[i].id, &count);
        if (!options->check) {
            print_row(&rows[i], cases, count);
        } else if (count == 0) {
            printf("%s: no case asserts it\n", rows[i].id);
            uncovered++;
        }
        hp_names_free(cases, count);
    }
    if (options->check && uncovered == 0) {
        printf("%d clauses, each with a case\n", visited);
    }
    return uncovered;
}

int hp_clauses_command(int argc, char **argv)
{
    hp_clauses_options options;
    hp_engine_list engines;
    hp_error error;
    hp_clauses_options_parse(argc, argv, &options);
    int status = 3;
    if (hp_engine_list_load(&options.engines, &engines, &error) != 0) {
        fprintf(stderr, "hotproof clauses: %s\n", error.text);
    } else if (options.check && engines.count == 0) {
        fprintf(
            stderr, "hotproof clauses: no engine module is built, so there is no case to check\n");
    } else {
        status = visit_rows(&options, &engines) != 0 ? 1 : 0;
    }
    hp_engine_list_free(&engines);
    hp_clauses_options_free(&options);
    return status;
}
