/* The command `hotproof report`: see report.h. */
#include "report.h"

#include "../runner/arguments.h"
#include "../runner/check.h"
#include "html.h"
#include "junit.h"
#include "markdown.h"
#include "tap.h"
#include "terminal.h"

#include <errno.h>
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
    writer write, brief; /* brief: NULL if the format has none */
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
    const char *output; /* NULL: standard output */
    bool brief, strict;
} options;

enum { KEY_BRIEF = 256, KEY_STRICT };

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
    {"strict", KEY_STRICT, NULL, 0,
        "A SHOULD that is not held makes an engine not conformant, as if the run had been strict",
        0},
    {0},
};

static const char text[] =
    "Renders records. Several are one report: shards of a run, or one engine each; records that "
    "overlap or do not belong together (another kit, seed, table of promises or version of an "
    "engine) are refused. A RECORD is a file, or the directory of a run."
    "\v" HP_STATUS_HELP("written, whatever the report says") " With 3 nothing usable was written.";

static int write_report(const options *o, const hp_model *model, hp_error *error)
{
    const char *name = o->output != NULL ? o->output : "standard output";
    FILE *out = o->output != NULL ? fopen(o->output, "we") : stdout;
    if (out == NULL) {
        return hp_fail(error, "%s: %s", name, strerror(errno));
    }
    writer write = o->brief ? o->format->brief : o->format->write;
    int status = write(model, out, error);
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
    int status = hp_model_load_all(o.records.items, o.records.count, &model, &error);
    if (status == 0) {
        model.strict = model.strict || o.strict;
        status = write_report(&o, &model, &error);
        hp_model_free(&model);
    }
    if (status != 0) {
        fprintf(stderr, "hotproof report: %s\n", error.text);
    }
    hp_strings_free(&o.records);
    return status == 0 ? HP_EXIT_EXPECTED : HP_EXIT_KIT_FAILED;
}
