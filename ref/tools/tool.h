/*
 * What the commands of `hotref` share: their entry points, how they speak and how they end.
 *
 * Every command is a function of its own file that takes its part of the command line, argv[0]
 * being "hotref COMMAND", and returns the exit status. Results go to standard output; what went
 * wrong, warnings and progress to standard error, each line with the command's name in front. A
 * message names the file, the place in it and the reason; the engine's own words (error.h) do
 * that already, so commands pass them on with tool_failed().
 */
#ifndef TOOL_H
#define TOOL_H

#include <argp.h>
#include <stdio.h>

#include "engine/engine.h"

/* Exit status. */
enum {
    TOOL_OK = 0,
    TOOL_FAILED = 1, /* the work failed, or what was looked for has been found */
    TOOL_USAGE = 2
};

/* Behind each command's own text in --help. */
#define TOOL_EXIT_STATUS "\n\nExit status: 0 done, 1 failed, 2 wrong usage."
#define TOOL_HOME_DEFAULT "Without -h the environment variable DB_HOME names the home"

int tool_backup(int argc, char **argv);
int tool_dump(int argc, char **argv);
int tool_load(int argc, char **argv);
int tool_printlog(int argc, char **argv);
int tool_recover(int argc, char **argv);
int tool_verify(int argc, char **argv);

/* Sets the name in front of messages; the string is borrowed for good. */
void tool_set_name(const char *name);

/* Prints a line to standard error and returns TOOL_FAILED. */
int tool_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with the words of the engine's call that has just failed with `error`. */
int tool_failed(int error);
/* A line to standard error that changes no result. */
void tool_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sends out what is left in standard output. TOOL_FAILED with a message when not everything that
 * was printed has got through, else `status`. */
int tool_finish(int status);

/* DB_HOME when `given` is NULL, or else `otherwise` (may be NULL). */
const char *tool_home_of(const char *given, const char *otherwise);

/* A number with an optional K, M, G or T (powers of 1024) behind it. False when it is none, is 0 or
 * does not fit. */
bool tool_parse_bytes(const char *text, uint64_t *out);

/* "N/N", a segment's number and an offset. False when it is none. */
bool tool_parse_lsn(const char *text, uint64_t *out);
#define TOOL_LSN "%u/%u"
#define TOOL_LSN_ARGS(lsn) REF_LSN_SEGMENT(lsn), REF_LSN_OFFSET(lsn)

/* As people read them. The text is in `out`, which is returned. */
const char *tool_bytes_text(uint64_t bytes, char out[static 24]);
/* A time of the log (nanoseconds since 1970) in UTC. */
const char *tool_time_text(uint64_t time, char out[static 40]);

/* Allocations that a program of this kind cannot go on without: they end it with a message. */
char *tool_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *tool_copy(const char *text);
void *tool_zeroed(size_t count, size_t size);

#endif
