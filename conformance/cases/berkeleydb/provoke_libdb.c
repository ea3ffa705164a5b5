/*
 * Failing writes of Berkeley DB, through its documented hooks db_env_set_func_write() and
 * db_env_set_func_pwrite(): pages of those names in the C API manual. A hook is given a descriptor
 * and no name, so the name is asked from the kernel.
 */
#include "hp.h"
#include "bdb_support.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <db.h>

static struct {
    pthread_mutex_t lock;
    int error;
    unsigned long left;
    char path[PATH_MAX];
} rule = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool concerns(int fd)
{
    char link[64], path[PATH_MAX];

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return false;
    }
    path[length] = '\0';
    return strstr(path, rule.path) != NULL;
}

/* True, with errno set, if this write is to fail. */
static bool refused(int fd, size_t size)
{
    bool refuse = false;

    (void)pthread_mutex_lock(&rule.lock);
    if (rule.error != 0 && concerns(fd)) {
        refuse = size > rule.left;
        if (refuse) {
            rule.left = 0;
            errno = rule.error;
        } else {
            rule.left -= size;
        }
    }
    (void)pthread_mutex_unlock(&rule.lock);
    return refuse;
}

static ssize_t failing_write(int fd, const void *data, size_t size)
{
    return refused(fd, size) ? -1 : write(fd, data, size);
}

static ssize_t failing_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return refused(fd, size) ? -1 : pwrite(fd, data, size, offset);
}

int bdb_provoke_write_error(
    int error, unsigned long after_bytes, const char *path_substring_or_null)
{
    int ret;

    (void)pthread_mutex_lock(&rule.lock);
    rule.error = error;
    rule.left = after_bytes;
    (void)snprintf(rule.path, sizeof rule.path, "%s",
        path_substring_or_null == NULL ? "" : path_substring_or_null);
    (void)pthread_mutex_unlock(&rule.lock);
    ret = db_env_set_func_write(failing_write);
    return ret == 0 ? db_env_set_func_pwrite(failing_pwrite) : ret;
}

int bdb_provoke_clear(void)
{
    (void)pthread_mutex_lock(&rule.lock);
    rule.error = 0;
    (void)pthread_mutex_unlock(&rule.lock);
    return 0;
}
