/*
 * Recovery: pages that are written twice.
 *
 * A page that is torn by a power cut while recovery writes it is mended by its whole image in the
 * log, which has one after the redo point. Not so in a copy that was recovered and then updated:
 * its recovery begins where the one before ended, in the middle of the source's log, and the
 * source wrote the image when the page was first changed after its own redo point, perhaps long
 * before. So there a page goes into a file of its own first, is made durable, and then into its
 * place; where it is found torn, the file has it. FORMAT.md has the layout.
 */
#include <errno.h>
#include <stdlib.h>

#include "recover.h"

#define MAGIC "HOTREFPG"
#define VERSION 1u

enum { HEADER = 64, AT_VERSION = 8, AT_ENVIRONMENT = 16, AT_HEADER_CRC = 60 };
enum { ENTRY = 32, AT_PAGE = 16, AT_SIZE = 20, AT_CRC = 28 };

typedef struct place {
    ref_id id;
    uint32_t pgno;
    uint32_t size;
    uint64_t offset; /* of the page's bytes */
} place;

struct rec_double {
    ref_file *file;
    char *path;
    uint64_t end; /* what is whole ends here */
    bool named;   /* its name is durable */
    place *places;
    size_t count, capacity;
};

static int note(rec_double *pages, const place *at)
{
    if (pages->count == pages->capacity) {
        size_t capacity = pages->capacity == 0 ? 64 : pages->capacity * 2;
        place *grown = realloc(pages->places, capacity * sizeof *grown);
        if (grown == NULL) {
            return ref_fail(ENOMEM, "%s", pages->path);
        }
        pages->places = grown;
        pages->capacity = capacity;
    }
    pages->places[pages->count++] = *at;
    return 0;
}

/* ---- opening ---- */

static uint32_t entry_crc(const uint8_t *entry, const uint8_t *page, uint32_t size)
{
    return ref_crc32c(ref_crc32c(0, entry, AT_CRC), page, size);
}

/* Reads the entry at the end of what is whole. *more is false when it is not whole. */
static int read_entry(rec_double *pages, uint8_t *page, bool *more)
{
    uint8_t entry[ENTRY];
    size_t done = 0;
    place at = {.offset = pages->end + ENTRY};

    *more = false;
    int error = ref_read_full(pages->file, entry, sizeof entry, pages->end, &done);
    if (error != 0 || done < sizeof entry) {
        return error;
    }
    memcpy(&at.id, entry, sizeof at.id);
    at.pgno = ref_get32(entry + AT_PAGE);
    at.size = ref_get32(entry + AT_SIZE);
    if (!ref_page_size_valid(at.size)) {
        return 0;
    }
    error = ref_read_full(pages->file, page, at.size, at.offset, &done);
    if (error != 0 || done < at.size ||
        ref_get32(entry + AT_CRC) != entry_crc(entry, page, at.size)) {
        return error;
    }
    *more = true;
    pages->end = at.offset + at.size;
    return note(pages, &at);
}

/* Whether the file begins as one of this environment's. REF_VERSION. */
static int read_header(const recovery *rec, rec_double *pages, bool *ours)
{
    uint8_t header[HEADER];
    size_t done = 0;
    *ours = false;
    int error = ref_read_full(pages->file, header, sizeof header, 0, &done);
    if (error != 0 || done < sizeof header || memcmp(header, MAGIC, 8) != 0 ||
        ref_get32(header + AT_HEADER_CRC) != ref_crc32c(0, header, AT_HEADER_CRC)) {
        return error;
    }
    if (ref_get32(header + AT_VERSION) != VERSION) {
        return ref_fail(REF_VERSION, "%s: offset %d: format version %u, this program reads %u",
            pages->path, AT_VERSION, ref_get32(header + AT_VERSION), VERSION);
    }
    *ours = memcmp(header + AT_ENVIRONMENT, &rec->env->id, sizeof rec->env->id) == 0;
    return 0;
}

/* What an interrupted recovery has left. A tail that is not whole was not yet relied on. */
static int load(const recovery *rec, rec_double *pages)
{
    bool more;
    int error = read_header(rec, pages, &more);
    uint8_t *page = error == 0 && more ? malloc(REF_PAGE_SIZE_MAX) : NULL;
    if (error == 0 && more && page == NULL) {
        error = ENOMEM;
    }
    pages->end = more ? HEADER : 0;
    while (error == 0 && more) {
        error = read_entry(pages, page, &more);
    }
    free(page);
    return error;
}

int rec_double_open(recovery *rec, bool needed)
{
    ref_vfs *vfs = rec->env->vfs;
    rec_double *pages = calloc(1, sizeof *pages);
    rec->twice = pages;
    if (pages == NULL) {
        return ref_fail(ENOMEM, "%s: recovery", rec->env->home);
    }
    pages->path = ref_path_join(rec->env->home, REF_PAGES_NAME);
    if (pages->path == NULL) {
        return ref_fail(ENOMEM, "%s: recovery", rec->env->home);
    }
    int error = needed ? vfs->open(vfs, pages->path, REF_O_WRITE | REF_O_NOFOLLOW, 0, &pages->file)
                       : vfs->unlink(vfs, pages->path);
    if (error == ENOENT) {
        error = 0;
    } else if (error == 0 && needed) {
        error = load(rec, pages);
    }
    pages->named = pages->end > 0;
    rec->writes_twice = needed;
    return error == 0 || error == REF_VERSION ? error : ref_fail(error, "%s", pages->path);
}

/* ---- reading ---- */

int rec_double_read(
    const recovery *rec, const rec_file *file, uint32_t pgno, uint8_t *data, bool *found)
{
    const rec_double *pages = rec->twice;
    size_t done = 0;
    *found = false;
    for (size_t i = pages->count; i-- > 0 && !*found;) {
        const place *at = &pages->places[i];
        if (at->pgno == pgno && at->size == file->page_size && ref_id_equal(&at->id, &file->id)) {
            int error = ref_read_full(pages->file, data, at->size, at->offset, &done);
            if (error != 0) {
                return ref_fail(
                    error, "%s: offset %llu", pages->path, (unsigned long long)at->offset);
            }
            *found = done == at->size && ref_page_check(data, at->size, pgno) == REF_PAGE_SOUND;
        }
    }
    return 0;
}

/* ---- writing ---- */

static int begin(const recovery *rec, rec_double *pages)
{
    ref_vfs *vfs = rec->env->vfs;
    uint8_t header[HEADER] = MAGIC;
    int error = 0;
    if (pages->file == NULL) {
        error = vfs->open(vfs, pages->path, REF_O_WRITE | REF_O_CREATE | REF_O_NOFOLLOW,
            rec->env->file_mode, &pages->file);
    }
    ref_put32(header + AT_VERSION, VERSION);
    memcpy(header + AT_ENVIRONMENT, &rec->env->id, sizeof rec->env->id);
    ref_put32(header + AT_HEADER_CRC, ref_crc32c(0, header, AT_HEADER_CRC));
    if (error == 0) {
        error = ref_write_full(pages->file, header, sizeof header, 0);
    }
    pages->end = error == 0 ? HEADER : 0;
    return error;
}

int rec_double_add(recovery *rec, const rec_file *file, uint32_t pgno, const uint8_t *page)
{
    rec_double *pages = rec->twice;
    uint32_t size = file->page_size;
    uint8_t entry[ENTRY] = {0};
    int error = pages->end == 0 ? begin(rec, pages) : 0;

    memcpy(entry, &file->id, sizeof file->id);
    ref_put32(entry + AT_PAGE, pgno);
    ref_put32(entry + AT_SIZE, size);
    ref_put32(entry + AT_CRC, entry_crc(entry, page, size));
    if (error == 0) {
        error = ref_write_full(pages->file, entry, sizeof entry, pages->end);
    }
    if (error == 0) {
        error = ref_write_full(pages->file, page, size, pages->end + ENTRY);
    }
    pages->end += error == 0 ? ENTRY + size : 0;
    return error == 0 ? 0 : ref_fail(error, "%s: write", pages->path);
}

int rec_double_sync(recovery *rec)
{
    rec_double *pages = rec->twice;
    if (pages->file == NULL || pages->end == 0) {
        return 0;
    }
    int error = rec->env->vfs->fsync(pages->file);
    if (error == 0 && !pages->named) {
        error = rec->env->vfs->fsync_dir(rec->env->vfs, rec->env->home);
        pages->named = error == 0;
    }
    return error == 0 ? 0 : ref_fail(error, "%s: sync", pages->path);
}

/* ---- the end ---- */

int rec_double_remove(recovery *rec)
{
    rec_double *pages = rec->twice;
    if (pages->file == NULL) {
        return 0;
    }
    int error = rec->env->vfs->unlink(rec->env->vfs, pages->path);
    return error == 0 || error == ENOENT ? 0 : ref_fail(error, "%s: remove", pages->path);
}

void rec_double_free(recovery *rec)
{
    rec_double *pages = rec->twice;
    if (pages == NULL) {
        return;
    }
    if (pages->file != NULL) {
        rec->env->vfs->close(pages->file);
    }
    free(pages->places);
    free(pages->path);
    free(pages);
    rec->twice = NULL;
}
