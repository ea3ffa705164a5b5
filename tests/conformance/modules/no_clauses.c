/* Has a case that asserts nothing that is written anywhere. */
#include "wrong.h"

static void passes(void **state)
{
    (void)state;
}

static const hp_case cases[] = {
    {.name = "passes", .run = passes, .file = __FILE__, .line = __LINE__}, HP_CASE_END};
static const hp_case *const tables[] = {cases, NULL};
static const hp_entry_point entries[] = {{"own", wrong_own_function, NULL}, {NULL, NULL, NULL}};
static const hp_module module = {WRONG_MODULE("no_clauses", entries, tables)};
WRONG_EXPORT(module)
