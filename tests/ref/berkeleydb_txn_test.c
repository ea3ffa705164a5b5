/* Transactions, checkpoints, the log's files. */
#include "berkeleydb_support.h"

#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- commit and abort ---- */

static void commit_keeps_and_abort_undoes(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DB_TXN *txn = begin(env, 0);

    (void)state;
    assert_int_equal(put(db, txn, "kept", "1"), 0);
    assert_value(db, NULL, "kept", NULL); /* nobody else sees it */
    assert_value(db, txn, "kept", "1");
    assert_int_equal(txn->commit(txn, 0), 0);
    txn = begin(env, 0);
    assert_int_equal(put(db, txn, "undone", "2"), 0);
    assert_int_equal(del(db, txn, "kept"), 0);
    assert_int_equal(txn->abort(txn), 0);
    assert_records(db, NULL, "kept=1");
    close_all(db, env);
    env = open_env("home", 0);
    db = open_db(env, "a.db");
    assert_records(db, NULL, "kept=1");
    close_all(db, env);
}

static void a_database_made_in_a_transaction_appears_with_its_commit(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = NULL, *other = NULL;
    DB_TXN *txn = begin(env, 0);

    (void)state;
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_int_equal(db->open(db, txn, "a.db", NULL, DB_BTREE, DB_CREATE, 0), 0);
    assert_int_equal(put(db, txn, "k", "v"), 0);
    assert_int_equal(db_create(&other, env, 0), 0);
    assert_int_equal(other->open(other, NULL, "a.db", NULL, DB_BTREE, 0, 0) == 0, 0);
    close_all(other, NULL);
    assert_int_equal(txn->commit(txn, 0), 0);
    assert_value(db, NULL, "k", "v");
    close_all(db, NULL);

    txn = begin(env, 0);
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_int_equal(db->open(db, txn, "b.db", NULL, DB_BTREE, DB_CREATE, 0), 0);
    assert_int_equal(txn->abort(txn), 0);
    close_all(db, NULL);
    assert_false(exists("home/b.db"));
    close_all(NULL, env);
}

static void ids_differ(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB_TXN *first = begin(env, 0), *second = begin(env, 0);

    (void)state;
    assert_int_not_equal(first->id(first), second->id(second));
    assert_true(first->id(first) >= 0x80000000u);
    assert_int_equal(first->abort(first), 0);
    assert_int_equal(second->commit(second, 0), 0);
    close_all(NULL, env);
}

static void what_is_not_in_the_subset_is_refused(void **state)
{
    DB_ENV *env = new_env();
    DB_TXN *txn = NULL, *other = (DB_TXN *)env;

    (void)state;
    assert_refused(env->txn_begin(env, NULL, &other, 0), "only after DB_ENV->open");
    assert_null(other);
    close_all(NULL, env);
    env = open_env("home", 0);
    txn = begin(env, 0);
    assert_refused(env->txn_begin(env, txn, &other, 0), "parent");
    assert_refused(env->txn_begin(env, NULL, &other, 0x40000000u), "0x40000000");
    assert_refused(env->txn_begin(env, NULL, &other, DB_TXN_SYNC | DB_TXN_NOSYNC), "exclude");
    assert_refused(env->txn_begin(env, NULL, &other, DB_TXN_WAIT | DB_TXN_NOWAIT), "exclude");
    assert_refused(txn->set_timeout(txn, 1, 0), "DB_TXN->set_timeout");
    assert_int_equal(txn->abort(txn), 0);
    txn = begin(
        env, DB_READ_COMMITTED | DB_READ_UNCOMMITTED | DB_TXN_SNAPSHOT | DB_TXN_BULK | DB_TXN_WAIT);
    assert_int_equal(txn->commit(txn, 0), 0);
    close_all(NULL, env);
}

static void a_commit_with_a_wrong_flag_aborts(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DB_TXN *txn = begin(env, 0);

    (void)state;
    assert_int_equal(put(db, txn, "k", "v"), 0);
    assert_refused(txn->commit(txn, 0x4000), "0x4000");
    assert_records(db, NULL, "");
    txn = begin(env, 0);
    assert_refused(txn->commit(txn, DB_TXN_SYNC | DB_TXN_NOSYNC), "exclude");
    close_all(db, env);
}

static void a_transaction_wants_a_database_that_was_opened_for_it(void **state)
{
    DB_ENV *env = open_env("home", 0), *other = open_env("other", 0);
    DB *db = NULL;
    DBC *cursor = NULL;
    DB_TXN *txn = begin(env, 0);

    (void)state;
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_int_equal(db->open(db, NULL, "a.db", NULL, DB_BTREE, DB_CREATE, 0), 0);
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    assert_refused(put(db, txn, "k", "v"), "DB_AUTO_COMMIT");
    assert_refused(db->cursor(db, txn, &cursor, 0), "DB_AUTO_COMMIT");
    close_all(db, NULL);
    assert_int_equal(env->set_flags(env, DB_AUTO_COMMIT, 1), 0);
    assert_int_equal(db_create(&db, env, 0), 0);
    assert_int_equal(db->open(db, NULL, "a.db", NULL, DB_BTREE, 0, 0), 0);
    assert_int_equal(put(db, txn, "k", "w"), 0);
    close_all(db, NULL);
    db = open_db(other, "b.db");
    assert_refused(put(db, txn, "k", "v"), "another environment");
    close_all(db, other);
    db = open_db(NULL, "alone.db");
    db->set_errfile(db, NULL);
    assert_int_equal(put(db, txn, "k", "v"), EINVAL);
    close_all(db, NULL);
    assert_int_equal(txn->abort(txn), 0);
    close_all(NULL, env);
}

static void every_sync_flag_commits(void **state)
{
    static const u_int32_t flags[] = {0, DB_TXN_SYNC, DB_TXN_NOSYNC, DB_TXN_WRITE_NOSYNC};
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            DB_TXN *txn = begin(env, flags[i]);
            char key[3] = {(char)('a' + i), (char)('a' + j), '\0'};

            assert_int_equal(put(db, txn, key, ""), 0);
            assert_int_equal(txn->commit(txn, flags[j]), 0);
        }
    }
    assert_int_equal(env->set_flags(env, DB_TXN_NOSYNC, 1), 0);
    assert_int_equal(put(db, NULL, "z", ""), 0);
    close_all(db, env);
    env = open_env("home", 0);
    db = open_db(env, "a.db");
    assert_records(db, NULL, "aa= ab= ac= ad= ba= bb= bc= bd= ca= cb= cc= cd= da= db= dc= dd= z=");
    close_all(db, env);
}

/* ---- conflicts ---- */

static void a_lost_update_is_refused(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DB_TXN *first = begin(env, 0), *second = begin(env, 0);

    (void)state;
    assert_int_equal(put(db, NULL, "sum", "1"), 0);
    assert_value(db, first, "sum", "1");
    assert_value(db, second, "sum", "1");
    assert_int_equal(put(db, first, "sum", "2"), 0);
    assert_int_equal(first->commit(first, 0), 0);
    assert_int_equal(put(db, second, "sum", "2"), DB_LOCK_DEADLOCK);
    assert_int_equal(second->abort(second), 0);
    assert_string_equal(errors(), "");
    close_all(db, env);
}

static void a_second_writer_in_one_thread_is_a_deadlock_at_once(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DB_TXN *first = begin(env, 0), *second = begin(env, 0);

    (void)state;
    assert_int_equal(put(db, first, "k", "1"), 0);
    assert_int_equal(put(db, second, "k", "2"), DB_LOCK_DEADLOCK);
    assert_int_equal(put(db, NULL, "k", "3"), DB_LOCK_DEADLOCK);
    assert_int_equal(second->abort(second), 0);
    assert_int_equal(first->commit(first, 0), 0);
    assert_value(db, NULL, "k", "1");
    close_all(db, env);
}

static void DB_RMW_keeps_others_from_writing(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DB_TXN *txn = begin(env, 0), *other = begin(env, DB_TXN_NOWAIT);
    DBT k = text("k"), v = dbt(NULL, 0);

    (void)state;
    assert_int_equal(put(db, NULL, "k", "1"), 0);
    assert_int_equal(db->get(db, txn, &k, &v, DB_RMW), 0);
    assert_int_equal(put(db, other, "k", "2"), DB_LOCK_DEADLOCK);
    assert_int_equal(other->abort(other), 0);
    assert_int_equal(put(db, txn, "k", "3"), 0);
    assert_int_equal(txn->commit(txn, 0), 0);
    assert_value(db, NULL, "k", "3");
    close_all(db, env);
}

/* A thread that holds the write lock until it is told to let go. */
typedef struct holder {
    DB_ENV *env;
    DB *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool holds, let_go;
    int result;
} holder;

static void *hold(void *argument)
{
    holder *h = argument;
    DB_TXN *txn = NULL;
    int ret = h->env->txn_begin(h->env, NULL, &txn, 0);

    if (ret == 0) {
        ret = put(h->db, txn, "held", "by another");
    }
    (void)pthread_mutex_lock(&h->lock);
    h->holds = true;
    (void)pthread_cond_broadcast(&h->changed);
    while (!h->let_go) {
        (void)pthread_cond_wait(&h->changed, &h->lock);
    }
    (void)pthread_mutex_unlock(&h->lock);
    h->result = ret == 0 ? txn->commit(txn, 0) : ret;
    return NULL;
}

static void start_holding(holder *h, DB_ENV *env, DB *db)
{
    memset(h, 0, sizeof *h);
    h->env = env;
    h->db = db;
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->changed, NULL);
    assert_int_equal(pthread_create(&h->thread, NULL, hold, h), 0);
    (void)pthread_mutex_lock(&h->lock);
    while (!h->holds) {
        (void)pthread_cond_wait(&h->changed, &h->lock);
    }
    (void)pthread_mutex_unlock(&h->lock);
}

static void tell_to_let_go(holder *h)
{
    (void)pthread_mutex_lock(&h->lock);
    h->let_go = true;
    (void)pthread_cond_broadcast(&h->changed);
    (void)pthread_mutex_unlock(&h->lock);
}

static void stop_holding(holder *h)
{
    tell_to_let_go(h);
    assert_int_equal(pthread_join(h->thread, NULL), 0);
    assert_int_equal(h->result, 0);
    (void)pthread_mutex_destroy(&h->lock);
    (void)pthread_cond_destroy(&h->changed);
}

static int try_write(DB_ENV *env, DB *db, u_int32_t flags, db_timeout_t lock, db_timeout_t whole)
{
    DB_TXN *txn = begin(env, flags);

    if (lock != 0) {
        assert_int_equal(txn->set_timeout(txn, lock, DB_SET_LOCK_TIMEOUT), 0);
    }
    if (whole != 0) {
        assert_int_equal(txn->set_timeout(txn, whole, DB_SET_TXN_TIMEOUT), 0);
    }
    int ret = put(db, txn, "k", "v");
    assert_int_equal(txn->abort(txn), 0);
    return ret;
}

static void a_wait_that_is_cut_short_is_DEADLOCK_or_with_DB_TIME_NOTGRANTED_that(void **state)
{
    enum { SOON = 20000 };
    DB_ENV *env = open_env("home", DB_THREAD);
    DB *db = open_db(env, "a.db");
    holder h;

    (void)state;
    start_holding(&h, env, db);
    for (int named = 0; named < 2; named++) {
        int expected = named != 0 ? DB_LOCK_NOTGRANTED : DB_LOCK_DEADLOCK;

        assert_int_equal(env->set_flags(env, DB_TIME_NOTGRANTED, named), 0);
        assert_int_equal(try_write(env, db, DB_TXN_NOWAIT, 0, 0), expected);
        assert_int_equal(try_write(env, db, 0, SOON, 0), expected);
        assert_int_equal(try_write(env, db, 0, 0, SOON), expected);
        assert_int_equal(env->set_flags(env, DB_TXN_NOWAIT, 1), 0);
        assert_int_equal(try_write(env, db, 0, 0, 0), expected);
        assert_int_equal(put(db, NULL, "k", "v"), expected);
        assert_int_equal(env->set_flags(env, DB_TXN_NOWAIT, 0), 0);
        assert_int_equal(env->set_timeout(env, SOON, DB_SET_TXN_TIMEOUT), 0);
        assert_int_equal(try_write(env, db, 0, 0, 0), expected);
        assert_int_equal(put(db, NULL, "k", "v"), expected);
        assert_int_equal(env->set_timeout(env, 0, DB_SET_TXN_TIMEOUT), 0);
        assert_int_equal(env->set_timeout(env, SOON, DB_SET_LOCK_TIMEOUT), 0);
        assert_int_equal(del(db, NULL, "k"), expected);
        assert_int_equal(env->set_timeout(env, 0, DB_SET_LOCK_TIMEOUT), 0);
    }
    assert_value(db, NULL, "held", NULL); /* reading never waits */
    stop_holding(&h);
    assert_records(db, NULL, "held=by another");
    close_all(db, env);
}

static void *let_go_soon(void *argument)
{
    const struct timespec soon = {0, 50000000};

    (void)nanosleep(&soon, NULL);
    tell_to_let_go(argument);
    return NULL;
}

static void without_a_limit_a_writer_waits_its_turn(void **state)
{
    DB_ENV *env = open_env("home", DB_THREAD);
    DB *db = open_db(env, "a.db");
    pthread_t thread;
    holder h;

    (void)state;
    start_holding(&h, env, db);
    assert_int_equal(pthread_create(&thread, NULL, let_go_soon, &h), 0);
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    stop_holding(&h);
    assert_records(db, NULL, "held=by another k=v");
    close_all(db, env);
}

enum { THREADS = 4, TURNS = 100 };

static void *count_up(void *argument)
{
    DB *db = argument;
    DB_ENV *env = db->app_private;

    for (int i = 0; i < TURNS; i++) {
        int ret;

        do {
            DB_TXN *txn = NULL;
            char number[16] = "0", next[16];
            DBT k = text("sum"), v = in_memory(number, sizeof number - 1), w;

            ret = env->txn_begin(env, NULL, &txn, DB_TXN_NOSYNC);
            if (ret != 0) {
                return argument;
            }
            ret = db->get(db, txn, &k, &v, i % 2 == 0 ? DB_RMW : 0);
            number[v.size] = '\0';
            snprintf(next, sizeof next, "%d", ret == DB_NOTFOUND ? 1 : atoi(number) + 1);
            w = text(next);
            if (ret == 0 || ret == DB_NOTFOUND) {
                ret = db->put(db, txn, &k, &w, 0);
            }
            if (ret == 0) {
                ret = txn->commit(txn, 0);
            } else if (txn->abort(txn) != 0) {
                return argument;
            }
        } while (ret == DB_LOCK_DEADLOCK);
        if (ret != 0) {
            return argument;
        }
    }
    return NULL;
}

static void threads_that_retry_lose_no_update(void **state)
{
    DB_ENV *env = open_env("home", DB_THREAD);
    DB *db = open_db(env, "a.db");
    pthread_t thread[THREADS];
    char sum[16];

    (void)state;
    db->app_private = env;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, count_up, db), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;

        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
    }
    snprintf(sum, sizeof sum, "%d", THREADS * TURNS);
    assert_value(db, NULL, "sum", sum);
    close_all(db, env);
}

/* ---- checkpoint and log ---- */

static void checkpoints_are_taken_when_asked_for(void **state)
{
    DB_ENV *env = new_env();

    (void)state;
    assert_refused(env->txn_checkpoint(env, 0, 0, 0), "only after DB_ENV->open");
    close_all(NULL, env);
    env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    assert_int_equal(env->txn_checkpoint(env, 1000000, 1000000, 0), 0);
    assert_int_equal(env->txn_checkpoint(env, 0, 0, 0), 0);
    assert_int_equal(env->txn_checkpoint(env, 0, 0, DB_FORCE), 0);
    assert_refused(env->txn_checkpoint(env, 0, 0, 0x40), "0x40");
    assert_int_equal(db->sync(db, 0), 0);
    close_all(db, env);
}

/* An environment whose log has several files. */
static DB_ENV *with_many_logs(const char *log_dir, DB **db)
{
    DB_ENV *env = new_env();
    char value[4096];

    make_dir("home");
    if (log_dir != NULL) {
        assert_int_equal(env->set_lg_dir(env, log_dir), 0);
    }
    assert_int_equal(env->set_lg_max(env, 65536), 0);
    assert_int_equal(env->open(env, "home", ENV_FLAGS, 0), 0);
    *db = open_db(env, "a.db");
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (char key[] = "a"; key[0] <= 'z'; key[0]++) {
        assert_int_equal(put(*db, NULL, key, value), 0);
        assert_int_equal(put(*db, NULL, key, ""), 0);
    }
    return env;
}

static size_t count(char **list)
{
    size_t n = 0;

    while (list != NULL && list[n] != NULL) {
        n++;
    }
    return n;
}

static size_t logs_on_disk(const char *pattern)
{
    glob_t found;
    size_t n = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;

    globfree(&found);
    return n;
}

static void log_archive_lists_what_is_not_needed_any_more_and_all(void **state)
{
    DB *db;
    DB_ENV *env = with_many_logs(NULL, &db);
    char **all = NULL, **old = NULL;
    size_t total = logs_on_disk("home/log.*");

    (void)state;
    assert_true(total > 2);
    assert_int_equal(env->log_archive(env, &all, DB_ARCH_LOG), 0);
    assert_int_equal(count(all), total);
    assert_string_equal(all[0], "log.0000000001");
    free(all);
    assert_int_equal(env->txn_checkpoint(env, 0, 0, DB_FORCE), 0);
    assert_int_equal(env->log_archive(env, &old, 0), 0);
    assert_true(count(old) > 0);
    assert_true(count(old) < logs_on_disk("home/log.*"));
    size_t removable = count(old);
    free(old);
    total = logs_on_disk("home/log.*");
    assert_int_equal(env->log_archive(env, NULL, DB_ARCH_REMOVE), 0);
    assert_int_equal(logs_on_disk("home/log.*"), total - removable);
    assert_int_equal(env->log_archive(env, &old, 0), 0);
    assert_null(old);
    close_all(db, env);
}

static void log_archive_names_are_relative_to_the_home_or_absolute(void **state)
{
    DB *db;
    char **list = NULL;
    char path[4096];

    (void)state;
    make_dir("elsewhere");
    assert_non_null(realpath("elsewhere", path));
    DB_ENV *env = with_many_logs(path, &db);
    assert_int_equal(env->log_archive(env, &list, DB_ARCH_LOG), 0);
    assert_int_equal(strncmp(list[0], path, strlen(path)), 0);
    free(list);
    close_all(db, env);
}

static void log_archive_knows_the_log_directory(void **state)
{
    DB_ENV *env = new_env();
    char **list = NULL;

    (void)state;
    make_dir("home");
    make_dir("home/logs");
    assert_int_equal(env->set_lg_dir(env, "logs"), 0);
    assert_int_equal(env->open(env, "home", ENV_FLAGS, 0), 0);
    DB *db = open_db(env, "a.db");
    assert_int_equal(env->log_archive(env, &list, DB_ARCH_LOG), 0);
    assert_string_equal(list[0], "logs/log.0000000001");
    assert_null(list[1]);
    free(list);
    assert_int_equal(env->log_archive(env, &list, DB_ARCH_LOG | DB_ARCH_ABS), 0);
    assert_int_equal(list[0][0], '/');
    assert_true(exists(list[0]));
    free(list);
    close_all(db, env);
}

static void log_archive_flags_are_checked(void **state)
{
    DB_ENV *env = new_env();
    char **list = (char **)&env;

    (void)state;
    assert_refused(env->log_archive(env, &list, DB_ARCH_LOG), "only after DB_ENV->open");
    assert_null(list);
    close_all(NULL, env);
    env = open_env("home", 0);
    assert_refused(env->log_archive(env, &list, DB_ARCH_DATA | DB_ARCH_LOG), "exclude each other");
    assert_refused(env->log_archive(env, &list, DB_ARCH_REMOVE | DB_ARCH_LOG), "no other flag");
    assert_refused(env->log_archive(env, &list, 0x40), "0x40");
    assert_refused(env->log_archive(env, NULL, DB_ARCH_LOG), "NULL");
    close_all(NULL, env);
}

static void DB_LOG_AUTO_REMOVE_removes_at_checkpoints(void **state)
{
    DB *db;
    DB_ENV *env = with_many_logs(NULL, &db);
    size_t before = logs_on_disk("home/log.*");

    (void)state;
    assert_int_equal(env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1), 0);
    assert_int_equal(env->txn_checkpoint(env, 0, 0, DB_FORCE), 0);
    assert_true(logs_on_disk("home/log.*") < before);
    close_all(db, env);
}

static void log_flush_takes_a_place_in_the_log(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = open_db(env, "a.db");
    DB_LSN lsn = {1, 28};

    (void)state;
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    assert_int_equal(env->log_flush(env, NULL), 0);
    assert_int_equal(env->log_flush(env, &lsn), 0);
    lsn.file = 99;
    assert_refused(env->log_flush(env, &lsn), "99/28");
    assert_int_equal(put(db, NULL, "k", "w"), 0);
    close_all(db, env);
}

static const struct CMUnitTest tests[] = {
    TEST(commit_keeps_and_abort_undoes),
    TEST(a_database_made_in_a_transaction_appears_with_its_commit),
    TEST(ids_differ),
    TEST(what_is_not_in_the_subset_is_refused),
    TEST(a_commit_with_a_wrong_flag_aborts),
    TEST(a_transaction_wants_a_database_that_was_opened_for_it),
    TEST(every_sync_flag_commits),
    TEST(a_lost_update_is_refused),
    TEST(a_second_writer_in_one_thread_is_a_deadlock_at_once),
    TEST(DB_RMW_keeps_others_from_writing),
    TEST(a_wait_that_is_cut_short_is_DEADLOCK_or_with_DB_TIME_NOTGRANTED_that),
    TEST(without_a_limit_a_writer_waits_its_turn),
    TEST(threads_that_retry_lose_no_update),
    TEST(checkpoints_are_taken_when_asked_for),
    TEST(log_archive_lists_what_is_not_needed_any_more_and_all),
    TEST(log_archive_names_are_relative_to_the_home_or_absolute),
    TEST(log_archive_knows_the_log_directory),
    TEST(log_archive_flags_are_checked),
    TEST(DB_LOG_AUTO_REMOVE_removes_at_checkpoints),
    TEST(log_flush_takes_a_place_in_the_log),
};
TEST_MAIN(tests)
