/* The life of a disk: made, cloned, crashed, freed; and what it can say of itself. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <errno.h>

const char *fault_profile_name(fault_profile profile)
{
    static const char *const names[] = {
        "posix-weak", "ext4-ordered", "sequential", "atomic-page"};
    return profile < FAULT_PROFILES ? names[profile] : "?";
}

static fault_disk *disk_raw(void)
{
    fault_disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL) {
        return NULL;
    }
    disk->vfs = (ref_vfs){.version = 1, .self = disk};
    fault_vfs_files(&disk->vfs);
    fault_vfs_names(&disk->vfs);
    disk->vfs.lock = fault_vfs_lock;
    disk->vfs.submit = fault_vfs_submit;
    disk->vfs.reap = fault_vfs_reap;
    pthread_mutex_init(&disk->mutex, NULL);
    return disk;
}

int fault_disk_new(const fault_disk_options *options, fault_disk **out)
{
    fault_disk *disk = *out = disk_raw();
    if (disk == NULL) {
        return ENOMEM;
    }
    disk->options = *options;
    disk->unit = options->profile == FAULT_ATOMIC_PAGE ? FAULT_BLOCK : FAULT_SECTOR;
    disk->random = options->seed;
    disk->shuffle = ~options->seed;
    disk->zero = fault_block_new();
    fault_inode_new(disk, REF_KIND_DIRECTORY, 0755, "/");
    return 0;
}

void fault_disk_free(fault_disk *disk)
{
    if (disk == NULL) {
        return;
    }
    while (disk->files != NULL) {
        fault_file_close(disk->files);
    }
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        fault_inode_clear(&disk->inodes[slot]);
    }
    fault_block_drop(disk->zero);
    free(disk->inodes);
    free(disk->locks);
    free(disk->submitted);
    free(disk->threads);
    pthread_mutex_destroy(&disk->mutex);
    free(disk);
}

ref_vfs *fault_disk_vfs(fault_disk *disk)
{
    return &disk->vfs;
}

void fault_disk_watch(fault_disk *disk, fault_run *run, fault_trace *trace)
{
    pthread_mutex_lock(&disk->mutex);
    disk->options.run = run;
    disk->options.trace = trace;
    pthread_mutex_unlock(&disk->mutex);
}

void fault_disk_on_barrier(fault_disk *disk, fault_barrier_fn call, void *context)
{
    disk->barrier = call;
    disk->barrier_context = context;
}

void fault_disk_settle(fault_disk *disk)
{
    pthread_mutex_lock(&disk->mutex);
    if (disk->fresh) {
        fault_look_prefix(disk);
    }
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        fault_inode *inode = &disk->inodes[slot];
        if (inode->kind == REF_KIND_DIRECTORY) {
            fault_name_settle(disk, inode);
        } else {
            fault_settle_file(disk, inode);
        }
    }
    fault_inode_collect(disk);
    pthread_mutex_unlock(&disk->mutex);
}

/* ---- clones ---- */

static void *copy_of(const void *from, size_t count, size_t size)
{
    if (count == 0) {
        return NULL;
    }
    void *copy = fault_need(malloc(count * size));
    memcpy(copy, from, count * size);
    return copy;
}

/* Makes the copied struct a holder of its own of all it points to. */
static void hold(fault_inode *inode)
{
    inode->changes = copy_of(inode->changes, inode->count, sizeof *inode->changes);
    inode->room = inode->count;
    for (uint32_t i = 0; i < inode->count; i++) {
        fault_bytes_share(inode->changes[i].bytes);
    }
    inode->renames = copy_of(inode->renames, inode->rename_count, sizeof *inode->renames);
    inode->rename_room = inode->rename_count;
    for (uint32_t i = 0; i < inode->rename_count; i++) {
        fault_bytes_share(inode->renames[i].from);
        fault_bytes_share(inode->renames[i].to);
    }
    inode->media = copy_of(inode->media, inode->media_count, sizeof *inode->media);
    inode->media_room = inode->media_count;
    fault_map_share(inode->now);
    fault_map_share(inode->base);
    fault_map_share(inode->old);
    fault_table_share(inode->names);
    fault_table_share(inode->base_names);
    fault_bytes_share(inode->path);
    inode->opens = 0;
}

static fault_disk *clone_of(const fault_disk *disk)
{
    fault_disk *copy = disk_raw();
    if (copy == NULL) {
        return NULL;
    }
    copy->options = disk->options;
    copy->options.run = NULL;
    copy->options.trace = NULL;
    copy->fresh = disk->fresh;
    copy->garbage = true;
    copy->unit = disk->unit;
    copy->order = disk->order;
    copy->number = disk->number;
    copy->clock = disk->clock;
    copy->random = disk->random;
    copy->shuffle = disk->shuffle;
    copy->answer = disk->answer;
    copy->answer_context = disk->answer_context;
    copy->zero = fault_block_share(disk->zero);
    copy->inodes = copy_of(disk->inodes, disk->inode_count, sizeof *copy->inodes);
    copy->inode_count = copy->inode_room = disk->inode_count;
    for (uint32_t slot = 0; slot < copy->inode_count; slot++) {
        hold(&copy->inodes[slot]);
    }
    return copy;
}

int fault_disk_clone(fault_disk *disk, fault_disk **out)
{
    pthread_mutex_lock(&disk->mutex);
    *out = clone_of(disk);
    pthread_mutex_unlock(&disk->mutex);
    return *out != NULL ? 0 : ENOMEM;
}

/* Nothing is certain but the base, and nobody sees more than that until he has looked. */
static void lose_power(fault_inode *inode, fault_change_state state)
{
    if (inode->now != inode->base) {
        fault_map_drop(inode->now);
        inode->now = fault_map_share(inode->base);
    }
    if (inode->names != inode->base_names) {
        fault_table_drop(inode->names);
        inode->names = fault_table_share(inode->base_names);
    }
    inode->size = inode->base_size;
    inode->split = false;
    inode->late = 0;
    inode->unsized = 0;
    inode->undecided = inode->count + inode->rename_count;
    for (uint32_t i = 0; i < inode->count; i++) {
        fault_change *change = &inode->changes[i];
        if (change->state == FAULT_PENDING) {
            change->state = (uint8_t)state;
        }
        change->hidden = 0;
        inode->unsized += change->kind != FAULT_WRITTEN;
    }
    for (uint32_t i = 0; i < inode->rename_count; i++) {
        if (inode->renames[i].state == FAULT_PENDING) {
            inode->renames[i].state = (uint8_t)state;
        }
    }
}

int fault_disk_crash(fault_disk *disk, fault_answer_fn answer, void *context, fault_disk **out)
{
    fault_profile profile = disk->options.profile;
    bool ordered = profile == FAULT_EXT4_ORDERED || profile == FAULT_SEQUENTIAL;
    if (fault_disk_clone(disk, out) != 0) {
        return ENOMEM;
    }
    (*out)->answer = answer;
    (*out)->answer_context = context;
    (*out)->fresh = ordered;
    for (uint32_t slot = 0; slot < (*out)->inode_count; slot++) {
        lose_power(&(*out)->inodes[slot], ordered ? FAULT_FRESH : FAULT_LOOSE);
    }
    return 0;
}

/* ---- what it can say ---- */

static uint64_t count_changes(fault_disk *disk, bool pending)
{
    uint64_t count = 0;
    pthread_mutex_lock(&disk->mutex);
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        const fault_inode *inode = &disk->inodes[slot];
        for (uint32_t i = 0; i < inode->count; i++) {
            const fault_change *change = &inode->changes[i];
            for (uint64_t left = change->left; left != 0; left &= left - 1) {
                count += (change->state == FAULT_PENDING) == pending;
            }
        }
        for (uint32_t i = 0; i < inode->rename_count; i++) {
            count += (inode->renames[i].state == FAULT_PENDING) == pending;
        }
    }
    pthread_mutex_unlock(&disk->mutex);
    return count;
}

uint64_t fault_disk_pending(fault_disk *disk)
{
    return count_changes(disk, true);
}

uint64_t fault_disk_undecided(fault_disk *disk)
{
    return count_changes(disk, false);
}

uint64_t fault_disk_bytes(fault_disk *disk)
{
    uint64_t blocks = 0;
    pthread_mutex_lock(&disk->mutex);
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        const fault_inode *inode = &disk->inodes[slot];
        const fault_map *maps[] = {inode->now, inode->base, inode->old};
        uint32_t slots = 0;
        for (size_t i = 0; i < 3; i++) {
            slots = maps[i] != NULL && maps[i]->slots > slots ? maps[i]->slots : slots;
        }
        for (uint32_t at = 0; at < slots; at++) {
            const fault_block *now = fault_map_get(maps[0], at);
            const fault_block *base = fault_map_get(maps[1], at);
            const fault_block *old = fault_map_get(maps[2], at);
            blocks += now != NULL && now != disk->zero;
            blocks += base != NULL && base != disk->zero && base != now;
            blocks += old != NULL && old != disk->zero && old != now && old != base;
        }
    }
    pthread_mutex_unlock(&disk->mutex);
    return blocks * sizeof(fault_block);
}

static uint64_t hash_inode(const fault_disk *disk, const fault_inode *inode, unsigned depth)
{
    uint64_t sum = 0, hash = fault_hash_number(inode->kind, 0);
    if (inode->kind != REF_KIND_DIRECTORY) {
        hash = fault_hash_number(hash, inode->size);
        hash = fault_hash_number(hash, fault_map_hash(inode->now));
    }
    /* A move between directories, half of it lost, can put a directory below itself. */
    for (uint32_t i = 0; depth > 0 && inode->names != NULL && i < inode->names->count; i++) {
        const fault_entry *entry = &inode->names->at[i];
        sum += fault_hash_number(fault_hash(1, entry->name->at, entry->name->size),
            hash_inode(disk, &disk->inodes[entry->slot], depth - 1));
    }
    /* What is not decided yet tells two disks apart, too. */
    for (uint32_t i = 0; inode->undecided > 0 && i < inode->count; i++) {
        const fault_change *change = &inode->changes[i];
        if (change->state != FAULT_PENDING) {
            hash = fault_hash_number(hash, change->offset);
            hash = fault_hash_number(hash, change->left);
            hash = fault_hash_number(hash, change->kind);
            hash = change->bytes != NULL
                       ? fault_hash(hash, change->bytes->at, change->size)
                       : hash;
        }
    }
    for (uint32_t i = 0; inode->undecided > 0 && i < inode->rename_count; i++) {
        const fault_rename *change = &inode->renames[i];
        if (change->state != FAULT_PENDING) {
            const char *from = fault_bytes_text(change->from), *to = fault_bytes_text(change->to);
            hash = fault_hash(hash, from, strlen(from));
            hash = fault_hash(hash, to, strlen(to));
        }
    }
    return fault_hash_number(hash, sum);
}

uint64_t fault_disk_hash(fault_disk *disk)
{
    pthread_mutex_lock(&disk->mutex);
    uint64_t hash = hash_inode(disk, &disk->inodes[0], 32);
    pthread_mutex_unlock(&disk->mutex);
    return hash;
}

/* ---- media ---- */

int fault_disk_damage(fault_disk *disk, const char *path, const fault_medium *fault)
{
    fault_where where;
    if (fault->size == 0 || fault->bit > 7 ||
        (fault->kind == FAULT_MEDIUM_FLIP && fault->size != 1) ||
        fault->offset > FAULT_FILE_MAX || fault->size > FAULT_FILE_MAX) {
        return EINVAL;
    }
    pthread_mutex_lock(&disk->mutex);
    int error = fault_walk(disk, path, &where);
    if (error == 0 && where.slot == FAULT_NOWHERE) {
        error = ENOENT;
    }
    if (error == 0 && disk->inodes[where.slot].kind != REF_KIND_FILE) {
        error = EINVAL;
    }
    if (error == 0) {
        fault_media_add(&disk->inodes[where.slot], fault);
    }
    pthread_mutex_unlock(&disk->mutex);
    return error;
}

void fault_disk_heal(fault_disk *disk)
{
    pthread_mutex_lock(&disk->mutex);
    for (uint32_t slot = 0; slot < disk->inode_count; slot++) {
        disk->inodes[slot].media_count = 0;
    }
    pthread_mutex_unlock(&disk->mutex);
}
