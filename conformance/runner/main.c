/*
 * hotproof: the conformance kit's program.
 *
 * A command chooses what it does; each has its own --help. Two hidden first arguments are how it
 * calls itself: to describe a module and to run one case, each in a process of its own.
 */
#include "../report/report.h"
#include "check.h"
#include "child.h"
#include "clauses.h"
#include "draft.h"
#include "engine.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

const char *argp_program_version = "hotproof " HOTPROOF_VERSION;

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"check", hp_check_command},
    {"clauses", hp_clauses_command},
    {"errors", hp_errors_command},
    {"explain", hp_explain_command},
    {"expect", hp_expect_command},
    {"report", hp_report_command},
    {"engines", hp_engines_command},
};

static const char help[] =
    "Proves, or refutes, that a hot backup keeps its documented promises."
    "\vCommands:\n"
    "  check     run the cases against the engines and report\n"
    "  clauses   print the promises and the cases that assert them\n"
    "  errors    print the documented errors and the cases that produce them\n"
    "  explain   say all that is known of one promise, with the last results\n"
    "  report    render records: terminal, HTML, TAP 14, JUnit XML, Markdown\n"
    "  expect    draft the lines of an expectation file from a record\n"
    "  engines   print which engines are installed, and from where\n\n"
    "`hotproof COMMAND --help` says more.\n\n"
    "Exit status: 0 as expected, 1 surprises, 2 usage, 3 the kit itself failed, 4 nothing ran.";

/* Stops at the first argument that is no option: the command. */
static error_t parse(int key, char *argument, struct argp_state *state)
{
    (void)argument;
    int *command = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        *command = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(
            state, "which command? check, clauses, errors, explain, report, expect or engines");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp parser = {
        .parser = parse, .args_doc = "COMMAND [OPTION...]", .doc = help};
    argp_err_exit_status = HP_EXIT_USAGE;
    if (argc > 1 && strcmp(argv[1], HP_RUN_CASE) == 0) {
        return hp_child_main(argc - 2, argv + 2);
    }
    if (argc == 3 && strcmp(argv[1], HP_DESCRIBE) == 0) {
        return hp_describe_main(argv[2]);
    }
    int first = 0;
    argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &first);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[first], commands[i].name) == 0) {
            return commands[i].run(argc - first, argv + first);
        }
    }
    fprintf(stderr, "hotproof: no command is called %s; see hotproof --help\n", argv[first]);
    return HP_EXIT_USAGE;
}
