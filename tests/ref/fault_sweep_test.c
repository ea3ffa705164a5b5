/*
 * A short life of an environment, lived once for each of its I/O operations, which then fails, or
 * at which the power is cut. Whatever happens, opening it again with a good disk must give every
 * transaction that was acknowledged, and of the one that was not, all or nothing.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"
#include "life.h"

static void say_where(fixture *fix, fault_kind kind, const char *path)
{
    (void)fix;
    print_error("fault at %s %s\n", fault_kind_name(kind), path != NULL ? path : "");
}

/* Remembers at which operation the fault strikes. */
typedef struct witness {
    fault_vfs *vfs;
    uint64_t injected;
    fault_kind kind;
    char path[FIXTURE_PATH];
} witness;

static void watch(void *context, fault_kind kind, const char *path)
{
    witness *at = context;
    if (fault_injected(at->vfs) == 0) {
        at->kind = kind;
        snprintf(at->path, sizeof at->path, "%s", path != NULL ? path : "");
    }
}

static void sweep(fixture *fix, unsigned kinds, fault_manner manner, uint64_t at_least)
{
    life_model whole, after, perhaps;
    uint64_t nth = 1;
    fix->options.cache_size = 16u << 10; /* so that pages are read, too */
    for (bool fired = true; fired; nth++) {
        fault_rule rule = {.kinds = kinds, .nth = nth, .error = EIO, .manner = manner};
        witness at = {.vfs = &fix->vfs};
        tree_remove(fix->home);
        dir_make(fix->home);
        fix->vfs.before = watch;
        fix->vfs.before_context = &at;
        fault_set(&fix->vfs, &rule);
        life_run(fix, 1, &after, &perhaps);
        fired = fault_injected(&fix->vfs) > 0;
        fix->vfs.before = NULL;
        fault_heal(&fix->vfs);
        assert_int_equal(fix->vfs.open_files, 0);
        if (getenv("FAULT_SWEEP_VERBOSE") != NULL) {
            say_where(fix, at.kind, at.path);
        }
        life_check(fix, &after, &perhaps);
        whole = after;
        assert_true(nth < 100000);
    }
    assert_true(nth > at_least);
    /* the last life met no fault and did everything */
    assert_true(whole.exists[0] && whole.exists[1] && !whole.exists[2] && !whole.exists[3]);
}

static void every_operation_can_fail_once(void **state)
{
    sweep(*state, FAULT_ALL, FAULT_ONCE, 150);
}

static void every_write_can_stop_half_way(void **state)
{
    sweep(*state, FAULT_BIT(FAULT_WRITE), FAULT_SHORT, 40);
}

static void the_power_can_go_at_every_change(void **state)
{
    sweep(*state, FAULT_CHANGES, FAULT_POWER_CUT, 100);
}

static void every_operation_can_fail_from_then_on(void **state)
{
    sweep(*state, FAULT_CHANGES, FAULT_FROM_THEN, 100);
}

/* ---- recovery ---- */

/* A home that has crashed with much to redo: kept in dir/crashed. */
static void make_crashed(fixture *fix, char *crashed, life_model *after)
{
    snprintf(crashed, FIXTURE_PATH, "%.900s/crashed", fix->dir);
    tree_remove(crashed);
    tree_remove(fix->home);
    dir_make(fix->home);
    life_begin(fix, 10, after);
    tree_copy(fix->home, crashed);
    env_close(fix);
}

static void sweep_recovery(fixture *fix, bool copy, unsigned kinds, fault_manner manner)
{
    char crashed[FIXTURE_PATH];
    life_model after;
    uint64_t nth = 1;
    make_crashed(fix, crashed, &after);
    for (bool fired = true; fired; nth++) {
        fault_rule rule = {.kinds = kinds, .nth = nth, .error = EIO, .manner = manner};
        ref_env *env;
        tree_remove(fix->home);
        tree_copy(crashed, fix->home);
        if (copy) {
            assert_int_equal(remove(at_home(fix, "__db.control")), 0);
        }
        fault_set(&fix->vfs, &rule);
        int error = ref_env_open(&fix->options, &env);
        if (error == 0) {
            ref_env_close(env);
        } else {
            assert_null(env);
            assert_true(ref_error_text()[0] != '\0');
        }
        fired = fault_injected(&fix->vfs) > 0;
        fault_heal(&fix->vfs);
        assert_int_equal(fix->vfs.open_files, 0);
        life_check(fix, &after, &after);
        assert_true(nth < 100000);
    }
    assert_true(nth > 8);
}

static void recovery_can_fail_at_every_operation_and_be_repeated(void **state)
{
    sweep_recovery(*state, false, FAULT_ALL, FAULT_ONCE);
}

static void recovery_can_lose_power_at_every_change_and_be_repeated(void **state)
{
    sweep_recovery(*state, false, FAULT_CHANGES, FAULT_POWER_CUT);
    sweep_recovery(*state, false, FAULT_BIT(FAULT_WRITE), FAULT_SHORT);
}

static void recovery_of_a_copy_can_fail_at_every_operation_and_be_repeated(void **state)
{
    sweep_recovery(*state, true, FAULT_ALL, FAULT_ONCE);
}

static void recovery_of_a_copy_can_lose_power_at_every_change_and_be_repeated(void **state)
{
    sweep_recovery(*state, true, FAULT_CHANGES, FAULT_POWER_CUT);
    sweep_recovery(*state, true, FAULT_BIT(FAULT_WRITE), FAULT_SHORT);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(every_operation_can_fail_once),
    SCRATCH_TEST(every_write_can_stop_half_way),
    SCRATCH_TEST(the_power_can_go_at_every_change),
    SCRATCH_TEST(every_operation_can_fail_from_then_on),
    SCRATCH_TEST(recovery_can_fail_at_every_operation_and_be_repeated),
    SCRATCH_TEST(recovery_can_lose_power_at_every_change_and_be_repeated),
    SCRATCH_TEST(recovery_of_a_copy_can_fail_at_every_operation_and_be_repeated),
    SCRATCH_TEST(recovery_of_a_copy_can_lose_power_at_every_change_and_be_repeated),
};

TEST_MAIN(tests)
