/* fuzz_seed DIR: makes the seeds of every target anew, in DIR/TARGET. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "input.h"

static void make_dir(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static const char *const targets[] = {"log", "page", "stream"};
    if (argc != 2 || argv[1][0] == '-') {
        fputs("usage: fuzz_seed DIR\n"
              "Writes the seeds of each target below DIR/TARGET. Exit status: 0, 1 it failed, "
              "2 usage.\n",
            argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    make_dir(argv[1]);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], targets[i]);
        make_dir(path);
    }
    seeds_log(argv[1]);
    seeds_page(argv[1]);
    seeds_stream(argv[1]);
    return 0;
}
