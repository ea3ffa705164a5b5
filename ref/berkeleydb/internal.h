/*
 * The insides of the Berkeley DB face: handles, and what its files do for one another. Nothing
 * outside berkeleydb/ includes this.
 *
 * A handle is one allocation that begins with the public struct of db.h, so that the program's
 * pointer is ours. Each file installs the methods it implements into a new handle.
 *
 * Locks: ref_bdb_env.lock guards the settings and the lists of handles of one environment
 * handle. It is never held during a call of the engine or of the program.
 */
#ifndef REF_BDB_INTERNAL_H
#define REF_BDB_INTERNAL_H

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <db.h>

#include "../engine/engine.h"

typedef struct ref_bdb_env ref_bdb_env;
typedef struct ref_bdb_txn ref_bdb_txn;
typedef struct ref_bdb_db ref_bdb_db;
typedef struct ref_bdb_cursor ref_bdb_cursor;

/* ---- handles ---- */

/* What all environment handles of the process that are open on one home share (shared.c). */
typedef struct ref_bdb_shared {
    ref_env *engine;
    unsigned handles;
    unsigned hot_backups; /* DB_HOTBACKUP_IN_PROGRESS, counted */
    db_timeout_t lock_timeout, txn_timeout;
    struct ref_bdb_shared *next;
} ref_bdb_shared;

typedef int (*ref_bdb_backup_open)(DB_ENV *, const char *, const char *, void **);
typedef int (*ref_bdb_backup_write)(DB_ENV *, u_int32_t, u_int32_t, u_int32_t, u_int8_t *, void *);
typedef int (*ref_bdb_backup_close)(DB_ENV *, const char *, void *);

typedef struct ref_bdb_backup_settings {
    ref_bdb_backup_open open; /* all three or none */
    ref_bdb_backup_write write;
    ref_bdb_backup_close close;
    u_int32_t read_count, read_sleep, size, write_direct;
} ref_bdb_backup_settings;

struct ref_bdb_env {
    DB_ENV handle;
    pthread_mutex_t lock;

    /* settings */
    char **data_dirs; /* NULL-terminated; never NULL */
    size_t data_dir_count;
    char *create_dir, *log_dir; /* NULL: default */
    u_int32_t log_max;          /* 0: default */
    uint64_t cache_size;        /* 0: default */
    u_int32_t flags;            /* of set_flags */
    u_int32_t verbose;
    u_int32_t lk_detect;                    /* 0: not set */
    db_timeout_t lock_timeout, txn_timeout; /* before open; then in shared */
    bool log_auto_remove;
    ref_bdb_backup_settings backup;

    /* messages */
    void (*errcall)(const DB_ENV *, const char *, const char *);
    void (*msgcall)(const DB_ENV *, const char *);
    FILE *errfile, *msgfile;
    const char *errpfx; /* the program's memory */
    bool output_chosen; /* errcall or errfile was called: no stderr by default any more */

    /* from open on constant */
    ref_env *engine; /* NULL: not open */
    ref_bdb_shared *shared;
    ref_vfs *vfs;
    char *home;
    u_int32_t open_flags;

    ref_bdb_db *dbs;
    ref_bdb_txn *txns;
};

struct ref_bdb_txn {
    DB_TXN handle;
    ref_bdb_env *env;
    ref_txn *engine;
    uint64_t begun; /* vfs time */
    db_timeout_t lock_timeout, txn_timeout;
    ref_bdb_cursor *cursors;
    ref_bdb_txn *next;
};

struct ref_bdb_db {
    DB handle;
    ref_bdb_env *env;    /* one of its own, never open, when alone */
    bool alone;          /* no environment */
    u_int32_t page_size; /* 0: not set */
    char *create_dir;

    /* from open on constant */
    ref_db *engine; /* NULL: not open */
    char *name;
    bool transactional; /* transactions may be used */
    bool multiversion;
    bool threaded;

    ref_buffer returned;     /* memory of DB->get without a memory flag */
    ref_bdb_cursor *cursors; /* also those closed by their transaction */
    ref_bdb_db *next;
};

struct ref_bdb_cursor {
    DBC handle;
    ref_bdb_db *db;
    ref_bdb_txn *txn;     /* NULL: none */
    ref_cursor *engine;   /* NULL: closed by the end of its transaction; only close is left */
    bool snapshot;        /* reads one state, and only reads */
    ref_buffer key, data; /* returned memory */
    ref_bdb_cursor *next_of_db, *next_of_txn;
};

static inline ref_bdb_env *ref_bdb_env_of(const DB_ENV *handle)
{
    return (ref_bdb_env *)handle;
}

static inline ref_bdb_txn *ref_bdb_txn_of(DB_TXN *handle)
{
    return (ref_bdb_txn *)handle;
}

static inline ref_bdb_db *ref_bdb_db_of(DB *handle)
{
    return (ref_bdb_db *)handle;
}

static inline ref_bdb_cursor *ref_bdb_cursor_of(DBC *handle)
{
    return (ref_bdb_cursor *)handle;
}

/* ---- errors.c ---- */

/* The library's value for an engine result; positive ones stay. */
int ref_bdb_error(ref_bdb_env *env, int result);

/* ---- messages.c ---- */

/* Refuses: sends "METHOD: words" as an error message and returns `error`. env may be NULL: stderr.
 */
int ref_bdb_refuse(ref_bdb_env *env, int error, const char *method, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Takes an engine result over: translates it, sends what the engine said unless it is one of the
 * everyday ones, and returns the translation. 0 stays 0 and silent. */
int ref_bdb_result(ref_bdb_env *env, const char *method, int result);

/* The same for a result whose value the caller has chosen. */
int ref_bdb_result_as(ref_bdb_env *env, const char *method, int value);

/* Sends a line that is no error. */
void ref_bdb_message(ref_bdb_env *env, const char *line);

/* The program's own message, as DB_ENV->err (with_error) and errx. */
void ref_bdb_program_error(
    ref_bdb_env *env, bool with_error, int error, const char *format, va_list args);

void ref_bdb_set_errfile(ref_bdb_env *env, FILE *stream);
void ref_bdb_set_errpfx(ref_bdb_env *env, const char *prefix);
void ref_bdb_install_messages(DB_ENV *handle);

/* ---- check.c: what nearly every method asks first ---- */

typedef struct ref_bdb_name {
    u_int32_t value;
    const char *name;
} ref_bdb_name;

/* EINVAL with words for bits outside `allowed`; those in `missing` (ends with value 0; may be NULL)
 * by name, as what this version does not have. */
int ref_bdb_check_flags(ref_bdb_env *env, const char *method, u_int32_t flags, u_int32_t allowed,
    const ref_bdb_name *missing);
/* EINVAL with words when more than one of `bits` is set. */
int ref_bdb_check_one_of(ref_bdb_env *env, const char *method, u_int32_t flags, u_int32_t bits);
int ref_bdb_check_open(ref_bdb_env *env, const char *method);
int ref_bdb_check_not_open(ref_bdb_env *env, const char *method);
/* A database in a file of its own: `file` given, `database` not. */
int ref_bdb_check_file(
    ref_bdb_env *env, const char *method, const char *file, const char *database);

/* ---- env_config.c ---- */

void ref_bdb_install_config(DB_ENV *handle);
/* The setters without the question whether the environment is open: DB_CONFIG is read while it is
 * being opened. */
int ref_bdb_add_data_dir(ref_bdb_env *env, const char *method, const char *dir);
int ref_bdb_set_create_dir(ref_bdb_env *env, const char *method, const char *dir);
int ref_bdb_set_lg_dir(ref_bdb_env *env, const char *method, const char *dir);
int ref_bdb_set_lg_max(ref_bdb_env *env, const char *method, u_int32_t bytes);
int ref_bdb_set_cachesize(ref_bdb_env *env, const char *method, u_int32_t gbytes, u_int32_t bytes);
bool ref_bdb_has_data_dir(ref_bdb_env *env, const char *dir);

/* ---- env_flags.c ---- */

void ref_bdb_install_flags(DB_ENV *handle);
u_int32_t ref_bdb_env_flags(ref_bdb_env *env);
bool ref_bdb_verbose(ref_bdb_env *env, u_int32_t which);

/* ---- db_config_file.c ---- */

/* Applies home/DB_CONFIG when there is one; *flags are those of open, which it may change. */
int ref_bdb_read_db_config(ref_bdb_env *env, ref_vfs *vfs, const char *home, u_int32_t *flags);

/* ---- shared.c ---- */

/* The shared part of this handle's engine environment, made from the handle's settings when it is
 * the first. NULL without memory. */
ref_bdb_shared *ref_bdb_shared_join(ref_bdb_env *env);
void ref_bdb_shared_leave(ref_bdb_shared *shared);
void ref_bdb_hot_backup_begin(ref_bdb_shared *shared);
/* false: the count was 0 already. */
bool ref_bdb_hot_backup_end(ref_bdb_shared *shared);
bool ref_bdb_hot_backup_now(ref_bdb_shared *shared);
void ref_bdb_set_timeouts(ref_bdb_env *env, u_int32_t which, db_timeout_t microseconds);
void ref_bdb_get_timeouts(ref_bdb_env *env, db_timeout_t *lock, db_timeout_t *txn);

/* ---- env_open.c ---- */

/* A new handle; NULL without memory. A database without environment has one that is never opened,
 * for its messages. */
ref_bdb_env *ref_bdb_env_new(void);
void ref_bdb_env_free(ref_bdb_env *env);

/* ---- txn.c, log.c, backup.c, backup_config.c, db_file.c ---- */

void ref_bdb_install_txn(DB_ENV *handle);
void ref_bdb_install_log(DB_ENV *handle);
void ref_bdb_install_backup(DB_ENV *handle);
void ref_bdb_install_backup_config(DB_ENV *handle);
void ref_bdb_install_files(DB_ENV *handle);
ref_bdb_backup_settings ref_bdb_backup_config(ref_bdb_env *env);

/* Ends a transaction that the program has not, and frees it. */
int ref_bdb_txn_drop(ref_bdb_txn *txn);
/* Before an operation that may wait: gives the engine what is left of the transaction's time. */
void ref_bdb_txn_arm(ref_bdb_txn *txn);

/*
 * The engine transaction of one write: the program's, or one of the operation's own where the
 * environment's flags or a read before the write ask for it, or none.
 */
typedef struct ref_bdb_work {
    ref_txn *txn; /* for the engine; NULL: the engine commits by itself */
    bool own;     /* ours to end */
} ref_bdb_work;

/* engine: the environment's, or that of a database alone. `atomic`: what is read must hold until
 * what is written. Sends no message. */
int ref_bdb_work_begin(
    ref_bdb_env *env, ref_env *engine, ref_bdb_txn *txn, bool atomic, ref_bdb_work *work);
/* Commits an own transaction when result is 0, else aborts it; returns the first failure. */
int ref_bdb_work_end(ref_bdb_work *work, int result);

/* ---- db_open.c, db_ops.c ---- */

void ref_bdb_install_db_open(DB *handle);
void ref_bdb_install_db_settings(DB *handle);
void ref_bdb_install_db_ops(DB *handle);
void ref_bdb_install_db_files(DB *handle);
void ref_bdb_install_db_cursor(DB *handle);

/* Closes the database and its cursors and frees the handle. */
int ref_bdb_db_drop(ref_bdb_db *db, bool sync);
/* The database is open, and txn, if any, fits it; *out is ours for txn. */
int ref_bdb_check_use(ref_bdb_db *db, const char *method, DB_TXN *txn, ref_bdb_txn **out);
/* The modifiers that everything accepts that reads. */
#define REF_BDB_READ_FLAGS (DB_RMW | DB_READ_COMMITTED | DB_READ_UNCOMMITTED | DB_IGNORE_LEASE)
/* Splits the flags of a read or write into operation and modifiers; refuses modifiers that are not
 * `allowed`. */
int ref_bdb_check_operation(
    ref_bdb_db *db, const char *method, u_int32_t flags, u_int32_t allowed, u_int32_t *operation);
/* Names one of the operation values that this version does not have, or an unknown one. */
int ref_bdb_refuse_operation(ref_bdb_db *db, const char *method, u_int32_t operation);

/* ---- cursor.c ---- */

/* Closes the engine's part; the handle stays for DBC->close. */
int ref_bdb_cursor_end(ref_bdb_cursor *cursor);
void ref_bdb_cursor_free(ref_bdb_cursor *cursor);

/* ---- dbt.c ---- */

int ref_bdb_check_input_key(ref_bdb_db *db, const char *method, const DBT *key);
int ref_bdb_check_input_value(ref_bdb_db *db, const char *method, const DBT *data);
/* as_key: DB_DBT_PARTIAL is refused. */
int ref_bdb_check_output(ref_bdb_db *db, const char *method, const char *what, const DBT *dbt);
bool ref_bdb_dbt_is_default(const DBT *dbt); /* the handle's memory */

/* The bytes of an input; data is never NULL. */
ref_slice ref_bdb_slice(const DBT *dbt);
/* Whether the input's bytes lie in the buffer. */
bool ref_bdb_inside(const DBT *dbt, const ref_buffer *buffer);

/*
 * Hands key and value to the program: both or neither. key may be NULL. A DBT in the handle's
 * memory points into key_bytes or data_bytes. 0, ENOMEM or DB_BUFFER_SMALL (sizes are then set).
 */
int ref_bdb_hand_out(
    DBT *key, const ref_buffer *key_bytes, DBT *data, const ref_buffer *data_bytes);

/* The value `old` with the partial input applied. 0, or EINVAL when it becomes too long, ENOMEM. */
int ref_bdb_apply_partial(const ref_buffer *old, const DBT *data, ref_buffer *out);

#endif
