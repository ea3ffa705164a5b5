/*
 * What the tests of the Berkeley DB face have in common: a directory of their own to work in, words
 * that were sent, short ways to write and read. They use nothing but db.h, so that most of them can
 * be built against Berkeley DB itself, too, when a doubt is to be settled.
 */
#ifndef BERKELEYDB_SUPPORT_H
#define BERKELEYDB_SUPPORT_H

#include "testmain.h"

#include <stdbool.h>
#include <db.h>

/* A test that works in a new directory, removed afterwards. */
#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_directory, leave_directory)
int enter_directory(void **state);
int leave_directory(void **state);

#define ENV_FLAGS (DB_CREATE | DB_INIT_MPOOL | DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_TXN)

/* A handle whose messages are kept. */
DB_ENV *new_env(void);
/* Opened at `home`, which is made, with ENV_FLAGS and `flags`. */
DB_ENV *open_env(const char *home, u_int32_t flags);
/* A database of the environment (NULL: alone) with DB_CREATE, and with DB_AUTO_COMMIT. */
DB *open_db(DB_ENV *env, const char *file);
/* Closes what is not NULL, and wants 0. */
void close_all(DB *db, DB_ENV *env);
DB_TXN *begin(DB_ENV *env, u_int32_t flags);

/* What was sent to the error callback and to the message callback since the test began, or since
 * forget(). Lines "[prefix] message". */
const char *errors(void);
const char *messages(void);
void forget(void);
void on_error(const DB_ENV *env, const char *prefix, const char *message);
void on_message(const DB_ENV *env, const char *message);
/* The call gave EINVAL and its message has this in it. */
void assert_refused(int ret, const char *words);

DBT dbt(const void *data, size_t size);
DBT text(const char *string);           /* without its NUL */
DBT in_memory(void *room, size_t size); /* DB_DBT_USERMEM */

int put(DB *db, DB_TXN *txn, const char *key, const char *value);
int del(DB *db, DB_TXN *txn, const char *key);
/* value NULL: there must be none. */
void assert_value(DB *db, DB_TXN *txn, const char *key, const char *value);
/* Records of the whole database, "key=value key=value". */
void assert_records(DB *db, DB_TXN *txn, const char *expected);

bool exists(const char *path);
void make_dir(const char *path);
void write_file(const char *path, const char *content);
void copy_file(const char *from, const char *to);
/* Turns over one byte. */
void damage_file(const char *path, long offset);

#endif
