/* The reference engine has B+trees in files of their own, and nothing else. */
#include "methods.h"
#include "hp.h"

void bdb_kind_need(bdb_kind kind)
{
    static const char *const names[] = {"hash", "recno", "heap", "queues", "databases in one file",
        "partitions", "partitions", "encryption", "databases in memory"};

    hp_unsupported("%s", names[kind]);
}

const char *bdb_kind_file(bdb_kind kind)
{
    bdb_kind_need(kind);
    return "";
}

void bdb_kind_fill(struct __db_env *env, bdb_kind kind, unsigned records)
{
    (void)env;
    (void)records;
    bdb_kind_need(kind);
}

unsigned bdb_kind_count(struct __db_env *env, bdb_kind kind)
{
    (void)env;
    bdb_kind_need(kind);
    return 0;
}
