/* hotref verify: is every database there, and what else is. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/internal.h"
#include "tool.h"
#include "verify.h"

#define RECOVERY_SUFFIX ".__recovery" /* FORMAT.md: a file on its way to its name */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* What the first bytes of a file say. ENOENT, without words, when they are not a database's. */
static int read_meta(ref_vfs *vfs, const char *path, ref_meta *out, uint64_t *size)
{
    uint8_t head[REF_PAGE_SIZE_MIN];
    size_t done = 0;
    ref_file *file;
    ref_stat stat = {0};

    *size = UINT64_MAX;
    int error = vfs->open(vfs, path, 0, 0, &file);
    if (error == ENOENT || error == ENOTDIR || error == EISDIR) {
        return ENOENT;
    }
    if (error != 0) {
        return ref_fail(error, "%s: open", path);
    }
    error = vfs->fstat(file, &stat);
    if (error == 0) {
        error =
            stat.kind == REF_KIND_FILE ? ref_read_full(file, head, sizeof head, 0, &done) : EISDIR;
    }
    vfs->close(file);
    if (error != 0) {
        return error == EISDIR ? ENOENT : ref_fail(error, "%s: read", path);
    }
    *size = stat.size;
    return ref_meta_read(head, done, path, out);
}

/* ---- looking for a database, as recovery does (recover_files.c) ---- */

static void note_place(tool_verification *v, tool_check *c, const char *path)
{
    ref_stat stat;
    if (v->vfs->stat(v->vfs, path, &stat) == 0) {
        c->device = stat.device;
        c->inode = stat.inode;
    }
}

static void try_file(tool_verification *v, tool_check *c, char *path)
{
    ref_meta meta;
    uint64_t size;
    int error = read_meta(v->vfs, path, &meta, &size);

    if (error == 0 && ref_id_equal(&meta.id, &c->database->id)) {
        c->path = path;
        c->empty = false;
        note_place(v, c, path);
        return;
    }
    if (error != 0 && error != ENOENT) {
        tool_finding_words(v, error);
    }
    if (size == 0 && !c->empty) {
        c->empty = true;
        note_place(v, c, path);
    }
    free(path);
}

static void try_in(tool_verification *v, tool_check *c, const char *dir, const char *name)
{
    char *in, *plain;
    /* In a backup an absolute name would lead to the source. */
    if (c->path != NULL || (v->backup && (dir[0] == '/' || name[0] == '/'))) {
        return;
    }
    in = tool_home_dir(&v->home, dir);
    plain = tool_join(in, name);
    try_file(v, c, tool_copy(plain));
    if (c->path == NULL) {
        try_file(v, c, tool_format("%s" RECOVERY_SUFFIX, plain));
    }
    free(plain);
    free(in);
}

static void try_everywhere(tool_verification *v, tool_check *c, const char *name)
{
    for (size_t i = 0; i < v->home.data_dirs.count; i++) {
        try_in(v, c, v->home.data_dirs.names[i], name);
    }
    try_in(v, c, "", name);
}

static void locate(tool_verification *v, tool_check *c)
{
    const tool_database *database = c->database;
    for (size_t i = database->names.count; i-- > 0 && c->path == NULL;) {
        const char *name = database->names.names[i];
        try_in(v, c, database->dir, name);
        try_everywhere(v, c, name);
        if (strchr(name, '/') != NULL) {
            try_everywhere(v, c, base_name(name));
        }
    }
}

static void report_missing(tool_verification *v, const tool_check *c)
{
    char *name = tool_database_name(c->database);
    char *path = tool_home_dir(&v->home, name);
    bool made_by_log = c->database->created != 0 && c->database->created >= v->start;

    if (c->empty && made_by_log) {
        if (v->verbose) {
            tool_note(v, "%s: empty: made so late that only the log has it", path);
        }
    } else if (!made_by_log) {
        tool_finding(v, "%s: this database of the environment is missing%s", path,
            c->empty ? ": a file of its name is empty" : "");
    } else if (v->backup) {
        tool_finding(v,
            "%s: this database of the environment is missing; the log has its creation and would "
            "make it anew: it was made while the backup ran, or has been lost since",
            path);
    } else {
        tool_note(v, "%s: missing; recovery makes it from the log", path);
    }
    free(path);
    free(name);
}

void tool_verify_locate(tool_verification *v)
{
    for (const tool_database *at = v->databases.first; at != NULL; at = at->next) {
        tool_check *c = &v->checks[at->index];
        c->database = at;
        locate(v, c);
        if (at->removed) {
            if (c->path != NULL) {
                tool_note(v, "%s: removed by the log; recovery removes the file", c->path);
            }
            continue;
        }
        v->living++;
        if (c->path == NULL) {
            report_missing(v, c);
        }
    }
}

/* ---- what else is there ---- */

static const tool_check *owner_of(const tool_verification *v, const ref_stat *stat)
{
    for (size_t i = 0; i < v->databases.count; i++) {
        const tool_check *c = &v->checks[i];
        if ((c->path != NULL || c->empty) && c->device == stat->device && c->inode == stat->inode) {
            return c;
        }
    }
    return NULL;
}

static bool is_in_log_directory(const tool_verification *v, uint32_t number, const ref_stat *stat)
{
    ref_stat there;
    char *path = tool_segment_path(v->log.path, number);
    int error = v->vfs->lstat(v->vfs, path, &there);
    free(path);
    return error == 0 && there.device == stat->device && there.inode == stat->inode;
}

/* A database file that is none of those that were found in their places. */
static void judge_database(tool_verification *v, const char *path, const ref_meta *meta)
{
    const tool_database *known = tool_databases_find(&v->databases, &meta->id);
    if (known != NULL) {
        char *name = tool_database_name(known);
        bool found = v->checks[known->index].path != NULL;
        tool_finding(v,
            found ? "%s: extra: a second file of the database %s"
                  : "%s: the database %s, where recovery does not look for it",
            path, name);
        free(name);
    } else if (!v->whole) {
        return; /* there is no telling what the log would know */
    } else if (ref_id_equal(&meta->log_id, &v->log.environment)) {
        tool_finding(
            v, "%s: extra: a database of this environment that its log does not know", path);
    } else {
        tool_note(v, "%s: extra: a database of no environment, or of another one", path);
    }
}

static void judge_other(tool_verification *v, const char *path)
{
    ref_meta meta;
    uint64_t size;
    int error = read_meta(v->vfs, path, &meta, &size);
    if (error == 0) {
        judge_database(v, path, &meta);
    } else if (error == ENOENT) {
        tool_note(v, "%s: extra: an ordinary file, no part of the environment", path);
    } else {
        tool_note(v, "extra: %s", ref_error_text());
    }
}

static int judge_entry(void *context, const char *path, const char *relative, const ref_stat *stat)
{
    tool_verification *v = context;
    uint32_t segment;
    bool top = strchr(relative, '/') == NULL;

    if (stat->kind == REF_KIND_DIRECTORY || owner_of(v, stat) != NULL) {
        return 0;
    }
    tool_name_kind kind = tool_name_kind_of(base_name(relative), &segment);
    bool listed = v->manifest != NULL && tool_manifest_find(v->manifest, relative) != NULL;
    if (kind == TOOL_NAME_SEGMENT && !is_in_log_directory(v, segment, stat)) {
        tool_finding(v, "%s: extra: a log segment outside of the log directory", path);
    } else if (kind == TOOL_NAME_MARKER && top) {
        tool_finding(v, "%s: the backup into this directory was not finished", path);
    } else if (top && strcmp(relative, REF_PAGES_NAME) == 0) {
        tool_note(v,
            "%s: its recovery was interrupted: pages that are damaged now may be mended from this "
            "file when it is recovered",
            path);
    } else if (kind == TOOL_NAME_TEMPORARY) {
        /* A later backup that was killed leaves such, and the one that was there before whole. */
        tool_note(v, "%s: extra: left over by something unfinished", path);
    } else if (stat->kind != REF_KIND_FILE) {
        tool_note(v, "%s: extra: neither file nor directory", path);
    } else if (kind == TOOL_NAME_OTHER && !listed) {
        judge_other(v, path);
    }
    return 0;
}

void tool_verify_strays(tool_verification *v)
{
    int error = ref_tree_walk(v->vfs, v->home.path, false, judge_entry, v);
    if (error != 0) {
        tool_finding_words(v, error);
    }
}

/* ---- the manifest ---- */

static int compare_entry(
    void *context, const char *path, const char *relative, const ref_stat *stat)
{
    tool_verification *v = context;
    uint64_t size;
    uint32_t crc;

    if (stat->kind == REF_KIND_DIRECTORY || tool_manifest_leaves_out(relative)) {
        return 0;
    }
    tool_manifest_file *file = tool_manifest_find(v->manifest, relative);
    if (file == NULL || stat->kind != REF_KIND_FILE) {
        tool_finding(v, "%s: extra: not in the manifest", path);
        return 0;
    }
    file->seen = true;
    int error = tool_manifest_measure(v->vfs, path, &size, &crc);
    if (error != 0) {
        tool_finding_words(v, error);
    } else if (size != file->size) {
        tool_finding(v, "%s: %s: %" PRIu64 " bytes, the manifest says %" PRIu64, path,
            size < file->size ? "short" : "long", size, file->size);
    } else if (crc != file->crc) {
        tool_finding(v, "%s: altered: CRC32C %08x, the manifest says %08x", path, crc, file->crc);
    }
    return 0;
}

void tool_verify_manifest(tool_verification *v)
{
    int error = ref_tree_walk(v->vfs, v->home.path, false, compare_entry, v);
    if (error != 0) {
        tool_finding_words(v, error);
    }
    for (size_t i = 0; i < v->manifest->count; i++) {
        const tool_manifest_file *file = &v->manifest->files[i];
        if (!file->seen) {
            tool_finding(v, "%s/%s: missing: the manifest has it with %" PRIu64 " bytes",
                v->home.path, file->name, file->size);
        }
    }
    if (v->whole && v->log.end != v->manifest->end) {
        tool_finding(v, "log.%010u: offset %u: the log ends here, the manifest says at " TOOL_LSN,
            TOOL_LSN_ARGS(v->log.end), TOOL_LSN_ARGS(v->manifest->end));
    }
}
