/* ID tables: sorted arrays of identifiers. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

typedef struct ref_dom_idtable {
    ref_dom_object object;
    DWORD *ids; /* ascending */
    size_t count, room;
} ref_dom_idtable;

STATUS LNPUBLIC IDCreateTable(DWORD Alignment, DHANDLE far *rethTable)
{
    STATUS status = ref_dom_check_runtime();

    (void)Alignment;
    if (status == NOERROR && rethTable == NULL) {
        status = ERR_BAD_PARAM;
    }
    if (rethTable != NULL) {
        *rethTable = NULLHANDLE;
    }
    if (status != NOERROR) {
        return status;
    }
    ref_dom_idtable *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return ERR_MEMORY;
    }
    status = ref_dom_handle_add(&table->object, REF_DOM_IDTABLE);
    if (status == NOERROR) {
        *rethTable = table->object.handle;
    } else {
        free(table);
    }
    return status;
}

STATUS ref_dom_idtable_free(DHANDLE handle)
{
    STATUS status;
    ref_dom_idtable *table = ref_dom_handle_take(handle, REF_DOM_IDTABLE, &status);

    if (table != NULL) {
        free(table->ids);
        free(table);
    }
    return status;
}

STATUS LNPUBLIC IDDestroyTable(DHANDLE hTable)
{
    return ref_dom_idtable_free(hTable);
}

/* Where the identifier is, or would be. */
static size_t place_of(const ref_dom_idtable *table, DWORD id)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->ids[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool holds(const ref_dom_idtable *table, size_t place, DWORD id)
{
    return place < table->count && table->ids[place] == id;
}

static bool make_room(ref_dom_idtable *table)
{
    if (table->count < table->room) {
        return true;
    }
    size_t room = table->room == 0 ? 64 : table->room * 2;
    DWORD *ids = realloc(table->ids, room * sizeof *ids);
    if (ids == NULL) {
        return false;
    }
    table->ids = ids;
    table->room = room;
    return true;
}

STATUS LNPUBLIC IDInsert(DHANDLE hTable, DWORD id, BOOL far *retfInserted)
{
    STATUS status;
    ref_dom_idtable *table = ref_dom_handle_use(hTable, REF_DOM_IDTABLE, &status);
    BOOL inserted = FALSE;

    if (table != NULL) {
        size_t place = place_of(table, id);

        if (holds(table, place, id)) {
            /* nothing to do */
        } else if (!make_room(table)) {
            status = ERR_MEMORY;
        } else {
            memmove(table->ids + place + 1, table->ids + place,
                (table->count - place) * sizeof *table->ids);
            table->ids[place] = id;
            table->count++;
            inserted = TRUE;
        }
        ref_dom_handle_leave(table);
    }
    if (retfInserted != NULL) {
        *retfInserted = inserted;
    }
    return status;
}

STATUS LNPUBLIC IDDelete(DHANDLE hTable, DWORD id, BOOL far *retfDeleted)
{
    STATUS status;
    ref_dom_idtable *table = ref_dom_handle_use(hTable, REF_DOM_IDTABLE, &status);
    BOOL deleted = FALSE;

    if (table != NULL) {
        size_t place = place_of(table, id);

        if (holds(table, place, id)) {
            table->count--;
            memmove(table->ids + place, table->ids + place + 1,
                (table->count - place) * sizeof *table->ids);
            deleted = TRUE;
        }
        ref_dom_handle_leave(table);
    }
    if (retfDeleted != NULL) {
        *retfDeleted = deleted;
    }
    return status;
}

BOOL LNPUBLIC IDScan(DHANDLE hTable, BOOL fFirst, DWORD far *retID)
{
    STATUS status;
    ref_dom_idtable *table =
        retID == NULL ? NULL : ref_dom_handle_use(hTable, REF_DOM_IDTABLE, &status);

    if (table == NULL) {
        return FALSE;
    }
    size_t place = fFirst ? 0 : place_of(table, *retID);
    if (!fFirst && holds(table, place, *retID)) {
        place++;
    }
    BOOL found = place < table->count;
    if (found) {
        *retID = table->ids[place];
    }
    ref_dom_handle_leave(table);
    return found;
}

DWORD LNPUBLIC IDEntries(DHANDLE hTable)
{
    STATUS status;
    ref_dom_idtable *table = ref_dom_handle_use(hTable, REF_DOM_IDTABLE, &status);

    if (table == NULL) {
        return 0;
    }
    DWORD count = (DWORD)table->count;
    ref_dom_handle_leave(table);
    return count;
}

BOOL LNPUBLIC IDIsPresent(DHANDLE hTable, DWORD id)
{
    STATUS status;
    ref_dom_idtable *table = ref_dom_handle_use(hTable, REF_DOM_IDTABLE, &status);

    if (table == NULL) {
        return FALSE;
    }
    BOOL present = holds(table, place_of(table, id), id);
    ref_dom_handle_leave(table);
    return present;
}
