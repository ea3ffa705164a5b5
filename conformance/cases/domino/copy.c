/* The copy: writers go on, readers are let in, and a copy is only what it is said to be. */
#include "domino_cases.h"
#include "domino_support.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

enum { NOTES = 20 };

/* Nobody has to wait for a backup: updates succeed, and the file shows them while it lasts. */
static void updates_go_on_during_a_backup_and_reach_the_file(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);

    hp_promise(HP_DOM_WRITES_GO_ON);
    dom_update_all(db, 800);
    dom_expect(dom_add_note(db, 400), "add a note");
    dom_expect(dom_delete_note(db, 3), "delete a note");
    dom_expect(dom_flush(db), "flush");
    dom_bytes now = dom_read_head(db->path, b.size);
    assert_false(dom_equal(now, b.image));
    dom_assert_notes(db->handle, db);

    dom_free(&now);
    dom_backup_abort(&b);
    dom_assert_notes(db->handle, db);
    dom_db_end(db);
    dom_end_program();
}

/* Any program can read the file: this one opens it anew for each read, as a stranger would. */
static void another_reader_can_open_the_file_during_a_backup(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);

    hp_promise(HP_DOM_SOURCE_SHARED);
    for (unsigned round = 0; round < 5; round++) {
        char byte[512];
        int fd = open(db->path, O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(pread(fd, byte, sizeof byte, (off_t)b.size / 2), sizeof byte);
        dom_update_all(db, 200 + 100 * round);
        dom_expect(dom_flush(db), "flush");
        (void)close(fd);
    }
    dom_backup_abort(&b);
    dom_db_end(db);
    dom_end_program();
}

/* The quiet night: there is nothing to be put right in the copy. */
static void without_updates_the_copy_alone_is_the_database_at_the_start(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);

    hp_promise(HP_DOM_UNCHANGED_COPY);
    dom_assert_is_image("copy.nsf", &b);
    hp_promise(HP_DOM_UNCHANGED_STREAM);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_assert_holds("copy.nsf", &b);

    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* The same, with the application left out: what does not mix states may be opened. */
static void a_raw_copy_opens_if_nothing_changed_while_it_was_made(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);

    hp_promise(HP_DOM_RAW_COPY_UNCHANGED);
    dom_assert_holds("copy.nsf", &b);

    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* Copies the first half now and the second after `db` was updated, so that it mixes two states. */
static void copy_in_two_states(const dom_backup *b, const char *path)
{
    dom_db *db = b->db;
    dom_bytes early = dom_read_head(db->path, b->size);

    dom_update_all(db, 600);
    dom_expect(dom_flush(db), "flush");
    dom_bytes late = dom_read_head(db->path, b->size);
    assert_false(dom_equal(early, late));
    memcpy(late.data, early.data, early.size / 2);
    dom_write_file(path, late);
    dom_free(&early);
    dom_free(&late);
}

/* Who forgets to apply the change information must learn it, at the latest when he opens the copy.
 */
static void a_raw_copy_that_mixes_states_is_refused_when_it_is_opened(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    copy_in_two_states(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);

    hp_promise(HP_DOM_RAW_COPY_REFUSED);
    assert_int_not_equal(dom_try_open("copy.nsf"), NOERROR);
    assert_int_not_equal(dom_try_open("copy.nsf"), NOERROR); /* the first time changed nothing */
    hp_promise(HP_DOM_RAW_COPY_CODE);
    assert_int_equal(ERR(dom_try_open("copy.nsf")), ERR_RM_OPEN_BACKUP);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_assert_holds("copy.nsf", &b);

    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* A copy of which every byte is later than the start is no state of the database either: what was
 * updated while it was read is missing or not, page by page. */
static void a_raw_copy_of_a_later_state_is_refused_when_it_is_opened(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 600);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);

    hp_promise(HP_DOM_RAW_COPY_REFUSED);
    assert_true(stream.size > 0);
    assert_int_not_equal(dom_try_open("copy.nsf"), NOERROR);

    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* Counters go up all the time; in the backup they stand as they stood. */
static void bytes_written_several_times_get_their_value_at_the_start_back(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_bytes once = {0};

    for (unsigned round = 0; round < 8; round++) {
        dom_update_all(db, 500);
        dom_expect(dom_flush(db), "flush");
    }
    dom_copy(&b, "copy.nsf");
    for (unsigned round = 0; round < 8; round++) {
        dom_update_all(db, 500);
        dom_expect(dom_flush(db), "flush");
    }
    once = dom_finish(&b);

    hp_promise(HP_DOM_CONSISTENT_FIRST_IMAGE);
    dom_expect(dom_apply("copy.nsf", once), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_assert_holds("copy.nsf", &b);

    dom_free(&once);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* Two tools need not make the same copy: an early and a late one become the same file. */
static void an_early_and_a_late_copy_become_the_same_backup(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);

    dom_copy(&b, "early.nsf");
    dom_update_all(db, 500);
    dom_expect(dom_flush(db), "flush");
    dom_update_all(db, 1500);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "late.nsf");
    dom_bytes stream = dom_finish(&b);

    hp_promise(HP_DOM_CONSISTENT);
    dom_expect(dom_apply("early.nsf", stream), "apply to the early copy");
    dom_expect(dom_apply("late.nsf", stream), "apply to the late copy");
    dom_assert_is_image("early.nsf", &b);
    dom_bytes early = dom_read_file("early.nsf"), late = dom_read_file("late.nsf");
    assert_true(dom_equal(early, late));

    dom_free(&early);
    dom_free(&late);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* After the stop the copy is finished, and what happens to the database is no longer its business.
 */
static void updates_after_the_stop_do_the_finished_copy_no_harm(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_expect(dom_update_note(db, 0, 200), "update one note");
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_backup_stop(&b);
    uint64_t size = dom_stream_size(&b);

    for (unsigned i = 0; i < 30; i++) {
        dom_expect(dom_add_note(db, 4000), "add a note");
    }
    dom_update_all(db, 2500);
    dom_expect(dom_flush(db), "flush");

    hp_promise(HP_DOM_STOP);
    assert_int_equal(dom_stream_size(&b), size);
    dom_bytes stream = dom_read_stream(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

const hp_case dom_copy_cases[] = {
    HP_CASE(updates_go_on_during_a_backup_and_reach_the_file, HP_DOM_WRITES_GO_ON),
    HP_CASE(another_reader_can_open_the_file_during_a_backup, HP_DOM_SOURCE_SHARED),
    HP_CASE(without_updates_the_copy_alone_is_the_database_at_the_start, HP_DOM_UNCHANGED_COPY,
        HP_DOM_UNCHANGED_STREAM),
    HP_CASE(a_raw_copy_opens_if_nothing_changed_while_it_was_made, HP_DOM_RAW_COPY_UNCHANGED),
    HP_CASE(a_raw_copy_that_mixes_states_is_refused_when_it_is_opened, HP_DOM_RAW_COPY_REFUSED,
        HP_DOM_RAW_COPY_CODE),
    HP_CASE(a_raw_copy_of_a_later_state_is_refused_when_it_is_opened, HP_DOM_RAW_COPY_REFUSED),
    HP_CASE(bytes_written_several_times_get_their_value_at_the_start_back,
        HP_DOM_CONSISTENT_FIRST_IMAGE),
    HP_CASE(an_early_and_a_late_copy_become_the_same_backup, HP_DOM_CONSISTENT),
    HP_CASE(updates_after_the_stop_do_the_finished_copy_no_harm, HP_DOM_STOP),
    HP_CASE_END,
};
