/*
 * Recovery: redo of page changes.
 *
 * A page that cannot be trusted as it lies in the file (bad checksum, all zero, beyond the end) is
 * unknown: changes to it are passed over until a whole image makes it known. The log has one after
 * the redo point for every page that a checkpoint or a copy can have torn (where it has not, pages
 * are written twice: recover_double.c); a page still unknown at the end is damage that the log
 * cannot mend.
 */
#include <errno.h>
#include <stdlib.h>

#include "recover.h"

struct rec_page {
    rec_file *file;
    uint32_t pgno;
    bool known;
    bool dirty;
    ref_page_health health; /* as read, when unknown */
    rec_page *chain;
    uint8_t data[];
};

static size_t bucket_of(const recovery *rec, const rec_file *file, uint32_t pgno)
{
    uint64_t key = (ref_get64(file->id.bytes) + pgno) * 0x9e3779b97f4a7c15u;
    return (size_t)(key >> 32) & (rec->bucket_count - 1);
}

static int make_room(recovery *rec)
{
    if (rec->page_count < rec->bucket_count) {
        return 0;
    }
    size_t count = rec->bucket_count == 0 ? 1024 : rec->bucket_count * 4, old = rec->bucket_count;
    rec_page **buckets = calloc(count, sizeof *buckets), **from = rec->buckets;
    if (buckets == NULL) {
        return ref_fail(ENOMEM, "recovery");
    }
    rec->buckets = buckets;
    rec->bucket_count = count;
    for (size_t i = 0; i < old; i++) {
        while (from[i] != NULL) {
            rec_page *page = from[i];
            from[i] = page->chain;
            size_t bucket = bucket_of(rec, page->file, page->pgno);
            page->chain = buckets[bucket];
            buckets[bucket] = page;
        }
    }
    free(from);
    return 0;
}

/* A page of a later time than the log: the log that it needs is not here. */
static int refuse_future(
    const recovery *rec, const rec_file *file, uint32_t pgno, const uint8_t *data)
{
    uint64_t lsn = ref_page_lsn(data), end = rec->scan.end;
    if (lsn < end) {
        return 0;
    }
    return ref_fail(REF_CORRUPT,
        "%s: page %u: its log sequence number %u/%u lies beyond the log's end %u/%u", file->path,
        pgno, REF_LSN_SEGMENT(lsn), REF_LSN_OFFSET(lsn), REF_LSN_SEGMENT(end), REF_LSN_OFFSET(end));
}

/* Reads a page into `data`. One that is not all there is not sound, even where only zeros are
 * missing. */
static int read_from_file(
    const rec_file *file, uint32_t pgno, uint8_t *data, ref_page_health *health)
{
    uint32_t size = file->page_size;
    size_t done = 0;
    int error = ref_read_full(file->handle, data, size, (uint64_t)pgno * size, &done);
    if (error != 0) {
        return ref_fail(error, "%s: page %u: read", file->path, pgno);
    }
    memset(data + done, 0, size - done);
    *health = ref_page_check(data, size, pgno);
    if (done < size && *health == REF_PAGE_SOUND) {
        *health = REF_PAGE_BAD_CRC;
    }
    return 0;
}

static int read_page(recovery *rec, rec_page *page)
{
    int error = read_from_file(page->file, page->pgno, page->data, &page->health);
    page->known = error == 0 && page->health == REF_PAGE_SOUND;
    if (error == 0 && !page->known && rec->writes_twice) {
        error = rec_double_read(rec, page->file, page->pgno, page->data, &page->known);
        page->dirty = page->known;
    }
    return page->known ? refuse_future(rec, page->file, page->pgno, page->data) : error;
}

static rec_page *find_page(const recovery *rec, const rec_file *file, uint32_t pgno)
{
    rec_page *page = rec->bucket_count > 0 ? rec->buckets[bucket_of(rec, file, pgno)] : NULL;
    while (page != NULL && (page->file != file || page->pgno != pgno)) {
        page = page->chain;
    }
    return page;
}

static int get_page(recovery *rec, rec_file *file, uint32_t pgno, rec_page **out)
{
    int error = make_room(rec);
    if (error != 0) {
        return error;
    }
    *out = find_page(rec, file, pgno);
    if (*out != NULL) {
        return 0;
    }
    error = rec_file_open(rec, file);
    if (error != 0) {
        return error;
    }
    rec_page *page = calloc(1, sizeof *page + file->page_size);
    if (page == NULL) {
        return ref_fail(ENOMEM, "%s: page %u", file->path, pgno);
    }
    page->file = file;
    page->pgno = pgno;
    error = read_page(rec, page);
    if (error != 0) {
        free(page);
        return error;
    }
    size_t bucket = bucket_of(rec, file, pgno);
    page->chain = rec->buckets[bucket];
    rec->buckets[bucket] = page;
    rec->page_count++;
    rec->page_bytes += file->page_size;
    *out = page;
    return 0;
}

/* Page 0 says whose the file is, and who opens it believes that. */
static int check_meta(const rec_file *file, const uint8_t *page)
{
    ref_meta meta;
    int error = ref_meta_read(page, file->page_size, file->path, &meta);
    if (error == ENOENT ||
        (error == 0 && (!ref_id_equal(&meta.id, &file->id) || meta.page_size != file->page_size))) {
        error = ref_fail(
            REF_CORRUPT, "%s: page 0: what the log makes of it is not this database's", file->path);
    }
    return error;
}

static void seal(rec_page *page)
{
    ref_page_seal(page->data, page->file->page_size);
    if (page->pgno == 0) {
        memcpy(page->data + REF_META_AT_SLOT, page->file->slot, REF_META_SLOT_SIZE);
    }
}

static int write_page(rec_page *page)
{
    uint32_t size = page->file->page_size;
    int bad = page->pgno == 0 ? check_meta(page->file, page->data) : 0;
    if (bad != 0) {
        return bad;
    }
    seal(page);
    int error = ref_write_full(page->file->handle, page->data, size, (uint64_t)page->pgno * size);
    page->dirty = false;
    return error == 0 ? 0 : ref_fail(error, "%s: page %u: write", page->file->path, page->pgno);
}

/* The first of the two writes, of all pages that spill() will put into their places. */
static int write_aside(recovery *rec)
{
    for (size_t i = 0; i < rec->bucket_count; i++) {
        for (rec_page *page = rec->buckets[i]; page != NULL; page = page->chain) {
            if (!page->known || !page->dirty) {
                continue;
            }
            seal(page);
            int error = rec_double_add(rec, page->file, page->pgno, page->data);
            if (error != 0) {
                return error;
            }
        }
    }
    return rec_double_sync(rec);
}

/* Writes known pages and forgets them; unknown ones stay. */
static int spill(recovery *rec)
{
    int aside = rec->writes_twice ? write_aside(rec) : 0;
    if (aside != 0) {
        return aside;
    }
    for (size_t i = 0; i < rec->bucket_count; i++) {
        rec_page **at = &rec->buckets[i];
        while (*at != NULL) {
            rec_page *page = *at;
            if (!page->known) {
                at = &page->chain;
                continue;
            }
            int error = page->dirty ? write_page(page) : 0;
            if (error != 0) {
                return error;
            }
            *at = page->chain;
            rec->page_count--;
            rec->page_bytes -= page->file->page_size;
            free(page);
        }
    }
    return 0;
}

static int damaged_record(const ref_record *record, const char *why)
{
    return ref_fail(REF_CORRUPT, "log.%010u: offset %u: %s", REF_LSN_SEGMENT(record->lsn),
        REF_LSN_OFFSET(record->lsn), why);
}

static int redo_page(const ref_record *record, const ref_page_record *said, rec_page *page)
{
    if (!page->known && !said->full) {
        return 0;
    }
    uint64_t lsn = page->known ? ref_page_lsn(page->data) : 0;
    if (page->known && lsn >= record->lsn) {
        return 0;
    }
    if (!said->full && lsn != said->previous) {
        return ref_fail(REF_CORRUPT,
            "%s: page %u: the change at log %u/%u follows the one at %u/%u, but the page is at "
            "%u/%u",
            page->file->path, page->pgno, REF_LSN_SEGMENT(record->lsn), REF_LSN_OFFSET(record->lsn),
            REF_LSN_SEGMENT(said->previous), REF_LSN_OFFSET(said->previous), REF_LSN_SEGMENT(lsn),
            REF_LSN_OFFSET(lsn));
    }
    if (!ref_record_page_apply(record, page->data, page->file->page_size)) {
        return damaged_record(record, "a page change that does not fit its page");
    }
    page->known = page->dirty = true;
    return 0;
}

int rec_pages_redo(void *context, const ref_record *record)
{
    recovery *rec = context;
    ref_page_record said;
    rec_page *page = NULL;

    if (record->type != REF_RECORD_PAGE || record->lsn < rec->redo) {
        return 0;
    }
    if (!ref_record_page(record, &said)) {
        return damaged_record(record, "a page record that does not parse");
    }
    rec_file *file = rec_files_find(rec, &said.file);
    if (file == NULL) {
        return damaged_record(record, "a change to an unknown file");
    }
    if (file->removed != 0) {
        return 0;
    }
    int error = get_page(rec, file, said.pgno, &page);
    if (error == 0) {
        error = redo_page(record, &said, page);
    }
    if (error == 0 && rec->page_bytes > rec->env->cache.limit) {
        error = spill(rec);
    }
    return error;
}

/* The pages that a file has in the end; 0 when its page 0 does not say. */
static uint32_t count_of(const recovery *rec, rec_file *file)
{
    uint32_t count = 0;
    ref_page_health health;
    rec_page *meta = find_page(rec, file, 0);
    if (meta != NULL) {
        return meta->known ? ref_get32(meta->data + REF_META_AT_COUNT) : 0;
    }
    uint8_t *data = malloc(file->page_size);
    if (data != NULL && read_from_file(file, 0, data, &health) == 0 && health == REF_PAGE_SOUND) {
        count = ref_get32(data + REF_META_AT_COUNT);
    }
    free(data);
    return count;
}

/* Behind the end: compaction has cut it off since, and its last image may have gone with the log. */
static bool is_cut_off(const recovery *rec, const rec_page *page)
{
    uint32_t count = count_of(rec, page->file);
    return count != 0 && page->pgno >= count;
}

static int refuse_unknown(recovery *rec)
{
    for (size_t i = 0; i < rec->bucket_count; i++) {
        for (rec_page *page = rec->buckets[i]; page != NULL; page = page->chain) {
            if (!page->known && !is_cut_off(rec, page)) {
                return ref_fail(REF_CORRUPT,
                    "%s: page %u: offset %llu: %s, and the log has no whole image of it",
                    page->file->path, page->pgno,
                    (unsigned long long)page->pgno * page->file->page_size,
                    ref_page_health_text(page->health));
            }
        }
    }
    return 0;
}

/* Looks at every page that the file says it has. */
static int check_file(recovery *rec, rec_file *file, uint8_t *data)
{
    ref_page_health health;
    uint32_t count = 1;
    int error = 0;

    for (uint32_t pgno = 0; pgno < count && error == 0; pgno++) {
        error = read_from_file(file, pgno, data, &health);
        if (error == 0 && health != REF_PAGE_SOUND) {
            error = ref_fail(REF_CORRUPT, "%s: page %u: offset %llu: %s", file->path, pgno,
                (unsigned long long)pgno * file->page_size, ref_page_health_text(health));
        }
        if (error == 0) {
            error = refuse_future(rec, file, pgno, data);
        }
        if (error == 0 && pgno == 0) {
            count = ref_get32(data + REF_META_AT_COUNT);
        }
    }
    return error;
}

/* A copy is trusted as a whole from here on, so it is looked at as a whole: the pages too for
 * which the log had nothing. */
static int check_copy(recovery *rec)
{
    uint8_t *data = malloc(REF_PAGE_SIZE_MAX);
    int error = data == NULL ? ref_fail(ENOMEM, "recovery") : 0;

    for (rec_file *file = rec->files; file != NULL && error == 0; file = file->next) {
        if (file->removed != 0 || file->path == NULL) {
            continue;
        }
        error = rec_file_open(rec, file);
        if (error == 0) {
            error = check_file(rec, file, data);
        }
    }
    free(data);
    return error;
}

/* A database that the log creates has its page 0 from there, or from whoever wrote it before. */
static int check_created(const rec_file *file)
{
    uint8_t *data = malloc(file->page_size);
    ref_page_health health;
    if (data == NULL) {
        return ref_fail(ENOMEM, "%s", file->path);
    }
    int error = read_from_file(file, 0, data, &health);
    if (error == 0 && health != REF_PAGE_SOUND) {
        error = ref_fail(REF_CORRUPT, "%s: page 0: offset 0: %s, and the log has no image of it",
            file->path, ref_page_health_text(health));
    }
    if (error == 0) {
        error = check_meta(file, data);
    }
    free(data);
    return error;
}

int rec_pages_finish(recovery *rec)
{
    int error = refuse_unknown(rec);
    if (error == 0) {
        error = spill(rec);
    }
    if (error == 0 && rec->fatal) {
        error = check_copy(rec);
    }
    for (rec_file *file = rec->files; file != NULL && error == 0; file = file->next) {
        if (file->handle != NULL && file->created && file->removed == 0) {
            error = check_created(file);
        }
        if (file->handle != NULL && error == 0) {
            error = rec->env->vfs->fsync(file->handle);
            if (error != 0) {
                ref_fail(error, "%s: sync", file->path);
            }
        }
    }
    return error;
}

void rec_pages_free(recovery *rec)
{
    for (size_t i = 0; i < rec->bucket_count; i++) {
        while (rec->buckets[i] != NULL) {
            rec_page *page = rec->buckets[i];
            rec->buckets[i] = page->chain;
            free(page);
        }
    }
    free(rec->buckets);
}
