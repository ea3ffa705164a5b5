/* ID tables: ordered sets of note identifiers. A table stays until IDDestroyTable or NotesTerm. */
#ifndef REF_DOMINO_IDTABLE_H
#define REF_DOMINO_IDTABLE_H

#include "nsfdata.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An empty table. Alignment has no effect. [IDCreateTable] */
STATUS LNPUBLIC IDCreateTable(DWORD Alignment, DHANDLE far *rethTable);

/* Frees it. [IDDestroyTable] */
STATUS LNPUBLIC IDDestroyTable(DHANDLE hTable);

/* Puts an identifier in. *retfInserted (may be NULL): FALSE when it was there already. [IDInsert] */
STATUS LNPUBLIC IDInsert(DHANDLE hTable, DWORD id, BOOL far *retfInserted);

/* Takes an identifier out. *retfDeleted (may be NULL): FALSE when it was not there. [IDDelete] */
STATUS LNPUBLIC IDDelete(DHANDLE hTable, DWORD id, BOOL far *retfDeleted);

/*
 * Walks the table in ascending order: the first identifier with fFirst TRUE; with FALSE the one
 * after *retID. FALSE at the end, for an empty table or a wrong handle; *retID is then
 * untouched. A deleted note's identifier has RRV_DELETED set and so comes after all others.
 * [IDScan]
 *
 *     for (BOOL first = TRUE; IDScan(table, first, &id); first = FALSE)
 */
BOOL LNPUBLIC IDScan(DHANDLE hTable, BOOL fFirst, DWORD far *retID);

/* How many there are; 0 for a wrong handle. [IDEntries] */
DWORD LNPUBLIC IDEntries(DHANDLE hTable);

/* [IDIsPresent] */
BOOL LNPUBLIC IDIsPresent(DHANDLE hTable, DWORD id);

#ifdef __cplusplus
}
#endif

#endif
