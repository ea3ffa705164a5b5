/*
 * A failed write or sync of the log or of a database file ends the environment: nothing is tried
 * again on pages that the operating system may have dropped, and opening it again recovers.
 */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"
#include "engine/internal.h"

/* A new home with 20 records. */
static ref_db *filled(fixture *fix)
{
    tree_remove(fix->home);
    dir_make(fix->home);
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    for (uint32_t i = 0; i < 20; i++) {
        assert_ok(put_number(db, NULL, i, i, 100));
    }
    return db;
}

/* Opens again: records 0 to `count` - 1 have their own numbers, and nothing else is there. */
static void expect_filled(fixture *fix, uint32_t count)
{
    env_open(fix);
    ref_db *db = db_open(fix->env, "a.db");
    assert_int_equal(db_verify(db), count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value;
        assert_ok(get_number(db, NULL, i, &value));
        assert_int_equal(value, i);
    }
    assert_ok(ref_db_close(db));
    env_close(fix);
}

/* Closes an environment that has ended. */
static void close_ended(fixture *fix, ref_db *db)
{
    ref_env *env = fix->env;
    fix->env = NULL;
    fault_heal(&fix->vfs);
    assert_ok(ref_db_close(db));
    assert_fails(ref_env_close(env), REF_RUNRECOVERY, "has ended");
}

static void a_failed_sync_of_the_log_ends_the_environment(void **state)
{
    fixture *fix = *state;
    ref_db *db = filled(fix);
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_FSYNC), "log.", 1);
    uint64_t syncs = fault_count(&fix->vfs, FAULT_BIT(FAULT_FSYNC));
    uint64_t writes = fault_count(&fix->vfs, FAULT_BIT(FAULT_WRITE));
    assert_fails(put_number(db, NULL, 20, 20, 100), REF_RUNRECOVERY, "log.0000000001");
    assert_non_null(strstr(ref_error_text(), strerror(EIO)));
    assert_non_null(strstr(ref_error_text(), "sync"));
    assert_int_equal(fault_injected(&fix->vfs), 1);
    /* nothing is tried again, not by later calls nor at close */
    assert_fails(put_number(db, NULL, 21, 21, 100), REF_RUNRECOVERY, "log.0000000001");
    assert_fails(ref_checkpoint(fix->env, true), REF_RUNRECOVERY, "log.0000000001");
    close_ended(fix, db);
    assert_int_equal(fault_count(&fix->vfs, FAULT_BIT(FAULT_FSYNC)), syncs + 1);
    assert_int_equal(fault_count(&fix->vfs, FAULT_BIT(FAULT_WRITE)), writes + 1);
    /* what had been written without a sync is there in this world */
    expect_filled(fix, 21);
}

static void a_failed_write_of_the_log_ends_the_environment(void **state)
{
    static const fault_manner manners[] = {FAULT_ONCE, FAULT_SHORT, FAULT_FROM_THEN};
    fixture *fix = *state;
    for (size_t i = 0; i < 3; i++) {
        fault_rule rule = {.kinds = FAULT_BIT(FAULT_WRITE),
            .path = "log.",
            .nth = 1,
            .error = ENOSPC,
            .manner = manners[i]};
        ref_db *db = filled(fix);
        fault_set(&fix->vfs, &rule);
        assert_fails(put_number(db, NULL, 20, 20, 100), REF_RUNRECOVERY, "log.000000000");
        assert_non_null(strstr(ref_error_text(), strerror(ENOSPC)));
        close_ended(fix, db);
        expect_filled(fix, 20);
    }
}

static void a_failed_sync_of_the_log_directory_ends_the_environment(void **state)
{
    fixture *fix = *state;
    ref_db *db = filled(fix);
    uint32_t i = 20;
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_FSYNC_DIR), NULL, 1);
    int error = 0;
    for (; error == 0 && i < 500; i++) {
        error = put_number(db, NULL, i, i, 100);
    }
    assert_fails(error, REF_RUNRECOVERY, "directory");
    close_ended(fix, db);
    expect_filled(fix, i);
}

static void a_failed_write_or_sync_of_a_database_file_ends_the_environment(void **state)
{
    static const fault_kind kinds[] = {FAULT_WRITE, FAULT_FSYNC};
    fixture *fix = *state;
    for (size_t i = 0; i < 2; i++) {
        ref_db *db = filled(fix);
        fault_fail_nth(&fix->vfs, FAULT_BIT(kinds[i]), "a.db", 1);
        assert_fails(ref_checkpoint(fix->env, false), REF_RUNRECOVERY, "a.db");
        assert_non_null(strstr(ref_error_text(), strerror(EIO)));
        uint64_t writes = fault_count(&fix->vfs, FAULT_CHANGES);
        assert_fails(ref_checkpoint(fix->env, false), REF_RUNRECOVERY, "a.db");
        assert_fails(put_number(db, NULL, 20, 20, 100), REF_RUNRECOVERY, "a.db");
        close_ended(fix, db);
        assert_int_equal(fault_count(&fix->vfs, FAULT_CHANGES), writes);
        expect_filled(fix, 20);
    }
}

static void a_failed_write_of_the_control_file_ends_the_environment(void **state)
{
    fixture *fix = *state;
    ref_db *db = filled(fix);
    fault_rule rule = {.kinds = FAULT_BIT(FAULT_WRITE),
        .path = REF_CONTROL_NAME,
        .nth = 1,
        .error = EIO,
        .manner = FAULT_SHORT};
    fault_set(&fix->vfs, &rule);
    assert_fails(ref_checkpoint(fix->env, false), REF_RUNRECOVERY, REF_CONTROL_NAME);
    close_ended(fix, db);
    expect_filled(fix, 20);
}

static void a_failed_close_checkpoint_is_reported_and_recovered_from(void **state)
{
    fixture *fix = *state;
    ref_db *db = filled(fix);
    assert_ok(ref_db_close(db));
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_FSYNC), "a.db", 1);
    ref_env *env = fix->env;
    fix->env = NULL;
    assert_fails(ref_env_close(env), REF_RUNRECOVERY, "a.db");
    expect_filled(fix, 20);
}

/* Every call on an environment that has ended. */
static void every_call_but_close_says_that_the_environment_has_ended(void **state)
{
    fixture *fix = *state;
    ref_db *db = filled(fix), *other;
    ref_db_options options = {.create = true};
    ref_cursor *cursor, *in_txn, *made;
    ref_buffer value = {0};
    ref_slice none = {0};
    uint32_t *numbers;
    size_t count;
    ref_txn *txn = begin(fix->env, NULL), *late;
    ref_env *again;
    assert_ok(ref_cursor_open(db, NULL, &cursor));
    assert_ok(ref_cursor_open(db, txn, &in_txn));
    assert_ok(ref_cursor_get(cursor, REF_MOVE_FIRST, none, false, NULL, &value));
    assert_ok(ref_cursor_get(in_txn, REF_MOVE_FIRST, none, false, NULL, &value));
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_FSYNC), "a.db", 1);
    assert_fails(ref_checkpoint(fix->env, false), REF_RUNRECOVERY, "a.db");

#define ENDED(call) assert_fails((call), REF_RUNRECOVERY, "a.db: sync")
    ENDED(ref_env_state(fix->env));
    ENDED(ref_checkpoint(fix->env, true));
    ENDED(ref_log_flush(fix->env));
    ENDED(ref_log_archive(fix->env, REF_ARCHIVE_ALL, &numbers, &count));
    ENDED(ref_log_archive(fix->env, REF_ARCHIVE_REMOVE, &numbers, &count));
    ENDED(ref_txn_begin(fix->env, NULL, &late));
    assert_null(late);
    ENDED(ref_db_open(fix->env, NULL, "a.db", &options, &other));
    ENDED(ref_db_open(fix->env, NULL, "b.db", &options, &other));
    assert_null(other);
    ENDED(ref_db_get(db, NULL, text("k00001"), false, &value));
    ENDED(ref_db_get(db, txn, text("k00001"), false, &value));
    ENDED(ref_db_get(db, txn, text("k00001"), true, &value));
    ENDED(put(db, NULL, "k", "v"));
    ENDED(put(db, txn, "k", "v"));
    ENDED(del(db, txn, "k00001"));
    ENDED(ref_db_truncate(db, NULL, NULL));
    ENDED(ref_db_verify(db, NULL));
    ENDED(ref_db_sync(db));
    ENDED(ref_db_remove(fix->env, NULL, "b.db"));
    ENDED(ref_db_rename(fix->env, NULL, "a.db", "b.db"));
    ENDED(ref_cursor_open(db, NULL, &made));
    ENDED(ref_cursor_get(cursor, REF_MOVE_NEXT, none, false, NULL, &value));
    ENDED(ref_cursor_get(in_txn, REF_MOVE_NEXT, none, false, NULL, &value));
    ENDED(ref_cursor_put(cursor, none, text("v"), false));
    ENDED(ref_cursor_del(cursor));
    ENDED(env_open_at(fix, fix->home, &again));
    ref_backup_options backup = {.target = at_dir(fix, "copy"), .flags = REF_BACKUP_CREATE};
    ENDED(ref_backup(fix->env, &backup));
#undef ENDED

    assert_ok(ref_cursor_close(cursor));
    assert_ok(ref_cursor_close(in_txn));
    assert_fails(ref_txn_commit(txn), REF_RUNRECOVERY, "a.db: sync");
    ref_buffer_free(&value);
    close_ended(fix, db);
    expect_filled(fix, 20);
}

/* ---- others who wait ---- */

typedef struct waiter {
    ref_db *db;
    uint32_t key;
    int error;
    char words[512];
} waiter;

static void *write_when_free(void *context)
{
    waiter *who = context;
    who->error = put_number(who->db, NULL, who->key, 1, 10);
    snprintf(who->words, sizeof who->words, "%s", ref_error_text());
    return NULL;
}

static void whoever_waits_for_the_write_lock_is_told(void **state)
{
    fixture *fix = *state;
    waiter who = {.db = filled(fix)};
    pthread_t thread;
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(put(who.db, txn, "k", "v"));
    assert_int_equal(pthread_create(&thread, NULL, write_when_free, &who), 0);
    ref_vfs_posix()->sleep(ref_vfs_posix(), 20000000);
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_FSYNC), "a.db", 1);
    assert_fails(ref_checkpoint(fix->env, false), REF_RUNRECOVERY, "a.db");
    pthread_join(thread, NULL);
    assert_int_equal(who.error, REF_RUNRECOVERY);
    assert_non_null(strstr(who.words, "a.db: sync"));
    assert_ok(ref_txn_abort(txn));
    close_ended(fix, who.db);
    expect_filled(fix, 20);
}

static void every_thread_of_a_group_commit_learns_of_the_failure(void **state)
{
    fixture *fix = *state;
    ref_db *db = filled(fix);
    enum { THREADS = 4 };
    waiter who[THREADS];
    pthread_t threads[THREADS];
    fault_rule rule = {.kinds = FAULT_BIT(FAULT_FSYNC),
        .path = "log.",
        .nth = 1,
        .error = EIO,
        .manner = FAULT_FROM_THEN};
    fault_set(&fix->vfs, &rule);
    for (size_t i = 0; i < THREADS; i++) {
        who[i] = (waiter){.db = db, .key = 100 + (uint32_t)i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_when_free, &who[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(who[i].error, REF_RUNRECOVERY);
        assert_non_null(strstr(who[i].words, "log.0000000001"));
    }
    assert_int_equal(fault_injected(&fix->vfs), 1);
    close_ended(fix, db);
}

/* A hook that stops the first sync of the log until it is let go. */
typedef struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t change;
    bool armed, waiting, open;
} gate;

static void stop_at_gate(void *context, fault_kind kind, const char *path)
{
    gate *at = context;
    if (kind != FAULT_FSYNC || strstr(path, "log.") == NULL) {
        return;
    }
    pthread_mutex_lock(&at->mutex);
    bool mine = at->armed && !at->waiting;
    at->waiting = at->waiting || mine;
    pthread_cond_broadcast(&at->change);
    while (mine && !at->open) {
        pthread_cond_wait(&at->change, &at->mutex);
    }
    pthread_mutex_unlock(&at->mutex);
}

static void *open_gate_later(void *context)
{
    gate *at = context;
    ref_vfs_posix()->sleep(ref_vfs_posix(), 30000000);
    pthread_mutex_lock(&at->mutex);
    at->open = true;
    pthread_cond_broadcast(&at->change);
    pthread_mutex_unlock(&at->mutex);
    return NULL;
}

static void a_commit_that_changes_nothing_waits_for_what_it_has_read(void **state)
{
    fixture *fix = *state;
    gate at = {.mutex = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};
    waiter who = {.db = filled(fix), .key = 77};
    pthread_t writer, opener;
    fix->vfs.before_context = &at;
    fix->vfs.before = stop_at_gate;
    at.armed = true;
    /* One thread's commit is on its way to the disk, where it will fail. */
    fault_fail_nth(&fix->vfs, FAULT_BIT(FAULT_FSYNC), "log.", 1);
    assert_int_equal(pthread_create(&writer, NULL, write_when_free, &who), 0);
    pthread_mutex_lock(&at.mutex);
    while (!at.waiting) {
        pthread_cond_wait(&at.change, &at.mutex);
    }
    pthread_mutex_unlock(&at.mutex);
    assert_int_equal(pthread_create(&opener, NULL, open_gate_later, &at), 0);
    /* The same record once more: there is nothing to write, but it is not safe yet. */
    int error = put_number(who.db, NULL, 77, 1, 10);
    pthread_join(writer, NULL);
    pthread_join(opener, NULL);
    fix->vfs.before = NULL;
    assert_int_equal(who.error, REF_RUNRECOVERY);
    assert_int_equal(error, REF_RUNRECOVERY);
    close_ended(fix, who.db);
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_failed_sync_of_the_log_ends_the_environment),
    SCRATCH_TEST(a_failed_write_of_the_log_ends_the_environment),
    SCRATCH_TEST(a_failed_sync_of_the_log_directory_ends_the_environment),
    SCRATCH_TEST(a_failed_write_or_sync_of_a_database_file_ends_the_environment),
    SCRATCH_TEST(a_failed_write_of_the_control_file_ends_the_environment),
    SCRATCH_TEST(a_failed_close_checkpoint_is_reported_and_recovered_from),
    SCRATCH_TEST(every_call_but_close_says_that_the_environment_has_ended),
    SCRATCH_TEST(whoever_waits_for_the_write_lock_is_told),
    SCRATCH_TEST(every_thread_of_a_group_commit_learns_of_the_failure),
    SCRATCH_TEST(a_commit_that_changes_nothing_waits_for_what_it_has_read),
};

TEST_MAIN(tests)
