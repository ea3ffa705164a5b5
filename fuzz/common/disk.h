/*
 * The disk on which one input is tried: in memory, empty at the beginning, the same in every run.
 *
 * Clock and random numbers are fixed. Files are small (FUZZ_FILE_MAX): what an input asks beyond
 * that is refused with EFBIG, so that no input takes much memory. Syncs do nothing. "/home" and
 * "/outside" are there from the beginning.
 *
 * Threads: one.
 */
#ifndef FUZZ_DISK_H
#define FUZZ_DISK_H

#include "engine/vfs.h"

#define FUZZ_FILE_MAX (1u << 20) /* bytes */

/* Identities that a target makes must not be those in its seeds. */
#define FUZZ_SEED 1u
#define FUZZ_SEED_OF_SEEDS 2u

typedef struct fuzz_disk fuzz_disk;

/* `seed`: of the random numbers. Never NULL: a fuzzer without memory ends. */
fuzz_disk *fuzz_disk_new(uint64_t seed);
/* The same names and contents; without open files and locks. */
fuzz_disk *fuzz_disk_clone(const fuzz_disk *disk);
/* Ends the program when a file is still open: the engine has lost it. */
void fuzz_disk_free(fuzz_disk *disk);
ref_vfs *fuzz_disk_vfs(fuzz_disk *disk);

/* Makes the file or replaces its content. */
void fuzz_disk_put(fuzz_disk *disk, const char *path, const void *bytes, size_t size);
/* A number that depends on every name and byte below the directory. */
uint64_t fuzz_disk_hash(fuzz_disk *disk, const char *path);

#endif
