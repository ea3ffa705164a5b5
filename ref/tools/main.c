/* hotref: finds the command and calls it; and what all commands use to speak. */
#include "tool.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "progress.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    bool looks_only;
} commands[] = {{"backup", tool_backup, false}, {"dump", tool_dump, false},
    {"load", tool_load, false}, {"printlog", tool_printlog, true}, {"recover", tool_recover, false},
    {"verify", tool_verify, true}};

static const char *tool_name = "hotref";

/* ---- speaking ---- */

void tool_set_name(const char *name)
{
    tool_name = name;
}

static void say(const char *format, va_list args)
{
    tool_progress_clear();
    fflush(stdout);
    fprintf(stderr, "%s: ", tool_name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int tool_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
    return TOOL_FAILED;
}

void tool_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

int tool_failed(int error)
{
    const char *words = ref_error_text();
    return tool_error("%s", words[0] != '\0' ? words : ref_strerror(error));
}

int tool_finish(int status)
{
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return tool_error("standard output: write: %s", strerror(errno != 0 ? errno : EIO));
    }
    return status;
}

/* ---- words to numbers and back ---- */

const char *tool_home_of(const char *given, const char *otherwise)
{
    const char *variable = getenv("DB_HOME");
    if (given != NULL) {
        return given;
    }
    return variable != NULL && variable[0] != '\0' ? variable : otherwise;
}

bool tool_parse_bytes(const char *text, uint64_t *out)
{
    static const char units[] = "KMGT";
    char *end;

    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno != 0 || number == 0) {
        return false;
    }
    if (*end != '\0') {
        const char *unit = strchr(units, toupper((unsigned char)*end));
        if (unit == NULL || end[1] != '\0') {
            return false;
        }
        unsigned shift = 10u * (unsigned)(unit - units + 1);
        if (number > UINT64_MAX >> shift) {
            return false;
        }
        number <<= shift;
    }
    *out = number;
    return true;
}

static bool parse_u32(const char *text, char **end, uint64_t *out)
{
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    *out = strtoull(text, end, 10);
    return errno == 0 && *out <= UINT32_MAX;
}

bool tool_parse_lsn(const char *text, uint64_t *out)
{
    uint64_t segment, offset;
    char *end;

    if (!parse_u32(text, &end, &segment) || *end != '/' || !parse_u32(end + 1, &end, &offset) ||
        *end != '\0') {
        return false;
    }
    *out = segment << 32 | offset;
    return true;
}

const char *tool_bytes_text(uint64_t bytes, char out[static 24])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    snprintf(out, 24, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return out;
}

const char *tool_time_text(uint64_t time, char out[static 40])
{
    time_t seconds = (time_t)(time / 1000000000u);
    struct tm utc;

    if (gmtime_r(&seconds, &utc) == NULL || strftime(out, 40, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        snprintf(out, 40, "%" PRIu64 " ns", time);
    }
    return out;
}

/* ---- memory ---- */

static _Noreturn void out_of_memory(void)
{
    tool_error("out of memory");
    exit(TOOL_FAILED);
}

char *tool_format(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0) {
        out_of_memory();
    }
    return text;
}

char *tool_copy(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        out_of_memory();
    }
    return copy;
}

void *tool_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (memory == NULL) {
        out_of_memory();
    }
    return memory;
}

/* ---- the command line ---- */

typedef struct arguments {
    int command_at; /* in argv; 0: none */
} arguments;

static const char doc[] =
    "Works on environments and databases of the reference engine."
    "\v"
    "Commands:\n"
    "  backup    copy an environment while it is in use\n"
    "  recover   bring an environment, or a copy of one, to its log's end\n"
    "  verify    check an environment, or a backup, without changing anything\n"
    "  dump      print a database in Berkeley DB's portable format\n"
    "  load      read that format into a database\n"
    "  printlog  print the records of the log\n"
    "\n"
    "`hotref COMMAND --help' says more." TOOL_EXIT_STATUS;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *given = state->input;

    (void)arg;
    switch (key) {
    case ARGP_KEY_ARG:
        given->command_at = state->next - 1;
        state->next = state->argc; /* the rest is the command's */
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "a command is missing");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse, .args_doc = "COMMAND [OPTION...]", .doc = doc};
    arguments given = {0};

    argp_program_version = "hotref " HOTREF_VERSION;
    argp_err_exit_status = TOOL_USAGE;
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &given) != 0) {
        return TOOL_USAGE;
    }
    char **rest = argv + given.command_at;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, rest[0]) == 0) {
            if (!commands[i].looks_only) {
                /* A reader that goes away is a failed write: there is an environment to close. */
                signal(SIGPIPE, SIG_IGN);
            }
            char *name = tool_format("hotref %s", rest[0]);
            tool_set_name(name);
            rest[0] = name;
            int status = tool_finish(commands[i].run(argc - given.command_at, rest));
            tool_set_name("hotref");
            free(name);
            return status;
        }
    }
    tool_error("no command is called \"%s\"; see `hotref --help'", rest[0]);
    return TOOL_USAGE;
}
