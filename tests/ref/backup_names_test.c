/*
 * Databases that are made, changed, renamed, swapped, removed and made again during a backup: each
 * of these at each call of the sink. The copy must be the state before it or after it, and after it
 * when databases were still to be read.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "copy_sink.h"
#include "engine/error.h"

enum { NAMES = 5 };

static const char *const names[NAMES] = {"a.db", "b.db", "c.db", "d.db", "e.db"};

/* What there is: for each name the record "id" of the database, and the sum of its numbers. */
typedef struct picture {
    char text[NAMES * 64];
} picture;

static void look(ref_env *env, picture *out)
{
    size_t used = 0;
    out->text[0] = '\0';
    for (int i = 0; i < NAMES; i++) {
        ref_buffer id = {0};
        uint32_t value, sum = 0;
        if (!db_exists(env, names[i])) {
            continue;
        }
        ref_db *db = db_open(env, names[i]);
        db_verify(db);
        assert_ok(ref_db_get(db, NULL, text("id"), false, &id));
        for (uint32_t key = 0; key < 40; key++) {
            sum += get_number(db, NULL, key, &value) == 0 ? value : 0;
        }
        used += (size_t)snprintf(out->text + used, sizeof out->text - used, "%s=%.*s:%u ", names[i],
            (int)id.size, (const char *)id.data, sum);
        ref_buffer_free(&id);
        assert_ok(ref_db_close(db));
    }
}

/* ---- what is done ---- */

static const ref_db_options creating = {.create = true, .page_size = 512};

/* Writes records of some pages and what the database is called at birth. */
static int fill(ref_env *env, ref_txn *txn, const char *name, const char *id, uint32_t value)
{
    ref_db *db;
    int error = ref_db_open(env, txn, name, &creating, &db);
    if (error != 0) {
        return error;
    }
    error = put(db, txn, "id", id);
    for (uint32_t key = 0; key < 40 && error == 0; key++) {
        error = put_number(db, txn, key, value, 90);
    }
    ref_db_close(db);
    return error;
}

static int act_change(ref_env *env, ref_txn *txn)
{
    int error = fill(env, txn, "a.db", "a", 5);
    return error == 0 ? fill(env, txn, "c.db", "c", 7) : error;
}

static int act_make(ref_env *env, ref_txn *txn)
{
    return fill(env, txn, "d.db", "new", 3);
}

static int act_remove(ref_env *env, ref_txn *txn)
{
    return ref_db_remove(env, txn, "b.db");
}

static int act_make_again(ref_env *env, ref_txn *txn)
{
    int error = ref_db_remove(env, txn, "b.db");
    return error == 0 ? fill(env, txn, "b.db", "second", 9) : error;
}

static int act_rename(ref_env *env, ref_txn *txn)
{
    int error = ref_db_rename(env, txn, "c.db", "e.db");
    return error == 0 ? fill(env, txn, "e.db", "renamed", 4) : error;
}

static int act_swap(ref_env *env, ref_txn *txn)
{
    int error = ref_db_rename(env, txn, "a.db", "x.db");
    error = error == 0 ? ref_db_rename(env, txn, "c.db", "a.db") : error;
    error = error == 0 ? ref_db_rename(env, txn, "x.db", "c.db") : error;
    return error == 0 ? fill(env, txn, "c.db", "was a", 6) : error;
}

static int act_rotate_and_make(ref_env *env, ref_txn *txn)
{
    int error = ref_db_rename(env, txn, "a.db", "d.db");
    error = error == 0 ? ref_db_rename(env, txn, "b.db", "a.db") : error;
    error = error == 0 ? ref_db_remove(env, txn, "c.db") : error;
    return error == 0 ? fill(env, txn, "b.db", "made", 8) : error;
}

typedef struct action {
    const char *name;
    int (*act)(ref_env *env, ref_txn *txn);
} action;

static const action actions[] = {{"change", act_change}, {"make", act_make}, {"remove", act_remove},
    {"make again", act_make_again}, {"rename", act_rename}, {"swap", act_swap},
    {"rotate and make", act_rotate_and_make}};

/* ---- one backup ---- */

typedef struct scene {
    fixture *fix;
    const action *action;
    uint32_t at;
    bool checkpoint; /* and removal of log, right after it */
    bool done;
    bool before_log; /* it was done when databases were still to be read */
    copy_sink sink;
} scene;

static int play(void *context, uint32_t call, copy_call kind, const char *name)
{
    scene *now = context;
    ref_env *env = now->fix->env;
    ref_txn *txn;
    uint32_t *numbers;
    size_t count;
    (void)kind;
    (void)name;
    if (call != now->at) {
        return 0;
    }
    now->done = true;
    now->before_log = !now->sink.log_begun;
    int error = ref_txn_begin(env, NULL, &txn);
    if (error != 0) {
        return error;
    }
    error = now->action->act(env, txn);
    if (error != 0) {
        ref_txn_abort(txn);
        return error;
    }
    error = ref_txn_commit(txn);
    if (error == 0 && now->checkpoint) {
        error = ref_checkpoint(env, true);
        error = error == 0 ? ref_log_archive(env, REF_ARCHIVE_REMOVE, &numbers, &count) : error;
    }
    return error;
}

/* A home with three databases, of which b has been changed since the checkpoint and c is so new
 * that its file has no content yet. */
static void make_source(fixture *fix)
{
    tree_remove(fix->home);
    dir_make(fix->home);
    env_open(fix);
    assert_ok(fill(fix->env, NULL, "a.db", "a", 1));
    assert_ok(fill(fix->env, NULL, "b.db", "b", 1));
    assert_ok(ref_checkpoint(fix->env, false));
    assert_ok(fill(fix->env, NULL, "b.db", "b", 2));
    assert_ok(fill(fix->env, NULL, "c.db", "c", 2));
}

static void check_copy(scene *now, const picture *before, const picture *after, uint32_t at)
{
    picture found;
    ref_env *env;
    assert_ok(env_open_at(now->fix, now->sink.dir, &env));
    look(env, &found);
    assert_ok(ref_env_close(env));
    bool is_after = strcmp(found.text, after->text) == 0;
    bool is_before = strcmp(found.text, before->text) == 0;
    if (!is_after && (now->before_log || !is_before)) {
        print_error("%s at call %u:\nthe copy has %s\nbefore it was %s\nafter it %s\n",
            now->action->name, at, found.text, before->text, after->text);
        fail();
    }
}

/* False when the backup made fewer calls. */
static bool back_up_with(fixture *fix, const action *what, uint32_t at, bool checkpoint, bool logs)
{
    scene now = {.fix = fix, .action = what, .at = at, .checkpoint = checkpoint};
    char copy[FIXTURE_PATH];
    picture before, after;
    ref_backup_options options = {
        .sink = &now.sink.sink, .buffer_size = 512, .flags = logs ? 0 : REF_BACKUP_NO_LOGS};
    snprintf(copy, sizeof copy, "%.900s/copy", fix->dir);
    tree_remove(copy);
    make_source(fix);
    look(fix->env, &before);
    copy_sink_init(&now.sink, copy);
    now.sink.hook = play;
    now.sink.hook_context = &now;
    assert_ok(ref_backup(fix->env, &options));
    look(fix->env, &after);
    env_close(fix);
    if (now.done && logs) {
        check_copy(&now, &before, &after, at);
    } else if (now.done) {
        now.before_log = false;
        check_copy(&now, &before, &before, at); /* as it was when the backup began */
    }
    return now.done;
}

static void sweep(fixture *fix, bool checkpoint, bool logs)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        uint32_t at = 0;
        /* Neighbouring writes are alike: each call at first, then every third. */
        while (back_up_with(fix, &actions[i], at, checkpoint, logs)) {
            at += at < 6 ? 1 : 3;
        }
        assert_true(at > 10);
    }
}

static void whatever_happens_to_databases_during_a_backup_is_in_the_copy_or_not(void **state)
{
    sweep(*state, false, true);
}

static void also_when_checkpoints_follow_and_log_is_removed(void **state)
{
    sweep(*state, true, true);
}

/* A database that is removed cannot be read any more, and is left out: that is not this test's. */
static void a_copy_without_logs_shows_nothing_of_what_happens_meanwhile(void **state)
{
    fixture *fix = *state;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        bool removes = actions[i].act == act_remove || actions[i].act == act_make_again ||
                       actions[i].act == act_rotate_and_make;
        for (uint32_t at = 0; !removes && back_up_with(fix, &actions[i], at, at % 2 == 0, false);
             at += 2) {
        }
    }
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(whatever_happens_to_databases_during_a_backup_is_in_the_copy_or_not),
    SCRATCH_TEST(also_when_checkpoints_follow_and_log_is_removed),
    SCRATCH_TEST(a_copy_without_logs_shows_nothing_of_what_happens_meanwhile),
};

TEST_MAIN(tests)
