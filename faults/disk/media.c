/* Faults of the medium: they lie over the content and are taken away without a trace. */
#include "internal.h"

#include <errno.h>
#include <string.h>

int fault_media_read(const fault_inode *inode, uint64_t offset, uint8_t *bytes, size_t size)
{
    uint64_t end = offset + size;
    for (uint32_t i = 0; i < inode->media_count; i++) {
        const fault_medium *fault = &inode->media[i];
        uint64_t from = fault->offset > offset ? fault->offset : offset;
        uint64_t to = fault->offset + fault->size < end ? fault->offset + fault->size : end;
        if (from >= to) {
            continue;
        }
        switch (fault->kind) {
        case FAULT_MEDIUM_FLIP:
            bytes[from - offset] ^= (uint8_t)(1u << fault->bit);
            break;
        case FAULT_MEDIUM_ZERO:
            memset(bytes + (from - offset), 0, (size_t)(to - from));
            break;
        case FAULT_MEDIUM_UNREADABLE:
            return EIO;
        }
    }
    return 0;
}

void fault_media_add(fault_inode *inode, const fault_medium *fault)
{
    inode->media =
        fault_grow(inode->media, inode->media_count, &inode->media_room, sizeof *inode->media);
    inode->media[inode->media_count++] = *fault;
}

void fault_media_written(fault_inode *inode, uint64_t offset, uint64_t end)
{
    for (uint32_t i = inode->media_count; i-- > 0;) {
        fault_medium fault = inode->media[i];
        uint64_t behind = fault.offset + fault.size;
        if (fault.offset >= end || behind <= offset) {
            continue;
        }
        inode->media[i] = inode->media[--inode->media_count];
        if (fault.offset < offset) {
            fault_medium before = fault;
            before.size = offset - fault.offset;
            fault_media_add(inode, &before);
        }
        if (behind > end) {
            fault.offset = end;
            fault.size = behind - end;
            fault_media_add(inode, &fault);
        }
    }
}
