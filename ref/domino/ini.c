/* notes.ini: finding it, reading it, and what its keys mean. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "internal.h"

#define INI_SIZE_MAX (1u << 20)
#define MINUTE UINT64_C(60000000000)
#define BACKUP_MINUTES_DEFAULT 15u
#define BACKUP_MINUTES_MAX 10000000u
#define SERVER_PREFIX "Hotref_Server_"

/* ---- text ---- */

/* The file's content; malloc'd. ENOENT without words. */
static int read_text(const char *path, char **out)
{
    ref_vfs *vfs = ref_default_vfs();
    ref_file *file;
    ref_stat info;
    size_t done = 0;

    *out = NULL;
    int error = vfs->open(vfs, path, 0, 0, &file);
    if (error != 0) {
        return error == ENOENT ? error : ref_fail(error, "%s: open", path);
    }
    error = vfs->fstat(file, &info);
    if (error == 0 && (info.kind != REF_KIND_FILE || info.size > INI_SIZE_MAX)) {
        error = EINVAL;
    }
    char *text = error == 0 ? malloc((size_t)info.size + 1) : NULL;
    if (error == 0 && text == NULL) {
        error = ENOMEM;
    }
    if (error == 0) {
        error = ref_read_full(file, text, (size_t)info.size, 0, &done);
    }
    (void)vfs->close(file);
    if (error != 0) {
        free(text);
        return ref_fail(error, "%s: read", path);
    }
    text[done] = '\0';
    *out = text;
    return 0;
}

static char *trim(char *text)
{
    static const char blank[] = " \t\r";
    size_t length;

    text += strspn(text, blank);
    length = strlen(text);
    while (length > 0 && strchr(blank, text[length - 1]) != NULL) {
        length--;
    }
    text[length] = '\0';
    return text;
}

/* Calls `take` for each "key=value"; a result other than NOERROR ends it. The text is cut up. */
static STATUS each_key(
    char *text, STATUS (*take)(void *context, const char *key, const char *value), void *context)
{
    STATUS status = NOERROR;
    char *next = text;

    while (status == NOERROR && next != NULL) {
        char *line = next;
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        char *equals = strchr(line, '=');
        if (equals != NULL) {
            *equals = '\0';
            status = take(context, trim(line), trim(equals + 1));
        }
    }
    return status;
}

/* ---- directories ---- */

static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* base/path, or the path itself when it is absolute; malloc'd. */
static char *join(const char *base, const char *path)
{
    char *joined;

    if (path[0] == '/') {
        return strdup(path);
    }
    return asprintf(&joined, "%s/%s", base, path) < 0 ? NULL : joined;
}

/* The directory without links; malloc'd. ERR_BAD_DIRECTORY when it is none or its path too long. */
static STATUS resolve_directory(const char *base, const char *path, char **out)
{
    ref_vfs *vfs = ref_default_vfs();
    char resolved[MAXPATH];
    ref_stat info;
    char *joined = join(base, path);

    *out = NULL;
    if (joined == NULL) {
        return ERR_MEMORY;
    }
    int error = vfs->resolve(vfs, joined, resolved, sizeof resolved);
    free(joined);
    if (error == 0) {
        error = vfs->stat(vfs, resolved, &info);
    }
    if (error != 0 || info.kind != REF_KIND_DIRECTORY) {
        return ERR_BAD_DIRECTORY;
    }
    *out = strdup(resolved);
    return *out == NULL ? ERR_MEMORY : NOERROR;
}

/* ---- keys ---- */

typedef struct ini_keys {
    ref_dom_settings *settings;
    const char *base; /* relative paths are taken from here */
    uint64_t minutes; /* BACKUP_TIMEOUT */
    bool no_timeout;  /* BACKUP_NO_TIMEOUT */
    bool unlimited;   /* not NSF_Backup_Memory_Constrained */
} ini_keys;

/* A number from 1 up to `most`; anything else leaves *out alone. */
static void take_number(const char *value, uint64_t most, uint64_t *out)
{
    char *end;

    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (errno == 0 && end != value && *end == '\0' && value[0] != '-' && number >= 1) {
        *out = number < most ? number : most;
    }
}

static bool is_set(const char *value)
{
    return strcmp(value, "1") == 0;
}

static STATUS add_server(ini_keys *keys, const char *name, const char *directory)
{
    char *resolved;
    STATUS status = resolve_directory(keys->base, directory, &resolved);

    if (status != NOERROR) {
        /* A server that cannot be reached does not keep the program from starting. */
        return status == ERR_MEMORY ? status : NOERROR;
    }
    ref_dom_server *server = calloc(1, sizeof *server);
    char *copy = strdup(name);
    if (server == NULL || copy == NULL) {
        free(server);
        free(copy);
        free(resolved);
        return ERR_MEMORY;
    }
    *server =
        (ref_dom_server){.name = copy, .directory = resolved, .next = keys->settings->servers};
    keys->settings->servers = server;
    return NOERROR;
}

static STATUS take_key(void *context, const char *key, const char *value)
{
    ini_keys *keys = context;
    ref_dom_settings *settings = keys->settings;
    size_t prefix = strlen(SERVER_PREFIX);

    if (strcasecmp(key, "Directory") == 0) {
        if (settings->directory == NULL && value[0] != '\0') {
            return resolve_directory(keys->base, value, &settings->directory);
        }
    } else if (strcasecmp(key, "BACKUP_TIMEOUT") == 0) {
        take_number(value, BACKUP_MINUTES_MAX, &keys->minutes);
    } else if (strcasecmp(key, "BACKUP_NO_TIMEOUT") == 0) {
        keys->no_timeout = is_set(value);
    } else if (strcasecmp(key, "NSF_Backup_Memory_Constrained") == 0) {
        keys->unlimited = !is_set(value);
    } else if (strcasecmp(key, "NSF_Backup_Memory_Limit") == 0) {
        take_number(value, UINT64_MAX, &settings->memory_limit);
    } else if (strcasecmp(key, "TRANSLOG_Status") == 0) {
        settings->logged = is_set(value);
    } else if (strcasecmp(key, "Hotref_Backup_No_Spill") == 0) {
        settings->no_spill = is_set(value);
    } else if (strcasecmp(key, "Hotref_Trace") == 0) {
        settings->trace = is_set(value);
    } else if (strncasecmp(key, SERVER_PREFIX, prefix) == 0 && key[prefix] != '\0') {
        return add_server(keys, key + prefix, value);
    }
    return NOERROR;
}

/* ---- all of it ---- */

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The text of notes.ini and the path that it has, or would have. *text is NULL when there is none. */
static STATUS find_ini(const char *argument, const char *directory, char **path, char **text)
{
    const char *asked = argument != NULL ? argument : environment("NotesINI");

    *text = NULL;
    *path = asked != NULL ? strdup(asked) : join(directory, "notes.ini");
    if (*path == NULL) {
        return ERR_MEMORY;
    }
    int error = read_text(*path, text);
    return error == ENOENT && asked == NULL ? NOERROR : ref_dom_error(error);
}

static STATUS read_keys(const char *path, char *text, ref_dom_settings *out)
{
    char *base = parent_of(path);
    ini_keys keys = {.settings = out, .base = base, .minutes = BACKUP_MINUTES_DEFAULT};
    STATUS status = base == NULL ? ERR_MEMORY : NOERROR;

    if (status == NOERROR && text != NULL) {
        status = each_key(text, take_key, &keys);
    }
    out->backup_timeout = keys.no_timeout ? 0 : keys.minutes * MINUTE;
    if (keys.unlimited) {
        out->memory_limit = UINT64_MAX;
    }
    free(base);
    return status;
}

STATUS ref_dom_settings_read(const char *argument, ref_dom_settings *out)
{
    const char *directory = environment("Notes_DataDirectory");
    char *path, *text;

    *out = (ref_dom_settings){.memory_limit = REF_CAPTURE_MEMORY_DEFAULT, .logged = true};
    if (directory == NULL) {
        directory = ".";
    }
    STATUS status = find_ini(argument, directory, &path, &text);
    if (status == NOERROR) {
        status = read_keys(path, text, out);
    }
    if (status == NOERROR && out->directory == NULL) {
        status = resolve_directory(".", directory, &out->directory);
    }
    free(path);
    free(text);
    if (status != NOERROR) {
        ref_dom_settings_free(out);
    }
    return status;
}

void ref_dom_settings_free(ref_dom_settings *settings)
{
    while (settings->servers != NULL) {
        ref_dom_server *server = settings->servers;

        settings->servers = server->next;
        free(server->name);
        free(server->directory);
        free(server);
    }
    free(settings->directory);
    *settings = (ref_dom_settings){0};
}
