/* Put before every source of the engine that the sweeps are linked with: its allocations, and
 * nobody else's, can be made to fail. */
#ifndef SWEEP_ALLOCATIONS_H
#define SWEEP_ALLOCATIONS_H

#include <stdlib.h>
#include <string.h>

void *sweep_malloc(size_t size);
void *sweep_calloc(size_t count, size_t size);
void *sweep_realloc(void *old, size_t size);
void *sweep_aligned_alloc(size_t alignment, size_t size);
char *sweep_strdup(const char *text);
char *sweep_strndup(const char *text, size_t size);

#ifndef SWEEP_ALLOCATES
#undef strdup
#undef strndup
#define malloc(size) sweep_malloc(size)
#define calloc(count, size) sweep_calloc(count, size)
#define realloc(old, size) sweep_realloc(old, size)
#define aligned_alloc(alignment, size) sweep_aligned_alloc(alignment, size)
#define strdup(text) sweep_strdup(text)
#define strndup(text, size) sweep_strndup(text, size)
#endif

#endif
