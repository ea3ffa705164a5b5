/* NSFBackupStop and NSFBackupEnd, and contexts that are none any more or another database's. */
#include "domino_cases.h"
#include "domino_support.h"

#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

enum { NOTES = 20, CALLS = 5 };

/* The five calls that take a context, by number. */
static STATUS call(unsigned number, uint32_t handle, DHANDLE context, DWORD options)
{
    static char buffer[256];
    DWORD low, high, filled;

    switch (number) {
    case 0:
        return NSFBackupSetHighWaterMark(handle, context, 0, 0);
    case 1:
        return NSFBackupGetChangeInfoSize(handle, context, 0, &low, &high);
    case 2:
        return NSFBackupGetNextChangeInfo(handle, context, 0, buffer, sizeof buffer, &filled);
    case 3:
        return NSFBackupStop(handle, context);
    default:
        return NSFBackupEnd(handle, context, options);
    }
}

/* One after the other: recording, stopped, read, over. */
static void end_after_the_change_information_was_read_is_NOERROR(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 500);
    dom_expect(dom_flush(db), "flush");
    dom_backup_stop(&b);
    dom_bytes stream = dom_read_stream(&b);

    hp_promise(HP_DOM_END);
    assert_int_equal(NSFBackupEnd(db->handle, b.context, 0), NOERROR);
    assert_int_equal(ERR(NSFBackupEnd(db->handle, b.context, 0)), ERR_NOT_DOING_BACKUP);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* Where the sample's error paths leave: in the copy, after the stop, in the middle of the change
 * information. */
static void an_abort_is_NOERROR_at_every_point_of_a_backup(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    for (unsigned point = 0; point < 5; point++) {
        dom_backup b = dom_backup_start(db);
        char buffer[100];
        DWORD filled;

        if (point > 0) {
            dom_update_all(db, 300 + 100 * point);
            dom_expect(dom_flush(db), "flush");
        }
        if (point > 1) {
            dom_backup_stop(&b);
        }
        if (point > 2) {
            dom_expect(NSFBackupGetNextChangeInfo(
                           db->handle, b.context, 0, buffer, sizeof buffer, &filled),
                "NSFBackupGetNextChangeInfo");
        }
        if (point > 3) {
            dom_update_all(db, 900);
            dom_expect(dom_flush(db), "flush");
        }
        hp_promise(HP_DOM_END_ABORT);
        dom_backup_abort(&b);
        dom_assert_notes(db->handle, db);
    }
    dom_assert_usable(db);
    dom_db_end(db);
    dom_end_program();
}

/* Each call says the same: there is no such backup. */
static void an_ended_context_is_good_for_nothing(void **state)
{
    (void)state;
    static const DWORD ways[] = {0, BACKUPEND_ABORT};
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
        dom_backup b = dom_backup_start(db);
        dom_backup_stop(&b);
        dom_expect(NSFBackupEnd(db->handle, b.context, ways[w]), "NSFBackupEnd");
        hp_promise(HP_DOM_END_CONTEXT);
        for (unsigned i = 0; i < CALLS; i++) {
            assert_int_equal(ERR(call(i, db->handle, b.context, 0)), ERR_NOT_DOING_BACKUP);
        }
        assert_int_equal(
            ERR(call(CALLS, db->handle, b.context, BACKUPEND_ABORT)), ERR_NOT_DOING_BACKUP);
        dom_backup_free(&b);
    }
    dom_db_end(db);
    dom_end_program();
}

/* Yesterday's context in a variable, today's backup underway. */
static void an_ended_context_does_not_reach_the_next_backup(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup old = dom_backup_start(db);
    dom_expect(NSFBackupEnd(db->handle, old.context, BACKUPEND_ABORT), "NSFBackupEnd");
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 800);
    dom_expect(dom_flush(db), "flush");

    hp_promise(HP_DOM_END_STALE);
    for (unsigned i = 0; i < CALLS; i++) {
        assert_int_equal(ERR(call(i, db->handle, old.context, 0)), ERR_NOT_DOING_BACKUP);
    }
    assert_int_equal(
        ERR(call(CALLS, db->handle, old.context, BACKUPEND_ABORT)), ERR_NOT_DOING_BACKUP);
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_backup_free(&old);
    dom_db_end(db);
    dom_end_program();
}

/* Two databases in backup, and the arguments mixed up. */
static void a_context_of_another_database_is_refused_and_harms_neither(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db[2] = {dom_db_new("one.nsf", NOTES), dom_db_new("two.nsf", NOTES)};
    dom_backup b[2] = {dom_backup_start(db[0]), dom_backup_start(db[1])};

    for (unsigned k = 0; k < 2; k++) {
        dom_update_all(db[k], 600);
        dom_expect(dom_flush(db[k]), "flush");
        for (unsigned i = 0; i <= CALLS; i++) {
            STATUS status =
                call(i, db[1 - k]->handle, b[k].context, i == CALLS ? BACKUPEND_ABORT : 0);

            hp_promise(HP_DOM_WRONG_DATABASE);
            assert_int_not_equal(status, NOERROR);
            hp_promise(HP_DOM_WRONG_DATABASE_CODE);
            assert_int_equal(ERR(status), ERR_NOT_DOING_BACKUP);
        }
    }
    hp_promise(HP_DOM_WRONG_DATABASE);
    for (unsigned k = 0; k < 2; k++) {
        dom_copy(&b[k], "copy.nsf");
        dom_bytes stream = dom_finish(&b[k]);
        dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
        dom_assert_is_image("copy.nsf", &b[k]);
        dom_free(&stream);
        dom_backup_free(&b[k]);
        dom_db_end(db[k]);
    }
    dom_end_program();
}

/* A tool that opens the database anew for each step. */
static void a_backup_goes_on_through_any_handle_of_its_database(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    DBHANDLE first = db->handle, second = NULLHANDLE;
    dom_need(NSFDbOpen(db->path, &second), "open the database again");
    dom_backup b = dom_backup_start(db);

    hp_promise(HP_DOM_ANY_HANDLE);
    db->handle = second;
    dom_update_all(db, 600);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_mark(&b, b.size);
    dom_bytes stream = dom_finish(&b);
    db->handle = first;
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_expect(NSFDbClose(second), "NSFDbClose");
    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* The sample ignores what the stop returns; others call it twice to be sure. */
static void a_second_stop_is_NOERROR_and_changes_nothing(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 600);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_backup_stop(&b);
    uint64_t size = dom_stream_size(&b);

    hp_promise(HP_DOM_STOP_AGAIN);
    dom_backup_stop(&b);
    assert_int_equal(dom_stream_size(&b), size);
    dom_bytes stream = dom_read_stream(&b);
    dom_backup_stop(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

/* The copy is finished: a mark has nothing to save any more. */
static void a_mark_after_the_stop_returns_ERR_NOT_DOING_BACKUP(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_backup_stop(&b);

    hp_promise(HP_DOM_MARK_AFTER_STOP);
    assert_int_equal(
        ERR(NSFBackupSetHighWaterMark(db->handle, b.context, 4096, 0)), ERR_NOT_DOING_BACKUP);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

/* A tool that makes a copy for its inode: it does not want the change information. */
static void end_with_unread_change_information_is_NOERROR(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 600);
    dom_expect(dom_flush(db), "flush");
    dom_backup_stop(&b);
    if (dom_stream_size(&b) == 0) {
        hp_unresolved("nothing was recorded");
    }

    hp_promise(HP_DOM_END_UNREAD);
    assert_int_equal(NSFBackupEnd(db->handle, b.context, 0), NOERROR);
    dom_backup_free(&b);
    dom_assert_usable(db);
    dom_db_end(db);
    dom_end_program();
}

/* A tool that forgot to stop. */
static void end_before_the_stop_is_NOERROR_and_ends_the_backup(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 600);
    dom_expect(dom_flush(db), "flush");

    hp_promise(HP_DOM_END_RECORDING);
    assert_int_equal(NSFBackupEnd(db->handle, b.context, 0), NOERROR);
    assert_int_equal(ERR(NSFBackupStop(db->handle, b.context)), ERR_NOT_DOING_BACKUP);
    dom_backup_free(&b);
    dom_assert_usable(db);
    dom_db_end(db);
    dom_end_program();
}

/* An option of a later version is not the end of this backup. */
static void an_option_that_does_not_exist_is_refused_and_the_backup_goes_on(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 600);
    dom_expect(dom_flush(db), "flush");

    hp_promise(HP_DOM_END_OPTIONS);
    for (DWORD option = BACKUPEND_ABORT << 1; option != 0; option <<= 1) {
        assert_int_not_equal(NSFBackupEnd(db->handle, b.context, option), NOERROR);
        assert_int_not_equal(
            NSFBackupEnd(db->handle, b.context, option | BACKUPEND_ABORT), NOERROR);
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

const hp_case dom_end_cases[] = {
    HP_CASE(end_after_the_change_information_was_read_is_NOERROR, HP_DOM_END),
    HP_CASE(an_abort_is_NOERROR_at_every_point_of_a_backup, HP_DOM_END_ABORT),
    HP_CASE(an_ended_context_is_good_for_nothing, HP_DOM_END_CONTEXT),
    HP_CASE(an_ended_context_does_not_reach_the_next_backup, HP_DOM_END_STALE),
    HP_CASE(a_context_of_another_database_is_refused_and_harms_neither, HP_DOM_WRONG_DATABASE,
        HP_DOM_WRONG_DATABASE_CODE),
    HP_CASE(a_backup_goes_on_through_any_handle_of_its_database, HP_DOM_ANY_HANDLE),
    HP_CASE(a_second_stop_is_NOERROR_and_changes_nothing, HP_DOM_STOP_AGAIN),
    HP_CASE(a_mark_after_the_stop_returns_ERR_NOT_DOING_BACKUP, HP_DOM_MARK_AFTER_STOP),
    HP_CASE(end_with_unread_change_information_is_NOERROR, HP_DOM_END_UNREAD),
    HP_CASE(end_before_the_stop_is_NOERROR_and_ends_the_backup, HP_DOM_END_RECORDING),
    HP_CASE(an_option_that_does_not_exist_is_refused_and_the_backup_goes_on, HP_DOM_END_OPTIONS),
    HP_CASE_END,
};
