/*
 * What the tests of the Domino face have in common: a directory of their own with a data
 * directory and a notes.ini in it, a runtime that has begun, notes written and read in a line,
 * and files copied. They use nothing but the face's headers and its provoke.h.
 */
#ifndef DOMINO_SUPPORT_H
#define DOMINO_SUPPORT_H

#include "testmain.h"
#include "fault_vfs.h"

#include <stdbool.h>
#include <global.h>
#include <clerr.h>
#include <idtable.h>
#include <misc.h>
#include <nsfdb.h>
#include <nsferr.h>
#include <nsfnote.h>
#include <oserr.h>
#include <osfile.h>
#include <osmem.h>
#include <osmisc.h>
#include <ostime.h>

#include "domino/provoke.h"

/*
 * A test in a new current directory, removed afterwards, with an empty directory "data". The
 * runtime has begun with "notes.ini", which names it, and ends by itself. Files are those of the
 * operating system, but nothing waits for the disk.
 */
#define TEST(function) cmocka_unit_test_setup_teardown(function, notes_setup, notes_teardown)
int notes_setup(void **state);
int notes_teardown(void **state);

/* The vfs under the runtime. */
fault_vfs *test_vfs(void);

/* Ends the runtime if it lives, and begins it with "Directory=data" and these lines in notes.ini. */
void restart(const char *lines);
void end_runtime(void);

/* The call gives this code, flags and all. */
#define assert_status(call, status) check_status((call), (status), #call, __FILE__, __LINE__)
#define assert_ok(call) assert_status(call, NOERROR)
void check_status(STATUS got, STATUS wanted, const char *call, const char *file, int line);

/* ---- databases and notes ---- */

/* Makes the database when it is missing, and opens it. */
DBHANDLE open_db(const char *path);
void close_db(DBHANDLE db);

/* A new note with this text in the item "Text". */
NOTEID add_note(DBHANDLE db, const char *text);
/* The results of the calls in between are asserted, that of the update is returned. */
STATUS set_note(DBHANDLE db, NOTEID id, const char *text);
/* The note has this text; NULL: it has been deleted or never was. */
void expect_note(DBHANDLE db, NOTEID id, const char *text);
/* How many notes there are. */
unsigned count_notes(DBHANDLE db);

/* `count` notes of `size` bytes, made of `letter`, from one identifier on; the first one is
 * returned. */
NOTEID add_notes(DBHANDLE db, unsigned count, unsigned size, char letter);
/* Gives note number `i` of those another text. */
void change_note(DBHANDLE db, NOTEID first, unsigned i, unsigned size, char letter);

/* Brings every update to the file. */
void flush_db(const char *path);

/* ---- files ---- */

typedef struct file_image {
    uint8_t *bytes;
    size_t size;
} file_image;

/* The whole file; image_free() when done. */
file_image image_of(const char *path);
void image_free(file_image *image);
/* Writes the image as a new file. */
void image_save(const file_image *image, const char *path);
/* Equal but for the slot that says what the copy is of. */
void assert_same_image(const file_image *a, const file_image *b);
void copy_file(const char *from, const char *to);
bool file_exists(const char *path);
/* Turns over the bits of one byte. */
void flip(const char *path, uint64_t offset, uint8_t bits);

#endif
