/*
 * The disk on which one input is tried: a disk in memory (faults/disk), empty at the beginning, the
 * same in every run, with a limit for files and a count of those that are open.
 *
 * What an input asks beyond FUZZ_FILE_MAX is refused with EFBIG: a file of holes costs no memory,
 * and yet hours to read. "/home" and "/outside" are there from the beginning.
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
/* What a process would find that starts now: the same names and contents, no open files and locks.
 */
fuzz_disk *fuzz_disk_clone(fuzz_disk *disk);
/* What a power cut now leaves when everything is lost that may be. */
fuzz_disk *fuzz_disk_crash(fuzz_disk *disk);
/* The same at the `sync`th sync from now, from 1, when chance decides by `seed` what is lost. *out
 * becomes that disk, if there are so many syncs; until then it is NULL. */
void fuzz_disk_crash_at(fuzz_disk *disk, unsigned sync, uint64_t seed, fuzz_disk **out);
/* Ends the program when a file is still open: the engine has lost it. */
void fuzz_disk_free(fuzz_disk *disk);
ref_vfs *fuzz_disk_vfs(fuzz_disk *disk);

/* Makes the file or replaces its content; it is durable. */
void fuzz_disk_put(fuzz_disk *disk, const char *path, const void *bytes, size_t size);
/* A number that depends on every name and byte below the directory. */
uint64_t fuzz_disk_hash(fuzz_disk *disk, const char *path);

#endif
