/* A short life of an environment: see life.h. */
#include "life.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"

static const char *const names[LIFE_NAMES] = {"a.db", "b.db", "c.db", "d.db"};

/* One transaction, or something else that can fail. */
typedef struct step {
    int (*run)(ref_env *env, uint32_t number);
    void (*apply)(life_model *m, uint32_t number);
} step;

static const ref_db_options creating = {.create = true, .page_size = 512};

/* Puts a few records into one database, 1 to `large` bytes each. */
static int put_some(ref_env *env, ref_txn *txn, int name, uint32_t number, size_t large)
{
    ref_db_options options = {0};
    ref_db *db;
    int error = ref_db_open(env, txn, names[name], &options, &db);
    if (error != 0) {
        return error;
    }
    for (uint32_t key = number % 3; key < LIFE_KEYS && error == 0; key += 3) {
        error = put_number(db, txn, key, number, key < 3 ? large : 40);
    }
    ref_db_close(db);
    return error;
}

static void apply_some(life_model *m, int name, uint32_t number)
{
    for (uint32_t key = number % 3; key < LIFE_KEYS; key += 3) {
        m->value[name][key] = number;
    }
}

/* Ends the transaction with the work's result. */
static int end(ref_txn *txn, int error)
{
    if (error != 0) {
        ref_txn_abort(txn);
        return error;
    }
    return ref_txn_commit(txn);
}

static int make(ref_env *env, int name)
{
    ref_db *db;
    int error = ref_db_open(env, NULL, names[name], &creating, &db);
    return error == 0 ? ref_db_close(db) : error;
}

static int run_make_a(ref_env *env, uint32_t number)
{
    (void)number;
    return make(env, 0);
}

static void apply_make_a(life_model *m, uint32_t number)
{
    (void)number;
    m->exists[0] = true;
}

static int run_make_b(ref_env *env, uint32_t number)
{
    (void)number;
    return make(env, 1);
}

static void apply_make_b(life_model *m, uint32_t number)
{
    (void)number;
    m->exists[1] = true;
}

static int run_put_one(ref_env *env, uint32_t number)
{
    ref_txn *txn;
    int error = ref_txn_begin(env, NULL, &txn);
    return error == 0 ? end(txn, put_some(env, txn, 0, number, 60)) : error;
}

static void apply_put_one(life_model *m, uint32_t number)
{
    apply_some(m, 0, number);
}

/* Two databases at once, with values that need overflow pages and a new segment. */
static int run_put_both(ref_env *env, uint32_t number)
{
    ref_txn *txn;
    int error = ref_txn_begin(env, NULL, &txn);
    if (error != 0) {
        return error;
    }
    error = put_some(env, txn, 0, number, 3000);
    return end(txn, error == 0 ? put_some(env, txn, 1, number, 9000) : error);
}

static void apply_put_both(life_model *m, uint32_t number)
{
    apply_some(m, 0, number);
    apply_some(m, 1, number);
}

static int run_rename(ref_env *env, uint32_t number)
{
    (void)number;
    return ref_db_rename(env, NULL, "b.db", "c.db");
}

static void move(life_model *m, int from, int to)
{
    m->exists[to] = m->exists[from];
    memcpy(m->value[to], m->value[from], sizeof m->value[to]);
    m->exists[from] = false;
    memset(m->value[from], 0, sizeof m->value[from]);
}

static void apply_rename(life_model *m, uint32_t number)
{
    (void)number;
    move(m, 1, 2);
}

/* a and c change names, and b is made again with content, all in one transaction. */
static int run_swap(ref_env *env, uint32_t number)
{
    ref_txn *txn;
    ref_db *db;
    int error = ref_txn_begin(env, NULL, &txn);
    if (error != 0) {
        return error;
    }
    error = ref_db_rename(env, txn, "a.db", "d.db");
    error = error == 0 ? ref_db_rename(env, txn, "c.db", "a.db") : error;
    error = error == 0 ? ref_db_rename(env, txn, "d.db", "c.db") : error;
    if (error == 0) {
        error = ref_db_open(env, txn, "b.db", &creating, &db);
        error = error == 0 ? ref_db_close(db) : error;
    }
    return end(txn, error == 0 ? put_some(env, txn, 1, number, 50) : error);
}

static void apply_swap(life_model *m, uint32_t number)
{
    move(m, 0, 3);
    move(m, 2, 0);
    move(m, 3, 2);
    m->exists[1] = true;
    apply_some(m, 1, number);
}

/* c goes and a new, empty c comes. */
static int run_remake(ref_env *env, uint32_t number)
{
    ref_txn *txn;
    ref_db *db;
    (void)number;
    int error = ref_txn_begin(env, NULL, &txn);
    if (error != 0) {
        return error;
    }
    error = ref_db_remove(env, txn, "c.db");
    if (error == 0) {
        error = ref_db_open(env, txn, "c.db", &creating, &db);
        error = error == 0 ? ref_db_close(db) : error;
    }
    return end(txn, error);
}

static void apply_remake(life_model *m, uint32_t number)
{
    (void)number;
    memset(m->value[2], 0, sizeof m->value[2]);
}

static int run_remove(ref_env *env, uint32_t number)
{
    (void)number;
    return ref_db_remove(env, NULL, "c.db");
}

static void apply_remove(life_model *m, uint32_t number)
{
    (void)number;
    m->exists[2] = false;
    memset(m->value[2], 0, sizeof m->value[2]);
}

/* Commits that wait for nobody, in a database that no model knows: one sync then writes several
 * segments. */
static int run_lazy(ref_env *env, uint32_t number)
{
    ref_txn_options options = {.no_sync = true};
    ref_db *db;
    int error = ref_db_open(env, NULL, "lazy.db", &creating, &db);
    if (error != 0) {
        return error;
    }
    for (uint32_t i = 0; i < 10 && error == 0; i++) {
        ref_txn *txn;
        error = ref_txn_begin(env, &options, &txn);
        if (error == 0) {
            error = end(txn, put_number(db, txn, i, number, 5000));
        }
    }
    ref_db_close(db);
    return error == 0 ? ref_log_flush(env) : error;
}

static int run_checkpoint(ref_env *env, uint32_t number)
{
    (void)number;
    return ref_checkpoint(env, true);
}

static int run_archive(ref_env *env, uint32_t number)
{
    uint32_t *numbers;
    size_t count;
    (void)number;
    return ref_log_archive(env, REF_ARCHIVE_REMOVE, &numbers, &count);
}

static void apply_nothing(life_model *m, uint32_t number)
{
    (void)m;
    (void)number;
}

static const step steps[] = {
    {run_make_a, apply_make_a},
    {run_make_b, apply_make_b},
    {run_put_one, apply_put_one},
    {run_put_both, apply_put_both},
    {run_checkpoint, apply_nothing},
    {run_put_one, apply_put_one},
    {run_rename, apply_rename},
    {run_lazy, apply_nothing},
    {run_put_one, apply_put_one},
    {run_swap, apply_swap},
    {run_put_both, apply_put_both},
    {run_checkpoint, apply_nothing},
    {run_archive, apply_nothing},
    {run_remake, apply_remake},
    {run_put_one, apply_put_one},
    {run_remove, apply_remove},
    {run_put_both, apply_put_both},
};
#define STEPS (sizeof steps / sizeof steps[0])

static const step *step_of(uint32_t number)
{
    return &steps[(number - 1) % STEPS];
}

/* ---- one life ---- */

void life_run(fixture *fix, uint32_t times, life_model *after, life_model *perhaps)
{
    ref_env *env;
    *after = *perhaps = (life_model){0};
    if (ref_env_open(&fix->options, &env) != 0) {
        return;
    }
    for (uint32_t number = 1; number <= times * STEPS; number++) {
        int error = step_of(number)->run(env, number);
        *perhaps = *after;
        if (error == 0) {
            step_of(number)->apply(after, number);
            *perhaps = *after;
        } else if (error == REF_RUNRECOVERY) {
            step_of(number)->apply(perhaps, number);
            break;
        }
    }
    ref_env_close(env);
}

/* ---- what is left of it ---- */

static void read_model(ref_env *env, life_model *out)
{
    *out = (life_model){0};
    for (int name = 0; name < LIFE_NAMES; name++) {
        out->exists[name] = db_exists(env, names[name]);
        if (!out->exists[name]) {
            continue;
        }
        ref_db *db = db_open(env, names[name]);
        uint64_t records = 0;
        for (uint32_t key = 0; key < LIFE_KEYS; key++) {
            int error = get_number(db, NULL, key, &out->value[name][key]);
            assert_true(error == 0 || error == REF_NOTFOUND);
            records += error == 0;
        }
        assert_int_equal(db_verify(db), records);
        assert_ok(ref_db_close(db));
    }
    if (db_exists(env, "lazy.db")) {
        ref_db *db = db_open(env, "lazy.db");
        db_verify(db);
        assert_ok(ref_db_close(db));
    }
}

static void print_model(const char *title, const life_model *m)
{
    print_error("%s:", title);
    for (int name = 0; name < LIFE_NAMES; name++) {
        if (m->exists[name]) {
            print_error(" %s:", names[name]);
            for (uint32_t key = 0; key < LIFE_KEYS; key++) {
                print_error(" %u", m->value[name][key]);
            }
        }
    }
    print_error("\n");
}

void life_check(fixture *fix, const life_model *after, const life_model *perhaps)
{
    life_model found;
    env_open(fix);
    read_model(fix->env, &found);
    if (memcmp(&found, after, sizeof found) != 0 && memcmp(&found, perhaps, sizeof found) != 0) {
        print_model("found", &found);
        print_model("acknowledged", after);
        print_model("or", perhaps);
        fail();
    }
    /* and life goes on */
    ref_db *db = db_make(fix->env, "life.db");
    assert_ok(put(db, NULL, "goes", "on"));
    assert_ok(ref_db_close(db));
    env_close(fix);
    env_open(fix);
    life_model again;
    read_model(fix->env, &again);
    assert_memory_equal(&found, &again, sizeof found);
    db = db_open(fix->env, "life.db");
    expect(db, NULL, "goes", "on");
    assert_ok(ref_db_close(db));
    env_close(fix);
    assert_int_equal(fix->vfs.open_files, 0);
}

void life_begin(fixture *fix, size_t count, life_model *after)
{
    *after = (life_model){0};
    env_open(fix);
    for (uint32_t number = 1; number <= count; number++) {
        assert_ok(step_of(number)->run(fix->env, number));
        step_of(number)->apply(after, number);
    }
}
