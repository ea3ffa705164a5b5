/* The vfs of the operating system keeps what vfs.h says, and the two loops around it. */
#include "testmain.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "engine/vfs.h"
#include "cwd.h"

static ref_vfs *vfs(void)
{
    return ref_vfs_posix();
}

static ref_file *must_open(const char *path, unsigned flags)
{
    ref_file *file;
    assert_int_equal(vfs()->open(vfs(), path, flags, 0600, &file), 0);
    assert_non_null(file);
    return file;
}

static ref_file *must_create(const char *path)
{
    return must_open(path, REF_O_WRITE | REF_O_CREATE);
}

static void must_close(ref_file *file)
{
    assert_int_equal(vfs()->close(file), 0);
}

/* ---- opening ---- */

static void a_missing_file_gives_ENOENT_and_no_handle(void **state)
{
    (void)state;
    ref_file *file = (ref_file *)(void *)&file;
    assert_int_equal(vfs()->open(vfs(), "none", 0, 0, &file), ENOENT);
    assert_null(file);
}

static void an_exclusive_creation_refuses_a_file_that_is_there(void **state)
{
    (void)state;
    ref_file *file;
    cwd_file("f", "old");
    assert_int_equal(
        vfs()->open(vfs(), "f", REF_O_WRITE | REF_O_CREATE | REF_O_EXCL, 0600, &file), EEXIST);
    assert_null(file);
    cwd_is("f", "old");
}

static void nofollow_refuses_a_link_and_leaves_what_it_points_to(void **state)
{
    (void)state;
    ref_file *file;
    cwd_file("f", "old");
    cwd_link("l", "f");
    assert_int_equal(
        vfs()->open(vfs(), "l", REF_O_WRITE | REF_O_TRUNC | REF_O_NOFOLLOW, 0, &file), ELOOP);
    assert_null(file);
    cwd_is("f", "old");
}

static void truncation_cuts_at_opening(void **state)
{
    (void)state;
    cwd_file("f", "old");
    must_close(must_open("f", REF_O_WRITE | REF_O_TRUNC));
    cwd_is("f", "");
}

static void a_file_opened_for_reading_cannot_be_written(void **state)
{
    (void)state;
    size_t done = 1;
    cwd_file("f", "old");
    ref_file *file = must_open("f", REF_O_SEQUENTIAL);
    assert_int_equal(vfs()->pwrite(file, "x", 1, 0, &done), EBADF);
    assert_int_equal(done, 0);
    must_close(file);
}

/* ---- reading and writing ---- */

static void what_was_written_is_read_at_its_offset(void **state)
{
    (void)state;
    char back[8] = {0};
    size_t done;
    ref_file *file = must_create("f");
    assert_int_equal(ref_write_full(file, "abc", 3, 5), 0);
    assert_int_equal(vfs()->fsync(file), 0);
    assert_int_equal(ref_read_full(file, back, sizeof back, 0, &done), 0);
    assert_int_equal(done, 8);
    assert_memory_equal(back, "\0\0\0\0\0abc", 8);
    must_close(file);
}

/* Beginning to write back must not change what is there, in whatever order it comes. */
static void a_file_written_from_front_to_back_has_what_was_written(void **state)
{
    (void)state;
    static uint8_t piece[1 << 20], back[1 << 20];
    static const uint64_t order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 9, 20, 21, 22, 23, 24, 25};
    size_t done;
    ref_file *file = must_open("f", REF_O_WRITE | REF_O_CREATE | REF_O_SEQUENTIAL);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        memset(piece, (int)i + 1, sizeof piece);
        assert_int_equal(ref_write_full(file, piece, sizeof piece, order[i] * sizeof piece), 0);
    }
    assert_int_equal(vfs()->fsync(file), 0);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        memset(piece, order[i] == 2 ? 10 : (int)i + 1, sizeof piece);
        assert_int_equal(ref_read_full(file, back, sizeof back, order[i] * sizeof piece, &done), 0);
        assert_memory_equal(back, piece, sizeof piece);
    }
    must_close(file);
}

static void reading_past_the_end_gives_what_is_there(void **state)
{
    (void)state;
    char back[8];
    size_t done = 77;
    cwd_file("f", "abc");
    ref_file *file = must_open("f", 0);
    assert_int_equal(ref_read_full(file, back, sizeof back, 1, &done), 0);
    assert_int_equal(done, 2);
    assert_int_equal(ref_read_full(file, back, sizeof back, 100, &done), 0);
    assert_int_equal(done, 0);
    must_close(file);
}

static void truncate_cuts_and_extends_with_zeros(void **state)
{
    (void)state;
    char back[8];
    size_t done;
    ref_stat stat;
    cwd_file("f", "abc");
    ref_file *file = must_open("f", REF_O_WRITE);
    assert_int_equal(vfs()->truncate(file, 1), 0);
    assert_int_equal(vfs()->truncate(file, 3), 0);
    assert_int_equal(vfs()->fstat(file, &stat), 0);
    assert_int_equal(stat.size, 3);
    assert_int_equal(ref_read_full(file, back, sizeof back, 0, &done), 0);
    assert_memory_equal(back, "a\0\0", 3);
    must_close(file);
}

static void allocated_space_does_not_show_in_the_size(void **state)
{
    (void)state;
    ref_stat stat;
    ref_file *file = must_create("f");
    int error = vfs()->allocate(file, 0, 65536);
    assert_int_equal(vfs()->fstat(file, &stat), 0);
    must_close(file);
    if (error == EOPNOTSUPP) {
        skip();
    }
    assert_int_equal(error, 0);
    assert_int_equal(stat.size, 0);
}

static void an_offset_beyond_the_system_s_is_refused(void **state)
{
    (void)state;
    size_t done = 1;
    ref_file *file = must_create("f");
    assert_int_equal(vfs()->pwrite(file, "x", 1, UINT64_MAX, &done), EFBIG);
    assert_int_equal(vfs()->truncate(file, UINT64_MAX), EFBIG);
    assert_int_equal(vfs()->pread(file, &done, 1, UINT64_MAX, &done), EINVAL);
    must_close(file);
}

/* ---- the loops ---- */

typedef struct slow_file {
    ref_file file;
    char bytes[16];
    int error; /* of the call after `good` ones */
    int good;
} slow_file;

static int slow_pread(ref_file *file, void *buffer, size_t size, uint64_t offset, size_t *done)
{
    slow_file *slow = (slow_file *)(void *)file;
    *done = 0;
    if (slow->good-- == 0) {
        return slow->error;
    }
    if (size > 0 && offset < sizeof slow->bytes) {
        *(char *)buffer = slow->bytes[offset];
        *done = 1;
    }
    return 0;
}

static int slow_pwrite(
    ref_file *file, const void *buffer, size_t size, uint64_t offset, size_t *done)
{
    slow_file *slow = (slow_file *)(void *)file;
    *done = 0;
    if (slow->good-- == 0) {
        return slow->error;
    }
    if (size > 0 && offset < sizeof slow->bytes) {
        slow->bytes[offset] = *(const char *)buffer;
        *done = 1;
    }
    return 0;
}

static ref_vfs slow_vfs = {.version = 1, .pread = slow_pread, .pwrite = slow_pwrite};

static void short_reads_and_writes_are_continued(void **state)
{
    (void)state;
    slow_file slow = {.file.vfs = &slow_vfs, .good = 1000};
    char back[20];
    size_t done;
    assert_int_equal(ref_write_full(&slow.file, "abcdef", 6, 2), 0);
    assert_int_equal(ref_read_full(&slow.file, back, sizeof back, 2, &done), 0);
    assert_int_equal(done, 14);
    assert_memory_equal(back, "abcdef", 6);
}

static void a_write_that_makes_no_progress_is_EIO(void **state)
{
    (void)state;
    slow_file slow = {.file.vfs = &slow_vfs, .good = 1000};
    assert_int_equal(ref_write_full(&slow.file, "abcdef", 6, 12), EIO);
}

static void an_error_in_the_middle_is_the_loop_s_result(void **state)
{
    (void)state;
    slow_file slow = {.file.vfs = &slow_vfs, .good = 3, .error = ENOSPC};
    char back[20];
    size_t done = 9;
    assert_int_equal(ref_write_full(&slow.file, "abcdef", 6, 0), ENOSPC);
    slow.good = 3;
    slow.error = EIO;
    assert_int_equal(ref_read_full(&slow.file, back, sizeof back, 0, &done), EIO);
    assert_int_equal(done, 0);
}

/* ---- locks ---- */

static void two_open_files_of_one_process_exclude_each_other(void **state)
{
    (void)state;
    ref_file *one = must_create("f"), *two = must_create("f");
    assert_int_equal(vfs()->lock(one, 0, 1, REF_LOCK_EXCLUSIVE), 0);
    assert_int_equal(vfs()->lock(two, 0, 1, REF_LOCK_EXCLUSIVE), EAGAIN);
    assert_int_equal(vfs()->lock(two, 0, 1, REF_LOCK_SHARED), EAGAIN);
    assert_int_equal(vfs()->lock(two, 1, 1, REF_LOCK_EXCLUSIVE), 0);
    assert_int_equal(vfs()->lock(one, 0, 1, REF_LOCK_NONE), 0);
    assert_int_equal(vfs()->lock(two, 0, 1, REF_LOCK_EXCLUSIVE), 0);
    must_close(one);
    must_close(two);
}

static void shared_locks_stand_side_by_side(void **state)
{
    (void)state;
    ref_file *one = must_create("f"), *two = must_create("f");
    assert_int_equal(vfs()->lock(one, 0, 1, REF_LOCK_SHARED), 0);
    assert_int_equal(vfs()->lock(two, 0, 1, REF_LOCK_SHARED), 0);
    assert_int_equal(vfs()->lock(two, 0, 1, REF_LOCK_EXCLUSIVE), EAGAIN);
    must_close(one);
    must_close(two);
}

static void a_lock_ends_with_its_own_file_and_no_other(void **state)
{
    (void)state;
    ref_file *one = must_create("f"), *two = must_create("f");
    assert_int_equal(vfs()->lock(one, 0, 1, REF_LOCK_EXCLUSIVE), 0);
    must_close(must_create("f"));
    assert_int_equal(vfs()->lock(two, 0, 1, REF_LOCK_EXCLUSIVE), EAGAIN);
    must_close(one);
    assert_int_equal(vfs()->lock(two, 0, 1, REF_LOCK_EXCLUSIVE), 0);
    must_close(two);
}

/* ---- names ---- */

static void a_rename_replaces_and_an_exclusive_one_does_not(void **state)
{
    (void)state;
    cwd_file("a", "A");
    cwd_file("b", "B");
    assert_int_equal(vfs()->rename(vfs(), "a", "b", true), EEXIST);
    cwd_is("a", "A");
    cwd_is("b", "B");
    assert_int_equal(vfs()->rename(vfs(), "a", "c", true), 0);
    assert_false(cwd_exists("a"));
    assert_int_equal(vfs()->rename(vfs(), "c", "b", false), 0);
    cwd_is("b", "A");
}

static int count_entry(void *context, const char *name)
{
    int *counts = context;
    counts[0]++;
    counts[1] += name[0] == '.';
    return counts[2]; /* the result to give */
}

static void a_listing_has_every_entry_but_the_dots(void **state)
{
    (void)state;
    int counts[3] = {0};
    cwd_file("a", "");
    cwd_dir("b");
    cwd_link("c", "nothing");
    assert_int_equal(vfs()->list(vfs(), ".", count_entry, counts), 0);
    assert_int_equal(counts[0], 3);
    assert_int_equal(counts[1], 0);
    counts[2] = 4711;
    assert_int_equal(vfs()->list(vfs(), ".", count_entry, counts), 4711);
    assert_int_equal(counts[0], 4);
    assert_int_equal(vfs()->list(vfs(), "none", count_entry, counts), ENOENT);
    assert_int_equal(vfs()->list(vfs(), "a", count_entry, counts), ENOTDIR);
}

static void stat_follows_a_link_and_lstat_does_not(void **state)
{
    (void)state;
    ref_stat file, followed, itself, directory;
    cwd_file("f", "abc");
    cwd_link("l", "f");
    assert_int_equal(vfs()->stat(vfs(), "f", &file), 0);
    assert_int_equal(vfs()->stat(vfs(), "l", &followed), 0);
    assert_int_equal(vfs()->lstat(vfs(), "l", &itself), 0);
    assert_int_equal(vfs()->stat(vfs(), ".", &directory), 0);
    assert_int_equal(file.kind, REF_KIND_FILE);
    assert_int_equal(file.size, 3);
    assert_int_equal(followed.inode, file.inode);
    assert_int_equal(followed.device, file.device);
    assert_int_equal(itself.kind, REF_KIND_SYMLINK);
    assert_int_equal(directory.kind, REF_KIND_DIRECTORY);
    assert_int_equal(vfs()->stat(vfs(), "none", &file), ENOENT);
    assert_int_equal(file.size, 0);
}

static void resolve_takes_links_and_dots_out(void **state)
{
    (void)state;
    char here[4096], there[4096], small[4];
    cwd_dir("d");
    cwd_link("l", "d");
    assert_int_equal(vfs()->resolve(vfs(), "d", here, sizeof here), 0);
    assert_int_equal(vfs()->resolve(vfs(), "./d/../l/.", there, sizeof there), 0);
    assert_string_equal(here, there);
    assert_int_equal(here[0], '/');
    assert_int_equal(vfs()->resolve(vfs(), "d", small, sizeof small), ERANGE);
    assert_int_equal(vfs()->resolve(vfs(), "none", here, sizeof here), ENOENT);
}

static void directories_are_made_synced_and_removed(void **state)
{
    (void)state;
    cwd_file("f", "");
    assert_int_equal(vfs()->mkdir(vfs(), "d", 0700), 0);
    assert_int_equal(vfs()->mkdir(vfs(), "d", 0700), EEXIST);
    assert_int_equal(vfs()->fsync_dir(vfs(), "d"), 0);
    assert_int_equal(vfs()->fsync_dir(vfs(), "f"), ENOTDIR);
    assert_int_equal(vfs()->rmdir(vfs(), "d"), 0);
    assert_int_equal(vfs()->unlink(vfs(), "f"), 0);
    assert_int_equal(vfs()->unlink(vfs(), "f"), ENOENT);
}

/* ---- time, chance, choice ---- */

static void on_alarm(int number)
{
    (void)number;
}

static void a_signal_does_not_shorten_a_sleep(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_alarm}, before;
    struct itimerval soon = {.it_value.tv_usec = 5000, .it_interval.tv_usec = 5000}, off = {0};
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    uint64_t start = vfs()->now(vfs());
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    vfs()->sleep(vfs(), 40000000);
    assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
    sigaction(SIGALRM, &before, NULL);
    assert_true(vfs()->now(vfs()) - start >= 39000000);
}

static void two_random_identities_differ(void **state)
{
    (void)state;
    uint8_t one[16] = {0}, two[16] = {0};
    assert_int_equal(vfs()->random(vfs(), one, sizeof one), 0);
    assert_int_equal(vfs()->random(vfs(), two, sizeof two), 0);
    assert_memory_not_equal(one, two, sizeof one);
}

static void the_default_can_be_changed_and_set_back(void **state)
{
    (void)state;
    assert_ptr_equal(ref_default_vfs(), ref_vfs_posix());
    ref_set_default_vfs(&slow_vfs);
    assert_ptr_equal(ref_default_vfs(), &slow_vfs);
    ref_set_default_vfs(NULL);
    assert_ptr_equal(ref_default_vfs(), ref_vfs_posix());
}

#define IN_CWD(test) cmocka_unit_test_setup_teardown(test, cwd_setup, cwd_teardown)

static const struct CMUnitTest tests[] = {
    IN_CWD(a_missing_file_gives_ENOENT_and_no_handle),
    IN_CWD(an_exclusive_creation_refuses_a_file_that_is_there),
    IN_CWD(nofollow_refuses_a_link_and_leaves_what_it_points_to),
    IN_CWD(truncation_cuts_at_opening),
    IN_CWD(a_file_opened_for_reading_cannot_be_written),
    IN_CWD(what_was_written_is_read_at_its_offset),
    IN_CWD(a_file_written_from_front_to_back_has_what_was_written),
    IN_CWD(reading_past_the_end_gives_what_is_there),
    IN_CWD(truncate_cuts_and_extends_with_zeros),
    IN_CWD(allocated_space_does_not_show_in_the_size),
    IN_CWD(an_offset_beyond_the_system_s_is_refused),
    cmocka_unit_test(short_reads_and_writes_are_continued),
    cmocka_unit_test(a_write_that_makes_no_progress_is_EIO),
    cmocka_unit_test(an_error_in_the_middle_is_the_loop_s_result),
    IN_CWD(two_open_files_of_one_process_exclude_each_other),
    IN_CWD(shared_locks_stand_side_by_side),
    IN_CWD(a_lock_ends_with_its_own_file_and_no_other),
    IN_CWD(a_rename_replaces_and_an_exclusive_one_does_not),
    IN_CWD(a_listing_has_every_entry_but_the_dots),
    IN_CWD(stat_follows_a_link_and_lstat_does_not),
    IN_CWD(resolve_takes_links_and_dots_out),
    IN_CWD(directories_are_made_synced_and_removed),
    cmocka_unit_test(a_signal_does_not_shorten_a_sleep),
    cmocka_unit_test(two_random_identities_differ),
    cmocka_unit_test(the_default_can_be_changed_and_set_back),
};
TEST_MAIN(tests)
