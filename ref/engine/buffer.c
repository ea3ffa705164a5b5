/* Bytes owned by the caller and grown by the engine. */
#include "btree.h"
#include "error.h"

#include <errno.h>
#include <stdlib.h>

int ref_buffer_reserve(ref_buffer *buffer, size_t size)
{
    if (buffer->data != NULL && size <= buffer->capacity) {
        return 0;
    }
    /* Doubling keeps a walk over growing records from allocating at each of them. */
    size_t capacity = buffer->capacity < 32 ? 64 : buffer->capacity * 2;
    if (capacity < size) {
        capacity = size;
    }
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        return ref_fail(ENOMEM, "a buffer of %zu bytes", capacity);
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

int ref_buffer_set(ref_buffer *buffer, const void *data, size_t size)
{
    int error = ref_buffer_reserve(buffer, size);
    if (error != 0) {
        return error;
    }
    if (size != 0) {
        memmove(buffer->data, data, size);
    }
    buffer->size = size;
    return 0;
}

void ref_buffer_free(ref_buffer *buffer)
{
    free(buffer->data);
    *buffer = (ref_buffer){0};
}
