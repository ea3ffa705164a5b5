/* The vfs: open files, time and chance. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH 1577836800000000000u /* where the clock begins: 2020-01-01 */

static fault_file *file_of(ref_file *file)
{
    return (fault_file *)(void *)file;
}

static fault_inode *inode_of(const fault_file *file)
{
    return &file->disk->inodes[file->slot];
}

static bool range_fits(uint64_t offset, uint64_t size)
{
    return offset <= INT64_MAX && size <= (uint64_t)INT64_MAX - offset;
}

static bool file_fits(uint64_t offset, uint64_t size)
{
    return offset <= FAULT_FILE_MAX && size <= FAULT_FILE_MAX - offset;
}

/* ---- opening ---- */

static void attach(fault_disk *disk, fault_file *file, uint32_t slot, unsigned flags)
{
    file->file.vfs = &disk->vfs;
    file->disk = disk;
    file->slot = slot;
    file->inode = disk->inodes[slot].number;
    file->writable = (flags & REF_O_WRITE) != 0;
    file->next = disk->files;
    file->at = &disk->files;
    if (file->next != NULL) {
        file->next->at = &file->next;
    }
    disk->files = file;
    disk->inodes[slot].opens++;
}

/* What the flags say about what is there. */
static int allowed(const fault_disk *disk, const fault_where *where, unsigned flags)
{
    if (where->slot == FAULT_NOWHERE) {
        return (flags & REF_O_CREATE) == 0 ? ENOENT : where->slash ? EISDIR : 0;
    }
    if ((flags & REF_O_CREATE) != 0 && (flags & REF_O_EXCL) != 0) {
        return EEXIST;
    }
    bool changing = (flags & (REF_O_WRITE | REF_O_CREATE | REF_O_TRUNC)) != 0;
    return disk->inodes[where->slot].kind == REF_KIND_DIRECTORY && changing ? EISDIR : 0;
}

static void open_at(
    fault_call *call, const fault_where *where, unsigned flags, uint32_t mode, fault_file *file)
{
    fault_disk *disk = call->disk;
    uint32_t slot = where->slot;
    bool lost = call->decision.action == FAULT_DO_LOSE;
    if (slot == FAULT_NOWHERE) {
        slot = fault_inode_new(disk, REF_KIND_FILE, mode & 07777, where->path);
        if (!lost) {
            fault_name_change(disk, where->dir, ++disk->order, NULL, where->name, slot);
        }
    }
    attach(disk, file, slot, flags);
    call->op.inode = file->inode;
    if ((flags & REF_O_TRUNC) != 0 && !lost) {
        fault_inode_truncate(disk, inode_of(file), 0);
    }
}

static int disk_open(ref_vfs *vfs, const char *path, unsigned flags, uint32_t mode, ref_file **out)
{
    fault_disk *disk = vfs->self;
    fault_where where = {.slot = FAULT_NOWHERE};
    int found = EIO, error;
    *out = NULL;
    if (fault_enter(disk)) {
        found = fault_walk(disk, path, &where);
        found = found == 0 ? allowed(disk, &where, flags) : found;
    }
    bool creates = found == 0 && where.slot == FAULT_NOWHERE;
    fault_call call = {
        .disk = disk,
        .op = {.op = creates ? FAULT_OP_CREATE : FAULT_OP_OPEN, .path = where.path},
    };
    if (where.slot != FAULT_NOWHERE) {
        call.op.inode = disk->inodes[where.slot].number;
    }
    if (fault_decide(&call, &error)) {
        error = found;
    }
    if (error == 0) {
        fault_file *file = fault_need_zeroed(sizeof *file);
        file->path = fault_need(strdup(where.path));
        open_at(&call, &where, flags, mode, file);
        *out = &file->file;
    }
    return fault_end(&call, error);
}

void fault_file_close(fault_file *file)
{
    fault_disk *disk = file->disk;
    fault_inode *inode = inode_of(file);
    fault_locks_release(disk, file);
    fault_submitted_release(disk, file);
    inode->opens--;
    *file->at = file->next;
    if (file->next != NULL) {
        file->next->at = file->at;
    }
    free(file->path);
    free(file);
    if (disk->garbage) {
        fault_inode_collect(disk);
    }
}

static int disk_close(ref_file *opened)
{
    fault_file *file = file_of(opened);
    char *path = fault_need(strdup(file->path));
    fault_call call = {
        .disk = file->disk,
        .op = {.op = FAULT_OP_CLOSE, .path = path, .inode = file->inode},
    };
    int error;
    fault_begin(&call, &error);
    call.disk->garbage = true;
    fault_file_close(file);
    error = fault_end(&call, error);
    free(path);
    return error;
}

/* ---- reading and writing ---- */

static int read_decided(fault_call *call, fault_inode *inode, uint8_t *buffer, size_t size)
{
    const fault_decision *decision = &call->decision;
    fault_disk *disk = call->disk;
    uint64_t offset = call->op.offset, bit = (uint64_t)decision->amount;
    if (decision->action == FAULT_DO_SHORT && (uint64_t)decision->amount < size) {
        size = (size_t)decision->amount;
    }
    size_t done = fault_inode_read(
        disk, inode, offset, buffer, size, decision->action == FAULT_DO_STALE);
    if (decision->action == FAULT_DO_FLIP_MEDIUM && done > 0) {
        bit %= (uint64_t)done * 8;
        fault_media_add(inode, &(fault_medium){.kind = FAULT_MEDIUM_FLIP,
                                   .offset = offset + bit / 8,
                                   .size = 1,
                                   .bit = (unsigned)(bit % 8)});
    }
    if (inode->media_count > 0 && fault_media_read(inode, offset, buffer, done) != 0) {
        return EIO;
    }
    if (decision->action == FAULT_DO_FLIP_READ && done > 0) {
        bit %= (uint64_t)done * 8;
        buffer[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    call->done = done;
    return 0;
}

static int disk_pread(ref_file *opened, void *buffer, size_t size, uint64_t offset, size_t *done)
{
    fault_file *file = file_of(opened);
    fault_call call = {
        .disk = file->disk,
        .op = {.op = FAULT_OP_READ,
            .path = file->path,
            .inode = file->inode,
            .offset = offset,
            .size = size},
    };
    int error;
    *done = 0;
    if (fault_begin(&call, &error)) {
        if (!range_fits(offset, size)) {
            error = EINVAL;
        } else if (inode_of(file)->kind == REF_KIND_DIRECTORY) {
            error = EISDIR;
        } else {
            error = read_decided(&call, inode_of(file), buffer, size);
        }
    }
    *done = (size_t)call.done;
    return fault_end(&call, error);
}

/* Of the sectors of a write those of the mask; neighbours together. */
static void write_torn(fault_disk *disk, fault_inode *inode, uint64_t mask, const uint8_t *bytes,
    size_t size, uint64_t offset)
{
    uint64_t end = offset + size, from = offset;
    for (uint64_t at = offset; at < end;) {
        uint64_t next = at - at % FAULT_SECTOR + FAULT_SECTOR;
        uint64_t number = at / FAULT_SECTOR - offset / FAULT_SECTOR;
        bool kept = (mask >> (number < 63 ? number : 63) & 1) != 0;
        next = next < end ? next : end;
        if (!kept || next == end) {
            uint64_t to = kept ? next : at;
            fault_inode_write(disk, inode, from, bytes + (from - offset), (size_t)(to - from));
            from = next;
        }
        at = next;
    }
}

int fault_write_decided(fault_disk *disk, fault_inode *inode, const fault_decision *decision,
    const void *bytes, size_t size, uint64_t offset, size_t *done)
{
    if (decision->action == FAULT_DO_MISDIRECT) {
        uint64_t back = (uint64_t)-decision->amount;
        offset = decision->amount >= 0 ? offset + (uint64_t)decision->amount
                 : back < offset       ? offset - back
                                       : 0;
    }
    if (decision->action == FAULT_DO_SHORT && (uint64_t)decision->amount < size) {
        size = (size_t)decision->amount;
    }
    if (decision->action == FAULT_DO_LOSE) {
        *done = size;
        return 0;
    }
    if (!file_fits(offset, size)) {
        return EFBIG;
    }
    size_t fits = fault_inode_fits(disk, inode, offset, size);
    if (fits == 0 && size > 0) {
        return ENOSPC;
    }
    if (decision->action == FAULT_DO_TORN) {
        write_torn(disk, inode, decision->mask, bytes, fits, offset);
    } else {
        fault_inode_write(disk, inode, offset, bytes, fits);
    }
    *done = fits;
    return 0;
}

static int disk_pwrite(
    ref_file *opened, const void *buffer, size_t size, uint64_t offset, size_t *done)
{
    fault_file *file = file_of(opened);
    fault_call call = {
        .disk = file->disk,
        .op = {.op = FAULT_OP_WRITE,
            .path = file->path,
            .inode = file->inode,
            .offset = offset,
            .size = size,
            .data = buffer},
    };
    int error;
    *done = 0;
    if (fault_begin(&call, &error)) {
        error = !file->writable ? EBADF
                                : fault_write_decided(call.disk, inode_of(file), &call.decision,
                                      buffer, size, offset, done);
    }
    call.done = *done;
    return fault_end(&call, error);
}

static int disk_truncate(ref_file *opened, uint64_t size)
{
    fault_file *file = file_of(opened);
    fault_call call = {
        .disk = file->disk,
        .op = {.op = FAULT_OP_TRUNCATE, .path = file->path, .inode = file->inode, .offset = size},
    };
    int error;
    if (fault_begin(&call, &error)) {
        error = !file_fits(size, 0) ? EFBIG : !file->writable ? EINVAL : 0;
        if (error == 0 && call.decision.action != FAULT_DO_LOSE) {
            fault_inode_truncate(call.disk, inode_of(file), size);
        }
    }
    return fault_end(&call, error);
}

static int disk_allocate(ref_file *opened, uint64_t offset, uint64_t size)
{
    fault_file *file = file_of(opened);
    fault_call call = {
        .disk = file->disk,
        .op = {.op = FAULT_OP_ALLOCATE,
            .path = file->path,
            .inode = file->inode,
            .offset = offset,
            .size = size},
    };
    int error;
    if (fault_begin(&call, &error)) {
        error = !file_fits(offset, size) ? EFBIG : !file->writable ? EBADF : 0;
        if (error == 0 && fault_inode_fits(call.disk, inode_of(file), offset, size) < size) {
            error = ENOSPC;
        }
        if (error == 0) {
            fault_inode_allocate(call.disk, inode_of(file), offset, size);
        }
    }
    return fault_end(&call, error);
}

static int disk_fsync(ref_file *opened)
{
    fault_file *file = file_of(opened);
    fault_call call = {
        .disk = file->disk,
        .op = {.op = FAULT_OP_SYNC, .path = file->path, .inode = file->inode},
    };
    int error;
    fault_barrier(call.disk);
    if (fault_begin(&call, &error)) {
        error = fault_sync_decided(&call, inode_of(file));
    }
    return fault_end(&call, error);
}

static int disk_fstat(ref_file *opened, ref_stat *out)
{
    fault_file *file = file_of(opened);
    fault_call call = {
        .disk = file->disk,
        .op = {.op = FAULT_OP_STAT, .path = file->path, .inode = file->inode},
    };
    int error;
    *out = (ref_stat){0};
    if (fault_begin(&call, &error)) {
        fault_stat(call.disk, file->slot, out);
    }
    return fault_end(&call, error);
}

/* ---- time and chance ---- */

static uint64_t disk_now(ref_vfs *vfs)
{
    fault_disk *disk = vfs->self;
    pthread_mutex_lock(&disk->mutex);
    uint64_t now = EPOCH + disk->clock;
    pthread_mutex_unlock(&disk->mutex);
    return now;
}

static void disk_sleep(ref_vfs *vfs, uint64_t nanoseconds)
{
    fault_call call = {.disk = vfs->self, .op = {.op = FAULT_OP_SLEEP, .size = nanoseconds}};
    int error;
    fault_begin(&call, &error);
    call.disk->clock += nanoseconds;
    fault_end(&call, error);
}

static int disk_random(ref_vfs *vfs, void *buffer, size_t size)
{
    fault_call call = {.disk = vfs->self, .op = {.op = FAULT_OP_RANDOM, .size = size}};
    uint8_t *out = buffer;
    int error;
    if (fault_begin(&call, &error)) {
        for (size_t i = 0; i < size; i++) {
            out[i] = (uint8_t)fault_next_random(&call.disk->random);
        }
        call.done = size;
    }
    return fault_end(&call, error);
}

void fault_vfs_files(ref_vfs *vfs)
{
    vfs->open = disk_open;
    vfs->close = disk_close;
    vfs->pread = disk_pread;
    vfs->pwrite = disk_pwrite;
    vfs->fsync = disk_fsync;
    vfs->truncate = disk_truncate;
    vfs->fstat = disk_fstat;
    vfs->allocate = disk_allocate;
    vfs->now = disk_now;
    vfs->sleep = disk_sleep;
    vfs->random = disk_random;
}
