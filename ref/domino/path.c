/* Paths: network paths, and what a path of a database means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "internal.h"

/* ---- network paths ---- */

STATUS LNPUBLIC OSPathNetConstruct(const char far *PortName, const char far *ServerName,
    const char far *FileName, char far *retPathName)
{
    const char *port = PortName != NULL ? PortName : "";

    if (FileName == NULL || retPathName == NULL) {
        return ERR_BAD_PARAM;
    }
    if (ServerName == NULL || ServerName[0] == '\0') {
        (void)snprintf(retPathName, MAXPATH, "%s", FileName);
    } else {
        (void)snprintf(retPathName, MAXPATH, "%s%s%s%s%s", port,
            port[0] != '\0' ? REF_DOM_PORT_MARK : "", ServerName, REF_DOM_SERVER_MARK, FileName);
    }
    return NOERROR;
}

/* A part of a path. */
typedef struct path_part {
    const char *start;
    size_t length;
} path_part;

/* Takes the part before the mark off *rest; an empty part when there is no mark. */
static path_part part_before(const char **rest, const char *mark)
{
    const char *found = strstr(*rest, mark);
    path_part part = {*rest, 0};

    if (found != NULL) {
        part.length = (size_t)(found - *rest);
        *rest = found + strlen(mark);
    }
    return part;
}

static STATUS split(const char *path, path_part *port, path_part *server, path_part *file)
{
    const char *rest = path;

    *port = part_before(&rest, REF_DOM_PORT_MARK);
    *server = part_before(&rest, REF_DOM_SERVER_MARK);
    *file = (path_part){rest, strlen(rest)};
    if (port->length >= MAXPORTNAME || server->length >= MAXUSERNAME) {
        return ERR_INV_SERVER_NAME;
    }
    if (port->length > 0 && server->length == 0 && file->length > 0) {
        return ERR_INV_SERVER_NAME;
    }
    return file->length >= MAXPATH ? ERR_INV_FILE_NAME : NOERROR;
}

static void hand_out(char *to, path_part part)
{
    if (to != NULL) {
        memcpy(to, part.start, part.length);
        to[part.length] = '\0';
    }
}

STATUS LNPUBLIC OSPathNetParse(
    const char far *PathName, char far *retPortName, char far *retServerName, char far *retFileName)
{
    path_part port = {"", 0}, server = port, file = port;
    STATUS status = PathName == NULL ? ERR_BAD_PARAM : split(PathName, &port, &server, &file);

    if (status != NOERROR) {
        port = server = file = (path_part){"", 0};
    }
    hand_out(retPortName, port);
    hand_out(retServerName, server);
    hand_out(retFileName, file);
    return status;
}

/* ---- servers ---- */

/* "CN=Ann/OU=Ops/O=Acme", "Ann/Ops/Acme" and "Ann" have the common name "Ann". */
static path_part common_name(const char *name)
{
    if (strncasecmp(name, "CN=", 3) == 0) {
        name += 3;
    }
    return (path_part){name, strcspn(name, "/")};
}

bool ref_dom_same_server(const char *a, const char *b)
{
    path_part first = common_name(a), second = common_name(b);
    return first.length == second.length &&
           strncasecmp(first.start, second.start, first.length) == 0;
}

static const ref_dom_server *find_server(const char *name)
{
    const ref_dom_server *server = ref_dom_settings_now()->servers;

    while (server != NULL && !ref_dom_same_server(server->name, name)) {
        server = server->next;
    }
    return server;
}

/* ---- what a path means ---- */

/* NOERROR when it fits MAXPATH. */
static STATUS join(const char *directory, const char *name, char out[MAXPATH])
{
    bool root = directory[strlen(directory) - 1] == '/';
    int length = snprintf(out, MAXPATH, "%s%s%s", directory, root ? "" : "/", name);
    return length >= 0 && length < MAXPATH ? NOERROR : ERR_INV_FILE_NAME;
}

/* Takes out "." and double slashes. ".." is refused, and so is a name that ends in a slash. */
static STATUS clean(const char *name, char out[MAXPATH])
{
    size_t length = 0;

    if (name[0] == '\0' || name[strlen(name) - 1] == '/') {
        return ERR_DIRECTORY;
    }
    while (*name != '\0') {
        size_t step = strcspn(name, "/");

        if (step == 2 && strncmp(name, "..", 2) == 0) {
            return ERR_INV_FILE_NAME;
        }
        if (step > 0 && !(step == 1 && name[0] == '.')) {
            if (length + step + 2 > MAXPATH) {
                return ERR_INV_FILE_NAME;
            }
            if (length > 0) {
                out[length++] = '/';
            }
            memcpy(out + length, name, step);
            length += step;
        }
        name += step;
        name += strspn(name, "/");
    }
    out[length] = '\0';
    return length == 0 ? ERR_DIRECTORY : NOERROR;
}

/* ".nsf" behind a name without a dot. */
static STATUS add_extension(char name[MAXPATH])
{
    const char *slash = strrchr(name, '/');
    size_t length = strlen(name);

    if (strchr(slash != NULL ? slash : name, '.') != NULL) {
        return NOERROR;
    }
    if (length + sizeof ".nsf" > MAXPATH) {
        return ERR_INV_FILE_NAME;
    }
    memcpy(name + length, ".nsf", sizeof ".nsf");
    return NOERROR;
}

/* Whether the name would take that of a file of the engine's: __db.control, log.0000000001. */
static bool is_reserved(const char *name)
{
    return strncmp(name, "__", 2) == 0 ||
           (strncmp(name, "log.", 4) == 0 && strspn(name + 4, "0123456789") == 10 &&
               name[14] == '\0');
}

/* The absolute path without links, up to the last component, which need not exist. */
static STATUS resolve(const char *path, char out[MAXPATH])
{
    ref_vfs *vfs = ref_default_vfs();
    const char *slash = strrchr(path, '/');
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    char parent[MAXPATH], resolved[MAXPATH];

    if (slash[1] == '\0' || strcmp(slash, "/.") == 0 || strcmp(slash, "/..") == 0) {
        return ERR_DIRECTORY;
    }
    if (length >= sizeof parent) {
        return ERR_INV_FILE_NAME;
    }
    memcpy(parent, path, length);
    parent[length] = '\0';
    int error = vfs->resolve(vfs, parent, resolved, sizeof resolved);
    if (error != 0) {
        return ref_dom_error(ref_fail(error, "%s", parent));
    }
    return join(resolved, slash + 1, out);
}

/* Where the absolute path goes on behind the directory; NULL when it does not lie in it. */
static const char *below(const char *path, const char *directory)
{
    size_t length = strlen(directory);

    if (length > 0 && directory[length - 1] == '/') {
        length--;
    }
    return strncmp(path, directory, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

static STATUS place_absolute(const char *path, ref_dom_place *out)
{
    const ref_dom_settings *settings = ref_dom_settings_now();
    STATUS status = resolve(path, out->path);

    if (status == NOERROR) {
        status = add_extension(out->path);
    }
    if (status == NOERROR) {
        const char *name = below(out->path, settings->directory);

        out->directory = name != NULL ? settings->directory : NULL;
        if (name == NULL) {
            name = out->path;
        }
        memcpy(out->name, name, strlen(name) + 1);
        memcpy(out->canonical, name, strlen(name) + 1);
    }
    return status;
}

static STATUS place_relative(const char *name, const char *directory, ref_dom_place *out)
{
    STATUS status = clean(name, out->name);

    out->directory = directory;
    if (status == NOERROR) {
        status = add_extension(out->name);
    }
    if (status == NOERROR) {
        status = join(directory, out->name, out->path);
    }
    if (status == NOERROR) {
        memcpy(out->canonical, out->name, sizeof out->canonical);
    }
    return status;
}

static STATUS place_remote(const char *server_name, const char *name, ref_dom_place *out)
{
    const ref_dom_server *server = find_server(server_name);

    if (server == NULL) {
        return ERR_SERVER_NOT_FOUND;
    }
    if (name[0] == '/') {
        return ERR_INVALID_NAME;
    }
    STATUS status = place_relative(name, server->directory, out);
    out->remote = true;
    if (status == NOERROR) {
        int length = snprintf(
            out->canonical, MAXPATH, "%s" REF_DOM_SERVER_MARK "%s", server->name, out->name);
        status = length >= 0 && length < MAXPATH ? NOERROR : ERR_INV_FILE_NAME;
    }
    return status;
}

STATUS ref_dom_place_of(const char *path, ref_dom_place *out)
{
    char server[MAXUSERNAME], name[MAXPATH];
    STATUS status = ref_dom_check_runtime();

    *out = (ref_dom_place){0};
    if (status != NOERROR) {
        return status;
    }
    if (path == NULL) {
        return ERR_DIRECTORY;
    }
    status = OSPathNetParse(path, NULL, server, name);
    if (status != NOERROR) {
        return status;
    }
    if (server[0] != '\0') {
        status = place_remote(server, name, out);
    } else if (name[0] == '/') {
        status = place_absolute(name, out);
    } else {
        status = place_relative(name, ref_dom_settings_now()->directory, out);
    }
    if (status == NOERROR && out->directory != NULL && is_reserved(out->name)) {
        status = ERR_INV_FILE_NAME;
    }
    return status;
}

STATUS ref_dom_at(const ref_dom_place *place, STATUS status)
{
    return place->remote && status != NOERROR ? (STATUS)(status | STS_REMOTE) : status;
}
