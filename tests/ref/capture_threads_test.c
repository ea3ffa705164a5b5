/*
 * Captures while threads write, write checkpoints, and compact other databases. Nobody can stop the
 * world to look at the start here; so each capture is copied twice, in different ways: both copies
 * must become the same bytes, a state that one commit left, and none from before the start.
 */
#include "copying.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"

enum { SUBJECTS = 2, KEYS = 60, ROUNDS = 12 };

/* Every record of a database has the number of the transaction that wrote them all. */
typedef struct subject {
    fixture *fix;
    ref_db *db;
    char path[FIXTURE_PATH], to[2][FIXTURE_PATH];
    _Atomic uint32_t committed;
    atomic_bool over;
    atomic_int failed;
    uint64_t seed;
} subject;

static void *write_on(void *context)
{
    subject *s = context;
    ref_txn_options lazy = {.no_sync = true};
    uint64_t seed = s->seed;
    for (uint32_t number = 2; !atomic_load(&s->over); number++) {
        ref_txn *txn;
        int error = ref_txn_begin(s->fix->env, &lazy, &txn);
        size_t size = 4 + next_random(&seed) % 900;
        for (uint32_t key = 0; key < KEYS && error == 0; key++) {
            error = put_number(s->db, txn, key, number, size);
        }
        if (error == 0) {
            error = ref_txn_commit(txn);
            atomic_store(&s->committed, number);
        }
        if (error != 0) {
            atomic_store(&s->failed, error);
            return NULL;
        }
    }
    return NULL;
}

static void *checkpoint_on(void *context)
{
    subject *s = context;
    while (!atomic_load(&s->over)) {
        int error = ref_checkpoint(s->fix->env, false);
        if (error != 0) {
            atomic_store(&s->failed, error);
        }
    }
    return NULL;
}

static void *compact_on(void *context)
{
    subject *s = context;
    while (!atomic_load(&s->over)) {
        int error = ref_db_compact(s->db, NULL, NULL, NULL);
        if (error != 0 && error != EBUSY) {
            atomic_store(&s->failed, error);
        }
    }
    return NULL;
}

/* The number that all records of a copy have. */
static uint32_t number_of(subject *s, const char *path)
{
    ref_db_options reading = {.read_only = true};
    ref_db *copy;
    uint32_t number = 0, other;
    assert_ok(ref_db_open_alone(&s->fix->vfs.vfs, path, &reading, &copy));
    assert_int_equal(db_verify(copy), KEYS);
    assert_ok(get_number(copy, NULL, 0, &number));
    for (uint32_t key = 1; key < KEYS; key++) {
        assert_ok(get_number(copy, NULL, key, &other));
        assert_int_equal(other, number);
    }
    assert_ok(ref_db_close(copy));
    return number;
}

static void back_up(subject *s, uint64_t *seed)
{
    ref_capture_options options = {.memory_limit = 1 + next_random(seed) % 60000};
    ref_capture *capture;
    copier copies[2];
    uint64_t size;
    bool marks = next_random(seed) % 2 == 0;

    uint32_t before = atomic_load(&s->committed);
    int error;
    while ((error = ref_capture_start(s->db, &options, &capture, &size)) == EBUSY) {
    }
    assert_ok(error);
    for (size_t i = 0; i < 2; i++) {
        copier_open(&copies[i], s->path, s->to[i], size, marks || i == 0, seed);
    }
    while (copier_step(&copies[0])) {
        if (marks) {
            while (copier_position(&copies[1]) < copier_position(&copies[0])) {
                copier_step(&copies[1]);
            }
            assert_ok(ref_capture_mark(capture, copier_position(&copies[0])));
        }
    }
    copier_close(&copies[0]);
    copier_close(&copies[1]);
    assert_ok(ref_capture_stop(capture));
    image stream = stream_of(capture, seed);
    ref_capture_end(capture);
    for (size_t i = 0; i < 2; i++) {
        assert_ok(stream_apply(&s->fix->vfs.vfs, s->to[i], &stream, seed));
        assert_int_equal(file_size(s->to[i]), size);
    }
    assert_true(file_same(s->to[0], s->to[1]));
    assert_true(number_of(s, s->to[0]) >= before);
    free(stream.bytes);
}

static void two_copies_of_one_capture_become_the_same_state(void **state)
{
    fixture *fix = *state;
    subject subjects[SUBJECTS];
    pthread_t threads[2 * SUBJECTS + 1];
    size_t count = 0;
    fix->options.log_auto_remove = true;
    env_open(fix);
    for (size_t i = 0; i < SUBJECTS; i++) {
        subject *s = &subjects[i];
        char name[32];
        *s = (subject){.fix = fix, .seed = i + 1};
        snprintf(name, sizeof name, "%zu.db", i);
        snprintf(s->path, sizeof s->path, "%.900s/%s", fix->home, name);
        for (size_t j = 0; j < 2; j++) {
            snprintf(s->to[j], sizeof s->to[j], "%.900s/%s.%zu", fix->dir, name, j);
        }
        s->db = db_make(fix->env, name);
        for (uint32_t key = 0; key < KEYS; key++) {
            assert_ok(put_number(s->db, NULL, key, 1, 50));
        }
        assert_int_equal(pthread_create(&threads[count++], NULL, write_on, s), 0);
        assert_int_equal(pthread_create(&threads[count++], NULL, compact_on, s), 0);
    }
    assert_int_equal(pthread_create(&threads[count++], NULL, checkpoint_on, &subjects[0]), 0);
    for (uint64_t round = 0, seed = 7; round < ROUNDS; round++) {
        for (size_t i = 0; i < SUBJECTS; i++) {
            back_up(&subjects[i], &seed);
        }
    }
    for (size_t i = 0; i < SUBJECTS; i++) {
        atomic_store(&subjects[i].over, true);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < SUBJECTS; i++) {
        assert_int_equal(atomic_load(&subjects[i].failed), 0);
        db_verify(subjects[i].db);
        assert_ok(ref_db_close(subjects[i].db));
    }
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(two_copies_of_one_capture_become_the_same_state),
};
TEST_MAIN(tests)
