#include "disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bytes.h"
#include "engine/tree.h"
#include "fuzz.h"

enum { PATH_BYTES = 4096, LOCKS = 8 };

typedef struct node {
    char *path; /* NULL: removed, but open */
    bool directory;
    uint8_t *bytes;
    size_t size;
    uint32_t mode;
    uint64_t inode;
    unsigned opens;
    struct node *next;
} node;

typedef struct handle {
    ref_file file;
    node *node;
    bool writable;
} handle;

typedef struct held {
    const handle *by;
    const node *node;
    uint64_t offset, end;
    ref_lock kind;
} held;

struct fuzz_disk {
    ref_vfs vfs;
    node *nodes;
    held locks[LOCKS];
    size_t lock_count;
    unsigned open_files;
    uint64_t inodes, ticks, chance;
};

static void *checked(void *memory)
{
    if (memory == NULL) {
        fputs("fuzz: out of memory\n", stderr);
        abort();
    }
    return memory;
}

/* The path without "." and "..". */
static void normalise(const char *path, char *out)
{
    size_t used = 0;
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (length == 2 && memcmp(path, "..", 2) == 0) {
            while (used > 0 && out[--used] != '/') {
            }
        } else if (length > 0 && !(length == 1 && path[0] == '.') &&
                   used + length + 2 < PATH_BYTES) {
            out[used++] = '/';
            memcpy(out + used, path, length);
            used += length;
        }
        path += length;
        path += strspn(path, "/");
    }
    if (used == 0) {
        out[used++] = '/';
    }
    out[used] = '\0';
}

static node *find_normal(const fuzz_disk *disk, const char *path)
{
    for (node *at = disk->nodes; at != NULL; at = at->next) {
        if (at->path != NULL && strcmp(at->path, path) == 0) {
            return at;
        }
    }
    return NULL;
}

/* The node, or NULL and ENOENT or ENOTDIR. `clean` becomes the normal path. */
static int find(const fuzz_disk *disk, const char *path, char *clean, node **out)
{
    char parent[PATH_BYTES];
    *out = NULL;
    size_t length = strlen(path);
    if (length >= PATH_BYTES) {
        return ENAMETOOLONG;
    }
    normalise(path, clean);
    *out = find_normal(disk, clean);
    if (*out != NULL) {
        return !(*out)->directory && length > 0 && path[length - 1] == '/' ? ENOTDIR : 0;
    }
    strcpy(parent, clean);
    char *slash = strrchr(parent, '/');
    *slash = '\0';
    const node *above = find_normal(disk, parent[0] != '\0' ? parent : "/");
    return above != NULL && !above->directory ? ENOTDIR : ENOENT;
}

static bool has_parent(const fuzz_disk *disk, const char *clean)
{
    char parent[PATH_BYTES];
    strcpy(parent, clean);
    char *slash = strrchr(parent, '/');
    slash[slash == parent ? 1 : 0] = '\0';
    const node *above = find_normal(disk, parent);
    return above != NULL && above->directory;
}

static node *add(fuzz_disk *disk, const char *clean, bool directory, uint32_t mode)
{
    node *made = checked(calloc(1, sizeof *made));
    made->path = checked(strdup(clean));
    made->directory = directory;
    made->mode = mode;
    made->inode = ++disk->inodes;
    made->next = disk->nodes;
    disk->nodes = made;
    return made;
}

static void drop_if_unused(fuzz_disk *disk, node *gone)
{
    if (gone->path != NULL || gone->opens > 0) {
        return;
    }
    node **at = &disk->nodes;
    while (*at != gone) {
        at = &(*at)->next;
    }
    *at = gone->next;
    free(gone->bytes);
    free(gone);
}

static void resize(node *file, size_t size)
{
    if (size > file->size) {
        file->bytes = checked(realloc(file->bytes, size));
        memset(file->bytes + file->size, 0, size - file->size);
    }
    file->size = size;
}

/* ---- files ---- */

static int disk_open(ref_vfs *vfs, const char *path, unsigned flags, uint32_t mode, ref_file **out)
{
    fuzz_disk *disk = vfs->self;
    char clean[PATH_BYTES];
    node *at;
    *out = NULL;
    if ((flags & REF_O_DIRECT) != 0) {
        return EINVAL;
    }
    int error = find(disk, path, clean, &at);
    if (error == 0 && (flags & REF_O_CREATE) != 0 && (flags & REF_O_EXCL) != 0) {
        return EEXIST;
    }
    if (error == ENOENT && (flags & REF_O_CREATE) != 0 && has_parent(disk, clean)) {
        at = add(disk, clean, false, mode);
        error = 0;
    }
    if (error == 0 && at->directory) {
        error = EISDIR;
    }
    if (error != 0) {
        return error;
    }
    if ((flags & REF_O_TRUNC) != 0) {
        resize(at, 0);
    }
    handle *opened = checked(calloc(1, sizeof *opened));
    opened->file.vfs = vfs;
    opened->node = at;
    opened->writable = (flags & REF_O_WRITE) != 0;
    at->opens++;
    disk->open_files++;
    *out = &opened->file;
    return 0;
}

static void unlock(fuzz_disk *disk, const handle *by, uint64_t offset, uint64_t end)
{
    size_t kept = 0;
    for (size_t i = 0; i < disk->lock_count; i++) {
        const held *lock = &disk->locks[i];
        if (lock->by != by || lock->offset >= end || lock->end <= offset) {
            disk->locks[kept++] = *lock;
        }
    }
    disk->lock_count = kept;
}

static int disk_close(ref_file *file)
{
    handle *opened = (handle *)file;
    fuzz_disk *disk = file->vfs->self;
    unlock(disk, opened, 0, UINT64_MAX);
    opened->node->opens--;
    disk->open_files--;
    drop_if_unused(disk, opened->node);
    free(opened);
    return 0;
}

static int disk_pread(ref_file *file, void *buffer, size_t size, uint64_t offset, size_t *done)
{
    const node *at = ((handle *)file)->node;
    *done = 0;
    if (offset < at->size) {
        *done = size < at->size - offset ? size : at->size - (size_t)offset;
        memcpy(buffer, at->bytes + offset, *done);
    }
    return 0;
}

static int disk_pwrite(
    ref_file *file, const void *buffer, size_t size, uint64_t offset, size_t *done)
{
    node *at = ((handle *)file)->node;
    *done = 0;
    if (!((handle *)file)->writable) {
        return EBADF;
    }
    if (offset > FUZZ_FILE_MAX || size > FUZZ_FILE_MAX - offset) {
        return EFBIG;
    }
    if (offset + size > at->size) {
        resize(at, (size_t)offset + size);
    }
    if (size > 0) {
        memcpy(at->bytes + offset, buffer, size);
    }
    *done = size;
    return 0;
}

static int disk_truncate(ref_file *file, uint64_t size)
{
    if (!((handle *)file)->writable) {
        return EINVAL;
    }
    if (size > FUZZ_FILE_MAX) {
        return EFBIG;
    }
    resize(((handle *)file)->node, (size_t)size);
    return 0;
}

static int disk_fsync(ref_file *file)
{
    (void)file;
    return 0;
}

static void fill_stat(const node *at, ref_stat *out)
{
    *out = (ref_stat){.kind = at->directory ? REF_KIND_DIRECTORY : REF_KIND_FILE,
        .size = at->size,
        .device = 1,
        .inode = at->inode,
        .mode = at->mode};
}

static int disk_fstat(ref_file *file, ref_stat *out)
{
    fill_stat(((handle *)file)->node, out);
    return 0;
}

static int disk_lock(ref_file *file, uint64_t offset, uint64_t size, ref_lock kind)
{
    const handle *by = (handle *)file;
    fuzz_disk *disk = file->vfs->self;
    uint64_t end = offset + size;
    for (size_t i = 0; i < disk->lock_count && kind != REF_LOCK_NONE; i++) {
        const held *lock = &disk->locks[i];
        if (lock->node == by->node && lock->by != by && lock->offset < end && lock->end > offset &&
            (kind == REF_LOCK_EXCLUSIVE || lock->kind == REF_LOCK_EXCLUSIVE)) {
            return EAGAIN;
        }
    }
    unlock(disk, by, offset, end);
    if (kind != REF_LOCK_NONE) {
        if (disk->lock_count == LOCKS) {
            return ENOLCK;
        }
        disk->locks[disk->lock_count++] = (held){by, by->node, offset, end, kind};
    }
    return 0;
}

/* ---- names ---- */

static int disk_stat(ref_vfs *vfs, const char *path, ref_stat *out)
{
    char clean[PATH_BYTES];
    node *at;
    int error = find(vfs->self, path, clean, &at);
    *out = (ref_stat){0};
    if (error == 0) {
        fill_stat(at, out);
    }
    return error;
}

/* The name in the directory `clean`, or NULL. */
static const char *name_below(const char *clean, const char *path)
{
    size_t length = strcmp(clean, "/") == 0 ? 0 : strlen(clean);
    if (path == NULL || strncmp(path, clean, length) != 0 || path[length] != '/' ||
        path[length + 1] == '\0' || strchr(path + length + 1, '/') != NULL) {
        return NULL;
    }
    return path + length + 1;
}

static int disk_list(ref_vfs *vfs, const char *path, ref_list_fn each, void *context)
{
    char clean[PATH_BYTES];
    node *at;
    fuzz_disk *disk = vfs->self;
    int error = find(disk, path, clean, &at);
    if (error == 0 && !at->directory) {
        error = ENOTDIR;
    }
    for (at = disk->nodes; at != NULL && error == 0; at = at->next) {
        const char *name = name_below(clean, at->path);
        error = name != NULL ? each(context, name) : 0;
    }
    return error;
}

static int disk_mkdir(ref_vfs *vfs, const char *path, uint32_t mode)
{
    char clean[PATH_BYTES];
    node *at;
    int error = find(vfs->self, path, clean, &at);
    if (error == 0) {
        return EEXIST;
    }
    if (error == ENOENT && has_parent(vfs->self, clean)) {
        add(vfs->self, clean, true, mode);
        return 0;
    }
    return error;
}

static int disk_unlink(ref_vfs *vfs, const char *path)
{
    char clean[PATH_BYTES];
    node *at;
    int error = find(vfs->self, path, clean, &at);
    if (error == 0 && at->directory) {
        error = EISDIR;
    }
    if (error == 0) {
        free(at->path);
        at->path = NULL;
        drop_if_unused(vfs->self, at);
    }
    return error;
}

static int disk_rmdir(ref_vfs *vfs, const char *path)
{
    (void)vfs;
    (void)path;
    return EBUSY; /* nothing under test removes directories */
}

static int disk_rename(ref_vfs *vfs, const char *from, const char *to, bool exclusive)
{
    char clean_from[PATH_BYTES], clean[PATH_BYTES];
    node *at, *there;
    fuzz_disk *disk = vfs->self;
    int error = find(disk, from, clean_from, &at);
    if (error != 0) {
        return error;
    }
    error = find(disk, to, clean, &there);
    if (error == 0 && exclusive) {
        return EEXIST;
    }
    if (error == 0 && there->directory) {
        return EISDIR;
    }
    if (error != 0 && (error != ENOENT || !has_parent(disk, clean))) {
        return error;
    }
    if (at->directory) {
        return EBUSY;
    }
    if (there == at) {
        return 0;
    }
    if (there != NULL) {
        disk_unlink(vfs, clean);
    }
    free(at->path);
    at->path = checked(strdup(clean));
    return 0;
}

static int disk_fsync_dir(ref_vfs *vfs, const char *path)
{
    ref_stat stat;
    int error = disk_stat(vfs, path, &stat);
    return error == 0 && stat.kind != REF_KIND_DIRECTORY ? ENOTDIR : error;
}

static int disk_resolve(ref_vfs *vfs, const char *path, char *out, size_t size)
{
    char clean[PATH_BYTES];
    node *at;
    int error = find(vfs->self, path, clean, &at);
    if (error == 0 && strlen(clean) >= size) {
        error = ERANGE;
    }
    if (error == 0) {
        strcpy(out, clean);
    }
    return error;
}

/* ---- clock and chance ---- */

static uint64_t disk_now(ref_vfs *vfs)
{
    fuzz_disk *disk = vfs->self;
    return 1700000000000000000u + 1000 * ++disk->ticks;
}

static void disk_sleep(ref_vfs *vfs, uint64_t nanoseconds)
{
    fuzz_disk *disk = vfs->self;
    disk->ticks += nanoseconds / 1000;
}

static int disk_random(ref_vfs *vfs, void *buffer, size_t size)
{
    fuzz_disk *disk = vfs->self;
    for (size_t i = 0; i < size; i++) {
        disk->chance = disk->chance * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)buffer)[i] = (uint8_t)(disk->chance >> 56);
    }
    return 0;
}

/* ---- the disk ---- */

static fuzz_disk *blank(void)
{
    fuzz_disk *disk = checked(calloc(1, sizeof *disk));
    disk->vfs = (ref_vfs){.version = 1,
        .self = disk,
        .open = disk_open,
        .close = disk_close,
        .pread = disk_pread,
        .pwrite = disk_pwrite,
        .fsync = disk_fsync,
        .truncate = disk_truncate,
        .fstat = disk_fstat,
        .lock = disk_lock,
        .stat = disk_stat,
        .lstat = disk_stat,
        .list = disk_list,
        .mkdir = disk_mkdir,
        .rmdir = disk_rmdir,
        .unlink = disk_unlink,
        .rename = disk_rename,
        .fsync_dir = disk_fsync_dir,
        .resolve = disk_resolve,
        .now = disk_now,
        .sleep = disk_sleep,
        .random = disk_random};
    return disk;
}

fuzz_disk *fuzz_disk_new(uint64_t seed)
{
    fuzz_disk *disk = blank();
    disk->chance = seed;
    add(disk, "/", true, 0755);
    add(disk, "/home", true, 0755);
    add(disk, "/outside", true, 0755);
    return disk;
}

fuzz_disk *fuzz_disk_clone(const fuzz_disk *disk)
{
    fuzz_disk *copy = blank();
    node **last = &copy->nodes;
    for (const node *at = disk->nodes; at != NULL; at = at->next) {
        if (at->path == NULL) {
            continue;
        }
        node *made = checked(calloc(1, sizeof *made));
        *made = *at;
        made->path = checked(strdup(at->path));
        made->bytes = checked(malloc(at->size + 1));
        if (at->size > 0) {
            memcpy(made->bytes, at->bytes, at->size);
        }
        made->opens = 0;
        made->next = NULL;
        *last = made;
        last = &made->next;
    }
    copy->inodes = disk->inodes;
    copy->ticks = disk->ticks;
    copy->chance = disk->chance;
    return copy;
}

void fuzz_disk_free(fuzz_disk *disk)
{
    if (disk->open_files != 0) {
        FUZZ_FAIL("%u files are still open", disk->open_files);
    }
    while (disk->nodes != NULL) {
        node *at = disk->nodes;
        disk->nodes = at->next;
        free(at->path);
        free(at->bytes);
        free(at);
    }
    free(disk);
}

ref_vfs *fuzz_disk_vfs(fuzz_disk *disk)
{
    return &disk->vfs;
}

void fuzz_disk_put(fuzz_disk *disk, const char *path, const void *bytes, size_t size)
{
    ref_file *file;
    ref_vfs *vfs = &disk->vfs;
    int error = vfs->open(vfs, path, REF_O_WRITE | REF_O_CREATE | REF_O_TRUNC, 0644, &file);
    if (error == 0) {
        error = ref_write_full(file, bytes, size, 0);
        vfs->close(file);
    }
    if (error != 0) {
        FUZZ_FAIL("%s: the harness cannot make it: error %d", path, error);
    }
}

typedef struct hashing {
    ref_vfs *vfs;
    uint64_t hash;
} hashing;

static int hash_entry(void *context, const char *path, const char *relative, const ref_stat *stat)
{
    hashing *sum = context;
    uint8_t block[4096];
    size_t done = 0;
    ref_file *file;
    sum->hash = fuzz_hash(sum->hash, relative, strlen(relative) + 1);
    if (stat->kind != REF_KIND_FILE) {
        return 0;
    }
    int error = sum->vfs->open(sum->vfs, path, 0, 0, &file);
    for (uint64_t at = 0; error == 0; at += done) {
        error = ref_read_full(file, block, sizeof block, at, &done);
        sum->hash = fuzz_hash(sum->hash, block, done);
        if (done < sizeof block) {
            break;
        }
    }
    if (error == 0) {
        sum->vfs->close(file);
    }
    return error;
}

uint64_t fuzz_disk_hash(fuzz_disk *disk, const char *path)
{
    hashing sum = {&disk->vfs, 0};
    if (ref_tree_walk(&disk->vfs, path, false, hash_entry, &sum) != 0) {
        FUZZ_FAIL("%s: the harness cannot read it", path);
    }
    return sum.hash;
}
