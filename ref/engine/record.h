/*
 * Log records: building groups of them, reading them back. FORMAT.md has the byte layout as tables.
 *
 * A commit is a group: its page changes and file operations, then one COMMIT record that counts
 * them. A group never crosses a segment. CHECKPOINT and CATALOG records stand alone. Every record's
 * checksum covers the log sequence number at which it stands, so that bytes of another place or
 * another segment never pass for it.
 */
#ifndef REF_RECORD_H
#define REF_RECORD_H

#include "bytes.h"
#include "page.h"

typedef enum ref_record_type {
    REF_RECORD_PAGE = 1,   /* byte ranges of one page; with FULL, over a zeroed page */
    REF_RECORD_CREATE = 2, /* a database file */
    REF_RECORD_ADOPT = 3,  /* a database file that came with content */
    REF_RECORD_REMOVE = 4,
    REF_RECORD_RENAME = 5,
    REF_RECORD_COMMIT = 6,     /* ends a group */
    REF_RECORD_CHECKPOINT = 7, /* alone */
    REF_RECORD_CATALOG = 8     /* alone; first of each segment: the files there are */
} ref_record_type;

#define REF_RECORD_HEADER 16u
#define REF_RECORD_FULL 0x01u /* flag of PAGE */

/* ---- building ---- */

/* Records that will stand one after another in the log. Start from {0}; ref_group_free() when done.
 */
typedef struct ref_group {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    uint32_t records;
    int error; /* ENOMEM, once it has happened; later calls do nothing */
} ref_group;

void ref_group_free(ref_group *group);

/* The change from `base` to `page` (base NULL: the whole page), which follows the change at
 * `previous`. Returns the record's offset in the group: its LSN is the group's plus that. The
 * pages' checksum and LSN fields are not part. */
size_t ref_group_page(ref_group *group, const ref_id *file, uint32_t pgno, uint64_t previous,
    const uint8_t *base, const uint8_t *page, uint32_t page_size);

typedef struct ref_file_record {
    ref_id id;
    uint32_t page_size;
    uint32_t mode;
    const char *dir;  /* CREATE, ADOPT, CATALOG */
    const char *name; /* RENAME: the new one */
} ref_file_record;

/* CREATE, ADOPT, REMOVE or RENAME. */
void ref_group_file(ref_group *group, ref_record_type type, const ref_file_record *file);

typedef struct ref_commit_record {
    uint64_t number;  /* commits of an environment are numbered from 1 */
    uint64_t time;    /* nanoseconds since 1970 */
    uint64_t durable; /* the log was known to be durable up to here */
    uint32_t records; /* of its group, without itself */
} ref_commit_record;

/* Ends the group; `records` is filled in. */
void ref_group_commit(ref_group *group, const ref_commit_record *commit);

typedef struct ref_checkpoint_record {
    uint64_t redo;
    uint64_t commit; /* number of the last commit before the redo point */
    uint64_t time;
    uint64_t durable;
} ref_checkpoint_record;

void ref_group_checkpoint(ref_group *group, const ref_checkpoint_record *checkpoint);
void ref_group_catalog(ref_group *group, const ref_file_record *files, size_t count);

/* Fills in the checksums of a group that stands at `lsn`. */
void ref_group_place(ref_group *group, uint64_t lsn);

/* ---- reading ---- */

typedef struct ref_record {
    uint64_t lsn;
    uint32_t length; /* bytes to the next record */
    uint8_t type;
    uint8_t flags;
    const uint8_t *payload;
    uint32_t payload_size;
} ref_record;

/* Reads the record that stands at `lsn`. False when `available` bytes do not hold a whole sound
 * one. */
bool ref_record_parse(const uint8_t *at, size_t available, uint64_t lsn, ref_record *out);

/* The file that a PAGE, CREATE, ADOPT, REMOVE or RENAME is about. False when the payload is too
 * short. */
bool ref_record_file_id(const ref_record *record, ref_id *out);

typedef struct ref_page_record {
    ref_id file;
    uint32_t pgno;
    uint64_t previous;
    bool full;
} ref_page_record;

bool ref_record_page(const ref_record *record, ref_page_record *out);
/* Puts the ranges onto `page` and sets its LSN. False when a range does not fit the page. */
bool ref_record_page_apply(const ref_record *record, uint8_t *page, uint32_t page_size);

/* Names are copied to `strings` (at least payload_size + 2 bytes), NUL-terminated. */
bool ref_record_file(const ref_record *record, char *strings, ref_file_record *out);
bool ref_record_commit(const ref_record *record, ref_commit_record *out);
bool ref_record_checkpoint(const ref_record *record, ref_checkpoint_record *out);

/* Calls `each` for every file of a CATALOG record; a result other than 0 ends it. REF_CORRUPT (no
 * words) when the payload does not parse. */
int ref_record_catalog(const ref_record *record, char *strings,
    int (*each)(void *context, const ref_file_record *file), void *context);

const char *ref_record_type_name(uint8_t type);

/* ---- segments ---- */

#define REF_SEGMENT_HEADER 128u
#define REF_SEGMENT_MAGIC "HOTREFLG"
#define REF_SEGMENT_VERSION 1u

typedef struct ref_segment_header {
    uint32_t number;
    ref_id environment;
    uint64_t incarnation;  /* whose history the records are */
    uint64_t previous_end; /* LSN after the last record of the segment before; 0: there was none */
    uint64_t commit;       /* number of the last commit before this segment */
    uint64_t time;
    uint64_t previous_incarnation; /* of the segment before; 0: there was none */
} ref_segment_header;

void ref_segment_header_write(uint8_t *at, const ref_segment_header *header);
/* 0; ENOENT (no words) when the header is not whole; REF_VERSION with words naming `path`. */
int ref_segment_header_read(
    const uint8_t *at, size_t available, const char *path, ref_segment_header *out);

#endif
