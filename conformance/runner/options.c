/* Command lines: see options.h. */
#include "options.h"

#include "text.h"

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
    KEY_RECORD,
    KEY_SHUFFLE,
    KEY_RERUN,
    KEY_GDB,
    KEY_STRICT
};

static double factor(struct argp_state *state, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (*end != '\0' || end == text || !isfinite(value) || value < 0.01 || value > 1000) {
        argp_error(state, "--timeout-scale: '%s' is not a number from 0.01 to 1000", text);
    }
    return value;
}

/* A debugger takes one case, and a run of one case has no use for the rest. */
static void check_gdb(struct argp_state *state, const hp_check_options *options)
{
    if (options->gdb != NULL &&
        (options->list || options->shuffle || options->rerun != NULL || options->repeat > 1 ||
            options->cases.count + options->clauses.count > 0)) {
        argp_error(state, "--gdb takes one case: it goes with --engine, --work, --seed and "
                          "--timeout-scale, not with what selects cases");
    }
}

/* What to run. */
static error_t parse_selection(int key, char *argument, struct argp_state *state)
{
    hp_check_options *options = state->input;
    switch (key) {
    case 'e':
        hp_strings_add(&options->engines, argument);
        return 0;
    case KEY_PROFILE:
        hp_strings_add(&options->profiles, argument);
        return 0;
    case 'c':
        hp_strings_add(&options->cases, argument);
        return 0;
    case KEY_CLAUSE:
        hp_strings_add(&options->clauses, argument);
        return 0;
    case KEY_RERUN:
        options->rerun = argument;
        return 0;
    case KEY_GDB:
        options->gdb = argument;
        return 0;
    case KEY_LIST:
        options->list = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", argument);
        return EINVAL;
    case ARGP_KEY_END:
        check_gdb(state, options);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* How to run it, and what becomes of it. */
static error_t parse_check(int key, char *argument, struct argp_state *state)
{
    hp_check_options *options = state->input;
    switch (key) {
    case 'j':
        options->jobs = (unsigned)hp_argument_number(state, "--jobs", argument, 1, 512);
        return 0;
    case KEY_REPEAT:
        options->repeat = (unsigned)hp_argument_number(state, "--repeat", argument, 1, 1000000);
        return 0;
    case KEY_SHUFFLE:
        options->shuffle = true;
        options->shuffle_seed = hp_argument_number(state, "--shuffle", argument, 0, INT64_MAX);
        return 0;
    case KEY_SCALE:
        options->timeout_scale = factor(state, argument);
        return 0;
    case KEY_SEED:
        options->seed_given = true;
        options->seed = hp_argument_number(state, "--seed", argument, 0, INT64_MAX);
        return 0;
    case KEY_FAIL_FAST:
        options->fail_fast = true;
        return 0;
    case KEY_STRICT:
        options->strict = true;
        return 0;
    case KEY_WORK:
        options->work = argument;
        return 0;
    case KEY_KEEP:
        options->keep = true;
        return 0;
    case 'o':
        options->out = argument;
        return 0;
    case KEY_EXPECT:
        options->expect = argument;
        return 0;
    default:
        return parse_selection(key, argument, state);
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
    {"rerun-failed", KEY_RERUN, "RECORD", 0,
        "Only the cases that are surprises in this record, on its engines and with its seed unless "
        "others are given. RECORD is a file, or the directory of a run",
        1},
    {"list", KEY_LIST, NULL, 0, "Print the selected cases, in the order of the run, and run none",
        1},
    {"gdb", KEY_GDB, "CASE", 0,
        "Run this case under gdb, stopped where it begins, inside its fences and without a time "
        "limit. Nothing is recorded",
        1},
    {"jobs", 'j', "N", 0, "Cases at a time (default: the number of processors)", 2},
    {"repeat", KEY_REPEAT, "N", 0, "Run each case N times", 2},
    {"shuffle", KEY_SHUFFLE, "SEED", 0, "Start the cases in an order drawn by this seed", 2},
    {"timeout-scale", KEY_SCALE, "F", 0, "Stretch all time limits by this factor", 2},
    {"seed", KEY_SEED, "N", 0, "Seed for cases with random parts (default: from the clock)", 2},
    {"fail-fast", KEY_FAIL_FAST, NULL, 0, "Start no more cases after the first surprise", 2},
    {"strict", KEY_STRICT, NULL, 0,
        "A SHOULD that is not held makes an engine not conformant, as a MUST does. (The gate asks "
        "for surprises of every level, strict or not.)",
        2},
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
    "a module is no good, the run was interrupted); 4 nothing ran. With --gdb: 0 the debugger "
    "ended.";

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
    hp_arguments_parse(&parser, argc, argv, options);
}

void hp_check_options_free(hp_check_options *options)
{
    hp_strings_free(&options->engines);
    hp_strings_free(&options->profiles);
    hp_strings_free(&options->cases);
    hp_strings_free(&options->clauses);
    free(options->command_line);
}

static error_t parse_clauses(int key, char *argument, struct argp_state *state)
{
    hp_clauses_options *options = state->input;
    switch (key) {
    case 'e':
        hp_strings_add(&options->engines, argument);
        return 0;
    case KEY_PROFILE:
        hp_strings_add(&options->profiles, argument);
        return 0;
    case KEY_CHECK:
        options->check = true;
        return 0;
    case KEY_RECORD:
        options->record = argument;
        return 0;
    case ARGP_KEY_ARG:
        hp_strings_add(&options->clauses, argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define ENGINE_SWITCHES                                                                       \
    {"engine", 'e', "NAME|FILE", 0,                                                           \
        "Take the cases from this engine's module. Repeatable. Default: all that are "        \
        "installed",                                                                          \
        0},                                                                                   \
    {                                                                                         \
        "profile", KEY_PROFILE, "NAME", 0, "Only what belongs to this profile. Repeatable", 0 \
    }

void hp_clauses_options_parse(int argc, char **argv, hp_clauses_options *options)
{
    static const struct argp_option switches[] = {
        ENGINE_SWITCHES,
        {"check", KEY_CHECK, NULL, 0,
            "Print nothing but clauses without a case; 1 if there are any", 0},
        {0},
    };
    static const struct argp parser = {
        .options = switches,
        .parser = parse_clauses,
        .args_doc = "[GLOB...]",
        .doc = "Prints the promises, with the cases that assert them."
               "\vExit status: 0 printed; 1 with --check: a clause has no case; 2 usage; 3 the kit "
               "itself failed (a module is no good, or none is built).",
    };
    *options = (hp_clauses_options){0};
    hp_arguments_parse(&parser, argc, argv, options);
}

void hp_errors_options_parse(int argc, char **argv, hp_clauses_options *options)
{
    static const struct argp_option switches[] = {
        ENGINE_SWITCHES,
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
               "cases that produce them."
               "\vExit status: 0 printed; 1 with --check: a pair has no case; 2 usage; 3 the kit "
               "itself failed (a module or the record is no good, or no module is built).",
    };
    *options = (hp_clauses_options){0};
    hp_arguments_parse(&parser, argc, argv, options);
}

void hp_clauses_options_free(hp_clauses_options *options)
{
    hp_strings_free(&options->engines);
    hp_strings_free(&options->profiles);
    hp_strings_free(&options->clauses);
}
