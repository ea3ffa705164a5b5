/*
 * A plan as a table: what the parser makes, the formatter prints and runs read.
 */
#ifndef FAULT_PLAN_RULE_H
#define FAULT_PLAN_RULE_H

#include "plan.h"

#define FAULT_PLAN_NAME 64 /* of a rule or root, with the NUL */

/* A set of operation classes: one bit each. */
#define FAULT_CLASS_BIT(op) (1u << (op))
#define FAULT_CLASS_EVERY (FAULT_CLASS_BIT(FAULT_OP_CLASSES) - 1)

/* How a rule names its classes. A group means those of its classes that the action can meet. */
typedef enum fault_plan_group {
    FAULT_GROUP_NONE, /* by their words */
    FAULT_GROUP_ANY,
    FAULT_GROUP_CHANGES
} fault_plan_group;

/* What nth= counts. */
typedef enum fault_plan_of {
    FAULT_OF_RULE, /* operations that the rule is about */
    FAULT_OF_ALL,
    FAULT_OF_CLASS,
    FAULT_OF_PATH,
    FAULT_OF_THREAD,
    FAULT_OFS
} fault_plan_of;

/* What a rule's text has said; also which keys a line has had. */
enum {
    FAULT_KEY_PATH = 1u << 0,
    FAULT_KEY_OFF = 1u << 1,
    FAULT_KEY_SPACE = 1u << 2,
    FAULT_KEY_NTH = 1u << 3,
    FAULT_KEY_OF = 1u << 4,
    FAULT_KEY_SEQ = 1u << 5,
    FAULT_KEY_PROB = 1u << 6,
    FAULT_KEY_PHASE = 1u << 7,
    FAULT_KEY_TIMES = 1u << 8,
    FAULT_KEY_UNTIL = 1u << 9,
    FAULT_KEY_ERR = 1u << 10,
    FAULT_KEY_N = 1u << 11,
    FAULT_KEY_MASK = 1u << 12,
    FAULT_KEY_PROFILE = 1u << 13,
    FAULT_KEY_BIT = 1u << 14,
    FAULT_KEY_LAYER = 1u << 15,
    FAULT_KEY_BY = 1u << 16,
    FAULT_KEY_NS = 1u << 17
};

#define FAULT_TIMES_ALWAYS UINT64_MAX

/* From first to last, both included. */
typedef struct fault_plan_range {
    uint64_t first, last;
    bool plain; /* written as one number */
} fault_plan_range;

typedef struct fault_plan_root {
    char name[FAULT_PLAN_NAME];
    char *path; /* no slash at the end; "" for "/" */
    size_t length;
} fault_plan_root;

typedef struct fault_plan_rule {
    char name[FAULT_PLAN_NAME];
    uint64_t dice; /* hash of the name: rules before and behind it do not change its luck */
    unsigned line;
    unsigned keys; /* FAULT_KEYs that it has */
    uint32_t classes;
    fault_plan_group group;
    size_t root; /* index from 1; 0: the glob is absolute */
    char *glob;
    const char *tail; /* what stands behind the last star or question mark: tried first */
    size_t tail_length;
    fault_plan_range off, nth; /* a plain nth: from there on */
    fault_plan_of of;
    uint64_t space;
    char *seq;
    size_t seq_length;
    double prob;
    char *phase;
    uint64_t times;
    fault_decision decision;
} fault_plan_rule;

struct fault_plan {
    uint64_t seed;
    fault_plan_root *roots;
    size_t root_count;
    fault_plan_rule *rules;
    size_t rule_count;
};

/* How often a rule may fire when it does not say. */
uint64_t fault_plan_default_times(const fault_plan_rule *rule);

extern const char *const fault_plan_of_words[FAULT_OFS];
extern const char *const fault_plan_failure_words[FAULT_SYNC_KEEP + 1];

/* Whether the path is one that the glob is about: `*` any characters but '/', `**` any, a
 * component `**` with its slash also none, `?` one but '/'. */
bool fault_glob_match(const char *glob, const char *path);

#endif
