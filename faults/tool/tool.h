/*
 * What the commands of `hotfault` share. Each takes its part of the command line, argv[0] being
 * "hotfault NOUN VERB", and returns the exit status. Results go to standard output; what went wrong
 * to standard error, with the file and the place in it.
 */
#ifndef FAULT_TOOL_H
#define FAULT_TOOL_H

#include <argp.h>
#include <stdint.h>
#include <stdio.h>

#include "../trace/trace.h"

/* Exit status. */
enum {
    TOOL_OK = 0,
    TOOL_FOUND = 1, /* a difference, a mistake in a plan */
    TOOL_USAGE = 2,
    TOOL_FAILED = 3 /* a file that cannot be read, output that cannot be written, no memory */
};

int tool_plan_check(int argc, char **argv);
int tool_plan_format(int argc, char **argv);
int tool_trace_diff(int argc, char **argv);
int tool_trace_dump(int argc, char **argv);

/* Parses options and exactly `count` file names. Does not return on wrong usage. */
typedef struct tool_arguments {
    const char *files[2];
    int count, wanted;
    int json;
} tool_arguments;
void tool_parse(int argc, char **argv, const struct argp_option *options, const char *args_doc,
    const char *doc, tool_arguments *out);

/* Prints a line to standard error and returns TOOL_FAILED. */
int tool_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The whole file; the caller frees it. NULL with a message. */
uint8_t *tool_read(const char *path, size_t *size);
/* NULL with a message. */
fault_traced *tool_open_trace(const char *path);

#endif
