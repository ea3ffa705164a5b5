/* The operations of an engine (hp_engine.h), each driven on the module that TEST_MODULE names. */
#include "hp_engine.h"
#include "hp_module.h"
#include "runner/module.h"
#include "testmain.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const hp_engine *engine;
static const hp_engine_settings two_tables = {.tables = 2};
static char directory[64];

/* ---- fixtures ---- */

static const char *below(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static int setup(void **state)
{
    (void)state;
    char why[1024];
    if (engine == NULL) {
        const hp_module *module = hp_module_open(TEST_MODULE, why, sizeof why);
        assert_non_null(module);
        engine = module->operations;
    }
    snprintf(directory, sizeof directory, "/tmp/hotproof.XXXXXX");
    assert_non_null(mkdtemp(directory));
    assert_int_equal(mkdir(below("home"), 0700), 0);
    return 0;
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about;
    (void)kind;
    (void)at;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void done(int error)
{
    if (error != 0) {
        print_message("%s\n", engine->words());
    }
    assert_int_equal(error, 0);
}

static hp_environment *open_home(void)
{
    hp_environment *environment;
    done(engine->open(below("home"), HP_ENGINE_CREATE, &two_tables, &environment));
    return environment;
}

static hp_transaction *begin(hp_environment *environment)
{
    hp_transaction *transaction;
    done(engine->begin(environment, &transaction));
    return transaction;
}

static int put(hp_transaction *transaction, unsigned table, const char *key, const char *value)
{
    return engine->put(transaction, table, key, strlen(key), value, strlen(value));
}

/* Stores a record in a transaction of its own. */
static void store(hp_environment *environment, unsigned table, const char *key, const char *value)
{
    hp_transaction *transaction = begin(environment);
    done(put(transaction, table, key, value));
    done(engine->commit(transaction, 0));
}

static int append_record(
    void *context, const void *key, size_t key_size, const void *value, size_t value_size)
{
    char *text = context;
    sprintf(text + strlen(text), "%.*s=%.*s ", (int)key_size, (const char *)key, (int)value_size,
        (const char *)value);
    return 0;
}

/* The table's records are "KEY=VALUE " one after the other. */
static void assert_records(hp_environment *environment, unsigned table, const char *expected)
{
    char text[1024] = "";
    done(engine->scan(environment, table, append_record, text));
    assert_string_equal(text, expected);
}

static void assert_words(void)
{
    assert_string_not_equal(engine->words(), "");
    assert_null(strchr(engine->words(), '\n'));
}

/* ---- tests ---- */

static void the_table_of_operations_is_complete(void **state)
{
    (void)state;
    assert_non_null(engine);
    assert_int_equal(engine->version, HP_ENGINE_VERSION);
    assert_true(engine->open && engine->close && engine->begin && engine->put && engine->remove &&
                engine->commit && engine->abort && engine->scan && engine->checkpoint &&
                engine->backup && engine->restore && engine->words);
}

static void what_is_committed_is_there_after_reopening(void **state)
{
    (void)state;
    hp_environment *environment = open_home();
    store(environment, 0, "b", "2");
    store(environment, 0, "a", "1");
    store(environment, 1, "c", "3");
    assert_records(environment, 0, "a=1 b=2 ");
    done(engine->close(environment));
    environment = open_home();
    assert_records(environment, 0, "a=1 b=2 ");
    assert_records(environment, 1, "c=3 ");
    done(engine->close(environment));
}

static void a_commit_without_sync_is_seen(void **state)
{
    (void)state;
    hp_environment *environment = open_home();
    hp_transaction *transaction = begin(environment);
    done(put(transaction, 0, "a", "1"));
    done(engine->commit(transaction, HP_ENGINE_NO_SYNC));
    assert_records(environment, 0, "a=1 ");
    done(engine->close(environment));
}

static void put_replaces_and_remove_deletes(void **state)
{
    (void)state;
    hp_environment *environment = open_home();
    store(environment, 0, "a", "1");
    store(environment, 0, "b", "2");
    hp_transaction *transaction = begin(environment);
    done(put(transaction, 0, "a", "one"));
    done(engine->remove(transaction, 0, "b", 1));
    done(engine->commit(transaction, 0));
    assert_records(environment, 0, "a=one ");
    done(engine->close(environment));
}

static void what_is_aborted_was_never_there(void **state)
{
    (void)state;
    hp_environment *environment = open_home();
    store(environment, 0, "a", "1");
    hp_transaction *transaction = begin(environment);
    done(put(transaction, 0, "a", "2"));
    done(put(transaction, 1, "b", "2"));
    done(engine->abort(transaction));
    assert_records(environment, 0, "a=1 ");
    assert_records(environment, 1, "");
    done(engine->close(environment));
}

static int stop_at_b(
    void *context, const void *key, size_t key_size, const void *value, size_t value_size)
{
    (void)key_size;
    (void)value;
    (void)value_size;
    ++*(int *)context;
    return memcmp(key, "b", 1) == 0 ? -7 : 0;
}

static void a_scan_ends_with_what_its_caller_returns(void **state)
{
    (void)state;
    int calls = 0;
    hp_environment *environment = open_home();
    store(environment, 0, "a", "1");
    store(environment, 0, "b", "2");
    store(environment, 0, "c", "3");
    assert_int_equal(engine->scan(environment, 0, stop_at_b, &calls), -7);
    assert_int_equal(calls, 2);
    done(engine->close(environment));
}

/* Whether some file of the home has these bytes. */
static bool a_table_file_has(const char *text)
{
    char command[256];
    snprintf(command, sizeof command, "grep -qa '%s' %s/*.db", text, below("home"));
    return system(command) == 0;
}

static void a_checkpoint_brings_commits_into_the_tables(void **state)
{
    (void)state;
    hp_environment *environment = open_home();
    store(environment, 0, "a", "a_value_to_look_for");
    assert_false(a_table_file_has("a_value_to_look_for"));
    done(engine->checkpoint(environment));
    assert_true(a_table_file_has("a_value_to_look_for"));
    done(engine->close(environment));
}

static void a_backup_restores_to_what_was_committed_before_it(void **state)
{
    (void)state;
    char copy[128];
    hp_environment *environment = open_home();
    store(environment, 0, "a", "1");
    done(engine->checkpoint(environment));
    store(environment, 1, "b", "2");
    hp_transaction *open = begin(environment);
    done(put(open, 0, "z", "not committed"));
    strcpy(copy, below("copy"));
    done(engine->backup(environment, copy));
    done(engine->commit(open, 0));
    store(environment, 0, "c", "3");
    done(engine->close(environment));

    done(engine->restore(copy, &two_tables, &environment));
    assert_records(environment, 0, "a=1 ");
    assert_records(environment, 1, "b=2 ");
    store(environment, 0, "d", "4"); /* it is an environment like any other */
    done(engine->close(environment));
}

static void a_backup_that_cannot_be_made_is_an_error_and_no_harm(void **state)
{
    (void)state;
    hp_environment *environment = open_home();
    store(environment, 0, "a", "1");
    FILE *stream = fopen(below("file"), "w");
    assert_non_null(stream);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(engine->backup(environment, below("file/copy")), ENOTDIR);
    assert_words();
    assert_records(environment, 0, "a=1 ");
    done(engine->close(environment));
}

static void opening_what_is_not_there_is_ENOENT(void **state)
{
    (void)state;
    hp_environment *environment = (void *)&environment;
    assert_int_equal(engine->open(below("home"), 0, &two_tables, &environment), ENOENT);
    assert_null(environment);
    assert_words();
    environment = (void *)&environment;
    assert_int_equal(
        engine->open(below("nowhere"), HP_ENGINE_CREATE, &two_tables, &environment), ENOENT);
    assert_null(environment);
    assert_int_equal(engine->restore(below("nowhere"), &two_tables, &environment), ENOENT);
    assert_null(environment);
}

static void a_table_that_there_is_not_is_EINVAL(void **state)
{
    (void)state;
    char text[8] = "";
    hp_environment *environment = open_home();
    hp_transaction *transaction = begin(environment);
    assert_int_equal(put(transaction, 2, "a", "1"), EINVAL);
    assert_words();
    assert_int_equal(engine->remove(transaction, 2, "a", 1), EINVAL);
    done(put(transaction, 1, "a", "1"));
    done(engine->commit(transaction, 0));
    assert_int_equal(engine->scan(environment, 2, append_record, text), EINVAL);
    assert_records(environment, 1, "a=1 ");
    done(engine->close(environment));
}

/* Stores two records in one transaction, again as often as it must be aborted for a deadlock. */
typedef struct writer {
    hp_environment *environment;
    unsigned first, second; /* tables */
    int error;              /* other than EDEADLK */
} writer;

static int try_both(const writer *w)
{
    hp_transaction *transaction;
    int error = engine->begin(w->environment, &transaction);
    if (error != 0) {
        return error;
    }
    error = put(transaction, w->first, w->first == 0 ? "a" : "b", "1");
    usleep(20000); /* so that the other one, too, has its first */
    if (error == 0) {
        error = put(transaction, w->second, w->second == 0 ? "a" : "b", "1");
    }
    if (error != 0) {
        int aborted = engine->abort(transaction);
        return aborted != 0 ? aborted : error;
    }
    return engine->commit(transaction, 0);
}

static void *store_both(void *context)
{
    writer *w = context;
    do {
        w->error = try_both(w);
    } while (w->error == EDEADLK);
    return NULL;
}

static void transactions_in_each_other_s_way_both_commit_in_the_end(void **state)
{
    (void)state;
    pthread_t thread;
    hp_environment *environment = open_home();
    store(environment, 0, "a", "0");
    store(environment, 1, "b", "0");
    writer one = {.environment = environment, .first = 0, .second = 1};
    writer other = {.environment = environment, .first = 1, .second = 0};
    assert_int_equal(pthread_create(&thread, NULL, store_both, &other), 0);
    store_both(&one);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(one.error, 0);
    assert_int_equal(other.error, 0);
    assert_records(environment, 0, "a=1 ");
    assert_records(environment, 1, "b=1 ");
    done(engine->close(environment));
}

static void removing_a_missing_record_leaves_the_transaction_alive(void **state)
{
    (void)state;
    hp_environment *environment = open_home();
    hp_transaction *transaction = begin(environment);
    done(put(transaction, 0, "a", "1"));
    assert_int_equal(engine->remove(transaction, 0, "b", 1), ENOENT);
    done(engine->commit(transaction, 0));
    assert_records(environment, 0, "a=1 ");
    done(engine->close(environment));
}

#define OPERATION_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
    OPERATION_TEST(the_table_of_operations_is_complete),
    OPERATION_TEST(what_is_committed_is_there_after_reopening),
    OPERATION_TEST(a_commit_without_sync_is_seen),
    OPERATION_TEST(put_replaces_and_remove_deletes),
    OPERATION_TEST(what_is_aborted_was_never_there),
    OPERATION_TEST(a_scan_ends_with_what_its_caller_returns),
    OPERATION_TEST(a_checkpoint_brings_commits_into_the_tables),
    OPERATION_TEST(a_backup_restores_to_what_was_committed_before_it),
    OPERATION_TEST(a_backup_that_cannot_be_made_is_an_error_and_no_harm),
    OPERATION_TEST(opening_what_is_not_there_is_ENOENT),
    OPERATION_TEST(a_table_that_there_is_not_is_EINVAL),
    OPERATION_TEST(transactions_in_each_other_s_way_both_commit_in_the_end),
    OPERATION_TEST(removing_a_missing_record_leaves_the_transaction_alive),
};
TEST_MAIN(tests)
