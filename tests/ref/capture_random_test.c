/*
 * The central promise of capture: a copy taken in any order and in any pieces, under any writes,
 * with marks behind the true position, and the stream in any pieces, are the database at the
 * start, to the byte.
 *
 * Each run is decided by its seed. HOTPROOF_SEED=n runs that one, HOTPROOF_RUNS=n so many of each
 * kind. A run that depends on what earlier ones left in its home is found again by HOTPROOF_RUNS.
 */
#include "copying.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"

enum { DATABASES = 3, KEYS = 220, STEPS = 60 };

typedef enum kind { ONE_DATABASE, SEVERAL_DATABASES, COPIED_IN_CHECKPOINTS, ALL_IN_FILES } kind;

typedef struct subject {
    char name[32];
    char path[FIXTURE_PATH], to[FIXTURE_PATH];
    ref_db *db;
    ref_capture *capture; /* NULL: not now */
    image start;
    copier copy;
    uint64_t kept_limit;
} subject;

typedef struct world {
    fixture *fix;
    subject subjects[DATABASES];
    size_t count;
    uint64_t seed;
    kind what;
} world;

static uint32_t below(world *w, uint32_t limit)
{
    return next_random(&w->seed) % limit;
}

/* ---- writers ---- */

static void write_some(world *w, subject *s)
{
    ref_txn_options options = {.no_sync = true};
    ref_txn *txn = begin(w->fix->env, &options);
    uint32_t changes = 1 + below(w, 30), from = below(w, KEYS), spread = 1 + below(w, KEYS);
    bool shrinking = below(w, 4) == 0;
    for (uint32_t i = 0; i < changes; i++) {
        char key[16];
        uint32_t number = (from + below(w, spread)) % KEYS;
        snprintf(key, sizeof key, "k%05u", number);
        if (below(w, 3) == 0 || shrinking) {
            int error = del(s->db, txn, key);
            assert_true(error == 0 || error == REF_NOTFOUND);
        } else {
            size_t size = below(w, 9) == 0 ? 4 + below(w, 6000) : 4 + below(w, 120);
            assert_ok(put_number(s->db, txn, number, below(w, 1000), size));
        }
    }
    assert_ok(below(w, 8) == 0 ? ref_txn_abort(txn) : ref_txn_commit(txn));
}

/* ---- copying ---- */

static void copy_some(world *w, subject *s)
{
    copier_step(&s->copy);
    if (s->copy.in_order && below(w, 2) == 0) {
        uint64_t at = copier_position(&s->copy);
        uint64_t mark = below(w, 3) == 0 ? at - below(w, (uint32_t)at + 1) : at;
        assert_ok(ref_capture_mark(s->capture, mark));
    }
}

/* In the middle of a checkpoint: what was written is there, what comes is not. */
static void before_operation(void *context, fault_kind operation, const char *path)
{
    world *w = context;
    (void)path;
    if (operation != FAULT_WRITE || w->what != COPIED_IN_CHECKPOINTS) {
        return;
    }
    for (size_t i = 0; i < w->count; i++) {
        subject *s = &w->subjects[i];
        if (s->capture != NULL && below(w, 4) == 0) {
            copier_step(&s->copy);
        }
    }
}

static void start(world *w, subject *s)
{
    ref_capture_options options = {.memory_limit = (uint64_t)1 + below(w, 4) * below(w, 40000),
        .spill_dir = below(w, 2) == 0 ? NULL : w->fix->dir};
    uint64_t size, pass = w->seed;
    if (w->what == ALL_IN_FILES) {
        options.memory_limit = 1;
    }
    assert_ok(ref_capture_start(s->db, &options, &s->capture, &size));
    s->start = image_of(s->path);
    assert_int_equal(s->start.size, size);
    copier_open(&s->copy, s->path, s->to, size, below(w, 2) == 0, &pass);
}

static void check_opens(world *w, const subject *s)
{
    ref_db_options options = {.read_only = true};
    ref_copy_state what;
    ref_db *db;
    assert_ok(ref_copy_state_of(&w->fix->vfs.vfs, s->to, &what));
    assert_int_equal(what, REF_COPY_APPLIED);
    assert_ok(ref_db_open_alone(&w->fix->vfs.vfs, s->to, &options, &db));
    db_verify(db);
    assert_ok(ref_db_close(db));
}

/* A stream that is not the whole and right one never makes the copy good. */
static void spoil(world *w, const subject *s, const image *stream)
{
    image bad = {malloc(stream->size + 1), stream->size};
    assert_non_null(bad.bytes);
    memcpy(bad.bytes, stream->bytes, stream->size);
    uint32_t at = below(w, (uint32_t)stream->size);
    if (below(w, 2) == 0) {
        bad.bytes[at] ^= (uint8_t)(1u << below(w, 8));
    } else {
        bad.size = at;
    }
    int error = stream_apply(&w->fix->vfs.vfs, s->to, &bad, &w->seed);
    if (bad.size > 0 || error != 0) {
        assert_int_equal(error, REF_CORRUPT);
    }
    free(bad.bytes);
}

static void finish(world *w, subject *s)
{
    copier_close(&s->copy);
    assert_ok(ref_capture_stop(s->capture));
    if (below(w, 2) == 0) {
        write_some(w, s);
        assert_ok(ref_checkpoint(w->fix->env, false));
    }
    image stream = stream_of(s->capture, &w->seed);
    if (stream.size > 0 && below(w, 4) == 0) {
        spoil(w, s, &stream);
    }
    for (uint32_t times = 1 + below(w, 2); times > 0; times--) {
        assert_ok(stream_apply(&w->fix->vfs.vfs, s->to, &stream, &w->seed));
        assert_true(image_is(&s->start, s->to));
    }
    check_opens(w, s);
    ref_capture_end(s->capture);
    s->capture = NULL;
    free(stream.bytes);
    free(s->start.bytes);
}

/* ---- runs ---- */

static void open_all(world *w)
{
    env_open(w->fix);
    for (size_t i = 0; i < w->count; i++) {
        subject *s = &w->subjects[i];
        static const uint32_t sizes[] = {512, 512, 1024, 4096};
        ref_db_options options = {.create = true, .page_size = sizes[below(w, 4)]};
        snprintf(s->name, sizeof s->name, "%zu.db", i);
        snprintf(s->path, sizeof s->path, "%.900s/%zu.db", w->fix->home, i);
        snprintf(s->to, sizeof s->to, "%.900s/%zu.db.copy", w->fix->dir, i);
        assert_ok(ref_db_open(w->fix->env, NULL, s->name, &options, &s->db));
    }
}

static void close_all(world *w)
{
    for (size_t i = 0; i < w->count; i++) {
        subject *s = &w->subjects[i];
        if (s->capture != NULL) {
            finish(w, s);
        }
        db_verify(s->db);
        assert_ok(ref_db_close(s->db));
    }
    env_close(w->fix);
}

static void compact(world *w, subject *s)
{
    uint64_t saved;
    if (s->capture != NULL) {
        assert_fails(ref_db_compact(s->db, NULL, NULL, NULL), EBUSY, s->name);
        return;
    }
    assert_ok(ref_checkpoint(w->fix->env, false));
    uint64_t before = file_size(s->path);
    assert_ok(ref_db_compact(s->db, NULL, NULL, &saved));
    assert_int_equal(file_size(s->path), before - saved);
}

static void step(world *w)
{
    subject *s = &w->subjects[below(w, (uint32_t)w->count)];
    switch (below(w, 9)) {
    case 8:
        compact(w, s);
        break;
    case 0:
    case 1:
    case 2:
        write_some(w, s);
        break;
    case 3:
        assert_ok(ref_checkpoint(w->fix->env, false));
        break;
    case 4:
    case 5:
        if (s->capture == NULL) {
            start(w, s);
        } else {
            copy_some(w, s);
        }
        break;
    case 6:
        if (s->capture != NULL) {
            copy_some(w, s);
        }
        break;
    default:
        if (s->capture != NULL && below(w, 4) == 0) {
            finish(w, s);
        }
        break;
    }
}

static void run(fixture *fix, kind what, uint64_t seed)
{
    world w = {.fix = fix, .what = what};
    w.seed = (seed * 4 + (uint64_t)what) * 0x9e3779b97f4a7c15u;
    w.count = what == ONE_DATABASE ? 1 : 1 + below(&w, DATABASES);
    fix->vfs.before = before_operation;
    fix->vfs.before_context = &w;
    open_all(&w);
    for (int i = 0; i < STEPS; i++) {
        step(&w);
    }
    close_all(&w);
    fix->vfs.before = NULL;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text_value = getenv(name);
    return text_value != NULL ? strtoull(text_value, NULL, 0) : otherwise;
}

/* Seeds are numbered from 1; eight runs live in one home, which grows old. */
static void run_all(fixture *fix, kind what)
{
    uint64_t only = number_from("HOTPROOF_SEED", 0), runs = number_from("HOTPROOF_RUNS", 500);
    uint64_t seed = only != 0 ? only : 1, last = only != 0 ? only : runs;
    for (bool first = true; seed <= last; seed++, first = false) {
        print_message("seed %llu\n", (unsigned long long)seed);
        if (first || seed % 8 == 0) {
            tree_remove(fix->home);
            dir_make(fix->home);
        }
        run(fix, what, seed);
    }
}

static void one_database(void **state)
{
    run_all(*state, ONE_DATABASE);
}

static void several_databases_at_once(void **state)
{
    run_all(*state, SEVERAL_DATABASES);
}

static void pieces_copied_in_the_middle_of_checkpoints(void **state)
{
    run_all(*state, COPIED_IN_CHECKPOINTS);
}

static void images_in_files(void **state)
{
    run_all(*state, ALL_IN_FILES);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(one_database),
    SCRATCH_TEST(several_databases_at_once),
    SCRATCH_TEST(pieces_copied_in_the_middle_of_checkpoints),
    SCRATCH_TEST(images_in_files),
};
TEST_MAIN(tests)
