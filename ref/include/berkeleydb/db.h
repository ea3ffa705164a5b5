/*
 * The C interface of Berkeley DB 5.3, as far as it is needed to keep data in B+trees, in
 * transactions, and to back it up while it is in use. A program written for this subset compiles
 * and runs unchanged against either library; no binary compatibility is meant.
 *
 * Names, types, constants and error values are those of Berkeley DB's C API reference, whose page
 * each comment names in brackets. A method outside the subset is not declared, so that the compiler
 * names it. A flag or access method outside the subset is declared and refused at run time with
 * EINVAL and a message.
 *
 * LIFECYCLE: db_env_create, configure, DB_ENV->open; db_create, configure, DB->open;
 * DB_ENV->txn_begin, DB->put and the like, DB_TXN->commit; DBC->close, DB->close, DB_ENV->close.
 *
 * RESULTS: 0; a positive errno value; or one of the negative DB_... values below. What a method's
 * comment lists is what it adds to these, which nearly every method can give:
 *     EINVAL           an argument or flag is not allowed, or not now; the message says which
 *     ENOMEM           no memory
 *     DB_RUNRECOVERY   the environment has ended, because the log or a database file could not be
 *                      written: close it and open it again, and it recovers. Also a damaged page
 *                      that was read, or damage found while opening: the message names file and
 *                      page.
 *     DB_LOCK_DEADLOCK the transaction would wait for itself, or read what has been changed since:
 *                      abort it and start again
 *     DB_LOCK_NOTGRANTED  as DB_LOCK_DEADLOCK but for a wait that was cut short; see
 *                      DB_TIME_NOTGRANTED
 *     ENOSPC, EIO, EACCES and what else the operating system has to say
 * Every failure but DB_NOTFOUND, DB_KEYEXIST, DB_KEYEMPTY, DB_BUFFER_SMALL, DB_LOCK_DEADLOCK and
 * DB_LOCK_NOTGRANTED is described by a message to DB_ENV->set_errcall or set_errfile.
 *
 * OUT-PARAMETERS of a call that fails are NULL or 0. A DBT is untouched, except that
 * DB_BUFFER_SMALL sets its `size` to what was needed.
 *
 * STRINGS and structures handed in are copied unless the comment says otherwise. Strings handed out
 * belong to the handle and are good until it is closed.
 *
 * THREADS: DB_ENV and DB handles opened with DB_THREAD may be used by any number of threads, but
 * for open, close and what configures a handle before it is open: one thread, nobody else inside. A
 * DB_TXN or DBC is used by one thread at a time. No call waits for a lock that its own caller
 * holds.
 *
 * ISOLATION: a transaction reads the state that the last commit before its first read left, and its
 * own changes; it never waits to read and nobody waits for its reads. Its first write takes the
 * environment's one write lock, kept until commit or abort. This is at least what
 * DB_READ_COMMITTED, DB_READ_UNCOMMITTED and DB_TXN_SNAPSHOT ask for, so that they are accepted and
 * change nothing.
 */
#ifndef REF_BERKELEYDB_DB_H
#define REF_BERKELEYDB_DB_H

/* Programs rely on these coming with it. u_int32_t is <sys/types.h>'s, with _DEFAULT_SOURCE. */
#include <inttypes.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version whose interface this is. */
#define DB_VERSION_FAMILY 11
#define DB_VERSION_RELEASE 2
#define DB_VERSION_MAJOR 5
#define DB_VERSION_MINOR 3
#define DB_VERSION_PATCH 28
#define DB_VERSION_STRING "Hotproof reference engine, interface of Berkeley DB 5.3.28"
#define DB_VERSION_FULL_STRING \
    "Hotproof reference engine, interface of Berkeley DB 11g Release 2, 11.2.5.3.28"

typedef u_int32_t db_timeout_t; /* microseconds */
typedef u_int32_t db_recno_t;
typedef u_int32_t db_pgno_t;

typedef struct __db_env DB_ENV;
typedef struct __db DB;
typedef struct __db_txn DB_TXN;
typedef struct __dbc DBC;
typedef struct __db_dbt DBT;
typedef struct __db_lsn DB_LSN;

/* ---- error values ---- */

#define DB_BUFFER_SMALL (-30999)     /* the caller's buffer is too small; DBT.size says how large */
#define DB_DONOTINDEX (-30998)       /* not given by this library, like all others so marked: - */
#define DB_FOREIGN_CONFLICT (-30997) /* - */
#define DB_HEAP_FULL (-30996)        /* - */
#define DB_KEYEMPTY (-30995)         /* the record at the cursor has been removed */
#define DB_KEYEXIST (-30994)         /* the key is there already */
#define DB_LOCK_DEADLOCK (-30993)    /* abort the transaction and start again */
#define DB_LOCK_NOTGRANTED (-30992)  /* the write lock was not to be had in time */
#define DB_LOG_BUFFER_FULL (-30991)  /* - */
#define DB_LOG_VERIFY_BAD (-30990)   /* - */
#define DB_NOSERVER (-30989)         /* - */
#define DB_NOTFOUND (-30988)         /* no such key; no further record */
#define DB_OLD_VERSION (-30987)      /* a database file in an unknown format */
#define DB_PAGE_NOTFOUND (-30986)    /* - */
#define DB_REP_DUPMASTER (-30985)    /* - */
#define DB_REP_HANDLE_DEAD (-30984)  /* - */
#define DB_REP_HOLDELECTION (-30983) /* - */
#define DB_REP_IGNORE (-30982)       /* - */
#define DB_REP_ISPERM (-30981)       /* - */
#define DB_REP_JOIN_FAILURE (-30980) /* - */
#define DB_REP_LEASE_EXPIRED (-30979) /* - */
#define DB_REP_LOCKOUT (-30978)       /* - */
#define DB_REP_NEWSITE (-30977)       /* - */
#define DB_REP_NOTPERM (-30976)       /* - */
#define DB_REP_UNAVAIL (-30975)       /* - */
#define DB_REP_WOULDROLLBACK (-30974) /* - */
#define DB_RUNRECOVERY (-30973)       /* the environment has ended; or damage */
#define DB_SECONDARY_BAD (-30972)     /* - */
#define DB_TIMEOUT (-30971)           /* - */
#define DB_VERIFY_BAD (-30970)        /* DB->verify found damage */
#define DB_VERSION_MISMATCH (-30969)  /* an environment in an unknown format */

/* ---- flags ----
 * The comments name the methods that take a flag; "refused" ones give EINVAL. One value may have
 * several names: each method has its own set. */

/* several methods */
#define DB_CREATE 0x00000001      /* DB_ENV->open, DB->open, DB_ENV->backup: make what is missing */
#define DB_EXCL 0x00000004        /* DB->open, DB_ENV->backup, dbbackup: EEXIST when it is there */
#define DB_THREAD 0x00000020      /* DB_ENV->open, DB->open */
#define DB_AUTO_COMMIT 0x00000100 /* DB->open, DB_ENV->set_flags, dbremove, dbrename */
#define DB_FORCE 0x00000001       /* DB_ENV->remove, DB_ENV->txn_checkpoint */
#define DB_USE_ENVIRON 0x00000004 /* DB_ENV->open, DB_ENV->remove */
#define DB_USE_ENVIRON_ROOT 0x00000008

/* DB_ENV->open */
#define DB_RECOVER 0x00000002
#define DB_RECOVER_FATAL 0x00020000
#define DB_INIT_LOCK 0x00000100
#define DB_INIT_LOG 0x00000200
#define DB_INIT_MPOOL 0x00000400
#define DB_INIT_TXN 0x00002000
#define DB_PRIVATE 0x00010000
#define DB_REGISTER 0x00040000
#define DB_FAILCHK 0x00000010    /* refused */
#define DB_INIT_CDB 0x00000080   /* refused */
#define DB_INIT_REP 0x00001000   /* refused */
#define DB_LOCKDOWN 0x00004000   /* refused */
#define DB_SYSTEM_MEM 0x00080000 /* refused */

/* DB_ENV->close */
#define DB_FORCESYNC 0x00000001

/* DB_ENV->set_flags */
#define DB_HOTBACKUP_IN_PROGRESS 0x00000800
#define DB_TIME_NOTGRANTED 0x00040000
#define DB_CDB_ALLDB 0x00000040         /* refused, like the rest of these */
#define DB_DIRECT_DB 0x00000200         /* refused */
#define DB_DSYNC_DB 0x00000400          /* refused */
#define DB_NOLOCKING 0x00002000         /* refused */
#define DB_NOPANIC 0x00004000           /* refused */
#define DB_OVERWRITE 0x00008000         /* refused */
#define DB_PANIC_ENVIRONMENT 0x00010000 /* refused */
#define DB_REGION_INIT 0x00020000       /* refused */
#define DB_YIELDCPU 0x00080000          /* refused */

/* DB_ENV->set_verbose; mind that DB_VERB_BACKUP is no flag of DB_ENV->backup, where it would be
 * DB_CREATE */
#define DB_VERB_BACKUP 0x00000001
#define DB_VERB_DEADLOCK 0x00000002
#define DB_VERB_FILEOPS 0x00000004
#define DB_VERB_FILEOPS_ALL 0x00000008
#define DB_VERB_RECOVERY 0x00000010
#define DB_VERB_REGISTER 0x00000020
#define DB_VERB_REPLICATION 0x00000040
#define DB_VERB_REPMGR_CONNFAIL 0x00000080
#define DB_VERB_REPMGR_MISC 0x00000100
#define DB_VERB_REP_ELECT 0x00000200
#define DB_VERB_REP_LEASE 0x00000400
#define DB_VERB_REP_MISC 0x00000800
#define DB_VERB_REP_MSGS 0x00001000
#define DB_VERB_REP_SYNC 0x00002000
#define DB_VERB_REP_SYSTEM 0x00004000
#define DB_VERB_WAITSFOR 0x00010000

/* DB_ENV->set_lk_detect, lock_detect: values, not bits */
#define DB_LOCK_NORUN 0
#define DB_LOCK_DEFAULT 1
#define DB_LOCK_EXPIRE 2
#define DB_LOCK_MAXLOCKS 3
#define DB_LOCK_MAXWRITE 4
#define DB_LOCK_MINLOCKS 5
#define DB_LOCK_MINWRITE 6
#define DB_LOCK_OLDEST 7
#define DB_LOCK_RANDOM 8
#define DB_LOCK_YOUNGEST 9

/* DB_ENV->set_timeout, DB_TXN->set_timeout */
#define DB_SET_LOCK_TIMEOUT 0x00000001
#define DB_SET_TXN_TIMEOUT 0x00000002
#define DB_SET_REG_TIMEOUT 0x00000004

/* DB_ENV->log_set_config */
#define DB_LOG_AUTO_REMOVE 0x00000001
#define DB_LOG_DIRECT 0x00000002    /* refused */
#define DB_LOG_DSYNC 0x00000004     /* refused */
#define DB_LOG_IN_MEMORY 0x00000008 /* refused */
#define DB_LOG_ZERO 0x00000010      /* refused */

/* DB_ENV->log_archive */
#define DB_ARCH_ABS 0x00000001
#define DB_ARCH_DATA 0x00000002
#define DB_ARCH_LOG 0x00000004
#define DB_ARCH_REMOVE 0x00000008

/* DB_ENV->backup */
#define DB_BACKUP_CLEAN 0x00000002
#define DB_BACKUP_FILES 0x00000008
#define DB_BACKUP_NO_LOGS 0x00000010
#define DB_BACKUP_SINGLE_DIR 0x00000020
#define DB_BACKUP_UPDATE 0x00000040

/* DB_ENV->txn_begin, DB_TXN->commit, DB_ENV->set_flags */
#define DB_TXN_NOSYNC 0x00000001
#define DB_TXN_NOWAIT 0x00000002
#define DB_TXN_SNAPSHOT 0x00000004
#define DB_TXN_SYNC 0x00000008
#define DB_TXN_BULK 0x00000010
#define DB_TXN_WRITE_NOSYNC 0x00000020
#define DB_TXN_WAIT 0x00000080

/* db_create */
#define DB_XA_CREATE 0x00000001 /* refused */

/* DB->open */
#define DB_MULTIVERSION 0x00000008
#define DB_NOMMAP 0x00000010
#define DB_RDONLY 0x00000400
#define DB_TRUNCATE 0x00020000
#define DB_READ_UNCOMMITTED 0x00000200 /* refused there; taken by what reads */

/* DB->close */
#define DB_NOSYNC 0x00000001

/* DB->set_flags */
#define DB_CHKSUM 0x00000008
#define DB_DUPSORT 0x00000002         /* refused, like the rest of these */
#define DB_DUP 0x00000010             /* refused */
#define DB_ENCRYPT 0x00000001         /* refused */
#define DB_INORDER 0x00000020         /* refused */
#define DB_RECNUM 0x00000040          /* refused */
#define DB_RENUMBER 0x00000080        /* refused */
#define DB_REVSPLITOFF 0x00000100     /* refused */
#define DB_SNAPSHOT 0x00000200        /* refused */
#define DB_TXN_NOT_DURABLE 0x00000004 /* refused */

/* DB->verify */
#define DB_NOORDERCHK 0x00000002
#define DB_AGGRESSIVE 0x00000001   /* refused */
#define DB_ORDERCHKONLY 0x00000004 /* refused */
#define DB_PRINTABLE 0x00000008    /* refused */
#define DB_SALVAGE 0x00000040      /* refused */

/* DB->cursor */
#define DB_CURSOR_BULK 0x00000001
#define DB_WRITECURSOR 0x00000010 /* refused */

/* DB->get, put, del, exists, DBC->get, DBC->put: one of these values ... */
#define DB_CURRENT 6
#define DB_FIRST 7
#define DB_KEYFIRST 13
#define DB_KEYLAST 14
#define DB_LAST 15
#define DB_NEXT 16
#define DB_NOOVERWRITE 20
#define DB_PREV 23
#define DB_SET 26
#define DB_SET_RANGE 27
#define DB_AFTER 1           /* refused, like the rest of these */
#define DB_APPEND 2          /* refused */
#define DB_BEFORE 3          /* refused */
#define DB_CONSUME 4         /* refused */
#define DB_CONSUME_WAIT 5    /* refused */
#define DB_GET_BOTH 8        /* refused */
#define DB_GET_BOTH_RANGE 10 /* refused */
#define DB_GET_RECNO 11      /* refused */
#define DB_JOIN_ITEM 12      /* refused */
#define DB_NEXT_DUP 17       /* refused */
#define DB_NEXT_NODUP 18     /* refused */
#define DB_NODUPDATA 19      /* refused */
#define DB_OVERWRITE_DUP 21  /* refused */
#define DB_POSITION 22       /* refused */
#define DB_PREV_DUP 24       /* refused */
#define DB_PREV_NODUP 25     /* refused */
#define DB_SET_RECNO 28      /* refused */
#define DB_OPFLAGS_MASK 0x000000ff
/* ... and of these bits */
#define DB_RMW 0x00002000
#define DB_READ_COMMITTED 0x00000400
#define DB_IGNORE_LEASE 0x00001000
#define DB_MULTIPLE 0x00000800     /* refused */
#define DB_MULTIPLE_KEY 0x00004000 /* refused */

/* ---- small types ---- */

/* Access methods. Only DB_BTREE is here; the others are refused by DB->open. */
typedef enum {
    DB_BTREE = 1,
    DB_HASH = 2,
    DB_RECNO = 3,
    DB_QUEUE = 4,
    DB_UNKNOWN = 5, /* whatever the file is */
    DB_HEAP = 6
} DBTYPE;

/* DB_ENV->set_backup_config */
typedef enum {
    DB_BACKUP_READ_COUNT = 1,  /* pages to read before a pause; 0: no pause. Default 0 */
    DB_BACKUP_READ_SLEEP = 2,  /* microseconds of a pause. Default 0 */
    DB_BACKUP_SIZE = 3,        /* bytes of the read buffer. Default 1 MiB */
    DB_BACKUP_WRITE_DIRECT = 4 /* 1: write past the page cache where that is possible. Default 0 */
} DB_BACKUP_CONFIG;

/* A place in the log: number of a log file, byte offset in it. [DB_LSN] */
struct __db_lsn {
    u_int32_t file;
    u_int32_t offset;
};

/*
 * A key or a value. Zero all fields before use. Keys are ordered by their bytes, the shorter first;
 * a key may hold about a quarter of a page, a value 1 MiB. [DBT]
 *
 * As input: `size` bytes at `data`; size 0 is an empty key or value.
 *
 * As output, the flag says whose memory the bytes come in; at most one of the three:
 *     0                the handle's (that of the DB for DB->get, of the DBC for DBC->get): good
 *                      until the handle's next use. EINVAL for DB->get of a DB_THREAD handle.
 *     DB_DBT_MALLOC    a new block that the program frees
 *     DB_DBT_REALLOC   `data`, grown with realloc as needed (NULL is fine), stays the program's
 *     DB_DBT_USERMEM   `data`, which has room for `ulen` bytes; when that is too little the call
 *                      gives DB_BUFFER_SMALL, `size` is what is needed, and nothing has moved
 * `size` is then the number of bytes.
 *
 * DB_DBT_PARTIAL, on values and on keys that are returned, with offset `doff` and length `dlen`, in
 * bytes:
 *     as output: only those bytes, as far as the value has them
 *     as input:  replaces those bytes of the value by the `size` bytes at `data`; the value grows
 *                or shrinks, a gap is filled with zero bytes, a missing value counts as empty
 */
struct __db_dbt {
    void *data;
    u_int32_t size; /* bytes at data */
    u_int32_t ulen; /* room at data, with DB_DBT_USERMEM */
    u_int32_t dlen; /* with DB_DBT_PARTIAL */
    u_int32_t doff; /* with DB_DBT_PARTIAL */
    void *app_data; /* the program's; not looked at */
    u_int32_t flags;
};

#define DB_DBT_MALLOC 0x010
#define DB_DBT_PARTIAL 0x040
#define DB_DBT_REALLOC 0x080
#define DB_DBT_READONLY 0x100 /* on an input key: nothing is written to it, ever */
#define DB_DBT_USERMEM 0x800
#define DB_DBT_APPMALLOC 0x001 /* refused */
#define DB_DBT_MULTIPLE 0x020  /* refused */

/* ---- functions ---- */

/*
 * Makes a handle for an environment. flags: 0. *envp belongs to the program until DB_ENV->close or
 * DB_ENV->remove, one of which must be called whatever happens between. [db_env_create]
 */
int db_env_create(DB_ENV **envp, u_int32_t flags);

/*
 * Makes a handle for a database of `env`, or for a database on its own when env is NULL: without
 * transactions and log, safe only after DB->sync or DB->close. flags: 0. *dbp belongs to the
 * program until DB->close, DB->remove or DB->verify, one of which must be called; DB_ENV->close
 * does it too. [db_create]
 */
int db_create(DB **dbp, DB_ENV *env, u_int32_t flags);

/* The sentence for a result. Static or, for unknown values, good until the thread's next call.
 * [db_strerror] */
char *db_strerror(int error);

/* The version of the interface; pointers may be NULL. The string says that this is not Berkeley DB.
 * [db_version, db_full_version] */
char *db_version(int *major, int *minor, int *patch);
char *db_full_version(int *family, int *release, int *major, int *minor, int *patch);

/* ---- environment ---- */

/*
 * An environment: a home directory, data directories, a log directory, any number of databases, one
 * log. [Database Environments and Related Methods]
 */
struct __db_env {
    void *app_private; /* the program's, NULL at first, not looked at */

    /* -- messages: any time -- */

    /*
     * Where messages about errors go: to the function, and to the stream. As long as neither has
     * been set or unset, to stderr. The stream's line is prefix, colon, space, message; the
     * function gets prefix (NULL: none) and message. NULL unsets. The prefix is not copied: it must
     * stay until the handle is closed. No lock of the library is held meanwhile; the function must
     * not close what the failing call uses. [DB_ENV->set_errcall, DB_ENV->set_errfile,
     * DB_ENV->set_errpfx]
     */
    void (*set_errcall)(
        DB_ENV *env, void (*function)(const DB_ENV *env, const char *prefix, const char *message));
    void (*set_errfile)(DB_ENV *env, FILE *stream);
    void (*set_errpfx)(DB_ENV *env, const char *prefix);

    /* The same for what is no error; see set_verbose. Nowhere until set.
     * [DB_ENV->set_msgcall, DB_ENV->set_msgfile] */
    void (*set_msgcall)(DB_ENV *env, void (*function)(const DB_ENV *env, const char *message));
    void (*set_msgfile)(DB_ENV *env, FILE *stream);

    /* Sends the program's own message that way, or to stderr when there is no way: text as by
     * printf; err adds colon, space and db_strerror(error). format may be NULL for err.
     * [DB_ENV->err] */
    void (*err)(const DB_ENV *env, int error, const char *format, ...);
    void (*errx)(const DB_ENV *env, const char *format, ...);

    /*
     * Switches a kind of messages on (onoff not 0) or off. DB_VERB_BACKUP: backup and dbbackup send
     * a line per operation. The other kinds are accepted and have nothing to say here. Any time.
     * [DB_ENV->set_verbose]
     */
    int (*set_verbose)(DB_ENV *env, u_int32_t which, int onoff);

    /* -- configuration -- */

    /*
     * Adds a directory for databases, absolute or relative to the home; it must exist when the
     * environment is opened. Databases are looked for in these directories in order, then in the
     * home, and made in the first, unless set_create_dir names another one of them. A directory
     * that was added already is not added again. Before open only. [DB_ENV->add_data_dir,
     * DB_ENV->set_data_dir (deprecated), DB_ENV->set_create_dir]
     */
    int (*add_data_dir)(DB_ENV *env, const char *dir);
    int (*set_data_dir)(DB_ENV *env, const char *dir);
    int (*set_create_dir)(DB_ENV *env, const char *dir);

    /* *dirs: the directories as spelled, then NULL. The environment's, good until the next one is
     * added. Any time. [DB_ENV->get_data_dirs] */
    int (*get_data_dirs)(DB_ENV *env, const char ***dirs);

    /* The directory of the log files, absolute or relative to the home; it must exist when the
     * environment is opened. Default: the home; *dir is then NULL. set: before open only.
     * [DB_ENV->set_lg_dir, DB_ENV->get_lg_dir] */
    int (*set_lg_dir)(DB_ENV *env, const char *dir);
    int (*get_lg_dir)(DB_ENV *env, const char **dir);

    /* Bytes that a log file may hold before the next begins; at least 16 KiB; 0: the default, 10
     * MiB. Any time: for files begun from now on. [DB_ENV->set_lg_max] */
    int (*set_lg_max)(DB_ENV *env, u_int32_t bytes);

    /* Cache of gbytes * 1 GiB + bytes, at least 20 KiB; 0 and 0: the default, 16 MiB. Dirty pages
     * beyond it cause a checkpoint. ncache is not looked at. Any time. [DB_ENV->set_cachesize] */
    int (*set_cachesize)(DB_ENV *env, u_int32_t gbytes, u_int32_t bytes, int ncache);

    /*
     * Switches flags on (onoff not 0) or off; any time; they go for this handle and what is opened
     * in it, but for the last. [DB_ENV->set_flags]
     *     DB_AUTO_COMMIT       as if given to every DB->open without a transaction
     *     DB_TXN_NOSYNC        commit does not wait for the disk: a crash may undo the last ones
     *     DB_TXN_WRITE_NOSYNC  such a commit survives the program's crash, need not survive the
     *                          machine's; here it waits for the disk and survives both. Replaces
     *                          DB_TXN_NOSYNC and is replaced by it
     *     DB_TXN_NOWAIT        a transaction that would have to wait fails instead
     *     DB_TIME_NOTGRANTED   a wait that is not begun or cut short is DB_LOCK_NOTGRANTED instead
     *                          of DB_LOCK_DEADLOCK
     *     DB_MULTIVERSION, DB_TXN_SNAPSHOT   see DB->open, DB->cursor
     *     DB_NOMMAP            accepted; nothing is mapped anyway
     *     DB_HOTBACKUP_IN_PROGRESS   counts: on adds one, off takes one away, EINVAL at 0; alone;
     *                          after open only. The count is the environment's, over all handles.
     *                          Changes nothing else, since nothing here is less than fully logged.
     */
    int (*set_flags)(DB_ENV *env, u_int32_t flags, int onoff);

    /* *flags: those that are on; DB_HOTBACKUP_IN_PROGRESS while the count is not 0, thus also while
     * DB_ENV->backup runs. Any time. [DB_ENV->get_flags] */
    int (*get_flags)(DB_ENV *env, u_int32_t *flags);

    /* Which transaction a deadlock detector would choose, one of DB_LOCK_DEFAULT to
     * DB_LOCK_YOUNGEST. There is nothing to choose here: a wait that could not end is not begun.
     * After open a value that was set cannot be changed. [DB_ENV->set_lk_detect] */
    int (*set_lk_detect)(DB_ENV *env, u_int32_t policy);

    /* How long to wait for the write lock: DB_SET_LOCK_TIMEOUT, for each wait; DB_SET_TXN_TIMEOUT,
     * until the transaction is that old. 0: for ever. DB_SET_REG_TIMEOUT: accepted, nobody is
     * waited for. Any time; for transactions begun from then on. [DB_ENV->set_timeout] */
    int (*set_timeout)(DB_ENV *env, db_timeout_t microseconds, u_int32_t flags);

    /* DB_LOG_AUTO_REMOVE: each checkpoint removes the log files that recovery and running backups
     * do not need. Any time. [DB_ENV->log_set_config] */
    int (*log_set_config)(DB_ENV *env, u_int32_t flags, int onoff);

    /* -- open and close -- */

    /*
     * Opens the environment at `home`, which must exist, and recovers it first if it was not closed
     * or is a copy. home NULL: the variable DB_HOME, if DB_USE_ENVIRON is given (or
     * DB_USE_ENVIRON_ROOT and the user is root) and it is set, else the current directory. A file
     * DB_CONFIG in the home overrules what was configured; see below. mode: permission bits of
     * files that are made, 0: 0660; the umask applies. [DB_ENV->open]
     *
     *     DB_CREATE         make what is missing. Needs DB_INIT_TXN: an environment without
     *                       transactions is not in this version
     *     DB_INIT_LOCK, DB_INIT_LOG, DB_INIT_MPOOL, DB_INIT_TXN
     *                       all are always there. Without DB_CREATE an environment is joined as it
     *                       is, whichever are given
     *     DB_RECOVER        with DB_CREATE and DB_INIT_TXN; recovery happens anyway when needed
     *     DB_RECOVER_FATAL  the same, from the oldest log file on
     *     DB_REGISTER       accepted: an open that needs recovery recovers, so that the answer
     *                       DB_RUNRECOVERY "recover first" is never given
     *     DB_THREAD         handles may be used by several threads
     *     DB_PRIVATE        accepted: memory is never shared with other processes
     *
     * While another process has it open: EAGAIN with DB_CREATE or a recovery flag; without them it
     * is opened for backup. Then backup and dbbackup (this one into directories only), their
     * configuration, log_archive that lists, and close work; all else is EOPNOTSUPP.
     *
     * ENOENT: no such home, or no environment in it and no
     * DB_CREATE; a configured directory is missing. EINVAL also: DB_HOME is set and empty; a line
     * of DB_CONFIG is wrong; the home is an unfinished backup. DB_VERSION_MISMATCH: an unknown
     * format. DB_RUNRECOVERY: damage that recovery cannot repair. After a failure the handle can
     * only be closed.
     *
     * DB_CONFIG: lines NAME VALUE; empty ones and those that begin with # or white space do not
     * count. Names: add_data_dir set_data_dir set_create_dir set_lg_dir set_lg_max set_cachesize
     * set_flags set_verbose set_lk_detect set_lock_timeout set_txn_timeout set_reg_timeout
     * log_set_config set_open_flags, with the words of the manual (flags by name, "on" or "off").
     * Names that size tables of Berkeley DB are accepted, if a number follows, and change nothing.
     * Any other is EINVAL.
     */
    int (*open)(DB_ENV *env, const char *home, u_int32_t flags, int mode);

    /*
     * Closes the environment with all databases and cursors that are open in it and frees their
     * handles and this one, whatever the result. EINVAL when transactions were not resolved: they
     * are aborted. flags: 0, or DB_FORCESYNC to sync databases as DB->close does. The last handle
     * of the process to close writes a checkpoint. [DB_ENV->close]
     */
    int (*close)(DB_ENV *env, u_int32_t flags);

    /*
     * Removes what makes `home` (as for open) an environment beside databases and log, and frees
     * the handle, whatever the result. The handle must not have been opened. Databases and log
     * files stay. EBUSY when it is open somewhere, DB_FORCE or not. flags: 0 or DB_FORCE,
     * DB_USE_ENVIRON, DB_USE_ENVIRON_ROOT. [DB_ENV->remove]
     */
    int (*remove)(DB_ENV *env, const char *home, u_int32_t flags);

    /* The home as opened, "." when it is the current directory by default; NULL before open.
     * [DB_ENV->get_home] */
    int (*get_home)(DB_ENV *env, const char **home);

    /* The flags of open, as overruled by DB_CONFIG. After open only. [DB_ENV->get_open_flags] */
    int (*get_open_flags)(DB_ENV *env, u_int32_t *flags);

    /* -- transactions and log: after open only, like all that follows -- */

    /*
     * Begins a transaction. parent: NULL, nested ones are refused. *txn belongs to the program
     * until DB_TXN->commit or abort. flags override those of set_flags: at most one of DB_TXN_SYNC,
     * DB_TXN_NOSYNC, DB_TXN_WRITE_NOSYNC; DB_TXN_WAIT or DB_TXN_NOWAIT; DB_READ_COMMITTED,
     * DB_READ_UNCOMMITTED, DB_TXN_SNAPSHOT (see above); DB_TXN_BULK (accepted; all is logged).
     * [DB_ENV->txn_begin]
     */
    int (*txn_begin)(DB_ENV *env, DB_TXN *parent, DB_TXN **txn, u_int32_t flags);

    /*
     * Checkpoint: brings all that is committed into the database files and syncs them, so that
     * recovery has less to do. With kbyte or min not 0 only if more than so many KiB of log have
     * been written, or more than so many minutes have passed, since the last one. Nothing to do: 0.
     * DB_FORCE: always. [DB_ENV->txn_checkpoint]
     */
    int (*txn_checkpoint)(DB_ENV *env, u_int32_t kbyte, u_int32_t min, u_int32_t flags);

    /* One run of a deadlock detector: finds nothing, since no deadlock can come to be; *rejected
     * (may be NULL) is 0. flags: 0; policy as for set_lk_detect. [DB_ENV->lock_detect] */
    int (*lock_detect)(DB_ENV *env, u_int32_t flags, u_int32_t policy, int *rejected);

    /*
     * Lists files, relative to the home, or absolute when they lie elsewhere or with DB_ARCH_ABS:
     *     0               log files that neither recovery nor a running backup needs
     *     DB_ARCH_LOG     all log files
     *     DB_ARCH_DATA    all databases
     *     DB_ARCH_REMOVE  lists nothing and removes those of flag 0; with no other flag
     * *list: names, then NULL; one block that the program frees; NULL when there are none.
     * [DB_ENV->log_archive]
     */
    int (*log_archive)(DB_ENV *env, char **list[], u_int32_t flags);

    /* Makes the log durable, all of it. lsn: NULL, or a place in it; EINVAL for one in a log file
     * that there is not yet. [DB_ENV->log_flush] */
    int (*log_flush)(DB_ENV *env, const DB_LSN *lsn);

    /* -- files -- */

    /*
     * Removes the database `file`, or renames it to `newname` in its directory; in txn, or by
     * itself when txn is NULL. database: NULL. flags: 0 or, with txn NULL, DB_AUTO_COMMIT. ENOENT;
     * EBUSY when it is open; EEXIST when the new name is taken. [DB_ENV->dbremove,
     * DB_ENV->dbrename]
     */
    int (*dbremove)(
        DB_ENV *env, DB_TXN *txn, const char *file, const char *database, u_int32_t flags);
    int (*dbrename)(DB_ENV *env, DB_TXN *txn, const char *file, const char *database,
        const char *newname, u_int32_t flags);

    /* -- hot backup -- */

    /*
     * Copies the environment into the directory `target` while it is in use. Opening the copy, with
     * DB_RECOVER_FATAL or without, recovers it to a state that holds every transaction committed
     * before the call, perhaps later ones, and no part of any other. Takes no checkpoint.
     * [DB_ENV->backup]
     *
     * Data directories and log directory that are relative to the home are found at the same place
     * below the target; absolute ones need DB_BACKUP_SINGLE_DIR. Region and control files are never
     * copied. All checks come before the first change to the target. After a failure what was made
     * is removed, and an earlier backup there is whole, or marked so that it does not open.
     *
     *     DB_CREATE             make target, directories above and below it; mode 0700
     *     DB_EXCL               EEXIST when a file of the backup is there already
     *     DB_BACKUP_CLEAN       first remove all files of the target's tree; links are removed, not
     *                           followed
     *     DB_BACKUP_FILES       ordinary files too, also in subdirectories, and DB_CONFIG
     *     DB_BACKUP_NO_LOGS     no log files
     *     DB_BACKUP_SINGLE_DIR  all files directly in the target, without DB_CONFIG
     *     DB_BACKUP_UPDATE      only the log files that the backup in the target lacks; see below
     * Any other bit is EINVAL before anything else is looked at. DB_VERB_BACKUP belongs to
     * set_verbose.
     *
     * An update needs an earlier backup of this environment in the target, with its logs: as it was
     * copied, or recovered since but not written to. Any number of updates may follow. It removes
     * nothing from the source. A log file that the target has in part is replaced; DB_EXCL looks
     * only at those that it lacks; DB_BACKUP_CLEAN removes those that the target's databases have
     * in them already, and nothing else. EINVAL, and nothing is touched, without such a backup,
     * when the environment no longer has the log that follows it (take a full one then), and with
     * DB_BACKUP_NO_LOGS. A failure leaves the backup as it was, or with part of the new log.
     * Callbacks get every log file that is there.
     *
     * Callbacks (see below) take the place of the directory: target goes to them as it is, may be
     * NULL and need not exist, and DB_CREATE, DB_EXCL and DB_BACKUP_CLEAN are theirs to heed.
     *
     * ENOENT: the target, or a directory needed below it, is missing and there is no DB_CREATE.
     * ENOTDIR: the target is a file. ELOOP: a symbolic link stands where a file of the backup goes.
     * EINVAL also: before open; target empty, or NULL without callbacks; target equal to or above
     * a directory of the environment, or inside its data or log directories; an absolute directory
     * without DB_BACKUP_SINGLE_DIR. EEXIST also: two files of one name with it. EIO: a page of the
     * source is damaged. What a callback returned, verbatim.
     */
    int (*backup)(DB_ENV *env, const char *target, u_int32_t flags);

    /*
     * Copies the one database `dbfile` into the directory `target`, which must exist, as
     * `target`/`dbfile`. The copy is consistent by itself. flags: 0 or DB_EXCL. ENOENT: no such
     * database (NULL and "" too), or no target. Else as backup, callbacks too. [DB_ENV->dbbackup]
     */
    int (*dbbackup)(DB_ENV *env, const char *dbfile, const char *target, u_int32_t flags);

    /*
     * Functions that receive backups of this handle instead of a directory: all three, or three
     * NULLs for a directory again; EINVAL otherwise. Any time; a running backup keeps those that it
     * began with. [DB_ENV->set_backup_callbacks, DB_ENV->get_backup_callbacks]
     *
     * open_func gets the file's name, relative to the target with '/' between directories, and the
     * target as given, and sets *handle, which is NULL before. write_func gets `size` bytes at
     * offset_gbytes * 1 GiB + offset_bytes; offsets rise without gaps from 0. close_func ends the
     * file: exactly once for each open_func that returned 0. One file at a time: databases, then
     * ordinary files, then log files. A value other than 0 ends the backup, and the first such
     * value is its result. No lock is held during a call: it may read, write, commit and
     * checkpoint.
     *
     * get: pointers may be NULL; functions that are not set are NULL.
     */
    int (*set_backup_callbacks)(DB_ENV *env,
        int (*open_func)(DB_ENV *env, const char *dbname, const char *target, void **handle),
        int (*write_func)(DB_ENV *env, u_int32_t offset_gbytes, u_int32_t offset_bytes,
            u_int32_t size, u_int8_t *buf, void *handle),
        int (*close_func)(DB_ENV *env, const char *dbname, void *handle));
    int (*get_backup_callbacks)(DB_ENV *env,
        int (**open_func)(DB_ENV *env, const char *dbname, const char *target, void **handle),
        int (**write_func)(DB_ENV *env, u_int32_t offset_gbytes, u_int32_t offset_bytes,
            u_int32_t size, u_int8_t *buf, void *handle),
        int (**close_func)(DB_ENV *env, const char *dbname, void *handle));

    /* One of DB_BACKUP_CONFIG for backups of this handle. Any time; a running backup keeps what it
     * began with. A size that is no multiple of a page is rounded, to one page at least; size 0 is
     * the default. Any value but 0 of WRITE_DIRECT is 1; where the file system takes no direct
     * writes, a message says so (set_msgcall) and the backup is written as without it.
     * [DB_ENV->set_backup_config, DB_ENV->get_backup_config] */
    int (*set_backup_config)(DB_ENV *env, DB_BACKUP_CONFIG option, u_int32_t value);
    int (*get_backup_config)(DB_ENV *env, DB_BACKUP_CONFIG option, u_int32_t *value);
};

/* ---- transaction ---- */

struct __db_txn {
    /*
     * Ends the transaction and frees the handle, whatever the result; cursors that are still open
     * are closed. commit: all changes are there for others, and durable unless DB_TXN_NOSYNC;
     * flags: 0, or one of DB_TXN_SYNC, DB_TXN_NOSYNC, DB_TXN_WRITE_NOSYNC, which overrides
     * txn_begin. A commit that fails was an abort, but for DB_RUNRECOVERY: then the next open of
     * the environment tells. [DB_TXN->commit, DB_TXN->abort]
     */
    int (*commit)(DB_TXN *txn, u_int32_t flags);
    int (*abort)(DB_TXN *txn);

    /* A number that no other transaction of the environment has now. [DB_TXN->id] */
    u_int32_t (*id)(DB_TXN *txn);

    /* As DB_ENV->set_timeout, for this transaction: DB_SET_LOCK_TIMEOUT or DB_SET_TXN_TIMEOUT.
     * [DB_TXN->set_timeout] */
    int (*set_timeout)(DB_TXN *txn, db_timeout_t microseconds, u_int32_t flags);
};

/* ---- database ---- */

/*
 * A database: a B+tree in a file of its own.
 *
 * txn, in the methods that take one: the transaction that the operation belongs to. It needs a
 * database that was opened in a transaction or with DB_AUTO_COMMIT. NULL: reads see the last
 * commit; a write is a transaction of its own.
 */
struct __db {
    void *app_private; /* the program's, NULL at first, not looked at */

    /* -- configuration -- */

    /* Bytes of a page, a power of two from 512 to 65536, for a file that open makes; default 4096.
     * set: before open only. get: 0 before open when not set; after open the file's.
     * [DB->set_pagesize, DB->get_pagesize] */
    int (*set_pagesize)(DB *db, u_int32_t bytes);
    int (*get_pagesize)(DB *db, u_int32_t *bytes);

    /* DB_CHKSUM: accepted, every page has a checksum. All others are refused. Before open only.
     * [DB->set_flags] */
    int (*set_flags)(DB *db, u_int32_t flags);

    /* The directory in which open looks for the file or makes it, one of the environment's data
     * directories. Before open only. [DB->set_create_dir] */
    int (*set_create_dir)(DB *db, const char *dir);

    /* As the methods of DB_ENV, and the same thing when the database belongs to an environment.
     * [DB->set_errfile, DB->set_errpfx, DB->err] */
    void (*set_errfile)(DB *db, FILE *stream);
    void (*set_errpfx)(DB *db, const char *prefix);
    void (*err)(DB *db, int error, const char *format, ...);
    void (*errx)(DB *db, const char *format, ...);

    /* -- open and close -- */

    /*
     * Opens the database `file`: in an environment a name below one of its data directories, else a
     * path. database: NULL. type: DB_BTREE, or DB_UNKNOWN for a file that is there. mode:
     * permission bits of a file that is made, 0: 0660; the umask applies. [DB->open]
     *
     *     DB_CREATE        make it when missing; with txn others see it after the commit
     *     DB_EXCL          with DB_CREATE: EEXIST when it is there
     *     DB_AUTO_COMMIT   transactions may be used; only with txn NULL, in an environment
     *     DB_RDONLY        every write is EACCES
     *     DB_THREAD        needs an environment with DB_THREAD, or none
     *     DB_TRUNCATE      without an environment only: empties it
     *     DB_MULTIVERSION  needs transactions; see DB->cursor
     *     DB_NOMMAP        accepted; nothing is mapped anyway
     *
     * ENOENT: it is missing and there is no DB_CREATE. DB_OLD_VERSION: an unknown format. EINVAL
     * also: file is NULL (in memory) or database is not (several databases in a file), another
     * type: not in this version. After a failure the handle can only be closed.
     */
    int (*open)(DB *db, DB_TXN *txn, const char *file, const char *database, DBTYPE type,
        u_int32_t flags, int mode);

    /*
     * Closes the database with its cursors and frees the handle, whatever the result. What was
     * committed is brought into the file, unless flags is DB_NOSYNC and there is an environment,
     * whose log has it anyway. Transactions should be resolved before.
     * [DB->close]
     */
    int (*close)(DB *db, u_int32_t flags);

    /* Brings all that is committed into the file and syncs it: in an environment a checkpoint.
     * flags: 0. [DB->sync] */
    int (*sync)(DB *db, u_int32_t flags);

    /* The file as it was opened; *database is NULL. After open only. [DB->get_dbname] */
    int (*get_dbname)(DB *db, const char **file, const char **database);
    /* DB_BTREE. After open only. [DB->get_type] */
    int (*get_type)(DB *db, DBTYPE *type);

    /* -- records: after open only -- */

    /* Stores a record; replaces the one with that key. flags: 0, or DB_NOOVERWRITE: DB_KEYEXIST
     * when there is one. EINVAL: key or value too long. EACCES: read-only. [DB->put] */
    int (*put)(DB *db, DB_TXN *txn, DBT *key, DBT *data, u_int32_t flags);

    /*
     * Fetches a value. DB_NOTFOUND. DB_BUFFER_SMALL: see DBT. flags: 0, or DB_RMW: takes the write
     * lock, so that the value cannot change before txn writes; nothing without txn. Also accepted:
     * DB_READ_COMMITTED, DB_READ_UNCOMMITTED, DB_IGNORE_LEASE. [DB->get]
     */
    int (*get)(DB *db, DB_TXN *txn, DBT *key, DBT *data, u_int32_t flags);

    /* 0 or DB_NOTFOUND. flags as for get. [DB->exists] */
    int (*exists)(DB *db, DB_TXN *txn, DBT *key, u_int32_t flags);

    /* Removes a record. DB_NOTFOUND. flags: 0. EACCES: read-only. [DB->del] */
    int (*del)(DB *db, DB_TXN *txn, DBT *key, u_int32_t flags);

    /* Removes all records; *count (may be NULL): how many. flags: 0. EINVAL while a cursor of the
     * environment handle is open on it. [DB->truncate] */
    int (*truncate)(DB *db, DB_TXN *txn, u_int32_t *count, u_int32_t flags);

    /*
     * Opens a cursor, at no record yet. *cursor belongs to the program until DBC->close. In txn it
     * reads what txn reads. Without, each call reads the last commit: it sees what others have
     * changed meanwhile. flags: 0, or DB_TXN_SNAPSHOT, which without txn and on a DB_MULTIVERSION
     * database makes it read the state at this moment, and read-only. Also accepted:
     * DB_READ_COMMITTED, DB_READ_UNCOMMITTED, DB_CURSOR_BULK. [DB->cursor]
     */
    int (*cursor)(DB *db, DB_TXN *txn, DBC **cursor, u_int32_t flags);

    /* -- whole files: instead of open; they free the handle, whatever the result -- */

    /*
     * Checks every page's checksum and the whole tree of the database `file`: DB_VERIFY_BAD at the
     * first thing wrong, and the message names file and page. In an environment as of the last
     * commit. database: NULL. outfile is not used. flags: 0; DB_NOORDERCHK is accepted and all is
     * checked. ENOENT. [DB->verify]
     */
    int (*verify)(DB *db, const char *file, const char *database, FILE *outfile, u_int32_t flags);

    /* Removes the database `file`; in an environment as dbremove without txn. database: NULL.
     * flags: 0. ENOENT. [DB->remove] */
    int (*remove)(DB *db, const char *file, const char *database, u_int32_t flags);
};

/* ---- cursor ---- */

struct __dbc {
    /*
     * Moves and fetches; after a failure, DB_BUFFER_SMALL included, the cursor is where it was. One
     * of these, and DB_RMW or what else DB->get accepts. [DBcursor->get]
     *     DB_FIRST, DB_LAST, DB_NEXT, DB_PREV   DB_NOTFOUND when there is none. At no record yet,
     *                    DB_NEXT is DB_FIRST and DB_PREV is DB_LAST. After the record was removed
     *                    they go on from where it was
     *     DB_SET         to exactly `key`, which is not written to. DB_NOTFOUND
     *     DB_SET_RANGE   to the smallest key not below `key`. DB_NOTFOUND
     *     DB_CURRENT     stays. DB_KEYEMPTY when the record was removed; EINVAL at no record
     */
    int (*get)(DBC *cursor, DBT *key, DBT *data, u_int32_t flags);

    /*
     * Stores a record. DB_KEYFIRST, DB_KEYLAST: as DB->put, and moves there. DB_CURRENT: replaces
     * the value at the cursor, key is not looked at; DB_NOTFOUND when the record was removed,
     * EINVAL at no record. EACCES: read-only. [DBcursor->put]
     */
    int (*put)(DBC *cursor, DBT *key, DBT *data, u_int32_t flags);

    /* Removes the record at the cursor, which stays there. DB_KEYEMPTY when it was removed already;
     * EINVAL at no record. flags: 0. EACCES: read-only. [DBcursor->del] */
    int (*del)(DBC *cursor, u_int32_t flags);

    /* Frees the cursor, whatever the result. EINVAL when its transaction has closed it already; not
     * to be called after DB->close or DB_ENV->close has. [DBcursor->close] */
    int (*close)(DBC *cursor);

    /* The same under their old names. */
    int (*c_get)(DBC *cursor, DBT *key, DBT *data, u_int32_t flags);
    int (*c_put)(DBC *cursor, DBT *key, DBT *data, u_int32_t flags);
    int (*c_del)(DBC *cursor, u_int32_t flags);
    int (*c_close)(DBC *cursor);
};

#ifdef __cplusplus
}
#endif

#endif
