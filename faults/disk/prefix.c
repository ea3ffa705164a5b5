/*
 * The one question of the ordered profiles: how many of the changes that a crash has put in doubt
 * are kept, counted in the order in which they were made.
 *
 * ext4-ordered counts operations that changed names or sizes; what they need below a size is kept
 * with them, and content that no kept size needs is left to questions of its own. sequential counts
 * every operation, and a write by its sectors: so the last one may be short, its size with it.
 */
#include "internal.h"

#include <stdlib.h>

typedef struct step {
    uint64_t order;
    uint64_t units; /* how many answers it takes to keep it whole */
} step;

typedef struct steps {
    step *at;
    uint32_t count, room;
} steps;

static void add_step(steps *list, uint64_t order, uint64_t units)
{
    list->at = fault_grow(list->at, list->count, &list->room, sizeof *list->at);
    list->at[list->count++] = (step){order, units};
}

static int by_order(const void *a, const void *b)
{
    const step *one = a, *two = b;
    return (one->order > two->order) - (one->order < two->order);
}

static uint64_t units_of(uint64_t left)
{
    uint64_t count = 0;
    for (; left != 0; left &= left - 1) {
        count++;
    }
    return count;
}

/* One step per operation; a growing write is its units, and the size goes with them. */
static void merge_steps(steps *list)
{
    uint32_t kept = 0;
    if (list->count == 0) {
        return;
    }
    qsort(list->at, list->count, sizeof *list->at, by_order);
    for (uint32_t i = 0; i < list->count; i++) {
        if (kept > 0 && list->at[kept - 1].order == list->at[i].order) {
            list->at[kept - 1].units += list->at[i].units;
        } else {
            list->at[kept++] = list->at[i];
        }
    }
    list->count = kept;
    for (uint32_t i = 0; i < kept; i++) {
        list->at[i].units += list->at[i].units == 0;
    }
}

static void gather(const fault_disk *disk, steps *list)
{
    bool content = disk->options.profile == FAULT_SEQUENTIAL;
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        const fault_inode *inode = &disk->inodes[slot];
        for (uint32_t i = 0; i < inode->count; i++) {
            const fault_change *change = &inode->changes[i];
            if (change->state != FAULT_FRESH) {
                continue;
            }
            if (change->kind != FAULT_WRITTEN) {
                add_step(list, change->order, 0);
            } else if (content) {
                add_step(list, change->order, units_of(change->left));
            }
        }
        for (uint32_t i = 0; i < inode->rename_count; i++) {
            if (inode->renames[i].state == FAULT_FRESH) {
                add_step(list, inode->renames[i].order, 0);
            }
        }
    }
    merge_steps(list);
}

/* ---- carrying the answer out ---- */

/* Changes before `whole` are kept, and of that one so many units. */
typedef struct verdict {
    uint64_t whole, units;
} verdict;

static void decide_names(fault_inode *dir, uint64_t whole)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < dir->rename_count; i++) {
        fault_rename *change = &dir->renames[i];
        if (change->state != FAULT_FRESH) {
            dir->renames[kept++] = *change;
            continue;
        }
        if (change->order < whole) {
            fault_name_apply(&dir->base_names, change);
        }
        fault_bytes_drop(change->from);
        fault_bytes_drop(change->to);
        dir->undecided--;
    }
    dir->rename_count = kept;
    fault_table_drop(dir->names);
    dir->names = fault_table_share(dir->base_names);
}

/* The last write, of which so many units are kept; the size reaches as far as they do. */
static void decide_torn(fault_disk *disk, fault_inode *inode, verdict v)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < inode->count && v.units > 0; i++) {
        fault_change *change = &inode->changes[i];
        if (change->order != v.whole || change->kind != FAULT_WRITTEN) {
            continue;
        }
        for (unsigned bit = 0; bit < 64 && v.units > 0; bit++) {
            uint64_t first, one = (uint64_t)1 << bit;
            if ((change->left & one) != 0) {
                fault_change part = *change;
                part.left = one;
                fault_change_apply(disk, inode, &part);
                fault_unit_range(disk, change, bit, &first, &end);
                fault_forget_below(disk, inode, change->order, first, end);
                v.units--;
            }
        }
    }
    if (end > inode->base_size) {
        inode->base_size = end;
    }
}

/* Up to which order the file's changes are kept: as far as the answer says, and for ext4-ordered
 * content only as far as a size asks for it. */
static uint64_t kept_until(const fault_disk *disk, const fault_inode *inode, uint64_t whole)
{
    uint64_t last = 0;
    if (disk->options.profile == FAULT_SEQUENTIAL) {
        return whole;
    }
    for (uint32_t i = 0; i < inode->count; i++) {
        const fault_change *change = &inode->changes[i];
        if (change->state == FAULT_FRESH && change->kind != FAULT_WRITTEN &&
            change->order < whole) {
            last = change->order + 1;
        }
    }
    return last;
}

/* What was undecided before this crash lies below what is kept of it, or beside. */
static void decide_file(fault_disk *disk, fault_inode *inode, verdict v)
{
    uint64_t until = kept_until(disk, inode, v.whole);
    bool loose = disk->options.profile != FAULT_SEQUENTIAL;
    for (uint32_t i = 0; i < inode->count; i++) {
        fault_change *change = &inode->changes[i];
        if (change->state == FAULT_FRESH && change->order < until) {
            if (change->kind != FAULT_GROWN) {
                fault_forget_below(disk, inode, change->order, change->offset,
                    change->kind == FAULT_CUT ? UINT64_MAX : change->offset + change->size);
            }
            fault_change_apply(disk, inode, change);
            fault_change_drop(change);
        }
    }
    if (!loose) {
        decide_torn(disk, inode, v);
    }
    for (uint32_t i = 0; i < inode->count; i++) {
        fault_change *change = &inode->changes[i];
        if (change->state == FAULT_FRESH && (!loose || change->kind != FAULT_WRITTEN)) {
            fault_change_drop(change);
        } else if (change->state == FAULT_FRESH) {
            change->state = FAULT_LOOSE;
        }
    }
    fault_trim(disk, inode, inode->base_size, UINT64_MAX);
    fault_map_cut(&inode->base, inode->base_size);
    fault_changes_tidy(inode);
    inode->unsized = 0;
    inode->size = inode->base_size;
    fault_map_drop(inode->now);
    inode->now = fault_map_share(inode->base);
}

static verdict verdict_of(const steps *list, uint64_t answer)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (answer < list->at[i].units) {
            return (verdict){.whole = list->at[i].order, .units = answer};
        }
        answer -= list->at[i].units;
    }
    return (verdict){.whole = UINT64_MAX};
}

void fault_look_prefix(fault_disk *disk)
{
    steps list = {0};
    uint64_t answers = 1;
    disk->fresh = false;
    gather(disk, &list);
    for (uint32_t i = 0; i < list.count; i++) {
        answers += list.at[i].units;
    }
    uint32_t most = answers < UINT32_MAX ? (uint32_t)answers : UINT32_MAX;
    uint32_t answer =
        answers > 1 ? fault_ask(disk, FAULT_ASK_PREFIX, most, NULL, 0, 0, "changes kept") : 0;
    verdict v = verdict_of(&list, answer);
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        fault_inode *inode = &disk->inodes[slot];
        if (inode->count > 0) {
            decide_file(disk, inode, v);
        }
        if (inode->rename_count > 0) {
            decide_names(inode, v.whole);
        }
    }
    free(list.at);
}
