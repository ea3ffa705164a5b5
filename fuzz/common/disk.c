#include "disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tree.h"
#include "faults/disk/disk.h"
#include "fuzz.h"

/* The vfs is the disk's but for a few functions; its files say that they are this one's. */
struct fuzz_disk {
    ref_vfs vfs;
    fault_disk *disk;
    ref_vfs *below;
    unsigned open_files;
    unsigned syncs_left; /* until a crash is taken */
    uint64_t seed;       /* of that crash */
    fuzz_disk **crashed;
};

static fuzz_disk *disk_of(ref_vfs *vfs)
{
    return (fuzz_disk *)(void *)vfs;
}

static int open_counted(
    ref_vfs *vfs, const char *path, unsigned flags, uint32_t mode, ref_file **out)
{
    fuzz_disk *disk = disk_of(vfs);
    int error = disk->below->open(disk->below, path, flags, mode, out);
    if (error == 0) {
        (*out)->vfs = vfs;
        disk->open_files++;
    }
    return error;
}

static int close_counted(ref_file *file)
{
    fuzz_disk *disk = disk_of(file->vfs);
    disk->open_files--;
    return disk->below->close(file);
}

static int pwrite_limited(
    ref_file *file, const void *buffer, size_t size, uint64_t offset, size_t *done)
{
    fuzz_disk *disk = disk_of(file->vfs);
    *done = 0;
    if (offset > FUZZ_FILE_MAX || size > FUZZ_FILE_MAX - offset) {
        return EFBIG;
    }
    return disk->below->pwrite(file, buffer, size, offset, done);
}

static int truncate_limited(ref_file *file, uint64_t size)
{
    return size > FUZZ_FILE_MAX ? EFBIG : disk_of(file->vfs)->below->truncate(file, size);
}

static fuzz_disk *wrap(fault_disk *below)
{
    fuzz_disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL) {
        abort();
    }
    disk->disk = below;
    disk->below = fault_disk_vfs(below);
    disk->vfs = *disk->below;
    disk->vfs.open = open_counted;
    disk->vfs.close = close_counted;
    disk->vfs.pwrite = pwrite_limited;
    disk->vfs.truncate = truncate_limited;
    disk->vfs.allocate = NULL;
    disk->vfs.submit = NULL;
    disk->vfs.reap = NULL;
    return disk;
}

static void must(int error, const char *what)
{
    if (error != 0) {
        FUZZ_FAIL("%s: the harness cannot: error %d", what, error);
    }
}

fuzz_disk *fuzz_disk_new(uint64_t seed)
{
    fault_disk *below;
    fault_disk_options options = {.profile = FAULT_POSIX_WEAK, .seed = seed};
    must(fault_disk_new(&options, &below), "make a disk");
    fuzz_disk *disk = wrap(below);
    must(disk->vfs.mkdir(&disk->vfs, "/home", 0755), "/home");
    must(disk->vfs.mkdir(&disk->vfs, "/outside", 0755), "/outside");
    fault_disk_settle(below);
    return disk;
}

fuzz_disk *fuzz_disk_clone(fuzz_disk *disk)
{
    fault_disk *below;
    must(fault_disk_clone(disk->disk, &below), "clone a disk");
    return wrap(below);
}

static uint32_t lose(void *context, const fault_question *question)
{
    (void)context;
    (void)question;
    return 0;
}

fuzz_disk *fuzz_disk_crash(fuzz_disk *disk)
{
    fault_disk *below;
    must(fault_disk_crash(disk->disk, lose, NULL, &below), "cut a disk's power");
    return wrap(below);
}

static uint32_t toss(void *context, const fault_question *question)
{
    uint64_t *chance = context;
    *chance = fuzz_hash(*chance, &question->offset, sizeof question->offset);
    return (uint32_t)(*chance >> 32) % question->answers;
}

static void at_sync(void *context, fault_disk *below)
{
    fuzz_disk *disk = context;
    fault_disk *crashed;
    if (disk->syncs_left == 0 || --disk->syncs_left > 0) {
        return;
    }
    must(fault_disk_crash(below, toss, &disk->seed, &crashed), "cut a disk's power");
    *disk->crashed = wrap(crashed);
}

void fuzz_disk_crash_at(fuzz_disk *disk, unsigned sync, uint64_t seed, fuzz_disk **out)
{
    *out = NULL;
    disk->syncs_left = sync;
    disk->seed = seed;
    disk->crashed = out;
    fault_disk_on_barrier(disk->disk, at_sync, disk);
}

void fuzz_disk_free(fuzz_disk *disk)
{
    if (disk->open_files != 0) {
        FUZZ_FAIL("%u files are still open", disk->open_files);
    }
    fault_disk_free(disk->disk);
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
    must(error, path);
    fault_disk_settle(disk->disk);
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
