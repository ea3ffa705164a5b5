/* Capture: what is kept and what not, who may begin one, and what a copy is worth. */
#include "copying.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/change.h"
#include "engine/error.h"
#include "engine/internal.h"

enum { PAGE = 512 };

static const ref_db_options reading = {.read_only = true}, plain = {0};

/* ---- steps that many tests take ---- */

static ref_db *make_filled(fixture *fix, const char *name, uint32_t records)
{
    ref_db *db = db_make(fix->env, name);
    ref_txn_options options = {.no_sync = true};
    ref_txn *txn = begin(fix->env, &options);
    for (uint32_t i = 0; i < records; i++) {
        assert_ok(put_number(db, txn, i, i, 100));
    }
    assert_ok(ref_txn_commit(txn));
    return db;
}

static ref_db *open_filled(fixture *fix)
{
    env_open(fix);
    return make_filled(fix, "a.db", 200);
}

static void change_all(fixture *fix, ref_db *db, uint32_t value)
{
    ref_txn *txn = begin(fix->env, NULL);
    for (uint32_t i = 0; i < 200; i += 3) {
        assert_ok(put_number(db, txn, i, value, 100));
    }
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_checkpoint(fix->env, false));
}

static ref_capture *start(ref_db *db)
{
    ref_capture *capture;
    uint64_t size;
    assert_ok(ref_capture_start(db, NULL, &capture, &size));
    return capture;
}

static uint64_t stream_size(ref_capture *capture)
{
    uint64_t size;
    assert_ok(ref_capture_stop(capture));
    assert_ok(ref_capture_size(capture, &size));
    return size;
}

static ref_copy_state state_of(fixture *fix, const char *path)
{
    ref_copy_state what = REF_COPY_NONE;
    assert_ok(ref_copy_state_of(&fix->vfs.vfs, path, &what));
    return what;
}

/* A capture from start to end; the database is changed before the copy is made or after. */
typedef struct backup {
    image start;
    image stream;
    char copy[FIXTURE_PATH];
} backup;

static backup back_up(fixture *fix, ref_db *db, const char *name, bool changed)
{
    backup made = {0};
    uint64_t seed = 3;
    ref_capture *capture = start(db);
    snprintf(made.copy, sizeof made.copy, "%s", at_dir(fix, name));
    made.start = image_of(at_home(fix, ref_db_name(db)));
    if (changed) {
        change_all(fix, db, 7);
    }
    file_copy(at_home(fix, ref_db_name(db)), made.copy);
    assert_ok(ref_capture_stop(capture));
    made.stream = stream_of(capture, &seed);
    ref_capture_end(capture);
    return made;
}

static void forget(backup *made)
{
    free(made->start.bytes);
    free(made->stream.bytes);
}

static int apply(fixture *fix, const char *path, const image *stream)
{
    uint64_t seed = 11;
    return stream_apply(&fix->vfs.vfs, path, stream, &seed);
}

static int open_alone(fixture *fix, const char *path, bool to_write)
{
    ref_db *db;
    int error = ref_db_open_alone(&fix->vfs.vfs, path, to_write ? &plain : &reading, &db);
    if (error == 0) {
        db_verify(db);
        assert_ok(ref_db_close(db));
    }
    return error;
}

/* ---- the start ---- */

static void the_start_says_the_size_and_the_file_has_every_commit(void **state)
{
    fixture *fix = *state;
    ref_txn_options lazy = {.no_sync = true};
    ref_capture *capture;
    uint64_t size;
    ref_db *db = open_filled(fix);
    ref_txn *txn = begin(fix->env, &lazy);
    assert_ok(put(db, txn, "last", "one"));
    assert_ok(ref_txn_commit(txn));
    txn = begin(fix->env, NULL);
    assert_ok(put(db, txn, "not", "yet")); /* the write lock is held: nobody waits for it */
    assert_ok(ref_capture_start(db, NULL, &capture, &size));
    assert_int_equal(size, file_size(at_home(fix, "a.db")));
    file_copy(at_home(fix, "a.db"), at_dir(fix, "copy"));
    assert_ok(ref_txn_commit(txn));
    ref_db *copy;
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, at_dir(fix, "copy"), &reading, &copy));
    expect(copy, NULL, "last", "one");
    expect(copy, NULL, "not", NULL);
    assert_int_equal(db_verify(copy), 201);
    assert_ok(ref_db_close(copy));
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
}

static void a_database_is_captured_once_at_a_time_whatever_the_handle(void **state)
{
    fixture *fix = *state;
    ref_capture *capture, *other = (void *)fix;
    uint64_t size = 1;
    ref_db *db = open_filled(fix), *again = db_open(fix->env, "a.db");
    ref_db *another = make_filled(fix, "b.db", 10);
    assert_null(ref_capture_of(db));
    capture = start(db);
    assert_fails(ref_capture_start(again, NULL, &other, &size), EALREADY, "a.db");
    assert_null(other);
    assert_int_equal(size, 0);
    assert_ptr_equal(ref_capture_of(again), capture);
    assert_null(ref_capture_of(another));
    ref_capture_end(start(another)); /* another database */
    assert_ok(ref_capture_stop(capture));
    assert_fails(ref_capture_start(db, NULL, &other, &size), EALREADY, "");
    ref_capture_end(capture);
    capture = start(again);
    ref_capture_end(capture); /* without a stop */
    ref_capture_end(start(db));
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_close(again));
    assert_ok(ref_db_close(another));
}

static void what_is_not_committed_or_removed_cannot_be_captured(void **state)
{
    fixture *fix = *state;
    ref_db_options creating = {.create = true};
    ref_capture *capture;
    uint64_t size;
    ref_db *db;
    env_open(fix);
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_open(fix->env, txn, "a.db", &creating, &db));
    assert_fails(ref_capture_start(db, NULL, &capture, &size), EINVAL, "not committed");
    assert_ok(ref_txn_abort(txn));
    assert_fails(ref_capture_start(db, NULL, &capture, &size), EINVAL, "removed");
    assert_ok(ref_db_close(db));
}

static void a_captured_database_is_neither_renamed_nor_removed(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db);
    assert_ok(ref_db_close(db)); /* against the rules, and no harm */
    assert_fails(ref_db_remove(fix->env, NULL, "a.db"), EBUSY, "");
    assert_fails(ref_db_rename(fix->env, NULL, "a.db", "b.db"), EBUSY, "");
    ref_capture_end(capture);
    assert_ok(ref_db_rename(fix->env, NULL, "a.db", "b.db"));
    assert_ok(ref_db_remove(fix->env, NULL, "b.db"));
}

/* ---- the order of calls ---- */

static void the_stream_can_be_had_after_the_stop_only(void **state)
{
    fixture *fix = *state;
    uint8_t byte;
    uint64_t size = 1;
    size_t done = 1;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db);
    assert_fails(ref_capture_size(capture, &size), EINVAL, "not been stopped");
    assert_fails(ref_capture_read(capture, &byte, 1, &done), EINVAL, "not been stopped");
    assert_int_equal(size, 0);
    assert_int_equal(done, 0);
    assert_ok(ref_capture_mark(capture, 512));
    assert_ok(ref_capture_stop(capture));
    assert_ok(ref_capture_stop(capture));
    assert_fails(ref_capture_mark(capture, 1024), EINVAL, "been stopped");
    assert_ok(ref_capture_size(capture, &size));
    assert_ok(ref_capture_state(capture));
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
}

static void the_size_stays_while_the_stream_is_read(void **state)
{
    fixture *fix = *state;
    uint64_t size, seed = 5;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db);
    change_all(fix, db, 1);
    assert_true(stream_size(capture) > 0);
    change_all(fix, db, 2); /* after the stop: no more is kept */
    uint64_t before = stream_size(capture);
    image stream = stream_of(capture, &seed);
    assert_ok(ref_capture_size(capture, &size));
    assert_int_equal(size, before);
    ref_capture_end(capture);
    free(stream.bytes);
    assert_ok(ref_db_close(db));
}

/* ---- what is kept ---- */

static void nothing_changed_is_an_empty_stream(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix), *other = make_filled(fix, "b.db", 50);
    ref_capture *capture = start(db);
    change_all(fix, other, 3);
    assert_ok(put(db, NULL, "new", "and not in the file yet"));
    assert_int_equal(stream_size(capture), 0);
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_close(other));
}

static void a_page_is_kept_once(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db);
    for (uint32_t i = 0; i < 5; i++) {
        change_all(fix, db, i);
    }
    uint64_t most = file_size(at_home(fix, "a.db"));
    most += most / PAGE * REF_STREAM_RECORD + REF_STREAM_HEADER + REF_STREAM_END;
    assert_in_range(stream_size(capture), PAGE, most);
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
}

static void what_lies_below_the_mark_is_not_kept(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db);
    assert_ok(ref_capture_mark(capture, file_size(at_home(fix, "a.db"))));
    assert_ok(ref_capture_mark(capture, 0)); /* lower: passed over */
    change_all(fix, db, 1);
    assert_int_equal(stream_size(capture), 0);
    ref_capture_end(capture);
    capture = start(db);
    assert_ok(ref_capture_mark(capture, UINT64_MAX));
    change_all(fix, db, 2);
    assert_int_equal(stream_size(capture), 0);
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
}

static void a_page_across_the_mark_is_kept(void **state)
{
    fixture *fix = *state;
    uint64_t seed = 1, size = 0;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db);
    image begun = image_of(at_home(fix, "a.db"));
    uint64_t mark = begun.size / 2 / PAGE * PAGE + 100;
    assert_ok(ref_capture_mark(capture, mark));
    ref_txn *txn = begin(fix->env, NULL);
    for (uint32_t i = 0; i < 200; i++) {
        assert_ok(put_number(db, txn, i, 9, 100));
    }
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(ref_capture_stop(capture));
    image stream = stream_of(capture, &seed);
    assert_true(stream.size > REF_STREAM_HEADER + REF_STREAM_RECORD);
    size = ref_get64(stream.bytes + REF_STREAM_HEADER);
    assert_int_equal(size, mark / PAGE * PAGE);
    ref_capture_end(capture);
    free(begun.bytes);
    free(stream.bytes);
    assert_ok(ref_db_close(db));
}

static void growth_is_not_kept(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix);
    ref_capture *capture = start(db);
    uint64_t before = file_size(at_home(fix, "a.db"));
    for (uint32_t i = 0; i < 20; i++) {
        assert_ok(put_number(db, NULL, 90000 + i, i, 5000));
    }
    assert_ok(ref_checkpoint(fix->env, false));
    assert_true(file_size(at_home(fix, "a.db")) > before + 20 * 5000);
    assert_true(stream_size(capture) < before);
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
}

/* ---- the slot ---- */

static void the_source_has_a_slot_as_long_as_it_is_captured(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix);
    const char *path = at_home(fix, "a.db");
    ref_capture *capture = start(db);
    assert_int_equal(state_of(fix, path), REF_COPY_RAW);
    assert_true(file_exists(at_home(fix, "a.db.__capture")));
    change_all(fix, db, 1);
    assert_ok(put_number(db, NULL, 1000, 1, 3000)); /* page 0 changes */
    assert_ok(ref_checkpoint(fix->env, false));
    assert_int_equal(state_of(fix, path), REF_COPY_RAW);
    ref_capture_end(capture);
    assert_int_equal(state_of(fix, path), REF_COPY_NONE);
    assert_false(file_exists(at_home(fix, "a.db.__capture")));
    assert_ok(put_number(db, NULL, 1001, 1, 3000));
    assert_ok(ref_checkpoint(fix->env, false));
    assert_int_equal(state_of(fix, path), REF_COPY_NONE);
    assert_ok(ref_db_close(db));
    env_close(fix);
    env_open(fix);
    assert_int_equal(state_of(fix, path), REF_COPY_NONE);
}

static void no_log_and_no_other_backup_gets_the_slot(void **state)
{
    fixture *fix = *state;
    ref_backup_options to = {.target = at_dir(fix, "one")};
    ref_env *env;
    fix->options.cache_size = 4096; /* page 0 is read again, slot and all */
    ref_db *db = open_filled(fix);
    dir_make(to.target);
    ref_capture *capture = start(db);
    change_all(fix, db, 1);
    assert_ok(put_number(db, NULL, 1000, 1, 3000));
    assert_ok(ref_backup_database(fix->env, "a.db", &to));
    assert_int_equal(state_of(fix, at_dir(fix, "one/a.db")), REF_COPY_NONE);
    assert_ok(open_alone(fix, at_dir(fix, "one/a.db"), true));
    /* Page 0's whole image goes into the log, and from there into a copy. */
    to = (ref_backup_options){.target = at_dir(fix, "all"), .flags = REF_BACKUP_CREATE};
    assert_ok(ref_backup(fix->env, &to));
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
    assert_false(file_exists(at_dir(fix, "all/a.db.__capture")));
    assert_ok(env_open_at(fix, at_dir(fix, "all"), &env));
    assert_int_equal(state_of(fix, at_dir(fix, "all/a.db")), REF_COPY_NONE);
    db = db_open(env, "a.db");
    db_verify(db);
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(env));
}

/* ---- what a copy is worth ---- */

static void a_raw_copy_is_refused_wherever_it_is_opened(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix), *copy;
    backup made = back_up(fix, db, "copy", true);
    assert_int_equal(state_of(fix, made.copy), REF_COPY_RAW);
    assert_fails(open_alone(fix, made.copy, false), REF_INCOMPLETE, "change information");
    assert_fails(open_alone(fix, made.copy, true), REF_INCOMPLETE, "has not been applied");
    file_copy(made.copy, at_home(fix, "brought.db"));
    assert_fails(ref_db_open(fix->env, NULL, "brought.db", &plain, &copy), REF_INCOMPLETE, "");
    assert_int_equal(state_of(fix, at_home(fix, "brought.db")), REF_COPY_RAW);
    assert_ok(apply(fix, at_home(fix, "brought.db"), &made.stream));
    assert_ok(ref_db_open(fix->env, NULL, "brought.db", &plain, &copy));
    assert_int_equal(db_verify(copy), 200);
    assert_ok(ref_db_close(copy));
    forget(&made);
    assert_ok(ref_db_close(db));
}

static void a_raw_copy_is_accepted_when_nothing_had_changed(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix), *copy;
    backup made = back_up(fix, db, "copy", false);
    assert_int_equal(made.stream.size, 0);
    change_all(fix, db, 1); /* later: none of the copy's business */
    assert_ok(open_alone(fix, made.copy, false));
    assert_int_equal(state_of(fix, made.copy), REF_COPY_RAW); /* to look changes nothing */
    file_copy(made.copy, at_home(fix, "brought.db"));
    assert_ok(ref_db_open(fix->env, NULL, "brought.db", &plain, &copy));
    assert_int_equal(db_verify(copy), 200);
    assert_ok(ref_db_close(copy));
    assert_int_equal(state_of(fix, at_home(fix, "brought.db")), REF_COPY_NONE);
    assert_ok(apply(fix, made.copy, &made.stream));
    assert_int_equal(state_of(fix, made.copy), REF_COPY_APPLIED);
    assert_true(image_is(&made.start, made.copy));
    assert_ok(open_alone(fix, made.copy, true));
    assert_int_equal(state_of(fix, made.copy), REF_COPY_NONE); /* opened: no backup any more */
    forget(&made);
    assert_ok(ref_db_close(db));
}

static void a_raw_copy_in_its_sources_place_is_found(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix);
    backup made = back_up(fix, db, "copy", true);
    assert_ok(ref_db_close(db));
    env_close(fix);
    file_copy(made.copy, at_home(fix, "a.db"));
    env_open(fix);
    assert_fails(ref_db_open(fix->env, NULL, "a.db", &plain, &db), REF_INCOMPLETE, "");
    assert_fails(ref_db_open(fix->env, NULL, "a.db", &reading, &db), REF_INCOMPLETE, "");
    env_close(fix);
    assert_ok(apply(fix, at_home(fix, "a.db"), &made.stream));
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_int_equal(db_verify(db), 200);
    change_all(fix, db, 12);
    assert_int_equal(state_of(fix, at_home(fix, "a.db")), REF_COPY_NONE);
    forget(&made);
    assert_ok(ref_db_close(db));
}

static void a_damaged_slot_is_found(void **state)
{
    fixture *fix = *state;
    ref_copy_state what;
    ref_db *db = open_filled(fix);
    backup made = back_up(fix, db, "copy", false);
    file_flip(made.copy, REF_META_AT_SLOT + 20, 1);
    assert_fails(open_alone(fix, made.copy, false), REF_CORRUPT, "slot");
    assert_fails(apply(fix, made.copy, &made.stream), REF_CORRUPT, "slot");
    assert_fails(ref_copy_state_of(NULL, made.copy, &what), REF_CORRUPT, "slot");
    forget(&made);
    assert_ok(ref_db_close(db));
}

static void what_a_file_is_can_be_asked_of_databases_only(void **state)
{
    fixture *fix = *state;
    ref_copy_state what = REF_COPY_RAW;
    file_write(at_dir(fix, "text"), "hello", 5);
    assert_fails(ref_copy_state_of(NULL, at_dir(fix, "text"), &what), EINVAL, "no database");
    assert_int_equal(what, REF_COPY_NONE);
    assert_fails(ref_copy_state_of(NULL, at_dir(fix, "nothing"), &what), ENOENT, "");
}

/* ---- a database alone ---- */

static void a_database_alone_is_captured_in_the_same_way(void **state)
{
    fixture *fix = *state;
    ref_db_options creating = {.create = true, .page_size = PAGE};
    const char *path = at_dir(fix, "alone.db"), *to = at_dir(fix, "copy");
    uint64_t seed = 9;
    ref_db *db;
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &creating, &db));
    for (uint32_t i = 0; i < 100; i++) {
        assert_ok(put_number(db, NULL, i, i, 60));
    }
    ref_capture *capture = start(db);
    image begun = image_of(path);
    file_copy(path, at_dir(fix, "same"));
    assert_ok(put_number(db, NULL, 50, 51, 60));
    assert_ok(ref_db_sync(db));
    file_copy(path, to);
    assert_ok(ref_capture_stop(capture));
    image stream = stream_of(capture, &seed);
    ref_capture_end(capture);
    assert_fails(open_alone(fix, to, false), REF_INCOMPLETE, "");
    assert_ok(open_alone(fix, at_dir(fix, "same"), false));
    image nothing = {0};
    assert_int_equal(apply(fix, to, &nothing), REF_CORRUPT);
    assert_ok(apply(fix, to, &stream));
    assert_true(image_is(&begun, to));
    assert_ok(open_alone(fix, to, true));
    assert_ok(ref_db_close(db));
    assert_int_equal(state_of(fix, path), REF_COPY_NONE);
    free(begun.bytes);
    free(stream.bytes);
}

/* Every handle of a database alone is an environment of its own. */
static void a_second_handle_on_a_database_alone_leaves_the_capture_be(void **state)
{
    fixture *fix = *state;
    ref_db_options creating = {.create = true, .page_size = PAGE};
    const char *path = at_dir(fix, "alone.db");
    ref_capture *other;
    uint64_t size;
    ref_db *db, *again;
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &creating, &db));
    assert_ok(put(db, NULL, "a", "b"));
    ref_capture *capture = start(db);
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &plain, &again));
    assert_int_equal(state_of(fix, path), REF_COPY_RAW);
    assert_fails(ref_capture_start(again, NULL, &other, &size), EALREADY, "");
    assert_ok(ref_db_close(again));
    assert_int_equal(state_of(fix, path), REF_COPY_RAW);
    ref_apply *apply_to;
    assert_fails(ref_apply_start(&fix->vfs.vfs, path, 0, &apply_to), EBUSY, "being captured");
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
}

/* ---- sizes ---- */

static void a_last_page_that_is_not_whole_is_kept_as_far_as_it_goes(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_filled(fix);
    assert_ok(ref_db_close(db));
    env_close(fix);
    uint64_t size = file_size(at_home(fix, "a.db"));
    file_cut(at_home(fix, "a.db"), size + 100);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    ref_capture *capture = start(db);
    image begun = image_of(at_home(fix, "a.db"));
    assert_int_equal(begun.size, size + 100);
    assert_ok(put_number(db, NULL, 1000, 1, 3000)); /* in pages from there on */
    assert_ok(ref_checkpoint(fix->env, false));
    file_copy(at_home(fix, "a.db"), at_dir(fix, "copy"));
    assert_ok(ref_capture_stop(capture));
    uint64_t seed = 1;
    image stream = stream_of(capture, &seed);
    assert_ok(apply(fix, at_dir(fix, "copy"), &stream));
    assert_true(image_is(&begun, at_dir(fix, "copy")));
    ref_capture_end(capture);
    free(begun.bytes);
    free(stream.bytes);
    assert_ok(ref_db_close(db));
}

static void the_size_of_five_gibibytes_is_said_right(void **state)
{
    fixture *fix = *state;
    uint64_t size, five = (uint64_t)5 << 30;
    ref_capture *capture;
    ref_db *db = open_filled(fix);
    assert_ok(ref_db_close(db));
    env_close(fix);
    file_cut(at_home(fix, "a.db"), five + 100); /* sparse; the last page not whole */
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_ok(ref_capture_start(db, NULL, &capture, &size));
    assert_true(size == five + 100);
    for (uint32_t i = 0; i < 50; i++) {
        assert_ok(put_number(db, NULL, 1000 + i, i, 300)); /* into what had been zeros */
    }
    assert_ok(ref_checkpoint(fix->env, false));
    assert_true(file_size(at_home(fix, "a.db")) == five + 100);
    assert_true(stream_size(capture) > 50 * 300);
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(the_start_says_the_size_and_the_file_has_every_commit),
    SCRATCH_TEST(a_database_is_captured_once_at_a_time_whatever_the_handle),
    SCRATCH_TEST(what_is_not_committed_or_removed_cannot_be_captured),
    SCRATCH_TEST(a_captured_database_is_neither_renamed_nor_removed),
    SCRATCH_TEST(the_stream_can_be_had_after_the_stop_only),
    SCRATCH_TEST(the_size_stays_while_the_stream_is_read),
    SCRATCH_TEST(nothing_changed_is_an_empty_stream),
    SCRATCH_TEST(a_page_is_kept_once),
    SCRATCH_TEST(what_lies_below_the_mark_is_not_kept),
    SCRATCH_TEST(a_page_across_the_mark_is_kept),
    SCRATCH_TEST(growth_is_not_kept),
    SCRATCH_TEST(the_source_has_a_slot_as_long_as_it_is_captured),
    SCRATCH_TEST(no_log_and_no_other_backup_gets_the_slot),
    SCRATCH_TEST(a_raw_copy_is_refused_wherever_it_is_opened),
    SCRATCH_TEST(a_raw_copy_is_accepted_when_nothing_had_changed),
    SCRATCH_TEST(a_raw_copy_in_its_sources_place_is_found),
    SCRATCH_TEST(a_damaged_slot_is_found),
    SCRATCH_TEST(what_a_file_is_can_be_asked_of_databases_only),
    SCRATCH_TEST(a_database_alone_is_captured_in_the_same_way),
    SCRATCH_TEST(a_second_handle_on_a_database_alone_leaves_the_capture_be),
    SCRATCH_TEST(a_last_page_that_is_not_whole_is_kept_as_far_as_it_goes),
    SCRATCH_TEST(the_size_of_five_gibibytes_is_said_right),
};
TEST_MAIN(tests)
