/* `hotproof --describe FILE`: a module's description as JSON, made in a process of its own. */
#include "engine.h"

#include "../hp.h"
#include "../hp_case.h"
#include "clauses.h"
#include "module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 200 }; /* a case's name is also a file's name, with room for a suffix */

static json_t *describe_case(const hp_case *one)
{
    json_t *clauses = json_array();
    for (size_t i = 0; i < one->clause_count; i++) {
        json_array_append_new(clauses, json_string(hp_clause_text(one->clauses[i])->id));
    }
    json_t *about = json_object();
    json_object_set_new(about, "name", hp_json_text(one->name));
    json_object_set_new(about, "file", hp_json_text(one->file != NULL ? one->file : ""));
    json_object_set_new(about, "line", json_integer(one->line));
    json_object_set_new(about, "timeout_s", json_integer(one->timeout_s));
    json_object_set_new(about, "clauses", clauses);
    return about;
}

static int check_case(const hp_module *module, const hp_case *one, hp_error *error)
{
    if (one->clause_count == 0) {
        return hp_fail(error, "%s:%d: case %s names no clause", one->file, one->line, one->name);
    }
    for (size_t i = 0; i < one->clause_count; i++) {
        if ((size_t)one->clauses[i] >= HP_CLAUSE_COUNT) {
            return hp_fail(error,
                "%s:%d: case %s names clause number %d, which does not exist: "
                "built against another version of the tables",
                one->file, one->line, one->name, (int)one->clauses[i]);
        }
    }
    if (one->run == NULL || one->name[0] == '\0' || strlen(one->name) > LONGEST_NAME) {
        return hp_fail(error,
            "%s:%d: a case without function, or with a name that is empty or too long", one->file,
            one->line);
    }
    if (hp_module_find(module, one->name) != one) {
        return hp_fail(error, "%s:%d: a second case is called %s", one->file, one->line, one->name);
    }
    return 0;
}

static int describe_cases(const hp_module *module, json_t *cases, hp_error *error)
{
    for (const hp_case *const *table = module->tables; *table != NULL; table++) {
        for (const hp_case *one = *table; one->name != NULL; one++) {
            if (check_case(module, one, error) != 0) {
                return -1;
            }
            json_array_append_new(cases, describe_case(one));
        }
    }
    return 0;
}

static json_t *describe_origins(const hp_module *module)
{
    json_t *origins = json_array();
    for (const hp_entry_point *entry = module->entry_points; entry->name != NULL; entry++) {
        json_t *origin = json_object();
        json_object_set_new(origin, "function", hp_json_text(entry->name));
        char *file = realpath(hp_module_origin(entry), NULL);
        json_object_set_new(
            origin, "file", hp_json_text(file != NULL ? file : hp_module_origin(entry)));
        free(file);
        json_array_append_new(origins, origin);
    }
    return origins;
}

int hp_describe_main(const char *file)
{
    hp_error error;
    const hp_module *module = hp_module_open(file, error.text, sizeof error.text);
    json_t *cases = json_array();
    if (module == NULL || describe_cases(module, cases, &error) != 0) {
        printf("%s\n", error.text);
        json_decref(cases);
        return 3;
    }
    json_t *about = json_object();
    json_object_set_new(about, "engine", hp_json_text(module->engine));
    json_object_set_new(about, "profile", hp_json_text(module->profile));
    json_object_set_new(about, "version", hp_json_text(module->library_version()));
    json_object_set_new(
        about, "build", hp_json_text(module->library_build != NULL ? module->library_build() : ""));
    json_object_set_new(
        about, "expect", hp_json_text(module->expect != NULL ? module->expect : ""));
    json_object_set_new(about, "module", hp_json_text(file));
    json_object_set_new(
        about, "real_library", json_boolean((module->flags & HP_MODULE_REAL_LIBRARY) != 0));
    json_t *capabilities = json_array();
    for (size_t i = 0; module->capabilities != NULL && module->capabilities[i] != NULL; i++) {
        json_array_append_new(capabilities, hp_json_text(module->capabilities[i]));
    }
    json_object_set_new(about, "capabilities", capabilities);
    json_object_set_new(about, "entry_points", describe_origins(module));
    json_object_set_new(about, "cases", cases);
    json_dumpf(about, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(about);
    return 0;
}
