#include "page.h"

#include <errno.h>
#include <isa-l/crc.h>

#include "error.h"

_Static_assert(REF_META_AT_FLAGS + 4 <= REF_META_AT_SLOT, "the meta fields end before the slot");
_Static_assert(
    REF_META_AT_SLOT + REF_META_SLOT_SIZE <= REF_PAGE_SIZE_MIN, "the slot is in every page 0");

uint32_t ref_crc32c(uint32_t crc, const void *data, size_t size)
{
    /* ISA-L takes an int and a pointer to bytes that it does not change. */
    const uint8_t *at = data;
    uint32_t state = ~crc;
    while (size > 0) {
        int part = size > 0x40000000 ? 0x40000000 : (int)size;
        state = crc32_iscsi((unsigned char *)(uintptr_t)at, part, state);
        at += part;
        size -= (size_t)part;
    }
    return ~state;
}

bool ref_page_size_valid(uint32_t size)
{
    return size >= REF_PAGE_SIZE_MIN && size <= REF_PAGE_SIZE_MAX && (size & (size - 1)) == 0;
}

void ref_page_init(uint8_t *page, uint32_t size, uint32_t pgno, ref_page_type kind)
{
    memset(page, 0, size);
    ref_put32(page + REF_PAGE_AT_PGNO, pgno);
    page[REF_PAGE_AT_TYPE] = (uint8_t)kind;
}

static uint32_t page_crc(const uint8_t *page, uint32_t size)
{
    if (ref_page_pgno(page) != 0) {
        return ref_crc32c(0, page + 4, size - 4);
    }
    /* The capture slot changes without the page: it counts as zero. */
    static const uint8_t zero[REF_META_SLOT_SIZE];
    uint32_t crc = ref_crc32c(0, page + 4, REF_META_AT_SLOT - 4);
    crc = ref_crc32c(crc, zero, sizeof zero);
    uint32_t rest = REF_META_AT_SLOT + REF_META_SLOT_SIZE;
    return ref_crc32c(crc, page + rest, size - rest);
}

void ref_page_seal(uint8_t *page, uint32_t size)
{
    ref_put32(page + REF_PAGE_AT_CRC, page_crc(page, size));
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

ref_page_health ref_page_check(const uint8_t *page, uint32_t size, uint32_t pgno)
{
    if (all_zero(page, size)) {
        return REF_PAGE_ZERO;
    }
    if (ref_get32(page + REF_PAGE_AT_CRC) != page_crc(page, size)) {
        return REF_PAGE_BAD_CRC;
    }
    return ref_page_pgno(page) == pgno ? REF_PAGE_SOUND : REF_PAGE_MISPLACED;
}

const char *ref_page_health_text(ref_page_health health)
{
    switch (health) {
    case REF_PAGE_SOUND:
        return "sound";
    case REF_PAGE_ZERO:
        return "all zero";
    case REF_PAGE_BAD_CRC:
        return "bad checksum";
    case REF_PAGE_MISPLACED:
        return "another page's content";
    }
    return "unknown";
}

void ref_meta_init(uint8_t *page, uint32_t size, const ref_id *id, const ref_id *log_id)
{
    ref_page_init(page, size, 0, REF_PAGE_META);
    memcpy(page + REF_META_AT_MAGIC, REF_META_MAGIC, 8);
    ref_put32(page + REF_META_AT_VERSION, REF_META_VERSION);
    ref_put32(page + REF_META_AT_PAGESIZE, size);
    memcpy(page + REF_META_AT_ID, id, sizeof *id);
    memcpy(page + REF_META_AT_LOG_ID, log_id, sizeof *log_id);
    ref_put32(page + REF_META_AT_COUNT, 1);
    ref_put32(page + REF_META_AT_TYPE, REF_META_BTREE);
}

int ref_meta_read(const uint8_t *page, size_t size, const char *path, ref_meta *out)
{
    memset(out, 0, sizeof *out);
    if (size < REF_META_AT_MAGIC + 8 || memcmp(page + REF_META_AT_MAGIC, REF_META_MAGIC, 8) != 0) {
        return ENOENT;
    }
    if (size < REF_PAGE_SIZE_MIN) {
        return ref_fail(REF_CORRUPT, "%s: only %zu bytes of page 0 are there", path, size);
    }
    out->version = ref_get32(page + REF_META_AT_VERSION);
    out->page_size = ref_get32(page + REF_META_AT_PAGESIZE);
    memcpy(&out->id, page + REF_META_AT_ID, sizeof out->id);
    memcpy(&out->log_id, page + REF_META_AT_LOG_ID, sizeof out->log_id);
    out->page_count = ref_get32(page + REF_META_AT_COUNT);
    if (out->version != REF_META_VERSION) {
        return ref_fail(REF_VERSION, "%s: offset %d: format version %u, this program reads %u",
            path, REF_META_AT_VERSION, out->version, REF_META_VERSION);
    }
    if (!ref_page_size_valid(out->page_size)) {
        return ref_fail(
            REF_CORRUPT, "%s: offset %d: page size %u", path, REF_META_AT_PAGESIZE, out->page_size);
    }
    return 0;
}
