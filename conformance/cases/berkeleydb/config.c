/* The tuning parameters of a backup: they never change its bytes. Its pace is pace.c. */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <errno.h>
#include <string.h>
#include <db.h>

static const DB_BACKUP_CONFIG options[] = {
    DB_BACKUP_READ_COUNT, DB_BACKUP_READ_SLEEP, DB_BACKUP_SIZE, DB_BACKUP_WRITE_DIRECT};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* What was set is what one gets, for each option by itself. */
static void each_option_returns_the_value_that_was_set(void **state)
{
    (void)state;
    static const uint32_t values[] = {64, 1500, 65536, 1};
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    for (size_t i = 0; i < COUNT(options); i++) {
        bdb_tune(s, options[i], values[i]);
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

    bdb_tune(s, DB_BACKUP_SIZE, 65536);
    bdb_tune(other, DB_BACKUP_SIZE, 131072);

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

    bdb_tune(s, DB_BACKUP_READ_COUNT, 10);

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
        bdb_tune(s, DB_BACKUP_SIZE, sizes[i]);

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
    bdb_tune(s, DB_BACKUP_WRITE_DIRECT, 1);

    int ret = bdb_backup(s, "bk", DB_CREATE | DB_BACKUP_FILES);

    hp_promise(HP_BDB_CONFIG_WRITE_DIRECT);
    assert_int_equal(ret, 0);
    bdb_assert_same_bytes("bk/picture.raw", "home/picture.raw");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Before the environment is open is a time, too. */
static void options_may_be_set_before_the_environment_is_open(void **state)
{
    (void)state;
    uint32_t value = 0;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_sample_renew(s);

    hp_promise(HP_BDB_CONFIG_ANY_TIME);
    assert_int_equal(s->env->set_backup_config(s->env, DB_BACKUP_SIZE, 65536), 0);
    assert_int_equal(s->env->get_backup_config(s->env, DB_BACKUP_SIZE, &value), 0);
    assert_int_equal(value, 65536);
    assert_int_equal(bdb_env_open(s->env, &s->layout), 0);
    value = 0;
    assert_int_equal(s->env->get_backup_config(s->env, DB_BACKUP_SIZE, &value), 0);
    assert_int_equal(value, 65536);
    bdb_sample_end(s);
}

/* There is no more direct than direct. */
static void direct_writing_reads_back_as_on_or_off(void **state)
{
    (void)state;
    uint32_t value = 99;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    hp_promise(HP_BDB_CONFIG_ON_OFF);
    bdb_tune(s, DB_BACKUP_WRITE_DIRECT, 7);
    assert_int_equal(s->env->get_backup_config(s->env, DB_BACKUP_WRITE_DIRECT, &value), 0);
    assert_int_equal(value, 1);
    bdb_tune(s, DB_BACKUP_WRITE_DIRECT, 0);
    assert_int_equal(s->env->get_backup_config(s->env, DB_BACKUP_WRITE_DIRECT, &value), 0);
    assert_int_equal(value, 0);
    bdb_sample_end(s);
}

/* The two pages of the manual give two units; one of them can be seen at work. */
static void the_buffer_size_is_in_bytes(void **state)
{
    (void)state;
    enum { SIZE = 65536 };
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_add_rows(s, 0, 3000);
    assert_int_equal(s->env->txn_checkpoint(s->env, 0, 0, DB_FORCE), 0);
    bdb_sink_install(s->env, "sink");
    bdb_tune(s, DB_BACKUP_SIZE, SIZE);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_CONFIG_SIZE_BYTES);
    assert_int_equal(ret, 0);
    for (size_t i = 0; i < bdb_sink_call_count(); i++) {
        const bdb_sink_call *call = bdb_sink_call_at(i);

        if (strcmp(call->name, "a.db") == 0) {
            assert_in_range(call->size, 0, SIZE);
        }
    }
    assert_in_range(bdb_sink_count(BDB_SINK_WRITE, "a.db"), bdb_file_size("home/a.db") / SIZE,
        bdb_file_size("home/a.db") / SIZE + 1);
    bdb_sample_end(s);
}

/* Nor does a size that is no number of pages, or more than the file, add or lose a byte. */
static void an_odd_buffer_size_copies_the_same_bytes(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {BDB_PAGE_SIZE + 1, 7777, 16U << 20};
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_add_rows(s, 0, 2000);
    assert_int_equal(s->env->txn_checkpoint(s->env, 0, 0, DB_FORCE), 0);
    bdb_write_noise("home/picture.raw", 70001);

    for (size_t i = 0; i < COUNT(sizes); i++) {
        bdb_tune(s, DB_BACKUP_SIZE, sizes[i]);

        int ret = bdb_backup(s, "bk", DB_CREATE | DB_BACKUP_FILES);

        hp_promise(HP_BDB_CONFIG_SIZE);
        hp_log("buffer of %u bytes", sizes[i]);
        assert_int_equal(ret, 0);
        bdb_assert_same_bytes("bk/a.db", "home/a.db");
        bdb_assert_same_bytes("bk/b.db", "home/b.db");
        bdb_assert_same_bytes("bk/picture.raw", "home/picture.raw");
    }
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
    HP_CASE(options_may_be_set_before_the_environment_is_open, HP_BDB_CONFIG_ANY_TIME),
    HP_CASE(direct_writing_reads_back_as_on_or_off, HP_BDB_CONFIG_ON_OFF),
    HP_CASE(the_buffer_size_is_in_bytes, HP_BDB_CONFIG_SIZE_BYTES),
    HP_CASE(an_odd_buffer_size_copies_the_same_bytes, HP_BDB_CONFIG_SIZE),
    HP_CASE_END,
};
