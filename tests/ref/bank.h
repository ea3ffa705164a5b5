/*
 * A bank: two databases of accounts, and threads that move money between them in single
 * transactions. Whoever sees one commit sees all of the money.
 */
#ifndef BANK_H
#define BANK_H

#include <pthread.h>
#include <stdatomic.h>

#include "support.h"

enum { BANK_ACCOUNTS = 300, BANK_START = 1000, BANK_TELLERS_MAX = 8 };

struct bank;

typedef struct teller {
    struct bank *bank;
    uint64_t seed;
    int error;
    char words[256];
} teller;

typedef struct bank {
    ref_env *env;
    ref_db *left, *right;
    atomic_bool stop;
    atomic_uint transfers; /* committed */
    size_t teller_count;
    teller tellers[BANK_TELLERS_MAX];
    pthread_t threads[BANK_TELLERS_MAX];
} bank;

/* Opens the two databases of the environment, or makes and fills them. */
void bank_open(bank *the, ref_env *env);
void bank_close(bank *the);

/* Tellers move money until bank_stop(), which asserts that nothing went wrong. */
void bank_start(bank *the, size_t tellers);
void bank_stop(bank *the);
/* Waits for so many further transfers; a minute at most. */
void bank_wait(bank *the, unsigned transfers);
/* One transfer, by any thread. */
int bank_move(bank *the, uint64_t *seed);

/* 0 when a reader sees all the money. Any thread. */
int bank_check(bank *the);
/* Opens the home, asserts that all the money is there and the trees are sound, and closes it. */
void bank_check_home(fixture *fix, const char *home);

#endif
