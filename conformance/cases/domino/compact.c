/* In-place compaction and backup: one at a time, and each whole. */
#include "domino_cases.h"
#include "domino_provoke.h"
#include "domino_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

enum { NOTES = 150, LARGE = 11000 };

/* A database of which half the notes were deleted, so that there is something to compact. */
static dom_db *database_with_gaps(void)
{
    dom_db *db = dom_db_new("live.nsf", NOTES);

    dom_update_all(db, LARGE);
    for (unsigned i = 0; i < NOTES; i += 2) {
        dom_need(dom_delete_note(db, i), "delete a note");
    }
    dom_need(dom_flush(db), "flush");
    return db;
}

static STATUS compact(dom_db *db, DWORD *sizes)
{
    sizes[0] = sizes[1] = 0;
    return NSFDbCompact(db->name, 0, sizes);
}

/* Tries to start a backup in the middle of the compaction. */
typedef struct attempt {
    uint32_t handle;
    _Atomic unsigned count;
    _Atomic STATUS status; /* of the last */
} attempt;

static void try_to_start(void *argument)
{
    attempt *a = argument;
    DHANDLE context = NULLHANDLE;
    DWORD low, high;
    STATUS status = NSFBackupStart(a->handle, 0, &context, &low, &high);

    if (status == NOERROR) {
        (void)NSFBackupEnd(a->handle, context, BACKUPEND_ABORT);
    }
    atomic_store(&a->status, status);
    (void)atomic_fetch_add(&a->count, 1);
}

/* Pages move: what was copied yesterday at one place is at another. No backup begins there. */
static void a_start_during_compaction_returns_ERR_CANT_BACKUP_DURING_COMPACT(void **state)
{
    (void)state;
    DWORD sizes[2];
    if (dom_provoke.pause_compaction == NULL) {
        hp_unsupported("no way to meet a compaction in progress");
    }
    dom_begin_program(NULL);
    dom_db *db = database_with_gaps();
    attempt a = {.handle = db->handle};

    dom_provoke.pause_compaction(try_to_start, &a);
    dom_need(compact(db, sizes), "NSFDbCompact");
    dom_provoke.pause_compaction(NULL, NULL);
    if (atomic_load(&a.count) == 0) {
        hp_unresolved("the compaction made no pause");
    }
    hp_promise(HP_DOM_START_DURING_COMPACT);
    assert_int_equal(ERR(atomic_load(&a.status)), ERR_CANT_BACKUP_DURING_COMPACT);
    hp_promise(HP_DOM_START_AFTER_COMPACT);
    dom_assert_notes(db->handle, db);
    dom_assert_usable(db);
    dom_db_end(db);
    dom_end_program();
}

/* A thread that compacts again and again. */
typedef struct compactor {
    dom_db *db;
    _Atomic bool stop;
    _Atomic unsigned done, refused;
    _Atomic STATUS status; /* the first that was neither NOERROR nor a refusal */
} compactor;

static void *compact_again(void *argument)
{
    compactor *c = argument;
    DWORD sizes[2];

    (void)NotesInitThread();
    while (!atomic_load(&c->stop) && atomic_load(&c->status) == NOERROR) {
        STATUS status = compact(c->db, sizes);

        if (status == NOERROR) {
            (void)atomic_fetch_add(&c->done, 1);
        } else if (ERR(status) == ERR_BACKUP_ALREADY_IN_PROGRESS) {
            (void)atomic_fetch_add(&c->refused, 1);
        } else {
            atomic_store(&c->status, status);
        }
        dom_pause_ms(1);
    }
    NotesTermThread();
    return NULL;
}

/* One backup, if it can be started; its copy becomes the database at the start. */
static bool back_up(dom_db *db, unsigned round)
{
    DHANDLE context = NULLHANDLE;
    DWORD low, high;
    STATUS status = NSFBackupStart(db->handle, 0, &context, &low, &high);

    if (ERR(status) == ERR_CANT_BACKUP_DURING_COMPACT) {
        return false;
    }
    dom_expect(status, "NSFBackupStart");
    dom_backup b = {.db = db, .context = context, .account = *db};
    b.size = (uint64_t)high << 32 | low;
    b.image = dom_read_head(db->path, b.size);
    for (unsigned i = 1; i < 20; i += 2) {
        dom_expect(dom_update_note(db, i, LARGE - (round + i) % 7 * 1400), "an update");
    }
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_free(&b);
    return true;
}

/* Whoever comes first goes first, the other is told; nobody waits for ever and nothing breaks. */
static void backups_and_compactions_at_once_take_turns(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = database_with_gaps();
    compactor c = {.db = db};
    pthread_t thread;
    unsigned backups = 0, refused = 0;
    double since = dom_seconds();
    if (pthread_create(&thread, NULL, compact_again, &c) != 0) {
        hp_unresolved("pthread_create: %s", strerror(errno));
    }
    hp_promise(HP_DOM_START_AFTER_COMPACT);
    for (unsigned round = 0; backups < 40 && dom_seconds() - since < 20 * hp_timeout_scale();
         round++) {
        bool done = back_up(db, round);

        backups += done;
        refused += !done;
        dom_pause_ms(2);
    }
    atomic_store(&c.stop, true);
    (void)pthread_join(thread, NULL);
    hp_log("%u backups, %u refused; %u compactions, %u refused", backups, refused,
        atomic_load(&c.done), atomic_load(&c.refused));
    dom_expect(atomic_load(&c.status), "NSFDbCompact");
    assert_true(backups > 0);
    dom_assert_notes(db->handle, db);
    dom_db_end(db);
    dom_end_program();
}

/* The database is in backup until the end, so after the stop, too. */
static void compaction_during_a_backup_is_refused_and_the_backup_is_whole(void **state)
{
    (void)state;
    DWORD sizes[2];
    dom_begin_program(NULL);
    dom_db *db = database_with_gaps();
    dom_backup b = dom_backup_start(db);
    dom_bytes copy = dom_read_head(db->path, b.size / 2);

    hp_promise(HP_DOM_COMPACT_REFUSED);
    assert_int_equal(ERR(compact(db, sizes)), ERR_BACKUP_ALREADY_IN_PROGRESS);
    dom_update_all(db, 2000);
    dom_expect(dom_flush(db), "flush");
    assert_int_equal(ERR(compact(db, sizes)), ERR_BACKUP_ALREADY_IN_PROGRESS);
    dom_bytes late = dom_read_head(db->path, b.size);
    memcpy(late.data, copy.data, copy.size);
    dom_write_file("copy.nsf", late);
    dom_backup_stop(&b);
    assert_int_equal(ERR(compact(db, sizes)), ERR_BACKUP_ALREADY_IN_PROGRESS);
    dom_bytes stream = dom_read_stream(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_backup_end(&b);
    assert_int_equal(compact(db, sizes), NOERROR);
    dom_assert_notes(db->handle, db);
    dom_free(&stream);
    dom_free(&copy);
    dom_free(&late);
    dom_db_end(db);
    dom_end_program();
}

/* Yesterday's backup was of the longer file, today's is of the shorter. */
static void a_compacted_database_is_backed_up_at_its_new_size(void **state)
{
    (void)state;
    DWORD sizes[2];
    dom_begin_program(NULL);
    dom_db *db = database_with_gaps();
    uint64_t before = dom_file_size(db->path);
    dom_need(compact(db, sizes), "NSFDbCompact");
    if (dom_file_size(db->path) >= before) {
        hp_unresolved("compaction gained nothing");
    }
    dom_backup b = dom_backup_start(db);

    hp_promise(HP_DOM_START_SIZE);
    assert_int_equal(b.size, dom_file_size(db->path));
    assert_true(b.size < before);
    hp_promise(HP_DOM_START_AFTER_COMPACT);
    dom_update_all(db, 5000);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_assert_holds("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

const hp_case dom_compact_cases[] = {
    HP_CASE(a_start_during_compaction_returns_ERR_CANT_BACKUP_DURING_COMPACT,
        HP_DOM_START_DURING_COMPACT, HP_DOM_START_AFTER_COMPACT),
    HP_SLOW_CASE(backups_and_compactions_at_once_take_turns, 60, HP_DOM_START_AFTER_COMPACT),
    HP_CASE(compaction_during_a_backup_is_refused_and_the_backup_is_whole, HP_DOM_COMPACT_REFUSED),
    HP_CASE(a_compacted_database_is_backed_up_at_its_new_size, HP_DOM_START_SIZE,
        HP_DOM_START_AFTER_COMPACT),
    HP_CASE_END,
};
