/* hotfault plan check, plan format. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../plan/plan.h"
#include "tool.h"

static const char check_doc[] =
    "Says whether a plan is understood. If not, standard error has FILE:LINE:COLUMN: and the "
    "reason; "
    "columns are bytes, from 1."
    "\v"
    "Exit status: 0 it is, 1 it is not, 2 wrong usage, 3 the file cannot be read.";

static const char format_doc[] =
    "Prints a plan in its canonical form: roots first, then the rules, without comments, each "
    "value "
    "in one way. The form means the same, and its own form is itself."
    "\v"
    "Exit status: 0 done, 1 the plan is not understood, 2 wrong usage, 3 the file cannot be read.";

/* The plan of the file that the command line names; NULL with a message and *status. */
static fault_plan *plan_of(int argc, char **argv, const char *doc, int *status)
{
    tool_arguments given = {.wanted = 1};
    fault_plan_error error;
    fault_plan *plan = NULL;
    size_t size;

    tool_parse(argc, argv, NULL, "FILE", doc, &given);
    uint8_t *text = tool_read(given.files[0], &size);
    *status = TOOL_FAILED;
    if (text == NULL) {
        return NULL;
    }
    int result = fault_plan_parse((const char *)text, size, &plan, &error);
    free(text);
    if (result == EINVAL) {
        fprintf(stderr, "%s:%u:%u: %s\n", given.files[0], error.line, error.column, error.text);
        *status = TOOL_FOUND;
    } else if (result != 0) {
        tool_error("%s: %s", given.files[0], strerror(result));
    }
    return plan;
}

int tool_plan_check(int argc, char **argv)
{
    int status;
    fault_plan *plan = plan_of(argc, argv, check_doc, &status);
    if (plan == NULL) {
        return status;
    }
    fault_plan_free(plan);
    return TOOL_OK;
}

int tool_plan_format(int argc, char **argv)
{
    int status;
    fault_plan *plan = plan_of(argc, argv, format_doc, &status);
    if (plan == NULL) {
        return status;
    }
    char *text = fault_plan_format(plan);
    fault_plan_free(plan);
    if (text == NULL) {
        return tool_error("out of memory");
    }
    fputs(text, stdout);
    free(text);
    return TOOL_OK;
}
