/* Chains of overflow pages: see overflow.h. */
#include "overflow.h"
#include "node.h"

#include <errno.h>

ref_chain ref_overflow_chain(ref_view *view, uint32_t leaf, uint32_t first, uint32_t size)
{
    return (ref_chain){.view = view, .from = leaf, .next = first, .left = size};
}

int ref_overflow_next(ref_chain *chain, ref_link *link)
{
    const uint8_t *page;
    uint32_t pgno = chain->next;
    uint32_t room = ref_node_room(ref_view_page_size(chain->view));
    uint32_t size = chain->left < room ? chain->left : room;
    *link = (ref_link){0};
    if (pgno == 0) {
        return ref_node_corrupt(
            chain->view, chain->from, "an overflow chain ends %u bytes early", chain->left);
    }
    int error = ref_view_read(chain->view, pgno, &page);
    if (error == EINVAL) {
        return ref_node_corrupt(
            chain->view, chain->from, "refers to page %u, beyond the end", pgno);
    }
    if (error != 0) {
        return error;
    }
    if (ref_page_kind(page) != REF_PAGE_OVERFLOW) {
        return ref_node_corrupt(chain->view, pgno,
            "no overflow page: type %u (page %u refers to it)", (unsigned)page[REF_PAGE_AT_TYPE],
            chain->from);
    }
    if (ref_get32(page + REF_PAGE_AT_HEAP) != size) {
        return ref_node_corrupt(chain->view, pgno, "%u bytes instead of %u of an overflowing value",
            ref_get32(page + REF_PAGE_AT_HEAP), size);
    }
    *link = (ref_link){.pgno = pgno, .size = size, .bytes = page + REF_PAGE_HEADER};
    chain->from = pgno;
    chain->next = ref_get32(page + REF_PAGE_AT_LINK);
    chain->left -= size;
    if (chain->left == 0 && chain->next != 0) {
        return ref_node_corrupt(
            chain->view, pgno, "an overflow chain goes on to page %u behind its end", chain->next);
    }
    return 0;
}

int ref_overflow_write(ref_view *view, ref_slice value, uint32_t *first)
{
    uint32_t page_size = ref_view_page_size(view);
    size_t room = ref_node_room(page_size);
    uint8_t *before = NULL;
    uint32_t start = 0;
    *first = 0;
    for (size_t at = 0; at < value.size;) {
        size_t size = value.size - at < room ? value.size - at : room;
        uint32_t pgno;
        uint8_t *page;
        int error = ref_view_alloc(view, REF_PAGE_OVERFLOW, &pgno, &page);
        if (error != 0) {
            return error;
        }
        memset(page + REF_PAGE_AT_LEVEL, 0, page_size - REF_PAGE_AT_LEVEL);
        ref_put32(page + REF_PAGE_AT_HEAP, (uint32_t)size);
        memcpy(page + REF_PAGE_HEADER, (const uint8_t *)value.data + at, size);
        if (before == NULL) {
            start = pgno;
        } else {
            ref_put32(before + REF_PAGE_AT_LINK, pgno);
        }
        before = page;
        at += size;
    }
    *first = start;
    return 0;
}

int ref_overflow_rewrite(ref_chain chain, ref_slice value)
{
    const uint8_t *from = value.data;
    while (chain.left != 0) {
        ref_link link;
        int error = ref_overflow_next(&chain, &link);
        if (error != 0) {
            return error;
        }
        if (memcmp(link.bytes, from, link.size) != 0) {
            uint8_t *page;
            error = ref_view_write(chain.view, link.pgno, &page);
            if (error != 0) {
                return error;
            }
            memcpy(page + REF_PAGE_HEADER, from, link.size);
        }
        from += link.size;
    }
    return 0;
}

int ref_overflow_read(ref_chain chain, ref_buffer *value)
{
    value->size = 0;
    size_t at = 0;
    int error = ref_buffer_reserve(value, chain.left);
    while (error == 0 && chain.left != 0) {
        ref_link link;
        error = ref_overflow_next(&chain, &link);
        if (error == 0) {
            memcpy(value->data + at, link.bytes, link.size);
            at += link.size;
        }
    }
    value->size = error == 0 ? at : 0;
    return error;
}

int ref_overflow_free(ref_chain chain)
{
    while (chain.left != 0) {
        ref_link link;
        int error = ref_overflow_next(&chain, &link);
        if (error == 0) {
            error = ref_view_free(chain.view, link.pgno);
        }
        if (error != 0) {
            return error;
        }
    }
    return 0;
}
