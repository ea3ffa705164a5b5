/*
 * An environment whose copy is updated again and again: work of all kinds, backups of it into
 * fix->dir/copy, and the comparison of a copy with the environment as it is.
 */
#ifndef UPDATE_CHAIN_H
#define UPDATE_CHAIN_H

#include "support.h"

/* Opens the fixture's home, and makes its first database if there is none. */
void chain_open(fixture *fix);
void chain_close(fixture *fix);
/* Removes home and copy, and makes an empty home. */
void chain_clear(fixture *fix);

/* So many transactions: records, databases made, renamed and removed, checkpoints. */
void chain_work(fixture *fix, uint64_t seed, unsigned transactions);
/* A transaction that begins a segment of its own. */
void chain_big_commit(fixture *fix);
/* Checkpoint, and removal of the segments that nothing needs. */
void chain_remove_log(fixture *fix);
uint32_t chain_oldest_segment(const fixture *fix);
uint32_t chain_oldest_segment_in(const fixture *fix, const char *name);

/* A backup into fix->dir/name: its result; one into "copy" that must succeed. */
int chain_try(fixture *fix, const char *name, unsigned flags);
void chain_back_up(fixture *fix, unsigned flags);
/* Opens fix->dir/name, which recovers it, and closes it. */
void chain_recover_copy(fixture *fix, const char *name);

/* The copy, once recovered, has the environment's databases with the same records, and all are
 * sound. */
void chain_expect_copy(fixture *fix, const char *name);
/* The same by its path. */
void chain_expect_copy_at(fixture *fix, const char *path);

#endif
