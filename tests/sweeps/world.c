#include "world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/error.h"

enum { KEYS = 5, SMALL = 60, MIDDLE = 700, LARGE = 6000 };

static const char *const names[] = {"0.db", "1.db"};
static const ref_db_options making = {.create = true, .page_size = 1024};

/* ---- what commit i leaves ---- */

static bool has_third(uint32_t commit)
{
    return commit % 6 == 3 || commit % 6 == 4;
}

static size_t value_size(uint32_t commit, bool large)
{
    return large ? LARGE : commit % 4 == 0 ? MIDDLE : SMALL;
}

/* The commit that last wrote the key; 0: none. */
static uint32_t writer_of(uint32_t key, uint32_t commit)
{
    uint32_t last = commit - (commit + KEYS - key) % KEYS;
    return last <= commit ? last : 0;
}

static void fill(uint8_t *value, size_t size, uint32_t commit, unsigned db)
{
    for (size_t i = 0; i < size; i++) {
        value[i] = (uint8_t)(commit * 31 + db * 7 + i % 251);
    }
}

static ref_slice key_of(char *room, uint32_t key)
{
    snprintf(room, 16, "key %u", key);
    return (ref_slice){room, strlen(room)};
}

/* ---- life ---- */

int world_new(world *w, fault_profile profile, uint64_t seed)
{
    fault_disk_options options = {.profile = profile, .seed = seed};
    *w = (world){0};
    int error = fault_disk_new(&options, &w->disk);
    if (error == 0) {
        w->vfs = fault_disk_vfs(w->disk);
        error = w->vfs->mkdir(w->vfs, SWEEP_HOME, 0700);
    }
    return error;
}

int world_again(world *w, const world *from)
{
    *w = *from;
    w->env = NULL;
    int error = fault_disk_clone(from->disk, &w->disk);
    w->vfs = error == 0 ? fault_disk_vfs(w->disk) : NULL;
    return error;
}

void world_free(world *w)
{
    if (w->env != NULL) {
        world_close(w);
    }
    fault_disk_free(w->disk);
    *w = (world){0};
}

static int open_env(const world *w, ref_vfs *vfs, const char *home, bool create, ref_env **out)
{
    ref_env_options options = {.vfs = vfs,
        .home = home,
        .log_dir = w->log_dir,
        .create = create,
        .segment_size = REF_SEGMENT_SIZE_MIN,
        .cache_size = 256u << 10};
    return ref_env_open(&options, out);
}

static int get_number(ref_db *db, uint32_t *number)
{
    ref_buffer value = {0};
    int error = ref_db_get(db, NULL, (ref_slice){"n", 1}, false, &value);
    *number = 0;
    if (error == 0 && value.size == sizeof *number) {
        memcpy(number, value.data, sizeof *number);
    }
    ref_buffer_free(&value);
    return error == REF_NOTFOUND ? 0 : error;
}

int world_open(world *w)
{
    int error = open_env(w, w->vfs, SWEEP_HOME, true, &w->env);
    if (error != 0) {
        w->env = NULL;
        return error;
    }
    for (unsigned i = 0; i < 2 && error == 0; i++) {
        error = ref_db_open(w->env, NULL, names[i], &making, &w->dbs[i]);
    }
    uint32_t found = 0;
    if (error == 0) {
        error = get_number(w->dbs[0], &found);
    }
    if (error == 0 && (found < w->acked || found > w->tried)) {
        error = SWEEP_WRONG;
    }
    if (error == 0) {
        w->acked = w->tried = found;
    } else {
        world_close(w);
    }
    return error;
}

int world_close(world *w)
{
    int error = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (w->dbs[i] != NULL) {
            ref_db_close(w->dbs[i]);
            w->dbs[i] = NULL;
        }
    }
    if (w->env != NULL) {
        error = ref_env_close(w->env);
        w->env = NULL;
    }
    return error;
}

void world_kill(world *w)
{
    fault_disk *as_it_was;
    if (fault_disk_clone(w->disk, &as_it_was) != 0) {
        abort();
    }
    world_close(w);
    fault_disk_free(w->disk);
    w->disk = as_it_was;
    w->vfs = fault_disk_vfs(w->disk);
}

/* ---- commits ---- */

static int put_all(const world *w, ref_txn *txn, uint32_t commit)
{
    uint8_t value[LARGE];
    char key[16];
    int error = 0;
    for (unsigned i = 0; i < 2 && error == 0; i++) {
        size_t size = value_size(commit, w->large);
        fill(value, size, commit, i);
        error =
            ref_db_put(w->dbs[i], txn, key_of(key, commit % KEYS), (ref_slice){value, size}, false);
        if (error == 0) {
            error = ref_db_put(w->dbs[i], txn, (ref_slice){"n", 1},
                (ref_slice){(const uint8_t *)&commit, sizeof commit}, false);
        }
    }
    return error;
}

static int change_third(const world *w, ref_txn *txn, uint32_t commit)
{
    ref_db *third;
    if (has_third(commit) == has_third(commit - 1)) {
        return 0;
    }
    if (!has_third(commit)) {
        return ref_db_remove(w->env, txn, "third.db");
    }
    int error = ref_db_open(w->env, txn, "third.db", &making, &third);
    if (error == 0) {
        error = ref_db_put(third, txn, (ref_slice){"n", 1},
            (ref_slice){(const uint8_t *)&commit, sizeof commit}, false);
        ref_db_close(third);
    }
    return error;
}

int world_commit(world *w)
{
    ref_txn *txn;
    uint32_t commit = w->acked + 1;
    int error = ref_txn_begin(w->env, NULL, &txn);
    if (error != 0) {
        return error;
    }
    error = put_all(w, txn, commit);
    if (error == 0) {
        error = change_third(w, txn, commit);
    }
    if (error != 0) {
        ref_txn_abort(txn);
        return error;
    }
    w->tried = commit;
    error = ref_txn_commit(txn);
    if (error == 0) {
        w->acked = commit;
    } else if (error != REF_RUNRECOVERY) {
        w->tried = w->acked; /* it was an abort */
    }
    return error;
}

int world_commits(world *w, unsigned count)
{
    int error = 0;
    for (unsigned i = 0; i < count && error == 0; i++) {
        error = world_commit(w);
    }
    return error;
}

/* ---- looking ---- */

__attribute__((format(printf, 2, 3))) static int wrong(char *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, SWEEP_WHY, format, args);
    va_end(args);
    return SWEEP_WRONG;
}

/* An error's words go with the next call. */
static void keep_words(int error, char *why)
{
    if (error != 0 && why[0] == '\0') {
        wrong(why, "%s", ref_error_text());
    }
}

/* Whatever size the world gives its values, the bytes say which commit wrote them. */
static int look_at_key(ref_db *db, unsigned number, uint32_t key, uint32_t commit, char *why)
{
    ref_buffer value = {0};
    uint8_t expected[LARGE];
    char room[16];
    uint32_t writer = writer_of(key, commit);
    int error = ref_db_get(db, NULL, key_of(room, key), false, &value);

    if (error == REF_NOTFOUND && writer == 0) {
        error = 0;
    } else if (error == REF_NOTFOUND || (error == 0 && writer == 0)) {
        error = wrong(why, "%s: key %u: %s, at commit %u", ref_db_name(db), key,
            writer == 0 ? "is there" : "is missing", commit);
    } else if (error == 0) {
        bool sized =
            value.size == value_size(writer, true) || value.size == value_size(writer, false);
        fill(expected, value.size <= LARGE ? value.size : 0, writer, number);
        if (!sized || memcmp(expected, value.data, value.size) != 0) {
            error =
                wrong(why, "%s: key %u: not what commit %u wrote", ref_db_name(db), key, writer);
        }
    }
    ref_buffer_free(&value);
    return error;
}

static int look_at_records(ref_db *db, unsigned number, uint32_t commit, char *why)
{
    uint32_t found;
    uint64_t records = 0;
    int error = get_number(db, &found);
    if (error == 0 && found != commit) {
        return wrong(why, "%s has commit %u, %s has %u", names[0], commit, ref_db_name(db), found);
    }
    for (uint32_t key = 0; key < KEYS && error == 0; key++) {
        error = look_at_key(db, number, key, commit, why);
    }
    if (error == 0) {
        error = ref_db_verify(db, &records);
    }
    uint64_t expected = commit == 0 ? 0 : 1 + (commit < KEYS ? commit : KEYS);
    return error == 0 && records != expected
               ? wrong(why, "%s has %llu records instead of %llu", ref_db_name(db),
                     (unsigned long long)records, (unsigned long long)expected)
               : error;
}

static int look_at_third(ref_env *env, uint32_t commit, char *why)
{
    const ref_db_options there = {.read_only = true};
    uint32_t found = 0;
    ref_db *third;
    int error = ref_db_open(env, NULL, "third.db", &there, &third);
    if (error == ENOENT) {
        return has_third(commit) ? wrong(why, "third.db is missing at commit %u", commit) : 0;
    }
    if (error == 0) {
        error = get_number(third, &found);
        ref_db_close(third);
    }
    if (error == 0 && (!has_third(commit) || found > commit || found + 1 < commit)) {
        return wrong(why, "third.db of commit %u is there at commit %u", found, commit);
    }
    return error;
}

static int look_at_env(ref_env *env, uint32_t least, uint32_t most, uint32_t *found, char *why)
{
    const ref_db_options there = {.read_only = true};
    ref_db *dbs[2] = {NULL, NULL};
    uint32_t commit = 0;
    int error = 0;
    for (unsigned i = 0; i < 2 && error == 0; i++) {
        error = ref_db_open(env, NULL, names[i], &there, &dbs[i]);
        if (error == 0 && i == 0) {
            error = get_number(dbs[0], &commit);
        }
        if (error == 0) {
            error = look_at_records(dbs[i], i, commit, why);
        }
    }
    keep_words(error, why);
    for (unsigned i = 0; i < 2; i++) {
        if (dbs[i] != NULL) {
            ref_db_close(dbs[i]);
        }
    }
    if (error == 0) {
        error = look_at_third(env, commit, why);
    }
    *found = commit;
    return error == 0 && (commit < least || commit > most)
               ? wrong(why, "holds commit %u, expected %u to %u", commit, least, most)
               : error;
}

int world_look(const world *w, ref_vfs *vfs, const char *home, uint32_t least, uint32_t most,
    uint32_t *found, char *why)
{
    ref_env *env;
    uint32_t commit = 0;
    int error = open_env(w, vfs, home, false, &env);
    if (error == 0) {
        error = look_at_env(env, least, most, &commit, why);
        int close_error = ref_env_close(env);
        error = error != 0 ? error : close_error;
    }
    keep_words(error, why);
    if (found != NULL) {
        *found = commit;
    }
    return error;
}

int world_look_at_database(ref_vfs *vfs, const char *path, uint32_t commit, char *why)
{
    const ref_db_options there = {.read_only = true};
    ref_db *db;
    int error = ref_db_open_alone(vfs, path, &there, &db);
    if (error == 0) {
        uint32_t found;
        error = get_number(db, &found);
        if (error == 0 && found != commit) {
            error = wrong(why, "%s holds commit %u instead of %u", path, found, commit);
        }
        if (error == 0) {
            error = look_at_records(db, 0, commit, why);
        }
        keep_words(error, why);
        ref_db_close(db);
    }
    keep_words(error, why);
    return error;
}

int world_wrong(char *why, const char *words, const char *detail)
{
    return wrong(why, "%s%s", words, detail);
}

int world_check_source(const world *w, ref_vfs *vfs, char *why)
{
    char words[SWEEP_WHY] = "";
    int error = world_look(w, vfs, SWEEP_HOME, w->acked, w->tried, NULL, words);
    if (error == 0) {
        return 0;
    }
    return world_wrong(
        why, error == SWEEP_WRONG ? "the source: " : "the source does not open: ", words);
}
