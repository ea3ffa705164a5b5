/* Damage in the log is told from a torn tail, and named with file and offset. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/internal.h"
#include "engine/log.h"
#include "log_map.h"

#define COMMITS 12u
#define TINY_SEGMENT 800u

/* As in log_test.c: several short segments, every commit synced, crashed. */
static void short_log(fixture *fix, uint32_t segment_size)
{
    env_open(fix);
    fix->env->segment_size = segment_size;
    ref_db *db = db_make(fix->env, "a.db");
    for (uint32_t i = 2; i <= COMMITS; i++) {
        assert_ok(put_number(db, NULL, i, i, 20 + i));
    }
    assert_ok(ref_db_close(db));
    env_crash(fix);
}

/* "log.NNNNNNNNNN: offset N" of a place. */
static const char *words_for(uint64_t lsn, char *words)
{
    snprintf(
        words, FIXTURE_PATH, "log.%010u: offset %u:", REF_LSN_SEGMENT(lsn), REF_LSN_OFFSET(lsn));
    return words;
}

/* The last place before or at `lsn`. */
static const log_place *place_at(const log_map *map, uint64_t lsn)
{
    size_t i = map->count;
    while (i > 0 && map->places[i - 1].lsn > lsn) {
        i--;
    }
    return i > 0 ? &map->places[i - 1] : NULL;
}

/* What the environment says with one byte of the log damaged; the byte is mended again. */
static int open_damaged(fixture *fix, uint64_t lsn, uint64_t *commits)
{
    char copy[FIXTURE_PATH], path[FIXTURE_PATH];
    ref_env *env;
    snprintf(copy, sizeof copy, "%.900s/copy", fix->dir);
    tree_remove(copy);
    tree_copy(fix->home, copy);
    file_flip(segment_path(copy, REF_LSN_SEGMENT(lsn), path), REF_LSN_OFFSET(lsn), 0x10);
    int error = env_open_at(fix, copy, &env);
    *commits = 0;
    if (error == 0) {
        *commits = env->last_commit;
        assert_ok(ref_env_close(env));
    }
    return error;
}

static void damage_before_a_later_record_is_named_by_file_and_offset(void **state)
{
    fixture *fix = *state;
    char words[FIXTURE_PATH];
    log_map map;
    uint64_t commits;
    short_log(fix, REF_SEGMENT_SIZE_MIN); /* one segment */
    log_map_read(fix->home, &map);
    uint64_t end = log_map_end(&map), last = map.places[map.count - 1].group;
    assert_int_equal(map.newest, 1);
    for (uint64_t lsn = map.places[0].lsn; lsn < end; lsn++) {
        int error = open_damaged(fix, lsn, &commits);
        if (lsn >= last) { /* nobody knew that the last commit was durable: a torn tail */
            assert_ok(error);
            assert_int_equal(commits, COMMITS - 1);
        } else {
            const char *expected = words_for(place_at(&map, lsn)->group, words);
            check_fails(error, REF_CORRUPT, expected, "open", __FILE__, __LINE__);
        }
    }
    log_map_free(&map);
}

static void damage_before_a_later_segment_is_named_by_file_and_offset(void **state)
{
    fixture *fix = *state;
    char words[FIXTURE_PATH];
    log_map map;
    uint64_t commits;
    short_log(fix, TINY_SEGMENT);
    log_map_read(fix->home, &map);
    assert_true(map.newest >= 3);
    for (uint64_t at = 0; at < TINY_SEGMENT && (uint64_t)map.newest << 32 > at; at += 3) {
        uint64_t lsn = (uint64_t)(map.newest - 1) << 32 | at;
        const log_place *place = place_at(&map, lsn);
        if (place->lsn + place->length <= lsn && at >= REF_SEGMENT_HEADER) {
            break; /* behind its end */
        }
        uint64_t named = at < REF_SEGMENT_HEADER ? lsn - at : place->group;
        int error = open_damaged(fix, lsn, &commits);
        check_fails(error, REF_CORRUPT, words_for(named, words), "open", __FILE__, __LINE__);
    }
    log_map_free(&map);
}

static void damage_is_found_in_a_copy_too(void **state)
{
    fixture *fix = *state;
    char words[FIXTURE_PATH], path[FIXTURE_PATH];
    log_map map;
    ref_env *env;
    short_log(fix, TINY_SEGMENT);
    log_map_read(fix->home, &map);
    assert_int_equal(unlink(at_home(fix, REF_CONTROL_NAME)), 0);
    const log_place *place = &map.places[map.count / 2];
    file_flip(segment_path(fix->home, REF_LSN_SEGMENT(place->lsn), path),
        REF_LSN_OFFSET(place->lsn) + place->length - 1, 1);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, words_for(place->group, words));
    log_map_free(&map);
}

static void damage_before_a_torn_segment_is_no_torn_tail(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH], words[FIXTURE_PATH];
    log_map map;
    ref_env *env;
    /* A segment is synced before the next one is made, so even a torn one is a witness. */
    short_log(fix, REF_SEGMENT_SIZE_MIN);
    log_map_read(fix->home, &map);
    const log_place *last = &map.places[map.count - 1];
    file_write(segment_path(fix->home, 2, path), "", 0);
    file_flip(segment_path(fix->home, 1, path), REF_LSN_OFFSET(last->lsn) + 20, 1);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, words_for(last->group, words));
    log_map_free(&map);
}

static void a_damaged_header_before_a_commit_that_knew_of_its_segment_is_no_torn_header(
    void **state)
{
    fixture *fix = *state;
    char words[FIXTURE_PATH];
    log_map map;
    uint64_t commits;
    unsigned in_last = 0;
    short_log(fix, 1000);
    log_map_read(fix->home, &map);
    for (size_t i = 0; i < map.count; i++) {
        in_last += REF_LSN_SEGMENT(map.places[i].lsn) == map.newest &&
                   map.places[i].type == REF_RECORD_COMMIT;
    }
    assert_true(map.newest > 1 && in_last > 1);
    for (uint64_t at = 0; at < REF_SEGMENT_HEADER; at += 4) {
        uint64_t start = (uint64_t)map.newest << 32;
        int error = open_damaged(fix, start + at, &commits);
        check_fails(error, REF_CORRUPT, words_for(start, words), "open", __FILE__, __LINE__);
    }
    log_map_free(&map);
}

static void bytes_behind_the_end_of_an_older_segment_are_damage(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH], words[FIXTURE_PATH];
    ref_env *env;
    short_log(fix, TINY_SEGMENT);
    uint64_t size = file_size(segment_path(fix->home, 2, path));
    file_cut(path, size + 8);
    assert_fails(
        env_open_at(fix, fix->home, &env), REF_CORRUPT, words_for((uint64_t)2 << 32 | size, words));
}

/* ---- segments that do not belong together ---- */

static void a_missing_segment_in_the_middle_is_named(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    ref_env *env;
    short_log(fix, TINY_SEGMENT);
    assert_int_equal(unlink(segment_path(fix->home, 2, path)), 0);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "log.0000000002");
    unlink(at_home(fix, REF_CONTROL_NAME));
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "log.0000000002");
}

static void a_log_that_begins_after_the_redo_point_is_refused(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    ref_env *env;
    short_log(fix, TINY_SEGMENT);
    assert_int_equal(unlink(segment_path(fix->home, 1, path)), 0);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "log.0000000001");
}

static void a_home_whose_log_is_gone_is_refused(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH];
    ref_env *env;
    short_log(fix, REF_SEGMENT_SIZE_MIN);
    assert_int_equal(unlink(segment_path(fix->home, 1, path)), 0);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "home: no log segment");
}

static void another_environment(ref_segment_header *header, uint8_t *bytes)
{
    (void)bytes;
    header->environment.bytes[3] ^= 1;
}

static void another_incarnation(ref_segment_header *header, uint8_t *bytes)
{
    (void)bytes;
    header->previous_incarnation ^= 1;
}

static void another_end(ref_segment_header *header, uint8_t *bytes)
{
    (void)bytes;
    header->previous_end += 8;
}

static void another_number(ref_segment_header *header, uint8_t *bytes)
{
    (void)bytes;
    header->number += 1;
}

static void another_version(ref_segment_header *header, uint8_t *bytes)
{
    (void)header;
    if (bytes != NULL) {
        ref_put32(bytes + 8, REF_SEGMENT_VERSION + 1);
    }
}

static void a_segment_that_does_not_continue_the_log_is_refused(void **state)
{
    fixture *fix = *state;
    static const struct {
        void (*change)(ref_segment_header *header, uint8_t *bytes);
        int error;
        const char *words;
    } cases[] = {{another_environment, REF_CORRUPT, "log.0000000002: offset 16"},
        {another_incarnation, REF_CORRUPT, "log.0000000002: offset 40"},
        {another_end, REF_CORRUPT, "log.0000000001: offset"},
        {another_number, REF_CORRUPT, "log.0000000002: offset 12"},
        {another_version, REF_VERSION, "log.0000000002: offset 8"}};
    short_log(fix, TINY_SEGMENT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char copy[FIXTURE_PATH], path[FIXTURE_PATH];
        ref_env *env;
        snprintf(copy, sizeof copy, "%.900s/copy%zu", fix->dir, i);
        tree_copy(fix->home, copy);
        segment_header_change(segment_path(copy, 2, path), cases[i].change);
        assert_fails(env_open_at(fix, copy, &env), cases[i].error, cases[i].words);
    }
}

static void a_log_of_another_environment_than_the_control_file_is_refused(void **state)
{
    fixture *fix = *state;
    char other[FIXTURE_PATH], path[FIXTURE_PATH];
    ref_env *env;
    short_log(fix, REF_SEGMENT_SIZE_MIN);
    snprintf(other, sizeof other, "%.900s/other", fix->dir);
    dir_make(other);
    assert_ok(env_open_at(fix, other, &env));
    ref_db *db = db_make(env, "a.db");
    for (uint32_t i = 2; i <= COMMITS; i++) {
        assert_ok(put_number(db, NULL, i, i, 20 + i));
    }
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(env));
    file_copy(segment_path(other, 1, path), at_home(fix, "log.0000000001"));
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "another environment");
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(damage_before_a_later_record_is_named_by_file_and_offset),
    SCRATCH_TEST(damage_before_a_later_segment_is_named_by_file_and_offset),
    SCRATCH_TEST(damage_is_found_in_a_copy_too),
    SCRATCH_TEST(damage_before_a_torn_segment_is_no_torn_tail),
    SCRATCH_TEST(a_damaged_header_before_a_commit_that_knew_of_its_segment_is_no_torn_header),
    SCRATCH_TEST(bytes_behind_the_end_of_an_older_segment_are_damage),
    SCRATCH_TEST(a_missing_segment_in_the_middle_is_named),
    SCRATCH_TEST(a_log_that_begins_after_the_redo_point_is_refused),
    SCRATCH_TEST(a_home_whose_log_is_gone_is_refused),
    SCRATCH_TEST(a_segment_that_does_not_continue_the_log_is_refused),
    SCRATCH_TEST(a_log_of_another_environment_than_the_control_file_is_refused),
};

TEST_MAIN(tests)
