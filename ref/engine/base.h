/*
 * The copy that an update adds log to.
 *
 * An update copies no database: it is right only if the log that it brings goes on exactly where
 * the copy's ends, in the same history. So the copy is read as its recovery will read it, and then
 * held against the environment's log: whatever segments both have are equal as far as the copy's
 * go, and the next one says that it follows. Nothing here changes anything.
 *
 * A base is a copy that was not recovered yet, or one that was and has not been written to since.
 *
 * Results: 0, EINVAL with words that say why it is no base, ENOMEM, or what reading gave. Threads:
 * no state.
 */
#ifndef REF_BASE_H
#define REF_BASE_H

#include "internal.h"
#include "log.h"

typedef struct ref_base {
    char *log_path;
    bool recovered;
    bool labelled;     /* it is known where its log began */
    uint64_t replayed; /* its recovery begins here: earlier log is in its databases; 0: unknown */
    uint32_t first;    /* the segment in which that is */
    ref_log_scan log;  /* from there on */
} ref_base;

/* Reads the copy in the directory `target` whose log lies in `log_dir` below it. Free with
 * ref_base_free(), also after a failure. */
int ref_base_read(ref_vfs *vfs, const char *target, const char *log_dir, ref_base *out);
void ref_base_free(ref_base *base);

/*
 * Whether the environment's log, whose first segment is `oldest` and which is durable up to `end`,
 * goes on where the base ends. The log must be pinned from the base's first segment on. *first is
 * the first segment to copy; 0: the base has everything.
 *
 * EINVAL: another environment's; the environment no longer has the log that follows; the two have
 * different histories; a database was adopted since, whose pages no log has.
 */
int ref_base_follow(
    ref_env *env, const ref_base *base, uint32_t oldest, uint64_t end, uint32_t *first);

#endif
