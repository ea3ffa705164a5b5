/* The Domino face's runtime: notes.ini, handles, memory, ID tables, texts, network paths, time. */
#include "domino_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cwd.h"

static STATUS init(const char *argument)
{
    char program[] = "test", text[200];
    char *argv[] = {program, text, NULL};

    snprintf(text, sizeof text, "%s", argument);
    return NotesInitExtended(argument[0] == '\0' ? 1 : 2, argv);
}

/* ---- beginning and ending ---- */

static void calls_before_the_beginning_say_so(void **state)
{
    DBHANDLE db;
    DHANDLE handle;
    char copy[] = "copy", byte;
    DWORD low, high;

    (void)state;
    end_runtime();
    assert_status(NSFDbCreate("a", DBCLASS_NOTEFILE, FALSE), ERR_NOTES_NOT_INITIALIZED);
    assert_status(NSFDbOpen("a", &db), ERR_NOTES_NOT_INITIALIZED);
    assert_status(NSFDbDelete("a"), ERR_NOTES_NOT_INITIALIZED);
    assert_status(NSFDbCompact("a", 0, NULL), ERR_NOTES_NOT_INITIALIZED);
    assert_status(NSFDbClose(1), ERR_NOTES_NOT_INITIALIZED);
    assert_status(NSFNoteOpen(1, 4, 0, &handle), ERR_NOTES_NOT_INITIALIZED);
    assert_status(NSFBackupStart(1, 0, &handle, &low, &high), ERR_NOTES_NOT_INITIALIZED);
    assert_status(NSFBackupStartApplyChangeInfo(&handle, copy, 0, 0, 0), ERR_NOTES_NOT_INITIALIZED);
    assert_status(NSFBackupApplyNextChangeInfo(1, 0, &byte, 1), ERR_NOTES_NOT_INITIALIZED);
    assert_status(OSMemAlloc(0, 10, &handle), ERR_NOTES_NOT_INITIALIZED);
    assert_status(IDCreateTable(0, &handle), ERR_NOTES_NOT_INITIALIZED);
    assert_status(NotesInitThread(), ERR_NOTES_NOT_INITIALIZED);
    assert_null(OSLockObject(1));
    NotesTerm();
}

static void the_end_closes_everything(void **state)
{
    DHANDLE memory, table, context, apply;
    DWORD low, high;
    NOTEHANDLE note;
    char copy[] = "copy";

    (void)state;
    DBHANDLE db = open_db("a");
    add_note(db, "text");
    assert_ok(OSMemAlloc(0, 10, &memory));
    assert_non_null(OSLockObject(memory));
    assert_ok(IDCreateTable(0, &table));
    assert_ok(NSFNoteCreate(db, &note));
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    copy_file("data/a.nsf", "copy");
    assert_ok(NSFBackupStartApplyChangeInfo(&apply, copy, 0, 100, 0));
    restart("");
    assert_status(NSFDbClose(db), ERR_OS_FREE_HANDLE);
    assert_status(NSFNoteClose(note), ERR_OS_FREE_HANDLE);
    assert_status(OSMemFree(memory), ERR_OS_FREE_HANDLE);
    assert_status(IDDestroyTable(table), ERR_OS_FREE_HANDLE);
    assert_status(NSFBackupEndApplyChangeInfo(apply, 0), ERR_INVALID_CHANGE_INFO_CONTEXT);
    db = open_db("a");
    assert_status(NSFBackupStop(db, context), ERR_NOT_DOING_BACKUP);
    assert_int_equal(count_notes(db), 1);
    close_db(db);
}

static void each_beginning_needs_its_end(void **state)
{
    (void)state;
    assert_ok(init(""));
    assert_ok(NotesInitThread());
    NotesTerm();
    close_db(open_db("a")); /* still there, with the directory of the first */
    assert_true(file_exists("data/a.nsf"));
    NotesTermThread();
}

/* ---- where the data directory is ---- */

static void the_data_directory_is_found(void **state)
{
    (void)state;
    end_runtime();
    cwd_dir("one");
    cwd_dir("two");
    cwd_dir("two/sub");
    cwd_file("two/my.ini", "[Notes]\r\n  directory = sub \r\nDirectory=../one\n");
    cwd_file("data/notes.ini", "TRANSLOG_Status=0\n");

    assert_ok(init("=two/my.ini"));
    close_db(open_db("a"));
    NotesTerm();
    assert_true(file_exists("two/sub/a.nsf"));

    assert_int_equal(setenv("NotesINI", "two/my.ini", 1), 0);
    assert_ok(NotesInit());
    assert_status(NSFDbCreate("a", DBCLASS_NOTEFILE, FALSE), ERR_EXISTS);
    NotesTerm();
    assert_int_equal(unsetenv("NotesINI"), 0);

    assert_int_equal(setenv("Notes_DataDirectory", "one", 1), 0);
    assert_ok(init(""));
    close_db(open_db("b"));
    NotesTerm();
    assert_int_equal(unsetenv("Notes_DataDirectory"), 0);
    assert_true(file_exists("one/b.nsf"));

    assert_int_equal(chdir("data"), 0);
    assert_ok(NotesInit());
    close_db(open_db("c"));
    NotesTerm();
    assert_int_equal(chdir(".."), 0);
    assert_true(file_exists("data/c.nsf"));
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    end_runtime();
    assert_status(init("=none.ini"), ERR_NOEXIST);
    cwd_file("my.ini", "Directory=none\n");
    assert_status(init("=my.ini"), ERR_BAD_DIRECTORY);
    cwd_file("my.ini", "Directory=my.ini\n");
    assert_status(init("=my.ini"), ERR_BAD_DIRECTORY);
    assert_status(NotesInitThread(), ERR_NOTES_NOT_INITIALIZED);
}

/* ---- handles ---- */

static void a_wrong_handle_is_an_error_that_says_why(void **state)
{
    DHANDLE memory, other;
    NOTEHANDLE note;

    (void)state;
    DBHANDLE db = open_db("a");
    assert_ok(OSMemAlloc(0, 1, &memory));
    assert_status(NSFDbClose(NULLHANDLE), ERR_NULL_DBHANDLE);
    assert_status(NSFNoteUpdate(NULLHANDLE, 0), ERR_NULL_NOTEHANDLE);
    assert_status(IDDestroyTable(NULLHANDLE), ERR_OS_NULL_HANDLE);
    assert_status(NSFDbClose(12345), ERR_OS_HANDLE_RANGE);
    assert_status(NSFDbClose(0xffffffff), ERR_OS_HANDLE_RANGE);
    assert_status(NSFDbClose(0x80000000), ERR_OS_HANDLE_RANGE);
    assert_status(NSFDbClose(memory), ERR_OS_INCOMPATIBLE_HANDLES);
    assert_status(OSMemFree(db), ERR_OS_INCOMPATIBLE_HANDLES);
    assert_status(NSFNoteCreate(memory, &note), ERR_OS_INCOMPATIBLE_HANDLES);
    assert_int_equal(note, NULLHANDLE);
    assert_ok(OSMemFree(memory));
    assert_status(OSMemFree(memory), ERR_OS_FREE_HANDLE);
    assert_ok(OSMemAlloc(0, 1, &other)); /* in its place */
    assert_int_not_equal(other, memory);
    assert_status(OSMemFree(memory), ERR_OS_FREE_HANDLE);
    assert_null(OSLockObject(memory));
    assert_ok(OSMemFree(other));
    close_db(db);
    assert_status(NSFDbClose(db), ERR_OS_FREE_HANDLE);
}

static void handles_come_to_an_end(void **state)
{
    enum { MOST = 65535 };
    static DHANDLE handles[MOST + 1];
    unsigned count = 0;
    STATUS status;

    (void)state;
    while ((status = OSMemAlloc(0, 1, &handles[count])) == NOERROR && count < MOST) {
        count++;
    }
    assert_status(status, ERR_MEM_HANDLES);
    assert_int_equal(handles[count], NULLHANDLE);
    assert_true(count > 60000);
    while (count > 0) {
        assert_ok(OSMemFree(handles[--count]));
    }
    close_db(open_db("a"));
}

/* ---- memory ---- */

static void memory_is_locked_and_freed(void **state)
{
    DHANDLE memory;

    (void)state;
    assert_ok(OSMemAlloc(MEM_SHARE | MEM_GROWABLE, 1000, &memory));
    char *bytes = OSLock(char, memory);
    assert_non_null(bytes);
    assert_int_equal(bytes[999], 0);
    memset(bytes, 'x', 1000);
    assert_ptr_equal(OSLockObject(memory), bytes);
    assert_status(OSMemFree(memory), ERR_LOCK);
    assert_int_equal(OSUnlockObject(memory), TRUE);
    assert_int_equal(OSUnlock(memory), TRUE);
    assert_int_equal(OSUnlock(memory), FALSE);
    assert_ok(OSMemFree(memory));
    assert_int_equal(OSUnlock(memory), FALSE);
    assert_ok(OSMemAlloc(0, 0, &memory));
    assert_int_equal(memory, NULLHANDLE);
    assert_status(OSMemAlloc(0, 10, NULL), ERR_BAD_PARAM);
}

/* ---- ID tables ---- */

static void an_ID_table_is_an_ordered_set(void **state)
{
    DHANDLE table;
    BOOL flag;
    DWORD id, last = 0, seen = 0;

    (void)state;
    assert_ok(IDCreateTable(sizeof(NOTEID), &table));
    assert_int_equal(IDScan(table, TRUE, &id), FALSE);
    for (DWORD i = 0; i < 1000; i++) {
        assert_ok(IDInsert(table, i * 7919 % 1009 * 4, &flag));
        assert_int_equal(flag, TRUE);
    }
    assert_ok(IDInsert(table, 4, &flag));
    assert_int_equal(flag, FALSE);
    assert_int_equal(IDEntries(table), 1000);
    for (BOOL first = TRUE; IDScan(table, first, &id); first = FALSE) {
        assert_true(first || id > last);
        last = id;
        seen++;
    }
    assert_int_equal(seen, 1000);
    assert_int_equal(id, last);
    assert_int_equal(IDIsPresent(table, 4), TRUE);
    assert_ok(IDDelete(table, 4, &flag));
    assert_int_equal(flag, TRUE);
    assert_ok(IDDelete(table, 4, NULL));
    assert_int_equal(IDIsPresent(table, 4), FALSE);
    id = 3; /* not in the table: goes on behind it */
    assert_int_equal(IDScan(table, FALSE, &id), TRUE);
    assert_int_equal(id, 8);
    assert_ok(IDDestroyTable(table));
    assert_int_equal(IDEntries(table), 0);
    assert_int_equal(IDScan(table, TRUE, &id), FALSE);
    assert_status(IDInsert(table, 4, NULL), ERR_OS_FREE_HANDLE);
    assert_status(IDCreateTable(0, NULL), ERR_BAD_PARAM);
    assert_ok(IDCreateTable(0, &table));
    assert_ok(OSMemFree(table)); /* as old programs do */
}

/* ---- texts ---- */

/* "#define NAME (PKG_X + n)" of a header; false: not such a line. */
static bool parse_code(const char *line, char name[64], STATUS *code)
{
    static const struct {
        const char *name;
        unsigned base;
    } packages[] = {{"PKG_OS", PKG_OS}, {"PKG_NSF", PKG_NSF}, {"PKG_NSF3", PKG_NSF3},
        {"PKG_NSF4", PKG_NSF4}, {"PKG_NSF9", PKG_NSF9}, {"PKG_NSF10", PKG_NSF10},
        {"PKG_CLIENT", PKG_CLIENT}};
    char package[64];
    unsigned number;

    if (sscanf(line, "#define %63s (%63s + %u)", name, package, &number) != 3) {
        return false;
    }
    for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++) {
        if (strcmp(packages[i].name, package) == 0) {
            *code = (STATUS)(packages[i].base + number);
            return true;
        }
    }
    fail_msg("%s", line);
    return false;
}

static unsigned check_header(const char *header)
{
    char path[4096], line[300], name[64], text[300];
    unsigned codes = 0;
    STATUS code;

    snprintf(path, sizeof path, TEST_HEADERS "/%s", header);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (parse_code(line, name, &code)) {
            if (OSLoadString(NULLHANDLE, code, text, sizeof text) == 0) {
                fail_msg("%s has no text", name);
            }
            codes++;
        }
    }
    (void)fclose(file);
    return codes;
}

static void every_error_code_of_the_headers_has_a_text(void **state)
{
    (void)state;
    assert_true(check_header("nsferr.h") > 50);
    assert_true(check_header("oserr.h") > 15);
    assert_int_equal(check_header("clerr.h"), 1);
}

static void a_text_is_cut_to_its_room_and_flags_hide_it(void **state)
{
    char text[100];
    WORD length = OSLoadString(NULLHANDLE, ERR_NOT_LOCAL, text, sizeof text);

    (void)state;
    assert_int_equal(length, strlen(text));
    assert_non_null(strstr(text, "remote"));
    assert_int_equal(OSLoadString(NULLHANDLE, ERR_NOT_LOCAL, text, 5), 4);
    assert_int_equal(strlen(text), 4);
    assert_int_equal(OSLoadString(NULLHANDLE, ERR_NOT_LOCAL | STS_REMOTE, text, 100), 0);
    assert_string_equal(text, "");
    assert_int_equal(OSLoadString(NULLHANDLE, 0x3fff, text, sizeof text), 0);
    assert_int_equal(OSLoadString(NULLHANDLE, ERR_NOT_LOCAL, NULL, 5), 0);
    assert_int_equal(OSLoadString(NULLHANDLE, ERR_NOT_LOCAL, text, 0), 0);
}

static void codes_fall_into_their_parts(void **state)
{
    STATUS status = ERR_NOT_LOCAL | STS_REMOTE | STS_DISPLAYED;

    (void)state;
    assert_int_equal(ERR(status), 0x0220);
    assert_int_equal(PKG(status), PKG_NSF);
    assert_int_equal(ERRNUM(status), 32);
    assert_int_equal(ERR_BACKUP_ALREADY_IN_PROGRESS, 3748);
    assert_int_equal(ERR_BACKUP_ABORTED, 14352);
    assert_int_equal(ERR_BACKUP_ABORTED2, 11736);
    assert_int_equal(ERR_CANT_BACKUP_DURING_COMPACT, 5034);
    assert_int_equal(sizeof(STATUS), 2);
    assert_int_equal(sizeof(DWORD), 4);
    assert_int_equal(sizeof(UNID), 16);
    assert_int_equal(sizeof(OID), 28);
}

/* ---- network paths ---- */

static void network_paths_are_joined_and_taken_apart(void **state)
{
    char path[MAXPATH], port[MAXPORTNAME], server[MAXUSERNAME], file[MAXPATH];

    (void)state;
    assert_ok(OSPathNetConstruct("TCPIP", "Mail1/Acme", "mail/a.nsf", path));
    assert_ok(OSPathNetParse(path, port, server, file));
    assert_string_equal(port, "TCPIP");
    assert_string_equal(server, "Mail1/Acme");
    assert_string_equal(file, "mail/a.nsf");
    assert_ok(OSPathNetConstruct(NULL, "Mail1", "a.nsf", path));
    assert_string_equal(path, "Mail1!!a.nsf");
    assert_ok(OSPathNetConstruct("TCPIP", "", "a.nsf", path));
    assert_string_equal(path, "a.nsf");
    assert_ok(OSPathNetParse(path, port, server, NULL));
    assert_string_equal(port, "");
    assert_string_equal(server, "");
    assert_ok(OSPathNetParse("TCPIP!!!", port, NULL, file));
    assert_string_equal(port, "TCPIP");
    assert_string_equal(file, "");
    assert_status(OSPathNetParse("TCPIP!!!a.nsf", port, server, file), ERR_INV_SERVER_NAME);
    assert_string_equal(port, "");
    assert_status(OSPathNetParse(NULL, port, server, file), ERR_BAD_PARAM);
    assert_status(OSPathNetConstruct(NULL, "", NULL, path), ERR_BAD_PARAM);
}

static void a_network_path_that_is_too_long_is_cut_or_refused(void **state)
{
    char path[MAXPATH], file[MAXPATH], name[3 * MAXPATH];

    (void)state;
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_ok(OSPathNetConstruct(NULL, "Mail1", name, path));
    assert_int_equal(strlen(path), MAXPATH - 1);
    assert_status(OSPathNetParse(name, NULL, NULL, file), ERR_INV_FILE_NAME);
    memcpy(name + 300, "!!", 2);
    assert_status(OSPathNetParse(name, NULL, NULL, file), ERR_INV_SERVER_NAME);
}

/* ---- time ---- */

static void time_constants_are_apart(void **state)
{
    TIMEDATE minimum, maximum, wildcard, now, later;

    (void)state;
    TimeConstant(TIMEDATE_MINIMUM, &minimum);
    TimeConstant(TIMEDATE_MAXIMUM, &maximum);
    TimeConstant(TIMEDATE_WILDCARD, &wildcard);
    OSCurrentTIMEDATE(&now);
    assert_memory_not_equal(&minimum, &maximum, sizeof minimum);
    assert_memory_not_equal(&maximum, &wildcard, sizeof minimum);
    assert_memory_not_equal(&now, &maximum, sizeof minimum);
    test_vfs()->fixed = true;
    OSCurrentTIMEDATE(&now);
    test_vfs()->ticks += 20;
    OSCurrentTIMEDATE(&later);
    assert_memory_not_equal(&now, &later, sizeof now);
    TimeConstant(TIMEDATE_MINIMUM, NULL);
    OSCurrentTIMEDATE(NULL);
}

static const struct CMUnitTest tests[] = {
    TEST(calls_before_the_beginning_say_so),
    TEST(the_end_closes_everything),
    TEST(each_beginning_needs_its_end),
    TEST(the_data_directory_is_found),
    TEST(what_is_not_there_is_refused),
    TEST(a_wrong_handle_is_an_error_that_says_why),
    TEST(handles_come_to_an_end),
    TEST(memory_is_locked_and_freed),
    TEST(an_ID_table_is_an_ordered_set),
    TEST(every_error_code_of_the_headers_has_a_text),
    TEST(a_text_is_cut_to_its_room_and_flags_hide_it),
    TEST(codes_fall_into_their_parts),
    TEST(network_paths_are_joined_and_taken_apart),
    TEST(a_network_path_that_is_too_long_is_cut_or_refused),
    TEST(time_constants_are_apart),
};
TEST_MAIN(tests)
