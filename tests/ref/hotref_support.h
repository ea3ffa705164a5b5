/* Fixtures of the tests of `hotref`: running it, and making, changing and damaging what it works
 * on. All of these assert that they succeed. Paths are relative to the current directory (cwd.h). */
#ifndef TESTS_REF_HOTREF_SUPPORT_H
#define TESTS_REF_HOTREF_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/engine.h"

/* Runs the program with the arguments up to NULL; the result is its exit status. */
int hotref(const char *first, ...) __attribute__((sentinel));
/* What the last run printed, standard output and standard error as they came. */
const char *hotref_said(void);
/* The last run said this. Prints all that it said if not. */
void hotref_must_say(const char *text);
void hotref_must_not_say(const char *text);

/* Starts it and goes on. */
pid_t hotref_start(const char *first, ...) __attribute__((sentinel));
/* Waits for it and takes over what it has said; the result is its exit status. */
int hotref_wait(pid_t child);

/* An environment in a directory, which is made. Segments are as small as they can be. */
ref_env *home_open(const char *home, const char *const *data_dirs, size_t data_dir_count);
/* Puts `count` records from number `from` on, each in its own commit or all in one; makes the
 * database. */
void home_put(ref_env *env, const char *name, unsigned from, unsigned count, bool one_commit);

/* Changes to files. */
void file_flip(const char *path, uint64_t offset, unsigned char bits);
void file_cut(const char *path, uint64_t size);
void file_append(const char *path, const char *bytes, size_t size);
void file_copy(const char *from, const char *to);
uint64_t file_size(const char *path);

/* Name, size, time of change and content of everything below the directory, in one number. */
uint64_t tree_state(const char *path);

#endif
