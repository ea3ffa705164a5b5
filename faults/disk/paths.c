/* Paths: from text to directories and inodes. */
#include "internal.h"

#include <errno.h>
#include <string.h>

#define DEEPEST 128

/* Takes the next component off the path; 0 at its end. */
static size_t component(const char **path, const char **name)
{
    while (**path == '/') {
        (*path)++;
    }
    *name = *path;
    size_t length = strcspn(*path, "/");
    *path += length;
    return length;
}

static bool is(const char *name, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(name, word, length) == 0;
}

/* Appends to an absolute path, or takes its last component away. */
static int extend(char *path, const char *name, size_t length)
{
    size_t there = strlen(path);
    if (is(name, length, ".")) {
        return 0;
    }
    if (is(name, length, "..")) {
        *strrchr(path, '/') = '\0';
        if (path[0] == '\0') {
            strcpy(path, "/");
        }
        return 0;
    }
    if (length > FAULT_NAME_MAX || there + length + 2 > FAULT_PATH_MAX) {
        return ENAMETOOLONG;
    }
    if (there > 1) {
        path[there++] = '/';
    }
    memcpy(path + there, name, length);
    path[there + length] = '\0';
    return 0;
}

int fault_normalise(const char *path, char *out)
{
    const char *name;
    size_t length;
    int error = 0;
    strcpy(out, "/");
    while (error == 0 && (length = component(&path, &name)) > 0) {
        error = extend(out, name, length);
    }
    return error;
}

int fault_walk(fault_disk *disk, const char *path, fault_where *out)
{
    uint32_t above[DEEPEST] = {0}, depth = 0;
    const char *name;
    size_t length, all = strlen(path);
    *out = (fault_where){.slot = 0, .path = "/", .slash = all > 0 && path[all - 1] == '/'};
    if (all == 0) {
        return ENOENT;
    }
    while ((length = component(&path, &name)) > 0) {
        if (out->slot == FAULT_NOWHERE) {
            return ENOENT;
        }
        if (disk->inodes[out->slot].kind != REF_KIND_DIRECTORY) {
            return ENOTDIR;
        }
        int error = extend(out->path, name, length);
        if (error != 0 || depth + 1 >= DEEPEST) {
            return ENAMETOOLONG;
        }
        if (is(name, length, "..")) {
            depth -= depth > 0;
            out->slot = above[depth];
            out->dir = above[depth > 0 ? depth - 1 : 0];
        } else if (!is(name, length, ".")) {
            out->dir = out->slot;
            out->slot = fault_name_find(disk, out->dir, name, length);
            above[++depth] = out->slot;
        }
    }
    out->name = strrchr(out->path, '/') + 1;
    if (out->slash && out->slot != FAULT_NOWHERE &&
        disk->inodes[out->slot].kind != REF_KIND_DIRECTORY) {
        return ENOTDIR;
    }
    return 0;
}
