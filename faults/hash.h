/*
 * One 64-bit hash for the room: of paths, of a plan's dice, of what traces and disks hold.
 *
 * It is no defence against whoever looks for collisions: where one would matter, bytes are compared
 * too. FORMAT.md describes it, because traces hold its values.
 */
#ifndef FAULT_HASH_H
#define FAULT_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "traces are little-endian and read in place"
#endif

#define FAULT_HASH_FACTOR 0x9e3779b97f4a7c15u

/* A permutation of the 64-bit numbers in which every bit depends on every bit. */
static inline uint64_t fault_hash_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Of `size` bytes; other seeds give other hashes. */
static inline uint64_t fault_hash(uint64_t seed, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t hash = seed ^ (uint64_t)size * FAULT_HASH_FACTOR;

    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = ((hash << 23 | hash >> 41) ^ word) * FAULT_HASH_FACTOR;
    }
    if (size > 0) {
        uint64_t word = 0;
        memcpy(&word, at, size);
        hash = ((hash << 23 | hash >> 41) ^ word) * FAULT_HASH_FACTOR;
    }
    return fault_hash_mix(hash);
}

#endif
