/* Selection of cases: see select.h. */
#include "select.h"

#include <stdio.h>
#include <string.h>

static bool wanted(const hp_check_options *options, const hp_rerun *rerun,
    const hp_engine_info *engine, const hp_known_case *one)
{
    bool clause = options->clauses.count == 0;
    for (size_t i = 0; i < one->clause_count && !clause; i++) {
        clause = hp_matches(one->clauses[i], options->clauses.items, options->clauses.count);
    }
    return clause && (options->gdb == NULL || strcmp(options->gdb, one->name) == 0) &&
           (rerun == NULL || hp_rerun_wants(rerun, engine->name, one->name)) &&
           hp_matches(engine->profile, options->profiles.items, options->profiles.count) &&
           hp_matches(one->name, options->cases.items, options->cases.count);
}

/* A selection and, in `any`, whether it has a case in one of the engines. */
typedef struct selection {
    const hp_check_options *options;
    const hp_rerun *rerun;
    bool any;
} selection;

static bool has_case(void *context, const hp_engine_info *engine)
{
    selection *s = context;
    size_t i = 0;
    while (i < engine->case_count && !wanted(s->options, s->rerun, engine, &engine->cases[i])) {
        i++;
    }
    s->any = s->any || i < engine->case_count;
    return i < engine->case_count;
}

void hp_select_engines(
    const hp_check_options *options, const hp_rerun *rerun, hp_engine_list *engines)
{
    selection s = {.options = options, .rerun = rerun};
    for (size_t e = 0; e < engines->count; e++) {
        (void)has_case(&s, &engines->items[e]);
    }
    if (s.any) {
        hp_engine_list_keep(engines, has_case, &s);
    }
    size_t absent = 0;
    for (size_t i = 0; i < engines->absent_count; i++) {
        if (hp_matches(
                engines->absent[i]->profile, options->profiles.items, options->profiles.count)) {
            engines->absent[absent++] = engines->absent[i];
        }
    }
    engines->absent_count = absent;
}

/* The next number of the sequence that `state` begins (SplitMix64). */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void hp_select_shuffle(hp_task *tasks, size_t count, uint64_t seed)
{
    for (size_t left = count; left > 1; left--) {
        size_t chosen = (size_t)(draw(&seed) % left);
        hp_task last = tasks[left - 1];
        tasks[left - 1] = tasks[chosen];
        tasks[chosen] = last;
    }
}

hp_task *hp_select(const hp_check_options *options, const hp_engine_list *engines,
    const hp_expectations *expectations, const hp_rerun *rerun, size_t *count)
{
    size_t room = 0;
    for (size_t e = 0; e < engines->count; e++) {
        room += engines->items[e].case_count * options->repeat;
    }
    hp_task *tasks = hp_allocate(room, sizeof *tasks);
    *count = 0;
    for (size_t e = 0; e < engines->count; e++) {
        const hp_engine_info *engine = &engines->items[e];
        for (size_t i = 0; i < engine->case_count; i++) {
            const hp_known_case *one = &engine->cases[i];
            if (!wanted(options, rerun, engine, one)) {
                continue;
            }
            for (unsigned repetition = 1; repetition <= options->repeat; repetition++) {
                tasks[(*count)++] = (hp_task){
                    .engine = engine,
                    .one = one,
                    .departure = hp_expectations_find(&expectations[e], one->name),
                    .repetition = repetition,
                };
            }
        }
    }
    if (options->shuffle) {
        hp_select_shuffle(tasks, *count, options->shuffle_seed);
    }
    return tasks;
}

void hp_select_print(const hp_task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].repetition > 1) {
            continue;
        }
        printf("%s %s", tasks[i].engine->name, tasks[i].one->name);
        for (size_t k = 0; k < tasks[i].one->clause_count; k++) {
            printf(" %s", tasks[i].one->clauses[k]);
        }
        printf("\n");
    }
}
