/* The default vfs, and reading and writing until all is moved. */
#include "vfs.h"

#include <errno.h>
#include <stdatomic.h>

static _Atomic(ref_vfs *) chosen_vfs;

ref_vfs *ref_default_vfs(void)
{
    ref_vfs *vfs = atomic_load(&chosen_vfs);
    return vfs != NULL ? vfs : ref_vfs_posix();
}

void ref_set_default_vfs(ref_vfs *vfs)
{
    atomic_store(&chosen_vfs, vfs);
}

int ref_read_full(ref_file *file, void *buffer, size_t size, uint64_t offset, size_t *done)
{
    uint8_t *at = buffer;
    *done = 0;
    while (*done < size) {
        size_t part = 0;
        int error = file->vfs->pread(file, at + *done, size - *done, offset + *done, &part);
        if (error != 0) {
            *done = 0;
            return error;
        }
        if (part == 0) {
            break;
        }
        *done += part;
    }
    return 0;
}

int ref_write_full(ref_file *file, const void *buffer, size_t size, uint64_t offset)
{
    const uint8_t *at = buffer;
    size_t written = 0;
    while (written < size) {
        size_t part = 0;
        int error = file->vfs->pwrite(file, at + written, size - written, offset + written, &part);
        if (error != 0) {
            return error;
        }
        if (part == 0) {
            return EIO;
        }
        written += part;
    }
    return 0;
}
