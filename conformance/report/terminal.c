/* The report on the terminal: see terminal.h. */
#include "terminal.h"

#include "colour.h"
#include "wrap.h"

#include <stdlib.h>
#include <string.h>

enum { LABEL_WIDTH = 52, CELL_WIDTH = 30, MOST_IDS = 20 };

/* What every part of the report needs. */
typedef struct sheet {
    const hp_model *model;
    const char *profile; /* that the matrix is of */
    FILE *out;
    hp_colours colours;
} sheet;

static bool has_column(const sheet *s, size_t engine)
{
    return strcmp(s->model->engines[engine].profile, s->profile) == 0;
}

static void add(char *cell, size_t size, const char *format, size_t count)
{
    size_t used = strlen(cell);
    if (count > 0) {
        snprintf(cell + used, size - used, format, count);
    }
}

static void print_cell(const sheet *s, const hp_tally *tally)
{
    char cell[96];
    if (tally->total == 0) {
        fprintf(s->out, "%-*s", CELL_WIDTH, "-");
        return;
    }
    snprintf(cell, sizeof cell, "%zu/%zu", tally->of[HP_STATE_HELD], tally->total);
    add(cell, sizeof cell, "  %zu broken", tally->of[HP_STATE_BROKEN]);
    add(cell, sizeof cell, "  %zu depart", tally->of[HP_STATE_DEPARTS]);
    add(cell, sizeof cell, "  %zu not run", tally->of[HP_STATE_NOT_RUN]);
    const char *colour = tally->of[HP_STATE_BROKEN] > 0             ? s->colours.red
                         : tally->of[HP_STATE_HELD] == tally->total ? s->colours.green
                                                                    : s->colours.yellow;
    fprintf(s->out, "%s%-*s%s", colour, CELL_WIDTH, cell, s->colours.plain);
}

static void print_absent_headings(const sheet *s)
{
    size_t i;
    const json_t *absent;
    json_array_foreach(json_object_get(s->model->header, "not_installed"), i, absent)
    {
        if (strcmp(hp_json_get(absent, "profile"), s->profile) == 0) {
            fprintf(s->out, "%-*s", CELL_WIDTH, hp_json_get(absent, "engine"));
        }
    }
}

/* In place of figures: what to install. */
static void print_absent_cells(const sheet *s)
{
    size_t i;
    const json_t *absent;
    json_array_foreach(json_object_get(s->model->header, "not_installed"), i, absent)
    {
        const char *package = hp_json_get(absent, "package");
        if (strcmp(hp_json_get(absent, "profile"), s->profile) == 0) {
            fprintf(
                s->out, "not installed%s%s  ", package[0] != '\0' ? ": apt install " : "", package);
        }
    }
}

static void print_section_label(const sheet *s, size_t first)
{
    static const char parameters[] = "Parameters: ";
    const hp_clause_entry *clause = &s->model->clauses[first];
    bool same_page = first > 0 && strcmp(clause->page, s->model->clauses[first - 1].page) == 0;
    const char *section = clause->section;
    if (strncmp(section, parameters, sizeof parameters - 1) == 0) {
        section += sizeof parameters - 1;
    }
    if (!same_page) {
        fprintf(s->out, "%s%s%s\n", s->colours.bold, clause->page, s->colours.plain);
    }
    fprintf(s->out, "  %-*s", LABEL_WIDTH - 2, section);
}

static void print_cells(const sheet *s, const hp_filter *filter)
{
    for (size_t e = 0; e < s->model->engine_count; e++) {
        if (has_column(s, e)) {
            hp_tally tally = hp_model_count(s->model, &s->model->engines[e], filter);
            print_cell(s, &tally);
        }
    }
}

static void print_matrix(const sheet *s)
{
    fprintf(s->out, "\n%s%-*s", s->colours.bold, LABEL_WIDTH, "Promises held");
    for (size_t e = 0; e < s->model->engine_count; e++) {
        char title[CELL_WIDTH];
        snprintf(
            title, sizeof title, "%s %s", s->model->engines[e].name, s->model->engines[e].version);
        if (has_column(s, e)) {
            fprintf(s->out, "%-*s", CELL_WIDTH, title);
        }
    }
    print_absent_headings(s);
    fprintf(s->out, "%s\n", s->colours.plain);
    for (size_t i = 0; i < s->model->clause_count; i++) {
        const hp_clause_entry *clause = &s->model->clauses[i];
        hp_filter section = {.page = clause->page, .section = clause->section};
        if (strcmp(clause->profile, s->profile) != 0 ||
            (i > 0 && strcmp(clause[-1].page, clause->page) == 0 &&
                strcmp(clause[-1].section, clause->section) == 0)) {
            continue;
        }
        print_section_label(s, i);
        print_cells(s, &section);
        fprintf(s->out, "\n");
    }
    fprintf(s->out, "%s%-*s%s", s->colours.bold, LABEL_WIDTH, "All", s->colours.plain);
    print_cells(s, &(hp_filter){0});
    print_absent_cells(s);
    fprintf(s->out, "\n");
}

static void print_case_counts(const sheet *s)
{
    fprintf(s->out, "\n%sCases%s\n", s->colours.bold, s->colours.plain);
    for (int r = 0; r < HP_RESULT_COUNT; r++) {
        size_t any = 0;
        for (size_t e = 0; e < s->model->engine_count; e++) {
            any += has_column(s, e) ? s->model->engines[e].counts[r] : 0;
        }
        if (any == 0) {
            continue;
        }
        fprintf(s->out, "  %-*s", LABEL_WIDTH - 2, hp_result_name((hp_result)r));
        for (size_t e = 0; e < s->model->engine_count; e++) {
            if (has_column(s, e)) {
                fprintf(s->out, "%-*zu", CELL_WIDTH, s->model->engines[e].counts[r]);
            }
        }
        fprintf(s->out, "\n");
    }
}

/* A matrix for each profile, with a column for each engine that has it. */
static void print_matrices(sheet *s)
{
    for (size_t e = 0; e < s->model->engine_count; e++) {
        size_t first = 0;
        s->profile = s->model->engines[e].profile;
        while (!has_column(s, first)) {
            first++;
        }
        if (first == e) {
            print_matrix(s);
            print_case_counts(s);
        }
    }
}

/* Each case once, however often it ran. */
static bool speaks_for_its_case(const sheet *s, const json_t *result)
{
    const char *engine = hp_json_get(result, "engine");
    return hp_model_find(s->model, engine, hp_json_get(result, "case")) == result;
}

static void print_departures(const sheet *s)
{
    size_t i, shown = 0;
    const json_t *result;
    json_array_foreach(s->model->results, i, result)
    {
        const json_t *departure = json_object_get(result, "departure");
        if (hp_model_result(result) != HP_RESULT_XFAIL || departure == NULL ||
            !speaks_for_its_case(s, result)) {
            continue;
        }
        if (shown++ == 0) {
            fprintf(s->out, "\n%sKnown departures%s\n", s->colours.bold, s->colours.plain);
        }
        fprintf(s->out, "  %s%s%s %s (%s%s)\n      ", s->colours.yellow,
            hp_json_get(result, "engine"), s->colours.plain, hp_json_get(result, "case"),
            hp_json_get(result, "raw"),
            json_is_true(json_object_get(departure, "unstable")) ? ", unstable" : "");
        hp_wrap(s->out, hp_json_get(departure, "reason"), 6);
    }
}

static void print_surprise(const sheet *s, const json_t *result)
{
    const char *where = hp_json_get(result, "where");
    const char *blame = hp_json_get(result, "blame");
    char *reason = hp_model_reason(result);
    fprintf(s->out, "  %s%s%s %s %s\n      ", s->colours.red, hp_json_get(result, "result"),
        s->colours.plain, hp_json_get(result, "engine"), hp_json_get(result, "case"));
    hp_wrap(s->out, reason, 6);
    free(reason);
    if (where[0] != '\0' || blame[0] != '\0') {
        fprintf(s->out, "      at %s%s%s\n", where[0] != '\0' ? where : "?",
            blame[0] != '\0' ? ", asserting " : "", blame);
    }
    fprintf(s->out, "      log: %s\n      files: %s\n      reproduce: %s\n",
        hp_json_get(result, "log"), hp_json_get(result, "directory"),
        hp_json_get(result, "reproduce"));
}

static void print_surprises(const sheet *s)
{
    size_t i, shown = 0;
    const json_t *line;
    json_array_foreach(s->model->results, i, line)
    {
        if (hp_result_is_surprise(hp_model_result(line))) {
            if (shown++ == 0) {
                fprintf(s->out, "\n%sSurprises%s\n", s->colours.bold, s->colours.plain);
            }
            print_surprise(s, line);
        }
    }
    json_array_foreach(s->model->stale, i, line)
    {
        if (shown++ == 0) {
            fprintf(s->out, "\n%sSurprises%s\n", s->colours.bold, s->colours.plain);
        }
        fprintf(s->out, "  %sSTALE%s %s:%d: %s has no case %s\n", s->colours.red, s->colours.plain,
            hp_json_get(line, "file"), (int)json_integer_value(json_object_get(line, "line")),
            hp_json_get(line, "engine"), hp_json_get(line, "case"));
    }
}

/* Cases that did not run to an assertion, with why. */
static void print_not_run(const sheet *s)
{
    size_t i, shown = 0;
    const json_t *result;
    json_array_foreach(s->model->results, i, result)
    {
        hp_result what = hp_model_result(result);
        if ((what == HP_RESULT_UNSUPPORTED || what == HP_RESULT_UNRESOLVED) &&
            speaks_for_its_case(s, result)) {
            if (shown++ == 0) {
                fprintf(s->out, "\n%sNot asserted%s\n", s->colours.bold, s->colours.plain);
            }
            fprintf(s->out, "  %s%s%s %s (%s)\n      ", s->colours.yellow,
                hp_json_get(result, "engine"), s->colours.plain, hp_json_get(result, "case"),
                hp_result_name(what));
            hp_wrap(s->out, hp_json_get(result, "message"), 6);
        }
    }
}

static void print_ids(const sheet *s, const hp_engine_report *engine, unsigned states)
{
    char *list = hp_format("%s", "");
    size_t i = hp_model_next_required(s->model, engine, states, 0);
    while (i < s->model->clause_count) {
        size_t next = hp_model_next_required(s->model, engine, states, i + 1);
        char *longer = hp_format(
            "%s%s%s", list, s->model->clauses[i].id, next < s->model->clause_count ? ", " : "");
        free(list);
        list = longer;
        i = next;
    }
    fprintf(s->out, "      ");
    hp_wrap(s->out, list, 6);
    free(list);
}

static void print_verdict(const sheet *s, const hp_engine_report *engine)
{
    char *held = hp_model_held(engine);
    fprintf(s->out, "%s%s %s%s: %s%s%s; %s; %s\n", s->colours.bold, engine->name, engine->version,
        s->colours.plain, engine->surprises == 0 ? s->colours.green : s->colours.red,
        hp_model_gate(engine), s->colours.plain, hp_model_verdict(s->model, engine), held);
    free(held);
    unsigned refused = 1u << HP_STATE_DEPARTS | 1u << HP_STATE_BROKEN;
    if (hp_model_next_required(s->model, engine, refused, 0) < s->model->clause_count) {
        fprintf(s->out, "    not held:\n");
        print_ids(s, engine, refused);
    }
    hp_filter required = {.levels = 1u << HP_MUST | (s->model->strict ? 1u << HP_SHOULD : 0)};
    size_t open = hp_model_count(s->model, engine, &required).of[HP_STATE_NOT_RUN];
    if (open > MOST_IDS) {
        fprintf(s->out, "    not run: %zu promises, which the HTML report lists\n", open);
    } else if (open > 0) {
        fprintf(s->out, "    not run:\n");
        print_ids(s, engine, 1u << HP_STATE_NOT_RUN);
    }
}

void hp_terminal_print(const hp_model *model, FILE *out, const char *html)
{
    sheet page = {.model = model, .out = out, .colours = hp_colours_for(out)};
    const json_t *host = json_object_get(model->header, "host");
    const json_t *file_system = json_object_get(host, "file_system");
    print_matrices(&page);
    print_departures(&page);
    print_not_run(&page);
    print_surprises(&page);
    fprintf(out, "\n");
    for (size_t e = 0; e < model->engine_count; e++) {
        print_verdict(&page, &model->engines[e]);
    }
    if (!model->complete) {
        fprintf(out, "%sThe run was interrupted: what is missing above did not run.%s\n",
            page.colours.red, page.colours.plain);
    }
    fprintf(out, "\non %s (%s), isolation: %s\nrecord %s\n", hp_json_get(file_system, "type"),
        hp_json_get(file_system, "mount"), hp_json_get(model->header, "isolation"), model->path);
    if (html != NULL) {
        fprintf(out, "report %s\n", html);
    }
}
