/*
 * Change information that is none, is damaged, is another's or comes in another order; and files
 * that are no copies. Whatever is wrong, the copy is never reported to be a backup; and the right
 * change information makes it one afterwards.
 */
#include "domino_cases.h"
#include "domino_support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

enum { NOTES = 20, PIECE = 2000 };

/* A copy that mixes states, with its change information. */
typedef struct mixed {
    dom_backup backup;
    dom_bytes stream;
    char copy[32];
} mixed;

static mixed mixed_copy(dom_db *db, const char *copy)
{
    mixed m = {.backup = dom_backup_start(db)};
    dom_bytes half = dom_read_head(db->path, m.backup.size / 2);

    (void)snprintf(m.copy, sizeof m.copy, "%s", copy);
    dom_update_all(db, 700);
    dom_expect(dom_flush(db), "flush");
    dom_bytes late = dom_read_head(db->path, m.backup.size);
    memcpy(late.data, half.data, half.size);
    dom_write_file(copy, late);
    m.stream = dom_finish(&m.backup);
    if (m.stream.size < 4 * PIECE) {
        hp_unresolved("too little was recorded: %zu bytes", m.stream.size);
    }
    dom_free(&half);
    dom_free(&late);
    return m;
}

static void mixed_free(mixed *m)
{
    dom_free(&m->stream);
    dom_backup_free(&m->backup);
}

/* The bytes are refused with ERR_CORRUPT_CHANGE_INFO, and the copy is not taken for a backup. */
static void assert_refused(const mixed *m, dom_bytes bytes)
{
    assert_int_equal(ERR(dom_apply(m->copy, bytes)), ERR_CORRUPT_CHANGE_INFO);
    dom_assert_not_mistaken(m->copy, &m->backup);
}

/* And yet nothing is lost: with the right change information the copy is a backup. */
static void assert_still_applies(const mixed *m)
{
    assert_int_equal(dom_apply(m->copy, m->stream), NOERROR);
    dom_assert_is_image(m->copy, &m->backup);
    dom_assert_holds(m->copy, &m->backup);
}

/* Noise, zeros and text, of the right size and of others. */
static void bytes_that_are_no_change_information_are_refused(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    mixed m = mixed_copy(db, "copy.nsf");
    dom_random random = dom_random_new(20);

    hp_promise(HP_DOM_APPLY_GARBAGE);
    for (size_t i = 0; i < 20; i++) {
        static const size_t sizes[] = {1, 40, 500, 5000, 100000};
        dom_bytes bytes = dom_bytes_new(i < 5 ? m.stream.size : sizes[i % 5]);

        for (size_t k = 0; k < bytes.size && i % 3 > 0; k++) {
            bytes.data[k] = (unsigned char)(i % 3 == 1 ? dom_pick(&random, 256) : 'a' + k % 26);
        }
        assert_refused(&m, bytes);
        dom_free(&bytes);
    }
    assert_still_applies(&m);
    mixed_free(&m);
    dom_db_end(db);
    dom_end_program();
}

/* Changes one bit of one byte; then the byte is as it was. */
static void assert_flip_refused(const mixed *m, size_t at, unsigned bit)
{
    m->stream.data[at] ^= (unsigned char)(1u << bit);
    hp_log("bit %u of byte %zu of %zu", bit, at, m->stream.size);
    assert_refused(m, m->stream);
    m->stream.data[at] ^= (unsigned char)(1u << bit);
}

/* Every byte near both ends, where the fields are, and some everywhere. */
static void change_information_with_one_bit_changed_is_refused(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    mixed m = mixed_copy(db, "copy.nsf");
    dom_random random = dom_random_new(21);

    hp_promise(HP_DOM_APPLY_DAMAGED);
    for (size_t at = 0; at < 120; at++) {
        assert_flip_refused(&m, at, (unsigned)dom_pick(&random, 8));
        assert_flip_refused(&m, m.stream.size - 1 - at, (unsigned)dom_pick(&random, 8));
    }
    for (unsigned i = 0; i < 200; i++) {
        size_t at = (size_t)dom_pick(&random, m.stream.size);

        assert_flip_refused(&m, at, (unsigned)dom_pick(&random, 8));
    }
    assert_still_applies(&m);
    mixed_free(&m);
    dom_db_end(db);
    dom_end_program();
}

/* The application is told the whole size, and ended when its part was handed over. */
static void an_application_that_ends_before_its_last_byte_is_an_error(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    mixed m = mixed_copy(db, "copy.nsf");
    dom_random random = dom_random_new(22);

    for (unsigned i = 0; i < 150; i++) {
        size_t last = m.stream.size - 1, given = i < 60 ? last - i : dom_pick(&random, last);
        uint32_t context = dom_apply_start(m.copy, m.stream.size);

        given = i == 149 ? 0 : given;
        dom_expect(dom_apply_next(context, m.stream.data, given), "apply a part");
        STATUS status = dom_apply_end(context);
        hp_promise(HP_DOM_APPLY_INCOMPLETE);
        assert_int_not_equal(status, NOERROR);
        hp_promise(HP_DOM_APPLY_INCOMPLETE_CODE);
        assert_int_equal(ERR(status), ERR_CORRUPT_CHANGE_INFO);
        hp_promise(HP_DOM_APPLY_NEVER_GOOD);
        dom_assert_not_mistaken(m.copy, &m.backup);
    }
    hp_promise(HP_DOM_APPLY_AFTER_ABORT);
    assert_still_applies(&m);
    mixed_free(&m);
    dom_db_end(db);
    dom_end_program();
}

/* The file in which it was stored was cut, and nobody knows its right size. */
static void change_information_that_was_cut_is_refused(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    mixed m = mixed_copy(db, "copy.nsf");
    dom_random random = dom_random_new(23);

    hp_promise(HP_DOM_APPLY_DAMAGED);
    for (unsigned i = 0; i < 150; i++) {
        size_t size = i < 80 ? m.stream.size - 1 - i : 1 + dom_pick(&random, m.stream.size - 1);

        assert_refused(&m, (dom_bytes){.data = m.stream.data, .size = size});
    }
    assert_still_applies(&m);
    mixed_free(&m);
    dom_db_end(db);
    dom_end_program();
}

/* Nothing at all in the place of something: the file in which it was stored is empty. */
static void a_copy_that_mixes_states_is_no_backup_without_its_change_information(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    mixed m = mixed_copy(db, "copy.nsf");

    hp_promise(HP_DOM_APPLY_NEVER_GOOD);
    assert_int_not_equal(dom_apply(m.copy, (dom_bytes){.data = m.stream.data}), NOERROR);
    assert_int_not_equal(dom_try_open(m.copy), NOERROR);
    assert_still_applies(&m);
    mixed_free(&m);
    dom_db_end(db);
    dom_end_program();
}

/* Two databases, two copies, the change information exchanged. */
static void change_information_of_another_database_is_refused(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *one = dom_db_new("one.nsf", NOTES), *two = dom_db_new("two.nsf", NOTES);
    mixed a = mixed_copy(one, "a.nsf"), b = mixed_copy(two, "b.nsf");

    hp_promise(HP_DOM_APPLY_FOREIGN);
    assert_refused(&a, b.stream);
    assert_refused(&b, a.stream);
    assert_still_applies(&a);
    assert_still_applies(&b);
    mixed_free(&a);
    mixed_free(&b);
    dom_db_end(one);
    dom_db_end(two);
    dom_end_program();
}

/* The same database, two days: each copy wants its own. A backup that is finished refuses too. */
static void change_information_of_another_day_is_refused(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    mixed settled = mixed_copy(db, "settled.nsf");
    mixed yesterday = mixed_copy(db, "yesterday.nsf"), today = mixed_copy(db, "today.nsf");
    mixed_free(&settled);
    if (yesterday.backup.size != today.backup.size) {
        hp_unresolved("the two backups can be told apart by their sizes");
    }

    hp_promise(HP_DOM_APPLY_OTHER_DAY);
    assert_refused(&yesterday, today.stream);
    assert_refused(&today, yesterday.stream);
    assert_int_equal(dom_apply(yesterday.copy, yesterday.stream), NOERROR);
    assert_int_equal(ERR(dom_apply(yesterday.copy, today.stream)), ERR_CORRUPT_CHANGE_INFO);
    assert_still_applies(&yesterday);
    assert_still_applies(&today);
    mixed_free(&yesterday);
    mixed_free(&today);
    dom_db_end(db);
    dom_end_program();
}

/* Hands over pieces [first, second, ...] of PIECE bytes in this order; the last piece is the rest.
 * Returns the first result that is not NOERROR, that of the end included. */
static STATUS apply_in_order(const mixed *m, const size_t *order, size_t count)
{
    uint32_t context = dom_apply_start(m->copy, m->stream.size);
    STATUS status = NOERROR;

    for (size_t i = 0; status == NOERROR && i < count; i++) {
        size_t at = order[i] * PIECE;

        status = dom_apply_next(context, m->stream.data + at, min(PIECE, m->stream.size - at));
    }
    STATUS ended = dom_apply_end(context);
    return status == NOERROR ? ended : status;
}

static size_t pieces_of(const mixed *m, size_t *order, size_t room)
{
    size_t count = (m->stream.size + PIECE - 1) / PIECE;

    if (count > room) {
        hp_unresolved("too much was recorded: %zu bytes", m->stream.size);
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = i;
    }
    return count;
}

/* Two pieces of the same bytes, of an empty page say, have no order. */
static bool are_equal(const mixed *m, size_t a, size_t b)
{
    size_t last = a > b ? a : b;

    return (last + 1) * PIECE <= m->stream.size &&
           memcmp(m->stream.data + a * PIECE, m->stream.data + b * PIECE, PIECE) == 0;
}

/* Each two neighbours, and then any two. */
static void pieces_in_another_order_are_refused(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    mixed m = mixed_copy(db, "copy.nsf");
    dom_random random = dom_random_new(24);
    size_t order[1000], count = pieces_of(&m, order, 1000);

    hp_promise(HP_DOM_APPLY_ORDER);
    for (size_t i = 0; i < count + 40; i++) {
        size_t a = i < count - 1 ? i : dom_pick(&random, count);
        size_t b = i < count - 1 ? i + 1 : dom_pick(&random, count);

        if (a != b && !are_equal(&m, a, b)) {
            order[a] = b;
            order[b] = a;
            assert_int_equal(ERR(apply_in_order(&m, order, count)), ERR_CORRUPT_CHANGE_INFO);
            dom_assert_not_mistaken(m.copy, &m.backup);
            order[a] = a;
            order[b] = b;
        }
    }
    assert_still_applies(&m);
    mixed_free(&m);
    dom_db_end(db);
    dom_end_program();
}

/* A tool that repeats what it is not sure to have handed over. */
static void a_piece_that_is_handed_over_twice_is_refused(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    mixed m = mixed_copy(db, "copy.nsf");
    size_t order[1001], count = pieces_of(&m, order, 1000);

    hp_promise(HP_DOM_APPLY_REPEATED);
    for (size_t i = 0; i < count; i++) {
        memmove(&order[i + 1], &order[i], (count - i) * sizeof order[0]);
        assert_int_equal(ERR(apply_in_order(&m, order, count + 1)), ERR_CORRUPT_CHANGE_INFO);
        dom_assert_not_mistaken(m.copy, &m.backup);
        memmove(&order[i], &order[i + 1], (count - i) * sizeof order[0]);
    }
    assert_still_applies(&m);
    mixed_free(&m);
    dom_db_end(db);
    dom_end_program();
}

/* The right bytes, and then some more: announced, or not. */
static void more_bytes_than_there_are_is_refused(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    mixed m = mixed_copy(db, "copy.nsf");
    dom_bytes longer = dom_bytes_new(m.stream.size + 100);
    memcpy(longer.data, m.stream.data, m.stream.size);

    hp_promise(HP_DOM_APPLY_TOO_MUCH);
    assert_refused(&m, longer);
    uint32_t context = dom_apply_start(m.copy, m.stream.size);
    STATUS status = dom_apply_next(context, longer.data, longer.size);
    assert_int_equal(ERR(status), ERR_CORRUPT_CHANGE_INFO);
    assert_int_not_equal(dom_apply_end(context), NOERROR);
    context = dom_apply_start(m.copy, m.stream.size);
    dom_expect(dom_apply_next(context, longer.data, m.stream.size), "apply the whole");
    assert_int_equal(
        ERR(dom_apply_next(context, longer.data + m.stream.size, 1)), ERR_CORRUPT_CHANGE_INFO);
    assert_int_not_equal(dom_apply_end(context), NOERROR);
    dom_assert_not_mistaken(m.copy, &m.backup);
    assert_still_applies(&m);
    dom_free(&longer);
    mixed_free(&m);
    dom_db_end(db);
    dom_end_program();
}

/* A tool that goes on after an error has not repaired it. */
static void after_a_refusal_the_application_cannot_end_well(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    mixed m = mixed_copy(db, "copy.nsf");
    size_t half = m.stream.size / 2;
    uint32_t context = dom_apply_start(m.copy, m.stream.size);

    dom_expect(dom_apply_next(context, m.stream.data, half), "apply the first half");
    assert_int_not_equal(dom_apply_next(context, m.stream.data, half), NOERROR);
    hp_promise(HP_DOM_APPLY_REFUSED_STAYS);
    assert_int_equal(ERR(dom_apply_next(context, m.stream.data + half, m.stream.size - half)),
        ERR_CORRUPT_CHANGE_INFO);
    assert_int_equal(
        ERR(dom_apply_next(context, m.stream.data, m.stream.size)), ERR_CORRUPT_CHANGE_INFO);
    assert_int_not_equal(dom_apply_end(context), NOERROR);
    dom_assert_not_mistaken(m.copy, &m.backup);
    hp_promise(HP_DOM_APPLY_AFTER_ABORT);
    assert_still_applies(&m);
    mixed_free(&m);
    dom_db_end(db);
    dom_end_program();
}

/* Begins, hands everything over and ends. Returns the first result that is not NOERROR. */
static STATUS apply_to(const char *file, dom_bytes stream)
{
    DHANDLE context = NULLHANDLE;
    char path[64];

    (void)snprintf(path, sizeof path, "%s", file);
    STATUS status = NSFBackupStartApplyChangeInfo(&context, path, 0, (DWORD)stream.size, 0);
    if (status == NOERROR) {
        status = dom_apply_next(context, stream.data, stream.size);
        STATUS ended = dom_apply_end(context);
        status = status == NOERROR ? ended : status;
    }
    return status;
}

/* Somebody's letter, an empty file, a directory, a database that is no copy: none becomes a backup,
 * and none is changed. */
static void a_file_that_is_no_copy_does_not_become_a_backup(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES), *other = dom_db_new("other.nsf", NOTES);
    mixed m = mixed_copy(db, "copy.nsf");
    static const char *const files[] = {"letter", "empty", "database", "noise"};
    dom_bytes noise = dom_bytes_copy(m.backup.image);
    dom_write_text("letter", "Dear Sir, ");
    dom_write_text("empty", "");
    dom_db_close(other);
    dom_copy_head(other->path, "database", dom_file_size(other->path));
    memset(noise.data, 0x5a, noise.size);
    dom_write_file("noise", noise);
    dom_make_dir("directory");

    hp_promise(HP_DOM_APPLY_NOT_A_COPY);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        dom_bytes before = dom_read_file(files[i]);

        hp_log("%s", files[i]);
        assert_int_not_equal(apply_to(files[i], m.stream), NOERROR);
        dom_bytes after = dom_read_file(files[i]);
        assert_true(dom_equal(before, after));
        dom_free(&before);
        dom_free(&after);
    }
    assert_int_not_equal(apply_to("directory", m.stream), NOERROR);
    dom_free(&noise);
    mixed_free(&m);
    dom_db_end(db);
    dom_db_open(other);
    dom_db_end(other);
    dom_end_program();
}

/* The target's disk was full, and nobody looked: what is missing cannot be made up. Where the
 * before-images cover what is missing the backup is right all the same. */
static void a_copy_that_was_cut_is_not_reported_to_be_a_backup(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);
    dom_expect(dom_update_note(db, 0, 200), "update one note");
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "whole.nsf");
    dom_bytes stream = dom_finish(&b);

    hp_promise(HP_DOM_APPLY_SHORT_COPY);
    for (unsigned i = 1; i < 8; i++) {
        uint64_t at = 0, size = b.size * i / 8 - i % 2;

        dom_copy_head("whole.nsf", "copy.nsf", size);
        STATUS status = apply_to("copy.nsf", stream);
        hp_log("cut to %llu of %llu bytes: 0x%04X", (unsigned long long)size,
            (unsigned long long)b.size, status);
        assert_true(status != NOERROR || dom_is_image("copy.nsf", &b, &at));
        dom_assert_not_mistaken("copy.nsf", &b);
    }
    assert_int_equal(dom_apply("whole.nsf", stream), NOERROR);
    dom_assert_is_image("whole.nsf", &b);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

const hp_case dom_corrupt_cases[] = {
    HP_CASE(bytes_that_are_no_change_information_are_refused, HP_DOM_APPLY_GARBAGE),
    HP_CASE(change_information_with_one_bit_changed_is_refused, HP_DOM_APPLY_DAMAGED),
    HP_CASE(an_application_that_ends_before_its_last_byte_is_an_error, HP_DOM_APPLY_INCOMPLETE,
        HP_DOM_APPLY_INCOMPLETE_CODE, HP_DOM_APPLY_NEVER_GOOD, HP_DOM_APPLY_AFTER_ABORT),
    HP_CASE(change_information_that_was_cut_is_refused, HP_DOM_APPLY_DAMAGED),
    HP_CASE(a_copy_that_mixes_states_is_no_backup_without_its_change_information,
        HP_DOM_APPLY_NEVER_GOOD),
    HP_CASE(change_information_of_another_database_is_refused, HP_DOM_APPLY_FOREIGN),
    HP_CASE(change_information_of_another_day_is_refused, HP_DOM_APPLY_OTHER_DAY),
    HP_CASE(pieces_in_another_order_are_refused, HP_DOM_APPLY_ORDER),
    HP_CASE(a_piece_that_is_handed_over_twice_is_refused, HP_DOM_APPLY_REPEATED),
    HP_CASE(more_bytes_than_there_are_is_refused, HP_DOM_APPLY_TOO_MUCH),
    HP_CASE(after_a_refusal_the_application_cannot_end_well, HP_DOM_APPLY_REFUSED_STAYS,
        HP_DOM_APPLY_AFTER_ABORT),
    HP_CASE(a_file_that_is_no_copy_does_not_become_a_backup, HP_DOM_APPLY_NOT_A_COPY),
    HP_CASE(a_copy_that_was_cut_is_not_reported_to_be_a_backup, HP_DOM_APPLY_SHORT_COPY),
    HP_CASE_END,
};
