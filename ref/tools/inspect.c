/* Looking at an environment's log and control file without opening the environment. */
#include "inspect.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/backup_target.h"
#include "engine/internal.h"
#include "engine/label.h"
#include "engine/log.h"
#include "home.h"
#include "tool.h"

/* ---- names ---- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), end = strlen(suffix);
    return length > end && strcmp(name + length - end, suffix) == 0;
}

tool_name_kind tool_name_kind_of(const char *name, uint32_t *segment)
{
    static const struct {
        const char *name;
        tool_name_kind kind;
    } names[] = {{REF_CONTROL_NAME, TOOL_NAME_CONTROL}, {REF_LOCK_NAME, TOOL_NAME_LOCK},
        {REF_LABEL_NAME, TOOL_NAME_LABEL}, {REF_MARKER_NAME, TOOL_NAME_MARKER},
        {REF_TARGET_LOCK_NAME, TOOL_NAME_TEMPORARY}, {"DB_CONFIG", TOOL_NAME_CONFIG}};

    *segment = ref_segment_of_name(name);
    if (*segment != 0) {
        return TOOL_NAME_SEGMENT;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i].name, name) == 0) {
            return names[i].kind;
        }
    }
    bool passing = ref_target_is_temporary(name) || ends_with(name, REF_RECOVERY_SUFFIX) ||
                   ends_with(name, ".__adopt") || ends_with(name, ".__capture");
    return passing ? TOOL_NAME_TEMPORARY : TOOL_NAME_OTHER;
}

char *tool_segment_path(const char *log_path, uint32_t number)
{
    char *path = ref_segment_path(log_path, number);
    return path != NULL ? path : tool_copy("log");
}

/* ---- control file and list of segments ---- */

static void note_control(const ref_control *control, tool_log *out)
{
    out->controlled = true;
    out->recovered_copy = control->copy;
    out->control_environment = control->environment;
    out->sequence = control->sequence;
    out->redo = control->redo;
    out->durable = control->durable;
    out->commit = control->commit;
}

/* A copy that was updated after its recovery has both: then the label says how far its log goes. */
static void note_label(const ref_label *label, tool_log *out)
{
    if (out->controlled) {
        out->durable = label->end > out->durable ? label->end : out->durable;
        return;
    }
    out->labelled = true;
    out->control_environment = label->environment;
    out->redo = label->redo;
    out->durable = label->end;
}

static void look_at_control(ref_vfs *vfs, const char *home, tool_log *out)
{
    ref_control control;
    ref_label label;
    int error = ref_control_read(vfs, home, &control);
    if (error == 0) {
        note_control(&control, out);
    }
    if (error == ENOENT || out->recovered_copy) {
        error = ref_label_read(vfs, home, &label);
        if (error == 0) {
            note_label(&label, out);
        }
    }
    if (error != 0 && error != ENOENT) {
        out->control_error = error;
        out->control_words = tool_copy(ref_error_text());
    }
}

typedef struct segment_list {
    tool_log *log;
    size_t capacity;
} segment_list;

static int add_segment(void *context, const char *name)
{
    segment_list *list = context;
    tool_log *log = list->log;
    uint32_t number = ref_segment_of_name(name);

    if (number == 0) {
        return 0;
    }
    if (log->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        uint32_t *grown = realloc(log->numbers, capacity * sizeof *grown);
        if (grown == NULL) {
            return ENOMEM;
        }
        log->numbers = grown;
        list->capacity = capacity;
    }
    log->numbers[log->count++] = number;
    return 0;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int tool_log_look(ref_vfs *vfs, const char *home, const char *log_path, tool_log *out)
{
    *out = (tool_log){.path = tool_copy(log_path)};
    segment_list list = {.log = out};

    look_at_control(vfs, home, out);
    int error = vfs->list(vfs, log_path, add_segment, &list);
    if (error != 0) {
        return ref_fail(error, "%s: list of the log directory", log_path);
    }
    if (out->count > 0) {
        qsort(out->numbers, out->count, sizeof *out->numbers, compare_numbers);
    }
    return 0;
}

void tool_log_free(tool_log *log)
{
    free(log->path);
    free(log->control_words);
    free(log->numbers);
    *log = (tool_log){0};
}

uint32_t tool_log_row(const tool_log *log)
{
    size_t at = log->count;
    if (at == 0) {
        return 0;
    }
    at--;
    while (at > 0 && log->numbers[at - 1] + 1 == log->numbers[at]) {
        at--;
    }
    return log->numbers[at];
}

/* ---- reading the log ---- */

int tool_log_scan(ref_vfs *vfs, tool_log *log, uint32_t from)
{
    ref_log_scan scan;
    int error = ref_log_scan_segments(vfs, log->path, from, log->durable, &scan);
    log->from = from;
    log->end = scan.end;
    log->tail = scan.tail;
    log->torn_segment = scan.torn_segment;
    log->environment = scan.environment;
    log->last_commit = scan.commit;
    if (error == 0 && (log->controlled || log->labelled) && scan.end != 0 &&
        !ref_id_equal(&scan.environment, &log->control_environment)) {
        error = ref_fail(REF_CORRUPT,
            "%s: the log belongs to another environment than its control file or label", log->path);
    }
    return error;
}

int tool_log_replay(ref_vfs *vfs, const tool_log *log, tool_record_fn each, void *context)
{
    return log->end == 0 ? 0 : ref_log_replay(vfs, log->path, log->from, log->end, each, context);
}

int tool_segment_load(ref_vfs *vfs, const char *log_path, uint32_t number, tool_segment *out)
{
    ref_segment segment;
    int error = ref_segment_load(vfs, log_path, number, &segment, NULL);
    *out = (tool_segment){.path = segment.path,
        .bytes = segment.bytes,
        .size = segment.size,
        .header = segment.header};
    return error;
}

void tool_segment_free(tool_segment *segment)
{
    free(segment->path);
    free(segment->bytes);
    *segment = (tool_segment){0};
}

int tool_segment_walk(
    const tool_segment *segment, tool_record_fn each, void *context, uint64_t *stop)
{
    ref_record record;
    uint64_t at = REF_SEGMENT_HEADER;
    int error = 0;

    while (error == 0 && at < segment->size) {
        uint64_t lsn = (uint64_t)segment->header.number << 32 | at;
        if (!ref_record_parse(segment->bytes + at, segment->size - at, lsn, &record)) {
            break;
        }
        error = each(context, &record);
        at += record.length;
    }
    *stop = at;
    return error;
}

/* ---- databases ---- */

tool_database *tool_databases_find(tool_databases *databases, const ref_id *id)
{
    if (databases->used != NULL && ref_id_equal(&databases->used->id, id)) {
        return databases->used;
    }
    for (tool_database *at = databases->first; at != NULL; at = at->next) {
        if (ref_id_equal(&at->id, id)) {
            databases->used = at;
            return at;
        }
    }
    return NULL;
}

void tool_databases_free(tool_databases *databases)
{
    while (databases->first != NULL) {
        tool_database *at = databases->first;
        databases->first = at->next;
        ref_names_free(&at->names);
        free(at->dir);
        free(at);
    }
    *databases = (tool_databases){0};
}

char *tool_database_name(const tool_database *database)
{
    return tool_join(database->dir, database->names.names[database->names.count - 1]);
}

static int add_name(tool_database *database, const char *name)
{
    return ref_names_add(&database->names, name) == 0 ? 0 : ref_fail(ENOMEM, "%s", name);
}

static int add_database(void *context, const ref_file_record *record)
{
    tool_databases *databases = context;
    tool_database **at = &databases->first;

    if (tool_databases_find(databases, &record->id) != NULL) {
        return 0;
    }
    if (!ref_page_size_valid(record->page_size)) {
        return ref_fail(
            REF_CORRUPT, "%s: the log says page size %u", record->name, record->page_size);
    }
    while (*at != NULL) {
        at = &(*at)->next;
    }
    tool_database *added = tool_zeroed(1, sizeof *added);
    *at = added;
    added->id = record->id;
    added->page_size = record->page_size;
    added->dir = tool_copy(record->dir);
    added->index = databases->count++;
    return add_name(added, record->name);
}

static int note_file(
    tool_databases *databases, const ref_record *record, const ref_file_record *said)
{
    if (record->type == REF_RECORD_CREATE || record->type == REF_RECORD_ADOPT) {
        int error = add_database(databases, said);
        if (error == 0 && record->type == REF_RECORD_CREATE) {
            tool_databases_find(databases, &said->id)->created = record->lsn;
        }
        return error;
    }
    tool_database *database = tool_databases_find(databases, &said->id);
    if (database == NULL) {
        return ref_fail(REF_CORRUPT, "log.%010u: offset %u: a %s record about an unknown file",
            TOOL_LSN_ARGS(record->lsn), ref_record_type_name(record->type));
    }
    if (record->type == REF_RECORD_REMOVE) {
        database->removed = true;
        return 0;
    }
    return add_name(database, said->name);
}

int tool_databases_note(tool_databases *databases, const ref_record *record)
{
    ref_file_record said;
    bool files = record->type >= REF_RECORD_CREATE && record->type <= REF_RECORD_RENAME;
    int error;

    if (!files && record->type != REF_RECORD_CATALOG) {
        return 0;
    }
    char *strings = tool_zeroed((size_t)record->payload_size + 2, 1);
    if (record->type == REF_RECORD_CATALOG) {
        ref_error_clear();
        error = ref_record_catalog(record, strings, add_database, databases);
        if (error == REF_CORRUPT && ref_error_text()[0] == '\0') {
            error = ref_fail(REF_CORRUPT, "log.%010u: offset %u: a catalog that does not parse",
                TOOL_LSN_ARGS(record->lsn));
        }
    } else if (ref_record_file(record, strings, &said)) {
        error = note_file(databases, record, &said);
    } else {
        error = ref_fail(REF_CORRUPT, "log.%010u: offset %u: a file record that does not parse",
            TOOL_LSN_ARGS(record->lsn));
    }
    free(strings);
    return error;
}
