/* What a power cut leaves, in the words of the crash model; and what there is to ask about it. */
#include "disk_support.h"

#include <errno.h>
#include <stdio.h>

/* ---- what is settled by what ---- */

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

static void ext4_ordered_settles_names_with_any_sync_but_not_other_content(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_EXT4_ORDERED), *lost;
    disk_file(disk, "/old", "aaa");
    fault_disk_settle(disk);
    ref_file *old = disk_create(disk, "/old"), *file = disk_create(disk, "/f");
    disk_write(old, 0, "bbb");
    disk_file(disk, "/g", "grown");
    disk_sync(file);
    lost = disk_crashed(disk, false);
    disk_is(lost, "/f", "");
    disk_is(lost, "/g", "grown");
    disk_is(lost, "/old", "aaa");
    fault_disk_free(lost);
    fault_disk_free(disk);
}

static void sequential_settles_everything_with_any_sync(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_SEQUENTIAL), *lost;
    disk_file(disk, "/old", "aaa");
    fault_disk_settle(disk);
    ref_file *old = disk_create(disk, "/old"), *file = disk_create(disk, "/f");
    disk_write(old, 0, "bbb");
    disk_sync(file);
    assert_int_equal(fault_disk_pending(disk), 0);
    lost = disk_crashed(disk, false);
    disk_is(lost, "/old", "bbb");
    fault_disk_free(lost);
    fault_disk_free(disk);
}

/* ---- what is asked ---- */

typedef struct notes {
    char words[20][200];
    fault_question asked[20];
    size_t count;
} notes;

static uint32_t note(void *context, const fault_question *question)
{
    notes *n = context;
    assert_true(n->count < 20);
    snprintf(n->words[n->count], sizeof n->words[0], "%s", question->words);
    n->asked[n->count++] = *question;
    return question->answers - 1;
}

static fault_disk *noted(fault_disk *disk, notes *n)
{
    fault_disk *crashed;
    n->count = 0;
    assert_int_equal(fault_disk_crash(disk, note, n, &crashed), 0);
    return crashed;
}

static char sectors[3 * 512 + 1];

static fault_disk *three_sectors(ref_file **file)
{
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK);
    memset(sectors, 'a', sizeof sectors - 1);
    *file = disk_create(disk, "/f");
    disk_write(*file, 0, sectors);
    fault_disk_settle(disk);
    return disk;
}

static void nothing_is_asked_until_it_is_looked_at(void **state)
{
    (void)state;
    notes n;
    ref_file *file;
    fault_disk *disk = three_sectors(&file);
    disk_write(file, 0, "b");
    disk_write(file, 1024, "b");
    disk_file(disk, "/g", "");
    assert_int_equal(fault_disk_pending(disk), 3);
    fault_disk *crashed = noted(disk, &n);
    assert_int_equal(fault_disk_undecided(crashed), 3);
    char byte;
    size_t done;
    ref_file *again = disk_open(crashed, "/f", 0);
    assert_int_equal(ref_read_full(again, &byte, 1, 600, &done), 0);
    assert_int_equal(n.count, 0);
    assert_int_equal(ref_read_full(again, &byte, 1, 1024, &done), 0);
    assert_int_equal(byte, 'b');
    assert_int_equal(n.count, 1);
    assert_string_equal(n.words[0], "content at 1024 of /f");
    assert_int_equal(n.asked[0].kind, FAULT_ASK_CONTENT);
    assert_int_equal(n.asked[0].offset, 1024);
    assert_int_equal(ref_read_full(again, &byte, 1, 1024, &done), 0);
    assert_int_equal(n.count, 1);
    assert_false(disk_exists(crashed, "/h"));
    assert_int_equal(n.count, 1);
    assert_true(disk_exists(crashed, "/g"));
    assert_string_equal(n.words[1], "create g in /");
    assert_int_equal(fault_disk_undecided(crashed), 1);
    fault_disk_free(crashed);
    fault_disk_free(disk);
}

static void what_makes_no_difference_is_not_asked(void **state)
{
    (void)state;
    notes n;
    ref_file *file;
    fault_disk *disk = three_sectors(&file);
    disk_write(file, 0, sectors);
    disk_file(disk, "/g", "");
    ref_vfs *vfs = fault_disk_vfs(disk);
    assert_int_equal(vfs->unlink(vfs, "/g"), 0);
    fault_disk *crashed = noted(disk, &n);
    disk_is(crashed, "/f", sectors);
    assert_int_equal(n.count, 0);
    fault_disk_free(crashed);
    fault_disk_free(disk);
}

static void a_write_over_a_whole_sector_decides_nothing(void **state)
{
    (void)state;
    notes n;
    ref_file *file;
    fault_disk *disk = three_sectors(&file);
    disk_write(file, 0, "b");
    fault_disk *crashed = noted(disk, &n);
    ref_file *again = disk_open(crashed, "/f", REF_O_WRITE);
    disk_write(again, 0, sectors);
    disk_is(crashed, "/f", sectors);
    assert_int_equal(n.count, 0);
    /* lost again, it has to be decided after all */
    fault_disk *twice = disk_crashed(crashed, false);
    disk_is(twice, "/f", sectors);
    fault_disk_free(twice);
    twice = noted(crashed, &n);
    disk_is(twice, "/f", sectors);
    assert_int_equal(n.count, 1);
    fault_disk_free(twice);
    /* and synced, it never will */
    disk_sync(again);
    assert_int_equal(fault_disk_undecided(crashed), 0);
    disk_close(again);
    fault_disk_free(crashed);
    fault_disk_free(disk);
}

static void a_listing_decides_the_names_of_its_directory_and_no_others(void **state)
{
    (void)state;
    notes n;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK);
    disk_mkdir(disk, "/d");
    fault_disk_settle(disk);
    disk_file(disk, "/d/f", "");
    disk_file(disk, "/g", "");
    fault_disk *crashed = noted(disk, &n);
    ref_vfs *vfs = fault_disk_vfs(crashed);
    assert_int_equal(vfs->rmdir(vfs, "/d"), ENOTEMPTY);
    assert_int_equal(n.count, 1);
    assert_string_equal(n.words[0], "create f in /d");
    fault_disk_free(crashed);
    fault_disk_free(disk);
}

static void a_rename_is_decided_once_for_both_names(void **state)
{
    (void)state;
    notes n;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK);
    disk_file(disk, "/old", "old");
    disk_file(disk, "/new", "new");
    fault_disk_settle(disk);
    ref_vfs *vfs = fault_disk_vfs(disk);
    assert_int_equal(vfs->rename(vfs, "/new", "/old", false), 0);
    fault_disk *crashed = noted(disk, &n), *lost = disk_crashed(disk, false);
    disk_is(crashed, "/old", "new");
    assert_false(disk_exists(crashed, "/new"));
    assert_int_equal(n.count, 1);
    assert_string_equal(n.words[0], "rename new to old in /");
    disk_is(lost, "/old", "old");
    disk_is(lost, "/new", "new");
    fault_disk_free(crashed);
    fault_disk_free(lost);
    fault_disk_free(disk);
}

static void an_ordered_disk_asks_once_how_much_is_kept(void **state)
{
    (void)state;
    notes n;
    fault_disk *disk = disk_new(FAULT_SEQUENTIAL);
    memset(sectors, 'a', sizeof sectors - 1);
    disk_file(disk, "/f", sectors);
    fault_disk *crashed = noted(disk, &n);
    disk_is(crashed, "/f", sectors);
    assert_int_equal(n.count, 1);
    assert_int_equal(n.asked[0].kind, FAULT_ASK_PREFIX);
    assert_int_equal(n.asked[0].answers, 5); /* nothing, the name, and three sectors */
    fault_disk_free(crashed);
    fault_disk_free(disk);
}

static uint32_t pick(void *context, const fault_question *question)
{
    (void)question;
    return *(uint32_t *)context;
}

static void a_sequential_disk_may_cut_its_last_write_short(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_SEQUENTIAL), *crashed;
    uint32_t answer = 3;
    char two[1025] = "";
    memset(sectors, 'a', sizeof sectors - 1);
    memset(two, 'a', 1024);
    disk_file(disk, "/f", sectors);
    assert_int_equal(fault_disk_crash(disk, pick, &answer, &crashed), 0);
    disk_is(crashed, "/f", two);
    fault_disk_free(crashed);
    fault_disk_free(disk);
}

/* ---- clones ---- */

static void a_clone_is_independent_and_shares_until_it_is_written(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK), *copy;
    disk_file(disk, "/f", "one");
    assert_int_equal(fault_disk_clone(disk, &copy), 0);
    assert_int_equal(fault_disk_hash(copy), fault_disk_hash(disk));
    assert_int_equal(fault_disk_pending(copy), fault_disk_pending(disk));
    disk_file(copy, "/f", "two");
    assert_int_not_equal(fault_disk_hash(copy), fault_disk_hash(disk));
    disk_is(disk, "/f", "one");
    disk_is(copy, "/f", "two");
    disk_file(copy, "/f", "one");
    assert_int_equal(fault_disk_hash(copy), fault_disk_hash(disk));
    fault_disk_free(disk);
    disk_is(copy, "/f", "one");
    fault_disk_free(copy);
}

static void what_nothing_can_reach_gives_its_blocks_back(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK);
    ref_vfs *vfs = fault_disk_vfs(disk);
    assert_int_equal(fault_disk_bytes(disk), 0);
    disk_file(disk, "/f", "one");
    assert_true(fault_disk_bytes(disk) >= 4096);
    fault_disk_settle(disk);
    assert_int_equal(vfs->unlink(vfs, "/f"), 0);
    assert_true(fault_disk_bytes(disk) >= 4096); /* it may come back */
    disk_sync_dir(disk, "/");
    assert_int_equal(fault_disk_bytes(disk), 0);
    fault_disk_free(disk);
}

static size_t barriers;

static void count_barrier(void *context, fault_disk *disk)
{
    assert_int_equal(fault_disk_pending(disk), *(uint64_t *)context);
    barriers++;
}

static void a_barrier_sees_what_is_still_pending(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK);
    uint64_t pending = 3;
    fault_disk_on_barrier(disk, count_barrier, &pending);
    ref_file *file = disk_create(disk, "/f");
    disk_write(file, 0, "new");
    disk_sync(file);
    pending = 1;
    disk_sync_dir(disk, "/");
    assert_int_equal(fault_disk_pending(disk), 0);
    assert_int_equal(barriers, 2);
    fault_disk_free(disk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_not_synced_may_be_lost_or_kept),
    cmocka_unit_test(a_sync_of_the_file_does_not_settle_its_name),
    cmocka_unit_test(a_sync_of_the_directory_does_not_settle_what_it_names),
    cmocka_unit_test(ext4_ordered_settles_names_with_any_sync_but_not_other_content),
    cmocka_unit_test(sequential_settles_everything_with_any_sync),
    cmocka_unit_test(nothing_is_asked_until_it_is_looked_at),
    cmocka_unit_test(what_makes_no_difference_is_not_asked),
    cmocka_unit_test(a_write_over_a_whole_sector_decides_nothing),
    cmocka_unit_test(a_listing_decides_the_names_of_its_directory_and_no_others),
    cmocka_unit_test(a_rename_is_decided_once_for_both_names),
    cmocka_unit_test(an_ordered_disk_asks_once_how_much_is_kept),
    cmocka_unit_test(a_sequential_disk_may_cut_its_last_write_short),
    cmocka_unit_test(a_clone_is_independent_and_shares_until_it_is_written),
    cmocka_unit_test(what_nothing_can_reach_gives_its_blocks_back),
    cmocka_unit_test(a_barrier_sees_what_is_still_pending),
};
TEST_MAIN(tests)
