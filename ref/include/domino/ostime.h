/* The clock. */
#ifndef REF_DOMINO_OSTIME_H
#define REF_DOMINO_OSTIME_H

#include "global.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Now. [OSCurrentTIMEDATE] */
void LNPUBLIC OSCurrentTIMEDATE(TIMEDATE far *retTimeDate);

#ifdef __cplusplus
}
#endif

#endif
