/* An environment with known rows, a backup of it, and the proof. */
#include "hp.h"
#include "bdb_support.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <db.h>

enum {
    KEY_SIZE = 16,
    VALUE_SIZE = 96,
    MESSAGES_SIZE = 65536,
    CACHE_SIZE = 1 << 20,
    LOG_MAX = 64 << 10,
    ROUNDS_MAX = 40
};

const bdb_layout bdb_plain = {
    .home = "home",
    .databases = {{.file = "a.db", .rows = 100}, {.file = "b.db", .rows = 60}},
};

/* Callbacks may come from any thread that works on an environment. */
static pthread_mutex_t messages_lock = PTHREAD_MUTEX_INITIALIZER;
static char errors[MESSAGES_SIZE], messages[MESSAGES_SIZE];

static void append(char *to, const char *text)
{
    (void)pthread_mutex_lock(&messages_lock);
    size_t used = strlen(to);
    (void)snprintf(to + used, MESSAGES_SIZE - used, "%s\n", text);
    (void)pthread_mutex_unlock(&messages_lock);
}

static void on_error(const DB_ENV *env, const char *prefix, const char *text)
{
    (void)env;
    (void)prefix;
    append(errors, text);
    hp_log("error callback: %s", text);
}

static void on_message(const DB_ENV *env, const char *text)
{
    (void)env;
    append(messages, text);
}

const char *bdb_errors(void)
{
    return errors;
}

const char *bdb_messages(void)
{
    return messages;
}

void bdb_forget_messages(void)
{
    (void)pthread_mutex_lock(&messages_lock);
    errors[0] = messages[0] = '\0';
    (void)pthread_mutex_unlock(&messages_lock);
}

void bdb_assert_error_names(const char *path)
{
    if (strstr(errors, path) == NULL) {
        fail_msg(
            "no error message names %s; there was: %s", path, errors[0] == '\0' ? "none" : errors);
    }
}

/* A setup step that fails is not a broken promise. */
void bdb_need(int ret, const char *step)
{
    if (ret != 0) {
        hp_unresolved("%s: %s", step, db_strerror(ret));
    }
}

static void expect(int ret, const char *step)
{
    if (ret != 0) {
        fail_msg("%s: %s", step, db_strerror(ret));
    }
}

static void make_below(const char *home, const char *dir)
{
    char path[PATH_MAX];

    if (dir[0] == '/') {
        (void)snprintf(path, sizeof path, "%s", dir);
    } else {
        (void)snprintf(path, sizeof path, "%s/%s", home, dir);
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        hp_unresolved("mkdir %s: %s", path, strerror(errno));
    }
}

void bdb_make_dirs(const bdb_layout *layout)
{
    bdb_make_dir(layout->home);
    for (size_t i = 0; i < BDB_DIRS_MAX && layout->data_dirs[i] != NULL; i++) {
        make_below(layout->home, layout->data_dirs[i]);
    }
    if (layout->log_dir != NULL) {
        make_below(layout->home, layout->log_dir);
    }
}

static int configure(DB_ENV *env, const bdb_layout *layout)
{
    int ret = env->set_cachesize(env, 0, CACHE_SIZE, 1);

    env->set_errcall(env, on_error);
    env->set_msgcall(env, on_message);
    for (size_t i = 0; ret == 0 && i < BDB_DIRS_MAX && layout->data_dirs[i] != NULL; i++) {
        ret = env->add_data_dir(env, layout->data_dirs[i]);
    }
    if (ret == 0 && layout->data_dirs[0] != NULL) {
        ret = env->set_create_dir(env, layout->data_dirs[0]);
    }
    if (ret == 0 && layout->log_dir != NULL) {
        ret = env->set_lg_dir(env, layout->log_dir);
    }
    if (ret == 0) {
        ret = env->set_lg_max(env, layout->log_max != 0 ? layout->log_max : LOG_MAX);
    }
    return ret == 0 ? env->set_lk_detect(env, DB_LOCK_DEFAULT) : ret;
}

static int (*configure_more)(DB_ENV *env);

void bdb_configure_each(int (*more)(DB_ENV *env))
{
    configure_more = more;
}

DB_ENV *bdb_env_new(const bdb_layout *layout)
{
    DB_ENV *env = NULL;

    bdb_need(db_env_create(&env, 0), "db_env_create");
    bdb_need(configure(env, layout), "configure the environment");
    if (configure_more != NULL) {
        bdb_need(configure_more(env), "configure the environment");
    }
    return env;
}

static int env_open(DB_ENV *env, const bdb_layout *layout, uint32_t flags)
{
    return env->open(env, layout->home,
        DB_CREATE | DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_LOCK | DB_INIT_TXN | DB_THREAD | flags,
        0600);
}

int bdb_env_open(DB_ENV *env, const bdb_layout *layout)
{
    return env_open(env, layout, 0);
}

void bdb_env_end(DB_ENV *env)
{
    expect(env->close(env, 0), "DB_ENV->close");
}

int bdb_db_open(DB_ENV *env, const bdb_database *database, DB **out)
{
    DB *db = NULL;
    int ret = db_create(&db, env, 0);

    *out = NULL;
    if (ret != 0) {
        return ret;
    }
    if (database->dir != NULL) {
        ret = db->set_create_dir(db, database->dir);
    }
    if (ret == 0) {
        ret = db->set_pagesize(db, BDB_PAGE_SIZE);
    }
    if (ret == 0) {
        ret = db->open(
            db, NULL, database->file, NULL, DB_BTREE, DB_CREATE | DB_AUTO_COMMIT | DB_THREAD, 0600);
    }
    if (ret != 0) {
        (void)db->close(db, 0);
        return ret;
    }
    *out = db;
    return 0;
}

static void make_row(const bdb_database *database, unsigned i, char *key, char *value)
{
    memset(value, '.', VALUE_SIZE);
    (void)snprintf(key, KEY_SIZE, "%08u", i);
    (void)snprintf(value, VALUE_SIZE, "row %u of %s in %s", i,
        database->was == NULL ? database->file : database->was,
        database->dir == NULL ? "its place" : database->dir);
}

static DBT bytes(void *data, uint32_t size)
{
    DBT dbt;

    memset(&dbt, 0, sizeof dbt);
    dbt.data = data;
    dbt.size = dbt.ulen = size;
    dbt.flags = DB_DBT_USERMEM;
    return dbt;
}

int bdb_put_rows(DB *db, DB_TXN *txn, const bdb_database *database, unsigned first, unsigned count)
{
    int ret = 0;

    for (unsigned i = first; ret == 0 && i < first + count; i++) {
        char key[KEY_SIZE], value[VALUE_SIZE];

        make_row(database, i, key, value);
        DBT k = bytes(key, (uint32_t)strlen(key)), v = bytes(value, VALUE_SIZE);
        ret = db->put(db, txn, &k, &v, 0);
    }
    return ret;
}

void bdb_make_standalone(const char *path, const bdb_database *database)
{
    DB *db = NULL;

    bdb_need(db_create(&db, NULL, 0), "db_create");
    bdb_need(db->set_pagesize(db, BDB_PAGE_SIZE), "DB->set_pagesize");
    bdb_need(db->open(db, NULL, path, NULL, DB_BTREE, DB_CREATE | DB_EXCL, 0600), path);
    bdb_need(bdb_put_rows(db, NULL, database, 0, database->rows), "DB->put");
    bdb_need(db->close(db, 0), "DB->close");
}

static int commit_rows_with(DB_ENV *env, DB *db, const bdb_database *database, unsigned first,
    unsigned count, uint32_t flags)
{
    DB_TXN *txn = NULL;
    int ret = env->txn_begin(env, NULL, &txn, flags);

    if (ret != 0) {
        return ret;
    }
    ret = bdb_put_rows(db, txn, database, first, count);
    if (ret != 0) {
        (void)txn->abort(txn);
        return ret;
    }
    return txn->commit(txn, 0);
}

/* Rows in one transaction, made durable. */
static int commit_rows(
    DB_ENV *env, DB *db, const bdb_database *database, unsigned first, unsigned count)
{
    return commit_rows_with(env, db, database, first, count, 0);
}

int bdb_try_rows(bdb_sample *s, size_t i, unsigned count, uint32_t flags)
{
    const bdb_database *database = &s->layout.databases[i];

    return commit_rows_with(s->env, s->db[i], database, database->rows, count, flags);
}

void bdb_tune(bdb_sample *s, unsigned option, uint32_t value)
{
    bdb_need(s->env->set_backup_config(s->env, (DB_BACKUP_CONFIG)option, value),
        "DB_ENV->set_backup_config");
}

void bdb_add_rows(bdb_sample *s, size_t i, unsigned count)
{
    bdb_database *database = &s->layout.databases[i];

    expect(commit_rows(s->env, s->db[i], database, database->rows, count), "commit rows");
    database->rows += count;
}

static size_t database_count(const bdb_layout *layout)
{
    size_t count = 0;

    while (count < BDB_DATABASES_MAX && layout->databases[count].file != NULL) {
        count++;
    }
    return count;
}

static const char *log_dir_of(const bdb_layout *layout, char *path, size_t size)
{
    if (layout->log_dir == NULL) {
        (void)snprintf(path, size, "%s", layout->home);
    } else if (layout->log_dir[0] == '/') {
        (void)snprintf(path, size, "%s", layout->log_dir);
    } else {
        (void)snprintf(path, size, "%s/%s", layout->home, layout->log_dir);
    }
    return path;
}

void bdb_checkpoint(bdb_sample *s)
{
    bdb_need(s->env->txn_checkpoint(s->env, 0, 0, DB_FORCE), "DB_ENV->txn_checkpoint");
}

void bdb_remove_logs(bdb_sample *s)
{
    char **none = NULL;

    bdb_checkpoint(s);
    bdb_need(s->env->log_archive(s->env, &none, DB_ARCH_REMOVE), "DB_ENV->log_archive");
}

/* Writes the rows again until the first log is full, no longer needed, and removed. A library that
 * keeps it makes the cases weaker, not wrong. */
static void retire_first_log(bdb_sample *s)
{
    const bdb_database *database = &s->layout.databases[0];
    char dir[PATH_MAX], first[PATH_MAX + 32];
    unsigned half = database->rows / 2;

    (void)log_dir_of(&s->layout, dir, sizeof dir);
    (void)snprintf(first, sizeof first, "%s/log.0000000001", dir);
    for (int round = 0; half > 0 && round < ROUNDS_MAX && bdb_exists(first); round++) {
        bdb_database earlier = *database;

        earlier.dir = round % 2 == 0 ? "former times" : "ancient times";
        bdb_need(commit_rows(s->env, s->db[0], &earlier, 0, half), "write rows again");
        bdb_remove_logs(s);
    }
    bdb_need(commit_rows(s->env, s->db[0], database, 0, half), "write rows again");
}

static void open_and_fill(bdb_sample *s)
{
    const bdb_database *databases = s->layout.databases;
    size_t count = database_count(&s->layout);

    bdb_need(bdb_env_open(s->env, &s->layout), "DB_ENV->open");
    for (size_t i = 0; i < count; i++) {
        bdb_need(bdb_db_open(s->env, &databases[i], &s->db[i]), databases[i].file);
        bdb_need(commit_rows(s->env, s->db[i], &databases[i], 0, databases[i].rows / 2),
            "first half of the rows");
    }
    if (!s->layout.keep_logs) {
        retire_first_log(s);
    }
    bdb_checkpoint(s);
    for (size_t i = 0; i < count; i++) {
        unsigned half = databases[i].rows / 2;

        bdb_need(commit_rows(s->env, s->db[i], &databases[i], half, databases[i].rows - half),
            "second half of the rows");
    }
}

bdb_sample *bdb_sample_new(const bdb_layout *layout)
{
    bdb_make_dirs(layout);
    return bdb_sample_in_place(layout);
}

bdb_sample *bdb_sample_in_place(const bdb_layout *layout)
{
    bdb_sample *s = calloc(1, sizeof *s);

    if (s == NULL) {
        hp_unresolved("no memory");
    }
    s->layout = *layout;
    s->env = bdb_env_new(layout);
    open_and_fill(s);
    bdb_watch(s);
    return s;
}

void bdb_close_databases(bdb_sample *s)
{
    for (size_t i = 0; i < BDB_DATABASES_MAX; i++) {
        if (s->db[i] != NULL) {
            expect(s->db[i]->close(s->db[i], 0), "DB->close");
            s->db[i] = NULL;
        }
    }
}

void bdb_sample_end(bdb_sample *s)
{
    bdb_close_databases(s);
    bdb_env_end(s->env);
    free(s->before);
    free(s);
}

void bdb_sample_abandon(bdb_sample *s)
{
    for (size_t i = 0; i < BDB_DATABASES_MAX; i++) {
        if (s->db[i] != NULL) {
            (void)s->db[i]->close(s->db[i], 0);
        }
    }
    (void)s->env->close(s->env, 0);
    free(s->before);
    free(s);
}

void bdb_sample_renew(bdb_sample *s)
{
    bdb_close_databases(s);
    bdb_need(s->env->close(s->env, 0), "DB_ENV->close");
    s->env = bdb_env_new(&s->layout);
}

void bdb_sample_reopen(bdb_sample *s)
{
    bdb_sample_renew(s);
    bdb_need(bdb_env_open(s->env, &s->layout), "DB_ENV->open");
}

void bdb_watch(bdb_sample *s)
{
    free(s->before);
    s->before = bdb_snapshot(s->layout.home);
    bdb_forget_messages();
}

int bdb_backup(bdb_sample *s, const char *target, uint32_t flags)
{
    bdb_watch(s);
    return s->env->backup(s->env, target, flags);
}

int bdb_dbbackup(bdb_sample *s, const char *file, const char *target, uint32_t flags)
{
    bdb_watch(s);
    return s->env->dbbackup(s->env, file, target, flags);
}

void bdb_assert_only_changed(bdb_sample *s, const char *target)
{
    char *after = bdb_snapshot(s->layout.home);

    bdb_assert_same_snapshot(s->before, after, target);
    free(after);
}

void bdb_assert_nothing_changed(bdb_sample *s)
{
    bdb_assert_only_changed(s, NULL);
}

bdb_layout bdb_copy_at(const bdb_layout *layout, const char *home, bool flat)
{
    bdb_layout copy = *layout;

    copy.home = home;
    if (flat) {
        memset(copy.data_dirs, 0, sizeof copy.data_dirs);
        copy.log_dir = NULL;
    }
    return copy;
}

int bdb_try_recover(const bdb_layout *copy, DB_ENV **out)
{
    DB_ENV *env = bdb_env_new(copy);
    int ret = env_open(env, copy, DB_RECOVER_FATAL | DB_PRIVATE);

    if (ret != 0) {
        (void)env->close(env, 0);
        env = NULL;
    }
    *out = env;
    return ret;
}

DB_ENV *bdb_recover(const bdb_layout *copy)
{
    DB_ENV *env;

    expect(bdb_try_recover(copy, &env), "recovery of the backup");
    return env;
}

static void assert_verifies(DB_ENV *env, const bdb_database *database)
{
    DB *db = NULL;

    expect(db_create(&db, env, 0), "db_create");
    expect(db->verify(db, database->file, NULL, NULL, 0), "DB->verify");
}

static bool has_data_dir(DB_ENV *env, const char *dir)
{
    const char **dirs = NULL;

    expect(env->get_data_dirs(env, &dirs), "DB_ENV->get_data_dirs");
    for (; dirs != NULL && *dirs != NULL; dirs++) {
        if (strcmp(*dirs, dir) == 0) {
            return true;
        }
    }
    return false;
}

/* Opens a database that must exist: a missing file is the failure that is looked for, not to be
 * created. */
static DB *open_existing(DB_ENV *env, const bdb_database *database)
{
    DB *db = NULL;

    expect(db_create(&db, env, 0), "db_create");
    if (database->dir != NULL && has_data_dir(env, database->dir)) {
        expect(db->set_create_dir(db, database->dir), "DB->set_create_dir");
    }
    int ret = db->open(db, NULL, database->file, NULL, DB_BTREE, DB_AUTO_COMMIT | DB_THREAD, 0);
    if (ret != 0) {
        fail_msg("%s in the recovered backup: %s", database->file, db_strerror(ret));
    }
    return db;
}

static void assert_row(const bdb_database *database, unsigned i, const DBT *k, const DBT *v)
{
    char key[KEY_SIZE], value[VALUE_SIZE];

    make_row(database, i, key, value);
    if (k->size != strlen(key) || memcmp(k->data, key, k->size) != 0 || v->size != VALUE_SIZE ||
        memcmp(v->data, value, VALUE_SIZE) != 0) {
        fail_msg("%s: row %u is \"%.*s\", not \"%s\"", database->file, i, (int)v->size,
            (const char *)v->data, value);
    }
}

unsigned bdb_count_rows(DB_ENV *env, const bdb_database *database)
{
    DB *db = open_existing(env, database);
    DBC *cursor = NULL;
    unsigned found = 0;
    int ret;

    expect(db->cursor(db, NULL, &cursor, 0), "DB->cursor");
    for (;; found++) {
        char key[KEY_SIZE], value[VALUE_SIZE];
        DBT k = bytes(key, KEY_SIZE), v = bytes(value, VALUE_SIZE);

        ret = cursor->get(cursor, &k, &v, DB_NEXT);
        if (ret != 0) {
            break;
        }
        assert_row(database, found, &k, &v);
    }
    if (ret != DB_NOTFOUND) {
        fail_msg("%s: DBC->get after %u rows: %s", database->file, found, db_strerror(ret));
    }
    expect(cursor->close(cursor), "DBC->close");
    expect(db->close(db, 0), "DB->close");
    assert_verifies(env, database);
    return found;
}

void bdb_assert_rows(DB_ENV *env, const bdb_database *database)
{
    unsigned found = bdb_count_rows(env, database);

    if (found != database->rows) {
        fail_msg("%s has %u rows of %u", database->file, found, database->rows);
    }
}

/* Recovery may be able to make a database anew from the log; a backup has its file all the same. */
static void assert_database_files(const bdb_layout *copy)
{
    for (size_t i = 0; i < database_count(copy); i++) {
        const bdb_database *database = &copy->databases[i];
        const char *dir = copy->data_dirs[0];
        char path[PATH_MAX];

        if (dir != NULL && database->dir != NULL) {
            dir = database->dir;
        }
        (void)snprintf(
            path, sizeof path, "%s/%s/%s", copy->home, dir == NULL ? "." : dir, database->file);
        if (bdb_file_size(path) == 0) {
            fail_msg("%s is not in the backup", path);
        }
    }
}

void bdb_assert_copy_holds(const bdb_layout *copy)
{
    assert_database_files(copy);
    DB_ENV *env = bdb_recover(copy);

    for (size_t i = 0; i < database_count(copy); i++) {
        bdb_assert_rows(env, &copy->databases[i]);
    }
    bdb_env_end(env);
}

void bdb_assert_backup_holds(bdb_sample *s, const char *target)
{
    bdb_layout copy = bdb_copy_at(&s->layout, target, false);

    bdb_assert_only_changed(s, target);
    bdb_assert_copy_holds(&copy);
}

void bdb_assert_flat_backup_holds(bdb_sample *s, const char *target)
{
    bdb_layout copy = bdb_copy_at(&s->layout, target, true);

    bdb_assert_only_changed(s, target);
    bdb_assert_copy_holds(&copy);
}

static bool needs_single_dir(const bdb_layout *layout)
{
    bool absolute = layout->log_dir != NULL && layout->log_dir[0] == '/';

    for (size_t i = 0; i < BDB_DIRS_MAX && layout->data_dirs[i] != NULL; i++) {
        absolute = absolute || layout->data_dirs[i][0] == '/';
    }
    return absolute;
}

void bdb_assert_usable(bdb_sample *s)
{
    bdb_database *database = &s->layout.databases[0];
    bool flat = needs_single_dir(&s->layout);

    if (s->db[0] == NULL) {
        expect(bdb_db_open(s->env, database, &s->db[0]), "DB->open after the failed backup");
    }
    bdb_add_rows(s, 0, 1);
    bdb_assert_rows(s->env, database);
    expect(s->env->txn_checkpoint(s->env, 0, 0, DB_FORCE), "checkpoint after the failed backup");

    expect(s->env->set_backup_callbacks(s->env, NULL, NULL, NULL), "set_backup_callbacks");
    bdb_watch(s);
    expect(s->env->backup(s->env, "backup-after", DB_CREATE | (flat ? DB_BACKUP_SINGLE_DIR : 0)),
        "backup after the failed backup");
    if (flat) {
        bdb_assert_flat_backup_holds(s, "backup-after");
    } else {
        bdb_assert_backup_holds(s, "backup-after");
    }
}

void bdb_assert_unharmed(bdb_sample *s)
{
    bdb_assert_nothing_changed(s);
    bdb_assert_usable(s);
}

void bdb_fill_disk_after(uint64_t bytes, const char *path_substring)
{
    int ret = bdb_provoke_write_error(ENOSPC, (unsigned long)bytes, path_substring);

    if (ret == ENOTSUP) {
        hp_unsupported("no way to make this library's writes fail");
    }
    assert_int_equal(ret, 0);
}
