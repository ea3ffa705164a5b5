/*
 * An environment with known rows, a backup of it, and the proof: nothing but the target was
 * changed, and the copy recovers to the same rows. Every case of the Berkeley DB profile is written
 * in these words.
 *
 * The library's types appear by their tags, so that <db.h> can be included last and by the cases
 * alone.
 *
 * Until the backup is called a step that fails ends the case as UNRESOLVED; afterwards it is a
 * failed assertion. Main thread only, except where it says so.
 */
#ifndef BDB_SUPPORT_H
#define BDB_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bdb_files.h"

struct __db;
struct __db_env;
struct __db_txn;

enum { BDB_DIRS_MAX = 4, BDB_DATABASES_MAX = 4, BDB_PAGE_SIZE = 1024 };

/* Shell pattern of the names of log files. */
#define BDB_LOGS "log.[0-9]*"

/* A database file. Its rows say to whom they belong, so that a copy of the wrong file is noticed.
 */
typedef struct bdb_database {
    const char *file; /* as DB->open is told */
    const char
        *dir; /* the data directory that it lies in, as configured; NULL: the first, or the home */
    unsigned rows;
    const char *was; /* the file that its rows were written to, if it was renamed since; or NULL */
} bdb_database;

/* Where an environment's files lie, and what is in it. Directories are as told to the library. */
typedef struct bdb_layout {
    const char *home;
    const char *data_dirs[BDB_DIRS_MAX]; /* up to the first NULL */
    const char *log_dir;                 /* NULL: the home */
    uint32_t log_max;                    /* size of a log file in bytes; 0: 64 KiB */
    bool keep_logs;                      /* no log is removed while the databases are filled */
    bdb_database databases[BDB_DATABASES_MAX];
} bdb_layout;

/* "home", no further directories, "a.db" and "b.db". */
extern const bdb_layout bdb_plain;

/* An environment that is open, its databases too. */
typedef struct bdb_sample {
    struct __db_env *env;
    bdb_layout layout;
    struct __db *db[BDB_DATABASES_MAX]; /* as in the layout */
    char *before;                       /* snapshot taken as the last backup began */
} bdb_sample;

/* A step of the setup: ends the case as UNRESOLVED unless `ret` is 0. */
void bdb_need(int ret, const char *step);

/*
 * Makes the layout's directories and databases and fills them. Unless the layout keeps its logs,
 * the one that created the databases is gone, so that recovery cannot do without their files; half
 * of each database's rows are committed before a checkpoint, half after it, so that it cannot do
 * without the log either. End with bdb_sample_end().
 */
bdb_sample *bdb_sample_new(const bdb_layout *layout);

/* The same in directories that exist already. */
bdb_sample *bdb_sample_in_place(const bdb_layout *layout);

/* Closes everything, which must succeed, and frees the sample. */
void bdb_sample_end(bdb_sample *s);

/* The same for an environment that has ended or is damaged: closing may fail. */
void bdb_sample_abandon(bdb_sample *s);

/* Closes the databases and the environment and opens the environment again, without recovery and
 * its databases. */
void bdb_sample_reopen(bdb_sample *s);

/* The same, but the new handle is left to be opened with bdb_env_open(). */
void bdb_sample_renew(bdb_sample *s);

/* Closes the databases; the environment stays open. */
void bdb_close_databases(bdb_sample *s);

/* Makes the environment's directories without opening it. */
void bdb_make_dirs(const bdb_layout *layout);

/* A handle configured for the layout, messages captured, not yet open. */
struct __db_env *bdb_env_new(const bdb_layout *layout);

/* Has `configure` called with every handle that bdb_env_new() makes from now on; what it returns
 * other than 0 ends the case as UNRESOLVED. */
void bdb_configure_each(int (*configure)(struct __db_env *env));

/* Opens a handle from bdb_env_new(). Returns the library's error. */
int bdb_env_open(struct __db_env *env, const bdb_layout *layout);

/* Opens a database of the layout, creating it if it does not exist. Returns the library's error.
 * Any thread. */
int bdb_db_open(struct __db_env *env, const bdb_database *database, struct __db **db);

/* Makes a database file at `path` without an environment, with the rows of `database`. */
void bdb_make_standalone(const char *path, const bdb_database *database);

/* Puts rows [first, first + count) in `txn`. Returns the library's error. Any thread. */
int bdb_put_rows(struct __db *db, struct __db_txn *txn, const bdb_database *database,
    unsigned first, unsigned count);

/* Puts `count` more rows into database `i` in a transaction of its own and counts them to the
 * layout. */
void bdb_add_rows(bdb_sample *s, size_t i, unsigned count);

/* The same, in a transaction begun with `flags`, without counting them. Returns the library's
 * error. */
int bdb_try_rows(bdb_sample *s, size_t i, unsigned count, uint32_t flags);

/* DB_ENV->set_backup_config, which must succeed; `option` is a DB_BACKUP_CONFIG. */
void bdb_tune(bdb_sample *s, unsigned option, uint32_t value);

/* Takes a checkpoint; bdb_remove_logs() also removes the logs that are then no longer needed. */
void bdb_checkpoint(bdb_sample *s);
void bdb_remove_logs(bdb_sample *s);

/* DB_ENV->backup and DB_ENV->dbbackup, with a snapshot before and the messages forgotten. */
int bdb_backup(bdb_sample *s, const char *target, uint32_t flags);
int bdb_dbbackup(bdb_sample *s, const char *file, const char *target, uint32_t flags);

/* Takes the snapshot that the assertions below compare with. */
void bdb_watch(bdb_sample *s);

/* Nothing below the case's directory is other than it was when the backup began. */
void bdb_assert_nothing_changed(bdb_sample *s);

/* Nothing is other than it was, save at and below `target` and the directories above it. */
void bdb_assert_only_changed(bdb_sample *s, const char *target);

/* The environment commits, reads, checkpoints, and a backup of it into a fresh directory recovers.
 */
void bdb_assert_usable(bdb_sample *s);

/* A refused or failed backup has done no harm: nothing changed, and the environment is usable. */
void bdb_assert_unharmed(bdb_sample *s);

/* The same layout with another home; flat: with no other directories, as DB_BACKUP_SINGLE_DIR
 * leaves it. */
bdb_layout bdb_copy_at(const bdb_layout *layout, const char *home, bool flat);

/* Recovers the copy; fails the case if that does not succeed. To be closed with bdb_env_end(). */
struct __db_env *bdb_recover(const bdb_layout *copy);

/* Recovers the copy and returns the library's error instead of failing; *env is NULL then. */
int bdb_try_recover(const bdb_layout *copy, struct __db_env **env);

void bdb_env_end(struct __db_env *env);

/* The number of rows of a database of an open environment; fails the case unless they are its first
 * rows, in order. */
unsigned bdb_count_rows(struct __db_env *env, const bdb_database *database);

/* Database `database` of an open environment has its rows, in order, and no other, and passes
 * DB->verify. */
void bdb_assert_rows(struct __db_env *env, const bdb_database *database);

/* The copy recovers and holds every row of the layout's databases. */
void bdb_assert_copy_holds(const bdb_layout *copy);

/* Nothing but the target was changed, and the copy in it holds all rows of the sample. */
void bdb_assert_backup_holds(bdb_sample *s, const char *target);
void bdb_assert_flat_backup_holds(bdb_sample *s, const char *target);

/* What the error callback and the message callback were given since the last backup began. */
const char *bdb_errors(void);
const char *bdb_messages(void);
void bdb_forget_messages(void);

/* The error callback was given a message that has `path` in it. */
void bdb_assert_error_names(const char *path);

/*
 * Makes every write of more than `after_bytes` bytes in all to files whose path contains
 * `path_substring` (NULL: any) fail with `error`, as a full disk would. One rule at a time. How it
 * is done is the business of the library under test: provoke_libdb.c, provoke_ref.c. Returns 0, or
 * ENOTSUP if this library has no way.
 */
int bdb_provoke_write_error(
    int error, unsigned long after_bytes, const char *path_substring_or_null);
int bdb_provoke_clear(void);

/* The same for a disk that is full after so many bytes; UNSUPPORTED where there is no way. */
void bdb_fill_disk_after(uint64_t bytes, const char *path_substring);

#endif
