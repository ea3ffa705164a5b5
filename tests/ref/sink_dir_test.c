/*
 * The directory sink: all files or none, and at any failure either the old content, or the new, or
 * the marker.
 */
#include "testmain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/sink_dir.h"
#include "cwd.h"
#include "fault_vfs.h"

static fault_vfs shim;

static void no_sleep(ref_vfs *vfs, uint64_t nanoseconds)
{
    (void)vfs;
    (void)nanoseconds;
}

/* A vfs whose `nth` operation fails (0: none), and with `forever` all later ones too, as if the
 * process had died there. */
static ref_vfs *failing(uint64_t nth, bool forever, int error)
{
    if (shim.next == NULL) {
        fault_vfs_init(&shim);
        shim.vfs.sleep = no_sleep;
    }
    fault_set(&shim, &(fault_rule){.kinds = FAULT_ALL,
                         .nth = nth,
                         .error = error,
                         .manner = forever ? FAULT_FROM_THEN : FAULT_ONCE});
    return &shim.vfs;
}

static ref_target target_of(ref_vfs *vfs, const char *path, unsigned flags)
{
    struct stat found;
    return (ref_target){
        .vfs = vfs, .path = path, .flags = flags, .exists = stat(path, &found) == 0};
}

static int write_one(ref_dir_sink *sink, const char *name, const char *content)
{
    const ref_sink *to = ref_dir_sink_interface(sink);
    void *file;
    int error = to->open(to->context, name, &file);
    if (error != 0) {
        return error;
    }
    error = to->write(to->context, file, 0, content, strlen(content));
    int close_error = to->close(to->context, name, file);
    return error != 0 ? error : close_error;
}

/* The copy that the tests make: a database in the home, one in a data directory, a log segment. */
static int write_copy(ref_vfs *vfs, const char *path, unsigned flags)
{
    ref_target target = target_of(vfs, path, flags);
    ref_dir_sink_options options = {.log_dir = "log"};
    ref_dir_sink *sink;
    int error = ref_dir_sink_begin(&target, &options, &sink);
    if (error != 0) {
        return error;
    }
    const char *const names[] = {"a.db", "d/b.db", "log/log.0000000007"};
    for (size_t i = 0; i < 3 && error == 0; i++) {
        error = write_one(sink, names[i], "new");
    }
    if (error == 0) {
        error = ref_dir_sink_finish(sink);
    }
    ref_dir_sink_end(sink);
    return error;
}

#define NEW_COPY "a.db\nd/\nd/b.db\nlog/\nlog/log.0000000007\n"

static void make_old_copy(void)
{
    cwd_dir("t");
    cwd_dir("t/d");
    cwd_dir("t/log");
    cwd_file("t/a.db", "old");
    cwd_file("t/d/b.db", "old");
    cwd_file("t/log/log.0000000007", "old");
    cwd_file("t/log/log.0000000009", "old");
    cwd_file("t/__db.control", "old");
    cwd_file("t/mine", "mine");
}

static void is_new_copy(void)
{
    cwd_is("t/a.db", "new");
    cwd_is("t/d/b.db", "new");
    cwd_is("t/log/log.0000000007", "new");
}

static void is_old_copy(void)
{
    cwd_is("t/a.db", "old");
    cwd_is("t/d/b.db", "old");
    cwd_is("t/log/log.0000000007", "old");
    cwd_is("t/log/log.0000000009", "old");
    cwd_is("t/__db.control", "old");
    cwd_is("t/mine", "mine");
}

/* ---- what it makes ---- */

static void a_new_target_gets_the_files_and_nothing_else(void **state)
{
    (void)state;
    struct stat found;
    assert_int_equal(write_copy(ref_vfs_posix(), "x/y/t", REF_BACKUP_CREATE), 0);
    assert_string_equal(cwd_tree("x/y/t"), NEW_COPY);
    assert_int_equal(stat("x/y/t", &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
    assert_int_equal(stat("x/y/t/d/b.db", &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
}

static void an_older_copy_loses_its_segments_and_control_file_but_not_other_files(void **state)
{
    (void)state;
    make_old_copy();
    assert_int_equal(write_copy(ref_vfs_posix(), "t", 0), 0);
    is_new_copy();
    assert_string_equal(cwd_tree("t"), "a.db\nd/\nd/b.db\nlog/\nlog/log.0000000007\nmine\n");
}

static void clean_leaves_the_new_copy_alone(void **state)
{
    (void)state;
    make_old_copy();
    cwd_dir("t/deep");
    cwd_dir("t/deep/er");
    cwd_file("t/deep/er/f", "x");
    assert_int_equal(mkfifo("t/fifo", 0600), 0);
    assert_int_equal(write_copy(ref_vfs_posix(), "t", REF_BACKUP_CLEAN), 0);
    is_new_copy();
    assert_string_equal(cwd_tree("t"), NEW_COPY);
}

static void clean_removes_links_and_leaves_what_they_point_to(void **state)
{
    (void)state;
    cwd_dir("t");
    cwd_dir("outside");
    cwd_file("outside/f", "kept");
    cwd_link("t/dir", "../outside");
    cwd_link("t/file", "../outside/f");
    cwd_link("t/d", "../outside");
    cwd_link("t/a.db", "../outside/f");
    assert_int_equal(write_copy(ref_vfs_posix(), "t", REF_BACKUP_CLEAN | REF_BACKUP_CREATE), 0);
    is_new_copy();
    assert_string_equal(cwd_tree("t"), NEW_COPY);
    assert_string_equal(cwd_tree("outside"), "f\n");
    cwd_is("outside/f", "kept");
}

static void clean_puts_a_directory_where_a_file_was(void **state)
{
    (void)state;
    cwd_dir("t");
    cwd_file("t/d", "old");
    cwd_dir("t/a.db");
    cwd_file("t/a.db/f", "old");
    assert_int_equal(write_copy(ref_vfs_posix(), "t", REF_BACKUP_CLEAN | REF_BACKUP_CREATE), 0);
    is_new_copy();
    assert_string_equal(cwd_tree("t"), NEW_COPY);
}

static void a_link_in_the_way_is_ELOOP_and_nothing_is_written(void **state)
{
    (void)state;
    cwd_dir("t");
    cwd_dir("outside");
    cwd_link("t/d", "../outside");
    assert_int_equal(write_copy(ref_vfs_posix(), "t", REF_BACKUP_CREATE), ELOOP);
    assert_non_null(strstr(ref_error_text(), "t/d"));
    assert_string_equal(cwd_tree("t"), "d\n");
    assert_string_equal(cwd_tree("outside"), "");
}

static void a_missing_directory_without_create_is_ENOENT(void **state)
{
    (void)state;
    cwd_dir("t");
    assert_int_equal(write_copy(ref_vfs_posix(), "t", 0), ENOENT);
    assert_non_null(strstr(ref_error_text(), "t/d"));
    assert_string_equal(cwd_tree("t"), "");
}

static void a_target_that_is_a_link_to_a_directory_is_written_through(void **state)
{
    (void)state;
    cwd_dir("real");
    cwd_link("t", "real");
    assert_int_equal(write_copy(ref_vfs_posix(), "t", REF_BACKUP_CREATE | REF_BACKUP_CLEAN), 0);
    assert_string_equal(cwd_tree("real"), NEW_COPY);
}

static void direct_writes_of_any_size_give_the_same_bytes(void **state)
{
    (void)state;
    ref_target target;
    ref_dir_sink_options options = {.log_dir = "", .direct = true};
    ref_dir_sink *sink;
    void *file;
    char *back = malloc(10000), *data = aligned_alloc(4096, 12288);
    assert_non_null(data);
    assert_non_null(back);
    memset(data, 'x', 12288);
    cwd_dir("t");
    target = target_of(ref_vfs_posix(), "t", 0);
    assert_int_equal(ref_dir_sink_begin(&target, &options, &sink), 0);
    const ref_sink *to = ref_dir_sink_interface(sink);
    assert_int_equal(to->open(to->context, "f", &file), 0);
    assert_int_equal(to->write(to->context, file, 0, data, 8192), 0);
    assert_int_equal(to->write(to->context, file, 8192, data, 1000), 0);
    assert_int_equal(to->write(to->context, file, 9192, data + 1, 808), 0);
    assert_int_equal(to->close(to->context, "f", file), 0);
    assert_int_equal(ref_dir_sink_finish(sink), 0);
    ref_dir_sink_end(sink);
    FILE *read = fopen("t/f", "r");
    assert_non_null(read);
    assert_int_equal(fread(back, 1, 10000, read), 10000);
    assert_int_equal(fgetc(read), EOF);
    fclose(read);
    assert_memory_equal(back, data, 10000);
    free(back);
    free(data);
}

static void a_name_as_long_as_a_directory_entry_may_be_is_copied(void **state)
{
    (void)state;
    char name[256], path[300];
    ref_target target;
    ref_dir_sink_options options = {.log_dir = ""};
    ref_dir_sink *sink;
    memset(name, 'n', 255);
    name[255] = '\0';
    cwd_dir("t");
    target = target_of(ref_vfs_posix(), "t", 0);
    assert_int_equal(ref_dir_sink_begin(&target, &options, &sink), 0);
    assert_int_equal(write_one(sink, name, "one"), 0);
    name[254] = 'm';
    assert_int_equal(write_one(sink, name, "two"), 0);
    assert_int_equal(ref_dir_sink_finish(sink), 0);
    ref_dir_sink_end(sink);
    snprintf(path, sizeof path, "t/%s", name);
    cwd_is(path, "two");
}

/* ---- exclusive ---- */

static void exclusive_refuses_a_file_that_is_there(void **state)
{
    (void)state;
    cwd_dir("t");
    cwd_dir("t/d");
    cwd_file("t/d/b.db", "old");
    assert_int_equal(
        write_copy(ref_vfs_posix(), "t", REF_BACKUP_EXCLUSIVE | REF_BACKUP_CREATE), EEXIST);
    assert_string_equal(cwd_tree("t"), "d/\nd/b.db\n");
    cwd_is("t/d/b.db", "old");
}

static void exclusive_leaves_a_file_that_came_in_between_and_takes_its_own_back(void **state)
{
    (void)state;
    cwd_dir("t");
    ref_target target = target_of(ref_vfs_posix(), "t", REF_BACKUP_EXCLUSIVE);
    ref_dir_sink_options options = {.log_dir = ""};
    ref_dir_sink *sink;
    assert_int_equal(ref_dir_sink_begin(&target, &options, &sink), 0);
    assert_int_equal(write_one(sink, "a", "new"), 0);
    assert_int_equal(write_one(sink, "b", "new"), 0);
    cwd_file("t/b", "other");
    assert_int_equal(ref_dir_sink_finish(sink), EEXIST);
    ref_dir_sink_end(sink);
    assert_string_equal(cwd_tree("t"), "b\n");
    cwd_is("t/b", "other");
}

static void exclusive_and_clean_together_replace_everything(void **state)
{
    (void)state;
    make_old_copy();
    assert_int_equal(write_copy(ref_vfs_posix(), "t", REF_BACKUP_EXCLUSIVE | REF_BACKUP_CLEAN), 0);
    is_new_copy();
    assert_string_equal(cwd_tree("t"), NEW_COPY);
}

/* ---- two at a time, one after another ---- */

static void a_second_backup_into_the_same_target_is_EBUSY(void **state)
{
    (void)state;
    cwd_dir("t");
    ref_target target = target_of(ref_vfs_posix(), "t", REF_BACKUP_CREATE);
    ref_dir_sink_options options = {.log_dir = ""};
    ref_dir_sink *one, *two;
    assert_int_equal(ref_dir_sink_begin(&target, &options, &one), 0);
    assert_int_equal(write_one(one, "f", "one"), 0);
    assert_int_equal(ref_dir_sink_begin(&target, &options, &two), EBUSY);
    assert_null(two);
    assert_int_equal(ref_dir_sink_finish(one), 0);
    ref_dir_sink_end(one);
    assert_string_equal(cwd_tree("t"), "f\n");
    assert_int_equal(ref_dir_sink_begin(&target, &options, &two), 0);
    ref_dir_sink_end(two);
    assert_string_equal(cwd_tree("t"), "f\n");
}

static void a_target_whose_environment_is_open_is_EBUSY(void **state)
{
    (void)state;
    ref_vfs *vfs = ref_vfs_posix();
    ref_file *owner;
    make_old_copy();
    assert_int_equal(vfs->open(vfs, "t/__db.lock", REF_O_WRITE | REF_O_CREATE, 0600, &owner), 0);
    assert_int_equal(vfs->lock(owner, 0, 1, REF_LOCK_EXCLUSIVE), 0);
    assert_int_equal(write_copy(vfs, "t", REF_BACKUP_CLEAN), EBUSY);
    is_old_copy();
    assert_int_equal(vfs->close(owner), 0);
    assert_int_equal(write_copy(vfs, "t", REF_BACKUP_CLEAN), 0);
    assert_string_equal(cwd_tree("t"), NEW_COPY);
}

static void leftovers_of_an_interrupted_backup_go(void **state)
{
    (void)state;
    make_old_copy();
    cwd_file("t/__backup.incomplete", "");
    cwd_file("t/__backup.lock", "");
    cwd_file("t/gone.db.__backup.tmp", "half");
    cwd_dir("t/d/sub.__backup.tmp");
    cwd_file("t/d/sub.__backup.tmp/x", "half");
    assert_int_equal(write_copy(ref_vfs_posix(), "t", 0), 0);
    assert_string_equal(cwd_tree("t"), "a.db\nd/\nd/b.db\nlog/\nlog/log.0000000007\nmine\n");
}

static void a_backup_that_is_given_up_leaves_the_target_as_it_was(void **state)
{
    (void)state;
    ref_dir_sink_options options = {.log_dir = "log"};
    ref_dir_sink *sink;
    make_old_copy();
    char before[1024];
    snprintf(before, sizeof before, "%s", cwd_tree("t"));
    ref_target target = target_of(ref_vfs_posix(), "t", REF_BACKUP_CREATE | REF_BACKUP_CLEAN);
    assert_int_equal(ref_dir_sink_begin(&target, &options, &sink), 0);
    assert_int_equal(write_one(sink, "a.db", "new"), 0);
    assert_int_equal(write_one(sink, "new/er/b.db", "new"), 0);
    ref_dir_sink_end(sink);
    is_old_copy();
    assert_string_equal(cwd_tree("t"), before);
}

/* ---- failures ---- */

/* After a failure that was not the process's death nothing of the backup may lie about. */
static void has_no_litter(void)
{
    const char *tree = cwd_tree("t");
    assert_null(strstr(tree, ".__backup.tmp"));
    assert_null(strstr(tree, "__backup.lock"));
}

static void check_failed(bool forever)
{
    if (!forever) {
        has_no_litter();
    }
    if (cwd_exists("t/__backup.incomplete")) {
        return;
    }
    /* Not marked: the old copy, unless it was the last sync that failed. */
    if (cwd_exists("t/log/log.0000000009")) {
        is_old_copy();
    } else {
        is_new_copy();
    }
}

static void sweep(unsigned flags, bool forever)
{
    for (unsigned number = 1;; number++) {
        assert_int_equal(cwd_setup(NULL), 0);
        make_old_copy();
        int error = write_copy(failing(number, forever, EIO), "t", flags);
        bool fired = fault_injected(&shim) > 0;
        assert_int_equal(shim.open_files, 0);
        if (error != 0) {
            assert_true(fired);
            assert_int_equal(error, EIO);
            check_failed(forever);
            /* The next one heals whatever is left. */
            assert_int_equal(write_copy(ref_vfs_posix(), "t", flags), 0);
        }
        is_new_copy();
        assert_false(cwd_exists("t/__backup.incomplete"));
        if (error != 0 || !fired) { /* else it was the removal of the lock file that failed */
            has_no_litter();
        }
        assert_false(cwd_exists("t/log/log.0000000009"));
        assert_int_equal(cwd_exists("t/mine"), (flags & REF_BACKUP_CLEAN) == 0);
        assert_int_equal(cwd_teardown(NULL), 0);
        if (!fired) {
            assert_true(number > 30);
            return;
        }
    }
}

static void any_failing_operation_leaves_the_old_copy_or_the_marker(void **state)
{
    (void)state;
    sweep(0, false);
}

static void any_failing_operation_under_clean_leaves_the_old_copy_or_the_marker(void **state)
{
    (void)state;
    sweep(REF_BACKUP_CLEAN, false);
}

static void death_at_any_operation_leaves_the_old_copy_or_the_marker(void **state)
{
    (void)state;
    sweep(REF_BACKUP_CLEAN, true);
    sweep(0, true);
}

static void any_failing_operation_leaves_nothing_of_a_new_exclusive_copy(void **state)
{
    (void)state;
    unsigned flags = REF_BACKUP_EXCLUSIVE | REF_BACKUP_CREATE;
    for (unsigned number = 1;; number++) {
        assert_int_equal(cwd_setup(NULL), 0);
        int error = write_copy(failing(number, false, EIO), "x/t", flags);
        if (error != 0) {
            /* The last sync comes when the copy is whole and stays. */
            bool whole = strcmp(cwd_tree("x/t"), NEW_COPY) == 0;
            assert_true(whole || !cwd_exists("x"));
        }
        assert_int_equal(cwd_teardown(NULL), 0);
        if (fault_injected(&shim) == 0) {
            assert_int_equal(error, 0);
            return;
        }
    }
}

static void the_first_error_and_its_words_survive_the_cleaning_up(void **state)
{
    (void)state;
    cwd_dir("t");
    assert_int_equal(write_copy(ref_vfs_posix(), "t", REF_BACKUP_CREATE), 0);
    unsigned number = 1;
    do {
        ref_error_clear();
        int error = write_copy(failing(number++, true, ENOSPC), "t", REF_BACKUP_CLEAN);
        if (error != 0) {
            assert_int_equal(error, ENOSPC);
            assert_non_null(strstr(ref_error_text(), "t"));
            assert_non_null(strstr(ref_error_text(), strerror(ENOSPC)));
        }
    } while (fault_injected(&shim) > 0);
}

#define IN_CWD(test) cmocka_unit_test_setup_teardown(test, cwd_setup, cwd_teardown)

static const struct CMUnitTest tests[] = {
    IN_CWD(a_new_target_gets_the_files_and_nothing_else),
    IN_CWD(an_older_copy_loses_its_segments_and_control_file_but_not_other_files),
    IN_CWD(clean_leaves_the_new_copy_alone),
    IN_CWD(clean_removes_links_and_leaves_what_they_point_to),
    IN_CWD(clean_puts_a_directory_where_a_file_was),
    IN_CWD(a_link_in_the_way_is_ELOOP_and_nothing_is_written),
    IN_CWD(a_missing_directory_without_create_is_ENOENT),
    IN_CWD(a_target_that_is_a_link_to_a_directory_is_written_through),
    IN_CWD(direct_writes_of_any_size_give_the_same_bytes),
    IN_CWD(a_name_as_long_as_a_directory_entry_may_be_is_copied),
    IN_CWD(exclusive_refuses_a_file_that_is_there),
    IN_CWD(exclusive_leaves_a_file_that_came_in_between_and_takes_its_own_back),
    IN_CWD(exclusive_and_clean_together_replace_everything),
    IN_CWD(a_second_backup_into_the_same_target_is_EBUSY),
    IN_CWD(a_target_whose_environment_is_open_is_EBUSY),
    IN_CWD(leftovers_of_an_interrupted_backup_go),
    IN_CWD(a_backup_that_is_given_up_leaves_the_target_as_it_was),
    cmocka_unit_test(any_failing_operation_leaves_the_old_copy_or_the_marker),
    cmocka_unit_test(any_failing_operation_under_clean_leaves_the_old_copy_or_the_marker),
    cmocka_unit_test(death_at_any_operation_leaves_the_old_copy_or_the_marker),
    cmocka_unit_test(any_failing_operation_leaves_nothing_of_a_new_exclusive_copy),
    IN_CWD(the_first_error_and_its_words_survive_the_cleaning_up),
};
TEST_MAIN(tests)
