/* Two databases of accounts: see bank.h. */
#include "bank.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/error.h"

#define ALL_MONEY (2u * BANK_ACCOUNTS * BANK_START)

/* A size that follows from key and balance, so that pages split and merge. */
static size_t size_for(uint32_t key, uint32_t balance)
{
    return 4 + (key * 13 + balance) % 90;
}

static int set_balance(ref_db *db, ref_txn *txn, uint32_t key, uint32_t balance)
{
    return put_number(db, txn, key, balance, size_for(key, balance));
}

void bank_open(bank *the, ref_env *env)
{
    memset(the, 0, sizeof *the);
    the->env = env;
    bool fill = !db_exists(env, "left.db");
    the->left = db_make(env, "left.db");
    the->right = db_make(env, "right.db");
    if (fill) {
        ref_txn *txn = begin(env, NULL);
        for (uint32_t key = 0; key < BANK_ACCOUNTS; key++) {
            assert_ok(set_balance(the->left, txn, key, BANK_START));
            assert_ok(set_balance(the->right, txn, key, BANK_START));
        }
        assert_ok(ref_txn_commit(txn));
        assert_ok(ref_checkpoint(env, false));
    }
}

void bank_close(bank *the)
{
    assert_ok(ref_db_close(the->left));
    assert_ok(ref_db_close(the->right));
}

/* A balance; without an account it is 0. Unlike get_number() this asserts nothing: it runs in any
 * thread. */
static int get_balance(ref_db *db, ref_txn *txn, uint32_t key, bool lock, uint32_t *balance)
{
    char name[16];
    ref_buffer value = {0};
    snprintf(name, sizeof name, "k%05u", key);
    int error = ref_db_get(db, txn, text(name), lock, &value);
    *balance = error == 0 && value.size >= 4 ? ref_get32(value.data) : 0;
    if (error == 0 && value.size != size_for(key, *balance)) {
        error = EILSEQ;
    }
    ref_buffer_free(&value);
    return error;
}

static int move(bank *the, ref_txn *txn, uint64_t *seed)
{
    bool there = next_random(seed) % 2 == 0;
    ref_db *from = there ? the->left : the->right, *to = there ? the->right : the->left;
    uint32_t source = next_random(seed) % BANK_ACCOUNTS, target = next_random(seed) % BANK_ACCOUNTS;
    uint32_t amount = next_random(seed) % 50, has, had;
    int error = get_balance(from, txn, source, true, &has);
    if (error == 0) {
        error = get_balance(to, txn, target, true, &had);
    }
    amount = amount > has ? has : amount;
    if (error == 0) {
        error = set_balance(from, txn, source, has - amount);
    }
    return error == 0 ? set_balance(to, txn, target, had + amount) : error;
}

int bank_move(bank *the, uint64_t *seed)
{
    ref_txn_options options = {.no_sync = next_random(seed) % 4 != 0};
    ref_txn *txn;
    int error = ref_txn_begin(the->env, &options, &txn);
    if (error != 0) {
        return error;
    }
    error = move(the, txn, seed);
    if (error != 0) {
        ref_txn_abort(txn);
    } else {
        error = ref_txn_commit(txn);
    }
    if (error == 0) {
        atomic_fetch_add(&the->transfers, 1);
    }
    return error;
}

static void *work(void *context)
{
    teller *who = context;
    while (!atomic_load(&who->bank->stop) && who->error == 0) {
        int error = bank_move(who->bank, &who->seed);
        who->error = error == REF_DEADLOCK ? 0 : error;
    }
    snprintf(who->words, sizeof who->words, "%s", ref_error_text());
    return NULL;
}

void bank_start(bank *the, size_t tellers)
{
    assert_true(tellers <= BANK_TELLERS_MAX);
    atomic_store(&the->stop, false);
    the->teller_count = tellers;
    for (size_t i = 0; i < tellers; i++) {
        the->tellers[i] = (teller){.bank = the, .seed = 1000 + i};
        assert_int_equal(pthread_create(&the->threads[i], NULL, work, &the->tellers[i]), 0);
    }
}

void bank_stop(bank *the)
{
    atomic_store(&the->stop, true);
    for (size_t i = 0; i < the->teller_count; i++) {
        pthread_join(the->threads[i], NULL);
    }
    for (size_t i = 0; i < the->teller_count; i++) {
        if (the->tellers[i].error != 0) {
            print_error("teller %zu: %s\n", i, the->tellers[i].words);
        }
        assert_int_equal(the->tellers[i].error, 0);
    }
    the->teller_count = 0;
}

void bank_wait(bank *the, unsigned transfers)
{
    unsigned until = atomic_load(&the->transfers) + transfers;
    for (int i = 0; i < 60000 && atomic_load(&the->transfers) < until; i++) {
        ref_vfs_posix()->sleep(ref_vfs_posix(), 1000000);
    }
}

int bank_check(bank *the)
{
    ref_txn *txn;
    uint64_t sum = 0;
    int error = ref_txn_begin(the->env, NULL, &txn);
    if (error != 0) {
        return error;
    }
    for (uint32_t key = 0; key < BANK_ACCOUNTS && error == 0; key++) {
        uint32_t left = 0, right = 0;
        error = get_balance(the->left, txn, key, false, &left);
        if (error == 0) {
            error = get_balance(the->right, txn, key, false, &right);
        }
        sum += left + right;
    }
    ref_txn_abort(txn);
    if (error == 0 && sum != ALL_MONEY) {
        return ref_fail(EILSEQ, "the bank has %llu, not %u", (unsigned long long)sum, ALL_MONEY);
    }
    return error;
}

void bank_check_home(fixture *fix, const char *home)
{
    bank money;
    ref_env *env;
    assert_ok(env_open_at(fix, home, &env));
    assert_true(db_exists(env, "left.db"));
    bank_open(&money, env);
    assert_ok(bank_check(&money));
    assert_true(db_verify(money.left) >= BANK_ACCOUNTS); /* and what a test puts there */
    assert_int_equal(db_verify(money.right), BANK_ACCOUNTS);
    bank_close(&money);
    assert_ok(ref_env_close(env));
}
