/* What a backup says while it works, and what DB_VERB_BACKUP is not. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <db.h>

static bdb_sample *verbose_sample(void)
{
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    bdb_need(s->env->set_verbose(s->env, DB_VERB_BACKUP, 1), "DB_ENV->set_verbose");
    return s;
}

/* Number of messages that have `text` in them. */
static unsigned messages_with(const char *text)
{
    char *copy = strdup(bdb_messages()), *rest = copy;
    unsigned count = 0;

    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        count += strstr(line, text) != NULL;
    }
    free(copy);
    return count;
}

/* A reader counts the lines to see how far the backup is. */
static void a_verbose_backup_has_one_line_for_each_database_and_log(void **state)
{
    (void)state;
    bdb_sample *s = verbose_sample();

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_VERBOSE_LINES);
    hp_log("%s", bdb_messages());
    assert_int_equal(ret, 0);
    assert_int_equal(messages_with("a.db"), 1);
    assert_int_equal(messages_with("b.db"), 1);
    for (unsigned i = 0; i < bdb_count("bk", BDB_LOGS); i++) {
        char log[64];

        assert_int_equal(messages_with(bdb_last_match("bk", BDB_LOGS, i, "", log, sizeof log)), 1);
    }
    bdb_sample_end(s);
}

/* What is gone afterwards was named before. */
static void a_verbose_CLEAN_names_each_file_that_it_removes(void **state)
{
    (void)state;
    bdb_sample *s = verbose_sample();
    bdb_make_dir("bk");
    bdb_write_file("bk/stale.db", "old");
    bdb_write_file("bk/stale.txt", "old");
    bdb_write_file("bk/log.0000000099", "old");

    int ret = bdb_backup(s, "bk", DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_BACKUP_VERBOSE_CLEAN);
    hp_log("%s", bdb_messages());
    assert_int_equal(ret, 0);
    assert_int_not_equal(messages_with("stale.db"), 0);
    assert_int_not_equal(messages_with("stale.txt"), 0);
    assert_int_not_equal(messages_with("log.0000000099"), 0);
    bdb_sample_end(s);
}

/* What was switched off is off. */
static void a_backup_is_silent_after_DB_VERB_BACKUP_was_switched_off(void **state)
{
    (void)state;
    bdb_sample *s = verbose_sample();
    assert_int_equal(s->env->set_verbose(s->env, DB_VERB_BACKUP, 0), 0);

    int ret = bdb_backup(s, "bk", DB_CREATE | DB_BACKUP_CLEAN | DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_VERBOSE);
    assert_int_equal(ret, 0);
    assert_string_equal(bdb_messages(), "");
    bdb_sample_end(s);
}

/* One file is an operation, too. */
static void a_verbose_dbbackup_names_the_database(void **state)
{
    (void)state;
    bdb_sample *s = verbose_sample();
    bdb_make_dir("bk");

    int ret = bdb_dbbackup(s, "a.db", "bk", 0);

    hp_promise(HP_BDB_DBBACKUP_VERBOSE);
    assert_int_equal(ret, 0);
    assert_int_not_equal(messages_with("a.db"), 0);
    assert_int_equal(messages_with("b.db"), 0);
    bdb_sample_end(s);
}

/* The manual lists the name among the flags; its value there is taken. */
static void DB_VERB_BACKUP_among_the_flags_means_DB_CREATE(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = bdb_backup(s, "bk", DB_VERB_BACKUP);

    hp_promise(HP_BDB_BACKUP_VERB_FLAG);
    assert_int_equal(DB_VERB_BACKUP, DB_CREATE);
    assert_int_equal(ret, 0);
    assert_string_equal(bdb_messages(), "");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

const hp_case bdb_verbose_cases[] = {
    HP_CASE(a_verbose_backup_has_one_line_for_each_database_and_log, HP_BDB_BACKUP_VERBOSE_LINES),
    HP_CASE(a_verbose_CLEAN_names_each_file_that_it_removes, HP_BDB_BACKUP_VERBOSE_CLEAN),
    HP_CASE(a_backup_is_silent_after_DB_VERB_BACKUP_was_switched_off, HP_BDB_BACKUP_VERBOSE),
    HP_CASE(a_verbose_dbbackup_names_the_database, HP_BDB_DBBACKUP_VERBOSE),
    HP_CASE(DB_VERB_BACKUP_among_the_flags_means_DB_CREATE, HP_BDB_BACKUP_VERB_FLAG),
    HP_CASE_END,
};
