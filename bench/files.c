/* Directory trees of the benchmarks: see files.h. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024 };

typedef int (*visit)(void *context, const FTSENT *entry);

/* Visits files, and directories after what is in them. */
static int walk(const char *path, visit each, void *context)
{
    char *root = strdup(path);
    char *roots[] = {root, NULL};
    FTS *tree = root != NULL ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
    int error = tree == NULL ? errno : 0;
    while (error == 0) {
        errno = 0;
        const FTSENT *entry = fts_read(tree);
        if (entry == NULL) {
            error = errno;
            break;
        }
        switch (entry->fts_info) {
        case FTS_F:
        case FTS_DP:
            error = each(context, entry);
            break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
            error = entry->fts_errno;
            break;
        default:
            break;
        }
    }
    if (tree != NULL) {
        fts_close(tree);
    }
    free(root);
    return error;
}

static int count(void *context, const FTSENT *entry)
{
    bench_tree *tree = context;
    if (entry->fts_info == FTS_F) {
        uint64_t size = (uint64_t)entry->fts_statp->st_size;
        tree->bytes += size;
        tree->files++;
        tree->largest = size > tree->largest ? size : tree->largest;
    }
    return 0;
}

int bench_tree_measure(const char *path, bench_tree *out)
{
    *out = (bench_tree){0};
    int error = walk(path, count, out);
    if (error != 0) {
        *out = (bench_tree){0};
    }
    return error;
}

static int read_file(void *context, const FTSENT *entry)
{
    if (entry->fts_info != FTS_F) {
        return 0;
    }
    int fd = open(entry->fts_accpath, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 || (n < 0 && fd >= 0 && errno == EINTR)) {
        n = read(fd, context, READ_SIZE);
    }
    int error = n < 0 ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    return error;
}

int bench_tree_read(const char *path)
{
    char *buffer = malloc(READ_SIZE);
    int error = buffer == NULL ? ENOMEM : walk(path, read_file, buffer);
    free(buffer);
    return error;
}

static int sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    return error;
}

static int sync_entry(void *context, const FTSENT *entry)
{
    (void)context;
    return sync_path(entry->fts_accpath);
}

int bench_tree_sync(const char *path)
{
    int error = walk(path, sync_entry, NULL);
    char *copy = error == 0 ? strdup(path) : NULL;
    if (copy != NULL) {
        error = sync_path(dirname(copy));
        free(copy);
    }
    return error;
}
