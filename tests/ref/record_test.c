/* Log records: what is built is read back, and whatever is not what was built is noticed. */
#include "testmain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"
#include "engine/record.h"
#include "support.h"

#define LSN 0x0000000500000400u

static const ref_id file_id = {{0xf1, 1, 2, 3}};

static ref_record parse(const ref_group *group, size_t at)
{
    ref_record record;
    assert_int_equal(group->error, 0);
    assert_true(ref_record_parse(group->bytes + at, group->size - at, LSN + at, &record));
    assert_int_equal(record.lsn, LSN + at);
    return record;
}

/* ---- page changes ---- */

static void random_page(uint8_t *page, uint32_t size, uint32_t pgno, uint64_t *seed)
{
    ref_page_init(page, size, pgno, REF_PAGE_LEAF);
    for (uint32_t i = REF_PAGE_HEADER; i < size; i++) {
        page[i] = next_random(seed) % 4 == 0 ? 0 : (uint8_t)next_random(seed);
    }
}

/* Changes some stretches; sometimes none, sometimes the page's ends. */
static void change_page(uint8_t *page, uint32_t size, uint64_t *seed)
{
    for (uint32_t n = next_random(seed) % 6; n > 0; n--) {
        uint32_t at = REF_PAGE_AT_TYPE + next_random(seed) % (size - REF_PAGE_AT_TYPE);
        uint32_t length = 1 + next_random(seed) % 40;
        for (uint32_t i = at; i < size && i < at + length; i++) {
            page[i] = (uint8_t)(page[i] + 1 + next_random(seed) % 255);
        }
    }
    page[size - 1] = (uint8_t)next_random(seed);
}

static void round_trip(uint32_t size, uint64_t *seed)
{
    uint8_t *base = malloc(size), *page = malloc(size), *result = malloc(size);
    assert_true(base != NULL && page != NULL && result != NULL);
    random_page(base, size, 11, seed);
    memcpy(page, base, size);
    change_page(page, size, seed);
    for (int full = 0; full < 2; full++) {
        ref_group group = {0};
        ref_page_record said;
        ref_group_page(&group, &file_id, 11, 77, full ? NULL : base, page, size);
        ref_group_place(&group, LSN);
        ref_record record = parse(&group, 0);
        assert_true(ref_record_page(&record, &said));
        assert_true(ref_id_equal(&said.file, &file_id));
        assert_int_equal(said.pgno, 11);
        assert_int_equal(said.previous, 77);
        assert_int_equal(said.full, full);
        memcpy(result, base, size);
        if (full) {
            memset(result, 0xee, size);
        }
        assert_true(ref_record_page_apply(&record, result, size));
        assert_int_equal(ref_page_lsn(result), LSN);
        /* checksum and LSN are not part of it */
        assert_memory_equal(result + 4, page + 4, 4);
        assert_memory_equal(
            result + REF_PAGE_AT_TYPE, page + REF_PAGE_AT_TYPE, size - REF_PAGE_AT_TYPE);
        ref_group_free(&group);
    }
    free(base);
    free(page);
    free(result);
}

static void a_page_change_round_trips(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 300; i++) {
        round_trip(512, &seed);
    }
    for (int i = 0; i < 30; i++) {
        round_trip(4096, &seed);
    }
    for (int i = 0; i < 4; i++) {
        round_trip(65536, &seed);
    }
}

static void a_small_change_makes_a_small_record(void **state)
{
    (void)state;
    uint64_t seed = 2;
    uint8_t base[4096], page[4096];
    ref_group group = {0};
    random_page(base, sizeof base, 1, &seed);
    memcpy(page, base, sizeof page);
    page[2000] ^= 1;
    page[2005] ^= 1;
    page[4000] ^= 1;
    ref_group_page(&group, &file_id, 1, 5, base, page, sizeof page);
    /* header, fixed part, two ranges */
    assert_int_equal(group.size, (REF_RECORD_HEADER + 32 + 4 + 6 + 4 + 1 + 7) / 8 * 8);
    ref_group_free(&group);
}

static void a_change_that_does_not_fit_its_page_is_refused(void **state)
{
    (void)state;
    uint64_t seed = 3;
    uint8_t page[4096], small[512] = {0};
    ref_group group = {0};
    random_page(page, sizeof page, 1, &seed);
    ref_group_page(&group, &file_id, 1, 0, NULL, page, sizeof page);
    ref_group_place(&group, LSN);
    ref_record record = parse(&group, 0);
    assert_false(ref_record_page_apply(&record, small, sizeof small));
    /* a payload that ends within a range */
    record.payload_size -= 8;
    assert_false(ref_record_page_apply(&record, page, sizeof page));
    /* and one that ends within the fixed part */
    ref_page_record said;
    record.payload_size = 31;
    assert_false(ref_record_page(&record, &said));
    ref_group_free(&group);
}

/* ---- the others ---- */

static void file_records_round_trip(void **state)
{
    (void)state;
    static const ref_record_type types[] = {
        REF_RECORD_CREATE, REF_RECORD_ADOPT, REF_RECORD_REMOVE, REF_RECORD_RENAME};
    char long_name[1001];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *names[] = {"", "a", "dir/b.db", long_name};
    for (size_t i = 0; i < 16; i++) {
        ref_group group = {0};
        ref_file_record in = {.id = file_id,
            .page_size = 8192,
            .mode = 0640,
            .dir = names[i / 4],
            .name = names[3 - i / 4]};
        ref_file_record out;
        ref_id id;
        ref_group_file(&group, types[i % 4], &in);
        ref_group_place(&group, LSN);
        ref_record record = parse(&group, 0);
        char *strings = malloc(record.payload_size + 2);
        assert_non_null(strings);
        assert_int_equal(record.type, types[i % 4]);
        assert_true(ref_record_file_id(&record, &id));
        assert_true(ref_id_equal(&id, &file_id));
        assert_true(ref_record_file(&record, strings, &out));
        assert_true(ref_id_equal(&out.id, &file_id));
        assert_int_equal(out.page_size, 8192);
        assert_int_equal(out.mode, 0640);
        assert_string_equal(out.dir, in.dir);
        assert_string_equal(out.name, in.name);
        for (record.payload_size--; record.payload_size > 0; record.payload_size--) {
            assert_false(ref_record_file(&record, strings, &out));
        }
        free(strings);
        ref_group_free(&group);
    }
}

static void a_commit_counts_the_records_of_its_group(void **state)
{
    (void)state;
    uint64_t seed = 4;
    uint8_t page[512];
    ref_group group = {0};
    ref_commit_record in = {.number = 42, .time = 1234567890123456789u, .durable = LSN - 8}, out;
    random_page(page, sizeof page, 1, &seed);
    ref_file_record file = {.id = file_id, .page_size = 512, .dir = "d", .name = "x"};
    ref_group_file(&group, REF_RECORD_CREATE, &file);
    ref_group_page(&group, &file_id, 1, 0, NULL, page, sizeof page);
    size_t at = group.size;
    ref_group_commit(&group, &in);
    ref_group_place(&group, LSN);
    ref_record record = parse(&group, at);
    assert_int_equal(record.type, REF_RECORD_COMMIT);
    assert_true(ref_record_commit(&record, &out));
    assert_int_equal(out.number, in.number);
    assert_int_equal(out.time, in.time);
    assert_int_equal(out.durable, in.durable);
    assert_int_equal(out.records, 2);
    record.payload_size--;
    assert_false(ref_record_commit(&record, &out));
    ref_group_free(&group);
}

static void a_checkpoint_record_round_trips(void **state)
{
    (void)state;
    ref_group group = {0};
    ref_checkpoint_record in = {.redo = LSN - 400, .commit = 7, .time = 9, .durable = LSN - 80},
                          out;
    ref_group_checkpoint(&group, &in);
    ref_group_place(&group, LSN);
    ref_record record = parse(&group, 0);
    assert_true(ref_record_checkpoint(&record, &out));
    assert_memory_equal(&in, &out, sizeof in);
    record.payload_size--;
    assert_false(ref_record_checkpoint(&record, &out));
    ref_group_free(&group);
}

static int count_file(void *context, const ref_file_record *file)
{
    uint32_t *seen = context;
    char name[16];
    snprintf(name, sizeof name, "db%u", *seen);
    assert_string_equal(file->name, name);
    assert_string_equal(file->dir, *seen % 2 ? "data" : "");
    assert_int_equal(file->page_size, 512);
    ++*seen;
    return *seen == 50 ? 99 : 0;
}

static void a_catalog_lists_its_files_until_told_to_stop(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 1, 49, 60};
    for (size_t i = 0; i < 4; i++) {
        ref_file_record files[60];
        char names[60][16];
        ref_group group = {0};
        uint32_t seen = 0;
        for (uint32_t n = 0; n < counts[i]; n++) {
            snprintf(names[n], sizeof names[n], "db%u", n);
            files[n] = (ref_file_record){
                .id = file_id, .page_size = 512, .dir = n % 2 ? "data" : "", .name = names[n]};
        }
        ref_group_catalog(&group, files, counts[i]);
        ref_group_place(&group, LSN);
        ref_record record = parse(&group, 0);
        char *strings = malloc(record.payload_size + 2);
        assert_non_null(strings);
        int result = ref_record_catalog(&record, strings, count_file, &seen);
        assert_int_equal(result, counts[i] == 60 ? 99 : 0);
        assert_int_equal(seen, counts[i] == 60 ? 50 : counts[i]);
        seen = 0;
        record.payload_size--;
        assert_int_equal(ref_record_catalog(&record, strings, count_file, &seen),
            counts[i] == 60 ? 99 : REF_CORRUPT);
        free(strings);
        ref_group_free(&group);
    }
}

/* ---- damage ---- */

static void build_all(ref_group *group)
{
    uint64_t seed = 5;
    uint8_t page[512];
    ref_file_record file = {.id = file_id, .page_size = 512, .dir = "d", .name = "name"};
    ref_commit_record commit = {.number = 1, .time = 2, .durable = 3};
    ref_checkpoint_record checkpoint = {.redo = 1, .commit = 2, .time = 3, .durable = 4};
    random_page(page, sizeof page, 1, &seed);
    ref_group_catalog(group, &file, 1);
    ref_group_file(group, REF_RECORD_CREATE, &file);
    ref_group_page(group, &file_id, 1, 9, NULL, page, sizeof page);
    ref_group_commit(group, &commit);
    ref_group_checkpoint(group, &checkpoint);
    ref_group_place(group, LSN);
    assert_int_equal(group->error, 0);
}

static void every_flipped_bit_of_a_record_is_noticed(void **state)
{
    (void)state;
    ref_group group = {0};
    build_all(&group);
    unsigned records = 0;
    for (size_t at = 0; at < group.size; records++) {
        ref_record record = parse(&group, at), other;
        for (size_t bit = 0; bit < (size_t)record.length * 8; bit++) {
            uint8_t *byte = group.bytes + at + bit / 8;
            *byte ^= (uint8_t)(1u << bit % 8);
            assert_false(ref_record_parse(group.bytes + at, group.size - at, record.lsn, &other));
            *byte ^= (uint8_t)(1u << bit % 8);
        }
        at += record.length;
    }
    assert_int_equal(records, 5);
    ref_group_free(&group);
}

static void a_record_is_sound_only_at_its_own_lsn(void **state)
{
    (void)state;
    ref_group group = {0};
    build_all(&group);
    for (size_t at = 0; at < group.size;) {
        ref_record record = parse(&group, at), other;
        /* elsewhere in the segment, in the next segment */
        static const uint64_t distances[] = {8, 16, (uint64_t)1 << 32, (uint64_t)0 - 8};
        for (size_t i = 0; i < 4; i++) {
            assert_false(ref_record_parse(
                group.bytes + at, group.size - at, record.lsn + distances[i], &other));
        }
        at += record.length;
    }
    ref_group_free(&group);
}

static void a_record_that_is_cut_off_is_noticed(void **state)
{
    (void)state;
    ref_group group = {0};
    build_all(&group);
    for (size_t at = 0; at < group.size;) {
        ref_record record = parse(&group, at), other;
        for (size_t size = 0; size < record.length; size++) {
            /* exactly so many bytes, so that reading beyond them is seen */
            uint8_t *part = malloc(size + 1);
            assert_non_null(part);
            memcpy(part + 1, group.bytes + at, size);
            assert_false(ref_record_parse(part + 1, size, record.lsn, &other));
            free(part);
        }
        at += record.length;
    }
    ref_group_free(&group);
}

static void record_types_have_names(void **state)
{
    (void)state;
    assert_string_equal(ref_record_type_name(REF_RECORD_PAGE), "page");
    assert_string_equal(ref_record_type_name(REF_RECORD_CATALOG), "catalog");
    assert_string_equal(ref_record_type_name(0), "unknown");
    assert_string_equal(ref_record_type_name(9), "unknown");
    assert_string_equal(ref_record_type_name(255), "unknown");
}

/* ---- segment headers ---- */

static const ref_segment_header header = {.number = 17,
    .environment = {{5, 6, 7}},
    .incarnation = 0x1122334455667788u,
    .previous_end = 0x0000001000000500u,
    .commit = 99,
    .time = 1234567890u,
    .previous_incarnation = 0x99aabbccddeeff00u};

static void a_segment_header_round_trips(void **state)
{
    (void)state;
    uint8_t bytes[REF_SEGMENT_HEADER];
    ref_segment_header out;
    ref_segment_header_write(bytes, &header);
    assert_int_equal(ref_segment_header_read(bytes, sizeof bytes, "log.17", &out), 0);
    assert_int_equal(out.number, header.number);
    assert_true(ref_id_equal(&out.environment, &header.environment));
    assert_int_equal(out.incarnation, header.incarnation);
    assert_int_equal(out.previous_incarnation, header.previous_incarnation);
    assert_int_equal(out.previous_end, header.previous_end);
    assert_int_equal(out.commit, header.commit);
    assert_int_equal(out.time, header.time);
}

static void a_segment_header_that_is_damaged_or_short_is_not_whole(void **state)
{
    (void)state;
    uint8_t bytes[REF_SEGMENT_HEADER];
    ref_segment_header out;
    ref_segment_header_write(bytes, &header);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(ref_segment_header_read(bytes, sizeof bytes, "log.17", &out), ENOENT);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < sizeof bytes; size++) {
        assert_int_equal(ref_segment_header_read(bytes, size, "log.17", &out), ENOENT);
    }
}

static void a_segment_of_another_format_version_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[REF_SEGMENT_HEADER];
    ref_segment_header out;
    ref_segment_header_write(bytes, &header);
    ref_put32(bytes + 8, REF_SEGMENT_VERSION + 1);
    ref_put32(bytes + REF_SEGMENT_HEADER - 4, ref_crc32c(0, bytes, REF_SEGMENT_HEADER - 4));
    assert_int_equal(ref_segment_header_read(bytes, sizeof bytes, "dir/log.17", &out), REF_VERSION);
    assert_non_null(strstr(ref_error_text(), "dir/log.17"));
    assert_non_null(strstr(ref_error_text(), "version 2"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_page_change_round_trips),
    cmocka_unit_test(a_small_change_makes_a_small_record),
    cmocka_unit_test(a_change_that_does_not_fit_its_page_is_refused),
    cmocka_unit_test(file_records_round_trip),
    cmocka_unit_test(a_commit_counts_the_records_of_its_group),
    cmocka_unit_test(a_checkpoint_record_round_trips),
    cmocka_unit_test(a_catalog_lists_its_files_until_told_to_stop),
    cmocka_unit_test(every_flipped_bit_of_a_record_is_noticed),
    cmocka_unit_test(a_record_is_sound_only_at_its_own_lsn),
    cmocka_unit_test(a_record_that_is_cut_off_is_noticed),
    cmocka_unit_test(record_types_have_names),
    cmocka_unit_test(a_segment_header_round_trips),
    cmocka_unit_test(a_segment_header_that_is_damaged_or_short_is_not_whole),
    cmocka_unit_test(a_segment_of_another_format_version_is_refused),
};

TEST_MAIN(tests)
