/* 256 cases that all fail: the number that a status of eight bits turns into success. */
#include "wrong.h"

#include <stdio.h>

enum { COUNT = 256 };

static const hp_clause_id clauses[] = {HP_BDB_BACKUP_RECOVERS};
static char names[COUNT][16];
static hp_case cases[COUNT + 1];

static void fails(void **state)
{
    (void)state;
    hp_promise(HP_BDB_BACKUP_RECOVERS);
    fail();
}

static const hp_case *const tables[] = {cases, NULL};
static const hp_entry_point entries[] = {{"own", wrong_own_function, NULL}, {NULL, NULL, NULL}};
static const hp_module module = {WRONG_MODULE("many", entries, tables)};

__attribute__((visibility("default"))) const hp_module *hp_module_v1(void)
{
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "fails_%d", i);
        cases[i] = (hp_case){.name = names[i],
            .run = fails,
            .clauses = clauses,
            .clause_count = 1,
            .file = __FILE__,
            .line = __LINE__};
    }
    return &module;
}
