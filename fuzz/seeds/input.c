#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void must(int error, const char *call, const char *file, int line)
{
    if (error != 0) {
        fprintf(stderr, "fuzz_seed: %s:%d: %s gives %d: %s\n", file, line, call, error,
            ref_error_text());
        exit(1);
    }
}

static void append(input *in, const void *bytes, size_t size)
{
    in->bytes = realloc(in->bytes, in->size + size + 1);
    if (in->bytes == NULL) {
        abort();
    }
    if (size > 0) {
        memcpy(in->bytes + in->size, bytes, size);
    }
    in->size += size;
}

input input_begin(uint8_t switches)
{
    input in = {0};
    append(&in, &switches, 1);
    return in;
}

/* Only the slots of a control file: see fuzz.h. */
static size_t squeeze(uint8_t name, uint8_t *bytes, size_t size)
{
    if (name != 'c' || size <= FUZZ_CONTROL_DISTANCE) {
        return size;
    }
    memmove(bytes + FUZZ_CONTROL_SLOT, bytes + FUZZ_CONTROL_DISTANCE, size - FUZZ_CONTROL_DISTANCE);
    return size - FUZZ_CONTROL_DISTANCE + FUZZ_CONTROL_SLOT;
}

void input_add(input *in, uint8_t name, const void *bytes, size_t size)
{
    uint8_t head[3] = {name, (uint8_t)size, (uint8_t)(size >> 8)};
    if (size > UINT16_MAX) {
        fprintf(stderr, "fuzz_seed: file %c of %zu bytes\n", name, size);
        exit(1);
    }
    append(in, head, sizeof head);
    append(in, bytes, size);
}

void input_add_disk(input *in, fuzz_disk *disk, const char *names)
{
    static uint8_t bytes[UINT16_MAX + 1];
    ref_vfs *vfs = fuzz_disk_vfs(disk);
    for (; *names != '\0'; names++) {
        ref_file *file;
        size_t done;
        if (vfs->open(vfs, fuzz_file_path((uint8_t)*names), 0, 0, &file) == 0) {
            MUST(ref_read_full(file, bytes, sizeof bytes, 0, &done));
            vfs->close(file);
            input_add(in, (uint8_t)*names, bytes, squeeze((uint8_t)*names, bytes, done));
        }
    }
}

void input_add_golden(input *in, uint8_t name, const char *file)
{
    static uint8_t bytes[UINT16_MAX];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", FUZZ_GOLDEN, file);
    FILE *from = fopen(path, "rb");
    if (from == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = fread(bytes, 1, sizeof bytes, from);
    fclose(from);
    input_add(in, name, bytes, squeeze(name, bytes, size));
}

uint8_t *input_find(const input *in, uint8_t name, size_t *size)
{
    fuzz_file file;
    uint8_t *found = NULL;
    for (size_t at = 1; fuzz_next_file(in->bytes, in->size, &at, &file);) {
        if (file.name == name) {
            found = in->bytes + (file.bytes - in->bytes);
            *size = file.size;
        }
    }
    if (found == NULL) {
        fprintf(stderr, "fuzz_seed: no file %c in the input\n", name);
        exit(1);
    }
    return found;
}

void input_cut(input *in, uint8_t name, size_t size)
{
    size_t had;
    uint8_t *bytes = input_find(in, name, &had);
    uint8_t *end = bytes + had;
    memmove(bytes + size, end, (size_t)(in->bytes + in->size - end));
    in->size -= had - size;
    bytes[-2] = (uint8_t)size;
    bytes[-1] = (uint8_t)(size >> 8);
}

void input_write(input *in, const char *dir, const char *target, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s/%s", dir, target, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(in->bytes, 1, in->size, file) != in->size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    free(in->bytes);
    *in = (input){0};
}

void seed_put(ref_db *db, unsigned key, size_t size)
{
    char name[16];
    uint8_t value[4096];
    int length = snprintf(name, sizeof name, "k%02u", key);
    memset(value, (int)('a' + key % 26), sizeof value);
    MUST(ref_db_put(db, NULL, (ref_slice){name, (size_t)length}, (ref_slice){value, size}, false));
}
