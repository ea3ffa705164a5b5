/* What can be set on a database handle before it is open, and asked. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MIN 512u
#define PAGE_MAX 65536u

static int check_not_open(ref_bdb_db *db, const char *method)
{
    return db->engine == NULL ? 0 : ref_bdb_refuse(db->env, EINVAL, method, "not after DB->open");
}

static int check_open(ref_bdb_db *db, const char *method)
{
    return db->engine != NULL ? 0 : ref_bdb_refuse(db->env, EINVAL, method, "only after DB->open");
}

static int set_pagesize(DB *handle, u_int32_t bytes)
{
    static const char method[] = "DB->set_pagesize";
    ref_bdb_db *db = ref_bdb_db_of(handle);
    int ret = check_not_open(db, method);

    if (ret == 0 && (bytes < PAGE_MIN || bytes > PAGE_MAX || (bytes & (bytes - 1)) != 0)) {
        ret = ref_bdb_refuse(db->env, EINVAL, method,
            "%u: a page has a power of two of bytes from %u to %u", (unsigned)bytes, PAGE_MIN,
            PAGE_MAX);
    }
    if (ret == 0) {
        db->page_size = bytes;
    }
    return ret;
}

static int get_pagesize(DB *handle, u_int32_t *bytes)
{
    const ref_bdb_db *db = ref_bdb_db_of(handle);

    *bytes = db->engine == NULL ? db->page_size : ref_db_page_size(db->engine);
    return 0;
}

static int set_flags(DB *handle, u_int32_t flags)
{
    static const char method[] = "DB->set_flags";
    static const ref_bdb_name missing[] = {{DB_DUPSORT, "DB_DUPSORT (duplicates)"},
        {DB_DUP, "DB_DUP (duplicates)"}, {DB_ENCRYPT, "DB_ENCRYPT (encryption)"},
        {DB_INORDER, "DB_INORDER (queues)"}, {DB_RECNUM, "DB_RECNUM (record numbers)"},
        {DB_RENUMBER, "DB_RENUMBER (record numbers)"}, {DB_REVSPLITOFF, "DB_REVSPLITOFF"},
        {DB_SNAPSHOT, "DB_SNAPSHOT (text files)"}, {DB_TXN_NOT_DURABLE, "DB_TXN_NOT_DURABLE"},
        {0, NULL}};
    ref_bdb_db *db = ref_bdb_db_of(handle);
    int ret = check_not_open(db, method);

    return ret == 0 ? ref_bdb_check_flags(db->env, method, flags, DB_CHKSUM, missing) : ret;
}

static int set_create_dir(DB *handle, const char *dir)
{
    static const char method[] = "DB->set_create_dir";
    ref_bdb_db *db = ref_bdb_db_of(handle);
    int ret = check_not_open(db, method);

    if (ret == 0 && (dir == NULL || !ref_bdb_has_data_dir(db->env, dir))) {
        ret = ref_bdb_refuse(db->env, EINVAL, method, "%s: not a data directory of the environment",
            dir == NULL ? "NULL" : dir);
    }
    if (ret != 0) {
        return ret;
    }
    char *copy = strdup(dir);
    if (copy == NULL) {
        return ref_bdb_refuse(db->env, ENOMEM, method, "no memory");
    }
    free(db->create_dir);
    db->create_dir = copy;
    return 0;
}

static int get_dbname(DB *handle, const char **file, const char **database)
{
    ref_bdb_db *db = ref_bdb_db_of(handle);

    if (file != NULL) {
        *file = db->name;
    }
    if (database != NULL) {
        *database = NULL;
    }
    return check_open(db, "DB->get_dbname");
}

static int get_type(DB *handle, DBTYPE *type)
{
    ref_bdb_db *db = ref_bdb_db_of(handle);

    *type = db->engine == NULL ? DB_UNKNOWN : DB_BTREE;
    return check_open(db, "DB->get_type");
}

static void set_errfile(DB *handle, FILE *stream)
{
    ref_bdb_set_errfile(ref_bdb_db_of(handle)->env, stream);
}

static void set_errpfx(DB *handle, const char *prefix)
{
    ref_bdb_set_errpfx(ref_bdb_db_of(handle)->env, prefix);
}

static void db_err(DB *handle, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ref_bdb_program_error(ref_bdb_db_of(handle)->env, true, error, format, args);
    va_end(args);
}

static void db_errx(DB *handle, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ref_bdb_program_error(ref_bdb_db_of(handle)->env, false, 0, format, args);
    va_end(args);
}

void ref_bdb_install_db_settings(DB *handle)
{
    handle->set_pagesize = set_pagesize;
    handle->get_pagesize = get_pagesize;
    handle->set_flags = set_flags;
    handle->set_create_dir = set_create_dir;
    handle->get_dbname = get_dbname;
    handle->get_type = get_type;
    handle->set_errfile = set_errfile;
    handle->set_errpfx = set_errpfx;
    handle->err = db_err;
    handle->errx = db_errx;
}
