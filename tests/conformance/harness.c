/* Runs the program under test: see harness.h. */
#include "harness.h"

#include "runner/directory.h"
#include "testmain.h"

#include <dirent.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 32 };

static char *directory;

int kit_setup(void **state)
{
    (void)state;
    hp_error error;
    directory = hp_directory_temporary("/tmp", &error);
    assert_non_null(directory);
    assert_int_equal(mkdir(kit_path("work"), 0755), 0);
    assert_int_equal(mkdir(kit_path("expect"), 0755), 0);
    return 0;
}

int kit_teardown(void **state)
{
    (void)state;
    hp_directory_remove(directory);
    free(directory);
    directory = NULL;
    return 0;
}

const char *kit_path(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

void kit_expect(const char *engine, const char *lines)
{
    char name[128];
    snprintf(name, sizeof name, "expect/%s.expect", engine);
    FILE *file = fopen(kit_path(name), "w");
    assert_non_null(file);
    assert_true(fputs(lines, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void kit_input(const char *text)
{
    FILE *file = fopen(kit_path("input"), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

const char *kit_engine(const char *module)
{
    static char text[4200];
    snprintf(text, sizeof text, "--engine=%s/%s.so", TEST_MODULES, module);
    return text;
}

const char *kit_record(void)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/out/latest/record.ndjson", directory);
    return path;
}

static int start(char *const *arguments)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int input = open(kit_path("input"), O_RDONLY);
        dup2(input, STDIN_FILENO);
        int output = open(kit_path("output"), O_CREAT | O_WRONLY | O_TRUNC, 0644);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        execv(TEST_HOTPROOF, arguments);
        _exit(127);
    }
    return pid;
}

/* The same on a new terminal, whose output is collected to the end. */
static int start_on_terminal(char *const *arguments)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    int terminal;
    pid_t pid = forkpty(&terminal, NULL, NULL, &size);
    assert_true(pid >= 0);
    if (pid == 0) {
        execv(TEST_HOTPROOF, arguments);
        _exit(127);
    }
    char block[4096];
    FILE *output = fopen(kit_path("output"), "w");
    assert_non_null(output);
    for (ssize_t n; (n = read(terminal, block, sizeof block)) > 0;) {
        fwrite(block, 1, (size_t)n, output);
    }
    assert_int_equal(fclose(output), 0);
    close(terminal);
    return pid;
}

static int start_check(const char *module, va_list list, int (*starter)(char *const *arguments))
{
    char *arguments[MOST_ARGUMENTS] = {"hotproof", "check"};
    size_t count = 2, first_owned;
    arguments[count++] = "--seed=4711";
    first_owned = count;
    arguments[count++] = hp_format("--engine=%s/%s.so", TEST_MODULES, module);
    arguments[count++] = hp_format("--work=%s", kit_path("work"));
    arguments[count++] = hp_format("--out=%s", kit_path("out"));
    arguments[count++] = hp_format("--expect=%s", kit_path("expect"));
    size_t borrowed = count;
    for (char *next; (next = va_arg(list, char *)) != NULL && count + 1 < MOST_ARGUMENTS;) {
        arguments[count++] = next;
    }
    int pid = starter(arguments);
    for (size_t i = first_owned; i < borrowed; i++) {
        free(arguments[i]);
    }
    return pid;
}

static void take_line(kit_run *run, json_t *line)
{
    const char *type = hp_json_get(line, "type");
    if (strcmp(type, "header") == 0) {
        run->header = json_incref(line);
    } else if (strcmp(type, "footer") == 0) {
        run->footer = json_incref(line);
    } else {
        json_array_append(strcmp(type, "stale") == 0 ? run->stale : run->results, line);
    }
}

static void read_record(kit_run *run)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(kit_path("out/latest/record.ndjson"), "r");
    while (file != NULL && getline(&line, &room, file) >= 0) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        take_line(run, object);
        json_decref(object);
    }
    if (file != NULL) {
        fclose(file);
    }
    free(line);
}

kit_run kit_finish(int pid)
{
    kit_run run = {.results = json_array(), .stale = json_array()};
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    run.output = hp_read_tail(kit_path("output"), 1 << 20);
    read_record(&run);
    if (run.output != NULL) {
        print_message("%s", run.output);
    }
    return run;
}

int kit_start(const char *module, ...)
{
    va_list list;
    va_start(list, module);
    int pid = start_check(module, list, start);
    va_end(list);
    return pid;
}

kit_run kit_check(const char *module, ...)
{
    va_list list;
    va_start(list, module);
    int pid = start_check(module, list, start);
    va_end(list);
    return kit_finish(pid);
}

kit_run kit_check_on_terminal(const char *module, ...)
{
    va_list list;
    va_start(list, module);
    int pid = start_check(module, list, start_on_terminal);
    va_end(list);
    return kit_finish(pid);
}

kit_run kit_command(const char *first, ...)
{
    char *arguments[MOST_ARGUMENTS] = {"hotproof", hp_format("%s", first)};
    size_t count = 2;
    va_list list;
    va_start(list, first);
    for (char *next; (next = va_arg(list, char *)) != NULL && count + 1 < MOST_ARGUMENTS;) {
        arguments[count++] = next;
    }
    va_end(list);
    int pid = start(arguments);
    free(arguments[1]);
    return kit_finish(pid);
}

void kit_free(kit_run *run)
{
    free(run->output);
    json_decref(run->header);
    json_decref(run->footer);
    json_decref(run->results);
    json_decref(run->stale);
}

const json_t *kit_result(const kit_run *run, const char *name)
{
    size_t i;
    const json_t *result;
    json_array_foreach(run->results, i, result)
    {
        if (strcmp(hp_json_get(result, "case"), name) == 0) {
            return result;
        }
    }
    fail_msg("no result of case %s", name);
    return NULL;
}

void kit_assert_result(const kit_run *run, const char *name, const char *result)
{
    assert_string_equal(hp_json_get(kit_result(run, name), "result"), result);
}

bool kit_case_is_alive(void)
{
    char command[4200];
    snprintf(command, sizeof command, "grep -lsa 'HOME=%s' /proc/[0-9]*/environ", kit_path("work"));
    return system(command) == 0;
}

size_t kit_entries(const char *name)
{
    size_t count = 0;
    DIR *stream = opendir(kit_path(name));
    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(stream);
    return count;
}
