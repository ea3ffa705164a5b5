/* Backups while the environment is in use: every restored copy is one commit's state. */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bank.h"
#include "copy_sink.h"
#include "engine/error.h"

/* Checkpoints and removal of log segments, again and again. */
typedef struct housekeeper {
    ref_env *env;
    atomic_bool stop;
    int error;
    uint32_t rounds;
    pthread_t thread;
} housekeeper;

static void *keep_house(void *context)
{
    housekeeper *who = context;
    uint32_t *numbers;
    size_t count;
    while (!atomic_load(&who->stop) && who->error == 0 && who->rounds < 100000) {
        who->error = ref_checkpoint(who->env, false);
        if (who->error == 0) {
            who->error = ref_log_archive(who->env, REF_ARCHIVE_REMOVE, &numbers, &count);
        }
        who->rounds++;
    }
    return NULL;
}

static void housekeeper_start(housekeeper *who, ref_env *env)
{
    *who = (housekeeper){.env = env};
    assert_int_equal(pthread_create(&who->thread, NULL, keep_house, who), 0);
}

static void housekeeper_stop(housekeeper *who)
{
    atomic_store(&who->stop, true);
    pthread_join(who->thread, NULL);
    assert_ok(who->error);
    assert_true(who->rounds > 0);
}

/* Slow enough for much to happen between two reads. */
static const ref_backup_options slowly = {
    .flags = REF_BACKUP_CREATE, .buffer_size = 512, .pause_pages = 1, .pause_nanoseconds = 100000};

static void every_backup_under_four_writers_has_all_of_the_money(void **state)
{
    fixture *fix = *state;
    bank money;
    char copies[6][FIXTURE_PATH];
    int error = 0;
    fix->options.cache_size = 32u << 10;
    env_open(fix);
    bank_open(&money, fix->env);
    bank_start(&money, 4);
    for (int i = 0; i < 6 && error == 0; i++) {
        ref_backup_options options = slowly;
        snprintf(copies[i], FIXTURE_PATH, "%.900s/copy%d", fix->dir, i);
        options.target = copies[i];
        options.buffer_size = i % 2 == 0 ? 512 : 4096;
        bank_wait(&money, 20);
        error = ref_backup(fix->env, &options);
    }
    bank_stop(&money);
    assert_ok(error);
    bank_close(&money);
    for (int i = 0; i < 6; i++) {
        bank_check_home(fix, copies[i]);
    }
}

static void a_backup_keeps_the_log_that_it_needs_from_a_loop_of_removals(void **state)
{
    fixture *fix = *state;
    bank money;
    housekeeper house;
    char copies[4][FIXTURE_PATH];
    int error = 0;
    fix->options.cache_size = 32u << 10;
    env_open(fix);
    bank_open(&money, fix->env);
    housekeeper_start(&house, fix->env);
    bank_start(&money, 4);
    for (int i = 0; i < 4 && error == 0; i++) {
        ref_backup_options options = slowly;
        snprintf(copies[i], FIXTURE_PATH, "%.900s/copy%d", fix->dir, i);
        options.target = copies[i];
        bank_wait(&money, 50);
        error = ref_backup(fix->env, &options);
    }
    bank_stop(&money);
    housekeeper_stop(&house);
    assert_ok(error);
    bank_close(&money);
    for (int i = 0; i < 4; i++) {
        bank_check_home(fix, copies[i]);
    }
}

static void updates_under_four_writers_have_all_of_the_money(void **state)
{
    fixture *fix = *state;
    bank money;
    char copy[FIXTURE_PATH];
    int error = 0;
    fix->options.cache_size = 32u << 10;
    env_open(fix);
    bank_open(&money, fix->env);
    bank_start(&money, 4);
    snprintf(copy, sizeof copy, "%.900s/copy", fix->dir);
    ref_backup_options options = slowly;
    options.target = copy;
    for (int i = 0; i < 8 && error == 0; i++) {
        error = ref_backup(fix->env, &options);
        options.flags = REF_BACKUP_UPDATE | (i % 3 == 0 ? REF_BACKUP_CLEAN : 0);
        bank_wait(&money, 30);
        if (i % 2 == 1) {
            bank_check_home(fix, copy);
        }
    }
    bank_stop(&money);
    assert_ok(error);
    bank_close(&money);
    bank_check_home(fix, copy);
}

static void a_backup_without_logs_is_one_commits_state_while_writers_run(void **state)
{
    fixture *fix = *state;
    bank money;
    housekeeper house;
    char copies[3][FIXTURE_PATH];
    int error = 0;
    fix->options.cache_size = 32u << 10;
    env_open(fix);
    bank_open(&money, fix->env);
    housekeeper_start(&house, fix->env);
    bank_start(&money, 4);
    for (int i = 0; i < 3 && error == 0; i++) {
        ref_backup_options options = slowly;
        options.flags |= REF_BACKUP_NO_LOGS;
        snprintf(copies[i], FIXTURE_PATH, "%.900s/copy%d", fix->dir, i);
        options.target = copies[i];
        bank_wait(&money, 50);
        error = ref_backup(fix->env, &options);
    }
    bank_stop(&money);
    housekeeper_stop(&house);
    assert_ok(error);
    bank_close(&money);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(last_segment(copies[i]), 0);
        bank_check_home(fix, copies[i]); /* adopted by a new environment */
    }
}

static void one_databases_backup_is_whole_by_itself_while_writers_run(void **state)
{
    fixture *fix = *state;
    bank money;
    char copy[FIXTURE_PATH], path[FIXTURE_PATH];
    ref_db_options plain = {0};
    ref_db *db;
    int error = 0;
    env_open(fix);
    bank_open(&money, fix->env);
    bank_start(&money, 4);
    for (int i = 0; i < 4 && error == 0; i++) {
        ref_backup_options options = slowly;
        options.flags = 0;
        snprintf(copy, sizeof copy, "%.900s/copy%d", fix->dir, i);
        dir_make(copy);
        options.target = copy;
        bank_wait(&money, 30);
        error = ref_backup_database(fix->env, "left.db", &options);
    }
    bank_stop(&money);
    assert_ok(error);
    bank_close(&money);
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%.900s/copy%d/left.db", fix->dir, i);
        assert_ok(ref_db_open_alone(&fix->vfs.vfs, path, &plain, &db));
        assert_int_equal(db_verify(db), BANK_ACCOUNTS);
        assert_ok(ref_db_close(db));
    }
}

/* ---- two at once ---- */

typedef struct backer {
    ref_env *env;
    ref_backup_options options;
    int error;
    char words[256];
} backer;

static void *back_up(void *context)
{
    backer *who = context;
    who->error = ref_backup(who->env, &who->options);
    snprintf(who->words, sizeof who->words, "%s", ref_error_text());
    return NULL;
}

static void two_backups_at_once_are_both_whole(void **state)
{
    fixture *fix = *state;
    bank money;
    char copies[3][FIXTURE_PATH];
    backer backers[3];
    pthread_t threads[3];
    env_open(fix);
    bank_open(&money, fix->env);
    bank_start(&money, 2);
    for (int i = 0; i < 3; i++) {
        backers[i] = (backer){.env = fix->env, .options = slowly};
        snprintf(copies[i], FIXTURE_PATH, "%.900s/copy%d", fix->dir, i);
        backers[i].options.target = copies[i];
        backers[i].options.flags |= i == 2 ? REF_BACKUP_NO_LOGS : 0;
        assert_int_equal(pthread_create(&threads[i], NULL, back_up, &backers[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    bank_stop(&money);
    bank_close(&money);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(backers[i].error, 0);
        bank_check_home(fix, copies[i]);
    }
}

static void of_two_backups_into_one_target_one_is_refused_or_replaces_the_other(void **state)
{
    fixture *fix = *state;
    bank money;
    char copy[FIXTURE_PATH];
    backer backers[2];
    pthread_t threads[2];
    env_open(fix);
    bank_open(&money, fix->env);
    snprintf(copy, sizeof copy, "%.900s/copy", fix->dir);
    for (int i = 0; i < 2; i++) {
        backers[i] = (backer){.env = fix->env, .options = slowly};
        backers[i].options.target = copy;
        assert_int_equal(pthread_create(&threads[i], NULL, back_up, &backers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_true(backers[0].error == 0 || backers[1].error == 0);
    for (int i = 0; i < 2; i++) {
        if (backers[i].error != 0 && backers[i].error != EBUSY) {
            print_error("%d: %s\n", backers[i].error, backers[i].words);
        }
        assert_true(backers[i].error == 0 || backers[i].error == EBUSY);
        assert_true(backers[i].error == 0 || strstr(backers[i].words, "copy") != NULL);
    }
    bank_close(&money);
    bank_check_home(fix, copy);
}

/* ---- the caller's own locks ---- */

static int use_the_environment(void *context, uint32_t call, copy_call kind, const char *name)
{
    bank *money = context;
    uint64_t seed = call;
    (void)kind;
    (void)name;
    int error = bank_move(money, &seed);
    if (error == 0 && call % 5 == 0) {
        error = ref_checkpoint(money->env, true);
    }
    if (error == 0 && call % 7 == 0) {
        error = bank_check(money);
    }
    return error == 0 && call % 11 == 0 ? ref_log_flush(money->env) : error;
}

static void every_callback_may_commit_and_write_checkpoints(void **state)
{
    fixture *fix = *state;
    bank money;
    copy_sink sink;
    char copy[FIXTURE_PATH];
    env_open(fix);
    bank_open(&money, fix->env);
    for (int logs = 0; logs < 2; logs++) {
        snprintf(copy, sizeof copy, "%.900s/copy%d", fix->dir, logs);
        copy_sink_init(&sink, copy);
        sink.hook = use_the_environment;
        sink.hook_context = &money;
        ref_backup_options options = {
            .sink = &sink.sink, .buffer_size = 512, .flags = logs ? 0 : REF_BACKUP_NO_LOGS};
        assert_ok(ref_backup(fix->env, &options));
        assert_true(sink.calls > 20);
        bank_check_home(fix, copy);
    }
    bank_close(&money);
}

static int back_up_inside(void *context, uint32_t call, copy_call kind, const char *name)
{
    fixture *fix = context;
    ref_backup_options options = {.target = at_dir(fix, "inner"), .flags = REF_BACKUP_CREATE};
    (void)kind;
    (void)name;
    return call == 5 ? ref_backup(fix->env, &options) : 0;
}

static void a_callback_may_take_another_backup(void **state)
{
    fixture *fix = *state;
    bank money;
    copy_sink sink;
    env_open(fix);
    bank_open(&money, fix->env);
    copy_sink_init(&sink, at_dir(fix, "outer"));
    sink.hook = back_up_inside;
    sink.hook_context = fix;
    ref_backup_options options = {.sink = &sink.sink, .buffer_size = 512};
    assert_ok(ref_backup(fix->env, &options));
    bank_close(&money);
    bank_check_home(fix, at_dir(fix, "inner"));
    bank_check_home(fix, at_dir(fix, "outer"));
}

static int write_beside(void *context, uint32_t call, copy_call kind, const char *name)
{
    bank *money = context;
    (void)call;
    (void)kind;
    (void)name;
    return put(money->left, NULL, "beside", "x") == REF_DEADLOCK ? 0 : EINVAL;
}

static void a_thread_with_an_open_transaction_may_take_a_backup(void **state)
{
    fixture *fix = *state;
    bank money;
    copy_sink sink;
    uint64_t seed = 9;
    env_open(fix);
    bank_open(&money, fix->env);
    assert_ok(bank_move(&money, &seed));
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(put_number(money.left, txn, 0, 77777, 40));
    copy_sink_init(&sink, at_dir(fix, "copy"));
    sink.hook = write_beside;
    sink.hook_context = &money;
    ref_backup_options options = {.sink = &sink.sink, .buffer_size = 512};
    assert_ok(ref_backup(fix->env, &options));
    ref_backup_options to_dir = {.target = at_dir(fix, "copy2"), .flags = REF_BACKUP_CREATE};
    assert_ok(ref_backup(fix->env, &to_dir));
    assert_ok(ref_txn_abort(txn));
    bank_close(&money);
    bank_check_home(fix, at_dir(fix, "copy")); /* without what was not committed */
    bank_check_home(fix, at_dir(fix, "copy2"));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(every_backup_under_four_writers_has_all_of_the_money),
    SCRATCH_TEST(a_backup_keeps_the_log_that_it_needs_from_a_loop_of_removals),
    SCRATCH_TEST(updates_under_four_writers_have_all_of_the_money),
    SCRATCH_TEST(a_backup_without_logs_is_one_commits_state_while_writers_run),
    SCRATCH_TEST(one_databases_backup_is_whole_by_itself_while_writers_run),
    SCRATCH_TEST(two_backups_at_once_are_both_whole),
    SCRATCH_TEST(of_two_backups_into_one_target_one_is_refused_or_replaces_the_other),
    SCRATCH_TEST(every_callback_may_commit_and_write_checkpoints),
    SCRATCH_TEST(a_callback_may_take_another_backup),
    SCRATCH_TEST(a_thread_with_an_open_transaction_may_take_a_backup),
};

TEST_MAIN(tests)
