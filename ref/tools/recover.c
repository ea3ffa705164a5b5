/* hotref recover: brings an environment, or a copy of one, to its log's end. */
#include <inttypes.h>
#include <stdlib.h>

#include "home.h"
#include "inspect.h"
#include "io.h"
#include "progress.h"

typedef struct arguments {
    const char *home;
    bool catastrophic;
    bool verbose;
    ref_names data_dirs;
    const char *log_dir;
} arguments;

static const char doc[] =
    "Brings the databases of the environment in HOME to the end of its log, and leaves it closed."
    "\v"
    "Replay begins at the redo point of the last checkpoint. A copy, which has no control file, is "
    "always replayed from its oldest log segment. A torn tail of the log is cut off; damage is an "
    "error that names file and offset.\n\n" TOOL_HOME_DEFAULT
    ", or else it is the current directory." TOOL_EXIT_STATUS;

static const struct argp_option options[] = {
    {"catastrophic", 'c', NULL, 0, "Replay from the oldest segment, whatever the redo point is", 0},
    {"data-dir", 'd', "DIR", 0, "A data directory, beside those of DB_CONFIG (more than once)", 0},
    {"home", 'h', "HOME", 0, "The environment's home", 0},
    {"log-dir", 'l', "DIR", 0, "The log directory, instead of that of DB_CONFIG", 0},
    {"verbose", 'v', NULL, 0, "Say what is replayed", 0}, {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case 'c':
        given->catastrophic = true;
        return 0;
    case 'd':
        return ref_names_add(&given->data_dirs, arg);
    case 'h':
        given->home = arg;
        return 0;
    case 'l':
        given->log_dir = arg;
        return 0;
    case 'v':
        given->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: no argument is expected", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What lies there before. Opening says what is wrong with it, so failures are passed over. */
static void tell_before(ref_vfs *vfs, const tool_home *home, bool catastrophic)
{
    tool_log log;
    char *path = tool_home_log(home);
    if (tool_log_look(vfs, home->path, path, &log) == 0 && log.count > 0) {
        bool oldest = !log.controlled || catastrophic;
        uint64_t from = oldest ? (uint64_t)log.numbers[0] << 32 | REF_SEGMENT_HEADER : log.redo;
        printf("%s: %s, log.%010u to log.%010u; replaying from " TOOL_LSN "\n", home->path,
            log.controlled ? "an environment" : "a copy", log.numbers[0],
            log.numbers[log.count - 1], TOOL_LSN_ARGS(from));
        fflush(stdout);
    }
    tool_log_free(&log);
    free(path);
}

static void tell_after(ref_vfs *vfs, const tool_home *home)
{
    tool_log log;
    char *path = tool_home_log(home);
    if (tool_log_look(vfs, home->path, path, &log) == 0 && log.controlled) {
        printf("%s: recovered to " TOOL_LSN ", commit %" PRIu64 "\n", home->path,
            TOOL_LSN_ARGS(log.redo), log.commit);
    }
    tool_log_free(&log);
    free(path);
}

static int recover(tool_io *io, const tool_home *home, const arguments *given)
{
    ref_env_options where = {.vfs = &io->vfs, .recover_fatal = given->catastrophic};
    ref_env *env;
    tool_progress progress;

    tool_home_options(home, &where);
    if (given->verbose) {
        tell_before(&io->vfs, home, given->catastrophic);
    }
    tool_progress_begin(&progress, "recovering: read and written", TOOL_BYTES, false);
    io->progress = &progress;
    io->count_all = true;
    int error = ref_env_open(&where, &env);
    if (error == 0) {
        error = ref_env_close(env);
    }
    io->progress = NULL;
    tool_progress_end(&progress);
    if (error != 0) {
        return tool_failed(error);
    }
    if (given->verbose) {
        tell_after(&io->vfs, home);
    }
    return TOOL_OK;
}

int tool_recover(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = parse, .doc = doc};
    arguments given = {0};
    tool_home home = {0};
    tool_io io;
    int status = TOOL_USAGE;

    if (argp_parse(&argp, argc, argv, 0, NULL, &given) == 0) {
        tool_io_init(&io, NULL);
        int error = tool_home_read(&io.vfs, tool_home_of(given.home, "."), &home);
        for (size_t i = 0; i < given.data_dirs.count && error == 0; i++) {
            tool_home_add_data_dir(&home, given.data_dirs.names[i]);
        }
        if (error == 0 && given.log_dir != NULL) {
            tool_home_set_log_dir(&home, given.log_dir);
        }
        status = error != 0 ? tool_failed(error) : recover(&io, &home, &given);
        tool_home_free(&home);
        tool_io_free(&io);
    }
    ref_names_free(&given.data_dirs);
    return status;
}
