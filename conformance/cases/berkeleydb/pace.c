/*
 * The pace of a backup: pages to read before a pause, and its length. Pauses are counted between
 * the calls of the callbacks: a busy machine may add one, it cannot take one away.
 */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <db.h>

static const double microsecond = 1e-6;

/* One database of some hundred pages, all of them in its file. */
static bdb_sample *sample_of_pages(double *pages)
{
    bdb_layout layout = {.home = "home", .databases = {{.file = "a.db", .rows = 2000}}};
    bdb_sample *s = bdb_sample_new(&layout);

    bdb_checkpoint(s);
    *pages = (double)bdb_file_size("home/a.db") / BDB_PAGE_SIZE;
    bdb_sink_install(s->env, "sink");
    bdb_tune(s, DB_BACKUP_SIZE, 4 * BDB_PAGE_SIZE);
    return s;
}

/* READ_COUNT pages, a pause of READ_SLEEP, and so on: the time of a backup is what the
 * administrator computed. */
static void the_backup_pauses_once_in_READ_COUNT_pages(void **state)
{
    (void)state;
    enum { COUNT_PAGES = 60, SLEEP_US = 40000 };
    double pages;
    bdb_sample *s = sample_of_pages(&pages);
    unsigned expected = (unsigned)(pages / COUNT_PAGES);
    bdb_tune(s, DB_BACKUP_READ_COUNT, COUNT_PAGES);
    bdb_tune(s, DB_BACKUP_READ_SLEEP, SLEEP_US);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_CONFIG_PACE);
    size_t pauses = bdb_sink_pauses("a.db", SLEEP_US * microsecond);
    hp_log("%.0f pages, %zu pauses, %u expected", pages, pauses, expected);
    assert_int_equal(ret, 0);
    assert_in_range(expected, 3, 20);
    assert_in_range(pauses, expected - 1, 2 * expected);
    bdb_sample_end(s);
}

/* Whatever else the time depends on, the pauses are in it. */
static void the_backup_takes_at_least_as_long_as_its_pauses(void **state)
{
    (void)state;
    enum { COUNT_PAGES = 60, SLEEP_US = 40000 };
    double pages;
    bdb_sample *s = sample_of_pages(&pages);
    assert_int_equal(s->env->set_backup_callbacks(s->env, NULL, NULL, NULL), 0);
    bdb_tune(s, DB_BACKUP_READ_COUNT, COUNT_PAGES);
    bdb_tune(s, DB_BACKUP_READ_SLEEP, SLEEP_US);

    double before = bdb_seconds();
    int ret = bdb_backup(s, "bk", DB_CREATE);
    double took = bdb_seconds() - before;

    hp_promise(HP_BDB_CONFIG_PACE_AT_LEAST);
    hp_log("%.0f pages took %.3f s", pages, took);
    assert_int_equal(ret, 0);
    assert_true(took >= (pages / COUNT_PAGES - 1) * SLEEP_US * microsecond);
    bdb_sample_end(s);
}

/* The length of a pause means nothing as long as there are none. */
static void a_backup_without_READ_COUNT_does_not_pause(void **state)
{
    (void)state;
    enum { SLEEP_US = 3000000 };
    double pages;
    bdb_sample *s = sample_of_pages(&pages);
    bdb_tune(s, DB_BACKUP_READ_SLEEP, SLEEP_US);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_CONFIG_NO_PAUSE);
    assert_int_equal(ret, 0);
    assert_true(bdb_sink_count(BDB_SINK_WRITE, "a.db") > 10);
    assert_int_equal(bdb_sink_pauses("*", SLEEP_US * microsecond), 0);
    bdb_sample_end(s);
}

/* Reads of files that are no databases load the disk as much. Of what size their "pages" are the
 * manual does not say. */
static void assert_paced(const char *pattern)
{
    enum { COUNT_PAGES = 8, SLEEP_US = 20000 };
    double pages;
    bdb_sample *s = sample_of_pages(&pages);
    bdb_add_rows(s, 0, 3000);
    bdb_write_noise("home/picture.raw", 300000);
    bdb_tune(s, DB_BACKUP_READ_COUNT, COUNT_PAGES);
    bdb_tune(s, DB_BACKUP_READ_SLEEP, SLEEP_US);

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_CONFIG_PACE_ALL_FILES);
    size_t pauses = bdb_sink_pauses(pattern, SLEEP_US * microsecond);
    hp_log("%zu pauses in %s", pauses, pattern);
    assert_int_equal(ret, 0);
    assert_true(pauses >= 3);
    bdb_sample_end(s);
}

/* An ordinary file is read with pauses. */
static void the_backup_pauses_in_ordinary_files(void **state)
{
    (void)state;
    assert_paced("picture.raw");
}

/* So are the logs. */
static void the_backup_pauses_in_logs(void **state)
{
    (void)state;
    assert_paced(BDB_LOGS);
}

const hp_case bdb_pace_cases[] = {
    HP_SLOW_CASE(the_backup_pauses_once_in_READ_COUNT_pages, 40, HP_BDB_CONFIG_PACE),
    HP_SLOW_CASE(the_backup_takes_at_least_as_long_as_its_pauses, 40, HP_BDB_CONFIG_PACE_AT_LEAST),
    HP_SLOW_CASE(a_backup_without_READ_COUNT_does_not_pause, 40, HP_BDB_CONFIG_NO_PAUSE),
    HP_SLOW_CASE(the_backup_pauses_in_ordinary_files, 40, HP_BDB_CONFIG_PACE_ALL_FILES),
    HP_SLOW_CASE(the_backup_pauses_in_logs, 40, HP_BDB_CONFIG_PACE_ALL_FILES),
    HP_CASE_END,
};
