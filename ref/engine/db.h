/* A database handle and what its operations share (db.c, db_open.c, cursor.c). */
#ifndef REF_DB_H
#define REF_DB_H

#include "internal.h"

struct ref_db {
    ref_env *env;
    ref_dbfile *file;
    uint32_t root;
    bool read_only;
    char *name; /* as opened */
};

/* A change in a transaction of the caller's, or in one of its own. Begin; work on the view; end
 * with the work's result. Without words for transaction errors. */
typedef struct ref_change {
    ref_txn *txn;
    bool own;
    ref_view view;
} ref_change;

int ref_change_begin(ref_db *db, ref_txn *txn, ref_change *change);
/* Commits or aborts a transaction of its own; marks the caller's as failed where the work may be
 * half done. */
int ref_change_end(ref_change *change, int error);

/* A look at a transaction's state or, without one, at the last visible commit. End with
 * ref_look_end(). */
typedef struct ref_look {
    ref_env *env;
    bool own;
    ref_snapshot snapshot;
    ref_view view;
} ref_look;

int ref_look_begin(ref_db *db, ref_txn *txn, bool lock, ref_look *look);
void ref_look_end(ref_look *look);

/* EINVAL with words when the database behind the handle is gone or not yet committed for others
 * than `txn`. */
int ref_db_check(const ref_db *db, const ref_txn *txn);

#endif
