/* A reader of TAP 14 that takes nothing but what the specification says a producer must write; the
 * test fails at anything else. */
#ifndef TAP_READER_H
#define TAP_READER_H

#include <jansson.h>
#include <stdbool.h>

typedef struct tap_point {
    bool ok;
    char *description;
    char *directive; /* "TODO", "SKIP" or "" */
    char *reason;
    json_t *diagnostics; /* an object, as the YAML block has it; NULL: no block */
} tap_point;

typedef struct tap_document {
    size_t plan, count;
    tap_point *points; /* in the order of their numbers, which is that of the text */
    char *bail_out;    /* NULL: none */
} tap_document;

tap_document tap_read(const char *text);
void tap_free(tap_document *document);

/* What a harness says: all points there, each ok or TODO or SKIP, no bail-out. */
bool tap_passed(const tap_document *document);

#endif
