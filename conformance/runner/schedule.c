/* Running cases side by side: see schedule.h. */
#include "schedule.h"

#include "progress.h"
#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { DEFAULT_LIMIT_S = 30, LOG_LIMIT = 256 * 1024, TAIL_LIMIT = 6000 };

/* Between SIGTERM and SIGKILL for a case that is over its time limit. */
static const double grace_s = 1.0;

typedef struct job {
    const hp_task *task;
    double started, deadline;
    bool timed_out;
} job;

/* Jobs and processes in step: jobs[i] is processes[i]. */
typedef struct board {
    hp_schedule *schedule;
    job *jobs;
    hp_process *processes;
    size_t running, next, done;
    hp_progress progress;
    bool stop;
} board;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t surprises(const hp_schedule *schedule)
{
    size_t count = 0;
    for (int i = 0; i < HP_RESULT_COUNT; i++) {
        count += hp_result_is_surprise((hp_result)i) ? schedule->counts[i] : 0;
    }
    return count;
}

static void show_progress(board *b)
{
    const hp_task *task = b->running > 0 ? b->jobs[0].task : NULL;
    hp_progress_state state = {
        .done = b->done,
        .total = b->schedule->task_count,
        .surprises = surprises(b->schedule),
        .engine = task != NULL ? task->engine->name : NULL,
        .name = task != NULL ? task->one->name : NULL,
    };
    hp_progress_show(&b->progress, &state);
}

static int start_next(board *b, hp_error *error)
{
    const hp_schedule *schedule = b->schedule;
    const hp_task *task = &schedule->tasks[b->next];
    hp_spawn_request request = {
        .engine = task->engine,
        .one = task->one,
        .repetition = task->repetition,
        .number = b->next,
        .seed = schedule->options->seed,
        .timeout_scale = schedule->options->timeout_scale,
        .work = schedule->work,
        .logs = schedule->record->logs,
    };
    if (hp_spawn(&request, &b->processes[b->running], error) != 0) {
        return -1;
    }
    unsigned limit = task->one->timeout_s != 0 ? task->one->timeout_s : DEFAULT_LIMIT_S;
    double started = now();
    b->jobs[b->running] = (job){.task = task,
        .started = started,
        .deadline = started + limit * schedule->options->timeout_scale};
    b->running++;
    b->next++;
    return 0;
}

static void forget(board *b, size_t i)
{
    b->running--;
    b->jobs[i] = b->jobs[b->running];
    b->processes[i] = b->processes[b->running];
}

/* The leader of job i has ended: end what it left, judge, record. */
static void finish(board *b, size_t i)
{
    hp_schedule *schedule = b->schedule;
    const hp_task *task = b->jobs[i].task;
    hp_process *process = &b->processes[i];
    unsigned strays;
    double duration = now() - b->jobs[i].started;
    int status = hp_process_finish(process, b->processes, b->running, &strays);
    char *reports = hp_process_reports(process);
    char *log = hp_read_tail(process->log, LOG_LIMIT);
    hp_ending ending = {
        .wait_status = status,
        .timed_out = b->jobs[i].timed_out,
        .report = reports,
        .log = log != NULL ? log : "",
        .clauses = task->one->clauses,
        .clause_count = task->one->clause_count,
    };
    hp_judgement judgement;
    hp_judge(&ending, &judgement);
    hp_result result = hp_expectations_apply(task->departure, judgement.raw);
    bool keep = schedule->options->keep || hp_result_is_surprise(result);
    size_t log_length = strlen(ending.log);
    hp_record_result entry = {
        .engine = task->engine,
        .one = task->one,
        .departure = task->departure,
        .judgement = &judgement,
        .result = result,
        .repetition = task->repetition,
        .strays = strays,
        .seed = schedule->options->seed,
        .duration_s = duration,
        .timeout_scale = schedule->options->timeout_scale,
        .log = process->log,
        .log_tail = ending.log + (log_length > TAIL_LIMIT ? log_length - TAIL_LIMIT : 0),
        .directory = keep ? process->directory : NULL,
    };
    hp_record_case(schedule->record, &entry);
    schedule->counts[result]++;
    schedule->kept += keep;
    b->stop = b->stop || (schedule->options->fail_fast && hp_result_is_surprise(result));
    b->done++;
    hp_judgement_free(&judgement);
    free(reports);
    free(log);
    hp_process_release(process, keep);
    forget(b, i);
}

/* Looks at every child that has ended, without reaping leaders before their group is dealt with. */
static void collect(board *b)
{
    siginfo_t info = {0};
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
        size_t i = 0;
        while (i < b->running && b->processes[i].pid != info.si_pid) {
            i++;
        }
        if (i < b->running) {
            finish(b, i);
        } else {
            waitpid(info.si_pid, NULL, WNOHANG); /* an adopted orphan */
        }
        info.si_pid = 0;
    }
}

static void enforce_limits(board *b)
{
    double time = now();
    for (size_t i = 0; i < b->running; i++) {
        if (time >= b->jobs[i].deadline) {
            hp_process_signal(&b->processes[i], b->jobs[i].timed_out ? SIGKILL : SIGTERM);
            b->jobs[i].timed_out = true;
            b->jobs[i].deadline = time + grace_s;
        }
    }
}

/* Sleeps until a child ends, a limit is reached or the user interrupts. */
static void wait_for_event(board *b, const sigset_t *signals)
{
    double wait = 1.0, time = now();
    for (size_t i = 0; i < b->running; i++) {
        double left = b->jobs[i].deadline - time;
        wait = left < wait ? left : wait;
    }
    wait = wait < 0.001 ? 0.001 : wait;
    struct timespec timeout = {.tv_nsec = (long)(wait * 1e9)};
    if (timeout.tv_nsec >= 1000000000) {
        timeout = (struct timespec){.tv_sec = 1};
    }
    int signal = sigtimedwait(signals, NULL, &timeout);
    if (signal > 0 && signal != SIGCHLD) {
        b->schedule->signal = signal;
        b->stop = true;
    }
}

static void kill_all(board *b)
{
    unsigned strays;
    while (b->running > 0) {
        hp_process_finish(&b->processes[0], b->processes, b->running, &strays);
        hp_process_release(&b->processes[0], b->schedule->options->keep);
        forget(b, 0);
    }
}

int hp_schedule_run(hp_schedule *schedule, hp_error *error)
{
    static const int watched[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP};
    sigset_t signals, before;
    size_t room = schedule->options->jobs;
    board b = {.schedule = schedule, .progress = hp_progress_start()};
    b.jobs = hp_allocate(room, sizeof *b.jobs);
    b.processes = hp_allocate(room, sizeof *b.processes);
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++) {
        sigaddset(&signals, watched[i]);
    }
    sigprocmask(SIG_BLOCK, &signals, &before);
    signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

    int status = 0;
    while (status == 0 && schedule->signal == 0) {
        while (status == 0 && !b.stop && b.running < room && b.next < schedule->task_count) {
            status = start_next(&b, error);
        }
        if (b.running == 0) {
            break;
        }
        wait_for_event(&b, &signals);
        enforce_limits(&b);
        collect(&b);
        show_progress(&b);
    }
    kill_all(&b);
    hp_progress_end(&b.progress);
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(b.jobs);
    free(b.processes);
    return status;
}
