/* Where a measurement was made: without it a figure means nothing. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <jansson.h>

/* A new object {"cpu", "cores", "memory_mib", "kernel", "machine", "file_system", ...}: the last as
 * the kit's hp_host_json() for the directory. */
json_t *bench_machine_json(const char *directory);

/* The same in a line for people; the caller frees it. */
char *bench_machine_line(const json_t *machine);

#endif
