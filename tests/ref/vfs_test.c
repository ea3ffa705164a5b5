/* The vfs of the operating system keeps the contract, and what vfs.h says of links, signals and the
 * two loops around it. */
#include "testmain.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "engine/vfs.h"
#include "cwd.h"
#include "vfs_contract.h"

static ref_vfs *vfs(void)
{
    return ref_vfs_posix();
}

ref_vfs *contract_vfs(void)
{
    return ref_vfs_posix();
}

/* ---- opening ---- */

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

/* ---- names ---- */

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

static void the_default_can_be_changed_and_set_back(void **state)
{
    (void)state;
    assert_ptr_equal(ref_default_vfs(), ref_vfs_posix());
    ref_set_default_vfs(&slow_vfs);
    assert_ptr_equal(ref_default_vfs(), &slow_vfs);
    ref_set_default_vfs(NULL);
    assert_ptr_equal(ref_default_vfs(), ref_vfs_posix());
}

#define IN_CWD(test) cmocka_unit_test_setup_teardown(test, cwd_setup, cwd_teardown),

static const struct CMUnitTest tests[] = {
    VFS_CONTRACT(IN_CWD)
    IN_CWD(nofollow_refuses_a_link_and_leaves_what_it_points_to)
    cmocka_unit_test(short_reads_and_writes_are_continued),
    cmocka_unit_test(a_write_that_makes_no_progress_is_EIO),
    cmocka_unit_test(an_error_in_the_middle_is_the_loop_s_result),
    IN_CWD(a_listing_has_every_entry_but_the_dots)
    IN_CWD(stat_follows_a_link_and_lstat_does_not)
    IN_CWD(resolve_takes_links_and_dots_out)
    cmocka_unit_test(a_signal_does_not_shorten_a_sleep),
    cmocka_unit_test(the_default_can_be_changed_and_set_back),
};
TEST_MAIN(tests)
