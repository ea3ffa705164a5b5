/* Which notes were changed since a point in time. */
#include "notestore.h"

/*
 * Opens a cursor on the state as of now, and says when that is, so that every note written later
 * has a later time, or the same: times are given out under the write lock, which is held while
 * the clock and the state are looked at.
 */
static STATUS look(ref_dom_file *file, uint64_t *now, ref_cursor **out)
{
    uint8_t key[4];
    ref_buffer value = {0};
    ref_txn *txn;

    *out = NULL;
    STATUS status = ref_dom_write_begin(file, true, &txn);
    if (status != NOERROR) {
        return status;
    }
    ref_dom_note_key(0, key);
    int error = ref_db_get(file->engine, txn, (ref_slice){key, sizeof key}, true, &value);
    if (error == REF_NOTFOUND) {
        error = 0;
    }
    *now = ref_dom_now();
    if (error == 0) {
        error = ref_cursor_open(file->engine, NULL, out);
    }
    (void)ref_txn_abort(txn);
    ref_buffer_free(&value);
    return ref_dom_error(error);
}

typedef struct note_question {
    WORD classes;
    uint64_t since;
    bool stubs; /* deleted notes, too */
} note_question;

/* Puts the note into the table when it is one of those asked for. */
static STATUS take(const note_question *question, NOTEID id, const ref_buffer *value, DHANDLE table)
{
    ref_dom_content content;
    STATUS status = ref_dom_content_unpack(id, value, false, &content);

    if (status == NOERROR && (content.note_class & question->classes) != 0 &&
        content.modified >= question->since && (question->stubs || !content.stub)) {
        status = IDInsert(table, content.stub ? id | RRV_DELETED : id, NULL);
    }
    return status;
}

static STATUS walk(const note_question *question, ref_cursor *cursor, DHANDLE table)
{
    ref_buffer key = {0}, value = {0};
    STATUS status = NOERROR;
    int error = 0;

    while (error == 0 && status == NOERROR) {
        error = ref_cursor_get(cursor, REF_MOVE_NEXT, (ref_slice){NULL, 0}, false, &key, &value);
        if (error == 0) {
            NOTEID id = key.size == 4 ? ref_dom_note_of_key(key.data) : 0;

            if (key.size != 4) {
                status = ERR_NSF_CORRUPT;
            } else if (id != 0) {
                status = take(question, id, &value, table);
            }
        }
    }
    ref_buffer_free(&key);
    ref_buffer_free(&value);
    return status == NOERROR && error != REF_NOTFOUND ? ref_dom_error(error) : status;
}

static STATUS fill_table(
    ref_dom_file *file, const note_question *question, TIMEDATE *until, DHANDLE table)
{
    ref_cursor *cursor;
    uint64_t now;
    STATUS status = look(file, &now, &cursor);

    if (status == NOERROR) {
        *until = ref_dom_timedate(now);
        status = walk(question, cursor, table);
        (void)ref_cursor_close(cursor);
    }
    return status == NOERROR && IDEntries(table) == 0 ? ERR_NO_MODIFIED_NOTES : status;
}

STATUS LNPUBLIC NSFDbGetModifiedNoteTable(DBHANDLE hDB, WORD NoteClassMask, TIMEDATE Since,
    TIMEDATE far *retUntil, DHANDLE far *rethTable)
{
    bool all = ref_dom_is_wildcard(&Since);
    note_question question = {.classes = NoteClassMask,
        .since = all ? 0 : ref_dom_hundredths(&Since),
        .stubs = !ref_dom_is_minimum(&Since)};
    DHANDLE table = NULLHANDLE;
    ref_dom_db *db;
    STATUS status = ref_dom_db_use(hDB, &db);

    if (retUntil != NULL && rethTable != NULL) {
        *retUntil = (TIMEDATE){{0, 0}};
        *rethTable = NULLHANDLE;
    } else if (status == NOERROR) {
        status = ERR_BAD_PARAM;
    }
    if (status == NOERROR) {
        status = IDCreateTable(sizeof(NOTEID), &table);
    }
    if (status == NOERROR) {
        status = ref_dom_at(&db->place, fill_table(db->file, &question, retUntil, table));
        if (status == NOERROR) {
            *rethTable = table;
        } else {
            (void)IDDestroyTable(table);
        }
    }
    ref_dom_handle_leave(db);
    return status;
}
