#include "update_chain.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"
#include "engine/log.h"

enum { DATABASES = 4, KEYS = 60, BIG = 40000 };

void chain_open(fixture *fix)
{
    env_open(fix);
    if (!db_exists(fix->env, "0.db")) {
        assert_ok(ref_db_close(db_make(fix->env, "0.db")));
    }
}

void chain_close(fixture *fix)
{
    env_close(fix);
}

void chain_clear(fixture *fix)
{
    tree_remove(at_dir(fix, "copy"));
    tree_remove(fix->home);
    dir_make(fix->home);
}

/* ---- work ---- */

static void name_of(char *name, uint32_t number)
{
    snprintf(name, 16, "%u.db", number);
}

static void write_records(fixture *fix, const char *name, uint64_t *chance)
{
    ref_db *db = db_make(fix->env, name);
    ref_txn *txn = begin(fix->env, NULL);
    for (unsigned i = 0; i < 3; i++) {
        uint32_t key = next_random(chance) % KEYS;
        size_t size = next_random(chance) % 5 == 0 ? 3000 : 60;
        assert_ok(put_number(db, txn, key, next_random(chance), size));
    }
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_db_close(db));
}

static void one_thing(fixture *fix, uint64_t *chance)
{
    char name[16], other[16];
    name_of(name, next_random(chance) % DATABASES);
    name_of(other, DATABASES + next_random(chance) % DATABASES);
    unsigned what = next_random(chance) % 16;
    if (what == 0) {
        assert_ok(ref_checkpoint(fix->env, false));
    } else if (what == 1 && strcmp(name, "0.db") != 0 && db_exists(fix->env, name)) {
        assert_ok(ref_db_remove(fix->env, NULL, name));
    } else if (what == 2 && strcmp(name, "0.db") != 0 && db_exists(fix->env, name) &&
               !db_exists(fix->env, other)) {
        assert_ok(ref_db_rename(fix->env, NULL, name, other));
    } else {
        write_records(fix, name, chance);
    }
}

void chain_work(fixture *fix, uint64_t seed, unsigned transactions)
{
    uint64_t chance = seed;
    for (unsigned i = 0; i < transactions; i++) {
        one_thing(fix, &chance);
    }
}

void chain_big_commit(fixture *fix)
{
    ref_db *db = db_open(fix->env, "0.db");
    assert_ok(put_number(db, NULL, KEYS, last_segment(fix->home), BIG)); /* never twice the same */
    assert_ok(ref_db_close(db));
}

void chain_remove_log(fixture *fix)
{
    uint32_t *none;
    size_t count;
    assert_ok(ref_checkpoint(fix->env, true));
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_REMOVE, &none, &count));
}

static uint32_t oldest_in(const fixture *fix, const char *dir)
{
    uint32_t oldest, newest;
    assert_ok(ref_log_segments((ref_vfs *)&fix->vfs.vfs, dir, &oldest, &newest));
    return oldest;
}

uint32_t chain_oldest_segment(const fixture *fix)
{
    return oldest_in(fix, fix->home);
}

uint32_t chain_oldest_segment_in(const fixture *fix, const char *name)
{
    return oldest_in(fix, at_dir(fix, name));
}

/* ---- backups ---- */

int chain_try(fixture *fix, const char *name, unsigned flags)
{
    ref_backup_options options = {.target = at_dir(fix, name), .flags = flags};
    return ref_backup(fix->env, &options);
}

void chain_back_up(fixture *fix, unsigned flags)
{
    bool full = (flags & REF_BACKUP_UPDATE) == 0;
    assert_ok(chain_try(fix, "copy", flags | (full ? REF_BACKUP_CREATE : 0)));
}

void chain_recover_copy(fixture *fix, const char *name)
{
    ref_env *copy;
    assert_ok(env_open_at(fix, at_dir(fix, name), &copy));
    assert_ok(ref_env_close(copy));
}

/* ---- comparison ---- */

static void expect_same_records(ref_db *wanted, ref_db *found)
{
    ref_cursor *a, *b;
    ref_buffer key_a = {0}, value_a = {0}, key_b = {0}, value_b = {0};
    int error = 0;
    assert_ok(ref_cursor_open(wanted, NULL, &a));
    assert_ok(ref_cursor_open(found, NULL, &b));
    while (error == 0) {
        error = ref_cursor_get(a, REF_MOVE_NEXT, (ref_slice){0}, false, &key_a, &value_a);
        assert_int_equal(
            ref_cursor_get(b, REF_MOVE_NEXT, (ref_slice){0}, false, &key_b, &value_b), error);
        if (error == 0) {
            assert_int_equal(key_a.size, key_b.size);
            assert_memory_equal(key_a.data, key_b.data, key_a.size);
            assert_int_equal(value_a.size, value_b.size);
            assert_memory_equal(value_a.data, value_b.data, value_a.size);
        }
    }
    assert_int_equal(error, REF_NOTFOUND);
    assert_ok(ref_cursor_close(a));
    assert_ok(ref_cursor_close(b));
    ref_buffer_free(&key_a);
    ref_buffer_free(&value_a);
    ref_buffer_free(&key_b);
    ref_buffer_free(&value_b);
}

static void expect_same_database(ref_env *wanted, ref_env *found, const char *name)
{
    ref_db *a = db_open(wanted, name), *b = db_open(found, name);
    expect_same_records(a, b);
    db_verify(b);
    assert_ok(ref_db_close(a));
    assert_ok(ref_db_close(b));
}

void chain_expect_copy_at(fixture *fix, const char *path)
{
    ref_env *copy;
    char **names, **copied;
    size_t count, copied_count;
    assert_ok(env_open_at(fix, path, &copy));
    assert_ok(ref_env_databases(fix->env, &names, &count));
    assert_ok(ref_env_databases(copy, &copied, &copied_count));
    assert_int_equal(copied_count, count);
    for (size_t i = 0; i < count; i++) {
        expect_same_database(fix->env, copy, names[i]);
        free(names[i]);
        free(copied[i]);
    }
    free(names);
    free(copied);
    assert_ok(ref_env_close(copy));
}

void chain_expect_copy(fixture *fix, const char *name)
{
    chain_expect_copy_at(fix, at_dir(fix, name));
}
