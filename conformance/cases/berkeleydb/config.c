/* The tuning parameters of a backup: they change its pace, never its bytes. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <time.h>
#include <db.h>

static const DB_BACKUP_CONFIG options[] = {
    DB_BACKUP_READ_COUNT, DB_BACKUP_READ_SLEEP, DB_BACKUP_SIZE, DB_BACKUP_WRITE_DIRECT};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void set(bdb_sample *s, DB_BACKUP_CONFIG option, uint32_t value)
{
    int ret = s->env->set_backup_config(s->env, option, value);

    if (ret != 0) {
        hp_unresolved("DB_ENV->set_backup_config: %s", db_strerror(ret));
    }
}

/* What was set is what one gets, for each option by itself. */
static void each_option_returns_the_value_that_was_set(void **state)
{
    (void)state;
    static const uint32_t values[] = {64, 1500, 65536, 1};
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    for (size_t i = 0; i < COUNT(options); i++) {
        set(s, options[i], values[i]);
    }

    hp_promise(HP_BDB_CONFIG_ROUND_TRIP);
    for (size_t i = 0; i < COUNT(options); i++) {
        uint32_t value = 99;

        assert_int_equal(s->env->get_backup_config(s->env, options[i], &value), 0);
        assert_int_equal(value, values[i]);
    }
    bdb_sample_end(s);
}

/* Another environment's handle keeps its own values. */
static void options_belong_to_one_handle(void **state)
{
    (void)state;
    bdb_layout other_layout = bdb_plain;
    other_layout.home = "other-home";
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_sample *other = bdb_sample_new(&other_layout);
    uint32_t value = 0;

    set(s, DB_BACKUP_SIZE, 65536);
    set(other, DB_BACKUP_SIZE, 131072);

    hp_promise(HP_BDB_CONFIG_ROUND_TRIP);
    assert_int_equal(s->env->get_backup_config(s->env, DB_BACKUP_SIZE, &value), 0);
    assert_int_equal(value, 65536);
    bdb_sample_end(s);
    bdb_sample_end(other);
}

/* The documentation says what holds as long as nothing is set. */
static void each_option_has_its_documented_default(void **state)
{
    (void)state;
    uint32_t value = 99;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    hp_promise(HP_BDB_CONFIG_DEFAULTS);
    assert_int_equal(s->env->get_backup_config(s->env, DB_BACKUP_WRITE_DIRECT, &value), 0);
    assert_int_equal(value, 0);
    value = 99;
    assert_int_equal(s->env->get_backup_config(s->env, DB_BACKUP_READ_COUNT, &value), 0);
    assert_int_equal(value, 0);
    assert_int_equal(s->env->get_backup_config(s->env, DB_BACKUP_SIZE, &value), 0);
    assert_int_equal(value, 1024 * 1024);
    bdb_sample_end(s);
}

/* Setting one option does not take away another's default. */
static void setting_one_option_leaves_the_others_at_their_defaults(void **state)
{
    (void)state;
    uint32_t value = 99;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    set(s, DB_BACKUP_READ_COUNT, 10);

    hp_promise(HP_BDB_CONFIG_DEFAULTS);
    assert_int_equal(s->env->get_backup_config(s->env, DB_BACKUP_SIZE, &value), 0);
    assert_int_equal(value, 1024 * 1024);
    bdb_sample_end(s);
}

/* An option that means nothing is neither set nor got. */
static void an_option_that_does_not_exist_returns_EINVAL(void **state)
{
    (void)state;
    volatile int beyond = 999; /* a number that no enumerator has */
    DB_BACKUP_CONFIG unknown = (DB_BACKUP_CONFIG)beyond;
    uint32_t value = 99;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    hp_promise(HP_BDB_CONFIG_UNKNOWN);
    assert_int_equal(s->env->set_backup_config(s->env, unknown, 1), EINVAL);
    assert_int_equal(s->env->get_backup_config(s->env, unknown, &value), EINVAL);
    bdb_sample_end(s);
}

/* One page at a time, an odd size, and more than the whole file. */
static void the_buffer_size_does_not_change_the_backup(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {BDB_PAGE_SIZE, 3 * BDB_PAGE_SIZE + 17, 65536, 8U << 20};
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_add_rows(s, 0, 2000);

    for (size_t i = 0; i < COUNT(sizes); i++) {
        set(s, DB_BACKUP_SIZE, sizes[i]);

        int ret = bdb_backup(s, "bk", DB_CREATE | DB_BACKUP_CLEAN);

        hp_promise(HP_BDB_CONFIG_SIZE);
        hp_log("buffer of %u bytes", sizes[i]);
        assert_int_equal(ret, 0);
        bdb_assert_backup_holds(s, "bk");
    }
    bdb_sample_end(s);
}

/* Less than a page cannot be read from a database: a library that does not say so must take more.
 */
static void a_buffer_smaller_than_a_page_does_no_harm(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_add_rows(s, 0, 500);

    hp_promise(HP_BDB_CONFIG_SIZE_SMALL);
    int refused = s->env->set_backup_config(s->env, DB_BACKUP_SIZE, BDB_PAGE_SIZE / 10);
    int ret = bdb_backup(s, "bk", DB_CREATE);

    assert_true(refused == 0 || refused == EINVAL);
    if (refused == EINVAL || ret == 0) {
        assert_int_equal(ret, 0);
        bdb_assert_backup_holds(s, "bk");
    }
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* Around the page cache of the system or through it: the same files. */
static void direct_writing_does_not_change_the_backup(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_noise("home/picture.raw", 70001);
    set(s, DB_BACKUP_WRITE_DIRECT, 1);

    int ret = bdb_backup(s, "bk", DB_CREATE | DB_BACKUP_FILES);

    hp_promise(HP_BDB_CONFIG_WRITE_DIRECT);
    assert_int_equal(ret, 0);
    bdb_assert_same_bytes("bk/picture.raw", "home/picture.raw");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

static double seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* READ_COUNT pages, a pause of READ_SLEEP, and so on: the time of a backup is what the
 * administrator computed. */
static void the_backup_pauses_once_in_READ_COUNT_pages(void **state)
{
    (void)state;
    enum { COUNT_PAGES = 100, SLEEP_US = 100000 };
    bdb_layout layout = {.home = "home", .databases = {{.file = "a.db", .rows = 2000}}};
    bdb_sample *s = bdb_sample_new(&layout);
    int ret = s->db[0]->sync(s->db[0], 0);
    if (ret != 0) {
        hp_unresolved("DB->sync: %s", db_strerror(ret));
    }
    double pages = (double)bdb_file_size("home/a.db") / BDB_PAGE_SIZE;
    double pauses = pages / COUNT_PAGES;
    set(s, DB_BACKUP_SIZE, 4 * BDB_PAGE_SIZE);
    set(s, DB_BACKUP_READ_COUNT, COUNT_PAGES);
    set(s, DB_BACKUP_READ_SLEEP, SLEEP_US);

    double before = seconds();
    ret = bdb_backup(s, "bk", DB_CREATE);
    double took = seconds() - before;

    hp_promise(HP_BDB_CONFIG_PACE);
    hp_log("%.0f pages took %.3f s, %.1f pauses expected", pages, took, pauses);
    assert_int_equal(ret, 0);
    assert_true(pauses > 2);
    assert_true(took >= (pauses - 1) * SLEEP_US / 1e6);
    assert_true(took <= (pauses + 2) * SLEEP_US / 1e6 + 1.0 * hp_timeout_scale());
    bdb_sample_end(s);
}

const hp_case bdb_config_cases[] = {
    HP_CASE(each_option_returns_the_value_that_was_set, HP_BDB_CONFIG_ROUND_TRIP),
    HP_CASE(options_belong_to_one_handle, HP_BDB_CONFIG_ROUND_TRIP),
    HP_CASE(each_option_has_its_documented_default, HP_BDB_CONFIG_DEFAULTS),
    HP_CASE(setting_one_option_leaves_the_others_at_their_defaults, HP_BDB_CONFIG_DEFAULTS),
    HP_CASE(an_option_that_does_not_exist_returns_EINVAL, HP_BDB_CONFIG_UNKNOWN),
    HP_CASE(the_buffer_size_does_not_change_the_backup, HP_BDB_CONFIG_SIZE),
    HP_CASE(a_buffer_smaller_than_a_page_does_no_harm, HP_BDB_CONFIG_SIZE_SMALL),
    HP_CASE(direct_writing_does_not_change_the_backup, HP_BDB_CONFIG_WRITE_DIRECT),
    HP_CASE(the_backup_pauses_once_in_READ_COUNT_pages, HP_BDB_CONFIG_PACE),
    HP_CASE_END,
};
