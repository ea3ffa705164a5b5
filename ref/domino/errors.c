/* Error codes: their texts, and what the engine's results become. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* code, text */
#define REF_DOM_TEXT_MAP(X)                                                                        \
    X(NOERROR, "no error")                                                                         \
    X(ERR_UNKNOWN, "an error of the operating system that has no code of its own")                 \
    X(ERR_PROTECTED, "the file system is read-only")                                               \
    X(ERR_NOEXIST, "there is no such file")                                                        \
    X(ERR_EXISTS, "the file is there already")                                                     \
    X(ERR_FILES, "too many files are open")                                                        \
    X(ERR_DISK, "there is no room on the disk")                                                    \
    X(ERR_MEMORY, "there is no memory left")                                                       \
    X(ERR_LOCK, "the file is in use")                                                              \
    X(ERR_IOERROR, "reading or writing failed")                                                    \
    X(ERR_DRIVE_NOT_READY, "the drive is not ready")                                               \
    X(ERR_ACCESS, "the operating system does not allow it")                                        \
    X(ERR_INV_SERVER_NAME, "the name of the server or port is no name")                            \
    X(ERR_INV_FILE_NAME, "the file's name is too long or not allowed")                             \
    X(ERR_OS_NULL_HANDLE, "the handle is NULLHANDLE")                                              \
    X(ERR_OS_HANDLE_RANGE, "the handle never was one")                                             \
    X(ERR_OS_FREE_HANDLE, "the handle is none any more")                                           \
    X(ERR_SEGMENT_TOO_BIG, "more memory was asked for than one object can have")                   \
    X(ERR_OS_INCOMPATIBLE_HANDLES, "the handle stands for something else")                         \
    X(ERR_MEM_HANDLES, "there are no more handles")                                                \
    X(ERR_BAD_DIRECTORY, "the directory is not there, or its path is too long")                    \
    X(ERR_NOT_NSF, "the file is no database")                                                      \
    X(ERR_READONLY, "the database can only be read")                                               \
    X(ERR_CONFLICT, "somebody else has changed the note since it was read")                        \
    X(ERR_STRUCT, "the file's structure is not valid")                                             \
    X(ERR_VALUE_FLAGS, "these flags are reserved, unknown or not supported")                       \
    X(ERR_NOTE_ID, "this can be no note's identifier")                                             \
    X(ERR_NOTES_NOT_INITIALIZED, "NotesInitExtended has not been called")                          \
    X(ERR_NSF_VERSION, "the database has a format that this version does not know")                \
    X(ERR_DIRECTORY, "the path names a directory")                                                 \
    X(ERR_NOT_LOCAL, "the database is remote, and this works on local ones only")                  \
    X(ERR_ITEM_NOT_FOUND, "the note has no such item")                                             \
    X(ERR_NOTE_DELETED, "the note has been deleted")                                               \
    X(ERR_INVALID_NOTE, "there is no such note")                                                   \
    X(ERR_NSFOPEN, "the database is open")                                                         \
    X(ERR_NSF_IN_USE, "this cannot be done to a database that is open")                            \
    X(ERR_INVALID_NAME, "a path on a server is relative to its data directory")                    \
    X(ERR_SUMMARY_TOO_BIG, "the note's summary items are longer than 32,768 bytes")                \
    X(ERR_DBCLASS, "there is no such class of databases")                                          \
    X(ERR_TOOHUGE, "the note is longer than a database can store")                                 \
    X(ERR_TRANSLOG_MISSING_SEGS, "a file of the transaction log is missing or damaged")            \
    X(ERR_NSF_CORRUPT, "what is stored in the database is damaged")                                \
    X(ERR_NO_MODIFIED_NOTES, "no note has been changed since then")                                \
    X(ERR_BAD_PARAM, "an argument is missing or out of range")                                     \
    X(ERR_NOACCESS, "you are not allowed to do that")                                              \
    X(ERR_COMPACT_MODE, "the database is being compacted")                                         \
    X(ERR_TRANSLOG_NO_SPACE, "there is no room on the disk for the transaction log")               \
    X(ERR_NULL_DBHANDLE, "the database handle is NULLHANDLE")                                      \
    X(ERR_NSF_CANT_BACKUP, "a before-image could not be kept, so the backup has ended")            \
    X(ERR_CANT_BACKUP_DURING_COMPACT, "a database cannot be backed up while it is compacted")      \
    X(ERR_NULL_NOTEHANDLE, "the note handle is NULLHANDLE")                                        \
    X(ERR_RM_FIXUP_DB, "the database or the transaction log is damaged")                           \
    X(ERR_RM_GENERAL_FAILURE, "writing has failed: close every database of the directory, "        \
                              "and open them again")                                               \
    X(ERR_ONLY_V5_DATABASES, "the database's format is too old for this")                          \
    X(ERR_NO_SUCH_TRANSLOG, "this log file does not wait to be archived")                          \
    X(ERR_NO_ARCHIVED_EXTENT, "none of the log files that wait has been archived")                 \
    X(ERR_NO_TRANSLOGS_TO_ARCHIVE, "no log file waits to be archived")                             \
    X(ERR_RM_MQ_LOG_ERROR, "the transaction log failed")                                           \
    X(ERR_RM_SCAN_IN_PROGRESS, "the transaction log is being read already")                        \
    X(ERR_RM_LOG_SPACE_CRITICAL, "the transaction log is nearly full")                             \
    X(ERR_DBINUSE, "the database is in use and cannot be taken offline")                           \
    X(ERR_RM_LATE_BACKUP, "the backup is later than the point in time that was asked for")         \
    X(ERR_RM_OPEN_BACKUP, "this copy was made during a backup, and its change information "        \
                          "has not been applied")                                                  \
    X(ERR_RM_DBIID_IN_USE, "another database has the same instance identifier")                    \
    X(ERR_RM_DOWN_LEVEL, "there is a later copy of this database")                                 \
    X(ERR_DBOFFLINE, "the database is being taken offline")                                        \
    X(ERR_RM_RECOVER_NONBACKUP, "only a backup can be rolled forward")                             \
    X(ERR_SERVER_NOT_TRANSLOGGED, "there is no transaction log")                                   \
    X(ERR_TRANSLOG_NOT_ARCHIVED, "the transaction log is not of the archive style")                \
    X(ERR_RM_NEW_DBIID, "the database has a new instance identifier and needs a new backup")       \
    X(ERR_BACKUP_ALREADY_IN_PROGRESS, "the database is being backed up")                           \
    X(ERR_NOT_DOING_BACKUP, "this context is no backup of this database")                          \
    X(ERR_INVALID_CHANGE_INFO_CONTEXT, "this context applies no change information")               \
    X(ERR_CORRUPT_CHANGE_INFO, "the change information is damaged, incomplete or not this file's") \
    X(ERR_RM_DUP_DBIID, "two databases have the same instance identifier")                         \
    X(ERR_TRANSLOG_ARCHIVE_IN_PROGRESS, "another process archives the transaction log")            \
    X(ERR_BACKUP_ABORTED, "the backup took too long, so it has ended")                             \
    X(ERR_BACKUP_ABORTED2, "there is no room for more before-images, so the backup has ended")     \
    X(ERR_RM_SNAPSHOT_INVALID_DB, "the snapshots are of different backups")                        \
    X(ERR_SERVER_NOT_FOUND, "notes.ini does not know this server")

static const char *text_of(STATUS code)
{
    static const struct {
        STATUS code;
        const char *text;
    } texts[] = {
#define X(code, text) {code, text},
        REF_DOM_TEXT_MAP(X)
#undef X
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].code == code) {
            return texts[i].text;
        }
    }
    return "";
}

WORD LNPUBLIC OSLoadString(
    HMODULE hModule, STATUS StringCode, char far *retBuffer, WORD BufferLength)
{
    const char *text = text_of(StringCode);

    (void)hModule;
    if (retBuffer == NULL || BufferLength == 0) {
        return 0;
    }
    size_t length = strlen(text);
    if (length >= BufferLength) {
        length = (size_t)BufferLength - 1;
    }
    memcpy(retBuffer, text, length);
    retBuffer[length] = '\0';
    return (WORD)length;
}

static STATUS code_of(int result)
{
    switch (result) {
    case 0:
        return NOERROR;
    case ENOMEM:
        return ERR_MEMORY;
    case ENOENT:
        return ERR_NOEXIST;
    case EEXIST:
        return ERR_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_DISK;
    case EIO:
        return ERR_IOERROR;
    case EACCES:
    case EPERM:
        return ERR_ACCESS;
    case EROFS:
        return ERR_PROTECTED;
    case EMFILE:
    case ENFILE:
        return ERR_FILES;
    case EAGAIN:
    case EBUSY:
    case REF_DEADLOCK:
    case REF_NOTGRANTED:
        return ERR_LOCK;
    case EISDIR:
        return ERR_DIRECTORY;
    case ENOTDIR:
    case ENAMETOOLONG:
    case ERANGE:
    case ELOOP:
        return ERR_INV_FILE_NAME;
    case EINVAL: /* what nearly always is meant: the file is something else */
        return ERR_NOT_NSF;
    case REF_NOTFOUND:
        return ERR_INVALID_NOTE;
    case REF_VERSION:
        return ERR_NSF_VERSION;
    case REF_CORRUPT:
        return ERR_RM_FIXUP_DB;
    case REF_INCOMPLETE:
        return ERR_RM_OPEN_BACKUP;
    case REF_RUNRECOVERY:
        return ERR_RM_GENERAL_FAILURE;
    default:
        return ERR_UNKNOWN;
    }
}

STATUS ref_dom_error_as(STATUS status)
{
    if (status != NOERROR && ref_dom_settings_now()->trace) {
        fprintf(
            stderr, "hotref: 0x%04x %s: %s\n", (unsigned)status, text_of(status), ref_error_text());
    }
    return status;
}

STATUS ref_dom_error(int result)
{
    return ref_dom_error_as(code_of(result));
}
