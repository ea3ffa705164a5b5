/* Writing a trace, in memory: records and contents grow side by side until somebody wants the file.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "format.h"

typedef struct buffer {
    uint8_t *bytes;
    size_t size, room;
} buffer;

struct fault_trace {
    pthread_mutex_t mutex;
    char *plan;
    size_t plan_size;
    uint64_t seed;
    bool with_payloads;
    _Atomic uint64_t count;
    atomic_int error;
    buffer records, contents;
    uint64_t *places; /* of the contents, by number from 1 */
    uint32_t content_count;
    uint32_t *index; /* numbers of contents by their hash; 0: free */
    uint32_t slots;  /* a power of two, at least twice as many as there are contents */
};

/* ---- memory ---- */

/* Room for `more` bytes at the end; NULL without memory. */
static uint8_t *extend(buffer *to, size_t more)
{
    if (to->room - to->size < more) {
        size_t room = (to->size + more) * 2 + 4096;
        uint8_t *bytes = realloc(to->bytes, room);
        if (bytes == NULL) {
            return NULL;
        }
        to->bytes = bytes;
        to->room = room;
    }
    uint8_t *at = to->bytes + to->size;
    to->size += more;
    memset(at, 0, more);
    return at;
}

int fault_trace_new(const char *plan, uint64_t seed, bool with_payloads, fault_trace **out)
{
    fault_trace *trace = calloc(1, sizeof *trace);
    *out = NULL;
    if (trace == NULL) {
        return ENOMEM;
    }
    trace->plan = strdup(plan != NULL ? plan : "");
    if (trace->plan == NULL || pthread_mutex_init(&trace->mutex, NULL) != 0) {
        free(trace->plan);
        free(trace);
        return ENOMEM;
    }
    trace->plan_size = strlen(trace->plan);
    trace->seed = seed;
    trace->with_payloads = with_payloads;
    *out = trace;
    return 0;
}

void fault_trace_free(fault_trace *trace)
{
    if (trace == NULL) {
        return;
    }
    pthread_mutex_destroy(&trace->mutex);
    free(trace->plan);
    free(trace->records.bytes);
    free(trace->contents.bytes);
    free(trace->places);
    free(trace->index);
    free(trace);
}

/* ---- contents ---- */

static uint32_t *slot_of(fault_trace *trace, uint64_t hash)
{
    return &trace->index[hash & (trace->slots - 1)];
}

static uint32_t *next_slot(fault_trace *trace, uint32_t *slot)
{
    return slot + 1 < trace->index + trace->slots ? slot + 1 : trace->index;
}

static int grow_index(fault_trace *trace)
{
    uint32_t *old = trace->index;
    uint32_t slots = trace->slots == 0 ? 256 : trace->slots * 2;
    uint32_t *index = slots > trace->slots ? calloc(slots, sizeof *index) : NULL;
    uint64_t *places =
        index != NULL ? realloc(trace->places, (slots / 2 + 1) * sizeof *places) : NULL;
    if (places == NULL) {
        free(index);
        return ENOMEM;
    }
    trace->places = places;
    trace->index = index;
    trace->slots = slots;
    for (uint32_t number = 1; number <= trace->content_count; number++) {
        const uint8_t *content = trace->contents.bytes + places[number];
        uint32_t *slot = slot_of(trace, fault_get64(content + FAULT_AT_HASH));
        while (*slot != 0) {
            slot = next_slot(trace, slot);
        }
        *slot = number;
    }
    free(old);
    return 0;
}

static bool is_content(const fault_trace *trace, uint32_t number, fault_content_kind kind,
    const void *bytes, uint32_t size)
{
    const uint8_t *content = trace->contents.bytes + trace->places[number];
    return content[FAULT_AT_KIND] == kind && fault_get32(content + FAULT_AT_BYTES) == size &&
           memcmp(content + FAULT_CONTENT_HEADER, bytes, size) == 0;
}

static int append_content(
    fault_trace *trace, fault_content_kind kind, uint64_t hash, const void *bytes, uint32_t size)
{
    size_t place = trace->contents.size;
    uint8_t *at = extend(&trace->contents, FAULT_CONTENT_HEADER + FAULT_PADDED((size_t)size));
    if (at == NULL) {
        return ENOMEM;
    }
    fault_put64(at + FAULT_AT_HASH, hash);
    fault_put32(at + FAULT_AT_BYTES, size);
    at[FAULT_AT_KIND] = (uint8_t)kind;
    memcpy(at + FAULT_CONTENT_HEADER, bytes, size);
    trace->places[++trace->content_count] = place;
    return 0;
}

/* The number of the content, which is stored unless it is there already. */
static int store(
    fault_trace *trace, fault_content_kind kind, const void *bytes, size_t size, uint32_t *number)
{
    uint64_t hash = fault_hash(kind, bytes, size);
    if (size > UINT32_MAX) {
        return EOVERFLOW;
    }
    if (trace->slots < 2 * (trace->content_count + 1) && grow_index(trace) != 0) {
        return ENOMEM;
    }
    uint32_t *slot = slot_of(trace, hash);
    for (; *slot != 0; slot = next_slot(trace, slot)) {
        if (is_content(trace, *slot, kind, bytes, (uint32_t)size)) {
            *number = *slot;
            return 0;
        }
    }
    int error = append_content(trace, kind, hash, bytes, (uint32_t)size);
    if (error == 0) {
        *slot = *number = trace->content_count;
    }
    return error;
}

static int store_string(fault_trace *trace, const char *string, uint32_t *number)
{
    *number = 0;
    return string == NULL ? 0
                          : store(trace, FAULT_CONTENT_STRING, string, strlen(string) + 1, number);
}

/* A payload of one block is that block; a longer one the list of its blocks. */
static int store_payload(fault_trace *trace, const fault_op *op, uint32_t *number)
{
    const uint8_t *data = op->data;
    uint64_t blocks = (op->size + FAULT_TRACE_BLOCK - 1) / FAULT_TRACE_BLOCK;
    int error = 0;

    *number = 0;
    if (!trace->with_payloads || op->op != FAULT_OP_WRITE || data == NULL || blocks == 0) {
        return 0;
    }
    if (blocks == 1) {
        return store(trace, FAULT_CONTENT_BLOCK, data, op->size, number);
    }
    uint32_t *list = calloc(blocks, sizeof *list);
    if (list == NULL) {
        return ENOMEM;
    }
    for (uint64_t i = 0; i < blocks && error == 0; i++) {
        uint64_t left = op->size - i * FAULT_TRACE_BLOCK;
        error = store(trace, FAULT_CONTENT_BLOCK, data + i * FAULT_TRACE_BLOCK,
            left < FAULT_TRACE_BLOCK ? left : FAULT_TRACE_BLOCK, &list[i]);
    }
    if (error == 0) {
        error = store(trace, FAULT_CONTENT_LIST, list, blocks * sizeof *list, number);
    }
    free(list);
    return error;
}

/* ---- records ---- */

static int add(fault_trace *trace, const fault_record *record)
{
    uint32_t path, to, data;
    int error = store_string(trace, record->op.path, &path);
    if (error == 0) {
        error = store_string(trace, record->op.to, &to);
    }
    if (error == 0) {
        error = store_payload(trace, &record->op, &data);
    }
    uint8_t *at = error == 0 ? extend(&trace->records, FAULT_TRACE_RECORD) : NULL;
    if (at == NULL) {
        return error != 0 ? error : ENOMEM;
    }
    uint16_t result = (uint16_t)record->result;
    fault_put32(at + FAULT_AT_THREAD, record->op.thread);
    at[FAULT_AT_OP] = (uint8_t)record->op.op;
    at[FAULT_AT_ACTION] = (uint8_t)record->action;
    memcpy(at + FAULT_AT_RESULT, &result, sizeof result);
    fault_put64(at + FAULT_AT_INODE, record->op.inode);
    fault_put64(at + FAULT_AT_OFFSET, record->op.offset);
    fault_put64(at + FAULT_AT_SIZE, record->op.size);
    fault_put64(at + FAULT_AT_DONE, record->done);
    fault_put64(at + FAULT_AT_TIME, record->time);
    fault_put32(at + FAULT_AT_PATH, path);
    fault_put32(at + FAULT_AT_TO, to);
    fault_put32(at + FAULT_AT_DATA, data);
    fault_put32(at + FAULT_AT_RULE, record->rule);
    return 0;
}

void fault_trace_add(fault_trace *trace, const fault_record *record)
{
    pthread_mutex_lock(&trace->mutex);
    if (trace->error == 0) {
        int error = add(trace, record);
        trace->count += error == 0;
        trace->error = error;
    }
    pthread_mutex_unlock(&trace->mutex);
}

int fault_trace_error(const fault_trace *trace)
{
    return trace->error;
}

uint64_t fault_trace_count(const fault_trace *trace)
{
    return trace->count;
}

uint8_t *fault_trace_bytes(const fault_trace *trace, size_t *size)
{
    size_t plan_padded = FAULT_PADDED(trace->plan_size);
    size_t total = FAULT_TRACE_HEADER + plan_padded + trace->records.size + trace->contents.size;
    uint8_t *bytes = calloc(1, total), *at = bytes;

    *size = 0;
    if (bytes == NULL) {
        return NULL;
    }
    memcpy(at, FAULT_TRACE_MAGIC, 8);
    fault_put32(at + FAULT_AT_VERSION, FAULT_TRACE_VERSION);
    fault_put32(at + FAULT_AT_FLAGS, (trace->with_payloads ? FAULT_FLAG_PAYLOADS : 0u) |
                                         (trace->error != 0 ? FAULT_FLAG_CUT_SHORT : 0u));
    fault_put64(at + FAULT_AT_SEED, trace->seed);
    fault_put64(at + FAULT_AT_RECORDS, trace->count);
    fault_put64(at + FAULT_AT_PLAN_SIZE, trace->plan_size);
    fault_put64(at + FAULT_AT_CONTENT_SIZE, trace->contents.size);
    fault_put32(at + FAULT_AT_CONTENTS, trace->content_count);
    at += FAULT_TRACE_HEADER;
    memcpy(at, trace->plan, trace->plan_size);
    at += plan_padded;
    if (trace->records.size > 0) {
        memcpy(at, trace->records.bytes, trace->records.size);
        at += trace->records.size;
    }
    if (trace->contents.size > 0) {
        memcpy(at, trace->contents.bytes, trace->contents.size);
    }
    *size = total;
    return bytes;
}
