/* A backup, the image of the database at its start, and the proof that a copy became that image. */
#include "hp.h"
#include "domino_provoke.h"
#include "domino_support.h"

#include <stdlib.h>
#include <string.h>
#include <global.h>
#include <nsfdb.h>
#include <nsferr.h>

dom_backup dom_backup_start(dom_db *db)
{
    dom_backup b = {.db = db};
    DHANDLE context = NULLHANDLE;
    DWORD low = 0, high = 0;

    dom_expect(NSFBackupStart(db->handle, 0, &context, &low, &high), "NSFBackupStart");
    b.context = context;
    b.size = (uint64_t)high << 32 | low;
    b.account = *db;
    b.image = dom_read_head(db->path, b.size);
    return b;
}

void dom_mark(const dom_backup *b, uint64_t mark)
{
    dom_expect(NSFBackupSetHighWaterMark(
                   b->db->handle, b->context, (DWORD)(mark & MAXDWORD), (DWORD)(mark >> 32)),
        "NSFBackupSetHighWaterMark");
}

void dom_backup_stop(const dom_backup *b)
{
    dom_expect(NSFBackupStop(b->db->handle, b->context), "NSFBackupStop");
}

void dom_backup_free(dom_backup *b)
{
    dom_free(&b->image);
}

void dom_backup_end(dom_backup *b)
{
    dom_expect(NSFBackupEnd(b->db->handle, b->context, 0), "NSFBackupEnd");
    dom_backup_free(b);
}

void dom_backup_abort(dom_backup *b)
{
    dom_expect(NSFBackupEnd(b->db->handle, b->context, BACKUPEND_ABORT), "NSFBackupEnd, abort");
    dom_backup_free(b);
}

void dom_copy(const dom_backup *b, const char *path)
{
    dom_copy_head(b->db->path, path, b->size);
}

uint64_t dom_stream_size(const dom_backup *b)
{
    DWORD low = 0, high = 0;

    dom_expect(NSFBackupGetChangeInfoSize(b->db->handle, b->context, 0, &low, &high),
        "NSFBackupGetChangeInfoSize");
    return (uint64_t)high << 32 | low;
}

dom_bytes dom_read_stream(const dom_backup *b)
{
    dom_bytes stream = dom_bytes_new((size_t)dom_stream_size(b) + DOM_BUFFER);
    size_t done = 0;
    DWORD filled = 1;

    while (filled > 0 && done + DOM_BUFFER <= stream.size) {
        dom_expect(NSFBackupGetNextChangeInfo(b->db->handle, b->context, 0,
                       (char *)stream.data + done, DOM_BUFFER, &filled),
            "NSFBackupGetNextChangeInfo");
        done += filled;
    }
    assert_int_equal(done, stream.size - DOM_BUFFER);
    stream.size = done;
    return stream;
}

dom_bytes dom_finish(dom_backup *b)
{
    dom_backup_stop(b);
    dom_bytes stream = dom_read_stream(b);
    dom_expect(NSFBackupEnd(b->db->handle, b->context, 0), "NSFBackupEnd");
    return stream;
}

uint32_t dom_apply_start(const char *copy, uint64_t size)
{
    DHANDLE context = NULLHANDLE;
    char *path = strdup(copy);

    dom_expect(NSFBackupStartApplyChangeInfo(
                   &context, path, 0, (DWORD)(size & MAXDWORD), (DWORD)(size >> 32)),
        "NSFBackupStartApplyChangeInfo");
    free(path);
    return context;
}

uint16_t dom_apply_next(uint32_t context, const void *data, size_t size)
{
    return NSFBackupApplyNextChangeInfo(context, 0, (char *)(uintptr_t)data, (DWORD)size);
}

uint16_t dom_apply_end(uint32_t context)
{
    return NSFBackupEndApplyChangeInfo(context, 0);
}

void dom_apply_abort(uint32_t context)
{
    dom_expect(
        NSFBackupEndApplyChangeInfo(context, APPLYEND_ABORT), "NSFBackupEndApplyChangeInfo, abort");
}

uint16_t dom_apply(const char *copy, dom_bytes stream)
{
    uint32_t context = dom_apply_start(copy, stream.size);

    for (size_t done = 0; done < stream.size;) {
        size_t left = stream.size - done, size = left < DOM_BUFFER ? left : DOM_BUFFER;
        uint16_t status = dom_apply_next(context, stream.data + done, size);

        if (status != NOERROR) {
            dom_apply_abort(context);
            return status;
        }
        done += size;
    }
    return dom_apply_end(context);
}

bool dom_is_image(const char *copy, const dom_backup *b, uint64_t *first_difference)
{
    dom_bytes content = dom_read_file(copy);
    dom_range marks = dom_provoke.marks;
    size_t at = 0, size = content.size < b->image.size ? content.size : b->image.size;

    while (at < size && (content.data[at] == b->image.data[at] ||
                            (at >= marks.offset && at - marks.offset < marks.size))) {
        at++;
    }
    bool same = at == b->image.size && at == content.size;
    *first_difference = at;
    dom_free(&content);
    return same;
}

void dom_assert_is_image(const char *copy, const dom_backup *b)
{
    uint64_t at = 0;

    if (!dom_is_image(copy, b, &at)) {
        fail_msg("%s of %llu bytes is not the database at the start, of %llu bytes: they differ "
                 "first at byte %llu",
            copy, (unsigned long long)dom_file_size(copy), (unsigned long long)b->image.size,
            (unsigned long long)at);
    }
}

static STATUS open_copy(const char *copy, DBHANDLE *handle)
{
    char *path = dom_absolute(copy);
    STATUS status = NSFDbOpen(path, handle);

    free(path);
    return status;
}

uint16_t dom_try_open(const char *copy)
{
    DBHANDLE handle = NULLHANDLE;
    STATUS status = open_copy(copy, &handle);

    if (status == NOERROR) {
        dom_expect(NSFDbClose(handle), "NSFDbClose");
    }
    return status;
}

void dom_assert_not_mistaken(const char *copy, const dom_backup *b)
{
    uint64_t at;

    if (!dom_is_image(copy, b, &at) && dom_try_open(copy) == NOERROR) {
        fail_msg("%s opens, and differs from the database at the start first at byte %llu", copy,
            (unsigned long long)at);
    }
}

void dom_assert_holds(const char *copy, const dom_backup *b)
{
    DBHANDLE handle = NULLHANDLE;

    dom_expect(open_copy(copy, &handle), "open the copy");
    dom_assert_notes(handle, &b->account);
    dom_expect(NSFDbClose(handle), "NSFDbClose");
}

void dom_assert_usable(dom_db *db)
{
    dom_update_all(db, 333);
    dom_expect(dom_add_note(db, 3000), "add a note");
    dom_assert_notes(db->handle, db);
    dom_backup b = dom_backup_start(db);
    dom_update_all(db, 444);
    dom_expect(dom_flush(db), "flush");
    dom_copy(&b, "usable.nsf");
    dom_bytes stream = dom_finish(&b);
    dom_expect(dom_apply("usable.nsf", stream), "apply the change information");
    dom_assert_is_image("usable.nsf", &b);
    dom_free(&stream);
    dom_backup_free(&b);
}
