/*
 * The B+tree beside a sorted array: whatever is done to both, they must hold the same records, and
 * the tree must pass its own verification. Random work is seeded, so that a failure repeats.
 */
#include "testmain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"
#include "fake_view.h"

/* ---- the array ---- */

struct record {
    ref_buffer key;
    ref_buffer value;
};

struct model {
    struct record *records;
    size_t count;
    size_t capacity;
};

static ref_slice slice(const ref_buffer *buffer)
{
    return (ref_slice){buffer->data, buffer->size};
}

static int order(ref_slice a, ref_slice b)
{
    size_t shared = a.size < b.size ? a.size : b.size;
    int result = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    return result != 0 ? result : (a.size > b.size) - (a.size < b.size);
}

/* The first record whose key is not below `key`. */
static size_t model_find(const struct model *model, ref_slice key, bool *found)
{
    size_t low = 0;
    size_t high = model->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (order(slice(&model->records[middle].key), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = low < model->count && order(slice(&model->records[low].key), key) == 0;
    return low;
}

static void model_put(struct model *model, ref_slice key, ref_slice value)
{
    bool found;
    size_t at = model_find(model, key, &found);
    if (!found) {
        if (model->count == model->capacity) {
            model->capacity = model->capacity * 2 + 64;
            model->records = realloc(model->records, model->capacity * sizeof model->records[0]);
            assert_non_null(model->records);
        }
        memmove(&model->records[at + 1], &model->records[at],
            (model->count - at) * sizeof model->records[0]);
        model->records[at] = (struct record){0};
        model->count++;
        assert_int_equal(ref_buffer_set(&model->records[at].key, key.data, key.size), 0);
    }
    assert_int_equal(ref_buffer_set(&model->records[at].value, value.data, value.size), 0);
}

static void model_del(struct model *model, size_t at)
{
    ref_buffer_free(&model->records[at].key);
    ref_buffer_free(&model->records[at].value);
    model->count--;
    memmove(&model->records[at], &model->records[at + 1],
        (model->count - at) * sizeof model->records[0]);
}

static void model_clear(struct model *model)
{
    while (model->count > 0) {
        model_del(model, model->count - 1);
    }
    free(model->records);
    *model = (struct model){0};
}

/* ---- random work ---- */

/* What keys and values look like. */
struct mix {
    const char *name;
    uint32_t key_space; /* so many different keys */
    uint32_t key_most;  /* bytes; UINT32_MAX: as long as they may be */
    uint32_t value_most;
    unsigned big_one_in; /* every n-th value is up to `big_most`; 0: none */
    uint32_t big_most;
};

struct work {
    ref_view *view;
    uint32_t root;
    struct model model;
    const struct mix *mix;
    uint64_t random;
    uint8_t *value; /* scratch */
    uint8_t key[REF_PAGE_SIZE_MAX];
};

static uint32_t below(struct work *work, uint32_t limit)
{
    work->random ^= work->random << 13;
    work->random ^= work->random >> 7;
    work->random ^= work->random << 17;
    return (uint32_t)((work->random >> 11) % limit);
}

static ref_slice random_key(struct work *work)
{
    uint32_t most = ref_btree_key_max(ref_view_page_size(work->view));
    uint64_t state = below(work, work->mix->key_space) * UINT64_C(0x9E3779B97F4A7C15) + 1;
    if (work->mix->key_most < most) {
        most = work->mix->key_most;
    }
    size_t size = (state >> 20) % (most + 1);
    for (size_t i = 0; i < size; i++) {
        /* Few different bytes: keys share long beginnings. */
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        work->key[i] = (uint8_t)((state >> 60) < 13 ? 'a' : state >> 56);
    }
    return (ref_slice){work->key, size};
}

static ref_slice random_value(struct work *work, size_t size)
{
    for (size_t i = 0; i < size; i += 1 + size / 64) {
        work->value[i] = (uint8_t)below(work, 256);
    }
    return (ref_slice){work->value, size};
}

static ref_slice random_sized_value(struct work *work)
{
    uint32_t most = work->mix->value_most;
    if (work->mix->big_one_in != 0 && below(work, work->mix->big_one_in) == 0) {
        most = work->mix->big_most;
    }
    return random_value(work, below(work, most + 1));
}

static void work_begin(struct work *work, uint32_t page_size, const struct mix *mix, uint64_t seed)
{
    memset(work, 0, sizeof *work);
    work->view = fake_view_open(page_size);
    work->mix = mix;
    work->random = seed;
    work->value = calloc(1, REF_VALUE_MAX + 1);
    assert_non_null(work->value);
    assert_int_equal(ref_btree_create(work->view, &work->root), 0);
    assert_int_equal(work->root, 1);
}

static void work_end(struct work *work)
{
    model_clear(&work->model);
    free(work->value);
    fake_view_close(work->view);
}

static void expect_record(const struct work *work, int result, size_t at, bool there,
    const ref_buffer *key, const ref_buffer *value)
{
    if (!there || at >= work->model.count) {
        assert_int_equal(result, REF_NOTFOUND);
        return;
    }
    const struct record *record = &work->model.records[at];
    assert_int_equal(result, 0);
    assert_int_equal(order(slice(key), slice(&record->key)), 0);
    assert_int_equal(value->size, record->value.size);
    assert_memory_equal(value->data, record->value.data, value->size);
}

static void seek_in_every_mode(struct work *work)
{
    ref_slice key = random_key(work);
    bool found;
    size_t at = model_find(&work->model, key, &found);
    const struct {
        ref_seek how;
        size_t at;
        bool there;
    } expected[] = {{REF_SEEK_FIRST, 0, true}, {REF_SEEK_LAST, work->model.count - 1, true},
        {REF_SEEK_EQ, at, found}, {REF_SEEK_GE, at, true}, {REF_SEEK_GT, at + found, true},
        {REF_SEEK_LT, at - 1, at > 0}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        ref_buffer got = {0};
        ref_buffer value = {0};
        assert_int_equal(ref_buffer_set(&got, key.data, key.size), 0);
        int result =
            ref_btree_seek(work->view, work->root, expected[i].how, slice(&got), &got, &value);
        expect_record(work, result, expected[i].at, expected[i].there, &got, &value);
        ref_buffer_free(&got);
        ref_buffer_free(&value);
    }
}

static void put_one(struct work *work, bool no_overwrite)
{
    ref_slice key = random_key(work);
    ref_slice value = random_sized_value(work);
    bool found;
    size_t at = model_find(&work->model, key, &found);
    if (found && below(work, 3) == 0) {
        value = random_value(work, work->model.records[at].value.size);
    }
    int result = ref_btree_put(work->view, work->root, key, value, no_overwrite);
    if (found && no_overwrite) {
        assert_int_equal(result, REF_KEYEXIST);
        return;
    }
    assert_int_equal(result, 0);
    model_put(&work->model, key, value);
}

static void del_one(struct work *work, bool existing)
{
    ref_slice key = random_key(work);
    bool found;
    if (existing && work->model.count > 0) {
        key = slice(&work->model.records[below(work, (uint32_t)work->model.count)].key);
    }
    size_t at = model_find(&work->model, key, &found);
    int result = ref_btree_del(work->view, work->root, key);
    assert_int_equal(result, found ? 0 : REF_NOTFOUND);
    if (found) {
        model_del(&work->model, at);
    }
}

static void expect_sound(struct work *work)
{
    uint64_t records = 0;
    int result = ref_btree_verify(work->view, work->root, &records);
    if (result != 0) {
        print_error("%s: %s\n", work->mix->name, ref_error_text());
    }
    assert_int_equal(result, 0);
    assert_int_equal(records, work->model.count);
}

static void expect_same_records(struct work *work)
{
    ref_buffer key = {0};
    ref_buffer value = {0};
    int result = ref_btree_seek(work->view, work->root, REF_SEEK_FIRST, slice(&key), &key, &value);
    for (size_t i = 0; i <= work->model.count; i++) {
        expect_record(work, result, i, true, &key, &value);
        result = ref_btree_seek(work->view, work->root, REF_SEEK_GT, slice(&key), &key, &value);
    }
    ref_buffer_free(&key);
    ref_buffer_free(&value);
}

/* `puts` of 10 changes insert. */
static void work_on(struct work *work, unsigned operations, unsigned puts)
{
    for (unsigned i = 0; i < operations; i++) {
        if (below(work, 10) < puts) {
            put_one(work, below(work, 8) == 0);
        } else {
            del_one(work, below(work, 4) != 0);
        }
        if (i % 4 == 0) {
            seek_in_every_mode(work);
        }
        if (i % 256 == 255) {
            expect_sound(work);
            fake_view_commit(work->view);
        }
    }
    fake_view_commit(work->view);
    expect_sound(work);
    expect_same_records(work);
}

static const struct mix mixes[] = {
    {"small", 3000, 12, 20, 0, 0},
    {"any key", 1500, UINT32_MAX, 40, 0, 0},
    {"any value", 800, 24, 600, 20, 9000},
    {"long keys and values", 400, UINT32_MAX, 2000, 50, 200000},
};

static void expect_agreement(uint32_t page_size, unsigned operations)
{
    for (size_t i = 0; i < sizeof mixes / sizeof mixes[0]; i++) {
        struct work *work = malloc(sizeof *work);
        assert_non_null(work);
        work_begin(work, page_size, &mixes[i], 0x2545F4914F6CDD1D + i);
        work_on(work, operations, 8);
        work_on(work, operations, 5);
        work_on(work, operations, 1);
        work_on(work, operations / 2, 9);
        while (work->model.count > 0) {
            del_one(work, true);
        }
        fake_view_commit(work->view);
        expect_sound(work);
        /* Meta page and root are all that an empty tree uses. */
        assert_int_equal(fake_view_free_pages(work->view), fake_view_pages(work->view) - 2);
        work_end(work);
        free(work);
    }
}

static void a_tree_of_512_byte_pages_agrees_with_a_sorted_array(void **state)
{
    (void)state;
    expect_agreement(512, 4000);
}

static void a_tree_of_4096_byte_pages_agrees_with_a_sorted_array(void **state)
{
    (void)state;
    expect_agreement(4096, 2500);
}

static void a_tree_of_65536_byte_pages_agrees_with_a_sorted_array(void **state)
{
    (void)state;
    expect_agreement(65536, 700);
}

/* ---- single properties ---- */

static void setup(ref_view **view, uint32_t *root, uint32_t page_size)
{
    *view = fake_view_open(page_size);
    assert_int_equal(ref_btree_create(*view, root), 0);
}

static int put_number(ref_view *view, uint32_t root, uint32_t number, uint8_t fill, size_t size)
{
    uint8_t value[2000];
    char key[16];
    snprintf(key, sizeof key, "%08u", number);
    memset(value, fill, size);
    return ref_btree_put(view, root, (ref_slice){key, 8}, (ref_slice){value, size}, false);
}

static void an_empty_tree_has_no_records(void **state)
{
    (void)state;
    ref_view *view;
    uint32_t root;
    ref_buffer key = {0};
    setup(&view, &root, 512);
    for (int how = REF_SEEK_FIRST; how <= REF_SEEK_LT; how++) {
        ref_slice any = {"k", 1};
        assert_int_equal(ref_btree_seek(view, root, (ref_seek)how, any, &key, NULL), REF_NOTFOUND);
        assert_null(key.data);
    }
    assert_int_equal(ref_btree_del(view, root, (ref_slice){"k", 1}), REF_NOTFOUND);
    assert_int_equal(ref_btree_verify(view, root, NULL), 0);
    fake_view_close(view);
}

static void an_empty_key_and_an_empty_value_are_a_record(void **state)
{
    (void)state;
    ref_view *view;
    uint32_t root;
    ref_buffer key = {0};
    ref_buffer value = {0};
    setup(&view, &root, 512);
    assert_int_equal(ref_btree_put(view, root, (ref_slice){0}, (ref_slice){0}, true), 0);
    assert_int_equal(ref_btree_put(view, root, (ref_slice){0}, (ref_slice){0}, true), REF_KEYEXIST);
    assert_int_equal(ref_btree_seek(view, root, REF_SEEK_EQ, (ref_slice){0}, &key, &value), 0);
    assert_non_null(key.data);
    assert_int_equal(key.size, 0);
    assert_int_equal(value.size, 0);
    assert_int_equal(ref_btree_del(view, root, (ref_slice){0}), 0);
    ref_buffer_free(&key);
    ref_buffer_free(&value);
    fake_view_close(view);
}

static void a_key_or_value_that_is_too_long_returns_EINVAL(void **state)
{
    (void)state;
    static uint8_t bytes[REF_VALUE_MAX + 1];
    for (uint32_t size = 512; size <= 65536; size *= 2) {
        ref_view *view;
        uint32_t root;
        ref_buffer value = {0};
        setup(&view, &root, size);
        ref_slice key = {bytes, ref_btree_key_max(size)};
        ref_slice most = {bytes, REF_VALUE_MAX};
        assert_true(4 * (key.size + 12) <= size - REF_PAGE_HEADER);
        assert_int_equal(ref_btree_put(view, root, key, most, false), 0);
        assert_int_equal(ref_btree_get(view, root, key, &value), 0);
        assert_int_equal(value.size, REF_VALUE_MAX);
        most.size++;
        assert_int_equal(ref_btree_put(view, root, key, most, false), EINVAL);
        key.size++;
        assert_int_equal(ref_btree_put(view, root, key, (ref_slice){0}, false), EINVAL);
        assert_int_equal(ref_btree_get(view, root, key, &value), REF_NOTFOUND);
        assert_int_equal(ref_btree_verify(view, root, NULL), 0);
        ref_buffer_free(&value);
        fake_view_close(view);
    }
}

static void ascending_inserts_fill_the_pages(void **state)
{
    (void)state;
    ref_view *view;
    uint32_t root;
    setup(&view, &root, 4096);
    for (uint32_t i = 0; i < 20000; i++) {
        assert_int_equal(put_number(view, root, i, 1, 20), 0);
    }
    fake_view_commit(view);
    assert_int_equal(ref_btree_verify(view, root, NULL), 0);
    /* 36 bytes each: key, value, cell header, slot. */
    uint32_t full = 20000 / ((4096 - REF_PAGE_HEADER) / 36);
    assert_in_range(fake_view_pages(view), full, full + full / 20);
    fake_view_close(view);
}

static void deleting_most_records_gives_most_pages_back(void **state)
{
    (void)state;
    ref_view *view;
    uint32_t root;
    setup(&view, &root, 1024);
    for (uint32_t i = 0; i < 20000; i++) {
        assert_int_equal(put_number(view, root, i * 7919 % 20011, 1, 20), 0);
    }
    for (uint32_t i = 0; i < 20000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%08u", i * 7919 % 20011);
        if (i % 20 != 0) {
            assert_int_equal(ref_btree_del(view, root, (ref_slice){key, 8}), 0);
        }
    }
    fake_view_commit(view);
    uint64_t records;
    assert_int_equal(ref_btree_verify(view, root, &records), 0);
    assert_int_equal(records, 1000);
    /* 1,000 records fill 36 pages; a third of a page is the least that is left alone. */
    assert_true(fake_view_pages(view) - fake_view_free_pages(view) < 3 * 36 + 10);
    fake_view_close(view);
}

static void truncate_counts_the_records_and_gives_every_page_back(void **state)
{
    (void)state;
    ref_view *view;
    uint32_t root;
    uint32_t count;
    setup(&view, &root, 512);
    for (uint32_t i = 0; i < 3000; i++) {
        assert_int_equal(put_number(view, root, i, 1, i % 50 == 0 ? 2000 : 20), 0);
    }
    fake_view_commit(view);
    assert_int_equal(ref_btree_truncate(view, root, &count), 0);
    assert_int_equal(count, 3000);
    fake_view_commit(view);
    assert_int_equal(fake_view_free_pages(view), fake_view_pages(view) - 2);
    assert_int_equal(ref_btree_verify(view, root, NULL), 0);
    assert_int_equal(put_number(view, root, 5, 1, 20), 0);
    assert_int_equal(ref_btree_truncate(view, root, &count), 0);
    assert_int_equal(count, 1);
    fake_view_close(view);
}

static void a_new_value_of_the_same_size_changes_only_its_bytes(void **state)
{
    (void)state;
    for (size_t size = 10; size <= 2000; size += 1990) {
        ref_view *view;
        uint32_t root;
        setup(&view, &root, 1024);
        for (uint32_t i = 0; i < 500; i++) {
            assert_int_equal(put_number(view, root, i, 1, size), 0);
        }
        fake_view_commit(view);
        assert_int_equal(put_number(view, root, 250, 2, size), 0);
        assert_int_equal(fake_view_changed_bytes(view), size);
        fake_view_close(view);
    }
}

static void a_small_change_to_a_page_changes_few_bytes(void **state)
{
    (void)state;
    ref_view *view;
    uint32_t root;
    setup(&view, &root, 4096);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(put_number(view, root, 2 * i, 1, 10), 0);
    }
    assert_int_equal(ref_btree_del(view, root, (ref_slice){"00000198", 8}), 0);
    fake_view_commit(view);
    /* Slots behind the record move, cells do not. */
    assert_int_equal(put_number(view, root, 101, 1, 10), 0);
    assert_true(fake_view_changed_bytes(view) < 24 + 2 * 50 + 16);
    fake_view_commit(view);
    assert_int_equal(put_number(view, root, 50, 1, 5), 0);
    assert_true(fake_view_changed_bytes(view) <= 5 + 4 + 4);
    fake_view_commit(view);
    assert_int_equal(ref_btree_verify(view, root, NULL), 0);
    fake_view_close(view);
}

static void an_aborted_transaction_leaves_no_trace(void **state)
{
    (void)state;
    ref_view *view;
    uint32_t root;
    uint64_t records;
    setup(&view, &root, 512);
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(put_number(view, root, i, 1, 300), 0);
    }
    fake_view_commit(view);
    for (uint32_t i = 0; i < 290; i++) {
        char key[16];
        snprintf(key, sizeof key, "%08u", i);
        assert_int_equal(ref_btree_del(view, root, (ref_slice){key, 8}), 0);
    }
    fake_view_abort(view);
    assert_int_equal(ref_btree_verify(view, root, &records), 0);
    assert_int_equal(records, 300);
    fake_view_close(view);
}

/* A branch loses all children but one when its neighbours are too full to take it in. */
static void a_record_below_single_children_is_found_and_removed(void **state)
{
    (void)state;
    ref_view *view;
    uint32_t root;
    uint32_t branch_pgno;
    uint32_t leaf_pgno;
    uint8_t *page;
    uint8_t *branch;
    uint8_t *leaf;
    setup(&view, &root, 512);
    assert_int_equal(put_number(view, root, 7, 1, 20), 0);
    assert_int_equal(ref_view_write(view, root, &page), 0);
    assert_int_equal(ref_view_alloc(view, REF_PAGE_BRANCH, &branch_pgno, &branch), 0);
    assert_int_equal(ref_view_alloc(view, REF_PAGE_LEAF, &leaf_pgno, &leaf), 0);
    memcpy(leaf + REF_PAGE_AT_TYPE, page + REF_PAGE_AT_TYPE, 512 - REF_PAGE_AT_TYPE);
    memset(page + REF_PAGE_AT_TYPE, 0, 512 - REF_PAGE_AT_TYPE);
    page[REF_PAGE_AT_TYPE] = REF_PAGE_BRANCH;
    page[REF_PAGE_AT_LEVEL] = 2;
    branch[REF_PAGE_AT_LEVEL] = 1;
    ref_put32(page + REF_PAGE_AT_HEAP, 512);
    ref_put32(branch + REF_PAGE_AT_HEAP, 512);
    ref_put32(page + REF_PAGE_AT_LINK, branch_pgno);
    ref_put32(branch + REF_PAGE_AT_LINK, leaf_pgno);
    assert_int_equal(ref_btree_verify(view, root, NULL), 0);

    ref_slice key = {"00000007", 8};
    ref_slice lower = {"0", 1};
    ref_slice upper = {"1", 1};
    assert_int_equal(ref_btree_seek(view, root, REF_SEEK_GT, lower, NULL, NULL), 0);
    assert_int_equal(ref_btree_seek(view, root, REF_SEEK_LT, upper, NULL, NULL), 0);
    assert_int_equal(ref_btree_seek(view, root, REF_SEEK_LT, key, NULL, NULL), REF_NOTFOUND);
    assert_int_equal(ref_btree_seek(view, root, REF_SEEK_GT, key, NULL, NULL), REF_NOTFOUND);
    assert_int_equal(ref_btree_del(view, root, key), 0);
    fake_view_commit(view);
    assert_int_equal(fake_view_free_pages(view), 2);
    assert_int_equal(ref_btree_verify(view, root, NULL), 0);
    fake_view_close(view);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_empty_tree_has_no_records),
    cmocka_unit_test(an_empty_key_and_an_empty_value_are_a_record),
    cmocka_unit_test(a_key_or_value_that_is_too_long_returns_EINVAL),
    cmocka_unit_test(a_tree_of_512_byte_pages_agrees_with_a_sorted_array),
    cmocka_unit_test(a_tree_of_4096_byte_pages_agrees_with_a_sorted_array),
    cmocka_unit_test(a_tree_of_65536_byte_pages_agrees_with_a_sorted_array),
    cmocka_unit_test(ascending_inserts_fill_the_pages),
    cmocka_unit_test(deleting_most_records_gives_most_pages_back),
    cmocka_unit_test(truncate_counts_the_records_and_gives_every_page_back),
    cmocka_unit_test(a_new_value_of_the_same_size_changes_only_its_bytes),
    cmocka_unit_test(a_small_change_to_a_page_changes_few_bytes),
    cmocka_unit_test(a_record_below_single_children_is_found_and_removed),
    cmocka_unit_test(an_aborted_transaction_leaves_no_trace),
};

TEST_MAIN(tests)
