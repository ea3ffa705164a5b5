/* Incremental backup through the face: what goes where, what is refused, and in which words. */
#include "berkeleydb_support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Log files of a few pages each, so that updates begin new ones. */
static DB *start(DB_ENV **env)
{
    *env = new_env();
    make_dir("home");
    assert_int_equal((*env)->set_lg_max(*env, 16384), 0);
    assert_int_equal((*env)->open(*env, "home", ENV_FLAGS, 0), 0);
    DB *db = open_db(*env, "a.db");
    assert_int_equal(put(db, NULL, "a", "1"), 0);
    return db;
}

static void fill(DB *db, const char *key)
{
    char value[20001];
    memset(value, key[0], sizeof value - 1);
    value[sizeof value - 1] = '\0';
    assert_int_equal(put(db, NULL, key, value), 0);
}

static void assert_copy_has(const char *key, const char *value)
{
    DB_ENV *env = open_env("copy", DB_RECOVER_FATAL);
    DB *db = open_db(env, "a.db");
    assert_value(db, NULL, key, value);
    close_all(db, env);
}

static void an_update_after_an_update_restores_everything(void **state)
{
    DB_ENV *env;
    DB *db = start(&env);

    (void)state;
    assert_int_equal(env->backup(env, "copy", DB_CREATE), 0);
    fill(db, "x");
    assert_int_equal(put(db, NULL, "b", "2"), 0);
    assert_int_equal(env->backup(env, "copy", DB_BACKUP_UPDATE), 0);
    fill(db, "y");
    assert_int_equal(put(db, NULL, "c", "3"), 0);
    assert_int_equal(env->backup(env, "copy", DB_BACKUP_UPDATE | DB_EXCL | DB_BACKUP_FILES), 0);
    assert_copy_has("c", "3");
    assert_int_equal(put(db, NULL, "d", "4"), 0);
    assert_int_equal(env->backup(env, "copy", DB_BACKUP_UPDATE | DB_BACKUP_CLEAN), 0);
    assert_copy_has("d", "4");
    assert_copy_has("b", "2");
    close_all(db, env);
}

static void without_a_base_it_is_EINVAL_and_says_so(void **state)
{
    DB_ENV *env;
    DB *db = start(&env);

    (void)state;
    assert_int_equal(env->backup(env, "copy", DB_BACKUP_UPDATE), ENOENT);
    assert_refused(env->backup(env, "copy", DB_CREATE | DB_BACKUP_UPDATE),
        "DB_ENV->backup: copy: no base for an update");
    assert_false(exists("copy"));
    make_dir("copy");
    assert_refused(env->backup(env, "copy", DB_BACKUP_UPDATE), "there is no log in");
    close_all(db, env);
}

static void a_copy_that_was_written_to_is_EINVAL_and_says_so(void **state)
{
    DB_ENV *env;
    DB *db = start(&env);

    (void)state;
    assert_int_equal(env->backup(env, "copy", DB_CREATE), 0);
    DB_ENV *copy = open_env("copy", DB_RECOVER_FATAL);
    DB *copied = open_db(copy, "a.db");
    assert_int_equal(put(copied, NULL, "z", "0"), 0);
    close_all(copied, copy);
    fill(db, "x");
    assert_refused(env->backup(env, "copy", DB_BACKUP_UPDATE), "written to since");
    close_all(db, env);
}

static void a_verbose_update_names_the_log_files_alone(void **state)
{
    DB_ENV *env;
    DB *db = start(&env);

    (void)state;
    assert_int_equal(env->backup(env, "copy", DB_CREATE), 0);
    fill(db, "x");
    assert_int_equal(env->set_verbose(env, DB_VERB_BACKUP, 1), 0);
    forget();
    assert_int_equal(env->backup(env, "copy", DB_BACKUP_UPDATE), 0);
    assert_non_null(strstr(messages(), "copy/log.0000000002"));
    assert_null(strstr(messages(), "a.db"));
    close_all(db, env);
}

static void the_hot_backup_flag_is_off_after_an_update_and_a_refusal(void **state)
{
    DB_ENV *env;
    DB *db = start(&env);
    u_int32_t flags;

    (void)state;
    assert_int_equal(env->backup(env, "copy", DB_CREATE), 0);
    assert_int_equal(env->backup(env, "copy", DB_BACKUP_UPDATE), 0);
    make_dir("empty");
    assert_refused(env->backup(env, "empty", DB_BACKUP_UPDATE), "no base");
    assert_int_equal(env->get_flags(env, &flags), 0);
    assert_int_equal(flags & DB_HOTBACKUP_IN_PROGRESS, 0);
    close_all(db, env);
}

static const struct CMUnitTest tests[] = {
    TEST(an_update_after_an_update_restores_everything),
    TEST(without_a_base_it_is_EINVAL_and_says_so),
    TEST(a_copy_that_was_written_to_is_EINVAL_and_says_so),
    TEST(a_verbose_update_names_the_log_files_alone),
    TEST(the_hot_backup_flag_is_off_after_an_update_and_a_refusal),
};
TEST_MAIN(tests)
