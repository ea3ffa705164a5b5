/* Blocks, maps of blocks, counted bytes: see block.h. */
#include "block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *fault_need(void *memory)
{
    if (memory == NULL) {
        fputs("disk in memory: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *fault_need_zeroed(size_t size)
{
    return fault_need(calloc(1, size));
}

void *fault_grow(void *array, uint32_t count, uint32_t *room, size_t element)
{
    if (count < *room) {
        return array;
    }
    *room = *room == 0 ? 4 : *room * 2;
    return fault_need(realloc(array, *room * element));
}

/* True when the caller was the last one. */
static bool release(_Atomic uint32_t *refs)
{
    return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

static void retain(_Atomic uint32_t *refs)
{
    atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
}

static bool mine(_Atomic uint32_t *refs)
{
    return atomic_load_explicit(refs, memory_order_acquire) == 1;
}

/* ---- blocks ---- */

static fault_block *block_raw(void)
{
    fault_block *block = fault_need(malloc(sizeof *block));
    atomic_init(&block->refs, 1);
    atomic_init(&block->hash, 0);
    return block;
}

fault_block *fault_block_new(void)
{
    fault_block *block = block_raw();
    memset(block->bytes, 0, sizeof block->bytes);
    return block;
}

fault_block *fault_block_share(fault_block *block)
{
    if (block != NULL) {
        retain(&block->refs);
    }
    return block;
}

void fault_block_drop(fault_block *block)
{
    if (block != NULL && release(&block->refs)) {
        free(block);
    }
}

/* ---- maps ---- */

fault_map *fault_map_share(fault_map *map)
{
    if (map != NULL) {
        retain(&map->refs);
    }
    return map;
}

void fault_map_drop(fault_map *map)
{
    if (map != NULL && release(&map->refs)) {
        for (uint32_t i = 0; i < map->slots; i++) {
            fault_block_drop(map->at[i]);
        }
        free(map);
    }
}

/* Makes the map the caller's alone, with at least so many slots. */
static fault_map *own(fault_map **at, uint32_t slots)
{
    fault_map *map = *at;
    uint32_t old = map != NULL ? map->slots : 0;
    if (slots < old) {
        slots = old;
    }
    if (map != NULL && mine(&map->refs) && slots <= map->room) {
        while (map->slots < slots) {
            map->at[map->slots++] = NULL;
        }
        return map;
    }
    uint32_t room = slots > old && old > 0 ? slots + slots / 2 : slots;
    fault_map *copy = fault_need(malloc(sizeof *copy + room * sizeof copy->at[0]));
    atomic_init(&copy->refs, 1);
    copy->slots = slots;
    copy->room = room;
    copy->filled = map != NULL ? map->filled : 0;
    for (uint32_t i = 0; i < slots; i++) {
        copy->at[i] = i < old ? fault_block_share(map->at[i]) : NULL;
    }
    fault_map_drop(map);
    *at = copy;
    return copy;
}

fault_block *fault_map_get(const fault_map *map, uint32_t slot)
{
    return map != NULL && slot < map->slots ? map->at[slot] : NULL;
}

void fault_map_set(fault_map **at, uint32_t slot, fault_block *block)
{
    if (block == NULL && fault_map_get(*at, slot) == NULL) {
        return;
    }
    fault_map *map = own(at, slot + 1);
    map->filled = map->filled + (block != NULL) - (map->at[slot] != NULL);
    fault_block_drop(map->at[slot]);
    map->at[slot] = block;
}

/* The block for writing: the caller's alone. `whole`: its bytes will all be written. */
static fault_block *writable(fault_map *map, uint32_t slot, bool whole)
{
    fault_block *old = map->at[slot];
    if (old != NULL && mine(&old->refs)) {
        atomic_store_explicit(&old->hash, 0, memory_order_relaxed);
        return old;
    }
    fault_block *block = old == NULL && !whole ? fault_block_new() : block_raw();
    if (old != NULL && !whole) {
        memcpy(block->bytes, old->bytes, sizeof block->bytes);
    }
    map->filled += old == NULL;
    fault_block_drop(old);
    map->at[slot] = block;
    return block;
}

/* How much of a range lies in its first block. */
static size_t part_of(uint64_t offset, size_t size)
{
    size_t part = FAULT_BLOCK - (size_t)(offset % FAULT_BLOCK);
    return part < size ? part : size;
}

void fault_map_read(const fault_map *map, uint64_t offset, void *out, size_t size)
{
    uint8_t *to = out;
    while (size > 0) {
        size_t part = part_of(offset, size);
        const fault_block *block = fault_map_get(map, (uint32_t)(offset / FAULT_BLOCK));
        if (block != NULL) {
            memcpy(to, block->bytes + offset % FAULT_BLOCK, part);
        } else {
            memset(to, 0, part);
        }
        to += part;
        offset += part;
        size -= part;
    }
}

void fault_map_write(fault_map **at, uint64_t offset, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    if (size == 0) {
        return;
    }
    fault_map *map = own(at, (uint32_t)((offset + size - 1) / FAULT_BLOCK) + 1);
    while (size > 0) {
        size_t part = part_of(offset, size);
        fault_block *block =
            writable(map, (uint32_t)(offset / FAULT_BLOCK), part == FAULT_BLOCK);
        memcpy(block->bytes + offset % FAULT_BLOCK, from, part);
        from += part;
        offset += part;
        size -= part;
    }
}

void fault_map_cut(fault_map **at, uint64_t size)
{
    uint32_t first = (uint32_t)((size + FAULT_BLOCK - 1) / FAULT_BLOCK);
    uint32_t inside = (uint32_t)(size % FAULT_BLOCK);
    if (*at == NULL) {
        return;
    }
    if (first < (*at)->slots) {
        fault_map *map = own(at, 0);
        for (uint32_t i = first; i < map->slots; i++) {
            map->filled -= map->at[i] != NULL;
            fault_block_drop(map->at[i]);
        }
        map->slots = first;
    }
    if (inside > 0 && fault_map_get(*at, first - 1) != NULL &&
        !fault_map_zero(*at, size, (uint64_t)first * FAULT_BLOCK)) {
        fault_block *block = writable(own(at, 0), first - 1, false);
        memset(block->bytes + inside, 0, FAULT_BLOCK - inside);
    }
}

bool fault_map_equals(const fault_map *map, uint64_t offset, const void *bytes, size_t size)
{
    static const uint8_t zeros[FAULT_BLOCK];
    const uint8_t *from = bytes;
    while (size > 0) {
        size_t part = part_of(offset, size);
        const fault_block *block = fault_map_get(map, (uint32_t)(offset / FAULT_BLOCK));
        if (memcmp(block != NULL ? block->bytes + offset % FAULT_BLOCK : zeros, from, part) != 0) {
            return false;
        }
        from += part;
        offset += part;
        size -= part;
    }
    return true;
}

bool fault_map_zero(const fault_map *map, uint64_t from, uint64_t to)
{
    static const uint8_t zeros[FAULT_BLOCK];
    uint64_t end = map != NULL ? (uint64_t)map->slots * FAULT_BLOCK : 0;
    to = to < end ? to : end;
    while (from < to) {
        size_t part = part_of(from, (size_t)(to - from));
        if (!fault_map_equals(map, from, zeros, part)) {
            return false;
        }
        from += part;
    }
    return true;
}

/* ---- hashes ---- */

uint64_t fault_hash_number(uint64_t hash, uint64_t number)
{
    return fault_hash_mix(hash * FAULT_HASH_FACTOR + number);
}

static uint64_t block_hash(fault_block *block)
{
    uint64_t hash = atomic_load_explicit(&block->hash, memory_order_relaxed);
    if (hash == 0) {
        hash = fault_hash(1, block->bytes, FAULT_BLOCK) | 1;
        atomic_store_explicit(&block->hash, hash, memory_order_relaxed);
    }
    return hash;
}

uint64_t fault_map_hash(const fault_map *map)
{
    static const uint8_t zeros[FAULT_BLOCK];
    uint64_t nothing = fault_hash(1, zeros, FAULT_BLOCK) | 1, sum = 0;
    for (uint32_t i = 0; map != NULL && i < map->slots; i++) {
        uint64_t hash = map->at[i] != NULL ? block_hash(map->at[i]) : nothing;
        sum += hash != nothing ? fault_hash_number(hash, i) : 0;
    }
    return sum;
}

/* ---- bytes ---- */

fault_bytes *fault_bytes_new(const void *from, size_t size)
{
    fault_bytes *bytes = fault_need(malloc(sizeof *bytes + size + 1));
    atomic_init(&bytes->refs, 1);
    bytes->size = (uint32_t)size;
    memcpy(bytes->at, from, size);
    bytes->at[size] = '\0';
    return bytes;
}

fault_bytes *fault_bytes_share(fault_bytes *bytes)
{
    if (bytes != NULL) {
        retain(&bytes->refs);
    }
    return bytes;
}

void fault_bytes_drop(fault_bytes *bytes)
{
    if (bytes != NULL && release(&bytes->refs)) {
        free(bytes);
    }
}

const char *fault_bytes_text(const fault_bytes *bytes)
{
    return bytes != NULL ? (const char *)bytes->at : "";
}
