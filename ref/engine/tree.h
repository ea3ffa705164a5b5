/*
 * Directory trees: listing, walking, removing. Nothing here follows a symbolic link.
 *
 * Entries are visited in the order of their names (strcmp), so that two runs do the same. What
 * vanishes between being listed and being looked at counts as never seen.
 *
 * Threads: no state; the vfs decides.
 */
#ifndef REF_TREE_H
#define REF_TREE_H

#include <limits.h>

#include "vfs.h"

/* Names owned by the caller. Start from {0}; ref_names_free() when done. */
typedef struct ref_names {
    char **names;
    size_t count;
    size_t capacity;
} ref_names;

int ref_names_add(ref_names *names, const char *name); /* copies; 0 or ENOMEM */
void ref_names_free(ref_names *names);                 /* back to {0} */

/* The entries of one directory, sorted, added to *names. 0, ENOMEM, or what listing gave, with
 * words that name the directory. */
int ref_tree_list(ref_vfs *vfs, const char *path, ref_names *names);

/* A visitor's result besides 0 and errors: do not go into this directory. */
#define REF_TREE_SKIP INT_MIN

/* Called for each entry below the root, a directory before what it holds. `relative` is the path
 * from the root, `stat` that of the entry itself (lstat). 0 goes on, anything but REF_TREE_SKIP
 * ends the walk and is its result. */
typedef int (*ref_tree_fn)(
    void *context, const char *path, const char *relative, const ref_stat *stat);

/* Walks everything below `root`, mounts included. Directories that may not be listed (EACCES) are
 * an error, or passed over when `forgiving`; the root is never passed over. 0, the visitor's
 * result, or what the vfs gave, with words that name the path. */
int ref_tree_walk(ref_vfs *vfs, const char *root, bool forgiving, ref_tree_fn visit, void *context);

/* Called before an entry is removed. */
typedef void (*ref_tree_removing_fn)(void *context, const char *path);

/* Removes `path`, whatever it is, with all below it. A directory on another device than `device`
 * stays, with everything in it and the directories above it: that is no error. Nor is a path that
 * is not there. The first failure ends it; words name the path. `removing` may be NULL. */
int ref_tree_remove(
    ref_vfs *vfs, const char *path, uint64_t device, ref_tree_removing_fn removing, void *context);

#endif
