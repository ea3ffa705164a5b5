/* Selection of cases: see select.h. */
#include "select.h"

#include <stdio.h>

static bool wanted(
    const hp_check_options *options, const hp_engine_info *engine, const hp_known_case *one)
{
    bool clause = options->clauses.count == 0;
    for (size_t i = 0; i < one->clause_count && !clause; i++) {
        clause = hp_matches(one->clauses[i], options->clauses.items, options->clauses.count);
    }
    return clause &&
           hp_matches(engine->profile, options->profiles.items, options->profiles.count) &&
           hp_matches(one->name, options->cases.items, options->cases.count);
}

hp_task *hp_select(const hp_check_options *options, const hp_engine_list *engines,
    const hp_expectations *expectations, size_t *count)
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
            if (!wanted(options, engine, one)) {
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
