/* hotref verify: would this environment, or this backup, come back, and as what? */
#include "verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define LOOKS 3 /* at an environment that changes meanwhile */

enum { KEY_MANIFEST = 0x100 };

typedef struct arguments {
    const char *home;
    const char *backup;
    const char *manifest;
    const char *log_dir;
    ref_names data_dirs;
    bool verbose;
} arguments;

static const char doc[] =
    "Checks an environment, or with -b a backup, and names what is wrong with it: databases that "
    "the log knows and that are missing, pages that are not sound or do not fit the log, missing "
    "or "
    "damaged log segments, short files. Says how far recovery would get. Files are only read; "
    "nothing is locked or changed."
    "\v"
    "An environment may be in use: what changes while it is looked at is looked at again.\n\n"
    "In a backup, every file that is no part of the environment is named, too. A log segment or "
    "a database of the environment where there should be none is a finding, any other file only "
    "when a manifest is given. With it, files are also compared by size and CRC32C. Without, a "
    "backup that was not recovered and has lost its oldest log segment, or the end of its newest, "
    "may look like an older or later one that is whole.\n\n"
    "The directories of a backup are those of its DB_CONFIG, of -d and -l, and those that its log "
    "says.\n\n" TOOL_HOME_DEFAULT ", or else it is the current directory.\n\n"
    "Exit status: 0 nothing is wrong, 1 something is, or the check failed, 2 wrong usage.";

static const struct argp_option options[] = {
    {"backup", 'b', "DIR", 0, "Check the backup in DIR", 0},
    {"data-dir", 'd', "DIR", 0, "A data directory, beside those of DB_CONFIG (more than once)", 0},
    {"home", 'h', "HOME", 0, "Check the environment in HOME", 0},
    {"log-dir", 'l', "DIR", 0, "The log directory, instead of that of DB_CONFIG", 0},
    {"manifest", KEY_MANIFEST, "FILE", 0, "Compare the backup with what `backup' wrote there", 0},
    {"verbose", 'v', NULL, 0, "Say what is in order, too", 0}, {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case 'b':
        given->backup = arg;
        return 0;
    case 'd':
        return ref_names_add(&given->data_dirs, arg);
    case 'h':
        given->home = arg;
        return 0;
    case 'l':
        given->log_dir = arg;
        return 0;
    case KEY_MANIFEST:
        given->manifest = arg;
        return 0;
    case 'v':
        given->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: no argument is expected", arg);
        return 0;
    case ARGP_KEY_END:
        if (given->backup != NULL && given->home != NULL) {
            argp_error(state, "either -b or -h");
        } else if (given->backup == NULL && given->manifest != NULL) {
            argp_error(state, "--manifest is for a backup: -b is missing");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- findings ---- */

void tool_finding(tool_verification *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(v->report, format, args);
    va_end(args);
    fputc('\n', v->report);
    v->findings++;
}

void tool_note(tool_verification *v, const char *format, ...)
{
    va_list args;
    fputs("note: ", v->report);
    va_start(args, format);
    vfprintf(v->report, format, args);
    va_end(args);
    fputc('\n', v->report);
}

void tool_finding_words(tool_verification *v, int error)
{
    const char *words = ref_error_text();
    tool_finding(v, "%s", words[0] != '\0' ? words : ref_strerror(error));
}

/* ---- the log ---- */

/* Every number that is missing between two that are there. */
static void report_gaps(tool_verification *v)
{
    const tool_log *log = &v->log;
    for (size_t i = 1; i < log->count; i++) {
        for (uint64_t missing = (uint64_t)log->numbers[i - 1] + 1; missing < log->numbers[i];
             missing++) {
            char *path = tool_segment_path(log->path, (uint32_t)missing);
            tool_finding(v, "%s: this log segment is missing", path);
            free(path);
        }
    }
}

/* Looks through the row of segments that ends with the newest. Where that fails before the redo
 * point, what recovery needs may still be whole. */
static int scan(tool_verification *v, uint32_t row)
{
    tool_log *log = &v->log;
    int error = tool_log_scan(v->vfs, log, row);
    uint32_t redo = REF_LSN_SEGMENT(log->redo);
    if (error != 0) {
        tool_finding_words(v, error);
        if (log->controlled && redo > row && tool_log_scan(v->vfs, log, redo) == 0) {
            error = 0;
        }
    }
    return error;
}

static void check_tail(tool_verification *v)
{
    const tool_log *log = &v->log;
    if (log->tail == 0 && !log->torn_segment) {
        return;
    }
    char *path = tool_segment_path(
        log->path, log->tail > 0 ? REF_LSN_SEGMENT(log->end) : log->numbers[log->count - 1]);
    uint32_t offset = log->tail > 0 ? REF_LSN_OFFSET(log->end) : 0;
    if (v->backup) {
        tool_finding(v,
            "%s: offset %u: no whole record from here to the end; a backup's log ends with a whole "
            "one: it was cut or altered",
            path, offset);
    } else {
        tool_note(v, "%s: offset %u: a torn tail, which recovery cuts off", path, offset);
    }
    free(path);
}

static void check_log(tool_verification *v)
{
    tool_log *log = &v->log;
    uint32_t row = tool_log_row(log), redo = REF_LSN_SEGMENT(log->redo);

    if (log->control_error != 0) {
        tool_finding(v, "%s", log->control_words);
    }
    v->start = log->controlled ? log->redo : 0;
    if (row == 0) {
        tool_finding(v, "%s: no log segment is there", log->path);
        return;
    }
    report_gaps(v);
    bool reachable = log->controlled ? redo >= row : row == log->numbers[0];
    if (log->controlled && redo < log->numbers[0]) {
        char *path = tool_segment_path(log->path, redo);
        tool_finding(v, "%s: this log segment is missing: the redo point " TOOL_LSN " is in it",
            path, TOOL_LSN_ARGS(log->redo));
        free(path);
    }
    int error = scan(v, row);
    v->whole = error == 0 && reachable && log->control_error == 0;
    if (error == 0) {
        check_tail(v);
    }
}

static int note_database(void *context, const ref_record *record)
{
    tool_verification *v = context;
    ref_checkpoint_record said;
    if (record->type == REF_RECORD_CHECKPOINT && ref_record_checkpoint(record, &said) &&
        REF_LSN_SEGMENT(said.redo) == v->log.from) {
        v->begun = true;
    }
    return tool_databases_note(&v->databases, record);
}

/*
 * Without its label a copy does not say with which segment it began, so one that has lost its
 * oldest may replay without an error and lack commits. What can be seen is whether a checkpoint
 * allowed to begin there. No finding: an environment that was backed up after a recovery and
 * before its next checkpoint shows none either.
 */
static void check_begin(tool_verification *v)
{
    uint32_t first = REF_LSN_SEGMENT(v->log.redo);
    if (v->log.labelled && v->log.from > first) {
        char *path = tool_segment_path(v->log.path, first);
        tool_finding(v, "%s: this log segment is missing", path);
        free(path);
    }

    bool recorded =
        v->log.controlled || v->log.labelled || v->manifest != NULL || v->log.from == 1 || v->begun;
    if (v->backup && v->whole && !recorded) {
        char *path = tool_segment_path(v->log.path, v->log.from);
        tool_note(v,
            "%s: no checkpoint says that replay may begin with this segment: older ones may be "
            "missing, which only a manifest can tell",
            path);
        free(path);
    }
}

static void read_catalog(tool_verification *v)
{
    int error = tool_log_replay(v->vfs, &v->log, note_database, v);
    if (error != 0) {
        /* What the scan did not get to is no news. */
        if (v->whole) {
            tool_finding_words(v, error);
        }
        v->whole = false;
    }
    v->checks = tool_zeroed(v->databases.count, sizeof *v->checks);
    check_begin(v);
}

/* ---- one look ---- */

static void forget(tool_verification *v)
{
    for (size_t i = 0; i < v->databases.count && v->checks != NULL; i++) {
        free(v->checks[i].path);
        free(v->checks[i].pages);
        free(v->checks[i].bad);
    }
    free(v->checks);
    v->checks = NULL;
    tool_databases_free(&v->databases);
    tool_log_free(&v->log);
    v->applied = v->pages = v->living = v->findings = 0;
    v->whole = v->begun = false;
}

/* An error is one that leaves nothing to look at. */
static int look(tool_verification *v)
{
    char *path = tool_home_log(&v->home);
    int error = tool_log_look(v->vfs, v->home.path, path, &v->log);
    free(path);
    if (error != 0) {
        return error;
    }
    if (v->log.count == 0 && !v->log.controlled && v->log.control_error == 0) {
        return ref_fail(ENOENT, "%s: there is no environment here", v->home.path);
    }
    check_log(v);
    read_catalog(v);
    tool_verify_locate(v);
    tool_verify_pages(v);
    tool_verify_replay(v);
    if (v->backup) {
        tool_verify_strays(v);
    }
    if (v->whole && v->applied == 0 && v->findings == 0) {
        tool_verify_trees(v);
    }
    if (v->manifest != NULL) {
        tool_verify_manifest(v);
    }
    return 0;
}

/* Whether the environment has gone on since the look began. */
static bool has_moved(tool_verification *v)
{
    tool_log now;
    bool moved = true;
    if (tool_log_look(v->vfs, v->home.path, v->log.path, &now) == 0) {
        int error = now.count > 0 ? tool_log_scan(v->vfs, &now, tool_log_row(&now)) : 0;
        moved = error != 0 || now.sequence != v->log.sequence || now.end != v->log.end ||
                now.count != v->log.count;
    }
    tool_log_free(&now);
    return moved;
}

static int look_again_if_moved(tool_verification *v, char **report, size_t *size)
{
    for (int i = 1;; i++) {
        v->report = open_memstream(report, size);
        if (v->report == NULL) {
            return ref_fail(errno, "%s", v->home.path);
        }
        int error = look(v);
        bool moved = error == 0 && v->findings > 0 && !v->backup && has_moved(v);
        if (moved && i == LOOKS) {
            tool_note(v, "%s: in use: what was found may have been in the middle of being written",
                v->home.path);
        }
        fclose(v->report);
        if (error != 0 || !moved || i == LOOKS) {
            return error;
        }
        free(*report);
        *report = NULL;
        forget(v);
    }
}

/* ---- the report ---- */

static void print_summary(const tool_verification *v)
{
    const tool_log *log = &v->log;
    uint64_t first = (uint64_t)log->from << 32 | REF_SEGMENT_HEADER;

    if (log->count > 0) {
        printf("log: log.%010u to log.%010u%s\n", log->numbers[0], log->numbers[log->count - 1],
            v->whole ? ", whole" : "");
    }
    printf("databases: %" PRIu64 ", %" PRIu64 " sound pages\n", v->living, v->pages);
    if (v->whole) {
        printf("recovery begins at " TOOL_LSN " and reaches " TOOL_LSN ", commit %" PRIu64 "%s\n",
            TOOL_LSN_ARGS(v->start != 0 ? v->start : first), TOOL_LSN_ARGS(log->end),
            log->last_commit, v->applied == 0 && v->findings == 0 ? "; nothing to replay" : "");
    } else {
        puts("recovery would fail");
    }
    if (v->findings == 0) {
        printf("%s: sound\n", v->home.path);
    } else {
        printf(
            "%s: %" PRIu64 " finding%s\n", v->home.path, v->findings, v->findings == 1 ? "" : "s");
    }
}

static int verify(tool_verification *v)
{
    char *report = NULL;
    size_t size = 0;

    tool_progress_begin(&v->progress, "checking: read", TOOL_BYTES, false);
    v->io->progress = &v->progress;
    v->io->count_all = true;
    int error = look_again_if_moved(v, &report, &size);
    v->io->progress = NULL;
    tool_progress_end(&v->progress);
    if (error != 0) {
        free(report);
        return tool_failed(error);
    }
    fwrite(report, 1, size, stdout);
    free(report);
    print_summary(v);
    return v->findings == 0 ? TOOL_OK : TOOL_FAILED;
}

/* ---- the command ---- */

typedef struct log_search {
    tool_home *home;
} log_search;

static int find_segment(void *context, const char *path, const char *relative, const ref_stat *stat)
{
    log_search *search = context;
    const char *slash = strrchr(relative, '/');
    uint32_t number;

    (void)path;
    (void)stat;
    if (tool_name_kind_of(slash != NULL ? slash + 1 : relative, &number) != TOOL_NAME_SEGMENT) {
        return 0;
    }
    char *dir = tool_format("%.*s", slash != NULL ? (int)(slash - relative) : 0, relative);
    tool_home_set_log_dir(search->home, dir);
    free(dir);
    return REF_KEYEXIST; /* found: the walk is over */
}

/* A backup made with a log directory that nothing in it names: its log is where the segments are.
 */
static void find_log(tool_verification *v)
{
    log_search search = {.home = &v->home};
    tool_log log;
    char *path = tool_home_log(&v->home);
    if (tool_log_look(v->vfs, v->home.path, path, &log) == 0 && log.count == 0 &&
        v->home.log_dir == NULL) {
        (void)ref_tree_walk(v->vfs, v->home.path, true, find_segment, &search);
    }
    tool_log_free(&log);
    free(path);
}

static int prepare(tool_verification *v, const arguments *given, tool_manifest *manifest)
{
    const char *root = given->backup != NULL ? given->backup : tool_home_of(given->home, ".");
    v->backup = given->backup != NULL;
    v->verbose = given->verbose;
    int error = tool_home_read(v->vfs, root, &v->home);
    for (size_t i = 0; i < given->data_dirs.count && error == 0; i++) {
        tool_home_add_data_dir(&v->home, given->data_dirs.names[i]);
    }
    if (error == 0 && given->log_dir != NULL) {
        tool_home_set_log_dir(&v->home, given->log_dir);
    }
    if (error == 0 && v->backup) {
        find_log(v);
    }
    if (error == 0 && given->manifest != NULL) {
        error = tool_manifest_read(given->manifest, manifest);
        v->manifest = manifest;
    }
    return error;
}

int tool_verify(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = parse, .doc = doc};
    arguments given = {0};
    tool_manifest manifest = {0};
    tool_io io;
    int status = TOOL_USAGE;

    if (argp_parse(&argp, argc, argv, 0, NULL, &given) == 0) {
        tool_verification v = {.io = &io, .vfs = &io.vfs};
        tool_io_init(&io, NULL);
        io.read_only = true;
        int error = prepare(&v, &given, &manifest);
        status = error != 0 ? tool_failed(error) : verify(&v);
        forget(&v);
        tool_home_free(&v.home);
        tool_io_free(&io);
    }
    tool_manifest_free(&manifest);
    ref_names_free(&given.data_dirs);
    return status;
}
