/* The process of a case: see child.h. */
#include "child.h"

#include "../hp_case.h"
#include "../hp_module.h"
#include "isolate.h"
#include "module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The module has the reporting functions too, but an error may come before it is open. */
static int give_up(int fd, const char *why)
{
    dprintf(fd, "error %s\n", why);
    return 1;
}

int hp_child_main(int argc, char **argv)
{
    char why[1024];
    if (argc != 5) {
        return 2;
    }
    hp_case_run run = {
        .report_fd = atoi(argv[2]),
        .seed = strtoull(argv[3], NULL, 10),
        .timeout_scale = strtod(argv[4], NULL),
    };
    const hp_module *module = hp_module_open(argv[0], why, sizeof why);
    if (module == NULL) {
        return give_up(run.report_fd, why);
    }
    const hp_case *one = hp_module_find(module, argv[1]);
    if (one == NULL) {
        return give_up(run.report_fd, "the module has no such case");
    }
    int status = module->prepare != NULL ? module->prepare() : 0;
    if (status != 0) {
        snprintf(why, sizeof why, "the module's preparation failed: %s", strerror(status));
        return give_up(run.report_fd, why);
    }
    char directory[4096];
    if (getcwd(directory, sizeof directory) == NULL) {
        return give_up(run.report_fd, strerror(errno));
    }
    const char *counts = getenv(HP_COUNTS_VARIABLE);
    if (counts != NULL) {
        setenv("GCOV_PREFIX", counts, 1);
    }
    if (hp_isolate(directory, counts, why, sizeof why) != 0) {
        return give_up(run.report_fd, why);
    }
    return module->run_case(one, &run);
}
