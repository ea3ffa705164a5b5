/* Points in time that are constants. */
#ifndef REF_DOMINO_MISC_H
#define REF_DOMINO_MISC_H

#include "global.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TIMEDATE_MINIMUM 0  /* before all others */
#define TIMEDATE_MAXIMUM 1  /* after all others */
#define TIMEDATE_WILDCARD 2 /* any time on any day */

/* Sets *tdptr to the constant; an unknown one sets the minimum. [TimeConstant] */
void LNPUBLIC TimeConstant(WORD TimeConstantType, TIMEDATE far *tdptr);

#ifdef __cplusplus
}
#endif

#endif
