/*
 * Making a failure smaller: which of its parts does it need?
 *
 * The parts are the caller's: rules of a plan, answers after a crash, steps of a scenario. The
 * result is minimal in that no single part can be left out any more.
 */
#ifndef FAULT_SHRINK_H
#define FAULT_SHRINK_H

#include <stdbool.h>
#include <stddef.h>

/* Whether it still fails with only the parts that are kept. Must give the same answer each time. */
typedef bool (*fault_fails_fn)(void *context, const bool *kept, size_t count);

/*
 * Begins with all `count` parts of `kept` true, which must fail, and sets to false what is not
 * needed. At most `tries` calls (0: 10,000); the result is right in any case, only perhaps not
 * minimal. The number of calls.
 */
size_t fault_shrink(size_t count, bool *kept, size_t tries, fault_fails_fn fails, void *context);

#endif
