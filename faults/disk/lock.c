/* Locks of byte ranges, which belong to the open file. */
#include "internal.h"

#include <errno.h>

static void add(fault_disk *disk, const fault_lock *lock)
{
    if (lock->start < lock->end) {
        disk->locks =
            fault_grow(disk->locks, disk->lock_count, &disk->lock_room, sizeof *disk->locks);
        disk->locks[disk->lock_count++] = *lock;
    }
}

static bool overlap(const fault_lock *lock, uint64_t start, uint64_t end)
{
    return lock->start < end && lock->end > start;
}

/* Takes the file's own locks of the range away; parts beside it stay. */
static void carve(fault_disk *disk, const fault_file *file, uint64_t start, uint64_t end)
{
    for (uint32_t i = disk->lock_count; i-- > 0;) {
        fault_lock lock = disk->locks[i], rest = lock;
        if (lock.file != file || !overlap(&lock, start, end)) {
            continue;
        }
        disk->locks[i] = disk->locks[--disk->lock_count];
        rest.end = start;
        add(disk, &rest);
        rest = lock;
        rest.start = end;
        add(disk, &rest);
    }
}

void fault_locks_release(fault_disk *disk, const fault_file *file)
{
    carve(disk, file, 0, UINT64_MAX);
}

static int set(fault_disk *disk, const fault_file *file, const fault_lock *lock)
{
    for (uint32_t i = 0; i < disk->lock_count; i++) {
        const fault_lock *other = &disk->locks[i];
        if (other->slot == lock->slot && other->file != file &&
            overlap(other, lock->start, lock->end) && (other->exclusive || lock->exclusive)) {
            return EAGAIN;
        }
    }
    carve(disk, file, lock->start, lock->end);
    add(disk, lock);
    return 0;
}

int fault_vfs_lock(ref_file *opened, uint64_t offset, uint64_t size, ref_lock kind)
{
    const fault_file *file = (const fault_file *)(const void *)opened;
    fault_call call = {
        .disk = file->disk,
        .op = {.op = FAULT_OP_LOCK,
            .path = file->path,
            .inode = file->inode,
            .offset = offset,
            .size = size},
    };
    int error;
    if (fault_begin(&call, &error)) {
        bool fits = offset <= INT64_MAX && size <= (uint64_t)INT64_MAX - offset;
        fault_lock lock = {
            .file = file,
            .slot = file->slot,
            .exclusive = kind == REF_LOCK_EXCLUSIVE,
            .start = offset,
            .end = size == 0 ? UINT64_MAX : offset + size, /* 0: to the end, as fcntl has it */
        };
        if (!fits) {
            error = EINVAL;
        } else if (lock.exclusive && !file->writable) {
            error = EBADF;
        } else if (kind == REF_LOCK_NONE) {
            carve(call.disk, file, lock.start, lock.end);
        } else {
            error = set(call.disk, file, &lock);
        }
    }
    return fault_end(&call, error);
}
