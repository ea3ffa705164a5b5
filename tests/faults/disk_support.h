/* What tests of the disk in memory have in common: a disk, files on it, crashes of it. */
#ifndef TESTS_FAULTS_DISK_SUPPORT_H
#define TESTS_FAULTS_DISK_SUPPORT_H

#include "testmain.h"

#include <stdlib.h>
#include <string.h>

#include "faults/disk/disk.h"

/* An empty disk; the caller frees it. Everything here asserts that it succeeds. */
fault_disk *disk_new(fault_profile profile);
fault_disk *disk_with(const fault_disk_options *options);

ref_file *disk_open(fault_disk *disk, const char *path, unsigned flags);
ref_file *disk_create(fault_disk *disk, const char *path);
void disk_close(ref_file *file);
void disk_write(ref_file *file, uint64_t offset, const char *text);
void disk_sync(ref_file *file);

/* A file with this content, whatever was there. */
void disk_file(fault_disk *disk, const char *path, const char *content);
/* The file's content is exactly this. */
void disk_is(fault_disk *disk, const char *path, const char *content);
bool disk_exists(fault_disk *disk, const char *path);
void disk_mkdir(fault_disk *disk, const char *path);
void disk_sync_dir(fault_disk *disk, const char *path);

/* ---- plans ---- */

/* Watches the disk by this plan until disk_unplan(), which asserts that each rule has fired. */
typedef struct planned {
    fault_plan *plan;
    fault_run *run;
    fault_disk *disk;
} planned;

planned disk_plan(fault_disk *disk, const char *text);
void disk_unplan(planned *p);

/* ---- crashes ---- */

/* Tries all sequences of answers, one after the other. */
typedef struct chooser {
    uint32_t answer[256], answers[256];
    size_t count, next;
} chooser;

uint32_t chooser_answer(void *context, const fault_question *question);
/* Sets the next sequence; false when there is none. */
bool chooser_step(chooser *c);

/* The disk after a power cut, every question answered alike: keep all, or lose all. */
fault_disk *disk_crashed(fault_disk *disk, bool keep);
fault_disk *disk_crashed_by(fault_disk *disk, chooser *c);

#endif
