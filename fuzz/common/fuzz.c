#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repair.h"

static uint64_t outcome, accepted;

_Noreturn void fuzz_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    const char *base = strrchr(file, '/');
    fprintf(stderr, "fuzz: broken promise: %s:%d: ", base != NULL ? base + 1 : file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n  last words of the engine: %s\n", ref_error_text());
    abort();
}

uint64_t fuzz_hash(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    hash ^= 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ at[i]) * 0x100000001b3u;
    }
    return hash;
}

void fuzz_note(const void *bytes, size_t size)
{
    outcome = fuzz_hash(outcome, bytes, size);
}

void fuzz_note_number(uint64_t number)
{
    fuzz_note(&number, sizeof number);
}

void fuzz_outcome_reset(void)
{
    outcome = 0;
}

uint64_t fuzz_outcome(void)
{
    return outcome;
}

void fuzz_note_accepted(void)
{
    accepted++;
}

uint64_t fuzz_accepted(void)
{
    return accepted;
}

void fuzz_check_words(int error, const char *call)
{
    const char *words = ref_error_text();
    fuzz_note_number((uint64_t)error);
    fuzz_note(words, strlen(words));
    if (words[0] == '\0') {
        FUZZ_FAIL("%s: result %d without words", call, error);
    }
    /* "NAME: what": a database is called by its name, which the input has made up. */
    if (strcspn(words, ":") == 0 || strstr(words, ": ") == NULL) {
        FUZZ_FAIL("%s: result %d, and the words name no file", call, error);
    }
}

/* ---- files ---- */

const char *fuzz_file_path(uint8_t name)
{
    switch (name) {
    case '1':
        return "/home/log.0000000001";
    case '2':
        return "/home/log.0000000002";
    case '3':
        return "/home/log.0000000003";
    case 'c':
        return "/home/__db.control";
    case 'l':
        return "/home/__backup.label";
    case 'i':
        return "/home/__backup.incomplete";
    case 't':
        return "/home/tree.db";
    case 'a':
        return "/home/alone.db";
    case 'm':
        return "/home/tree.db.__capture";
    default:
        return NULL;
    }
}

bool fuzz_next_file(const uint8_t *data, size_t size, size_t *at, fuzz_file *out)
{
    if (size < 3 || *at > size - 3) {
        return false;
    }
    out->name = data[*at];
    out->size = ref_get16(data + *at + 1);
    *at += 3;
    out->bytes = data + *at;
    if (out->size > size - *at) {
        out->size = size - *at;
    }
    *at += out->size;
    return true;
}

/* A control file is almost all gap: an input has its two slots only, one after the other. */
static void put_control(fuzz_disk *disk, const char *path, const uint8_t *bytes, size_t size)
{
    uint8_t whole[FUZZ_CONTROL_DISTANCE + FUZZ_CONTROL_SLOT] = {0};
    size_t first = size < FUZZ_CONTROL_SLOT ? size : FUZZ_CONTROL_SLOT;
    size_t second = size - first < FUZZ_CONTROL_SLOT ? size - first : FUZZ_CONTROL_SLOT;
    memcpy(whole, bytes, first);
    memcpy(whole + FUZZ_CONTROL_DISTANCE, bytes + first, second);
    fuzz_disk_put(disk, path, whole, second > 0 ? FUZZ_CONTROL_DISTANCE + second : first);
}

void fuzz_put_files(fuzz_disk *disk, const uint8_t *data, size_t size)
{
    fuzz_file file;
    fuzz_repair repair = fuzz_repair_begin(data[0]);
    for (size_t at = 1; fuzz_next_file(data, size, &at, &file);) {
        const char *path = fuzz_file_path(file.name);
        if (path == NULL) {
            continue;
        }
        uint8_t *bytes = malloc(file.size + 1);
        if (bytes == NULL) {
            abort();
        }
        memcpy(bytes, file.bytes, file.size);
        fuzz_repair_file(&repair, file.name, bytes, file.size);
        if (file.name == 'c') {
            put_control(disk, path, bytes, file.size);
        } else {
            fuzz_disk_put(disk, path, bytes, file.size);
        }
        free(bytes);
    }
}

/* ---- databases ---- */

enum { RECORDS_MAX = 4096 }; /* pages that refer to one another can make any number of records */

/* Walks the whole database one way. The records' hashes are added up, so that the direction does
 * not matter. */
static int walk(ref_db *db, ref_move first, ref_move next, uint64_t *count, uint64_t *sum)
{
    ref_cursor *cursor;
    ref_buffer key = {0}, value = {0};
    int error = ref_cursor_open(db, NULL, &cursor);
    *count = *sum = 0;
    if (error != 0) {
        return error;
    }
    error = ref_cursor_get(cursor, first, (ref_slice){0}, false, &key, &value);
    while (error == 0 && *count < RECORDS_MAX) {
        uint64_t hash = fuzz_hash(0, key.data, key.size);
        *sum += fuzz_hash(hash, value.data, value.size);
        ++*count;
        error = ref_cursor_get(cursor, next, (ref_slice){0}, false, &key, &value);
    }
    ref_buffer_free(&key);
    ref_buffer_free(&value);
    if (ref_cursor_close(cursor) != 0) {
        FUZZ_FAIL("a cursor does not close");
    }
    return error == REF_NOTFOUND ? 0 : error;
}

/* Each record that a walk shows can be had by its key. */
static void check_keys(ref_db *db)
{
    ref_cursor *cursor;
    ref_buffer key = {0}, value = {0}, got = {0};
    int error = ref_cursor_open(db, NULL, &cursor);
    ref_move move = REF_MOVE_FIRST;
    for (unsigned i = 0; error == 0 && i < 64; i++) {
        error = ref_cursor_get(cursor, move, (ref_slice){0}, false, &key, &value);
        move = REF_MOVE_NEXT;
        if (error == 0 &&
            (ref_db_get(db, NULL, (ref_slice){key.data, key.size}, false, &got) != 0 ||
                got.size != value.size || memcmp(got.data, value.data, got.size) != 0)) {
            FUZZ_FAIL("a record of a sound database cannot be had by its key");
        }
    }
    ref_buffer_free(&key);
    ref_buffer_free(&value);
    ref_buffer_free(&got);
    ref_cursor_close(cursor);
}

int fuzz_read_database(ref_db *db)
{
    uint64_t records, forward, backward, sum, back_sum;
    int verified = ref_db_verify(db, &records);
    if (verified != 0) {
        fuzz_check_words(verified, "ref_db_verify");
    }
    int error = walk(db, REF_MOVE_FIRST, REF_MOVE_NEXT, &forward, &sum);
    if (error != 0) {
        fuzz_check_words(error, "a walk forwards");
    }
    int back_error = walk(db, REF_MOVE_LAST, REF_MOVE_PREV, &backward, &back_sum);
    if (back_error != 0) {
        fuzz_check_words(back_error, "a walk backwards");
    }
    fuzz_note_number(forward);
    fuzz_note_number(sum);
    fuzz_note_number(back_sum);
    if (verified == 0) {
        if (error != 0 || back_error != 0) {
            FUZZ_FAIL("a database that verifies cannot be read");
        }
        if (records <= RECORDS_MAX &&
            (forward != records || backward != records || sum != back_sum)) {
            FUZZ_FAIL("verify counts %llu records, walks find %llu and %llu",
                (unsigned long long)records, (unsigned long long)forward,
                (unsigned long long)backward);
        }
        check_keys(db);
    }
    return verified;
}
