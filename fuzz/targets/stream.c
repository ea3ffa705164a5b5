/*
 * The change stream: any bytes as change information, applied to any bytes as a copy.
 *
 * Promises: the pieces in which a stream comes make no difference; what does not belong to the copy
 * changes nothing in it; a copy to which a stream was applied is one, has the start size, and takes
 * the same stream again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"
#include "common/repair.h"
#include "engine/capture.h"
#include "engine/slot.h"

#define SWITCH_PIECES 0x04u

#define PATH "/home/tree.db"

typedef struct information {
    uint8_t *bytes;
    size_t size;
} information;

/* The change information of the input, repaired as its switches say. */
static information take_stream(const uint8_t *data, size_t size)
{
    information out = {0};
    fuzz_file file;
    fuzz_repair repair = fuzz_repair_begin(data[0]);
    for (size_t at = 1; fuzz_next_file(data, size, &at, &file);) {
        uint8_t *bytes = malloc(file.size + 1);
        if (bytes == NULL) {
            abort();
        }
        memcpy(bytes, file.bytes, file.size);
        fuzz_repair_file(&repair, file.name, bytes, file.size);
        if (file.name == 's') {
            free(out.bytes);
            out = (information){bytes, file.size};
        } else {
            free(bytes);
        }
    }
    return out;
}

/* Applies it in pieces of `piece` bytes. */
static int apply(fuzz_disk *disk, const information *stream, size_t piece)
{
    ref_apply *applying;
    int error = ref_apply_start(fuzz_disk_vfs(disk), PATH, stream->size, &applying);
    if (error != 0) {
        fuzz_check_words(error, "ref_apply_start");
        return error;
    }
    for (size_t at = 0; at < stream->size && error == 0; at += piece) {
        size_t part = piece < stream->size - at ? piece : stream->size - at;
        error = ref_apply_next(applying, stream->bytes + at, part);
    }
    if (error != 0) {
        fuzz_check_words(error, "ref_apply_next");
        if (ref_apply_end(applying, true) != 0) {
            FUZZ_FAIL("giving up gives an error");
        }
        return error;
    }
    error = ref_apply_end(applying, false);
    if (error != 0) {
        fuzz_check_words(error, "ref_apply_end");
    }
    return error;
}

static void check_applied(fuzz_disk *disk, uint64_t start_size, const information *stream)
{
    ref_vfs *vfs = fuzz_disk_vfs(disk);
    ref_copy_state state;
    ref_stat stat;
    uint64_t applied = fuzz_disk_hash(disk, "/");
    int error = ref_copy_state_of(vfs, PATH, &state);
    if (error != 0 || state != REF_COPY_APPLIED) {
        FUZZ_FAIL("applied, but the copy's state is %d (%d)", (int)state, error);
    }
    if (vfs->stat(vfs, PATH, &stat) != 0 || stat.size != start_size) {
        FUZZ_FAIL("applied, but the copy has not the size of the start");
    }
    error = apply(disk, stream, 65536);
    if (error != 0 || fuzz_disk_hash(disk, "/") != applied) {
        FUZZ_FAIL("applied a second time: result %d, or another copy", error);
    }
}

static void open_alone(fuzz_disk *disk)
{
    ref_db *db;
    int error = ref_db_open_alone(fuzz_disk_vfs(disk), PATH, NULL, &db);
    if (error != 0) {
        fuzz_check_words(error, "ref_db_open_alone");
        return;
    }
    fuzz_read_database(db);
    if (ref_db_close(db) != 0) {
        FUZZ_FAIL("the copy does not close");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ref_slot slot = {0};
    if (size == 0 || size > FUZZ_INPUT_MAX) {
        return 0;
    }
    fuzz_disk *disk = fuzz_disk_new(FUZZ_SEED);
    fuzz_put_files(disk, data, size);
    ref_vfs *vfs = fuzz_disk_vfs(disk);
    ref_file *file;
    ref_error_clear();
    if (vfs->open(vfs, PATH, 0, 0, &file) == 0) {
        ref_slot_read(file, PATH, &slot);
        vfs->close(file);
    }
    information stream = take_stream(data, size);
    fuzz_disk *pieces = fuzz_disk_clone(disk);
    uint64_t before = fuzz_disk_hash(disk, "/");
    int error = apply(disk, &stream, 65536);
    int in_pieces = apply(pieces, &stream, (data[0] & SWITCH_PIECES) != 0 ? 1 : 37);
    if (error != in_pieces) {
        FUZZ_FAIL("as a whole: %d; in pieces: %d", error, in_pieces);
    }
    if (error == 0) {
        fuzz_note_accepted();
        if (fuzz_disk_hash(disk, "/") != fuzz_disk_hash(pieces, "/")) {
            FUZZ_FAIL("as a whole and in pieces, the copies differ");
        }
        check_applied(disk, slot.size, &stream);
    } else if (slot.state == REF_SLOT_NONE && fuzz_disk_hash(disk, "/") != before) {
        FUZZ_FAIL("a stream that does not belong to the file has changed it");
    }
    open_alone(disk);
    fuzz_disk_free(pieces);
    fuzz_disk_free(disk);
    free(stream.bytes);
    return 0;
}
