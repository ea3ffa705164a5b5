/* Hot backup through the face: refusals, callbacks, tuning, messages, and that copies hold. */
#include "berkeleydb_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static DB *sample(DB_ENV *env)
{
    DB *db = open_db(env, "a.db");

    assert_int_equal(put(db, NULL, "a", "1"), 0);
    assert_int_equal(env->txn_checkpoint(env, 0, 0, DB_FORCE), 0);
    assert_int_equal(put(db, NULL, "b", "2"), 0);
    return db;
}

/* The copy, recovered, has these records. */
static void assert_copy(const char *home, u_int32_t flags, const char *expected)
{
    DB_ENV *env = open_env(home, flags);
    DB *db = NULL;

    assert_int_equal(db_create(&db, env, 0), 0);
    int ret = db->open(db, NULL, "a.db", NULL, DB_BTREE, DB_AUTO_COMMIT, 0);
    if (ret != 0) {
        fail_msg("%s/a.db: %s", home, db_strerror(ret));
    }
    assert_records(db, NULL, expected);
    close_all(db, env);
}

/* ---- what is refused ---- */

static void unknown_flags_are_refused_before_anything_else(void **state)
{
    DB_ENV *env = new_env();

    (void)state;
    for (u_int32_t bit = 0x80; bit != 0; bit <<= 1) {
        char words[32];

        snprintf(words, sizeof words, "unknown flag 0x%x", (unsigned)bit);
        assert_refused(env->backup(env, "copy", DB_CREATE | bit), words);
    }
    assert_refused(env->dbbackup(env, "a.db", "copy", DB_CREATE), "0x1");
    assert_false(exists("copy"));
    close_all(NULL, env);
}

static void before_open_both_methods_are_refused(void **state)
{
    DB_ENV *env = new_env();

    (void)state;
    assert_refused(env->backup(env, "copy", DB_CREATE), "DB_ENV->backup: only after");
    assert_refused(env->dbbackup(env, "a.db", "copy", 0), "DB_ENV->dbbackup: only after");
    assert_false(exists("copy"));
    close_all(NULL, env);
}

static void a_target_that_is_NULL_or_empty_is_refused(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = sample(env);

    (void)state;
    assert_refused(env->backup(env, NULL, 0), "target is NULL");
    assert_refused(env->backup(env, "", DB_CREATE), "\"\"");
    assert_refused(env->dbbackup(env, "a.db", NULL, 0), "target is NULL");
    assert_refused(env->dbbackup(env, "a.db", "", 0), "\"\"");
    close_all(db, env);
}

static void dbbackup_of_no_name_or_no_database_is_ENOENT(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = sample(env);

    (void)state;
    make_dir("copy");
    assert_int_equal(env->dbbackup(env, NULL, "copy", 0), ENOENT);
    assert_int_equal(env->dbbackup(env, "", "copy", 0), ENOENT);
    assert_int_equal(env->dbbackup(env, "none.db", "copy", 0), ENOENT);
    assert_non_null(strstr(errors(), "none.db"));
    assert_int_equal(env->dbbackup(env, "a.db", "nowhere", 0), ENOENT);
    assert_false(exists("nowhere"));
    close_all(db, env);
}

static void a_target_that_would_harm_the_source_is_refused_and_named(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = sample(env);

    (void)state;
    assert_int_equal(symlink("home", "link"), 0);
    assert_refused(env->backup(env, "home", 0), "home");
    assert_refused(env->backup(env, ".", DB_BACKUP_CLEAN), ".");
    assert_refused(env->backup(env, "link", 0), "link");
    write_file("file", "");
    assert_int_equal(env->backup(env, "file", DB_CREATE), ENOTDIR);
    assert_int_equal(env->backup(env, "nowhere", 0), ENOENT);
    assert_false(exists("nowhere"));
    assert_records(db, NULL, "a=1 b=2");
    close_all(db, env);
    assert_copy("home", 0, "a=1 b=2");
}

/* ---- copies ---- */

static void a_copy_holds_what_was_committed_before(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = sample(env);
    DB_TXN *txn = begin(env, 0);

    (void)state;
    assert_int_equal(put(db, txn, "c", "uncommitted"), 0);
    assert_int_equal(env->backup(env, "copies/first", DB_CREATE), 0);
    assert_int_equal(txn->commit(txn, 0), 0);
    assert_int_equal(env->backup(env, "copies/second", DB_CREATE | DB_EXCL), 0);
    assert_int_equal(env->backup(env, "copies/second", DB_CREATE | DB_EXCL), EEXIST);
    assert_int_equal(env->backup(env, "copies/second", DB_CREATE | DB_EXCL | DB_BACKUP_CLEAN), 0);
    assert_copy("copies/first", 0, "a=1 b=2");
    assert_copy("copies/second", DB_RECOVER_FATAL, "a=1 b=2 c=uncommitted");
    assert_records(db, NULL, "a=1 b=2 c=uncommitted");
    close_all(db, env);
}

static void flags_choose_what_is_copied(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = sample(env);

    (void)state;
    write_file("home/notes.txt", "notes");
    write_file("home/DB_CONFIG", "set_lk_max_locks 1000\n");
    assert_int_equal(env->backup(env, "plain", DB_CREATE), 0);
    assert_false(exists("plain/notes.txt"));
    assert_true(exists("plain/log.0000000001"));
    assert_int_equal(env->backup(env, "files", DB_CREATE | DB_BACKUP_FILES), 0);
    assert_true(exists("files/notes.txt"));
    assert_true(exists("files/DB_CONFIG"));
    assert_int_equal(
        env->backup(env, "flat", DB_CREATE | DB_BACKUP_FILES | DB_BACKUP_SINGLE_DIR), 0);
    assert_false(exists("flat/DB_CONFIG"));
    assert_int_equal(env->backup(env, "nologs", DB_CREATE | DB_BACKUP_NO_LOGS), 0);
    assert_false(exists("nologs/log.0000000001"));
    assert_copy("nologs", 0, "a=1 b=2");
    assert_copy("files", 0, "a=1 b=2");
    close_all(db, env);
}

static void dbbackup_copies_one_database_that_stands_by_itself(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = sample(env), *copy = NULL;

    (void)state;
    make_dir("copy");
    assert_int_equal(env->dbbackup(env, "a.db", "copy", DB_EXCL), 0);
    assert_int_equal(env->dbbackup(env, "a.db", "copy", DB_EXCL), EEXIST);
    assert_int_equal(env->dbbackup(env, "a.db", "copy", 0), 0);
    assert_int_equal(db_create(&copy, NULL, 0), 0);
    assert_int_equal(copy->open(copy, NULL, "copy/a.db", NULL, DB_BTREE, DB_RDONLY, 0), 0);
    assert_records(copy, NULL, "a=1 b=2");
    close_all(copy, NULL);
    close_all(db, env);
}

static void an_unfinished_backup_does_not_open_and_says_why(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = sample(env);

    (void)state;
    assert_int_equal(env->backup(env, "copy", DB_CREATE), 0);
    close_all(db, env);
    write_file("copy/__backup.incomplete", "");
    env = new_env();
    assert_refused(env->open(env, "copy", ENV_FLAGS | DB_RECOVER_FATAL, 0), "copy");
    close_all(NULL, env);
}

static void a_damaged_page_of_the_source_is_EIO_and_named(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = sample(env);

    (void)state;
    close_all(db, env);
    damage_file("home/a.db", 4096 + 4000);
    env = open_env("home", 0);
    assert_int_equal(env->backup(env, "copy", DB_CREATE), EIO);
    assert_non_null(strstr(errors(), "a.db"));
    db = open_db(env, "b.db"); /* the environment goes on */
    assert_int_equal(put(db, NULL, "k", "v"), 0);
    close_all(db, env);
}

/* ---- callbacks ---- */

enum { FILES = 16, VERBATIM = 12345 };

static struct record {
    char name[FILES][64], target[64];
    char *bytes[FILES];
    size_t size[FILES];
    unsigned opens, closes;
    const char *fail_at; /* function that gives fail_with for this file, by name */
    const char *fail_for;
    int fail_with, also_close_with;
    DB_ENV *env;
    u_int32_t flags_seen;
    DB *write_to;
    int result;
} seen;

static void forget_files(void)
{
    for (unsigned i = 0; i < seen.opens && i < FILES; i++) {
        free(seen.bytes[i]);
    }
    memset(&seen, 0, sizeof seen);
}

static int verdict(const char *function, const char *name)
{
    bool now = seen.fail_at != NULL && strcmp(seen.fail_at, function) == 0 &&
               strstr(name, seen.fail_for) != NULL;

    return now ? seen.fail_with : 0;
}

static int on_open(DB_ENV *env, const char *name, const char *target, void **handle)
{
    assert_null(*handle);
    assert_ptr_equal(env, seen.env);
    if (verdict("open", name) != 0) {
        return verdict("open", name);
    }
    snprintf(seen.name[seen.opens], sizeof seen.name[0], "%s", name);
    snprintf(seen.target, sizeof seen.target, "%s", target == NULL ? "(NULL)" : target);
    *handle = &seen.size[seen.opens++];
    return env->get_flags(env, &seen.flags_seen);
}

static int on_write(
    DB_ENV *env, u_int32_t gbytes, u_int32_t bytes, u_int32_t size, u_int8_t *buf, void *handle)
{
    unsigned file = (unsigned)((size_t *)handle - seen.size);

    if (verdict("write", seen.name[file]) != 0) {
        return verdict("write", seen.name[file]);
    }
    assert_int_equal(gbytes, 0);
    assert_int_equal(bytes, seen.size[file]);
    seen.bytes[file] = realloc(seen.bytes[file], seen.size[file] + size);
    assert_non_null(seen.bytes[file]);
    memcpy(seen.bytes[file] + seen.size[file], buf, size);
    seen.size[file] += size;
    if (seen.write_to != NULL && seen.result == 0) {
        seen.result = put(seen.write_to, NULL, "from the callback", "written");
        seen.result = seen.result == 0 ? env->txn_checkpoint(env, 0, 0, DB_FORCE) : seen.result;
    }
    return 0;
}

static int on_close(DB_ENV *env, const char *name, void *handle)
{
    unsigned file = (unsigned)((size_t *)handle - seen.size);

    assert_ptr_equal(env, seen.env);
    assert_string_equal(name, seen.name[file]);
    seen.closes++;
    return seen.also_close_with != 0 ? seen.also_close_with : verdict("close", name);
}

static DB *sample_with_callbacks(DB_ENV **env)
{
    *env = open_env("home", 0);
    DB *db = sample(*env);

    forget_files();
    seen.env = *env;
    assert_int_equal((*env)->set_backup_callbacks(*env, on_open, on_write, on_close), 0);
    return db;
}

static void assert_same_as_file(unsigned file, const char *path)
{
    FILE *in = fopen(path, "rb");
    char *bytes = malloc(seen.size[file] + 1);

    assert_non_null(in);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, seen.size[file] + 1, in), seen.size[file]);
    assert_memory_equal(bytes, seen.bytes[file], seen.size[file]);
    free(bytes);
    (void)fclose(in);
}

static void callbacks_get_every_file_and_nothing_is_written(void **state)
{
    DB_ENV *env;
    DB *db = sample_with_callbacks(&env);

    (void)state;
    assert_int_equal(env->backup(env, "some target", DB_CREATE | DB_BACKUP_CLEAN), 0);
    assert_int_equal(seen.opens, 2);
    assert_int_equal(seen.closes, 2);
    assert_string_equal(seen.name[0], "a.db");
    assert_string_equal(seen.name[1], "log.0000000001");
    assert_string_equal(seen.target, "some target");
    assert_false(exists("some target"));
    assert_same_as_file(0, "home/a.db");
    assert_same_as_file(1, "home/log.0000000001");
    forget_files();
    close_all(db, env);
}

static void callbacks_take_a_NULL_target_of_both_methods(void **state)
{
    DB_ENV *env;
    DB *db = sample_with_callbacks(&env);

    (void)state;
    assert_int_equal(env->backup(env, NULL, DB_BACKUP_NO_LOGS), 0);
    assert_int_equal(seen.opens, 1);
    assert_string_equal(seen.target, "(NULL)");
    assert_int_equal(env->dbbackup(env, "a.db", NULL, 0), 0);
    assert_int_equal(seen.opens, 2);
    assert_int_equal(seen.closes, 2);
    assert_string_equal(seen.name[1], "a.db");
    forget_files();
    close_all(db, env);
}

static void callbacks_write_commit_and_checkpoint(void **state)
{
    DB_ENV *env;
    DB *db = sample_with_callbacks(&env);

    (void)state;
    seen.write_to = db;
    assert_int_equal(env->backup(env, NULL, 0), 0);
    assert_int_equal(seen.result, 0);
    assert_int_equal(env->set_backup_callbacks(env, NULL, NULL, NULL), 0);
    assert_value(db, NULL, "from the callback", "written");
    assert_int_equal(env->backup(env, "copy", DB_CREATE), 0);
    forget_files();
    close_all(db, env);
    assert_copy("copy", 0, "a=1 b=2 from the callback=written");
}

static void a_callbacks_value_is_the_result_whatever_it_is(void **state)
{
    static const int values[] = {EIO, VERBATIM, -1, -4, -7, EINVAL, ENOENT, DB_NOTFOUND};
    static const char *const functions[] = {"open", "write", "close"};
    static const char *const files[] = {"a.db", "notes.txt", "log."};
    DB_ENV *env;
    DB *db = sample_with_callbacks(&env);

    (void)state;
    write_file("home/notes.txt", "notes");
    for (size_t f = 0; f < 3; f++) {
        for (size_t n = 0; n < 3; n++) {
            for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
                forget_files();
                seen.env = env;
                seen.fail_at = functions[f];
                seen.fail_for = files[n];
                seen.fail_with = values[v];
                assert_int_equal(env->backup(env, NULL, DB_BACKUP_FILES), values[v]);
                assert_int_equal(seen.opens, seen.closes);
                assert_int_equal(seen.opens, f == 0 ? n : n + 1);
                assert_non_null(strstr(errors(), functions[f]));
                forget();
            }
        }
    }
    forget_files();
    close_all(db, env);
}

static void a_write_error_wins_over_the_close_error_after_it(void **state)
{
    DB_ENV *env;
    DB *db = sample_with_callbacks(&env);

    (void)state;
    seen.fail_at = "write";
    seen.fail_for = "a.db";
    seen.fail_with = VERBATIM;
    seen.also_close_with = 99;
    assert_int_equal(env->backup(env, NULL, 0), VERBATIM);
    assert_int_equal(seen.closes, 1);
    forget_files();
    close_all(db, env);
}

static void callbacks_are_set_together_and_given_back(void **state)
{
    DB_ENV *env = new_env(), *other = new_env();
    int (*open_func)(DB_ENV *, const char *, const char *, void **) = on_open;
    int (*write_func)(DB_ENV *, u_int32_t, u_int32_t, u_int32_t, u_int8_t *, void *) = on_write;
    int (*close_func)(DB_ENV *, const char *, void *) = on_close;

    (void)state;
    assert_int_equal(env->get_backup_callbacks(env, &open_func, &write_func, &close_func), 0);
    assert_true(open_func == NULL && write_func == NULL && close_func == NULL);
    assert_refused(env->set_backup_callbacks(env, on_open, NULL, NULL), "write_func is NULL");
    assert_refused(env->set_backup_callbacks(env, NULL, on_write, on_close), "open_func is NULL");
    assert_refused(env->set_backup_callbacks(env, on_open, on_write, NULL), "close_func is NULL");
    assert_int_equal(env->set_backup_callbacks(env, on_open, on_write, on_close), 0);
    assert_int_equal(env->get_backup_callbacks(env, &open_func, &write_func, &close_func), 0);
    assert_true(open_func == on_open && write_func == on_write && close_func == on_close);
    assert_int_equal(other->get_backup_callbacks(other, &open_func, NULL, NULL), 0);
    assert_true(open_func == NULL);
    assert_int_equal(env->set_backup_callbacks(env, NULL, NULL, NULL), 0);
    assert_int_equal(env->get_backup_callbacks(env, &open_func, &write_func, &close_func), 0);
    assert_true(open_func == NULL && write_func == NULL && close_func == NULL);
    close_all(NULL, env);
    close_all(NULL, other);
}

/* ---- tuning ---- */

static u_int32_t config(DB_ENV *env, DB_BACKUP_CONFIG option)
{
    u_int32_t value = 77;

    assert_int_equal(env->get_backup_config(env, option, &value), 0);
    return value;
}

static void tuning_has_defaults_and_keeps_what_is_set(void **state)
{
    DB_ENV *env = new_env();
    u_int32_t value = 77;

    (void)state;
    assert_int_equal(config(env, DB_BACKUP_READ_COUNT), 0);
    assert_int_equal(config(env, DB_BACKUP_READ_SLEEP), 0);
    assert_int_equal(config(env, DB_BACKUP_SIZE), 1u << 20);
    assert_int_equal(config(env, DB_BACKUP_WRITE_DIRECT), 0);
    assert_int_equal(env->set_backup_config(env, DB_BACKUP_READ_COUNT, 10), 0);
    assert_int_equal(env->set_backup_config(env, DB_BACKUP_READ_SLEEP, 20), 0);
    assert_int_equal(env->set_backup_config(env, DB_BACKUP_SIZE, 30), 0);
    assert_int_equal(env->set_backup_config(env, DB_BACKUP_WRITE_DIRECT, 40), 0);
    assert_int_equal(config(env, DB_BACKUP_READ_COUNT), 10);
    assert_int_equal(config(env, DB_BACKUP_READ_SLEEP), 20);
    assert_int_equal(config(env, DB_BACKUP_SIZE), 30);
    assert_int_equal(config(env, DB_BACKUP_WRITE_DIRECT), 1);
    assert_int_equal(env->set_backup_config(env, DB_BACKUP_SIZE, 0), 0);
    assert_int_equal(config(env, DB_BACKUP_SIZE), 1u << 20);
    assert_refused(env->set_backup_config(env, (DB_BACKUP_CONFIG)99, 1), "99");
    assert_refused(env->get_backup_config(env, (DB_BACKUP_CONFIG)99, &value), "99");
    assert_int_equal(value, 0);
    close_all(NULL, env);
}

static void tuning_never_changes_the_copy(void **state)
{
    static const u_int32_t sizes[] = {1, 100, 4096, 5000, 1u << 24};
    DB_ENV *env = open_env("home", 0);
    DB *db = sample(env);

    (void)state;
    assert_int_equal(env->set_backup_config(env, DB_BACKUP_READ_COUNT, 1), 0);
    assert_int_equal(env->set_backup_config(env, DB_BACKUP_READ_SLEEP, 100), 0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(env->set_backup_config(env, DB_BACKUP_SIZE, sizes[i]), 0);
        assert_int_equal(env->set_backup_config(env, DB_BACKUP_WRITE_DIRECT, i % 2), 0);
        assert_int_equal(env->backup(env, "copy", DB_CREATE | DB_BACKUP_CLEAN), 0);
        assert_copy("copy", 0, "a=1 b=2");
    }
    close_all(db, env);
}

/* ---- messages and the flag ---- */

static void a_verbose_backup_names_each_file_and_a_silent_one_none(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = sample(env);

    (void)state;
    assert_int_equal(env->backup(env, "copy", DB_CREATE), 0);
    assert_string_equal(messages(), "");
    assert_int_equal(env->set_verbose(env, DB_VERB_BACKUP, 1), 0);
    assert_int_equal(env->backup(env, "copy", 0), 0);
    assert_non_null(strstr(messages(), "a.db"));
    assert_non_null(strstr(messages(), "log.0000000001"));
    forget();
    assert_int_equal(env->set_verbose(env, DB_VERB_BACKUP, 0), 0);
    assert_int_equal(env->backup(env, "copy", 0), 0);
    assert_string_equal(messages(), "");
    close_all(db, env);
}

static void messages_go_to_the_stream_too(void **state)
{
    DB_ENV *env = open_env("home", 0);
    DB *db = sample(env);
    char *line = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&line, &size);

    (void)state;
    env->set_msgcall(env, NULL);
    env->set_msgfile(env, stream);
    assert_int_equal(env->set_verbose(env, DB_VERB_BACKUP, 1), 0);
    assert_int_equal(env->backup(env, "copy", DB_CREATE), 0);
    (void)fflush(stream);
    assert_non_null(strstr(line, "a.db"));
    assert_string_equal(messages(), "");
    close_all(db, env);
    (void)fclose(stream);
    free(line);
}

static void the_hot_backup_flag_is_on_while_a_backup_runs(void **state)
{
    DB_ENV *env;
    DB *db = sample_with_callbacks(&env);
    u_int32_t flags = 0;

    (void)state;
    assert_int_equal(env->backup(env, NULL, 0), 0);
    assert_int_equal(seen.flags_seen, DB_HOTBACKUP_IN_PROGRESS);
    seen.fail_at = "open";
    seen.fail_for = "log.";
    seen.fail_with = EIO;
    assert_int_equal(env->backup(env, NULL, 0), EIO);
    assert_int_equal(env->get_flags(env, &flags), 0);
    assert_int_equal(flags, 0);
    forget_files();
    close_all(db, env);
}

/* ---- under writers ---- */

static atomic_bool stop;

static void *move_money(void *argument)
{
    DB *const *dbs = argument;
    DB_ENV *env = dbs[0]->app_private;

    for (unsigned i = 0; !atomic_load(&stop); i++) {
        DB_TXN *txn = NULL;
        char amount[16];

        snprintf(amount, sizeof amount, "%u", i);
        if (env->txn_begin(env, NULL, &txn, DB_TXN_NOSYNC) != 0 ||
            put(dbs[0], txn, "balance", amount) != 0 || put(dbs[1], txn, "balance", amount) != 0 ||
            txn->commit(txn, 0) != 0) {
            return argument;
        }
    }
    return NULL;
}

static void read_balance(DB_ENV *env, const char *file, char *room, size_t size)
{
    DB *db = NULL;
    DBT k = text("balance"), v = in_memory(room, size - 1);

    assert_int_equal(db_create(&db, env, 0), 0);
    assert_int_equal(db->open(db, NULL, file, NULL, DB_BTREE, DB_AUTO_COMMIT, 0), 0);
    assert_int_equal(db->get(db, NULL, &k, &v, 0), 0);
    room[v.size] = '\0';
    close_all(db, NULL);
}

static void a_copy_under_a_writer_has_whole_transactions_only(void **state)
{
    DB_ENV *env = open_env("home", DB_THREAD);
    DB *dbs[2] = {open_db(env, "a.db"), open_db(env, "b.db")};
    pthread_t thread;
    void *failed;

    (void)state;
    assert_int_equal(put(dbs[0], NULL, "balance", "x"), 0);
    assert_int_equal(put(dbs[1], NULL, "balance", "x"), 0);
    dbs[0]->app_private = env;
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&thread, NULL, move_money, dbs), 0);
    for (int i = 0; i < 8; i++) {
        char first[16], second[16];

        assert_int_equal(env->backup(env, "copy", DB_CREATE | DB_BACKUP_CLEAN), 0);
        DB_ENV *copy = open_env("copy", DB_RECOVER_FATAL);
        read_balance(copy, "a.db", first, sizeof first);
        read_balance(copy, "b.db", second, sizeof second);
        assert_string_equal(first, second);
        close_all(NULL, copy);
    }
    atomic_store(&stop, true);
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    close_all(dbs[0], NULL);
    close_all(dbs[1], env);
}

static const struct CMUnitTest tests[] = {
    TEST(unknown_flags_are_refused_before_anything_else),
    TEST(before_open_both_methods_are_refused),
    TEST(a_target_that_is_NULL_or_empty_is_refused),
    TEST(dbbackup_of_no_name_or_no_database_is_ENOENT),
    TEST(a_target_that_would_harm_the_source_is_refused_and_named),
    TEST(a_copy_holds_what_was_committed_before),
    TEST(flags_choose_what_is_copied),
    TEST(dbbackup_copies_one_database_that_stands_by_itself),
    TEST(an_unfinished_backup_does_not_open_and_says_why),
    TEST(a_damaged_page_of_the_source_is_EIO_and_named),
    TEST(callbacks_get_every_file_and_nothing_is_written),
    TEST(callbacks_take_a_NULL_target_of_both_methods),
    TEST(callbacks_write_commit_and_checkpoint),
    TEST(a_callbacks_value_is_the_result_whatever_it_is),
    TEST(a_write_error_wins_over_the_close_error_after_it),
    TEST(callbacks_are_set_together_and_given_back),
    TEST(tuning_has_defaults_and_keeps_what_is_set),
    TEST(tuning_never_changes_the_copy),
    TEST(a_verbose_backup_names_each_file_and_a_silent_one_none),
    TEST(messages_go_to_the_stream_too),
    TEST(the_hot_backup_flag_is_on_while_a_backup_runs),
    TEST(a_copy_under_a_writer_has_whole_transactions_only),
};
TEST_MAIN(tests)
