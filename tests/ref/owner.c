/* A process that owns an environment: see owner.h. */
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIVE_MAX 8

/* Not the structs: those of a test that has failed are gone. */
static pid_t live[LIVE_MAX];

/* ---- life ---- */

int owner_setup(void **state)
{
    memset(live, 0, sizeof live);
    signal(SIGPIPE, SIG_IGN); /* an order to one that has died gives no answer */
    return scratch_setup(state);
}

int owner_teardown(void **state)
{
    for (size_t i = 0; i < LIVE_MAX; i++) {
        if (live[i] != 0) {
            kill(live[i], SIGKILL);
            waitpid(live[i], NULL, 0);
        }
    }
    return scratch_teardown(state);
}

static void note_life(pid_t pid, bool alive)
{
    pid_t from = alive ? 0 : pid, to = alive ? pid : 0;
    for (size_t i = 0; i < LIVE_MAX; i++) {
        if (live[i] == from) {
            live[i] = to;
            return;
        }
    }
    fail_msg("more than %d processes", LIVE_MAX);
}

static void start(owner *who, const char *dir, const char *role, const char *log_dir)
{
    int orders[2], answers[2];

    *who = (owner){0};
    assert_int_equal(pipe2(orders, O_CLOEXEC), 0);
    assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(orders[0], STDIN_FILENO);
        dup2(answers[1], STDOUT_FILENO);
        execl("/proc/self/exe", "owner", "--owner", dir, role, log_dir, (char *)NULL);
        _exit(127);
    }
    close(orders[0]);
    close(answers[1]);
    who->pid = pid;
    who->orders = fdopen(orders[1], "w");
    who->answers = fdopen(answers[0], "r");
    assert_non_null(who->orders);
    assert_non_null(who->answers);
    note_life(pid, true);
    int error = owner_answer(who);
    if (error != 0) {
        fail_msg("the %s: %d %s", role, error, who->words);
    }
}

void owner_start(owner *who, const fixture *fix)
{
    start(who, fix->dir, "owner", "");
}

void owner_start_at(owner *who, const fixture *fix, const char *log_dir)
{
    start(who, fix->dir, "owner", log_dir);
}

void owner_start_guest(owner *who, const fixture *fix)
{
    start(who, fix->dir, "guest", "");
}

/* The status that it has ended with. */
static int reap(owner *who)
{
    int status = 0;
    while (waitpid(who->pid, &status, 0) < 0 && errno == EINTR) {
    }
    fclose(who->orders);
    fclose(who->answers);
    note_life(who->pid, false);
    who->pid = 0;
    return status;
}

void owner_kill(owner *who)
{
    kill(who->pid, SIGKILL);
    reap(who);
}

void owner_await(owner *who)
{
    reap(who);
}

void owner_end(owner *who)
{
    owner_do(who, "end");
    assert_int_equal(reap(who), 0);
}

/* ---- orders ---- */

static void send(owner *who, const char *order, va_list arguments)
{
    vfprintf(who->orders, order, arguments);
    fputc('\n', who->orders);
    fflush(who->orders);
}

void owner_say(owner *who, const char *order, ...)
{
    va_list arguments;
    va_start(arguments, order);
    send(who, order, arguments);
    va_end(arguments);
}

/* One line: "- words" is a note, "error number words" an answer. False at the end. */
static bool read_line(owner *who, bool *is_note, int *error)
{
    char line[1024];
    if (fgets(line, sizeof line, who->answers) == NULL) {
        snprintf(who->words, sizeof who->words, "it has died");
        return false;
    }
    line[strcspn(line, "\n")] = '\0';
    *is_note = line[0] == '-' && line[1] == ' ';
    char *at = line + 2;
    if (!*is_note) {
        *error = (int)strtol(line, &at, 10);
        who->number = strtol(at, &at, 10);
    }
    snprintf(who->words, sizeof who->words, "%.500s", at);
    return true;
}

int owner_answer(owner *who)
{
    bool is_note;
    int error;
    do {
        if (!read_line(who, &is_note, &error)) {
            return -1;
        }
    } while (is_note);
    return error;
}

void owner_await_note(owner *who, const char *words)
{
    bool is_note = false;
    int error;
    while (!is_note || strstr(who->words, words) == NULL) {
        if (!read_line(who, &is_note, &error) || !is_note) {
            fail_msg("no note of \"%s\", but: %s", words, who->words);
        }
    }
}

int owner_tell(owner *who, const char *order, ...)
{
    va_list arguments;
    va_start(arguments, order);
    send(who, order, arguments);
    va_end(arguments);
    return owner_answer(who);
}

long owner_do(owner *who, const char *order, ...)
{
    va_list arguments;
    va_start(arguments, order);
    send(who, order, arguments);
    va_end(arguments);
    int error = owner_answer(who);
    if (error != 0) {
        fail_msg("%s: %d (%s) %s", order, error, ref_strerror(error), who->words);
    }
    return who->number;
}

/* ---- guests ---- */

ref_env *guest_open(fixture *fix)
{
    ref_env_options options = {.vfs = &fix->vfs.vfs, .home = fix->home, .guest = true};
    ref_env *guest;
    assert_ok(ref_env_open(&options, &guest));
    assert_true(ref_env_is_guest(guest));
    return guest;
}

int guest_backup(fixture *fix, ref_env *guest, const char *name, unsigned flags)
{
    char target[FIXTURE_PATH];
    ref_backup_options options = {
        .target = target, .flags = REF_BACKUP_CREATE | flags, .buffer_size = 4096};
    snprintf(target, sizeof target, "%.700s/%.300s", fix->dir, name);
    return ref_backup(guest, &options);
}

static int sink_open(void *context, const char *name, void **file)
{
    told_sink *sink = context;
    char path[2 * FIXTURE_PATH];
    sink->opens++;
    if (sink->before != NULL) {
        sink->before(sink->context, name);
    }
    snprintf(path, sizeof path, "%s/%.500s", sink->dir, name);
    *file = sink->file = fopen(path, "wb");
    return *file != NULL ? 0 : errno;
}

static int sink_write(void *context, void *file, uint64_t offset, const void *data, size_t size)
{
    const told_sink *sink = context;
    assert_ptr_equal(file, sink->file);
    assert_int_equal(ftello(sink->file), offset);
    return fwrite(data, 1, size, sink->file) == size ? 0 : EIO;
}

static int sink_close(void *context, const char *name, void *file)
{
    told_sink *sink = context;
    (void)name;
    assert_ptr_equal(file, sink->file);
    sink->file = NULL;
    return fclose(file) == 0 ? 0 : EIO;
}

void told_sink_begin(told_sink *sink, fixture *fix, const char *name,
    void (*before)(void *context, const char *name), void *context)
{
    *sink = (told_sink){.before = before, .context = context};
    sink->sink = (ref_sink){sink, sink_open, sink_write, sink_close};
    snprintf(sink->dir, sizeof sink->dir, "%s", at_dir(fix, name));
    dir_make(sink->dir);
}

/* ---- the books, as the test sees them ---- */

typedef struct totals {
    long sum;
    long count; /* keys */
    long moves;
} totals;

static totals add_up(ref_env *env, const char *name)
{
    totals all = {0};
    ref_cursor *cursor;
    ref_buffer key = {0}, value = {0};
    ref_db *db = db_open(env, name);

    db_verify(db);
    assert_ok(ref_cursor_open(db, NULL, &cursor));
    while (ref_cursor_get(cursor, REF_MOVE_NEXT, (ref_slice){0}, false, &key, &value) == 0) {
        if (key.size == 6 && memcmp(key.data, "bridge", 6) == 0) {
            continue;
        }
        long number = strtol((const char *)value.data, NULL, 10);
        if (key.size == 5 && memcmp(key.data, "moves", 5) == 0) {
            all.moves = number;
        }
        all.sum += number;
        all.count++;
    }
    assert_ok(ref_cursor_close(cursor));
    ref_buffer_free(&key);
    ref_buffer_free(&value);
    assert_ok(ref_db_close(db));
    return all;
}

long books_check_in(ref_env *env, long at_least)
{
    totals a = add_up(env, "a.db"), b = add_up(env, "b.db");
    assert_int_equal(a.sum + b.sum, 0);
    assert_int_equal(a.count, b.count);
    assert_int_equal(a.moves + b.moves, 0);
    assert_true(a.moves >= at_least);
    return a.moves;
}

long books_check(fixture *fix, const char *name, bool create, long at_least)
{
    ref_env_options options = {.vfs = &fix->vfs.vfs, .home = at_dir(fix, name), .create = create};
    ref_env *env;
    assert_ok(ref_env_open(&options, &env));
    long moves = books_check_in(env, at_least);
    assert_ok(ref_env_close(env));
    return moves;
}
