/*
 * What each action of a plan does to the disk, as seen from outside: by plain reads, of the disk or
 * of what a power cut leaves of it; and that nothing is left of it afterwards.
 */
#include "disk_support.h"

#include <errno.h>
#include <stdio.h>

typedef struct fixture {
    fault_disk *disk;
    ref_vfs *vfs;
    ref_file *file; /* "/f", open, with `old`, durable */
} fixture;

/* Three sectors and a bit. */
#define OLD_SIZE 1600
static char old[OLD_SIZE + 1], new[OLD_SIZE + 1];

static int setup(void **state)
{
    fixture *fix = calloc(1, sizeof *fix);
    assert_non_null(fix);
    memset(old, 'o', OLD_SIZE);
    memset(new, 'n', OLD_SIZE);
    fix->disk = disk_new(FAULT_POSIX_WEAK);
    fix->vfs = fault_disk_vfs(fix->disk);
    fix->file = disk_create(fix->disk, "/f");
    disk_write(fix->file, 0, old);
    fault_disk_settle(fix->disk);
    *state = fix;
    return 0;
}

static int teardown(void **state)
{
    fixture *fix = *state;
    fault_disk_free(fix->disk);
    free(fix);
    return 0;
}

/* What "/f" holds where the letters change: "n512 o1088". */
static const char *shape(fault_disk *disk)
{
    static char text[256];
    char bytes[8192];
    size_t size, length = 0;
    ref_file *file = disk_open(disk, "/f", 0);
    assert_int_equal(ref_read_full(file, bytes, sizeof bytes, 0, &size), 0);
    disk_close(file);
    text[0] = '\0';
    for (size_t at = 0; at < size;) {
        size_t end = at;
        while (end < size && bytes[end] == bytes[at]) {
            end++;
        }
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%c%zu",
            length > 0 ? " " : "", bytes[at] != '\0' ? bytes[at] : '0', end - at);
        at = end;
    }
    return text;
}

static void assert_lost(fixture *fix, const char *expected)
{
    fault_disk *lost = disk_crashed(fix->disk, false);
    assert_string_equal(shape(lost), expected);
    fault_disk_free(lost);
}

/* ---- errors ---- */

static void an_error_is_given_and_nothing_done(void **state)
{
    fixture *fix = *state;
    size_t done = 1;
    planned p = disk_plan(fix->disk, "rule r on write do err=EIO");
    assert_int_equal(fix->vfs->pwrite(fix->file, new, 10, 0, &done), EIO);
    assert_int_equal(done, 0);
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "o1600");
    assert_int_equal(fault_disk_pending(fix->disk), 0);
}

static void a_signal_interrupts_once_and_the_next_write_works(void **state)
{
    fixture *fix = *state;
    size_t done;
    planned p = disk_plan(fix->disk, "rule r on write do err=EINTR");
    assert_int_equal(fix->vfs->pwrite(fix->file, new, 512, 0, &done), EINTR);
    assert_int_equal(fix->vfs->pwrite(fix->file, new, 512, 0, &done), 0);
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "n512 o1088");
}

static void a_failed_close_has_closed_the_file(void **state)
{
    fixture *fix = *state;
    planned p = disk_plan(fix->disk, "rule r on close do err=EIO");
    ref_file *file = disk_open(fix->disk, "/f", 0);
    assert_int_equal(fix->vfs->lock(file, 0, 1, REF_LOCK_SHARED), 0);
    assert_int_equal(fix->vfs->close(file), EIO);
    disk_unplan(&p);
    assert_int_equal(fix->vfs->lock(fix->file, 0, 1, REF_LOCK_EXCLUSIVE), 0);
}

/* ---- room ---- */

static void a_full_disk_takes_what_fits_and_then_nothing(void **state)
{
    (void)state;
    fault_disk_options options = {.capacity = 2 * 4096};
    fault_disk *disk = disk_with(&options);
    ref_vfs *vfs = fault_disk_vfs(disk);
    ref_file *file = disk_create(disk, "/f");
    static char bytes[3 * 4096];
    size_t done;
    assert_int_equal(vfs->pwrite(file, bytes, sizeof bytes, 0, &done), 0);
    assert_int_equal(done, 2 * 4096);
    assert_int_equal(vfs->pwrite(file, bytes, 1, 2 * 4096, &done), ENOSPC);
    assert_int_equal(vfs->pwrite(file, bytes, 1, 4096, &done), 0);
    assert_int_equal(vfs->allocate(file, 2 * 4096, 1), ENOSPC);
    assert_int_equal(vfs->truncate(file, 4096), 0);
    assert_int_equal(vfs->allocate(file, 4096, 4096), 0);
    ref_file *other = disk_create(disk, "/g");
    assert_int_equal(vfs->pwrite(other, bytes, 1, 0, &done), ENOSPC);
    assert_int_equal(vfs->pwrite(file, bytes, 1, 4096, &done), 0);
    disk_close(file);
    assert_int_equal(vfs->unlink(vfs, "/f"), 0);
    assert_int_equal(vfs->pwrite(other, bytes, 1, 0, &done), 0);
    fault_disk_free(disk);
}

static void a_plan_can_make_the_disk_full_until_something_is_removed(void **state)
{
    fixture *fix = *state;
    size_t done;
    planned p = disk_plan(fix->disk, "rule r on write space>600 do err=ENOSPC until=unlink");
    ref_file *file = disk_create(fix->disk, "/g");
    assert_int_equal(fix->vfs->pwrite(file, new, 600, 0, &done), 0);
    assert_int_equal(fix->vfs->pwrite(file, new, 600, 600, &done), ENOSPC);
    disk_close(file);
    assert_int_equal(fix->vfs->unlink(fix->vfs, "/g"), 0);
    assert_int_equal(fix->vfs->pwrite(fix->file, new, 512, 0, &done), 0);
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "n512 o1088");
}

/* ---- reads and writes that are not what was asked for ---- */

static void a_short_write_says_how_much_it_wrote(void **state)
{
    fixture *fix = *state;
    size_t done;
    planned p = disk_plan(fix->disk, "rule r on write do short n=100");
    assert_int_equal(fix->vfs->pwrite(fix->file, new, 512, 0, &done), 0);
    assert_int_equal(done, 100);
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "n100 o1500");
}

static void a_short_read_says_how_much_it_read(void **state)
{
    fixture *fix = *state;
    char bytes[512];
    size_t done;
    planned p = disk_plan(fix->disk, "rule r on read do short n=100");
    assert_int_equal(fix->vfs->pread(fix->file, bytes, sizeof bytes, 0, &done), 0);
    assert_int_equal(done, 100);
    disk_unplan(&p);
}

static void a_torn_write_reaches_the_sectors_of_the_mask_and_claims_all(void **state)
{
    fixture *fix = *state;
    size_t done;
    planned p = disk_plan(fix->disk, "rule r on write do torn mask=0x5");
    assert_int_equal(fix->vfs->pwrite(fix->file, new, OLD_SIZE, 0, &done), 0);
    assert_int_equal(done, OLD_SIZE);
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "n512 o512 n512 o64");
    disk_sync(fix->file);
    assert_lost(fix, "n512 o512 n512 o64");
}

static void a_torn_write_counts_sectors_of_the_file(void **state)
{
    fixture *fix = *state;
    size_t done;
    planned p = disk_plan(fix->disk, "rule r on write do torn mask=0x2");
    assert_int_equal(fix->vfs->pwrite(fix->file, new, 600, 500, &done), 0);
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "o512 n512 o576");
}

static void a_lost_write_claims_all_and_does_nothing(void **state)
{
    fixture *fix = *state;
    size_t done;
    planned p = disk_plan(fix->disk, "rule r on write do lose");
    assert_int_equal(fix->vfs->pwrite(fix->file, new, 512, 0, &done), 0);
    assert_int_equal(done, 512);
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "o1600");
}

static void a_lost_rename_leaves_the_names(void **state)
{
    fixture *fix = *state;
    planned p = disk_plan(fix->disk, "rule r on rename do lose\nrule u on unlink do lose\n"
                                     "rule m on mkdir do lose\nrule t on truncate do lose");
    assert_int_equal(fix->vfs->rename(fix->vfs, "/f", "/g", false), 0);
    assert_int_equal(fix->vfs->unlink(fix->vfs, "/f"), 0);
    assert_int_equal(fix->vfs->mkdir(fix->vfs, "/d", 0700), 0);
    assert_int_equal(fix->vfs->truncate(fix->file, 0), 0);
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "o1600");
    assert_false(disk_exists(fix->disk, "/g"));
    assert_false(disk_exists(fix->disk, "/d"));
    assert_int_equal(fault_disk_pending(fix->disk), 0);
}

static void a_misdirected_write_lands_elsewhere(void **state)
{
    fixture *fix = *state;
    size_t done;
    planned p = disk_plan(
        fix->disk, "rule r on write nth=1 do misdirect by=+512\nrule s on write do misdirect by=-24");
    assert_int_equal(fix->vfs->pwrite(fix->file, new, 512, 0, &done), 0);
    assert_string_equal(shape(fix->disk), "o512 n512 o576");
    assert_int_equal(fix->vfs->pwrite(fix->file, new, 24, 1536, &done), 0);
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "o512 n512 o488 n24 o64");
}

static void a_flip_on_reading_is_gone_at_the_next(void **state)
{
    fixture *fix = *state;
    char byte;
    size_t done;
    planned p = disk_plan(fix->disk, "rule r on read do flip bit=0 layer=read");
    assert_int_equal(fix->vfs->pread(fix->file, &byte, 1, 7, &done), 0);
    assert_int_equal(byte, 'o' ^ 1);
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "o1600");
}

static void a_flip_on_the_medium_stays_until_it_is_healed(void **state)
{
    fixture *fix = *state;
    char bytes[4];
    size_t done;
    planned p = disk_plan(fix->disk, "rule r on read do flip bit=41 layer=medium");
    assert_int_equal(fix->vfs->pread(fix->file, bytes, 4, 100, &done), 0);
    disk_unplan(&p);
    assert_memory_equal(bytes, "omoo", 4); /* bit 41 of 32: bit 1 of the second byte */
    assert_string_equal(shape(fix->disk), "o101 m1 o1498");
    assert_lost(fix, "o101 m1 o1498");
    fault_disk_heal(fix->disk);
    assert_string_equal(shape(fix->disk), "o1600");
}

static void a_stale_read_gives_what_was_durable_before(void **state)
{
    fixture *fix = *state;
    char byte;
    size_t done;
    disk_write(fix->file, 0, new);
    disk_sync(fix->file);
    planned p = disk_plan(fix->disk, "rule r on read do stale");
    assert_int_equal(fix->vfs->pread(fix->file, &byte, 1, 0, &done), 0);
    assert_int_equal(byte, 'o');
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "n1600");
}

/* ---- time and power ---- */

static void a_delay_moves_the_disk_s_clock_and_no_other(void **state)
{
    fixture *fix = *state;
    planned p = disk_plan(fix->disk, "rule r on sync do delay ns=3600000000000");
    uint64_t before = fix->vfs->now(fix->vfs);
    disk_sync(fix->file);
    disk_unplan(&p);
    assert_int_equal(fix->vfs->now(fix->vfs) - before, 3600000000000u + 1000u);
    fix->vfs->sleep(fix->vfs, 5000);
    assert_int_equal(fix->vfs->now(fix->vfs) - before, 3600000000000u + 7000u);
}

static void after_a_crash_every_operation_fails(void **state)
{
    fixture *fix = *state;
    size_t done;
    char byte;
    ref_file *file;
    ref_stat stat;
    disk_write(fix->file, 0, new);
    planned p = disk_plan(fix->disk, "rule r on sync do crash");
    assert_int_equal(fix->vfs->fsync(fix->file), EIO);
    disk_unplan(&p);
    assert_int_equal(fix->vfs->fsync(fix->file), EIO);
    assert_int_equal(fix->vfs->pread(fix->file, &byte, 1, 0, &done), EIO);
    assert_int_equal(fix->vfs->pwrite(fix->file, "x", 1, 0, &done), EIO);
    assert_int_equal(fix->vfs->open(fix->vfs, "/f", 0, 0, &file), EIO);
    assert_int_equal(fix->vfs->stat(fix->vfs, "/f", &stat), EIO);
    assert_int_equal(fix->vfs->mkdir(fix->vfs, "/d", 0700), EIO);
    assert_int_equal(fix->vfs->close(fix->file), EIO);
    assert_lost(fix, "o1600");
    fault_disk *kept = disk_crashed(fix->disk, true);
    assert_string_equal(shape(kept), "n1600");
    assert_false(disk_exists(kept, "/d"));
    fault_disk_free(kept);
}

/* ---- syncs ---- */

static void a_lying_sync_makes_nothing_durable(void **state)
{
    fixture *fix = *state;
    planned p = disk_plan(fix->disk, "rule r on sync do lie\nrule s on syncdir do lie");
    disk_write(fix->file, 0, new);
    disk_file(fix->disk, "/g", "");
    disk_sync(fix->file);
    disk_sync_dir(fix->disk, "/");
    disk_unplan(&p);
    assert_string_equal(shape(fix->disk), "n1600");
    assert_lost(fix, "o1600");
    fault_disk *lost = disk_crashed(fix->disk, false);
    assert_false(disk_exists(lost, "/g"));
    fault_disk_free(lost);
    disk_sync(fix->file);
    assert_lost(fix, "n1600");
}

static void fail_the_sync(fixture *fix, const char *plan, int expected)
{
    char sector[513] = {0};
    memset(sector, 'n', 512);
    planned p = disk_plan(fix->disk, plan);
    disk_write(fix->file, 512, sector);
    assert_int_equal(fix->vfs->fsync(fix->file), expected);
    disk_unplan(&p);
}

static void a_failed_sync_that_cleans_loses_what_readers_still_see(void **state)
{
    fixture *fix = *state;
    fail_the_sync(fix, "rule r on sync do failsync profile=clean err=EIO", EIO);
    assert_string_equal(shape(fix->disk), "o512 n512 o576");
    assert_lost(fix, "o1600");
    disk_sync(fix->file);
    assert_lost(fix, "o1600");
    fault_disk *kept = disk_crashed(fix->disk, true);
    assert_string_equal(shape(kept), "o1600");
    fault_disk_free(kept);
    /* written again, be it in part, the page is dirty */
    disk_write(fix->file, 0, "o");
    disk_sync(fix->file);
    assert_lost(fix, "o512 n512 o576");
}

static void a_failed_sync_that_is_late_fails_the_next_one(void **state)
{
    fixture *fix = *state;
    fail_the_sync(fix, "rule r on sync do failsync profile=late err=ENOSPC", 0);
    assert_string_equal(shape(fix->disk), "o512 n512 o576");
    assert_lost(fix, "o1600");
    assert_int_equal(fix->vfs->fsync(fix->file), ENOSPC);
    assert_lost(fix, "o1600");
    disk_sync(fix->file);
    assert_lost(fix, "o1600");
}

static void a_failed_sync_that_reverts_shows_readers_the_old(void **state)
{
    fixture *fix = *state;
    fail_the_sync(fix, "rule r on sync do failsync profile=revert err=EIO", EIO);
    assert_string_equal(shape(fix->disk), "o1600");
    assert_int_equal(fault_disk_pending(fix->disk), 0);
    disk_sync(fix->file);
    assert_lost(fix, "o1600");
}

static void a_failed_sync_that_keeps_can_be_tried_again(void **state)
{
    fixture *fix = *state;
    fail_the_sync(fix, "rule r on sync do failsync profile=keep err=EIO", EIO);
    assert_string_equal(shape(fix->disk), "o512 n512 o576");
    assert_lost(fix, "o1600");
    disk_sync(fix->file);
    assert_lost(fix, "o512 n512 o576");
}

/* ---- media ---- */

static void damage(fixture *fix, fault_medium_kind kind, uint64_t offset, uint64_t size)
{
    fault_medium fault = {.kind = kind, .offset = offset, .size = size, .bit = 1};
    assert_int_equal(fault_disk_damage(fix->disk, "/f", &fault), 0);
}

static void damaged_content_is_back_when_it_is_healed(void **state)
{
    fixture *fix = *state;
    damage(fix, FAULT_MEDIUM_FLIP, 3, 1);
    damage(fix, FAULT_MEDIUM_ZERO, 10, 500);
    assert_string_equal(shape(fix->disk), "o3 m1 o6 0500 o1090");
    fault_disk_heal(fix->disk);
    assert_string_equal(shape(fix->disk), "o1600");
}

static void an_unreadable_sector_can_be_written_again(void **state)
{
    fixture *fix = *state;
    char bytes[600];
    size_t done;
    damage(fix, FAULT_MEDIUM_UNREADABLE, 512, 512);
    assert_int_equal(fix->vfs->pread(fix->file, bytes, 600, 0, &done), EIO);
    assert_int_equal(done, 0);
    assert_int_equal(fix->vfs->pread(fix->file, bytes, 512, 0, &done), 0);
    disk_write(fix->file, 700, "x");
    assert_int_equal(fix->vfs->pread(fix->file, bytes, 1, 700, &done), 0);
    assert_int_equal(fix->vfs->pread(fix->file, bytes, 1, 699, &done), EIO);
    assert_int_equal(fix->vfs->pread(fix->file, bytes, 1, 701, &done), EIO);
    disk_write(fix->file, 512, new);
    assert_string_equal(shape(fix->disk), "o512 n1600");
}

static void damage_needs_a_file_and_a_range(void **state)
{
    fixture *fix = *state;
    fault_medium fault = {.kind = FAULT_MEDIUM_ZERO, .size = 1};
    assert_int_equal(fault_disk_damage(fix->disk, "/none", &fault), ENOENT);
    assert_int_equal(fault_disk_damage(fix->disk, "/", &fault), EINVAL);
    fault.size = 0;
    assert_int_equal(fault_disk_damage(fix->disk, "/f", &fault), EINVAL);
    fault = (fault_medium){.kind = FAULT_MEDIUM_FLIP, .size = 1, .bit = 8};
    assert_int_equal(fault_disk_damage(fix->disk, "/f", &fault), EINVAL);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
    ON_DISK(an_error_is_given_and_nothing_done),
    ON_DISK(a_signal_interrupts_once_and_the_next_write_works),
    ON_DISK(a_failed_close_has_closed_the_file),
    cmocka_unit_test(a_full_disk_takes_what_fits_and_then_nothing),
    ON_DISK(a_plan_can_make_the_disk_full_until_something_is_removed),
    ON_DISK(a_short_write_says_how_much_it_wrote),
    ON_DISK(a_short_read_says_how_much_it_read),
    ON_DISK(a_torn_write_reaches_the_sectors_of_the_mask_and_claims_all),
    ON_DISK(a_torn_write_counts_sectors_of_the_file),
    ON_DISK(a_lost_write_claims_all_and_does_nothing),
    ON_DISK(a_lost_rename_leaves_the_names),
    ON_DISK(a_misdirected_write_lands_elsewhere),
    ON_DISK(a_flip_on_reading_is_gone_at_the_next),
    ON_DISK(a_flip_on_the_medium_stays_until_it_is_healed),
    ON_DISK(a_stale_read_gives_what_was_durable_before),
    ON_DISK(a_delay_moves_the_disk_s_clock_and_no_other),
    ON_DISK(after_a_crash_every_operation_fails),
    ON_DISK(a_lying_sync_makes_nothing_durable),
    ON_DISK(a_failed_sync_that_cleans_loses_what_readers_still_see),
    ON_DISK(a_failed_sync_that_is_late_fails_the_next_one),
    ON_DISK(a_failed_sync_that_reverts_shows_readers_the_old),
    ON_DISK(a_failed_sync_that_keeps_can_be_tried_again),
    ON_DISK(damaged_content_is_back_when_it_is_healed),
    ON_DISK(an_unreadable_sector_can_be_written_again),
    ON_DISK(damage_needs_a_file_and_a_range),
};
TEST_MAIN(tests)
