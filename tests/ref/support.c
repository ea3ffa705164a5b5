/* Fixtures of the engine's tests: see support.h. */
#include "support.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"

#define SMALL_PAGE 512u

/* ---- set-up ---- */

int scratch_setup(void **state)
{
    const char *tmp = getenv("TMPDIR");
    fixture *fix = calloc(1, sizeof *fix);
    assert_non_null(fix);
    char here[PATH_MAX];
    const char *base = tmp != NULL ? tmp : getcwd(here, sizeof here);
    snprintf(fix->dir, sizeof fix->dir, "%s/hotref.XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(fix->dir) == NULL) {
        print_error("%s: %s\n", fix->dir, strerror(errno));
        free(fix);
        return -1;
    }
    snprintf(fix->home, sizeof fix->home, "%.1000s/home", fix->dir);
    dir_make(fix->home);
    fault_vfs_init(&fix->vfs);
    fix->options = (ref_env_options){.vfs = &fix->vfs.vfs,
        .home = fix->home,
        .segment_size = REF_SEGMENT_SIZE_MIN,
        .cache_size = 1u << 20,
        .create = true};
    *state = fix;
    return 0;
}

int scratch_teardown(void **state)
{
    fixture *fix = *state;
    if (fix->env != NULL) {
        fault_heal(&fix->vfs);
        ref_env_close(fix->env);
    }
    if (getenv("HOTPROOF_KEEP") == NULL) {
        tree_remove(fix->dir);
    }
    fault_vfs_destroy(&fix->vfs);
    free(fix);
    return 0;
}

void check_ok(int error, const char *call, const char *file, int line)
{
    if (error != 0) {
        print_error("%s\ngave %d (%s): %s\n", call, error, ref_strerror(error), ref_error_text());
        _fail(file, line);
    }
}

void check_fails(
    int error, int expected, const char *words, const char *call, const char *file, int line)
{
    if (error != expected || strstr(ref_error_text(), words) == NULL) {
        print_error("%s\ngave %d (%s): %s\nexpected %d (%s): %s\n", call, error,
            ref_strerror(error), ref_error_text(), expected, ref_strerror(expected), words);
        _fail(file, line);
    }
}

/* ---- environments ---- */

void env_open(fixture *fix)
{
    assert_ok(ref_env_open(&fix->options, &fix->env));
}

void env_close(fixture *fix)
{
    ref_env *env = fix->env;
    fix->env = NULL;
    assert_ok(ref_env_close(env));
}

void env_crash(fixture *fix)
{
    ref_env *env = fix->env;
    fault_rule cut = {.kinds = FAULT_CHANGES, .nth = 1, .error = EIO, .manner = FAULT_POWER_CUT};
    fault_set(&fix->vfs, &cut);
    fix->env = NULL;
    ref_env_close(env);
    fault_heal(&fix->vfs);
}

int env_open_at(fixture *fix, const char *home, ref_env **out)
{
    ref_env_options options = fix->options;
    options.home = home;
    return ref_env_open(&options, out);
}

ref_db *db_make(ref_env *env, const char *name)
{
    ref_db_options options = {.create = true, .page_size = SMALL_PAGE};
    ref_db *db;
    assert_ok(ref_db_open(env, NULL, name, &options, &db));
    return db;
}

ref_db *db_open(ref_env *env, const char *name)
{
    ref_db_options options = {0};
    ref_db *db;
    assert_ok(ref_db_open(env, NULL, name, &options, &db));
    return db;
}

bool db_exists(ref_env *env, const char *name)
{
    ref_db_options options = {0};
    ref_db *db;
    int error = ref_db_open(env, NULL, name, &options, &db);
    if (error == 0) {
        ref_db_close(db);
    } else {
        assert_int_equal(error, ENOENT);
    }
    return error == 0;
}

uint64_t db_verify(ref_db *db)
{
    uint64_t records = 0;
    assert_ok(ref_db_verify(db, &records));
    return records;
}

/* ---- records ---- */

ref_slice text(const char *words)
{
    return (ref_slice){words, strlen(words)};
}

int put(ref_db *db, ref_txn *txn, const char *key, const char *value)
{
    return ref_db_put(db, txn, text(key), text(value), false);
}

int del(ref_db *db, ref_txn *txn, const char *key)
{
    return ref_db_del(db, txn, text(key));
}

void expect(ref_db *db, ref_txn *txn, const char *key, const char *value)
{
    ref_buffer found = {0};
    int error = ref_db_get(db, txn, text(key), false, &found);
    if (value == NULL) {
        assert_int_equal(error, REF_NOTFOUND);
    } else {
        check_ok(error, key, __FILE__, __LINE__);
        assert_int_equal(found.size, strlen(value));
        assert_memory_equal(found.data, value, found.size);
    }
    ref_buffer_free(&found);
}

ref_txn *begin(ref_env *env, const ref_txn_options *options)
{
    ref_txn *txn;
    assert_ok(ref_txn_begin(env, options, &txn));
    return txn;
}

/* The value's number and size, then bytes that follow from both. */
static void fill_value(uint8_t *bytes, uint32_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i < 4 ? value >> (8 * i) : value * 31 + i);
    }
}

int put_number(ref_db *db, ref_txn *txn, uint32_t key, uint32_t value, size_t size)
{
    char name[16];
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    assert_true(size >= 4);
    snprintf(name, sizeof name, "k%05u", key);
    fill_value(bytes, value, size);
    int error = ref_db_put(db, txn, text(name), (ref_slice){bytes, size}, false);
    free(bytes);
    return error;
}

int get_number(ref_db *db, ref_txn *txn, uint32_t key, uint32_t *value)
{
    char name[16];
    ref_buffer found = {0};
    snprintf(name, sizeof name, "k%05u", key);
    int error = ref_db_get(db, txn, text(name), false, &found);
    if (error == 0) {
        assert_true(found.size >= 4);
        *value = ref_get32(found.data);
        uint8_t *expected = malloc(found.size);
        assert_non_null(expected);
        fill_value(expected, *value, found.size);
        assert_memory_equal(found.data, expected, found.size);
        free(expected);
    }
    ref_buffer_free(&found);
    return error;
}

uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}
