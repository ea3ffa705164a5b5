/* A Notes program, its databases, and the notes that they must hold. */
#include "hp.h"
#include "domino_provoke.h"
#include "domino_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <global.h>
#include <nsfdata.h>
#include <nsfdb.h>
#include <nsfnote.h>
#include <nsferr.h>
#include <oserr.h>
#include <idtable.h>
#include <misc.h>
#include <osmisc.h>

enum { TEXT_MAX = 12000, ITEM_MAX = TEXT_MAX + 1 };

static char item_name[] = "Body";

const char *dom_status_text(uint16_t status, char *buf, size_t size)
{
    char text[256] = "";

    (void)OSLoadString(NULLHANDLE, ERR(status), text, sizeof text - 1);
    (void)snprintf(buf, size, "0x%04X %s", status, text);
    return buf;
}

void dom_need(uint16_t status, const char *step)
{
    char text[300];

    if (status != NOERROR) {
        hp_unresolved("%s: %s", step, dom_status_text(status, text, sizeof text));
    }
}

void dom_expect(uint16_t status, const char *step)
{
    char text[300];

    if (status != NOERROR) {
        fail_msg("%s: %s", step, dom_status_text(status, text, sizeof text));
    }
}

void dom_begin_program(const char *ini)
{
    dom_begin_program_in("data", ini);
}

void dom_begin_program_in(const char *directory, const char *ini)
{
    char *absolute = dom_absolute(directory);
    char *file = NULL, *text = NULL, *argument = NULL;
    char program[] = "case";

    dom_make_dir(directory);
    if (asprintf(&file, "%s/notes.ini", absolute) < 0 || asprintf(&argument, "=%s", file) < 0 ||
        asprintf(&text, "[Notes]\nDirectory=%s\n%s", absolute, ini != NULL ? ini : "") < 0) {
        hp_unresolved("no memory");
    }
    dom_write_text(file, text);
    char *arguments[] = {program, argument, NULL};
    dom_need(NotesInitExtended(2, arguments), "NotesInitExtended");
    free(absolute);
    free(file);
    free(text);
    free(argument);
}

void dom_end_program(void)
{
    NotesTerm();
}

/* The text of a note. Two versions of it share no long run of bytes. */
static size_t make_text(
    const char *name, unsigned i, unsigned version, unsigned size, char *text, size_t room)
{
    size_t length = size < room ? size : room - 1;
    uint64_t state = (uint64_t)i * 7919 + version;
    int head = snprintf(text, room, "note %u of %s, version %u: ", i, name, version);

    for (size_t at = head > 0 ? (size_t)head : 0; at < length; at++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        text[at] = (char)('a' + (state >> 33) % 26);
    }
    length = length > (size_t)head ? length : (size_t)head;
    text[length] = '\0';
    return length;
}

static STATUS set_text(
    NOTEHANDLE note, const dom_db *db, unsigned i, unsigned version, unsigned size)
{
    char *text = malloc(ITEM_MAX);

    if (text == NULL) {
        return ERR_MEMORY;
    }
    size_t length = make_text(db->name, i, version, size, text, ITEM_MAX);
    STATUS status = NSFItemSetText(note, item_name, text, (WORD)length);
    if (status == NOERROR) {
        status = NSFNoteUpdate(note, db->update_flags);
    }
    free(text);
    return status;
}

uint16_t dom_add_note(dom_db *db, unsigned size)
{
    NOTEHANDLE note = NULLHANDLE;
    NOTEID id = 0;
    unsigned i = 0;

    while (i < db->count && db->notes[i].id != 0) {
        i++;
    }
    if (i == DOM_NOTES_MAX) {
        return ERR_MEMORY;
    }
    dom_note *entry = &db->notes[i];
    STATUS status = NSFNoteCreate(db->handle, &note);
    if (status != NOERROR) {
        return status;
    }
    status = set_text(note, db, i, entry->version + 1, size);
    NSFNoteGetInfo(note, _NOTE_ID, &id);
    STATUS closed = NSFNoteClose(note);
    status = status == NOERROR ? closed : status;
    if (status == NOERROR) {
        *entry = (dom_note){.id = id, .version = entry->version + 1, .size = size};
        db->count += i == db->count;
    }
    return status;
}

uint16_t dom_update_note(dom_db *db, unsigned i, unsigned size)
{
    NOTEHANDLE note = NULLHANDLE;
    dom_note *entry = &db->notes[i];
    STATUS status = NSFNoteOpen(db->handle, entry->id, 0, &note);

    if (status != NOERROR) {
        return status;
    }
    status = set_text(note, db, i, entry->version + 1, size);
    STATUS closed = NSFNoteClose(note);
    status = status == NOERROR ? closed : status;
    if (status == NOERROR) {
        entry->version++;
        entry->size = size;
    }
    return status;
}

uint16_t dom_delete_note(dom_db *db, unsigned i)
{
    STATUS status = NSFNoteDelete(db->handle, db->notes[i].id, 0);

    if (status == NOERROR) {
        db->notes[i].id = 0;
    }
    return status;
}

void dom_update_all(dom_db *db, unsigned size)
{
    for (unsigned i = 0; i < db->count; i++) {
        if (db->notes[i].id != 0) {
            dom_expect(dom_update_note(db, i, size), "update a note");
        }
    }
}

uint16_t dom_flush(const dom_db *db)
{
    return dom_provoke.flush != NULL ? dom_provoke.flush(db->path) : NOERROR;
}

void dom_db_open(dom_db *db)
{
    DBHANDLE handle = NULLHANDLE;

    dom_need(NSFDbOpen(db->name, &handle), "NSFDbOpen");
    db->handle = handle;
}

void dom_db_close(dom_db *db)
{
    dom_expect(NSFDbClose(db->handle), "NSFDbClose");
    db->handle = NULLHANDLE;
}

dom_db *dom_db_new(const char *name, unsigned notes)
{
    dom_db *db = calloc(1, sizeof *db);

    if (db == NULL || notes > DOM_NOTES_MAX) {
        hp_unresolved("no memory for a database of %u notes", notes);
    }
    (void)snprintf(db->name, sizeof db->name, "%s", name);
    dom_need(NSFDbCreate(db->name, DBCLASS_NOTEFILE, FALSE), "NSFDbCreate");
    dom_db_open(db);
    for (unsigned i = 0; i < notes; i++) {
        dom_need(dom_add_note(db, 100 + i * 137 % 3000), "add a note");
    }
    dom_db_close(db);
    dom_db_open(db);
    dom_need(NSFDbPathGet(db->handle, NULL, db->path), "NSFDbPathGet");
    return db;
}

void dom_db_end(dom_db *db)
{
    dom_db_close(db);
    free(db);
}

/* The text of a note is that of its number and version, and as long as it should be. */
static void assert_note(uint32_t handle, const dom_db *account, unsigned i)
{
    NOTEHANDLE note = NULLHANDLE;
    const dom_note *entry = &account->notes[i];
    char *expected = malloc(ITEM_MAX), *found = malloc(ITEM_MAX);

    assert_true(expected != NULL && found != NULL);
    make_text(account->name, i, entry->version, entry->size, expected, ITEM_MAX);
    dom_expect(NSFNoteOpen(handle, entry->id, 0, &note), "NSFNoteOpen");
    (void)NSFItemGetText(note, item_name, found, ITEM_MAX);
    dom_expect(NSFNoteClose(note), "NSFNoteClose");
    if (strcmp(expected, found) != 0) {
        fail_msg("note %u holds \"%.60s\", not \"%.60s\"", i, found, expected);
    }
    free(expected);
    free(found);
}

bool dom_read_version(
    uint32_t handle, const dom_db *account, unsigned i, unsigned *version, unsigned *size)
{
    NOTEHANDLE note = NULLHANDLE;
    char *expected = malloc(ITEM_MAX), *found = malloc(ITEM_MAX);
    bool whole = false;

    assert_true(expected != NULL && found != NULL);
    dom_expect(NSFNoteOpen(handle, account->notes[i].id, 0, &note), "NSFNoteOpen");
    *size = NSFItemGetText(note, item_name, found, ITEM_MAX);
    dom_expect(NSFNoteClose(note), "NSFNoteClose");
    const char *number = strstr(found, "version ");
    *version = 0;
    if (number != NULL) {
        *version = (unsigned)strtoul(number + strlen("version "), NULL, 10);
        make_text(account->name, i, *version, *size, expected, ITEM_MAX);
        whole = strcmp(expected, found) == 0;
    }
    free(expected);
    free(found);
    return whole;
}

/* Number of notes in the database. */
static unsigned count_notes(uint32_t handle)
{
    TIMEDATE since, until;
    DHANDLE table = NULLHANDLE;
    DWORD id = 0;
    unsigned count = 0;

    TimeConstant(TIMEDATE_MINIMUM, &since);
    STATUS status = NSFDbGetModifiedNoteTable(handle, NOTE_CLASS_DOCUMENT, since, &until, &table);
    if (ERR(status) == ERR_NO_MODIFIED_NOTES) {
        return 0;
    }
    dom_expect(status, "NSFDbGetModifiedNoteTable");
    for (BOOL first = TRUE; IDScan(table, first, &id); first = FALSE) {
        count += (id & RRV_DELETED) == 0;
    }
    dom_expect(IDDestroyTable(table), "IDDestroyTable");
    return count;
}

void dom_assert_notes(uint32_t handle, const dom_db *account)
{
    unsigned live = 0;

    for (unsigned i = 0; i < account->count; i++) {
        if (account->notes[i].id != 0) {
            assert_note(handle, account, i);
            live++;
        }
    }
    assert_int_equal(count_notes(handle), live);
}

dom_random dom_random_new(uint64_t stream)
{
    return (dom_random){.state = hp_seed() * 2862933555777941757U + stream * 7046029254386353131U};
}

/* splitmix64 */
uint64_t dom_pick(dom_random *random, uint64_t below)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15U;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return (z ^ z >> 31) % below;
}

double dom_seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void dom_pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}
