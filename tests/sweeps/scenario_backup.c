/* Backups in the way of Berkeley DB, into a directory and through callbacks. */
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/error.h"

/* ---- disks before ---- */

static int prepare(world *w)
{
    int error = world_open(w);
    if (error == 0) {
        error = world_commits(w, 5);
    }
    if (error == 0) {
        error = ref_checkpoint(w->env, false);
    }
    if (error == 0) {
        error = world_commits(w, 2);
    }
    return error;
}

static int back_up(world *w, const char *target, unsigned flags)
{
    ref_backup_options options = {.target = target, .flags = flags, .buffer_size = 4096};
    w->least = w->acked;
    int error = ref_backup(w->env, &options);
    w->done = error == 0;
    return error;
}

static int prepare_source(world *w)
{
    int error = prepare(w);
    return error == 0 ? world_close(w) : error;
}

/* With the log in a directory of its own, here and in the copy. */
static int prepare_with_log_dir(world *w)
{
    w->log_dir = "logs";
    int error = w->vfs->mkdir(w->vfs, SWEEP_HOME "/logs", 0700);
    return error == 0 ? prepare_source(w) : error;
}

/* With an older copy in the place of the new one. */
static int prepare_with_copy(world *w)
{
    int error = prepare(w);
    if (error == 0) {
        error = back_up(w, SWEEP_COPY, REF_BACKUP_CREATE);
        w->before = w->acked;
        w->done = false;
    }
    if (error == 0) {
        error = world_commits(w, 2);
    }
    return error == 0 ? world_close(w) : error;
}

static int prepare_with_recovered_copy(world *w)
{
    char why[SWEEP_WHY];
    int error = prepare_with_copy(w);
    return error == 0 ? world_look(w, w->vfs, SWEEP_COPY, w->before, w->before, NULL, why) : error;
}

/* ---- what must hold ---- */

/*
 * The target: the new copy if it was reported as made. Otherwise the new one or the older one, or
 * nothing that opens, and not opening says why.
 */
static int check_copy(const world *w, ref_vfs *vfs, char *why)
{
    char words[SWEEP_WHY] = "";
    uint32_t found = 0;
    int error = world_look(w, vfs, SWEEP_COPY, 0, UINT32_MAX, &found, words);
    if (error == SWEEP_WRONG) {
        return world_wrong(why, "the copy: ", words);
    }
    if (w->done) {
        if (error != 0) {
            return world_wrong(why, "the copy was reported as made and does not open: ", words);
        }
        snprintf(words, sizeof words, "commit %u, expected %u to %u", found, w->least, w->tried);
        return found < w->least || found > w->tried ? world_wrong(why, "the copy holds ", words)
                                                    : 0;
    }
    if (error == REF_INCOMPLETE || (error == ENOENT && w->before == 0)) {
        return 0;
    }
    if (error != 0) {
        return world_wrong(why, "the copy is neither the older one, nor marked: ", words);
    }
    bool older = w->before != 0 && found == w->before;
    snprintf(words, sizeof words, "commit %u", found);
    return !older && found < w->least ? world_wrong(why, "the copy holds ", words) : 0;
}

static int check(const world *w, ref_vfs *vfs, char *why)
{
    int error = world_check_source(w, vfs, why);
    return error == 0 ? check_copy(w, vfs, why) : error;
}

/* ---- the backups ---- */

static int full(world *w, unsigned flags)
{
    int error = world_commit(w);
    if (error == 0) {
        error = back_up(w, SWEEP_COPY, flags);
    }
    return error == 0 ? world_close(w) : error;
}

static int full_new(world *w)
{
    return full(w, REF_BACKUP_CREATE);
}

static int full_clean(world *w)
{
    return full(w, REF_BACKUP_CLEAN);
}

static int full_again(world *w)
{
    return full(w, 0);
}

const scenario sweep_backup = {.name = "backup",
    .about = "a backup into a directory that it makes, with another for the log",
    .prepare = prepare_with_log_dir,
    .begin = world_open,
    .act = full_new,
    .check = check};

const scenario sweep_backup_again = {.name = "backup-again",
    .about = "a backup over an older one",
    .prepare = prepare_with_copy,
    .begin = world_open,
    .act = full_again,
    .check = check};

const scenario sweep_backup_clean = {.name = "backup-clean",
    .about = "a backup that cleans a target with an older, recovered one",
    .prepare = prepare_with_recovered_copy,
    .begin = world_open,
    .act = full_clean,
    .check = check};

/* An update never leaves less than there was. */
static int check_update(const world *w, ref_vfs *vfs, char *why)
{
    char words[SWEEP_WHY] = "";
    int error = world_check_source(w, vfs, why);
    if (error != 0) {
        return error;
    }
    error = world_look(w, vfs, SWEEP_COPY, w->done ? w->least : w->before, w->tried, NULL, words);
    if (error == SWEEP_WRONG) {
        return world_wrong(why, "the updated copy: ", words);
    }
    return error == 0 ? 0 : world_wrong(why, "the updated copy does not open: ", words);
}

static int two_updates(world *w)
{
    int error = back_up(w, SWEEP_COPY, REF_BACKUP_UPDATE);
    w->before = error == 0 ? w->least : w->before;
    if (error == 0) {
        w->done = false;
        error = world_commits(w, 2);
    }
    if (error == 0) {
        error = back_up(w, SWEEP_COPY, REF_BACKUP_UPDATE | REF_BACKUP_CLEAN);
    }
    return error == 0 ? world_close(w) : error;
}

const scenario sweep_update = {.name = "update",
    .about = "two updates of an older copy that was recovered",
    .prepare = prepare_with_recovered_copy,
    .begin = world_open,
    .act = two_updates,
    .check = check_update};

/* ---- one database ---- */

static int prepare_directory(world *w)
{
    int error = prepare_source(w);
    if (error == 0) {
        error = w->vfs->mkdir(w->vfs, SWEEP_COPY, 0700);
    }
    return error == 0 ? w->vfs->fsync_dir(w->vfs, "/") : error;
}

static int one_database(world *w)
{
    ref_backup_options options = {.target = SWEEP_COPY, .buffer_size = 4096};
    int error = world_commit(w);
    if (error == 0) {
        w->least = w->acked;
        error = ref_backup_database(w->env, "0.db", &options);
        w->done = error == 0;
    }
    return error == 0 ? world_close(w) : error;
}

static int check_database(const world *w, ref_vfs *vfs, char *why)
{
    char words[SWEEP_WHY] = "";
    int error = world_check_source(w, vfs, why);
    if (error != 0) {
        return error;
    }
    error = world_look_at_database(vfs, SWEEP_COPY "/0.db", w->least, words);
    if (error == 0 || (error == ENOENT && !w->done)) {
        return 0;
    }
    return world_wrong(why, "the copied database: ", words);
}

const scenario sweep_database = {.name = "database",
    .about = "a backup of one database",
    .prepare = prepare_directory,
    .begin = world_open,
    .act = one_database,
    .check = check_database};

/* ---- callbacks ---- */

/* What other threads would do meanwhile: commit, write checkpoints, remove log. */
static int meanwhile(world *w)
{
    uint32_t *none;
    size_t count;
    int error = world_commit(w);
    if (error == 0) {
        error = ref_checkpoint(w->env, true);
    }
    return error == 0 ? ref_log_archive(w->env, REF_ARCHIVE_REMOVE, &none, &count) : error;
}

/* A careful program's: it syncs each file, and the directory at the end. */
static int call_open(void *context, const char *name, void **file)
{
    world *w = context;
    char path[256];
    int error = meanwhile(w);
    if (error != 0) {
        return error;
    }
    snprintf(path, sizeof path, "%s/%s", SWEEP_COPY, name);
    return w->vfs->open(w->vfs, path, REF_O_WRITE | REF_O_CREATE, 0600, (ref_file **)file);
}

static int call_write(void *context, void *file, uint64_t offset, const void *data, size_t size)
{
    (void)context;
    return ref_write_full(file, data, size, offset);
}

static int call_close(void *context, const char *name, void *file)
{
    world *w = context;
    (void)name;
    int error = w->vfs->fsync(file);
    int close_error = w->vfs->close(file);
    error = error != 0 ? error : close_error;
    return error == 0 ? meanwhile(w) : error;
}

static int prepare_many_segments(world *w)
{
    w->large = true;
    return prepare_directory(w);
}

static int through_callbacks(world *w)
{
    ref_sink sink = {.context = w, .open = call_open, .write = call_write, .close = call_close};
    ref_backup_options options = {.sink = &sink, .buffer_size = 4096};
    int error = world_commit(w);
    if (error == 0) {
        w->least = w->acked;
        error = ref_backup(w->env, &options);
    }
    if (error == 0) {
        error = w->vfs->fsync_dir(w->vfs, SWEEP_COPY);
        w->done = error == 0;
    }
    return error == 0 ? world_close(w) : error;
}

/* What lies there before the end is the program's concern. */
static int check_callbacks(const world *w, ref_vfs *vfs, char *why)
{
    int error = world_check_source(w, vfs, why);
    return error == 0 && w->done ? check_copy(w, vfs, why) : error;
}

const scenario sweep_callbacks = {.name = "callbacks",
    .about = "a backup through callbacks, with commits, checkpoints and removal of log inside",
    .prepare = prepare_many_segments,
    .begin = world_open,
    .act = through_callbacks,
    .check = check_callbacks};

/* ---- restoring ---- */

/* The copy takes the place of the home: it is opened, recovered and written to. */
static int prepare_restore(world *w)
{
    int error = prepare_with_copy(w);
    if (error == 0) {
        error = w->vfs->rename(w->vfs, SWEEP_HOME, "/lost", false);
    }
    if (error == 0) {
        error = w->vfs->rename(w->vfs, SWEEP_COPY, SWEEP_HOME, false);
    }
    w->acked = w->tried = w->before;
    return error == 0 ? w->vfs->fsync_dir(w->vfs, "/") : error;
}

static int restore(world *w)
{
    int error = world_open(w);
    if (error == 0) {
        error = world_commits(w, 2);
    }
    return error == 0 ? world_close(w) : error;
}

const scenario sweep_restore = {.name = "restore",
    .about = "opening a copy in the place of its source, and going on",
    .prepare = prepare_restore,
    .act = restore,
    .check = world_check_source};
