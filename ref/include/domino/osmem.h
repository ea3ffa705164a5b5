/*
 * Memory by handles. An object stays until OSMemFree or NotesTerm; it never moves here, but only a
 * locked one may be touched.
 */
#ifndef REF_DOMINO_OSMEM_H
#define REF_DOMINO_OSMEM_H

#include "global.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Memory for `dwSize` bytes, zeroed. BlkType: 0, MEM_SHARE, MEM_GROWABLE; what else it says does
 * not matter. 0 bytes: NOERROR and NULLHANDLE. [OSMemAlloc]
 *     ERR_MEMORY */
STATUS LNPUBLIC OSMemAlloc(WORD BlkType, DWORD dwSize, DHANDLE far *retHandle);

/* Frees it, or an ID table. The real one always returns NOERROR, or stops the program. [OSMemFree]
 *     ERR_LOCK  it is locked: it stays */
STATUS LNPUBLIC OSMemFree(DHANDLE Handle);

/* Where the memory is. Locks are counted. NULL for a wrong handle. [OSLockObject] */
void far *LNPUBLIC OSLockObject(DHANDLE Handle);

/* Takes one lock back. TRUE; FALSE for a wrong handle, or one that is not locked. [OSUnlockObject] */
BOOL LNPUBLIC OSUnlockObject(DHANDLE Handle);

/* The same with a type. [OSLock, OSUnlock] */
#define OSLock(blocktype, handle) ((blocktype far *)OSLockObject(handle))
#define OSUnlock(handle) OSUnlockObject(handle)

#ifdef __cplusplus
}
#endif

#endif
