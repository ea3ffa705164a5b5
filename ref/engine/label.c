#include "label.h"

#include <errno.h>
#include <stdlib.h>

#define LABEL_MAGIC "HOTREFBL"
#define LABEL_VERSION 1u

enum {
    AT_VERSION = 8,
    AT_ENVIRONMENT = 16,
    AT_REDO = 32,
    AT_END = 40,
    AT_CRC = REF_LABEL_SIZE - 4
};

void ref_label_write(uint8_t *at, const ref_label *label)
{
    memset(at, 0, REF_LABEL_SIZE);
    memcpy(at, LABEL_MAGIC, 8);
    ref_put32(at + AT_VERSION, LABEL_VERSION);
    memcpy(at + AT_ENVIRONMENT, &label->environment, sizeof label->environment);
    ref_put64(at + AT_REDO, label->redo);
    ref_put64(at + AT_END, label->end);
    ref_put32(at + AT_CRC, ref_crc32c(0, at, AT_CRC));
}

static int decode(const char *path, const uint8_t *at, size_t size, ref_label *out)
{
    if (size < REF_LABEL_SIZE || memcmp(at, LABEL_MAGIC, 8) != 0 ||
        ref_get32(at + AT_CRC) != ref_crc32c(0, at, AT_CRC)) {
        return ref_fail(REF_CORRUPT, "%s: offset 0: damaged", path);
    }
    if (ref_get32(at + AT_VERSION) != LABEL_VERSION) {
        return ref_fail(REF_VERSION, "%s: offset %d: format version %u, this program reads %u",
            path, AT_VERSION, ref_get32(at + AT_VERSION), LABEL_VERSION);
    }
    memcpy(&out->environment, at + AT_ENVIRONMENT, sizeof out->environment);
    out->redo = ref_get64(at + AT_REDO);
    out->end = ref_get64(at + AT_END);
    return 0;
}

int ref_label_read(ref_vfs *vfs, const char *home, ref_label *out)
{
    uint8_t bytes[REF_LABEL_SIZE];
    size_t done = 0;
    ref_file *file = NULL;
    char *path = ref_path_join(home, REF_LABEL_NAME);

    *out = (ref_label){0};
    if (path == NULL) {
        return ref_fail(ENOMEM, "%s: label", home);
    }
    int error = vfs->open(vfs, path, 0, 0, &file);
    if (error == 0) {
        error = ref_read_full(file, bytes, sizeof bytes, 0, &done);
        vfs->close(file);
    }
    if (error == 0) {
        error = decode(path, bytes, done, out);
    } else if (error != ENOENT) {
        ref_fail(error, "%s: read", path);
    }
    free(path);
    return error;
}

int ref_label_remove(ref_vfs *vfs, const char *home)
{
    char *path = ref_path_join(home, REF_LABEL_NAME);
    if (path == NULL) {
        return ref_fail(ENOMEM, "%s: label", home);
    }
    int error = vfs->unlink(vfs, path);
    if (error == 0) {
        error = ref_sync_parent(vfs, path);
    } else if (error != ENOENT) {
        ref_fail(error, "%s: remove", path);
    }
    free(path);
    return error == ENOENT ? 0 : error;
}
