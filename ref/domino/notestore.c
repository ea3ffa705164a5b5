/* Notes as records: packing and unpacking, reading and writing. */
#include <stdlib.h>
#include <string.h>

#include "../engine/bytes.h"
#include "notestore.h"

#define FORMAT 1u
#define FLAG_STUB 1u
#define AT_FLAGS 1
#define AT_CLASS 2
#define AT_SEQUENCE 4
#define AT_MODIFIED 8
#define AT_CREATED 16
#define AT_SEQUENCE_TIME 24
#define AT_CHANCE 32
#define AT_ITEMS 40
#define HEADER_SIZE 42u
#define ITEM_HEADER_SIZE 6u
#define INFO_SIZE 8u
#define FIRST_ID 0x8f6u

/* ---- packing ---- */

/* Bytes of the record, and how many of them count as summary. */
static size_t measure(const ref_dom_content *content, size_t *summary, unsigned *count)
{
    size_t size = HEADER_SIZE;

    *summary = 0;
    *count = 0;
    for (const ref_dom_item *item = content->items; item != NULL; item = item->next) {
        size_t bytes = strlen(item->name) + item->length;

        size += ITEM_HEADER_SIZE + bytes;
        if (item->summary) {
            *summary += bytes;
        }
        (*count)++;
    }
    return size;
}

static uint8_t *pack_item(const ref_dom_item *item, uint8_t *at)
{
    size_t name = strlen(item->name);

    ref_put16(at, item->summary ? REF_DOM_ITEM_SUMMARY : 0);
    ref_put16(at + 2, (uint16_t)name);
    ref_put16(at + 4, item->length);
    memcpy(at + ITEM_HEADER_SIZE, item->name, name);
    memcpy(at + ITEM_HEADER_SIZE + name, item->text, item->length);
    return at + ITEM_HEADER_SIZE + name + item->length;
}

STATUS ref_dom_content_pack(const ref_dom_content *content, ref_buffer *out)
{
    size_t summary;
    unsigned count;
    size_t size = measure(content, &summary, &count);

    if (summary > REF_DOM_SUMMARY_MAX) {
        return ERR_SUMMARY_TOO_BIG;
    }
    if (size > REF_VALUE_MAX || count > UINT16_MAX) {
        return ERR_TOOHUGE;
    }
    if (ref_buffer_reserve(out, size) != 0) {
        return ERR_MEMORY;
    }
    uint8_t *value = out->data, *at = value + HEADER_SIZE;
    value[0] = FORMAT;
    value[AT_FLAGS] = content->stub ? FLAG_STUB : 0;
    ref_put16(value + AT_CLASS, content->note_class);
    ref_put32(value + AT_SEQUENCE, content->sequence);
    ref_put64(value + AT_MODIFIED, content->modified);
    ref_put64(value + AT_CREATED, content->created);
    ref_put64(value + AT_SEQUENCE_TIME, content->sequence_time);
    ref_put32(value + AT_CHANCE, content->chance.Innards[0]);
    ref_put32(value + AT_CHANCE + 4, content->chance.Innards[1]);
    ref_put16(value + AT_ITEMS, (uint16_t)count);
    for (const ref_dom_item *item = content->items; item != NULL; item = item->next) {
        at = pack_item(item, at);
    }
    out->size = size;
    return NOERROR;
}

/* ---- unpacking ---- */

/* One item; *at moves behind it. */
static STATUS unpack_item(const uint8_t **at, const uint8_t *end, ref_dom_item **out)
{
    if ((size_t)(end - *at) < ITEM_HEADER_SIZE) {
        return ERR_NSF_CORRUPT;
    }
    uint16_t flags = ref_get16(*at), name = ref_get16(*at + 2), text = ref_get16(*at + 4);
    *at += ITEM_HEADER_SIZE;
    if (name == 0 || name > REF_DOM_ITEM_NAME_MAX || (size_t)(end - *at) < (size_t)name + text) {
        return ERR_NSF_CORRUPT;
    }
    ref_dom_item *item = calloc(1, sizeof *item + text);
    if (item == NULL) {
        return ERR_MEMORY;
    }
    item->summary = (flags & REF_DOM_ITEM_SUMMARY) != 0;
    item->length = text;
    memcpy(item->name, *at, name);
    memcpy(item->text, *at + name, text);
    *at += (size_t)name + text;
    *out = item;
    return NOERROR;
}

static STATUS unpack_items(const ref_buffer *value, ref_dom_content *out)
{
    const uint8_t *at = value->data + HEADER_SIZE, *end = value->data + value->size;
    ref_dom_item **link = &out->items;
    STATUS status = NOERROR;

    for (unsigned i = ref_get16(value->data + AT_ITEMS); i > 0 && status == NOERROR; i--) {
        status = unpack_item(&at, end, link);
        if (status == NOERROR) {
            link = &(*link)->next;
        }
    }
    return status == NOERROR && at != end ? ERR_NSF_CORRUPT : status;
}

STATUS ref_dom_content_unpack(NOTEID id, const ref_buffer *value, bool items, ref_dom_content *out)
{
    const uint8_t *at = value->data;

    *out = (ref_dom_content){0};
    if (value->size < HEADER_SIZE || at[0] != FORMAT) {
        return ERR_NSF_CORRUPT;
    }
    out->id = id;
    out->stub = (at[AT_FLAGS] & FLAG_STUB) != 0;
    out->note_class = ref_get16(at + AT_CLASS);
    out->sequence = ref_get32(at + AT_SEQUENCE);
    out->modified = ref_get64(at + AT_MODIFIED);
    out->created = ref_get64(at + AT_CREATED);
    out->sequence_time = ref_get64(at + AT_SEQUENCE_TIME);
    out->chance = (DBID){{ref_get32(at + AT_CHANCE), ref_get32(at + AT_CHANCE + 4)}};
    STATUS status = items ? unpack_items(value, out) : NOERROR;
    if (status != NOERROR) {
        ref_dom_content_free(out);
    }
    return status;
}

void ref_dom_content_free(ref_dom_content *content)
{
    while (content->items != NULL) {
        ref_dom_item *item = content->items;

        content->items = item->next;
        free(item);
    }
    *content = (ref_dom_content){0};
}

/* ---- records ---- */

void ref_dom_note_key(NOTEID id, uint8_t key[4])
{
    for (int i = 0; i < 4; i++) {
        key[i] = (uint8_t)(id >> (24 - 8 * i));
    }
}

NOTEID ref_dom_note_of_key(const uint8_t key[4])
{
    return (NOTEID)key[0] << 24 | (NOTEID)key[1] << 16 | (NOTEID)key[2] << 8 | key[3];
}

STATUS ref_dom_note_read(
    ref_dom_file *file, ref_txn *txn, NOTEID id, bool lock, bool items, ref_dom_content *out)
{
    uint8_t key[4];
    ref_buffer value = {0};

    *out = (ref_dom_content){0};
    if (id == 0 || (id & RRV_DELETED) != 0) {
        return ERR_NOTE_ID;
    }
    ref_dom_note_key(id, key);
    int error = ref_db_get(file->engine, txn, (ref_slice){key, sizeof key}, lock, &value);
    STATUS status =
        error == 0 ? ref_dom_content_unpack(id, &value, items, out) : ref_dom_error(error);
    ref_buffer_free(&value);
    return status;
}

STATUS ref_dom_note_new_id(ref_dom_file *file, ref_txn *txn, NOTEID *out)
{
    uint8_t key[4], info[INFO_SIZE];
    ref_buffer value = {0};
    STATUS status = NOERROR;

    *out = FIRST_ID;
    ref_dom_note_key(0, key);
    int error = ref_db_get(file->engine, txn, (ref_slice){key, sizeof key}, true, &value);
    if (error == 0 && (value.size != INFO_SIZE || ref_get32(value.data) != FORMAT)) {
        status = ERR_NSF_CORRUPT;
    } else if (error == 0) {
        *out = ref_get32(value.data + 4);
    } else if (error != REF_NOTFOUND) {
        status = ref_dom_error(error);
    }
    ref_buffer_free(&value);
    if (status == NOERROR && *out >= RRV_DELETED) {
        status = ERR_TOOHUGE; /* 536 million notes have been made */
    }
    if (status == NOERROR) {
        ref_put32(info, FORMAT);
        ref_put32(info + 4, *out + RRV_ALIGNMENT);
        status = ref_dom_error(ref_db_put(file->engine, txn, (ref_slice){key, sizeof key},
            (ref_slice){info, sizeof info}, false));
    }
    return status;
}

STATUS ref_dom_note_write(ref_dom_file *file, ref_txn *txn, const ref_dom_content *content)
{
    uint8_t key[4];
    ref_buffer value = {0};
    STATUS status = ref_dom_content_pack(content, &value);

    if (status == NOERROR) {
        ref_dom_note_key(content->id, key);
        status = ref_dom_error(ref_db_put(file->engine, txn, (ref_slice){key, sizeof key},
            (ref_slice){value.data, value.size}, false));
    }
    ref_buffer_free(&value);
    return status;
}

STATUS ref_dom_note_remove(ref_dom_file *file, ref_txn *txn, NOTEID id)
{
    uint8_t key[4];

    ref_dom_note_key(id, key);
    return ref_dom_error(ref_db_del(file->engine, txn, (ref_slice){key, sizeof key}));
}

/* ---- transactions ---- */

STATUS ref_dom_write_begin(ref_dom_file *file, bool no_sync, ref_txn **out)
{
    ref_txn_options options = {.no_sync = no_sync};
    return ref_dom_error(ref_txn_begin(ref_db_env(file->engine), &options, out));
}

STATUS ref_dom_write_end(ref_dom_file *file, bool no_sync, ref_txn *txn, STATUS status)
{
    if (status != NOERROR) {
        (void)ref_txn_abort(txn);
        return status;
    }
    int error = ref_txn_commit(txn);
    if (error == 0 && file->env == NULL && !no_sync) {
        error = ref_db_sync(file->engine); /* it has no log */
    }
    return ref_dom_error(error);
}
