/*
 * The control file: redo point and identity, in two slots that are written in turn, each with a
 * checksum, so that a torn write leaves the other. It stays in the home and in no backup: a home
 * with log segments and without it is a copy.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define CONTROL_MAGIC "HOTREFCT"
#define CONTROL_VERSION 1u
#define SLOT_SIZE 512u
#define SLOT_DISTANCE 4096u /* the slots share no block of the disk */

enum {
    AT_VERSION = 8,
    AT_FLAGS = 12,
    AT_ENVIRONMENT = 16,
    AT_SEQUENCE = 32,
    AT_REDO = 40,
    AT_DURABLE = 48,
    AT_COMMIT = 56,
    AT_CRC = SLOT_SIZE - 4
};

#define FLAG_COPY 0x01u

static bool decode(const uint8_t *slot, ref_control *out)
{
    if (memcmp(slot, CONTROL_MAGIC, 8) != 0 ||
        ref_get32(slot + AT_CRC) != ref_crc32c(0, slot, AT_CRC)) {
        return false;
    }
    memcpy(&out->environment, slot + AT_ENVIRONMENT, sizeof out->environment);
    out->sequence = ref_get64(slot + AT_SEQUENCE);
    out->redo = ref_get64(slot + AT_REDO);
    out->durable = ref_get64(slot + AT_DURABLE);
    out->commit = ref_get64(slot + AT_COMMIT);
    out->copy = (ref_get32(slot + AT_FLAGS) & FLAG_COPY) != 0;
    return true;
}

static void encode(uint8_t *slot, const ref_control *control)
{
    memset(slot, 0, SLOT_SIZE);
    memcpy(slot, CONTROL_MAGIC, 8);
    ref_put32(slot + AT_VERSION, CONTROL_VERSION);
    ref_put32(slot + AT_FLAGS, control->copy ? FLAG_COPY : 0);
    memcpy(slot + AT_ENVIRONMENT, &control->environment, sizeof control->environment);
    ref_put64(slot + AT_SEQUENCE, control->sequence);
    ref_put64(slot + AT_REDO, control->redo);
    ref_put64(slot + AT_DURABLE, control->durable);
    ref_put64(slot + AT_COMMIT, control->commit);
    ref_put32(slot + AT_CRC, ref_crc32c(0, slot, AT_CRC));
}

static int choose(const char *path, const uint8_t *bytes, size_t size, ref_control *out)
{
    bool found = false;
    for (size_t at = 0; at + SLOT_SIZE <= size; at += SLOT_DISTANCE) {
        ref_control slot;
        if (!decode(bytes + at, &slot)) {
            continue;
        }
        if (ref_get32(bytes + at + AT_VERSION) != CONTROL_VERSION) {
            return ref_fail(REF_VERSION, "%s: offset %zu: format version %u, this program reads %u",
                path, at + AT_VERSION, ref_get32(bytes + at + AT_VERSION), CONTROL_VERSION);
        }
        if (!found || slot.sequence > out->sequence) {
            *out = slot;
            found = true;
        }
    }
    return found
               ? 0
               : ref_fail(REF_CORRUPT,
                     "%s: offsets 0 and %u: neither slot is sound; to recover from the log alone, "
                     "remove this file",
                     path, SLOT_DISTANCE);
}

int ref_control_read(ref_vfs *vfs, const char *home, ref_control *out)
{
    uint8_t bytes[SLOT_DISTANCE + SLOT_SIZE];
    size_t done = 0;
    ref_file *file = NULL;
    char *path = ref_path_join(home, REF_CONTROL_NAME);

    *out = (ref_control){0};
    if (path == NULL) {
        return ref_fail(ENOMEM, "%s: control file", home);
    }
    int error = vfs->open(vfs, path, 0, 0, &file);
    if (error == ENOENT) {
        free(path);
        return ENOENT;
    }
    if (error == 0) {
        error = ref_read_full(file, bytes, sizeof bytes, 0, &done);
        vfs->close(file);
    }
    error = error == 0 ? choose(path, bytes, done, out) : ref_fail(error, "%s: read", path);
    free(path);
    return error;
}

static int write_slot(ref_vfs *vfs, const char *path, unsigned flags, uint32_t mode,
    const uint8_t *slot, uint64_t offset)
{
    ref_file *file;
    int error = vfs->open(vfs, path, REF_O_WRITE | flags, mode, &file);
    if (error != 0) {
        return error;
    }
    error = ref_write_full(file, slot, SLOT_SIZE, offset);
    if (error == 0) {
        error = vfs->fsync(file);
    }
    vfs->close(file);
    return error;
}

/* The first one has no other slot that would survive a torn write: it is made beside its place. */
static int make_control(ref_vfs *vfs, const char *home, const char *path, uint32_t mode,
    const uint8_t *slot, uint64_t offset)
{
    char *beside = ref_path_suffix(path, REF_RECOVERY_SUFFIX);
    if (beside == NULL) {
        return ENOMEM;
    }
    int error = write_slot(vfs, beside, REF_O_CREATE | REF_O_TRUNC, mode, slot, offset);
    if (error == 0) {
        error = vfs->rename(vfs, beside, path, false);
    }
    if (error == 0) {
        error = vfs->fsync_dir(vfs, home);
    }
    free(beside);
    return error;
}

int ref_control_write(ref_vfs *vfs, const char *home, uint32_t mode, ref_control *control)
{
    uint8_t slot[SLOT_SIZE];
    ref_stat stat;
    char *path = ref_path_join(home, REF_CONTROL_NAME);

    if (path == NULL) {
        return ref_fail(ENOMEM, "%s: control file", home);
    }
    control->sequence++;
    encode(slot, control);
    uint64_t offset = control->sequence % 2 * SLOT_DISTANCE;
    int error = vfs->lstat(vfs, path, &stat);
    if (error == 0) {
        error = write_slot(vfs, path, 0, mode, slot, offset);
    } else if (error == ENOENT) {
        error = make_control(vfs, home, path, mode, slot, offset);
    }
    if (error != 0) {
        ref_fail(error, "%s: write", path);
    }
    free(path);
    return error;
}
