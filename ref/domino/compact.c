/* Compaction in place. */
#include <errno.h>

#include "internal.h"
#include "provoke.h"

static pthread_mutex_t provoke_lock = PTHREAD_MUTEX_INITIALIZER;
static void (*provoked_pause)(void *context);
static void *provoked_context;

void ref_dom_provoke_compact_pause(void (*pause)(void *context), void *context)
{
    (void)pthread_mutex_lock(&provoke_lock);
    provoked_pause = pause;
    provoked_context = context;
    (void)pthread_mutex_unlock(&provoke_lock);
}

static void between_steps(void *unused)
{
    (void)unused;
    (void)pthread_mutex_lock(&provoke_lock);
    void (*pause)(void *) = provoked_pause;
    void *context = provoked_context;
    (void)pthread_mutex_unlock(&provoke_lock);
    if (pause != NULL) {
        pause(context);
    }
}

static DWORD cut_to_dword(uint64_t bytes)
{
    return bytes < MAXDWORD ? (DWORD)bytes : MAXDWORD;
}

static int file_size(const char *path, uint64_t *out)
{
    ref_vfs *vfs = ref_default_vfs();
    ref_stat info;
    int error = vfs->stat(vfs, path, &info);

    *out = error == 0 ? info.size : 0;
    return error == 0 ? 0 : ref_fail(error, "%s", path);
}

static STATUS compact(ref_dom_file *file, DWORD *stats)
{
    uint64_t before = 0, after = 0;

    /* What has been committed but is not in the file yet counts, too. */
    int error = ref_db_sync(file->engine);
    if (error == 0) {
        error = file_size(file->path, &before);
    }
    if (error == 0) {
        error = ref_db_compact(file->engine, between_steps, NULL, NULL);
    }
    if (error == EBUSY) {
        return ref_db_is_compacting(file->engine) ? ERR_COMPACT_MODE
                                                  : ERR_BACKUP_ALREADY_IN_PROGRESS;
    }
    if (error == 0) {
        error = file_size(file->path, &after);
    }
    if (error == 0 && stats != NULL) {
        stats[0] = cut_to_dword(before);
        stats[1] = cut_to_dword(after);
    }
    return ref_dom_error(error);
}

STATUS LNPUBLIC NSFDbCompact(const char far *Pathname, WORD Options, DWORD far *retStats)
{
    ref_dom_place place;
    ref_dom_file *file;
    STATUS status = ref_dom_place_of(Pathname, &place);

    if (retStats != NULL) {
        retStats[0] = retStats[1] = 0;
    }
    if (status == NOERROR && place.remote) {
        status = ERR_NOT_LOCAL;
    }
    if (status == NOERROR && (Options & ~DBCOMPACT_MAILBOX) != 0) {
        status = ERR_VALUE_FLAGS;
    }
    if (status == NOERROR) {
        status = ref_dom_file_open(&place, &file);
    }
    if (status == NOERROR) {
        status = compact(file, retStats);
        STATUS end = ref_dom_file_close(file);
        status = status == NOERROR ? end : status;
    }
    return status;
}
