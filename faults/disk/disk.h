/*
 * A disk in memory that knows what is durable.
 *
 * THE CRASH MODEL. A process sees every change at once. The medium has it only when a sync says so;
 * until then the change is pending, and when the power goes each pending change is kept or lost:
 *
 *   - A write is as many changes as it covers sectors (512 bytes; atomic-page: pages of 4,096). Each
 *     is kept or lost by itself. Over one sector they are applied in the order in which they were
 *     made.
 *   - The size of a file is apart from its content: growing and cutting are changes of their own, and
 *     the newest that is kept is the size. A sector that is kept beyond it is not there; one that is
 *     lost inside it is zero. A cut that is kept takes older content beyond its end away, too.
 *   - A name is apart from the file: making, removing and renaming are changes of the directory. A
 *     rename inside one directory is one change; one between two directories is two, so the file may
 *     be found under both names or none. What takes a name away does nothing when the name does not
 *     stand for the same file, because an older change is lost.
 *   - Syncing a file settles its content and size, and not its name. Syncing a directory settles
 *     its names, and not what they name.
 *
 * That is the profile posix-weak: what the standard allows. The others allow less:
 *   ext4-ordered  names and sizes are settled in the order in which they were made, a size not
 *                 before the content that was written to the file before it; content that no size
 *                 asks for is free. Any sync settles all names and sizes, whatever it syncs.
 *   sequential    everything is settled in the order in which it was made; the last write may be
 *                 short: some of its first sectors, and the size as far as they go. Any sync settles
 *                 everything.
 *   atomic-page   as posix-weak, but no page of 4,096 bytes is torn
 * In the two ordered ones a rename between directories is one change.
 *
 * A sync that fails leaves one of the states of fault_sync_failure (op.h). They are about content:
 * the size of the file stays pending, but for `revert`, which takes it back, too. Media faults lie over the content and can be taken away again.
 *
 * A disk can be cloned in time proportional to the number of files and of pending changes: blocks are
 * shared until they are written. A clone that has lost its power (fault_disk_crash) is a disk on
 * which pending changes are undecided: each is decided when it is first looked at, by the caller. A
 * write that covers what is undecided decides nothing. Whoever tries all answers to all questions has
 * seen every legal state that his program can tell apart, and hardly one twice: two ways may lead to
 * one state where more than six changes overlap, a write took another back, or a file was cut as well
 * as grown. Whoever only ever answers 0 has lost everything, and 1 (the last answer) nothing.
 *
 * Paths are absolute (relative ones begin at the root); the root directory is there from the
 * beginning. Symbolic links, owners and permissions there are none: modes are kept and not enforced.
 * The clock stands unless it is moved (each operation moves it by a microsecond), random numbers come
 * from a seed: two runs that do the same are the same to the byte. Writes that were submitted
 * complete in an order of the seed; one that has not when its file is closed is lost, and reap gives
 * EAGAIN when there is none.
 *
 * Results: 0 or an errno value. When there is no memory for the disk's own books the process ends
 * with a message. Threads: everything but making and freeing may be done from several at once; a
 * disk and its clones need not be in the same.
 */
#ifndef FAULT_DISK_H
#define FAULT_DISK_H

#include <stdbool.h>

#include "../op.h"
#include "../plan/plan.h"
#include "../trace/trace.h"
#include "engine/vfs.h"

typedef enum fault_profile {
    FAULT_POSIX_WEAK,
    FAULT_EXT4_ORDERED,
    FAULT_SEQUENTIAL,
    FAULT_ATOMIC_PAGE,
    FAULT_PROFILES
} fault_profile;

const char *fault_profile_name(fault_profile profile); /* "posix-weak" */

typedef struct fault_disk fault_disk;

typedef struct fault_disk_options {
    fault_profile profile;
    uint64_t seed;      /* of random numbers and of the order in which submitted writes complete */
    uint64_t capacity;  /* bytes of content; 0: no limit. Beyond it: ENOSPC */
    fault_run *run;     /* decides about every operation; borrowed; NULL: no faults */
    fault_trace *trace; /* gets every operation; borrowed; NULL: none */
} fault_disk_options;

/* An empty disk. 0 or ENOMEM. */
int fault_disk_new(const fault_disk_options *options, fault_disk **out);
/* All files must be closed; those that are not are closed. */
void fault_disk_free(fault_disk *disk);
/* The disk as the engine sees it; valid until the disk is freed. */
ref_vfs *fault_disk_vfs(fault_disk *disk);

/* Sets plan and trace for what follows. NULL: none. Power that a plan has cut stays off: go on with
 * fault_disk_crash(). */
void fault_disk_watch(fault_disk *disk, fault_run *run, fault_trace *trace);
/* Puts a mark into the trace; plans can begin at it (phase=). */
void fault_disk_mark(fault_disk *disk, const char *words);

/* Everything that a process sees becomes durable, without an operation. What is undecided stays so. */
void fault_disk_settle(fault_disk *disk);

/* An independent disk in the same state, pending changes and all, and with power; without open files,
 * locks, submitted writes, plan, trace and barrier. 0 or ENOMEM. */
int fault_disk_clone(fault_disk *disk, fault_disk **out);

/* Bytes of memory that the disk's blocks take, shared ones counted once per disk. */
uint64_t fault_disk_bytes(fault_disk *disk);

/* A number that two disks have in common when, and (but for chance) only when, their names and
 * contents are the same, as a process sees them, and the same is undecided. Decides nothing. */
uint64_t fault_disk_hash(fault_disk *disk);

/* ---- losing power ---- */

/* Called before an operation that makes something durable (sync, syncdir), when all that could be
 * lost since the last one is still pending, in the thread that syncs and without a lock of the
 * disk's. The program may hold its own: whoever wants to run it on what a crash here leaves keeps a
 * clone and does so afterwards. */
typedef void (*fault_barrier_fn)(void *context, fault_disk *disk);
void fault_disk_on_barrier(fault_disk *disk, fault_barrier_fn call, void *context);

/* Something that a crash has left undecided. */
typedef enum fault_question_kind {
    FAULT_ASK_CONTENT, /* a sector (page) of a write */
    FAULT_ASK_SIZE,    /* a growing or cutting */
    FAULT_ASK_NAME,    /* a change of a directory */
    FAULT_ASK_PREFIX   /* ordered profiles: how many of the pending changes are kept (0 .. `answers`
                          - 1); asked once, when the disk is first used */
} fault_question_kind;

typedef struct fault_question {
    fault_question_kind kind;
    uint32_t answers;  /* 2: 0 lost, 1 kept; more for FAULT_ASK_PREFIX */
    uint64_t inode;    /* of the file; of what is named; 0 for FAULT_ASK_PREFIX */
    uint64_t offset;   /* of the first byte of the write in the sector; the new size */
    uint64_t order;    /* of the change: later ones have larger numbers; 0 for FAULT_ASK_PREFIX */
    const char *words; /* "create log.0000000001 in /home"; valid during the call */
} fault_question;

/* Answers below question->answers. Called inside an operation: it may not use the disk. */
typedef uint32_t (*fault_answer_fn)(void *context, const fault_question *question);

/*
 * The disk after a power cut now: a clone in which everything pending is undecided. Where both
 * answers give the same bytes there is no question. The clone keeps asking until it is freed, also
 * after a further crash of it: what was decided stays. 0 or ENOMEM.
 */
int fault_disk_crash(fault_disk *disk, fault_answer_fn answer, void *context, fault_disk **out);

/* Pending changes that a power cut now would leave undecided, sectors and all; the base-2 logarithm
 * of the number of states. */
uint64_t fault_disk_pending(fault_disk *disk);
/* Of a crashed disk: changes that nobody has looked at yet. */
uint64_t fault_disk_undecided(fault_disk *disk);

/* ---- media ---- */

typedef enum fault_medium_kind {
    FAULT_MEDIUM_FLIP,      /* bit `bit` of the byte at `offset` reads the other way */
    FAULT_MEDIUM_ZERO,      /* reads as zeros */
    FAULT_MEDIUM_UNREADABLE /* reads give EIO */
} fault_medium_kind;

typedef struct fault_medium {
    fault_medium_kind kind;
    uint64_t offset, size; /* bytes; size 1 for FLIP */
    unsigned bit;
} fault_medium;

/* Lays a fault over the file, until it is overwritten there or healed. ENOENT, ENOTDIR, EINVAL. */
int fault_disk_damage(fault_disk *disk, const char *path, const fault_medium *fault);
/* Takes all of them away: what was written is there again. */
void fault_disk_heal(fault_disk *disk);

#endif
