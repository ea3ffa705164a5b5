/* hotref dump: a database as text that db_load, and hotref load, can read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dumpformat.h"
#include "home.h"
#include "io.h"
#include "progress.h"

typedef struct arguments {
    const char *home;
    const char *output; /* NULL: standard output */
    const char *database;
    bool print;
} arguments;

/* An open database, alone or in its environment. */
typedef struct source {
    tool_io io;
    tool_home home;
    ref_env *env; /* NULL: alone */
    ref_db *db;
} source;

static const char doc[] =
    "Prints the records of DATABASE in Berkeley DB's portable dump format (VERSION=3), which "
    "db_load and `hotref load' read. The records are those of the last commit when it begins."
    "\v"
    "With -h HOME, DATABASE is a name in the environment, which must not be open in another "
    "process; what a crash has left to replay is replayed first. Without, it is the path of a "
    "file, which is only read; changes that only the log of its environment has are then not "
    "there. " TOOL_HOME_DEFAULT "." TOOL_EXIT_STATUS;

static const struct argp_option options[] = {
    {"file", 'f', "FILE", 0, "Write to FILE instead of standard output", 0},
    {"home", 'h', "HOME", 0, "The environment's home", 0},
    {"print", 'p', NULL, 0, "Printable characters as they are, instead of all in hexadecimal", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case 'f':
        given->output = arg;
        return 0;
    case 'h':
        given->home = arg;
        return 0;
    case 'p':
        given->print = true;
        return 0;
    case ARGP_KEY_ARG:
        if (given->database != NULL) {
            argp_error(state, "one database at a time");
        }
        given->database = arg;
        return 0;
    case ARGP_KEY_END:
        if (given->database == NULL) {
            argp_error(state, "DATABASE is missing");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A file that belongs to an environment may lack what its log has. */
static void warn_of_environment(ref_vfs *vfs, const char *path)
{
    uint8_t head[REF_PAGE_SIZE_MIN];
    size_t done = 0;
    ref_file *file;
    ref_meta meta;

    if (vfs->open(vfs, path, 0, 0, &file) != 0) {
        return;
    }
    int error = ref_read_full(file, head, sizeof head, 0, &done);
    vfs->close(file);
    if (error == 0 && ref_meta_read(head, done, path, &meta) == 0 &&
        !ref_id_is_none(&meta.log_id)) {
        tool_warn("%s: this database belongs to an environment; what only its log has is not in "
                  "the dump (use -h HOME)",
            path);
    }
}

static int open_source(source *from, const arguments *given, const char *home)
{
    ref_db_options how = {.read_only = true};
    tool_io_init(&from->io, NULL);
    if (home == NULL) {
        from->io.read_only = true;
        warn_of_environment(&from->io.vfs, given->database);
        return ref_db_open_alone(&from->io.vfs, given->database, &how, &from->db);
    }
    int error = tool_home_read(&from->io.vfs, home, &from->home);
    if (error == 0) {
        ref_env_options where = {.vfs = &from->io.vfs};
        tool_home_options(&from->home, &where);
        error = ref_env_open(&where, &from->env);
    }
    if (error == 0) {
        error = ref_db_open(from->env, NULL, given->database, &how, &from->db);
    }
    return error;
}

/* The first error counts: `status` is what happened before. */
static int close_source(source *from, int status)
{
    int error = from->db != NULL ? ref_db_close(from->db) : 0;
    if (from->env != NULL) {
        int env_error = ref_env_close(from->env);
        error = error != 0 ? error : env_error;
    }
    tool_home_free(&from->home);
    tool_io_free(&from->io);
    return status == TOOL_OK && error != 0 ? tool_failed(error) : status;
}

static int write_records(ref_db *db, bool print, FILE *to)
{
    ref_cursor *cursor;
    ref_buffer key = {0}, value = {0};
    tool_progress progress;

    int error = ref_cursor_open(db, NULL, &cursor);
    if (error != 0) {
        return error;
    }
    tool_progress_begin(&progress, "dumping", TOOL_RECORDS, false);
    tool_dump_write_header(to, print, ref_db_page_size(db));
    while (error == 0 && !ferror(to)) {
        error = ref_cursor_get(cursor, REF_MOVE_NEXT, (ref_slice){0}, false, &key, &value);
        if (error == 0) {
            tool_dump_write_item(to, print, key.data, key.size);
            tool_dump_write_item(to, print, value.data, value.size);
            tool_progress_add(&progress, 1);
        }
    }
    if (error == REF_NOTFOUND) {
        error = 0;
        tool_dump_write_end(to);
    }
    tool_progress_end(&progress);
    ref_buffer_free(&key);
    ref_buffer_free(&value);
    ref_cursor_close(cursor);
    return error;
}

/* Without its last line a dump that has failed is refused by whoever loads it. */
static int dump_to(ref_db *db, bool print, const char *path)
{
    FILE *to = path != NULL ? fopen(path, "we") : stdout;
    if (to == NULL) {
        return tool_error("%s: %s", path, strerror(errno));
    }
    errno = 0;
    int error = write_records(db, print, to);
    int status = error != 0 ? tool_failed(error) : TOOL_OK;
    if (path == NULL) {
        return status;
    }
    bool failed = ferror(to) != 0;
    int reason = errno;
    errno = 0;
    if (fclose(to) != 0 && !failed) {
        failed = true;
        reason = errno;
    }
    if (failed && status == TOOL_OK) {
        status = tool_error("%s: write: %s", path, strerror(reason != 0 ? reason : EIO));
    }
    return status;
}

int tool_dump(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "DATABASE", .doc = doc};
    arguments given = {0};
    source from = {0};

    if (argp_parse(&argp, argc, argv, 0, NULL, &given) != 0) {
        return TOOL_USAGE;
    }
    int error = open_source(&from, &given, tool_home_of(given.home, NULL));
    int status = error != 0 ? tool_failed(error) : dump_to(from.db, given.print, given.output);
    return close_source(&from, status);
}
