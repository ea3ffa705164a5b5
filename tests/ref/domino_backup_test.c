/* Backups through the Domino face: the states, the errors, and that copy and change information
 * are the database as it was at the start. */
#include "domino_support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cwd.h"
#include "domino_backup.h"

/* ---- the promise ---- */

static void copy_and_change_information_are_the_database_at_the_start(void **state)
{
    (void)state;
    DBHANDLE db = open_db("a");
    NOTEID first = add_notes(db, 100, 700, 'a');
    test_backup backup = start_backup(db, "data/a.nsf");
    for (unsigned i = 0; i < 100; i += 3) {
        change_note(db, first, i, 1500, 'b');
    }
    flush_db("a");
    copy_file("data/a.nsf", "copy"); /* longer than at the start, and newer */
    change_note(db, first, 1, 200, 'c');
    flush_db("a");
    assert_ok(NSFBackupStop(db, backup.context));
    change_note(db, first, 2, 200, 'd');
    flush_db("a");
    file_image stream = read_stream(&backup, 1000);
    assert_true(stream.size > 0);
    assert_ok(NSFBackupEnd(db, backup.context, 0));
    assert_ok(apply_stream("copy", &stream, 777));
    expect_start(&backup, "copy");
    assert_ok(apply_stream("copy", &stream, 40000)); /* again: the same */
    expect_start(&backup, "copy");
    end_backup(&backup);
    image_free(&stream);
    close_db(db);

    copy_file("copy", "data/b.nsf");
    db = open_db("b");
    assert_int_equal(count_notes(db), 100);
    close_db(db);
}

static void nothing_changed_means_no_change_information(void **state)
{
    DWORD low = 1, high = 1, filled = 1;
    char byte;

    (void)state;
    DBHANDLE db = open_db("a");
    add_notes(db, 10, 700, 'a');
    test_backup backup = start_backup(db, "data/a.nsf");
    copy_file("data/a.nsf", "copy");
    assert_ok(NSFBackupStop(db, backup.context));
    assert_ok(NSFBackupGetChangeInfoSize(db, backup.context, 0, &low, &high));
    assert_true(low == 0 && high == 0);
    assert_ok(NSFBackupGetNextChangeInfo(db, backup.context, 0, &byte, 1, &filled));
    assert_int_equal(filled, 0);
    assert_ok(NSFBackupEnd(db, backup.context, 0));
    copy_file("copy", "data/raw.nsf");
    close_db(open_db("raw"));

    file_image nothing = {NULL, 0};
    assert_ok(apply_stream("copy", &nothing, 100));
    expect_start(&backup, "copy");
    end_backup(&backup);
    close_db(db);
}

static void what_lies_below_the_mark_is_not_kept(void **state)
{
    (void)state;
    DBHANDLE db = open_db("a");
    NOTEID first = add_notes(db, 50, 1000, 'a');
    test_backup backup = start_backup(db, "data/a.nsf");
    copy_file("data/a.nsf", "copy");
    assert_ok(NSFBackupSetHighWaterMark(db, backup.context, 0xffffffff, 0xffffffff));
    assert_ok(NSFBackupSetHighWaterMark(db, backup.context, 0, 0)); /* lower: passed over */
    change_note(db, first, 7, 1000, 'b');
    flush_db("a");
    assert_ok(NSFBackupStop(db, backup.context));
    file_image stream = read_stream(&backup, 100);
    assert_int_equal(stream.size, 0);
    assert_ok(NSFBackupEnd(db, backup.context, 0));
    assert_ok(apply_stream("copy", &stream, 100));
    image_free(&stream);
    expect_start(&backup, "copy");
    end_backup(&backup);
    close_db(db);
}

static void a_copy_in_pieces_with_marks_holds_while_notes_change(void **state)
{
    uint64_t seed = 7;

    (void)state;
    DBHANDLE db = open_db("a");
    NOTEID first = add_notes(db, 60, 900, 'a');
    for (int round = 0; round < 15; round++) {
        test_backup backup = start_backup(db, "data/a.nsf");
        copy_in_pieces(&backup, "copy", first, 60, &seed);
        assert_ok(NSFBackupStop(db, backup.context));
        file_image stream = read_stream(&backup, 1 + (unsigned)round * 333);
        assert_ok(NSFBackupEnd(db, backup.context, 0));
        assert_ok(apply_stream("copy", &stream, 1 + (unsigned)round * 271));
        expect_start(&backup, "copy");
        end_backup(&backup);
        image_free(&stream);
    }
    close_db(db);
}

static void many_databases_are_backed_up_at_once(void **state)
{
    enum { MANY = 12 };
    DBHANDLE db[MANY];
    test_backup backups[MANY];
    NOTEID first[MANY];
    char name[20], path[30], copy[30];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "d%d", i);
        snprintf(path, sizeof path, "data/d%d.nsf", i);
        db[i] = open_db(name);
        first[i] = add_notes(db[i], 10, 800, (char)('a' + i));
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "data/d%d.nsf", i);
        backups[i] = start_backup(db[i], path);
        change_note(db[i / 2], first[i / 2], 3, 900, 'x');
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "d%d", i);
        snprintf(path, sizeof path, "data/d%d.nsf", i);
        snprintf(copy, sizeof copy, "copy%d", i);
        change_note(db[i], first[i], 4, 900, 'y');
        flush_db(name);
        copy_file(path, copy);
    }
    for (int i = MANY; i-- > 0;) {
        snprintf(copy, sizeof copy, "copy%d", i);
        assert_ok(NSFBackupStop(db[i], backups[i].context));
        file_image stream = read_stream(&backups[i], 4096);
        assert_ok(NSFBackupEnd(db[i], backups[i].context, 0));
        assert_ok(apply_stream(copy, &stream, 4096));
        expect_start(&backups[i], copy);
        end_backup(&backups[i]);
        image_free(&stream);
        close_db(db[i]);
    }
}

/* ---- states ---- */

static void a_database_has_one_backup_whatever_the_handle(void **state)
{
    DHANDLE context, other;
    DWORD low = 1, high = 1;

    (void)state;
    DBHANDLE db = open_db("a"), again = open_db("a");
    add_note(db, "x");
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    assert_int_not_equal(context, NULLHANDLE);
    assert_status(NSFBackupStart(db, 0, &other, &low, &high), ERR_BACKUP_ALREADY_IN_PROGRESS);
    assert_int_equal(other, NULLHANDLE);
    assert_true(low == 0 && high == 0);
    assert_status(NSFBackupStart(again, 0, &other, &low, &high), ERR_BACKUP_ALREADY_IN_PROGRESS);
    assert_ok(NSFBackupSetHighWaterMark(again, context, 10, 0)); /* any handle of the database */
    assert_ok(NSFBackupStop(again, context));
    assert_status(NSFBackupStart(db, 0, &other, &low, &high), ERR_BACKUP_ALREADY_IN_PROGRESS);
    assert_ok(NSFBackupEnd(again, context, 0));
    assert_ok(NSFBackupStart(again, 0, &other, &low, &high));
    assert_int_not_equal(other, context);
    assert_status(NSFBackupStop(db, context), ERR_NOT_DOING_BACKUP);
    assert_ok(NSFBackupEnd(db, other, BACKUPEND_ABORT));
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    assert_ok(NSFBackupEnd(db, context, 0));
    close_db(db);
    close_db(again);
}

static void a_context_that_is_none_is_ERR_NOT_DOING_BACKUP(void **state)
{
    DHANDLE context;
    DWORD low, high;
    char byte;

    (void)state;
    DBHANDLE db = open_db("a"), other = open_db("b");
    assert_ok(NSFBackupStart(other, 0, &context, &low, &high));
    const DHANDLE wrong[] = {NULLHANDLE, context, db, 4711, 0xffffffff};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_status(NSFBackupSetHighWaterMark(db, wrong[i], 0, 0), ERR_NOT_DOING_BACKUP);
        assert_status(NSFBackupStop(db, wrong[i]), ERR_NOT_DOING_BACKUP);
        assert_status(
            NSFBackupGetChangeInfoSize(db, wrong[i], 0, &low, &high), ERR_NOT_DOING_BACKUP);
        assert_status(
            NSFBackupGetNextChangeInfo(db, wrong[i], 0, &byte, 1, &low), ERR_NOT_DOING_BACKUP);
        assert_status(NSFBackupEnd(db, wrong[i], 0), ERR_NOT_DOING_BACKUP);
    }
    assert_ok(NSFBackupEnd(other, context, 0));
    assert_status(NSFBackupEnd(other, context, 0), ERR_NOT_DOING_BACKUP);
    close_db(db);
    close_db(other);
}

static void change_information_comes_after_the_stop(void **state)
{
    DHANDLE context;
    DWORD low = 1, high = 1, filled = 1;
    char byte;

    (void)state;
    DBHANDLE db = open_db("a");
    NOTEID id = add_note(db, "x");
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    assert_ok(set_note(db, id, "y"));
    flush_db("a");
    assert_status(
        NSFBackupGetChangeInfoSize(db, context, 0, &low, &high), ERR_BACKUP_ALREADY_IN_PROGRESS);
    assert_true(low == 0 && high == 0);
    assert_status(NSFBackupGetNextChangeInfo(db, context, 0, &byte, 1, &filled),
        ERR_BACKUP_ALREADY_IN_PROGRESS);
    assert_int_equal(filled, 0);
    assert_ok(NSFBackupStop(db, context));
    assert_ok(NSFBackupStop(db, context));
    assert_status(NSFBackupSetHighWaterMark(db, context, 0, 0), ERR_NOT_DOING_BACKUP);
    assert_ok(NSFBackupGetChangeInfoSize(db, context, 0, &low, &high));
    assert_true(low > 0);
    assert_ok(NSFBackupGetNextChangeInfo(db, context, 0, NULL, 0, &filled));
    assert_int_equal(filled, 0);
    assert_ok(NSFBackupGetNextChangeInfo(db, context, 0, &byte, 1, &filled));
    assert_int_equal(filled, 1);
    assert_ok(NSFBackupEnd(db, context, 0)); /* most of it not fetched */
    close_db(db);
}

static void flags_and_missing_pointers_are_refused(void **state)
{
    DHANDLE context, other;
    DWORD low, high;
    char byte;

    (void)state;
    DBHANDLE db = open_db("a");
    assert_status(NSFBackupStart(db, 1, &context, &low, &high), ERR_VALUE_FLAGS);
    assert_status(NSFBackupStart(db, 0, NULL, &low, &high), ERR_BAD_PARAM);
    assert_status(NSFBackupStart(db, 0, &context, NULL, &high), ERR_BAD_PARAM);
    assert_status(NSFBackupStart(db, 0, &context, &low, NULL), ERR_BAD_PARAM);
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    assert_status(NSFBackupEnd(db, context, 2), ERR_VALUE_FLAGS);
    assert_ok(NSFBackupStop(db, context));
    assert_status(NSFBackupGetChangeInfoSize(db, context, 1, &low, &high), ERR_VALUE_FLAGS);
    assert_status(NSFBackupGetChangeInfoSize(db, context, 0, NULL, &high), ERR_BAD_PARAM);
    assert_status(NSFBackupGetNextChangeInfo(db, context, 1, &byte, 1, &low), ERR_VALUE_FLAGS);
    assert_status(NSFBackupGetNextChangeInfo(db, context, 0, NULL, 1, &low), ERR_BAD_PARAM);
    assert_status(NSFBackupGetNextChangeInfo(db, context, 0, &byte, 1, NULL), ERR_BAD_PARAM);
    assert_ok(NSFBackupEnd(db, context, BACKUPEND_ABORT));
    assert_status(NSFBackupStart(NULLHANDLE, 0, &other, &low, &high), ERR_NULL_DBHANDLE);
    assert_status(NSFBackupStart(99, 0, &other, &low, &high), ERR_OS_HANDLE_RANGE);
    close_db(db);
}

static void closing_the_handle_that_began_it_ends_a_backup(void **state)
{
    DHANDLE context;
    DWORD low, high;

    (void)state;
    DBHANDLE db = open_db("a"), other = open_db("a");
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    close_db(db);
    assert_status(NSFBackupStop(other, context), ERR_NOT_DOING_BACKUP);
    assert_ok(NSFBackupStart(other, 0, &context, &low, &high));
    db = open_db("a");
    close_db(db); /* not the one */
    assert_ok(NSFBackupStop(other, context));
    close_db(other);
    db = open_db("a");
    add_note(db, "x");
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    end_runtime(); /* in the middle */
    restart("");
    db = open_db("a");
    assert_int_equal(count_notes(db), 1);
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    assert_ok(NSFBackupEnd(db, context, 0));
    close_db(db);
}

static void a_process_that_dies_in_a_backup_leaves_a_sound_database(void **state)
{
    DHANDLE context;
    DWORD low, high;
    int status;

    (void)state;
    pid_t child = fork();
    if (child == 0) {
        DBHANDLE db = open_db("a");
        NOTEID first = add_notes(db, 30, 700, 'a');
        bool right = NSFBackupStart(db, 0, &context, &low, &high) == NOERROR;
        change_note(db, first, 5, 900, 'b');
        flush_db("a");
        change_note(db, first, 6, 900, 'b');
        _exit(right ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    DBHANDLE db = open_db("a");
    assert_int_equal(count_notes(db), 30);
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    assert_ok(NSFBackupEnd(db, context, 0));
    close_db(db);
    copy_file("data/a.nsf", "data/b.nsf"); /* closed: an ordinary copy */
    db = open_db("b");
    assert_int_equal(count_notes(db), 30);
    close_db(db);
}

static void a_database_that_was_backed_up_is_an_ordinary_one(void **state)
{
    (void)state;
    DBHANDLE db = open_db("a");
    NOTEID first = add_notes(db, 30, 700, 'a');
    test_backup backup = start_backup(db, "data/a.nsf");
    change_note(db, first, 3, 900, 'b');
    flush_db("a");
    assert_ok(NSFBackupEnd(db, backup.context, BACKUPEND_ABORT));
    change_note(db, first, 4, 900, 'b');
    close_db(db);
    end_backup(&backup);
    copy_file("data/a.nsf", "data/b.nsf");
    close_db(open_db("b"));

    db = open_db("a"); /* and one whose backup was ended by closing it */
    backup = start_backup(db, "data/a.nsf");
    change_note(db, first, 3, 900, 'b');
    close_db(db);
    end_backup(&backup);
    copy_file("data/a.nsf", "data/c.nsf");
    close_db(open_db("c"));
}

static void a_file_outside_the_data_directory_is_backed_up(void **state)
{
    char path[MAXPATH];

    (void)state;
    assert_non_null(getcwd(path, sizeof path - 10));
    strcat(path, "/out.nsf");
    DBHANDLE db = open_db(path);
    NOTEID first = add_notes(db, 30, 700, 'a');
    test_backup backup = start_backup(db, "out.nsf");
    change_note(db, first, 3, 900, 'b');
    copy_file("out.nsf", "copy");
    assert_ok(NSFBackupStop(db, backup.context));
    file_image stream = read_stream(&backup, 3000);
    assert_true(stream.size > 0);
    assert_ok(NSFBackupEnd(db, backup.context, 0));
    assert_ok(apply_stream("copy", &stream, 3000));
    expect_start(&backup, "copy");
    image_free(&stream);
    end_backup(&backup);
    close_db(db);
}

/* ---- ending by itself ---- */

static void too_long_is_ERR_BACKUP_ABORTED(void **state)
{
    DHANDLE context, next;
    DWORD low, high;
    char byte;

    (void)state;
    test_vfs()->fixed = true;
    restart("BACKUP_TIMEOUT=2\n");
    DBHANDLE db = open_db("a");
    NOTEID id = add_note(db, "x");
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    test_vfs()->ticks += 119000; /* thousandths of a second */
    assert_ok(NSFBackupSetHighWaterMark(db, context, 0, 0));
    test_vfs()->ticks += 2000;
    assert_status(NSFBackupSetHighWaterMark(db, context, 0, 0), ERR_BACKUP_ABORTED);
    assert_status(NSFBackupStop(db, context), ERR_BACKUP_ABORTED);
    assert_status(NSFBackupGetChangeInfoSize(db, context, 0, &low, &high), ERR_BACKUP_ABORTED);
    assert_status(NSFBackupGetNextChangeInfo(db, context, 0, &byte, 1, &low), ERR_BACKUP_ABORTED);
    assert_ok(set_note(db, id, "writers never notice"));
    assert_ok(NSFBackupStart(db, 0, &next, &low, &high)); /* at once */
    assert_status(NSFBackupStop(db, context), ERR_BACKUP_ABORTED);
    assert_ok(NSFBackupStop(db, next));
    assert_status(NSFBackupEnd(db, context, 0), ERR_BACKUP_ABORTED);
    assert_status(NSFBackupEnd(db, context, 0), ERR_NOT_DOING_BACKUP);
    assert_ok(NSFBackupEnd(db, next, 0));
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    test_vfs()->ticks += 200000;
    assert_ok(NSFBackupEnd(db, context, BACKUPEND_ABORT));
    close_db(db);
}

static void the_timeout_is_fifteen_minutes_or_none(void **state)
{
    DHANDLE context;
    DWORD low, high;

    (void)state;
    test_vfs()->fixed = true;
    DBHANDLE db = open_db("a");
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    test_vfs()->ticks += 14 * 60000;
    assert_ok(NSFBackupSetHighWaterMark(db, context, 0, 0));
    test_vfs()->ticks += 2 * 60000;
    assert_status(NSFBackupStop(db, context), ERR_BACKUP_ABORTED);
    close_db(db);
    restart("BACKUP_TIMEOUT=2\nBACKUP_NO_TIMEOUT=1\n");
    db = open_db("a");
    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    test_vfs()->ticks += 1000000000;
    assert_ok(NSFBackupStop(db, context));
    assert_ok(NSFBackupEnd(db, context, 0));
    close_db(db);
}

/* Changes everything under a backup whose memory is for one page. */
static STATUS stop_after_changes(const char *lines)
{
    (void)restart(lines);
    DBHANDLE db = open_db("a");
    NOTEID first = add_notes(db, 40, 1500, 'a');
    test_backup backup = start_backup(db, "data/a.nsf");
    for (unsigned i = 0; i < 40; i++) {
        change_note(db, first, i, 1500, 'b');
    }
    flush_db("a");
    copy_file("data/a.nsf", "copy");
    STATUS status = NSFBackupStop(db, backup.context);
    if (status == NOERROR) {
        file_image stream = read_stream(&backup, 5000);
        assert_ok(apply_stream("copy", &stream, 5000));
        expect_start(&backup, "copy");
        image_free(&stream);
    }
    expect_note(db, first, expect_letters('b'));
    assert_status(NSFBackupEnd(db, backup.context, 0), status);
    end_backup(&backup);
    close_db(db);
    return status;
}

static void before_images_beyond_the_limit_go_to_a_file(void **state)
{
    (void)state;
    assert_ok(
        stop_after_changes("NSF_Backup_Memory_Constrained=1\nNSF_Backup_Memory_Limit=5000\n"));
}

static void without_constraint_before_images_stay_in_memory(void **state)
{
    (void)state;
    assert_ok(stop_after_changes("NSF_Backup_Memory_Constrained=0\nNSF_Backup_Memory_Limit=5000\n"
                                 "Hotref_Backup_No_Spill=1\n"));
}

static void no_room_for_before_images_is_ERR_BACKUP_ABORTED2(void **state)
{
    (void)state;
    assert_status(stop_after_changes("NSF_Backup_Memory_Limit=5000\nHotref_Backup_No_Spill=1\n"),
        ERR_BACKUP_ABORTED2);
}

/* A file that is made from the start of the backup on cannot be written. */
static STATUS stop_after_failing_file(int error)
{
    restart("NSF_Backup_Memory_Limit=5000\n");
    DBHANDLE db = open_db("a");
    NOTEID first = add_notes(db, 40, 1500, 'a');
    flush_db("a");
    test_backup backup = start_backup(db, "data/a.nsf");
    fault_set(test_vfs(),
        &(fault_rule){
            .kinds = FAULT_BIT(FAULT_CREATE), .nth = 1, .error = error, .manner = FAULT_FROM_THEN});
    for (unsigned i = 0; i < 40; i++) {
        change_note(db, first, i, 1500, 'b');
    }
    flush_db("a");
    fault_heal(test_vfs());
    STATUS status = NSFBackupStop(db, backup.context);
    expect_note(db, first, expect_letters('b'));
    assert_ok(NSFBackupEnd(db, backup.context, BACKUPEND_ABORT));
    end_backup(&backup);
    close_db(db);
    return status;
}

static void before_images_that_cannot_be_written_end_the_backup(void **state)
{
    (void)state;
    assert_status(stop_after_failing_file(EIO), ERR_NSF_CANT_BACKUP);
    assert_status(stop_after_failing_file(ENOSPC), ERR_BACKUP_ABORTED2);
}

static void a_start_that_fails_leaves_a_database_that_can_be_backed_up(void **state)
{
    DHANDLE context;
    DWORD low, high;
    unsigned failures = 0;

    (void)state;
    for (uint64_t nth = 1; nth < 100; nth++) {
        DBHANDLE db = open_db("a");
        NOTEID id = add_note(db, "x");

        fault_fail_nth(test_vfs(), FAULT_CHANGES, "", nth);
        STATUS status = NSFBackupStart(db, 0, &context, &low, &high);
        bool fired = fault_injected(test_vfs()) > 0;
        fault_heal(test_vfs());
        assert_int_equal(context == NULLHANDLE, status != NOERROR);
        if (status == NOERROR) {
            assert_ok(NSFBackupEnd(db, context, 0));
        }
        failures += status != NOERROR;
        (void)NSFDbClose(db);
        db = open_db("a");
        expect_note(db, id, "x");
        assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
        assert_ok(NSFBackupEnd(db, context, 0));
        close_db(db);
        if (!fired) {
            break;
        }
    }
    assert_true(failures > 2);
}

/* ---- compaction ---- */

typedef struct compact_meeting {
    DBHANDLE db;
    STATUS start, compact;
    unsigned calls;
} compact_meeting;

static void meet(void *context)
{
    compact_meeting *meeting = context;
    DHANDLE backup;
    DWORD low, high;

    meeting->start = NSFBackupStart(meeting->db, 0, &backup, &low, &high);
    meeting->compact = NSFDbCompact("a", 0, NULL);
    meeting->calls++;
}

static void no_backup_begins_during_a_compaction(void **state)
{
    enum { NOTES = 400 }; /* more than one step moves */
    compact_meeting meeting = {NULLHANDLE, 0, 0, 0};
    DHANDLE context;
    DWORD low, high, sizes[2] = {0, 0};

    (void)state;
    meeting.db = open_db("a");
    NOTEID first = add_notes(meeting.db, NOTES, 1500, 'a');
    for (unsigned i = 0; i < NOTES / 2; i++) {
        assert_ok(NSFNoteDelete(meeting.db, first + i * RRV_ALIGNMENT, UPDATE_NOSTUB));
    }
    ref_dom_provoke_compact_pause(meet, &meeting);
    assert_ok(NSFDbCompact("a", DBCOMPACT_MAILBOX, sizes));
    ref_dom_provoke_compact_pause(NULL, NULL);
    assert_true(meeting.calls > 0);
    assert_status(meeting.start, ERR_CANT_BACKUP_DURING_COMPACT);
    assert_status(meeting.compact, ERR_COMPACT_MODE);
    assert_true(sizes[1] < sizes[0]);
    file_image now = image_of("data/a.nsf");
    assert_int_equal(now.size, sizes[1]);
    image_free(&now);
    assert_int_equal(count_notes(meeting.db), NOTES / 2);
    assert_ok(NSFBackupStart(meeting.db, 0, &context, &low, &high));
    assert_status(NSFDbCompact("a", 0, sizes), ERR_BACKUP_ALREADY_IN_PROGRESS);
    assert_true(sizes[0] == 0 && sizes[1] == 0);
    assert_ok(NSFBackupEnd(meeting.db, context, 0));
    assert_ok(NSFDbCompact("a", 0, NULL));
    assert_status(NSFDbCompact("a", 1, NULL), ERR_VALUE_FLAGS);
    close_db(meeting.db);
    assert_ok(NSFDbCompact("a", 0, sizes)); /* closed */
    assert_int_equal(sizes[0], sizes[1]);
}

static const struct CMUnitTest tests[] = {
    TEST(copy_and_change_information_are_the_database_at_the_start),
    TEST(nothing_changed_means_no_change_information),
    TEST(what_lies_below_the_mark_is_not_kept),
    TEST(a_copy_in_pieces_with_marks_holds_while_notes_change),
    TEST(many_databases_are_backed_up_at_once),
    TEST(a_database_has_one_backup_whatever_the_handle),
    TEST(a_context_that_is_none_is_ERR_NOT_DOING_BACKUP),
    TEST(change_information_comes_after_the_stop),
    TEST(flags_and_missing_pointers_are_refused),
    TEST(closing_the_handle_that_began_it_ends_a_backup),
    TEST(a_process_that_dies_in_a_backup_leaves_a_sound_database),
    TEST(a_database_that_was_backed_up_is_an_ordinary_one),
    TEST(a_file_outside_the_data_directory_is_backed_up),
    TEST(too_long_is_ERR_BACKUP_ABORTED),
    TEST(the_timeout_is_fifteen_minutes_or_none),
    TEST(before_images_beyond_the_limit_go_to_a_file),
    TEST(without_constraint_before_images_stay_in_memory),
    TEST(no_room_for_before_images_is_ERR_BACKUP_ABORTED2),
    TEST(before_images_that_cannot_be_written_end_the_backup),
    TEST(a_start_that_fails_leaves_a_database_that_can_be_backed_up),
    TEST(no_backup_begins_during_a_compaction),
};
TEST_MAIN(tests)
