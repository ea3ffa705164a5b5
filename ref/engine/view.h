/*
 * A view: the pages of one database file as one transaction or one reader sees them.
 *
 * The B+tree is written against this alone. A reading view shows the file as it was at one commit,
 * whatever is committed later; a writing view shows that state plus the transaction's own changes,
 * which live in private copies until commit. So the tree needs no latches, and nothing that it does
 * half-way can reach a disk: when an operation of a writing view fails with anything but
 * REF_NOTFOUND or REF_KEYEXIST, or an argument error, the transaction can only be aborted.
 *
 * Threads: one view is used by one thread at a time.
 */
#ifndef REF_VIEW_H
#define REF_VIEW_H

#include "page.h"

typedef struct ref_view ref_view;

uint32_t ref_view_page_size(const ref_view *view);
/* "x.db", for words. */
const char *ref_view_name(const ref_view *view);
bool ref_view_writable(const ref_view *view);

/* The page's bytes, checked, valid until ref_view_release() (or, for a page that the transaction
 * has changed, until it is freed or the transaction ends). *page is NULL on failure: REF_CORRUPT,
 * EINVAL for a page beyond the end, ENOMEM, or what reading gave; words name the file and page. */
int ref_view_read(ref_view *view, uint32_t pgno, const uint8_t **page);

/* The transaction's own copy of a page, made at the first call. The pointer stays valid until the
 * page is freed or the transaction ends; a pointer that ref_view_read() gave for the same page
 * earlier keeps showing the old bytes. Only for writing views. *page is NULL on failure. */
int ref_view_write(ref_view *view, uint32_t pgno, uint8_t **page);

/* A page of the kind, from the free list or from the end of the file. Both out-parameters zero on
 * failure: ENOMEM, ENOSPC when the file has 2^32 - 2 pages. */
int ref_view_alloc(ref_view *view, ref_page_type kind, uint32_t *pgno, uint8_t **page);

/* Gives a page back. Its number may be reused at once; pointers to it are invalid. */
int ref_view_free(ref_view *view, uint32_t pgno);

/* Lets go of every page that ref_view_read() has given out. */
void ref_view_release(ref_view *view);

/* A number that changes whenever the view's content may have changed: a cursor that remembers a
 * place compares it. */
uint64_t ref_view_generation(const ref_view *view);

#endif
