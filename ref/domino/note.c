/* Notes: reading one into memory, writing it back, deleting it. */
#include <stdlib.h>

#include "note.h"

#define OPEN_ALLOWED (OPEN_SUMMARY | OPEN_NOVERIFYDEFAULT | OPEN_NOOBJECTS | OPEN_SHARE)
#define UPDATE_ALLOWED (UPDATE_FORCE | UPDATE_NOCOMMIT | UPDATE_NOREVISION)
#define DELETE_ALLOWED (UPDATE_ALLOWED | UPDATE_NOSTUB)

/* Makes the handle; takes the content over. */
static STATUS add_note(DBHANDLE db, ref_dom_content *content, NOTEHANDLE *out)
{
    ref_dom_note *note = calloc(1, sizeof *note);
    STATUS status = note == NULL ? ERR_MEMORY : ref_dom_handle_add(&note->object, REF_DOM_NOTE);

    if (status != NOERROR) {
        free(note);
        ref_dom_content_free(content);
        return status;
    }
    note->db = db;
    note->content = *content;
    *out = note->object.handle;
    return NOERROR;
}

STATUS LNPUBLIC NSFNoteCreate(DBHANDLE db_handle, NOTEHANDLE far *note_handle)
{
    ref_dom_content content = {.note_class = NOTE_CLASS_DOCUMENT};
    ref_dom_db *db;
    STATUS status = ref_dom_db_use(db_handle, &db);

    if (note_handle != NULL) {
        *note_handle = NULLHANDLE;
    } else if (status == NOERROR) {
        status = ERR_BAD_PARAM;
    }
    if (status == NOERROR) {
        status = add_note(db_handle, &content, note_handle);
    }
    ref_dom_handle_leave(db);
    return status;
}

STATUS LNPUBLIC NSFNoteOpen(
    DBHANDLE db_handle, NOTEID note_id, WORD open_flags, NOTEHANDLE far *note_handle)
{
    ref_dom_content content;
    ref_dom_db *db;
    STATUS status = ref_dom_db_use(db_handle, &db);

    if (note_handle != NULL) {
        *note_handle = NULLHANDLE;
    }
    if (status == NOERROR && (open_flags & ~OPEN_ALLOWED) != 0) {
        status = ERR_VALUE_FLAGS;
    }
    if (status == NOERROR && note_handle == NULL) {
        status = ERR_BAD_PARAM;
    }
    if (status == NOERROR) {
        status = ref_dom_note_read(db->file, NULL, note_id, false, true, &content);
        if (status == NOERROR && content.stub) {
            ref_dom_content_free(&content);
            status = ERR_NOTE_DELETED;
        }
        status = ref_dom_at(&db->place, status);
    }
    if (status == NOERROR) {
        status = add_note(db_handle, &content, note_handle);
    }
    ref_dom_handle_leave(db);
    return status;
}

STATUS LNPUBLIC NSFNoteClose(NOTEHANDLE note_handle)
{
    STATUS status;
    ref_dom_note *note = ref_dom_handle_take(note_handle, REF_DOM_NOTE, &status);

    if (note != NULL) {
        ref_dom_content_free(&note->content);
        free(note);
    }
    return status;
}

/* ---- updating ---- */

/* Fills in what the first version of a note has. */
static STATUS begin_note(ref_dom_file *file, ref_txn *txn, ref_dom_content *next)
{
    ref_vfs *vfs = ref_default_vfs();
    STATUS status = ref_dom_note_new_id(file, txn, &next->id);

    if (status == NOERROR) {
        status = ref_dom_error(vfs->random(vfs, &next->chance, sizeof next->chance));
    }
    next->sequence = 0;
    next->created = ref_dom_now();
    return status;
}

/* Checks that the note is still what was read, and goes on from what is stored. */
static STATUS continue_note(ref_dom_file *file, ref_txn *txn, bool force, ref_dom_content *next)
{
    ref_dom_content stored;
    STATUS status = ref_dom_note_read(file, txn, next->id, true, false, &stored);

    if (status == ERR_INVALID_NOTE && force) {
        return NOERROR; /* deleted without a trace: it comes back as it is in memory */
    }
    if (status == NOERROR && stored.stub && !force) {
        return ERR_NOTE_DELETED;
    }
    if (status == NOERROR && !force &&
        (stored.sequence != next->sequence || stored.modified != next->modified)) {
        return ERR_CONFLICT;
    }
    next->sequence = status == NOERROR ? stored.sequence : next->sequence;
    return status;
}

/* `next` becomes what is written; its items are the note's. */
static STATUS write_note(ref_dom_file *file, ref_txn *txn, bool force, ref_dom_content *next)
{
    STATUS status = next->id == NOTEID_ADD ? begin_note(file, txn, next)
                                           : continue_note(file, txn, force, next);

    if (status == NOERROR) {
        /* Taken while the write lock is held: NSFDbGetModifiedNoteTable relies on that. */
        next->modified = next->sequence_time = ref_dom_now();
        next->sequence++;
        status = ref_dom_note_write(file, txn, next);
    }
    return status;
}

static STATUS update(ref_dom_db *db, WORD flags, ref_dom_content *content)
{
    bool no_sync = (flags & UPDATE_NOCOMMIT) != 0;
    ref_dom_content next = *content;
    ref_txn *txn;

    STATUS status = ref_dom_write_begin(db->file, no_sync, &txn);
    if (status == NOERROR) {
        status = write_note(db->file, txn, (flags & UPDATE_FORCE) != 0, &next);
        status = ref_dom_write_end(db->file, no_sync, txn, status);
    }
    if (status == NOERROR) {
        *content = next;
    }
    return ref_dom_at(&db->place, status);
}

STATUS LNPUBLIC NSFNoteUpdate(NOTEHANDLE note_handle, WORD update_flags)
{
    STATUS status;
    ref_dom_note *note = ref_dom_handle_use(note_handle, REF_DOM_NOTE, &status);
    ref_dom_db *db = NULL;

    if (status == NOERROR && (update_flags & ~UPDATE_ALLOWED) != 0) {
        status = ERR_VALUE_FLAGS;
    }
    if (status == NOERROR) {
        status = ref_dom_db_use(note->db, &db);
    }
    if (status == NOERROR) {
        status = update(db, update_flags, &note->content);
    }
    ref_dom_handle_leave(db);
    ref_dom_handle_leave(note);
    return status;
}

/* ---- deleting ---- */

static STATUS delete_note(ref_dom_file *file, ref_txn *txn, NOTEID id, bool no_stub)
{
    ref_dom_content content;
    STATUS status = ref_dom_note_read(file, txn, id, true, false, &content);

    if (status == NOERROR && no_stub) {
        return ref_dom_note_remove(file, txn, id);
    }
    if (status == NOERROR && content.stub) {
        return ERR_NOTE_DELETED;
    }
    if (status == NOERROR) {
        content.stub = true;
        content.modified = content.sequence_time = ref_dom_now();
        content.sequence++;
        status = ref_dom_note_write(file, txn, &content);
    }
    return status;
}

STATUS LNPUBLIC NSFNoteDelete(DBHANDLE db_handle, NOTEID note_id, WORD update_flags)
{
    bool no_sync = (update_flags & UPDATE_NOCOMMIT) != 0;
    ref_dom_db *db;
    ref_txn *txn;
    STATUS status = ref_dom_db_use(db_handle, &db);

    if (status == NOERROR && (update_flags & ~DELETE_ALLOWED) != 0) {
        status = ERR_VALUE_FLAGS;
    } else if (status == NOERROR) {
        status = ref_dom_write_begin(db->file, no_sync, &txn);
        if (status == NOERROR) {
            status = delete_note(db->file, txn, note_id, (update_flags & UPDATE_NOSTUB) != 0);
            status = ref_dom_write_end(db->file, no_sync, txn, status);
        }
        status = ref_dom_at(&db->place, status);
    }
    ref_dom_handle_leave(db);
    return status;
}

/* ---- the note's head ---- */

void LNPUBLIC NSFNoteGetInfo(NOTEHANDLE note_handle, WORD note_member, void far *value_ptr)
{
    STATUS status;
    ref_dom_note *note = ref_dom_handle_use(note_handle, REF_DOM_NOTE, &status);

    if (note == NULL || value_ptr == NULL) {
        ref_dom_handle_leave(note);
        return;
    }
    const ref_dom_content *content = &note->content;
    if (note_member == _NOTE_DB) {
        *(DBHANDLE *)value_ptr = note->db;
    } else if (note_member == _NOTE_ID) {
        *(NOTEID *)value_ptr = content->id;
    } else if (note_member == _NOTE_OID) {
        *(OID *)value_ptr = (OID){.File = content->chance,
            .Note = ref_dom_timedate(content->created),
            .Sequence = content->sequence,
            .SequenceTime = ref_dom_timedate(content->sequence_time)};
    } else if (note_member == _NOTE_CLASS) {
        *(WORD *)value_ptr = content->note_class;
    } else if (note_member == _NOTE_MODIFIED) {
        *(TIMEDATE *)value_ptr = ref_dom_timedate(content->modified);
    }
    ref_dom_handle_leave(note);
}

void LNPUBLIC NSFNoteSetInfo(NOTEHANDLE note_handle, WORD note_member, void far *value_ptr)
{
    STATUS status;
    ref_dom_note *note = ref_dom_handle_use(note_handle, REF_DOM_NOTE, &status);

    if (note != NULL && note_member == _NOTE_CLASS) {
        note->content.note_class = value_ptr != NULL ? *(const WORD *)value_ptr : NOTE_CLASS_NONE;
    } else if (note != NULL && note_member == _NOTE_ID &&
               (value_ptr == NULL || *(const NOTEID *)value_ptr == NOTEID_ADD)) {
        note->content.id = NOTEID_ADD;
    }
    ref_dom_handle_leave(note);
}
