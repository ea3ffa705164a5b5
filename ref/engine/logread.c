/* Reading the log: finding its end, telling a torn tail from damage, replaying. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"

char *ref_segment_path(const char *log_path, uint32_t number)
{
    char name[32];
    snprintf(name, sizeof name, REF_LOG_PREFIX "%010u", number);
    return ref_path_join(log_path, name);
}

typedef struct range {
    uint32_t oldest, newest;
} range;

static int note_segment(void *context, const char *name)
{
    range *seen = context;
    uint32_t number = ref_segment_of_name(name);
    if (number != 0) {
        if (seen->oldest == 0 || number < seen->oldest) {
            seen->oldest = number;
        }
        if (number > seen->newest) {
            seen->newest = number;
        }
    }
    return 0;
}

int ref_log_segments(ref_vfs *vfs, const char *log_path, uint32_t *oldest, uint32_t *newest)
{
    range seen = {0, 0};
    int error = vfs->list(vfs, log_path, note_segment, &seen);
    *oldest = seen.oldest;
    *newest = seen.newest;
    return error == 0 ? 0 : ref_fail(error, "%s: list of the log directory", log_path);
}

void ref_segment_unload(ref_segment *segment)
{
    free(segment->path);
    free(segment->bytes);
    *segment = (ref_segment){0};
}

static int load_bytes(ref_vfs *vfs, ref_segment *segment)
{
    ref_file *file;
    ref_stat stat;
    int error = vfs->open(vfs, segment->path, REF_O_SEQUENTIAL, 0, &file);
    if (error == ENOENT) {
        return ref_fail(REF_CORRUPT, "%s: this log segment is missing", segment->path);
    }
    if (error != 0) {
        return ref_fail(error, "%s: open", segment->path);
    }
    error = vfs->fstat(file, &stat);
    if (error == 0) {
        segment->bytes = malloc((size_t)stat.size + 1);
        error = segment->bytes == NULL ? ENOMEM : 0;
    }
    if (error == 0) {
        error = ref_read_full(file, segment->bytes, (size_t)stat.size, 0, &segment->size);
    }
    vfs->close(file);
    return error == 0 ? 0 : ref_fail(error, "%s: read", segment->path);
}

int ref_segment_load(
    ref_vfs *vfs, const char *log_path, uint32_t number, ref_segment *out, bool *torn)
{
    *out = (ref_segment){.path = ref_segment_path(log_path, number)};
    if (torn != NULL) {
        *torn = false;
    }
    if (out->path == NULL) {
        return ref_fail(ENOMEM, "log.%010u", number);
    }
    int error = load_bytes(vfs, out);
    if (error != 0) {
        return error;
    }
    error = ref_segment_header_read(out->bytes, out->size, out->path, &out->header);
    if (error == ENOENT) {
        if (torn != NULL) {
            *torn = true;
        }
        return ref_fail(REF_CORRUPT, "%s: offset 0: no sound segment header", out->path);
    }
    if (error == 0 && out->header.number != number) {
        return ref_fail(
            REF_CORRUPT, "%s: offset 12: this is segment %u", out->path, out->header.number);
    }
    return error;
}

/* ---- scanning ---- */

static bool parse_at(const ref_segment *segment, size_t offset, ref_record *record)
{
    uint64_t lsn = (uint64_t)segment->header.number << 32 | offset;
    return ref_record_parse(segment->bytes + offset, segment->size - offset, lsn, record);
}

/* Commit and checkpoint records are shorter. Without a bound, a tail of a hundred thousand places that
 * look like the beginning of one would have as many checksums taken over all the rest of it. */
#define WITNESS_MAX 64u

/* Behind a bad record: is there one that knew this place to be durable? Records stand at multiples
 * of eight. */
static bool known_durable_behind(const ref_segment *segment, size_t bad, uint64_t *witness)
{
    uint64_t bad_lsn = (uint64_t)segment->header.number << 32 | bad;
    for (size_t at = bad + 8; at + REF_RECORD_HEADER <= segment->size; at += 8) {
        ref_record record;
        ref_commit_record commit;
        ref_checkpoint_record checkpoint;
        if ((segment->bytes[at + 8] != REF_RECORD_COMMIT &&
                segment->bytes[at + 8] != REF_RECORD_CHECKPOINT) ||
            ref_get32(segment->bytes + at + 4) > WITNESS_MAX) {
            continue;
        }
        if (!parse_at(segment, at, &record)) {
            continue;
        }
        uint64_t durable = 0;
        if (record.type == REF_RECORD_COMMIT && ref_record_commit(&record, &commit)) {
            durable = commit.durable;
        } else if (ref_record_checkpoint(&record, &checkpoint)) {
            durable = checkpoint.durable;
        }
        if (durable > bad_lsn) {
            *witness = record.lsn;
            return true;
        }
    }
    return false;
}

static int damage(const ref_segment *segment, size_t at, const char *why)
{
    return ref_fail(REF_CORRUPT, "%s: offset %zu: damaged log record: %s", segment->path, at, why);
}

/* Walks the records of one segment; *end is the offset after the last whole group. */
static int scan_records(const ref_segment *segment, ref_log_scan *out, size_t *end)
{
    size_t at = REF_SEGMENT_HEADER;
    uint32_t open = 0; /* records of a group that has not ended */
    ref_record record;

    *end = at;
    while (at < segment->size && parse_at(segment, at, &record)) {
        ref_commit_record commit;
        ref_checkpoint_record checkpoint;
        if (at == REF_SEGMENT_HEADER && record.type != REF_RECORD_CATALOG) {
            return damage(segment, at, "a segment begins with a catalog");
        }
        if (record.type < REF_RECORD_PAGE || record.type > REF_RECORD_CATALOG) {
            return damage(segment, at, "its type is unknown");
        }
        if (record.type == REF_RECORD_COMMIT) {
            if (!ref_record_commit(&record, &commit) || commit.records != open ||
                commit.number != out->commit + 1) {
                return ref_fail(REF_CORRUPT, "%s: offset %zu: a commit record that does not fit",
                    segment->path, at);
            }
            out->commit = commit.number;
            open = 0;
        } else if (record.type == REF_RECORD_CHECKPOINT) {
            if (ref_record_checkpoint(&record, &checkpoint)) {
                out->redo = checkpoint.redo;
            }
        } else if (record.type != REF_RECORD_CATALOG) {
            open++;
        }
        at += record.length;
        if (open == 0) {
            *end = at;
        }
    }
    return 0;
}

/* What follows the last whole group of the newest segment: a torn tail, or damage? */
static int judge_tail(const ref_segment *segment, size_t end, uint64_t durable)
{
    uint64_t witness;
    uint64_t lsn = (uint64_t)segment->header.number << 32 | end;
    if (durable > lsn) {
        return damage(segment, end, "the log was durable beyond this place");
    }
    if (known_durable_behind(segment, end, &witness)) {
        return damage(segment, end, "a later record knew this place to be durable");
    }
    return 0;
}

/* A crash while a segment was begun leaves a torn header, or one without the catalog behind it:
 * nothing of it was ever durable. The segment before it was. */
static int judge_torn_start(
    ref_segment *segment, uint32_t number, uint64_t durable, ref_log_scan *out)
{
    uint64_t witness, start = (uint64_t)number << 32;
    segment->header.number = number;
    if (durable > start || known_durable_behind(segment, 0, &witness)) {
        return ref_fail(REF_CORRUPT,
            "%s: offset 0: no sound segment header and catalog, but the segment was durable",
            segment->path);
    }
    if (out->tail > 0) {
        return ref_fail(REF_CORRUPT,
            "log.%010u: offset %u: damaged log record: a later segment was begun", number - 1,
            REF_LSN_OFFSET(out->end));
    }
    out->torn_segment = true;
    return 0;
}

/* Does `next` go on where the segment before ended? */
static int check_joint(const ref_segment *next, const ref_log_scan *scan, size_t previous_size)
{
    if (!ref_id_equal(&next->header.environment, &scan->environment)) {
        return ref_fail(REF_CORRUPT, "%s: offset 16: a segment of another environment", next->path);
    }
    if (next->header.previous_end != scan->end) {
        uint32_t offset = REF_LSN_OFFSET(scan->end);
        return ref_fail(REF_CORRUPT,
            "log.%010u: offset %u: damaged log record: segment %u says that this one ends at %u "
            "(it is %zu bytes long)",
            next->header.number - 1, offset, next->header.number,
            REF_LSN_OFFSET(next->header.previous_end), previous_size);
    }
    if (scan->tail > 0) {
        return ref_fail(REF_CORRUPT,
            "log.%010u: offset %u: damaged log record: %llu bytes behind the end, and a later "
            "segment",
            next->header.number - 1, REF_LSN_OFFSET(scan->end), (unsigned long long)scan->tail);
    }
    if (next->header.previous_incarnation != scan->incarnation) {
        return ref_fail(REF_CORRUPT,
            "%s: offset 40: this segment continues another history of the environment", next->path);
    }
    return 0;
}

static int scan_one(ref_vfs *vfs, const char *log_path, uint32_t number, uint64_t durable,
    size_t *previous_size, ref_log_scan *out)
{
    ref_segment segment;
    size_t end = 0;
    bool torn, last = number == out->newest;
    int error = ref_segment_load(vfs, log_path, number, &segment, &torn);

    if (torn && last && out->end != 0) {
        error = judge_torn_start(&segment, number, durable, out);
        ref_segment_unload(&segment);
        return error;
    }
    if (error == 0 && out->end == 0) {
        out->environment = segment.header.environment;
        out->commit = segment.header.commit;
    } else if (error == 0) {
        error = check_joint(&segment, out, *previous_size);
    }
    if (error == 0) {
        error = scan_records(&segment, out, &end);
    }
    /* Segment 1 begins with a catalog of nothing. */
    if (error == 0 && end == REF_SEGMENT_HEADER && number > 1) {
        error = last && out->end != 0 ? judge_torn_start(&segment, number, durable, out)
                                      : damage(&segment, end, "the segment's catalog");
        ref_segment_unload(&segment);
        return error;
    }
    if (error == 0) {
        out->end = (uint64_t)number << 32 | end;
        out->incarnation = segment.header.incarnation;
        *previous_size = segment.size;
        out->tail = segment.size - end;
        if (last && out->tail > 0) {
            error = judge_tail(&segment, end, durable);
        }
    }
    ref_segment_unload(&segment);
    return error;
}

int ref_log_scan_segments(
    ref_vfs *vfs, const char *log_path, uint32_t from, uint64_t durable, ref_log_scan *out)
{
    size_t previous_size = 0;

    *out = (ref_log_scan){0};
    int error = ref_log_segments(vfs, log_path, &out->oldest, &out->newest);
    if (error != 0 || out->newest == 0) {
        return error;
    }
    for (uint32_t number = from != 0 ? from : out->oldest; number <= out->newest && error == 0;
         number++) {
        error = scan_one(vfs, log_path, number, durable, &previous_size, out);
    }
    if (error == 0 && durable > out->end) {
        return ref_fail(REF_CORRUPT,
            "log.%010u: offset %u: the log ends here, but was durable up to segment %u, offset %u",
            REF_LSN_SEGMENT(out->end), REF_LSN_OFFSET(out->end), REF_LSN_SEGMENT(durable),
            REF_LSN_OFFSET(durable));
    }
    return error;
}

/* ---- replaying ---- */

int ref_log_replay(ref_vfs *vfs, const char *log_path, uint32_t from, uint64_t end,
    int (*each)(void *context, const ref_record *record), void *context)
{
    int error = 0;
    for (uint32_t number = from; number <= REF_LSN_SEGMENT(end) && error == 0; number++) {
        ref_segment segment;
        ref_record record;
        error = ref_segment_load(vfs, log_path, number, &segment, NULL);
        size_t stop = number == REF_LSN_SEGMENT(end) ? REF_LSN_OFFSET(end) : segment.size;
        for (size_t at = REF_SEGMENT_HEADER; error == 0 && at < stop; at += record.length) {
            if (!parse_at(&segment, at, &record)) {
                error = damage(&segment, at, "it was sound a moment ago");
                break;
            }
            error = each(context, &record);
        }
        ref_segment_unload(&segment);
    }
    return error;
}
