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

/* Ends the program with status 3. For memory that a library could not get. */
_Noreturn void hp_out_of_memory(void);

/* Memory, zeroed; never NULL. */
void *hp_allocate(size_t count, size_t size);

/* A new JSON string that every report can carry. Bytes that are no UTF-8 become \xNN, and so do
 * characters that a terminal would obey or that XML, YAML or a reader of lines cannot take:
 * controls but tab and newline, line separators, byte order marks. */
json_t *hp_json_text(const char *bytes);

/* Makes every string value in `value` one of hp_json_text(). For JSON from outside. */
void hp_json_clean(json_t *value);

/* The string member `key` of an object, or "". Owned by the object. */
const char *hp_json_get(const json_t *object, const char *key);

/* `word` as one word for the shell, quoted if it needs to be. The caller frees it. */
char *hp_shell_word(const char *word);

/* The whole file as a string, at most `limit` bytes of its end; NULL if it cannot be read. The
 * caller frees it. */
char *hp_read_tail(const char *path, size_t limit);

/* True if `name` matches one of the shell patterns, or if there are none. */
int hp_matches(const char *name, char *const *patterns, size_t count);

#endif
