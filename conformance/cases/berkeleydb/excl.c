/* DB_EXCL: nothing that stands in the target is written over. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <db.h>

/* A target without files of the backup's names is what DB_EXCL asks for. */
static void EXCL_into_an_empty_target_works(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");

    int ret = bdb_backup(s, "bk", DB_EXCL);

    hp_promise(HP_BDB_BACKUP_EXCL_FRESH);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* DB_EXCL and DB_CREATE do not exclude each other. */
static void EXCL_with_CREATE_makes_a_fresh_target(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    int ret = bdb_backup(s, "bk", DB_EXCL | DB_CREATE);

    hp_promise(HP_BDB_BACKUP_EXCL_FRESH);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* DB_EXCL is about the backup's own files; what else is in the target stays and does not matter. */
static void EXCL_does_not_mind_an_unrelated_file(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("bk/readme.txt", "kept");

    int ret = bdb_backup(s, "bk", DB_EXCL);

    hp_promise(HP_BDB_BACKUP_EXCL_FRESH);
    assert_int_equal(ret, 0);
    bdb_assert_file_holds("bk/readme.txt", "kept");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Under DB_EXCL a database is not written over. */
static void EXCL_over_a_database_returns_EEXIST(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("bk/b.db", "the old one");

    int ret = bdb_backup(s, "bk", DB_EXCL);

    hp_promise(HP_BDB_BACKUP_EXCL);
    assert_int_equal(ret, EEXIST);
    bdb_assert_file_holds("bk/b.db", "the old one");
    bdb_assert_only_changed(s, "bk");
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* Under DB_EXCL a log is not written over. */
static void EXCL_over_a_log_returns_EEXIST(void **state)
{
    (void)state;
    char log[64];
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file(bdb_last_match("home", BDB_LOGS, 0, "bk/", log, sizeof log), "the old one");

    int ret = bdb_backup(s, "bk", DB_EXCL);

    hp_promise(HP_BDB_BACKUP_EXCL_LOG);
    assert_int_equal(ret, EEXIST);
    bdb_assert_file_holds(log, "the old one");
    bdb_assert_only_changed(s, "bk");
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* Under DB_EXCL an ordinary file is not written over. */
static void EXCL_over_an_ordinary_file_returns_EEXIST(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("home/notes.txt", "the new one");
    bdb_write_file("bk/notes.txt", "the old one");

    int ret = bdb_backup(s, "bk", DB_EXCL | DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_EXCL_ORDINARY);
    assert_int_equal(ret, EEXIST);
    bdb_assert_file_holds("bk/notes.txt", "the old one");
    bdb_assert_only_changed(s, "bk");
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* A target file that is in the way is found before the first file is copied, not after half of
 * them. */
static void EXCL_that_is_refused_leaves_the_target_as_it_was(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("bk");
    bdb_write_file("bk/a.db", "the old one");

    int ret_first = bdb_backup(s, "bk", DB_EXCL);
    hp_promise(HP_BDB_BACKUP_REFUSED_UNTOUCHED);
    assert_int_equal(ret_first, EEXIST);
    bdb_assert_nothing_changed(s);

    bdb_make_dir("other");
    bdb_write_file("other/b.db", "the old one");
    int ret_second = bdb_backup(s, "other", DB_EXCL);
    assert_int_equal(ret_second, EEXIST);
    bdb_assert_unharmed(s);
    bdb_sample_end(s);
}

/* The second backup with DB_EXCL into one target is refused, and the first one still recovers. */
static void EXCL_over_an_earlier_backup_keeps_that_backup(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout first = bdb_copy_at(&s->layout, "bk", false);
    assert_int_equal(bdb_backup(s, "bk", DB_CREATE | DB_EXCL), 0);
    bdb_add_rows(s, 0, 50);

    int ret = bdb_backup(s, "bk", DB_EXCL);

    hp_promise(HP_BDB_BACKUP_EXCL);
    assert_int_equal(ret, EEXIST);
    bdb_assert_nothing_changed(s);
    bdb_assert_copy_holds(&first);
    bdb_sample_end(s);
}

/* DB_BACKUP_CLEAN comes first, so nothing is left for DB_EXCL to find. */
static void EXCL_with_CLEAN_works_over_an_earlier_backup(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    assert_int_equal(bdb_backup(s, "bk", DB_CREATE), 0);
    bdb_add_rows(s, 0, 50);

    int ret = bdb_backup(s, "bk", DB_EXCL | DB_BACKUP_CLEAN);

    hp_promise(HP_BDB_BACKUP_EXCL_CLEAN);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

const hp_case bdb_excl_cases[] = {
    HP_CASE(EXCL_into_an_empty_target_works, HP_BDB_BACKUP_EXCL_FRESH),
    HP_CASE(EXCL_with_CREATE_makes_a_fresh_target, HP_BDB_BACKUP_EXCL_FRESH),
    HP_CASE(EXCL_does_not_mind_an_unrelated_file, HP_BDB_BACKUP_EXCL_FRESH),
    HP_CASE(EXCL_over_a_database_returns_EEXIST, HP_BDB_BACKUP_EXCL),
    HP_CASE(EXCL_over_a_log_returns_EEXIST, HP_BDB_BACKUP_EXCL_LOG),
    HP_CASE(EXCL_over_an_ordinary_file_returns_EEXIST, HP_BDB_BACKUP_EXCL_ORDINARY),
    HP_CASE(EXCL_that_is_refused_leaves_the_target_as_it_was, HP_BDB_BACKUP_REFUSED_UNTOUCHED),
    HP_CASE(EXCL_over_an_earlier_backup_keeps_that_backup, HP_BDB_BACKUP_EXCL),
    HP_CASE(EXCL_with_CLEAN_works_over_an_earlier_backup, HP_BDB_BACKUP_EXCL_CLEAN),
    HP_CASE_END,
};
