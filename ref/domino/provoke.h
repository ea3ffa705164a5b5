/*
 * For tests of this face: brings about what a program of the documented interface cannot. No
 * program that is written for the Notes C API includes this.
 *
 * What needs no hook: a remote database (Hotref_Server_NAME in notes.ini), the memory limit and
 * what happens at it (NSF_Backup_Memory_Limit, Hotref_Backup_No_Spill), time and failing disks
 * (a ref_vfs of one's own, ref_set_default_vfs() in engine/vfs.h).
 */
#ifndef REF_DOM_PROVOKE_H
#define REF_DOM_PROVOKE_H

/*
 * `pause` is called by NSFDbCompact between its steps, at least once, in the thread that
 * compacts, while no lock is held: whatever it calls meets a compaction in progress. NULL:
 * nothing is called. Any thread; a call that is under way is not waited for.
 */
void ref_dom_provoke_compact_pause(void (*pause)(void *context), void *context);

/* Writes every update of a database to its file, now. The result is a STATUS. Any thread, also
 * during a backup; path as NSFDbOpen takes it. */
unsigned short ref_dom_provoke_flush(const char *path);

#endif
