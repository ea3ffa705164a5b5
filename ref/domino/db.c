/* Databases: creating, opening, closing, deleting, and where they are. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

STATUS LNPUBLIC NSFDbCreate(const char far *PathName, USHORT DbClass, BOOL ForceCreation)
{
    ref_dom_place place;
    STATUS status = ref_dom_place_of(PathName, &place);

    if (status == NOERROR && DbClass != DBCLASS_BY_EXTENSION &&
        (DbClass < DBCLASS_NSFTESTFILE || DbClass > DBCLASS_V12NOTEFILE)) {
        status = ERR_DBCLASS;
    }
    if (status == NOERROR) {
        status = ref_dom_at(&place, ref_dom_file_create(&place, ForceCreation != FALSE));
    }
    return status;
}

STATUS LNPUBLIC NSFDbOpen(const char far *PathName, DBHANDLE far *rethDB)
{
    ref_dom_place place;
    STATUS status = ref_dom_place_of(PathName, &place);

    if (rethDB == NULL) {
        return status == NOERROR ? ERR_BAD_PARAM : status;
    }
    *rethDB = NULLHANDLE;
    if (status != NOERROR) {
        return status;
    }
    ref_dom_db *db = calloc(1, sizeof *db);
    if (db == NULL) {
        return ERR_MEMORY;
    }
    db->place = place;
    status = ref_dom_at(&place, ref_dom_file_open(&place, &db->file));
    if (status == NOERROR) {
        status = ref_dom_handle_add(&db->object, REF_DOM_DB);
        if (status != NOERROR) {
            (void)ref_dom_file_close(db->file);
        }
    }
    if (status == NOERROR) {
        *rethDB = db->object.handle;
    } else {
        free(db);
    }
    return status;
}

STATUS LNPUBLIC NSFDbClose(DBHANDLE hDB)
{
    STATUS status;
    ref_dom_db *db = ref_dom_handle_take(hDB, REF_DOM_DB, &status);

    if (db != NULL) {
        ref_dom_backup_end_all(db->file, hDB);
        status = ref_dom_at(&db->place, ref_dom_file_close(db->file));
        free(db);
    }
    return status;
}

STATUS LNPUBLIC NSFDbDelete(const char far *PathName)
{
    ref_dom_place place;
    STATUS status = ref_dom_place_of(PathName, &place);

    return status == NOERROR ? ref_dom_at(&place, ref_dom_file_delete(&place)) : status;
}

STATUS LNPUBLIC NSFDbPathGet(
    DBHANDLE hDB, char far *retCanonicalPathName, char far *retExpandedPathName)
{
    ref_dom_db *db;
    STATUS status = ref_dom_db_use(hDB, &db);

    if (retCanonicalPathName != NULL) {
        strcpy(retCanonicalPathName, db != NULL ? db->place.canonical : "");
    }
    if (retExpandedPathName != NULL) {
        strcpy(retExpandedPathName, db == NULL         ? ""
                                    : db->place.remote ? db->place.canonical
                                                       : db->place.path);
    }
    ref_dom_handle_leave(db);
    return status;
}

STATUS ref_dom_db_use(DBHANDLE handle, ref_dom_db **out)
{
    STATUS status;

    *out = ref_dom_handle_use(handle, REF_DOM_DB, &status);
    return status;
}

STATUS ref_dom_db_use_local(DBHANDLE handle, ref_dom_db **out)
{
    STATUS status = ref_dom_db_use(handle, out);

    if (status == NOERROR && (*out)->place.remote) {
        ref_dom_handle_leave(*out);
        *out = NULL;
        status = ERR_NOT_LOCAL;
    }
    return status;
}
