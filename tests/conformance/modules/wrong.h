/* What the misbehaving modules share: a description that is right but for what each module gets
 * wrong. */
#ifndef WRONG_H
#define WRONG_H

#include "hp_case.h"
#include "hp_module.h"

static inline const char *wrong_version(void)
{
    return "1.0";
}

static inline const char *wrong_build(void)
{
    return "a module for tests <&\">";
}

static inline void wrong_own_function(void)
{
}

#define WRONG_MODULE(module_name, entry_list, table_list)                                    \
    .version = HP_MODULE_VERSION, .engine = (module_name), .profile = "berkeleydb",          \
    .expect = (module_name), .library_version = wrong_version, .library_build = wrong_build, \
    .entry_points = (entry_list), .tables = (table_list), .run_case = hp_case_run_one

#define WRONG_EXPORT(module)                                                   \
    __attribute__((visibility("default"))) const hp_module *hp_module_v1(void) \
    {                                                                          \
        return &(module);                                                      \
    }

#endif
