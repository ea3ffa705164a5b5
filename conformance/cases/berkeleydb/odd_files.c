/* What may stand in an environment's directories beside plain files. */
#include "bdb_cases.h"
#include "bdb_support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <db.h>

/* Moves a file out of the home and leaves a link in its place. */
static void move_behind_link(const char *name)
{
    char from[64], to[64], link[64];

    (void)snprintf(from, sizeof from, "home/%s", name);
    (void)snprintf(to, sizeof to, "elsewhere/%s", name);
    (void)snprintf(link, sizeof link, "../elsewhere/%s", name);
    if (rename(from, to) != 0) {
        hp_unresolved("rename %s: %s", from, strerror(errno));
    }
    bdb_make_link(link, from);
}

/* Who puts a database on another disk behind a link has it in the environment all the same. */
static void a_database_behind_a_link_is_copied_with_its_content(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", false);
    struct stat st;
    bdb_make_dir("elsewhere");
    bdb_sample_renew(s);
    move_behind_link("a.db");
    assert_int_equal(bdb_env_open(s->env, &s->layout), 0);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_BACKUP_SYMLINKED_SOURCE);
    assert_int_equal(ret, 0);
    assert_int_equal(lstat("bk/a.db", &st), 0);
    assert_true(S_ISREG(st.st_mode));
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* So has who does it with an ordinary file. */
static void an_ordinary_file_behind_a_link_is_copied_with_its_content(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    struct stat st;
    bdb_make_dir("elsewhere");
    bdb_write_file("home/notes.txt", "ordinary");
    move_behind_link("notes.txt");

    int ret = bdb_backup(s, "bk", DB_CREATE | DB_BACKUP_FILES);

    hp_promise(HP_BDB_BACKUP_SYMLINKED_SOURCE);
    assert_int_equal(ret, 0);
    assert_int_equal(lstat("bk/notes.txt", &st), 0);
    assert_true(S_ISREG(st.st_mode));
    bdb_assert_file_holds("bk/notes.txt", "ordinary");
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

static bdb_sample *sample_with_odd_entries(void)
{
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    bdb_make_dir("home/directory.db");
    if (mkfifo("home/pipe.db", 0600) != 0) {
        hp_unresolved("mkfifo: %s", strerror(errno));
    }
    bdb_make_link("nowhere", "home/dangling.db");
    bdb_make_link(".", "home/circle.db");
    return s;
}

static void assert_odd_entries_left_alone(uint32_t flags)
{
    bdb_sample *s = sample_with_odd_entries();

    hp_promise(HP_BDB_BACKUP_ODD_ENTRIES);
    int ret = bdb_backup(s, "bk", DB_CREATE | flags);

    assert_int_equal(ret, 0);
    assert_false(bdb_exists("bk/pipe.db"));
    assert_false(bdb_exists("bk/dangling.db"));
    assert_false(bdb_exists("bk/circle.db"));
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Nobody ever writes to that pipe: a backup that opens it waits for ever. */
static void a_backup_passes_over_what_is_no_file(void **state)
{
    (void)state;
    assert_odd_entries_left_alone(0);
}

/* DB_BACKUP_FILES is about files, too. */
static void a_backup_of_ordinary_files_passes_over_what_is_no_file(void **state)
{
    (void)state;
    assert_odd_entries_left_alone(DB_BACKUP_FILES);
}

/* What is not to be copied need not be readable. */
static void an_unreadable_ordinary_file_does_not_stop_a_backup_without_it(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_file("home/secret.txt", "for other eyes");
    bdb_change_mode("home/secret.txt", 0);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_UNREADABLE_NOT_WANTED);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_sample_end(s);
}

/* Nor need a directory in which nothing is to be copied. */
static void an_unreadable_subdirectory_does_not_stop_a_backup_without_it(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_make_dir("home/secret");
    bdb_change_mode("home/secret", 0);

    int ret = bdb_backup(s, "bk", DB_CREATE);

    hp_promise(HP_BDB_UNREADABLE_NOT_WANTED);
    assert_int_equal(ret, 0);
    bdb_assert_backup_holds(s, "bk");
    bdb_change_mode("home/secret", 0700);
    bdb_sample_end(s);
}

/* What is to be copied, and cannot be, is not left out. */
static void an_unreadable_ordinary_file_returns_EACCES_with_FILES(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_write_file("home/secret.txt", "for other eyes");
    bdb_change_mode("home/secret.txt", 0);
    bdb_make_dir("bk");

    int ret = bdb_backup(s, "bk", DB_BACKUP_FILES);

    hp_promise(HP_BDB_UNREADABLE_ORDINARY);
    assert_int_equal(ret, EACCES);
    bdb_assert_only_changed(s, "bk");
    bdb_sample_end(s);
}

const hp_case bdb_odd_file_cases[] = {
    HP_CASE(a_database_behind_a_link_is_copied_with_its_content, HP_BDB_BACKUP_SYMLINKED_SOURCE),
    HP_CASE(
        an_ordinary_file_behind_a_link_is_copied_with_its_content, HP_BDB_BACKUP_SYMLINKED_SOURCE),
    HP_SLOW_CASE(a_backup_passes_over_what_is_no_file, 10, HP_BDB_BACKUP_ODD_ENTRIES),
    HP_SLOW_CASE(
        a_backup_of_ordinary_files_passes_over_what_is_no_file, 10, HP_BDB_BACKUP_ODD_ENTRIES),
    HP_CASE(an_unreadable_ordinary_file_does_not_stop_a_backup_without_it,
        HP_BDB_UNREADABLE_NOT_WANTED),
    HP_CASE(
        an_unreadable_subdirectory_does_not_stop_a_backup_without_it, HP_BDB_UNREADABLE_NOT_WANTED),
    HP_CASE(an_unreadable_ordinary_file_returns_EACCES_with_FILES, HP_BDB_UNREADABLE_ORDINARY),
    HP_CASE_END,
};
