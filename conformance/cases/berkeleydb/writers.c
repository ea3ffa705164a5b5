/* Backups under writers: money is moved between two databases all the while, and never made or
 * lost. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <db.h>

enum {
    ACCOUNTS = 300, /* in each database */
    OPENING_BALANCE = 1000,
    WRITERS = 4,
    BACKUPS = 10,
    UPDATES = 4,
    TRANSFERS_BETWEEN_BACKUPS = 25,
    TRANSFERS_MAX = 20000, /* a writer's */
    RETRIES_MAX = 2000,    /* of one transfer */
    RECORD_SIZE = 200,
};

typedef struct bank {
    bdb_sample *sample;
    _Atomic bool stop;
} bank;

/* A thread that moves money. Its count of transfers is a row in each database, written in the same
 * transaction. */
typedef struct writer {
    bank *bank;
    unsigned number;
    uint64_t random;
    _Atomic unsigned committed;
    int error;
    const char *step;
} writer;

static const bdb_layout two_ledgers = {
    .home = "home",
    .databases = {{.file = "debit.db"}, {.file = "credit.db"}},
};

static unsigned pick(writer *w, unsigned below)
{
    w->random = w->random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(w->random >> 33) % below;
}

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static bool to_be_retried(int ret)
{
    return ret == DB_LOCK_DEADLOCK || ret == DB_LOCK_NOTGRANTED;
}

/* A record is a number and padding, so that a database has some hundred pages. */
static int put_number(DB *db, DB_TXN *txn, const char *name, long number)
{
    char record[RECORD_SIZE];
    DBT key, data;

    memset(record, '.', sizeof record);
    (void)snprintf(record, sizeof record, "%ld", number);
    memset(&key, 0, sizeof key);
    memset(&data, 0, sizeof data);
    key.data = (void *)(uintptr_t)name;
    key.size = (uint32_t)strlen(name);
    data.data = record;
    data.size = sizeof record;
    return db->put(db, txn, &key, &data, 0);
}

static int get_number(DB *db, DB_TXN *txn, const char *name, uint32_t flags, long *number)
{
    char record[RECORD_SIZE];
    DBT key, data;

    memset(&key, 0, sizeof key);
    memset(&data, 0, sizeof data);
    key.data = (void *)(uintptr_t)name;
    key.size = (uint32_t)strlen(name);
    data.data = record;
    data.ulen = sizeof record;
    data.flags = DB_DBT_USERMEM;
    int ret = db->get(db, txn, &key, &data, flags);
    if (ret == 0) {
        *number = strtol(record, NULL, 10);
    }
    return ret;
}

/* Adds to an account, or counts a writer's transfer, in `txn`. */
static int add(DB *db, DB_TXN *txn, const char *name, long amount)
{
    long number = 0;
    int ret = get_number(db, txn, name, DB_RMW, &number);

    return ret == 0 ? put_number(db, txn, name, number + amount) : ret;
}

/* One transfer: the money leaves one database and arrives in the other. */
static int transfer(writer *w, const char *from, const char *to, long amount)
{
    bdb_sample *s = w->bank->sample;
    char name[32];
    DB_TXN *txn = NULL;
    int ret = s->env->txn_begin(s->env, NULL, &txn, 0);

    (void)snprintf(name, sizeof name, "writer %u", w->number);
    if (ret == 0) {
        ret = add(s->db[0], txn, from, -amount);
    }
    if (ret == 0) {
        ret = add(s->db[1], txn, to, amount);
    }
    for (size_t i = 0; ret == 0 && i < 2; i++) {
        ret = add(s->db[i], txn, name, 1);
    }
    if (ret == 0) {
        return txn->commit(txn, DB_TXN_NOSYNC);
    }
    if (txn != NULL) {
        int aborted = txn->abort(txn);

        ret = aborted == 0 ? ret : aborted;
    }
    return ret;
}

static void *move_money(void *argument)
{
    writer *w = argument;

    for (unsigned i = 0; i < TRANSFERS_MAX && !atomic_load(&w->bank->stop); i++) {
        char from[32], to[32];
        long amount = (long)pick(w, 21) - 10;
        int ret = DB_LOCK_DEADLOCK;

        (void)snprintf(from, sizeof from, "account %u", pick(w, ACCOUNTS));
        (void)snprintf(to, sizeof to, "account %u", pick(w, ACCOUNTS));
        for (unsigned retry = 0; to_be_retried(ret) && retry < RETRIES_MAX; retry++) {
            ret = transfer(w, from, to, amount);
        }
        if (ret != 0) {
            w->error = ret;
            w->step = "transfer";
            break;
        }
        (void)atomic_fetch_add(&w->committed, 1);
    }
    return NULL;
}

static void *take_checkpoints(void *argument)
{
    writer *w = argument;
    DB_ENV *env = w->bank->sample->env;

    while (!atomic_load(&w->bank->stop) && w->error == 0) {
        w->step = "DB_ENV->txn_checkpoint";
        w->error = env->txn_checkpoint(env, 0, 0, DB_FORCE);
        pause_ms(15);
    }
    return NULL;
}

static void open_accounts(bdb_sample *s)
{
    DB_TXN *txn = NULL;
    int ret = s->env->txn_begin(s->env, NULL, &txn, 0);

    for (size_t i = 0; i < 2; i++) {
        for (unsigned j = 0; ret == 0 && j < ACCOUNTS; j++) {
            char name[32];

            (void)snprintf(name, sizeof name, "account %u", j);
            ret = put_number(s->db[i], txn, name, OPENING_BALANCE);
        }
        for (unsigned j = 0; ret == 0 && j < WRITERS; j++) {
            char name[32];

            (void)snprintf(name, sizeof name, "writer %u", j);
            ret = put_number(s->db[i], txn, name, 0);
        }
    }
    ret = ret == 0 ? txn->commit(txn, 0) : ret;
    if (ret != 0) {
        hp_unresolved("open the accounts: %s", db_strerror(ret));
    }
}

/* The accounts are opened twice, so that the log that created the databases is no longer needed,
 * and goes. */
static bdb_sample *sample_of_accounts(void)
{
    bdb_sample *s = bdb_sample_new(&two_ledgers);

    for (int i = 0; i < 2; i++) {
        open_accounts(s);
        bdb_remove_logs(s);
    }
    return s;
}

/* The writers, and last the one who takes checkpoints. They go on where they were stopped. */
static void start(bank *b, writer *writers, pthread_t *threads)
{
    atomic_store(&b->stop, false);
    for (unsigned i = 0; i <= WRITERS; i++) {
        unsigned committed = atomic_load(&writers[i].committed);

        writers[i] = (writer){.bank = b,
            .number = i,
            .random = hp_seed() + i * 7919U + committed,
            .committed = committed};
        if (pthread_create(
                &threads[i], NULL, i < WRITERS ? move_money : take_checkpoints, &writers[i]) != 0) {
            hp_unresolved("pthread_create: %s", strerror(errno));
        }
    }
}

static void stop(bank *b, writer *writers, pthread_t *threads)
{
    atomic_store(&b->stop, true);
    for (unsigned i = 0; i <= WRITERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    for (unsigned i = 0; i <= WRITERS; i++) {
        if (writers[i].error != 0) {
            fail_msg("writer %u: %s: %s", i, writers[i].step, db_strerror(writers[i].error));
        }
    }
}

static void wait_for_transfers(writer *writers)
{
    unsigned until = TRANSFERS_BETWEEN_BACKUPS, done = 0, start_count = 0;

    for (unsigned i = 0; i < WRITERS; i++) {
        start_count += atomic_load(&writers[i].committed);
    }
    for (int wait = 0; wait < 500 && done < until; wait++) {
        pause_ms(2);
        done = 0;
        for (unsigned i = 0; i < WRITERS; i++) {
            done += atomic_load(&writers[i].committed);
        }
        done -= start_count;
    }
}

static long number_of(DB *db, const char *name)
{
    long number = -1;
    int ret = get_number(db, NULL, name, 0, &number);

    if (ret != 0) {
        fail_msg("\"%s\" in the recovered backup: %s", name, db_strerror(ret));
    }
    return number;
}

static long sum_of(DB *db)
{
    long sum = 0;

    for (unsigned i = 0; i < ACCOUNTS; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "account %u", i);
        sum += number_of(db, name);
    }
    return sum;
}

/* What a recovered copy is held against: a full backup's three promises, or the one of a chain. */
typedef struct promises {
    hp_clause_id consistent, committed_during, verifies;
} promises;

static const promises of_a_backup = {
    HP_BDB_HOT_CONSISTENT, HP_BDB_HOT_COMMITTED_DURING, HP_BDB_HOT_VERIFIES};

/* What the recovered copy must hold, seen from the writers' counts around the backup. */
typedef struct expected {
    char target[32];
    unsigned before[WRITERS], after[WRITERS];
    promises promises;
} expected;

static void counts_of(writer *writers, unsigned *counts)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        counts[i] = atomic_load(&writers[i].committed);
    }
}

static void assert_counts(DB *const *db, const expected *e)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "writer %u", i);
        long transfers = number_of(db[0], name);

        hp_promise(e->promises.consistent);
        assert_int_equal(transfers, number_of(db[1], name));
        hp_promise(e->promises.committed_during);
        /* One more may have committed than its thread came to count. */
        assert_in_range(transfers, e->before[i], e->after[i] + 1);
    }
}

static void assert_backup_balances(const expected *e)
{
    bdb_layout copy = bdb_copy_at(&two_ledgers, e->target, false);
    DB_ENV *env = bdb_recover(&copy);
    DB *db[2];

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(bdb_db_open(env, &copy.databases[i], &db[i]), 0);
    }
    hp_promise(e->promises.consistent);
    assert_int_equal(sum_of(db[0]) + sum_of(db[1]), 2 * ACCOUNTS * OPENING_BALANCE);
    assert_counts(db, e);
    for (size_t i = 0; i < 2; i++) {
        DB *again = NULL;

        assert_int_equal(db[i]->close(db[i], 0), 0);
        assert_int_equal(db_create(&again, env, 0), 0);
        hp_promise(e->promises.verifies);
        assert_int_equal(again->verify(again, copy.databases[i].file, NULL, NULL, 0), 0);
    }
    bdb_env_end(env);
}

/* Ten backups while four threads move money and a fifth takes checkpoints: every one of them
 * balances. */
static void every_backup_under_writers_recovers_to_one_state(void **state)
{
    (void)state;
    bdb_sample *s = sample_of_accounts();
    bank b = {.sample = s};
    writer writers[WRITERS + 1] = {0};
    pthread_t threads[WRITERS + 1];
    expected backups[BACKUPS];
    int rets[BACKUPS];
    assert_int_equal(s->env->set_backup_config(s->env, DB_BACKUP_SIZE, 4 * BDB_PAGE_SIZE), 0);

    start(&b, writers, threads);
    for (unsigned i = 0; i < BACKUPS; i++) {
        wait_for_transfers(writers);
        (void)snprintf(backups[i].target, sizeof backups[i].target, "bk-%u", i);
        backups[i].promises = of_a_backup;
        counts_of(writers, backups[i].before);
        rets[i] = s->env->backup(s->env, backups[i].target, DB_CREATE);
        counts_of(writers, backups[i].after);
    }
    stop(&b, writers, threads);

    hp_promise(HP_BDB_HOT_CONSISTENT);
    for (unsigned i = 0; i < BACKUPS; i++) {
        hp_log("%s returned %d", backups[i].target, rets[i]);
        assert_int_equal(rets[i], 0);
        assert_backup_balances(&backups[i]);
    }
    bdb_sample_end(s);
}

/* A full backup and updates, each while the writers are at work. */
static void assert_chain_balances(bool recovered_between, uint32_t flags, hp_clause_id clause)
{
    bdb_sample *s = sample_of_accounts();
    bank b = {.sample = s};
    writer writers[WRITERS + 1] = {0};
    pthread_t threads[WRITERS + 1];
    expected chain = {.target = "bk", .promises = {clause, clause, clause}};
    bdb_layout copy = bdb_copy_at(&two_ledgers, chain.target, false);

    for (unsigned i = 0; i <= UPDATES; i++) {
        start(&b, writers, threads);
        wait_for_transfers(writers);
        counts_of(writers, chain.before);
        int ret =
            s->env->backup(s->env, chain.target, i == 0 ? DB_CREATE : DB_BACKUP_UPDATE | flags);
        counts_of(writers, chain.after);
        stop(&b, writers, threads);

        hp_promise(clause);
        hp_log("backup %u of the chain returns %d", i, ret);
        assert_int_equal(ret, 0);
        if (recovered_between) {
            bdb_env_end(bdb_recover(&copy));
        }
    }
    assert_backup_balances(&chain);
    bdb_sample_end(s);
}

static void updates_under_writers_recover_to_one_state(void **state)
{
    (void)state;
    assert_chain_balances(false, 0, HP_BDB_UPDATE_RESTORES);
}

static void updates_under_writers_recovered_each_time_recover_to_one_state(void **state)
{
    (void)state;
    assert_chain_balances(true, DB_BACKUP_CLEAN, HP_BDB_UPDATE_RECOVERED_BETWEEN);
}

const hp_case bdb_writer_cases[] = {
    HP_SLOW_CASE(every_backup_under_writers_recovers_to_one_state, 60, HP_BDB_HOT_CONSISTENT,
        HP_BDB_HOT_COMMITTED_DURING, HP_BDB_HOT_VERIFIES),
    HP_SLOW_CASE(updates_under_writers_recover_to_one_state, 60, HP_BDB_UPDATE_RESTORES),
    HP_SLOW_CASE(updates_under_writers_recovered_each_time_recover_to_one_state, 60,
        HP_BDB_UPDATE_RECOVERED_BETWEEN),
    HP_CASE_END,
};
