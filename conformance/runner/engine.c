/* The engines under test, from the outside: see engine.h. */
#include "engine.h"

#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const hp_known_engine hp_known_engines[] = {
#define HP_ENGINE(name, profile, what, package) {name, profile, what, package},
#include "../engines/engines.def"
#undef HP_ENGINE
    {NULL, NULL, NULL, NULL},
};

char *hp_engine_module(const char *name)
{
    if (strchr(name, '/') != NULL) {
        return hp_format("%s", name);
    }
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    return hp_format("%s/../lib/hotproof/%s.so", program, name);
}

static void read_cases(hp_engine_info *engine)
{
    json_t *cases = json_object_get(engine->about, "cases");
    engine->case_count = json_array_size(cases);
    engine->cases = hp_allocate(engine->case_count, sizeof *engine->cases);
    for (size_t i = 0; i < engine->case_count; i++) {
        json_t *about = json_array_get(cases, i);
        json_t *clauses = json_object_get(about, "clauses");
        hp_known_case *one = &engine->cases[i];
        one->name = hp_json_get(about, "name");
        one->file = hp_json_get(about, "file");
        one->line = (int)json_integer_value(json_object_get(about, "line"));
        one->timeout_s = (unsigned)json_integer_value(json_object_get(about, "timeout_s"));
        one->clause_count = json_array_size(clauses);
        one->clauses = hp_allocate(one->clause_count, sizeof *one->clauses);
        for (size_t k = 0; k < one->clause_count; k++) {
            one->clauses[k] = json_string_value(json_array_get(clauses, k));
        }
    }
}

int hp_engine_load(const char *file, hp_engine_info *engine, hp_error *error)
{
    char *real = realpath(file, NULL);
    if (real == NULL) {
        return hp_fail(error, "%s: no such module", file);
    }
    const char *const argv[] = {"/proc/self/exe", HP_DESCRIBE, real, NULL};
    int status = 0;
    char *text = hp_capture(argv, 0, 30, &status);
    *engine = (hp_engine_info){.module = real};
    if (text == NULL) {
        hp_fail(error, "%s: did not load within 30 seconds", file);
    } else if (WIFSIGNALED(status)) {
        hp_fail(error, "%s: died of signal %d while loading", file, WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 0) {
        hp_fail(error, "%.*s", (int)strcspn(text, "\n"),
            text[0] != '\0' ? text : "the module ended the process while loading");
    } else {
        engine->about = json_loads(text, 0, NULL);
        if (engine->about == NULL) {
            hp_fail(error, "%s: printed something while loading", file);
        }
    }
    free(text);
    if (engine->about == NULL) {
        hp_engine_free(engine);
        return -1;
    }
    engine->name = hp_json_get(engine->about, "engine");
    engine->profile = hp_json_get(engine->about, "profile");
    engine->version = hp_json_get(engine->about, "version");
    engine->expect = hp_json_get(engine->about, "expect");
    engine->real_library = json_is_true(json_object_get(engine->about, "real_library"));
    read_cases(engine);
    return 0;
}

void hp_engine_free(hp_engine_info *engine)
{
    for (size_t i = 0; i < engine->case_count; i++) {
        free((void *)engine->cases[i].clauses);
    }
    free(engine->cases);
    free(engine->module);
    json_decref(engine->about);
    *engine = (hp_engine_info){0};
}

const hp_known_case *hp_engine_find(const hp_engine_info *engine, const char *name)
{
    for (size_t i = 0; i < engine->case_count; i++) {
        if (strcmp(engine->cases[i].name, name) == 0) {
            return &engine->cases[i];
        }
    }
    return NULL;
}

static int load_known(hp_engine_list *list, hp_error *error)
{
    for (const hp_known_engine *known = hp_known_engines; known->name != NULL; known++) {
        char *file = hp_engine_module(known->name);
        int status = 0;
        if (access(file, F_OK) != 0) {
            list->absent[list->absent_count] = known;
            list->absent_count += known->package != NULL;
        } else {
            status = hp_engine_load(file, &list->items[list->count], error);
            list->count += status == 0;
        }
        free(file);
        if (status != 0) {
            return -1;
        }
    }
    return 0;
}

/* What to do about an engine that is not here. The caller frees it. */
static char *how_to_get(const hp_known_engine *known)
{
    return known->package == NULL      ? hp_format("%s", known->what)
           : known->package[0] != '\0' ? hp_format("apt install %s", known->package)
                                       : hp_format("not built");
}

static int load_named(const char *name, hp_engine_list *list, hp_error *error)
{
    char *file = hp_engine_module(name);
    const hp_known_engine *known = hp_known_engines;
    while (known->name != NULL && strcmp(known->name, name) != 0) {
        known++;
    }
    int status;
    if (access(file, F_OK) == 0) {
        status = hp_engine_load(file, &list->items[list->count], error);
        list->count += status == 0;
    } else if (known->name != NULL) {
        char *how = how_to_get(known);
        hp_fail(error, "engine %s is not installed: %s", name, how);
        free(how);
        status = HP_NO_SUCH_ENGINE;
    } else {
        hp_fail(error,
            strchr(name, '/') != NULL ? "%s: no such module"
                                      : "no engine is called %s (hotproof engines lists "
                                        "them; the name of a file needs a slash)",
            name);
        status = HP_NO_SUCH_ENGINE;
    }
    free(file);
    return status;
}

static bool is_loaded(const hp_engine_list *list, const char *name)
{
    size_t i = 0;
    while (i < list->count && strcmp(list->items[i].name, name) != 0) {
        i++;
    }
    return i < list->count;
}

/* Adds the modules of the other profiles that the named engine was built for. */
static int load_other_profiles(const char *name, hp_engine_list *list, hp_error *error)
{
    int status = 0;
    for (const hp_known_engine *known = hp_known_engines; known->name != NULL; known++) {
        char *other = hp_format("%s-%s", name, known->profile);
        char *file = hp_engine_module(known->name);
        if (status == 0 && strcmp(known->name, other) == 0 && !is_loaded(list, other) &&
            access(file, F_OK) == 0) {
            status = hp_engine_load(file, &list->items[list->count], error);
            list->count += status == 0;
        }
        free(other);
        free(file);
    }
    return status;
}

int hp_engine_list_load(const hp_strings *names, hp_engine_list *list, hp_error *error)
{
    size_t known_count = sizeof hp_known_engines / sizeof hp_known_engines[0];
    *list = (hp_engine_list){0};
    list->items = hp_allocate(known_count + names->count, sizeof *list->items);
    list->absent = hp_allocate(known_count, sizeof *list->absent);
    if (names->count == 0) {
        return load_known(list, error);
    }
    for (size_t i = 0; i < names->count; i++) {
        int status = load_named(names->items[i], list, error);
        if (status != 0) {
            return status;
        }
        for (size_t k = 0; k + 1 < list->count; k++) {
            if (strcmp(list->items[k].name, list->items[list->count - 1].name) == 0) {
                return hp_fail(error, "engine %s is named twice", list->items[k].name);
            }
        }
    }
    for (size_t i = 0; i < names->count; i++) {
        if (load_other_profiles(names->items[i], list, error) != 0) {
            return -1;
        }
    }
    return 0;
}

void hp_engine_list_keep(
    hp_engine_list *list, bool (*wanted)(void *context, const hp_engine_info *), void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        hp_engine_info engine = list->items[i];
        if (wanted(context, &engine)) {
            list->items[kept++] = engine;
        } else {
            hp_engine_free(&engine);
        }
    }
    list->count = kept;
}

void hp_engine_list_free(hp_engine_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        hp_engine_free(&list->items[i]);
    }
    free(list->items);
    free(list->absent);
    *list = (hp_engine_list){0};
}

int hp_engines_command(int argc, char **argv)
{
    static const struct argp parser = {
        .doc = "Prints the engines that the kit has modules for, which are installed, and which "
               "library each judges."
               "\vExit status: 0 printed; 2 usage; 3 a module is no good.",
    };
    hp_arguments_parse(&parser, argc, argv, NULL);
    int exit_status = 0;
    for (const hp_known_engine *known = hp_known_engines; known->name != NULL; known++) {
        char *file = hp_engine_module(known->name);
        hp_engine_info engine;
        hp_error error;
        if (access(file, F_OK) != 0) {
            char *how = how_to_get(known);
            printf("%-12s not installed: %s\n", known->name, how);
            free(how);
        } else if (hp_engine_load(file, &engine, &error) != 0) {
            printf("%-12s broken: %s\n", known->name, error.text);
            exit_status = 3;
        } else {
            json_t *origins = json_object_get(engine.about, "entry_points");
            printf("%-12s %s %s; profile %s, %zu cases; %s\n", known->name, known->what,
                engine.version, engine.profile, engine.case_count,
                hp_json_get(engine.about, "build"));
            printf("%-12s from %s\n", "", hp_json_get(json_array_get(origins, 0), "file"));
            hp_engine_free(&engine);
        }
        free(file);
    }
    return exit_status;
}
