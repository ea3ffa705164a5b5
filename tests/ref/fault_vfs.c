/* A vfs that counts operations, fails chosen ones and cuts the power: see fault_vfs.h. */
#include "fault_vfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fault_file {
    ref_file file;
    ref_file *next;
    char *path;
} fault_file;

static fault_vfs *self_of(ref_vfs *vfs)
{
    return vfs->self;
}

static fault_file *file_of(ref_file *file)
{
    return (fault_file *)(void *)file;
}

/* ---- the decision ---- */

static bool concerns(const fault_rule *rule, fault_kind kind, const char *path)
{
    return rule->nth != 0 && (rule->kinds & FAULT_BIT(kind)) != 0 &&
           (rule->path == NULL || (path != NULL && strstr(path, rule->path) != NULL));
}

/* Counts the operation. 0, or the error that it shall give; *half when it shall do a part of its
 * work before. */
static int decide(fault_vfs *vfs, fault_kind kind, const char *path, bool *half)
{
    int error = 0;
    if (vfs->before != NULL) {
        vfs->before(vfs->before_context, kind, path);
    }
    if (half != NULL) {
        *half = false;
    }
    pthread_mutex_lock(&vfs->mutex);
    vfs->counts[kind]++;
    if (concerns(&vfs->rule, kind, path)) {
        vfs->seen++;
        bool hit = vfs->seen == vfs->rule.nth ||
                   (vfs->rule.manner == FAULT_FROM_THEN && vfs->seen > vfs->rule.nth);
        if (hit) {
            error = vfs->rule.error;
            vfs->injected++;
            vfs->dark = vfs->rule.manner == FAULT_POWER_CUT;
            if (half != NULL) {
                *half = vfs->rule.manner == FAULT_SHORT;
            }
        }
    }
    if (error == 0 && vfs->dark && (FAULT_CHANGES & FAULT_BIT(kind)) != 0) {
        error = EIO;
    }
    pthread_mutex_unlock(&vfs->mutex);
    return error;
}

static int decide_file(ref_file *file, fault_kind kind, bool *half)
{
    return decide(self_of(file->vfs), kind, file_of(file)->path, half);
}

/* ---- files ---- */

static int fault_open(ref_vfs *vfs, const char *path, unsigned flags, uint32_t mode, ref_file **out)
{
    fault_vfs *self = self_of(vfs);
    *out = NULL;
    int error = decide(self, flags & REF_O_CREATE ? FAULT_CREATE : FAULT_OPEN, path, NULL);
    if (error != 0) {
        return error;
    }
    fault_file *file = calloc(1, sizeof *file);
    char *copy = strdup(path);
    error = file == NULL || copy == NULL ? ENOMEM : 0;
    if (error == 0) {
        error = self->next->open(self->next, path, flags, mode, &file->next);
    }
    if (error != 0) {
        free(file);
        free(copy);
        return error;
    }
    file->file.vfs = vfs;
    file->path = copy;
    pthread_mutex_lock(&self->mutex);
    self->open_files++;
    pthread_mutex_unlock(&self->mutex);
    *out = &file->file;
    return 0;
}

static int fault_close(ref_file *file)
{
    fault_vfs *self = self_of(file->vfs);
    fault_file *mine = file_of(file);
    int error = decide(self, FAULT_CLOSE, mine->path, NULL);
    int closed = mine->next->vfs->close(mine->next);
    pthread_mutex_lock(&self->mutex);
    self->open_files--;
    pthread_mutex_unlock(&self->mutex);
    free(mine->path);
    free(mine);
    return error != 0 ? error : closed;
}

static int fault_pread(ref_file *file, void *buffer, size_t size, uint64_t offset, size_t *done)
{
    ref_file *next = file_of(file)->next;
    *done = 0;
    int error = decide_file(file, FAULT_READ, NULL);
    return error != 0 ? error : next->vfs->pread(next, buffer, size, offset, done);
}

static int fault_pwrite(
    ref_file *file, const void *buffer, size_t size, uint64_t offset, size_t *done)
{
    ref_file *next = file_of(file)->next;
    bool half;
    *done = 0;
    int error = decide_file(file, FAULT_WRITE, &half);
    if (error != 0 && half) {
        size_t part;
        next->vfs->pwrite(next, buffer, size / 2, offset, &part);
    }
    return error != 0 ? error : next->vfs->pwrite(next, buffer, size, offset, done);
}

static int fault_fsync(ref_file *file)
{
    ref_file *next = file_of(file)->next;
    int error = decide_file(file, FAULT_FSYNC, NULL);
    if (error == 0 && self_of(file->vfs)->real_sync) {
        error = next->vfs->fsync(next);
    }
    return error;
}

static int fault_truncate(ref_file *file, uint64_t size)
{
    ref_file *next = file_of(file)->next;
    int error = decide_file(file, FAULT_TRUNCATE, NULL);
    return error != 0 ? error : next->vfs->truncate(next, size);
}

static int fault_fstat(ref_file *file, ref_stat *out)
{
    ref_file *next = file_of(file)->next;
    memset(out, 0, sizeof *out);
    int error = decide_file(file, FAULT_STAT, NULL);
    return error != 0 ? error : next->vfs->fstat(next, out);
}

static int fault_lock(ref_file *file, uint64_t offset, uint64_t size, ref_lock kind)
{
    ref_file *next = file_of(file)->next;
    int error = decide_file(file, FAULT_LOCK, NULL);
    return error != 0 ? error : next->vfs->lock(next, offset, size, kind);
}

/* ---- names ---- */

static int fault_stat(ref_vfs *vfs, const char *path, ref_stat *out)
{
    fault_vfs *self = self_of(vfs);
    memset(out, 0, sizeof *out);
    int error = decide(self, FAULT_STAT, path, NULL);
    return error != 0 ? error : self->next->stat(self->next, path, out);
}

static int fault_lstat(ref_vfs *vfs, const char *path, ref_stat *out)
{
    fault_vfs *self = self_of(vfs);
    memset(out, 0, sizeof *out);
    int error = decide(self, FAULT_STAT, path, NULL);
    return error != 0 ? error : self->next->lstat(self->next, path, out);
}

static int fault_list(ref_vfs *vfs, const char *path, ref_list_fn each, void *context)
{
    fault_vfs *self = self_of(vfs);
    int error = decide(self, FAULT_LIST, path, NULL);
    return error != 0 ? error : self->next->list(self->next, path, each, context);
}

static int fault_mkdir(ref_vfs *vfs, const char *path, uint32_t mode)
{
    fault_vfs *self = self_of(vfs);
    int error = decide(self, FAULT_MKDIR, path, NULL);
    return error != 0 ? error : self->next->mkdir(self->next, path, mode);
}

static int fault_rmdir(ref_vfs *vfs, const char *path)
{
    fault_vfs *self = self_of(vfs);
    int error = decide(self, FAULT_RMDIR, path, NULL);
    return error != 0 ? error : self->next->rmdir(self->next, path);
}

static int fault_unlink(ref_vfs *vfs, const char *path)
{
    fault_vfs *self = self_of(vfs);
    int error = decide(self, FAULT_UNLINK, path, NULL);
    return error != 0 ? error : self->next->unlink(self->next, path);
}

static int fault_rename(ref_vfs *vfs, const char *from, const char *to, bool exclusive)
{
    fault_vfs *self = self_of(vfs);
    int error = decide(self, FAULT_RENAME, to, NULL);
    return error != 0 ? error : self->next->rename(self->next, from, to, exclusive);
}

static int fault_fsync_dir(ref_vfs *vfs, const char *path)
{
    fault_vfs *self = self_of(vfs);
    int error = decide(self, FAULT_FSYNC_DIR, path, NULL);
    if (error == 0 && self->real_sync) {
        error = self->next->fsync_dir(self->next, path);
    }
    return error;
}

static int fault_resolve(ref_vfs *vfs, const char *path, char *out, size_t size)
{
    fault_vfs *self = self_of(vfs);
    int error = decide(self, FAULT_RESOLVE, path, NULL);
    return error != 0 ? error : self->next->resolve(self->next, path, out, size);
}

/* ---- time and chance ---- */

static uint64_t fault_now(ref_vfs *vfs)
{
    fault_vfs *self = self_of(vfs);
    if (!self->fixed) {
        return self->next->now(self->next);
    }
    pthread_mutex_lock(&self->mutex);
    uint64_t now = 1000000000000000000u + ++self->ticks * 1000000u;
    pthread_mutex_unlock(&self->mutex);
    return now;
}

static void fault_sleep(ref_vfs *vfs, uint64_t nanoseconds)
{
    fault_vfs *self = self_of(vfs);
    self->next->sleep(self->next, nanoseconds);
}

static int fault_random(ref_vfs *vfs, void *buffer, size_t size)
{
    fault_vfs *self = self_of(vfs);
    uint8_t *at = buffer;
    int error = decide(self, FAULT_RANDOM, NULL, NULL);
    if (error != 0 || !self->fixed) {
        return error != 0 ? error : self->next->random(self->next, buffer, size);
    }
    pthread_mutex_lock(&self->mutex);
    for (size_t i = 0; i < size; i++) {
        self->chance = self->chance * 6364136223846793005u + 1442695040888963407u;
        at[i] = (uint8_t)(self->chance >> 56);
    }
    pthread_mutex_unlock(&self->mutex);
    return 0;
}

/* ---- the settings ---- */

void fault_vfs_init(fault_vfs *vfs)
{
    memset(vfs, 0, sizeof *vfs);
    pthread_mutex_init(&vfs->mutex, NULL);
    vfs->next = ref_vfs_posix();
    vfs->vfs = (ref_vfs){
        .version = 1,
        .self = vfs,
        .open = fault_open,
        .close = fault_close,
        .pread = fault_pread,
        .pwrite = fault_pwrite,
        .fsync = fault_fsync,
        .truncate = fault_truncate,
        .fstat = fault_fstat,
        .lock = fault_lock,
        .stat = fault_stat,
        .lstat = fault_lstat,
        .list = fault_list,
        .mkdir = fault_mkdir,
        .rmdir = fault_rmdir,
        .unlink = fault_unlink,
        .rename = fault_rename,
        .fsync_dir = fault_fsync_dir,
        .resolve = fault_resolve,
        .now = fault_now,
        .sleep = fault_sleep,
        .random = fault_random,
    };
}

void fault_vfs_destroy(fault_vfs *vfs)
{
    pthread_mutex_destroy(&vfs->mutex);
}

void fault_set(fault_vfs *vfs, const fault_rule *rule)
{
    pthread_mutex_lock(&vfs->mutex);
    vfs->rule = *rule;
    vfs->seen = 0;
    vfs->injected = 0;
    vfs->dark = false;
    pthread_mutex_unlock(&vfs->mutex);
}

void fault_fail_nth(fault_vfs *vfs, unsigned kinds, const char *path, uint64_t nth)
{
    fault_rule rule = {
        .kinds = kinds, .path = path, .nth = nth, .error = EIO, .manner = FAULT_ONCE};
    fault_set(vfs, &rule);
}

void fault_heal(fault_vfs *vfs)
{
    pthread_mutex_lock(&vfs->mutex);
    vfs->rule = (fault_rule){0};
    vfs->dark = false;
    pthread_mutex_unlock(&vfs->mutex);
}

uint64_t fault_count(fault_vfs *vfs, unsigned kinds)
{
    uint64_t count = 0;
    pthread_mutex_lock(&vfs->mutex);
    for (unsigned kind = 0; kind < FAULT_KINDS; kind++) {
        count += (kinds & FAULT_BIT(kind)) != 0 ? vfs->counts[kind] : 0;
    }
    pthread_mutex_unlock(&vfs->mutex);
    return count;
}

uint64_t fault_injected(fault_vfs *vfs)
{
    pthread_mutex_lock(&vfs->mutex);
    uint64_t injected = vfs->injected;
    pthread_mutex_unlock(&vfs->mutex);
    return injected;
}

const char *fault_kind_name(fault_kind kind)
{
    static const char *const names[FAULT_KINDS] = {"open", "create", "close", "read", "write",
        "fsync", "truncate", "stat", "lock", "list", "mkdir", "rmdir", "unlink", "rename",
        "fsync_dir", "resolve", "random"};
    return names[kind];
}
