/* Where an environment's parts lie. */
#include "home.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_MAX (1u << 20) /* bytes */

char *tool_join(const char *a, const char *b)
{
    if (a[0] == '\0' || b[0] == '/') {
        return tool_copy(b);
    }
    return b[0] == '\0' ? tool_copy(a) : tool_format("%s/%s", a, b);
}

void tool_home_free(tool_home *home)
{
    ref_names_free(&home->data_dirs);
    free(home->create_dir);
    free(home->log_dir);
    *home = (tool_home){0};
}

void tool_home_add_data_dir(tool_home *home, const char *dir)
{
    for (size_t i = 0; i < home->data_dirs.count; i++) {
        if (strcmp(home->data_dirs.names[i], dir) == 0) {
            return;
        }
    }
    if (ref_names_add(&home->data_dirs, dir) != 0) {
        tool_error("out of memory");
        exit(TOOL_FAILED);
    }
}

void tool_home_set_log_dir(tool_home *home, const char *dir)
{
    free(home->log_dir);
    home->log_dir = tool_copy(dir);
}

char *tool_home_dir(const tool_home *home, const char *dir)
{
    return tool_join(home->path, dir);
}

char *tool_home_log(const tool_home *home)
{
    return tool_home_dir(home, home->log_dir != NULL ? home->log_dir : "");
}

void tool_home_options(const tool_home *home, ref_env_options *options)
{
    options->home = home->path;
    options->data_dirs = (const char *const *)home->data_dirs.names;
    options->data_dir_count = home->data_dirs.count;
    options->create_dir = home->create_dir;
    options->log_dir = home->log_dir;
    options->segment_size = home->segment_size;
    options->cache_size = home->cache_size;
}

/* ---- DB_CONFIG ---- */

static bool numbers(const char *text, uint64_t *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *end;
        text += strspn(text, " \t");
        if (!isdigit((unsigned char)*text)) {
            return false;
        }
        errno = 0;
        out[i] = strtoull(text, &end, 0);
        if (errno != 0 || out[i] > UINT32_MAX) {
            return false;
        }
        text = end;
    }
    return *text == '\0';
}

/* False when the value does not fit the parameter. */
static bool apply(tool_home *home, const char *name, const char *value)
{
    uint64_t n[3];

    if (strcmp(name, "add_data_dir") == 0 || strcmp(name, "set_data_dir") == 0) {
        tool_home_add_data_dir(home, value);
        home->configured = true;
    } else if (strcmp(name, "set_create_dir") == 0) {
        free(home->create_dir);
        home->create_dir = tool_copy(value);
    } else if (strcmp(name, "set_lg_dir") == 0) {
        tool_home_set_log_dir(home, value);
        home->configured = true;
    } else if (strcmp(name, "set_lg_max") == 0) {
        if (!numbers(value, n, 1)) {
            return false;
        }
        home->segment_size = (uint32_t)n[0];
    } else if (strcmp(name, "set_cachesize") == 0) {
        if (!numbers(value, n, 3)) {
            return false;
        }
        home->cache_size = (n[0] << 30) + n[1];
    }
    return true;
}

static int read_line(tool_home *home, const char *path, unsigned line, char *text)
{
    size_t size = strlen(text);

    if (size == 0 || text[0] == '#' || isspace((unsigned char)text[0])) {
        return 0;
    }
    while (isspace((unsigned char)text[size - 1])) {
        text[--size] = '\0';
    }
    size_t name = strcspn(text, " \t");
    const char *value = text + name + strspn(text + name, " \t");
    if (*value == '\0') {
        return ref_fail(
            REF_CORRUPT, "%s: line %u: \"%s\": a name and a value are expected", path, line, text);
    }
    text[name] = '\0';
    return apply(home, text, value)
               ? 0
               : ref_fail(REF_CORRUPT, "%s: line %u: %s \"%s\": this value does not fit", path,
                     line, text, value);
}

/* *text: the file with a NUL behind it, malloc'd; NULL when there is none. */
static int read_file(ref_vfs *vfs, const char *path, char **text)
{
    ref_file *file;
    ref_stat stat;
    size_t done = 0;

    *text = NULL;
    int error = vfs->open(vfs, path, 0, 0, &file);
    if (error != 0) {
        return error == ENOENT || error == ENOTDIR ? 0 : ref_fail(error, "%s: open", path);
    }
    error = vfs->fstat(file, &stat);
    if (error == 0 && stat.size > CONFIG_MAX) {
        error = EFBIG;
    }
    char *bytes = error == 0 ? tool_zeroed((size_t)stat.size, 1) : NULL;
    if (error == 0) {
        error = ref_read_full(file, bytes, (size_t)stat.size, 0, &done);
    }
    vfs->close(file);
    if (error != 0) {
        free(bytes);
        return ref_fail(error, "%s: read", path);
    }
    *text = bytes;
    return 0;
}

int tool_home_read(ref_vfs *vfs, const char *path, tool_home *out)
{
    char *text, *config = tool_join(path, "DB_CONFIG");

    *out = (tool_home){.path = path};
    int error = read_file(vfs, config, &text);
    char *rest = text;
    for (unsigned line = 1; error == 0 && rest != NULL; line++) {
        error = read_line(out, config, line, strsep(&rest, "\n"));
    }
    free(text);
    free(config);
    if (error != 0) {
        tool_home_free(out);
    }
    return error;
}
