/*
 * An environment that another process owns: what a backup from outside can know of it.
 *
 * The owner is not asked. Control file and log say everything: the redo point, which databases
 * there are, where the log ends. One lock is shared with the owner: while a guest holds it,
 * nobody removes log segments. The owner may die and another may take its place in the middle;
 * the files then change as they do in any recovery, and the log goes on from where it was cut.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"
#include "log.h"
#include "tree.h"

#define TRIES 50u      /* for what is in motion: a lock, the last bytes of the log */
#define WAIT 20000000u /* nanoseconds between them */

/* ---- the log as it stands ---- */

/* The scan of a log that its owner writes to. What looks like damage may have been looked at in
 * an unlucky moment. */
static int scan(ref_env *env, uint32_t from, ref_log_scan *out)
{
    int error = ref_log_scan_segments(env->vfs, env->log_path, from, 0, out);
    for (unsigned i = 0; error == REF_CORRUPT && env->guest && i < 3; i++) {
        env->vfs->sleep(env->vfs, WAIT);
        error = ref_log_scan_segments(env->vfs, env->log_path, from, 0, out);
    }
    return error;
}

int ref_log_copy_end(ref_env *env, uint32_t from, uint64_t *end)
{
    ref_log_scan seen;

    *end = 0;
    if (!env->guest) {
        int error = ref_log_flush(env);
        *end = error == 0 ? ref_log_durable_end(env) : 0;
        return error;
    }
    int error = scan(env, from, &seen);
    *end = error == 0 ? seen.end : 0;
    return error;
}

typedef struct image_search {
    ref_id id;
    uint64_t since;
    uint64_t first, count;
    uint64_t left; /* not seen yet */
    bool *seen;
} image_search;

static int note_image(void *context, const ref_record *record)
{
    image_search *wanted = context;
    ref_page_record page;
    if (record->type != REF_RECORD_PAGE || record->lsn < wanted->since ||
        !ref_record_page(record, &page) || !page.full || !ref_id_equal(&page.file, &wanted->id) ||
        page.pgno < wanted->first || page.pgno - wanted->first >= wanted->count) {
        return 0;
    }
    wanted->left -= !wanted->seen[page.pgno - wanted->first];
    wanted->seen[page.pgno - wanted->first] = true;
    return 0;
}

int ref_log_has_images(
    ref_env *env, uint64_t since, const ref_id *id, uint64_t first, uint64_t count, bool *all)
{
    image_search wanted = {
        .id = *id, .since = since, .first = first, .count = count, .left = count};
    uint32_t from = REF_LSN_SEGMENT(since);
    uint64_t end;

    *all = false;
    wanted.seen = calloc((size_t)count + 1, sizeof *wanted.seen);
    if (wanted.seen == NULL) {
        return ref_fail(ENOMEM, "%s: log", env->home);
    }
    int error = ref_log_copy_end(env, from, &end);
    if (error == 0) {
        error = ref_log_replay(env->vfs, env->log_path, from, end, note_image, &wanted);
    }
    *all = error == 0 && wanted.left == 0;
    free(wanted.seen);
    return error;
}

int ref_log_bytes(ref_env *env, uint32_t from, uint64_t *bytes)
{
    uint32_t oldest, newest;

    *bytes = 0;
    int error = ref_log_segments(env->vfs, env->log_path, &oldest, &newest);
    for (uint32_t number = from; error == 0 && number <= newest; number++) {
        ref_stat stat = {0};
        char *path = ref_segment_path(env->log_path, number);
        error = path != NULL ? env->vfs->stat(env->vfs, path, &stat) : ENOMEM;
        if (error == ENOENT) {
            error = 0; /* the newest was torn, and recovery has removed it */
        } else if (error != 0) {
            ref_fail(error, "log.%010u", number);
        }
        *bytes += stat.size;
        free(path);
    }
    return error;
}

/* ---- the catalog ---- */

/* A walk over the records that say which databases there are. */
typedef struct walk {
    uint32_t first; /* segment: it begins with the catalog of that time */
    int (*each)(struct walk *at, const ref_record *record, const ref_file_record *said);
    ref_env *into;    /* whose `files` grows */
    const ref_id *id; /* or: of one database, which names it has had */
    char *dir;
    ref_names names; /* the oldest first */
    bool created;
    const ref_record *catalog; /* whose entries are coming */
} walk;

static int note_entry(void *context, const ref_file_record *said)
{
    walk *at = context;
    return at->each(at, at->catalog, said);
}

static int note(void *context, const ref_record *record)
{
    walk *at = context;
    ref_file_record said;
    bool files = record->type >= REF_RECORD_CREATE && record->type <= REF_RECORD_RENAME;
    bool catalog = record->type == REF_RECORD_CATALOG && REF_LSN_SEGMENT(record->lsn) == at->first;
    int error = 0;

    if (!files && !catalog) {
        return 0;
    }
    char *strings = malloc((size_t)record->payload_size + 2);
    if (strings == NULL) {
        return ref_fail(ENOMEM, "catalog");
    }
    if (catalog) {
        at->catalog = record;
        error = ref_record_catalog(record, strings, note_entry, at);
    } else if (ref_record_file(record, strings, &said)) {
        error = at->each(at, record, &said);
    }
    free(strings);
    return error;
}

static ref_dbfile *find(ref_env *env, const ref_id *id)
{
    ref_dbfile *file = env->files;
    while (file != NULL && !ref_id_equal(&file->id, id)) {
        file = file->next;
    }
    return file;
}

static int add(ref_env *into, const ref_file_record *said)
{
    if (find(into, &said->id) != NULL) {
        return 0;
    }
    return ref_catalog_add(into, said) != NULL ? 0 : ref_fail(ENOMEM, "%s", said->name);
}

static int rename_file(ref_dbfile *file, const char *name)
{
    char *copy = strdup(name);
    if (copy == NULL) {
        return ref_fail(ENOMEM, "%s", name);
    }
    free(file->name);
    file->name = copy;
    return 0;
}

static int apply(walk *at, const ref_record *record, const ref_file_record *said)
{
    bool makes = record->type == REF_RECORD_CREATE || record->type == REF_RECORD_ADOPT;
    int error = makes || record->type == REF_RECORD_CATALOG ? add(at->into, said) : 0;
    ref_dbfile *file = find(at->into, &said->id);

    if (error != 0 || file == NULL) {
        return error;
    }
    if (makes) {
        file->entry_changed = true; /* its pages may be in the log alone */
    }
    if (record->type == REF_RECORD_REMOVE) {
        file->removed = true;
    }
    return record->type == REF_RECORD_RENAME ? rename_file(file, said->name) : 0;
}

/* Is this the log that the control file speaks of? */
static int check_log(const ref_env *env, uint64_t redo, const ref_log_scan *seen)
{
    if (seen->end < redo || seen->end == 0) {
        return ref_fail(REF_CORRUPT,
            "%s: the log ends before segment %u, offset %u, where %s/%s says that it goes on: is "
            "this the owner's log directory?",
            env->log_path, REF_LSN_SEGMENT(redo), REF_LSN_OFFSET(redo), env->home,
            REF_CONTROL_NAME);
    }
    return ref_id_equal(&seen->environment, &env->control.environment)
               ? 0
               : ref_fail(REF_CORRUPT, "%s: the log belongs to another environment than %s/%s",
                     env->log_path, env->home, REF_CONTROL_NAME);
}

static void replace_catalog(ref_env *env, ref_env *by, uint64_t redo)
{
    pthread_mutex_lock(&env->mutex);
    ref_dbfile *old = env->files;
    env->files = by->files;
    by->files = old;
    env->redo = redo;
    pthread_mutex_unlock(&env->mutex);
}

/* Reads the log from the redo point's segment on. The catalog is made anew: what was removed or
 * renamed since the last time may be in segments that are gone. Nobody keeps an entry of a
 * guest's. */
static int read_catalog(ref_env *env, uint64_t redo)
{
    ref_log_scan seen;
    ref_env made = {.vfs = env->vfs};
    walk at = {.first = REF_LSN_SEGMENT(redo), .each = apply, .into = &made};

    int error = ref_log_scan_segments(env->vfs, env->log_path, at.first, 0, &seen);
    if (error == 0) {
        error = check_log(env, redo, &seen);
    }
    if (error == 0) {
        error = ref_log_replay(env->vfs, env->log_path, at.first, seen.end, note, &at);
    }
    if (error == 0) {
        for (ref_dbfile *file = made.files; file != NULL; file = file->next) {
            file->env = env;
        }
        replace_catalog(env, &made, redo);
    }
    ref_catalog_destroy(&made);
    return error;
}

static int read_control(ref_env *env)
{
    ref_control control;
    int error = ref_control_read(env->vfs, env->home, &control);
    if (error == ENOENT) {
        return ref_fail(EAGAIN, "%s: its owner is just creating or recovering it", env->home);
    }
    if (error == 0) {
        env->control = control;
        env->id = control.environment;
    }
    return error;
}

/* A pin keeps the segments from its redo point on; without one they may go while they are read. */
static uint64_t redo_to_use(ref_env *env)
{
    pthread_mutex_lock(&env->mutex);
    uint64_t redo = env->pins != NULL ? env->redo : env->control.redo;
    pthread_mutex_unlock(&env->mutex);
    return redo;
}

/* Caller holds the checkpoint lock. */
static int refresh(ref_env *env)
{
    int error = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        error = read_control(env);
        if (error == 0) {
            error = read_catalog(env, redo_to_use(env));
        }
        if (error != REF_CORRUPT && error != EAGAIN) {
            break;
        }
        env->vfs->sleep(env->vfs, WAIT);
    }
    return error;
}

int ref_guest_refresh(ref_env *env)
{
    pthread_mutex_lock(&env->checkpoint_lock);
    int error = refresh(env);
    pthread_mutex_unlock(&env->checkpoint_lock);
    return error;
}

/* ---- where a database lies ---- */

static int note_name(walk *at, const ref_record *record, const ref_file_record *said)
{
    if (!ref_id_equal(&said->id, at->id) || record->type == REF_RECORD_REMOVE) {
        return 0;
    }
    at->created = at->created || record->type == REF_RECORD_CREATE;
    if (at->dir == NULL) {
        at->dir = strdup(said->dir);
    }
    return at->dir != NULL && ref_names_add(&at->names, said->name) == 0
               ? 0
               : ref_fail(ENOMEM, "%s", said->name);
}

/* Whether the file at the path is the database. */
static bool is_there(ref_vfs *vfs, const char *path, const ref_id *id)
{
    uint8_t head[REF_PAGE_SIZE_MIN];
    size_t done = 0;
    ref_file *file;
    ref_meta meta;

    if (vfs->open(vfs, path, 0, 0, &file) != 0) {
        return false;
    }
    int error = ref_read_full(file, head, sizeof head, 0, &done);
    vfs->close(file);
    return error == 0 && ref_meta_read(head, done, path, &meta) == 0 && ref_id_equal(&meta.id, id);
}

/* Under this name, or on its way to it. *path stays NULL when it is not. */
static int look_for(ref_env *env, const walk *at, const char *name, char **path)
{
    static const char *const suffixes[] = {"", REF_RECOVERY_SUFFIX};
    char *dir = ref_env_dir_path(env, at->dir);
    char *plain = dir != NULL ? ref_path_join(dir, name) : NULL;
    int error = plain == NULL ? ENOMEM : 0;

    for (size_t i = 0; i < 2 && error == 0 && *path == NULL; i++) {
        char *at_path = ref_path_suffix(plain, suffixes[i]);
        if (at_path == NULL) {
            error = ENOMEM;
        } else if (is_there(env->vfs, at_path, at->id)) {
            *path = at_path;
        } else {
            free(at_path);
        }
    }
    free(dir);
    free(plain);
    return error == 0 ? 0 : ref_fail(error, "%s", name);
}

int ref_guest_locate(ref_env *env, uint32_t from, const ref_id *id, char **path, bool *in_log)
{
    walk at = {.first = from, .each = note_name, .id = id};
    uint64_t end;

    *path = NULL;
    *in_log = false;
    int error = ref_log_copy_end(env, from, &end);
    if (error == 0) {
        error = ref_log_replay(env->vfs, env->log_path, from, end, note, &at);
    }
    for (size_t i = at.names.count; i-- > 0 && error == 0 && *path == NULL;) {
        error = look_for(env, &at, at.names.names[i], path);
    }
    *in_log = error == 0 && *path == NULL && at.created;
    free(at.dir);
    ref_names_free(&at.names);
    return error;
}

/* ---- the pin ---- */

static int take_lock(ref_env *env, ref_pin *pin)
{
    char *path = ref_path_join(env->home, REF_LOCK_NAME);
    if (path == NULL) {
        return ref_fail(ENOMEM, "%s", env->home);
    }
    int error = env->vfs->open(env->vfs, path, 0, 0, &pin->lock);
    if (error != 0) {
        ref_fail(error, "%s: open", path);
    }
    /* Whoever removes segments holds the lock only for as long as that takes. */
    for (unsigned i = 0; error == 0 && i < TRIES; i++) {
        error = env->vfs->lock(pin->lock, REF_LOCK_AT_PIN, 1, REF_LOCK_SHARED);
        if (error != EAGAIN) {
            break;
        }
        env->vfs->sleep(env->vfs, WAIT);
        error = i + 1 < TRIES ? 0 : ref_fail(EAGAIN, "%s: log segments are being removed", path);
    }
    free(path);
    return error;
}

int ref_guest_pin(ref_env *env, ref_pin *pin)
{
    int error = take_lock(env, pin);
    pthread_mutex_lock(&env->checkpoint_lock);
    if (error == 0) {
        error = refresh(env);
    }
    if (error == 0) {
        pthread_mutex_lock(&env->mutex);
        pin->redo = env->redo;
        pin->next = env->pins;
        env->pins = pin;
        pthread_mutex_unlock(&env->mutex);
    }
    pthread_mutex_unlock(&env->checkpoint_lock);
    if (error != 0 && pin->lock != NULL) {
        env->vfs->close(pin->lock);
        pin->lock = NULL;
    }
    return error;
}
