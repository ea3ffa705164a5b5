/* An engine module whose every case behaves in a way that the runner must name. */
#include "wrong.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void keeps_its_promise(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_RECOVERS);
    assert_int_equal(1, 1);
}

static void always_says_yes(void **state)
{
    (void)state;
}

static void forgets_one_of_two(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_RECOVERS);
}

static void marks_a_foreign_clause(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_RECOVERS);
    hp_promise(HP_BDB_BACKUP_EXCL);
}

static void fails(void **state)
{
    (void)state;
    hp_log("about to fail: \xff <&\"> \x01");
    hp_promise(HP_BDB_BACKUP_EXCL);
    assert_string_equal("one <&\"> thing", "another");
}

static void fails_with_a_message(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_EXCL);
    fail_msg("the %s is gone", "file");
}

static void crashes(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_EXCL);
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void leaves_by_exit(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_EXCL);
    exit(0);
}

static void hangs(void **state)
{
    (void)state;
    signal(SIGTERM, SIG_IGN);
    for (;;) {
        pause();
    }
}

static void is_unsupported(void **state)
{
    (void)state;
    hp_unsupported("this engine has no %s", "wheels");
}

static void is_unresolved(void **state)
{
    (void)state;
    hp_unresolved("no such\nfile system");
}

static void skips_silently(void **state)
{
    (void)state;
    skip();
}

/* Passes if every way out is barred. */
static void cannot_write_outside(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_INSIDE_TARGET);
    assert_int_equal(open("../intruder", O_CREAT | O_WRONLY, 0666), -1);
    assert_true(errno == EACCES || errno == EPERM);
    assert_int_equal(mkdir("../intruder", 0777), -1);
    assert_int_equal(rename(".", "../moved"), -1);
    assert_int_equal(open("/tmp/hotproof-intruder", O_CREAT | O_WRONLY, 0666), -1);
    assert_int_equal(symlink("x", "/tmp/hotproof-intruder"), -1);
    assert_true(open("/dev/null", O_WRONLY) >= 0);
    assert_true(open("inside", O_CREAT | O_WRONLY, 0666) >= 0);
    assert_int_equal(rename("inside", "renamed"), 0);
}

/* Insists on writing outside: denied, and so it fails. */
static void writes_outside(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_INSIDE_TARGET);
    FILE *file = fopen("../intruder", "w");
    assert_non_null(file);
}

/* Leaves a process that left the process group, and says where it is. */
static void leaves_a_stray(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_RECOVERS);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() > 0) {
            _exit(0);
        }
        execlp("sleep", "sleep", "1000", (char *)NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_forked_copy_comes_back(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_RECOVERS);
    pid_t child = fork();
    if (child > 0) {
        waitpid(child, NULL, 0);
    }
}

static void has_a_directory_of_its_own(void **state)
{
    (void)state;
    char name[4096];
    struct stat here;
    hp_promise(HP_BDB_BACKUP_RECOVERS);
    assert_non_null(getcwd(name, sizeof name));
    assert_non_null(strstr(name, "/behaviours/has_a_directory_of_its_own.1"));
    assert_int_equal(stat(".", &here), 0);
    assert_int_equal(here.st_uid, geteuid());
    assert_int_not_equal(geteuid(), 0);
    assert_int_equal(hp_seed(), 4711);
    assert_string_equal(getenv("TMPDIR"), name);
    assert_int_equal(mkdir("closed", 0777), 0);
    assert_true(open("closed/file", O_CREAT | O_WRONLY, 0666) >= 0);
    assert_int_equal(chmod("closed", 0), 0);
}

static void odd_name_function(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_RECOVERS);
}

#define ODD_NAME "odd <&\"> 'name'/../\xe2\x82\xac"

static const hp_clause_id odd_clauses[] = {HP_BDB_BACKUP_RECOVERS};

static const hp_case cases[] = {
    HP_CASE(keeps_its_promise, HP_BDB_BACKUP_RECOVERS),
    HP_CASE(always_says_yes, HP_BDB_BACKUP_DATA_DIRS),
    HP_CASE(forgets_one_of_two, HP_BDB_BACKUP_RECOVERS, HP_BDB_BACKUP_LOG_DIR),
    HP_CASE(marks_a_foreign_clause, HP_BDB_BACKUP_RECOVERS),
    HP_CASE(fails, HP_BDB_BACKUP_EXCL),
    HP_CASE(fails_with_a_message, HP_BDB_BACKUP_EXCL),
    HP_CASE(crashes, HP_BDB_BACKUP_EXCL),
    HP_CASE(leaves_by_exit, HP_BDB_BACKUP_EXCL),
    HP_SLOW_CASE(hangs, 1, HP_BDB_BACKUP_EXCL),
    HP_CASE(is_unsupported, HP_BDB_BACKUP_CLEAN),
    HP_CASE(is_unresolved, HP_BDB_BACKUP_CLEAN),
    HP_CASE(skips_silently, HP_BDB_BACKUP_CLEAN),
    HP_CASE(cannot_write_outside, HP_BDB_BACKUP_INSIDE_TARGET),
    HP_CASE(writes_outside, HP_BDB_BACKUP_INSIDE_TARGET),
    HP_CASE(leaves_a_stray, HP_BDB_BACKUP_RECOVERS),
    HP_CASE(a_forked_copy_comes_back, HP_BDB_BACKUP_RECOVERS),
    HP_CASE(has_a_directory_of_its_own, HP_BDB_BACKUP_RECOVERS),
    {.name = ODD_NAME,
        .run = odd_name_function,
        .clauses = odd_clauses,
        .clause_count = 1,
        .file = __FILE__,
        .line = __LINE__},
    HP_CASE_END,
};

static const hp_case *const tables[] = {cases, NULL};
static const hp_entry_point entries[] = {{"own", wrong_own_function, NULL}, {NULL, NULL, NULL}};
static const hp_module module = {WRONG_MODULE("behaviours", entries, tables)};
WRONG_EXPORT(module)
