/* Actions of a plan: what stands behind `do`, and which classes can meet it. */
#include <errno.h>
#include <string.h>

#include "parse.h"

const char *const fault_plan_failure_words[FAULT_SYNC_KEEP + 1] = {
    "clean", "late", "revert", "keep"};

static const struct action {
    const char *word;
    fault_action action;
    unsigned needs, takes; /* FAULT_KEYs */
} actions[] = {
    {"short", FAULT_DO_SHORT, FAULT_KEY_N, 0},
    {"torn", FAULT_DO_TORN, FAULT_KEY_MASK, 0},
    {"lose", FAULT_DO_LOSE, 0, 0},
    {"lie", FAULT_DO_LIE, 0, 0},
    {"failsync", FAULT_DO_FAIL_SYNC, FAULT_KEY_PROFILE, FAULT_KEY_ERR},
    {"flip", FAULT_DO_FLIP_READ, FAULT_KEY_BIT, FAULT_KEY_LAYER},
    {"stale", FAULT_DO_STALE, 0, 0},
    {"misdirect", FAULT_DO_MISDIRECT, FAULT_KEY_BY, 0},
    {"delay", FAULT_DO_DELAY, FAULT_KEY_NS, 0},
    {"crash", FAULT_DO_CRASH, 0, 0},
};

/* ---- values ---- */

static int take_err(fault_lexer *lexer, fault_plan_rule *rule, fault_token value)
{
    rule->decision.error = fault_errno_of_name(value.at, value.length);
    if (rule->decision.error == 0) {
        return fault_lex_fail(
            lexer, value.at, "err: \"%.*s\" is no errno", FAULT_TOKEN_ARGS(value));
    }
    return 0;
}

/* A number that the decision's signed amount can hold. */
static int take_amount(
    fault_lexer *lexer, fault_plan_rule *rule, fault_token value, const char *what)
{
    uint64_t number = 0;
    int error = fault_lex_number(lexer, value, what, &number);
    if (error == 0 && number > INT64_MAX) {
        error = fault_lex_fail(lexer, value.at, "%s: %.*s is out of range; less than 2^63", what,
            FAULT_TOKEN_ARGS(value));
    }
    rule->decision.amount = (int64_t)number;
    return error;
}

static int take_n(fault_lexer *lexer, fault_plan_rule *rule, fault_token value)
{
    return take_amount(lexer, rule, value, "n");
}

static int take_bit(fault_lexer *lexer, fault_plan_rule *rule, fault_token value)
{
    return take_amount(lexer, rule, value, "bit");
}

static int take_ns(fault_lexer *lexer, fault_plan_rule *rule, fault_token value)
{
    int error = take_amount(lexer, rule, value, "ns");
    if (error == 0 && rule->decision.amount == 0) {
        error = fault_lex_fail(lexer, value.at, "ns: a delay of nothing is none");
    }
    return error;
}

static int take_mask(fault_lexer *lexer, fault_plan_rule *rule, fault_token value)
{
    int error = fault_lex_number(lexer, value, "mask", &rule->decision.mask);
    if (error == 0 && rule->decision.mask == UINT64_MAX) {
        error = fault_lex_fail(lexer, value.at, "mask: a write of which all is kept is not torn");
    }
    return error;
}

static int take_profile(fault_lexer *lexer, fault_plan_rule *rule, fault_token value)
{
    for (unsigned i = 0; i <= FAULT_SYNC_KEEP; i++) {
        if (fault_token_is(value, fault_plan_failure_words[i])) {
            rule->decision.failure = (fault_sync_failure)i;
            return 0;
        }
    }
    return fault_lex_fail(lexer, value.at, "profile: \"%.*s\" is none of clean, late, revert, keep",
        FAULT_TOKEN_ARGS(value));
}

static int take_layer(fault_lexer *lexer, fault_plan_rule *rule, fault_token value)
{
    if (fault_token_is(value, "read")) {
        rule->decision.action = FAULT_DO_FLIP_READ;
    } else if (fault_token_is(value, "medium")) {
        rule->decision.action = FAULT_DO_FLIP_MEDIUM;
    } else {
        return fault_lex_fail(
            lexer, value.at, "layer: \"%.*s\" is neither read nor medium", FAULT_TOKEN_ARGS(value));
    }
    return 0;
}

/* With a sign: the direction of a misdirected write is not to be read over. */
static int take_by(fault_lexer *lexer, fault_plan_rule *rule, fault_token value)
{
    if (value.length == 0 || strchr("+-", value.at[0]) == NULL) {
        return fault_lex_fail(lexer, value.at, "by: a sign is missing: +N or -N");
    }
    int error = take_amount(lexer, rule, (fault_token){value.at + 1, value.length - 1}, "by");
    if (error == 0 && rule->decision.amount == 0) {
        error = fault_lex_fail(lexer, value.at, "by: a write by 0 goes where it should");
    }
    if (value.at[0] == '-') {
        rule->decision.amount = -rule->decision.amount;
    }
    return error;
}

static const struct value {
    const char *word;
    unsigned bit;
    int (*take)(fault_lexer *lexer, fault_plan_rule *rule, fault_token value);
} values[] = {
    {"err", FAULT_KEY_ERR, take_err},
    {"n", FAULT_KEY_N, take_n},
    {"mask", FAULT_KEY_MASK, take_mask},
    {"profile", FAULT_KEY_PROFILE, take_profile},
    {"bit", FAULT_KEY_BIT, take_bit},
    {"layer", FAULT_KEY_LAYER, take_layer},
    {"by", FAULT_KEY_BY, take_by},
    {"ns", FAULT_KEY_NS, take_ns},
};

/* ---- the action ---- */

static const char *key_word(unsigned bit)
{
    size_t i = 0;
    while (values[i].bit != bit) {
        i++;
    }
    return values[i].word;
}

/* err=NAME is an action by itself, and then takes no further value. */
static int take_word(
    fault_lexer *lexer, fault_plan_rule *rule, fault_token token, const struct action **out)
{
    static const struct action failing = {"err", FAULT_DO_ERROR, FAULT_KEY_ERR, 0};
    fault_token key, value;

    if (token.at == NULL) {
        return fault_lex_fail(lexer, lexer->at, "`do' and an action are missing");
    }
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (fault_token_is(token, actions[i].word)) {
            *out = &actions[i];
            rule->decision.action = actions[i].action;
            return 0;
        }
    }
    if (fault_token_split(token, '=', &key, &value) && fault_token_is(key, failing.word)) {
        *out = &failing;
        rule->decision.action = failing.action;
        rule->keys |= FAULT_KEY_ERR;
        return take_err(lexer, rule, value);
    }
    return fault_lex_fail(lexer, token.at, "\"%.*s\" is no action", FAULT_TOKEN_ARGS(token));
}

static int take_value(
    fault_lexer *lexer, fault_plan_rule *rule, fault_token token, const struct action *action)
{
    fault_token key, value;
    if (!fault_token_split(token, '=', &key, &value)) {
        return fault_lex_fail(
            lexer, token.at, "\"%.*s\" is not understood", FAULT_TOKEN_ARGS(token));
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (fault_token_is(key, values[i].word)) {
            if (((action->needs | action->takes) & values[i].bit) == 0) {
                return fault_lex_fail(
                    lexer, token.at, "%s: no value of %s", values[i].word, action->word);
            }
            int error = fault_parse_once(lexer, rule, key, values[i].bit);
            return error != 0 ? error : values[i].take(lexer, rule, value);
        }
    }
    return fault_parse_limit(lexer, rule, key, value);
}

int fault_parse_action(fault_lexer *lexer, fault_plan_rule *rule)
{
    const struct action *action = NULL;
    fault_token token;
    int error = fault_lex_token(lexer, &token);
    if (error == 0) {
        error = take_word(lexer, rule, token, &action);
    }
    while (error == 0 && (error = fault_lex_token(lexer, &token)) == 0 && token.at != NULL) {
        error = take_value(lexer, rule, token, action);
    }
    if (error == 0 && (action->needs & ~rule->keys) != 0) {
        error = fault_lex_fail(
            lexer, lexer->at, "%s needs %s=", action->word, key_word(action->needs & ~rule->keys));
    }
    if (error == 0 && action->action == FAULT_DO_FAIL_SYNC && rule->decision.error == 0) {
        rule->decision.error = EIO;
    }
    return error;
}
