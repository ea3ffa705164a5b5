/* The module for Berkeley DB itself: the cases compiled against its own <db.h> and linked with its
 * shared library. */
#include "../cases/berkeleydb/utility.h"
#include "../hp_case.h"
#include "../hp_module.h"
#include "bdb_engine.h"

#include <db.h>

extern const hp_case *const hp_berkeleydb_tables[];

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

static const char *version(void)
{
    static char text[32];
    int major, minor, patch;
    db_version(&major, &minor, &patch);
    snprintf(text, sizeof text, "%d.%d.%d", major, minor, patch);
    return text;
}

static const char *build(void)
{
    return db_version(NULL, NULL, NULL);
}

static const hp_entry_point entry_points[] = {
    {"db_env_create", (void (*)(void))db_env_create, HP_LIBDB_FILE},
    {"db_create", (void (*)(void))db_create, HP_LIBDB_FILE},
    {"db_strerror", (void (*)(void))db_strerror, HP_LIBDB_FILE},
    {NULL, NULL, NULL},
};

/* Its backup leaves the copied databases to the page cache. */
static const hp_engine operations = {
    .version = HP_ENGINE_VERSION,
    BDB_ENGINE_OPERATIONS,
};

static const hp_module module = {
    .version = HP_MODULE_VERSION,
    .flags = HP_MODULE_REAL_LIBRARY,
    .engine = HP_LIBDB_ENGINE,
    .profile = "berkeleydb",
    .expect = "libdb-" TEXT(DB_VERSION_MAJOR) "." TEXT(DB_VERSION_MINOR),
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
