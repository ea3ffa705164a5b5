/* Delta debugging by halves, then one by one until nothing more can go. */
#include "shrink.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_DEFAULT 10000u

typedef struct shrinking {
    size_t count, tries, most;
    bool *kept, *trial;
    fault_fails_fn fails;
    void *context;
} shrinking;

static size_t kept_parts(const shrinking *at)
{
    size_t parts = 0;
    for (size_t i = 0; i < at->count; i++) {
        parts += at->kept[i];
    }
    return parts;
}

/* Tries without the kept parts number `first` to `first` + `size` - 1. */
static bool drop(shrinking *at, size_t first, size_t size)
{
    size_t part = 0;
    if (at->tries == at->most) {
        return false;
    }
    memcpy(at->trial, at->kept, at->count * sizeof *at->kept);
    for (size_t i = 0; i < at->count; i++) {
        if (at->kept[i]) {
            at->trial[i] = part < first || part >= first + size;
            part++;
        }
    }
    at->tries++;
    if (!at->fails(at->context, at->trial, at->count)) {
        return false;
    }
    memcpy(at->kept, at->trial, at->count * sizeof *at->kept);
    return true;
}

size_t fault_shrink(size_t count, bool *kept, size_t tries, fault_fails_fn fails, void *context)
{
    shrinking at = {.count = count,
        .most = tries != 0 ? tries : TRIES_DEFAULT,
        .kept = kept,
        .trial = calloc(count + 1, sizeof *kept),
        .fails = fails,
        .context = context};
    size_t size = count / 2 > 0 ? count / 2 : 1;
    if (at.trial == NULL || count == 0) {
        free(at.trial);
        return 0;
    }
    for (bool again = true; again;) {
        again = false;
        for (size_t first = 0; first < kept_parts(&at);) {
            if (drop(&at, first, size)) {
                again = size == 1; /* what could not go before may go now */
            } else {
                first += size;
            }
        }
        if (size > 1) {
            size /= 2;
            again = true;
        }
    }
    free(at.trial);
    return at.tries;
}
