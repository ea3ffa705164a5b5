/* Database files that come from elsewhere, and databases without an environment. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/internal.h"

static const ref_db_options creating = {.create = true, .page_size = 512};

/* Makes a database of its own at the path. */
static void make_alone(fixture *fix, const char *path, uint32_t count)
{
    ref_db *db;
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &creating, &db));
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(put_number(db, NULL, i, i, 60));
    }
    assert_ok(ref_db_close(db));
}

static void read_meta(const char *path, ref_meta *out)
{
    size_t size;
    uint8_t *bytes = file_read(path, &size);
    assert_ok(ref_meta_read(bytes, size, path, out));
    free(bytes);
}

static void expect_numbers(ref_db *db, uint32_t count)
{
    uint32_t value;
    assert_int_equal(db_verify(db), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(get_number(db, NULL, i, &value));
        assert_int_equal(value, i);
    }
}

/* ---- alone ---- */

static void a_database_alone_keeps_what_was_synced_or_closed(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    ref_db *db;
    snprintf(path, sizeof path, "%.900s/x.db", fix->dir);
    make_alone(fix, path, 200);
    ref_db_options plain = {0};
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &plain, &db));
    expect_numbers(db, 200);
    assert_ok(put_number(db, NULL, 200, 200, 60));
    uint64_t syncs = fault_count(&fix->vfs, FAULT_BIT(FAULT_FSYNC));
    assert_ok(ref_db_sync(db));
    assert_true(fault_count(&fix->vfs, FAULT_BIT(FAULT_FSYNC)) > syncs);
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &plain, &db));
    expect_numbers(db, 201);
    assert_ok(ref_db_close(db));
    assert_int_equal(fix->vfs.open_files, 0);
    /* no log, no control file, no lock */
    assert_false(file_exists(at_dir(fix, "log.0000000001")));
    assert_false(file_exists(at_dir(fix, REF_CONTROL_NAME)));
    assert_false(file_exists(at_dir(fix, REF_LOCK_NAME)));
}

static void a_database_alone_that_is_missing_or_there_is_said_to_be(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    ref_db *db;
    ref_db_options plain = {0}, exclusive = {.create = true, .exclusive = true};
    snprintf(path, sizeof path, "%.900s/x.db", fix->dir);
    assert_fails(ref_db_open_alone(&fix->vfs.vfs, path, &plain, &db), ENOENT, "x.db");
    assert_null(db);
    make_alone(fix, path, 1);
    assert_fails(ref_db_open_alone(&fix->vfs.vfs, path, &exclusive, &db), EEXIST, "x.db");
    file_flip(path, 512 + 60, 1);
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &plain, &db));
    assert_fails(ref_db_verify(db, NULL), REF_CORRUPT, "page 1");
    assert_ok(ref_db_close(db));
    assert_int_equal(fix->vfs.open_files, 0);
}

static void a_database_alone_has_transactions_only_in_memory(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    ref_db *db;
    ref_cursor *cursor;
    ref_buffer key = {0};
    snprintf(path, sizeof path, "%.900s/x.db", fix->dir);
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &creating, &db));
    assert_ok(put(db, NULL, "a", "1"));
    ref_txn *txn = begin(ref_db_env(db), NULL);
    assert_ok(put(db, txn, "a", "2"));
    assert_ok(put(db, txn, "b", "2"));
    assert_ok(ref_txn_abort(txn));
    expect(db, NULL, "a", "1");
    expect(db, NULL, "b", NULL);
    assert_ok(ref_cursor_open(db, NULL, &cursor));
    assert_ok(ref_cursor_get(cursor, REF_MOVE_FIRST, (ref_slice){0}, false, &key, NULL));
    assert_int_equal(key.size, 1);
    assert_ok(ref_cursor_close(cursor));
    ref_buffer_free(&key);
    assert_ok(ref_db_close(db));
}

static void a_failed_write_of_a_database_alone_is_reported(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    ref_db *db;
    snprintf(path, sizeof path, "%.900s/x.db", fix->dir);
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &creating, &db));
    assert_ok(put(db, NULL, "a", "1"));
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_WRITE), "x.db", 1);
    assert_fails(ref_db_sync(db), REF_RUNRECOVERY, "x.db");
    fault_heal(&fix->vfs);
    assert_fails(ref_db_close(db), REF_RUNRECOVERY, "x.db");
    assert_int_equal(fix->vfs.open_files, 0);
}

static void a_database_of_an_environment_can_be_changed_alone_and_brought_back(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    ref_meta meta;
    ref_db *db;
    ref_db_options plain = {0};
    env_open(fix);
    db = db_make(fix->env, "a.db");
    for (uint32_t i = 0; i < 50; i++) {
        assert_ok(put_number(db, NULL, i, i, 60));
    }
    assert_ok(ref_db_close(db));
    env_close(fix);
    snprintf(path, sizeof path, "%.900s/out.db", fix->dir);
    file_copy(at_home(fix, "a.db"), path);
    /* to look is not to change */
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &plain, &db));
    expect_numbers(db, 50);
    assert_ok(ref_db_close(db));
    assert_true(file_same(path, at_home(fix, "a.db")));
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &plain, &db));
    assert_ok(put_number(db, NULL, 50, 50, 60));
    assert_ok(ref_db_close(db));
    read_meta(path, &meta);
    assert_true(ref_id_is_none(&meta.log_id));
    file_copy(path, at_home(fix, "b.db"));
    env_open(fix);
    db = db_open(fix->env, "b.db");
    expect_numbers(db, 51);
    assert_ok(ref_db_close(db));
}

/* ---- adoption ---- */

static void a_foreign_file_is_adopted_and_then_recovered_like_any_other(void **state)
{
    fixture *fix = *state;
    ref_meta before, after;
    make_alone(fix, at_home(fix, "f.db"), 100);
    read_meta(at_home(fix, "f.db"), &before);
    env_open(fix);
    ref_db *db = db_open(fix->env, "f.db");
    expect_numbers(db, 100);
    read_meta(at_home(fix, "f.db"), &after);
    assert_false(ref_id_equal(&before.id, &after.id));
    assert_true(ref_id_equal(&after.log_id, &fix->env->id));
    assert_ok(put_number(db, NULL, 100, 100, 60));
    assert_ok(ref_db_close(db));
    env_crash(fix);
    env_open(fix);
    db = db_open(fix->env, "f.db");
    expect_numbers(db, 101);
    assert_ok(ref_db_close(db));
    assert_false(file_exists(at_home(fix, "f.db" REF_ADOPT_SUFFIX)));
}

static void a_database_of_another_environment_is_adopted(void **state)
{
    fixture *fix = *state;
    char other[FIXTURE_PATH], path[FIXTURE_PATH];
    ref_env *env;
    snprintf(other, sizeof other, "%.900s/other", fix->dir);
    dir_make(other);
    assert_ok(env_open_at(fix, other, &env));
    ref_db *db = db_make(env, "a.db");
    for (uint32_t i = 0; i < 100; i++) {
        assert_ok(put_number(db, NULL, i, i, 60));
    }
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(env));
    env_open(fix);
    snprintf(path, sizeof path, "%.900s/a.db", other);
    file_copy(path, at_home(fix, "a.db"));
    db = db_open(fix->env, "a.db");
    expect_numbers(db, 100);
    assert_ok(ref_db_close(db));
    /* twice under two names: two databases */
    file_copy(path, at_home(fix, "b.db"));
    db = db_open(fix->env, "b.db");
    assert_ok(put_number(db, NULL, 100, 100, 60));
    assert_ok(ref_db_close(db));
    env_crash(fix);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    expect_numbers(db, 100);
    assert_ok(ref_db_close(db));
    db = db_open(fix->env, "b.db");
    expect_numbers(db, 101);
    assert_ok(ref_db_close(db));
}

static void an_adoption_that_is_aborted_leaves_the_file(void **state)
{
    fixture *fix = *state;
    ref_db_options plain = {0};
    ref_db *db;
    make_alone(fix, at_home(fix, "f.db"), 30);
    env_open(fix);
    for (int round = 0; round < 2; round++) {
        ref_txn *txn = begin(fix->env, NULL);
        assert_ok(ref_db_open(fix->env, txn, "f.db", &plain, &db));
        assert_ok(put_number(db, txn, 77, 77, 60));
        assert_ok(ref_db_close(db));
        assert_ok(ref_txn_abort(txn));
    }
    db = db_open(fix->env, "f.db");
    expect_numbers(db, 30);
    assert_ok(ref_db_close(db));
}

static void an_adoption_whose_commit_fails_leaves_the_file(void **state)
{
    fixture *fix = *state;
    ref_db_options plain = {0};
    ref_db *db, *other;
    make_alone(fix, at_home(fix, "f.db"), 30);
    env_open(fix);
    other = db_make(fix->env, "a.db");
    assert_ok(put(other, NULL, "x", "y"));
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_open(fix->env, txn, "f.db", &plain, &db));
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_FSYNC), "a.db", 1);
    assert_fails(ref_checkpoint(fix->env, false), REF_RUNRECOVERY, "a.db");
    fault_heal(&fix->vfs);
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_close(other));
    assert_fails(ref_txn_commit(txn), REF_RUNRECOVERY, "a.db");
    assert_int_equal(ref_env_close(fix->env), REF_RUNRECOVERY);
    fix->env = NULL;
    assert_true(file_exists(at_home(fix, "f.db")));
    env_open(fix);
    db = db_open(fix->env, "f.db");
    expect_numbers(db, 30);
    assert_ok(ref_db_close(db));
}

static void an_adopted_database_can_be_renamed_and_removed_in_the_same_transaction(void **state)
{
    fixture *fix = *state;
    ref_db_options plain = {0};
    ref_db *db;
    make_alone(fix, at_home(fix, "f.db"), 30);
    make_alone(fix, at_home(fix, "g.db"), 30);
    env_open(fix);
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_open(fix->env, txn, "f.db", &plain, &db));
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_open(fix->env, txn, "g.db", &plain, &db));
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_rename(fix->env, txn, "f.db", "h.db"));
    assert_ok(ref_db_remove(fix->env, txn, "g.db"));
    assert_ok(ref_txn_commit(txn));
    for (int round = 0; round < 2; round++) {
        db = db_open(fix->env, "h.db");
        expect_numbers(db, 30);
        assert_ok(ref_db_close(db));
        assert_false(db_exists(fix->env, "f.db"));
        assert_false(db_exists(fix->env, "g.db"));
        env_crash(fix);
        env_open(fix);
    }
}

static void nothing_is_adopted_while_a_backup_runs(void **state)
{
    fixture *fix = *state;
    ref_db_options plain = {0};
    ref_db *db;
    ref_pin pin;
    /* The log has no images of what is adopted: a copy in the making could not get them. */
    make_alone(fix, at_home(fix, "f.db"), 30);
    make_alone(fix, at_home(fix, "g.db"), 30);
    env_open(fix);
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_open(fix->env, txn, "f.db", &plain, &db));
    assert_ok(ref_db_close(db));
    assert_ok(ref_pin_take(fix->env, &pin));
    assert_fails(ref_txn_commit(txn), EBUSY, "backup");
    assert_fails(ref_db_open(fix->env, NULL, "g.db", &plain, &db), EBUSY, "backup");
    assert_non_null(strstr(ref_error_text(), "g.db"));
    /* what is made by the environment itself is no problem */
    assert_ok(ref_db_close(db_make(fix->env, "a.db")));
    ref_pin_drop(fix->env, &pin);
    for (int i = 0; i < 2; i++) {
        db = db_open(fix->env, i == 0 ? "f.db" : "g.db");
        expect_numbers(db, 30);
        assert_ok(ref_db_close(db));
    }
}

static void a_damaged_foreign_file_is_refused_and_left_as_it_is(void **state)
{
    fixture *fix = *state;
    ref_db_options plain = {0};
    ref_db *db;
    make_alone(fix, at_home(fix, "f.db"), 100);
    file_flip(at_home(fix, "f.db"), 3 * 512 + 99, 1);
    env_open(fix);
    uint64_t size = file_size(at_home(fix, "f.db"));
    assert_fails(ref_db_open(fix->env, NULL, "f.db", &plain, &db), REF_CORRUPT, "page 3");
    assert_int_equal(file_size(at_home(fix, "f.db")), size);
    assert_false(file_exists(at_home(fix, "f.db" REF_ADOPT_SUFFIX)));
    /* pages that are sound, but no tree */
    make_alone(fix, at_home(fix, "g.db"), 100);
    uint8_t *bytes = file_read(at_home(fix, "g.db"), &(size_t){0});
    ref_put32(bytes + REF_META_AT_ROOT, 2);
    ref_page_seal(bytes, 512);
    file_write(at_home(fix, "g.db"), bytes, (size_t)file_size(at_home(fix, "g.db")));
    free(bytes);
    assert_fails(ref_db_open(fix->env, NULL, "g.db", &plain, &db), REF_CORRUPT, "g.db");
    assert_ok(ref_env_state(fix->env));
}

static void every_fault_of_an_adoption_leaves_the_file_to_be_adopted_again(void **state)
{
    fixture *fix = *state;
    ref_db_options plain = {0};
    bool fired = true;
    uint64_t nth = 1;
    for (; fired; nth++) {
        fault_rule rule = {.kinds = FAULT_ALL, .nth = nth, .error = EIO, .manner = FAULT_ONCE};
        ref_db *db;
        tree_remove(fix->home);
        dir_make(fix->home);
        make_alone(fix, at_home(fix, "f.db"), 12);
        env_open(fix);
        fault_set(&fix->vfs, &rule);
        if (ref_db_open(fix->env, NULL, "f.db", &plain, &db) == 0) {
            ref_db_close(db);
        }
        fired = fault_injected(&fix->vfs) > 0;
        env_crash(fix);
        env_open(fix);
        db = db_open(fix->env, "f.db");
        expect_numbers(db, 12);
        assert_ok(ref_db_close(db));
        env_close(fix);
        assert_int_equal(fix->vfs.open_files, 0);
    }
    assert_true(nth > 30);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_database_alone_keeps_what_was_synced_or_closed),
    SCRATCH_TEST(a_database_alone_that_is_missing_or_there_is_said_to_be),
    SCRATCH_TEST(a_database_alone_has_transactions_only_in_memory),
    SCRATCH_TEST(a_failed_write_of_a_database_alone_is_reported),
    SCRATCH_TEST(a_database_of_an_environment_can_be_changed_alone_and_brought_back),
    SCRATCH_TEST(a_foreign_file_is_adopted_and_then_recovered_like_any_other),
    SCRATCH_TEST(a_database_of_another_environment_is_adopted),
    SCRATCH_TEST(an_adoption_that_is_aborted_leaves_the_file),
    SCRATCH_TEST(an_adoption_whose_commit_fails_leaves_the_file),
    SCRATCH_TEST(an_adopted_database_can_be_renamed_and_removed_in_the_same_transaction),
    SCRATCH_TEST(nothing_is_adopted_while_a_backup_runs),
    SCRATCH_TEST(a_damaged_foreign_file_is_refused_and_left_as_it_is),
    SCRATCH_TEST(every_fault_of_an_adoption_leaves_the_file_to_be_adopted_again),
};

TEST_MAIN(tests)
