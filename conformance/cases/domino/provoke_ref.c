/*
 * What the reference engine can be made to do beside the documented functions: two hooks of its
 * face, keys of its notes.ini, and its only door to the operating system, of which three methods
 * are replaced when the first case asks for it.
 */
#include "hp.h"
#include "domino_provoke.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "domino/provoke.h"
#include "engine/vfs.h"

enum { TEMPORARY_MAX = 16 };

static struct {
    pthread_mutex_t lock;
    int error; /* of temporary files; 0: none */
    uint64_t left;
    const ref_file *temporary[TEMPORARY_MAX];
    uint64_t passed; /* nanoseconds */
    int (*open)(ref_vfs *, const char *, unsigned, uint32_t, ref_file **);
    int (*pwrite)(ref_file *, const void *, size_t, uint64_t, size_t *);
    uint64_t (*now)(ref_vfs *);
} rule = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Neither a database nor what belongs to the log. */
static bool is_temporary(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t length = strlen(name);

    return strncmp(name, "log.", 4) != 0 && strncmp(name, "__db.", 5) != 0 &&
           (length < 4 || strcmp(name + length - 4, ".nsf") != 0);
}

static int watching_open(
    ref_vfs *vfs, const char *path, unsigned flags, uint32_t mode, ref_file **out)
{
    int error = rule.open(vfs, path, flags, mode, out);

    (void)pthread_mutex_lock(&rule.lock);
    for (size_t i = 0; i < TEMPORARY_MAX && error == 0; i++) {
        /* A closed file's memory may be the new file's. */
        if (rule.temporary[i] == *out) {
            rule.temporary[i] = NULL;
        }
    }
    for (size_t i = 0; i < TEMPORARY_MAX && error == 0 && is_temporary(path); i++) {
        if (rule.temporary[i] == NULL) {
            rule.temporary[i] = *out;
            break;
        }
    }
    (void)pthread_mutex_unlock(&rule.lock);
    return error;
}

static int failing_pwrite(
    ref_file *file, const void *buffer, size_t size, uint64_t offset, size_t *done)
{
    bool refuse = false;

    (void)pthread_mutex_lock(&rule.lock);
    for (size_t i = 0; i < TEMPORARY_MAX && rule.error != 0; i++) {
        if (rule.temporary[i] == file) {
            refuse = size > rule.left;
            rule.left = refuse ? 0 : rule.left - size;
            break;
        }
    }
    int error = rule.error;
    (void)pthread_mutex_unlock(&rule.lock);
    if (refuse) {
        *done = 0;
        return error;
    }
    return rule.pwrite(file, buffer, size, offset, done);
}

static uint64_t later_now(ref_vfs *vfs)
{
    (void)pthread_mutex_lock(&rule.lock);
    uint64_t passed = rule.passed;
    (void)pthread_mutex_unlock(&rule.lock);
    return rule.now(vfs) + passed;
}

/* Caller holds the lock. */
static void stand_at_the_door(void)
{
    ref_vfs *vfs = ref_default_vfs();

    if (rule.open == NULL) {
        rule.open = vfs->open;
        rule.pwrite = vfs->pwrite;
        rule.now = vfs->now;
        vfs->open = watching_open;
        vfs->pwrite = failing_pwrite;
        vfs->now = later_now;
    }
}

static void fail_temporary_files(int error, uint64_t after_bytes)
{
    (void)pthread_mutex_lock(&rule.lock);
    stand_at_the_door();
    rule.error = error;
    rule.left = after_bytes;
    (void)pthread_mutex_unlock(&rule.lock);
}

static void pass_time(unsigned seconds)
{
    (void)pthread_mutex_lock(&rule.lock);
    stand_at_the_door();
    rule.passed += (uint64_t)seconds * 1000000000U;
    (void)pthread_mutex_unlock(&rule.lock);
}

static void serve(const char *server, const char *directory, char *ini, size_t size)
{
    (void)snprintf(ini, size, "Hotref_Server_%s=%s\n", server, directory);
}

const dom_provoke_table dom_provoke = {
    .marks = {.offset = 256, .size = 64},
    .flush = ref_dom_provoke_flush,
    .serve = serve,
    .no_temporary_file = "Hotref_Backup_No_Spill=1\n",
    .fail_temporary_files = fail_temporary_files,
    .pass_time = pass_time,
    .pause_compaction = ref_dom_provoke_compact_pause,
};
