/* Checkpoints, the redo point, and the log segments that hang on it. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/internal.h"
#include "log_map.h"

/* Commits until there are so many segments. */
static void fill_segments(ref_db *db, const char *home, uint32_t segments)
{
    ref_txn_options options = {.no_sync = true};
    for (uint32_t i = 0; last_segment(home) < segments; i++) {
        ref_txn *txn = begin(ref_db_env(db), &options);
        assert_ok(put_number(db, txn, i % 30, i, 300));
        ref_txn_set_no_sync(txn, i % 8 != 0);
        assert_ok(ref_txn_commit(txn));
        assert_true(i < 100000);
    }
}

static uint64_t redo_of(fixture *fix)
{
    ref_control control;
    assert_ok(ref_control_read(ref_vfs_posix(), fix->home, &control));
    return control.redo;
}

static void a_checkpoint_makes_the_files_whole_by_themselves(void **state)
{
    fixture *fix = *state;
    char copy[FIXTURE_PATH];
    ref_db_options plain = {0};
    ref_db *db, *alone;
    uint32_t value;
    env_open(fix);
    db = db_make(fix->env, "a.db");
    for (uint32_t i = 0; i < 100; i++) {
        assert_ok(put_number(db, NULL, i, i, 300));
    }
    assert_ok(ref_checkpoint(fix->env, false));
    assert_int_equal(fix->env->cache.dirty_bytes, 0);
    snprintf(copy, sizeof copy, "%.900s/alone.db", fix->dir);
    file_copy(at_home(fix, "a.db"), copy);
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, copy, &plain, &alone));
    assert_int_equal(db_verify(alone), 100);
    assert_ok(get_number(alone, NULL, 99, &value));
    assert_ok(ref_db_close(alone));
    assert_ok(ref_db_close(db));
}

static void nothing_to_do_is_nothing_done_unless_forced(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put(db, NULL, "k", "v"));
    assert_ok(ref_checkpoint(fix->env, false));
    uint64_t changes = fault_count(&fix->vfs, FAULT_CHANGES), redo = redo_of(fix);
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(ref_db_sync(db));
    assert_int_equal(fault_count(&fix->vfs, FAULT_CHANGES), changes);
    assert_int_equal(redo_of(fix), redo);
    assert_ok(ref_checkpoint(fix->env, true));
    assert_true(redo_of(fix) > redo);
    assert_ok(ref_db_close(db));
}

static void the_redo_point_rises_only_when_everything_is_written(void **state)
{
    fixture *fix = *state;
    static const struct {
        fault_kind kind;
        const char *path;
    } faults[] = {{FAULT_WRITE, "a.db"}, {FAULT_FSYNC, "a.db"}, {FAULT_WRITE, "log."},
        {FAULT_FSYNC, "log."}, {FAULT_WRITE, REF_CONTROL_NAME}};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint32_t value;
        tree_remove(fix->home);
        dir_make(fix->home);
        env_open(fix);
        ref_db *db = db_make(fix->env, "a.db");
        assert_ok(ref_checkpoint(fix->env, false));
        uint64_t redo = redo_of(fix);
        assert_ok(put_number(db, NULL, 1, 1, 100));
        fault_fail_nth(&fix->vfs, FAULT_BIT(faults[i].kind), faults[i].path, 1);
        assert_int_equal(ref_checkpoint(fix->env, false), REF_RUNRECOVERY);
        assert_int_equal(redo_of(fix), redo);
        fault_heal(&fix->vfs);
        assert_ok(ref_db_close(db));
        assert_int_equal(ref_env_close(fix->env), REF_RUNRECOVERY);
        fix->env = NULL;
        env_open(fix);
        db = db_open(fix->env, "a.db");
        assert_ok(get_number(db, NULL, 1, &value));
        assert_ok(ref_db_close(db));
        env_close(fix);
    }
}

static void the_first_change_of_a_page_after_a_checkpoint_logs_all_of_it(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put(db, NULL, "k", "0"));
    for (int round = 0; round < 3; round++) {
        char value[2] = {(char)('a' + 2 * round), '\0'};
        assert_ok(ref_checkpoint(fix->env, true));
        uint64_t at = ref_log_end(fix->env->log);
        for (int i = 0; i < 2; i++) {
            assert_ok(put(db, NULL, "k", value));
            value[0]++;
        }
        ref_segment segment;
        ref_record record;
        assert_ok(
            ref_segment_load(ref_vfs_posix(), fix->home, REF_LSN_SEGMENT(at), &segment, NULL));
        uint32_t flags[2], seen = 0;
        for (size_t offset = REF_LSN_OFFSET(at); offset < segment.size; offset += record.length) {
            assert_true(ref_record_parse(
                segment.bytes + offset, segment.size - offset, (at >> 32 << 32) + offset, &record));
            if (record.type == REF_RECORD_PAGE) {
                assert_true(seen < 2);
                flags[seen++] = record.flags & REF_RECORD_FULL;
            }
        }
        ref_segment_unload(&segment);
        assert_int_equal(seen, 2);
        assert_true(flags[0] != 0 && flags[1] == 0);
    }
    assert_ok(ref_db_close(db));
}

static void the_age_of_a_checkpoint_is_bytes_and_time(void **state)
{
    fixture *fix = *state;
    uint64_t bytes, before, nanoseconds;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(ref_checkpoint(fix->env, false));
    ref_checkpoint_age(fix->env, &before, &nanoseconds);
    assert_int_equal(before, 0);
    assert_ok(put_number(db, NULL, 1, 1, 1000));
    ref_vfs_posix()->sleep(ref_vfs_posix(), 2000000);
    ref_checkpoint_age(fix->env, &bytes, &nanoseconds);
    assert_true(bytes >= 1000 && bytes < 4000);
    assert_true(nanoseconds >= 2000000);
    assert_ok(ref_checkpoint(fix->env, false));
    ref_checkpoint_age(fix->env, &bytes, &nanoseconds);
    assert_int_equal(bytes, 0);
    assert_ok(ref_db_close(db));
}

static void dirty_pages_beyond_the_cache_cause_a_checkpoint(void **state)
{
    fixture *fix = *state;
    ref_txn_options options = {.no_sync = true};
    fix->options.cache_size = 64u << 10;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    uint64_t redo = redo_of(fix), most = 0;
    for (uint32_t i = 0; i < 600; i++) {
        ref_txn *txn = begin(fix->env, &options);
        assert_ok(put_number(db, txn, i, i, 400));
        assert_ok(ref_txn_commit(txn));
        most = fix->env->cache.bytes > most ? fix->env->cache.bytes : most;
    }
    assert_true(redo_of(fix) > redo);
    assert_true(most < 128u << 10);
    assert_ok(ref_db_close(db));
}

/* ---- segments ---- */

static void segments_before_the_redo_point_are_removable(void **state)
{
    fixture *fix = *state;
    uint32_t *numbers;
    size_t count;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    fill_segments(db, fix->home, 5);
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_REMOVABLE, &numbers, &count));
    assert_int_equal(count, 0);
    assert_null(numbers);
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_REMOVABLE, &numbers, &count));
    assert_true(count >= 4);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(numbers[i], i + 1);
    }
    free(numbers);
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_REMOVE, &numbers, &count));
    assert_null(numbers);
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_ALL, &numbers, &count));
    assert_int_equal(count, 1);
    char *path = ref_log_path(fix->env, numbers[0]);
    assert_true(file_exists(path));
    free(path);
    free(numbers);
    assert_ok(ref_db_close(db));
    env_crash(fix);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_int_equal(db_verify(db), 30);
    assert_ok(ref_db_close(db));
}

static void automatic_removal_follows_each_checkpoint(void **state)
{
    fixture *fix = *state;
    uint32_t *numbers;
    size_t count;
    fix->options.log_auto_remove = true;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    fill_segments(db, fix->home, 4);
    assert_true(file_exists(at_home(fix, "log.0000000001")));
    assert_ok(ref_checkpoint(fix->env, false));
    assert_false(file_exists(at_home(fix, "log.0000000001")));
    ref_env_set_log_auto_remove(fix->env, false);
    fill_segments(db, fix->home, 8);
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_ALL, &numbers, &count));
    assert_true(count >= 4);
    free(numbers);
    assert_ok(ref_db_close(db));
}

static void a_pin_keeps_the_segments_from_its_redo_point_on(void **state)
{
    fixture *fix = *state;
    uint32_t *numbers;
    size_t count;
    ref_pin first, second;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    fill_segments(db, fix->home, 3);
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(ref_pin_take(fix->env, &first));
    uint32_t from = REF_LSN_SEGMENT(first.redo);
    fill_segments(db, fix->home, from + 3);
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(ref_pin_take(fix->env, &second));
    fill_segments(db, fix->home, from + 6);
    assert_ok(ref_checkpoint(fix->env, false));
    for (int dropped = 0; dropped < 3; dropped++) {
        uint32_t kept = dropped == 0   ? from
                        : dropped == 1 ? REF_LSN_SEGMENT(second.redo)
                                       : REF_LSN_SEGMENT(redo_of(fix));
        assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_REMOVE, &numbers, &count));
        assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_ALL, &numbers, &count));
        assert_int_equal(numbers[0], kept);
        free(numbers);
        if (dropped < 2) {
            ref_pin_drop(fix->env, dropped == 0 ? &first : &second);
        }
    }
    assert_ok(ref_db_close(db));
}

static void a_failed_removal_of_a_segment_is_no_end(void **state)
{
    fixture *fix = *state;
    uint32_t *numbers;
    size_t count;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    fill_segments(db, fix->home, 4);
    assert_ok(ref_checkpoint(fix->env, false));
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_UNLINK), "log.", 2);
    assert_fails(ref_log_archive(fix->env, REF_ARCHIVE_REMOVE, &numbers, &count), EIO, "log.");
    assert_ok(ref_env_state(fix->env));
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_REMOVE, &numbers, &count));
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_ALL, &numbers, &count));
    assert_int_equal(count, 1);
    free(numbers);
    assert_ok(ref_db_close(db));
}

/* ---- what crashes leave ---- */

typedef struct order {
    uint32_t created;  /* newest segment made and not known by the directory's sync */
    bool out_of_order; /* one was made before the sync of the one before */
} order;

static void watch_order(void *context, fault_kind kind, const char *path)
{
    order *seen = context;
    const char *name = path != NULL ? strstr(path, "/log.") : NULL;
    if (kind == FAULT_CREATE && name != NULL) {
        seen->out_of_order = seen->out_of_order || seen->created != 0;
        seen->created = ref_segment_of_name(name + 1);
    } else if (kind == FAULT_FSYNC_DIR) {
        seen->created = 0;
    }
}

static void a_segments_name_is_durable_before_there_is_a_later_one(void **state)
{
    fixture *fix = *state;
    ref_txn_options options = {.no_sync = true};
    order seen = {0};
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    fix->vfs.before_context = &seen;
    fix->vfs.before = watch_order;
    for (uint32_t i = 0; i < 40; i++) { /* several segments, written by one sync */
        ref_txn *txn = begin(fix->env, &options);
        assert_ok(put_number(db, txn, i, i, 4000));
        assert_ok(ref_txn_commit(txn));
    }
    assert_ok(ref_log_flush(fix->env));
    fix->vfs.before = NULL;
    assert_false(seen.out_of_order);
    assert_true(last_segment(fix->home) > 5);
    assert_ok(ref_db_close(db));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_checkpoint_makes_the_files_whole_by_themselves),
    SCRATCH_TEST(nothing_to_do_is_nothing_done_unless_forced),
    SCRATCH_TEST(the_redo_point_rises_only_when_everything_is_written),
    SCRATCH_TEST(the_first_change_of_a_page_after_a_checkpoint_logs_all_of_it),
    SCRATCH_TEST(the_age_of_a_checkpoint_is_bytes_and_time),
    SCRATCH_TEST(dirty_pages_beyond_the_cache_cause_a_checkpoint),
    SCRATCH_TEST(segments_before_the_redo_point_are_removable),
    SCRATCH_TEST(automatic_removal_follows_each_checkpoint),
    SCRATCH_TEST(a_pin_keeps_the_segments_from_its_redo_point_on),
    SCRATCH_TEST(a_failed_removal_of_a_segment_is_no_end),
    SCRATCH_TEST(a_segments_name_is_durable_before_there_is_a_later_one),
};

TEST_MAIN(tests)
