/* The change stream: its bytes as they always were, and whatever is not a whole stream found out. */
#include "copying.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/change.h"
#include "engine/error.h"
#include "engine/page.h"

#ifndef TEST_GOLDEN
#error "TEST_GOLDEN is the directory of the files"
#endif

enum { RECORDS = 4 };

/* ---- streams made here ---- */

typedef struct made {
    uint8_t bytes[4096];
    size_t size;
    size_t at[RECORDS + 2]; /* where each record begins; then the end; then the size */
    ref_stream_chain chain;
} made;

static const ref_stream_header plain = {
    .page_size = 512, .nonce = {{1, 2, 3}}, .file = {{4, 5, 6}}, .start_size = 8192};

static void add_record(made *to, uint64_t offset, uint32_t size)
{
    uint8_t *front = to->bytes + to->size;
    memset(front + REF_STREAM_RECORD, (int)(offset / 512 + 1), size);
    ref_stream_put_record(front, offset, front + REF_STREAM_RECORD, size, &to->chain);
    to->size += REF_STREAM_RECORD + size;
}

static void begin_stream(made *to, const ref_stream_header *header)
{
    to->size = REF_STREAM_HEADER;
    ref_stream_put_header(to->bytes, header, &to->chain);
}

static void end_stream(made *to)
{
    ref_stream_put_end(to->bytes + to->size, &to->chain);
    to->size += REF_STREAM_END;
}

static void make_stream(made *to)
{
    begin_stream(to, &plain);
    for (uint32_t i = 0; i < RECORDS; i++) {
        to->at[i] = to->size;
        add_record(to, i * (uint64_t)1024, 512);
    }
    to->at[RECORDS] = to->size;
    end_stream(to);
    to->at[RECORDS + 1] = to->size;
}

/* ---- taking them apart ---- */

typedef struct seen {
    uint32_t headers, records;
    uint64_t sum; /* over everything that was in records */
} seen;

static int see_header(void *context, const ref_stream_header *header)
{
    seen *what = context;
    what->headers++;
    return header->page_size == 512 ? 0 : EILSEQ;
}

static int see_record(void *context, uint64_t offset, uint8_t *bytes, uint32_t size)
{
    seen *what = context;
    what->records++;
    for (uint32_t i = 0; i < size; i++) {
        what->sum = what->sum * 31 + offset + bytes[i];
    }
    return 0;
}

/* 0 when all of it is one whole stream; REF_INCOMPLETE when it is a beginning of one. */
static int take(const uint8_t *bytes, size_t size, size_t piece, seen *what)
{
    ref_stream stream;
    ref_stream_sink sink = {.context = what, .header = see_header, .record = see_record};
    *what = (seen){0};
    assert_ok(ref_stream_open(&stream));
    int error = 0;
    for (size_t at = 0; at < size && error == 0; at += piece) {
        error = ref_stream_feed(&stream, bytes + at, piece < size - at ? piece : size - at, &sink);
    }
    if (error == 0 && stream.state != REF_STREAM_ENDED) {
        error = REF_INCOMPLETE;
    }
    ref_stream_close(&stream);
    return error;
}

static void any_pieces_give_the_same(void **state)
{
    made m;
    seen whole, pieces;
    (void)state;
    make_stream(&m);
    assert_ok(take(m.bytes, m.size, m.size, &whole));
    assert_int_equal(whole.headers, 1);
    assert_int_equal(whole.records, RECORDS);
    for (size_t piece = 1; piece < m.size; piece++) {
        assert_ok(take(m.bytes, m.size, piece, &pieces));
        assert_int_equal(pieces.records, RECORDS);
        assert_true(pieces.sum == whole.sum);
    }
}

static void every_flipped_bit_is_found(void **state)
{
    made m;
    seen what;
    (void)state;
    make_stream(&m);
    for (size_t i = 0; i < m.size * 8; i++) {
        m.bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
        int error = take(m.bytes, m.size, m.size, &what);
        if (error != REF_CORRUPT && error != REF_INCOMPLETE) {
            fail_msg("bit %zu: %d", i, error);
        }
        m.bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
}

static void every_cut_is_found(void **state)
{
    made m;
    seen what;
    (void)state;
    make_stream(&m);
    for (size_t size = 0; size < m.size; size++) {
        assert_int_equal(take(m.bytes, size, 100, &what), REF_INCOMPLETE);
    }
    m.bytes[m.size] = 0;
    assert_fails(take(m.bytes, m.size + 1, 100, &what), REF_CORRUPT, "behind the end");
}

/* Pieces of one stream, in any order but the right one. */
static void reordered_repeated_and_missing_records_are_found(void **state)
{
    static const uint8_t orders[][RECORDS + 2] = {
        {1, 0, 2, 3, 4, 9}, {0, 2, 1, 3, 4, 9}, {0, 1, 3, 2, 4, 9}, /* changed places */
        {0, 0, 1, 2, 3, 4}, {0, 1, 2, 3, 3, 4},                     /* twice */
        {1, 2, 3, 4, 9}, {0, 1, 3, 4, 9}, {0, 1, 2, 4, 9}, {4, 9}   /* missing */
    };
    made m;
    seen what;
    uint8_t bytes[sizeof m.bytes];
    (void)state;
    make_stream(&m);
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        size_t size = REF_STREAM_HEADER;
        memcpy(bytes, m.bytes, size);
        for (size_t j = 0; j < RECORDS + 2 && orders[i][j] != 9; j++) {
            size_t from = m.at[orders[i][j]], to = m.at[orders[i][j] + 1];
            memcpy(bytes + size, m.bytes + from, to - from);
            size += to - from;
            if (orders[i][j] == RECORDS) {
                break;
            }
        }
        assert_int_equal(take(bytes, size, size, &what), REF_CORRUPT);
    }
}

static void the_rest_of_another_stream_is_found(void **state)
{
    made a, b;
    seen what;
    ref_stream_header other = plain;
    (void)state;
    make_stream(&a);
    other.nonce.bytes[0]++;
    begin_stream(&b, &other);
    for (uint32_t i = 0; i < RECORDS; i++) {
        add_record(&b, i * (uint64_t)1024, 512);
    }
    end_stream(&b);
    assert_int_equal(a.size, b.size);
    for (size_t i = 0; i <= RECORDS; i++) {
        uint8_t bytes[sizeof a.bytes];
        memcpy(bytes, a.bytes, a.at[i]);
        memcpy(bytes + a.at[i], b.bytes + a.at[i], a.size - a.at[i]);
        assert_int_equal(take(bytes, a.size, a.size, &what), REF_CORRUPT);
    }
}

/* Checksums right, content impossible: as somebody would make it on purpose. */
static void records_of_no_possible_place_are_refused(void **state)
{
    static const struct {
        uint64_t offset;
        uint32_t size;
    } bad[] = {{8192, 1}, {8191, 2}, {UINT64_MAX - 100, 200}, {UINT64_MAX, 7}, {0, 0}, {511, 5}};
    seen what;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        made m;
        begin_stream(&m, &plain);
        add_record(&m, 0, 512);
        add_record(&m, bad[i].offset, bad[i].size);
        end_stream(&m);
        assert_fails(take(m.bytes, m.size, m.size, &what), REF_CORRUPT, "no possible place");
    }
}

static void reseal(made *m)
{
    ref_put32(m->bytes + REF_STREAM_HEADER - 4, ref_crc32c(0, m->bytes, REF_STREAM_HEADER - 4));
}

static void another_version_and_another_kind_of_file_are_refused(void **state)
{
    made m;
    seen what;
    (void)state;
    make_stream(&m);
    ref_put32(m.bytes + 8, 2);
    reseal(&m);
    assert_fails(take(m.bytes, m.size, m.size, &what), REF_VERSION, "version 2");
    make_stream(&m);
    m.bytes[0] = 'X';
    reseal(&m);
    assert_fails(take(m.bytes, m.size, m.size, &what), REF_CORRUPT, "no change information");
    make_stream(&m);
    ref_put32(m.bytes + 12, 513);
    reseal(&m);
    assert_fails(take(m.bytes, m.size, m.size, &what), REF_CORRUPT, "page size");
    assert_int_equal(what.headers, 0);
}

/* ---- as it always was ---- */

static const char *golden(const char *name)
{
    static char path[FIXTURE_PATH];
    const char *write_to = getenv("GOLDEN_WRITE");
    snprintf(path, sizeof path, "%s/%s", write_to != NULL ? write_to : TEST_GOLDEN, name);
    return path;
}

/* Compares, or writes. */
static void keep(const image *what, const char *name)
{
    if (getenv("GOLDEN_WRITE") != NULL) {
        file_write(golden(name), what->bytes, what->size);
        return;
    }
    image kept = image_of(golden(name));
    assert_int_equal(kept.size, what->size);
    assert_memory_equal(kept.bytes, what->bytes, what->size);
    free(kept.bytes);
}

static void streams_slots_and_markers_are_written_as_they_always_were(void **state)
{
    fixture *fix = *state;
    ref_capture *capture;
    uint64_t size, seed = 1;
    fix->vfs.fixed = true;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    for (uint32_t i = 0; i < 20; i++) {
        assert_ok(put_number(db, NULL, i, i, 100));
    }
    assert_ok(ref_capture_start(db, NULL, &capture, &size));
    image start = image_of(at_home(fix, "a.db"));
    for (uint32_t i = 0; i < 20; i += 10) {
        assert_ok(put_number(db, NULL, i, i + 1, 80));
    }
    assert_ok(put_number(db, NULL, 30, 30, 2000));
    assert_ok(ref_checkpoint(fix->env, false));
    image copy = image_of(at_home(fix, "a.db"));
    image marker = image_of(at_home(fix, "a.db.__capture"));
    ref_put64(marker.bytes + 32, 0); /* inode */
    assert_ok(ref_capture_stop(capture));
    image stream = stream_of(capture, &seed);
    keep(&start, "start.db");
    keep(&copy, "copy.db");
    keep(&stream, "copy.changes");
    ref_put32(marker.bytes + 12, 0); /* checksum, of the inode too */
    keep(&marker, "marker");
    ref_capture_end(capture);
    assert_ok(ref_db_close(db));
    free(start.bytes);
    free(copy.bytes);
    free(marker.bytes);
    free(stream.bytes);
}

static void a_stream_that_was_kept_makes_the_start_of_a_copy_that_was_kept(void **state)
{
    fixture *fix = *state;
    uint64_t seed = 7;
    const char *to = at_dir(fix, "copy.db");
    image stream = image_of(golden("copy.changes")), start = image_of(golden("start.db"));
    file_copy(golden("copy.db"), to);
    assert_ok(stream_apply(&fix->vfs.vfs, to, &stream, &seed));
    assert_true(image_is(&start, to));
    free(stream.bytes);
    free(start.bytes);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(any_pieces_give_the_same),
    cmocka_unit_test(every_flipped_bit_is_found),
    cmocka_unit_test(every_cut_is_found),
    cmocka_unit_test(reordered_repeated_and_missing_records_are_found),
    cmocka_unit_test(the_rest_of_another_stream_is_found),
    cmocka_unit_test(records_of_no_possible_place_are_refused),
    cmocka_unit_test(another_version_and_another_kind_of_file_are_refused),
    SCRATCH_TEST(streams_slots_and_markers_are_written_as_they_always_were),
    SCRATCH_TEST(a_stream_that_was_kept_makes_the_start_of_a_copy_that_was_kept),
};
TEST_MAIN(tests)
