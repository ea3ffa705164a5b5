/* The report as Markdown: see markdown.h. */
#include "markdown.h"

#include "markdown_text.h"

#include <stdlib.h>
#include <string.h>

/* The heading row of a table with a column per engine. */
static void put_engine_heading(const hp_model *model, FILE *out, const char *title)
{
    fputs("|", out);
    hp_markdown_cell(out, title);
    for (size_t e = 0; e < model->engine_count; e++) {
        char *name = hp_format("%s %s", model->engines[e].name, model->engines[e].version);
        hp_markdown_cell(out, name);
        free(name);
    }
    fputs("\n|---|", out);
    for (size_t e = 0; e < model->engine_count; e++) {
        fputs("---|", out);
    }
    fputs("\n", out);
}

/* "5/6 · 3/3 · 1/2" of the page (NULL: of all). A level without promises is a dash. */
static void put_levels(
    const hp_model *model, const hp_engine_report *engine, const char *page, FILE *out)
{
    const hp_filter columns[] = {
        {.page = page, .levels = 1u << HP_MUST, .sources = 1u << HP_DOCUMENTED},
        {.page = page, .levels = 1u << HP_MUST, .sources = 1u << HP_INFERRED},
        {.page = page, .levels = 1u << HP_SHOULD},
    };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        hp_tally tally = hp_model_count(model, engine, &columns[i]);
        fputs(i == 0 ? " " : " · ", out);
        if (tally.total == 0) {
            fputs("–", out);
        } else {
            fprintf(out, "%zu/%zu", tally.of[HP_STATE_HELD], tally.total);
        }
    }
    fputs(" |", out);
}

/* A page that says nothing but MAY and INFO has no row. */
static bool has_levels(const hp_model *model, const char *page)
{
    hp_filter filter = {.page = page, .levels = 1u << HP_MUST | 1u << HP_SHOULD};
    for (size_t e = 0; e < model->engine_count; e++) {
        if (hp_model_count(model, &model->engines[e], &filter).total > 0) {
            return true;
        }
    }
    return false;
}

static void put_verdict_rows(const hp_model *model, FILE *out)
{
    fputs("| **Gate** |", out);
    for (size_t e = 0; e < model->engine_count; e++) {
        hp_markdown_cell(out, hp_model_gate(&model->engines[e]) + strlen("gate "));
    }
    fputs("\n| **Conformance** |", out);
    for (size_t e = 0; e < model->engine_count; e++) {
        hp_markdown_cell(out, hp_model_verdict(model, &model->engines[e]));
    }
    fputs("\n", out);
}

static void put_absent(const hp_model *model, FILE *out)
{
    size_t i;
    const json_t *absent;
    json_array_foreach(json_object_get(model->header, "not_installed"), i, absent)
    {
        const char *package = hp_json_get(absent, "package");
        fputs("\nNot installed: ", out);
        hp_markdown_text(out, hp_json_get(absent, "engine"));
        fprintf(out, "%s%s.\n", package[0] != '\0' ? "; apt install " : "", package);
    }
}

int hp_markdown_write_brief(const hp_model *model, FILE *out, hp_error *error)
{
    (void)error;
    const char *page = NULL;
    put_engine_heading(model, out, "Promises held: documented MUST · inferred MUST · SHOULD");
    for (size_t i = 0; i < model->clause_count; i++) {
        if (page != NULL && strcmp(page, model->clauses[i].page) == 0) {
            continue;
        }
        page = model->clauses[i].page;
        if (!has_levels(model, page)) {
            continue;
        }
        fputs("|", out);
        hp_markdown_cell(out, page);
        for (size_t e = 0; e < model->engine_count; e++) {
            put_levels(model, &model->engines[e], page, out);
        }
        fputs("\n", out);
    }
    fputs("| **All** |", out);
    for (size_t e = 0; e < model->engine_count; e++) {
        put_levels(model, &model->engines[e], NULL, out);
    }
    fputs("\n", out);
    put_verdict_rows(model, out);
    put_absent(model, out);
    if (!model->complete) {
        fputs("\n**The run was cut short**: what is missing here did not run.\n", out);
    }
    return 0;
}

static void put_state(const hp_tally *tally, FILE *out)
{
    static const struct {
        hp_clause_state state;
        const char *word;
    } others[] = {
        {HP_STATE_BROKEN, "broken"}, {HP_STATE_DEPARTS, "depart"}, {HP_STATE_NOT_RUN, "not run"}};
    if (tally->total == 0) {
        fputs(" – |", out);
        return;
    }
    fprintf(out, " %zu/%zu", tally->of[HP_STATE_HELD], tally->total);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (tally->of[others[i].state] > 0) {
            fprintf(out, ", %zu %s", tally->of[others[i].state], others[i].word);
        }
    }
    fputs(" |", out);
}

static void put_chapters(const hp_model *model, FILE *out)
{
    fputs("\n## Promises held\n\n", out);
    put_engine_heading(model, out, "Page, section");
    for (size_t i = 0; i < model->clause_count; i++) {
        const hp_clause_entry *clause = &model->clauses[i];
        hp_filter section = {.page = clause->page, .section = clause->section};
        if (i > 0 && strcmp(clause[-1].page, clause->page) == 0 &&
            strcmp(clause[-1].section, clause->section) == 0) {
            continue;
        }
        char *label = hp_format("%s, %s", clause->page, clause->section);
        fputs("|", out);
        hp_markdown_cell(out, label);
        free(label);
        for (size_t e = 0; e < model->engine_count; e++) {
            hp_tally tally = hp_model_count(model, &model->engines[e], &section);
            put_state(&tally, out);
        }
        fputs("\n", out);
    }
}

static void put_surprise(const json_t *result, FILE *out)
{
    const char *where = hp_json_get(result, "where"), *blame = hp_json_get(result, "blame");
    char *reason = hp_model_reason(result);
    fprintf(out, "\n### %s ", hp_json_get(result, "result"));
    hp_markdown_text(out, hp_json_get(result, "engine"));
    fputs(": ", out);
    hp_markdown_text(out, hp_json_get(result, "case"));
    fputs("\n\n", out);
    hp_markdown_fenced(out, "", reason);
    if (where[0] != '\0' || blame[0] != '\0') {
        fputs("\nAt ", out);
        hp_markdown_text(out, where[0] != '\0' ? where : "an unknown place");
        if (blame[0] != '\0') {
            fputs(", asserting ", out);
            hp_markdown_text(out, blame);
        }
        fputs(".\n", out);
    }
    fputs("\nReproduce:\n\n", out);
    hp_markdown_fenced(out, "", hp_json_get(result, "reproduce"));
    if (hp_json_get(result, "log_tail")[0] != '\0') {
        fputs("\nLog:\n\n", out);
        hp_markdown_fenced(out, "", hp_json_get(result, "log_tail"));
    }
    free(reason);
}

static void put_surprises(const hp_model *model, FILE *out)
{
    size_t i, shown = 0;
    const json_t *line;
    json_array_foreach(model->results, i, line)
    {
        if (hp_result_is_surprise(hp_model_result(line))) {
            fputs(shown++ == 0 ? "\n## Surprises\n" : "", out);
            put_surprise(line, out);
        }
    }
    json_array_foreach(model->stale, i, line)
    {
        fputs(shown++ == 0 ? "\n## Surprises\n" : "", out);
        fputs("\n### STALE ", out);
        hp_markdown_text(out, hp_json_get(line, "engine"));
        fputs("\n\n", out);
        hp_markdown_text(out, hp_json_get(line, "file"));
        fprintf(out, ":%" JSON_INTEGER_FORMAT " names ",
            json_integer_value(json_object_get(line, "line")));
        hp_markdown_text(out, hp_json_get(line, "case"));
        fputs(", which is no case.\n", out);
    }
}

/* A table of the cases whose result is one of `results` (bits), each once. */
static void put_cases(const hp_model *model, unsigned results, const char *title, FILE *out)
{
    size_t i, shown = 0;
    const json_t *line;
    json_array_foreach(model->results, i, line)
    {
        const char *engine = hp_json_get(line, "engine"), *name = hp_json_get(line, "case");
        const json_t *departure = json_object_get(line, "departure");
        hp_result what = hp_model_result(line);
        if ((results & 1u << what) == 0 || hp_model_find(model, engine, name) != line) {
            continue;
        }
        if (shown++ == 0) {
            fprintf(out, "\n## %s\n\n| Engine | Case | Result | Why |\n|---|---|---|---|\n", title);
        }
        fputs("|", out);
        hp_markdown_cell(out, engine);
        hp_markdown_cell(out, name);
        hp_markdown_cell(out, hp_json_get(line, what == HP_RESULT_XFAIL ? "raw" : "result"));
        hp_markdown_cell(out, hp_json_get(what == HP_RESULT_XFAIL ? departure : line,
                                  what == HP_RESULT_XFAIL ? "reason" : "message"));
        fputs("\n", out);
    }
}

static void put_row(FILE *out, const char *label, const char *text)
{
    fputs("|", out);
    hp_markdown_cell(out, label);
    hp_markdown_cell(out, text);
    fputs("\n", out);
}

static void put_run(const hp_run *run, FILE *out)
{
    const json_t *host = json_object_get(run->header, "host");
    const json_t *files = json_object_get(host, "file_system");
    char *kit = hp_format("hotproof %s, revision %s", hp_json_get(run->header, "hotproof"),
        hp_json_get(run->header, "revision"));
    char *disk = hp_format("%s on %s", hp_json_get(files, "type"), hp_json_get(files, "mount"));
    char *seed =
        hp_format("%lld", (long long)json_integer_value(json_object_get(run->header, "seed")));
    fputs("\n| | |\n|---|---|\n", out);
    put_row(out, "Record", run->path);
    put_row(out, "Kit", kit);
    put_row(out, "Started", hp_json_get(run->header, "started"));
    put_row(out, "Ended", run->footer != NULL ? hp_json_get(run->footer, "ended") : "cut short");
    put_row(out, "Command", hp_json_get(run->header, "command"));
    put_row(out, "Seed", seed);
    put_row(out, "Kernel", hp_json_get(host, "kernel"));
    put_row(out, "File system", disk);
    put_row(out, "Isolation", hp_json_get(run->header, "isolation"));
    free(kit);
    free(disk);
    free(seed);
}

int hp_markdown_write(const hp_model *model, FILE *out, hp_error *error)
{
    (void)error;
    fputs("# Does the hot backup hold?\n\n", out);
    for (size_t e = 0; e < model->engine_count; e++) {
        const hp_engine_report *engine = &model->engines[e];
        char *held = hp_model_held(engine);
        fputs("- **", out);
        hp_markdown_text(out, engine->name);
        fputs(" ", out);
        hp_markdown_text(out, engine->version);
        fprintf(
            out, "**: %s; %s. %s\n", hp_model_gate(engine), hp_model_verdict(model, engine), held);
        free(held);
    }
    put_absent(model, out);
    if (!model->complete) {
        fputs("\n**The run was cut short**: what is missing here did not run.\n", out);
    }
    put_chapters(model, out);
    put_surprises(model, out);
    put_cases(model, 1u << HP_RESULT_XFAIL, "Known departures", out);
    put_cases(model, 1u << HP_RESULT_UNSUPPORTED | 1u << HP_RESULT_UNRESOLVED, "Not asserted", out);
    fputs(model->run_count == 1 ? "\n## The run\n" : "\n## The runs\n", out);
    for (size_t i = 0; i < model->run_count; i++) {
        put_run(&model->runs[i], out);
    }
    return 0;
}
