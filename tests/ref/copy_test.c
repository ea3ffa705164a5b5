/*
 * Copies: homes with a log and without a control file, as a backup makes them. (These are made by
 * copying a closed or crashed home.)
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/internal.h"
#include "log_map.h"

/* dir/copy: the home without control file, of a crashed environment with `count` records. */
static const char *make_copy(fixture *fix, uint32_t count, char *copy)
{
    char control[FIXTURE_PATH];
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(put_number(db, NULL, i, i, 60));
        if (i == count / 2) {
            assert_ok(ref_checkpoint(fix->env, false));
        }
    }
    assert_ok(ref_db_close(db));
    env_crash(fix);
    snprintf(copy, FIXTURE_PATH, "%.900s/copy", fix->dir);
    tree_copy(fix->home, copy);
    snprintf(control, sizeof control, "%.900s/" REF_CONTROL_NAME, copy);
    assert_int_equal(unlink(control), 0);
    return copy;
}

static void expect_count(ref_env *env, uint32_t count)
{
    ref_db *db = db_open(env, "a.db");
    assert_int_equal(db_verify(db), count);
    assert_ok(ref_db_close(db));
}

static void read_header(const char *home, uint32_t number, ref_segment_header *out)
{
    ref_segment segment;
    assert_ok(ref_segment_load(ref_vfs_posix(), home, number, &segment, NULL));
    *out = segment.header;
    ref_segment_unload(&segment);
}

static uint64_t log_bytes(const char *home)
{
    char path[FIXTURE_PATH];
    uint64_t bytes = 0;
    for (uint32_t number = 1; number <= last_segment(home); number++) {
        bytes += file_size(segment_path(home, number, path));
    }
    return bytes;
}

static void recovery_of_a_copy_appends_nothing_to_its_log(void **state)
{
    fixture *fix = *state;
    char copy[FIXTURE_PATH];
    ref_env *env;
    make_copy(fix, 50, copy);
    uint32_t segment = last_segment(copy);
    uint64_t bytes = log_bytes(copy);
    for (int round = 0; round < 3; round++) {
        assert_ok(env_open_at(fix, copy, &env));
        expect_count(env, 50);
        assert_ok(ref_checkpoint(env, false));
        assert_ok(ref_env_close(env));
        assert_int_equal(last_segment(copy), segment);
        assert_int_equal(log_bytes(copy), bytes);
    }
}

static void a_copy_that_is_written_to_becomes_another_history(void **state)
{
    fixture *fix = *state;
    char copy[FIXTURE_PATH], path[FIXTURE_PATH];
    ref_segment_header before, after;
    ref_env *env;
    make_copy(fix, 50, copy);
    uint32_t segment = last_segment(copy);
    uint64_t size = file_size(segment_path(copy, segment, path));
    read_header(copy, segment, &before);
    assert_ok(env_open_at(fix, copy, &env));
    ref_db *db = db_open(env, "a.db");
    assert_ok(put_number(db, NULL, 50, 50, 60));
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(env));
    /* a new segment, which says what it goes on from */
    assert_int_equal(last_segment(copy), segment + 1);
    assert_int_equal(file_size(path), size);
    read_header(copy, segment + 1, &after);
    assert_int_equal(after.previous_incarnation, before.incarnation);
    assert_int_not_equal(after.incarnation, before.incarnation);
    assert_true(ref_id_equal(&after.environment, &before.environment));
    /* from then on it is an environment like any other */
    for (int round = 0; round < 2; round++) {
        assert_ok(env_open_at(fix, copy, &env));
        expect_count(env, 51);
        db = db_open(env, "a.db");
        assert_ok(put_number(db, NULL, 0, 100 + (uint32_t)round, 60));
        assert_ok(ref_db_close(db));
        assert_ok(ref_env_close(env));
        ref_segment_header now;
        read_header(copy, last_segment(copy), &now);
        assert_int_equal(now.incarnation, after.incarnation);
    }
}

static void the_log_of_the_source_no_longer_fits_a_copy_that_was_written_to(void **state)
{
    fixture *fix = *state;
    char copy[FIXTURE_PATH], path[FIXTURE_PATH];
    ref_env *env;
    make_copy(fix, 20, copy);
    uint32_t segment = last_segment(copy);
    assert_ok(env_open_at(fix, copy, &env));
    ref_db *db = db_open(env, "a.db");
    assert_ok(put_number(db, NULL, 20, 20, 60));
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(env));
    /* the source goes on, too, and begins the segment after its own next one */
    env_open(fix);
    db = db_open(fix->env, "a.db");
    for (uint32_t i = 0; last_segment(fix->home) < segment + 2; i++) {
        assert_ok(put_number(db, NULL, 100 + i % 50, i, 60));
    }
    assert_ok(ref_db_close(db));
    env_close(fix);
    char name[32];
    snprintf(name, sizeof name, "log.%010u", segment + 2);
    snprintf(path, sizeof path, "%.900s/%s", copy, name);
    file_copy(at_home(fix, name), path);
    assert_fails(env_open_at(fix, copy, &env), REF_CORRUPT, "log.000000000");
}

static void a_copy_with_a_damaged_segment_header_is_refused_with_create_too(void **state)
{
    fixture *fix = *state;
    char copy[FIXTURE_PATH], path[FIXTURE_PATH];
    ref_env *env;
    make_copy(fix, 5, copy);
    assert_int_equal(last_segment(copy), 1);
    file_flip(segment_path(copy, 1, path), 50, 1);
    uint64_t before = tree_hash(copy, REF_LOCK_NAME);
    fix->options.create = true;
    assert_fails(env_open_at(fix, copy, &env), REF_CORRUPT, "log.0000000001: offset 0");
    fix->options.create = false;
    assert_fails(env_open_at(fix, copy, &env), REF_CORRUPT, "log.0000000001: offset 0");
    assert_int_equal(tree_hash(copy, REF_LOCK_NAME), before);
}

static void an_interrupted_creation_can_be_repeated(void **state)
{
    fixture *fix = *state;
    static const uint8_t zeros[300];
    static const size_t sizes[] = {0, 5, 127, 128, 200};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        tree_remove(fix->home);
        dir_make(fix->home);
        file_write(at_home(fix, "log.0000000001"), zeros, sizes[i]);
        env_open(fix);
        ref_db *db = db_make(fix->env, "a.db");
        assert_ok(put(db, NULL, "k", "v"));
        assert_ok(ref_db_close(db));
        env_close(fix);
        env_open(fix);
        expect_count(fix->env, 1);
        env_close(fix);
    }
}

static void a_copy_whose_files_are_newer_than_its_log_is_refused(void **state)
{
    fixture *fix = *state;
    char copy[FIXTURE_PATH];
    log_map map;
    ref_env *env;
    make_copy(fix, 50, copy); /* checkpointed at the 26th */
    log_map_read(copy, &map);
    for (size_t i = 0; i < map.count; i++) {
        if (map.places[i].commits == 20) {
            log_cut(copy, map.places[i].lsn + map.places[i].length);
            break;
        }
    }
    assert_fails(env_open_at(fix, copy, &env), REF_CORRUPT, "beyond the log's end");
    assert_non_null(strstr(ref_error_text(), "a.db: page"));
    log_map_free(&map);
}

static void a_copy_spread_over_directories_is_recovered_where_it_lies(void **state)
{
    fixture *fix = *state;
    static const char *const dirs[] = {"data"};
    char copy[FIXTURE_PATH], flat[FIXTURE_PATH], path[FIXTURE_PATH];
    ref_env *env;
    dir_make(at_home(fix, "data"));
    dir_make(at_home(fix, "data/sub"));
    dir_make(at_home(fix, "logs"));
    fix->options.data_dirs = dirs;
    fix->options.data_dir_count = 1;
    fix->options.log_dir = "logs";
    env_open(fix);
    ref_db *db = db_make(fix->env, "sub/a.db");
    assert_ok(put(db, NULL, "k", "1"));
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(put(db, NULL, "k", "2"));
    assert_ok(ref_db_close(db));
    env_crash(fix);
    /* with its directories */
    snprintf(copy, sizeof copy, "%.900s/copy", fix->dir);
    tree_copy(fix->home, copy);
    snprintf(path, sizeof path, "%.900s/" REF_CONTROL_NAME, copy);
    assert_int_equal(unlink(path), 0);
    assert_ok(env_open_at(fix, copy, &env));
    db = db_open(env, "sub/a.db");
    expect(db, NULL, "k", "2");
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(env));
    /* all in one */
    snprintf(flat, sizeof flat, "%.900s/flat", fix->dir);
    dir_make(flat);
    snprintf(path, sizeof path, "%.900s/a.db", flat);
    file_copy(at_home(fix, "data/sub/a.db"), path);
    snprintf(path, sizeof path, "%.900s/log.0000000001", flat);
    file_copy(at_home(fix, "logs/log.0000000001"), path);
    fix->options.data_dir_count = 0;
    fix->options.log_dir = NULL;
    assert_ok(env_open_at(fix, flat, &env));
    db = db_open(env, "a.db");
    expect(db, NULL, "k", "2");
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(env));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(recovery_of_a_copy_appends_nothing_to_its_log),
    SCRATCH_TEST(a_copy_that_is_written_to_becomes_another_history),
    SCRATCH_TEST(the_log_of_the_source_no_longer_fits_a_copy_that_was_written_to),
    SCRATCH_TEST(a_copy_with_a_damaged_segment_header_is_refused_with_create_too),
    SCRATCH_TEST(an_interrupted_creation_can_be_repeated),
    SCRATCH_TEST(a_copy_whose_files_are_newer_than_its_log_is_refused),
    SCRATCH_TEST(a_copy_spread_over_directories_is_recovered_where_it_lies),
};

TEST_MAIN(tests)
