/* A current directory of its own for each test, and short ways to put files there and look at them. */
#ifndef TESTS_REF_CWD_H
#define TESTS_REF_CWD_H

#include <stdbool.h>
#include <stddef.h>

/* cmocka fixtures: make a new directory and go there; remove it with all that is in it. Paths below
 * are relative to it. */
int cwd_setup(void **state);
int cwd_teardown(void **state);

/* These assert that they succeed. */
void cwd_dir(const char *path);
void cwd_file(const char *path, const char *content);
void cwd_link(const char *path, const char *to);
void cwd_is(const char *path, const char *content); /* a regular file with exactly this */

bool cwd_exists(const char *path); /* does not follow a link */

/* Every path below `path`, sorted, one per line, directories with '/' behind; in static storage. */
const char *cwd_tree(const char *path);

#endif
