/* See domino_backup.h. */
#include "domino_backup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

test_backup start_backup(DBHANDLE db, const char *path)
{
    test_backup backup = {.db = db, .path = path};
    DWORD low, high;

    assert_ok(NSFBackupStart(db, 0, &backup.context, &low, &high));
    assert_int_not_equal(backup.context, NULLHANDLE);
    backup.start = image_of(path);
    assert_int_equal(high, 0);
    assert_int_equal(low, backup.start.size);
    return backup;
}

void end_backup(test_backup *backup)
{
    image_free(&backup->start);
}

file_image read_stream(const test_backup *backup, unsigned piece)
{
    DWORD low, high, filled;

    assert_ok(NSFBackupGetChangeInfoSize(backup->db, backup->context, 0, &low, &high));
    assert_int_equal(high, 0);
    file_image stream = {malloc((size_t)low + piece), 0};
    assert_non_null(stream.bytes);
    do {
        assert_ok(NSFBackupGetNextChangeInfo(
            backup->db, backup->context, 0, (char *)stream.bytes + stream.size, piece, &filled));
        assert_true(filled <= piece);
        stream.size += filled;
        assert_true(stream.size <= low);
    } while (filled > 0);
    assert_int_equal(stream.size, low);
    return stream;
}

STATUS apply_stream(const char *copy, const file_image *stream, unsigned piece)
{
    char path[4096];
    DHANDLE apply;

    strcpy(path, copy);
    STATUS status = NSFBackupStartApplyChangeInfo(&apply, path, 0, (DWORD)stream->size, 0);
    if (status != NOERROR) {
        return status;
    }
    for (size_t at = 0; at < stream->size && status == NOERROR; at += piece) {
        size_t size = stream->size - at < piece ? stream->size - at : piece;

        status = NSFBackupApplyNextChangeInfo(apply, 0, (char *)stream->bytes + at, (DWORD)size);
    }
    if (status == NOERROR) {
        status = NSFBackupApplyNextChangeInfo(apply, 0, path, 0);
    }
    STATUS end = NSFBackupEndApplyChangeInfo(apply, status == NOERROR ? 0 : APPLYEND_ABORT);
    return status == NOERROR ? end : status;
}

void expect_start(const test_backup *backup, const char *copy)
{
    file_image image = image_of(copy);

    assert_same_image(&image, &backup->start);
    image_free(&image);
}

static unsigned pick(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

void copy_in_pieces(
    const test_backup *backup, const char *copy, NOTEID first, unsigned count, uint64_t *seed)
{
    static char buffer[32768];
    int from = open(backup->path, O_RDONLY), to = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    char path[MAXPATH];
    size_t left = backup->start.size, done = 0;

    assert_true(from >= 0 && to >= 0);
    assert_ok(NSFDbPathGet(backup->db, path, NULL));
    while (left > 0) {
        size_t size = 1 + pick(seed, sizeof buffer - 1);

        size = size < left ? size : left;
        assert_int_equal(pread(from, buffer, size, (off_t)done), size);
        done += size;
        left -= size;
        if (pick(seed, 3) == 0) {
            size_t mark = pick(seed, 2) == 0 ? done : done / 2;
            assert_ok(NSFBackupSetHighWaterMark(backup->db, backup->context, (DWORD)mark, 0));
        }
        assert_int_equal(write(to, buffer, size), size);
        for (unsigned i = pick(seed, 6); i > 0; i--) {
            change_note(backup->db, first, pick(seed, count), pick(seed, 3000),
                (char)('a' + pick(seed, 26)));
        }
        if (pick(seed, 2) == 0) {
            flush_db(path);
        }
    }
    close(from);
    close(to);
}

const char *expect_letters(char letter)
{
    static char text[1501];

    memset(text, letter, sizeof text - 1);
    return text;
}
