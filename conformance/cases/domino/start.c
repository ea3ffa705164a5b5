/* NSFBackupStart: what it hands out, what it refuses, and one backup per database. */
#include "domino_cases.h"
#include "domino_support.h"

#include <stdio.h>
#include <string.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

enum { NOTES = 20, DATABASES = 6 };

static STATUS start(uint32_t handle, DHANDLE *context)
{
    DWORD low, high;

    *context = NULLHANDLE;
    return NSFBackupStart(handle, 0, context, &low, &high);
}

/* A second handle of the same database. */
static DBHANDLE open_again(const dom_db *db)
{
    char name[sizeof db->name];
    DBHANDLE handle = NULLHANDLE;

    strcpy(name, db->name);
    dom_need(NSFDbOpen(name, &handle), "open the database again");
    return handle;
}

/* The first call of every backup program. */
static void a_backup_of_an_idle_database_starts_with_a_context(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    DHANDLE context = NULLHANDLE;
    DWORD low = 1, high = 1;

    hp_promise(HP_DOM_START);
    assert_int_equal(NSFBackupStart(db->handle, 0, &context, &low, &high), NOERROR);
    hp_promise(HP_DOM_START_CONTEXT);
    assert_int_not_equal(context, NULLHANDLE);

    dom_expect(NSFBackupEnd(db->handle, context, BACKUPEND_ABORT), "NSFBackupEnd");
    dom_db_end(db);
    dom_end_program();
}

/* A tool copies as many bytes as it is told, so the size must be the file's. */
static void the_size_handed_out_is_the_size_of_the_file_at_the_start(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    for (unsigned round = 0; round < 4; round++) {
        DHANDLE context = NULLHANDLE;
        DWORD low = 1, high = 1;

        hp_promise(HP_DOM_START_SIZE);
        dom_expect(NSFBackupStart(db->handle, 0, &context, &low, &high), "NSFBackupStart");
        assert_int_equal((uint64_t)high << 32 | low, dom_file_size(db->path));
        dom_expect(NSFBackupEnd(db->handle, context, BACKUPEND_ABORT), "NSFBackupEnd");
        for (unsigned i = 0; i < 20; i++) {
            dom_expect(dom_add_note(db, 8000), "add a note");
        }
    }
    dom_db_end(db);
    dom_end_program();
}

/* What was updated a moment ago is in the file when the start returns: the copy of an otherwise
 * idle database holds it. */
static void every_update_before_the_start_is_in_the_file(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    for (unsigned round = 0; round < 5; round++) {
        dom_update_all(db, 300 + round);
        dom_expect(dom_add_note(db, 5000), "add a note");
        dom_backup b = dom_backup_start(db);
        dom_copy(&b, "copy.nsf");
        dom_bytes stream = dom_finish(&b);

        hp_promise(HP_DOM_START_FORCES);
        dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
        dom_assert_holds("copy.nsf", &b);
        dom_free(&stream);
        dom_backup_free(&b);
    }
    dom_db_end(db);
    dom_end_program();
}

/* One handle, two starts: the second would not know whose before-images are whose. */
static void a_second_start_returns_ERR_BACKUP_ALREADY_IN_PROGRESS(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    DHANDLE first, second;
    dom_expect(start(db->handle, &first), "NSFBackupStart");

    hp_promise(HP_DOM_START_TWICE);
    assert_int_equal(ERR(start(db->handle, &second)), ERR_BACKUP_ALREADY_IN_PROGRESS);
    assert_int_equal(ERR(start(db->handle, &second)), ERR_BACKUP_ALREADY_IN_PROGRESS);

    dom_expect(NSFBackupEnd(db->handle, first, BACKUPEND_ABORT), "NSFBackupEnd");
    dom_db_end(db);
    dom_end_program();
}

/* Whoever opened the database a second time is refused as well. */
static void a_start_through_another_handle_returns_ERR_BACKUP_ALREADY_IN_PROGRESS(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    DBHANDLE other = open_again(db);
    DHANDLE first, second;
    dom_expect(start(db->handle, &first), "NSFBackupStart");

    hp_promise(HP_DOM_START_OTHER_HANDLE);
    assert_int_equal(ERR(start(other, &second)), ERR_BACKUP_ALREADY_IN_PROGRESS);
    dom_expect(NSFBackupEnd(db->handle, first, BACKUPEND_ABORT), "NSFBackupEnd");
    assert_int_equal(start(other, &second), NOERROR);
    assert_int_equal(ERR(start(db->handle, &first)), ERR_BACKUP_ALREADY_IN_PROGRESS);

    dom_expect(NSFBackupEnd(other, second, BACKUPEND_ABORT), "NSFBackupEnd");
    dom_expect(NSFDbClose(other), "NSFDbClose");
    dom_db_end(db);
    dom_end_program();
}

/* The refusal leaves the first backup as it was, its before-images included. */
static void a_refused_start_does_not_harm_the_backup_that_is_underway(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    DBHANDLE other = open_again(db);
    DHANDLE refused;

    dom_update_all(db, 700);
    dom_expect(dom_flush(db), "flush");
    assert_int_not_equal(start(db->handle, &refused), NOERROR);
    assert_int_not_equal(start(other, &refused), NOERROR);
    dom_expect(NSFDbClose(other), "NSFDbClose");
    dom_update_all(db, 1200);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);

    hp_promise(HP_DOM_START_FIRST_LIVES);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* Between stop and end there is change information to be read: the backup is not over. */
static void a_start_between_stop_and_end_returns_ERR_BACKUP_ALREADY_IN_PROGRESS(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    DHANDLE second;
    dom_backup_stop(&b);

    hp_promise(HP_DOM_START_AFTER_STOP);
    assert_int_equal(ERR(start(db->handle, &second)), ERR_BACKUP_ALREADY_IN_PROGRESS);
    dom_bytes stream = dom_read_stream(&b);
    assert_int_equal(ERR(start(db->handle, &second)), ERR_BACKUP_ALREADY_IN_PROGRESS);

    dom_free(&stream);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

/* Each way of ending a backup makes room for the next. */
static void a_backup_can_be_started_after_the_last_one_ended(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    hp_promise(HP_DOM_START_AFTER_END);
    for (unsigned round = 0; round < 3; round++) {
        dom_backup aborted = dom_backup_start(db);
        dom_backup_abort(&aborted);
        dom_backup stopped = dom_backup_start(db);
        dom_backup_stop(&stopped);
        dom_backup_abort(&stopped);
        dom_backup whole = dom_backup_start(db);
        dom_bytes stream = dom_finish(&whole);
        dom_free(&stream);
        dom_backup_free(&whole);
    }
    dom_assert_usable(db);
    dom_db_end(db);
    dom_end_program();
}

/* How a snapshot is made: start on all, one snapshot, then stop and collect one by one. */
static void several_databases_are_backed_up_at_once(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db[DATABASES];
    dom_backup b[DATABASES];

    for (unsigned i = 0; i < DATABASES; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "live%u.nsf", i);
        db[i] = dom_db_new(name, NOTES + i);
    }
    for (unsigned i = 0; i < DATABASES; i++) {
        b[i] = dom_backup_start(db[i]);
    }
    for (unsigned i = 0; i < DATABASES; i++) {
        dom_update_all(db[i], 500 + 100 * i);
        dom_expect(dom_flush(db[i]), "flush");
    }
    for (unsigned i = 0; i < DATABASES; i++) {
        char copy[32];
        (void)snprintf(copy, sizeof copy, "copy%u.nsf", i);
        dom_copy(&b[i], copy);
    }
    hp_promise(HP_DOM_START_MANY);
    for (unsigned i = 0; i < DATABASES; i++) {
        char copy[32];
        unsigned k = (i * 5 + 2) % DATABASES; /* not in the order of the starts */
        dom_update_all(db[k], 300);
        dom_bytes stream = dom_finish(&b[k]);

        (void)snprintf(copy, sizeof copy, "copy%u.nsf", k);
        dom_expect(dom_apply(copy, stream), "apply the change information");
        dom_assert_is_image(copy, &b[k]);
        dom_assert_holds(copy, &b[k]);
        dom_free(&stream);
    }
    for (unsigned i = 0; i < DATABASES; i++) {
        dom_backup_free(&b[i]);
        dom_db_end(db[i]);
    }
    dom_end_program();
}

/* A program of a later version may give flags a meaning; it must not get a backup without it. */
static void a_start_with_a_reserved_flag_is_refused(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    hp_promise(HP_DOM_START_FLAGS);
    for (DWORD flag = 1; flag != 0; flag <<= 1) {
        DHANDLE context = NULLHANDLE;
        DWORD low, high;

        assert_int_not_equal(NSFBackupStart(db->handle, flag, &context, &low, &high), NOERROR);
        assert_int_equal(context, NULLHANDLE);
    }
    dom_assert_usable(db);
    dom_db_end(db);
    dom_end_program();
}

/* A start that cannot say what it did has not done it. */
static void a_start_without_room_for_its_results_starts_nothing(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    DHANDLE context = NULLHANDLE;
    DWORD low, high;

    hp_promise(HP_DOM_START_NULL);
    assert_int_not_equal(NSFBackupStart(db->handle, 0, NULL, &low, &high), NOERROR);
    assert_int_not_equal(NSFBackupStart(db->handle, 0, &context, NULL, &high), NOERROR);
    assert_int_not_equal(NSFBackupStart(db->handle, 0, &context, &low, NULL), NOERROR);
    dom_assert_usable(db);
    dom_db_end(db);
    dom_end_program();
}

const hp_case dom_start_cases[] = {
    HP_CASE(a_backup_of_an_idle_database_starts_with_a_context, HP_DOM_START, HP_DOM_START_CONTEXT),
    HP_CASE(the_size_handed_out_is_the_size_of_the_file_at_the_start, HP_DOM_START_SIZE),
    HP_CASE(every_update_before_the_start_is_in_the_file, HP_DOM_START_FORCES),
    HP_CASE(a_second_start_returns_ERR_BACKUP_ALREADY_IN_PROGRESS, HP_DOM_START_TWICE),
    HP_CASE(a_start_through_another_handle_returns_ERR_BACKUP_ALREADY_IN_PROGRESS,
        HP_DOM_START_OTHER_HANDLE),
    HP_CASE(a_refused_start_does_not_harm_the_backup_that_is_underway, HP_DOM_START_FIRST_LIVES),
    HP_CASE(a_start_between_stop_and_end_returns_ERR_BACKUP_ALREADY_IN_PROGRESS,
        HP_DOM_START_AFTER_STOP),
    HP_CASE(a_backup_can_be_started_after_the_last_one_ended, HP_DOM_START_AFTER_END),
    HP_CASE(several_databases_are_backed_up_at_once, HP_DOM_START_MANY),
    HP_CASE(a_start_with_a_reserved_flag_is_refused, HP_DOM_START_FLAGS),
    HP_CASE(a_start_without_room_for_its_results_starts_nothing, HP_DOM_START_NULL),
    HP_CASE_END,
};
