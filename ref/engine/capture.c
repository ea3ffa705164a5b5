/*
 * Capture: keeping before-images while others copy the file. See capture.h for what it is for.
 *
 * Only checkpoints write to database files. So the checkpoint lock makes the instant of the start
 * (a checkpoint, then the slot, in one hold of it), and the checkpoint calls ref_capture_before()
 * before each write. What lies in the file at the first of these calls for a page is what lay there
 * at the start; later ones find the page kept already.
 *
 * The page is the unit: it is kept whole when any of it lies at or above the mark. The mark only
 * rises, so a page that is kept has not been changed before without being kept.
 *
 * LOCKS: ref_dbfile.capture changes under the checkpoint lock and env->mutex both. capture->mutex
 * is the last in the order and guards what the checkpoint and the capture's own thread share.
 */
#include "capture.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "change.h"
#include "db.h"
#include "images.h"
#include "slot.h"

struct ref_capture {
    ref_env *env;     /* NULL: closed under the capture */
    ref_dbfile *file; /* whose capture it is; NULL: of none any more */
    ref_vfs *vfs;
    char *path; /* of the database */
    ref_id id;  /* its identity */
    uint32_t page_size;
    char *spill_path; /* until the images have it; NULL: nothing spills */
    uint64_t limit;
    uint64_t timeout;
    uint64_t began;
    ref_slot slot;
    ref_file *marker;
    _Atomic uint64_t mark;

    pthread_mutex_t mutex; /* guards what follows */
    bool stopped;
    int failed; /* it has ended by itself: why */
    char why[512];
    ref_images images;

    /* the stream */
    uint64_t size;
    size_t next; /* piece: 0 is the header, then the images, then the end */
    ref_stream_chain chain;
    uint8_t *piece;
    size_t piece_size, piece_at;
};

_Static_assert(REF_IMAGE_MAX <= REF_STREAM_BYTES_MAX && REF_IMAGE_MAX >= REF_PAGE_SIZE_MAX,
    "an image is one record, a page is one image");

/* ---- failing ---- */

/* Ends the capture by itself; the words are the thread's. Caller holds capture->mutex. */
static int give_up(ref_capture *capture, int error)
{
    snprintf(capture->why, sizeof capture->why, "%s", ref_error_text());
    capture->failed = error;
    ref_images_clear(&capture->images);
    return error;
}

/* 0, or why the capture cannot give a backup. Caller holds capture->mutex. */
static int state_of(ref_capture *capture)
{
    if (capture->failed != 0) {
        ref_fail(-1, "%s", capture->why); /* negative: the words have errno's text already */
        return capture->failed;
    }
    uint64_t now = capture->timeout != 0 ? capture->vfs->now(capture->vfs) : 0;
    if (capture->timeout == 0 || now < capture->began || now - capture->began < capture->timeout) {
        return 0;
    }
    return give_up(capture, ref_fail(ETIMEDOUT, "%s: the capture took longer than %llu ms",
                                capture->path, (unsigned long long)(capture->timeout / 1000000)));
}

int ref_capture_state(ref_capture *capture)
{
    pthread_mutex_lock(&capture->mutex);
    int error = state_of(capture);
    pthread_mutex_unlock(&capture->mutex);
    return error;
}

/* ---- keeping ---- */

/* Keeps `count` pages from `page` on, which no image has yet. */
static int keep_pages(ref_capture *capture, uint64_t page, uint64_t count)
{
    const ref_dbfile *file = capture->file;
    uint64_t offset = page * file->page_size, size = count * file->page_size;
    size_t done;

    size = size < capture->slot.size - offset ? size : capture->slot.size - offset;
    uint8_t *bytes = malloc((size_t)size);
    if (bytes == NULL) {
        return ref_fail(ENOMEM, "%s: before-image", capture->path);
    }
    int error = ref_read_full(file->handle, bytes, (size_t)size, offset, &done);
    if (error == 0 && done < size) {
        error = EIO;
    }
    if (error != 0) {
        free(bytes);
        return ref_fail(error, "%s: before-image of %llu bytes at offset %llu", capture->path,
            (unsigned long long)size, (unsigned long long)offset);
    }
    return ref_images_add(&capture->images, page, count, offset, bytes, (uint32_t)size);
}

static int keep(ref_capture *capture, uint64_t offset, uint64_t size)
{
    uint64_t page_size = capture->file->page_size, mark = atomic_load(&capture->mark);
    uint64_t most = REF_IMAGE_MAX / page_size;
    uint64_t page = offset / page_size, end = (offset + size + page_size - 1) / page_size;
    uint64_t whole = (capture->slot.size + page_size - 1) / page_size;
    int error = 0;

    page = page > mark / page_size ? page : mark / page_size;
    end = end < whole ? end : whole;
    while (page < end && error == 0) {
        uint64_t count = 0;
        while (
            count < most && page + count < end && !ref_images_has(&capture->images, page + count)) {
            count++;
        }
        error = count > 0 ? keep_pages(capture, page, count) : 0;
        page += count > 0 ? count : 1;
    }
    return error;
}

void ref_capture_before(ref_dbfile *file, uint64_t offset, uint64_t size)
{
    ref_capture *capture = file->capture;
    if (capture == NULL) {
        return;
    }
    pthread_mutex_lock(&capture->mutex);
    if (!capture->stopped && state_of(capture) == 0) {
        int error = keep(capture, offset, size);
        if (error != 0) {
            give_up(capture, error);
        }
    }
    pthread_mutex_unlock(&capture->mutex);
}

/* ---- the end: of a capture that ran, and of a start that failed ---- */

/* Takes the slot out of the source. Where that fails the marker stays, and the next opening of the
 * database does it. Caller holds the checkpoint lock. */
static void clear_slot(ref_capture *capture, ref_dbfile *file)
{
    memset(file->slot, 0, sizeof file->slot);
    int error = ref_env_state(capture->env);
    if (error == 0) {
        error = ref_slot_write(file->handle, capture->path, NULL);
    }
    if (error == 0) {
        ref_marker_remove(capture->vfs, capture->path, capture->marker);
    } else {
        capture->vfs->close(capture->marker);
    }
    capture->marker = NULL;
}

/* The images go before the marker, which alone knows of the spill file. Caller holds the checkpoint
 * lock. */
static void detach(ref_capture *capture)
{
    ref_dbfile *file = capture->file;
    pthread_mutex_lock(&capture->mutex);
    if (capture->failed == 0) {
        give_up(capture, ref_fail(ECANCELED, "%s: the database was closed", capture->path));
    }
    pthread_mutex_unlock(&capture->mutex);
    clear_slot(capture, file);
    pthread_mutex_lock(&capture->env->mutex);
    file->capture = NULL;
    file->opens--;
    pthread_mutex_unlock(&capture->env->mutex);
    capture->file = NULL;
}

static void free_capture(ref_capture *capture)
{
    ref_images_clear(&capture->images);
    pthread_mutex_destroy(&capture->mutex);
    free(capture->spill_path);
    free(capture->piece);
    free(capture->path);
    free(capture);
}

void ref_capture_end(ref_capture *capture)
{
    ref_env *env = capture->env;
    if (env != NULL) {
        pthread_mutex_lock(&env->checkpoint_lock);
        if (capture->file != NULL) {
            detach(capture);
        }
        pthread_mutex_unlock(&env->checkpoint_lock);
    }
    free_capture(capture);
}

void ref_capture_close_env(ref_env *env)
{
    pthread_mutex_lock(&env->checkpoint_lock);
    for (ref_dbfile *file = env->files; file != NULL; file = file->next) {
        ref_capture *capture = file->capture;
        if (capture == NULL) {
            continue;
        }
        detach(capture);
        capture->env = NULL;
    }
    pthread_mutex_unlock(&env->checkpoint_lock);
}

/* ---- the start ---- */

/* The spill file's name, as the marker has it and as a path. Two captures never have the same. */
static int name_spill(ref_capture *capture, const ref_capture_options *options, char **name)
{
    const char *slash = strrchr(capture->path, '/');
    const char *base = slash != NULL ? slash + 1 : capture->path;
    const uint8_t *nonce = capture->slot.nonce.bytes;
    size_t size = strlen(base) + 16 + sizeof REF_CAPTURE_SUFFIX;
    char *file = malloc(size), *parent = ref_path_parent(capture->path);
    bool elsewhere = options->spill_dir != NULL;
    char resolved[REF_PATH_MAX];

    *name = NULL;
    if (elsewhere) {
        int error =
            capture->vfs->resolve(capture->vfs, options->spill_dir, resolved, sizeof resolved);
        if (error != 0) {
            free(file);
            free(parent);
            return ref_fail(error, "%s: directory for before-images", options->spill_dir);
        }
    }
    if (file != NULL && parent != NULL) {
        snprintf(file, size, "%s.%02x%02x%02x%02x" REF_CAPTURE_SUFFIX, base, nonce[0], nonce[1],
            nonce[2], nonce[3]);
        *name = elsewhere ? ref_path_join(resolved, file) : strdup(file);
        capture->spill_path = ref_path_join(elsewhere ? resolved : parent, file);
    }
    free(file);
    free(parent);
    return *name != NULL && capture->spill_path != NULL ? 0 : ref_fail(ENOMEM, "%s", capture->path);
}

static int make(ref_db *db, const ref_capture_options *options, ref_capture **out)
{
    ref_env *env = db->env;
    ref_capture *capture = calloc(1, sizeof *capture);

    *out = capture;
    if (capture == NULL) {
        return ref_fail(ENOMEM, "%s: capture", db->name);
    }
    pthread_mutex_init(&capture->mutex, NULL);
    capture->env = env;
    capture->vfs = env->vfs;
    capture->limit =
        options->memory_limit != 0 ? options->memory_limit : REF_CAPTURE_MEMORY_DEFAULT;
    capture->timeout = options->timeout;
    capture->id = db->file->id;
    capture->page_size = db->file->page_size;
    capture->piece = malloc(REF_STREAM_RECORD + REF_STREAM_BYTES_MAX);
    pthread_mutex_lock(&env->mutex);
    capture->path = ref_dbfile_path(db->file);
    pthread_mutex_unlock(&env->mutex);
    if (capture->piece == NULL || capture->path == NULL) {
        return ref_fail(ENOMEM, "%s: capture", db->name);
    }
    int error = env->vfs->random(env->vfs, &capture->slot.nonce, sizeof capture->slot.nonce);
    return error == 0 ? 0 : ref_fail(error, "%s: capture: random number", db->name);
}

/* May it be captured? One that has ended by itself gives way. Caller holds the checkpoint lock. */
static int claim(ref_dbfile *file)
{
    pthread_mutex_lock(&file->env->mutex);
    ref_capture *other = file->capture;
    bool compacting = file->compacting;
    pthread_mutex_unlock(&file->env->mutex);
    if (compacting) {
        return ref_fail(EBUSY, "%s: the database is being compacted", file->name);
    }
    if (other != NULL && ref_capture_state(other) == 0) {
        return ref_fail(EALREADY, "%s: the database is being captured", file->name);
    }
    if (other != NULL) {
        detach(other);
    }
    return 0;
}

/* What the slot says of the file as it is now. Caller holds the checkpoint lock. */
static int describe(ref_capture *capture, ref_dbfile *file)
{
    ref_slot *slot = &capture->slot;
    ref_stat stat;
    int error = capture->vfs->fstat(file->handle, &stat);
    if (error != 0) {
        return ref_fail(error, "%s", capture->path);
    }
    slot->state = REF_SLOT_RAW;
    slot->size = stat.size;
    /* After a checkpoint, every page in the file has a lower LSN than the redo point, and every
     * change from now on has not. */
    slot->lsn = capture->env->alone ? 0 : capture->env->redo;
    return slot->lsn != 0 ? 0
                          : ref_slot_digest(file->handle, capture->path, slot->size, &slot->digest);
}

/* Marker, then slot: a crash in between leaves a marker that names nothing. */
static int set_slot(ref_capture *capture, ref_dbfile *file, const char *spill)
{
    ref_slot *slot = &capture->slot;
    int error = ref_marker_make(
        capture->vfs, capture->path, file->handle, &slot->nonce, spill, &capture->marker);
    if (error != 0) {
        return error;
    }
    error = ref_slot_write(file->handle, capture->path, slot);
    if (error != 0) {
        char why[512];
        snprintf(why, sizeof why, "%s", ref_error_text());
        clear_slot(capture, file);
        ref_fail(-1, "%s", why);
        return error;
    }
    ref_slot_put(file->slot, slot);
    return 0;
}

/* Caller holds the checkpoint lock. */
static int start(ref_capture *capture, ref_dbfile *file, const ref_capture_options *options)
{
    ref_env *env = capture->env;
    char *spill = NULL;

    int error = claim(file);
    if (error == 0) {
        error = ref_checkpoint_locked(env);
    }
    if (error == 0) {
        error = ref_dbfile_open(file);
    }
    if (error == 0) {
        error = describe(capture, file);
    }
    if (error == 0 && !options->no_spill) {
        error = name_spill(capture, options, &spill);
    }
    if (error == 0) {
        uint64_t pages = capture->slot.size / file->page_size + 1;
        error =
            ref_images_init(&capture->images, env->vfs, capture->spill_path, capture->limit, pages);
        capture->spill_path = NULL;
        if (error != 0) {
            ref_fail(error, "%s: capture", capture->path);
        }
    }
    if (error == 0) {
        error = set_slot(capture, file, spill != NULL ? spill : "");
    }
    free(spill);
    if (error != 0) {
        return error;
    }
    capture->began = env->vfs->now(env->vfs);
    capture->file = file;
    pthread_mutex_lock(&env->mutex);
    file->capture = capture;
    file->opens++;
    pthread_mutex_unlock(&env->mutex);
    return 0;
}

int ref_capture_start(
    ref_db *db, const ref_capture_options *options, ref_capture **out, uint64_t *start_size)
{
    ref_capture *capture;
    ref_env *env = db->env;

    *out = NULL;
    *start_size = 0;
    ref_error_clear();
    options = options != NULL ? options : &(ref_capture_options){0};
    int error = ref_db_check(db, NULL);
    if (error != 0) {
        return error;
    }
    error = make(db, options, &capture);
    if (error == 0) {
        pthread_mutex_lock(&env->checkpoint_lock);
        error = start(capture, db->file, options);
        pthread_mutex_unlock(&env->checkpoint_lock);
    }
    if (error != 0) {
        if (capture != NULL) {
            free_capture(capture);
        }
        return error;
    }
    *start_size = capture->slot.size;
    *out = capture;
    return 0;
}

ref_capture *ref_capture_of(ref_db *db)
{
    pthread_mutex_lock(&db->env->mutex);
    ref_capture *capture = db->file->capture;
    pthread_mutex_unlock(&db->env->mutex);
    return capture != NULL && ref_capture_state(capture) == 0 ? capture : NULL;
}

/* ---- while it runs ---- */

static int not_now(const ref_capture *capture, const char *what)
{
    return ref_fail(EINVAL, "%s: %s", capture->path, what);
}

int ref_capture_mark(ref_capture *capture, uint64_t offset)
{
    pthread_mutex_lock(&capture->mutex);
    int error = state_of(capture);
    if (error == 0 && capture->stopped) {
        error = not_now(capture, "the capture has been stopped");
    }
    if (error == 0 && offset > atomic_load(&capture->mark)) {
        atomic_store(&capture->mark, offset);
    }
    pthread_mutex_unlock(&capture->mutex);
    return error;
}

static void count_stream(ref_capture *capture)
{
    const ref_images *images = &capture->images;
    capture->size = images->count == 0 ? 0 : REF_STREAM_HEADER + REF_STREAM_END;
    for (size_t i = 0; i < images->count; i++) {
        capture->size += REF_STREAM_RECORD + images->list[i].size;
    }
}

int ref_capture_stop(ref_capture *capture)
{
    pthread_mutex_lock(&capture->mutex);
    int error = state_of(capture);
    if (error == 0 && !capture->stopped) {
        capture->stopped = true;
        ref_images_sort(&capture->images);
        count_stream(capture);
    }
    pthread_mutex_unlock(&capture->mutex);
    return error;
}

/* ---- the stream ---- */

/* 0 when the stream can be asked for. Caller holds capture->mutex. */
static int readable(ref_capture *capture)
{
    int error = state_of(capture);
    return error == 0 && !capture->stopped ? not_now(capture, "the capture has not been stopped")
                                           : error;
}

int ref_capture_size(ref_capture *capture, uint64_t *bytes)
{
    pthread_mutex_lock(&capture->mutex);
    int error = readable(capture);
    *bytes = error == 0 ? capture->size : 0;
    pthread_mutex_unlock(&capture->mutex);
    return error;
}

static void make_header(ref_capture *capture)
{
    ref_stream_header header = {.page_size = capture->page_size,
        .nonce = capture->slot.nonce,
        .file = capture->id,
        .start_size = capture->slot.size};
    ref_stream_put_header(capture->piece, &header, &capture->chain);
    capture->piece_size = REF_STREAM_HEADER;
}

static int make_record(ref_capture *capture, const ref_image *image)
{
    uint8_t *bytes = capture->piece + REF_STREAM_RECORD;
    int error = ref_images_read(&capture->images, image, bytes);
    if (error == 0) {
        ref_stream_put_record(capture->piece, image->offset, bytes, image->size, &capture->chain);
        capture->piece_size = REF_STREAM_RECORD + image->size;
    }
    return error;
}

/* Makes the next piece; its size is 0 at the end. */
static int next_piece(ref_capture *capture)
{
    size_t count = capture->images.count;
    int error = 0;

    capture->piece_at = capture->piece_size = 0;
    if (count == 0 || capture->next > count + 1) {
        return 0;
    }
    if (capture->next == 0) {
        make_header(capture);
    } else if (capture->next <= count) {
        error = make_record(capture, &capture->images.list[capture->next - 1]);
    } else {
        ref_stream_put_end(capture->piece, &capture->chain);
        capture->piece_size = REF_STREAM_END;
    }
    capture->next++;
    return error;
}

int ref_capture_read(ref_capture *capture, void *buffer, size_t size, size_t *done)
{
    uint8_t *to = buffer;

    *done = 0;
    pthread_mutex_lock(&capture->mutex);
    int error = readable(capture);
    while (error == 0 && *done < size) {
        if (capture->piece_at == capture->piece_size) {
            error = next_piece(capture);
            if (error != 0) {
                *done = 0;
                give_up(capture, error);
            }
            if (error != 0 || capture->piece_size == 0) {
                break;
            }
        }
        size_t part = capture->piece_size - capture->piece_at;
        part = part < size - *done ? part : size - *done;
        memcpy(to + *done, capture->piece + capture->piece_at, part);
        capture->piece_at += part;
        *done += part;
    }
    pthread_mutex_unlock(&capture->mutex);
    return error;
}
