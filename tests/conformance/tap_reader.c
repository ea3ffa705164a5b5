/* A strict reader of TAP 14: see tap_reader.h. */
#include "tap_reader.h"

#include "runner/text.h"
#include "testmain.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The next line, which the caller frees; NULL at the end. */
static char *next_line(const char **text)
{
    size_t length = strcspn(*text, "\n");
    if ((*text)[0] == '\0') {
        return NULL;
    }
    if ((*text)[length] != '\n') {
        fail_msg("the last line does not end");
    }
    char *line = hp_format("%.*s", (int)length, *text);
    *text += length + 1;
    return line;
}

static bool starts_with(const char *line, const char *prefix)
{
    return strncmp(line, prefix, strlen(prefix)) == 0;
}

/* \# and \\ undone; any other use of a backslash is refused. Stops before an unescaped " # "; *rest
 * is what follows it, or NULL. */
static char *unescaped(const char *text, const char **rest)
{
    char *plain = hp_allocate(strlen(text) + 1, 1);
    char *to = plain;
    *rest = NULL;
    for (; *text != '\0'; text++) {
        if (*text == '\\') {
            text++;
            if (*text != '\\' && *text != '#') {
                fail_msg("a backslash before '%c'", *text);
            }
        } else if (starts_with(text, " # ")) {
            *rest = text + 3;
            break;
        } else if (*text == '#') {
            fail_msg("an unescaped # that is no delimiter: %s", text);
        }
        *to++ = *text;
    }
    return plain;
}

static void read_point(const char *line, tap_document *document)
{
    tap_point point = {.ok = starts_with(line, "ok ")};
    const char *at = line + (point.ok ? strlen("ok ") : strlen("not ok "));
    char *end;
    assert_int_equal(strtoul(at, &end, 10), document->count + 1);
    assert_true(starts_with(end, " - "));
    assert_false(isspace((unsigned char)end[3]));
    const char *directive, *more;
    point.description = unescaped(end + 3, &directive);
    point.directive = hp_format("%s", "");
    point.reason = hp_format("%s", "");
    if (directive != NULL) {
        assert_true(starts_with(directive, "TODO ") || starts_with(directive, "SKIP "));
        free(point.directive);
        free(point.reason);
        point.directive = hp_format("%.4s", directive);
        point.reason = unescaped(directive + 5, &more);
        assert_null(more);
    }
    document->points = realloc(document->points, (document->count + 1) * sizeof *document->points);
    assert_non_null(document->points);
    document->points[document->count++] = point;
}

/* A scalar as it stands behind "key: ": quoted as in JSON, or a number. */
static json_t *read_scalar(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    if (value == NULL) {
        fail_msg("no scalar: %s", text);
    }
    return value;
}

/* A literal block below a key: all lines that are indented by four. */
static json_t *read_block(const char **text)
{
    char *block = hp_format("%s", "");
    assert_false(isspace((unsigned char)(*text)[4])); /* it would set the indentation */
    while (starts_with(*text, "    ")) {
        char *line = next_line(text);
        char *longer = hp_format("%s%s\n", block, line + 4);
        free(block);
        free(line);
        block = longer;
    }
    json_t *value = json_string(block);
    assert_non_null(value); /* it is UTF-8 */
    free(block);
    return value;
}

static json_t *read_list(const char **text)
{
    json_t *list = json_array();
    while (starts_with(*text, "    - ")) {
        char *line = next_line(text);
        json_array_append_new(list, read_scalar(line + 6));
        free(line);
    }
    return list;
}

/* What follows "  ---". */
static json_t *read_diagnostics(const char **text)
{
    json_t *object = json_object();
    for (char *line; (line = next_line(text)) != NULL;) {
        if (strcmp(line, "  ...") == 0) {
            free(line);
            return object;
        }
        char *colon = strchr(line, ':');
        assert_true(starts_with(line, "  ") && isalpha((unsigned char)line[2]));
        assert_non_null(colon);
        *colon = '\0';
        const char *value = colon + 1;
        assert_null(json_object_get(object, line + 2));
        json_object_set_new(object, line + 2,
            value[0] == '\0'           ? read_list(text)
            : strcmp(value, " |") == 0 ? read_block(text)
                                       : read_scalar(value + 1));
        free(line);
    }
    fail_msg("a block that does not end");
    return NULL;
}

static void read_line(const char *line, const char **text, tap_document *document)
{
    tap_point *last = document->count > 0 ? &document->points[document->count - 1] : NULL;
    if (starts_with(line, "ok ") || starts_with(line, "not ok ")) {
        read_point(line, document);
    } else if (strcmp(line, "  ---") == 0) {
        assert_non_null(last);
        assert_null(last->diagnostics);
        last->diagnostics = read_diagnostics(text);
    } else if (starts_with(line, "Bail out! ")) {
        assert_int_equal((*text)[0], '\0');
        document->bail_out = hp_format("%s", line + strlen("Bail out! "));
    } else if (line[0] != '#') {
        fail_msg("not a line of TAP: %s", line);
    }
}

tap_document tap_read(const char *text)
{
    tap_document document = {0};
    char *line = next_line(&text);
    assert_string_equal(line, "TAP version 14");
    free(line);
    line = next_line(&text);
    assert_true(starts_with(line, "1.."));
    document.plan = strtoul(line + 3, NULL, 10);
    free(line);
    while ((line = next_line(&text)) != NULL) {
        read_line(line, &text, &document);
        free(line);
    }
    assert_true(document.count <= document.plan);
    return document;
}

void tap_free(tap_document *document)
{
    for (size_t i = 0; i < document->count; i++) {
        free(document->points[i].description);
        free(document->points[i].directive);
        free(document->points[i].reason);
        json_decref(document->points[i].diagnostics);
    }
    free(document->points);
    free(document->bail_out);
    *document = (tap_document){0};
}

bool tap_passed(const tap_document *document)
{
    bool passed = document->bail_out == NULL && document->count == document->plan;
    for (size_t i = 0; i < document->count; i++) {
        const tap_point *point = &document->points[i];
        passed = passed && (point->ok || point->directive[0] != '\0');
    }
    return passed;
}
