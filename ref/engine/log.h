/*
 * The write-ahead log: placing groups of records, making them durable, reading them back.
 *
 * The log is a sequence of segments log.NNNNNNNNNN, numbered from 1, never reused. A log sequence
 * number (LSN) is a segment's number in the upper 32 bits and a byte offset in it in the lower. A
 * group of records never crosses a segment: one that does not fit begins the next, and one that is
 * larger than a segment makes a larger segment.
 *
 * Placing is memory only; ref_log_sync() writes and syncs. Whoever comes first does it for all that
 * have placed by then.
 */
#ifndef REF_LOG_H
#define REF_LOG_H

#include "internal.h"
#include "record.h"

/* Where a log goes on, and as whose history. */
typedef struct ref_log_position {
    uint64_t end;              /* LSN after the last record; 0: there is no segment */
    uint64_t incarnation;      /* of the last segment; 0: there is none */
    uint64_t next_incarnation; /* of what is placed from here on */
    bool new_segment; /* begin a segment before the next record: a tail was cut off here, or the
                         history branches */
} ref_log_position;

/* *out is NULL on failure. Opens no file yet. */
int ref_log_create(ref_env *env, const ref_log_position *position, ref_log **out);
/* Does not write: call ref_log_sync() before. */
void ref_log_destroy(ref_log *log);

/*
 * Assigns the group's place in the log, fills in its checksums and keeps a copy for the next sync.
 * Returns the group's LSN; *end is the LSN after it; 0 and ENOMEM in group->error without memory,
 * and then nothing has changed. Caller holds env->mutex.
 */
uint64_t ref_log_place(ref_log *log, ref_group *group, uint64_t *end);

/* The LSN at which the next group would be placed if it fitted. Caller holds env->mutex. */
uint64_t ref_log_end(ref_log *log);

/* Bytes placed and not yet written. */
uint64_t ref_log_unwritten(ref_log *log);

/* Returns when everything below `lsn` is durable. REF_RUNRECOVERY when a write or sync has failed,
 * now or before: the environment has then ended. Caller holds no lock. */
int ref_log_sync(ref_log *log, uint64_t lsn);

/* Oldest segment in the log directory and newest; 0 when there is none. */
int ref_log_segments(ref_vfs *vfs, const char *log_path, uint32_t *oldest, uint32_t *newest);

/* ---- reading (logread.c) ---- */

/* A whole segment in memory. */
typedef struct ref_segment {
    char *path;
    uint8_t *bytes;
    size_t size;
    ref_segment_header header;
} ref_segment;

char *ref_segment_path(const char *log_path, uint32_t number);

/* Reads a segment. REF_CORRUPT with words when its header is damaged or says another number; `torn`
 * (may be NULL) is then set when the header is not whole, which a crash can leave behind. Free with
 * ref_segment_unload(), also after a failure. */
int ref_segment_load(
    ref_vfs *vfs, const char *log_path, uint32_t number, ref_segment *out, bool *torn);
void ref_segment_unload(ref_segment *segment);

/* What a look through the log found. */
typedef struct ref_log_scan {
    uint32_t oldest, newest; /* segments; 0: none */
    uint64_t end;            /* LSN after the last whole group */
    uint64_t tail;           /* bytes behind it that are no whole group: a torn tail */
    bool torn_segment;       /* the newest segment's header is torn: it holds nothing */
    ref_id environment;
    uint64_t incarnation; /* of the newest whole segment */
    uint64_t commit;      /* number of the last commit */
    uint64_t redo;        /* of the last checkpoint record; 0: none seen */
} ref_log_scan;

/*
 * Looks through the segments from number `from` (0: the oldest) and finds the end. `durable` is a
 * position that is known to have been durable (0: none): a bad record before it is damage, not a
 * torn tail, and so is one before a later segment and one before a record that knew it to be
 * durable. REF_CORRUPT with words that name the segment file and offset.
 */
int ref_log_scan_segments(
    ref_vfs *vfs, const char *log_path, uint32_t from, uint64_t durable, ref_log_scan *out);

/* Calls `each` for every record of the segments from `from` up to `end`, which a scan has found, in
 * order. A result other than 0 ends it. Records of a group come only if the group is whole. */
int ref_log_replay(ref_vfs *vfs, const char *log_path, uint32_t from, uint64_t end,
    int (*each)(void *context, const ref_record *record), void *context);

#endif
