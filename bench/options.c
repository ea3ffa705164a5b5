/* The command line of hotbench: see options.h. */
#include "options.h"

#include "../conformance/runner/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { KEY_PEER = 256, KEY_DIR, KEY_SEED, KEY_LIST };
enum { MOST_ROUNDS = 1000, MOST_MIB = 1 << 20 };

static const unsigned default_sizes[] = {64, 256};

static const struct argp_option switches[] = {
    {"rounds", 'r', "COUNT", 0, "How often each peer is measured. Default: 7", 0},
    {"size", 's', "MIB", 0, "Size of the databases, in MiB. Repeatable. Default: 64 and 256", 0},
    {"peer", KEY_PEER, "NAME|FILE", 0,
        "Measure this peer: a name that --list prints, or the file of an engine module. "
        "Repeatable. Default: all",
        0},
    {"dir", KEY_DIR, "DIR", 0,
        "Make the databases and the copies here: it chooses the file system. Default: TMPDIR, or "
        "/tmp",
        0},
    {"out", 'o', "DIR", 0,
        "Write the record to DIR/TIME-PID/record.ndjson. Default: hotproof-out/bench", 0},
    {"seed", KEY_SEED, "NUMBER", 0, "Of the records. Default: a random one, in the record", 0},
    {"list", KEY_LIST, NULL, 0, "Print peers and cases, and measure nothing", 0},
    {0},
};

static const char help[] =
    "Measures hot backups: each peer backs up an environment in rounds of alternating order, and "
    "the medians of the ratios within rounds are printed."
    "\v"
    "Figures of different runs do not compare; those of one table do.\n\n"
    "Exit status: 0 measured; 1 a backup failed or a copy was wrong; 2 usage; 3 the benchmark "
    "itself failed (no room, a module is no good); 4 there was nothing to measure.";

static void add_size(bench_options *options, unsigned mib)
{
    unsigned *more = realloc(options->sizes, (options->size_count + 1) * sizeof *more);
    if (more == NULL) {
        hp_out_of_memory();
    }
    options->sizes = more;
    options->sizes[options->size_count++] = mib;
}

static void set_default_sizes(bench_options *options)
{
    for (size_t i = 0; i < sizeof default_sizes / sizeof default_sizes[0]; i++) {
        add_size(options, default_sizes[i]);
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    bench_options *options = state->input;
    switch (key) {
    case 'r':
        options->rounds = (unsigned)hp_argument_number(state, "--rounds", argument, 1, MOST_ROUNDS);
        return 0;
    case 's':
        add_size(options, (unsigned)hp_argument_number(state, "--size", argument, 1, MOST_MIB));
        return 0;
    case KEY_PEER:
        hp_strings_add(&options->peers, argument);
        return 0;
    case KEY_DIR:
        options->dir = argument;
        return 0;
    case 'o':
        options->out = argument;
        return 0;
    case KEY_SEED:
        options->seed = hp_argument_number(state, "--seed", argument, 0, INT64_MAX);
        return 0;
    case KEY_LIST:
        options->list = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", argument);
        return EINVAL;
    case ARGP_KEY_END:
        if (options->size_count == 0) {
            set_default_sizes(options);
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static char *join(int argc, char **argv)
{
    char *line = hp_format("hotbench");
    for (int i = 1; i < argc; i++) {
        char *word = hp_shell_word(argv[i]);
        char *more = hp_format("%s %s", line, word);
        free(line);
        free(word);
        line = more;
    }
    return line;
}

void bench_options_parse(int argc, char **argv, bench_options *options)
{
    static const struct argp parser = {.options = switches, .parser = parse, .doc = help};
    const char *dir = getenv("TMPDIR");
    uint64_t seed = 0;
    (void)!getrandom(&seed, sizeof seed, 0);
    *options = (bench_options){
        .rounds = 7,
        .dir = dir != NULL && dir[0] != '\0' ? dir : "/tmp",
        .out = "hotproof-out/bench",
        .seed = seed & INT64_MAX,
        .command_line = join(argc, argv),
    };
    argp_err_exit_status = BENCH_EXIT_USAGE;
    argp_parse(&parser, argc, argv, 0, NULL, options);
}

void bench_options_free(bench_options *options)
{
    free(options->sizes);
    free(options->command_line);
    hp_strings_free(&options->peers);
    *options = (bench_options){0};
}
