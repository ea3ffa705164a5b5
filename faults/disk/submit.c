/*
 * Asynchronous writes. The plan decides when one is submitted, since that is the order in which the
 * program counts them; it is carried out and traced when it completes, and which one completes next
 * is drawn by the seed.
 */
#include "internal.h"

#include <errno.h>

int fault_vfs_submit(
    ref_file *opened, const void *bytes, size_t size, uint64_t offset, uint64_t tag)
{
    fault_file *file = (fault_file *)(void *)opened;
    fault_disk *disk = file->disk;
    fault_call call = {
        .disk = disk,
        .op = {.op = FAULT_OP_WRITE,
            .path = file->path,
            .inode = file->inode,
            .offset = offset,
            .size = size,
            .data = bytes},
    };
    int error = 0;
    fault_begin(&call, &error);
    disk->submitted = fault_grow(disk->submitted, disk->submitted_count, &disk->submitted_room,
        sizeof *disk->submitted);
    disk->submitted[disk->submitted_count++] = (fault_submitted){
        .file = file,
        .bytes = bytes,
        .size = size,
        .offset = offset,
        .tag = tag,
        .thread = call.op.thread,
        .decision = call.decision,
        .error = error,
    };
    pthread_mutex_unlock(&disk->mutex);
    return 0;
}

/* Carries one out, and traces it; gives the mutex back. */
static int complete(fault_disk *disk, uint32_t index, size_t *done)
{
    fault_submitted one = disk->submitted[index];
    fault_call call = {
        .disk = disk,
        .op = {.op = FAULT_OP_WRITE,
            .thread = one.thread,
            .path = one.file->path,
            .inode = one.file->inode,
            .offset = one.offset,
            .size = one.size,
            .data = one.bytes},
        .decision = one.decision,
    };
    int error = disk->dead ? EIO : one.error;
    disk->submitted[index] = disk->submitted[--disk->submitted_count];
    *done = 0;
    if (error == 0) {
        error = !one.file->writable ? EBADF
                                    : fault_write_decided(disk, &disk->inodes[one.file->slot],
                                          &one.decision, one.bytes, one.size, one.offset, done);
    }
    call.done = *done;
    return fault_end(&call, error);
}

int fault_vfs_reap(ref_vfs *vfs, uint64_t *tag, int *result, size_t *done)
{
    fault_disk *disk = vfs->self;
    fault_enter(disk);
    *done = 0;
    if (disk->submitted_count == 0) {
        pthread_mutex_unlock(&disk->mutex);
        return EAGAIN;
    }
    uint32_t index = (uint32_t)(fault_next_random(&disk->shuffle) % disk->submitted_count);
    *tag = disk->submitted[index].tag;
    *result = complete(disk, index, done);
    return 0;
}

/* A file that is closed with writes under way loses them. */
void fault_submitted_release(fault_disk *disk, const fault_file *file)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < disk->submitted_count; i++) {
        if (disk->submitted[i].file != file) {
            disk->submitted[kept++] = disk->submitted[i];
        }
    }
    disk->submitted_count = kept;
}
