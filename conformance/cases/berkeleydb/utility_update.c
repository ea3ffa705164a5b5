/* The backup utility's -u: an earlier backup is brought on by its new logs. */
#include "bdb_cases.h"
#include "bdb_chain.h"
#include "utility.h"

#include <stdio.h>
#include <string.h>

#define BACK_UP "-h", "home", "-b", BDB_CHAIN

/* A full backup by the utility, and rows that it does not have. */
static bdb_sample *backed_up(void)
{
    bdb_utility_need();
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    const bdb_utility_run *run = bdb_utility(BACK_UP);

    if (run->status != 0) {
        hp_unresolved("the full backup: exit status %d: %s", run->status, run->output);
    }
    bdb_chain_grow(s);
    return s;
}

static bdb_layout flat_copy(const bdb_sample *s)
{
    return bdb_copy_at(&s->layout, BDB_CHAIN, true);
}

static void the_utility_with_u_brings_an_earlier_backup_up_to_date(void **state)
{
    (void)state;
    bdb_sample *s = backed_up();

    for (int step = 0; step < 3; step++) {
        const bdb_utility_run *run = bdb_utility("-u", BACK_UP);
        bdb_layout copy = flat_copy(s);

        hp_promise(HP_BDB_UTILITY_UPDATE);
        assert_int_equal(run->status, 0);
        bdb_assert_copy_holds(&copy);
        bdb_chain_grow(s);
    }
    bdb_sample_end(s);
}

static void the_utility_with_u_changes_nothing_but_the_target(void **state)
{
    (void)state;
    bdb_sample *s = backed_up();

    bdb_checkpoint(s); /* recovery of the source no longer needs the logs before */
    bdb_watch(s);

    const bdb_utility_run *run = bdb_utility("-u", BACK_UP);

    hp_promise(HP_BDB_UTILITY_UPDATE_KEEPS_SOURCE);
    assert_int_equal(run->status, 0);
    bdb_assert_only_changed(s, BDB_CHAIN);
    bdb_sample_end(s);
}

/* -c alone would remove them. At rest, since an environment's owner may keep checkpoints to itself. */
static void the_utility_with_u_and_c_removes_no_log_of_the_source(void **state)
{
    (void)state;
    bdb_sample *s = backed_up();
    unsigned logs = bdb_count("home", BDB_LOGS);
    bdb_layout copy = flat_copy(s);

    bdb_sample_renew(s);

    const bdb_utility_run *run = bdb_utility("-u", "-c", BACK_UP);

    hp_promise(HP_BDB_UTILITY_UPDATE_KEEPS_SOURCE);
    assert_int_equal(run->status, 0);
    assert_true(bdb_count("home", BDB_LOGS) >= logs);
    bdb_assert_copy_holds(&copy);
    bdb_need(bdb_env_open(s->env, &s->layout), "DB_ENV->open");
    bdb_sample_end(s);
}

static void the_utility_with_u_and_no_earlier_backup_is_an_error(void **state)
{
    (void)state;
    bdb_utility_need();
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    bdb_watch(s);

    const bdb_utility_run *run = bdb_utility("-u", BACK_UP);

    hp_promise(HP_BDB_UTILITY_UPDATE_NO_BASE);
    assert_int_not_equal(run->status, 0);
    bdb_assert_only_changed(s, BDB_CHAIN);
    bdb_sample_end(s);
}

const hp_case bdb_utility_update_cases[] = {
    HP_CASE(the_utility_with_u_brings_an_earlier_backup_up_to_date, HP_BDB_UTILITY_UPDATE),
    HP_CASE(the_utility_with_u_changes_nothing_but_the_target, HP_BDB_UTILITY_UPDATE_KEEPS_SOURCE),
    HP_CASE(
        the_utility_with_u_and_c_removes_no_log_of_the_source, HP_BDB_UTILITY_UPDATE_KEEPS_SOURCE),
    HP_CASE(the_utility_with_u_and_no_earlier_backup_is_an_error, HP_BDB_UTILITY_UPDATE_NO_BASE),
    HP_CASE_END,
};
