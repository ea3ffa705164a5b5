/* Applying change information to a copy. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

typedef struct ref_dom_apply {
    ref_dom_object object;
    pthread_mutex_t lock; /* calls on one context wait for one another */
    ref_apply *engine;
    STATUS failed; /* what the first failure was: every later call says the same */
} ref_dom_apply;

static STATUS apply_error(int error)
{
    return error == REF_CORRUPT ? ref_dom_error_as(ERR_CORRUPT_CHANGE_INFO) : ref_dom_error(error);
}

/* What can be told before the first byte. A copy may be damaged as yet: the change information
 * mends it.
 */
static STATUS check_copy(const char *path)
{
    ref_copy_state state;

    if (ref_dom_file_is_open(path)) {
        return ERR_NSF_IN_USE; /* it would become an old one */
    }
    int error = ref_copy_state_of(ref_default_vfs(), path, &state);
    return error == REF_CORRUPT ? NOERROR : ref_dom_error(error);
}

static STATUS start_error(int error)
{
    return error == EBUSY ? ref_dom_error_as(ERR_NSF_IN_USE) : apply_error(error);
}

static STATUS start(const char *path, uint64_t size, DHANDLE *context)
{
    ref_dom_apply *apply = calloc(1, sizeof *apply);

    if (apply == NULL) {
        return ERR_MEMORY;
    }
    STATUS status = start_error(ref_apply_start(ref_default_vfs(), path, size, &apply->engine));
    if (status != NOERROR) {
        free(apply);
        return status;
    }
    (void)pthread_mutex_init(&apply->lock, NULL);
    status = ref_dom_handle_add(&apply->object, REF_DOM_APPLY);
    if (status != NOERROR) {
        (void)ref_apply_end(apply->engine, true);
        (void)pthread_mutex_destroy(&apply->lock);
        free(apply);
        return status;
    }
    *context = apply->object.handle;
    return NOERROR;
}

STATUS LNPUBLIC NSFBackupStartApplyChangeInfo(DHANDLE *ApplyInfoContext, char *CopyFilePath,
    DWORD Flags, DWORD InfoSizeLow, DWORD InfoSizeHigh)
{
    STATUS status = ref_dom_check_runtime();

    if (status == NOERROR && Flags != 0) {
        status = ERR_VALUE_FLAGS;
    }
    if (status == NOERROR && (ApplyInfoContext == NULL || CopyFilePath == NULL)) {
        status = ERR_BAD_PARAM;
    }
    if (ApplyInfoContext != NULL) {
        *ApplyInfoContext = NULLHANDLE;
    }
    if (status == NOERROR) {
        status = check_copy(CopyFilePath);
    }
    if (status == NOERROR) {
        status = start(CopyFilePath, (uint64_t)InfoSizeHigh << 32 | InfoSizeLow, ApplyInfoContext);
    }
    return status;
}

STATUS LNPUBLIC NSFBackupApplyNextChangeInfo(
    DHANDLE ApplyInfoContext, DWORD Flags, char *Buffer, DWORD BufferSize)
{
    STATUS status;
    ref_dom_apply *apply = ref_dom_handle_use(ApplyInfoContext, REF_DOM_APPLY, &status);

    if (status == NOERROR && Flags != 0) {
        status = ERR_VALUE_FLAGS;
    }
    if (status == NOERROR && Buffer == NULL && BufferSize > 0) {
        status = ERR_BAD_PARAM;
    }
    if (status == NOERROR) {
        (void)pthread_mutex_lock(&apply->lock);
        if (apply->failed == NOERROR && BufferSize > 0) {
            apply->failed = apply_error(ref_apply_next(apply->engine, Buffer, BufferSize));
        }
        status = apply->failed;
        (void)pthread_mutex_unlock(&apply->lock);
    }
    ref_dom_handle_leave(apply);
    return status;
}

STATUS ref_dom_apply_close(DHANDLE handle, bool abort)
{
    STATUS status;
    ref_dom_apply *apply = ref_dom_handle_take(handle, REF_DOM_APPLY, &status);

    if (apply != NULL) {
        int error = ref_apply_end(apply->engine, abort || apply->failed != NOERROR);

        if (!abort) {
            status = apply->failed != NOERROR ? apply->failed : apply_error(error);
        }
        (void)pthread_mutex_destroy(&apply->lock);
        free(apply);
    }
    return status;
}

STATUS LNPUBLIC NSFBackupEndApplyChangeInfo(DHANDLE ApplyInfoContext, DWORD Flags)
{
    STATUS status;
    ref_dom_apply *apply = ref_dom_handle_use(ApplyInfoContext, REF_DOM_APPLY, &status);

    ref_dom_handle_leave(apply);
    if (status == NOERROR && (Flags & ~(DWORD)APPLYEND_ABORT) != 0) {
        status = ERR_VALUE_FLAGS;
    }
    return status == NOERROR ? ref_dom_apply_close(ApplyInfoContext, Flags == APPLYEND_ABORT)
                             : status;
}
