/* Transactions and checkpoints. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MINUTE UINT64_C(60000000000)

static const u_int32_t sync_choice = DB_TXN_SYNC | DB_TXN_NOSYNC | DB_TXN_WRITE_NOSYNC;
static const u_int32_t wait_choice = DB_TXN_WAIT | DB_TXN_NOWAIT;

/* ---- the program's transactions ---- */

static void link_txn(ref_bdb_env *env, ref_bdb_txn *txn)
{
    (void)pthread_mutex_lock(&env->lock);
    txn->next = env->txns;
    env->txns = txn;
    (void)pthread_mutex_unlock(&env->lock);
}

static void unlink_txn(ref_bdb_txn *txn)
{
    (void)pthread_mutex_lock(&txn->env->lock);
    ref_bdb_txn **link = &txn->env->txns;
    while (*link != txn) {
        link = &(*link)->next;
    }
    *link = txn->next;
    (void)pthread_mutex_unlock(&txn->env->lock);
}

/* Ends the cursors that the program has left open; the engine wants them gone first. */
static int end_cursors(ref_bdb_txn *txn)
{
    int ret = 0;

    while (txn->cursors != NULL) {
        int one = ref_bdb_cursor_end(txn->cursors);

        ret = ret == 0 ? one : ret;
    }
    return ret;
}

/* Frees the handle around a transaction that has ended. */
static void free_txn(ref_bdb_txn *txn)
{
    unlink_txn(txn);
    free(txn);
}

int ref_bdb_txn_drop(ref_bdb_txn *txn)
{
    (void)end_cursors(txn);
    int ret = ref_txn_abort(txn->engine);
    free_txn(txn);
    return ret;
}

void ref_bdb_txn_arm(ref_bdb_txn *txn)
{
    uint64_t limit = txn->lock_timeout * NS_PER_US;

    if (txn->txn_timeout != 0) {
        uint64_t whole = txn->txn_timeout * NS_PER_US;
        uint64_t now = txn->env->vfs->now(txn->env->vfs);
        uint64_t age = now > txn->begun ? now - txn->begun : 0;
        uint64_t left = age < whole ? whole - age : 1;

        limit = limit == 0 || left < limit ? left : limit;
    }
    ref_txn_set_timeout(txn->engine, limit);
}

static int txn_commit(DB_TXN *handle, u_int32_t flags)
{
    static const char method[] = "DB_TXN->commit";
    ref_bdb_txn *txn = ref_bdb_txn_of(handle);
    ref_bdb_env *env = txn->env;
    int ret = ref_bdb_check_flags(env, method, flags, sync_choice, NULL);

    if (ret == 0) {
        ret = ref_bdb_check_one_of(env, method, flags, sync_choice);
    }
    if (ret == 0) {
        ret = ref_bdb_result(env, method, end_cursors(txn));
    }
    if (ret != 0) {
        (void)ref_bdb_txn_drop(txn);
        return ret;
    }
    if (flags != 0) {
        ref_txn_set_no_sync(txn->engine, flags == DB_TXN_NOSYNC);
    }
    ret = ref_bdb_result(env, method, ref_txn_commit(txn->engine));
    free_txn(txn);
    return ret;
}

static int txn_abort(DB_TXN *handle)
{
    ref_bdb_txn *txn = ref_bdb_txn_of(handle);
    ref_bdb_env *env = txn->env;

    return ref_bdb_result(env, "DB_TXN->abort", ref_bdb_txn_drop(txn));
}

static u_int32_t txn_id(DB_TXN *handle)
{
    return ref_txn_id(ref_bdb_txn_of(handle)->engine);
}

static int txn_set_timeout(DB_TXN *handle, db_timeout_t microseconds, u_int32_t flags)
{
    ref_bdb_txn *txn = ref_bdb_txn_of(handle);

    if (flags == DB_SET_LOCK_TIMEOUT) {
        txn->lock_timeout = microseconds;
    } else if (flags == DB_SET_TXN_TIMEOUT) {
        txn->txn_timeout = microseconds;
    } else {
        return ref_bdb_refuse(
            txn->env, EINVAL, "DB_TXN->set_timeout", "unknown timeout 0x%x", (unsigned)flags);
    }
    ref_bdb_txn_arm(txn);
    return 0;
}

/* What a transaction is like that asks for `flags` under the environment's own. */
static ref_txn_options choose(u_int32_t env_flags, u_int32_t flags)
{
    u_int32_t sync = (flags & sync_choice) != 0 ? flags : env_flags;
    u_int32_t wait = (flags & wait_choice) != 0 ? flags : env_flags;

    /* DB_TXN_WRITE_NOSYNC wants the log written, which only a commit that waits does. */
    return (ref_txn_options){
        .no_sync = (sync & DB_TXN_NOSYNC) != 0, .no_wait = (wait & DB_TXN_NOWAIT) != 0};
}

static int check_begin(ref_bdb_env *env, const DB_TXN *parent, u_int32_t flags)
{
    static const char method[] = "DB_ENV->txn_begin";
    int ret = ref_bdb_check_open(env, method);

    if (ret == 0 && parent != NULL) {
        ret = ref_bdb_refuse(env, EINVAL, method,
            "a transaction inside another (parent not NULL) is not in this version");
    }
    if (ret == 0) {
        ret = ref_bdb_check_flags(env, method, flags,
            sync_choice | wait_choice | DB_READ_COMMITTED | DB_READ_UNCOMMITTED | DB_TXN_SNAPSHOT |
                DB_TXN_BULK,
            NULL);
    }
    if (ret == 0) {
        ret = ref_bdb_check_one_of(env, method, flags, sync_choice);
    }
    return ret == 0 ? ref_bdb_check_one_of(env, method, flags, wait_choice) : ret;
}

static int txn_begin(DB_ENV *handle, DB_TXN *parent, DB_TXN **out, u_int32_t flags)
{
    static const char method[] = "DB_ENV->txn_begin";
    ref_bdb_env *env = ref_bdb_env_of(handle);

    *out = NULL;
    int ret = check_begin(env, parent, flags);
    if (ret != 0) {
        return ret;
    }
    ref_bdb_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL) {
        return ref_bdb_refuse(env, ENOMEM, method, "no memory");
    }
    ref_txn_options options = choose(ref_bdb_env_flags(env), flags);
    ret = ref_txn_begin(env->engine, &options, &txn->engine);
    if (ret != 0) {
        free(txn);
        return ref_bdb_result(env, method, ret);
    }
    txn->env = env;
    txn->handle.commit = txn_commit;
    txn->handle.abort = txn_abort;
    txn->handle.id = txn_id;
    txn->handle.set_timeout = txn_set_timeout;
    txn->begun = env->vfs->now(env->vfs);
    ref_bdb_get_timeouts(env, &txn->lock_timeout, &txn->txn_timeout);
    ref_bdb_txn_arm(txn);
    link_txn(env, txn);
    *out = &txn->handle;
    return 0;
}

/* ---- transactions of one operation ---- */

int ref_bdb_work_begin(
    ref_bdb_env *env, ref_env *engine, ref_bdb_txn *txn, bool atomic, ref_bdb_work *work)
{
    *work = (ref_bdb_work){0};
    if (txn != NULL) {
        if (txn->txn_timeout != 0) {
            ref_bdb_txn_arm(txn);
        }
        work->txn = txn->engine;
        return 0;
    }
    ref_txn_options options = choose(ref_bdb_env_flags(env), 0);
    db_timeout_t lock_timeout, txn_timeout;
    ref_bdb_get_timeouts(env, &lock_timeout, &txn_timeout);
    if (!atomic && !options.no_sync && !options.no_wait && lock_timeout == 0 && txn_timeout == 0) {
        return 0;
    }
    db_timeout_t shorter = lock_timeout < txn_timeout ? lock_timeout : txn_timeout;
    options.timeout = (shorter != 0 ? shorter : lock_timeout + txn_timeout) * NS_PER_US;
    work->own = true;
    return ref_txn_begin(engine, &options, &work->txn);
}

int ref_bdb_work_end(ref_bdb_work *work, int result)
{
    if (!work->own || work->txn == NULL) {
        return result;
    }
    if (result == 0) {
        return ref_txn_commit(work->txn);
    }
    (void)ref_txn_abort(work->txn);
    return result;
}

/* ---- checkpoint ---- */

static int txn_checkpoint(DB_ENV *handle, u_int32_t kbyte, u_int32_t min, u_int32_t flags)
{
    static const char method[] = "DB_ENV->txn_checkpoint";
    ref_bdb_env *env = ref_bdb_env_of(handle);
    int ret = ref_bdb_check_open(env, method);

    if (ret == 0) {
        ret = ref_bdb_check_flags(env, method, flags, DB_FORCE, NULL);
    }
    if (ret != 0) {
        return ret;
    }
    bool force = (flags & DB_FORCE) != 0;
    if (!force && (kbyte != 0 || min != 0) && !ref_env_is_guest(env->engine)) {
        uint64_t bytes = 0, age = 0;

        ref_checkpoint_age(env->engine, &bytes, &age);
        if (!(kbyte != 0 && bytes > (uint64_t)kbyte << 10) &&
            !(min != 0 && age > min * NS_PER_MINUTE)) {
            return ref_bdb_result(env, method, ref_env_state(env->engine));
        }
    }
    return ref_bdb_result(env, method, ref_checkpoint(env->engine, force));
}

void ref_bdb_install_txn(DB_ENV *handle)
{
    handle->txn_begin = txn_begin;
    handle->txn_checkpoint = txn_checkpoint;
}
