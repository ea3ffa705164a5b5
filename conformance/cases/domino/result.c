/* Results that say that nothing is underway, what the log is, and the texts of all results. */
#include "domino_cases.h"
#include "domino_support.h"

#include <stdlib.h>
#include <string.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>
#include <osmisc.h>

enum { NOTES = 10 };

/* Contexts that no backup has: none, and numbers. */
static const DHANDLE no_contexts[] = {NULLHANDLE, 1, 0x7fffffff, 0xffffffff};
enum { NO_CONTEXTS = sizeof no_contexts / sizeof no_contexts[0] };

/* A mark for nothing. */
static void a_mark_without_a_backup_returns_ERR_NOT_DOING_BACKUP(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    hp_promise(HP_DOM_MARK_NOT_DOING);
    for (size_t i = 0; i < NO_CONTEXTS; i++) {
        assert_int_equal(ERR(NSFBackupSetHighWaterMark(db->handle, no_contexts[i], 4096, 0)),
            ERR_NOT_DOING_BACKUP);
    }
    dom_db_end(db);
    dom_end_program();
}

/* A stop of nothing. The page of the stop does not list the code, the others do. */
static void a_stop_without_a_backup_returns_ERR_NOT_DOING_BACKUP(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    hp_promise(HP_DOM_STOP_NOT_DOING);
    for (size_t i = 0; i < NO_CONTEXTS; i++) {
        assert_int_equal(ERR(NSFBackupStop(db->handle, no_contexts[i])), ERR_NOT_DOING_BACKUP);
    }
    dom_db_end(db);
    dom_end_program();
}

/* The size of nothing. */
static void the_size_without_a_backup_returns_ERR_NOT_DOING_BACKUP(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    DWORD low, high;

    hp_promise(HP_DOM_SIZE_NOT_DOING);
    for (size_t i = 0; i < NO_CONTEXTS; i++) {
        assert_int_equal(
            ERR(NSFBackupGetChangeInfoSize(db->handle, no_contexts[i], 0, &low, &high)),
            ERR_NOT_DOING_BACKUP);
    }
    dom_db_end(db);
    dom_end_program();
}

/* A piece of nothing. */
static void change_information_without_a_backup_returns_ERR_NOT_DOING_BACKUP(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    char buffer[64];
    DWORD filled;

    hp_promise(HP_DOM_NEXT_NOT_DOING);
    for (size_t i = 0; i < NO_CONTEXTS; i++) {
        assert_int_equal(ERR(NSFBackupGetNextChangeInfo(
                             db->handle, no_contexts[i], 0, buffer, sizeof buffer, &filled)),
            ERR_NOT_DOING_BACKUP);
    }
    dom_db_end(db);
    dom_end_program();
}

/* The end of nothing, good or bad. */
static void an_end_without_a_backup_returns_ERR_NOT_DOING_BACKUP(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    hp_promise(HP_DOM_END_NOT_DOING);
    for (size_t i = 0; i < NO_CONTEXTS; i++) {
        assert_int_equal(ERR(NSFBackupEnd(db->handle, no_contexts[i], 0)), ERR_NOT_DOING_BACKUP);
        assert_int_equal(
            ERR(NSFBackupEnd(db->handle, no_contexts[i], BACKUPEND_ABORT)), ERR_NOT_DOING_BACKUP);
    }
    dom_db_end(db);
    dom_end_program();
}

/* Contexts that are none, one that has ended, and one of a backup, not of an application. */
static void a_wrong_context_of_an_application_is_ERR_INVALID_CHANGE_INFO_CONTEXT(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_copy(&b, "copy.nsf");
    uint32_t ended = dom_apply_start("copy.nsf", 1000), aborted;
    (void)dom_apply_end(ended);
    aborted = dom_apply_start("copy.nsf", 1000);
    dom_apply_abort(aborted);
    const DHANDLE wrong[] = {NULLHANDLE, 1, 0x7fffffff, 0xffffffff, ended, aborted, b.context};
    char bytes[16] = "";

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        hp_promise(HP_DOM_APPLY_NEXT_CONTEXT);
        assert_int_equal(ERR(NSFBackupApplyNextChangeInfo(wrong[i], 0, bytes, sizeof bytes)),
            ERR_INVALID_CHANGE_INFO_CONTEXT);
        hp_promise(HP_DOM_APPLY_END_CONTEXT);
        assert_int_equal(
            ERR(NSFBackupEndApplyChangeInfo(wrong[i], 0)), ERR_INVALID_CHANGE_INFO_CONTEXT);
        assert_int_equal(ERR(NSFBackupEndApplyChangeInfo(wrong[i], APPLYEND_ABORT)),
            ERR_INVALID_CHANGE_INFO_CONTEXT);
    }
    dom_backup_abort(&b);
    dom_db_end(db);
    dom_end_program();
}

/* The sample asks after the start; others ask before it. */
static void log_information_is_given_before_during_and_after_a_backup(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    hp_promise(HP_DOM_LOG_INFO);
    for (unsigned i = 0; i < 4; i++) {
        BOOL logged = -1;
        UNID log, instance;
        DWORD extent = 0;
        dom_backup b = {.context = NULLHANDLE};

        if (i > 0) {
            b = dom_backup_start(db);
        }
        if (i > 1) {
            dom_backup_stop(&b);
        }
        assert_int_equal(
            NSFDbGetLogInfo(db->handle, 0, &logged, &log, &instance, &extent), NOERROR);
        assert_true(logged == TRUE || logged == FALSE);
        if (i > 0) {
            dom_backup_abort(&b);
        }
    }
    dom_db_end(db);
    dom_end_program();
}

static UNID instance_of(const dom_db *db, UNID *log)
{
    BOOL logged = FALSE;
    UNID instance;
    DWORD extent = 0;

    memset(&instance, 0, sizeof instance);
    dom_expect(NSFDbGetLogInfo(db->handle, 0, &logged, log, &instance, &extent), "NSFDbGetLogInfo");
    if (!logged) {
        hp_unsupported("databases are not logged here");
    }
    return instance;
}

/* By these identities a tool finds the logs that belong to a backup, years later. */
static void a_logged_database_has_an_instance_of_its_own_and_a_log(void **state)
{
    (void)state;
    static const UNID none;
    dom_begin_program(NULL);
    dom_db *one = dom_db_new("one.nsf", NOTES), *two = dom_db_new("two.nsf", NOTES);
    UNID log[2];
    UNID a = instance_of(one, &log[0]), b = instance_of(two, &log[1]);

    hp_promise(HP_DOM_LOG_INFO_LOGGED);
    assert_memory_equal(&log[0], &log[1], sizeof log[0]);
    assert_memory_not_equal(&log[0], &none, sizeof none);
    assert_memory_not_equal(&a, &none, sizeof none);
    assert_memory_not_equal(&b, &none, sizeof none);
    assert_memory_not_equal(&a, &b, sizeof a);
    dom_db_close(one);
    dom_db_open(one);
    UNID again = instance_of(one, &log[1]);
    assert_memory_equal(&a, &again, sizeof a);
    assert_memory_equal(&log[0], &log[1], sizeof log[0]);
    dom_db_end(one);
    dom_db_end(two);
    dom_end_program();
}

/* The database says that it is not logged, and a backup of it is as good as any. */
static void assert_unlogged(dom_db *db)
{
    BOOL logged = TRUE;
    UNID log, instance;
    DWORD extent;

    hp_promise(HP_DOM_LOG_INFO_UNLOGGED);
    assert_int_equal(NSFDbGetLogInfo(db->handle, 0, &logged, &log, &instance, &extent), NOERROR);
    assert_int_equal(logged, FALSE);
    hp_promise(HP_DOM_UNLOGGED);
    for (unsigned i = 0; i < 5; i++) {
        dom_assert_usable(db);
    }
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 900);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_assert_holds("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_free(&b);
}

/* The administrator has no log. */
static void a_database_that_is_not_logged_is_backed_up_all_the_same(void **state)
{
    (void)state;
    dom_begin_program("TRANSLOG_Status=0\n");
    dom_db *db = dom_db_new("live.nsf", NOTES);

    assert_unlogged(db);
    dom_db_end(db);
    dom_end_program();
}

/* A database that is not in the data directory is never logged. */
static void a_database_outside_the_data_directory_is_backed_up_all_the_same(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    char *path = dom_absolute("outside.nsf");
    dom_db *db = dom_db_new(path, NOTES);

    assert_unlogged(db);
    dom_db_end(db);
    free(path);
    dom_end_program();
}

/* The last reserved flags of the family. */
static void a_reserved_flag_of_NSFDbGetLogInfo_is_refused(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    BOOL logged;
    UNID log, instance;
    DWORD extent;

    hp_promise(HP_DOM_LOG_INFO_FLAGS);
    for (DWORD flag = 1; flag != 0; flag <<= 1) {
        assert_int_not_equal(
            NSFDbGetLogInfo(db->handle, flag, &logged, &log, &instance, &extent), NOERROR);
    }
    dom_db_end(db);
    dom_end_program();
}

/* A program that forgets ERR() gets away with it as long as its databases are local. */
static void results_for_local_databases_carry_no_flags(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    DHANDLE context;
    DWORD low, high;
    char missing[] = "missing.nsf";
    const STATUS results[] = {
        NSFBackupStart(db->handle, 0, &context, &low, &high),
        NSFBackupStart(db->handle, 1, &context, &low, &high),
        NSFBackupEnd(db->handle, NULLHANDLE, 0),
        NSFBackupStop(db->handle, NULLHANDLE),
        NSFBackupSetHighWaterMark(db->handle, NULLHANDLE, 0, 0),
        NSFBackupGetChangeInfoSize(db->handle, b.context, 0, &low, &high),
        NSFBackupStartApplyChangeInfo(&context, missing, 0, 1, 0),
        NSFBackupEndApplyChangeInfo(NULLHANDLE, 0),
    };

    hp_promise(HP_DOM_STATUS_PLAIN);
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        hp_log("result %zu is 0x%04X", i, results[i]);
        assert_int_equal(ERR(results[i]), results[i]);
    }
    dom_backup_abort(&b);
    dom_db_end(db);
    dom_end_program();
}

/* "Call to OSLoadString to interpret the error code for display": so there is something to display.
 */
static void each_error_of_the_family_has_a_text_of_its_own(void **state)
{
    (void)state;
    static const STATUS codes[] = {ERR_NOT_LOCAL, ERR_CANT_BACKUP_DURING_COMPACT,
        ERR_BACKUP_ALREADY_IN_PROGRESS, ERR_NOT_DOING_BACKUP, ERR_CORRUPT_CHANGE_INFO,
        ERR_INVALID_CHANGE_INFO_CONTEXT, ERR_NSF_CANT_BACKUP, ERR_RM_OPEN_BACKUP,
        ERR_BACKUP_ABORTED, ERR_BACKUP_ABORTED2};
    enum { CODES = sizeof codes / sizeof codes[0] };
    char text[CODES][256];
    dom_begin_program(NULL);

    hp_promise(HP_DOM_STATUS_TEXT);
    for (size_t i = 0; i < CODES; i++) {
        WORD length = OSLoadString(NULLHANDLE, ERR(codes[i]), text[i], sizeof text[i]);

        hp_log("0x%04X: %s", codes[i], text[i]);
        assert_in_range(length, 1, sizeof text[i] - 1);
        assert_int_equal(strlen(text[i]), length);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(text[i], text[k]);
        }
    }
    dom_end_program();
}

const hp_case dom_result_cases[] = {
    HP_CASE(a_mark_without_a_backup_returns_ERR_NOT_DOING_BACKUP, HP_DOM_MARK_NOT_DOING),
    HP_CASE(a_stop_without_a_backup_returns_ERR_NOT_DOING_BACKUP, HP_DOM_STOP_NOT_DOING),
    HP_CASE(the_size_without_a_backup_returns_ERR_NOT_DOING_BACKUP, HP_DOM_SIZE_NOT_DOING),
    HP_CASE(
        change_information_without_a_backup_returns_ERR_NOT_DOING_BACKUP, HP_DOM_NEXT_NOT_DOING),
    HP_CASE(an_end_without_a_backup_returns_ERR_NOT_DOING_BACKUP, HP_DOM_END_NOT_DOING),
    HP_CASE(a_wrong_context_of_an_application_is_ERR_INVALID_CHANGE_INFO_CONTEXT,
        HP_DOM_APPLY_NEXT_CONTEXT, HP_DOM_APPLY_END_CONTEXT),
    HP_CASE(log_information_is_given_before_during_and_after_a_backup, HP_DOM_LOG_INFO),
    HP_CASE(a_logged_database_has_an_instance_of_its_own_and_a_log, HP_DOM_LOG_INFO_LOGGED),
    HP_CASE(a_database_that_is_not_logged_is_backed_up_all_the_same, HP_DOM_LOG_INFO_UNLOGGED,
        HP_DOM_UNLOGGED),
    HP_CASE(a_database_outside_the_data_directory_is_backed_up_all_the_same,
        HP_DOM_LOG_INFO_UNLOGGED, HP_DOM_UNLOGGED),
    HP_CASE(a_reserved_flag_of_NSFDbGetLogInfo_is_refused, HP_DOM_LOG_INFO_FLAGS),
    HP_CASE(results_for_local_databases_carry_no_flags, HP_DOM_STATUS_PLAIN),
    HP_CASE(each_error_of_the_family_has_a_text_of_its_own, HP_DOM_STATUS_TEXT),
    HP_CASE_END,
};
