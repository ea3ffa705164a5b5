/*
 * A run through a plan: counters, and the decision about each operation.
 *
 * Every counter is an atomic number by itself; nothing is locked and nothing allocated once the run
 * has been made. What is not asked for by a rule is not counted: a plan without rules costs one
 * addition.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../hash.h"
#include "rule.h"

#define PATH_SLOTS 4096u
#define PATH_PROBES 64u
#define THREADS 1024u

typedef _Atomic uint64_t counter;

/* Numbers of one path; found by the hash alone. */
typedef struct path_slot {
    counter key; /* 0: free */
    counter operations;
    counter bytes; /* written to it and not yet given back */
} path_slot;

/* A cache line each: threads that meet different rules do not disturb each other. */
typedef struct rule_state {
    _Alignas(64) counter matched;
    counter fired;
    counter used; /* bytes written, for space> */
    atomic_bool begun;
} rule_state;

struct fault_run {
    const fault_plan *plan;
    rule_state *states;
    uint32_t *rules;                      /* indices, those of each class together */
    uint32_t begin[FAULT_OP_CLASSES + 1]; /* where those of a class begin in `rules` */
    unsigned asked;                       /* FAULT_OF_* bits: numbers that a rule asks for */
    bool has_space, gives_back, has_phase;
    path_slot *paths; /* NULL: nothing asks for them */
    counter count, overflow;
    counter class_counts[FAULT_OP_CLASSES];
    counter thread_counts[THREADS];
};

typedef struct address {
    uint64_t number[FAULT_OFS]; /* 0: unknown */
    path_slot *slot;            /* of the operation's path; may be NULL */
    size_t length;              /* of the path */
} address;

static uint64_t next(counter *count)
{
    return atomic_fetch_add_explicit(count, 1, memory_order_relaxed) + 1;
}

static uint64_t value(const counter *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

/* ---- beginning and end ---- */

static void ask(fault_run *run, const fault_plan_rule *rule)
{
    run->asked |= 1u << rule->of;
    if (rule->keys & FAULT_KEY_PROB) {
        run->asked |= 1u << FAULT_OF_THREAD;
    }
    run->has_space = run->has_space || (rule->keys & FAULT_KEY_SPACE);
    run->gives_back = run->gives_back || (rule->keys & FAULT_KEY_UNTIL);
    run->has_phase = run->has_phase || (rule->keys & FAULT_KEY_PHASE);
}

static int sort_by_class(fault_run *run)
{
    const fault_plan *plan = run->plan;
    uint32_t used = 0;
    run->rules = calloc(plan->rule_count * FAULT_OP_CLASSES + 1, sizeof *run->rules);
    if (run->rules == NULL) {
        return ENOMEM;
    }
    for (unsigned op = 0; op < FAULT_OP_CLASSES; op++) {
        run->begin[op] = used;
        for (uint32_t i = 0; i < plan->rule_count; i++) {
            if (plan->rules[i].classes & FAULT_CLASS_BIT(op)) {
                run->rules[used++] = i;
            }
        }
    }
    run->begin[FAULT_OP_CLASSES] = used;
    return 0;
}

int fault_run_new(const fault_plan *plan, fault_run **out)
{
    fault_run *run = calloc(1, sizeof *run);
    *out = NULL;
    if (run == NULL) {
        return ENOMEM;
    }
    run->plan = plan;
    for (size_t i = 0; i < plan->rule_count; i++) {
        ask(run, &plan->rules[i]);
    }
    bool paths = (run->asked & 1u << FAULT_OF_PATH) || run->gives_back;
    run->states = aligned_alloc(_Alignof(rule_state), (plan->rule_count + 1) * sizeof(rule_state));
    run->paths = paths ? calloc(PATH_SLOTS, sizeof *run->paths) : NULL;
    if (run->states == NULL || (paths && run->paths == NULL) || sort_by_class(run) != 0) {
        fault_run_free(run);
        return ENOMEM;
    }
    fault_run_reset(run);
    *out = run;
    return 0;
}

void fault_run_free(fault_run *run)
{
    if (run != NULL) {
        free(run->states);
        free(run->rules);
        free(run->paths);
        free(run);
    }
}

void fault_run_reset(fault_run *run)
{
    memset(run->states, 0, (run->plan->rule_count + 1) * sizeof *run->states);
    if (run->paths != NULL) {
        memset(run->paths, 0, PATH_SLOTS * sizeof *run->paths);
    }
    memset(run->class_counts, 0, sizeof run->class_counts);
    memset(run->thread_counts, 0, sizeof run->thread_counts);
    run->count = 0;
    run->overflow = 0;
}

uint64_t fault_run_count(const fault_run *run)
{
    return value(&run->count);
}

uint64_t fault_run_fired(const fault_run *run, size_t rule)
{
    return value(&run->states[rule].fired);
}

uint64_t fault_run_overflow(const fault_run *run)
{
    return value(&run->overflow);
}

/* ---- addresses ---- */

/* The path's slot, which is taken if it is new; NULL when there is none left near its place. */
static path_slot *find_slot(fault_run *run, const char *path, size_t length)
{
    uint64_t key = fault_hash(0, path, length) | 1;
    for (uint64_t probe = 0; probe < PATH_PROBES; probe++) {
        path_slot *slot = &run->paths[((key >> 1) + probe) % PATH_SLOTS];
        uint64_t found = value(&slot->key);
        if (found == 0 && atomic_compare_exchange_strong(&slot->key, &found, key)) {
            return slot;
        }
        if (found == key) {
            return slot;
        }
    }
    return NULL;
}

static void take_address(fault_run *run, const fault_op *op, address *out)
{
    bool lost = false;
    out->length = op->path != NULL ? strlen(op->path) : 0;
    out->number[FAULT_OF_ALL] = next(&run->count);
    if (run->asked & 1u << FAULT_OF_CLASS) {
        out->number[FAULT_OF_CLASS] = next(&run->class_counts[op->op]);
    }
    if (run->asked & 1u << FAULT_OF_THREAD) {
        lost = op->thread >= THREADS;
        out->number[FAULT_OF_THREAD] = lost ? 0 : next(&run->thread_counts[op->thread]);
    }
    if (run->paths != NULL && op->path != NULL) {
        out->slot = find_slot(run, op->path, out->length);
        lost = lost || out->slot == NULL;
        out->number[FAULT_OF_PATH] = out->slot != NULL ? next(&out->slot->operations) : 0;
    }
    if (lost) {
        next(&run->overflow);
    }
}

/* ---- what a rule is about ---- */

/* `length` is the path's. */
static bool path_matches(
    const fault_plan *plan, const fault_plan_rule *rule, const char *path, size_t length)
{
    if (!(rule->keys & FAULT_KEY_PATH)) {
        return true;
    }
    if (path == NULL || length < rule->tail_length ||
        memcmp(path + length - rule->tail_length, rule->tail, rule->tail_length) != 0) {
        return false;
    }
    if (rule->root == 0) {
        return fault_glob_match(rule->glob, path);
    }
    const fault_plan_root *root = &plan->roots[rule->root - 1];
    if (strncmp(path, root->path, root->length) != 0) {
        return false;
    }
    path += root->length;
    return *path == '/' ? fault_glob_match(rule->glob, path + 1)
                        : *path == '\0' && fault_glob_match(rule->glob, "");
}

/* An operation without a size touches the place at its offset. */
static bool touches(const fault_plan_range *range, const fault_op *op)
{
    uint64_t more = op->size > 0 && op->op != FAULT_OP_TRUNCATE ? op->size - 1 : 0;
    uint64_t last = op->offset + more >= op->offset ? op->offset + more : UINT64_MAX;
    return op->offset <= range->last && last >= range->first;
}

static bool is_full(const fault_plan_rule *rule, const rule_state *state, const fault_op *op)
{
    bool needs = op->op == FAULT_OP_WRITE || op->op == FAULT_OP_ALLOCATE;
    uint64_t used = value(&state->used);
    return used > rule->space || (needs && op->size > rule->space - used);
}

static bool is_about(const fault_plan *plan, const fault_plan_rule *rule, rule_state *state,
    const fault_op *op, const address *at)
{
    if ((rule->keys & FAULT_KEY_PHASE) &&
        !atomic_load_explicit(&state->begun, memory_order_relaxed)) {
        return false;
    }
    if ((rule->keys & FAULT_KEY_OFF) && !touches(&rule->off, op)) {
        return false;
    }
    if (!path_matches(plan, rule, op->path, at->length) &&
        !(op->to != NULL && path_matches(plan, rule, op->to, strlen(op->to)))) {
        return false;
    }
    return !(rule->keys & FAULT_KEY_SPACE) || is_full(rule, state, op);
}

/* ---- which of these fires ---- */

/* By thread, so that what others do in between changes nothing. */
static bool dice(
    const fault_plan *plan, const fault_plan_rule *rule, const fault_op *op, const address *at)
{
    uint64_t number = at->number[FAULT_OF_THREAD];
    uint64_t hash = fault_hash_mix(plan->seed ^ rule->dice);
    hash = fault_hash_mix(hash + op->thread + 1);
    hash = fault_hash_mix(hash + (number != 0 ? number : at->number[FAULT_OF_ALL]));
    return (double)(hash >> 11) * 0x1p-53 < rule->prob;
}

static bool is_chosen(const fault_plan *plan, const fault_plan_rule *rule, const fault_op *op,
    const address *at, uint64_t matched)
{
    if (rule->keys & FAULT_KEY_NTH) {
        uint64_t number = rule->of == FAULT_OF_RULE ? matched : at->number[rule->of];
        if (number < rule->nth.first || number > rule->nth.last) {
            return false;
        }
    }
    if (rule->keys & FAULT_KEY_SEQ) {
        bool beyond = matched > rule->seq_length;
        char step = rule->seq[beyond ? rule->seq_length - 1 : matched - 1];
        return step == 'X' || (step == 'x' && !beyond);
    }
    return !(rule->keys & FAULT_KEY_PROB) || dice(plan, rule, op, at);
}

/* Whether the action would do anything to this one. */
static bool has_effect(const fault_decision *decision, const fault_op *op)
{
    uint64_t amount = (uint64_t)decision->amount;
    switch (decision->action) {
    case FAULT_DO_SHORT:
        return op->size > amount;
    case FAULT_DO_FLIP_READ:
    case FAULT_DO_FLIP_MEDIUM:
    case FAULT_DO_TORN:
        return op->size > 0;
    case FAULT_DO_MISDIRECT:
        return decision->amount < 0 ? op->offset >= -amount : op->offset + amount <= INT64_MAX;
    default:
        return true;
    }
}

static bool fire(const fault_plan_rule *rule, rule_state *state)
{
    uint64_t fired = value(&state->fired);
    while (fired < rule->times) {
        if (atomic_compare_exchange_weak_explicit(
                &state->fired, &fired, fired + 1, memory_order_relaxed, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

/* ---- space ---- */

/* How much of a write gets through. */
static uint64_t written(const fault_op *op, const fault_decision *decision)
{
    switch (decision->action) {
    case FAULT_DO_ERROR:
    case FAULT_DO_LOSE:
    case FAULT_DO_CRASH:
        return 0;
    case FAULT_DO_SHORT:
        return (uint64_t)decision->amount;
    default:
        return op->size;
    }
}

static void give_back(fault_run *run, const char *path, uint64_t bytes)
{
    const fault_plan *plan = run->plan;
    size_t length = strlen(path);
    for (size_t i = 0; i < plan->rule_count; i++) {
        const fault_plan_rule *rule = &plan->rules[i];
        if ((rule->keys & FAULT_KEY_UNTIL) && path_matches(plan, rule, path, length)) {
            atomic_fetch_sub_explicit(&run->states[i].used, bytes, memory_order_relaxed);
        }
    }
}

static void take_space(fault_run *run, const char *path, uint64_t bytes, unsigned keys)
{
    const fault_plan *plan = run->plan;
    size_t length = path != NULL ? strlen(path) : 0;
    for (size_t i = 0; i < plan->rule_count; i++) {
        const fault_plan_rule *rule = &plan->rules[i];
        if ((rule->keys & keys) == keys && path_matches(plan, rule, path, length)) {
            atomic_fetch_add_explicit(&run->states[i].used, bytes, memory_order_relaxed);
        }
    }
}

/* What was written under the old name is given back when the new one goes; what the new one
 * replaces, at once. */
static void move_space(fault_run *run, const fault_op *op, path_slot *slot)
{
    path_slot *to = op->to != NULL ? find_slot(run, op->to, strlen(op->to)) : NULL;
    if (to == slot) {
        return;
    }
    uint64_t bytes = atomic_exchange(&slot->bytes, 0);
    if (to != NULL) {
        take_space(run, op->to, bytes, FAULT_KEY_UNTIL);
        give_back(run, op->to, atomic_exchange(&to->bytes, bytes));
    }
    give_back(run, op->path, bytes);
}

static void cut_space(fault_run *run, const fault_op *op, path_slot *slot, uint64_t size)
{
    uint64_t bytes = value(&slot->bytes);
    while (bytes > size && !atomic_compare_exchange_weak(&slot->bytes, &bytes, size)) {
    }
    if (bytes > size) {
        give_back(run, op->path, bytes - size);
    }
}

static void account(
    fault_run *run, const fault_op *op, path_slot *slot, const fault_decision *decision)
{
    bool done = decision->action == FAULT_DO_NOTHING || decision->action == FAULT_DO_DELAY;
    if (op->op == FAULT_OP_WRITE) {
        uint64_t bytes = written(op, decision);
        take_space(run, op->path, bytes, FAULT_KEY_SPACE);
        if (slot != NULL) {
            atomic_fetch_add_explicit(&slot->bytes, bytes, memory_order_relaxed);
        }
    } else if (!done || slot == NULL) {
        return;
    } else if (op->op == FAULT_OP_UNLINK) {
        cut_space(run, op, slot, 0);
    } else if (op->op == FAULT_OP_TRUNCATE) {
        cut_space(run, op, slot, op->offset);
    } else if (op->op == FAULT_OP_RENAME) {
        move_space(run, op, slot);
    }
}

/* ---- the decision ---- */

static void begin_phases(fault_run *run, const char *words)
{
    for (size_t i = 0; i < run->plan->rule_count; i++) {
        const char *phase = run->plan->rules[i].phase;
        if (phase != NULL && words != NULL && strcmp(phase, words) == 0) {
            atomic_store_explicit(&run->states[i].begun, true, memory_order_relaxed);
        }
    }
}

void fault_run_decide(fault_run *run, const fault_op *op, fault_decision *out)
{
    const fault_plan *plan = run->plan;
    address at = {0};

    *out = (fault_decision){0};
    if (op->op == FAULT_OP_MARK) {
        if (run->has_phase) {
            begin_phases(run, op->path);
        }
        return;
    }
    take_address(run, op, &at);
    for (uint32_t i = run->begin[op->op]; i < run->begin[op->op + 1]; i++) {
        const fault_plan_rule *rule = &plan->rules[run->rules[i]];
        rule_state *state = &run->states[run->rules[i]];
        if (is_about(plan, rule, state, op, &at)) {
            uint64_t matched = next(&state->matched);
            if (out->rule == 0 && is_chosen(plan, rule, op, &at, matched) &&
                has_effect(&rule->decision, op) && fire(rule, state)) {
                *out = rule->decision;
            }
        }
    }
    if (run->has_space) {
        account(run, op, at.slot, out);
    }
}
