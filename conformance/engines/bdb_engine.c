/*
 * The operations of hp_engine.h on Berkeley DB's API: one source, compiled against the header of
 * each library that has it.
 *
 * A table is a database file, tableN.db. The environment is DB_PRIVATE, because the process is its
 * only user: no region files lie in the home, and every open recovers.
 */
#include "bdb_engine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <db.h>

struct hp_environment {
    DB_ENV *env;
    unsigned tables;
    DB *db[]; /* one per table */
};

struct hp_transaction {
    hp_environment *environment;
    DB_TXN *txn;
};

/* ---- errors ---- */

static _Thread_local char said[1024]; /* by the library in this call; then the words of it */

static void hear(const DB_ENV *env, const char *prefix, const char *message)
{
    (void)env;
    (void)prefix;
    (void)snprintf(said, sizeof said, "%s", message);
}

static int errno_of(int ret)
{
    switch (ret) {
    case DB_NOTFOUND:
        return ENOENT;
    case DB_LOCK_DEADLOCK:
        return EDEADLK;
    case DB_RUNRECOVERY:
        return ENOTRECOVERABLE;
    default:
        return ret > 0 ? ret : EIO;
    }
}

/* The result of a call, with what the library said of it. */
static int result(const char *what, int ret)
{
    char heard[sizeof said];

    if (ret == 0) {
        return 0;
    }
    memcpy(heard, said, sizeof heard);
    if (strstr(heard, db_strerror(ret)) != NULL) {
        (void)snprintf(said, sizeof said, "%s: %.900s", what, heard);
    } else {
        (void)snprintf(said, sizeof said, "%s: %.600s%s%.300s", what, heard,
            heard[0] != '\0' ? ": " : "", db_strerror(ret));
    }
    return errno_of(ret);
}

const char *bdb_engine_words(void)
{
    return said;
}

/* ---- life ---- */

static int configure(DB_ENV *env, const hp_engine_settings *settings)
{
    uint64_t cache = settings->cache_bytes;
    int ret = 0;

    env->set_errcall(env, hear);
    if (cache != 0) {
        ret = env->set_cachesize(env, (uint32_t)(cache >> 30), (uint32_t)(cache & 0x3fffffff), 1);
    }
    if (ret == 0) {
        ret = env->set_lk_detect(env, DB_LOCK_DEFAULT);
    }
    return ret != 0 ? ret : env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1);
}

static int open_table(hp_environment *e, unsigned i, uint32_t flags, uint32_t page_size)
{
    char name[32];
    int ret = db_create(&e->db[i], e->env, 0);

    if (ret != 0) {
        e->db[i] = NULL;
        return ret;
    }
    (void)snprintf(name, sizeof name, "table%u.db", i);
    if (page_size != 0) {
        ret = e->db[i]->set_pagesize(e->db[i], page_size);
    }
    return ret != 0 ? ret
                    : e->db[i]->open(e->db[i], NULL, name, NULL, DB_BTREE,
                          flags | DB_AUTO_COMMIT | DB_THREAD, 0600);
}

/* Closes all; the first error wins, and its words. */
static int end(hp_environment *e, int ret)
{
    for (unsigned i = 0; i < e->tables; i++) {
        int closed = e->db[i] != NULL ? e->db[i]->close(e->db[i], 0) : 0;
        ret = ret != 0 ? ret : closed;
    }
    if (e->env != NULL) {
        int closed = e->env->close(e->env, 0);
        ret = ret != 0 ? ret : closed;
    }
    free(e);
    return ret;
}

static int start(const char *home, uint32_t recovery, uint32_t create,
    const hp_engine_settings *settings, hp_environment **out)
{
    unsigned tables = settings->tables != 0 ? settings->tables : 1;
    hp_environment *e = calloc(1, sizeof *e + tables * sizeof(DB *));
    char words[sizeof said];

    *out = NULL;
    said[0] = '\0';
    if (e == NULL) {
        return result("open", ENOMEM);
    }
    if (access(home, F_OK) != 0) { /* recovery of a missing home would be a panic */
        int error = errno;
        free(e);
        return result("open", error);
    }
    e->tables = tables;
    int ret = db_env_create(&e->env, 0);
    e->env = ret == 0 ? e->env : NULL;
    ret = ret == 0 ? configure(e->env, settings) : ret;
    if (ret == 0) {
        ret = e->env->open(e->env, home,
            DB_CREATE | DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_LOCK | DB_INIT_TXN | DB_THREAD |
                DB_PRIVATE | recovery,
            0600);
    }
    for (unsigned i = 0; ret == 0 && i < tables; i++) {
        ret = open_table(e, i, create, settings->page_size);
    }
    if (ret != 0) {
        memcpy(words, said, sizeof words);
        (void)end(e, ret);
        memcpy(said, words, sizeof said);
        return result("open", ret);
    }
    *out = e;
    return 0;
}

int bdb_engine_open(const char *home, unsigned flags, const hp_engine_settings *settings,
    hp_environment **environment)
{
    return start(
        home, DB_RECOVER, (flags & HP_ENGINE_CREATE) != 0 ? DB_CREATE : 0, settings, environment);
}

int bdb_engine_restore(
    const char *copy, const hp_engine_settings *settings, hp_environment **environment)
{
    return start(copy, DB_RECOVER_FATAL, 0, settings, environment);
}

int bdb_engine_close(hp_environment *environment)
{
    said[0] = '\0';
    return result("close", end(environment, 0));
}

/* ---- transactions ---- */

int bdb_engine_begin(hp_environment *environment, hp_transaction **transaction)
{
    hp_transaction *t = malloc(sizeof *t);

    *transaction = NULL;
    said[0] = '\0';
    if (t == NULL) {
        return result("begin", ENOMEM);
    }
    t->environment = environment;
    int ret = environment->env->txn_begin(environment->env, NULL, &t->txn, 0);
    if (ret != 0) {
        free(t);
        return result("begin", ret);
    }
    *transaction = t;
    return 0;
}

/* The library reads through these pointers and no more. */
static DBT input(const void *data, size_t size)
{
    union {
        const void *constant;
        void *wanted;
    } bytes = {data};
    DBT dbt;

    memset(&dbt, 0, sizeof dbt);
    dbt.data = bytes.wanted;
    dbt.size = (uint32_t)size;
    dbt.flags = DB_DBT_READONLY;
    return dbt;
}

/* Whether there is such a table, and the sizes fit the library's. */
static int check(const hp_environment *e, unsigned table, size_t key_size, size_t value_size)
{
    said[0] = '\0';
    return table < e->tables && key_size <= UINT32_MAX && value_size <= UINT32_MAX ? 0 : EINVAL;
}

int bdb_engine_put(hp_transaction *transaction, unsigned table, const void *key, size_t key_size,
    const void *value, size_t value_size)
{
    const hp_environment *e = transaction->environment;
    DBT k = input(key, key_size), v = input(value, value_size);
    int ret = check(e, table, key_size, value_size);

    v.flags = 0;
    if (ret == 0) {
        ret = e->db[table]->put(e->db[table], transaction->txn, &k, &v, 0);
    }
    return result("put", ret);
}

int bdb_engine_remove(hp_transaction *transaction, unsigned table, const void *key, size_t key_size)
{
    const hp_environment *e = transaction->environment;
    DBT k = input(key, key_size);
    int ret = check(e, table, key_size, 0);

    if (ret == 0) {
        ret = e->db[table]->del(e->db[table], transaction->txn, &k, 0);
    }
    return result("remove", ret);
}

int bdb_engine_commit(hp_transaction *transaction, unsigned flags)
{
    DB_TXN *txn = transaction->txn;

    said[0] = '\0';
    free(transaction);
    return result("commit", txn->commit(txn, (flags & HP_ENGINE_NO_SYNC) != 0 ? DB_TXN_NOSYNC : 0));
}

int bdb_engine_abort(hp_transaction *transaction)
{
    DB_TXN *txn = transaction->txn;

    said[0] = '\0';
    free(transaction);
    return result("abort", txn->abort(txn));
}

/* ---- the rest ---- */

int bdb_engine_scan(
    hp_environment *environment, unsigned table, hp_engine_record each, void *context)
{
    DBC *cursor = NULL;
    DBT key, value;
    int ret = check(environment, table, 0, 0), called = 0;

    memset(&key, 0, sizeof key);
    memset(&value, 0, sizeof value);
    if (ret == 0) {
        DB *db = environment->db[table];
        ret = db->cursor(db, NULL, &cursor, 0);
    }
    if (ret != 0) {
        return result("scan", ret);
    }
    while (called == 0 && (ret = cursor->get(cursor, &key, &value, DB_NEXT)) == 0) {
        called = each(context, key.data, key.size, value.data, value.size);
    }
    int closed = cursor->close(cursor);
    ret = ret == DB_NOTFOUND ? 0 : ret;
    return called != 0 ? called : result("scan", ret != 0 ? ret : closed);
}

int bdb_engine_checkpoint(hp_environment *environment)
{
    said[0] = '\0';
    return result("checkpoint", environment->env->txn_checkpoint(environment->env, 0, 0, DB_FORCE));
}

int bdb_engine_backup(hp_environment *environment, const char *target)
{
    said[0] = '\0';
    return result("backup", environment->env->backup(environment->env, target, DB_CREATE));
}
