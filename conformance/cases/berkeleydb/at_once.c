/* Several backups at once, and what else goes on in the environment while a callback is busy. */
#include "bdb_cases.h"
#include "bdb_sink.h"
#include "bdb_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <db.h>

enum { WAIT_MS = 3000, TICK_MS = 5 };

/* A call in a thread of its own. */
typedef struct job {
    bdb_sample *sample;
    const char *target;
    int (*run)(struct job *job);
    pthread_t thread;
    _Atomic bool done;
    int ret;
} job;

static void *run_job(void *argument)
{
    job *j = argument;

    j->ret = j->run(j);
    atomic_store(&j->done, true);
    return NULL;
}

/* Of use in a callback, too: says by its result whether the thread runs. */
static int start(job *j)
{
    return pthread_create(&j->thread, NULL, run_job, j);
}

static void start_or_give_up(job *j)
{
    if (start(j) != 0) {
        hp_unresolved("pthread_create failed");
    }
}

static void join(job *j)
{
    if (pthread_join(j->thread, NULL) != 0) {
        hp_unresolved("pthread_join failed");
    }
}

static int back_up(job *j)
{
    return j->sample->env->backup(j->sample->env, j->target, DB_CREATE);
}

static int back_up_database(job *j)
{
    return j->sample->env->dbbackup(j->sample->env, "a.db", j->target, 0);
}

/* A sample that takes a moment to copy. */
static bdb_sample *slow_sample(void)
{
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    bdb_add_rows(s, 0, 1000);
    bdb_checkpoint(s);
    bdb_tune(s, DB_BACKUP_SIZE, 4 * BDB_PAGE_SIZE);
    bdb_tune(s, DB_BACKUP_READ_COUNT, 4);
    bdb_tune(s, DB_BACKUP_READ_SLEEP, 2000);
    return s;
}

/* Two administrators, one target: one of them may be refused, but what is there then is a backup.
 */
static void two_backups_at_once_into_one_target_leave_a_backup_there(void **state)
{
    (void)state;
    bdb_sample *s = slow_sample();
    bdb_layout copy = bdb_copy_at(&s->layout, "bk", false);
    job jobs[2] = {{.sample = s, .target = "bk", .run = back_up},
        {.sample = s, .target = "bk", .run = back_up}};

    start_or_give_up(&jobs[0]);
    start_or_give_up(&jobs[1]);
    join(&jobs[0]);
    join(&jobs[1]);

    hp_promise(HP_BDB_HOT_SAME_TARGET);
    hp_log("they return %d and %d", jobs[0].ret, jobs[1].ret);
    assert_true(jobs[0].ret == 0 || jobs[1].ret == 0);
    bdb_assert_copy_holds(&copy);
    bdb_assert_usable(s);
    bdb_sample_end(s);
}

/* Two copies of one database are two readers. */
static void two_copies_of_one_database_at_once_are_like_it(void **state)
{
    (void)state;
    bdb_sample *s = slow_sample();
    job jobs[2] = {{.sample = s, .target = "bk-1", .run = back_up_database},
        {.sample = s, .target = "bk-2", .run = back_up_database}};
    bdb_make_dir("bk-1");
    bdb_make_dir("bk-2");

    start_or_give_up(&jobs[0]);
    start_or_give_up(&jobs[1]);
    join(&jobs[0]);
    join(&jobs[1]);

    hp_promise(HP_BDB_DBBACKUP_TWO_AT_ONCE);
    assert_int_equal(jobs[0].ret, 0);
    assert_int_equal(jobs[1].ret, 0);
    bdb_assert_same_bytes("bk-1/a.db", "home/a.db");
    bdb_assert_same_bytes("bk-2/a.db", "home/a.db");
    bdb_sample_end(s);
}

/* The handle is another, since the callbacks belong to the first. */
static int copy_aside(void *argument)
{
    job *inner = argument;
    DB_ENV *env = inner->sample->env;

    inner->ret = env->dbbackup(env, "a.db", inner->target, 0);
    return 0;
}

/* A copy within the copy takes nothing from either, and nobody has anything to complain of. */
static void a_callback_may_copy_the_database_that_is_being_backed_up(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "sink/bk", false);
    bdb_sample other = {.env = bdb_env_new(&bdb_plain)};
    job inner = {.sample = &other, .target = "aside", .ret = -1};
    bdb_checkpoint(s);
    bdb_make_dir("aside");
    bdb_need(bdb_env_open(other.env, &bdb_plain), "a second handle");
    bdb_sink_install(s->env, "sink");
    bdb_sink_on_write("a.db", copy_aside, &inner);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_HOT_NESTED);
    assert_int_equal(ret, 0);
    assert_int_equal(inner.ret, 0);
    assert_string_equal(bdb_errors(), "");
    bdb_assert_same_bytes("aside/a.db", "home/a.db");
    bdb_assert_copy_holds(&copy);
    bdb_env_end(other.env);
    bdb_sample_end(s);
}

/* Starts the job from inside a callback and gives it time to end there. */
static int wait_for(void *argument)
{
    job *j = argument;
    int ret = start(j);

    for (double ms = WAIT_MS * hp_timeout_scale(); ret == 0 && ms > 0 && !atomic_load(&j->done);
         ms -= TICK_MS) {
        (void)nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000L}, NULL);
    }
    j->target = ret == 0 && atomic_load(&j->done) ? "in time" : "too late";
    return ret;
}

static int change_every_row(job *j)
{
    bdb_sample *s = j->sample;
    DB_TXN *txn = NULL;
    int ret = s->env->txn_begin(s->env, NULL, &txn, 0);

    if (ret == 0) {
        ret = bdb_put_rows(s->db[0], txn, &s->layout.databases[0], 0, s->layout.databases[0].rows);
        ret = ret == 0 ? txn->commit(txn, 0) : ret;
    }
    return ret;
}

static int change_and_take_checkpoint(job *j)
{
    int ret = change_every_row(j);

    return ret == 0 ? j->sample->env->txn_checkpoint(j->sample->env, 0, 0, DB_FORCE) : ret;
}

static void assert_not_held_up(int (*run)(job *))
{
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_layout copy = bdb_copy_at(&s->layout, "sink/bk", false);
    job other = {.sample = s, .run = run, .target = "not begun"};
    bdb_sink_install(s->env, "sink");
    bdb_sink_on_write("a.db", wait_for, &other);

    int ret = s->env->backup(s->env, "bk", 0);

    if (strcmp(other.target, "not begun") != 0) {
        join(&other);
    }
    hp_promise(HP_BDB_HOT_SLOW_CALLBACK);
    assert_int_equal(ret, 0);
    assert_int_equal(other.ret, 0);
    assert_string_equal(other.target, "in time");
    bdb_assert_copy_holds(&copy);
    bdb_sample_end(s);
}

/* A tape takes its time; the others need not notice. */
static void a_commit_does_not_wait_for_a_slow_callback(void **state)
{
    (void)state;
    assert_not_held_up(change_every_row);
}

/* A checkpoint that waits for a tape holds up the removal of logs, and recovery takes longer. */
static void a_checkpoint_does_not_wait_for_a_slow_callback(void **state)
{
    (void)state;
    assert_not_held_up(change_and_take_checkpoint);
}

static int send_message(void *argument)
{
    DB_ENV *env = argument;

    env->errx(env, "the till is open");
    return 0;
}

/* The error callback is the application's: its own messages are not the backup's to keep. */
static void a_message_sent_during_a_backup_is_delivered(void **state)
{
    (void)state;
    bdb_sample *s = bdb_sample_new(&bdb_plain);
    bdb_sink_install(s->env, "sink");
    bdb_sink_on_write("a.db", send_message, s->env);

    int ret = bdb_backup(s, "bk", 0);

    hp_promise(HP_BDB_ERRORS_DELIVERED);
    assert_int_equal(ret, 0);
    bdb_assert_error_names("the till is open");
    bdb_sample_end(s);
}

const hp_case bdb_at_once_cases[] = {
    HP_CASE(two_backups_at_once_into_one_target_leave_a_backup_there, HP_BDB_HOT_SAME_TARGET),
    HP_CASE(two_copies_of_one_database_at_once_are_like_it, HP_BDB_DBBACKUP_TWO_AT_ONCE),
    HP_CASE(a_callback_may_copy_the_database_that_is_being_backed_up, HP_BDB_HOT_NESTED),
    HP_CASE(a_commit_does_not_wait_for_a_slow_callback, HP_BDB_HOT_SLOW_CALLBACK),
    HP_CASE(a_checkpoint_does_not_wait_for_a_slow_callback, HP_BDB_HOT_SLOW_CALLBACK),
    HP_CASE(a_message_sent_during_a_backup_is_delivered, HP_BDB_ERRORS_DELIVERED),
    HP_CASE_END,
};
