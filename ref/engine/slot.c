/* The capture slot and its marker: see slot.h. */
#include "slot.h"

#include <errno.h>
#include <stdlib.h>

/* offsets in the slot */
enum { AT_NONCE = 0, AT_LSN = 16, AT_SIZE = 24, AT_STATE = 32, AT_DIGEST = 36, AT_CRC = 60 };

#define BATCH (1u << 20) /* bytes of a file that are looked at once */

/* ---- bytes ---- */

void ref_slot_put(uint8_t out[REF_META_SLOT_SIZE], const ref_slot *slot)
{
    memset(out, 0, REF_META_SLOT_SIZE);
    if (slot->state == REF_SLOT_NONE) {
        return;
    }
    memcpy(out + AT_NONCE, &slot->nonce, sizeof slot->nonce);
    ref_put64(out + AT_LSN, slot->lsn);
    ref_put64(out + AT_SIZE, slot->size);
    ref_put32(out + AT_STATE, (uint32_t)slot->state);
    ref_put32(out + AT_DIGEST, slot->digest);
    ref_put32(out + AT_CRC, ref_crc32c(0, out, AT_CRC));
}

void ref_slot_get(const uint8_t *bytes, ref_slot *out)
{
    static const uint8_t zero[REF_META_SLOT_SIZE];
    uint32_t state = ref_get32(bytes + AT_STATE);

    *out = (ref_slot){.state = REF_SLOT_NONE};
    if (memcmp(bytes, zero, sizeof zero) == 0) {
        return;
    }
    out->state = REF_SLOT_DAMAGED;
    if (ref_get32(bytes + AT_CRC) == ref_crc32c(0, bytes, AT_CRC) &&
        (state == REF_SLOT_RAW || state == REF_SLOT_APPLIED)) {
        out->state = (ref_slot_state)state;
        memcpy(&out->nonce, bytes + AT_NONCE, sizeof out->nonce);
        out->lsn = ref_get64(bytes + AT_LSN);
        out->size = ref_get64(bytes + AT_SIZE);
        out->digest = ref_get32(bytes + AT_DIGEST);
    }
}

int ref_slot_read(ref_file *file, const char *path, ref_slot *out)
{
    uint8_t bytes[REF_META_SLOT_SIZE] = {0};
    size_t done;

    *out = (ref_slot){.state = REF_SLOT_NONE};
    int error = ref_read_full(file, bytes, sizeof bytes, REF_META_AT_SLOT, &done);
    if (error != 0) {
        return ref_fail(error, "%s: read of the capture slot", path);
    }
    if (done == sizeof bytes) {
        ref_slot_get(bytes, out);
    }
    return 0;
}

int ref_slot_write(ref_file *file, const char *path, const ref_slot *slot)
{
    uint8_t bytes[REF_META_SLOT_SIZE] = {0};
    if (slot != NULL) {
        ref_slot_put(bytes, slot);
    }
    int error = ref_write_full(file, bytes, sizeof bytes, REF_META_AT_SLOT);
    if (error == 0) {
        error = file->vfs->fsync(file);
    }
    return error == 0 ? 0 : ref_fail(error, "%s: write of the capture slot", path);
}

/* ---- the whole file ---- */

typedef int (*batch_fn)(void *context, uint64_t offset, uint8_t *bytes, size_t size);

/* Reads bytes 0 to `size`, whole batches; a file that ends before gives REF_CORRUPT. */
static int scan(ref_file *file, const char *path, uint64_t size, batch_fn each, void *context)
{
    uint8_t *batch = malloc(BATCH);
    int error = batch == NULL ? ref_fail(ENOMEM, "%s", path) : 0;

    for (uint64_t offset = 0; offset < size && error == 0; offset += BATCH) {
        size_t want = size - offset < BATCH ? (size_t)(size - offset) : BATCH, done;
        error = ref_read_full(file, batch, want, offset, &done);
        if (error != 0) {
            ref_fail(error, "%s: read at offset %llu", path, (unsigned long long)offset);
        } else if (done < want) {
            error = ref_fail(REF_CORRUPT, "%s: it ends at byte %llu of %llu", path,
                (unsigned long long)(offset + done), (unsigned long long)size);
        } else {
            error = each(context, offset, batch, want);
        }
    }
    free(batch);
    return error;
}

static int digest_batch(void *context, uint64_t offset, uint8_t *bytes, size_t size)
{
    uint32_t *digest = context;
    if (offset == 0 && size >= REF_META_AT_SLOT + REF_META_SLOT_SIZE) {
        memset(bytes + REF_META_AT_SLOT, 0, REF_META_SLOT_SIZE);
    }
    *digest = ref_crc32c(*digest, bytes, size);
    return 0;
}

int ref_slot_digest(ref_file *file, const char *path, uint64_t size, uint32_t *out)
{
    *out = 0;
    return scan(file, path, size, digest_batch, out);
}

typedef struct judgement {
    const char *path;
    const ref_slot *slot;
    uint32_t page_size;
    uint32_t count; /* pages that page 0 says there are */
} judgement;

static int judge_page(judgement *judge, uint64_t pgno, const uint8_t *page)
{
    ref_page_health health = ref_page_check(page, judge->page_size, (uint32_t)pgno);
    if (pgno == 0 && health == REF_PAGE_SOUND) {
        judge->count = ref_get32(page + REF_META_AT_COUNT);
    }
    if (health == REF_PAGE_ZERO && pgno > 0 && pgno >= judge->count) {
        return 0; /* the file had been made larger than its pages */
    }
    if (health != REF_PAGE_SOUND) {
        return ref_fail(REF_CORRUPT, "%s: page %llu: %s", judge->path, (unsigned long long)pgno,
            ref_page_health_text(health));
    }
    uint64_t lsn = ref_page_lsn(page), start = judge->slot->lsn;
    if (lsn >= start) {
        return ref_fail(REF_CORRUPT,
            "%s: page %llu: changed at log %u/%u, after the capture began at %u/%u", judge->path,
            (unsigned long long)pgno, REF_LSN_SEGMENT(lsn), REF_LSN_OFFSET(lsn),
            REF_LSN_SEGMENT(start), REF_LSN_OFFSET(start));
    }
    return 0;
}

static int judge_batch(void *context, uint64_t offset, uint8_t *bytes, size_t size)
{
    judgement *judge = context;
    int error = 0;
    for (size_t at = 0; at + judge->page_size <= size && error == 0; at += judge->page_size) {
        error = judge_page(judge, (offset + at) / judge->page_size, bytes + at);
    }
    return error;
}

int ref_slot_judge(ref_file *file, const char *path, const ref_slot *slot)
{
    uint8_t head[REF_PAGE_SIZE_MIN];
    judgement judge = {.path = path, .slot = slot};
    uint32_t digest;
    ref_meta meta;
    size_t done;

    if (slot->lsn == 0) {
        int error = ref_slot_digest(file, path, slot->size, &digest);
        return error != 0 || digest == slot->digest
                   ? error
                   : ref_fail(REF_CORRUPT, "%s: not the bytes with which the capture began", path);
    }
    int error = ref_read_full(file, head, sizeof head, 0, &done);
    if (error != 0) {
        return ref_fail(error, "%s: read", path);
    }
    error = ref_meta_read(head, done, path, &meta);
    if (error != 0) {
        return error == ENOENT ? ref_fail(REF_CORRUPT, "%s: no database file", path) : error;
    }
    judge.page_size = meta.page_size;
    return scan(file, path, slot->size, judge_batch, &judge);
}
