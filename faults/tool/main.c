/* hotfault: finds the command and calls it; and what all commands use. */
#include "tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
    const char *noun, *verb;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"plan", "check", tool_plan_check},
    {"plan", "format", tool_plan_format},
    {"trace", "diff", tool_trace_diff},
    {"trace", "dump", tool_trace_dump},
};

static const char *tool_name = "hotfault";

int tool_error(const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fprintf(stderr, "%s: ", tool_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return TOOL_FAILED;
}

/* ---- files ---- */

/* 0 or errno. */
static int copy_all(FILE *from, FILE *to)
{
    char chunk[16384];
    size_t got;
    errno = 0;
    while ((got = fread(chunk, 1, sizeof chunk, from)) > 0) {
        if (fwrite(chunk, 1, got, to) != got) {
            return ENOMEM;
        }
    }
    return !ferror(from) ? 0 : errno != 0 ? errno : EIO;
}

uint8_t *tool_read(const char *path, size_t *size)
{
    char *bytes = NULL;
    FILE *file = fopen(path, "rb");
    FILE *to = file != NULL ? open_memstream(&bytes, size) : NULL;
    int error = to == NULL ? errno : copy_all(file, to);

    if (to != NULL && fclose(to) != 0 && error == 0) {
        error = ENOMEM;
    }
    if (file != NULL) {
        fclose(file);
    }
    if (error != 0) {
        tool_error("%s: %s", path, strerror(error));
        free(bytes);
        return NULL;
    }
    return (uint8_t *)bytes;
}

fault_traced *tool_open_trace(const char *path)
{
    char why[FAULT_TRACE_WHY];
    fault_traced *trace = NULL;
    size_t size;
    uint8_t *bytes = tool_read(path, &size);

    if (bytes == NULL) {
        return NULL;
    }
    int error = fault_traced_open(bytes, size, &trace, why);
    free(bytes);
    if (error != 0) {
        tool_error("%s: %s", path, error == EINVAL ? why : strerror(error));
    }
    return trace;
}

/* ---- a command's arguments ---- */

static error_t parse_file(int key, char *arg, struct argp_state *state)
{
    tool_arguments *given = state->input;
    switch (key) {
    case 'j':
        given->json = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (given->count == given->wanted) {
            argp_error(state, "%s: one file too many", arg);
        }
        given->files[given->count++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (given->count < given->wanted) {
            argp_error(state, given->wanted == 1 ? "a file is missing" : "two files are needed");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void tool_parse(int argc, char **argv, const struct argp_option *options, const char *args_doc,
    const char *doc, tool_arguments *out)
{
    const struct argp argp = {
        .options = options, .parser = parse_file, .args_doc = args_doc, .doc = doc};
    int wanted = out->wanted;
    *out = (tool_arguments){.wanted = wanted};
    argp_parse(&argp, argc, argv, 0, NULL, out);
}

/* ---- the command line ---- */

static const char doc[] =
    "Reads fault plans and the traces of runs under them."
    "\v"
    "Commands:\n"
    "  plan check    say whether a plan is understood, or where and why not\n"
    "  plan format   print a plan in its canonical form\n"
    "  trace dump    print a trace, one operation a line\n"
    "  trace diff    say where two runs first differ\n"
    "\n"
    "`hotfault COMMAND --help' says more.\n\n"
    "Exit status: 0 done, 1 a mistake in the plan or a difference, 2 wrong usage, 3 a file cannot "
    "be read or output not written.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
    int *command_at = state->input;

    (void)arg;
    switch (key) {
    case ARGP_KEY_ARG:
        *command_at = state->next - 1;
        state->next = state->argc; /* the rest is the command's */
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "a command is missing");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int finish(int status)
{
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return tool_error("standard output: %s", strerror(errno != 0 ? errno : EIO));
    }
    return status;
}

static int run(const struct command *command, int argc, char **argv)
{
    char name[40];
    snprintf(name, sizeof name, "hotfault %s %s", command->noun, command->verb);
    tool_name = argv[0] = name;
    int status = finish(command->run(argc, argv));
    tool_name = "hotfault";
    return status;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse, .args_doc = "COMMAND [OPTION...] FILE...", .doc = doc};
    int at = 0;

    argp_program_version = "hotfault " HOTFAULT_VERSION;
    argp_err_exit_status = TOOL_USAGE;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &at);
    const char *verb = at + 1 < argc ? argv[at + 1] : "";
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].noun, argv[at]) == 0 && strcmp(commands[i].verb, verb) == 0) {
            return run(&commands[i], argc - at - 1, argv + at + 1);
        }
    }
    tool_error("no command is called \"%s%s%s\"; see `hotfault --help'", argv[at],
        verb[0] != '\0' ? " " : "", verb);
    return TOOL_USAGE;
}
