/* The marker beside a database that is being captured, and what becomes of it: see slot.h. */
#include "slot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAGIC "HOTREFCM"
#define VERSION 1u

/* offsets in the marker; the spill file's name follows */
enum { AT_VERSION = 8, AT_CRC = 12, AT_NONCE = 16, AT_INODE = 32, AT_LENGTH = 40, AT_SPILL = 42 };

#define MARKER_MAX (AT_SPILL + REF_PATH_MAX)

typedef struct marker {
    bool there;
    bool live;
    ref_id nonce;
    uint64_t inode;
    char spill[REF_PATH_MAX + 1];
} marker;

/* ---- writing ---- */

static int open_locked(ref_vfs *vfs, const char *name, uint32_t mode, ref_file **out)
{
    int error =
        vfs->open(vfs, name, REF_O_WRITE | REF_O_CREATE | REF_O_NOFOLLOW, mode & 07777, out);
    if (error == 0) {
        error = vfs->lock(*out, 0, 1, REF_LOCK_EXCLUSIVE);
        error = error == EAGAIN ? EALREADY : error;
    }
    if (error == 0) {
        error = vfs->truncate(*out, 0);
    }
    if (error != 0 && *out != NULL) {
        vfs->close(*out);
        *out = NULL;
    }
    return error == 0 ? 0 : ref_fail(error, "%s: create", name);
}

static int write_marker(ref_file *held, const ref_id *nonce, uint64_t inode, const char *spill)
{
    uint8_t bytes[MARKER_MAX] = {0};
    size_t length = strlen(spill);

    memcpy(bytes, MAGIC, 8);
    ref_put32(bytes + AT_VERSION, VERSION);
    memcpy(bytes + AT_NONCE, nonce, sizeof *nonce);
    ref_put64(bytes + AT_INODE, inode);
    ref_put16(bytes + AT_LENGTH, (uint16_t)length);
    memcpy(bytes + AT_SPILL, spill, length);
    ref_put32(bytes + AT_CRC, ref_crc32c(0, bytes + AT_NONCE, AT_SPILL - AT_NONCE + length));
    int error = ref_write_full(held, bytes, AT_SPILL + length, 0);
    return error == 0 ? held->vfs->fsync(held) : error;
}

int ref_marker_make(ref_vfs *vfs, const char *path, ref_file *file, const ref_id *nonce,
    const char *spill, ref_file **held)
{
    ref_stat stat;
    char *name = ref_path_suffix(path, REF_CAPTURE_SUFFIX);

    *held = NULL;
    if (name == NULL || strlen(spill) > REF_PATH_MAX) {
        free(name);
        return ref_fail(name == NULL ? ENOMEM : ENAMETOOLONG, "%s: capture", path);
    }
    int error = vfs->fstat(file, &stat);
    if (error != 0) {
        ref_fail(error, "%s", path);
    } else {
        error = open_locked(vfs, name, stat.mode, held);
    }
    if (error == 0) {
        error = write_marker(*held, nonce, stat.inode, spill);
        if (error != 0) {
            ref_fail(error, "%s: write", name);
        } else {
            error = ref_sync_parent(vfs, name);
        }
        if (error != 0) {
            vfs->close(*held);
            *held = NULL;
            vfs->unlink(vfs, name);
        }
    }
    free(name);
    return error;
}

void ref_marker_remove(ref_vfs *vfs, const char *path, ref_file *held)
{
    char *name = ref_path_suffix(path, REF_CAPTURE_SUFFIX);
    if (name != NULL) {
        vfs->unlink(vfs, name);
    }
    vfs->close(held);
    free(name);
}

/* ---- reading ---- */

static void parse(const uint8_t *bytes, size_t size, marker *out)
{
    if (size < AT_SPILL || memcmp(bytes, MAGIC, 8) != 0 ||
        ref_get32(bytes + AT_VERSION) != VERSION) {
        return;
    }
    size_t length = ref_get16(bytes + AT_LENGTH);
    if (length > REF_PATH_MAX || length != size - AT_SPILL ||
        ref_get32(bytes + AT_CRC) != ref_crc32c(0, bytes + AT_NONCE, size - AT_NONCE)) {
        return;
    }
    memcpy(&out->nonce, bytes + AT_NONCE, sizeof out->nonce);
    out->inode = ref_get64(bytes + AT_INODE);
    memcpy(out->spill, bytes + AT_SPILL, length);
}

/* What lies beside the database. One that is not whole, as a crash leaves it, names no capture. */
static int look(ref_vfs *vfs, const char *path, marker *out)
{
    uint8_t bytes[MARKER_MAX];
    size_t done = 0;
    ref_file *file;
    char *name = ref_path_suffix(path, REF_CAPTURE_SUFFIX);

    *out = (marker){0};
    if (name == NULL) {
        return ref_fail(ENOMEM, "%s", path);
    }
    int error = vfs->open(vfs, name, REF_O_NOFOLLOW, 0, &file);
    if (error == 0) {
        out->there = true;
        /* A shared lock is refused exactly when a capture holds its own. */
        out->live = vfs->lock(file, 0, 1, REF_LOCK_SHARED) == EAGAIN;
        error = ref_read_full(file, bytes, sizeof bytes, 0, &done);
        vfs->close(file);
    }
    if (error != 0 && error != ENOENT) {
        ref_fail(error, "%s: read", name);
    } else {
        error = 0;
        parse(bytes, done, out);
    }
    free(name);
    return error;
}

bool ref_marker_is_live(ref_vfs *vfs, const char *path)
{
    marker beside;
    return look(vfs, path, &beside) == 0 && beside.live;
}

/* ---- clearing up ---- */

static bool has_suffix(const char *name)
{
    size_t length = strlen(name), suffix = strlen(REF_CAPTURE_SUFFIX);
    return length > suffix && strcmp(name + length - suffix, REF_CAPTURE_SUFFIX) == 0;
}

/* A spill file that a capture which runs has locked is not litter: the marker was copied. */
static void remove_spill(ref_vfs *vfs, const char *path, const char *spill)
{
    char *parent = ref_path_parent(path);
    char *name = parent != NULL ? ref_path_join(parent, spill) : NULL;
    ref_file *file;

    if (name != NULL && has_suffix(name) &&
        vfs->open(vfs, name, REF_O_WRITE | REF_O_NOFOLLOW, 0, &file) == 0) {
        if (vfs->lock(file, 0, 1, REF_LOCK_EXCLUSIVE) == 0) {
            vfs->unlink(vfs, name);
        }
        vfs->close(file);
    }
    free(name);
    free(parent);
}

/* What cannot be removed now is tried again next time. */
static void remove_litter(ref_vfs *vfs, const char *path, const marker *beside)
{
    char *name = ref_path_suffix(path, REF_CAPTURE_SUFFIX);
    if (!beside->there || beside->live || name == NULL) {
        free(name);
        return;
    }
    if (beside->spill[0] != '\0') {
        remove_spill(vfs, path, beside->spill);
    }
    vfs->unlink(vfs, name);
    free(name);
}

static int read_slot(
    ref_vfs *vfs, const char *path, unsigned flags, ref_file **file, ref_slot *slot)
{
    int error = vfs->open(vfs, path, flags, 0, file);
    if (error != 0) {
        *file = NULL;
        return ref_fail(error, "%s: open", path);
    }
    return ref_slot_read(*file, path, slot);
}

static bool names(const marker *beside, const ref_slot *slot)
{
    return beside->there && ref_id_equal(&beside->nonce, &slot->nonce) &&
           !ref_id_is_none(&slot->nonce);
}

int ref_slot_settle(ref_env *env, const char *path, bool copy, bool *doubt)
{
    ref_vfs *vfs = env->vfs;
    ref_file *file = NULL;
    ref_slot slot;
    marker beside;

    *doubt = false;
    int error = read_slot(vfs, path, 0, &file, &slot);
    if (file != NULL) {
        vfs->close(file);
        file = NULL;
    }
    if (error == 0) {
        error = look(vfs, path, &beside);
    }
    if (error != 0) {
        return error;
    }
    if (slot.state != REF_SLOT_NONE && (copy || names(&beside, &slot))) {
        error = read_slot(vfs, path, REF_O_WRITE, &file, &slot);
        if (error == 0) {
            error = ref_slot_write(file, path, NULL);
        }
        if (file != NULL) {
            vfs->close(file);
        }
    } else {
        *doubt = slot.state != REF_SLOT_NONE;
    }
    if (error == 0) {
        remove_litter(vfs, path, &beside);
    }
    return error;
}

/* ---- opening ---- */

static int refuse(const char *path)
{
    char why[512];
    snprintf(why, sizeof why, "%s", ref_error_text());
    return ref_fail(REF_INCOMPLETE,
        "%s: this is a copy made during a backup, and its change information has not been applied "
        "(%s)",
        path, why);
}

/* *file is open for reading. `source`: it may be its own. */
static int check(ref_vfs *vfs, const char *path, ref_file *file, const ref_slot *slot, bool source)
{
    ref_stat stat;
    marker beside;

    if (slot->state == REF_SLOT_NONE || slot->state == REF_SLOT_APPLIED) {
        return 0;
    }
    if (slot->state == REF_SLOT_DAMAGED) {
        return ref_fail(REF_CORRUPT, "%s: page 0: offset %d: the capture slot is damaged", path,
            REF_META_AT_SLOT);
    }
    int error = look(vfs, path, &beside);
    if (error == 0) {
        error = vfs->fstat(file, &stat);
    }
    if (error != 0) {
        return error;
    }
    if (source && names(&beside, slot) && beside.inode == stat.inode) {
        return 0;
    }
    error = ref_slot_judge(file, path, slot);
    return error == REF_CORRUPT ? refuse(path) : error;
}

int ref_slot_check(ref_vfs *vfs, const char *path, bool source)
{
    ref_file *file;
    ref_slot slot;
    int error = read_slot(vfs, path, 0, &file, &slot);
    if (error == 0) {
        error = check(vfs, path, file, &slot, source);
    }
    if (file != NULL) {
        vfs->close(file);
    }
    return error;
}

/* The file's handle is open. Caller holds the checkpoint lock. */
static int admit(ref_dbfile *file, const char *path, bool read_only)
{
    ref_vfs *vfs = file->env->vfs;
    marker beside;
    ref_slot slot;

    int error = ref_slot_read(file->handle, path, &slot);
    if (error == 0) {
        error = check(vfs, path, file->handle, &slot, true);
    }
    if (error == 0) {
        error = look(vfs, path, &beside);
    }
    if (error != 0 || read_only || beside.live) {
        return error;
    }
    if (slot.state != REF_SLOT_NONE) {
        error = ref_slot_write(file->handle, path, NULL);
    }
    if (error == 0) {
        remove_litter(vfs, path, &beside);
        pthread_mutex_lock(&file->env->mutex);
        file->slot_doubt = false;
        pthread_mutex_unlock(&file->env->mutex);
    }
    return error;
}

int ref_slot_admit(ref_dbfile *file, bool read_only)
{
    ref_env *env = file->env;

    pthread_mutex_lock(&env->mutex);
    bool doubt = file->slot_doubt;
    char *path = doubt ? ref_dbfile_path(file) : NULL;
    pthread_mutex_unlock(&env->mutex);
    if (!doubt) {
        return 0;
    }
    int error = path != NULL ? ref_dbfile_open(file) : ref_fail(ENOMEM, "%s", file->name);
    if (error == 0) {
        pthread_mutex_lock(&env->checkpoint_lock);
        error = admit(file, path, read_only);
        pthread_mutex_unlock(&env->checkpoint_lock);
    }
    free(path);
    return error;
}
