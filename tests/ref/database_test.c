/* Databases as a whole: made, opened, removed and renamed, alone and inside transactions. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/error.h"

static const ref_db_options creating = {.create = true, .page_size = 512};
static const ref_db_options exclusive = {.create = true, .exclusive = true, .page_size = 512};
static const ref_db_options plain = {0};

/* Makes a database with one record, "name" = its name, and closes it. Its file has content. */
static void make_named(ref_env *env, const char *name)
{
    ref_db *db = db_make(env, name);
    assert_ok(put(db, NULL, "name", name));
    assert_ok(ref_db_close(db));
    assert_ok(ref_checkpoint(env, false));
}

/* Asserts that the database `name` holds what make_named() put into `content`; NULL: that there is
 * no such database. */
static void expect_named(ref_env *env, const char *name, const char *content)
{
    assert_int_equal(db_exists(env, name), content != NULL);
    if (content != NULL) {
        ref_db *db = db_open(env, name);
        assert_int_equal(db_verify(db), 1);
        expect(db, NULL, "name", content);
        assert_ok(ref_db_close(db));
    }
}

/* The same before and after a crash and a clean close. */
typedef struct expectation {
    const char *name, *content;
} expectation;

static void expect_for_good(fixture *fix, const expectation *expected, size_t count)
{
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < count; i++) {
            expect_named(fix->env, expected[i].name, expected[i].content);
            assert_int_equal(
                file_exists(at_home(fix, expected[i].name)), expected[i].content != NULL);
        }
        if (round == 0) {
            env_crash(fix);
        } else {
            env_close(fix);
        }
        env_open(fix);
    }
}

#define EXPECT_FOR_GOOD(fix, ...)                              \
    expect_for_good((fix), (const expectation[]){__VA_ARGS__}, \
        sizeof((const expectation[]){__VA_ARGS__}) / sizeof(expectation))

/* ---- opening and creating ---- */

static void a_missing_database_is_enoent_and_nothing_is_made(void **state)
{
    fixture *fix = *state;
    ref_db *db = (ref_db *)(uintptr_t)1;
    env_open(fix);
    assert_fails(ref_db_open(fix->env, NULL, "a.db", &plain, &db), ENOENT, "a.db");
    assert_null(db);
    assert_false(file_exists(at_home(fix, "a.db")));
}

static void exclusive_creation_of_what_exists_is_eexist(void **state)
{
    fixture *fix = *state;
    ref_db *db;
    env_open(fix);
    make_named(fix->env, "a.db");
    assert_fails(ref_db_open(fix->env, NULL, "a.db", &exclusive, &db), EEXIST, "a.db");
    assert_ok(ref_db_open(fix->env, NULL, "b.db", &exclusive, &db));
    assert_ok(ref_db_close(db));
    expect_named(fix->env, "a.db", "a.db");
}

static void a_file_that_is_no_database_is_refused_and_stays(void **state)
{
    fixture *fix = *state;
    ref_db *db;
    env_open(fix);
    file_write(at_home(fix, "notes.txt"), "these are no pages", 18);
    assert_fails(ref_db_open(fix->env, NULL, "notes.txt", &creating, &db), EINVAL, "notes.txt");
    assert_fails(ref_db_open(fix->env, NULL, "notes.txt", &plain, &db), EINVAL, "notes.txt");
    assert_int_equal(file_size(at_home(fix, "notes.txt")), 18);
}

static void no_options_are_options_that_are_all_zero(void **state)
{
    fixture *fix = *state;
    ref_db *db;
    env_open(fix);
    assert_fails(ref_db_open(fix->env, NULL, "a.db", NULL, &db), ENOENT, "a.db");
    make_named(fix->env, "a.db");
    assert_ok(ref_db_open(fix->env, NULL, "a.db", NULL, &db));
    assert_false(ref_db_read_only(db));
    assert_ok(ref_db_close(db));
}

static void bad_arguments_are_einval(void **state)
{
    fixture *fix = *state;
    ref_db *db;
    ref_db_options odd = {.create = true, .page_size = 1000};
    ref_db_options elsewhere = {.create = true, .create_dir = "nowhere"};
    env_open(fix);
    assert_fails(ref_db_open(fix->env, NULL, "a.db", &odd, &db), EINVAL, "1000");
    assert_fails(ref_db_open(fix->env, NULL, "a.db", &elsewhere, &db), EINVAL, "nowhere");
    assert_fails(ref_db_open(fix->env, NULL, "", &creating, &db), EINVAL, "");
    assert_false(file_exists(at_home(fix, "a.db")));
    /* the environment lives on */
    make_named(fix->env, "a.db");
}

static void creation_in_a_missing_directory_fails_and_changes_nothing(void **state)
{
    fixture *fix = *state;
    ref_db *db;
    env_open(fix);
    assert_fails(ref_db_open(fix->env, NULL, "sub/a.db", &creating, &db), ENOENT, "sub/a.db");
    assert_ok(ref_env_state(fix->env));
    make_named(fix->env, "b.db");
    EXPECT_FOR_GOOD(fix, {"b.db", "b.db"});
}

static void each_page_size_works(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    for (uint32_t size = REF_PAGE_SIZE_MIN; size <= REF_PAGE_SIZE_MAX; size *= 2) {
        char name[32];
        ref_db *db;
        uint32_t value;
        ref_db_options options = {.create = true, .page_size = size};
        snprintf(name, sizeof name, "p%u.db", size);
        assert_ok(ref_db_open(fix->env, NULL, name, &options, &db));
        assert_int_equal(ref_db_page_size(db), size);
        for (uint32_t i = 0; i < 30; i++) {
            assert_ok(put_number(db, NULL, i, i, 4 + i * 40));
        }
        assert_ok(ref_db_close(db));
        env_crash(fix);
        env_open(fix);
        db = db_open(fix->env, name);
        assert_int_equal(ref_db_page_size(db), size);
        assert_int_equal(db_verify(db), 30);
        assert_ok(get_number(db, NULL, 29, &value));
        assert_ok(ref_db_close(db));
    }
}

static void two_spellings_of_a_name_are_one_database(void **state)
{
    fixture *fix = *state;
    char whole[FIXTURE_PATH];
    env_open(fix);
    dir_make(at_home(fix, "sub"));
    make_named(fix->env, "sub/a.db");
    expect_named(fix->env, "./sub//a.db", "sub/a.db");
    snprintf(whole, sizeof whole, "%.900s/sub/a.db", ref_env_home(fix->env));
    expect_named(fix->env, whole, "sub/a.db");
}

static void a_read_only_handle_refuses_writes(void **state)
{
    fixture *fix = *state;
    ref_db_options options = {.read_only = true};
    ref_db *db;
    ref_txn *txn;
    env_open(fix);
    make_named(fix->env, "a.db");
    assert_ok(ref_db_open(fix->env, NULL, "a.db", &options, &db));
    assert_true(ref_db_read_only(db));
    expect(db, NULL, "name", "a.db");
    txn = begin(fix->env, NULL);
    assert_fails(put(db, txn, "x", "y"), EACCES, "a.db");
    assert_fails(del(db, NULL, "name"), EACCES, "a.db");
    assert_fails(ref_db_truncate(db, NULL, NULL), EACCES, "a.db");
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_db_close(db));
}

static void databases_are_looked_for_in_each_data_directory(void **state)
{
    fixture *fix = *state;
    static const char *const dirs[] = {"one", "two"};
    ref_db *db;
    dir_make(at_home(fix, "one"));
    dir_make(at_home(fix, "two"));
    dir_make(at_home(fix, "logs"));
    fix->options.data_dirs = dirs;
    fix->options.data_dir_count = 2;
    fix->options.create_dir = "two";
    fix->options.log_dir = "logs";
    env_open(fix);
    make_named(fix->env, "a.db");
    ref_db_options options = creating;
    options.create_dir = "one";
    assert_ok(ref_db_open(fix->env, NULL, "b.db", &options, &db));
    assert_ok(put(db, NULL, "name", "b.db"));
    assert_ok(ref_db_close(db));
    assert_true(file_exists(at_home(fix, "two/a.db")));
    assert_true(file_exists(at_home(fix, "one/b.db")));
    assert_true(file_exists(at_home(fix, "logs/log.0000000001")));
    env_crash(fix);
    env_open(fix);
    expect_named(fix->env, "a.db", "a.db");
    expect_named(fix->env, "b.db", "b.db");
}

/* ---- inside a transaction ---- */

static void a_creation_is_invisible_until_its_commit(void **state)
{
    fixture *fix = *state;
    ref_db *db;
    ref_buffer value = {0};
    env_open(fix);
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_open(fix->env, txn, "a.db", &creating, &db));
    assert_ok(put(db, txn, "name", "a.db"));
    assert_false(db_exists(fix->env, "a.db"));
    assert_fails(ref_db_get(db, NULL, text("name"), false, &value), EINVAL, "a.db");
    assert_ok(ref_txn_commit(txn));
    expect(db, NULL, "name", "a.db");
    assert_ok(ref_db_close(db));
    ref_buffer_free(&value);
    EXPECT_FOR_GOOD(fix, {"a.db", "a.db"});
}

static void an_aborted_creation_leaves_nothing(void **state)
{
    fixture *fix = *state;
    ref_db *db;
    env_open(fix);
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_open(fix->env, txn, "a.db", &creating, &db));
    assert_ok(put(db, txn, "name", "other"));
    assert_ok(ref_txn_abort(txn));
    assert_fails(put(db, NULL, "name", "x"), EINVAL, "a.db");
    assert_ok(ref_db_close(db));
    EXPECT_FOR_GOOD(fix, {"a.db", NULL});
    make_named(fix->env, "a.db");
    EXPECT_FOR_GOOD(fix, {"a.db", "a.db"});
}

static void removal_and_renaming_can_be_aborted(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    make_named(fix->env, "a.db");
    make_named(fix->env, "b.db");
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_remove(fix->env, txn, "a.db"));
    assert_ok(ref_db_rename(fix->env, txn, "b.db", "c.db"));
    assert_fails(ref_db_remove(fix->env, txn, "a.db"), ENOENT, "a.db");
    assert_fails(ref_db_remove(fix->env, txn, "b.db"), ENOENT, "b.db");
    /* nobody else sees it yet */
    expect_named(fix->env, "a.db", "a.db");
    expect_named(fix->env, "b.db", "b.db");
    assert_ok(ref_txn_abort(txn));
    EXPECT_FOR_GOOD(fix, {"a.db", "a.db"}, {"b.db", "b.db"}, {"c.db", NULL});
}

static void removal_and_renaming_take_effect_at_commit(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    make_named(fix->env, "a.db");
    make_named(fix->env, "b.db");
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_remove(fix->env, txn, "a.db"));
    assert_ok(ref_db_rename(fix->env, txn, "b.db", "c.db"));
    assert_true(file_exists(at_home(fix, "a.db")));
    assert_ok(ref_txn_commit(txn));
    EXPECT_FOR_GOOD(fix, {"a.db", NULL}, {"b.db", NULL}, {"c.db", "b.db"});
}

static void a_database_removed_and_made_again_in_one_transaction_is_empty(void **state)
{
    fixture *fix = *state;
    ref_db *db;
    env_open(fix);
    make_named(fix->env, "a.db");
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_remove(fix->env, txn, "a.db"));
    assert_ok(ref_db_open(fix->env, txn, "a.db", &exclusive, &db));
    expect(db, txn, "name", NULL);
    assert_ok(put(db, txn, "name", "new"));
    assert_ok(ref_txn_commit(txn));
    expect(db, NULL, "name", "new");
    assert_ok(ref_db_close(db));
    EXPECT_FOR_GOOD(fix, {"a.db", "new"});
}

static void a_name_left_by_a_renaming_can_be_used_in_the_same_transaction(void **state)
{
    fixture *fix = *state;
    ref_db *db;
    env_open(fix);
    make_named(fix->env, "a.db");
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_rename(fix->env, txn, "a.db", "old.db"));
    assert_ok(ref_db_open(fix->env, txn, "a.db", &exclusive, &db));
    assert_ok(put(db, txn, "name", "new"));
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_db_close(db));
    EXPECT_FOR_GOOD(fix, {"a.db", "new"}, {"old.db", "a.db"});
}

static void two_databases_can_swap_names_in_one_transaction(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    make_named(fix->env, "a.db");
    make_named(fix->env, "b.db");
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_rename(fix->env, txn, "a.db", "t.db"));
    assert_ok(ref_db_rename(fix->env, txn, "b.db", "a.db"));
    assert_ok(ref_db_rename(fix->env, txn, "t.db", "b.db"));
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_env_state(fix->env));
    EXPECT_FOR_GOOD(fix, {"a.db", "b.db"}, {"b.db", "a.db"}, {"t.db", NULL});
}

static void a_database_can_be_renamed_twice_and_back_in_one_transaction(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    make_named(fix->env, "a.db");
    make_named(fix->env, "x.db");
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_rename(fix->env, txn, "a.db", "b.db"));
    assert_ok(ref_db_rename(fix->env, txn, "b.db", "c.db"));
    assert_ok(ref_db_rename(fix->env, txn, "x.db", "y.db"));
    assert_ok(ref_db_rename(fix->env, txn, "y.db", "x.db"));
    assert_ok(ref_txn_commit(txn));
    assert_ok(ref_env_state(fix->env));
    EXPECT_FOR_GOOD(
        fix, {"a.db", NULL}, {"b.db", NULL}, {"c.db", "a.db"}, {"x.db", "x.db"}, {"y.db", NULL});
}

static void what_a_transaction_made_it_can_rename_and_remove(void **state)
{
    fixture *fix = *state;
    ref_db *db;
    env_open(fix);
    ref_txn *txn = begin(fix->env, NULL);
    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "a.db" : "b.db";
        assert_ok(ref_db_open(fix->env, txn, name, &creating, &db));
        assert_ok(put(db, txn, "name", name));
        assert_ok(ref_db_close(db));
    }
    assert_ok(ref_db_rename(fix->env, txn, "a.db", "c.db"));
    assert_ok(ref_db_remove(fix->env, txn, "b.db"));
    assert_ok(ref_txn_commit(txn));
    EXPECT_FOR_GOOD(fix, {"a.db", NULL}, {"b.db", NULL}, {"c.db", "a.db"});
}

static void a_renamed_database_can_be_removed_in_the_same_transaction(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    make_named(fix->env, "a.db");
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_rename(fix->env, txn, "a.db", "b.db"));
    assert_ok(ref_db_remove(fix->env, txn, "b.db"));
    assert_ok(ref_txn_commit(txn));
    EXPECT_FOR_GOOD(fix, {"a.db", NULL}, {"b.db", NULL});
}

/* ---- refusals ---- */

static void a_database_with_open_handles_is_not_removed_or_renamed(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    assert_ok(put(db, NULL, "name", "a.db"));
    assert_fails(ref_db_remove(fix->env, NULL, "a.db"), EBUSY, "a.db");
    assert_fails(ref_db_rename(fix->env, NULL, "a.db", "b.db"), EBUSY, "a.db");
    assert_ok(ref_db_close(db));
    assert_ok(ref_db_rename(fix->env, NULL, "a.db", "b.db"));
    EXPECT_FOR_GOOD(fix, {"a.db", NULL}, {"b.db", "a.db"});
}

static void a_taken_name_is_eexist_whatever_has_it(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    make_named(fix->env, "a.db");
    make_named(fix->env, "b.db");
    file_write(at_home(fix, "notes.txt"), "keep me", 7);
    dir_make(at_home(fix, "sub"));
    assert_fails(ref_db_rename(fix->env, NULL, "a.db", "b.db"), EEXIST, "b.db");
    assert_fails(ref_db_rename(fix->env, NULL, "a.db", "notes.txt"), EEXIST, "notes.txt");
    assert_fails(ref_db_rename(fix->env, NULL, "a.db", "sub"), EEXIST, "sub");
    assert_int_equal(file_size(at_home(fix, "notes.txt")), 7);
    assert_ok(ref_env_state(fix->env));
    EXPECT_FOR_GOOD(fix, {"a.db", "a.db"}, {"b.db", "b.db"});
}

static void a_name_that_cannot_be_taken_is_refused_before_anything_is_logged(void **state)
{
    fixture *fix = *state;
    char long_name[301];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    env_open(fix);
    make_named(fix->env, "a.db");
    assert_fails(ref_db_rename(fix->env, NULL, "a.db", "missing/b.db"), ENOENT, "missing/b.db");
    assert_fails(ref_db_rename(fix->env, NULL, "a.db", long_name), ENAMETOOLONG, "xxx");
    assert_fails(ref_db_rename(fix->env, NULL, "a.db", "../b.db"), EINVAL, "../b.db");
    assert_fails(ref_db_rename(fix->env, NULL, "a.db", ""), EINVAL, "");
    assert_ok(ref_env_state(fix->env));
    EXPECT_FOR_GOOD(fix, {"a.db", "a.db"});
}

static void removing_or_renaming_what_is_missing_is_enoent(void **state)
{
    fixture *fix = *state;
    env_open(fix);
    assert_fails(ref_db_remove(fix->env, NULL, "a.db"), ENOENT, "a.db");
    assert_fails(ref_db_rename(fix->env, NULL, "a.db", "b.db"), ENOENT, "a.db");
    file_write(at_home(fix, "notes.txt"), "keep me", 7);
    assert_fails(ref_db_remove(fix->env, NULL, "notes.txt"), ENOENT, "notes.txt");
    assert_int_equal(file_size(at_home(fix, "notes.txt")), 7);
}

static void truncation_counts_and_can_be_aborted(void **state)
{
    fixture *fix = *state;
    uint32_t count = 0;
    env_open(fix);
    ref_db *db = db_make(fix->env, "a.db");
    for (uint32_t i = 0; i < 200; i++) {
        assert_ok(put_number(db, NULL, i, i, 30));
    }
    ref_txn *txn = begin(fix->env, NULL);
    assert_ok(ref_db_truncate(db, txn, &count));
    assert_int_equal(count, 200);
    assert_ok(ref_txn_abort(txn));
    assert_int_equal(db_verify(db), 200);
    assert_ok(ref_db_truncate(db, NULL, &count));
    assert_int_equal(count, 200);
    assert_int_equal(db_verify(db), 0);
    assert_ok(ref_db_close(db));
    env_crash(fix);
    env_open(fix);
    db = db_open(fix->env, "a.db");
    assert_int_equal(db_verify(db), 0);
    assert_ok(ref_db_close(db));
}

static const struct CMUnitTest tests[] = {
    SCRATCH_TEST(a_missing_database_is_enoent_and_nothing_is_made),
    SCRATCH_TEST(exclusive_creation_of_what_exists_is_eexist),
    SCRATCH_TEST(a_file_that_is_no_database_is_refused_and_stays),
    SCRATCH_TEST(no_options_are_options_that_are_all_zero),
    SCRATCH_TEST(bad_arguments_are_einval),
    SCRATCH_TEST(creation_in_a_missing_directory_fails_and_changes_nothing),
    SCRATCH_TEST(each_page_size_works),
    SCRATCH_TEST(two_spellings_of_a_name_are_one_database),
    SCRATCH_TEST(a_read_only_handle_refuses_writes),
    SCRATCH_TEST(databases_are_looked_for_in_each_data_directory),
    SCRATCH_TEST(a_creation_is_invisible_until_its_commit),
    SCRATCH_TEST(an_aborted_creation_leaves_nothing),
    SCRATCH_TEST(removal_and_renaming_can_be_aborted),
    SCRATCH_TEST(removal_and_renaming_take_effect_at_commit),
    SCRATCH_TEST(a_database_removed_and_made_again_in_one_transaction_is_empty),
    SCRATCH_TEST(a_name_left_by_a_renaming_can_be_used_in_the_same_transaction),
    SCRATCH_TEST(two_databases_can_swap_names_in_one_transaction),
    SCRATCH_TEST(a_database_can_be_renamed_twice_and_back_in_one_transaction),
    SCRATCH_TEST(what_a_transaction_made_it_can_rename_and_remove),
    SCRATCH_TEST(a_renamed_database_can_be_removed_in_the_same_transaction),
    SCRATCH_TEST(a_database_with_open_handles_is_not_removed_or_renamed),
    SCRATCH_TEST(a_taken_name_is_eexist_whatever_has_it),
    SCRATCH_TEST(a_name_that_cannot_be_taken_is_refused_before_anything_is_logged),
    SCRATCH_TEST(removing_or_renaming_what_is_missing_is_enoent),
    SCRATCH_TEST(truncation_counts_and_can_be_aborted),
};

TEST_MAIN(tests)
