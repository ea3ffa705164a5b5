/*
 * What a backup copies, and under which names.
 *
 * The plan is made, and checked against the target, before anything is written. Names are relative
 * to the target; with SINGLE_DIR they have no directories.
 *
 * What belongs to it: every database of the catalog; every other file below the home and the data
 * directories that begins like one of ours (a database that was brought in and not opened yet: it
 * is copied as found); with FILES every other regular file there, and every link to one, as a plain
 * file. What does not: names that begin with "__db" or "__backup.", temporaries of a backup, log
 * segments (which are copied last, by number), the target where it lies inside the home, and with
 * SINGLE_DIR any DB_CONFIG, since its directories no longer hold.
 *
 * The environment goes on meanwhile: what is planned may have gone, or have another name, when its
 * turn comes. Databases are therefore known by their identity.
 *
 * Results: 0 or an error with words. Threads: one plan is used by one thread.
 */
#ifndef REF_BACKUP_PLAN_H
#define REF_BACKUP_PLAN_H

#include "backup_target.h"
#include "internal.h"
#include "tree.h"

typedef enum ref_plan_kind {
    REF_PLAN_DATABASE, /* of the catalog */
    REF_PLAN_FOUND,    /* a database file that the catalog does not know */
    REF_PLAN_FILE
} ref_plan_kind;

typedef struct ref_plan_item {
    ref_plan_kind kind;
    ref_id id;          /* of a database */
    uint32_t page_size; /* of a database */
    char *source;
    char *name;
} ref_plan_item;

/* Start from {0}; ref_plan_free() when done, also after a failure. */
typedef struct ref_plan {
    ref_plan_item *items; /* by kind, then by name */
    size_t count;
    size_t capacity;
    ref_names dirs; /* directories that the copy has even when nothing goes there */
    char *log_dir;  /* where the log goes; "" is the target */
} ref_plan;

void ref_plan_free(ref_plan *plan);

/* Fills in dirs and log_dir. EINVAL without SINGLE_DIR for a data or log directory that is absolute
 * or leaves the home by "..". */
int ref_plan_directories(const ref_env *env, unsigned flags, ref_plan *plan);

/*
 * Fills in the items. `target` is NULL when a caller's sink takes the files. The log must be pinned
 * (or the state of one commit kept) before: what is created after this is copied by the log alone.
 *
 * EINVAL: a database whose name is absolute or climbs, without SINGLE_DIR. EEXIST: two files of one
 * name. EACCES: with FILES, a file or directory that may not be read; without, such a file is
 * passed over. REF_VERSION, REF_CORRUPT: a database file that the catalog does not know and this
 * program cannot read.
 */
int ref_plan_items(ref_env *env, unsigned flags, const ref_target *target, ref_plan *plan);

/* Replaces the databases of the plan by those of another environment: a copy of the one that it
 * was made for. */
int ref_plan_renew_databases(ref_env *copy, unsigned flags, ref_plan *plan);

/* The one item of a backup of a single database. ENOENT, EINVAL. */
int ref_plan_database(ref_env *env, const char *name, ref_plan *plan);

/* Checks every planned file, and log segments from `first` to `last` (0: none), against the target.
 * Errors of backup_target.h. */
int ref_plan_check(const ref_plan *plan, const ref_target *target, uint32_t first, uint32_t last);

/* The name of a segment in the copy, malloc'd. NULL without memory. */
char *ref_plan_segment_name(const ref_plan *plan, uint32_t segment);

/* Whether the catalog knows, at this moment, the file `path` as the database `id`. `path` is as
 * ref_plan_canonical() gives it. */
bool ref_plan_is_catalogued(ref_env *env, const ref_id *id, const char *path);

/* The path with its directory resolved and its last component as it is, malloc'd: two spellings of
 * one directory entry become equal. Where that cannot be resolved, the path as it is. NULL without
 * memory. */
char *ref_plan_canonical(ref_vfs *vfs, const char *path);

#endif
