/* A current directory of its own for each test: see cwd.h. */
#include "cwd.h"

#include "testmain.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TREE_MAX 200

static char directory[1024];
static int where_from = -1;

int cwd_setup(void **state)
{
    (void)state;
    where_from = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const char *tmp = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/hotproof.XXXXXX", tmp != NULL ? tmp : "/tmp");
    return where_from < 0 || mkdtemp(directory) == NULL || chdir(directory) != 0;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
    (void)stat;
    (void)kind;
    (void)at;
    return remove(path);
}

int cwd_teardown(void **state)
{
    (void)state;
    int failed = fchdir(where_from);
    close(where_from);
    return nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 || failed;
}

void cwd_dir(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

void cwd_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
    assert_int_equal(fclose(file), 0);
}

void cwd_link(const char *path, const char *to)
{
    assert_int_equal(symlink(to, path), 0);
}

void cwd_is(const char *path, const char *content)
{
    char found[4096];
    struct stat stat;
    assert_int_equal(lstat(path, &stat), 0);
    assert_true(S_ISREG(stat.st_mode));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(found, 1, sizeof found - 1, file);
    found[size] = '\0';
    fclose(file);
    assert_string_equal(found, content);
}

bool cwd_exists(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) == 0;
}

static char *paths[TREE_MAX];
static size_t path_count;
static size_t root_length;

static int note_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
    (void)stat;
    if (at->level > 0) {
        assert_true(path_count < TREE_MAX);
        const char *below = path + root_length + 1;
        size_t size = strlen(below) + 2;
        paths[path_count] = malloc(size);
        assert_non_null(paths[path_count]);
        snprintf(paths[path_count++], size, "%s%s", below, kind == FTW_D ? "/" : "");
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *cwd_tree(const char *path)
{
    static char text[8192];
    path_count = 0;
    root_length = strlen(path);
    text[0] = '\0';
    if (nftw(path, note_one, 16, FTW_PHYS) != 0) {
        return "not there";
    }
    qsort(paths, path_count, sizeof paths[0], compare);
    for (size_t i = 0; i < path_count; i++) {
        assert_true(strlen(text) + strlen(paths[i]) + 2 < sizeof text);
        strcat(text, paths[i]);
        strcat(text, "\n");
        free(paths[i]);
    }
    return text;
}
