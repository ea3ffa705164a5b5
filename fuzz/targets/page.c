/*
 * Pages and a database file: any bytes, looked at page by page, then opened alone, verified and
 * read; then written to.
 *
 * Promises: reading changes nothing; what is refused is left alone; a database that verifies can be
 * read both ways and by key, and still verifies after it was written to and opened again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"
#include "engine/capture.h"
#include "engine/page.h"

#define SWITCH_WRITE 0x04u
#define SWITCH_COMPACT 0x08u

#define PATH "/home/tree.db"

/* Each page by itself. */
static void look_at_pages(fuzz_disk *disk)
{
    ref_vfs *vfs = fuzz_disk_vfs(disk);
    ref_file *file;
    ref_meta meta;
    size_t done;
    if (vfs->open(vfs, PATH, 0, 0, &file) != 0) {
        return;
    }
    uint8_t *page = malloc(REF_PAGE_SIZE_MAX);
    if (page == NULL) {
        abort();
    }
    ref_error_clear();
    int error = ref_read_full(file, page, REF_PAGE_SIZE_MIN, 0, &done);
    if (error == 0) {
        error = ref_meta_read(page, done, PATH, &meta);
    }
    if (error != 0 && error != ENOENT) {
        fuzz_check_words(error, "ref_meta_read");
    }
    uint32_t size = error == 0 ? meta.page_size : REF_PAGE_SIZE_MIN;
    for (uint32_t pgno = 0;
         ref_read_full(file, page, size, (uint64_t)pgno * size, &done) == 0 && done == size;
         pgno++) {
        fuzz_note_number((uint64_t)ref_page_check(page, size, pgno));
    }
    free(page);
    vfs->close(file);
}

static void read_only(fuzz_disk *disk)
{
    uint64_t before = fuzz_disk_hash(disk, "/");
    ref_db_options options = {.read_only = true};
    ref_db *db;
    int error = ref_db_open_alone(fuzz_disk_vfs(disk), PATH, &options, &db);
    if (error != 0) {
        fuzz_check_words(error, "ref_db_open_alone");
    } else {
        fuzz_read_database(db);
        if (ref_db_put(db, NULL, (ref_slice){"k", 1}, (ref_slice){"v", 1}, false) != EACCES) {
            FUZZ_FAIL("a database that is open for reading takes a record");
        }
        if (ref_db_close(db) != 0) {
            FUZZ_FAIL("a database that was only read does not close");
        }
    }
    if (fuzz_disk_hash(disk, "/") != before) {
        FUZZ_FAIL("reading has changed a file");
    }
}

/* Removes the first record, adds a short one and one with overflow pages. */
static int change(ref_db *db)
{
    static const uint8_t large[3000] = {1, 2, 3};
    ref_cursor *cursor;
    ref_buffer key = {0}, value = {0};
    int error = ref_cursor_open(db, NULL, &cursor);
    if (error == 0) {
        error = ref_cursor_get(cursor, REF_MOVE_FIRST, (ref_slice){0}, false, &key, &value);
        if (error == 0) {
            error = ref_cursor_del(cursor);
        }
        error = error == REF_NOTFOUND ? 0 : error;
        ref_cursor_close(cursor);
    }
    if (error == 0) {
        error =
            ref_db_put(db, NULL, (ref_slice){"large", 5}, (ref_slice){large, sizeof large}, false);
    }
    if (error == 0) {
        error = ref_db_put(db, NULL, (ref_slice){"small", 5}, (ref_slice){"value", 5}, false);
    }
    ref_buffer_free(&key);
    ref_buffer_free(&value);
    return error;
}

static void check_changed(ref_db *db)
{
    ref_buffer value = {0};
    int error = ref_db_get(db, NULL, (ref_slice){"small", 5}, false, &value);
    if (error != 0 || value.size != 5 || memcmp(value.data, "value", 5) != 0) {
        FUZZ_FAIL("a record that was put is not there (%d)", error);
    }
    error = ref_db_get(db, NULL, (ref_slice){"large", 5}, false, &value);
    if (error != 0 || value.size != 3000) {
        FUZZ_FAIL("a large record that was put is not there (%d)", error);
    }
    ref_buffer_free(&value);
    if (fuzz_read_database(db) != 0) {
        FUZZ_FAIL("a sound database does not verify after a change");
    }
}

/* Then its slot and its marker may go, also where something else is wrong with it. */
static bool was_captured(fuzz_disk *disk)
{
    ref_vfs *vfs = fuzz_disk_vfs(disk);
    ref_copy_state state;
    ref_stat stat;
    return vfs->stat(vfs, PATH ".__capture", &stat) == 0 ||
           (ref_copy_state_of(vfs, PATH, &state) == 0 && state != REF_COPY_NONE);
}

/* True when it is open, was sound, and was changed. */
static bool write_once(fuzz_disk *disk, uint8_t switches)
{
    uint64_t before = fuzz_disk_hash(disk, "/");
    ref_db_options options = {0};
    ref_db *db;
    bool captured = was_captured(disk);
    int error = ref_db_open_alone(fuzz_disk_vfs(disk), PATH, &options, &db);
    if (error != 0) {
        fuzz_check_words(error, "ref_db_open_alone");
        if (error < 0 && !captured && fuzz_disk_hash(disk, "/") != before) {
            FUZZ_FAIL("a file that was refused has been changed");
        }
        return false;
    }
    int verified = ref_db_verify(db, NULL);
    if (verified == 0) {
        fuzz_note_accepted();
    }
    error = change(db);
    if (error == 0 && (switches & SWITCH_COMPACT) != 0) {
        error = ref_db_compact(db, NULL, NULL, NULL);
    }
    if (error != 0) {
        fuzz_check_words(error, "a change");
        if (verified == 0) {
            FUZZ_FAIL("a sound database cannot be changed: %d", error);
        }
    } else if (verified == 0) {
        check_changed(db);
    }
    int closed = ref_db_close(db);
    if (closed != 0) {
        fuzz_check_words(closed, "ref_db_close");
    }
    if (verified == 0 && closed != 0) {
        FUZZ_FAIL("a sound database does not close: %d", closed);
    }
    return verified == 0;
}

static void write_to(fuzz_disk *disk, uint8_t switches)
{
    ref_db *db;
    if (!write_once(disk, switches)) {
        return;
    }
    if (ref_db_open_alone(fuzz_disk_vfs(disk), PATH, NULL, &db) != 0) {
        FUZZ_FAIL("a sound database does not open again after a change");
    }
    check_changed(db);
    if (ref_db_close(db) != 0) {
        FUZZ_FAIL("it does not close");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ref_copy_state state;
    if (size == 0 || size > FUZZ_INPUT_MAX) {
        return 0;
    }
    fuzz_disk *disk = fuzz_disk_new(FUZZ_SEED);
    fuzz_put_files(disk, data, size);
    look_at_pages(disk);
    ref_error_clear();
    int error = ref_copy_state_of(fuzz_disk_vfs(disk), PATH, &state);
    if (error != 0) {
        fuzz_check_words(error, "ref_copy_state_of");
    }
    fuzz_note_number((uint64_t)state);
    read_only(disk);
    if ((data[0] & SWITCH_WRITE) != 0) {
        write_to(disk, data[0]);
    }
    fuzz_disk_free(disk);
    return 0;
}
