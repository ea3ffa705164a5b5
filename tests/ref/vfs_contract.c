/* What every vfs does alike: see vfs_contract.h. */
#include "vfs_contract.h"

#include <errno.h>
#include <string.h>

static ref_vfs *vfs(void)
{
    return contract_vfs();
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

static void put_file(const char *path, const char *content)
{
    ref_file *file = must_open(path, REF_O_WRITE | REF_O_CREATE | REF_O_TRUNC);
    assert_int_equal(ref_write_full(file, content, strlen(content), 0), 0);
    must_close(file);
}

static void is_file(const char *path, const char *content)
{
    char found[64] = "";
    size_t done;
    ref_file *file = must_open(path, 0);
    assert_int_equal(ref_read_full(file, found, sizeof found - 1, 0, &done), 0);
    assert_string_equal(found, content);
    assert_int_equal(done, strlen(content));
    must_close(file);
}

static bool there(const char *path)
{
    ref_stat stat;
    int error = vfs()->lstat(vfs(), path, &stat);
    assert_true(error == 0 || error == ENOENT);
    return error == 0;
}

static int count_entry(void *context, const char *name)
{
    int *counts = context;
    counts[0]++;
    counts[1] += name[0] == '.';
    return counts[2]; /* the result to give */
}

static int remove_entry(void *context, const char *name)
{
    char path[] = "d/0";
    int *removed = context;
    path[2] = name[0];
    assert_int_equal(vfs()->unlink(vfs(), path), 0);
    (*removed)++;
    return 0;
}

/* ---- opening ---- */

void a_missing_file_gives_ENOENT_and_no_handle(void **state)
{
    (void)state;
    ref_file *file = (ref_file *)(void *)&file;
    assert_int_equal(vfs()->open(vfs(), "none", 0, 0, &file), ENOENT);
    assert_null(file);
}

void an_exclusive_creation_refuses_a_file_that_is_there(void **state)
{
    (void)state;
    ref_file *file;
    put_file("f", "old");
    assert_int_equal(
        vfs()->open(vfs(), "f", REF_O_WRITE | REF_O_CREATE | REF_O_EXCL, 0600, &file), EEXIST);
    assert_null(file);
    is_file("f", "old");
}

void truncation_cuts_at_opening(void **state)
{
    (void)state;
    put_file("f", "old");
    must_close(must_open("f", REF_O_WRITE | REF_O_TRUNC));
    is_file("f", "");
}

void a_file_opened_for_reading_cannot_be_written(void **state)
{
    (void)state;
    size_t done = 1;
    put_file("f", "old");
    ref_file *file = must_open("f", REF_O_SEQUENTIAL);
    assert_int_equal(vfs()->pwrite(file, "x", 1, 0, &done), EBADF);
    assert_int_equal(done, 0);
    must_close(file);
}

/* ---- reading and writing ---- */

void what_was_written_is_read_at_its_offset(void **state)
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

void reading_past_the_end_gives_what_is_there(void **state)
{
    (void)state;
    char back[8];
    size_t done = 77;
    put_file("f", "abc");
    ref_file *file = must_open("f", 0);
    assert_int_equal(ref_read_full(file, back, sizeof back, 1, &done), 0);
    assert_int_equal(done, 2);
    assert_int_equal(ref_read_full(file, back, sizeof back, 100, &done), 0);
    assert_int_equal(done, 0);
    must_close(file);
}

void truncate_cuts_and_extends_with_zeros(void **state)
{
    (void)state;
    char back[8];
    size_t done;
    ref_stat stat;
    put_file("f", "abc");
    ref_file *file = must_open("f", REF_O_WRITE);
    assert_int_equal(vfs()->truncate(file, 1), 0);
    assert_int_equal(vfs()->truncate(file, 3), 0);
    assert_int_equal(vfs()->fstat(file, &stat), 0);
    assert_int_equal(stat.size, 3);
    assert_int_equal(ref_read_full(file, back, sizeof back, 0, &done), 0);
    assert_memory_equal(back, "a\0\0", 3);
    must_close(file);
}

void allocated_space_does_not_show_in_the_size(void **state)
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

void an_offset_beyond_the_system_s_is_refused(void **state)
{
    (void)state;
    size_t done = 1;
    ref_file *file = must_create("f");
    assert_int_equal(vfs()->pwrite(file, "x", 1, UINT64_MAX, &done), EFBIG);
    assert_int_equal(vfs()->truncate(file, UINT64_MAX), EFBIG);
    assert_int_equal(vfs()->pread(file, &done, 1, UINT64_MAX, &done), EINVAL);
    must_close(file);
}

/* ---- locks ---- */

void two_open_files_of_one_process_exclude_each_other(void **state)
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

void shared_locks_stand_side_by_side(void **state)
{
    (void)state;
    ref_file *one = must_create("f"), *two = must_create("f");
    assert_int_equal(vfs()->lock(one, 0, 1, REF_LOCK_SHARED), 0);
    assert_int_equal(vfs()->lock(two, 0, 1, REF_LOCK_SHARED), 0);
    assert_int_equal(vfs()->lock(two, 0, 1, REF_LOCK_EXCLUSIVE), EAGAIN);
    must_close(one);
    must_close(two);
}

void a_lock_ends_with_its_own_file_and_no_other(void **state)
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

void a_lock_can_be_changed_and_let_go_in_part(void **state)
{
    (void)state;
    ref_file *one = must_create("f"), *two = must_create("f");
    assert_int_equal(vfs()->lock(one, 0, 10, REF_LOCK_EXCLUSIVE), 0);
    assert_int_equal(vfs()->lock(one, 4, 2, REF_LOCK_NONE), 0);
    assert_int_equal(vfs()->lock(two, 4, 2, REF_LOCK_EXCLUSIVE), 0);
    assert_int_equal(vfs()->lock(two, 3, 1, REF_LOCK_SHARED), EAGAIN);
    assert_int_equal(vfs()->lock(two, 6, 1, REF_LOCK_SHARED), EAGAIN);
    assert_int_equal(vfs()->lock(one, 0, 4, REF_LOCK_SHARED), 0);
    assert_int_equal(vfs()->lock(two, 3, 1, REF_LOCK_SHARED), 0);
    must_close(one);
    must_close(two);
}

/* ---- names ---- */

void a_rename_replaces_and_an_exclusive_one_does_not(void **state)
{
    (void)state;
    put_file("a", "A");
    put_file("b", "B");
    assert_int_equal(vfs()->rename(vfs(), "a", "b", true), EEXIST);
    is_file("a", "A");
    is_file("b", "B");
    assert_int_equal(vfs()->rename(vfs(), "a", "c", true), 0);
    assert_false(there("a"));
    assert_int_equal(vfs()->rename(vfs(), "c", "b", false), 0);
    is_file("b", "A");
}

void directories_are_made_synced_and_removed(void **state)
{
    (void)state;
    put_file("f", "");
    assert_int_equal(vfs()->mkdir(vfs(), "d", 0700), 0);
    assert_int_equal(vfs()->mkdir(vfs(), "d", 0700), EEXIST);
    assert_int_equal(vfs()->fsync_dir(vfs(), "d"), 0);
    assert_int_equal(vfs()->fsync_dir(vfs(), "f"), ENOTDIR);
    assert_int_equal(vfs()->rmdir(vfs(), "d"), 0);
    assert_int_equal(vfs()->unlink(vfs(), "f"), 0);
    assert_int_equal(vfs()->unlink(vfs(), "f"), ENOENT);
}

void an_unlinked_file_can_be_read_until_it_is_closed(void **state)
{
    (void)state;
    char back[3];
    size_t done;
    ref_stat stat;
    put_file("f", "old");
    ref_file *file = must_open("f", REF_O_WRITE);
    assert_int_equal(vfs()->unlink(vfs(), "f"), 0);
    put_file("f", "other");
    assert_int_equal(ref_write_full(file, "O", 1, 0), 0);
    assert_int_equal(ref_read_full(file, back, sizeof back, 0, &done), 0);
    assert_memory_equal(back, "Old", 3);
    assert_int_equal(vfs()->fstat(file, &stat), 0);
    assert_int_equal(stat.size, 3);
    must_close(file);
    is_file("f", "other");
}

void an_open_file_is_the_same_under_its_new_name(void **state)
{
    (void)state;
    put_file("f", "old");
    put_file("g", "replaced");
    ref_file *file = must_open("f", REF_O_WRITE);
    assert_int_equal(vfs()->rename(vfs(), "f", "g", false), 0);
    assert_int_equal(ref_write_full(file, "new", 3, 0), 0);
    must_close(file);
    is_file("g", "new");
    assert_false(there("f"));
}

void a_directory_moves_with_all_that_is_in_it(void **state)
{
    (void)state;
    assert_int_equal(vfs()->mkdir(vfs(), "d", 0700), 0);
    assert_int_equal(vfs()->mkdir(vfs(), "e", 0700), 0);
    put_file("d/f", "old");
    put_file("g", "");
    assert_int_equal(vfs()->rename(vfs(), "d", "d/inside", false), EINVAL);
    assert_int_equal(vfs()->rename(vfs(), "e", "d", false), ENOTEMPTY);
    assert_int_equal(vfs()->rename(vfs(), "d", "g", false), ENOTDIR);
    assert_int_equal(vfs()->rename(vfs(), "g", "e", false), EISDIR);
    assert_int_equal(vfs()->rename(vfs(), "d", "e", false), 0);
    is_file("e/f", "old");
    assert_false(there("d"));
    assert_int_equal(vfs()->rmdir(vfs(), "e"), ENOTEMPTY);
    assert_int_equal(vfs()->rmdir(vfs(), "g"), ENOTDIR);
    assert_int_equal(vfs()->rename(vfs(), "e/f", "f", true), 0);
    assert_int_equal(vfs()->rmdir(vfs(), "e"), 0);
}

void a_path_through_a_file_or_nothing_leads_nowhere(void **state)
{
    (void)state;
    ref_stat stat;
    ref_file *file;
    put_file("f", "");
    assert_int_equal(vfs()->stat(vfs(), "f/g", &stat), ENOTDIR);
    assert_int_equal(vfs()->stat(vfs(), "none/g", &stat), ENOENT);
    assert_int_equal(vfs()->stat(vfs(), "", &stat), ENOENT);
    assert_int_equal(vfs()->stat(vfs(), "f/", &stat), ENOTDIR);
    assert_int_equal(vfs()->mkdir(vfs(), "none/d", 0700), ENOENT);
    assert_int_equal(vfs()->rename(vfs(), "none", "g", false), ENOENT);
    assert_int_equal(vfs()->open(vfs(), ".", REF_O_WRITE, 0, &file), EISDIR);
    assert_int_equal(
        vfs()->open(vfs(), "none/f", REF_O_WRITE | REF_O_CREATE, 0600, &file), ENOENT);
}

void a_listing_gives_each_entry_and_ends_when_told(void **state)
{
    (void)state;
    int counts[3] = {0};
    put_file("a", "");
    assert_int_equal(vfs()->mkdir(vfs(), "b", 0700), 0);
    assert_int_equal(vfs()->list(vfs(), ".", count_entry, counts), 0);
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[1], 0);
    counts[2] = 4711;
    assert_int_equal(vfs()->list(vfs(), ".", count_entry, counts), 4711);
    assert_int_equal(counts[0], 3);
    assert_int_equal(vfs()->list(vfs(), "none", count_entry, counts), ENOENT);
    assert_int_equal(vfs()->list(vfs(), "a", count_entry, counts), ENOTDIR);
}

void a_directory_can_be_emptied_while_it_is_listed(void **state)
{
    (void)state;
    int removed = 0;
    assert_int_equal(vfs()->mkdir(vfs(), "d", 0700), 0);
    for (char name[] = "d/0"; name[2] <= '9'; name[2]++) {
        put_file(name, "");
    }
    assert_int_equal(vfs()->list(vfs(), "d", remove_entry, &removed), 0);
    assert_int_equal(removed, 10);
    assert_int_equal(vfs()->rmdir(vfs(), "d"), 0);
}

void one_file_has_one_inode_under_every_path(void **state)
{
    (void)state;
    ref_stat one, two, opened;
    put_file("f", "abc");
    assert_int_equal(vfs()->mkdir(vfs(), "d", 0700), 0);
    ref_file *file = must_open("f", 0);
    assert_int_equal(vfs()->fstat(file, &opened), 0);
    assert_int_equal(vfs()->stat(vfs(), "./d/../f", &one), 0);
    assert_int_equal(vfs()->stat(vfs(), "d", &two), 0);
    must_close(file);
    assert_int_equal(one.inode, opened.inode);
    assert_int_equal(one.device, two.device);
    assert_int_not_equal(one.inode, two.inode);
    assert_int_equal(one.kind, REF_KIND_FILE);
    assert_int_equal(two.kind, REF_KIND_DIRECTORY);
    assert_int_equal(one.size, 3);
    assert_int_equal(vfs()->stat(vfs(), "none", &one), ENOENT);
    assert_int_equal(one.size, 0);
}

void resolve_takes_dots_out(void **state)
{
    (void)state;
    char here[4096], again[4096], small[4];
    assert_int_equal(vfs()->mkdir(vfs(), "long", 0700), 0);
    assert_int_equal(vfs()->resolve(vfs(), "long", here, sizeof here), 0);
    assert_int_equal(vfs()->resolve(vfs(), "./long/../long/.", again, sizeof again), 0);
    assert_string_equal(here, again);
    assert_int_equal(here[0], '/');
    assert_int_equal(vfs()->resolve(vfs(), "long", small, sizeof small), ERANGE);
    assert_int_equal(vfs()->resolve(vfs(), "none", here, sizeof here), ENOENT);
}

/* ---- chance ---- */

void two_random_identities_differ(void **state)
{
    (void)state;
    uint8_t one[16] = {0}, two[16] = {0};
    assert_int_equal(vfs()->random(vfs(), one, sizeof one), 0);
    assert_int_equal(vfs()->random(vfs(), two, sizeof two), 0);
    assert_memory_not_equal(one, two, sizeof one);
}
