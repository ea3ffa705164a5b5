/*
 * The reference engine: transactional key-value storage with hot backup, behind which the two faces
 * stand.
 *
 * An environment is a home directory, data directories, a log directory, any number of database
 * files and one write-ahead log. Lifecycle: ref_env_open; databases and transactions;
 * ref_env_close. One process owns an open home; inside it, opening the same home again gives the
 * same environment.
 *
 * Transactions: a reader sees the state of one commit and never waits. A transaction's first write
 * takes the one write lock. Nothing uncommitted ever reaches a database file; a commit is one group
 * of redo records and one sync. See txn.c.
 *
 * Threads: an environment, a database and ref_txn_abort/commit of different transactions may be
 * used from any thread at once. One transaction or cursor is used by one thread at a time. No call
 * waits for a lock that its own thread holds: where that would be needed it fails with
 * REF_DEADLOCK.
 *
 * Results: see error.h. After a failed write or sync of the log or of a database file the
 * environment has ended: every call but close gives REF_RUNRECOVERY, and opening it again recovers.
 *
 * Names: a database's name is relative to a directory of the environment: looked for in each data
 * directory in order, then in the home. "" stands for the home in lists of directories.
 */
#ifndef REF_ENGINE_H
#define REF_ENGINE_H

#include "btree.h"
#include "error.h"
#include "vfs.h"

typedef struct ref_env ref_env;
typedef struct ref_db ref_db;
typedef struct ref_txn ref_txn;
typedef struct ref_cursor ref_cursor;

#define REF_LSN_SEGMENT(lsn) ((uint32_t)((lsn) >> 32))
#define REF_LSN_OFFSET(lsn) ((uint32_t)(lsn))

/* ---- environment ---- */

#define REF_SEGMENT_SIZE_DEFAULT (10u << 20)
#define REF_SEGMENT_SIZE_MIN 16384u
#define REF_CACHE_SIZE_DEFAULT (16u << 20)

typedef struct ref_env_options {
    ref_vfs *vfs;     /* NULL: ref_default_vfs() */
    const char *home; /* must exist */
    const char *const
        *data_dirs; /* relative to the home or absolute; may be NULL when data_dir_count is 0 */
    size_t data_dir_count;
    const char *create_dir; /* one of data_dirs; NULL: the first, or the home */
    const char *log_dir;    /* relative to the home or absolute; NULL: the home */
    uint32_t segment_size; /* bytes a log segment may hold before the next begins; 0: the default */
    uint64_t cache_size;   /* bytes; 0: the default. Dirty pages beyond it cause a checkpoint. */
    uint32_t file_mode;    /* permission bits of created files; 0: 0660 (the umask applies) */
    bool guest;            /* if another process has it open: open it for backup only (below) */
    bool create;           /* make a new environment when the home holds none; otherwise ENOENT */
    bool recover_fatal;    /* replay from the oldest segment, whatever the control file says */
    bool log_auto_remove;  /* a checkpoint removes the segments that nothing needs any more */
} ref_env_options;

/*
 * Opens the environment at options->home, recovering it first when it was not closed, or when it is
 * a copy (segments, but no control file). *out is NULL on failure: ENOENT, EAGAIN when another
 * process has it open, REF_INCOMPLETE for an unfinished backup, REF_CORRUPT, REF_VERSION, or what
 * the files gave. The options' strings are copied.
 */
int ref_env_open(const ref_env_options *options, ref_env **out);

/*
 * True for an environment that another process owns. Then only ref_backup(),
 * ref_backup_database(), ref_log_archive() that lists, ref_env_databases() and closing work; all
 * else gives EOPNOTSUPP. The owner is not asked and need not live: what a guest copies is what
 * the files and the log show, so commits whose log the owner has not written yet (no_sync) are
 * not in it.
 */
bool ref_env_is_guest(const ref_env *env);

/* Lets go of the environment; the last closer writes a checkpoint unless the environment has ended,
 * aborts transactions that are still active and closes every file. The handle is invalid whatever
 * the result says. */
int ref_env_close(ref_env *env);

/* Removes the control file: databases and log are then a copy, and replayed when they are opened
 * again. The lock file stays, because one that can vanish guards nothing. EAGAIN when the
 * environment is open anywhere, or being backed up. */
int ref_env_remove(ref_vfs *vfs, const char *home);

/* 0, or REF_RUNRECOVERY with the words of the failure that ended the environment. */
int ref_env_state(ref_env *env);

void ref_env_set_log_auto_remove(ref_env *env, bool on);
bool ref_env_log_auto_remove(ref_env *env);
/* For segments begun and pages read from now on. Ranges as in the options; EINVAL. */
int ref_env_set_segment_size(ref_env *env, uint32_t bytes);
void ref_env_set_cache_size(ref_env *env, uint64_t bytes);

/* As opened. Strings live as long as the environment. */
const char *ref_env_home(const ref_env *env);
uint32_t ref_env_segment_size(const ref_env *env);
/* 16 random bytes that tell this environment's log from every other; a copy keeps them. */
void ref_env_identity(const ref_env *env, uint8_t *id);

/* Every committed database: directory (as configured) and name, joined. *names is malloc'd, so
 * is each; NULL and 0 when there is none or on failure. 0 or ENOMEM. */
int ref_env_databases(ref_env *env, char ***names, size_t *count);

/*
 * Writes every committed change to the database files, syncs them, and moves the redo point up.
 * Nothing to do: does nothing, unless `force`. Waits for another thread's checkpoint, then does its
 * own. Databases that a backup without logs is copying are passed over, and then the redo point
 * stays (no error).
 */
int ref_checkpoint(ref_env *env, bool force);

/* Bytes of log since the redo point and nanoseconds since the last checkpoint: for "only if"
 * conditions. */
void ref_checkpoint_age(ref_env *env, uint64_t *log_bytes, uint64_t *nanoseconds);

/* ---- log ---- */

/* Makes the log durable up to its end. */
int ref_log_flush(ref_env *env);

typedef enum ref_archive {
    REF_ARCHIVE_REMOVABLE, /* segments that neither recovery nor a running backup needs */
    REF_ARCHIVE_ALL,       /* every segment */
    REF_ARCHIVE_REMOVE     /* removes the removable ones; lists nothing */
} ref_archive;

/* Each segment's number, in order. *numbers is malloc'd, the caller frees; NULL and 0 when there is
 * none or on failure. */
int ref_log_archive(ref_env *env, ref_archive what, uint32_t **numbers, size_t *count);

/* The segment's path: log directory and "log.NNNNNNNNNN". malloc'd; NULL without memory. */
char *ref_log_path(const ref_env *env, uint32_t segment);

/* ---- transactions ---- */

#define REF_WAIT_FOREVER UINT64_MAX

typedef struct ref_txn_options {
    bool no_wait;     /* a write lock that is taken gives REF_NOTGRANTED */
    bool no_sync;     /* commit does not wait for the disk */
    uint64_t timeout; /* nanoseconds to wait for the write lock; 0: for ever */
} ref_txn_options;

/* options may be NULL. *out is NULL on failure. */
int ref_txn_begin(ref_env *env, const ref_txn_options *options, ref_txn **out);

/* Both end the transaction and free it, whatever the result says. Cursors of the transaction must
 * be closed before. A commit that fails with REF_RUNRECOVERY has an unknown outcome until the
 * environment is opened again; with any other error the transaction was aborted. */
int ref_txn_commit(ref_txn *txn);
int ref_txn_abort(ref_txn *txn);

uint32_t ref_txn_id(const ref_txn *txn); /* never 0; from 0x80000000 up */
void ref_txn_set_timeout(ref_txn *txn, uint64_t nanoseconds);
void ref_txn_set_no_sync(ref_txn *txn, bool no_sync);
void ref_txn_set_no_wait(ref_txn *txn, bool no_wait);

/* ---- databases ---- */

typedef struct ref_db_options {
    bool create;        /* make it when missing */
    bool exclusive;     /* with create: EEXIST when it is there */
    bool read_only;     /* every write gives EACCES */
    uint32_t page_size; /* of a new database; 0: REF_PAGE_SIZE_DEFAULT */
    uint32_t file_mode; /* of a new file; 0: the environment's */
    const char *
        create_dir; /* directory for a new file, as spelled in data_dirs; NULL: the environment's */
} ref_db_options;

/*
 * Opens the database `name`. With a transaction, a creation is part of it: nobody else sees the
 * database before the commit, and after an abort the handle is good only for closing. Without,
 * creation commits by itself. A file of another environment (a copy brought in) is adopted: its
 * pages are rewritten to belong to this one. *out is NULL on failure: ENOENT, EEXIST, EINVAL,
 * REF_VERSION, REF_CORRUPT, and the transaction errors.
 */
int ref_db_open(
    ref_env *env, ref_txn *txn, const char *name, const ref_db_options *options, ref_db **out);

/* A database file without an environment: no log, no transactions; changes reach the file by
 * ref_db_sync() and ref_db_close() and are not safe before. `path` is used as it is. */
int ref_db_open_alone(ref_vfs *vfs, const char *path, const ref_db_options *options, ref_db **out);

/* The handle is invalid whatever the result says. Cursors must be closed before. */
int ref_db_close(ref_db *db);

const char *ref_db_name(const ref_db *db);
uint32_t ref_db_page_size(const ref_db *db);
bool ref_db_read_only(const ref_db *db);
/* 16 random bytes that tell this file from every other; a copy keeps them until it is adopted. */
void ref_db_identity(const ref_db *db, uint8_t *id);
ref_env *ref_db_env(const ref_db *db); /* never NULL: a database alone has a private one */

/* txn may be NULL: reads see the last commit, each write commits by itself. `lock` takes the write
 * lock at the read, so that what was read cannot change before the transaction writes; it needs a
 * transaction. Results as in btree.h, and REF_DEADLOCK, REF_NOTGRANTED. */
int ref_db_get(ref_db *db, ref_txn *txn, ref_slice key, bool lock, ref_buffer *value);
int ref_db_put(ref_db *db, ref_txn *txn, ref_slice key, ref_slice value, bool no_overwrite);
int ref_db_del(ref_db *db, ref_txn *txn, ref_slice key);
int ref_db_truncate(ref_db *db, ref_txn *txn, uint32_t *count);

/* Everything committed so far reaches the file and is synced (in an environment: a checkpoint). */
int ref_db_sync(ref_db *db);

/* Checks every page's checksum and the whole tree, of the last committed state. */
int ref_db_verify(ref_db *db, uint64_t *records);

/* Removes or renames a database of the environment. REF_DEADLOCK never; EBUSY while a handle is
 * open on it; ENOENT; EEXIST when the new name is taken. The new name lies in the same directory.
 */
int ref_db_remove(ref_env *env, ref_txn *txn, const char *name);
int ref_db_rename(ref_env *env, ref_txn *txn, const char *name, const char *new_name);

/* ---- cursors ---- */

/* Without a transaction the cursor reads the state of the moment it was opened, until it writes:
 * each write commits by itself and the cursor goes on from the state after it. *out is NULL on
 * failure. */
int ref_cursor_open(ref_db *db, ref_txn *txn, ref_cursor **out);
int ref_cursor_close(ref_cursor *cursor);

typedef enum ref_move {
    REF_MOVE_FIRST,
    REF_MOVE_LAST,
    REF_MOVE_NEXT,     /* unset cursor: FIRST */
    REF_MOVE_PREV,     /* unset cursor: LAST */
    REF_MOVE_EXACT,    /* to `key` */
    REF_MOVE_AT_LEAST, /* to the smallest key not below `key` */
    REF_MOVE_CURRENT   /* stays; REF_NOTFOUND when the record has been removed since */
} ref_move;

/* Moves and reads. On failure the cursor stays where it was. key is only used by EXACT and
 * AT_LEAST. CURRENT on an unset cursor: EINVAL. */
int ref_cursor_get(ref_cursor *cursor, ref_move move, ref_slice key, bool lock,
    ref_buffer *found_key, ref_buffer *value);

/* Writes `key` and moves there, or, with key.data NULL, replaces the value at the cursor. */
int ref_cursor_put(ref_cursor *cursor, ref_slice key, ref_slice value, bool no_overwrite);

/* Removes the record at the cursor, which then stands in the gap: NEXT and PREV go on from there.
 */
int ref_cursor_del(ref_cursor *cursor);

/* Another cursor at the same place: in the same transaction, or without one reading the last
 * visible commit. */
int ref_cursor_copy(const ref_cursor *cursor, ref_cursor **out);

/* ---- backup ---- */

/* A backup's destination. All functions return 0 or the error with which the backup shall end,
 * verbatim; the first error wins. No lock of the engine is held during a call: it may read, write,
 * commit and checkpoint. One thread. */
typedef struct ref_sink {
    void *context;
    /* A new output file. `name` is relative to the target, '/' between directories. *file goes to
     * write and close. */
    int (*open)(void *context, const char *name, void **file);
    /* Offsets rise without gaps. */
    int (*write)(void *context, void *file, uint64_t offset, const void *data, size_t size);
    /* Called exactly once for every open that succeeded. */
    int (*close)(void *context, const char *name, void *file);
} ref_sink;

#define REF_BACKUP_CREATE 0x01u     /* make target and directories below it */
#define REF_BACKUP_EXCLUSIVE 0x02u  /* EEXIST when a file of the backup is there already */
#define REF_BACKUP_CLEAN 0x04u      /* the target's old content goes */
#define REF_BACKUP_FILES 0x08u      /* ordinary files too */
#define REF_BACKUP_NO_LOGS 0x10u    /* databases only, consistent by themselves */
#define REF_BACKUP_SINGLE_DIR 0x20u /* all files directly in the target */
#define REF_BACKUP_UPDATE 0x40u     /* only the log that an earlier backup in the target lacks */

#define REF_BACKUP_BUFFER_DEFAULT (1u << 20)

typedef struct ref_backup_options {
    const char *target; /* may be NULL when sink is set */
    unsigned flags;
    const ref_sink *sink; /* NULL: the directory `target` */
    uint32_t buffer_size; /* bytes per read; 0: the default; rounded to whole pages, at least one;
                             into a directory through the page cache, 256 KiB at most */
    uint32_t pause_pages; /* after so many pages ... */
    uint64_t pause_nanoseconds; /* ... sleep so long; 0: never */
    uint64_t
        log_limit; /* bytes of log that the backup may keep from being removed before it gives up
                           with ENOSPC; 0: any */
    bool direct;   /* write past the page cache where the file system can */
    void (*progress)(void *context, const char *line); /* a line per operation; may be NULL */
    /* What the caller asked for and does not get, though the backup goes on; may be NULL. */
    void (*notice)(void *context, const char *line);
    void *progress_context; /* of both */
} ref_backup_options;

/*
 * Copies the environment while it is in use: database files first, then ordinary files, then the
 * log up to its end as it stands after the last database page. Opening the copy replays the log; it
 * then holds every transaction that had committed when the last database page was read, perhaps
 * some later ones, and no part of any other.
 *
 * With UPDATE only log is copied, and the copy that is in the target goes on to its new end; its
 * databases are brought there by its next opening. It may have been recovered since it was copied,
 * and updated before, but not written to. A segment that it has in part is replaced; EXCLUSIVE
 * only looks at those that it lacks; CLEAN removes the segments before its redo point and nothing
 * else; FILES has no meaning. EINVAL, and nothing is touched, when the target holds no such copy of
 * this environment, when the environment no longer has the log that follows, or when it has adopted
 * a database since. A power cut or failure leaves the copy whole, with as much log as it had or
 * more. To a caller's sink every segment is given that is there, since only the caller knows what
 * it has.
 *
 * All checks come before the first change to the target. Errors: ENOENT, EEXIST, EINVAL (target
 * equal to, above or inside what is backed up; an absolute directory without SINGLE_DIR; two files
 * of one name with it), ENOTDIR, ELOOP (a symbolic link where a file or directory would go),
 * REF_CORRUPT (a page that is damaged in the source, by file and page), REF_RUNRECOVERY, and what
 * reading, writing or the sink gave. After a failure an earlier backup in the target is whole, or
 * marked unfinished so that it does not open.
 */
int ref_backup(ref_env *env, const ref_backup_options *options);

/* One database, consistent by itself; flags: 0 or EXCLUSIVE. The target directory must exist. */
int ref_backup_database(ref_env *env, const char *name, const ref_backup_options *options);

#endif
