/* The command of a case: see command.h. */
#include "command.h"

#include "child.h"
#include "directory.h"
#include "isolate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *hp_case_mark(uint64_t number)
{
    return hp_format("HOTPROOF_CASE=%ld.%" PRIu64, (long)getpid(), number);
}

/* The program that a case runs in: this one, or its sibling without sanitizers. */
static char *host_program(bool real_library)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    return hp_format("%s%s", self, real_library ? "-case" : "");
}

static char **case_environment(const hp_spawn_request *request, const char *directory)
{
    const char *counts = getenv(HP_COUNTS_VARIABLE);
    char **environment = hp_allocate(12, sizeof *environment);
    size_t i = 0;
    environment[i++] =
        hp_format("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    environment[i++] = hp_format("HOME=%s", directory);
    environment[i++] = hp_format("TMPDIR=%s", directory);
    environment[i++] = hp_format("LC_ALL=C");
    environment[i++] = hp_format("TZ=UTC");
    environment[i++] = hp_case_mark(request->number);
    environment[i++] = hp_format("ASAN_OPTIONS=abort_on_error=1:detect_leaks=1");
    environment[i++] = hp_format("UBSAN_OPTIONS=abort_on_error=1:print_stacktrace=1");
    environment[i++] = hp_format("TSAN_OPTIONS=halt_on_error=0:exitcode=66");
    if (counts != NULL) {
        environment[i++] = hp_format(HP_COUNTS_VARIABLE "=%s", counts);
    }
    return environment;
}

static char **case_arguments(const hp_spawn_request *request, const char *program)
{
    char **argv = hp_allocate(8, sizeof *argv);
    argv[0] = hp_format("%s", program);
    argv[1] = hp_format(HP_RUN_CASE);
    argv[2] = hp_format("%s", request->engine->module);
    argv[3] = hp_format("%s", request->one->name);
    argv[4] = hp_format("%d", HP_REPORT_FD);
    argv[5] = hp_format("%" PRIu64, request->seed);
    argv[6] = hp_format("%g", request->timeout_scale);
    return argv;
}

static int make_directory(const char *directory)
{
    char *parent = hp_format("%s", directory);
    *strrchr(parent, '/') = '\0';
    int status = hp_directory_make(parent);
    free(parent);
    if (status == 0) {
        status = mkdir(directory, 0755);
    }
    if (status == 0 && hp_isolation_probe().user_drop) {
        status = chown(directory, HP_CASE_USER, HP_CASE_USER);
    }
    return status;
}

int hp_case_command_make(const hp_spawn_request *request, hp_case_command *command, hp_error *error)
{
    char *engine = hp_directory_component(request->engine->name);
    char *name = hp_directory_component(request->one->name);
    *command = (hp_case_command){0};
    command->directory = hp_format("%s/%s/%s.%u", request->work, engine, name, request->repetition);
    free(engine);
    free(name);
    if (make_directory(command->directory) != 0) {
        hp_fail(error, "%s: %s", command->directory, strerror(errno));
        hp_case_command_free(command);
        return -1;
    }
    command->program = host_program(request->engine->real_library);
    command->argv = case_arguments(request, command->program);
    command->environment = case_environment(request, command->directory);
    return 0;
}

void hp_strings_list_free(char **strings)
{
    for (size_t i = 0; strings != NULL && strings[i] != NULL; i++) {
        free(strings[i]);
    }
    free(strings);
}

void hp_case_command_free(hp_case_command *command)
{
    free(command->directory);
    free(command->program);
    hp_strings_list_free(command->argv);
    hp_strings_list_free(command->environment);
    *command = (hp_case_command){0};
}
