/* See berkeleydb_support.h. */
#include "berkeleydb_support.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS = 65536, VALUE_MAX = 256 };

static char directory[PATH_MAX], before[PATH_MAX];
static char error_words[WORDS], message_words[WORDS];
static pthread_mutex_t words_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- directory ---- */

int enter_directory(void **state)
{
    const char *base = getenv("TMPDIR");

    (void)state;
    snprintf(
        directory, sizeof directory, "%s/berkeleydb_test.XXXXXX", base == NULL ? "/tmp" : base);
    forget();
    return getcwd(before, sizeof before) == NULL || mkdtemp(directory) == NULL ||
                   chdir(directory) != 0
               ? -1
               : 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

int leave_directory(void **state)
{
    (void)state;
    return chdir(before) != 0 || nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 ? -1
                                                                                            : 0;
}

bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

void make_dir(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fputs(content, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
}

void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char bytes[4096];

    assert_non_null(in);
    assert_non_null(out);
    for (size_t size; (size = fread(bytes, 1, sizeof bytes, in)) != 0;) {
        assert_int_equal(fwrite(bytes, 1, size, out), size);
    }
    assert_int_equal(fclose(out), 0);
    (void)fclose(in);
}

void damage_file(const char *path, long offset)
{
    FILE *file = fopen(path, "r+b");

    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_true(byte != EOF);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 0xff, file) == EOF, 0);
    assert_int_equal(fclose(file), 0);
}

/* ---- words ---- */

static void append(char *to, const char *prefix, const char *words)
{
    (void)pthread_mutex_lock(&words_lock);
    size_t used = strlen(to);
    snprintf(to + used, WORDS - used, "[%s] %s\n", prefix == NULL ? "" : prefix, words);
    (void)pthread_mutex_unlock(&words_lock);
}

void on_error(const DB_ENV *env, const char *prefix, const char *message)
{
    (void)env;
    append(error_words, prefix, message);
}

void on_message(const DB_ENV *env, const char *message)
{
    (void)env;
    append(message_words, NULL, message);
}

const char *errors(void)
{
    return error_words;
}

const char *messages(void)
{
    return message_words;
}

void forget(void)
{
    error_words[0] = message_words[0] = '\0';
}

void assert_refused(int ret, const char *words)
{
    assert_int_equal(ret, EINVAL);
    if (strstr(error_words, words) == NULL) {
        fail_msg("no message has \"%s\" in it; there is: %s", words, error_words);
    }
    forget();
}

/* ---- handles ---- */

DB_ENV *new_env(void)
{
    DB_ENV *env = NULL;

    assert_int_equal(db_env_create(&env, 0), 0);
    env->set_errcall(env, on_error);
    env->set_msgcall(env, on_message);
    return env;
}

DB_ENV *open_env(const char *home, u_int32_t flags)
{
    DB_ENV *env = new_env();

    (void)mkdir(home, 0700);
    int ret = env->open(env, home, ENV_FLAGS | flags, 0);
    if (ret != 0) {
        fail_msg("%s: %s %s", home, db_strerror(ret), error_words);
    }
    return env;
}

DB *open_db(DB_ENV *env, const char *file)
{
    DB *db = NULL;

    assert_int_equal(db_create(&db, env, 0), 0);
    int ret =
        db->open(db, NULL, file, NULL, DB_BTREE, DB_CREATE | (env == NULL ? 0 : DB_AUTO_COMMIT), 0);
    if (ret != 0) {
        fail_msg("%s: %s %s", file, db_strerror(ret), error_words);
    }
    return db;
}

void close_all(DB *db, DB_ENV *env)
{
    if (db != NULL) {
        assert_int_equal(db->close(db, 0), 0);
    }
    if (env != NULL) {
        assert_int_equal(env->close(env, 0), 0);
    }
}

DB_TXN *begin(DB_ENV *env, u_int32_t flags)
{
    DB_TXN *txn = NULL;

    assert_int_equal(env->txn_begin(env, NULL, &txn, flags), 0);
    assert_non_null(txn);
    return txn;
}

/* ---- records ---- */

DBT dbt(const void *data, size_t size)
{
    DBT result;

    memset(&result, 0, sizeof result);
    result.data = (void *)data;
    result.size = (u_int32_t)size;
    return result;
}

DBT text(const char *string)
{
    return dbt(string, strlen(string));
}

DBT in_memory(void *room, size_t size)
{
    DBT result = dbt(room, 0);

    result.ulen = (u_int32_t)size;
    result.flags = DB_DBT_USERMEM;
    return result;
}

int put(DB *db, DB_TXN *txn, const char *key, const char *value)
{
    DBT k = text(key), v = text(value);

    return db->put(db, txn, &k, &v, 0);
}

int del(DB *db, DB_TXN *txn, const char *key)
{
    DBT k = text(key);

    return db->del(db, txn, &k, 0);
}

void assert_value(DB *db, DB_TXN *txn, const char *key, const char *value)
{
    char room[VALUE_MAX];
    DBT k = text(key), v = in_memory(room, sizeof room - 1);
    int ret = db->get(db, txn, &k, &v, 0);

    assert_int_equal(ret, value == NULL ? DB_NOTFOUND : 0);
    if (value != NULL) {
        room[v.size] = '\0';
        assert_string_equal(room, value);
    }
}

void assert_records(DB *db, DB_TXN *txn, const char *expected)
{
    char found[WORDS / 16] = "";
    DBC *cursor = NULL;
    DBT k = dbt(NULL, 0), v = dbt(NULL, 0);
    int ret;

    assert_int_equal(db->cursor(db, txn, &cursor, 0), 0);
    while ((ret = cursor->get(cursor, &k, &v, DB_NEXT)) == 0) {
        size_t used = strlen(found);

        snprintf(found + used, sizeof found - used, "%s%.*s=%.*s", used == 0 ? "" : " ",
            (int)k.size, (char *)k.data, (int)v.size, (char *)v.data);
    }
    assert_int_equal(ret, DB_NOTFOUND);
    assert_int_equal(cursor->close(cursor), 0);
    assert_string_equal(found, expected);
}
