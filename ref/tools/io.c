/* A vfs in front of another one: counts, paces, stops, and keeps looking from changing. */
#include "io.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define SYNC_EVERY (32u << 20) /* bytes */
#define SLICE 100000000u       /* nanoseconds; how long a sleep does not look for a signal */
#define MARKER "__backup.incomplete"

typedef struct io_file {
    ref_file file;
    tool_io *io;
    ref_file *next;
    bool output;
    const char *stoppable; /* what io->stoppable was when it was opened, if the path began so */
    uint64_t unsynced;
} io_file;

/* ---- signals ---- */

static volatile sig_atomic_t caught;

static void note_signal(int number)
{
    caught = number;
}

void tool_signals_catch(void)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int tool_signal(void)
{
    return caught;
}

/* ---- stopping, counting, pacing ---- */

static tool_io *io_of(ref_vfs *vfs)
{
    return vfs->self;
}

static io_file *file_of(ref_file *file)
{
    return (io_file *)(void *)file;
}

static bool stopped(const io_file *file)
{
    return caught != 0 && file->stoppable != NULL && file->stoppable == file->io->stoppable &&
           !file->io->past_return;
}

static bool begins_with(const char *path, const char *prefix)
{
    return prefix != NULL && strncmp(path, prefix, strlen(prefix)) == 0;
}

static void count(tool_io *io, bool output, uint64_t bytes)
{
    if (io->progress != NULL && (output || io->count_all)) {
        tool_progress_add(io->progress, bytes);
    }
}

/* Sleeps until the bytes written so far are what the rate allows. */
static void pace(tool_io *io, size_t bytes)
{
    if (io->rate == 0) {
        return;
    }
    if (io->paced_from == 0) {
        io->paced_from = io->next->now(io->next);
    }
    io->paced_bytes += bytes;
    uint64_t wanted = (uint64_t)((double)io->paced_bytes / (double)io->rate * 1e9);
    while (caught == 0) {
        uint64_t elapsed = io->next->now(io->next) - io->paced_from;
        /* A clock that was set back or far ahead begins a new stretch. */
        if (elapsed >= wanted || elapsed > UINT64_MAX / 2) {
            break;
        }
        count(io, true, 0);
        io->next->sleep(io->next, wanted - elapsed < SLICE ? wanted - elapsed : SLICE);
    }
}

/* ---- open files ---- */

static int io_open(ref_vfs *vfs, const char *path, unsigned flags, uint32_t mode, ref_file **out)
{
    tool_io *io = io_of(vfs);
    const char *base = strrchr(path, '/');

    *out = NULL;
    if (io->read_only && (flags & (REF_O_WRITE | REF_O_CREATE | REF_O_TRUNC))) {
        return EACCES;
    }
    io_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return ENOMEM;
    }
    file->file.vfs = vfs;
    file->io = io;
    file->output = (flags & REF_O_WRITE) && begins_with(path, io->output);
    file->stoppable = begins_with(path, io->stoppable) ? io->stoppable : NULL;
    int error = io->next->open(io->next, path, flags, mode, &file->next);
    if (error != 0) {
        free(file);
        return error;
    }
    if (file->output && strcmp(base != NULL ? base + 1 : path, MARKER) == 0) {
        io->past_return = true;
    }
    *out = &file->file;
    return 0;
}

static int io_close(ref_file *file)
{
    io_file *mine = file_of(file);
    int error = mine->next->vfs->close(mine->next);
    free(mine);
    return error;
}

static int io_pread(ref_file *file, void *buffer, size_t size, uint64_t offset, size_t *done)
{
    io_file *mine = file_of(file);
    *done = 0;
    if (stopped(mine)) {
        return ECANCELED;
    }
    int error = mine->next->vfs->pread(mine->next, buffer, size, offset, done);
    count(mine->io, false, *done);
    return error;
}

static int io_pwrite(ref_file *file, const void *buffer, size_t size, uint64_t offset, size_t *done)
{
    io_file *mine = file_of(file);
    *done = 0;
    if (stopped(mine)) {
        return ECANCELED;
    }
    int error = mine->next->vfs->pwrite(mine->next, buffer, size, offset, done);
    count(mine->io, mine->output, *done);
    if (error != 0 || !mine->output) {
        return error;
    }
    pace(mine->io, *done);
    mine->unsynced += *done;
    if (mine->unsynced >= SYNC_EVERY) {
        mine->unsynced = 0;
        error = mine->next->vfs->fsync(mine->next);
    }
    *done = error == 0 ? *done : 0;
    return error;
}

static int io_fsync(ref_file *file)
{
    io_file *mine = file_of(file);
    return stopped(mine) ? ECANCELED : mine->next->vfs->fsync(mine->next);
}

static int io_truncate(ref_file *file, uint64_t size)
{
    io_file *mine = file_of(file);
    return mine->next->vfs->truncate(mine->next, size);
}

static int io_fstat(ref_file *file, ref_stat *out)
{
    io_file *mine = file_of(file);
    return mine->next->vfs->fstat(mine->next, out);
}

static int io_lock(ref_file *file, uint64_t offset, uint64_t size, ref_lock kind)
{
    io_file *mine = file_of(file);
    return mine->next->vfs->lock(mine->next, offset, size, kind);
}

static int io_allocate(ref_file *file, uint64_t offset, uint64_t size)
{
    io_file *mine = file_of(file);
    ref_vfs *next = mine->next->vfs;
    return next->allocate != NULL ? next->allocate(mine->next, offset, size) : 0;
}

/* ---- names ---- */

static int io_stat(ref_vfs *vfs, const char *path, ref_stat *out)
{
    return io_of(vfs)->next->stat(io_of(vfs)->next, path, out);
}

static int io_lstat(ref_vfs *vfs, const char *path, ref_stat *out)
{
    return io_of(vfs)->next->lstat(io_of(vfs)->next, path, out);
}

/* Listing is what planning a backup does all the time. */
static int io_list(ref_vfs *vfs, const char *path, ref_list_fn each, void *context)
{
    tool_io *io = io_of(vfs);
    if (caught != 0 && io->stoppable != NULL && !io->past_return) {
        return ECANCELED;
    }
    return io->next->list(io->next, path, each, context);
}

static int io_mkdir(ref_vfs *vfs, const char *path, uint32_t mode)
{
    tool_io *io = io_of(vfs);
    return io->read_only ? EROFS : io->next->mkdir(io->next, path, mode);
}

static int io_rmdir(ref_vfs *vfs, const char *path)
{
    tool_io *io = io_of(vfs);
    return io->read_only ? EROFS : io->next->rmdir(io->next, path);
}

static int io_unlink(ref_vfs *vfs, const char *path)
{
    tool_io *io = io_of(vfs);
    return io->read_only ? EROFS : io->next->unlink(io->next, path);
}

static int io_rename(ref_vfs *vfs, const char *from, const char *to, bool exclusive)
{
    tool_io *io = io_of(vfs);
    return io->read_only ? EROFS : io->next->rename(io->next, from, to, exclusive);
}

static int io_fsync_dir(ref_vfs *vfs, const char *path)
{
    return io_of(vfs)->next->fsync_dir(io_of(vfs)->next, path);
}

static int io_resolve(ref_vfs *vfs, const char *path, char *out, size_t size)
{
    return io_of(vfs)->next->resolve(io_of(vfs)->next, path, out, size);
}

/* ---- time and chance ---- */

static uint64_t io_now(ref_vfs *vfs)
{
    return io_of(vfs)->next->now(io_of(vfs)->next);
}

static void io_sleep(ref_vfs *vfs, uint64_t nanoseconds)
{
    tool_io *io = io_of(vfs);
    while (nanoseconds > 0 && (caught == 0 || io->stoppable == NULL)) {
        uint64_t part = nanoseconds < SLICE ? nanoseconds : SLICE;
        io->next->sleep(io->next, part);
        nanoseconds -= part;
    }
}

static int io_random(ref_vfs *vfs, void *buffer, size_t size)
{
    return io_of(vfs)->next->random(io_of(vfs)->next, buffer, size);
}

void tool_io_init(tool_io *io, ref_vfs *next)
{
    *io = (tool_io){.next = next != NULL ? next : ref_default_vfs()};
    io->vfs = (ref_vfs){.version = 1,
        .self = io,
        .open = io_open,
        .close = io_close,
        .pread = io_pread,
        .pwrite = io_pwrite,
        .fsync = io_fsync,
        .truncate = io_truncate,
        .fstat = io_fstat,
        .lock = io_lock,
        .allocate = io_allocate,
        .stat = io_stat,
        .lstat = io_lstat,
        .list = io_list,
        .mkdir = io_mkdir,
        .rmdir = io_rmdir,
        .unlink = io_unlink,
        .rename = io_rename,
        .fsync_dir = io_fsync_dir,
        .resolve = io_resolve,
        .now = io_now,
        .sleep = io_sleep,
        .random = io_random};
}

void tool_io_free(tool_io *io)
{
    free(io->output);
    io->output = NULL;
}

void tool_io_begin_output(tool_io *io, const char *directory, uint64_t rate)
{
    free(io->output);
    io->output = tool_format("%s/", directory);
    io->rate = rate;
    io->past_return = false;
}

void tool_io_end_output(tool_io *io)
{
    free(io->output);
    io->output = NULL;
    io->rate = 0;
    io->past_return = false;
}

void tool_io_stoppable(tool_io *io, const char *prefix)
{
    io->stoppable = prefix;
}
