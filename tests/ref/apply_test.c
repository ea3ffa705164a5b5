/* Applying change information: what belongs to a copy makes it the start; nothing else touches it. */
#include "copying.h"
#include "crash_vfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/change.h"
#include "engine/error.h"
#include "engine/internal.h"

enum { RECORDS = 200, PAGE = 512 };

static const ref_db_options reading = {.read_only = true};

/* ---- a backup to try things on ---- */

typedef struct backup {
    image start;
    image stream;
    image copy; /* raw */
} backup;

static ref_db *make_filled(fixture *fix, const char *name)
{
    ref_db *db = db_make(fix->env, name);
    ref_txn *txn = begin(fix->env, NULL);
    for (uint32_t i = 0; i < RECORDS; i++) {
        assert_ok(put_number(db, txn, i, i, 100));
    }
    assert_ok(ref_txn_commit(txn));
    return db;
}

static void change(fixture *fix, ref_db *db, uint32_t from, uint32_t value)
{
    ref_txn *txn = begin(fix->env, NULL);
    for (uint32_t i = from; i < RECORDS; i += 2) {
        assert_ok(put_number(db, txn, i, value, 100));
    }
    assert_ok(put_number(db, txn, 1000 + value, 1, 4000)); /* page 0 changes, the file grows */
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

static backup back_up(fixture *fix, ref_db *db)
{
    static uint32_t value;
    backup made;
    uint64_t seed = 3;
    const char *path = at_home(fix, ref_db_name(db));
    ref_capture *capture = start(db);
    made.start = image_of(path);
    change(fix, db, 1, ++value);
    made.copy = image_of(path);
    assert_ok(ref_capture_stop(capture));
    made.stream = stream_of(capture, &seed);
    ref_capture_end(capture);
    return made;
}

static void forget(backup *made)
{
    free(made->start.bytes);
    free(made->stream.bytes);
    free(made->copy.bytes);
}

static void put_copy(const char *path, const backup *made)
{
    file_write(path, made->copy.bytes, made->copy.size);
}

static int apply(fixture *fix, const char *path, const image *stream)
{
    uint64_t seed = 11;
    return stream_apply(&fix->vfs.vfs, path, stream, &seed);
}

static bool same_bytes(const image *wanted, const char *path)
{
    image found = image_of(path);
    bool same = found.size == wanted->size && memcmp(found.bytes, wanted->bytes, found.size) == 0;
    free(found.bytes);
    return same;
}

static ref_copy_state state_of(const char *path)
{
    ref_copy_state what;
    assert_ok(ref_copy_state_of(NULL, path, &what));
    return what;
}

/* ---- what belongs to it ---- */

static void the_same_stream_again_gives_the_same_bytes(void **state)
{
    fixture *fix = *state;
    const char *to = at_dir(fix, "copy");
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    backup made = back_up(fix, db);
    put_copy(to, &made);
    assert_ok(apply(fix, to, &made.stream));
    assert_true(image_is(&made.start, to));
    image once = image_of(to);
    for (int i = 0; i < 3; i++) {
        assert_ok(apply(fix, to, &made.stream));
        assert_true(same_bytes(&once, to));
    }
    ref_apply *work; /* and half of it takes nothing away */
    assert_ok(ref_apply_start(NULL, to, made.stream.size, &work));
    assert_ok(ref_apply_next(work, made.stream.bytes, made.stream.size - 40));
    assert_ok(ref_apply_end(work, true));
    assert_true(same_bytes(&once, to));
    free(once.bytes);
    forget(&made);
    assert_ok(ref_db_close(db));
}

static void a_copy_can_be_applied_to_long_after_its_source_is_gone(void **state)
{
    fixture *fix = *state;
    const char *to = at_dir(fix, "copy");
    ref_db *copy;
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    backup made = back_up(fix, db);
    put_copy(to, &made);
    assert_ok(ref_db_close(db));
    env_close(fix);
    tree_remove(fix->home);
    assert_ok(apply(fix, to, &made.stream));
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, to, &reading, &copy));
    assert_int_equal(db_verify(copy), RECORDS);
    assert_ok(ref_db_close(copy));
    forget(&made);
}

/* Half of page 0 as it was, half as it is; the pages behind it too. */
static void a_torn_page_0_is_made_whole(void **state)
{
    fixture *fix = *state;
    const char *to = at_dir(fix, "copy");
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    backup made = back_up(fix, db);
    for (size_t tear = 1; tear < 3 * PAGE; tear += 7) {
        put_copy(to, &made);
        image torn = image_of(to);
        memcpy(torn.bytes, made.start.bytes, tear);
        file_write(to, torn.bytes, torn.size);
        assert_ok(apply(fix, to, &made.stream));
        assert_true(image_is(&made.start, to));
        free(torn.bytes);
    }
    forget(&made);
    assert_ok(ref_db_close(db));
}

static void a_copy_is_cut_and_extended_to_the_size_at_the_start(void **state)
{
    fixture *fix = *state;
    const char *to = at_dir(fix, "copy");
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    backup made = back_up(fix, db);
    assert_true(made.copy.size > made.start.size);
    put_copy(to, &made);
    assert_ok(apply(fix, to, &made.stream));
    assert_int_equal(file_size(to), made.start.size);
    /* A copy that lacks what the stream has. */
    uint64_t last = 0;
    for (size_t at = REF_STREAM_HEADER; ref_get64(made.stream.bytes + at) != UINT64_MAX;) {
        last = ref_get64(made.stream.bytes + at);
        at += REF_STREAM_RECORD + ref_get32(made.stream.bytes + at + 8);
    }
    put_copy(to, &made);
    file_cut(to, last);
    int error = apply(fix, to, &made.stream);
    assert_int_equal(error, 0);
    assert_true(image_is(&made.start, to));
    /* And one that lacks what nobody has. */
    put_copy(to, &made);
    file_cut(to, PAGE);
    assert_int_equal(apply(fix, to, &made.stream), REF_CORRUPT);
    forget(&made);
    assert_ok(ref_db_close(db));
}

static void an_abort_leaves_the_copy_raw(void **state)
{
    fixture *fix = *state;
    const char *to = at_dir(fix, "copy");
    ref_apply *work;
    ref_db *copy;
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    backup made = back_up(fix, db);
    put_copy(to, &made);
    for (size_t size = 0; size <= made.stream.size; size += made.stream.size / 5) {
        assert_ok(ref_apply_start(&fix->vfs.vfs, to, made.stream.size, &work));
        assert_ok(ref_apply_next(work, made.stream.bytes, size));
        assert_ok(ref_apply_end(work, true));
        assert_int_equal(state_of(to), REF_COPY_RAW);
        if (size < made.stream.size / 2) {
            assert_fails(ref_db_open_alone(&fix->vfs.vfs, to, &reading, &copy), REF_INCOMPLETE, "");
        }
    }
    assert_ok(apply(fix, to, &made.stream));
    assert_true(image_is(&made.start, to));
    forget(&made);
    assert_ok(ref_db_close(db));
}

/* ---- what does not ---- */

static void expect_refused(fixture *fix, const backup *made, const image *stream, const char *words)
{
    const char *to = at_dir(fix, "copy");
    put_copy(to, made);
    assert_fails(apply(fix, to, stream), REF_CORRUPT, words);
    assert_true(same_bytes(&made->copy, to)); /* not a byte was changed */
}

static void streams_of_other_backups_and_databases_are_refused(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db"), *other = make_filled(fix, "b.db");
    backup yesterday = back_up(fix, db);
    backup today = back_up(fix, db);
    backup foreign = back_up(fix, other);
    expect_refused(fix, &yesterday, &today.stream, "another backup's");
    expect_refused(fix, &today, &yesterday.stream, "another backup's");
    expect_refused(fix, &today, &foreign.stream, "another database's");
    image garbage = {
        (uint8_t[]){"not what it should be, but as long as any header is at least"}, 60};
    expect_refused(fix, &today, &garbage, "no change information");
    forget(&yesterday);
    forget(&today);
    forget(&foreign);
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_close(other));
}

static void a_file_that_is_no_copy_is_refused(void **state)
{
    fixture *fix = *state;
    const char *to = at_dir(fix, "copy");
    image nothing = {0};
    ref_apply *work;
    ref_db *copy;
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    assert_ok(ref_checkpoint(fix->env, false));
    file_copy(at_home(fix, "a.db"), to); /* not made during a capture */
    backup made = back_up(fix, db);
    assert_fails(apply(fix, to, &made.stream), REF_CORRUPT, "not copied during a backup");
    assert_fails(apply(fix, to, &nothing), REF_CORRUPT, "not copied during a backup");
    put_copy(to, &made);
    assert_ok(apply(fix, to, &made.stream));
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, to, &(ref_db_options){0}, &copy));
    assert_ok(ref_db_close(copy));
    assert_fails(apply(fix, to, &made.stream), REF_CORRUPT, "opened since");
    file_write(to, "hello", 5);
    assert_fails(apply(fix, to, &made.stream), REF_CORRUPT, "no database file");
    assert_fails(apply(fix, at_dir(fix, "nothing"), &made.stream), ENOENT, "nothing");
    assert_fails(ref_apply_start(NULL, at_home(fix, "."), 1, &work), EISDIR, "");
    assert_null(work);
    forget(&made);
    assert_ok(ref_db_close(db));
}

static void too_little_and_too_much_are_refused(void **state)
{
    fixture *fix = *state;
    const char *to = at_dir(fix, "copy");
    ref_apply *work;
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    backup made = back_up(fix, db);
    put_copy(to, &made);
    size_t size = made.stream.size;
    assert_ok(ref_apply_start(NULL, to, size, &work));
    assert_ok(ref_apply_next(work, made.stream.bytes, size - 1));
    assert_fails(ref_apply_end(work, false), REF_CORRUPT, "ends after");
    assert_int_equal(state_of(to), REF_COPY_RAW);
    /* Announced shorter, and given so: it does not end. */
    assert_ok(ref_apply_start(NULL, to, size - 32, &work));
    assert_ok(ref_apply_next(work, made.stream.bytes, size - 32));
    assert_fails(ref_apply_end(work, false), REF_CORRUPT, "ends after");
    assert_ok(ref_apply_start(NULL, to, size - 1, &work));
    assert_fails(ref_apply_next(work, made.stream.bytes, size), REF_CORRUPT, "announced");
    assert_fails(ref_apply_next(work, made.stream.bytes, 1), REF_CORRUPT, "announced");
    assert_fails(ref_apply_end(work, false), REF_CORRUPT, "announced");
    assert_ok(ref_apply_start(NULL, to, size + 8, &work));
    assert_ok(ref_apply_next(work, made.stream.bytes, size));
    assert_fails(ref_apply_next(work, made.stream.bytes, 8), REF_CORRUPT, "behind the end");
    assert_ok(ref_apply_end(work, true));
    assert_int_equal(state_of(to), REF_COPY_RAW);
    forget(&made);
    assert_ok(ref_db_close(db));
}

static void an_empty_stream_does_not_make_a_changed_copy_good(void **state)
{
    fixture *fix = *state;
    image nothing = {0};
    const char *to = at_dir(fix, "copy");
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    backup made = back_up(fix, db);
    put_copy(to, &made);
    assert_fails(apply(fix, to, &nothing), REF_CORRUPT, "page 0: changed at log");
    assert_int_equal(state_of(to), REF_COPY_RAW);
    forget(&made);
    assert_ok(ref_db_close(db));
}

static void one_chunk_twice_is_found(void **state)
{
    fixture *fix = *state;
    const char *to = at_dir(fix, "copy");
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    backup made = back_up(fix, db);
    size_t chunk = 100;
    for (size_t at = 0; at + chunk <= made.stream.size; at += chunk) {
        ref_apply *work;
        put_copy(to, &made);
        assert_ok(ref_apply_start(NULL, to, made.stream.size, &work));
        assert_ok(ref_apply_next(work, made.stream.bytes, at + chunk));
        int error = ref_apply_next(work, made.stream.bytes + at, chunk);
        size_t rest = made.stream.size - at - 2 * chunk;
        if (error == 0 && at + 2 * chunk < made.stream.size) {
            error = ref_apply_next(work, made.stream.bytes + at + chunk, rest);
        }
        assert_true(error == 0 || error == REF_CORRUPT);
        assert_int_equal(ref_apply_end(work, false), REF_CORRUPT);
        assert_int_equal(state_of(to), REF_COPY_RAW);
    }
    forget(&made);
    assert_ok(ref_db_close(db));
}

/* ---- backups that were made wrongly ---- */

static void a_copy_made_after_the_stop_is_never_called_good(void **state)
{
    fixture *fix = *state;
    uint64_t seed = 1;
    const char *to = at_dir(fix, "copy");
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    ref_capture *capture = start(db);
    change(fix, db, 0, 1);
    assert_ok(ref_capture_stop(capture));
    change(fix, db, 1, 2);
    file_copy(at_home(fix, "a.db"), to);
    image stream = stream_of(capture, &seed);
    assert_fails(apply(fix, to, &stream), REF_CORRUPT, "after the capture began");
    ref_capture_end(capture);
    free(stream.bytes);
    assert_ok(ref_db_close(db));
}

static void a_copy_under_a_mark_that_was_too_high_is_never_called_good(void **state)
{
    fixture *fix = *state;
    uint64_t seed = 1;
    const char *to = at_dir(fix, "copy");
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    ref_capture *capture = start(db);
    assert_ok(ref_capture_mark(capture, file_size(at_home(fix, "a.db")) - PAGE));
    change(fix, db, 0, 1);
    file_copy(at_home(fix, "a.db"), to);
    assert_ok(ref_capture_stop(capture));
    image stream = stream_of(capture, &seed);
    assert_fails(apply(fix, to, &stream), REF_CORRUPT, "after the capture began");
    ref_capture_end(capture);
    free(stream.bytes);
    assert_ok(ref_db_close(db));
}

/* ---- faults ---- */

/* Every operation of an apply fails once, for good, and with the power: success means good, and
 * nothing but success does. */
static void a_fault_anywhere_is_never_success(void **state)
{
    static const fault_manner manners[] = {
        FAULT_ONCE, FAULT_FROM_THEN, FAULT_SHORT, FAULT_POWER_CUT};
    fixture *fix = *state;
    const char *to = at_dir(fix, "copy");
    ref_db *copy;
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    backup made = back_up(fix, db);
    for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
        bool over = false;
        for (uint64_t nth = 1; !over; nth++) {
            fault_rule rule = {.kinds = manners[i] == FAULT_POWER_CUT
                                            ? FAULT_CHANGES
                                            : FAULT_ALL & ~FAULT_BIT(FAULT_CLOSE),
                .path = "/copy",
                .nth = nth,
                .error = EIO,
                .manner = manners[i]};
            put_copy(to, &made);
            fault_set(&fix->vfs, &rule);
            int error = apply(fix, to, &made.stream);
            over = fault_injected(&fix->vfs) == 0;
            fault_heal(&fix->vfs);
            if (error == 0) {
                assert_true(image_is(&made.start, to));
                assert_int_equal(state_of(to), REF_COPY_APPLIED);
            }
            int opened = ref_db_open_alone(&fix->vfs.vfs, to, &reading, &copy);
            if (opened == 0) { /* whatever was said: at most its end was not cut off */
                assert_int_equal(db_verify(copy), RECORDS);
                assert_ok(ref_db_close(copy));
            }
            assert_ok(apply(fix, to, &made.stream));
            assert_true(image_is(&made.start, to));
        }
    }
    forget(&made);
    assert_ok(ref_db_close(db));
}

/* What a power cut keeps of what was not synced is any part of it. */
static void a_power_cut_leaves_no_copy_that_is_called_good_and_is_not(void **state)
{
    fixture *fix = *state;
    char medium[FIXTURE_PATH], to[FIXTURE_PATH], left[FIXTURE_PATH], left_copy[FIXTURE_PATH];
    unsigned good = 0;
    bool over = false;
    env_open(fix);
    ref_db *db = make_filled(fix, "a.db");
    backup made = back_up(fix, db);
    snprintf(medium, sizeof medium, "%s", at_dir(fix, "medium"));
    snprintf(to, sizeof to, "%s", at_dir(fix, "medium/copy"));
    snprintf(left, sizeof left, "%s", at_dir(fix, "left"));
    snprintf(left_copy, sizeof left_copy, "%s", at_dir(fix, "left/copy"));
    dir_make(medium);
    for (uint64_t nth = 1; !over; nth++) {
        fault_vfs cutting;
        crash_vfs disk;
        uint64_t seed = nth;
        fault_rule cut = {
            .kinds = FAULT_CHANGES, .nth = nth, .error = EIO, .manner = FAULT_POWER_CUT};
        put_copy(to, &made);
        crash_vfs_init(&disk, medium);
        fault_vfs_init(&cutting);
        cutting.next = &disk.vfs;
        cutting.real_sync = true;
        fault_set(&cutting, &cut);
        stream_apply(&cutting.vfs, to, &made.stream, &seed);
        over = fault_injected(&cutting) == 0;
        for (uint64_t chance = 0; chance < 8; chance++) {
            crash_vfs_make_state(&disk, CRASH_SOME_LOST, nth * 100 + chance, left);
            if (state_of(left_copy) == REF_COPY_APPLIED) {
                assert_true(image_is(&made.start, left_copy));
                good++;
            }
            assert_ok(apply(fix, left_copy, &made.stream));
            assert_true(image_is(&made.start, left_copy));
            tree_remove(left);
        }
        fault_vfs_destroy(&cutting);
        crash_vfs_destroy(&disk);
    }
    assert_true(good >= 8);
    forget(&made);
    assert_ok(ref_db_close(db));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(the_same_stream_again_gives_the_same_bytes),
    SCRATCH_TEST(a_copy_can_be_applied_to_long_after_its_source_is_gone),
    SCRATCH_TEST(a_torn_page_0_is_made_whole),
    SCRATCH_TEST(a_copy_is_cut_and_extended_to_the_size_at_the_start),
    SCRATCH_TEST(an_abort_leaves_the_copy_raw),
    SCRATCH_TEST(streams_of_other_backups_and_databases_are_refused),
    SCRATCH_TEST(a_file_that_is_no_copy_is_refused),
    SCRATCH_TEST(too_little_and_too_much_are_refused),
    SCRATCH_TEST(an_empty_stream_does_not_make_a_changed_copy_good),
    SCRATCH_TEST(one_chunk_twice_is_found),
    SCRATCH_TEST(a_copy_made_after_the_stop_is_never_called_good),
    SCRATCH_TEST(a_copy_under_a_mark_that_was_too_high_is_never_called_good),
    SCRATCH_TEST(a_fault_anywhere_is_never_success),
    SCRATCH_TEST(a_power_cut_leaves_no_copy_that_is_called_good_and_is_not),
};
TEST_MAIN(tests)
