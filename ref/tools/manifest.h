/*
 * The manifest of a backup: what it consisted of when it was finished, kept somewhere else.
 *
 *     hotref-manifest 1
 *     log 1/128 4/9344 517                 oldest record, end, number of the last commit
 *     file 81920 1a2b3c4d a.db             size, CRC32C, name: what is not printable, a backslash and
 *     file 9344 0badcafe log.0000000004    a space at either end stand as \xx
 *     end 2 5e6f7a8b                       files; CRC32C of every byte before this line
 *
 * Every regular file below the backup's directory is in it, except lock file and control file, which
 * every opening of the copy writes. Names are relative, '/' between directories.
 *
 * Results: 0 or an error with words.
 */
#ifndef TOOL_MANIFEST_H
#define TOOL_MANIFEST_H

#include "engine/vfs.h"
#include "io.h"

typedef struct tool_manifest_file {
    char *name;
    uint64_t size;
    uint32_t crc;
    bool seen; /* by whoever compares */
} tool_manifest_file;

/* Start from {0}; tool_manifest_free() when done, also after a failure. */
typedef struct tool_manifest {
    uint64_t from, end;
    uint64_t commit;
    tool_manifest_file *files;
    size_t count;
    size_t capacity;
} tool_manifest;

void tool_manifest_free(tool_manifest *manifest);

/* Fills in the files that lie below the directory. */
int tool_manifest_collect(ref_vfs *vfs, const char *directory, tool_manifest *out);

/* A file's size and CRC32C. */
int tool_manifest_measure(ref_vfs *vfs, const char *path, uint64_t *size, uint32_t *crc);

/* EINVAL when the path lies in the directory (which need not be there yet); ENOENT and others when
 * no file can be made there. */
int tool_manifest_check_path(ref_vfs *vfs, const char *path, const char *directory);

/* Writes it, beside its place first, and makes it durable. */
int tool_manifest_write(ref_vfs *vfs, const char *path, const tool_manifest *manifest);

/* REF_CORRUPT with file and line when it is not one, or not whole. */
int tool_manifest_read(const char *path, tool_manifest *out);

/* Whether the name (relative) is left out of manifests. */
bool tool_manifest_leaves_out(const char *name);

/* The entry of this name; NULL when there is none. */
tool_manifest_file *tool_manifest_find(tool_manifest *manifest, const char *name);

#endif
