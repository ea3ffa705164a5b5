/* Running again what a record calls a surprise: see rerun.h. */
#include "rerun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A known engine by its name, since this program has its own module for it; another by its file. */
static char *name_for(const hp_engine_report *engine)
{
    for (const hp_known_engine *known = hp_known_engines; known->name != NULL; known++) {
        if (strcmp(known->name, engine->name) == 0) {
            return hp_format("%s", engine->name);
        }
    }
    return hp_format("%s", hp_json_get(engine->about, "module"));
}

int hp_rerun_load(const char *record, hp_rerun *rerun, hp_error *error)
{
    *rerun = (hp_rerun){0};
    if (hp_model_load(record, &rerun->model, error) != 0) {
        return -1;
    }
    rerun->seed = (uint64_t)json_integer_value(json_object_get(rerun->model.header, "seed"));
    for (size_t i = 0; i < rerun->model.engine_count; i++) {
        const hp_engine_report *engine = &rerun->model.engines[i];
        if (engine->surprises > engine->stale) {
            hp_strings_add(&rerun->engines, name_for(engine));
        }
    }
    return 0;
}

void hp_rerun_free(hp_rerun *rerun)
{
    for (size_t i = 0; i < rerun->engines.count; i++) {
        free(rerun->engines.items[i]);
    }
    hp_strings_free(&rerun->engines);
    hp_model_free(&rerun->model);
}

bool hp_rerun_wants(const hp_rerun *rerun, const char *engine, const char *name)
{
    const json_t *result = hp_model_find(&rerun->model, engine, name);
    return result != NULL && hp_result_is_surprise(hp_model_result(result));
}

void hp_rerun_report_missing(const hp_rerun *rerun, const hp_engine_list *engines)
{
    size_t i;
    const json_t *result;
    json_array_foreach(rerun->model.results, i, result)
    {
        const char *engine = hp_json_get(result, "engine"), *name = hp_json_get(result, "case");
        if (hp_model_find(&rerun->model, engine, name) != result ||
            !hp_rerun_wants(rerun, engine, name)) {
            continue;
        }
        for (size_t e = 0; e < engines->count; e++) {
            if (strcmp(engines->items[e].name, engine) == 0 &&
                hp_engine_find(&engines->items[e], name) == NULL) {
                fprintf(
                    stderr, "hotproof check: engine %s no longer has the case %s\n", engine, name);
            }
        }
    }
}
