/* What a transaction or a reader sees of a file's pages, and a transaction's private copies of
 * them. */
#include "view.h"

#include <errno.h>
#include <stdlib.h>

#include "internal.h"

uint32_t ref_view_page_size(const ref_view *view)
{
    return view->file->page_size;
}

const char *ref_view_name(const ref_view *view)
{
    return view->file->name;
}

bool ref_view_writable(const ref_view *view)
{
    return view->writable;
}

uint64_t ref_view_generation(const ref_view *view)
{
    return view->txn != NULL ? view->txn->changes : 0;
}

/* ---- a transaction's pages ---- */

static size_t bucket_of(const ref_txn *txn, const ref_dbfile *file, uint32_t pgno)
{
    uint64_t key = (ref_get64(file->id.bytes) + pgno) * 0x9e3779b97f4a7c15u;
    return (size_t)(key >> 32) & (txn->bucket_count - 1);
}

static ref_txn_page *find(const ref_txn *txn, const ref_dbfile *file, uint32_t pgno)
{
    if (txn == NULL || txn->page_count == 0) {
        return NULL;
    }
    ref_txn_page *page = txn->buckets[bucket_of(txn, file, pgno)];
    while (page != NULL && (page->file != file || page->pgno != pgno)) {
        page = page->chain;
    }
    return page;
}

static int make_room(ref_txn *txn)
{
    if (txn->page_count < txn->bucket_count) {
        return 0;
    }
    size_t count = txn->bucket_count == 0 ? 16 : txn->bucket_count * 4;
    ref_txn_page **buckets = calloc(count, sizeof *buckets);
    if (buckets == NULL) {
        return ref_fail(ENOMEM, "transaction %x", txn->id);
    }
    free(txn->buckets);
    txn->buckets = buckets;
    txn->bucket_count = count;
    for (ref_txn_page *page = txn->first_page; page != NULL; page = page->next) {
        size_t bucket = bucket_of(txn, page->file, page->pgno);
        page->chain = buckets[bucket];
        buckets[bucket] = page;
    }
    return 0;
}

/* Gives the transaction a copy of its own; base is taken over, also on failure. */
static int add_page(ref_view *view, uint32_t pgno, ref_version *base, ref_txn_page **out)
{
    ref_txn *txn = view->txn;
    ref_txn_page *page = NULL;
    int error = make_room(txn);

    if (error == 0) {
        page = calloc(1, sizeof *page);
        if (page != NULL) {
            page->mine = ref_version_new(view->file);
        }
        if (page == NULL || page->mine == NULL) {
            error = ref_fail(ENOMEM, "%s: page %u", view->file->name, pgno);
        }
    }
    if (error != 0) {
        free(page);
        if (base != NULL) {
            pthread_mutex_lock(&txn->env->mutex);
            ref_version_release(base);
            pthread_mutex_unlock(&txn->env->mutex);
        }
        *out = NULL;
        return error;
    }
    page->file = view->file;
    page->pgno = pgno;
    page->base = base;
    if (base != NULL) {
        memcpy(page->mine->data, base->data, view->file->page_size);
    }
    size_t bucket = bucket_of(txn, page->file, pgno);
    page->chain = txn->buckets[bucket];
    txn->buckets[bucket] = page;
    *txn->last_page = page;
    txn->last_page = &page->next;
    txn->page_count++;
    *out = page;
    return 0;
}

/* ---- reading ---- */

static uint64_t snapshot_of(const ref_view *view)
{
    return view->txn != NULL ? view->txn->snapshot.commit : view->snapshot;
}

static int remember_pin(ref_view *view, ref_version *version)
{
    if (view->pin_count == view->pin_capacity) {
        size_t capacity = view->pin_capacity == 0 ? 16 : view->pin_capacity * 2;
        ref_version **pins = realloc(view->pins, capacity * sizeof *pins);
        if (pins == NULL) {
            pthread_mutex_lock(&view->file->env->mutex);
            ref_version_release(version);
            pthread_mutex_unlock(&view->file->env->mutex);
            return ref_fail(ENOMEM, "%s: read", view->file->name);
        }
        view->pins = pins;
        view->pin_capacity = capacity;
    }
    view->pins[view->pin_count++] = version;
    return 0;
}

int ref_view_read(ref_view *view, uint32_t pgno, const uint8_t **page)
{
    ref_txn_page *own = find(view->txn, view->file, pgno);
    ref_version *version;

    *page = NULL;
    if (own != NULL) {
        *page = own->mine->data;
        return 0;
    }
    int error = ref_cache_get(view->file, pgno, snapshot_of(view), &version);
    if (error == 0) {
        error = remember_pin(view, version);
    }
    if (error == 0) {
        *page = version->data;
    }
    return error;
}

void ref_view_release(ref_view *view)
{
    if (view->pin_count == 0) {
        return;
    }
    pthread_mutex_lock(&view->file->env->mutex);
    while (view->pin_count > 0) {
        ref_version_release(view->pins[--view->pin_count]);
    }
    pthread_mutex_unlock(&view->file->env->mutex);
}

void ref_view_close(ref_view *view)
{
    ref_view_release(view);
    free(view->pins);
    *view = (ref_view){0};
}

/* ---- writing ---- */

int ref_view_write(ref_view *view, uint32_t pgno, uint8_t **page)
{
    ref_txn_page *own = find(view->txn, view->file, pgno);

    *page = NULL;
    if (!view->writable) {
        return ref_fail(EACCES, "%s: page %u: a reading view", view->file->name, pgno);
    }
    if (own == NULL) {
        ref_version *base;
        int error = ref_cache_get(view->file, pgno, snapshot_of(view), &base);
        if (error == 0) {
            error = add_page(view, pgno, base, &own);
        }
        if (error != 0) {
            return error;
        }
    }
    view->txn->changes++;
    *page = own->mine->data;
    return 0;
}

static int take_free_page(ref_view *view, uint8_t *meta, uint32_t *pgno, uint8_t **page)
{
    *pgno = ref_get32(meta + REF_META_AT_FREE);
    int error = ref_view_write(view, *pgno, page);
    if (error == 0 && ref_page_kind(*page) != REF_PAGE_FREE) {
        error = ref_fail(
            REF_CORRUPT, "%s: page %u is on the free list, but in use", view->file->name, *pgno);
    }
    if (error == 0) {
        ref_put32(meta + REF_META_AT_FREE, ref_get32(*page + REF_PAGE_AT_LINK));
    }
    return error;
}

/* A page that compaction has dropped and nobody has cut off the file yet: readers of an earlier
 * commit may still ask for what it was. *base is NULL where there is nothing of the kind. */
static int find_dropped(ref_view *view, uint32_t pgno, ref_version **base)
{
    ref_env *env = view->file->env;
    *base = NULL;
    pthread_mutex_lock(&env->mutex);
    bool dropped = view->file->cut_wanted;
    pthread_mutex_unlock(&env->mutex);
    int error = dropped ? ref_cache_get(view->file, pgno, snapshot_of(view), base) : 0;
    return error == REF_CORRUPT || error == REF_NOTFOUND ? 0 : error;
}

static int take_new_page(ref_view *view, uint8_t *meta, uint32_t *pgno, uint8_t **page)
{
    ref_txn_page *own;
    ref_version *base;
    *pgno = ref_get32(meta + REF_META_AT_COUNT);
    if (*pgno == UINT32_MAX) {
        return ref_fail(ENOSPC, "%s: the file has all the pages it can have", view->file->name);
    }
    int error = find_dropped(view, *pgno, &base);
    if (error == 0) {
        error = add_page(view, *pgno, base, &own);
    }
    if (error == 0) {
        ref_put32(meta + REF_META_AT_COUNT, *pgno + 1);
        *page = own->mine->data;
    }
    return error;
}

int ref_view_alloc(ref_view *view, ref_page_type kind, uint32_t *pgno, uint8_t **page)
{
    uint8_t *meta;
    int error = ref_view_write(view, 0, &meta);

    *page = NULL;
    if (error == 0) {
        error = ref_get32(meta + REF_META_AT_FREE) != 0 ? take_free_page(view, meta, pgno, page)
                                                        : take_new_page(view, meta, pgno, page);
    }
    if (error != 0) {
        *pgno = 0;
        *page = NULL;
        return error;
    }
    ref_page_init(*page, view->file->page_size, *pgno, kind);
    return 0;
}

int ref_view_free(ref_view *view, uint32_t pgno)
{
    uint8_t *meta, *page;
    int error = ref_view_write(view, 0, &meta);
    if (error == 0) {
        error = ref_view_write(view, pgno, &page);
    }
    if (error == 0) {
        ref_page_init(page, view->file->page_size, pgno, REF_PAGE_FREE);
        ref_put32(page + REF_PAGE_AT_LINK, ref_get32(meta + REF_META_AT_FREE));
        ref_put32(meta + REF_META_AT_FREE, pgno);
    }
    return error;
}

int ref_view_add_meta(ref_view *view, uint8_t **page)
{
    ref_txn_page *own;
    int error = add_page(view, 0, NULL, &own);
    *page = error == 0 ? own->mine->data : NULL;
    return error;
}
