/* Pages: checksums, numbers, the meta page. */
#include "testmain.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/error.h"
#include "engine/page.h"

static const uint32_t sizes[] = {512, 4096, 65536};
#define SIZES (sizeof sizes / sizeof sizes[0])

static uint8_t *make_page(uint32_t size, uint32_t pgno)
{
    uint8_t *page = malloc(size);
    assert_non_null(page);
    ref_page_init(page, size, pgno, REF_PAGE_LEAF);
    for (uint32_t i = REF_PAGE_HEADER; i < size; i++) {
        page[i] = (uint8_t)(i * 7 + pgno);
    }
    ref_put64(page + REF_PAGE_AT_LSN, 0x0000000300000180u);
    ref_page_seal(page, size);
    return page;
}

static void powers_of_two_from_512_to_65536_are_page_sizes(void **state)
{
    (void)state;
    uint32_t valid = 0;
    for (uint32_t size = 0; size <= 2 * REF_PAGE_SIZE_MAX; size++) {
        valid += ref_page_size_valid(size);
    }
    assert_int_equal(valid, 8);
    for (uint32_t size = REF_PAGE_SIZE_MIN; size <= REF_PAGE_SIZE_MAX; size *= 2) {
        assert_true(ref_page_size_valid(size));
    }
    assert_false(ref_page_size_valid(UINT32_MAX));
}

static void the_checksum_is_crc32c(void **state)
{
    (void)state;
    /* the check value of the polynomial's catalogue entry, and RFC 3720's 32 bytes of zero */
    static const uint8_t zeros[32];
    assert_int_equal(ref_crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(ref_crc32c(0, zeros, sizeof zeros), 0x8a9136aau);
    assert_int_equal(ref_crc32c(ref_crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
    assert_int_equal(ref_crc32c(0, "", 0), 0);
}

static void a_sealed_page_is_sound_in_its_place_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        uint8_t *page = make_page(sizes[i], 7);
        assert_int_equal(ref_page_check(page, sizes[i], 7), REF_PAGE_SOUND);
        assert_int_equal(ref_page_check(page, sizes[i], 8), REF_PAGE_MISPLACED);
        assert_int_equal(ref_page_pgno(page), 7);
        assert_int_equal(ref_page_lsn(page), 0x0000000300000180u);
        assert_int_equal(ref_page_kind(page), REF_PAGE_LEAF);
        free(page);
    }
}

static void every_flipped_bit_of_a_page_is_noticed(void **state)
{
    (void)state;
    uint8_t *page = make_page(512, 3);
    for (uint32_t bit = 0; bit < 512 * 8; bit++) {
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(ref_page_check(page, 512, 3), REF_PAGE_BAD_CRC);
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(ref_page_check(page, 512, 3), REF_PAGE_SOUND);
    free(page);
}

static void a_page_torn_at_any_sector_is_noticed(void **state)
{
    (void)state;
    uint8_t *old = make_page(4096, 3), *page = make_page(4096, 3), *torn = malloc(4096);
    assert_non_null(torn);
    for (uint32_t at = 0; at < 4096; at += 512) { /* a byte changes in each sector */
        page[at + 100] ^= 0x55;
    }
    ref_page_seal(page, 4096);
    for (unsigned kept = 1; kept < 255; kept++) {
        for (unsigned sector = 0; sector < 8; sector++) {
            const uint8_t *from = kept >> sector & 1 ? page : old;
            memcpy(torn + sector * 512, from + sector * 512, 512);
        }
        assert_int_equal(ref_page_check(torn, 4096, 3), REF_PAGE_BAD_CRC);
    }
    free(old);
    free(page);
    free(torn);
}

static void a_page_of_zeros_is_told_from_a_damaged_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        uint8_t *page = calloc(1, sizes[i]);
        assert_non_null(page);
        assert_int_equal(ref_page_check(page, sizes[i], 0), REF_PAGE_ZERO);
        assert_int_equal(ref_page_check(page, sizes[i], 9), REF_PAGE_ZERO);
        page[sizes[i] - 1] = 1;
        assert_int_equal(ref_page_check(page, sizes[i], 9), REF_PAGE_BAD_CRC);
        free(page);
    }
}

static void the_capture_slot_is_outside_the_checksum_of_page_0_only(void **state)
{
    (void)state;
    for (uint32_t pgno = 0; pgno < 2; pgno++) {
        uint8_t *page = make_page(512, pgno);
        for (uint32_t at = REF_META_AT_SLOT; at < REF_META_AT_SLOT + REF_META_SLOT_SIZE; at++) {
            page[at] ^= 0xff;
            assert_int_equal(
                ref_page_check(page, 512, pgno), pgno == 0 ? REF_PAGE_SOUND : REF_PAGE_BAD_CRC);
            page[at] ^= 0xff;
        }
        page[REF_META_AT_SLOT - 1] ^= 1;
        assert_int_equal(ref_page_check(page, 512, pgno), REF_PAGE_BAD_CRC);
        page[REF_META_AT_SLOT - 1] ^= 1;
        page[REF_META_AT_SLOT + REF_META_SLOT_SIZE] ^= 1;
        assert_int_equal(ref_page_check(page, 512, pgno), REF_PAGE_BAD_CRC);
        free(page);
    }
}

static void each_health_has_words(void **state)
{
    (void)state;
    assert_string_equal(ref_page_health_text(REF_PAGE_SOUND), "sound");
    assert_string_equal(ref_page_health_text(REF_PAGE_ZERO), "all zero");
    assert_string_equal(ref_page_health_text(REF_PAGE_BAD_CRC), "bad checksum");
    assert_string_equal(ref_page_health_text(REF_PAGE_MISPLACED), "another page's content");
}

/* ---- the meta page ---- */

static const ref_id file_id = {{1, 2, 3}}, log_id = {{9, 8, 7}};

static void a_meta_page_says_what_it_was_made_with(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        ref_meta meta;
        uint8_t *page = malloc(sizes[i]);
        assert_non_null(page);
        ref_meta_init(page, sizes[i], &file_id, &log_id);
        ref_page_seal(page, sizes[i]);
        assert_int_equal(ref_page_check(page, sizes[i], 0), REF_PAGE_SOUND);
        /* 512 bytes are enough whatever the page size is */
        assert_int_equal(ref_meta_read(page, REF_PAGE_SIZE_MIN, "x.db", &meta), 0);
        assert_int_equal(meta.version, REF_META_VERSION);
        assert_int_equal(meta.page_size, sizes[i]);
        assert_int_equal(meta.page_count, 1);
        assert_true(ref_id_equal(&meta.id, &file_id));
        assert_true(ref_id_equal(&meta.log_id, &log_id));
        free(page);
    }
}

static void a_file_that_is_not_ours_is_no_failure(void **state)
{
    (void)state;
    uint8_t page[512];
    ref_meta meta;
    ref_meta_init(page, 512, &file_id, &log_id);
    assert_int_equal(ref_meta_read(page, 0, "x.db", &meta), ENOENT);
    assert_int_equal(ref_meta_read(page, 39, "x.db", &meta), ENOENT);
    page[REF_META_AT_MAGIC] ^= 1;
    assert_int_equal(ref_meta_read(page, 512, "x.db", &meta), ENOENT);
}

static void a_meta_page_that_is_cut_off_is_damage(void **state)
{
    (void)state;
    uint8_t page[512];
    ref_meta meta;
    ref_meta_init(page, 512, &file_id, &log_id);
    for (size_t size = 40; size < 512; size++) {
        assert_int_equal(ref_meta_read(page, size, "dir/x.db", &meta), REF_CORRUPT);
        assert_non_null(strstr(ref_error_text(), "dir/x.db"));
    }
}

static void a_database_of_another_format_version_is_refused(void **state)
{
    (void)state;
    uint8_t page[512];
    ref_meta meta;
    ref_meta_init(page, 512, &file_id, &log_id);
    ref_put32(page + REF_META_AT_VERSION, REF_META_VERSION + 1);
    assert_int_equal(ref_meta_read(page, 512, "dir/x.db", &meta), REF_VERSION);
    assert_non_null(strstr(ref_error_text(), "dir/x.db"));
    assert_non_null(strstr(ref_error_text(), "version 2"));
}

static void a_page_size_that_cannot_be_is_damage(void **state)
{
    (void)state;
    static const uint32_t wrong[] = {0, 1, 511, 513, 131072, UINT32_MAX};
    uint8_t page[512];
    ref_meta meta;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ref_meta_init(page, 512, &file_id, &log_id);
        ref_put32(page + REF_META_AT_PAGESIZE, wrong[i]);
        assert_int_equal(ref_meta_read(page, 512, "x.db", &meta), REF_CORRUPT);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(powers_of_two_from_512_to_65536_are_page_sizes),
    cmocka_unit_test(the_checksum_is_crc32c),
    cmocka_unit_test(a_sealed_page_is_sound_in_its_place_only),
    cmocka_unit_test(every_flipped_bit_of_a_page_is_noticed),
    cmocka_unit_test(a_page_torn_at_any_sector_is_noticed),
    cmocka_unit_test(a_page_of_zeros_is_told_from_a_damaged_one),
    cmocka_unit_test(the_capture_slot_is_outside_the_checksum_of_page_0_only),
    cmocka_unit_test(each_health_has_words),
    cmocka_unit_test(a_meta_page_says_what_it_was_made_with),
    cmocka_unit_test(a_file_that_is_not_ours_is_no_failure),
    cmocka_unit_test(a_meta_page_that_is_cut_off_is_damage),
    cmocka_unit_test(a_database_of_another_format_version_is_refused),
    cmocka_unit_test(a_page_size_that_cannot_be_is_damage),
};

TEST_MAIN(tests)
