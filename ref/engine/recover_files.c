/* Recovery: which files there are, where they lie, and what they are called in the end. */
#include <errno.h>
#include <stdlib.h>

#include "recover.h"
#include "slot.h"

/* ---- what the log says ---- */

rec_file *rec_files_find(recovery *rec, const ref_id *id)
{
    if (rec->last_used != NULL && ref_id_equal(&rec->last_used->id, id)) {
        return rec->last_used;
    }
    for (rec_file *file = rec->files; file != NULL; file = file->next) {
        if (ref_id_equal(&file->id, id)) {
            rec->last_used = file;
            return file;
        }
    }
    return NULL;
}

static int add_name(rec_file *file, const char *name)
{
    char **names = realloc(file->names, (file->name_count + 1) * sizeof *names);
    if (names == NULL) {
        return ref_fail(ENOMEM, "%s", name);
    }
    file->names = names;
    names[file->name_count] = strdup(name);
    if (names[file->name_count] == NULL) {
        return ref_fail(ENOMEM, "%s", name);
    }
    file->name_count++;
    return 0;
}

static int bad_record(const ref_record *record, const char *what)
{
    return ref_fail(REF_CORRUPT, "log.%010u: offset %u: %s", REF_LSN_SEGMENT(record->lsn),
        REF_LSN_OFFSET(record->lsn), what);
}

/* A record in hand, for words about what it says. */
typedef struct noting {
    recovery *rec;
    const ref_record *record;
} noting;

static int add_file(void *context, const ref_file_record *said)
{
    noting *now = context;
    recovery *rec = now->rec;
    if (rec_files_find(rec, &said->id) != NULL) {
        return 0;
    }
    if (!ref_page_size_valid(said->page_size)) {
        return bad_record(now->record, "a database of an impossible page size");
    }
    if (said->name[0] == '\0') {
        return bad_record(now->record, "a database without a name");
    }
    rec_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return ref_fail(ENOMEM, "%s", said->name);
    }
    rec_file **at = &rec->files;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = file;
    file->id = said->id;
    file->page_size = said->page_size;
    file->mode = said->mode;
    file->dir = strdup(said->dir);
    return file->dir != NULL ? add_name(file, said->name) : ref_fail(ENOMEM, "%s", said->name);
}

/* Later catalogs say nothing new; but recovery may begin with them one day. */
static int know_file(void *context, const ref_file_record *said)
{
    noting *now = context;
    const rec_file *file = rec_files_find(now->rec, &said->id);
    return file != NULL && file->page_size == said->page_size && said->name[0] != '\0'
               ? 0
               : bad_record(now->record, "a catalog with an unknown file");
}

static int pass_over(void *context, const ref_file_record *said)
{
    (void)context;
    (void)said;
    return 0;
}

static int note_catalog(noting *now, char *strings)
{
    bool first = REF_LSN_SEGMENT(now->record->lsn) == now->rec->from;
    if (ref_record_catalog(now->record, strings, pass_over, NULL) != 0) {
        return bad_record(now->record, "a catalog that does not parse");
    }
    return ref_record_catalog(now->record, strings, first ? add_file : know_file, now);
}

static int note_file(noting *now, const ref_file_record *said)
{
    recovery *rec = now->rec;
    const ref_record *record = now->record;
    if (record->type == REF_RECORD_CREATE || record->type == REF_RECORD_ADOPT) {
        int error = add_file(now, said);
        if (error == 0) {
            rec_files_find(rec, &said->id)->created = record->type == REF_RECORD_CREATE;
        }
        return error;
    }
    rec_file *file = rec_files_find(rec, &said->id);
    if (file == NULL) {
        return bad_record(record, "a record about an unknown file");
    }
    if (record->type == REF_RECORD_REMOVE) {
        file->removed = record->lsn;
        return 0;
    }
    return said->name[0] != '\0' ? add_name(file, said->name)
                                 : bad_record(record, "a database without a name");
}

int rec_files_note(void *context, const ref_record *record)
{
    noting now = {context, record};
    ref_file_record said;
    int error = 0;

    bool files = record->type >= REF_RECORD_CREATE && record->type <= REF_RECORD_RENAME;
    if (!files && record->type != REF_RECORD_CATALOG) {
        return 0;
    }
    char *strings = malloc((size_t)record->payload_size + 2);
    if (strings == NULL) {
        return ref_fail(ENOMEM, "log.%010u", REF_LSN_SEGMENT(record->lsn));
    }
    if (record->type == REF_RECORD_CATALOG) {
        error = note_catalog(&now, strings);
    } else if (ref_record_file(record, strings, &said)) {
        error = note_file(&now, &said);
    } else {
        error = bad_record(record, "a file record that does not parse");
    }
    free(strings);
    return error;
}

/* ---- where they lie ---- */

typedef enum rec_sight { SEEN_NOTHING, SEEN_EMPTY, SEEN_DATABASE, SEEN_SOMETHING_ELSE } rec_sight;

/* What lies at a path; *id is a database's identity. */
static int look_at(ref_vfs *vfs, const char *path, rec_sight *sight, ref_id *id)
{
    uint8_t head[REF_PAGE_SIZE_MIN];
    size_t done = 0;
    ref_file *handle;
    ref_meta meta;

    *sight = SEEN_NOTHING;
    int error = vfs->open(vfs, path, 0, 0, &handle);
    if (error == ENOENT || error == ENOTDIR || error == EISDIR) {
        return 0;
    }
    if (error == 0) {
        error = ref_read_full(handle, head, sizeof head, 0, &done);
        vfs->close(handle);
    }
    if (error != 0) {
        return ref_fail(error, "%s: read", path);
    }
    if (done == 0) {
        *sight = SEEN_EMPTY;
        return 0;
    }
    error = ref_meta_read(head, done, path, &meta);
    *sight = error == 0 ? SEEN_DATABASE : SEEN_SOMETHING_ELSE;
    *id = meta.id;
    return error == REF_VERSION ? error : 0;
}

static int try_path(recovery *rec, rec_file *file, const char *dir, const char *name)
{
    static const char *const suffixes[] = {"", REF_RECOVERY_SUFFIX};
    char *in = ref_env_dir_path(rec->env, dir);
    char *plain = in != NULL ? ref_path_join(in, name) : NULL;
    int error = plain == NULL ? ref_fail(ENOMEM, "%s", name) : 0;

    for (size_t i = 0; i < 2 && error == 0 && file->path == NULL; i++) {
        rec_sight sight;
        ref_id id;
        char *path = ref_path_suffix(plain, suffixes[i]);
        if (path == NULL) {
            error = ref_fail(ENOMEM, "%s", name);
            break;
        }
        error = look_at(rec->env->vfs, path, &sight, &id);
        if (sight == SEEN_DATABASE && ref_id_equal(&id, &file->id)) {
            file->path = path;
            file->found_dir = dir;
        } else {
            free(path);
        }
    }
    free(in);
    free(plain);
    return error;
}

static const char *base_name(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash != NULL ? slash + 1 : name;
}

static int try_everywhere(recovery *rec, rec_file *file, const char *name)
{
    ref_env *env = rec->env;
    int error = 0;
    for (size_t i = 0; i <= env->data_dir_count && error == 0 && file->path == NULL; i++) {
        error = try_path(rec, file, i < env->data_dir_count ? env->data_dirs[i] : "", name);
    }
    return error;
}

/* The directory that the log names, as this environment is configured; NULL when it is not part of
 * it. */
static const char *configured(const ref_env *env, const char *dir)
{
    if (dir[0] == '\0') {
        return "";
    }
    for (size_t i = 0; i < env->data_dir_count; i++) {
        if (strcmp(env->data_dirs[i], dir) == 0) {
            return env->data_dirs[i];
        }
    }
    return NULL;
}

/* A name that leads out of the environment. */
static bool leads_out(const char *name)
{
    return ref_path_is_absolute(name) || ref_path_climbs(name);
}

/* A copy never follows a name that leads out of it: it would find its source's files, or anyone's. */
static int locate(recovery *rec, rec_file *file)
{
    const char *dir = configured(rec->env, file->dir);
    int error = 0;
    for (size_t i = file->name_count; i-- > 0 && error == 0 && file->path == NULL;) {
        const char *name = file->names[i];
        bool usable = !leads_out(name) || !rec->copy;
        if (usable && dir != NULL) {
            error = try_path(rec, file, dir, name);
        }
        if (usable && error == 0 && file->path == NULL) {
            error = try_everywhere(rec, file, name);
        }
        if (error == 0 && file->path == NULL && strchr(name, '/') != NULL) {
            error = try_everywhere(rec, file, base_name(name));
            file->by_base_name = file->path != NULL;
        }
    }
    return error;
}

static bool has_content(const rec_file *file)
{
    return file->removed == 0 && (file->path != NULL || file->created);
}

/* Two databases of one name would be written over each other. */
static int refuse_twins(const recovery *rec)
{
    for (const rec_file *a = rec->files; a != NULL; a = a->next) {
        const char *name = a->names[a->name_count - 1];
        for (const rec_file *b = a->next; b != NULL && has_content(a); b = b->next) {
            if (has_content(b) && strcmp(b->names[b->name_count - 1], name) == 0 &&
                strcmp(a->dir, b->dir) == 0) {
                return ref_fail(REF_CORRUPT, "%s: the log says that two databases have the name %s",
                    rec->env->log_path, name);
            }
        }
    }
    return 0;
}

int rec_files_locate(recovery *rec)
{
    for (rec_file *file = rec->files; file != NULL; file = file->next) {
        int error = locate(rec, file);
        if (error != 0) {
            return error;
        }
    }
    return refuse_twins(rec);
}

/* ---- opening and making ---- */

static char *final_path(recovery *rec, const rec_file *file)
{
    const char *dir = file->found_dir;
    const char *name = file->names[file->name_count - 1];
    char *in = ref_env_dir_path(rec->env, dir);
    char *path = in != NULL ? ref_path_join(in, file->by_base_name ? base_name(name) : name) : NULL;
    free(in);
    return path;
}

/* A file that the log creates and that is not there: made under its recovery name, which no other
 * file has. */
static int make_file(recovery *rec, rec_file *file)
{
    ref_vfs *vfs = rec->env->vfs;
    const char *dir = configured(rec->env, file->dir);

    file->found_dir = dir != NULL ? dir : rec->env->create_dir;
    file->by_base_name = rec->copy && leads_out(file->names[file->name_count - 1]);
    char *plain = final_path(rec, file);
    char *path = plain != NULL ? ref_path_suffix(plain, REF_RECOVERY_SUFFIX) : NULL;
    free(plain);
    if (path == NULL) {
        return ref_fail(ENOMEM, "%s", file->names[0]);
    }
    int error =
        vfs->open(vfs, path, REF_O_WRITE | REF_O_CREATE | REF_O_TRUNC, file->mode, &file->handle);
    if (error != 0) {
        ref_fail(error, "%s: create", path);
        free(path);
        return error;
    }
    file->path = path;
    return 0;
}

int rec_file_open(recovery *rec, rec_file *file)
{
    ref_vfs *vfs = rec->env->vfs;
    const char *name = file->names[file->name_count - 1];

    if (file->handle != NULL) {
        return 0;
    }
    if (file->path == NULL) {
        return file->created
                   ? make_file(rec, file)
                   : ref_fail(REF_CORRUPT,
                         "%s: the log has changes for this database, but it is missing", name);
    }
    int error = vfs->open(vfs, file->path, REF_O_WRITE, 0, &file->handle);
    if (error == 0) {
        size_t done;
        error = ref_read_full(file->handle, file->slot, sizeof file->slot, REF_META_AT_SLOT, &done);
    }
    return error == 0 ? 0 : ref_fail(error, "%s: open", file->path);
}

/* ---- the end ---- */

static int remove_file(recovery *rec, rec_file *file)
{
    ref_vfs *vfs = rec->env->vfs;
    /* A removal before the redo point was done then: what lies there now was put there since. */
    if (file->path == NULL || file->removed < rec->redo) {
        return 0;
    }
    int error = vfs->unlink(vfs, file->path);
    if (error != 0 && error != ENOENT) {
        return ref_fail(error, "%s: remove", file->path);
    }
    return ref_sync_parent(vfs, file->path);
}

/* Moves to `to`; file->path is then that. */
static int move(recovery *rec, rec_file *file, char *to)
{
    ref_vfs *vfs = rec->env->vfs;
    if (to == NULL) {
        return ref_fail(ENOMEM, "%s", file->path);
    }
    int error = vfs->rename(vfs, file->path, to, false);
    if (error != 0) {
        ref_fail(error, "%s: rename to %s", file->path, to);
        free(to);
        return error;
    }
    error = ref_sync_renamed(vfs, file->path, to);
    free(file->path);
    file->path = to;
    return error;
}

/* First every file that has to move leaves its old name, then each takes its new one: names may
 * have been swapped. */
static int settle_name(recovery *rec, rec_file *file, bool leave)
{
    char *to = final_path(rec, file);
    if (to == NULL) {
        return ref_fail(ENOMEM, "%s", file->path);
    }
    if (strcmp(to, file->path) == 0) {
        free(to);
        return 0;
    }
    if (!leave) {
        return move(rec, file, to);
    }
    char *aside = ref_path_suffix(to, REF_RECOVERY_SUFFIX);
    free(to);
    if (aside != NULL && strcmp(aside, file->path) == 0) {
        free(aside);
        return 0;
    }
    return move(rec, file, aside);
}

/* A database that was not found by its identity: is its file there, but unreadable, or empty though
 * it was written before the redo point? Another database in its place is somebody's doing, and will
 * be adopted when it is opened. */
static int refuse_unreadable(recovery *rec, const rec_file *file, const char *name)
{
    const char *dir = configured(rec->env, file->dir);
    rec_file there = {
        .found_dir = dir != NULL ? dir : "", .names = file->names, .name_count = file->name_count};
    rec_sight sight;
    ref_id id;
    char *path = final_path(rec, &there);
    if (path == NULL) {
        return ref_fail(ENOMEM, "%s", name);
    }
    int error = look_at(rec->env->vfs, path, &sight, &id);
    if (error == 0 && sight == SEEN_SOMETHING_ELSE) {
        error = ref_fail(REF_CORRUPT,
            "%s: page 0: offset %d: damaged: the log knows a database here, but this is none", path,
            REF_META_AT_MAGIC);
    }
    if (error == 0 && sight == SEEN_EMPTY) {
        error = ref_fail(
            REF_CORRUPT, "%s: empty: the log knows a database here that has been written", path);
    }
    free(path);
    return error;
}

/* A database that is gone: an error where a copy needs it; else somebody has removed its file by
 * hand, and opening it will say so. */
static int missing(recovery *rec, const rec_file *file)
{
    const char *name = file->names[file->name_count - 1];
    if (!rec->copy && !rec->fatal) {
        return refuse_unreadable(rec, file, name);
    }
    return ref_fail(REF_CORRUPT, "%s%s%s: this database of the environment is missing", file->dir,
        file->dir[0] != '\0' ? "/" : "", name);
}

static int enter_catalog(recovery *rec, rec_file *file)
{
    const char *name = file->names[file->name_count - 1];
    ref_file_record record = {.id = file->id,
        .page_size = file->page_size,
        .mode = file->mode,
        .dir = file->found_dir,
        .name = file->by_base_name ? base_name(name) : name};
    bool doubt;
    int error = ref_slot_settle(rec->env, file->path, rec->copy, &doubt);
    if (error != 0) {
        return error;
    }
    ref_dbfile *entry = ref_catalog_add(rec->env, &record);
    if (entry == NULL) {
        return ref_fail(ENOMEM, "%s", name);
    }
    entry->slot_doubt = doubt;
    return 0;
}

int rec_files_finish(recovery *rec)
{
    int error = 0;
    for (rec_file *file = rec->files; file != NULL && error == 0; file = file->next) {
        if (file->removed != 0) {
            error = remove_file(rec, file);
        } else {
            error = file->path != NULL ? settle_name(rec, file, true) : missing(rec, file);
        }
    }
    for (rec_file *file = rec->files; file != NULL && error == 0; file = file->next) {
        if (file->removed == 0 && file->path != NULL) {
            error = settle_name(rec, file, false);
            if (error == 0) {
                error = enter_catalog(rec, file);
            }
        }
    }
    return error;
}

void rec_files_free(recovery *rec)
{
    while (rec->files != NULL) {
        rec_file *file = rec->files;
        rec->files = file->next;
        if (file->handle != NULL) {
            rec->env->vfs->close(file->handle);
        }
        for (size_t i = 0; i < file->name_count; i++) {
            free(file->names[i]);
        }
        free(file->names);
        free(file->dir);
        free(file->path);
        free(file);
    }
}
