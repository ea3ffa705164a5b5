/*
 * Copying while the environment goes on: what reaches a sink, what a copy holds when databases come
 * and go meanwhile, what damage and failures lead to.
 */
#include "testmain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/engine.h"
#include "cwd.h"
#include "fault_vfs.h"

#define RECORDS 400

static fault_vfs shim;

static unsigned sleeps;
static uint64_t slept; /* nanoseconds */

static void count_sleep(ref_vfs *vfs, uint64_t nanoseconds)
{
    (void)vfs;
    sleeps++;
    slept += nanoseconds;
}

/* A vfs whose `nth` operation fails (0: none), and with `forever` all later ones too, as if the
 * process had died there. */
static ref_vfs *failing(uint64_t nth, bool forever)
{
    if (shim.next == NULL) {
        fault_vfs_init(&shim);
        shim.vfs.sleep = count_sleep;
    }
    sleeps = 0;
    slept = 0;
    fault_set(&shim, &(fault_rule){.kinds = FAULT_ALL,
                         .nth = nth,
                         .error = EIO,
                         .manner = forever ? FAULT_FROM_THEN : FAULT_ONCE});
    return &shim.vfs;
}

static ref_env *env;

static void open_home(const char *home, ref_vfs *vfs, bool create)
{
    ref_env_options options = {
        .home = home, .vfs = vfs, .create = create, .segment_size = REF_SEGMENT_SIZE_MIN};
    int error = ref_env_open(&options, &env);
    if (error != 0) {
        fail_msg("%s: %s", home, ref_error_text());
    }
}

static void close_env(void)
{
    assert_int_equal(ref_env_close(env), 0);
    env = NULL;
}

static int teardown(void **state)
{
    if (env != NULL) {
        ref_env_close(env);
        env = NULL;
    }
    return cwd_teardown(state);
}

/* Puts RECORDS records with this value into a database, which is made when it is missing. */
static void fill(const char *name, const char *value)
{
    ref_db_options options = {.create = true};
    ref_txn *txn;
    ref_db *db;
    char key[16], long_value[100] = {0};
    strcpy(long_value, value);
    assert_int_equal(ref_db_open(env, NULL, name, &options, &db), 0);
    assert_int_equal(ref_txn_begin(env, NULL, &txn), 0);
    for (int i = 0; i < RECORDS; i++) {
        snprintf(key, sizeof key, "%08d", i);
        assert_int_equal(ref_db_put(db, txn, (ref_slice){key, 8},
                             (ref_slice){long_value, sizeof long_value}, false),
            0);
    }
    assert_int_equal(ref_txn_commit(txn), 0);
    assert_int_equal(ref_db_close(db), 0);
}

/* Whether every record of the database has the value; false when there is no such database. */
static bool holds(const char *name, const char *value)
{
    ref_db_options options = {.read_only = true};
    ref_buffer found = {0};
    ref_db *db;
    uint64_t records = 0;
    int error = ref_db_open(env, NULL, name, &options, &db);
    if (error == ENOENT) {
        return false;
    }
    assert_int_equal(error, 0);
    assert_int_equal(ref_db_verify(db, &records), 0);
    bool same = records == RECORDS;
    for (int i = 0; i < RECORDS && same; i++) {
        char key[16];
        snprintf(key, sizeof key, "%08d", i);
        assert_int_equal(ref_db_get(db, NULL, (ref_slice){key, 8}, false, &found), 0);
        same = strcmp((const char *)found.data, value) == 0;
    }
    ref_buffer_free(&found);
    assert_int_equal(ref_db_close(db), 0);
    return same;
}

/* ---- a sink that remembers ---- */

typedef struct call {
    char what; /* 'o', 'w', 'c' */
    char name[40];
    uint64_t offset;
    size_t size;
} call;

static struct recorder {
    call calls[4000];
    size_t count;
    char current[40];
    const char *fail_name; /* in the name of the file that fails */
    char fail_what;
    int error;
    int close_error;
    void (*during)(void); /* at each call */
} seen;

static int note(char what, const char *name, uint64_t offset, size_t size)
{
    assert_true(seen.count < sizeof seen.calls / sizeof seen.calls[0]);
    call *to = &seen.calls[seen.count++];
    *to = (call){.what = what, .offset = offset, .size = size};
    snprintf(to->name, sizeof to->name, "%s", name);
    if (seen.during != NULL) {
        seen.during();
    }
    bool hit = seen.fail_name != NULL && strstr(name, seen.fail_name) != NULL;
    if (what == 'c' && hit && seen.close_error != 0) {
        return seen.close_error;
    }
    return hit && what == seen.fail_what ? seen.error : 0;
}

static int recorder_open(void *context, const char *name, void **file)
{
    assert_ptr_equal(context, &seen);
    assert_string_equal(seen.current, "");
    int error = note('o', name, 0, 0);
    if (error == 0) {
        snprintf(seen.current, sizeof seen.current, "%s", name);
        *file = seen.current;
    }
    return error;
}

static int recorder_write(void *context, void *file, uint64_t offset, const void *data, size_t size)
{
    assert_ptr_equal(context, &seen);
    assert_ptr_equal(file, seen.current);
    assert_non_null(data);
    return note('w', seen.current, offset, size);
}

static int recorder_close(void *context, const char *name, void *file)
{
    assert_ptr_equal(context, &seen);
    assert_ptr_equal(file, seen.current);
    assert_string_equal(name, seen.current);
    seen.current[0] = '\0';
    return note('c', name, 0, 0);
}

static const ref_sink recorder = {
    .context = &seen, .open = recorder_open, .write = recorder_write, .close = recorder_close};

static void forget(void)
{
    memset(&seen, 0, sizeof seen);
}

static int backup_to_recorder(unsigned flags)
{
    ref_backup_options options = {.sink = &recorder, .flags = flags, .target = "no/such/place"};
    return ref_backup(env, &options);
}

static void make_source(ref_vfs *vfs)
{
    cwd_dir("home");
    open_home("home", vfs, true);
    fill("a.db", "one");
    fill("b.db", "one");
    assert_int_equal(ref_checkpoint(env, false), 0);
    cwd_file("home/f", "plain");
}

static void a_sink_gets_databases_then_files_then_the_log_without_gaps(void **state)
{
    (void)state;
    uint64_t expected = 0;
    char order[16] = "";
    make_source(NULL);
    forget();
    assert_int_equal(backup_to_recorder(REF_BACKUP_FILES), 0);
    for (size_t i = 0; i < seen.count; i++) {
        const call *at = &seen.calls[i];
        if (at->what == 'o') {
            expected = 0;
            strncat(order, at->name, 1);
        } else if (at->what == 'w') {
            assert_int_equal(at->offset, expected);
            expected += at->size;
        }
    }
    assert_string_equal(seen.current, "");
    assert_memory_equal(order, "abfl", 4);
    assert_false(cwd_exists("no"));
}

static size_t count_calls(char what, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < seen.count; i++) {
        count += seen.calls[i].what == what && strstr(seen.calls[i].name, name) != NULL;
    }
    return count;
}

static void a_sink_s_error_ends_the_backup_as_it_is(void **state)
{
    (void)state;
    static const char *const names[] = {"a.db", "f", "log."};
    static const int errors[] = {EIO, EINVAL, ENOENT, EEXIST, ENOSPC, 12345, -3, -77};
    make_source(NULL);
    for (size_t i = 0; i < 3 * 8 * 3; i++) {
        char what = "owc"[i % 3];
        forget();
        seen.fail_name = names[i / 3 % 3];
        seen.fail_what = what;
        seen.error = errors[i / 9];
        assert_int_equal(backup_to_recorder(REF_BACKUP_FILES), errors[i / 9]);
        assert_int_equal(seen.calls[seen.count - 1].what, what == 'o' ? 'o' : 'c');
        assert_int_equal(count_calls('o', seen.fail_name), 1);
        assert_int_equal(count_calls('c', seen.fail_name), what != 'o');
        assert_non_null(strstr(ref_error_text(), seen.fail_name));
    }
}

static void a_write_error_wins_over_the_close_error_after_it(void **state)
{
    (void)state;
    static const char *const names[] = {"a.db", "f", "log."};
    make_source(NULL);
    for (size_t i = 0; i < 3; i++) {
        forget();
        seen.fail_name = names[i];
        seen.fail_what = 'w';
        seen.error = 4711;
        seen.close_error = 4712;
        assert_int_equal(backup_to_recorder(REF_BACKUP_FILES), 4711);
        assert_non_null(strstr(ref_error_text(), "write"));
    }
}

static void use_everything(void)
{
    uint32_t *numbers;
    size_t count;
    fill("a.db", "again");
    assert_int_equal(ref_checkpoint(env, true), 0);
    assert_int_equal(ref_log_archive(env, REF_ARCHIVE_REMOVE, &numbers, &count), 0);
}

static void a_callback_may_write_commit_checkpoint_and_archive(void **state)
{
    (void)state;
    make_source(NULL);
    forget();
    seen.during = use_everything;
    assert_int_equal(backup_to_recorder(REF_BACKUP_FILES), 0);
    forget();
    seen.during = use_everything;
    assert_int_equal(backup_to_recorder(REF_BACKUP_NO_LOGS), 0);
}

static void a_buffer_smaller_than_a_page_reads_page_by_page(void **state)
{
    (void)state;
    make_source(NULL);
    forget();
    ref_backup_options options = {.sink = &recorder, .buffer_size = 100};
    assert_int_equal(ref_backup(env, &options), 0);
    assert_true(count_calls('w', "a.db") > 5);
    for (size_t i = 0; i < seen.count; i++) {
        assert_true(seen.calls[i].size <= REF_PAGE_SIZE_DEFAULT);
    }
}

static size_t largest_write;
static int (*next_pwrite)(ref_file *, const void *, size_t, uint64_t, size_t *);

static int note_pwrite(
    ref_file *file, const void *buffer, size_t size, uint64_t offset, size_t *done)
{
    largest_write = size > largest_write ? size : largest_write;
    return next_pwrite(file, buffer, size, offset, done);
}

static void a_directory_is_written_in_pieces_that_fit_the_cache(void **state)
{
    (void)state;
    ref_vfs *vfs = failing(0, false);
    make_source(vfs);
    assert_int_equal(truncate("home/f", 3 << 20), 0);
    next_pwrite = vfs->pwrite;
    vfs->pwrite = note_pwrite;
    ref_backup_options options = {
        .target = "copy", .flags = REF_BACKUP_CREATE | REF_BACKUP_FILES, .buffer_size = 16 << 20};
    int error = ref_backup(env, &options);
    vfs->pwrite = next_pwrite;
    assert_int_equal(error, 0);
    assert_int_equal(largest_write, 256 << 10);
    struct stat about;
    assert_int_equal(stat("copy/f", &about), 0);
    assert_int_equal(about.st_size, 3 << 20);
}

static void a_sink_gets_pieces_as_large_as_the_buffer(void **state)
{
    (void)state;
    make_source(NULL);
    assert_int_equal(truncate("home/f", 3 << 20), 0);
    forget();
    assert_int_equal(backup_to_recorder(REF_BACKUP_FILES), 0);
    size_t largest = 0;
    for (size_t i = 0; i < seen.count; i++) {
        largest = seen.calls[i].size > largest ? seen.calls[i].size : largest;
    }
    assert_int_equal(largest, REF_BACKUP_BUFFER_DEFAULT);
}

static void pauses_come_once_per_so_many_pages(void **state)
{
    (void)state;
    uint64_t pages = 0;
    make_source(failing(0, false));
    forget();
    unsigned before = sleeps;
    ref_backup_options options = {
        .sink = &recorder, .flags = REF_BACKUP_FILES, .pause_pages = 7, .pause_nanoseconds = 1000};
    assert_int_equal(ref_backup(env, &options), 0);
    for (size_t i = 0; i < seen.count; i++) {
        pages += (seen.calls[i].size + REF_PAGE_SIZE_DEFAULT - 1) / REF_PAGE_SIZE_DEFAULT;
    }
    assert_true(pages > 30);
    assert_int_equal(sleeps - before, pages / 7);
    assert_int_equal(slept / 1000, pages / 7);
}

/* ---- databases that come and go ---- */

static void (*on_first_line)(void);

static void on_progress(void *context, const char *line)
{
    int *lines = context;
    if ((*lines)++ == 0 && strstr(line, "copying database") != NULL) {
        on_first_line();
    }
}

/* Makes a copy and lets something happen when its first database is about to be copied. */
static int backup_while(void (*happens)(void), unsigned flags)
{
    int lines = 0;
    ref_backup_options options = {.target = "t",
        .flags = flags | REF_BACKUP_CREATE,
        .progress = on_progress,
        .progress_context = &lines};
    on_first_line = happens;
    return ref_backup(env, &options);
}

static void open_copy(bool create)
{
    close_env();
    open_home("t", NULL, create);
}

static void remove_b(void)
{
    assert_int_equal(ref_db_remove(env, NULL, "b.db"), 0);
}

static void a_database_removed_meanwhile_is_not_in_the_copy(void **state)
{
    (void)state;
    make_source(NULL);
    assert_int_equal(backup_while(remove_b, 0), 0);
    assert_false(cwd_exists("t/b.db"));
    open_copy(false);
    assert_true(holds("a.db", "one"));
    assert_false(holds("b.db", "one"));
}

static void rename_b(void)
{
    assert_int_equal(ref_db_rename(env, NULL, "b.db", "c.db"), 0);
}

static void a_database_renamed_meanwhile_has_its_new_name_in_the_opened_copy(void **state)
{
    (void)state;
    make_source(NULL);
    assert_int_equal(backup_while(rename_b, 0), 0);
    assert_true(cwd_exists("t/b.db"));
    open_copy(false);
    assert_true(holds("c.db", "one"));
    assert_false(holds("b.db", "one"));
}

static void remake_b(void)
{
    remove_b();
    fill("b.db", "two");
    fill("new.db", "two");
    assert_int_equal(ref_checkpoint(env, true), 0);
}

static void a_database_made_again_meanwhile_comes_by_the_log(void **state)
{
    (void)state;
    make_source(NULL);
    assert_int_equal(backup_while(remake_b, 0), 0);
    open_copy(false);
    assert_true(holds("a.db", "one"));
    assert_true(holds("b.db", "two"));
    assert_true(holds("new.db", "two"));
}

static void a_database_that_no_checkpoint_has_written_is_copied(void **state)
{
    (void)state;
    cwd_dir("home");
    open_home("home", NULL, true);
    fill("a.db", "one");
    ref_backup_options options = {.target = "t", .flags = REF_BACKUP_CREATE};
    assert_int_equal(ref_backup(env, &options), 0);
    assert_true(cwd_exists("t/a.db"));
    open_copy(false);
    assert_true(holds("a.db", "one"));
}

static void change_and_drop_the_log(void)
{
    fill("a.db", "two");
    fill("b.db", "two");
    use_everything();
    fill("a.db", "two");
}

static void a_copy_does_not_lose_the_log_that_it_needs(void **state)
{
    (void)state;
    make_source(NULL);
    assert_int_equal(backup_while(change_and_drop_the_log, 0), 0);
    open_copy(false);
    assert_true(holds("a.db", "two"));
    assert_true(holds("b.db", "two"));
}

static void a_copy_without_logs_is_of_one_moment(void **state)
{
    (void)state;
    make_source(NULL);
    assert_int_equal(backup_while(change_and_drop_the_log, REF_BACKUP_NO_LOGS), 0);
    assert_string_equal(cwd_tree("t"), "a.db\nb.db\n");
    open_copy(true);
    assert_true(holds("a.db", "one"));
    assert_true(holds("b.db", "one"));
}

static void a_quiet_environment_s_databases_are_copied_to_the_byte(void **state)
{
    (void)state;
    make_source(NULL);
    cwd_dir("one");
    ref_backup_options options = {.target = "t", .flags = REF_BACKUP_CREATE};
    assert_int_equal(ref_backup(env, &options), 0);
    options = (ref_backup_options){.target = "one"};
    assert_int_equal(ref_backup_database(env, "a.db", &options), 0);
    assert_int_equal(system("cmp home/a.db t/a.db && cmp home/a.db one/a.db"), 0);
    assert_string_equal(cwd_tree("one"), "a.db\n");
    options.flags = REF_BACKUP_EXCLUSIVE;
    assert_int_equal(ref_backup_database(env, "a.db", &options), EEXIST);
    assert_int_equal(ref_backup_database(env, "none.db", &options), ENOENT);
    options.flags = REF_BACKUP_CREATE;
    assert_int_equal(ref_backup_database(env, "b.db", &options), EINVAL);
    assert_string_equal(cwd_tree("one"), "a.db\n");
}

/* ---- damage ---- */

static void write_at(const char *path, long offset, const char *bytes)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fputs(bytes, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static void refuses_damage(const char *page, const char *why)
{
    ref_backup_options options = {.target = "t", .flags = REF_BACKUP_CREATE};
    assert_int_equal(ref_backup(env, &options), REF_CORRUPT);
    assert_non_null(strstr(ref_error_text(), "home/a.db"));
    assert_non_null(strstr(ref_error_text(), page));
    assert_non_null(strstr(ref_error_text(), why));
    assert_false(cwd_exists("t"));
}

static void a_damaged_page_is_named_and_nothing_is_made(void **state)
{
    (void)state;
    make_source(failing(0, false));
    write_at("home/a.db", 3 * 4096 + 1000, "damage");
    refuses_damage("page 3: offset 12288", "bad checksum");
    write_at("home/a.db", 40, "damage");
    refuses_damage("page 0: offset 0", "bad checksum");
    assert_int_equal(truncate("home/a.db", 0), 0);
    refuses_damage("page 0: offset 0", "all zero");
}

static void a_file_that_has_lost_its_end_is_named(void **state)
{
    (void)state;
    make_source(failing(0, false));
    assert_int_equal(truncate("home/a.db", 5 * 4096 + 100), 0);
    refuses_damage("page 5: offset 20480", "beyond the end");
}

static void a_file_that_is_missing_is_named(void **state)
{
    (void)state;
    make_source(failing(0, false));
    assert_int_equal(unlink("home/a.db"), 0);
    ref_backup_options options = {.target = "t", .flags = REF_BACKUP_CREATE};
    assert_int_equal(ref_backup(env, &options), ENOENT);
    assert_non_null(strstr(ref_error_text(), "home/a.db"));
    assert_false(cwd_exists("t"));
}

static unsigned torn_reads;
static int (*whole_pread)(ref_file *, void *, size_t, uint64_t, size_t *);

/* Page 2 in the middle of being written: half of it is new already. */
static int torn_pread(ref_file *file, void *buffer, size_t size, uint64_t offset, size_t *done)
{
    int error = whole_pread(file, buffer, size, offset, done);
    if (torn_reads > 0 && offset <= 2 * 4096 && offset + *done >= 3 * 4096) {
        ((char *)buffer)[2 * 4096 - offset + 2048] ^= 1;
        torn_reads--;
    }
    return error;
}

static void a_page_that_is_being_written_is_read_again(void **state)
{
    (void)state;
    ref_vfs *vfs = failing(0, false);
    make_source(vfs);
    whole_pread = vfs->pread;
    vfs->pread = torn_pread;
    torn_reads = 4;
    ref_backup_options options = {.target = "t", .flags = REF_BACKUP_CREATE};
    assert_int_equal(ref_backup(env, &options), 0);
    vfs->pread = whole_pread;
    assert_int_equal(torn_reads, 0);
    assert_true(sleeps > 0);
    assert_int_equal(system("cmp home/a.db t/a.db"), 0);
}

/* ---- failures ---- */

static int backup_failing(unsigned number, bool forever, bool *fired)
{
    ref_backup_options options = {.target = "t", .flags = REF_BACKUP_FILES};
    failing(number, forever);
    int error = ref_backup(env, &options);
    *fired = fault_injected(&shim) > 0;
    failing(0, false);
    return error;
}

/* The target holds the older copy, or the newer one, or is marked. */
static void check_target(int error)
{
    bool marked = cwd_exists("t/__backup.incomplete");
    assert_true(error != 0 || !marked);
    if (!marked) {
        open_home("t", NULL, false);
        assert_true(holds("a.db", "two") || (error != 0 && holds("a.db", "one")));
        assert_true(holds("b.db", holds("a.db", "two") ? "two" : "one"));
        close_env();
    }
}

static void sweep(bool forever)
{
    bool fired = true;
    unsigned number = 0;
    while (fired) {
        number++;
        assert_int_equal(cwd_setup(NULL), 0);
        make_source(failing(0, false));
        ref_backup_options options = {.target = "t", .flags = REF_BACKUP_CREATE};
        assert_int_equal(ref_backup(env, &options), 0);
        fill("a.db", "two");
        fill("b.db", "two");
        int error = backup_failing(number, forever, &fired);
        assert_true(fired || error == 0);
        if (error == 0 || ref_env_state(env) == 0) {
            assert_true(holds("a.db", "two"));
        }
        ref_env_close(env);
        env = NULL;
        check_target(error);
        assert_int_equal(cwd_teardown(NULL), 0);
    }
    assert_true(number > 60);
}

static void any_failing_operation_leaves_a_target_that_is_whole_or_marked(void **state)
{
    (void)state;
    sweep(false);
}

static void death_at_any_operation_leaves_a_target_that_is_whole_or_marked(void **state)
{
    (void)state;
    sweep(true);
}

#define IN_CWD(test) cmocka_unit_test_setup_teardown(test, cwd_setup, teardown)

static const struct CMUnitTest tests[] = {
    IN_CWD(a_sink_gets_databases_then_files_then_the_log_without_gaps),
    IN_CWD(a_sink_s_error_ends_the_backup_as_it_is),
    IN_CWD(a_write_error_wins_over_the_close_error_after_it),
    IN_CWD(a_callback_may_write_commit_checkpoint_and_archive),
    IN_CWD(a_buffer_smaller_than_a_page_reads_page_by_page),
    IN_CWD(a_directory_is_written_in_pieces_that_fit_the_cache),
    IN_CWD(a_sink_gets_pieces_as_large_as_the_buffer),
    IN_CWD(pauses_come_once_per_so_many_pages),
    IN_CWD(a_database_removed_meanwhile_is_not_in_the_copy),
    IN_CWD(a_database_renamed_meanwhile_has_its_new_name_in_the_opened_copy),
    IN_CWD(a_database_made_again_meanwhile_comes_by_the_log),
    IN_CWD(a_database_that_no_checkpoint_has_written_is_copied),
    IN_CWD(a_copy_does_not_lose_the_log_that_it_needs),
    IN_CWD(a_copy_without_logs_is_of_one_moment),
    IN_CWD(a_quiet_environment_s_databases_are_copied_to_the_byte),
    IN_CWD(a_damaged_page_is_named_and_nothing_is_made),
    IN_CWD(a_file_that_has_lost_its_end_is_named),
    IN_CWD(a_file_that_is_missing_is_named),
    IN_CWD(a_page_that_is_being_written_is_read_again),
    cmocka_unit_test(any_failing_operation_leaves_a_target_that_is_whole_or_marked),
    cmocka_unit_test(death_at_any_operation_leaves_a_target_that_is_whole_or_marked),
};
TEST_MAIN(tests)
