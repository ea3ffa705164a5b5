/*
 * The process in which an engine does something: hotbench executes
 *
 *     PROGRAM --child COMMAND ARGUMENT...
 *
 * with the report on descriptor 3. A process of its own, and a fresh image, because its peak memory
 * is one of the figures and a crash of an engine must not end the benchmark.
 *
 *     describe MODULE                          engine, version, build, real_library, syncs
 *     load MODULE HOME BYTES SEED              records
 *     backup MODULE HOME TARGET SYNC           wall_ns, cpu_ns, idle_kib
 *     copy HOME TARGET SYNC                    wall_ns, cpu_ns, idle_kib: the real cp -r
 *     verify MODULE COPY RECORDS SEED
 *
 * Each line of the report is a name, a space and a value; `error` has the words of a failure. SYNC
 * 1: the copy is on the disk before the clock stops. Exit status: 0 done, 1 the engine (or cp)
 * failed or the copy is wrong, 3 it could not be tried.
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#define BENCH_CHILD "--child"

enum { BENCH_REPORT_FD = 3 };
enum { BENCH_CHILD_DONE = 0, BENCH_CHILD_FAILED = 1, BENCH_CHILD_BROKEN = 3 };

/* Does it all; the arguments are COMMAND and what follows. Returns the exit status. */
int bench_child_main(int argc, char **argv);

#endif
