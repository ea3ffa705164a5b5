/*
 * hotref verify: pages.
 *
 * First every page of every database is read and checked. Then the log is replayed on what is
 * known of the pages alone: which change each is at, or that it cannot be trusted. That says
 * what recovery would say, page by page, and nothing is written.
 *
 * In an environment after a crash, torn pages are as they should be if the log has whole images
 * of them. In a backup they are a finding even then, up to the number of pages that page 0
 * states: backup checks what it copies, and takes a torn page only where a crash of the source
 * has left one. Where the log mends it, the finding says so.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"
#include "verify.h"

#define BATCH (1u << 20)     /* bytes */
#define REREADS 6            /* of a page that may be being written; the first after a */
#define REREAD_WAIT 1000000u /* millisecond, each further after twice the time */
#define FINDINGS_PER_FILE 16u

/* What is known of a page: its LSN + 1, or one of these. */
#define PAGE_NEVER 0u                           /* all zero, or not in the file */
#define PAGE_BAD (UINT64_MAX - 1)               /* in the list of bad ones */
#define PAGE_NEVER_BUT_CHANGED (UINT64_MAX - 2) /* the log has a change of it, but no image */
#define PAGE_KNOWN(code) ((code) != PAGE_NEVER && (code) < PAGE_NEVER_BUT_CHANGED)

/* ---- reading ---- */

typedef struct open_check {
    tool_verification *v;
    tool_check *c;
    ref_file *file;
    uint8_t *buffer;
    uint64_t size;
    uint32_t page_size;
} open_check;

static void add_bad(tool_check *c, uint64_t pgno, ref_page_health health)
{
    if (c->bad_count == c->bad_capacity) {
        size_t capacity = c->bad_capacity == 0 ? 16 : c->bad_capacity * 2;
        tool_bad_page *grown = tool_zeroed(capacity, sizeof *grown);
        if (c->bad_count > 0) {
            memcpy(grown, c->bad, c->bad_count * sizeof *grown);
        }
        free(c->bad);
        c->bad = grown;
        c->bad_capacity = capacity;
    }
    c->bad[c->bad_count++] = (tool_bad_page){.pgno = (uint32_t)pgno, .health = health};
}

/* How the page is; in an environment it may be being written, and is read again. */
static ref_page_health judge_page(open_check *o, uint64_t pgno, uint8_t *page)
{
    ref_vfs *vfs = o->v->vfs;
    ref_page_health health = ref_page_check(page, o->page_size, (uint32_t)pgno);
    for (unsigned i = 0; health == REF_PAGE_BAD_CRC && !o->v->backup && i < REREADS; i++) {
        size_t done = 0;
        vfs->sleep(vfs, (uint64_t)REREAD_WAIT << i);
        if (ref_read_full(o->file, page, o->page_size, pgno * o->page_size, &done) != 0 ||
            done < o->page_size) {
            break;
        }
        health = ref_page_check(page, o->page_size, (uint32_t)pgno);
    }
    return health;
}

static void note_page(open_check *o, uint64_t pgno, uint8_t *page)
{
    tool_verification *v = o->v;
    tool_check *c = o->c;
    ref_page_health health = judge_page(o, pgno, page);

    if (health != REF_PAGE_SOUND) {
        if (health == REF_PAGE_ZERO && pgno >= c->stated) {
            return; /* room that the file system had given, or that a commit has not filled yet */
        }
        c->pages[pgno] = PAGE_BAD;
        add_bad(c, pgno, health);
        return;
    }
    uint64_t lsn = ref_page_lsn(page);
    c->pages[pgno] = lsn + 1;
    v->pages++;
    if (v->whole && lsn >= v->log.end) {
        tool_finding(v,
            "%s: page %" PRIu64 ": offset %" PRIu64 ": its log sequence number " TOOL_LSN
            " lies beyond the log's end " TOOL_LSN,
            c->path, pgno, pgno * o->page_size, TOOL_LSN_ARGS(lsn), TOOL_LSN_ARGS(v->log.end));
    }
}

/* The slot is outside of the page's checksum and ends with its own. */
static bool slot_is_sound(const uint8_t *page)
{
    const uint8_t *slot = page + REF_META_AT_SLOT;
    const uint32_t at_crc = REF_META_SLOT_SIZE - 4;
    static const uint8_t unused[REF_META_SLOT_SIZE];
    return memcmp(slot, unused, sizeof unused) == 0 ||
           ref_get32(slot + at_crc) == ref_crc32c(0, slot, at_crc);
}

/* Reads what page 0 says. */
static void check_head(open_check *o)
{
    tool_verification *v = o->v;
    tool_check *c = o->c;
    ref_meta meta;
    size_t done = 0;

    c->stated = c->in_file;
    if (c->in_file == 0 || ref_read_full(o->file, o->buffer, o->page_size, 0, &done) != 0 ||
        done < o->page_size || judge_page(o, 0, o->buffer) != REF_PAGE_SOUND) {
        return;
    }
    int error = ref_meta_read(o->buffer, o->page_size, c->path, &meta);
    if (error != 0) {
        tool_finding_words(v, error);
        return;
    }
    c->stated = meta.page_count;
    if (meta.page_size != o->page_size) {
        tool_finding(v, "%s: page 0: offset %d: page size %u, the log says %u", c->path,
            REF_META_AT_PAGESIZE, meta.page_size, o->page_size);
    }
    if (!ref_id_equal(&meta.log_id, &v->log.environment)) {
        tool_finding(v, "%s: page 0: offset %d: it follows the log of another environment, or none",
            c->path, REF_META_AT_LOG_ID);
    }
    if (!slot_is_sound(o->buffer)) {
        tool_finding(v, "%s: page 0: offset %d: bad checksum of the capture slot", c->path,
            REF_META_AT_SLOT);
    }
}

static void check_length(open_check *o)
{
    tool_verification *v = o->v;
    tool_check *c = o->c;
    uint64_t rest = o->size % o->page_size;

    if (c->in_file >= c->stated && rest != 0 && v->backup) {
        tool_finding(v, "%s: offset %" PRIu64 ": ends in the middle of page %" PRIu64, c->path,
            c->in_file * o->page_size, c->in_file);
    }
    /* After a crash the log has to have what is not there. */
    for (uint64_t pgno = c->in_file; pgno < c->stated && !v->backup; pgno++) {
        c->pages[pgno] = PAGE_NEVER_BUT_CHANGED;
    }
}

static int read_pages(open_check *o)
{
    uint64_t in_batch = BATCH / o->page_size;
    for (uint64_t pgno = 0; pgno < o->c->in_file; pgno += in_batch) {
        uint64_t left = o->c->in_file - pgno, pages = left < in_batch ? left : in_batch;
        uint64_t offset = pgno * o->page_size;
        size_t done = 0, size = (size_t)(pages * o->page_size);
        int error = ref_read_full(o->file, o->buffer, size, offset, &done);
        if (error != 0) {
            return ref_fail(error, "%s: offset %" PRIu64 ": read", o->c->path, offset);
        }
        memset(o->buffer + done, 0, size - done);
        for (uint64_t i = 0; i < pages; i++) {
            note_page(o, pgno + i, o->buffer + i * o->page_size);
        }
    }
    return 0;
}

static int check_file(tool_verification *v, tool_check *c)
{
    open_check o = {.v = v, .c = c, .page_size = c->database->page_size};
    ref_stat stat;
    int error = v->vfs->open(v->vfs, c->path, REF_O_SEQUENTIAL, 0, &o.file);
    if (error != 0) {
        return ref_fail(error, "%s: open", c->path);
    }
    error = v->vfs->fstat(o.file, &stat);
    if (error == 0) {
        o.buffer = tool_zeroed(BATCH, 1);
        o.size = stat.size;
        c->in_file = stat.size / o.page_size;
        check_head(&o);
        c->count = c->in_file > c->stated ? c->in_file : c->stated;
        c->pages = tool_zeroed((size_t)c->count, sizeof *c->pages);
        check_length(&o);
        error = read_pages(&o);
        free(o.buffer);
    } else {
        ref_fail(error, "%s", c->path);
    }
    v->vfs->close(o.file);
    return error;
}

void tool_verify_pages(tool_verification *v)
{
    for (size_t i = 0; i < v->databases.count; i++) {
        tool_check *c = &v->checks[i];
        if (c->path != NULL && !c->database->removed) {
            int error = check_file(v, c);
            if (error != 0) {
                tool_finding_words(v, error);
            }
        }
    }
}

/* ---- replay ---- */

/* Room for the page; pages on the way to it were never written. */
static void grow(tool_check *c, uint64_t pgno)
{
    if (pgno < c->count) {
        return;
    }
    uint64_t count = c->count + c->count / 2 > pgno + 1 ? c->count + c->count / 2 : pgno + 1;
    uint64_t *pages = tool_zeroed((size_t)count, sizeof *pages);
    if (c->count > 0) {
        memcpy(pages, c->pages, (size_t)c->count * sizeof *pages);
    }
    free(c->pages);
    c->pages = pages;
    c->count = count;
}

static void replay_page(
    tool_verification *v, tool_check *c, const ref_record *record, const ref_page_record *said)
{
    grow(c, said->pgno);
    uint64_t code = c->pages[said->pgno];
    bool known = PAGE_KNOWN(code);
    uint64_t lsn = known ? code - 1 : 0;

    if (!known && !said->full) {
        c->pages[said->pgno] = code == PAGE_NEVER ? PAGE_NEVER_BUT_CHANGED : code;
        return;
    }
    if (known && lsn >= record->lsn) {
        return;
    }
    if (!said->full && lsn != said->previous) {
        tool_finding(v,
            "%s: page %u: the change at log " TOOL_LSN " follows the one at " TOOL_LSN
            ", but the page is at " TOOL_LSN,
            c->path != NULL ? c->path : c->database->names.names[0], said->pgno,
            TOOL_LSN_ARGS(record->lsn), TOOL_LSN_ARGS(said->previous), TOOL_LSN_ARGS(lsn));
    }
    c->pages[said->pgno] = record->lsn + 1;
    v->applied++;
}

static int replay_record(void *context, const ref_record *record)
{
    tool_verification *v = context;
    ref_page_record said;

    if (record->type != REF_RECORD_PAGE || record->lsn < v->start) {
        return 0;
    }
    tool_database *database =
        ref_record_page(record, &said) ? tool_databases_find(&v->databases, &said.file) : NULL;
    if (database == NULL) {
        return ref_fail(REF_CORRUPT, "log.%010u: offset %u: a change to an unknown file",
            TOOL_LSN_ARGS(record->lsn));
    }
    tool_check *c = &v->checks[database->index];
    if (!database->removed && (c->path != NULL || database->created != 0)) {
        replay_page(v, c, record, &said);
    }
    return 0;
}

/* ---- what remains ---- */

#define MENDED "; the log has a whole image of it, so recovery would mend it"

static void tell_page(tool_verification *v, const tool_check *c, uint64_t pgno, const char *how,
    bool mended, uint64_t *told)
{
    const char *file = c->path != NULL ? c->path : c->database->names.names[0];
    uint64_t offset = pgno * c->database->page_size;

    if (++*told > FINDINGS_PER_FILE) {
        v->findings += !mended || v->backup;
    } else if (mended && (!v->backup || pgno >= c->stated)) {
        tool_note(
            v, "%s: page %" PRIu64 ": offset %" PRIu64 ": %s" MENDED, file, pgno, offset, how);
    } else {
        tool_finding(v, "%s: page %" PRIu64 ": offset %" PRIu64 ": %s%s", file, pgno, offset, how,
            mended ? MENDED : "");
    }
}

/* A backup's file that ends before the pages that it states. */
static void tell_short(tool_verification *v, const tool_check *c)
{
    bool mended = v->whole;
    if (!v->backup || c->path == NULL || c->in_file >= c->stated) {
        return;
    }
    for (uint64_t pgno = c->in_file; pgno < c->stated; pgno++) {
        mended = mended && PAGE_KNOWN(c->pages[pgno]);
    }
    tool_finding(v,
        "%s: short: page 0 says that there are %" PRIu64 " pages of %u bytes; missing from page "
        "%" PRIu64 ", offset %" PRIu64 "%s",
        c->path, c->stated, c->database->page_size, c->in_file, c->in_file * c->database->page_size,
        mended ? "; the log has whole images of them, so recovery would mend it" : "");
}

static void tell_pages(tool_verification *v, const tool_check *c)
{
    uint64_t told = 0;
    tell_short(v, c);
    for (size_t i = 0; i < c->bad_count; i++) {
        const tool_bad_page *bad = &c->bad[i];
        tell_page(v, c, bad->pgno, ref_page_health_text(bad->health),
            v->whole && PAGE_KNOWN(c->pages[bad->pgno]), &told);
    }
    for (uint64_t pgno = 0; v->whole && pgno < c->count; pgno++) {
        bool short_of = v->backup && pgno >= c->in_file && pgno < c->stated;
        if (c->pages[pgno] == PAGE_NEVER_BUT_CHANGED && !short_of) {
            tell_page(
                v, c, pgno, "not in the file, and the log has no whole image of it", false, &told);
        }
    }
    if (told > FINDINGS_PER_FILE) {
        tool_note(v, "%s: and %" PRIu64 " more pages", c->path, told - FINDINGS_PER_FILE);
    }
}

void tool_verify_replay(tool_verification *v)
{
    if (v->whole) {
        int error = tool_log_replay(v->vfs, &v->log, replay_record, v);
        if (error != 0) {
            tool_finding_words(v, error);
            v->whole = false;
        }
    }
    for (size_t i = 0; i < v->databases.count; i++) {
        tell_pages(v, &v->checks[i]);
    }
}

/* ---- trees ---- */

void tool_verify_trees(tool_verification *v)
{
    ref_db_options how = {.read_only = true};
    for (size_t i = 0; i < v->databases.count; i++) {
        const tool_check *c = &v->checks[i];
        uint64_t records = 0;
        ref_db *db;
        if (c->path == NULL || c->database->removed) {
            continue;
        }
        int error = ref_db_open_alone(v->vfs, c->path, &how, &db);
        if (error == 0) {
            error = ref_db_verify(db, &records);
            if (error != 0) {
                tool_finding_words(v, error);
            }
            ref_db_close(db);
        } else {
            tool_finding_words(v, error);
        }
        if (error == 0 && v->verbose) {
            tool_note(
                v, "%s: %" PRIu64 " records in %" PRIu64 " pages", c->path, records, c->in_file);
        }
    }
}
