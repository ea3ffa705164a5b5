/* Files as the cases see them. */
#include "hp.h"
#include "bdb_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES_MAX = 4096, DEPTH_MAX = 16 };

void bdb_make_dir(const char *path)
{
    if (mkdir(path, 0700) != 0) {
        hp_unresolved("mkdir %s: %s", path, strerror(errno));
    }
}

void bdb_write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0) {
        hp_unresolved("write %s: %s", path, strerror(errno));
    }
}

void bdb_write_noise(const char *path, size_t size)
{
    FILE *file = fopen(path, "w");
    uint32_t x =
        2463534242U; /* xorshift: bytes without a pattern that a format could be taken for */

    for (size_t i = 0; file != NULL && i < size; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        (void)fputc((int)(x & 0xffU), file);
    }
    if (file == NULL || fclose(file) != 0) {
        hp_unresolved("write %s: %s", path, strerror(errno));
    }
}

void bdb_make_link(const char *to, const char *path)
{
    if (symlink(to, path) != 0) {
        hp_unresolved("symlink %s: %s", path, strerror(errno));
    }
}

void bdb_change_mode(const char *path, unsigned mode)
{
    if (chmod(path, (mode_t)mode) != 0) {
        hp_unresolved("chmod %s: %s", path, strerror(errno));
    }
}

bool bdb_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

unsigned bdb_mode(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (unsigned)st.st_mode & 07777U : 0;
}

uint64_t bdb_file_size(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

char *bdb_read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        fail_msg("open %s: %s", path, strerror(errno));
    }
    *size = (size_t)bdb_file_size(path);
    char *data = malloc(*size + 1);
    if (data == NULL || fread(data, 1, *size, file) != *size) {
        fail_msg("read %s: %s", path, strerror(errno));
    }
    data[*size] = '\0';
    (void)fclose(file);
    return data;
}

void bdb_assert_file_holds(const char *path, const char *text)
{
    size_t size;
    char *data = bdb_read_file(path, &size);

    assert_string_equal(data, text);
    free(data);
}

void bdb_assert_same_bytes(const char *path, const char *expected)
{
    size_t size, expected_size;
    char *data = bdb_read_file(path, &size);
    char *wanted = bdb_read_file(expected, &expected_size);

    if (size != expected_size) {
        fail_msg("%s has %zu bytes, %s has %zu", path, size, expected, expected_size);
    }
    if (memcmp(data, wanted, size) != 0) {
        fail_msg("%s and %s differ", path, expected);
    }
    free(data);
    free(wanted);
}

char *bdb_absolute(const char *path, char *buf, size_t size)
{
    char here[PATH_MAX];

    if (getcwd(here, sizeof here) == NULL ||
        snprintf(buf, size, "%s/%s", here, path) >= (int)size) {
        hp_unresolved("getcwd: %s", strerror(errno));
    }
    return buf;
}

unsigned bdb_open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    if (dir == NULL) {
        hp_unresolved("/proc/self/fd: %s", strerror(errno));
    }
    while (readdir(dir) != NULL) {
        count++;
    }
    (void)closedir(dir);
    return count;
}

static int skip_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* The entries of a directory, sorted by name; 0 if there is none. Freed by the caller, each and
 * all. */
static int list(const char *dir, struct dirent ***entries)
{
    int count = scandir(dir, entries, skip_dots, alphasort);

    if (count < 0) {
        *entries = NULL;
        return 0;
    }
    return count;
}

void bdb_copy_files(const char *from, const char *pattern, const char *to)
{
    struct dirent **entries;
    int count = list(from, &entries);

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char path[PATH_MAX];
        size_t size;

        if (fnmatch(pattern, name, 0) == 0) {
            (void)snprintf(path, sizeof path, "%s/%s", from, name);
            char *data = bdb_read_file(path, &size);
            (void)snprintf(path, sizeof path, "%s/%s", to, name);
            FILE *file = fopen(path, "w");
            if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
                hp_unresolved("write %s: %s", path, strerror(errno));
            }
            free(data);
        }
        free(entries[i]);
    }
    free(entries);
}

void bdb_remove_files(const char *dir, const char *pattern)
{
    struct dirent **entries;
    int count = list(dir, &entries);

    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];

        (void)snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        if (fnmatch(pattern, entries[i]->d_name, 0) == 0 && unlink(path) != 0) {
            hp_unresolved("unlink %s: %s", path, strerror(errno));
        }
        free(entries[i]);
    }
    free(entries);
}

char *bdb_last_match(
    const char *dir, const char *pattern, unsigned back, const char *prefix, char *buf, size_t size)
{
    struct dirent **entries;
    int count = list(dir, &entries);

    buf[0] = '\0';
    for (int i = count - 1; i >= 0; i--) {
        if (buf[0] == '\0' && fnmatch(pattern, entries[i]->d_name, 0) == 0 && back-- == 0) {
            (void)snprintf(buf, size, "%s%s", prefix, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    if (buf[0] == '\0') {
        hp_unresolved("too few files %s in %s", pattern, dir);
    }
    return buf;
}

static unsigned count_below(const char *dir, const char *pattern, int depth)
{
    struct dirent **entries;
    int count = list(dir, &entries);
    unsigned found = 0;

    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        struct stat st;

        (void)snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        found += fnmatch(pattern, entries[i]->d_name, 0) == 0;
        if (depth < DEPTH_MAX && lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            found += count_below(path, pattern, depth + 1);
        }
        free(entries[i]);
    }
    free(entries);
    return found;
}

unsigned bdb_count(const char *dir, const char *pattern)
{
    return count_below(dir, pattern, 0);
}

/* FNV-1a: short, and good enough to tell a changed file from an unchanged one. */
static uint64_t digest(FILE *file)
{
    uint64_t hash = 0xcbf29ce484222325U;
    unsigned char buf[65536];
    size_t got;

    while ((got = fread(buf, 1, sizeof buf, file)) > 0) {
        for (size_t i = 0; i < got; i++) {
            hash = (hash ^ buf[i]) * 0x100000001b3U;
        }
    }
    return hash;
}

static void describe(FILE *out, const char *path, const struct stat *st)
{
    unsigned mode = (unsigned)st->st_mode & 07777U;

    if (S_ISDIR(st->st_mode)) {
        (void)fprintf(out, "%s\tdirectory %04o\n", path, mode);
    } else if (S_ISLNK(st->st_mode)) {
        char to[PATH_MAX];
        ssize_t length = readlink(path, to, sizeof to - 1);

        to[length < 0 ? 0 : length] = '\0';
        (void)fprintf(out, "%s\tlink to %s\n", path, to);
    } else if (S_ISREG(st->st_mode)) {
        FILE *file = fopen(path, "r");

        (void)fprintf(out, "%s\tfile %04o, %jd bytes, digest %016jx\n", path, mode,
            (intmax_t)st->st_size, file == NULL ? (uintmax_t)0 : (uintmax_t)digest(file));
        if (file != NULL) {
            (void)fclose(file);
        }
    } else {
        (void)fprintf(out, "%s\tspecial %06o\n", path, (unsigned)st->st_mode);
    }
}

static void walk(FILE *out, const char *dir, const char *home, int depth)
{
    struct dirent **entries;
    int count = list(dir, &entries);

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char path[PATH_MAX];
        struct stat st;
        bool of_engine = strcmp(dir, home) == 0 && strncmp(name, "__", 2) == 0;

        if (strcmp(dir, ".") == 0) {
            (void)snprintf(path, sizeof path, "%s", name);
        } else {
            (void)snprintf(path, sizeof path, "%s/%s", dir, name);
        }
        if (!of_engine && lstat(path, &st) == 0) {
            describe(out, path, &st);
            if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
                walk(out, path, home, depth + 1);
            }
        }
        free(entries[i]);
    }
    free(entries);
}

char *bdb_snapshot(const char *home)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL) {
        hp_unresolved("open_memstream: %s", strerror(errno));
    }
    walk(out, ".", home, 0);
    (void)fclose(out);
    return text;
}

/* Is the entry of this line at, above or below `but`? */
static bool exempt(const char *line, const char *but)
{
    size_t path = strcspn(line, "\t");
    size_t length = but == NULL ? 0 : strlen(but);
    size_t common = path < length ? path : length;

    if (but == NULL || strncmp(line, but, common) != 0) {
        return false;
    }
    return path == length || (path > length ? line[length] == '/' : but[path] == '/');
}

/* The next line that counts, cut out of *rest; NULL at the end. */
static char *next_line(char **rest, const char *but)
{
    char *line;

    do {
        line = strsep(rest, "\n");
    } while (line != NULL && (*line == '\0' || exempt(line, but)));
    return line;
}

void bdb_assert_same_snapshot(const char *before, const char *after, const char *but)
{
    char *old = strdup(before), *new = strdup(after);
    char *old_rest = old, *new_rest = new;

    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        const char *was = next_line(&old_rest, but);
        const char *is = next_line(&new_rest, but);

        if (was == NULL && is == NULL) {
            break;
        }
        if (was == NULL || is == NULL || strcmp(was, is) != 0) {
            fail_msg("a file changed that should not have\nbefore: %s\nafter:  %s",
                was == NULL ? "(nothing)" : was, is == NULL ? "(nothing)" : is);
        }
    }
    free(old);
    free(new);
}
