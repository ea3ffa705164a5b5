/*
 * The capture slot: 64 bytes in page 0, outside checksum and log, that say of which capture a file
 * is a copy.
 *
 * A capture sets it in the source; so every copy made meanwhile has it, and no other copy has. It
 * lies in the first 512 bytes, has a checksum of its own, and does not change while the capture
 * runs: a page 0 that is torn in the copy still has it.
 *
 * The source itself has it too, which matters when its process dies. A marker beside the database
 * (its name and REF_CAPTURE_SUFFIX) tells the source from its copies: recovery, and whoever opens
 * the file, clears the slot of a database whose marker names the same capture. A marker that is
 * locked is a capture's that runs. A file that nobody vouches for is looked at page by page.
 *
 * Only the engine's own files include this.
 */
#ifndef REF_SLOT_H
#define REF_SLOT_H

#include "internal.h"

typedef enum ref_slot_state {
    REF_SLOT_NONE = 0,
    REF_SLOT_RAW = 1,     /* being captured, or a copy to which nothing was applied */
    REF_SLOT_APPLIED = 2, /* a copy that is the start again */
    REF_SLOT_DAMAGED = 3  /* never in a file: neither zero nor sound */
} ref_slot_state;

typedef struct ref_slot {
    ref_slot_state state;
    ref_id nonce;    /* of the capture */
    uint64_t lsn;    /* every page had a lower one at the start; 0: outside an environment */
    uint64_t size;   /* of the file at the start */
    uint32_t digest; /* outside an environment: CRC32C of all of it, the slot as zero */
} ref_slot;

void ref_slot_put(uint8_t out[REF_META_SLOT_SIZE], const ref_slot *slot);
void ref_slot_get(const uint8_t *bytes, ref_slot *out);

/* The file's; NONE when the file ends before it. Words name `path`. */
int ref_slot_read(ref_file *file, const char *path, ref_slot *out);
/* NULL clears it. Synced. */
int ref_slot_write(ref_file *file, const char *path, const ref_slot *slot);

/* The CRC32C for slots outside an environment. */
int ref_slot_digest(ref_file *file, const char *path, uint64_t size, uint32_t *out);

/* Is a file, up to the start size, what it was at the start? 0, REF_CORRUPT with words that name
 * what is not, or what reading gave. Reads all of it. */
int ref_slot_judge(ref_file *file, const char *path, const ref_slot *slot);

/* ---- the marker ---- */

/* Makes the marker, durable and locked, for as long as *held is open. `spill` is where images may
 * go: a name in the database's directory, or a path. EALREADY when it is locked. */
int ref_marker_make(ref_vfs *vfs, const char *path, ref_file *file, const ref_id *nonce,
    const char *spill, ref_file **held);
/* Closes and removes it. */
void ref_marker_remove(ref_vfs *vfs, const char *path, ref_file *held);
/* Whether a capture that runs holds it. */
bool ref_marker_is_live(ref_vfs *vfs, const char *path);

/* ---- opening ---- */

/* At the end of recovery: clears the slot of a database that a capture's end did not, removes what
 * the capture left. `copy`: the whole environment is one, and its log has made it whole. *doubt:
 * the slot stays, ref_slot_admit() shall look at it. */
int ref_slot_settle(ref_env *env, const char *path, bool copy, bool *doubt);

/* When a database with a slot in doubt, or a file outside the catalog, is opened. 0 when it is its
 * own source, a copy to which the change information was applied, or a copy while which nothing
 * changed; else REF_INCOMPLETE with words. `source`: it may be its own source. */
int ref_slot_check(ref_vfs *vfs, const char *path, bool source);
/* The same for a file of the catalog; clears the slot, unless for reading only. */
int ref_slot_admit(ref_dbfile *file, bool read_only);

#endif
