/* Berkeley DB's portable dump format. */
#include "dumpformat.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_VERSION "3"
#define HEADER_END "HEADER=END"
#define DATA_END "DATA=END"

/* ---- writing ---- */

void tool_dump_write_header(FILE *to, bool print, uint32_t page_size)
{
    fprintf(to,
        "VERSION=" FORMAT_VERSION "\nformat=%s\ntype=btree\ndb_pagesize=%u\n" HEADER_END "\n",
        print ? "print" : "bytevalue", page_size);
}

/* The bytes as they leave; at most three characters each. ASCII whatever the locale, so that a dump
 * means the same everywhere. */
static size_t encode(char *out, bool print, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    size_t size = 0;
    if (print && byte >= 0x20 && byte < 0x7f) {
        if (byte == '\\') {
            out[size++] = '\\';
        }
        out[size++] = (char)byte;
        return size;
    }
    if (print) {
        out[size++] = '\\';
    }
    out[size++] = digits[byte >> 4];
    out[size++] = digits[byte & 15];
    return size;
}

void tool_dump_write_item(FILE *to, bool print, const uint8_t *bytes, size_t size)
{
    char text[4096];
    size_t used = 0;

    text[used++] = ' ';
    for (size_t i = 0; i < size; i++) {
        if (used + 4 > sizeof text) {
            fwrite(text, 1, used, to);
            used = 0;
        }
        used += encode(text + used, print, bytes[i]);
    }
    text[used++] = '\n';
    fwrite(text, 1, used, to);
}

void tool_dump_write_end(FILE *to)
{
    fputs(DATA_END "\n", to);
}

/* ---- lines ---- */

static int wrong(const tool_dump_reader *reader, const char *what)
{
    return ref_fail(REF_CORRUPT, "%s: line %" PRIu64 ": %s", reader->name, reader->line, what);
}

/* The next line, NUL-terminated, without its end. REF_NOTFOUND, without words, when there is none.
 */
static int read_line(tool_dump_reader *reader)
{
    errno = 0;
    ssize_t size = getline(&reader->text, &reader->capacity, reader->in);
    if (size < 0) {
        return ferror(reader->in) || errno == ENOMEM
                   ? ref_fail(errno != 0 ? errno : EIO, "%s: line %" PRIu64 ": read", reader->name,
                         reader->line + 1)
                   : REF_NOTFOUND;
    }
    reader->line++;
    reader->size = (size_t)size;
    if (reader->size > 0 && reader->text[reader->size - 1] == '\n') {
        reader->text[--reader->size] = '\0';
    }
    return 0;
}

void tool_dump_reader_free(tool_dump_reader *reader)
{
    free(reader->text);
    reader->text = NULL;
}

/* ---- the header ---- */

typedef enum keyword_use {
    KEYWORD_PAGE_SIZE,
    KEYWORD_LAYOUT, /* a number that says how a file is laid out: passed over */
    KEYWORD_OFF,    /* a switch that must be off */
    KEYWORD_ON,     /* a switch that must be on */
    KEYWORD_NEVER   /* something that there is not here */
} keyword_use;

static const struct keyword {
    const char *name;
    keyword_use use;
} keywords[] = {{"db_pagesize", KEYWORD_PAGE_SIZE}, {"bt_minkey", KEYWORD_LAYOUT},
    {"chksum", KEYWORD_LAYOUT}, {"db_lorder", KEYWORD_LAYOUT}, {"h_ffactor", KEYWORD_LAYOUT},
    {"h_nelem", KEYWORD_LAYOUT}, {"duplicates", KEYWORD_OFF}, {"dupsort", KEYWORD_OFF},
    {"recnum", KEYWORD_OFF}, {"renumber", KEYWORD_OFF}, {"keys", KEYWORD_ON},
    {"database", KEYWORD_NEVER}, {"subdatabase", KEYWORD_NEVER}, {"extentsize", KEYWORD_NEVER},
    {"re_len", KEYWORD_NEVER}, {"re_pad", KEYWORD_NEVER}, {"heapsize", KEYWORD_NEVER},
    {"heap_regionsize", KEYWORD_NEVER}};

static const struct keyword *find_keyword(const char *text, size_t name)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (strlen(keywords[i].name) == name && memcmp(keywords[i].name, text, name) == 0) {
            return &keywords[i];
        }
    }
    return NULL;
}

static int apply_number(const char *where, const char *text, const struct keyword *keyword,
    uint64_t number, tool_dump_header *out)
{
    bool right = keyword->use == KEYWORD_LAYOUT || (keyword->use == KEYWORD_OFF && number == 0) ||
                 (keyword->use == KEYWORD_ON && number == 1);
    if (keyword->use == KEYWORD_PAGE_SIZE) {
        if (!ref_page_size_valid((uint32_t)number)) {
            return ref_fail(REF_CORRUPT, "%s: %s: a page size is a power of two from %u to %u",
                where, text, REF_PAGE_SIZE_MIN, REF_PAGE_SIZE_MAX);
        }
        out->page_size = (uint32_t)number;
        return 0;
    }
    return right ? 0
                 : ref_fail(REF_CORRUPT,
                       "%s: %s: not supported: this engine has unique keys in key order and no "
                       "record numbers",
                       where, text);
}

int tool_dump_keyword(const char *where, const char *text, tool_dump_header *out)
{
    size_t name = strcspn(text, "=");
    const char *value = text + name + 1;
    char *end;

    if (text[name] != '=') {
        return ref_fail(REF_CORRUPT, "%s: \"%.80s\": NAME=VALUE is expected", where, text);
    }
    const struct keyword *keyword = find_keyword(text, name);
    if (keyword == NULL) {
        return ref_fail(
            REF_CORRUPT, "%s: \"%.80s\": this keyword is unknown to this program", where, text);
    }
    if (keyword->use == KEYWORD_NEVER) {
        return ref_fail(REF_CORRUPT,
            "%s: %.80s: not supported: this engine has one B+tree in a file, and no queue, recno "
            "or heap",
            where, text);
    }
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || errno != 0 || *end != '\0' || number > UINT32_MAX) {
        return ref_fail(REF_CORRUPT, "%s: \"%.80s\": a number is expected", where, text);
    }
    return apply_number(where, text, keyword, number, out);
}

static bool is(const tool_dump_reader *reader, const char *text)
{
    return strcmp(reader->text, text) == 0;
}

static bool begins(const tool_dump_reader *reader, const char *text)
{
    return strncmp(reader->text, text, strlen(text)) == 0;
}

static int header_line(tool_dump_reader *reader, tool_dump_header *out)
{
    char where[1024];
    if (strlen(reader->text) != reader->size) {
        return wrong(reader, "a zero byte in the header");
    }
    if (begins(reader, "VERSION=")) {
        return wrong(reader, "a second VERSION in one header");
    }
    if (begins(reader, "format=")) {
        reader->print = is(reader, "format=print");
        return reader->print || is(reader, "format=bytevalue")
                   ? 0
                   : wrong(reader, "the format is neither bytevalue nor print");
    }
    if (begins(reader, "type=")) {
        out->hash = is(reader, "type=hash");
        out->type_line = reader->line;
        if (out->hash || is(reader, "type=btree")) {
            return 0;
        }
        return ref_fail(REF_CORRUPT, "%s: line %" PRIu64 ": %.80s: not supported: only btree is",
            reader->name, reader->line, reader->text);
    }
    snprintf(where, sizeof where, "%s: line %" PRIu64, reader->name, reader->line);
    return tool_dump_keyword(where, reader->text, out);
}

int tool_dump_read_header(tool_dump_reader *reader, tool_dump_header *out)
{
    *out = (tool_dump_header){0};
    int error = read_line(reader);
    if (error == REF_NOTFOUND) {
        return ref_fail(REF_CORRUPT, "%s: line 1: the input is empty", reader->name);
    }
    if (error == 0 && !is(reader, "VERSION=" FORMAT_VERSION)) {
        error = wrong(reader, begins(reader, "VERSION=")
                                  ? "only version " FORMAT_VERSION " of the format is supported"
                                  : "no dump: VERSION=" FORMAT_VERSION " is expected");
    }
    while (error == 0) {
        error = read_line(reader);
        if (error == REF_NOTFOUND) {
            return ref_fail(REF_CORRUPT, "%s: line %" PRIu64 ": the input ends before " HEADER_END,
                reader->name, reader->line + 1);
        }
        if (error == 0 && is(reader, HEADER_END)) {
            break;
        }
        if (error == 0) {
            error = header_line(reader, out);
        }
    }
    if (error == 0 && out->type_line == 0) {
        error = wrong(reader, "the header has no type");
    }
    return error;
}

/* ---- records ---- */

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte of two digits, or -1. The text has a NUL behind it, so one digit is seen. */
static int byte_of(const char *text)
{
    int high = digit(text[0]);
    int low = high >= 0 ? digit(text[1]) : -1;
    return low >= 0 ? high << 4 | low : -1;
}

static int decode(tool_dump_reader *reader, ref_buffer *out)
{
    const char *at = reader->text + 1, *end = reader->text + reader->size;
    int error = ref_buffer_reserve(out, reader->size);
    if (error != 0) {
        return ref_fail(error, "%s: line %" PRIu64, reader->name, reader->line);
    }
    out->size = 0;
    while (at < end) {
        int byte = (unsigned char)*at;
        size_t taken = 1;
        if (!reader->print) {
            byte = byte_of(at);
            taken = 2;
        } else if (*at == '\\' && at[1] == '\\') {
            taken = 2;
        } else if (*at == '\\') {
            byte = byte_of(at + 1);
            taken = 3;
        }
        if (byte < 0) {
            return ref_fail(REF_CORRUPT,
                "%s: line %" PRIu64 ": column %zu: two hexadecimal digits are expected",
                reader->name, reader->line, (size_t)(at - reader->text) + 1);
        }
        out->data[out->size++] = (uint8_t)byte;
        at += taken;
    }
    return 0;
}

static int ends_early(const tool_dump_reader *reader)
{
    return ref_fail(REF_CORRUPT,
        "%s: line %" PRIu64 ": the input ends before " DATA_END ": it is not whole", reader->name,
        reader->line + 1);
}

int tool_dump_read_record(tool_dump_reader *reader, ref_buffer *key, ref_buffer *value)
{
    ref_buffer *const parts[] = {key, value};
    for (int i = 0; i < 2; i++) {
        int error = read_line(reader);
        if (error == REF_NOTFOUND) {
            return ends_early(reader);
        }
        if (error != 0) {
            return error;
        }
        if (is(reader, DATA_END)) {
            return i == 0 ? REF_NOTFOUND : wrong(reader, "a key without a value before " DATA_END);
        }
        if (reader->text[0] != ' ') {
            return wrong(reader, "a space is expected in front of a key or value");
        }
        error = decode(reader, parts[i]);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int tool_dump_read_end(tool_dump_reader *reader)
{
    int error = read_line(reader);
    if (error == 0) {
        error = wrong(reader, begins(reader, "VERSION=")
                                  ? "a second database in one dump: load them one by one"
                                  : "something follows " DATA_END);
    }
    return error == REF_NOTFOUND ? 0 : error;
}
