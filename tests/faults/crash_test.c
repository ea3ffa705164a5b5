/* The walk through crash states: how many there are, that none is left out, and that a violation is
 * found again where its place says. */
#include "testmain.h"

#include <stdlib.h>
#include <string.h>

#include "crash/crash.h"
#include "engine/vfs.h"

enum { SECTOR = 512 };

/* ---- a disk with a file of some sectors, some of them pending ---- */

static fault_disk *disk_with_file(unsigned sectors)
{
    uint8_t zeros[SECTOR * 16] = {0};
    fault_disk_options options = {.profile = FAULT_POSIX_WEAK};
    fault_disk *disk;
    ref_file *file;
    assert_int_equal(fault_disk_new(&options, &disk), 0);
    ref_vfs *vfs = fault_disk_vfs(disk);
    assert_int_equal(vfs->open(vfs, "/f", REF_O_WRITE | REF_O_CREATE, 0600, &file), 0);
    assert_int_equal(ref_write_full(file, zeros, (size_t)sectors * SECTOR, 0), 0);
    assert_int_equal(vfs->close(file), 0);
    fault_disk_settle(disk);
    return disk;
}

/* Fills the sector with the byte; nothing is synced. */
static void write_sector(fault_disk *disk, unsigned sector, uint8_t byte, bool sync)
{
    uint8_t bytes[SECTOR];
    ref_vfs *vfs = fault_disk_vfs(disk);
    ref_file *file;
    memset(bytes, byte, sizeof bytes);
    assert_int_equal(vfs->open(vfs, "/f", REF_O_WRITE, 0, &file), 0);
    assert_int_equal(ref_write_full(file, bytes, sizeof bytes, (uint64_t)sector * SECTOR), 0);
    if (sync) {
        assert_int_equal(vfs->fsync(file), 0);
    }
    assert_int_equal(vfs->close(file), 0);
}

/* Bit i: sector i has been written. Looks at `sectors` of them. */
static unsigned read_sectors(fault_disk *disk, unsigned sectors)
{
    ref_vfs *vfs = fault_disk_vfs(disk);
    ref_file *file;
    unsigned seen = 0;
    if (vfs->open(vfs, "/f", 0, 0, &file) != 0) {
        return 0;
    }
    for (unsigned i = 0; i < sectors; i++) {
        uint8_t byte = 0;
        size_t done;
        if (vfs->pread(file, &byte, 1, (uint64_t)i * SECTOR, &done) == 0 && byte != 0) {
            seen |= 1u << i;
        }
    }
    vfs->close(file);
    return seen;
}

typedef struct witness {
    unsigned sectors;   /* that it looks at */
    unsigned seen[64];  /* how often each state */
    unsigned forbidden; /* a state that is a violation; 0: none */
    bool fickle;        /* looks at other things each time */
    unsigned calls;
} witness;

static int verify(void *context, const void *run, fault_disk *disk, unsigned depth, char *why)
{
    witness *at = context;
    (void)run;
    (void)depth;
    at->calls++;
    unsigned state = read_sectors(disk, at->fickle ? 1 + at->calls % 2 : at->sectors);
    at->seen[state]++;
    snprintf(why, FAULT_WHY, "state %u", state);
    return at->forbidden != 0 && state == at->forbidden;
}

static fault_crash_report explore(fault_disk *disk, fault_crash_options options, witness *at)
{
    fault_crash *crash;
    options.verify = verify;
    options.context = at;
    assert_int_equal(fault_crash_new(&options, &crash), 0);
    fault_crash_watch(crash, disk);
    assert_int_equal(fault_crash_finish(crash, disk), 0);
    fault_crash_report report = *fault_crash_result(crash);
    fault_crash_free(crash);
    return report;
}

static fault_crash_report explore_sectors(
    unsigned written, fault_crash_options options, witness *at)
{
    fault_disk *disk = disk_with_file(6);
    for (unsigned i = 0; i < written; i++) {
        write_sector(disk, i, (uint8_t)(1 + i), false);
    }
    fault_crash_report report = explore(disk, options, at);
    fault_disk_free(disk);
    return report;
}

/* ---- how many ---- */

static void every_state_is_seen_once(void **state)
{
    (void)state;
    witness at = {.sectors = 4};
    fault_crash_report report = explore_sectors(4, (fault_crash_options){0}, &at);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(at.seen[i], 1);
    }
    assert_int_equal(report.points, 1);
    assert_int_equal(report.exhausted, 1);
    assert_int_equal(report.verified, 16);
    assert_true(report.states == 16.0);
    assert_int_equal(report.violations, 0);
}

static void what_is_not_looked_at_is_not_multiplied(void **state)
{
    (void)state;
    witness at = {.sectors = 2};
    fault_crash_report report = explore_sectors(6, (fault_crash_options){0}, &at);
    assert_int_equal(report.verified, 4);
    assert_true(report.states == 64.0);
    assert_int_equal(report.exhausted, 1);
}

static void a_disk_with_nothing_pending_has_one_state(void **state)
{
    (void)state;
    witness at = {.sectors = 6};
    fault_crash_report report = explore_sectors(0, (fault_crash_options){0}, &at);
    assert_int_equal(report.verified, 1);
    assert_true(report.states == 1.0);
}

static void each_sync_is_a_point_before_it_and_the_end_is_one(void **state)
{
    (void)state;
    witness at = {.sectors = 2};
    fault_crash *crash;
    fault_disk *disk = disk_with_file(6);
    fault_crash_options options = {.verify = verify, .context = &at};
    assert_int_equal(fault_crash_new(&options, &crash), 0);
    fault_crash_watch(crash, disk);
    write_sector(disk, 0, 1, true);
    write_sector(disk, 1, 2, true);
    assert_int_equal(fault_crash_finish(crash, disk), 0);
    assert_int_equal(fault_crash_result(crash)->points, 3);
    assert_int_equal(at.seen[0], 1); /* before the first sync */
    assert_int_equal(at.seen[1], 2);
    assert_int_equal(at.seen[3], 2);
    assert_int_equal(at.seen[2], 0); /* the second without the first is not legal */
    fault_crash_free(crash);
    fault_disk_free(disk);
}

static void beyond_the_budget_there_are_families_and_the_rest_is_counted(void **state)
{
    (void)state;
    witness at = {.sectors = 6};
    fault_crash_report report = explore_sectors(6, (fault_crash_options){.budget = 8}, &at);
    assert_int_equal(report.exhausted, 0);
    for (unsigned i = 0; i <= 6; i++) {
        assert_true(at.seen[(1u << i) - 1] > 0); /* what was done before each change, and all */
    }
    for (unsigned i = 0; i < 6; i++) {
        assert_true(at.seen[1u << i] > 0);          /* one kept */
        assert_true(at.seen[63u & ~(1u << i)] > 0); /* one lost */
    }
    assert_true(report.verified > 8);
    assert_true(report.left >= 0);
}

/* ---- violations ---- */

static void a_violation_is_found_again_at_its_place(void **state)
{
    (void)state;
    witness at = {.sectors = 4, .forbidden = 10};
    fault_crash_report report = explore_sectors(4, (fault_crash_options){0}, &at);
    assert_int_equal(report.violations, 1);
    assert_string_equal(report.first, "1:0101");
    assert_string_equal(report.why, "state 10");
    witness again = {.sectors = 4, .forbidden = 10};
    report = explore_sectors(4, (fault_crash_options){.replay = report.first}, &again);
    assert_int_equal(report.violations, 1);
    assert_int_equal(again.calls, 1);
}

static void a_verifier_that_is_not_deterministic_is_found_out(void **state)
{
    (void)state;
    witness at = {.sectors = 4, .fickle = true};
    fault_crash_report report = explore_sectors(4, (fault_crash_options){0}, &at);
    assert_true(report.violations > 0);
    assert_non_null(strstr(report.why, "not deterministic"));
}

static void a_place_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "x", "17", "1:01;2", "one:01"};
    fault_crash *crash;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fault_crash_options options = {.verify = verify, .replay = wrong[i]};
        assert_int_not_equal(fault_crash_new(&options, &crash), 0);
        assert_null(crash);
    }
}

/* ---- shards ---- */

static uint64_t points_of(uint32_t shard, uint32_t shards)
{
    witness at = {.sectors = 1};
    fault_crash *crash;
    fault_disk *disk = disk_with_file(2);
    fault_crash_options options = {
        .verify = verify, .context = &at, .shard = shard, .shards = shards};
    assert_int_equal(fault_crash_new(&options, &crash), 0);
    fault_crash_watch(crash, disk);
    for (uint8_t i = 0; i < 9; i++) {
        write_sector(disk, 0, (uint8_t)(i + 1), true);
    }
    assert_int_equal(fault_crash_finish(crash, disk), 0);
    uint64_t points = fault_crash_result(crash)->points;
    fault_crash_free(crash);
    fault_disk_free(disk);
    return points;
}

static void shards_share_the_points_out(void **state)
{
    (void)state;
    assert_int_equal(points_of(0, 0), 10);
    assert_int_equal(points_of(0, 3) + points_of(1, 3) + points_of(2, 3), 10);
    assert_true(points_of(1, 3) >= 3);
}

/* ---- crashes of the verification ---- */

/* A recovery of two steps: sector 1 is written from sector 0, and then sector 2 says that it was.
 * `careless`: without a sync between the two. */
typedef struct recovery {
    bool careless;
    unsigned deepest;
} recovery;

static int recover(void *context, const void *run, fault_disk *disk, unsigned depth, char *why)
{
    recovery *how = context;
    (void)run;
    how->deepest = depth > how->deepest ? depth : how->deepest;
    unsigned state = read_sectors(disk, 3);
    if ((state & 4) != 0) {
        snprintf(why, FAULT_WHY, "said to be done, and is not");
        return (state & 1) != 0 && (state & 2) == 0;
    }
    if ((state & 1) != 0) {
        write_sector(disk, 1, 1, !how->careless);
        write_sector(disk, 2, 1, true);
    }
    return 0;
}

static fault_crash_report interrupt(recovery *how, unsigned depth, const char *replay)
{
    fault_crash *crash;
    fault_disk *disk = disk_with_file(3);
    fault_crash_options options = {
        .verify = recover, .context = how, .depth = depth, .replay = replay};
    assert_int_equal(fault_crash_new(&options, &crash), 0);
    write_sector(disk, 0, 1, false);
    fault_crash_watch(crash, disk);
    assert_int_equal(fault_crash_finish(crash, disk), 0);
    fault_crash_report report = *fault_crash_result(crash);
    fault_crash_free(crash);
    fault_disk_free(disk);
    return report;
}

static void a_recovery_that_is_interrupted_is_verified_too(void **state)
{
    (void)state;
    recovery careful = {0};
    fault_crash_report report = interrupt(&careful, 2, NULL);
    assert_int_equal(careful.deepest, 2);
    assert_true(report.nested > 0);
    assert_int_equal(report.violations, 0);
}

static void only_an_interrupted_recovery_shows_what_is_wrong_with_it(void **state)
{
    (void)state;
    recovery careless = {.careless = true};
    assert_int_equal(interrupt(&careless, 1, NULL).violations, 0);
    fault_crash_report report = interrupt(&careless, 2, NULL);
    assert_true(report.violations > 0);
    assert_non_null(strchr(report.first, '/'));
    fault_crash_report again = interrupt(&careless, 2, report.first);
    assert_true(again.violations > 0);
    assert_string_equal(again.why, report.why);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_state_is_seen_once),
    cmocka_unit_test(what_is_not_looked_at_is_not_multiplied),
    cmocka_unit_test(a_disk_with_nothing_pending_has_one_state),
    cmocka_unit_test(each_sync_is_a_point_before_it_and_the_end_is_one),
    cmocka_unit_test(beyond_the_budget_there_are_families_and_the_rest_is_counted),
    cmocka_unit_test(a_violation_is_found_again_at_its_place),
    cmocka_unit_test(a_verifier_that_is_not_deterministic_is_found_out),
    cmocka_unit_test(a_place_that_is_none_is_refused),
    cmocka_unit_test(shards_share_the_points_out),
    cmocka_unit_test(a_recovery_that_is_interrupted_is_verified_too),
    cmocka_unit_test(only_an_interrupted_recovery_shows_what_is_wrong_with_it),
};

TEST_MAIN(tests)
