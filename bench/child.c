/* The process in which an engine does something: see child.h. */
#include "child.h"

#include "../conformance/hp_engine.h"
#include "../conformance/hp_module.h"
#include "../conformance/runner/module.h"
#include "files.h"
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { WORDS = 1024 };
static const uint64_t backup_cache = UINT64_C(16) << 20; /* a backup reads past it */

/* ---- the report ---- */

static int fail(int status, const char *words)
{
    char line[WORDS];
    snprintf(line, sizeof line, "%s", words);
    for (char *at = line; (at = strchr(at, '\n')) != NULL;) {
        *at = ' ';
    }
    dprintf(BENCH_REPORT_FD, "error %s\n", line);
    return status;
}

static int fail_path(int status, const char *path, int error)
{
    char words[WORDS];
    snprintf(words, sizeof words, "%s: %s", path, strerror(error));
    return fail(status, words);
}

static void report_text(const char *name, const char *value)
{
    dprintf(BENCH_REPORT_FD, "%s %s\n", name, value);
}

static void report_number(const char *name, uint64_t value)
{
    dprintf(BENCH_REPORT_FD, "%s %" PRIu64 "\n", name, value);
}

/* ---- clocks ---- */

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* User and system time of this process's children. */
static uint64_t children_ns(void)
{
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return ((uint64_t)used.ru_utime.tv_sec + (uint64_t)used.ru_stime.tv_sec) * 1000000000u +
           ((uint64_t)used.ru_utime.tv_usec + (uint64_t)used.ru_stime.tv_usec) * 1000u;
}

/* What a backup has used so far. */
typedef struct used {
    uint64_t wall_ns, cpu_ns;
} used;

static used use_until_now(void)
{
    return (used){.wall_ns = nanoseconds(CLOCK_MONOTONIC),
        .cpu_ns = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) + children_ns()};
}

/* Memory that is resident now, in KiB. */
static uint64_t resident_kib(void)
{
    unsigned long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL || fscanf(file, "%lu %lu", &size, &resident) != 2) {
        resident = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* What was needed to open the environment is not the backup's: the peak that the parent sees begins
 * here. Without permission it stays the whole process's. */
static void forget_peak(void)
{
    malloc_trim(0);
    FILE *file = fopen("/proc/self/clear_refs", "we");
    if (file != NULL) {
        fputs("5", file);
        fclose(file);
    }
}

/* The last thing before a backup. */
static used begin_use(void)
{
    forget_peak();
    report_number("idle_kib", resident_kib());
    return use_until_now();
}

/* The first thing after it. */
static void report_use(used before)
{
    used after = use_until_now();
    report_number("wall_ns", after.wall_ns - before.wall_ns);
    report_number("cpu_ns", after.cpu_ns - before.cpu_ns);
}

/* ---- modules ---- */

/* The module and its operations, or NULL after the report of why not. */
static const hp_module *open_module(const char *path)
{
    char why[WORDS];
    const hp_module *module = hp_module_open(path, why, sizeof why);
    if (module == NULL) {
        fail(BENCH_CHILD_BROKEN, why);
        return NULL;
    }
    if (module->operations != NULL && module->operations->version != HP_ENGINE_VERSION) {
        snprintf(why, sizeof why, "%s: operations of version %u, this hotbench knows version %u",
            path, module->operations->version, HP_ENGINE_VERSION);
        fail(BENCH_CHILD_BROKEN, why);
        return NULL;
    }
    return module;
}

static const hp_engine *open_engine(const char *path)
{
    const hp_module *module = open_module(path);
    if (module != NULL && module->operations == NULL) {
        fail(BENCH_CHILD_BROKEN, "the module has no operations");
        return NULL;
    }
    return module != NULL ? module->operations : NULL;
}

static int describe(char **argv)
{
    const hp_module *module = open_module(argv[0]);
    if (module == NULL) {
        return BENCH_CHILD_BROKEN;
    }
    report_text("engine", module->engine);
    report_text("version", module->library_version());
    report_text("build", module->library_build != NULL ? module->library_build() : "");
    report_number("real_library", (module->flags & HP_MODULE_REAL_LIBRARY) != 0);
    report_number("operations", module->operations != NULL);
    report_number("syncs", module->operations != NULL &&
                               (module->operations->capabilities & HP_ENGINE_BACKUP_SYNCS) != 0);
    return BENCH_CHILD_DONE;
}

/* ---- commands ---- */

static int load(char **argv)
{
    char why[WORDS];
    uint64_t records;
    const hp_engine *engine = open_engine(argv[0]);
    if (engine == NULL) {
        return BENCH_CHILD_BROKEN;
    }
    if (bench_load(engine, argv[1], strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
            &records, why, sizeof why) != 0) {
        return fail(BENCH_CHILD_BROKEN, why);
    }
    report_number("records", records);
    return BENCH_CHILD_DONE;
}

static int backup(char **argv)
{
    const hp_engine *engine = open_engine(argv[0]);
    const char *home = argv[1], *target = argv[2];
    hp_environment *environment;
    const hp_engine_settings settings = {.cache_bytes = backup_cache};
    if (engine == NULL) {
        return BENCH_CHILD_BROKEN;
    }
    bool sync = strcmp(argv[3], "1") == 0 && (engine->capabilities & HP_ENGINE_BACKUP_SYNCS) == 0;
    if (engine->open(home, 0, &settings, &environment) != 0) {
        return fail(BENCH_CHILD_BROKEN, engine->words());
    }
    int error = bench_tree_read(home);
    if (error != 0) {
        return fail_path(BENCH_CHILD_BROKEN, home, error);
    }
    used before = begin_use();
    error = engine->backup(environment, target);
    int sync_error = error == 0 && sync ? bench_tree_sync(target) : 0;
    report_use(before);
    if (error != 0) {
        return fail(BENCH_CHILD_FAILED, engine->words());
    }
    if (sync_error != 0) {
        return fail_path(BENCH_CHILD_FAILED, target, sync_error);
    }
    return engine->close(environment) == 0 ? BENCH_CHILD_DONE
                                           : fail(BENCH_CHILD_BROKEN, engine->words());
}

static int run_cp(const char *home, const char *target)
{
    char name[] = "cp", recursive[] = "-r", end[] = "--";
    char *from = strdup(home), *to = strdup(target);
    char *arguments[] = {name, recursive, end, from, to, NULL};
    pid_t pid;
    int status = 0;
    int error = from == NULL || to == NULL
                    ? ENOMEM
                    : posix_spawnp(&pid, name, NULL, NULL, arguments, environ);
    if (error == 0) {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    free(from);
    free(to);
    return error != 0 || status != 0 ? -1 : 0;
}

static int copy(char **argv)
{
    const char *home = argv[0], *target = argv[1];
    bool sync = strcmp(argv[2], "1") == 0;
    int error = bench_tree_read(home);
    if (error != 0) {
        return fail_path(BENCH_CHILD_BROKEN, home, error);
    }
    forget_peak();
    used before = begin_use();
    int status = run_cp(home, target);
    error = status == 0 && sync ? bench_tree_sync(target) : 0;
    report_use(before);
    if (status != 0) {
        return fail(BENCH_CHILD_FAILED, "cp -r failed");
    }
    return error == 0 ? BENCH_CHILD_DONE : fail_path(BENCH_CHILD_FAILED, target, error);
}

static int verify(char **argv)
{
    char why[WORDS];
    const hp_engine *engine = open_engine(argv[0]);
    if (engine == NULL) {
        return BENCH_CHILD_BROKEN;
    }
    return bench_check(engine, argv[1], strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
               why, sizeof why) == 0
               ? BENCH_CHILD_DONE
               : fail(BENCH_CHILD_FAILED, why);
}

int bench_child_main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int arguments;
        int (*run)(char **argv);
    } commands[] = {{"describe", 1, describe}, {"load", 4, load}, {"backup", 4, backup},
        {"copy", 3, copy}, {"verify", 4, verify}};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (argc > 0 && strcmp(argv[0], commands[i].name) == 0 &&
            argc == commands[i].arguments + 1) {
            return commands[i].run(argv + 1);
        }
    }
    return fail(BENCH_CHILD_BROKEN, "not a command of this program");
}
