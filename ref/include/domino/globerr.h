/* Error codes: their parts, and the packages that they belong to. The codes are in nsferr.h,
 * oserr.h and clerr.h. [STATUS, STS_xxx, ERR, PKG, ERRNUM] */
#ifndef REF_DOMINO_GLOBERR_H
#define REF_DOMINO_GLOBERR_H

#include "global.h"

#define NOERROR 0

/* Flags of a STATUS */
#define STS_DISPLAYED ((STATUS)0x8000) /* the user has been told already; never set here */
#define STS_REMOTE ((STATUS)0x4000)    /* the error happened behind a remote handle */

#define ERR_MASK 0x3fff
#define PKG_MASK 0x3f00
#define ERRNUM_MASK 0x00ff

/* The error code without flags: what is compared with ERR_ constants and given to OSLoadString. */
#define ERR(x) ((STATUS)((x)&ERR_MASK))
/* Its package, as far as packages have 256 codes, and its number there. */
#define PKG(x) ((STATUS)((x)&PKG_MASK))
#define ERRNUM(x) ((STATUS)((x)&ERRNUM_MASK))

/* Packages */
#define PKG_OS 0x0100
#define PKG_NSF 0x0200
#define PKG_CLIENT 0x0800
#define PKG_NSF4 0x0EA0
#define PKG_NSF3 0x1380
#define PKG_NSF10 0x2DC0
#define PKG_NSF9 0x3800

/* Kinds of memory, for OSMemAlloc [MEM_xxx] */
#define MEM_SHARE ((WORD)0x8000)    /* accepted: all memory is the process's own */
#define MEM_GROWABLE ((WORD)0x4000) /* accepted */

#endif
