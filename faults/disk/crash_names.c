/*
 * Questions about the names that a crash has left undecided.
 *
 * Changes that touch a name belong together with those that touch the other name of a rename, and so
 * on: whether a rename could take place depends on what was there. One such group is decided at a
 * time.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#define GROUP 256
#define NAMES (2 * FAULT_TOGETHER)

typedef struct name_group {
    fault_disk *disk;
    fault_inode *dir;
    fault_rename *changes[GROUP]; /* in the order in which they were made */
    uint32_t count;
} name_group;

static bool same(const fault_bytes *a, const fault_bytes *b)
{
    return a != NULL && b != NULL && a->size == b->size && memcmp(a->at, b->at, a->size) == 0;
}

static bool touches(const fault_rename *change, const fault_rename *other)
{
    return same(change->from, other->from) || same(change->from, other->to) ||
           same(change->to, other->from) || same(change->to, other->to);
}

static bool names_it(const fault_bytes *bytes, const char *name, size_t length)
{
    return bytes != NULL && bytes->size == length && memcmp(bytes->at, name, length) == 0;
}

static uint32_t ask_name(void *context, uint32_t index)
{
    const name_group *g = context;
    const fault_rename *change = g->changes[index];
    const fault_inode *target = &g->disk->inodes[change->slot];
    const char *from = fault_bytes_text(change->from), *to = fault_bytes_text(change->to);
    char words[3 * FAULT_NAME_MAX + 64 + 512];
    if (change->from != NULL && change->to != NULL) {
        snprintf(words, sizeof words, "rename %s to %s in %.500s", from, to,
            fault_bytes_text(g->dir->path));
    } else {
        snprintf(words, sizeof words, "%s %s in %.500s", change->to != NULL ? "create" : "remove",
            change->to != NULL ? to : from, fault_bytes_text(g->dir->path));
    }
    return fault_ask(g->disk, FAULT_ASK_NAME, 2, target, 0, change->order, words);
}

static void keep_name(const name_group *g, uint32_t index)
{
    fault_inode *dir = g->dir;
    bool one = dir->names == dir->base_names;
    if (one) {
        fault_table_drop(dir->names);
        dir->names = NULL;
    }
    fault_name_apply(&dir->base_names, g->changes[index]);
    if (one) {
        dir->names = fault_table_share(dir->base_names);
    } else {
        fault_name_apply(&dir->names, g->changes[index]);
    }
}

/* ---- few: every state once ---- */

typedef struct small_table {
    const fault_bytes *name[NAMES];
    uint32_t slot[NAMES];
    uint32_t count;
} small_table;

static uint32_t *small_slot(small_table *table, const fault_table *base, const fault_bytes *name)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (same(table->name[i], name)) {
            return &table->slot[i];
        }
    }
    const fault_entry *entry = fault_table_find(base, fault_bytes_text(name), name->size);
    table->name[table->count] = name;
    table->slot[table->count] = entry != NULL ? entry->slot : FAULT_NOWHERE;
    return &table->slot[table->count++];
}

static void small_apply(small_table *table, const fault_table *base, const fault_rename *change)
{
    uint32_t *from = change->from != NULL ? small_slot(table, base, change->from) : NULL;
    if (from != NULL && *from != change->slot) {
        return;
    }
    if (from != NULL) {
        *from = FAULT_NOWHERE;
    }
    if (change->to != NULL) {
        *small_slot(table, base, change->to) = change->slot;
    }
}

static void decide_exactly(name_group *g)
{
    uint64_t outcome[1u << FAULT_TOGETHER];
    small_table start = {.count = 0};
    for (uint32_t i = 0; i < g->count; i++) {
        const fault_rename *change = g->changes[i];
        if (change->from != NULL) {
            small_slot(&start, g->dir->base_names, change->from);
        }
        if (change->to != NULL) {
            small_slot(&start, g->dir->base_names, change->to);
        }
    }
    for (uint32_t mask = 0; mask < (uint32_t)1 << g->count; mask++) {
        small_table table = start;
        for (uint32_t i = 0; i < g->count; i++) {
            if ((mask >> i & 1) != 0) {
                small_apply(&table, g->dir->base_names, g->changes[i]);
            }
        }
        outcome[mask] = fault_hash(0, table.slot, table.count * sizeof table.slot[0]);
    }
    uint32_t kept = fault_choose(outcome, g->count, ask_name, g);
    for (uint32_t i = 0; i < g->count; i++) {
        if ((kept >> i & 1) != 0) {
            keep_name(g, i);
        }
    }
}

/* ---- many: oldest first ---- */

static bool changes_something(const name_group *g, const fault_rename *change)
{
    const fault_table *base = g->dir->base_names;
    if (change->from != NULL) {
        const fault_entry *entry =
            fault_table_find(base, fault_bytes_text(change->from), change->from->size);
        return entry != NULL && entry->slot == change->slot;
    }
    const fault_entry *entry =
        fault_table_find(base, fault_bytes_text(change->to), change->to->size);
    return entry == NULL || entry->slot != change->slot;
}

static void decide_many(name_group *g)
{
    for (uint32_t i = 0; i < g->count; i++) {
        if (changes_something(g, g->changes[i]) && ask_name(g, i) != 0) {
            keep_name(g, i);
        }
    }
}

/* ---- groups ---- */

static void add_to(name_group *g, fault_rename *change)
{
    for (uint32_t i = 0; i < g->count; i++) {
        if (g->changes[i] == change) {
            return;
        }
    }
    if (g->count < GROUP) {
        g->changes[g->count++] = change;
    }
}

static void complete(name_group *g)
{
    for (uint32_t at = 0; at < g->count; at++) {
        for (uint32_t i = 0; i < g->dir->rename_count; i++) {
            fault_rename *other = &g->dir->renames[i];
            if (other->state != FAULT_PENDING && touches(g->changes[at], other)) {
                add_to(g, other);
            }
        }
    }
    for (uint32_t i = 1; i < g->count; i++) {
        fault_rename *change = g->changes[i];
        uint32_t at = i;
        for (; at > 0 && g->changes[at - 1] > change; at--) {
            g->changes[at] = g->changes[at - 1];
        }
        g->changes[at] = change;
    }
}

static void remove_decided(name_group *g)
{
    fault_inode *dir = g->dir;
    uint32_t kept = 0, next = 0;
    for (uint32_t i = 0; i < dir->rename_count; i++) {
        if (next < g->count && g->changes[next] == &dir->renames[i]) {
            fault_bytes_drop(dir->renames[i].from);
            fault_bytes_drop(dir->renames[i].to);
            next++;
        } else {
            dir->renames[kept++] = dir->renames[i];
        }
    }
    dir->rename_count = kept;
    dir->undecided -= g->count;
    g->disk->garbage = true;
}

void fault_look_name(fault_disk *disk, fault_inode *dir, const char *name, size_t length)
{
    for (bool found = true; found && dir->undecided > 0;) {
        name_group g = {.disk = disk, .dir = dir};
        found = false;
        for (uint32_t i = 0; i < dir->rename_count && !found; i++) {
            fault_rename *change = &dir->renames[i];
            found = change->state != FAULT_PENDING &&
                    (name == NULL || names_it(change->from, name, length) ||
                        names_it(change->to, name, length));
            if (found) {
                add_to(&g, change);
            }
        }
        if (!found) {
            break;
        }
        complete(&g);
        if (g.count <= FAULT_TOGETHER) {
            decide_exactly(&g);
        } else {
            decide_many(&g);
        }
        remove_decided(&g);
    }
}
