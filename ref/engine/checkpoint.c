/*
 * The checkpoint, and what hangs on the redo point: removal of log segments, and pins.
 *
 * A checkpoint fixes the new redo point and the set of dirty pages in one step at a commit
 * boundary. From then on a page's first change logs its whole image again, so that replay from the
 * redo point never needs what was in the file before. Then: log durable up to the redo point; pages
 * written; files synced; directories synced; a record of it in the log; the control file. Only then
 * does the redo point move.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"
#include "log.h"

#define WRITE_BATCH (1u << 20) /* bytes of neighbouring pages written at once */

typedef struct dirty_page {
    ref_frame *frame;
    ref_version *version;
} dirty_page;

typedef struct checkpoint {
    ref_env *env;
    uint64_t redo;
    uint64_t commit;
    dirty_page *pages;
    size_t count;
    ref_dbfile **entries; /* files whose directory entries have changed */
    size_t entry_count;
    uint8_t *batch;
} checkpoint;

/* ---- what there is to write ---- */

static int collect_pages(checkpoint *at)
{
    ref_cache *cache = &at->env->cache;
    at->pages = calloc(cache->frame_count + 1, sizeof *at->pages);
    if (at->pages == NULL) {
        return ENOMEM;
    }
    ref_frame *frame = cache->hand;
    for (size_t i = 0; i < cache->frame_count; i++, frame = frame->next) {
        if (!frame->dirty || frame->newest == NULL) {
            continue;
        }
        if (frame->file->removed) {
            frame->dirty = false;
            cache->dirty_bytes -= frame->file->page_size;
            continue;
        }
        frame->newest->refs++;
        at->pages[at->count++] = (dirty_page){frame, frame->newest};
    }
    return 0;
}

static int collect_entries(checkpoint *at)
{
    size_t total = 0;
    for (ref_dbfile *file = at->env->files; file != NULL; file = file->next) {
        total++;
    }
    at->entries = calloc(total + 1, sizeof *at->entries);
    if (at->entries == NULL) {
        return ENOMEM;
    }
    for (ref_dbfile *file = at->env->files; file != NULL; file = file->next) {
        if (file->entry_changed) {
            file->entry_changed = false;
            at->entries[at->entry_count++] = file;
        }
    }
    return 0;
}

/* Fixes redo point and pages in one step. *idle: there is nothing to do. */
static int fix(checkpoint *at, bool force, bool *idle)
{
    ref_env *env = at->env;

    pthread_mutex_lock(&env->mutex);
    int error = ref_env_check(env);
    at->redo = env->log != NULL ? ref_log_end(env->log) : 0;
    at->commit = env->last_commit;
    *idle = !force && env->cache.dirty_bytes == 0 &&
            (env->log == NULL || at->redo == env->checkpoint_end);
    if (error == 0 && !*idle) {
        error = collect_pages(at);
        if (error == 0) {
            error = collect_entries(at);
        }
        if (error != 0) {
            ref_fail(error, "%s: checkpoint", env->home);
        } else {
            env->redo_next = at->redo;
        }
    }
    pthread_mutex_unlock(&env->mutex);
    return error;
}

/* ---- writing ---- */

static int compare_pages(const void *a, const void *b)
{
    const ref_frame *x = ((const dirty_page *)a)->frame, *y = ((const dirty_page *)b)->frame;
    if (x->file != y->file) {
        return memcmp(&x->file->id, &y->file->id, sizeof x->file->id);
    }
    return (x->pgno > y->pgno) - (x->pgno < y->pgno);
}

/* The pages from `first` on that lie side by side in one file and fill at most one batch. */
static size_t run_length(const checkpoint *at, size_t first)
{
    const ref_frame *frame = at->pages[first].frame;
    size_t most = WRITE_BATCH / frame->file->page_size, length = 1;
    while (length < most && first + length < at->count) {
        const ref_frame *next = at->pages[first + length].frame;
        if (next->file != frame->file || next->pgno != frame->pgno + length) {
            break;
        }
        length++;
    }
    return length;
}

static int write_run(checkpoint *at, size_t first, size_t length)
{
    const ref_frame *frame = at->pages[first].frame;
    uint32_t page_size = frame->file->page_size;
    uint64_t offset = (uint64_t)frame->pgno * page_size;

    for (size_t i = 0; i < length; i++) {
        memcpy(at->batch + i * page_size, at->pages[first + i].version->data, page_size);
    }
    if (frame->pgno == 0) { /* the cache knows nothing of the capture slot */
        memcpy(at->batch + REF_META_AT_SLOT, frame->file->slot, REF_META_SLOT_SIZE);
    }
    ref_capture_before(frame->file, offset, (uint64_t)length * page_size);
    int error = ref_write_full(frame->file->handle, at->batch, length * page_size, offset);
    return error == 0
               ? 0
               : ref_fail(error, "%s: write of pages %u to %u at offset %llu", frame->file->name,
                     frame->pgno, frame->pgno + (uint32_t)length - 1, (unsigned long long)offset);
}

/* Writes and syncs the pages of one file, from `first` on; *next is the first of another file. */
static int write_file(checkpoint *at, size_t first, size_t *next)
{
    ref_dbfile *file = at->pages[first].frame->file;
    size_t end = first;
    while (end < at->count && at->pages[end].frame->file == file) {
        end++;
    }
    *next = end;
    int error = ref_dbfile_open(file);
    if (error == ENOENT && ref_dbfile_is_removed(file)) {
        return 0;
    }
    for (size_t i = first; i < end && error == 0;) {
        size_t length = run_length(at, i);
        error = write_run(at, i, length);
        i += length;
    }
    if (error == 0) {
        error = at->env->vfs->fsync(file->handle);
        if (error != 0) {
            ref_fail(error, "%s: sync", file->name);
        }
    }
    return error;
}

static int write_pages(checkpoint *at)
{
    int error = 0;
    if (at->count == 0) {
        return 0;
    }
    at->batch = malloc(WRITE_BATCH);
    if (at->batch == NULL) {
        return ref_fail(ENOMEM, "%s: checkpoint", at->env->home);
    }
    qsort(at->pages, at->count, sizeof *at->pages, compare_pages);
    for (size_t next = 0; next < at->count && error == 0;) {
        error = write_file(at, next, &next);
    }
    return error;
}

static int sync_entries(checkpoint *at)
{
    ref_env *env = at->env;
    for (size_t i = 0; i < at->entry_count; i++) {
        pthread_mutex_lock(&env->mutex);
        char *path = ref_dbfile_path(at->entries[i]);
        pthread_mutex_unlock(&env->mutex);
        if (path == NULL) {
            return ref_fail(ENOMEM, "%s: checkpoint", env->home);
        }
        int error = ref_sync_parent(env->vfs, path);
        free(path);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

/* ---- saying so ---- */

static int log_record(checkpoint *at, uint64_t *end)
{
    ref_env *env = at->env;
    ref_group group = {0};
    ref_checkpoint_record record = {.redo = at->redo,
        .commit = at->commit,
        .time = env->vfs->now(env->vfs),
        .durable = ref_log_durable_end(env)};

    ref_group_checkpoint(&group, &record);
    pthread_mutex_lock(&env->mutex);
    ref_log_place(env->log, &group, end);
    pthread_mutex_unlock(&env->mutex);
    int error = group.error;
    ref_group_free(&group);
    return error == 0 ? ref_log_sync(env->log, *end)
                      : ref_fail(error, "%s: checkpoint record", env->home);
}

/* The first record of a new environment lies in segment 1, behind its header. */
static uint64_t redo_in_log(uint64_t redo)
{
    return redo != 0 ? redo : (uint64_t)1 << 32 | REF_SEGMENT_HEADER;
}

static int conclude(checkpoint *at)
{
    ref_env *env = at->env;
    uint64_t end = 0;
    int error = 0;

    if (env->log != NULL) {
        error = log_record(at, &end);
        if (error == 0) {
            ref_control control = {.environment = env->id,
                .sequence = env->control.sequence,
                .redo = redo_in_log(at->redo),
                .durable = ref_log_durable_end(env),
                .commit = at->commit};
            error = ref_control_write(env->vfs, env->home, env->file_mode, &control);
            env->control = control;
        }
    }
    if (error == 0) {
        pthread_mutex_lock(&env->mutex);
        env->redo = env->control.redo;
        env->checkpoint_end = end;
        env->checkpoint_at = env->vfs->now(env->vfs);
        pthread_mutex_unlock(&env->mutex);
    }
    return error;
}

static void let_go(checkpoint *at, bool written)
{
    ref_env *env = at->env;
    pthread_mutex_lock(&env->mutex);
    for (size_t i = 0; i < at->count; i++) {
        dirty_page *page = &at->pages[i];
        if (written && page->frame->dirty && page->frame->newest == page->version) {
            page->frame->dirty = false;
            env->cache.dirty_bytes -= page->frame->file->page_size;
        }
        ref_version_release(page->version);
    }
    ref_cache_evict(env);
    pthread_mutex_unlock(&env->mutex);
    free(at->pages);
    free(at->entries);
    free(at->batch);
}

/* Caller holds the checkpoint lock. */
static int run(ref_env *env, bool force)
{
    checkpoint at = {.env = env};
    bool idle = false;
    int error = fix(&at, force, &idle);

    if (error != 0 || idle) {
        let_go(&at, false);
        return error;
    }
    if (env->log != NULL && at.redo != 0) {
        error = ref_log_sync(env->log, at.redo);
    }
    if (error == 0) {
        error = write_pages(&at);
    }
    if (error == 0) {
        error = ref_compact_cut(env, at.commit);
    }
    if (error == 0) {
        error = sync_entries(&at);
    }
    if (error == 0) {
        error = conclude(&at);
    }
    if (error != 0) {
        error = ref_env_end(env, error);
    }
    let_go(&at, error == 0);
    return error;
}

/* ---- log segments ---- */

/* The first segment that must stay. */
static uint32_t needed_from(ref_env *env)
{
    pthread_mutex_lock(&env->mutex);
    uint64_t needed = env->redo;
    for (const ref_pin *pin = env->pins; pin != NULL; pin = pin->next) {
        if (pin->redo < needed) {
            needed = pin->redo;
        }
    }
    pthread_mutex_unlock(&env->mutex);
    return REF_LSN_SEGMENT(needed);
}

static int unlink_segments(ref_env *env)
{
    uint32_t oldest, newest, needed = needed_from(env);
    int error = ref_log_segments(env->vfs, env->log_path, &oldest, &newest);
    bool removed = false;

    for (uint32_t number = oldest; error == 0 && number != 0 && number < needed; number++) {
        char *path = ref_segment_path(env->log_path, number);
        if (path == NULL) {
            return ref_fail(ENOMEM, "log.%010u", number);
        }
        error = env->vfs->unlink(env->vfs, path);
        error = error == ENOENT ? 0 : error;
        if (error != 0) {
            ref_fail(error, "%s: remove", path);
        }
        removed = true;
        free(path);
    }
    if (error == 0 && removed) {
        error = env->vfs->fsync_dir(env->vfs, env->log_path);
        if (error != 0) {
            ref_fail(error, "%s: sync of the log directory", env->log_path);
        }
    }
    return error;
}

/* Keeps backups of other processes from beginning until unlock_pins(). *taken is false when one
 * is running: nobody here knows from where on it needs the log, so then all of it is needed. */
static int lock_pins(ref_env *env, bool *taken)
{
    int error = env->vfs->lock(env->lock_file, REF_LOCK_AT_PIN, 1, REF_LOCK_EXCLUSIVE);
    *taken = error == 0;
    return error == 0 || error == EAGAIN ? 0
                                         : ref_fail(error, "%s/%s: lock", env->home, REF_LOCK_NAME);
}

static void unlock_pins(ref_env *env)
{
    env->vfs->lock(env->lock_file, REF_LOCK_AT_PIN, 1, REF_LOCK_NONE);
}

/* Caller holds the checkpoint lock: the redo point stays, and pins are only taken at or after it. */
static int remove_segments(ref_env *env)
{
    bool taken;
    int error = lock_pins(env, &taken);
    if (error == 0 && taken) {
        error = unlink_segments(env);
        unlock_pins(env);
    }
    return error;
}

/* The number before which segments can go. */
static int removable_end(ref_env *env, uint32_t oldest, uint32_t *end)
{
    bool taken;
    int error = lock_pins(env, &taken);
    uint32_t needed = taken ? needed_from(env) : oldest;
    if (taken) {
        unlock_pins(env);
    }
    *end = needed < *end ? needed : *end;
    return error;
}

static int list_segments(ref_env *env, ref_archive what, uint32_t **numbers, size_t *count)
{
    uint32_t oldest, newest;
    int error = ref_log_segments(env->vfs, env->log_path, &oldest, &newest);
    if (error != 0 || newest == 0) {
        return error;
    }
    uint32_t end = newest + 1;
    if (what == REF_ARCHIVE_REMOVABLE) {
        error = removable_end(env, oldest, &end);
    }
    if (error != 0 || end <= oldest) {
        return error;
    }
    *numbers = calloc(end - oldest, sizeof **numbers);
    if (*numbers == NULL) {
        return ref_fail(ENOMEM, "%s: list of log segments", env->log_path);
    }
    for (uint32_t number = oldest; number < end; number++) {
        (*numbers)[(*count)++] = number;
    }
    return 0;
}

int ref_log_archive(ref_env *env, ref_archive what, uint32_t **numbers, size_t *count)
{
    *numbers = NULL;
    *count = 0;
    int error = ref_env_state(env);
    if (error == 0 && (what == REF_ARCHIVE_REMOVE)) {
        error = ref_env_refuse_guest(env, "removal of log segments");
    }
    if (error == 0 && env->guest) {
        error = ref_guest_refresh(env); /* for the redo point */
    }
    if (error != 0) {
        return error;
    }
    pthread_mutex_lock(&env->checkpoint_lock);
    error = what == REF_ARCHIVE_REMOVE ? remove_segments(env)
                                       : list_segments(env, what, numbers, count);
    pthread_mutex_unlock(&env->checkpoint_lock);
    return error;
}

char *ref_log_path(const ref_env *env, uint32_t segment)
{
    return ref_segment_path(env->log_path, segment);
}

/* ---- the calls ---- */

int ref_checkpoint_locked(ref_env *env)
{
    return run(env, false);
}

int ref_checkpoint(ref_env *env, bool force)
{
    int error = ref_env_refuse_guest(env, "checkpoint");
    if (error != 0) {
        return error;
    }
    pthread_mutex_lock(&env->checkpoint_lock);
    error = run(env, force);
    if (error == 0 && env->log != NULL && ref_env_log_auto_remove(env)) {
        error = remove_segments(env);
    }
    pthread_mutex_unlock(&env->checkpoint_lock);
    return error;
}

void ref_checkpoint_age(ref_env *env, uint64_t *log_bytes, uint64_t *nanoseconds)
{
    uint64_t now = env->vfs->now(env->vfs);
    pthread_mutex_lock(&env->mutex);
    uint64_t end = env->log != NULL ? ref_log_end(env->log) : 0;
    uint64_t segments = REF_LSN_SEGMENT(end) - REF_LSN_SEGMENT(env->checkpoint_end);
    *log_bytes =
        segments * env->segment_size + REF_LSN_OFFSET(end) - REF_LSN_OFFSET(env->checkpoint_end);
    *nanoseconds = now > env->checkpoint_at ? now - env->checkpoint_at : 0;
    pthread_mutex_unlock(&env->mutex);
}

int ref_pin_take(ref_env *env, ref_pin *pin)
{
    *pin = (ref_pin){0};
    if (env->guest) {
        return ref_guest_pin(env, pin);
    }
    int error = ref_log_flush(env);
    if (error != 0) {
        return error;
    }
    /* Not while log segments are removed or a database is adopted. */
    pthread_mutex_lock(&env->checkpoint_lock);
    pthread_mutex_lock(&env->mutex);
    error = ref_env_check(env);
    if (error == 0) {
        pin->redo = env->redo;
        pin->next = env->pins;
        env->pins = pin;
    }
    pthread_mutex_unlock(&env->mutex);
    pthread_mutex_unlock(&env->checkpoint_lock);
    return error;
}

void ref_pin_keep(ref_env *env, ref_pin *pin, uint32_t segment)
{
    /* Not while somebody who has not seen it removes segments. */
    pthread_mutex_lock(&env->checkpoint_lock);
    pthread_mutex_lock(&env->mutex);
    if (segment < REF_LSN_SEGMENT(pin->redo)) {
        pin->redo = (uint64_t)segment << 32;
    }
    pthread_mutex_unlock(&env->mutex);
    pthread_mutex_unlock(&env->checkpoint_lock);
}

void ref_pin_drop(ref_env *env, ref_pin *pin)
{
    pthread_mutex_lock(&env->mutex);
    ref_pin **at = &env->pins;
    while (*at != NULL && *at != pin) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = pin->next;
    }
    pthread_mutex_unlock(&env->mutex);
    if (pin->lock != NULL) {
        env->vfs->close(pin->lock); /* the lock goes with it */
    }
}

int ref_pin_block(ref_env *env, const char *what)
{
    pthread_mutex_lock(&env->mutex);
    bool pinned = env->pins != NULL;
    pthread_mutex_unlock(&env->mutex);
    int error = pinned ? EAGAIN
                : env->lock_file == NULL
                    ? 0
                    : env->vfs->lock(env->lock_file, REF_LOCK_AT_PIN, 1, REF_LOCK_EXCLUSIVE);
    if (error == EAGAIN) {
        return ref_fail(EBUSY, "%s: a backup is running", what);
    }
    return error == 0 ? 0 : ref_fail(error, "%s/%s: lock", env->home, REF_LOCK_NAME);
}

void ref_pin_unblock(ref_env *env)
{
    if (env->lock_file != NULL) {
        env->vfs->lock(env->lock_file, REF_LOCK_AT_PIN, 1, REF_LOCK_NONE);
    }
}
