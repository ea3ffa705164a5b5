/* Opening an environment that another process owns: who gets what, and what a guest may do. */
#include "owner.h"

#include <errno.h>
#include <stdlib.h>

static int open_as(fixture *fix, bool guest, bool create, bool fatal, ref_env **out)
{
    ref_env_options options = {.vfs = &fix->vfs.vfs,
        .home = fix->home,
        .guest = guest,
        .create = create,
        .recover_fatal = fatal};
    return ref_env_open(&options, out);
}

static void a_second_process_gets_a_guest_when_it_asks_for_one(void **state)
{
    fixture *fix = *state;
    owner who;
    ref_env *env;

    owner_start(&who, fix);
    assert_fails(open_as(fix, false, false, false, &env), EAGAIN, "another process");
    assert_null(env);
    assert_fails(open_as(fix, true, true, false, &env), EAGAIN, "another process");
    assert_fails(open_as(fix, true, true, true, &env), EAGAIN, "another process");
    assert_fails(open_as(fix, true, false, true, &env), EAGAIN, "another process");
    assert_null(env);
    assert_ok(open_as(fix, true, false, false, &env));
    assert_true(ref_env_is_guest(env));
    assert_ok(ref_env_state(env));
    assert_ok(ref_env_close(env));
    owner_end(&who);
}

static void opening_the_guest_again_gives_the_same_one(void **state)
{
    fixture *fix = *state;
    owner who;
    ref_env *again;

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    assert_ok(open_as(fix, true, false, false, &again));
    assert_ptr_equal(again, guest);
    assert_fails(open_as(fix, false, true, false, &again), EAGAIN, "another process");
    assert_ok(ref_env_close(guest));
    assert_ok(guest_backup(fix, guest, "copy", 0));
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", false, 0);
    owner_end(&who);
}

#define REFUSED "another process owns the environment"

static void all_but_backup_is_refused_to_a_guest_with_words(void **state)
{
    fixture *fix = *state;
    owner who;
    ref_db_options existing = {0}, create = {.create = true};
    ref_db *db;
    ref_txn *txn;
    uint32_t *numbers;
    size_t count;

    owner_start(&who, fix);
    owner_do(&who, "move 20");
    uint64_t before = tree_hash(fix->home, NULL);
    ref_env *guest = guest_open(fix);
    assert_fails(ref_db_open(guest, NULL, "a.db", &existing, &db), EOPNOTSUPP, REFUSED);
    assert_null(db);
    assert_fails(ref_db_open(guest, NULL, "new.db", &create, &db), EOPNOTSUPP, REFUSED);
    assert_fails(ref_txn_begin(guest, NULL, &txn), EOPNOTSUPP, REFUSED);
    assert_null(txn);
    assert_fails(ref_checkpoint(guest, false), EOPNOTSUPP, REFUSED);
    assert_fails(ref_checkpoint(guest, true), EOPNOTSUPP, REFUSED);
    assert_fails(ref_log_flush(guest), EOPNOTSUPP, REFUSED);
    assert_fails(ref_db_remove(guest, NULL, "a.db"), EOPNOTSUPP, REFUSED);
    assert_fails(ref_db_rename(guest, NULL, "a.db", "c.db"), EOPNOTSUPP, REFUSED);
    assert_fails(ref_log_archive(guest, REF_ARCHIVE_REMOVE, &numbers, &count), EOPNOTSUPP, REFUSED);
    assert_null(numbers);
    assert_ok(ref_env_close(guest));
    assert_int_equal(tree_hash(fix->home, NULL), before);
    owner_end(&who);
}

static size_t list_logs(ref_env *env, ref_archive what, uint32_t *first)
{
    uint32_t *numbers;
    size_t count;
    assert_ok(ref_log_archive(env, what, &numbers, &count));
    *first = count > 0 ? numbers[0] : 0;
    free(numbers);
    return count;
}

static void a_guest_lists_the_log_as_it_is_now(void **state)
{
    fixture *fix = *state;
    owner who;
    uint32_t first;

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    size_t all = list_logs(guest, REF_ARCHIVE_ALL, &first);
    assert_int_equal(first, 1);
    owner_do(&who, "move 300");
    size_t more = list_logs(guest, REF_ARCHIVE_ALL, &first);
    assert_true(more > all + 3);
    assert_int_equal(list_logs(guest, REF_ARCHIVE_REMOVABLE, &first), 0);
    owner_do(&who, "checkpoint");
    size_t removable = list_logs(guest, REF_ARCHIVE_REMOVABLE, &first);
    assert_true(removable > 3);
    assert_int_equal(first, 1);
    long left = owner_do(&who, "remove_logs");
    assert_int_equal(list_logs(guest, REF_ARCHIVE_ALL, &first), left);
    assert_int_equal(first, removable + 1);
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

static bool lists(ref_env *env, const char *name)
{
    char **names;
    size_t count;
    bool found = false;
    assert_ok(ref_env_databases(env, &names, &count));
    for (size_t i = 0; i < count; i++) {
        found = found || strcmp(names[i], name) == 0;
        free(names[i]);
    }
    free(names);
    return found;
}

static void a_guest_lists_the_databases_as_they_are_now(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    owner_do(&who, "create c.db");
    assert_true(lists(guest, "c.db"));
    owner_do(&who, "rename c.db d.db");
    assert_true(lists(guest, "d.db") && !lists(guest, "c.db"));
    owner_do(&who, "remove d.db");
    assert_false(lists(guest, "d.db"));
    assert_true(lists(guest, "a.db") && lists(guest, "b.db"));
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

/* What changed is in segments that are gone when the guest looks again. */
static void a_guest_does_not_believe_in_databases_of_a_log_that_is_gone(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "create gone.db");
    owner_do(&who, "create old.db");
    ref_env *guest = guest_open(fix);
    assert_true(lists(guest, "gone.db") && lists(guest, "old.db"));
    owner_do(&who, "remove gone.db");
    owner_do(&who, "rename old.db new.db");
    owner_do(&who, "create gone.db");
    owner_do(&who, "remove gone.db");
    owner_do(&who, "move 300");
    owner_do(&who, "checkpoint");
    assert_true(owner_do(&who, "remove_logs") < 3);
    assert_false(lists(guest, "gone.db") || lists(guest, "old.db"));
    assert_true(lists(guest, "new.db"));
    assert_ok(guest_backup(fix, guest, "copy", 0));
    assert_false(file_exists(at_dir(fix, "copy/gone.db")));
    assert_false(file_exists(at_dir(fix, "copy/old.db")));
    books_check(fix, "copy", false, 300);
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

static void whoever_opens_a_home_that_nobody_owns_owns_it(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    long moves = owner_do(&who, "move 50");
    owner_kill(&who);
    assert_ok(open_as(fix, true, false, false, &fix->env));
    assert_false(ref_env_is_guest(fix->env));
    books_check_in(fix->env, moves);
    assert_ok(ref_checkpoint(fix->env, true));
    env_close(fix);
}

static void nothing_is_made_where_there_is_no_environment(void **state)
{
    fixture *fix = *state;
    ref_env *env;

    uint64_t before = tree_hash(fix->home, NULL);
    assert_fails(open_as(fix, true, false, false, &env), ENOENT, "no environment");
    assert_int_equal(tree_hash(fix->home, NULL), before);
}

static void the_owner_may_close_while_a_guest_is_open(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    long moves = owner_do(&who, "move 200");
    owner_end(&who);
    assert_true(ref_env_is_guest(guest));
    assert_ok(guest_backup(fix, guest, "copy", 0));
    books_check(fix, "copy", false, moves);
    assert_fails(ref_log_flush(guest), EOPNOTSUPP, REFUSED);
    assert_ok(ref_env_close(guest));
}

static void a_guest_stays_one_when_its_own_process_becomes_the_owner(void **state)
{
    fixture *fix = *state;
    owner who;
    ref_db *db;

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    long moves = owner_do(&who, "move 30");
    owner_end(&who);
    env_open(fix);
    assert_ptr_not_equal(fix->env, guest);
    db = db_make(fix->env, "c.db");
    assert_ok(put(db, NULL, "key", "value"));
    assert_ok(guest_backup(fix, guest, "copy", 0));
    assert_ok(ref_db_close(db));
    books_check(fix, "copy", false, moves);
    assert_true(file_exists(at_dir(fix, "copy/c.db")));
    assert_ok(ref_env_close(guest));
    env_close(fix);
}

static void a_guest_that_looks_for_the_log_elsewhere_is_refused(void **state)
{
    fixture *fix = *state;
    owner who;
    ref_env_options options = {.vfs = &fix->vfs.vfs, .home = fix->home, .guest = true};
    ref_env *guest;

    dir_make(at_home(fix, "logs"));
    dir_make(at_home(fix, "other"));
    owner_start_at(&who, fix, "logs");
    long moves = owner_do(&who, "move 40");
    assert_fails(ref_env_open(&options, &guest), REF_CORRUPT, "log");
    options.log_dir = "other";
    assert_fails(ref_env_open(&options, &guest), REF_CORRUPT, "other");
    options.log_dir = "logs";
    assert_ok(ref_env_open(&options, &guest));
    assert_ok(guest_backup(fix, guest, "copy", 0));
    assert_ok(ref_env_close(guest));
    owner_end(&who);
    assert_true(file_exists(at_dir(fix, "copy/logs/log.0000000001")));

    ref_env_options copy = {.vfs = &fix->vfs.vfs, .home = at_dir(fix, "copy"), .log_dir = "logs"};
    assert_ok(ref_env_open(&copy, &fix->env));
    books_check_in(fix->env, moves);
    env_close(fix);
}

static void a_guest_that_finds_the_log_of_another_environment_is_refused(void **state)
{
    fixture *fix = *state;
    owner who;
    ref_env_options options = {
        .vfs = &fix->vfs.vfs, .home = fix->home, .log_dir = "../other", .guest = true};
    ref_env *other, *guest;

    ref_env_options elsewhere = {
        .vfs = &fix->vfs.vfs, .home = at_dir(fix, "other"), .create = true};
    dir_make(elsewhere.home);
    assert_ok(ref_env_open(&elsewhere, &other));
    assert_ok(ref_env_close(other));
    owner_start(&who, fix);
    assert_fails(ref_env_open(&options, &guest), REF_CORRUPT, "another environment");
    owner_end(&who);
}

static void a_home_that_its_owner_is_just_making_is_to_be_tried_again(void **state)
{
    fixture *fix = *state;
    owner who;
    ref_env *env;

    owner_start(&who, fix);
    tree_remove(at_home(fix, "__db.control"));
    assert_fails(open_as(fix, true, false, false, &env), EAGAIN, "creating");
    owner_kill(&who);
}

static const struct CMUnitTest tests[] = {
    OWNER_TEST(a_second_process_gets_a_guest_when_it_asks_for_one),
    OWNER_TEST(opening_the_guest_again_gives_the_same_one),
    OWNER_TEST(all_but_backup_is_refused_to_a_guest_with_words),
    OWNER_TEST(a_guest_lists_the_log_as_it_is_now),
    OWNER_TEST(a_guest_lists_the_databases_as_they_are_now),
    OWNER_TEST(a_guest_does_not_believe_in_databases_of_a_log_that_is_gone),
    OWNER_TEST(whoever_opens_a_home_that_nobody_owns_owns_it),
    OWNER_TEST(nothing_is_made_where_there_is_no_environment),
    OWNER_TEST(the_owner_may_close_while_a_guest_is_open),
    OWNER_TEST(a_guest_stays_one_when_its_own_process_becomes_the_owner),
    OWNER_TEST(a_guest_that_looks_for_the_log_elsewhere_is_refused),
    OWNER_TEST(a_guest_that_finds_the_log_of_another_environment_is_refused),
    OWNER_TEST(a_home_that_its_owner_is_just_making_is_to_be_tried_again),
};

OWNER_TEST_MAIN(tests)
