/*
 * The central promise under random tools and writers: a copy made in any order and any pieces, with
 * any marks behind its true position, while notes are added, changed and removed at any moment,
 * becomes with its change information the database at the start. All choices come from the run's
 * seed; a failure names the round.
 *
 * How a case knows the database at the start: the start has forced every update to the file, so it
 * reads the file before the next one.
 */
#include "domino_cases.h"
#include "domino_support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <global.h>
#include <nsfdb.h>
#include <nsfnote.h>
#include <nsferr.h>

enum {
    PIECES_MAX = 12,
    NOTES_AT_LEAST = 8,
    NOTES_AT_MOST = 60,
    LARGEST_NOTE = 9000,
    ROUNDS = 2500,
    ROUNDS_AT_LEAST = 20,
    SECONDS = 10, /* of a case; its limit is 90 */
    OPEN_EVERY = 100,
    WRITERS = 3,
    NOTES_OF_A_WRITER = 12,
};

typedef struct piece {
    uint64_t offset, size;
    bool copied;
} piece;

typedef enum order { FORWARDS, BACKWARDS, ANYHOW, ORDERS } order;
typedef enum marking { NO_MARKS, EXACT_MARKS, LATE_MARKS, MARKINGS } marking;

/* One backup with a tool that makes its own choices. */
typedef struct tool {
    dom_random random;
    dom_db *db;
    dom_backup backup;
    dom_bytes copy;
    int source;
    piece pieces[PIECES_MAX];
    unsigned piece_count;
    order order;
    marking marking;
    unsigned updates;    /* by this thread between two pieces, at most */
    unsigned flush_odds; /* one in so many updates is followed by a flush */
} tool;

static unsigned pick(tool *t, unsigned below)
{
    return (unsigned)dom_pick(&t->random, below);
}

static unsigned pick_size(tool *t)
{
    static const unsigned sizes[] = {40, 200, 900, 4000, LARGEST_NOTE};

    return 1 + pick(t, sizes[pick(t, sizeof sizes / sizeof sizes[0])]);
}

static unsigned live_notes(const dom_db *db)
{
    unsigned live = 0;

    for (unsigned i = 0; i < db->count; i++) {
        live += db->notes[i].id != 0;
    }
    return live;
}

/* One change of one kind. */
static void update_once(tool *t)
{
    unsigned live = live_notes(t->db), kind = pick(t, 10), i = pick(t, t->db->count);
    uint16_t status;

    while (t->db->notes[i].id == 0) {
        i = (i + 1) % t->db->count;
    }
    if (live < NOTES_AT_LEAST || (kind == 0 && live < NOTES_AT_MOST)) {
        status = dom_add_note(t->db, pick_size(t));
    } else if (kind == 1) {
        status = dom_delete_note(t->db, i);
    } else {
        status = dom_update_note(t->db, i, pick_size(t));
    }
    dom_expect(status, "an update during the backup");
    if (pick(t, t->flush_odds) == 0) {
        dom_expect(dom_flush(t->db), "a flush during the backup");
    }
}

static void update_some(tool *t)
{
    for (unsigned n = t->updates > 0 ? pick(t, t->updates + 1) : 0; n > 0; n--) {
        update_once(t);
    }
}

/* Cuts the file into pieces at any byte, in the order of the tool. */
static void cut(tool *t)
{
    uint64_t size = t->backup.size, at = 0;
    unsigned count = 1 + pick(t, PIECES_MAX);

    t->piece_count = 0;
    while (at < size) {
        uint64_t left = size - at, length = 1 + dom_pick(&t->random, 2 * (size / count) + 1);

        if (length > left || t->piece_count + 1 == PIECES_MAX) {
            length = left;
        }
        t->pieces[t->piece_count++] = (piece){.offset = at, .size = length};
        at += length;
    }
    for (unsigned i = 0; i < t->piece_count; i++) {
        unsigned last = t->piece_count - 1;
        unsigned other = t->order == BACKWARDS ? last - i : i + pick(t, t->piece_count - i);

        if (t->order == ANYHOW || (t->order == BACKWARDS && i < other)) {
            piece held = t->pieces[i];
            t->pieces[i] = t->pieces[other];
            t->pieces[other] = held;
        }
    }
}

static void copy_piece(tool *t, piece *p)
{
    for (uint64_t done = 0; done < p->size;) {
        ssize_t n = pread(t->source, t->copy.data + p->offset + done, (size_t)(p->size - done),
            (off_t)(p->offset + done));

        if (n <= 0) {
            fail_msg("reading the database's file at %llu: %s",
                (unsigned long long)(p->offset + done), n < 0 ? strerror(errno) : "its end");
        }
        done += (uint64_t)n;
    }
    p->copied = true;
}

/* Everything below this offset has been copied. */
static uint64_t true_position(const tool *t)
{
    uint64_t position = t->backup.size;

    for (unsigned i = 0; i < t->piece_count; i++) {
        if (!t->pieces[i].copied && t->pieces[i].offset < position) {
            position = t->pieces[i].offset;
        }
    }
    return position;
}

static void set_mark(tool *t)
{
    uint64_t position = true_position(t);

    if (t->marking == EXACT_MARKS) {
        dom_mark(&t->backup, position);
    } else if (t->marking == LATE_MARKS && pick(t, 2) == 0) {
        dom_mark(&t->backup, dom_pick(&t->random, position + 1));
    }
}

/* Reads the change information in buffers of any size. */
static dom_bytes read_anyhow(tool *t)
{
    const dom_backup *b = &t->backup;
    dom_bytes stream = dom_bytes_new((size_t)dom_stream_size(b));
    size_t done = 0, most = 1 + pick(t, 2) * pick(t, 4096) + pick(t, 3) * 20000;
    DWORD filled = 1;

    while (filled > 0) {
        DWORD size = 1 + pick(t, (unsigned)most);
        char *buffer = malloc(size); /* of exactly that size: a sanitizer sees what is behind it */

        assert_non_null(buffer);
        dom_expect(NSFBackupGetNextChangeInfo(b->db->handle, b->context, 0, buffer, size, &filled),
            "NSFBackupGetNextChangeInfo");
        assert_true(filled <= size && filled <= stream.size - done);
        memcpy(stream.data + done, buffer, filled);
        done += filled;
        free(buffer);
    }
    assert_int_equal(done, stream.size);
    return stream;
}

static void apply_anyhow(tool *t, const char *path, dom_bytes stream)
{
    uint32_t context = dom_apply_start(path, stream.size);
    size_t most = 1 + pick(t, 2) * pick(t, 4096) + pick(t, 3) * 20000;

    for (size_t done = 0; done < stream.size;) {
        size_t left = stream.size - done, size = pick(t, (unsigned)most + 1);

        size = size < left ? size : left;
        dom_expect(dom_apply_next(context, stream.data + done, size), "apply a piece");
        done += size;
    }
    dom_expect(dom_apply_end(context), "NSFBackupEndApplyChangeInfo");
}

static void assert_restored(tool *t, const char *path, unsigned round)
{
    uint64_t at = 0;

    if (!dom_is_image(path, &t->backup, &at)) {
        hp_log("round %u: order %d, marks %d, %u pieces, %u updates, flush 1 in %u", round,
            (int)t->order, (int)t->marking, t->piece_count, t->updates, t->flush_odds);
        fail_msg("round %u: the backup differs from the database at the start, first at byte %llu "
                 "of %llu",
            round, (unsigned long long)at, (unsigned long long)t->backup.size);
    }
}

/* Copy, stop, read, apply, compare; the backup has been started. */
static void finish_round(tool *t, unsigned round)
{
    const char *path = "copy.nsf";
    t->copy = dom_bytes_new((size_t)t->backup.size);
    cut(t);
    for (unsigned i = 0; i < t->piece_count; i++) {
        update_some(t);
        copy_piece(t, &t->pieces[i]);
        set_mark(t);
    }
    update_some(t);
    dom_backup_stop(&t->backup);
    update_some(t);
    dom_bytes stream = read_anyhow(t);
    dom_expect(NSFBackupEnd(t->db->handle, t->backup.context, 0), "NSFBackupEnd");
    dom_write_file(path, t->copy);
    apply_anyhow(t, path, stream);
    assert_restored(t, path, round);
    if (round % OPEN_EVERY == 0) {
        dom_assert_holds(path, &t->backup);
    }
    dom_free(&stream);
    dom_free(&t->copy);
    dom_backup_free(&t->backup);
}

static bool time_is_up(unsigned round, double since)
{
    return round >= ROUNDS || dom_seconds() - since > SECONDS * hp_timeout_scale();
}

/* What the cases leave to chance; ORDERS and MARKINGS stand for any. */
typedef struct habit {
    order order;
    marking marking;
    uint64_t stream; /* of random numbers */
} habit;

static void choose(tool *t, const habit *h)
{
    t->order = h->order == ORDERS ? (order)pick(t, ORDERS) : h->order;
    t->marking = h->marking == MARKINGS ? (marking)pick(t, MARKINGS) : h->marking;
    t->updates = pick(t, 4);
    t->flush_odds = 1 + pick(t, 8);
}

/* Rounds with a database called `name`. */
static void assert_promise(const habit *h, const char *name, hp_clause_id clause)
{
    double since = dom_seconds();
    unsigned round = 0;
    dom_begin_program(NULL);
    tool t = {.random = dom_random_new(h->stream), .db = dom_db_new(name, 24)};

    t.source = open(t.db->path, O_RDONLY | O_CLOEXEC);
    assert_true(t.source >= 0);
    hp_promise(HP_DOM_CONSISTENT);
    hp_promise(clause);
    for (; !time_is_up(round, since); round++) {
        choose(&t, h);
        t.db->update_flags =
            pick(&t, 5) > 0 ? UPDATE_NOCOMMIT : 0; /* a sync costs most of a round */
        update_some(&t);
        t.backup = dom_backup_start(t.db);
        finish_round(&t, round);
    }
    hp_log("%u backups in %.1f s", round, dom_seconds() - since);
    (void)close(t.source);
    dom_db_end(t.db);
    dom_end_program();
    if (round < ROUNDS_AT_LEAST) {
        hp_unresolved("only %u rounds in the time", round);
    }
}

/* A tool that knows nothing of marks and copies in any order. */
static void a_copy_in_any_order_and_any_pieces_becomes_the_database_at_the_start(void **state)
{
    (void)state;
    const habit h = {.order = ORDERS, .marking = NO_MARKS, .stream = 1};

    assert_promise(&h, "live.nsf", HP_DOM_MARK_OPTIONAL);
}

/* A tool that copies from the front and sets its mark exactly, or late, or lower than before. */
static void a_sequential_copy_with_any_marks_behind_it_becomes_the_database_at_the_start(
    void **state)
{
    (void)state;
    const habit h = {.order = FORWARDS, .marking = MARKINGS, .stream = 2};

    assert_promise(&h, "live.nsf", HP_DOM_MARK_SEQUENTIAL);
}

/* A tool that copies in any order and marks what it has copied without a gap. */
static void a_copy_in_any_order_with_any_marks_becomes_the_database_at_the_start(void **state)
{
    (void)state;
    const habit h = {.order = ORDERS, .marking = MARKINGS, .stream = 3};

    assert_promise(&h, "live.nsf", HP_DOM_CONSISTENT_FIRST_IMAGE);
}

/* The same without a log to tell which pages changed. */
static void a_copy_of_a_database_outside_the_data_directory_becomes_the_database_at_the_start(
    void **state)
{
    (void)state;
    const habit h = {.order = ORDERS, .marking = MARKINGS, .stream = 5};
    char *path = dom_absolute("outside.nsf");

    assert_promise(&h, path, HP_DOM_UNLOGGED);
    free(path);
}

/* ---- writers of other threads ---- */

/* Whoever updates holds the gate for reading; who must know the database at the start closes it. */
typedef struct writers {
    dom_db *db;
    pthread_rwlock_t gate;
    _Atomic bool stop;
    _Atomic unsigned updates;
    _Atomic uint16_t status; /* the first that was not NOERROR */
} writers;

typedef struct writer {
    writers *all;
    unsigned number;
    dom_random random;
} writer;

/* Each writer has notes of its own; the last one flushes too. */
static void *write_notes(void *argument)
{
    writer *w = argument;
    unsigned first = w->number * NOTES_OF_A_WRITER;

    while (!atomic_load(&w->all->stop) && atomic_load(&w->all->status) == NOERROR) {
        unsigned i = first + (unsigned)dom_pick(&w->random, NOTES_OF_A_WRITER);

        (void)pthread_rwlock_rdlock(&w->all->gate);
        uint16_t status =
            dom_update_note(w->all->db, i, 1 + (unsigned)dom_pick(&w->random, LARGEST_NOTE / 3));
        if (status == NOERROR && w->number + 1 == WRITERS) {
            status = dom_flush(w->all->db);
        }
        (void)pthread_rwlock_unlock(&w->all->gate);
        if (status != NOERROR) {
            atomic_store(&w->all->status, status);
        }
        (void)atomic_fetch_add(&w->all->updates, 1);
    }
    return NULL;
}

static void start_writers(writers *all, writer *each, pthread_t *threads)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        each[i] = (writer){.all = all, .number = i, .random = dom_random_new(100 + i)};
        if (pthread_create(&threads[i], NULL, write_notes, &each[i]) != 0) {
            hp_unresolved("pthread_create: %s", strerror(errno));
        }
    }
}

static void stop_writers(writers *all, pthread_t *threads)
{
    atomic_store(&all->stop, true);
    for (unsigned i = 0; i < WRITERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

/* Start with the gate closed, so that the file is the database at the start when it is read. */
static dom_backup start_at_the_gate(writers *all)
{
    (void)pthread_rwlock_wrlock(&all->gate);
    dom_backup b = dom_backup_start(all->db);
    (void)pthread_rwlock_unlock(&all->gate);
    return b;
}

/* Writers and flushes at any moment of the copy, not only between two reads. */
static void a_copy_under_writers_becomes_the_database_at_the_start(void **state)
{
    (void)state;
    double since = dom_seconds();
    const habit h = {.order = ORDERS, .marking = MARKINGS, .stream = 4};
    unsigned round = 0;
    dom_begin_program(NULL);
    tool t = {.random = dom_random_new(h.stream),
        .db = dom_db_new("live.nsf", WRITERS * NOTES_OF_A_WRITER)};
    writers all = {.db = t.db};
    writer each[WRITERS];
    pthread_t threads[WRITERS];

    pthread_rwlockattr_t no_starving; /* of whoever closes the gate */

    t.db->update_flags = UPDATE_NOCOMMIT;
    (void)pthread_rwlockattr_init(&no_starving);
    (void)pthread_rwlockattr_setkind_np(&no_starving, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&all.gate, &no_starving);
    t.source = open(t.db->path, O_RDONLY | O_CLOEXEC);
    assert_true(t.source >= 0);
    start_writers(&all, each, threads);
    hp_promise(HP_DOM_CONSISTENT);
    hp_promise(HP_DOM_WRITES_GO_ON);
    for (; !time_is_up(round, since) && atomic_load(&all.status) == NOERROR; round++) {
        choose(&t, &h);
        t.updates = 0; /* the notes are the writers' */
        t.backup = start_at_the_gate(&all);
        finish_round(&t, round);
    }
    stop_writers(&all, threads);
    dom_expect(atomic_load(&all.status), "an update of a writer");
    hp_log("%u backups under %u updates", round, atomic_load(&all.updates));
    (void)close(t.source);
    dom_db_end(t.db);
    dom_end_program();
}

const hp_case dom_promise_cases[] = {
    HP_SLOW_CASE(a_copy_in_any_order_and_any_pieces_becomes_the_database_at_the_start, 90,
        HP_DOM_CONSISTENT, HP_DOM_MARK_OPTIONAL),
    HP_SLOW_CASE(a_sequential_copy_with_any_marks_behind_it_becomes_the_database_at_the_start, 90,
        HP_DOM_CONSISTENT, HP_DOM_MARK_SEQUENTIAL),
    HP_SLOW_CASE(a_copy_in_any_order_with_any_marks_becomes_the_database_at_the_start, 90,
        HP_DOM_CONSISTENT, HP_DOM_CONSISTENT_FIRST_IMAGE),
    HP_SLOW_CASE(a_copy_of_a_database_outside_the_data_directory_becomes_the_database_at_the_start,
        90, HP_DOM_CONSISTENT, HP_DOM_UNLOGGED),
    HP_SLOW_CASE(a_copy_under_writers_becomes_the_database_at_the_start, 90, HP_DOM_CONSISTENT,
        HP_DOM_WRITES_GO_ON),
    HP_CASE_END,
};
