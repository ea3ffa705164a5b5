/* The call as such: its flags, its moment, and what it says while it works. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <string.h>
#include <db.h>

/* The highest flag that the manual knows; every bit above it means nothing. */
static const uint32_t first_unknown_flag = (uint32_t)DB_BACKUP_UPDATE << 1;

/* A flag that means nothing must not be taken for consent. */
static void a_flag_that_does_not_exist_returns_EINVAL(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("bk/stale.db", "old");

    for (uint32_t flag = first_unknown_flag; flag != 0; flag <<= 1) {
        int ret = bdb_backup(s, "bk", flag);

        hp_promise(HP_BDB_BACKUP_UNKNOWN_FLAG);
        hp_log("flag 0x%08x returns %d", flag, ret);
        assert_int_equal(ret, EINVAL);
        bdb_assert_nothing_changed(s);
    }
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* One flag that means nothing spoils those that do: nothing is created, nothing cleaned. */
static void a_flag_that_does_not_exist_among_others_returns_EINVAL(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = bdb_backup(s, "bk", first_unknown_flag | DB_CREATE);
    hp_promise(HP_BDB_BACKUP_UNKNOWN_FLAG);
    assert_int_equal(ret, EINVAL);
    bdb_assert_nothing_changed(s);

    bdb_make_dir("bk");
    bdb_write_file("bk/stale.db", "old");
    ret = bdb_backup(s, "bk", first_unknown_flag | DB_BACKUP_CLEAN);
    assert_int_equal(ret, EINVAL);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* The documentation allows the call on an open environment only. */
static void backup_before_the_environment_is_open_is_an_error(void **state)
{
    (void)state;
    bdb_make_dirs(&bdb_plain);
    bdb_make_dir("bk");
    DB_ENV *env = bdb_env_new(&bdb_plain);

    hp_promise(HP_BDB_BACKUP_AFTER_OPEN);
    int ret = env->backup(env, "bk", 0);

    assert_int_not_equal(ret, 0);
    assert_int_equal(bdb_count("bk", "*"), 0);
    (void)env->close(env, 0);
}

/* Someone who watches a backup sees each file go by. */
static void a_verbose_backup_names_each_file(void **state)
{
    (void)state;
    char log[64];
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_file("home/notes.txt", "ordinary");
    bdb_last_match("home", BDB_LOGS, 0, "", log, sizeof log);
    assert_int_equal(s->env->set_verbose(s->env, DB_VERB_BACKUP, 1), 0);

    int ret = bdb_backup(s, "bk", DB_CREATE | DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_VERBOSE);
    assert_int_equal(ret, 0);
    assert_non_null(strstr(bdb_messages(), "a.db"));
    assert_non_null(strstr(bdb_messages(), "b.db"));
    assert_non_null(strstr(bdb_messages(), "notes.txt"));
    assert_non_null(strstr(bdb_messages(), log));
    bdb_sample_end(s);
}

/* Without DB_VERB_BACKUP a backup that succeeds says nothing, on either channel. */
static void a_backup_that_is_not_verbose_is_silent(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_file("home/notes.txt", "ordinary");

    int ret = bdb_backup(s, "bk", DB_CREATE | DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_VERBOSE);
    assert_int_equal(ret, 0);
    assert_string_equal(bdb_messages(), "");
    assert_string_equal(bdb_errors(), "");
    bdb_sample_end(s);
}

const hp_case bdb_flags_cases[] = {
    HP_CASE(a_flag_that_does_not_exist_returns_EINVAL, HP_BDB_BACKUP_UNKNOWN_FLAG),
    HP_CASE(a_flag_that_does_not_exist_among_others_returns_EINVAL, HP_BDB_BACKUP_UNKNOWN_FLAG),
    HP_CASE(backup_before_the_environment_is_open_is_an_error, HP_BDB_BACKUP_AFTER_OPEN),
    HP_CASE(a_verbose_backup_names_each_file, HP_BDB_BACKUP_VERBOSE),
    HP_CASE(a_backup_that_is_not_verbose_is_silent, HP_BDB_BACKUP_VERBOSE),
    HP_CASE_END,
};
