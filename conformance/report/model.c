/* A record, read back: see model.h. */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

hp_result hp_model_result(const json_t *result)
{
    const char *name = hp_json_get(result, "result");
    return hp_result_parse(name, strlen(name));
}

/* Sorts one line of a record in. */
static int take_line(hp_run *run, json_t *line)
{
    const char *type = hp_json_get(line, "type");
    if (strcmp(type, "header") == 0 && run->header == NULL) {
        run->header = json_incref(line);
    } else if (strcmp(type, "footer") == 0 && run->footer == NULL) {
        run->footer = json_incref(line);
    } else if (strcmp(type, "result") == 0 && hp_model_result(line) != HP_RESULT_COUNT) {
        json_array_append(run->results, line);
    } else if (strcmp(type, "stale") == 0) {
        json_array_append(run->stale, line);
    } else {
        return -1;
    }
    return 0;
}

static int read_lines(hp_run *run, FILE *file, hp_error *error)
{
    char *text = NULL;
    size_t room = 0;
    int status = 0;
    for (int number = 1; status == 0 && getline(&text, &room, file) >= 0; number++) {
        json_t *line = json_loads(text, 0, NULL);
        bool whole = strchr(text, '\n') != NULL;
        hp_json_clean(line);
        if ((line == NULL && whole) || (line != NULL && take_line(run, line) != 0)) {
            status = hp_fail(error, "%s:%d: not a line of a record", run->path, number);
        }
        json_decref(line);
    }
    free(text);
    if (status == 0 && run->header == NULL) {
        status = hp_fail(error, "%s: not a record: no header", run->path);
    }
    return status;
}

/* Reads one record: the file `path`, or the one in the directory of that name. */
static int read_run(const char *path, hp_run *run, hp_error *error)
{
    struct stat about;
    bool directory = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    *run = (hp_run){
        .path = hp_format("%s%s", path, directory ? "/record.ndjson" : ""),
        .results = json_array(),
        .stale = json_array(),
    };
    FILE *file = fopen(run->path, "re");
    if (file == NULL) {
        return hp_fail(error, "%s: %s", run->path, strerror(errno));
    }
    int status = read_lines(run, file, error);
    fclose(file);
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

/* Promises that no engine of the record could keep or break are none of its business. */
static bool is_judged(const hp_model *model, const char *profile)
{
    size_t i;
    const json_t *engine;
    json_array_foreach(json_object_get(model->header, "engines"), i, engine)
    {
        if (strcmp(hp_json_get(engine, "profile"), profile) == 0) {
            return true;
        }
    }
    return false;
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
        if (!is_judged(model, clause.profile)) {
            continue;
        }
        size_t place = place_of(model, &clause);
        memmove(&model->clauses[place + 1], &model->clauses[place],
            (model->clause_count - place) * sizeof clause);
        model->clauses[place] = clause;
        model->clause_count++;
    }
}

/* How bad a result is, for choosing among several of one case. */
static int rank(const json_t *result)
{
    hp_result what = hp_model_result(result);
    return hp_result_is_surprise(what)                                     ? 3
           : what == HP_RESULT_XFAIL                                       ? 2
           : what == HP_RESULT_UNSUPPORTED || what == HP_RESULT_UNRESOLVED ? 1
                                                                           : 0;
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
            (found == NULL || rank(result) > rank(found))) {
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

static bool ended_well(const hp_run *run)
{
    return run->footer != NULL && !json_is_true(json_object_get(run->footer, "interrupted")) &&
           hp_json_get(run->footer, "failure")[0] == '\0';
}

/* All that follows from the runs. */
static void count_all(hp_model *model)
{
    model->header = hp_merge_headers(model->runs, model->run_count);
    model->results = hp_merge_results(model->runs, model->run_count);
    model->stale = hp_merge_stale(model->runs, model->run_count);
    model->strict = json_is_true(json_object_get(model->header, "strict"));
    model->complete = true;
    for (size_t i = 0; i < model->run_count; i++) {
        model->complete = model->complete && ended_well(&model->runs[i]);
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
}

int hp_model_load_all(char *const *paths, size_t count, hp_model *model, hp_error *error)
{
    int status = 0;
    *model = (hp_model){.path = hp_format("%s", "")};
    model->runs = hp_allocate(count, sizeof *model->runs);
    while (status == 0 && model->run_count < count) {
        hp_run *run = &model->runs[model->run_count];
        status = read_run(paths[model->run_count], run, error);
        char *longer =
            hp_format("%s%s%s", model->path, model->run_count > 0 ? ", " : "", run->path);
        free(model->path);
        model->path = longer;
        model->run_count++;
    }
    if (status != 0 || hp_merge_check(model->runs, count, error) != 0) {
        hp_model_free(model);
        return -1;
    }
    count_all(model);
    return 0;
}

int hp_model_load(const char *path, hp_model *model, hp_error *error)
{
    char *one = hp_format("%s", path);
    int status = hp_model_load_all(&one, 1, model, error);
    free(one);
    return status;
}

void hp_model_free(hp_model *model)
{
    for (size_t i = 0; i < model->engine_count; i++) {
        free(model->engines[i].states);
    }
    for (size_t i = 0; i < model->run_count; i++) {
        hp_run_free(&model->runs[i]);
    }
    free(model->runs);
    free(model->engines);
    free(model->clauses);
    free(model->path);
    json_decref(model->header);
    json_decref(model->results);
    json_decref(model->stale);
    *model = (hp_model){0};
}

static bool belongs(const hp_clause_entry *clause, const hp_filter *filter)
{
    return (filter->page == NULL || strcmp(filter->page, clause->page) == 0) &&
           (filter->section == NULL || strcmp(filter->section, clause->section) == 0) &&
           (filter->levels == 0 || (filter->levels & 1u << clause->level) != 0) &&
           (filter->sources == 0 || (filter->sources & 1u << clause->source) != 0);
}

const hp_engine_report *hp_model_engine(const hp_model *model, const char *name)
{
    for (size_t i = 0; i < model->engine_count; i++) {
        if (strcmp(model->engines[i].name, name) == 0) {
            return &model->engines[i];
        }
    }
    return NULL;
}

const hp_clause_entry *hp_model_clause(const hp_model *model, const json_t *result)
{
    const char *blame = hp_json_get(result, "blame");
    const char *first = json_string_value(json_array_get(json_object_get(result, "clauses"), 0));
    const char *id = blame[0] != '\0' ? blame : first != NULL ? first : "";
    size_t clause = find_clause(model, id);
    return clause < model->clause_count ? &model->clauses[clause] : NULL;
}

hp_tally hp_model_count(
    const hp_model *model, const hp_engine_report *engine, const hp_filter *filter)
{
    hp_tally tally = {0};
    for (size_t i = 0; i < model->clause_count; i++) {
        if (belongs(&model->clauses[i], filter)) {
            tally.of[engine->states[i]]++;
            tally.total += engine->states[i] != HP_STATE_FOREIGN;
        }
    }
    return tally;
}

size_t hp_model_next_required(
    const hp_model *model, const hp_engine_report *engine, unsigned states, size_t from)
{
    unsigned levels = 1u << HP_MUST | (model->strict ? 1u << HP_SHOULD : 0);
    while (from < model->clause_count && ((levels & 1u << model->clauses[from].level) == 0 ||
                                             (states & 1u << engine->states[from]) == 0)) {
        from++;
    }
    return from;
}

const char *hp_model_verdict(const hp_model *model, const hp_engine_report *engine)
{
    unsigned refused = 1u << HP_STATE_DEPARTS | 1u << HP_STATE_BROKEN;
    if (hp_model_next_required(model, engine, refused, 0) < model->clause_count) {
        return model->strict ? "not strictly conformant" : "not conformant";
    }
    if (hp_model_next_required(model, engine, 1u << HP_STATE_NOT_RUN, 0) < model->clause_count) {
        return model->strict ? "strictly conformant except for what did not run"
                             : "conformant except for what did not run";
    }
    return model->strict ? "strictly conformant" : "conformant";
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

char *hp_model_held(const hp_engine_report *engine)
{
    const hp_tally *documented = &engine->tally[HP_MUST][HP_DOCUMENTED];
    const hp_tally *inferred = &engine->tally[HP_MUST][HP_INFERRED];
    const hp_tally *should = engine->tally[HP_SHOULD];
    char unstable[48] = "";
    if (engine->unstable > 0) {
        snprintf(unstable, sizeof unstable, "; %zu unstable", engine->unstable);
    }
    return hp_format("MUST held: %zu/%zu documented, %zu/%zu inferred; SHOULD %zu/%zu%s",
        documented->of[HP_STATE_HELD], documented->total, inferred->of[HP_STATE_HELD],
        inferred->total,
        should[HP_DOCUMENTED].of[HP_STATE_HELD] + should[HP_INFERRED].of[HP_STATE_HELD],
        should[HP_DOCUMENTED].total + should[HP_INFERRED].total, unstable);
}

const char *hp_model_state_name(hp_clause_state state)
{
    static const char *const names[] = {
        [HP_STATE_HELD] = "held",
        [HP_STATE_NOT_RUN] = "not run",
        [HP_STATE_DEPARTS] = "known departure",
        [HP_STATE_BROKEN] = "not held",
        [HP_STATE_FOREIGN] = "-",
    };
    return names[state];
}

char *hp_model_reason(const json_t *result)
{
    const json_t *departure = json_object_get(result, "departure");
    hp_result what = hp_model_result(result);
    if (what == HP_RESULT_XPASS) {
        return hp_format("%s (since %s: %s)", hp_result_meaning(what),
            hp_json_get(departure, "since"), hp_json_get(departure, "reason"));
    }
    const char *message = hp_json_get(result, "message");
    return hp_format("%s", message[0] != '\0' ? message : hp_result_meaning(what));
}
