/* Bulk transactions, which log less than others unless a backup is running. */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <db.h>

enum { BULK_ROWS = 2000 };

/* What was logged as little as possible is in the files. */
static void rows_of_a_bulk_transaction_are_in_a_later_backup(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_need(bdb_try_rows(s, 0, BULK_ROWS, DB_TXN_BULK), "a bulk transaction");
    s->layout.databases[0].rows += BULK_ROWS;

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_HOT_BULK);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* The database that is not being copied in this moment. */
static int commit_in_bulk(void *argument)
{
    bdb_sample *s = argument;

    return bdb_try_rows(s, 1, BULK_ROWS, DB_TXN_BULK);
}

/* While a backup runs everything is logged, since a file may have been copied already. */
static void rows_of_a_bulk_transaction_during_the_backup_are_in_it(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "sink/bk", false);
    bdb_sink_install(s->env, "sink");
    bdb_sink_on_write("a.db", commit_in_bulk, s);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_HOT_BULK);
    assert_int_equal(ret, 0);
    copy.databases[1].rows += BULK_ROWS; /* committed before the first log was handed over */
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* The same with the flag alone, and the copy made by hand. */
static void rows_of_a_bulk_transaction_under_the_flag_are_in_the_copy(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", false);
    bdb_make_dir("bk");
    assert_int_equal(s->env->set_flags(s->env, DB_HOTBACKUP_IN_PROGRESS, 1), 0);

    bdb_copy_files("home", "*.db", "bk");
    int ret = bdb_try_rows(s, 0, BULK_ROWS, DB_TXN_BULK);
    bdb_copy_files("home", BDB_LOGS, "bk");

    hp_promise(HP_BDB_HOT_BULK);
    assert_int_equal(ret, 0);
    assert_int_equal(s->env->set_flags(s->env, DB_HOTBACKUP_IN_PROGRESS, 0), 0);
    copy.databases[0].rows += BULK_ROWS;
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

const hp_case bdb_bulk_cases[] = {
    HP_CASE(rows_of_a_bulk_transaction_are_in_a_later_backup, HP_BDB_HOT_BULK),
    HP_CASE(rows_of_a_bulk_transaction_during_the_backup_are_in_it, HP_BDB_HOT_BULK),
    HP_CASE(rows_of_a_bulk_transaction_under_the_flag_are_in_the_copy, HP_BDB_HOT_BULK),
    HP_CASE_END,
};
