/* engine_sweep: runs the sweeps of the reference engine, or shows one violation again. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sweep.h"

typedef int (*sweep_fn)(const scenario *, const sweep_options *, sweep_result *);

static const struct {
    const char *name;
    sweep_fn run;
} kinds[] = {{"errors", sweep_errors}, {"memory", sweep_memory}, {"power", sweep_power}};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0], SCENARIO_MAX = 32 };
enum { KEY_PLAN = 0x100, KEY_REPLAY, KEY_NTH, KEY_BUDGET, KEY_SEED, KEY_FEW, KEY_LIST, KEY_TRACE };

typedef struct arguments {
    const scenario *what[SCENARIO_MAX];
    size_t count;
    bool kind[KIND_COUNT];
    bool any_kind;
    bool list;
    sweep_options how;
} arguments;

static const struct argp_option options[] = {
    {"scenario", 's', "NAME", 0, "Only this scenario (more than once)", 0},
    {"kind", 'k', "KIND", 0, "Only errors, memory or power (more than once)", 0},
    {"profile", 'p', "NAME", 0,
        "What the disk may lose: posix-weak (default), ext4-ordered, sequential, atomic-page", 0},
    {"depth", 'd', "N", 0, "Cut the power N times, the further ones during recovery (default 1)",
        0},
    {"budget", KEY_BUDGET, "N", 0, "Verifications per point before families take over", 0},
    {"shard", 'S', "I/N", 0, "Only the I-th (from 0) of N parts", 0},
    {"few", KEY_FEW, NULL, 0, "One errno per class of operation instead of all", 0},
    {"seed", KEY_SEED, "N", 0, "Seed of the disk and of what is tried by chance", 0},
    {"plan", KEY_PLAN, "TEXT", 0, "errors: only this plan", 1},
    {"trace", KEY_TRACE, "FILE", 0, "errors, with a plan (\"\" for none): write the trace", 1},
    {"nth", KEY_NTH, "N", 0, "memory: only this allocation", 1},
    {"replay", KEY_REPLAY, "PLACE", 0, "power: only this place", 1},
    {"list", KEY_LIST, NULL, 0, "Print the scenarios", 2},
    {"verbose", 'v', NULL, 0, "A line for each run", 2}, {0}};

static error_t parse_shard(char *arg, arguments *given, struct argp_state *state)
{
    char *end;
    given->how.shard = (uint32_t)strtoul(arg, &end, 10);
    given->how.shards = *end == '/' ? (uint32_t)strtoul(end + 1, &end, 10) : 0;
    if (*end != '\0' || given->how.shards == 0 || given->how.shard >= given->how.shards) {
        argp_error(state, "%s: expected I/N with I below N", arg);
    }
    return 0;
}

static void add_scenario(const char *name, arguments *given, struct argp_state *state)
{
    const scenario *what = sweep_find(name);
    if (what == NULL || given->count == SCENARIO_MAX) {
        argp_error(state, "no scenario is called \"%s\"; see --list", name);
    } else {
        given->what[given->count++] = what;
    }
}

static void add_kind(const char *name, arguments *given, struct argp_state *state)
{
    bool known = false;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            given->kind[i] = given->any_kind = known = true;
        }
    }
    if (!known) {
        argp_error(state, "no kind is called \"%s\"", name);
    }
}

static void set_profile(const char *name, arguments *given, struct argp_state *state)
{
    for (int i = 0; i < FAULT_PROFILES; i++) {
        if (strcmp(fault_profile_name((fault_profile)i), name) == 0) {
            given->how.profile = (fault_profile)i;
            return;
        }
    }
    argp_error(state, "no profile is called \"%s\"", name);
}

static uint64_t number(const char *arg, struct argp_state *state)
{
    char *end;
    uint64_t value = strtoull(arg, &end, 10);
    if (arg[0] == '\0' || *end != '\0') {
        argp_error(state, "%s: a number is expected", arg);
    }
    return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case 's':
        add_scenario(arg, given, state);
        return 0;
    case 'k':
        add_kind(arg, given, state);
        return 0;
    case 'p':
        set_profile(arg, given, state);
        return 0;
    case 'd':
        given->how.depth = (unsigned)number(arg, state);
        return 0;
    case 'S':
        return parse_shard(arg, given, state);
    case 'v':
        given->how.verbose = true;
        return 0;
    case KEY_BUDGET:
        given->how.budget = number(arg, state);
        return 0;
    case KEY_SEED:
        given->how.seed = number(arg, state);
        return 0;
    case KEY_FEW:
        given->how.few = true;
        return 0;
    case KEY_PLAN:
        given->how.plan = arg;
        return 0;
    case KEY_TRACE:
        given->how.trace = arg;
        return 0;
    case KEY_NTH:
        given->how.nth = number(arg, state);
        return 0;
    case KEY_REPLAY:
        given->how.replay = arg;
        return 0;
    case KEY_LIST:
        given->list = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run_one(const scenario *what, size_t kind, const sweep_options *how)
{
    sweep_result result = {0};
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int error = kinds[kind].run(what, how, &result);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    if (error != 0) {
        fprintf(
            stderr, "engine_sweep: %s, %s: %s\n", what->name, kinds[kind].name, strerror(error));
        return 3;
    }
    printf("%s, %s: %llu points, %llu runs in %.1f s, %llu violations\n", what->name,
        kinds[kind].name, (unsigned long long)result.points, (unsigned long long)result.runs,
        seconds, (unsigned long long)result.violations);
    fflush(stdout);
    return result.violations > 0 ? 1 : 0;
}

static int run_all(const arguments *given)
{
    int status = 0;
    for (size_t i = 0; i < given->count; i++) {
        for (size_t kind = 0; kind < KIND_COUNT; kind++) {
            if (!given->any_kind || given->kind[kind]) {
                int one = run_one(given->what[i], kind, &given->how);
                status = one > status ? one : status;
            }
        }
    }
    return status;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {.options = options,
        .parser = parse,
        .doc = "Disturbs the reference engine on a disk in memory: every operation fails, every "
               "allocation fails, the power goes in every way. Prints a command for each violation "
               "that shows it again.\v"
               "Exit status: 0 no violation, 1 violations, 2 usage, 3 a sweep itself failed."};
    arguments given = {.how = {.depth = 1, .seed = 1}};
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, &given);
    if (given.list) {
        for (size_t i = 0; sweep_scenarios[i] != NULL; i++) {
            printf("%-14s %s\n", sweep_scenarios[i]->name, sweep_scenarios[i]->about);
        }
        return 0;
    }
    if (given.count == 0) {
        for (size_t i = 0; sweep_scenarios[i] != NULL; i++) {
            given.what[given.count++] = sweep_scenarios[i];
        }
    }
    return run_all(&given);
}
