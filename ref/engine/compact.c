/*
 * In-place compaction: the pages that lie behind the file's future end move into free pages before
 * it, then the end is cut off.
 *
 * The future end is the number of pages less the free ones. So there are as many free pages before
 * it ("low" ones) as pages in use behind it. A walk through the tree in key order meets all of the
 * latter: nodes and overflow pages. One moves into a low page, whoever refers to it refers to the
 * new place from then on, and the old one takes the low page's place in the free list. When no low
 * page is left the free list holds what lies behind the future end and nothing else, and one change
 * of page 0 drops both.
 *
 * A step is one ordinary transaction with a bounded number of moves; the database is whole after
 * each. Between steps others may write: what they allocate and free moves the future end, and the
 * walk goes round again until no low page is left. After some rounds the rest is done in one step.
 *
 * The file itself is cut by a checkpoint, which nobody else may be in the way of: a reader of an
 * earlier commit, who may still ask for the old places; a backup, which may be copying them; a
 * capture. Then a later checkpoint does it.
 */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>

#include "db.h"
#include "node.h"
#include "overflow.h"

#define MOVES_MAX 64u    /* pages that a step moves */
#define VISITS_MAX 1024u /* leaves that it looks at */
#define ROUNDS_MAX 8u

typedef struct compaction {
    ref_db *db;
    ref_view *view;  /* of the step's transaction */
    uint32_t *list;  /* the free pages, as they are linked */
    uint32_t length; /* of the list */
    uint32_t low;    /* no low page stands before this place in the list */
    uint32_t capacity;
    uint32_t end;    /* the future number of pages */
    uint64_t commit; /* as whose writing the list is right */
    ref_buffer key;  /* where the walk goes on */
    bool walking;    /* the key is set */
    uint32_t rounds;
    uint32_t moves, visits; /* of this step */
    bool unbounded;
    bool done;
} compaction;

/* ---- the free list ---- */

static int add_free(compaction *c, uint32_t pgno)
{
    if (c->length == c->capacity) {
        uint32_t capacity = c->capacity == 0 ? 256 : c->capacity * 2;
        uint32_t *list = realloc(c->list, capacity * sizeof *list);
        if (list == NULL) {
            return ref_fail(ENOMEM, "%s: compaction", c->db->name);
        }
        c->list = list;
        c->capacity = capacity;
    }
    c->list[c->length++] = pgno;
    return 0;
}

static int read_list(compaction *c)
{
    const uint8_t *page;
    int error = ref_view_read(c->view, 0, &page);
    if (error != 0) {
        return error;
    }
    uint32_t count = ref_get32(page + REF_META_AT_COUNT);
    uint32_t pgno = ref_get32(page + REF_META_AT_FREE);
    c->length = c->low = 0;
    while (pgno != 0) {
        if (pgno >= count || c->length + 2 >= count) {
            return ref_node_corrupt(c->view, pgno, "the free list goes round, or beyond the end");
        }
        error = add_free(c, pgno);
        if (error == 0) {
            error = ref_view_read(c->view, pgno, &page);
        }
        if (error == 0 && ref_page_kind(page) != REF_PAGE_FREE) {
            error = ref_node_corrupt(c->view, pgno, "on the free list, but in use");
        }
        if (error != 0) {
            return error;
        }
        pgno = ref_get32(page + REF_PAGE_AT_LINK);
        ref_view_release(c->view);
    }
    c->end = count - c->length;
    return 0;
}

/* Has anybody but this compaction changed page 0, and with it perhaps the list? */
static int list_is_stale(compaction *c, bool *stale)
{
    ref_env *env = c->db->env;
    ref_version *meta;
    int error = ref_cache_get(c->db->file, 0, UINT64_MAX, &meta);
    if (error != 0) {
        return error;
    }
    pthread_mutex_lock(&env->mutex);
    /* 0: from the file, as of whenever. Nothing is committed now: this step has the write lock. */
    uint64_t changed = meta->commit != 0 ? meta->commit : env->last_commit;
    ref_version_release(meta);
    pthread_mutex_unlock(&env->mutex);
    *stale = c->commit == 0 || changed > c->commit;
    return 0;
}

/* *found: the next low page stands at c->low. */
static bool find_low(compaction *c)
{
    while (c->low < c->length && c->list[c->low] >= c->end) {
        c->low++;
    }
    return c->low < c->length;
}

/* ---- moving ---- */

static int set_link(compaction *c, uint32_t place, uint32_t to)
{
    uint8_t *page;
    int error = ref_view_write(c->view, place == 0 ? 0 : c->list[place - 1], &page);
    if (error == 0) {
        ref_put32(page + (place == 0 ? REF_META_AT_FREE : REF_PAGE_AT_LINK), to);
    }
    return error;
}

/* Moves a page behind the future end into a low one. The caller corrects who refers to it. */
static int move(compaction *c, uint32_t from, uint32_t *to)
{
    uint32_t size = ref_view_page_size(c->view);
    uint8_t *source, *target;

    if (!find_low(c)) {
        return ref_node_corrupt(
            c->view, from, "there are more pages in use than page 0 and the free list leave");
    }
    *to = c->list[c->low];
    int error = ref_view_write(c->view, *to, &target);
    if (error == 0) {
        error = ref_view_write(c->view, from, &source);
    }
    if (error == 0) {
        error = set_link(c, c->low, from);
    }
    if (error != 0) {
        return error;
    }
    uint32_t next = ref_get32(target + REF_PAGE_AT_LINK);
    memcpy(target, source, size);
    ref_put32(target + REF_PAGE_AT_PGNO, *to);
    ref_page_init(source, size, from, REF_PAGE_FREE);
    ref_put32(source + REF_PAGE_AT_LINK, next);
    c->list[c->low] = from;
    c->moves++;
    return 0;
}

static bool has_enough(const compaction *c)
{
    return !c->unbounded && (c->moves >= MOVES_MAX || c->visits >= VISITS_MAX);
}

/* The first overflow page of the leaf's cell lies elsewhere. */
static int set_first(ref_node *leaf, uint32_t index, uint32_t pgno)
{
    ref_cell cell;
    int error = ref_node_write(leaf);
    if (error == 0) {
        error = ref_node_cell(leaf, index, &cell);
    }
    if (error == 0) {
        ref_put32(leaf->out + ((const uint8_t *)cell.tail.data - leaf->page), pgno);
    }
    return error;
}

/* Who refers to the chain's next page: a page of the chain, or the leaf. */
static int refer(compaction *c, ref_node *leaf, uint32_t index, uint32_t before, uint32_t pgno)
{
    uint8_t *page;
    if (before == 0) {
        return set_first(leaf, index, pgno);
    }
    int error = ref_view_write(c->view, before, &page);
    if (error == 0) {
        ref_put32(page + REF_PAGE_AT_LINK, pgno);
    }
    return error;
}

static int move_chain(compaction *c, ref_node *leaf, uint32_t index, const ref_cell *cell)
{
    uint32_t size = cell->word & ~REF_CELL_OVERFLOW, before = 0;
    ref_chain chain = ref_overflow_chain(c->view, leaf->pgno, ref_get32(cell->tail.data), size);
    int error = 0;
    while (chain.left != 0 && error == 0 && !has_enough(c)) {
        ref_link link;
        error = ref_overflow_next(&chain, &link);
        uint32_t place = link.pgno;
        if (error == 0 && place >= c->end) {
            error = move(c, link.pgno, &place);
            if (error == 0) {
                error = refer(c, leaf, index, before, place);
            }
        }
        before = place;
    }
    return error;
}

/* ---- the walk ---- */

/* The child at `index`, in its new place if it had to move. */
static int step_down(compaction *c, ref_node *node, uint32_t index, ref_node *child)
{
    uint32_t pgno, to, level = ref_node_level(node) - 1;
    int error = ref_node_child(node, index, &pgno);
    if (error == 0) { /* is it a node of this level at all? */
        error = ref_node_read(c->view, pgno, node->pgno, level, child);
    }
    if (error != 0 || pgno < c->end) {
        return error;
    }
    error = move(c, pgno, &to);
    if (error == 0) {
        error = ref_node_write(node);
    }
    if (error == 0) {
        error = ref_node_set_child(node, index, to);
    }
    return error == 0 ? ref_node_read(c->view, to, node->pgno, level, child) : error;
}

static int find_place(const compaction *c, const ref_node *node, uint32_t *index)
{
    bool found = false;
    *index = 0;
    if (!c->walking) {
        return 0;
    }
    int error = ref_node_search(node, (ref_slice){c->key.data, c->key.size}, index, &found);
    if (error == 0 && found && ref_node_level(node) > 0) {
        ++*index; /* a cell's child holds its key */
    }
    return error;
}

static int set_key(compaction *c, const ref_cell *cell)
{
    c->walking = true;
    return ref_buffer_set(&c->key, cell->key.data, cell->key.size);
}

/* The values of a leaf from the walk's place on. *key_set: the walk shall go on at one of them. */
static int move_values(compaction *c, ref_node *leaf, bool *key_set)
{
    uint32_t index;
    int error = find_place(c, leaf, &index);
    for (; error == 0 && index < ref_node_count(leaf); index++) {
        ref_cell cell;
        error = ref_node_cell(leaf, index, &cell);
        if (error != 0 || (cell.word & REF_CELL_OVERFLOW) == 0) {
            continue;
        }
        if (has_enough(c)) {
            *key_set = true;
            return set_key(c, &cell);
        }
        error = move_chain(c, leaf, index, &cell);
        if (error == 0 && has_enough(c)) { /* perhaps in the middle of the chain */
            *key_set = true;
            error = ref_node_cell(leaf, index, &cell);
            return error == 0 ? set_key(c, &cell) : error;
        }
    }
    return error;
}

/* From the root to the walk's leaf and through it. *over: it was the last. */
static int visit_leaf(compaction *c, bool *over)
{
    ref_buffer next = {0}; /* the first key behind the leaf */
    ref_node node;
    bool has_next = false, key_set = false;
    int error = ref_node_read(c->view, c->db->root, 0, REF_LEVEL_ANY, &node);
    while (error == 0 && ref_node_level(&node) > 0) {
        uint32_t index;
        ref_node child;
        ref_cell cell;
        error = find_place(c, &node, &index);
        if (error == 0 && index < ref_node_count(&node)) {
            error = ref_node_cell(&node, index, &cell);
            if (error == 0) {
                error = ref_buffer_set(&next, cell.key.data, cell.key.size);
                has_next = true;
            }
        }
        if (error == 0) {
            error = step_down(c, &node, index, &child);
            node = child;
        }
    }
    if (error == 0) {
        error = move_values(c, &node, &key_set);
    }
    c->visits++;
    *over = error == 0 && !key_set && !has_next;
    if (error == 0 && !key_set && has_next) {
        ref_buffer_free(&c->key);
        c->key = next;
        c->walking = true;
        next = (ref_buffer){0};
    }
    ref_buffer_free(&next);
    ref_view_release(c->view);
    return error;
}

/* ---- steps ---- */

/* Once this commit and no earlier one can be read. */
static void want_cut(ref_db *db, uint64_t commit)
{
    pthread_mutex_lock(&db->env->mutex);
    db->file->cut_wanted = true;
    db->file->cut_commit = commit < db->env->visible_commit ? db->env->visible_commit : commit;
    pthread_mutex_unlock(&db->env->mutex);
}

/* No low page is left: drops the free list and what lies behind the future end, which are one. */
static int cut(compaction *c)
{
    uint8_t *meta;
    c->done = true;
    if (c->length == 0) {
        return 0;
    }
    want_cut(c->db, UINT64_MAX); /* before anybody can make one of the pages anew */
    int error = ref_view_write(c->view, 0, &meta);
    if (error == 0) {
        ref_put32(meta + REF_META_AT_FREE, 0);
        ref_put32(meta + REF_META_AT_COUNT, c->end);
    }
    return error;
}

/* Begins a new round at the first leaf. */
static int begin_round(compaction *c)
{
    if (c->unbounded) {
        return ref_node_corrupt(
            c->view, c->list[c->low], "pages are in use for nothing: neither in the tree nor free");
    }
    c->walking = false;
    c->rounds++;
    c->unbounded = c->rounds >= ROUNDS_MAX;
    return 0;
}

static int work(compaction *c)
{
    bool stale, over = false;
    int error = list_is_stale(c, &stale);

    c->moves = c->visits = 0;
    if (error == 0 && stale) {
        error = read_list(c);
    }
    while (error == 0 && find_low(c) && !has_enough(c)) {
        error = visit_leaf(c, &over);
        if (error == 0 && over && find_low(c)) {
            error = begin_round(c);
        }
    }
    return error == 0 && !find_low(c) ? cut(c) : error;
}

static int step(compaction *c)
{
    ref_env *env = c->db->env;
    ref_change change;

    int error = ref_change_begin(c->db, NULL, &change);
    if (error != 0) {
        return error;
    }
    ref_txn_set_no_sync(change.txn, true);
    pthread_mutex_lock(&env->mutex);
    uint64_t commit = env->last_commit + 1;
    pthread_mutex_unlock(&env->mutex);
    c->view = &change.view;
    error = work(c);
    c->view = NULL;
    error = ref_change_end(&change, error);
    c->commit = c->moves > 0 ? commit : 0; /* 0: read it again */
    return error;
}

/* ---- the call ---- */

static int begin(ref_db *db)
{
    ref_env *env = db->env;
    int error = 0;

    pthread_mutex_lock(&env->checkpoint_lock); /* no capture is about to begin */
    bool captured = ref_capture_of(db) != NULL;
    pthread_mutex_lock(&env->mutex);
    if (captured) {
        error = ref_fail(EBUSY, "%s: the database is being captured", db->name);
    } else if (db->file->compacting) {
        error = ref_fail(EBUSY, "%s: the database is being compacted", db->name);
    } else {
        db->file->compacting = true;
    }
    pthread_mutex_unlock(&env->mutex);
    pthread_mutex_unlock(&env->checkpoint_lock);
    return error;
}

static int size_of(ref_db *db, uint64_t *size)
{
    ref_stat stat = {0};
    int error = ref_dbfile_open(db->file);
    if (error == 0) {
        error = db->env->vfs->fstat(db->file->handle, &stat);
        if (error != 0) {
            ref_fail(error, "%s", db->name);
        }
    }
    *size = stat.size;
    return error;
}

static int compact(ref_db *db, void (*pause)(void *context), void *context, uint64_t *saved)
{
    compaction c = {.db = db};
    uint64_t before = 0, after = 0;
    int error = ref_checkpoint(db->env, false); /* so that the file has its size */
    if (error == 0) {
        error = size_of(db, &before);
    }
    for (bool first = true; error == 0 && !c.done; first = false) {
        error = step(&c);
        if (error == 0 && (first || !c.done) && pause != NULL) {
            pause(context);
        }
    }
    free(c.list);
    ref_buffer_free(&c.key);
    want_cut(db, 0);
    if (error == 0) {
        error = ref_checkpoint(db->env, true);
    }
    if (error == 0) {
        error = size_of(db, &after);
    }
    *saved = error == 0 && after < before ? before - after : 0;
    return error;
}

int ref_db_compact(ref_db *db, void (*pause)(void *context), void *context, uint64_t *saved)
{
    uint64_t unused;

    saved = saved != NULL ? saved : &unused;
    *saved = 0;
    ref_error_clear();
    int error = ref_db_check(db, NULL);
    if (error == 0 && db->read_only) {
        error = ref_fail(EACCES, "%s: opened for reading only", db->name);
    }
    if (error == 0) {
        error = begin(db);
    }
    if (error != 0) {
        return error;
    }
    error = compact(db, pause, context, saved);
    pthread_mutex_lock(&db->env->mutex);
    db->file->compacting = false;
    pthread_mutex_unlock(&db->env->mutex);
    return error;
}

bool ref_db_is_compacting(ref_db *db)
{
    pthread_mutex_lock(&db->env->mutex);
    bool compacting = db->file->compacting;
    pthread_mutex_unlock(&db->env->mutex);
    return compacting;
}

/* ---- cutting the file ---- */

/* What page 0 says in the file, where the checkpoint has just written it. A page 0 that is not
 * sound says nothing. */
static int stated_size(ref_dbfile *file, uint64_t *size)
{
    size_t done = 0;
    uint8_t *page = malloc(file->page_size);
    int error =
        page != NULL ? ref_read_full(file->handle, page, file->page_size, 0, &done) : ENOMEM;
    *size = UINT64_MAX;
    if (error == 0 && done == file->page_size &&
        ref_page_check(page, file->page_size, 0) == REF_PAGE_SOUND) {
        *size = (uint64_t)ref_get32(page + REF_META_AT_COUNT) * file->page_size;
    }
    free(page);
    return error;
}

/* A file that cannot be made shorter is only longer than it need be. */
static int cut_file(ref_dbfile *file)
{
    ref_vfs *vfs = file->env->vfs;
    ref_stat stat;
    uint64_t size;

    if (ref_dbfile_open(file) != 0 || stated_size(file, &size) != 0 ||
        vfs->fstat(file->handle, &stat) != 0) {
        return 0;
    }
    if (size < stat.size) {
        if (vfs->truncate(file->handle, size) != 0) {
            return 0;
        }
        int error = vfs->fsync(file->handle);
        if (error != 0) {
            return ref_fail(error, "%s: sync", file->name);
        }
    }
    pthread_mutex_lock(&file->env->mutex);
    file->cut_wanted = false;
    pthread_mutex_unlock(&file->env->mutex);
    return 0;
}

int ref_compact_cut(ref_env *env, uint64_t commit)
{
    int error = 0;
    pthread_mutex_lock(&env->mutex);
    uint64_t oldest = ref_oldest_snapshot(env);
    for (ref_dbfile *file = env->files; file != NULL && error == 0; file = file->next) {
        bool now = file->cut_wanted && !file->removed && file->cut_commit <= oldest &&
                   file->cut_commit <= commit;
        if (!now) {
            continue;
        }
        pthread_mutex_unlock(&env->mutex);
        bool captured = file->capture != NULL && ref_capture_state(file->capture) == 0;
        if (!captured && ref_pin_block(env, file->name) == 0) {
            error = cut_file(file);
            ref_pin_unblock(env);
        }
        pthread_mutex_lock(&env->mutex);
    }
    pthread_mutex_unlock(&env->mutex);
    return error;
}
