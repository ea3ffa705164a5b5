/*
 * The file DB_CONFIG in an environment's home: lines NAME VALUE that overrule what the program has
 * configured. [DB_CONFIG Parameter Reference]
 */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1u << 20) /* bytes */
#define WORDS_MAX 4

typedef struct line {
    ref_bdb_env *env;
    const char *where; /* "PATH: line N", the method of its messages */
    u_int32_t *open_flags;
    const char *value; /* after NAME, without white space at its ends */
    char *words[WORDS_MAX];
    size_t count; /* words in value; WORDS_MAX + 1: more */
} line;

static const ref_bdb_name env_flag_names[] = {{DB_AUTO_COMMIT, "DB_AUTO_COMMIT"},
    {DB_TXN_NOSYNC, "DB_TXN_NOSYNC"}, {DB_TXN_WRITE_NOSYNC, "DB_TXN_WRITE_NOSYNC"},
    {DB_TXN_NOWAIT, "DB_TXN_NOWAIT"}, {DB_TIME_NOTGRANTED, "DB_TIME_NOTGRANTED"},
    {DB_MULTIVERSION, "DB_MULTIVERSION"}, {DB_TXN_SNAPSHOT, "DB_TXN_SNAPSHOT"},
    {DB_NOMMAP, "DB_NOMMAP"}, {DB_CDB_ALLDB, "DB_CDB_ALLDB"}, {DB_DIRECT_DB, "DB_DIRECT_DB"},
    {DB_DSYNC_DB, "DB_DSYNC_DB"}, {DB_NOLOCKING, "DB_NOLOCKING"}, {DB_NOPANIC, "DB_NOPANIC"},
    {DB_OVERWRITE, "DB_OVERWRITE"}, {DB_REGION_INIT, "DB_REGION_INIT"},
    {DB_YIELDCPU, "DB_YIELDCPU"}, {0, NULL}};

static const ref_bdb_name verbose_names[] = {{DB_VERB_BACKUP, "DB_VERB_BACKUP"},
    {DB_VERB_DEADLOCK, "DB_VERB_DEADLOCK"}, {DB_VERB_FILEOPS, "DB_VERB_FILEOPS"},
    {DB_VERB_FILEOPS_ALL, "DB_VERB_FILEOPS_ALL"}, {DB_VERB_RECOVERY, "DB_VERB_RECOVERY"},
    {DB_VERB_REGISTER, "DB_VERB_REGISTER"}, {DB_VERB_REPLICATION, "DB_VERB_REPLICATION"},
    {DB_VERB_REP_ELECT, "DB_VERB_REP_ELECT"}, {DB_VERB_REP_LEASE, "DB_VERB_REP_LEASE"},
    {DB_VERB_REP_MISC, "DB_VERB_REP_MISC"}, {DB_VERB_REP_MSGS, "DB_VERB_REP_MSGS"},
    {DB_VERB_REP_SYNC, "DB_VERB_REP_SYNC"}, {DB_VERB_REP_SYSTEM, "DB_VERB_REP_SYSTEM"},
    {DB_VERB_REPMGR_CONNFAIL, "DB_VERB_REPMGR_CONNFAIL"},
    {DB_VERB_REPMGR_MISC, "DB_VERB_REPMGR_MISC"}, {DB_VERB_WAITSFOR, "DB_VERB_WAITSFOR"},
    {0, NULL}};

static const ref_bdb_name policy_names[] = {{DB_LOCK_DEFAULT, "DB_LOCK_DEFAULT"},
    {DB_LOCK_EXPIRE, "DB_LOCK_EXPIRE"}, {DB_LOCK_MAXLOCKS, "DB_LOCK_MAXLOCKS"},
    {DB_LOCK_MAXWRITE, "DB_LOCK_MAXWRITE"}, {DB_LOCK_MINLOCKS, "DB_LOCK_MINLOCKS"},
    {DB_LOCK_MINWRITE, "DB_LOCK_MINWRITE"}, {DB_LOCK_OLDEST, "DB_LOCK_OLDEST"},
    {DB_LOCK_RANDOM, "DB_LOCK_RANDOM"}, {DB_LOCK_YOUNGEST, "DB_LOCK_YOUNGEST"}, {0, NULL}};

static const ref_bdb_name log_names[] = {{DB_LOG_AUTO_REMOVE, "DB_LOG_AUTO_REMOVE"},
    {DB_LOG_DIRECT, "DB_LOG_DIRECT"}, {DB_LOG_DSYNC, "DB_LOG_DSYNC"},
    {DB_LOG_IN_MEMORY, "DB_LOG_IN_MEMORY"}, {DB_LOG_ZERO, "DB_LOG_ZERO"}, {0, NULL}};

static const ref_bdb_name open_names[] = {
    {DB_THREAD, "DB_THREAD"}, {DB_PRIVATE, "DB_PRIVATE"}, {DB_INIT_REP, "DB_INIT_REP"}, {0, NULL}};

static int wrong(const line *l, const char *what)
{
    return ref_bdb_refuse(l->env, EINVAL, l->where, "%s: \"%s\"", what, l->value);
}

static int number(const line *l, size_t word, u_int32_t *out)
{
    char *end = NULL;

    errno = 0;
    unsigned long long n =
        isdigit((unsigned char)l->words[word][0]) ? strtoull(l->words[word], &end, 0) : UINT64_MAX;
    if (errno != 0 || end == NULL || *end != '\0' || n > UINT32_MAX) {
        return wrong(l, "not a number of 32 bits");
    }
    *out = (u_int32_t)n;
    return 0;
}

static int one_number(const line *l, u_int32_t *out)
{
    return l->count == 1 ? number(l, 0, out) : wrong(l, "one number is expected");
}

/* FLAG, or FLAG on, or FLAG off. */
static int flag(const line *l, const ref_bdb_name *names, u_int32_t *out, int *onoff)
{
    *onoff = 1;
    if (l->count == 2 && strcmp(l->words[1], "off") == 0) {
        *onoff = 0;
    } else if (l->count != 1 && !(l->count == 2 && strcmp(l->words[1], "on") == 0)) {
        return wrong(l, "a flag and perhaps \"on\" or \"off\" are expected");
    }
    for (; names->value != 0; names++) {
        if (strcmp(names->name, l->words[0]) == 0) {
            *out = names->value;
            return 0;
        }
    }
    return wrong(l, "unknown flag");
}

static int data_dir(const line *l)
{
    return ref_bdb_add_data_dir(l->env, l->where, l->value);
}

static int create_dir(const line *l)
{
    return ref_bdb_set_create_dir(l->env, l->where, l->value);
}

static int lg_dir(const line *l)
{
    return ref_bdb_set_lg_dir(l->env, l->where, l->value);
}

static int lg_max(const line *l)
{
    u_int32_t bytes;
    int ret = one_number(l, &bytes);

    return ret == 0 ? ref_bdb_set_lg_max(l->env, l->where, bytes) : ret;
}

static int cachesize(const line *l)
{
    u_int32_t gbytes = 0, bytes = 0, ncache = 0;
    int ret = l->count == 3 ? number(l, 0, &gbytes) : wrong(l, "three numbers are expected");

    if (ret == 0) {
        ret = number(l, 1, &bytes);
    }
    if (ret == 0) {
        ret = number(l, 2, &ncache);
    }
    return ret == 0 ? ref_bdb_set_cachesize(l->env, l->where, gbytes, bytes) : ret;
}

static int set_flags(const line *l)
{
    u_int32_t value;
    int onoff, ret = flag(l, env_flag_names, &value, &onoff);

    return ret == 0 ? l->env->handle.set_flags(&l->env->handle, value, onoff) : ret;
}

static int set_verbose(const line *l)
{
    u_int32_t value;
    int onoff, ret = flag(l, verbose_names, &value, &onoff);

    return ret == 0 ? l->env->handle.set_verbose(&l->env->handle, value, onoff) : ret;
}

static int lk_detect(const line *l)
{
    u_int32_t value;
    int onoff;
    int ret = l->count == 1 ? flag(l, policy_names, &value, &onoff) : wrong(l, "unknown policy");

    return ret == 0 ? l->env->handle.set_lk_detect(&l->env->handle, value) : ret;
}

static int timeout_of(const line *l, u_int32_t which)
{
    u_int32_t microseconds;
    int ret = one_number(l, &microseconds);

    return ret == 0 ? l->env->handle.set_timeout(&l->env->handle, microseconds, which) : ret;
}

static int lock_timeout(const line *l)
{
    return timeout_of(l, DB_SET_LOCK_TIMEOUT);
}

static int txn_timeout(const line *l)
{
    return timeout_of(l, DB_SET_TXN_TIMEOUT);
}

static int reg_timeout(const line *l)
{
    return timeout_of(l, DB_SET_REG_TIMEOUT);
}

static int log_config(const line *l)
{
    u_int32_t value;
    int onoff, ret = flag(l, log_names, &value, &onoff);

    return ret == 0 ? l->env->handle.log_set_config(&l->env->handle, value, onoff) : ret;
}

static int open_flags(const line *l)
{
    u_int32_t value;
    int onoff, ret = flag(l, open_names, &value, &onoff);

    if (ret == 0) {
        *l->open_flags = onoff != 0 ? *l->open_flags | value : *l->open_flags & ~value;
    }
    return ret;
}

/* Sizes of tables that Berkeley DB has and this library has not. */
static int table_size(const line *l)
{
    u_int32_t ignored;

    return one_number(l, &ignored);
}

static const struct {
    const char *name;
    int (*apply)(const line *l);
} parameters[] = {{"add_data_dir", data_dir}, {"set_data_dir", data_dir},
    {"set_create_dir", create_dir}, {"set_lg_dir", lg_dir}, {"set_lg_max", lg_max},
    {"set_cachesize", cachesize}, {"set_flags", set_flags}, {"set_verbose", set_verbose},
    {"set_lk_detect", lk_detect}, {"set_lock_timeout", lock_timeout},
    {"set_txn_timeout", txn_timeout}, {"set_reg_timeout", reg_timeout},
    {"log_set_config", log_config}, {"set_open_flags", open_flags}, {"set_lg_bsize", table_size},
    {"set_lg_regionmax", table_size}, {"set_lk_max_lockers", table_size},
    {"set_lk_max_locks", table_size}, {"set_lk_max_objects", table_size},
    {"set_lk_partitions", table_size}, {"set_mp_mmapsize", table_size},
    {"set_thread_count", table_size}, {"set_tx_max", table_size}, {"mutex_set_align", table_size},
    {"mutex_set_increment", table_size}, {"mutex_set_max", table_size},
    {"mutex_set_tas_spins", table_size}};

static int apply(line *l, const char *name)
{
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        if (strcmp(parameters[i].name, name) == 0) {
            return parameters[i].apply(l);
        }
    }
    return ref_bdb_refuse(
        l->env, EINVAL, l->where, "the parameter \"%s\" is not in this version", name);
}

/* Takes one line apart; `text` is ours to change. */
static int read_line(ref_bdb_env *env, const char *where, char *text, u_int32_t *flags)
{
    size_t size = strlen(text);

    if (size == 0 || text[0] == '#' || isspace((unsigned char)text[0])) {
        return 0;
    }
    while (isspace((unsigned char)text[size - 1])) {
        text[--size] = '\0';
    }
    size_t name = strcspn(text, " \t\r\v\f");
    char *value = text + name + strspn(text + name, " \t\r\v\f");
    if (*value == '\0') {
        return ref_bdb_refuse(env, EINVAL, where, "\"%s\": a name and a value are expected", text);
    }
    text[name] = '\0';

    char *copy = strdup(value), *rest = copy;
    if (copy == NULL) {
        return ref_bdb_refuse(env, ENOMEM, where, "no memory");
    }
    line l = {.env = env, .where = where, .open_flags = flags, .value = value};
    for (char *word; (word = strtok_r(rest, " \t\r\v\f", &rest)) != NULL; l.count++) {
        if (l.count == WORDS_MAX) {
            l.count++;
            break;
        }
        l.words[l.count] = word;
    }
    int ret = apply(&l, text);
    free(copy);
    return ret;
}

/* *text: the file with a NUL after it, malloc'd; NULL when there is no such file. */
static int load(ref_bdb_env *env, ref_vfs *vfs, const char *path, char **text)
{
    ref_file *file = NULL;
    ref_stat info = {0};
    size_t done = 0;

    *text = NULL;
    int ret = vfs->open(vfs, path, 0, 0, &file);
    if (ret != 0) {
        return ret == ENOENT ? 0 : ref_bdb_refuse(env, ret, path, "%s", strerror(ret));
    }
    ret = vfs->fstat(file, &info);
    if (ret == 0 && info.size > FILE_MAX) {
        ret = EFBIG;
    }
    char *bytes = ret == 0 ? malloc((size_t)info.size + 1) : NULL;
    if (ret == 0 && bytes == NULL) {
        ret = ENOMEM;
    }
    if (ret == 0) {
        ret = ref_read_full(file, bytes, (size_t)info.size, 0, &done);
    }
    (void)vfs->close(file);
    if (ret != 0) {
        free(bytes);
        return ref_bdb_refuse(env, ret, path, "%s", strerror(ret));
    }
    bytes[done] = '\0';
    *text = bytes;
    return 0;
}

int ref_bdb_read_db_config(ref_bdb_env *env, ref_vfs *vfs, const char *home, u_int32_t *flags)
{
    char *path = NULL, *text = NULL, *rest;
    int ret;

    if (asprintf(&path, "%s/DB_CONFIG", home) < 0) {
        return ref_bdb_refuse(env, ENOMEM, "DB_ENV->open", "no memory");
    }
    ret = load(env, vfs, path, &text);
    rest = text;
    for (unsigned number_of = 1; ret == 0 && rest != NULL; number_of++) {
        char *one = strsep(&rest, "\n"), *where = NULL;

        if (asprintf(&where, "%s: line %u", path, number_of) < 0) {
            ret = ref_bdb_refuse(env, ENOMEM, "DB_ENV->open", "no memory");
            break;
        }
        ret = read_line(env, where, one, flags);
        free(where);
    }
    free(text);
    free(path);
    return ret;
}
