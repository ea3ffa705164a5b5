/*
 * What backup programs do: the calls of the toolkit's sample program in its order, with its buffer
 * and its marks, a hundred times, while other threads update the database. Nothing is known of the
 * moment of the start but this: each writer updates its notes in turn, so the backup must hold the
 * first so many updates of each, and no other; and not fewer than were done before the start, nor
 * more than after it.
 */
#include "domino_cases.h"
#include "domino_support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <global.h>
#include <nsfdata.h>
#include <nsfdb.h>
#include <nsferr.h>
#include <oserr.h>
#include <osmem.h>

enum { WRITERS = 2, NOTES_OF_A_WRITER = 15, BACKUPS = 100, BUFFER_SIZE = 32768, MARK_EVERY = 10 };

typedef struct writer {
    dom_db *db;
    unsigned number;
    _Atomic unsigned updates;
    _Atomic bool *stop;
    uint16_t status;
} writer;

/* Updates its notes in turn; after some of the updates everything goes to the file. */
static void *update_in_turn(void *argument)
{
    writer *w = argument;
    unsigned first = w->number * NOTES_OF_A_WRITER;

    w->status = NotesInitThread();
    while (!atomic_load(w->stop) && w->status == NOERROR) {
        unsigned done = atomic_load(&w->updates);

        w->status =
            dom_update_note(w->db, first + done % NOTES_OF_A_WRITER, 100 + done * 37 % 2500);
        if (w->status == NOERROR) {
            (void)atomic_fetch_add(&w->updates, 1);
        }
        if (w->status == NOERROR && done % 5 == w->number) {
            w->status = dom_flush(w->db);
        }
    }
    NotesTermThread();
    return NULL;
}

/* ---- the program ---- */

/* What the program has open. */
typedef struct program {
    DBHANDLE db;
    DHANDLE backup, buffer_handle;
    char *buffer;
    int source, target;
} program;

/* Copies `size` bytes and tells now and then how far it is. */
static STATUS copy_file(program *p, uint64_t size)
{
    STATUS error = NOERROR;
    uint64_t position = 0;

    for (unsigned reads = 0; position < size && error == NOERROR;) {
        size_t bytes = (size_t)min(BUFFER_SIZE, size - position);

        if (read(p->source, p->buffer, bytes) != (ssize_t)bytes) {
            return ERR_IOERROR;
        }
        position += bytes;
        if (++reads % MARK_EVERY == 0) {
            error = NSFBackupSetHighWaterMark(
                p->db, p->backup, (DWORD)(position & MAXDWORD), (DWORD)(position >> 32));
        }
        if (write(p->target, p->buffer, bytes) != (ssize_t)bytes) {
            return ERR_IOERROR;
        }
    }
    return error;
}

/* Fetches the change information and applies it, piece by piece, until a piece is empty. */
static STATUS apply_changes(program *p, char *backup_file)
{
    DWORD size_low, size_high, filled;
    DHANDLE apply = NULLHANDLE;
    STATUS error = NSFBackupGetChangeInfoSize(p->db, p->backup, 0, &size_low, &size_high);

    if (error == NOERROR) {
        error = NSFBackupStartApplyChangeInfo(&apply, backup_file, 0, size_low, size_high);
    }
    if (error != NOERROR) {
        return error;
    }
    do {
        error = NSFBackupGetNextChangeInfo(p->db, p->backup, 0, p->buffer, BUFFER_SIZE, &filled);
        if (error == NOERROR) {
            error = NSFBackupApplyNextChangeInfo(apply, 0, p->buffer, filled);
        }
    } while (error == NOERROR && filled > 0);
    if (error != NOERROR) {
        (void)NSFBackupEndApplyChangeInfo(apply, APPLYEND_ABORT);
        return error;
    }
    return NSFBackupEndApplyChangeInfo(apply, 0);
}

/* From the start to the end of one backup. The sample ignores what the stop returns; not here. */
static STATUS back_up(program *p, const char *path, char *backup_file)
{
    DWORD size_low, size_high, extent;
    BOOL logged;
    UNID log, instance;
    STATUS error = NSFBackupStart(p->db, 0, &p->backup, &size_low, &size_high);

    if (error != NOERROR) {
        return error;
    }
    error = NSFDbGetLogInfo(p->db, 0, &logged, &log, &instance, &extent);
    p->source = open(path, O_RDONLY | O_CLOEXEC);
    p->target = open(backup_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (error == NOERROR) {
        error = copy_file(p, (uint64_t)size_high << 32 | size_low);
    }
    (void)close(p->target);
    if (error == NOERROR) {
        error = NSFBackupStop(p->db, p->backup);
    }
    if (error == NOERROR) {
        error = apply_changes(p, backup_file);
    }
    (void)close(p->source);
    STATUS ended = NSFBackupEnd(p->db, p->backup, error == NOERROR ? 0 : BACKUPEND_ABORT);
    return error == NOERROR ? ended : error;
}

static STATUS run_program(const char *database, char *backup_file)
{
    program p = {.db = NULLHANDLE};
    char path[MAXPATH], name[64];

    strcpy(name, database);
    STATUS error = NSFDbOpen(name, &p.db);
    if (error != NOERROR) {
        return error;
    }
    error = NSFDbPathGet(p.db, NULL, path);
    if (error == NOERROR) {
        error = OSMemAlloc(MEM_SHARE, BUFFER_SIZE, &p.buffer_handle);
    }
    if (error == NOERROR) {
        p.buffer = OSLock(char, p.buffer_handle);
        error = back_up(&p, path, backup_file);
        (void)OSUnlockObject(p.buffer_handle);
        (void)OSMemFree(p.buffer_handle);
    }
    STATUS closed = NSFDbClose(p.db);
    return error == NOERROR ? closed : error;
}

/* ---- the proof ---- */

/* The versions of a writer's notes are those after its first `updates` updates, for some number.
 * Version 1 was there before. Returns that number. */
static unsigned assert_prefix(uint32_t handle, const dom_db *account, unsigned number)
{
    unsigned first = number * NOTES_OF_A_WRITER, updates = 0, versions[NOTES_OF_A_WRITER];

    for (unsigned i = 0; i < NOTES_OF_A_WRITER; i++) {
        unsigned size;

        assert_true(dom_read_version(handle, account, first + i, &versions[i], &size));
        updates += versions[i] - 1;
    }
    for (unsigned i = 0; i < NOTES_OF_A_WRITER; i++) {
        unsigned rounds = updates / NOTES_OF_A_WRITER + (i < updates % NOTES_OF_A_WRITER);

        assert_int_equal(versions[i], 1 + rounds);
    }
    return updates;
}

static void assert_backup(
    const char *copy, const dom_db *account, const unsigned *before, const unsigned *after)
{
    DBHANDLE handle = NULLHANDLE;
    char *path = dom_absolute(copy);

    dom_expect(NSFDbOpen(path, &handle), "open the backup");
    for (unsigned i = 0; i < WRITERS; i++) {
        unsigned updates = assert_prefix(handle, account, i);

        assert_in_range(updates, before[i], after[i] + 1);
    }
    dom_expect(NSFDbClose(handle), "NSFDbClose");
    free(path);
}

static void count(writer *writers, unsigned *updates)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        updates[i] = atomic_load(&writers[i].updates);
    }
}

static void start_writers(dom_db *db, writer *writers, pthread_t *threads, _Atomic bool *stop)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.db = db, .number = i, .stop = stop};
        if (pthread_create(&threads[i], NULL, update_in_turn, &writers[i]) != 0) {
            hp_unresolved("pthread_create: %s", strerror(errno));
        }
    }
}

/* A hundred backups, a hundred of them good. */
static void the_sample_program_makes_a_hundred_good_backups_of_a_database_in_use(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", WRITERS * NOTES_OF_A_WRITER);
    dom_db account = *db;
    writer writers[WRITERS];
    pthread_t threads[WRITERS];
    _Atomic bool stop = false;
    unsigned before[BACKUPS][WRITERS], after[BACKUPS][WRITERS];
    STATUS results[BACKUPS];

    start_writers(db, writers, threads, &stop);
    for (unsigned i = 0; i < BACKUPS; i++) {
        char copy[32];

        (void)snprintf(copy, sizeof copy, "backup%u.nsf", i);
        count(writers, before[i]);
        results[i] = run_program("live.nsf", copy);
        count(writers, after[i]);
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < WRITERS; i++) {
        (void)pthread_join(threads[i], NULL);
        hp_log("writer %u: %u updates", i, atomic_load(&writers[i].updates));
        dom_expect(writers[i].status, "an update of a writer");
    }
    for (unsigned i = 0; i < BACKUPS; i++) {
        char copy[32];

        (void)snprintf(copy, sizeof copy, "backup%u.nsf", i);
        hp_promise(HP_DOM_SAMPLE_PROGRAM);
        dom_expect(results[i], copy);
        hp_promise(HP_DOM_CONSISTENT_LOGICAL);
        assert_backup(copy, &account, before[i], after[i]);
    }
    dom_db_end(db);
    dom_end_program();
}

/* On an idle database there is nothing in the change information, and the loop ends at once. */
static void the_sample_program_backs_up_an_idle_database(void **state)
{
    (void)state;
    static const unsigned none[WRITERS];
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", WRITERS * NOTES_OF_A_WRITER);
    char copy[] = "backup.nsf";

    hp_promise(HP_DOM_SAMPLE_PROGRAM);
    dom_expect(run_program("live.nsf", copy), "the sample program");
    assert_backup(copy, db, none, none);
    dom_db_end(db);
    dom_end_program();
}

const hp_case dom_sample_cases[] = {
    HP_CASE(the_sample_program_backs_up_an_idle_database, HP_DOM_SAMPLE_PROGRAM),
    HP_SLOW_CASE(the_sample_program_makes_a_hundred_good_backups_of_a_database_in_use, 90,
        HP_DOM_SAMPLE_PROGRAM, HP_DOM_CONSISTENT_LOGICAL),
    HP_CASE_END,
};
