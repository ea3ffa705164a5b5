/*
 * The label of a copy: from where to where its log goes.
 *
 * A copy is only whole with all of its log. Its segments say how they hang together, but not
 * which was the first, nor where the last one ended; without that, a copy that has lost either
 * would come back as an older state, and nobody would notice. So a backup with logs into a
 * directory leaves a label beside them, and an update a new one. Recovery refuses a copy whose log
 * is not what its label says, and removes the label when the control file has taken its place.
 */
#ifndef REF_LABEL_H
#define REF_LABEL_H

#include "internal.h"

#define REF_LABEL_NAME "__backup.label"
#define REF_LABEL_SIZE 64u

typedef struct ref_label {
    ref_id environment;
    uint64_t redo; /* the log that the copy needs begins here */
    uint64_t end;  /* and ends here, or later */
} ref_label;

/* `at` has room for REF_LABEL_SIZE bytes. */
void ref_label_write(uint8_t *at, const ref_label *label);
/* 0; ENOENT (no words) when the home has none; REF_CORRUPT or REF_VERSION with words. */
int ref_label_read(ref_vfs *vfs, const char *home, ref_label *out);
/* Removes the home's label, if it has one, and syncs. */
int ref_label_remove(ref_vfs *vfs, const char *home);

#endif
