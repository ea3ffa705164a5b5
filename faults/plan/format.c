/* A plan's one canonical text; and its end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../quote.h"
#include "rule.h"

void fault_plan_free(fault_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (size_t i = 0; i < plan->root_count; i++) {
        free(plan->roots[i].path);
    }
    for (size_t i = 0; i < plan->rule_count; i++) {
        free(plan->rules[i].glob);
        free(plan->rules[i].seq);
        free(plan->rules[i].phase);
    }
    free(plan->roots);
    free(plan->rules);
    free(plan);
}

size_t fault_plan_rules(const fault_plan *plan)
{
    return plan->rule_count;
}

uint64_t fault_plan_seed(const fault_plan *plan)
{
    return plan->seed;
}

const char *fault_plan_rule_name(const fault_plan *plan, size_t rule)
{
    return plan->rules[rule].name;
}

unsigned fault_plan_rule_line(const fault_plan *plan, size_t rule)
{
    return plan->rules[rule].line;
}

/* ---- values ---- */

/* Two strings as one value: in quotes when a reader would take it for something else. */
static void put_string(FILE *to, const char *first, const char *second)
{
    const char *parts[] = {first, second};
    bool quote = false;
    for (size_t i = 0; i < 2; i++) {
        for (const char *at = parts[i]; *at != '\0'; at++) {
            quote = quote || (unsigned char)*at <= ' ' || *at == 0x7f || *at == '"';
        }
    }
    if (!quote) {
        fprintf(to, "%s%s", first, second);
        return;
    }
    fputc('"', to);
    fault_print_escaped(first, to);
    fault_print_escaped(second, to);
    fputc('"', to);
}

/* A plain nth runs to the end of numbers, as an open range does. */
static void put_range(FILE *to, const char *key, const fault_plan_range *range)
{
    fprintf(to, " %s=%" PRIu64, key, range->first);
    if (!range->plain && range->last == UINT64_MAX) {
        fputs("..", to);
    } else if (!range->plain) {
        fprintf(to, "..%" PRIu64, range->last);
    }
}

/* The shortest digits that read as the same number. */
static void put_probability(FILE *to, double prob)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, prob);
        if (strtod(text, NULL) == prob) {
            break;
        }
    }
    fprintf(to, " prob=%s", text);
}

/* ---- rules ---- */

static void put_classes(FILE *to, const fault_plan_rule *rule)
{
    const char *comma = "";
    if (rule->group != FAULT_GROUP_NONE) {
        fputs(rule->group == FAULT_GROUP_ANY ? "any" : "changes", to);
        return;
    }
    for (unsigned op = 0; op < FAULT_OP_CLASSES; op++) {
        if (rule->classes & FAULT_CLASS_BIT(op)) {
            fprintf(to, "%s%s", comma, fault_op_word((fault_op_class)op));
            comma = ",";
        }
    }
}

static void put_selectors(FILE *to, const fault_plan *plan, const fault_plan_rule *rule)
{
    if (rule->keys & FAULT_KEY_PHASE) {
        fputs(" phase=", to);
        put_string(to, rule->phase, "");
    }
    if (rule->keys & FAULT_KEY_PATH) {
        char root[FAULT_PLAN_NAME + 1] = "";
        if (rule->root != 0) {
            snprintf(root, sizeof root, "%s:", plan->roots[rule->root - 1].name);
        }
        fputs(" path=", to);
        put_string(to, root, rule->glob);
    }
    if (rule->keys & FAULT_KEY_OFF) {
        put_range(to, "off", &rule->off);
    }
    if (rule->keys & FAULT_KEY_SPACE) {
        fprintf(to, " space>%" PRIu64, rule->space);
    }
    if (rule->keys & FAULT_KEY_NTH) {
        put_range(to, "nth", &rule->nth);
    }
    if (rule->of != FAULT_OF_RULE) {
        fprintf(to, " of=%s", fault_plan_of_words[rule->of]);
    }
    if (rule->keys & FAULT_KEY_SEQ) {
        fprintf(to, " seq=%s", rule->seq);
    }
    if (rule->keys & FAULT_KEY_PROB) {
        put_probability(to, rule->prob);
    }
}

static void put_action(FILE *to, const fault_decision *decision)
{
    const char *word = fault_action_word(decision->action);
    switch (decision->action) {
    case FAULT_DO_ERROR:
        fprintf(to, "err=%s", fault_errno_name(decision->error));
        break;
    case FAULT_DO_SHORT:
        fprintf(to, "%s n=%" PRId64, word, decision->amount);
        break;
    case FAULT_DO_TORN:
        fprintf(to, "%s mask=0x%" PRIx64, word, decision->mask);
        break;
    case FAULT_DO_FAIL_SYNC:
        fprintf(to, "%s profile=%s err=%s", word, fault_plan_failure_words[decision->failure],
            fault_errno_name(decision->error));
        break;
    case FAULT_DO_FLIP_READ:
    case FAULT_DO_FLIP_MEDIUM:
        fprintf(to, "flip bit=%" PRId64 " layer=%s", decision->amount,
            decision->action == FAULT_DO_FLIP_READ ? "read" : "medium");
        break;
    case FAULT_DO_MISDIRECT:
        fprintf(to, "%s by=%+" PRId64, word, decision->amount);
        break;
    case FAULT_DO_DELAY:
        fprintf(to, "%s ns=%" PRId64, word, decision->amount);
        break;
    case FAULT_DO_NOTHING:
    case FAULT_DO_LOSE:
    case FAULT_DO_LIE:
    case FAULT_DO_STALE:
    case FAULT_DO_CRASH:
        fputs(word, to);
        break;
    }
}

static void put_rule(FILE *to, const fault_plan *plan, const fault_plan_rule *rule)
{
    fprintf(to, "rule %s on ", rule->name);
    put_classes(to, rule);
    put_selectors(to, plan, rule);
    fputs(" do ", to);
    put_action(to, &rule->decision);
    if (rule->times != fault_plan_default_times(rule)) {
        if (rule->times == FAULT_TIMES_ALWAYS) {
            fputs(" times=inf", to);
        } else {
            fprintf(to, " times=%" PRIu64, rule->times);
        }
    }
    fputs(rule->keys & FAULT_KEY_UNTIL ? " until=unlink\n" : "\n", to);
}

char *fault_plan_format(const fault_plan *plan)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    if (to == NULL) {
        return NULL;
    }
    fprintf(to, "plan 1 seed=%" PRIu64 "\n", plan->seed);
    for (size_t i = 0; i < plan->root_count; i++) {
        const fault_plan_root *root = &plan->roots[i];
        fprintf(to, "root %s=", root->name);
        put_string(to, root->length == 0 ? "/" : root->path, "");
        fputc('\n', to);
    }
    for (size_t i = 0; i < plan->rule_count; i++) {
        put_rule(to, plan, &plan->rules[i]);
    }
    bool failed = ferror(to) != 0;
    if (fclose(to) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
