/* Little-endian integers at any address: every on-disk format is written with these. */
#ifndef REF_BYTES_H
#define REF_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "hotref's formats are little-endian and read in place"
#endif

#define REF_BYTES_ACCESSORS(bits)                                       \
    static inline uint##bits##_t ref_get##bits(const uint8_t *at)       \
    {                                                                   \
        uint##bits##_t value;                                           \
        memcpy(&value, at, sizeof value);                               \
        return value;                                                   \
    }                                                                   \
    static inline void ref_put##bits(uint8_t *at, uint##bits##_t value) \
    {                                                                   \
        memcpy(at, &value, sizeof value);                               \
    }

REF_BYTES_ACCESSORS(16)
REF_BYTES_ACCESSORS(32)
REF_BYTES_ACCESSORS(64)

#undef REF_BYTES_ACCESSORS

/* A 128-bit identity: of a database file, of an environment. All zero means none. */
typedef struct ref_id {
    uint8_t bytes[16];
} ref_id;

static inline int ref_id_equal(const ref_id *a, const ref_id *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static inline int ref_id_is_none(const ref_id *id)
{
    return ref_id_equal(id, &(ref_id){{0}});
}

/* CRC32C of the bytes. `crc` continues an earlier result; 0 starts. */
uint32_t ref_crc32c(uint32_t crc, const void *data, size_t size);

#endif
