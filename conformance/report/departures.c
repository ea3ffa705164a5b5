/* An engine's departures as Markdown: see departures.h. */
#include "departures.h"

#include "../runner/clauses.h"
#include "markdown_text.h"

#include <stdlib.h>
#include <string.h>

/* A case's result, and what puts it in its place. */
typedef struct row {
    const json_t *result;
    const hp_clause_entry *clause; /* NULL: the record knows none */
    size_t place;                  /* of the case in the engine's list */
} row;

typedef struct rows {
    row *items;
    size_t count, unstable;
} rows;

static bool is_unstable(const json_t *result)
{
    return json_is_true(json_object_get(json_object_get(result, "departure"), "unstable"));
}

static bool is_departure(const json_t *result)
{
    hp_result what = hp_model_result(result);
    return what == HP_RESULT_XFAIL || (what == HP_RESULT_PASS && is_unstable(result));
}

static bool is_surprise(const json_t *result)
{
    return hp_result_is_surprise(hp_model_result(result));
}

/* Listed as a departure, but nothing was asserted this time. */
static bool is_open(const json_t *result)
{
    hp_result what = hp_model_result(result);
    return json_object_get(result, "departure") != NULL &&
           (what == HP_RESULT_UNSUPPORTED || what == HP_RESULT_UNRESOLVED);
}

static size_t place_of(const hp_engine_report *engine, const char *name)
{
    const json_t *cases = json_object_get(engine->about, "cases");
    size_t i = 0;
    while (i < json_array_size(cases) &&
           strcmp(hp_json_get(json_array_get(cases, i), "name"), name) != 0) {
        i++;
    }
    return i;
}

/* By promise, in the model's order and unknown ones last; then by place, then by name. */
static int compare(const void *left, const void *right)
{
    const row *a = left, *b = right;
    if (a->clause != b->clause) {
        return a->clause == NULL || (b->clause != NULL && a->clause > b->clause) ? 1 : -1;
    }
    if (a->place != b->place) {
        return a->place > b->place ? 1 : -1;
    }
    return strcmp(hp_json_get(a->result, "case"), hp_json_get(b->result, "case"));
}

/* The engine's cases whose result is such, each once. The caller frees the items. */
static rows select_rows(
    const hp_model *model, const hp_engine_report *engine, bool (*is_such)(const json_t *result))
{
    rows chosen = {.items = hp_allocate(json_array_size(model->results), sizeof *chosen.items)};
    size_t i;
    const json_t *result;
    json_array_foreach(model->results, i, result)
    {
        const char *name = hp_json_get(result, "case");
        if (strcmp(hp_json_get(result, "engine"), engine->name) == 0 && is_such(result) &&
            hp_model_find(model, engine->name, name) == result) {
            chosen.items[chosen.count++] = (row){
                .result = result,
                .clause = hp_model_clause(model, result),
                .place = place_of(engine, name),
            };
            chosen.unstable += is_unstable(result);
        }
    }
    qsort(chosen.items, chosen.count, sizeof *chosen.items, compare);
    return chosen;
}

static size_t cases_that_ran(const hp_model *model, const hp_engine_report *engine)
{
    size_t ran = 0, i;
    const json_t *one;
    json_array_foreach(json_object_get(engine->about, "cases"), i, one)
    {
        ran += hp_model_find(model, engine->name, hp_json_get(one, "name")) != NULL;
    }
    return ran;
}

static void put_head(
    const hp_model *model, const hp_engine_report *engine, const rows *departures, FILE *out)
{
    size_t cases = json_array_size(json_object_get(engine->about, "cases"));
    size_t ran = cases_that_ran(model, engine);
    hp_tally all = hp_model_count(model, engine, &(hp_filter){0});
    fputs("**", out);
    hp_markdown_text(out, engine->name);
    putc(' ', out);
    hp_markdown_text(out, engine->version);
    fputs("**: ", out);
    if (departures->count == 0) {
        fputs("no known departures", out);
    } else {
        fprintf(out, "%zu known departure%s (%zu stable, %zu unstable)", departures->count,
            departures->count == 1 ? "" : "s", departures->count - departures->unstable,
            departures->unstable);
    }
    fprintf(out, " in %zu", ran);
    if (ran < cases) {
        fprintf(out, " of %zu", cases);
    }
    fprintf(out, " cases; not held: %zu of %zu promises.",
        all.of[HP_STATE_DEPARTS] + all.of[HP_STATE_BROKEN], all.total);
    if (engine->surprises > 0) {
        fprintf(out, " **G%s.**", hp_model_gate(engine) + 1);
    }
    fputs("\n", out);
    if (!model->complete) {
        fputs("\n**The run was cut short**: what is missing here did not run.\n", out);
    }
}

static void put_promise(const row *r, FILE *out)
{
    hp_markdown_cell(out, r->clause != NULL ? r->clause->sentence : "–");
}

/* The record's command, for whoever has but a checkout, and without what only that run needed: its
 * seed, its pace, the directories that it kept. */
static void put_command(const row *r, FILE *out)
{
    const char *whole = hp_json_get(r->result, "reproduce");
    const char *from = strstr(whole, " --engine "), *to = NULL;
    for (const char *at = from; at != NULL && (at = strstr(at, " --seed ")) != NULL; at++) {
        to = at;
    }
    char *command = to != NULL ? hp_format("conformance/run%.*s", (int)(to - from), from)
                               : hp_format("%s", whole);
    hp_markdown_code_cell(out, command);
    free(command);
}

static void put_surprises(
    const hp_model *model, const hp_engine_report *engine, const rows *surprises, FILE *out)
{
    if (surprises->count + engine->stale == 0) {
        return;
    }
    fputs("\n### Surprises\n\n| Promise | Result | Why | Reproduce |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < surprises->count; i++) {
        const row *r = &surprises->items[i];
        char *reason = hp_model_reason(r->result);
        fputs("|", out);
        put_promise(r, out);
        hp_markdown_cell(out, hp_json_get(r->result, "result"));
        hp_markdown_cell(out, reason);
        put_command(r, out);
        fputs("\n", out);
        free(reason);
    }
    size_t i;
    const json_t *line;
    json_array_foreach(model->stale, i, line)
    {
        if (strcmp(hp_json_get(line, "engine"), engine->name) == 0) {
            char *why = hp_format("%s:%lld names %s, which is no case", hp_json_get(line, "file"),
                (long long)json_integer_value(json_object_get(line, "line")),
                hp_json_get(line, "case"));
            fputs("| – | STALE |", out);
            hp_markdown_cell(out, why);
            fputs(" – |\n", out);
            free(why);
        }
    }
}

static const char *page_of(const row *r)
{
    return r->clause != NULL ? r->clause->page : "No page";
}

static void put_page_heading(const rows *departures, size_t first, FILE *out)
{
    size_t count = 0;
    for (size_t i = first; i < departures->count; i++) {
        count += strcmp(page_of(&departures->items[i]), page_of(&departures->items[first])) == 0;
    }
    fputs("\n### ", out);
    hp_markdown_text(out, page_of(&departures->items[first]));
    fprintf(out,
        ": %zu\n\n| Promise | Level | What it does instead | Reproduce |\n|---|---|---|---|\n",
        count);
}

static void put_departure(const row *r, FILE *out)
{
    const json_t *departure = json_object_get(r->result, "departure");
    char *level = r->clause != NULL ? hp_format("%s, %s", hp_level_name(r->clause->level),
                                          hp_source_name(r->clause->source))
                                    : hp_format("–");
    fputs("|", out);
    put_promise(r, out);
    hp_markdown_cell(out, level);
    fputs(is_unstable(r->result) ? " **unstable:**" : "", out);
    hp_markdown_cell(out, hp_json_get(departure, "reason"));
    put_command(r, out);
    fputs("\n", out);
    free(level);
}

static void put_open(const rows *open, FILE *out)
{
    for (size_t i = 0; i < open->count; i++) {
        fputs(i == 0 ? "\nListed as departures, but not asserted in this run: " : "; ", out);
        hp_markdown_text(out, hp_json_get(open->items[i].result, "case"));
    }
    fputs(open->count > 0 ? ".\n" : "", out);
}

int hp_departures_write(
    const hp_model *model, const hp_engine_report *engine, FILE *out, hp_error *error)
{
    (void)error;
    rows departures = select_rows(model, engine, is_departure);
    rows surprises = select_rows(model, engine, is_surprise);
    rows open = select_rows(model, engine, is_open);
    put_head(model, engine, &departures, out);
    put_surprises(model, engine, &surprises, out);
    put_open(&open, out);
    for (size_t i = 0; i < departures.count; i++) {
        const row *r = &departures.items[i];
        if (i == 0 || strcmp(page_of(r), page_of(r - 1)) != 0) {
            put_page_heading(&departures, i, out);
        }
        put_departure(r, out);
    }
    free(departures.items);
    free(surprises.items);
    free(open.items);
    return 0;
}
