/* Directories: tables of names, and changes of them. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_of(const char *name, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    }
    return hash;
}

/* ---- tables ---- */

fault_table *fault_table_share(fault_table *table)
{
    if (table != NULL) {
        atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
    }
    return table;
}

void fault_table_drop(fault_table *table)
{
    if (table != NULL && atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) == 1) {
        for (uint32_t i = 0; i < table->count; i++) {
            fault_bytes_drop(table->at[i].name);
        }
        free(table);
    }
}

/* Makes the table the caller's alone, with room for one more. */
static fault_table *own(fault_table **at)
{
    fault_table *table = *at;
    uint32_t count = table != NULL ? table->count : 0;
    if (table != NULL && count < table->room &&
        atomic_load_explicit(&table->refs, memory_order_acquire) == 1) {
        return table;
    }
    uint32_t room = count + count / 2 + 4;
    fault_table *copy = fault_need(malloc(sizeof *copy + room * sizeof copy->at[0]));
    atomic_init(&copy->refs, 1);
    copy->count = count;
    copy->room = room;
    for (uint32_t i = 0; i < count; i++) {
        copy->at[i] = table->at[i];
        fault_bytes_share(copy->at[i].name);
    }
    fault_table_drop(table);
    *at = copy;
    return copy;
}

static int compare(
    const fault_entry *entry, uint32_t hash, const char *name, size_t length)
{
    if (entry->hash != hash) {
        return entry->hash < hash ? -1 : 1;
    }
    size_t least = entry->name->size < length ? entry->name->size : length;
    int order = memcmp(entry->name->at, name, least);
    return order != 0 ? order : (entry->name->size > length) - (entry->name->size < length);
}

/* Where the name is or would be. */
static uint32_t position(const fault_table *table, const char *name, size_t length, bool *there)
{
    uint32_t hash = hash_of(name, length), low = 0, high = table != NULL ? table->count : 0;
    *there = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare(&table->at[middle], hash, name, length);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const fault_entry *fault_table_find(const fault_table *table, const char *name, size_t length)
{
    bool there;
    uint32_t at = position(table, name, length, &there);
    return there ? &table->at[at] : NULL;
}

static void set(fault_table **at, fault_bytes *name, uint32_t slot)
{
    const char *text = fault_bytes_text(name);
    bool there;
    fault_table *table = own(at);
    uint32_t index = position(table, text, name->size, &there);
    if (!there) {
        memmove(&table->at[index + 1], &table->at[index],
            (table->count - index) * sizeof table->at[0]);
        table->at[index] = (fault_entry){
            .hash = hash_of(text, name->size), .name = fault_bytes_share(name)};
        table->count++;
    }
    table->at[index].slot = slot;
}

static void take_away(fault_table **at, const fault_bytes *name)
{
    bool there;
    fault_table *table = own(at);
    uint32_t index = position(table, fault_bytes_text(name), name->size, &there);
    fault_bytes_drop(table->at[index].name);
    table->count--;
    memmove(&table->at[index], &table->at[index + 1],
        (table->count - index) * sizeof table->at[0]);
}

void fault_name_apply(fault_table **table, const fault_rename *change)
{
    if (change->from != NULL) {
        const fault_entry *entry =
            fault_table_find(*table, fault_bytes_text(change->from), change->from->size);
        if (entry == NULL || entry->slot != change->slot) {
            return;
        }
        take_away(table, change->from);
    }
    if (change->to != NULL) {
        set(table, change->to, change->slot);
    }
}

/* ---- as processes see them ---- */

uint32_t fault_name_find(fault_disk *disk, uint32_t dir, const char *name, size_t length)
{
    fault_inode *inode = &disk->inodes[dir];
    if (inode->undecided > 0) {
        fault_look_name(disk, inode, name, length);
    }
    const fault_entry *entry = fault_table_find(inode->names, name, length);
    return entry != NULL ? entry->slot : FAULT_NOWHERE;
}

void fault_name_change(fault_disk *disk, uint32_t dir, uint64_t order, const char *from,
    const char *to, uint32_t slot)
{
    fault_inode *inode = &disk->inodes[dir];
    inode->renames = fault_grow(
        inode->renames, inode->rename_count, &inode->rename_room, sizeof *inode->renames);
    fault_rename *change = &inode->renames[inode->rename_count++];
    *change = (fault_rename){
        .order = order,
        .from = from != NULL ? fault_bytes_new(from, strlen(from)) : NULL,
        .to = to != NULL ? fault_bytes_new(to, strlen(to)) : NULL,
        .slot = slot,
    };
    fault_name_apply(&inode->names, change);
    disk->garbage = true;
}

bool fault_name_empty(fault_disk *disk, uint32_t dir)
{
    fault_inode *inode = &disk->inodes[dir];
    if (inode->undecided > 0) {
        fault_look_name(disk, inode, NULL, 0);
    }
    return inode->names == NULL || inode->names->count == 0;
}

void fault_name_settle(fault_disk *disk, fault_inode *dir)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < dir->rename_count; i++) {
        fault_rename *change = &dir->renames[i];
        if (change->state != FAULT_PENDING) {
            dir->renames[kept++] = *change;
            continue;
        }
        if (dir->undecided > 0) {
            fault_name_apply(&dir->base_names, change);
        }
        fault_bytes_drop(change->from);
        fault_bytes_drop(change->to);
    }
    if (dir->undecided == 0 && dir->base_names != dir->names) {
        fault_table_drop(dir->base_names);
        dir->base_names = fault_table_share(dir->names);
    }
    dir->rename_count = kept;
    disk->garbage = true;
}
