/* Slotted pages: see node.h. */
#include "node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The most cells a page can have: each takes a slot and a cell header. */
#define CELLS_MAX ((REF_PAGE_SIZE_MAX - REF_PAGE_HEADER) / (REF_SLOT_SIZE + REF_CELL_HEADER))

int ref_node_corrupt(const ref_view *view, uint32_t pgno, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return ref_fail(REF_CORRUPT, "%s: page %u: %s", ref_view_name(view), pgno, text);
}

int ref_key_compare(ref_slice a, ref_slice b)
{
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}

/* ---- the header ---- */

static uint32_t heap_of(const ref_node *node)
{
    return ref_get32(node->page + REF_PAGE_AT_HEAP);
}

static uint32_t holes_of(const ref_node *node)
{
    return ref_get32(node->page + REF_PAGE_AT_HOLES);
}

static uint32_t slots_end(const ref_node *node)
{
    return REF_PAGE_HEADER + REF_SLOT_SIZE * ref_node_count(node);
}

static uint32_t gap_of(const ref_node *node)
{
    return heap_of(node) - slots_end(node);
}

static void set_count(ref_node *node, uint32_t count)
{
    ref_put16(node->out + REF_PAGE_AT_COUNT, (uint16_t)count);
}

static void set_heap(ref_node *node, uint32_t heap)
{
    ref_put32(node->out + REF_PAGE_AT_HEAP, heap);
}

static void set_holes(ref_node *node, uint32_t holes)
{
    ref_put32(node->out + REF_PAGE_AT_HOLES, holes);
}

static uint32_t slot(const ref_node *node, uint32_t index)
{
    return ref_get16(node->page + REF_PAGE_HEADER + REF_SLOT_SIZE * index);
}

static void set_slot(ref_node *node, uint32_t index, uint32_t offset)
{
    ref_put16(node->out + REF_PAGE_HEADER + REF_SLOT_SIZE * index, (uint16_t)offset);
}

uint32_t ref_node_used(const ref_node *node)
{
    return node->size - REF_PAGE_HEADER - gap_of(node) - holes_of(node);
}

static int check_header(const ref_node *node, uint32_t parent, uint32_t level)
{
    const uint8_t *page = node->page;
    uint32_t found = ref_node_level(node);
    ref_page_type kind = found == 0 ? REF_PAGE_LEAF : REF_PAGE_BRANCH;
    if (ref_page_kind(page) != kind || found > REF_LEVEL_MAX) {
        return ref_node_corrupt(node->view, node->pgno,
            "no node of the tree: type %u, level %u (page %u refers to it)",
            (unsigned)page[REF_PAGE_AT_TYPE], found, parent);
    }
    if (level != REF_LEVEL_ANY && found != level) {
        return ref_node_corrupt(node->view, node->pgno,
            "level %u instead of %u, as page %u expects", found, level, parent);
    }
    uint32_t count = ref_node_count(node);
    uint32_t heap = heap_of(node);
    if (count > CELLS_MAX || heap > node->size || heap < slots_end(node)) {
        return ref_node_corrupt(
            node->view, node->pgno, "%u cells and a heap at %u do not fit", count, heap);
    }
    if (holes_of(node) > node->size - heap) {
        return ref_node_corrupt(
            node->view, node->pgno, "%u bytes of holes are more than the heap", holes_of(node));
    }
    if (kind == REF_PAGE_LEAF && count == 0 && parent != 0) {
        return ref_node_corrupt(node->view, node->pgno, "an empty leaf below page %u", parent);
    }
    return 0;
}

/* ---- a node as a whole ---- */

int ref_node_read(ref_view *view, uint32_t pgno, uint32_t parent, uint32_t level, ref_node *node)
{
    *node = (ref_node){.view = view, .pgno = pgno, .size = ref_view_page_size(view)};
    int error = ref_view_read(view, pgno, &node->page);
    if (error == EINVAL && parent != 0) {
        return ref_node_corrupt(view, parent, "refers to page %u, beyond the end", pgno);
    }
    return error != 0 ? error : check_header(node, parent, level);
}

int ref_node_write(ref_node *node)
{
    if (node->out != NULL) {
        return 0;
    }
    int error = ref_view_write(node->view, node->pgno, &node->out);
    if (error == 0) {
        node->page = node->out;
    }
    return error;
}

int ref_node_alloc(ref_view *view, uint32_t level, ref_node *node)
{
    *node = (ref_node){.view = view, .size = ref_view_page_size(view)};
    ref_page_type kind = level == 0 ? REF_PAGE_LEAF : REF_PAGE_BRANCH;
    int error = ref_view_alloc(view, kind, &node->pgno, &node->out);
    if (error == 0) {
        node->page = node->out;
        ref_node_reset(node, level);
    }
    return error;
}

void ref_node_reset(ref_node *node, uint32_t level)
{
    /* Checksum, number and LSN are the view's. */
    memset(node->out + REF_PAGE_AT_TYPE, 0, node->size - REF_PAGE_AT_TYPE);
    node->out[REF_PAGE_AT_TYPE] = level == 0 ? REF_PAGE_LEAF : REF_PAGE_BRANCH;
    node->out[REF_PAGE_AT_LEVEL] = (uint8_t)level;
    set_heap(node, node->size);
}

void ref_node_copy(ref_node *to, const ref_node *from)
{
    memcpy(to->out + REF_PAGE_AT_TYPE, from->page + REF_PAGE_AT_TYPE, to->size - REF_PAGE_AT_TYPE);
}

/* ---- cells ---- */

int ref_node_cell(const ref_node *node, uint32_t index, ref_cell *cell)
{
    uint32_t at = slot(node, index);
    if (at < heap_of(node) || node->size - REF_CELL_HEADER < at) {
        return ref_node_corrupt(
            node->view, node->pgno, "cell %u lies at %u, outside the heap", index, at);
    }
    const uint8_t *bytes = node->page + at;
    uint32_t key_size = ref_get16(bytes);
    uint32_t word = ref_get32(bytes + 2);
    uint32_t room = node->size - REF_CELL_HEADER - at;
    uint32_t tail = 0;
    if (key_size > ref_btree_key_max(node->size) || key_size > room) {
        return ref_node_corrupt(
            node->view, node->pgno, "cell %u has a key of %u bytes", index, key_size);
    }
    if (ref_node_level(node) == 0) {
        tail = (word & REF_CELL_OVERFLOW) != 0 ? (uint32_t)sizeof(uint32_t) : word;
        if ((word & ~REF_CELL_OVERFLOW) > REF_VALUE_MAX || tail > room - key_size ||
            REF_CELL_HEADER + key_size + tail > ref_node_cell_max(node->size)) {
            return ref_node_corrupt(node->view, node->pgno, "cell %u has a value of %u bytes",
                index, word & ~REF_CELL_OVERFLOW);
        }
    }
    cell->word = word;
    cell->key = (ref_slice){bytes + REF_CELL_HEADER, key_size};
    cell->tail = (ref_slice){bytes + REF_CELL_HEADER + key_size, tail};
    return 0;
}

int ref_node_search(const ref_node *node, ref_slice key, uint32_t *index, bool *found)
{
    uint32_t low = 0;
    uint32_t high = ref_node_count(node);
    *found = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        ref_cell cell;
        int error = ref_node_cell(node, middle, &cell);
        if (error != 0) {
            return error;
        }
        int order = ref_key_compare(cell.key, key);
        if (order < 0) {
            low = middle + 1;
        } else {
            *found = order == 0;
            high = middle;
            if (order == 0) {
                break;
            }
        }
    }
    *index = high;
    return 0;
}

static void put_cell(uint8_t *at, const ref_cell *cell)
{
    ref_put16(at, (uint16_t)cell->key.size);
    ref_put32(at + 2, cell->word);
    if (cell->key.size != 0) {
        memcpy(at + REF_CELL_HEADER, cell->key.data, cell->key.size);
    }
    if (cell->tail.size != 0) {
        memcpy(at + REF_CELL_HEADER + cell->key.size, cell->tail.data, cell->tail.size);
    }
}

static int descending(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left < right) - (left > right);
}

/* Slides the cells to the page's end, in the order in which they lie, so that those above the first
 * hole stay where they are. */
static int compact(ref_node *node)
{
    uint32_t places[CELLS_MAX]; /* offset << 16 | slot */
    uint32_t count = ref_node_count(node);
    for (uint32_t i = 0; i < count; i++) {
        places[i] = slot(node, i) << 16 | i;
    }
    qsort(places, count, sizeof places[0], descending);
    uint32_t end = node->size;
    uint32_t before = node->size; /* where the cell above began */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = places[i] & 0xffff;
        uint32_t at = places[i] >> 16;
        ref_cell cell;
        int error = ref_node_cell(node, index, &cell);
        if (error != 0) {
            return error;
        }
        uint32_t size = (uint32_t)ref_cell_size(&cell);
        if (at + size > before) {
            return ref_node_corrupt(node->view, node->pgno, "cell %u overlaps another", index);
        }
        before = at;
        end -= size;
        if (end != at) {
            memmove(node->out + end, node->out + at, size);
            set_slot(node, index, end);
        }
    }
    memset(node->out + heap_of(node), 0, end - heap_of(node));
    set_heap(node, end);
    set_holes(node, 0);
    return 0;
}

bool ref_node_fits(const ref_node *node, const ref_cell *cell)
{
    return ref_cell_size(cell) + REF_SLOT_SIZE <= (size_t)gap_of(node) + holes_of(node);
}

/* A page of a hostile file can be used twice, a count of pages that is too low suffices: then it may
 * have become another one since its cells were counted. */
static int check_index(const ref_node *node, uint32_t index, uint32_t count)
{
    return index < count ? 0
                         : ref_node_corrupt(node->view, node->pgno,
                               "has lost its cells: the page is used more than once");
}

int ref_node_insert(ref_node *node, uint32_t index, const ref_cell *cell)
{
    size_t size = ref_cell_size(cell);
    uint32_t count = ref_node_count(node);
    int changed = check_index(node, index, count + 1);
    if (changed != 0) {
        return changed;
    }
    if (gap_of(node) < size + REF_SLOT_SIZE && ref_node_fits(node, cell)) {
        int error = compact(node);
        if (error != 0) {
            return error;
        }
    }
    if (gap_of(node) < size + REF_SLOT_SIZE) {
        return ref_node_corrupt(
            node->view, node->pgno, "its %u cells do not leave the room they should", count);
    }
    uint32_t at = heap_of(node) - (uint32_t)size;
    put_cell(node->out + at, cell);
    uint8_t *slots = node->out + REF_PAGE_HEADER;
    memmove(slots + REF_SLOT_SIZE * (index + 1), slots + REF_SLOT_SIZE * index,
        REF_SLOT_SIZE * (size_t)(count - index));
    set_slot(node, index, at);
    set_count(node, count + 1);
    set_heap(node, at);
    return 0;
}

/* Counts `size` bytes from `at` on, which belong to no cell any more, as free. */
static int give_back(ref_node *node, uint32_t at, uint32_t size)
{
    uint32_t heap = heap_of(node);
    uint32_t holes = holes_of(node);
    memset(node->out + at, 0, size);
    if (at == heap) {
        heap += size;
    } else {
        holes += size;
    }
    if (holes > node->size - heap) {
        return ref_node_corrupt(node->view, node->pgno, "its cells overlap, or its holes lie");
    }
    set_heap(node, heap);
    set_holes(node, holes);
    return 0;
}

int ref_node_overwrite(ref_node *node, uint32_t index, const ref_cell *cell)
{
    ref_cell old;
    int error = ref_node_cell(node, index, &old);
    if (error != 0) {
        return error;
    }
    uint32_t at = slot(node, index);
    uint32_t size = (uint32_t)ref_cell_size(cell);
    uint32_t spare = (uint32_t)ref_cell_size(&old) - size;
    put_cell(node->out + at, cell);
    return spare == 0 ? 0 : give_back(node, at + size, spare);
}

int ref_node_remove(ref_node *node, uint32_t index)
{
    ref_cell cell;
    int error = check_index(node, index, ref_node_count(node));
    if (error == 0) {
        error = ref_node_cell(node, index, &cell);
    }
    if (error != 0) {
        return error;
    }
    uint32_t at = slot(node, index);
    error = give_back(node, at, (uint32_t)ref_cell_size(&cell));
    if (error != 0) {
        return error;
    }
    uint32_t count = ref_node_count(node) - 1;
    uint8_t *slots = node->out + REF_PAGE_HEADER;
    memmove(slots + REF_SLOT_SIZE * index, slots + REF_SLOT_SIZE * (index + 1),
        REF_SLOT_SIZE * (size_t)(count - index));
    set_slot(node, count, 0);
    set_count(node, count);
    if (count == 0) {
        set_heap(node, node->size);
        set_holes(node, 0);
    }
    return 0;
}

/* ---- branches ---- */

int ref_node_child(const ref_node *node, uint32_t index, uint32_t *pgno)
{
    ref_cell cell;
    *pgno = 0;
    if (index == 0) {
        *pgno = ref_get32(node->page + REF_PAGE_AT_LINK);
    } else {
        int error = ref_node_cell(node, index - 1, &cell);
        if (error != 0) {
            return error;
        }
        *pgno = cell.word;
    }
    return *pgno != 0 ? 0 : ref_node_corrupt(node->view, node->pgno, "child %u is missing", index);
}

int ref_node_set_child(ref_node *node, uint32_t index, uint32_t pgno)
{
    if (index == 0) {
        ref_put32(node->out + REF_PAGE_AT_LINK, pgno);
        return 0;
    }
    ref_cell cell;
    int error = ref_node_cell(node, index - 1, &cell);
    if (error == 0) {
        ref_put32(node->out + slot(node, index - 1) + 2, pgno);
    }
    return error;
}

/* ---- splitting ---- */

int ref_node_row_cell(
    const ref_node *node, uint32_t index, const ref_cell *cell, uint32_t place, ref_cell *out)
{
    if (place == index) {
        *out = *cell;
        return 0;
    }
    return ref_node_cell(node, place < index ? place : place - 1, out);
}

static int row_size(
    const ref_node *node, uint32_t index, const ref_cell *cell, uint32_t place, size_t *size)
{
    ref_cell one;
    int error = ref_node_row_cell(node, index, cell, place, &one);
    *size = error != 0 ? 0 : ref_cell_size(&one) + REF_SLOT_SIZE;
    return error;
}

int ref_node_split_point(
    const ref_node *node, uint32_t index, const ref_cell *cell, bool at_end, uint32_t *middle)
{
    uint32_t last = ref_node_count(node); /* of the row */
    size_t total = 0;
    size_t size;
    int error;
    *middle = 0;
    for (uint32_t i = 0; i <= last; i++) {
        if ((error = row_size(node, index, cell, i, &size)) != 0) {
            return error;
        }
        total += size;
    }
    /* A row of this size has five cells at least, none larger than a quarter page: any part below
     * holds. A page whose cells do not add up to a full one cannot be split so. */
    size_t room = ref_node_room(node->size);
    if (total <= room || total > room + room / 4) {
        return ref_node_corrupt(
            node->view, node->pgno, "its cells take %zu bytes: not what its header says", total);
    }
    uint32_t most = ref_node_level(node) == 0 ? last : last - 1;
    if (at_end) {
        *middle = most;
        return 0;
    }
    size_t left = 0;
    uint32_t place = 0;
    while (place < most && (place == 0 || left < total / 2)) {
        if ((error = row_size(node, index, cell, place, &size)) != 0) {
            return error;
        }
        left += size;
        place++;
    }
    *middle = place;
    return 0;
}
