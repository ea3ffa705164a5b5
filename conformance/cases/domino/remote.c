/* Databases of another server: backup is for those who have the file. */
#include "domino_cases.h"
#include "domino_provoke.h"
#include "domino_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>
#include <osfile.h>

enum { NOTES = 10 };

/* A database of the server "Far", made there and opened from here. */
typedef struct remote {
    dom_db *db; /* as its server sees it */
    DBHANDLE handle;
} remote;

/* The server's databases are made by a program of its own, before this one begins. */
static remote begin_remote(void)
{
    char ini[DOM_PATH + 64];
    char path[MAXPATH];
    char *directory = dom_absolute("far");
    remote r = {.handle = NULLHANDLE};

    if (dom_provoke.serve == NULL) {
        hp_unsupported("no way to have another server");
    }
    dom_begin_program_in("far", NULL);
    r.db = dom_db_new("remote.nsf", NOTES);
    dom_db_close(r.db);
    dom_end_program();
    dom_provoke.serve("Far", directory, ini, sizeof ini);
    free(directory);
    dom_begin_program(ini);
    dom_need(OSPathNetConstruct(NULL, "Far", "remote.nsf", path), "OSPathNetConstruct");
    dom_need(NSFDbOpen(path, &r.handle), "open a remote database");
    return r;
}

static void end_remote(remote *r)
{
    dom_expect(NSFDbClose(r->handle), "NSFDbClose");
    free(r->db);
    dom_end_program();
}

/* A remote database is a database: only its backup is its server's business. */
static void a_start_on_a_remote_database_returns_ERR_NOT_LOCAL(void **state)
{
    (void)state;
    remote r = begin_remote();
    DHANDLE context = NULLHANDLE;
    DWORD low, high;

    hp_promise(HP_DOM_START_NOT_LOCAL);
    assert_int_equal(ERR(NSFBackupStart(r.handle, 0, &context, &low, &high)), ERR_NOT_LOCAL);
    assert_int_equal(context, NULLHANDLE);
    dom_assert_notes(r.handle, r.db);
    end_remote(&r);
}

/* No context can be right here: that the database is remote comes first. */
static void a_stop_on_a_remote_database_returns_ERR_NOT_LOCAL(void **state)
{
    (void)state;
    remote r = begin_remote();

    hp_promise(HP_DOM_STOP_NOT_LOCAL);
    assert_int_equal(ERR(NSFBackupStop(r.handle, NULLHANDLE)), ERR_NOT_LOCAL);
    assert_int_equal(ERR(NSFBackupStop(r.handle, 1)), ERR_NOT_LOCAL);
    end_remote(&r);
}

/* The same of the mark. */
static void a_mark_on_a_remote_database_returns_ERR_NOT_LOCAL(void **state)
{
    (void)state;
    remote r = begin_remote();

    hp_promise(HP_DOM_MARK_NOT_LOCAL);
    assert_int_equal(ERR(NSFBackupSetHighWaterMark(r.handle, NULLHANDLE, 0, 0)), ERR_NOT_LOCAL);
    assert_int_equal(ERR(NSFBackupSetHighWaterMark(r.handle, 1, 4096, 0)), ERR_NOT_LOCAL);
    end_remote(&r);
}

/* The same of the size. */
static void the_size_on_a_remote_database_returns_ERR_NOT_LOCAL(void **state)
{
    (void)state;
    remote r = begin_remote();
    DWORD low, high;

    hp_promise(HP_DOM_SIZE_NOT_LOCAL);
    assert_int_equal(
        ERR(NSFBackupGetChangeInfoSize(r.handle, NULLHANDLE, 0, &low, &high)), ERR_NOT_LOCAL);
    assert_int_equal(ERR(NSFBackupGetChangeInfoSize(r.handle, 1, 0, &low, &high)), ERR_NOT_LOCAL);
    end_remote(&r);
}

/* The same of the change information. */
static void change_information_on_a_remote_database_returns_ERR_NOT_LOCAL(void **state)
{
    (void)state;
    remote r = begin_remote();
    char buffer[64];
    DWORD filled;

    hp_promise(HP_DOM_NEXT_NOT_LOCAL);
    assert_int_equal(
        ERR(NSFBackupGetNextChangeInfo(r.handle, NULLHANDLE, 0, buffer, sizeof buffer, &filled)),
        ERR_NOT_LOCAL);
    assert_int_equal(
        ERR(NSFBackupGetNextChangeInfo(r.handle, 1, 0, buffer, sizeof buffer, &filled)),
        ERR_NOT_LOCAL);
    end_remote(&r);
}

/* The same of the end. */
static void an_end_on_a_remote_database_returns_ERR_NOT_LOCAL(void **state)
{
    (void)state;
    remote r = begin_remote();

    hp_promise(HP_DOM_END_NOT_LOCAL);
    assert_int_equal(ERR(NSFBackupEnd(r.handle, NULLHANDLE, 0)), ERR_NOT_LOCAL);
    assert_int_equal(ERR(NSFBackupEnd(r.handle, 1, BACKUPEND_ABORT)), ERR_NOT_LOCAL);
    end_remote(&r);
}

/* Where the log is only its server knows. */
static void log_information_of_a_remote_database_returns_ERR_NOT_LOCAL(void **state)
{
    (void)state;
    remote r = begin_remote();
    BOOL logged;
    UNID log, instance;
    DWORD extent;

    hp_promise(HP_DOM_LOG_INFO_NOT_LOCAL);
    assert_int_equal(
        ERR(NSFDbGetLogInfo(r.handle, 0, &logged, &log, &instance, &extent)), ERR_NOT_LOCAL);
    end_remote(&r);
}

const hp_case dom_remote_cases[] = {
    HP_CASE(a_start_on_a_remote_database_returns_ERR_NOT_LOCAL, HP_DOM_START_NOT_LOCAL),
    HP_CASE(a_stop_on_a_remote_database_returns_ERR_NOT_LOCAL, HP_DOM_STOP_NOT_LOCAL),
    HP_CASE(a_mark_on_a_remote_database_returns_ERR_NOT_LOCAL, HP_DOM_MARK_NOT_LOCAL),
    HP_CASE(the_size_on_a_remote_database_returns_ERR_NOT_LOCAL, HP_DOM_SIZE_NOT_LOCAL),
    HP_CASE(change_information_on_a_remote_database_returns_ERR_NOT_LOCAL, HP_DOM_NEXT_NOT_LOCAL),
    HP_CASE(an_end_on_a_remote_database_returns_ERR_NOT_LOCAL, HP_DOM_END_NOT_LOCAL),
    HP_CASE(log_information_of_a_remote_database_returns_ERR_NOT_LOCAL, HP_DOM_LOG_INFO_NOT_LOCAL),
    HP_CASE_END,
};
