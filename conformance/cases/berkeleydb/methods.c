/*
 * Databases that not every engine has: other access methods, queues, several databases in a file,
 * partitions, encryption, memory. The logs that made them are gone before the backup, so that the
 * copy cannot do without its files.
 */
#include "bdb_cases.h"
#include "bdb_support.h"
#include "methods.h"
#include "utility.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <db.h>

enum { RECORDS = 150 * BDB_QUEUE_EXTENT, ROUNDS_MAX = 40 };

/* Writes elsewhere until the log that is the last now is no longer needed, and removed. */
static void retire_logs(bdb_sample *s)
{
    char last[64];

    bdb_last_match("home", BDB_LOGS, 0, "home/", last, sizeof last);
    for (int round = 0; round < ROUNDS_MAX && bdb_exists(last); round++) {
        bdb_add_rows(s, 0, 300);
        bdb_remove_logs(s);
    }
    if (bdb_exists(last)) {
        hp_unresolved("%s stays", last);
    }
}

static bdb_sample *sample_of(bdb_kind kind, unsigned records)
{
    bdb_kind_need(kind);
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    bdb_kind_fill(s->env, kind, records);
    retire_logs(s);
    return s;
}

static void assert_copy_has(bdb_sample *s, bdb_kind kind, unsigned records)
{
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", false);
    DB_ENV *env = bdb_recover(&copy);

    assert_int_equal(bdb_kind_count(env, kind), records);
    bdb_assert_rows(env, &copy.databases[0]);
    bdb_env_end(env);
}

static void assert_in_backup(hp_clause_id clause, bdb_kind kind, unsigned records)
{
    bdb_sample *s = sample_of(kind, records);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(clause);
    assert_int_equal(ret, 0);
    bdb_assert_only_changed(s, "bk");
    assert_copy_has(s, kind, records);
    bdb_sample_end(s);
}

/* A hash is a database like another. */
static void a_hash_database_is_in_the_backup(void **state)
{
    (void)state;
    assert_in_backup(HP_BDB_METHODS_BACKUP, BDB_HASH, RECORDS);
}

/* So are numbered records. */
static void a_recno_database_is_in_the_backup(void **state)
{
    (void)state;
    assert_in_backup(HP_BDB_METHODS_BACKUP, BDB_RECNO, RECORDS);
}

/* So is a heap, which has regions of its own. */
static void a_heap_database_is_in_the_backup(void **state)
{
    (void)state;
    assert_in_backup(HP_BDB_METHODS_BACKUP, BDB_HEAP, RECORDS);
}

/* The records of a queue are in its extents, files of their own. */
static void a_queue_is_in_the_backup_with_its_extents(void **state)
{
    (void)state;
    assert_in_backup(HP_BDB_QUEUE_BACKUP, BDB_QUEUE, RECORDS + 1);
}

/* The next record would need the next extent, which there is not yet. */
static void a_queue_whose_last_extent_is_full_is_in_the_backup(void **state)
{
    (void)state;
    assert_in_backup(HP_BDB_QUEUE_FULL_EXTENTS, BDB_QUEUE, RECORDS);
}

/* An extent is a file of the backup: DB_EXCL protects what stands in its place. */
static void EXCL_over_an_extent_of_a_queue_returns_EEXIST(void **state)
{
    (void)state;
    char extent[128];
    bdb_sample *s = sample_of(BDB_QUEUE, RECORDS + 1);
    bdb_make_dir("bk");
    bdb_last_match("home", "__dbq.*", 0, "bk/", extent, sizeof extent);
    bdb_write_file(extent, "the old one");

    int ret = bdb_backup(s, "bk", DB_EXCL);

    hp_promise(HP_BDB_QUEUE_EXCL);
    assert_int_equal(ret, EEXIST);
    bdb_assert_file_holds(extent, "the old one");
    bdb_sample_end(s);
}

static void assert_queue_copied(unsigned records, hp_clause_id clause)
{
    bdb_sample *s = sample_of(BDB_QUEUE, records);
    unsigned extents = bdb_count("home", "__dbq.*");
    char from[128], to[128];
    bdb_make_dir("bk");

    int ret = bdb_dbbackup(s, bdb_kind_file(BDB_QUEUE), "bk", 0);

    hp_promise(clause);
    assert_int_equal(ret, 0);
    assert_int_equal(bdb_count("bk", "__dbq.*"), extents);
    bdb_last_match("home", "__dbq.*", extents - 1, "home/", from, sizeof from);
    bdb_last_match("home", "__dbq.*", extents - 1, "bk/", to, sizeof to);
    bdb_assert_same_bytes(to, from);
    bdb_sample_end(s);
}

/* One database, all its files. */
static void dbbackup_copies_a_queue_with_its_extents(void **state)
{
    (void)state;
    assert_queue_copied(RECORDS + 1, HP_BDB_QUEUE_DBBACKUP);
}

/* However full the last of them is. */
static void dbbackup_copies_a_queue_whose_last_extent_is_full(void **state)
{
    (void)state;
    assert_queue_copied(RECORDS, HP_BDB_QUEUE_FULL_EXTENTS);
}

/* One file, several databases. */
static void databases_that_share_a_file_are_in_the_backup(void **state)
{
    (void)state;
    assert_in_backup(HP_BDB_SUBDATABASES_BACKUP, BDB_SUBDATABASES, RECORDS);
}

static void assert_partitions_in_backup(bdb_kind kind)
{
    bdb_sample *s = sample_of(kind, RECORDS);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_PARTITIONS_BACKUP);
    assert_int_equal(ret, 0);
    assert_int_equal(bdb_count("bk", "__dbp.*"), BDB_PARTITION_COUNT);
    assert_copy_has(s, kind, RECORDS);
    bdb_sample_end(s);
}

/* One database, several files. */
static void a_partitioned_database_is_in_the_backup(void **state)
{
    (void)state;
    assert_partitions_in_backup(BDB_PARTITIONS);
}

/* The function is the application's; the backup has no need of it to copy files. */
static void a_database_partitioned_by_a_function_is_in_the_backup(void **state)
{
    (void)state;
    assert_partitions_in_backup(BDB_PARTITIONS_BY_FUNCTION);
}

static bool has_plain_record(const char *path)
{
    size_t size;
    char *content = bdb_read_file(path, &size);
    bool found = memmem(content, size, BDB_RECORD, strlen(BDB_RECORD)) != NULL;

    free(content);
    return found;
}

/* A copy that can be read without the password would be a way round it. */
static void an_encrypted_database_is_in_the_backup_as_it_is(void **state)
{
    (void)state;
    bdb_sample *s = sample_of(BDB_ENCRYPTED, RECORDS);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_ENCRYPTED_BACKUP);
    assert_int_equal(ret, 0);
    assert_false(has_plain_record("bk/secret.db"));
    assert_copy_has(s, BDB_ENCRYPTED, RECORDS);
    bdb_sample_end(s);
}

/* The utility has to open the source and recover the copy. */
static void the_utility_with_P_copies_an_encrypted_environment(void **state)
{
    (void)state;
    bdb_utility_need();
    bdb_sample *s = sample_of(BDB_ENCRYPTED, RECORDS);

    const bdb_utility_run *run = bdb_utility("-P", BDB_PASSWORD, "-h", "home", "-b", "bk");

    hp_promise(HP_BDB_UTILITY_PASSWORD);
    assert_int_equal(run->status, 0);
    assert_false(has_plain_record("bk/secret.db"));
    assert_copy_has(s, BDB_ENCRYPTED, RECORDS);
    bdb_sample_end(s);
}

/* What was never on disk has nothing to be copied; the rest is not the worse for it. */
static void a_database_in_memory_does_not_disturb_the_backup(void **state)
{
    (void)state;
    bdb_sample *s = sample_of(BDB_IN_MEMORY, RECORDS);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_IN_MEMORY_DATABASE);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

const hp_case bdb_method_cases[] = {
    HP_CASE(a_hash_database_is_in_the_backup, HP_BDB_METHODS_BACKUP),
    HP_CASE(a_recno_database_is_in_the_backup, HP_BDB_METHODS_BACKUP),
    HP_CASE(a_heap_database_is_in_the_backup, HP_BDB_METHODS_BACKUP),
    HP_CASE(a_queue_is_in_the_backup_with_its_extents, HP_BDB_QUEUE_BACKUP),
    HP_CASE(a_queue_whose_last_extent_is_full_is_in_the_backup, HP_BDB_QUEUE_FULL_EXTENTS),
    HP_CASE(EXCL_over_an_extent_of_a_queue_returns_EEXIST, HP_BDB_QUEUE_EXCL),
    HP_CASE(dbbackup_copies_a_queue_with_its_extents, HP_BDB_QUEUE_DBBACKUP),
    HP_CASE(dbbackup_copies_a_queue_whose_last_extent_is_full, HP_BDB_QUEUE_FULL_EXTENTS),
    HP_CASE(databases_that_share_a_file_are_in_the_backup, HP_BDB_SUBDATABASES_BACKUP),
    HP_CASE(a_partitioned_database_is_in_the_backup, HP_BDB_PARTITIONS_BACKUP),
    HP_CASE(a_database_partitioned_by_a_function_is_in_the_backup, HP_BDB_PARTITIONS_BACKUP),
    HP_CASE(an_encrypted_database_is_in_the_backup_as_it_is, HP_BDB_ENCRYPTED_BACKUP),
    HP_CASE(the_utility_with_P_copies_an_encrypted_environment, HP_BDB_UTILITY_PASSWORD),
    HP_CASE(a_database_in_memory_does_not_disturb_the_backup, HP_BDB_IN_MEMORY_DATABASE),
    HP_CASE_END,
};
