/*
 * One I/O operation, as plans match it, traces record it and disks carry it out; and what a plan
 * decides about it.
 *
 * Both ways to inject faults, the disk in memory and (later) the shim for unmodified programs,
 * lower every call to a fault_op and ask the same function, so that a line of a plan means the same
 * in both.
 */
#ifndef FAULT_OP_H
#define FAULT_OP_H

#include <stddef.h>
#include <stdint.h>

typedef enum fault_op_class {
#define FAULT_OP(enumerator, word, changes, errors) FAULT_OP_##enumerator,
#include "op.def"
#undef FAULT_OP
    FAULT_OP_CLASSES
} fault_op_class;

/* "write"; "?" for no class. */
const char *fault_op_word(fault_op_class op);
/* FAULT_OP_CLASSES when no class has this word. `length` bytes, not terminated. */
fault_op_class fault_op_of_word(const char *word, size_t length);
/* 1 when it alters what is on the disk or what is durable. */
int fault_op_changes(fault_op_class op);
/* The errno values that the class may give, and how many. Static. */
const int *fault_op_errors(fault_op_class op, size_t *count);
/* "ENOSPC"; NULL for a number without a name here. And back: 0 for an unknown name. */
const char *fault_errno_name(int error);
int fault_errno_of_name(const char *name, size_t length);

typedef struct fault_op {
    fault_op_class op;
    uint32_t thread;  /* logical number of the thread, by the order of their first operations */
    const char *path; /* normalised, absolute on a disk in memory; of a mark: its words; NULL: none
                         (memory, sleep, random) */
    const char *to;   /* of a rename; else NULL */
    uint64_t inode;   /* of the file, 0 when there is none */
    uint64_t offset;  /* read, write, allocate, lock; truncate: the new size */
    uint64_t size;    /* bytes asked for; sleep: nanoseconds */
    const void *data; /* of a write; else NULL */
} fault_op;

/* What becomes of an operation. */
typedef enum fault_action {
    FAULT_DO_NOTHING, /* it is carried out */
    FAULT_DO_ERROR,   /* not carried out; gives `error` */
    FAULT_DO_SHORT,   /* read, write: only `amount` bytes of it, and says so */
    FAULT_DO_TORN,    /* write: of its sectors those of `mask` reach the file (bit i: sector i, the
                           last bit all further ones), and it says that all was written */
    FAULT_DO_LOSE,    /* write, truncate, mkdir, rmdir, unlink, rename: says 0 and does nothing */
    FAULT_DO_LIE,     /* sync, syncdir: says 0, and nothing becomes durable */
    FAULT_DO_FAIL_SYNC,   /* sync: gives `error`; what becomes of the dirty pages says `failure` */
    FAULT_DO_FLIP_READ,   /* read: bit `amount` of what was read (modulo its size) is turned over */
    FAULT_DO_FLIP_MEDIUM, /* the same on the medium, from now on */
    FAULT_DO_STALE,       /* read: gives what was durable before the last sync of the range */
    FAULT_DO_MISDIRECT,   /* write: goes to offset + `amount` (signed); says all is well */
    FAULT_DO_DELAY,       /* carried out after `amount` nanoseconds of the disk's clock */
    FAULT_DO_CRASH        /* the power goes before it: this and every later operation gives EIO */
} fault_action;
#define FAULT_ACTIONS (FAULT_DO_CRASH + 1)

/* "torn"; "?" for no action. */
const char *fault_action_word(fault_action action);

/* What a failed sync leaves, after the file systems that do so. */
typedef enum fault_sync_failure {
    FAULT_SYNC_CLEAN,  /* error now; pages count as clean but hold the new data, which never
                            becomes durable unless written again (ext4 ordered, xfs) */
    FAULT_SYNC_LATE,   /* 0 now, error at the next sync, pages as above (ext4 data=journal) */
    FAULT_SYNC_REVERT, /* error now; pages go back to what is durable (btrfs) */
    FAULT_SYNC_KEEP    /* error now; pages stay dirty: a further sync can succeed */
} fault_sync_failure;

typedef struct fault_decision {
    fault_action action;
    int error;
    int64_t amount;
    uint64_t mask;
    fault_sync_failure failure;
    uint32_t rule; /* number of the plan's rule that decided, from 1; 0: none */
} fault_decision;

#endif
