/* What a backup program asks about the log. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* The log file that is being written: what comes before it is in the database file as soon as a
 * backup has begun. */
static STATUS newest_extent(ref_env *env, DWORD *out)
{
    uint32_t *numbers;
    size_t count;
    int error = ref_log_archive(env, REF_ARCHIVE_ALL, &numbers, &count);

    if (error == 0 && count > 0) {
        *out = numbers[count - 1];
    }
    free(numbers);
    return ref_dom_error(error);
}

static UNID unid_of(const uint8_t id[16])
{
    UNID unid;

    memcpy(&unid, id, sizeof unid);
    return unid;
}

STATUS LNPUBLIC NSFDbGetLogInfo(
    DBHANDLE hDb, DWORD Flags, BOOL *LOGGED, UNID *LogID, UNID *DbIID, DWORD *LogExtent)
{
    ref_dom_db *db;
    STATUS status = ref_dom_db_use_local(hDb, &db);
    uint8_t log_id[16], db_id[16];

    if (status == NOERROR && Flags != 0) {
        status = ERR_VALUE_FLAGS;
    }
    if (LOGGED != NULL && LogID != NULL && DbIID != NULL && LogExtent != NULL) {
        *LOGGED = FALSE;
        *LogID = *DbIID = (UNID){0};
        *LogExtent = 0;
    } else if (status == NOERROR) {
        status = ERR_BAD_PARAM;
    }
    if (status == NOERROR && db->file->env != NULL && ref_dom_settings_now()->logged) {
        status = newest_extent(db->file->env, LogExtent);
        if (status == NOERROR) {
            ref_env_identity(db->file->env, log_id);
            ref_db_identity(db->file->engine, db_id);
            *LOGGED = TRUE;
            *LogID = unid_of(log_id);
            *DbIID = unid_of(db_id);
        }
    }
    ref_dom_handle_leave(db);
    return status;
}
