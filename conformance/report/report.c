/* The command `hotproof report`: see report.h. */
#include "report.h"

#include "../runner/arguments.h"
#include "../runner/check.h"
#include "departures.h"
#include "html.h"
#include "junit.h"
#include "markdown.h"
#include "tap.h"
#include "terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef int (*writer)(const hp_model *model, FILE *out, hp_error *error);

static int write_terminal(const hp_model *model, FILE *out, hp_error *error)
{
    (void)error;
    hp_terminal_print(model, out, NULL);
    return 0;
}

static const struct format {
    const char *name;
    writer write, brief; /* brief: NULL if the format has neither this nor departures */
} formats[] = {
    {"terminal", write_terminal, NULL},
    {"html", hp_html_write, NULL},
    {"tap", hp_tap_write, NULL},
    {"junit", hp_junit_write, NULL},
    {"markdown", hp_markdown_write, hp_markdown_write_brief},
};

typedef struct options {
    hp_strings records;
    const struct format *format;
    const char *output;     /* NULL: standard output */
    const char *departures; /* of this engine only; NULL: a whole report */
    bool brief, strict;
} options;

enum { KEY_BRIEF = 256, KEY_DEPARTURES, KEY_STRICT };

static const struct format *format_called(struct argp_state *state, const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, name) == 0) {
            return &formats[i];
        }
    }
    argp_error(state, "--format: '%s' is not terminal, html, tap, junit or markdown", name);
    return NULL;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    options *o = state->input;
    switch (key) {
    case 'f':
        o->format = format_called(state, argument);
        return 0;
    case 'o':
        o->output = strcmp(argument, "-") == 0 ? NULL : argument;
        return 0;
    case KEY_BRIEF:
        o->brief = true;
        return 0;
    case KEY_DEPARTURES:
        o->departures = argument;
        return 0;
    case KEY_STRICT:
        o->strict = true;
        return 0;
    case ARGP_KEY_ARG:
        hp_strings_add(&o->records, argument);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "of which record?");
        return 0;
    case ARGP_KEY_END:
        if (o->brief && o->format->brief == NULL) {
            argp_error(state, "--brief goes with --format markdown");
        }
        if (o->departures != NULL && (o->brief || o->format->brief == NULL)) {
            argp_error(state, "--departures goes with --format markdown, and without --brief");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option switches[] = {
    {"format", 'f', "FORMAT", 0,
        "terminal (the default), html, tap (TAP 14), junit (JUnit XML) or markdown", 0},
    {"output", 'o', "FILE", 0, "Write to this file (default: standard output)", 0},
    {"brief", KEY_BRIEF, NULL, 0,
        "With --format markdown: only one table, a row per page of the manual", 0},
    {"departures", KEY_DEPARTURES, "ENGINE", 0,
        "With --format markdown: only what this engine is known to do otherwise, a row per "
        "departure: promise, level, what it does instead, the command that shows it. Surprises "
        "are listed as such",
        0},
    {"strict", KEY_STRICT, NULL, 0,
        "A SHOULD that is not held makes an engine not conformant, as if the run had been strict",
        0},
    {0},
};

static const char text[] =
    "Renders records. Several are one report: shards of a run, or one engine each; records that "
    "overlap or do not belong together (another kit, seed, table of promises or version of an "
    "engine) are refused. A RECORD is a file, or the directory of a run."
    "\v" HP_STATUS_HELP(
        "written, whatever the report says") " With 3 nothing usable was written. "
                                             "An engine that is not in the records is 2.";

static int write_to(const options *o, const hp_model *model, FILE *out, hp_error *error)
{
    if (o->departures != NULL) {
        return hp_departures_write(model, hp_model_engine(model, o->departures), out, error);
    }
    return (o->brief ? o->format->brief : o->format->write)(model, out, error);
}

/* Before anything is written: a mistyped name must not cost the file that is there. */
static int check_engine(const options *o, const hp_model *model, hp_error *error)
{
    if (o->departures == NULL || hp_model_engine(model, o->departures) != NULL) {
        return 0;
    }
    char *names = hp_format("%s", "");
    for (size_t i = 0; i < model->engine_count; i++) {
        char *longer = hp_format("%s%s%s", names, i > 0 ? ", " : "", model->engines[i].name);
        free(names);
        names = longer;
    }
    hp_fail(error, "%s: no engine is called %s; its engines: %s", model->path, o->departures,
        names[0] != '\0' ? names : "none");
    free(names);
    return -1;
}

static int write_report(const options *o, const hp_model *model, hp_error *error)
{
    const char *name = o->output != NULL ? o->output : "standard output";
    FILE *out = o->output != NULL ? fopen(o->output, "we") : stdout;
    if (out == NULL) {
        return hp_fail(error, "%s: %s", name, strerror(errno));
    }
    int status = write_to(o, model, out, error);
    errno = 0;
    bool failed = ferror(out) != 0 || fflush(out) != 0;
    if (out != stdout && fclose(out) != 0) {
        failed = true;
    }
    if (status == 0 && failed) {
        status = hp_fail(error, "%s: %s", name, errno != 0 ? strerror(errno) : "cannot be written");
    }
    return status;
}

int hp_report_command(int argc, char **argv)
{
    static const struct argp parser = {
        .options = switches, .parser = parse, .args_doc = "RECORD...", .doc = text};
    options o = {.format = &formats[0]};
    hp_model model;
    hp_error error;
    hp_arguments_parse(&parser, argc, argv, &o);
    int status = HP_EXIT_KIT_FAILED;
    if (hp_model_load_all(o.records.items, o.records.count, &model, &error) == 0) {
        model.strict = model.strict || o.strict;
        if (check_engine(&o, &model, &error) != 0) {
            status = HP_EXIT_USAGE;
        } else if (write_report(&o, &model, &error) == 0) {
            status = HP_EXIT_EXPECTED;
        }
        hp_model_free(&model);
    }
    if (status != HP_EXIT_EXPECTED) {
        fprintf(stderr, "hotproof report: %s\n", error.text);
    }
    hp_strings_free(&o.records);
    return status;
}
