/*
 * The vfs of the operating system: Linux.
 *
 * Every call that a signal may interrupt is repeated: nothing above this file knows EINTR. Locks
 * are those of open file descriptions (F_OFD_SETLK), because the older ones belong to the process
 * and are lost when any other descriptor of the same file is closed.
 */
#include "vfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Bytes after which a file that is written from front to back is begun to be brought to the disk: so
 * that the disk works while the rest is still being read, and the sync at the end finds little to
 * do. */
#define WRITE_BACK_UNIT (4u << 20)

typedef struct posix_file {
    ref_file file;
    int fd;
    bool streams;   /* written from front to back */
    uint64_t begun; /* up to here its write-back has begun */
} posix_file;

/* The expression's value, taken again as long as a signal interrupts it. */
#define UNINTERRUPTED(type, expression)         \
    __extension__({                             \
        type value_;                            \
        do {                                    \
            value_ = (expression);              \
        } while (value_ < 0 && errno == EINTR); \
        value_;                                 \
    })

static int fd_of(ref_file *file)
{
    return ((posix_file *)(void *)file)->fd;
}

static int result_of(int value)
{
    return value < 0 ? errno : 0;
}

/* Offsets of ours that the system's signed ones cannot hold. */
static bool range_fits(uint64_t offset, uint64_t size)
{
    return offset <= INT64_MAX && size <= (uint64_t)INT64_MAX - offset;
}

/* ---- open files ---- */

static int posix_open(ref_vfs *vfs, const char *path, unsigned flags, uint32_t mode, ref_file **out)
{
    *out = NULL;
    posix_file *opened = malloc(sizeof *opened);
    if (opened == NULL) {
        return ENOMEM;
    }
    int system_flags = O_CLOEXEC | O_NOCTTY;
    system_flags |= flags & REF_O_WRITE ? O_RDWR : O_RDONLY;
    system_flags |= flags & REF_O_CREATE ? O_CREAT : 0;
    system_flags |= flags & REF_O_EXCL ? O_EXCL : 0;
    system_flags |= flags & REF_O_TRUNC ? O_TRUNC : 0;
    system_flags |= flags & REF_O_NOFOLLOW ? O_NOFOLLOW : 0;
    system_flags |= flags & REF_O_DIRECT ? O_DIRECT : 0;
    opened->file.vfs = vfs;
    opened->streams = (flags & REF_O_WRITE) && (flags & REF_O_SEQUENTIAL);
    opened->begun = 0;
    opened->fd = UNINTERRUPTED(int, open(path, system_flags, (mode_t)mode));
    if (opened->fd < 0) {
        int error = errno;
        free(opened);
        return error;
    }
    if ((flags & REF_O_SEQUENTIAL) && !opened->streams) {
        (void)posix_fadvise(opened->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    *out = &opened->file;
    return 0;
}

static int posix_close(ref_file *file)
{
    /* Linux has let go of the descriptor even when it says EINTR: a second close could hit another
     * thread's file. */
    int error = result_of(close(fd_of(file)));
    free(file);
    return error == EINTR ? 0 : error;
}

static int posix_pread(ref_file *file, void *buffer, size_t size, uint64_t offset, size_t *done)
{
    *done = 0;
    if (!range_fits(offset, size)) {
        return EINVAL;
    }
    ssize_t moved = UNINTERRUPTED(ssize_t, pread(fd_of(file), buffer, size, (off_t)offset));
    if (moved < 0) {
        return errno;
    }
    *done = (size_t)moved;
    return 0;
}

/* Only begins: nothing is waited for, and an error of the disk is left for the sync to report. */
static void begin_write_back(posix_file *file, uint64_t end)
{
    if (end < file->begun) {
        file->begun = 0; /* it was not the front to the back: start over */
    }
    if (end - file->begun >= WRITE_BACK_UNIT) {
        (void)sync_file_range(
            file->fd, (off_t)file->begun, (off_t)(end - file->begun), SYNC_FILE_RANGE_WRITE);
        file->begun = end;
    }
}

static int posix_pwrite(
    ref_file *file, const void *buffer, size_t size, uint64_t offset, size_t *done)
{
    *done = 0;
    if (!range_fits(offset, size)) {
        return EFBIG;
    }
    ssize_t moved = UNINTERRUPTED(ssize_t, pwrite(fd_of(file), buffer, size, (off_t)offset));
    if (moved < 0) {
        return errno;
    }
    *done = (size_t)moved;
    posix_file *opened = (posix_file *)(void *)file;
    if (opened->streams) {
        begin_write_back(opened, offset + *done);
    }
    return 0;
}

static int posix_fsync(ref_file *file)
{
    /* fdatasync leaves out the times, but not the size. */
    return result_of(UNINTERRUPTED(int, fdatasync(fd_of(file))));
}

static int posix_truncate(ref_file *file, uint64_t size)
{
    if (!range_fits(size, 0)) {
        return EFBIG;
    }
    return result_of(UNINTERRUPTED(int, ftruncate(fd_of(file), (off_t)size)));
}

static int posix_lock(ref_file *file, uint64_t offset, uint64_t size, ref_lock kind)
{
    if (!range_fits(offset, size)) {
        return EINVAL;
    }
    short type = F_UNLCK;
    if (kind != REF_LOCK_NONE) {
        type = kind == REF_LOCK_SHARED ? F_RDLCK : F_WRLCK;
    }
    struct flock lock = {
        .l_type = type,
        .l_whence = SEEK_SET,
        .l_start = (off_t)offset,
        .l_len = (off_t)size,
    };
    int error = result_of(UNINTERRUPTED(int, fcntl(fd_of(file), F_OFD_SETLK, &lock)));
    return error == EACCES ? EAGAIN : error;
}

static int posix_allocate(ref_file *file, uint64_t offset, uint64_t size)
{
    if (!range_fits(offset, size)) {
        return EFBIG;
    }
    /* The size stays: a reader must not take reserved space for content. */
    return result_of(UNINTERRUPTED(
        int, fallocate(fd_of(file), FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size)));
}

/* ---- names ---- */

static ref_file_kind kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return REF_KIND_FILE;
    case S_IFDIR:
        return REF_KIND_DIRECTORY;
    case S_IFLNK:
        return REF_KIND_SYMLINK;
    default:
        return REF_KIND_OTHER;
    }
}

static int stat_result(int value, const struct stat *from, ref_stat *out)
{
    if (value < 0) {
        int error = errno;
        memset(out, 0, sizeof *out);
        return error;
    }
    out->kind = kind_of(from->st_mode);
    out->size = (uint64_t)from->st_size;
    out->device = (uint64_t)from->st_dev;
    out->inode = (uint64_t)from->st_ino;
    out->mode = (uint32_t)(from->st_mode & 07777);
    return 0;
}

static int posix_fstat(ref_file *file, ref_stat *out)
{
    struct stat found;
    return stat_result(fstat(fd_of(file), &found), &found, out);
}

static int posix_stat(ref_vfs *vfs, const char *path, ref_stat *out)
{
    (void)vfs;
    struct stat found;
    return stat_result(stat(path, &found), &found, out);
}

static int posix_lstat(ref_vfs *vfs, const char *path, ref_stat *out)
{
    (void)vfs;
    struct stat found;
    return stat_result(lstat(path, &found), &found, out);
}

static int posix_list(ref_vfs *vfs, const char *path, ref_list_fn each, void *context)
{
    (void)vfs;
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return errno;
    }
    int error = 0;
    while (error == 0) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            error = errno;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            error = each(context, entry->d_name);
        }
    }
    closedir(dir);
    return error;
}

static int posix_mkdir(ref_vfs *vfs, const char *path, uint32_t mode)
{
    (void)vfs;
    return result_of(mkdir(path, (mode_t)mode));
}

static int posix_rmdir(ref_vfs *vfs, const char *path)
{
    (void)vfs;
    return result_of(rmdir(path));
}

static int posix_unlink(ref_vfs *vfs, const char *path)
{
    (void)vfs;
    return result_of(unlink(path));
}

/* For file systems without RENAME_NOREPLACE: link() refuses to replace, too. */
static int rename_by_link(const char *from, const char *to)
{
    if (link(from, to) < 0) {
        return errno;
    }
    if (unlink(from) < 0) {
        int error = errno;
        (void)unlink(to);
        return error;
    }
    return 0;
}

static int posix_rename(ref_vfs *vfs, const char *from, const char *to, bool exclusive)
{
    (void)vfs;
    if (!exclusive) {
        return result_of(rename(from, to));
    }
    int error = result_of(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
    return error == EINVAL || error == ENOSYS ? rename_by_link(from, to) : error;
}

static int posix_fsync_dir(ref_vfs *vfs, const char *path)
{
    (void)vfs;
    int fd = UNINTERRUPTED(int, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0) {
        return errno;
    }
    int error = result_of(UNINTERRUPTED(int, fsync(fd)));
    close(fd);
    return error;
}

static int posix_resolve(ref_vfs *vfs, const char *path, char *out, size_t size)
{
    (void)vfs;
    if (size > 0) {
        out[0] = '\0';
    }
    char *resolved = realpath(path, NULL);
    if (resolved == NULL) {
        return errno;
    }
    size_t length = strlen(resolved);
    int error = length < size ? 0 : ERANGE;
    if (error == 0) {
        memcpy(out, resolved, length + 1);
    }
    free(resolved);
    return error;
}

/* ---- time and chance ---- */

static uint64_t posix_now(ref_vfs *vfs)
{
    (void)vfs;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void posix_sleep(ref_vfs *vfs, uint64_t nanoseconds)
{
    (void)vfs;
    struct timespec left = {
        .tv_sec = (time_t)(nanoseconds / 1000000000u),
        .tv_nsec = (long)(nanoseconds % 1000000000u),
    };
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

static int posix_random(ref_vfs *vfs, void *buffer, size_t size)
{
    (void)vfs;
    uint8_t *at = buffer;
    while (size > 0) {
        ssize_t got = UNINTERRUPTED(ssize_t, getrandom(at, size, 0));
        if (got < 0) {
            return errno;
        }
        at += got;
        size -= (size_t)got;
    }
    return 0;
}

ref_vfs *ref_vfs_posix(void)
{
    static ref_vfs vfs = {
        .version = 1,
        .open = posix_open,
        .close = posix_close,
        .pread = posix_pread,
        .pwrite = posix_pwrite,
        .fsync = posix_fsync,
        .truncate = posix_truncate,
        .fstat = posix_fstat,
        .lock = posix_lock,
        .allocate = posix_allocate,
        .stat = posix_stat,
        .lstat = posix_lstat,
        .list = posix_list,
        .mkdir = posix_mkdir,
        .rmdir = posix_rmdir,
        .unlink = posix_unlink,
        .rename = posix_rename,
        .fsync_dir = posix_fsync_dir,
        .resolve = posix_resolve,
        .now = posix_now,
        .sleep = posix_sleep,
        .random = posix_random,
    };
    return &vfs;
}
