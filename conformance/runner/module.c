/* Opening and checking engine modules: see module.h. */
#include "module.h"

#include "../hp.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *hp_module_origin(const hp_entry_point *entry)
{
    void *address;
    Dl_info info;
    memcpy(&address, &entry->address, sizeof address);
    return dladdr(address, &info) != 0 && info.dli_fname != NULL ? info.dli_fname : "?";
}

static int is_same_file(const char *one, const char *other)
{
    char *real_one = realpath(one, NULL);
    char *real_other = realpath(other, NULL);
    int same = real_one != NULL && real_other != NULL && strcmp(real_one, real_other) == 0;
    free(real_one);
    free(real_other);
    return same;
}

static int origin_is_right(const hp_entry_point *entry, const char *module_path)
{
    const char *origin = hp_module_origin(entry);
    if (entry->library == NULL) {
        return is_same_file(origin, module_path);
    }
    return entry->library[0] == '/' ? is_same_file(origin, entry->library)
                                    : strstr(origin, entry->library) != NULL;
}

static int check(const hp_module *module, const char *path, char *why, size_t size)
{
    if (module == NULL || module->version != HP_MODULE_VERSION) {
        snprintf(why, size, "%s: module interface version %u, this hotproof knows version %u", path,
            module != NULL ? module->version : 0, HP_MODULE_VERSION);
        return -1;
    }
    if (module->engine == NULL || module->profile == NULL || module->library_version == NULL ||
        module->entry_points == NULL || module->tables == NULL || module->run_case == NULL) {
        snprintf(why, size, "%s: the module leaves a required member unset", path);
        return -1;
    }
    for (const hp_entry_point *entry = module->entry_points; entry->name != NULL; entry++) {
        if (!origin_is_right(entry, path)) {
            snprintf(why, size, "%s: %s comes from %s, not from %s: another library took its place",
                path, entry->name, hp_module_origin(entry),
                entry->library != NULL ? entry->library : "the module itself");
            return -1;
        }
    }
    return 0;
}

const hp_module *hp_module_open(const char *path, char *why, size_t size)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        snprintf(why, size, "%s", dlerror());
        return NULL;
    }
    void *symbol = dlsym(handle, HP_MODULE_SYMBOL);
    if (symbol == NULL) {
        snprintf(why, size, "%s: not an engine module: no symbol %s", path, HP_MODULE_SYMBOL);
        return NULL;
    }
    hp_module_function get;
    memcpy(&get, &symbol, sizeof get);
    const hp_module *module = get();
    return check(module, path, why, size) == 0 ? module : NULL;
}

const hp_case *hp_module_find(const hp_module *module, const char *name)
{
    for (const hp_case *const *table = module->tables; *table != NULL; table++) {
        for (const hp_case *one = *table; one->name != NULL; one++) {
            if (strcmp(one->name, name) == 0) {
                return one;
            }
        }
    }
    return NULL;
}
