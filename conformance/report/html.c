/* The report as HTML: see html.h. libxml2 escapes all text. */
#include "html.h"

#include "xml.h"

#include <stdlib.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--line:#8884;--dim:#8889;--held:#2a7d4f;--known:#a86a00;"
    "--broken:#c22;--open:#777}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.5rem}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid "
    "var(--line)}"
    "thead th{position:sticky;top:0;background:Canvas}"
    "tr.page th{padding-top:1.2rem;border-bottom:2px solid var(--line)}"
    "code,pre{font:13px/1.45 ui-monospace,monospace}"
    "pre{overflow-x:auto;padding:.7rem;border:1px solid var(--line);border-radius:4px;"
    "white-space:pre-wrap;max-height:24rem;overflow-y:auto}"
    ".held{color:var(--held)}.departs{color:var(--known)}.broken{color:var(--broken);font-weight:"
    "600}"
    ".open,.foreign{color:var(--open)}.dim{color:var(--dim);font-size:.85em}"
    ".verdict{border:1px solid var(--line);border-left:5px solid var(--held);padding:.6rem 1rem;"
    "margin:.6rem 0;border-radius:4px}.verdict.bad{border-left-color:var(--broken)}"
    "td.state{white-space:nowrap}details{margin:.6rem 0}summary{cursor:pointer}";

static const char *const state_classes[] = {
    [HP_STATE_HELD] = "held",
    [HP_STATE_NOT_RUN] = "open",
    [HP_STATE_DEPARTS] = "departs",
    [HP_STATE_BROKEN] = "broken",
    [HP_STATE_FOREIGN] = "foreign",
};

static void open_tag(xmlTextWriterPtr w, const char *name, const char *class)
{
    xmlTextWriterStartElement(w, x(name));
    if (class != NULL) {
        xmlTextWriterWriteAttribute(w, x("class"), x(class));
    }
}

static void close_tag(xmlTextWriterPtr w)
{
    /* "Full": a browser does not know <td/>. */
    xmlTextWriterFullEndElement(w);
}

static void element(xmlTextWriterPtr w, const char *name, const char *class, const char *text)
{
    open_tag(w, name, class);
    xmlTextWriterWriteString(w, x(text));
    close_tag(w);
}

static void row(xmlTextWriterPtr w, const char *label, const char *text)
{
    open_tag(w, "tr", NULL);
    element(w, "th", NULL, label);
    element(w, "td", NULL, text);
    close_tag(w);
}

static void write_run(xmlTextWriterPtr w, const hp_run *run)
{
    const json_t *header = run->header;
    const json_t *host = json_object_get(header, "host");
    const json_t *files = json_object_get(host, "file_system");
    char *kit = hp_format("hotproof %s, revision %s, %s", hp_json_get(header, "hotproof"),
        hp_json_get(header, "revision"), hp_json_get(header, "build"));
    char *disk = hp_format("%s on %s (%s)", hp_json_get(files, "type"), hp_json_get(files, "mount"),
        hp_json_get(files, "options"));
    char *seed = hp_format("%lld", (long long)json_integer_value(json_object_get(header, "seed")));
    const json_t *order = json_object_get(header, "shuffle");
    char *shuffle = hp_format("%lld", (long long)json_integer_value(order));
    open_tag(w, "table", NULL);
    row(w, "Record", run->path);
    row(w, "Kit", kit);
    row(w, "Started", hp_json_get(header, "started"));
    row(w, "Ended", run->footer != NULL ? hp_json_get(run->footer, "ended") : "cut short");
    row(w, "Command", hp_json_get(header, "command"));
    row(w, "Seed", seed);
    if (json_is_integer(order)) {
        row(w, "Order drawn by seed", shuffle);
    }
    row(w, "Kernel", hp_json_get(host, "kernel"));
    row(w, "File system", disk);
    row(w, "Isolation", hp_json_get(header, "isolation"));
    size_t e;
    const json_t *about;
    json_array_foreach(json_object_get(header, "engines"), e, about)
    {
        const json_t *origin = json_array_get(json_object_get(about, "entry_points"), 0);
        char *text = hp_format("%s; %s from %s", hp_json_get(about, "build"),
            hp_json_get(origin, "function"), hp_json_get(origin, "file"));
        row(w, hp_json_get(about, "engine"), text);
        free(text);
    }
    close_tag(w);
    free(kit);
    free(disk);
    free(seed);
    free(shuffle);
}

static void write_verdicts(xmlTextWriterPtr w, const hp_model *model)
{
    for (size_t e = 0; e < model->engine_count; e++) {
        const hp_engine_report *engine = &model->engines[e];
        char *held = hp_model_held(engine);
        open_tag(w, "div", engine->surprises == 0 ? "verdict" : "verdict bad");
        xmlTextWriterWriteFormatElement(w, x("b"), "%s %s", engine->name, engine->version);
        char *verdict = hp_format(
            ": %s; %s. %s.", hp_model_gate(engine), hp_model_verdict(model, engine), held);
        xmlTextWriterWriteString(w, x(verdict));
        free(verdict);
        free(held);
        open_tag(w, "div", "dim");
        for (int r = 0; r < HP_RESULT_COUNT; r++) {
            if (engine->counts[r] > 0) {
                xmlTextWriterWriteFormatString(
                    w, "%zu %s  ", engine->counts[r], hp_result_name((hp_result)r));
            }
        }
        close_tag(w);
        close_tag(w);
    }
    size_t i;
    const json_t *absent;
    json_array_foreach(json_object_get(model->header, "not_installed"), i, absent)
    {
        const char *package = hp_json_get(absent, "package");
        open_tag(w, "div", "verdict");
        xmlTextWriterWriteFormatString(w, "%s: not installed%s%s", hp_json_get(absent, "engine"),
            package[0] != '\0' ? ": apt install " : "", package);
        close_tag(w);
    }
}

static void write_clause(xmlTextWriterPtr w, const hp_model *model, size_t i)
{
    const hp_clause_entry *clause = &model->clauses[i];
    open_tag(w, "tr", NULL);
    xmlTextWriterWriteAttribute(w, x("id"), x(clause->id));
    open_tag(w, "td", NULL);
    xmlTextWriterWriteString(w, x(clause->sentence));
    open_tag(w, "div", "dim");
    xmlTextWriterWriteFormatString(w, "%s, %s", clause->id, clause->section);
    close_tag(w);
    close_tag(w);
    open_tag(w, "td", "dim");
    static const char *const levels[] = {"MUST", "SHOULD", "MAY", "INFO"};
    xmlTextWriterWriteFormatString(w, "%s, %s", levels[clause->level],
        clause->source == HP_DOCUMENTED ? "documented" : "inferred");
    close_tag(w);
    for (size_t e = 0; e < model->engine_count; e++) {
        hp_clause_state state = model->engines[e].states[i];
        char *class = hp_format("state %s", state_classes[state]);
        element(w, "td", class, hp_model_state_name(state));
        free(class);
    }
    close_tag(w);
}

static void write_matrix(xmlTextWriterPtr w, const hp_model *model)
{
    char *columns = hp_format("%zu", model->engine_count + 2);
    element(w, "h2", NULL, "Who keeps which promise");
    open_tag(w, "table", NULL);
    open_tag(w, "thead", NULL);
    open_tag(w, "tr", NULL);
    element(w, "th", NULL, "Promise");
    element(w, "th", NULL, "Level");
    for (size_t e = 0; e < model->engine_count; e++) {
        char *title = hp_format("%s %s", model->engines[e].name, model->engines[e].version);
        element(w, "th", NULL, title);
        free(title);
    }
    close_tag(w);
    close_tag(w);
    open_tag(w, "tbody", NULL);
    for (size_t i = 0; i < model->clause_count; i++) {
        if (i == 0 || strcmp(model->clauses[i].page, model->clauses[i - 1].page) != 0) {
            open_tag(w, "tr", "page");
            open_tag(w, "th", NULL);
            xmlTextWriterWriteAttribute(w, x("colspan"), x(columns));
            xmlTextWriterWriteString(w, x(model->clauses[i].page));
            close_tag(w);
            close_tag(w);
        }
        write_clause(w, model, i);
    }
    close_tag(w);
    close_tag(w);
    free(columns);
}

static void write_details(xmlTextWriterPtr w, const json_t *result)
{
    const json_t *departure = json_object_get(result, "departure");
    size_t i;
    const json_t *id;
    open_tag(w, "p", NULL);
    char *reason = hp_model_reason(result);
    xmlTextWriterWriteString(w, x(reason));
    free(reason);
    if (hp_json_get(result, "where")[0] != '\0') {
        xmlTextWriterWriteFormatString(w, " (%s)", hp_json_get(result, "where"));
    }
    close_tag(w);
    open_tag(w, "p", NULL);
    json_array_foreach(json_object_get(result, "clauses"), i, id)
    {
        char *link = hp_format("#%s", json_string_value(id));
        open_tag(w, "a", NULL);
        xmlTextWriterWriteAttribute(w, x("href"), x(link));
        xmlTextWriterWriteString(w, x(json_string_value(id)));
        close_tag(w);
        xmlTextWriterWriteString(w, x(" "));
        free(link);
    }
    close_tag(w);
    if (departure != NULL) {
        open_tag(w, "p", NULL);
        xmlTextWriterWriteFormatString(w, "Expected since %s: %s %s",
            hp_json_get(departure, "since"), hp_json_get(departure, "reason"),
            hp_json_get(departure, "reference"));
        close_tag(w);
    }
    element(w, "pre", NULL, hp_json_get(result, "reproduce"));
    if (hp_json_get(result, "log_tail")[0] != '\0') {
        element(w, "pre", NULL, hp_json_get(result, "log_tail"));
    }
}

/* Surprises first and open, then departures and what was not asserted, folded. */
static void write_results(xmlTextWriterPtr w, const hp_model *model, bool surprises)
{
    size_t i;
    const json_t *result;
    element(w, "h2", NULL, surprises ? "Surprises" : "Known departures, and what was not asserted");
    json_array_foreach(model->results, i, result)
    {
        hp_result what = hp_model_result(result);
        bool surprise = hp_result_is_surprise(what);
        if (what == HP_RESULT_PASS || surprise != surprises) {
            continue;
        }
        open_tag(w, "details", NULL);
        if (surprise) {
            xmlTextWriterWriteAttribute(w, x("open"), x("open"));
        }
        open_tag(w, "summary", NULL);
        element(w, "span", surprise ? "broken" : "departs", hp_json_get(result, "result"));
        xmlTextWriterWriteFormatString(
            w, " %s: %s", hp_json_get(result, "engine"), hp_json_get(result, "case"));
        close_tag(w);
        write_details(w, result);
        close_tag(w);
    }
    if (surprises && json_array_size(model->stale) > 0) {
        json_array_foreach(model->stale, i, result)
        {
            open_tag(w, "p", "broken");
            xmlTextWriterWriteFormatString(w, "Stale line: %s:%d names %s, which is no case",
                hp_json_get(result, "file"),
                (int)json_integer_value(json_object_get(result, "line")),
                hp_json_get(result, "case"));
            close_tag(w);
        }
    }
}

static bool has_surprises(const hp_model *model)
{
    for (size_t e = 0; e < model->engine_count; e++) {
        if (model->engines[e].surprises > 0) {
            return true;
        }
    }
    return false;
}

static void write_head(xmlTextWriterPtr w)
{
    open_tag(w, "head", NULL);
    open_tag(w, "meta", NULL);
    xmlTextWriterWriteAttribute(w, x("charset"), x("utf-8"));
    xmlTextWriterEndElement(w);
    open_tag(w, "meta", NULL);
    xmlTextWriterWriteAttribute(w, x("name"), x("viewport"));
    xmlTextWriterWriteAttribute(w, x("content"), x("width=device-width"));
    xmlTextWriterEndElement(w);
    element(w, "title", NULL, "Hotproof: who keeps which promise");
    element(w, "style", NULL, style);
    close_tag(w);
}

static void write_page(xmlTextWriterPtr w, const hp_model *model)
{
    xmlTextWriterWriteDTD(w, x("html"), NULL, NULL, NULL);
    open_tag(w, "html", NULL);
    xmlTextWriterWriteAttribute(w, x("lang"), x("en"));
    write_head(w);
    open_tag(w, "body", NULL);
    element(w, "h1", NULL, "Does the hot backup hold?");
    write_verdicts(w, model);
    if (!model->complete) {
        element(w, "p", "broken", "The run was interrupted: what is missing here did not run.");
    }
    if (has_surprises(model)) {
        write_results(w, model, true);
    }
    write_matrix(w, model);
    write_results(w, model, false);
    element(w, "h2", NULL, model->run_count == 1 ? "The run" : "The runs");
    for (size_t i = 0; i < model->run_count; i++) {
        write_run(w, &model->runs[i]);
    }
    close_tag(w);
    close_tag(w);
}

int hp_html_write(const hp_model *model, FILE *out, hp_error *error)
{
    xmlTextWriterPtr w = hp_xml_open(out);
    write_page(w, model);
    return hp_xml_close(w, error);
}
