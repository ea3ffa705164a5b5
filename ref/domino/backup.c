/*
 * Backups: NSFBackupStart to NSFBackupEnd.
 *
 * A file's backups hang on the file, so that every handle of the database sees the same. One of
 * them runs at most; others have ended by themselves and wait for their NSFBackupEnd, to be able
 * to say why. All calls on the backups of one file wait for one another (backup_lock).
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

typedef struct ref_dom_backup {
    ref_dom_object object;
    DBHANDLE starter;
    ref_capture *capture; /* NULL: it has ended by itself, and another one has been begun since */
    STATUS ended;         /* why, then */
    bool stopped;
    struct ref_dom_backup *next;
} ref_dom_backup;

/* ---- from numbers in two halves, and back ---- */

static uint64_t joined(DWORD low, DWORD high)
{
    return (uint64_t)high << 32 | low;
}

static void split(uint64_t value, DWORD *low, DWORD *high)
{
    *low = (DWORD)(value & MAXDWORD);
    *high = (DWORD)(value >> 32);
}

/* ---- why a backup has ended ---- */

static STATUS reason(int error)
{
    switch (error) {
    case 0:
        return NOERROR;
    case ETIMEDOUT:
        return ref_dom_error_as(ERR_BACKUP_ABORTED);
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
        return ref_dom_error_as(ERR_BACKUP_ABORTED2);
    case REF_RUNRECOVERY:
        return ref_dom_error(error);
    default:
        return ref_dom_error_as(ERR_NSF_CANT_BACKUP);
    }
}

static STATUS state_of(const ref_dom_backup *backup)
{
    return backup->capture == NULL ? backup->ended : reason(ref_capture_state(backup->capture));
}

/* ---- contexts ---- */

/* The file's backup of this context, with the lock that guards it; ERR_NOT_DOING_BACKUP, and no
 * lock. */
static STATUS enter(ref_dom_file *file, DHANDLE context, ref_dom_backup **out)
{
    (void)pthread_mutex_lock(&file->backup_lock);
    *out = file->backups;
    while (*out != NULL && (*out)->object.handle != context) {
        *out = (*out)->next;
    }
    if (*out == NULL) {
        (void)pthread_mutex_unlock(&file->backup_lock);
        return ERR_NOT_DOING_BACKUP;
    }
    return NOERROR;
}

static void leave(ref_dom_file *file)
{
    (void)pthread_mutex_unlock(&file->backup_lock);
}

/* Ends the backup and frees it. Caller holds the lock. */
static void end(ref_dom_file *file, ref_dom_backup *backup)
{
    ref_dom_backup **link = &file->backups;
    STATUS status;

    while (*link != backup) {
        link = &(*link)->next;
    }
    *link = backup->next;
    if (backup->capture != NULL) {
        ref_capture_end(backup->capture);
    }
    (void)ref_dom_handle_take(backup->object.handle, REF_DOM_BACKUP, &status);
    free(backup);
}

void ref_dom_backup_end_all(ref_dom_file *file, DBHANDLE starter)
{
    (void)pthread_mutex_lock(&file->backup_lock);
    ref_dom_backup *backup = file->backups;
    while (backup != NULL) {
        ref_dom_backup *next = backup->next;

        if (starter == NULLHANDLE || backup->starter == starter) {
            end(file, backup);
        }
        backup = next;
    }
    (void)pthread_mutex_unlock(&file->backup_lock);
}

/* ---- start ---- */

/* ERR_BACKUP_ALREADY_IN_PROGRESS when one runs. One that has ended by itself lets go of the file. */
static STATUS make_way(ref_dom_file *file)
{
    for (ref_dom_backup *backup = file->backups; backup != NULL; backup = backup->next) {
        STATUS status = state_of(backup);

        if (status == NOERROR) {
            return ERR_BACKUP_ALREADY_IN_PROGRESS;
        }
        if (backup->capture != NULL) {
            ref_capture_end(backup->capture);
            backup->capture = NULL;
            backup->ended = status;
        }
    }
    return NOERROR;
}

static STATUS start_capture(ref_dom_file *file, ref_dom_backup *backup, uint64_t *size)
{
    const ref_dom_settings *settings = ref_dom_settings_now();
    ref_capture_options options = {.memory_limit = settings->memory_limit,
        .no_spill = settings->no_spill,
        .timeout = settings->backup_timeout};
    int error = ref_capture_start(file->engine, &options, &backup->capture, size);

    if (error == EALREADY) {
        return ERR_BACKUP_ALREADY_IN_PROGRESS;
    }
    return error == EBUSY ? ERR_CANT_BACKUP_DURING_COMPACT : ref_dom_error(error);
}

/* Caller holds the lock. */
static STATUS start(ref_dom_file *file, DBHANDLE starter, DHANDLE *context, uint64_t *size)
{
    STATUS status = make_way(file);

    if (status != NOERROR) {
        return status;
    }
    ref_dom_backup *backup = calloc(1, sizeof *backup);
    if (backup == NULL) {
        return ERR_MEMORY;
    }
    backup->starter = starter;
    status = ref_dom_handle_add(&backup->object, REF_DOM_BACKUP);
    if (status != NOERROR) {
        free(backup);
        return status;
    }
    backup->next = file->backups;
    file->backups = backup;
    status = start_capture(file, backup, size);
    if (status == NOERROR) {
        *context = backup->object.handle;
    } else {
        end(file, backup);
    }
    return status;
}

STATUS LNPUBLIC NSFBackupStart(
    DBHANDLE hDB, DWORD Flags, DHANDLE *BackupContext, DWORD *FileSizeLow, DWORD *FileSizeHigh)
{
    ref_dom_db *db;
    uint64_t size;
    STATUS status = ref_dom_db_use_local(hDB, &db);

    if (status == NOERROR && Flags != 0) {
        status = ERR_VALUE_FLAGS;
    }
    if (BackupContext != NULL && FileSizeLow != NULL && FileSizeHigh != NULL) {
        *BackupContext = NULLHANDLE;
        *FileSizeLow = *FileSizeHigh = 0;
    } else if (status == NOERROR) {
        status = ERR_BAD_PARAM;
    }
    if (status == NOERROR) {
        (void)pthread_mutex_lock(&db->file->backup_lock);
        status = start(db->file, hDB, BackupContext, &size);
        (void)pthread_mutex_unlock(&db->file->backup_lock);
    }
    if (status == NOERROR) {
        split(size, FileSizeLow, FileSizeHigh);
    }
    ref_dom_handle_leave(db);
    return status;
}

/* ---- while it runs ---- */

STATUS LNPUBLIC NSFBackupSetHighWaterMark(
    DBHANDLE hDB, DHANDLE BackupContext, DWORD HighWaterMarkLow, DWORD HighWaterMarkHigh)
{
    ref_dom_backup *backup;
    ref_dom_db *db;
    STATUS status = ref_dom_db_use_local(hDB, &db);

    if (status == NOERROR) {
        status = enter(db->file, BackupContext, &backup);
    }
    if (status == NOERROR) {
        status = state_of(backup);
        if (status == NOERROR) {
            status = backup->stopped ? ERR_NOT_DOING_BACKUP
                                     : reason(ref_capture_mark(backup->capture,
                                           joined(HighWaterMarkLow, HighWaterMarkHigh)));
        }
        leave(db->file);
    }
    ref_dom_handle_leave(db);
    return status;
}

STATUS LNPUBLIC NSFBackupStop(DBHANDLE hDB, DHANDLE BackupContext)
{
    ref_dom_backup *backup;
    ref_dom_db *db;
    STATUS status = ref_dom_db_use_local(hDB, &db);

    if (status == NOERROR) {
        status = enter(db->file, BackupContext, &backup);
    }
    if (status == NOERROR) {
        status = state_of(backup);
        if (status == NOERROR) {
            status = reason(ref_capture_stop(backup->capture));
            backup->stopped = status == NOERROR;
        }
        leave(db->file);
    }
    ref_dom_handle_leave(db);
    return status;
}

/* ---- the change information ---- */

/* As enter(), for what there is after the stop only. */
static STATUS enter_stopped(ref_dom_file *file, DHANDLE context, ref_dom_backup **out)
{
    STATUS status = enter(file, context, out);

    if (status == NOERROR) {
        status = state_of(*out);
        if (status == NOERROR && !(*out)->stopped) {
            status = ERR_BACKUP_ALREADY_IN_PROGRESS;
        }
        if (status != NOERROR) {
            leave(file);
        }
    }
    return status;
}

STATUS LNPUBLIC NSFBackupGetChangeInfoSize(
    DBHANDLE hDB, DHANDLE hBackupContext, DWORD Flags, DWORD *InfoSizeLow, DWORD *InfoSizeHigh)
{
    ref_dom_backup *backup;
    ref_dom_db *db;
    uint64_t size = 0;
    STATUS status = ref_dom_db_use_local(hDB, &db);

    if (status == NOERROR && Flags != 0) {
        status = ERR_VALUE_FLAGS;
    }
    if (InfoSizeLow != NULL && InfoSizeHigh != NULL) {
        *InfoSizeLow = *InfoSizeHigh = 0;
    } else if (status == NOERROR) {
        status = ERR_BAD_PARAM;
    }
    if (status == NOERROR) {
        status = enter_stopped(db->file, hBackupContext, &backup);
        if (status == NOERROR) {
            status = reason(ref_capture_size(backup->capture, &size));
            leave(db->file);
        }
    }
    if (status == NOERROR) {
        split(size, InfoSizeLow, InfoSizeHigh);
    }
    ref_dom_handle_leave(db);
    return status;
}

STATUS LNPUBLIC NSFBackupGetNextChangeInfo(DBHANDLE hDB, DHANDLE hBackupContext, DWORD Flags,
    char *Buffer, DWORD BufferSize, DWORD *FilledSize)
{
    ref_dom_backup *backup;
    ref_dom_db *db;
    size_t done = 0;
    STATUS status = ref_dom_db_use_local(hDB, &db);

    if (status == NOERROR && Flags != 0) {
        status = ERR_VALUE_FLAGS;
    }
    if (status == NOERROR && (FilledSize == NULL || (Buffer == NULL && BufferSize > 0))) {
        status = ERR_BAD_PARAM;
    }
    if (FilledSize != NULL) {
        *FilledSize = 0;
    }
    if (status == NOERROR) {
        status = enter_stopped(db->file, hBackupContext, &backup);
        if (status == NOERROR) {
            if (BufferSize > 0) {
                status = reason(ref_capture_read(backup->capture, Buffer, BufferSize, &done));
            }
            leave(db->file);
        }
    }
    if (status == NOERROR) {
        *FilledSize = (DWORD)done;
    }
    ref_dom_handle_leave(db);
    return status;
}

/* ---- end ---- */

STATUS LNPUBLIC NSFBackupEnd(DBHANDLE hDB, DHANDLE BackupContext, DWORD Options)
{
    ref_dom_backup *backup;
    ref_dom_db *db;
    STATUS status = ref_dom_db_use_local(hDB, &db);

    if (status == NOERROR && (Options & ~(DWORD)BACKUPEND_ABORT) != 0) {
        status = ERR_VALUE_FLAGS;
    }
    if (status == NOERROR) {
        status = enter(db->file, BackupContext, &backup);
    }
    if (status == NOERROR) {
        status = Options == BACKUPEND_ABORT ? NOERROR : state_of(backup);
        end(db->file, backup);
        leave(db->file);
    }
    ref_dom_handle_leave(db);
    return status;
}
