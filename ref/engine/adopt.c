/*
 * Adoption: a database file that was copied into a directory of the environment becomes part of it.
 * Its pages carry the log sequence numbers of another log, so the file is rewritten with none,
 * under a new identity, beside itself, and takes its place in one rename. A file that is not whole
 * by itself (copied while it was being written, and missing the log that would mend it) is refused,
 * and so is one of this environment from a later time than its log: the rest of that time is lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"
#include "log.h"

static void rewrite_page(ref_env *env, uint8_t *page, const ref_file_record *record, uint32_t pgno)
{
    ref_put64(page + REF_PAGE_AT_LSN, 0);
    if (pgno == 0) {
        memcpy(page + REF_META_AT_ID, &record->id, sizeof record->id);
        memcpy(page + REF_META_AT_LOG_ID, &env->id, sizeof env->id);
        memset(page + REF_META_AT_SLOT, 0, REF_META_SLOT_SIZE);
    }
    ref_page_seal(page, record->page_size);
}

/* `limit`: where this environment's log ends, if the file is one of its own; else beyond
 * everything. */
static int copy_page(ref_env *env, ref_file *from, ref_file *to, const char *path,
    const ref_file_record *record, uint64_t limit, uint32_t pgno, uint8_t *page)
{
    uint64_t offset = (uint64_t)pgno * record->page_size;
    size_t done;
    int error = ref_read_full(from, page, record->page_size, offset, &done);
    if (error != 0) {
        return ref_fail(error, "%s: page %u: read", path, pgno);
    }
    memset(page + done, 0, record->page_size - done);
    ref_page_health health = ref_page_check(page, record->page_size, pgno);
    if (health != REF_PAGE_SOUND) {
        return ref_fail(REF_CORRUPT, "%s: page %u: offset %llu: %s", path, pgno,
            (unsigned long long)offset, ref_page_health_text(health));
    }
    if (ref_page_lsn(page) >= limit) {
        return ref_fail(REF_CORRUPT,
            "%s: page %u: its log sequence number %u/%u lies beyond the log's end", path, pgno,
            REF_LSN_SEGMENT(ref_page_lsn(page)), REF_LSN_OFFSET(ref_page_lsn(page)));
    }
    rewrite_page(env, page, record, pgno);
    error = ref_write_full(to, page, record->page_size, offset);
    return error == 0 ? 0 : ref_fail(error, "%s%s: page %u: write", path, REF_ADOPT_SUFFIX, pgno);
}

static int read_header(ref_file *from, const char *path, ref_meta *meta)
{
    uint8_t head[REF_PAGE_SIZE_MIN];
    size_t done;
    int error = ref_read_full(from, head, sizeof head, 0, &done);
    if (error != 0) {
        return ref_fail(error, "%s: read", path);
    }
    error = ref_meta_read(head, done, path, meta);
    return error == ENOENT ? ref_fail(EINVAL, "%s: this is no database file", path) : error;
}

static int copy_pages(
    ref_env *env, ref_file *from, ref_file *to, const char *path, ref_file_record *record)
{
    ref_meta meta;
    int error = read_header(from, path, &meta);
    if (error != 0) {
        return error;
    }
    record->page_size = meta.page_size;
    bool ours = env->log != NULL && ref_id_equal(&meta.log_id, &env->id);
    uint64_t limit = ours ? ref_log_end(env->log) : UINT64_MAX;
    uint8_t *page = malloc(meta.page_size);
    if (page == NULL) {
        return ref_fail(ENOMEM, "%s", path);
    }
    for (uint32_t pgno = 0; pgno < meta.page_count && error == 0; pgno++) {
        error = copy_page(env, from, to, path, record, limit, pgno, page);
    }
    free(page);
    if (error == 0) {
        error = env->vfs->fsync(to);
        if (error != 0) {
            ref_fail(error, "%s%s: sync", path, REF_ADOPT_SUFFIX);
        }
    }
    return error;
}

static int verify(ref_env *env, const char *path)
{
    ref_db_options options = {.read_only = true};
    ref_db *db;
    int error = ref_db_open_alone(env->vfs, path, &options, &db);
    if (error == 0) {
        char words[1024] = "";
        error = ref_db_verify(db, NULL);
        snprintf(words, sizeof words, "%s", ref_error_text());
        ref_db_close(db);
        if (error != 0) {
            ref_fail(
                REF_CORRUPT, "%s", words); /* not `error`: the words have errno's text already */
        }
    }
    return error;
}

static int rewrite(ref_env *env, const char *path, const char *beside, ref_file_record *record)
{
    ref_vfs *vfs = env->vfs;
    ref_file *from, *to = NULL;
    ref_stat stat;

    int error = vfs->open(vfs, path, REF_O_SEQUENTIAL, 0, &from);
    if (error != 0) {
        return ref_fail(error, "%s: open", path);
    }
    error = vfs->fstat(from, &stat);
    record->mode = stat.mode & 07777;
    if (error == 0) {
        error = vfs->open(vfs, beside, REF_O_WRITE | REF_O_CREATE | REF_O_TRUNC | REF_O_NOFOLLOW,
            record->mode, &to);
    }
    if (error != 0) {
        ref_fail(error, "%s: create", beside);
    } else {
        error = copy_pages(env, from, to, path, record);
    }
    if (to != NULL) {
        vfs->close(to);
    }
    vfs->close(from);
    return error == 0 ? verify(env, beside) : error;
}

static int take_place(ref_vfs *vfs, const char *beside, const char *path)
{
    int error = vfs->rename(vfs, beside, path, false);
    return error == 0 ? ref_sync_parent(vfs, path)
                      : ref_fail(error, "%s: rename to %s", beside, path);
}

int ref_adopt(ref_env *env, const char *path, ref_file_record *out)
{
    *out = (ref_file_record){0};
    char *beside = ref_path_suffix(path, REF_ADOPT_SUFFIX);
    if (beside == NULL) {
        return ref_fail(ENOMEM, "%s", path);
    }
    int error = env->vfs->random(env->vfs, &out->id, sizeof out->id);
    if (error == 0) {
        error = rewrite(env, path, beside, out);
    }
    if (error == 0) {
        error = take_place(env->vfs, beside, path);
    }
    if (error != 0) {
        env->vfs->unlink(env->vfs, beside);
    }
    free(beside);
    return error;
}
