/* The module for the reference engine: the cases compiled against its db.h, with the engine linked
 * in. */
#include "../cases/berkeleydb/utility.h"
#include "../hp_case.h"
#include "../hp_module.h"
#include "bdb_engine.h"

#include <db.h>

extern const hp_case *const hp_berkeleydb_tables[];

static const char *version(void)
{
    return HOTPROOF_VERSION;
}

static const char *build(void)
{
    return db_version(NULL, NULL, NULL);
}

static const hp_entry_point entry_points[] = {
    {"db_env_create", (void (*)(void))db_env_create, NULL},
    {"db_create", (void (*)(void))db_create, NULL},
    {"db_strerror", (void (*)(void))db_strerror, NULL},
    {NULL, NULL, NULL},
};

static const hp_engine operations = {
    .version = HP_ENGINE_VERSION,
    .capabilities = HP_ENGINE_BACKUP_SYNCS,
    BDB_ENGINE_OPERATIONS,
};

/* No expectation file, on purpose: the reference engine has no departures. */
static const hp_module module = {
    .version = HP_MODULE_VERSION,
    .engine = "ref",
    .profile = "berkeleydb",
    .library_version = version,
    .library_build = build,
    .entry_points = entry_points,
    .tables = hp_berkeleydb_tables,
    .operations = &operations,
    .prepare = bdb_utility_prepare,
    .run_case = hp_case_run_one,
};

__attribute__((visibility("default"))) const hp_module *hp_module_v1(void)
{
    return &module;
}
