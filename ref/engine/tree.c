/* Directory trees: listing, walking, removing. */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "internal.h"

/* ---- names ---- */

int ref_names_add(ref_names *names, const char *name)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity == 0 ? 16 : names->capacity * 2;
        char **grown = realloc(names->names, capacity * sizeof *grown);
        if (grown == NULL) {
            return ENOMEM;
        }
        names->names = grown;
        names->capacity = capacity;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        return ENOMEM;
    }
    names->names[names->count++] = copy;
    return 0;
}

void ref_names_free(ref_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->names[i]);
    }
    free(names->names);
    *names = (ref_names){0};
}

static int add_listed(void *context, const char *name)
{
    return ref_names_add(context, name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int ref_tree_list(ref_vfs *vfs, const char *path, ref_names *names)
{
    size_t before = names->count;
    int error = vfs->list(vfs, path, add_listed, names);
    if (error != 0) {
        return ref_fail(error, "%s: list", path);
    }
    if (names->count > before) {
        qsort(names->names + before, names->count - before, sizeof names->names[0], compare_names);
    }
    return 0;
}

/* ---- walking ---- */

typedef struct walk {
    ref_vfs *vfs;
    bool forgiving;
    ref_tree_fn visit;
    void *context;
} walk;

static int walk_directory(const walk *w, const char *path, const char *relative);

static int walk_entry(const walk *w, const char *path, const char *relative)
{
    ref_stat stat;
    int error = w->vfs->lstat(w->vfs, path, &stat);
    if (error == ENOENT) {
        return 0;
    }
    if (error != 0) {
        return ref_fail(error, "%s", path);
    }
    error = w->visit(w->context, path, relative, &stat);
    if (error == REF_TREE_SKIP) {
        return 0;
    }
    if (error == 0 && stat.kind == REF_KIND_DIRECTORY) {
        error = walk_directory(w, path, relative);
    }
    return error;
}

static int walk_directory(const walk *w, const char *path, const char *relative)
{
    bool is_root = relative[0] == '\0';
    ref_names names = {0};
    int error = ref_tree_list(w->vfs, path, &names);
    if (!is_root && (error == ENOENT || (error == EACCES && w->forgiving))) {
        error = 0;
    }
    for (size_t i = 0; i < names.count && error == 0; i++) {
        char *entry = ref_path_join(path, names.names[i]);
        char *below = ref_path_join(relative, names.names[i]);
        if (entry == NULL || below == NULL) {
            error = ref_fail(ENOMEM, "%s", path);
        } else {
            error = walk_entry(w, entry, below);
        }
        free(entry);
        free(below);
    }
    ref_names_free(&names);
    return error;
}

int ref_tree_walk(ref_vfs *vfs, const char *root, bool forgiving, ref_tree_fn visit, void *context)
{
    walk w = {.vfs = vfs, .forgiving = forgiving, .visit = visit, .context = context};
    return walk_directory(&w, root, "");
}

/* ---- removing ---- */

typedef struct removal {
    ref_vfs *vfs;
    uint64_t device;
    ref_tree_removing_fn removing;
    void *context;
} removal;

/* *kept is set when something below the path stays. */
static int remove_entry(const removal *r, const char *path, bool *kept);

static int remove_below(const removal *r, const char *path, bool *kept)
{
    ref_names names = {0};
    int error = ref_tree_list(r->vfs, path, &names);
    if (error == ENOENT) {
        error = 0;
    }
    for (size_t i = 0; i < names.count && error == 0; i++) {
        char *entry = ref_path_join(path, names.names[i]);
        error = entry == NULL ? ref_fail(ENOMEM, "%s", path) : remove_entry(r, entry, kept);
        free(entry);
    }
    ref_names_free(&names);
    return error;
}

static int remove_entry(const removal *r, const char *path, bool *kept)
{
    ref_stat stat;
    int error = r->vfs->lstat(r->vfs, path, &stat);
    if (error == ENOENT) {
        return 0;
    }
    if (error != 0) {
        return ref_fail(error, "%s", path);
    }
    bool kept_below = false;
    if (stat.kind == REF_KIND_DIRECTORY) {
        if (stat.device != r->device) {
            *kept = true;
            return 0;
        }
        error = remove_below(r, path, &kept_below);
        if (error != 0 || kept_below) {
            *kept = *kept || kept_below;
            return error;
        }
    }
    if (r->removing != NULL) {
        r->removing(r->context, path);
    }
    error = stat.kind == REF_KIND_DIRECTORY ? r->vfs->rmdir(r->vfs, path)
                                            : r->vfs->unlink(r->vfs, path);
    return error == 0 || error == ENOENT ? 0 : ref_fail(error, "%s: remove", path);
}

int ref_tree_remove(
    ref_vfs *vfs, const char *path, uint64_t device, ref_tree_removing_fn removing, void *context)
{
    removal r = {.vfs = vfs, .device = device, .removing = removing, .context = context};
    bool kept = false;
    return remove_entry(&r, path, &kept);
}
