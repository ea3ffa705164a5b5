/*
 * The backup utility that comes with the library, run as a program of its own while the case has
 * the environment open.
 */
#ifndef BDB_UTILITY_H
#define BDB_UTILITY_H

enum { BDB_UTILITY_WORDS = 2, BDB_UTILITY_OUTPUT = 64 * 1024 };

/* What a module says about its utility: utility_ref.c, utility_libdb.c. */
typedef struct bdb_utility {
    const char *path;                     /* "" if there was none at build time */
    const char *words[BDB_UTILITY_WORDS]; /* what argv begins with, up to the first NULL */
    const char *missing;                  /* to the user who has no such program */
} bdb_utility;

extern const bdb_utility bdb_utility_here;

/* A run that is over. */
typedef struct bdb_utility_run {
    int status;                      /* as of exit(); -1: it was killed by a signal */
    char output[BDB_UTILITY_OUTPUT]; /* standard output and standard error, as they came */
} bdb_utility_run;

/*
 * Opens the program, which the isolation would put out of reach: hp_module.prepare. Returns 0 even
 * if there is none; the cases are UNSUPPORTED then.
 */
int bdb_utility_prepare(void);

/* Ends the case as UNSUPPORTED unless there is a utility. */
void bdb_utility_need(void);

/* The environment variable DB_HOME of all further runs; NULL, as at first: none. */
void bdb_utility_set_db_home(const char *home);

/*
 * Runs the utility with these arguments, up to a NULL, in the case's directory.
 * Fails the case if it does not end in time. The result is valid until the next call.
 */
const bdb_utility_run *bdb_utility_call(const char *const *arguments);

/* The same with the arguments written out. */
#define bdb_utility(...) bdb_utility_call((const char *const[]){__VA_ARGS__, NULL})

#endif
