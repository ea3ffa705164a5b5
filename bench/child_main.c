/*
 * hotbench-child: the process of an engine that is compiled without sanitizers: a real library
 * always, the reference engine in builds without them. It links little, so that its memory is the
 * engine's.
 */
#include "child.h"

#include <string.h>

int main(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], BENCH_CHILD) == 0 ? bench_child_main(argc - 2, argv + 2) : 2;
}
