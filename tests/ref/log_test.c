/*
 * The log's end: a torn tail is cut, and every place at which a crash can leave the log gives a
 * prefix of the commits.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/internal.h"
#include "engine/log.h"
#include "log_map.h"

#define COMMITS 12u /* of short_log(), the creation of the database among them */
#define TINY_SEGMENT 800u

/* A home whose log has several short segments and nothing else of any content: the database was
 * never checkpointed. The environment is crashed. */
static void short_log(fixture *fix)
{
    env_open(fix);
    fix->env->segment_size = TINY_SEGMENT;
    ref_db *db = db_make(fix->env, "a.db");
    for (uint32_t i = 2; i <= COMMITS; i++) {
        assert_ok(put_number(db, NULL, i, i, 20 + i));
    }
    assert_ok(ref_db_close(db));
    env_crash(fix);
    assert_true(last_segment(fix->home) >= 3);
}

/* Opens the home and asserts that it holds the first `commits` commits and nothing else. */
static void expect_commits(fixture *fix, const char *home, uint64_t commits)
{
    ref_env *env;
    uint32_t value;
    assert_ok(env_open_at(fix, home, &env));
    assert_int_equal(db_exists(env, "a.db"), commits >= 1);
    if (commits >= 1) {
        ref_db *db = db_open(env, "a.db");
        assert_int_equal(db_verify(db), commits - 1);
        for (uint32_t i = 2; i <= COMMITS; i++) {
            int error = get_number(db, NULL, i, &value);
            assert_int_equal(error, i <= commits ? 0 : REF_NOTFOUND);
            assert_true(error != 0 || value == i);
        }
        assert_ok(ref_db_close(db));
    }
    assert_ok(ref_env_close(env));
}

/* A copy of the home without control file, in dir/copy. */
static const char *copy_of_home(fixture *fix, char *copy)
{
    char control[FIXTURE_PATH];
    snprintf(copy, FIXTURE_PATH, "%.900s/copy", fix->dir);
    tree_remove(copy);
    tree_copy(fix->home, copy);
    snprintf(control, sizeof control, "%.900s/" REF_CONTROL_NAME, copy);
    unlink(control);
    return copy;
}

/* ---- placing ---- */

static void a_group_that_does_not_fit_begins_the_next_segment(void **state)
{
    fixture *fix = *state;
    log_map map;
    short_log(fix);
    log_map_read(fix->home, &map);
    assert_int_equal(map.places[map.count - 1].commits, COMMITS);
    for (size_t i = 0; i < map.count; i++) {
        const log_place *place = &map.places[i];
        /* no group crosses a segment, and each segment begins with a catalog */
        assert_int_equal(REF_LSN_SEGMENT(place->group), REF_LSN_SEGMENT(place->lsn));
        assert_int_equal(
            place->type == REF_RECORD_CATALOG, REF_LSN_OFFSET(place->lsn) == REF_SEGMENT_HEADER);
        assert_true(REF_LSN_OFFSET(place->lsn) + place->length <= TINY_SEGMENT);
    }
    log_map_free(&map);
}

static void each_segment_says_where_the_one_before_ended(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    uint64_t end = 0, incarnation = 0;
    short_log(fix);
    for (uint32_t number = 1; number <= last_segment(fix->home); number++) {
        ref_segment segment;
        assert_ok(ref_segment_load(ref_vfs_posix(), fix->home, number, &segment, NULL));
        /* the first one goes on from a place that never was: segment 0 */
        assert_int_equal(segment.header.previous_end, end);
        assert_int_equal(segment.header.previous_incarnation, incarnation);
        end = (uint64_t)number << 32 | file_size(segment_path(fix->home, number, path));
        incarnation = segment.header.incarnation;
        ref_segment_unload(&segment);
    }
}

static void a_group_larger_than_a_segment_makes_a_larger_segment(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    uint32_t value;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put_number(db, NULL, 1, 1, 10));
    assert_ok(put_number(db, NULL, 2, 2, 300000));
    assert_ok(put_number(db, NULL, 3, 3, 10));
    assert_ok(ref_db_close(db));
    env_crash(fix);
    uint64_t largest = 0;
    for (uint32_t number = 1; number <= last_segment(fix->home); number++) {
        uint64_t size = file_size(segment_path(fix->home, number, path));
        largest = size > largest ? size : largest;
    }
    assert_true(largest > 300000);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    for (uint32_t i = 1; i <= 3; i++) {
        assert_ok(get_number(db, NULL, i, &value));
        assert_int_equal(value, i);
    }
    assert_ok(ref_db_close(db));
}

/* ---- cut off ---- */

static void every_truncation_of_a_log_gives_a_prefix_of_the_commits(void **state)
{
    fixture *fix = *state;
    char copy[FIXTURE_PATH];
    log_map map;
    unsigned tried = 0;
    short_log(fix);
    log_map_read(fix->home, &map);
    uint64_t end = log_map_end(&map);
    for (uint32_t segment = map.oldest; segment <= map.newest; segment++) {
        uint64_t size = file_size(segment_path(fix->home, segment, copy));
        /* Without a sound header there is no first segment, and nothing to open. */
        for (uint64_t at = segment == 1 ? REF_SEGMENT_HEADER : 0; at <= size; at++, tried++) {
            uint64_t lsn = (uint64_t)segment << 32 | at;
            copy_of_home(fix, copy);
            log_cut(copy, lsn);
            expect_commits(fix, copy, log_map_commits(&map, lsn));
        }
    }
    assert_true(tried > 2500);
    assert_int_equal(log_map_commits(&map, end), COMMITS);
    log_map_free(&map);
}

static void a_log_is_never_shorter_than_the_control_file_says(void **state)
{
    fixture *fix = *state;
    char copy[FIXTURE_PATH];
    log_map map;
    ref_control control;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put_number(db, NULL, 2, 2, 20));
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(put_number(db, NULL, 3, 3, 20));
    assert_ok(ref_db_close(db));
    env_crash(fix);
    log_map_read(fix->home, &map);
    assert_ok(ref_control_read(ref_vfs_posix(), fix->home, &control));
    assert_true(control.durable < log_map_end(&map));
    for (uint64_t lsn = log_map_end(&map); REF_LSN_OFFSET(lsn) > 0; lsn--) {
        snprintf(copy, sizeof copy, "%.900s/copy", fix->dir);
        tree_remove(copy);
        tree_copy(fix->home, copy);
        log_cut(copy, lsn);
        if (lsn >= control.durable) {
            expect_commits(fix, copy, log_map_commits(&map, lsn));
            continue;
        }
        ref_env *env;
        assert_fails(env_open_at(fix, copy, &env), REF_CORRUPT, "log.0000000001: offset ");
    }
    log_map_free(&map);
}

/* ---- a torn tail ---- */

/* Appends bytes to the newest segment. */
static void append(fixture *fix, const void *bytes, size_t size)
{
    char path[FIXTURE_PATH];
    segment_path(fix->home, last_segment(fix->home), path);
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void what_is_written_after_a_torn_tail_goes_to_a_new_segment(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    short_log(fix);
    uint32_t segment = last_segment(fix->home);
    uint64_t size = file_size(segment_path(fix->home, segment, path));
    append(fix, "\1\2\3\4\5\6\7\10\11", 9);
    expect_commits(fix, fix->home, COMMITS);
    assert_int_equal(file_size(path), size); /* cut off */
    env_open(fix);
    ref_db *db = db_open(fix->env, "a.db");
    assert_ok(del(db, NULL, "k00002"));
    assert_ok(put_number(db, NULL, 2, 2, 99));
    assert_ok(ref_db_close(db));
    env_crash(fix);
    expect_commits(fix, fix->home, COMMITS);
}

static void the_bytes_of_a_tail_are_not_taken_for_records_later(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    size_t size;
    /* The last commit is torn in its middle: its end, with the commit record, is on the disk. */
    short_log(fix);
    segment_path(fix->home, last_segment(fix->home), path);
    uint8_t *bytes = file_read(path, &size);
    log_map map;
    log_map_read(fix->home, &map);
    uint64_t group = map.places[map.count - 1].group;
    assert_true(REF_LSN_OFFSET(group) + 64 < size);
    memset(bytes + REF_LSN_OFFSET(group) + 8, 0, 24);
    file_write(path, bytes, size);
    free(bytes);
    expect_commits(fix, fix->home, COMMITS - 1);
    /* A change of the same size in its place must not wake the end of the torn one. */
    env_open(fix);
    ref_db *db = db_open(fix->env, "a.db");
    assert_ok(put_number(db, NULL, COMMITS, COMMITS, 20 + COMMITS));
    assert_ok(ref_db_close(db));
    env_crash(fix);
    expect_commits(fix, fix->home, COMMITS);
    log_map_free(&map);
}

static void a_long_tail_that_looks_like_records_is_cut_in_no_time(void **state)
{
    fixture *fix = *state;
    enum { TAIL = 8 << 20 };
    char path[FIXTURE_PATH];
    size_t size;
    short_log(fix);
    segment_path(fix->home, last_segment(fix->home), path);
    uint8_t *bytes = file_read(path, &size);
    bytes = realloc(bytes, size + TAIL);
    assert_non_null(bytes);
    memset(bytes + size, 0, TAIL);
    for (uint32_t at = 0; at < TAIL; at += 16) {
        ref_put32(bytes + size + at + 4, TAIL - at);
        bytes[size + at + 8] = REF_RECORD_COMMIT;
    }
    file_write(path, bytes, size + TAIL);
    free(bytes);
    expect_commits(fix, fix->home, COMMITS);
    assert_int_equal(file_size(path), size);
}

static void a_torn_segment_header_holds_nothing(void **state)
{
    fixture *fix = *state;
    static const size_t sizes[] = {0, 1, 100, 127, 128, 512, 4096};
    char path[FIXTURE_PATH];
    short_log(fix);
    uint32_t next = last_segment(fix->home) + 1;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *bytes = calloc(1, sizes[i] + 1);
        assert_non_null(bytes);
        if (i % 2 == 1) {
            memcpy(bytes, REF_SEGMENT_MAGIC, sizes[i] < 8 ? sizes[i] : 8);
        }
        file_write(segment_path(fix->home, next, path), bytes, sizes[i]);
        free(bytes);
        expect_commits(fix, fix->home, COMMITS);
        assert_false(file_exists(path));
    }
}

/* As the catalog has it: who opens one by its name would find its file, too. */
static void expect_one_database(ref_env *env)
{
    char **names;
    size_t count;
    assert_ok(ref_env_databases(env, &names, &count));
    assert_int_equal(count, 1);
    free(names[0]);
    free(names);
}

/* A catalog of many databases is more than one sector. */
static void a_segment_whose_catalog_is_torn_holds_nothing(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    short_log(fix);
    uint32_t next = last_segment(fix->home) + 1;
    log_cut(fix->home, (uint64_t)(next - 1) << 32 | (REF_SEGMENT_HEADER + 8));
    for (unsigned i = 0; i < 3; i++) {
        env_open(fix);
        expect_one_database(fix->env);
        env_close(fix);
    }
    assert_false(file_exists(segment_path(fix->home, next - 1, path)));
    env_open(fix);
    ref_db *db = db_open(fix->env, "a.db");
    assert_ok(put_number(db, NULL, 77, 77, 20));
    assert_ok(ref_db_close(db));
    env_crash(fix);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    uint32_t value;
    assert_ok(get_number(db, NULL, 77, &value));
    assert_ok(ref_db_close(db));
}

static void a_torn_segment_that_was_durable_is_damage(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    ref_env *env;
    short_log(fix);
    env_open(fix);
    env_close(fix); /* its control file knows the whole log */
    uint32_t segment = last_segment(fix->home);
    file_cut(segment_path(fix->home, segment, path), 100);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, strrchr(path, '/'));
    assert_null(env);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_group_that_does_not_fit_begins_the_next_segment),
    SCRATCH_TEST(each_segment_says_where_the_one_before_ended),
    SCRATCH_TEST(a_group_larger_than_a_segment_makes_a_larger_segment),
    SCRATCH_TEST(every_truncation_of_a_log_gives_a_prefix_of_the_commits),
    SCRATCH_TEST(a_log_is_never_shorter_than_the_control_file_says),
    SCRATCH_TEST(what_is_written_after_a_torn_tail_goes_to_a_new_segment),
    SCRATCH_TEST(the_bytes_of_a_tail_are_not_taken_for_records_later),
    SCRATCH_TEST(a_long_tail_that_looks_like_records_is_cut_in_no_time),
    SCRATCH_TEST(a_torn_segment_header_holds_nothing),
    SCRATCH_TEST(a_segment_whose_catalog_is_torn_holds_nothing),
    SCRATCH_TEST(a_torn_segment_that_was_durable_is_damage),
};

TEST_MAIN(tests)
