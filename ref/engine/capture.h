/*
 * Capture: the other classical way of taking a hot backup, copy + before-images.
 *
 * From the instant of ref_capture_start() on, whoever wants the database as it is now copies its
 * file with any tool, in any order, while writers go on. Before the engine changes bytes of the
 * file that existed at the start, it keeps the old ones. After ref_capture_stop() they come out as
 * a stream; a copy to which the whole stream is applied is the file as it was at the start, to the
 * byte (the capture slot in page 0 apart).
 *
 * Database files only change when a checkpoint writes them, so that is where old bytes are kept:
 * first image wins, in memory up to a limit, then in a spill file. An image that cannot be kept
 * ends the capture, never the write, and never gives a wrong backup.
 *
 * The stream: FORMAT.md, "Capture slot, marker, change stream". Any chunking is legal on both
 * sides. Nothing changed: an empty stream.
 *
 * The copy is marked, too: who opens a raw one gets REF_INCOMPLETE, unless nothing had changed
 * while it was made. A process that dies leaves a source that opens as ever.
 *
 * Threads: one capture is used by one thread at a time; writers and checkpoints go on in others.
 * Nothing here is called back.
 */
#ifndef REF_CAPTURE_H
#define REF_CAPTURE_H

#include "engine.h"

typedef struct ref_capture ref_capture;
typedef struct ref_apply ref_apply;

#define REF_CAPTURE_MEMORY_DEFAULT 20000000u /* bytes of images in memory before they spill */

typedef struct ref_capture_options {
    uint64_t memory_limit; /* bytes; 0: the default */
    const char
        *spill_dir;   /* where the spill file goes, removed at the end; NULL: beside the database */
    bool no_spill;    /* the limit ends the capture instead */
    uint64_t timeout; /* nanoseconds (vfs time) after which the capture ends by itself; 0: never */
} ref_capture_options;

/*
 * Brings the file to the last commit, marks it, and from then on keeps what is overwritten.
 * *start_size is the file's size in bytes at that instant. options may be NULL. EALREADY when the
 * database is being captured, whatever the handle (one that has ended by itself does not count);
 * EBUSY while it is compacted; EINVAL when it was removed or is not committed; ENOENT for the
 * spill directory; or what the checkpoint gave. *out is NULL and *start_size 0 on failure.
 */
int ref_capture_start(
    ref_db *db, const ref_capture_options *options, ref_capture **out, uint64_t *start_size);

/* Bytes below `offset` have been copied: what changes there from now on need not be kept. What was
 * kept stays. A lower mark than the last is passed over. Any time before the stop; EINVAL after. */
int ref_capture_mark(ref_capture *capture, uint64_t offset);

/* Keeps nothing more: the copy is complete. Again: 0. */
int ref_capture_stop(ref_capture *capture);

/* Bytes of the whole stream. EINVAL before the stop; 0 in *bytes on failure. */
int ref_capture_size(ref_capture *capture, uint64_t *bytes);

/* The next bytes of the stream; *done is less than `size` only at its end, then 0. EINVAL before
 * the stop; 0 in *done on failure. */
int ref_capture_read(ref_capture *capture, void *buffer, size_t size, size_t *done);

/* 0 while all is well. Otherwise the capture has ended by itself and cannot give a backup:
 * ETIMEDOUT; ENOSPC (limit, or no room to spill) or EIO as it was; ECANCELED when the environment
 * was closed. With words; every function above but start gives the same. */
int ref_capture_state(ref_capture *capture);

/* Ends it and frees the handle, after the stop or before. The database can be captured again. A
 * capture must end before its database handle is closed. */
void ref_capture_end(ref_capture *capture);

/* The capture that runs on the database, if any: for a second handle. NULL when there is none. */
ref_capture *ref_capture_of(ref_db *db);

/* ---- applying: needs the copy alone ---- */

/* Begins to apply a stream of `stream_size` bytes to the copy at `path`, which nobody has open.
 * EBUSY when that is a database which is being captured; ENOENT, or what opening and reading gave.
 * *out is NULL on failure. vfs may be NULL. */
int ref_apply_start(ref_vfs *vfs, const char *path, uint64_t stream_size, ref_apply **out);

/* The next bytes, in order. REF_CORRUPT with words when they are no stream, of another database or
 * another backup, out of order, damaged, or more than was announced; REF_VERSION; or what writing
 * gave. Then only ref_apply_end(apply, true) is left, and the copy is not usable until the whole
 * stream has been applied to it from the beginning. What does not belong to the copy changes
 * nothing in it. `size` 0 does nothing. */
int ref_apply_next(ref_apply *apply, const void *data, size_t size);

/* Ends it and frees the handle, whatever the result. Without `abort`: REF_CORRUPT unless the whole
 * stream was given. Then the copy is cut or extended to the start size, and looked at as a whole:
 * REF_CORRUPT for a page that is damaged, or that was changed after the start and not made good by
 * the stream (copied after the stop, say). Then it is marked as applied, synced, and only then the
 * result is 0. With `abort`: 0. */
int ref_apply_end(ref_apply *apply, bool abort);

/* What a database file that nobody has open is, by the slot in its page 0. */
typedef enum ref_copy_state {
    REF_COPY_NONE, /* no slot: an ordinary database */
    REF_COPY_RAW, /* copied during a capture, nothing applied; or a source that is being captured */
    REF_COPY_APPLIED /* applied: a backup, as long as nobody opens it for writing */
} ref_copy_state;

/* ENOENT, EINVAL when it is no database, REF_CORRUPT for a damaged slot, or what reading gave;
 * *out is REF_COPY_NONE then. vfs may be NULL. */
int ref_copy_state_of(ref_vfs *vfs, const char *path, ref_copy_state *out);

/* ---- in-place compaction ---- */

/*
 * Moves pages down, in transactions of its own, and cuts the free ones off the end of the file.
 * EBUSY while a capture or another compaction runs on it; EACCES through a handle for reading;
 * REF_CORRUPT for a free list that is wrong; the transaction errors. `pause` (may be NULL) is
 * called between steps, while no lock is held. *saved (may be NULL): bytes. What a reader of an
 * earlier state or a running backup may still want is cut off by a later checkpoint, and not in
 * *saved. A failure leaves the database whole.
 */
int ref_db_compact(ref_db *db, void (*pause)(void *context), void *context, uint64_t *saved);
/* True from the beginning of a compaction to its end. */
bool ref_db_is_compacting(ref_db *db);

#endif
