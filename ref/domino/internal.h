/*
 * The insides of the Domino face: handles, open files, settings, and what its files do for one
 * another. Nothing outside domino/ includes this.
 *
 * A data directory is one environment of the engine, an NSF file one database in it, a note one
 * record (notestore.h). All handles of the process are in one table (handles.c), all open files
 * in one list (files.c): however many handles a database has, the engine sees one.
 *
 * Locks, in the order in which one thread may take them:
 *   files_lock (files.c)         opening and closing files
 *   ref_dom_file.backup_lock     the backups of one file, and the capture of the engine
 *   the lock of the table of handles; held for a few instructions
 * The engine is called under the first two, never under the last. No function here is called
 * back by the engine but the compaction's pause, under no lock.
 */
#ifndef REF_DOM_INTERNAL_H
#define REF_DOM_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../engine/capture.h"

#include <global.h>
#include <clerr.h>
#include <idtable.h>
#include <misc.h>
#include <names.h>
#include <nsfdata.h>
#include <nsfdb.h>
#include <nsferr.h>
#include <nsfnote.h>
#include <oserr.h>
#include <osfile.h>
#include <osmem.h>
#include <osmisc.h>
#include <ostime.h>

/* ---- handles.c ---- */

typedef enum ref_dom_kind {
    REF_DOM_DB,
    REF_DOM_NOTE,
    REF_DOM_MEMORY,
    REF_DOM_IDTABLE,
    REF_DOM_BACKUP, /* in the table so that the handle is nobody else's; found by way of the database */
    REF_DOM_APPLY,
    REF_DOM_KINDS
} ref_dom_kind;

/* What a handle stands for; the struct of each kind begins with it. */
typedef struct ref_dom_object {
    ref_dom_kind kind;
    DHANDLE handle;
    unsigned users; /* calls that are using it; guarded by the table's lock */
} ref_dom_object;

/* Puts the object into the table and sets object->handle. ERR_MEMORY, ERR_MEM_HANDLES. */
STATUS ref_dom_handle_add(ref_dom_object *object, ref_dom_kind kind);

/* The kind's struct, which stays until ref_dom_handle_leave(). NULL on failure: *status is then
 * a code for a wrong handle of this kind, or ERR_NOTES_NOT_INITIALIZED. */
void *ref_dom_handle_use(DHANDLE handle, ref_dom_kind kind, STATUS *status);
void ref_dom_handle_leave(void *object); /* NULL: nothing */

/* Takes the object out of the table, waits until nobody uses it, and hands it to the caller to
 * free. NULL on failure, as above. */
void *ref_dom_handle_take(DHANDLE handle, ref_dom_kind kind, STATUS *status);

/* Any handle of the kind; NULLHANDLE when there is none. For the end of the runtime. */
DHANDLE ref_dom_handle_any(ref_dom_kind kind);

/* ---- errors.c ---- */

/* The code for an engine result; describes the failure when notes.ini asks for it. */
STATUS ref_dom_error(int result);
/* The same for a failure whose code the caller has chosen. */
STATUS ref_dom_error_as(STATUS status);

/* ---- ini.c, runtime.c ---- */

typedef struct ref_dom_server {
    char *name;      /* common name */
    char *directory; /* resolved */
    struct ref_dom_server *next;
} ref_dom_server;

/* What notes.ini says; constant while the runtime lives. */
typedef struct ref_dom_settings {
    char *directory; /* the data directory, resolved */
    ref_dom_server *servers;
    uint64_t backup_timeout; /* nanoseconds; 0: none */
    uint64_t memory_limit;   /* bytes */
    bool no_spill;
    bool logged; /* as NSFDbGetLogInfo sees it */
    bool trace;
} ref_dom_settings;

/* argument: of NotesInitExtended, without its '='; NULL: none. All of *out is 0 on failure. */
STATUS ref_dom_settings_read(const char *argument, ref_dom_settings *out);
void ref_dom_settings_free(ref_dom_settings *settings);

/* NOERROR while the runtime lives. */
STATUS ref_dom_check_runtime(void);
/* Only then. */
const ref_dom_settings *ref_dom_settings_now(void);

/* ---- path.c ---- */

#define REF_DOM_SERVER_MARK "!!"
#define REF_DOM_PORT_MARK "!!!"

/* What a path means. */
typedef struct ref_dom_place {
    bool remote;
    const char *directory;   /* the data directory; NULL: a file outside */
    char name[MAXPATH];      /* in the directory; of a file outside its path */
    char path[MAXPATH];      /* absolute */
    char canonical[MAXPATH]; /* as NSFDbPathGet says it */
} ref_dom_place;

/* The errors of a path: see NSFDbOpen. STS_REMOTE is not set. */
STATUS ref_dom_place_of(const char *path, ref_dom_place *out);
/* Whether two names of servers have the same common name. */
bool ref_dom_same_server(const char *a, const char *b);
/* status with STS_REMOTE where an error of this place has it. */
STATUS ref_dom_at(const ref_dom_place *place, STATUS status);

/* ---- files.c ---- */

struct ref_dom_backup;

/* An open file. */
typedef struct ref_dom_file {
    char path[MAXPATH];
    ref_env *env; /* NULL: a file outside any data directory */
    ref_db *engine;
    unsigned opens; /* guarded by files_lock */
    pthread_mutex_t backup_lock;
    struct ref_dom_backup
        *backups; /* one that runs at most, and those that have ended by themselves */
    struct ref_dom_file *next;
} ref_dom_file;

/* Opens it, or joins those who have it open. ref_dom_file_close() when done. */
STATUS ref_dom_file_open(const ref_dom_place *place, ref_dom_file **out);
STATUS ref_dom_file_close(ref_dom_file *file);
/* Makes it, empty, and leaves it closed. `replace`: in the place of a database. */
STATUS ref_dom_file_create(const ref_dom_place *place, bool replace);
STATUS ref_dom_file_delete(const ref_dom_place *place);
/* Whether the file is open here, by whatever path. */
bool ref_dom_file_is_open(const char *path);

/* ---- db.c ---- */

/* What a DBHANDLE stands for. */
typedef struct ref_dom_db {
    ref_dom_object object;
    ref_dom_place place;
    ref_dom_file *file;
} ref_dom_db;

/* The database of a handle, until ref_dom_handle_leave(). */
STATUS ref_dom_db_use(DBHANDLE handle, ref_dom_db **out);
/* The same for what remote databases cannot do: ERR_NOT_LOCAL. */
STATUS ref_dom_db_use_local(DBHANDLE handle, ref_dom_db **out);

/* ---- backup.c ---- */

/* Ends what the handle has begun; every backup for NULLHANDLE. */
void ref_dom_backup_end_all(ref_dom_file *file, DBHANDLE starter);

/* ---- apply.c ---- */

STATUS ref_dom_apply_close(DHANDLE handle, bool abort);

/* ---- time.c ---- */

/* Now, and points in time in general, are counted in hundredths of a second since 1970. */
uint64_t ref_dom_now(void);
TIMEDATE ref_dom_timedate(uint64_t hundredths);
uint64_t ref_dom_hundredths(const TIMEDATE *time); /* minimum and before 1970: 0 */
bool ref_dom_is_minimum(const TIMEDATE *time);
bool ref_dom_is_wildcard(const TIMEDATE *time);

/* ---- idtable.c ---- */

STATUS ref_dom_idtable_free(DHANDLE handle);

#endif
