/* Change information applied to a copy: what is refused, what can be tried again, and which copies
 * open. */
#include "domino_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cwd.h"
#include "domino_backup.h"

/* A database "a", a copy "copy" made while it changed, and the change information that belongs
 * to it. */
typedef struct made_backup {
    DBHANDLE db;
    NOTEID first;
    test_backup backup;
    file_image stream;
} made_backup;

static void make_from(made_backup *made, const char *copy)
{
    made->backup = start_backup(made->db, "data/a.nsf");
    for (unsigned i = 0; i < 20; i += 2) {
        change_note(made->db, made->first, i, 1400, (char)('b' + i));
    }
    flush_db("a");
    copy_file("data/a.nsf", copy);
    assert_ok(NSFBackupStop(made->db, made->backup.context));
    made->stream = read_stream(&made->backup, 5000);
    assert_ok(NSFBackupEnd(made->db, made->backup.context, 0));
    assert_true(made->stream.size > 5000);
}

static made_backup make(void)
{
    made_backup made = {.db = open_db("a")};

    made.first = add_notes(made.db, 20, 1000, 'a');
    make_from(&made, "copy");
    return made;
}

static void forget(made_backup *made)
{
    end_backup(&made->backup);
    image_free(&made->stream);
}

static void done(made_backup *made)
{
    forget(made);
    close_db(made->db);
}

static STATUS try_open(const char *path)
{
    DBHANDLE db;
    STATUS status = NSFDbOpen(path, &db);

    if (status == NOERROR) {
        close_db(db);
    }
    return status;
}

/* ---- contexts and arguments ---- */

static void a_context_of_application_ends_once(void **state)
{
    char copy[] = "copy", byte = 0;
    DHANDLE apply;

    (void)state;
    made_backup made = make();
    assert_status(
        NSFBackupApplyNextChangeInfo(NULLHANDLE, 0, &byte, 1), ERR_INVALID_CHANGE_INFO_CONTEXT);
    assert_status(
        NSFBackupApplyNextChangeInfo(made.db, 0, &byte, 1), ERR_INVALID_CHANGE_INFO_CONTEXT);
    assert_status(NSFBackupEndApplyChangeInfo(4711, 0), ERR_INVALID_CHANGE_INFO_CONTEXT);
    assert_ok(NSFBackupStartApplyChangeInfo(&apply, copy, 0, 100, 0));
    assert_int_not_equal(apply, NULLHANDLE);
    assert_status(NSFBackupApplyNextChangeInfo(apply, 1, &byte, 1), ERR_VALUE_FLAGS);
    assert_status(NSFBackupApplyNextChangeInfo(apply, 0, NULL, 1), ERR_BAD_PARAM);
    assert_ok(NSFBackupApplyNextChangeInfo(apply, 0, NULL, 0));
    assert_status(NSFBackupEndApplyChangeInfo(apply, 2), ERR_VALUE_FLAGS);
    assert_ok(NSFBackupEndApplyChangeInfo(apply, APPLYEND_ABORT));
    assert_status(
        NSFBackupEndApplyChangeInfo(apply, APPLYEND_ABORT), ERR_INVALID_CHANGE_INFO_CONTEXT);
    assert_status(
        NSFBackupApplyNextChangeInfo(apply, 0, &byte, 1), ERR_INVALID_CHANGE_INFO_CONTEXT);
    assert_ok(apply_stream("copy", &made.stream, 4000));
    expect_start(&made.backup, "copy");
    done(&made);
}

static void a_file_that_is_no_copy_is_refused(void **state)
{
    char none[] = "none", text[] = "text", live[] = "data/a.nsf";
    DHANDLE apply;

    (void)state;
    DBHANDLE db = open_db("a");
    cwd_file("text", "no database");
    assert_status(NSFBackupStartApplyChangeInfo(&apply, none, 0, 100, 0), ERR_NOEXIST);
    assert_int_equal(apply, NULLHANDLE);
    assert_status(NSFBackupStartApplyChangeInfo(&apply, text, 0, 100, 0), ERR_NOT_NSF);
    assert_status(NSFBackupStartApplyChangeInfo(&apply, live, 0, 100, 0), ERR_NSF_IN_USE);
    assert_int_equal(symlink("data/a.nsf", "link"), 0);
    assert_status(
        NSFBackupStartApplyChangeInfo(&apply, strcpy(text, "link"), 0, 100, 0), ERR_NSF_IN_USE);
    assert_status(NSFBackupStartApplyChangeInfo(&apply, NULL, 0, 100, 0), ERR_BAD_PARAM);
    assert_status(NSFBackupStartApplyChangeInfo(NULL, none, 0, 100, 0), ERR_BAD_PARAM);
    assert_status(NSFBackupStartApplyChangeInfo(&apply, none, 1, 100, 0), ERR_VALUE_FLAGS);
    close_db(db);
}

/* ---- wrong change information ---- */

static void damaged_change_information_is_refused_at_every_place(void **state)
{
    (void)state;
    made_backup made = make();
    char elsewhere[MAXPATH];
    assert_non_null(getcwd(elsewhere, sizeof elsewhere - 10));
    strcat(elsewhere, "/copy.nsf");
    copy_file("copy", "copy.nsf");
    for (size_t at = 0; at < made.stream.size; at += 1 + made.stream.size / 97) {
        made.stream.bytes[at] ^= 0x04;
        assert_status(apply_stream("copy.nsf", &made.stream, 3000), ERR_CORRUPT_CHANGE_INFO);
        made.stream.bytes[at] ^= 0x04;
        assert_status(try_open(elsewhere), ERR_RM_OPEN_BACKUP);
    }
    assert_ok(apply_stream("copy.nsf", &made.stream, 3000));
    expect_start(&made.backup, "copy.nsf");
    done(&made);
}

static void a_part_of_the_change_information_is_not_enough(void **state)
{
    char copy[] = "copy";
    DHANDLE apply;

    (void)state;
    made_backup made = make();
    size_t size = made.stream.size;
    for (made.stream.size = 0; made.stream.size < size; made.stream.size += 1 + size / 31) {
        assert_status(apply_stream("copy", &made.stream, 3000), ERR_CORRUPT_CHANGE_INFO);
        assert_ok(NSFBackupStartApplyChangeInfo(&apply, copy, 0, (DWORD)size, 0));
        if (made.stream.size > 0) {
            assert_ok(NSFBackupApplyNextChangeInfo(
                apply, 0, (char *)made.stream.bytes, (DWORD)made.stream.size));
        }
        assert_status(NSFBackupEndApplyChangeInfo(apply, 0), ERR_CORRUPT_CHANGE_INFO);
    }
    made.stream.size = size;
    assert_ok(apply_stream("copy", &made.stream, 3000));
    expect_start(&made.backup, "copy");
    done(&made);
}

static void more_than_was_announced_is_refused_and_stays_so(void **state)
{
    char copy[] = "copy";
    DHANDLE apply;

    (void)state;
    made_backup made = make();
    char *bytes = (char *)made.stream.bytes;
    DWORD size = (DWORD)made.stream.size;
    assert_ok(NSFBackupStartApplyChangeInfo(&apply, copy, 0, size, 0));
    assert_ok(NSFBackupApplyNextChangeInfo(apply, 0, bytes, size));
    assert_status(NSFBackupApplyNextChangeInfo(apply, 0, bytes, 1), ERR_CORRUPT_CHANGE_INFO);
    assert_status(NSFBackupApplyNextChangeInfo(apply, 0, bytes, 0), ERR_CORRUPT_CHANGE_INFO);
    assert_status(NSFBackupEndApplyChangeInfo(apply, 0), ERR_CORRUPT_CHANGE_INFO);
    assert_status(NSFBackupEndApplyChangeInfo(apply, 0), ERR_INVALID_CHANGE_INFO_CONTEXT);
    assert_ok(apply_stream("copy", &made.stream, 4096));
    expect_start(&made.backup, "copy");
    done(&made);
}

static void pieces_out_of_order_or_twice_are_refused(void **state)
{
    enum { PIECE = 4000 };
    char copy[] = "copy";
    DHANDLE apply;

    (void)state;
    made_backup made = make();
    char *bytes = (char *)made.stream.bytes;
    DWORD size = (DWORD)made.stream.size;
    for (int twice = 0; twice < 2; twice++) {
        STATUS status = NOERROR;

        assert_ok(NSFBackupStartApplyChangeInfo(&apply, copy, 0, size, 0));
        assert_ok(NSFBackupApplyNextChangeInfo(apply, 0, bytes, PIECE));
        for (DWORD at = twice ? 0 : 2 * PIECE; at + PIECE <= size && status == NOERROR;) {
            status = NSFBackupApplyNextChangeInfo(apply, 0, bytes + at, PIECE);
            at += PIECE;
        }
        STATUS end = NSFBackupEndApplyChangeInfo(apply, 0);
        assert_status(status == NOERROR ? end : status, ERR_CORRUPT_CHANGE_INFO);
    }
    assert_ok(apply_stream("copy", &made.stream, PIECE));
    expect_start(&made.backup, "copy");
    done(&made);
}

static void change_information_of_another_backup_is_refused(void **state)
{
    (void)state;
    made_backup yesterday = make(), today = yesterday;
    make_from(&today, "today");
    assert_status(apply_stream("copy", &today.stream, 4000), ERR_CORRUPT_CHANGE_INFO);
    assert_status(apply_stream("today", &yesterday.stream, 4000), ERR_CORRUPT_CHANGE_INFO);
    assert_ok(apply_stream("copy", &yesterday.stream, 4000));
    expect_start(&yesterday.backup, "copy");
    assert_ok(apply_stream("today", &today.stream, 4000));
    expect_start(&today.backup, "today");

    DBHANDLE b = open_db("b");
    add_note(b, "of another database");
    test_backup other = start_backup(b, "data/b.nsf");
    copy_file("data/b.nsf", "other");
    assert_ok(NSFBackupEnd(b, other.context, 0));
    assert_status(apply_stream("other", &today.stream, 4000), ERR_CORRUPT_CHANGE_INFO);
    end_backup(&other);
    close_db(b);
    forget(&today);
    done(&yesterday);
}

/* ---- which copies open ---- */

static void a_copy_without_its_change_information_does_not_open(void **state)
{
    char elsewhere[MAXPATH];
    file_image nothing = {NULL, 0};

    (void)state;
    made_backup made = make();
    copy_file("copy", "data/raw.nsf");
    assert_status(try_open("raw"), ERR_RM_OPEN_BACKUP);
    assert_status(try_open("raw"), ERR_RM_OPEN_BACKUP);
    assert_non_null(getcwd(elsewhere, sizeof elsewhere - 10));
    strcat(elsewhere, "/copy");
    assert_status(try_open(elsewhere), ERR_NOEXIST); /* copy.nsf */
    copy_file("copy", "copy.nsf");
    assert_status(try_open(elsewhere), ERR_RM_OPEN_BACKUP);
    assert_status(apply_stream("copy", &nothing, 1), ERR_CORRUPT_CHANGE_INFO);

    /* In the place of the database that it is of, while that is closed. */
    close_db(made.db);
    copy_file("data/a.nsf", "live");
    copy_file("copy", "data/a.nsf");
    assert_status(try_open("a"), ERR_RM_OPEN_BACKUP);
    copy_file("live", "data/a.nsf");
    made.db = open_db("a");
    assert_int_equal(count_notes(made.db), 20);

    assert_ok(apply_stream("data/raw.nsf", &made.stream, 4000));
    assert_ok(try_open("raw"));
    done(&made);
}

static void an_applied_copy_opens_anywhere_with_its_notes(void **state)
{
    char elsewhere[MAXPATH];

    (void)state;
    made_backup made = make();
    assert_ok(apply_stream("copy", &made.stream, 4000));
    copy_file("copy", "data/b.nsf");
    copy_file("copy", "else.nsf");
    assert_non_null(getcwd(elsewhere, sizeof elsewhere - 10));
    const char *paths[] = {"b", strcat(elsewhere, "/else")};
    for (int i = 0; i < 2; i++) {
        static char text[1001];
        DBHANDLE db;

        memset(text, 'a', 1000);
        assert_ok(NSFDbOpen(paths[i], &db));
        assert_int_equal(count_notes(db), 20);
        for (unsigned n = 0; n < 20; n++) {
            expect_note(db, made.first + n * RRV_ALIGNMENT, text);
        }
        add_note(db, "an ordinary database again");
        close_db(db);
        assert_ok(try_open(paths[i]));
    }
    done(&made);
}

static void change_information_is_applied_in_another_program(void **state)
{
    (void)state;
    made_backup made = make();
    close_db(made.db);
    restart("");
    assert_ok(apply_stream("copy", &made.stream, 30));
    expect_start(&made.backup, "copy");
    forget(&made);
}

/* ---- when the disk fails ---- */

static void a_disk_that_fails_is_told_and_the_copy_can_be_tried_again(void **state)
{
    unsigned failures = 0;

    (void)state;
    made_backup made = make();
    for (uint64_t nth = 1; nth < 100; nth++) {
        fault_fail_nth(test_vfs(),
            FAULT_BIT(FAULT_WRITE) | FAULT_BIT(FAULT_FSYNC) | FAULT_BIT(FAULT_TRUNCATE), "copy",
            nth);
        STATUS status = apply_stream("copy", &made.stream, 9000);
        bool fired = fault_injected(test_vfs()) > 0;

        fault_heal(test_vfs());
        if (!fired) {
            assert_ok(status);
            break;
        }
        assert_status(status, ERR_IOERROR);
        failures++;
    }
    assert_true(failures > 2);
    assert_ok(apply_stream("copy", &made.stream, 9000));
    expect_start(&made.backup, "copy");
    done(&made);
}

static const struct CMUnitTest tests[] = {
    TEST(a_context_of_application_ends_once),
    TEST(a_file_that_is_no_copy_is_refused),
    TEST(damaged_change_information_is_refused_at_every_place),
    TEST(a_part_of_the_change_information_is_not_enough),
    TEST(more_than_was_announced_is_refused_and_stays_so),
    TEST(pieces_out_of_order_or_twice_are_refused),
    TEST(change_information_of_another_backup_is_refused),
    TEST(a_copy_without_its_change_information_does_not_open),
    TEST(an_applied_copy_opens_anywhere_with_its_notes),
    TEST(change_information_is_applied_in_another_program),
    TEST(a_disk_that_fails_is_told_and_the_copy_can_be_tried_again),
};
TEST_MAIN(tests)
