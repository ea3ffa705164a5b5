/* Backup from another process through DB_ENV->open and DB_ENV->backup. */
#include "owner.h"

#include <errno.h>
#include <stdlib.h>

#include <db.h>

#define JOINED (DB_INIT_MPOOL | DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_TXN)
#define CREATING (JOINED | DB_CREATE)

static char said[4096];

static void on_error(const DB_ENV *env, const char *prefix, const char *message)
{
    (void)env;
    (void)prefix;
    snprintf(said, sizeof said, "%s", message);
}

static DB_ENV *new_handle(void)
{
    DB_ENV *env;
    assert_int_equal(db_env_create(&env, 0), 0);
    env->set_errcall(env, on_error);
    said[0] = '\0';
    return env;
}

static void gives(int ret, int expected, const char *words)
{
    if (ret != expected || strstr(said, words) == NULL) {
        fail_msg("%d (%s) instead of %d: %s", ret, db_strerror(ret), expected, said);
    }
    said[0] = '\0';
}

static DB_ENV *join(fixture *fix, u_int32_t flags)
{
    DB_ENV *env = new_handle();
    gives(env->open(env, fix->home, flags, 0), 0, "");
    return env;
}

static void leave(DB_ENV *env)
{
    assert_int_equal(env->close(env, 0), 0);
}

/* ---- who gets what ---- */

static void flags_that_create_or_recover_are_refused_while_another_process_owns_it(void **state)
{
    static const u_int32_t refused[] = {CREATING, CREATING | DB_RECOVER,
        CREATING | DB_RECOVER_FATAL, CREATING | DB_THREAD, CREATING | DB_REGISTER};
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        DB_ENV *env = new_handle();
        gives(env->open(env, fix->home, refused[i], 0), EAGAIN, "another process");
        leave(env);
    }
    owner_end(&who);
}

static void all_others_join_for_backup(void **state)
{
    static const u_int32_t joined[] = {
        0, JOINED, DB_INIT_TXN, JOINED | DB_THREAD, DB_REGISTER, DB_PRIVATE};
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "move 10");
    for (size_t i = 0; i < sizeof joined / sizeof joined[0]; i++) {
        DB_ENV *env = join(fix, joined[i]);
        gives(env->backup(env, at_dir(fix, "copy"), DB_CREATE | DB_BACKUP_CLEAN), 0, "");
        leave(env);
        books_check(fix, "copy", false, 10);
    }
    owner_end(&who);
}

static void whoever_joins_an_environment_that_nobody_owns_owns_it(void **state)
{
    fixture *fix = *state;
    owner who;
    DB *db;

    owner_start(&who, fix);
    owner_do(&who, "move 10");
    owner_kill(&who);
    DB_ENV *env = join(fix, JOINED);
    assert_int_equal(db_create(&db, env, 0), 0);
    gives(db->open(db, NULL, "a.db", NULL, DB_BTREE, 0, 0), 0, "");
    gives(db->close(db, 0), 0, "");
    gives(env->txn_checkpoint(env, 0, 0, DB_FORCE), 0, "");
    leave(env);
}

/* ---- what else is refused ---- */

#define OWNED "another process owns the environment"

static void databases_are_refused(DB_ENV *env)
{
    DB *db;
    assert_int_equal(db_create(&db, env, 0), 0);
    gives(db->open(db, NULL, "a.db", NULL, DB_BTREE, 0, 0), EOPNOTSUPP, OWNED);
    assert_int_equal(db->close(db, 0), 0);
    assert_int_equal(db_create(&db, env, 0), 0);
    gives(db->open(db, NULL, "new.db", NULL, DB_BTREE, DB_CREATE | DB_AUTO_COMMIT, 0), EOPNOTSUPP,
        OWNED);
    assert_int_equal(db->close(db, 0), 0);
    assert_int_equal(db_create(&db, env, 0), 0);
    gives(db->verify(db, "a.db", NULL, NULL, 0), EOPNOTSUPP, OWNED);
    assert_int_equal(db_create(&db, env, 0), 0);
    gives(db->remove(db, "a.db", NULL, 0), EOPNOTSUPP, OWNED);
}

static void all_but_backup_is_refused_with_words(void **state)
{
    fixture *fix = *state;
    owner who;
    DB_TXN *txn;
    DB_LSN lsn = {1, 0};

    owner_start(&who, fix);
    uint64_t before = tree_hash(fix->home, NULL);
    DB_ENV *env = join(fix, JOINED);
    databases_are_refused(env);
    gives(env->txn_begin(env, NULL, &txn, 0), EOPNOTSUPP, OWNED);
    assert_null(txn);
    gives(env->txn_checkpoint(env, 0, 0, 0), EOPNOTSUPP, OWNED);
    gives(env->txn_checkpoint(env, 0, 0, DB_FORCE), EOPNOTSUPP, OWNED);
    gives(env->txn_checkpoint(env, 1000, 0, 0), EOPNOTSUPP, OWNED);
    gives(env->txn_checkpoint(env, 0, 1000, 0), EOPNOTSUPP, OWNED);
    gives(env->log_flush(env, NULL), EOPNOTSUPP, OWNED);
    gives(env->log_flush(env, &lsn), EOPNOTSUPP, OWNED);
    gives(env->log_archive(env, NULL, DB_ARCH_REMOVE), EOPNOTSUPP, OWNED);
    gives(env->dbremove(env, NULL, "a.db", NULL, 0), EOPNOTSUPP, OWNED);
    gives(env->dbrename(env, NULL, "a.db", NULL, "c.db", 0), EOPNOTSUPP, OWNED);
    leave(env);
    assert_int_equal(tree_hash(fix->home, NULL), before);
    owner_end(&who);
}

static size_t listed(DB_ENV *env, u_int32_t flags, const char *first)
{
    char **list;
    size_t count = 0;
    gives(env->log_archive(env, &list, flags), 0, "");
    while (list != NULL && list[count] != NULL) {
        count++;
    }
    if (count > 0) {
        assert_non_null(strstr(list[0], first));
    }
    free(list);
    return count;
}

static void log_and_databases_can_be_listed(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "move 200");
    DB_ENV *env = join(fix, 0);
    assert_true(listed(env, DB_ARCH_LOG, "log.0000000001") > 3);
    assert_true(listed(env, DB_ARCH_LOG | DB_ARCH_ABS, fix->home) > 3);
    assert_int_equal(listed(env, DB_ARCH_DATA, "a.db"), 2);
    assert_int_equal(listed(env, 0, ""), 0);
    owner_do(&who, "checkpoint");
    assert_true(listed(env, 0, "log.0000000001") > 2);
    leave(env);
    owner_end(&who);
}

/* ---- backup ---- */

static void a_slow_backup_holds_while_the_owner_removes_log_in_a_loop(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "grow 60");
    owner_do(&who, "checkpoint");
    long before = owner_do(&who, "run");
    DB_ENV *env = join(fix, JOINED);
    assert_int_equal(env->set_backup_config(env, DB_BACKUP_SIZE, 2048), 0);
    assert_int_equal(env->set_backup_config(env, DB_BACKUP_READ_COUNT, 4), 0);
    assert_int_equal(env->set_backup_config(env, DB_BACKUP_READ_SLEEP, 4000), 0);
    gives(env->backup(env, at_dir(fix, "copy"), DB_CREATE), 0, "");
    leave(env);
    long after = owner_do(&who, "move 1");
    assert_true(after > before);
    assert_true(books_check(fix, "copy", false, before) <= after);
    owner_end(&who);
}

static void copies_without_logs_open_anywhere(void **state)
{
    fixture *fix = *state;
    owner who;
    DB *db;

    owner_start(&who, fix);
    long before = owner_do(&who, "move 50");
    DB_ENV *env = join(fix, JOINED);
    gives(env->backup(env, at_dir(fix, "copy"), DB_CREATE | DB_BACKUP_NO_LOGS), 0, "");
    dir_make(at_dir(fix, "one"));
    gives(env->dbbackup(env, "a.db", at_dir(fix, "one"), DB_EXCL), 0, "");
    gives(env->dbbackup(env, "a.db", at_dir(fix, "one"), DB_EXCL), EEXIST, "a.db");
    gives(env->dbbackup(env, "z.db", at_dir(fix, "one"), 0), ENOENT, "z.db");
    leave(env);
    assert_int_equal(last_segment(at_dir(fix, "copy")), 0);
    books_check(fix, "copy", true, before);
    assert_int_equal(db_create(&db, NULL, 0), 0);
    assert_int_equal(db->open(db, NULL, at_dir(fix, "one/a.db"), NULL, DB_BTREE, DB_RDONLY, 0), 0);
    assert_int_equal(db->close(db, 0), 0);
    owner_end(&who);
}

/* ---- callbacks ---- */

static owner *victim; /* killed at the first write */
static unsigned opened;

static int open_file(DB_ENV *env, const char *name, const char *target, void **handle)
{
    char path[FIXTURE_PATH];
    (void)env;
    opened++;
    snprintf(path, sizeof path, "%s/%s", target, name);
    *handle = fopen(path, "wb");
    return *handle != NULL ? 0 : errno;
}

static int write_file(
    DB_ENV *env, u_int32_t gbytes, u_int32_t bytes, u_int32_t size, u_int8_t *data, void *handle)
{
    (void)env;
    assert_int_equal(gbytes, 0);
    assert_int_equal(ftell(handle), bytes);
    if (victim != NULL) {
        owner_kill(victim);
        victim = NULL;
    }
    return fwrite(data, 1, size, handle) == size ? 0 : EIO;
}

static int close_file(DB_ENV *env, const char *name, void *handle)
{
    (void)env;
    (void)name;
    return fclose(handle);
}

static void callbacks_may_receive_the_copy_and_the_owner_die_in_them(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "move 50");
    owner_do(&who, "checkpoint");
    long before = owner_do(&who, "move 50");
    DB_ENV *env = join(fix, JOINED);
    assert_int_equal(env->set_backup_callbacks(env, open_file, write_file, close_file), 0);
    dir_make(at_dir(fix, "copy"));
    victim = &who;
    gives(env->backup(env, at_dir(fix, "copy"), 0), 0, "");
    assert_null(victim);
    leave(env);
    books_check(fix, "copy", false, before);
}

static void callbacks_and_no_logs_do_not_go_together(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    DB_ENV *env = join(fix, JOINED);
    assert_int_equal(env->set_backup_callbacks(env, open_file, write_file, close_file), 0);
    opened = 0;
    gives(env->backup(env, fix->dir, DB_BACKUP_NO_LOGS), EOPNOTSUPP, "directory, not callbacks");
    gives(env->dbbackup(env, "a.db", fix->dir, 0), EOPNOTSUPP, "directory, not callbacks");
    assert_int_equal(opened, 0);
    leave(env);
    owner_end(&who);
}

/* ---- configuration ---- */

static void DB_CONFIG_tells_a_guest_where_the_log_lies(void **state)
{
    static const char config[] = "set_lg_dir logs\n";
    fixture *fix = *state;
    owner who;

    dir_make(at_home(fix, "logs"));
    owner_start_at(&who, fix, "logs");
    owner_do(&who, "move 30");
    DB_ENV *env = new_handle();
    gives(env->open(env, fix->home, 0, 0), DB_RUNRECOVERY, "log");
    leave(env);
    file_write(at_home(fix, "DB_CONFIG"), config, strlen(config));
    env = join(fix, 0);
    gives(env->backup(env, at_dir(fix, "copy"), DB_CREATE | DB_BACKUP_SINGLE_DIR), 0, "");
    leave(env);
    books_check(fix, "copy", false, 30);
    owner_end(&who);
}

static const struct CMUnitTest tests[] = {
    OWNER_TEST(flags_that_create_or_recover_are_refused_while_another_process_owns_it),
    OWNER_TEST(all_others_join_for_backup),
    OWNER_TEST(whoever_joins_an_environment_that_nobody_owns_owns_it),
    OWNER_TEST(all_but_backup_is_refused_with_words),
    OWNER_TEST(log_and_databases_can_be_listed),
    OWNER_TEST(a_slow_backup_holds_while_the_owner_removes_log_in_a_loop),
    OWNER_TEST(copies_without_logs_open_anywhere),
    OWNER_TEST(callbacks_may_receive_the_copy_and_the_owner_die_in_them),
    OWNER_TEST(callbacks_and_no_logs_do_not_go_together),
    OWNER_TEST(DB_CONFIG_tells_a_guest_where_the_log_lies),
};

OWNER_TEST_MAIN(tests)
