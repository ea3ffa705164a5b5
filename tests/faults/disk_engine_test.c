/* The reference engine lives on the disk in memory, and recovers from what a power cut leaves. */
#include "disk_support.h"

#include <stdio.h>
#include <time.h>

#include "chance.h"
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

static unsigned acknowledged; /* records whose put has succeeded */

static void put_some(ref_db *db, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char key[32], value[200];
        int length = snprintf(key, sizeof key, "key %04u", i);
        int size = snprintf(value, sizeof value, "%0100u", i);
        ok(ref_db_put(
            db, NULL, (ref_slice){key, (size_t)length}, (ref_slice){value, (size_t)size}, false));
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
    acknowledged = 0;
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

/* ---- the same run, the same trace ---- */

static const char gentle[] = "plan 1 seed=7\n"
                             "rule slow on write prob=0.3 do delay ns=100000\n"
                             "rule short on write prob=0.3 do short n=17\n"
                             "rule part on read prob=0.5 do short n=100\n";

/* The bytes of the trace of a whole life; malloc'd. */
static uint8_t *trace_of_life(uint64_t seed, bool payloads, size_t *size)
{
    fault_disk_options options = {.seed = seed};
    fault_trace *trace;
    assert_int_equal(fault_trace_new(gentle, seed, payloads, &trace), 0);
    fault_disk *disk = disk_with(&options);
    planned p = disk_plan(disk, gentle);
    fault_disk_watch(disk, p.run, trace);
    fault_disk_mark(disk, "begin");
    live(disk);
    disk_unplan(&p);
    assert_int_equal(count_records(disk, "/backup"), 70);
    fault_disk_free(disk);
    assert_int_equal(fault_trace_error(trace), 0);
    uint8_t *bytes = fault_trace_bytes(trace, size);
    assert_non_null(bytes);
    fault_trace_free(trace);
    return bytes;
}

static void a_hundred_runs_give_one_trace_to_the_byte(void **state)
{
    (void)state;
    size_t size, again;
    uint8_t *first = trace_of_life(1, true, &size);
    for (int run = 1; run < 100; run++) {
        uint8_t *bytes = trace_of_life(1, true, &again);
        assert_int_equal(again, size);
        assert_memory_equal(bytes, first, size);
        free(bytes);
    }
    uint8_t *other = trace_of_life(2, true, &again);
    assert_true(again != size || memcmp(other, first, size) != 0);
    free(other);
    free(first);
}

static void a_trace_tells_what_was_done_and_what_was_met(void **state)
{
    (void)state;
    size_t size;
    uint8_t *bytes = trace_of_life(1, true, &size);
    fault_traced *trace;
    char why[FAULT_TRACE_WHY];
    size_t count[FAULT_OP_CLASSES] = {0}, delayed = 0, shortened = 0;
    assert_int_equal(fault_traced_open(bytes, size, &trace, why), 0);
    for (uint64_t i = 0; i < fault_traced_count(trace); i++) {
        fault_record record;
        fault_traced_get(trace, i, &record);
        count[record.op.op]++;
        delayed += record.action == FAULT_DO_DELAY && record.rule == 1;
        shortened += record.action == FAULT_DO_SHORT && record.op.op == FAULT_OP_WRITE &&
                     record.done <= 17 && record.rule == 2;
        assert_true(record.op.op != FAULT_OP_WRITE || record.op.data != NULL);
        assert_true(
            record.op.path == NULL || record.op.path[0] == '/' || record.op.op == FAULT_OP_MARK);
    }
    assert_int_equal(count[FAULT_OP_MARK], 1);
    assert_true(count[FAULT_OP_CREATE] > 3 && count[FAULT_OP_SYNC] > 10);
    assert_true(count[FAULT_OP_SYNC_DIR] > 0 && count[FAULT_OP_RENAME] > 0);
    assert_true(delayed > 0 && shortened > 0);
    fault_traced_free(trace);
    free(bytes);
}

/* ---- power cuts at every barrier ---- */

enum { POINTS = 4000 };

/* Opening and closing hold a lock of the engine over their syncs: so what is left at a barrier is
 * kept, and looked at later. */
typedef struct cuts {
    fault_disk *at[POINTS];
    unsigned acknowledged[POINTS];
    size_t count;
} cuts;

static void cut_here(void *context, fault_disk *disk)
{
    cuts *c = context;
    assert_true(c->count < POINTS);
    c->acknowledged[c->count] = acknowledged;
    assert_int_equal(fault_disk_clone(disk, &c->at[c->count++]), 0);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* 0: all is lost; 1: nothing; else by chance. */
static uint32_t answer_by_chance(void *context, const fault_question *question)
{
    uint64_t *seed = context;
    if (*seed < 2) {
        return *seed == 0 ? 0 : question->answers - 1;
    }
    return (uint32_t)chance(seed, question->answers);
}

static size_t recover_at_each(const cuts *c, uint64_t states)
{
    size_t recovered = 0;
    for (size_t i = 0; i < c->count; i++) {
        for (uint64_t state = 0; state < states; state++) {
            fault_disk *crashed;
            uint64_t seed = state < 2 ? state : state * 1000 + i;
            assert_int_equal(fault_disk_crash(c->at[i], answer_by_chance, &seed, &crashed), 0);
            if (disk_exists(crashed, "/home")) {
                assert_true(count_records(crashed, "/home") >= c->acknowledged[i]);
                recovered++;
            }
            fault_disk_free(crashed);
        }
    }
    return recovered;
}

static void recover_under(fault_profile profile)
{
    static cuts c;
    c.count = 0;
    fault_disk *disk = disk_new(profile);
    fault_disk_on_barrier(disk, cut_here, &c);
    live(disk);
    double start = seconds();
    size_t recovered = recover_at_each(&c, 6);
    double took = seconds() - start;
    print_message("%s: %zu points, %zu states recovered, verified, closed: %.0f a second\n",
        fault_profile_name(profile), c.count, recovered, (double)recovered / took);
    assert_true(recovered > 300);
    for (size_t i = 0; i < c.count; i++) {
        fault_disk_free(c.at[i]);
    }
    fault_disk_free(disk);
}

static void what_was_acknowledged_survives_a_power_cut_at_any_barrier(void **state)
{
    (void)state;
    for (int profile = 0; profile < FAULT_PROFILES; profile++) {
        recover_under((fault_profile)profile);
    }
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
    cmocka_unit_test(a_hundred_runs_give_one_trace_to_the_byte),
    cmocka_unit_test(a_trace_tells_what_was_done_and_what_was_met),
    cmocka_unit_test(what_was_acknowledged_survives_a_power_cut_at_any_barrier),
    cmocka_unit_test(a_clone_and_a_crash_take_microseconds),
};
TEST_MAIN(tests)
