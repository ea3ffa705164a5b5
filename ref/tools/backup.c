/*
 * hotref backup: copies an environment while it is in use, as db_hotbackup does.
 *
 * Steps: open the environment; with -c, write a checkpoint and remove log that is no longer needed;
 * copy databases, ordinary files and log into the target, whose old content goes; bring the copy to
 * its log's end, which shows that it can be; remove what log the copy no longer needs; write down
 * what it consists of. Each is a function here, in this order.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "home.h"
#include "inspect.h"
#include "io.h"
#include "manifest.h"
#include "progress.h"
#include "tool.h"

#define BUFFER_MIN 65536u /* bytes; at a low rate the pauses between writes get short, not rare */

enum { KEY_PROGRESS = 0x100, KEY_MAX_RATE, KEY_MAX_LOG, KEY_MANIFEST, KEY_NO_RECOVER };

typedef struct arguments {
    const char *home;
    const char *target;
    const char *log_dir;
    const char *manifest;
    ref_names data_dirs;
    uint64_t max_rate;
    uint64_t max_log;
    bool checkpoint;
    bool use_config; /* -D */
    bool keep_logs;  /* -g */
    bool update;
    bool verbose;
    bool progress;
    bool no_recover;
} arguments;

typedef struct backup {
    const arguments *given;
    tool_io io;
    tool_home home;
    ref_env *env;
    tool_progress progress;
} backup;

static const char doc[] =
    "Copies the environment in HOME into the directory TARGET while it is in use, and recovers the "
    "copy, so that it can be opened at once. EVERYTHING THAT TARGET HELD BEFORE IS REMOVED, but "
    "not until the copy is complete; after a failure TARGET holds what it held before. With -u "
    "nothing is removed but log that the copy no longer needs."
    "\v"
    "With -u TARGET must hold an earlier backup of the same environment to which nobody has "
    "written, and HOME the log that follows it; otherwise nothing is changed, and a full backup is "
    "needed. Use the same of -D, -d and -l as for that one. -c then removes no log from HOME.\n\n"
    "All files go directly into TARGET, and two of one name are an error; with -D they keep their "
    "directories. Ordinary files of the environment's directories are copied, too. Every page is "
    "checked on the way.\n\n"
    "SIGINT or SIGTERM stops the backup within a second, removes what was made and exits with 1. "
    "After the copy is complete only its recovery is stopped: the copy is good, and recovered when "
    "it is opened.\n\n"
    "The manifest has name, size and CRC32C of each file and the range of log sequence numbers; "
    "`hotref verify -b TARGET --manifest FILE' compares. FILE has to lie outside of TARGET.\n\n"
    "While a backup runs, log that it needs is not removed. With --max-log the backup fails when "
    "that becomes more than BYTES.\n\n"
    "RATE and BYTES are numbers of bytes, or of KiB, MiB, GiB with K, M, G behind "
    "it.\n\n" TOOL_HOME_DEFAULT "." TOOL_EXIT_STATUS;

static const struct argp_option options[] = {
    {"target", 'b', "TARGET", 0, "The directory to copy into; made when it is missing", 0},
    {"checkpoint", 'c', NULL, 0,
        "First write a checkpoint, and remove log segments that the environment no longer needs",
        0},
    {"data-dir", 'd', "DIR", 0, "A data directory, beside those of DB_CONFIG (more than once)", 0},
    {"config-dirs", 'D', NULL, 0,
        "Keep the directories that DB_CONFIG names, and copy DB_CONFIG itself", 0},
    {"filesystem", 'F', NULL, 0,
        "Accepted, and without meaning here: files are always read from the file system, and "
        "checked",
        0},
    {"keep-logs", 'g', NULL, 0,
        "Keep log segments in TARGET that the recovered copy could do "
        "without",
        0},
    {"home", 'h', "HOME", 0, "The environment's home", 0},
    {"log-dir", 'l', "DIR", 0, "The log directory, instead of that of DB_CONFIG", 0},
    {"update", 'u', NULL, 0, "Copy only the log that an earlier backup in TARGET lacks", 0},
    {"verbose", 'v', NULL, 0, "Say what is copied and removed", 0},
    {"progress", KEY_PROGRESS, NULL, 0, "Show progress even if there is no terminal", 1},
    {"max-rate", KEY_MAX_RATE, "RATE", 0, "Write at most RATE bytes a second", 1},
    {"max-log", KEY_MAX_LOG, "BYTES", 0, "Give up rather than keep more log from being removed", 1},
    {"manifest", KEY_MANIFEST, "FILE", 0, "Write down in FILE what the backup consists of", 1},
    {"no-recover", KEY_NO_RECOVER, NULL, 0,
        "Leave the copy as it was copied; opening it will recover it", 1},
    {0}};

/* ---- the command line ---- */

static error_t check_arguments(arguments *given, struct argp_state *state)
{
    given->home = tool_home_of(given->home, NULL);
    if (given->target == NULL || given->target[0] == '\0') {
        argp_error(state, "-b TARGET is missing");
    } else if (given->home == NULL) {
        argp_error(state, "-h HOME is missing");
    } else if (given->use_config && (given->data_dirs.count > 0 || given->log_dir != NULL)) {
        argp_error(state, "-D takes all directories from DB_CONFIG: not with -d or -l");
    } else if (given->checkpoint && given->data_dirs.count > 0) {
        argp_error(state, "-c is not for use with -d");
    }
    return 0;
}

static error_t parse_long(int key, char *arg, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case KEY_PROGRESS:
        given->progress = true;
        return 0;
    case KEY_MAX_RATE:
        if (!tool_parse_bytes(arg, &given->max_rate)) {
            argp_error(state, "%s: a rate in bytes is expected, such as 20M", arg);
        }
        return 0;
    case KEY_MAX_LOG:
        if (!tool_parse_bytes(arg, &given->max_log)) {
            argp_error(state, "%s: a number of bytes is expected, such as 500M", arg);
        }
        return 0;
    case KEY_MANIFEST:
        given->manifest = arg;
        return 0;
    case KEY_NO_RECOVER:
        given->no_recover = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: no argument is expected", arg);
        return 0;
    case ARGP_KEY_END:
        return check_arguments(given, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case 'b':
        given->target = arg;
        return 0;
    case 'c':
        given->checkpoint = true;
        return 0;
    case 'd':
        return ref_names_add(&given->data_dirs, arg);
    case 'D':
        given->use_config = true;
        return 0;
    case 'F':
        return 0;
    case 'g':
        given->keep_logs = true;
        return 0;
    case 'h':
        given->home = arg;
        return 0;
    case 'l':
        given->log_dir = arg;
        return 0;
    case 'u':
        given->update = true;
        return 0;
    case 'v':
        given->verbose = true;
        return 0;
    default:
        return parse_long(key, arg, state);
    }
}

/* ---- saying how it goes ---- */

static void say(const backup *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const backup *b, const char *format, ...)
{
    va_list args;
    if (!b->given->verbose) {
        return;
    }
    tool_progress_clear();
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static void say_line(void *context, const char *line)
{
    say(context, "%s", line);
}

/* A failure, or what a signal has made one. */
static int failed(const backup *b, int error, const char *state)
{
    if (tool_signal() != 0 && error != 0) {
        return tool_error("stopped by signal %d (%s); %s: %s", tool_signal(),
            strsignal(tool_signal()), b->given->target, state);
    }
    return tool_failed(error);
}

/* ---- the steps ---- */

static int read_homes(backup *b)
{
    const arguments *given = b->given;
    int error = tool_home_read(&b->io.vfs, given->home, &b->home);
    for (size_t i = 0; i < given->data_dirs.count && error == 0; i++) {
        tool_home_add_data_dir(&b->home, given->data_dirs.names[i]);
    }
    if (error == 0 && given->log_dir != NULL) {
        tool_home_set_log_dir(&b->home, given->log_dir);
    }
    return error;
}

static int open_source(backup *b)
{
    ref_env_options where = {.vfs = &b->io.vfs, .guest = true};
    tool_home_options(&b->home, &where);
    /* A crashed environment is recovered here; what is half done is done again next time. */
    tool_io_stoppable(&b->io, "");
    int error = ref_env_open(&where, &b->env);
    tool_io_stoppable(&b->io, NULL);
    return error;
}

static int checkpoint_source(backup *b)
{
    uint32_t *none = NULL;
    size_t count;
    say(b, "checkpoint of %s", b->home.path);
    int error = ref_checkpoint(b->env, true);
    if (error == 0 && !b->given->update) { /* an earlier backup may lack what could go */
        error = ref_log_archive(b->env, REF_ARCHIVE_REMOVE, &none, &count);
    }
    free(none);
    return error;
}

typedef struct estimation {
    uint64_t bytes;
    uint32_t first; /* log segment that is copied */
    bool log_alone;
} estimation;

static int add_size(void *context, const char *path, const char *relative, const ref_stat *stat)
{
    estimation *so_far = context;
    const char *slash = strrchr(relative, '/');
    uint32_t segment;
    (void)path;
    tool_name_kind kind = tool_name_kind_of(slash != NULL ? slash + 1 : relative, &segment);
    bool copied = kind == TOOL_NAME_SEGMENT
                      ? segment >= so_far->first
                      : !so_far->log_alone && (kind == TOOL_NAME_OTHER || kind == TOOL_NAME_CONFIG);
    if (stat->kind == REF_KIND_FILE && copied) {
        so_far->bytes += stat->size;
    }
    return 0;
}

/* The first segment that is copied: the one that recovery needs, or in which the copy ends. */
static uint32_t first_segment(const backup *b)
{
    ref_vfs *vfs = b->io.next;
    const char *home = b->given->update ? b->given->target : b->home.path;
    bool below = b->given->use_config && b->home.log_dir != NULL;
    char *log_path = !b->given->update ? tool_home_log(&b->home)
                     : below           ? tool_join(home, b->home.log_dir)
                                       : tool_copy(home);
    tool_log log;
    uint32_t first = 0;

    if (tool_log_look(vfs, home, log_path, &log) == 0) {
        if (b->given->update) {
            first = log.count > 0 ? log.numbers[log.count - 1] : 0;
        } else if (log.controlled) {
            first = REF_LSN_SEGMENT(log.redo);
        }
    }
    tool_log_free(&log);
    free(log_path);
    return first;
}

/* About what there is to copy: what changes meanwhile, and links, are not counted. */
static uint64_t estimate(const backup *b)
{
    ref_vfs *vfs = b->io.next;
    char *log_path = tool_home_log(&b->home);
    estimation so_far = {.first = first_segment(b), .log_alone = b->given->update};

    (void)ref_tree_walk(vfs, b->home.path, true, add_size, &so_far);
    for (size_t i = 0; i < b->home.data_dirs.count; i++) {
        if (b->home.data_dirs.names[i][0] == '/') {
            (void)ref_tree_walk(vfs, b->home.data_dirs.names[i], true, add_size, &so_far);
        }
    }
    if (b->home.log_dir != NULL && b->home.log_dir[0] == '/') {
        (void)ref_tree_walk(vfs, log_path, true, add_size, &so_far);
    }
    free(log_path);
    return so_far.bytes;
}

/* With a rate, writes are small enough for several a second. */
static uint32_t buffer_size(uint64_t rate)
{
    if (rate == 0 || rate / 4 >= REF_BACKUP_BUFFER_DEFAULT) {
        return REF_BACKUP_BUFFER_DEFAULT;
    }
    return rate / 4 > BUFFER_MIN ? (uint32_t)(rate / 4) : BUFFER_MIN;
}

static int copy(backup *b)
{
    const arguments *given = b->given;
    ref_backup_options how = {.target = given->target,
        .flags = (given->update ? REF_BACKUP_UPDATE : REF_BACKUP_CREATE | REF_BACKUP_FILES) |
                 (given->update && given->keep_logs ? 0 : REF_BACKUP_CLEAN) |
                 (given->use_config ? 0 : REF_BACKUP_SINGLE_DIR),
        .buffer_size = buffer_size(given->max_rate),
        .log_limit = given->max_log,
        .progress = say_line,
        .progress_context = b};

    tool_progress_begin(&b->progress, "copied", TOOL_BYTES, given->progress);
    if (b->progress.visible) {
        b->progress.total = estimate(b);
    }
    b->io.progress = &b->progress;
    tool_io_begin_output(&b->io, given->target, given->max_rate);
    tool_io_stoppable(&b->io, given->target);
    int error = ref_backup(b->env, &how);
    tool_io_stoppable(&b->io, NULL);
    tool_io_end_output(&b->io);
    b->io.progress = NULL;
    tool_progress_end(&b->progress);
    return error;
}

static int close_source(backup *b, int error)
{
    char *words = tool_copy(ref_error_text());
    int close_error = b->env != NULL ? ref_env_close(b->env) : 0;
    b->env = NULL;
    if (error != 0) {
        ref_fail(-1, "%s", words); /* they have errno's text already */
    }
    free(words);
    return error != 0 ? error : close_error;
}

static int recover_copy(backup *b)
{
    ref_env_options where = {.vfs = &b->io.vfs, .recover_fatal = true};
    tool_home home;
    ref_env *env;
    uint32_t *none = NULL;
    size_t count;

    int error = tool_home_read(&b->io.vfs, b->given->target, &home);
    if (error != 0) {
        return error;
    }
    say(b, "recovering %s", home.path);
    tool_home_options(&home, &where);
    tool_progress_begin(
        &b->progress, "recovering: read and written", TOOL_BYTES, b->given->progress);
    b->io.progress = &b->progress;
    b->io.count_all = true;
    tool_io_stoppable(&b->io, "");
    error = ref_env_open(&where, &env);
    tool_io_stoppable(&b->io, NULL);
    if (error == 0 && !b->given->keep_logs) {
        error = ref_log_archive(env, REF_ARCHIVE_REMOVE, &none, &count);
        free(none);
    }
    if (error == 0) {
        error = ref_env_close(env);
    }
    b->io.count_all = false;
    b->io.progress = NULL;
    tool_progress_end(&b->progress);
    tool_home_free(&home);
    return error;
}

static int write_manifest(backup *b)
{
    tool_manifest manifest = {0};
    tool_home home;
    tool_log log = {0};

    int error = tool_home_read(&b->io.vfs, b->given->target, &home);
    if (error != 0) {
        return error;
    }
    char *log_path = tool_home_log(&home);
    error = tool_log_look(&b->io.vfs, home.path, log_path, &log);
    if (error == 0) {
        error = tool_log_scan(&b->io.vfs, &log, tool_log_row(&log));
    }
    if (error == 0) {
        manifest.from = (uint64_t)log.from << 32 | REF_SEGMENT_HEADER;
        manifest.end = log.end;
        manifest.commit = log.last_commit;
        error = tool_manifest_collect(&b->io.vfs, home.path, &manifest);
    }
    if (error == 0) {
        error = tool_manifest_write(&b->io.vfs, b->given->manifest, &manifest);
    }
    if (error == 0) {
        say(b, "manifest %s: %zu files, log " TOOL_LSN " to " TOOL_LSN, b->given->manifest,
            manifest.count, TOOL_LSN_ARGS(manifest.from), TOOL_LSN_ARGS(manifest.end));
    }
    tool_manifest_free(&manifest);
    tool_log_free(&log);
    free(log_path);
    tool_home_free(&home);
    return error;
}

static int run(backup *b)
{
    int error = read_homes(b);
    if (error == 0 && b->given->manifest != NULL) {
        error = tool_manifest_check_path(&b->io.vfs, b->given->manifest, b->given->target);
    }
    if (error == 0) {
        error = open_source(b);
    }
    if (error == 0 && b->given->checkpoint) {
        error = checkpoint_source(b);
    }
    if (error == 0) {
        error = copy(b);
    }
    error = close_source(b, error);
    if (error != 0) {
        return failed(b, error,
            b->given->update ? "a good backup, with as much log as before or more"
                             : "as it was before");
    }
    if (!b->given->no_recover) {
        error = recover_copy(b);
    }
    if (error != 0) {
        return failed(b, error, "the copy is complete, but not recovered: opening it does that");
    }
    if (b->given->manifest != NULL) {
        error = write_manifest(b);
    }
    return error != 0 ? failed(b, error, "the copy is complete") : TOOL_OK;
}

int tool_backup(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "-b TARGET -h HOME", .doc = doc};
    arguments given = {0};
    backup b = {.given = &given};
    int status = TOOL_USAGE;

    if (argp_parse(&argp, argc, argv, 0, NULL, &given) == 0) {
        tool_io_init(&b.io, NULL);
        tool_signals_catch();
        status = run(&b);
        tool_home_free(&b.home);
        tool_io_free(&b.io);
    }
    ref_names_free(&given.data_dirs);
    return status;
}
