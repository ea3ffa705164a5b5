/* Processes that die in the middle of a backup. */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <db.h>

enum { NOT_OPENED = 3, LIVED_ON = 4 };

static int die(void *argument)
{
    (void)argument;
    (void)kill(getpid(), SIGKILL);
    return EIO; /* not reached */
}

/* In the child: it asserts nothing, and whoever waits for it sees how it ended. */
static _Noreturn void back_up_and_die(const bdb_layout *layout, uint32_t open_flags)
{
    DB_ENV *env = bdb_env_new(layout);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (env->open(env, layout->home,
            DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_LOCK | DB_INIT_TXN | DB_THREAD | open_flags,
            0600) != 0) {
        _exit(NOT_OPENED);
    }
    bdb_sink_install(env, "sink");
    bdb_sink_on_write("a.db", die, NULL);
    (void)env->backup(env, "bk", 0);
    _exit(LIVED_ON);
}

static void wait_for_death(pid_t child)
{
    int status = 0;

    if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
        WTERMSIG(status) != SIGKILL) {
        hp_unresolved("the child did not die in its backup: status 0x%x", (unsigned)status);
    }
}

/* A child that waits for a byte in the pipe: it must begin before the environment is open here, and
 * open it after that. */
static pid_t fork_waiting(const bdb_layout *layout, int *start)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        hp_unresolved("pipe: %s", strerror(errno));
    }
    pid_t child = fork();
    if (child < 0) {
        hp_unresolved("fork: %s", strerror(errno));
    }
    if (child == 0) {
        char byte;

        (void)close(ends[1]);
        if (read(ends[0], &byte, 1) != 1) {
            _exit(NOT_OPENED);
        }
        back_up_and_die(layout, 0);
    }
    (void)close(ends[0]);
    *start = ends[1];
    return child;
}

/* An environment that is open here, in which another process began a backup and died. */
static bdb_sample *sample_after_death(void)
{
    int start;
    pid_t child = fork_waiting(&bdb_plain, &start);
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    if (write(start, "", 1) != 1) {
        hp_unresolved("write: %s", strerror(errno));
    }
    wait_for_death(child);
    (void)close(start);
    return s;
}

/* The backup's death is its own affair. */
static void an_environment_works_on_after_a_process_died_in_its_backup(void **state)
{
    (void)state;
    char **removed = NULL;
    bdb_sample *s = sample_after_death();

    hp_promise(HP_BDB_DEAD_BACKUP);
    bdb_assert_usable(s);
    assert_int_equal(s->env->log_archive(s->env, &removed, DB_ARCH_REMOVE), 0);
    bdb_sample_end(s);
}

/* A flag that stays set makes every bulk transaction an ordinary one from then on. */
static void a_process_that_died_in_its_backup_does_not_leave_the_flag_set(void **state)
{
    (void)state;
    uint32_t flags = 0;
    bdb_sample *s = sample_after_death();

    hp_promise(HP_BDB_DEAD_BACKUP_FLAG);
    assert_int_equal(s->env->get_flags(s->env, &flags), 0);
    assert_int_equal(flags & DB_HOTBACKUP_IN_PROGRESS, 0);
    bdb_sample_end(s);
}

/* If the application itself dies, recovery is what the manual prescribes, and it is enough. */
static void recovery_clears_away_a_backup_whose_process_died(void **state)
{
    (void)state;
    uint32_t flags = 0;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_sample_renew(s);
    pid_t child = fork();
    if (child < 0) {
        hp_unresolved("fork: %s", strerror(errno));
    }
    if (child == 0) {
        back_up_and_die(&bdb_plain, DB_CREATE);
    }
    wait_for_death(child);

    hp_promise(HP_BDB_DEAD_RECOVERED);
    assert_int_equal(s->env->open(s->env, "home",
                         DB_CREATE | DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_LOCK | DB_INIT_TXN |
                             DB_THREAD | DB_RECOVER,
                         0600),
        0);
    assert_int_equal(s->env->get_flags(s->env, &flags), 0);
    assert_int_equal(flags & DB_HOTBACKUP_IN_PROGRESS, 0);
    bdb_assert_rows(s->env, &s->layout.databases[1]);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

const hp_case bdb_dying_cases[] = {
    HP_SLOW_CASE(
        an_environment_works_on_after_a_process_died_in_its_backup, 10, HP_BDB_DEAD_BACKUP),
    HP_SLOW_CASE(
        a_process_that_died_in_its_backup_does_not_leave_the_flag_set, 10, HP_BDB_DEAD_BACKUP_FLAG),
    HP_SLOW_CASE(recovery_clears_away_a_backup_whose_process_died, 20, HP_BDB_DEAD_RECOVERED),
    HP_CASE_END,
};
