/*
 * A view over pages in memory, strict about its contract (ref/engine/view.h).
 *
 * What a caller must not do ends the program with a sentence: changing bytes that were given for
 * reading, writing or freeing a page that is free, touching a page's checksum, number or LSN. Pages
 * given for reading are copies that ref_view_release() frees, and a page's own copy is freed with
 * the page: AddressSanitizer sees whoever looks at them later.
 */
#ifndef FAKE_VIEW_H
#define FAKE_VIEW_H

#include "engine/btree.h"

/* A file with nothing but a meta page. Never NULL; memory that is not there ends the program. */
ref_view *fake_view_open(uint32_t page_size);
/* The committed state of another. */
ref_view *fake_view_clone(const ref_view *view);
void fake_view_close(ref_view *view);

void fake_view_commit(ref_view *view);
void fake_view_abort(ref_view *view);

/* The n-th read, write, alloc or free from now on gives ENOMEM, once; 0: none does. */
void fake_view_fail_at(ref_view *view, uint64_t n);
/* How many of them there were. */
uint64_t fake_view_calls(const ref_view *view);

/* Pages may be damaged: what only a wrong caller would do otherwise gives REF_CORRUPT. */
void fake_view_expect_damage(ref_view *view);

/* Pages of the committed file, the meta page included; those of them that are free. */
uint32_t fake_view_pages(const ref_view *view);
uint32_t fake_view_free_pages(const ref_view *view);
/* A committed page, to be looked at or damaged. */
uint8_t *fake_view_page(ref_view *view, uint32_t pgno);

/* Bytes that differ between the committed file and the transaction's pages. */
uint64_t fake_view_changed_bytes(const ref_view *view);

#endif
