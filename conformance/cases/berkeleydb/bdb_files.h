/*
 * Files as the cases see them: small tools, and the snapshot of a directory tree by which a case
 * proves that nothing was changed that should not have been.
 */
#ifndef BDB_FILES_H
#define BDB_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes a directory, mode 0700. */
void bdb_make_dir(const char *path);

/* Makes a file that holds `text`. */
void bdb_write_file(const char *path, const char *text);

/* Makes a file of `size` bytes that are no text. */
void bdb_write_noise(const char *path, size_t size);

/* Makes `path` a symbolic link to `to`. */
void bdb_make_link(const char *to, const char *path);

/* Copies the files directly in `from` whose names match the shell pattern into `to`. */
void bdb_copy_files(const char *from, const char *pattern, const char *to);

/* Removes the files directly in `dir` whose names match the shell pattern. */
void bdb_remove_files(const char *dir, const char *pattern);

void bdb_change_mode(const char *path, unsigned mode);

/* True if there is anything of that name, a dangling link included. */
bool bdb_exists(const char *path);

/* Permission bits of `path`. */
unsigned bdb_mode(const char *path);

/* Size in bytes; 0 if there is no such file. */
uint64_t bdb_file_size(const char *path);

/* Content of a file, with a zero byte added; to be freed. Fails the case if it cannot be read. */
char *bdb_read_file(const char *path, size_t *size);

void bdb_assert_file_holds(const char *path, const char *text);
void bdb_assert_same_bytes(const char *path, const char *expected);

/* Number of files, links and directories below `dir` whose names match the shell pattern; 0 if
 * there is no dir. */
unsigned bdb_count(const char *dir, const char *pattern);

/*
 * The name of a file directly in `dir` that matches the shell pattern, with `prefix` before it, in
 * `buf` of `size` bytes: the last in the order of names, or with `back` the one so many before it.
 * Returns buf.
 */
char *bdb_last_match(const char *dir, const char *pattern, unsigned back, const char *prefix,
    char *buf, size_t size);

/* Number of descriptors that this process has open. */
unsigned bdb_open_descriptors(void);

/* Makes `path` absolute below the case's directory; `buf` of `size` bytes. Returns buf. */
char *bdb_absolute(const char *path, char *buf, size_t size);

/*
 * What stands below the case's directory: a line per entry with its name, kind, mode, and for a
 * file its size and a digest of its content. `home` is an environment: names in it that begin with
 * "__" (regions, locks, control files) belong to the engine and are left out. To be freed.
 */
char *bdb_snapshot(const char *home);

/* Fails the case if the snapshots differ anywhere but at, above or below `but` (NULL: anywhere at
 * all). */
void bdb_assert_same_snapshot(const char *before, const char *after, const char *but);

#endif
