/* Memory objects. */
#include <stdlib.h>

#include "internal.h"

typedef struct ref_dom_memory {
    ref_dom_object object;
    unsigned locks;
    max_align_t content[];
} ref_dom_memory;

STATUS LNPUBLIC OSMemAlloc(WORD BlkType, DWORD dwSize, DHANDLE far *retHandle)
{
    STATUS status = ref_dom_check_runtime();

    (void)BlkType;
    if (status == NOERROR && retHandle == NULL) {
        status = ERR_BAD_PARAM;
    }
    if (retHandle != NULL) {
        *retHandle = NULLHANDLE;
    }
    if (status != NOERROR || dwSize == 0) {
        return status;
    }
    ref_dom_memory *memory = calloc(1, sizeof *memory + dwSize);
    if (memory == NULL) {
        return ERR_MEMORY;
    }
    status = ref_dom_handle_add(&memory->object, REF_DOM_MEMORY);
    if (status == NOERROR) {
        *retHandle = memory->object.handle;
    } else {
        free(memory);
    }
    return status;
}

STATUS LNPUBLIC OSMemFree(DHANDLE Handle)
{
    STATUS status;
    ref_dom_memory *memory = ref_dom_handle_use(Handle, REF_DOM_MEMORY, &status);

    if (status == ERR_OS_INCOMPATIBLE_HANDLES) {
        return ref_dom_idtable_free(Handle);
    }
    if (status != NOERROR) {
        return status;
    }
    bool locked = memory->locks > 0;
    ref_dom_handle_leave(memory);
    if (locked) {
        return ERR_LOCK;
    }
    memory = ref_dom_handle_take(Handle, REF_DOM_MEMORY, &status);
    free(memory);
    return status;
}

void far *LNPUBLIC OSLockObject(DHANDLE Handle)
{
    STATUS status;
    ref_dom_memory *memory = ref_dom_handle_use(Handle, REF_DOM_MEMORY, &status);

    if (memory == NULL) {
        return NULL;
    }
    memory->locks++;
    ref_dom_handle_leave(memory);
    return memory->content;
}

BOOL LNPUBLIC OSUnlockObject(DHANDLE Handle)
{
    STATUS status;
    ref_dom_memory *memory = ref_dom_handle_use(Handle, REF_DOM_MEMORY, &status);

    if (memory == NULL) {
        return FALSE;
    }
    BOOL locked = memory->locks > 0;
    if (locked) {
        memory->locks--;
    }
    ref_dom_handle_leave(memory);
    return locked;
}
