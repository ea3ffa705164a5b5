/*
 * Where things lie in a trace: FORMAT.md in numbers.
 */
#ifndef FAULT_TRACE_FORMAT_H
#define FAULT_TRACE_FORMAT_H

#include <string.h>

#include "../hash.h"
#include "trace.h"

#define FAULT_TRACE_MAGIC "HOTTRACE"
#define FAULT_TRACE_VERSION 1u
#define FAULT_TRACE_BLOCK 4096u /* payloads are stored in pieces of this size */

/* header */
enum {
    FAULT_AT_VERSION = 8,
    FAULT_AT_FLAGS = 12,
    FAULT_AT_SEED = 16,
    FAULT_AT_RECORDS = 24,
    FAULT_AT_PLAN_SIZE = 32,
    FAULT_AT_CONTENT_SIZE = 40,
    FAULT_AT_CONTENTS = 48,
    FAULT_AT_RESERVED = 52,
    FAULT_TRACE_HEADER = 64
};

enum { FAULT_FLAG_PAYLOADS = 1, FAULT_FLAG_CUT_SHORT = 2, FAULT_FLAGS_KNOWN = 3 };

/* record */
enum {
    FAULT_AT_THREAD = 0,
    FAULT_AT_OP = 4,
    FAULT_AT_ACTION = 5,
    FAULT_AT_RESULT = 6,
    FAULT_AT_INODE = 8,
    FAULT_AT_OFFSET = 16,
    FAULT_AT_SIZE = 24,
    FAULT_AT_DONE = 32,
    FAULT_AT_TIME = 40,
    FAULT_AT_PATH = 48,
    FAULT_AT_TO = 52,
    FAULT_AT_DATA = 56,
    FAULT_AT_RULE = 60,
    FAULT_TRACE_RECORD = 64
};

/* content */
enum {
    FAULT_AT_HASH = 0,
    FAULT_AT_BYTES = 8,
    FAULT_AT_KIND = 12,
    FAULT_AT_UNUSED = 13, /* 3 zeros */
    FAULT_CONTENT_HEADER = 16
};

typedef enum fault_content_kind {
    FAULT_CONTENT_STRING = 1, /* with its NUL */
    FAULT_CONTENT_BLOCK,      /* at most FAULT_TRACE_BLOCK bytes of a payload */
    FAULT_CONTENT_LIST        /* numbers of the blocks of a payload, in order */
} fault_content_kind;

#define FAULT_PADDED(size) (((size) + 7) & ~(uint64_t)7)

static inline uint32_t fault_get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t fault_get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void fault_put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline void fault_put64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

#endif
