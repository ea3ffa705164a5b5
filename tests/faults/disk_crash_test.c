/* What a power cut leaves, in the words of the crash model. */
#include "disk_support.h"

static void what_is_not_synced_may_be_lost_or_kept(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK), *lost, *kept;
    disk_file(disk, "/f", "new");
    disk_is(disk, "/f", "new");
    lost = disk_crashed(disk, false);
    kept = disk_crashed(disk, true);
    assert_false(disk_exists(lost, "/f"));
    disk_is(kept, "/f", "new");
    disk_is(disk, "/f", "new");
    fault_disk_free(lost);
    fault_disk_free(kept);
    fault_disk_free(disk);
}

static void a_sync_of_the_file_does_not_settle_its_name(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK), *lost;
    ref_file *file = disk_create(disk, "/f");
    disk_write(file, 0, "new");
    disk_sync(file);
    lost = disk_crashed(disk, false);
    assert_false(disk_exists(lost, "/f"));
    fault_disk_free(lost);
    disk_sync_dir(disk, "/");
    lost = disk_crashed(disk, false);
    disk_is(lost, "/f", "new");
    fault_disk_free(lost);
    disk_close(file);
    fault_disk_free(disk);
}

static void a_sync_of_the_directory_does_not_settle_what_it_names(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK), *lost;
    disk_file(disk, "/f", "new");
    disk_sync_dir(disk, "/");
    lost = disk_crashed(disk, false);
    disk_is(lost, "/f", "");
    fault_disk_free(lost);
    fault_disk_free(disk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_not_synced_may_be_lost_or_kept),
    cmocka_unit_test(a_sync_of_the_file_does_not_settle_its_name),
    cmocka_unit_test(a_sync_of_the_directory_does_not_settle_what_it_names),
};
TEST_MAIN(tests)
