/* Error values: their sentences, and what the engine's results become. */
#include "internal.h"

#include <errno.h>
#include <string.h>

/* value, sentence */
#define REF_BDB_ERROR_MAP(X)                                                           \
    X(DB_BUFFER_SMALL, "the caller's buffer is too small for what is returned")        \
    X(DB_DONOTINDEX, "the record has no secondary key")                                \
    X(DB_FOREIGN_CONFLICT, "a foreign key constraint was broken")                      \
    X(DB_HEAP_FULL, "the heap file is full")                                           \
    X(DB_KEYEMPTY, "the record has been removed, or was never stored")                 \
    X(DB_KEYEXIST, "the key exists already")                                           \
    X(DB_LOCK_DEADLOCK, "abort the transaction and start it again")                    \
    X(DB_LOCK_NOTGRANTED, "the lock was not granted in time")                          \
    X(DB_LOG_BUFFER_FULL, "the log in memory is full")                                 \
    X(DB_LOG_VERIFY_BAD, "the log did not verify")                                     \
    X(DB_NOSERVER, "no server")                                                        \
    X(DB_NOTFOUND, "no such record, or no further one")                                \
    X(DB_OLD_VERSION, "the file's format is not of this version")                      \
    X(DB_PAGE_NOTFOUND, "no such page")                                                \
    X(DB_REP_DUPMASTER, "two masters")                                                 \
    X(DB_REP_HANDLE_DEAD, "the handle is no longer valid after replication")           \
    X(DB_REP_HOLDELECTION, "hold an election")                                         \
    X(DB_REP_IGNORE, "the replication message is to be ignored")                       \
    X(DB_REP_ISPERM, "the record is permanent at this site")                           \
    X(DB_REP_JOIN_FAILURE, "the replication group could not be joined")                \
    X(DB_REP_LEASE_EXPIRED, "the master's lease has expired")                          \
    X(DB_REP_LOCKOUT, "locked out by replication")                                     \
    X(DB_REP_NEWSITE, "a new site in the replication group")                           \
    X(DB_REP_NOTPERM, "the record is not permanent at this site")                      \
    X(DB_REP_UNAVAIL, "the replication group cannot be reached")                       \
    X(DB_REP_WOULDROLLBACK, "the client would have to roll back")                      \
    X(DB_RUNRECOVERY, "the environment has ended or is damaged: close it and recover") \
    X(DB_SECONDARY_BAD, "a secondary index does not match its database")               \
    X(DB_TIMEOUT, "timed out")                                                         \
    X(DB_VERIFY_BAD, "the database is damaged")                                        \
    X(DB_VERSION_MISMATCH, "the environment is of another version")

char *db_strerror(int error)
{
    static _Thread_local char unknown[48];

    if (error > 0) {
        return strerror(error);
    }
    switch (error) {
    case 0:
        return (char *)"success";
#define X(value, sentence) \
    case value:            \
        return (char *)#value ": " sentence;
        REF_BDB_ERROR_MAP(X)
#undef X
    default:
        (void)snprintf(unknown, sizeof unknown, "unknown error %d", error);
        return unknown;
    }
}

static void set(int *to, int value)
{
    if (to != NULL) {
        *to = value;
    }
}

char *db_version(int *major, int *minor, int *patch)
{
    set(major, DB_VERSION_MAJOR);
    set(minor, DB_VERSION_MINOR);
    set(patch, DB_VERSION_PATCH);
    return (char *)DB_VERSION_STRING;
}

char *db_full_version(int *family, int *release, int *major, int *minor, int *patch)
{
    set(family, DB_VERSION_FAMILY);
    set(release, DB_VERSION_RELEASE);
    (void)db_version(major, minor, patch);
    return (char *)DB_VERSION_FULL_STRING;
}

int ref_bdb_error(ref_bdb_env *env, int result)
{
    switch (result) {
    case REF_NOTFOUND:
        return DB_NOTFOUND;
    case REF_KEYEXIST:
        return DB_KEYEXIST;
    case REF_DEADLOCK:
        return DB_LOCK_DEADLOCK;
    case REF_NOTGRANTED:
        /* DB_LOCK_DEADLOCK is what the manual promises to programs that know one answer only. */
        return (ref_bdb_env_flags(env) & DB_TIME_NOTGRANTED) != 0 ? DB_LOCK_NOTGRANTED
                                                                  : DB_LOCK_DEADLOCK;
    case REF_RUNRECOVERY:
    case REF_CORRUPT:
        return DB_RUNRECOVERY;
    case REF_VERSION:
        return DB_OLD_VERSION;
    case REF_INCOMPLETE:
        return EINVAL;
    default:
        return result;
    }
}
