/*
 * Transactions: snapshots, the one write lock, commit.
 *
 * A transaction's changes are private copies of pages (view.c). Commit compares each with what it
 * was, places one group of records in the log and publishes the copies as the pages' newest
 * versions, all in one hold of env->mutex: that instant is the commit boundary. Then it waits for
 * the log to be durable; new readers see the commit only after that.
 *
 * Because only one transaction writes at a time and it must have read the newest state (else
 * REF_DEADLOCK), transactions are serialisable without any other lock.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "internal.h"
#include "log.h"

#define UNWRITTEN_MAX (4u << 20) /* bytes of log that commits without sync may leave in memory */

/* ---- snapshots ---- */

uint64_t ref_oldest_snapshot(const ref_env *env)
{
    uint64_t oldest = env->visible_commit;
    for (const ref_snapshot *snapshot = env->snapshots; snapshot != NULL;
         snapshot = snapshot->next) {
        if (snapshot->commit < oldest) {
            oldest = snapshot->commit;
        }
    }
    return oldest;
}

static void add_snapshot(ref_env *env, ref_snapshot *snapshot, uint64_t commit)
{
    snapshot->commit = commit;
    snapshot->prev = NULL;
    snapshot->next = env->snapshots;
    if (snapshot->next != NULL) {
        snapshot->next->prev = snapshot;
    }
    env->snapshots = snapshot;
}

static void remove_snapshot(ref_env *env, ref_snapshot *snapshot)
{
    if (snapshot->prev != NULL) {
        snapshot->prev->next = snapshot->next;
    } else {
        env->snapshots = snapshot->next;
    }
    if (snapshot->next != NULL) {
        snapshot->next->prev = snapshot->prev;
    }
}

int ref_snapshot_open(ref_env *env, ref_snapshot *snapshot)
{
    int error = ref_env_refuse_guest(env, "reading");
    if (error != 0) {
        return error;
    }
    pthread_mutex_lock(&env->mutex);
    error = ref_env_check(env);
    if (error == 0) {
        add_snapshot(env, snapshot, env->visible_commit);
    }
    pthread_mutex_unlock(&env->mutex);
    return error;
}

void ref_snapshot_close(ref_env *env, ref_snapshot *snapshot)
{
    pthread_mutex_lock(&env->mutex);
    remove_snapshot(env, snapshot);
    pthread_mutex_unlock(&env->mutex);
}

void ref_snapshot_renew(ref_env *env, ref_snapshot *snapshot)
{
    pthread_mutex_lock(&env->mutex);
    snapshot->commit = env->visible_commit;
    pthread_mutex_unlock(&env->mutex);
}

/* ---- begin ---- */

int ref_txn_begin(ref_env *env, const ref_txn_options *options, ref_txn **out)
{
    *out = NULL;
    int error = ref_env_refuse_guest(env, "transactions");
    if (error != 0) {
        return error;
    }
    ref_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL) {
        return ref_fail(ENOMEM, "%s: transaction", env->home);
    }
    txn->env = env;
    txn->last_page = &txn->first_page;
    txn->last_op = &txn->first_op;
    if (options != NULL) {
        txn->options = *options;
    }
    pthread_mutex_lock(&env->mutex);
    error = ref_env_check(env);
    if (error == 0) {
        env->next_txn_id = (env->next_txn_id + 1) | 0x80000000u;
        txn->id = env->next_txn_id;
        txn->next = env->transactions;
        if (txn->next != NULL) {
            txn->next->prev = txn;
        }
        env->transactions = txn;
        *out = txn;
    }
    pthread_mutex_unlock(&env->mutex);
    if (error != 0) {
        free(txn);
    }
    return error;
}

uint32_t ref_txn_id(const ref_txn *txn)
{
    return txn->id;
}

void ref_txn_set_timeout(ref_txn *txn, uint64_t nanoseconds)
{
    txn->options.timeout = nanoseconds;
}

void ref_txn_set_no_sync(ref_txn *txn, bool no_sync)
{
    txn->options.no_sync = no_sync;
}

void ref_txn_set_no_wait(ref_txn *txn, bool no_wait)
{
    txn->options.no_wait = no_wait;
}

int ref_txn_fail(ref_txn *txn, int error)
{
    if (txn->failed == 0) {
        txn->failed = error;
    }
    return error;
}

/* The file is nobody's again, as it was. Caller holds env->mutex. */
static void disclaim(ref_dbfile *file)
{
    file->owner = NULL;
    if (file->owner_created) {
        file->removed = true;
    }
    file->owner_created = file->owner_removed = false;
    free(file->owner_name);
    file->owner_name = NULL;
}

int ref_txn_add_op(ref_txn *txn, ref_record_type kind, ref_dbfile *file)
{
    ref_txn_op *op = calloc(1, sizeof *op);
    if (op == NULL) {
        /* Without the operation the end of the transaction would not find the file. */
        pthread_mutex_lock(&txn->env->mutex);
        disclaim(file);
        pthread_mutex_unlock(&txn->env->mutex);
        return ref_txn_fail(txn, ref_fail(ENOMEM, "%s", file->name));
    }
    op->kind = kind;
    op->file = file;
    *txn->last_op = op;
    txn->last_op = &op->next;
    return 0;
}

/* ---- reading and the write lock ---- */

static void fix_snapshot(ref_txn *txn, uint64_t commit)
{
    if (!txn->has_snapshot) {
        add_snapshot(txn->env, &txn->snapshot, commit);
        txn->has_snapshot = true;
    }
}

int ref_txn_read(ref_txn *txn)
{
    ref_env *env = txn->env;
    pthread_mutex_lock(&env->mutex);
    int error = ref_env_check(env);
    if (error == 0) {
        fix_snapshot(txn, env->visible_commit);
    }
    pthread_mutex_unlock(&env->mutex);
    return error;
}

static struct timespec deadline_after(uint64_t nanoseconds)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(nanoseconds / 1000000000u);
    at.tv_nsec += (long)(nanoseconds % 1000000000u);
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

/* Waits until nobody holds the write lock. Called and returns with env->mutex held. */
static int wait_for_writer(ref_txn *txn)
{
    ref_env *env = txn->env;
    struct timespec deadline = deadline_after(txn->options.timeout);

    while (env->writer != NULL) {
        if (pthread_equal(env->writer_thread, pthread_self())) {
            return REF_DEADLOCK; /* this thread would wait for itself */
        }
        if (txn->options.no_wait) {
            return REF_NOTGRANTED;
        }
        if (txn->options.timeout == 0) {
            pthread_cond_wait(&env->write_free, &env->mutex);
        } else if (pthread_cond_timedwait(&env->write_free, &env->mutex, &deadline) == ETIMEDOUT &&
                   env->writer != NULL) {
            return REF_NOTGRANTED;
        }
        int error = ref_env_check(env);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int ref_txn_write(ref_txn *txn)
{
    ref_env *env = txn->env;

    pthread_mutex_lock(&env->mutex);
    int error = ref_env_check(env);
    if (error == 0 && env->writer != txn) {
        error = wait_for_writer(txn);
        if (error == 0 && txn->has_snapshot && txn->snapshot.commit != env->last_commit) {
            /* What it has read has changed. Its retry shall see the change, so let that become
             * visible first. */
            while (env->visible_commit < env->last_commit && env->ended == 0) {
                pthread_cond_wait(&env->visible_change, &env->mutex);
            }
            error = REF_DEADLOCK;
        }
        if (error == 0) {
            fix_snapshot(txn, env->last_commit);
            env->writer = txn;
            env->writer_thread = pthread_self();
        }
    }
    pthread_mutex_unlock(&env->mutex);
    return error;
}

/* ---- ending ---- */

static void free_pages(ref_txn *txn)
{
    while (txn->first_page != NULL) {
        ref_txn_page *page = txn->first_page;
        txn->first_page = page->next;
        if (page->base != NULL) {
            ref_version_release(page->base);
        }
        free(page->mine);
        free(page);
    }
    free(txn->buckets);
}

/* Lets go of everything the transaction holds, with env->mutex held. */
static void end_locked(ref_txn *txn)
{
    ref_env *env = txn->env;
    free_pages(txn);
    while (txn->first_op != NULL) {
        ref_txn_op *op = txn->first_op;
        txn->first_op = op->next;
        free(op);
    }
    if (txn->has_snapshot) {
        remove_snapshot(env, &txn->snapshot);
    }
    if (env->writer == txn) {
        env->writer = NULL;
        pthread_cond_broadcast(&env->write_free);
    }
    if (txn->prev != NULL) {
        txn->prev->next = txn->next;
    } else {
        env->transactions = txn->next;
    }
    if (txn->next != NULL) {
        txn->next->prev = txn->prev;
    }
}

int ref_txn_abort(ref_txn *txn)
{
    ref_env *env = txn->env;
    pthread_mutex_lock(&env->mutex);
    for (ref_txn_op *op = txn->first_op; op != NULL; op = op->next) {
        disclaim(op->file);
    }
    end_locked(txn);
    pthread_mutex_unlock(&env->mutex);
    free(txn);
    return 0;
}

/* ---- commit: the log group ---- */

static void group_ops(const ref_txn *txn, ref_group *group)
{
    for (const ref_txn_op *op = txn->first_op; op != NULL; op = op->next) {
        const ref_dbfile *file = op->file;
        ref_file_record record = {.id = file->id,
            .page_size = file->page_size,
            .mode = file->mode,
            .dir = file->dir,
            .name = op->kind == REF_RECORD_RENAME ? file->owner_name : file->name};
        ref_group_file(group, op->kind, &record);
    }
}

static bool page_same(const ref_txn_page *page)
{
    return page->base != NULL &&
           memcmp(page->base->data + REF_PAGE_AT_TYPE, page->mine->data + REF_PAGE_AT_TYPE,
               page->file->page_size - REF_PAGE_AT_TYPE) == 0;
}

static void group_pages(ref_txn *txn, ref_group *group)
{
    uint64_t redo = txn->env->redo_next;
    for (ref_txn_page *page = txn->first_page; page != NULL; page = page->next) {
        ref_version *base = page->base;
        page->same = page_same(page) || page->file->owner_removed;
        if (page->same) {
            continue;
        }
        page->full = base == NULL || base->image_lsn == 0 || base->image_lsn < redo;
        page->record = ref_group_page(group, &page->file->id, page->pgno,
            base != NULL ? ref_page_lsn(base->data) : 0, page->full ? NULL : base->data,
            page->mine->data, page->file->page_size);
    }
}

static int prepare_frames(ref_txn *txn)
{
    for (ref_txn_page *page = txn->first_page; page != NULL; page = page->next) {
        int error = page->base == NULL ? ref_cache_prepare(page->file, page->pgno) : 0;
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static void publish_pages(ref_txn *txn, uint64_t commit, uint64_t lsn)
{
    for (ref_txn_page *page = txn->first_page; page != NULL; page = page->next) {
        ref_version *mine = page->mine;
        if (page->same) {
            continue;
        }
        uint64_t page_lsn = lsn != 0 ? lsn + page->record : 0;
        ref_put64(mine->data + REF_PAGE_AT_LSN, page_lsn);
        ref_page_seal(mine->data, page->file->page_size);
        mine->image_lsn = page->full ? page_lsn : page->base->image_lsn;
        mine->commit = commit;
        page->mine = NULL;
        ref_cache_publish(page->file, page->pgno, mine);
    }
}

static void apply_op(ref_txn_op *op)
{
    ref_dbfile *file = op->file;
    file->entry_changed = true;
    file->owner = NULL;
    file->owner_created = false;
    if (file->owner_removed) {
        file->owner_removed = false;
        file->removed = true;
    }
    if (file->owner_name != NULL) {
        free(file->name);
        file->name = file->owner_name;
        file->owner_name = NULL;
    }
}

/* Places the group and publishes what it did. Caller holds env->mutex. *end is what must become
 * durable. */
static int commit_locked(ref_txn *txn, uint64_t *end)
{
    ref_env *env = txn->env;
    ref_group group = {0};
    uint64_t lsn = 0, commit = env->last_commit + 1;

    *end = 0;
    int error = ref_env_check(env);
    if (error == 0) {
        error = prepare_frames(txn);
    }
    if (error == 0) {
        group_ops(txn, &group);
        group_pages(txn, &group);
        if (group.records == 0 && group.error == 0) {
            return 0; /* touched, but nothing changed */
        }
    }
    if (error == 0 && env->log != NULL) {
        ref_commit_record record = {
            .number = commit, .time = env->vfs->now(env->vfs), .durable = ref_log_durable_end(env)};
        ref_group_commit(&group, &record);
        lsn = ref_log_place(env->log, &group, end);
    }
    if (error == 0 && group.error != 0) {
        error = ref_fail(group.error, "transaction %x: log records", txn->id);
    }
    if (error == 0) {
        publish_pages(txn, commit, lsn);
        env->last_commit = commit;
    }
    ref_group_free(&group);
    return error;
}

/* ---- commit: files ---- */

/*
 * Files are made, and renamed, by way of a recovery name (name and suffix). A created file is
 * made under it, empty, before anything is logged: where that fails nothing has happened yet. A
 * renamed one is moved there when its record is durable, and only then do all of them take their
 * names: those may be the old names of others. Recovery knows both names.
 */

/* The path of the name that the file will have. */
static char *final_path(const ref_dbfile *file)
{
    ref_dbfile after = *file;
    after.name = file->owner_name != NULL ? file->owner_name : file->name;
    return ref_dbfile_path(&after);
}

static char *aside_path(const ref_dbfile *file)
{
    char *path = final_path(file);
    char *aside = path != NULL ? ref_path_suffix(path, REF_RECOVERY_SUFFIX) : NULL;
    free(path);
    return aside;
}

static bool makes_file(const ref_txn_op *op)
{
    return op->kind == REF_RECORD_CREATE && !op->file->owner_removed;
}

/* Whether the transaction creates it: an adopted file is on the disk already. */
static bool is_new(const ref_dbfile *file)
{
    const ref_txn_op *op = file->owner->first_op;
    while (op != NULL && (op->file != file || op->kind != REF_RECORD_CREATE)) {
        op = op->next;
    }
    return op != NULL;
}

/* A file has at most one such operation, whatever it was called on the way. */
static bool moves_file(const ref_txn_op *op)
{
    const ref_dbfile *file = op->file;
    return op->kind == REF_RECORD_RENAME && !file->owner_removed && !is_new(file) &&
           strcmp(file->name, file->owner_name) != 0;
}

static bool removes_file(const ref_txn_op *op)
{
    return op->kind == REF_RECORD_REMOVE && !is_new(op->file);
}

static int create_files(ref_txn *txn)
{
    ref_vfs *vfs = txn->env->vfs;
    for (ref_txn_op *op = txn->first_op; op != NULL; op = op->next) {
        ref_dbfile *file = op->file;
        if (!makes_file(op)) {
            continue;
        }
        char *path = aside_path(file);
        if (path == NULL) {
            return ref_fail(ENOMEM, "%s", file->name);
        }
        int error = vfs->open(vfs, path, REF_O_WRITE | REF_O_CREATE | REF_O_TRUNC | REF_O_NOFOLLOW,
            file->mode, &file->handle);
        if (error != 0) {
            ref_fail(error, "%s: create", path);
        }
        free(path);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static void remove_created_files(ref_txn *txn)
{
    ref_vfs *vfs = txn->env->vfs;
    for (ref_txn_op *op = txn->first_op; op != NULL; op = op->next) {
        char *path = makes_file(op) && op->file->handle != NULL ? aside_path(op->file) : NULL;
        if (path != NULL) {
            vfs->unlink(vfs, path);
            free(path);
        }
    }
}

typedef enum finish_step { FINISH_LEAVE, FINISH_TAKE } finish_step;

/* Each operation is durable before the next: where entries are kept in any combination, a name
 * that was taken could replace a file whose own leaving is lost. */
static int move_file(ref_vfs *vfs, const char *from, const char *to)
{
    int error = vfs->rename(vfs, from, to, false);
    return error == 0 ? ref_sync_renamed(vfs, from, to) : error;
}

static int remove_file(ref_vfs *vfs, const char *path)
{
    int error = vfs->unlink(vfs, path);
    return error == 0 || error == ENOENT ? ref_sync_parent(vfs, path) : error;
}

static int finish_op(ref_vfs *vfs, const ref_txn_op *op, finish_step step)
{
    char *old = ref_dbfile_path(op->file), *aside = aside_path(op->file);
    char *new = final_path(op->file);
    int error = old == NULL || aside == NULL || new == NULL ? ENOMEM : 0;

    if (error == 0 && step == FINISH_LEAVE && removes_file(op)) {
        error = remove_file(vfs, old);
    } else if (error == 0 && step == FINISH_LEAVE && moves_file(op)) {
        error = move_file(vfs, old, aside);
    } else if (error == 0 && step == FINISH_TAKE && (makes_file(op) || moves_file(op))) {
        error = move_file(vfs, aside, new);
    }
    free(old);
    free(aside);
    free(new);
    return error;
}

/* Does on the disk what is durable in the log by now. A failure ends the environment: recovery
 * will do it. */
static int finish_files(ref_txn *txn)
{
    ref_env *env = txn->env;
    for (finish_step step = FINISH_LEAVE; step <= FINISH_TAKE; step++) {
        for (ref_txn_op *op = txn->first_op; op != NULL; op = op->next) {
            int error = finish_op(env->vfs, op, step);
            if (error != 0) {
                ref_fail(error, "%s: create, remove or rename", op->file->name);
                return ref_env_end(env, error);
            }
        }
    }
    return 0;
}

static void make_visible(ref_env *env, uint64_t commit)
{
    if (env->visible_commit < commit) {
        env->visible_commit = commit;
        pthread_cond_broadcast(&env->visible_change);
    }
}

static bool cache_is_full(ref_env *env)
{
    return env->cache.dirty_bytes > env->cache.limit / 4 * 3;
}

/* The commit has been placed: make it durable and visible. Sets *full when a checkpoint should
 * follow. */
static int finish_commit(ref_txn *txn, uint64_t commit, uint64_t end, bool *full)
{
    ref_env *env = txn->env;
    bool has_ops = txn->first_op != NULL;
    bool wait = env->log != NULL && end != 0 &&
                (!txn->options.no_sync || has_ops || ref_log_unwritten(env->log) > UNWRITTEN_MAX);
    int error = 0;

    if (!has_ops) {
        /* The next writer may go on while this one waits for the disk: their syncs become one. */
        pthread_mutex_lock(&env->mutex);
        end_locked(txn);
        pthread_mutex_unlock(&env->mutex);
    }
    if (wait) {
        error = ref_log_sync(env->log, end);
    }
    if (error == 0 && has_ops) {
        error = finish_files(txn);
    }
    pthread_mutex_lock(&env->mutex);
    for (ref_txn_op *op = has_ops ? txn->first_op : NULL; op != NULL; op = op->next) {
        apply_op(op);
    }
    if (error == 0) {
        make_visible(env, commit);
    }
    if (has_ops) {
        end_locked(txn);
    }
    *full = error == 0 && cache_is_full(env);
    pthread_mutex_unlock(&env->mutex);
    free(txn);
    return error;
}

/* Ends a transaction that changes nothing. The holder of the write lock has read the newest
 * commit, which may still be on its way to the disk: what was read must not be lost when this
 * has returned. */
static int end_unchanged(ref_txn *txn)
{
    ref_env *env = txn->env;
    bool wait = !txn->options.no_sync && env->log != NULL;

    pthread_mutex_lock(&env->mutex);
    wait = wait && txn->has_snapshot && txn->snapshot.commit > env->visible_commit;
    pthread_mutex_unlock(&env->mutex);
    ref_txn_abort(txn);
    return wait ? ref_log_flush(env) : ref_env_state(env);
}

static int commit_changes(ref_txn *txn, bool *full)
{
    ref_env *env = txn->env;
    uint64_t end = 0;

    *full = false;
    int error = create_files(txn);
    pthread_mutex_lock(&env->mutex);
    uint64_t before = env->last_commit;
    if (error == 0) {
        error = commit_locked(txn, &end);
    }
    uint64_t commit = env->last_commit;
    pthread_mutex_unlock(&env->mutex);
    if (error != 0) {
        remove_created_files(txn);
        ref_txn_abort(txn);
        return error;
    }
    if (commit == before) {
        return end_unchanged(txn);
    }
    return finish_commit(txn, commit, end, full);
}

/* The log has no images of an adopted file: a copy in the making could not get it. */
static bool adopts(const ref_txn *txn)
{
    const ref_txn_op *op = txn->first_op;
    while (op != NULL && op->kind != REF_RECORD_ADOPT) {
        op = op->next;
    }
    return op != NULL;
}

/* No checkpoint comes between the record of a file operation and the operation itself: the redo
 * point would move past what is still to be done. */
static int commit_with_files(ref_txn *txn, bool *full)
{
    ref_env *env = txn->env;
    bool blocks = adopts(txn);

    *full = false;
    pthread_mutex_lock(&env->checkpoint_lock);
    int error = blocks ? ref_pin_block(env, "adopting a database") : 0;
    if (error != 0) {
        ref_txn_abort(txn);
    } else {
        error = commit_changes(txn, full);
        if (blocks) {
            ref_pin_unblock(env);
        }
    }
    pthread_mutex_unlock(&env->checkpoint_lock);
    return error;
}

int ref_txn_commit(ref_txn *txn)
{
    ref_env *env = txn->env;
    bool files = txn->first_op != NULL, full;

    if (txn->failed != 0) {
        int failed = txn->failed;
        ref_fail(failed, "transaction %x: an operation of it had failed; it was aborted", txn->id);
        ref_txn_abort(txn);
        return failed;
    }
    if (txn->first_page == NULL && !files) {
        return end_unchanged(txn);
    }
    int error = files ? commit_with_files(txn, &full) : commit_changes(txn, &full);
    return error == 0 && full ? ref_checkpoint(env, false) : error;
}
