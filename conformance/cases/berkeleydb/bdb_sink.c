/* A destination behind the three backup callbacks. */
#include "hp.h"
#include "bdb_sink.h"
#include "bdb_files.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <db.h>

enum { CALLS_MAX = 8192, FILES_MAX = 256, RULES_MAX = 4 };

/* An open file of the sink; its address is the handle. Slots are never used twice, so a stale
 * handle shows. */
typedef struct sink_file {
    FILE *stream;
    char name[256];
} sink_file;

static struct {
    char directory[256];
    bdb_sink_call calls[CALLS_MAX];
    size_t call_count;
    sink_file files[FILES_MAX];
    size_t file_count;
    struct {
        bdb_sink_op op;
        const char *pattern;
        int value;
    } rules[RULES_MAX];
    size_t rule_count;
    const char *action_pattern;
    int (*action)(void *argument);
    void *argument;
} sink;

static bool matches(const char *pattern, const char *name)
{
    const char *slash = strrchr(name, '/');

    return fnmatch(pattern, slash == NULL ? name : slash + 1, 0) == 0;
}

/* What the rules say to this call: 0, or the value to return. */
static int verdict(bdb_sink_op op, const char *name)
{
    for (size_t i = 0; i < sink.rule_count; i++) {
        if (sink.rules[i].op == op && matches(sink.rules[i].pattern, name)) {
            return sink.rules[i].value;
        }
    }
    return 0;
}

double bdb_seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bdb_sink_call *record(
    const DB_ENV *env, bdb_sink_op op, const char *name, const void *handle)
{
    static bdb_sink_call overflow;

    if (sink.call_count == CALLS_MAX) {
        return &overflow; /* bdb_sink_assert_protocol() says so */
    }
    bdb_sink_call *call = &sink.calls[sink.call_count++];
    memset(call, 0, sizeof *call);
    call->op = op;
    call->handle = handle;
    call->env = env;
    call->at = bdb_seconds();
    (void)snprintf(call->name, sizeof call->name, "%s", name == NULL ? "" : name);
    return call;
}

/* A library that got no handle from a failed open may come back with none, or with one of its own.
 */
static sink_file *file_of(const void *handle)
{
    for (size_t i = 0; i < sink.file_count; i++) {
        if (handle == &sink.files[i]) {
            return &sink.files[i];
        }
    }
    return NULL;
}

static FILE *open_below(const char *target, const char *name)
{
    char path[PATH_MAX];

    (void)snprintf(
        path, sizeof path, "%s/%s/%s", sink.directory, target == NULL ? "" : target, name);
    for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700); /* what is wrong with it the open below will say */
        *slash = '/';
    }
    return fopen(path, "w");
}

static int on_open(DB_ENV *env, const char *name, const char *target, void **handle)
{
    bdb_sink_call *call = record(env, BDB_SINK_OPEN, name, NULL);
    call->null_target = target == NULL;
    (void)snprintf(call->target, sizeof call->target, "%s", target == NULL ? "" : target);

    int value = verdict(BDB_SINK_OPEN, name);
    *handle = NULL;
    if (value != 0) {
        return value;
    }
    if (sink.file_count == FILES_MAX) {
        return EMFILE;
    }
    sink_file *file = &sink.files[sink.file_count++];
    (void)snprintf(file->name, sizeof file->name, "%s", name);
    file->stream = open_below(target, name);
    if (file->stream == NULL) {
        return errno;
    }
    call->handle = *handle = file;
    return 0;
}

static int on_write(
    DB_ENV *env, uint32_t gbytes, uint32_t offset, uint32_t size, uint8_t *buf, void *handle)
{
    sink_file *file = file_of(handle);
    bdb_sink_call *call = record(env, BDB_SINK_WRITE, file == NULL ? "" : file->name, handle);
    call->offset = ((uint64_t)gbytes << 30) + offset;
    call->size = size;
    if (file == NULL || file->stream == NULL) {
        return 0; /* counted; the case judges */
    }

    if (sink.action != NULL && matches(sink.action_pattern, file->name)) {
        int (*action)(void *) = sink.action;

        sink.action = NULL;
        int ret = action(sink.argument);
        if (ret != 0) {
            return ret;
        }
    }
    int value = verdict(BDB_SINK_WRITE, file->name);
    if (value != 0) {
        return value;
    }
    if (fseeko(file->stream, (off_t)call->offset, SEEK_SET) != 0 ||
        fwrite(buf, 1, size, file->stream) != size) {
        return errno;
    }
    return 0;
}

static int on_close(DB_ENV *env, const char *name, void *handle)
{
    sink_file *file = file_of(handle);

    (void)record(env, BDB_SINK_CLOSE, name, handle);
    if (file != NULL && file->stream != NULL) {
        (void)fclose(file->stream);
        file->stream = NULL;
    }
    return verdict(BDB_SINK_CLOSE, name);
}

void bdb_sink_reset(void)
{
    sink.call_count = sink.file_count = sink.rule_count = 0;
    sink.action = NULL;
}

void bdb_sink_install(DB_ENV *env, const char *directory)
{
    bdb_sink_reset();
    (void)snprintf(sink.directory, sizeof sink.directory, "%s", directory);
    if (!bdb_exists(directory)) {
        bdb_make_dir(directory);
    }
    int ret = env->set_backup_callbacks(env, on_open, on_write, on_close);
    if (ret != 0) {
        hp_unresolved("DB_ENV->set_backup_callbacks: %s", db_strerror(ret));
    }
}

bdb_sample *bdb_sink_sample(void)
{
    bdb_sample *s = bdb_sample_new(&bdb_plain);

    bdb_write_file("home/notes.txt", "ordinary");
    bdb_sink_install(s->env, "sink");
    return s;
}

void bdb_sink_fail(bdb_sink_op op, const char *pattern, int value)
{
    if (sink.rule_count == RULES_MAX) {
        hp_unresolved("more than %d rules", RULES_MAX);
    }
    sink.rules[sink.rule_count].op = op;
    sink.rules[sink.rule_count].pattern = pattern;
    sink.rules[sink.rule_count].value = value;
    sink.rule_count++;
}

void bdb_sink_on_write(const char *pattern, int (*action)(void *argument), void *argument)
{
    sink.action_pattern = pattern;
    sink.action = action;
    sink.argument = argument;
}

size_t bdb_sink_call_count(void)
{
    return sink.call_count;
}

const bdb_sink_call *bdb_sink_call_at(size_t i)
{
    return &sink.calls[i];
}

size_t bdb_sink_count(bdb_sink_op op, const char *pattern)
{
    size_t count = 0;

    for (size_t i = 0; i < sink.call_count; i++) {
        count += sink.calls[i].op == op && matches(pattern, sink.calls[i].name);
    }
    return count;
}

size_t bdb_sink_pauses(const char *pattern, double seconds)
{
    size_t count = 0;

    for (size_t i = 0; i + 1 < sink.call_count; i++) {
        count += sink.calls[i].op == BDB_SINK_WRITE && matches(pattern, sink.calls[i].name) &&
                 sink.calls[i + 1].at - sink.calls[i].at >= seconds;
    }
    return count;
}

void bdb_sink_assert_protocol(void)
{
    const bdb_sink_call *open = NULL;
    uint64_t next = 0;

    if (sink.call_count == CALLS_MAX) {
        fail_msg("more than %d callbacks", CALLS_MAX);
    }
    for (size_t i = 0; i < sink.call_count; i++) {
        const bdb_sink_call *call = &sink.calls[i];

        if (call->op == BDB_SINK_OPEN) {
            if (open != NULL) {
                fail_msg("%s was opened before %s was closed", call->name, open->name);
            }
            open = call;
            next = 0;
        } else if (open == NULL || call->handle != open->handle ||
                   strcmp(call->name, open->name) != 0) {
            fail_msg("call %zu, for \"%s\", does not belong to the open file, %s", i, call->name,
                open == NULL ? "there is none" : open->name);
        } else if (call->op == BDB_SINK_CLOSE) {
            open = NULL;
        } else {
            if (call->offset != next) {
                fail_msg("%s: a write at %ju, where %ju was next", call->name,
                    (uintmax_t)call->offset, (uintmax_t)next);
            }
            next += call->size;
        }
    }
    if (open != NULL) {
        fail_msg("%s was not closed", open->name);
    }
}
