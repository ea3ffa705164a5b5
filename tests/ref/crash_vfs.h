/*
 * A vfs in front of the operating system that knows what is durable, and makes the states in which
 * a power cut may leave the disk: the crash model of ref/engine/vfs.h.
 *
 * Of each file it keeps the content of the last fsync, of each directory the entries of the last
 * fsync_dir and what has happened to them since: creations, renamings, removals. A crash state
 * keeps any subset of the latter, in their order, and of each file's content any subset of the
 * sectors that were written since.
 *
 * What lies below the root when it begins counts as durable. Directories are not made or removed by
 * it. Threads: any number may use it; a state is made when nobody does.
 */
#ifndef CRASH_VFS_H
#define CRASH_VFS_H

#include <pthread.h>

#include "engine/vfs.h"

typedef struct crash_node crash_node;
typedef struct crash_entry crash_entry;
typedef struct crash_change crash_change;

typedef struct crash_vfs {
    ref_vfs vfs;
    ref_vfs *next;
    pthread_mutex_t mutex;
    char *root;
    crash_node *nodes;
    crash_entry *entries; /* durable ones */
    crash_change *first_change, **last_change;
} crash_vfs;

/* `root` is an existing directory: what lies elsewhere is nobody's concern. */
void crash_vfs_init(crash_vfs *vfs, const char *root);
void crash_vfs_destroy(crash_vfs *vfs);

typedef enum crash_loss {
    CRASH_NOTHING_LOST,
    CRASH_ALL_LOST,     /* whatever was not synced */
    CRASH_NAMES_LOST,   /* entries that were not synced; contents are kept */
    CRASH_CONTENT_LOST, /* contents that were not synced; entries are kept */
    CRASH_SOME_LOST     /* by the seed: entries and sectors one by one */
} crash_loss;

/* Writes a state below `target`, which must not exist. */
void crash_vfs_make_state(crash_vfs *vfs, crash_loss loss, uint64_t seed, const char *target);

#endif
