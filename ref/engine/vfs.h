/*
 * The only door to the operating system.
 *
 * Every file, directory, clock and random number of the engine comes through a ref_vfs: a versioned
 * struct of function pointers. The POSIX one is ref_vfs_posix(). Another one may stand in its place
 * (an in-memory disk), or in front of it (a shim that counts, delays or fails operations and passes
 * the rest to the next).
 *
 * THE CRASH MODEL, on which the engine relies and which an implementation may use to the full:
 *   - pwrite, truncate, creation, rename, unlink and mkdir take effect at once for every reader,
 *     and are lost or kept in any combination when the power fails, until the matching sync has
 *     returned 0.
 *   - A write that was not synced may be kept in part: any subset of its 512-byte sectors.
 *   - fsync makes the bytes and the size of one file durable. It says nothing of the file's name.
 *   - fsync_dir makes the entries of one directory durable: names created, renamed and removed in
 *     it. Not those of its parents or children.
 *   - rename within one directory is atomic: after a crash the new name is the old file or the new
 *     one.
 *   - When fsync fails, what had been written since the last good one is unknown: it may be on the
 *     disk, or not, and a later fsync that succeeds says nothing about it.
 *
 * Results: 0, or a positive errno value; the implementation adds no words (the caller knows what
 * it was doing).
 * Threads: every function may be called from several threads at once, on the same file too.
 * Paths: absolute or relative to the current directory, which the engine never changes;
 * NUL-terminated.
 */
#ifndef REF_VFS_H
#define REF_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ref_vfs ref_vfs;

/* An open file. Implementations begin their own struct with this. */
typedef struct ref_file {
    ref_vfs *vfs;
} ref_file;

typedef enum ref_file_kind {
    REF_KIND_FILE,
    REF_KIND_DIRECTORY,
    REF_KIND_SYMLINK,
    REF_KIND_OTHER
} ref_file_kind;

typedef struct ref_stat {
    ref_file_kind kind;
    uint64_t size;
    uint64_t device; /* device and inode say whether two paths are one thing */
    uint64_t inode;
    uint32_t mode; /* permission bits */
} ref_stat;

/* open flags */
#define REF_O_WRITE 0x01u      /* also for writing; without it for reading only */
#define REF_O_CREATE 0x02u     /* create it when missing */
#define REF_O_EXCL 0x04u       /* with CREATE: EEXIST when it is there */
#define REF_O_TRUNC 0x08u      /* cut to nothing */
#define REF_O_NOFOLLOW 0x10u   /* ELOOP when the last component is a symbolic link */
#define REF_O_DIRECT 0x20u     /* hint: past the page cache; EINVAL where the file system cannot */
#define REF_O_SEQUENTIAL 0x40u /* hint: will be read, or with WRITE written, front to back */

/* lock kinds; a lock belongs to the open file and ends with it or with the process */
typedef enum ref_lock { REF_LOCK_NONE, REF_LOCK_SHARED, REF_LOCK_EXCLUSIVE } ref_lock;

/* Called once per entry of a directory, "." and ".." left out, in no order; a result other than 0
 * ends the listing and is the listing's result. */
typedef int (*ref_list_fn)(void *context, const char *name);

struct ref_vfs {
    int version; /* 1 */
    void *self;  /* the implementation's own */

    /* *out is NULL on failure. mode: permission bits of a file that is created (the umask applies).
     */
    int (*open)(ref_vfs *vfs, const char *path, unsigned flags, uint32_t mode, ref_file **out);
    /* The file is gone whatever the result says. */
    int (*close)(ref_file *file);

    /* Reads or writes at an absolute offset. *done is the number of bytes moved, less than `size`
     * at the end of the file (read) or when the implementation stops short; 0 on failure. */
    int (*pread)(ref_file *file, void *buffer, size_t size, uint64_t offset, size_t *done);
    int (*pwrite)(ref_file *file, const void *buffer, size_t size, uint64_t offset, size_t *done);
    int (*fsync)(ref_file *file);
    int (*truncate)(ref_file *file, uint64_t size);
    int (*fstat)(ref_file *file, ref_stat *out);
    /* Locks `size` bytes at `offset` without waiting: EAGAIN when another open file (of any
     * process) holds a lock that forbids it. REF_LOCK_NONE unlocks. */
    int (*lock)(ref_file *file, uint64_t offset, uint64_t size, ref_lock kind);
    /* Reserves space so that later writes below offset + size do not fail for want of it. May be
     * NULL. */
    int (*allocate)(ref_file *file, uint64_t offset, uint64_t size);

    /* `stat` follows symbolic links, `lstat` does not. */
    int (*stat)(ref_vfs *vfs, const char *path, ref_stat *out);
    int (*lstat)(ref_vfs *vfs, const char *path, ref_stat *out);
    int (*list)(ref_vfs *vfs, const char *path, ref_list_fn each, void *context);
    int (*mkdir)(ref_vfs *vfs, const char *path, uint32_t mode);
    int (*rmdir)(ref_vfs *vfs, const char *path);
    int (*unlink)(ref_vfs *vfs, const char *path);
    /* Replaces `to` unless `exclusive`, which gives EEXIST. */
    int (*rename)(ref_vfs *vfs, const char *from, const char *to, bool exclusive);
    int (*fsync_dir)(ref_vfs *vfs, const char *path);
    /* The path without symbolic links, "." and "..", absolute; ERANGE when it does not fit. */
    int (*resolve)(ref_vfs *vfs, const char *path, char *out, size_t size);

    uint64_t (*now)(ref_vfs *vfs);                          /* wall clock, nanoseconds since 1970 */
    void (*sleep)(ref_vfs *vfs, uint64_t nanoseconds);      /* returns early for no reason */
    int (*random)(ref_vfs *vfs, void *buffer, size_t size); /* for identities */

    /* Asynchronous writes; NULL when there are none. submit takes over until reap has returned its
     * tag. */
    int (*submit)(ref_file *file, const void *buffer, size_t size, uint64_t offset, uint64_t tag);
    int (*reap)(ref_vfs *vfs, uint64_t *tag, int *result, size_t *done);
};

/* The operating system. Never NULL, one for the process, never freed. */
ref_vfs *ref_vfs_posix(void);

/* The vfs of every environment that names none: ref_vfs_posix() until ref_set_default_vfs() is
 * called. NULL sets it back. The vfs stays the caller's and must outlive every environment opened
 * while it was set. */
ref_vfs *ref_default_vfs(void);
void ref_set_default_vfs(ref_vfs *vfs);

/* Loops around pread and pwrite until all is moved. A read past the end gives *done < size and 0. A
 * write that makes no progress is EIO: a short write never passes for a whole one. */
int ref_read_full(ref_file *file, void *buffer, size_t size, uint64_t offset, size_t *done);
int ref_write_full(ref_file *file, const void *buffer, size_t size, uint64_t offset);

#endif
