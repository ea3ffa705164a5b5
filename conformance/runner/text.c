/* Strings and messages of the runner: see text.h. */
#include "text.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void hp_out_of_memory(void)
{
    static const char message[] = "hotproof: out of memory\n";
    (void)!write(STDERR_FILENO, message, sizeof message - 1);
    _exit(3);
}

int hp_fail(hp_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return -1;
}

char *hp_format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        hp_out_of_memory();
    }
    return text;
}

void *hp_allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL) {
        hp_out_of_memory();
    }
    return memory;
}

/* Length of the UTF-8 sequence that starts at s, or 0 if there is none. */
static size_t sequence_length(const unsigned char *s)
{
    size_t length = s[0] < 0x80                    ? 1
                    : s[0] >= 0xC2 && s[0] <= 0xDF ? 2
                    : (s[0] & 0xF0) == 0xE0        ? 3
                    : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                                   : 0;
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    int overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    int surrogate = s[0] == 0xED && s[1] >= 0xA0;
    int too_large = s[0] == 0xF4 && s[1] >= 0x90;
    int no_character = s[0] == 0xEF && s[1] == 0xBF && s[2] >= 0xBE;
    return overlong || surrogate || too_large || no_character ? 0 : length;
}

/* Whether the sequence at s, which is whole, is one that some report cannot carry. */
static int is_unwanted(const unsigned char *s)
{
    int control = s[0] == 0x7F || (s[0] < 0x20 && s[0] != '\n' && s[0] != '\t');
    int high_control = s[0] == 0xC2 && s[1] < 0xA0;
    int separator = s[0] == 0xE2 && s[1] == 0x80 && (s[2] == 0xA8 || s[2] == 0xA9);
    int byte_order_mark = s[0] == 0xEF && s[1] == 0xBB && s[2] == 0xBF;
    return control || high_control || separator || byte_order_mark;
}

json_t *hp_json_text(const char *bytes)
{
    const unsigned char *from = (const unsigned char *)bytes;
    char *clean = hp_allocate(strlen(bytes) * 4 + 1, 1);
    char *to = clean;
    while (*from != '\0') {
        size_t length = sequence_length(from);
        if (length == 0 || is_unwanted(from)) {
            to += sprintf(to, "\\x%02x", *from++);
            continue;
        }
        memcpy(to, from, length);
        to += length;
        from += length;
    }
    json_t *text = json_string(clean);
    free(clean);
    if (text == NULL) {
        hp_out_of_memory();
    }
    return text;
}

void hp_json_clean(json_t *value)
{
    size_t i;
    const char *key;
    json_t *member;
    if (json_is_string(value)) {
        json_t *clean = hp_json_text(json_string_value(value));
        json_string_set(value, json_string_value(clean));
        json_decref(clean);
    }
    json_array_foreach(value, i, member)
    {
        hp_json_clean(member);
    }
    json_object_foreach(value, key, member)
    {
        hp_json_clean(member);
    }
}

const char *hp_json_get(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

char *hp_shell_word(const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=+,:@";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        return hp_format("%s", word);
    }
    char *text = hp_allocate(strlen(word) * 4 + 3, 1);
    char *to = text;
    *to++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            memcpy(to, "'\\''", 4);
            to += 4;
        } else {
            *to++ = *word;
        }
    }
    *to = '\'';
    return text;
}

char *hp_read_tail(const char *path, size_t limit)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    struct stat status;
    off_t start = 0;
    if (fstat(fd, &status) == 0 && status.st_size > (off_t)limit) {
        start = status.st_size - (off_t)limit;
    }
    char *text = hp_allocate(limit + 1, 1);
    size_t used = 0;
    while (used < limit) {
        ssize_t n = pread(fd, text + used, limit - used, start + (off_t)used);
        if (n <= 0) {
            break;
        }
        used += (size_t)n;
    }
    close(fd);
    for (size_t i = 0; i < used; i++) {
        if (text[i] == '\0') {
            text[i] = ' ';
        }
    }
    return text;
}

int hp_matches(const char *name, char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fnmatch(patterns[i], name, 0) == 0) {
            return 1;
        }
    }
    return count == 0;
}
