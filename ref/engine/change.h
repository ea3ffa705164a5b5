/*
 * The change stream's bytes: made here, and taken apart here, in whatever pieces they come.
 *
 *     header | record, bytes | record, bytes | ... | end
 *
 * A record's checksum goes over everything before it too, so that a stream that is damaged, cut,
 * put together from two, or out of order is found out at the first record that is wrong, before a
 * byte of it is used. Records come in the order of their offsets and do not overlap. FORMAT.md has
 * the layout as a table. Nothing here knows what the bytes are for.
 */
#ifndef REF_CHANGE_H
#define REF_CHANGE_H

#include "bytes.h"

#define REF_STREAM_HEADER 60u
#define REF_STREAM_RECORD 16u /* in front of a record's bytes */
#define REF_STREAM_END 32u
#define REF_STREAM_BYTES_MAX 65536u /* of one record */

typedef struct ref_stream_header {
    uint32_t page_size;
    ref_id nonce; /* of the capture */
    ref_id file;  /* identity of the database */
    uint64_t start_size;
} ref_stream_header;

/* ---- making ---- */

/* What the next record's checksum goes on from; also what has been counted for the end. */
typedef struct ref_stream_chain {
    uint32_t crc;
    uint64_t records;
    uint64_t bytes;
} ref_stream_chain;

void ref_stream_put_header(
    uint8_t out[REF_STREAM_HEADER], const ref_stream_header *header, ref_stream_chain *chain);
/* What goes in front of `size` bytes, 1 to REF_STREAM_BYTES_MAX. */
void ref_stream_put_record(uint8_t out[REF_STREAM_RECORD], uint64_t offset, const uint8_t *bytes,
    uint32_t size, ref_stream_chain *chain);
void ref_stream_put_end(uint8_t out[REF_STREAM_END], ref_stream_chain *chain);

/* ---- taking apart ---- */

typedef enum ref_stream_state {
    REF_STREAM_AT_HEADER,
    REF_STREAM_AT_RECORD,
    REF_STREAM_AT_BYTES,
    REF_STREAM_AT_TOTALS,
    REF_STREAM_ENDED
} ref_stream_state;

/* Start from ref_stream_open(). The caller reads `state` only. */
typedef struct ref_stream {
    ref_stream_state state;
    ref_stream_header header; /* good from REF_STREAM_AT_RECORD on */
    ref_stream_chain chain;
    uint64_t taken;  /* bytes of the stream, for words */
    uint64_t offset; /* of the record in hand */
    uint64_t floor;  /* no later record begins before it */
    uint32_t crc;    /* that the record in hand should have */
    size_t have, need;
    uint8_t *buffer; /* one record at most */
} ref_stream;

/* Who gets what the stream says; a result other than 0 is ref_stream_feed()'s. */
typedef struct ref_stream_sink {
    void *context;
    int (*header)(void *context, const ref_stream_header *header);
    /* `bytes` may be changed. */
    int (*record)(void *context, uint64_t offset, uint8_t *bytes, uint32_t size);
} ref_stream_sink;

int ref_stream_open(ref_stream *stream); /* 0 or ENOMEM */
void ref_stream_close(ref_stream *stream);

/* The next bytes. REF_CORRUPT with words that name the place in the stream; after any failure the
 * stream is of no more use. */
int ref_stream_feed(ref_stream *stream, const void *data, size_t size, const ref_stream_sink *sink);

#endif
