/*
 * A vfs in front of another one that counts operations, fails chosen ones, and cuts the power.
 *
 * A rule names the operations that it is about (kinds, and a part of the path) and which of them
 * fails: the n-th from now on, once or from there on. Power that is cut at an operation means that
 * this and every later operation that would change something gives EIO and changes nothing: what is
 * on the disk is what had been written so far.
 *
 * Syncs are counted, and done only when `real_sync` is set: processes that live on do not need
 * them, and they would take most of the time.
 *
 * Threads: all of it may be used from several at once; the rule and the other settings are changed
 * when nobody else uses the vfs, except by fault_fail_nth() and fault_heal().
 */
#ifndef FAULT_VFS_H
#define FAULT_VFS_H

#include <pthread.h>

#include "engine/vfs.h"

typedef enum fault_kind {
    FAULT_OPEN = 0, /* not to create */
    FAULT_CREATE,   /* open with REF_O_CREATE */
    FAULT_CLOSE,
    FAULT_READ,
    FAULT_WRITE,
    FAULT_FSYNC,
    FAULT_TRUNCATE,
    FAULT_STAT, /* fstat, stat, lstat */
    FAULT_LOCK,
    FAULT_LIST,
    FAULT_MKDIR,
    FAULT_RMDIR,
    FAULT_UNLINK,
    FAULT_RENAME,
    FAULT_FSYNC_DIR,
    FAULT_RESOLVE,
    FAULT_RANDOM,
    FAULT_KINDS
} fault_kind;

#define FAULT_BIT(kind) (1u << (kind))
#define FAULT_ALL (FAULT_BIT(FAULT_KINDS) - 1)
/* Operations that change something on the disk or make it durable. */
#define FAULT_CHANGES                                                                 \
    (FAULT_BIT(FAULT_CREATE) | FAULT_BIT(FAULT_WRITE) | FAULT_BIT(FAULT_FSYNC) |      \
        FAULT_BIT(FAULT_TRUNCATE) | FAULT_BIT(FAULT_MKDIR) | FAULT_BIT(FAULT_RMDIR) | \
        FAULT_BIT(FAULT_UNLINK) | FAULT_BIT(FAULT_RENAME) | FAULT_BIT(FAULT_FSYNC_DIR))

typedef enum fault_manner {
    FAULT_ONCE,      /* the n-th gives the error, the next one works */
    FAULT_FROM_THEN, /* the n-th and every later one of the rule's */
    FAULT_SHORT,     /* once; a write writes half of it first */
    FAULT_POWER_CUT  /* the n-th of the rule's, and from then on every change whatsoever */
} fault_manner;

typedef struct fault_rule {
    unsigned kinds;   /* FAULT_BITs */
    const char *path; /* part of the path; NULL: any. Borrowed. */
    uint64_t nth;     /* from 1 */
    int error;
    fault_manner manner;
} fault_rule;

typedef struct fault_vfs {
    ref_vfs vfs; /* what the engine gets */
    ref_vfs *next;
    pthread_mutex_t mutex;
    fault_rule rule;   /* nth 0: none */
    uint64_t seen;     /* operations of the rule's since it was set */
    uint64_t injected; /* of which failed */
    bool dark;         /* the power is cut */
    uint64_t counts[FAULT_KINDS];
    uint64_t open_files;
    bool real_sync;
    bool fixed;      /* the clock and chance are the same in every run */
    uint64_t ticks;  /* of the fixed clock */
    uint64_t chance; /* of the fixed random numbers */
    /* Called before each operation, in the caller's thread, without a lock. May use the engine. */
    void (*before)(void *context, fault_kind kind, const char *path);
    void *before_context;
} fault_vfs;

/* In front of the operating system. */
void fault_vfs_init(fault_vfs *vfs);
void fault_vfs_destroy(fault_vfs *vfs);

/* From now on. Forgets an earlier rule, and cut power. */
void fault_set(fault_vfs *vfs, const fault_rule *rule);
/* The n-th operation of the kinds on a path with `path` in it gives EIO, once. */
void fault_fail_nth(fault_vfs *vfs, unsigned kinds, const char *path, uint64_t nth);
/* Nothing fails any more. */
void fault_heal(fault_vfs *vfs);

/* Operations of these kinds since the beginning. */
uint64_t fault_count(fault_vfs *vfs, unsigned kinds);
uint64_t fault_injected(fault_vfs *vfs); /* since the rule was set */
const char *fault_kind_name(fault_kind kind);

#endif
