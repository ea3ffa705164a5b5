/* Captures that end by themselves, and what a process that dies in the middle leaves behind. */
#include "copying.h"
#include "crash_vfs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/internal.h"
#include "engine/tree.h"

enum { RECORDS = 300 };

static const ref_db_options reading = {.read_only = true}, plain = {0};

static ref_db *open_filled(fixture *fix)
{
    ref_txn_options lazy = {.no_sync = true};
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    ref_txn *txn = begin(fix->env, &lazy);
    for (uint32_t i = 0; i < RECORDS; i++) {
        assert_ok(put_number(db, txn, i, i, 100));
    }
    assert_ok(ref_txn_commit(txn));
    return db;
}

static void change_all(fixture *fix, ref_db *db, uint32_t value)
{
    ref_txn *txn = begin(fix->env, NULL);
    for (uint32_t i = 0; i < RECORDS; i++) {
        assert_ok(put_number(db, txn, i, value, 100));
    }
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_checkpoint(fix->env, false));
}

static ref_capture *start(ref_db *db, const ref_capture_options *options)
{
    ref_capture *capture;
    uint64_t size;
    assert_ok(ref_capture_start(db, options, &capture, &size));
    return capture;
}

/* Files below the directory whose names have this in them. */
static int count_name(void *context, const char *path)
{
    *(unsigned *)context += strstr(path, REF_CAPTURE_SUFFIX) != NULL;
    return 0;
}

static unsigned left_behind(const char *path)
{
    unsigned count = 0;
    each_file(path, count_name, &count);
    return count;
}

/* Every function but end says the same, and the next capture can begin although this one has not
 * been ended. */
static void expect_ended(
    fixture *fix, ref_db *db, ref_capture *capture, int error, const char *words)
{
    uint8_t byte;
    uint64_t size;
    size_t done;
    assert_fails(ref_capture_state(capture), error, words);
    assert_fails(ref_capture_mark(capture, 1), error, words);
    assert_fails(ref_capture_stop(capture), error, words);
    assert_fails(ref_capture_size(capture, &size), error, words);
    assert_fails(ref_capture_read(capture, &byte, 1, &done), error, words);
    assert_null(ref_capture_of(db));
    ref_capture *next = start(db, NULL);
    change_all(fix, db, 77);
    assert_ok(ref_capture_state(next));
    assert_ptr_equal(ref_capture_of(db), next);
    ref_capture_end(capture);
    assert_ok(ref_capture_state(next));
    assert_ok(ref_capture_stop(next));
    ref_capture_end(next);
    assert_int_equal(left_behind(fix->dir), 0);
}

/* ---- by themselves ---- */

static void images_over_the_limit_go_to_a_file(void **state)
{
    fixture *fix = *state;
    ref_capture_options options = {.memory_limit = 2000};
    uint64_t seed = 1;
    ref_db *db = open_filled(fix);
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        const char *dir = elsewhere != 0 ? at_dir(fix, "elsewhere") : fix->home;
        if (elsewhere != 0) {
            dir_make(dir);
            options.spill_dir = dir;
        }
        ref_capture *capture = start(db, &options);
        image begun = image_of(at_home(fix, "a.db"));
        unsigned before = left_behind(dir);
        change_all(fix, db, 1 + (uint32_t)elsewhere);
        assert_int_equal(left_behind(dir), before + 1);
        file_copy(at_home(fix, "a.db"), at_dir(fix, "copy"));
        assert_ok(ref_capture_stop(capture));
        image stream = stream_of(capture, &seed);
        assert_true(stream.size > 20000);
        ref_capture_end(capture);
        assert_int_equal(left_behind(fix->dir), 0);
        assert_ok(stream_apply(&fix->vfs.vfs, at_dir(fix, "copy"), &stream, &seed));
        assert_true(image_is(&begun, at_dir(fix, "copy")));
        free(begun.bytes);
        free(stream.bytes);
    }
    assert_ok(ref_db_close(db));
}

static void a_limit_without_a_file_ends_the_capture(void **state)
{
    fixture *fix = *state;
    ref_capture_options options = {.memory_limit = 2000, .no_spill = true};
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db, &options);
    change_all(fix, db, 5);
    expect_ended(fix, db, capture, ENOSPC, "2000 bytes of memory");
    assert_ok(ref_db_close(db));
}

static void a_full_disk_ends_the_capture_and_not_the_write(void **state)
{
    fixture *fix = *state;
    ref_capture_options options = {.memory_limit = 1, .spill_dir = at_dir(fix, "spill")};
    uint32_t value;
    dir_make(options.spill_dir);
    ref_db *db = open_filled(fix);
    for (uint64_t nth = 1; nth <= 3; nth++) {
        fault_rule full = {.kinds = FAULT_BIT(FAULT_WRITE) | FAULT_BIT(FAULT_CREATE),
            .path = "/spill/",
            .nth = nth,
            .error = ENOSPC,
            .manner = FAULT_FROM_THEN};
        ref_capture *capture = start(db, &options);
        fault_set(&fix->vfs, &full);
        change_all(fix, db, 100 + (uint32_t)nth);
        assert_true(fault_injected(&fix->vfs) > 0);
        fault_heal(&fix->vfs);
        assert_ok(get_number(db, NULL, 3, &value));
        assert_int_equal(value, 100 + nth);
        expect_ended(fix, db, capture, ENOSPC, "__capture");
    }
    assert_ok(ref_db_close(db));
}

static void an_old_page_that_cannot_be_read_ends_the_capture(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db, NULL);
    ref_txn *txn = begin(fix->env, NULL);
    for (uint32_t i = 0; i < RECORDS; i++) {
        assert_ok(put_number(db, txn, i, 8, 100));
    }
    assert_ok(ref_txn_commit(txn));
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_READ), "a.db", 2);
    assert_ok(ref_checkpoint(fix->env, false));
    assert_int_equal(fault_injected(&fix->vfs), 1);
    fault_heal(&fix->vfs);
    expect_ended(fix, db, capture, EIO, "before-image");
    assert_ok(ref_db_close(db));
}

static void a_spill_file_that_has_changed_ends_the_capture(void **state)
{
    fixture *fix = *state;
    ref_capture_options options = {.memory_limit = 1, .spill_dir = at_dir(fix, "spill")};
    uint8_t bytes[70000];
    size_t done;
    char path[FIXTURE_PATH] = "";
    ref_names names = {0};
    dir_make(options.spill_dir);
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db, &options);
    change_all(fix, db, 1);
    assert_ok(ref_tree_list(&fix->vfs.vfs, options.spill_dir, &names));
    assert_int_equal(names.count, 1);
    snprintf(path, sizeof path, "%.500s/%.400s", options.spill_dir, names.names[0]);
    file_flip(path, 1000, 1);
    assert_ok(ref_capture_stop(capture));
    assert_fails(ref_capture_read(capture, bytes, sizeof bytes, &done), EIO, "has changed");
    assert_int_equal(done, 0);
    expect_ended(fix, db, capture, EIO, "has changed");
    ref_names_free(&names);
    assert_ok(ref_db_close(db));
}

static void a_capture_that_takes_too_long_ends(void **state)
{
    fixture *fix = *state;
    ref_capture_options options = {.timeout = 60000000000};
    ref_capture *next;
    uint64_t size;
    fix->vfs.fixed = true;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db, &options);
    change_all(fix, db, 1);
    assert_ok(ref_capture_state(capture));
    assert_fails(ref_capture_start(db, NULL, &next, &size), EALREADY, "");
    fix->vfs.ticks += 60000; /* of a millisecond */
    expect_ended(fix, db, capture, ETIMEDOUT, "60000 ms");
    capture = start(db, &options);
    assert_ok(ref_capture_stop(capture));
    fix->vfs.ticks += 60000; /* to wait for a tape counts, too */
    expect_ended(fix, db, capture, ETIMEDOUT, "60000 ms");
    assert_ok(ref_db_close(db));
}

static void a_spill_directory_that_is_not_there_is_said_at_the_start(void **state)
{
    fixture *fix = *state;
    ref_capture_options options = {.spill_dir = at_dir(fix, "nowhere")};
    ref_capture *capture;
    uint64_t size;
    ref_db *db = open_filled(fix);
    assert_fails(ref_capture_start(db, &options, &capture, &size), ENOENT, "nowhere");
    assert_int_equal(left_behind(fix->dir), 0);
    ref_capture_end(start(db, NULL));
    assert_ok(ref_db_close(db));
}

/* ---- starts that fail ---- */

static void a_start_that_fails_anywhere_leaves_nothing(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix);
    uint64_t failures = 0;
    for (uint64_t nth = 1; nth < 200; nth++) {
        ref_capture *capture;
        uint64_t size;
        fault_rule rule = {.kinds = FAULT_ALL & ~FAULT_BIT(FAULT_CLOSE),
            .path = "a.db",
            .nth = nth,
            .error = EIO,
            .manner = FAULT_ONCE};
        assert_ok(ref_checkpoint(fix->env, false)); /* or it would end the environment */
        fault_set(&fix->vfs, &rule);
        int error = ref_capture_start(db, NULL, &capture, &size);
        uint64_t injected = fault_injected(&fix->vfs);
        fault_heal(&fix->vfs);
        if (error == 0) {
            ref_capture_end(capture);
        } else {
            assert_int_equal(error, EIO);
            failures++;
        }
        assert_null(ref_capture_of(db));
        ref_copy_state what;
        assert_ok(ref_copy_state_of(NULL, at_home(fix, "a.db"), &what));
        assert_int_equal(what, REF_COPY_NONE);
        if (injected == 0) {
            break;
        }
    }
    assert_true(failures >= 5);
    assert_ok(ref_db_close(db));
}

/* ---- closing ---- */

static void closing_the_environment_ends_a_capture(void **state)
{
    fixture *fix = *state;
    ref_capture_options options = {.memory_limit = 1};
    uint64_t size;
    ref_copy_state what;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db, &options);
    change_all(fix, db, 1);
    assert_ok(ref_db_close(db));
    env_close(fix);
    assert_fails(ref_capture_stop(capture), ECANCELED, "closed");
    assert_fails(ref_capture_size(capture, &size), ECANCELED, "closed");
    ref_capture_end(capture);
    assert_int_equal(left_behind(fix->dir), 0);
    assert_ok(ref_copy_state_of(NULL, at_home(fix, "a.db"), &what));
    assert_int_equal(what, REF_COPY_NONE);
}

/* What is right after any crash: the database as it was committed, no litter, a new capture. */
static void expect_whole_again(fixture *fix, const char *without_litter)
{
    env_open(fix);
    ref_copy_state what;
    assert_ok(ref_copy_state_of(NULL, at_home(fix, "a.db"), &what));
    assert_int_equal(what, REF_COPY_NONE);
    assert_int_equal(left_behind(without_litter), 0);
    ref_db *db = db_open(fix->env, "a.db");
    assert_int_equal(db_verify(db), RECORDS);
    ref_capture *capture = start(db, NULL);
    change_all(fix, db, 1000);
    assert_ok(ref_capture_stop(capture));
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
    env_close(fix);
}

/* ---- crashes ---- */

static void die(fixture *fix, uint32_t manner)
{
    ref_capture_options options = {
        .memory_limit = 1, .spill_dir = manner % 2 == 0 ? NULL : fix->dir};
    uint64_t seed = manner;
    copier copy;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db, &options);
    copier_open(&copy, at_home(fix, "a.db"), at_dir(fix, "copy"), file_size(at_home(fix, "a.db")),
        true, &seed);
    copier_step(&copy);
    if (manner >= 2) {
        change_all(fix, db, 1);
    }
    if (manner >= 4) {
        assert_ok(ref_capture_stop(capture));
    }
    kill(getpid(), SIGKILL);
}

static void a_killed_process_leaves_a_database_that_opens_and_can_be_captured(void **state)
{
    fixture *fix = *state;
    for (uint32_t manner = 0; manner < 6; manner++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            die(fix, manner);
            _exit(1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_true(left_behind(fix->dir) > 0);
        expect_whole_again(fix, fix->dir);
        tree_remove(fix->home);
        dir_make(fix->home);
    }
}

/* The marker lies beside the source, not beside its copies: those are as raw as ever. */
static void a_copy_of_a_source_that_died_is_refused(void **state)
{
    fixture *fix = *state;
    ref_db *copy;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db, NULL);
    change_all(fix, db, 1);
    file_copy(at_home(fix, "a.db"), at_dir(fix, "copy"));
    /* A directory copied as a whole has the marker, too. */
    file_copy(at_home(fix, "a.db.__capture"), at_dir(fix, "copy.__capture"));
    assert_fails(
        ref_db_open_alone(&fix->vfs.vfs, at_dir(fix, "copy"), &reading, &copy), REF_INCOMPLETE, "");
    file_copy(at_dir(fix, "copy"), at_home(fix, "b.db"));
    file_copy(at_dir(fix, "copy.__capture"), at_home(fix, "b.db.__capture"));
    assert_fails(ref_db_open(fix->env, NULL, "b.db", &plain, &copy), REF_INCOMPLETE, "");
    assert_ok(ref_capture_state(capture));
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
}

/* A home that is copied with everything in it has the marker, which says where the images are. */
static void a_copied_home_leaves_the_images_of_its_source_alone(void **state)
{
    fixture *fix = *state;
    ref_capture_options options = {.memory_limit = 1, .spill_dir = at_dir(fix, "spill")};
    uint64_t seed = 1;
    ref_env *twin;
    dir_make(options.spill_dir);
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db, &options);
    change_all(fix, db, 1);
    tree_copy(fix->home, at_dir(fix, "twin"));
    assert_ok(env_open_at(fix, at_dir(fix, "twin"), &twin));
    assert_ok(ref_env_close(twin));
    assert_int_equal(left_behind(at_dir(fix, "twin")), 0);
    assert_int_equal(left_behind(options.spill_dir), 1);
    assert_ok(ref_capture_stop(capture));
    image stream = stream_of(capture, &seed);
    free(stream.bytes);
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
}

/* Recovery writes page 0 anew, and still nobody takes the copy for its source. */
static void a_raw_copy_in_the_place_of_a_source_that_died_is_refused(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db, NULL);
    change_all(fix, db, 1);
    file_copy(at_home(fix, "a.db"), at_dir(fix, "copy"));
    ref_capture_end(capture);
    assert_ok(ref_checkpoint(fix->env, true));
    assert_ok(put_number(db, NULL, 2000, 1, 3000)); /* page 0 changes */
    assert_ok(ref_db_close(db));
    env_crash(fix);
    file_copy(at_dir(fix, "copy"), at_home(fix, "a.db"));
    env_open(fix);
    assert_fails(ref_db_open(fix->env, NULL, "a.db", &plain, &db), REF_INCOMPLETE, "");
}

/* A capture from start to end, until the power fails. */
static void live_until_the_cut(fixture *fix, const fault_rule *cut)
{
    ref_capture_options options = {.memory_limit = 1};
    ref_capture *capture;
    uint64_t size;
    ref_db *db = open_filled(fix);
    assert_ok(ref_checkpoint(fix->env, false));
    fault_set(&fix->vfs, cut);
    int error = ref_capture_start(db, &options, &capture, &size);
    if (error == 0) {
        for (uint32_t i = 0; i < RECORDS && error == 0; i += 20) {
            error = put_number(db, NULL, i, 1, 100);
        }
        ref_checkpoint(fix->env, false);
        ref_capture_stop(capture);
        ref_capture_end(capture);
    }
    ref_db_close(db);
}

/* A power cut at each change, from the start of a capture to its end. */
static void a_power_cut_anywhere_leaves_a_database_that_opens(void **state)
{
    fixture *fix = *state;
    bool over = false;
    for (uint64_t nth = 1; !over; nth++) {
        fault_rule cut = {
            .kinds = FAULT_CHANGES, .nth = nth, .error = EIO, .manner = FAULT_POWER_CUT};
        live_until_the_cut(fix, &cut);
        over = fault_injected(&fix->vfs) == 0;
        env_crash(fix);
        expect_whole_again(fix, fix->dir);
        tree_remove(fix->home);
        dir_make(fix->home);
    }
}

/* The same, and of what was not synced any part is lost. */
static void a_power_cut_that_loses_something_leaves_a_database_that_opens(void **state)
{
    fixture *fix = *state;
    char home[FIXTURE_PATH];
    bool over = false;
    snprintf(home, sizeof home, "%s", fix->home);
    for (uint64_t nth = 1; !over; nth++) {
        ref_vfs *system = fix->vfs.next;
        crash_vfs disk;
        fault_rule cut = {
            .kinds = FAULT_CHANGES, .nth = nth, .error = EIO, .manner = FAULT_POWER_CUT};
        crash_vfs_init(&disk, home);
        fix->vfs.next = &disk.vfs;
        fix->vfs.real_sync = true;
        live_until_the_cut(fix, &cut);
        over = fault_injected(&fix->vfs) == 0;
        env_crash(fix);
        fix->vfs.next = system;
        fix->vfs.real_sync = false;
        snprintf(fix->home, sizeof fix->home, "%s", at_dir(fix, "left"));
        for (uint64_t chance = 0; chance < 4; chance++) {
            crash_vfs_make_state(&disk, CRASH_SOME_LOST, nth * 100 + chance, fix->home);
            expect_whole_again(fix, fix->home);
            tree_remove(fix->home);
        }
        snprintf(fix->home, sizeof fix->home, "%s", home);
        crash_vfs_destroy(&disk);
        tree_remove(home);
        dir_make(home);
    }
}

/* Without an environment there is no recovery: what had been synced is there. */
static void a_database_alone_whose_process_died_opens(void **state)
{
    fixture *fix = *state;
    ref_db_options creating = {.create = true, .page_size = 512};
    const char *path = at_dir(fix, "alone.db");
    ref_copy_state what;
    ref_db *db;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &creating, &db));
        assert_ok(put(db, NULL, "a", "1"));
        start(db, NULL);
        assert_ok(put(db, NULL, "a", "2"));
        assert_ok(ref_db_sync(db));
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    file_copy(path, at_dir(fix, "copy"));
    assert_fails(
        ref_db_open_alone(&fix->vfs.vfs, at_dir(fix, "copy"), &plain, &db), REF_INCOMPLETE, "");
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &reading, &db));
    expect(db, NULL, "a", "2");
    assert_ok(ref_db_close(db));
    assert_int_equal(left_behind(fix->dir), 1); /* to look changes nothing */
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &plain, &db));
    assert_int_equal(left_behind(fix->dir), 0);
    assert_ok(ref_copy_state_of(NULL, path, &what));
    assert_int_equal(what, REF_COPY_NONE);
    ref_capture_end(start(db, NULL));
    assert_ok(ref_db_close(db));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(images_over_the_limit_go_to_a_file),
    SCRATCH_TEST(a_limit_without_a_file_ends_the_capture),
    SCRATCH_TEST(a_full_disk_ends_the_capture_and_not_the_write),
    SCRATCH_TEST(an_old_page_that_cannot_be_read_ends_the_capture),
    SCRATCH_TEST(a_spill_file_that_has_changed_ends_the_capture),
    SCRATCH_TEST(a_capture_that_takes_too_long_ends),
    SCRATCH_TEST(a_spill_directory_that_is_not_there_is_said_at_the_start),
    SCRATCH_TEST(a_start_that_fails_anywhere_leaves_nothing),
    SCRATCH_TEST(closing_the_environment_ends_a_capture),
    SCRATCH_TEST(a_killed_process_leaves_a_database_that_opens_and_can_be_captured),
    SCRATCH_TEST(a_copy_of_a_source_that_died_is_refused),
    SCRATCH_TEST(a_copied_home_leaves_the_images_of_its_source_alone),
    SCRATCH_TEST(a_raw_copy_in_the_place_of_a_source_that_died_is_refused),
    SCRATCH_TEST(a_power_cut_anywhere_leaves_a_database_that_opens),
    SCRATCH_TEST(a_power_cut_that_loses_something_leaves_a_database_that_opens),
    SCRATCH_TEST(a_database_alone_whose_process_died_opens),
};
TEST_MAIN(tests)
