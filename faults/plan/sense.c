/*
 * What makes no sense in a plan is refused, so that no rule stands there that could never fire; and
 * a group becomes the classes of it that the rule can be about.
 */
#include <errno.h>

#include "parse.h"

#define BIT(op) FAULT_CLASS_BIT(FAULT_OP_##op)
#define WITHOUT_PATH (BIT(SLEEP) | BIT(RANDOM) | BIT(MEMORY))
#define WITH_OFFSET (BIT(READ) | BIT(WRITE) | BIT(TRUNCATE) | BIT(ALLOCATE) | BIT(LOCK))

uint64_t fault_plan_default_times(const fault_plan_rule *rule)
{
    bool says_which = (rule->keys & (FAULT_KEY_SEQ | FAULT_KEY_PROB | FAULT_KEY_SPACE)) != 0 ||
                      ((rule->keys & FAULT_KEY_NTH) && !rule->nth.plain);
    return says_which ? FAULT_TIMES_ALWAYS : 1;
}

static bool can_give(fault_op_class op, int error)
{
    size_t count;
    const int *errors = fault_op_errors(op, &count);
    for (size_t i = 0; i < count; i++) {
        if (errors[i] == error) {
            return true;
        }
    }
    return false;
}

/* The classes that can meet the action. */
static uint32_t classes_of_action(const fault_decision *decision)
{
    uint32_t classes = 0;
    switch (decision->action) {
    case FAULT_DO_ERROR:
        for (unsigned op = 0; op < FAULT_OP_CLASSES; op++) {
            if (can_give((fault_op_class)op, decision->error)) {
                classes |= FAULT_CLASS_BIT(op);
            }
        }
        return classes;
    case FAULT_DO_SHORT:
        return BIT(READ) | BIT(WRITE);
    case FAULT_DO_TORN:
    case FAULT_DO_MISDIRECT:
        return BIT(WRITE);
    case FAULT_DO_LOSE:
        return BIT(WRITE) | BIT(TRUNCATE) | BIT(MKDIR) | BIT(RMDIR) | BIT(UNLINK) | BIT(RENAME);
    case FAULT_DO_LIE:
        return BIT(SYNC) | BIT(SYNC_DIR);
    case FAULT_DO_FAIL_SYNC:
        return can_give(FAULT_OP_SYNC, decision->error) ? BIT(SYNC) : 0;
    case FAULT_DO_FLIP_READ:
    case FAULT_DO_FLIP_MEDIUM:
    case FAULT_DO_STALE:
        return BIT(READ);
    case FAULT_DO_NOTHING:
    case FAULT_DO_DELAY:
    case FAULT_DO_CRASH:
        break;
    }
    return FAULT_CLASS_EVERY & ~BIT(MARK);
}

static int refuse_keys(fault_lexer *lexer, const fault_plan_rule *rule, const char *on)
{
    unsigned keys = rule->keys;
    if ((keys & FAULT_KEY_SEQ) && (keys & FAULT_KEY_NTH)) {
        return fault_lex_fail(lexer, on, "nth and seq both say which operations; choose one");
    }
    if ((keys & FAULT_KEY_SEQ) && (keys & FAULT_KEY_PROB)) {
        return fault_lex_fail(lexer, on, "seq and prob both say which operations; choose one");
    }
    if ((keys & FAULT_KEY_OF) && !(keys & FAULT_KEY_NTH)) {
        return fault_lex_fail(lexer, on, "of= says what nth= counts, and there is no nth=");
    }
    if ((keys & FAULT_KEY_UNTIL) && !(keys & FAULT_KEY_SPACE)) {
        return fault_lex_fail(lexer, on, "until= says when space> ends, and there is no space>");
    }
    return 0;
}

/* Says why the first class that is too much cannot be there. */
static int refuse_class(fault_lexer *lexer, const fault_plan_rule *rule, const char *on,
    uint32_t impossible, const char *why)
{
    unsigned op = (unsigned)__builtin_ctz(impossible);
    const char *error = fault_errno_name(rule->decision.error);
    if (why != NULL) {
        return fault_lex_fail(lexer, on, "%s %s", fault_op_word((fault_op_class)op), why);
    }
    if (error != NULL) {
        return fault_lex_fail(
            lexer, on, "%s cannot give %s", fault_op_word((fault_op_class)op), error);
    }
    return fault_lex_fail(lexer, on, "%s cannot meet %s", fault_op_word((fault_op_class)op),
        fault_action_word(rule->decision.action));
}

int fault_parse_sense(fault_lexer *lexer, fault_plan_rule *rule, const char *on)
{
    uint32_t every = FAULT_CLASS_EVERY & ~BIT(MARK);
    bool by_path = (rule->keys & FAULT_KEY_PATH) || rule->of == FAULT_OF_PATH;
    struct {
        uint32_t possible;
        const char *why;
    } limits[] = {
        {classes_of_action(&rule->decision), NULL},
        {by_path ? every & ~WITHOUT_PATH : every, "has no path"},
        {rule->keys & FAULT_KEY_OFF ? WITH_OFFSET : every, "has no offset"},
    };
    int error = refuse_keys(lexer, rule, on);

    if (rule->group != FAULT_GROUP_NONE) {
        for (unsigned op = 0; op < FAULT_OP_CLASSES; op++) {
            if (rule->group == FAULT_GROUP_ANY || fault_op_changes((fault_op_class)op)) {
                rule->classes |= FAULT_CLASS_BIT(op);
            }
        }
    }
    for (size_t i = 0; error == 0 && i < sizeof limits / sizeof *limits; i++) {
        uint32_t impossible = rule->classes & ~limits[i].possible;
        if (rule->group != FAULT_GROUP_NONE) {
            rule->classes &= limits[i].possible;
            impossible = rule->classes == 0 ? impossible : 0;
        }
        if (impossible != 0) {
            error = refuse_class(lexer, rule, on, impossible, limits[i].why);
        }
    }
    if (!(rule->keys & FAULT_KEY_TIMES)) {
        rule->times = fault_plan_default_times(rule);
    }
    return error;
}
