/* Files as the cases of the Domino profile see them. */
#include "hp.h"
#include "domino_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

dom_bytes dom_bytes_new(size_t size)
{
    dom_bytes bytes = {.data = calloc(size + 1, 1), .size = size};

    if (bytes.data == NULL) {
        hp_unresolved("no memory for %zu bytes", size);
    }
    return bytes;
}

dom_bytes dom_bytes_copy(dom_bytes bytes)
{
    dom_bytes copy = dom_bytes_new(bytes.size);

    memcpy(copy.data, bytes.data, bytes.size);
    return copy;
}

void dom_free(dom_bytes *bytes)
{
    free(bytes->data);
    *bytes = (dom_bytes){0};
}

bool dom_equal(dom_bytes a, dom_bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

void dom_make_dir(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        hp_unresolved("mkdir %s: %s", path, strerror(errno));
    }
}

static int open_or_leave(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd < 0) {
        hp_unresolved("open %s: %s", path, strerror(errno));
    }
    return fd;
}

static void write_at(int fd, const char *path, const void *data, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(fd, (const char *)data + done, size - done, (off_t)(offset + done));

        if (n <= 0) {
            hp_unresolved("write %s: %s", path, strerror(errno));
        }
        done += (size_t)n;
    }
}

static size_t read_at(int fd, const char *path, void *data, size_t size, uint64_t offset)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = pread(fd, (char *)data + done, size - done, (off_t)(offset + done));

        if (n < 0) {
            hp_unresolved("read %s: %s", path, strerror(errno));
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    return done;
}

void dom_write_file(const char *path, dom_bytes content)
{
    int fd = open_or_leave(path, O_WRONLY | O_CREAT | O_TRUNC);

    write_at(fd, path, content.data, content.size, 0);
    (void)close(fd);
}

void dom_write_text(const char *path, const char *text)
{
    int fd = open_or_leave(path, O_WRONLY | O_CREAT | O_TRUNC);

    write_at(fd, path, text, strlen(text), 0);
    (void)close(fd);
}

dom_bytes dom_read_head(const char *path, uint64_t size)
{
    dom_bytes bytes = dom_bytes_new((size_t)size);
    int fd = open_or_leave(path, O_RDONLY);

    (void)read_at(fd, path, bytes.data, bytes.size, 0);
    (void)close(fd);
    return bytes;
}

dom_bytes dom_read_file(const char *path)
{
    return dom_read_head(path, dom_file_size(path));
}

uint64_t dom_file_size(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 ? (uint64_t)about.st_size : 0;
}

void dom_set_size(const char *path, uint64_t size)
{
    if (truncate(path, (off_t)size) != 0) {
        hp_unresolved("truncate %s: %s", path, strerror(errno));
    }
}

void dom_copy_head(const char *from, const char *to, uint64_t size)
{
    enum { BLOCK = 1 << 16 };
    dom_bytes block = dom_bytes_new(BLOCK);
    int source = open_or_leave(from, O_RDONLY);
    int target = open_or_leave(to, O_WRONLY | O_CREAT | O_TRUNC);

    for (uint64_t at = 0; at < size;) {
        off_t data = lseek(source, (off_t)at, SEEK_DATA);

        if (data < 0 || (uint64_t)data >= size) {
            break;
        }
        at = (uint64_t)data;
        size_t count = read_at(source, from, block.data, size - at < BLOCK ? size - at : BLOCK, at);
        if (count == 0) {
            break;
        }
        write_at(target, to, block.data, count, at);
        at += count;
    }
    (void)close(source);
    (void)close(target);
    dom_free(&block);
    dom_set_size(to, size);
}

unsigned dom_count_entries(const char *dir)
{
    DIR *listing = opendir(dir);
    unsigned count = 0;

    if (listing == NULL) {
        return 0;
    }
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    (void)closedir(listing);
    return count;
}

unsigned dom_open_descriptors(void)
{
    return dom_count_entries("/proc/self/fd");
}

char *dom_absolute(const char *path)
{
    char directory[PATH_MAX];
    char *absolute = NULL;

    if (getcwd(directory, sizeof directory) == NULL ||
        asprintf(&absolute, "%s/%s", directory, path) < 0) {
        hp_unresolved("no absolute path for %s: %s", path, strerror(errno));
    }
    return absolute;
}
