/*
 * An environment beside a table in memory: seeded random transactions, names, checkpoints, crashes,
 * readers that stay, backups. After each step that ends something, both must agree.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"

enum { NAMES = 5, KEYS = 60, READERS = 3 };

static const char *const names[NAMES] = {"a.db", "b.db", "c.db", "d.db", "e.db"};
static const uint32_t page_sizes[NAMES] = {512, 1024, 512, 4096, 2048};

typedef struct table {
    bool exists[NAMES];
    uint32_t value[NAMES][KEYS]; /* 0: no record */
} table;

typedef struct reader {
    ref_txn *txn;
    table seen;
    int name; /* the database that it reads */
    ref_db *db;
} reader;

typedef struct world {
    fixture *fix;
    uint64_t seed;
    table now;
    reader readers[READERS];
    uint32_t next; /* value */
    unsigned backups;
} world;

static uint32_t pick(world *w, uint32_t below)
{
    return next_random(&w->seed) % below;
}

static size_t size_of(uint32_t value)
{
    return value % 17 == 0 ? 3000 + value % 1000 : value % 5 == 0 ? 200 : 4 + value % 60;
}

/* ---- comparing ---- */

static void compare_database(ref_db *db, ref_txn *txn, const uint32_t *values)
{
    for (uint32_t key = 0; key < KEYS; key++) {
        uint32_t value = 0;
        int error = get_number(db, txn, key, &value);
        assert_int_equal(error, values[key] != 0 ? 0 : REF_NOTFOUND);
        assert_int_equal(value, values[key]);
    }
}

static void compare(ref_env *env, const table *expected)
{
    for (int i = 0; i < NAMES; i++) {
        assert_int_equal(db_exists(env, names[i]), expected->exists[i]);
        if (expected->exists[i]) {
            uint64_t count = 0;
            ref_db *db = db_open(env, names[i]);
            compare_database(db, NULL, expected->value[i]);
            for (uint32_t key = 0; key < KEYS; key++) {
                count += expected->value[i][key] != 0;
            }
            assert_int_equal(db_verify(db), count);
            assert_ok(ref_db_close(db));
        }
    }
}

/* ---- readers ---- */

static void end_reader(reader *who)
{
    if (who->txn != NULL) {
        compare_database(who->db, who->txn, who->seen.value[who->name]);
        assert_ok(ref_txn_abort(who->txn));
        assert_ok(ref_db_close(who->db));
        who->txn = NULL;
    }
}

static void end_readers(world *w)
{
    for (int i = 0; i < READERS; i++) {
        end_reader(&w->readers[i]);
    }
}

static void step_reader(world *w)
{
    reader *who = &w->readers[pick(w, READERS)];
    int name = (int)pick(w, NAMES);
    uint32_t value;
    if (who->txn != NULL) {
        end_reader(who);
    } else if (w->now.exists[name]) {
        who->name = name;
        who->db = db_open(w->fix->env, names[name]);
        who->txn = begin(w->fix->env, NULL);
        get_number(who->db, who->txn, 0, &value);
        who->seen = w->now;
    }
}

static bool is_read(const world *w, int name)
{
    for (int i = 0; i < READERS; i++) {
        if (w->readers[i].txn != NULL && w->readers[i].name == name) {
            return true;
        }
    }
    return false;
}

/* ---- a transaction ---- */

static void change_records(world *w, ref_txn *txn, table *after)
{
    for (uint32_t n = pick(w, 12); n > 0; n--) {
        int name = (int)pick(w, NAMES);
        uint32_t key = pick(w, KEYS), value = w->next++;
        char text_key[16];
        ref_db *db;
        if (!after->exists[name]) {
            continue;
        }
        assert_ok(ref_db_open(w->fix->env, txn, names[name], NULL, &db));
        if (pick(w, 60) == 0) {
            assert_ok(ref_db_truncate(db, txn, NULL));
            memset(after->value[name], 0, sizeof after->value[name]);
        } else if (pick(w, 3) == 0) {
            snprintf(text_key, sizeof text_key, "k%05u", key);
            assert_int_equal(
                del(db, txn, text_key), after->value[name][key] != 0 ? 0 : REF_NOTFOUND);
            after->value[name][key] = 0;
        } else {
            assert_ok(put_number(db, txn, key, value, size_of(value)));
            after->value[name][key] = value;
        }
        assert_ok(ref_db_close(db));
    }
}

static void change_names(world *w, ref_txn *txn, table *after)
{
    int from = (int)pick(w, NAMES), to = (int)pick(w, NAMES);
    if (!after->exists[from]) {
        ref_db_options options = {.create = true, .page_size = page_sizes[from]};
        ref_db *db;
        assert_ok(ref_db_open(w->fix->env, txn, names[from], &options, &db));
        assert_ok(ref_db_close(db));
        after->exists[from] = true;
        memset(after->value[from], 0, sizeof after->value[from]);
    } else if (is_read(w, from)) {
        assert_int_equal(ref_db_remove(w->fix->env, txn, names[from]), EBUSY);
    } else if (pick(w, 3) == 0) {
        assert_ok(ref_db_remove(w->fix->env, txn, names[from]));
        after->exists[from] = false;
    } else if (after->exists[to]) {
        assert_int_equal(ref_db_rename(w->fix->env, txn, names[from], names[to]), EEXIST);
    } else {
        assert_ok(ref_db_rename(w->fix->env, txn, names[from], names[to]));
        after->exists[to] = true;
        memcpy(after->value[to], after->value[from], sizeof after->value[to]);
        after->exists[from] = false;
    }
}

static void step_txn(world *w)
{
    table after = w->now;
    ref_txn *txn = begin(w->fix->env, NULL);
    for (uint32_t n = 1 + pick(w, 3); n > 0; n--) {
        if (pick(w, 5) == 0) {
            change_names(w, txn, &after);
        } else {
            change_records(w, txn, &after);
        }
    }
    if (pick(w, 5) == 0) {
        assert_ok(ref_txn_abort(txn));
    } else {
        assert_ok(ref_txn_commit(txn));
        w->now = after;
    }
}

/* ---- the rest ---- */

static void step_backup(world *w)
{
    char target[FIXTURE_PATH];
    ref_env *env;
    snprintf(target, sizeof target, "%.900s/backup", w->fix->dir);
    /* Without CLEAN databases of an older backup that are gone since would stay. */
    if (pick(w, 2) == 0) {
        tree_remove(target);
    }
    ref_backup_options options = {
        .target = target, .flags = REF_BACKUP_CREATE | REF_BACKUP_CLEAN, .buffer_size = 4096};
    assert_ok(ref_backup(w->fix->env, &options));
    assert_ok(env_open_at(w->fix, target, &env));
    compare(env, &w->now);
    assert_ok(ref_env_close(env));
    w->backups++;
}

static void step_reopen(world *w)
{
    end_readers(w);
    if (pick(w, 2) == 0) {
        env_crash(w->fix);
    } else {
        env_close(w->fix);
    }
    w->fix->options.cache_size = (uint64_t)16384 << pick(w, 4);
    w->fix->options.recover_fatal =
        pick(w, 4) == 0 && file_exists(at_home(w->fix, "log.0000000001"));
    env_open(w->fix);
    compare(w->fix->env, &w->now);
}

static void step(world *w)
{
    uint32_t *numbers;
    size_t count;
    uint32_t which = pick(w, 100);
    if (which < 70) {
        step_txn(w);
    } else if (which < 82) {
        step_reader(w);
    } else if (which < 90) {
        assert_ok(ref_checkpoint(w->fix->env, pick(w, 2) == 0));
    } else if (which < 93) {
        assert_ok(ref_log_archive(w->fix->env, REF_ARCHIVE_REMOVE, &numbers, &count));
    } else if (which < 95) {
        step_backup(w);
    } else {
        step_reopen(w);
    }
}

static void play(fixture *fix, uint64_t seed, unsigned steps)
{
    world w = {.fix = fix, .seed = seed, .next = 1};
    env_open(fix);
    for (unsigned i = 0; i < steps; i++) {
        step(&w);
    }
    end_readers(&w);
    compare(fix->env, &w.now);
    step_backup(&w);
    assert_true(w.backups > 1);
    env_close(fix);
}

static void random_lives_agree_with_a_table(void **state)
{
    fixture *fix = *state;
    const char *seed = getenv("RANDOM_SEED");
    if (seed != NULL) {
        play(fix, strtoull(seed, NULL, 10), 2000);
        return;
    }
    for (uint64_t i = 1; i <= 6; i++) {
        tree_remove(fix->home);
        dir_make(fix->home);
        print_message("RANDOM_SEED=%llu\n", (unsigned long long)i);
        play(fix, i, 250);
    }
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(random_lives_agree_with_a_table),
};

TEST_MAIN(tests)
