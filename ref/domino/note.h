/* What a NOTEHANDLE stands for. */
#ifndef REF_DOM_NOTE_H
#define REF_DOM_NOTE_H

#include "notestore.h"

typedef struct ref_dom_note {
    ref_dom_object object;
    DBHANDLE db; /* looked up at each use: it may have been closed */
    ref_dom_content content;
} ref_dom_note;

#endif
