/* Backup from another process while the owner makes, renames, removes and adopts databases. */
#include "owner.h"

#include <errno.h>
#include <stdlib.h>

/* ---- between one file of the copy and the next ---- */

typedef struct script {
    owner *who;
    const char *at;        /* the file before which it is done */
    const char *orders[6]; /* up to the first NULL */
    bool done;
} script;

static void play(void *context, const char *name)
{
    script *play = context;
    if (strcmp(name, play->at) != 0) {
        return;
    }
    play->done = true;
    for (size_t i = 0; i < 6 && play->orders[i] != NULL; i++) {
        owner_do(play->who, "%s", play->orders[i]);
    }
}

/* A backup of the guest into fix->dir/copy through a caller's sink, with the script played. */
static int back_up_with(fixture *fix, ref_env *guest, script *orders, told_sink *sink)
{
    tree_remove(at_dir(fix, "copy"));
    told_sink_begin(sink, fix, "copy", play, orders);
    ref_backup_options options = {.sink = &sink->sink, .buffer_size = 4096};
    int error = ref_backup(guest, &options);
    assert_true(orders->done);
    return error;
}

/* Opens the copy as fix->env. */
static void open_copy(fixture *fix)
{
    ref_env_options options = {.vfs = &fix->vfs.vfs, .home = at_dir(fix, "copy")};
    assert_ok(ref_env_open(&options, &fix->env));
}

/* The database has its one record, that of the database `made`. */
static void has(ref_env *env, const char *name, const char *made)
{
    ref_db *db = db_open(env, name);
    assert_int_equal(db_verify(db), 1);
    expect(db, NULL, made, made);
    assert_ok(ref_db_close(db));
}

/* An owner with a.db and b.db, and c.db to e.db with a record each. */
static ref_env *begin_five(fixture *fix, owner *who)
{
    owner_start(who, fix);
    owner_do(who, "create c.db");
    owner_do(who, "create d.db");
    owner_do(who, "create e.db");
    owner_do(who, "move 20");
    owner_do(who, "checkpoint");
    return guest_open(fix);
}

static void end_five(fixture *fix, owner *who, ref_env *guest)
{
    env_close(fix);
    assert_ok(ref_env_close(guest));
    owner_end(who);
}

static void a_database_made_meanwhile_comes_with_the_log(void **state)
{
    fixture *fix = *state;
    owner who;
    told_sink sink;
    ref_env *guest = begin_five(fix, &who);
    script orders = {&who, "b.db", {"create new.db", "bridge more.db", "checkpoint"}, false};

    assert_ok(back_up_with(fix, guest, &orders, &sink));
    open_copy(fix);
    has(fix->env, "new.db", "new.db");
    has(fix->env, "more.db", "more.db");
    books_check_in(fix->env, 20);
    end_five(fix, &who, guest);
}

static void a_database_renamed_before_its_turn_is_found(void **state)
{
    fixture *fix = *state;
    owner who;
    told_sink sink;
    ref_env *guest = begin_five(fix, &who);
    script orders = {&who, "b.db", {"rename c.db z.db", "rename d.db c.db", "checkpoint"}, false};

    assert_ok(back_up_with(fix, guest, &orders, &sink));
    open_copy(fix);
    has(fix->env, "z.db", "c.db");
    has(fix->env, "c.db", "d.db");
    has(fix->env, "e.db", "e.db");
    assert_false(db_exists(fix->env, "d.db"));
    end_five(fix, &who, guest);
}

static void databases_that_exchange_their_names_keep_their_records(void **state)
{
    fixture *fix = *state;
    owner who;
    told_sink sink;
    ref_env *guest = begin_five(fix, &who);
    script orders = {&who, "d.db", {"swap c.db d.db", "swap d.db e.db"}, false};

    assert_ok(back_up_with(fix, guest, &orders, &sink));
    open_copy(fix);
    has(fix->env, "c.db", "d.db");
    has(fix->env, "d.db", "e.db");
    has(fix->env, "e.db", "c.db");
    end_five(fix, &who, guest);
}

static void a_database_removed_before_its_turn_is_not_in_the_copy(void **state)
{
    fixture *fix = *state;
    owner who;
    told_sink sink;
    ref_env *guest = begin_five(fix, &who);
    script orders = {
        &who, "b.db", {"remove c.db", "remove e.db", "create e.db", "checkpoint"}, false};

    assert_ok(back_up_with(fix, guest, &orders, &sink));
    assert_false(file_exists(at_dir(fix, "copy/c.db")));
    open_copy(fix);
    assert_false(db_exists(fix->env, "c.db"));
    has(fix->env, "d.db", "d.db");
    has(fix->env, "e.db", "e.db");
    end_five(fix, &who, guest);
}

static void a_database_removed_after_its_turn_is_removed_by_the_log(void **state)
{
    fixture *fix = *state;
    owner who;
    told_sink sink;
    ref_env *guest = begin_five(fix, &who);
    script orders = {&who, "e.db", {"remove c.db", "rename d.db f.db", "move 5"}, false};

    assert_ok(back_up_with(fix, guest, &orders, &sink));
    assert_true(file_exists(at_dir(fix, "copy/c.db")));
    open_copy(fix);
    assert_false(db_exists(fix->env, "c.db"));
    assert_false(db_exists(fix->env, "d.db"));
    has(fix->env, "f.db", "d.db");
    books_check_in(fix->env, 25);
    end_five(fix, &who, guest);
}

static void what_the_owner_does_while_the_log_is_copied_is_not_in_the_copy(void **state)
{
    fixture *fix = *state;
    owner who;
    told_sink sink;
    char first[32];

    ref_env *guest = begin_five(fix, &who);
    owner_do(&who, "remove_logs");
    snprintf(first, sizeof first, "log.%010u", last_segment(fix->home));
    script orders = {&who, first, {"remove c.db", "create g.db", "move 7", "checkpoint"}, false};
    assert_ok(back_up_with(fix, guest, &orders, &sink));
    open_copy(fix);
    has(fix->env, "c.db", "c.db");
    assert_false(db_exists(fix->env, "g.db"));
    assert_int_equal(books_check_in(fix->env, 20), 20);
    end_five(fix, &who, guest);
}

/* One owner dies over a rename and another takes its place, before the backup. */
static void names_may_change_and_the_owner_too(void **state)
{
    fixture *fix = *state;
    owner who;
    told_sink sink;
    ref_env *guest = begin_five(fix, &who);
    script orders = {&who, "b.db", {"rename c.db z.db", "remove d.db", "create c.db"}, false};

    owner_do(&who, "die fsync_dir home");
    assert_int_equal(owner_tell(&who, "rename c.db y.db"), -1);
    owner_await(&who);
    owner_start(&who, fix); /* recovers: y.db, or c.db */
    bool renamed = file_exists(at_home(fix, "y.db"));
    owner_do(&who, "%s", renamed ? "rename y.db c.db" : "checkpoint");
    assert_ok(back_up_with(fix, guest, &orders, &sink));
    open_copy(fix);
    has(fix->env, "z.db", "c.db");
    has(fix->env, "c.db", "c.db");
    assert_false(db_exists(fix->env, "d.db"));
    end_five(fix, &who, guest);
}

/* ---- the sink's words ---- */

static int refuse_open(void *context, const char *name, void **file)
{
    (void)context;
    (void)name;
    *file = NULL;
    return 4711;
}

static void what_a_sink_gives_ends_the_backup_and_the_pin(void **state)
{
    fixture *fix = *state;
    owner who;
    ref_sink sink = {.open = refuse_open};
    ref_backup_options options = {.sink = &sink};

    owner_start(&who, fix);
    owner_do(&who, "checkpoint");
    ref_env *guest = guest_open(fix);
    assert_int_equal(ref_backup(guest, &options), 4711);
    owner_do(&who, "move 200");
    owner_do(&who, "checkpoint");
    assert_true(owner_do(&who, "remove_logs") < 4);
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

/* ---- adoption ---- */

/* A database of another environment at home/foreign.db. */
static void bring_foreign(fixture *fix)
{
    char other[FIXTURE_PATH], path[2 * FIXTURE_PATH];
    ref_env_options options = {.vfs = &fix->vfs.vfs, .home = other, .create = true};
    ref_env *env;

    snprintf(other, sizeof other, "%s", at_dir(fix, "other"));
    dir_make(other);
    assert_ok(ref_env_open(&options, &env));
    ref_db *db = db_make(env, "foreign.db");
    assert_ok(put(db, NULL, "foreign.db", "foreign.db"));
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(env));
    snprintf(path, sizeof path, "%s/foreign.db", other);
    file_copy(path, at_home(fix, "foreign.db"));
}

typedef struct adoption {
    owner *who;
    int error;
    char words[200];
} adoption;

static void adopt(void *context, const char *name)
{
    adoption *now = context;
    if (strcmp(name, "a.db") == 0) {
        now->error = owner_tell(now->who, "open foreign.db");
        snprintf(now->words, sizeof now->words, "%.199s", now->who->words);
    }
}

static void the_owner_cannot_adopt_a_database_while_a_guest_copies(void **state)
{
    fixture *fix = *state;
    owner who;
    adoption now = {.who = &who};
    told_sink sink;

    owner_start(&who, fix);
    bring_foreign(fix);
    ref_env *guest = guest_open(fix);
    told_sink_begin(&sink, fix, "copy", adopt, &now);
    ref_backup_options options = {.sink = &sink.sink};
    assert_ok(ref_backup(guest, &options));
    assert_int_equal(now.error, EBUSY);
    assert_non_null(strstr(now.words, "a backup is running"));
    /* The copy has it as it was brought, and adopts it, as the owner does now. */
    owner_do(&who, "open foreign.db");
    assert_ok(ref_env_close(guest));
    owner_end(&who);
    open_copy(fix);
    has(fix->env, "foreign.db", "foreign.db");
    env_close(fix);
    env_open(fix);
    has(fix->env, "foreign.db", "foreign.db");
    env_close(fix);
}

static void an_adopted_database_is_in_the_next_copy(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    bring_foreign(fix);
    owner_do(&who, "open foreign.db");
    assert_ok(guest_backup(fix, guest, "copy", 0));
    assert_ok(ref_env_close(guest));
    owner_end(&who);
    open_copy(fix);
    has(fix->env, "foreign.db", "foreign.db");
    env_close(fix);
}

typedef struct inside {
    fixture *fix;
    int error;
    char words[200];
} inside;

static void adopt_inside(void *context, const char *name)
{
    inside *now = context;
    ref_db_options options = {0};
    ref_db *db;
    if (strcmp(name, "a.db") == 0) {
        now->error = ref_db_open(now->fix->env, NULL, "foreign.db", &options, &db);
        snprintf(now->words, sizeof now->words, "%.199s", ref_error_text());
    }
}

static void nor_can_a_process_that_copies_its_own(void **state)
{
    fixture *fix = *state;
    inside now = {.fix = fix};
    told_sink sink;

    env_open(fix);
    assert_ok(ref_db_close(db_make(fix->env, "a.db")));
    bring_foreign(fix);
    told_sink_begin(&sink, fix, "copy", adopt_inside, &now);
    ref_backup_options options = {.sink = &sink.sink};
    assert_ok(ref_backup(fix->env, &options));
    assert_int_equal(now.error, EBUSY);
    assert_non_null(strstr(now.words, "a backup is running"));
    has(fix->env, "foreign.db", "foreign.db");
    env_close(fix);
}

static const struct CMUnitTest tests[] = {
    OWNER_TEST(a_database_made_meanwhile_comes_with_the_log),
    OWNER_TEST(a_database_renamed_before_its_turn_is_found),
    OWNER_TEST(databases_that_exchange_their_names_keep_their_records),
    OWNER_TEST(a_database_removed_before_its_turn_is_not_in_the_copy),
    OWNER_TEST(a_database_removed_after_its_turn_is_removed_by_the_log),
    OWNER_TEST(what_the_owner_does_while_the_log_is_copied_is_not_in_the_copy),
    OWNER_TEST(names_may_change_and_the_owner_too),
    OWNER_TEST(what_a_sink_gives_ends_the_backup_and_the_pin),
    OWNER_TEST(the_owner_cannot_adopt_a_database_while_a_guest_copies),
    OWNER_TEST(an_adopted_database_is_in_the_next_copy),
    OWNER_TEST(nor_can_a_process_that_copies_its_own),
};

OWNER_TEST_MAIN(tests)
