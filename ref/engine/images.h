/*
 * Before-images: where a capture keeps them until they are asked for. In memory up to a limit, then
 * in a spill file, which is never read by anybody else and not synced.
 *
 * Pages are kept once: the first image wins, and none is dropped.
 *
 * Only the engine's own files include this.
 */
#ifndef REF_IMAGES_H
#define REF_IMAGES_H

#include "vfs.h"

#define REF_IMAGE_MAX 65536u /* bytes of one image */

/* Some neighbouring pages. */
typedef struct ref_image {
    uint64_t offset;   /* in the database file */
    uint64_t spill_at; /* in the spill file, when bytes is NULL */
    uint8_t *bytes;
    uint32_t size;
    uint32_t crc;
} ref_image;

typedef struct ref_images {
    ref_vfs *vfs;
    char *spill_path; /* NULL: nothing spills, the limit is an error. Taken over. */
    uint64_t limit;   /* bytes in memory */
    uint64_t in_memory;
    ref_file *spill; /* NULL until needed */
    uint64_t spilled;
    ref_image *list;
    size_t count, capacity;
    uint8_t **blocks; /* a bit for every page that is kept, in blocks made when needed */
    size_t block_count;
} ref_images;

/* For `pages` pages. 0 or ENOMEM. */
int ref_images_init(
    ref_images *images, ref_vfs *vfs, char *spill_path, uint64_t limit, uint64_t pages);
/* Frees everything and removes the spill file. Back to {0}. */
void ref_images_clear(ref_images *images);

bool ref_images_has(const ref_images *images, uint64_t page);

/* Keeps `size` bytes, at most REF_IMAGE_MAX, of the pages from `page` on: `count` of them, of which
 * none is kept yet. `bytes` is malloc'd and taken over, whatever the result. Words on failure. */
int ref_images_add(ref_images *images, uint64_t page, uint64_t count, uint64_t offset,
    uint8_t *bytes, uint32_t size);

/* By offset. */
void ref_images_sort(ref_images *images);

/* The bytes of one, checked. Words on failure. */
int ref_images_read(ref_images *images, const ref_image *image, uint8_t *out);

#endif
