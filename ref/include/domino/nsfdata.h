/* What identifies databases and notes. [Data Types: IDs, Handles] */
#ifndef REF_DOMINO_NSFDATA_H
#define REF_DOMINO_NSFDATA_H

#include "global.h"
#include "names.h"

#define DBHANDLE HANDLE
#define NOTEHANDLE DHANDLE

/* A note within its database: a multiple of RRV_ALIGNMENT, below RRV_DELETED, never given to
 * another note. */
typedef DWORD NOTEID;

#define NOTEID_RESERVED 0x80000000
#define NOTEID_ADD 0x00000000 /* of a note that NSFNoteUpdate has not written yet */
#define RRV_ALIGNMENT 4
#define RRV_DELETED NOTEID_RESERVED /* set in the identifiers of deleted notes in ID tables */

/* A database, where it has the shape of a point in time. */
typedef TIMEDATE DBID;

/* A note in all its replicas; also identifies logs and instances of databases. 16 bytes. */
typedef struct UNIVERSALNOTEID_tag {
    DBID File;
    TIMEDATE Note;
} UNIVERSALNOTEID;
#define UNID UNIVERSALNOTEID

/* A note and its version. */
typedef struct ORIGINATORID_tag {
    DBID File;             /* chance */
    TIMEDATE Note;         /* when the note was first written */
    DWORD Sequence;        /* 1 for the first version, then one more at each update */
    TIMEDATE SequenceTime; /* when that was */
} ORIGINATORID;
#define OID ORIGINATORID

#endif
