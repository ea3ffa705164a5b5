/* Seeds of pages: databases alone, with every kind of page. */
#include <string.h>

#include "engine/page.h"
#include "input.h"

enum { WRITE = 0x04, COMPACT = 0x08 };

/* A database of `records` records of `size` bytes, of which every third is removed again. */
static fuzz_disk *make(uint32_t page_size, unsigned records, size_t size)
{
    fuzz_disk *disk = fuzz_disk_new(FUZZ_SEED_OF_SEEDS);
    ref_db_options options = {.create = true, .page_size = page_size};
    ref_db *db;
    MUST(ref_db_open_alone(fuzz_disk_vfs(disk), "/home/tree.db", &options, &db));
    for (unsigned i = 0; i < records; i++) {
        seed_put(db, i, size);
    }
    for (unsigned i = 0; i < records; i += 3) {
        char name[4] = {'k', (char)('0' + i / 10), (char)('0' + i % 10), '\0'};
        MUST(ref_db_del(db, NULL, (ref_slice){name, 3}));
    }
    MUST(ref_db_close(db));
    return disk;
}

static void write_made(const char *dir, uint8_t switches, uint32_t page_size, unsigned records,
    size_t size, const char *name)
{
    fuzz_disk *disk = make(page_size, records, size);
    input in = input_begin(switches);
    input_add_disk(&in, disk, "t");
    input_write(&in, dir, "page", name);
    fuzz_disk_free(disk);
}

static void write_golden(const char *dir, uint8_t switches, const char *file, const char *name)
{
    input in = input_begin(switches);
    input_add_golden(&in, 't', file);
    input_write(&in, dir, "page", name);
}

void seeds_page(const char *dir)
{
    uint8_t flags = FUZZ_REPAIR | WRITE;
    write_made(dir, WRITE, 512, 0, 0, "good-empty");
    write_made(dir, flags, 512, 5, 20, "good-one-leaf");
    write_made(dir, flags, 1024, 12, 100, "good-1024");
    write_made(dir, flags, 512, 20, 90, "good-branch");
    write_made(dir, flags | COMPACT, 512, 30, 60, "good-compacted");
    write_made(dir, flags, 512, 3, 700, "good-overflow");
    write_made(dir, WRITE | COMPACT, 512, 3, 1300, "good-free-pages");
    write_golden(dir, WRITE, "alone.db", "good-golden-alone");
    write_golden(dir, flags, "tree.db", "good-golden-tree");
    write_golden(dir, FUZZ_REPAIR, "copy.db", "bad-golden-copy");
    write_golden(dir, WRITE, "start.db", "good-golden-start");

    size_t size;
    fuzz_disk *disk = make(512, 20, 90);
    input in = input_begin(WRITE);
    input_add_disk(&in, disk, "t");
    input_find(&in, 't', &size)[512 + 100] ^= 1;
    input_write(&in, dir, "page", "bad-checksum");
    in = input_begin(WRITE);
    input_add_disk(&in, disk, "t");
    input_find(&in, 't', &size)[REF_META_AT_VERSION] = 9;
    input_write(&in, dir, "page", "bad-version");
    in = input_begin(WRITE);
    input_add_disk(&in, disk, "t");
    input_find(&in, 't', &size);
    input_cut(&in, 't', size - 200);
    input_write(&in, dir, "page", "bad-cut");
    fuzz_disk_free(disk);
}
