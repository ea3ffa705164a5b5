/*
 * Power cuts on a disk that keeps only what it was told to keep: at each change that an environment
 * makes, several of the states in which the crash model of ref/engine/vfs.h may leave the disk. In
 * each of them every acknowledged transaction must be found.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crash_vfs.h"
#include "engine/error.h"
#include "life.h"

typedef struct state_kind {
    const char *name;
    crash_loss loss;
    uint64_t seed;
} state_kind;

/* That nothing is lost is tried by fault_sweep_test. */
static const state_kind kinds[] = {{"all lost", CRASH_ALL_LOST, 0},
    {"names lost", CRASH_NAMES_LOST, 0}, {"content lost", CRASH_CONTENT_LOST, 0},
    {"some lost", CRASH_SOME_LOST, 1}, {"some lost", CRASH_SOME_LOST, 2}};

/* Cuts the power at the nth change of `run`, and looks at the states that this may leave. False
 * when there were fewer changes. */
static bool cut_at(fixture *fix, uint64_t nth, life_model *after, life_model *perhaps,
    void (*run)(fixture *fix, life_model *after, life_model *perhaps))
{
    char home[FIXTURE_PATH], state[FIXTURE_PATH];
    crash_vfs disk;
    fault_rule cut = {.kinds = FAULT_CHANGES, .nth = nth, .error = EIO, .manner = FAULT_POWER_CUT};
    crash_vfs_init(&disk, fix->home);
    fix->vfs.next = &disk.vfs;
    fix->vfs.real_sync = true;
    fault_set(&fix->vfs, &cut);
    run(fix, after, perhaps);
    bool fired = fault_injected(&fix->vfs) > 0;
    fault_heal(&fix->vfs);
    fix->vfs.next = ref_vfs_posix();
    fix->vfs.real_sync = false;
    snprintf(home, sizeof home, "%s", fix->home);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && fired; i++) {
        snprintf(state, sizeof state, "%.900s/state", fix->dir);
        tree_remove(state);
        crash_vfs_make_state(&disk, kinds[i].loss, kinds[i].seed * 1000 + nth, state);
        if (getenv("CRASH_STATES_VERBOSE") != NULL) {
            print_message("change %llu: %s %llu\n", (unsigned long long)nth, kinds[i].name,
                (unsigned long long)kinds[i].seed);
        }
        snprintf(fix->home, sizeof fix->home, "%.1000s", state);
        life_check(fix, after, perhaps);
        snprintf(fix->home, sizeof fix->home, "%.1000s", home);
    }
    crash_vfs_destroy(&disk);
    return fired;
}

static void live_once(fixture *fix, life_model *after, life_model *perhaps)
{
    life_run(fix, 1, after, perhaps);
}

static void every_crash_state_of_a_life_has_every_acknowledged_commit(void **state)
{
    fixture *fix = *state;
    life_model after, perhaps;
    uint64_t nth = 1;
    fix->options.cache_size = 16u << 10;
    do {
        tree_remove(fix->home);
        dir_make(fix->home);
    } while (cut_at(fix, nth++, &after, &perhaps, live_once));
    assert_true(nth > 100);
}

/* Opens a crashed home and closes it again. */
static void recover(fixture *fix, life_model *after, life_model *perhaps)
{
    ref_env *env;
    (void)after;
    (void)perhaps;
    if (ref_env_open(&fix->options, &env) == 0) {
        ref_env_close(env);
    }
}

static void sweep_recovery(fixture *fix, bool copy)
{
    char crashed[FIXTURE_PATH];
    life_model after, perhaps;
    uint64_t nth = 1;
    life_begin(fix, 10, &after);
    snprintf(crashed, sizeof crashed, "%.900s/crashed", fix->dir);
    tree_copy(fix->home, crashed);
    env_close(fix);
    perhaps = after;
    do {
        tree_remove(fix->home);
        tree_copy(crashed, fix->home);
        if (copy) {
            assert_int_equal(unlink(at_home(fix, "__db.control")), 0);
        }
    } while (cut_at(fix, nth++, &after, &perhaps, recover));
    assert_true(nth > 10);
}

static void every_crash_state_of_a_recovery_can_be_recovered(void **state)
{
    sweep_recovery(*state, false);
}

static void every_crash_state_of_a_copys_recovery_can_be_recovered(void **state)
{
    sweep_recovery(*state, true);
}

/* A commit whose sync failed is in the operating system's memory, and no further. Whoever opens the
 * environment then sees it, and from then on it must stay, whatever the power does. */
static void what_recovery_has_accepted_is_durable(void **state)
{
    fixture *fix = *state;
    char target[FIXTURE_PATH];
    crash_vfs disk;
    ref_env *env;
    crash_vfs_init(&disk, fix->home);
    fix->vfs.next = &disk.vfs;
    fix->vfs.real_sync = true;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put(db, NULL, "k", "1"));
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_FSYNC), "log.", 1);
    assert_fails(put(db, NULL, "k", "2"), REF_RUNRECOVERY, "log.");
    fault_heal(&fix->vfs);
    assert_ok(ref_db_close(db));
    assert_int_equal(ref_env_close(fix->env), REF_RUNRECOVERY);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    expect(db, NULL, "k", "2");
    assert_ok(ref_db_close(db));
    snprintf(target, sizeof target, "%.900s/state", fix->dir);
    crash_vfs_make_state(&disk, CRASH_ALL_LOST, 0, target);
    env_crash(fix);
    fix->vfs.next = ref_vfs_posix();
    fix->vfs.real_sync = false;
    crash_vfs_destroy(&disk);
    assert_ok(env_open_at(fix, target, &env));
    db = db_open(env, "a.db");
    expect(db, NULL, "k", "2");
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(env));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(every_crash_state_of_a_life_has_every_acknowledged_commit),
    SCRATCH_TEST(every_crash_state_of_a_recovery_can_be_recovered),
    SCRATCH_TEST(every_crash_state_of_a_copys_recovery_can_be_recovered),
    SCRATCH_TEST(what_recovery_has_accepted_is_durable),
};

TEST_MAIN(tests)
