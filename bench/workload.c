/* The records of the benchmarks: see workload.h. */
#include "workload.h"

#include "files.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    BATCH = 100,         /* records of a transaction */
    FIRST_RECORD = 4400, /* bytes that a record may take before any has been measured */
    STEPS = 12,          /* of approaching the wanted size */
    AGAIN = 2000         /* records stored once more behind the checkpoint: 2 MiB of log */
};
#define MIB UINT64_C(1048576)

/* ---- records ---- */

/* The finaliser of splitmix64: a bijection, so different numbers give different keys. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void store(uint8_t *to, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8) {
        to[i] = (uint8_t)value;
    }
}

static uint64_t fetch(const uint8_t *from)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value = value << 8 | from[i];
    }
    return value;
}

void bench_record(
    uint64_t seed, uint64_t number, uint8_t key[BENCH_KEY_SIZE], uint8_t value[BENCH_VALUE_SIZE])
{
    uint64_t state = mix(seed ^ mix(number));
    store(key, state);
    store(key + 8, number);
    for (size_t i = 0; i < BENCH_VALUE_SIZE; i += 8) {
        state = mix(state);
        store(value + i, state);
    }
}

/* ---- making an environment ---- */

static int failed(const hp_engine *engine, const char *what, char *why, size_t size)
{
    snprintf(why, size, "%s: %s", what, engine->words());
    return -1;
}

static int put_batch(const hp_engine *engine, hp_environment *environment, uint64_t seed,
    uint64_t first, uint64_t end)
{
    hp_transaction *transaction;
    uint8_t key[BENCH_KEY_SIZE], value[BENCH_VALUE_SIZE];
    int error = engine->begin(environment, &transaction);
    if (error != 0) {
        return error;
    }
    for (uint64_t number = first; number < end && error == 0; number++) {
        bench_record(seed, number, key, value);
        error = engine->put(transaction, 0, key, sizeof key, value, sizeof value);
    }
    if (error != 0) {
        engine->abort(transaction);
        return error;
    }
    return engine->commit(transaction, HP_ENGINE_NO_SYNC);
}

static int put_records(const hp_engine *engine, hp_environment *environment, uint64_t seed,
    uint64_t first, uint64_t end)
{
    int error = 0;
    while (first < end && error == 0) {
        uint64_t next = end - first > BATCH ? first + BATCH : end;
        error = put_batch(engine, environment, seed, first, next);
        first = next;
    }
    return error;
}

/* Stores records until the table's file, the largest, is as large as it should be. How much of it a
 * record takes is known only when a checkpoint has written some. */
static int fill(const hp_engine *engine, hp_environment *environment, const char *home,
    uint64_t bytes, uint64_t seed, uint64_t *records, char *why, size_t size)
{
    bench_tree tree = {0};
    uint64_t each = FIRST_RECORD;
    *records = 0;
    for (int step = 0; step < STEPS && tree.largest < bytes - bytes / 100; step++) {
        uint64_t more = (bytes - tree.largest) / each + 1;
        if (put_records(engine, environment, seed, *records, *records + more) != 0) {
            return failed(engine, "storing records", why, size);
        }
        *records += more;
        if (engine->checkpoint(environment) != 0) {
            return failed(engine, "checkpoint", why, size);
        }
        int error = bench_tree_measure(home, &tree);
        if (error != 0) {
            snprintf(why, size, "%s: %s", home, strerror(error));
            return -1;
        }
        each = tree.largest / *records + 1;
    }
    return 0;
}

int bench_load(const hp_engine *engine, const char *home, uint64_t bytes, uint64_t seed,
    uint64_t *records, char *why, size_t size)
{
    hp_environment *environment;
    /* All pages stay in memory: a load that waits for the disk measures nothing. */
    const hp_engine_settings settings = {
        .cache_bytes = 2 * bytes + 64 * MIB, .page_size = BENCH_PAGE_SIZE};
    *records = 0;
    if (engine->open(home, HP_ENGINE_CREATE, &settings, &environment) != 0) {
        return failed(engine, "making the environment", why, size);
    }
    int status = fill(engine, environment, home, bytes, seed, records, why, size);
    if (status == 0 &&
        put_records(engine, environment, seed, 0, *records < AGAIN ? *records : AGAIN) != 0) {
        status = failed(engine, "storing records", why, size);
    }
    if (engine->close(environment) != 0 && status == 0) {
        status = failed(engine, "closing the environment", why, size);
    }
    return status;
}

/* ---- checking a copy ---- */

typedef struct checking {
    uint64_t seed, records, seen;
    uint8_t last[BENCH_KEY_SIZE];
    char *why;
    size_t size;
} checking;

/* Rising keys are different keys; each is one of the right ones; so, if there are as many as there
 * should be, they are all. */
static int check_record(
    void *context, const void *key, size_t key_size, const void *value, size_t value_size)
{
    checking *c = context;
    uint8_t right_key[BENCH_KEY_SIZE], right_value[BENCH_VALUE_SIZE];
    bool sized = key_size == BENCH_KEY_SIZE && value_size == BENCH_VALUE_SIZE;
    uint64_t number = sized ? fetch((const uint8_t *)key + 8) : 0;
    bench_record(c->seed, number, right_key, right_value);
    if (!sized || number >= c->records || memcmp(key, right_key, key_size) != 0 ||
        memcmp(value, right_value, value_size) != 0) {
        snprintf(c->why, c->size, "record %" PRIu64 " of the copy, by key, is none of the source",
            c->seen);
        return -1;
    }
    if (c->seen > 0 && memcmp(c->last, key, key_size) >= 0) {
        snprintf(c->why, c->size, "record %" PRIu64 " of the copy is out of order", c->seen);
        return -1;
    }
    memcpy(c->last, key, key_size);
    c->seen++;
    return 0;
}

int bench_check(const hp_engine *engine, const char *copy, uint64_t records, uint64_t seed,
    char *why, size_t size)
{
    hp_environment *environment;
    const hp_engine_settings settings = {.cache_bytes = 64 * MIB};
    checking c = {.seed = seed, .records = records, .why = why, .size = size};
    why[0] = '\0';
    if (engine->restore(copy, &settings, &environment) != 0) {
        return failed(engine, "opening the copy", why, size);
    }
    int status = engine->scan(environment, 0, check_record, &c);
    if (status != 0 && why[0] == '\0') {
        failed(engine, "reading the copy", why, size);
    }
    if (status == 0 && c.seen != records) {
        snprintf(
            why, size, "the copy has %" PRIu64 " records, the source %" PRIu64, c.seen, records);
        status = -1;
    }
    if (engine->close(environment) != 0 && status == 0) {
        status = failed(engine, "closing the copy", why, size);
    }
    return status == 0 ? 0 : -1;
}
