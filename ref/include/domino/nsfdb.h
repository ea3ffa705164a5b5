/*
 * Databases, and backing them up while they are in use.
 *
 * PATHS. A database is named relative to the data directory ("mail/ann.nsf"), by an absolute
 * path, or as "SERVER!!FILE" (osfile.h; notes.ini says where the server's data directory is:
 * global.h). ".nsf" is added to a name without a dot in its last part. ".." is not allowed in a
 * relative name. An absolute path in the data directory means the same database as the relative
 * one. A file elsewhere can be opened, too: it is not logged, and the one who opens it has to
 * see to it that no other process does.
 *
 * A DATA DIRECTORY belongs to one process from the first database that is opened in it to the
 * last that is closed; in another process NSFDbOpen then says ERR_LOCK. The log lies in the
 * directory. What a crash left is recovered when the next database is opened. When the last
 * database is closed, its file holds everything.
 *
 * A DATABASE FILE FROM ELSEWHERE (a restored backup) that is put into the data directory becomes
 * part of it when it is first opened, as a new instance (NSFDbGetLogInfo). To put one in the
 * place of another, NSFDbDelete that first.
 *
 * REMOTE. A database opened as "SERVER!!FILE" is remote: every call works on it but those of
 * backup, NSFDbGetLogInfo and NSFDbCompact, which say ERR_NOT_LOCAL. Errors found behind a
 * remote handle have STS_REMOTE set; ERR_NOT_LOCAL is found here, and has not.
 */
#ifndef REF_DOMINO_NSFDB_H
#define REF_DOMINO_NSFDB_H

#include "nsfdata.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Classes of databases: accepted, all the same here [DBCLASS_xxx] */
#define DBCLASS_BY_EXTENSION 0
#define DBCLASS_NSFTESTFILE 0xff00
#define DBCLASS_NOTEFILE 0xff01
#define DBCLASS_DESKTOP 0xff02
#define DBCLASS_NOTECLIPBOARD 0xff03
#define DBCLASS_TEMPLATEFILE 0xff04
#define DBCLASS_GIANTNOTEFILE 0xff05
#define DBCLASS_HUGENOTEFILE 0xff06
#define DBCLASS_ONEDOCFILE 0xff07
#define DBCLASS_V2NOTEFILE 0xff08
#define DBCLASS_ENCAPSMAILFILE 0xff09
#define DBCLASS_LRGENCAPSMAILFILE 0xff0a
#define DBCLASS_V3NOTEFILE 0xff0b
#define DBCLASS_OBJSTORE 0xff0c
#define DBCLASS_V3ONEDOCFILE 0xff0d
#define DBCLASS_V4NOTEFILE 0xff0e
#define DBCLASS_V5NOTEFILE 0xff0f
#define DBCLASS_V6NOTEFILE 0xff10
#define DBCLASS_V8NOTEFILE 0xff11
#define DBCLASS_V85NOTEFILE 0xff12
#define DBCLASS_V9NOTEFILE 0xff13
#define DBCLASS_V10NOTEFILE 0xff14
#define DBCLASS_V12NOTEFILE 0xff15
#define DBCLASS_MASK 0x00ff
#define DBCLASS_VALID_MASK 0xff00

/* Of NSFDbCompact [DBCOMPACT_xxx] */
#define DBCOMPACT_MAILBOX 0x00000080 /* accepted */

/*
 * Makes an empty database, and closes it. [NSFDbCreate]
 *
 *     DbClass        one of DBCLASS_
 *     ForceCreation  TRUE: in the place of a database of this name. Decided: a file that is no database
 *                    is never replaced.
 *
 *     ERR_EXISTS   the file is there, and ForceCreation is FALSE
 *     ERR_DBCLASS  no such class
 *     ERR_NOT_NSF  what is there is no database
 *     ERR_LOCK     the one that is there is open
 *     and those of a path: see NSFDbOpen
 */
STATUS LNPUBLIC NSFDbCreate(const char far *PathName, USHORT DbClass, BOOL ForceCreation);

/*
 * Opens a database. The handle is the caller's until NSFDbClose. One database can have many handles.
 * [NSFDbOpen]
 *
 *     ERR_NOEXIST           no such file
 *     ERR_DIRECTORY         the path names a directory, or is NULL or "": handles of directories are
 *                           outside the subset
 *     ERR_NOT_NSF           the file is no database
 *     ERR_NSF_VERSION       its format is unknown
 *     ERR_RM_FIXUP_DB       it is damaged
 *     ERR_RM_OPEN_BACKUP    it was copied during a backup, and the change information has not been
 *                           applied to it, or not to its end. A copy of which nothing had changed while it
 *                           was made needs none, and opens. Decided: the code.
 *     ERR_INV_FILE_NAME     too long (MAXPATH, with the data directory), or ".." in it
 *     ERR_INV_SERVER_NAME   a port without a server
 *     ERR_SERVER_NOT_FOUND  notes.ini does not know the server
 *     ERR_INVALID_NAME      an absolute path on a server
 *     ERR_LOCK              another process has the data directory
 *
 * Opening the file that a backup produced makes an ordinary database of it; it can then no longer be
 * rolled forward.
 */
STATUS LNPUBLIC NSFDbOpen(const char far *PathName, DBHANDLE far *rethDB);

/* Closes the handle: waits for calls that use it in other threads, ends the backups that it
 * began (as BACKUPEND_ABORT does; decided), and, with the last handle, writes everything to the
 * file. The handle is invalid whatever the result says. Notes in memory stay until NSFNoteClose.
 * [NSFDbClose] */
STATUS LNPUBLIC NSFDbClose(DBHANDLE hDB);

/* Deletes a database. [NSFDbDelete]
 *     ERR_NOEXIST  no such file
 *     ERR_NOT_NSF  it is no database
 *     ERR_LOCK     it is open: so it is never deleted during a backup
 *     and those of a path: see NSFDbOpen */
STATUS LNPUBLIC NSFDbDelete(const char far *PathName);

/*
 * Where the database is. Each of the two may be NULL, else has room for MAXPATH bytes. [NSFDbPathGet]
 *
 *     retCanonicalPathName  relative to the data directory, as NSFDbOpen takes it; the same whatever
 *                           the database was opened as. The absolute path for a file elsewhere.
 *     retExpandedPathName   absolute: what the operating system can open and a backup copies. Of a remote
 *                           database the same as the canonical one: "SERVER!!FILE".
 */
STATUS LNPUBLIC NSFDbPathGet(
    DBHANDLE hDB, char far *retCanonicalPathName, char far *retExpandedPathName);

/*
 * Moves what is stored to the front of the file and cuts off the room that deleted notes left, in place,
 * while the database may be open and used. [NSFDbCompact]
 *
 *     Options   0 or DBCOMPACT_MAILBOX
 *     retStats  NULL, or two DWORDs: bytes before and after, MAXDWORD for 4 GiB and more
 *
 *     ERR_NOT_LOCAL                   the path is on a server
 *     ERR_BACKUP_ALREADY_IN_PROGRESS  the database is being backed up. Decided: both or neither can wait,
 *                                     and a backup is the one that has to end soon.
 *     ERR_COMPACT_MODE                it is being compacted
 *     and those of NSFDbOpen
 */
STATUS LNPUBLIC NSFDbCompact(const char far *Pathname, WORD Options, DWORD far *retStats);

/*
 * The identifiers of notes that were changed, in an ID table that the caller destroys.
 * [NSFDbGetModifiedNoteTable]
 *
 *     NoteClassMask  notes of these classes; a deleted note has the class that it had
 *     Since          TIMEDATE_MINIMUM (misc.h): all notes. TIMEDATE_WILDCARD: all notes and deleted ones.
 *                    Else notes written or deleted then or later; deleted ones with RRV_DELETED.
 *     *retUntil      what to give as Since the next time, so that no change is missed (one may come
 *                    twice). Also set with ERR_NO_MODIFIED_NOTES.
 *
 *     ERR_NO_MODIFIED_NOTES  none; *rethTable is NULLHANDLE
 */
STATUS LNPUBLIC NSFDbGetModifiedNoteTable(DBHANDLE hDB, WORD NoteClassMask, TIMEDATE Since,
    TIMEDATE far *retUntil, DHANDLE far *rethTable);

/*
 * Whether the database is logged, and where its log begins for the next backup. Also while it is
 * being backed up. [NSFDbGetLogInfo]
 *
 *     Flags       0
 *     *LOGGED     FALSE for a file outside the data directory, and with TRANSLOG_Status=0; all that
 *                 follows is then 0
 *     *LogID      of the log
 *     *DbIID      of this instance of the database: another one after it came from elsewhere
 *     *LogExtent  the number of the log file with which recovering the next backup will begin
 *
 *     ERR_NOT_LOCAL    the database is remote
 *     ERR_VALUE_FLAGS
 */
STATUS LNPUBLIC NSFDbGetLogInfo(
    DBHANDLE hDb, DWORD Flags, BOOL *LOGGED, UNID *LogID, UNID *DbIID, DWORD *LogExtent);

/*
 * BACKUP. Between NSFBackupStart and NSFBackupStop the file may be copied by any means and in
 * any order, while the database is used. What is overwritten meanwhile is kept: the change
 * information. The copy, with all of it applied, is the database as it was when NSFBackupStart
 * returned, to the byte (but for 64 bytes in the first page, which say that it is a backup, and
 * of what).
 *
 *     NSFBackupStart(db, 0, &context, &low, &high)       from here on old bytes are kept
 *     copy high * 4 GiB + low bytes of the file, in any order;
 *         NSFBackupSetHighWaterMark(db, context, ...)    now and then
 *     NSFBackupStop(db, context)
 *     NSFBackupGetChangeInfoSize(db, context, 0, &low, &high)
 *     NSFBackupStartApplyChangeInfo(&apply, copy, 0, low, high)
 *     NSFBackupGetNextChangeInfo and NSFBackupApplyNextChangeInfo until nothing comes
 *     NSFBackupEndApplyChangeInfo(apply, 0)
 *     NSFBackupEnd(db, context, 0)
 *
 * The change information can be kept in a file instead and be applied later, in another process,
 * without the database.
 *
 * ONE BACKUP PER DATABASE at a time, whatever the handle; databases are independent of one another.
 *
 * A BACKUP ENDS BY ITSELF when it takes longer than BACKUP_TIMEOUT (ERR_BACKUP_ABORTED), when
 * there is no room for before-images (ERR_BACKUP_ABORTED2) or they cannot be kept for another
 * reason (ERR_NSF_CANT_BACKUP). From then on each call on its context gives that code; the
 * context stays until NSFBackupEnd; another backup of the database may be started at once.
 * Updates of notes never notice. Decided: which call says so (the next one), and which code for
 * what.
 *
 * WHICH HANDLE. hDB may be any handle of the database (decided). When the one that began the
 * backup is closed, or the runtime ends, the backup ends and its context is none any more. When
 * the process dies, nothing is left of it but bytes in the first page that no longer mean
 * anything: the database opens and can be backed up.
 *
 * IN WHAT ORDER errors are found (decided): handle, ERR_NOT_LOCAL, flags, pointers, context,
 * state. A context that is not one of this database, or none any more, or NULLHANDLE:
 * ERR_NOT_DOING_BACKUP, for every function here, NSFBackupStop as well.
 */

/*
 * Begins: brings the file to the last update and from then on keeps what is overwritten. [NSFBackupStart]
 *
 *     Flags           0
 *     *BackupContext  for the calls that follow; ended by NSFBackupEnd
 *     *FileSizeLow, *FileSizeHigh  bytes of the file at this instant: what is to be copied
 *
 *     ERR_NOT_LOCAL                   the database is remote
 *     ERR_CANT_BACKUP_DURING_COMPACT  it is being compacted
 *     ERR_BACKUP_ALREADY_IN_PROGRESS  it is being backed up: from NSFBackupStart to NSFBackupEnd, also
 *                                     after NSFBackupStop (decided)
 *     ERR_VALUE_FLAGS                 Flags is not 0 (decided: the code, here and below)
 */
STATUS LNPUBLIC NSFBackupStart(
    DBHANDLE hDB, DWORD Flags, DHANDLE *BackupContext, DWORD *FileSizeLow, DWORD *FileSizeHigh);

/*
 * The file has been copied up to this offset: what is overwritten below it from now on need not
 * be kept. What has been kept is. Costs next to nothing. [NSFBackupSetHighWaterMark]
 *
 * A lower mark than the last, or one beyond the end, is no error: the mark never goes down, and
 * beyond the end there is nothing to keep (decided).
 *
 *     ERR_NOT_LOCAL
 *     ERR_NOT_DOING_BACKUP  also after NSFBackupStop (decided)
 *     ERR_BACKUP_ABORTED, ERR_BACKUP_ABORTED2, ERR_NSF_CANT_BACKUP
 */
STATUS LNPUBLIC NSFBackupSetHighWaterMark(
    DBHANDLE hDB, DHANDLE BackupContext, DWORD HighWaterMarkLow, DWORD HighWaterMarkHigh);

/* The copy is made: keeps nothing more. Again: NOERROR (decided). [NSFBackupStop]
 *     ERR_NOT_LOCAL
 *     ERR_NOT_DOING_BACKUP  (decided)
 *     ERR_BACKUP_ABORTED, ERR_BACKUP_ABORTED2, ERR_NSF_CANT_BACKUP */
STATUS LNPUBLIC NSFBackupStop(DBHANDLE hDB, DHANDLE BackupContext);

/*
 * Bytes of the change information: all of it, however much has been fetched; 0 when nothing that was to be
 * copied has changed. [NSFBackupGetChangeInfoSize]
 *
 *     ERR_NOT_LOCAL
 *     ERR_VALUE_FLAGS
 *     ERR_NOT_DOING_BACKUP
 *     ERR_BACKUP_ALREADY_IN_PROGRESS  before NSFBackupStop (decided: a program that has forgotten to stop
 *                                     must not take this for "nothing has changed")
 *     ERR_BACKUP_ABORTED, ERR_BACKUP_ABORTED2, ERR_NSF_CANT_BACKUP
 */
STATUS LNPUBLIC NSFBackupGetChangeInfoSize(
    DBHANDLE hDB, DHANDLE hBackupContext, DWORD Flags, DWORD *InfoSizeLow, DWORD *InfoSizeHigh);

/*
 * The next bytes of the change information: as many as fit, less only at the end, then 0, for ever. The
 * caller may cut the stream into other pieces, but must keep it whole and in order.
 * [NSFBackupGetNextChangeInfo]
 *
 *     Buffer       may be NULL when BufferSize is 0: then *FilledSize is 0 and nothing moves on (decided)
 *
 *     Errors: as NSFBackupGetChangeInfoSize
 */
STATUS LNPUBLIC NSFBackupGetNextChangeInfo(DBHANDLE hDB, DHANDLE hBackupContext, DWORD Flags,
    char *Buffer, DWORD BufferSize, DWORD *FilledSize);

#define BACKUPEND_ABORT 0x00000001 /* [BACKUPEND_xxx] */

/*
 * Ends the backup: the context is none any more, the database can be backed up again.
 * [NSFBackupEnd]
 *
 *     Options  0, or BACKUPEND_ABORT: the backup is given up
 *
 * Decided: 0 ends it, too, when it has not been stopped or the change information has not been fetched. A
 * copy that lacks it does not open, so nothing is lost by not refusing, and no database is left in a
 * backup that nobody makes.
 *
 *     ERR_NOT_LOCAL
 *     ERR_NOT_DOING_BACKUP
 *     ERR_VALUE_FLAGS  other options; the backup goes on
 *     ERR_BACKUP_ABORTED, ERR_BACKUP_ABORTED2, ERR_NSF_CANT_BACKUP
 *                      it has ended by itself; only without BACKUPEND_ABORT, and the context is gone
 */
STATUS LNPUBLIC NSFBackupEnd(DBHANDLE hDB, DHANDLE BackupContext, DWORD Options);

/*
 * Begins to apply change information to a copy. Once this has succeeded,
 * NSFBackupEndApplyChangeInfo must be called. Needs neither the database nor the backup.
 * [NSFBackupStartApplyChangeInfo]
 *
 *     *ApplyInfoContext  for the calls that follow
 *     CopyFilePath       the copy, a path as the operating system takes it; nobody may have it open
 *     Flags              0
 *     InfoSizeLow, InfoSizeHigh  from NSFBackupGetChangeInfoSize
 *
 *     ERR_NOEXIST      no such file
 *     ERR_NOT_NSF      it is no database
 *     ERR_NSF_VERSION  its format is unknown
 *     ERR_NSF_IN_USE   it is open in this process as a database, or being backed up
 *     ERR_VALUE_FLAGS
 */
STATUS LNPUBLIC NSFBackupStartApplyChangeInfo(DHANDLE *ApplyInfoContext, char *CopyFilePath,
    DWORD Flags, DWORD InfoSizeLow, DWORD InfoSizeHigh);

/*
 * Applies the next bytes. The copy can be used when NSFBackupEndApplyChangeInfo has said NOERROR, not
 * before. BufferSize 0 does nothing. [NSFBackupApplyNextChangeInfo]
 *
 *     ERR_CORRUPT_CHANGE_INFO  damaged, in another order, of another backup or another database, more than
 *                              was announced; or the file was not copied during a backup, or has been
 *                              opened since. The copy is as good as before: the whole change
 *                              information can be applied to it again, from the beginning. Every further
 *                              call on the context says the same.
 *     ERR_INVALID_CHANGE_INFO_CONTEXT
 *     ERR_VALUE_FLAGS
 */
STATUS LNPUBLIC NSFBackupApplyNextChangeInfo(
    DHANDLE ApplyInfoContext, DWORD Flags, char *Buffer, DWORD BufferSize);

#define APPLYEND_ABORT 0x00000001 /* [APPLYEND_xxx] */

/*
 * Ends it; the context is none any more. With 0 and NOERROR the copy is the database as it was at
 * NSFBackupStart, cut or extended to that size, and on the disk. Applying the same change information to
 * it again changes nothing. [NSFBackupEndApplyChangeInfo]
 *
 *     Flags  0, or APPLYEND_ABORT: what was given so far is not enough, and that is no error; the whole
 *            change information can be applied again
 *
 *     ERR_INVALID_CHANGE_INFO_CONTEXT
 *     ERR_CORRUPT_CHANGE_INFO  without APPLYEND_ABORT: not all of it has been given, or what was given was
 *                              wrong
 *     ERR_VALUE_FLAGS          other flags; the context stays
 */
STATUS LNPUBLIC NSFBackupEndApplyChangeInfo(DHANDLE ApplyInfoContext, DWORD Flags);

#ifdef __cplusplus
}
#endif

#endif
