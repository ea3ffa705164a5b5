#include "record.h"

#include <errno.h>
#include <stdlib.h>

#include "error.h"

/* Two changed places closer than this are one range: a range costs four bytes. */
#define MERGE_GAP 8u

enum { AT_CRC = 0, AT_LENGTH = 4, AT_TYPE = 8, AT_FLAGS = 9, AT_PAYLOAD = 12 };
enum {
    PAGE_AT_FILE = 0,
    PAGE_AT_PGNO = 16,
    PAGE_AT_COUNT = 20,
    PAGE_AT_PREVIOUS = 24,
    PAGE_AT_RANGES = 32
};

/* ---- building ---- */

void ref_group_free(ref_group *group)
{
    free(group->bytes);
    *group = (ref_group){0};
}

/* Room for `size` more bytes at the end, zeroed; NULL without memory. */
static uint8_t *extend(ref_group *group, size_t size)
{
    if (group->error != 0) {
        return NULL;
    }
    if (group->size + size > group->capacity) {
        size_t capacity = (group->size + size) * 2;
        uint8_t *bytes = realloc(group->bytes, capacity);
        if (bytes == NULL) {
            group->error = ENOMEM;
            return NULL;
        }
        group->bytes = bytes;
        group->capacity = capacity;
    }
    uint8_t *at = group->bytes + group->size;
    memset(at, 0, size);
    group->size += size;
    return at;
}

static void put_bytes(ref_group *group, const void *bytes, size_t size)
{
    uint8_t *at = extend(group, size);
    if (at != NULL && size > 0) {
        memcpy(at, bytes, size);
    }
}

static void put16(ref_group *group, uint16_t value)
{
    put_bytes(group, &value, sizeof value);
}

static void put32(ref_group *group, uint32_t value)
{
    put_bytes(group, &value, sizeof value);
}

static void put64(ref_group *group, uint64_t value)
{
    put_bytes(group, &value, sizeof value);
}

static void put_string(ref_group *group, const char *text)
{
    size_t length = strlen(text);
    put16(group, (uint16_t)length);
    put_bytes(group, text, length);
}

static size_t begin_record(ref_group *group, ref_record_type type, uint8_t flags)
{
    size_t start = group->size;
    uint8_t *at = extend(group, REF_RECORD_HEADER);
    if (at != NULL) {
        at[AT_TYPE] = (uint8_t)type;
        at[AT_FLAGS] = flags;
    }
    return start;
}

static void end_record(ref_group *group, size_t start)
{
    size_t length = group->size - start;
    size_t padded = (length + 7) & ~(size_t)7;
    if (extend(group, padded - length) == NULL || group->error != 0) {
        return;
    }
    ref_put32(group->bytes + start + AT_LENGTH, (uint32_t)padded);
    ref_put32(group->bytes + start + AT_PAYLOAD, (uint32_t)(length - REF_RECORD_HEADER));
    group->records++;
}

/* The first place at or after `at` where the pages differ; `size` when there is none. base NULL is
 * a page of zeros. */
static uint32_t next_difference(
    const uint8_t *base, const uint8_t *page, uint32_t at, uint32_t size)
{
    while (at + 8 <= size && ref_get64(page + at) == (base != NULL ? ref_get64(base + at) : 0)) {
        at += 8;
    }
    while (at < size && page[at] == (base != NULL ? base[at] : 0)) {
        at++;
    }
    return at;
}

/* The end of the changed range that starts at `at`: the first place after which MERGE_GAP bytes are
 * equal. */
static uint32_t difference_end(const uint8_t *base, const uint8_t *page, uint32_t at, uint32_t size)
{
    uint32_t end = at + 1;
    for (uint32_t i = end; i < size && i < end + MERGE_GAP; i++) {
        if (page[i] != (base != NULL ? base[i] : 0)) {
            end = i + 1;
        }
    }
    return end;
}

static uint32_t put_ranges(
    ref_group *group, const uint8_t *base, const uint8_t *page, uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    uint32_t at = next_difference(base, page, from, to);
    while (at < to) {
        uint32_t end = difference_end(base, page, at, to);
        put16(group, (uint16_t)at);
        put16(group, (uint16_t)(end - at));
        put_bytes(group, page + at, end - at);
        count++;
        at = next_difference(base, page, end, to);
    }
    return count;
}

size_t ref_group_page(ref_group *group, const ref_id *file, uint32_t pgno, uint64_t previous,
    const uint8_t *base, const uint8_t *page, uint32_t page_size)
{
    size_t start = begin_record(group, REF_RECORD_PAGE, base == NULL ? REF_RECORD_FULL : 0);
    put_bytes(group, file, sizeof *file);
    put32(group, pgno);
    put32(group, 0);
    put64(group, previous);
    uint32_t count = put_ranges(group, base, page, REF_PAGE_AT_PGNO, REF_PAGE_AT_LSN);
    count += put_ranges(group, base, page, REF_PAGE_AT_TYPE, page_size);
    if (group->error == 0) {
        ref_put32(group->bytes + start + REF_RECORD_HEADER + PAGE_AT_COUNT, count);
    }
    end_record(group, start);
    return start;
}

static void put_file(ref_group *group, const ref_file_record *file)
{
    put_bytes(group, &file->id, sizeof file->id);
    put32(group, file->page_size);
    put32(group, file->mode);
    put_string(group, file->dir != NULL ? file->dir : "");
    put_string(group, file->name != NULL ? file->name : "");
}

void ref_group_file(ref_group *group, ref_record_type type, const ref_file_record *file)
{
    size_t start = begin_record(group, type, 0);
    put_file(group, file);
    end_record(group, start);
}

void ref_group_commit(ref_group *group, const ref_commit_record *commit)
{
    size_t start = begin_record(group, REF_RECORD_COMMIT, 0);
    put64(group, commit->number);
    put64(group, commit->time);
    put64(group, commit->durable);
    put32(group, group->records);
    end_record(group, start);
}

void ref_group_checkpoint(ref_group *group, const ref_checkpoint_record *checkpoint)
{
    size_t start = begin_record(group, REF_RECORD_CHECKPOINT, 0);
    put64(group, checkpoint->redo);
    put64(group, checkpoint->commit);
    put64(group, checkpoint->time);
    put64(group, checkpoint->durable);
    end_record(group, start);
}

void ref_group_catalog(ref_group *group, const ref_file_record *files, size_t count)
{
    size_t start = begin_record(group, REF_RECORD_CATALOG, 0);
    put32(group, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        put_file(group, &files[i]);
    }
    end_record(group, start);
}

static uint32_t record_crc(const uint8_t *at, uint32_t length, uint64_t lsn)
{
    uint32_t crc = ref_crc32c(0, &lsn, sizeof lsn);
    return ref_crc32c(crc, at + AT_LENGTH, length - AT_LENGTH);
}

void ref_group_place(ref_group *group, uint64_t lsn)
{
    for (size_t at = 0; at < group->size;) {
        uint8_t *record = group->bytes + at;
        uint32_t length = ref_get32(record + AT_LENGTH);
        ref_put32(record + AT_CRC, record_crc(record, length, lsn + at));
        at += length;
    }
}

/* ---- reading ---- */

bool ref_record_parse(const uint8_t *at, size_t available, uint64_t lsn, ref_record *out)
{
    if (available < REF_RECORD_HEADER) {
        return false;
    }
    uint32_t length = ref_get32(at + AT_LENGTH);
    uint32_t payload = ref_get32(at + AT_PAYLOAD);
    if (length < REF_RECORD_HEADER || length % 8 != 0 || length > available ||
        payload > length - REF_RECORD_HEADER ||
        ref_get32(at + AT_CRC) != record_crc(at, length, lsn)) {
        return false;
    }
    *out = (ref_record){.lsn = lsn,
        .length = length,
        .type = at[AT_TYPE],
        .flags = at[AT_FLAGS],
        .payload = at + REF_RECORD_HEADER,
        .payload_size = payload};
    return true;
}

bool ref_record_file_id(const ref_record *record, ref_id *out)
{
    if (record->payload_size < sizeof *out) {
        return false;
    }
    memcpy(out, record->payload, sizeof *out);
    return true;
}

bool ref_record_page(const ref_record *record, ref_page_record *out)
{
    if (record->payload_size < PAGE_AT_RANGES || !ref_record_file_id(record, &out->file)) {
        return false;
    }
    out->pgno = ref_get32(record->payload + PAGE_AT_PGNO);
    out->previous = ref_get64(record->payload + PAGE_AT_PREVIOUS);
    out->full = (record->flags & REF_RECORD_FULL) != 0;
    return true;
}

bool ref_record_page_apply(const ref_record *record, uint8_t *page, uint32_t page_size)
{
    const uint8_t *at = record->payload + PAGE_AT_RANGES;
    const uint8_t *end = record->payload + record->payload_size;
    uint32_t count = ref_get32(record->payload + PAGE_AT_COUNT);

    if ((record->flags & REF_RECORD_FULL) != 0) {
        memset(page, 0, page_size);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (end - at < 4) {
            return false;
        }
        uint32_t offset = ref_get16(at), size = ref_get16(at + 2);
        at += 4;
        if ((size_t)(end - at) < size || offset + size > page_size) {
            return false;
        }
        memcpy(page + offset, at, size);
        at += size;
    }
    ref_put64(page + REF_PAGE_AT_LSN, record->lsn);
    return true;
}

/* Reads one file description at *at and moves it on; the names go to *strings, which moves on too.
 */
static bool get_file(const uint8_t **at, const uint8_t *end, char **strings, ref_file_record *out)
{
    if (end - *at < 24) {
        return false;
    }
    memcpy(&out->id, *at, sizeof out->id);
    out->page_size = ref_get32(*at + 16);
    out->mode = ref_get32(*at + 20);
    *at += 24;
    const char **names[] = {&out->dir, &out->name};
    for (size_t i = 0; i < 2; i++) {
        if (end - *at < 2 || end - *at - 2 < ref_get16(*at)) {
            return false;
        }
        size_t length = ref_get16(*at);
        memcpy(*strings, *at + 2, length);
        (*strings)[length] = '\0';
        *names[i] = *strings;
        *strings += length + 1;
        *at += 2 + length;
    }
    return true;
}

bool ref_record_file(const ref_record *record, char *strings, ref_file_record *out)
{
    const uint8_t *at = record->payload;
    return get_file(&at, record->payload + record->payload_size, &strings, out);
}

bool ref_record_commit(const ref_record *record, ref_commit_record *out)
{
    if (record->payload_size < 28) {
        return false;
    }
    out->number = ref_get64(record->payload);
    out->time = ref_get64(record->payload + 8);
    out->durable = ref_get64(record->payload + 16);
    out->records = ref_get32(record->payload + 24);
    return true;
}

bool ref_record_checkpoint(const ref_record *record, ref_checkpoint_record *out)
{
    if (record->payload_size < 32) {
        return false;
    }
    out->redo = ref_get64(record->payload);
    out->commit = ref_get64(record->payload + 8);
    out->time = ref_get64(record->payload + 16);
    out->durable = ref_get64(record->payload + 24);
    return true;
}

int ref_record_catalog(const ref_record *record, char *strings,
    int (*each)(void *context, const ref_file_record *file), void *context)
{
    const uint8_t *at = record->payload, *end = at + record->payload_size;
    if (end - at < 4) {
        return REF_CORRUPT;
    }
    uint32_t count = ref_get32(at);
    at += 4;
    for (uint32_t i = 0; i < count; i++) {
        ref_file_record file;
        char *names = strings;
        if (!get_file(&at, end, &names, &file)) {
            return REF_CORRUPT;
        }
        int error = each(context, &file);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

const char *ref_record_type_name(uint8_t type)
{
    static const char *const names[] = {
        NULL, "page", "create", "adopt", "remove", "rename", "commit", "checkpoint", "catalog"};
    return type < sizeof names / sizeof *names && names[type] != NULL ? names[type] : "unknown";
}

/* ---- segments ---- */

void ref_segment_header_write(uint8_t *at, const ref_segment_header *header)
{
    memset(at, 0, REF_SEGMENT_HEADER);
    memcpy(at, REF_SEGMENT_MAGIC, 8);
    ref_put32(at + 8, REF_SEGMENT_VERSION);
    ref_put32(at + 12, header->number);
    memcpy(at + 16, &header->environment, sizeof header->environment);
    ref_put64(at + 32, header->incarnation);
    ref_put64(at + 40, header->previous_incarnation);
    ref_put64(at + 48, header->previous_end);
    ref_put64(at + 56, header->commit);
    ref_put64(at + 64, header->time);
    ref_put32(at + REF_SEGMENT_HEADER - 4, ref_crc32c(0, at, REF_SEGMENT_HEADER - 4));
}

int ref_segment_header_read(
    const uint8_t *at, size_t available, const char *path, ref_segment_header *out)
{
    *out = (ref_segment_header){0};
    if (available < REF_SEGMENT_HEADER || memcmp(at, REF_SEGMENT_MAGIC, 8) != 0 ||
        ref_get32(at + REF_SEGMENT_HEADER - 4) != ref_crc32c(0, at, REF_SEGMENT_HEADER - 4)) {
        return ENOENT;
    }
    if (ref_get32(at + 8) != REF_SEGMENT_VERSION) {
        return ref_fail(REF_VERSION, "%s: offset 8: log format version %u, this program reads %u",
            path, ref_get32(at + 8), REF_SEGMENT_VERSION);
    }
    out->number = ref_get32(at + 12);
    memcpy(&out->environment, at + 16, sizeof out->environment);
    out->incarnation = ref_get64(at + 32);
    out->previous_incarnation = ref_get64(at + 40);
    out->previous_end = ref_get64(at + 48);
    out->commit = ref_get64(at + 56);
    out->time = ref_get64(at + 64);
    return 0;
}
