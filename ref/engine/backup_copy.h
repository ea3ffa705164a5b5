/*
 * Copying one file of the environment into a sink while the environment goes on.
 *
 * Database files are read as the checkpoint leaves them, past the cache and without any lock: every
 * page below the page count that the file itself states is checked before it leaves. A page that
 * fails may be in the middle of being written, so it is read again a few times, then once more
 * while no checkpoint can run: one that fails then is damaged. (A guest cannot keep the owner from
 * writing. It copies such a page as it is if the log has a whole image of it since the redo point.)
 * Pages from the stated count on are not judged: they were added after the log was pinned, and the
 * log has them.
 *
 * Threads: a copier is used by one thread. No lock of the engine is held while the sink runs.
 */
#ifndef REF_BACKUP_COPY_H
#define REF_BACKUP_COPY_H

#include "backup_plan.h"

typedef struct ref_copier {
    ref_env *env;
    const ref_backup_options *options; /* borrowed */
    const ref_sink *sink;              /* borrowed */
    bool callers_sink;                 /* it adds no words of its own */
    const ref_snapshot
        *still;      /* borrowed: databases as they were then; NULL: the log will follow */
    uint64_t redo;   /* the log that follows begins here; 0: none does */
    uint8_t *buffer; /* aligned for direct writes */
    size_t buffer_size;
    uint64_t since_pause; /* pages */
} ref_copier;

/* 0 or ENOMEM. `directory` is the directory sink's interface, or NULL for the caller's sink. */
int ref_copier_init(ref_copier *copier, ref_env *env, const ref_backup_options *options,
    const ref_sink *directory, const ref_snapshot *still, uint64_t redo);
void ref_copier_clear(ref_copier *copier);

/*
 * Copies what the item means now: the database of its identity wherever it lies by now, or the file
 * at its path. *gone is set, without an error and without a call to the sink, when there is nothing
 * to copy any more: the database was removed, the file is gone, or it has become a database that
 * the log makes.
 *
 * REF_CORRUPT names file, page and offset; EACCES and other errors of the source name the file; the
 * sink's errors come back as they are, the first one wins. A sink's close follows each open that
 * succeeded, whatever happened between.
 */
int ref_copy_item(ref_copier *copier, const ref_plan_item *item, bool *gone);

/* Copies a log segment under the name `name`. `limit` is the number of bytes of it, UINT64_MAX for
 * all. REF_CORRUPT when it is shorter. */
int ref_copy_segment(ref_copier *copier, uint32_t segment, uint64_t limit, const char *name);

#endif
