/*
 * Questions about what a crash has left undecided in files.
 *
 * The size comes first: the newest change of it that is kept is the size, and what lies beyond is
 * not there. Content is decided unit by unit (sector or page), and in a unit by groups of changes
 * that overlap: those that do not are nothing to one another.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* By hand, since a question is asked for every sector: snprintf would take most of the time. */
static const char *content_words(char *text, const char *what, uint64_t number, const char *path)
{
    char digits[24];
    size_t length = 0, at = strlen(what), size = strnlen(path, FAULT_PATH_MAX);
    do {
        digits[length++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(text, what, at);
    while (length > 0) {
        text[at++] = digits[--length];
    }
    memcpy(text + at, " of ", 4);
    memcpy(text + at + 4, path, size);
    text[at + 4 + size] = '\0';
    return text;
}

uint32_t fault_ask(fault_disk *disk, fault_question_kind kind, uint32_t answers,
    const fault_inode *inode, uint64_t offset, uint64_t order, const char *words)
{
    char text[FAULT_PATH_MAX + 64];
    if (words == NULL) {
        words = content_words(text, kind == FAULT_ASK_SIZE ? "size " : "content at ", offset,
            fault_bytes_text(inode->path));
    }
    fault_question question = {
        .kind = kind,
        .answers = answers,
        .inode = inode != NULL ? inode->number : 0,
        .offset = offset,
        .order = order,
        .words = words,
    };
    uint32_t answer = disk->answer(disk->answer_context, &question);
    return answer < answers ? answer : answers - 1;
}

void fault_unit_range(const fault_disk *disk, const fault_change *change, unsigned bit,
    uint64_t *first, uint64_t *behind)
{
    uint64_t unit = change->offset / disk->unit + bit;
    uint64_t end = change->offset + change->size;
    *first = unit * disk->unit > change->offset ? unit * disk->unit : change->offset;
    *behind = (unit + 1) * disk->unit < end ? (unit + 1) * disk->unit : end;
}

/* Representatives first: of all ways to one state, one counts. The way that keeps all always does,
 * and the one that loses all, so that a caller who only ever says the one or the other gets it; they
 * may be one state, when a write took another back. */
uint32_t fault_choose(const uint64_t *outcome, uint32_t count, fault_choice_fn ask, void *context)
{
    uint32_t all = ((uint32_t)1 << count) - 1, kept = 0;
    uint64_t ways = (uint64_t)1 << all;
    for (uint32_t mask = all; mask-- > 0;) {
        bool seen = mask != 0 && outcome[mask] == outcome[0];
        for (uint32_t other = mask + 1; other <= all && !seen; other++) {
            seen = outcome[other] == outcome[mask] && (ways >> other & 1) != 0;
        }
        ways |= (uint64_t)(!seen || (mask == 0 && ways != (uint64_t)1 << all)) << mask;
    }
    for (uint32_t index = count; index-- > 0;) {
        bool can[2] = {false, false};
        uint32_t decided = ~(((uint32_t)2 << index) - 1) & all;
        for (uint32_t mask = 0; mask <= all; mask++) {
            if ((ways >> mask & 1) != 0 && (mask & decided) == kept) {
                can[mask >> index & 1] = true;
            }
        }
        if (can[1] && (!can[0] || ask(context, index) != 0)) {
            kept |= (uint32_t)1 << index;
        }
    }
    return kept;
}

/* ---- the certain content, and the one that processes see ---- */

static void put(fault_inode *inode, uint64_t offset, const uint8_t *bytes, size_t size)
{
    bool one = inode->now == inode->base;
    if (one) {
        fault_map_drop(inode->now);
        inode->now = NULL;
    }
    fault_map_write(&inode->base, offset, bytes, size);
    if (one) {
        inode->now = fault_map_share(inode->base);
    } else {
        fault_map_write(&inode->now, offset, bytes, size);
    }
}

static void cut(fault_inode *inode, uint64_t size)
{
    bool one = inode->now == inode->base;
    if (one) {
        fault_map_drop(inode->now);
        inode->now = NULL;
    }
    fault_map_cut(&inode->base, size);
    if (one) {
        inode->now = fault_map_share(inode->base);
    } else {
        fault_map_cut(&inode->now, size);
    }
}

void fault_trim(fault_disk *disk, fault_inode *inode, uint64_t size, uint64_t order)
{
    for (uint32_t i = 0; i < inode->count; i++) {
        fault_change *change = &inode->changes[i];
        if (change->kind != FAULT_WRITTEN || change->state == FAULT_PENDING ||
            change->order >= order || change->offset + change->size <= size) {
            continue;
        }
        if (change->offset >= size) {
            change->left = 0;
            continue;
        }
        change->size = (uint32_t)(size - change->offset);
        uint64_t units =
            (change->offset + change->size - 1) / disk->unit - change->offset / disk->unit + 1;
        change->left &= units >= 64 ? UINT64_MAX : ((uint64_t)1 << units) - 1;
    }
}

/* ---- size ---- */

static bool undecided_size(const fault_change *change)
{
    return change->kind != FAULT_WRITTEN && change->state != FAULT_PENDING &&
           (change->left & ~change->hidden) != 0;
}

/* Whether it makes a difference that content from there to the end was cut off before. */
static bool cut_matters(const fault_inode *inode, const fault_change *change, uint64_t end)
{
    if (change->offset >= end) {
        return false;
    }
    if (!fault_map_zero(inode->base, change->offset, end)) {
        return true;
    }
    for (const fault_change *at = inode->changes; at < change; at++) {
        if (at->kind == FAULT_WRITTEN && at->state != FAULT_PENDING && at->offset < end &&
            at->offset + at->size > change->offset && (at->left & ~at->hidden) != 0) {
            return true;
        }
    }
    return false;
}

/* The size that is left if none of the changes from this one on is kept, when that is the only one:
 * then there is nothing to ask. */
static bool same_without(const fault_inode *inode, uint32_t index)
{
    const fault_change *change = &inode->changes[index];
    if (change->offset != inode->base_size) {
        return false;
    }
    while (index-- > 0) {
        if (undecided_size(&inode->changes[index])) {
            return false;
        }
    }
    return change->kind == FAULT_GROWN;
}

void fault_look_size(fault_disk *disk, fault_inode *inode)
{
    uint64_t size = inode->base_size;
    bool found = false;
    for (uint32_t i = inode->count; i-- > 0;) {
        fault_change *change = &inode->changes[i];
        if (!undecided_size(change)) {
            continue;
        }
        bool matters = found ? change->kind == FAULT_CUT && cut_matters(inode, change, size)
                             : !same_without(inode, i);
        bool kept = matters && fault_ask(disk, FAULT_ASK_SIZE, 2, inode, change->offset,
                                   change->order, NULL) != 0;
        change->left = 0;
        if (kept && !found) {
            size = change->offset;
            found = true;
        }
        if (kept && change->kind == FAULT_CUT) {
            cut(inode, change->offset);
            fault_trim(disk, inode, change->offset, change->order);
        }
    }
    cut(inode, size);
    fault_trim(disk, inode, size, UINT64_MAX);
    inode->size = inode->base_size = size;
    inode->unsized = 0;
    fault_changes_tidy(inode);
}

/* ---- content ---- */

#define PIECES 512

typedef struct piece {
    fault_change *change;
    unsigned bit;
    uint64_t first, behind;
    bool taken;
} piece;

typedef struct group {
    fault_disk *disk;
    fault_inode *inode;
    piece *pieces[PIECES]; /* in the order in which they were made */
    uint32_t count;
    uint64_t first, behind;
} group;

static const uint8_t *bytes_of(const piece *p)
{
    return p->change->bytes->at + (p->first - p->change->offset);
}

static uint32_t ask_piece(void *context, uint32_t index)
{
    const group *g = context;
    const piece *p = g->pieces[index];
    return fault_ask(g->disk, FAULT_ASK_CONTENT, 2, g->inode, p->first, p->change->order, NULL);
}

static void keep_piece(group *g, uint32_t index)
{
    const piece *p = g->pieces[index];
    put(g->inode, p->first, bytes_of(p), (size_t)(p->behind - p->first));
}

static void decide_exactly(group *g)
{
    uint64_t outcome[1u << FAULT_TOGETHER];
    uint8_t bytes[FAULT_BLOCK];
    size_t size = (size_t)(g->behind - g->first);
    for (uint32_t mask = 0; mask < (uint32_t)1 << g->count; mask++) {
        fault_map_read(g->inode->base, g->first, bytes, size);
        for (uint32_t i = 0; i < g->count; i++) {
            const piece *p = g->pieces[i];
            if ((mask >> i & 1) != 0) {
                memcpy(bytes + (p->first - g->first), bytes_of(p), (size_t)(p->behind - p->first));
            }
        }
        outcome[mask] = fault_hash(0, bytes, size);
    }
    uint32_t kept = fault_choose(outcome, g->count, ask_piece, g);
    for (uint32_t i = 0; i < g->count; i++) {
        if ((kept >> i & 1) != 0) {
            keep_piece(g, i);
        }
    }
}

/* Whether a change can be told from what may lie below it, where nothing newer covers it. */
static bool piece_matters(const group *g, uint32_t index, const uint8_t *covered)
{
    const piece *p = g->pieces[index];
    const uint8_t *bytes = bytes_of(p);
    uint8_t below[FAULT_BLOCK];
    fault_map_read(g->inode->base, p->first, below, (size_t)(p->behind - p->first));
    for (uint64_t at = p->first; at < p->behind; at++) {
        uint8_t byte = bytes[at - p->first];
        if (covered[at - g->first]) {
            continue;
        }
        if (below[at - p->first] != byte) {
            return true;
        }
        for (uint32_t i = 0; i < index; i++) {
            const piece *q = g->pieces[i];
            if (at >= q->first && at < q->behind && bytes_of(q)[at - q->first] != byte) {
                return true;
            }
        }
    }
    return false;
}

/* Newest first; one state may be reached in more than one way. */
static void decide_many(group *g)
{
    uint8_t covered[FAULT_BLOCK] = {0};
    bool kept[PIECES];
    for (uint32_t i = g->count; i-- > 0;) {
        const piece *p = g->pieces[i];
        kept[i] = piece_matters(g, i, covered) && ask_piece(g, i) != 0;
        if (kept[i]) {
            memset(covered + (p->first - g->first), 1, (size_t)(p->behind - p->first));
        }
    }
    for (uint32_t i = 0; i < g->count; i++) {
        if (kept[i]) {
            keep_piece(g, i);
        }
    }
}

static void decide(group *g)
{
    const piece *p = g->pieces[0];
    if (g->count == 1) {
        if (!fault_map_equals(
                g->inode->base, p->first, bytes_of(p), (size_t)(p->behind - p->first)) &&
            ask_piece(g, 0) != 0) {
            keep_piece(g, 0);
        }
    } else if (g->count <= FAULT_TOGETHER) {
        decide_exactly(g);
    } else {
        decide_many(g);
    }
    for (uint32_t i = 0; i < g->count; i++) {
        g->pieces[i]->change->left &= ~((uint64_t)1 << g->pieces[i]->bit);
    }
}

/* Everything that overlaps the first one that is not taken, directly or by way of others. */
static bool next_group(piece *pieces, uint32_t count, group *g)
{
    uint32_t start = 0;
    while (start < count && pieces[start].taken) {
        start++;
    }
    if (start == count) {
        return false;
    }
    g->first = pieces[start].first;
    g->behind = pieces[start].behind;
    g->count = 0;
    pieces[start].taken = true;
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < count; i++) {
            piece *p = &pieces[i];
            if (!p->taken && p->first < g->behind && p->behind > g->first) {
                p->taken = more = true;
                g->first = p->first < g->first ? p->first : g->first;
                g->behind = p->behind > g->behind ? p->behind : g->behind;
            }
        }
    }
    for (uint32_t i = start; i < count; i++) {
        if (pieces[i].taken && pieces[i].first >= g->first && pieces[i].behind <= g->behind) {
            g->pieces[g->count++] = &pieces[i];
        }
    }
    return true;
}

/* What is being looked at: a range, and the undecided writes that touch its units. */
typedef struct view {
    fault_disk *disk;
    fault_inode *inode;
    uint64_t offset, end;
    bool over; /* it is being written: what it covers is hidden and not decided */
    fault_change **near;
    uint32_t count;
} view;

static void find_near(view *v)
{
    uint64_t unit = v->disk->unit;
    uint64_t from = v->offset - v->offset % unit, to = v->end + unit - 1 - (v->end - 1) % unit;
    for (uint32_t i = 0; i < v->inode->count; i++) {
        fault_change *change = &v->inode->changes[i];
        if (change->kind != FAULT_WRITTEN || change->state == FAULT_PENDING ||
            change->offset >= to || change->offset + change->size <= from ||
            (change->left & ~change->hidden) == 0) {
            continue;
        }
        if (v->near == NULL) {
            v->near = fault_need(malloc((v->inode->count - i) * sizeof(fault_change *)));
        }
        v->near[v->count++] = change;
    }
}

static uint32_t pieces_of(const view *v, uint64_t unit, piece *pieces)
{
    uint64_t from = unit * v->disk->unit, to = from + v->disk->unit;
    uint32_t count = 0;
    for (uint32_t i = 0; i < v->count && count < PIECES; i++) {
        fault_change *change = v->near[i];
        if (change->offset >= to || change->offset + change->size <= from) {
            continue;
        }
        unsigned bit = (unsigned)(unit - change->offset / v->disk->unit);
        if ((change->left & ~change->hidden) >> bit & 1) {
            piece *p = &pieces[count++];
            *p = (piece){.change = change, .bit = bit};
            fault_unit_range(v->disk, change, bit, &p->first, &p->behind);
        }
    }
    return count;
}

static void look_unit(const view *v, uint64_t unit)
{
    piece pieces[PIECES];
    group g;
    uint32_t count = pieces_of(v, unit, pieces);
    g.disk = v->disk;
    g.inode = v->inode;
    while (count > 0 && next_group(pieces, count, &g)) {
        if (g.first >= v->end || g.behind <= v->offset) {
            continue;
        }
        if (!v->over || g.first < v->offset || g.behind > v->end) {
            decide(&g);
            continue;
        }
        for (uint32_t i = 0; i < g.count; i++) {
            g.pieces[i]->change->hidden |= (uint64_t)1 << g.pieces[i]->bit;
        }
    }
}

static void look(fault_disk *disk, fault_inode *inode, uint64_t offset, uint64_t end, bool over)
{
    view v = {.disk = disk, .inode = inode, .offset = offset, .end = end, .over = over};
    find_near(&v);
    for (uint32_t i = 0; i < v.count; i++) {
        const fault_change *change = v.near[i];
        uint64_t base = change->offset / disk->unit, to = (end - 1) / disk->unit;
        uint64_t unit = offset > change->offset ? offset / disk->unit : base;
        for (; unit <= to && unit < base + 64; unit++) {
            if ((change->left & ~change->hidden) >> (unit - base) & 1) {
                look_unit(&v, unit);
            }
        }
    }
    if (v.count > 0) {
        free(v.near);
        fault_changes_tidy(inode);
    }
}

void fault_look_range(fault_disk *disk, fault_inode *inode, uint64_t offset, uint64_t end)
{
    look(disk, inode, offset, end, false);
}

void fault_look_over(fault_disk *disk, fault_inode *inode, uint64_t offset, uint64_t end)
{
    look(disk, inode, offset, end, true);
}
