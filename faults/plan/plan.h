/*
 * Plans: which operation meets which fault.
 *
 * A plan is text, one rule per line; README.md of the room has the language. It is parsed once into
 * a table. Deciding about an operation then takes tens of nanoseconds, allocates nothing and takes
 * no lock that is held over I/O.
 *
 * An operation's address is its number: of all, in its class, on its path, in its thread, each from
 * 1. A random decision is a hash of seed, rule and address, never the next of a stream: so the
 * schedule of one thread cannot change another thread's faults, and a plan decides alike in every
 * run.
 */
#ifndef FAULT_PLAN_H
#define FAULT_PLAN_H

#include <stdbool.h>

#include "../op.h"

/* A parsed plan; constant. */
typedef struct fault_plan fault_plan;
/* How far a run has got through a plan: counters. */
typedef struct fault_run fault_run;

typedef struct fault_plan_error {
    unsigned line, column; /* from 1; columns are bytes */
    char text[200];
} fault_plan_error;

/* 0; EINVAL with *error filled in; ENOMEM. *out is NULL on failure. */
int fault_plan_parse(const char *text, size_t size, fault_plan **out, fault_plan_error *error);
void fault_plan_free(fault_plan *plan);
/* The plan's text in its one canonical form, which parses to the same plan. malloc'd. */
char *fault_plan_format(const fault_plan *plan);

uint64_t fault_plan_seed(const fault_plan *plan);
/* How many rules; the name of one and its line in the text that was parsed. */
size_t fault_plan_rules(const fault_plan *plan);
const char *fault_plan_rule_name(const fault_plan *plan, size_t rule);
unsigned fault_plan_rule_line(const fault_plan *plan, size_t rule);

/* A run at its beginning. The plan is borrowed. 0 or ENOMEM. */
int fault_run_new(const fault_plan *plan, fault_run **out);
void fault_run_free(fault_run *run);
/* Back to the beginning; while nothing is being decided. */
void fault_run_reset(fault_run *run);

/*
 * Counts the operation and decides: the first rule that fires does, every rule that is about it
 * counts it. *out is FAULT_DO_NOTHING with rule 0 when none fires. A mark (its words as the path)
 * is not counted and meets nothing; it begins the phases of its name. Any thread.
 */
void fault_run_decide(fault_run *run, const fault_op *op, fault_decision *out);

/* Operations counted so far, without marks; and how often a rule (its index from 0) has fired. A
 * rule that never fired was for nothing, and whoever runs the plan says so. */
uint64_t fault_run_count(const fault_run *run);
uint64_t fault_run_fired(const fault_run *run, size_t rule);
/* Operations whose path or thread found no room in the tables (4,096 paths, 1,024 threads; only
 * where a rule asks): no rule with of=path or of=thread has met them. 0 in a sound run. */
uint64_t fault_run_overflow(const fault_run *run);

#endif
