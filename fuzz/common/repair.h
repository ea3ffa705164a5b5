/*
 * Repairs: makes bytes that a fuzzer has changed pass the checks that only chance would let them
 * pass, so that what lies behind those is tried too.
 *
 * What depends on nothing but the file itself (FUZZ_REPAIR): checksums, lengths of records, page
 * and segment numbers. What ties files together (FUZZ_CHAIN): identities, where the segment before
 * ended, numbers of commits, records in a group. All else stays as the fuzzer made it. Files are
 * repaired in the order in which they come.
 */
#ifndef FUZZ_REPAIR_H
#define FUZZ_REPAIR_H

#include <stdbool.h>

#include "engine/bytes.h"

typedef struct fuzz_repair {
    bool sums, chain;
    bool has_segment; /* the four below are the last segment's */
    ref_id environment;
    uint64_t incarnation;
    uint64_t end;
    uint64_t commit;
    bool has_copy; /* the three below are the last database's */
    ref_id file, nonce;
    uint64_t start_size;
} fuzz_repair;

/* For an input with these switches. */
fuzz_repair fuzz_repair_begin(uint8_t switches);
/* `name` as in fuzz_file_path(). */
void fuzz_repair_file(fuzz_repair *repair, uint8_t name, uint8_t *bytes, size_t size);

#endif
