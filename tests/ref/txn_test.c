/* Transactions: the write lock, snapshots, what a commit and an abort leave. */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/error.h"

static const ref_txn_options no_wait = {.no_wait = true};

static ref_db *open_db(fixture *fix)
{
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put(db, NULL, "x", "0"));
    assert_ok(put(db, NULL, "y", "0"));
    return db;
}

static uint64_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- atomic ---- */

static void a_commit_shows_all_of_a_transaction_and_an_abort_nothing(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_db(fix), *other = db_make(fix->env, "b.db");
    for (int committed = 0; committed < 2; committed++) {
        ref_txn *txn = begin(fix->env, NULL);
        assert_ok(put(db, txn, "x", "1"));
        assert_ok(del(db, txn, "y"));
        assert_ok(put(other, txn, "z", "1"));
        /* itself sees it, nobody else does */
        expect(db, txn, "x", "1");
        expect(db, txn, "y", NULL);
        expect(db, NULL, "x", "0");
        expect(db, NULL, "y", "0");
        expect(other, NULL, "z", NULL);
        assert_ok(committed ? ref_txn_commit(txn) : ref_txn_abort(txn));
        expect(db, NULL, "x", committed ? "1" : "0");
        expect(db, NULL, "y", committed ? NULL : "0");
        expect(other, NULL, "z", committed ? "1" : NULL);
    }
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_close(other));
}

static void transaction_ids_are_never_below_0x80000000(void **state)
{
    fixture *fix = *state;
    uint32_t last = 0;
    assert_ok(ref_db_close(open_db(fix)));
    for (int i = 0; i < 100; i++) {
        ref_txn *txn = begin(fix->env, NULL);
        assert_true(ref_txn_id(txn) >= 0x80000000u);
        assert_int_not_equal(ref_txn_id(txn), last);
        last = ref_txn_id(txn);
        assert_ok(ref_txn_abort(txn));
    }
}

static void an_operation_that_finds_nothing_leaves_the_transaction_good(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_db(fix);
    ref_txn *txn = begin(fix->env, NULL);
    assert_int_equal(del(db, txn, "missing"), REF_NOTFOUND);
    assert_int_equal(ref_db_put(db, txn, text("x"), text("9"), true), REF_KEYEXIST);
    char *long_key = malloc(600);
    assert_non_null(long_key);
    assert_int_equal(ref_db_put(db, txn, (ref_slice){long_key, 600}, text("9"), false), EINVAL);
    free(long_key);
    assert_ok(put(db, txn, "x", "1"));
    assert_ok(ref_txn_commit(txn));
    expect(db, NULL, "x", "1");
    assert_ok(ref_db_close(db));
}

/* ---- conflicts ---- */

static void a_lost_update_is_refused(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_db(fix);
    ref_txn *one = begin(fix->env, NULL), *two = begin(fix->env, NULL);
    expect(db, one, "x", "0");
    expect(db, two, "x", "0");
    assert_ok(put(db, one, "x", "1"));
    assert_ok(ref_txn_commit(one));
    assert_int_equal(put(db, two, "x", "2"), REF_DEADLOCK);
    assert_ok(ref_txn_abort(two));
    expect(db, NULL, "x", "1");
    /* the retry sees what has changed */
    two = begin(fix->env, NULL);
    expect(db, two, "x", "1");
    assert_ok(put(db, two, "x", "2"));
    assert_ok(ref_txn_commit(two));
    assert_ok(ref_db_close(db));
}

static void write_skew_is_refused(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_db(fix);
    ref_txn *one = begin(fix->env, NULL), *two = begin(fix->env, NULL);
    expect(db, one, "x", "0");
    expect(db, two, "y", "0");
    assert_ok(put(db, one, "y", "1"));
    assert_ok(ref_txn_commit(one));
    assert_int_equal(put(db, two, "x", "1"), REF_DEADLOCK);
    assert_ok(ref_txn_abort(two));
    assert_ok(ref_db_close(db));
}

static void a_transaction_that_has_read_nothing_writes_after_any_commit(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_db(fix);
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(put(db, NULL, "x", "1"));
    assert_ok(put(db, txn, "y", "1"));
    expect(db, txn, "x", "1");
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_db_close(db));
}

static void two_writers_in_one_thread_deadlock_at_once(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_db(fix), *made;
    ref_db_options creating = {.create = true};
    ref_buffer value = {0};
    ref_txn *one = begin(fix->env, NULL), *two = begin(fix->env, NULL);
    uint64_t before = monotonic();
    assert_ok(put(db, one, "x", "1"));
    assert_int_equal(put(db, two, "x", "2"), REF_DEADLOCK);
    assert_int_equal(del(db, two, "y"), REF_DEADLOCK);
    assert_int_equal(ref_db_get(db, two, text("x"), true, &value), REF_DEADLOCK);
    assert_int_equal(put(db, NULL, "x", "2"), REF_DEADLOCK);
    assert_int_equal(ref_db_open(fix->env, NULL, "b.db", &creating, &made), REF_DEADLOCK);
    assert_int_equal(ref_db_open(fix->env, two, "b.db", &creating, &made), REF_DEADLOCK);
    assert_int_equal(ref_db_remove(fix->env, NULL, "a.db"), REF_DEADLOCK);
    assert_int_equal(ref_db_truncate(db, two, NULL), REF_DEADLOCK);
    assert_true(monotonic() - before < 5000000000u);
    /* reads do not mind */
    expect(db, two, "x", "0");
    expect(db, NULL, "x", "0");
    assert_ok(ref_txn_abort(two));
    assert_ok(ref_txn_commit(one));
    expect(db, NULL, "x", "1");
    ref_buffer_free(&value);
    assert_ok(ref_db_close(db));
}

static void a_locking_read_keeps_what_it_has_read(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_db(fix);
    ref_buffer value = {0};
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_get(db, txn, text("x"), true, &value));
    assert_int_equal(put(db, NULL, "x", "9"), REF_DEADLOCK);
    assert_ok(put(db, txn, "x", "1"));
    assert_ok(ref_txn_commit(txn));
    /* a locking read after a commit of somebody else is as late as a write */
    txn = begin(fix->env, NULL);
    expect(db, txn, "x", "1");
    assert_ok(put(db, NULL, "y", "1"));
    assert_int_equal(ref_db_get(db, txn, text("x"), true, &value), REF_DEADLOCK);
    assert_ok(ref_txn_abort(txn));
    ref_buffer_free(&value);
    assert_ok(ref_db_close(db));
}

/* ---- waiting ---- */

/* A thread that takes the write lock, says so, and lets go when told. */
typedef struct holder {
    ref_db *db;
    pthread_mutex_t mutex;
    pthread_cond_t change;
    bool holds, let_go;
    int error;
    pthread_t thread;
} holder;

static void *hold_write_lock(void *context)
{
    holder *who = context;
    ref_txn *txn;
    int error = ref_txn_begin(ref_db_env(who->db), NULL, &txn);
    if (error == 0) {
        error = put(who->db, txn, "held", "yes");
    }
    pthread_mutex_lock(&who->mutex);
    who->holds = true;
    pthread_cond_broadcast(&who->change);
    while (!who->let_go) {
        pthread_cond_wait(&who->change, &who->mutex);
    }
    pthread_mutex_unlock(&who->mutex);
    who->error = error != 0 ? error : ref_txn_commit(txn);
    return NULL;
}

static void holder_begin(holder *who, ref_db *db)
{
    *who =
        (holder){.db = db, .mutex = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};
    assert_int_equal(pthread_create(&who->thread, NULL, hold_write_lock, who), 0);
    pthread_mutex_lock(&who->mutex);
    while (!who->holds) {
        pthread_cond_wait(&who->change, &who->mutex);
    }
    pthread_mutex_unlock(&who->mutex);
}

static void holder_end(holder *who)
{
    pthread_mutex_lock(&who->mutex);
    who->let_go = true;
    pthread_cond_broadcast(&who->change);
    pthread_mutex_unlock(&who->mutex);
    pthread_join(who->thread, NULL);
    assert_ok(who->error);
}

static void a_taken_write_lock_is_not_granted_to_who_will_not_wait(void **state)
{
    fixture *fix = *state;
    holder who;
    ref_db *db = open_db(fix);
    holder_begin(&who, db);
    ref_txn *txn = begin(fix->env, &no_wait);
    int first = put(db, txn, "x", "1");
    ref_txn *other = begin(fix->env, NULL);
    ref_txn_set_no_wait(other, true);
    int second = put(db, other, "x", "1");
    expect(db, txn, "x", "0"); /* reads do not mind */
    holder_end(&who);
    assert_int_equal(first, REF_NOTGRANTED);
    assert_int_equal(second, REF_NOTGRANTED);
    assert_ok(ref_txn_abort(txn));
    assert_ok(ref_txn_abort(other));
    txn = begin(fix->env, &no_wait);
    assert_ok(put(db, txn, "x", "1"));
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_db_close(db));
}

static void a_timeout_ends_the_wait_for_the_write_lock(void **state)
{
    fixture *fix = *state;
    holder who;
    ref_db *db = open_db(fix);
    holder_begin(&who, db);
    ref_txn_options options = {.timeout = 40000000};
    ref_txn *txn = begin(fix->env, &options), *other = begin(fix->env, NULL);
    uint64_t before = monotonic();
    int first = put(db, txn, "x", "1");
    uint64_t waited = monotonic() - before;
    ref_txn_set_timeout(other, 1);
    int second = put(db, other, "x", "1");
    holder_end(&who);
    assert_int_equal(first, REF_NOTGRANTED);
    assert_int_equal(second, REF_NOTGRANTED);
    assert_true(waited >= 40000000 && waited < 10000000000u);
    assert_ok(ref_txn_abort(txn));
    assert_ok(ref_txn_abort(other));
    assert_ok(ref_db_close(db));
}

static void *let_go_later(void *context)
{
    ref_vfs_posix()->sleep(ref_vfs_posix(), 30000000);
    holder *who = context;
    pthread_mutex_lock(&who->mutex);
    who->let_go = true;
    pthread_cond_broadcast(&who->change);
    pthread_mutex_unlock(&who->mutex);
    return NULL;
}

static void a_writer_waits_for_the_one_before(void **state)
{
    fixture *fix = *state;
    holder who;
    pthread_t later;
    ref_db *db = open_db(fix);
    holder_begin(&who, db);
    assert_int_equal(pthread_create(&later, NULL, let_go_later, &who), 0);
    ref_txn *txn = begin(fix->env, NULL);
    int error = put(db, txn, "x", "1");
    pthread_join(later, NULL);
    holder_end(&who);
    assert_ok(error);
    expect(db, txn, "held", "yes"); /* it sees what it has waited for */
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_db_close(db));
}

/* ---- options of a commit ---- */

static void a_commit_without_sync_does_not_wait_for_the_disk(void **state)
{
    fixture *fix = *state;
    ref_txn_options options = {.no_sync = true};
    ref_db *db = open_db(fix);
    uint64_t syncs = fault_count(&fix->vfs, FAULT_BIT(FAULT_FSYNC));
    for (int i = 0; i < 10; i++) {
        ref_txn *txn = begin(fix->env, &options);
        assert_ok(put_number(db, txn, (uint32_t)i, 1, 10));
        assert_ok(ref_txn_commit(txn));
        uint32_t value;
        assert_ok(get_number(db, NULL, (uint32_t)i, &value)); /* visible all the same */
    }
    assert_int_equal(fault_count(&fix->vfs, FAULT_BIT(FAULT_FSYNC)), syncs);
    assert_ok(ref_log_flush(fix->env));
    assert_int_equal(fault_count(&fix->vfs, FAULT_BIT(FAULT_FSYNC)), syncs + 1);
    ref_txn *txn = begin(fix->env, &options);
    assert_ok(put_number(db, txn, 10, 1, 10));
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_db_close(db));
    env_crash(fix); /* loses the last one only */
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_int_equal(db_verify(db), 12);
    assert_ok(ref_db_close(db));
}

static void a_synced_commit_makes_those_before_it_durable(void **state)
{
    fixture *fix = *state;
    ref_txn_options options = {.no_sync = true};
    ref_db *db = open_db(fix);
    for (int i = 0; i < 5; i++) {
        ref_txn *txn = begin(fix->env, &options);
        assert_ok(put_number(db, txn, (uint32_t)i, 1, 10));
        ref_txn_set_no_sync(txn, i < 4);
        assert_ok(ref_txn_commit(txn));
    }
    assert_ok(ref_db_close(db));
    env_crash(fix);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_int_equal(db_verify(db), 7);
    assert_ok(ref_db_close(db));
}

static void a_transaction_that_only_reads_writes_nothing(void **state)
{
    fixture *fix = *state;
    ref_db *db = open_db(fix);
    uint64_t changes = fault_count(&fix->vfs, FAULT_CHANGES);
    ref_txn *txn = begin(fix->env, NULL);
    expect(db, txn, "x", "0");
    assert_ok(ref_txn_commit(txn));
    /* nor one whose writes change nothing */
    txn = begin(fix->env, NULL);
    assert_ok(put(db, txn, "x", "1"));
    assert_ok(put(db, txn, "x", "0"));
    assert_ok(ref_txn_commit(txn));
    assert_int_equal(fault_count(&fix->vfs, FAULT_CHANGES), changes);
    assert_ok(ref_db_close(db));
}

/* ---- size ---- */

static void a_transaction_larger_than_segment_and_cache_is_one_commit(void **state)
{
    fixture *fix = *state;
    enum { RECORDS = 2500 };
    fix->options.cache_size = 64u << 10;
    ref_db *db = open_db(fix);
    for (int round = 0; round < 2; round++) {
        ref_txn *txn = begin(fix->env, NULL);
        for (uint32_t i = 0; i < RECORDS; i++) {
            assert_ok(put_number(db, txn, i, i + 1, 200));
        }
        if (round == 0) {
            assert_ok(ref_txn_abort(txn));
            assert_int_equal(db_verify(db), 2);
        } else {
            assert_ok(ref_txn_commit(txn));
        }
    }
    assert_int_equal(db_verify(db), RECORDS + 2);
    assert_ok(ref_db_close(db));
    env_crash(fix);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_int_equal(db_verify(db), RECORDS + 2);
    uint32_t value;
    for (uint32_t i = 0; i < RECORDS; i += 100) {
        assert_ok(get_number(db, NULL, i, &value));
        assert_int_equal(value, i + 1);
    }
    assert_ok(ref_db_close(db));
}

static void values_up_to_a_mebibyte_come_back(void **state)
{
    fixture *fix = *state;
    static const size_t sizes[] = {4, 111, 112, 113, 480, 512, 4096, 100000, REF_VALUE_MAX};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    ref_db *db = open_db(fix);
    uint32_t value;
    for (uint32_t i = 0; i < SIZES; i++) {
        assert_ok(put_number(db, NULL, i, i, sizes[i]));
    }
    uint8_t *large = calloc(1, REF_VALUE_MAX + 1);
    assert_non_null(large);
    assert_fails(
        ref_db_put(db, NULL, text("k"), (ref_slice){large, REF_VALUE_MAX + 1}, false), EINVAL, "");
    free(large);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < SIZES; i++) {
            assert_ok(get_number(db, NULL, i, &value));
            assert_int_equal(value, i);
        }
        assert_int_equal(db_verify(db), SIZES + 2);
        assert_ok(ref_db_close(db));
        env_crash(fix);
        env_open(fix);
        db = db_open(fix->env, "a.db");
    }
    /* their pages are given back */
    assert_ok(ref_db_truncate(db, NULL, NULL));
    assert_int_equal(db_verify(db), 0);
    assert_ok(ref_checkpoint(fix->env, false));
    uint64_t size = file_size(at_home(fix, "a.db"));
    assert_ok(put_number(db, NULL, 1, 1, REF_VALUE_MAX));
    assert_ok(ref_checkpoint(fix->env, false));
    assert_int_equal(file_size(at_home(fix, "a.db")), size);
    assert_ok(ref_db_close(db));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_commit_shows_all_of_a_transaction_and_an_abort_nothing),
    SCRATCH_TEST(transaction_ids_are_never_below_0x80000000),
    SCRATCH_TEST(an_operation_that_finds_nothing_leaves_the_transaction_good),
    SCRATCH_TEST(a_lost_update_is_refused),
    SCRATCH_TEST(write_skew_is_refused),
    SCRATCH_TEST(a_transaction_that_has_read_nothing_writes_after_any_commit),
    SCRATCH_TEST(two_writers_in_one_thread_deadlock_at_once),
    SCRATCH_TEST(a_locking_read_keeps_what_it_has_read),
    SCRATCH_TEST(a_taken_write_lock_is_not_granted_to_who_will_not_wait),
    SCRATCH_TEST(a_timeout_ends_the_wait_for_the_write_lock),
    SCRATCH_TEST(a_writer_waits_for_the_one_before),
    SCRATCH_TEST(a_commit_without_sync_does_not_wait_for_the_disk),
    SCRATCH_TEST(a_synced_commit_makes_those_before_it_durable),
    SCRATCH_TEST(a_transaction_that_only_reads_writes_nothing),
    SCRATCH_TEST(a_transaction_larger_than_segment_and_cache_is_one_commit),
    SCRATCH_TEST(values_up_to_a_mebibyte_come_back),
};

TEST_MAIN(tests)
