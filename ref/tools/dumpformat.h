/*
 * Berkeley DB's portable dump format, as db_dump writes and db_load reads it.
 *
 *     VERSION=3
 *     format=bytevalue         or print
 *     type=btree
 *     db_pagesize=4096         and other keywords
 *     HEADER=END
 *      6b6579                  a space, then the key: two hexadecimal digits a byte, or, with
 *      76616c7565              format=print, the characters themselves, other bytes as \xx and
 *     DATA=END                 a backslash as two; a line for the value in the same way
 *
 * Keywords of the header that concern only how a file is laid out are passed over; one that means
 * something that a B+tree of ours cannot hold (duplicates, several databases in a file, record
 * numbers) is refused by name, since records loaded without it would not be the same database.
 *
 * Results: 0 or an error with words that begin with the input's name and the line.
 */
#ifndef TOOL_DUMPFORMAT_H
#define TOOL_DUMPFORMAT_H

#include "tool.h"

/* ---- writing; failures show in the stream's error flag ---- */

void tool_dump_write_header(FILE *to, bool print, uint32_t page_size);
void tool_dump_write_item(FILE *to, bool print, const uint8_t *bytes, size_t size);
void tool_dump_write_end(FILE *to);

/* ---- reading ---- */

/* Start from {.in, .name}; tool_dump_reader_free() when done. */
typedef struct tool_dump_reader {
    FILE *in;
    const char *name;
    uint64_t line; /* of the last line read, from 1 */
    bool print;
    char *text;
    size_t size; /* of the line, without its end */
    size_t capacity;
} tool_dump_reader;

typedef struct tool_dump_header {
    bool hash;          /* the records come from a hash database */
    uint32_t page_size; /* 0: not said */
    uint64_t type_line; /* where it says so */
} tool_dump_header;

/* Reads up to HEADER=END. */
int tool_dump_read_header(tool_dump_reader *reader, tool_dump_header *out);

/* Takes NAME=VALUE into the header, as if it stood there; `where` begins the words of an error.
 * Only what a header may say beside format, type and version. */
int tool_dump_keyword(const char *where, const char *text, tool_dump_header *out);

/* Reads the next record. REF_NOTFOUND, without words, at DATA=END. */
int tool_dump_read_record(tool_dump_reader *reader, ref_buffer *key, ref_buffer *value);

/* Fails unless nothing follows DATA=END. */
int tool_dump_read_end(tool_dump_reader *reader);

void tool_dump_reader_free(tool_dump_reader *reader);

#endif
