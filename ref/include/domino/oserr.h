/* Error codes of files, memory and handles. [ERR_xxx] */
#ifndef REF_DOMINO_OSERR_H
#define REF_DOMINO_OSERR_H

#include "globerr.h"

#define ERR_UNKNOWN (PKG_OS + 1)          /* the operating system said something else */
#define ERR_PROTECTED (PKG_OS + 2)        /* the file system is read-only */
#define ERR_NOEXIST (PKG_OS + 3)          /* no such file */
#define ERR_EXISTS (PKG_OS + 4)           /* the file is there already */
#define ERR_FILES (PKG_OS + 5)            /* too many open files */
#define ERR_DISK (PKG_OS + 6)             /* no room on the disk */
#define ERR_MEMORY (PKG_OS + 7)           /* no memory */
#define ERR_LOCK (PKG_OS + 12)            /* in use: by another process, or by an open handle */
#define ERR_IOERROR (PKG_OS + 14)         /* reading or writing failed */
#define ERR_DRIVE_NOT_READY (PKG_OS + 15) /* - */
#define ERR_ACCESS (PKG_OS + 16)          /* the operating system does not allow it */
#define ERR_INV_SERVER_NAME (PKG_OS + 18) /* the server's or port's name is no name */
#define ERR_INV_FILE_NAME (PKG_OS + 19)   /* too long, or it leads out of the data directory */
#define ERR_OS_NULL_HANDLE (PKG_OS + 54)  /* the handle is NULLHANDLE */
#define ERR_OS_HANDLE_RANGE (PKG_OS + 55) /* the handle never was one */
#define ERR_OS_FREE_HANDLE (PKG_OS + 56)  /* the handle is none any more */
#define ERR_SEGMENT_TOO_BIG (PKG_OS + 59) /* - */
#define ERR_OS_INCOMPATIBLE_HANDLES (PKG_OS + 142) /* the handle stands for something else */
#define ERR_MEM_HANDLES (PKG_OS + 162)             /* no more handles */
#define ERR_BAD_DIRECTORY (PKG_OS + 243)           /* the directory is not there */

#endif
