/* What a backup copies, and under which names. */
#include "backup_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "recover.h"

#define CONFIG_NAME "DB_CONFIG"

/* What ends the names of files that the engine is about to rename, and that nobody shall copy. */
static const char *const unfinished[] = {
    REF_TARGET_SUFFIX, REF_RECOVERY_SUFFIX, REF_ADOPT_SUFFIX, REF_CAPTURE_SUFFIX};

/* ---- names ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* The relative path without "." and empty components; malloc'd. */
static char *normal_path(const char *path)
{
    char *normal = malloc(strlen(path) + 1);
    size_t length = 0;
    while (normal != NULL && *path != '\0') {
        size_t part = strcspn(path, "/");
        if (part > 0 && !(part == 1 && path[0] == '.')) {
            if (length > 0) {
                normal[length++] = '/';
            }
            memcpy(normal + length, path, part);
            length += part;
        }
        path += part;
        path += strspn(path, "/");
    }
    if (normal != NULL) {
        normal[length] = '\0';
    }
    return normal;
}

/* Where the file `name` of the directory `dir` goes; malloc'd. */
static char *output_name(unsigned flags, const char *dir, const char *name)
{
    if (flags & REF_BACKUP_SINGLE_DIR) {
        return strdup(base_name(name));
    }
    char *joined = ref_path_join(dir, name);
    char *normal = joined != NULL ? normal_path(joined) : NULL;
    free(joined);
    return normal;
}

static bool leaves_home(const char *path)
{
    return ref_path_is_absolute(path) || ref_path_climbs(path);
}

char *ref_plan_canonical(ref_vfs *vfs, const char *path)
{
    char resolved[REF_PATH_MAX];
    const char *base = base_name(path);
    char *dir = base == path ? strdup(".") : strndup(path, (size_t)(base - path));
    if (dir == NULL) {
        return NULL;
    }
    int error = vfs->resolve(vfs, dir, resolved, sizeof resolved);
    free(dir);
    return error == 0 ? ref_path_join(resolved, base) : strdup(path);
}

char *ref_plan_segment_name(const ref_plan *plan, uint32_t segment)
{
    char name[32];
    snprintf(name, sizeof name, REF_LOG_PREFIX "%010u", segment);
    return ref_path_join(plan->log_dir, name);
}

/* ---- the plan ---- */

void ref_plan_free(ref_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->items[i].source);
        free(plan->items[i].name);
    }
    free(plan->items);
    free(plan->log_dir);
    ref_names_free(&plan->dirs);
    *plan = (ref_plan){0};
}

/* Adds an item and takes its strings over, whatever happens; NULL strings are ENOMEM. */
static int add_item(ref_plan *plan, ref_plan_item item)
{
    int error = item.source == NULL || item.name == NULL ? ENOMEM : 0;
    if (error == 0 && plan->count == plan->capacity) {
        size_t capacity = plan->capacity == 0 ? 32 : plan->capacity * 2;
        ref_plan_item *grown = realloc(plan->items, capacity * sizeof *grown);
        if (grown == NULL) {
            error = ENOMEM;
        } else {
            plan->items = grown;
            plan->capacity = capacity;
        }
    }
    if (error != 0) {
        free(item.source);
        free(item.name);
        return ref_fail(error, "backup: list of files");
    }
    plan->items[plan->count++] = item;
    return 0;
}

static int add_dir(ref_plan *plan, const char *dir)
{
    char *normal = normal_path(dir);
    int error = normal == NULL ? ENOMEM : 0;
    if (error == 0 && normal[0] != '\0') {
        error = ref_names_add(&plan->dirs, normal);
    }
    free(normal);
    return error == 0 ? 0 : ref_fail(error, "%s", dir);
}

int ref_plan_directories(const ref_env *env, unsigned flags, ref_plan *plan)
{
    bool single = (flags & REF_BACKUP_SINGLE_DIR) != 0;
    plan->log_dir = single ? strdup("") : normal_path(env->log_dir);
    if (plan->log_dir == NULL) {
        return ref_fail(ENOMEM, "%s", env->home);
    }
    for (size_t i = 0; i < env->data_dir_count && !single; i++) {
        if (leaves_home(env->data_dirs[i])) {
            return ref_fail(EINVAL,
                "data directory %s is not below the home: needs a single directory",
                env->data_dirs[i]);
        }
        int error = add_dir(plan, env->data_dirs[i]);
        if (error != 0) {
            return error;
        }
    }
    if (single) {
        return 0;
    }
    if (leaves_home(env->log_dir)) {
        return ref_fail(EINVAL, "log directory %s is not below the home: needs a single directory",
            env->log_dir);
    }
    return add_dir(plan, env->log_dir);
}

/* ---- databases of the catalog ---- */

static int check_database_name(unsigned flags, const ref_catalog_entry *entry)
{
    if (!(flags & REF_BACKUP_SINGLE_DIR) && leaves_home(entry->name)) {
        return ref_fail(
            EINVAL, "database %s is not below the home: needs a single directory", entry->name);
    }
    return 0;
}

static int add_databases(ref_env *env, unsigned flags, ref_plan *plan)
{
    ref_catalog_entry *entries;
    size_t count;
    int error = ref_catalog_list(env, &entries, &count);
    if (error != 0) {
        return error;
    }
    for (size_t i = 0; i < count && error == 0; i++) {
        const ref_catalog_entry *entry = &entries[i];
        error = check_database_name(flags, entry);
        if (error == 0) {
            error = add_item(plan, (ref_plan_item){.kind = REF_PLAN_DATABASE,
                                       .id = entry->id,
                                       .page_size = entry->page_size,
                                       .source = strdup(entry->path),
                                       .name = output_name(flags, entry->dir, entry->name)});
        }
    }
    ref_catalog_free(entries, count);
    return error;
}

int ref_plan_database(ref_env *env, const char *name, ref_plan *plan)
{
    ref_catalog_entry entry;
    int error = ref_catalog_entry_by_name(env, name, &entry);
    if (error != 0) {
        return error;
    }
    error = check_database_name(0, &entry);
    if (error == 0) {
        error = add_item(plan, (ref_plan_item){.kind = REF_PLAN_DATABASE,
                                   .id = entry.id,
                                   .page_size = entry.page_size,
                                   .source = strdup(entry.path),
                                   .name = output_name(0, "", entry.name)});
    }
    ref_catalog_entry_clear(&entry);
    return error;
}

/* Reads what a file begins with: what ref_meta_read() says, or what opening and reading gave, with
 * words. */
static int read_meta(ref_vfs *vfs, const char *path, ref_meta *meta, bool *readable)
{
    uint8_t start[REF_PAGE_SIZE_MIN];
    size_t done = 0;
    ref_file *file;

    *readable = false;
    int error = vfs->open(vfs, path, 0, 0, &file);
    if (error == 0) {
        error = ref_read_full(file, start, sizeof start, 0, &done);
        vfs->close(file);
    }
    if (error != 0) {
        return ref_fail(error, "%s", path);
    }
    *readable = true;
    return ref_meta_read(start, done, path, meta);
}

/* Whether the database is where the catalog has it. */
static bool is_in_place(ref_vfs *vfs, const ref_catalog_entry *entry)
{
    ref_meta meta;
    bool readable;
    return read_meta(vfs, entry->path, &meta, &readable) == 0 && ref_id_equal(&meta.id, &entry->id);
}

bool ref_plan_is_catalogued(ref_env *env, const ref_id *id, const char *path)
{
    ref_catalog_entry entry;
    int error = env->guest ? ref_guest_refresh(env) : 0;
    if (error != 0 || ref_catalog_entry_by_id(env, id, &entry) != 0) {
        return false;
    }
    char *known = ref_plan_canonical(env->vfs, entry.path);
    bool same = known != NULL && strcmp(known, path) == 0;
    if (!same && env->guest) {
        same = !is_in_place(env->vfs, &entry); /* its owner has died before it was moved there */
    }
    free(known);
    ref_catalog_entry_clear(&entry);
    return same;
}

/* ---- what else lies in the environment's directories ---- */

/* A directory whose tree is looked through: the home or a data directory. */
typedef struct root {
    char *path;         /* resolved */
    const char *prefix; /* as configured, "" = home */
    uint64_t device, inode;
} root;

typedef struct survey {
    ref_env *env;
    unsigned flags;
    const ref_target *target; /* or NULL */
    ref_plan *plan;
    size_t database_count; /* the first items of the plan */
    ref_names known;       /* canonical paths of those, sorted */
    root *roots;
    size_t root_count;
    const root *current;
    char log_path[REF_PATH_MAX]; /* resolved */
} survey;

static bool is_root(const survey *s, const ref_stat *stat)
{
    for (size_t i = 0; i < s->root_count; i++) {
        if (s->roots[i].device == stat->device && s->roots[i].inode == stat->inode) {
            return true;
        }
    }
    return false;
}

static bool is_target(const survey *s, const ref_stat *stat)
{
    return s->target != NULL && s->target->exists && s->target->device == stat->device &&
           s->target->inode == stat->inode;
}

static bool is_unfinished(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof unfinished / sizeof unfinished[0]; i++) {
        size_t suffix = strlen(unfinished[i]);
        if (length > suffix && strcmp(name + length - suffix, unfinished[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a backup has made it for itself. */
static bool is_ours(const char *base)
{
    return strncmp(base, REF_TARGET_OWN_PREFIX, strlen(REF_TARGET_OWN_PREFIX)) == 0;
}

/* Whether the file is no part of any copy, by its name and place alone. */
static bool is_left_out(const survey *s, const char *path, const char *relative)
{
    const char *base = base_name(relative);
    bool single = (s->flags & REF_BACKUP_SINGLE_DIR) != 0;

    if (strncmp(base, "__db", 4) == 0 || is_unfinished(base) || is_ours(base)) {
        return true;
    }
    if (single && strcmp(base, CONFIG_NAME) == 0) {
        return true;
    }
    if (ref_segment_of_name(base) == 0) {
        return false;
    }
    /* In a directory where this environment looks for its log, or would in the copy. A file of such
     * a name anywhere else is the application's. */
    size_t dir_length = (size_t)(base_name(path) - path) - 1;
    bool in_log_dir =
        strlen(s->env->log_path) == dir_length && strncmp(path, s->env->log_path, dir_length) == 0;
    return single || in_log_dir || base == relative;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether the entry is, or is a link to, a database that is planned already. */
static bool is_known(const survey *s, const char *path, bool is_link, const ref_stat *stat)
{
    ref_vfs *vfs = s->env->vfs;
    if (s->known.count == 0) {
        return false;
    }
    if (bsearch(&path, s->known.names, s->known.count, sizeof path, compare_paths) != NULL) {
        return true;
    }
    for (size_t i = 0; i < s->known.count && is_link; i++) {
        ref_stat known;
        if (vfs->stat(vfs, s->known.names[i], &known) == 0 && known.device == stat->device &&
            known.inode == stat->inode) {
            return true;
        }
    }
    return false;
}

static int add_found(survey *s, const char *path, const char *relative)
{
    bool files = (s->flags & REF_BACKUP_FILES) != 0, readable;
    ref_plan_item item = {.kind = REF_PLAN_FILE};
    ref_meta meta;

    int error = read_meta(s->env->vfs, path, &meta, &readable);
    if (!readable) {
        return error == ENOENT || (error == EACCES && !files) ? 0 : error;
    }
    if (error == 0) {
        if (ref_plan_is_catalogued(s->env, &meta.id, path)) {
            return 0; /* it came to this name after the catalog was listed: the log has it */
        }
        item.kind = REF_PLAN_FOUND;
        item.id = meta.id;
        item.page_size = meta.page_size;
    } else if (error != ENOENT) {
        return error;
    } else if (!files) {
        return 0;
    }
    item.source = strdup(path);
    item.name = output_name(s->flags, s->current->prefix, relative);
    return add_item(s->plan, item);
}

static int visit(void *context, const char *path, const char *relative, const ref_stat *stat)
{
    survey *s = context;
    if (stat->kind == REF_KIND_DIRECTORY) {
        bool skip = is_root(s, stat) || is_target(s, stat) || ref_target_is_temporary(relative) ||
                    is_ours(base_name(relative));
        return skip ? REF_TREE_SKIP : 0;
    }
    ref_stat real = *stat;
    bool is_link = stat->kind == REF_KIND_SYMLINK;
    if (is_link && s->env->vfs->stat(s->env->vfs, path, &real) != 0) {
        return 0; /* to nothing */
    }
    if (real.kind != REF_KIND_FILE || is_left_out(s, path, relative) ||
        is_known(s, path, is_link, &real)) {
        return 0;
    }
    return add_found(s, path, relative);
}

static int add_root(survey *s, const char *dir)
{
    ref_vfs *vfs = s->env->vfs;
    char resolved[REF_PATH_MAX];
    ref_stat stat;
    char *path = ref_env_dir_path(s->env, dir);
    int error = path == NULL ? ENOMEM : vfs->stat(vfs, path, &stat);
    if (error == 0) {
        error = vfs->resolve(vfs, path, resolved, sizeof resolved);
    }
    free(path);
    if (error != 0) {
        return ref_fail(error, "directory %s of %s", dir, s->env->home);
    }
    if (is_root(s, &stat)) {
        return 0; /* the same directory by another name */
    }
    root *added = &s->roots[s->root_count];
    *added =
        (root){.path = strdup(resolved), .prefix = dir, .device = stat.device, .inode = stat.inode};
    if (added->path == NULL) {
        return ref_fail(ENOMEM, "%s", dir);
    }
    s->root_count++;
    return 0;
}

static int list_known(survey *s)
{
    for (size_t i = 0; i < s->database_count; i++) {
        char *known = ref_plan_canonical(s->env->vfs, s->plan->items[i].source);
        int error = known == NULL ? ENOMEM : ref_names_add(&s->known, known);
        free(known);
        if (error != 0) {
            return ref_fail(error, "backup: list of files");
        }
    }
    if (s->known.count > 0) {
        qsort(s->known.names, s->known.count, sizeof s->known.names[0], compare_paths);
    }
    return 0;
}

static int survey_roots(survey *s)
{
    ref_vfs *vfs = s->env->vfs;
    bool forgiving = (s->flags & REF_BACKUP_FILES) == 0;
    int error = vfs->resolve(vfs, s->env->log_path, s->log_path, sizeof s->log_path);
    if (error != 0) {
        return ref_fail(error, "log directory %s", s->env->log_path);
    }
    error = list_known(s);
    if (error == 0) {
        error = add_root(s, "");
    }
    for (size_t i = 0; i < s->env->data_dir_count && error == 0; i++) {
        error = add_root(s, s->env->data_dirs[i]);
    }
    for (size_t i = 0; i < s->root_count && error == 0; i++) {
        s->current = &s->roots[i];
        error = ref_tree_walk(vfs, s->current->path, forgiving, visit, s);
    }
    return error;
}

/* ---- one name, one file ---- */

static int by_name(const void *a, const void *b)
{
    const ref_plan_item *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (int)x->kind - (int)y->kind;
}

static int by_kind(const void *a, const void *b)
{
    const ref_plan_item *x = a, *y = b;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static int check_names(unsigned flags, ref_plan *plan)
{
    size_t kept = 0;
    if (plan->count == 0) {
        return 0;
    }
    qsort(plan->items, plan->count, sizeof plan->items[0], by_name);
    for (size_t i = 0; i < plan->count; i++) {
        ref_plan_item *item = &plan->items[i];
        const ref_plan_item *before = kept > 0 ? &plan->items[kept - 1] : NULL;
        if (before == NULL || strcmp(before->name, item->name) != 0) {
            plan->items[kept++] = *item;
            continue;
        }
        if ((flags & REF_BACKUP_SINGLE_DIR) || item->kind == REF_PLAN_DATABASE) {
            /* What was moved up is gone from its old place: close the gap before giving up. */
            int error = ref_fail(
                EEXIST, "%s and %s would both be %s", before->source, item->source, item->name);
            memmove(plan->items + kept, item, (plan->count - i) * sizeof *item);
            plan->count -= i - kept;
            return error;
        }
        /* One directory entry that changed hands while it was looked at: the database holds. */
        free(item->source);
        free(item->name);
    }
    plan->count = kept;
    qsort(plan->items, plan->count, sizeof plan->items[0], by_kind);
    return 0;
}

int ref_plan_items(ref_env *env, unsigned flags, const ref_target *target, ref_plan *plan)
{
    survey s = {.env = env, .flags = flags, .target = target, .plan = plan};
    int error = add_databases(env, flags, plan);
    if (error == 0) {
        s.database_count = plan->count;
        s.roots = calloc(env->data_dir_count + 1, sizeof *s.roots);
        error = s.roots == NULL ? ref_fail(ENOMEM, "backup: list of files") : survey_roots(&s);
    }
    for (size_t i = 0; i < s.root_count; i++) {
        free(s.roots[i].path);
    }
    free(s.roots);
    ref_names_free(&s.known);
    return error == 0 ? check_names(flags, plan) : error;
}

int ref_plan_renew_databases(ref_env *copy, unsigned flags, ref_plan *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++) {
        ref_plan_item *item = &plan->items[i];
        if (item->kind == REF_PLAN_DATABASE) {
            free(item->source);
            free(item->name);
        } else {
            plan->items[kept++] = *item;
        }
    }
    plan->count = kept;
    int error = add_databases(copy, flags, plan);
    return error == 0 ? check_names(flags, plan) : error;
}

int ref_plan_check(const ref_plan *plan, const ref_target *target, uint32_t first, uint32_t last)
{
    int error = 0;
    for (size_t i = 0; i < plan->dirs.count && error == 0; i++) {
        error = ref_target_check_dir(target, plan->dirs.names[i]);
    }
    for (size_t i = 0; i < plan->count && error == 0; i++) {
        error = ref_target_check_file(target, plan->items[i].name);
        if (error == 0 && plan->items[i].kind == REF_PLAN_DATABASE) {
            error = ref_target_check_source(target, plan->items[i].source);
        }
    }
    for (uint64_t segment = first; segment != 0 && segment <= last && error == 0; segment++) {
        char *name = ref_plan_segment_name(plan, (uint32_t)segment);
        error =
            name == NULL ? ref_fail(ENOMEM, "backup: log") : ref_target_check_file(target, name);
        free(name);
    }
    return error;
}
