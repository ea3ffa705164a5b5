/* Notes through the Domino face: items, updates, conflicts, deletion, and which were changed since. */
#include "domino_support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static NOTEHANDLE open_note(DBHANDLE db, NOTEID id)
{
    NOTEHANDLE note;

    assert_ok(NSFNoteOpen(db, id, 0, &note));
    return note;
}

static NOTEID id_of(NOTEHANDLE note)
{
    NOTEID id = 1;

    NSFNoteGetInfo(note, _NOTE_ID, &id);
    return id;
}

/* ---- items ---- */

static void items_are_set_replaced_and_read_without_regard_to_case(void **state)
{
    char text[20];
    NOTEHANDLE note;

    (void)state;
    DBHANDLE db = open_db("a");
    assert_ok(NSFNoteCreate(db, &note));
    assert_ok(NSFItemSetText(note, "Subject", "one", MAXWORD));
    assert_ok(NSFItemSetText(note, "Form", "Memo", 3));
    assert_ok(NSFItemSetText(note, "SUBJECT", "three", MAXWORD));
    assert_int_equal(NSFItemGetText(note, "subject", text, sizeof text), 5);
    assert_string_equal(text, "three");
    assert_int_equal(NSFItemGetText(note, "form", text, sizeof text), 3);
    assert_string_equal(text, "Mem");
    assert_int_equal(NSFItemGetText(note, "subject", text, 3), 2);
    assert_string_equal(text, "th");
    assert_int_equal(NSFItemGetText(note, "none", text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_int_equal(NSFItemGetText(NULLHANDLE, "subject", text, sizeof text), 0);
    assert_ok(NSFItemSetText(note, "Lines", "a\0b", 3));
    assert_ok(NSFNoteUpdate(note, 0));
    NOTEID id = id_of(note);
    assert_ok(NSFNoteClose(note));
    note = open_note(db, id);
    assert_int_equal(NSFItemGetText(note, "Lines", text, sizeof text), 3);
    assert_memory_equal(text, "a\0b", 4);
    assert_ok(NSFNoteClose(note));
    close_db(db);
}

static void items_that_make_no_sense_are_refused(void **state)
{
    static char big[70000];
    NOTEHANDLE note;

    (void)state;
    memset(big, 'x', sizeof big - 1);
    DBHANDLE db = open_db("a");
    assert_ok(NSFNoteCreate(db, &note));
    assert_status(NSFItemSetText(note, "Text", big, MAXWORD), ERR_BAD_PARAM);
    assert_status(NSFItemSetText(note, big, "x", MAXWORD), ERR_BAD_PARAM);
    assert_status(NSFItemSetText(note, "", "x", MAXWORD), ERR_BAD_PARAM);
    assert_status(NSFItemSetText(note, NULL, "x", MAXWORD), ERR_BAD_PARAM);
    assert_status(NSFItemSetText(note, "Text", NULL, 3), ERR_BAD_PARAM);
    assert_status(NSFItemSetText(db, "Text", "x", 1), ERR_OS_INCOMPATIBLE_HANDLES);
    assert_ok(NSFItemSetText(note, "Text", NULL, 0));
    assert_ok(NSFNoteClose(note));
    close_db(db);
}

static void a_note_can_be_large_but_not_its_summary(void **state)
{
    static char big[65535];
    NOTEHANDLE note;
    char name[] = "Text0";

    (void)state;
    memset(big, 'x', sizeof big - 1);
    DBHANDLE db = open_db("a");
    assert_ok(NSFNoteCreate(db, &note));
    assert_ok(NSFItemSetText(note, "Text0", big, 32764));
    assert_status(NSFNoteUpdate(note, 0), ERR_SUMMARY_TOO_BIG);
    assert_int_equal(id_of(note), 0);
    assert_ok(NSFItemSetText(note, "Text0", big, 32763));
    assert_ok(NSFNoteUpdate(note, 0));
    for (char digit = '0'; digit < '8'; digit++) {
        name[4] = digit;
        assert_ok(NSFItemSetTextSummary(note, name, big, 65534, FALSE));
    }
    assert_ok(NSFNoteUpdate(note, 0));
    for (char digit = '0'; digit < '8'; digit++) {
        name[4] = (char)(digit + 'A' - '0');
        assert_ok(NSFItemSetTextSummary(note, name, big, 65534, FALSE));
    }
    assert_status(NSFNoteUpdate(note, 0), ERR_TOOHUGE);
    NOTEID id = id_of(note);
    assert_ok(NSFNoteClose(note));
    note = open_note(db, id);
    assert_int_equal(NSFItemGetText(note, "text7", big, 65535), 65534);
    assert_int_equal(NSFItemGetText(note, "textA", big, 65535), 0);
    assert_ok(NSFNoteClose(note));
    close_db(db);
}

/* ---- updates ---- */

static void nothing_is_in_the_database_before_the_update(void **state)
{
    NOTEHANDLE note;

    (void)state;
    DBHANDLE db = open_db("a");
    assert_ok(NSFNoteCreate(db, &note));
    assert_ok(NSFItemSetText(note, "Text", "x", 1));
    assert_int_equal(count_notes(db), 0);
    assert_int_equal(id_of(note), 0);
    assert_ok(NSFNoteUpdate(note, 0));
    assert_int_equal(count_notes(db), 1);
    expect_note(db, id_of(note), "x");
    assert_ok(NSFItemSetText(note, "Text", "y", 1));
    expect_note(db, id_of(note), "x");
    assert_ok(NSFNoteClose(note));
    close_db(db);
}

static void an_update_counts_the_version_and_keeps_the_identity(void **state)
{
    OID first, second;
    TIMEDATE modified;
    DBHANDLE back = NULLHANDLE;

    (void)state;
    DBHANDLE db = open_db("a");
    NOTEHANDLE note = open_note(db, add_note(db, "x"));
    NSFNoteGetInfo(note, _NOTE_OID, &first);
    assert_int_equal(first.Sequence, 1);
    assert_ok(NSFNoteUpdate(note, UPDATE_NOCOMMIT));
    NSFNoteGetInfo(note, _NOTE_OID, &second);
    NSFNoteGetInfo(note, _NOTE_MODIFIED, &modified);
    NSFNoteGetInfo(note, _NOTE_DB, &back);
    assert_int_equal(second.Sequence, 2);
    assert_memory_equal(&first, &second, sizeof(UNID));
    assert_memory_equal(&second.SequenceTime, &modified, sizeof modified);
    assert_int_equal(back, db);
    NSFNoteGetInfo(note, 99, &back);
    NSFNoteGetInfo(note, _NOTE_ID, NULL);
    assert_ok(NSFNoteClose(note));
    close_db(db);
}

static void who_comes_second_is_told_of_the_conflict(void **state)
{
    (void)state;
    DBHANDLE db = open_db("a");
    NOTEID id = add_note(db, "x");
    NOTEHANDLE first = open_note(db, id), second = open_note(db, id);
    assert_ok(NSFItemSetText(first, "Text", "first", MAXWORD));
    assert_ok(NSFItemSetText(second, "Text", "second", MAXWORD));
    assert_ok(NSFNoteUpdate(first, 0));
    assert_status(NSFNoteUpdate(second, 0), ERR_CONFLICT);
    expect_note(db, id, "first");
    assert_ok(NSFNoteUpdate(second, UPDATE_FORCE));
    expect_note(db, id, "second");
    assert_ok(NSFNoteUpdate(second, 0));
    assert_status(NSFNoteUpdate(first, 0), ERR_CONFLICT);
    assert_ok(NSFNoteDelete(db, id, 0));
    assert_status(NSFNoteUpdate(second, 0), ERR_NOTE_DELETED);
    assert_ok(NSFNoteUpdate(second, UPDATE_FORCE));
    expect_note(db, id, "second");
    assert_ok(NSFNoteDelete(db, id, UPDATE_NOSTUB));
    assert_status(NSFNoteUpdate(second, 0), ERR_INVALID_NOTE);
    assert_ok(NSFNoteUpdate(second, UPDATE_FORCE));
    expect_note(db, id, "second");
    assert_ok(NSFNoteClose(first));
    assert_ok(NSFNoteClose(second));
    close_db(db);
}

static void a_note_whose_identifier_is_cleared_becomes_another(void **state)
{
    NOTEID none = NOTEID_ADD;

    (void)state;
    DBHANDLE db = open_db("a");
    NOTEID id = add_note(db, "x");
    NOTEHANDLE note = open_note(db, id);
    NSFNoteSetInfo(note, _NOTE_ID, &none);
    assert_ok(NSFNoteUpdate(note, 0));
    assert_int_not_equal(id_of(note), id);
    assert_int_equal(count_notes(db), 2);
    assert_ok(NSFNoteClose(note));
    close_db(db);
}

static void a_note_outlives_its_database_handle_but_cannot_be_written(void **state)
{
    char text[10];

    (void)state;
    DBHANDLE db = open_db("a");
    NOTEHANDLE note = open_note(db, add_note(db, "x"));
    close_db(db);
    assert_int_equal(NSFItemGetText(note, "Text", text, sizeof text), 1);
    assert_status(NSFNoteUpdate(note, 0), ERR_OS_FREE_HANDLE);
    assert_ok(NSFNoteClose(note));
    assert_status(NSFNoteClose(note), ERR_OS_FREE_HANDLE);
}

static void flags_outside_the_subset_are_refused(void **state)
{
    NOTEHANDLE note;

    (void)state;
    DBHANDLE db = open_db("a");
    NOTEID id = add_note(db, "x");
    assert_status(NSFNoteOpen(db, id, 0x0004, &note), ERR_VALUE_FLAGS);
    assert_status(NSFNoteOpen(db, id, 0, NULL), ERR_BAD_PARAM);
    assert_ok(NSFNoteOpen(db, id, OPEN_SUMMARY | OPEN_SHARE, &note));
    assert_status(NSFNoteUpdate(note, UPDATE_NOSTUB), ERR_VALUE_FLAGS);
    assert_status(NSFNoteDelete(db, id, 0x4000), ERR_VALUE_FLAGS);
    assert_ok(NSFNoteClose(note));
    close_db(db);
}

/* ---- deletion ---- */

static void a_deleted_note_leaves_a_stub_or_nothing(void **state)
{
    NOTEHANDLE note;

    (void)state;
    DBHANDLE db = open_db("a");
    NOTEID stub = add_note(db, "x"), gone = add_note(db, "y"), kept = add_note(db, "z");
    assert_ok(NSFNoteDelete(db, stub, 0));
    assert_ok(NSFNoteDelete(db, gone, UPDATE_NOSTUB));
    assert_status(NSFNoteOpen(db, stub, 0, &note), ERR_NOTE_DELETED);
    assert_status(NSFNoteOpen(db, gone, 0, &note), ERR_INVALID_NOTE);
    assert_status(NSFNoteDelete(db, stub, 0), ERR_NOTE_DELETED);
    assert_status(NSFNoteDelete(db, gone, 0), ERR_INVALID_NOTE);
    assert_ok(NSFNoteDelete(db, stub, UPDATE_NOSTUB));
    assert_status(NSFNoteOpen(db, stub, 0, &note), ERR_INVALID_NOTE);
    expect_note(db, kept, "z");
    assert_ok(NSFNoteDelete(db, kept, UPDATE_NOSTUB));
    assert_true(add_note(db, "never again the same identifier") > kept);
    assert_status(NSFNoteOpen(db, 0, 0, &note), ERR_NOTE_ID);
    assert_status(NSFNoteOpen(db, kept | RRV_DELETED, 0, &note), ERR_NOTE_ID);
    assert_status(NSFNoteDelete(db, 0, 0), ERR_NOTE_ID);
    close_db(db);
}

/* ---- which were changed ---- */

static DHANDLE changed(DBHANDLE db, WORD classes, TIMEDATE since, TIMEDATE *until)
{
    DHANDLE table;

    assert_ok(NSFDbGetModifiedNoteTable(db, classes, since, until, &table));
    return table;
}

static void changed_notes_come_in_steps_that_miss_none(void **state)
{
    TIMEDATE always, everything, until, last;
    DHANDLE table;

    (void)state;
    test_vfs()->fixed = true;
    TimeConstant(TIMEDATE_MINIMUM, &always);
    TimeConstant(TIMEDATE_WILDCARD, &everything);
    DBHANDLE db = open_db("a");
    assert_status(NSFDbGetModifiedNoteTable(db, NOTE_CLASS_ALL, always, &until, &table),
        ERR_NO_MODIFIED_NOTES);
    assert_int_equal(table, NULLHANDLE);
    NOTEID a = add_note(db, "a"), b = add_note(db, "b"), c = add_note(db, "c");
    assert_ok(NSFNoteDelete(db, b, 0));
    test_vfs()->ticks += 100;

    table = changed(db, NOTE_CLASS_ALL, always, &until);
    assert_int_equal(IDEntries(table), 2);
    assert_ok(IDDestroyTable(table));
    table = changed(db, NOTE_CLASS_ALL, everything, &until);
    assert_int_equal(IDEntries(table), 3);
    assert_int_equal(IDIsPresent(table, b | RRV_DELETED), TRUE);
    assert_ok(IDDestroyTable(table));

    test_vfs()->ticks += 100;
    last = until;
    assert_status(
        NSFDbGetModifiedNoteTable(db, NOTE_CLASS_ALL, last, &until, &table), ERR_NO_MODIFIED_NOTES);
    assert_memory_not_equal(&until, &last, sizeof until);
    assert_ok(set_note(db, c, "changed"));
    assert_ok(NSFNoteDelete(db, a, 0));
    table = changed(db, NOTE_CLASS_ALL, until, &last);
    assert_int_equal(IDEntries(table), 2);
    assert_int_equal(IDIsPresent(table, a | RRV_DELETED), TRUE);
    assert_int_equal(IDIsPresent(table, c), TRUE);
    assert_ok(IDDestroyTable(table));
    assert_status(NSFDbGetModifiedNoteTable(db, NOTE_CLASS_ALL, last, NULL, &table), ERR_BAD_PARAM);
    close_db(db);
}

static void notes_are_asked_for_by_class(void **state)
{
    TIMEDATE always, until;
    NOTEHANDLE note;
    DHANDLE table;
    WORD form = NOTE_CLASS_FORM, is = 0;

    (void)state;
    TimeConstant(TIMEDATE_MINIMUM, &always);
    DBHANDLE db = open_db("a");
    add_note(db, "document");
    assert_ok(NSFNoteCreate(db, &note));
    NSFNoteGetInfo(note, _NOTE_CLASS, &is);
    assert_int_equal(is, NOTE_CLASS_DOCUMENT);
    NSFNoteSetInfo(note, _NOTE_CLASS, &form);
    assert_ok(NSFNoteUpdate(note, 0));
    table = changed(db, NOTE_CLASS_FORM, always, &until);
    assert_int_equal(IDEntries(table), 1);
    assert_int_equal(IDIsPresent(table, id_of(note)), TRUE);
    assert_ok(IDDestroyTable(table));
    table = changed(db, NOTE_CLASS_FORM | NOTE_CLASS_DOCUMENT, always, &until);
    assert_int_equal(IDEntries(table), 2);
    assert_ok(IDDestroyTable(table));
    assert_status(NSFDbGetModifiedNoteTable(db, NOTE_CLASS_VIEW, always, &until, &table),
        ERR_NO_MODIFIED_NOTES);
    assert_ok(NSFNoteClose(note));
    close_db(db);
}

/* ---- threads ---- */

enum { WRITERS = 4, NOTES_EACH = 40 };

static void *write_notes(void *context)
{
    DBHANDLE db = *(DBHANDLE *)context, own;

    assert_ok(NotesInitThread());
    assert_ok(NSFDbOpen("a", &own));
    for (int i = 0; i < NOTES_EACH; i++) {
        NOTEID id = add_note(i % 2 == 0 ? db : own, "x");
        assert_ok(set_note(own, id, "y"));
        expect_note(db, id, "y");
        if (i % 4 == 0) {
            assert_ok(NSFNoteDelete(db, id, UPDATE_NOCOMMIT));
        }
    }
    close_db(own);
    NotesTermThread();
    return NULL;
}

static void many_threads_write_at_once(void **state)
{
    pthread_t threads[WRITERS];

    (void)state;
    DBHANDLE db = open_db("a");
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_notes, &db), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(count_notes(db), WRITERS * NOTES_EACH * 3 / 4);
    close_db(db);
}

static const struct CMUnitTest tests[] = {
    TEST(items_are_set_replaced_and_read_without_regard_to_case),
    TEST(items_that_make_no_sense_are_refused),
    TEST(a_note_can_be_large_but_not_its_summary),
    TEST(nothing_is_in_the_database_before_the_update),
    TEST(an_update_counts_the_version_and_keeps_the_identity),
    TEST(who_comes_second_is_told_of_the_conflict),
    TEST(a_note_whose_identifier_is_cleared_becomes_another),
    TEST(a_note_outlives_its_database_handle_but_cannot_be_written),
    TEST(flags_outside_the_subset_are_refused),
    TEST(a_deleted_note_leaves_a_stub_or_nothing),
    TEST(changed_notes_come_in_steps_that_miss_none),
    TEST(notes_are_asked_for_by_class),
    TEST(many_threads_write_at_once),
};
TEST_MAIN(tests)
