/* Copying one file of the environment into a sink while the environment goes on. */
#include "backup_copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BUFFER_ALIGN 4096u /* what direct writes need */
/* What a copy through the page cache moves at a time. More does not fit the processor's cache, and the
 * system takes larger blocks of memory for it, which were measured to fill up to four times slower. */
#define CACHED_PIECE (256u * 1024)
#define PLAIN_UNIT 4096u /* logs and ordinary files count as pages of this size */
#define FIND_TRIES 8     /* for a database that is being renamed */
#define REREADS 8        /* of a page that may be being written; the first after a millisecond, */
#define REREAD_WAIT 1000000u /* each further after twice the time: a quarter of a second in all */

/* A database file that is open for copying. */
typedef struct source {
    const ref_id *id; /* of a database that the log knows; NULL: it has nothing for this file */
    ref_file *file;
    char *path;
    uint32_t page_size;
    uint64_t size;
    uint64_t pages;  /* whole ones in the file */
    uint64_t stated; /* that the file itself says it has: these must be sound */
    bool unwritten;  /* created, and no checkpoint has written it yet */
} source;

int ref_copier_init(ref_copier *copier, ref_env *env, const ref_backup_options *options,
    const ref_sink *directory, const ref_snapshot *still, uint64_t redo)
{
    size_t size = options->buffer_size != 0 ? options->buffer_size : REF_BACKUP_BUFFER_DEFAULT;
    if (directory != NULL && !options->direct && size > CACHED_PIECE) {
        size = CACHED_PIECE;
    }
    *copier = (ref_copier){.env = env,
        .options = options,
        .sink = directory != NULL ? directory : options->sink,
        .callers_sink = directory == NULL,
        .still = still,
        .redo = redo,
        .buffer_size = size};
    /* The largest page fits whatever the caller asks for. */
    size = size < REF_PAGE_SIZE_MAX ? REF_PAGE_SIZE_MAX : size;
    size = (size + BUFFER_ALIGN - 1) / BUFFER_ALIGN * BUFFER_ALIGN;
    copier->buffer = aligned_alloc(BUFFER_ALIGN, size);
    return copier->buffer != NULL ? 0 : ref_fail(ENOMEM, "backup buffer of %zu bytes", size);
}

void ref_copier_clear(ref_copier *copier)
{
    free(copier->buffer);
    *copier = (ref_copier){0};
}

/* ---- progress and pauses ---- */

static void tell(const ref_copier *c, const char *what, const char *from, const char *name)
{
    const char *target = c->options->target;
    char line[2 * REF_PATH_MAX];
    if (c->options->progress == NULL) {
        return;
    }
    bool below = target != NULL && target[0] != '\0';
    snprintf(line, sizeof line, "%s %s to %s%s%s", what, from, below ? target : "",
        below ? "/" : "", name);
    c->options->progress(c->options->progress_context, line);
}

static bool pauses(const ref_copier *c)
{
    return c->options->pause_pages != 0 && c->options->pause_nanoseconds != 0;
}

/* The bytes of one read: as the buffer has room for whole units, and not beyond the next pause. */
static size_t batch_size(const ref_copier *c, size_t unit, uint64_t left)
{
    uint64_t units = c->buffer_size / unit;
    if (units == 0) {
        units = 1;
    }
    if (pauses(c) && units > c->options->pause_pages - c->since_pause) {
        units = c->options->pause_pages - c->since_pause;
    }
    return (size_t)(units * unit < left ? units * unit : left);
}

static void pause_after(ref_copier *c, size_t unit, size_t size)
{
    c->since_pause += (size + unit - 1) / unit;
    if (pauses(c) && c->since_pause >= c->options->pause_pages) {
        c->since_pause = 0;
        c->env->vfs->sleep(c->env->vfs, c->options->pause_nanoseconds);
    }
}

/* Keeping the log from being removed has a price for the owner; the caller may have set a limit
 * to it. */
static int check_log_limit(const ref_copier *c)
{
    uint64_t kept;
    if (c->options->log_limit == 0 || c->redo == 0) {
        return 0;
    }
    int error = ref_log_bytes(c->env, REF_LSN_SEGMENT(c->redo), &kept);
    if (error == 0 && kept > c->options->log_limit) {
        error = ref_fail(ENOSPC, "backup: it keeps %llu bytes of log, more than the limit of %llu",
            (unsigned long long)kept, (unsigned long long)c->options->log_limit);
    }
    return error;
}

/* ---- the sink ---- */

static int sink_failed(const ref_copier *c, int error, const char *call, const char *name)
{
    return c->callers_sink ? ref_fail(error, "backup of %s: the %s callback failed", name, call)
                           : error;
}

static int output_open(const ref_copier *c, const char *name, void **file)
{
    *file = NULL;
    int error = c->sink->open(c->sink->context, name, file);
    return error == 0 ? 0 : sink_failed(c, error, "open", name);
}

static int output_write(
    const ref_copier *c, const char *name, void *file, uint64_t offset, size_t size)
{
    int error = c->sink->write(c->sink->context, file, offset, c->buffer, size);
    return error == 0 ? 0 : sink_failed(c, error, "write", name);
}

/* Closes the output. `error` is what happened before: it and its words win. */
static int output_close(const ref_copier *c, const char *name, void *file, int error)
{
    char words[1024];
    snprintf(words, sizeof words, "%s", ref_error_text());
    int close_error = c->sink->close(c->sink->context, name, file);
    if (error != 0) {
        ref_fail(-1, "%s", words); /* negative: the words have errno's text already */
        return error;
    }
    return close_error == 0 ? 0 : sink_failed(c, close_error, "close", name);
}

/* ---- pages ---- */

/* Reads one page and says how it is. A page that is not all there counts as zero. */
static int read_page(const source *from, uint64_t pgno, uint8_t *page, ref_page_health *health)
{
    size_t done = 0;
    int error = ref_read_full(from->file, page, from->page_size, pgno * from->page_size, &done);
    if (error != 0) {
        return ref_fail(error, "%s: page %llu: read", from->path, (unsigned long long)pgno);
    }
    *health = done == from->page_size ? ref_page_check(page, from->page_size, (uint32_t)pgno)
                                      : REF_PAGE_ZERO;
    return 0;
}

/*
 * Whether pages that are torn or not there are only in the middle of being written. In the
 * owner's process the last look was taken while no checkpoint can run: then they are damaged. A
 * guest asks the log: what a checkpoint may be writing has a whole image after the redo point,
 * and replaying that makes the copy whole, even when the owner has died over it.
 */
static int only_in_motion(
    const ref_copier *c, const source *from, uint64_t first, uint64_t count, bool *in_motion)
{
    *in_motion = false;
    if (!c->env->guest || from->id == NULL || c->redo == 0) {
        return 0;
    }
    return ref_log_has_images(c->env, c->redo, from->id, first, count, in_motion);
}

/* Reads a page again until it is sound. */
static int reread_page(const ref_copier *c, const source *from, uint64_t pgno, uint8_t *page)
{
    ref_vfs *vfs = c->env->vfs;
    ref_page_health health = REF_PAGE_SOUND;
    for (unsigned i = 0; i < REREADS; i++) {
        vfs->sleep(vfs, (uint64_t)REREAD_WAIT << i);
        int error = read_page(from, pgno, page, &health);
        if (error != 0 || health == REF_PAGE_SOUND) {
            return error;
        }
    }
    /* Nobody but a checkpoint writes to database files. */
    bool in_motion;
    pthread_mutex_lock(&c->env->checkpoint_lock);
    int error = read_page(from, pgno, page, &health);
    pthread_mutex_unlock(&c->env->checkpoint_lock);
    if (error == 0 && health != REF_PAGE_SOUND) {
        error = only_in_motion(c, from, pgno, 1, &in_motion);
    } else {
        in_motion = true;
    }
    if (error != 0 || in_motion) {
        return error;
    }
    error = ref_env_state(c->env); /* a checkpoint that failed leaves such pages */
    return error != 0 ? error
                      : ref_fail(REF_CORRUPT, "%s: page %llu: offset %llu: %s", from->path,
                            (unsigned long long)pgno, (unsigned long long)(pgno * from->page_size),
                            ref_page_health_text(health));
}

/* Reads pages from `pgno` on, *size bytes of them, into the buffer and checks them. *size is less
 * when the file has been cut meanwhile. */
static int read_pages(const ref_copier *c, const source *from, uint64_t pgno, size_t *size)
{
    uint32_t page_size = from->page_size;
    size_t done = 0;
    int error = ref_read_full(from->file, c->buffer, *size, pgno * page_size, &done);
    if (error != 0) {
        return ref_fail(
            error, "%s: read at offset %llu", from->path, (unsigned long long)(pgno * page_size));
    }
    for (size_t at = 0; at < *size && error == 0; at += page_size, pgno++) {
        bool there = at + page_size <= done;
        if (pgno >= from->stated && !there) {
            *size = at;
            break;
        }
        if (pgno < from->stated && (!there || ref_page_check(c->buffer + at, page_size,
                                                  (uint32_t)pgno) != REF_PAGE_SOUND)) {
            error = reread_page(c, from, pgno, c->buffer + at);
        }
    }
    return error;
}

/* The bytes behind the last whole page of a file that is copied as found. */
static int copy_tail(ref_copier *c, const source *from, const char *name, void *output)
{
    uint64_t offset = from->pages * from->page_size;
    size_t size = (size_t)(from->size - offset), done = 0;
    int error = ref_read_full(from->file, c->buffer, size, offset, &done);
    if (error != 0) {
        return ref_fail(error, "%s: read at offset %llu", from->path, (unsigned long long)offset);
    }
    return done > 0 ? output_write(c, name, output, offset, done) : 0;
}

static int copy_pages(ref_copier *c, const source *from, const char *name, void *output)
{
    for (uint64_t pgno = 0; pgno < from->pages;) {
        size_t size = batch_size(c, from->page_size, (from->pages - pgno) * from->page_size);
        size_t wanted = size;
        int error = read_pages(c, from, pgno, &size);
        if (error == 0 && size > 0) {
            error = output_write(c, name, output, pgno * from->page_size, size);
        }
        if (error != 0 || size < wanted) {
            return error;
        }
        pgno += size / from->page_size;
        pause_after(c, from->page_size, size);
        error = check_log_limit(c);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

/* ---- finding a database ---- */

static void close_source(const ref_copier *c, source *from)
{
    if (from->file != NULL) {
        c->env->vfs->close(from->file);
    }
    free(from->path);
    *from = (source){0};
}

/* Measures the open file and reads its page 0, once. *health says how that page is. */
static int look_at_source(const ref_copier *c, source *from, ref_page_health *health)
{
    ref_stat stat;
    int error = c->env->vfs->fstat(from->file, &stat);
    if (error != 0) {
        return ref_fail(error, "%s", from->path);
    }
    from->size = stat.size;
    from->pages = stat.size / from->page_size;
    return read_page(from, 0, c->buffer, health);
}

/* Takes over what a sound page 0 says. */
static int note_meta(const ref_copier *c, source *from, const ref_id *id)
{
    ref_meta meta;
    int error = ref_meta_read(c->buffer, from->page_size, from->path, &meta);
    if (error == ENOENT) {
        return ref_fail(REF_CORRUPT, "%s: page 0: offset 0: not a database's", from->path);
    }
    if (error == 0 && (!ref_id_equal(&meta.id, id) || meta.page_size != from->page_size)) {
        error =
            ref_fail(REF_CORRUPT, "%s: another database than the environment knows", from->path);
    }
    from->stated = meta.page_count;
    return error;
}

/* A file that is shorter than it states is being written, or has lost its end. */
static int check_length(const ref_copier *c, source *from)
{
    ref_stat stat;
    if (from->pages >= from->stated) {
        return 0;
    }
    pthread_mutex_lock(&c->env->checkpoint_lock);
    int error = c->env->vfs->fstat(from->file, &stat);
    pthread_mutex_unlock(&c->env->checkpoint_lock);
    if (error != 0) {
        return ref_fail(error, "%s", from->path);
    }
    from->size = stat.size;
    from->pages = stat.size / from->page_size;
    if (from->pages >= from->stated) {
        return 0;
    }
    bool in_motion;
    error = only_in_motion(c, from, from->pages, from->stated - from->pages, &in_motion);
    if (error == 0 && in_motion) {
        from->stated = from->pages;
        return 0;
    }
    error = error != 0 ? error : ref_env_state(c->env);
    return error != 0
               ? error
               : ref_fail(REF_CORRUPT, "%s: page %llu: offset %llu: beyond the end of the file",
                     from->path, (unsigned long long)from->pages,
                     (unsigned long long)(from->pages * from->page_size));
}

/* Opens the file at `path`, which is taken over, and looks whether it holds the database.
 * REF_CORRUPT when it does not, or not in this moment. */
static int try_source(const ref_copier *c, const ref_plan_item *item, char *path, source *from)
{
    ref_page_health health = REF_PAGE_SOUND;
    *from = (source){.id = &item->id, .path = path, .page_size = item->page_size};
    int error = c->env->vfs->open(c->env->vfs, path, REF_O_SEQUENTIAL, 0, &from->file);
    if (error != 0) {
        ref_fail(error, "%s: database of the environment", path);
    } else {
        error = look_at_source(c, from, &health);
    }
    if (error == 0 && health != REF_PAGE_SOUND) {
        error =
            ref_fail(REF_CORRUPT, "%s: page 0: offset 0: %s", path, ref_page_health_text(health));
    }
    if (error == 0) {
        error = note_meta(c, from, &item->id);
    }
    if (error == ENOENT) {
        close_source(c, from);
    }
    return error;
}

/* Whether the file was made, renamed or removed after the last checkpoint began. With the
 * checkpoint lock held: after the last one ended. */
static bool entry_changed(ref_env *env, const ref_id *id)
{
    bool changed = false;
    pthread_mutex_lock(&env->mutex);
    for (const ref_dbfile *file = env->files; file != NULL; file = file->next) {
        if (!file->removed && ref_id_equal(&file->id, id)) {
            changed = file->entry_changed;
        }
    }
    pthread_mutex_unlock(&env->mutex);
    return changed;
}

/* Page 0 is unreadable: the log may have it. Then every page that is there is judged. */
static int settle_page_0(const ref_copier *c, source *from)
{
    char words[1024];
    bool in_motion;
    snprintf(words, sizeof words, "%s", ref_error_text());
    int error = only_in_motion(c, from, 0, 1, &in_motion);
    if (error == 0 && !in_motion) {
        return ref_fail(REF_CORRUPT, "%s", words);
    }
    from->stated = from->pages;
    return error;
}

/*
 * The last look at a database that could not be opened as one, while no checkpoint can run. A file
 * without content is right when the database is so new that no checkpoint has written it.
 */
static int settle_source(const ref_copier *c, const ref_plan_item *item, char *path, source *from)
{
    pthread_mutex_lock(&c->env->checkpoint_lock);
    int error = try_source(c, item, path, from);
    if (error == REF_CORRUPT && from->size == 0 && entry_changed(c->env, &item->id)) {
        from->unwritten = true;
        error = 0;
    }
    pthread_mutex_unlock(&c->env->checkpoint_lock);
    if (error == REF_CORRUPT && from->size >= from->page_size) {
        error = settle_page_0(c, from);
    }
    if (error == REF_CORRUPT) {
        int state = ref_env_state(c->env);
        error = state != 0 ? state : error;
    }
    return error;
}

/* Where the catalog has the database now; NULL in *path when it was removed. A guest's catalog
 * is as it was when it was last refreshed: that takes a walk through the log, so it is done only
 * when the database is not where it was. */
static int ask_catalog(const ref_copier *c, const ref_plan_item *item, bool again, char **path)
{
    ref_catalog_entry entry;
    *path = NULL;
    int error = again && c->env->guest ? ref_guest_refresh(c->env) : 0;
    if (error == 0) {
        error = ref_catalog_entry_by_id(c->env, &item->id, &entry);
    }
    if (error == 0) {
        *path = entry.path;
        entry.path = NULL;
        ref_catalog_entry_clear(&entry);
    }
    return error == ENOENT ? 0 : error;
}

/* The last place to look, in an environment whose owner may have died while it moved the file.
 * Replaces *path when it is found elsewhere; *gone when the log alone makes it. */
static int locate(const ref_copier *c, const ref_plan_item *item, char **path, bool *gone)
{
    char *found;
    if (!c->env->guest) {
        return 0;
    }
    int error = ref_guest_locate(c->env, REF_LSN_SEGMENT(c->redo), &item->id, &found, gone);
    if (found != NULL) {
        free(*path);
        *path = found;
    }
    return error;
}

/*
 * Opens the database of the item wherever it is by now. It may be renamed or removed between asking
 * for its path and opening that, and its page 0 may be being written: so it is tried again.
 */
static int open_database(const ref_copier *c, const ref_plan_item *item, source *from, bool *gone)
{
    ref_vfs *vfs = c->env->vfs;
    char *path = NULL;
    bool empty = false;
    int error = 0;
    for (unsigned i = 0; i <= FIND_TRIES; i++) {
        error = ask_catalog(c, item, i > 0, &path);
        if (error != 0 || path == NULL) {
            *gone = error == 0;
            return error;
        }
        bool last = i == FIND_TRIES;
        error = last && !empty ? locate(c, item, &path, gone) : 0;
        if (error != 0 || *gone) {
            free(path);
            return error;
        }
        error = last ? settle_source(c, item, path, from) : try_source(c, item, path, from);
        if (error == 0 || last || (error != ENOENT && error != REF_CORRUPT)) {
            break;
        }
        empty = error == REF_CORRUPT && from->size == 0;
        if (empty) {
            i = FIND_TRIES - 1; /* waiting does not fill it, a checkpoint does */
        } else {
            vfs->sleep(vfs, (uint64_t)REREAD_WAIT << i);
        }
        close_source(c, from);
    }
    if (error != 0) {
        close_source(c, from);
    }
    return error;
}

static int copy_open_database(ref_copier *c, const ref_plan_item *item, source *from)
{
    void *output;
    int error = check_length(c, from);
    if (error != 0) {
        return error;
    }
    tell(c, "copying database", from->path, item->name);
    error = output_open(c, item->name, &output);
    if (error != 0) {
        return error;
    }
    if (!from->unwritten) {
        error = copy_pages(c, from, item->name, output);
        if (error == 0 && item->kind == REF_PLAN_FOUND && from->size % from->page_size != 0) {
            error = copy_tail(c, from, item->name, output);
        }
    }
    return output_close(c, item->name, output, error);
}

static int copy_database(ref_copier *c, const ref_plan_item *item, bool *gone)
{
    source from = {0};
    int error = open_database(c, item, &from, gone);
    if (error == 0 && !*gone) {
        error = copy_open_database(c, item, &from);
    }
    close_source(c, &from);
    return error;
}

/* ---- databases as one commit left them ---- */

static int copy_still_pages(ref_copier *c, const ref_plan_item *item, uint32_t count, void *output)
{
    uint64_t page_size = item->page_size;
    for (uint64_t pgno = 0; pgno < count;) {
        size_t size = batch_size(c, item->page_size, (count - pgno) * page_size);
        int error = 0;
        for (size_t at = 0; at < size && error == 0; at += item->page_size) {
            error = ref_still_page(
                c->env, c->still, &item->id, (uint32_t)(pgno + at / page_size), c->buffer + at);
        }
        if (error == 0) {
            error = output_write(c, item->name, output, pgno * page_size, size);
        }
        if (error != 0) {
            return error;
        }
        pgno += size / page_size;
        pause_after(c, item->page_size, size);
    }
    return 0;
}

static int copy_still(ref_copier *c, const ref_plan_item *item, bool *gone)
{
    uint32_t count;
    void *output;
    int error = ref_still_page_count(c->env, c->still, &item->id, &count);
    if (error != 0 || count == 0) {
        *gone = error == 0;
        return error;
    }
    tell(c, "copying database", item->source, item->name);
    error = output_open(c, item->name, &output);
    if (error != 0) {
        return error;
    }
    error = copy_still_pages(c, item, count, output);
    return output_close(c, item->name, output, error);
}

/* ---- other files ---- */

/* Opens the file of an item that the catalog did not know. *gone when it is not there, or has
 * become a database that the catalog knows: the log has that. */
static int open_other(
    const ref_copier *c, const ref_plan_item *item, source *from, ref_meta *meta, bool *gone)
{
    ref_vfs *vfs = c->env->vfs;
    ref_stat stat;
    size_t done = 0;

    *from = (source){.path = strdup(item->source)};
    if (from->path == NULL) {
        return ref_fail(ENOMEM, "%s", item->source);
    }
    int error = vfs->open(vfs, item->source, REF_O_SEQUENTIAL, 0, &from->file);
    if (error == ENOENT) {
        *gone = true;
        return 0;
    }
    if (error == 0) {
        error = vfs->fstat(from->file, &stat);
    }
    if (error == 0) {
        from->size = stat.size;
        error = ref_read_full(from->file, c->buffer, REF_PAGE_SIZE_MIN, 0, &done);
    }
    if (error != 0) {
        return ref_fail(error, "%s", item->source);
    }
    error = ref_meta_read(c->buffer, done, item->source, meta);
    *gone = error == 0 && ref_plan_is_catalogued(c->env, &meta->id, item->source);
    if (item->kind == REF_PLAN_FOUND && error != ENOENT) {
        return error;
    }
    return 0;
}

static int copy_found(ref_copier *c, const ref_plan_item *item, source *from, const ref_meta *meta)
{
    ref_page_health health;
    from->page_size = meta->page_size;
    int error = look_at_source(c, from, &health);
    if (error == 0 && health != REF_PAGE_SOUND) {
        error = reread_page(c, from, 0, c->buffer);
    }
    if (error == 0) {
        error = note_meta(c, from, &meta->id);
    }
    return error == 0 ? copy_open_database(c, item, from) : error;
}

/* Copies the first `size` bytes of an open file. A file that turns out shorter is REF_CORRUPT, or
 * copied as far as it goes when it `may_end`. */
static int copy_bytes(
    ref_copier *c, const source *from, uint64_t size, bool may_end, const char *name, void *output)
{
    for (uint64_t offset = 0; offset < size;) {
        size_t part = batch_size(c, PLAIN_UNIT, size - offset), done = 0;
        int error = ref_read_full(from->file, c->buffer, part, offset, &done);
        if (error != 0) {
            return ref_fail(
                error, "%s: read at offset %llu", from->path, (unsigned long long)offset);
        }
        if (done < part && !may_end) {
            return ref_fail(REF_CORRUPT, "%s: ends at offset %llu, before offset %llu", from->path,
                (unsigned long long)(offset + done), (unsigned long long)size);
        }
        error = done > 0 ? output_write(c, name, output, offset, done) : 0;
        if (error != 0 || done < part) {
            return error;
        }
        offset += done;
        pause_after(c, PLAIN_UNIT, done);
        error = check_log_limit(c);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int copy_open_file(
    ref_copier *c, const source *from, uint64_t size, bool may_end, const char *name)
{
    void *output;
    tell(c, "copying", from->path, name);
    int error = output_open(c, name, &output);
    if (error != 0) {
        return error;
    }
    error = copy_bytes(c, from, size, may_end, name, output);
    return output_close(c, name, output, error);
}

static int copy_other(ref_copier *c, const ref_plan_item *item, bool *gone)
{
    source from;
    ref_meta meta = {0};
    int error = open_other(c, item, &from, &meta, gone);
    if (error == 0 && !*gone) {
        bool is_database = item->kind == REF_PLAN_FOUND && meta.page_size != 0;
        error = is_database ? copy_found(c, item, &from, &meta)
                            : copy_open_file(c, &from, from.size, true, item->name);
    }
    close_source(c, &from);
    return error;
}

int ref_copy_item(ref_copier *copier, const ref_plan_item *item, bool *gone)
{
    *gone = false;
    if (item->kind != REF_PLAN_DATABASE) {
        return copy_other(copier, item, gone);
    }
    return copier->still != NULL ? copy_still(copier, item, gone)
                                 : copy_database(copier, item, gone);
}

int ref_copy_segment(ref_copier *copier, uint32_t segment, uint64_t limit, const char *name)
{
    ref_vfs *vfs = copier->env->vfs;
    ref_stat stat = {0};
    source from = {.path = ref_log_path(copier->env, segment)};
    if (from.path == NULL) {
        return ref_fail(ENOMEM, "%s", name);
    }
    int error = vfs->open(vfs, from.path, REF_O_SEQUENTIAL, 0, &from.file);
    if (error == 0) {
        error = vfs->fstat(from.file, &stat);
    }
    if (error != 0) {
        ref_fail(error, "%s: log segment", from.path);
    } else {
        error = copy_open_file(copier, &from, limit == UINT64_MAX ? stat.size : limit, false, name);
    }
    close_source(copier, &from);
    return error;
}
