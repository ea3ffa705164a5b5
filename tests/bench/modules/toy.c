/*
 * An engine for tests: a table is a file of records, a backup is a copy of it. HOTBENCH_TOY in the
 * environment makes it misbehave: "fails" in its backup, "dies" in it, "loses" the last record of
 * the copy.
 */
#include "hp_case.h"
#include "hp_engine.h"
#include "hp_module.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY = 16, VALUE = 1000, RECORD = KEY + VALUE, MOST = 20000 };

struct hp_environment {
    char path[4096];
    size_t count;
    unsigned char records[MOST][RECORD];
};

static char said[256] = "";

static bool behaviour(const char *name)
{
    const char *wanted = getenv("HOTBENCH_TOY");
    return wanted != NULL && strcmp(wanted, name) == 0;
}

static int refuse(int error, const char *words)
{
    snprintf(said, sizeof said, "%s", words);
    return error;
}

static int save(const hp_environment *environment, const char *path, size_t count)
{
    FILE *file = fopen(path, "wb");
    bool saved = file != NULL && fwrite(environment->records, RECORD, count, file) == count;
    if (file != NULL && fclose(file) != 0) {
        saved = false;
    }
    return saved ? 0 : refuse(EIO, path);
}

static int toy_open(const char *home, unsigned flags, const hp_engine_settings *settings,
    hp_environment **environment)
{
    (void)flags;
    (void)settings;
    hp_environment *e = calloc(1, sizeof *e);
    *environment = e;
    if (e == NULL) {
        return refuse(ENOMEM, "no memory");
    }
    snprintf(e->path, sizeof e->path, "%s/table", home);
    FILE *file = fopen(e->path, "rb");
    if (file != NULL) {
        e->count = fread(e->records, RECORD, MOST, file);
        fclose(file);
    }
    return 0;
}

static int toy_restore(
    const char *copy, const hp_engine_settings *settings, hp_environment **environment)
{
    return toy_open(copy, 0, settings, environment);
}

static int toy_close(hp_environment *environment)
{
    free(environment);
    return 0;
}

static int toy_begin(hp_environment *environment, hp_transaction **transaction)
{
    *transaction = (hp_transaction *)(void *)environment;
    return 0;
}

static int toy_put(hp_transaction *transaction, unsigned table, const void *key, size_t key_size,
    const void *value, size_t value_size)
{
    hp_environment *e = (hp_environment *)(void *)transaction;
    size_t at = 0;
    int order = -1;
    if (table != 0 || key_size != KEY || value_size != VALUE || e->count == MOST) {
        return refuse(EINVAL, "not for this table");
    }
    while (at < e->count && (order = memcmp(e->records[at], key, KEY)) < 0) {
        at++;
    }
    if (at == e->count || order != 0) {
        memmove(e->records[at + 1], e->records[at], (e->count - at) * RECORD);
        e->count++;
    }
    memcpy(e->records[at], key, KEY);
    memcpy(e->records[at] + KEY, value, VALUE);
    return 0;
}

static int toy_remove(hp_transaction *transaction, unsigned table, const void *key, size_t key_size)
{
    (void)transaction;
    (void)table;
    (void)key;
    (void)key_size;
    return refuse(ENOTSUP, "this engine only grows");
}

static int toy_commit(hp_transaction *transaction, unsigned flags)
{
    const hp_environment *e = (const hp_environment *)(void *)transaction;
    (void)flags;
    return save(e, e->path, e->count);
}

static int toy_abort(hp_transaction *transaction)
{
    (void)transaction;
    return 0;
}

static int toy_scan(
    hp_environment *environment, unsigned table, hp_engine_record each, void *context)
{
    int result = 0;
    (void)table;
    for (size_t i = 0; i < environment->count && result == 0; i++) {
        const unsigned char *record = environment->records[i];
        result = each(context, record, KEY, record + KEY, VALUE);
    }
    return result;
}

static int toy_checkpoint(hp_environment *environment)
{
    return save(environment, environment->path, environment->count);
}

static int toy_backup(hp_environment *environment, const char *target)
{
    char path[4096];
    if (behaviour("dies")) {
        abort();
    }
    if (behaviour("fails")) {
        return refuse(EIO, "the toy broke");
    }
    if (mkdir(target, 0700) != 0) {
        return refuse(errno, target);
    }
    snprintf(path, sizeof path, "%s/table", target);
    return save(environment, path, environment->count - (behaviour("loses") ? 1 : 0));
}

static const char *toy_words(void)
{
    return said;
}

static const char *version(void)
{
    return "1.0";
}

static void own_function(void)
{
}

static const hp_engine operations = {
    .version = HP_ENGINE_VERSION,
    .open = toy_open,
    .close = toy_close,
    .begin = toy_begin,
    .put = toy_put,
    .remove = toy_remove,
    .commit = toy_commit,
    .abort = toy_abort,
    .scan = toy_scan,
    .checkpoint = toy_checkpoint,
    .backup = toy_backup,
    .restore = toy_restore,
    .words = toy_words,
};

static const hp_case *const tables[] = {NULL};
static const hp_entry_point entries[] = {{"own", own_function, NULL}, {NULL, NULL, NULL}};
static const hp_module module = {
    .version = HP_MODULE_VERSION,
    .engine = "toy",
    .profile = "core",
    .library_version = version,
    .entry_points = entries,
    .tables = tables,
    .operations = &operations,
    .run_case = hp_case_run_one,
};

__attribute__((visibility("default"))) const hp_module *hp_module_v1(void)
{
    return &module;
}
