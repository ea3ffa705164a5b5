/*
 * Recovery: brings database files and catalog to the log's end.
 *
 *   1. look through the log: find its end, tell a torn tail from damage (logread.c)
 *   2. cut the tail off and make what was accepted durable, before anything is built on it
 *   3. read which files there are and what becomes of them (recover_files.c), and find each by
 *      its identity: a fuzzy copy may have it under an older or a newer name
 *   4. redo page changes (recover_pages.c)
 *   5. write and sync the files, give them their final names, then say so in the control file
 *
 * Every step can be repeated after a crash in the middle. Where an environment was closed or
 * crashed, redo begins at the redo point of its control file; a copy, which has none, begins at its
 * oldest segment.
 */
#ifndef REF_RECOVER_H
#define REF_RECOVER_H

#include "internal.h"
#include "log.h"

typedef struct rec_file {
    ref_id id;
    uint32_t page_size;
    uint32_t mode;
    char *dir;    /* as the log says */
    char **names; /* every name that the log says, oldest first; the last one holds */
    size_t name_count;
    bool created;          /* the log has its creation: a missing file can be made */
    uint64_t removed;      /* LSN of its removal; 0: it is there */
    char *path;            /* where it lies; NULL: nowhere */
    const char *found_dir; /* the configured directory in which it lies */
    bool by_base_name;     /* found without the directories of its name: a flattened copy */
    ref_file *handle;
    uint8_t
        slot[REF_META_SLOT_SIZE]; /* the capture slot in the file when it was opened; it stays */
    struct rec_file *next;
} rec_file;

typedef struct rec_page rec_page;
typedef struct rec_double rec_double;

typedef struct recovery {
    ref_env *env;
    bool copy;     /* no control file, or one that says so */
    bool fatal;    /* from the oldest segment */
    uint64_t redo; /* page records before it are known to be in the files */
    uint32_t from; /* first segment */
    ref_log_scan scan;
    rec_file *files;
    rec_file *last_used;
    rec_page **buckets;
    size_t bucket_count;
    size_t page_count;
    uint64_t page_bytes;
    rec_double *twice; /* pages that were, or are, written twice */
    bool writes_twice;
} recovery;

/* recover_files.c */
int rec_files_note(
    void *context, const ref_record *record); /* for ref_log_replay(); context: the recovery */
rec_file *rec_files_find(recovery *rec, const ref_id *id);
int rec_files_locate(recovery *rec);
/* Opens (or, when the log has its creation, makes) the file. */
int rec_file_open(recovery *rec, rec_file *file);
/* Removes and renames on the disk, syncs directories, fills env->files. */
int rec_files_finish(recovery *rec);
void rec_files_free(recovery *rec);

/* recover_pages.c */
int rec_pages_redo(void *context, const ref_record *record); /* for ref_log_replay() */
/* Refuses pages that no image has made whole; writes the rest and syncs the files. */
int rec_pages_finish(recovery *rec);
void rec_pages_free(recovery *rec);

/* recover_double.c: pages are written twice where no image in the log could mend a torn one */

/* `needed`: they are in this recovery; what an interrupted one has left is read. Otherwise it is
 * removed. rec_double_free() also after a failure. */
int rec_double_open(recovery *rec, bool needed);
void rec_double_free(recovery *rec);
/* The newest sound state of the page that the file has. */
int rec_double_read(
    const recovery *rec, const rec_file *file, uint32_t pgno, uint8_t *data, bool *found);
/* Adds a sealed page; nothing may be written into its place before the sync. */
int rec_double_add(recovery *rec, const rec_file *file, uint32_t pgno, const uint8_t *page);
int rec_double_sync(recovery *rec);
/* Every page is in its place, durable, and the control file says so. */
int rec_double_remove(recovery *rec);

#endif
