/*
 * The other process of the examples' test: writes to an environment while it is backed up, or looks
 * whether a copy has its rows. Compiled once per library, like the examples.
 *
 *     example_writer write HOME       writes rows until its input ends; for each line of that,
 *                                     prints how many there are
 *     example_writer check COPY MIN   recovers the copy; prints how many rows it has: the same ones
 *                                     in both databases, and MIN or more
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <db.h>

#define LIFE 60u /* seconds */
#define FLAGS (DB_CREATE | DB_INIT_MPOOL | DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_TXN)
#define VALUE 300

static DB_ENV *env;
static DB *left, *right;

static void check(int ret, const char *what)
{
    if (ret != 0) {
        fprintf(stderr, "%s: %s\n", what, db_strerror(ret));
        exit(1);
    }
}

static DB *open_database(const char *name, u_int32_t flags)
{
    DB *db;
    check(db_create(&db, env, 0), "db_create");
    check(db->open(db, NULL, name, NULL, DB_BTREE, flags | DB_AUTO_COMMIT, 0), name);
    return db;
}

static void open_all(const char *home, u_int32_t recovery, u_int32_t create)
{
    check(db_env_create(&env, 0), "db_env_create");
    env->set_errfile(env, stderr);
    check(env->set_lk_detect(env, DB_LOCK_DEFAULT), "set_lk_detect");
    check(env->open(env, home, FLAGS | recovery, 0), home);
    left = open_database("left.db", create);
    right = open_database("right.db", create);
}

static void close_all(void)
{
    check(left->close(left, 0), "left.db");
    check(right->close(right, 0), "right.db");
    check(env->close(env, 0), "DB_ENV->close");
}

/* What row n looks like. */
static void fill(unsigned n, char *key, char *value)
{
    snprintf(key, 16, "row %010u", n);
    snprintf(value, VALUE, "%u ", n * 2654435761u);
    for (size_t i = strlen(value); i < VALUE; i++) {
        value[i] = (char)('a' + (n + i) % 26);
    }
}

/* ---- write ---- */

/* Zero, or that it is to be tried again. */
static int write_row(unsigned n)
{
    char key_bytes[16], value_bytes[VALUE];
    DBT key = {.data = key_bytes}, value = {.data = value_bytes, .size = VALUE};
    DB_TXN *txn;

    fill(n, key_bytes, value_bytes);
    key.size = (u_int32_t)strlen(key_bytes);
    check(env->txn_begin(env, NULL, &txn, 0), "txn_begin");
    int ret = left->put(left, txn, &key, &value, 0);
    if (ret == 0) {
        ret = right->put(right, txn, &key, &value, 0);
    }
    if (ret == DB_LOCK_DEADLOCK) {
        check(txn->abort(txn), "abort");
        return ret;
    }
    check(ret, "put");
    check(txn->commit(txn, 0), "commit");
    return 0;
}

/* False when the input has ended. */
static bool answer(unsigned rows)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char line[16];

    if (poll(&in, 1, 0) == 0) {
        return true;
    }
    if (read(STDIN_FILENO, line, 1) != 1) {
        return false;
    }
    printf("%u\n", rows);
    return fflush(stdout) == 0;
}

static void write_rows(const char *home)
{
    unsigned rows = 0;
    open_all(home, 0, DB_CREATE);
    while (answer(rows)) {
        rows += write_row(rows) == 0;
        if (rows % 64 == 0) {
            check(env->txn_checkpoint(env, 0, 0, 0), "txn_checkpoint");
        }
        usleep(300);
    }
    close_all();
}

/* ---- check ---- */

static unsigned count_rows(DB *db, const char *name)
{
    char key_bytes[16], value_bytes[VALUE];
    DBT key = {0}, value = {0};
    DBC *cursor;
    unsigned n = 0;
    int ret;

    check(db->cursor(db, NULL, &cursor, 0), name);
    while ((ret = cursor->get(cursor, &key, &value, DB_NEXT)) == 0) {
        fill(n, key_bytes, value_bytes);
        if (key.size != strlen(key_bytes) || memcmp(key.data, key_bytes, key.size) != 0 ||
            value.size != VALUE || memcmp(value.data, value_bytes, VALUE) != 0) {
            fprintf(stderr, "%s: row %u: \"%.*s\"\n", name, n, (int)key.size, (char *)key.data);
            exit(1);
        }
        n++;
    }
    if (ret != DB_NOTFOUND) {
        check(ret, name);
    }
    check(cursor->close(cursor), name);
    return n;
}

static int check_copy(const char *copy, unsigned at_least)
{
    open_all(copy, DB_RECOVER_FATAL, 0);
    unsigned in_left = count_rows(left, "left.db"), in_right = count_rows(right, "right.db");
    close_all();
    printf("%u\n", in_left);
    if (in_left != in_right || in_left < at_least) {
        fprintf(stderr, "%u rows and %u, of %u\n", in_left, in_right, at_least);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    alarm(LIFE);
    if (argc == 3 && strcmp(argv[1], "write") == 0) {
        write_rows(argv[2]);
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "check") == 0) {
        return check_copy(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
    }
    fprintf(stderr, "usage: %s write HOME | check COPY MIN\n", argv[0]);
    return 2;
}
