/* A vfs that knows what is durable: see crash_vfs.h. */
#include "crash_vfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define SECTOR 512u

/* A file, whatever it is called. */
struct crash_node {
    char *path;       /* where it lies now; NULL: nowhere */
    uint8_t *durable; /* as of the last fsync */
    size_t durable_size;
    uint8_t *last; /* its content when its last name went */
    size_t last_size;
    crash_node *next;
};

struct crash_entry {
    char *path;
    crash_node *node;
    crash_entry *next;
};

/* Something that has happened to entries and is not durable: `from` NULL is a creation, `to` NULL a
 * removal. */
struct crash_change {
    char *from, *to;
    crash_node *node;
    crash_change *next;
};

typedef struct crash_file {
    ref_file file;
    ref_file *next;
    crash_node *node; /* NULL: not below the root */
} crash_file;

static crash_vfs *self_of(ref_vfs *vfs)
{
    return vfs->self;
}

static crash_file *file_of(ref_file *file)
{
    return (crash_file *)(void *)file;
}

static void *need(void *memory)
{
    if (memory == NULL) {
        perror("crash vfs");
        abort();
    }
    return memory;
}

static bool below_root(const crash_vfs *self, const char *path)
{
    size_t length = strlen(self->root);
    return strncmp(path, self->root, length) == 0 && path[length] == '/';
}

/* Whether the path is an entry of the directory. */
static bool entry_of(const char *path, const char *dir)
{
    size_t length = strlen(dir);
    return strncmp(path, dir, length) == 0 && path[length] == '/' &&
           strchr(path + length + 1, '/') == NULL;
}

/* ---- nodes, entries, changes; all with the mutex held ---- */

static crash_node *find_node(const crash_vfs *self, const char *path)
{
    crash_node *node = self->nodes;
    while (node != NULL && (node->path == NULL || strcmp(node->path, path) != 0)) {
        node = node->next;
    }
    return node;
}

static crash_node *add_node(crash_vfs *self, const char *path)
{
    crash_node *node = need(calloc(1, sizeof *node));
    node->path = need(strdup(path));
    node->next = self->nodes;
    self->nodes = node;
    return node;
}

static void add_change(crash_vfs *self, const char *from, const char *to, crash_node *node)
{
    crash_change *change = need(calloc(1, sizeof *change));
    change->from = from != NULL ? need(strdup(from)) : NULL;
    change->to = to != NULL ? need(strdup(to)) : NULL;
    change->node = node;
    *self->last_change = change;
    self->last_change = &change->next;
}

static void free_change(crash_change *change)
{
    free(change->from);
    free(change->to);
    free(change);
}

static crash_entry **entry_at(crash_entry **entries, const char *path)
{
    while (*entries != NULL && strcmp((*entries)->path, path) != 0) {
        entries = &(*entries)->next;
    }
    return entries;
}

static void set_entry(crash_entry **entries, const char *path, crash_node *node)
{
    crash_entry **at = entry_at(entries, path);
    if (*at == NULL) {
        *at = need(calloc(1, sizeof **at));
        (*at)->path = need(strdup(path));
    }
    (*at)->node = node;
}

static void remove_entry(crash_entry **entries, const char *path)
{
    crash_entry **at = entry_at(entries, path), *gone = *at;
    if (gone != NULL) {
        *at = gone->next;
        free(gone->path);
        free(gone);
    }
}

static void free_entries(crash_entry *entries)
{
    while (entries != NULL) {
        remove_entry(&entries, entries->path);
    }
}

/* Does to the entries what the change did, if they are what it found. */
static void apply_change(crash_entry **entries, const crash_change *change)
{
    if (change->from != NULL) {
        crash_entry *entry = *entry_at(entries, change->from);
        if (entry == NULL || entry->node != change->node) {
            return;
        }
        remove_entry(entries, change->from);
    }
    if (change->to != NULL) {
        set_entry(entries, change->to, change->node);
    }
}

/* The file at the path loses its name. */
static void forget_name(crash_vfs *self, const char *path)
{
    crash_node *node = find_node(self, path);
    if (node != NULL) {
        node->last = file_read(path, &node->last_size);
        free(node->path);
        node->path = NULL;
    }
}

/* ---- the vfs ---- */

static int crash_open(ref_vfs *vfs, const char *path, unsigned flags, uint32_t mode, ref_file **out)
{
    crash_vfs *self = self_of(vfs);
    crash_file *file = need(calloc(1, sizeof *file));
    *out = NULL;
    file->file.vfs = vfs;
    pthread_mutex_lock(&self->mutex);
    bool created = !file_exists(path);
    int error = self->next->open(self->next, path, flags, mode, &file->next);
    if (error == 0 && below_root(self, path)) {
        file->node = find_node(self, path);
        if (file->node == NULL && created) {
            file->node = add_node(self, path);
            add_change(self, NULL, path, file->node);
        }
    }
    pthread_mutex_unlock(&self->mutex);
    if (error != 0) {
        free(file);
        return error;
    }
    *out = &file->file;
    return 0;
}

static int crash_close(ref_file *file)
{
    ref_file *next = file_of(file)->next;
    int error = next->vfs->close(next);
    free(file);
    return error;
}

static int crash_pread(ref_file *file, void *buffer, size_t size, uint64_t offset, size_t *done)
{
    ref_file *next = file_of(file)->next;
    return next->vfs->pread(next, buffer, size, offset, done);
}

static int crash_pwrite(
    ref_file *file, const void *buffer, size_t size, uint64_t offset, size_t *done)
{
    ref_file *next = file_of(file)->next;
    return next->vfs->pwrite(next, buffer, size, offset, done);
}

static int crash_fsync(ref_file *file)
{
    crash_vfs *self = self_of(file->vfs);
    ref_file *next = file_of(file)->next;
    crash_node *node = file_of(file)->node;
    ref_stat stat;
    if (node == NULL) {
        return 0;
    }
    pthread_mutex_lock(&self->mutex);
    int error = next->vfs->fstat(next, &stat);
    if (error == 0) {
        free(node->durable);
        node->durable = need(malloc((size_t)stat.size + 1));
        error = ref_read_full(next, node->durable, (size_t)stat.size, 0, &node->durable_size);
    }
    pthread_mutex_unlock(&self->mutex);
    return error;
}

static int crash_truncate(ref_file *file, uint64_t size)
{
    ref_file *next = file_of(file)->next;
    return next->vfs->truncate(next, size);
}

static int crash_fstat(ref_file *file, ref_stat *out)
{
    ref_file *next = file_of(file)->next;
    return next->vfs->fstat(next, out);
}

static int crash_lock(ref_file *file, uint64_t offset, uint64_t size, ref_lock kind)
{
    ref_file *next = file_of(file)->next;
    return next->vfs->lock(next, offset, size, kind);
}

static int crash_stat(ref_vfs *vfs, const char *path, ref_stat *out)
{
    return self_of(vfs)->next->stat(self_of(vfs)->next, path, out);
}

static int crash_lstat(ref_vfs *vfs, const char *path, ref_stat *out)
{
    return self_of(vfs)->next->lstat(self_of(vfs)->next, path, out);
}

static int crash_list(ref_vfs *vfs, const char *path, ref_list_fn each, void *context)
{
    return self_of(vfs)->next->list(self_of(vfs)->next, path, each, context);
}

static int crash_mkdir(ref_vfs *vfs, const char *path, uint32_t mode)
{
    return self_of(vfs)->next->mkdir(self_of(vfs)->next, path, mode);
}

static int crash_rmdir(ref_vfs *vfs, const char *path)
{
    return self_of(vfs)->next->rmdir(self_of(vfs)->next, path);
}

static int crash_unlink(ref_vfs *vfs, const char *path)
{
    crash_vfs *self = self_of(vfs);
    pthread_mutex_lock(&self->mutex);
    crash_node *node = find_node(self, path);
    if (node != NULL) {
        add_change(self, path, NULL, node);
        forget_name(self, path);
    }
    int error = self->next->unlink(self->next, path);
    pthread_mutex_unlock(&self->mutex);
    return error;
}

static int crash_rename(ref_vfs *vfs, const char *from, const char *to, bool exclusive)
{
    crash_vfs *self = self_of(vfs);
    pthread_mutex_lock(&self->mutex);
    crash_node *node = find_node(self, from);
    uint8_t *replaced = NULL;
    size_t replaced_size = 0;
    crash_node *victim = find_node(self, to);
    if (victim != NULL) {
        replaced = file_read(to, &replaced_size);
    }
    int error = self->next->rename(self->next, from, to, exclusive);
    if (error == 0 && victim != NULL && victim != node) {
        free(victim->path);
        victim->path = NULL;
        victim->last = replaced;
        victim->last_size = replaced_size;
        replaced = NULL;
    }
    if (error == 0 && node != NULL) {
        add_change(self, from, to, node);
        free(node->path);
        node->path = need(strdup(to));
    }
    free(replaced);
    pthread_mutex_unlock(&self->mutex);
    return error;
}

static int crash_fsync_dir(ref_vfs *vfs, const char *path)
{
    crash_vfs *self = self_of(vfs);
    pthread_mutex_lock(&self->mutex);
    crash_change **at = &self->first_change;
    while (*at != NULL) {
        crash_change *change = *at;
        if (!entry_of(change->from != NULL ? change->from : change->to, path)) {
            at = &change->next;
            continue;
        }
        apply_change(&self->entries, change);
        *at = change->next;
        free_change(change);
    }
    self->last_change = at;
    pthread_mutex_unlock(&self->mutex);
    return 0;
}

static int crash_resolve(ref_vfs *vfs, const char *path, char *out, size_t size)
{
    return self_of(vfs)->next->resolve(self_of(vfs)->next, path, out, size);
}

static uint64_t crash_now(ref_vfs *vfs)
{
    return self_of(vfs)->next->now(self_of(vfs)->next);
}

static void crash_sleep(ref_vfs *vfs, uint64_t nanoseconds)
{
    self_of(vfs)->next->sleep(self_of(vfs)->next, nanoseconds);
}

static int crash_random(ref_vfs *vfs, void *buffer, size_t size)
{
    return self_of(vfs)->next->random(self_of(vfs)->next, buffer, size);
}

/* ---- beginning and end ---- */

static int note_existing(void *context, const char *path)
{
    crash_vfs *self = context;
    crash_node *node = add_node(self, path);
    node->durable = file_read(path, &node->durable_size);
    set_entry(&self->entries, path, node);
    return 0;
}

void crash_vfs_init(crash_vfs *vfs, const char *root)
{
    memset(vfs, 0, sizeof *vfs);
    pthread_mutex_init(&vfs->mutex, NULL);
    vfs->last_change = &vfs->first_change;
    vfs->next = ref_vfs_posix();
    vfs->root = need(realpath(root, NULL));
    vfs->vfs = (ref_vfs){
        .version = 1,
        .self = vfs,
        .open = crash_open,
        .close = crash_close,
        .pread = crash_pread,
        .pwrite = crash_pwrite,
        .fsync = crash_fsync,
        .truncate = crash_truncate,
        .fstat = crash_fstat,
        .lock = crash_lock,
        .stat = crash_stat,
        .lstat = crash_lstat,
        .list = crash_list,
        .mkdir = crash_mkdir,
        .rmdir = crash_rmdir,
        .unlink = crash_unlink,
        .rename = crash_rename,
        .fsync_dir = crash_fsync_dir,
        .resolve = crash_resolve,
        .now = crash_now,
        .sleep = crash_sleep,
        .random = crash_random,
    };
    each_file(vfs->root, note_existing, vfs);
}

void crash_vfs_destroy(crash_vfs *vfs)
{
    while (vfs->nodes != NULL) {
        crash_node *node = vfs->nodes;
        vfs->nodes = node->next;
        free(node->path);
        free(node->durable);
        free(node->last);
        free(node);
    }
    free_entries(vfs->entries);
    while (vfs->first_change != NULL) {
        crash_change *change = vfs->first_change;
        vfs->first_change = change->next;
        free_change(change);
    }
    free(vfs->root);
    pthread_mutex_destroy(&vfs->mutex);
}

/* ---- crash states ---- */

static bool lost(crash_loss loss, bool name, uint64_t *seed)
{
    switch (loss) {
    case CRASH_NOTHING_LOST:
        return false;
    case CRASH_ALL_LOST:
        return true;
    case CRASH_NAMES_LOST:
        return name;
    case CRASH_CONTENT_LOST:
        return !name;
    case CRASH_SOME_LOST:
        break;
    }
    return next_random(seed) % 2 == 0;
}

/* The content between what is durable and what it was in the end; malloc'd. */
static uint8_t *content_of(const crash_node *node, crash_loss loss, uint64_t *seed, size_t *size)
{
    size_t now_size = node->last_size;
    uint8_t *now =
        node->path != NULL ? file_read(node->path, &now_size) : need(calloc(1, now_size + 1));
    if (node->path == NULL && now_size > 0) {
        memcpy(now, node->last, now_size);
    }
    size_t most = now_size > node->durable_size ? now_size : node->durable_size;
    uint8_t *mixed = need(calloc(1, most + SECTOR));
    for (size_t at = 0; at < most; at += SECTOR) {
        bool old = lost(loss, false, seed);
        const uint8_t *from = old ? node->durable : now;
        size_t there = old ? node->durable_size : now_size;
        if (at < there) {
            memcpy(mixed + at, from + at, there - at < SECTOR ? there - at : SECTOR);
        }
    }
    *size = lost(loss, false, seed) ? node->durable_size : now_size;
    free(now);
    return mixed;
}

static void write_file(const crash_vfs *self, const crash_entry *entry, crash_loss loss,
    uint64_t *seed, const char *target)
{
    char path[FIXTURE_PATH];
    size_t size;
    snprintf(path, sizeof path, "%.500s%.500s", target, entry->path + strlen(self->root));
    uint8_t *bytes = content_of(entry->node, loss, seed, &size);
    file_write(path, bytes, size);
    free(bytes);
}

void crash_vfs_make_state(crash_vfs *vfs, crash_loss loss, uint64_t seed, const char *target)
{
    crash_entry *entries = NULL;
    for (const crash_entry *entry = vfs->entries; entry != NULL; entry = entry->next) {
        set_entry(&entries, entry->path, entry->node);
    }
    for (const crash_change *change = vfs->first_change; change != NULL; change = change->next) {
        if (!lost(loss, true, &seed)) {
            apply_change(&entries, change);
        }
    }
    tree_copy_dirs(vfs->root, target);
    for (const crash_entry *entry = entries; entry != NULL; entry = entry->next) {
        write_file(vfs, entry, loss, &seed, target);
    }
    free_entries(entries);
}
