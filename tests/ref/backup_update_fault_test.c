/*
 * Updates that fail, and power cuts during them. At every moment the copy opens, with at least what
 * it had before; what was reported as done is in it; and the next update does what this one did not.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>

#include "crash_vfs.h"
#include "engine/error.h"
#include "update_chain.h"

typedef enum base_kind { AS_COPIED, RECOVERED } base_kind;

static void set_age(fixture *fix, const char *age)
{
    ref_db *db = db_open(fix->env, "0.db");
    assert_ok(put(db, NULL, "age", age));
    assert_ok(ref_db_close(db));
}

/* dir/master: the environment and a copy that lacks three segments and "age=new". */
static void make_master(fixture *fix, base_kind kind)
{
    snprintf(fix->home, sizeof fix->home, "%.900s/master/home", fix->dir);
    dir_make(at_dir(fix, "master"));
    dir_make(fix->home);
    chain_open(fix);
    chain_work(fix, 1, 20);
    set_age(fix, "old");
    assert_ok(chain_try(fix, "master/copy", REF_BACKUP_CREATE));
    if (kind == RECOVERED) {
        chain_recover_copy(fix, "master/copy");
    }
    chain_big_commit(fix);
    chain_big_commit(fix);
    set_age(fix, "new");
    chain_close(fix);
}

/* dir/disk: the master again. */
static void take_master(fixture *fix)
{
    tree_remove(at_dir(fix, "disk"));
    tree_copy(at_dir(fix, "master"), at_dir(fix, "disk"));
    snprintf(fix->home, sizeof fix->home, "%.900s/disk/home", fix->dir);
}

static void expect_age(fixture *fix, const char *path, bool done)
{
    ref_env *copy;
    ref_buffer age = {0};
    assert_ok(env_open_at(fix, path, &copy));
    ref_db *db = db_open(copy, "0.db");
    assert_ok(ref_db_get(db, NULL, text("age"), false, &age));
    assert_int_equal(age.size, 3);
    assert_true(memcmp(age.data, "new", 3) == 0 || (!done && memcmp(age.data, "old", 3) == 0));
    ref_buffer_free(&age);
    db_verify(db);
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(copy));
}

/* ---- failures ---- */

static bool fail_at(fixture *fix, const fault_rule *rule, unsigned flags)
{
    take_master(fix);
    env_open(fix);
    uint64_t open_files = fix->vfs.open_files;
    fault_set(&fix->vfs, rule);
    int error = chain_try(fix, "disk/copy", REF_BACKUP_UPDATE | flags);
    bool fired = fault_injected(&fix->vfs) > 0;
    fault_heal(&fix->vfs);
    assert_true(fired || error == 0);
    assert_int_equal(fix->vfs.open_files, open_files);
    assert_ok(ref_env_state(fix->env));
    tree_copy(at_dir(fix, "disk/copy"), at_dir(fix, "looked at"));
    expect_age(fix, at_dir(fix, "looked at"), error == 0);
    tree_remove(at_dir(fix, "looked at"));
    assert_ok(chain_try(fix, "disk/copy", REF_BACKUP_UPDATE | flags));
    chain_expect_copy(fix, "disk/copy");
    env_close(fix);
    return fired;
}

static void sweep_failures(
    fixture *fix, base_kind kind, unsigned kinds, fault_manner manner, unsigned flags)
{
    fault_rule rule = {.kinds = kinds, .nth = 1, .error = EIO, .manner = manner};
    make_master(fix, kind);
    while (fail_at(fix, &rule, flags)) {
        rule.nth++;
        assert_true(rule.nth < 10000);
    }
    assert_true(rule.nth > 4);
}

static void every_operation_of_an_update_can_fail_once(void **state)
{
    sweep_failures(*state, AS_COPIED, FAULT_ALL, FAULT_ONCE, 0);
}

static void every_operation_of_an_update_can_fail_from_then_on(void **state)
{
    sweep_failures(*state, AS_COPIED, FAULT_CHANGES, FAULT_FROM_THEN, 0);
}

static void every_write_of_an_update_can_stop_half_way(void **state)
{
    sweep_failures(*state, AS_COPIED, FAULT_BIT(FAULT_WRITE), FAULT_SHORT, 0);
}

static void every_operation_of_an_update_that_cleans_can_fail_once(void **state)
{
    sweep_failures(*state, RECOVERED, FAULT_ALL, FAULT_ONCE, REF_BACKUP_CLEAN);
}

static void every_operation_of_an_exclusive_update_can_fail_once(void **state)
{
    sweep_failures(*state, RECOVERED, FAULT_ALL, FAULT_ONCE, REF_BACKUP_EXCLUSIVE);
}

/* ---- power cuts ---- */

typedef struct loss {
    crash_loss kind;
    uint64_t seed;
} loss;

static const loss losses[] = {{CRASH_ALL_LOST, 0}, {CRASH_NAMES_LOST, 0}, {CRASH_CONTENT_LOST, 0},
    {CRASH_NOTHING_LOST, 0}, {CRASH_SOME_LOST, 1}, {CRASH_SOME_LOST, 2}, {CRASH_SOME_LOST, 3}};

/* What a second update makes of the state. */
static void update_again(fixture *fix, const char *left)
{
    snprintf(fix->home, sizeof fix->home, "%.900s/state/home", fix->dir);
    env_open(fix);
    ref_backup_options options = {.target = left, .flags = REF_BACKUP_UPDATE};
    assert_ok(ref_backup(fix->env, &options));
    chain_expect_copy_at(fix, left);
    env_close(fix);
}

static bool cut_at(fixture *fix, uint64_t nth, unsigned flags)
{
    char left[FIXTURE_PATH];
    crash_vfs platter;
    take_master(fix);
    crash_vfs_init(&platter, at_dir(fix, "disk"));
    fix->vfs.next = &platter.vfs;
    fix->vfs.real_sync = true;
    env_open(fix);
    fault_rule cut = {.kinds = FAULT_CHANGES, .nth = nth, .error = EIO, .manner = FAULT_POWER_CUT};
    fault_set(&fix->vfs, &cut);
    int error = chain_try(fix, "disk/copy", REF_BACKUP_UPDATE | flags);
    bool fired = fault_injected(&fix->vfs) > 0;
    ref_env_close(fix->env);
    fix->env = NULL;
    fault_heal(&fix->vfs);
    fix->vfs.next = ref_vfs_posix();
    fix->vfs.real_sync = false;
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        tree_remove(at_dir(fix, "state"));
        crash_vfs_make_state(
            &platter, losses[i].kind, losses[i].seed * 1000 + nth, at_dir(fix, "state"));
        tree_copy(at_dir(fix, "state/copy"), at_dir(fix, "state/again"));
        snprintf(left, sizeof left, "%.900s/state/copy", fix->dir);
        expect_age(fix, left, error == 0);
        snprintf(left, sizeof left, "%.900s/state/again", fix->dir);
        update_again(fix, left);
    }
    crash_vfs_destroy(&platter);
    return fired;
}

static void sweep_cuts(fixture *fix, base_kind kind, unsigned flags)
{
    uint64_t nth = 1;
    make_master(fix, kind);
    while (cut_at(fix, nth, flags)) {
        nth++;
        assert_true(nth < 1000);
    }
    assert_true(nth > 15);
}

static void a_cut_update_leaves_a_copy_that_opens(void **state)
{
    sweep_cuts(*state, AS_COPIED, 0);
}

static void a_cut_update_of_a_recovered_copy_leaves_one_that_opens(void **state)
{
    sweep_cuts(*state, RECOVERED, REF_BACKUP_CLEAN);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(every_operation_of_an_update_can_fail_once),
    SCRATCH_TEST(every_operation_of_an_update_can_fail_from_then_on),
    SCRATCH_TEST(every_write_of_an_update_can_stop_half_way),
    SCRATCH_TEST(every_operation_of_an_update_that_cleans_can_fail_once),
    SCRATCH_TEST(every_operation_of_an_exclusive_update_can_fail_once),
    SCRATCH_TEST(a_cut_update_leaves_a_copy_that_opens),
    SCRATCH_TEST(a_cut_update_of_a_recovered_copy_leaves_one_that_opens),
};

TEST_MAIN(tests)
