/*
 * Checks a whole tree and the use of every page of its file.
 *
 * Each page is marked when it is met, so that one met twice is found, and with it every circle; the
 * walk ends after as many pages as the file has. What the meta page says of the file is what the
 * view says: its own checks are not repeated here.
 */
#include "btree.h"
#include "node.h"
#include "overflow.h"

#include <errno.h>
#include <stdlib.h>

struct check {
    ref_view *view;
    uint64_t records;
    uint32_t page_count;
    uint8_t *seen; /* a bit for every page */
    uint8_t *map;  /* of one page: 1 for every byte that belongs to a cell */
};

/* The keys that a node may have: low <= key < high. data is NULL where there is no bound. */
struct range {
    ref_buffer low;
    ref_buffer high;
};

static bool is_marked(const struct check *check, uint32_t pgno)
{
    return (check->seen[pgno / 8] >> (pgno % 8) & 1) != 0;
}

static int mark(struct check *check, uint32_t pgno, uint32_t from)
{
    if (pgno >= check->page_count) {
        return ref_node_corrupt(check->view, from, "refers to page %u, beyond the end", pgno);
    }
    if (is_marked(check, pgno)) {
        return ref_node_corrupt(
            check->view, pgno, "is used more than once; page %u refers to it too", from);
    }
    check->seen[pgno / 8] |= (uint8_t)(1u << (pgno % 8));
    return 0;
}

static int check_zero(const ref_node *node, uint32_t from, uint32_t to, const uint8_t *map)
{
    for (uint32_t i = from; i < to; i++) {
        if (node->page[i] != 0 && (map == NULL || map[i] == 0)) {
            return ref_node_corrupt(
                node->view, node->pgno, "byte %u belongs to no cell and is not zero", i);
        }
    }
    return 0;
}

/* Cells do not overlap, holes are counted, all else is zero. */
static int check_layout(struct check *check, const ref_node *node)
{
    uint32_t heap = ref_get32(node->page + REF_PAGE_AT_HEAP);
    uint32_t count = ref_node_count(node);
    uint32_t holes = node->size - heap;
    memset(check->map, 0, node->size);
    for (uint32_t i = 0; i < count; i++) {
        ref_cell cell;
        int error = ref_node_cell(node, i, &cell);
        if (error != 0) {
            return error;
        }
        size_t size = ref_cell_size(&cell);
        uint8_t *at = check->map + ((const uint8_t *)cell.key.data - node->page) - REF_CELL_HEADER;
        if (memchr(at, 1, size) != NULL) {
            return ref_node_corrupt(node->view, node->pgno, "cell %u overlaps another", i);
        }
        memset(at, 1, size);
        holes -= (uint32_t)size;
    }
    if (ref_get32(node->page + REF_PAGE_AT_HOLES) != holes) {
        return ref_node_corrupt(node->view, node->pgno, "%u bytes of holes instead of %u",
            ref_get32(node->page + REF_PAGE_AT_HOLES), holes);
    }
    if (ref_node_level(node) == 0 && ref_get32(node->page + REF_PAGE_AT_LINK) != 0) {
        return ref_node_corrupt(node->view, node->pgno, "a leaf with a link");
    }
    int error = check_zero(node, REF_PAGE_HEADER + REF_SLOT_SIZE * count, heap, NULL);
    return error != 0 ? error : check_zero(node, heap, node->size, check->map);
}

static int check_keys(const ref_node *node, const struct range *range)
{
    ref_slice before = {range->low.data, range->low.size};
    ref_slice high = {range->high.data, range->high.size};
    uint32_t count = ref_node_count(node);
    for (uint32_t i = 0; i < count; i++) {
        ref_cell cell;
        int error = ref_node_cell(node, i, &cell);
        if (error != 0) {
            return error;
        }
        if (before.data != NULL) {
            int order = ref_key_compare(before, cell.key);
            if (order > 0 || (order == 0 && i > 0)) {
                return ref_node_corrupt(node->view, node->pgno, "key %u is out of order%s", i,
                    i == 0 ? ": the parent's key is above it" : "");
            }
        }
        if (high.data != NULL && ref_key_compare(cell.key, high) >= 0) {
            return ref_node_corrupt(node->view, node->pgno,
                "key %u is out of order: the parent's key is not above it", i);
        }
        before = cell.key;
    }
    return 0;
}

static int check_overflow(struct check *check, const ref_node *leaf, const ref_cell *cell)
{
    uint32_t page_size = leaf->size;
    uint32_t size = cell->word & ~REF_CELL_OVERFLOW;
    ref_chain chain = ref_overflow_chain(check->view, leaf->pgno, ref_get32(cell->tail.data), size);
    if (size == 0) {
        return ref_node_corrupt(check->view, leaf->pgno, "an empty value has overflow pages");
    }
    while (chain.left != 0) {
        ref_link link;
        uint32_t from = chain.from;
        int error = ref_overflow_next(&chain, &link);
        if (error == 0) {
            error = mark(check, link.pgno, from);
        }
        if (error == 0) {
            ref_node page = {
                .view = check->view, .page = link.bytes - REF_PAGE_HEADER, .pgno = link.pgno};
            error = check_zero(&page, REF_PAGE_HEADER + link.size, page_size, NULL);
        }
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int check_values(struct check *check, const ref_node *leaf)
{
    uint32_t count = ref_node_count(leaf);
    for (uint32_t i = 0; i < count; i++) {
        ref_cell cell;
        int error = ref_node_cell(leaf, i, &cell);
        if (error == 0 && (cell.word & REF_CELL_OVERFLOW) != 0) {
            error = check_overflow(check, leaf, &cell);
        }
        if (error != 0) {
            return error;
        }
    }
    check->records += count;
    return 0;
}

static int copy_bound(ref_buffer *to, const void *data, size_t size)
{
    return data == NULL ? 0 : ref_buffer_set(to, data, size);
}

/* The range of a branch's child, copied: pages are let go of on the way. */
static int range_of_child(
    const ref_node *branch, const struct range *range, uint32_t index, struct range *out)
{
    ref_cell cell;
    int error;
    *out = (struct range){0};
    if (index == 0) {
        error = copy_bound(&out->low, range->low.data, range->low.size);
    } else {
        error = ref_node_cell(branch, index - 1, &cell);
        error = error != 0 ? error : copy_bound(&out->low, cell.key.data, cell.key.size);
    }
    if (error == 0 && index == ref_node_count(branch)) {
        error = copy_bound(&out->high, range->high.data, range->high.size);
    } else if (error == 0) {
        error = ref_node_cell(branch, index, &cell);
        error = error != 0 ? error : copy_bound(&out->high, cell.key.data, cell.key.size);
    }
    return error;
}

static int check_node(
    struct check *check, uint32_t pgno, uint32_t parent, uint32_t level, const struct range *range);

static int check_child(
    struct check *check, const ref_node *branch, const struct range *range, uint32_t index)
{
    struct range below;
    uint32_t child;
    uint32_t level = ref_node_level(branch) - 1;
    int error = range_of_child(branch, range, index, &below);
    if (error == 0) {
        error = ref_node_child(branch, index, &child);
    }
    if (error == 0) {
        error = check_node(check, child, branch->pgno, level, &below);
    }
    ref_buffer_free(&below.low);
    ref_buffer_free(&below.high);
    return error;
}

static int check_node(
    struct check *check, uint32_t pgno, uint32_t parent, uint32_t level, const struct range *range)
{
    ref_node node;
    int error = mark(check, pgno, parent);
    if (error == 0) {
        error = ref_node_read(check->view, pgno, parent, level, &node);
    }
    if (error == 0) {
        error = check_layout(check, &node);
    }
    if (error == 0) {
        error = check_keys(&node, range);
    }
    if (error != 0) {
        return error;
    }
    if (ref_node_level(&node) == 0) {
        return check_values(check, &node);
    }
    level = ref_node_level(&node);
    uint32_t count = ref_node_count(&node);
    for (uint32_t i = 0; error == 0 && i <= count; i++) {
        error = check_child(check, &node, range, i);
        /* A large file must not stay in the cache whole; so this node is read again. */
        ref_view_release(check->view);
        if (error == 0) {
            error = ref_node_read(check->view, pgno, parent, level, &node);
        }
    }
    return error;
}

static int check_free_list(struct check *check, uint32_t first)
{
    uint32_t from = 0;
    for (uint32_t pgno = first; pgno != 0;) {
        const uint8_t *page;
        int error = mark(check, pgno, from);
        if (error == 0) {
            error = ref_view_read(check->view, pgno, &page);
        }
        if (error != 0) {
            return error;
        }
        if (ref_page_kind(page) != REF_PAGE_FREE) {
            return ref_node_corrupt(check->view, pgno,
                "no free page: type %u (page %u of the free list refers to it)",
                (unsigned)page[REF_PAGE_AT_TYPE], from);
        }
        from = pgno;
        pgno = ref_get32(page + REF_PAGE_AT_LINK);
        ref_view_release(check->view);
    }
    return 0;
}

static int check_all_used(struct check *check)
{
    for (uint32_t i = 0; i < check->page_count; i++) {
        if (!is_marked(check, i)) {
            return ref_node_corrupt(
                check->view, i, "is in use for nothing: neither in the tree nor free");
        }
    }
    return 0;
}

/* Reads the meta page and makes the maps. */
static int begin(struct check *check, uint32_t *first_free)
{
    const uint8_t *page;
    uint32_t page_size = ref_view_page_size(check->view);
    int error = ref_view_read(check->view, 0, &page);
    if (error != 0) {
        return error;
    }
    check->page_count = ref_get32(page + REF_META_AT_COUNT);
    *first_free = ref_get32(page + REF_META_AT_FREE);
    /* The last page is looked at before memory is taken for a count that lies. */
    if (check->page_count != 0) {
        error = ref_view_read(check->view, check->page_count - 1, &page);
    }
    if (check->page_count == 0 || error == EINVAL) {
        return ref_node_corrupt(
            check->view, 0, "counts %u pages, which the file has not", check->page_count);
    }
    if (error != 0) {
        return error;
    }
    check->seen = calloc(check->page_count / 8 + 1, 1);
    check->map = malloc(page_size);
    if (check->seen == NULL || check->map == NULL) {
        return ref_fail(
            ENOMEM, "%s: verifying %u pages", ref_view_name(check->view), check->page_count);
    }
    return mark(check, 0, 0);
}

int ref_btree_verify(ref_view *view, uint32_t root, uint64_t *records)
{
    struct check check = {.view = view};
    struct range all = {0};
    uint32_t first_free;
    int error = begin(&check, &first_free);
    if (error == 0) {
        error = check_node(&check, root, 0, REF_LEVEL_ANY, &all);
    }
    if (error == 0) {
        error = check_free_list(&check, first_free);
    }
    if (error == 0) {
        error = check_all_used(&check);
    }
    ref_view_release(view);
    free(check.seen);
    free(check.map);
    if (records != NULL) {
        *records = error == 0 ? check.records : 0;
    }
    return error;
}
