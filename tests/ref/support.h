/*
 * Fixtures of the engine's tests: a scratch directory with a home in it, environments over a vfs
 * that can be made to fail, records that can be told apart, and files looked at and damaged behind
 * the engine's back.
 *
 * A test that uses them is registered by SCRATCH_TEST() and begins with
 *     fixture *fix = *state;
 * Whatever it leaves open or on the disk is gone afterwards.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "testmain.h"

#include "engine/engine.h"
#include "fault_vfs.h"

#define FIXTURE_PATH 1024

typedef struct fixture {
    char dir[FIXTURE_PATH];  /* all the test's own */
    char home[FIXTURE_PATH]; /* dir/home, made */
    fault_vfs vfs;
    ref_env_options
        options;  /* of env_open(): this vfs and home, create, small segments and cache */
    ref_env *env; /* env_open()'s */
} fixture;

int scratch_setup(void **state);
int scratch_teardown(void **state);

#define SCRATCH_TEST(function) \
    cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

/* ---- assertions that show the engine's words ---- */

void check_ok(int error, const char *call, const char *file, int line);
void check_fails(
    int error, int expected, const char *words, const char *call, const char *file, int line);

/* The call gives 0. */
#define assert_ok(call) check_ok((call), #call, __FILE__, __LINE__)
/* The call gives this error, and its words contain these ("" for any). */
#define assert_fails(call, error, words) \
    check_fails((call), (error), (words), #call, __FILE__, __LINE__)

/* ---- environments ---- */

/* Opens fix->options and asserts that it works. */
void env_open(fixture *fix);
void env_close(fixture *fix);
/* A power cut: nothing reaches the disk any more; the environment is closed and forgotten, and the
 * vfs works again. */
void env_crash(fixture *fix);
/* Opens another home with the fixture's options. The result is ref_env_open()'s. */
int env_open_at(fixture *fix, const char *home, ref_env **out);

/* Opens a database of the environment, making it with small pages when it is missing. */
ref_db *db_make(ref_env *env, const char *name);
/* Opens one that must be there. */
ref_db *db_open(ref_env *env, const char *name);
/* True when a database can be opened by the name without making it. */
bool db_exists(ref_env *env, const char *name);
/* Verifies the database; the number of records. */
uint64_t db_verify(ref_db *db);

/* ---- records ---- */

ref_slice text(const char *words);
int put(ref_db *db, ref_txn *txn, const char *key, const char *value);
int del(ref_db *db, ref_txn *txn, const char *key);
/* Asserts what a key has: NULL for no such record. */
void expect(ref_db *db, ref_txn *txn, const char *key, const char *value);
/* A transaction that must begin. options may be NULL. */
ref_txn *begin(ref_env *env, const ref_txn_options *options);

/* Key "kNNNNN". */
int put_number(ref_db *db, ref_txn *txn, uint32_t key, uint32_t value, size_t size);
/* 0 and the value, or REF_NOTFOUND. Asserts that the bytes are those that put_number() wrote. */
int get_number(ref_db *db, ref_txn *txn, uint32_t key, uint32_t *value);

/* A pseudo-random number from a state that the caller keeps. */
uint32_t next_random(uint64_t *seed);

/* ---- files ---- */

/* dir/name; overwritten by the thread's fourth call from now. */
const char *at_dir(const fixture *fix, const char *name);
/* home/name. */
const char *at_home(const fixture *fix, const char *name);

bool file_exists(const char *path);
uint64_t file_size(const char *path);
/* malloc'd. */
uint8_t *file_read(const char *path, size_t *size);
void file_write(const char *path, const void *bytes, size_t size);
void file_copy(const char *from, const char *to);
void file_cut(const char *path, uint64_t size);
void file_flip(const char *path, uint64_t offset, uint8_t bits);
bool file_same(const char *a, const char *b);
void dir_make(const char *path);
/* Copies a directory with everything below it; `to` is made or must be empty. */
void tree_copy(const char *from, const char *to);
/* Only the directories. */
void tree_copy_dirs(const char *from, const char *to);
void tree_remove(const char *path);
/* Calls `each` for every regular file below; a result other than 0 ends it. */
int each_file(const char *path, int (*each)(void *context, const char *path), void *context);
/* A hash over names and contents of the regular files below, `except` (may be NULL) left out. */
uint64_t tree_hash(const char *path, const char *except);
/* The largest segment number in the directory; 0: none. */
uint32_t last_segment(const char *dir);

#endif
