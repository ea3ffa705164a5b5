/*
 * Seeds: inputs made from what the real engine writes, so that a fuzzer starts behind the first
 * checks. Names begin with good- when the engine must take the input, with bad- when it must not.
 */
#ifndef FUZZ_SEED_INPUT_H
#define FUZZ_SEED_INPUT_H

#include "common/fuzz.h"

/* An input that is being put together. Start from input_begin(). */
typedef struct input {
    uint8_t *bytes;
    size_t size;
} input;

input input_begin(uint8_t switches);
void input_add(input *in, uint8_t name, const void *bytes, size_t size);
/* The files of these names ("123c") that are on the disk. */
void input_add_disk(input *in, fuzz_disk *disk, const char *names);
/* A file of tests/ref/golden. */
void input_add_golden(input *in, uint8_t name, const char *file);
/* The bytes of the last file of this name. */
uint8_t *input_find(const input *in, uint8_t name, size_t *size);
/* Leaves `size` bytes of the last file of this name. */
void input_cut(input *in, uint8_t name, size_t size);
/* Writes DIR/TARGET/NAME and frees the input. */
void input_write(input *in, const char *dir, const char *target, const char *name);

/* The call must give 0. */
#define MUST(call) must((call), #call, __FILE__, __LINE__)
void must(int error, const char *call, const char *file, int line);

/* A record "kNN" with `size` bytes. */
void seed_put(ref_db *db, unsigned key, size_t size);

void seeds_log(const char *dir);
void seeds_page(const char *dir);
void seeds_stream(const char *dir);

#endif
