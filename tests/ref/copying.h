/*
 * What a backup program does with a capture: a copy made piece by piece, in any order, while the
 * engine goes on; the stream fetched and applied in pieces of any size; the result compared with
 * the start.
 */
#ifndef COPYING_H
#define COPYING_H

#include "support.h"

#include "engine/capture.h"

/* A file's bytes at one moment. Free `bytes`. */
typedef struct image {
    uint8_t *bytes;
    size_t size;
} image;

image image_of(const char *path);
/* The same bytes, the capture slot apart. Says where they differ. */
bool image_is(const image *wanted, const char *path);

/* A copy in the making. */
typedef struct copier {
    int from, to;
    uint64_t size;
    uint64_t *offsets; /* of the pieces, in the order in which they are copied, and the size last */
    size_t count, next;
    uint64_t *sizes;
    bool in_order;
} copier;

/* `seed` decides on pieces and order. `in_order`: from front to back. */
void copier_open(
    copier *copy, const char *from, const char *to, uint64_t size, bool in_order, uint64_t *seed);
/* Copies the next piece; false when there is none. */
bool copier_step(copier *copy);
/* Where a copy in order has got to. */
uint64_t copier_position(const copier *copy);
/* Copies the rest and closes. */
void copier_close(copier *copy);

/* The whole stream, fetched in pieces that `seed` decides on. Asserts that its size is as said. */
image stream_of(ref_capture *capture, uint64_t *seed);
/* Applies it in pieces to the copy; the result is the first failure, or ref_apply_end()'s. */
int stream_apply(ref_vfs *vfs, const char *path, const image *stream, uint64_t *seed);

#endif
