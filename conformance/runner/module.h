/*
 * Opening an engine module, in a process that will not outlive the use of it: the process of a
 * case, or the one that describes the module to the runner. The runner itself opens none, so a
 * module that crashes on load ends neither the run nor another engine's cases.
 */
#ifndef HP_RUNNER_MODULE_H
#define HP_RUNNER_MODULE_H

#include "../hp_module.h"

/*
 * Opens the module in the file `path` and checks it: version, required members, and for each entry
 * point that it lies in the file where the module says it must. Returns it, never to be closed; or
 * NULL with the reason in `why` (size bytes).
 */
const hp_module *hp_module_open(const char *path, char *why, size_t size);

/* The file that `entry` comes from, by dladdr; "?" if unknown. Owned by the dynamic linker. */
const char *hp_module_origin(const hp_entry_point *entry);

/* The case called `name`, or NULL. */
const struct hp_case *hp_module_find(const hp_module *module, const char *name);

#endif
