/* A record, read back: see model.h. */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

hp_result hp_model_result(const json_t *result)
{
    const char *name = hp_json_get(result, "result");
    return hp_result_parse(name, strlen(name));
}

/* Sorts one line of the record into the model. */
static int take_line(hp_model *model, json_t *line)
{
    const char *type = hp_json_get(line, "type");
    if (strcmp(type, "header") == 0 && model->header == NULL) {
        model->header = json_incref(line);
    } else if (strcmp(type, "footer") == 0 && model->footer == NULL) {
        model->footer = json_incref(line);
    } else if (strcmp(type, "result") == 0 && hp_model_result(line) != HP_RESULT_COUNT) {
        json_array_append(model->results, line);
    } else if (strcmp(type, "stale") == 0) {
        json_array_append(model->stale, line);
    } else {
        return -1;
    }
    return 0;
}

static int read_lines(hp_model *model, FILE *file, hp_error *error)
{
    char *text = NULL;
    size_t room = 0;
    int status = 0;
    for (int number = 1; status == 0 && getline(&text, &room, file) >= 0; number++) {
        json_t *line = json_loads(text, 0, NULL);
        bool whole = strchr(text, '\n') != NULL;
        if ((line == NULL && whole) || (line != NULL && take_line(model, line) != 0)) {
            status = hp_fail(error, "%s:%d: not a line of a record", model->path, number);
        }
        json_decref(line);
    }
    free(text);
    if (status == 0 && model->header == NULL) {
        status = hp_fail(error, "%s: not a record: no header", model->path);
    }
    return status;
}

static hp_level level_of(const char *name)
{
    return strcmp(name, "MUST") == 0     ? HP_MUST
           : strcmp(name, "SHOULD") == 0 ? HP_SHOULD
           : strcmp(name, "MAY") == 0    ? HP_MAY
                                         : HP_INFO;
}

/* Where a clause goes so that each page, and in it each section, stands in one piece: behind the
 * last of its section, else behind the last of its page, else at the end. */
static size_t place_of(const hp_model *model, const hp_clause_entry *clause)
{
    size_t page = model->clause_count, section = model->clause_count;
    for (size_t i = 0; i < model->clause_count; i++) {
        if (strcmp(model->clauses[i].page, clause->page) == 0) {
            page = i + 1;
            section = strcmp(model->clauses[i].section, clause->section) == 0 ? i + 1 : section;
        }
    }
    return section < model->clause_count ? section : page;
}

static void read_clauses(hp_model *model)
{
    const json_t *rows = json_object_get(model->header, "clauses");
    model->clauses = hp_allocate(json_array_size(rows), sizeof *model->clauses);
    size_t i;
    const json_t *row;
    json_array_foreach(rows, i, row)
    {
        hp_clause_entry clause = {
            .id = hp_json_get(row, "id"),
            .page = hp_json_get(row, "page"),
            .section = hp_json_get(row, "section"),
            .sentence = hp_json_get(row, "sentence"),
            .profile = hp_json_get(row, "profile"),
            .level = level_of(hp_json_get(row, "level")),
            .source =
                strcmp(hp_json_get(row, "source"), "documented") == 0 ? HP_DOCUMENTED : HP_INFERRED,
        };
        size_t place = place_of(model, &clause);
        memmove(&model->clauses[place + 1], &model->clauses[place],
            (model->clause_count - place) * sizeof clause);
        model->clauses[place] = clause;
        model->clause_count++;
    }
}

const json_t *hp_model_find(const hp_model *model, const char *engine, const char *name)
{
    const json_t *found = NULL;
    size_t i;
    const json_t *result;
    json_array_foreach(model->results, i, result)
    {
        if (strcmp(hp_json_get(result, "case"), name) == 0 &&
            strcmp(hp_json_get(result, "engine"), engine) == 0 &&
            (found == NULL || hp_model_result(found) == HP_RESULT_PASS)) {
            found = result;
        }
    }
    return found;
}

static bool is_unstable(const json_t *result)
{
    return json_is_true(json_object_get(json_object_get(result, "departure"), "unstable"));
}

static hp_clause_state state_of(const json_t *result)
{
    if (result == NULL) {
        return HP_STATE_NOT_RUN;
    }
    if (is_unstable(result) && !hp_result_is_surprise(hp_model_result(result))) {
        return HP_STATE_DEPARTS;
    }
    switch (hp_model_result(result)) {
    case HP_RESULT_PASS:
    case HP_RESULT_XPASS:
        return HP_STATE_HELD;
    case HP_RESULT_UNSUPPORTED:
    case HP_RESULT_UNRESOLVED:
        return HP_STATE_NOT_RUN;
    case HP_RESULT_XFAIL:
        return HP_STATE_DEPARTS;
    case HP_RESULT_FAIL:
    case HP_RESULT_CRASH:
    case HP_RESULT_TIMEOUT:
    case HP_RESULT_VACUOUS:
    case HP_RESULT_ERROR:
    case HP_RESULT_COUNT:
        break;
    }
    return HP_STATE_BROKEN;
}

static size_t find_clause(const hp_model *model, const char *id)
{
    size_t i = 0;
    while (i < model->clause_count && strcmp(model->clauses[i].id, id) != 0) {
        i++;
    }
    return i;
}

/* Walks the engine's case list, not the results: a case that did not run leaves its clauses open.
 */
static void judge_clauses(const hp_model *model, hp_engine_report *engine)
{
    bool *has_case = hp_allocate(model->clause_count, sizeof *has_case);
    const json_t *cases = json_object_get(engine->about, "cases");
    size_t i, k;
    const json_t *one, *id;
    json_array_foreach(cases, i, one)
    {
        hp_clause_state state =
            state_of(hp_model_find(model, engine->name, hp_json_get(one, "name")));
        json_array_foreach(json_object_get(one, "clauses"), k, id)
        {
            size_t clause = find_clause(model, json_string_value(id));
            if (clause < model->clause_count) {
                has_case[clause] = true;
                engine->states[clause] =
                    state > engine->states[clause] ? state : engine->states[clause];
            }
        }
    }
    for (size_t c = 0; c < model->clause_count; c++) {
        const hp_clause_entry *clause = &model->clauses[c];
        if (strcmp(clause->profile, engine->profile) != 0) {
            engine->states[c] = HP_STATE_FOREIGN;
        } else {
            if (!has_case[c]) {
                engine->states[c] = HP_STATE_NOT_RUN;
            }
            engine->tally[clause->level][clause->source].total++;
        }
        engine->tally[clause->level][clause->source].of[engine->states[c]]++;
    }
    free(has_case);
}

static void count_results(const hp_model *model, hp_engine_report *engine)
{
    size_t i;
    const json_t *line;
    json_array_foreach(model->results, i, line)
    {
        if (strcmp(hp_json_get(line, "engine"), engine->name) == 0) {
            hp_result result = hp_model_result(line);
            engine->counts[result]++;
            engine->surprises += hp_result_is_surprise(result);
            engine->unstable += is_unstable(line);
        }
    }
    json_array_foreach(model->stale, i, line)
    {
        engine->stale += strcmp(hp_json_get(line, "engine"), engine->name) == 0;
    }
    engine->surprises += engine->stale;
}

int hp_model_load(const char *path, hp_model *model, hp_error *error)
{
    *model =
        (hp_model){.path = hp_format("%s", path), .results = json_array(), .stale = json_array()};
    FILE *file = fopen(path, "re");
    int status = -1;
    if (file == NULL) {
        hp_fail(error, "%s: %s", path, strerror(errno));
    } else {
        status = read_lines(model, file, error);
        fclose(file);
    }
    if (status != 0) {
        hp_model_free(model);
        return -1;
    }
    read_clauses(model);
    const json_t *engines = json_object_get(model->header, "engines");
    model->engine_count = json_array_size(engines);
    model->engines = hp_allocate(model->engine_count, sizeof *model->engines);
    for (size_t i = 0; i < model->engine_count; i++) {
        hp_engine_report *engine = &model->engines[i];
        engine->about = json_array_get(engines, i);
        engine->name = hp_json_get(engine->about, "engine");
        engine->version = hp_json_get(engine->about, "version");
        engine->profile = hp_json_get(engine->about, "profile");
        engine->states = hp_allocate(model->clause_count, sizeof *engine->states);
        judge_clauses(model, engine);
        count_results(model, engine);
    }
    return 0;
}

void hp_model_free(hp_model *model)
{
    for (size_t i = 0; i < model->engine_count; i++) {
        free(model->engines[i].states);
    }
    free(model->engines);
    free(model->clauses);
    free(model->path);
    json_decref(model->header);
    json_decref(model->footer);
    json_decref(model->results);
    json_decref(model->stale);
    *model = (hp_model){0};
}

size_t hp_model_next_must(
    const hp_model *model, const hp_engine_report *engine, unsigned states, size_t from)
{
    while (from < model->clause_count &&
           (model->clauses[from].level != HP_MUST || (states & 1u << engine->states[from]) == 0)) {
        from++;
    }
    return from;
}

const char *hp_model_verdict(const hp_model *model, const hp_engine_report *engine)
{
    unsigned refused = 1u << HP_STATE_DEPARTS | 1u << HP_STATE_BROKEN;
    if (hp_model_next_must(model, engine, refused, 0) < model->clause_count) {
        return "not conformant";
    }
    if (hp_model_next_must(model, engine, 1u << HP_STATE_NOT_RUN, 0) < model->clause_count) {
        return "conformant except for what did not run";
    }
    return "conformant";
}

const char *hp_model_gate(const hp_engine_report *engine)
{
    static char text[64];
    if (engine->surprises == 0) {
        return "gate passed";
    }
    snprintf(text, sizeof text, "gate failed: %zu surprise%s", engine->surprises,
        engine->surprises == 1 ? "" : "s");
    return text;
}
