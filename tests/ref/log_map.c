/* Where everything in a log lies, and logs cut to pieces: see log_map.h. */
#include "log_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

const char *segment_path(const char *log_dir, uint32_t segment, char *path)
{
    snprintf(path, FIXTURE_PATH, "%.900s/" REF_LOG_PREFIX "%010u", log_dir, segment);
    return path;
}

static void add_place(log_map *map, const ref_record *record)
{
    if (map->count % 256 == 0) {
        map->places = realloc(map->places, (map->count + 256) * sizeof *map->places);
        assert_non_null(map->places);
    }
    log_place place = {.lsn = record->lsn,
        .length = record->length,
        .type = record->type,
        .group = record->lsn,
        .commits = 0};
    if (map->count > 0) {
        const log_place *before = &map->places[map->count - 1];
        bool open = before->type < REF_RECORD_COMMIT;
        place.commits = before->commits;
        place.group = open ? before->group : record->lsn;
    }
    place.commits += record->type == REF_RECORD_COMMIT;
    map->places[map->count++] = place;
}

void log_map_read(const char *log_dir, log_map *out)
{
    ref_vfs *vfs = ref_vfs_posix();
    *out = (log_map){0};
    assert_ok(ref_log_segments(vfs, log_dir, &out->oldest, &out->newest));
    for (uint32_t number = out->oldest; number <= out->newest && number != 0; number++) {
        ref_segment segment;
        ref_record record;
        assert_ok(ref_segment_load(vfs, log_dir, number, &segment, NULL));
        if (number == out->oldest) {
            assert_true(segment.header.commit == 0 || number > 1);
        }
        for (size_t at = REF_SEGMENT_HEADER; at < segment.size; at += record.length) {
            assert_true(ref_record_parse(
                segment.bytes + at, segment.size - at, (uint64_t)number << 32 | at, &record));
            add_place(out, &record);
        }
        ref_segment_unload(&segment);
    }
}

void log_map_free(log_map *map)
{
    free(map->places);
    *map = (log_map){0};
}

uint64_t log_map_commits(const log_map *map, uint64_t lsn)
{
    uint64_t commits = 0;
    for (size_t i = 0; i < map->count && map->places[i].lsn + map->places[i].length <= lsn; i++) {
        commits = map->places[i].commits;
    }
    return commits;
}

uint64_t log_map_end(const log_map *map)
{
    assert_true(map->count > 0);
    return map->places[map->count - 1].lsn + map->places[map->count - 1].length;
}

void log_cut(const char *log_dir, uint64_t lsn)
{
    char path[FIXTURE_PATH];
    for (uint32_t number = last_segment(log_dir); number > REF_LSN_SEGMENT(lsn); number--) {
        unlink(segment_path(log_dir, number, path));
    }
    file_cut(segment_path(log_dir, REF_LSN_SEGMENT(lsn), path), REF_LSN_OFFSET(lsn));
}

void segment_header_change(
    const char *path, void (*change)(ref_segment_header *header, uint8_t *bytes))
{
    size_t size;
    ref_segment_header header;
    uint8_t *bytes = file_read(path, &size);
    assert_ok(ref_segment_header_read(bytes, size, path, &header));
    change(&header, NULL);
    ref_segment_header_write(bytes, &header);
    change(&header, bytes);
    ref_put32(bytes + REF_SEGMENT_HEADER - 4, ref_crc32c(0, bytes, REF_SEGMENT_HEADER - 4));
    file_write(path, bytes, size);
    free(bytes);
}
