/*
 * The B+tree: finding, inserting, splitting, removing, merging.
 *
 * Every operation first descends with reading access and remembers the path. Writing access is
 * taken page by page, from the leaf upwards, only where something changes.
 *
 * In a split the parent gets its new cell before the left page loses what moved: the key that goes
 * up may lie there. In between the tree is not in order, which nobody sees: a failure ends in an
 * abort.
 */
#include "btree.h"
#include "node.h"
#include "overflow.h"

#include <errno.h>

/* A node on the way down and where the way goes on: the child's number, or the slot in a leaf. */
struct step {
    ref_node node;
    uint32_t index;
};

struct path {
    uint32_t last; /* at[last] is the leaf, at[0] the root */
    bool found;    /* the key stands at the leaf's slot */
    struct step at[REF_LEVEL_MAX + 1];
};

enum aim { AIM_FIRST, AIM_LAST, AIM_KEY };

uint32_t ref_btree_key_max(uint32_t page_size)
{
    return ref_node_cell_max(page_size) - REF_CELL_HEADER - (uint32_t)sizeof(uint32_t);
}

/* ---- finding ---- */

static int take_aim(struct step *at, enum aim aim, ref_slice key, bool *found)
{
    uint32_t count = ref_node_count(&at->node);
    bool leaf = ref_node_level(&at->node) == 0;
    if (aim != AIM_KEY) {
        at->index = aim == AIM_FIRST ? 0 : leaf && count != 0 ? count - 1 : count;
        return 0;
    }
    int error = ref_node_search(&at->node, key, &at->index, found);
    if (error == 0 && !leaf && *found) {
        at->index++; /* a cell's child holds its key */
    }
    return error;
}

static int step_down(struct path *path)
{
    struct step *at = &path->at[path->last];
    uint32_t child;
    int error = ref_node_child(&at->node, at->index, &child);
    if (error == 0) {
        error = ref_node_read(at->node.view, child, at->node.pgno, ref_node_level(&at->node) - 1,
            &path->at[path->last + 1].node);
    }
    path->last += error == 0;
    return error;
}

/* From at[last] to a leaf. */
static int descend(struct path *path, enum aim aim, ref_slice key)
{
    for (;;) {
        struct step *at = &path->at[path->last];
        int error = take_aim(at, aim, key, &path->found);
        if (error != 0 || ref_node_level(&at->node) == 0) {
            return error;
        }
        error = step_down(path);
        if (error != 0) {
            return error;
        }
    }
}

static int find(ref_view *view, uint32_t root, enum aim aim, ref_slice key, struct path *path)
{
    path->last = 0;
    path->found = false;
    int error = ref_node_read(view, root, 0, REF_LEVEL_ANY, &path->at[0].node);
    return error != 0 ? error : descend(path, aim, key);
}

static ref_chain chain_of(const ref_node *leaf, const ref_cell *cell)
{
    uint32_t first = ref_get32(cell->tail.data);
    return ref_overflow_chain(leaf->view, leaf->pgno, first, cell->word & ~REF_CELL_OVERFLOW);
}

static int read_value(const ref_node *leaf, const ref_cell *cell, ref_buffer *value)
{
    if ((cell->word & REF_CELL_OVERFLOW) != 0) {
        return ref_overflow_read(chain_of(leaf, cell), value);
    }
    return ref_buffer_set(value, cell->tail.data, cell->tail.size);
}

static int free_value(const ref_node *leaf, const ref_cell *cell)
{
    if ((cell->word & REF_CELL_OVERFLOW) != 0) {
        return ref_overflow_free(chain_of(leaf, cell));
    }
    return 0;
}

/* From past an end of the leaf to the nearest record of the next leaf (`after`) or of the one
 * before. No leaf but the root is empty, so that one step is enough. */
static int step_aside(struct path *path, bool after)
{
    while (path->last > 0) {
        struct step *up = &path->at[--path->last];
        if (after ? up->index < ref_node_count(&up->node) : up->index > 0) {
            up->index = after ? up->index + 1 : up->index - 1;
            int error = step_down(path);
            return error != 0 ? error : descend(path, after ? AIM_FIRST : AIM_LAST, (ref_slice){0});
        }
    }
    return REF_NOTFOUND;
}

static int seek(ref_view *view, uint32_t root, ref_seek how, ref_slice key, struct path *path)
{
    enum aim aim = how == REF_SEEK_FIRST ? AIM_FIRST : how == REF_SEEK_LAST ? AIM_LAST : AIM_KEY;
    int error = find(view, root, aim, key, path);
    if (error != 0) {
        return error;
    }
    struct step *leaf = &path->at[path->last];
    if (how == REF_SEEK_EQ && !path->found) {
        return REF_NOTFOUND;
    }
    if (how == REF_SEEK_LT) {
        if (leaf->index == 0) {
            return step_aside(path, false);
        }
        leaf->index--;
    }
    if (how == REF_SEEK_GT && path->found) {
        leaf->index++;
    }
    return leaf->index < ref_node_count(&leaf->node) ? 0 : step_aside(path, true);
}

static int read_record(const struct path *path, ref_buffer *found_key, ref_buffer *value)
{
    const struct step *leaf = &path->at[path->last];
    ref_cell cell;
    int error = ref_node_cell(&leaf->node, leaf->index, &cell);
    if (error == 0 && value != NULL) {
        error = read_value(&leaf->node, &cell, value);
    }
    /* The key comes last: a caller that fails still knows where it stood. */
    if (error == 0 && found_key != NULL) {
        error = ref_buffer_set(found_key, cell.key.data, cell.key.size);
    }
    return error;
}

int ref_btree_seek(ref_view *view, uint32_t root, ref_seek how, ref_slice key,
    ref_buffer *found_key, ref_buffer *value)
{
    struct path path;
    int error = seek(view, root, how, key, &path);
    if (error == 0) {
        error = read_record(&path, found_key, value);
    }
    if (error != 0 && error != REF_NOTFOUND && value != NULL) {
        value->size = 0;
    }
    ref_view_release(view);
    return error;
}

int ref_btree_get(ref_view *view, uint32_t root, ref_slice key, ref_buffer *value)
{
    return ref_btree_seek(view, root, REF_SEEK_EQ, key, NULL, value);
}

/* ---- inserting ---- */

static int insert(struct path *path, uint32_t depth, uint32_t index, const ref_cell *cell);

/* The root's content moves to a new child, of which at[1] then tells. The root keeps its number. */
static int grow(struct path *path)
{
    ref_node *root = &path->at[0].node;
    ref_node *child = &path->at[1].node;
    uint32_t level = ref_node_level(root);
    if (level == REF_LEVEL_MAX) {
        return ref_node_corrupt(root->view, root->pgno, "the tree is too high: level %u", level);
    }
    int error = ref_node_alloc(root->view, level, child);
    if (error != 0) {
        return error;
    }
    ref_node_copy(child, root);
    ref_node_reset(root, level + 1);
    path->at[0].index = 0;
    return ref_node_set_child(root, 0, child->pgno);
}

static bool is_rightmost(const struct path *path, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++) {
        if (path->at[i].index != ref_node_count(&path->at[i].node)) {
            return false;
        }
    }
    return true;
}

/* What parts two leaves: the shortest key above `low` and not above `high`. */
static ref_slice shortest_between(ref_slice low, ref_slice high)
{
    const uint8_t *a = low.data;
    const uint8_t *b = high.data;
    size_t same = 0;
    while (same < low.size && same < high.size && a[same] == b[same]) {
        same++;
    }
    return (ref_slice){high.data, same < high.size ? same + 1 : high.size};
}

/* Copies the right part of the row (see ref_node_split_point()) to `right` and tells the cell that
 * the parent needs for it. The cell's key points into `left`, or to what `cell` points to. */
static int fill_right(const ref_node *left, uint32_t index, const ref_cell *cell, uint32_t middle,
    ref_node *right, ref_cell *up)
{
    uint32_t last = ref_node_count(left);
    ref_cell one;
    int error = ref_node_row_cell(left, index, cell, middle, up);
    if (error != 0) {
        return error;
    }
    uint32_t from = middle;
    if (ref_node_level(left) == 0) {
        error = ref_node_row_cell(left, index, cell, middle - 1, &one);
        if (error != 0) {
            return error;
        }
        up->key = shortest_between(one.key, up->key);
    } else {
        error = ref_node_set_child(right, 0, up->word);
        from = middle + 1;
    }
    for (uint32_t i = from; error == 0 && i <= last; i++) {
        error = ref_node_row_cell(left, index, cell, i, &one);
        if (error == 0) {
            error = ref_node_insert(right, i - from, &one);
        }
    }
    up->word = right->pgno;
    up->tail = (ref_slice){0};
    return error;
}

/* Splits the full node at[depth], which is not the root, around the new cell. */
static int split(struct path *path, uint32_t depth, uint32_t index, const ref_cell *cell)
{
    ref_node left = path->at[depth].node; /* a root that grows meanwhile overwrites at[1] */
    uint32_t count = ref_node_count(&left);
    bool at_end = index == count && is_rightmost(path, depth);
    uint32_t middle;
    ref_node right;
    ref_cell up;
    int error = ref_node_split_point(&left, index, cell, at_end, &middle);
    if (error == 0) {
        error = ref_node_alloc(left.view, ref_node_level(&left), &right);
    }
    if (error == 0) {
        error = fill_right(&left, index, cell, middle, &right, &up);
    }
    if (error == 0) {
        error = insert(path, depth - 1, path->at[depth - 1].index, &up);
    }
    uint32_t keep = middle <= index ? middle : middle - 1;
    while (error == 0 && count > keep) {
        error = ref_node_remove(&left, --count);
    }
    if (error == 0 && index < middle) {
        error = ref_node_insert(&left, index, cell);
    }
    return error;
}

/* Puts the cell before slot `index` of at[depth]. The path is of no use afterwards. */
static int insert(struct path *path, uint32_t depth, uint32_t index, const ref_cell *cell)
{
    ref_node *node = &path->at[depth].node;
    int error = ref_node_write(node);
    if (error != 0) {
        return error;
    }
    if (ref_node_fits(node, cell)) {
        return ref_node_insert(node, index, cell);
    }
    if (depth == 0) {
        error = grow(path);
        depth = 1;
    }
    return error != 0 ? error : split(path, depth, index, cell);
}

/* Makes the cell of a record. `first` holds the overflow page's number that the tail points to. */
static int make_cell(
    ref_view *view, ref_slice key, ref_slice value, uint8_t first[4], ref_cell *cell)
{
    *cell = (ref_cell){.word = (uint32_t)value.size, .key = key, .tail = value};
    if (ref_cell_size(cell) <= ref_node_cell_max(ref_view_page_size(view))) {
        return 0;
    }
    uint32_t pgno;
    int error = ref_overflow_write(view, value, &pgno);
    ref_put32(first, pgno);
    cell->word |= REF_CELL_OVERFLOW;
    cell->tail = (ref_slice){first, sizeof pgno};
    return error;
}

/* Stores a value in the place of the one at the path's end. */
static int replace(struct path *path, ref_slice key, ref_slice value)
{
    struct step *leaf = &path->at[path->last];
    ref_cell old;
    ref_cell cell;
    uint8_t first[4];
    int error = ref_node_cell(&leaf->node, leaf->index, &old);
    if (error != 0) {
        return error;
    }
    if (old.word == ((uint32_t)value.size | REF_CELL_OVERFLOW)) {
        return ref_overflow_rewrite(chain_of(&leaf->node, &old), value);
    }
    error = free_value(&leaf->node, &old);
    if (error == 0) {
        error = ref_node_write(&leaf->node);
    }
    if (error == 0) {
        error = make_cell(leaf->node.view, key, value, first, &cell);
    }
    if (error != 0) {
        return error;
    }
    if (ref_cell_size(&cell) <= ref_cell_size(&old)) {
        return ref_node_overwrite(&leaf->node, leaf->index, &cell);
    }
    error = ref_node_remove(&leaf->node, leaf->index);
    return error != 0 ? error : insert(path, path->last, leaf->index, &cell);
}

static int put(ref_view *view, uint32_t root, ref_slice key, ref_slice value, bool no_overwrite)
{
    struct path path;
    ref_cell cell;
    uint8_t first[4];
    int error = find(view, root, AIM_KEY, key, &path);
    if (error != 0) {
        return error;
    }
    if (path.found) {
        return no_overwrite ? REF_KEYEXIST : replace(&path, key, value);
    }
    error = make_cell(view, key, value, first, &cell);
    return error != 0 ? error : insert(&path, path.last, path.at[path.last].index, &cell);
}

int ref_btree_put(ref_view *view, uint32_t root, ref_slice key, ref_slice value, bool no_overwrite)
{
    uint32_t key_max = ref_btree_key_max(ref_view_page_size(view));
    if (key.size > key_max) {
        return ref_fail(EINVAL, "%s: a key of %zu bytes; pages of %u bytes hold keys up to %u",
            ref_view_name(view), key.size, ref_view_page_size(view), key_max);
    }
    if (value.size > REF_VALUE_MAX) {
        return ref_fail(EINVAL, "%s: a value of %zu bytes; values have at most %u",
            ref_view_name(view), value.size, REF_VALUE_MAX);
    }
    int error = put(view, root, key, value, no_overwrite);
    ref_view_release(view);
    return error;
}

/* ---- removing ---- */

/* Below a third of a page a node looks for a sibling to join. The distance to a half, which a split
 * leaves, keeps a tree that breathes from splitting and merging in turn. */
static bool is_underfull(const ref_node *node)
{
    return ref_node_used(node) < ref_node_room(node->size) / 3;
}

/* Takes the child that the step leads to, which holds no key any more, out of the branch. The
 * neighbour answers for its keys then. *childless: it was the only child. */
static int drop_child(struct step *up, bool *childless)
{
    uint32_t pgno = 0;
    *childless = ref_node_count(&up->node) == 0;
    int error = ref_node_write(&up->node);
    if (error != 0 || *childless) {
        return error;
    }
    if (up->index > 0) {
        return ref_node_remove(&up->node, up->index - 1);
    }
    error = ref_node_child(&up->node, 1, &pgno);
    if (error == 0) {
        error = ref_node_set_child(&up->node, 0, pgno);
    }
    return error != 0 ? error : ref_node_remove(&up->node, 0);
}

/* Adds what `node` has to the end (`after`) or the beginning of its sibling. `parting` is the cell
 * of their parent that stands between them: branches take its key back. */
static int join(const ref_node *node, ref_node *sibling, bool after, const ref_cell *parting)
{
    uint32_t count = ref_node_count(node);
    uint32_t place = after ? ref_node_count(sibling) : 0;
    int error = 0;
    if (ref_node_level(node) > 0) {
        ref_cell between = {.key = parting->key};
        error = ref_node_child(after ? node : sibling, 0, &between.word);
        if (error == 0) {
            error = ref_node_insert(sibling, place, &between);
        }
        if (error == 0 && !after) {
            uint32_t first;
            error = ref_node_child(node, 0, &first);
            if (error == 0) {
                error = ref_node_set_child(sibling, 0, first);
            }
        }
        place += after;
    }
    for (uint32_t i = 0; error == 0 && i < count; i++) {
        ref_cell cell;
        error = ref_node_cell(node, i, &cell);
        if (error == 0) {
            error = ref_node_insert(sibling, place + i, &cell);
        }
    }
    return error;
}

/* Joins the node with the sibling on one side, if both fit a page. The smaller moves, so that
 * little changes; the parent's cell between them goes. */
static int merge_with(struct step *up, ref_node *node, bool left, bool *merged)
{
    uint32_t parting_index = left ? up->index - 1 : up->index;
    uint32_t sibling_pgno;
    ref_node sibling;
    ref_cell parting;
    int error = ref_node_child(&up->node, left ? up->index - 1 : up->index + 1, &sibling_pgno);
    if (error == 0 && sibling_pgno == node->pgno) {
        error = ref_node_corrupt(
            node->view, up->node.pgno, "refers to page %u more than once", sibling_pgno);
    }
    if (error == 0) {
        error =
            ref_node_read(node->view, sibling_pgno, up->node.pgno, ref_node_level(node), &sibling);
    }
    if (error == 0) {
        error = ref_node_cell(&up->node, parting_index, &parting);
    }
    if (error != 0) {
        return error;
    }
    size_t total = (size_t)ref_node_used(node) + ref_node_used(&sibling);
    if (ref_node_level(node) > 0) {
        total += ref_cell_size(&parting) + REF_SLOT_SIZE;
    }
    if (total > ref_node_room(node->size)) {
        return 0;
    }
    *merged = true;
    error = ref_node_write(&sibling);
    if (error == 0) {
        error = join(node, &sibling, left, &parting);
    }
    if (error == 0) {
        error = ref_node_write(&up->node);
    }
    if (error == 0) {
        error = ref_node_set_child(&up->node, parting_index, sibling_pgno);
    }
    if (error == 0) {
        error = ref_node_remove(&up->node, parting_index);
    }
    return error != 0 ? error : ref_view_free(node->view, node->pgno);
}

static int merge(struct step *up, ref_node *node, bool *merged)
{
    int error = 0;
    *merged = false;
    if (up->index > 0) {
        error = merge_with(up, node, true, merged);
    }
    if (error == 0 && !*merged && up->index < ref_node_count(&up->node)) {
        error = merge_with(up, node, false, merged);
    }
    return error;
}

/* From the leaf upwards: a node without content goes, one with little joins a sibling, and so the
 * parent has less. */
static int rebalance(struct path *path)
{
    bool childless = false;
    for (uint32_t depth = path->last; depth > 0; depth--) {
        ref_node *node = &path->at[depth].node;
        struct step *up = &path->at[depth - 1];
        int error;
        if (ref_node_level(node) == 0 ? ref_node_count(node) == 0 : childless) {
            error = drop_child(up, &childless);
            if (error == 0) {
                error = ref_view_free(node->view, node->pgno);
            }
        } else {
            bool merged = false;
            error = is_underfull(node) ? merge(up, node, &merged) : 0;
            if (error == 0 && !merged) {
                return 0;
            }
        }
        if (error != 0) {
            return error;
        }
    }
    if (childless) {
        ref_node_reset(&path->at[0].node, 0);
    }
    return 0;
}

/* A root with a single child takes that child's content. */
static int collapse(ref_view *view, uint32_t root_pgno)
{
    for (;;) {
        ref_node root;
        ref_node child;
        uint32_t pgno;
        int error = ref_node_read(view, root_pgno, 0, REF_LEVEL_ANY, &root);
        if (error != 0 || ref_node_level(&root) == 0 || ref_node_count(&root) > 0) {
            return error;
        }
        error = ref_node_child(&root, 0, &pgno);
        if (error == 0) {
            error = ref_node_read(view, pgno, root_pgno, ref_node_level(&root) - 1, &child);
        }
        if (error == 0) {
            error = ref_node_write(&root);
        }
        if (error != 0) {
            return error;
        }
        ref_node_copy(&root, &child);
        error = ref_view_free(view, pgno);
        if (error != 0) {
            return error;
        }
    }
}

static int del(ref_view *view, uint32_t root, ref_slice key)
{
    struct path path;
    ref_cell cell;
    int error = find(view, root, AIM_KEY, key, &path);
    if (error != 0) {
        return error;
    }
    if (!path.found) {
        return REF_NOTFOUND;
    }
    struct step *leaf = &path.at[path.last];
    error = ref_node_cell(&leaf->node, leaf->index, &cell);
    if (error == 0) {
        error = free_value(&leaf->node, &cell);
    }
    if (error == 0) {
        error = ref_node_write(&leaf->node);
    }
    if (error == 0) {
        error = ref_node_remove(&leaf->node, leaf->index);
    }
    if (error == 0) {
        error = rebalance(&path);
    }
    return error != 0 ? error : collapse(view, root);
}

int ref_btree_del(ref_view *view, uint32_t root, ref_slice key)
{
    int error = del(view, root, key);
    ref_view_release(view);
    return error;
}

/* ---- the whole tree ---- */

int ref_btree_create(ref_view *view, uint32_t *root)
{
    ref_node node;
    int error = ref_node_alloc(view, 0, &node);
    *root = error == 0 ? node.pgno : 0;
    return error;
}

/* Gives back the overflow pages of a leaf, or the whole trees below a branch; not the node itself.
 * Freed pages are no nodes: one that is referred to twice is refused at the second time. */
static int drop_content(ref_view *view, const ref_node *top, uint32_t *records)
{
    ref_node node = *top;
    uint32_t count = ref_node_count(&node);
    uint32_t level = ref_node_level(&node);
    int error = 0;
    for (uint32_t i = 0; error == 0 && level == 0 && i < count; i++) {
        ref_cell cell;
        error = ref_node_cell(&node, i, &cell);
        if (error == 0) {
            error = free_value(&node, &cell);
        }
        *records += error == 0;
    }
    for (uint32_t i = 0; error == 0 && level > 0 && i <= count; i++) {
        ref_node child;
        uint32_t pgno;
        error = ref_node_child(&node, i, &pgno);
        if (error == 0) {
            error = ref_node_read(view, pgno, node.pgno, level - 1, &child);
        }
        if (error == 0) {
            error = drop_content(view, &child, records);
        }
        if (error == 0) {
            error = ref_view_free(view, pgno);
        }
        /* A large tree must not stay in the cache whole; so this node is read again. */
        ref_view_release(view);
        if (error == 0) {
            error = ref_node_read(view, top->pgno, 0, level, &node);
        }
    }
    return error;
}

int ref_btree_truncate(ref_view *view, uint32_t root, uint32_t *count)
{
    ref_node node;
    uint32_t records = 0;
    int error = ref_node_read(view, root, 0, REF_LEVEL_ANY, &node);
    if (error == 0) {
        error = drop_content(view, &node, &records);
    }
    if (error == 0) {
        error = ref_node_read(view, root, 0, REF_LEVEL_ANY, &node);
    }
    if (error == 0) {
        error = ref_node_write(&node);
    }
    if (error == 0) {
        ref_node_reset(&node, 0);
    }
    ref_view_release(view);
    if (count != NULL) {
        *count = error == 0 ? records : 0;
    }
    return error;
}
