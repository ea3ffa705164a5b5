/* Directory trees of the benchmarks: how large they are, warming them, making them durable. Links
 * are not followed. */
#ifndef BENCH_FILES_H
#define BENCH_FILES_H

#include <stdint.h>

typedef struct bench_tree {
    uint64_t bytes; /* of all files, as their lengths say */
    uint64_t files;
    uint64_t largest; /* bytes of the largest file */
} bench_tree;

/* All return 0 or an errno value. */

/* Counts what is below `path`; *out is zero on failure. */
int bench_tree_measure(const char *path, bench_tree *out);

/* Reads every file once, so that the page cache has it. */
int bench_tree_read(const char *path);

/* Syncs every file and directory of the tree, and the directory above it, as somebody must who
 * wants a copy to survive a power cut. */
int bench_tree_sync(const char *path);

#endif
