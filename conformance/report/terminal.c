/* The report on the terminal: see terminal.h. */
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LABEL_WIDTH = 52, CELL_WIDTH = 30, PAGE_WIDTH = 110, MOST_IDS = 20 };

static const char *plain = "", *bold = "", *red = "", *yellow = "", *green = "";

static void choose_colours(void)
{
    if (isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL) {
        plain = "\033[0m";
        bold = "\033[1m";
        red = "\033[31m";
        yellow = "\033[33m";
        green = "\033[32m";
    }
}

static void add(char *cell, size_t size, const char *format, size_t count)
{
    size_t used = strlen(cell);
    if (count > 0) {
        snprintf(cell + used, size - used, format, count);
    }
}

static void print_cell(const hp_tally *tally)
{
    char cell[96];
    if (tally->total == 0) {
        printf("%-*s", CELL_WIDTH, "-");
        return;
    }
    snprintf(cell, sizeof cell, "%zu/%zu", tally->of[HP_STATE_HELD], tally->total);
    add(cell, sizeof cell, "  %zu broken", tally->of[HP_STATE_BROKEN]);
    add(cell, sizeof cell, "  %zu depart", tally->of[HP_STATE_DEPARTS]);
    add(cell, sizeof cell, "  %zu not run", tally->of[HP_STATE_NOT_RUN]);
    const char *colour = tally->of[HP_STATE_BROKEN] > 0             ? red
                         : tally->of[HP_STATE_HELD] == tally->total ? green
                                                                    : yellow;
    printf("%s%-*s%s", colour, CELL_WIDTH, cell, plain);
}

static void print_absent_headings(const hp_model *model)
{
    size_t i;
    const json_t *absent;
    json_array_foreach(json_object_get(model->header, "not_installed"), i, absent)
    {
        printf("%-*s", CELL_WIDTH, hp_json_get(absent, "engine"));
    }
}

/* In place of figures: what to install. */
static void print_absent_cells(const hp_model *model)
{
    size_t i;
    const json_t *absent;
    json_array_foreach(json_object_get(model->header, "not_installed"), i, absent)
    {
        const char *package = hp_json_get(absent, "package");
        printf("not installed%s%s", package[0] != '\0' ? ": apt install " : "", package);
    }
}

/* Counts the clauses from `first` that share its page and section; returns the first that does not.
 */
static size_t tally_section(
    const hp_model *model, const hp_engine_report *engine, size_t first, hp_tally *tally)
{
    size_t i = first;
    *tally = (hp_tally){0};
    for (; i < model->clause_count &&
           strcmp(model->clauses[i].page, model->clauses[first].page) == 0 &&
           strcmp(model->clauses[i].section, model->clauses[first].section) == 0;
         i++) {
        tally->of[engine->states[i]]++;
        tally->total += engine->states[i] != HP_STATE_FOREIGN;
    }
    return i;
}

static void print_section_label(const hp_model *model, size_t first)
{
    static const char parameters[] = "Parameters: ";
    const hp_clause_entry *clause = &model->clauses[first];
    bool same_page = first > 0 && strcmp(clause->page, model->clauses[first - 1].page) == 0;
    const char *section = clause->section;
    if (strncmp(section, parameters, sizeof parameters - 1) == 0) {
        section += sizeof parameters - 1;
    }
    if (!same_page) {
        printf("%s%s%s\n", bold, clause->page, plain);
    }
    printf("  %-*s", LABEL_WIDTH - 2, section);
}

static void print_matrix(const hp_model *model)
{
    printf("\n%s%-*s", bold, LABEL_WIDTH, "Promises held");
    for (size_t e = 0; e < model->engine_count; e++) {
        char title[CELL_WIDTH];
        snprintf(title, sizeof title, "%s %s", model->engines[e].name, model->engines[e].version);
        printf("%-*s", CELL_WIDTH, title);
    }
    print_absent_headings(model);
    printf("%s\n", plain);
    for (size_t first = 0, next; first < model->clause_count; first = next) {
        hp_tally tally;
        next = first + 1;
        print_section_label(model, first);
        for (size_t e = 0; e < model->engine_count; e++) {
            next = tally_section(model, &model->engines[e], first, &tally);
            print_cell(&tally);
        }
        printf("\n");
    }
    printf("%s%-*s%s", bold, LABEL_WIDTH, "All", plain);
    for (size_t e = 0; e < model->engine_count; e++) {
        hp_tally all = {0};
        for (size_t i = 0; i < model->clause_count; i++) {
            all.of[model->engines[e].states[i]]++;
            all.total += model->engines[e].states[i] != HP_STATE_FOREIGN;
        }
        print_cell(&all);
    }
    print_absent_cells(model);
    printf("\n");
}

static void print_case_counts(const hp_model *model)
{
    printf("\n%sCases%s\n", bold, plain);
    for (int r = 0; r < HP_RESULT_COUNT; r++) {
        size_t any = 0;
        for (size_t e = 0; e < model->engine_count; e++) {
            any += model->engines[e].counts[r];
        }
        if (any == 0) {
            continue;
        }
        printf("  %-*s", LABEL_WIDTH - 2, hp_result_name((hp_result)r));
        for (size_t e = 0; e < model->engine_count; e++) {
            printf("%-*zu", CELL_WIDTH, model->engines[e].counts[r]);
        }
        printf("\n");
    }
}

/* Text with its line breaks, wrapped at blanks, each line after the first indented. */
static void print_wrapped(const char *text, int column, int indent)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, " \n");
        bool first = column == indent;
        if (!first && column + 1 + length > PAGE_WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (!first && length > 0) {
            putchar(' ');
            column++;
        }
        printf("%.*s", length, text);
        column += length;
        text += length;
        if (*text == '\n' && text[1] != '\0') {
            printf("\n%*s", indent, "");
            column = indent;
        }
        text += *text != '\0';
    }
    printf("\n");
}

static void print_departures(const hp_model *model)
{
    size_t i, shown = 0;
    const json_t *result;
    json_array_foreach(model->results, i, result)
    {
        const json_t *departure = json_object_get(result, "departure");
        if (hp_model_result(result) != HP_RESULT_XFAIL || departure == NULL ||
            json_integer_value(json_object_get(result, "repetition")) > 1) {
            continue;
        }
        if (shown++ == 0) {
            printf("\n%sKnown departures%s\n", bold, plain);
        }
        printf("  %s%s%s %s (%s%s)\n      ", yellow, hp_json_get(result, "engine"), plain,
            hp_json_get(result, "case"), hp_json_get(result, "raw"),
            json_is_true(json_object_get(departure, "unstable")) ? ", unstable" : "");
        print_wrapped(hp_json_get(departure, "reason"), 6, 6);
    }
}

static void print_surprise(const json_t *result)
{
    const char *where = hp_json_get(result, "where");
    const char *blame = hp_json_get(result, "blame");
    printf("  %s%s%s %s %s\n      ", red, hp_json_get(result, "result"), plain,
        hp_json_get(result, "engine"), hp_json_get(result, "case"));
    print_wrapped(hp_json_get(result, "message"), 6, 6);
    if (where[0] != '\0' || blame[0] != '\0') {
        printf("      at %s%s%s\n", where[0] != '\0' ? where : "?",
            blame[0] != '\0' ? ", asserting " : "", blame);
    }
    printf("      log: %s\n      files: %s\n      reproduce: %s\n", hp_json_get(result, "log"),
        hp_json_get(result, "directory"), hp_json_get(result, "reproduce"));
}

static void print_surprises(const hp_model *model)
{
    size_t i, shown = 0;
    const json_t *line;
    json_array_foreach(model->results, i, line)
    {
        if (hp_result_is_surprise(hp_model_result(line))) {
            if (shown++ == 0) {
                printf("\n%sSurprises%s\n", bold, plain);
            }
            print_surprise(line);
        }
    }
    json_array_foreach(model->stale, i, line)
    {
        if (shown++ == 0) {
            printf("\n%sSurprises%s\n", bold, plain);
        }
        printf("  %sSTALE%s %s:%d: %s has no case %s\n", red, plain, hp_json_get(line, "file"),
            (int)json_integer_value(json_object_get(line, "line")), hp_json_get(line, "engine"),
            hp_json_get(line, "case"));
    }
}

/* Cases that did not run to an assertion, with why. */
static void print_not_run(const hp_model *model)
{
    size_t i, shown = 0;
    const json_t *result;
    json_array_foreach(model->results, i, result)
    {
        hp_result what = hp_model_result(result);
        if (what == HP_RESULT_UNSUPPORTED || what == HP_RESULT_UNRESOLVED) {
            if (shown++ == 0) {
                printf("\n%sNot asserted%s\n", bold, plain);
            }
            printf("  %s%s%s %s (%s)\n      ", yellow, hp_json_get(result, "engine"), plain,
                hp_json_get(result, "case"), hp_result_name(what));
            print_wrapped(hp_json_get(result, "message"), 6, 6);
        }
    }
}

static void print_ids(const hp_model *model, const hp_engine_report *engine, unsigned states)
{
    char *list = hp_format("%s", "");
    size_t i = hp_model_next_must(model, engine, states, 0);
    while (i < model->clause_count) {
        size_t next = hp_model_next_must(model, engine, states, i + 1);
        char *longer =
            hp_format("%s%s%s", list, model->clauses[i].id, next < model->clause_count ? ", " : "");
        free(list);
        list = longer;
        i = next;
    }
    printf("      ");
    print_wrapped(list, 6, 6);
    free(list);
}

static void print_verdict(const hp_model *model, const hp_engine_report *engine)
{
    const hp_tally *documented = &engine->tally[HP_MUST][HP_DOCUMENTED];
    const hp_tally *inferred = &engine->tally[HP_MUST][HP_INFERRED];
    hp_tally should = {0};
    for (int source = HP_DOCUMENTED; source <= HP_INFERRED; source++) {
        should.total += engine->tally[HP_SHOULD][source].total;
        should.of[HP_STATE_HELD] += engine->tally[HP_SHOULD][source].of[HP_STATE_HELD];
    }
    printf("%s%s %s%s: %s%s%s; %s; MUST held: %zu/%zu documented, %zu/%zu inferred; SHOULD %zu/%zu",
        bold, engine->name, engine->version, plain, engine->surprises == 0 ? green : red,
        hp_model_gate(engine), plain, hp_model_verdict(model, engine),
        documented->of[HP_STATE_HELD], documented->total, inferred->of[HP_STATE_HELD],
        inferred->total, should.of[HP_STATE_HELD], should.total);
    printf(engine->unstable > 0 ? "; %zu unstable\n" : "\n", engine->unstable);
    unsigned refused = 1u << HP_STATE_DEPARTS | 1u << HP_STATE_BROKEN;
    if (hp_model_next_must(model, engine, refused, 0) < model->clause_count) {
        printf("    not held:\n");
        print_ids(model, engine, refused);
    }
    size_t open = documented->of[HP_STATE_NOT_RUN] + inferred->of[HP_STATE_NOT_RUN];
    if (open > MOST_IDS) {
        printf("    not run: %zu MUSTs, which the HTML report lists\n", open);
    } else if (open > 0) {
        printf("    not run:\n");
        print_ids(model, engine, 1u << HP_STATE_NOT_RUN);
    }
}

void hp_terminal_print(const hp_model *model, const char *html)
{
    const json_t *host = json_object_get(model->header, "host");
    const json_t *file_system = json_object_get(host, "file_system");
    choose_colours();
    print_matrix(model);
    print_case_counts(model);
    print_departures(model);
    print_not_run(model);
    print_surprises(model);
    printf("\n");
    for (size_t e = 0; e < model->engine_count; e++) {
        print_verdict(model, &model->engines[e]);
    }
    if (model->footer == NULL || json_is_true(json_object_get(model->footer, "interrupted"))) {
        printf("%sThe run was interrupted: what is missing above did not run.%s\n", red, plain);
    }
    printf("\non %s (%s), isolation: %s\nrecord %s\nreport %s\n", hp_json_get(file_system, "type"),
        hp_json_get(file_system, "mount"), hp_json_get(model->header, "isolation"), model->path,
        html);
}
