/*
 * Copies without logs from another process: they must be whole by themselves, but only the owner
 * has the pages of one commit. So a whole copy is made and recovered beside them.
 */
#include "owner.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define STAGE "__backup.stage"

static int back_up_database(fixture *fix, ref_env *guest, const char *name, const char *target)
{
    char path[FIXTURE_PATH];
    ref_backup_options options = {.target = path};
    snprintf(path, sizeof path, "%s", at_dir(fix, target));
    return ref_backup_database(guest, name, &options);
}

/* No log, no control file, no marker and nothing of ours in the copy. */
static void is_bare(fixture *fix, const char *copy)
{
    static const char *const names[] = {"__db.control", "__db.lock", "__backup.incomplete",
        "__backup.lock", "__backup.label", STAGE};
    char path[FIXTURE_PATH];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", copy, names[i]);
        if (file_exists(at_dir(fix, path))) {
            fail_msg("%s is there", path);
        }
    }
    assert_int_equal(last_segment(at_dir(fix, copy)), 0);
}

static void a_copy_without_logs_is_whole_by_itself(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "grow 30");
    ref_env *guest = guest_open(fix);
    for (int round = 0; round < 3; round++) {
        long before = owner_do(&who, "run");
        assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_NO_LOGS | REF_BACKUP_CLEAN));
        is_bare(fix, "copy");
        books_check(fix, "copy", true, before);
    }
    assert_ok(ref_env_close(guest));
    owner_do(&who, "move 1");
    owner_end(&who);
}

static void it_may_take_the_place_of_one_with_logs(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "move 10");
    ref_env *guest = guest_open(fix);
    assert_ok(guest_backup(fix, guest, "copy", 0));
    owner_do(&who, "move 10");
    assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_NO_LOGS));
    is_bare(fix, "copy");
    books_check(fix, "copy", true, 20);
    owner_do(&who, "move 10");
    assert_ok(guest_backup(fix, guest, "copy", 0));
    books_check(fix, "copy", false, 30);
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

static void one_database_from_outside_is_whole_by_itself(void **state)
{
    fixture *fix = *state;
    owner who;
    ref_db_options options = {.read_only = true};
    ref_buffer found = {0};
    ref_db *db;

    owner_start(&who, fix);
    owner_do(&who, "grow 30");
    owner_do(&who, "move 10");
    ref_env *guest = guest_open(fix);
    dir_make(at_dir(fix, "copy"));
    long before = owner_do(&who, "run");
    assert_ok(back_up_database(fix, guest, "a.db", "copy"));
    is_bare(fix, "copy");
    assert_false(file_exists(at_dir(fix, "copy/b.db")));
    assert_ok(ref_db_open_alone(&fix->vfs.vfs, at_dir(fix, "copy/a.db"), &options, &db));
    assert_true(db_verify(db) > 30);
    assert_ok(ref_db_get(db, NULL, text("moves"), false, &found));
    assert_true(strtol((const char *)found.data, NULL, 10) >= before);
    ref_buffer_free(&found);
    assert_ok(ref_db_close(db));
    assert_ok(ref_env_close(guest));
    owner_kill(&who);
}

static void it_holds_when_the_owner_is_dead(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    dir_make(at_dir(fix, "one"));
    owner_do(&who, "grow 30");
    long before = owner_do(&who, "move 40");
    owner_do(&who, "run");
    owner_kill(&who);
    assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_NO_LOGS));
    assert_ok(back_up_database(fix, guest, "b.db", "one"));
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", true, before);
    is_bare(fix, "one");
}

/* The guest has been open since before. */
static void databases_made_since_are_in_it(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "create old.db");
    ref_env *guest = guest_open(fix);
    owner_do(&who, "create c.db");
    owner_do(&who, "rename old.db new.db");
    dir_make(at_dir(fix, "one"));
    assert_ok(back_up_database(fix, guest, "c.db", "one"));
    assert_true(file_exists(at_dir(fix, "one/c.db")));
    assert_fails(back_up_database(fix, guest, "old.db", "one"), ENOENT, "old.db");
    assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_NO_LOGS));
    assert_true(file_exists(at_dir(fix, "copy/c.db")));
    assert_true(file_exists(at_dir(fix, "copy/new.db")));
    assert_false(file_exists(at_dir(fix, "copy/old.db")));
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

typedef struct moment {
    owner *who;
    const char *part; /* of the path of a file that is created */
    const char *order;
    bool done;
} moment;

static void at_the_moment(void *context, fault_kind kind, const char *path)
{
    moment *now = context;
    if (!now->done && kind == FAULT_CREATE && path != NULL && strstr(path, now->part) != NULL) {
        now->done = true;
        owner_do(now->who, "%s", now->order);
    }
}

/* A database that is made after the list and before the copy: with the transaction that made it, or
 * without. */
static void it_is_the_state_of_one_commit(void **state)
{
    static const char *const parts[] = {
        "copy/__backup.lock", STAGE "/__backup.lock", STAGE "/a.db", STAGE "/b.db", "copy/a.db"};
    fixture *fix = *state;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char name[16], order[32];
        owner who;
        ref_buffer found = {0};
        snprintf(name, sizeof name, "new%zu.db", i);
        snprintf(order, sizeof order, "bridge %s", name);
        moment now = {&who, parts[i], order, false};
        owner_start(&who, fix);
        ref_env *guest = guest_open(fix);
        fix->vfs.before_context = &now;
        fix->vfs.before = at_the_moment;
        int error = guest_backup(fix, guest, "copy", REF_BACKUP_NO_LOGS | REF_BACKUP_CLEAN);
        fix->vfs.before = NULL;
        assert_ok(error);
        assert_true(now.done);
        assert_ok(ref_env_close(guest));
        owner_end(&who);
        ref_env_options options = {
            .vfs = &fix->vfs.vfs, .home = at_dir(fix, "copy"), .create = true};
        assert_ok(ref_env_open(&options, &fix->env));
        ref_db *a = db_open(fix->env, "a.db");
        int bridged = ref_db_get(a, NULL, text("bridge"), false, &found);
        bool noted =
            bridged == 0 && found.size == strlen(name) && memcmp(found.data, name, found.size) == 0;
        if (noted != db_exists(fix->env, name)) {
            fail_msg("%s made before %s: %s", name, parts[i], noted ? "missing" : "too much");
        }
        ref_buffer_free(&found);
        assert_ok(ref_db_close(a));
        env_close(fix);
    }
}

static int never_open(void *context, const char *name, void **file)
{
    bool *called = context;
    (void)name;
    *file = NULL;
    *called = true;
    return EIO;
}

static void callbacks_are_refused_before_the_first(void **state)
{
    fixture *fix = *state;
    owner who;
    bool called = false;
    ref_sink sink = {.context = &called, .open = never_open};
    ref_backup_options options = {.sink = &sink, .flags = REF_BACKUP_NO_LOGS};

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    assert_fails(ref_backup(guest, &options), EOPNOTSUPP, "needs a directory, not callbacks");
    options.flags = 0;
    assert_fails(ref_backup_database(guest, "a.db", &options), EOPNOTSUPP, "needs a directory");
    assert_false(called);
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

/* ---- what a crashed one has left ---- */

static void leave_stage(fixture *fix, const char *target)
{
    char path[FIXTURE_PATH], from[FIXTURE_PATH];
    snprintf(path, sizeof path, "%s/" STAGE, target);
    dir_make(at_dir(fix, path));
    snprintf(path, sizeof path, "%s/" STAGE "/a.db", target);
    snprintf(from, sizeof from, "%s", at_home(fix, "a.db"));
    file_copy(from, at_dir(fix, path));
    snprintf(path, sizeof path, "%s/" STAGE "/__backup.incomplete", target);
    file_write(at_dir(fix, path), "x", 1);
}

static void what_a_crashed_one_has_left_goes_with_the_next(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "move 30");
    owner_do(&who, "checkpoint");
    ref_env *guest = guest_open(fix);
    dir_make(at_dir(fix, "copy"));
    leave_stage(fix, "copy");
    assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_NO_LOGS));
    is_bare(fix, "copy");
    leave_stage(fix, "copy");
    assert_ok(back_up_database(fix, guest, "a.db", "copy"));
    is_bare(fix, "copy");
    leave_stage(fix, "copy");
    assert_ok(guest_backup(fix, guest, "copy", 0));
    assert_false(file_exists(at_dir(fix, "copy/" STAGE)));
    books_check(fix, "copy", false, 30);
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

static void it_is_in_no_copy_of_the_environment_around_it(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "checkpoint");
    dir_make(at_home(fix, "copies"));
    leave_stage(fix, "home/copies");
    ref_env *guest = guest_open(fix);
    assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_FILES));
    assert_false(file_exists(at_dir(fix, "copy/copies/" STAGE "/a.db")));
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

static void a_guest_killed_in_the_middle_leaves_an_older_copy_whole(void **state)
{
    fixture *fix = *state;
    owner who, guest;

    owner_start(&who, fix);
    owner_do(&who, "grow 30");
    owner_start_guest(&guest, fix);
    owner_do(&guest, "backup copy %u 0", REF_BACKUP_CREATE | REF_BACKUP_NO_LOGS);
    owner_do(&who, "move 20");
    owner_do(&guest, "die create copy/a.db"); /* the stage is complete */
    assert_int_equal(owner_tell(&guest, "backup copy %u 0", REF_BACKUP_NO_LOGS), -1);
    owner_await(&guest);
    owner_start_guest(&guest, fix);
    owner_do(&guest, "die create /b.db"); /* in the stage */
    assert_int_equal(owner_tell(&guest, "backup copy %u 0", REF_BACKUP_NO_LOGS), -1);
    owner_await(&guest);
    ref_env *next = guest_open(fix);
    tree_copy(at_dir(fix, "copy"), strcat(strcpy((char[FIXTURE_PATH]){0}, fix->dir), "/older"));
    assert_int_equal(books_check(fix, "older", true, 0), 0);
    assert_ok(guest_backup(fix, next, "copy", REF_BACKUP_NO_LOGS));
    is_bare(fix, "copy");
    books_check(fix, "copy", true, 20);
    assert_ok(ref_env_close(next));
    owner_end(&who);
}

static void a_failure_of_the_stage_leaves_nothing(void **state)
{
    fixture *fix = *state;
    owner who;
    fault_rule no_space = {.kinds = FAULT_BIT(FAULT_WRITE),
        .path = STAGE,
        .nth = 3,
        .error = ENOSPC,
        .manner = FAULT_FROM_THEN};

    owner_start(&who, fix);
    owner_do(&who, "grow 50");
    ref_env *guest = guest_open(fix);
    fault_set(&fix->vfs, &no_space);
    assert_fails(guest_backup(fix, guest, "copy", REF_BACKUP_NO_LOGS), ENOSPC, STAGE);
    assert_false(file_exists(at_dir(fix, "copy")));
    fault_heal(&fix->vfs);
    assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_NO_LOGS));
    books_check(fix, "copy", true, 0);
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

static void a_limit_on_log_holds_for_the_stage(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "grow 200");
    ref_env *guest = guest_open(fix);
    ref_backup_options options = {.target = at_dir(fix, "copy"),
        .flags = REF_BACKUP_CREATE | REF_BACKUP_NO_LOGS,
        .log_limit = 20000};
    owner_do(&who, "checkpoint");
    owner_do(&who, "grow 200");
    assert_fails(ref_backup(guest, &options), ENOSPC, "limit");
    assert_false(file_exists(at_dir(fix, "copy")));
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

/* ---- directories ---- */

static void a_target_inside_the_home_may_be_used_again(void **state)
{
    static const unsigned flags[] = {REF_BACKUP_NO_LOGS, REF_BACKUP_NO_LOGS | REF_BACKUP_SINGLE_DIR,
        REF_BACKUP_NO_LOGS | REF_BACKUP_FILES};
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "move 10");
    owner_do(&who, "checkpoint");
    ref_env *guest = guest_open(fix);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        for (int round = 0; round < 2; round++) {
            assert_ok(guest_backup(fix, guest, "home/copy", flags[i]));
            is_bare(fix, "home/copy");
            assert_false(file_exists(at_dir(fix, "home/copy/copy")));
        }
    }
    assert_ok(ref_env_close(guest));
    owner_end(&who);
    tree_copy(at_dir(fix, "home/copy"), strcat(strcpy((char[FIXTURE_PATH]){0}, fix->dir), "/copy"));
    books_check(fix, "copy", true, 10);
}

static void ordinary_files_come_along_when_they_are_asked_for(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "move 10");
    file_write(at_home(fix, "notes.txt"), "words", 5);
    ref_env *guest = guest_open(fix);
    assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_NO_LOGS | REF_BACKUP_FILES));
    assert_int_equal(file_size(at_dir(fix, "copy/notes.txt")), 5);
    books_check(fix, "copy", true, 10);
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

/* Its log lies outside the home: nothing of that concerns the one database. */
static void one_database_needs_no_single_directory(void **state)
{
    fixture *fix = *state;
    owner who;
    char logs[FIXTURE_PATH];
    ref_env *guest;

    snprintf(logs, sizeof logs, "%s", at_dir(fix, "logs"));
    dir_make(logs);
    dir_make(at_dir(fix, "copy"));
    owner_start_at(&who, fix, logs);
    owner_do(&who, "move 10");
    ref_env_options options = {
        .vfs = &fix->vfs.vfs, .home = fix->home, .log_dir = logs, .guest = true};
    assert_ok(ref_env_open(&options, &guest));
    assert_fails(guest_backup(fix, guest, "whole", REF_BACKUP_NO_LOGS), EINVAL, "single directory");
    assert_false(file_exists(at_dir(fix, "whole")));
    assert_ok(back_up_database(fix, guest, "a.db", "copy"));
    is_bare(fix, "copy");
    assert_ok(guest_backup(fix, guest, "whole", REF_BACKUP_NO_LOGS | REF_BACKUP_SINGLE_DIR));
    books_check(fix, "whole", true, 10);
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

static const struct CMUnitTest tests[] = {
    OWNER_TEST(a_copy_without_logs_is_whole_by_itself),
    OWNER_TEST(it_may_take_the_place_of_one_with_logs),
    OWNER_TEST(one_database_from_outside_is_whole_by_itself),
    OWNER_TEST(it_holds_when_the_owner_is_dead),
    OWNER_TEST(databases_made_since_are_in_it),
    OWNER_TEST(it_is_the_state_of_one_commit),
    OWNER_TEST(callbacks_are_refused_before_the_first),
    OWNER_TEST(what_a_crashed_one_has_left_goes_with_the_next),
    OWNER_TEST(it_is_in_no_copy_of_the_environment_around_it),
    OWNER_TEST(a_guest_killed_in_the_middle_leaves_an_older_copy_whole),
    OWNER_TEST(a_failure_of_the_stage_leaves_nothing),
    OWNER_TEST(a_limit_on_log_holds_for_the_stage),
    OWNER_TEST(a_target_inside_the_home_may_be_used_again),
    OWNER_TEST(ordinary_files_come_along_when_they_are_asked_for),
    OWNER_TEST(one_database_needs_no_single_directory),
};

OWNER_TEST_MAIN(tests)
