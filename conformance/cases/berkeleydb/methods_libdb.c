/* The kinds of databases that Berkeley DB has beside B+trees: see methods.h. */
#include "hp.h"
#include "bdb_support.h"
#include "methods.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <db.h>

enum { RECORDS_MAX = 4096, RECORD_SIZE = 100, QUEUE_PAGE_SIZE = 512, COMMIT_EACH = 50 };

static const struct {
    const char *file;
    DBTYPE type;
} kinds[] = {
    [BDB_HASH] = {"hash.db", DB_HASH},
    [BDB_RECNO] = {"recno.db", DB_RECNO},
    [BDB_HEAP] = {"heap.db", DB_HEAP},
    [BDB_QUEUE] = {"queue.db", DB_QUEUE},
    [BDB_SUBDATABASES] = {"several.db", DB_BTREE},
    [BDB_PARTITIONS] = {"parts.db", DB_BTREE},
    [BDB_PARTITIONS_BY_FUNCTION] = {"parts.db", DB_BTREE},
    [BDB_ENCRYPTED] = {"secret.db", DB_BTREE},
    [BDB_IN_MEMORY] = {NULL, DB_BTREE},
};

static int set_password(DB_ENV *env)
{
    return env->set_encrypt(env, BDB_PASSWORD, DB_ENCRYPT_AES);
}

void bdb_kind_need(bdb_kind kind)
{
    if (kind == BDB_ENCRYPTED) {
        bdb_configure_each(set_password);
    }
}

const char *bdb_kind_file(bdb_kind kind)
{
    return kinds[kind].file;
}

static uint32_t partition_of(DB *db, DBT *key)
{
    uint32_t number = 0;

    (void)db;
    memcpy(&number, key->data, sizeof number);
    return number;
}

static DBT bytes(void *data, uint32_t size)
{
    DBT dbt;

    memset(&dbt, 0, sizeof dbt);
    dbt.data = data;
    dbt.size = size;
    return dbt;
}

/* A third of the values of a key's first byte for each. */
static int divide_by_keys(DB *db)
{
    static unsigned char first[] = {256 / BDB_PARTITION_COUNT},
                         second[] = {2 * 256 / BDB_PARTITION_COUNT};
    DBT keys[BDB_PARTITION_COUNT - 1] = {bytes(first, sizeof first), bytes(second, sizeof second)};

    return db->set_partition(db, BDB_PARTITION_COUNT, keys, NULL);
}

static int configure(DB *db, bdb_kind kind)
{
    int ret = 0;

    if (kind == BDB_QUEUE) {
        ret = db->set_pagesize(db, QUEUE_PAGE_SIZE);
        ret = ret == 0 ? db->set_re_len(db, RECORD_SIZE) : ret;
        ret = ret == 0 ? db->set_q_extentsize(db, 1) : ret;
    } else if (kind == BDB_PARTITIONS) {
        ret = divide_by_keys(db);
    } else if (kind == BDB_PARTITIONS_BY_FUNCTION) {
        ret = db->set_partition(db, BDB_PARTITION_COUNT, NULL, partition_of);
    } else if (kind == BDB_ENCRYPTED) {
        ret = db->set_flags(db, DB_ENCRYPT);
    }
    return ret;
}

/* `part` is the number of a database in a file of several. */
static DB *open_kind(DB_ENV *env, bdb_kind kind, unsigned part, uint32_t flags)
{
    static const char *const names[] = {"first", "second"};
    bool named = kind == BDB_SUBDATABASES || kind == BDB_IN_MEMORY;
    DB *db = NULL;

    bdb_need(db_create(&db, env, 0), "db_create");
    bdb_need(configure(db, kind), "configure the database");
    int ret = db->open(db, NULL, kinds[kind].file, named ? names[part] : NULL, kinds[kind].type,
        DB_AUTO_COMMIT | flags, 0600);
    if (ret != 0 && flags == 0) {
        fail_msg("%s in the recovered backup: %s", kinds[kind].file, db_strerror(ret));
    }
    bdb_need(ret, "DB->open");
    return db;
}

/* Record numbers and places in a heap are the library's to give. */
static int append(DB *db, DB_TXN *txn, unsigned number)
{
    char record[RECORD_SIZE];
    DBTYPE type = DB_UNKNOWN;
    DB_HEAP_RID place;
    db_recno_t recno = 0;
    uint32_t name = number;
    int ret = db->get_type(db, &type);

    memset(record, '.', sizeof record);
    (void)snprintf(record, sizeof record, BDB_RECORD "%u", number);
    DBT data = bytes(record, sizeof record), key = bytes(&name, sizeof name);
    if (type == DB_HEAP) {
        memset(&place, 0, sizeof place);
        key = bytes(&place, sizeof place);
    } else if (type == DB_QUEUE || type == DB_RECNO) {
        key = bytes(&recno, sizeof recno);
    }
    bool numbered = type == DB_HEAP || type == DB_QUEUE || type == DB_RECNO;
    if (numbered) {
        key.ulen = key.size;
        key.flags = DB_DBT_USERMEM;
    }
    return ret == 0 ? db->put(db, txn, &key, &data, numbered ? DB_APPEND : 0) : ret;
}

static void fill(DB_ENV *env, DB *db, unsigned records)
{
    for (unsigned i = 0; i < records;) {
        DB_TXN *txn = NULL;

        bdb_need(env->txn_begin(env, NULL, &txn, 0), "DB_ENV->txn_begin");
        do {
            bdb_need(append(db, txn, i), "DB->put");
            i++;
        } while (i < records && i % COMMIT_EACH != 0);
        bdb_need(txn->commit(txn, 0), "DB_TXN->commit");
    }
}

static unsigned part_count(bdb_kind kind)
{
    return kind == BDB_SUBDATABASES ? 2 : 1;
}

void bdb_kind_fill(DB_ENV *env, bdb_kind kind, unsigned records)
{
    for (unsigned part = 0; part < part_count(kind); part++) {
        DB *db = open_kind(env, kind, part, DB_CREATE);

        fill(env, db, records);
        if (kind != BDB_IN_MEMORY) { /* which ends with its last handle */
            bdb_need(db->close(db, 0), "DB->close");
        }
    }
}

static unsigned count(DB *db, const char *file)
{
    static bool seen[RECORDS_MAX];
    DBC *cursor = NULL;
    DBT key = bytes(NULL, 0), data = bytes(NULL, 0);
    unsigned found = 0;
    int ret;

    memset(seen, 0, sizeof seen);
    assert_int_equal(db->cursor(db, NULL, &cursor, 0), 0);
    while ((ret = cursor->get(cursor, &key, &data, DB_NEXT)) == 0) {
        size_t prefix = strlen(BDB_RECORD);
        bool whole = data.size == RECORD_SIZE && memcmp(data.data, BDB_RECORD, prefix) == 0;
        unsigned long number =
            whole ? strtoul((const char *)data.data + prefix, NULL, 10) : RECORDS_MAX;

        if (number >= RECORDS_MAX || seen[number]) {
            fail_msg("%s: a record that was not put", file);
        }
        seen[number] = true;
        found++;
    }
    if (ret != DB_NOTFOUND) {
        fail_msg("%s: DBC->get after %u records: %s", file, found, db_strerror(ret));
    }
    for (unsigned i = 0; i < found; i++) {
        assert_true(seen[i]);
    }
    assert_int_equal(cursor->close(cursor), 0);
    return found;
}

unsigned bdb_kind_count(DB_ENV *env, bdb_kind kind)
{
    unsigned least = RECORDS_MAX;

    for (unsigned part = 0; part < part_count(kind); part++) {
        DB *db = open_kind(env, kind, part, 0);
        unsigned found = count(db, kinds[kind].file);

        least = found < least ? found : least;
        assert_int_equal(db->close(db, 0), 0);
    }
    return least;
}
