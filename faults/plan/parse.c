/* The parser of plans: lines, and what stands in front of `do`. */
#include "parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../hash.h"

const char *const fault_plan_of_words[FAULT_OFS] = {"rule", "all", "class", "path", "thread"};

typedef struct parser {
    fault_lexer lexer;
    fault_plan *plan;
    bool begun; /* a line with content has been read */
} parser;

/* ---- selectors ---- */

int fault_parse_once(fault_lexer *lexer, fault_plan_rule *rule, fault_token key, unsigned bit)
{
    if (rule->keys & bit) {
        return fault_lex_fail(
            lexer, key.at, "%.*s is said twice in this rule", FAULT_TOKEN_ARGS(key));
    }
    rule->keys |= bit;
    return 0;
}

int fault_parse_limit(fault_lexer *lexer, fault_plan_rule *rule, fault_token key, fault_token value)
{
    int error;
    if (fault_token_is(key, "until")) {
        error = fault_parse_once(lexer, rule, key, FAULT_KEY_UNTIL);
        if (error == 0 && !fault_token_is(value, "unlink")) {
            error = fault_lex_fail(
                lexer, value.at, "until: \"%.*s\" is not unlink", FAULT_TOKEN_ARGS(value));
        }
        return error;
    }
    if (!fault_token_is(key, "times")) {
        return fault_lex_fail(lexer, key.at, "\"%.*s\" is not understood", FAULT_TOKEN_ARGS(key));
    }
    error = fault_parse_once(lexer, rule, key, FAULT_KEY_TIMES);
    if (error != 0 || fault_token_is(value, "inf")) {
        rule->times = FAULT_TIMES_ALWAYS;
        return error;
    }
    error = fault_lex_number(lexer, value, "times", &rule->times);
    if (error == 0 && (rule->times == 0 || rule->times == FAULT_TIMES_ALWAYS)) {
        error = fault_lex_fail(lexer, value.at, "times: %.*s is out of range; 1 or more, or inf",
            FAULT_TOKEN_ARGS(value));
    }
    return error;
}

/* NAME:GLOB below a root, or an absolute glob. */
static int take_glob(parser *p, fault_plan_rule *rule, fault_token value)
{
    int error = fault_lex_string(&p->lexer, value, &rule->glob);
    if (error != 0 || rule->glob[0] == '/') {
        return error;
    }
    char *colon = strchr(rule->glob, ':');
    if (colon == NULL) {
        return fault_lex_fail(&p->lexer, value.at, "path: neither NAME:GLOB nor absolute");
    }
    *colon = '\0';
    for (size_t i = 0; i < p->plan->root_count && rule->root == 0; i++) {
        rule->root = strcmp(p->plan->roots[i].name, rule->glob) == 0 ? i + 1 : 0;
    }
    if (rule->root == 0) {
        return fault_lex_fail(
            &p->lexer, value.at, "path: no root is called \"%.60s\" so far", rule->glob);
    }
    if (colon[1] == '/' || colon[1] == '\0') {
        return fault_lex_fail(
            &p->lexer, value.at, "path: what stands behind the root's name is a glob below it");
    }
    memmove(rule->glob, colon + 1, strlen(colon + 1) + 1);
    return 0;
}

static int take_path(parser *p, fault_plan_rule *rule, fault_token value)
{
    int error = take_glob(p, rule, value);
    if (error == 0) {
        rule->tail = rule->glob + strlen(rule->glob);
        while (rule->tail > rule->glob && strchr("*?", rule->tail[-1]) == NULL) {
            rule->tail--;
        }
        rule->tail_length = strlen(rule->tail);
    }
    return error;
}

static int take_off(parser *p, fault_plan_rule *rule, fault_token value)
{
    return fault_lex_range(&p->lexer, value, "off", &rule->off);
}

static int take_nth(parser *p, fault_plan_rule *rule, fault_token value)
{
    int error = fault_lex_range(&p->lexer, value, "nth", &rule->nth);
    if (error == 0 && rule->nth.first == 0) {
        error = fault_lex_fail(&p->lexer, value.at, "nth: 0 is out of range; the first is 1");
    }
    if (rule->nth.plain) {
        rule->nth.last = UINT64_MAX;
    }
    return error;
}

static int take_of(parser *p, fault_plan_rule *rule, fault_token value)
{
    for (unsigned i = 0; i < FAULT_OFS; i++) {
        if (fault_token_is(value, fault_plan_of_words[i])) {
            rule->of = (fault_plan_of)i;
            return 0;
        }
    }
    return fault_lex_fail(&p->lexer, value.at,
        "of: \"%.*s\" is none of rule, all, class, path, thread", FAULT_TOKEN_ARGS(value));
}

static int take_seq(parser *p, fault_plan_rule *rule, fault_token value)
{
    bool fires = false;
    for (size_t i = 0; i < value.length; i++) {
        bool last = i + 1 == value.length;
        if (strchr(last ? "xwXW" : "xw", value.at[i]) == NULL) {
            return fault_lex_fail(&p->lexer, value.at + i,
                "seq: x and w are expected, and a capital only as the last");
        }
        fires = fires || value.at[i] == 'x' || value.at[i] == 'X';
    }
    if (!fires) {
        return fault_lex_fail(&p->lexer, value.at, "seq: without an x nothing ever fails");
    }
    rule->seq = strndup(value.at, value.length);
    rule->seq_length = value.length;
    return rule->seq == NULL ? ENOMEM : 0;
}

static int take_prob(parser *p, fault_plan_rule *rule, fault_token value)
{
    return fault_lex_probability(&p->lexer, value, &rule->prob);
}

static int take_phase(parser *p, fault_plan_rule *rule, fault_token value)
{
    return fault_lex_string(&p->lexer, value, &rule->phase);
}

static const struct selector {
    const char *word;
    unsigned bit;
    int (*take)(parser *p, fault_plan_rule *rule, fault_token value);
} selectors[] = {
    {"path", FAULT_KEY_PATH, take_path},
    {"off", FAULT_KEY_OFF, take_off},
    {"nth", FAULT_KEY_NTH, take_nth},
    {"of", FAULT_KEY_OF, take_of},
    {"seq", FAULT_KEY_SEQ, take_seq},
    {"prob", FAULT_KEY_PROB, take_prob},
    {"phase", FAULT_KEY_PHASE, take_phase},
};

static int take_selector(parser *p, fault_plan_rule *rule, fault_token token)
{
    static const char space[] = "space>";
    const size_t space_length = sizeof space - 1;
    fault_token key, value;

    if (token.length >= space_length && memcmp(token.at, space, space_length) == 0) {
        key = (fault_token){token.at, space_length - 1};
        value = (fault_token){token.at + space_length, token.length - space_length};
        int error = fault_parse_once(&p->lexer, rule, key, FAULT_KEY_SPACE);
        return error != 0 ? error : fault_lex_number(&p->lexer, value, "space", &rule->space);
    }
    if (!fault_token_split(token, '=', &key, &value)) {
        return fault_lex_fail(
            &p->lexer, token.at, "\"%.*s\" is not understood", FAULT_TOKEN_ARGS(token));
    }
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        if (fault_token_is(key, selectors[i].word)) {
            int error = fault_parse_once(&p->lexer, rule, key, selectors[i].bit);
            return error != 0 ? error : selectors[i].take(p, rule, value);
        }
    }
    return fault_parse_limit(&p->lexer, rule, key, value);
}

/* ---- classes ---- */

static int take_class(parser *p, fault_plan_rule *rule, fault_token word)
{
    fault_op_class op = fault_op_of_word(word.at, word.length);
    if (op == FAULT_OP_CLASSES) {
        return fault_lex_fail(
            &p->lexer, word.at, "\"%.*s\" is no class of operations", FAULT_TOKEN_ARGS(word));
    }
    if (op == FAULT_OP_MARK) {
        return fault_lex_fail(
            &p->lexer, word.at, "a mark is no operation; phase= says from which one on");
    }
    if (rule->classes & FAULT_CLASS_BIT(op)) {
        return fault_lex_fail(&p->lexer, word.at, "%s is named twice", fault_op_word(op));
    }
    rule->classes |= FAULT_CLASS_BIT(op);
    return 0;
}

static int take_classes(parser *p, fault_plan_rule *rule, fault_token list)
{
    fault_token word = list, rest;

    if (list.at == NULL) {
        return fault_lex_fail(&p->lexer, p->lexer.at, "a class of operations is missing");
    }
    if (fault_token_is(list, "any") || fault_token_is(list, "changes")) {
        rule->group = fault_token_is(list, "any") ? FAULT_GROUP_ANY : FAULT_GROUP_CHANGES;
        return 0;
    }
    for (;;) {
        bool more = fault_token_split(list, ',', &word, &rest);
        int error = take_class(p, rule, more ? word : list);
        if (error != 0 || !more) {
            return error;
        }
        list = rest;
    }
}

/* ---- lines ---- */

static int expect_word(parser *p, const char *word)
{
    fault_token token;
    int error = fault_lex_token(&p->lexer, &token);
    if (error == 0 && !fault_token_is(token, word)) {
        error = fault_lex_fail(
            &p->lexer, token.at != NULL ? token.at : p->lexer.at, "`%s' is expected", word);
    }
    return error;
}

static int rule_name(parser *p, fault_plan_rule *rule)
{
    fault_token name;
    int error = fault_lex_token(&p->lexer, &name);
    if (error == 0) {
        error = fault_lex_name(&p->lexer, name, rule->name);
    }
    for (size_t i = 0; error == 0 && i + 1 < p->plan->rule_count; i++) {
        if (strcmp(p->plan->rules[i].name, rule->name) == 0) {
            error = fault_lex_fail(&p->lexer, name.at, "a rule is called %s already, on line %u",
                rule->name, p->plan->rules[i].line);
        }
    }
    rule->dice = fault_hash(0, rule->name, strlen(rule->name));
    return error;
}

static int rule_words(parser *p, fault_plan_rule *rule)
{
    fault_token on, token;
    int error = rule_name(p, rule);
    if (error == 0) {
        error = expect_word(p, "on");
    }
    if (error == 0 && (error = fault_lex_token(&p->lexer, &on)) == 0) {
        error = take_classes(p, rule, on);
    }
    while (error == 0 && (error = fault_lex_token(&p->lexer, &token)) == 0 && token.at != NULL &&
           !fault_token_is(token, "do")) {
        error = take_selector(p, rule, token);
    }
    if (error == 0) {
        error = fault_parse_action(&p->lexer, rule);
    }
    return error != 0 ? error : fault_parse_sense(&p->lexer, rule, on.at);
}

static int take_rule(parser *p)
{
    fault_plan *plan = p->plan;
    fault_plan_rule *rules = realloc(plan->rules, (plan->rule_count + 1) * sizeof *rules);
    if (rules == NULL) {
        return ENOMEM;
    }
    plan->rules = rules;
    fault_plan_rule *rule = &rules[plan->rule_count++];
    *rule = (fault_plan_rule){.line = p->lexer.number};
    rule->decision.rule = (uint32_t)plan->rule_count;
    return rule_words(p, rule);
}

/* Only the form in which paths come to a plan would ever match. */
static bool is_normal(const char *path)
{
    for (const char *at = path; *at == '/';) {
        const char *end = strchrnul(at + 1, '/');
        size_t length = (size_t)(end - at) - 1;
        if (length == 0 || (length <= 2 && memcmp(at + 1, "..", length) == 0)) {
            return path[1] == '\0' && path[0] == '/';
        }
        at = end;
    }
    return path[0] == '/';
}

static int root_words(parser *p, fault_plan_root *root)
{
    fault_token token, name, path;
    int error = fault_lex_token(&p->lexer, &token);
    if (error == 0 && (token.at == NULL || !fault_token_split(token, '=', &name, &path))) {
        error = fault_lex_fail(
            &p->lexer, token.at != NULL ? token.at : p->lexer.at, "NAME=/path is expected");
    }
    if (error == 0) {
        error = fault_lex_name(&p->lexer, name, root->name);
    }
    for (size_t i = 0; error == 0 && i + 1 < p->plan->root_count; i++) {
        if (strcmp(p->plan->roots[i].name, root->name) == 0) {
            error = fault_lex_fail(&p->lexer, name.at, "a root is called %s already", root->name);
        }
    }
    if (error == 0) {
        error = fault_lex_string(&p->lexer, path, &root->path);
    }
    if (error == 0 && !is_normal(root->path)) {
        error = fault_lex_fail(&p->lexer, path.at,
            "a root is an absolute path, without \".\", \"..\" and a slash too many");
    }
    if (error == 0) {
        root->length = strlen(root->path);
        if (root->length == 1) {
            root->path[--root->length] = '\0';
        }
    }
    return error;
}

static int take_root(parser *p)
{
    fault_plan *plan = p->plan;
    fault_plan_root *roots = realloc(plan->roots, (plan->root_count + 1) * sizeof *roots);
    if (roots == NULL) {
        return ENOMEM;
    }
    plan->roots = roots;
    roots[plan->root_count++] = (fault_plan_root){0};
    return root_words(p, &roots[plan->root_count - 1]);
}

static int take_header(parser *p, fault_token word)
{
    fault_token token, key, value;
    if (p->begun) {
        return fault_lex_fail(&p->lexer, word.at, "`plan' stands in front of everything, once");
    }
    int error = expect_word(p, "1");
    if (error != 0) {
        strcpy(p->lexer.error->text, "the version of the language is expected: 1");
        return error;
    }
    error = fault_lex_token(&p->lexer, &token);
    if (error != 0 || token.at == NULL) {
        return error;
    }
    if (!fault_token_split(token, '=', &key, &value) || !fault_token_is(key, "seed")) {
        return fault_lex_fail(
            &p->lexer, token.at, "\"%.*s\" is not understood", FAULT_TOKEN_ARGS(token));
    }
    return fault_lex_number(&p->lexer, value, "seed", &p->plan->seed);
}

static int take_line(parser *p)
{
    fault_token word;
    int error = fault_lex_token(&p->lexer, &word);
    if (error != 0 || word.at == NULL) {
        return error;
    }
    if (fault_token_is(word, "plan")) {
        error = take_header(p, word);
    } else if (fault_token_is(word, "root")) {
        error = take_root(p);
    } else if (fault_token_is(word, "rule")) {
        error = take_rule(p);
    } else {
        error = fault_lex_fail(&p->lexer, word.at,
            "\"%.*s\" begins no line; plan, root and rule do", FAULT_TOKEN_ARGS(word));
    }
    p->begun = true;
    if (error == 0 && (error = fault_lex_token(&p->lexer, &word)) == 0 && word.at != NULL) {
        error = fault_lex_fail(
            &p->lexer, word.at, "\"%.*s\" is too much on this line", FAULT_TOKEN_ARGS(word));
    }
    return error;
}

int fault_plan_parse(const char *text, size_t size, fault_plan **out, fault_plan_error *error)
{
    parser p = {.lexer = {.next = text, .end = text + size, .error = error}};
    int result = 0;

    *out = NULL;
    *error = (fault_plan_error){0};
    p.plan = calloc(1, sizeof *p.plan);
    if (p.plan == NULL) {
        return ENOMEM;
    }
    while (result == 0 && fault_lex_line(&p.lexer)) {
        result = take_line(&p);
    }
    if (result != 0) {
        fault_plan_free(p.plan);
        return result;
    }
    *out = p.plan;
    return 0;
}
