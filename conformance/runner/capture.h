/* Running a short program and reading what it says. */
#ifndef HP_CAPTURE_H
#define HP_CAPTURE_H

/*
 * Runs argv[0] (found by PATH) without a shell, reads its standard output and, if `both`, its
 * standard error. Returns the output, which the caller frees, with the wait status in *status; or
 * NULL if it could not be started or did not end within `seconds` (it is killed then).
 */
char *hp_capture(const char *const *argv, int both, int seconds, int *status);

#endif
