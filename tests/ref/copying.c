/* A backup program's work: see copying.h. */
#include "copying.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/page.h"

enum { PIECES_MAX = 64, BUFFER = 1 << 16 };

/* ---- bytes at one moment ---- */

image image_of(const char *path)
{
    image taken;
    taken.bytes = file_read(path, &taken.size);
    return taken;
}

static bool in_slot(size_t at)
{
    return at >= REF_META_AT_SLOT && at < REF_META_AT_SLOT + REF_META_SLOT_SIZE;
}

bool image_is(const image *wanted, const char *path)
{
    image found = image_of(path);
    bool same = found.size == wanted->size;
    if (!same) {
        print_error("%s: %zu bytes instead of %zu\n", path, found.size, wanted->size);
    }
    for (size_t i = 0; i < wanted->size && same; i++) {
        if (found.bytes[i] != wanted->bytes[i] && !in_slot(i)) {
            print_error("%s: byte %zu differs\n", path, i);
            same = false;
        }
    }
    free(found.bytes);
    return same;
}

/* ---- the copy ---- */

static void shuffle(copier *copy, uint64_t *seed)
{
    for (size_t i = copy->count; i > 1; i--) {
        size_t other = next_random(seed) % i;
        uint64_t offset = copy->offsets[i - 1], size = copy->sizes[i - 1];
        copy->offsets[i - 1] = copy->offsets[other];
        copy->sizes[i - 1] = copy->sizes[other];
        copy->offsets[other] = offset;
        copy->sizes[other] = size;
    }
}

void copier_open(
    copier *copy, const char *from, const char *to, uint64_t size, bool in_order, uint64_t *seed)
{
    *copy = (copier){.size = size, .in_order = in_order};
    copy->from = open(from, O_RDONLY | O_CLOEXEC);
    copy->to = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    copy->offsets = calloc(PIECES_MAX + 1, sizeof *copy->offsets);
    copy->sizes = calloc(PIECES_MAX + 1, sizeof *copy->sizes);
    assert_true(copy->from >= 0 && copy->to >= 0);
    assert_true(copy->offsets != NULL && copy->sizes != NULL);
    uint64_t at = 0, most = size / (1 + next_random(seed) % (PIECES_MAX / 2)) + 1;
    while (at < size) {
        uint64_t piece = copy->count == PIECES_MAX ? size - at : 1 + next_random(seed) % most;
        piece = piece < size - at ? piece : size - at;
        copy->offsets[copy->count] = at;
        copy->sizes[copy->count++] = piece;
        at += piece;
    }
    if (!in_order) {
        shuffle(copy, seed);
    }
}

/* A source that has become shorter gives less. */
static void copy_piece(copier *copy, uint64_t offset, uint64_t size)
{
    static _Thread_local uint8_t buffer[BUFFER];
    while (size > 0) {
        size_t part = size < sizeof buffer ? (size_t)size : sizeof buffer;
        ssize_t got = pread(copy->from, buffer, part, (off_t)offset);
        assert_true(got >= 0);
        assert_int_equal(pwrite(copy->to, buffer, (size_t)got, (off_t)offset), got);
        offset += part;
        size -= part;
    }
}

bool copier_step(copier *copy)
{
    if (copy->next == copy->count) {
        return false;
    }
    copy_piece(copy, copy->offsets[copy->next], copy->sizes[copy->next]);
    copy->next++;
    return true;
}

uint64_t copier_position(const copier *copy)
{
    return copy->next < copy->count ? copy->offsets[copy->next] : copy->size;
}

void copier_close(copier *copy)
{
    while (copier_step(copy)) {
    }
    close(copy->from);
    close(copy->to);
    free(copy->offsets);
    free(copy->sizes);
    *copy = (copier){0};
}

/* ---- the stream ---- */

/* Mostly small pieces, sometimes one byte, sometimes everything. */
static size_t piece_size(uint64_t *seed, size_t left)
{
    static const size_t most[] = {1, 16, 700, 9000, SIZE_MAX};
    size_t limit = most[next_random(seed) % 5];
    size_t size = limit == SIZE_MAX ? left : 1 + next_random(seed) % limit;
    return size < left ? size : left;
}

image stream_of(ref_capture *capture, uint64_t *seed)
{
    image stream = {0};
    uint64_t size;
    size_t at = 0, done;
    assert_ok(ref_capture_size(capture, &size));
    stream.size = (size_t)size;
    stream.bytes = malloc(stream.size + 1);
    assert_non_null(stream.bytes);
    while (at < stream.size) {
        size_t want = piece_size(seed, stream.size - at);
        assert_ok(ref_capture_read(capture, stream.bytes + at, want, &done));
        assert_int_equal(done, want);
        at += done;
    }
    for (int i = 0; i < 2; i++) {
        assert_ok(ref_capture_read(capture, stream.bytes, 1, &done));
        assert_int_equal(done, 0);
    }
    return stream;
}

int stream_apply(ref_vfs *vfs, const char *path, const image *stream, uint64_t *seed)
{
    ref_apply *apply;
    int error = ref_apply_start(vfs, path, stream->size, &apply);
    if (error != 0) {
        return error;
    }
    for (size_t at = 0; at < stream->size && error == 0;) {
        size_t part = piece_size(seed, stream->size - at);
        error = ref_apply_next(apply, stream->bytes + at, part);
        at += part;
    }
    if (error == 0) {
        error = ref_apply_next(apply, NULL, 0);
    }
    if (error != 0) {
        ref_apply_end(apply, true);
        return error;
    }
    return ref_apply_end(apply, false);
}
