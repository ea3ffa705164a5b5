/* Directories of the run: made for the cases, removed without a trace. */
#ifndef HP_DIRECTORY_H
#define HP_DIRECTORY_H

#include "text.h"

/* Makes the directory and those above it (mode 0755 less umask). Returns 0, or -1 with errno. */
int hp_directory_make(const char *path);

/* Removes a tree, read-only directories included, without following links. Returns 0, or -1 with
 * errno of the first thing that could not be removed; the rest is removed all the same. */
int hp_directory_remove(const char *path);

/* A new directory below `parent` that every user may pass through; its name is returned, absolute,
 * for the caller to free. NULL with a message: `parent` does not exist or cannot be written to. */
char *hp_directory_temporary(const char *parent, hp_error *error);

/* `name` as one component of a path: anything but letters, digits and ._- becomes %XX. The caller
 * frees it. */
char *hp_directory_component(const char *name);

#endif
