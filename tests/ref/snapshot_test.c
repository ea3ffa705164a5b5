/* Readers see the state of one commit, however long they read, and never wait. */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"
#include "engine/internal.h"

enum { KEYS = 400 };

/* KEYS records whose numbers are all `value`, in one transaction. */
static void set_all(ref_db *db, uint32_t value, bool no_sync)
{
    ref_txn_options options = {.no_sync = no_sync};
    ref_txn *txn = begin(ref_db_env(db), &options);
    for (uint32_t key = 0; key < KEYS; key++) {
        assert_ok(put_number(db, txn, key, value, 60));
    }
    assert_ok(ref_txn_commit(txn));
}

/* 0 when every record's number is the same; that number. Works in any thread. */
static int all_equal(ref_db *db, ref_txn *txn, uint32_t *value)
{
    ref_buffer found = {0};
    ref_cursor *cursor;
    uint32_t count = 0, first = 0;
    int error = ref_cursor_open(db, txn, &cursor);
    if (error != 0) {
        return error;
    }
    while (
        (error = ref_cursor_get(cursor, REF_MOVE_NEXT, (ref_slice){0}, false, NULL, &found)) == 0) {
        uint32_t number = ref_get32(found.data);
        first = count == 0 ? number : first;
        count++;
        if (number != first) {
            error = EILSEQ;
            break;
        }
    }
    ref_cursor_close(cursor);
    ref_buffer_free(&found);
    *value = first;
    return error != REF_NOTFOUND ? error : count == KEYS ? 0 : ERANGE;
}

static void a_transaction_reads_the_state_of_its_first_read(void **state)
{
    fixture *fix = *state;
    uint32_t value;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    set_all(db, 1, false);
    ref_txn *old = begin(fix->env, NULL), *late = begin(fix->env, NULL);
    assert_ok(all_equal(db, old, &value));
    assert_int_equal(value, 1);
    set_all(db, 2, false);
    assert_ok(ref_db_truncate(db, NULL, NULL));
    set_all(db, 3, false);
    assert_ok(all_equal(db, old, &value));
    assert_int_equal(value, 1);
    assert_ok(all_equal(db, late, &value)); /* begun early, first read now */
    assert_int_equal(value, 3);
    assert_ok(ref_txn_commit(old));
    assert_ok(ref_txn_commit(late));
    assert_ok(ref_db_close(db));
}

static void a_long_reader_keeps_its_state_through_commits_checkpoints_and_evictions(void **state)
{
    fixture *fix = *state;
    uint32_t value;
    fix->options.cache_size = 24u << 10; /* a tenth of the pages */
    fix->options.log_auto_remove = true;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    ref_txn *readers[8];
    for (uint32_t round = 0; round < 40; round++) {
        set_all(db, round, true);
        if (round % 5 == 0) {
            readers[round / 5] = begin(fix->env, NULL);
            assert_ok(all_equal(db, readers[round / 5], &value));
            assert_int_equal(value, round);
        }
        if (round % 3 == 0) {
            assert_ok(ref_checkpoint(fix->env, false));
        }
        for (uint32_t i = 0; i <= round / 5; i += 2) {
            assert_ok(all_equal(db, readers[i], &value));
            assert_int_equal(value, i * 5);
        }
    }
    assert_true(fix->env->cache.bytes > fix->env->cache.limit); /* what they hold */
    for (uint32_t i = 0; i < 8; i++) {
        assert_ok(all_equal(db, readers[i], &value));
        assert_int_equal(value, i * 5);
        assert_ok(ref_txn_abort(readers[i]));
    }
    /* and is let go when they are gone */
    assert_ok(ref_checkpoint(fix->env, true));
    set_all(db, 99, true);
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(all_equal(db, NULL, &value));
    assert_true(fix->env->cache.bytes <= fix->env->cache.limit + 4 * 512);
    assert_int_equal(db_verify(db), KEYS);
    assert_ok(ref_db_close(db));
}

static void a_cursor_without_transaction_reads_the_state_of_its_opening(void **state)
{
    fixture *fix = *state;
    ref_cursor *cursor;
    ref_buffer value = {0};
    uint32_t count = 0;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    set_all(db, 1, false);
    assert_ok(ref_cursor_open(db, NULL, &cursor));
    set_all(db, 2, false);
    assert_ok(ref_db_truncate(db, NULL, NULL));
    assert_ok(ref_checkpoint(fix->env, false));
    while (ref_cursor_get(cursor, REF_MOVE_NEXT, (ref_slice){0}, false, NULL, &value) == 0) {
        assert_int_equal(ref_get32(value.data), 1);
        count++;
    }
    assert_int_equal(count, KEYS);
    assert_ok(ref_cursor_close(cursor));
    ref_buffer_free(&value);
    assert_ok(ref_db_close(db));
}

static void a_reader_does_not_wait_for_a_writer(void **state)
{
    fixture *fix = *state;
    uint32_t value;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    set_all(db, 1, false);
    ref_txn *writer = begin(fix->env, NULL);
    for (uint32_t key = 0; key < KEYS; key++) {
        assert_ok(put_number(db, writer, key, 2, 70));
    }
    ref_txn *reader = begin(fix->env, NULL);
    assert_ok(all_equal(db, reader, &value));
    assert_int_equal(value, 1);
    assert_int_equal(db_verify(db), KEYS);
    assert_ok(ref_txn_commit(writer));
    assert_ok(all_equal(db, reader, &value));
    assert_int_equal(value, 1);
    assert_ok(ref_txn_abort(reader));
    assert_ok(ref_db_close(db));
}

static void a_cache_of_a_few_pages_is_enough(void **state)
{
    fixture *fix = *state;
    uint64_t seed = 7;
    uint32_t value;
    uint32_t model[KEYS] = {0};
    fix->options.cache_size = 2048;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    set_all(db, 0, true);
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t key = next_random(&seed) % KEYS;
        ref_txn_options options = {.no_sync = true};
        ref_txn *txn = begin(fix->env, &options);
        assert_ok(put_number(db, txn, key, i, 60));
        assert_ok(ref_txn_commit(txn));
        model[key] = i;
        key = next_random(&seed) % KEYS;
        assert_ok(get_number(db, NULL, key, &value));
        assert_int_equal(value, model[key]);
    }
    assert_int_equal(db_verify(db), KEYS);
    assert_ok(ref_db_close(db));
    env_close(fix);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    for (uint32_t key = 0; key < KEYS; key++) {
        assert_ok(get_number(db, NULL, key, &value));
        assert_int_equal(value, model[key]);
    }
    assert_ok(ref_db_close(db));
}

/* ---- threads ---- */

typedef struct reader {
    ref_db *db;
    atomic_bool *stop;
    int error;
    uint32_t reads;
} reader;

static void *read_until_stopped(void *context)
{
    reader *who = context;
    uint32_t value, before = 0;
    while (!atomic_load(who->stop) && who->error == 0 && who->reads < 100000) {
        ref_txn *txn = NULL;
        bool with_txn = who->reads % 2 == 0;
        int error = with_txn ? ref_txn_begin(ref_db_env(who->db), NULL, &txn) : 0;
        if (error == 0) {
            error = all_equal(who->db, txn, &value);
        }
        if (error == 0 && value < before) {
            error = ESTALE; /* time goes one way */
        }
        before = error == 0 ? value : before;
        if (txn != NULL) {
            ref_txn_abort(txn);
        }
        who->error = error;
        who->reads++;
    }
    return NULL;
}

static void readers_in_other_threads_see_whole_commits_in_their_order(void **state)
{
    fixture *fix = *state;
    enum { READERS = 3 };
    pthread_t threads[READERS];
    reader readers[READERS];
    atomic_bool stop = false;
    fix->options.cache_size = 32u << 10;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    set_all(db, 0, true);
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (reader){.db = db, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, read_until_stopped, &readers[i]), 0);
    }
    for (uint32_t round = 1; round <= 60; round++) {
        set_all(db, round, round % 4 != 0);
        if (round % 10 == 0) {
            assert_ok(ref_checkpoint(fix->env, false));
        }
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < READERS; i++) {
        assert_ok(readers[i].error);
        assert_true(readers[i].reads > 0);
    }
    assert_ok(ref_db_close(db));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_transaction_reads_the_state_of_its_first_read),
    SCRATCH_TEST(a_long_reader_keeps_its_state_through_commits_checkpoints_and_evictions),
    SCRATCH_TEST(a_cursor_without_transaction_reads_the_state_of_its_opening),
    SCRATCH_TEST(a_reader_does_not_wait_for_a_writer),
    SCRATCH_TEST(a_cache_of_a_few_pages_is_enough),
    SCRATCH_TEST(readers_in_other_threads_see_whole_commits_in_their_order),
};

TEST_MAIN(tests)
