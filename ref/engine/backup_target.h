/*
 * Whether a directory may be the target of a backup, and whether a file may go to its place in it.
 *
 * Everything here looks and changes nothing, so that a backup can be refused before it has touched
 * anything. Directories are compared by device and inode after following links, because two
 * spellings may mean one place, and a backup over its own source destroys it.
 *
 * Results: 0 or an errno value with words that name the paths concerned. Threads: no state.
 */
#ifndef REF_BACKUP_TARGET_H
#define REF_BACKUP_TARGET_H

#include "internal.h"

#define REF_TARGET_SUFFIX ".__backup.tmp"    /* of what is not yet in its place */
#define REF_TARGET_LOCK_NAME "__backup.lock" /* in a target that is being written to */
#define REF_TARGET_OWN_PREFIX "__backup."    /* no backup copies a file of such a name */

typedef struct ref_target {
    ref_vfs *vfs;     /* borrowed, like the path */
    const char *path; /* as given; may be a link to a directory */
    unsigned flags;   /* REF_BACKUP_* */
    bool exists;
    uint64_t device, inode; /* when it exists */
} ref_target;

/*
 * Checks the directory against the environment's directories and fills in *out.
 *
 * EINVAL: the path is NULL or empty; it is equal to or above the home, a data directory or the log
 * directory; it is inside a data or log directory that is not the home itself; a part that is to be
 * made is "..". ENOENT: it is not there and the flags have no CREATE. ENOTDIR: it, or something
 * above it, is no directory. ELOOP: it is a link to nothing. A target that is not there yet is
 * judged by the nearest directory above it that is.
 */
int ref_target_check(const ref_env *env, const char *path, unsigned flags, ref_target *out);

/* EINVAL when the source file `path`, or what it links to, lies inside the target, where the backup
 * could replace or remove it. */
int ref_target_check_source(const ref_target *target, const char *path);

/*
 * Checks the place of a file of the backup: `name`, relative to the target, '/' between
 * directories.
 *
 * ENOENT: a directory on the way is missing and the flags have no CREATE. ENOTDIR, ELOOP: something
 * on the way is no directory, or a symbolic link. EEXIST: there is a file, and EXCLUSIVE. ELOOP,
 * EISDIR: a link or directory lies where the file would go. With CLEAN only ENOENT is left: what is
 * in the way will go.
 */
int ref_target_check_file(const ref_target *target, const char *name);

/* The same for a directory of the backup that may be missing: only ENOTDIR and ELOOP. "" is the
 * target itself. */
int ref_target_check_dir(const ref_target *target, const char *name);

/* A copy of an environment makes whatever control file and log segments lie in the target wrong,
 * and they have to go. With EXCLUSIVE and without CLEAN nothing may go: EEXIST names one. */
int ref_target_check_home(const ref_target *target, const char *log_dir);

/* True for the name of something that a backup had not yet put in its place. */
bool ref_target_is_temporary(const char *name);

/* True in *within when `path`, resolved by the vfs, is the directory or lies below it. 0 or what
 * the vfs gave. */
int ref_path_lies_within(
    ref_vfs *vfs, const char *path, uint64_t device, uint64_t inode, bool *within);

#endif
