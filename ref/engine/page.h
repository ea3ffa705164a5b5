/*
 * The page: the unit of caching, checksumming and logging. FORMAT.md has the byte layout as a
 * table.
 *
 * Every page begins with the same 32 bytes. Page 0 of a file is its meta page, whose fields start
 * behind them; the page size stands at a fixed place in its first 512 bytes, so that a file can be
 * read without knowing it.
 */
#ifndef REF_PAGE_H
#define REF_PAGE_H

#include <stdbool.h>

#include "bytes.h"

#define REF_PAGE_SIZE_MIN 512u
#define REF_PAGE_SIZE_MAX 65536u
#define REF_PAGE_SIZE_DEFAULT 4096u
#define REF_PAGE_HEADER 32u /* bytes before a page's own content */

typedef enum ref_page_type {
    REF_PAGE_NONE = 0, /* all zero: never written */
    REF_PAGE_META = 1,
    REF_PAGE_FREE = 2,
    REF_PAGE_BRANCH = 3,
    REF_PAGE_LEAF = 4,
    REF_PAGE_OVERFLOW = 5
} ref_page_type;

/* offsets of the common header */
enum {
    REF_PAGE_AT_CRC = 0,  /* u32 CRC32C of the rest; the capture slot of page 0 counts as zero */
    REF_PAGE_AT_PGNO = 4, /* u32 */
    REF_PAGE_AT_LSN = 8,  /* u64 log sequence number of the last change; 0 outside an environment */
    REF_PAGE_AT_TYPE = 16,  /* u8 */
    REF_PAGE_AT_LEVEL = 17, /* u8 branch: height above the leaves; leaf: 0 */
    REF_PAGE_AT_COUNT = 18, /* u16 cells; overflow: unused */
    REF_PAGE_AT_HEAP = 20,  /* u32 lowest byte used by cells; overflow: bytes used */
    REF_PAGE_AT_LINK = 24,  /* u32 next free or overflow page; branch: the leftmost child */
    REF_PAGE_AT_HOLES = 28  /* u32 bytes in the cell heap that belong to no cell */
};

/* offsets of the meta page */
enum {
    REF_META_AT_MAGIC = 32,    /* 8 bytes */
    REF_META_AT_VERSION = 40,  /* u32 */
    REF_META_AT_PAGESIZE = 44, /* u32 */
    REF_META_AT_ID = 48,       /* 16 bytes: the file's identity */
    REF_META_AT_LOG_ID =
        64, /* 16 bytes: the environment whose LSNs the pages carry; zero outside one */
    REF_META_AT_COUNT = 80, /* u32 pages in the file, this one included */
    REF_META_AT_FREE = 84,  /* u32 first free page, 0 = none */
    REF_META_AT_ROOT = 88,  /* u32 root of the tree */
    REF_META_AT_TYPE = 92,  /* u32 access method, 1 = B+tree */
    REF_META_AT_FLAGS = 96, /* u32, none defined */
    REF_META_AT_SLOT = 256, /* the capture slot: written outside the log, outside the checksum */
    REF_META_SLOT_SIZE = 64
};

#define REF_META_MAGIC "HOTREFDB"
#define REF_META_VERSION 1u
#define REF_META_BTREE 1u

static inline uint32_t ref_page_pgno(const uint8_t *page)
{
    return ref_get32(page + REF_PAGE_AT_PGNO);
}

static inline uint64_t ref_page_lsn(const uint8_t *page)
{
    return ref_get64(page + REF_PAGE_AT_LSN);
}

static inline ref_page_type ref_page_kind(const uint8_t *page)
{
    return (ref_page_type)page[REF_PAGE_AT_TYPE];
}

/* A power of two from 512 to 65,536. */
bool ref_page_size_valid(uint32_t size);

/* Makes `page` an empty page of the kind, its header filled in, all else zero. */
void ref_page_init(uint8_t *page, uint32_t size, uint32_t pgno, ref_page_type kind);

/* Computes and stores the checksum. Call it last, before the page leaves for a disk. */
void ref_page_seal(uint8_t *page, uint32_t size);

/* What a page read from a disk is. */
typedef enum ref_page_health {
    REF_PAGE_SOUND,
    REF_PAGE_ZERO,      /* every byte is zero: never written, or lost */
    REF_PAGE_BAD_CRC,   /* torn or damaged */
    REF_PAGE_MISPLACED, /* sound, but another page's */
} ref_page_health;

ref_page_health ref_page_check(const uint8_t *page, uint32_t size, uint32_t pgno);
const char *ref_page_health_text(ref_page_health health);

/* Makes a new file's meta page. */
void ref_meta_init(uint8_t *page, uint32_t size, const ref_id *id, const ref_id *log_id);

typedef struct ref_meta {
    uint32_t version;
    uint32_t page_size;
    ref_id id;
    ref_id log_id;
    uint32_t page_count;
} ref_meta;

/*
 * Reads what the first 512 bytes of a file say, without checking the page's checksum (`size` bytes
 * are there). 0; ENOENT when the file is empty or not one of ours (no words: the caller knows
 * whether that is a failure); REF_VERSION or REF_CORRUPT with words that name `path`. *out is
 * filled in as far as it was read.
 */
int ref_meta_read(const uint8_t *page, size_t size, const char *path, ref_meta *out);

#endif
