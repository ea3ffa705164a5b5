/*
 * The examples of ref/examples, compiled unchanged against each library, at work: while another
 * process writes. HAVE_LIBDB is 0 where Berkeley DB is not installed.
 */
#include "testmain.h"

#include "cwd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct library {
    const char *hot_backup, *backup_only, *writer;
} library;

static const library ref = {REF_HOT_BACKUP, REF_BACKUP_ONLY, REF_WRITER};
#if HAVE_LIBDB
static const library libdb = {LIBDB_HOT_BACKUP, LIBDB_BACKUP_ONLY, LIBDB_WRITER};
#endif

typedef struct process {
    pid_t pid;
    FILE *in, *out; /* of it */
} process;

static process writer; /* pid 0: none */

static process start(const char *const *arguments)
{
    int in[2], out[2];
    process made;
    posix_spawn_file_actions_t actions;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    int error = posix_spawn(
        &made.pid, arguments[0], &actions, NULL, (char *const *)(uintptr_t)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    if (error != 0) {
        fail_msg("%s: %s", arguments[0], strerror(error));
    }
    made.in = fdopen(in[1], "w");
    made.out = fdopen(out[0], "r");
    assert_true(made.in != NULL && made.out != NULL);
    return made;
}

/* Ends its input and waits. The exit status; -1 for a signal. */
static int finish(process *which)
{
    int status;
    fclose(which->in);
    fclose(which->out);
    while (waitpid(which->pid, &status, 0) < 0 && errno == EINTR) {
    }
    which->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The exit status; the first line that it printed, without its end, in `line`. */
static int run(const char *program, const char *a, const char *b, const char *c, char *line)
{
    const char *const arguments[] = {program, a, b, c, NULL};
    process made = start(arguments);
    if (fgets(line, 100, made.out) == NULL) {
        line[0] = '\0';
    }
    line[strcspn(line, "\n")] = '\0';
    return finish(&made);
}

static int setup(void **state)
{
    writer.pid = 0;
    return cwd_setup(state);
}

static int teardown(void **state)
{
    if (writer.pid != 0) {
        kill(writer.pid, SIGKILL);
        finish(&writer);
    }
    return cwd_teardown(state);
}

/* ---- hot_backup ---- */

static void hot_backup(const library *with)
{
    char line[100];
    cwd_dir("work");
    assert_int_equal(run(with->hot_backup, "work", NULL, NULL, line), 0);
    assert_string_equal(line, "read from the copy: hello, copy");
    assert_int_equal(run(with->hot_backup, "work", NULL, NULL, line), 2);
}

/* ---- backup_only ---- */

/* Rows that were committed before the question. */
static unsigned rows_written(void)
{
    char line[100];
    assert_true(fputc('\n', writer.in) != EOF && fflush(writer.in) == 0);
    assert_non_null(fgets(line, sizeof line, writer.out));
    return (unsigned)strtoul(line, NULL, 10);
}

static void start_writer(const library *with)
{
    const char *const arguments[] = {with->writer, "write", "home", NULL};
    cwd_dir("home");
    writer = start(arguments);
    while (rows_written() < 150) {
        usleep(20000);
    }
}

static void backup_only(const library *with)
{
    char line[100], least[16];
    start_writer(with);
    for (int round = 0; round < 3; round++) {
        unsigned before = rows_written();
        assert_int_equal(run(with->backup_only, "home", "copy", NULL, line), 0);
        unsigned after = rows_written();
        snprintf(least, sizeof least, "%u", before);
        assert_int_equal(run(with->writer, "check", "copy", least, line), 0);
        assert_true(strtoul(line, NULL, 10) <= after);
    }
    unsigned all = rows_written();
    assert_int_equal(finish(&writer), 0);
    snprintf(least, sizeof least, "%u", all);
    assert_int_equal(run(with->writer, "check", "home", least, line), 0);
}

static void nothing_to_back_up(const library *with)
{
    char line[100];
    cwd_dir("empty");
    assert_int_equal(run(with->backup_only, "empty", "copy", NULL, line), 1);
    assert_int_equal(run(with->backup_only, "missing", "copy", NULL, line), 1);
    assert_int_equal(run(with->backup_only, "empty", NULL, NULL, line), 2);
    assert_string_equal(cwd_tree("."), "empty/\n");
}

/* ---- the tests ---- */

static void hot_backup_runs_with_this_library(void **state)
{
    (void)state;
    hot_backup(&ref);
}

static void backup_only_copies_what_another_process_writes_with_this_library(void **state)
{
    (void)state;
    backup_only(&ref);
}

static void backup_only_fails_where_there_is_no_environment_with_this_library(void **state)
{
    (void)state;
    nothing_to_back_up(&ref);
}

/* The writer is killed, and nobody recovers: what it has left is copied by whoever comes first. */
static void backup_only_copies_what_a_dead_process_has_left_with_this_library(void **state)
{
    char line[100], least[16];
    (void)state;
    start_writer(&ref);
    snprintf(least, sizeof least, "%u", rows_written());
    kill(writer.pid, SIGKILL);
    assert_int_equal(finish(&writer), -1);
    assert_int_equal(run(ref.backup_only, "home", "copy", NULL, line), 0);
    assert_int_equal(run(ref.writer, "check", "copy", least, line), 0);
}

#if HAVE_LIBDB
#define WITH_LIBDB(call) call(&libdb)
#else
#define WITH_LIBDB(call) skip()
#endif

static void hot_backup_runs_with_berkeley_db(void **state)
{
    (void)state;
    WITH_LIBDB(hot_backup);
}

static void backup_only_copies_what_another_process_writes_with_berkeley_db(void **state)
{
    (void)state;
    WITH_LIBDB(backup_only);
}

static void backup_only_fails_where_there_is_no_environment_with_berkeley_db(void **state)
{
    (void)state;
    WITH_LIBDB(nothing_to_back_up);
}

#define EXAMPLE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static const struct CMUnitTest tests[] = {
    EXAMPLE_TEST(hot_backup_runs_with_this_library),
    EXAMPLE_TEST(backup_only_copies_what_another_process_writes_with_this_library),
    EXAMPLE_TEST(backup_only_fails_where_there_is_no_environment_with_this_library),
    EXAMPLE_TEST(backup_only_copies_what_a_dead_process_has_left_with_this_library),
    EXAMPLE_TEST(hot_backup_runs_with_berkeley_db),
    EXAMPLE_TEST(backup_only_copies_what_another_process_writes_with_berkeley_db),
    EXAMPLE_TEST(backup_only_fails_where_there_is_no_environment_with_berkeley_db),
};

TEST_MAIN(tests)
