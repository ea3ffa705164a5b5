/* A backup in a test: started, read, applied, and compared with the file as it was at the start. */
#ifndef DOMINO_BACKUP_H
#define DOMINO_BACKUP_H

#include "domino_support.h"

typedef struct test_backup {
    DBHANDLE db;
    DHANDLE context;
    const char *path; /* of the database's file */
    file_image start; /* as it was when the backup started */
} test_backup;

/* Starts, which must succeed, with the announced size that of the file. */
test_backup start_backup(DBHANDLE db, const char *path);
/* Frees the image; the context is the test's. */
void end_backup(test_backup *backup);

/* The whole change information, fetched in pieces of `piece` bytes; its size is as announced. */
file_image read_stream(const test_backup *backup, unsigned piece);
/* Applies it in pieces. The first result that is not NOERROR; the context is gone. */
STATUS apply_stream(const char *copy, const file_image *stream, unsigned piece);
/* The copy is the file at the start. */
void expect_start(const test_backup *backup, const char *copy);

/* Copies the file in pieces of chance, one after the other, with marks, while notes of the
 * `count` from `first` on change and are brought to the file. */
void copy_in_pieces(
    const test_backup *backup, const char *copy, NOTEID first, unsigned count, uint64_t *seed);

/* The text of a note of 1,500 such letters. */
const char *expect_letters(char letter);

#endif
