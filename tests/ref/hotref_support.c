/* Fixtures of the tests of `hotref`: see hotref_support.h. */
#include "hotref_support.h"

#include "testmain.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32

static char said[1u << 20];

/* ---- running ---- */

static pid_t start(const char *first, va_list rest)
{
    char *argv[ARGUMENTS_MAX] = {(char *)(uintptr_t) "hotref", (char *)(uintptr_t)first};
    for (size_t i = 2; argv[i - 1] != NULL; i++) {
        assert_true(i < ARGUMENTS_MAX);
        argv[i] = va_arg(rest, char *);
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int out = open(".hotref-said", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int in = open("/dev/null", O_RDONLY);
        if (out < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || dup2(in, 0) < 0) {
            _exit(99);
        }
        execv(HOTREF, argv);
        _exit(98);
    }
    return child;
}

pid_t hotref_start(const char *first, ...)
{
    va_list rest;
    va_start(rest, first);
    pid_t child = start(first, rest);
    va_end(rest);
    return child;
}

int hotref_wait(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0) {
        assert_int_equal(errno, EINTR);
    }
    FILE *file = fopen(".hotref-said", "r");
    assert_non_null(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    unlink(".hotref-said");
    if (!WIFEXITED(status)) {
        fail_msg("hotref ended by signal %d: %s", WTERMSIG(status), said);
    }
    return WEXITSTATUS(status);
}

int hotref(const char *first, ...)
{
    va_list rest;
    va_start(rest, first);
    pid_t child = start(first, rest);
    va_end(rest);
    return hotref_wait(child);
}

const char *hotref_said(void)
{
    return said;
}

void hotref_must_say(const char *text)
{
    if (strstr(said, text) == NULL) {
        fail_msg("\"%s\" is not in:\n%s", text, said);
    }
}

void hotref_must_not_say(const char *text)
{
    if (strstr(said, text) != NULL) {
        fail_msg("\"%s\" is in:\n%s", text, said);
    }
}

/* ---- environments ---- */

ref_env *home_open(const char *home, const char *const *data_dirs, size_t data_dir_count)
{
    ref_env_options options = {.home = home,
        .data_dirs = data_dirs,
        .data_dir_count = data_dir_count,
        .segment_size = REF_SEGMENT_SIZE_MIN,
        .create = true};
    char path[256];
    ref_env *env;

    assert_true(mkdir(home, 0700) == 0 || errno == EEXIST);
    for (size_t i = 0; i < data_dir_count; i++) {
        snprintf(path, sizeof path, "%s/%s", home, data_dirs[i]);
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    }
    if (ref_env_open(&options, &env) != 0) {
        fail_msg("%s", ref_error_text());
    }
    return env;
}

void home_put(ref_env *env, const char *name, unsigned from, unsigned count, bool one_commit)
{
    ref_db_options options = {.create = true, .page_size = 1024};
    ref_txn_options lazily = {.no_sync = true};
    ref_txn *txn = NULL;
    ref_db *db;
    char key[16], value[64];

    if (ref_db_open(env, NULL, name, &options, &db) != 0) {
        fail_msg("%s", ref_error_text());
    }
    for (unsigned i = from; i < from + count; i++) {
        if (txn == NULL) {
            assert_int_equal(ref_txn_begin(env, &lazily, &txn), 0);
        }
        snprintf(key, sizeof key, "%010u", i);
        snprintf(value, sizeof value, "%-60u", i * 7);
        assert_int_equal(
            ref_db_put(db, txn, (ref_slice){key, 10}, (ref_slice){value, 60}, false), 0);
        if (!one_commit || i + 1 == from + count) {
            assert_int_equal(ref_txn_commit(txn), 0);
            txn = NULL;
        }
    }
    assert_int_equal(ref_db_close(db), 0);
    assert_int_equal(ref_log_flush(env), 0);
}

/* ---- files ---- */

void file_flip(const char *path, uint64_t offset, unsigned char bits)
{
    unsigned char byte;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
    byte ^= bits;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
    close(fd);
}

void file_cut(const char *path, uint64_t size)
{
    assert_int_equal(truncate(path, (off_t)size), 0);
}

void file_append(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

void file_copy(const char *from, const char *to)
{
    static char buffer[65536];
    ssize_t size;
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(in >= 0 && out >= 0);
    while ((size = read(in, buffer, sizeof buffer)) > 0) {
        assert_int_equal(write(out, buffer, (size_t)size), size);
    }
    close(in);
    close(out);
}

uint64_t file_size(const char *path)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    return (uint64_t)found.st_size;
}

static uint64_t state;

static void mix(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        state = (state ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    }
}

static int mix_one(const char *path, const struct stat *found, int kind, struct FTW *at)
{
    static char buffer[65536];
    (void)at;
    mix(path, strlen(path));
    mix(&found->st_size, sizeof found->st_size);
    mix(&found->st_mtim, sizeof found->st_mtim);
    mix(&found->st_ctim, sizeof found->st_ctim);
    if (kind == FTW_F) {
        int fd = open(path, O_RDONLY);
        assert_true(fd >= 0);
        for (ssize_t size; (size = read(fd, buffer, sizeof buffer)) > 0;) {
            mix(buffer, (size_t)size);
        }
        close(fd);
    }
    return 0;
}

uint64_t tree_state(const char *path)
{
    state = 14695981039346656037u;
    assert_int_equal(nftw(path, mix_one, 16, FTW_PHYS), 0);
    return state;
}
