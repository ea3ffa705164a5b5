/*
 * Where everything in a log lies, and logs cut to pieces.
 *
 * For tests that try each place: a map of all records, and a way to leave of a log what lies before
 * a place.
 */
#ifndef LOG_MAP_H
#define LOG_MAP_H

#include "engine/log.h"

typedef struct log_place {
    uint64_t lsn;
    uint32_t length;
    uint8_t type;
    uint64_t commits; /* commits whose whole group lies at or before this record's end */
    uint64_t group;   /* LSN at which its group begins; its own where it stands alone */
} log_place;

typedef struct log_map {
    log_place *places;
    size_t count;
    uint32_t oldest, newest;
} log_map;

/* Asserts that every byte of every segment is header or sound record. */
void log_map_read(const char *log_dir, log_map *out);
void log_map_free(log_map *map);

/* Commits whose group ends at or before the place. */
uint64_t log_map_commits(const log_map *map, uint64_t lsn);
/* LSN after the last record. */
uint64_t log_map_end(const log_map *map);

/* Leaves what is before the place: later segments are removed, its own is cut. */
void log_cut(const char *log_dir, uint64_t lsn);
/* The path of a segment, in a buffer of FIXTURE_PATH bytes. */
const char *segment_path(const char *log_dir, uint32_t segment, char *path);

/* Opens the segment's header, has it changed, and seals it again. */
void segment_header_change(
    const char *path, void (*change)(ref_segment_header *header, uint8_t *bytes));

#endif
