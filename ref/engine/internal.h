/*
 * The engine's insides, as its own files see them. Nothing outside engine/ includes this.
 *
 * LOCKS, in the order in which they are taken:
 *   write lock       one transaction at a time, from its first write to its commit or abort (txn.c)
 *   checkpoint lock  one checkpoint at a time; also held while log segments are removed
 *   env->mutex       everything in memory: catalog, cache, transactions, pins. Never held during
 *                    I/O. A commit's records are placed and its pages published in one hold of it:
 *                    that instant is the "commit boundary".
 *   log mutex        inside log.c only
 * No lock is held while a callback of the application runs.
 */
#ifndef REF_INTERNAL_H
#define REF_INTERNAL_H

#include <pthread.h>

#include "engine.h"
#include "record.h"

#define REF_CONTROL_NAME \
    "__db.control"                /* in the home: redo point and identity; no backup copies it */
#define REF_LOCK_NAME "__db.lock" /* in the home: locked by the owner */
/* bytes of the lock file */
#define REF_LOCK_AT_OWNER 0u /* exclusive: the owner, as long as it has the environment open */
#define REF_LOCK_AT_PIN 1u   /* shared: guests that copy; exclusive: whoever removes log segments */
#define REF_MARKER_NAME \
    "__backup.incomplete"     /* in a target whose files are being moved into place */
#define REF_LOG_PREFIX "log." /* followed by ten digits */

/* Behind the name of a file that commit or recovery is making or moving until the name is free. */
#define REF_RECOVERY_SUFFIX ".__recovery"

/* In a copy that was updated, while its recovery runs: recover_double.c. */
#define REF_PAGES_NAME "__db.pages" REF_RECOVERY_SUFFIX

/* Behind the name of a file that is being adopted. */
#define REF_ADOPT_SUFFIX ".__adopt"

/* Behind the name of a database that is being captured: the marker beside it (slot.h), the
 * images that spill. */
#define REF_CAPTURE_SUFFIX ".__capture"

#define REF_PATH_MAX 4096u

/* A database file that the environment knows. In the catalog from creation (or adoption) to
 * removal; memory is freed when the environment closes, so that pointers stay good. Guarded by
 * env->mutex unless constant. */
typedef struct ref_dbfile {
    ref_env *env;
    ref_id id;          /* constant */
    uint32_t page_size; /* constant */
    uint32_t mode;      /* constant: permission bits of the file when it is created */
    char *dir;          /* constant: as spelled in data_dirs; "" = home */
    char *name;         /* committed name, relative to dir; replaced by a committed rename */
    bool removed;       /* committed removal: the entry is dead */
    ref_txn *owner; /* the transaction that has created, removed or renamed it and not ended; else
                       NULL */
    bool owner_created;
    bool owner_removed;
    char *owner_name; /* its new name inside that transaction; else NULL */
    unsigned opens;   /* ref_db handles */
    ref_file *handle; /* open file; NULL until first used. Constant once set, until the environment
                         closes. */
    bool entry_changed; /* created, renamed or removed since the last checkpoint: its directory is
                           not synced */

    /* capture and compaction */
    struct ref_capture *capture; /* changes under the checkpoint lock too */
    bool compacting;
    bool cut_wanted; /* the next checkpoint that can shall cut off what lies behind the last page */
    uint64_t cut_commit; /* for readers of an earlier commit those pages are there */
    bool slot_doubt;     /* its capture slot is set, and nobody knows yet whether rightly */
    uint8_t slot[REF_META_SLOT_SIZE]; /* as it shall be in the file; checkpoint lock */
    struct ref_dbfile *next;
} ref_dbfile;

/* One state of one page. Constant once published; freed when nobody can see it any more and refs is
 * 0. */
typedef struct ref_version {
    struct ref_version *older;
    uint64_t commit; /* visible to snapshots at or after this commit; 0: read from the file, visible
                        to all */
    uint64_t image_lsn; /* since when the log has had a whole image of it; 0: not in this run */
    uint32_t refs;      /* views that have given it out, and the checkpoint that writes it */
    bool dropped;       /* out of its frame: the last to let go frees it */
    uint8_t data[];
} ref_version;

typedef enum ref_frame_state {
    REF_FRAME_LOADING,
    REF_FRAME_READY,
    REF_FRAME_FAILED
} ref_frame_state;

/* A page in the cache, with as many versions as somebody may still ask for, newest first. */
typedef struct ref_frame {
    ref_dbfile *file;
    uint32_t pgno;
    ref_frame_state state;
    bool dirty;         /* the newest version is not in the file */
    bool used_recently; /* clock bit */
    ref_version *newest;
    struct ref_frame *chain;       /* hash bucket */
    struct ref_frame *prev, *next; /* clock ring */
} ref_frame;

typedef struct ref_cache {
    ref_frame **buckets;
    size_t bucket_count;
    size_t frame_count;
    ref_frame *hand; /* clock ring */
    uint64_t bytes;
    uint64_t dirty_bytes;
    uint64_t limit;
    pthread_cond_t loaded; /* some LOADING frame has changed state */
} ref_cache;

typedef struct ref_log ref_log;

/* A reader: versions that it may ask for are kept. */
typedef struct ref_snapshot {
    uint64_t commit;
    struct ref_snapshot *prev, *next;
} ref_snapshot;

/* A running backup's claim: no segment from `redo`'s on is removed. */
typedef struct ref_pin {
    uint64_t redo;
    ref_file *lock; /* a guest's: holds REF_LOCK_AT_PIN */
    struct ref_pin *next;
} ref_pin;

/* What the control file says. */
typedef struct ref_control {
    ref_id environment;
    uint64_t sequence; /* of this slot; the higher one holds */
    uint64_t redo;     /* redo point; 0: a new environment */
    uint64_t durable;  /* the log was durable up to here */
    uint64_t commit;
    bool copy; /* a recovered copy that has not been written to since */
} ref_control;

struct ref_env {
    ref_vfs *vfs;
    char *home; /* absolute, resolved; for a database alone: "" */
    char **data_dirs;
    size_t data_dir_count;
    char *create_dir; /* "" = home */
    char *log_dir;    /* as configured; "" = home */
    char *log_path;   /* resolved log directory */
    uint32_t segment_size;
    uint32_t file_mode;
    bool guest; /* another process owns the home: backup only */
    bool alone; /* one database without an environment: no log, no control file */

    unsigned opens; /* guarded by the table of open environments (env.c) */
    struct ref_env *next_open;
    uint64_t home_device, home_inode;
    ref_file *lock_file;

    pthread_mutex_t mutex;
    bool log_auto_remove;
    int ended; /* 0, or REF_RUNRECOVERY: and then why */
    char ended_text[512];

    ref_id id;
    ref_dbfile *files;
    ref_cache cache;
    ref_log *log; /* NULL when alone */

    uint64_t last_commit;    /* number of the last commit placed in the log */
    uint64_t visible_commit; /* number of the last commit that new readers see */
    uint64_t redo_next;      /* a page whose image is older than this logs its whole image */
    ref_txn *transactions;   /* active ones */
    ref_txn *writer;         /* holder of the write lock */
    pthread_t writer_thread;
    uint32_t next_txn_id;
    pthread_cond_t write_free;     /* the write lock was let go */
    pthread_cond_t visible_change; /* visible_commit has risen, or the environment has ended */
    ref_snapshot *snapshots;       /* active readers */

    pthread_mutex_t checkpoint_lock;
    uint64_t redo;           /* the redo point that the control file names */
    uint64_t checkpoint_end; /* the log's end after the last checkpoint's record */
    ref_control control;     /* as last written */
    uint64_t checkpoint_at;  /* when the last checkpoint ended, vfs time */
    ref_pin *pins;
};

/* ---- env.c ---- */

/* Ends the environment: records why, wakes whoever waits. Returns REF_RUNRECOVERY with those words.
 * `error` and the current words of this thread say why. Does not need env->mutex, must not hold it.
 */
int ref_env_end(ref_env *env, int error);
/* EOPNOTSUPP with words in an environment that another process owns. */
int ref_env_refuse_guest(const ref_env *env, const char *what);
/* 0 or REF_RUNRECOVERY with words. Caller holds env->mutex. */
int ref_env_check(ref_env *env);

/* ---- cache.c: pages in memory ---- */

int ref_cache_init(ref_cache *cache, uint64_t limit); /* 0 or ENOMEM */
void ref_cache_destroy(ref_cache *cache);

/* The page as a snapshot at `commit` sees it, read from the file when it is not in memory. The
 * version's refs has grown by one: let go of it with ref_version_release(). *out is NULL on
 * failure: REF_CORRUPT, ENOMEM, or what reading gave. Caller holds no lock. */
int ref_cache_get(ref_dbfile *file, uint32_t pgno, uint64_t commit, ref_version **out);

/* A version with the file's page size of bytes, uninitialised; NULL without memory. */
ref_version *ref_version_new(const ref_dbfile *file);
/* Caller holds env->mutex. */
void ref_version_release(ref_version *version);

/* Makes room for ref_cache_publish() of this page to succeed. Caller holds env->mutex. 0 or ENOMEM.
 */
int ref_cache_prepare(ref_dbfile *file, uint32_t pgno);
/* Puts a new version on top; the cache owns it. Caller holds env->mutex and has prepared. */
void ref_cache_publish(ref_dbfile *file, uint32_t pgno, ref_version *version);
/* Brings the cache under its limit as far as pages are clean and unused. Caller holds env->mutex.
 */
void ref_cache_evict(ref_env *env);

/* ---- txn.c ---- */

struct ref_view {
    ref_dbfile *file;
    ref_txn *txn;      /* whose own changes show; NULL: nobody's */
    uint64_t snapshot; /* else what this commit left */
    bool writable;
    ref_version **pins; /* what ref_view_read() has given out */
    size_t pin_count;
    size_t pin_capacity;
};

typedef struct ref_txn_page {
    ref_dbfile *file;
    uint32_t pgno;
    ref_version *base; /* what it was; NULL: the page is new */
    ref_version *mine; /* what it will be */
    size_t record;     /* its offset in the commit group */
    bool full;
    bool same;                  /* touched, but not changed */
    struct ref_txn_page *chain; /* hash bucket */
    struct ref_txn_page *next;  /* in the order of first change */
} ref_txn_page;

/* Something that a transaction does to a file as a whole. */
typedef struct ref_txn_op {
    ref_record_type kind;
    ref_dbfile *file;
    struct ref_txn_op *next;
} ref_txn_op;

struct ref_txn {
    ref_env *env;
    uint32_t id;
    ref_txn_options options;
    bool has_snapshot;
    ref_snapshot snapshot;
    int failed;       /* an operation failed half-way: it can only be aborted */
    uint64_t changes; /* for ref_view_generation() */
    ref_txn_page **buckets;
    size_t bucket_count;
    size_t page_count;
    ref_txn_page *first_page, **last_page;
    ref_txn_op *first_op, **last_op;
    ref_txn *prev, *next; /* env->transactions */
};

/* Fixes what the transaction sees, if it has not yet. */
int ref_txn_read(ref_txn *txn);
/* Takes the write lock, if it has not yet. REF_DEADLOCK, REF_NOTGRANTED, REF_RUNRECOVERY; words for
 * the last only. */
int ref_txn_write(ref_txn *txn);
/* Marks the transaction as good for abort only and returns `error`. */
int ref_txn_fail(ref_txn *txn, int error);
/* Adds an operation on a file; the caller has set the file's owner fields. 0, or ENOMEM: then the
 * file is nobody's again, and the transaction good for abort only. Caller holds the write lock. */
int ref_txn_add_op(ref_txn *txn, ref_record_type kind, ref_dbfile *file);

/* Registers and removes a reader at the visible commit. Caller holds no lock. */
int ref_snapshot_open(ref_env *env, ref_snapshot *snapshot);
void ref_snapshot_close(ref_env *env, ref_snapshot *snapshot);
/* Moves a reader to the visible commit. */
void ref_snapshot_renew(ref_env *env, ref_snapshot *snapshot);
/* The oldest commit that a reader may still ask for. Caller holds env->mutex. */
uint64_t ref_oldest_snapshot(const ref_env *env);

/* Lets go of everything the view holds. */
void ref_view_close(ref_view *view);
/* Page 0 of a new file, for the caller to fill in. */
int ref_view_add_meta(ref_view *view, uint8_t **page);

/* The private environment of a database alone. *out is NULL on failure. Close with ref_env_close().
 */
int ref_env_make_alone(ref_vfs *vfs, uint32_t mode, ref_env **out);

/* ---- paths.c: where things lie. All return malloc'd strings, NULL without memory. ---- */

/* a/b; b alone when it is absolute or a is empty; a alone when b is empty. */
char *ref_path_join(const char *a, const char *b);
char *ref_path_suffix(const char *path, const char *suffix);
/* The directory part; "." for a bare name, "/" for a name in the root. */
char *ref_path_parent(const char *path);
/* The directory that a configured spelling ("" = home) means. */
char *ref_env_dir_path(const ref_env *env, const char *dir);
/* A database's path. Caller holds env->mutex or knows that nobody renames it. */
char *ref_dbfile_path(const ref_dbfile *file);
/* A database's name without "." components, doubled slashes, and the home where it was given as a
 * whole path. */
char *ref_env_clean_name(const ref_env *env, const char *name);
bool ref_path_is_absolute(const char *path);
/* Makes a name durable: syncs the directory that the path lies in. Words on failure. */
int ref_sync_parent(ref_vfs *vfs, const char *path);
/* Makes a renaming durable: syncs the directory entered, and that left when it is another. */
int ref_sync_renamed(ref_vfs *vfs, const char *from, const char *to);
/* True when a component of the path is "..". */
bool ref_path_climbs(const char *path);
/* The number of a log segment's file name, or 0 when the name is none. */
uint32_t ref_segment_of_name(const char *name);

/* ---- catalog.c: which databases there are ---- */

/* A database as a backup sees it: strings are the caller's. */
typedef struct ref_catalog_entry {
    ref_id id;
    uint32_t page_size;
    char *dir;  /* as configured, "" = home */
    char *name; /* relative to dir, or absolute */
    char *path;
} ref_catalog_entry;

/* The database that a transaction (NULL: nobody) means by a name; NULL when there is none. Caller
 * holds env->mutex. */
ref_dbfile *ref_catalog_find(ref_env *env, const ref_txn *txn, const char *name);
ref_dbfile *ref_catalog_find_in(
    ref_env *env, const ref_txn *txn, const char *dir, const char *name);
/* Adds an entry; strings are copied. NULL without memory. Caller holds env->mutex or is alone. */
ref_dbfile *ref_catalog_add(ref_env *env, const ref_file_record *file);
void ref_catalog_destroy(ref_env *env);
/* The directory a new database goes to: `dir` (NULL: the environment's create_dir), as spelled in
 * the configuration. */
int ref_catalog_create_dir(ref_env *env, const char *dir, const char **out);
/* Opens file->handle if it is not open. Caller holds no lock. */
int ref_dbfile_open(ref_dbfile *file);
/* Whether its removal is committed. Caller holds no lock. */
bool ref_dbfile_is_removed(ref_dbfile *file);

/* Every committed database at this moment. *entries is malloc'd; ref_catalog_free(). 0 or ENOMEM.
 */
int ref_catalog_list(ref_env *env, ref_catalog_entry **entries, size_t *count);
/* One by its identity: ENOENT (no words) when it has been removed. */
int ref_catalog_entry_by_id(ref_env *env, const ref_id *id, ref_catalog_entry *entry);
/* One by its name, looked for as DB->open does: ENOENT with words. */
int ref_catalog_entry_by_name(ref_env *env, const char *name, ref_catalog_entry *entry);
void ref_catalog_free(ref_catalog_entry *entries, size_t count);
void ref_catalog_entry_clear(ref_catalog_entry *entry);

/* ---- control.c: the control file ---- */

/* 0; ENOENT (no words) when there is none; REF_CORRUPT or REF_VERSION with words. */
int ref_control_read(ref_vfs *vfs, const char *home, ref_control *out);
/* Writes the older slot and syncs; makes the file when there is none. sequence is counted up here.
 */
int ref_control_write(ref_vfs *vfs, const char *home, uint32_t mode, ref_control *control);

/* ---- recover.c ---- */

/* Brings files and catalog to the log's end. `control` is NULL for a copy. Fills in env->id,
 * last_commit and the log. */
int ref_recover(ref_env *env, const ref_control *control, bool fatal);

/* ---- guest.c: an environment that another process owns ---- */

/* Brings the catalog up to what control file and log show now. */
int ref_guest_refresh(ref_env *env);
/* Keeps the owner from removing log segments, reads the redo point and refreshes the catalog. */
int ref_guest_pin(ref_env *env, ref_pin *pin);
/* Where the file of a database lies that is not where the catalog has it: an owner that died in
 * the middle of a commit has left it on its way to a new name. *path is malloc'd, or NULL: then
 * *in_log says whether the log, from segment `from` on, makes it. */
int ref_guest_locate(ref_env *env, uint32_t from, const ref_id *id, char **path, bool *in_log);

/* ---- adopt.c ---- */

/* Rewrites a database file so that its pages belong to this environment's log (or, alone, to none)
 * under a new identity. */
int ref_adopt(ref_env *env, const char *path, ref_file_record *out);

/* ---- capture.c ---- */

/* These bytes of the file are about to be written. Keeps what lies there, if somebody captures
 * it. Caller holds the checkpoint lock. */
void ref_capture_before(ref_dbfile *file, uint64_t offset, uint64_t size);
/* The environment closes: ends what was not ended. */
void ref_capture_close_env(ref_env *env);

/* ---- compact.c ---- */

/* Cuts the files of which compaction has freed the end, where nobody may still want it. Caller
 * holds the checkpoint lock and has written the pages of this commit. */
int ref_compact_cut(ref_env *env, uint64_t commit);

/* ---- checkpoint.c: what a backup needs of it ---- */

/* ref_checkpoint() for whoever holds the checkpoint lock: nothing is removed. */
int ref_checkpoint_locked(ref_env *env);

/* Makes the log durable, reads the redo point and keeps every segment from it on until
 * ref_pin_drop(). */
int ref_pin_take(ref_env *env, ref_pin *pin);
/* From now on the pin keeps the segments from this number on, too, as far as they are still there. */
void ref_pin_keep(ref_env *env, ref_pin *pin, uint32_t segment);
void ref_pin_drop(ref_env *env, ref_pin *pin);
/* Keeps backups with logs from beginning, here and in other processes, until ref_pin_unblock().
 * EBUSY with words when one is running. Caller holds the checkpoint lock. */
int ref_pin_block(ref_env *env, const char *what);
void ref_pin_unblock(ref_env *env);

/* ---- still.c: databases as one commit left them, for a backup without logs (NO_LOGS, one
 * database). The pages come out of the cache's versions, so the source's files need not stand
 * still, no checkpoint is written, and nothing is torn. (There is no ref_hold_take() any more.)
 * ---- */

/* Keeps the state of the last visible commit readable until ref_still_end(). Costs memory for what
 * is changed meanwhile. */
int ref_still_begin(ref_env *env, ref_snapshot *still);
void ref_still_end(ref_env *env, ref_snapshot *still);
/* Pages that the database had at that commit; 0 when it did not exist then, or is removed now and
 * cannot be read any more. */
int ref_still_page_count(
    ref_env *env, const ref_snapshot *still, const ref_id *id, uint32_t *count);
/* One of them, sealed with its checksum. `page` has room for the file's page size. */
int ref_still_page(
    ref_env *env, const ref_snapshot *still, const ref_id *id, uint32_t pgno, uint8_t *page);

/* ---- log.c: what a backup needs of it ---- */

/* The position after the last record that a backup may rely on: durable, or for a guest,
 * written. `from` is the first segment of its copy. 0 in *end on failure. */
int ref_log_copy_end(ref_env *env, uint32_t from, uint64_t *end);
/* Has the log, from the position `since` on, whole images of all these pages? A copy of a file
 * in which they are torn or missing is then as good as any: replay makes them. */
int ref_log_has_images(
    ref_env *env, uint64_t since, const ref_id *id, uint64_t first, uint64_t count, bool *all);
/* Bytes of the segments from `from` on. */
int ref_log_bytes(ref_env *env, uint32_t from, uint64_t *bytes);
/* The position after the last byte that is durable. */
uint64_t ref_log_durable_end(ref_env *env);

#endif
