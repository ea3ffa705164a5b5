/* Before-images beyond the memory, beyond the disk and beyond the time. */
#include "domino_cases.h"
#include "domino_provoke.h"
#include "domino_support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

enum { NOTES = 60, MINUTE = 60 };

static const char small_memory[] =
    "NSF_Backup_Memory_Constrained=1\nNSF_Backup_Memory_Limit=20000\n";

/* Far more than the limit is recorded, and all of it comes out. */
static void before_images_beyond_the_memory_limit_are_kept(void **state)
{
    (void)state;
    dom_begin_program(small_memory);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    for (unsigned round = 0; round < 10; round++) {
        dom_backup b = dom_backup_start(db);

        for (unsigned i = 0; i < 4; i++) {
            dom_update_all(db, 500 + 300 * i);
            dom_expect(dom_flush(db), "flush");
        }
        dom_copy(&b, "copy.nsf");
        dom_update_all(db, 900);
        dom_expect(dom_flush(db), "flush");
        dom_bytes stream = dom_finish(&b);
        if (stream.size < 40000) {
            hp_unresolved("only %zu bytes were recorded", stream.size);
        }
        hp_promise(HP_DOM_MEMORY_LIMIT);
        dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
        dom_assert_is_image("copy.nsf", &b);
        dom_free(&stream);
        dom_backup_free(&b);
    }
    dom_db_end(db);
    dom_end_program();
}

/* However a backup ends: with its change information, or given up. */
static void no_temporary_file_outlives_its_backup(void **state)
{
    (void)state;
    dom_begin_program(small_memory);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 600); /* what is opened once and kept is no temporary file */
    dom_expect(dom_flush(db), "flush");
    dom_backup_abort(&b);
    unsigned here = dom_count_entries("."), there = dom_count_entries("data");
    unsigned descriptors = dom_open_descriptors();

    hp_promise(HP_DOM_MEMORY_FILE_GOES);
    for (unsigned round = 0; round < 6; round++) {
        b = dom_backup_start(db);
        dom_update_all(db, 700 + round);
        dom_expect(dom_flush(db), "flush");
        if (round % 2 == 0) {
            dom_backup_abort(&b);
        } else {
            dom_bytes stream = dom_finish(&b);
            dom_free(&stream);
            dom_backup_free(&b);
        }
        assert_int_equal(dom_count_entries("."), here);
        assert_int_equal(dom_count_entries("data"), there);
        assert_int_equal(dom_open_descriptors(), descriptors);
    }
    dom_db_end(db);
    dom_end_program();
}

static bool is_lost_image(STATUS status)
{
    return ERR(status) == ERR_BACKUP_ABORTED2 || ERR(status) == ERR_NSF_CANT_BACKUP;
}

/* Goes on with a backup that may have lost a before-image, to its end. Returns the first result
 * that is not NOERROR; if there is none, the copy is the backup. */
static STATUS go_on(const dom_backup *b, const char *copy)
{
    DWORD low = 0, high = 0, filled = 0;
    dom_copy(b, copy);
    STATUS status = NSFBackupStop(b->db->handle, b->context);

    if (status == NOERROR) {
        status = NSFBackupGetChangeInfoSize(b->db->handle, b->context, 0, &low, &high);
    }
    dom_bytes stream = dom_bytes_new((size_t)low + 1);
    if (status == NOERROR) {
        status = NSFBackupGetNextChangeInfo(
            b->db->handle, b->context, 0, (char *)stream.data, low + 1, &filled);
    }
    stream.size = filled;
    if (status == NOERROR) {
        status = dom_apply(copy, stream);
    }
    dom_free(&stream);
    return status;
}

/* Updates everything although before-images cannot be kept. Returns the first result that is not
 * NOERROR. */
static STATUS update_all_the_same(dom_db *db)
{
    STATUS status = NOERROR;

    for (unsigned i = 0; i < db->count && status == NOERROR; i++) {
        status = dom_update_note(db, i, 1200);
        if (status == NOERROR && i % 8 == 0) {
            status = dom_flush(db);
        }
    }
    return status;
}

/* A backup, during which before-images are lost, is never reported good unless it is. The temporary
 * file fails with `error` after so many bytes; 0: there is none. */
static void assert_lost_image_noticed(dom_db *db, int error, uint64_t after_bytes)
{
    dom_backup b = dom_backup_start(db);
    uint64_t at = 0;

    if (error != 0) {
        dom_provoke.fail_temporary_files(error, after_bytes);
    }
    STATUS updated = update_all_the_same(db), backup = go_on(&b, "copy.nsf");
    if (error != 0) {
        dom_provoke.fail_temporary_files(0, 0);
    }

    hp_log("updates: 0x%04X, backup: 0x%04X", updated, backup);
    hp_promise(HP_DOM_IMAGE_LOST);
    assert_true(updated == NOERROR || ERR(updated) == ERR_NSF_CANT_BACKUP);
    assert_true(backup != NOERROR || dom_is_image("copy.nsf", &b, &at));
    if (backup == NOERROR && updated == NOERROR) {
        hp_unresolved("no before-image was lost");
    }
    assert_true(backup == NOERROR || dom_try_open("copy.nsf") != NOERROR);
    hp_promise(HP_DOM_IMAGE_LOST_UPDATE);
    assert_int_equal(updated, NOERROR);
    assert_true(is_lost_image(backup));
    assert_int_equal(NSFBackupStop(db->handle, b.context), backup);
    assert_int_equal(NSFBackupSetHighWaterMark(db->handle, b.context, 4096, 0), backup);
    hp_promise(error == EIO ? HP_DOM_IMAGE_FAILED : HP_DOM_IMAGE_NO_ROOM);
    assert_int_equal(ERR(backup), error == EIO ? ERR_NSF_CANT_BACKUP : ERR_BACKUP_ABORTED2);
    hp_promise(HP_DOM_ABORTED_END);
    assert_int_equal(NSFBackupEnd(db->handle, b.context, BACKUPEND_ABORT), NOERROR);
    assert_int_equal(ERR(NSFBackupEnd(db->handle, b.context, 0)), ERR_NOT_DOING_BACKUP);
    dom_assert_notes(db->handle, db);
    dom_backup_free(&b);
}

/* The limit, and no file to go to. */
static void a_backup_ends_at_the_memory_limit_where_there_is_no_file(void **state)
{
    (void)state;
    char ini[256];
    if (dom_provoke.no_temporary_file == NULL) {
        hp_unsupported("no way to do without the temporary file");
    }
    (void)snprintf(ini, sizeof ini, "%s%s", small_memory, dom_provoke.no_temporary_file);
    dom_begin_program(ini);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    assert_lost_image_noticed(db, 0, 0);
    assert_lost_image_noticed(db, 0, 0);
    dom_db_end(db);
    dom_end_program();
}

/* The temporary file fails at several points of its growth. */
static void assert_lost_images_noticed(const int *errors, size_t count)
{
    static const uint64_t after[] = {0, 1, 5000, 30000};
    if (dom_provoke.fail_temporary_files == NULL) {
        hp_unsupported("no way to make the temporary file fail");
    }
    dom_begin_program(small_memory);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    for (size_t e = 0; e < count; e++) {
        for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
            assert_lost_image_noticed(db, errors[e], after[i]);
        }
    }
    hp_promise(HP_DOM_IMAGE_LOST_RESTART);
    dom_assert_usable(db);
    dom_db_end(db);
    dom_end_program();
}

/* The disk with the temporary file is full. */
static void a_backup_ends_when_there_is_no_room_for_its_temporary_file(void **state)
{
    (void)state;
    static const int errors[] = {ENOSPC, EDQUOT};

    assert_lost_images_noticed(errors, sizeof errors / sizeof errors[0]);
}

/* The disk with the temporary file is broken. */
static void a_backup_ends_when_its_temporary_file_cannot_be_written(void **state)
{
    (void)state;
    static const int errors[] = {EIO};

    assert_lost_images_noticed(errors, sizeof errors / sizeof errors[0]);
}

/* Nobody has ended it: the tool is gone, and tonight's backup comes. */
static void a_backup_that_ended_by_itself_does_not_stand_in_the_way_of_the_next(void **state)
{
    (void)state;
    char ini[256];
    if (dom_provoke.no_temporary_file == NULL) {
        hp_unsupported("no way to do without the temporary file");
    }
    (void)snprintf(ini, sizeof ini, "%s%s", small_memory, dom_provoke.no_temporary_file);
    dom_begin_program(ini);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup lost = dom_backup_start(db);
    dom_expect(update_all_the_same(db), "an update");

    hp_promise(HP_DOM_IMAGE_LOST_RESTART);
    dom_backup b = dom_backup_start(db);
    assert_true(is_lost_image(NSFBackupStop(db->handle, lost.context)));
    dom_expect(dom_update_note(db, 0, 100), "a small update");
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    hp_promise(HP_DOM_ABORTED_END);
    assert_true(is_lost_image(NSFBackupEnd(db->handle, lost.context, 0)));
    assert_int_equal(ERR(NSFBackupEnd(db->handle, lost.context, 0)), ERR_NOT_DOING_BACKUP);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_backup_free(&lost);
    dom_db_end(db);
    dom_end_program();
}

static void pass_minutes(unsigned minutes)
{
    if (dom_provoke.pass_time == NULL) {
        hp_unsupported("no way to put the clock forward");
    }
    dom_provoke.pass_time(minutes * MINUTE);
}

/* After `minutes` a backup is as it was, one minute and a bit later it has ended. */
static void assert_times_out(dom_db *db, unsigned minutes)
{
    dom_backup b = dom_backup_start(db);
    DWORD low, high, filled;
    char buffer[16];

    pass_minutes(minutes - 1);
    dom_mark(&b, 1);
    pass_minutes(2);
    hp_promise(HP_DOM_TIMEOUT);
    assert_int_equal(
        ERR(NSFBackupSetHighWaterMark(db->handle, b.context, 2, 0)), ERR_BACKUP_ABORTED);
    assert_int_equal(ERR(NSFBackupStop(db->handle, b.context)), ERR_BACKUP_ABORTED);
    assert_int_equal(
        ERR(NSFBackupGetChangeInfoSize(db->handle, b.context, 0, &low, &high)), ERR_BACKUP_ABORTED);
    assert_int_equal(
        ERR(NSFBackupGetNextChangeInfo(db->handle, b.context, 0, buffer, sizeof buffer, &filled)),
        ERR_BACKUP_ABORTED);
    dom_expect(dom_update_note(db, 0, 300), "an update");
    hp_promise(HP_DOM_TIMEOUT_RESTART);
    dom_assert_usable(db);
    dom_backup_abort(&b);
    dom_assert_usable(db);
}

/* Fifteen minutes, if notes.ini says nothing. */
static void a_backup_that_takes_longer_than_15_minutes_returns_ERR_BACKUP_ABORTED(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    assert_times_out(db, 15);
    dom_db_end(db);
    dom_end_program();
}

/* As many minutes as notes.ini says. */
static void a_backup_that_takes_longer_than_BACKUP_TIMEOUT_returns_ERR_BACKUP_ABORTED(void **state)
{
    (void)state;
    dom_begin_program("BACKUP_TIMEOUT=40\n");
    dom_db *db = dom_db_new("live.nsf", NOTES);

    assert_times_out(db, 40);
    dom_db_end(db);
    dom_end_program();
}

/* A tape may take its time. */
static void with_BACKUP_NO_TIMEOUT_a_backup_may_take_a_week(void **state)
{
    (void)state;
    dom_begin_program("BACKUP_NO_TIMEOUT=1\nBACKUP_TIMEOUT=1\n");
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);

    for (unsigned day = 0; day < 7; day++) {
        pass_minutes(24 * 60);
        hp_promise(HP_DOM_NO_TIMEOUT);
        dom_update_all(db, 300 + day);
        dom_expect(dom_flush(db), "flush");
        dom_mark(&b, 0);
    }
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

const hp_case dom_limit_cases[] = {
    HP_CASE(before_images_beyond_the_memory_limit_are_kept, HP_DOM_MEMORY_LIMIT),
    HP_CASE(no_temporary_file_outlives_its_backup, HP_DOM_MEMORY_FILE_GOES),
    HP_CASE(a_backup_ends_at_the_memory_limit_where_there_is_no_file, HP_DOM_IMAGE_LOST,
        HP_DOM_IMAGE_LOST_UPDATE, HP_DOM_IMAGE_NO_ROOM, HP_DOM_ABORTED_END),
    HP_CASE(a_backup_ends_when_there_is_no_room_for_its_temporary_file, HP_DOM_IMAGE_LOST,
        HP_DOM_IMAGE_LOST_UPDATE, HP_DOM_IMAGE_NO_ROOM, HP_DOM_ABORTED_END,
        HP_DOM_IMAGE_LOST_RESTART),
    HP_CASE(a_backup_ends_when_its_temporary_file_cannot_be_written, HP_DOM_IMAGE_LOST,
        HP_DOM_IMAGE_LOST_UPDATE, HP_DOM_IMAGE_FAILED, HP_DOM_ABORTED_END,
        HP_DOM_IMAGE_LOST_RESTART),
    HP_CASE(a_backup_that_ended_by_itself_does_not_stand_in_the_way_of_the_next,
        HP_DOM_IMAGE_LOST_RESTART, HP_DOM_ABORTED_END),
    HP_CASE(a_backup_that_takes_longer_than_15_minutes_returns_ERR_BACKUP_ABORTED, HP_DOM_TIMEOUT,
        HP_DOM_TIMEOUT_RESTART),
    HP_CASE(a_backup_that_takes_longer_than_BACKUP_TIMEOUT_returns_ERR_BACKUP_ABORTED,
        HP_DOM_TIMEOUT, HP_DOM_TIMEOUT_RESTART),
    HP_CASE(with_BACKUP_NO_TIMEOUT_a_backup_may_take_a_week, HP_DOM_NO_TIMEOUT),
    HP_CASE_END,
};
