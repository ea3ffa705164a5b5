/* The process that owns an environment, from inside: see owner.h. */
#include "owner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define ACCOUNTS 300u
#define LIFE 60u /* seconds */

typedef struct child {
    ref_env *env;
    fault_vfs vfs;
    ref_db *a, *b;
    long moves;
    uint64_t seed;
    bool answered; /* already, whatever comes of the order */
    bool over;
} child;

static char die_part[256];
static fault_kind die_kind;
static unsigned die_after; /* so many more of them */

/* ---- the books ---- */

/* The number at a key; 0 for none. */
static int get(ref_db *db, ref_txn *txn, const char *key, long *number)
{
    ref_buffer found = {0};
    int error = ref_db_get(db, txn, text(key), txn != NULL, &found);
    *number = error == 0 ? strtol((const char *)found.data, NULL, 10) : 0;
    ref_buffer_free(&found);
    return error == REF_NOTFOUND ? 0 : error;
}

static int set(ref_db *db, ref_txn *txn, const char *key, long number, int width)
{
    char value[256];
    int length = snprintf(value, sizeof value, "%-*ld", width, number);
    return ref_db_put(db, txn, text(key), (ref_slice){value, (size_t)length + 1}, false);
}

/* Adds to both books: the amount to one, and its opposite to the other. */
static int add(child *me, ref_txn *txn, const char *key, long amount)
{
    long a, b;
    int error = get(me->a, txn, key, &a);
    if (error == 0) {
        error = get(me->b, txn, key, &b);
    }
    if (error == 0) {
        error = set(me->a, txn, key, a + amount, 40);
    }
    return error == 0 ? set(me->b, txn, key, b - amount, 40) : error;
}

static int end_txn(ref_txn *txn, int error)
{
    if (error != 0) {
        ref_txn_abort(txn);
        return error;
    }
    return ref_txn_commit(txn);
}

static int move_once(child *me, bool sync)
{
    char key[16];
    ref_txn *txn;
    ref_txn_options options = {.no_sync = !sync};

    int error = ref_txn_begin(me->env, &options, &txn);
    if (error != 0) {
        return error;
    }
    snprintf(key, sizeof key, "k%05u", next_random(&me->seed) % ACCOUNTS);
    error = add(me, txn, key, (long)(next_random(&me->seed) % 100));
    if (error == 0) {
        error = add(me, txn, "moves", 1);
    }
    error = end_txn(txn, error);
    me->moves += error == 0;
    return error;
}

static int move(child *me, const char *count, const char *unused)
{
    long moves = strtol(count, NULL, 10);
    int error = 0;
    (void)unused;
    for (long i = 1; i <= moves && error == 0; i++) {
        error = move_once(me, i == moves);
    }
    return error;
}

static int grow(child *me, const char *count, const char *unused)
{
    long accounts = strtol(count, NULL, 10);
    ref_txn *txn;
    (void)unused;
    int error = ref_txn_begin(me->env, NULL, &txn);
    if (error != 0) {
        return error;
    }
    for (long i = 0; i < accounts && error == 0; i++) {
        char key[32];
        snprintf(key, sizeof key, "g%08x%08x", next_random(&me->seed), next_random(&me->seed));
        error = set(me->a, txn, key, 7, 100);
        if (error == 0) {
            error = set(me->b, txn, key, -7, 100);
        }
    }
    return end_txn(txn, error);
}

static void answer(int error, long number)
{
    printf("%d %ld %s\n", error, number, error != 0 ? ref_error_text() : "");
    fflush(stdout);
}

static bool order_waits(void)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&in, 1, 0) != 0;
}

static int remove_logs(child *me, const char *unused, const char *unused_too)
{
    uint32_t *numbers;
    size_t count;
    (void)unused;
    (void)unused_too;
    return ref_log_archive(me->env, REF_ARCHIVE_REMOVE, &numbers, &count);
}

/* Answers when what has been done so far is durable, and goes on until there is an order. */
static int run(child *me, const char *unused, const char *unused_too)
{
    int error = ref_log_flush(me->env);
    me->answered = true;
    answer(error, me->moves);
    for (unsigned i = 1; error == 0 && !order_waits(); i++) {
        error = move_once(me, i % 8 == 0);
        if (error == 0 && i % 10 == 0) {
            error = grow(me, "1", NULL);
        }
        if (error == 0 && i % 40 == 0) {
            error = ref_checkpoint(me->env, false);
        }
        if (error == 0 && i % 80 == 0) {
            error = remove_logs(me, unused, unused_too);
        }
        usleep(200);
    }
    if (error != 0) {
        fprintf(stderr, "owner: %d %s\n", error, ref_error_text());
        exit(1);
    }
    return 0;
}

/* ---- other orders ---- */

static int count_logs(child *me, ref_archive what)
{
    uint32_t *numbers;
    size_t count;
    int error = ref_log_archive(me->env, what, &numbers, &count);
    free(numbers);
    return error == 0 ? (int)count : -1;
}

static int removable(child *me, const char *unused, const char *unused_too)
{
    (void)unused;
    (void)unused_too;
    me->answered = true;
    answer(0, count_logs(me, REF_ARCHIVE_REMOVABLE));
    return 0;
}

static int checkpoint(child *me, const char *unused, const char *unused_too)
{
    (void)unused;
    (void)unused_too;
    return ref_checkpoint(me->env, true);
}

/* A database with one record, and, in the same transaction, a note of it in the books. */
static int make(child *me, const char *name, bool note)
{
    ref_db_options options = {.create = true, .exclusive = true, .page_size = 512};
    ref_db *db;
    ref_txn *txn;

    int error = ref_txn_begin(me->env, NULL, &txn);
    if (error != 0) {
        return error;
    }
    error = ref_db_open(me->env, txn, name, &options, &db);
    if (error != 0) {
        return end_txn(txn, error);
    }
    error = put(db, txn, name, name);
    if (error == 0 && note) {
        error = put(me->a, txn, "bridge", name);
    }
    error = end_txn(txn, error);
    int closed = ref_db_close(db);
    return error == 0 ? closed : error;
}

static int create(child *me, const char *name, const char *unused)
{
    (void)unused;
    return make(me, name, false);
}

static int bridge(child *me, const char *name, const char *unused)
{
    (void)unused;
    return make(me, name, true);
}

static int open_database(child *me, const char *name, const char *unused)
{
    ref_db_options options = {0};
    ref_db *db;
    (void)unused;
    int error = ref_db_open(me->env, NULL, name, &options, &db);
    return error == 0 ? ref_db_close(db) : error;
}

static int remove_database(child *me, const char *name, const char *unused)
{
    (void)unused;
    return ref_db_remove(me->env, NULL, name);
}

static int rename_database(child *me, const char *from, const char *to)
{
    return ref_db_rename(me->env, NULL, from, to);
}

static int swap(child *me, const char *a, const char *b)
{
    ref_txn *txn;
    int error = ref_txn_begin(me->env, NULL, &txn);
    if (error != 0) {
        return error;
    }
    error = ref_db_rename(me->env, txn, a, "swapping.db");
    if (error == 0) {
        error = ref_db_rename(me->env, txn, b, a);
    }
    if (error == 0) {
        error = ref_db_rename(me->env, txn, "swapping.db", b);
    }
    return end_txn(txn, error);
}

static void die_there(void *context, fault_kind kind, const char *path)
{
    (void)context;
    if (kind == die_kind && path != NULL && strstr(path, die_part) != NULL && --die_after == 0) {
        raise(SIGKILL);
    }
}

/* KIND, then "PART" or "PART NTH" */
static int die(child *me, const char *kind, const char *where)
{
    die_after = 1;
    sscanf(where, "%255s %u", die_part, &die_after);
    for (die_kind = 0; die_kind < FAULT_KINDS; die_kind++) {
        if (strcmp(fault_kind_name(die_kind), kind) == 0) {
            me->vfs.before = die_there;
            return 0;
        }
    }
    return ref_fail(EINVAL, "no such operation: %s", kind);
}

static void tell_progress(void *context, const char *line)
{
    (void)context;
    printf("- %s\n", line);
    fflush(stdout);
}

/* TARGET, then "FLAGS PAUSE" */
static int backup(child *me, const char *target, const char *how)
{
    unsigned flags = 0, pause = 0;
    sscanf(how, "%u %u", &flags, &pause);
    ref_backup_options options = {.target = target,
        .flags = flags,
        .buffer_size = 2048,
        .pause_pages = 4,
        .pause_nanoseconds = (uint64_t)pause * 1000,
        .progress = tell_progress};
    return ref_backup(me->env, &options);
}

/* ---- life ---- */

static int close_all(child *me)
{
    int error = 0;
    if (me->a != NULL) {
        error = ref_db_close(me->a);
        int other = ref_db_close(me->b);
        error = error == 0 ? other : error;
    }
    int closed = ref_env_close(me->env);
    return error == 0 ? closed : error;
}

static int end(child *me, const char *unused, const char *unused_too)
{
    (void)unused;
    (void)unused_too;
    me->over = true;
    return close_all(me);
}

static int obey(child *me, char *line)
{
    static const struct {
        const char *word;
        int (*call)(child *me, const char *first, const char *second);
    } orders[] = {{"move", move}, {"run", run}, {"grow", grow}, {"checkpoint", checkpoint},
        {"remove_logs", remove_logs}, {"removable", removable}, {"create", create},
        {"bridge", bridge}, {"open", open_database}, {"remove", remove_database},
        {"rename", rename_database}, {"swap", swap}, {"die", die}, {"backup", backup},
        {"end", end}};
    char *rest = line;
    const char *word = strsep(&rest, " \n"), *first = strsep(&rest, " \n");
    const char *second = strsep(&rest, "\n");

    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (strcmp(orders[i].word, word) == 0) {
            return orders[i].call(me, first != NULL ? first : "", second != NULL ? second : "");
        }
    }
    return ref_fail(EINVAL, "no such order: %s", word);
}

static int begin_books(child *me)
{
    ref_db_options options = {.create = true, .page_size = 512};
    int error = ref_db_open(me->env, NULL, "a.db", &options, &me->a);
    if (error == 0) {
        error = ref_db_open(me->env, NULL, "b.db", &options, &me->b);
    }
    return error == 0 ? get(me->a, NULL, "moves", &me->moves) : error;
}

static long number_of(child *me, const char *order)
{
    return strncmp(order, "remove_logs", 11) == 0 ? count_logs(me, REF_ARCHIVE_ALL) : me->moves;
}

bool owner_is_child(int argc, char **argv)
{
    return argc == 5 && strcmp(argv[1], "--owner") == 0;
}

int owner_child(char **argv)
{
    static child me;
    char line[512], order[16];
    bool guest = strcmp(argv[3], "guest") == 0;
    ref_env_options options = {.vfs = &me.vfs.vfs,
        .home = "home",
        .log_dir = argv[4],
        .segment_size = REF_SEGMENT_SIZE_MIN,
        .guest = guest,
        .create = !guest};

    alarm(LIFE);
    me.seed = (uint64_t)getpid();
    fault_vfs_init(&me.vfs);
    int error = chdir(argv[2]) == 0 ? ref_env_open(&options, &me.env) : errno;
    if (error == 0 && !guest) {
        error = begin_books(&me);
    }
    answer(error, me.moves);
    while (error == 0 && !me.over && fgets(line, sizeof line, stdin) != NULL) {
        snprintf(order, sizeof order, "%.15s", line);
        me.answered = false;
        int result = obey(&me, line);
        if (!me.answered) {
            answer(result, me.over ? 0 : number_of(&me, order));
        }
    }
    fault_vfs_destroy(&me.vfs);
    return error == 0 && me.over ? 0 : 1;
}
