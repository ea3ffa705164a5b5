/* Starting and ending the runtime. */
#include <stdatomic.h>
#include <stdlib.h>

#include "internal.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint begun; /* NotesInitExtended without their NotesTerm */
static ref_dom_settings settings;

STATUS ref_dom_check_runtime(void)
{
    return atomic_load(&begun) > 0 ? NOERROR : ERR_NOTES_NOT_INITIALIZED;
}

const ref_dom_settings *ref_dom_settings_now(void)
{
    return &settings;
}

STATUS LNPUBLIC NotesInitExtended(int argc, char far *far *argv)
{
    const char *ini = NULL;
    STATUS status = NOERROR;

    for (int i = 1; i < argc && argv != NULL && ini == NULL; i++) {
        if (argv[i] != NULL && argv[i][0] == '=') {
            ini = argv[i] + 1;
        }
    }
    (void)pthread_mutex_lock(&lock);
    if (atomic_load(&begun) == 0) {
        status = ref_dom_settings_read(ini, &settings);
    }
    if (status == NOERROR) {
        atomic_fetch_add(&begun, 1);
    }
    (void)pthread_mutex_unlock(&lock);
    return status;
}

STATUS LNPUBLIC NotesInit(void)
{
    return NotesInitExtended(0, NULL);
}

static void close_everything(void)
{
    DHANDLE handle;
    STATUS status;

    while ((handle = ref_dom_handle_any(REF_DOM_APPLY)) != NULLHANDLE) {
        (void)ref_dom_apply_close(handle, true);
    }
    while ((handle = ref_dom_handle_any(REF_DOM_NOTE)) != NULLHANDLE) {
        (void)NSFNoteClose(handle);
    }
    while ((handle = ref_dom_handle_any(REF_DOM_IDTABLE)) != NULLHANDLE) {
        (void)IDDestroyTable(handle);
    }
    while ((handle = ref_dom_handle_any(REF_DOM_MEMORY)) != NULLHANDLE) {
        free(ref_dom_handle_take(handle, REF_DOM_MEMORY, &status)); /* locked or not */
    }
    while ((handle = ref_dom_handle_any(REF_DOM_DB)) != NULLHANDLE) {
        (void)NSFDbClose(handle);
    }
}

void LNPUBLIC NotesTerm(void)
{
    (void)pthread_mutex_lock(&lock);
    if (atomic_load(&begun) == 1) {
        close_everything();
        atomic_store(&begun, 0);
        ref_dom_settings_free(&settings);
    } else if (atomic_load(&begun) > 1) {
        atomic_fetch_sub(&begun, 1);
    }
    (void)pthread_mutex_unlock(&lock);
}

STATUS LNPUBLIC NotesInitThread(void)
{
    return ref_dom_check_runtime();
}

void LNPUBLIC NotesTermThread(void)
{
}
