/*
 * A full backup and the updates that bring it on: the words of the cases about DB_BACKUP_UPDATE.
 * The target is BDB_CHAIN throughout. Main thread only; setup and failures as in bdb_support.h.
 */
#ifndef BDB_CHAIN_H
#define BDB_CHAIN_H

#include <stdint.h>
#include "bdb_support.h"

/* A name that no other path of a case contains. */
#define BDB_CHAIN "hourly"

/*
 * bdb_plain with all its logs. An implementation that cannot update from an environment whose first
 * log is gone fails the chains; with this one it comes to what a case is about.
 */
extern const bdb_layout bdb_whole_log;

/* A sample and a full backup of it, made with `flags` beside DB_CREATE. */
bdb_sample *bdb_chain_new(const bdb_layout *layout, uint32_t flags);

/* Commits rows to every database, over more than one log. No checkpoint. */
void bdb_chain_grow(bdb_sample *s);

/* An update of the target, with `flags` beside DB_BACKUP_UPDATE. */
int bdb_chain_update(bdb_sample *s, uint32_t flags);

/* The target as bdb_recover() and bdb_assert_copy_holds() want it, with the rows as of now. */
bdb_layout bdb_chain_copy(const bdb_sample *s);

/* Recovers the target and closes it, nothing written. */
void bdb_chain_recover(const bdb_sample *s);

/* Recovers the target and commits rows to it that the source does not have. */
void bdb_chain_write_to_copy(const bdb_sample *s);

#endif
