/* The vfs: names and directories. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A call on a path: takes the mutex, asks the plan, follows the path. False: it is over. */
static bool begin_path(
    fault_call *call, const char *path, fault_where *where, char *text, int *error)
{
    *error = fault_normalise(path, text);
    call->op.path = text;
    if (*error != 0) {
        text[0] = '\0';
    }
    int wrong = *error;
    if (!fault_begin(call, error)) {
        return false;
    }
    *error = wrong != 0 ? wrong : fault_walk(call->disk, path, where);
    return *error == 0;
}

void fault_stat(fault_disk *disk, uint32_t slot, ref_stat *out)
{
    fault_inode *inode = &disk->inodes[slot];
    *out = (ref_stat){
        .kind = (ref_file_kind)inode->kind,
        .size = inode->kind == REF_KIND_FILE ? fault_inode_size(disk, inode) : 0,
        .device = 1,
        .inode = inode->number,
        .mode = inode->mode,
    };
}

static int disk_stat(ref_vfs *vfs, const char *path, ref_stat *out)
{
    char text[FAULT_PATH_MAX];
    fault_where where;
    fault_call call = {.disk = vfs->self, .op = {.op = FAULT_OP_STAT}};
    int error;
    *out = (ref_stat){0};
    if (begin_path(&call, path, &where, text, &error)) {
        if (where.slot == FAULT_NOWHERE) {
            error = ENOENT;
        } else {
            fault_stat(call.disk, where.slot, out);
            call.op.inode = out->inode;
        }
    }
    return fault_end(&call, error);
}

/* The slot must be a directory. */
static int must_be_dir(const fault_disk *disk, uint32_t slot)
{
    if (slot == FAULT_NOWHERE) {
        return ENOENT;
    }
    return disk->inodes[slot].kind == REF_KIND_DIRECTORY ? 0 : ENOTDIR;
}

/* Entries are called without the mutex, as they were when the listing began: what is called may use
 * the disk. */
static int disk_list(ref_vfs *vfs, const char *path, ref_list_fn each, void *context)
{
    char text[FAULT_PATH_MAX];
    fault_where where;
    fault_call call = {.disk = vfs->self, .op = {.op = FAULT_OP_LIST}};
    fault_table *names = NULL;
    int error;
    if (begin_path(&call, path, &where, text, &error)) {
        error = must_be_dir(call.disk, where.slot);
    }
    if (error == 0) {
        fault_name_empty(call.disk, where.slot);
        call.op.inode = call.disk->inodes[where.slot].number;
        names = fault_table_share(call.disk->inodes[where.slot].names);
    }
    error = fault_end(&call, error);
    for (uint32_t i = 0; error == 0 && names != NULL && i < names->count; i++) {
        error = each(context, fault_bytes_text(names->at[i].name));
    }
    fault_table_drop(names);
    return error;
}

static int disk_mkdir(ref_vfs *vfs, const char *path, uint32_t mode)
{
    char text[FAULT_PATH_MAX];
    fault_where where;
    fault_call call = {.disk = vfs->self, .op = {.op = FAULT_OP_MKDIR}};
    fault_disk *disk = call.disk;
    int error;
    if (begin_path(&call, path, &where, text, &error) && where.slot != FAULT_NOWHERE) {
        error = EEXIST;
    }
    if (error == 0 && call.decision.action != FAULT_DO_LOSE && !disk->dead) {
        uint32_t slot = fault_inode_new(disk, REF_KIND_DIRECTORY, mode & 07777, where.path);
        fault_name_change(disk, where.dir, ++disk->order, NULL, where.name, slot);
    }
    return fault_end(&call, error);
}

/* Takes a name away. */
static int remove_name(ref_vfs *vfs, const char *path, fault_op_class op)
{
    char text[FAULT_PATH_MAX];
    fault_where where;
    fault_call call = {.disk = vfs->self, .op = {.op = op}};
    fault_disk *disk = call.disk;
    int error;
    if (begin_path(&call, path, &where, text, &error)) {
        int kind = must_be_dir(disk, where.slot);
        if (op == FAULT_OP_UNLINK) {
            error = kind == 0 ? EISDIR : kind == ENOENT ? ENOENT : 0;
        } else {
            error = kind != 0                                      ? kind
                    : where.slot == 0                              ? EBUSY
                    : !fault_name_empty(disk, where.slot)          ? ENOTEMPTY
                                                                   : 0;
        }
        if (error == 0 && call.decision.action != FAULT_DO_LOSE) {
            call.op.inode = disk->inodes[where.slot].number;
            fault_name_change(disk, where.dir, ++disk->order, where.name, NULL, where.slot);
        }
    }
    return fault_end(&call, error);
}

static int disk_rmdir(ref_vfs *vfs, const char *path)
{
    return remove_name(vfs, path, FAULT_OP_RMDIR);
}

static int disk_unlink(ref_vfs *vfs, const char *path)
{
    return remove_name(vfs, path, FAULT_OP_UNLINK);
}

/* Whether `from` may take the place of `to`. */
static int may_replace(
    fault_disk *disk, const fault_where *from, const fault_where *to, bool exclusive)
{
    size_t length = strlen(from->path);
    if (from->slot == FAULT_NOWHERE) {
        return ENOENT;
    }
    bool directory = disk->inodes[from->slot].kind == REF_KIND_DIRECTORY;
    if (from->slot == 0 || to->slot == 0) {
        return EBUSY;
    }
    if (directory && strncmp(to->path, from->path, length) == 0 && to->path[length] == '/') {
        return EINVAL;
    }
    if (to->slot == FAULT_NOWHERE) {
        return to->slash && !directory ? ENOTDIR : 0;
    }
    if (exclusive) {
        return EEXIST;
    }
    if (to->slot == from->slot) {
        return 0;
    }
    bool onto = disk->inodes[to->slot].kind == REF_KIND_DIRECTORY;
    if (onto != directory) {
        return onto ? EISDIR : ENOTDIR;
    }
    return onto && !fault_name_empty(disk, to->slot) ? ENOTEMPTY : 0;
}

static void move(fault_disk *disk, const fault_where *from, const fault_where *to)
{
    uint64_t order = ++disk->order;
    if (from->dir == to->dir) {
        fault_name_change(disk, from->dir, order, from->name, to->name, from->slot);
    } else {
        fault_name_change(disk, from->dir, order, from->name, NULL, from->slot);
        fault_name_change(disk, to->dir, order, NULL, to->name, from->slot);
    }
    fault_inode *inode = &disk->inodes[from->slot];
    fault_bytes_drop(inode->path);
    inode->path = fault_bytes_new(to->path, strlen(to->path));
}

static int disk_rename(ref_vfs *vfs, const char *from, const char *to, bool exclusive)
{
    char text[FAULT_PATH_MAX], target[FAULT_PATH_MAX];
    fault_where source, place;
    fault_call call = {.disk = vfs->self, .op = {.op = FAULT_OP_RENAME}};
    fault_disk *disk = call.disk;
    int error, wrong = fault_normalise(to, target);
    call.op.to = wrong == 0 ? target : "";
    if (begin_path(&call, from, &source, text, &error)) {
        error = wrong != 0 ? wrong : fault_walk(disk, to, &place);
        error = error == 0 ? may_replace(disk, &source, &place, exclusive) : error;
        if (error == 0 && call.decision.action != FAULT_DO_LOSE && source.slot != place.slot) {
            call.op.inode = disk->inodes[source.slot].number;
            move(disk, &source, &place);
        }
    }
    return fault_end(&call, error);
}

static int disk_fsync_dir(ref_vfs *vfs, const char *path)
{
    char text[FAULT_PATH_MAX];
    fault_where where;
    fault_call call = {.disk = vfs->self, .op = {.op = FAULT_OP_SYNC_DIR}};
    int error;
    fault_barrier(call.disk);
    if (begin_path(&call, path, &where, text, &error)) {
        error = must_be_dir(call.disk, where.slot);
        if (error == 0) {
            call.op.inode = call.disk->inodes[where.slot].number;
            error = fault_sync_decided(&call, &call.disk->inodes[where.slot]);
            if (call.disk->garbage) {
                fault_inode_collect(call.disk);
            }
        }
    }
    return fault_end(&call, error);
}

static int disk_resolve(ref_vfs *vfs, const char *path, char *out, size_t size)
{
    char text[FAULT_PATH_MAX];
    fault_where where;
    fault_call call = {.disk = vfs->self, .op = {.op = FAULT_OP_RESOLVE}};
    int error;
    if (size > 0) {
        out[0] = '\0';
    }
    if (begin_path(&call, path, &where, text, &error)) {
        error = where.slot == FAULT_NOWHERE ? ENOENT : strlen(where.path) >= size ? ERANGE : 0;
        if (error == 0) {
            strcpy(out, where.path);
        }
    }
    return fault_end(&call, error);
}

void fault_vfs_names(ref_vfs *vfs)
{
    vfs->stat = disk_stat;
    vfs->lstat = disk_stat;
    vfs->list = disk_list;
    vfs->mkdir = disk_mkdir;
    vfs->rmdir = disk_rmdir;
    vfs->unlink = disk_unlink;
    vfs->rename = disk_rename;
    vfs->fsync_dir = disk_fsync_dir;
    vfs->resolve = disk_resolve;
}
