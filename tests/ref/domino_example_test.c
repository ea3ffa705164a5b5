/* Whole programs: the example, the fragment of the reference page, and a typical backup program
 * next to writers. */
#include "domino_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cwd.h"
#include "domino_backup.h"

/* Runs the program with what it prints in "output"; its exit status. */
static int run(const char *program, const char *arguments)
{
    char command[4096];

    snprintf(command, sizeof command, "%s %s > output 2>&1", program, arguments);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_output(const char *words)
{
    file_image output = image_of("output");

    output.bytes[output.size] = '\0';
    if (strstr((char *)output.bytes, words) == NULL) {
        fail_msg("no \"%s\" in: %s", words, (char *)output.bytes);
    }
    image_free(&output);
}

static void the_example_backs_up_and_restores(void **state)
{
    char here[300], arguments[1000];

    (void)state;
    DBHANDLE db = open_db("a");
    NOTEID first = add_notes(db, 300, 900, 'a');
    end_runtime();
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(run(TEST_EXAMPLE, "backup a.nsf copy =notes.ini"), 0);
    expect_output("data/a.nsf: log from ");

    restart("");
    db = open_db("a");
    assert_ok(NSFNoteDelete(db, first, UPDATE_NOSTUB));
    assert_int_equal(count_notes(db), 299);
    end_runtime();
    snprintf(arguments, sizeof arguments, "restore copy %s/data/a.nsf =notes.ini", here);
    assert_int_equal(run(TEST_EXAMPLE, arguments), 0);
    expect_output("a.nsf: 300 notes");

    assert_int_equal(run(TEST_EXAMPLE, "backup none.nsf copy2 =notes.ini"), 1);
    expect_output("none.nsf: error 0x0103: there is no such file");
    assert_false(file_exists("copy2"));
    assert_int_equal(run(TEST_EXAMPLE, "backup a.nsf copy =none.ini"), 1);
    assert_int_equal(run(TEST_EXAMPLE, ""), 1);
    expect_output("usage: ");
}

static void the_fragment_of_the_reference_page_runs_as_it_stands(void **state)
{
    (void)state;
    close_db(open_db("a"));
    end_runtime();
    assert_int_equal(run(TEST_FRAGMENT, "=notes.ini"), 0);
    expect_output("backup of ");
}

/* ---- next to writers ---- */

typedef struct test_writers {
    NOTEID first;
    unsigned count;
    atomic_bool stop;
} test_writers;

static void *write_on(void *context)
{
    test_writers *writers = context;
    DBHANDLE db;
    uint64_t seed = (uint64_t)(uintptr_t)&db;

    assert_ok(NSFDbOpen("a", &db));
    for (unsigned i = 0; !atomic_load(&writers->stop); i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        change_note(db, writers->first, (unsigned)(seed >> 40) % writers->count,
            (unsigned)(seed >> 33) % 3000, (char)('a' + i % 26));
        if (i % 7 == 0) {
            flush_db("a");
        }
    }
    assert_ok(NSFDbClose(db));
    return NULL;
}

/* Start, GetLogInfo, 32 KiB reads with a mark every tenth, Stop, size, StartApply, chunk by
 * chunk until an empty one, EndApply, End. */
static void back_up(DBHANDLE db, const char *path, char *copy)
{
    static char buffer[32768];
    DHANDLE context, apply;
    DWORD low, high, filled, extent;
    UNID log, instance;
    BOOL logged;

    assert_ok(NSFBackupStart(db, 0, &context, &low, &high));
    assert_ok(NSFDbGetLogInfo(db, 0, &logged, &log, &instance, &extent));
    FILE *from = fopen(path, "rb"), *to = fopen(copy, "wb");
    assert_non_null(from);
    assert_non_null(to);
    size_t left = low, done = 0;
    for (int reads = 1; left > 0; reads++) {
        size_t size = fread(buffer, 1, min(left, sizeof buffer), from);

        assert_true(size > 0);
        left -= size;
        done += size;
        if (reads % 10 == 0) {
            assert_ok(NSFBackupSetHighWaterMark(db, context, (DWORD)done, 0));
        }
        assert_int_equal(fwrite(buffer, 1, size, to), size);
    }
    (void)fclose(from);
    assert_int_equal(fclose(to), 0);
    assert_ok(NSFBackupStop(db, context));
    assert_ok(NSFBackupGetChangeInfoSize(db, context, 0, &low, &high));
    assert_ok(NSFBackupStartApplyChangeInfo(&apply, copy, 0, low, high));
    do {
        assert_ok(NSFBackupGetNextChangeInfo(db, context, 0, buffer, sizeof buffer, &filled));
        assert_ok(NSFBackupApplyNextChangeInfo(apply, 0, buffer, filled));
    } while (filled > 0);
    assert_ok(NSFBackupEndApplyChangeInfo(apply, 0));
    assert_ok(NSFBackupEnd(db, context, 0));
}

static void a_typical_program_works_next_to_writers_100_times_of_100(void **state)
{
    test_writers writers = {.count = 200};
    pthread_t threads[2];
    char copy[] = "data/copy.nsf";

    (void)state;
    DBHANDLE db = open_db("a");
    writers.first = add_notes(db, writers.count, 1500, 'a');
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_on, &writers), 0);
    }
    for (int i = 0; i < 100; i++) {
        back_up(db, "data/a.nsf", copy);
        DBHANDLE restored;
        assert_ok(NSFDbOpen("copy", &restored));
        assert_int_equal(count_notes(restored), writers.count);
        close_db(restored);
        assert_ok(NSFDbDelete("copy"));
    }
    atomic_store(&writers.stop, true);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    close_db(db);
}

/* A file of more than 4 GiB, most of it a hole. */
static void a_size_beyond_32_bits_comes_in_two_halves(void **state)
{
    const uint64_t size = UINT64_C(5) << 30;
    DHANDLE context;
    DWORD low, high;

    (void)state;
    DBHANDLE db = open_db("a");
    add_note(db, "x");
    close_db(db);
    assert_int_equal(truncate("data/a.nsf", (off_t)size), 0);
    db = open_db("a");
    STATUS status = NSFBackupStart(db, 0, &context, &low, &high);
    assert_ok(status);
    assert_int_equal((uint64_t)high << 32 | low, size);
    assert_ok(NSFBackupEnd(db, context, 0));
    close_db(db);
}

static const struct CMUnitTest tests[] = {
    TEST(the_example_backs_up_and_restores),
    TEST(the_fragment_of_the_reference_page_runs_as_it_stands),
    TEST(a_typical_program_works_next_to_writers_100_times_of_100),
    TEST(a_size_beyond_32_bits_comes_in_two_halves),
};
TEST_MAIN(tests)
