/*
 * A B+tree over a view: keys in byte order (memcmp, the shorter first), one value per key.
 *
 * A node is a slotted page: the header, an array of u16 cell offsets in key order, free space, the
 * cell heap that grows down from the end of the page. Bytes in no cell are zero, so that page
 * images compress and copies compare. Values that do not fit a quarter page live in a chain of
 * overflow pages. The root's page number never changes.
 *
 * Every function lets go of the view's pages (ref_view_release()) before it returns.
 */
#ifndef REF_BTREE_H
#define REF_BTREE_H

#include "view.h"

#define REF_VALUE_MAX (1u << 20) /* bytes */

typedef struct ref_slice {
    const void *data;
    size_t size;
} ref_slice;

/* Bytes owned by the caller and grown by the engine. Start from {0}; ref_buffer_free() when done.
 */
typedef struct ref_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
} ref_buffer;

/* Makes room for `size` bytes; `data` is never NULL afterwards. The content and `size` stay. 0 or
 * ENOMEM. */
int ref_buffer_reserve(ref_buffer *buffer, size_t size);

/* 0, or ENOMEM and the buffer as it was. `data` may point into the buffer. buffer->data is never
 * NULL afterwards, not even for 0 bytes. */
int ref_buffer_set(ref_buffer *buffer, const void *data, size_t size);
void ref_buffer_free(ref_buffer *buffer);

/* The longest key of a file with this page size: page_size / 4 - 20 bytes, so that four records fit
 * a page whatever they are. 108 for 512, 1,004 for 4,096, 16,364 for 65,536. */
uint32_t ref_btree_key_max(uint32_t page_size);

/* Makes an empty tree in a new file: allocates the root (page 1) in `view` and returns its number.
 */
int ref_btree_create(ref_view *view, uint32_t *root);

/* REF_NOTFOUND (no words) when the key is not there; *value is then untouched. value may be NULL.
 * Other failures leave value->size 0. */
int ref_btree_get(ref_view *view, uint32_t root, ref_slice key, ref_buffer *value);

/* Inserts or replaces. With `no_overwrite`: REF_KEYEXIST when the key is there. EINVAL with words
 * for a key or value that is too long. */
int ref_btree_put(ref_view *view, uint32_t root, ref_slice key, ref_slice value, bool no_overwrite);

/* Removes the key, gives pages that become empty back, and shrinks the tree's height when it can.
 * REF_NOTFOUND. */
int ref_btree_del(ref_view *view, uint32_t root, ref_slice key);

/* Removes everything and gives the pages back; *count (may be NULL) is the number of records
 * removed. */
int ref_btree_truncate(ref_view *view, uint32_t root, uint32_t *count);

typedef enum ref_seek {
    REF_SEEK_FIRST, /* key unused */
    REF_SEEK_LAST,  /* key unused */
    REF_SEEK_EQ,    /* exactly key */
    REF_SEEK_GE,    /* the smallest key not below it */
    REF_SEEK_GT,
    REF_SEEK_LT /* the largest key below it */
} ref_seek;

/* Finds one record by its place. found_key and value may be NULL; found_key may be the buffer that
 * `key` points into. REF_NOTFOUND (no words): both untouched. Other failures: *found_key untouched,
 * value->size 0. */
int ref_btree_seek(ref_view *view, uint32_t root, ref_seek how, ref_slice key,
    ref_buffer *found_key, ref_buffer *value);

/* Checks the whole tree: order within and between nodes, levels, cell bounds, overflow chains,
 * every page of the file used exactly once (meta, tree, overflow or free list). REF_CORRUPT with
 * words that name file and page at the first thing wrong. `records` may be NULL. */
int ref_btree_verify(ref_view *view, uint32_t root, uint64_t *records);

#endif
