/*
 * The B+tree over pages that are not what they should be, and over a view that fails. A checksum
 * says only that a page is as somebody wrote it: whatever its bytes are, an operation ends soon,
 * touches nothing outside the page, and gives a result of its own or REF_CORRUPT, with the page's
 * number.
 */
#include "testmain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"
#include "fake_view.h"

#define ROOT 1u
#define RECORDS 400u

static uint64_t random_state = 0x9E3779B97F4A7C15;

static uint32_t below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 11) % limit);
}

static ref_slice number_key(uint32_t number, char key[64])
{
    int size = snprintf(key, 64, "%0*u", 6 + (int)(number * 7 % 50), number);
    return (ref_slice){key, (size_t)size};
}

static int put_number(ref_view *view, uint32_t number, size_t size)
{
    static uint8_t value[3 * REF_PAGE_SIZE_MAX];
    char key[64];
    memset(value, (int)(number % 255 + 1), size);
    return ref_btree_put(view, ROOT, number_key(number, key), (ref_slice){value, size}, false);
}

static int del_number(ref_view *view, uint32_t number)
{
    char key[64];
    return ref_btree_del(view, ROOT, number_key(number, key));
}

static int get_number(ref_view *view, uint32_t number)
{
    char key[64];
    ref_buffer value = {0};
    int result = ref_btree_get(view, ROOT, number_key(number, key), &value);
    ref_buffer_free(&value);
    return result;
}

/* Three levels, overflow chains, holes, free pages. */
static ref_view *sample(uint32_t page_size)
{
    ref_view *view = fake_view_open(page_size);
    uint32_t root;
    assert_int_equal(ref_btree_create(view, &root), 0);
    assert_int_equal(root, ROOT);
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint32_t number = i * 331 % RECORDS;
        assert_int_equal(
            put_number(view, number, number % 19 == 0 ? 3 * page_size : page_size / 16), 0);
    }
    for (uint32_t i = 0; i < RECORDS; i += 6) {
        assert_int_equal(del_number(view, i), 0);
    }
    fake_view_commit(view);
    assert_int_equal(ref_btree_verify(view, ROOT, NULL), 0);
    fake_view_expect_damage(view);
    return view;
}

static uint32_t find_page(ref_view *view, ref_page_type kind, uint32_t level, uint32_t nth)
{
    for (uint32_t i = 1; i < fake_view_pages(view); i++) {
        const uint8_t *page = fake_view_page(view, i);
        if (ref_page_kind(page) == kind && page[REF_PAGE_AT_LEVEL] == level && nth-- == 0) {
            return i;
        }
    }
    fail_msg("the sample has no such page");
    return 0;
}

/* Verification fails and its words name the page. */
static void expect_damage_of(ref_view *view, uint32_t pgno)
{
    char name[32];
    snprintf(name, sizeof name, "fake.db: page %u: ", pgno);
    assert_int_equal(ref_btree_verify(view, ROOT, NULL), REF_CORRUPT);
    if (strncmp(ref_error_text(), name, strlen(name)) != 0) {
        fail_msg("\"%s\" does not begin with \"%s\"", ref_error_text(), name);
    }
    fake_view_close(view);
}

static uint8_t *first_cell(uint8_t *page)
{
    return page + ref_get16(page + REF_PAGE_HEADER);
}

/* ---- one thing wrong ---- */

static void verify_names_the_page_with_keys_out_of_order(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint32_t pgno = find_page(view, REF_PAGE_LEAF, 0, 3);
    uint8_t *slots = fake_view_page(view, pgno) + REF_PAGE_HEADER;
    uint16_t slot = ref_get16(slots);
    ref_put16(slots, ref_get16(slots + 2));
    ref_put16(slots + 2, slot);
    expect_damage_of(view, pgno);
}

static void verify_names_the_page_whose_keys_the_parent_excludes(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint32_t pgno = find_page(view, REF_PAGE_LEAF, 0, 3);
    uint8_t *page = fake_view_page(view, pgno);
    page[ref_get16(page + REF_PAGE_HEADER) + 6] = ' ';
    uint32_t last = ref_get16(page + REF_PAGE_AT_COUNT) - 1u;
    page[ref_get16(page + REF_PAGE_HEADER + 2 * last) + 6] = '~';
    expect_damage_of(view, pgno);
}

static void verify_names_the_page_with_a_byte_in_no_cell(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint32_t pgno = find_page(view, REF_PAGE_LEAF, 0, 2);
    uint8_t *page = fake_view_page(view, pgno);
    page[ref_get32(page + REF_PAGE_AT_HEAP) - 1] = 1;
    expect_damage_of(view, pgno);
}

static void verify_names_the_page_with_overlapping_cells(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint32_t pgno = find_page(view, REF_PAGE_BRANCH, 1, 1);
    uint8_t *slots = fake_view_page(view, pgno) + REF_PAGE_HEADER;
    ref_put16(slots, ref_get16(slots + 2));
    expect_damage_of(view, pgno);
}

static void verify_names_a_page_that_two_branches_share(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint8_t *one = fake_view_page(view, find_page(view, REF_PAGE_BRANCH, 1, 0));
    uint32_t child = ref_get32(one + REF_PAGE_AT_LINK);
    ref_put32(first_cell(one) + 2, child);
    expect_damage_of(view, child);
}

static void verify_names_a_page_that_its_own_descendant_refers_to(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint32_t pgno = find_page(view, REF_PAGE_BRANCH, 1, 0);
    ref_put32(fake_view_page(view, pgno) + REF_PAGE_AT_LINK, ROOT);
    expect_damage_of(view, ROOT);
}

static void verify_names_the_page_that_refers_beyond_the_end(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint32_t pgno = find_page(view, REF_PAGE_BRANCH, 1, 0);
    ref_put32(fake_view_page(view, pgno) + REF_PAGE_AT_LINK, 0xfffffff0);
    for (uint32_t i = 0; i < RECORDS; i++) {
        int result = get_number(view, i);
        assert_true(result == 0 || result == REF_NOTFOUND || result == REF_CORRUPT);
    }
    expect_damage_of(view, pgno);
}

static void verify_names_the_page_where_an_overflow_chain_turns_back(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint32_t pgno = find_page(view, REF_PAGE_OVERFLOW, 0, 0);
    uint32_t next = ref_get32(fake_view_page(view, pgno) + REF_PAGE_AT_LINK);
    ref_put32(fake_view_page(view, next) + REF_PAGE_AT_LINK, pgno);
    expect_damage_of(view, pgno);
}

static void verify_names_the_page_where_an_overflow_chain_breaks(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint32_t pgno = find_page(view, REF_PAGE_OVERFLOW, 0, 0);
    ref_put32(fake_view_page(view, pgno) + REF_PAGE_AT_LINK, 0);
    expect_damage_of(view, pgno);
}

static void verify_names_a_page_that_nothing_refers_to(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint8_t *meta = fake_view_page(view, 0);
    uint32_t pgno = ref_get32(meta + REF_META_AT_FREE);
    assert_int_not_equal(pgno, 0);
    ref_put32(meta + REF_META_AT_FREE, ref_get32(fake_view_page(view, pgno) + REF_PAGE_AT_LINK));
    expect_damage_of(view, pgno);
}

static void verify_names_the_page_where_the_free_list_turns_back(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint32_t pgno = ref_get32(fake_view_page(view, 0) + REF_META_AT_FREE);
    ref_put32(fake_view_page(view, pgno) + REF_PAGE_AT_LINK, pgno);
    expect_damage_of(view, pgno);
}

static void verify_names_page_0_when_its_page_count_lies(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 100000, UINT32_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        ref_view *view = sample(512);
        ref_put32(fake_view_page(view, 0) + REF_META_AT_COUNT, counts[i]);
        expect_damage_of(view, 0);
    }
}

/* Works on every record until something is found to be wrong. */
static void expect_discovery(ref_view *view, int (*change)(ref_view *, uint32_t), const char *words)
{
    int result = 0;
    for (uint32_t i = 0; i < 3 * RECORDS && result != REF_CORRUPT; i++) {
        result = change(view, i % RECORDS);
        assert_true(result == 0 || result == REF_NOTFOUND || result == REF_CORRUPT);
    }
    assert_int_equal(result, REF_CORRUPT);
    assert_non_null(strstr(ref_error_text(), words));
    fake_view_close(view);
}

static int grow_number(ref_view *view, uint32_t number)
{
    return put_number(view, number, 60);
}

/* The sample lacks every sixth number. */
static int add_number(ref_view *view, uint32_t number)
{
    return put_number(view, number - number % 6, 60);
}

static void a_leaf_is_not_merged_with_itself(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    uint8_t *branch = fake_view_page(view, find_page(view, REF_PAGE_BRANCH, 1, 0));
    ref_put32(first_cell(branch) + 2, ref_get32(branch + REF_PAGE_AT_LINK));
    expect_discovery(view, del_number, "more than once");
}

static void room_that_is_not_there_is_not_used(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    for (uint32_t i = 1; i < fake_view_pages(view); i++) {
        uint8_t *page = fake_view_page(view, i);
        if (ref_page_kind(page) == REF_PAGE_LEAF) {
            ref_put32(page + REF_PAGE_AT_HOLES, 512 - ref_get32(page + REF_PAGE_AT_HEAP));
        }
    }
    expect_discovery(view, add_number, "do not leave the room");
}

static void a_full_page_with_too_few_cells_is_not_split(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    for (uint32_t i = 1; i < fake_view_pages(view); i++) {
        uint8_t *page = fake_view_page(view, i);
        if (ref_page_kind(page) == REF_PAGE_LEAF) {
            uint32_t count = ref_get16(page + REF_PAGE_AT_COUNT);
            ref_put32(page + REF_PAGE_AT_HEAP, REF_PAGE_HEADER + 2 * count);
            ref_put32(page + REF_PAGE_AT_HOLES, 0);
        }
    }
    expect_discovery(view, grow_number, "not what its header says");
}

static void overlapping_cells_are_not_moved(void **state)
{
    (void)state;
    ref_view *view = sample(512);
    for (uint32_t i = 1; i < fake_view_pages(view); i++) {
        uint8_t *page = fake_view_page(view, i);
        if (ref_page_kind(page) == REF_PAGE_LEAF) {
            ref_put16(page + REF_PAGE_HEADER, ref_get16(page + REF_PAGE_HEADER + 2));
            ref_put32(page + REF_PAGE_AT_HOLES, 200);
        }
    }
    expect_discovery(view, grow_number, "overlap");
}

/* ---- anything wrong ---- */

static void expect_sane(int result)
{
    if (result != 0 && result != REF_NOTFOUND && result != REF_KEYEXIST && result != REF_CORRUPT) {
        fail_msg("result %d: %s", result, ref_error_text());
    }
    if (result == REF_CORRUPT) {
        assert_non_null(strstr(ref_error_text(), "fake.db: page "));
    }
}

static int some_operation(ref_view *view, uint32_t which)
{
    uint32_t number = below(RECORDS + 10);
    char text[64];
    ref_slice key = number_key(number, text);
    ref_buffer found = {0};
    ref_buffer value = {0};
    int result = 0;
    if (which < 6) {
        result = ref_btree_seek(view, ROOT, (ref_seek)which, key, &found, &value);
    } else if (which < 9) {
        result = put_number(view, number, which == 6 ? 30 : below(which == 7 ? 200 : 2000));
    } else {
        result = del_number(view, number);
    }
    ref_buffer_free(&found);
    ref_buffer_free(&value);
    return result;
}

/* Everything one can do with a damaged tree. What an operation costs is limited by the file. */
static void use(ref_view *view)
{
    for (uint32_t i = 0; i < 60; i++) {
        uint64_t before = fake_view_calls(view);
        int result = some_operation(view, i < 12 ? i % 6 : below(14));
        expect_sane(result);
        if (result == REF_CORRUPT) {
            fake_view_abort(view);
        }
        assert_true(fake_view_calls(view) - before < 1000);
    }
    uint64_t before = fake_view_calls(view);
    expect_sane(ref_btree_verify(view, ROOT, NULL));
    expect_sane(ref_btree_truncate(view, ROOT, NULL));
    assert_true(fake_view_calls(view) - before < 20 * (uint64_t)fake_view_pages(view) + 1000);
    fake_view_abort(view);
}

static void damage(ref_view *view)
{
    static const uint8_t likely[] = {0, 1, 0x7f, 0x80, 0xff};
    uint32_t size = ref_view_page_size(view);
    uint8_t *page = fake_view_page(view, 1 + below(fake_view_pages(view) - 1));
    /* Header and slots decide more than the cells do. */
    uint32_t at = REF_PAGE_AT_TYPE;
    at += below(2) == 0 ? below(size - at) : below(40);
    uint32_t other = 1 + below(fake_view_pages(view) - 1);
    switch (below(7)) {
    case 0:
        page[at] = (uint8_t)below(256);
        break;
    case 1:
        page[at] = likely[below(sizeof likely)];
        break;
    case 2:
        page[at] ^= (uint8_t)(1u << below(8));
        break;
    case 3: /* a reference to a page that is there */
        at = below(2) == 0 ? REF_PAGE_AT_LINK : at;
        ref_put32(page + (at < size - 4 ? at : size - 4), other);
        break;
    case 4: /* less or more free space than there is */
        ref_put32(page + REF_PAGE_AT_HOLES, below(size));
        break;
    case 5: /* two slots for one cell, or cells that overlap */
        ref_put16(page + REF_PAGE_HEADER + 2 * below(8),
            (uint16_t)(ref_get16(page + REF_PAGE_HEADER + 2 * below(8)) + below(2)));
        break;
    default: /* the content of another page */
        memcpy(page + REF_PAGE_AT_TYPE, fake_view_page(view, other) + REF_PAGE_AT_TYPE,
            size - REF_PAGE_AT_TYPE);
        break;
    }
}

static void expect_random_damage_is_survived(uint32_t page_size, unsigned rounds)
{
    ref_view *sound = sample(page_size);
    for (unsigned i = 0; i < rounds; i++) {
        ref_view *view = fake_view_clone(sound);
        fake_view_expect_damage(view);
        for (uint32_t n = 1 + below(4); n > 0; n--) {
            damage(view);
        }
        use(view);
        fake_view_close(view);
    }
    fake_view_close(sound);
}

static void random_damage_to_512_byte_pages_is_survived(void **state)
{
    (void)state;
    expect_random_damage_is_survived(512, 1200);
}

static void random_damage_to_4096_byte_pages_is_survived(void **state)
{
    (void)state;
    expect_random_damage_is_survived(4096, 300);
}

static void random_damage_to_65536_byte_pages_is_survived(void **state)
{
    (void)state;
    expect_random_damage_is_survived(65536, 20);
}

static void damage_to_any_byte_of_the_root_is_survived(void **state)
{
    (void)state;
    ref_view *sound = sample(512);
    for (uint32_t at = REF_PAGE_AT_TYPE; at < 512; at++) {
        ref_view *view = fake_view_clone(sound);
        fake_view_expect_damage(view);
        fake_view_page(view, ROOT)[at] ^= 0xff;
        /* Between the last slot and the first cell nothing may be, everywhere else something must
         * be what it is. */
        assert_int_equal(ref_btree_verify(view, ROOT, NULL), REF_CORRUPT);
        use(view);
        fake_view_close(view);
    }
    fake_view_close(sound);
}

/* ---- a view that fails ---- */

static int split_by_put(ref_view *view)
{
    int error = 0;
    for (uint32_t i = 0; error == 0 && i < 12; i++) {
        error = put_number(view, 1000 + i, 100);
    }
    return error == 0 ? put_number(view, 57, 1500) : error;
}

static int merge_by_del(ref_view *view)
{
    int error = 0;
    for (uint32_t i = 0; error == 0 && i < RECORDS; i++) {
        error = i % 6 == 0 ? 0 : del_number(view, i);
    }
    return error;
}

static int truncate_all(ref_view *view)
{
    return ref_btree_truncate(view, ROOT, NULL);
}

static int verify_all(ref_view *view)
{
    return ref_btree_verify(view, ROOT, NULL);
}

static int read_some(ref_view *view)
{
    ref_buffer key = {0};
    ref_buffer value = {0};
    ref_slice from = {"000100", 6};
    int error = get_number(view, 19);
    for (int how = REF_SEEK_FIRST; error == 0 && how <= REF_SEEK_LT; how++) {
        if (how != REF_SEEK_EQ) {
            error = ref_btree_seek(view, ROOT, (ref_seek)how, from, &key, &value);
        }
    }
    ref_buffer_free(&key);
    ref_buffer_free(&value);
    return error;
}

static void every_failure_of_the_view_is_passed_on(void **state)
{
    (void)state;
    static int (*const operations[])(ref_view *) = {
        split_by_put, merge_by_del, truncate_all, verify_all, read_some};
    ref_view *view = sample(512);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        uint64_t before = fake_view_calls(view);
        assert_int_equal(operations[i](view), 0);
        uint64_t calls = fake_view_calls(view) - before;
        fake_view_abort(view);
        /* Long operations repeat themselves: later calls are sampled. */
        for (uint64_t n = 1; n <= calls; n += 1 + n / 200) {
            fake_view_fail_at(view, n);
            assert_int_equal(operations[i](view), ENOMEM);
            assert_non_null(strstr(ref_error_text(), "fake.db: page "));
            fake_view_abort(view);
        }
        fake_view_fail_at(view, 0);
        assert_int_equal(ref_btree_verify(view, ROOT, NULL), 0);
    }
    fake_view_close(view);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(verify_names_the_page_with_keys_out_of_order),
    cmocka_unit_test(verify_names_the_page_whose_keys_the_parent_excludes),
    cmocka_unit_test(verify_names_the_page_with_a_byte_in_no_cell),
    cmocka_unit_test(verify_names_the_page_with_overlapping_cells),
    cmocka_unit_test(verify_names_a_page_that_two_branches_share),
    cmocka_unit_test(verify_names_a_page_that_its_own_descendant_refers_to),
    cmocka_unit_test(verify_names_the_page_that_refers_beyond_the_end),
    cmocka_unit_test(verify_names_the_page_where_an_overflow_chain_turns_back),
    cmocka_unit_test(verify_names_the_page_where_an_overflow_chain_breaks),
    cmocka_unit_test(verify_names_a_page_that_nothing_refers_to),
    cmocka_unit_test(verify_names_the_page_where_the_free_list_turns_back),
    cmocka_unit_test(verify_names_page_0_when_its_page_count_lies),
    cmocka_unit_test(a_leaf_is_not_merged_with_itself),
    cmocka_unit_test(room_that_is_not_there_is_not_used),
    cmocka_unit_test(a_full_page_with_too_few_cells_is_not_split),
    cmocka_unit_test(overlapping_cells_are_not_moved),
    cmocka_unit_test(random_damage_to_512_byte_pages_is_survived),
    cmocka_unit_test(random_damage_to_4096_byte_pages_is_survived),
    cmocka_unit_test(random_damage_to_65536_byte_pages_is_survived),
    cmocka_unit_test(damage_to_any_byte_of_the_root_is_survived),
    cmocka_unit_test(every_failure_of_the_view_is_passed_on),
};

TEST_MAIN(tests)
