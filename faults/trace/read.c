/*
 * Reading a trace: everything is checked once, when it is opened, so that nothing needs to be
 * checked when it is used.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "format.h"

struct fault_traced {
    uint8_t *bytes;
    size_t size;
    char *plan;
    uint64_t seed, count;
    uint32_t flags;
    const uint8_t *records;
    uint32_t content_count;
    uint64_t *places;   /* of contents in `bytes`, by number from 1 */
    uint8_t **payloads; /* of lists, by their number: their blocks in one piece */
    uint64_t *payload_sizes;
};

static int refuse(char *why, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(char *why, uint64_t offset, const char *format, ...)
{
    char words[120];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    snprintf(why, FAULT_TRACE_WHY, "offset %" PRIu64 ": %s", offset, words);
    return EINVAL;
}

static int refuse_unless_zero(const uint8_t *bytes, uint64_t from, uint64_t to, char *why)
{
    for (uint64_t i = from; i < to; i++) {
        if (bytes[i] != 0) {
            return refuse(why, i, "a byte that has to be 0 is 0x%02x", bytes[i]);
        }
    }
    return 0;
}

/* ---- header ---- */

/* The sizes that the header names, with itself, are those of the file. */
static int check_sizes(const fault_traced *trace, char *why)
{
    const uint8_t *at = trace->bytes;
    uint64_t left = trace->size - FAULT_TRACE_HEADER;
    uint64_t plan = fault_get64(at + FAULT_AT_PLAN_SIZE);
    uint64_t content = fault_get64(at + FAULT_AT_CONTENT_SIZE);

    if (plan > left || FAULT_PADDED(plan) > left) {
        return refuse(why, FAULT_AT_PLAN_SIZE, "a plan of %" PRIu64 " bytes; %" PRIu64 " are left",
            plan, left);
    }
    left -= FAULT_PADDED(plan);
    if (trace->count > left / FAULT_TRACE_RECORD) {
        return refuse(why, FAULT_AT_RECORDS, "%" PRIu64 " records; %" PRIu64 " bytes are left",
            trace->count, left);
    }
    left -= trace->count * FAULT_TRACE_RECORD;
    if (content != left) {
        return refuse(why, FAULT_AT_CONTENT_SIZE,
            "contents of %" PRIu64 " bytes; %" PRIu64 " are left", content, left);
    }
    if (trace->content_count > content / FAULT_CONTENT_HEADER) {
        return refuse(why, FAULT_AT_CONTENTS, "%u contents; %" PRIu64 " bytes are left",
            trace->content_count, content);
    }
    return 0;
}

static int read_plan(fault_traced *trace, char *why)
{
    uint64_t size = fault_get64(trace->bytes + FAULT_AT_PLAN_SIZE);
    const uint8_t *text = trace->bytes + FAULT_TRACE_HEADER;
    const uint8_t *nul = memchr(text, '\0', size);
    if (nul != NULL) {
        return refuse(why, (uint64_t)(nul - trace->bytes), "a zero byte in the plan");
    }
    trace->plan = strndup((const char *)text, size);
    if (trace->plan == NULL) {
        return ENOMEM;
    }
    uint64_t end = FAULT_TRACE_HEADER + size;
    trace->records = text + FAULT_PADDED(size);
    return refuse_unless_zero(trace->bytes, end, FAULT_TRACE_HEADER + FAULT_PADDED(size), why);
}

static int read_header(fault_traced *trace, char *why)
{
    const uint8_t *at = trace->bytes;
    if (trace->size < FAULT_TRACE_HEADER) {
        return refuse(
            why, trace->size, "the file ends in its header of %d bytes", FAULT_TRACE_HEADER);
    }
    if (memcmp(at, FAULT_TRACE_MAGIC, 8) != 0) {
        return refuse(why, 0, "no trace: it does not begin with " FAULT_TRACE_MAGIC);
    }
    if (fault_get32(at + FAULT_AT_VERSION) != FAULT_TRACE_VERSION) {
        return refuse(why, FAULT_AT_VERSION, "version %u; this program knows %u",
            fault_get32(at + FAULT_AT_VERSION), FAULT_TRACE_VERSION);
    }
    trace->flags = fault_get32(at + FAULT_AT_FLAGS);
    if ((trace->flags & ~(uint32_t)FAULT_FLAGS_KNOWN) != 0) {
        return refuse(why, FAULT_AT_FLAGS, "unknown flags 0x%x", trace->flags);
    }
    trace->seed = fault_get64(at + FAULT_AT_SEED);
    trace->count = fault_get64(at + FAULT_AT_RECORDS);
    trace->content_count = fault_get32(at + FAULT_AT_CONTENTS);
    int error = refuse_unless_zero(at, FAULT_AT_RESERVED, FAULT_TRACE_HEADER, why);
    if (error == 0) {
        error = check_sizes(trace, why);
    }
    return error != 0 ? error : read_plan(trace, why);
}

/* ---- contents ---- */

static const uint8_t *content_at(const fault_traced *trace, uint32_t number)
{
    return trace->bytes + trace->places[number];
}

static uint32_t content_size(const fault_traced *trace, uint32_t number)
{
    return fault_get32(content_at(trace, number) + FAULT_AT_BYTES);
}

/* 0 for a number that names no content. */
static unsigned content_kind(const fault_traced *trace, uint32_t number)
{
    return number == 0 || number > trace->content_count ? 0
                                                        : content_at(trace, number)[FAULT_AT_KIND];
}

static int check_content(const fault_traced *trace, uint64_t place, char *why)
{
    const uint8_t *content = trace->bytes + place, *bytes = content + FAULT_CONTENT_HEADER;
    uint32_t size = fault_get32(content + FAULT_AT_BYTES);
    unsigned kind = content[FAULT_AT_KIND];

    if (kind < FAULT_CONTENT_STRING || kind > FAULT_CONTENT_LIST) {
        return refuse(why, place + FAULT_AT_KIND, "unknown kind of content %u", kind);
    }
    if (size == 0 || (kind == FAULT_CONTENT_BLOCK && size > FAULT_TRACE_BLOCK) ||
        (kind == FAULT_CONTENT_LIST && (size % 4 != 0 || size < 8))) {
        return refuse(
            why, place + FAULT_AT_BYTES, "a content of kind %u has no %u bytes", kind, size);
    }
    if (fault_hash(kind, bytes, size) != fault_get64(content + FAULT_AT_HASH)) {
        return refuse(why, place + FAULT_AT_HASH, "the hash is not that of the content");
    }
    if (kind == FAULT_CONTENT_STRING && memchr(bytes, '\0', size) != bytes + size - 1) {
        return refuse(why, place + FAULT_CONTENT_HEADER, "a string that ends at another place");
    }
    int error = refuse_unless_zero(
        trace->bytes, place + FAULT_AT_UNUSED, place + FAULT_CONTENT_HEADER, why);
    uint64_t end = place + FAULT_CONTENT_HEADER + size;
    return error != 0 ? error
                      : refuse_unless_zero(trace->bytes, end,
                            place + FAULT_CONTENT_HEADER + FAULT_PADDED((uint64_t)size), why);
}

static int find_contents(fault_traced *trace, char *why)
{
    uint64_t place = (uint64_t)(trace->records - trace->bytes) + trace->count * FAULT_TRACE_RECORD;
    uint32_t number;

    trace->places = calloc((size_t)trace->content_count + 1, sizeof *trace->places);
    if (trace->places == NULL) {
        return ENOMEM;
    }
    for (number = 0; place < trace->size && number < trace->content_count;) {
        uint64_t left = trace->size - place;
        if (left < FAULT_CONTENT_HEADER ||
            FAULT_PADDED((uint64_t)fault_get32(trace->bytes + place + FAULT_AT_BYTES)) >
                left - FAULT_CONTENT_HEADER) {
            return refuse(why, place, "the file ends in content %u", number + 1);
        }
        int error = check_content(trace, place, why);
        if (error != 0) {
            return error;
        }
        trace->places[++number] = place;
        place += FAULT_CONTENT_HEADER + FAULT_PADDED((uint64_t)content_size(trace, number));
    }
    if (place != trace->size || number != trace->content_count) {
        return refuse(
            why, FAULT_AT_CONTENTS, "%u contents are not those that follow", trace->content_count);
    }
    return 0;
}

/* All blocks of a list but the last are full. */
static int check_list(fault_traced *trace, uint32_t list, char *why)
{
    uint32_t count = content_size(trace, list) / 4;
    uint64_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t place = trace->places[list] + FAULT_CONTENT_HEADER + 4 * (uint64_t)i;
        uint32_t block = fault_get32(trace->bytes + place);
        if (content_kind(trace, block) != FAULT_CONTENT_BLOCK) {
            return refuse(why, place, "content %u is no block", block);
        }
        if (i + 1 < count && content_size(trace, block) != FAULT_TRACE_BLOCK) {
            return refuse(why, place, "block %u is not full and not the last", block);
        }
        size += content_size(trace, block);
    }
    trace->payload_sizes[list] = size;
    return 0;
}

static int assemble(fault_traced *trace, uint32_t list)
{
    uint8_t *to = trace->payloads[list] = malloc(trace->payload_sizes[list]);
    const uint8_t *numbers = content_at(trace, list) + FAULT_CONTENT_HEADER;
    if (to == NULL) {
        return ENOMEM;
    }
    for (uint32_t i = 0; i < content_size(trace, list) / 4; i++) {
        uint32_t block = fault_get32(numbers + 4 * (size_t)i);
        memcpy(to, content_at(trace, block) + FAULT_CONTENT_HEADER, content_size(trace, block));
        to += content_size(trace, block);
    }
    return 0;
}

static int read_lists(fault_traced *trace, char *why)
{
    int error = 0;
    trace->payloads = calloc((size_t)trace->content_count + 1, sizeof *trace->payloads);
    trace->payload_sizes = calloc((size_t)trace->content_count + 1, sizeof(uint64_t));
    if (trace->payloads == NULL || trace->payload_sizes == NULL) {
        return ENOMEM;
    }
    for (uint32_t number = 1; number <= trace->content_count && error == 0; number++) {
        if (content_kind(trace, number) == FAULT_CONTENT_LIST) {
            error = check_list(trace, number, why);
            error = error == 0 ? assemble(trace, number) : error;
        }
    }
    return error;
}

/* ---- records ---- */

/* 0 for what is no payload. */
static uint64_t payload_size(const fault_traced *trace, uint32_t number)
{
    switch (content_kind(trace, number)) {
    case FAULT_CONTENT_BLOCK:
        return content_size(trace, number);
    case FAULT_CONTENT_LIST:
        return trace->payload_sizes[number];
    default:
        return 0;
    }
}

static int check_record(const fault_traced *trace, const uint8_t *at, char *why)
{
    static const unsigned strings[] = {FAULT_AT_PATH, FAULT_AT_TO};
    uint64_t place = (uint64_t)(at - trace->bytes), size = fault_get64(at + FAULT_AT_SIZE);
    uint32_t data = fault_get32(at + FAULT_AT_DATA);

    if (at[FAULT_AT_OP] >= FAULT_OP_CLASSES) {
        return refuse(why, place + FAULT_AT_OP, "unknown class of operations %u", at[FAULT_AT_OP]);
    }
    if (at[FAULT_AT_ACTION] >= FAULT_ACTIONS) {
        return refuse(why, place + FAULT_AT_ACTION, "unknown action %u", at[FAULT_AT_ACTION]);
    }
    for (size_t i = 0; i < 2; i++) {
        uint32_t number = fault_get32(at + strings[i]);
        if (number != 0 && content_kind(trace, number) != FAULT_CONTENT_STRING) {
            return refuse(why, place + strings[i], "content %u is no string", number);
        }
    }
    if (data != 0 &&
        (at[FAULT_AT_OP] != FAULT_OP_WRITE || size == 0 || payload_size(trace, data) != size)) {
        return refuse(why, place + FAULT_AT_DATA,
            "content %u is not what this %s of %" PRIu64 " bytes wrote", data,
            fault_op_word((fault_op_class)at[FAULT_AT_OP]), size);
    }
    return 0;
}

static int check_records(const fault_traced *trace, char *why)
{
    int error = 0;
    for (uint64_t i = 0; i < trace->count && error == 0; i++) {
        error = check_record(trace, trace->records + i * FAULT_TRACE_RECORD, why);
    }
    return error;
}

/* ---- from outside ---- */

int fault_traced_open(const uint8_t *bytes, size_t size, fault_traced **out, char *why)
{
    fault_traced *trace = calloc(1, sizeof *trace);
    int error;

    *out = NULL;
    why[0] = '\0';
    if (trace == NULL) {
        return ENOMEM;
    }
    trace->size = size;
    trace->bytes = malloc(size + 1);
    if (trace->bytes == NULL) {
        free(trace);
        return ENOMEM;
    }
    if (size > 0) {
        memcpy(trace->bytes, bytes, size);
    }
    error = read_header(trace, why);
    if (error == 0) {
        error = find_contents(trace, why);
    }
    if (error == 0) {
        error = read_lists(trace, why);
    }
    if (error == 0) {
        error = check_records(trace, why);
    }
    if (error != 0) {
        fault_traced_free(trace);
        return error;
    }
    *out = trace;
    return 0;
}

void fault_traced_free(fault_traced *trace)
{
    if (trace == NULL) {
        return;
    }
    for (uint32_t i = 1; trace->payloads != NULL && i <= trace->content_count; i++) {
        free(trace->payloads[i]);
    }
    free(trace->payloads);
    free(trace->payload_sizes);
    free(trace->places);
    free(trace->plan);
    free(trace->bytes);
    free(trace);
}

uint64_t fault_traced_count(const fault_traced *trace)
{
    return trace->count;
}

const char *fault_traced_plan(const fault_traced *trace)
{
    return trace->plan;
}

uint64_t fault_traced_seed(const fault_traced *trace)
{
    return trace->seed;
}

bool fault_traced_cut_short(const fault_traced *trace)
{
    return (trace->flags & FAULT_FLAG_CUT_SHORT) != 0;
}

static const void *content_bytes(const fault_traced *trace, uint32_t number)
{
    if (number == 0) {
        return NULL;
    }
    return trace->payloads[number] != NULL ? trace->payloads[number]
                                           : content_at(trace, number) + FAULT_CONTENT_HEADER;
}

void fault_traced_get(const fault_traced *trace, uint64_t index, fault_record *out)
{
    const uint8_t *at = trace->records + index * FAULT_TRACE_RECORD;
    uint16_t result;
    memcpy(&result, at + FAULT_AT_RESULT, sizeof result);
    *out = (fault_record){.op = {.op = (fault_op_class)at[FAULT_AT_OP],
                              .thread = fault_get32(at + FAULT_AT_THREAD),
                              .path = content_bytes(trace, fault_get32(at + FAULT_AT_PATH)),
                              .to = content_bytes(trace, fault_get32(at + FAULT_AT_TO)),
                              .inode = fault_get64(at + FAULT_AT_INODE),
                              .offset = fault_get64(at + FAULT_AT_OFFSET),
                              .size = fault_get64(at + FAULT_AT_SIZE),
                              .data = content_bytes(trace, fault_get32(at + FAULT_AT_DATA))},
        .action = (fault_action)at[FAULT_AT_ACTION],
        .rule = fault_get32(at + FAULT_AT_RULE),
        .result = result,
        .done = fault_get64(at + FAULT_AT_DONE),
        .time = fault_get64(at + FAULT_AT_TIME)};
}
