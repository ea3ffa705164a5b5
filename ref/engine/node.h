/*
 * Nodes of the B+tree: slotted pages, one operation on one page at a time.
 *
 *     header | slots: u16 each, in key order -> | free space | <- cells, anywhere in the heap
 *
 * Leaf and branch cells share one shape, so that one search, one insertion and one compaction do
 * for both: u16 key size, u32 word, key, tail. In a leaf the word is the value's size and the tail
 * its bytes, or (top bit of the word set) the u32 number of its first overflow page. In a branch
 * the word is a child and the tail is empty: that child holds the keys from the cell's key up to
 * the next cell's, and the child in the header's link those below the first cell's.
 *
 * A page that passes its checksum can still be hostile. So a node's header is checked when the node
 * is read, and every cell each time it is looked at; what is wrong gives REF_CORRUPT with words
 * that name file and page. Cells of a hostile page may overlap: then results are nonsense, but no
 * byte outside the page is touched. Levels fall by one from parent to child, or the child is
 * refused: no descent is longer than REF_LEVEL_MAX.
 *
 * Changes move no byte that can stay, because the log holds the bytes that differ.
 *
 * Only the tree's own files include this.
 */
#ifndef REF_NODE_H
#define REF_NODE_H

#include "btree.h"
#include "error.h"

#define REF_LEVEL_MAX 40u
#define REF_LEVEL_ANY (REF_LEVEL_MAX + 1) /* what ref_node_read() may expect of a root */

#define REF_CELL_HEADER 6u           /* key size and word */
#define REF_SLOT_SIZE 2u             /* what a cell costs beside its own bytes */
#define REF_CELL_OVERFLOW (1u << 31) /* in a leaf cell's word */

/* A node in hand. `page` shows its bytes; `out` is where to change them, NULL until
 * ref_node_write(), equal to `page` afterwards. */
typedef struct ref_node {
    ref_view *view;
    const uint8_t *page;
    uint8_t *out;
    uint32_t pgno;
    uint32_t size; /* of the page */
} ref_node;

/* A cell, taken apart. The slices of one that was read point into its page. */
typedef struct ref_cell {
    uint32_t word;
    ref_slice key;
    ref_slice tail;
} ref_cell;

/* REF_CORRUPT, with "FILE: page N: " in front of the words. */
int ref_node_corrupt(const ref_view *view, uint32_t pgno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Below, equal, above: negative, 0, positive. */
int ref_key_compare(ref_slice a, ref_slice b);

/* ---- sizes ---- */

/* The bytes of a page that slots and cells share. */
static inline uint32_t ref_node_room(uint32_t page_size)
{
    return page_size - REF_PAGE_HEADER;
}

/* The largest cell: four of them fill a page, which is what lets every split succeed. */
static inline uint32_t ref_node_cell_max(uint32_t page_size)
{
    return ref_node_room(page_size) / 4 - REF_SLOT_SIZE;
}

static inline size_t ref_cell_size(const ref_cell *cell)
{
    return REF_CELL_HEADER + cell->key.size + cell->tail.size;
}

/* ---- a node as a whole ---- */

/* Reads the page and checks its header. `parent` is the page that refers to it, 0 for a root;
 * `level` the level it must have. A leaf without cells is refused unless it is the root. */
int ref_node_read(ref_view *view, uint32_t pgno, uint32_t parent, uint32_t level, ref_node *node);

/* Makes a node that was read (or allocated) ready to be changed. Cells read before show the old
 * bytes. */
int ref_node_write(ref_node *node);

/* A new, empty node of the level, ready to be changed. */
int ref_node_alloc(ref_view *view, uint32_t level, ref_node *node);

/* The node loses all cells and becomes one of the level. */
void ref_node_reset(ref_node *node, uint32_t level);

/* `to` becomes what `from` is: level, link, cells. */
void ref_node_copy(ref_node *to, const ref_node *from);

static inline uint32_t ref_node_count(const ref_node *node)
{
    return ref_get16(node->page + REF_PAGE_AT_COUNT);
}

static inline uint32_t ref_node_level(const ref_node *node)
{
    return node->page[REF_PAGE_AT_LEVEL];
}

/* Bytes that slots and cells take. */
uint32_t ref_node_used(const ref_node *node);

/* ---- cells ---- */

/* The cell of a slot below ref_node_count(). */
int ref_node_cell(const ref_node *node, uint32_t index, ref_cell *cell);

/* The slot of the first key that is not below `key` (the count when there is none), and whether it
 * is the key itself. */
int ref_node_search(const ref_node *node, ref_slice key, uint32_t *index, bool *found);

/* Whether a further cell fits, perhaps after moving others. */
bool ref_node_fits(const ref_node *node, const ref_cell *cell);

/* Adds the cell before the slot `index`. The node is writable; the cell's slices do not point into
 * it. REF_CORRUPT when there is no room: the caller had asked ref_node_fits(), or had a count of
 * the cells that lied. */
int ref_node_insert(ref_node *node, uint32_t index, const ref_cell *cell);

/* Puts the cell in the place of another that is at least as large. */
int ref_node_overwrite(ref_node *node, uint32_t index, const ref_cell *cell);

int ref_node_remove(ref_node *node, uint32_t index);

/* ---- branches: the children are numbered 0, in the link, to ref_node_count() ---- */

int ref_node_child(const ref_node *node, uint32_t index, uint32_t *pgno);
int ref_node_set_child(ref_node *node, uint32_t index, uint32_t pgno);

/* ---- splitting ---- */

/*
 * The node's cells with `cell` before the slot `index` are more than a page holds: at which of them
 * to part. *middle counts in this longer row. In a leaf, the cells from *middle on go to the right;
 * in a branch, those behind *middle do, and *middle itself goes up. Both sides are left with a cell
 * at least. `at_end`: more cells will follow the last one, so the left side stays full.
 */
int ref_node_split_point(
    const ref_node *node, uint32_t index, const ref_cell *cell, bool at_end, uint32_t *middle);

/* The cell at `place` of that row. */
int ref_node_row_cell(
    const ref_node *node, uint32_t index, const ref_cell *cell, uint32_t place, ref_cell *out);

#endif
