/*
 * What belongs to an environment, not to one handle on it: the count of running hot backups and the
 * timeouts. The engine gives every handle of the process on one home the same environment, by whose
 * address the shared part is found.
 */
#include "internal.h"

#include <stdlib.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the table and all in it */
static ref_bdb_shared *table;

static ref_bdb_shared *find(const ref_env *engine)
{
    for (ref_bdb_shared *shared = table; shared != NULL; shared = shared->next) {
        if (shared->engine == engine) {
            return shared;
        }
    }
    return NULL;
}

ref_bdb_shared *ref_bdb_shared_join(ref_bdb_env *env)
{
    (void)pthread_mutex_lock(&table_lock);
    ref_bdb_shared *shared = find(env->engine);
    if (shared == NULL) {
        shared = calloc(1, sizeof *shared);
        if (shared != NULL) {
            shared->engine = env->engine;
            shared->lock_timeout = env->lock_timeout;
            shared->txn_timeout = env->txn_timeout;
            shared->next = table;
            table = shared;
        }
    }
    if (shared != NULL) {
        shared->handles++;
    }
    (void)pthread_mutex_unlock(&table_lock);
    return shared;
}

void ref_bdb_shared_leave(ref_bdb_shared *shared)
{
    (void)pthread_mutex_lock(&table_lock);
    if (--shared->handles == 0) {
        ref_bdb_shared **link = &table;
        while (*link != shared) {
            link = &(*link)->next;
        }
        *link = shared->next;
        free(shared);
    }
    (void)pthread_mutex_unlock(&table_lock);
}

void ref_bdb_hot_backup_begin(ref_bdb_shared *shared)
{
    (void)pthread_mutex_lock(&table_lock);
    shared->hot_backups++;
    (void)pthread_mutex_unlock(&table_lock);
}

bool ref_bdb_hot_backup_end(ref_bdb_shared *shared)
{
    (void)pthread_mutex_lock(&table_lock);
    bool counted = shared->hot_backups > 0;
    if (counted) {
        shared->hot_backups--;
    }
    (void)pthread_mutex_unlock(&table_lock);
    return counted;
}

bool ref_bdb_hot_backup_now(ref_bdb_shared *shared)
{
    (void)pthread_mutex_lock(&table_lock);
    bool now = shared->hot_backups > 0;
    (void)pthread_mutex_unlock(&table_lock);
    return now;
}

void ref_bdb_set_timeouts(ref_bdb_env *env, u_int32_t which, db_timeout_t microseconds)
{
    (void)pthread_mutex_lock(&table_lock);
    db_timeout_t *lock = env->shared == NULL ? &env->lock_timeout : &env->shared->lock_timeout;
    db_timeout_t *txn = env->shared == NULL ? &env->txn_timeout : &env->shared->txn_timeout;
    if ((which & DB_SET_LOCK_TIMEOUT) != 0) {
        *lock = microseconds;
    }
    if ((which & DB_SET_TXN_TIMEOUT) != 0) {
        *txn = microseconds;
    }
    (void)pthread_mutex_unlock(&table_lock);
}

void ref_bdb_get_timeouts(ref_bdb_env *env, db_timeout_t *lock, db_timeout_t *txn)
{
    (void)pthread_mutex_lock(&table_lock);
    *lock = env->shared == NULL ? env->lock_timeout : env->shared->lock_timeout;
    *txn = env->shared == NULL ? env->txn_timeout : env->shared->txn_timeout;
    (void)pthread_mutex_unlock(&table_lock);
}
