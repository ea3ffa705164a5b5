/*
 * A main() for targets without a fuzzing engine: tries the files that it is given, one after
 * another. With an engine (libFuzzer, AFL++'s driver) this file is left out.
 */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

enum { SECONDS_PER_INPUT = 20 };

static struct {
    bool twice;
    bool names;
    size_t inputs, failures;
} run;

static const char *volatile current = "";

/* Says which input it was; the sanitizers say what. */
static void say_input(void)
{
    static const char words[] = "fuzz: this was the input ";
    const char *path = current;
    if (write(STDERR_FILENO, words, sizeof words - 1) < 0 ||
        write(STDERR_FILENO, path, strlen(path)) < 0 || write(STDERR_FILENO, "\n", 1) < 0) {
        return;
    }
}

static void on_signal(int number)
{
    if (number == SIGALRM) {
        static const char words[] = "fuzz: takes too long\n";
        if (write(STDERR_FILENO, words, sizeof words - 1) < 0) {
            _exit(1);
        }
    }
    say_input();
    signal(number, SIG_DFL);
    raise(number);
}

/* In programs with a sanitizer. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

static void complain(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    run.failures++;
}

static uint64_t try_once(const uint8_t *bytes, size_t size)
{
    fuzz_outcome_reset();
    alarm(SECONDS_PER_INPUT);
    LLVMFuzzerTestOneInput(bytes, size);
    alarm(0);
    return fuzz_outcome();
}

static void check_name(const char *path, bool accepted)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    if (strncmp(base, "good-", 5) == 0 && !accepted) {
        complain(path, "the engine refuses it");
        fprintf(stderr, "  %s\n", ref_error_text());
    }
    if (strncmp(base, "bad-", 4) == 0 && accepted) {
        complain(path, "the engine takes it");
    }
}

static void try_input(const char *path, const uint8_t *bytes, size_t size)
{
    uint64_t before = fuzz_accepted();
    uint64_t outcome = try_once(bytes, size);
    run.inputs++;
    if (run.names) {
        check_name(path, fuzz_accepted() > before);
    }
    if (run.twice && try_once(bytes, size) != outcome) {
        complain(path, "a second run has another outcome");
    }
    if (__lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0) {
        complain(path, "memory is lost");
    }
}

/* At most one byte more than any target takes. malloc'd; NULL with errno. */
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    uint8_t *bytes = malloc(FUZZ_INPUT_MAX + 1);
    if (bytes != NULL) {
        *size = fread(bytes, 1, FUZZ_INPUT_MAX + 1, file);
        if (ferror(file)) {
            free(bytes);
            bytes = NULL;
        }
    }
    fclose(file);
    return bytes;
}

static int no_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void try_path(const char *path)
{
    struct dirent **entries;
    size_t size = 0;
    int count = scandir(path, &entries, no_dots, alphasort);
    if (count < 0 && errno != ENOTDIR) {
        complain(path, strerror(errno));
        return;
    }
    for (int i = 0; i < count; i++) {
        char *below = NULL;
        if (asprintf(&below, "%s/%s", path, entries[i]->d_name) > 0) {
            try_path(below);
            free(below);
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
        return;
    }
    /* The buffer is as long as the input, so that a read behind it is seen. */
    uint8_t *read = read_file(path, &size);
    uint8_t *bytes = read != NULL ? malloc(size + (size == 0)) : NULL;
    if (bytes == NULL) {
        complain(path, strerror(errno));
    } else {
        memcpy(bytes, read, size);
        current = path;
        try_input(path, bytes, size);
        current = "";
    }
    free(read);
    free(bytes);
}

static const struct argp_option options[] = {
    {"twice", 't', NULL, 0, "Try each input twice; both must have the same outcome", 0},
    {"names", 'n', NULL, 0,
        "Files whose name begins with good- must be taken by the engine, with bad- refused", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 't':
        run.twice = true;
        return 0;
    case 'n':
        run.names = true;
        return 0;
    case ARGP_KEY_ARG:
        try_path(argument);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {options, parse, "PATH...",
    "Tries each file, and each file below each directory, as an input of this target.\v"
    "Exit status: 0 no input is a find, 1 one is; death by a signal or a sanitizer's report: the "
    "input that is named last is one.",
    NULL, NULL, NULL};

int main(int argc, char **argv)
{
    signal(SIGALRM, on_signal);
    signal(SIGABRT, on_signal);
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(say_input);
    }
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, NULL);
    printf("%zu inputs, %llu taken by the engine, %zu finds\n", run.inputs,
        (unsigned long long)fuzz_accepted(), run.failures);
    return run.failures == 0 && run.inputs > 0 ? 0 : 1;
}
