/* See domino_support.h. */
#include "domino_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cwd.h"

enum { SLOT_AT = 256, SLOT_SIZE = 64 };

static fault_vfs vfs;
static bool running;

/* ---- runtime ---- */

fault_vfs *test_vfs(void)
{
    return &vfs;
}

void end_runtime(void)
{
    if (running) {
        NotesTerm();
        running = false;
    }
}

void restart(const char *lines)
{
    char program[] = "test", ini[] = "=notes.ini";
    char *argv[] = {program, ini, NULL};
    char text[1024];

    end_runtime();
    assert_true(snprintf(text, sizeof text, "Directory=data\nHotref_Trace=1\n%s", lines) <
                (int)sizeof text);
    cwd_file("notes.ini", text);
    assert_ok(NotesInitExtended(2, argv));
    running = true;
}

int notes_setup(void **state)
{
    if (cwd_setup(state) != 0) {
        return -1;
    }
    cwd_dir("data");
    fault_vfs_init(&vfs);
    ref_set_default_vfs(&vfs.vfs);
    restart("");
    return 0;
}

int notes_teardown(void **state)
{
    ref_dom_provoke_compact_pause(NULL, NULL);
    end_runtime();
    NotesTerm();
    ref_set_default_vfs(NULL);
    fault_vfs_destroy(&vfs);
    return cwd_teardown(state);
}

void check_status(STATUS got, STATUS wanted, const char *call, const char *file, int line)
{
    char is[200], should_be[200];

    if (got != wanted) {
        OSLoadString(NULLHANDLE, ERR(got), is, sizeof is);
        OSLoadString(NULLHANDLE, ERR(wanted), should_be, sizeof should_be);
        print_error("%s\n  gives 0x%04x (%s), not 0x%04x (%s)\n", call, got, is, wanted, should_be);
        _fail(file, line);
    }
}

/* ---- databases and notes ---- */

DBHANDLE open_db(const char *path)
{
    DBHANDLE db;
    STATUS status = NSFDbCreate(path, DBCLASS_NOTEFILE, FALSE);

    if (status != NOERROR) {
        assert_status(ERR(status), ERR_EXISTS);
    }
    assert_ok(NSFDbOpen(path, &db));
    assert_int_not_equal(db, NULLHANDLE);
    return db;
}

void close_db(DBHANDLE db)
{
    assert_ok(NSFDbClose(db));
}

NOTEID add_note(DBHANDLE db, const char *text)
{
    NOTEHANDLE note;
    NOTEID id = 0;

    assert_ok(NSFNoteCreate(db, &note));
    assert_ok(NSFItemSetTextSummary(note, "Text", text, MAXWORD, FALSE));
    assert_ok(NSFNoteUpdate(note, 0));
    NSFNoteGetInfo(note, _NOTE_ID, &id);
    assert_ok(NSFNoteClose(note));
    assert_int_not_equal(id, 0);
    return id;
}

STATUS set_note(DBHANDLE db, NOTEID id, const char *text)
{
    NOTEHANDLE note;

    assert_ok(NSFNoteOpen(db, id, 0, &note));
    assert_ok(NSFItemSetTextSummary(note, "Text", text, MAXWORD, FALSE));
    STATUS status = NSFNoteUpdate(note, UPDATE_FORCE);
    assert_ok(NSFNoteClose(note));
    return status;
}

void expect_note(DBHANDLE db, NOTEID id, const char *text)
{
    static char found[65536];
    NOTEHANDLE note;
    STATUS status = NSFNoteOpen(db, id, 0, &note);

    if (text == NULL) {
        assert_true(ERR(status) == ERR_NOTE_DELETED || ERR(status) == ERR_INVALID_NOTE);
        assert_int_equal(note, NULLHANDLE);
        return;
    }
    assert_ok(status);
    assert_int_equal(NSFItemGetText(note, "text", found, 65535), strlen(text));
    assert_string_equal(found, text);
    assert_ok(NSFNoteClose(note));
}

unsigned count_notes(DBHANDLE db)
{
    TIMEDATE always, until;
    DHANDLE table;

    TimeConstant(TIMEDATE_MINIMUM, &always);
    STATUS status = NSFDbGetModifiedNoteTable(db, NOTE_CLASS_ALL, always, &until, &table);
    if (status == ERR_NO_MODIFIED_NOTES) {
        assert_int_equal(table, NULLHANDLE);
        return 0;
    }
    assert_ok(status);
    unsigned count = IDEntries(table);
    assert_ok(IDDestroyTable(table));
    return count;
}

static char *letters(unsigned size, char letter)
{
    char *text = malloc(size + 1);

    assert_non_null(text);
    memset(text, letter, size);
    text[size] = '\0';
    return text;
}

NOTEID add_notes(DBHANDLE db, unsigned count, unsigned size, char letter)
{
    char *text = letters(size, letter);
    NOTEID first = 0;

    for (unsigned i = 0; i < count; i++) {
        NOTEID id = add_note(db, text);

        first = i == 0 ? id : first;
        assert_int_equal(id, first + i * RRV_ALIGNMENT);
    }
    free(text);
    return first;
}

void change_note(DBHANDLE db, NOTEID first, unsigned i, unsigned size, char letter)
{
    char *text = letters(size, letter);

    assert_ok(set_note(db, first + i * RRV_ALIGNMENT, text));
    free(text);
}

void flush_db(const char *path)
{
    assert_ok(ref_dom_provoke_flush(path));
}

/* ---- files ---- */

file_image image_of(const char *path)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    file_image image = {NULL, (size_t)ftell(file)};
    rewind(file);
    image.bytes = malloc(image.size + 1);
    assert_non_null(image.bytes);
    assert_int_equal(fread(image.bytes, 1, image.size, file), image.size);
    (void)fclose(file);
    return image;
}

void image_free(file_image *image)
{
    free(image->bytes);
    *image = (file_image){NULL, 0};
}

void image_save(const file_image *image, const char *path)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(image->bytes, 1, image->size, file), image->size);
    assert_int_equal(fclose(file), 0);
}

void assert_same_image(const file_image *a, const file_image *b)
{
    assert_int_equal(a->size, b->size);
    for (size_t i = 0; i < a->size; i++) {
        if (a->bytes[i] != b->bytes[i] && (i < SLOT_AT || i >= SLOT_AT + SLOT_SIZE)) {
            fail_msg("byte %zu of %zu is %02x, not %02x", i, a->size, a->bytes[i], b->bytes[i]);
        }
    }
}

void copy_file(const char *from, const char *to)
{
    file_image image = image_of(from);

    image_save(&image, to);
    image_free(&image);
}

bool file_exists(const char *path)
{
    return cwd_exists(path);
}

void flip(const char *path, uint64_t offset, uint8_t bits)
{
    file_image image = image_of(path);

    assert_true(offset < image.size);
    image.bytes[offset] ^= bits;
    image_save(&image, path);
    image_free(&image);
}
