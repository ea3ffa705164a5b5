/* The disk in memory keeps the contract of the vfs, locks and asynchronous writes included. */
#include "disk_support.h"

#include <errno.h>

#include "../ref/vfs_contract.h"

static fault_disk *disk;

ref_vfs *contract_vfs(void)
{
    return fault_disk_vfs(disk);
}

static int setup(void **state)
{
    (void)state;
    disk = disk_new(FAULT_POSIX_WEAK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fault_disk_free(disk);
    return 0;
}

/* ---- asynchronous writes ---- */

enum { WRITES = 16 };

/* The tags in the order in which they complete. */
static void complete_all(uint64_t seed, uint64_t *order)
{
    static const char bytes[WRITES + 1] = "abcdefghijklmnop";
    fault_disk_options options = {.seed = seed};
    fault_disk *other = disk_with(&options);
    ref_vfs *vfs = fault_disk_vfs(other);
    ref_file *file = disk_create(other, "/f");
    uint64_t tag, seen = 0;
    int result;
    size_t done;
    for (uint64_t i = 0; i < WRITES; i++) {
        assert_int_equal(vfs->submit(file, bytes + i, 1, i, i), 0);
    }
    for (size_t i = 0; i < WRITES; i++) {
        assert_int_equal(vfs->reap(vfs, &order[i], &result, &done), 0);
        assert_int_equal(result, 0);
        assert_int_equal(done, 1);
        seen |= (uint64_t)1 << order[i];
    }
    assert_int_equal(seen, ((uint64_t)1 << WRITES) - 1);
    assert_int_equal(vfs->reap(vfs, &tag, &result, &done), EAGAIN);
    disk_close(file);
    disk_is(other, "/f", bytes);
    fault_disk_free(other);
}

static void submitted_writes_complete_in_an_order_of_the_seed(void **state)
{
    (void)state;
    uint64_t one[WRITES], again[WRITES], two[WRITES];
    complete_all(1, one);
    complete_all(1, again);
    complete_all(2, two);
    assert_memory_equal(one, again, sizeof one);
    assert_memory_not_equal(one, two, sizeof one);
}

static void a_sync_does_not_cover_what_has_not_completed(void **state)
{
    (void)state;
    ref_vfs *vfs = fault_disk_vfs(disk);
    ref_file *file = disk_create(disk, "/f");
    uint64_t tag;
    int result;
    size_t done;
    disk_sync_dir(disk, "/");
    assert_int_equal(vfs->submit(file, "x", 1, 0, 7), 0);
    disk_is(disk, "/f", "");
    disk_sync(file);
    assert_int_equal(vfs->reap(vfs, &tag, &result, &done), 0);
    assert_int_equal(tag, 7);
    disk_is(disk, "/f", "x");
    fault_disk *lost = disk_crashed(disk, false);
    disk_is(lost, "/f", "");
    fault_disk_free(lost);
    disk_close(file);
}

static void the_plan_counts_writes_as_they_are_submitted(void **state)
{
    (void)state;
    ref_vfs *vfs = fault_disk_vfs(disk);
    ref_file *file = disk_create(disk, "/f");
    planned p = disk_plan(disk, "rule r on write nth=2 do err=ENOSPC");
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(vfs->submit(file, "x", 1, i, i), 0);
    }
    for (int i = 0; i < 3; i++) {
        uint64_t tag;
        int result;
        size_t done;
        assert_int_equal(vfs->reap(vfs, &tag, &result, &done), 0);
        assert_int_equal(result, tag == 2 ? ENOSPC : 0);
        assert_int_equal(done, tag == 2 ? 0 : 1);
    }
    disk_unplan(&p);
    disk_close(file);
}

/* ---- what is the disk's own ---- */

static void time_passes_only_by_operations_and_sleep(void **state)
{
    (void)state;
    ref_vfs *vfs = fault_disk_vfs(disk);
    uint64_t before = vfs->now(vfs);
    assert_int_equal(vfs->now(vfs), before);
    vfs->sleep(vfs, 3600000000000u);
    assert_int_equal(vfs->now(vfs) - before, 3600000000000u + 1000u);
}

static void files_left_open_are_closed_with_the_disk(void **state)
{
    (void)state;
    fault_disk *other = disk_new(FAULT_POSIX_WEAK);
    ref_file *file = disk_create(other, "/f");
    ref_vfs *vfs = fault_disk_vfs(other);
    assert_int_equal(vfs->unlink(vfs, "/f"), 0);
    assert_int_equal(vfs->lock(file, 0, 1, REF_LOCK_EXCLUSIVE), 0);
    assert_int_equal(vfs->submit(file, "x", 1, 0, 1), 0);
    fault_disk_free(other);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, setup, teardown),

static const struct CMUnitTest tests[] = {
    VFS_CONTRACT(ON_DISK)
    ON_DISK(submitted_writes_complete_in_an_order_of_the_seed)
    ON_DISK(a_sync_does_not_cover_what_has_not_completed)
    ON_DISK(the_plan_counts_writes_as_they_are_submitted)
    ON_DISK(time_passes_only_by_operations_and_sleep)
    ON_DISK(files_left_open_are_closed_with_the_disk)
};
TEST_MAIN(tests)
