/*
 * Error codes of databases, notes and backups. The comment says when this library gives the
 * code, or "-" when it does not: the code is there for programs that ask for it. [ERR_xxx]
 */
#ifndef REF_DOMINO_NSFERR_H
#define REF_DOMINO_NSFERR_H

#include "globerr.h"

#define ERR_NOT_NSF (PKG_NSF + 1)     /* the file is no database */
#define ERR_READONLY (PKG_NSF + 4)    /* - */
#define ERR_CONFLICT (PKG_NSF + 5)    /* NSFNoteUpdate: somebody else has changed the note since */
#define ERR_STRUCT (PKG_NSF + 6)      /* - */
#define ERR_VALUE_FLAGS (PKG_NSF + 8) /* a flag is reserved, unknown or outside the subset */
#define ERR_NOTE_ID (PKG_NSF + 20)    /* this can be no note's identifier */
#define ERR_NOTES_NOT_INITIALIZED (PKG_NSF + 23) /* before NotesInitExtended */
#define ERR_NSF_VERSION (PKG_NSF + 25)           /* a format that this version does not know */
#define ERR_DIRECTORY (PKG_NSF + 28)             /* the path names a directory */
#define ERR_NOT_LOCAL (PKG_NSF + 32)             /* the database is remote */
#define ERR_ITEM_NOT_FOUND (PKG_NSF + 34)        /* - */
#define ERR_NOTE_DELETED (PKG_NSF + 37)          /* the note has been deleted */
#define ERR_INVALID_NOTE (PKG_NSF + 39)          /* no note has this identifier */
#define ERR_NSFOPEN (PKG_NSF + 41)               /* - */
#define ERR_NSF_IN_USE (PKG_NSF + 46)      /* applying change information to an open database */
#define ERR_INVALID_NAME (PKG_NSF + 47)    /* a remote path must be relative */
#define ERR_SUMMARY_TOO_BIG (PKG_NSF + 49) /* NSFNoteUpdate: more than 32,768 bytes of summary */
#define ERR_DBCLASS (PKG_NSF + 50)         /* NSFDbCreate: no such class */
#define ERR_TOOHUGE (PKG_NSF + 51)         /* NSFNoteUpdate: the note is longer than 1 MiB */
#define ERR_TRANSLOG_MISSING_SEGS (PKG_NSF + 55) /* - */
#define ERR_NSF_CORRUPT (PKG_NSF + 56)           /* a note that cannot be read as one */
#define ERR_NO_MODIFIED_NOTES (PKG_NSF + 60)     /* NSFDbGetModifiedNoteTable: none */
#define ERR_BAD_PARAM (PKG_NSF + 65)             /* NULL where something is needed */
#define ERR_NOACCESS (PKG_NSF + 70)              /* - */
#define ERR_COMPACT_MODE (PKG_NSF + 166)         /* the database is being compacted already */

#define ERR_TRANSLOG_NO_SPACE (PKG_NSF3 + 0) /* - */
#define ERR_NULL_DBHANDLE (PKG_NSF3 + 4)     /* the database handle is NULLHANDLE */
#define ERR_NSF_CANT_BACKUP \
    (PKG_NSF3 + 41) /* a before-image could not be kept: the backup has ended */
#define ERR_CANT_BACKUP_DURING_COMPACT (PKG_NSF3 + 42) /* NSFBackupStart: it is being compacted */
#define ERR_NULL_NOTEHANDLE (PKG_NSF3 + 59)            /* the note handle is NULLHANDLE */
#define ERR_RM_FIXUP_DB (PKG_NSF3 + 65)                /* damage in a database or in the log */
#define ERR_RM_GENERAL_FAILURE (PKG_NSF3 + 69)         /* the data directory has ended */
#define ERR_ONLY_V5_DATABASES (PKG_NSF3 + 71)          /* - */
#define ERR_NO_SUCH_TRANSLOG (PKG_NSF3 + 92)           /* - */
#define ERR_NO_ARCHIVED_EXTENT (PKG_NSF3 + 93)         /* - */
#define ERR_NO_TRANSLOGS_TO_ARCHIVE (PKG_NSF3 + 94)    /* - */
#define ERR_RM_MQ_LOG_ERROR (PKG_NSF3 + 99)            /* - */
#define ERR_RM_SCAN_IN_PROGRESS (PKG_NSF3 + 104)       /* - */
#define ERR_RM_LOG_SPACE_CRITICAL (PKG_NSF3 + 105)     /* - */
#define ERR_DBINUSE (PKG_NSF3 + 106)                   /* - */
#define ERR_RM_LATE_BACKUP (PKG_NSF3 + 107)            /* - */
#define ERR_RM_OPEN_BACKUP (PKG_NSF3 + 115)  /* a copy whose change information was not applied */
#define ERR_RM_DBIID_IN_USE (PKG_NSF3 + 116) /* - */
#define ERR_RM_DOWN_LEVEL (PKG_NSF3 + 117)   /* - */
#define ERR_DBOFFLINE (PKG_NSF3 + 121)       /* - */
#define ERR_RM_RECOVER_NONBACKUP (PKG_NSF3 + 122)   /* - */
#define ERR_SERVER_NOT_TRANSLOGGED (PKG_NSF3 + 127) /* - */

#define ERR_TRANSLOG_NOT_ARCHIVED (PKG_NSF4 + 1)      /* - */
#define ERR_RM_NEW_DBIID (PKG_NSF4 + 2)               /* - */
#define ERR_BACKUP_ALREADY_IN_PROGRESS (PKG_NSF4 + 4) /* the database is being backed up */
#define ERR_NOT_DOING_BACKUP (PKG_NSF4 + 5)           /* the context is no backup of the database */
#define ERR_INVALID_CHANGE_INFO_CONTEXT (PKG_NSF4 + 6) /* the context is no application */
#define ERR_CORRUPT_CHANGE_INFO (PKG_NSF4 + 7)         /* not the change information of this copy */
#define ERR_RM_DUP_DBIID (PKG_NSF4 + 9)                /* - */
#define ERR_TRANSLOG_ARCHIVE_IN_PROGRESS (PKG_NSF4 + 14) /* - */

#define ERR_BACKUP_ABORTED (PKG_NSF9 + 16) /* the backup has ended: it took too long */

#define ERR_BACKUP_ABORTED2 (PKG_NSF10 + 24) /* the backup has ended: no room for before-images */
#define ERR_RM_SNAPSHOT_INVALID_DB (PKG_NSF10 + 31) /* - */

#endif
