/* Compaction in place: nothing is lost, the file gets shorter, and others go on meanwhile. */
#include "copying.h"
#include "crash_vfs.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/db.h"
#include "engine/error.h"

enum { PAGE = 512, KEYS = 1500 };

/* ---- databases with holes ---- */

/* What a database holds: 0 is no record. */
typedef struct model {
    uint32_t value[KEYS];
} model;

static size_t size_for(uint32_t value)
{
    return value % 11 == 0 ? 600 + value % 5000 : 20 + value % 90;
}

static void set(ref_db *db, ref_txn *txn, model *m, uint32_t key, uint32_t value)
{
    char name[16];
    if (value == 0) {
        snprintf(name, sizeof name, "k%05u", key);
        int error = del(db, txn, name);
        assert_true(error == 0 || error == REF_NOTFOUND);
    } else {
        assert_ok(put_number(db, txn, key, value, size_for(value)));
    }
    m->value[key] = value;
}

static void change(ref_db *db, model *m, uint64_t *seed, uint32_t count, uint32_t of_ten_removed)
{
    ref_txn_options lazy = {.no_sync = true};
    ref_txn *txn = begin(ref_db_env(db), &lazy);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key = next_random(seed) % KEYS;
        bool removed = next_random(seed) % 10 < of_ten_removed;
        set(db, txn, m, key, removed ? 0 : 1 + next_random(seed) % 100000);
    }
    assert_ok(ref_txn_commit(txn));
}

static void expect_model(ref_db *db, ref_txn *txn, const model *m)
{
    uint32_t value, count = 0;
    for (uint32_t key = 0; key < KEYS; key++) {
        int error = get_number(db, txn, key, &value);
        assert_int_equal(error, m->value[key] == 0 ? REF_NOTFOUND : 0);
        assert_true(error != 0 || value == m->value[key]);
        count += error == 0;
    }
    if (txn == NULL) {
        assert_int_equal(db_verify(db), count);
    }
}

/* Filled, then two thirds of it removed, here and there. */
static ref_db *make_holes(fixture *fix, model *m, uint64_t seed)
{
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    *m = (model){0};
    change(db, m, &seed, 2 * KEYS, 0);
    change(db, m, &seed, 2 * KEYS, 7);
    assert_ok(ref_checkpoint(fix->env, false));
    return db;
}

static uint64_t size_now(fixture *fix)
{
    return file_size(at_home(fix, "a.db"));
}

/* Pages in use, by the free list. */
static uint64_t size_needed(ref_db *db)
{
    ref_version *page;
    uint32_t free_pages = 0, count, pgno;
    assert_ok(ref_cache_get(db->file, 0, UINT64_MAX, &page));
    count = ref_get32(page->data + REF_META_AT_COUNT);
    pgno = ref_get32(page->data + REF_META_AT_FREE);
    while (pgno != 0) {
        ref_version *next;
        assert_ok(ref_cache_get(db->file, pgno, UINT64_MAX, &next));
        pgno = ref_get32(next->data + REF_PAGE_AT_LINK);
        free_pages++;
        pthread_mutex_lock(&ref_db_env(db)->mutex);
        ref_version_release(next);
        pthread_mutex_unlock(&ref_db_env(db)->mutex);
    }
    pthread_mutex_lock(&ref_db_env(db)->mutex);
    ref_version_release(page);
    pthread_mutex_unlock(&ref_db_env(db)->mutex);
    return (uint64_t)(count - free_pages) * PAGE;
}

/* ---- alone in the house ---- */

static void count_pause(void *context)
{
    ++*(unsigned *)context;
}

static void the_file_gets_as_short_as_it_can_and_nothing_is_lost(void **state)
{
    fixture *fix = *state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        model m;
        unsigned pauses = 0;
        uint64_t saved;
        ref_db *db = make_holes(fix, &m, seed);
        uint64_t before = size_now(fix), needed = size_needed(db);
        assert_true(needed < before);
        assert_ok(ref_db_compact(db, count_pause, &pauses, &saved));
        assert_int_equal(size_now(fix), needed);
        assert_int_equal(saved, before - needed);
        assert_in_range(pauses, 2, 1000); /* in steps */
        assert_false(ref_db_is_compacting(db));
        expect_model(db, NULL, &m);
        assert_ok(ref_db_compact(db, NULL, NULL, &saved)); /* again: nothing to do */
        assert_int_equal(saved, 0);
        change(db, &m, &seed, 300, 3); /* and the file can grow again */
        expect_model(db, NULL, &m);
        assert_ok(ref_db_close(db));
        env_close(fix);
        env_open(fix);
        db = db_open(fix->env, "a.db");
        expect_model(db, NULL, &m);
        assert_ok(ref_db_close(db));
        env_close(fix);
        tree_remove(fix->home);
        dir_make(fix->home);
    }
}

static void an_empty_database_shrinks_to_two_pages(void **state)
{
    fixture *fix = *state;
    model m;
    ref_db *db = make_holes(fix, &m, 3);
    assert_ok(ref_db_truncate(db, NULL, NULL));
    assert_ok(ref_db_compact(db, NULL, NULL, NULL));
    assert_int_equal(size_now(fix), 2 * PAGE);
    assert_int_equal(db_verify(db), 0);
    assert_ok(ref_db_close(db));
}

static void a_database_alone_is_compacted_in_the_same_way(void **state)
{
    fixture *fix = *state;
    ref_db_options creating = {.create = true, .page_size = PAGE};
    const char *path = at_dir(fix, "alone.db");
    uint64_t seed = 4, saved;
    model m = {0};
    ref_db *db;
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &creating, &db));
    change(db, &m, &seed, KEYS, 0);
    change(db, &m, &seed, KEYS, 8);
    assert_ok(ref_db_sync(db));
    uint64_t before = file_size(path), needed = size_needed(db);
    assert_ok(ref_db_compact(db, NULL, NULL, &saved));
    assert_int_equal(saved, before - needed);
    assert_int_equal(file_size(path), needed);
    expect_model(db, NULL, &m);
    assert_ok(ref_db_close(db));
}

static void a_handle_for_reading_does_not_compact(void **state)
{
    fixture *fix = *state;
    ref_db_options reading = {.read_only = true};
    model m;
    ref_db *db = make_holes(fix, &m, 5), *reader;
    assert_ok(ref_db_open(fix->env, NULL, "a.db", &reading, &reader));
    assert_fails(ref_db_compact(reader, NULL, NULL, NULL), EACCES, "");
    assert_ok(ref_db_close(reader));
    assert_ok(ref_db_close(db));
}

/* ---- others ---- */

typedef struct guest {
    fixture *fix;
    ref_db *db;
    model *m;
    uint64_t seed;
    unsigned pauses;
    unsigned busy;
} guest;

static void write_meanwhile(void *context)
{
    guest *g = context;
    g->pauses++;
    change(g->db, g->m, &g->seed, 1 + next_random(&g->seed) % 40, next_random(&g->seed) % 10);
    if (next_random(&g->seed) % 4 == 0) {
        assert_ok(ref_checkpoint(g->fix->env, false));
    }
}

static void writers_go_on_between_the_steps(void **state)
{
    fixture *fix = *state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        model m;
        guest g = {.fix = fix, .m = &m, .seed = seed};
        g.db = make_holes(fix, &m, seed);
        assert_ok(ref_db_compact(g.db, write_meanwhile, &g, NULL));
        assert_true(g.pauses > 1);
        expect_model(g.db, NULL, &m);
        assert_int_equal(size_now(fix), size_needed(g.db)); /* nobody wrote after the last step */
        assert_ok(ref_db_close(g.db));
        env_close(fix);
        tree_remove(fix->home);
        dir_make(fix->home);
    }
}

static void readers_keep_their_state_and_the_file_its_end_until_they_have_gone(void **state)
{
    fixture *fix = *state;
    model m;
    fix->options.cache_size = 40000;
    ref_db *db = make_holes(fix, &m, 6);
    model before = m;
    uint64_t size = size_now(fix), needed = size_needed(db), seed = 1;
    ref_txn *reader = begin(fix->env, NULL);
    assert_int_equal(ref_db_get(db, reader, text("x"), false, NULL), REF_NOTFOUND);
    assert_ok(ref_db_compact(db, NULL, NULL, NULL));
    assert_int_equal(size_now(fix), size);
    change(db, &m, &seed, 200, 3);
    expect_model(db, NULL, &m);
    expect_model(db, reader, &before);
    assert_ok(ref_checkpoint(fix->env, true));
    assert_int_equal(size_now(fix), size);
    expect_model(db, reader, &before);
    assert_ok(ref_txn_commit(reader));
    assert_ok(ref_checkpoint(fix->env, true));
    assert_true(size_now(fix) < size);
    assert_true(size_now(fix) >= needed);
    expect_model(db, NULL, &m);
    assert_ok(ref_db_close(db));
}

/* Free pages too: a backup of one database copies them all. */
static void a_state_that_is_kept_has_every_page_it_had(void **state)
{
    fixture *fix = *state;
    model m;
    uint8_t page[PAGE];
    uint32_t count, again;
    ref_snapshot still;
    ref_db *db = make_holes(fix, &m, 15);
    uint64_t seed = 2;
    assert_ok(ref_db_close(db));
    env_close(fix);
    fix->options.cache_size = 20000; /* the free pages are not in it */
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_ok(ref_still_begin(fix->env, &still));
    assert_ok(ref_still_page_count(fix->env, &still, &db->file->id, &count));
    assert_ok(ref_db_compact(db, NULL, NULL, NULL));
    change(db, &m, &seed, KEYS, 0); /* the file grows over what was dropped */
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(ref_still_page_count(fix->env, &still, &db->file->id, &again));
    assert_int_equal(again, count);
    for (uint32_t pgno = 0; pgno < count; pgno++) {
        assert_ok(ref_still_page(fix->env, &still, &db->file->id, pgno, page));
        assert_int_equal(ref_page_check(page, PAGE, pgno), REF_PAGE_SOUND);
    }
    ref_still_end(fix->env, &still);
    expect_model(db, NULL, &m);
    assert_ok(ref_db_close(db));
}

static void try_capture(void *context)
{
    guest *g = context;
    ref_capture *capture;
    uint64_t size;
    assert_true(ref_db_is_compacting(g->db));
    g->busy += ref_capture_start(g->db, NULL, &capture, &size) == EBUSY;
    assert_int_equal(ref_db_compact(g->db, NULL, NULL, NULL), EBUSY);
    g->pauses++;
}

static void capture_and_compaction_exclude_each_other(void **state)
{
    fixture *fix = *state;
    model m;
    uint64_t size;
    ref_capture *capture;
    guest g = {.fix = fix, .m = &m};
    g.db = make_holes(fix, &m, 7);
    ref_db *again = db_open(fix->env, "a.db");
    assert_ok(ref_capture_start(again, NULL, &capture, &size));
    assert_fails(ref_db_compact(g.db, NULL, NULL, NULL), EBUSY, "captured");
    assert_false(ref_db_is_compacting(g.db));
    assert_ok(ref_capture_stop(capture));
    assert_fails(ref_db_compact(g.db, NULL, NULL, NULL), EBUSY, "captured");
    ref_capture_end(capture);
    assert_ok(ref_db_compact(g.db, try_capture, &g, NULL));
    assert_true(g.pauses > 1);
    assert_int_equal(g.busy, g.pauses);
    assert_ok(ref_capture_start(g.db, NULL, &capture, &size));
    assert_int_equal(size, size_now(fix));
    ref_capture_end(capture);
    assert_ok(ref_db_close(again));
    assert_ok(ref_db_close(g.db));
}

/* The end that a reader has kept is not cut off under a capture that has begun since. */
static void a_capture_keeps_the_end_of_the_file(void **state)
{
    fixture *fix = *state;
    model m;
    uint64_t size, seed = 3;
    ref_capture *capture;
    ref_db *db = make_holes(fix, &m, 8);
    ref_txn *reader = begin(fix->env, NULL);
    assert_int_equal(ref_db_get(db, reader, text("x"), false, NULL), REF_NOTFOUND);
    assert_ok(ref_db_compact(db, NULL, NULL, NULL));
    assert_ok(ref_capture_start(db, NULL, &capture, &size));
    image begun = image_of(at_home(fix, "a.db"));
    assert_ok(ref_txn_commit(reader));
    change(db, &m, &seed, 100, 3);
    assert_ok(ref_checkpoint(fix->env, true));
    assert_int_equal(size_now(fix), size);
    file_copy(at_home(fix, "a.db"), at_dir(fix, "copy"));
    assert_ok(ref_capture_stop(capture));
    image stream = stream_of(capture, &seed);
    assert_ok(stream_apply(&fix->vfs.vfs, at_dir(fix, "copy"), &stream, &seed));
    assert_true(image_is(&begun, at_dir(fix, "copy")));
    ref_capture_end(capture);
    assert_ok(ref_checkpoint(fix->env, true));
    assert_true(size_now(fix) < size);
    free(begun.bytes);
    free(stream.bytes);
    assert_ok(ref_db_close(db));
}

/* ---- backups ---- */

typedef struct backup_sink {
    ref_db *db;
    bool done;
} backup_sink;

static int sink_open(void *context, const char *name, void **file)
{
    (void)name;
    *file = context;
    return 0;
}

static int sink_write(void *context, void *file, uint64_t offset, const void *data, size_t size)
{
    backup_sink *to = context;
    (void)file;
    (void)offset;
    (void)data;
    (void)size;
    if (!to->done) {
        to->done = true;
        assert_ok(ref_db_compact(to->db, NULL, NULL, NULL));
    }
    return 0;
}

static int sink_close(void *context, const char *name, void *file)
{
    (void)context;
    (void)name;
    (void)file;
    return 0;
}

static void a_backup_is_not_disturbed(void **state)
{
    fixture *fix = *state;
    model m;
    ref_db *db = make_holes(fix, &m, 9);
    backup_sink to = {.db = db};
    ref_sink sink = {&to, sink_open, sink_write, sink_close};
    ref_backup_options options = {.sink = &sink, .target = at_dir(fix, "to"), .buffer_size = PAGE};
    uint64_t size = size_now(fix);
    assert_ok(ref_backup(fix->env, &options));
    assert_true(to.done);
    assert_int_equal(size_now(fix), size);
    assert_ok(ref_checkpoint(fix->env, true));
    assert_true(size_now(fix) < size);
    expect_model(db, NULL, &m);
    assert_ok(ref_db_close(db));
}

/* The copy's log begins in the middle of a segment's life: it has changes of pages that were cut
 * off since, without whole images of them. */
static void a_copy_made_after_it_opens(void **state)
{
    fixture *fix = *state;
    for (uint64_t seed = 1; seed < 12; seed++) {
        ref_backup_options options = {.target = at_dir(fix, "copy"), .flags = REF_BACKUP_CREATE};
        model m;
        ref_env *env;
        fix->options.segment_size = 1u << 20;
        fix->options.log_auto_remove = true;
        ref_db *db = make_holes(fix, &m, seed);
        for (int i = 0; i < 4; i++) {
            change(db, &m, &seed, 200, 9);
            assert_ok(ref_checkpoint(fix->env, false));
        }
        assert_ok(ref_db_compact(db, NULL, NULL, NULL));
        change(db, &m, &seed, 50, 5);
        assert_ok(ref_backup(fix->env, &options));
        assert_ok(ref_db_close(db));
        env_close(fix);
        assert_ok(env_open_at(fix, at_dir(fix, "copy"), &env));
        db = db_open(env, "a.db");
        expect_model(db, NULL, &m);
        assert_ok(ref_db_close(db));
        assert_ok(ref_env_close(env));
        /* The same of the source itself. */
        fix->options.recover_fatal = true;
        env_open(fix);
        db = db_open(fix->env, "a.db");
        expect_model(db, NULL, &m);
        assert_ok(ref_db_close(db));
        env_close(fix);
        fix->options.recover_fatal = false;
        tree_remove(at_dir(fix, "copy"));
        tree_remove(fix->home);
        dir_make(fix->home);
    }
}

/* ---- threads ---- */

typedef struct crowd {
    ref_db *db;
    atomic_bool over;
    atomic_int failed;
} crowd;

static void *write_on(void *context)
{
    crowd *c = context;
    uint64_t seed = 99;
    while (!atomic_load(&c->over)) {
        uint32_t key = next_random(&seed) % KEYS;
        char name[16], value[2000] = {0};
        snprintf(name, sizeof name, "w%05u", key);
        size_t size = next_random(&seed) % sizeof value;
        int error = next_random(&seed) % 2 == 0
                        ? ref_db_del(c->db, NULL, text(name))
                        : ref_db_put(c->db, NULL, text(name), (ref_slice){value, size}, false);
        if (error != 0 && error != REF_NOTFOUND) {
            atomic_store(&c->failed, error);
        }
    }
    return NULL;
}

static void *read_on(void *context)
{
    crowd *c = context;
    while (!atomic_load(&c->over)) {
        uint64_t records;
        int error = ref_db_verify(c->db, &records);
        if (error != 0) {
            atomic_store(&c->failed, error);
        }
    }
    return NULL;
}

static void threads_read_and_write_meanwhile(void **state)
{
    fixture *fix = *state;
    model m;
    pthread_t writer, reader;
    ref_db *db = make_holes(fix, &m, 10);
    crowd c = {.db = db};
    assert_int_equal(pthread_create(&writer, NULL, write_on, &c), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_on, &c), 0);
    for (uint64_t seed = 1; seed < 6; seed++) {
        assert_ok(ref_db_compact(db, NULL, NULL, NULL));
        change(db, &m, &seed, 300, 4);
    }
    atomic_store(&c.over, true);
    pthread_join(writer, NULL);
    pthread_join(reader, NULL);
    assert_int_equal(atomic_load(&c.failed), 0);
    for (uint32_t key = 0; key < KEYS; key++) {
        uint32_t value = 0;
        int error = get_number(db, NULL, key, &value);
        assert_int_equal(error, m.value[key] == 0 ? REF_NOTFOUND : 0);
        assert_int_equal(value, m.value[key]);
    }
    db_verify(db);
    assert_ok(ref_db_close(db));
}

/* ---- crashes and damage ---- */

static void a_power_cut_anywhere_loses_nothing(void **state)
{
    fixture *fix = *state;
    bool over = false;
    for (uint64_t nth = 1; !over; nth += 1 + nth / 12) {
        model m;
        fault_rule cut = {
            .kinds = FAULT_CHANGES, .nth = nth, .error = EIO, .manner = FAULT_POWER_CUT};
        ref_db *db = make_holes(fix, &m, 11);
        assert_ok(ref_log_flush(fix->env));
        fault_set(&fix->vfs, &cut);
        int error = ref_db_compact(db, NULL, NULL, NULL);
        over = fault_injected(&fix->vfs) == 0;
        assert_true(over || error != 0);
        ref_db_close(db);
        env_crash(fix);
        env_open(fix);
        db = db_open(fix->env, "a.db");
        expect_model(db, NULL, &m);
        assert_ok(ref_db_compact(db, NULL, NULL, NULL));
        assert_int_equal(size_now(fix), size_needed(db));
        expect_model(db, NULL, &m);
        assert_ok(ref_db_close(db));
        env_close(fix);
        tree_remove(fix->home);
        dir_make(fix->home);
    }
}

/* The same, and of what was not synced any part is lost. */
static void a_power_cut_that_loses_something_loses_nothing_committed(void **state)
{
    fixture *fix = *state;
    char home[FIXTURE_PATH];
    bool over = false;
    snprintf(home, sizeof home, "%s", fix->home);
    for (uint64_t nth = 1; !over; nth += 1 + nth / 4) {
        ref_vfs *system = fix->vfs.next;
        crash_vfs disk;
        model m;
        fault_rule cut = {
            .kinds = FAULT_CHANGES, .nth = nth, .error = EIO, .manner = FAULT_POWER_CUT};
        crash_vfs_init(&disk, home);
        fix->vfs.next = &disk.vfs;
        fix->vfs.real_sync = true;
        ref_db *db = make_holes(fix, &m, 16);
        assert_ok(ref_log_flush(fix->env));
        fault_set(&fix->vfs, &cut);
        ref_db_compact(db, NULL, NULL, NULL);
        over = fault_injected(&fix->vfs) == 0;
        ref_db_close(db);
        env_crash(fix);
        fix->vfs.next = system;
        fix->vfs.real_sync = false;
        snprintf(fix->home, sizeof fix->home, "%s", at_dir(fix, "left"));
        for (uint64_t chance = 0; chance < 3; chance++) {
            crash_vfs_make_state(&disk, CRASH_SOME_LOST, nth * 100 + chance, fix->home);
            env_open(fix);
            db = db_open(fix->env, "a.db");
            expect_model(db, NULL, &m);
            assert_ok(ref_db_compact(db, NULL, NULL, NULL));
            assert_int_equal(size_now(fix), size_needed(db));
            expect_model(db, NULL, &m);
            assert_ok(ref_db_close(db));
            env_close(fix);
            tree_remove(fix->home);
        }
        snprintf(fix->home, sizeof fix->home, "%s", home);
        crash_vfs_destroy(&disk);
        tree_remove(home);
        dir_make(home);
    }
}

/* What is behind the last page after a crash between the commit and the cut. */
static void an_end_that_a_crash_left_is_cut_off_the_next_time(void **state)
{
    fixture *fix = *state;
    model m;
    uint64_t saved;
    ref_db *db = make_holes(fix, &m, 12);
    assert_ok(ref_db_compact(db, NULL, NULL, NULL));
    uint64_t size = size_now(fix);
    assert_ok(ref_db_close(db));
    env_close(fix);
    file_cut(at_home(fix, "a.db"), size + 100 * PAGE + 7);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_ok(ref_db_compact(db, NULL, NULL, &saved));
    assert_int_equal(saved, 100 * PAGE + 7);
    assert_int_equal(size_now(fix), size);
    expect_model(db, NULL, &m);
    assert_ok(ref_db_close(db));
}

static void a_file_that_cannot_be_cut_is_only_long(void **state)
{
    fixture *fix = *state;
    model m;
    uint64_t saved;
    ref_db *db = make_holes(fix, &m, 13);
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_TRUNCATE), "a.db", 1);
    assert_ok(ref_db_compact(db, NULL, NULL, &saved));
    assert_int_equal(fault_injected(&fix->vfs), 1);
    fault_heal(&fix->vfs);
    assert_int_equal(saved, 0);
    assert_ok(ref_checkpoint(fix->env, true));
    assert_int_equal(size_now(fix), size_needed(db));
    expect_model(db, NULL, &m);
    assert_ok(ref_db_close(db));
}

/* A page of the file, changed behind the engine's back and sealed again. */
static void rewrite(fixture *fix, uint32_t pgno, uint32_t at, uint32_t value)
{
    size_t size;
    uint8_t *bytes = file_read(at_home(fix, "a.db"), &size);
    ref_put32(bytes + (size_t)pgno * PAGE + at, value);
    ref_page_seal(bytes + (size_t)pgno * PAGE, PAGE);
    file_write(at_home(fix, "a.db"), bytes, size);
    free(bytes);
}

static void a_damaged_free_list_is_found(void **state)
{
    fixture *fix = *state;
    for (uint32_t damage = 0; damage < 4; damage++) {
        model m;
        size_t size;
        ref_db *db = make_holes(fix, &m, 14);
        assert_ok(ref_db_close(db));
        env_close(fix);
        uint8_t *bytes = file_read(at_home(fix, "a.db"), &size);
        uint32_t head = ref_get32(bytes + REF_META_AT_FREE);
        free(bytes);
        if (damage == 0) {
            rewrite(fix, head, REF_PAGE_AT_LINK, head); /* a circle */
        } else if (damage == 1) {
            rewrite(fix, head, REF_PAGE_AT_LINK, 1); /* in use */
        } else if (damage == 2) {
            rewrite(fix, head, REF_PAGE_AT_LINK, 0x7fffffff); /* beyond the end */
        } else {
            rewrite(fix, head, REF_PAGE_AT_LINK, 0); /* the others are in use for nothing */
        }
        env_open(fix);
        db = db_open(fix->env, "a.db");
        int error = ref_db_compact(db, NULL, NULL, NULL);
        assert_true(damage == 3 || error == REF_CORRUPT);
        assert_false(ref_db_is_compacting(db));
        for (uint32_t key = 0; key < KEYS; key++) {
            uint32_t value;
            error = get_number(db, NULL, key, &value);
            assert_int_equal(error, m.value[key] == 0 ? REF_NOTFOUND : 0);
        }
        assert_ok(ref_db_close(db));
        env_close(fix);
        tree_remove(fix->home);
        dir_make(fix->home);
    }
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(the_file_gets_as_short_as_it_can_and_nothing_is_lost),
    SCRATCH_TEST(an_empty_database_shrinks_to_two_pages),
    SCRATCH_TEST(a_database_alone_is_compacted_in_the_same_way),
    SCRATCH_TEST(a_handle_for_reading_does_not_compact),
    SCRATCH_TEST(writers_go_on_between_the_steps),
    SCRATCH_TEST(readers_keep_their_state_and_the_file_its_end_until_they_have_gone),
    SCRATCH_TEST(a_state_that_is_kept_has_every_page_it_had),
    SCRATCH_TEST(capture_and_compaction_exclude_each_other),
    SCRATCH_TEST(a_capture_keeps_the_end_of_the_file),
    SCRATCH_TEST(a_backup_is_not_disturbed),
    SCRATCH_TEST(a_copy_made_after_it_opens),
    SCRATCH_TEST(threads_read_and_write_meanwhile),
    SCRATCH_TEST(a_power_cut_anywhere_loses_nothing),
    SCRATCH_TEST(a_power_cut_that_loses_something_loses_nothing_committed),
    SCRATCH_TEST(an_end_that_a_crash_left_is_cut_off_the_next_time),
    SCRATCH_TEST(a_file_that_cannot_be_cut_is_only_long),
    SCRATCH_TEST(a_damaged_free_list_is_found),
};
TEST_MAIN(tests)
