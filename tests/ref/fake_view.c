/* A view over pages in memory: see fake_view.h. */
#include "fake_view.h"

#include "engine/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGES_MAX (1u << 16)

typedef struct given {
    uint8_t *bytes;    /* what the caller has */
    uint8_t *original; /* what it must still be */
} given;

struct ref_view {
    uint32_t page_size;
    uint32_t base_count;
    uint32_t count;
    uint8_t *base[PAGES_MAX]; /* committed */
    uint8_t *own[PAGES_MAX];  /* changed by the transaction; NULL: not */
    given *reads;
    size_t read_count;
    size_t read_capacity;
    bool damage_expected;
    uint64_t calls;
    uint64_t fail_at;
    uint64_t generation;
};

static _Noreturn void broken(const char *what, uint32_t pgno)
{
    fprintf(stderr, "the view's contract is broken: %s, page %u\n", what, pgno);
    abort();
}

static void *memory(void *old, size_t size)
{
    void *got = realloc(old, size);
    if (got == NULL) {
        perror("fake view");
        abort();
    }
    return got;
}

static uint8_t *copy_page(const ref_view *view, const uint8_t *page)
{
    return memcpy(memory(NULL, view->page_size), page, view->page_size);
}

static const uint8_t *current(const ref_view *view, uint32_t pgno)
{
    return view->own[pgno] != NULL ? view->own[pgno] : view->base[pgno];
}

/* The transaction's page becomes an empty one, at a new place. */
static uint8_t *renew(ref_view *view, uint32_t pgno, ref_page_type kind)
{
    uint8_t *page = memory(NULL, view->page_size);
    memset(page, 0, view->page_size);
    /* Whoever changes these is found out at the commit. */
    ref_put32(page + REF_PAGE_AT_CRC, ~pgno);
    ref_put32(page + REF_PAGE_AT_PGNO, pgno);
    ref_put64(page + REF_PAGE_AT_LSN, 0x1122334455667788 ^ pgno);
    page[REF_PAGE_AT_TYPE] = (uint8_t)kind;
    free(view->own[pgno]);
    view->own[pgno] = page;
    return page;
}

static uint8_t *own_meta(ref_view *view)
{
    if (view->own[0] == NULL) {
        view->own[0] = copy_page(view, view->base[0]);
    }
    return view->own[0];
}

ref_view *fake_view_open(uint32_t page_size)
{
    ref_view *view = memory(NULL, sizeof *view);
    memset(view, 0, sizeof *view);
    view->page_size = page_size;
    view->count = 1;
    ref_put32(renew(view, 0, REF_PAGE_META) + REF_META_AT_COUNT, 1);
    fake_view_commit(view);
    return view;
}

ref_view *fake_view_clone(const ref_view *view)
{
    ref_view *clone = fake_view_open(view->page_size);
    free(clone->base[0]);
    clone->base_count = clone->count = view->base_count;
    for (uint32_t i = 0; i < view->base_count; i++) {
        clone->base[i] = copy_page(view, view->base[i]);
    }
    return clone;
}

static void end_transaction(ref_view *view)
{
    ref_view_release(view);
    view->count = view->base_count;
    view->generation++;
}

void fake_view_abort(ref_view *view)
{
    for (uint32_t i = 0; i < view->count; i++) {
        free(view->own[i]);
        view->own[i] = NULL;
    }
    end_transaction(view);
}

void fake_view_commit(ref_view *view)
{
    for (uint32_t i = 0; i < view->count; i++) {
        uint8_t *page = view->own[i];
        if (page == NULL) {
            continue;
        }
        if (!view->damage_expected &&
            (ref_get32(page + REF_PAGE_AT_CRC) != ~i || ref_page_pgno(page) != i ||
                ref_page_lsn(page) != (0x1122334455667788 ^ i))) {
            broken("checksum, number or LSN was changed", i);
        }
        free(view->base[i]);
        view->base[i] = page;
        view->own[i] = NULL;
    }
    view->base_count = view->count;
    end_transaction(view);
}

void fake_view_close(ref_view *view)
{
    fake_view_abort(view);
    for (uint32_t i = 0; i < view->base_count; i++) {
        free(view->base[i]);
    }
    free(view->reads);
    free(view);
}

void fake_view_fail_at(ref_view *view, uint64_t n)
{
    view->fail_at = n == 0 ? 0 : view->calls + n;
}

uint64_t fake_view_calls(const ref_view *view)
{
    return view->calls;
}

void fake_view_expect_damage(ref_view *view)
{
    view->damage_expected = true;
}

uint32_t fake_view_pages(const ref_view *view)
{
    return view->base_count;
}

uint32_t fake_view_free_pages(const ref_view *view)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < view->base_count; i++) {
        count += ref_page_kind(view->base[i]) == REF_PAGE_FREE;
    }
    return count;
}

uint8_t *fake_view_page(ref_view *view, uint32_t pgno)
{
    return view->base[pgno];
}

uint64_t fake_view_changed_bytes(const ref_view *view)
{
    uint64_t changed = 0;
    for (uint32_t i = 0; i < view->count; i++) {
        for (uint32_t at = 0; view->own[i] != NULL && at < view->page_size; at++) {
            changed += view->base[i] == NULL || view->own[i][at] != view->base[i][at];
        }
    }
    return changed;
}

/* ---- view.h ---- */

uint32_t ref_view_page_size(const ref_view *view)
{
    return view->page_size;
}

const char *ref_view_name(const ref_view *view)
{
    (void)view;
    return "fake.db";
}

bool ref_view_writable(const ref_view *view)
{
    (void)view;
    return true;
}

uint64_t ref_view_generation(const ref_view *view)
{
    return view->generation;
}

static int call(ref_view *view, const char *name, uint32_t pgno)
{
    if (++view->calls == view->fail_at) {
        return ref_fail(ENOMEM, "fake.db: page %u: %s", pgno, name);
    }
    return 0;
}

int ref_view_read(ref_view *view, uint32_t pgno, const uint8_t **page)
{
    *page = NULL;
    int error = call(view, "read", pgno);
    if (error != 0) {
        return error;
    }
    if (pgno >= view->count) {
        return ref_fail(EINVAL, "fake.db: page %u: beyond the end", pgno);
    }
    if (view->own[pgno] != NULL) {
        *page = view->own[pgno];
        return 0;
    }
    if (view->read_count == view->read_capacity) {
        view->read_capacity = view->read_capacity * 2 + 16;
        view->reads = memory(view->reads, view->read_capacity * sizeof view->reads[0]);
    }
    given *read = &view->reads[view->read_count++];
    read->bytes = copy_page(view, view->base[pgno]);
    read->original = copy_page(view, view->base[pgno]);
    *page = read->bytes;
    return 0;
}

int ref_view_write(ref_view *view, uint32_t pgno, uint8_t **page)
{
    *page = NULL;
    int error = call(view, "write", pgno);
    if (error != 0) {
        return error;
    }
    if (pgno >= view->count || pgno == 0) {
        broken("write access without a look at the page", pgno);
    }
    if (ref_page_kind(current(view, pgno)) == REF_PAGE_FREE) {
        broken("write access to a free page", pgno);
    }
    if (view->own[pgno] == NULL) {
        view->own[pgno] = copy_page(view, view->base[pgno]);
    }
    view->generation++;
    *page = view->own[pgno];
    return 0;
}

int ref_view_alloc(ref_view *view, ref_page_type kind, uint32_t *pgno, uint8_t **page)
{
    *pgno = 0;
    *page = NULL;
    int error = call(view, "alloc", 0);
    if (error != 0) {
        return error;
    }
    uint8_t *meta = own_meta(view);
    uint32_t first = ref_get32(meta + REF_META_AT_FREE);
    if (first == 0) {
        if (view->count == PAGES_MAX) {
            return ref_fail(ENOSPC, "fake.db");
        }
        first = view->count++;
        ref_put32(meta + REF_META_AT_COUNT, view->count);
    } else {
        if (first >= view->count || ref_page_kind(current(view, first)) != REF_PAGE_FREE) {
            return ref_fail(REF_CORRUPT, "fake.db: page %u: not free", first);
        }
        ref_put32(meta + REF_META_AT_FREE, ref_get32(current(view, first) + REF_PAGE_AT_LINK));
    }
    view->generation++;
    *pgno = first;
    *page = renew(view, first, kind);
    return 0;
}

int ref_view_free(ref_view *view, uint32_t pgno)
{
    int error = call(view, "free", pgno);
    if (error != 0) {
        return error;
    }
    if (pgno == 0 || pgno >= view->count || ref_page_kind(current(view, pgno)) == REF_PAGE_FREE) {
        broken("freeing what is free", pgno);
    }
    uint8_t *meta = own_meta(view);
    ref_put32(
        renew(view, pgno, REF_PAGE_FREE) + REF_PAGE_AT_LINK, ref_get32(meta + REF_META_AT_FREE));
    ref_put32(meta + REF_META_AT_FREE, pgno);
    view->generation++;
    return 0;
}

void ref_view_release(ref_view *view)
{
    for (size_t i = 0; i < view->read_count; i++) {
        given *read = &view->reads[i];
        if (memcmp(read->bytes, read->original, view->page_size) != 0) {
            broken("a page given for reading was changed", ref_page_pgno(read->original));
        }
        free(read->bytes);
        free(read->original);
    }
    view->read_count = 0;
}
