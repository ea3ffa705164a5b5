/* The operations of hp_engine.h on Berkeley DB's API: for every module whose library has that. */
#ifndef BDB_ENGINE_H
#define BDB_ENGINE_H

#include "../hp_engine.h"

/* What the two libraries have in common; a module adds `version` and `capabilities`. */
#define BDB_ENGINE_OPERATIONS                                                                \
    .open = bdb_engine_open, .close = bdb_engine_close, .begin = bdb_engine_begin,           \
    .put = bdb_engine_put, .remove = bdb_engine_remove, .commit = bdb_engine_commit,         \
    .abort = bdb_engine_abort, .scan = bdb_engine_scan, .checkpoint = bdb_engine_checkpoint, \
    .backup = bdb_engine_backup, .restore = bdb_engine_restore, .words = bdb_engine_words

int bdb_engine_open(const char *home, unsigned flags, const hp_engine_settings *settings,
    hp_environment **environment);
int bdb_engine_close(hp_environment *environment);
int bdb_engine_begin(hp_environment *environment, hp_transaction **transaction);
int bdb_engine_put(hp_transaction *transaction, unsigned table, const void *key, size_t key_size,
    const void *value, size_t value_size);
int bdb_engine_remove(
    hp_transaction *transaction, unsigned table, const void *key, size_t key_size);
int bdb_engine_commit(hp_transaction *transaction, unsigned flags);
int bdb_engine_abort(hp_transaction *transaction);
int bdb_engine_scan(
    hp_environment *environment, unsigned table, hp_engine_record each, void *context);
int bdb_engine_checkpoint(hp_environment *environment);
int bdb_engine_backup(hp_environment *environment, const char *target);
int bdb_engine_restore(
    const char *copy, const hp_engine_settings *settings, hp_environment **environment);
const char *bdb_engine_words(void);

#endif
