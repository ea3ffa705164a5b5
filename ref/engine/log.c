#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Bytes that belong together in one segment, waiting to be written. */
typedef struct log_chunk {
    struct log_chunk *next;
    uint32_t segment;
    uint32_t offset; /* 0: the segment begins here, its header is among the bytes */
    uint8_t *bytes;
    size_t size;
    size_t capacity;
} log_chunk;

struct ref_log {
    ref_env *env;
    pthread_mutex_t mutex;
    pthread_cond_t synced;
    uint32_t segment; /* where the next group goes */
    uint32_t offset;
    uint32_t begun; /* offset behind header and catalog of the segment */
    uint64_t segment_incarnation;
    uint64_t incarnation;
    bool new_segment;
    log_chunk *first, *last; /* waiting */
    uint64_t unwritten;
    uint64_t durable;
    bool busy; /* a thread is writing; it alone uses file and file_segment */
    bool failed;
    ref_file *file;
    uint32_t file_segment;
};

int ref_log_create(ref_env *env, const ref_log_position *position, ref_log **out)
{
    ref_log *log = calloc(1, sizeof *log);
    *out = log;
    if (log == NULL) {
        return ref_fail(ENOMEM, "%s: log", env->home);
    }
    log->env = env;
    pthread_mutex_init(&log->mutex, NULL);
    pthread_cond_init(&log->synced, NULL);
    log->segment = REF_LSN_SEGMENT(position->end);
    log->offset = REF_LSN_OFFSET(position->end);
    log->begun = REF_SEGMENT_HEADER;
    log->segment_incarnation = position->incarnation;
    log->incarnation = position->next_incarnation;
    log->new_segment = position->new_segment || position->end == 0;
    log->durable = position->end;
    return 0;
}

static void free_chunks(log_chunk *chunk)
{
    while (chunk != NULL) {
        log_chunk *next = chunk->next;
        free(chunk->bytes);
        free(chunk);
        chunk = next;
    }
}

void ref_log_destroy(ref_log *log)
{
    if (log == NULL) {
        return;
    }
    if (log->file != NULL) {
        log->env->vfs->close(log->file);
    }
    free_chunks(log->first);
    pthread_mutex_destroy(&log->mutex);
    pthread_cond_destroy(&log->synced);
    free(log);
}

/* ---- placing ---- */

/* Appends to the last chunk; the caller has made sure that it is the right one. */
static int chunk_append(log_chunk *chunk, const void *bytes, size_t size)
{
    if (chunk->size + size > chunk->capacity) {
        size_t capacity = (chunk->size + size) * 2;
        uint8_t *grown = realloc(chunk->bytes, capacity);
        if (grown == NULL) {
            return ENOMEM;
        }
        chunk->bytes = grown;
        chunk->capacity = capacity;
    }
    memcpy(chunk->bytes + chunk->size, bytes, size);
    chunk->size += size;
    return 0;
}

static log_chunk *add_chunk(ref_log *log, uint32_t segment, uint32_t offset)
{
    log_chunk *chunk = calloc(1, sizeof *chunk);
    if (chunk == NULL) {
        return NULL;
    }
    chunk->segment = segment;
    chunk->offset = offset;
    if (log->last != NULL) {
        log->last->next = chunk;
    } else {
        log->first = chunk;
    }
    log->last = chunk;
    return chunk;
}

/* The committed databases, as the first record of a segment. Caller holds env->mutex. */
static void build_catalog(ref_env *env, ref_group *group)
{
    size_t count = 0;
    for (ref_dbfile *file = env->files; file != NULL; file = file->next) {
        count++;
    }
    ref_file_record *records = calloc(count + 1, sizeof *records);
    if (records == NULL) {
        group->error = ENOMEM;
        return;
    }
    size_t used = 0;
    for (ref_dbfile *file = env->files; file != NULL; file = file->next) {
        if (!file->removed && !file->owner_created) {
            records[used++] = (ref_file_record){.id = file->id,
                .page_size = file->page_size,
                .mode = file->mode,
                .dir = file->dir,
                .name = file->name};
        }
    }
    ref_group_catalog(group, records, used);
    free(records);
}

/* Puts header and catalog of the next segment before what is placed next. */
static int begin_segment(ref_log *log)
{
    ref_env *env = log->env;
    uint32_t segment = log->segment + 1;
    ref_segment_header header = {.number = segment,
        .environment = env->id,
        .incarnation = log->incarnation,
        .previous_incarnation = log->segment_incarnation,
        .previous_end = (uint64_t)log->segment << 32 | log->offset,
        .commit = env->last_commit,
        .time = env->vfs->now(env->vfs)};
    uint8_t bytes[REF_SEGMENT_HEADER];
    ref_group catalog = {0};
    log_chunk *chunk = NULL;

    ref_segment_header_write(bytes, &header);
    build_catalog(env, &catalog);
    int error = catalog.error;
    if (error == 0) {
        ref_group_place(&catalog, (uint64_t)segment << 32 | REF_SEGMENT_HEADER);
        chunk = add_chunk(log, segment, 0);
        error = chunk == NULL ? ENOMEM : chunk_append(chunk, bytes, sizeof bytes);
    }
    if (error == 0) {
        error = chunk_append(chunk, catalog.bytes, catalog.size);
    }
    if (error == 0) {
        log->segment = segment;
        log->offset = (uint32_t)chunk->size;
        log->begun = log->offset;
        log->unwritten += chunk->size;
        log->segment_incarnation = log->incarnation;
        log->new_segment = false;
    } else if (chunk != NULL) {
        chunk->size = 0; /* written as nothing */
        chunk->offset = 1;
    }
    ref_group_free(&catalog);
    return error;
}

static int place_locked(ref_log *log, ref_group *group, uint64_t *lsn)
{
    if (group->size > UINT32_MAX / 2) {
        return EFBIG;
    }
    bool fits = log->offset + group->size <= log->env->segment_size;
    if (log->new_segment || (!fits && log->offset > log->begun)) {
        int error = begin_segment(log);
        if (error != 0) {
            return error;
        }
    }
    log_chunk *chunk = log->last;
    if (chunk == NULL || chunk->segment != log->segment) {
        chunk = add_chunk(log, log->segment, log->offset);
        if (chunk == NULL) {
            return ENOMEM;
        }
    }
    *lsn = (uint64_t)log->segment << 32 | log->offset;
    ref_group_place(group, *lsn);
    int error = chunk_append(chunk, group->bytes, group->size);
    if (error == 0) {
        log->offset += (uint32_t)group->size;
        log->unwritten += group->size;
    }
    return error;
}

uint64_t ref_log_place(ref_log *log, ref_group *group, uint64_t *end)
{
    uint64_t lsn = 0;

    pthread_mutex_lock(&log->mutex);
    if (group->error == 0) {
        group->error = place_locked(log, group, &lsn);
    }
    *end = (uint64_t)log->segment << 32 | log->offset;
    pthread_mutex_unlock(&log->mutex);
    return group->error == 0 ? lsn : 0;
}

uint64_t ref_log_end(ref_log *log)
{
    pthread_mutex_lock(&log->mutex);
    uint64_t end = (uint64_t)log->segment << 32 | log->offset;
    pthread_mutex_unlock(&log->mutex);
    return end;
}

uint64_t ref_log_unwritten(ref_log *log)
{
    pthread_mutex_lock(&log->mutex);
    uint64_t bytes = log->unwritten;
    pthread_mutex_unlock(&log->mutex);
    return bytes;
}

uint64_t ref_log_durable_end(ref_env *env)
{
    pthread_mutex_lock(&env->log->mutex);
    uint64_t durable = env->log->durable;
    pthread_mutex_unlock(&env->log->mutex);
    return durable;
}

/* ---- making durable ---- */

/* Makes log->file the segment of the chunk. A segment that is left is synced first: no later
 * segment may exist before. */
static int use_segment(ref_log *log, const log_chunk *chunk)
{
    ref_vfs *vfs = log->env->vfs;
    if (log->file != NULL && log->file_segment == chunk->segment) {
        return 0;
    }
    if (log->file != NULL) {
        int error = vfs->fsync(log->file);
        vfs->close(log->file);
        log->file = NULL;
        if (error != 0) {
            return ref_fail(error, "log.%010u: sync", log->file_segment);
        }
    }
    char *path = ref_segment_path(log->env->log_path, chunk->segment);
    if (path == NULL) {
        return ref_fail(ENOMEM, "log.%010u", chunk->segment);
    }
    unsigned flags = REF_O_WRITE;
    if (chunk->offset == 0) {
        flags |= REF_O_CREATE | REF_O_EXCL;
    }
    int error = vfs->open(vfs, path, flags, log->env->file_mode, &log->file);
    log->file_segment = chunk->segment;
    if (error != 0) {
        ref_fail(error, "%s: open", path);
    }
    free(path);
    return error;
}

static int sync_directory(ref_log *log)
{
    int error = log->env->vfs->fsync_dir(log->env->vfs, log->env->log_path);
    return error == 0 ? 0 : ref_fail(error, "%s: sync of the log directory", log->env->log_path);
}

static int write_chunks(ref_log *log, const log_chunk *chunk)
{
    ref_vfs *vfs = log->env->vfs;
    bool entered = false; /* a new name in the log directory */

    for (; chunk != NULL; chunk = chunk->next) {
        if (chunk->size == 0) {
            continue;
        }
        /* A segment's name is durable before there is a later one: the log has no holes. */
        int error = entered && chunk->offset == 0 ? sync_directory(log) : 0;
        if (error == 0) {
            error = use_segment(log, chunk);
        }
        if (error != 0) {
            return error;
        }
        entered = entered || chunk->offset == 0;
        error = ref_write_full(log->file, chunk->bytes, chunk->size, chunk->offset);
        if (error != 0) {
            return ref_fail(error, "log.%010u: write of %zu bytes at offset %u", chunk->segment,
                chunk->size, chunk->offset);
        }
    }
    int error = log->file != NULL ? vfs->fsync(log->file) : 0;
    if (error != 0) {
        return ref_fail(error, "log.%010u: sync", log->file_segment);
    }
    return entered ? sync_directory(log) : 0;
}

/* Writes what has been placed by now, for everyone. Called and returns with the mutex held. */
static int write_all(ref_log *log)
{
    log_chunk *chunks = log->first;
    uint64_t end = (uint64_t)log->segment << 32 | log->offset;

    log->first = log->last = NULL;
    log->unwritten = 0;
    log->busy = true;
    pthread_mutex_unlock(&log->mutex);

    int error = write_chunks(log, chunks);
    free_chunks(chunks);
    if (error != 0) {
        ref_env_end(log->env, error);
    }

    pthread_mutex_lock(&log->mutex);
    log->busy = false;
    if (error != 0) {
        log->failed = true;
    } else {
        log->durable = end;
    }
    pthread_cond_broadcast(&log->synced);
    return error;
}

int ref_log_sync(ref_log *log, uint64_t lsn)
{
    pthread_mutex_lock(&log->mutex);
    while (log->durable < lsn && !log->failed) {
        if (log->busy) {
            pthread_cond_wait(&log->synced, &log->mutex);
        } else {
            write_all(log);
        }
    }
    bool done = log->durable >= lsn;
    pthread_mutex_unlock(&log->mutex);
    if (done) {
        return 0;
    }
    pthread_mutex_lock(&log->env->mutex);
    int error = ref_env_check(log->env);
    pthread_mutex_unlock(&log->env->mutex);
    return error;
}

int ref_log_flush(ref_env *env)
{
    int error = ref_env_refuse_guest(env, "log flush");
    if (error != 0 || env->log == NULL) {
        return error;
    }
    error = ref_env_state(env);
    return error == 0 ? ref_log_sync(env->log, ref_log_end(env->log)) : error;
}
