/*
 * hotproof-case: the process of a case of a real library. Always compiled without sanitizers and
 * coverage, whatever the preset: their allocators and interceptors would change what a library of
 * somebody else does.
 */
#include "child.h"

#include <string.h>

int main(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], HP_RUN_CASE) == 0 ? hp_child_main(argc - 2, argv + 2) : 2;
}
