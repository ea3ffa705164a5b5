/* Command lines: see options.h. */
#include "options.h"

#include "text.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    KEY_PROFILE = 256,
    KEY_CLAUSE,
    KEY_WORK,
    KEY_KEEP,
    KEY_FAIL_FAST,
    KEY_REPEAT,
    KEY_SCALE,
    KEY_SEED,
    KEY_LIST,
    KEY_EXPECT,
    KEY_CHECK,
    KEY_RECORD
};

static void append(hp_strings *strings, char *value)
{
    char **longer = hp_allocate(strings->count + 1, sizeof *longer);
    if (strings->count > 0) {
        memcpy(longer, strings->items, strings->count * sizeof *longer);
    }
    free(strings->items);
    strings->items = longer;
    strings->items[strings->count++] = value;
}

static uint64_t number(
    struct argp_state *state, const char *what, const char *text, uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (errno != 0 || *end != '\0' || end == text || text[0] == '-' || value < least ||
        value > most) {
        argp_error(state, "%s: '%s' is not a number from %llu to %llu", what, text,
            (unsigned long long)least, (unsigned long long)most);
    }
    return value;
}

static double factor(struct argp_state *state, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (*end != '\0' || end == text || !isfinite(value) || value < 0.01 || value > 1000) {
        argp_error(state, "--timeout-scale: '%s' is not a number from 0.01 to 1000", text);
    }
    return value;
}

static error_t parse_check(int key, char *argument, struct argp_state *state)
{
    hp_check_options *options = state->input;
    switch (key) {
    case 'e':
        append(&options->engines, argument);
        return 0;
    case KEY_PROFILE:
        append(&options->profiles, argument);
        return 0;
    case 'c':
        append(&options->cases, argument);
        return 0;
    case KEY_CLAUSE:
        append(&options->clauses, argument);
        return 0;
    case 'j':
        options->jobs = (unsigned)number(state, "--jobs", argument, 1, 512);
        return 0;
    case KEY_WORK:
        options->work = argument;
        return 0;
    case 'o':
        options->out = argument;
        return 0;
    case KEY_EXPECT:
        options->expect = argument;
        return 0;
    case KEY_KEEP:
        options->keep = true;
        return 0;
    case KEY_FAIL_FAST:
        options->fail_fast = true;
        return 0;
    case KEY_REPEAT:
        options->repeat = (unsigned)number(state, "--repeat", argument, 1, 1000000);
        return 0;
    case KEY_SCALE:
        options->timeout_scale = factor(state, argument);
        return 0;
    case KEY_SEED:
        options->seed = number(state, "--seed", argument, 0, INT64_MAX);
        return 0;
    case KEY_LIST:
        options->list = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", argument);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option check_switches[] = {
    {"engine", 'e', "NAME|FILE", 0,
        "Test this engine: a name that `hotproof engines` prints, or the file of a module. "
        "Repeatable. Default: every engine that is installed",
        1},
    {"profile", KEY_PROFILE, "NAME", 0, "Only engines of this profile. Repeatable", 1},
    {"case", 'c', "GLOB", 0, "Only cases whose name matches. Repeatable", 1},
    {"clause", KEY_CLAUSE, "GLOB", 0, "Only cases that assert such a clause. Repeatable", 1},
    {"list", KEY_LIST, NULL, 0, "Print the selected cases and run none", 1},
    {"jobs", 'j', "N", 0, "Cases at a time (default: the number of processors)", 2},
    {"repeat", KEY_REPEAT, "N", 0, "Run each case N times", 2},
    {"timeout-scale", KEY_SCALE, "F", 0, "Stretch all time limits by this factor", 2},
    {"seed", KEY_SEED, "N", 0, "Seed for cases with random parts (default: from the clock)", 2},
    {"fail-fast", KEY_FAIL_FAST, NULL, 0, "Start no more cases after the first surprise", 2},
    {"work", KEY_WORK, "DIR", 0,
        "Directory, and so the file system, in which the cases run (default: $TMPDIR or /tmp)", 3},
    {"keep", KEY_KEEP, NULL, 0, "Keep every case's directory, not only those of surprises", 3},
    {"out", 'o', "DIR", 0, "Where record, logs and report go (default: hotproof-out)", 3},
    {"expect", KEY_EXPECT, "DIR", 0, "Take the expectation files from this directory", 3},
    {0},
};

static const char check_text[] =
    "Runs the conformance cases, each in a process and a directory of its own, and reports which "
    "engine keeps which promise."
    "\vExit status: 0 all as expected; 1 surprises (FAIL, CRASH, TIMEOUT, XPASS, VACUOUS, or a "
    "stale line in an expectation file); 2 usage; 3 the kit itself failed (a case ended as ERROR, "
    "a module is no good, the run was interrupted); 4 nothing ran.";

static char *joined(int argc, char **argv)
{
    char *line = hp_format("hotproof");
    for (int i = 0; i < argc; i++) {
        char *longer = hp_format("%s %s", line, argv[i]);
        free(line);
        line = longer;
    }
    return line;
}

static unsigned processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}

static void parse(const struct argp *parser, int argc, char **argv, void *options)
{
    char *own_name = argv[0];
    char *name = hp_format("hotproof %s", own_name);
    argv[0] = name;
    argp_parse(parser, argc, argv, 0, NULL, options);
    argv[0] = own_name;
    free(name);
}

void hp_check_options_parse(int argc, char **argv, hp_check_options *options)
{
    static const struct argp parser = {
        .options = check_switches, .parser = parse_check, .doc = check_text};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *options = (hp_check_options){
        .jobs = processors(),
        .repeat = 1,
        .out = "hotproof-out",
        .expect = HOTPROOF_EXPECT_DIR,
        .timeout_scale = 1.0,
        .seed = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
        .command_line = joined(argc, argv),
    };
    parse(&parser, argc, argv, options);
}

void hp_check_options_free(hp_check_options *options)
{
    free(options->engines.items);
    free(options->profiles.items);
    free(options->cases.items);
    free(options->clauses.items);
    free(options->command_line);
}

static error_t parse_clauses(int key, char *argument, struct argp_state *state)
{
    hp_clauses_options *options = state->input;
    switch (key) {
    case 'e':
        append(&options->engines, argument);
        return 0;
    case KEY_CHECK:
        options->check = true;
        return 0;
    case KEY_RECORD:
        options->record = argument;
        return 0;
    case ARGP_KEY_ARG:
        append(&options->clauses, argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define ENGINE_SWITCH                                                                      \
    {                                                                                      \
        "engine", 'e', "NAME|FILE", 0,                                                     \
            "Take the cases from this engine's module. Repeatable. Default: all that are " \
            "installed",                                                                   \
            0                                                                              \
    }

void hp_clauses_options_parse(int argc, char **argv, hp_clauses_options *options)
{
    static const struct argp_option switches[] = {
        ENGINE_SWITCH,
        {"check", KEY_CHECK, NULL, 0,
            "Print nothing but clauses without a case; 1 if there are any", 0},
        {0},
    };
    static const struct argp parser = {
        .options = switches,
        .parser = parse_clauses,
        .args_doc = "[GLOB...]",
        .doc = "Prints the promises, with the cases that assert them.",
    };
    *options = (hp_clauses_options){0};
    parse(&parser, argc, argv, options);
}

void hp_errors_options_parse(int argc, char **argv, hp_clauses_options *options)
{
    static const struct argp_option switches[] = {
        ENGINE_SWITCH,
        {"check", KEY_CHECK, NULL, 0, "Print nothing but pairs without a case; 1 if there are any",
            0},
        {"record", KEY_RECORD, "FILE", 0,
            "Show what each engine did in this record (default: hotproof-out/latest/record.ndjson, "
            "if there is one)",
            0},
        {0},
    };
    static const struct argp parser = {
        .options = switches,
        .parser = parse_clauses,
        .args_doc = "[FUNCTION-GLOB...]",
        .doc = "Prints the errors that the documentation names, function by function, with the "
               "cases that produce them.",
    };
    *options = (hp_clauses_options){0};
    parse(&parser, argc, argv, options);
}

void hp_clauses_options_free(hp_clauses_options *options)
{
    free(options->engines.items);
    free(options->clauses.items);
}
