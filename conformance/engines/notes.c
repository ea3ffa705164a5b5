/*
 * The module for HCL's own Notes library: the cases compiled against the headers of its C API
 * toolkit and linked with libnotes. Not tried: no such library was at hand. It is built if
 * HOTPROOF_NOTES_PREFIX says where one is.
 */
#include "../hp_case.h"
#include "../hp_module.h"

#include <global.h>
#include <nsfdb.h>

extern const hp_case *const hp_domino_tables[];

static const char *version(void)
{
    return "not tried";
}

static const hp_entry_point entry_points[] = {
    {"NotesInitExtended", (void (*)(void))NotesInitExtended, HP_NOTES_FILE},
    {"NSFDbOpen", (void (*)(void))NSFDbOpen, HP_NOTES_FILE},
    {"NSFBackupStart", (void (*)(void))NSFBackupStart, HP_NOTES_FILE},
    {NULL, NULL, NULL},
};

static const hp_module module = {
    .version = HP_MODULE_VERSION,
    .flags = HP_MODULE_REAL_LIBRARY,
    .engine = "notes",
    .profile = "domino",
    .library_version = version,
    .entry_points = entry_points,
    .tables = hp_domino_tables,
    .run_case = hp_case_run_one,
};

__attribute__((visibility("default"))) const hp_module *hp_module_v1(void)
{
    return &module;
}
