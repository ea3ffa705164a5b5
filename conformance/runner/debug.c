/* One case under the debugger: see debug.h. */
#include "debug.h"

#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_STARTED = 127 };

/* How gdb starts the process: with the case's environment and nothing of gdb's own. A later name
 * takes the place of an earlier one; the leak checker cannot work under a debugger. */
static char *wrapper(const hp_case_command *command)
{
    char *line = hp_format("set exec-wrapper env -i");
    for (size_t i = 0; command->environment[i] != NULL; i++) {
        char *word = hp_shell_word(command->environment[i]);
        char *longer = hp_format("%s %s", line, word);
        free(line);
        free(word);
        line = longer;
    }
    char *whole = hp_format("%s ASAN_OPTIONS=abort_on_error=1:detect_leaks=0", line);
    free(line);
    return whole;
}

static bool is_function_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && *at != '_') {
            return false;
        }
    }
    return name[0] != '\0' && !isdigit((unsigned char)name[0]);
}

/* The arguments of gdb, for hp_strings_list_free(). */
static char **gdb_arguments(const hp_case_command *command, const char *name)
{
    size_t count = 0, i = 0;
    while (command->argv[count] != NULL) {
        count++;
    }
    char **argv = hp_allocate(count + 14, sizeof *argv);
    argv[i++] = hp_format("gdb");
    argv[i++] = hp_format("-q");
    argv[i++] = hp_format("-ex");
    argv[i++] = wrapper(command);
    argv[i++] = hp_format("-ex");
    argv[i++] = hp_format("set breakpoint pending on");
    if (is_function_name(name)) {
        argv[i++] = hp_format("-ex");
        argv[i++] = hp_format("break %s", name);
        argv[i++] = hp_format("-ex");
        argv[i++] = hp_format("run");
    }
    argv[i++] = hp_format("--args");
    for (size_t k = 0; k < count; k++) {
        argv[i++] = hp_format("%s", command->argv[k]);
    }
    return argv;
}

static _Noreturn void become(const hp_case_command *command, char **argv)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    if (chdir(command->directory) == 0 && dup2(STDERR_FILENO, HP_REPORT_FD) == HP_REPORT_FD) {
        execvp(argv[0], argv);
    }
    _exit(NOT_STARTED);
}

int hp_debug_case(const hp_spawn_request *request, char **directory, hp_error *error)
{
    hp_case_command command;
    *directory = NULL;
    if (hp_case_command_make(request, &command, error) != 0) {
        return -1;
    }
    *directory = hp_format("%s", command.directory);
    char **argv = gdb_arguments(&command, request->one->name);
    /* Ctrl-C is for gdb. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    int status = 0, result = 0;
    pid_t pid = fork();
    if (pid == 0) {
        become(&command, argv);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED)) {
        result = hp_fail(error, "gdb could not be started: apt install gdb");
    }
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    hp_strings_list_free(argv);
    hp_case_command_free(&command);
    return result;
}
