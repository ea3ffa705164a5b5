/* Files as processes see them: reading, writing, cutting, room. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

uint32_t fault_inode_new(fault_disk *disk, ref_file_kind kind, uint32_t mode, const char *path)
{
    uint32_t slot = 0;
    while (slot < disk->inode_count && disk->inodes[slot].number != 0) {
        slot++;
    }
    if (slot == disk->inode_count) {
        disk->inodes =
            fault_grow(disk->inodes, disk->inode_count, &disk->inode_room, sizeof *disk->inodes);
        disk->inode_count++;
    }
    disk->inodes[slot] = (fault_inode){
        .number = ++disk->number,
        .kind = (uint8_t)kind,
        .mode = mode,
        .path = fault_bytes_new(path, strlen(path)),
    };
    return slot;
}

void fault_inode_clear(fault_inode *inode)
{
    for (uint32_t i = 0; i < inode->count; i++) {
        fault_bytes_drop(inode->changes[i].bytes);
    }
    for (uint32_t i = 0; i < inode->rename_count; i++) {
        fault_bytes_drop(inode->renames[i].from);
        fault_bytes_drop(inode->renames[i].to);
    }
    fault_map_drop(inode->now);
    fault_map_drop(inode->base);
    fault_map_drop(inode->old);
    fault_table_drop(inode->names);
    fault_table_drop(inode->base_names);
    fault_bytes_drop(inode->path);
    free(inode->changes);
    free(inode->renames);
    free(inode->media);
    *inode = (fault_inode){0};
}

/* ---- garbage ---- */

static void mark(fault_disk *disk, uint32_t slot, uint32_t *stack, uint32_t *depth)
{
    fault_inode *inode = &disk->inodes[slot];
    if (!inode->marked) {
        inode->marked = true;
        stack[(*depth)++] = slot;
    }
}

static void mark_table(fault_disk *disk, const fault_table *table, uint32_t *stack, uint32_t *depth)
{
    for (uint32_t i = 0; table != NULL && i < table->count; i++) {
        mark(disk, table->at[i].slot, stack, depth);
    }
}

void fault_inode_mark(fault_disk *disk, bool certain)
{
    uint32_t *stack = fault_need(malloc((disk->inode_count + 1) * sizeof *stack)), depth = 0;
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        disk->inodes[slot].marked = false;
    }
    mark(disk, 0, stack, &depth);
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        if (disk->inodes[slot].opens > 0) {
            mark(disk, slot, stack, &depth);
        }
    }
    while (depth > 0) {
        const fault_inode *dir = &disk->inodes[stack[--depth]];
        mark_table(disk, dir->names, stack, &depth);
        mark_table(disk, certain ? dir->base_names : NULL, stack, &depth);
        for (uint32_t i = 0; certain && i < dir->rename_count; i++) {
            mark(disk, dir->renames[i].slot, stack, &depth);
        }
    }
    free(stack);
}

void fault_inode_collect(fault_disk *disk)
{
    fault_inode_mark(disk, true);
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        if (!disk->inodes[slot].marked && disk->inodes[slot].number != 0) {
            fault_inode_clear(&disk->inodes[slot]);
        }
    }
    disk->garbage = false;
}

/* ---- looking ---- */

/* The smallest size that the file can turn out to have. */
static uint64_t least_size(const fault_inode *inode)
{
    uint64_t least = inode->base_size;
    for (uint32_t i = 0; i < inode->count; i++) {
        const fault_change *change = &inode->changes[i];
        if (change->kind != FAULT_WRITTEN && (change->left & ~change->hidden) != 0 &&
            change->state != FAULT_PENDING && change->offset < least) {
            least = change->offset;
        }
    }
    return least;
}

uint64_t fault_inode_size(fault_disk *disk, fault_inode *inode)
{
    if (inode->unsized > 0) {
        fault_look_size(disk, inode);
    }
    return inode->size;
}

static void read_old(const fault_inode *inode, uint64_t offset, uint8_t *out, size_t size)
{
    while (size > 0) {
        size_t part = FAULT_BLOCK - (size_t)(offset % FAULT_BLOCK);
        part = part < size ? part : size;
        bool settled = fault_map_get(inode->old, (uint32_t)(offset / FAULT_BLOCK)) != NULL;
        fault_map_read(settled ? inode->old : inode->base, offset, out, part);
        out += part;
        offset += part;
        size -= part;
    }
}

size_t fault_inode_read(fault_disk *disk, fault_inode *inode, uint64_t offset, void *out,
    size_t size, bool stale)
{
    if (size == 0) {
        return 0;
    }
    if (inode->unsized == 0 || offset + size > least_size(inode)) {
        uint64_t end = fault_inode_size(disk, inode);
        if (offset >= end) {
            return 0;
        }
        size = end - offset < size ? (size_t)(end - offset) : size;
    }
    if (inode->undecided > 0) {
        fault_look_range(disk, inode, offset, offset + size);
    }
    if (stale) {
        read_old(inode, offset, out, size);
    } else {
        fault_map_read(inode->now, offset, out, size);
    }
    return size;
}

/* ---- changing ---- */

static fault_change *add_change(fault_inode *inode)
{
    inode->changes =
        fault_grow(inode->changes, inode->count, &inode->room, sizeof *inode->changes);
    return &inode->changes[inode->count++];
}

static void add_size(fault_inode *inode, uint64_t order, uint64_t size)
{
    *add_change(inode) = (fault_change){
        .order = order,
        .offset = size,
        .left = 1,
        .kind = size > inode->size ? FAULT_GROWN : FAULT_CUT,
    };
    inode->size = size;
}

static void add_written(fault_disk *disk, fault_inode *inode, uint64_t order, uint64_t offset,
    const uint8_t *bytes, uint64_t size)
{
    while (size > 0) {
        uint64_t most = (offset / disk->unit + 64) * disk->unit - offset;
        uint32_t part = (uint32_t)(size < most ? size : most);
        uint64_t units = (offset + part - 1) / disk->unit - offset / disk->unit + 1;
        *add_change(inode) = (fault_change){
            .order = order,
            .offset = offset,
            .left = units == 64 ? UINT64_MAX : ((uint64_t)1 << units) - 1,
            .bytes = fault_bytes_new(bytes, part),
            .size = part,
            .kind = FAULT_WRITTEN,
        };
        bytes += part;
        offset += part;
        size -= part;
    }
}

/* A page that counts as clean and is written again is dirty as a whole. */
static void add_pages(
    fault_disk *disk, fault_inode *inode, uint64_t order, uint64_t offset, uint64_t end)
{
    offset -= offset % FAULT_BLOCK;
    end += (FAULT_BLOCK - end % FAULT_BLOCK) % FAULT_BLOCK;
    end = end < inode->size ? end : inode->size;
    uint8_t *bytes = fault_need(malloc((size_t)(end - offset)));
    fault_look_range(disk, inode, offset, end);
    fault_map_read(inode->now, offset, bytes, (size_t)(end - offset));
    add_written(disk, inode, order, offset, bytes, end - offset);
    free(bytes);
}

void fault_inode_write(
    fault_disk *disk, fault_inode *inode, uint64_t offset, const void *bytes, size_t size)
{
    uint64_t end = offset + size, order;
    if (size == 0) {
        return;
    }
    if (inode->undecided > 0) {
        if (inode->unsized > 0 && end > least_size(inode)) {
            fault_look_size(disk, inode);
        }
        fault_look_over(disk, inode, offset, end);
    }
    order = ++disk->order;
    fault_map_write(&inode->now, offset, bytes, size);
    if (inode->media_count > 0) {
        fault_media_written(inode, offset, end);
    }
    if (!inode->split) {
        add_written(disk, inode, order, offset, bytes, size);
    }
    if (inode->unsized == 0 && end > inode->size) {
        add_size(inode, order, end);
    }
    if (inode->split) {
        add_pages(disk, inode, order, offset, end);
    }
}

/* Under a cut to nothing lies nothing that anybody could look at. */
static void hide_all(fault_inode *inode)
{
    for (uint32_t i = 0; i < inode->count; i++) {
        if (inode->changes[i].state != FAULT_PENDING) {
            inode->changes[i].hidden = inode->changes[i].left;
        }
    }
    inode->size = inode->unsized > 0 ? UINT64_MAX : inode->size;
    inode->unsized = 0;
}

void fault_inode_truncate(fault_disk *disk, fault_inode *inode, uint64_t size)
{
    if (inode->undecided > 0 && size == 0) {
        hide_all(inode);
    } else if (inode->undecided > 0) {
        uint64_t end = fault_inode_size(disk, inode);
        if (size < end) {
            fault_look_over(disk, inode, size, end);
        }
    }
    if (size < inode->size) {
        fault_map_cut(&inode->now, size);
        if (inode->media_count > 0) {
            fault_media_written(inode, size, UINT64_MAX);
        }
    }
    if (size != inode->size) {
        add_size(inode, ++disk->order, size);
    }
}

/* ---- room ---- */

/* A file that has no name any more and is not open takes no room. */
static uint64_t blocks_used(fault_disk *disk)
{
    uint64_t used = 0;
    fault_inode_mark(disk, false);
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        const fault_inode *inode = &disk->inodes[slot];
        used += inode->marked && inode->now != NULL ? inode->now->filled : 0;
    }
    return used;
}

size_t fault_inode_fits(
    fault_disk *disk, const fault_inode *inode, uint64_t offset, uint64_t size)
{
    if (disk->options.capacity == 0 || size == 0) {
        return (size_t)size;
    }
    uint64_t room = disk->options.capacity / FAULT_BLOCK, used = blocks_used(disk);
    uint64_t end = offset + size, at = offset;
    while (at < end) {
        bool there = fault_map_get(inode->now, (uint32_t)(at / FAULT_BLOCK)) != NULL;
        if (!there && used >= room) {
            break;
        }
        used += !there;
        at += FAULT_BLOCK - at % FAULT_BLOCK;
    }
    return (size_t)((at < end ? at : end) - offset);
}

void fault_inode_allocate(fault_disk *disk, fault_inode *inode, uint64_t offset, uint64_t size)
{
    for (uint64_t at = offset; at < offset + size; at += FAULT_BLOCK - at % FAULT_BLOCK) {
        uint32_t slot = (uint32_t)(at / FAULT_BLOCK);
        if (fault_map_get(inode->now, slot) == NULL) {
            fault_map_set(&inode->now, slot, fault_block_share(disk->zero));
        }
    }
}
