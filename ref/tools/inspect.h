/*
 * Looking at an environment's log and control file without opening the environment: nothing is
 * locked, made, cut or written, and the owner may go on meanwhile.
 *
 * The commands that only look (verify, printlog) stand on this. inspect.c alone includes the
 * engine's insides; what is found here is what recovery would find, because the engine's own
 * readers do the work.
 *
 * Results: 0 or an error with words.
 */
#ifndef TOOL_INSPECT_H
#define TOOL_INSPECT_H

#include "engine/record.h"
#include "engine/tree.h"
#include "engine/vfs.h"

/* ---- names ---- */

typedef enum tool_name_kind {
    TOOL_NAME_OTHER, /* a database or an ordinary file */
    TOOL_NAME_SEGMENT,
    TOOL_NAME_CONTROL,
    TOOL_NAME_LOCK,
    TOOL_NAME_LABEL,     /* of a copy that was not recovered */
    TOOL_NAME_MARKER,    /* of an unfinished backup */
    TOOL_NAME_TEMPORARY, /* what a backup, recovery, adoption or capture has beside a file meanwhile */
    TOOL_NAME_CONFIG
} tool_name_kind;

/* What a file of this name (without directories) is. *segment is its number, or 0. */
tool_name_kind tool_name_kind_of(const char *name, uint32_t *segment);

/* "log.NNNNNNNNNN" below the directory. malloc'd. */
char *tool_segment_path(const char *log_path, uint32_t number);

/* ---- control file and log ---- */

/* Start from {0}; tool_log_free() when done, also after a failure. */
typedef struct tool_log {
    char *path; /* of the log directory */

    /* the control file */
    bool controlled; /* there is one, and it could be read */
    bool recovered_copy;
    ref_id control_environment;
    uint64_t sequence;
    uint64_t redo;
    uint64_t durable;
    uint64_t commit;   /* before the redo point */
    bool labelled;     /* no control file, but a copy's label: redo and durable are what it says. (A
                          recovered copy that was updated has both; then durable is the label's.) */
    int control_error; /* one of them is there and cannot be read */
    char *control_words;

    /* the segments that are there, in order */
    uint32_t *numbers;
    size_t count;

    /* what tool_log_scan() found */
    uint32_t from;     /* its first segment */
    uint64_t end;      /* after the last whole group: what recovery reaches */
    uint64_t tail;     /* bytes behind it */
    bool torn_segment; /* the newest segment's header is torn */
    ref_id environment;
    uint64_t last_commit;
} tool_log;

/* Reads the control file and lists the segments. */
int tool_log_look(ref_vfs *vfs, const char *home, const char *log_path, tool_log *out);
void tool_log_free(tool_log *log);

/* The first segment of the unbroken row of numbers that ends with the newest; 0: there is none. */
uint32_t tool_log_row(const tool_log *log);

/* Looks through the segments from `from` to the newest and finds the end, as recovery does. After a
 * failure the fields say how far it had got. */
int tool_log_scan(ref_vfs *vfs, tool_log *log, uint32_t from);

typedef int (*tool_record_fn)(void *context, const ref_record *record);

/* Every record between log->from and log->end. */
int tool_log_replay(ref_vfs *vfs, const tool_log *log, tool_record_fn each, void *context);

/* One segment in memory. Start from {0}; tool_segment_free() when done, also after a failure. */
typedef struct tool_segment {
    char *path;
    uint8_t *bytes;
    uint64_t size;
    ref_segment_header header;
} tool_segment;

/* REF_CORRUPT with words when its header is not sound or is another segment's. */
int tool_segment_load(ref_vfs *vfs, const char *log_path, uint32_t number, tool_segment *out);
void tool_segment_free(tool_segment *segment);

/* Every record from the segment's beginning that can be read. *stop is the offset behind the last.
 * 0 or the callback's result. */
int tool_segment_walk(
    const tool_segment *segment, tool_record_fn each, void *context, uint64_t *stop);

/* ---- the databases that the log speaks of ---- */

typedef struct tool_database {
    ref_id id;
    uint32_t page_size;
    uint64_t created; /* LSN of its creation; 0: before the first segment, or it was brought in */
    bool removed;
    char *dir;       /* as the log says */
    ref_names names; /* every name that the log says, oldest first; the last one holds */
    size_t index;    /* in order of appearance, from 0 */
    struct tool_database *next;
} tool_database;

typedef struct tool_databases {
    tool_database *first;
    size_t count;
    tool_database *used; /* found last */
} tool_databases;

/* Takes over what the record says of files. REF_CORRUPT when it does not parse, or speaks of a file
 * that no record has introduced. */
int tool_databases_note(tool_databases *databases, const ref_record *record);
tool_database *tool_databases_find(tool_databases *databases, const ref_id *id);
void tool_databases_free(tool_databases *databases);

/* The name that holds at the end, with its directory. malloc'd. */
char *tool_database_name(const tool_database *database);

#endif
