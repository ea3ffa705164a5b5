/* What a backup copies and under which names, and which targets it refuses before it writes. */
#include "testmain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/backup_plan.h"
#include "cwd.h"

static ref_env *env;

static void open_env(const char *const *data_dirs, size_t count, const char *log_dir)
{
    ref_env_options options = {.home = "home",
        .data_dirs = data_dirs,
        .data_dir_count = count,
        .log_dir = log_dir,
        .create = true};
    cwd_dir("home");
    for (size_t i = 0; i < count; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s%s", data_dirs[i][0] == '/' ? "" : "home/", data_dirs[i]);
        (void)mkdir(path, 0700);
    }
    if (log_dir != NULL) {
        cwd_dir("home/log");
    }
    assert_int_equal(ref_env_open(&options, &env), 0);
}

static void make_database(const char *dir, const char *name)
{
    ref_db_options options = {.create = true, .create_dir = dir};
    ref_db *db;
    assert_int_equal(ref_db_open(env, NULL, name, &options, &db), 0);
    assert_int_equal(ref_db_close(db), 0);
}

static int teardown(void **state)
{
    int error = env != NULL ? ref_env_close(env) : 0;
    env = NULL;
    return cwd_teardown(state) != 0 || error != 0;
}

/* The planned names, one per line: D catalogued, F found, - ordinary; in static storage. */
static const char *planned(unsigned flags, const ref_target *target)
{
    static char text[4096];
    ref_plan plan = {0};
    int error = ref_plan_directories(env, flags, &plan);
    text[0] = '\0';
    if (error == 0) {
        error = ref_plan_items(env, flags, target, &plan);
    }
    for (size_t i = 0; i < plan.count && error == 0; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%c %s\n", "DF-"[plan.items[i].kind],
            plan.items[i].name);
    }
    ref_plan_free(&plan);
    if (error != 0) {
        snprintf(text, sizeof text, "error %d", error);
    }
    return text;
}

static int backup_to(const char *target, unsigned flags)
{
    ref_backup_options options = {.target = target, .flags = flags};
    return ref_backup(env, &options);
}

/* ---- databases ---- */

static void databases_go_below_the_directories_that_hold_them(void **state)
{
    (void)state;
    static const char *const dirs[] = {"d1", "./d2//"};
    open_env(dirs, 2, "log");
    make_database("d1", "a.db");
    make_database("./d2//", "b.db");
    assert_string_equal(planned(0, NULL), "D d1/a.db\nD d2/b.db\n");
    assert_string_equal(planned(REF_BACKUP_SINGLE_DIR, NULL), "D a.db\nD b.db\n");
}

static void a_database_in_a_subdirectory_keeps_it(void **state)
{
    (void)state;
    open_env(NULL, 0, NULL);
    cwd_dir("home/sub");
    make_database(NULL, "sub/s.db");
    assert_string_equal(planned(REF_BACKUP_FILES, NULL), "D sub/s.db\n");
}

static void a_data_directory_that_is_the_home_counts_once(void **state)
{
    (void)state;
    static const char *const dirs[] = {"."};
    open_env(dirs, 1, NULL);
    make_database(NULL, "a.db");
    cwd_file("home/f", "x");
    assert_string_equal(planned(REF_BACKUP_FILES, NULL), "D a.db\n- f\n");
}

static void an_absolute_data_directory_needs_a_single_directory(void **state)
{
    (void)state;
    char path[200];
    const char *dirs[] = {path};
    assert_non_null(getcwd(path, sizeof path - 10));
    strcat(path, "/abs");
    open_env(dirs, 1, NULL);
    make_database(NULL, "a.db");
    assert_string_equal(planned(REF_BACKUP_SINGLE_DIR, NULL), "D a.db\n");
    assert_int_equal(backup_to("t", REF_BACKUP_CREATE), EINVAL);
    assert_non_null(strstr(ref_error_text(), path));
    assert_false(cwd_exists("t"));
}

static void a_directory_that_climbs_out_of_the_home_needs_a_single_directory(void **state)
{
    (void)state;
    static const char *const dirs[] = {"../beside"};
    open_env(dirs, 1, NULL);
    make_database(NULL, "a.db");
    assert_string_equal(planned(REF_BACKUP_SINGLE_DIR, NULL), "D a.db\n");
    assert_int_equal(backup_to("t", REF_BACKUP_CREATE), EINVAL);
    assert_false(cwd_exists("t"));
}

static void two_databases_of_one_name_stay_two(void **state)
{
    (void)state;
    static const char *const dirs[] = {"d1", "d2"};
    open_env(dirs, 2, NULL);
    make_database("d1", "same.db");
    cwd_dir("home/d2/x");
    make_database("d2", "x/same.db");
    assert_string_equal(planned(0, NULL), "D d1/same.db\nD d2/x/same.db\n");
}

static void two_files_of_one_name_in_a_single_directory_are_EEXIST(void **state)
{
    (void)state;
    open_env(NULL, 0, NULL);
    cwd_dir("home/one");
    cwd_dir("home/two");
    cwd_file("home/one/f", "1");
    cwd_file("home/two/f", "2");
    assert_int_equal(
        backup_to("t", REF_BACKUP_CREATE | REF_BACKUP_FILES | REF_BACKUP_SINGLE_DIR), EEXIST);
    assert_non_null(strstr(ref_error_text(), "home/one/f"));
    assert_non_null(strstr(ref_error_text(), "home/two/f"));
    assert_false(cwd_exists("t"));
}

/* ---- other files ---- */

static void ordinary_files_come_with_FILES_only(void **state)
{
    (void)state;
    static const char *const dirs[] = {"d1"};
    open_env(dirs, 1, "log");
    make_database(NULL, "a.db");
    cwd_file("home/DB_CONFIG", "");
    cwd_file("home/f", "x");
    cwd_file("home/log/note", "x");
    cwd_file("home/log.123", "x");
    cwd_file("home/log.0000000001", "x");
    cwd_file("home/__db.001", "x");
    cwd_file("home/__dbx", "x");
    cwd_file("home/__backup.incomplete", "x");
    cwd_file("home/f.__backup.tmp", "x");
    cwd_file("home/d1/g", "x");
    cwd_dir("home/sub");
    cwd_file("home/sub/h", "x");
    cwd_file("home/sub/log.0000000001", "x");
    assert_string_equal(planned(0, NULL), "D d1/a.db\n");
    assert_string_equal(planned(REF_BACKUP_FILES, NULL),
        "D d1/a.db\n- DB_CONFIG\n- d1/g\n- f\n- log.123\n- log/note\n- sub/h\n"
        "- sub/log.0000000001\n");
    assert_string_equal(planned(REF_BACKUP_FILES | REF_BACKUP_SINGLE_DIR, NULL),
        "D a.db\n- f\n- g\n- h\n- log.123\n- note\n");
}

static void a_link_counts_as_the_file_that_it_leads_to(void **state)
{
    (void)state;
    open_env(NULL, 0, NULL);
    make_database(NULL, "a.db");
    cwd_file("f", "x");
    cwd_dir("dir");
    cwd_file("dir/g", "x");
    cwd_link("home/l", "../f");
    cwd_link("home/dirlink", "../dir");
    cwd_link("home/nowhere", "none");
    cwd_link("home/again", "a.db");
    assert_int_equal(mkfifo("home/fifo", 0600), 0);
    assert_string_equal(planned(REF_BACKUP_FILES, NULL), "D a.db\n- l\n");
    assert_int_equal(backup_to("t", REF_BACKUP_CREATE | REF_BACKUP_FILES), 0);
    cwd_is("t/l", "x");
}

static void a_database_that_was_brought_in_is_found_without_FILES(void **state)
{
    (void)state;
    char command[] = "cp home/a.db home/brought.db";
    open_env(NULL, 0, NULL);
    make_database(NULL, "a.db");
    assert_int_equal(ref_checkpoint(env, false), 0);
    assert_int_equal(system(command), 0);
    assert_string_equal(planned(0, NULL), "D a.db\nF brought.db\n");
}

static void a_database_of_an_unknown_version_is_named(void **state)
{
    (void)state;
    open_env(NULL, 0, NULL);
    uint8_t page[REF_PAGE_SIZE_MIN] = {0};
    ref_meta_init(page, sizeof page, &(ref_id){{1}}, &(ref_id){{0}});
    ref_put32(page + REF_META_AT_VERSION, 4711);
    FILE *file = fopen("home/future.db", "w");
    assert_non_null(file);
    assert_int_equal(fwrite(page, sizeof page, 1, file), 1);
    fclose(file);
    assert_int_equal(backup_to("t", REF_BACKUP_CREATE), REF_VERSION);
    assert_non_null(strstr(ref_error_text(), "future.db"));
    assert_false(cwd_exists("t"));
}

static void a_target_inside_the_home_is_left_out(void **state)
{
    (void)state;
    open_env(NULL, 0, NULL);
    make_database(NULL, "a.db");
    cwd_file("home/f", "x");
    unsigned flags = REF_BACKUP_CREATE | REF_BACKUP_FILES;
    assert_int_equal(backup_to("home/t", flags), 0);
    assert_int_equal(backup_to("home/t", flags), 0);
    assert_string_equal(cwd_tree("home/t"), "__backup.label\na.db\nf\nlog.0000000001\n");
}

static void an_unreadable_file_stops_FILES_and_nothing_else(void **state)
{
    (void)state;
    if (geteuid() == 0) {
        skip(); /* root reads everything */
    }
    open_env(NULL, 0, NULL);
    cwd_file("home/f", "x");
    assert_int_equal(chmod("home/f", 0), 0);
    assert_string_equal(planned(0, NULL), "");
    assert_int_equal(backup_to("t", REF_BACKUP_CREATE | REF_BACKUP_FILES), EACCES);
    assert_non_null(strstr(ref_error_text(), "home/f"));
    assert_false(cwd_exists("t"));
}

/* ---- targets ---- */

static void refuses(const char *target, unsigned flags, int error)
{
    int got = backup_to(target, flags);
    if (got != error) {
        fail_msg("%s: %d instead of %d: %s", target, got, error, ref_error_text());
    }
}

static void a_target_that_is_or_holds_a_source_is_EINVAL(void **state)
{
    (void)state;
    static const char *const dirs[] = {"d1"};
    open_env(dirs, 1, "log");
    make_database(NULL, "a.db");
    cwd_link("alias", "home");
    cwd_link("round", "home/d1/..");
    static const char *const targets[] = {"home", "home/", "./home/.", "alias", "round", ".",
        "home/d1", "home/d1/new", "home/d1/new/er", "home/log", "home/log/new", "alias/d1"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        refuses(targets[i], REF_BACKUP_CREATE | REF_BACKUP_CLEAN, EINVAL);
        assert_non_null(strstr(ref_error_text(), targets[i]));
        assert_non_null(strstr(ref_error_text(), "/home"));
    }
    assert_true(cwd_exists("home/d1/a.db"));
    assert_false(cwd_exists("home/d1/new"));
}

static void a_target_that_holds_a_database_of_the_environment_is_EINVAL(void **state)
{
    (void)state;
    open_env(NULL, 0, NULL);
    cwd_dir("home/sub");
    make_database(NULL, "sub/s.db");
    refuses("home/sub", REF_BACKUP_CREATE | REF_BACKUP_CLEAN, EINVAL);
    assert_non_null(strstr(ref_error_text(), "sub/s.db"));
    assert_true(cwd_exists("home/sub/s.db"));
}

static void a_target_without_a_name_is_EINVAL(void **state)
{
    (void)state;
    open_env(NULL, 0, NULL);
    refuses("", REF_BACKUP_CREATE, EINVAL);
    refuses(NULL, REF_BACKUP_CREATE, EINVAL);
    refuses("none/../t", REF_BACKUP_CREATE, EINVAL);
    refuses("t", 0x8000, EINVAL);
}

static void a_missing_target_is_ENOENT_and_stays_missing(void **state)
{
    (void)state;
    open_env(NULL, 0, NULL);
    refuses("t", 0, ENOENT);
    refuses("t", REF_BACKUP_FILES | REF_BACKUP_CLEAN, ENOENT);
    assert_false(cwd_exists("t"));
}

static void a_target_that_is_no_directory_is_refused(void **state)
{
    (void)state;
    open_env(NULL, 0, NULL);
    cwd_file("f", "x");
    cwd_link("l", "none");
    refuses("f", REF_BACKUP_CREATE, ENOTDIR);
    refuses("f/t", REF_BACKUP_CREATE, ENOTDIR);
    refuses("l", REF_BACKUP_CREATE, ELOOP);
    refuses("l/t", REF_BACKUP_CREATE, ELOOP);
    cwd_is("f", "x");
}

static void a_directory_that_files_need_must_be_there_or_be_made(void **state)
{
    (void)state;
    static const char *const dirs[] = {"d1", "d2"};
    open_env(dirs, 2, "log");
    make_database("d1", "a.db");
    cwd_dir("t");
    refuses("t", 0, ENOENT);
    assert_non_null(strstr(ref_error_text(), "t/d1"));
    cwd_dir("t/d1");
    refuses("t", 0, ENOENT);
    assert_non_null(strstr(ref_error_text(), "t/log"));
    assert_string_equal(cwd_tree("t"), "d1/\n");
    refuses("t", REF_BACKUP_NO_LOGS, 0);
    assert_string_equal(cwd_tree("t"), "d1/\nd1/a.db\n");
    refuses("t", REF_BACKUP_CREATE, 0);
    assert_string_equal(
        cwd_tree("t"), "__backup.label\nd1/\nd1/a.db\nd2/\nlog/\nlog/log.0000000001\n");
}

static void exclusive_refuses_each_kind_of_file(void **state)
{
    (void)state;
    static const char *const names[] = {
        "a.db", "f", "log.0000000001", "log.0000000077", "__db.control"};
    open_env(NULL, 0, NULL);
    make_database(NULL, "a.db");
    cwd_file("home/f", "x");
    cwd_dir("t");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[100];
        snprintf(path, sizeof path, "t/%s", names[i]);
        cwd_file(path, "old");
        refuses("t", REF_BACKUP_EXCLUSIVE | REF_BACKUP_FILES, EEXIST);
        assert_non_null(strstr(ref_error_text(), path));
        cwd_is(path, "old");
        assert_int_equal(unlink(path), 0);
        assert_string_equal(cwd_tree("t"), "");
    }
    cwd_file("t/other", "old");
    refuses("t", REF_BACKUP_EXCLUSIVE | REF_BACKUP_FILES, 0);
    cwd_is("t/other", "old");
}

static void a_link_or_directory_in_a_file_s_place_is_refused(void **state)
{
    (void)state;
    open_env(NULL, 0, NULL);
    make_database(NULL, "a.db");
    cwd_dir("t");
    cwd_file("outside", "kept");
    cwd_link("t/a.db", "../outside");
    refuses("t", 0, ELOOP);
    assert_non_null(strstr(ref_error_text(), "t/a.db"));
    assert_int_equal(unlink("t/a.db"), 0);
    cwd_dir("t/a.db");
    refuses("t", 0, EISDIR);
    assert_string_equal(cwd_tree("t"), "a.db/\n");
    cwd_is("outside", "kept");
}

#define IN_CWD(test) cmocka_unit_test_setup_teardown(test, cwd_setup, teardown)

static const struct CMUnitTest tests[] = {
    IN_CWD(databases_go_below_the_directories_that_hold_them),
    IN_CWD(a_database_in_a_subdirectory_keeps_it),
    IN_CWD(a_data_directory_that_is_the_home_counts_once),
    IN_CWD(an_absolute_data_directory_needs_a_single_directory),
    IN_CWD(a_directory_that_climbs_out_of_the_home_needs_a_single_directory),
    IN_CWD(two_databases_of_one_name_stay_two),
    IN_CWD(two_files_of_one_name_in_a_single_directory_are_EEXIST),
    IN_CWD(ordinary_files_come_with_FILES_only),
    IN_CWD(a_link_counts_as_the_file_that_it_leads_to),
    IN_CWD(a_database_that_was_brought_in_is_found_without_FILES),
    IN_CWD(a_database_of_an_unknown_version_is_named),
    IN_CWD(a_target_inside_the_home_is_left_out),
    IN_CWD(an_unreadable_file_stops_FILES_and_nothing_else),
    IN_CWD(a_target_that_is_or_holds_a_source_is_EINVAL),
    IN_CWD(a_target_that_holds_a_database_of_the_environment_is_EINVAL),
    IN_CWD(a_target_without_a_name_is_EINVAL),
    IN_CWD(a_missing_target_is_ENOENT_and_stays_missing),
    IN_CWD(a_target_that_is_no_directory_is_refused),
    IN_CWD(a_directory_that_files_need_must_be_there_or_be_made),
    IN_CWD(exclusive_refuses_each_kind_of_file),
    IN_CWD(a_link_or_directory_in_a_file_s_place_is_refused),
};
TEST_MAIN(tests)
