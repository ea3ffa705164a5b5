/* Says that its entry points come from one library, while they come from another. */
#include "wrong.h"

#include <stdlib.h>

static void passes(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_RECOVERS);
}

static const hp_case cases[] = {HP_CASE(passes, HP_BDB_BACKUP_RECOVERS), HP_CASE_END};
static const hp_case *const tables[] = {cases, NULL};
static const hp_entry_point entries[] = {
    {"getenv", (void (*)(void))getenv, "libdb-5.3.so"}, {NULL, NULL, NULL}};
static const hp_module module = {WRONG_MODULE("mislinked", entries, tables)};
WRONG_EXPORT(module)
