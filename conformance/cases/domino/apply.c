/* Applying change information: in any pieces, again, later, and given up in the middle. */
#include "domino_cases.h"
#include "domino_support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

enum { NOTES = 20 };

/* A copy that mixes states, its change information, and the backup that they are of, ended. */
static dom_backup mixed_copy(dom_db *db, const char *copy, dom_bytes *stream)
{
    dom_backup b = dom_backup_start(db);
    dom_bytes half = dom_read_head(db->path, b.size / 2);

    dom_update_all(db, 700);
    dom_expect(dom_flush(db), "flush");
    dom_bytes late = dom_read_head(db->path, b.size);
    memcpy(late.data, half.data, half.size);
    dom_write_file(copy, late);
    *stream = dom_finish(&b);
    if (stream->size < 100) {
        hp_unresolved("nothing was recorded");
    }
    dom_free(&half);
    dom_free(&late);
    return b;
}

static void end_all(dom_db *db, dom_backup *b, dom_bytes *stream)
{
    dom_free(stream);
    dom_backup_free(b);
    dom_db_end(db);
    dom_end_program();
}

/* Begin, everything, end: the copy is the database at the start. */
static void the_whole_change_information_makes_a_copy_the_database_at_the_start(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_bytes stream;
    dom_backup b = mixed_copy(db, "copy.nsf", &stream);
    DHANDLE context = NULLHANDLE;
    char path[] = "copy.nsf";

    hp_promise(HP_DOM_APPLY_START);
    assert_int_equal(
        NSFBackupStartApplyChangeInfo(&context, path, 0, (DWORD)stream.size, 0), NOERROR);
    assert_int_not_equal(context, NULLHANDLE);
    hp_promise(HP_DOM_APPLY_END);
    assert_int_equal(dom_apply_next(context, stream.data, stream.size), NOERROR);
    assert_int_equal(NSFBackupEndApplyChangeInfo(context, 0), NOERROR);
    dom_assert_is_image("copy.nsf", &b);
    dom_assert_holds("copy.nsf", &b);
    end_all(db, &b, &stream);
}

/* The sample does not ask whether there is anything to apply. */
static void change_information_of_no_bytes_can_be_applied(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);
    if (stream.size != 0) {
        hp_unsupported("change information that changes nothing is not empty here");
    }

    hp_promise(HP_DOM_APPLY_START_EMPTY);
    uint32_t context = dom_apply_start("copy.nsf", 0);
    assert_int_equal(dom_apply_next(context, "", 0), NOERROR);
    assert_int_equal(dom_apply_end(context), NOERROR);
    dom_assert_is_image("copy.nsf", &b);
    dom_assert_holds("copy.nsf", &b);
    end_all(db, &b, &stream);
}

/* The pieces in which it was fetched need not be those in which it is handed over. */
static void the_change_information_can_be_applied_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 13, 100, 4095, 4097, 32768, 1 << 26};
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_bytes stream;
    dom_backup b = mixed_copy(db, "raw.nsf", &stream);

    hp_promise(HP_DOM_APPLY_ANY_CHUNK);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        dom_copy_head("raw.nsf", "copy.nsf", dom_file_size("raw.nsf"));
        uint32_t context = dom_apply_start("copy.nsf", stream.size);
        for (size_t done = 0; done < stream.size; done += sizes[i]) {
            size_t left = stream.size - done;

            dom_expect(dom_apply_next(context, stream.data + done, min(left, sizes[i])),
                "NSFBackupApplyNextChangeInfo");
        }
        assert_int_equal(dom_apply_end(context), NOERROR);
        dom_assert_is_image("copy.nsf", &b);
    }
    end_all(db, &b, &stream);
}

/* The sample's last piece is empty; an empty one may come earlier, too. */
static void an_empty_piece_is_accepted_anywhere(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_bytes stream;
    dom_backup b = mixed_copy(db, "copy.nsf", &stream);
    uint32_t context = dom_apply_start("copy.nsf", stream.size);

    hp_promise(HP_DOM_APPLY_EMPTY_CHUNK);
    for (size_t done = 0; done < stream.size; done += 1000) {
        assert_int_equal(dom_apply_next(context, stream.data + done, 0), NOERROR);
        assert_int_equal(
            dom_apply_next(context, stream.data + done, min(1000, stream.size - done)), NOERROR);
    }
    assert_int_equal(dom_apply_next(context, stream.data, 0), NOERROR);
    assert_int_equal(dom_apply_next(context, stream.data, 0), NOERROR);
    assert_int_equal(dom_apply_end(context), NOERROR);
    dom_assert_is_image("copy.nsf", &b);
    end_all(db, &b, &stream);
}

/* No copy, no application. */
static void a_copy_that_does_not_exist_is_an_error_and_is_not_created(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    char missing[] = "missing.nsf", below[] = "nowhere/copy.nsf";
    DHANDLE context = NULLHANDLE;

    hp_promise(HP_DOM_APPLY_START_MISSING);
    assert_int_not_equal(NSFBackupStartApplyChangeInfo(&context, missing, 0, 1000, 0), NOERROR);
    assert_int_not_equal(NSFBackupStartApplyChangeInfo(&context, missing, 0, 0, 0), NOERROR);
    assert_int_not_equal(NSFBackupStartApplyChangeInfo(&context, below, 0, 1000, 0), NOERROR);
    assert_int_not_equal(access(missing, F_OK), 0);
    dom_end_program();
}

/* Each flag of each call; the application goes on. */
static void a_reserved_flag_of_an_application_is_refused(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_bytes stream;
    dom_backup b = mixed_copy(db, "copy.nsf", &stream);
    char path[] = "copy.nsf";
    DHANDLE none = NULLHANDLE;

    for (DWORD flag = 1; flag != 0; flag <<= 1) {
        hp_promise(HP_DOM_APPLY_START_FLAGS);
        assert_int_not_equal(
            NSFBackupStartApplyChangeInfo(&none, path, flag, (DWORD)stream.size, 0), NOERROR);
    }
    uint32_t context = dom_apply_start(path, stream.size);
    for (DWORD flag = 1; flag != 0; flag <<= 1) {
        hp_promise(HP_DOM_APPLY_NEXT_FLAGS);
        assert_int_not_equal(
            NSFBackupApplyNextChangeInfo(context, flag, (char *)stream.data, (DWORD)stream.size),
            NOERROR);
        hp_promise(HP_DOM_APPLY_END_FLAGS);
        assert_true(
            flag == APPLYEND_ABORT || NSFBackupEndApplyChangeInfo(context, flag) != NOERROR);
    }
    assert_int_equal(dom_apply_next(context, stream.data, stream.size), NOERROR);
    assert_int_equal(dom_apply_end(context), NOERROR);
    dom_assert_is_image(path, &b);
    end_all(db, &b, &stream);
}

/* The sample's error paths: given up before the first piece, in the middle, after the last. */
static void an_aborted_application_can_be_repeated_from_the_beginning(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_bytes stream;
    dom_backup b = mixed_copy(db, "copy.nsf", &stream);

    for (unsigned i = 0; i <= 12; i++) {
        size_t given = stream.size * i / 12;
        uint32_t context = dom_apply_start("copy.nsf", stream.size);

        hp_promise(HP_DOM_APPLY_END_ABORT);
        assert_int_equal(dom_apply_next(context, stream.data, given), NOERROR);
        assert_int_equal(NSFBackupEndApplyChangeInfo(context, APPLYEND_ABORT), NOERROR);
        hp_promise(HP_DOM_APPLY_NEVER_GOOD);
        dom_assert_not_mistaken("copy.nsf", &b);
    }
    hp_promise(HP_DOM_APPLY_AFTER_ABORT);
    assert_int_equal(dom_apply("copy.nsf", stream), NOERROR);
    dom_assert_is_image("copy.nsf", &b);
    dom_assert_holds("copy.nsf", &b);
    end_all(db, &b, &stream);
}

/* A restore that was interrupted is repeated; nobody knows how far it had come. */
static void the_same_change_information_applied_again_gives_the_same_bytes(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_bytes stream;
    dom_backup b = mixed_copy(db, "copy.nsf", &stream);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_bytes once = dom_read_file("copy.nsf");

    hp_promise(HP_DOM_APPLY_AGAIN);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(dom_apply("copy.nsf", stream), NOERROR);
        dom_bytes again = dom_read_file("copy.nsf");
        assert_true(dom_equal(once, again));
        dom_free(&again);
    }
    dom_assert_is_image("copy.nsf", &b);
    dom_assert_holds("copy.nsf", &b);
    dom_free(&once);
    end_all(db, &b, &stream);
}

/* What an ended application holds open nobody can close. */
static void an_ended_application_leaves_no_descriptor_open(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_bytes stream;
    dom_backup b = mixed_copy(db, "copy.nsf", &stream);
    dom_bytes damaged = dom_bytes_copy(stream);
    damaged.data[damaged.size / 2] ^= 1;
    (void)dom_apply("copy.nsf", damaged); /* what is opened once and kept is not a leak */
    unsigned before = dom_open_descriptors();

    hp_promise(HP_DOM_APPLY_FREES);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(dom_apply("copy.nsf", stream), NOERROR);
        assert_int_not_equal(dom_apply("copy.nsf", damaged), NOERROR);
        dom_apply_abort(dom_apply_start("copy.nsf", stream.size));
        uint32_t context = dom_apply_start("copy.nsf", stream.size);
        assert_int_not_equal(dom_apply_end(context), NOERROR);
    }
    assert_int_equal(dom_open_descriptors(), before);
    dom_free(&damaged);
    end_all(db, &b, &stream);
}

/* Tonight's program: it backs up, stores copy and change information, and is gone. */
static void back_up_and_store(void)
{
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_bytes stream;
    dom_backup b = mixed_copy(db, "copy.nsf", &stream);

    dom_write_file("copy.DELTA", stream);
    dom_write_file("image", b.image);
    dom_write_file("account", (dom_bytes){.data = (void *)&b.account, .size = sizeof b.account});
    end_all(db, &b, &stream);
}

/* Next month's program has the stored files and nothing else: the data directory is another. */
static void stored_change_information_is_applied_by_another_process(void **state)
{
    (void)state;
    int how = 0;
    pid_t child = fork();

    if (child == 0) {
        back_up_and_store();
        _exit(0);
    }
    if (child < 0 || waitpid(child, &how, 0) != child || how != 0) {
        hp_unresolved("the process that backs up did not end well");
    }
    dom_begin_program_in("elsewhere", NULL);
    dom_bytes stream = dom_read_file("copy.DELTA"), account = dom_read_file("account");
    dom_backup b = {.image = dom_read_file("image")};
    memcpy(&b.account, account.data, sizeof b.account);

    hp_promise(HP_DOM_APPLY_LATER);
    assert_int_equal(dom_apply("copy.nsf", stream), NOERROR);
    dom_assert_is_image("copy.nsf", &b);
    dom_assert_holds("copy.nsf", &b);
    dom_free(&account);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_end_program();
}

/* The day for which backups are made: the database is lost, and the backup takes its place. */
static void a_backup_put_in_the_place_of_the_lost_database_holds_its_notes(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_bytes stream;
    dom_backup b = mixed_copy(db, "copy.nsf", &stream);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_db_close(db);
    dom_need(NSFDbDelete(db->name), "NSFDbDelete");
    dom_copy_head("copy.nsf", db->path, dom_file_size("copy.nsf"));

    hp_promise(HP_DOM_CONSISTENT_LOGICAL);
    dom_db_open(db);
    dom_assert_notes(db->handle, &b.account);
    memcpy(db->notes, b.account.notes, sizeof db->notes);
    db->count = b.account.count;
    dom_assert_usable(db);
    end_all(db, &b, &stream);
}

/* A backup that was opened and used is somebody's data: before-images would destroy it. */
static void change_information_is_refused_by_a_backup_that_was_opened_and_updated(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_bytes stream;
    dom_backup b = mixed_copy(db, "copy.nsf", &stream);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_db used = b.account;
    char *path = dom_absolute("copy.nsf");
    DBHANDLE handle = NULLHANDLE;
    dom_expect(NSFDbOpen(path, &handle), "open the backup");
    used.handle = handle;
    dom_update_all(&used, 900);
    dom_expect(NSFDbClose(handle), "NSFDbClose");

    hp_promise(HP_DOM_OPENED_COPY);
    DHANDLE context = NULLHANDLE;
    STATUS status = NSFBackupStartApplyChangeInfo(&context, path, 0, (DWORD)stream.size, 0);
    if (status == NOERROR) {
        status = dom_apply_next(context, stream.data, stream.size);
        STATUS ended = dom_apply_end(context);
        status = status == NOERROR ? ended : status;
    }
    assert_int_equal(ERR(status), ERR_CORRUPT_CHANGE_INFO);
    dom_expect(NSFDbOpen(path, &handle), "open it again");
    dom_assert_notes(handle, &used);
    dom_expect(NSFDbClose(handle), "NSFDbClose");
    free(path);
    end_all(db, &b, &stream);
}

const hp_case dom_apply_cases[] = {
    HP_CASE(the_whole_change_information_makes_a_copy_the_database_at_the_start, HP_DOM_APPLY_START,
        HP_DOM_APPLY_END),
    HP_CASE(change_information_of_no_bytes_can_be_applied, HP_DOM_APPLY_START_EMPTY),
    HP_CASE(the_change_information_can_be_applied_in_pieces_of_any_size, HP_DOM_APPLY_ANY_CHUNK),
    HP_CASE(an_empty_piece_is_accepted_anywhere, HP_DOM_APPLY_EMPTY_CHUNK),
    HP_CASE(a_copy_that_does_not_exist_is_an_error_and_is_not_created, HP_DOM_APPLY_START_MISSING),
    HP_CASE(a_reserved_flag_of_an_application_is_refused, HP_DOM_APPLY_START_FLAGS,
        HP_DOM_APPLY_NEXT_FLAGS, HP_DOM_APPLY_END_FLAGS),
    HP_CASE(an_aborted_application_can_be_repeated_from_the_beginning, HP_DOM_APPLY_END_ABORT,
        HP_DOM_APPLY_NEVER_GOOD, HP_DOM_APPLY_AFTER_ABORT),
    HP_CASE(the_same_change_information_applied_again_gives_the_same_bytes, HP_DOM_APPLY_AGAIN),
    HP_CASE(an_ended_application_leaves_no_descriptor_open, HP_DOM_APPLY_FREES),
    HP_CASE(stored_change_information_is_applied_by_another_process, HP_DOM_APPLY_LATER),
    HP_CASE(
        a_backup_put_in_the_place_of_the_lost_database_holds_its_notes, HP_DOM_CONSISTENT_LOGICAL),
    HP_CASE(
        change_information_is_refused_by_a_backup_that_was_opened_and_updated, HP_DOM_OPENED_COPY),
    HP_CASE_END,
};
