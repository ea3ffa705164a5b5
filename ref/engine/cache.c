/*
 * The page cache: for each page that is in memory, the versions that somebody may still ask for.
 *
 * A page is read from its file at most once at a time: the first to ask puts a LOADING frame, reads
 * without a lock, and wakes the others. A dirty page stays until a checkpoint has written it, a
 * clean one until the clock's hand finds it unused; so what is in the file is the right version for
 * every reader whenever a page is not in memory.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"
#include "log.h"

int ref_cache_init(ref_cache *cache, uint64_t limit)
{
    *cache = (ref_cache){.bucket_count = 1024, .limit = limit};
    cache->buckets = calloc(cache->bucket_count, sizeof(ref_frame *));
    if (cache->buckets == NULL) {
        return ENOMEM;
    }
    pthread_cond_init(&cache->loaded, NULL);
    return 0;
}

static void free_versions(ref_version *version)
{
    while (version != NULL) {
        ref_version *older = version->older;
        free(version);
        version = older;
    }
}

void ref_cache_destroy(ref_cache *cache)
{
    if (cache->buckets == NULL) {
        return;
    }
    for (size_t i = 0; i < cache->bucket_count; i++) {
        while (cache->buckets[i] != NULL) {
            ref_frame *frame = cache->buckets[i];
            cache->buckets[i] = frame->chain;
            free_versions(frame->newest);
            free(frame);
        }
    }
    free(cache->buckets);
    pthread_cond_destroy(&cache->loaded);
    *cache = (ref_cache){0};
}

/* ---- versions ---- */

ref_version *ref_version_new(const ref_dbfile *file)
{
    ref_version *version = malloc(sizeof *version + file->page_size);
    if (version != NULL) {
        memset(version, 0, sizeof *version);
    }
    return version;
}

void ref_version_release(ref_version *version)
{
    version->refs--;
    if (version->refs == 0 && version->dropped) {
        free(version);
    }
}

static void drop_versions(ref_cache *cache, ref_version *version, uint32_t page_size)
{
    while (version != NULL) {
        ref_version *older = version->older;
        cache->bytes -= page_size;
        version->dropped = true;
        version->older = NULL;
        if (version->refs == 0) {
            free(version);
        }
        version = older;
    }
}

/* Lets go of the versions that no reader from `oldest` on can ask for. */
static void prune(ref_cache *cache, ref_frame *frame, uint64_t oldest)
{
    for (ref_version *version = frame->newest; version != NULL; version = version->older) {
        if (version->commit <= oldest) {
            drop_versions(cache, version->older, frame->file->page_size);
            version->older = NULL;
            return;
        }
    }
}

/* ---- frames ---- */

static size_t bucket_of(const ref_cache *cache, const ref_dbfile *file, uint32_t pgno)
{
    uint64_t key = ref_get64(file->id.bytes) * 0x9e3779b97f4a7c15u + pgno;
    key *= 0xff51afd7ed558ccdu;
    return (size_t)(key >> 32) & (cache->bucket_count - 1);
}

static ref_frame *find(const ref_cache *cache, const ref_dbfile *file, uint32_t pgno)
{
    ref_frame *frame = cache->buckets[bucket_of(cache, file, pgno)];
    while (frame != NULL && (frame->file != file || frame->pgno != pgno)) {
        frame = frame->chain;
    }
    return frame;
}

static void grow(ref_cache *cache)
{
    size_t count = cache->bucket_count * 4;
    ref_frame **old = cache->buckets, **buckets = calloc(count, sizeof *buckets);
    if (buckets == NULL) {
        return; /* slower, not wrong */
    }
    size_t old_count = cache->bucket_count;
    cache->buckets = buckets;
    cache->bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            ref_frame *frame = old[i];
            old[i] = frame->chain;
            size_t bucket = bucket_of(cache, frame->file, frame->pgno);
            frame->chain = buckets[bucket];
            buckets[bucket] = frame;
        }
    }
    free(old);
}

static ref_frame *insert(ref_cache *cache, ref_dbfile *file, uint32_t pgno)
{
    ref_frame *frame = calloc(1, sizeof *frame);
    if (frame == NULL) {
        return NULL;
    }
    if (cache->frame_count > cache->bucket_count) {
        grow(cache);
    }
    frame->file = file;
    frame->pgno = pgno;
    size_t bucket = bucket_of(cache, file, pgno);
    frame->chain = cache->buckets[bucket];
    cache->buckets[bucket] = frame;
    if (cache->hand == NULL) {
        cache->hand = frame->prev = frame->next = frame;
    } else {
        frame->next = cache->hand;
        frame->prev = cache->hand->prev;
        frame->prev->next = frame->next->prev = frame;
    }
    cache->frame_count++;
    return frame;
}

static void discard(ref_cache *cache, ref_frame *frame)
{
    ref_frame **at = &cache->buckets[bucket_of(cache, frame->file, frame->pgno)];
    while (*at != frame) {
        at = &(*at)->chain;
    }
    *at = frame->chain;
    frame->prev->next = frame->next;
    frame->next->prev = frame->prev;
    if (cache->hand == frame) {
        cache->hand = frame->next == frame ? NULL : frame->next;
    }
    drop_versions(cache, frame->newest, frame->file->page_size);
    cache->frame_count--;
    free(frame);
}

void ref_cache_evict(ref_env *env)
{
    ref_cache *cache = &env->cache;
    uint64_t oldest = ref_oldest_snapshot(env);

    for (size_t steps = 2 * cache->frame_count; steps > 0 && cache->bytes > cache->limit; steps--) {
        ref_frame *frame = cache->hand;
        cache->hand = frame->next;
        if (frame->used_recently) {
            frame->used_recently = false;
            continue;
        }
        if (frame->state != REF_FRAME_READY || frame->dirty || frame->newest == NULL) {
            continue;
        }
        prune(cache, frame, oldest);
        if (frame->newest->older == NULL && frame->newest->refs == 0 &&
            frame->newest->commit <= oldest) {
            discard(cache, frame);
        }
    }
}

/* ---- reading ---- */

static int read_page(ref_dbfile *file, uint32_t pgno, uint8_t *page)
{
    ref_env *env = file->env;
    size_t done;
    uint64_t offset = (uint64_t)pgno * file->page_size;
    int error = ref_dbfile_open(file);
    if (error != 0) {
        return error;
    }
    error = ref_read_full(file->handle, page, file->page_size, offset, &done);
    if (error != 0) {
        return ref_fail(error, "%s: page %u: read at offset %llu", file->name, pgno,
            (unsigned long long)offset);
    }
    if (done < file->page_size) {
        return ref_fail(REF_CORRUPT, "%s: page %u: offset %llu: the file ends before it",
            file->name, pgno, (unsigned long long)offset);
    }
    ref_page_health health = ref_page_check(page, file->page_size, pgno);
    if (health != REF_PAGE_SOUND) {
        return ref_fail(REF_CORRUPT, "%s: page %u: offset %llu: %s", file->name, pgno,
            (unsigned long long)offset, ref_page_health_text(health));
    }
    if (env->log != NULL && ref_page_lsn(page) >= ref_log_end(env->log)) {
        return ref_fail(REF_CORRUPT,
            "%s: page %u: its log sequence number %u/%u lies beyond the log's end", file->name,
            pgno, REF_LSN_SEGMENT(ref_page_lsn(page)), REF_LSN_OFFSET(ref_page_lsn(page)));
    }
    if (pgno ==
        0) { /* the capture slot is the file's, not the page's: it goes into no log and no copy */
        memset(page + REF_META_AT_SLOT, 0, REF_META_SLOT_SIZE);
    }
    return 0;
}

/* Fills a LOADING frame. Called and returns with env->mutex held; on failure the frame is gone. */
static int load(ref_env *env, ref_frame *frame)
{
    ref_version *version = ref_version_new(frame->file);
    int error = ENOMEM;

    if (version != NULL) {
        pthread_mutex_unlock(&env->mutex);
        error = read_page(frame->file, frame->pgno, version->data);
        pthread_mutex_lock(&env->mutex);
    } else {
        ref_fail(error, "%s: page %u", frame->file->name, frame->pgno);
    }
    pthread_cond_broadcast(&env->cache.loaded);
    if (error != 0) {
        free(version);
        discard(&env->cache, frame);
        return error;
    }
    frame->newest = version;
    frame->state = REF_FRAME_READY;
    env->cache.bytes += frame->file->page_size;
    return 0;
}

/* The frame of the page, READY. Called and returns with env->mutex held. */
static int fetch(ref_env *env, ref_dbfile *file, uint32_t pgno, ref_frame **out)
{
    for (;;) {
        ref_frame *frame = find(&env->cache, file, pgno);
        if (frame != NULL && frame->state == REF_FRAME_READY) {
            *out = frame;
            return 0;
        }
        if (frame != NULL) {
            pthread_cond_wait(&env->cache.loaded, &env->mutex);
            continue;
        }
        ref_cache_evict(env);
        frame = insert(&env->cache, file, pgno);
        if (frame == NULL) {
            return ref_fail(ENOMEM, "%s: page %u", file->name, pgno);
        }
        int error = load(env, frame);
        if (error != 0) {
            return error;
        }
    }
}

int ref_cache_get(ref_dbfile *file, uint32_t pgno, uint64_t commit, ref_version **out)
{
    ref_env *env = file->env;
    ref_frame *frame = NULL;

    *out = NULL;
    pthread_mutex_lock(&env->mutex);
    int error = fetch(env, file, pgno, &frame);
    if (error == 0) {
        ref_version *version = frame->newest;
        while (version != NULL && version->commit > commit) {
            version = version->older;
        }
        if (version == NULL) {
            error = ref_fail(REF_NOTFOUND, "%s: page %u did not exist at commit %llu", file->name,
                pgno, (unsigned long long)commit);
        } else {
            version->refs++;
            *out = version;
        }
        frame->used_recently = true;
    }
    pthread_mutex_unlock(&env->mutex);
    return error;
}

/* ---- publishing ---- */

int ref_cache_prepare(ref_dbfile *file, uint32_t pgno)
{
    ref_cache *cache = &file->env->cache;
    ref_frame *frame = find(cache, file, pgno);
    if (frame == NULL) {
        frame = insert(cache, file, pgno);
        if (frame == NULL) {
            return ref_fail(ENOMEM, "%s: page %u", file->name, pgno);
        }
        frame->state = REF_FRAME_READY;
        frame->dirty = true; /* keeps it, empty as it is */
        cache->dirty_bytes += file->page_size;
    }
    return 0;
}

void ref_cache_publish(ref_dbfile *file, uint32_t pgno, ref_version *version)
{
    ref_env *env = file->env;
    ref_frame *frame = find(&env->cache, file, pgno);

    version->older = frame->newest;
    frame->newest = version;
    frame->used_recently = true;
    env->cache.bytes += file->page_size;
    if (!frame->dirty) {
        frame->dirty = true;
        env->cache.dirty_bytes += file->page_size;
    }
    prune(&env->cache, frame, ref_oldest_snapshot(env));
}
