/*
 * Text for the rest of the runner: formatted strings, error messages, JSON strings from bytes of
 * any kind. Memory that cannot be had ends the program: the kit has nothing sensible left to do.
 */
#ifndef HP_TEXT_H
#define HP_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* One error message. Functions that take one fill it when they return -1 and leave it alone
 * otherwise. */
typedef struct hp_error {
    char text[1024];
} hp_error;

/* Fills `error`; returns -1, so that a caller can write `return hp_fail(...)`. */
int hp_fail(hp_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A formatted string; the caller frees it. Never NULL. */
char *hp_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Memory, zeroed; never NULL. */
void *hp_allocate(size_t count, size_t size);

/* A new JSON string. Bytes that are no UTF-8, and control characters that XML cannot carry, become
 * \xNN. */
json_t *hp_json_text(const char *bytes);

/* The string member `key` of an object, or "". Owned by the object. */
const char *hp_json_get(const json_t *object, const char *key);

/* The whole file as a string, at most `limit` bytes of its end; NULL if it cannot be read. The
 * caller frees it. */
char *hp_read_tail(const char *path, size_t limit);

/* True if `name` matches one of the shell patterns, or if there are none. */
int hp_matches(const char *name, char *const *patterns, size_t count);

#endif
