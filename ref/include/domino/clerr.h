/* Error codes of servers. [ERR_xxx] */
#ifndef REF_DOMINO_CLERR_H
#define REF_DOMINO_CLERR_H

#include "globerr.h"

#define ERR_SERVER_NOT_FOUND (PKG_CLIENT + 3) /* notes.ini has no Hotref_Server_ key of this name */

#endif
