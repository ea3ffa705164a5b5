/* Backup from another process while the owner writes, dies, comes back, and removes log. */
#include "owner.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/internal.h"

/* ---- the owner writes ---- */

static void a_copy_from_outside_has_every_transaction_committed_before(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    owner_do(&who, "move 100");
    for (int round = 0; round < 3; round++) {
        char copy[16];
        snprintf(copy, sizeof copy, "copy%d", round);
        long before = owner_do(&who, "run");
        assert_ok(guest_backup(fix, guest, copy, 0));
        long after = owner_do(&who, "move 1");
        assert_true(books_check(fix, copy, false, before) <= after);
    }
    assert_ok(ref_env_close(guest));
    owner_end(&who);
}

static void the_owner_recovers_and_goes_on_as_if_there_had_been_no_backup(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    owner_do(&who, "run");
    assert_ok(guest_backup(fix, guest, "copy", 0));
    long moves = owner_do(&who, "move 10");
    owner_kill(&who);
    assert_ok(ref_env_close(guest));
    env_open(fix);
    assert_int_equal(books_check_in(fix->env, moves), moves);
    env_close(fix);
}

/* ---- things happen at a certain read of the guest ---- */

typedef struct moment {
    fixture *fix;
    owner *who;
    unsigned at; /* the how-manieth read of a database or of the log */
    unsigned seen;
    bool again; /* start it again */
    bool done;
} moment;

static void kill_at_the_moment(void *context, fault_kind kind, const char *path)
{
    moment *now = context;
    const char *in = path != NULL ? strstr(path, "/home/") : NULL;
    bool read = kind == FAULT_READ && in != NULL && strchr(in + 6, '/') == NULL;
    if (!read || ++now->seen != now->at) {
        return;
    }
    now->done = true;
    owner_kill(now->who);
    if (now->again) {
        owner_start(now->who, now->fix);
        owner_do(now->who, "run");
    }
}

/* A backup during which the owner is killed at a read; false when there were fewer. */
static bool back_up_and_kill(fixture *fix, unsigned at, bool again)
{
    owner who;
    moment now = {.fix = fix, .who = &who, .at = at, .again = again};

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    owner_do(&who, "grow 40");
    owner_do(&who, "move 60");
    long before = owner_do(&who, "run");
    fix->vfs.before_context = &now;
    fix->vfs.before = kill_at_the_moment;
    int error = guest_backup(fix, guest, "copy", REF_BACKUP_CLEAN);
    fix->vfs.before = NULL;
    assert_ok(error);
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", false, before);
    if (now.again || !now.done) {
        owner_kill(&who);
    }
    return now.done;
}

static void each_moment(fixture *fix, bool again)
{
    unsigned moments = 0;
    for (unsigned at = 1; back_up_and_kill(fix, at, again); at += 1 + at / 3) {
        moments++;
    }
    assert_true(moments > 6);
}

static void a_copy_holds_when_the_owner_is_killed_meanwhile(void **state)
{
    each_moment(*state, false);
}

static void a_copy_holds_when_the_owner_is_killed_meanwhile_and_another_recovers(void **state)
{
    each_moment(*state, true);
}

/* ---- many lives ---- */

/* One backup of a home whose owner is running, is killed during it, or killed and another started.
 */
static void back_up_in_a_life(fixture *fix, owner *who, unsigned round)
{
    enum { LIVES, DIES, DIES_AND_RECOVERS } fate = round % 3;
    bool logs = round % 4 != 3;
    ref_env *guest = guest_open(fix);
    ref_backup_options options = {.target = at_dir(fix, "copy"),
        .flags = REF_BACKUP_CREATE | REF_BACKUP_CLEAN | (logs ? 0 : REF_BACKUP_NO_LOGS),
        .buffer_size = 2048,
        .pause_pages = 8,
        .pause_nanoseconds = 1000000};
    moment now = {.fix = fix,
        .who = who,
        .at = 5 + round * 3,
        .again = fate == DIES_AND_RECOVERS,
        .done = fate == LIVES};
    long before = owner_do(who, "run");

    fix->vfs.before_context = &now;
    fix->vfs.before = fate == LIVES ? NULL : kill_at_the_moment;
    int error = ref_backup(guest, &options);
    fix->vfs.before = NULL;
    assert_ok(error);
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", !logs, before);
    if (fate == DIES && now.done) {
        owner_start(who, fix);
    }
}

static void copies_hold_through_many_lives_of_the_owner(void **state)
{
    fixture *fix = *state;
    owner who;

    owner_start(&who, fix);
    owner_do(&who, "grow 40");
    owner_do(&who, "checkpoint");
    for (unsigned round = 0; round < 18; round++) {
        back_up_in_a_life(fix, &who, round);
    }
    owner_do(&who, "move 1");
    owner_end(&who);
}

/* ---- the owner dies in the middle of a file operation ---- */

/* Which of these databases there are, and whose record each has: "x.db=x.db y.db=y.db". */
static void describe(fixture *fix, const char *copy, long moves, char *out, size_t size)
{
    static const char *const names[] = {"c.db", "x.db", "y.db", "z.db"};
    ref_env_options options = {.vfs = &fix->vfs.vfs, .home = at_dir(fix, copy)};
    size_t used = 0;

    assert_ok(ref_env_open(&options, &fix->env));
    books_check_in(fix->env, moves);
    out[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ref_cursor *cursor;
        ref_buffer key = {0}, value = {0};
        if (!db_exists(fix->env, names[i])) {
            continue;
        }
        ref_db *db = db_open(fix->env, names[i]);
        assert_int_equal(db_verify(db), 1);
        assert_ok(ref_cursor_open(db, NULL, &cursor));
        assert_ok(ref_cursor_get(cursor, REF_MOVE_FIRST, (ref_slice){0}, false, &key, &value));
        used += (size_t)snprintf(out + used, size - used, "%s%s=%.*s", used > 0 ? " " : "",
            names[i], (int)value.size, (const char *)value.data);
        assert_ok(ref_cursor_close(cursor));
        ref_buffer_free(&key);
        ref_buffer_free(&value);
        assert_ok(ref_db_close(db));
    }
    env_close(fix);
}

/* One owner dies there, or lives and is killed; a guest that was open before copies what is left.
 */
static void die_and_back_up(fixture *fix, const char *order, const char *death, const char *after)
{
    static const char before[] = "x.db=x.db y.db=y.db";
    char found[200];
    owner who;

    tree_remove(fix->home);
    dir_make(fix->home);
    owner_start(&who, fix);
    owner_do(&who, "create x.db");
    owner_do(&who, "create y.db");
    long moves = owner_do(&who, "move 20");
    owner_do(&who, "checkpoint");
    ref_env *guest = guest_open(fix);
    owner_do(&who, "die %s", death);
    bool lived = owner_tell(&who, "%s", order) == 0;
    assert_ok(guest_backup(fix, guest, "copy", REF_BACKUP_CLEAN));
    assert_ok(ref_env_close(guest));
    if (lived) {
        owner_kill(&who);
    } else {
        owner_await(&who);
    }
    describe(fix, "copy", moves, found, sizeof found);
    if (strcmp(found, after) != 0 && (lived || strcmp(found, before) != 0)) {
        fail_msg("%s, %s at %s: %s", order, lived ? "not dead" : "dead", death, found);
    }
}

static void a_copy_holds_when_the_owner_dies_in_the_middle_of_a_file_operation(void **state)
{
    static const struct {
        const char *order, *after;
    } all[] = {{"create c.db", "c.db=c.db x.db=x.db y.db=y.db"},
        {"bridge c.db", "c.db=c.db x.db=x.db y.db=y.db"},
        {"rename x.db z.db", "y.db=y.db z.db=x.db"}, {"swap x.db y.db", "x.db=y.db y.db=x.db"},
        {"remove x.db", "y.db=y.db"}};
    static const char *const deaths[] = {"rename .db 1", "rename .db 2", "rename .db 3",
        "rename .db 4", "unlink .db", "create .db", "fsync_dir home 1", "fsync_dir home 2",
        "fsync_dir home 3"};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        for (size_t j = 0; j < sizeof deaths / sizeof deaths[0]; j++) {
            die_and_back_up(*state, all[i].order, deaths[j], all[i].after);
        }
    }
}

/* ---- the log is removed meanwhile ---- */

typedef struct pressure {
    owner *who;
    unsigned reads;
    long kept;      /* segments */
    long removable; /* of them, it says */
} pressure;

static bool reads_a(fault_kind kind, const char *path)
{
    return kind == FAULT_READ && path != NULL && strstr(path, "/home/a.db") != NULL;
}

static void write_at_each_read(void *context, fault_kind kind, const char *path)
{
    pressure *now = context;
    if (reads_a(kind, path)) {
        now->reads++;
        owner_do(now->who, "move 30");
        owner_do(now->who, "checkpoint");
        now->removable = owner_do(now->who, "removable");
        now->kept = owner_do(now->who, "remove_logs");
    }
}

static void removal_of_log_waits_for_a_slow_guest(void **state)
{
    fixture *fix = *state;
    owner who;
    pressure now = {.who = &who};

    owner_start(&who, fix);
    owner_do(&who, "grow 60");
    owner_do(&who, "checkpoint");
    long gone = -owner_do(&who, "remove_logs");
    gone += last_segment(fix->home);
    ref_env *guest = guest_open(fix);
    fix->vfs.before_context = &now;
    fix->vfs.before = write_at_each_read;
    assert_ok(guest_backup(fix, guest, "copy", 0));
    fix->vfs.before = NULL;
    assert_true(now.reads > 3);
    assert_int_equal(now.removable, 0);
    assert_true(owner_do(&who, "removable") > 3);
    assert_true(now.kept > 4 && now.kept == (long)last_segment(fix->home) - gone);
    assert_true(owner_do(&who, "remove_logs") < 4);
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", false, now.reads * 30);
    owner_end(&who);
}

static void remove_the_environment(void *context, fault_kind kind, const char *path)
{
    pressure *now = context;
    if (reads_a(kind, path) && now->reads++ == 0) {
        char home[FIXTURE_PATH];
        snprintf(home, sizeof home, "%.*s", (int)(strstr(path, "/a.db") - path), path);
        owner_end(now->who);
        now->kept = ref_env_remove(ref_vfs_posix(), home);
    }
}

static void an_environment_is_not_removed_while_a_guest_copies_it(void **state)
{
    fixture *fix = *state;
    owner who;
    pressure now = {.who = &who};

    owner_start(&who, fix);
    owner_do(&who, "move 40");
    owner_do(&who, "checkpoint");
    ref_env *guest = guest_open(fix);
    fix->vfs.before_context = &now;
    fix->vfs.before = remove_the_environment;
    assert_ok(guest_backup(fix, guest, "copy", 0));
    fix->vfs.before = NULL;
    assert_int_equal(now.kept, EAGAIN);
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", false, 40);
    assert_ok(ref_env_remove(ref_vfs_posix(), fix->home));
}

static void a_guest_that_dies_lets_the_owner_remove_log_again(void **state)
{
    fixture *fix = *state;
    owner who, guest;

    owner_start(&who, fix);
    owner_do(&who, "grow 60");
    owner_do(&who, "checkpoint");
    owner_start_guest(&guest, fix);
    owner_say(&guest, "backup copy %u 500000", REF_BACKUP_CREATE);
    owner_await_note(&guest, "a.db");
    owner_do(&who, "move 200");
    owner_do(&who, "checkpoint");
    assert_true(owner_do(&who, "remove_logs") > 4);
    owner_kill(&guest);
    assert_true(owner_do(&who, "remove_logs") < 4);
    /* What it has left in the target is no copy, and the next backup takes its place. */
    ref_env *again = guest_open(fix);
    assert_false(file_exists(at_dir(fix, "copy/a.db")));
    assert_ok(guest_backup(fix, again, "copy", 0));
    assert_ok(ref_env_close(again));
    books_check(fix, "copy", false, 200);
    assert_false(file_exists(at_dir(fix, "copy/a.db.__backup.tmp")));
    owner_end(&who);
}

static void a_limit_on_log_ends_the_backup_and_not_the_owner(void **state)
{
    fixture *fix = *state;
    owner who;
    pressure now = {.who = &who};

    owner_start(&who, fix);
    owner_do(&who, "grow 200");
    owner_do(&who, "checkpoint");
    owner_do(&who, "remove_logs");
    ref_env *guest = guest_open(fix);
    char target[FIXTURE_PATH];
    ref_backup_options options = {.target = strcpy(target, at_dir(fix, "copy")),
        .flags = REF_BACKUP_CREATE,
        .buffer_size = 512,
        .log_limit = 200000};
    fix->vfs.before_context = &now;
    fix->vfs.before = write_at_each_read;
    assert_fails(ref_backup(guest, &options), ENOSPC, "limit");
    fix->vfs.before = NULL;
    assert_true(now.reads > 2);
    assert_false(file_exists(at_dir(fix, "copy")));
    assert_true(owner_do(&who, "move 1") > 60);
    owner_do(&who, "checkpoint");
    assert_true(owner_do(&who, "remove_logs") < 4);
    options.log_limit = 1u << 30;
    assert_ok(ref_backup(guest, &options));
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", false, 0);
    owner_end(&who);
}

static void grow_at_each_read(void *context, fault_kind kind, const char *path)
{
    pressure *now = context;
    if (reads_a(kind, path) && ++now->reads % 4 == 0 && now->reads < 80) {
        owner_do(now->who, "grow 30");
        owner_do(now->who, "move 5");
        owner_do(now->who, "checkpoint");
    }
}

static void files_may_grow_while_they_are_copied(void **state)
{
    fixture *fix = *state;
    owner who;
    pressure now = {.who = &who};

    owner_start(&who, fix);
    owner_do(&who, "grow 20");
    owner_do(&who, "checkpoint");
    uint64_t size = file_size(at_home(fix, "a.db"));
    ref_env *guest = guest_open(fix);
    ref_backup_options options = {
        .target = at_dir(fix, "copy"), .flags = REF_BACKUP_CREATE, .buffer_size = 512};
    fix->vfs.before_context = &now;
    fix->vfs.before = grow_at_each_read;
    assert_ok(ref_backup(guest, &options));
    fix->vfs.before = NULL;
    assert_true(file_size(at_home(fix, "a.db")) > 2 * size);
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", false, now.reads / 4 * 5);
    owner_end(&who);
}

/* ---- two at once ---- */

static void two_outside_backups_at_once_are_both_whole(void **state)
{
    fixture *fix = *state;
    owner who, one, two;

    owner_start(&who, fix);
    owner_do(&who, "grow 30");
    long before = owner_do(&who, "run");
    owner_start_guest(&one, fix);
    owner_start_guest(&two, fix);
    owner_say(&one, "backup one %u 3000", REF_BACKUP_CREATE);
    owner_say(&two, "backup two %u 5000", REF_BACKUP_CREATE);
    assert_ok(owner_answer(&one));
    long between = owner_do(&who, "run");
    assert_ok(owner_answer(&two));
    owner_do(&who, "move 1");
    assert_ok(owner_tell(&one, "backup one %u 0", REF_BACKUP_CLEAN));
    owner_end(&one);
    owner_end(&two);
    books_check(fix, "one", false, between);
    books_check(fix, "two", false, before);
    owner_end(&who);
}

static void two_into_one_target_are_one_too_many(void **state)
{
    fixture *fix = *state;
    owner who, one;

    owner_start(&who, fix);
    owner_do(&who, "grow 30");
    owner_do(&who, "checkpoint");
    owner_start_guest(&one, fix);
    owner_say(&one, "backup copy %u 500000", REF_BACKUP_CREATE);
    owner_await_note(&one, "a.db");
    ref_env *guest = guest_open(fix);
    assert_fails(guest_backup(fix, guest, "copy", 0), EBUSY, "another backup");
    owner_kill(&one);
    assert_ok(guest_backup(fix, guest, "copy", 0));
    assert_ok(ref_env_close(guest));
    books_check(fix, "copy", false, 0);
    owner_end(&who);
}

typedef struct worker {
    fixture *fix;
    ref_env *guest;
    const char *copy;
    int error;
} worker;

static void *back_up_thrice(void *argument)
{
    worker *work = argument;
    for (int i = 0; i < 3 && work->error == 0; i++) {
        work->error = guest_backup(work->fix, work->guest, work->copy, REF_BACKUP_CLEAN);
    }
    return NULL;
}

static void two_threads_of_one_guest_may_back_up_at_once(void **state)
{
    fixture *fix = *state;
    owner who;
    pthread_t threads[2];

    owner_start(&who, fix);
    ref_env *guest = guest_open(fix);
    worker work[2] = {{fix, guest, "one", 0}, {fix, guest, "two", 0}};
    owner_do(&who, "grow 30");
    long before = owner_do(&who, "run");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, back_up_thrice, &work[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_ok(work[0].error);
    assert_ok(work[1].error);
    owner_do(&who, "move 1");
    assert_ok(ref_env_close(guest));
    books_check(fix, "one", false, before);
    books_check(fix, "two", false, before);
    owner_end(&who);
}

/* A backup by the owner's own process beside one from outside. */
static void a_backup_inside_and_one_outside_do_not_disturb_each_other(void **state)
{
    fixture *fix = *state;
    owner guest;
    ref_db *db;

    env_open(fix);
    db = db_make(fix->env, "c.db");
    for (uint32_t i = 0; i < 200; i++) {
        assert_ok(put_number(db, NULL, i, i, 100));
    }
    assert_ok(ref_checkpoint(fix->env, true));
    owner_start_guest(&guest, fix);
    owner_say(&guest, "backup outside %u 20000", REF_BACKUP_CREATE);
    owner_await_note(&guest, "c.db");
    assert_ok(guest_backup(fix, fix->env, "inside", 0));
    for (uint32_t i = 0; i < 200; i++) {
        assert_ok(put_number(db, NULL, i, i + 1, 100));
    }
    assert_ok(ref_checkpoint(fix->env, true));
    uint32_t *none;
    size_t count;
    assert_ok(ref_log_archive(fix->env, REF_ARCHIVE_REMOVE, &none, &count));
    assert_ok(owner_answer(&guest));
    owner_end(&guest);
    assert_ok(ref_db_close(db));
    env_close(fix);
    for (int i = 0; i < 2; i++) {
        ref_env *copy;
        uint32_t value;
        ref_env_options options = {
            .vfs = &fix->vfs.vfs, .home = at_dir(fix, i == 0 ? "inside" : "outside")};
        assert_ok(ref_env_open(&options, &copy));
        db = db_open(copy, "c.db");
        assert_int_equal(db_verify(db), 200);
        assert_int_equal(get_number(db, NULL, 199, &value), 0);
        assert_true(value == 199 || (i == 1 && value == 200));
        assert_ok(ref_db_close(db));
        assert_ok(ref_env_close(copy));
    }
}

static const struct CMUnitTest tests[] = {
    OWNER_TEST(a_copy_from_outside_has_every_transaction_committed_before),
    OWNER_TEST(the_owner_recovers_and_goes_on_as_if_there_had_been_no_backup),
    OWNER_TEST(a_copy_holds_when_the_owner_is_killed_meanwhile),
    OWNER_TEST(a_copy_holds_when_the_owner_is_killed_meanwhile_and_another_recovers),
    OWNER_TEST(copies_hold_through_many_lives_of_the_owner),
    OWNER_TEST(a_copy_holds_when_the_owner_dies_in_the_middle_of_a_file_operation),
    OWNER_TEST(removal_of_log_waits_for_a_slow_guest),
    OWNER_TEST(an_environment_is_not_removed_while_a_guest_copies_it),
    OWNER_TEST(a_guest_that_dies_lets_the_owner_remove_log_again),
    OWNER_TEST(a_limit_on_log_ends_the_backup_and_not_the_owner),
    OWNER_TEST(files_may_grow_while_they_are_copied),
    OWNER_TEST(two_outside_backups_at_once_are_both_whole),
    OWNER_TEST(two_into_one_target_are_one_too_many),
    OWNER_TEST(two_threads_of_one_guest_may_back_up_at_once),
    OWNER_TEST(a_backup_inside_and_one_outside_do_not_disturb_each_other),
};

OWNER_TEST_MAIN(tests)
