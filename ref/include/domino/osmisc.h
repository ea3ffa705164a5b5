/* Texts of error codes. */
#ifndef REF_DOMINO_OSMISC_H
#define REF_DOMINO_OSMISC_H

#include "global.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The sentence for an error code; works before NotesInitExtended, too. [OSLoadString]
 *
 *     hModule       NULLHANDLE
 *     StringCode    the code without flags: ERR(status). With flags there is no text.
 *     retBuffer     room for it
 *     BufferLength  bytes of room; a longer sentence is cut. The NUL is always inside.
 *
 * The length without the NUL; 0 and "" when there is no text.
 */
WORD LNPUBLIC OSLoadString(
    HMODULE hModule, STATUS StringCode, char far *retBuffer, WORD BufferLength);

#ifdef __cplusplus
}
#endif

#endif
