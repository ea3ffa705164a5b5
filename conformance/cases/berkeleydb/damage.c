/* Databases that are damaged on disk: a backup that looks whole and is not is worse than none. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <db.h>

enum { PAGES_MIN = 40 };

static void overwrite(const char *path, const void *bytes, size_t size, off_t offset)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || pwrite(fd, bytes, size, offset) != (ssize_t)size || close(fd) != 0) {
        hp_unresolved("write %s: %s", path, strerror(errno));
    }
}

/* An environment whose databases nobody has open, and are as the disk has them. */
static bdb_sample *quiet_sample(void)
{
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    bdb_checkpoint(s);
    bdb_sample_reopen(s);
    return s;
}

static void assert_not_left_out(bdb_sample *s)
{
    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_DAMAGED_DATABASE);
    assert_int_not_equal(ret, 0);
    bdb_assert_error_names("a.db");
    bdb_sample_abandon(s);
}

/* A first page of noise is no database's; the environment had one there all the same. */
static void a_database_that_begins_with_noise_is_not_left_out(void **state)
{
    (void)state;
    bdb_sample *s = quiet_sample();
    size_t size;
    bdb_write_noise("noise", BDB_PAGE_SIZE);
    char *noise = bdb_read_file("noise", &size);
    overwrite("home/a.db", noise, size, 0);
    free(noise);

    assert_not_left_out(s);
}

/* Nor is it one if the disk has lost it. */
static void a_database_whose_first_page_is_zero_is_not_left_out(void **state)
{
    (void)state;
    static const char zeros[BDB_PAGE_SIZE];
    bdb_sample *s = quiet_sample();
    overwrite("home/a.db", zeros, sizeof zeros, 0);

    assert_not_left_out(s);
}

/* Nor if nothing at all is left in the file. */
static void a_database_without_a_byte_is_not_left_out(void **state)
{
    (void)state;
    bdb_sample *s = quiet_sample();
    if (truncate("home/a.db", 0) != 0) {
        hp_unresolved("truncate: %s", strerror(errno));
    }

    assert_not_left_out(s);
}

/* The application was down when the disk lost the content. Opening the environment may say so; if
 * it does not, the backup has to. */
static void a_database_that_lost_its_content_at_rest_is_not_left_out(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_checkpoint(s);
    bdb_sample_renew(s);
    if (truncate("home/a.db", 0) != 0) {
        hp_unresolved("truncate: %s", strerror(errno));
    }

    int ret = bdb_env_open(s->env, &s->layout);
    hp_log("opening returns %d", ret);
    ret = ret == 0 ? bdb_backup(s, "bk", DB_CREATE) : ret;

    hp_promise(HP_BDB_BACKUP_DAMAGED_DATABASE);
    assert_int_not_equal(ret, 0);
    bdb_assert_error_names("a.db");
    bdb_sample_abandon(s);
}

/* A number that another version would have at this place: not for this library to read, and not to
 * leave out. */
static void a_database_of_an_unknown_version_is_not_left_out(void **state)
{
    (void)state;
    static const uint32_t version = 9999;
    enum { VERSION_OFFSET = 16 }; /* behind the magic number, in both formats known here */
    bdb_sample *s = quiet_sample();
    overwrite("home/a.db", &version, sizeof version, VERSION_OFFSET);

    assert_not_left_out(s);
}

/* A database has its checksums so that damage is not handed on. */
static void a_page_that_does_not_match_its_checksum_is_an_error(void **state)
{
    (void)state;
    bdb_layout layout = {.home = "home", .databases = {{.file = "c.db", .rows = 2000}}};
    bdb_layout empty = {.home = "home"};
    bdb_sample *s = bdb_sample_new(&empty);
    DB *db = NULL;
    DB_TXN *txn = NULL;
    int ret = db_create(&db, s->env, 0);
    ret = ret == 0 ? db->set_flags(db, DB_CHKSUM) : ret;
    ret = ret == 0 ? db->set_pagesize(db, BDB_PAGE_SIZE) : ret;
    ret = ret == 0 ? db->open(db, NULL, "c.db", NULL, DB_BTREE, DB_CREATE | DB_AUTO_COMMIT, 0600)
                   : ret;
    ret = ret == 0 ? s->env->txn_begin(s->env, NULL, &txn, 0) : ret;
    ret = ret == 0 ? bdb_put_rows(db, txn, &layout.databases[0], 0, 2000) : ret;
    ret = ret == 0 ? txn->commit(txn, 0) : ret;
    ret = ret == 0 ? db->close(db, 0) : ret;
    bdb_need(ret, "a database with checksums");
    bdb_checkpoint(s);
    bdb_sample_reopen(s);
    if (bdb_file_size("home/c.db") < (uint64_t)PAGES_MIN * BDB_PAGE_SIZE) {
        hp_unresolved("the database is too small");
    }
    overwrite("home/c.db", "rotten", 6, PAGES_MIN / 2 * BDB_PAGE_SIZE + 500);

    ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_DAMAGED_PAGE);
    assert_int_not_equal(ret, 0);
    bdb_assert_error_names("c.db");
    bdb_sample_abandon(s);
}

const hp_case bdb_damage_cases[] = {
    HP_CASE(a_database_that_begins_with_noise_is_not_left_out, HP_BDB_BACKUP_DAMAGED_DATABASE),
    HP_CASE(a_database_whose_first_page_is_zero_is_not_left_out, HP_BDB_BACKUP_DAMAGED_DATABASE),
    HP_CASE(a_database_without_a_byte_is_not_left_out, HP_BDB_BACKUP_DAMAGED_DATABASE),
    HP_CASE(
        a_database_that_lost_its_content_at_rest_is_not_left_out, HP_BDB_BACKUP_DAMAGED_DATABASE),
    HP_CASE(a_database_of_an_unknown_version_is_not_left_out, HP_BDB_BACKUP_DAMAGED_DATABASE),
    HP_CASE(a_page_that_does_not_match_its_checksum_is_an_error, HP_BDB_BACKUP_DAMAGED_PAGE),
    HP_CASE_END,
};
