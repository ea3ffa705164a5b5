/*
 * Files as the cases of the Domino profile see them. A step that fails here ends the case as
 * UNRESOLVED: it says nothing about a promise. Any thread may read; the rest is for the main
 * thread.
 */
#ifndef DOMINO_FILES_H
#define DOMINO_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The content of a file, or a stream. To be freed with dom_free(). */
typedef struct dom_bytes {
    unsigned char *data;
    size_t size;
} dom_bytes;

/* Room for `size` bytes, all zero; of no bytes, too, it has an address. */
dom_bytes dom_bytes_new(size_t size);
dom_bytes dom_bytes_copy(dom_bytes bytes);
void dom_free(dom_bytes *bytes);
bool dom_equal(dom_bytes a, dom_bytes b);

void dom_make_dir(const char *path);

/* Makes or replaces a file. */
void dom_write_file(const char *path, dom_bytes content);
void dom_write_text(const char *path, const char *text);

/* The first `size` bytes of a file; what it lacks reads as zero. */
dom_bytes dom_read_head(const char *path, uint64_t size);
dom_bytes dom_read_file(const char *path);

/* Size in bytes; 0 if there is no such file. */
uint64_t dom_file_size(const char *path);

/* Cuts or extends a file, with a hole. */
void dom_set_size(const char *path, uint64_t size);

/* Copies the first `size` bytes of a file; holes stay holes. */
void dom_copy_head(const char *from, const char *to, uint64_t size);

/* Number of entries of a directory; 0 if there is none. */
unsigned dom_count_entries(const char *dir);

/* Number of descriptors that this process has open. */
unsigned dom_open_descriptors(void);

/* `path` below the case's directory, absolute. To be freed. */
char *dom_absolute(const char *path);

#endif
