/*
 * Overflow pages: where the values live that do not fit a leaf.
 *
 * A value's pages form a chain through REF_PAGE_AT_LINK, 0 at the last; each holds
 * REF_PAGE_AT_HEAP bytes of it behind the page header, as many as fit in all pages but the last.
 * Bytes behind those are zero. How long the chain is follows from the value's size, which the leaf
 * has: a chain that is longer, shorter or circular is found out after that many pages, and gives
 * REF_CORRUPT with words that name file and page.
 *
 * Only the tree's own files include this.
 */
#ifndef REF_OVERFLOW_H
#define REF_OVERFLOW_H

#include "btree.h"

/* A walk along a chain. */
typedef struct ref_chain {
    ref_view *view;
    uint32_t from; /* the page that refers to the next one */
    uint32_t next; /* 0: at the end */
    uint32_t left; /* bytes of the value from `next` on */
} ref_chain;

/* A page of the chain: `size` bytes of the value at `bytes`. */
typedef struct ref_link {
    uint32_t pgno;
    uint32_t size;
    const uint8_t *bytes;
} ref_link;

/* The chain of a value of `size` bytes, whose first page stands in the leaf `leaf`. */
ref_chain ref_overflow_chain(ref_view *view, uint32_t leaf, uint32_t first, uint32_t size);

/* The next page, checked. Call it while chain->left is not 0. The page may be freed before the next
 * call. */
int ref_overflow_next(ref_chain *chain, ref_link *link);

/* Writes a value that is not empty to new pages. *first is 0 on failure. */
int ref_overflow_write(ref_view *view, ref_slice value, uint32_t *first);

/* Replaces the chain's value by another of its size. Pages that stay equal are not touched. */
int ref_overflow_rewrite(ref_chain chain, ref_slice value);

/* value->size is 0 on failure. */
int ref_overflow_read(ref_chain chain, ref_buffer *value);

/* Gives the chain's pages back. */
int ref_overflow_free(ref_chain chain);

#endif
