/* The reference engine lives on the disk in memory, and recovers from what a power cut leaves. */
#include "disk_support.h"

#include <stdio.h>
#include <time.h>

#include "engine/engine.h"
#include "engine/error.h"

static void ok(int error)
{
    if (error != 0) {
        print_error("%d (%s): %s\n", error, ref_strerror(error), ref_error_text());
        fail();
    }
}

static ref_env *open_env(fault_disk *disk, const char *home)
{
    ref_env_options options = {
        .home = home,
        .vfs = fault_disk_vfs(disk),
        .create = true,
        .segment_size = REF_SEGMENT_SIZE_MIN,
        .cache_size = 1u << 20,
    };
    ref_env *env;
    ok(ref_env_open(&options, &env));
    return env;
}

static ref_db *open_db(ref_env *env)
{
    ref_db_options options = {.create = true, .page_size = 512};
    ref_db *db;
    ok(ref_db_open(env, NULL, "a.db", &options, &db));
    return db;
}

static void put_some(ref_db *db, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char key[32], value[200];
        int length = snprintf(key, sizeof key, "key %04u", i);
        int size = snprintf(value, sizeof value, "%0100u", i);
        ok(ref_db_put(db, NULL, (ref_slice){key, (size_t)length},
            (ref_slice){value, (size_t)size}, false));
    }
}

static uint64_t count_records(fault_disk *disk, const char *home)
{
    ref_env *env = open_env(disk, home);
    ref_db *db = open_db(env);
    uint64_t records = 0;
    ok(ref_db_verify(db, &records));
    ok(ref_db_close(db));
    ok(ref_env_close(env));
    return records;
}

/* Opens, writes, writes a checkpoint, backs up, closes. */
static void live(fault_disk *disk)
{
    ref_backup_options backup = {.target = "/backup", .flags = REF_BACKUP_CREATE};
    disk_mkdir(disk, "/home");
    disk_sync_dir(disk, "/");
    ref_env *env = open_env(disk, "/home");
    ref_db *db = open_db(env);
    put_some(db, 0, 50);
    ok(ref_checkpoint(env, true));
    put_some(db, 50, 70);
    ok(ref_backup(env, &backup));
    put_some(db, 70, 80);
    ok(ref_db_close(db));
    ok(ref_env_close(env));
}

static void an_environment_lives_and_is_backed_up_on_the_disk(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK);
    live(disk);
    assert_int_equal(count_records(disk, "/home"), 80);
    assert_int_equal(count_records(disk, "/backup"), 70);
    fault_disk_free(disk);
}

/* ---- power cuts at every barrier ---- */

enum { POINTS = 4000 };

/* Opening and closing hold a lock of the engine over their syncs: so what is left at a barrier is
 * kept, and looked at later. */
typedef struct cuts {
    fault_disk *at[POINTS];
    size_t count;
} cuts;

static void cut_here(void *context, fault_disk *disk)
{
    cuts *c = context;
    assert_true(c->count < POINTS);
    assert_int_equal(fault_disk_clone(disk, &c->at[c->count++]), 0);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void an_environment_recovers_when_all_or_nothing_is_lost(void **state)
{
    (void)state;
    static cuts c;
    size_t states = 0;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK);
    fault_disk_on_barrier(disk, cut_here, &c);
    live(disk);
    double start = seconds();
    for (size_t i = 0; i < c.count; i++) {
        for (int keep = 0; keep < 2; keep++) {
            fault_disk *crashed = disk_crashed(c.at[i], keep != 0);
            if (disk_exists(crashed, "/home")) {
                ok(ref_env_close(open_env(crashed, "/home")));
                states++;
            }
            fault_disk_free(crashed);
        }
        fault_disk_free(c.at[i]);
    }
    double took = seconds() - start;
    print_message("%zu points, %zu states recovered: %.0f a second\n", c.count, states,
        (double)states / took);
    assert_true(states > 100);
    fault_disk_free(disk);
}

static void a_clone_and_a_crash_take_microseconds(void **state)
{
    (void)state;
    enum { TIMES = 2000 };
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK), *other;
    live(disk);
    ref_env *env = open_env(disk, "/home");
    double start = seconds();
    for (int i = 0; i < TIMES; i++) {
        assert_int_equal(fault_disk_clone(disk, &other), 0);
        fault_disk_free(other);
    }
    double cloned = seconds();
    for (int i = 0; i < TIMES; i++) {
        other = disk_crashed(disk, true);
        fault_disk_free(other);
    }
    double crashed = seconds();
    for (int i = 0; i < TIMES; i++) {
        other = disk_crashed(disk, true);
        ref_env *again = open_env(other, "/home");
        ok(ref_env_close(again));
        fault_disk_free(other);
    }
    double opened = seconds();
    print_message("clone %.2f us, crash %.2f us, crash with recovery %.1f us\n",
        (cloned - start) / TIMES * 1e6, (crashed - cloned) / TIMES * 1e6,
        (opened - crashed) / TIMES * 1e6);
    ok(ref_env_close(env));
    fault_disk_free(disk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_environment_lives_and_is_backed_up_on_the_disk),
    cmocka_unit_test(an_environment_recovers_when_all_or_nothing_is_lost),
    cmocka_unit_test(a_clone_and_a_crash_take_microseconds),
};
TEST_MAIN(tests)
