/*
 * An engine as the core profile and the benchmarks use it: the least that any transactional engine
 * with a hot backup can do, whatever its own interface is called. A module that has it sets
 * `operations` (hp_module.h). About 100 lines of code for a new engine; engines/bdb_engine.c is the
 * example.
 *
 * The model: an environment is a directory with one log and some tables, numbered from 0. A table
 * holds records of key and value, ordered by the bytes of their keys. Changes belong to
 * transactions; a scan reads what is committed. A backup copies the environment into a new
 * directory while all of this goes on; to restore is to open the copy.
 *
 * Results: 0, or an errno value; what an engine's own errors become is said below, anything else
 * is EIO. Out-parameters are NULL on failure. After a failure words() has what the engine said.
 * Memory that a caller hands in stays its own and is not kept. Threads: an environment may be used
 * by several at a time, a transaction by one. No function may be NULL.
 */
#ifndef HP_ENGINE_OPERATIONS_H
#define HP_ENGINE_OPERATIONS_H

#include <stddef.h>
#include <stdint.h>

#define HP_ENGINE_VERSION 1u

/* Of the engine's own making. */
typedef struct hp_environment hp_environment;
typedef struct hp_transaction hp_transaction;

typedef struct hp_engine_settings {
    uint64_t cache_bytes; /* for pages in memory; 0: the engine's default */
    uint32_t page_size;   /* bytes of a page of a table that is made; 0: the engine's default */
    unsigned tables;      /* 0 counts as 1 */
} hp_engine_settings;

/* Capabilities. */
#define HP_ENGINE_BACKUP_SYNCS 0x1u /* when backup() returns 0 the copy is on the disk */

/* open() */
#define HP_ENGINE_CREATE 0x1u /* make what is missing in the directory */

/* commit() */
#define HP_ENGINE_NO_SYNC 0x1u /* do not wait for the disk: a crash may undo it */

/* Called by scan() for each record; the bytes are good during the call. A result other than 0 ends
 * the scan and is its result. It may not call the engine. */
typedef int (*hp_engine_record)(
    void *context, const void *key, size_t key_size, const void *value, size_t value_size);

typedef struct hp_engine {
    uint32_t version;      /* HP_ENGINE_VERSION */
    uint32_t capabilities; /* HP_ENGINE_BACKUP_SYNCS */

    /* Opens the environment in the directory `home`, which exists; recovers it if it was not
     * closed. This process is its only user. ENOENT: there is none, and no HP_ENGINE_CREATE. The
     * environment belongs to the caller until close(). */
    int (*open)(const char *home, unsigned flags, const hp_engine_settings *settings,
        hp_environment **environment);

    /* Ends and frees it, whatever the result. All transactions have ended. */
    int (*close)(hp_environment *environment);

    /* Begins a transaction; it belongs to the caller until commit() or abort(). */
    int (*begin)(hp_environment *environment, hp_transaction **transaction);

    /* Stores a record, in place of the one with that key. EINVAL: no such table, or a record too
     * large. EDEADLK: the transaction must be aborted and may be tried again; so in remove(). */
    int (*put)(hp_transaction *transaction, unsigned table, const void *key, size_t key_size,
        const void *value, size_t value_size);

    /* Deletes a record. ENOENT: there is none; the transaction goes on. */
    int (*remove)(hp_transaction *transaction, unsigned table, const void *key, size_t key_size);

    /* Both end and free the transaction, whatever the result. When commit() returns 0 all its
     * changes can be seen and are durable, but for HP_ENGINE_NO_SYNC; ENOTRECOVERABLE: the outcome
     * is unknown, and the environment can only be closed. */
    int (*commit)(hp_transaction *transaction, unsigned flags);
    int (*abort)(hp_transaction *transaction);

    /* Hands every record of the table to `each`, by rising key. EINVAL: no such table. */
    int (*scan)(hp_environment *environment, unsigned table, hp_engine_record each, void *context);

    /* Brings all that is committed into the tables' files, and removes log that is of no use to
     * recovery any more. */
    int (*checkpoint)(hp_environment *environment);

    /* Copies the environment into the directory `target`, which is made, or is there and empty.
     * With the engine's defaults. ENOENT: what is above `target` is missing. */
    int (*backup)(hp_environment *environment, const char *target);

    /* Opens a copy that backup() made, recovering it: as open(), in a directory `copy` that has been
     * moved, or was made elsewhere. It holds what was committed before backup() was called, perhaps
     * later transactions, and no part of any other. */
    int (*restore)(
        const char *copy, const hp_engine_settings *settings, hp_environment **environment);

    /* What the thread's last failed call here said: one line, never NULL; the thread's, good until
     * its next call of any of these. */
    const char *(*words)(void);
} hp_engine;

#endif
