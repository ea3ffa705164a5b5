/*
 * Applying change information to a copy: what comes out of a capture goes in here, and the copy is
 * the database at the start again.
 *
 * Nothing but the copy is needed. Its slot says of which capture it is a copy, the stream's header
 * says the same of the stream; a record is written when its checksum, which goes over all before
 * it, is right. So what does not belong here changes no byte. At the end the whole file is looked
 * at: a page that was changed after the start and has come into the copy without the stream having
 * its image (copied after the stop, or below a mark that was too high) is found, and the copy never
 * called good.
 *
 * Order at the end: pages synced, then the slot says APPLIED, then synced again. A crash before
 * leaves a raw copy, to which the stream can be applied from the beginning.
 */
#include "capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "change.h"
#include "slot.h"

struct ref_apply {
    ref_vfs *vfs;
    ref_file *file;
    char *path;
    uint64_t announced; /* bytes of the stream */
    uint64_t given;
    ref_slot slot; /* the copy's */
    uint8_t head[REF_PAGE_SIZE_MIN];
    size_t head_size;
    int failed;
    char why[512];
    ref_stream stream;
};

/* ---- the beginning ---- */

static int read_head(ref_apply *apply)
{
    int error = ref_read_full(apply->file, apply->head, sizeof apply->head, 0, &apply->head_size);
    return error == 0 ? 0 : ref_fail(error, "%s: read", apply->path);
}

static int open_copy(ref_apply *apply)
{
    ref_vfs *vfs = apply->vfs;
    if (ref_marker_is_live(vfs, apply->path)) {
        return ref_fail(EBUSY, "%s: this is a database that is being captured", apply->path);
    }
    int error = vfs->open(vfs, apply->path, REF_O_WRITE, 0, &apply->file);
    if (error != 0) {
        apply->file = NULL;
        return ref_fail(error, "%s: open", apply->path);
    }
    error = read_head(apply);
    if (error != 0) {
        return error;
    }
    if (apply->head_size == sizeof apply->head) {
        ref_slot_get(apply->head + REF_META_AT_SLOT, &apply->slot);
    }
    return 0;
}

static void free_apply(ref_apply *apply)
{
    if (apply->file != NULL) {
        apply->vfs->close(apply->file);
    }
    ref_stream_close(&apply->stream);
    free(apply->path);
    free(apply);
}

int ref_apply_start(ref_vfs *vfs, const char *path, uint64_t stream_size, ref_apply **out)
{
    *out = NULL;
    ref_error_clear();
    ref_apply *apply = calloc(1, sizeof *apply);
    if (apply == NULL) {
        return ref_fail(ENOMEM, "%s", path);
    }
    apply->vfs = vfs != NULL ? vfs : ref_default_vfs();
    apply->announced = stream_size;
    apply->path = strdup(path);
    int error =
        apply->path == NULL ? ref_fail(ENOMEM, "%s", path) : ref_stream_open(&apply->stream);
    if (error == 0) {
        error = open_copy(apply);
    }
    if (error != 0) {
        free_apply(apply);
        return error;
    }
    *out = apply;
    return 0;
}

/* ---- the stream ---- */

static int fail(ref_apply *apply, int error)
{
    snprintf(apply->why, sizeof apply->why, "%s", ref_error_text());
    apply->failed = error;
    return error;
}

/* As the first failure was. */
static int fail_again(const ref_apply *apply)
{
    ref_fail(-1, "%s", apply->why); /* negative: the words have errno's text already */
    return apply->failed;
}

/* Whether the file is a copy made during a capture at all. */
static int check_copy(const ref_apply *apply, ref_meta *meta)
{
    int error = ref_meta_read(apply->head, apply->head_size, apply->path, meta);
    if (error == ENOENT) {
        return ref_fail(REF_CORRUPT, "%s: this is no database file", apply->path);
    }
    if (error == 0 && apply->slot.state == REF_SLOT_NONE) {
        error = ref_fail(REF_CORRUPT,
            "%s: not copied during a backup, or opened since: no change information belongs to it",
            apply->path);
    } else if (error == 0 && apply->slot.state == REF_SLOT_DAMAGED) {
        error = ref_fail(REF_CORRUPT, "%s: page 0: offset %d: the capture slot is damaged",
            apply->path, REF_META_AT_SLOT);
    }
    return error;
}

static int take_header(void *context, const ref_stream_header *header)
{
    ref_apply *apply = context;
    ref_meta meta;
    int error = check_copy(apply, &meta);
    if (error != 0) {
        return error;
    }
    if (!ref_id_equal(&header->file, &meta.id) || header->page_size != meta.page_size) {
        return ref_fail(
            REF_CORRUPT, "%s: the change information is another database's", apply->path);
    }
    if (!ref_id_equal(&header->nonce, &apply->slot.nonce) ||
        header->start_size != apply->slot.size) {
        return ref_fail(REF_CORRUPT, "%s: the change information is another backup's", apply->path);
    }
    return 0;
}

/* The slot stays as it is in the copy until the end. */
static void overlay_slot(const ref_apply *apply, uint64_t offset, uint8_t *bytes, uint32_t size)
{
    for (uint64_t at = REF_META_AT_SLOT; at < REF_META_AT_SLOT + REF_META_SLOT_SIZE; at++) {
        if (at >= offset && at - offset < size) {
            bytes[at - offset] = apply->head[at];
        }
    }
}

static int take_record(void *context, uint64_t offset, uint8_t *bytes, uint32_t size)
{
    ref_apply *apply = context;
    overlay_slot(apply, offset, bytes, size);
    int error = ref_write_full(apply->file, bytes, size, offset);
    return error == 0 ? 0
                      : ref_fail(error, "%s: write of %u bytes at offset %llu", apply->path, size,
                            (unsigned long long)offset);
}

int ref_apply_next(ref_apply *apply, const void *data, size_t size)
{
    ref_stream_sink sink = {.context = apply, .header = take_header, .record = take_record};

    if (apply->failed != 0) {
        return fail_again(apply);
    }
    if (size > apply->announced - apply->given) {
        return fail(apply, ref_fail(REF_CORRUPT,
                               "%s: more change information than the %llu bytes "
                               "that were announced",
                               apply->path, (unsigned long long)apply->announced));
    }
    apply->given += size;
    int error = ref_stream_feed(&apply->stream, data, size, &sink);
    return error == 0 ? 0 : fail(apply, error);
}

/* ---- the end ---- */

static int check_end(const ref_apply *apply)
{
    ref_meta meta;
    if (apply->failed != 0) {
        return fail_again(apply);
    }
    if (apply->given < apply->announced ||
        (apply->announced > 0 && apply->stream.state != REF_STREAM_ENDED)) {
        return ref_fail(REF_CORRUPT, "%s: the change information ends after %llu of %llu bytes",
            apply->path, (unsigned long long)apply->given, (unsigned long long)apply->announced);
    }
    return check_copy(apply, &meta);
}

/* A copy is longer when the database grew meanwhile. It is shorter when it was copied after it had
 * shrunk; what it lacked came with the stream. */
static int set_size(ref_apply *apply)
{
    ref_stat stat;
    int error = apply->vfs->fstat(apply->file, &stat);
    if (error == 0 && stat.size != apply->slot.size) {
        error = apply->vfs->truncate(apply->file, apply->slot.size);
    }
    return error == 0 ? 0
                      : ref_fail(error, "%s: set its size to %llu bytes", apply->path,
                            (unsigned long long)apply->slot.size);
}

/* The stream may have brought another page 0; it is still this database's. */
static int check_page_0(ref_apply *apply)
{
    ref_meta before, now;
    int error = check_copy(apply, &before);
    if (error == 0) {
        error = read_head(apply);
    }
    if (error == 0) {
        error = check_copy(apply, &now);
    }
    if (error == 0 && (!ref_id_equal(&now.id, &before.id) || now.page_size != before.page_size)) {
        error = ref_fail(REF_CORRUPT,
            "%s: page 0: the change information makes another database of it", apply->path);
    }
    return error;
}

static int conclude(ref_apply *apply)
{
    int error = check_end(apply);
    if (error == 0) {
        error = set_size(apply);
    }
    if (error == 0) {
        error = check_page_0(apply);
    }
    if (error == 0) {
        error = ref_slot_judge(apply->file, apply->path, &apply->slot);
    }
    if (error == 0) {
        error = apply->vfs->fsync(apply->file);
        if (error != 0) {
            ref_fail(error, "%s: sync", apply->path);
        }
    }
    if (error == 0) {
        apply->slot.state = REF_SLOT_APPLIED;
        error = ref_slot_write(apply->file, apply->path, &apply->slot);
    }
    return error;
}

int ref_apply_end(ref_apply *apply, bool abort)
{
    int error = abort ? 0 : conclude(apply);
    free_apply(apply);
    return error;
}

/* ---- what a file is ---- */

int ref_copy_state_of(ref_vfs *vfs, const char *path, ref_copy_state *out)
{
    uint8_t head[REF_PAGE_SIZE_MIN];
    size_t done = 0;
    ref_file *file;
    ref_meta meta;
    ref_slot slot = {0};

    *out = REF_COPY_NONE;
    ref_error_clear();
    vfs = vfs != NULL ? vfs : ref_default_vfs();
    int error = vfs->open(vfs, path, 0, 0, &file);
    if (error != 0) {
        return ref_fail(error, "%s: open", path);
    }
    error = ref_read_full(file, head, sizeof head, 0, &done);
    vfs->close(file);
    if (error != 0) {
        return ref_fail(error, "%s: read", path);
    }
    error = ref_meta_read(head, done, path, &meta);
    if (error == ENOENT) {
        return ref_fail(EINVAL, "%s: this is no database file", path);
    }
    if (error == 0) {
        ref_slot_get(head + REF_META_AT_SLOT, &slot);
    }
    if (error == 0 && slot.state == REF_SLOT_DAMAGED) {
        error = ref_fail(REF_CORRUPT, "%s: page 0: offset %d: the capture slot is damaged", path,
            REF_META_AT_SLOT);
    }
    if (error == 0 && slot.state != REF_SLOT_NONE) {
        *out = slot.state == REF_SLOT_RAW ? REF_COPY_RAW : REF_COPY_APPLIED;
    }
    return error;
}
