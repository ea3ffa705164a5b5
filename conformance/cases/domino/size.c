/* Sizes: databases that grow during their backup, and one of more than 4 GiB. */
#include "domino_cases.h"
#include "domino_support.h"

#include <string.h>
#include <unistd.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

enum { NOTES = 20, PAGE = 4096 };

/* Beyond what one word can count, and not a multiple of what it can. */
static const uint64_t five_gib = ((uint64_t)5 << 30) + 3 * PAGE;

/* Adds notes until the file is half as large again. */
static void grow(dom_db *db, uint64_t size)
{
    for (unsigned i = 0; i < 120 && dom_file_size(db->path) < size + size / 2; i++) {
        dom_expect(dom_add_note(db, 9000), "add a note");
        dom_expect(dom_flush(db), "flush");
    }
    if (dom_file_size(db->path) <= size) {
        hp_unresolved("the database's file does not grow");
    }
}

static void assert_restored(dom_backup *b, const char *copy)
{
    dom_bytes stream = dom_finish(b);

    dom_expect(dom_apply(copy, stream), "apply the change information");
    dom_assert_is_image(copy, b);
    dom_assert_holds(copy, b);
    dom_free(&stream);
    dom_backup_free(b);
}

/* What a database becomes longer by did not exist at the start: it need not be copied. */
static void a_database_that_grows_is_restored_from_a_copy_of_the_start_size(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);

    dom_update_all(db, 2000);
    grow(db, b.size);
    dom_copy(&b, "copy.nsf");
    hp_promise(HP_DOM_CONSISTENT_GROWTH);
    assert_restored(&b, "copy.nsf");
    dom_db_end(db);
    dom_end_program();
}

/* cp takes the file as long as it is by then; the backup is as long as it was. */
static void a_copy_that_took_the_growth_along_is_cut_to_the_start_size(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);

    dom_update_all(db, 2000);
    grow(db, b.size);
    dom_copy_head(db->path, "copy.nsf", dom_file_size(db->path));
    hp_promise(HP_DOM_CONSISTENT_GROWTH);
    assert_restored(&b, "copy.nsf");
    dom_db_end(db);
    dom_end_program();
}

/* The next backup starts from the grown database. */
static void the_next_backup_of_a_grown_database_has_its_new_size(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    uint64_t before = b.size;
    grow(db, b.size);
    dom_backup_abort(&b);

    b = dom_backup_start(db);
    hp_promise(HP_DOM_START_SIZE);
    assert_int_equal(b.size, dom_file_size(db->path));
    assert_true(b.size > before);
    dom_copy(&b, "copy.nsf");
    hp_promise(HP_DOM_CONSISTENT_GROWTH);
    assert_restored(&b, "copy.nsf");
    dom_db_end(db);
    dom_end_program();
}

/* A database that is mostly a hole, so that it needs no room. */
static dom_db *large_database(void)
{
    dom_db *db = dom_db_new("large.nsf", NOTES);

    dom_db_close(db);
    dom_set_size(db->path, five_gib);
    dom_db_open(db);
    return db;
}

/* Starts without reading the whole file: its head is the image. */
static dom_backup start_large(dom_db *db, uint64_t head)
{
    dom_backup b = {.db = db, .account = *db};
    DHANDLE context = NULLHANDLE;
    DWORD low = 0, high = 0;

    dom_expect(NSFBackupStart(db->handle, 0, &context, &low, &high), "NSFBackupStart");
    b.context = context;
    b.size = (uint64_t)high << 32 | low;
    b.image = dom_read_head(db->path, head);
    return b;
}

/* 5 GiB are one 4 GiB and the rest: the words of the size say so. */
static void the_size_of_a_database_of_5_GiB_is_split_into_low_and_high_words(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = large_database();
    uint64_t size = dom_file_size(db->path);
    DHANDLE context = NULLHANDLE;
    DWORD low = 0, high = 0;

    if (size < (uint64_t)1 << 32) {
        hp_unresolved("the database was cut when it was opened");
    }
    hp_promise(HP_DOM_START_SIZE_WORDS);
    dom_expect(NSFBackupStart(db->handle, 0, &context, &low, &high), "NSFBackupStart");
    assert_int_equal(high, dom_file_size(db->path) >> 32);
    assert_int_equal(low, dom_file_size(db->path) & MAXDWORD);
    assert_int_equal(high, 1);
    dom_expect(NSFBackupEnd(db->handle, context, BACKUPEND_ABORT), "NSFBackupEnd");
    dom_db_end(db);
    dom_end_program();
}

/* And a backup of it works: the copy has the whole size, and the mark counts in both words. */
static void a_database_of_5_GiB_is_restored_with_marks_above_4_GiB(void **state)
{
    (void)state;
    const uint64_t head = (uint64_t)1 << 20;
    dom_begin_program(NULL);
    dom_db *db = large_database();
    dom_backup b = start_large(db, head);

    if (b.size < (uint64_t)1 << 32) {
        hp_unresolved("the database was cut when it was opened");
    }
    dom_update_all(db, 700);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_mark(&b, (uint64_t)1 << 32);
    dom_mark(&b, b.size);
    dom_update_all(db, 300);
    dom_expect(dom_flush(db), "flush");
    dom_bytes stream = dom_finish(&b);

    hp_promise(HP_DOM_START_SIZE_WORDS);
    hp_promise(HP_DOM_MARK_SEQUENTIAL);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    assert_int_equal(dom_file_size("copy.nsf"), b.size);
    dom_set_size("copy.nsf", head);
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

const hp_case dom_size_cases[] = {
    HP_CASE(
        a_database_that_grows_is_restored_from_a_copy_of_the_start_size, HP_DOM_CONSISTENT_GROWTH),
    HP_CASE(a_copy_that_took_the_growth_along_is_cut_to_the_start_size, HP_DOM_CONSISTENT_GROWTH),
    HP_CASE(the_next_backup_of_a_grown_database_has_its_new_size, HP_DOM_START_SIZE,
        HP_DOM_CONSISTENT_GROWTH),
    HP_CASE(
        the_size_of_a_database_of_5_GiB_is_split_into_low_and_high_words, HP_DOM_START_SIZE_WORDS),
    HP_SLOW_CASE(a_database_of_5_GiB_is_restored_with_marks_above_4_GiB, 120,
        HP_DOM_START_SIZE_WORDS, HP_DOM_MARK_SEQUENTIAL),
    HP_CASE_END,
};
