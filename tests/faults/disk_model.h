/*
 * The crash model once more, in the plainest way: a list of changes, all subsets of it that a
 * profile allows, and what each leaves. It knows nothing of the disk; tests hold the two against
 * each other.
 *
 * Two directories, "/" and "/d", with three names each. Files are numbers.
 */
#ifndef TESTS_FAULTS_DISK_MODEL_H
#define TESTS_FAULTS_DISK_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faults/disk/disk.h"

enum {
    MODEL_DIRS = 2,
    MODEL_NAMES = 3,
    MODEL_FILES = 6,
    MODEL_BYTES = 5700,
    MODEL_CHANGES = 64,
    MODEL_FREE = 12 /* changes that are kept or lost one by one: more is too much to try */
};

typedef enum step_kind {
    STEP_WRITE, /* makes the file when it is missing */
    STEP_TRUNCATE,
    STEP_RENAME,
    STEP_UNLINK,
    STEP_SYNC,
    STEP_SYNC_DIR,
    STEP_KINDS
} step_kind;

/* One operation of a program. What it needs and does not find makes it do nothing. */
typedef struct step {
    step_kind kind;
    int dir, name, to_dir, to_name;
    size_t offset, size;
    uint8_t byte;
} step;

typedef struct model_file {
    size_t size;
    uint8_t bytes[MODEL_BYTES];
} model_file;

typedef enum change_kind { CHANGE_WRITE, CHANGE_SIZE, CHANGE_NAME } change_kind;

typedef struct model_change {
    change_kind kind;
    unsigned order;
    int file;
    size_t offset, size; /* CHANGE_SIZE: size is the new one, offset is unused */
    uint8_t byte;
    bool cut;
    int dir, from, to; /* names, or -1 */
} model_change;

typedef struct model_content {
    model_file files[MODEL_FILES];
    int names[MODEL_DIRS][MODEL_NAMES]; /* files, or -1 */
} model_content;

typedef struct model {
    fault_profile profile;
    size_t unit;
    unsigned order;
    int files;
    model_content base, now;
    model_change changes[MODEL_CHANGES];
    size_t count;
} model;

void model_init(model *m, fault_profile profile);
void model_step(model *m, const step *s);
/* Calls for each state that a power cut may leave (some more than once); false: too many. */
bool model_crash(const model *m, void (*each)(void *context, const model *after), void *context);
uint64_t model_image(const model *m);
/* A number for one file at its place in an image; the image is the sum of them. */
uint64_t image_of_file(int dir, int name, const uint8_t *bytes, size_t size);

#endif
