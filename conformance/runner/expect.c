/* Expectation files: see expect.h. */
#include "expect.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 5 };

static char *trimmed(char *text)
{
    while (isspace((unsigned char)*text)) {
        text++;
    }
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1])) {
        text[--length] = '\0';
    }
    return text;
}

/* Splits at bars, in place. Returns the number of fields; FIELDS + 1 means too many. */
static int split(char *line, char *fields[FIELDS])
{
    int count = 0;
    for (char *rest = line; rest != NULL;) {
        char *field = strsep(&rest, "|");
        if (count == FIELDS) {
            return FIELDS + 1;
        }
        fields[count++] = trimmed(field);
    }
    return count;
}

static int parse_results(char *text, hp_departure *departure, hp_error *error)
{
    static const char keyword[] = "unstable";
    size_t word = strcspn(text, " \t");
    unsigned allowed = 1u << HP_RESULT_FAIL | 1u << HP_RESULT_CRASH | 1u << HP_RESULT_TIMEOUT;
    int count = 0;
    if (word == sizeof keyword - 1 && strncmp(text, keyword, word) == 0) {
        departure->unstable = true;
        allowed |= 1u << HP_RESULT_PASS;
        text += word;
    }
    for (char *rest = text; rest != NULL; count++) {
        char *name = trimmed(strsep(&rest, ","));
        hp_result result = hp_result_parse(name, strlen(name));
        if (result == HP_RESULT_COUNT || (allowed & 1u << result) == 0) {
            return hp_fail(error, "'%s' is not FAIL, CRASH or TIMEOUT%s", name,
                departure->unstable ? " or PASS" : "");
        }
        departure->results |= 1u << result;
    }
    if (departure->unstable && count < 2) {
        return hp_fail(error, "unstable needs two results or more");
    }
    if (!departure->unstable && count > 1) {
        return hp_fail(error, "several results need the word unstable before them");
    }
    return 0;
}

static int parse_line(char *line, hp_departure *departure, hp_error *error)
{
    char *fields[FIELDS] = {NULL};
    int count = split(line, fields);
    if (count < 4 || count > FIELDS) {
        return hp_fail(error, "expected `case | result | since | reason | reference`");
    }
    if (fields[0][0] == '\0' || fields[2][0] == '\0') {
        return hp_fail(error, "the %s is empty", fields[0][0] == '\0' ? "case" : "since");
    }
    if (fields[3][0] == '\0') {
        return hp_fail(error, "the reason is empty");
    }
    if (parse_results(fields[1], departure, error) != 0) {
        return -1;
    }
    departure->name = hp_format("%s", fields[0]);
    departure->since = hp_format("%s", fields[2]);
    departure->reason = hp_format("%s", fields[3]);
    departure->reference = hp_format("%s", count == FIELDS ? fields[4] : "");
    return 0;
}

static int add_line(hp_expectations *expectations, char *line, int number, hp_error *error)
{
    hp_error reason;
    char *text = trimmed(line);
    if (text[0] == '\0' || text[0] == '#') {
        return 0;
    }
    hp_departure departure = {.line = number};
    if (parse_line(text, &departure, &reason) != 0) {
        return hp_fail(error, "%s:%d: %s", expectations->file, number, reason.text);
    }
    const hp_departure *earlier = hp_expectations_find(expectations, departure.name);
    if (earlier != NULL) {
        hp_fail(error, "%s:%d: %s is listed in line %d already", expectations->file, number,
            departure.name, earlier->line);
    }
    hp_departure *longer = hp_allocate(expectations->count + 1, sizeof *longer);
    if (expectations->count > 0) {
        memcpy(longer, expectations->items, expectations->count * sizeof *longer);
    }
    free(expectations->items);
    expectations->items = longer;
    expectations->items[expectations->count++] = departure;
    return earlier != NULL ? -1 : 0;
}

int hp_expectations_read(const char *file, hp_expectations *expectations, hp_error *error)
{
    *expectations = (hp_expectations){.file = hp_format("%s", file)};
    FILE *input = fopen(file, "re");
    if (input == NULL) {
        return errno == ENOENT ? 0 : hp_fail(error, "%s: %s", file, strerror(errno));
    }
    char *line = NULL;
    size_t room = 0;
    int status = 0;
    for (int number = 1; status == 0 && getline(&line, &room, input) >= 0; number++) {
        status = add_line(expectations, line, number, error);
    }
    free(line);
    fclose(input);
    return status;
}

void hp_expectations_free(hp_expectations *expectations)
{
    for (size_t i = 0; i < expectations->count; i++) {
        free(expectations->items[i].name);
        free(expectations->items[i].since);
        free(expectations->items[i].reason);
        free(expectations->items[i].reference);
    }
    free(expectations->items);
    free(expectations->file);
    *expectations = (hp_expectations){0};
}

const hp_departure *hp_expectations_find(const hp_expectations *expectations, const char *name)
{
    for (size_t i = 0; i < expectations->count; i++) {
        if (strcmp(expectations->items[i].name, name) == 0) {
            return &expectations->items[i];
        }
    }
    return NULL;
}

hp_result hp_expectations_apply(const hp_departure *departure, hp_result raw)
{
    if (departure == NULL) {
        return raw;
    }
    if ((departure->results & 1u << raw) != 0) {
        return raw == HP_RESULT_PASS ? HP_RESULT_PASS : HP_RESULT_XFAIL;
    }
    return raw == HP_RESULT_PASS ? HP_RESULT_XPASS : raw;
}
