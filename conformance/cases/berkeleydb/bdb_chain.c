/* A full backup and the updates that bring it on. */
#include "hp.h"
#include "bdb_chain.h"

#include <stdio.h>
#include <string.h>
#include <db.h>

/* About one log of 64 KiB to each database. */
enum { ROWS_A_STEP = 600 };

const bdb_layout bdb_whole_log = {
    .home = "home",
    .keep_logs = true,
    .databases = {{.file = "a.db", .rows = 100}, {.file = "b.db", .rows = 60}},
};

bdb_sample *bdb_chain_new(const bdb_layout *layout, uint32_t flags)
{
    bdb_sample *s = bdb_sample_new(layout);

    bdb_need(bdb_backup(s, BDB_CHAIN, DB_CREATE | flags), "the full backup");
    return s;
}

static const char *last_log(const bdb_sample *s, char *name, size_t size)
{
    char dir[256];

    (void)snprintf(dir, sizeof dir, "%s/%s", s->layout.home,
        s->layout.log_dir == NULL ? "." : s->layout.log_dir);
    return bdb_last_match(dir, BDB_LOGS, 0, "", name, size);
}

void bdb_chain_grow(bdb_sample *s)
{
    char before[64], after[64];

    (void)last_log(s, before, sizeof before);
    for (size_t i = 0; i < BDB_DATABASES_MAX && s->db[i] != NULL; i++) {
        /* A small transaction still finds room in the log in which the last backup ended. */
        bdb_add_rows(s, i, 1);
        bdb_add_rows(s, i, ROWS_A_STEP);
    }
    if (strcmp(before, last_log(s, after, sizeof after)) == 0) {
        hp_unresolved("%u rows fitted into %s", ROWS_A_STEP, after);
    }
}

int bdb_chain_update(bdb_sample *s, uint32_t flags)
{
    return bdb_backup(s, BDB_CHAIN, DB_BACKUP_UPDATE | flags);
}

bdb_layout bdb_chain_copy(const bdb_sample *s)
{
    return bdb_copy_at(&s->layout, BDB_CHAIN, false);
}

void bdb_chain_recover(const bdb_sample *s)
{
    bdb_layout copy = bdb_chain_copy(s);

    bdb_env_end(bdb_recover(&copy));
}

void bdb_chain_write_to_copy(const bdb_sample *s)
{
    bdb_layout copy = bdb_chain_copy(s);
    DB_ENV *env = bdb_recover(&copy);
    DB *db = NULL;

    copy.databases[0].dir = "another life";
    bdb_need(bdb_db_open(env, &s->layout.databases[0], &db), "DB->open in the copy");
    bdb_need(bdb_put_rows(db, NULL, &copy.databases[0], 0, 20), "DB->put in the copy");
    bdb_need(db->close(db, 0), "DB->close in the copy");
    bdb_env_end(env);
}
