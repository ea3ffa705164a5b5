/* An environment's life: opened, shared, refused, closed, removed. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/internal.h"

static void a_home_without_environment_is_enoent_and_stays_empty(void **state)
{
    fixture *fix = *state;
    ref_env *env = (ref_env *)(uintptr_t)1;
    fix->options.create = false;
    uint64_t before = tree_hash(fix->home, NULL);
    assert_fails(ref_env_open(&fix->options, &env), ENOENT, "home");
    assert_null(env);
    assert_int_equal(tree_hash(fix->home, NULL), before);
}

static void bad_options_are_refused_and_nothing_is_made(void **state)
{
    fixture *fix = *state;
    static const char *const dirs[] = {"data"};
    uint64_t before = tree_hash(fix->home, NULL);
    ref_env *env;
    ref_env_options options = fix->options;
    options.segment_size = REF_SEGMENT_SIZE_MIN - 1;
    assert_fails(ref_env_open(&options, &env), EINVAL, "16383");
    options = fix->options;
    options.create_dir = "data";
    assert_fails(ref_env_open(&options, &env), EINVAL, "data");
    options.data_dirs = dirs;
    options.data_dir_count = 1;
    assert_fails(ref_env_open(&options, &env), ENOENT, "data");
    options = fix->options;
    options.log_dir = "logs";
    assert_fails(ref_env_open(&options, &env), ENOENT, "logs");
    options = fix->options;
    options.home = at_dir(fix, "nowhere");
    assert_fails(ref_env_open(&options, &env), ENOENT, "nowhere");
    file_write(at_dir(fix, "file"), "", 0);
    options.home = at_dir(fix, "file");
    assert_fails(ref_env_open(&options, &env), ENOTDIR, "file");
    assert_int_equal(tree_hash(fix->home, NULL), before);
}

static void opening_a_home_twice_gives_the_same_environment(void **state)
{
    fixture *fix = *state;
    char link[FIXTURE_PATH];
    ref_env *again;
    env_open(fix);
    snprintf(link, sizeof link, "%.900s/link", fix->dir);
    assert_int_equal(symlink("home", link), 0);
    assert_ok(env_open_at(fix, link, &again));
    assert_ptr_equal(again, fix->env);
    ref_db *db = db_make(again, "a.db");
    assert_ok(put(db, NULL, "k", "v"));
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(again));
    assert_true(db_exists(fix->env, "a.db")); /* it is still open */
}

static void a_home_that_another_owner_has_open_is_eagain(void **state)
{
    fixture *fix = *state;
    ref_env_options options = fix->options;
    ref_env *env;
    env_open(fix);
    /* Another vfs is another owner: locks belong to open files, not to the process. */
    options.vfs = ref_vfs_posix();
    uint64_t before = tree_hash(fix->home, NULL);
    assert_fails(ref_env_open(&options, &env), EAGAIN, "__db.lock");
    assert_fails(ref_env_remove(ref_vfs_posix(), fix->home), EAGAIN, "__db.lock");
    assert_int_equal(tree_hash(fix->home, NULL), before);
    env_close(fix);
    assert_ok(ref_env_open(&options, &env));
    assert_ok(ref_env_close(env));
}

static void every_file_is_closed_in_the_end(void **state)
{
    fixture *fix = *state;
    ref_env *env;
    for (int round = 0; round < 3; round++) {
        env_open(fix);
        for (uint32_t i = 0; i < 5; i++) {
            char name[16];
            snprintf(name, sizeof name, "%u.db", i);
            ref_db *db = db_make(fix->env, name);
            assert_ok(put_number(db, NULL, i, i, 3000));
            assert_ok(ref_db_close(db));
        }
        if (round == 1) {
            env_crash(fix);
        } else {
            env_close(fix);
        }
        assert_int_equal(fix->vfs.open_files, 0);
    }
    file_write(at_home(fix, REF_CONTROL_NAME), "", 0);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, REF_CONTROL_NAME);
    assert_int_equal(fix->vfs.open_files, 0);
}

static void transactions_left_open_are_aborted_at_close(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put(db, NULL, "k", "old"));
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(put(db, txn, "k", "new"));
    begin(fix->env, NULL);
    assert_ok(ref_db_close(db));
    env_close(fix);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    expect(db, NULL, "k", "old");
    assert_ok(ref_db_close(db));
}

static void closing_an_idle_environment_writes_nothing(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put(db, NULL, "k", "v"));
    assert_ok(ref_db_close(db));
    env_close(fix);
    env_open(fix);
    env_close(fix); /* recovery has written the control file; from now on the home is at rest */
    uint64_t before = tree_hash(fix->home, REF_CONTROL_NAME);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    expect(db, NULL, "k", "v");
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(ref_db_close(db));
    env_close(fix);
    assert_int_equal(tree_hash(fix->home, REF_CONTROL_NAME), before);
}

static void a_removed_environment_is_a_copy_of_itself(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put(db, NULL, "k", "v"));
    assert_ok(ref_db_close(db));
    env_close(fix);
    assert_ok(ref_env_remove(&fix->vfs.vfs, fix->home));
    assert_false(file_exists(at_home(fix, REF_CONTROL_NAME)));
    assert_true(file_exists(at_home(fix, REF_LOCK_NAME)));
    assert_true(file_exists(at_home(fix, "a.db")));
    fix->options.create = false;
    env_open(fix);
    db = db_open(fix->env, "a.db");
    expect(db, NULL, "k", "v");
    assert_ok(ref_db_close(db));
}

static void an_unfinished_backup_is_refused_and_stays_as_it_is(void **state)
{
    fixture *fix = *state;
    ref_env *env;
    env_open(fix);
    env_close(fix);
    file_write(at_home(fix, REF_MARKER_NAME), "", 0);
    uint64_t before = tree_hash(fix->home, NULL);
    assert_fails(env_open_at(fix, fix->home, &env), REF_INCOMPLETE, REF_MARKER_NAME);
    fix->options.recover_fatal = true;
    assert_fails(env_open_at(fix, fix->home, &env), REF_INCOMPLETE, REF_MARKER_NAME);
    assert_int_equal(tree_hash(fix->home, NULL), before);
    assert_int_equal(unlink(at_home(fix, REF_MARKER_NAME)), 0);
    assert_ok(env_open_at(fix, fix->home, &env));
    assert_ok(ref_env_close(env));
}

static void the_control_file_survives_damage_of_either_slot(void **state)
{
    fixture *fix = *state;
    char copy[FIXTURE_PATH], control[FIXTURE_PATH];
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    for (uint32_t i = 0; i < 4; i++) {
        assert_ok(put_number(db, NULL, i, i, 10));
        assert_ok(ref_checkpoint(fix->env, false));
    }
    assert_ok(ref_db_close(db));
    env_crash(fix);
    for (uint64_t at = 0; at < 512; at++) {
        for (uint64_t slot = 0; slot < 2; slot++) {
            ref_env *env;
            snprintf(copy, sizeof copy, "%.900s/copy", fix->dir);
            snprintf(control, sizeof control, "%.900s/" REF_CONTROL_NAME, copy);
            tree_remove(copy);
            tree_copy(fix->home, copy);
            file_flip(control, slot * 4096 + at, 4);
            assert_ok(env_open_at(fix, copy, &env));
            db = db_open(env, "a.db");
            assert_int_equal(db_verify(db), 4);
            assert_ok(ref_db_close(db));
            assert_ok(ref_env_close(env));
        }
    }
}

static void a_control_file_without_a_sound_slot_is_refused(void **state)
{
    fixture *fix = *state;
    ref_env *env;
    env_open(fix);
    env_close(fix);
    env_open(fix);
    env_close(fix);
    file_flip(at_home(fix, REF_CONTROL_NAME), 40, 1);
    file_flip(at_home(fix, REF_CONTROL_NAME), 4096 + 40, 1);
    uint64_t before = tree_hash(fix->home, NULL);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, REF_CONTROL_NAME);
    assert_int_equal(tree_hash(fix->home, NULL), before);
}

static void a_control_file_of_another_format_version_is_refused(void **state)
{
    fixture *fix = *state;
    ref_env *env;
    size_t size;
    env_open(fix);
    env_close(fix);
    env_open(fix);
    env_close(fix);
    uint8_t *bytes = file_read(at_home(fix, REF_CONTROL_NAME), &size);
    assert_int_equal(size, 4096 + 512);
    for (size_t at = 0; at < size; at += 4096) {
        ref_put32(bytes + at + 8, 2);
        ref_put32(bytes + at + 508, ref_crc32c(0, bytes + at, 508));
    }
    file_write(at_home(fix, REF_CONTROL_NAME), bytes, size);
    free(bytes);
    assert_fails(env_open_at(fix, fix->home, &env), REF_VERSION, "version 2");
}

static void settings_are_what_they_were_set_to(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    assert_int_equal(ref_env_segment_size(fix->env), REF_SEGMENT_SIZE_MIN);
    assert_false(ref_env_log_auto_remove(fix->env));
    ref_env_set_log_auto_remove(fix->env, true);
    assert_true(ref_env_log_auto_remove(fix->env));
    assert_non_null(strstr(ref_env_home(fix->env), "/home"));
}

static void an_environment_without_databases_lists_none(void **state)
{
    fixture *fix = *state;
    char **names;
    size_t count;
    env_open(fix);
    assert_ok(ref_env_databases(fix->env, &names, &count));
    assert_null(names);
    assert_int_equal(count, 0);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_home_without_environment_is_enoent_and_stays_empty),
    SCRATCH_TEST(bad_options_are_refused_and_nothing_is_made),
    SCRATCH_TEST(opening_a_home_twice_gives_the_same_environment),
    SCRATCH_TEST(a_home_that_another_owner_has_open_is_eagain),
    SCRATCH_TEST(every_file_is_closed_in_the_end),
    SCRATCH_TEST(transactions_left_open_are_aborted_at_close),
    SCRATCH_TEST(closing_an_idle_environment_writes_nothing),
    SCRATCH_TEST(a_removed_environment_is_a_copy_of_itself),
    SCRATCH_TEST(an_unfinished_backup_is_refused_and_stays_as_it_is),
    SCRATCH_TEST(the_control_file_survives_damage_of_either_slot),
    SCRATCH_TEST(a_control_file_without_a_sound_slot_is_refused),
    SCRATCH_TEST(a_control_file_of_another_format_version_is_refused),
    SCRATCH_TEST(settings_are_what_they_were_set_to),
    SCRATCH_TEST(an_environment_without_databases_lists_none),
};

TEST_MAIN(tests)
