/* Fixtures of the engine's tests: files looked at and damaged behind the engine's back. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/internal.h"

static void need(bool condition, const char *path)
{
    if (!condition) {
        print_error("%s: %s\n", path, strerror(errno));
        fail();
    }
}

static const char *below(const char *dir, const char *name)
{
    static _Thread_local char paths[4][FIXTURE_PATH];
    static _Thread_local unsigned used;
    char *path = paths[used++ % 4];
    snprintf(path, FIXTURE_PATH, "%.700s/%.300s", dir, name);
    return path;
}

const char *at_dir(const fixture *fix, const char *name)
{
    return below(fix->dir, name);
}

const char *at_home(const fixture *fix, const char *name)
{
    return below(fix->home, name);
}

/* ---- one file ---- */

bool file_exists(const char *path)
{
    struct stat found;
    return lstat(path, &found) == 0;
}

uint64_t file_size(const char *path)
{
    struct stat found;
    need(stat(path, &found) == 0, path);
    return (uint64_t)found.st_size;
}

uint8_t *file_read(const char *path, size_t *size)
{
    *size = (size_t)file_size(path);
    uint8_t *bytes = malloc(*size + 1);
    FILE *file = fopen(path, "rb");
    need(bytes != NULL && file != NULL, path);
    need(fread(bytes, 1, *size, file) == *size, path);
    fclose(file);
    return bytes;
}

void file_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    need(file != NULL, path);
    need(fwrite(bytes, 1, size, file) == size, path);
    need(fclose(file) == 0, path);
}

void file_copy(const char *from, const char *to)
{
    size_t size;
    uint8_t *bytes = file_read(from, &size);
    file_write(to, bytes, size);
    free(bytes);
}

void file_cut(const char *path, uint64_t size)
{
    need(truncate(path, (off_t)size) == 0, path);
}

void file_flip(const char *path, uint64_t offset, uint8_t bits)
{
    uint8_t byte;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    need(fd >= 0, path);
    need(pread(fd, &byte, 1, (off_t)offset) == 1, path);
    byte ^= bits;
    need(pwrite(fd, &byte, 1, (off_t)offset) == 1, path);
    close(fd);
}

bool file_same(const char *a, const char *b)
{
    size_t a_size, b_size;
    uint8_t *a_bytes = file_read(a, &a_size), *b_bytes = file_read(b, &b_size);
    bool same = a_size == b_size && memcmp(a_bytes, b_bytes, a_size) == 0;
    free(a_bytes);
    free(b_bytes);
    return same;
}

/* ---- directories ---- */

void dir_make(const char *path)
{
    need(mkdir(path, 0777) == 0, path);
}

/* Names in the order of strcmp; *count of them. Free with free_names(). */
static char **list_names(const char *path, size_t *count)
{
    DIR *dir = opendir(path);
    need(dir != NULL, path);
    char **names = calloc(4096, sizeof *names);
    need(names != NULL, path);
    *count = 0;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            assert_true(*count < 4096);
            names[*count] = strdup(entry->d_name);
            need(names[(*count)++] != NULL, path);
        }
    }
    closedir(dir);
    for (size_t i = 1; i < *count; i++) {
        for (size_t j = i; j > 0 && strcmp(names[j - 1], names[j]) > 0; j--) {
            char *swapped = names[j];
            names[j] = names[j - 1];
            names[j - 1] = swapped;
        }
    }
    return names;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

static bool is_directory(const char *path)
{
    struct stat found;
    need(lstat(path, &found) == 0, path);
    return S_ISDIR(found.st_mode);
}

static void copy_tree(const char *from, const char *to, bool files)
{
    size_t count;
    need(mkdir(to, 0777) == 0 || errno == EEXIST, to);
    char **names = list_names(from, &count);
    for (size_t i = 0; i < count; i++) {
        char source[FIXTURE_PATH], target[FIXTURE_PATH];
        snprintf(source, sizeof source, "%.700s/%.300s", from, names[i]);
        snprintf(target, sizeof target, "%.700s/%.300s", to, names[i]);
        if (is_directory(source)) {
            copy_tree(source, target, files);
        } else if (files) {
            file_copy(source, target);
        }
    }
    free_names(names, count);
}

void tree_copy(const char *from, const char *to)
{
    copy_tree(from, to, true);
}

void tree_copy_dirs(const char *from, const char *to)
{
    copy_tree(from, to, false);
}

int each_file(const char *path, int (*each)(void *context, const char *path), void *context)
{
    size_t count;
    int result = 0;
    char **names = list_names(path, &count);
    for (size_t i = 0; i < count && result == 0; i++) {
        char entry[FIXTURE_PATH];
        snprintf(entry, sizeof entry, "%.700s/%.300s", path, names[i]);
        result = is_directory(entry) ? each_file(entry, each, context) : each(context, entry);
    }
    free_names(names, count);
    return result;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

void tree_remove(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* FNV-1a */
static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ at[i]) * 1099511628211u;
    }
    return hash;
}

uint64_t tree_hash(const char *path, const char *except)
{
    uint64_t hash = 14695981039346656037u;
    size_t count;
    char **names = list_names(path, &count);
    for (size_t i = 0; i < count; i++) {
        char entry[FIXTURE_PATH];
        if (except != NULL && strcmp(names[i], except) == 0) {
            continue;
        }
        snprintf(entry, sizeof entry, "%.700s/%.300s", path, names[i]);
        hash = mix(hash, names[i], strlen(names[i]) + 1);
        if (is_directory(entry)) {
            uint64_t below = tree_hash(entry, except);
            hash = mix(hash, &below, sizeof below);
        } else {
            size_t size;
            uint8_t *bytes = file_read(entry, &size);
            hash = mix(hash, bytes, size);
            free(bytes);
        }
    }
    free_names(names, count);
    return hash;
}

uint32_t last_segment(const char *dir)
{
    uint32_t last = 0;
    size_t count;
    char **names = list_names(dir, &count);
    for (size_t i = 0; i < count; i++) {
        uint32_t number = ref_segment_of_name(names[i]);
        last = number > last ? number : last;
    }
    free_names(names, count);
    return last;
}
