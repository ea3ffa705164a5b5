/* Before-images: see images.h. */
#include "images.h"

#include <errno.h>
#include <stdlib.h>

#include "bytes.h"
#include "internal.h"

#define BLOCK_PAGES 32768u /* whose bits make a block */

int ref_images_init(
    ref_images *images, ref_vfs *vfs, char *spill_path, uint64_t limit, uint64_t pages)
{
    *images = (ref_images){.vfs = vfs,
        .spill_path = spill_path,
        .limit = limit,
        .block_count = (size_t)(pages / BLOCK_PAGES + 1)};
    images->blocks = calloc(images->block_count, sizeof *images->blocks);
    return images->blocks != NULL ? 0 : ENOMEM;
}

void ref_images_clear(ref_images *images)
{
    for (size_t i = 0; i < images->count; i++) {
        free(images->list[i].bytes);
    }
    free(images->list);
    for (size_t i = 0; i < images->block_count && images->blocks != NULL; i++) {
        free(images->blocks[i]);
    }
    free(images->blocks);
    if (images->spill != NULL) {
        images->vfs->unlink(images->vfs, images->spill_path);
        images->vfs->close(images->spill);
        ref_sync_parent(images->vfs, images->spill_path); /* before the marker goes */
    }
    free(images->spill_path);
    *images = (ref_images){0};
}

/* ---- which ---- */

bool ref_images_has(const ref_images *images, uint64_t page)
{
    const uint8_t *block = images->blocks[page / BLOCK_PAGES];
    size_t bit = (size_t)(page % BLOCK_PAGES);
    return block != NULL && (block[bit / 8] >> (bit % 8) & 1) != 0;
}

/* The block of a page's bit; NULL without memory. */
static uint8_t *block_of(ref_images *images, uint64_t page)
{
    uint8_t **block = &images->blocks[page / BLOCK_PAGES];
    if (*block == NULL) {
        *block = calloc(BLOCK_PAGES / 8, 1);
    }
    return *block;
}

static int make_blocks(ref_images *images, uint64_t page, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (block_of(images, page + i) == NULL) {
            return ENOMEM;
        }
    }
    return 0;
}

static void mark(ref_images *images, uint64_t page, uint64_t count)
{
    for (; count > 0; page++, count--) {
        size_t bit = (size_t)(page % BLOCK_PAGES);
        block_of(images, page)[bit / 8] |= (uint8_t)(1u << (bit % 8));
    }
}

/* ---- keeping ---- */

static int make_room(ref_images *images)
{
    if (images->count < images->capacity) {
        return 0;
    }
    size_t capacity = images->capacity == 0 ? 64 : images->capacity * 2;
    ref_image *list = realloc(images->list, capacity * sizeof *list);
    if (list == NULL) {
        return ENOMEM;
    }
    images->list = list;
    images->capacity = capacity;
    return 0;
}

/* Locked, so that nobody takes it for litter. */
static int open_spill(ref_images *images)
{
    ref_vfs *vfs = images->vfs;
    if (images->spill != NULL) {
        return 0;
    }
    unsigned flags = REF_O_WRITE | REF_O_CREATE | REF_O_EXCL | REF_O_NOFOLLOW;
    int error = vfs->open(vfs, images->spill_path, flags, 0600, &images->spill);
    if (error == 0) {
        error = vfs->lock(images->spill, 0, 1, REF_LOCK_EXCLUSIVE);
    }
    return error == 0 ? 0 : ref_fail(error, "%s: create", images->spill_path);
}

static int spill(ref_images *images, ref_image *image)
{
    if (images->spill_path == NULL) {
        return ref_fail(ENOSPC, "before-images take more than %llu bytes of memory",
            (unsigned long long)images->limit);
    }
    int error = open_spill(images);
    if (error != 0) {
        return error;
    }
    error = ref_write_full(images->spill, image->bytes, image->size, images->spilled);
    if (error != 0) {
        return ref_fail(error, "%s: write at offset %llu", images->spill_path,
            (unsigned long long)images->spilled);
    }
    free(image->bytes);
    image->bytes = NULL;
    image->spill_at = images->spilled;
    images->spilled += image->size;
    return 0;
}

int ref_images_add(ref_images *images, uint64_t page, uint64_t count, uint64_t offset,
    uint8_t *bytes, uint32_t size)
{
    ref_image image = {
        .offset = offset, .bytes = bytes, .size = size, .crc = ref_crc32c(0, bytes, size)};
    int error = make_room(images);
    if (error == 0) {
        error = make_blocks(images, page, count);
    }
    if (error != 0) {
        ref_fail(error, "before-images");
    } else if (size > images->limit || images->in_memory > images->limit - size) {
        error = spill(images, &image);
    } else {
        images->in_memory += size;
    }
    if (error != 0) {
        free(bytes);
        return error;
    }
    mark(images, page, count);
    images->list[images->count++] = image;
    return 0;
}

/* ---- giving out ---- */

static int compare(const void *a, const void *b)
{
    const ref_image *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

void ref_images_sort(ref_images *images)
{
    if (images->count > 1) {
        qsort(images->list, images->count, sizeof *images->list, compare);
    }
}

int ref_images_read(ref_images *images, const ref_image *image, uint8_t *out)
{
    size_t done = image->size;
    int error = 0;
    if (image->bytes != NULL) {
        memcpy(out, image->bytes, image->size);
    } else {
        error = ref_read_full(images->spill, out, image->size, image->spill_at, &done);
        if (error == 0 && done < image->size) {
            error = EIO;
        }
        if (error != 0) {
            return ref_fail(error, "%s: read at offset %llu", images->spill_path,
                (unsigned long long)image->spill_at);
        }
    }
    if (ref_crc32c(0, out, image->size) != image->crc) {
        return ref_fail(EIO, "before-image of %u bytes at offset %llu: it has changed", image->size,
            (unsigned long long)image->offset);
    }
    return 0;
}
