/*
 * Databases that not every engine has. What it takes to make them differs between libraries, some
 * of whose headers do not even have the names: methods_libdb.c, methods_ref.c. Every function ends
 * the case as UNSUPPORTED if the engine lacks the kind.
 */
#ifndef BDB_METHODS_H
#define BDB_METHODS_H

struct __db_env;

typedef enum bdb_kind {
    BDB_HASH,
    BDB_RECNO,
    BDB_HEAP,
    BDB_QUEUE,                  /* in extents of BDB_QUEUE_EXTENT records */
    BDB_SUBDATABASES,           /* two in one file */
    BDB_PARTITIONS,             /* BDB_PARTITION_COUNT of them, divided by keys */
    BDB_PARTITIONS_BY_FUNCTION, /* divided by a function of the application */
    BDB_ENCRYPTED,              /* in an environment for which bdb_kind_need() was called */
    BDB_IN_MEMORY,              /* has a name and no file */
} bdb_kind;

enum { BDB_QUEUE_EXTENT = 4, BDB_PARTITION_COUNT = 3 };

/* What the password of an encrypted environment is, and what every record begins with. */
#define BDB_PASSWORD "open sesame"
#define BDB_RECORD "record "

/* To be called before the first handle of an environment is made: says whether the engine has the
 * kind, and arranges for what its environment needs. */
void bdb_kind_need(bdb_kind kind);

/* The file of the kind's database in the home. */
const char *bdb_kind_file(bdb_kind kind);

/* Makes the database in the open environment and puts `records` records into it, committed. */
void bdb_kind_fill(struct __db_env *env, bdb_kind kind, unsigned records);

/* Number of records; fails the case unless they are the first of those that bdb_kind_fill() puts,
 * each once. */
unsigned bdb_kind_count(struct __db_env *env, bdb_kind kind);

#endif
