/* What else happens to a database in backup: closing, ending, deleting, dying, and two threads. */
#include "domino_cases.h"
#include "domino_support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

enum { NOTES = 20, DEATHS = 25, ROUNDS = 60 };

/* The program that made the backup lets go of the database, and somebody else has it open. */
static void closing_the_handle_that_began_a_backup_ends_the_backup(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    DBHANDLE other = NULLHANDLE;
    dom_need(NSFDbOpen(db->name, &other), "open the database again");
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 500);
    dom_expect(dom_flush(db), "flush");

    hp_promise(HP_DOM_CLOSE);
    assert_int_equal(NSFDbClose(db->handle), NOERROR);
    db->handle = other;
    assert_int_equal(ERR(NSFBackupStop(other, b.context)), ERR_NOT_DOING_BACKUP);
    assert_int_equal(ERR(NSFBackupEnd(other, b.context, 0)), ERR_NOT_DOING_BACKUP);
    dom_assert_usable(db);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* The same with the last handle: the database is closed well, and opens. */
static void closing_the_last_handle_ends_the_backup_and_leaves_a_sound_database(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    for (unsigned round = 0; round < 4; round++) {
        dom_backup b = dom_backup_start(db);
        dom_update_all(db, 500 + round);
        if (round % 2 == 1) {
            dom_expect(dom_flush(db), "flush");
            dom_backup_stop(&b);
        }
        hp_promise(HP_DOM_CLOSE);
        assert_int_equal(NSFDbClose(db->handle), NOERROR);
        dom_db_open(db);
        assert_int_equal(ERR(NSFBackupStop(db->handle, b.context)), ERR_NOT_DOING_BACKUP);
        dom_assert_notes(db->handle, db);
        dom_backup_free(&b);
    }
    dom_assert_usable(db);
    dom_db_end(db);
    dom_end_program();
}

/* Users come and go while a backup runs. */
static void closing_another_handle_leaves_the_backup_underway(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);

    hp_promise(HP_DOM_CLOSE_OTHER);
    for (unsigned round = 0; round < 5; round++) {
        DBHANDLE other = NULLHANDLE;
        dom_expect(NSFDbOpen(db->name, &other), "open the database again");
        dom_update_all(db, 300 + 200 * round);
        assert_int_equal(NSFDbClose(other), NOERROR);
    }
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* Ended in good order, but with everything still underway: a backup, and an application. */
static void a_program_that_ends_during_a_backup_leaves_a_sound_database(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup whole = dom_backup_start(db);
    dom_update_all(db, 800);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&whole, "copy.nsf");
    dom_bytes stream = dom_finish(&whole);
    uint32_t apply = dom_apply_start("copy.nsf", stream.size);
    dom_expect(dom_apply_next(apply, stream.data, stream.size / 2), "apply a half");
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 600);
    dom_expect(dom_flush(db), "flush");

    hp_promise(HP_DOM_TERM);
    dom_end_program();
    dom_begin_program(NULL);
    dom_db_open(db);
    dom_assert_notes(db->handle, db);
    dom_assert_usable(db);
    assert_int_not_equal(dom_try_open("copy.nsf"), NOERROR);
    assert_int_equal(dom_apply("copy.nsf", stream), NOERROR);
    dom_assert_is_image("copy.nsf", &whole);
    dom_free(&stream);
    dom_backup_free(&whole);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* An administrator deletes what is just being saved. */
static void deleting_a_database_in_backup_is_an_error_and_the_backup_is_whole(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    dom_backup b = dom_backup_start(db);

    hp_promise(HP_DOM_DELETE_REFUSED);
    assert_int_not_equal(NSFDbDelete(db->name), NOERROR);
    dom_update_all(db, 600);
    dom_expect(dom_flush(db), "flush");
    assert_int_not_equal(NSFDbDelete(db->name), NOERROR);
    dom_copy(&b, "copy.nsf");
    dom_bytes stream = dom_finish(&b);
    dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
    dom_assert_is_image("copy.nsf", &b);
    dom_assert_notes(db->handle, db);
    dom_free(&stream);
    dom_backup_free(&b);
    dom_db_end(db);
    dom_end_program();
}

/* ---- death ---- */

/* Updates notes and makes backups for ever; after each update its account goes to `shared`. */
static void work_until_killed(const char *name, const char *ini, dom_db *shared)
{
    dom_begin_program(ini);
    dom_db *db = dom_db_new(name, NOTES);
    memcpy(shared, db, sizeof *shared);

    for (unsigned round = 0;; round++) {
        dom_backup b = dom_backup_start(db);

        for (unsigned i = 0; i < NOTES; i++) {
            dom_expect(dom_update_note(db, i, 200 + (round * 131 + i * 977) % 5000), "an update");
            memcpy(shared, db, sizeof *shared);
            if (i % 7 == 3) {
                dom_expect(dom_flush(db), "flush");
            }
        }
        dom_copy(&b, "copy.nsf");
        dom_bytes stream = dom_finish(&b);
        dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
        dom_free(&stream);
        dom_backup_free(&b);
    }
}

/* A child that has been at work for some time and is then no more. */
static void kill_at_work(const char *name, const char *ini, dom_db *shared, long ms)
{
    int how = 0;

    shared->count = 0;
    pid_t child = fork();
    if (child == 0) {
        work_until_killed(name, ini, shared);
        _exit(1);
    }
    if (child < 0) {
        hp_unresolved("fork: %s", strerror(errno));
    }
    for (unsigned i = 0; i < 2000 && *(volatile unsigned *)&shared->count == 0; i++) {
        dom_pause_ms(5);
    }
    dom_pause_ms(ms);
    (void)kill(child, SIGKILL);
    if (waitpid(child, &how, 0) != child || !WIFSIGNALED(how)) {
        hp_unresolved("the process did not live to be killed: status 0x%x", how);
    }
}

/* Every note is as its last update left it, or as one that was underway did. Then the account says
 * so. */
static void assert_recovered(dom_db *db, const dom_db *reported)
{
    assert_int_equal(reported->count, NOTES);
    for (unsigned i = 0; i < NOTES; i++) {
        unsigned version = 0, size = 0;

        assert_true(dom_read_version(db->handle, db, i, &version, &size));
        assert_in_range(version, reported->notes[i].version, reported->notes[i].version + 1);
        db->notes[i].version = version;
        db->notes[i].size = size;
    }
    dom_assert_notes(db->handle, db);
}

/* kill -9 at any moment of a backup, also with before-images in a temporary file. */
static void a_process_killed_during_a_backup_leaves_a_sound_database(void **state)
{
    (void)state;
    dom_random random = dom_random_new(30);
    dom_db *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        hp_unresolved("mmap: %s", strerror(errno));
    }
    for (unsigned i = 0; i < DEATHS; i++) {
        char name[32];
        dom_db db;

        (void)snprintf(name, sizeof name, "live%u.nsf", i);
        kill_at_work(name, i % 2 == 0 ? NULL : "NSF_Backup_Memory_Limit=20000\n", shared,
            (long)dom_pick(&random, 60));
        memcpy(&db, shared, sizeof db);
        hp_promise(HP_DOM_CRASH);
        dom_begin_program(NULL);
        dom_db_open(&db);
        assert_recovered(&db, shared);
        dom_assert_usable(&db);
        dom_db_close(&db);
        dom_end_program();
    }
    (void)munmap(shared, sizeof *shared);
}

/* ---- threads ---- */

typedef struct starter {
    dom_db *db;
    pthread_barrier_t *barrier;
    STATUS status;
    DHANDLE context;
} starter;

static void *start_one(void *argument)
{
    starter *s = argument;
    DWORD low, high;

    (void)NotesInitThread();
    (void)pthread_barrier_wait(s->barrier);
    s->status = NSFBackupStart(s->db->handle, 0, &s->context, &low, &high);
    NotesTermThread();
    return NULL;
}

/* Two tools wake up at the same minute. */
static void of_two_threads_that_start_a_backup_exactly_one_succeeds(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);
    pthread_barrier_t barrier;
    (void)pthread_barrier_init(&barrier, NULL, 2);

    for (unsigned round = 0; round < ROUNDS; round++) {
        starter both[2] = {{.db = db, .barrier = &barrier}, {.db = db, .barrier = &barrier}};
        pthread_t threads[2];

        for (unsigned i = 0; i < 2; i++) {
            if (pthread_create(&threads[i], NULL, start_one, &both[i]) != 0) {
                hp_unresolved("pthread_create: %s", strerror(errno));
            }
        }
        for (unsigned i = 0; i < 2; i++) {
            (void)pthread_join(threads[i], NULL);
        }
        unsigned first = both[0].status == NOERROR ? 0 : 1;
        hp_promise(HP_DOM_THREADS);
        assert_int_equal(both[first].status, NOERROR);
        assert_int_equal(ERR(both[1 - first].status), ERR_BACKUP_ALREADY_IN_PROGRESS);
        dom_expect(NSFBackupEnd(db->handle, both[first].context, BACKUPEND_ABORT), "NSFBackupEnd");
    }
    (void)pthread_barrier_destroy(&barrier);
    dom_db_end(db);
    dom_end_program();
}

/* The thread that reads the file says how far it is; the one that started collects. */
typedef struct reader {
    const dom_backup *backup;
    dom_bytes copy;
    uint64_t read;
    STATUS status;
} reader;

static void *read_and_mark(void *argument)
{
    reader *r = argument;
    const dom_backup *b = r->backup;
    enum { STEP = 10000 };
    int fd = open(b->db->path, O_RDONLY | O_CLOEXEC);

    (void)NotesInitThread();
    for (uint64_t at = 0; at < b->size && r->status == NOERROR; at += STEP) {
        uint64_t left = b->size - at, size = left < STEP ? left : STEP;

        r->read += (uint64_t)pread(fd, r->copy.data + at, (size_t)size, (off_t)at);
        r->status = NSFBackupSetHighWaterMark(
            b->db->handle, b->context, (DWORD)((at + size) & MAXDWORD), 0);
    }
    (void)close(fd);
    NotesTermThread();
    return NULL;
}

/* Reading and marking in one thread, updates in another. */
static void another_thread_may_copy_and_set_the_marks(void **state)
{
    (void)state;
    dom_begin_program(NULL);
    dom_db *db = dom_db_new("live.nsf", NOTES);

    for (unsigned round = 0; round < 20; round++) {
        dom_backup b = dom_backup_start(db);
        reader r = {.backup = &b, .copy = dom_bytes_new((size_t)b.size)};
        pthread_t thread;

        if (pthread_create(&thread, NULL, read_and_mark, &r) != 0) {
            hp_unresolved("pthread_create: %s", strerror(errno));
        }
        for (unsigned i = 0; i < NOTES; i++) {
            dom_expect(dom_update_note(db, i, 300 + 100 * round), "an update");
            dom_expect(dom_flush(db), "flush");
        }
        (void)pthread_join(thread, NULL);
        hp_promise(HP_DOM_THREADS);
        assert_int_equal(r.status, NOERROR);
        assert_int_equal(r.read, b.size);
        dom_bytes stream = dom_finish(&b);
        dom_write_file("copy.nsf", r.copy);
        dom_expect(dom_apply("copy.nsf", stream), "apply the change information");
        dom_assert_is_image("copy.nsf", &b);
        dom_free(&stream);
        dom_free(&r.copy);
        dom_backup_free(&b);
    }
    dom_db_end(db);
    dom_end_program();
}

const hp_case dom_life_cases[] = {
    HP_CASE(closing_the_handle_that_began_a_backup_ends_the_backup, HP_DOM_CLOSE),
    HP_CASE(closing_the_last_handle_ends_the_backup_and_leaves_a_sound_database, HP_DOM_CLOSE),
    HP_CASE(closing_another_handle_leaves_the_backup_underway, HP_DOM_CLOSE_OTHER),
    HP_CASE(a_program_that_ends_during_a_backup_leaves_a_sound_database, HP_DOM_TERM),
    HP_CASE(
        deleting_a_database_in_backup_is_an_error_and_the_backup_is_whole, HP_DOM_DELETE_REFUSED),
    HP_SLOW_CASE(a_process_killed_during_a_backup_leaves_a_sound_database, 60, HP_DOM_CRASH),
    HP_CASE(of_two_threads_that_start_a_backup_exactly_one_succeeds, HP_DOM_THREADS),
    HP_CASE(another_thread_may_copy_and_set_the_marks, HP_DOM_THREADS),
    HP_CASE_END,
};
