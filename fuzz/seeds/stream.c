/* Seeds of the change stream: copies made during a capture, and what the capture gave. */
#include <stdlib.h>
#include <string.h>

#include "engine/capture.h"
#include "engine/change.h"
#include "input.h"

enum { PIECES = 0x04 };

typedef struct taken {
    input in;
    size_t stream_size;
} taken;

static size_t read_stream(ref_capture *capture, uint8_t *bytes, size_t room)
{
    uint64_t size;
    size_t done;
    MUST(ref_capture_size(capture, &size));
    if (size > room) {
        abort();
    }
    MUST(ref_capture_read(capture, bytes, (size_t)size, &done));
    return done;
}

/* The copy is made after `changes` changes. */
static taken take(uint8_t switches, unsigned changes, bool marker)
{
    static uint8_t stream[UINT16_MAX];
    taken out = {.in = input_begin(switches)};
    fuzz_disk *disk = fuzz_disk_new(FUZZ_SEED_OF_SEEDS);
    ref_db_options options = {.create = true, .page_size = 512};
    ref_db *db;
    ref_capture *capture;
    uint64_t start_size;
    MUST(ref_db_open_alone(fuzz_disk_vfs(disk), "/home/tree.db", &options, &db));
    for (unsigned i = 0; i < 8; i++) {
        seed_put(db, i, 90);
    }
    MUST(ref_capture_start(db, NULL, &capture, &start_size));
    for (unsigned i = 0; i < changes; i++) {
        seed_put(db, i * 3, 80);
    }
    MUST(ref_db_sync(db));
    input_add_disk(&out.in, disk, marker ? "tm" : "t");
    MUST(ref_capture_stop(capture));
    out.stream_size = read_stream(capture, stream, sizeof stream);
    input_add(&out.in, 's', stream, out.stream_size);
    ref_capture_end(capture);
    MUST(ref_db_close(db));
    fuzz_disk_free(disk);
    return out;
}

void seeds_stream(const char *dir)
{
    taken made = take(0, 2, false);
    input_write(&made.in, dir, "stream", "good-changed");
    made = take(FUZZ_REPAIR | PIECES, 4, false);
    input_write(&made.in, dir, "stream", "good-changed-repaired");
    made = take(FUZZ_REPAIR | FUZZ_CHAIN, 1, true);
    input_write(&made.in, dir, "stream", "good-with-marker");
    made = take(FUZZ_REPAIR, 0, false);
    input_write(&made.in, dir, "stream", "good-nothing-changed");
    made = take(0, 3, false);
    input_cut(&made.in, 's', made.stream_size - REF_STREAM_END);
    input_write(&made.in, dir, "stream", "bad-no-end");
    made = take(PIECES, 3, false);
    size_t size;
    input_find(&made.in, 's', &size)[REF_STREAM_HEADER + 40] ^= 1;
    input_write(&made.in, dir, "stream", "bad-damaged");

    input in = input_begin(FUZZ_REPAIR);
    input_add_golden(&in, 't', "copy.db");
    input_add_golden(&in, 's', "copy.changes");
    input_write(&in, dir, "stream", "good-golden");
    in = input_begin(0);
    input_add_golden(&in, 't', "start.db");
    input_add_golden(&in, 's', "copy.changes");
    input_write(&in, dir, "stream", "good-golden-start");
}
