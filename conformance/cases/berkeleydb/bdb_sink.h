/*
 * A destination behind the three backup callbacks. It writes what it is given to files,
 * DIRECTORY/TARGET/NAME, remembers every call in order, and fails on demand. One at a time; called
 * by the thread of the backup.
 */
#ifndef BDB_SINK_H
#define BDB_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bdb_support.h"

typedef enum bdb_sink_op { BDB_SINK_OPEN, BDB_SINK_WRITE, BDB_SINK_CLOSE } bdb_sink_op;

typedef struct bdb_sink_call {
    bdb_sink_op op;
    char name[256];   /* of an open and a close as given; of a write that of its handle; "" for no
                         such handle */
    char target[256]; /* of an open */
    bool null_target;
    const void *handle; /* as given to a write or a close, as returned by an open */
    uint64_t offset;
    uint32_t size;
    const struct __db_env *env;
    double at; /* seconds of the monotonic clock */
} bdb_sink_call;

/* Sets the callbacks on `env` and forgets all calls, failures and actions. `directory` is made if
 * need be. */
void bdb_sink_install(struct __db_env *env, const char *directory);

/* A plain sample with an ordinary file, home/notes.txt; its backups go to the directory "sink". */
bdb_sample *bdb_sink_sample(void);

/* The same destination with its calls, failures and actions forgotten. */
void bdb_sink_reset(void);

/* Makes `op` on files whose name without directories matches the shell pattern return `value`, and,
 * of an open, leave no handle. Up to four rules. */
void bdb_sink_fail(bdb_sink_op op, const char *pattern, int value);

/* Calls `action` once, at the first write to a file that matches, before the write is done. What it
 * returns is returned to the library. */
void bdb_sink_on_write(const char *pattern, int (*action)(void *argument), void *argument);

/* Seconds of the monotonic clock, as in bdb_sink_call. */
double bdb_seconds(void);

/* Number of pauses of at least `seconds` between a write to a file that matches and the next call.
 */
size_t bdb_sink_pauses(const char *pattern, double seconds);

size_t bdb_sink_call_count(void);
const bdb_sink_call *bdb_sink_call_at(size_t i);

/* Number of calls of `op` for files that match. */
size_t bdb_sink_count(bdb_sink_op op, const char *pattern);

/* Each open is followed by the writes and the close of that file and no other; each has the handle
 * that the open returned; the writes begin at 0 and leave no gap. Fails the case otherwise. */
void bdb_sink_assert_protocol(void);

#endif
