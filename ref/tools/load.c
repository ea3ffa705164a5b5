/* hotref load: reads what db_dump, or hotref dump, has printed into a database. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dumpformat.h"
#include "home.h"
#include "io.h"
#include "progress.h"

/* A transaction's pages stay in memory until it commits, and each commit costs: so many of each. */
#define BATCH_RECORDS 4096u
#define BATCH_BYTES (4u << 20)

enum { KEY_CREATE = 0x100 };

typedef struct arguments {
    const char *home;
    const char *input; /* NULL: standard input */
    const char *database;
    const char **settings; /* NAME=VALUE of -c */
    size_t setting_count;
    bool as_btree;
    bool no_overwrite;
    bool create;
} arguments;

typedef struct load {
    const arguments *given;
    tool_io io;
    tool_home home;
    ref_env *env; /* NULL: a database alone */
    ref_db *db;
    ref_txn *txn;
    uint64_t committed; /* records */
    uint64_t in_batch;
    uint64_t batch_bytes;
    uint64_t skipped;
    tool_dump_reader reader;
    tool_progress progress;
} load;

static const char doc[] =
    "Reads records in Berkeley DB's portable dump format (VERSION=3, of a btree) from standard "
    "input into DATABASE, which is made if it is not there. A record whose key is there already "
    "is replaced."
    "\v"
    "With -h HOME, DATABASE is a name in the environment, which must not be open in another "
    "process. Without, it is the path of a file of its own. " TOOL_HOME_DEFAULT ".\n\n"
    "Names for -c, as in the header of a dump: db_pagesize, the page size of a new database. A key "
    "is at most a quarter of a page less 20 bytes, a value at most 1 MiB.\n\n"
    "Records are committed in batches: after a failure those before are in the database, and the "
    "message says how many.\n\n"
    "Exit status: 0 done, 1 failed or, with -n, a record was left out, 2 wrong usage.";

static const struct argp_option options[] = {
    {"set", 'c', "NAME=VALUE", 0, "Instead of what the header of the dump says", 0},
    {"file", 'f', "FILE", 0, "Read FILE instead of standard input", 0},
    {"home", 'h', "HOME", 0, "The environment's home", 0},
    {"no-overwrite", 'n', NULL, 0, "Leave a record as it is when its key is there already", 0},
    {"type", 't', "btree", 0, "Load the records of a hash database, too", 0},
    {"create", KEY_CREATE, NULL, 0, "Make the environment when HOME holds none", 0}, {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case 'c':
        given->settings[given->setting_count++] = arg;
        return 0;
    case 'f':
        given->input = arg;
        return 0;
    case 'h':
        given->home = arg;
        return 0;
    case 'n':
        given->no_overwrite = true;
        return 0;
    case 't':
        if (strcmp(arg, "btree") != 0) {
            argp_error(state, "%s: the only type is btree", arg);
        }
        given->as_btree = true;
        return 0;
    case KEY_CREATE:
        given->create = true;
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

/* ---- the database ---- */

/* A database that is changed without its environment no longer follows that environment's log, and
 * is lost to it. */
static int refuse_environments(ref_vfs *vfs, const char *path)
{
    uint8_t head[REF_PAGE_SIZE_MIN];
    size_t done = 0;
    ref_file *file;
    ref_meta meta;

    int error = vfs->open(vfs, path, 0, 0, &file);
    if (error != 0) {
        return error == ENOENT ? 0 : ref_fail(error, "%s: open", path);
    }
    error = ref_read_full(file, head, sizeof head, 0, &done);
    vfs->close(file);
    if (error != 0) {
        return ref_fail(error, "%s: read", path);
    }
    if (ref_meta_read(head, done, path, &meta) == 0 && !ref_id_is_none(&meta.log_id)) {
        return ref_fail(REF_INCOMPLETE,
            "%s: this database belongs to an environment: use -h HOME, or load into another file",
            path);
    }
    return 0;
}

static int open_environment(load *into, const char *home)
{
    int error = tool_home_read(&into->io.vfs, home, &into->home);
    if (error == 0) {
        ref_env_options where = {.vfs = &into->io.vfs, .create = into->given->create};
        tool_home_options(&into->home, &where);
        error = ref_env_open(&where, &into->env);
    }
    if (error == ENOENT && !into->given->create) {
        char *words = tool_copy(ref_error_text());
        ref_fail(-1, "%s; --create makes one", words);
        free(words);
    }
    return error;
}

static int open_database(load *into, uint32_t page_size)
{
    const char *home = tool_home_of(into->given->home, NULL);
    ref_db_options how = {.create = true, .page_size = page_size};

    if (home != NULL) {
        int error = open_environment(into, home);
        return error == 0 ? ref_db_open(into->env, NULL, into->given->database, &how, &into->db)
                          : error;
    }
    int error = refuse_environments(&into->io.vfs, into->given->database);
    return error == 0 ? ref_db_open_alone(&into->io.vfs, into->given->database, &how, &into->db)
                      : error;
}

/* The first error counts: `status` is what happened before. */
static int close_all(load *into, int status)
{
    int error = 0;
    if (into->txn != NULL) {
        ref_txn_abort(into->txn);
    }
    if (into->db != NULL) {
        error = ref_db_close(into->db);
    }
    if (into->env != NULL) {
        int env_error = ref_env_close(into->env);
        error = error != 0 ? error : env_error;
    }
    if (into->reader.in != NULL && into->reader.in != stdin) {
        fclose(into->reader.in);
    }
    tool_dump_reader_free(&into->reader);
    tool_home_free(&into->home);
    tool_io_free(&into->io);
    return status != TOOL_FAILED && error != 0 ? tool_failed(error) : status;
}

/* ---- records ---- */

static int commit(load *into)
{
    int error = 0;
    if (into->txn != NULL) {
        error = ref_txn_commit(into->txn);
        into->txn = NULL;
    }
    if (error == 0) {
        into->committed += into->in_batch;
        into->in_batch = into->batch_bytes = 0;
    }
    return error;
}

/* The words of an engine's failure, with the place in the input in front. */
static int at_line(const load *into, int error)
{
    char *words = tool_copy(ref_error_text()[0] != '\0' ? ref_error_text() : ref_strerror(error));
    ref_fail(REF_CORRUPT, "%s: line %" PRIu64 ": %s", into->reader.name, into->reader.line, words);
    free(words);
    return error;
}

static int put(load *into, const ref_buffer *key, const ref_buffer *value)
{
    static const ref_txn_options lazily = {.no_sync = true}; /* closing syncs */
    int error = 0;
    if (into->txn == NULL) {
        error = ref_txn_begin(ref_db_env(into->db), &lazily, &into->txn);
    }
    if (error == 0) {
        error = ref_db_put(into->db, into->txn, (ref_slice){key->data, key->size},
            (ref_slice){value->data, value->size}, into->given->no_overwrite);
    }
    if (error == REF_KEYEXIST && into->given->no_overwrite) {
        into->skipped++;
        tool_warn("%s: line %" PRIu64 ": the key exists already: not loaded", into->reader.name,
            into->reader.line - 1);
        return 0;
    }
    if (error != 0) {
        return at_line(into, error);
    }
    into->in_batch++;
    into->batch_bytes += key->size + value->size;
    bool full = into->in_batch >= BATCH_RECORDS || into->batch_bytes >= BATCH_BYTES;
    return full ? commit(into) : 0;
}

static int put_all(load *into)
{
    ref_buffer key = {0}, value = {0};
    int error = 0;
    while (error == 0) {
        error = tool_dump_read_record(&into->reader, &key, &value);
        if (error == 0) {
            error = put(into, &key, &value);
            tool_progress_add(&into->progress, 1);
        }
    }
    ref_buffer_free(&key);
    ref_buffer_free(&value);
    return error == REF_NOTFOUND ? tool_dump_read_end(&into->reader) : error;
}

static int load_records(load *into)
{
    tool_progress_begin(&into->progress, "loading", TOOL_RECORDS, false);
    int error = put_all(into);
    if (error == 0) {
        error = commit(into);
    }
    tool_progress_end(&into->progress);
    if (error != 0) {
        tool_failed(error);
        return tool_error("%" PRIu64 " records were loaded before that", into->committed);
    }
    /* Some were left out, which is no failure of what follows. */
    return TOOL_OK;
}

static int read_header(load *into, tool_dump_header *header)
{
    const arguments *given = into->given;
    int error = tool_dump_read_header(&into->reader, header);
    if (error == 0 && header->hash && !given->as_btree) {
        return ref_fail(REF_CORRUPT,
            "%s: line %" PRIu64 ": type=hash: not supported; -t btree loads the records into a "
            "btree",
            into->reader.name, header->type_line);
    }
    for (size_t i = 0; i < given->setting_count && error == 0; i++) {
        error = tool_dump_keyword("option -c", given->settings[i], header);
    }
    return error;
}

static int run(load *into)
{
    tool_dump_header header;
    const char *input = into->given->input;

    into->reader =
        (tool_dump_reader){.in = stdin, .name = input != NULL ? input : "standard input"};
    if (input != NULL) {
        into->reader.in = fopen(input, "re");
        if (into->reader.in == NULL) {
            return tool_error("%s: open: %s", input, strerror(errno));
        }
    }
    int error = read_header(into, &header);
    if (error == 0) {
        error = open_database(into, header.page_size);
    }
    return error != 0 ? tool_failed(error) : load_records(into);
}

int tool_load(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "DATABASE", .doc = doc};
    arguments given = {.settings = tool_zeroed((size_t)argc, sizeof *given.settings)};
    load into = {.given = &given};
    int status = TOOL_USAGE;

    if (argp_parse(&argp, argc, argv, 0, NULL, &given) == 0) {
        tool_io_init(&into.io, NULL);
        status = close_all(&into, run(&into));
    }
    if (status == TOOL_OK && into.skipped > 0) {
        status = tool_error("%" PRIu64 " records loaded, %" PRIu64 " not, whose keys existed",
            into.committed, into.skipped);
    }
    free(given.settings);
    return status;
}
