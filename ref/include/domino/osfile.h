/* Network paths: "PORT!!!SERVER!!FILE", each part but the file's name may be missing. */
#ifndef REF_DOMINO_OSFILE_H
#define REF_DOMINO_OSFILE_H

#include "global.h"
#include "names.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Joins the parts. [OSPathNetConstruct]
 *
 *     PortName     NULL or "": none. (It has no effect here.)
 *     ServerName   "": this machine, and the path is FileName. NULL is taken for "".
 *     FileName     relative to the server's data directory; "": the directory itself
 *     retPathName  MAXPATH bytes; what is longer is cut
 *
 * Always NOERROR, but for ERR_BAD_PARAM. Works before NotesInitExtended, too.
 */
STATUS LNPUBLIC OSPathNetConstruct(const char far *PortName, const char far *ServerName,
    const char far *FileName, char far *retPathName);

/*
 * Takes a path apart; "" for a part that is missing. Each of the three may be NULL. retPortName:
 * MAXPORTNAME bytes; retServerName: MAXUSERNAME; retFileName: MAXPATH. [OSPathNetParse]
 *     ERR_INV_SERVER_NAME  a port without a server, or a name that is too long
 *     ERR_INV_FILE_NAME    the file's name is too long
 * Works before NotesInitExtended, too.
 */
STATUS LNPUBLIC OSPathNetParse(const char far *PathName, char far *retPortName,
    char far *retServerName, char far *retFileName);

#ifdef __cplusplus
}
#endif

#endif
