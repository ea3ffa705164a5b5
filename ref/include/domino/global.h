/*
 * The Notes C API, as far as it is needed to keep notes in databases and to back these up while they
 * are in use: types, limits, and starting and ending the runtime. A program written for this subset
 * compiles and runs unchanged; no binary compatibility is meant.
 *
 * Names, types, constants and error values are those of the published C API reference, whose page
 * each comment names in brackets. A function outside the subset is not declared, so that the compiler
 * names it. A flag outside it is refused with ERR_VALUE_FLAGS. Where the reference is silent, the
 * comment says what was decided here, after the word "Decided".
 *
 * HEADERS, each of which can be included alone:
 *     global.h   types, runtime          globerr.h  packages of error codes, ERR()
 *     nsfdb.h    databases, backup       nsferr.h   error codes of databases
 *     nsfdata.h  identifiers             oserr.h    error codes of files, memory, handles
 *     nsfnote.h  notes and items         clerr.h    error codes of servers
 *     idtable.h  ID tables               names.h    limits of names
 *     osmem.h    memory by handles       misc.h     time constants
 *     osmisc.h   texts of error codes    ostime.h   the clock
 *     osfile.h   network paths
 *
 * LIFECYCLE: NotesInitExtended; NSFDbCreate, NSFDbOpen; NSFBackupStart and what follows it (nsfdb.h);
 * NSFDbClose; NotesTerm.
 *
 * RESULTS: a STATUS. NOERROR is 0, everything else an error code whose text OSLoadString gives. The two
 * highest bits are flags: compare ERR(status), never status, with an ERR_ constant. A call on a local
 * database never sets them; what failed behind a remote handle has STS_REMOTE. What a function's
 * comment lists is what it adds to these, which nearly every function can give:
 *     ERR_NOTES_NOT_INITIALIZED  before NotesInitExtended or after NotesTerm
 *     ERR_NULL_DBHANDLE, ERR_NULL_NOTEHANDLE, ERR_OS_NULL_HANDLE   the handle is NULLHANDLE
 *     ERR_OS_HANDLE_RANGE, ERR_OS_FREE_HANDLE, ERR_OS_INCOMPATIBLE_HANDLES   the handle never was one,
 *                                is none any more, stands for something else
 *     ERR_BAD_PARAM              a pointer that is needed is NULL
 *     ERR_MEMORY, ERR_MEM_HANDLES, ERR_DISK, ERR_IOERROR, ERR_ACCESS, ERR_FILES   no memory, no
 *                                handles, no room on the disk, what else the operating system says
 *     ERR_RM_FIXUP_DB            a damaged page, or damage in the transaction log
 *     ERR_RM_GENERAL_FAILURE     the data directory has ended, because its log or a database could not
 *                                be written: close all its databases and open them again, and it
 *                                recovers
 *     ERR_UNKNOWN                none of these
 * With Hotref_Trace=1 in notes.ini each such failure is also described by a line on standard error.
 * (A wrong handle stops the real Notes runtime in some functions; here it is an error or a NULL.)
 *
 * OUT-PARAMETERS of a call that fails are NULLHANDLE or 0.
 *
 * STRINGS handed in are copied, and taken as bytes: LMBCS and the native character set are one. Names
 * of files are case sensitive, those of items and servers not.
 *
 * THREADS: any thread may call any function. Handles of databases, backup contexts and contexts of
 * application may be used by several at once: calls on one context wait for one another. A note, a
 * memory object or an ID table is used by one thread at a time. Closing a handle waits until calls on
 * it in other threads have returned. NotesInitExtended and NotesTerm: nobody else inside.
 */
#ifndef REF_DOMINO_GLOBAL_H
#define REF_DOMINO_GLOBAL_H

/* Programs rely on NULL coming with it. */
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- calling conventions and memory models of old: all empty ---- */

#define far
#define FAR
#define LNPUBLIC
#define LNCALLBACK
#define LNCALLBACKPTR *

/* ---- types [Data Types: Standard, Handles] ---- */

typedef unsigned char BYTE;
typedef unsigned short WORD; /* 16 bits */
typedef unsigned short USHORT;
typedef unsigned int DWORD; /* 32 bits */
typedef int BOOL;           /* TRUE or FALSE */
typedef double NUMBER;
#define VOID void
#define FLAG unsigned

typedef WORD STATUS;

typedef unsigned int DHANDLE; /* memory, notes, ID tables, contexts */
typedef unsigned int HANDLE;  /* databases: DBHANDLE */
typedef void *HMODULE;
#define NULLHANDLE 0

#ifndef TRUE
#define FALSE 0
#define TRUE 1
#endif

#define MAXDWORD ((DWORD)0xffffffff)
#define MAXWORD ((WORD)0xffff)
#define MAXBYTE ((BYTE)0xff)

#ifndef __cplusplus
#ifndef min
#define min(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) ((a) > (b) ? (a) : (b))
#endif
#endif

/* A point in time, to a hundredth of a second, in a form that only the functions of misc.h and
 * ostime.h know [TIMEDATE]. Identifiers have this shape, too. */
typedef struct tagTIMEDATE {
    DWORD Innards[2];
} TIMEDATE;

/* ---- runtime ---- */

/*
 * Begins. Finds notes.ini and the data directory; opens neither a database nor the log: that happens
 * when a database of the directory is opened. [NotesInitExtended]
 *
 *     argc, argv  the program's. The first argument after argv[0] that begins with '=' names notes.ini:
 *                 "=/opt/server/notes.ini". argv may be NULL when argc is 0.
 *
 * notes.ini: that argument; else $NotesINI; else "notes.ini" in the data directory, if there is one.
 * The data directory: Directory= of notes.ini (a relative path is taken from where notes.ini lies);
 * else $Notes_DataDirectory; else the current directory.
 *
 * Keys are case-insensitive, one "Key=value" on a line. Those that mean something here:
 *     Directory=PATH           the data directory
 *     BACKUP_TIMEOUT=MINUTES   how long a backup may take from NSFBackupStart on; 15 when not given
 *     BACKUP_NO_TIMEOUT=1      for ever
 *     NSF_Backup_Memory_Constrained=0   before-images stay in memory, however many they are; 1, or not
 *                              given: up to the limit, then they go to a file beside the database
 *     NSF_Backup_Memory_Limit=BYTES     that limit; 20000000 when not given
 *     TRANSLOG_Status=0        NSFDbGetLogInfo calls no database logged. (A log is kept all the same:
 *                              it is what makes databases whole again after a crash.)
 * and these, which are ours:
 *     Hotref_Server_NAME=PATH  the data directory of a server: a database FILE in it can be opened as
 *                              "NAME!!FILE", and is remote. NAME is the server's common name: it stands
 *                              for "CN=NAME/O=Acme" and "NAME/Acme", too. Relative as Directory is.
 *     Hotref_Backup_No_Spill=1 at the memory limit the backup ends, ERR_BACKUP_ABORTED2
 *     Hotref_Trace=1           failures are described on standard error
 *
 * Again before NotesTerm: NOERROR, and nothing changes; each call needs its NotesTerm.
 *     ERR_NOEXIST        the notes.ini that was asked for is not there
 *     ERR_BAD_DIRECTORY  the data directory is not there, or its path is too long (MAXPATH)
 */
STATUS LNPUBLIC NotesInitExtended(int argc, char far *far *argv);

/* NotesInitExtended without arguments [NotesInit]. */
STATUS LNPUBLIC NotesInit(void);

/* Ends: closes notes and databases that are open, ends backups and applications that run (an
 * application as with APPLYEND_ABORT), frees memory objects and ID tables. After it
 * NotesInitExtended may be called again. Without NotesInitExtended: nothing. [NotesTerm] */
void LNPUBLIC NotesTerm(void);

/* A thread's beginning and end. Not needed here, and NOERROR, once the runtime has begun.
 * [NotesInitThread, NotesTermThread] */
STATUS LNPUBLIC NotesInitThread(void);
void LNPUBLIC NotesTermThread(void);

#ifdef __cplusplus
}
#endif

#include "globerr.h"

#endif
