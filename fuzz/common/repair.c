#include "repair.h"

#include "engine/capture.h"
#include "engine/change.h"
#include "engine/label.h"
#include "engine/page.h"
#include "engine/record.h"
#include "fuzz.h"

/* FORMAT.md */
enum {
    RECORD_AT_LENGTH = 4,
    RECORD_AT_TYPE = 8,
    RECORD_AT_PAYLOAD = 12,
    COMMIT_AT_RECORDS = 24,
    COMMIT_SIZE = 28,
    SLOT_AT_SIZE = 24,
    MARKER_AT_CRC = 12,
    MARKER_AT_REST = 16
};

fuzz_repair fuzz_repair_begin(uint8_t switches)
{
    bool sums = (switches & FUZZ_REPAIR) != 0;
    return (fuzz_repair){.sums = sums, .chain = sums && (switches & FUZZ_CHAIN) != 0};
}

/* ---- log ---- */

static void repair_header(fuzz_repair *repair, uint32_t number, uint8_t *bytes)
{
    ref_put32(bytes + 12, number);
    if (repair->chain && repair->has_segment) {
        memcpy(bytes + 16, &repair->environment, sizeof repair->environment);
        ref_put64(bytes + 40, repair->incarnation);
        ref_put64(bytes + 48, repair->end);
        ref_put64(bytes + 56, repair->commit);
    }
    memcpy(&repair->environment, bytes + 16, sizeof repair->environment);
    repair->incarnation = ref_get64(bytes + 32);
    repair->commit = ref_get64(bytes + 56);
    repair->has_segment = true;
    ref_put32(bytes + REF_SEGMENT_HEADER - 4, ref_crc32c(0, bytes, REF_SEGMENT_HEADER - 4));
}

/* Counts the record; *open are the records of a group that has not ended. */
static void repair_group(fuzz_repair *repair, uint8_t *record, uint32_t *open)
{
    uint8_t type = record[RECORD_AT_TYPE];
    if (type == REF_RECORD_COMMIT && ref_get32(record + RECORD_AT_PAYLOAD) >= COMMIT_SIZE) {
        if (repair->chain) {
            ref_put64(record + REF_RECORD_HEADER, repair->commit + 1);
            ref_put32(record + REF_RECORD_HEADER + COMMIT_AT_RECORDS, *open);
        }
        repair->commit++;
        *open = 0;
    } else if (type != REF_RECORD_CHECKPOINT && type != REF_RECORD_CATALOG) {
        ++*open;
    }
}

static void repair_segment(fuzz_repair *repair, uint32_t number, uint8_t *bytes, size_t size)
{
    uint32_t open = 0;
    if (size < REF_SEGMENT_HEADER) {
        return;
    }
    repair_header(repair, number, bytes);
    size_t at = REF_SEGMENT_HEADER;
    while (size - at >= REF_RECORD_HEADER) {
        uint8_t *record = bytes + at;
        uint32_t length = ref_get32(record + RECORD_AT_LENGTH) & ~7u;
        uint32_t room = (uint32_t)(size - at) & ~7u;
        length = length < REF_RECORD_HEADER ? REF_RECORD_HEADER : length > room ? room : length;
        ref_put32(record + RECORD_AT_LENGTH, length);
        if (ref_get32(record + RECORD_AT_PAYLOAD) > length - REF_RECORD_HEADER) {
            ref_put32(record + RECORD_AT_PAYLOAD, length - REF_RECORD_HEADER);
        }
        repair_group(repair, record, &open);
        uint64_t lsn = (uint64_t)number << 32 | at;
        uint32_t crc = ref_crc32c(0, &lsn, sizeof lsn);
        ref_put32(record, ref_crc32c(crc, record + 4, length - 4));
        at += length;
    }
    repair->end = (uint64_t)number << 32 | at;
}

static void repair_control(const fuzz_repair *repair, uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + FUZZ_CONTROL_SLOT <= size; at += FUZZ_CONTROL_SLOT) {
        uint8_t *slot = bytes + at;
        if (repair->chain && repair->has_segment) {
            memcpy(slot + 16, &repair->environment, sizeof repair->environment);
        }
        uint32_t end = FUZZ_CONTROL_SLOT - 4;
        ref_put32(slot + end, ref_crc32c(0, slot, end));
    }
}

static void repair_label(const fuzz_repair *repair, uint8_t *bytes, size_t size)
{
    if (size < REF_LABEL_SIZE) {
        return;
    }
    if (repair->chain && repair->has_segment) {
        memcpy(bytes + 16, &repair->environment, sizeof repair->environment);
    }
    ref_put32(bytes + REF_LABEL_SIZE - 4, ref_crc32c(0, bytes, REF_LABEL_SIZE - 4));
}

/* ---- databases and what goes with them ---- */

static void repair_capture_slot(fuzz_repair *repair, uint8_t *slot)
{
    static const uint8_t zero[REF_META_SLOT_SIZE];
    if (memcmp(slot, zero, sizeof zero) != 0) {
        uint32_t end = REF_META_SLOT_SIZE - 4;
        ref_put32(slot + end, ref_crc32c(0, slot, end));
    }
    memcpy(&repair->nonce, slot, sizeof repair->nonce);
    repair->start_size = ref_get64(slot + SLOT_AT_SIZE);
}

static void repair_database(fuzz_repair *repair, uint8_t *bytes, size_t size)
{
    if (size < REF_PAGE_SIZE_MIN) {
        return;
    }
    uint32_t page_size = ref_get32(bytes + REF_META_AT_PAGESIZE);
    if (!ref_page_size_valid(page_size)) {
        page_size = REF_PAGE_SIZE_MIN;
    }
    memcpy(&repair->file, bytes + REF_META_AT_ID, sizeof repair->file);
    repair_capture_slot(repair, bytes + REF_META_AT_SLOT);
    repair->has_copy = true;
    if (repair->chain && repair->has_segment) {
        memcpy(bytes + REF_META_AT_LOG_ID, &repair->environment, sizeof repair->environment);
    }
    for (uint32_t pgno = 0; (pgno + 1) * (size_t)page_size <= size; pgno++) {
        uint8_t *page = bytes + pgno * (size_t)page_size;
        if (ref_page_check(page, page_size, pgno) != REF_PAGE_ZERO) {
            ref_put32(page + REF_PAGE_AT_PGNO, pgno);
            ref_page_seal(page, page_size);
        }
    }
}

static void repair_marker(const fuzz_repair *repair, uint8_t *bytes, size_t size)
{
    if (size < MARKER_AT_REST + sizeof repair->nonce) {
        return;
    }
    if (repair->chain && repair->has_copy) {
        memcpy(bytes + MARKER_AT_REST, &repair->nonce, sizeof repair->nonce);
    }
    ref_put32(bytes + MARKER_AT_CRC, ref_crc32c(0, bytes + MARKER_AT_REST, size - MARKER_AT_REST));
}

static void repair_stream(const fuzz_repair *repair, uint8_t *bytes, size_t size)
{
    uint64_t records = 0, total = 0;
    if (size < REF_STREAM_HEADER) {
        return;
    }
    if (repair->chain && repair->has_copy) {
        memcpy(bytes + 16, &repair->nonce, sizeof repair->nonce);
        memcpy(bytes + 32, &repair->file, sizeof repair->file);
        ref_put64(bytes + 48, repair->start_size);
    }
    uint32_t crc = ref_crc32c(0, bytes, 56);
    ref_put32(bytes + 56, crc);
    for (size_t at = REF_STREAM_HEADER; size - at > REF_STREAM_RECORD;) {
        uint8_t *record = bytes + at;
        bool end = ref_get64(record) == UINT64_MAX && size - at >= REF_STREAM_END;
        uint32_t n = end ? REF_STREAM_END - REF_STREAM_RECORD : ref_get32(record + 8);
        if (n == 0 || n > size - at - REF_STREAM_RECORD) {
            n = (uint32_t)(size - at - REF_STREAM_RECORD);
        }
        ref_put32(record + 8, end ? 0 : n);
        if (end) {
            ref_put64(record + REF_STREAM_RECORD, records);
            ref_put64(record + REF_STREAM_RECORD + 8, total);
        }
        crc = ref_crc32c(crc, record, 12);
        crc = ref_crc32c(crc, record + REF_STREAM_RECORD, n);
        ref_put32(record + 12, crc);
        records++;
        total += n;
        at += REF_STREAM_RECORD + n;
    }
}

void fuzz_repair_file(fuzz_repair *repair, uint8_t name, uint8_t *bytes, size_t size)
{
    if (!repair->sums) {
        return;
    }
    switch (name) {
    case '1':
    case '2':
    case '3':
        repair_segment(repair, (uint32_t)(name - '0'), bytes, size);
        break;
    case 'c':
        repair_control(repair, bytes, size);
        break;
    case 'l':
        repair_label(repair, bytes, size);
        break;
    case 't':
    case 'a':
        repair_database(repair, bytes, size);
        break;
    case 'm':
        repair_marker(repair, bytes, size);
        break;
    case 's':
        repair_stream(repair, bytes, size);
        break;
    default:
        break;
    }
}
