/* What a sync makes durable, and what one that fails leaves behind. */
#include "internal.h"

#include <stdlib.h>

void fault_change_drop(fault_change *change)
{
    fault_bytes_drop(change->bytes);
    change->bytes = NULL;
    change->left = 0;
}

void fault_changes_tidy(fault_inode *inode)
{
    uint32_t kept = 0;
    inode->undecided = 0;
    for (uint32_t i = 0; i < inode->count; i++) {
        fault_change *change = &inode->changes[i];
        if (change->left == 0) {
            fault_change_drop(change);
            continue;
        }
        inode->undecided += change->state != FAULT_PENDING;
        inode->changes[kept++] = *change;
    }
    inode->count = kept;
}

/* Keeps what a block was before it is settled, for reads that are to be stale. */
static void keep_old(fault_disk *disk, fault_inode *inode, uint64_t offset, uint64_t end)
{
    for (uint64_t at = offset; at < end; at += FAULT_BLOCK - at % FAULT_BLOCK) {
        uint32_t slot = (uint32_t)(at / FAULT_BLOCK);
        fault_block *block = fault_map_get(inode->base, slot);
        fault_map_set(&inode->old, slot, fault_block_share(block != NULL ? block : disk->zero));
    }
}

void fault_change_apply(fault_disk *disk, fault_inode *inode, const fault_change *change)
{
    if (change->kind == FAULT_CUT) {
        fault_map_cut(&inode->base, change->offset);
    }
    if (change->kind != FAULT_WRITTEN) {
        inode->base_size = change->offset;
        return;
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        if ((change->left >> bit & 1) != 0) {
            uint64_t first, behind;
            fault_unit_range(disk, change, bit, &first, &behind);
            fault_map_write(&inode->base, first, change->bytes->at + (first - change->offset),
                (size_t)(behind - first));
        }
    }
}

/* Whole blocks go over, when there is nothing in now that may not. */
static void share_blocks(fault_inode *inode, const fault_change *change)
{
    uint32_t first = (uint32_t)(change->offset / FAULT_BLOCK);
    uint32_t last = (uint32_t)((change->offset + change->size - 1) / FAULT_BLOCK);
    for (uint32_t slot = first; slot <= last; slot++) {
        fault_block *block = fault_map_get(inode->now, slot);
        if (block != fault_map_get(inode->base, slot)) {
            fault_map_set(&inode->base, slot, fault_block_share(block));
        }
    }
}

void fault_forget_below(
    fault_disk *disk, fault_inode *inode, uint64_t order, uint64_t from, uint64_t to)
{
    for (uint32_t i = 0; i < inode->count && inode->changes[i].order < order; i++) {
        fault_change *change = &inode->changes[i];
        if (change->state == FAULT_PENDING) {
            continue;
        }
        if (change->kind != FAULT_WRITTEN) {
            change->left &= ~change->hidden;
        }
        for (unsigned bit = 0; change->kind == FAULT_WRITTEN && bit < 64; bit++) {
            uint64_t first, behind, one = (uint64_t)1 << bit;
            fault_unit_range(disk, change, bit, &first, &behind);
            if ((change->left & one) != 0 && first >= from && behind <= to) {
                change->left &= ~one;
            }
        }
    }
}

/* Settles what was pending up to this order. */
static void settle(fault_disk *disk, fault_inode *inode, uint64_t until)
{
    bool undecided = inode->undecided > 0;
    bool whole = !inode->split && !undecided && until == UINT64_MAX;
    for (uint32_t i = 0; i < inode->count; i++) {
        fault_change *change = &inode->changes[i];
        if (change->state == FAULT_PENDING && change->order <= until &&
            change->kind == FAULT_WRITTEN) {
            keep_old(disk, inode, change->offset, change->offset + change->size);
        }
    }
    for (uint32_t i = 0; i < inode->count; i++) {
        fault_change *change = &inode->changes[i];
        if (change->state != FAULT_PENDING || change->order > until) {
            continue;
        }
        if (undecided && change->kind != FAULT_GROWN) {
            fault_forget_below(disk, inode, change->order, change->offset,
                change->kind == FAULT_CUT ? UINT64_MAX : change->offset + change->size);
        }
        if (whole && change->kind == FAULT_WRITTEN) {
            share_blocks(inode, change);
        } else {
            fault_change_apply(disk, inode, change);
        }
        fault_change_drop(change);
    }
    fault_changes_tidy(inode);
}

void fault_settle_file(fault_disk *disk, fault_inode *inode)
{
    if (inode->count > 0) {
        settle(disk, inode, UINT64_MAX);
    }
}

/* The last change of the size: the content before it must not be later than it. */
static uint64_t last_sized(const fault_inode *inode)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < inode->count; i++) {
        const fault_change *change = &inode->changes[i];
        if (change->state == FAULT_PENDING && change->kind != FAULT_WRITTEN) {
            last = change->order;
        }
    }
    return last;
}

void fault_settle_synced(fault_disk *disk, fault_inode *inode)
{
    fault_profile profile = disk->options.profile;
    bool ordered = profile == FAULT_EXT4_ORDERED || profile == FAULT_SEQUENTIAL;
    for (uint32_t slot = 0; ordered && slot < disk->inode_count; slot++) {
        fault_inode *other = &disk->inodes[slot];
        uint64_t until = profile == FAULT_SEQUENTIAL ? UINT64_MAX : last_sized(other);
        if (other->count > 0 && until > 0) {
            settle(disk, other, until);
        }
        if (other->rename_count > 0) {
            fault_name_settle(disk, other);
        }
    }
    if (inode->kind == REF_KIND_DIRECTORY) {
        fault_name_settle(disk, inode);
    } else {
        fault_settle_file(disk, inode);
    }
}

/* ---- failures ---- */

static void forget_content(fault_inode *inode)
{
    for (uint32_t i = 0; i < inode->count; i++) {
        fault_change *change = &inode->changes[i];
        if (change->state == FAULT_PENDING && change->kind == FAULT_WRITTEN) {
            inode->split = true;
            fault_change_drop(change);
        }
    }
    fault_changes_tidy(inode);
}

/* Back to what is durable; what was undecided below it can be looked at again. */
static void revert(fault_inode *inode)
{
    inode->unsized = 0;
    for (uint32_t i = 0; i < inode->count; i++) {
        fault_change *change = &inode->changes[i];
        if (change->state == FAULT_PENDING) {
            fault_change_drop(change);
        } else {
            change->hidden = 0;
            inode->unsized += change->kind != FAULT_WRITTEN;
        }
    }
    fault_changes_tidy(inode);
    fault_map_drop(inode->now);
    inode->now = fault_map_share(inode->base);
    inode->size = inode->base_size;
    inode->split = false;
}

void fault_settle_failed(fault_disk *disk, fault_inode *inode, fault_sync_failure failure)
{
    (void)disk;
    if (inode->kind == REF_KIND_DIRECTORY || failure == FAULT_SYNC_KEEP) {
        return;
    }
    if (failure == FAULT_SYNC_REVERT) {
        revert(inode);
    } else {
        forget_content(inode);
    }
}
