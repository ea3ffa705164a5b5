/* DBTs: what may be handed in, and how bytes are handed out. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const u_int32_t memory_flags = DB_DBT_MALLOC | DB_DBT_REALLOC | DB_DBT_USERMEM;

static int check(
    ref_bdb_db *db, const char *method, const char *what, const DBT *dbt, u_int32_t allowed)
{
    if (dbt == NULL) {
        return ref_bdb_refuse(db->env, EINVAL, method, "the DBT of the %s is NULL", what);
    }
    u_int32_t wrong = dbt->flags & ~allowed;
    if (wrong != 0) {
        return ref_bdb_refuse(
            db->env, EINVAL, method, "flag 0x%x of the %s's DBT", (unsigned)wrong, what);
    }
    u_int32_t memory = dbt->flags & memory_flags;
    if ((memory & (memory - 1)) != 0) {
        return ref_bdb_refuse(db->env, EINVAL, method,
            "DB_DBT_MALLOC, DB_DBT_REALLOC and DB_DBT_USERMEM of the %s exclude one another", what);
    }
    return 0;
}

static int check_bytes(
    ref_bdb_db *db, const char *method, const char *what, const DBT *dbt, u_int32_t size)
{
    if (dbt->data == NULL && size != 0) {
        return ref_bdb_refuse(
            db->env, EINVAL, method, "%u bytes of the %s at NULL", (unsigned)size, what);
    }
    return 0;
}

int ref_bdb_check_input_key(ref_bdb_db *db, const char *method, const DBT *key)
{
    int ret = check(db, method, "key", key, memory_flags | DB_DBT_READONLY);

    return ret == 0 ? check_bytes(db, method, "key", key, key->size) : ret;
}

int ref_bdb_check_input_value(ref_bdb_db *db, const char *method, const DBT *data)
{
    int ret = check(db, method, "value", data, memory_flags | DB_DBT_READONLY | DB_DBT_PARTIAL);

    return ret == 0 ? check_bytes(db, method, "value", data, data->size) : ret;
}

int ref_bdb_check_output(ref_bdb_db *db, const char *method, const char *what, const DBT *dbt)
{
    int ret = check(db, method, what, dbt, memory_flags | DB_DBT_PARTIAL);

    if (ret == 0 && (dbt->flags & DB_DBT_USERMEM) != 0) {
        ret = check_bytes(db, method, what, dbt, dbt->ulen);
    }
    return ret;
}

bool ref_bdb_dbt_is_default(const DBT *dbt)
{
    return (dbt->flags & memory_flags) == 0;
}

ref_slice ref_bdb_slice(const DBT *dbt)
{
    return (ref_slice){dbt->data == NULL ? "" : dbt->data, dbt->size};
}

bool ref_bdb_inside(const DBT *dbt, const ref_buffer *buffer)
{
    uintptr_t at = (uintptr_t)dbt->data, start = (uintptr_t)buffer->data;

    return buffer->data != NULL && at >= start && at - start < buffer->capacity;
}

/* ---- handing out ---- */

/* The part of the bytes that the DBT asks for. */
static ref_slice part(const DBT *dbt, const ref_buffer *bytes)
{
    size_t start = 0, size = bytes->size;

    if ((dbt->flags & DB_DBT_PARTIAL) != 0) {
        start = dbt->doff < size ? dbt->doff : size;
        size = dbt->dlen < size - start ? dbt->dlen : size - start;
    }
    return (ref_slice){bytes->data == NULL ? (const uint8_t *)"" : bytes->data + start, size};
}

/* Sets the size that is needed where the program's memory is too small. */
static bool too_small(DBT *dbt, ref_slice bytes)
{
    if ((dbt->flags & DB_DBT_USERMEM) == 0 || bytes.size <= dbt->ulen) {
        return false;
    }
    dbt->size = (u_int32_t)bytes.size;
    return true;
}

/* Memory of the program's for the bytes; NULL where it needs none. false without memory. */
static bool make_room(const DBT *dbt, size_t size, void **out)
{
    *out = NULL;
    if ((dbt->flags & DB_DBT_MALLOC) != 0) {
        *out = malloc(size == 0 ? 1 : size);
        return *out != NULL;
    }
    if ((dbt->flags & DB_DBT_REALLOC) != 0) {
        *out = realloc(dbt->data, size == 0 ? 1 : size);
        return *out != NULL;
    }
    return true;
}

static void fill(DBT *dbt, void *room, ref_slice bytes)
{
    if (ref_bdb_dbt_is_default(dbt)) {
        dbt->data = (void *)bytes.data;
    } else {
        if (room != NULL) {
            dbt->data = room;
        }
        if (bytes.size != 0) {
            memcpy(dbt->data, bytes.data, bytes.size);
        }
    }
    dbt->size = (u_int32_t)bytes.size;
}

int ref_bdb_hand_out(DBT *key, const ref_buffer *key_bytes, DBT *data, const ref_buffer *data_bytes)
{
    ref_slice key_part = {NULL, 0}, data_part = part(data, data_bytes);
    void *key_room = NULL, *data_room = NULL;
    bool small = too_small(data, data_part);

    if (key != NULL) {
        key_part = part(key, key_bytes);
        small = too_small(key, key_part) || small;
    }
    if (small) {
        return DB_BUFFER_SMALL;
    }
    if (key != NULL && !make_room(key, key_part.size, &key_room)) {
        return ENOMEM;
    }
    if (!make_room(data, data_part.size, &data_room)) {
        if (key != NULL && (key->flags & DB_DBT_REALLOC) != 0) {
            key->data = key_room; /* the old block is gone */
        } else {
            free(key_room);
        }
        return ENOMEM;
    }
    if (key != NULL) {
        fill(key, key_room, key_part);
    }
    fill(data, data_room, data_part);
    return 0;
}

/* ---- partial input ---- */

int ref_bdb_apply_partial(const ref_buffer *old, const DBT *data, ref_buffer *out)
{
    size_t kept = data->doff < old->size ? data->doff : old->size;
    uint64_t cut_end = (uint64_t)data->doff + data->dlen;
    size_t tail = cut_end < old->size ? old->size - (size_t)cut_end : 0;
    uint64_t size = (uint64_t)data->doff + data->size + tail;

    if (size > REF_VALUE_MAX) {
        return ref_fail(EINVAL, "a value of %llu bytes: it may have %u", (unsigned long long)size,
            REF_VALUE_MAX);
    }
    uint8_t *bytes = calloc(1, size == 0 ? 1 : (size_t)size);
    if (bytes == NULL) {
        return ref_fail(ENOMEM, "a value of %llu bytes", (unsigned long long)size);
    }
    if (kept != 0) {
        memcpy(bytes, old->data, kept);
    }
    if (data->size != 0) {
        memcpy(bytes + data->doff, data->data, data->size);
    }
    if (tail != 0) {
        memcpy(bytes + data->doff + data->size, old->data + cut_end, tail);
    }
    ref_buffer_free(out);
    out->data = bytes;
    out->size = (size_t)size;
    out->capacity = (size_t)size;
    return 0;
}
