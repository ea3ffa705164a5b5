/*
 * Content in blocks of 4 KiB that many disks share.
 *
 * A map is the content of a file: a row of blocks, NULL for zeros. Maps and blocks are counted and
 * copied before they are changed when somebody else has them too, so a clone costs nothing until
 * something is written. A map that is NULL is empty. Counts are atomic: clones may be used in
 * threads of their own.
 *
 * There is no error for want of memory: the process ends with a message. A disk that is half
 * changed would prove nothing.
 */
#ifndef FAULT_DISK_BLOCK_H
#define FAULT_DISK_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../hash.h"

#define FAULT_BLOCK 4096u

typedef struct fault_block {
    _Atomic uint32_t refs;
    _Atomic uint64_t hash; /* 0: not computed yet */
    uint8_t bytes[FAULT_BLOCK];
} fault_block;

typedef struct fault_map {
    _Atomic uint32_t refs;
    uint32_t slots, room;
    uint32_t filled; /* slots that are not NULL */
    fault_block *at[];
} fault_map;

/* Counted bytes: what a write wrote, or a name (with a '\0' behind that `size` leaves out). */
typedef struct fault_bytes {
    _Atomic uint32_t refs;
    uint32_t size;
    uint8_t at[];
} fault_bytes;

/* Ends the process when there is no memory. The second one gives zeros. */
void *fault_need(void *memory);
void *fault_need_zeroed(size_t size);
/* Room for one element more in a growing array. */
void *fault_grow(void *array, uint32_t count, uint32_t *room, size_t element);

fault_block *fault_block_new(void); /* zeros */
fault_block *fault_block_share(fault_block *block);
void fault_block_drop(fault_block *block);

fault_map *fault_map_share(fault_map *map);
void fault_map_drop(fault_map *map);
void fault_map_read(const fault_map *map, uint64_t offset, void *out, size_t size);
void fault_map_write(fault_map **map, uint64_t offset, const void *bytes, size_t size);
/* Zeros from there on; blocks beyond are given back. */
void fault_map_cut(fault_map **map, uint64_t size);
/* Sets one block, which is taken over. */
void fault_map_set(fault_map **map, uint32_t slot, fault_block *block);
fault_block *fault_map_get(const fault_map *map, uint32_t slot);
bool fault_map_equals(const fault_map *map, uint64_t offset, const void *bytes, size_t size);
bool fault_map_zero(const fault_map *map, uint64_t from, uint64_t to);
uint64_t fault_map_hash(const fault_map *map);

fault_bytes *fault_bytes_new(const void *bytes, size_t size);
fault_bytes *fault_bytes_share(fault_bytes *bytes);
void fault_bytes_drop(fault_bytes *bytes);
const char *fault_bytes_text(const fault_bytes *bytes); /* "" for NULL */

/* Mixes a number into a hash (faults/hash.h). */
uint64_t fault_hash_number(uint64_t hash, uint64_t number);

#endif
