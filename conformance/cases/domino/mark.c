/* NSFBackupSetHighWaterMark: what need not be recorded, and what must be all the same. */
#include "domino_cases.h"
#include "domino_support.h"

#include <string.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

enum { NOTES = 30 };

/* Updates everything and brings it to the file. */
static void change(dom_db *db, unsigned size)
{
    dom_update_all(db, size);
    dom_expect(dom_flush(db), "flush");
}

/* Copies bytes [from, to) of the file as they are now. */
static void copy_range(const dom_backup *b, dom_bytes copy, uint64_t from, uint64_t to)
{
    dom_bytes now = dom_read_head(b->db->path, b->size);

    memcpy(copy.data + from, now.data + from, (size_t)(to - from));
    dom_free(&now);
}

/* Ends the backup, applies its change information to the copy and compares. */
static void assert_becomes_image(dom_backup *b, dom_bytes copy)
{
    dom_bytes stream = dom_finish(b);

    dom_write_file("copy.nsf", copy);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", b);
    dom_assert_holds("copy.nsf", b);
    dom_free(&stream);
    dom_backup_free(b);
}

/* A tool tells how far it is as often as it likes. */
static void a_mark_is_accepted_at_any_offset_during_a_backup(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);

    hp_promise(HP_DOM_MARK);
    for (uint64_t mark = 0; mark <= b.size; mark += 1 + b.size / 50) {
        dom_mark(&b, mark);
        dom_mark(&b, mark);
    }
    dom_mark(&b, b.size);
    dom_backup_abort(&b);
    dom_db_end(db);
    dom_end_program();
}

/* The way of the documentation: copy a piece, raise the mark, and so on, while everything changes.
 */
static void a_sequential_copy_with_its_mark_after_each_piece_is_restored(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_bytes copy = dom_bytes_new((size_t)b.size);

    for (uint64_t at = 0, step = b.size / 11 + 1; at < b.size; at += step) {
        uint64_t to = at + step < b.size ? at + step : b.size;

        copy_range(&b, copy, at, to);
        dom_mark(&b, to);
        change(db, 300 + (unsigned)(at % 700));
    }
    hp_promise(HP_DOM_MARK_SEQUENTIAL);
    assert_becomes_image(&b, copy);
    dom_free(&copy);
    dom_db_end(db);
    dom_end_program();
}

/* The sample reads a piece, raises the mark and writes the piece afterwards: what counts is what
 * was read. */
static void a_copy_without_marks_is_restored_though_everything_changed_twice(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_bytes copy = dom_bytes_new((size_t)b.size);

    change(db, 900);
    copy_range(&b, copy, b.size / 2, b.size);
    change(db, 200);
    copy_range(&b, copy, 0, b.size / 2);

    hp_promise(HP_DOM_MARK_OPTIONAL);
    assert_becomes_image(&b, copy);
    dom_free(&copy);
    dom_db_end(db);
    dom_end_program();
}

/* Size of the change information after the whole database changed, with a mark at `mark`. */
static uint64_t recorded_above(dom_db *db, uint64_t mark, bool all)
{
    dom_backup b = dom_backup_start(db);

    dom_mark(&b, all ? b.size : mark);
    change(db, 700);
    dom_backup_stop(&b);
    uint64_t size = dom_stream_size(&b);
    dom_backup_abort(&b);
    return size;
}

/* The whole purpose of a mark. */
static void what_changes_below_the_mark_is_not_recorded(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup idle = dom_backup_start(db);
    dom_backup_stop(&idle);
    uint64_t nothing = dom_stream_size(&idle);
    dom_backup_abort(&idle);

    uint64_t without = recorded_above(db, 0, false);
    uint64_t with = recorded_above(db, 0, true);
    hp_log("change information: %llu bytes without a mark, %llu with, %llu of an idle database",
        (unsigned long long)without, (unsigned long long)with, (unsigned long long)nothing);
    hp_promise(HP_DOM_MARK_SAVES);
    assert_true(with < without);
    assert_true(with <= nothing);
    dom_db_end(db);
    dom_end_program();
}

/* First the change, then the copy, then the mark: the copy holds new bytes below the mark, and the
 * old ones were recorded. They must come out. */
static void what_was_recorded_before_the_mark_passed_it_is_still_restored(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_bytes copy = dom_bytes_new((size_t)b.size);

    change(db, 800);
    copy_range(&b, copy, 0, b.size);
    assert_false(dom_equal(copy, b.image));
    dom_mark(&b, b.size);
    change(db, 300);

    hp_promise(HP_DOM_MARK_KEEPS_EARLIER);
    assert_becomes_image(&b, copy);
    dom_free(&copy);
    dom_db_end(db);
    dom_end_program();
}

/* Marks fall where reads end, not where pages do: the page that is cut in two by the mark changes
 * as a whole. */
static void of_a_page_that_the_mark_cuts_the_part_above_is_restored(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    for (unsigned i = 1; i < 16; i++) {
        dom_backup b = dom_backup_start(db);
        dom_bytes copy = dom_bytes_new((size_t)b.size);
        uint64_t mark = b.size * i / 16 + 61 * i;

        copy_range(&b, copy, 0, mark);
        dom_mark(&b, mark);
        change(db, 200 + 50 * i);
        copy_range(&b, copy, mark, b.size);

        hp_promise(HP_DOM_MARK_STRADDLED);
        assert_becomes_image(&b, copy);
        dom_free(&copy);
    }
    dom_db_end(db);
    dom_end_program();
}

/* A tool that starts over tells a lower mark; what it has read before is still good. */
static void a_lower_mark_is_accepted_and_passed_over(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_bytes copy = dom_bytes_new((size_t)b.size);

    copy_range(&b, copy, 0, b.size / 2);
    dom_mark(&b, b.size / 2);
    change(db, 600);
    hp_promise(HP_DOM_MARK_LOWERED);
    dom_mark(&b, b.size / 4);
    dom_mark(&b, 0);
    change(db, 200);
    copy_range(&b, copy, b.size / 2, b.size);
    assert_becomes_image(&b, copy);

    b = dom_backup_start(db);
    dom_mark(&b, b.size);
    dom_mark(&b, 0);
    change(db, 500);
    dom_backup_stop(&b);
    uint64_t lowered = dom_stream_size(&b);
    dom_backup_abort(&b);
    assert_int_equal(lowered, recorded_above(db, 0, true));
    dom_free(&copy);
    dom_db_end(db);
    dom_end_program();
}

/* A tool that copies what has been added since the start marks beyond the start's size. */
static void a_mark_beyond_the_end_means_that_all_was_copied(void **state)
{
    (void)state;
    static const uint64_t beyond[] = {1, 4096, (uint64_t)1 << 32, UINT64_MAX / 2};
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    uint64_t nothing = recorded_above(db, 0, true);

    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        dom_backup b = dom_backup_start(db);
        dom_bytes copy = dom_bytes_copy(b.image);

        hp_promise(HP_DOM_MARK_PAST_END);
        dom_mark(&b, b.size + beyond[i]);
        change(db, 600);
        dom_backup_stop(&b);
        assert_int_equal(dom_stream_size(&b), nothing);
        assert_becomes_image(&b, copy);
        dom_free(&copy);
    }
    dom_db_end(db);
    dom_end_program();
}

const hp_case dom_mark_cases[] = {
    HP_CASE(a_mark_is_accepted_at_any_offset_during_a_backup, HP_DOM_MARK),
    HP_CASE(a_sequential_copy_with_its_mark_after_each_piece_is_restored, HP_DOM_MARK_SEQUENTIAL),
    HP_CASE(a_copy_without_marks_is_restored_though_everything_changed_twice, HP_DOM_MARK_OPTIONAL),
    HP_CASE(what_changes_below_the_mark_is_not_recorded, HP_DOM_MARK_SAVES),
    HP_CASE(
        what_was_recorded_before_the_mark_passed_it_is_still_restored, HP_DOM_MARK_KEEPS_EARLIER),
    HP_CASE(of_a_page_that_the_mark_cuts_the_part_above_is_restored, HP_DOM_MARK_STRADDLED),
    HP_CASE(a_lower_mark_is_accepted_and_passed_over, HP_DOM_MARK_LOWERED),
    HP_CASE(a_mark_beyond_the_end_means_that_all_was_copied, HP_DOM_MARK_PAST_END),
    HP_CASE_END,
};
