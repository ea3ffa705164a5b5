/*
 * Failing writes of the reference engine, at its only door to the operating system: two methods of
 * the vfs are replaced while a rule is set. Files that were open before the rule are left alone; a
 * backup opens its own.
 */
#include "hp.h"
#include "bdb_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "engine/vfs.h"

enum { WATCHED_MAX = 64 };

static struct {
    pthread_mutex_t lock;
    int error; /* 0: no rule */
    unsigned long left;
    char path[4096];
    const ref_file *watched[WATCHED_MAX]; /* open files whose path the rule names */
    int (*open)(ref_vfs *, const char *, unsigned, uint32_t, ref_file **);
    int (*pwrite)(ref_file *, const void *, size_t, uint64_t, size_t *);
} rule = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int watching_open(
    ref_vfs *vfs, const char *path, unsigned flags, uint32_t mode, ref_file **out)
{
    int error = rule.open(vfs, path, flags, mode, out);

    (void)pthread_mutex_lock(&rule.lock);
    for (size_t i = 0; i < WATCHED_MAX && error == 0; i++) {
        /* A closed file's memory may be the new file's. */
        if (rule.watched[i] == *out) {
            rule.watched[i] = NULL;
        }
    }
    for (size_t i = 0; i < WATCHED_MAX && error == 0 && strstr(path, rule.path) != NULL; i++) {
        if (rule.watched[i] == NULL) {
            rule.watched[i] = *out;
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
    for (size_t i = 0; i < WATCHED_MAX && rule.error != 0; i++) {
        if (rule.watched[i] == file) {
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

int bdb_provoke_write_error(
    int error, unsigned long after_bytes, const char *path_substring_or_null)
{
    const char *path = path_substring_or_null != NULL ? path_substring_or_null : "";
    ref_vfs *vfs = ref_default_vfs();

    if (strlen(path) >= sizeof rule.path) {
        return ENAMETOOLONG;
    }
    (void)pthread_mutex_lock(&rule.lock);
    if (rule.open == NULL) {
        rule.open = vfs->open;
        rule.pwrite = vfs->pwrite;
        vfs->open = watching_open;
        vfs->pwrite = failing_pwrite;
    }
    memset(rule.watched, 0, sizeof rule.watched);
    strcpy(rule.path, path);
    rule.left = after_bytes;
    rule.error = error;
    (void)pthread_mutex_unlock(&rule.lock);
    return 0;
}

int bdb_provoke_clear(void)
{
    (void)pthread_mutex_lock(&rule.lock);
    rule.error = 0;
    (void)pthread_mutex_unlock(&rule.lock);
    return 0;
}
