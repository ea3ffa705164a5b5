/* The manifest of a backup. */
#include "manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tree.h"
#include "inspect.h"
#include "home.h"
#include "tool.h"

#define FIRST_LINE "hotref-manifest 1\n"
#define MANIFEST_MAX (1u << 30) /* bytes */
#define BUFFER_SIZE (1u << 20)
#define PATH_MOST 4096

void tool_manifest_free(tool_manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++) {
        free(manifest->files[i].name);
    }
    free(manifest->files);
    *manifest = (tool_manifest){0};
}

bool tool_manifest_leaves_out(const char *name)
{
    const char *slash = strrchr(name, '/');
    uint32_t segment;
    tool_name_kind kind = tool_name_kind_of(slash != NULL ? slash + 1 : name, &segment);
    return kind == TOOL_NAME_LOCK || kind == TOOL_NAME_CONTROL || kind == TOOL_NAME_LABEL;
}

tool_manifest_file *tool_manifest_find(tool_manifest *manifest, const char *name)
{
    size_t low = 0, high = manifest->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, manifest->files[middle].name);
        if (order == 0) {
            return &manifest->files[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* Takes over `name`. */
static void add(tool_manifest *manifest, char *name, uint64_t size, uint32_t crc)
{
    if (manifest->count == manifest->capacity) {
        size_t capacity = manifest->capacity == 0 ? 32 : manifest->capacity * 2;
        tool_manifest_file *grown = tool_zeroed(capacity, sizeof *grown);
        if (manifest->count > 0) {
            memcpy(grown, manifest->files, manifest->count * sizeof *grown);
        }
        free(manifest->files);
        manifest->files = grown;
        manifest->capacity = capacity;
    }
    manifest->files[manifest->count++] =
        (tool_manifest_file){.name = name, .size = size, .crc = crc};
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const tool_manifest_file *)a)->name, ((const tool_manifest_file *)b)->name);
}

static void sort(tool_manifest *manifest)
{
    if (manifest->count > 0) {
        qsort(manifest->files, manifest->count, sizeof *manifest->files, compare);
    }
}

/* ---- measuring ---- */

int tool_manifest_measure(ref_vfs *vfs, const char *path, uint64_t *size, uint32_t *crc)
{
    ref_file *file;
    size_t done = 0;

    *size = 0;
    *crc = 0;
    int error = vfs->open(vfs, path, REF_O_SEQUENTIAL, 0, &file);
    if (error != 0) {
        return ref_fail(error, "%s: open", path);
    }
    uint8_t *buffer = tool_zeroed(BUFFER_SIZE, 1);
    do {
        error = ref_read_full(file, buffer, BUFFER_SIZE, *size, &done);
        *crc = ref_crc32c(*crc, buffer, done);
        *size += done;
    } while (error == 0 && done == BUFFER_SIZE);
    if (error != 0) {
        ref_fail(error, "%s: offset %" PRIu64 ": read", path, *size);
    }
    free(buffer);
    vfs->close(file);
    return error;
}

typedef struct collecting {
    ref_vfs *vfs;
    tool_manifest *manifest;
} collecting;

static int collect(void *context, const char *path, const char *relative, const ref_stat *stat)
{
    collecting *c = context;
    uint64_t size;
    uint32_t crc;

    if (stat->kind != REF_KIND_FILE || tool_manifest_leaves_out(relative)) {
        return 0;
    }
    int error = tool_manifest_measure(c->vfs, path, &size, &crc);
    if (error == 0) {
        add(c->manifest, tool_copy(relative), size, crc);
    }
    return error;
}

int tool_manifest_collect(ref_vfs *vfs, const char *directory, tool_manifest *out)
{
    collecting c = {.vfs = vfs, .manifest = out};
    int error = ref_tree_walk(vfs, directory, false, collect, &c);
    sort(out);
    return error;
}

/* ---- where it may lie ---- */

/* The length of the path's directory part, without the slashes behind it. */
static size_t cut_last(const char *path, size_t length)
{
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    while (length > 0 && path[length - 1] == '/') {
        length--;
    }
    return length;
}

/* The path resolved as far as it is there, and the rest as it is. malloc'd. */
static char *resolve(ref_vfs *vfs, const char *path)
{
    char found[PATH_MOST], *result = NULL;

    for (size_t length = strlen(path); result == NULL; length = cut_last(path, length)) {
        char *upper = length > 0 ? tool_format("%.*s", (int)length, path)
                                 : tool_copy(path[0] == '/' ? "/" : ".");
        if (vfs->resolve(vfs, upper, found, sizeof found) == 0) {
            const char *rest = path + length + strspn(path + length, "/");
            result = tool_join(found, rest);
        } else if (length == 0) {
            result = tool_copy(path);
        }
        free(upper);
    }
    return result;
}

static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? tool_copy(".") : tool_format("%.*s", (int)(slash - path) + 1, path);
}

int tool_manifest_check_path(ref_vfs *vfs, const char *path, const char *directory)
{
    ref_stat stat;
    char *parent = parent_of(path);
    char *within = resolve(vfs, directory), *place = resolve(vfs, parent);
    size_t length = strlen(within);

    int error = vfs->stat(vfs, parent, &stat);
    if (error == 0 && stat.kind != REF_KIND_DIRECTORY) {
        error = ENOTDIR;
    }
    if (error != 0) {
        ref_fail(error, "%s: directory of the manifest", parent);
    } else if (strncmp(place, within, length) == 0 &&
               (place[length] == '/' || place[length] == '\0')) {
        error = ref_fail(EINVAL, "%s: the manifest has to lie outside of the backup", path);
    }
    free(parent);
    free(within);
    free(place);
    return error;
}

/* ---- writing ---- */

static void write_name(FILE *to, const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        bool edge = at == name || at[1] == '\0';
        if (c < 0x20 || c >= 0x7f || c == '\\' || (c == ' ' && edge)) {
            fprintf(to, "\\%02x", c);
        } else {
            fputc(c, to);
        }
    }
    fputc('\n', to);
}

static char *to_text(const tool_manifest *manifest, size_t *size)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, size);
    if (to == NULL) {
        return NULL;
    }
    fprintf(to, FIRST_LINE "log " TOOL_LSN " " TOOL_LSN " %" PRIu64 "\n",
        TOOL_LSN_ARGS(manifest->from), TOOL_LSN_ARGS(manifest->end), manifest->commit);
    for (size_t i = 0; i < manifest->count; i++) {
        const tool_manifest_file *file = &manifest->files[i];
        fprintf(to, "file %" PRIu64 " %08x ", file->size, file->crc);
        write_name(to, file->name);
    }
    if (fflush(to) == 0) {
        fprintf(to, "end %zu %08x\n", manifest->count, ref_crc32c(0, text, *size));
    }
    bool failed = ferror(to) != 0;
    if (fclose(to) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

static int write_file(ref_vfs *vfs, const char *path, const char *text, size_t size)
{
    ref_file *file;
    int error = vfs->open(vfs, path, REF_O_WRITE | REF_O_CREATE | REF_O_TRUNC, 0666, &file);
    if (error != 0) {
        return error;
    }
    error = ref_write_full(file, text, size, 0);
    if (error == 0) {
        error = vfs->fsync(file);
    }
    int close_error = vfs->close(file);
    return error != 0 ? error : close_error;
}

int tool_manifest_write(ref_vfs *vfs, const char *path, const tool_manifest *manifest)
{
    size_t size = 0;
    char *text = to_text(manifest, &size);
    if (text == NULL) {
        return ref_fail(ENOMEM, "%s: manifest", path);
    }
    char *beside = tool_format("%s.tmp", path);
    char *parent = parent_of(path);
    int error = write_file(vfs, beside, text, size);
    if (error == 0) {
        error = vfs->rename(vfs, beside, path, false);
    }
    if (error == 0) {
        error = vfs->fsync_dir(vfs, parent);
    }
    if (error != 0) {
        vfs->unlink(vfs, beside);
        ref_fail(error, "%s: write of the manifest", path);
    }
    free(parent);
    free(beside);
    free(text);
    return error;
}

/* ---- reading ---- */

static int wrong(const char *path, unsigned line, const char *what)
{
    return ref_fail(REF_CORRUPT, "%s: line %u: %s", path, line, what);
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Undoes write_name() in place. */
static bool decode_name(char *name)
{
    char *out = name;
    while (*name != '\0') {
        if (*name != '\\') {
            *out++ = *name++;
            continue;
        }
        int high = hex(name[1]), low = high >= 0 ? hex(name[2]) : -1;
        if (low < 0 || (high | low) == 0) {
            return false;
        }
        *out++ = (char)(high << 4 | low);
        name += 3;
    }
    *out = '\0';
    return true;
}

static bool parse_log(const char *line, tool_manifest *out)
{
    unsigned a, b, c, d;
    int used = 0;
    bool parsed =
        sscanf(line, "log %u/%u %u/%u %" SCNu64 "%n", &a, &b, &c, &d, &out->commit, &used) == 5;
    if (!parsed || line[used] != '\0') {
        return false;
    }
    out->from = (uint64_t)a << 32 | b;
    out->end = (uint64_t)c << 32 | d;
    return true;
}

static bool parse_file(char *line, tool_manifest *out)
{
    uint64_t size;
    uint32_t crc;
    int name = 0;
    if (sscanf(line, "file %" SCNu64 " %" SCNx32 " %n", &size, &crc, &name) != 2 || name == 0 ||
        line[name] == '\0' || !decode_name(line + name)) {
        return false;
    }
    add(out, tool_copy(line + name), size, crc);
    return true;
}

/* `text` is ours to change; it has a NUL behind it. */
static int parse(const char *path, char *text, size_t size, tool_manifest *out)
{
    char *rest = text;
    for (unsigned line = 1; rest < text + size; line++) {
        char *start = rest, *end = memchr(rest, '\n', size - (size_t)(rest - text));
        if (end == NULL) {
            return wrong(path, line, "the manifest is not whole");
        }
        rest = end + 1;
        if (strncmp(start, "end ", 4) == 0) {
            size_t count;
            uint32_t crc, right = ref_crc32c(0, text, (size_t)(start - text));
            if (sscanf(start, "end %zu %" SCNx32, &count, &crc) != 2 || count != out->count ||
                crc != right || rest != text + size) {
                return wrong(path, line, "the manifest was altered: its checksum does not fit");
            }
            return 0;
        }
        /* Lines are taken apart in a copy: the checksum is over them as they are. */
        char *copy = strndup(start, (size_t)(end - start));
        bool right = copy != NULL;
        if (line == 1) {
            right = right && strncmp(start, FIRST_LINE, strlen(FIRST_LINE)) == 0;
        } else if (right) {
            right = line == 2 ? parse_log(copy, out) : parse_file(copy, out);
        }
        free(copy);
        if (!right) {
            return wrong(path, line,
                line == 1 ? "no manifest of version 1 begins like this"
                          : "a line that no manifest has");
        }
    }
    return wrong(path, 1, "the manifest is not whole");
}

int tool_manifest_read(const char *path, tool_manifest *out)
{
    ref_vfs *vfs = ref_default_vfs();
    ref_file *file;
    ref_stat stat;
    size_t done = 0;

    *out = (tool_manifest){0};
    int error = vfs->open(vfs, path, 0, 0, &file);
    if (error != 0) {
        return ref_fail(error, "%s: open", path);
    }
    error = vfs->fstat(file, &stat);
    if (error == 0 && stat.size > MANIFEST_MAX) {
        error = EFBIG;
    }
    char *text = error == 0 ? tool_zeroed((size_t)stat.size, 1) : NULL;
    if (error == 0) {
        error = ref_read_full(file, text, (size_t)stat.size, 0, &done);
    }
    vfs->close(file);
    if (error != 0) {
        ref_fail(error, "%s: read", path);
    } else {
        error = parse(path, text, done, out);
    }
    free(text);
    sort(out);
    return error;
}
