/*
 * The inside of a disk: inodes, the changes that are not durable, directories.
 *
 * Every inode has two contents: `now`, as a process sees it, and `base`, of which the medium is
 * certain. What lies between is its list of changes, in the order in which they were made. A change
 * is pending (seen by processes, and a sync settles it), or undecided: a crash has put it in doubt,
 * and it is in neither content until somebody looks. Undecided changes come before pending ones. A
 * pending change that covers an undecided one hides it: nobody can look at it until the next crash,
 * and a sync that settles the one forgets the other.
 *
 * Everything here expects the disk's mutex to be held.
 */
#ifndef FAULT_DISK_INTERNAL_H
#define FAULT_DISK_INTERNAL_H

#include <pthread.h>

#include "block.h"
#include "disk.h"

#define FAULT_SECTOR 512u
#define FAULT_FILE_MAX ((uint64_t)1 << 34) /* beyond it: EFBIG */
#define FAULT_PATH_MAX 4096u
#define FAULT_NAME_MAX 255u
#define FAULT_TOGETHER 6u /* changes that overlap and are still decided without a state twice */

/* In the order of certainty: FRESH ones wait for FAULT_ASK_PREFIX, LOOSE ones are free. */
typedef enum fault_change_state { FAULT_PENDING, FAULT_FRESH, FAULT_LOOSE } fault_change_state;
typedef enum fault_change_kind { FAULT_WRITTEN, FAULT_GROWN, FAULT_CUT } fault_change_kind;

/* Of a file. A write of more than 64 units (sectors, or pages) is several, of the same order. */
typedef struct fault_change {
    uint64_t order;
    uint64_t offset;    /* the new size when it is no write */
    uint64_t left;      /* units that are not decided, one bit each */
    uint64_t hidden;    /* of them: under something pending */
    fault_bytes *bytes; /* of a write */
    uint32_t size;
    uint8_t kind, state;
} fault_change;

typedef struct fault_entry {
    uint32_t hash;
    uint32_t slot;
    fault_bytes *name;
} fault_entry;

/* The names of a directory, counted like a map, sorted by hash and name. */
typedef struct fault_table {
    _Atomic uint32_t refs;
    uint32_t count, room;
    fault_entry at[];
} fault_table;

/* Of a directory: `from` is taken away if it names the slot, `to` made to name it. */
typedef struct fault_rename {
    uint64_t order;
    fault_bytes *from, *to;
    uint32_t slot;
    uint8_t state;
} fault_rename;

typedef struct fault_inode {
    uint64_t number; /* 0: the slot is free */
    uint8_t kind;    /* ref_file_kind */
    bool split;      /* now has content that is neither in base nor pending */
    bool marked;     /* by the collection of garbage */
    int late;        /* error of the next sync */
    uint32_t mode;
    uint32_t opens;
    uint32_t unsized;   /* undecided changes of the size that are not hidden: size is not known */
    uint32_t undecided; /* changes, hidden or not; of names in a directory */
    uint64_t size, base_size;
    fault_map *now, *base;
    fault_map *old; /* blocks as they were before they were last settled; NULL: they never were */
    fault_change *changes;
    uint32_t count, room;
    uint32_t media_count, media_room;
    fault_medium *media;
    fault_bytes *path; /* where it was made or last moved to; for words only */
    fault_table *names, *base_names;
    fault_rename *renames;
    uint32_t rename_count, rename_room;
} fault_inode;

typedef struct fault_file {
    ref_file file;
    fault_disk *disk;
    uint32_t slot;
    uint64_t inode; /* its number */
    bool writable;
    char *path;                    /* as it was opened */
    struct fault_file *next, **at; /* the open files of the disk */
} fault_file;

typedef struct fault_lock {
    const fault_file *file;
    uint32_t slot;
    bool exclusive;
    uint64_t start, end;
} fault_lock;

typedef struct fault_submitted {
    fault_file *file;
    const void *bytes;
    size_t size;
    uint64_t offset, tag;
    uint32_t thread;
    int error; /* what the plan gave it */
    fault_decision decision;
} fault_submitted;

typedef struct fault_thread {
    uint64_t serial;
} fault_thread;

struct fault_disk {
    ref_vfs vfs;
    pthread_mutex_t mutex;
    fault_disk_options options;
    bool dead;       /* a plan has cut the power */
    bool fresh;      /* FAULT_ASK_PREFIX is still to be asked */
    bool garbage;    /* inodes may have become unreachable */
    uint32_t unit;   /* FAULT_SECTOR or FAULT_BLOCK */
    uint64_t order;  /* of the last change */
    uint64_t number; /* of the last inode */
    uint64_t clock, random, shuffle;
    fault_inode *inodes; /* slot 0 is the root */
    uint32_t inode_count, inode_room;
    fault_block *zero;
    fault_answer_fn answer;
    void *answer_context;
    fault_barrier_fn barrier;
    void *barrier_context;
    fault_file *files;
    fault_lock *locks;
    uint32_t lock_count, lock_room;
    fault_submitted *submitted;
    uint32_t submitted_count, submitted_room;
    fault_thread *threads;
    uint32_t thread_count, thread_room;
};

/* ---- inode.c: files as processes see them ---- */

uint32_t fault_inode_new(fault_disk *disk, ref_file_kind kind, uint32_t mode, const char *path);
void fault_inode_clear(fault_inode *inode);
/* Marks what names and open files can reach; `certain`: also names that are durable or undecided. */
void fault_inode_mark(fault_disk *disk, bool certain);
/* Frees what nothing can reach. */
void fault_inode_collect(fault_disk *disk);
/* Bytes moved. `stale`: blocks as they were before they were last settled. */
size_t fault_inode_read(
    fault_disk *disk, fault_inode *inode, uint64_t offset, void *out, size_t size, bool stale);
void fault_inode_write(
    fault_disk *disk, fault_inode *inode, uint64_t offset, const void *bytes, size_t size);
void fault_inode_truncate(fault_disk *disk, fault_inode *inode, uint64_t size);
uint64_t fault_inode_size(fault_disk *disk, fault_inode *inode);
/* Bytes of a write there that the capacity has room for; of an allocation: all or 0. */
size_t fault_inode_fits(fault_disk *disk, const fault_inode *inode, uint64_t offset, uint64_t size);
void fault_inode_allocate(fault_disk *disk, fault_inode *inode, uint64_t offset, uint64_t size);

/* ---- name.c: directories ---- */

#define FAULT_NOWHERE UINT32_MAX

/* The slot that a name has, FAULT_NOWHERE when it has none. */
uint32_t fault_name_find(fault_disk *disk, uint32_t dir, const char *name, size_t length);
/* A change of names: `from` or `to` may be NULL. Of one directory, with the order given. */
void fault_name_change(fault_disk *disk, uint32_t dir, uint64_t order, const char *from,
    const char *to, uint32_t slot);
bool fault_name_empty(fault_disk *disk, uint32_t dir);
void fault_name_settle(fault_disk *disk, fault_inode *dir);
void fault_name_apply(fault_table **table, const fault_rename *change);
void fault_table_drop(fault_table *table);
fault_table *fault_table_share(fault_table *table);
const fault_entry *fault_table_find(const fault_table *table, const char *name, size_t length);

/* ---- pending.c: syncs ---- */

void fault_settle_file(fault_disk *disk, fault_inode *inode);
/* What a successful sync of the inode makes durable under the disk's profile. */
void fault_settle_synced(fault_disk *disk, fault_inode *inode);
void fault_settle_failed(fault_disk *disk, fault_inode *inode, fault_sync_failure failure);
/* Does the change to the certain content. */
void fault_change_apply(fault_disk *disk, fault_inode *inode, const fault_change *change);
void fault_change_drop(fault_change *change);
/* What was undecided before `order` and lies in the range whole will never be seen. */
void fault_forget_below(
    fault_disk *disk, fault_inode *inode, uint64_t order, uint64_t from, uint64_t to);
/* Takes changes out that are settled, decided or forgotten: those with nothing left. */
void fault_changes_tidy(fault_inode *inode);

/* ---- crash.c, crash_names.c, prefix.c: questions ---- */

uint32_t fault_ask(fault_disk *disk, fault_question_kind kind, uint32_t answers,
    const fault_inode *inode, uint64_t offset, uint64_t order, const char *words);
void fault_look_size(fault_disk *disk, fault_inode *inode);
void fault_look_range(fault_disk *disk, fault_inode *inode, uint64_t offset, uint64_t end);
/* Before a write of the range: what it covers whole is hidden, and what it touches decided. */
void fault_look_over(fault_disk *disk, fault_inode *inode, uint64_t offset, uint64_t end);
/* Forgets undecided content from there on, of changes made before `order`. */
void fault_trim(fault_disk *disk, fault_inode *inode, uint64_t size, uint64_t order);
/* NULL: all names. */
void fault_look_name(fault_disk *disk, fault_inode *dir, const char *name, size_t length);
void fault_look_prefix(fault_disk *disk);
/* The bytes of one unit of a write: its first one and the one behind its last. */
void fault_unit_range(const fault_disk *disk, const fault_change *change, unsigned bit,
    uint64_t *first, uint64_t *behind);
/* Of changes that belong together (bit n - 1: the last one made), which are kept. outcome[mask]
 * tells the states apart; each is reached by one sequence of answers. */
typedef uint32_t (*fault_choice_fn)(void *context, uint32_t index);
uint32_t fault_choose(const uint64_t *outcome, uint32_t count, fault_choice_fn ask, void *context);

/* ---- media.c ---- */

/* EIO, or 0 and the faults are in the bytes. */
int fault_media_read(const fault_inode *inode, uint64_t offset, uint8_t *bytes, size_t size);
void fault_media_add(fault_inode *inode, const fault_medium *fault);
void fault_media_written(fault_inode *inode, uint64_t offset, uint64_t end);

/* ---- paths.c ---- */

typedef struct fault_where {
    uint32_t dir;  /* in which the last component is looked for */
    uint32_t slot; /* what it is; FAULT_NOWHERE */
    char path[FAULT_PATH_MAX];
    const char *name; /* in path; "" for the root */
    bool slash;       /* ends with one: only a directory will do */
} fault_where;

/* Follows a path. 0, also when only the last component is missing; ENOENT, ENOTDIR, ENAMETOOLONG. */
int fault_walk(fault_disk *disk, const char *path, fault_where *out);
/* Only the text: absolute, without "." and "..". */
int fault_normalise(const char *path, char *out);

/* ---- door.c: what every operation has before and after it ---- */

typedef struct fault_call {
    fault_disk *disk;
    fault_op op;
    fault_decision decision;
    uint64_t done;
} fault_call;

/* A call on an open file. */
fault_call fault_call_on(
    const fault_file *file, fault_op_class op, uint64_t offset, uint64_t size, const void *data);
/* Takes the mutex. False when the power is gone. */
bool fault_enter(fault_disk *disk);
/* Asks the plan. False: the operation is over, and *error is what it gives. */
bool fault_decide(fault_call *call, int *error);
/* Both. The call has to be ended in either case. */
bool fault_begin(fault_call *call, int *error);
/* Writes the trace, gives the mutex back; gives `error`. */
int fault_end(fault_call *call, int error);
uint64_t fault_next_random(uint64_t *state);
/* Calls the barrier function; without the mutex. */
void fault_barrier(fault_disk *disk);
int fault_sync_decided(fault_call *call, fault_inode *inode);

/* ---- vfs_names.c, vfs_file.c, lock.c, submit.c ---- */

void fault_vfs_names(ref_vfs *vfs);
void fault_stat(fault_disk *disk, uint32_t slot, ref_stat *out);
void fault_vfs_files(ref_vfs *vfs);
int fault_vfs_lock(ref_file *file, uint64_t offset, uint64_t size, ref_lock kind);
void fault_locks_release(fault_disk *disk, const fault_file *file);
int fault_vfs_submit(ref_file *file, const void *bytes, size_t size, uint64_t offset, uint64_t tag);
int fault_vfs_reap(ref_vfs *vfs, uint64_t *tag, int *result, size_t *done);
void fault_submitted_release(fault_disk *disk, const fault_file *file);
/* Carries a write out as the plan has decided; with the lock held. */
int fault_write_decided(fault_disk *disk, fault_inode *inode, const fault_decision *decision,
    const void *bytes, size_t size, uint64_t offset, size_t *done);
void fault_file_close(fault_file *file);

#endif
