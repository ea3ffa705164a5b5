/*
 * A process that owns an environment while a test backs it up from outside, and books that show
 * whether a copy holds.
 *
 * The process is this test program, executed again, so that it shares no file, lock or thread with
 * the test. It takes orders over a pipe, one at a time, and ends when the pipe does or after a
 * minute. As a guest it can back up, too.
 *
 * The books: every transaction moves an amount from an account in a.db to the same account in b.db
 * and counts itself in both, so that both databases have the same keys and all numbers together
 * are 0. Files are never synced: a killed process leaves them as they are.
 *
 * A test that uses it is registered by OWNER_TEST() and begins as one of support.h; the program's
 * main() is OWNER_TEST_MAIN(tests).
 */
#ifndef OWNER_H
#define OWNER_H

#include "support.h"

#include <stdio.h>
#include <sys/types.h>

#define OWNER_TEST(function) cmocka_unit_test_setup_teardown(function, owner_setup, owner_teardown)
#define OWNER_TEST_MAIN(tests)                                                         \
    int main(int argc, char **argv)                                                    \
    {                                                                                  \
        return owner_is_child(argc, argv)                                              \
                   ? owner_child(argv)                                                 \
                   : test_main(argc, argv, tests, sizeof(tests) / sizeof((tests)[0])); \
    }

int owner_setup(void **state);
int owner_teardown(void **state); /* kills those that still live */
bool owner_is_child(int argc, char **argv);
int owner_child(char **argv);

typedef struct owner {
    pid_t pid; /* 0: not running */
    FILE *orders, *answers;
    long number;     /* of the last answer */
    char words[512]; /* of the last answer, or note */
} owner;

/* Starts the process, which opens fix->home and the books, making both when they are missing. */
void owner_start(owner *who, const fixture *fix);
/* The same with its log in this directory below the home. */
void owner_start_at(owner *who, const fixture *fix, const char *log_dir);
/* Another process that opens fix->home as a guest. */
void owner_start_guest(owner *who, const fixture *fix);

/*
 * Gives an order, as by printf, and waits for the answer: the result of the engine's call.
 *     move N            N transactions of the books; the number is how many there were ever
 *     run               the same until the next order, with checkpoints and removal of log segments;
 *                       the answer comes at once, when all that was done before is durable
 *     grow N            N new accounts, of some hundred bytes each, in one transaction
 *     checkpoint        writes what is committed, and moves the redo point
 *     remove_logs       removes the segments that nothing needs; the number is how many are left
 *     removable         the number is how many segments nothing needs
 *     create NAME       makes a database, with one record NAME=NAME
 *     bridge NAME       the same, and a record bridge=NAME in a.db, in one transaction
 *     open NAME         opens a database that is there; adopts it when it is foreign
 *     remove NAME       of a database
 *     rename FROM TO    of a database
 *     swap A B          exchanges their names in one transaction
 *     die KIND PART N   kills itself before the N-th (1) operation of this kind (fault_vfs.h) from
 *                       now on, on a path with PART in it
 *     backup TARGET FLAGS PAUSE   of a guest: TARGET beside the home; PAUSE microseconds after each
 *                       four pages; a note for each file that is copied
 *     end               closes everything
 */
int owner_tell(owner *who, const char *order, ...) __attribute__((format(printf, 2, 3)));
/* The same, which must succeed. The answer's number. */
long owner_do(owner *who, const char *order, ...) __attribute__((format(printf, 2, 3)));

/* Without waiting for the answer: that is owner_answer()'s. */
void owner_say(owner *who, const char *order, ...) __attribute__((format(printf, 2, 3)));
int owner_answer(owner *who);
/* Waits for a note with these words in it. */
void owner_await_note(owner *who, const char *words);

void owner_kill(owner *who);  /* SIGKILL, and waits */
void owner_await(owner *who); /* waits for one that dies by itself */
void owner_end(owner *who);   /* "end", and waits: it must end well */

/* ---- what a guest's test needs ---- */

/* fix->home opened as a guest, by this process. */
ref_env *guest_open(fixture *fix);
/* A backup of the guest into fix->dir/name. */
int guest_backup(fixture *fix, ref_env *guest, const char *name, unsigned flags);

/* Opens the environment at fix->dir/name, recovers it, asserts that the books are whole and have
 * `at_least` transactions, and closes it. With `create` for a copy without logs. The number of
 * transactions. */
long books_check(fixture *fix, const char *name, bool create, long at_least);
/* The same in one that is open. */
long books_check_in(ref_env *env, long at_least);

/* A caller's sink that writes into a directory and tells before which file it opens. */
typedef struct told_sink {
    ref_sink sink; /* for ref_backup_options */
    char dir[FIXTURE_PATH];
    FILE *file;
    unsigned opens;
    void (*before)(void *context, const char *name); /* may be NULL */
    void *context;
} told_sink;

/* Makes fix->dir/name for it. */
void told_sink_begin(told_sink *sink, fixture *fix, const char *name,
    void (*before)(void *context, const char *name), void *context);

#endif
