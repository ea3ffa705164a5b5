/* The words and errors of operations: tables from op.def. */
#include "op.h"

#include <errno.h>
#include <string.h>

/* The zero in front is for a class without errors. */
#define FAULT_LIST(...) \
    {                   \
        0, __VA_ARGS__  \
    }
#define FAULT_OP(enumerator, word, changes, errors) \
    static const int errors_##enumerator[] = FAULT_LIST errors;
#include "op.def"
#undef FAULT_OP

static const struct op_class {
    const char *word;
    int changes;
    const int *errors;
    size_t error_count;
} classes[FAULT_OP_CLASSES] = {
#define FAULT_OP(enumerator, word, changes, errors) \
    {word, changes, errors_##enumerator + 1, sizeof errors_##enumerator / sizeof(int) - 1},
#include "op.def"
#undef FAULT_OP
};

static int is_class(fault_op_class op)
{
    return (unsigned)op < FAULT_OP_CLASSES;
}

const char *fault_op_word(fault_op_class op)
{
    return is_class(op) ? classes[op].word : "?";
}

static int is_word(const char *word, const char *given, size_t length)
{
    return word != NULL && strlen(word) == length && memcmp(word, given, length) == 0;
}

fault_op_class fault_op_of_word(const char *word, size_t length)
{
    for (unsigned i = 0; i < FAULT_OP_CLASSES; i++) {
        if (is_word(classes[i].word, word, length)) {
            return (fault_op_class)i;
        }
    }
    return FAULT_OP_CLASSES;
}

int fault_op_changes(fault_op_class op)
{
    return is_class(op) && classes[op].changes;
}

const int *fault_op_errors(fault_op_class op, size_t *count)
{
    *count = is_class(op) ? classes[op].error_count : 0;
    return is_class(op) ? classes[op].errors : NULL;
}

const char *fault_errno_name(int error)
{
    return error > 0 ? strerrorname_np(error) : NULL;
}

int fault_errno_of_name(const char *name, size_t length)
{
    enum { HIGHEST = 4095 }; /* that a system call can give */
    for (int error = 1; error <= HIGHEST; error++) {
        if (is_word(strerrorname_np(error), name, length)) {
            return error;
        }
    }
    return 0;
}

const char *fault_action_word(fault_action action)
{
    static const char *const words[] = {
        [FAULT_DO_NOTHING] = "nothing",
        [FAULT_DO_ERROR] = "err",
        [FAULT_DO_SHORT] = "short",
        [FAULT_DO_TORN] = "torn",
        [FAULT_DO_LOSE] = "lose",
        [FAULT_DO_LIE] = "lie",
        [FAULT_DO_FAIL_SYNC] = "failsync",
        [FAULT_DO_FLIP_READ] = "flip-read",
        [FAULT_DO_FLIP_MEDIUM] = "flip-medium",
        [FAULT_DO_STALE] = "stale",
        [FAULT_DO_MISDIRECT] = "misdirect",
        [FAULT_DO_DELAY] = "delay",
        [FAULT_DO_CRASH] = "crash",
    };
    return (unsigned)action < sizeof words / sizeof *words ? words[action] : "?";
}
