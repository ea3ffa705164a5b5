/* Databases through the Domino face: names, creating, opening, deleting, remote ones, the log. */
#include "domino_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cwd.h"

static STATUS try_open(const char *path)
{
    DBHANDLE db;
    STATUS status = NSFDbOpen(path, &db);

    assert_int_equal(db == NULLHANDLE, status != NOERROR);
    if (status == NOERROR) {
        close_db(db);
    }
    return status;
}

/* ---- creating and opening ---- */

static void a_new_database_is_empty_and_keeps_its_notes(void **state)
{
    (void)state;
    DBHANDLE db = open_db("a.nsf");
    assert_int_equal(count_notes(db), 0);
    NOTEID id = add_note(db, "hello");
    close_db(db);
    db = open_db("a.nsf");
    expect_note(db, id, "hello");
    close_db(db);
    restart("");
    db = open_db("a.nsf");
    expect_note(db, id, "hello");
    close_db(db);
}

static void creating_what_is_there_is_ERR_EXISTS_unless_forced(void **state)
{
    (void)state;
    DBHANDLE db = open_db("a.nsf");
    add_note(db, "hello");
    assert_status(NSFDbCreate("a.nsf", DBCLASS_NOTEFILE, FALSE), ERR_EXISTS);
    assert_status(NSFDbCreate("a.nsf", DBCLASS_NOTEFILE, TRUE), ERR_LOCK);
    close_db(db);
    assert_status(NSFDbCreate("a.nsf", DBCLASS_NOTEFILE, FALSE), ERR_EXISTS);
    assert_ok(NSFDbCreate("a.nsf", DBCLASS_NOTEFILE, TRUE));
    db = open_db("a.nsf");
    assert_int_equal(count_notes(db), 0);
    close_db(db);
    assert_ok(NSFDbCreate("new.nsf", DBCLASS_NOTEFILE, TRUE));
}

static void a_file_that_is_no_database_is_never_replaced(void **state)
{
    (void)state;
    cwd_file("data/a.nsf", "no database");
    assert_status(try_open("a.nsf"), ERR_NOT_NSF);
    assert_status(NSFDbCreate("a.nsf", DBCLASS_NOTEFILE, FALSE), ERR_NOT_NSF);
    assert_status(NSFDbCreate("a.nsf", DBCLASS_NOTEFILE, TRUE), ERR_NOT_NSF);
    assert_status(NSFDbDelete("a.nsf"), ERR_NOT_NSF);
    cwd_is("data/a.nsf", "no database");
}

static void a_class_that_does_not_exist_is_ERR_DBCLASS(void **state)
{
    (void)state;
    assert_status(NSFDbCreate("a.nsf", 1, FALSE), ERR_DBCLASS);
    assert_status(NSFDbCreate("a.nsf", 0xff16, FALSE), ERR_DBCLASS);
    assert_ok(NSFDbCreate("a.nsf", DBCLASS_BY_EXTENSION, FALSE));
    assert_ok(NSFDbCreate("b.nsf", DBCLASS_V12NOTEFILE, FALSE));
}

static void what_is_missing_is_ERR_NOEXIST(void **state)
{
    (void)state;
    assert_status(try_open("none.nsf"), ERR_NOEXIST);
    assert_status(try_open("none/a.nsf"), ERR_NOEXIST);
    assert_status(try_open("/none/a.nsf"), ERR_NOEXIST);
    assert_status(NSFDbDelete("none.nsf"), ERR_NOEXIST);
    assert_status(NSFDbCompact("none.nsf", 0, NULL), ERR_NOEXIST);
    assert_status(NSFDbOpen("none.nsf", NULL), ERR_BAD_PARAM);
}

static void directories_are_ERR_DIRECTORY(void **state)
{
    (void)state;
    cwd_dir("data/mail");
    cwd_dir("data/mail.nsf");
    assert_status(try_open(NULL), ERR_DIRECTORY);
    assert_status(try_open(""), ERR_DIRECTORY);
    assert_status(try_open("mail/"), ERR_DIRECTORY);
    assert_status(try_open("mail.nsf"), ERR_DIRECTORY);
    assert_status(try_open("."), ERR_DIRECTORY);
}

static void the_extension_may_be_left_out(void **state)
{
    (void)state;
    cwd_dir("data/a.b");
    close_db(open_db("a"));
    assert_true(file_exists("data/a.nsf"));
    close_db(open_db("a.b/c"));
    assert_true(file_exists("data/a.b/c.nsf"));
    close_db(open_db("t.ntf"));
    assert_true(file_exists("data/t.ntf"));
}

static void names_that_lead_out_or_are_the_logs_are_refused(void **state)
{
    char name[400];

    (void)state;
    assert_status(try_open("../a.nsf"), ERR_INV_FILE_NAME);
    assert_status(try_open("mail/../../a.nsf"), ERR_INV_FILE_NAME);
    assert_status(NSFDbCreate("__db.control", DBCLASS_NOTEFILE, TRUE), ERR_INV_FILE_NAME);
    assert_status(NSFDbCreate("log.0000000001", DBCLASS_NOTEFILE, TRUE), ERR_INV_FILE_NAME);
    assert_status(NSFDbDelete("log.0000000001"), ERR_INV_FILE_NAME);
    memset(name, 'x', sizeof name);
    name[MAXPATH] = '\0';
    assert_status(try_open(name), ERR_INV_FILE_NAME);
    name[MAXPATH - 1] = '\0';
    assert_status(try_open(name), ERR_INV_FILE_NAME);
}

static void every_spelling_of_a_path_means_one_database(void **state)
{
    char canonical[MAXPATH], expanded[MAXPATH], here[MAXPATH], again[MAXPATH];

    (void)state;
    cwd_dir("data/mail");
    DBHANDLE db = open_db("mail/a");
    assert_ok(NSFDbPathGet(db, canonical, expanded));
    assert_string_equal(canonical, "mail/a.nsf");
    assert_non_null(getcwd(here, sizeof here - 32));
    strcat(here, "/data/mail/a.nsf");
    assert_string_equal(expanded, here);

    const char *spellings[] = {expanded, ".//mail/./a.nsf", "mail//a"};
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        DBHANDLE other = open_db(spellings[i]);

        assert_ok(NSFDbPathGet(other, again, NULL));
        assert_string_equal(again, "mail/a.nsf");
        NOTEID id = add_note(db, "seen by both");
        expect_note(other, id, "seen by both");
        close_db(other);
    }
    close_db(db);
    assert_status(NSFDbPathGet(db, again, NULL), ERR_OS_FREE_HANDLE);
    assert_string_equal(again, "");
}

static void a_database_that_is_open_is_not_deleted(void **state)
{
    (void)state;
    DBHANDLE db = open_db("a");
    assert_status(NSFDbDelete("a"), ERR_LOCK);
    close_db(db);
    assert_ok(NSFDbDelete("a"));
    assert_false(file_exists("data/a.nsf"));
    assert_status(NSFDbDelete("a"), ERR_NOEXIST);
}

static void a_restored_file_becomes_part_of_the_directory(void **state)
{
    (void)state;
    DBHANDLE db = open_db("a");
    NOTEID id = add_note(db, "kept");
    close_db(db);
    copy_file("data/a.nsf", "copy");
    assert_ok(NSFDbDelete("a"));
    copy_file("copy", "data/a.nsf");
    db = open_db("a");
    expect_note(db, id, "kept");
    close_db(db);
    copy_file("copy", "data/stray.nsf");
    assert_ok(NSFDbDelete("stray"));
    assert_false(file_exists("data/stray.nsf"));
    copy_file("copy", "data/stray.nsf");
    assert_ok(NSFDbCreate("stray", DBCLASS_NOTEFILE, TRUE));
    db = open_db("stray");
    assert_int_equal(count_notes(db), 0);
    close_db(db);
}

static void a_damaged_database_is_ERR_RM_FIXUP_DB(void **state)
{
    (void)state;
    DBHANDLE db = open_db("a");
    add_notes(db, 20, 500, 'a');
    close_db(db);
    copy_file("data/a.nsf", "data/b.nsf");
    flip("data/b.nsf", 4096 + 2000, 0x10);
    assert_status(try_open("b"), ERR_RM_FIXUP_DB);
    flip("data/b.nsf", 4096 + 2000, 0x10);
    assert_ok(try_open("b"));
    copy_file("data/a.nsf", "data/c.nsf");
    flip("data/c.nsf", 40, 0x40); /* the format version */
    assert_status(try_open("c"), ERR_NSF_VERSION);
}

/* ---- outside the data directory ---- */

static void a_file_elsewhere_can_be_made_used_and_deleted(void **state)
{
    char path[MAXPATH], canonical[MAXPATH];

    (void)state;
    assert_non_null(getcwd(path, sizeof path - 16));
    strcat(path, "/b.nsf");
    DBHANDLE db = open_db(path), again;
    assert_ok(NSFDbPathGet(db, canonical, NULL));
    assert_string_equal(canonical, path);
    NOTEID id = add_note(db, "elsewhere");
    assert_ok(NSFDbOpen(path, &again));
    expect_note(again, id, "elsewhere");
    assert_ok(set_note(again, id, "changed"));
    expect_note(db, id, "changed");
    assert_status(NSFDbCreate(path, DBCLASS_NOTEFILE, FALSE), ERR_EXISTS);
    assert_status(NSFDbDelete(path), ERR_LOCK);
    close_db(again);
    close_db(db);
    db = open_db(path);
    expect_note(db, id, "changed");
    close_db(db);
    assert_ok(NSFDbCreate(path, DBCLASS_NOTEFILE, TRUE));
    db = open_db(path);
    assert_int_equal(count_notes(db), 0);
    close_db(db);
    assert_ok(NSFDbDelete(path));
    assert_status(NSFDbDelete(path), ERR_NOEXIST);
}

/* ---- other processes ---- */

static void the_directory_of_another_process_is_ERR_LOCK(void **state)
{
    int go[2], status;
    char byte = 0;

    (void)state;
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        DBHANDLE other;
        bool right = read(go[0], &byte, 1) == 1 && NSFDbOpen("a", &other) == ERR_LOCK &&
                     NSFDbDelete("a") == ERR_LOCK &&
                     NSFDbCreate("b", DBCLASS_NOTEFILE, FALSE) == ERR_LOCK;
        _exit(right ? 0 : 1);
    }
    DBHANDLE db = open_db("a");
    assert_int_equal(write(go[1], &byte, 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close_db(db);
}

/* What is not in the file yet when the process ends without a word is there after recovery. */
static void updates_outlive_a_process_that_dies(void **state)
{
    int status;

    (void)state;
    pid_t child = fork();
    if (child == 0) {
        DBHANDLE db = open_db("a");
        add_notes(db, 30, 300, 'a');
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    DBHANDLE db = open_db("a");
    assert_int_equal(count_notes(db), 30);
    close_db(db);
}

static void a_disk_that_fails_ends_the_directory_until_it_is_opened_again(void **state)
{
    NOTEHANDLE note;

    (void)state;
    DBHANDLE a = open_db("a"), b = open_db("b");
    NOTEID id = add_note(a, "before");
    fault_fail_nth(test_vfs(), FAULT_BIT(FAULT_FSYNC), "log.", 1);
    assert_status(set_note(a, id, "perhaps"), ERR_RM_GENERAL_FAILURE);
    fault_heal(test_vfs());
    assert_ok(NSFNoteCreate(b, &note));
    assert_status(NSFNoteUpdate(note, 0), ERR_RM_GENERAL_FAILURE);
    assert_ok(NSFNoteClose(note));
    assert_status(NSFNoteOpen(a, id, 0, &note), ERR_RM_GENERAL_FAILURE);
    (void)NSFDbClose(a);
    (void)NSFDbClose(b);
    a = open_db("a");
    assert_int_equal(count_notes(a), 1);
    assert_ok(set_note(a, id, "after"));
    expect_note(a, id, "after");
    close_db(a);
}

/* ---- remote ---- */

static void a_database_of_a_server_works_and_says_that_it_is_remote(void **state)
{
    char canonical[MAXPATH], expanded[MAXPATH];
    DBHANDLE db;

    (void)state;
    cwd_dir("other");
    restart("Hotref_Server_Mail1=other\n");
    assert_ok(NSFDbCreate("Mail1!!a", DBCLASS_NOTEFILE, FALSE));
    assert_true(file_exists("other/a.nsf"));
    assert_ok(NSFDbOpen("CN=mail1/OU=Ops/O=Acme!!a.nsf", &db));
    assert_ok(NSFDbPathGet(db, canonical, expanded));
    assert_string_equal(canonical, "Mail1!!a.nsf");
    assert_string_equal(expanded, "Mail1!!a.nsf");
    NOTEID id = add_note(db, "far away");
    expect_note(db, id, "far away");
    assert_int_equal(count_notes(db), 1);
    assert_status(NSFDbDelete("Mail1!!a"), ERR_LOCK | STS_REMOTE);
    close_db(db);
    assert_ok(NSFDbDelete("Mail1!!a"));
    assert_status(NSFDbOpen("Mail1!!a", &db), ERR_NOEXIST | STS_REMOTE);
}

static void paths_of_servers_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    cwd_dir("other");
    restart("Hotref_Server_Mail1=other\nHotref_Server_Gone=gone\n");
    assert_status(try_open("Mail2!!a"), ERR_SERVER_NOT_FOUND);
    assert_status(try_open("Gone!!a"), ERR_SERVER_NOT_FOUND);
    assert_status(try_open("Mail1!!/a.nsf"), ERR_INVALID_NAME);
    assert_status(try_open("Mail1!!../a.nsf"), ERR_INV_FILE_NAME);
    assert_status(try_open("Mail1!!"), ERR_DIRECTORY);
    assert_status(try_open("TCPIP!!!a.nsf"), ERR_INV_SERVER_NAME);
    assert_status(try_open("TCPIP!!!Mail1!!a.nsf"), ERR_NOEXIST | STS_REMOTE);
}

static void what_only_works_on_local_databases_is_ERR_NOT_LOCAL(void **state)
{
    DHANDLE context;
    DWORD low, high;
    UNID log, instance;
    BOOL logged;
    char byte;

    (void)state;
    restart("Hotref_Server_Here=data\n");
    DBHANDLE local = open_db("a"), db = open_db("Here!!a");
    add_note(local, "the same database");
    assert_int_equal(count_notes(db), 1);
    assert_status(NSFBackupStart(db, 0, &context, &low, &high), ERR_NOT_LOCAL);
    assert_int_equal(context, NULLHANDLE);
    assert_status(NSFBackupStart(db, 1, NULL, &low, &high), ERR_NOT_LOCAL);
    assert_ok(NSFBackupStart(local, 0, &context, &low, &high));
    assert_status(NSFBackupSetHighWaterMark(db, context, 0, 0), ERR_NOT_LOCAL);
    assert_status(NSFBackupStop(db, context), ERR_NOT_LOCAL);
    assert_status(NSFBackupGetChangeInfoSize(db, context, 0, &low, &high), ERR_NOT_LOCAL);
    assert_status(NSFBackupGetNextChangeInfo(db, context, 0, &byte, 1, &low), ERR_NOT_LOCAL);
    assert_status(NSFBackupEnd(db, context, 0), ERR_NOT_LOCAL);
    assert_ok(NSFBackupEnd(local, context, BACKUPEND_ABORT));
    assert_status(NSFDbGetLogInfo(db, 0, &logged, &log, &instance, &low), ERR_NOT_LOCAL);
    assert_status(NSFDbCompact("Here!!a", 0, NULL), ERR_NOT_LOCAL);
    close_db(db);
    close_db(local);
}

/* ---- the log ---- */

static bool is_none(const UNID *id)
{
    static const UNID none;
    return memcmp(id, &none, sizeof none) == 0;
}

static void NSFDbGetLogInfo_tells_log_and_instance(void **state)
{
    UNID log, instance, other_log, other_instance;
    DWORD extent;
    BOOL logged;

    (void)state;
    DBHANDLE a = open_db("a"), b = open_db("b");
    assert_ok(NSFDbGetLogInfo(a, 0, &logged, &log, &instance, &extent));
    assert_int_equal(logged, TRUE);
    assert_false(is_none(&log));
    assert_false(is_none(&instance));
    assert_int_not_equal(extent, 0);
    assert_ok(NSFDbGetLogInfo(b, 0, &logged, &other_log, &other_instance, &extent));
    assert_memory_equal(&log, &other_log, sizeof log);
    assert_memory_not_equal(&instance, &other_instance, sizeof instance);
    assert_status(NSFDbGetLogInfo(a, 1, &logged, &log, &other_instance, &extent), ERR_VALUE_FLAGS);
    assert_int_equal(logged, FALSE);
    assert_status(NSFDbGetLogInfo(a, 0, &logged, NULL, &other_instance, &extent), ERR_BAD_PARAM);
    close_db(a);
    close_db(b);

    copy_file("data/a.nsf", "data/c.nsf");
    DBHANDLE c = open_db("c");
    assert_ok(NSFDbGetLogInfo(c, 0, &logged, &log, &other_instance, &extent));
    assert_memory_not_equal(&instance, &other_instance, sizeof instance);
    close_db(c);
}

static void a_database_can_be_unlogged(void **state)
{
    UNID log, instance;
    DWORD extent;
    BOOL logged;
    char path[MAXPATH];

    (void)state;
    restart("TRANSLOG_Status=0\n");
    DBHANDLE db = open_db("a");
    assert_ok(NSFDbGetLogInfo(db, 0, &logged, &log, &instance, &extent));
    assert_int_equal(logged, FALSE);
    assert_true(is_none(&log) && is_none(&instance) && extent == 0);
    close_db(db);
    restart("");
    assert_non_null(getcwd(path, sizeof path - 16));
    strcat(path, "/b.nsf");
    db = open_db(path);
    assert_ok(NSFDbGetLogInfo(db, 0, &logged, &log, &instance, &extent));
    assert_int_equal(logged, FALSE);
    close_db(db);
}

static const struct CMUnitTest tests[] = {
    TEST(a_new_database_is_empty_and_keeps_its_notes),
    TEST(creating_what_is_there_is_ERR_EXISTS_unless_forced),
    TEST(a_file_that_is_no_database_is_never_replaced),
    TEST(a_class_that_does_not_exist_is_ERR_DBCLASS),
    TEST(what_is_missing_is_ERR_NOEXIST),
    TEST(directories_are_ERR_DIRECTORY),
    TEST(the_extension_may_be_left_out),
    TEST(names_that_lead_out_or_are_the_logs_are_refused),
    TEST(every_spelling_of_a_path_means_one_database),
    TEST(a_database_that_is_open_is_not_deleted),
    TEST(a_restored_file_becomes_part_of_the_directory),
    TEST(a_damaged_database_is_ERR_RM_FIXUP_DB),
    TEST(a_file_elsewhere_can_be_made_used_and_deleted),
    TEST(the_directory_of_another_process_is_ERR_LOCK),
    TEST(updates_outlive_a_process_that_dies),
    TEST(a_disk_that_fails_ends_the_directory_until_it_is_opened_again),
    TEST(a_database_of_a_server_works_and_says_that_it_is_remote),
    TEST(paths_of_servers_that_make_no_sense_are_refused),
    TEST(what_only_works_on_local_databases_is_ERR_NOT_LOCAL),
    TEST(NSFDbGetLogInfo_tells_log_and_instance),
    TEST(a_database_can_be_unlogged),
};
TEST_MAIN(tests)
