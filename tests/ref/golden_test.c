/*
 * The formats: files made with a fixed clock and fixed chance are the same, byte for byte, as those
 * that are kept in golden/; and those that are kept can be read. ref/engine/FORMAT.md says when
 * they may change: with a new version number.
 *
 * GOLDEN_WRITE=DIR writes the files there instead of comparing.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/internal.h"

#ifndef TEST_GOLDEN
#error "TEST_GOLDEN is the directory of the files"
#endif

static const char *const names[] = {
    "tree.db", "log.0000000001", "log.0000000002", REF_CONTROL_NAME, "alone.db"};
#define NAMES (sizeof names / sizeof names[0])

/* A record of every kind in the log; leaf, branch, overflow and free pages in the file. */
static void make_files(fixture *fix)
{
    ref_db_options creating = {.create = true, .page_size = 512};
    ref_db *db;
    fix->vfs.fixed = true;
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, at_home(fix, "alone.db"), &creating, &db));
    assert_ok(put(db, NULL, "key", "value"));
    assert_ok(ref_db_close(db));
    file_copy(at_home(fix, "alone.db"), at_dir(fix, "alone.db"));
    env_open(fix);
    fix->env->segment_size = 7800; /* two segments */
    db = db_make(fix->env, "made.db");
    for (uint32_t i = 0; i < 12; i++) {
        assert_ok(put_number(db, NULL, i, i, 100));
    }
    assert_ok(put_number(db, NULL, 100, 100, 700));
    assert_ok(put_number(db, NULL, 101, 101, 1200));
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(del(db, NULL, "k00101"));
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_rename(fix->env, NULL, "made.db", "tree.db"));
    assert_ok(ref_db_close(db_make(fix->env, "gone.db")));
    assert_ok(ref_db_remove(fix->env, NULL, "gone.db"));
    db = db_open(fix->env, "alone.db"); /* adopted */
    assert_ok(put(db, NULL, "key", "changed"));
    assert_ok(ref_db_close(db));
    env_close(fix);
    file_copy(at_dir(fix, "alone.db"), at_home(fix, "alone.db")); /* as it came */
}

static const char *golden(char *path, const char *name)
{
    snprintf(path, FIXTURE_PATH, "%s/%s", TEST_GOLDEN, name);
    return path;
}

static void files_are_written_as_they_always_were(void **state)
{
    fixture *fix = *state;
    const char *write_to = getenv("GOLDEN_WRITE");
    char path[FIXTURE_PATH];
    make_files(fix);
    for (size_t i = 0; i < NAMES; i++) {
        if (write_to != NULL) {
            snprintf(path, sizeof path, "%s/%s", write_to, names[i]);
            file_copy(at_home(fix, names[i]), path);
        } else if (!file_same(at_home(fix, names[i]), golden(path, names[i]))) {
            print_error("%s differs from %s\n", names[i], path);
            fail();
        }
    }
}

static void expect_content(ref_env *env)
{
    uint32_t value;
    ref_db *db = db_open(env, "tree.db");
    assert_int_equal(db_verify(db), 13);
    for (uint32_t i = 0; i < 12; i++) {
        assert_ok(get_number(db, NULL, i, &value));
        assert_int_equal(value, i);
    }
    assert_ok(get_number(db, NULL, 100, &value));
    assert_int_equal(value, 100);
    assert_ok(ref_db_close(db));
}

/* Brings the files that are kept into the home. alone.db is not as the log has left it: the log
 * has no content of a file that was adopted. */
static void take_files(fixture *fix, bool with_control)
{
    char path[FIXTURE_PATH];
    for (size_t i = 0; i < NAMES; i++) {
        if (strcmp(names[i], "alone.db") != 0 &&
            (with_control || strcmp(names[i], REF_CONTROL_NAME) != 0)) {
            file_copy(golden(path, names[i]), at_home(fix, names[i]));
        }
    }
}

static void a_home_of_files_that_were_kept_opens(void **state)
{
    fixture *fix = *state;
    take_files(fix, true);
    env_open(fix);
    expect_content(fix->env);
    assert_false(db_exists(fix->env, "made.db"));
    assert_false(db_exists(fix->env, "gone.db"));
}

static void a_database_that_was_kept_opens_alone(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    ref_db_options plain = {0};
    ref_db *db;
    file_copy(golden(path, "alone.db"), at_home(fix, "alone.db"));
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, at_home(fix, "alone.db"), &plain, &db));
    expect(db, NULL, "key", "value");
    assert_int_equal(db_verify(db), 1);
    assert_ok(ref_db_close(db));
}

static void a_copy_of_files_that_were_kept_misses_what_its_log_does_not_have(void **state)
{
    fixture *fix = *state;
    ref_env *env;
    take_files(fix, false);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "alone.db");
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(files_are_written_as_they_always_were),
    SCRATCH_TEST(a_home_of_files_that_were_kept_opens),
    SCRATCH_TEST(a_database_that_was_kept_opens_alone),
    SCRATCH_TEST(a_copy_of_files_that_were_kept_misses_what_its_log_does_not_have),
};

TEST_MAIN(tests)
