/*
 * What every target has: promises that are looked at, the outcome of an input, and the container of
 * files that an input is.
 *
 * An input is a byte of switches and then files: u8 name, u16 size, bytes. Names are permanent
 * (fuzz_file_path()); an unknown name is passed over, a file that is cut short is as long as it is.
 * So every string of bytes is an input, and an input means the same in later versions.
 *
 * Nothing of a target outlives the input.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk.h"
#include "engine/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_INPUT_MAX 65536u /* longer ones are passed over */

/* Switches, common to all targets: the input is made to pass checksums (fuzz_repair.h). */
#define FUZZ_REPAIR 0x01u /* checksums and lengths */
#define FUZZ_CHAIN 0x02u  /* with REPAIR: also what ties records, segments and files together */

/* A promise of the engine is broken: says so and aborts, which the fuzzer counts as a crash. */
#define FUZZ_FAIL(...) fuzz_fail(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void fuzz_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a failing call has said must have words, and name a file: one of ours. Notes the result. */
void fuzz_check_words(int error, const char *call);

/* FNV-1a, going on from `hash`; 0 starts. */
uint64_t fuzz_hash(uint64_t hash, const void *bytes, size_t size);

/* Everything that the engine answers to an input goes into its outcome, so that two runs can be
 * compared. */
void fuzz_note(const void *bytes, size_t size);
void fuzz_note_number(uint64_t number);
void fuzz_outcome_reset(void);
uint64_t fuzz_outcome(void);
/* Inputs that the engine took without an error since the program began. */
void fuzz_note_accepted(void);
uint64_t fuzz_accepted(void);

/* Where a file of this name lies; NULL for an unknown name. */
const char *fuzz_file_path(uint8_t name);

typedef struct fuzz_file {
    uint8_t name;
    const uint8_t *bytes;
    size_t size;
} fuzz_file;

/* The file at *at, which moves on. False at the end. */
bool fuzz_next_file(const uint8_t *data, size_t size, size_t *at, fuzz_file *out);

/* Of the control file (FORMAT.md). An input has its two slots without the gap between them. */
#define FUZZ_CONTROL_SLOT 512u
#define FUZZ_CONTROL_DISTANCE 4096u

/* Puts all of an input's files on the disk, repaired when its switches say so. */
void fuzz_put_files(fuzz_disk *disk, const uint8_t *data, size_t size);

/* Verifies, reads it forwards, backwards and by key, and holds the answers against each other; the
 * outcome gets them. Returns verify's result. */
int fuzz_read_database(ref_db *db);

#endif
