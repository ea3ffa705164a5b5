/* Databases as one commit left them, page by page, while writers go on. */
#include <errno.h>

#include "internal.h"

int ref_still_begin(ref_env *env, ref_snapshot *still)
{
    return ref_snapshot_open(env, still);
}

void ref_still_end(ref_env *env, ref_snapshot *still)
{
    ref_snapshot_close(env, still);
}

static ref_dbfile *find(ref_env *env, const ref_id *id)
{
    pthread_mutex_lock(&env->mutex);
    ref_dbfile *file = env->files;
    while (file != NULL && !(ref_id_equal(&file->id, id) && !file->owner_created)) {
        file = file->next;
    }
    pthread_mutex_unlock(&env->mutex);
    return file;
}

int ref_still_page(
    ref_env *env, const ref_snapshot *still, const ref_id *id, uint32_t pgno, uint8_t *page)
{
    ref_dbfile *file = find(env, id);
    ref_version *version;

    if (file == NULL) {
        return ref_fail(ENOENT, "%s: no such database", env->home);
    }
    int error = ref_cache_get(file, pgno, still->commit, &version);
    if (error != 0) {
        return error;
    }
    memcpy(page, version->data, file->page_size);
    pthread_mutex_lock(&env->mutex);
    ref_version_release(version);
    pthread_mutex_unlock(&env->mutex);
    return 0;
}

int ref_still_page_count(ref_env *env, const ref_snapshot *still, const ref_id *id, uint32_t *count)
{
    ref_dbfile *file = find(env, id);
    ref_version *meta;

    *count = 0;
    if (file == NULL) {
        return 0;
    }
    int error = ref_cache_get(file, 0, still->commit, &meta);
    if (error == REF_NOTFOUND || (error == ENOENT && ref_dbfile_is_removed(file))) {
        return 0;
    }
    if (error != 0) {
        return error;
    }
    *count = ref_get32(meta->data + REF_META_AT_COUNT);
    pthread_mutex_lock(&env->mutex);
    ref_version_release(meta);
    pthread_mutex_unlock(&env->mutex);
    return 0;
}
