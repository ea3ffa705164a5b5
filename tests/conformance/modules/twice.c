/* Has two cases of one name. */
#include "wrong.h"

static void passes(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_RECOVERS);
}

static const hp_case cases[] = {
    HP_CASE(passes, HP_BDB_BACKUP_RECOVERS), HP_CASE(passes, HP_BDB_BACKUP_EXCL), HP_CASE_END};
static const hp_case *const tables[] = {cases, NULL};
static const hp_entry_point entries[] = {{"own", wrong_own_function, NULL}, {NULL, NULL, NULL}};
static const hp_module module = {WRONG_MODULE("twice", entries, tables)};
WRONG_EXPORT(module)
