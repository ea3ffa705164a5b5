/* The change stream's bytes: see change.h. */
#include "change.h"

#include <errno.h>
#include <stdlib.h>

#include "error.h"
#include "page.h"

#define MAGIC "HOTREFCH"
#define VERSION 1u
#define END_OFFSET UINT64_MAX

/* offsets of the header */
enum {
    AT_VERSION = 8,
    AT_PAGE_SIZE = 12,
    AT_NONCE = 16,
    AT_FILE = 32,
    AT_START_SIZE = 48,
    AT_HEADER_CRC = 56
};

/* offsets of a record, and of the end */
enum { AT_OFFSET = 0, AT_SIZE = 8, AT_CRC = 12, AT_RECORDS = 16, AT_BYTES = 24 };

_Static_assert(AT_HEADER_CRC + 4 == REF_STREAM_HEADER, "the header ends with its checksum");
_Static_assert(AT_CRC + 4 == REF_STREAM_RECORD, "a record's front ends with its checksum");
_Static_assert(AT_BYTES + 8 == REF_STREAM_END, "the end ends with its totals");

/* ---- making ---- */

void ref_stream_put_header(
    uint8_t out[REF_STREAM_HEADER], const ref_stream_header *header, ref_stream_chain *chain)
{
    memcpy(out, MAGIC, 8);
    ref_put32(out + AT_VERSION, VERSION);
    ref_put32(out + AT_PAGE_SIZE, header->page_size);
    memcpy(out + AT_NONCE, &header->nonce, sizeof header->nonce);
    memcpy(out + AT_FILE, &header->file, sizeof header->file);
    ref_put64(out + AT_START_SIZE, header->start_size);
    *chain = (ref_stream_chain){.crc = ref_crc32c(0, out, AT_HEADER_CRC)};
    ref_put32(out + AT_HEADER_CRC, chain->crc);
}

/* A checksum over what came before, a record's offset and size, and its bytes. */
static uint32_t chained(uint32_t crc, const uint8_t *front, const uint8_t *bytes, size_t size)
{
    return ref_crc32c(ref_crc32c(crc, front, AT_CRC), bytes, size);
}

void ref_stream_put_record(uint8_t out[REF_STREAM_RECORD], uint64_t offset, const uint8_t *bytes,
    uint32_t size, ref_stream_chain *chain)
{
    ref_put64(out + AT_OFFSET, offset);
    ref_put32(out + AT_SIZE, size);
    chain->crc = chained(chain->crc, out, bytes, size);
    chain->records++;
    chain->bytes += size;
    ref_put32(out + AT_CRC, chain->crc);
}

void ref_stream_put_end(uint8_t out[REF_STREAM_END], ref_stream_chain *chain)
{
    ref_put64(out + AT_OFFSET, END_OFFSET);
    ref_put32(out + AT_SIZE, 0);
    ref_put64(out + AT_RECORDS, chain->records);
    ref_put64(out + AT_BYTES, chain->bytes);
    chain->crc = chained(chain->crc, out, out + AT_RECORDS, REF_STREAM_END - AT_RECORDS);
    ref_put32(out + AT_CRC, chain->crc);
}

/* ---- taking apart ---- */

int ref_stream_open(ref_stream *stream)
{
    *stream = (ref_stream){.need = REF_STREAM_HEADER};
    stream->buffer = malloc(REF_STREAM_RECORD + REF_STREAM_BYTES_MAX);
    return stream->buffer != NULL ? 0 : ref_fail(ENOMEM, "change information");
}

void ref_stream_close(ref_stream *stream)
{
    free(stream->buffer);
    *stream = (ref_stream){0};
}

static int damaged(const ref_stream *stream, const char *why)
{
    return ref_fail(REF_CORRUPT, "change information: before byte %llu: %s",
        (unsigned long long)stream->taken, why);
}

static int take_header(ref_stream *stream, const ref_stream_sink *sink)
{
    const uint8_t *at = stream->buffer;
    ref_stream_header *header = &stream->header;

    if (memcmp(at, MAGIC, 8) != 0) {
        return damaged(stream, "this is no change information");
    }
    stream->chain.crc = ref_crc32c(0, at, AT_HEADER_CRC);
    if (ref_get32(at + AT_HEADER_CRC) != stream->chain.crc) {
        return damaged(stream, "bad checksum of the header");
    }
    if (ref_get32(at + AT_VERSION) != VERSION) {
        return ref_fail(REF_VERSION, "change information: version %u, this program reads %u",
            ref_get32(at + AT_VERSION), VERSION);
    }
    header->page_size = ref_get32(at + AT_PAGE_SIZE);
    memcpy(&header->nonce, at + AT_NONCE, sizeof header->nonce);
    memcpy(&header->file, at + AT_FILE, sizeof header->file);
    header->start_size = ref_get64(at + AT_START_SIZE);
    if (!ref_page_size_valid(header->page_size)) {
        return damaged(stream, "the header has no valid page size");
    }
    stream->state = REF_STREAM_AT_RECORD;
    stream->need = REF_STREAM_RECORD;
    return sink->header(sink->context, header);
}

/* The front of a record, or the first half of the end. */
static int take_front(ref_stream *stream)
{
    uint64_t offset = ref_get64(stream->buffer + AT_OFFSET);
    uint32_t size = ref_get32(stream->buffer + AT_SIZE);

    stream->crc = ref_get32(stream->buffer + AT_CRC);
    if (offset == END_OFFSET && size == 0) {
        stream->state = REF_STREAM_AT_TOTALS;
        stream->need = REF_STREAM_END;
        return 0;
    }
    if (size == 0 || size > REF_STREAM_BYTES_MAX || offset < stream->floor ||
        offset > stream->header.start_size || size > stream->header.start_size - offset) {
        return damaged(stream, "a record of no possible place or size");
    }
    stream->offset = offset;
    stream->floor = offset + size;
    stream->state = REF_STREAM_AT_BYTES;
    stream->need = REF_STREAM_RECORD + size;
    return 0;
}

static int take_bytes(ref_stream *stream, const ref_stream_sink *sink)
{
    uint8_t *bytes = stream->buffer + REF_STREAM_RECORD;
    size_t size = stream->have - REF_STREAM_RECORD;

    stream->chain.crc = chained(stream->chain.crc, stream->buffer, bytes, size);
    if (stream->chain.crc != stream->crc) {
        return damaged(stream, "bad checksum: damaged, or something before it is missing");
    }
    stream->chain.records++;
    stream->chain.bytes += size;
    stream->state = REF_STREAM_AT_RECORD;
    stream->need = REF_STREAM_RECORD;
    return sink->record(sink->context, stream->offset, bytes, (uint32_t)size);
}

static int take_totals(ref_stream *stream)
{
    const uint8_t *totals = stream->buffer + AT_RECORDS;

    if (chained(stream->chain.crc, stream->buffer, totals, REF_STREAM_END - AT_RECORDS) !=
            stream->crc ||
        ref_get64(stream->buffer + AT_RECORDS) != stream->chain.records ||
        ref_get64(stream->buffer + AT_BYTES) != stream->chain.bytes) {
        return damaged(stream, "the end does not fit what came before it");
    }
    stream->state = REF_STREAM_ENDED;
    stream->need = 0;
    return 0;
}

/* The buffer has what is needed next. */
static int take(ref_stream *stream, const ref_stream_sink *sink)
{
    int error = 0;
    switch (stream->state) {
    case REF_STREAM_AT_HEADER:
        error = take_header(stream, sink);
        break;
    case REF_STREAM_AT_RECORD: /* its bytes, or the totals, come behind it in the buffer */
        return take_front(stream);
    case REF_STREAM_AT_BYTES:
        error = take_bytes(stream, sink);
        break;
    case REF_STREAM_AT_TOTALS:
        error = take_totals(stream);
        break;
    case REF_STREAM_ENDED:
        break;
    }
    stream->have = 0;
    return error;
}

int ref_stream_feed(ref_stream *stream, const void *data, size_t size, const ref_stream_sink *sink)
{
    const uint8_t *from = data;
    while (size > 0) {
        if (stream->state == REF_STREAM_ENDED) {
            return damaged(stream, "more behind the end");
        }
        size_t part = stream->need - stream->have;
        part = part < size ? part : size;
        memcpy(stream->buffer + stream->have, from, part);
        stream->have += part;
        stream->taken += part;
        from += part;
        size -= part;
        if (stream->have == stream->need) {
            int error = take(stream, sink);
            if (error != 0) {
                return error;
            }
        }
    }
    return 0;
}
