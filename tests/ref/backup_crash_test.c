/*
 * Power cuts during a backup, on a disk that keeps only what it was told to keep. In every state
 * that a cut at any change may leave, the target is what it was, or the new copy, or refused as
 * unfinished, or no environment at all where there was none; and the source is whole.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bank.h"
#include "crash_vfs.h"
#include "engine/error.h"

typedef struct loss {
    crash_loss kind;
    uint64_t seed;
} loss;

static const loss losses[] = {{CRASH_ALL_LOST, 0}, {CRASH_NAMES_LOST, 0}, {CRASH_CONTENT_LOST, 0},
    {CRASH_NOTHING_LOST, 0}, {CRASH_SOME_LOST, 1}, {CRASH_SOME_LOST, 2}};

/* What each copy says of itself: the value of "age" in old.db, or nothing. */
static void expect_age(ref_env *env, bool had_old)
{
    bank money;
    ref_buffer age = {0};
    assert_true(db_exists(env, "left.db"));
    bank_open(&money, env);
    assert_ok(bank_check(&money));
    assert_ok(ref_db_get(money.left, NULL, text("age"), false, &age));
    assert_true(age.size == 3 &&
                (memcmp(age.data, "new", 3) == 0 || (had_old && memcmp(age.data, "old", 3) == 0)));
    /* what an older backup had besides is there with it, and only with it */
    assert_int_equal(db_exists(env, "old.db"), memcmp(age.data, "old", 3) == 0);
    ref_buffer_free(&age);
    bank_close(&money);
}

static void look_at_target(
    fixture *fix, const char *state, bool had_old, bool done, unsigned *outcomes)
{
    char target[FIXTURE_PATH];
    ref_env *env;
    snprintf(target, sizeof target, "%.900s/target", state);
    fix->options.create = false;
    int error = env_open_at(fix, target, &env);
    fix->options.create = true;
    if (done) { /* what was reported as done is durable */
        assert_ok(error);
    }
    if (error == 0) {
        expect_age(env, had_old && !done);
        assert_ok(ref_env_close(env));
        outcomes[0]++;
    } else if (error == REF_INCOMPLETE) {
        outcomes[1]++;
    } else {
        if (had_old || error != ENOENT) {
            print_error("%s\n", ref_error_text());
        }
        assert_true(!had_old && error == ENOENT);
        outcomes[2]++;
    }
}

/* dir/disk/home: the bank; dir/disk/target: an older backup of it, or empty. */
static void make_disk(fixture *fix, const char *disk, bool with_old)
{
    char target[FIXTURE_PATH];
    bank money;
    uint64_t seed = 1;
    dir_make(disk);
    snprintf(fix->home, sizeof fix->home, "%.900s/home", disk);
    snprintf(target, sizeof target, "%.900s/target", disk);
    dir_make(fix->home);
    dir_make(target);
    env_open(fix);
    bank_open(&money, fix->env);
    assert_ok(put(money.left, NULL, "age", "old"));
    ref_db *old = db_make(fix->env, "old.db");
    assert_ok(put(old, NULL, "k", "v"));
    assert_ok(ref_db_close(old));
    for (int i = 0; i < 20 && with_old; i++) {
        assert_ok(bank_move(&money, &seed));
    }
    ref_backup_options options = {.target = target};
    if (with_old) {
        assert_ok(ref_backup(fix->env, &options));
    }
    assert_ok(ref_db_remove(fix->env, NULL, "old.db"));
    assert_ok(put(money.left, NULL, "age", "new"));
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(bank_move(&money, &seed));
    bank_close(&money);
    env_close(fix);
}

/* Cuts the power at the nth change of a backup. False when there were fewer. */
static bool cut_at(
    fixture *fix, const char *disk, uint64_t nth, unsigned flags, bool with_old, unsigned *outcomes)
{
    char target[FIXTURE_PATH], state[FIXTURE_PATH], home[FIXTURE_PATH];
    crash_vfs platter;
    snprintf(target, sizeof target, "%.900s/target", disk);
    tree_remove(disk);
    make_disk(fix, disk, with_old);
    crash_vfs_init(&platter, disk);
    fix->vfs.next = &platter.vfs;
    fix->vfs.real_sync = true;
    env_open(fix);
    fault_rule cut = {.kinds = FAULT_CHANGES, .nth = nth, .error = EIO, .manner = FAULT_POWER_CUT};
    ref_backup_options options = {.target = target, .flags = flags, .buffer_size = 8192};
    fault_set(&fix->vfs, &cut);
    int error = ref_backup(fix->env, &options);
    bool fired = fault_injected(&fix->vfs) > 0;
    bool done = error == 0; /* removing its lock file may fail: that is no failure */
    ref_env *env = fix->env;
    fix->env = NULL;
    ref_env_close(env);
    fault_heal(&fix->vfs);
    fix->vfs.next = ref_vfs_posix();
    fix->vfs.real_sync = false;
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        snprintf(state, sizeof state, "%.900s/state", fix->dir);
        tree_remove(state);
        crash_vfs_make_state(&platter, losses[i].kind, losses[i].seed * 1000 + nth, state);
        look_at_target(fix, state, with_old, done, outcomes);
        snprintf(home, sizeof home, "%.900s/home", state);
        bank_check_home(fix, home);
    }
    crash_vfs_destroy(&platter);
    return fired;
}

static void sweep(fixture *fix, unsigned flags, bool with_old)
{
    char disk[FIXTURE_PATH];
    unsigned outcomes[3] = {0};
    uint64_t nth = 1;
    snprintf(disk, sizeof disk, "%.900s/disk", fix->dir);
    while (cut_at(fix, disk, nth, flags, with_old, outcomes)) {
        nth++;
    }
    assert_true(nth > 20);
    assert_true(outcomes[0] > 0 && outcomes[1] > 0);
    assert_true(with_old || outcomes[2] > 0);
}

static void a_cut_backup_into_an_empty_target_is_complete_or_not_there(void **state)
{
    sweep(*state, 0, false);
}

static void a_cut_backup_over_an_older_one_leaves_one_of_them_or_a_marker(void **state)
{
    sweep(*state, 0, true);
}

static void a_cut_backup_that_cleans_leaves_one_of_them_or_a_marker(void **state)
{
    sweep(*state, REF_BACKUP_CLEAN, true);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_cut_backup_into_an_empty_target_is_complete_or_not_there),
    SCRATCH_TEST(a_cut_backup_over_an_older_one_leaves_one_of_them_or_a_marker),
    SCRATCH_TEST(a_cut_backup_that_cleans_leaves_one_of_them_or_a_marker),
};

TEST_MAIN(tests)
