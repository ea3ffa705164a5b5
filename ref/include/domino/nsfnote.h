/*
 * Notes: records of named texts ("items"), as far as a backup test must change a database.
 *
 * A note handle is a copy in memory, made by NSFNoteCreate or NSFNoteOpen. Nothing reaches the
 * database before NSFNoteUpdate, which writes the whole note in one transaction of its own.
 * Nobody sees half of an update; an update that has returned NOERROR outlives a crash, unless
 * UPDATE_NOCOMMIT was given.
 */
#ifndef REF_DOMINO_NSFNOTE_H
#define REF_DOMINO_NSFNOTE_H

#include "nsfdata.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Classes of notes; bits, so that they can be asked for together [NOTE_CLASS_xxx] */
#define NOTE_CLASS_DOCUMENT 0x0001 /* of a new note */
#define NOTE_CLASS_DATA NOTE_CLASS_DOCUMENT
#define NOTE_CLASS_INFO 0x0002
#define NOTE_CLASS_FORM 0x0004
#define NOTE_CLASS_VIEW 0x0008
#define NOTE_CLASS_ICON 0x0010
#define NOTE_CLASS_DESIGN 0x0020
#define NOTE_CLASS_ACL 0x0040
#define NOTE_CLASS_HELP_INDEX 0x0080
#define NOTE_CLASS_HELP 0x0100
#define NOTE_CLASS_FILTER 0x0200
#define NOTE_CLASS_FIELD 0x0400
#define NOTE_CLASS_REPLFORMULA 0x0800
#define NOTE_CLASS_PRIVATE 0x1000
#define NOTE_CLASS_DEFAULT 0x8000
#define NOTE_CLASS_ALL 0x7fff
#define NOTE_CLASS_ALLNONDATA 0x7ffe
#define NOTE_CLASS_NONE 0x0000

/* Flags of NSFNoteOpen: those of the subset change nothing for notes of text [OPEN_xxx (note)] */
#define OPEN_SUMMARY 0x0001
#define OPEN_NOVERIFYDEFAULT 0x0002
#define OPEN_NOOBJECTS 0x0008
#define OPEN_SHARE 0x0020

/* Flags of NSFNoteUpdate and NSFNoteDelete [UPDATE_xxx] */
#define UPDATE_FORCE 0x0001      /* whatever others have done to the note since it was opened */
#define UPDATE_NOCOMMIT 0x0004   /* do not wait for the disk: a crash may take it back */
#define UPDATE_NOREVISION 0x0100 /* accepted */
#define UPDATE_NOSTUB 0x0200     /* NSFNoteDelete: leave no trace of the note */

/* Members of a note [_NOTE_xxx] */
#define _NOTE_DB 0       /* DBHANDLE */
#define _NOTE_ID 1       /* NOTEID; 0 before the first NSFNoteUpdate */
#define _NOTE_OID 2      /* OID */
#define _NOTE_CLASS 3    /* WORD */
#define _NOTE_MODIFIED 4 /* TIMEDATE: the last NSFNoteUpdate */

/* An empty note of class NOTE_CLASS_DOCUMENT, in memory. [NSFNoteCreate] */
STATUS LNPUBLIC NSFNoteCreate(DBHANDLE db_handle, NOTEHANDLE far *note_handle);

/* Reads a note into memory. [NSFNoteOpen]
 *     ERR_NOTE_ID       0, or RRV_DELETED is set
 *     ERR_INVALID_NOTE  no such note
 *     ERR_NOTE_DELETED  it has been deleted
 *     ERR_NSF_CORRUPT   what is stored is no note */
STATUS LNPUBLIC NSFNoteOpen(
    DBHANDLE db_handle, NOTEID note_id, WORD open_flags, NOTEHANDLE far *note_handle);

/*
 * Writes the note to its database, as a new one when its _NOTE_ID is 0. Then _NOTE_ID, _NOTE_OID
 * and _NOTE_MODIFIED say what was written. A failed update leaves note and database as they
 * were. [NSFNoteUpdate]
 *     ERR_CONFLICT         somebody has changed the note since it was opened or last updated
 *     ERR_NOTE_DELETED     or deleted it (with UPDATE_FORCE it comes back)
 *     ERR_SUMMARY_TOO_BIG  names and texts of the summary items are longer than 32,768 bytes
 *     ERR_TOOHUGE          the whole note is longer than 1 MiB
 *     ERR_OS_FREE_HANDLE   its database handle has been closed
 * A before-image that a running backup cannot keep never fails an update: it ends the backup
 * (ERR_NSF_CANT_BACKUP is given to that). Decided: users go first.
 */
STATUS LNPUBLIC NSFNoteUpdate(NOTEHANDLE note_handle, WORD update_flags);

/* Deletes a note. A stub stays that says so, unless UPDATE_NOSTUB; that flag also removes a stub.
 * [NSFNoteDelete]
 *     ERR_NOTE_ID, ERR_INVALID_NOTE, ERR_NOTE_DELETED */
STATUS LNPUBLIC NSFNoteDelete(DBHANDLE db_handle, NOTEID note_id, WORD update_flags);

/* Frees the note in memory; what was not written by NSFNoteUpdate is gone. [NSFNoteClose] */
STATUS LNPUBLIC NSFNoteClose(NOTEHANDLE note_handle);

/* Sets *value_ptr, of the member's type. A wrong handle or another member: *value_ptr is untouched.
 * [NSFNoteGetInfo] */
void LNPUBLIC NSFNoteGetInfo(NOTEHANDLE note_handle, WORD note_member, void far *value_ptr);

/* Changes the note in memory: _NOTE_CLASS, or _NOTE_ID to 0, so that the next update writes a
 * new note. value_ptr NULL stands for 0. Everything else has no effect. [NSFNoteSetInfo] */
void LNPUBLIC NSFNoteSetInfo(NOTEHANDLE note_handle, WORD note_member, void far *value_ptr);

/*
 * Sets a summary item of a note in memory, instead of one of the same name. [NSFItemSetText]
 *
 *     ItemName    1 to 255 bytes
 *     ItemText    may hold NULs: they stand for line breaks
 *     TextLength  bytes; MAXWORD: up to the NUL
 *
 *     ERR_BAD_PARAM  the name or the text is too long
 */
STATUS LNPUBLIC NSFItemSetText(
    NOTEHANDLE hNote, const char far *ItemName, const char far *ItemText, WORD TextLength);

/* The same; with Summary FALSE the item does not count for ERR_SUMMARY_TOO_BIG.
 * [NSFItemSetTextSummary] */
STATUS LNPUBLIC NSFItemSetTextSummary(NOTEHANDLE hNote, const char far *ItemName,
    const char far *ItemText, WORD TextLength, BOOL Summary);

/* Copies an item's text: at most text_len - 1 bytes and a NUL behind them. How many bytes
 * without that NUL; 0 when there is no such item or the handle is wrong. [NSFItemGetText] */
WORD LNPUBLIC NSFItemGetText(
    NOTEHANDLE note_handle, const char far *item_name, char far *item_text, WORD text_len);

#ifdef __cplusplus
}
#endif

#endif
