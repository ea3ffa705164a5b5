/* hotref printlog: the records of the log, one a line, as far as they can be read. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "home.h"
#include "inspect.h"
#include "io.h"

typedef struct arguments {
    const char *home;
    const char *log_dir;
    uint64_t begin;
    uint64_t stop; /* 0: to the end */
} arguments;

typedef struct printing {
    const arguments *given;
    tool_databases databases;
    int status;
} printing;

static const char doc[] =
    "Prints every record of the environment's log: where it stands (segment and offset), its type "
    "and size, the database and page it concerns, and what its kind says. Nothing is changed, and "
    "the environment may be in use."
    "\v"
    "What cannot be read is reported by file and offset, and printing goes on with the next "
    "segment.\n\n" TOOL_HOME_DEFAULT ", or else it is the current directory.\n\n"
    "Exit status: 0 done, 1 failed, or the log is damaged, or its last record is not whole (in an "
    "environment that is in use that may be one that is being written), 2 wrong usage.";

static const struct argp_option options[] = {
    {"begin", 'b', "SEGMENT/OFFSET", 0, "Print from there on", 0},
    {"end", 'e', "SEGMENT/OFFSET", 0, "Print up to there", 0},
    {"home", 'h', "HOME", 0, "The environment's home", 0},
    {"log-dir", 'l', "DIR", 0, "The log directory, instead of that of DB_CONFIG", 0}, {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case 'b':
    case 'e':
        if (!tool_parse_lsn(arg, key == 'b' ? &given->begin : &given->stop)) {
            argp_error(state, "%s: SEGMENT/OFFSET is expected", arg);
        }
        return 0;
    case 'h':
        given->home = arg;
        return 0;
    case 'l':
        given->log_dir = arg;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: no argument is expected", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what a record says ---- */

static void print_id(const ref_id *id)
{
    for (size_t i = 0; i < sizeof id->bytes; i++) {
        printf("%02x", id->bytes[i]);
    }
}

/* The database's name as it is at this place in the log. */
static void print_database(printing *p, const ref_id *id)
{
    const tool_database *database = tool_databases_find(&p->databases, id);
    if (database == NULL) {
        print_id(id);
        return;
    }
    char *name = tool_database_name(database);
    fputs(name, stdout);
    free(name);
}

static void print_page(printing *p, const ref_record *record)
{
    ref_page_record said;
    if (!ref_record_page(record, &said)) {
        fputs("does not parse", stdout);
        return;
    }
    print_database(p, &said.file);
    printf("  page %u  %s of %u bytes", said.pgno, said.full ? "whole image" : "change",
        record->payload_size);
    if (said.previous != 0) {
        printf(" after " TOOL_LSN, TOOL_LSN_ARGS(said.previous));
    }
}

static int print_catalog_file(void *context, const ref_file_record *file)
{
    (void)context;
    printf("  %s%s%s", file->dir, file->dir[0] != '\0' ? "/" : "", file->name);
    return 0;
}

static void print_catalog(const ref_record *record)
{
    char *strings = tool_zeroed((size_t)record->payload_size + 2, 1);
    fputs("databases:", stdout);
    if (ref_record_catalog(record, strings, print_catalog_file, NULL) != 0) {
        fputs("  does not parse", stdout);
    }
    free(strings);
}

static void print_file(printing *p, const ref_record *record)
{
    ref_file_record said;
    char *strings = tool_zeroed((size_t)record->payload_size + 2, 1);
    if (!ref_record_file(record, strings, &said)) {
        fputs("does not parse", stdout);
    } else if (record->type == REF_RECORD_REMOVE) {
        print_database(p, &said.id);
    } else if (record->type == REF_RECORD_RENAME) {
        print_database(p, &said.id);
        printf("  to %s", said.name);
    } else {
        printf("%s%s%s  page size %u  mode %o  id ", said.dir, said.dir[0] != '\0' ? "/" : "",
            said.name, said.page_size, said.mode);
        print_id(&said.id);
    }
    free(strings);
}

static void print_commit(const ref_record *record)
{
    ref_commit_record said;
    char time[40];
    if (!ref_record_commit(record, &said)) {
        fputs("does not parse", stdout);
        return;
    }
    printf("commit %" PRIu64 "  of %u records  %s  durable " TOOL_LSN, said.number, said.records,
        tool_time_text(said.time, time), TOOL_LSN_ARGS(said.durable));
}

static void print_checkpoint(const ref_record *record)
{
    ref_checkpoint_record said;
    char time[40];
    if (!ref_record_checkpoint(record, &said)) {
        fputs("does not parse", stdout);
        return;
    }
    printf("redo " TOOL_LSN "  commit %" PRIu64 "  %s  durable " TOOL_LSN, TOOL_LSN_ARGS(said.redo),
        said.commit, tool_time_text(said.time, time), TOOL_LSN_ARGS(said.durable));
}

static int print_record(void *context, const ref_record *record)
{
    printing *p = context;
    const arguments *given = p->given;
    bool wanted = record->lsn >= given->begin && (given->stop == 0 || record->lsn <= given->stop);

    if (wanted) {
        printf(TOOL_LSN "  %-10s  %u  ", TOOL_LSN_ARGS(record->lsn),
            ref_record_type_name(record->type), record->length);
        if (record->type == REF_RECORD_PAGE) {
            print_page(p, record);
        } else if (record->type >= REF_RECORD_CREATE && record->type <= REF_RECORD_RENAME) {
            print_file(p, record);
        } else if (record->type == REF_RECORD_COMMIT) {
            print_commit(record);
        } else if (record->type == REF_RECORD_CHECKPOINT) {
            print_checkpoint(record);
        } else if (record->type == REF_RECORD_CATALOG) {
            print_catalog(record);
        } else {
            printf("type %u", record->type);
        }
        putchar('\n');
    }
    /* Its names are wanted for what follows. Whether it may say this, the scan judges. */
    tool_databases_note(&p->databases, record);
    return 0;
}

/* ---- segments ---- */

static void print_header(const tool_segment *segment)
{
    const ref_segment_header *header = &segment->header;
    char time[40];
    printf("%s  %" PRIu64 " bytes  %s  environment ", segment->path, segment->size,
        tool_time_text(header->time, time));
    print_id(&header->environment);
    printf("  incarnation %016" PRIx64 "  commit %" PRIu64, header->incarnation, header->commit);
    if (header->previous_end != 0) {
        printf("  after " TOOL_LSN, TOOL_LSN_ARGS(header->previous_end));
    }
    putchar('\n');
}

static void print_segment(printing *p, ref_vfs *vfs, const tool_log *log, uint32_t number)
{
    tool_segment segment = {0};
    uint64_t stop;

    int error = tool_segment_load(vfs, log->path, number, &segment);
    if (error == 0) {
        print_header(&segment);
        error = tool_segment_walk(&segment, print_record, p, &stop);
    }
    if (error != 0) {
        p->status = tool_failed(error);
    } else if (stop < segment.size) {
        p->status = tool_error("%s: offset %" PRIu64 ": no sound record; the %" PRIu64
                               " bytes from here cannot be read",
            segment.path, stop, segment.size - stop);
    }
    tool_segment_free(&segment);
}

/* Every segment begins with a catalog, so those before the first that is wanted can be left out. */
static void print_segments(printing *p, ref_vfs *vfs, const tool_log *log)
{
    const arguments *given = p->given;
    for (size_t i = 0; i < log->count; i++) {
        uint32_t number = log->numbers[i];
        if (number >= REF_LSN_SEGMENT(given->begin) &&
            (given->stop == 0 || number <= REF_LSN_SEGMENT(given->stop))) {
            print_segment(p, vfs, log, number);
        }
    }
}

static void report_gaps(printing *p, const tool_log *log)
{
    for (size_t i = 1; i < log->count; i++) {
        for (uint64_t missing = (uint64_t)log->numbers[i - 1] + 1; missing < log->numbers[i];
             missing++) {
            char *path = tool_segment_path(log->path, (uint32_t)missing);
            p->status = tool_error("%s: this log segment is missing", path);
            free(path);
        }
    }
}

/* What recovery would say of the log as a whole. */
static void judge(printing *p, ref_vfs *vfs, tool_log *log)
{
    int error = tool_log_scan(vfs, log, tool_log_row(log));
    if (error != 0) {
        p->status = tool_failed(error);
        return;
    }
    if (log->tail > 0) {
        p->status = tool_error("log.%010u: offset %u: a torn tail of %" PRIu64
                               " bytes, which recovery cuts off",
            TOOL_LSN_ARGS(log->end), log->tail);
    } else if (log->torn_segment) {
        p->status = tool_error("log.%010u: offset 0: a torn segment, which recovery removes",
            log->numbers[log->count - 1]);
    }
    printf("end " TOOL_LSN "  commit %" PRIu64 "\n", TOOL_LSN_ARGS(log->end), log->last_commit);
}

static int print_log(ref_vfs *vfs, const tool_home *home, const arguments *given)
{
    printing p = {.given = given, .status = TOOL_OK};
    tool_log log;
    char *path = tool_home_log(home);

    int error = tool_log_look(vfs, home->path, path, &log);
    if (error != 0) {
        p.status = tool_failed(error);
    } else if (log.count == 0) {
        p.status = tool_error("%s: there is no log here", path);
    } else {
        report_gaps(&p, &log);
        print_segments(&p, vfs, &log);
        judge(&p, vfs, &log);
    }
    tool_databases_free(&p.databases);
    tool_log_free(&log);
    free(path);
    return p.status;
}

int tool_printlog(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = parse, .doc = doc};
    arguments given = {0};
    tool_home home;
    tool_io io;

    if (argp_parse(&argp, argc, argv, 0, NULL, &given) != 0) {
        return TOOL_USAGE;
    }
    tool_io_init(&io, NULL);
    io.read_only = true;
    int error = tool_home_read(&io.vfs, tool_home_of(given.home, "."), &home);
    if (error == 0 && given.log_dir != NULL) {
        tool_home_set_log_dir(&home, given.log_dir);
    }
    int status = error != 0 ? tool_failed(error) : print_log(&io.vfs, &home, &given);
    tool_home_free(&home);
    tool_io_free(&io);
    return status;
}
