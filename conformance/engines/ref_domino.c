/* The module for the reference engine's other face: the cases compiled against its nsfdb.h, with
 * the engine linked in. */
#include "../hp_case.h"
#include "../hp_module.h"

#include <global.h>
#include <nsfdb.h>

extern const hp_case *const hp_domino_tables[];

static const char *version(void)
{
    return HOTPROOF_VERSION;
}

static const char *build(void)
{
    return "Hotproof reference engine " HOTPROOF_VERSION ", Notes C API";
}

static const hp_entry_point entry_points[] = {
    {"NotesInitExtended", (void (*)(void))NotesInitExtended, NULL},
    {"NSFDbOpen", (void (*)(void))NSFDbOpen, NULL},
    {"NSFBackupStart", (void (*)(void))NSFBackupStart, NULL},
    {"NSFBackupStartApplyChangeInfo", (void (*)(void))NSFBackupStartApplyChangeInfo, NULL},
    {NULL, NULL, NULL},
};

/* No expectation file, on purpose: the reference engine has no departures. */
static const hp_module module = {
    .version = HP_MODULE_VERSION,
    .engine = "ref-domino",
    .profile = "domino",
    .library_version = version,
    .library_build = build,
    .entry_points = entry_points,
    .tables = hp_domino_tables,
    .run_case = hp_case_run_one,
};

__attribute__((visibility("default"))) const hp_module *hp_module_v1(void)
{
    return &module;
}
