/*
 * A Notes program with its data directory, databases whose notes are known, a backup of one with
 * the image of its file at the start, and the proof that a copy became that image. Every case of
 * the Domino profile is written in these words.
 *
 * Handles and results appear as plain numbers, so that the headers under test can be included last
 * and by the sources alone. Until a backup has been started a step that fails ends the case as
 * UNRESOLVED; afterwards it is a failed assertion. Main thread only, except where it says so.
 */
#ifndef DOMINO_SUPPORT_H
#define DOMINO_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "domino_files.h"

enum { DOM_NOTES_MAX = 200, DOM_BUFFER = 32768, DOM_PATH = 4096 };

/* ---- the program ---- */

/*
 * Begins a Notes program with "data" as its data directory, made when missing. `ini` are further
 * lines of notes.ini, or NULL. A second program, after dom_end_program(), may have another
 * directory.
 */
void dom_begin_program(const char *ini);
void dom_begin_program_in(const char *directory, const char *ini);
void dom_end_program(void);

/* Fails the case, or ends it as unresolved, with the text of a result that is not NOERROR. */
void dom_expect(uint16_t status, const char *step);
void dom_need(uint16_t status, const char *step);

/* The text of a result; `buf` of `size` bytes. Returns buf. */
const char *dom_status_text(uint16_t status, char *buf, size_t size);

/* ---- databases ---- */

typedef struct dom_note {
    uint32_t id; /* 0: deleted */
    unsigned version, size;
} dom_note;

/* A database and what it must hold. */
typedef struct dom_db {
    uint32_t handle;     /* 0: closed */
    char name[DOM_PATH]; /* as NSFDbOpen is told */
    char path[DOM_PATH]; /* of its file, as NSFDbPathGet says */
    dom_note notes[DOM_NOTES_MAX];
    unsigned count;        /* of entries in use, deleted ones included */
    uint16_t update_flags; /* for NSFNoteUpdate */
} dom_db;

/* Makes a database of `notes` notes, all of them in its file. Ends with dom_db_end(). */
dom_db *dom_db_new(const char *name, unsigned notes);
void dom_db_end(dom_db *db);

void dom_db_open(dom_db *db);
void dom_db_close(dom_db *db);

/*
 * Change notes and keep account of it. They return the result of the first call that failed, and
 * then the account is as before. Any thread, as long as each note is one thread's. A size is that
 * of the note's text.
 */
uint16_t dom_add_note(dom_db *db, unsigned size);
uint16_t dom_update_note(dom_db *db, unsigned i, unsigned size);
uint16_t dom_delete_note(dom_db *db, unsigned i);

/* The same for all notes of the database. */
void dom_update_all(dom_db *db, unsigned size);

/* Brings every update to the database's file, if the implementation has a way; else updates get
 * there when it pleases them. Any thread. */
uint16_t dom_flush(const dom_db *db);

/* The database holds the notes of the account and no other. */
void dom_assert_notes(uint32_t handle, const dom_db *account);

/* Version and size of note `i` of the account in this database. True if its text is that version's,
 * and whole. */
bool dom_read_version(
    uint32_t handle, const dom_db *account, unsigned i, unsigned *version, unsigned *size);

/* Updates, reads, and takes a backup of the database: it is not the worse for what was done to it.
 */
void dom_assert_usable(dom_db *db);

/* ---- backup ---- */

/* A backup, and the database as it was at its start. */
typedef struct dom_backup {
    dom_db *db;
    uint32_t context;
    uint64_t size;   /* as handed out by the start */
    dom_bytes image; /* of the file, read before any later update */
    dom_db account;  /* its notes at that instant */
} dom_backup;

/* Starts a backup, which must succeed. Ends with dom_backup_end() or dom_backup_abort(). */
dom_backup dom_backup_start(dom_db *db);
void dom_mark(const dom_backup *b, uint64_t mark);
void dom_backup_stop(const dom_backup *b);
void dom_backup_end(dom_backup *b);
void dom_backup_abort(dom_backup *b);

/* Copies the file as it is now, as far as it reached at the start. */
void dom_copy(const dom_backup *b, const char *path);

uint64_t dom_stream_size(const dom_backup *b);

/* Reads the whole change information; its size must be as announced. */
dom_bytes dom_read_stream(const dom_backup *b);

/* Stops, reads the change information and ends the backup but for the image: dom_backup_free(). */
dom_bytes dom_finish(dom_backup *b);
void dom_backup_free(dom_backup *b);

/* ---- application ---- */

/* Starts to apply change information of `size` bytes to the copy; must succeed. */
uint32_t dom_apply_start(const char *copy, uint64_t size);
uint16_t dom_apply_next(uint32_t context, const void *data, size_t size);
uint16_t dom_apply_end(uint32_t context);
void dom_apply_abort(uint32_t context);

/* Applies the whole, in pieces of DOM_BUFFER bytes. Returns the first result that is not NOERROR;
 * then the application was aborted. */
uint16_t dom_apply(const char *copy, dom_bytes stream);

/* The copy is the database at the start, byte for byte but for the recovery marks. */
void dom_assert_is_image(const char *copy, const dom_backup *b);
bool dom_is_image(const char *copy, const dom_backup *b, uint64_t *first_difference);

/* What failed is not taken for a backup: the copy does not open, unless it has already become the
 * database at the start. */
void dom_assert_not_mistaken(const char *copy, const dom_backup *b);

/* The copy opens as a database and holds the notes as they were at the start. */
void dom_assert_holds(const char *copy, const dom_backup *b);

/* What opening the copy as a database returns; it is closed again. */
uint16_t dom_try_open(const char *copy);

/* ---- random choices ---- */

typedef struct dom_random {
    uint64_t state;
} dom_random;

dom_random dom_random_new(uint64_t stream); /* of this run's seed */
uint64_t dom_pick(dom_random *random, uint64_t below);

/* Seconds since some moment, and a pause. Any thread. */
double dom_seconds(void);
void dom_pause_ms(long ms);

#endif
