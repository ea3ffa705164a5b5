/* DB_BACKUP_UPDATE through callbacks, and the logs that must not go before they were handed over.
 */
#include "bdb_cases.h"
#include "bdb_chain.h"
#include "bdb_sink.h"

#include <db.h>

enum { FAILURE = 12345 };

/* A full backup that went through the callbacks to "sink", and rows after it. What the callbacks
 * saw is forgotten. */
static bdb_sample *chain_in_sink(void)
{
    bdb_sample *s = bdb_sample_new(&bdb_whole_log);

    bdb_sink_install(s->env, "sink");
    bdb_need(bdb_backup(s, BDB_CHAIN, 0), "the full backup");
    bdb_chain_grow(s);
    bdb_chain_grow(s);
    bdb_sink_reset();
    return s;
}

/* Only the application knows what its destination has: it gets every log that there is, as a whole.
 */
static void an_update_hands_every_log_to_the_callbacks(void **state)
{
    (void)state;
    bdb_sample *s = chain_in_sink();
    bdb_layout copy = bdb_copy_at(&s->layout, "sink/" BDB_CHAIN, false);
    bdb_checkpoint(s);
    bdb_make_dir(BDB_CHAIN);
    unsigned logs = bdb_count("home", BDB_LOGS);

    int ret = bdb_chain_update(s, 0);

    hp_promise(HP_BDB_CALLBACKS_EVERY_FILE);
    assert_int_equal(ret, 0);
    bdb_sink_assert_protocol();
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, BDB_LOGS), logs);
    assert_int_equal(bdb_sink_count(BDB_SINK_OPEN, "*"), logs);
    bdb_assert_only_changed(s, "sink");
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

static void an_update_hands_a_NULL_target_to_open_func(void **state)
{
    (void)state;
    bdb_sample *s = chain_in_sink();
    bdb_layout copy = bdb_copy_at(&s->layout, "sink/" BDB_CHAIN, false);

    int ret = bdb_backup(s, NULL, DB_BACKUP_UPDATE);

    hp_promise(HP_BDB_BACKUP_NULL_TARGET_CALLBACKS);
    assert_int_equal(ret, 0);
    bdb_assert_only_changed(s, "sink");
    bdb_copy_files("sink", BDB_LOGS, copy.home);
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* The callback's value comes back, the source is as it was, and the next update works. */
static void assert_error_returned(bdb_sink_op op, hp_clause_id clause)
{
    bdb_sample *s = chain_in_sink();
    bdb_layout copy = bdb_copy_at(&s->layout, "sink/" BDB_CHAIN, false);
    bdb_sink_fail(op, BDB_LOGS, FAILURE);

    int ret = bdb_chain_update(s, 0);

    hp_promise(clause);
    assert_int_equal(ret, FAILURE);
    bdb_assert_only_changed(s, "sink");
    bdb_sink_reset();
    assert_int_equal(bdb_chain_update(s, 0), 0);
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

static void an_error_of_open_func_ends_an_update(void **state)
{
    (void)state;
    assert_error_returned(BDB_SINK_OPEN, HP_BDB_CALLBACKS_OPEN_ERROR);
}

static void an_error_of_write_func_ends_an_update(void **state)
{
    (void)state;
    assert_error_returned(BDB_SINK_WRITE, HP_BDB_CALLBACKS_WRITE_ERROR);
}

static void an_error_of_close_func_ends_an_update(void **state)
{
    (void)state;
    assert_error_returned(BDB_SINK_CLOSE, HP_BDB_CALLBACKS_CLOSE_ERROR);
}

static int take_checkpoint(void *argument)
{
    bdb_sample *s = argument;

    return s->env->txn_checkpoint(s->env, 0, 0, DB_FORCE);
}

static int checkpoint_and_remove(void *argument)
{
    bdb_sample *s = argument;
    char **none = NULL;
    int ret = take_checkpoint(argument);

    return ret == 0 ? s->env->log_archive(s->env, &none, DB_ARCH_REMOVE) : ret;
}

/* While the first log is handed over, a checkpoint makes it and the next ones unnecessary for the
 * source: they are removed, or asked to be. Those that come next must still come. */
static void assert_logs_stay(bdb_sample *s, int (*action)(void *argument))
{
    bdb_layout copy = bdb_copy_at(&s->layout, "sink/" BDB_CHAIN, false);
    bdb_sink_on_write(BDB_LOGS, action, s);

    int ret = bdb_chain_update(s, 0);

    hp_promise(HP_BDB_UPDATE_LOG_REMOVAL);
    assert_int_equal(ret, 0);
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

static void removing_logs_during_an_update_takes_none_that_it_needs(void **state)
{
    (void)state;
    assert_logs_stay(chain_in_sink(), checkpoint_and_remove);
}

static void automatic_removal_during_an_update_takes_no_log_that_it_needs(void **state)
{
    (void)state;
    bdb_sample *s = chain_in_sink();
    bdb_need(s->env->log_set_config(s->env, DB_LOG_AUTO_REMOVE, 1), "DB_LOG_AUTO_REMOVE");

    assert_logs_stay(s, take_checkpoint);
}

/* Nor need the source itself have a use for a log at the beginning of the update. */
static void removing_logs_during_an_update_takes_none_that_was_there_before(void **state)
{
    (void)state;
    bdb_sample *s = chain_in_sink();
    bdb_checkpoint(s);

    assert_logs_stay(s, checkpoint_and_remove);
}

const hp_case bdb_update_callback_cases[] = {
    HP_CASE(an_update_hands_every_log_to_the_callbacks, HP_BDB_CALLBACKS_EVERY_FILE),
    HP_CASE(an_update_hands_a_NULL_target_to_open_func, HP_BDB_BACKUP_NULL_TARGET_CALLBACKS),
    HP_CASE(an_error_of_open_func_ends_an_update, HP_BDB_CALLBACKS_OPEN_ERROR),
    HP_CASE(an_error_of_write_func_ends_an_update, HP_BDB_CALLBACKS_WRITE_ERROR),
    HP_CASE(an_error_of_close_func_ends_an_update, HP_BDB_CALLBACKS_CLOSE_ERROR),
    HP_CASE(
        removing_logs_during_an_update_takes_none_that_was_there_before, HP_BDB_UPDATE_LOG_REMOVAL),
    HP_CASE(removing_logs_during_an_update_takes_none_that_it_needs, HP_BDB_UPDATE_LOG_REMOVAL),
    HP_CASE(
        automatic_removal_during_an_update_takes_no_log_that_it_needs, HP_BDB_UPDATE_LOG_REMOVAL),
    HP_CASE_END,
};
