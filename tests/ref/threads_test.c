/* Many threads in one environment: money is moved, read, and never made. */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bank.h"
#include "engine/error.h"

static void money_moves_between_databases_and_none_is_made(void **state)
{
    fixture *fix = *state;
    bank money;
    fix->options.cache_size = 64u << 10;
    fix->options.log_auto_remove = true;
    env_open(fix);
    bank_open(&money, fix->env);
    bank_start(&money, 4);
    for (int i = 0; i < 30; i++) {
        assert_ok(bank_check(&money));
        if (i % 3 == 0) {
            assert_ok(ref_checkpoint(fix->env, false));
        }
    }
    bank_wait(&money, 200);
    bank_stop(&money);
    assert_ok(bank_check(&money));
    bank_close(&money);
    env_crash(fix);
    env_open(fix);
    bank_open(&money, fix->env);
    assert_ok(bank_check(&money));
    bank_close(&money);
}

/* ---- group commit ---- */

typedef struct committer {
    ref_db *db;
    uint32_t first, count;
    int error;
} committer;

static void *commit_some(void *context)
{
    committer *who = context;
    for (uint32_t i = 0; i < who->count && who->error == 0; i++) {
        who->error = put_number(who->db, NULL, who->first + i, i, 20);
    }
    return NULL;
}

static void slow_sync(void *context, fault_kind kind, const char *path)
{
    (void)context;
    (void)path;
    if (kind == FAULT_FSYNC) {
        ref_vfs_posix()->sleep(ref_vfs_posix(), 1000000);
    }
}

static void commits_of_several_threads_share_syncs(void **state)
{
    fixture *fix = *state;
    enum { THREADS = 8, COMMITS = 25 };
    committer committers[THREADS];
    pthread_t threads[THREADS];
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    uint64_t before = fault_count(&fix->vfs, FAULT_BIT(FAULT_FSYNC));
    fix->vfs.before = slow_sync;
    for (uint32_t i = 0; i < THREADS; i++) {
        committers[i] = (committer){.db = db, .first = i * COMMITS, .count = COMMITS};
        assert_int_equal(pthread_create(&threads[i], NULL, commit_some, &committers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    fix->vfs.before = NULL;
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_ok(committers[i].error);
    }
    uint64_t syncs = fault_count(&fix->vfs, FAULT_BIT(FAULT_FSYNC)) - before;
    assert_true(syncs < THREADS * COMMITS * 3 / 4);
    assert_ok(ref_db_close(db));
    env_crash(fix); /* and every commit had been synced when it returned */
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_int_equal(db_verify(db), THREADS * COMMITS);
    assert_ok(ref_db_close(db));
}

/* ---- names ---- */

typedef struct renamer {
    ref_env *env;
    uint32_t id;
    int error;
} renamer;

/* Makes, fills, renames and removes a database of its own, again and again. */
static int live_with_names(renamer *who, uint32_t round)
{
    ref_db_options options = {.create = true, .page_size = 512};
    char name[32], other[32];
    ref_db *db;
    uint32_t value;
    snprintf(name, sizeof name, "t%u.db", who->id);
    snprintf(other, sizeof other, "u%u-%u.db", who->id, round);
    int error = ref_db_open(who->env, NULL, name, &options, &db);
    if (error != 0) {
        return error;
    }
    error = put_number(db, NULL, 1, round, 700);
    ref_db_close(db);
    error = error == 0 ? ref_db_rename(who->env, NULL, name, other) : error;
    error = error == 0 ? ref_db_open(who->env, NULL, other, &options, &db) : error;
    if (error == 0) {
        error = get_number(db, NULL, 1, &value);
        error = error == 0 && value != round ? EILSEQ : error;
        ref_db_close(db);
    }
    return error == 0 ? ref_db_remove(who->env, NULL, other) : error;
}

static void *live(void *context)
{
    renamer *who = context;
    for (uint32_t round = 0; round < 15 && who->error == 0; round++) {
        who->error = live_with_names(who, round);
    }
    return NULL;
}

static void databases_come_and_go_in_several_threads_while_checkpoints_run(void **state)
{
    fixture *fix = *state;
    enum { THREADS = 4 };
    renamer renamers[THREADS];
    pthread_t threads[THREADS];
    int error = 0;
    fix->options.log_auto_remove = true;
    env_open(fix);
    for (uint32_t i = 0; i < THREADS; i++) {
        renamers[i] = (renamer){.env = fix->env, .id = i};
        assert_int_equal(pthread_create(&threads[i], NULL, live, &renamers[i]), 0);
    }
    for (int i = 0; i < 20 && error == 0; i++) {
        error = ref_checkpoint(fix->env, false);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_ok(error);
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_ok(renamers[i].error);
    }
    env_crash(fix);
    env_open(fix);
    assert_false(db_exists(fix->env, "t0.db"));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(money_moves_between_databases_and_none_is_made),
    SCRATCH_TEST(commits_of_several_threads_share_syncs),
    SCRATCH_TEST(databases_come_and_go_in_several_threads_while_checkpoints_run),
};

TEST_MAIN(tests)
