/*
 * Recovery: whatever prefix of the log is there, the files come to the state of its last commit;
 * and what it cannot mend it names.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/internal.h"
#include "log_map.h"

enum { KEYS = 40, PAGE = 512 };

/* Commit `number` writes a few of the records of each database, some of which grow and shrink. */
static void write_commit(ref_env *env, ref_db *a, ref_db *b, uint32_t number)
{
    ref_txn *txn = begin(env, NULL);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t key = (number * 7 + i * 11) % KEYS;
        size_t size = number % 9 == 0 ? 1500 : 8 + number % 5 * 20;
        assert_ok(put_number(a, txn, key, number, size));
        assert_ok(put_number(b, txn, (key + 3) % KEYS, number, 8));
    }
    if (number % 6 == 0) {
        char name[16];
        snprintf(name, sizeof name, "k%05u", (number * 7) % KEYS);
        assert_ok(del(a, txn, name));
    }
    assert_ok(ref_txn_commit(txn));
}

/* What the databases hold after each commit. */
typedef struct history {
    uint32_t a[80][KEYS], b[80][KEYS]; /* 0: no record */
    uint32_t first;                    /* number of the first write_commit() */
} history;

static void read_state(ref_env *env, const char *name, uint32_t *values)
{
    memset(values, 0, KEYS * sizeof *values);
    if (!db_exists(env, name)) {
        return;
    }
    ref_db *db = db_open(env, name);
    for (uint32_t key = 0; key < KEYS; key++) {
        int error = get_number(db, NULL, key, &values[key]);
        assert_true(error == 0 || error == REF_NOTFOUND);
    }
    db_verify(db);
    assert_ok(ref_db_close(db));
}

/* A crashed home whose last commits, from `first` on, are only in the log. `before` many commits
 * were checkpointed. */
static void make_history(fixture *fix, uint32_t before, uint32_t after, history *past)
{
    memset(past, 0, sizeof *past);
    env_open(fix);
    ref_db *a = db_make(fix->env, "a.db"), *b = db_make(fix->env, "b.db");
    past->first = 3;
    for (uint32_t number = 3; number < 3 + before + after; number++) {
        write_commit(fix->env, a, b, number);
        read_state(fix->env, "a.db", past->a[number]);
        read_state(fix->env, "b.db", past->b[number]);
        if (number == 2 + before) {
            assert_ok(ref_checkpoint(fix->env, false));
        }
    }
    assert_ok(ref_db_close(a));
    assert_ok(ref_db_close(b));
    env_crash(fix);
}

static void expect_state(ref_env *env, const history *past, uint64_t commits)
{
    uint32_t values[KEYS];
    assert_int_equal(env->last_commit, commits);
    read_state(env, "a.db", values);
    assert_memory_equal(values, past->a[commits], sizeof values);
    read_state(env, "b.db", values);
    assert_memory_equal(values, past->b[commits], sizeof values);
}

/* Opens a copy of the home with the log cut at the place. */
static void open_cut(fixture *fix, uint64_t lsn, bool copy, ref_env **env, int *error)
{
    char cut[FIXTURE_PATH], control[FIXTURE_PATH];
    snprintf(cut, sizeof cut, "%.900s/cut", fix->dir);
    snprintf(control, sizeof control, "%.900s/" REF_CONTROL_NAME, cut);
    tree_remove(cut);
    tree_copy(fix->home, cut);
    log_cut(cut, lsn);
    if (copy) {
        assert_int_equal(unlink(control), 0);
    }
    *error = env_open_at(fix, cut, env);
}

/* ---- at every record ---- */

static void a_crash_at_every_record_boundary_gives_a_prefix_of_the_commits(void **state)
{
    fixture *fix = *state;
    history past;
    log_map map;
    ref_control control;
    unsigned refused = 0, opened = 0;
    make_history(fix, 10, 25, &past);
    log_map_read(fix->home, &map);
    assert_ok(ref_control_read(ref_vfs_posix(), fix->home, &control));
    assert_true(map.newest >= 2);
    for (size_t i = 0; i < map.count; i++) {
        uint64_t lsn = map.places[i].lsn + map.places[i].length;
        ref_env *env;
        int error;
        open_cut(fix, lsn, false, &env, &error);
        if (lsn < control.durable) {
            assert_fails(error, REF_CORRUPT, "log.000000000");
            refused++;
            continue;
        }
        assert_ok(error);
        expect_state(env, &past, log_map_commits(&map, lsn));
        assert_ok(ref_env_close(env));
        opened++;
    }
    assert_true(refused > 10 && opened > 50);
    log_map_free(&map);
}

static void a_copy_cut_at_every_record_boundary_gives_a_prefix_or_an_error(void **state)
{
    fixture *fix = *state;
    history past;
    log_map map;
    unsigned refused = 0, opened = 0;
    make_history(fix, 10, 25, &past);
    log_map_read(fix->home, &map);
    for (size_t i = 0; i < map.count; i++) {
        uint64_t lsn = map.places[i].lsn + map.places[i].length;
        ref_env *env;
        int error;
        open_cut(fix, lsn, true, &env, &error);
        uint64_t commits = log_map_commits(&map, lsn);
        if (error == 0 && commits < 2) {
            /* The log does not know a file that is there, and it is not taken for a foreign one. */
            ref_db_options options = {0};
            ref_db *db;
            assert_fails(ref_db_open(env, NULL, "b.db", &options, &db), REF_CORRUPT, "b.db: page");
            assert_ok(ref_env_close(env));
        } else if (error == 0) {
            expect_state(env, &past, commits);
            assert_ok(ref_env_close(env));
            opened++;
        } else { /* files of a later time than the log */
            assert_fails(error, REF_CORRUPT, ".db");
            refused++;
        }
    }
    assert_true(refused > 10 && opened > 50);
    log_map_free(&map);
}

/* ---- twice ---- */

static void recovery_twice_leaves_the_same_bytes(void **state)
{
    fixture *fix = *state;
    static const bool fatal[] = {false, true};
    history past;
    char copy[FIXTURE_PATH];
    make_history(fix, 10, 25, &past);
    for (size_t i = 0; i < 2; i++) {
        uint64_t hash[3];
        ref_env *env;
        snprintf(copy, sizeof copy, "%.900s/twice%zu", fix->dir, i);
        tree_copy(fix->home, copy);
        fix->options.recover_fatal = fatal[i];
        for (int round = 0; round < 3; round++) {
            assert_ok(env_open_at(fix, copy, &env));
            expect_state(env, &past, 37);
            assert_ok(ref_env_close(env));
            hash[round] = tree_hash(copy, REF_CONTROL_NAME);
        }
        assert_int_equal(hash[0], hash[1]);
        assert_int_equal(hash[0], hash[2]);
    }
}

static void normal_and_fatal_recovery_and_that_of_a_copy_agree(void **state)
{
    fixture *fix = *state;
    history past;
    char home[FIXTURE_PATH], control[FIXTURE_PATH];
    uint64_t hash[3];
    make_history(fix, 10, 25, &past);
    for (int way = 0; way < 3; way++) {
        ref_env *env;
        snprintf(home, sizeof home, "%.900s/way%d", fix->dir, way);
        tree_copy(fix->home, home);
        if (way == 2) {
            snprintf(control, sizeof control, "%.900s/" REF_CONTROL_NAME, home);
            assert_int_equal(unlink(control), 0);
        }
        fix->options.recover_fatal = way == 1;
        assert_ok(env_open_at(fix, home, &env));
        expect_state(env, &past, 37);
        assert_ok(ref_env_close(env));
        hash[way] = tree_hash(home, REF_CONTROL_NAME);
    }
    assert_int_equal(hash[0], hash[1]);
    assert_int_equal(hash[0], hash[2]);
}

static void a_cache_smaller_than_what_is_redone_is_enough(void **state)
{
    fixture *fix = *state;
    history past;
    make_history(fix, 10, 60, &past);
    fix->options.cache_size = 2048;
    env_open(fix);
    expect_state(fix->env, &past, 72);
}

/* ---- damaged pages ---- */

static uint64_t page_count(const char *path)
{
    return file_size(path) / PAGE;
}

/* Of a home whose databases were checkpointed and then all changed: every page has an image in the
 * log behind the redo point. */
static void every_page_with_an_image_in_the_log_is_mended(void **state)
{
    fixture *fix = *state;
    static const uint32_t at[] = {0, 20, 300, 511};
    char copy[FIXTURE_PATH], file[FIXTURE_PATH];
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    for (uint32_t round = 0; round < 2; round++) {
        ref_txn *txn = begin(fix->env, NULL);
        for (uint32_t key = 0; key < KEYS; key++) {
            assert_ok(put_number(db, txn, key, round, 60));
        }
        assert_ok(put_number(db, txn, KEYS, round, 2000));
        assert_ok(ref_txn_commit(txn));
        if (round == 0) {
            assert_ok(ref_checkpoint(fix->env, false));
        }
    }
    assert_ok(put(db, NULL, "grow", "the meta page changes when pages are added"));
    assert_ok(put_number(db, NULL, KEYS + 1, 9, 2000));
    assert_ok(ref_db_close(db));
    env_crash(fix);
    uint64_t pages = page_count(at_home(fix, "a.db"));
    assert_true(pages > 10);
    for (uint64_t pgno = 0; pgno < pages; pgno++) {
        for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
            ref_env *env;
            if (pgno == 0 && i > 0) {
                continue; /* its own test */
            }
            snprintf(copy, sizeof copy, "%.900s/copy", fix->dir);
            snprintf(file, sizeof file, "%.900s/a.db", copy);
            tree_remove(copy);
            tree_copy(fix->home, copy);
            file_flip(file, pgno * PAGE + at[i], 0x20);
            assert_ok(env_open_at(fix, copy, &env));
            db = db_open(env, "a.db");
            assert_int_equal(db_verify(db), KEYS + 3);
            assert_ok(ref_db_close(db));
            assert_ok(ref_env_close(env));
        }
    }
}

static void a_page_without_an_image_in_the_log_is_named(void **state)
{
    fixture *fix = *state;
    ref_env *env;
    ref_buffer value = {0};
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    for (uint32_t key = 0; key < KEYS; key++) {
        assert_ok(put_number(db, NULL, key, 1, 60));
    }
    assert_ok(ref_db_close(db));
    env_close(fix); /* nothing to redo */
    file_flip(at_home(fix, "a.db"), 3 * PAGE + 100, 1);
    /* the page is found when it is read, by name */
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_fails(ref_db_verify(db, NULL), REF_CORRUPT, "a.db: page 3: offset 1536: bad checksum");
    assert_ok(ref_db_close(db));
    env_close(fix);
    /* a copy is looked at as a whole; its log has the page */
    uint64_t before = file_size(at_home(fix, "a.db"));
    unlink(at_home(fix, REF_CONTROL_NAME));
    assert_ok(env_open_at(fix, fix->home, &env));
    assert_ok(ref_env_close(env));
    assert_int_equal(file_size(at_home(fix, "a.db")), before);
    /* without the segments that have it, it is named there too */
    file_flip(at_home(fix, "a.db"), 3 * PAGE + 100, 1);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_ok(put(db, NULL, "other", "page"));
    assert_ok(ref_db_close(db));
    assert_ok(ref_checkpoint(fix->env, true));
    uint32_t *numbers;
    size_t count;
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_REMOVE, &numbers, &count));
    env_close(fix);
    unlink(at_home(fix, REF_CONTROL_NAME));
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "a.db: page 3: offset 1536");
    ref_buffer_free(&value);
}

static void deltas_of_a_page_that_cannot_be_trusted_are_not_enough(void **state)
{
    fixture *fix = *state;
    char path[FIXTURE_PATH], words[64];
    log_map map;
    ref_env *env;
    /* the log begins after the page's image: somebody has removed the segment that had it */
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put_number(db, NULL, 1, 1, 60));
    assert_ok(ref_checkpoint(fix->env, false));
    uint32_t key = 2;
    for (; last_segment(fix->home) < 3; key++) {
        assert_ok(put_number(db, NULL, key % 6, key, 60));
    }
    assert_ok(ref_db_close(db));
    env_crash(fix);
    log_map_read(fix->home, &map);
    assert_int_equal(unlink(at_home(fix, REF_CONTROL_NAME)), 0);
    assert_int_equal(unlink(segment_path(fix->home, 1, path)), 0);
    assert_int_equal(unlink(segment_path(fix->home, 2, path)), 0);
    snprintf(words, sizeof words, "a.db: page 1");
    /* the file is older than the log */
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, words);
    /* and when it is damaged besides, no delta makes it known */
    file_flip(at_home(fix, "a.db"), PAGE + 300, 1);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, words);
    log_map_free(&map);
}

static void a_page_of_zeros_in_the_file_is_mended_or_named(void **state)
{
    fixture *fix = *state;
    static const uint8_t zeros[PAGE];
    size_t size;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    for (uint32_t key = 0; key < KEYS; key++) {
        assert_ok(put_number(db, NULL, key, 1, 60));
    }
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(put_number(db, NULL, 0, 2, 60));
    assert_ok(ref_db_close(db));
    env_crash(fix);
    uint8_t *bytes = file_read(at_home(fix, "a.db"), &size);
    /* the leaf of the first record has an image */
    uint32_t leaf = 0;
    for (uint32_t pgno = 1; pgno < size / PAGE && leaf == 0; pgno++) {
        if (ref_page_kind(bytes + pgno * PAGE) == REF_PAGE_LEAF &&
            memmem(bytes + pgno * PAGE, PAGE, "k00000", 6) != NULL) {
            leaf = pgno;
        }
    }
    assert_true(leaf != 0);
    memcpy(bytes + leaf * PAGE, zeros, PAGE);
    file_write(at_home(fix, "a.db"), bytes, size);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_int_equal(db_verify(db), KEYS);
    assert_ok(ref_db_close(db));
    env_close(fix);
    /* nothing has one now */
    memcpy(bytes + leaf * PAGE, zeros, PAGE);
    file_write(at_home(fix, "a.db"), bytes, size);
    free(bytes);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_fails(ref_db_verify(db, NULL), REF_CORRUPT, "all zero");
    assert_ok(ref_db_close(db));
}

static void a_last_page_cut_off_within_its_zeros_is_written_again(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    /* the last page is the short end of a long value */
    assert_ok(put_number(db, NULL, 1, 1, 480 * 3 + 20));
    assert_ok(ref_db_close(db));
    char crashed[FIXTURE_PATH];
    snprintf(crashed, sizeof crashed, "%.900s/crashed", fix->dir);
    tree_copy(fix->home, crashed);
    env_close(fix);
    /* recovery was interrupted while it wrote that page */
    char file[FIXTURE_PATH];
    snprintf(file, sizeof file, "%.900s/a.db", crashed);
    file_copy(at_home(fix, "a.db"), file);
    file_cut(file, file_size(file) - 200);
    snprintf(fix->home, sizeof fix->home, "%.1000s", crashed);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_int_equal(db_verify(db), 1);
    assert_ok(ref_db_close(db));
}

static void a_page_from_beyond_the_logs_end_is_refused(void **state)
{
    fixture *fix = *state;
    char copy[FIXTURE_PATH], newer[FIXTURE_PATH], path[FIXTURE_PATH];
    ref_env *env;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    for (uint32_t key = 0; key < KEYS; key++) {
        assert_ok(put_number(db, NULL, key, 1, 60));
    }
    assert_ok(ref_checkpoint(fix->env, false));
    snprintf(copy, sizeof copy, "%.900s/copy", fix->dir);
    tree_copy(fix->home, copy);
    assert_ok(put_number(db, NULL, 5, 2, 60));
    assert_ok(ref_db_close(db));
    snprintf(newer, sizeof newer, "%.900s/home/a.db", fix->dir);
    env_close(fix);
    /* a database file newer than control file and log: noticed when the page is read */
    snprintf(path, sizeof path, "%.900s/a.db", copy);
    file_copy(newer, path);
    assert_ok(env_open_at(fix, copy, &env));
    db = db_open(env, "a.db");
    assert_fails(ref_db_verify(db, NULL), REF_CORRUPT, "beyond the log's end");
    assert_ok(ref_db_close(db));
    ref_env_close(env);
    /* in a copy, when it is opened */
    snprintf(path, sizeof path, "%.900s/" REF_CONTROL_NAME, copy);
    unlink(path);
    assert_fails(env_open_at(fix, copy, &env), REF_CORRUPT, "beyond the log's end");
    assert_non_null(strstr(ref_error_text(), "a.db: page"));
}

static void a_missing_database_is_named_where_the_log_needs_it(void **state)
{
    fixture *fix = *state;
    history past;
    ref_env *env;
    make_history(fix, 10, 5, &past);
    assert_int_equal(unlink(at_home(fix, "b.db")), 0);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "b.db");
}

/* Whoever removes a database's file by hand is told when it is opened; nobody means to leave an
 * empty one there. */
static void a_database_that_has_lost_its_content_is_named(void **state)
{
    fixture *fix = *state;
    ref_env *env;
    env_open(fix);
    ref_db *db = db_make(fix->env, "b.db");
    assert_ok(put_number(db, NULL, 1, 1, 60));
    assert_ok(ref_db_close(db));
    env_close(fix);
    file_cut(at_home(fix, "b.db"), 0);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "b.db");
    assert_non_null(strstr(ref_error_text(), "empty"));
}

static void a_missing_database_is_named_in_a_copy_although_nothing_is_redone(void **state)
{
    fixture *fix = *state;
    ref_env *env;
    uint32_t *numbers;
    size_t count;
    env_open(fix);
    ref_db *a = db_make(fix->env, "a.db");
    assert_ok(ref_db_close(db_make(fix->env, "b.db")));
    assert_ok(ref_checkpoint(fix->env, false));
    for (uint32_t i = 0; last_segment(fix->home) < 2; i++) {
        assert_ok(put_number(a, NULL, i % 9, i, 60));
    }
    assert_ok(ref_db_close(a));
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_REMOVE, &numbers, &count));
    env_close(fix);
    assert_int_equal(unlink(at_home(fix, "b.db")), 0);
    assert_int_equal(unlink(at_home(fix, REF_CONTROL_NAME)), 0);
    assert_fails(env_open_at(fix, fix->home, &env), REF_CORRUPT, "b.db");
    assert_non_null(strstr(ref_error_text(), "missing"));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_crash_at_every_record_boundary_gives_a_prefix_of_the_commits),
    SCRATCH_TEST(a_copy_cut_at_every_record_boundary_gives_a_prefix_or_an_error),
    SCRATCH_TEST(recovery_twice_leaves_the_same_bytes),
    SCRATCH_TEST(normal_and_fatal_recovery_and_that_of_a_copy_agree),
    SCRATCH_TEST(a_cache_smaller_than_what_is_redone_is_enough),
    SCRATCH_TEST(every_page_with_an_image_in_the_log_is_mended),
    SCRATCH_TEST(a_page_without_an_image_in_the_log_is_named),
    SCRATCH_TEST(deltas_of_a_page_that_cannot_be_trusted_are_not_enough),
    SCRATCH_TEST(a_page_of_zeros_in_the_file_is_mended_or_named),
    SCRATCH_TEST(a_last_page_cut_off_within_its_zeros_is_written_again),
    SCRATCH_TEST(a_page_from_beyond_the_logs_end_is_refused),
    SCRATCH_TEST(a_missing_database_is_named_where_the_log_needs_it),
    SCRATCH_TEST(a_database_that_has_lost_its_content_is_named),
    SCRATCH_TEST(a_missing_database_is_named_in_a_copy_although_nothing_is_redone),
};

TEST_MAIN(tests)
