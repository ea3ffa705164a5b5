/* The change information as it is handed out: its size, its pieces, its end. */
#include "domino_cases.h"
#include "domino_support.h"

#include <stdlib.h>
#include <string.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

enum { NOTES = 20, BEHIND = 0x5a };

/* A stopped backup during which everything changed. */
static dom_backup stopped_backup(dom_db *db)
{
    dom_backup b = dom_backup_start(db);

    dom_update_all(db, 700);
    dom_expect(dom_flush(db), "flush");
    dom_backup_stop(&b);
    if (dom_stream_size(&b) == 0) {
        hp_unresolved("nothing was recorded");
    }
    return b;
}

static STATUS next(const dom_backup *b, void *buffer, DWORD size, DWORD *filled)
{
    *filled = MAXDWORD;
    return NSFBackupGetNextChangeInfo(b->db->handle, b->context, 0, buffer, size, filled);
}

/* A tool reserves room by the size, and hands it to the application later. */
static void the_size_is_the_number_of_bytes_that_are_handed_out(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = stopped_backup(db);
    uint64_t size = dom_stream_size(&b), sum = 0;
    char buffer[1000];
    DWORD filled = 1;

    hp_promise(HP_DOM_SIZE_IS_TOTAL);
    while (filled > 0) {
        dom_expect(next(&b, buffer, sizeof buffer, &filled), "NSFBackupGetNextChangeInfo");
        sum += filled;
        assert_true(sum <= size);
    }
    assert_int_equal(sum, size);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

/* The total, not what is left. */
static void the_size_stays_while_the_change_information_is_read(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = stopped_backup(db);
    uint64_t size = dom_stream_size(&b);
    char buffer[3000];
    DWORD filled = 1;

    hp_promise(HP_DOM_SIZE_STABLE);
    while (filled > 0) {
        assert_int_equal(dom_stream_size(&b), size);
        dom_expect(next(&b, buffer, sizeof buffer, &filled), "NSFBackupGetNextChangeInfo");
    }
    assert_int_equal(dom_stream_size(&b), size);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

/* Before the stop there is no total yet, and no order in which to hand anything out. */
static void before_the_stop_there_is_neither_size_nor_change_information(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    DWORD low = 1, high = 1, filled = 1;
    char buffer[100];
    dom_update_all(db, 500);
    dom_expect(dom_flush(db), "flush");

    hp_promise(HP_DOM_SIZE_BEFORE_STOP);
    STATUS size = NSFBackupGetChangeInfoSize(db->handle, b.context, 0, &low, &high);
    assert_true(size != NOERROR || (low == 0 && high == 0));
    hp_promise(HP_DOM_NEXT_BEFORE_STOP);
    STATUS piece = next(&b, buffer, sizeof buffer, &filled);
    assert_true(piece != NOERROR || filled == 0);
    hp_promise(HP_DOM_EARLY_CODE);
    assert_int_equal(ERR(size), ERR_BACKUP_ALREADY_IN_PROGRESS);
    assert_int_equal(ERR(piece), ERR_BACKUP_ALREADY_IN_PROGRESS);

    /* Asking early has spoilt nothing. */
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* Not one byte behind the buffer, however small it is. */
static void a_buffer_is_never_filled_beyond_its_size(void **state)
{
    (void)state;
    static const DWORD sizes[] = {1, 2, 7, 63, 64, 65, 511, 4096, 4097, 30000};
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = stopped_backup(db);
    char *buffer = malloc(30000 + 64);
    DWORD filled = 1;
    assert_non_null(buffer);

    hp_promise(HP_DOM_NEXT_FITS);
    for (size_t i = 0; filled > 0; i = (i + 1) % (sizeof sizes / sizeof sizes[0])) {
        memset(buffer, BEHIND, 30000 + 64);
        dom_expect(next(&b, buffer, sizes[i], &filled), "NSFBackupGetNextChangeInfo");
        assert_true(filled <= sizes[i]);
        for (size_t k = 0; k < 64; k++) {
            assert_int_equal(buffer[sizes[i] + k], BEHIND);
        }
    }
    free(buffer);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

/* The sample's loop ends on an empty piece. */
static void the_end_is_NOERROR_with_no_bytes_and_stays_so(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = stopped_backup(db);
    dom_bytes stream = dom_read_stream(&b);
    char buffer[10];
    DWORD filled;

    hp_promise(HP_DOM_NEXT_END);
    for (unsigned i = 0; i < 3; i++) {
        dom_expect(next(&b, buffer, sizeof buffer, &filled), "NSFBackupGetNextChangeInfo");
        assert_int_equal(filled, 0);
    }
    dom_free(&stream);
    dom_backup_end(&b);

    b = dom_backup_start(db); /* nothing changes: the end comes first */
    dom_backup_stop(&b);
    stream = dom_read_stream(&b);
    for (unsigned i = 0; i < 3; i++) {
        dom_expect(next(&b, buffer, sizeof buffer, &filled), "NSFBackupGetNextChangeInfo");
        assert_int_equal(filled, 0);
    }
    dom_free(&stream);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

/* Reads the change information in buffers of `size` bytes. */
static dom_bytes read_in(const dom_backup *b, DWORD size)
{
    dom_bytes stream = dom_bytes_new((size_t)dom_stream_size(b) + size);
    size_t done = 0;
    DWORD filled = 1;

    while (filled > 0 && done + size <= stream.size) {
        dom_expect(next(b, stream.data + done, size, &filled), "NSFBackupGetNextChangeInfo");
        done += filled;
    }
    stream.size -= size;
    assert_int_equal(done, stream.size);
    return stream;
}

/* A stream of bytes: the pieces in which it is fetched are the tool's business. The copy is the
 * same each time, so that the results can be compared although the streams are of different days.
 */
static void the_change_information_is_good_in_buffers_of_any_size(void **state)
{
    (void)state;
    static const DWORD sizes[] = {1, 3, 17, 1000, 4096, 32768, 1 << 24};
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        dom_backup b = dom_backup_start(db);

        dom_update_all(db, 300 + 100 * (unsigned)i);
        dom_expect(dom_flush(db), "flush");
        dom_copy(&b, "copy.nsf");
        dom_backup_stop(&b);
        hp_promise(HP_DOM_NEXT_ANY_BUFFER);
        dom_bytes stream = read_in(&b, sizes[i]);
        dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
        dom_assert_is_image("copy.nsf", &b);
        dom_free(&stream);
        dom_backup_end(&b);
    }
    dom_db_end(db);
    dom_end_program();
}

/* Who passes a buffer of no bytes gets none, and misses none later. */
static void a_buffer_of_no_bytes_is_filled_with_none_and_loses_none(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    char buffer[1] = {BEHIND};
    DWORD filled;
    dom_update_all(db, 500);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_backup_stop(&b);

    hp_promise(HP_DOM_NEXT_NO_BUFFER);
    for (unsigned i = 0; i < 3; i++) {
        dom_expect(next(&b, buffer, 0, &filled), "NSFBackupGetNextChangeInfo");
        assert_int_equal(filled, 0);
        assert_int_equal(buffer[0], BEHIND);
    }
    dom_bytes stream = dom_read_stream(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

/* Bytes that changed a hundred times are recorded once. */
static void the_change_information_is_hardly_larger_than_the_database(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);

    for (unsigned i = 0; i < 20; i++) {
        dom_update_all(db, 400 + i);
        dom_expect(dom_flush(db), "flush");
    }
    dom_backup_stop(&b);
    uint64_t size = dom_stream_size(&b);
    hp_log("%llu bytes of change information for a database of %llu", (unsigned long long)size,
        (unsigned long long)b.size);
    hp_promise(HP_DOM_SIZE_OVERHEAD);
    assert_true(size > 0 && size <= b.size + b.size / 10 + 4096);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

/* A reserved flag asks for something that is not there. Nothing is handed out, so nothing is lost.
 */
static void a_reserved_flag_is_refused_and_loses_no_byte(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    DWORD low, high, filled;
    char buffer[100];
    dom_update_all(db, 500);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_backup_stop(&b);

    for (DWORD flag = 1; flag != 0; flag <<= 1) {
        hp_promise(HP_DOM_SIZE_FLAGS);
        assert_int_not_equal(
            NSFBackupGetChangeInfoSize(db->handle, b.context, flag, &low, &high), NOERROR);
        hp_promise(HP_DOM_NEXT_FLAGS);
        assert_int_not_equal(
            NSFBackupGetNextChangeInfo(db->handle, b.context, flag, buffer, sizeof buffer, &filled),
            NOERROR);
    }
    dom_bytes stream = dom_read_stream(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

/* What cannot be reported is not consumed. */
static void a_missing_output_pointer_is_an_error_and_loses_no_byte(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    DWORD low, high, filled;
    char buffer[100];
    dom_update_all(db, 500);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_backup_stop(&b);

    hp_promise(HP_DOM_NULL_OUTPUT);
    assert_int_not_equal(
        NSFBackupGetChangeInfoSize(db->handle, b.context, 0, NULL, &high), NOERROR);
    assert_int_not_equal(NSFBackupGetChangeInfoSize(db->handle, b.context, 0, &low, NULL), NOERROR);
    assert_int_not_equal(
        NSFBackupGetNextChangeInfo(db->handle, b.context, 0, buffer, sizeof buffer, NULL), NOERROR);
    assert_int_not_equal(
        NSFBackupGetNextChangeInfo(db->handle, b.context, 0, NULL, 100, &filled), NOERROR);
    dom_bytes stream = dom_read_stream(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_end(&b);
    dom_db_end(db);
    dom_end_program();
}

const hp_case dom_stream_cases[] = {
    HP_CASE(the_size_is_the_number_of_bytes_that_are_handed_out, HP_DOM_SIZE_IS_TOTAL),
    HP_CASE(the_size_stays_while_the_change_information_is_read, HP_DOM_SIZE_STABLE),
    HP_CASE(before_the_stop_there_is_neither_size_nor_change_information, HP_DOM_SIZE_BEFORE_STOP,
        HP_DOM_NEXT_BEFORE_STOP, HP_DOM_EARLY_CODE),
    HP_CASE(a_buffer_is_never_filled_beyond_its_size, HP_DOM_NEXT_FITS),
    HP_CASE(the_end_is_NOERROR_with_no_bytes_and_stays_so, HP_DOM_NEXT_END),
    HP_CASE(the_change_information_is_good_in_buffers_of_any_size, HP_DOM_NEXT_ANY_BUFFER),
    HP_CASE(a_buffer_of_no_bytes_is_filled_with_none_and_loses_none, HP_DOM_NEXT_NO_BUFFER),
    HP_CASE(the_change_information_is_hardly_larger_than_the_database, HP_DOM_SIZE_OVERHEAD),
    HP_CASE(a_reserved_flag_is_refused_and_loses_no_byte, HP_DOM_SIZE_FLAGS, HP_DOM_NEXT_FLAGS),
    HP_CASE(a_missing_output_pointer_is_an_error_and_loses_no_byte, HP_DOM_NULL_OUTPUT),
    HP_CASE_END,
};
