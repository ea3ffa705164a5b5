/* Several records as one: see merge.h. */
#include "merge.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void hp_run_free(hp_run *run)
{
    free(run->path);
    json_decref(run->header);
    json_decref(run->footer);
    json_decref(run->results);
    json_decref(run->stale);
    *run = (hp_run){0};
}

/* Two members, either of which may be missing. */
static bool same(const json_t *a, const json_t *b)
{
    return a == b || (a != NULL && b != NULL && json_equal(a, b));
}

static char *shown(const json_t *value)
{
    return value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : hp_format("not there");
}

static int check_member(const hp_run *one, const hp_run *two, const char *key, hp_error *error)
{
    const json_t *a = json_object_get(one->header, key);
    const json_t *b = json_object_get(two->header, key);
    if (same(a, b)) {
        return 0;
    }
    if (json_is_array(a) || json_is_array(b)) {
        return hp_fail(
            error, "%s and %s do not belong together: other %s", one->path, two->path, key);
    }
    char *first = shown(a), *second = shown(b);
    hp_fail(error, "%s and %s do not belong together: %s is %s in the first and %s in the second",
        one->path, two->path, key, first, second);
    free(first);
    free(second);
    return -1;
}

static json_t *engine_of(const json_t *header, const char *name)
{
    size_t i;
    json_t *about;
    json_array_foreach(json_object_get(header, "engines"), i, about)
    {
        if (strcmp(hp_json_get(about, "engine"), name) == 0) {
            return about;
        }
    }
    return NULL;
}

/* Cases by name and clauses; their files may lie elsewhere on another machine. */
static bool same_cases(const json_t *a, const json_t *b)
{
    size_t i;
    const json_t *one;
    if (json_array_size(a) != json_array_size(b)) {
        return false;
    }
    json_array_foreach(a, i, one)
    {
        const json_t *other = json_array_get(b, i);
        if (!same(json_object_get(one, "name"), json_object_get(other, "name")) ||
            !same(json_object_get(one, "clauses"), json_object_get(other, "clauses"))) {
            return false;
        }
    }
    return true;
}

static int check_engines(const hp_run *one, const hp_run *two, hp_error *error)
{
    static const char *const keys[] = {"profile", "version", "build", "expect"};
    size_t i;
    const json_t *a;
    json_array_foreach(json_object_get(one->header, "engines"), i, a)
    {
        const char *name = hp_json_get(a, "engine");
        const json_t *b = engine_of(two->header, name);
        const char *differs = NULL;
        for (size_t k = 0; b != NULL && k < sizeof keys / sizeof keys[0]; k++) {
            if (!same(json_object_get(a, keys[k]), json_object_get(b, keys[k]))) {
                differs = keys[k];
            }
        }
        if (b != NULL && differs == NULL &&
            !same_cases(json_object_get(a, "cases"), json_object_get(b, "cases"))) {
            differs = "cases";
        }
        if (differs != NULL) {
            return hp_fail(error, "%s and %s do not belong together: engine %s with other %s",
                one->path, two->path, name, differs);
        }
    }
    return 0;
}

static int check_pair(const hp_run *one, const hp_run *two, hp_error *error)
{
    static const char *const keys[] = {
        "format", "hotproof", "revision", "seed", "strict", "clauses"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (check_member(one, two, keys[i], error) != 0) {
            return -1;
        }
    }
    return check_engines(one, two, error);
}

/* Enters the cases of a run in `seen`: engine and case to number of the run. */
static int enter_cases(const hp_run *runs, size_t number, json_t *seen, hp_error *error)
{
    size_t i;
    const json_t *result;
    json_array_foreach(runs[number].results, i, result)
    {
        const char *engine = hp_json_get(result, "engine"), *name = hp_json_get(result, "case");
        char *key = hp_format("%zu %s %s", strlen(engine), engine, name);
        const json_t *earlier = json_object_get(seen, key);
        int status = 0;
        if (engine_of(runs[number].header, engine) == NULL) {
            status = hp_fail(error, "%s: a result of engine %s, which the header does not know",
                runs[number].path, engine);
        } else if (earlier != NULL && json_integer_value(earlier) != (json_int_t)number) {
            status = hp_fail(error, "%s and %s overlap: engine %s, case %s is in both",
                runs[json_integer_value(earlier)].path, runs[number].path, engine, name);
        } else if (earlier == NULL) {
            json_object_set_new(seen, key, json_integer((json_int_t)number));
        }
        free(key);
        if (status != 0) {
            return -1;
        }
    }
    return 0;
}

int hp_merge_check(const hp_run *runs, size_t count, hp_error *error)
{
    json_t *seen = json_object();
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++) {
        for (size_t k = 0; k < i && status == 0; k++) {
            status = check_pair(&runs[k], &runs[i], error);
        }
        status = status == 0 ? enter_cases(runs, i, seen, error) : status;
    }
    json_decref(seen);
    return status;
}

static bool has_row(const json_t *rows, const char *engine)
{
    size_t i;
    const json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (strcmp(hp_json_get(row, "engine"), engine) == 0) {
            return true;
        }
    }
    return false;
}

json_t *hp_merge_headers(const hp_run *runs, size_t count)
{
    json_t *header = json_copy(runs[0].header);
    json_t *engines = json_array(), *absent = json_array();
    json_int_t planned = 0;
    size_t i;
    json_t *row;
    for (size_t r = 0; r < count; r++) {
        planned += json_integer_value(json_object_get(runs[r].header, "planned"));
        json_array_foreach(json_object_get(runs[r].header, "engines"), i, row)
        {
            if (!has_row(engines, hp_json_get(row, "engine"))) {
                json_array_append(engines, row);
            }
        }
    }
    for (size_t r = 0; r < count; r++) {
        json_array_foreach(json_object_get(runs[r].header, "not_installed"), i, row)
        {
            const char *name = hp_json_get(row, "engine");
            if (!has_row(engines, name) && !has_row(absent, name)) {
                json_array_append(absent, row);
            }
        }
    }
    json_object_set_new(header, "engines", engines);
    json_object_set_new(header, "not_installed", absent);
    json_object_set_new(header, "planned", json_integer(planned));
    return header;
}

json_t *hp_merge_results(const hp_run *runs, size_t count)
{
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_extend(all, runs[i].results);
    }
    return all;
}

json_t *hp_merge_stale(const hp_run *runs, size_t count)
{
    json_t *all = json_array();
    size_t i, k;
    json_t *line;
    for (size_t r = 0; r < count; r++) {
        json_array_foreach(runs[r].stale, i, line)
        {
            for (k = 0; k < json_array_size(all); k++) {
                const json_t *other = json_array_get(all, k);
                if (same(json_object_get(line, "engine"), json_object_get(other, "engine")) &&
                    same(json_object_get(line, "case"), json_object_get(other, "case"))) {
                    break;
                }
            }
            if (k == json_array_size(all)) {
                json_array_append(all, line);
            }
        }
    }
    return all;
}
